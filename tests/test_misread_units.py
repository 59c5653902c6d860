"""Runs of whole characters: what the search goes over in one step, it would have found unit by unit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from searching import best_repair

from cleaners import misread_units, misreadings, statistics
from cleaners.misread_units import GB, LATIN, LATIN_SCORE, LOST_CHAR, UTF8, bytes_of, new_scores, segments
from cleaners.misreadings import Asked, Repair

SENTENCE = "县里的老街修好以后，来往的客人比去年多了三成，街边的茶馆里又坐满了人。编号 A-17 的院子还没有动工，"
ODD = st.sampled_from([*"的了是 ?a1\ufffd\xa0€’é浣犲龘", "\u0394", "\U00020000", "ä½ "])


def _repaired(line: str, read: str) -> Repair | None:
    return best_repair(Asked(line, read, ((0, len(line)),)))


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from([LATIN, GB]),
    st.integers(0, len(SENTENCE) - 12),
    st.lists(st.tuples(st.integers(0, 300), ODD), max_size=12),
)
def test_runs_change_nothing(read: str, start: int, odd: list[tuple[int, str]]) -> None:
    """The same repair with and without runs."""
    chars = list((SENTENCE[start:] * 2).encode(UTF8).decode(read, "replace" if read == GB else "ignore"))
    for place, char in odd:
        chars.insert(place % (len(chars) + 1), char)
    line = "".join(chars)
    found = _repaired(line, read)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(misreadings, "FEWEST_UNITS", 10**9)
        expected = _repaired(line, read)
    assert (found and found.pieces) == (expected and expected.pieces)


@pytest.mark.parametrize("read", [LATIN, GB])
def test_most_units_are_in_steps(read: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise nothing would be gained, and no other test would tell."""
    stepped: list[int] = []
    step = misreadings._step

    def noted(kept: Any, taken: Any, runs: Any, at: int, end: int) -> None:
        stepped.append(end - at)
        step(kept, taken, runs, at, end)

    monkeypatch.setattr(misreadings, "_step", noted)
    line = (SENTENCE * 3).encode(UTF8).decode(read, "replace" if read == GB else "ignore") + LOST_CHAR
    assert _repaired(line, read) is not None
    assert sum(stepped) > 0.5 * 3 * len(SENTENCE.encode(UTF8))


def test_what_stays_in_three_latin_letters_is_never_likelier() -> None:
    """What lets a run of misread Latin letters be gone over without a test."""
    scores = np.delete(new_scores(LATIN), ord(LOST_CHAR))
    assert scores.min() > 3 * LATIN_SCORE


@settings(max_examples=60, deadline=None)
@given(st.sampled_from([LATIN, GB, misread_units.BIG5]), st.lists(st.one_of(ODD, st.characters()), max_size=40))
def test_units_are_the_bytes_of_the_characters(read: str, chars: list[str]) -> None:
    line = "".join(chars)
    for units in segments(line, read, (0, len(line)), 2):
        first, last = units.chars[0], units.chars[-1]
        raw = [bytes_of(char, read) for char in line[first : last + 1]]
        assert units.bytes == [byte for one in raw for byte in one or ("none",)]
        assert units.array.tolist() == units.bytes
        assert [units.chars[i] for i in range(units.size) if units.firsts[i]] == list(range(first, last + 1))
        kept = misread_units.kept_scores(read)[statistics.codes(line[first : last + 1])]
        assert sum(units.stay) == pytest.approx(float(kept.sum(dtype=float)))
