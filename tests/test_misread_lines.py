"""Misread lines: what is found for all lines of a document together, the search finds line by line."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from searching import best_repair
from spying import spy_on

from cleaners import misread_lines, misread_search
from cleaners.misread_lines import Search, best_repairs
from cleaners.misread_units import BIG5, GB, LATIN, UTF8
from cleaners.misreadings import Asked

SENTENCE = "县里的老街修好以后，来往的客人比去年多了三成，街边的茶馆里又坐满了人。编号 A-17 的院子还没有动工，"
ODD = st.sampled_from([*"的了是 ?a1,\ufffd\xa0€’é浣犲龘\ue0c7涔", "\u0394", "\U00020000", "ä½ ", "\ufffd" * 5])
LINES = st.tuples(
    st.integers(0, len(SENTENCE) - 5),
    st.integers(4, 80),
    st.lists(st.tuples(st.integers(0, 300), st.integers(0, 255)), max_size=6),  # other bytes
    st.lists(st.tuples(st.integers(0, 300), ODD), max_size=4),
)


def _misread(made: Any, read: str, errors: str) -> str:
    """A part of the sentence, misread after some bytes were lost or changed, with odd characters in between."""
    start, size, changes, odd = made
    raw = bytearray((SENTENCE[start:] + SENTENCE)[:size].encode())
    for place, byte in changes:
        at = place % len(raw)
        raw[at : at + 1] = b"" if byte < 0x80 and len(raw) > 1 else bytes([byte])
    chars = list(bytes(raw).decode(read, errors))
    for place, char in odd:
        chars.insert(place % (len(chars) + 1), char)
    return "".join(chars)


@settings(max_examples=80, deadline=None)
@given(st.sampled_from([LATIN, GB]), st.sampled_from(["ignore", "replace"]), st.lists(LINES, min_size=1, max_size=6))
def test_the_same_as_the_search(read: str, errors: str, made: list[Any]) -> None:
    lines = [_misread(one, read, errors) for one in made]
    asked = [Asked(line, read, ((0, len(line)),)) for line in lines]
    for found, expected in zip(best_repairs(asked), map(best_repair, asked), strict=True):
        assert (found and found[:3]) == (expected and expected[:3])
        assert not (found and expected) or found.gain == pytest.approx(expected.gain, rel=1e-4)


@pytest.mark.parametrize("read", [LATIN, GB])
def test_lines_that_lost_bytes_are_not_searched(read: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise nothing would be gained, and no other test would tell."""
    lines = [f"{SENTENCE[i:]}，{SENTENCE[:i]}" for i in range(0, 20, 4)]
    misread = [line.encode(UTF8).decode(read, "replace" if read == GB else "ignore") for line in lines]
    asked = [Asked(line, read, ((0, len(line)),)) for line in misread]
    expected = [best_repair(one) for one in asked]
    monkeypatch.setattr(misread_search, "best_repairs", None)
    assert [repair and repair.pieces for repair in best_repairs(asked)] == [one and one.pieces for one in expected]
    assert None not in expected


def test_a_way_as_likely_is_left_to_the_search() -> None:
    """The last character of the line, of which bytes are missing, may as well stay."""
    line = "绗\ue100崄涓夎\ue757褰㈠紡涔."
    asked = Asked(line, GB, ((0, len(line)),))
    assert best_repairs([asked]) == [best_repair(asked)]
    assert not list(misread_lines._repairs([misread_lines._line(0, asked)], GB))  # type: ignore[list-item]


def test_a_document_is_not_searched_in_vain_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    searched = spy_on(monkeypatch, misread_search, "best_repairs")
    misread_lines._known.cache_clear()
    monkeypatch.setattr(misread_lines, "MOST_FRUITLESS", 100)
    lines = [f"{chr(0x7280 + number)}鞻龘靐齉爩龗灪{chr(0x9F00 + number)}麤" for number in range(50)]
    assert best_repairs([Asked(line, BIG5, ((0, len(line)),)) for line in lines]) == [None] * 50
    assert len({one.line for asked, _ in searched for one in asked}) == 10


def test_what_was_found_lets_the_search_go_on() -> None:
    lines = [
        f"{number}年的江东下了一场大雨，路上没有人".encode().decode("gbk", "replace") for number in range(1900, 1960)
    ]
    search = Search()
    repairs = search.repairs([Asked(line, GB, ((0, len(line)),)) for line in lines])
    assert all(repairs)
    assert search._left > misread_lines.MOST_FRUITLESS


def test_what_lost_nothing_is_repaired_when_the_search_has_ended() -> None:
    search = Search()
    search._left = -1000
    line = "江东下了一场大雨，路上没有行人".encode().decode("latin-1")
    assert best_repairs([Asked(line, LATIN, ((0, len(line)),))], search)[0]


def test_a_document_that_is_repaired_is_searched_on(monkeypatch: pytest.MonkeyPatch) -> None:
    searched = spy_on(monkeypatch, misread_search, "best_repairs")
    misread_lines._known.cache_clear()
    monkeypatch.setattr(misread_lines, "MOST_FRUITLESS", 100)
    vain = [f"{chr(0x7280 + number)}鞻龘靐齉爩龗灪{chr(0x9F00 + number)}麤" for number in range(50)]
    sound = "一条公路盘活了五个村庄，桥头的老人看着河水慢慢流过。".encode().decode("cp1252", "surrogateescape")
    good = "".join(char if char < "\ud800" else chr(ord(char) - 0xDC00) for char in sound)
    asked = [Asked(line, BIG5, ((0, len(line)),)) for line in vain]
    asked += [Asked(good, LATIN, ((0, len(good)),))] * 10
    found = best_repairs(asked)
    assert all(found[50:])
    assert len({one.line for some, _ in searched for one in some} & set(vain)) > 10
