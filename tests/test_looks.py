"""Looks that are remembered: who asks for one finds what a search of the text finds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleaners import Config, Edit, apply, clean, duplicate_candidates, kinds, looks, mojibake, punctuation, structure
from cleaners.edits import Positions

PIECES = (
    *("今天", "天气很好", "，", "。", "“", "”", "……", "——", "。。。", "《", "》", "\n", "\n\u3000\u3000", "\u3000"),
    *(" ", "\n\u3000\u3000，", "喃", "喃喃", "锟斤拷", "\r\n"),
    *(",", ".", ":", "3.5", "(一)", ")", "!", "?", "a b", "--", "·", "😀", "\ud83d", "\xa0"),
)  # fmt: skip
TEXTS = st.lists(st.sampled_from(PIECES), max_size=24).map("".join)
MANY = "春风又绿江南岸明月何时照我还，今天天气很好。" * 20  # so that a few marks are few


def _remembered(text: str) -> looks.Look:
    looks._lately.cache_clear()
    kinds.held(text)
    found = looks.known(text)
    assert found is not None
    return found


@given(TEXTS, st.booleans())
@settings(deadline=None)
def test_marks_are_found_in_a_look_as_by_a_search(text: str, is_long: bool) -> None:
    text = text + MANY if is_long else text
    looks._lately.cache_clear()
    found = list(punctuation.propose(text, Config()))
    _remembered(text)
    assert list(punctuation.propose(text, Config())) == found


def test_a_look_spares_the_search() -> None:
    text = "\n\u3000\u3000" + MANY + "今天3.5度,明天很好"
    look = _remembered(text)
    assert len(looks.places(look, looks.SIGN_OF_WIDTH)) == 4
    at = punctuation._signs(text, "")
    assert at is not None
    assert [match.start() for match in punctuation._matches(text, at)] == [text.index(",")]


@given(
    st.lists(TEXTS | st.sampled_from(["", "50%", "%u", "&amp;", "喃好喃"]), max_size=12),
    st.sampled_from([3, 40, 1 << 17]),
)
@settings(deadline=None)
def test_texts_are_looked_at_together_as_one_by_one(texts: list[str], most: int) -> None:
    looks._lately.cache_clear()
    alone = [kinds.held(text) for text in texts]
    seen = [looks.known(text) for text in texts]
    looks._lately.cache_clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kinds, "_TOGETHER", most)
        assert kinds.held_of_all(texts) == alone
    for text, one in zip(texts, seen, strict=True):
        found = looks.known(text)
        assert found is not None
        assert one is not None
        assert found.held == one.held
        assert np.array_equal(found.units, one.units)
        assert np.array_equal(found.kinds, one.kinds)


@given(TEXTS)
@settings(deadline=None)
def test_clauses_are_found_in_a_look_as_in_the_text(text: str) -> None:
    looks._lately.cache_clear()
    plain = duplicate_candidates.clauses(text)
    _remembered(text)
    assert [one.tolist() for one in duplicate_candidates.clauses(text)] == [one.tolist() for one in plain]


@given(st.lists(TEXTS, min_size=1, max_size=6), st.sets(st.integers(0, 5)))
@settings(deadline=None)
def test_what_is_left_is_known(texts: list[str], gone: set[int]) -> None:
    lines = [text.replace("\n", "") + "\n" for text in texts]
    text = "".join(lines)
    starts = [sum(map(len, lines[:i])) for i in range(len(lines))]
    edits = [Edit(starts[i], lines[i], "", "a.b") for i in sorted(gone) if i < len(lines)]
    left = apply(text, edits)
    _remembered(text)
    looks.without(text, edits, left)
    found, fresh = looks.known(left), kinds.look(left)
    if max(text) > "\uffff" and edits:
        assert found is None or left == text
        return
    assert found is not None
    assert np.array_equal(found.units, fresh.units)
    assert np.array_equal(found.kinds, fresh.kinds)
    assert found.held & fresh.held == fresh.held


def test_only_so_many_units_are_remembered() -> None:
    looks._lately.cache_clear()
    for number in range(4):
        text = f"{number}" + "桥" * (looks._lately.MOST // 3)
        looks.remember(text, kinds.look(text))
        assert looks._lately.size <= looks._lately.MOST
    looks._lately.cache_clear()


def test_no_look_is_left_of_what_is_cleaned() -> None:
    looks._lately.cache_clear()
    page = "首页 > 新闻\n桥修好了\n来源：晚报 2014-03-04 10:20\n\n村里的桥修好了,大家都很高兴。\n村里的路也修好了。\n"
    assert clean(page.encode()).trail
    assert not looks._lately.looks
    assert looks._lately.size == 0


SIGNS = ("喃", "銆", "鍦", "好", "，", "a", "\n", "😀", "\ufffd")


@given(st.lists(st.sampled_from(SIGNS), max_size=40).map("".join))
@settings(deadline=None)
def test_signs_that_are_few_are_no_residue(text: str) -> None:
    seen = kinds.look(text)
    found = list(mojibake.residue(text, True, kinds.may_stay_misread(seen)))
    assert found == list(mojibake.residue(text))


def test_flags_are_those_of_the_text_before_its_layout() -> None:
    text = "　　他说“今天天气很好。\n　　第二段也很好，大家都很高兴。\n　　第三段（没有写完。\n"
    flags = clean(text.encode()).flags
    assert [flag.kind for flag in flags] == ["unbalanced_quotes", "unbalanced_brackets"]


@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3), st.integers(0, 3)), max_size=5),
    st.lists(st.integers(0, 40), max_size=6),
)
def test_places_are_followed_as_one_by_one(parts: list[tuple[int, int, int]], places: list[int]) -> None:
    edits, end = [], 0
    for distance, before, after in parts:
        edits.append(Edit(end + distance, "x" * before, "y" * after, "a.b"))
        end += distance + before
    positions = Positions(edits)
    assert structure._moved(sorted(places), edits) == [positions.new_span(one, one)[0] for one in sorted(places)]
