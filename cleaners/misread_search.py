"""Misread text that was not misread from end to end: the search of misreadings.py for many lines together.

The search looks at one unit of a line after the other; here it looks at the same unit of all lines at once. What is
found is the same (tests/test_misread_search.py), the time for a unit a tenth (docs/decisions/0048).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import statistics
from .misread_pieces import MISSING_SCORE, Piece, Reading, Readings, of_ranges, pieces, sums_before, text_of
from .misread_units import (
    BIG5,
    BROKEN_BYTE_SCORE,
    BROKEN_SCORE,
    ENTER_SCORE,
    GB,
    LATIN,
    LATIN_SCORE,
    LOST,
    LOST_CHAR,
    UTF8,
    Marks,
    Places,
    Scores,
    Units,
    new_scores,
    units_of,
)
from .misreadings import (
    CONTINUATIONS,
    DOUBLE_SECONDS,
    FILL_SCORE,
    LEAST_GAIN,
    LEAST_OLD,
    LEAST_SURE,
    LONG,
    LONGEST_LINE,
    LOWEST_MEAN,
    LOWEST_MEAN_SHORT,
    NOT_SHORT,
    WRITTEN,
    Asked,
    Repair,
    are_likely_pairs,
    doubles,
    doubles_scored,
    likeliest,
    lost_bytes,
    readings_of,
    repair_of,
)

Part = tuple[int, int]
STEP_COST = {UTF8: 12, GB: 6, BIG5: 6}  # of one unit of all lines, in units of one line that is searched alone
LENGTHS = {UTF8: 4, GB: 2, BIG5: 2}  # units of the longest reading
FEW = 8  # lines
MOST_ROWS = 50_000  # that are remembered from one document to the next
WINDOW = 5  # units on which the readings at one of them may depend
CODES = 258  # a byte, a lost one, none
LOST_CODE, NONE = 256, 257
_NO_MORE = NONE * (CODES ** (WINDOW - 1) - 1) // (CODES - 1)  # all digits of a key but the first
CLOSE = 1e-6  # of sums of log P: in another order they are not the same to the last digit


class _Page(NamedTuple):
    """Lines one after another, each with a line break: the text, per line its begin and its end behind the break, and
    the parts of all."""

    text: str
    begins: list[int]
    ends: Places
    parts: list[Part]

    @classmethod
    def of(cls, asked: Sequence[Asked]) -> _Page:
        text = "".join([f"{one.line}{statistics.BOUNDARY}" for one in asked])
        ends = np.cumsum([len(one.line) + 1 for one in asked], dtype=np.int64)
        begins = [0, *ends.tolist()][: len(asked)]
        return cls(
            text,
            begins,
            ends,
            [(at + a, at + b) for at, one in zip(begins, asked, strict=True) for a, b in one.parts],
        )


def best_repairs(asked: Sequence[Asked], read: str) -> list[Repair | None]:
    """For each line, all of which were read in the same codec, the likeliest repair; None when there is none."""
    found: list[list[Repair]] = [[] for _ in asked]
    left = [i for i, one in enumerate(asked) if len(one.line) <= LONGEST_LINE]
    for written in WRITTEN[read]:
        for i, repair in zip(left, _repairs([asked[i] for i in left], read, written), strict=True):
            found[i] += [repair] if repair else []
        # where most of a line makes sense there is no need to try the other codecs
        left = [i for i in left if not (found[i] and 2 * found[i][-1].size > asked[i].size)]
    return [likeliest(own) for own in found]


def most_gained(asked: Sequence[Asked], read: str) -> Scores:
    """Per line: no repair of best_repairs gains more; infinite where that would take too long to tell.

    What lost nothing and holds characters of four bytes in GB 18030 has no repair: their digits end what is before."""
    found = np.full(len(asked), np.inf)
    some = are_together([len(one.line) for one in asked], UTF8).nonzero()[0]
    page = _Page.of([asked[i] for i in some.tolist()])
    units, bounds = units_of(page.text, read, page.parts, LEAST_OLD[read])
    left = np.array(bounds, np.int64).reshape(-1, 2)
    most = np.zeros(len(some))
    if len(left):
        segments = _Segments.of(units, left)
        chars = units.char_array
        line_of = page.ends.searchsorted(chars[left[:, 0]], "right")[segments.grid.order]
        for written in WRITTEN[read]:
            scores = _bounds(segments.places, read) if written == UTF8 else _scores(segments.places, read, written)
            gained = segments.search(scores, is_bound=True).gained
            most = np.maximum(most, np.bincount(line_of, gained, minlength=len(some)))
    found[some] = most
    return found


def _scores(places: Sequence[Places], read: str, written: str) -> Scores:
    readings = _known_readings(read, written)
    return readings.scores[readings.rows(places)].T


def _repairs(asked: Sequence[Asked], read: str, written: str) -> list[Repair | None]:
    """For each line what misreadings.repair_of finds."""
    together = are_together([len(one.line) for one in asked], written).tolist()
    some = [one for one, own in zip(asked, together, strict=True) if own]
    told = iter(repairs(some, read, written) if some else ())
    return [next(told) if own else repair_of(one, written) for one, own in zip(asked, together, strict=True)]


def are_together(sizes: Sequence[int], written: str) -> Marks:
    """Which lines of these lengths are worth to be searched together: not the few that are far longer."""
    order = np.argsort(sizes, kind="stable")[::-1]
    longest = np.append(np.array(sizes)[order], 0)
    alone = np.concatenate([[0], longest[:-1].cumsum()])
    found = np.ones(len(sizes), bool)
    found[order[: int((alone + STEP_COST[written] * longest).argmin())]] = False
    return found


def repairs(asked: Sequence[Asked], read: str, written: str) -> list[Repair | None]:
    """`_repairs` of lines that are searched together."""
    text, begins, ends, parts = _Page.of(asked)
    units, bounds = units_of(text, read, parts, LEAST_OLD[read])
    found: list[list[Piece]] = [[] for _ in asked]
    gains = [0.0] * len(asked)
    ways = _ways(units, bounds, read, written)
    stretches = _believed(text, units, ways, read) if ways else []
    if ways and stretches:
        chars = np.append(units.char_array, len(text))
        heads, tails = np.array([(head, tail) for head, tail, _ in stretches]).T
        first, behind = ways.firsts[heads], ways.firsts[tails - 1] + ways.sizes[tails - 1]
        starts, after = chars[first], np.minimum(chars[behind], chars[behind - 1] + 1)
        numbers = ends.searchsorted(starts, "right").tolist()
        readings = ways.of(
            heads,
            tails,
            [text[at - 1] if at else statistics.BOUNDARY for at in starts.tolist()],
            [text[at] for at in after.tolist()],
        )
        origins = np.array(begins)[numbers]
        for stretch, piece in pieces(text, readings, chars, np.append(units.first_array, True), origins):
            found[numbers[stretch]].append(piece)
        for number, (_, _, gain) in zip(numbers, stretches, strict=True):
            gains[number] += gain
    return [Repair(written, read, tuple(own), gain) if own else None for own, gain in zip(found, gains, strict=True)]


# ---- readings ------------------------------------------------------------------------------------------------


class _Readings(ABC):
    """The likeliest readings of each length, for each unit by the bytes from there on; each of one character.

    scores  (rows, lengths): log P of the likeliest reading of so many units; -inf where there is none
    points  the same: the code of its character
    filled  the same: whether bytes were filled in
    """

    scores: Scores
    points: Places
    filled: Marks

    def __init__(self, read: str, written: str) -> None:
        self._read, self._written = read, written
        self._readings: dict[tuple[int, int], Reading] = {}  # by row and length, those that were filled in

    @abstractmethod
    def rows(self, places: Sequence[Places]) -> Places:
        """Per unit the row of its readings.  places: see _ahead"""

    @abstractmethod
    def _window(self, row: int) -> tuple[int, ...]:
        """The bytes that the readings of a row are of."""

    def _add_readings(self, row: int) -> None:
        """Those of a row. Of several with the same score the first is taken."""
        self.scores[row] = -np.inf
        for reading in readings_of(self._window(row), self._read, self._written):
            at = row, reading.length - 1
            if reading.score > self.scores[at]:
                self.scores[at], self.points[at] = reading.score, ord(reading.text[0])
                self.filled[at] = bool(reading.candidates)
                if reading.candidates:
                    self._readings[row, reading.length] = reading

    def reading(self, row: int, length: int) -> Reading:
        """The likeliest one, of which bytes were filled in."""
        return self._readings[row, length]


class _Utf8(_Readings):
    """Rows are found by a key that holds no more bytes than the readings depend on (misreadings._utf8_readings)."""

    def __init__(self, read: str, written: str) -> None:
        super().__init__(read, written)
        self._forget()

    def _forget(self) -> None:
        self._keys: Places = np.zeros(0, np.int64)  # sorted
        self._rows: Places = np.zeros(0, np.int64)  # by key
        self._windows: list[int] = []  # by row: the key
        self._readings = {}
        self._resize(0)
        self._add([key * CODES ** (WINDOW - 1) + _NO_MORE for key in range(NONE)])  # rows of units that stand alone

    def _resize(self, rows: int) -> None:
        """To so many rows."""
        shape, old = (rows, LENGTHS[self._written]), len(self.scores) if rows else 0
        scores, points, filled = np.empty(shape), np.zeros(shape, np.int64), np.zeros(shape, bool)
        if old:
            scores[:old], points[:old], filled[:old] = self.scores, self.points, self.filled
        self.scores, self.points, self.filled = scores, points, filled

    def rows(self, places: Sequence[Places]) -> Places:
        if len(self._windows) > MOST_ROWS:
            self._forget()
        sizes = self._sizes(*places[:3])
        found = places[0].copy()
        some = (sizes > 1).nonzero()[0]
        keys = self._keys_of([place[some] for place in places], sizes[some])
        wanted, of_wanted = np.unique(keys, return_inverse=True)
        new = np.setdiff1d(wanted, self._keys, assume_unique=True)
        if len(new):
            self._add(new.tolist())
        found[some] = self._rows[self._keys.searchsorted(wanted)][of_wanted]
        return found

    def _keys_of(self, places: Sequence[Places], size: Places) -> Places:
        """Units from the highest digit on, base CODES, NONE where no more are needed."""
        first, second, third, fourth, fifth = places
        alike = _alike(CONTINUATIONS, self._read)
        third = np.where((size == 3) & ~_continues(third), alike[third], third)
        fourth = np.where(size == 4, alike[fourth], fourth)
        keys = np.zeros(len(first), np.int64)
        for number, place in enumerate((first, second, third, fourth, fifth)):
            keys = keys * CODES + np.where(size > number, place, NONE)
        return keys

    def _sizes(self, first: Places, second: Places, third: Places) -> Places:
        """On how many units the readings depend; as many as misreadings._window has, or fewer."""
        odd = _odd(self._read)
        is_wide = ((first >= 0xE0) & (first < 0xF0)) | (first == LOST_CODE)
        size = np.where(is_wide, 3 + np.isin(third, odd), 2)
        size[~is_wide & (second == LOST_CODE)] = WINDOW
        size[(first < 0xE0) & (second == LOST_CODE)] = 3
        goes_on = (is_wide | ((first >= 0xC2) & (first < 0xF5))) & (_continues(second) | np.isin(second, odd))
        return np.where(goes_on, size, 1)

    def _add(self, keys: list[int]) -> None:
        rows = np.arange(len(self._windows), len(self._windows) + len(keys))
        self._windows += keys
        self._resize(len(self._windows))
        for row in rows.tolist():
            self._add_readings(row)
        order = np.argsort(np.append(self._keys, keys))
        self._keys, self._rows = np.append(self._keys, keys)[order], np.append(self._rows, rows)[order]

    def _window(self, row: int) -> tuple[int, ...]:
        digits = [self._windows[row] // CODES**place % CODES for place in range(WINDOW - 1, -1, -1)]
        return tuple([LOST if digit == LOST_CODE else digit for digit in digits if digit != NONE])


class _Doubles(_Readings):
    """A row for each two units; of those of which the second was lost, for the first and the third."""

    def __init__(self, read: str, written: str) -> None:
        super().__init__(read, written)
        table, points = np.full((2, CODES, CODES), np.nan), np.full((2, CODES, CODES), ord(LOST_CHAR))
        table[0], table[1] = BROKEN_BYTE_SCORE, -np.inf
        table[0, :0x80], points[0, :0x80] = statistics.reading_scores()[:0x80, None], np.arange(0x80)[:, None]
        known = doubles(written)
        codes, scores = doubles_scored(written)
        table[1, codes >> 8, codes & 0xFF] = scores
        # where a code stands for two characters, these are too rare to be read
        points[1, codes >> 8, codes & 0xFF] = [ord(text[0]) for text in known.values()]
        if read == LATIN:  # which program dropped the second byte is not known
            table[:, 0x80:LOST_CODE] = np.nan
        table[:, LOST_CODE] = np.nan
        self.scores = np.concatenate([table.reshape(2, -1).T, np.full((CODES * CODES, 2), np.nan)])
        self.points = np.concatenate([points.reshape(2, -1).T, np.zeros((CODES * CODES, 2), np.int64)])
        self.filled = np.zeros(self.scores.shape, bool)

    def rows(self, places: Sequence[Places]) -> Places:
        first, second, third = places[:3]
        is_lost = (second == LOST_CODE) & (first >= 0x80)
        found = CODES * first + np.where(is_lost, CODES * CODES + _alike(DOUBLE_SECONDS, self._read)[third], second)
        for row in np.unique(found[np.isnan(self.scores[found, 0])]).tolist():
            self._add_readings(row)
        return found

    def _window(self, row: int) -> tuple[int, ...]:
        first, other = row // CODES % CODES, row % CODES
        window = (first, LOST_CODE, other) if row >= CODES * CODES else (first, other)
        return tuple([LOST if code == LOST_CODE else code for code in window if code != NONE])


@cache
def _known_readings(read: str, written: str) -> _Readings:
    return (_Utf8 if written == UTF8 else _Doubles)(read, written)


def _odd(read: str) -> tuple[int, int]:
    """What may stand for a byte inside a character of UTF-8."""
    return LOST_CODE, 0x20 if read == LATIN else 0x3F


def _continues(units: Places) -> Marks:
    return (units >= 0x80) & (units < 0xC0)


@cache
def _alike(bytes_: tuple[int, ...], read: str) -> Places:
    """Per unit one before which the same of the bytes may have been lost; none that goes on with a character if the
    unit does not."""
    first: dict[tuple[int, ...], int] = {}
    found = np.arange(CODES)
    for code in (*range(0x80), *range(0xC0, CODES), *CONTINUATIONS):
        following = code if code < LOST_CODE else LOST if code == LOST_CODE else None
        found[code] = first.setdefault(lost_bytes(bytes_, following, read), code)
    return found


def _bounds(places: Sequence[Places], read: str) -> Scores:
    """(lengths, units): no reading of UTF-8 is likelier, and most that lost nothing are as likely."""
    first, second, third = places[:3]
    table = new_scores(read)
    best = float(table[0x80:].max())
    goes_on, goes_far = _continues(second), _continues(third)
    may_go_on, may_go_far = goes_on | np.isin(second, _odd(read)), goes_far | np.isin(third, _odd(read))
    found = np.full((4, len(first)), -np.inf)
    found[0] = np.where(first < 0x80, table[np.minimum(first, 0x80)], BROKEN_BYTE_SCORE)
    if read == LATIN:
        found[0][first == 0xC2] = LATIN_SCORE
    is_short, is_lost = (first >= 0xC2) & (first < 0xE0), first == LOST_CODE
    is_wide, is_long = (first >= 0xE0) & (first < 0xF0) | is_lost, (first >= 0xF0) & (first < 0xF5)
    points = np.where(is_short, (first & 0x1F) << 6 | second & 0x3F, 0)
    found[1] = np.where(is_short & goes_on, table[points], np.where(is_short & may_go_on, best + FILL_SCORE, -np.inf))
    found[1][is_wide & may_go_on & ~(goes_on & goes_far)] = best + MISSING_SCORE
    is_whole = is_wide & ~is_lost & goes_on & goes_far
    points = np.where(is_whole, (first & 0x0F) << 12 | (second & 0x3F) << 6 | third & 0x3F, 0)
    is_filled = is_wide & may_go_on & may_go_far
    found[2] = np.where(is_whole, table[points], np.where(is_filled, best + FILL_SCORE, -np.inf))
    found[1:][:, is_long & may_go_on] = BROKEN_SCORE
    return found


# ---- the search ----------------------------------------------------------------------------------------------


class _Grid(NamedTuple):
    """Segments, the longest first, side by side: the units of the same place stand together.

    order    per segment of the grid: its number
    widths   per place: how many segments have a unit there
    offsets  per place: where its units are in the grid
    at       per unit: where it is in the grid
    """

    order: Places
    widths: list[int]
    offsets: list[int]
    at: Places

    @classmethod
    def of(cls, sizes: Places) -> _Grid:
        order = np.argsort(-sizes, kind="stable")
        place = np.arange(int(sizes.sum())) - (sizes.cumsum() - sizes).repeat(sizes)
        widths = len(sizes) - np.sort(sizes).searchsorted(np.arange(int(sizes.max())), "right")
        offsets = widths.cumsum() - widths
        rank = np.empty(len(order), np.int64)
        rank[order] = np.arange(len(order))
        return cls(order, widths.tolist(), offsets.tolist(), offsets[place] + rank.repeat(sizes))


class _Steps(NamedTuple):
    """How the best ways go, in the grid.

    entered     per unit: whether a stretch begins there in the best way that reads it
    stayed      per unit: whether the character before stays in the best way that keeps it
    lengths     per unit: of the reading that ends with it in the best way that reads it
    is_kept     per segment: whether its last character stays
    gained      per segment: how much likelier the best way is than to keep all characters
    """

    entered: Marks
    stayed: Marks
    lengths: NDArray[np.uint8]
    is_kept: Marks
    gained: Scores


def _search(grid: _Grid, enter: Scores, leave: Scores, stay: Scores, scores: Scores) -> _Steps:
    """misreadings._stretches, all segments at once.

    enter, leave  per unit: log P of beginning a stretch there, of keeping what follows
    stay          as in Units
    scores        (lengths, units): log P of readings
    """
    size, count = len(stay), len(grid.order)
    entered, stayed, lengths = np.empty(size, bool), np.empty(size, bool), np.empty(size, np.uint8)
    is_kept, gained = np.empty(count, bool), np.empty(count)
    kept, unchanged, taken = np.zeros(count), np.zeros(count), np.full(count, -np.inf)
    ahead = np.full((len(scores), count), -np.inf)  # the best ways to the places ahead
    by = np.zeros(ahead.shape, np.uint8)  # and the lengths of their last readings
    steps = np.arange(1, len(scores) + 1, dtype=np.uint8)[:, None]
    widths = [*grid.widths, 0]
    for place, (begin, width) in enumerate(zip(grid.offsets, grid.widths, strict=True)):
        own = slice(begin, begin + width)
        kept, unchanged, taken = kept[:width], unchanged[:width], taken[:width]
        entering = kept + enter[own]
        np.greater(entering, taken, out=entered[own])
        np.greater_equal(kept, taken, out=stayed[own])
        score = np.maximum(entering, taken)
        kept = np.maximum(kept, taken + leave[own]) + stay[own]
        unchanged = unchanged + stay[own]
        total = score + scores[:, own]
        ahead, by = ahead[:, :width], by[:, :width]
        np.copyto(by, steps, where=total > ahead)
        np.maximum(total, ahead, out=ahead)
        lengths[own] = by[0]
        taken = ahead[0].copy()
        ahead[:-1], ahead[-1], by[:-1] = ahead[1:], -np.inf, by[1:]
        done = slice(widths[place + 1], width)
        is_kept[done] = kept[done] >= taken[done]
        gained[done] = np.maximum(kept[done], taken[done]) - unchanged[done]
    return _Steps(entered, stayed, lengths, is_kept, gained)


def _ahead(units: Places, sizes: Places) -> list[Places]:
    """Per unit the unit itself and those behind it, as codes, NONE behind the last one of its segment."""
    ends = sizes.cumsum()
    places = [units]
    for _ in range(1, WINDOW):
        places.append(np.append(places[-1][1:], NONE))
        places[-1][ends - 1] = NONE
    return places


class _Segments(NamedTuple):
    """Segments one after another, and side by side.

    own     per unit of them: its number among all units
    sizes   per segment
    codes   per unit: the byte, or LOST_CODE
    places  those and what follows, see _ahead
    firsts, stay  as in Units
    grid    where the units are in the grid
    unit    per place in the grid: its unit
    """

    own: Places
    sizes: Places
    codes: Places
    places: list[Places]
    firsts: Marks
    stay: Scores
    grid: _Grid
    unit: Places

    @classmethod
    def of(cls, units: Units, bounds: NDArray[np.int64]) -> _Segments:
        starts, ends = bounds.T
        sizes = ends - starts
        own = np.arange(int(sizes.sum())) + (starts - (sizes.cumsum() - sizes)).repeat(sizes)
        codes = units.array.astype(np.int64)[own]
        codes[codes == LOST] = LOST_CODE
        grid = _Grid.of(sizes)
        unit = np.empty(len(own), np.int64)
        unit[grid.at] = np.arange(len(own))
        firsts, stay = units.first_array[own], units.stay_array[own]
        return cls(own, sizes, codes, _ahead(codes, sizes), firsts, stay, grid, unit)

    def search(self, scores: Scores, is_bound: bool = False) -> _Steps:
        """scores: (lengths, units).  is_bound: no repair is to gain more; to begin a stretch costs nothing, and a byte
        of ASCII at its end may be left where it was (misreadings.trimmed)"""
        enter = np.where(self.firsts, 0.0 if is_bound else ENTER_SCORE, -np.inf)
        leave = np.where(self.firsts | (is_bound & (self.codes < 0x80)), 0.0, -np.inf)
        return _search(self.grid, enter[self.unit], leave[self.unit], self.stay[self.unit], scores[:, self.unit])


class _Ways(NamedTuple):
    """The readings of the likeliest ways, sorted by place.

    firsts    per reading: its first unit
    sizes     per reading: its units
    rows      per reading: its row among `known`
    heads     the readings with which a stretch begins
    """

    firsts: Places
    sizes: Places
    rows: Places
    heads: Places
    known: _Readings

    @property
    def scores(self) -> Scores:
        return self.known.scores[self.rows, self.sizes - 1]

    @property
    def points(self) -> Places:
        return self.known.points[self.rows, self.sizes - 1]

    def of(self, heads: Places, tails: Places, before: Sequence[str], after: Sequence[str]) -> Readings:
        """The readings [head, tail) of stretches, sorted and apart from each other; with the characters around them."""
        some = of_ranges(heads, tails)
        rows, lengths = self.rows[some], self.sizes[some]
        at = rows, lengths - 1
        numbers = self.known.filled[at].nonzero()[0].tolist()
        filled = [(i, self.known.reading(int(rows[i]), int(lengths[i]))) for i in numbers]
        texts = list(text_of(self.known.points[at]))
        starts = (tails - heads).cumsum() - (tails - heads)
        return Readings(starts, before, after, self.firsts[some], lengths, texts, filled)


def _ways(units: Units, bounds: Sequence[Part], read: str, written: str) -> _Ways | None:
    if not bounds:
        return None
    segments = _Segments.of(units, np.array(bounds, np.int64))
    own, sizes, _, places, firsts, _, grid, unit = segments
    known = _known_readings(read, written)
    rows = known.rows(places)
    steps = segments.search(known.scores[rows].T)
    first, length, begins = _back(grid, steps, firsts[unit], sizes[grid.order])
    if not len(first):
        return None
    first = unit[first]
    order = np.argsort(first)
    first = first[order]
    return _Ways(own[first], length[order], rows[first], begins[order].nonzero()[0], known)


def _believed(text: str, units: Units, ways: _Ways, read: str) -> list[tuple[int, int, float]]:
    """The stretches that misreadings.trimmed leaves and misreadings.is_believed believes: first reading, the one
    behind the last, and gain."""
    points, scores = ways.points, ways.scores
    is_wide = points >= 0x80
    wide = is_wide.nonzero()[0]
    wides = wide.searchsorted(np.append(ways.heads, len(points)))
    some = (np.diff(wides) > 0).nonzero()[0]
    heads, tails, counts = wide[wides[some]], wide[wides[some + 1] - 1] + 1, np.diff(wides)[some]
    is_sure = is_wide & (points != ord(LOST_CHAR))
    sure, sure_scores = sums_before(is_sure), sums_before(np.where(is_sure, scores, 0.0))
    sures = sure[tails] - sure[heads]
    means = (sure_scores[tails] - sure_scores[heads]) / np.maximum(sures, 1)
    lowest = np.where(sures >= NOT_SHORT, LOWEST_MEAN, LOWEST_MEAN_SHORT)
    first, stops = ways.firsts[heads], ways.firsts[tails - 1] + ways.sizes[tails - 1]
    begins = first - ~units.first_array[first]
    all_scores, stay = sums_before(scores), sums_before(units.stay_array)
    gains = all_scores[tails] - all_scores[heads] - (stay[stops] - stay[begins])
    olds, in_order = _old(text, units.char_array[first], units.char_array[stops - 1] + 1)
    is_good = (gains >= LEAST_GAIN - CLOSE) & (olds >= LEAST_OLD[read]) & ~in_order
    is_good &= (sures >= 2) & (sures >= LEAST_SURE * counts) & (means >= lowest - CLOSE)
    if read == LATIN:
        twos = sums_before(is_wide[1:] & is_wide[:-1])
        together = twos[tails - 1] - twos[heads]
        is_good &= (together > 0) & (2 * together >= counts - 1)
    numbers = is_good.nonzero()[0]
    all_places = (heads, tails, begins, stops)
    told = [of[numbers].tolist() for of in (*all_places, np.abs(means - lowest) < CLOSE, lowest, sures)]
    scores_told = scores.tolist()
    found: list[tuple[int, int, float]] = []
    short: dict[int, str] = {}
    for head, tail, begin, stop, is_open, least, count in zip(*told, strict=True):
        gain = sum(scores_told[head:tail]) - sum(units.stay_array[begin:stop].tolist())
        if gain < LEAST_GAIN:
            continue
        if is_open and sum(scores[head:tail][is_sure[head:tail]].tolist()) / count < least:
            continue
        if read != LATIN and count < LONG:
            short[len(found)] = text_of(points[head:tail][is_sure[head:tail]])
        found.append((head, tail, gain))
    are_likely = dict(zip(short, are_likely_pairs(list(short.values())), strict=True))
    return [one for i, one in enumerate(found) if are_likely.get(i, True)]


def _old(text: str, starts: Places, ends: Places) -> tuple[Places, Marks]:
    """For parts of a text: how many of its characters are not ASCII, and whether these come in the order of a code
    table."""
    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4")
    foreign = points >= 0x80
    before, own = sums_before(foreign), points[foreign]
    follow = sums_before(own[1:] == own[:-1] + 1)
    first, behind = before[starts], before[ends]
    counts = behind - first
    return counts, follow[np.maximum(behind - 1, first)] - follow[first] > (counts - 1) / 2


def _back(grid: _Grid, steps: _Steps, firsts: Marks, sizes: Places) -> tuple[Places, Places, Marks]:
    """The readings of the best ways, in any order: per reading its first unit, in the grid, its length, and whether a
    stretch begins with it."""
    offsets = np.array(grid.offsets)
    number = (steps.gained > 0).nonzero()[0]
    place, is_kept = sizes[number], steps.is_kept[number]
    found = [(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, bool))]
    while len(number):
        last = offsets[place - 1] + number
        length = np.where(is_kept, 2 - firsts[last], steps.lengths[last])
        place = place - length
        at = offsets[place] + number
        entered = steps.entered[at]
        read = ~is_kept
        found.append((at[read], length[read], entered[read]))
        is_kept = np.where(is_kept, steps.stayed[at], entered)
        left = place > 0
        number, place, is_kept = number[left], place[left], is_kept[left]
    firsts_found, lengths, begins = zip(*found, strict=True)
    return np.concatenate(firsts_found), np.concatenate(lengths), np.concatenate(begins)
