"""Joint rounds: many lines are read, and many pages joined, as they are one by one."""

from itertools import accumulate, pairwise
from random import Random
from re import _parser as parser  # type: ignore[attr-defined]

import numpy as np
import pytest
from cut_lines import LINES
from hypothesis import given, settings
from hypothesis import strategies as st
from spying import spy_on

from benchmarks.damage import article
from cleaners import hard_wraps, joint_rounds, joint_sides, joints, line_splits
from cleaners.hard_wraps import ends_sentence, units
from cleaners.joint_choices import FirstHalves
from cleaners.joint_sides import SideRows, sides, together
from cleaners.joints import KINDS, Side
from cleaners.rule_files import _first_character

MORE_LINES = (*LINES, "十年以后，", "村头的老井还在，水还是那么清，", "打水的人却")
ANY_LINE = st.text(
    alphabet="的一第条年月日甲乙，。、：；！？…“”「」（）()《》■•①①１1234567890aB .-—=_*·|{}<>:/\u3000\t𠀀𝟙",
    min_size=1,
    max_size=70,
).map(str.strip)
LINE = st.one_of(
    st.sampled_from(MORE_LINES), ANY_LINE, st.tuples(ANY_LINE, st.integers(1, 9)).map(lambda one: one[0] * one[1])
)
PAGES = st.lists(st.lists(LINE.filter(bool), min_size=1, max_size=14).map("\n".join), min_size=1, max_size=4)


def read(texts: list[str]) -> SideRows:
    return together(list(sides(texts, [not ends_sentence(text) for text in texts])))


@settings(max_examples=400, deadline=None)
@given(st.lists(LINE.filter(bool), min_size=1, max_size=12))
def test_lines_are_read_as_one_by_one(texts: list[str]) -> None:
    rows = read(texts)
    for k, one in enumerate(map(Side, texts)):
        assert KINDS[rows.kind[k]] == one.kind
        assert rows.can_begin[k] == one.can_begin
        assert rows.can_go_on[k] == one.can_go_on
        assert rows.jumpable[k] == one.jumpable
        assert rows.trait[k] == one.trait
        assert rows.meets[k].tolist() == [one.meets_as_first, one.meets_as_second]
        assert rows.as_first[k] == one.as_first
        assert rows.as_second[k].tolist() == [one.as_second(kind) for kind in KINDS]
        if one.jumpable:
            assert rows.between[k].tolist() == list(one.between)


def test_lines_are_read_in_parts_as_together(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [*MORE_LINES, "长" * 5000, *MORE_LINES]
    expected = read(texts)
    monkeypatch.setattr(joint_sides, "TOGETHER", 50)
    for name, found in read(texts)._asdict().items():
        assert found.tolist() == getattr(expected, name).tolist()


def joined(texts: list[str]) -> list[list[list[int]]]:
    pages = [line_splits._Page(text) for text in texts]
    line_splits._join(pages)
    return [page.chains for page in pages]


@settings(max_examples=400, deadline=None)
@given(PAGES)
def test_many_pages_are_joined_as_one_by_one(texts: list[str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(line_splits, "MANY", 1 << 30)
        expected = joined(texts)
        patch.setattr(line_splits, "MANY", 0)
        assert joined(texts) == expected


def test_long_pages_are_joined_in_many_rounds_as_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    draw = Random(0)
    prose = "".join(article(draw, 8000)[1])
    ends = list(accumulate(draw.choices(range(8, 40), k=len(prose) // 24)))
    text = "\n".join([prose[begin:end] for begin, end in pairwise([0, *ends]) if begin < len(prose)])
    monkeypatch.setattr(line_splits, "MANY", 1 << 30)
    expected = joined([text, text])
    monkeypatch.setattr(line_splits, "MANY", 0)
    rounds = spy_on(monkeypatch, joint_rounds.Rounds, "likely")
    assert joined([text, text]) == expected
    assert len(rounds) > 3


def test_few_first_halves_are_asked_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = spy_on(monkeypatch, FirstHalves, "utilities")
    joined(["\n".join(LINES[:2])])
    assert asked
    asked.clear()
    joined(["\n".join(LINES[:2])] * line_splits.MANY)
    assert not asked


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(MORE_LINES), min_size=20, max_size=40))
def test_what_is_kept_between_rounds_is_what_would_be_found_anew(lines: list[str]) -> None:
    page = line_splits._Page("\n".join(lines))
    least = np.full(len(KINDS), -1e9)
    rounds = joint_rounds.Rounds([page])
    (likely,) = rounds.likely(least, line_splits.LOWEST)
    kept = page.join_likely(likely)
    if kept:
        rounds.go_on([page], [0], [kept])
        assert rounds.likely(least, -1e9) == joint_rounds.Rounds([page]).likely(least, -1e9)


def test_every_item_begins_as_items_do() -> None:
    starts = _first_character(parser.parse(hard_wraps.LIST_ITEM.pattern))
    assert starts is not None
    may_be = joint_sides._kinds() & joint_sides.MAY_BE_ITEM > 0
    assert all(may_be[code] for code in range(joint_sides.LAST_CODE) if starts.match(chr(code)))


@settings(max_examples=500, deadline=None)
@given(st.text(alphabet="的a \t\u3000.…-=|{};:/<>_*·", min_size=3, max_size=12).map(str.strip).filter(bool))
def test_every_odd_line_is_seen(text: str) -> None:
    if joints.is_odd(text):
        row = read([text])
        assert not row.can_begin[0]
        assert not row.can_go_on[0]


def test_pages_without_lines_between_are_kept_apart() -> None:
    first, second = LINES[0], LINES[1]
    found = joined([first, second, f"{first}\n{second}"] * line_splits.MANY)
    assert found[:3] == [[[0]], [[0]], [[0, 1]]]
    assert all(len(units(text)) == 1 for text in (first, second))
