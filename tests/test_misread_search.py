"""The search of many lines together: what it finds, the search finds line by line."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from searching import searched

from cleaners import misread_search
from cleaners.misread_pieces import Reading
from cleaners.misread_search import are_together, best_repairs, most_gained
from cleaners.misread_units import BIG5, GB, LATIN, LOST, UTF8
from cleaners.misreadings import Asked, doubles, readings_at, readings_of, repair_of

SENTENCE = "渡口的老船工说，今年的鱼汛比往年早了半个月，镇上 3 家鱼行天不亮就点起了灯。学校门前的那条路也修好了，"
READ = {BIG5: "big5", GB: "gbk", LATIN: "cp1252"}
ODD = st.sampled_from([*"的了是 ?a1\ufffd\xa0€’é浣犲龘\ue0c7涔ÿ掛惆", "\u0394", "\U00020000", "ä½ ", "\ufffd" * 5])
LINES = st.tuples(
    st.integers(0, len(SENTENCE) - 5),
    st.integers(4, 60),
    st.lists(st.tuples(st.integers(0, 300), st.integers(0, 255)), max_size=6),  # other bytes
    st.lists(st.tuples(st.integers(0, 300), ODD), max_size=4),
    st.sampled_from([0, 0, 0, 7]),
)


def _misread(made: Any, written: str, read: str, errors: str) -> Asked:
    """A part of the sentence, misread after some bytes were lost or changed, with odd characters in between; some have
    a part that was not misread."""
    start, size, changes, odd, apart = made
    raw = bytearray((SENTENCE[start:] + SENTENCE)[:size].encode(written, "ignore"))
    for place, byte in changes:
        at = place % max(len(raw), 1)
        raw[at : at + 1] = b"" if byte < 0x80 and len(raw) > 1 else bytes([byte])
    chars = list(bytes(raw).decode(READ[read], errors))
    for place, char in odd:
        chars.insert(place % (len(chars) + 1), char)
    line = "".join(chars)
    middle = len(line) // 2
    parts = ((0, middle), (middle + apart, len(line))) if apart else ((0, len(line)),)
    return Asked(line, read, tuple([part for part in parts if part[0] < part[1]]))


@pytest.fixture
def together(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also a few lines are searched together."""
    monkeypatch.setattr(misread_search, "STEP_COST", {UTF8: 0.5, GB: 0.5, BIG5: 0.5})


CODECS = [(BIG5, GB), (BIG5, UTF8), (GB, UTF8), (GB, BIG5), (LATIN, UTF8), (LATIN, GB), (LATIN, BIG5)]


@pytest.mark.parametrize(("read", "written"), CODECS)
@pytest.mark.parametrize("errors", ["ignore", "replace"])
def test_the_same_as_the_search(read: str, written: str, errors: str, together: None) -> None:
    @settings(max_examples=15, deadline=None)
    @given(st.lists(LINES, min_size=1, max_size=6))
    def check(made: list[Any]) -> None:
        lines = [_misread(one, written, read, errors) for one in made]
        for line, found in zip(lines, best_repairs(lines, read), strict=True):
            expected = searched(line)
            assert (found and found[:3]) == (expected and expected[:3])
            assert not (found and expected) or found.gain == pytest.approx(expected.gain, rel=1e-6)

    check()


@pytest.mark.parametrize(("read", "written"), CODECS)
def test_no_repair_gains_more_than_is_told(read: str, written: str, together: None) -> None:
    @settings(max_examples=15, deadline=None)
    @given(st.lists(LINES, min_size=1, max_size=6))
    def check(made: list[Any]) -> None:
        lines = [_misread(one, written, read, "replace") for one in made]
        for repair, most in zip(best_repairs(lines, read), most_gained(lines, read), strict=True):
            assert not repair or repair.gain <= most + 1e-2

    check()


def test_lines_that_lost_bytes_are_searched_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise nothing would be gained, and no other test would tell."""
    lines = [_misread((i, 30, [(9, 0x81)], [], 0), GB, BIG5, "replace") for i in range(20)]
    expected = [repair_of(line, GB) for line in lines]
    monkeypatch.setattr(misread_search, "repair_of", None)
    found = best_repairs(lines, BIG5)
    assert [repair and repair.pieces for repair in found] == [repair and repair.pieces for repair in expected]
    assert None not in expected


@pytest.mark.parametrize("read", [LATIN, GB])
@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from([LOST, 0x20, 0x3F, 0x61, 0x81, 0x9D, 0xB8, 0xC3, 0xE4, 0xE9, 0xF0]), min_size=1))
def test_readings_depend_on_no_more_than_is_looked_up(read: str, units: list[int]) -> None:
    codes = np.array([misread_search.LOST_CODE if unit == LOST else unit for unit in units])
    known = misread_search._known_readings(read, UTF8)
    for at, row in enumerate(known.rows(misread_search._ahead(codes, np.array([len(codes)]))).tolist()):
        likeliest: dict[int, Reading] = {}
        is_short = not (0xE0 <= units[at] < 0xF0 or LOST in units[at : at + 2])  # no more than two units are read
        all_readings = readings_of(tuple(units[at : at + (2 if is_short else 9)]), read, UTF8)
        for reading in all_readings:
            if reading.length not in likeliest or reading.score > likeliest[reading.length].score:
                likeliest[reading.length] = reading
        lengths = [i + 1 for i, score in enumerate(known.scores[row]) if score > -np.inf]
        assert sorted(likeliest) == lengths
        for length, reading in likeliest.items():
            assert known.scores[row, length - 1] == pytest.approx(reading.score)
            assert known.points[row, length - 1] == ord(reading.text)
            assert not reading.candidates or known.reading(row, length) == reading
        assert readings_at(units, at, read) == all_readings


def test_a_line_that_is_far_longer_is_searched_alone() -> None:
    assert are_together([40] * 20 + [5_000, 30], GB).tolist() == [True] * 20 + [False, True]
    assert not are_together([40], GB).any()
    assert len(are_together([], GB)) == 0


@pytest.mark.parametrize("codec", [GB, BIG5])
def test_all_characters_of_two_bytes(codec: str) -> None:
    found = doubles(codec)
    for first in range(0x80, 0x100):
        for second in range(0x100):
            text = bytes((first, second)).decode(codec, "replace")
            expected = None if "\ufffd" in text else text
            assert found.get(first << 8 | second) == expected
