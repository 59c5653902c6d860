"""What lost nothing: repaired without a search, many lines together as each alone."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleaners.misread_strict import common_ends, strict_repairs
from cleaners.misread_units import BIG5, GB, LATIN, UTF8
from cleaners.misreadings import Asked

SENTENCE = "山坡上的茶园一直连到河边，采茶的人天亮就出门，中午在树下歇一歇，傍晚才背着竹筐回村。"


def _asked(line: str, read: str) -> Asked:
    return Asked(line, read, ((0, len(line)),))


@pytest.mark.parametrize(
    ("written", "read"), [(UTF8, LATIN), (GB, LATIN), (BIG5, LATIN), (UTF8, GB), (BIG5, GB), (GB, BIG5)]
)
def test_all_of_a_line(written: str, read: str) -> None:
    good = SENTENCE.encode(BIG5, "ignore").decode(BIG5)  # what Big5 has
    raw = good.encode(written)
    line = "".join([bytes([byte]).decode(LATIN, "ignore") or chr(byte) for byte in raw])
    line = line if read == LATIN else raw.decode(read, "ignore")
    if read != LATIN and line.encode(read) != raw:
        good, line = good[:6], raw[: len(good[:6].encode(written))].decode(read, "ignore")
    [repair] = strict_repairs([_asked(line, read)], read)
    assert repair
    assert repair.written == written
    [piece] = repair.pieces
    assert line[: piece.start] + piece.text + line[piece.end :] == good
    assert not piece.guessed


def test_all_stretches_of_latin_letters_or_none() -> None:
    bad = SENTENCE.encode().decode("latin-1")
    [both, one] = strict_repairs([_asked(f"甲{bad}乙{bad}丙", LATIN), _asked(f"甲{bad}乙éàüö丙", LATIN)], LATIN)
    assert both
    assert [piece.text for piece in both.pieces] == [SENTENCE, SENTENCE]
    assert one is None


@pytest.mark.parametrize("bad", ["\ufffd", "龘靐齉", "𠀀", "abc"])
def test_other_parts_are_not_repaired(bad: str) -> None:
    line = SENTENCE[1:17].encode().decode(GB) + bad
    parts = ((0, len(line) - len(bad)), (len(line) - len(bad), len(line)))
    found = strict_repairs([Asked(line, GB, parts)], GB)[0]
    assert (found is not None) == bad.isascii()


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from([LATIN, GB, BIG5]),
    st.lists(st.tuples(st.integers(0, 30), st.integers(0, 12), st.sampled_from([UTF8, GB, BIG5])), max_size=8),
)
def test_many_lines_as_each_alone(read: str, made: list[tuple[int, int, str]]) -> None:
    texts = [SENTENCE[start : start + size].encode(written, "ignore") for start, size, written in made]
    asked = [_asked(raw.decode(read, "replace"), read) for raw in texts]
    assert strict_repairs(asked, read) == [strict_repairs([one], read)[0] for one in asked]


def test_common_ends_do_not_overlap() -> None:
    assert common_ends("甲乙甲", "甲甲") == (1, 1)
    assert common_ends("甲甲甲", "甲甲") == (2, 0)
    assert common_ends("", "甲") == (0, 0)
