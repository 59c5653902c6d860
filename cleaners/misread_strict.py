"""Misread text that lost nothing: all of its bytes can be read in the codec in which it was written.

That is tried before any search, for many lines together: the codecs decode, and numpy tells what is likely.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from . import statistics
from .misread_pieces import Piece
from .misread_units import (
    BIG5,
    CP1252_MARKS,
    GB,
    LATIN,
    LATIN_SCORE,
    LOST_CHAR,
    Marks,
    Places,
    bytes_of,
    latin_bytes_by_code,
    new_scores,
)
from .misreadings import (
    LEAST_GAIN,
    LEAST_OLD,
    LONG,
    LOWEST_MEAN,
    LOWEST_MEAN_SHORT,
    NOT_SHORT,
    WRITTEN,
    Asked,
    Repair,
    are_likely_pairs,
    likeliest,
)

CLEARLY = 0.01  # of means of log P: sums of numbers of less precision are not the same to the last digit
_FOREIGN = {LATIN: re.compile(f"[\x00-\xff{CP1252_MARKS}]+"), GB: re.compile("(?s:.+)"), BIG5: re.compile("(?s:.+)")}


class _Stretch(NamedTuple):
    """What is foreign in a line, from `start` on: line number, and the text before and after the repair."""

    number: int
    start: int
    old: str
    new: str


def strict_repairs(asked: Sequence[Asked], read: str) -> list[Repair | None]:
    """For each line, all of which were read in the same codec: the likeliest way to read all that is foreign in its
    parts; None when it cannot be read in any codec, or is not likely."""
    found: list[list[Repair]] = [[] for _ in asked]
    raw = [_raw(one) for one in asked]
    for written in WRITTEN[read]:
        stretches: list[_Stretch] = []
        for number, own in enumerate(raw):
            try:
                stretches += [_Stretch(number, start, old, bytes_.decode(written)) for start, old, bytes_ in own]
            except UnicodeDecodeError:
                continue
        gains = _gains(stretches, read) if stretches else []
        pieces: dict[int, list[Piece]] = {}
        total = [0.0] * len(asked)
        for (number, start, old, new), gain in zip(stretches, gains, strict=True):
            head, tail = common_ends(old, new) if gain >= LEAST_GAIN else (0, 0)
            piece = Piece(start + head, start + len(old) - tail, new[head : len(new) - tail], False)
            pieces.setdefault(number, []).append(piece)
            total[number] += gain if gain >= LEAST_GAIN else -np.inf
        for number, own_pieces in pieces.items():
            if total[number] > 0:
                found[number].append(Repair(written, read, tuple(own_pieces), total[number]))
    return [likeliest(own) for own in found]


def _raw(asked: Asked) -> list[tuple[int, str, bytes]]:
    """Each stretch of foreign characters in the parts of a line: its place, the stretch, and its bytes. None at all
    when some of them lost a byte, or are too few to be repaired."""
    line, read, parts = asked
    found = []
    for start, end in parts:
        for match in _FOREIGN[read].finditer(line, start, end):
            old = match[0]
            if old.isascii():
                continue
            raw = _bytes(old, read) if len(old) >= LEAST_OLD[read] and LOST_CHAR not in old else b""
            if not raw:
                return []
            found.append((match.start(), old, raw))
    return found


def _bytes(old: str, read: str) -> bytes:
    """Empty when there are none for a character."""
    try:
        if read == LATIN:
            return old.translate(latin_bytes_by_code()).encode("latin-1")
        if "€" in old:
            return b"".join([bytes(bytes_of(char, read) or b"\xff") for char in old])
        return old.encode(read)
    except UnicodeEncodeError:
        return b""


def common_ends(old: str, new: str) -> tuple[int, int]:
    """Lengths of the common beginning and end, which do not overlap."""
    size = min(len(old), len(new))
    head = next((i for i in range(size) if old[i] != new[i]), size)
    tail = next((i for i in range(size - head) if old[-1 - i] != new[-1 - i]), size - head)
    return head, tail


# ---- what is likely ------------------------------------------------------------------------------------------


class _Wide(NamedTuple):
    """The characters of texts that are not ASCII: their codes; per text the first of them and how many there are; and
    how many in the text stand together."""

    points: statistics.Codes
    heads: Places
    counts: Places
    together: Places

    @classmethod
    def of(cls, texts: Sequence[str]) -> _Wide:
        text = "".join([f"{text}\n" for text in texts])
        points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4")
        wide = points >= 0x80
        ends = np.cumsum([len(text) + 1 for text in texts])
        begins = np.append(0, ends[:-1])
        counts = _sums(wide, begins)
        return cls(points[wide], counts.cumsum() - counts, counts, _sums(wide[1:] & wide[:-1], begins))

    def are_in_order(self) -> Marks:
        """Per text whether its characters come in the order of a code table."""
        follows = np.append(self.points[1:] == self.points[:-1] + 1, False)
        follows[self.heads[1:] - 1] = False
        found: Marks = _sums(follows, self.heads) > (self.counts - 1) / 2
        return found


def _sums(of: Marks, heads: Places) -> Places:
    """How many are marked from each head up to the next one."""
    found: Places = np.add.reduceat(of, heads, dtype=np.int64)
    return found


def _gains(stretches: Sequence[_Stretch], read: str) -> list[float]:
    """How much likelier the new texts are; nothing for those that fail the tests of misreadings.is_believed."""
    old, new = _Wide.of([one.old for one in stretches]), _Wide.of([one.new for one in stretches])
    stay = statistics.reading_scores()[np.minimum(old.points, statistics.OUTSIDE)]
    scores = new_scores(read)[np.minimum(new.points, statistics.OUTSIDE)]
    lowest = np.where(new.counts >= NOT_SHORT, LOWEST_MEAN, LOWEST_MEAN_SHORT)
    is_good = (old.counts >= LEAST_OLD[read]) & ~old.are_in_order() & (new.counts >= 2)
    is_good &= (new.together > 0) & (2 * new.together >= new.counts - 1)
    is_good &= np.add.reduceat(scores, new.heads, dtype=float) >= (lowest - CLEARLY) * new.counts
    is_good &= _sums(new.points == ord(LOST_CHAR), new.heads) == 0
    if read != LATIN:  # ideographs may become other ideographs by chance, but not words
        short = (is_good & (new.counts < LONG)).nonzero()[0]
        is_good[short] = are_likely_pairs([stretches[i].new for i in short.tolist()])
    gains = [0.0] * len(stretches)
    for i in is_good.nonzero()[0].tolist():
        (a, b), (c, d) = ((at, at + count) for at, count in ((of.heads[i], of.counts[i]) for of in (old, new)))
        score = float(scores[c:d].sum())
        if score / (d - c) >= lowest[i]:
            gains[i] = score - (LATIN_SCORE * (b - a) if read == LATIN else float(stay[a:b].sum()))
    return gains
