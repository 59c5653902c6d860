"""Duplicate candidates: which paragraphs of a text should be compared with each other.

The text is cut into clauses at punctuation, and clauses that occur twice are found by their hashes, vectorised, so
that clean text passes at memory speed. For every clause only three earlier places are looked at, and every paragraph
gets five others at most, so that the work grows in proportion to the text, also when all paragraphs are alike.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import LCSseq

from .copies import ALIKE, LONGEST_COMPARED, SHORTEST_EXACT, SHORTEST_FUZZY

SHORTEST_CLAUSE = 5  # UTF-16 code units; shorter clauses repeat in any text and prove nothing
SHORTEST_SENTENCE = 12  # letters; of a teaser
SHARED = 0.12  # part of the shorter paragraph that two of like length must share in whole clauses
SHARED_PART = 0.25  # the same if one is longer; a part loses no clauses but those at its ends
COMPARED = 5  # so many earlier paragraphs a paragraph is compared with, at most

HEAD = 64  # characters at the beginnings of lines that are compared: one machine word of rapidfuzz's bits

_CHUNK = 1 << 16  # UTF-16 code units that are hashed at once
_MULTIPLIER = 0x9E3779B97F4A7C15  # odd, so that it has an inverse modulo 2**64; 2**64 / golden ratio
_NEWLINE = 10
_SEPARATORS = "，。；：？！、“”‘’（）《》〈〉【】—…·「」『』,.;:?!()\"'[]<>~|/ \u3000\u00a0\t\r\n"

Pairs = dict[int, dict[int, int]]
"""Line number -> {number of another line: characters in clauses that both have}, most first; a line is among its
own when clauses repeat inside it."""


def candidates(text: str) -> tuple[list[str], Pairs, Pairs]:
    """The text's lines without space around them, which of them should be compared, and which share sentences, both
    ways round.  Blank lines are never compared."""
    lines = list(map(str.strip, text.split("\n")))
    found: Pairs = {}
    partners: Pairs = {}
    for line, shared in _sharing(clauses(text)):
        mine = len(lines[line])
        if mine < SHORTEST_EXACT:
            continue
        likely: list[tuple[int, int]] = []
        for other, size in shared.items():
            if size >= SHORTEST_SENTENCE and line != other:
                partners.setdefault(line, {})[other] = size
                partners.setdefault(other, {})[line] = size
            if _is_likely(size, mine, len(lines[other])):
                likely.append((-size, -other))  # of equal ones the nearest
        if likely:
            found[line] = {-other: -size for size, other in sorted(likely)[:COMPARED]}
    for line, other in _near_and_alike(lines):
        others = found.setdefault(line, {})
        if len(others) < COMPARED:
            others.setdefault(other, len(lines[line]))
    return lines, found, partners


def _sharing(of: Clauses) -> Iterator[tuple[int, dict[int, int]]]:
    """(line, {line before it: letters in clauses that both have}), in the order of the text.

    For each clause only the first and the last two of the lines before are looked at.
    """
    hashes = of.hashes
    ordered = hashes.copy()
    ordered.sort()
    repeated = ordered[1:][ordered[1:] == ordered[:-1]]
    if not len(repeated):
        return
    at = (repeated.take(repeated.searchsorted(hashes), mode="clip") == hashes).nonzero()[0]
    starts = of.starts[at]
    numbers, lengths = of.newlines.searchsorted(starts), of.ends[at] - starts
    places: dict[int, list[int]] = {}
    current, shared = -1, dict[int, int]()
    for key, line, size in zip(hashes[at].tolist(), numbers.tolist(), lengths.tolist(), strict=True):
        if line != current:
            if shared:
                yield current, shared
            current, shared = line, {}
        known = places.get(key)
        if known is None:
            places[key] = [line]
            continue
        for other in known:
            shared[other] = shared.get(other, 0) + size
        if known[-1] != line:
            if len(known) == 3:
                del known[1]
            known.append(line)
    if shared:
        yield current, shared


def _is_likely(shared: int, mine: int, other: int) -> bool:
    """True if lines of these lengths that share so many characters in clauses should be compared."""
    small, large = (mine, other) if mine <= other else (other, mine)
    if small < SHORTEST_EXACT:
        return False
    share = SHARED if large <= 1.2 * small else SHARED_PART
    return shared >= SHORTEST_EXACT or shared >= share * small


def _near_and_alike(lines: Sequence[str]) -> Iterator[tuple[int, int]]:
    """(line, one of the five paragraphs before it) where both have nearly the same length and begin alike: damage
    can leave no clause whole."""
    before: list[tuple[int, int, str]] = []  # the last five long lines: number, length, beginning
    for number, size in enumerate(map(len, lines)):
        if size < SHORTEST_FUZZY or size > LONGEST_COMPARED:
            continue
        slack = size // 25 + 2
        least, most = size - slack, size + slack
        head = lines[number][:HEAD]
        for other_number, other_size, other in before:
            if least <= other_size <= most and _begin_alike(head, other):
                yield number, other_number
        before.append((number, size, head))
        if len(before) > COMPARED:
            del before[0]


def _begin_alike(head: str, other: str) -> bool:
    """True if `fuzz.ratio` of both is at least ALIKE: the same arithmetic, in half of the time."""
    return 200 * LCSseq.similarity(head, other) >= ALIKE * (len(head) + len(other))


class Clauses(NamedTuple):
    """The clauses of a text, in its order; places are in UTF-16 units.

    hashes         of each clause
    starts, ends   of each clause
    newlines       places of the line breaks
    """

    hashes: NDArray[np.uint64]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    newlines: NDArray[np.int64]


def clauses(text: str) -> Clauses:
    """The clauses of a text that are long enough to prove something.

    The hash of c0 c1 c2 … is the sum of ci * m**i modulo 2**64: differences of one cumulated sum, divided by
    the power of the clause's start. Chance hits cost a comparison, no more.
    """
    separator, powers, inverses = _tables()
    parts: list[Clauses] = []
    units = np.frombuffer(text.encode("utf-16-le", "surrogatepass"), np.uint16)
    begin = 0
    while begin < len(units):
        chunk = units[begin : begin + _CHUNK]
        marks = separator.take(chunk).nonzero()[0]
        if begin + len(chunk) < len(units) and len(marks):
            chunk = chunk[: marks[-1] + 1]  # the clause that the chunk's end cuts belongs to the next chunk
        bounds = np.empty(len(marks) + 2, np.int64)  # of each clause the place before it, and the one behind it
        bounds[0], bounds[1:-1], bounds[-1] = -1, marks, len(chunk)
        long_enough = (bounds[1:] - bounds[:-1] > SHORTEST_CLAUSE).nonzero()[0]
        starts, ends = bounds[long_enough] + 1, bounds[long_enough + 1]
        sums = np.zeros(len(chunk) + 1, np.uint64)
        np.multiply(chunk, powers[: len(chunk)], out=sums[1:])
        np.add.accumulate(sums, out=sums)
        hashes = (sums[ends] - sums[starts]) * inverses[starts]
        newlines = marks[chunk[marks] == _NEWLINE]
        if begin:
            starts, ends, newlines = starts + begin, ends + begin, newlines + begin
        parts.append(Clauses(hashes, starts, ends, newlines))
        begin += len(chunk)
    if len(parts) == 1:
        return parts[0]
    none = np.empty(0, np.int64)
    parts = parts or [Clauses(none.astype(np.uint64), none, none, none)]
    return Clauses(*(np.concatenate(column) for column in zip(*parts, strict=True)))


@cache
def _tables() -> tuple[NDArray[np.bool_], NDArray[np.uint64], NDArray[np.uint64]]:
    """Which code units separate clauses; the powers of the multiplier; the inverses of these powers."""
    separator = np.zeros(1 << 16, np.bool_)
    separator[[ord(mark) for mark in _SEPARATORS]] = True
    return separator, _powers(_MULTIPLIER), _powers(pow(_MULTIPLIER, -1, 1 << 64))


def _powers(base: int) -> NDArray[np.uint64]:
    factors = np.full(_CHUNK + 1, base, np.uint64)
    factors[0] = 1
    return np.multiply.accumulate(factors)
