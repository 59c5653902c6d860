"""Kinds of characters: what a look at a text rules out is what a search would not have found."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleaners import PIPELINE, Cleaner, Config, Draft, clean, kinds, misread_signs, mojibake, names, script, structure

PIECES = (
    *(
        "今天",
        "銀行",
        "“”",
        "“好”",
        "《》",
        "‘’",
        "「」",
        "（一）",
        "[",
        "\n",
        "锟斤拷",
        "烫烫烫",
        "烫",
        "屯田",
        "\ufffd",
        "\ue000",
    ),
    *(
        "喃喃",
        "喃好喃",
        "喃😀喃",
        "喃好好喃",
        "😀",
        "\U000f0000",
        "\ud83d",
        "\r\n",
        "\xa0",
        "ﬁ",
        "\u2f3e",
        "a/b",
        "<p>好</p>",
        "１",
    ),
    "<html><body><p>今天天气很好。</p></body></html>",
    "MIME-Version: 1.0\nContent-Type: multipart/related; boundary=x\n\n--x",
)
TEXTS = st.lists(st.sampled_from(PIECES) | st.text(max_size=4), max_size=8).map("".join)
NEEDY = [cleaner for cleaner in PIPELINE if cleaner.needs]


@pytest.mark.parametrize("cleaner", NEEDY, ids=[cleaner.name for cleaner in NEEDY])
@given(text=TEXTS)
@settings(max_examples=300, deadline=None)
def test_a_cleaner_finds_nothing_in_a_text_without_what_it_needs(cleaner: Cleaner, text: str) -> None:
    if not kinds.held(text) & cleaner.needs:
        assert list(cleaner.propose(text, Config())) == []


def test_texts_are_tried_with_and_without_what_is_needed() -> None:
    assert {cleaner.name for cleaner in NEEDY} == {"mhtml", "extraction", "mojibake", "characters"}
    for cleaner in NEEDY:
        has = {bool(kinds.held(piece) & cleaner.needs) for piece in PIECES}
        assert has == {True, False}


@given(TEXTS)
def test_a_look_finds_what_searches_find(text: str) -> None:
    seen = kinds.look(text)
    assert kinds.held(text) & (kinds.PAIR - 1) & ~kinds.ESCAPE == seen.held & ~kinds.ESCAPE
    assert bool(kinds.held(text) & kinds.PAIR) == kinds.has_signs_together(seen)
    assert kinds.marks(seen) == "".join(re.findall(f"[{re.escape(kinds.MARKS)}]", text))
    assert script.judged(seen.kinds) == script.detect(text)
    assert seen.held & kinds.LOST or not mojibake.LOSS_OR_KUN.search(text)
    assert kinds.has_signs_together(seen) or not mojibake._close().search(text)
    assert kinds.has_signs_together(seen) or not misread_signs.pairs().search(text)


@given(TEXTS)
@settings(deadline=None)
def test_what_is_not_there_is_not_looked_for(text: str) -> None:
    seen = kinds.look(text)
    found = list(mojibake.residue(text, bool(seen.held & kinds.LOST), kinds.has_signs_together(seen)))
    assert found == list(mojibake.residue(text))


def test_a_long_text_is_looked_at_in_parts() -> None:
    plain = "好" * (kinds._CHUNK - 1)
    assert not kinds.held(plain) & kinds.ANGLE
    assert kinds.held(plain + "好<") & kinds.ANGLE
    assert kinds.held("<" + plain + "好") & kinds.ANGLE


def test_what_an_edit_brings_is_known() -> None:
    draft = Draft(b"&lt;p&gt;", "a.txt", Config())
    before = draft._held()
    draft.advance(next(one for one in PIPELINE if one.name == "mojibake"), Config())
    assert draft.text == "<p>"
    assert draft._held() & kinds.ANGLE
    assert not before & kinds.ANGLE


NAMES = (
    "张三",
    "李四",
    "周一鸣",
    "江东大学",
    "本报评论员",
    "编辑部",
    "宣传部",
    "蒙组宣",
    "和",
    " ",
    "\u3000",
    "、",
    "，",
    "/",
    "（",
    "）",
    "(",
    ")",
    "记者",
)


@given(st.lists(st.sampled_from(NAMES), max_size=6).map("".join))
def test_only_what_stands_apart_is_a_bare_byline(text: str) -> None:
    if len(text) > structure.LONGEST_ORGANISATION and not structure._PARTS_NAMES.search(text):
        found = names.authors(text)
        assert "".join(found) != text or max(map(len, found)) > 4 + 2 * (len(found) == 1)


def test_empty_quotes_are_flagged() -> None:
    for pair in ("“”", "《》", "‘’", "「」", "『』"):
        found = clean(f"他说{pair}是一个很好的地方，我们都去过那里。\n".encode()).flags
        assert [(flag.kind, flag.end - flag.start) for flag in found] == [("lost_characters", 2)]
