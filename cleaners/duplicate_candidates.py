"""Duplicate candidates: which paragraphs of a text should be compared with each other.

The text is cut into clauses at punctuation, and clauses that occur twice are found by their ends, vectorised, so that
clean text passes at memory speed. For every clause only three earlier places are looked at, and every paragraph
gets five others at most, so that the work grows in proportion to the text, also when all paragraphs are alike.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterator, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import LCSseq

from . import looks
from .copies import ALIKE, LONGEST_COMPARED, SHORTEST_EXACT, SHORTEST_FUZZY

SHORTEST_CLAUSE = 5  # UTF-16 code units; shorter clauses repeat in any text and prove nothing
SHORTEST_SENTENCE = 12  # letters; of a teaser
SHARED = 0.12  # part of the shorter paragraph that two of like length must share in whole clauses
SHARED_PART = 0.25  # the same if one is longer; a part loses no clauses but those at its ends
COMPARED = 5  # so many earlier paragraphs a paragraph is compared with, at most

HEAD = 64  # characters at the beginnings of lines that are compared: one machine word of rapidfuzz's bits
FIRST = 20  # characters of a head that are looked at first

_CHUNK = 1 << 16  # UTF-16 code units that are looked at together
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)  # 2**64 / golden ratio, which spreads keys evenly
_KEY = 4  # code units at either end of a clause
NEWLINE = 10
SEPARATORS = "，。；：？！、“”‘’（）《》〈〉【】—…·「」『』,.;:?!()\"'[]<>~|/ \u3000\u00a0\t\r\n"

_shared = LCSseq.similarity  # how many characters both have, in the same order

Pairs = dict[int, dict[int, int]]
"""Line number -> {number of another line: characters in clauses that both have}, most first; a line is among its
own when clauses repeat inside it."""


class Seen(NamedTuple):
    """What `repeats` saw in a text: clauses that begin and end as others do, their sizes and the numbers of their
    lines, and which lines near each other are alike, as `near_and_alike` has it."""

    clauses: list[str]
    sizes: list[int]
    lines: list[int]
    near: list[tuple[int, int]]


previewed: dict[str, Seen] = {}
"""What `repeats` saw in texts that are asked about next."""


def candidates(text: str) -> tuple[list[str], Pairs, Pairs]:
    """The text's lines without space around them, which of them should be compared, and which share sentences, both
    ways round.  Blank lines are never compared."""
    seen = previewed.get(text)
    if seen is not None and not seen.clauses and not seen.near:
        return [], {}, {}
    lines = list(map(str.strip, text.split("\n")))
    found: Pairs = {}
    partners: Pairs = {}
    for line, shared in _sharing(clauses(text)) if seen is None else _sharing_of(seen.clauses, seen.sizes, seen.lines):
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
    for line, other in near_and_alike(lines) if seen is None else seen.near:
        others = found.setdefault(line, {})
        if len(others) < COMPARED:
            others.setdefault(other, len(lines[line]))
    return lines, found, partners


def _sharing(of: Clauses) -> Iterator[tuple[int, dict[int, int]]]:
    """(line, {line before it: letters in clauses that both have}), in the order of the text.

    For each clause only the first and the last two of the lines before are looked at.
    """
    at = _ends_of_others(of)
    if not len(at):
        return
    starts, ends = of.starts[at], of.ends[at]
    numbers = (of.units == NEWLINE).nonzero()[0].searchsorted(starts)
    clauses = [of.units[start:end].tobytes() for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]
    yield from _sharing_of(clauses, (ends - starts).tolist(), numbers.tolist())


def _sharing_of(
    clauses: Sequence[Hashable], sizes: Sequence[int], lines: Sequence[int]
) -> Iterator[tuple[int, dict[int, int]]]:
    """The same, of these clauses, their sizes and the numbers of their lines."""
    places: dict[Hashable, list[int]] = {}
    current, shared = -1, dict[int, int]()
    for clause, size, line in zip(clauses, sizes, lines, strict=True):
        if line != current:
            if shared:
                yield current, shared
            current, shared = line, {}
        known = places.get(clause)
        if known is None:
            places[clause] = [line]
            continue
        for other in known:
            shared[other] = shared.get(other, 0) + size
        if known[-1] != line:
            if len(known) == 3:
                del known[1]
            known.append(line)
    if shared:
        yield current, shared


def _ends_of_others(of: Clauses) -> NDArray[np.int64]:
    """Indexes of the clauses that begin and end as others do: most of these are the same."""
    return repeated(keys_of(of.units, of.starts, of.ends)) if len(of.starts) else of.starts


def keys_of(units: NDArray[np.uint16], starts: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.uint64]:
    """A key for each clause, of its beginning and its end."""
    fours = np.ndarray((len(units) - _KEY + 1,), np.uint64, units, strides=(2,))  # _KEY units from each place on
    keys: NDArray[np.uint64] = fours[starts] * _MULTIPLIER + fours[ends - _KEY]
    return keys


def repeated(keys: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Indexes of the keys that are there twice."""
    ordered = keys.copy()
    ordered.sort()
    twice = ordered[1:][ordered[1:] == ordered[:-1]]
    if not len(twice):
        return np.empty(0, np.int64)
    known: NDArray[np.bool_] = twice.take(twice.searchsorted(keys), mode="clip") == keys
    return known.nonzero()[0]


def _is_likely(shared: int, mine: int, other: int) -> bool:
    """True if lines of these lengths that share so many characters in clauses should be compared."""
    small, large = (mine, other) if mine <= other else (other, mine)
    if small < SHORTEST_EXACT:
        return False
    share = SHARED if large <= 1.2 * small else SHARED_PART
    return shared >= SHORTEST_EXACT or shared >= share * small


def near_and_alike(lines: Sequence[str]) -> Iterator[tuple[int, int]]:
    """(line, one of the five paragraphs before it) where both have nearly the same length and begin alike: damage
    can leave no clause whole."""
    before: deque[tuple[int, int]] = deque(maxlen=COMPARED)  # the last long lines: number, length
    for number, size in enumerate(map(len, lines)):
        if SHORTEST_FUZZY <= size <= LONGEST_COMPARED:
            slack = slack_of(size)
            least, most = size - slack, size + slack
            for other, other_size in before:
                if least <= other_size <= most and begin_alike(lines[number], lines[other]):
                    yield number, other
            before.append((number, size))


def slack_of(size: int) -> int:
    """By how much nearly the same lengths differ at most."""
    return size // 25 + 2


UNSHARED = int(HEAD - ALIKE / 200 * (2 * HEAD - slack_of(HEAD)))
"""So many characters of a head are not shared by one that is alike, at most: when it is HEAD long, and the other one as
short as it may be."""


def begin_alike(line: str, other: str) -> bool:
    """True if `fuzz.ratio` of both lines' heads is at least ALIKE, for lines of nearly the same length: the same
    arithmetic, in less than half of the time.  All but UNSHARED of the first characters of one head stand among the
    first of the other one, then, with at most UNSHARED between them: most lines fail here."""
    if _shared(line[:FIRST], other[: FIRST + UNSHARED]) < FIRST - UNSHARED:
        return False
    head, other = line[:HEAD], other[:HEAD]
    return 200 * _shared(head, other) >= ALIKE * (len(head) + len(other))


class Clauses(NamedTuple):
    """The clauses of a text that are long enough to prove something, in its order.

    units          the text in UTF-16
    starts, ends   of each clause, in units
    """

    units: NDArray[np.uint16]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]


def clauses(text: str) -> Clauses:
    """The clauses of a text that are long enough to prove something."""
    look = looks.known(text)
    if look is not None and len(look.units) <= _CHUNK:
        return Clauses(look.units, *_long_enough(looks.places(look, looks.SPLIT), len(look.units)))
    units = np.frombuffer(text.encode("utf-16-le", "surrogatepass"), np.uint16)
    starts, ends = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    begin = 0
    while begin < len(units):
        chunk = units[begin : begin + _CHUNK]
        marks = _separators().take(chunk).nonzero()[0]
        if begin + len(chunk) < len(units) and len(marks):
            chunk = chunk[: marks[-1] + 1]  # the clause that the chunk's end cuts belongs to the next chunk
        first, behind = _long_enough(marks, len(chunk))
        starts.append(first + begin)
        ends.append(behind + begin)
        begin += len(chunk)
    return Clauses(units, np.concatenate(starts), np.concatenate(ends))


def _long_enough(marks: NDArray[np.intp], size: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where those of the clauses begin and end that are long enough.  marks: places between clauses in so many units"""
    bounds = np.empty(len(marks) + 2, np.int64)  # of each clause the place before it, and the one behind it
    bounds[0], bounds[1:-1], bounds[-1] = -1, marks, size
    are_long = bounds[1:] - bounds[:-1] > SHORTEST_CLAUSE
    return bounds[:-1][are_long] + 1, bounds[1:][are_long]


@cache
def _separators() -> NDArray[np.bool_]:
    """Which code units separate clauses."""
    separator = np.zeros(1 << 16, np.bool_)
    separator[[ord(mark) for mark in SEPARATORS]] = True
    return separator
