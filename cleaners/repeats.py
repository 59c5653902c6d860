"""Repeats: which of many texts may hold something twice.

Few texts have paragraphs that `duplicates` must compare.  Looked at together, texts take half of the time that they
take one by one, most of which is numpy's for arrays of a few hundred numbers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import looks
from .copies import LONGEST_COMPARED, SHORTEST_EXACT, SHORTEST_FUZZY
from .duplicate_candidates import (
    COMPARED,
    FIRST,
    HEAD,
    NEWLINE,
    SHARED,
    SHORTEST_CLAUSE,
    SHORTEST_SENTENCE,
    UNSHARED,
    Seen,
    begin_alike,
    keys_of,
    previewed,
    repeated,
    slack_of,
)
from .looks import Look

LONGEST = 1 << 16
"""A longer text is looked at by itself, in characters."""

MOST = 1 << 17
"""So many characters, or a text more, are looked at together: what the processor's caches hold."""

MOST_SPACE = 8
"""Lines with more space at one end are looked at by themselves, in characters."""

MOST_PAIRS = 1 << 14
"""So many pairs of lines are compared together."""

HASH_BITS = 16

_END = np.array([NEWLINE], np.uint16)
_SPLITS = np.array([looks.SPLIT], np.uint16)

Places = NDArray[np.int64]


FEWEST = 8
"""Fewer texts are as fast one by one."""


def preview(texts: Sequence[str]) -> None:
    """Looks at many texts at once, before `candidates` is asked about each; those whose look is not remembered, and
    long ones, are left to it."""
    previewed.clear()
    if len(texts) >= FEWEST:
        for some in _batches(texts):
            previewed.update(_Lines(some).seen())


_One = tuple[str, Look]


def _batches(texts: Sequence[str]) -> Iterator[list[_One]]:
    batch: list[_One] = []
    size = 0
    for text in texts:
        look = looks.known(text) if len(text) <= LONGEST else None
        if look is None or not looks.are_characters(look, text):
            continue
        batch.append((text, look))
        size += len(text)
        if size > MOST:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


class _Repeated(NamedTuple):
    """Clauses that stand twice in a text: their text's number, their line's, their keys, where they begin and end."""

    texts: Places
    lines: Places
    keys: NDArray[np.uint64]
    starts: Places
    ends: Places


class _Lines:
    """The lines of some texts, behind each other.

    begins          where each text begins, and where the last one ends
    starts, ends    of the lines, without space around them
    breaks          where each line's break stands
    text_of         number of each line's text
    first_lines     number of each text's first line
    unclear         whether a line has more space than was looked at
    """

    def __init__(self, some: Sequence[_One]) -> None:
        self.some = some
        self.units = np.concatenate([units for _, look in some for units in (look.units, _END)])
        self.begins = np.cumsum([0, *(len(text) + 1 for text, _ in some)])
        breaks = (self.units == NEWLINE).nonzero()[0]
        self.ends = breaks.copy()
        self.starts = np.empty_like(breaks)
        self.starts[0], self.starts[1:] = 0, breaks[:-1] + 1
        counts = breaks.searchsorted(self.begins)
        self.first_lines = counts[:-1]
        self.text_of = np.repeat(np.arange(len(some)), counts[1:] - counts[:-1])
        self.breaks = breaks
        self.unclear = self._strip()
        self.sizes = self.ends - self.starts

    def _strip(self) -> NDArray[np.bool_]:
        leading: NDArray[np.bool_]
        trailing: NDArray[np.bool_]
        for _ in range(MOST_SPACE):
            leading = _is_space().take(self.units.take(self.starts)) & (self.starts < self.ends)
            trailing = _is_space().take(self.units.take(self.ends - 1)) & (self.starts < self.ends)
            if not (leading.any() or trailing.any()):
                break
            self.starts += leading
            self.ends -= trailing & (self.starts < self.ends)
        unclear: NDArray[np.bool_] = leading | trailing
        return unclear

    def seen(self) -> Iterator[tuple[str, Seen]]:
        """What is seen in each text that is not left to `candidates`."""
        unclear = set(self.text_of[self.unclear].tolist())
        near: dict[int, list[tuple[int, int]]] = defaultdict(list)
        for number, line, other in self._alike():
            near[number].append((line, other))
        twice = self._repeated()
        bounds = twice.texts.searchsorted(np.arange(len(self.some) + 1)).tolist()
        may_share = set(self._may_share(twice).tolist())
        for number, (text, _) in enumerate(self.some):
            if number in unclear:
                continue
            clauses: list[str] = []
            lines: list[int] = []
            if number in may_share:
                of, begin = slice(*bounds[number : number + 2]), self.begins[number]
                starts, ends = (twice.starts[of] - begin).tolist(), (twice.ends[of] - begin).tolist()
                clauses = [text[start:end] for start, end in zip(starts, ends, strict=True)]
                lines = (twice.lines[of] - self.first_lines[number]).tolist()
            yield text, Seen(clauses, list(map(len, clauses)), lines, sorted(near.get(number, ())))

    def _alike(self) -> Iterator[tuple[int, int, int]]:
        """Text, line and other line, by their numbers, of lines near each other that are alike."""
        lines, others = self._near()
        for start in range(0, len(lines), MOST_PAIRS):
            some = slice(start, start + MOST_PAIRS)
            alike = self._may_begin_alike(lines[some], others[some])
            for line, other in zip(lines[some][alike].tolist(), others[some][alike].tolist(), strict=True):
                if begin_alike(self._head(line), self._head(other)):
                    number = int(self.text_of[line])
                    first = int(self.first_lines[number])
                    yield number, line - first, other - first

    def _may_share(self, twice: _Repeated) -> Places:
        """Numbers of texts with lines that may share enough whole clauses."""
        texts, lines, keys, starts, ends = twice
        # what two lines share, or a line repeats, is no more than all clauses but the first of each
        first, sizes, count = np.unique(keys, return_index=True)[1], ends - starts, len(self.some)
        shared = np.bincount(texts, sizes, count) - np.bincount(texts[first], sizes[first], count)
        least = np.full(count, np.iinfo(np.int64).max)
        long = self.sizes[lines] >= SHORTEST_EXACT
        np.minimum.at(least, texts[long], self.sizes[lines[long]])
        is_enough = (shared >= SHORTEST_SENTENCE) | (shared >= SHARED * least)
        return (is_enough & (least < np.iinfo(np.int64).max)).nonzero()[0]

    def _repeated(self) -> _Repeated:
        splits = np.concatenate([kinds for _, look in self.some for kinds in (look.kinds, _SPLITS)]) & looks.SPLIT
        marks = (splits != 0).nonzero()[0]
        bounds = np.empty(len(marks) + 1, np.int64)
        bounds[0], bounds[1:] = -1, marks
        are_long = bounds[1:] - bounds[:-1] > SHORTEST_CLAUSE
        starts, ends = bounds[:-1][are_long] + 1, bounds[1:][are_long]
        counts = starts.searchsorted(self.begins)
        texts = np.repeat(np.arange(len(self.some)), counts[1:] - counts[:-1])
        keys = keys_of(self.units, starts, ends) ^ _of_text(texts)
        at = _repeated(keys)
        return _Repeated(texts[at], self.breaks.searchsorted(starts[at]), keys[at], starts[at], ends[at])

    def _near(self) -> tuple[Places, Places]:
        """Lines of nearly the same length that stand near each other: their numbers, and those of the others."""
        long = ((self.sizes >= SHORTEST_FUZZY) & (self.sizes <= LONGEST_COMPARED)).nonzero()[0]
        sizes, texts = self.sizes[long], self.text_of[long]
        lines, others = [long[:0]], [long[:0]]
        for distance in range(1, min(COMPARED + 1, len(long))):
            later, earlier = sizes[distance:], sizes[:-distance]
            near = (np.abs(later - earlier) <= slack_of(later)) & (texts[distance:] == texts[:-distance])
            lines.append(long[distance:][near])
            others.append(long[:-distance][near])
        return np.concatenate(lines), np.concatenate(others)

    def _may_begin_alike(self, lines: Places, others: Places) -> NDArray[np.bool_]:
        """False for pairs for which `begin_alike` is: of the first characters of one line, too few are among those of
        the other."""
        shared = np.zeros(len(lines), np.int64)
        head = self.units[self.starts[lines] + np.arange(FIRST)[:, None]]
        other = self.units[self.starts[others] + np.arange(FIRST + UNSHARED)[:, None]]
        for row in head:
            shared += (row == other).any(axis=0)
        return shared >= FIRST - UNSHARED

    def _head(self, line: int) -> str:
        number = int(self.text_of[line])
        start = int(self.starts[line] - self.begins[number])
        return self.some[number][0][start : start + min(HEAD, int(self.sizes[line]))]


def _repeated(keys: NDArray[np.uint64]) -> Places:
    """Indexes of the keys that are there twice; most are told by their hashes, which takes a fourth of the time."""
    hashes = (keys >> np.uint64(64 - HASH_BITS)).astype(np.int64)
    likely = (np.bincount(hashes, minlength=1 << HASH_BITS)[hashes] > 1).nonzero()[0]
    return likely[repeated(keys[likely])]


def _of_text(numbers: Places) -> NDArray[np.uint64]:
    """Keys that tell texts apart."""
    return (numbers.astype(np.uint64) + np.uint64(1)) * np.uint64(0xD6E8FEB86659FD93)  # odd: all are different


@cache
def _is_space() -> NDArray[np.bool_]:
    """Which units `str.strip` takes away."""
    return np.array([chr(unit).isspace() for unit in range(1 << 16)])
