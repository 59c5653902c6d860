"""Misread units: the characters of a line as the bytes that they were read from, and the stretches of these bytes
that are whole characters of UTF-8.

Most of a misread line lost nothing: in such a run the search of misreadings.py need not look at every byte. How
likely the characters of a run are is added up for all of them together, and the search goes over it in one step
where it is proved that no other way would have been better (docs/decisions/0048).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache, cached_property

import numpy as np
from numpy.typing import NDArray

from . import statistics

LATIN, GB, BIG5, UTF8 = "cp1252", "gb18030", "big5hkscs", "utf-8"
# What cp1252 has at the bytes 80 to 9F
CP1252_MARKS = "€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ"
LOST = -1  # a unit whose byte is not known
LOST_CHAR = "\ufffd"
NO_BYTE, NOT_ASKED = -2, -3

ENTER_SCORE = -8.0  # for beginning a misread stretch
BROKEN_SCORE = -13.0  # for a character that cannot be filled in
BROKEN_BYTE_SCORE = BROKEN_SCORE - 3  # for a byte that is no character's first
LATIN_SCORE = -9.0  # for a Latin letter or sign that stays

FEWEST_UNITS = 24  # of a stretch, for its runs to be worth the look
FEWEST_CHARS = 4  # of a step
LONGEST_STEP = 512  # characters
ROUNDING = 1e-6  # of sums of log P

Bytes = NDArray[np.int16]
Scores = NDArray[np.float64]
Places = NDArray[np.int64]
Marks = NDArray[np.bool_]


class Units:
    """The bytes that a stretch of a line was read from: the byte (or LOST), the place of its character in the line,
    whether it is the character's first, log P of the character if it stays (at its first unit, else 0). All of them as
    arrays of the same length, and, when they are asked for, as lists."""

    def __init__(self, array: Bytes, char_array: Places, first_array: Marks, stay_array: Scores) -> None:
        self.array, self.char_array, self.first_array, self.stay_array = array, char_array, first_array, stay_array

    @property
    def size(self) -> int:
        return len(self.array)

    @cached_property
    def bytes(self) -> list[int]:
        found: list[int] = self.array.tolist()
        return found

    @cached_property
    def chars(self) -> list[int]:
        found: list[int] = self.char_array.tolist()
        return found

    @cached_property
    def firsts(self) -> list[bool]:
        found: list[bool] = self.first_array.tolist()
        return found

    @cached_property
    def stay(self) -> list[float]:
        found: list[float] = self.stay_array.tolist()
        return found


@cache
def latin_bytes() -> dict[str, int]:
    """cp1252 as browsers read it: the bytes it does not know become control characters."""
    table = {chr(byte): byte for byte in range(0x80, 0x100)}
    for byte in range(0x80, 0xA0):
        char = bytes([byte]).decode(LATIN, "ignore")
        if char:
            table[char] = byte
    return table


@cache
def latin_bytes_by_code() -> dict[int, int]:
    """The same by code point."""
    return {ord(char): byte for char, byte in latin_bytes().items()}


def bytes_of(char: str, read: str) -> tuple[int, ...] | None:
    """The bytes that codec `read` reads as `char`; None when there are none."""
    if char == LOST_CHAR:
        return (LOST,)
    if char < "\x80":
        return (ord(char),)
    if read == LATIN:
        byte = latin_bytes().get(char)
        return None if byte is None else (byte,)
    if read == GB and char == "€":  # cp936 has it at 80
        return (0x80,)
    try:
        raw = char.encode(read)
    except UnicodeEncodeError:
        return None
    return tuple(raw) if len(raw) <= 2 else None


# ---- scores of all characters --------------------------------------------------------------------------------


@cache
def new_scores(read: str) -> statistics.Floats:
    """log P of a character, by its code, that comes out of a repair. Signs of cp1252 are welcome: of a text that was
    misread twice, the first repair finds them."""
    table = statistics.reading_scores()
    if read == LATIN:
        table = table.copy()
        table[list(latin_bytes_by_code())] = LATIN_SCORE
    return table


@cache
def kept_scores(read: str) -> statistics.Floats:
    """log P of a character, by its code, that stays as it is."""
    table = statistics.reading_scores()
    if read == LATIN:
        table = table.copy()
        table[0x80:] = LATIN_SCORE
    return table


def score_of(text: str) -> float:
    """log P of a text, which is mostly one character."""
    table = _score_list()
    if len(text) == 1:
        return table[min(ord(text), statistics.OUTSIDE)]
    if not text or max(text) < _ASTRAL:
        return sum(map(table.__getitem__, map(ord, text)))
    return sum([table[min(code, statistics.OUTSIDE)] for code in map(ord, text)])


_ASTRAL = "\U00010000"


@cache
def _score_list() -> list[float]:
    """`reading_scores` as numbers of Python: for one character faster than an array."""
    table: list[float] = statistics.reading_scores().tolist()
    return table


# ---- characters to bytes -------------------------------------------------------------------------------------


@cache
def _byte_table(read: str) -> Bytes:
    """Shape (65536, 2), by code: the bytes of a character, NO_BYTE where there is none; filled when asked."""
    return np.full((65536, 2), NOT_ASKED, np.int16)


def _bytes_of_codes(text: str, read: str) -> tuple[statistics.Codes, Bytes]:
    """The codes of a text, and an array (characters, 2) of their bytes, NO_BYTE where there is none."""
    points, table = statistics.codes(text), _byte_table(read)
    found = table.take(points, axis=0)
    unknown = found[:, 0] == NOT_ASKED
    if unknown.any():
        for code in set(points[unknown].tolist()):
            table[code] = _two(chr(code), read)
        found = table.take(points, axis=0)
    for i in (points == statistics.OUTSIDE).nonzero()[0].tolist():  # the table has all of them in one place
        found[i] = _two(text[i], read)
    return points, found


def _two(char: str, read: str) -> tuple[int, int]:
    raw = (*(bytes_of(char, read) or ()), NO_BYTE, NO_BYTE)
    return raw[0], raw[1]


def units_of(
    text: str, read: str, parts: Sequence[tuple[int, int]], fewest: int
) -> tuple[Units, list[tuple[int, int]]]:
    """The units of the parts [start, end) of a text, sorted and apart from each other, and the bounds [first, behind)
    of the stretches of units that can be turned into bytes and hold `fewest` characters or more that are not ASCII."""
    points, raw = _bytes_of_codes(text, read)
    if parts != [(0, len(text))]:
        inside = np.zeros(len(text) + 1, np.int8)
        np.add.at(inside, [start for start, _ in parts], 1)
        np.add.at(inside, [end for _, end in parts], -1)
        raw[inside[:-1].cumsum() == 0] = NO_BYTE
    flat = raw.ravel()
    there = (flat != NO_BYTE).nonzero()[0]
    chars, is_first, array = there >> 1, (there & 1) == 0, flat[there]
    stay = np.where(is_first, kept_scores(read)[points][chars], 0.0).astype(float)
    units = Units(array, chars, is_first, stay)
    foreign = np.append(0, (points >= 0x80).cumsum())
    stops = np.append((raw[:, 0] == NO_BYTE).nonzero()[0], len(text))  # where characters have no bytes
    begins = np.append(0, stops[:-1] + 1)
    is_long = foreign[stops] - foreign[begins] >= fewest
    bounds = chars.searchsorted(np.array((begins[is_long], stops[is_long])).T)
    return units, [(first, behind) for first, behind in bounds.tolist()]


def segments(line: str, read: str, part: tuple[int, int], fewest: int) -> Iterator[Units]:
    """The stretches of a part that can be turned into bytes and hold `fewest` characters or more that are not ASCII."""
    start, end = part
    units, bounds = units_of(line[start:end], read, [(0, end - start)], fewest)
    for first, behind in bounds:
        own = slice(first, behind)
        yield Units(units.array[own], units.char_array[own] + start, units.first_array[own], units.stay_array[own])


# ---- runs ----------------------------------------------------------------------------------------------------


class Runs:
    """The runs of whole characters of UTF-8 in a stretch: ASCII and characters of three bytes, the first and the last
    of them of three.

    The chain is the way that reads every character of a run. Another way to a place in it leaves the chain, keeps
    some characters, and comes back for ENTER_SCORE: `end` tells up to where that is never better. No reading that
    begins before a run reaches into it, since its first byte cannot stand inside a character.

    chain, kept  lists (units + 1): log P of the chain, and of the characters that stay, before each unit
    starts       the units at which a step may begin, with the numbers of their characters
    """

    def __init__(self, units: Units, read: str) -> None:
        self.starts: dict[int, int] = {}
        # byte by byte, what is no UTF-8 becomes a surrogate, and these are in no run
        text = units.array.astype(np.uint8).tobytes().decode(UTF8, "surrogateescape")
        runs = [match.span() for match in RUN[read].finditer(text)]
        if not runs:
            return
        points = np.minimum(np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4"), ASTRAL)
        sizes = widths()[points]
        places = sizes.cumsum() - sizes
        sums, stay = np.zeros(units.size + 1), np.zeros(units.size + 1)
        sums[places + 1] = chain_scores(read)[points]
        sums = sums.cumsum()
        units.stay_array.cumsum(out=stay[1:])
        self.chain: list[float] = sums.tolist()
        self.kept: list[float] = stay.tolist()
        self._is_latin = read == LATIN
        if self._is_latin:
            begins, lasts = zip(*runs, strict=True)
            self._ends = (places[np.array(lasts) - 1] + 3).tolist()
            self.starts = dict(zip(places[list(begins)].tolist(), range(len(runs)), strict=True))
            return
        own = units.first_array[places]
        # up to a place: what characters that stay give more than the chain, and what they give after coming back,
        # over a byte that is no character's first if need be
        gained = stay[places] - sums[places]
        before = places - ~own
        self._back = stay[before] + BROKEN_BYTE_SCORE * ~own - sums[places]
        self._gained = np.where(own, gained, np.inf)
        self._places = places
        self._lasts = np.zeros(len(places), np.int64)
        for first, behind in runs:
            self._lasts[first:behind] = behind - 1
        number = np.arange(len(places))
        inside = (own & (sizes == 3) & (self._lasts - number >= FEWEST_CHARS)).nonzero()[0]
        self.starts = dict(zip(places[inside].tolist(), inside.tolist(), strict=True))
        self._quiet = 0  # no step begins before this unit

    def end(self, number: int, at: int, is_taken: bool) -> int:
        """Where a step that begins at unit `at`, where character `number` of the chain stands, may end; `at` when
        there is none.

        is_taken  is the way there that reads the character before at least as likely as the one that keeps it?

        Where the step ends, the chain is likelier than any way that leaves it inside the step and does not come back.
        """
        if self._is_latin:
            # a character of three bytes that stays as three costs 27, in the chain at most 25.5: the chain is best
            return int(self._ends[number])
        if not is_taken or at < self._quiet:
            return at
        last = min(int(self._lasts[number]), number + LONGEST_STEP)
        gained = self._gained[number:last]
        lowest = np.minimum.accumulate(gained)
        better = self._back[number:last] - lowest >= -ENTER_SCORE - ROUNDING
        stop = int(better.argmax())
        if not better[stop]:
            stop = len(better)
        best = int(gained[:stop].argmin())
        if not best:
            self._quiet = int(self._places[number + (min(FEWEST_CHARS, len(better)) if stop == len(better) else stop)])
        return int(self._places[number + best])


def _run(first: str) -> re.Pattern[str]:
    """Finds the runs, whose wide characters are those from `first` on."""
    wide = f"{first}-\ud7ff\ue000-\ufffc\ufffe"
    return re.compile(f"[{wide}](?:[\x00-\x7f{wide}]*[{wide}])?")


# of Latin letters only what makes a character that they are welcome to become (see misreadings)
_FIRST_WIDE = {LATIN: "\u2000", GB: "\u0800", BIG5: "\u0800"}
RUN = {read: _run(first) for read, first in _FIRST_WIDE.items()}
ASTRAL = 0x10000  # stands for all characters of four bytes


@cache
def widths() -> Places:
    """Bytes of a character of UTF-8, by its code; 1 for the surrogate of a byte."""
    table = np.full(ASTRAL + 1, 3)
    table[:0x800], table[:0x80] = 2, 1
    table[0xD800:0xE000] = 1
    table[ASTRAL] = 4
    return table


@cache
def chain_scores(read: str) -> Scores:
    """By code: log P of a character of the chain, 0 for what is none."""
    table = np.append(new_scores(read), 0.0).astype(float)
    table[0x80 : ord(_FIRST_WIDE[read])] = 0.0
    table[0xD800:0xE000] = 0.0
    table[[ord(LOST_CHAR), 0xFFFF]] = 0.0
    return table
