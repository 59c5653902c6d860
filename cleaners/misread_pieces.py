"""Misread pieces: what stands in the place of misread characters, for many stretches of readings together.

Characters of which bytes were lost are chosen among those that fit, by their neighbours; then the stretches are cut
where old and new characters both begin.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import statistics
from .misread_units import LOST_CHAR, Marks, Places, score_of

MISSING_SCORE = -6.0  # for filling in a byte that left no trace
SURE = 0.85  # probability from which a filled-in character is taken


class Reading(NamedTuple):
    """A way to read units [at, at + length): text, its score, and the candidates if bytes were filled in. The text is
    one character, or a stretch of several that lost nothing: all of it ASCII, or none; empty in a step over many."""

    length: int
    text: str
    score: float
    candidates: tuple[str, ...] = ()


class Piece(NamedTuple):
    """line[start:end] was `text` before it was misread; `guessed` when a byte had to be filled in."""

    start: int
    end: int
    text: str
    guessed: bool


class Readings(NamedTuple):
    """The readings of stretches, one after another.

    heads    per stretch: its first reading
    before   per stretch: the character before it, or BOUNDARY
    after    per stretch: the one behind it
    firsts   per reading: its first unit
    sizes    per reading: its units
    texts    per reading; of those with several candidates any of these
    filled   the readings of which bytes were filled in, by their numbers
    """

    heads: Places
    before: Sequence[str]
    after: Sequence[str]
    firsts: Places
    sizes: Places
    texts: list[str]
    filled: Sequence[tuple[int, Reading]]


def of_ranges(heads: Places, tails: Places) -> Places:
    """The numbers of all ranges [head, tail), one after the other."""
    sizes = tails - heads
    behind = sizes.cumsum()
    found: Places = np.arange(int(behind[-1])) + (heads - behind + sizes).repeat(sizes)
    return found


def sums_before(of: NDArray[Any]) -> NDArray[Any]:
    """The sum of all before each place, and of all."""
    return np.append(np.zeros(1, of.dtype) if of.dtype != bool else 0, of.cumsum())


def text_of(points: NDArray[Any]) -> str:
    """The characters of code points."""
    return points.astype("<u4").tobytes().decode("utf-32-le", "surrogatepass")


def pieces(
    text: str, readings: Readings, chars: Places, is_first: Marks, origins: Places
) -> Iterator[tuple[int, Piece]]:
    """The pieces of the stretches, each with the number of its stretch: cut where old and new characters both begin,
    guessed characters apart from sure ones.

    text      in which the units stand
    chars     for each unit, and for the end of them: the place of its character
    is_first  the same: whether it is the character's first
    origins   per stretch: where its line begins in the text
    """
    texts, guessed = _chosen(readings)
    behind = readings.firsts + readings.sizes
    is_end = is_first[behind]
    is_head = np.zeros(len(texts), bool)
    is_head[readings.heads] = True
    # what is behind the last place of a stretch where both begin stays as it is
    begins = (is_head | np.append(True, is_end[:-1])).nonzero()[0]
    ends = np.append(begins[1:], len(texts)) - 1
    is_guess = np.logical_or.reduceat(guessed, begins)
    whole = is_end[ends]
    if not whole.any():
        return
    begins, ends, is_guess = begins[whole], ends[whole], is_guess[whole]
    is_new = is_head[begins] | np.append(True, is_guess[1:] != is_guess[:-1])
    starts, lasts = begins[is_new], ends[np.append(is_new[1:], True)]
    number = readings.heads.searchsorted(starts, "right") - 1
    begin, stop, origin = chars[readings.firsts[starts]], chars[behind[lasts] - 1] + 1, origins[number]
    found = (number, starts, lasts + 1, begin, stop, begin - origin, stop - origin, is_guess[is_new])
    for stretch, first, last, a, b, start, end, guess in zip(*[one.tolist() for one in found], strict=True):
        new = "".join(texts[first:last])
        if text[a:b] != new:
            yield stretch, Piece(start, end, new, guess)


# ---- what was lost -------------------------------------------------------------------------------------------


def _chosen(readings: Readings) -> tuple[list[str], Marks]:
    """The texts, and which of them are guesses. Among several candidates the neighbours decide; when none is likely
    enough, the character stays lost."""
    texts, guessed = list(readings.texts), np.zeros(len(readings.texts), bool)
    stretches = (readings.heads.searchsorted([i for i, _ in readings.filled], "right") - 1).tolist()
    heads = [*readings.heads.tolist(), len(texts)]
    open_places = set()
    # those whose left neighbour is known; then those whose left neighbour was lost, too, from left to right
    rounds: list[list[tuple[int, int, Reading]]] = []
    last, depth = -2, 0
    for (i, reading), stretch in zip(readings.filled, stretches, strict=True):
        if len(reading.candidates) == 1:
            guessed[i] = reading.score < score_of(reading.text) + MISSING_SCORE + 1
            continue
        depth = depth + 1 if last == i - 1 and heads[stretch] < i else 0
        last = i
        open_places.add(i)
        if depth == len(rounds):
            rounds.append([])
        rounds[depth].append((i, stretch, reading))
    for places in rounds:
        around = []
        for i, stretch, reading in places:
            before = texts[i - 1][-1] if heads[stretch] < i else readings.before[stretch]
            if i + 1 == heads[stretch + 1]:
                after = readings.after[stretch]
            else:
                after = "" if i + 1 in open_places else texts[i + 1][0]
            around.append((before, reading.candidates, after))
        for (i, _, reading), (choice, chance) in zip(places, _likeliest(around), strict=True):
            guessed[i] = chance >= SURE
            texts[i] = reading.candidates[choice] if chance >= SURE else LOST_CHAR
    return texts, guessed


def _likeliest(asked: Sequence[tuple[str, tuple[str, ...], str]]) -> Iterator[tuple[int, float]]:
    """For every (character before, candidates, character after, or none) the number of the likeliest candidate and
    P(candidate | neighbours)."""
    counts = [len(candidates) for _, candidates, _ in asked]
    around = [before + (after or statistics.BOUNDARY) for before, _, after in asked]
    points = statistics.codes("".join(around + [text[0] for _, candidates, _ in asked for text in candidates]))
    before, after = points[: 2 * len(asked)].reshape(-1, 2).repeat(counts, axis=0).T
    middle = points[2 * len(asked) :]
    behind, in_front = statistics.bigram_logprobs(np.array((before, middle)), np.array((middle, after)))
    is_known = np.array([after != "" for _, _, after in asked]).repeat(counts)
    logs = (behind + np.where(is_known, in_front, 0)).astype(float)
    starts: Places = np.cumsum(np.array(counts, np.int64)) - counts
    highest = np.maximum.reduceat(logs, starts)
    chances = 1 / np.add.reduceat(np.exp(logs - highest.repeat(counts)), starts)
    best = (logs == highest.repeat(counts)).nonzero()[0]
    firsts = best[best.searchsorted(starts)] - starts
    return zip(firsts.tolist(), chances.tolist(), strict=True)
