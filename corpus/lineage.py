"""Lineage: from a span of clean text to the characters and bytes of its seed, and back.

lineage = Lineage(version.document("a.txt"))
span = lineage.seed_span(0, 20)                 # of the clean text's first 20 characters
raw[span.byte_start : span.byte_end]            # the bytes that they were made of
lineage.text_span(span.start, span.end)         # what became of these characters of the seed
lineage.text_span_of_bytes(120, 180)            # what became of these bytes
[edit.rule for _, edit in lineage.edits(0, 20)] # the rules that had a part in them
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cleaners import Document, Edit, Pass
from cleaners.edits import Positions

Places = npt.NDArray[np.int64]


class SeedSpan(NamedTuple):
    """A stretch of a seed.

    start, end             in characters of the decoded seed
    byte_start, byte_end   in bytes of the seed's file, the byte order mark counted
    """

    start: int
    end: int
    byte_start: int
    byte_end: int


class Lineage:
    """What of a document comes from where.  Its methods raise ValueError for what is no span of the text."""

    def __init__(self, document: Document) -> None:
        self.document = document

    def seed_span(self, start: int, end: int) -> SeedSpan:
        """The smallest span of the seed that holds all that text[start:end] was made of."""
        low, high = self.document.seed_span(start, end)
        return SeedSpan(low, high, *self.byte_span(low, high))

    def text_span(self, start: int, end: int) -> tuple[int, int]:
        """What became of characters [start, end) of the decoded seed: the smallest span of the text that holds
        it; empty when all of it was removed."""
        return self.document.text_span(start, end)

    def byte_span(self, start: int, end: int) -> tuple[int, int]:
        """The bytes of characters [start, end) of the decoded seed.  No bytes: the place where they would be."""
        starts, ends = self._bytes
        if start < end:
            return int(starts[start]), int(ends[end - 1])
        place = int(starts[start]) if start < len(starts) else self.document.seed.size
        return place, place

    def text_span_of_bytes(self, start: int, end: int) -> tuple[int, int]:
        """What became of bytes [start, end) of the seed."""
        if not 0 <= start <= end <= self.document.seed.size:
            raise ValueError(f"[{start}, {end}) is no span of a seed of {self.document.seed.size} bytes")
        starts, ends = self._bytes
        low = int(np.searchsorted(ends, start, side="right"))
        high = int(np.searchsorted(starts, end, side="left"))
        return self.text_span(low, max(low, high))

    def edits(self, start: int, end: int) -> Iterator[tuple[Pass, Edit]]:
        """The edits that had a part in text[start:end], the last pass first: what they put, took away or moved
        lies in the span or at its borders."""
        self.document.seed_span(start, end)  # complains about what is no span
        for one in reversed(self.document.trail):
            shift = 0
            for edit in one.edits:
                place = edit.start + shift
                shift += len(edit.after) - len(edit.before)
                touches = place < end and place + len(edit.after) > start
                if touches or (not edit.after and start <= place <= end):
                    yield one, edit
            start, end = Positions(one.edits).old_span(start, end)

    @cached_property
    def _bytes(self) -> tuple[Places, Places]:
        """Where the bytes of each character of the decoded seed begin and end."""
        text, encoding = self.document.original(), self.document.encoding
        starts, ends = [], []
        place, done = len(encoding.bom), 0
        for first, last, raw in (*encoding.exceptions, (len(text), len(text), b"")):
            begins, finishes = _plain(text[done:first], encoding.name)
            starts.append(begins + place)
            ends.append(finishes + place)
            place += len(text[done:first].encode(encoding.name))
            starts.append(np.full(last - first, place))
            place += len(raw)
            ends.append(np.full(last - first, place))
            done = last
        return np.concatenate(starts), np.concatenate(ends)


def _plain(text: str, codec: str) -> tuple[Places, Places]:
    """Where the bytes of each character of text.encode(codec) begin and end."""
    if codecs.lookup(codec).name == "utf-8":
        points = np.frombuffer(text.encode("utf-32-le"), "<u4").astype(np.int64)
        sizes = 1 + (points >= 0x80) + (points >= 0x800) + (points >= 0x10000)
        ends = np.cumsum(sizes)
        return ends - sizes, ends
    # some codecs wait for the next character, or write a shift before one: only they know how many bytes it took
    encoder = codecs.getincrementalencoder(codec)()
    sizes = np.fromiter((len(encoder.encode(character)) for character in text), np.int64, len(text))
    ends = np.cumsum(sizes)
    starts = ends - sizes
    written = len(encoder.encode("", True))
    if len(text) and not sizes[-1]:
        ends[sizes.size - _trailing_zeros(sizes) :] += written
    # a character that was held back ends where the next ones do
    for i in np.flatnonzero(sizes[:-1] == 0)[::-1]:
        ends[i] = ends[i + 1]
    return starts, ends


def _trailing_zeros(sizes: Places) -> int:
    nonzero = np.flatnonzero(sizes)
    return int(sizes.size - 1 - nonzero[-1]) if nonzero.size else int(sizes.size)
