"""Edits: the only way in which text changes.

A cleaner yields edits, `apply` carries them out, `undo` takes them back, and `Positions` leads from a place in
the changed text to its place in the text before, and back.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from rapidfuzz.distance import Levenshtein

# Levenshtein.opcodes takes time and memory in proportion to the product of both lengths: 4,000 x 4,000
# characters need some milliseconds and 2 MB. Longer differing stretches become one edit.
LONGEST_COMPARED = 4_000


class EditError(ValueError):
    """An edit does not fit the text that it is applied to."""


class Edit(NamedTuple):
    """One change to a text: at `start`, `before` becomes `after`, because of `rule`.

    start   position in the text that the pass was given, in characters (code points)
    before  what stands there; empty for an insertion
    after   what stands there afterwards; empty for a removal
    rule    `cleaner.rule_name`, for example `punctuation.width`
    field   the metadata field whose value `before` is; empty when the edit lifts no value
    ref     where, in the same text, the same characters stand: for an insertion the place that they were taken
            from (the text was moved), for a removal the copy that stays or the place it was moved to; -1 for none
    """

    start: int
    before: str
    after: str
    rule: str
    field: str = ""
    ref: int = -1

    @property
    def end(self) -> int:
        """Position behind `before`, in characters."""
        return self.start + len(self.before)


def apply(text: str, edits: Iterable[Edit]) -> str:
    """The text after all edits, which are sorted by start and do not overlap.

    Raises EditError when an edit does not fit: out of order, overlapping, other text at its place, no change,
    no rule, or a move whose text does not stand at `ref`.
    """
    pieces: list[str] = []
    done = carry_out(text, 0, edits, pieces)
    pieces.append(text[done:])
    return "".join(pieces)


def carry_out(text: str, done: int, edits: Iterable[Edit], pieces: list[str]) -> int:
    """Adds what becomes of the text from `done` on to the pieces; returns where the last edit ends, or `done`.

    Raises EditError as `apply` does."""
    for edit in edits:
        start, before, after, rule, _, ref = edit
        if start < done:
            raise EditError(f"overlaps the edit before it, which ends at {done}: {edit!r}")
        if not text.startswith(before, start):
            raise EditError(f"the text has {text[start : start + len(before)]!r} there: {edit!r}")
        if before == after:
            raise EditError(f"changes nothing: {edit!r}")
        if not rule:
            raise EditError(f"names no rule: {edit!r}")
        if ref >= 0 and not before and not text.startswith(after, ref):
            raise EditError(f"moves text that does not stand at {ref}: {edit!r}")
        pieces.append(text[done:start])
        pieces.append(after)
        done = start + len(before)
    return done


def undo(text: str, edits: Iterable[Edit]) -> str:
    """The text as it was before `apply(…, edits)`.  Raises EditError when an edit does not fit."""
    pieces: list[str] = []
    done = shift = 0
    for edit in edits:
        start = edit.start + shift
        if start < done or not text.startswith(edit.after, start):
            raise EditError(f"cannot be undone, the text has {text[start : start + len(edit.after)]!r}: {edit!r}")
        pieces.append(text[done:start])
        pieces.append(edit.before)
        done = start + len(edit.after)
        shift += len(edit.after) - len(edit.before)
    pieces.append(text[done:])
    return "".join(pieces)


def between(old: str, new: str, rule: str, start: int = 0) -> Iterator[Edit]:
    """The edits that turn `old`, which begins at `start` of the text, into `new`: for libraries that return
    whole strings. Texts with as many lines as before are compared line by line."""
    if old == new:
        return
    old_lines, new_lines = old.split("\n"), new.split("\n")
    if len(old_lines) != len(new_lines):
        yield from _between_strings(old, new, rule, start)
        return
    for old_line, new_line in zip(old_lines, new_lines, strict=True):
        if old_line != new_line:
            yield from _between_strings(old_line, new_line, rule, start)
        start += len(old_line) + 1


def _between_strings(old: str, new: str, rule: str, start: int) -> Iterator[Edit]:
    if len(old) == len(new):
        yield from _between_equal_lengths(old, new, rule, start)
        return
    head = _common_head(old, new)
    tail = _common_head(old[head:][::-1], new[head:][::-1])
    old, new, start = old[head : len(old) - tail], new[head : len(new) - tail], start + head
    if max(len(old), len(new)) > LONGEST_COMPARED:
        yield Edit(start, old, new, rule)
        return
    for op in Levenshtein.opcodes(old, new):
        if op.tag != "equal":
            before, after = old[op.src_start : op.src_end], new[op.dest_start : op.dest_end]
            yield Edit(start + op.src_start, before, after, rule)


def _between_equal_lengths(old: str, new: str, rule: str, start: int) -> Iterator[Edit]:
    """Neighbouring characters that differ become one edit."""
    first = -1
    for i, (a, b) in enumerate(zip(old, new, strict=True)):
        if a != b and first < 0:
            first = i
        elif a == b and first >= 0:
            yield Edit(start + first, old[first:i], new[first:i], rule)
            first = -1
    if first >= 0:
        yield Edit(start + first, old[first:], new[first:], rule)


def _common_head(a: str, b: str) -> int:
    """Length of the longest common beginning, in characters."""
    low, high = 0, min(len(a), len(b))
    while low < high:
        middle = (low + high + 1) // 2
        if a.startswith(b[:middle]):
            low = middle
        else:
            high = middle - 1
    return low


class Positions:
    """Leads from positions in the text after some edits to positions in the text before them, and back."""

    def __init__(self, edits: Sequence[Edit]) -> None:
        self._edits = edits
        self._starts = [edit.start for edit in edits]
        self._new_starts: list[int] = []
        shift = 0
        for edit in edits:
            self._new_starts.append(edit.start + shift)
            shift += len(edit.after) - len(edit.before)
        self._arrivals = [i for i, e in enumerate(edits) if e.ref >= 0 and not e.before]

    def old_span(self, start: int, end: int) -> tuple[int, int]:
        """The smallest span of the old text that holds all that new[start:end] was made of."""
        if start >= end:
            place = self._old_char(start)[0]
            return place, place
        moved, (low, high) = self._moved_into(start, end)
        if low < high:
            moved += [self._old_char(low), self._old_char(high - 1)]
        return min(a for a, _ in moved), max(b for _, b in moved)

    def _moved_into(self, start: int, end: int) -> tuple[list[tuple[int, int]], tuple[int, int]]:
        """Where the parts of new[start:end] that were moved came from; and the span without those at its edges."""
        found, edges = [], [start, end]
        for i in self._arrivals:
            at, edit = self._new_starts[i], self._edits[i]
            low, high = max(start, at), min(end, at + len(edit.after))
            if low < high:
                found.append((edit.ref + low - at, edit.ref + high - at))
                if low == edges[0]:
                    edges[0] = high
        for i in reversed(self._arrivals):
            at = self._new_starts[i]
            if edges[0] <= at < edges[1] <= at + len(self._edits[i].after):
                edges[1] = at
        return found, (edges[0], edges[1])

    def new_span(self, start: int, end: int) -> tuple[int, int]:
        """The smallest span of the new text that holds all that became of old[start:end]."""
        if start >= end:
            place = self._new_char(start)[0]
            return place, place
        first, last = self._new_char(start), self._new_char(end - 1)
        arrived = list(self._arrived(start, end))
        # all of it was removed here: if it was moved, only the place that it was moved to counts
        spans = arrived if arrived and first[0] == last[1] else [first, last, *arrived]
        return min(a for a, _ in spans), max(b for _, b in spans)

    def _arrived(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """Where in the new text the parts of old[start:end] stand that were moved."""
        for i in self._arrivals:
            at, edit = self._new_starts[i], self._edits[i]
            low, high = max(start, edit.ref), min(end, edit.ref + len(edit.after))
            if low < high:
                yield at + low - edit.ref, at + high - edit.ref

    def _old_char(self, place: int) -> tuple[int, int]:
        """The old span of the new text's character at `place`."""
        i = bisect_right(self._new_starts, place) - 1
        # an empty `after` at the same place as the next edit holds no character: the last edit there decides
        if i < 0:
            return place, place + 1
        edit, new_start = self._edits[i], self._new_starts[i]
        inside = place - new_start
        if inside < len(edit.after):
            if edit.ref >= 0 and not edit.before:
                return edit.ref + inside, edit.ref + inside + 1
            return edit.start, edit.end
        old = edit.end + inside - len(edit.after)
        return old, old + 1

    def _new_char(self, place: int) -> tuple[int, int]:
        """The new span of the old text's character at `place`; empty when it was removed."""
        i = bisect_right(self._starts, place) - 1
        if i < 0:
            return place, place + 1
        edit, new_start = self._edits[i], self._new_starts[i]
        if place < edit.end:
            return new_start, new_start + len(edit.after)
        new = new_start + len(edit.after) + place - edit.end
        return new, new + 1
