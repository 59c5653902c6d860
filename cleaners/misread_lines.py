"""Misread lines: the repairs of all lines of a document together, where a line was misread from end to end.

Then the likeliest reading is the one that reads every byte, and nothing has to be searched but the few places that
lost some: what stands there is looked up, and one look at all lines proves that no way that keeps characters in
between would have been likelier (docs/decisions/0048). Other lines go to the search of misreadings.py, which finds
the same for these, too.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import misread_search, statistics
from .misread_pieces import Piece, Reading, Readings, of_ranges, pieces, sums_before, text_of
from .misread_strict import CLEARLY, strict_repairs
from .misread_units import (
    ASTRAL,
    BIG5,
    BROKEN_BYTE_SCORE,
    ENTER_SCORE,
    GB,
    LATIN,
    LATIN_SCORE,
    LOST,
    LOST_CHAR,
    ROUNDING,
    RUN,
    UTF8,
    Marks,
    Places,
    Scores,
    chain_scores,
    kept_scores,
    widths,
)
from .misreadings import (
    LEAST_GAIN,
    LEAST_OLD,
    LEAST_SURE,
    LONG,
    LOWEST_MEAN,
    LOWEST_MEAN_SHORT,
    NOT_SHORT,
    Asked,
    Repair,
    are_likely_pairs,
    readings_at,
)
from .remembered import Remembered

Points = NDArray[np.uint32]

LONGEST = 20_000  # characters: longer lines are searched
MOST_FRUITLESS = 10_000  # characters of a document that are searched in vain
LONGEST_SPOT = 32  # characters; the ways over spots are remembered
CLEAR_GAIN = LEAST_GAIN + 20  # what gains less is searched
FAR = 1e6  # more than the scores of a line
_LOST_CODE = ord(LOST_CHAR)


class Search:
    """How much of a document is searched for what lost bytes. A search costs a thousand times what it costs to clean
    prose, so it ends where it finds nothing: behind MOST_FRUITLESS characters in vain, and as many as were repaired."""

    def __init__(self, limited: bool = True) -> None:
        """limited  False: of lines of many documents all are searched; `in_vain` tells, by line, of how many characters
        that was"""
        self._left: float = MOST_FRUITLESS if limited else np.inf
        self.in_vain: dict[str, int] = {}

    def repairs(self, asked: Sequence[Asked]) -> list[Repair | None]:
        """The repairs of lines; none when the search has ended."""
        found: list[Repair | None] = []
        while len(found) < len(asked) and self._left > 0:
            found += self._some(asked[len(found) :])
        return found + [None] * (len(asked) - len(found))

    def _some(self, asked: Sequence[Asked]) -> Iterator[Repair | None]:
        """The repairs of the first lines, of those that are searched even if all that is before is in vain."""
        sizes = np.array([one.size for one in asked]).cumsum()
        some = asked[: int(sizes.searchsorted(self._left)) + 1]
        for one, found in zip(some, _searched(some), strict=True):
            if found:
                self.succeed(one)
            else:
                self._left -= one.size
                self.in_vain[one.line] = self.in_vain.get(one.line, 0) + one.size
            yield found

    def succeed(self, asked: Asked) -> None:
        """A line is repaired: where damage can be repaired, more of it is looked for."""
        self._left += asked.size


def best_repairs(
    asked: Sequence[Asked], search: Search | None = None, least: Sequence[float] | None = None
) -> list[Repair | None]:
    """For each line the likeliest repair; None when there is none.

    search  of the document that the lines are of; None: a new one
    least   per line: only what gains more is wanted
    """
    search = search or Search()
    found: list[Repair | None] = [None] * len(asked)
    hopeless = _hopeless(asked, least) if least else set()
    alike: dict[str, list[int]] = {}
    for number, one in enumerate(asked):
        if number not in hopeless:
            alike.setdefault(one.read, []).append(number)
    for read, numbers in alike.items():
        for number, repair in zip(numbers, strict_repairs([asked[number] for number in numbers], read), strict=True):
            found[number] = repair
        lines = [line for number in numbers if not found[number] and (line := _line(number, asked[number]))]
        for line, whole in _repairs(lines, read) if lines else ():
            found[line.number] = whole
    for one, repair in zip(asked, found, strict=True):
        if repair:
            search.succeed(one)
    left = [number for number, repair in enumerate(found) if repair is None and number not in hopeless]
    for number, searched in zip(left, search.repairs([asked[number] for number in left]), strict=True):
        found[number] = searched
    return found


def _hopeless(asked: Sequence[Asked], least: Sequence[float]) -> set[int]:
    """The numbers of the lines of which no repair can gain more than is wanted."""
    numbers: dict[str, list[int]] = {}
    for number, (one, gain) in enumerate(zip(asked, least, strict=True)):
        if gain > 0:
            numbers.setdefault(one.read, []).append(number)
    found = set()
    for read, own in numbers.items():
        most = misread_search.most_gained([asked[number] for number in own], read).tolist()
        found |= {number for number, gain in zip(own, most, strict=True) if gain + CLEARLY < least[number]}
    return found


def _searched(asked: Sequence[Asked]) -> list[Repair | None]:
    """What the search finds; it is remembered, as what cannot be repaired is asked again when the document settles."""
    new = [one for one in dict.fromkeys(asked) if one not in _known]
    found: dict[Asked, Repair | None] = {}
    for read in sorted({one.read for one in new}):
        some = [one for one in new if one.read == read]
        found.update(zip(some, misread_search.best_repairs(some, read), strict=True))
    told = [found[one] if one in found else _known[one] for one in asked]
    _known.update(found)
    return told


_known: Remembered[Asked, Repair | None] = Remembered(lambda asked: len(asked.line))


# ---- lines as bytes ------------------------------------------------------------------------------------------


class _Line(NamedTuple):
    """A line of which one part holds nothing but characters of one or two bytes of the codec that it was read in.

    number  of the line among those that were asked
    start   of the part in the line
    old     the part
    new     its bytes read as UTF-8; those that are none are surrogates, and what was lost is the byte FF
    spots   what stands between the runs of new (see misread_units.Runs): first, behind, and the ways over it
    """

    number: int
    line: str
    start: int
    old: str
    new: str
    spots: list[tuple[int, int, _Crossing]]


def _line(number: int, asked: Asked) -> _Line | None:
    """None: it has to be searched."""
    if asked.read == BIG5 or len(asked.parts) != 1 or len(asked.line) > LONGEST:
        return None
    start, end = asked.parts[0]
    old = asked.line[start:end]
    raw = _latin_bytes(old) if asked.read == LATIN else _gb_bytes(old)
    new = raw.decode(UTF8, "surrogateescape")
    spots = _spots(new, asked.read)
    return _Line(number, asked.line, start, old, new, spots) if spots else None


@cache
def _cp1252() -> Any:
    """For codecs.charmap_encode: cp1252, with control characters at the bytes that it does not know, and what is lost
    at FF."""
    chars = [bytes([byte]).decode(LATIN, "ignore") or chr(byte) for byte in range(0xFF)] + [LOST_CHAR]
    return codecs.charmap_build("".join(chars))


def _latin_bytes(old: str) -> bytes:
    """Empty when other characters are among them, or the one of the byte that stands for lost ones."""
    if "ÿ" in old:
        return b""
    try:
        return old.encode("latin-1")
    except UnicodeEncodeError:
        pass
    try:
        return codecs.charmap_encode(old, "strict", _cp1252())[0]
    except UnicodeEncodeError:
        return b""


def _gb_bytes(old: str) -> bytes:
    """Empty when characters of one or four bytes are among them that are not ASCII."""
    if "€" in old:
        return b""
    try:
        if "\0" in old:
            raw = b"\xff".join([piece.encode(GB) for piece in old.split(LOST_CHAR)])
        else:
            raw = old.replace(LOST_CHAR, "\0").encode(GB).replace(b"\0", b"\xff")
    except UnicodeEncodeError:
        return b""
    ascii_size = len(old.encode("ascii", "ignore"))
    return raw if len(raw) == 2 * len(old) - ascii_size - old.count(LOST_CHAR) else b""


# ---- what lost bytes -----------------------------------------------------------------------------------------


def _spots(new: str, read: str) -> list[tuple[int, int, _Crossing]]:
    """Empty when there are no runs, when more than LONGEST_SPOT characters stand between them, or when most of the
    characters are in none: then it is not likely that all of it was misread."""
    spots = []
    done = 0
    runs = [run.span() for run in RUN[read].finditer(new)]
    if 2 * sum([behind - first for first, behind in runs]) < len(new):
        return []
    for first, behind in runs:
        if first > done + LONGEST_SPOT:
            return []
        if first > done:
            # of Latin letters it does not matter what follows
            following = 0 if read == LATIN else ord(new[first]) >> 12
            spots.append((done, first, _crossing(new[done:first], following, read, done == 0, False)))
        done = behind
    if len(new) > done + LONGEST_SPOT:
        return []
    if done and done < len(new):
        spots.append((done, len(new), _crossing(new[done:], 0, read, False, True)))
    return spots


class _Crossing(NamedTuple):
    """The likeliest way to read all bytes of a spot.

    places    of the readings: their first units
    sizes     of the readings, in units
    text      a character for each of them
    filled    those of which bytes were filled in, by their numbers
    score     log P
    inner     for the units inside the spot: a potential, and whether a reading may end there
    counts    readings that are not ASCII, those of them that are not lost, and log P of these
    is_best   among Latin letters: whether no way that keeps some of them is as likely
    """

    places: tuple[int, ...]
    sizes: tuple[int, ...]
    text: str
    filled: tuple[tuple[int, Reading], ...]
    score: float
    inner: tuple[tuple[float, bool], ...]
    counts: tuple[int, int, float]
    is_best: bool


@lru_cache(1 << 13)
def _crossing(spot: str, following: int, read: str, is_first: bool, is_last: bool) -> _Crossing:
    """is_first, is_last: does the line begin or end with it?
    following: the upper half of the code of the character behind, of three bytes; 0 when there is none.

    A potential: no reading from one unit to another is likelier than the difference. It is log P of the best way from
    the beginning, or, if the spot is the first of a line, the score less log P of the best way to the end."""
    units = list(spot.encode(UTF8, "surrogateescape"))
    units = [LOST if unit == _LOST_BYTE else unit for unit in units]
    size = len(units)
    if following:
        units.append(0xE0 | following)
    best, back = [0.0] + [-np.inf] * size, [(0, _NOTHING)] * (size + 1)
    found = [readings_at(units, at, read) for at in range(size)]
    for at, readings in enumerate(found):
        for reading in readings:
            end, score = at + reading.length, best[at] + reading.score
            if score > best[end]:
                best[end], back[end] = score, (at, reading)
    way = []
    at = size
    while at:
        way.append(back[at])
        at = back[at][0]
    is_best = read == LATIN and _is_best(units, found, best, is_first, is_last)
    ends = [score > -np.inf for score in best]
    for at in range(size - 1, 0, -1):
        if is_first or not ends[at]:
            best[at] = min([best[at + reading.length] - reading.score for reading in found[at]])
        if not ends[at]:  # readings of one byte alone are never better than what stays
            ends[at] = any(reading.length > 1 for reading in found[at])
    wide = [reading for _, reading in way if reading.text >= "\x80"]
    sure = [reading.score for reading in wide if reading.text != LOST_CHAR]
    inner = tuple(zip(best[1:size], ends[1:size], strict=True))
    places, readings = zip(*way[::-1], strict=True)
    return _Crossing(
        places,
        tuple([reading.length for reading in readings]),
        "".join([reading.text for reading in readings]),
        tuple([(i, reading) for i, reading in enumerate(readings) if reading.candidates]),
        best[size],
        inner,
        (len(wide), len(sure), sum(sure)),
        is_best,
    )


def _is_best(
    units: list[int], found: list[tuple[Reading, ...]], best: list[float], is_first: bool, is_last: bool
) -> bool:
    """Whether a way over Latin letters that keeps some is less likely than the best one that reads all bytes.

    In the runs around the spot that one is the likeliest (misread_units.Runs.end). So a way that keeps letters is no
    likelier where the spot begins, and comes back where it ends, or keeps all of a run (see _gains_of_letters). A line
    may begin and end with letters that stay; of ASCII it makes no difference."""
    size = len(found)
    ascii_only = bytes([unit if 0 <= unit < 0x80 else 0xFF for unit in units]).decode("latin-1")
    head = size - len(ascii_only.lstrip(_ASCII_CHARS)) if is_first else -1
    tail = len(ascii_only.rstrip(_ASCII_CHARS)) if is_last else size
    stay = kept_scores(LATIN)
    kept = [-ENTER_SCORE if is_first else 0.0] + [-np.inf] * size
    back = [-np.inf] * (size + 1)
    for at, readings in enumerate(found):
        last = max(kept[at], back[at], best[at] if at < tail else -np.inf)
        kept[at + 1] = last + (float(stay[units[at]]) if 0 <= units[at] < 0x80 else LATIN_SCORE)
        score = max(back[at], kept[at] + ENTER_SCORE if at > head else -np.inf)
        for reading in readings:
            back[at + reading.length] = max(back[at + reading.length], score + reading.score)
    return max(back[size], kept[size] + (0.0 if is_last else ENTER_SCORE)) < best[size] - ROUNDING


_ASCII_CHARS = "".join(map(chr, range(0x80)))
_LOST_BYTE = 0xFF
_NOTHING = Reading(0, "", 0.0)


# ---- all lines together --------------------------------------------------------------------------------------


class _Page(NamedTuple):
    """Lines one after another, each with a line break behind it that is one unit.

    size     units of all lines
    text     all lines
    begins   per line: its first character; ends: the line break
    points   per character: its code
    sizes    per character: its units, and units: the first of them
    """

    size: int
    text: str
    begins: Places
    ends: Places
    points: Points
    sizes: Places
    units: Places

    @classmethod
    def of(cls, texts: Sequence[str], read: str) -> _Page:
        """read: the codec that makes the units; UTF8 for text whose surrogates are bytes that are none."""
        text = "".join([f"{text}\n" for text in texts])
        points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4")
        if read == UTF8:
            sizes = widths()[np.minimum(points, ASTRAL)]
        elif read == GB:
            sizes = 1 + ((points >= 0x80) & (points != _LOST_CODE))
        else:
            sizes = np.ones(len(points), np.int64)
        behind = np.cumsum([len(one) + 1 for one in texts])
        ends = behind - 1
        begins = np.concatenate([[0], behind[:-1]])
        units = sizes.cumsum()
        return cls(int(units[-1]), text, begins, ends, points, sizes, units - sizes)

    def sums(self, of: NDArray[Any]) -> Scores:
        """Per line the sum of a number per character."""
        return np.add.reduceat(of.astype(float), self.begins)


def _repairs(lines: Sequence[_Line], read: str) -> Iterator[tuple[_Line, Repair]]:
    """The repairs of those lines whose likeliest reading is that of all bytes."""
    old, new = _Page.of([line.old for line in lines], read), _Page.of([line.new for line in lines], UTF8)
    ways = _Ways.of(lines, new, read)
    gains, is_best = _gains(old, new, ways, read)
    is_best &= (gains >= CLEAR_GAIN) & _is_believed(lines, old, new, ways, read)
    numbers = is_best.nonzero()[0]
    if len(numbers):
        yield from _whole(lines, numbers, gains, old, _Bytes.of(new, ways, is_best), read)


class _Ways(NamedTuple):
    """The likeliest way over all bytes of lines.

    lines    per spot: the number of its line
    firsts   per spot: its first character
    behinds  per spot: the character behind it
    spots    the ways over them
    scores   per character: log P of it in a run
    before   per character of a run, and for the first of a spot: log P of the way to it, from any beginning
    """

    lines: Places
    firsts: Places
    behinds: Places
    spots: list[_Crossing]
    scores: Scores
    before: Scores

    @property
    def are_best(self) -> Marks:
        return np.array([spot.is_best for spot in self.spots], bool)

    @classmethod
    def of(cls, lines: Sequence[_Line], new: _Page, read: str) -> _Ways:
        own = [(i, first, behind) for i, line in enumerate(lines) for first, behind, _ in line.spots]
        places = np.array(own, np.int64).reshape(-1, 3)
        begins = new.begins[places[:, 0]]
        firsts, behinds = begins + places[:, 1], begins + places[:, 2]
        spots = [spot for line in lines for _, _, spot in line.spots]
        scores = chain_scores(read)[np.minimum(new.points, ASTRAL)]
        before = scores.cumsum() - scores
        # of a spot not its characters count, but the way over it
        instead = np.zeros(len(before))
        instead[behinds] = np.array([spot.score for spot in spots]) - (before[behinds] - before[firsts])
        return cls(places[:, 0], firsts, behinds, spots, scores, before + instead.cumsum())


def _gains(old: _Page, new: _Page, ways: _Ways, read: str) -> tuple[Scores, Marks]:
    """Per line how much likelier it is if all bytes are read than if all characters stay, and whether no other way is
    likelier: none that keeps some characters in between, or at an end of the line (docs/decisions/0048)."""
    stay = kept_scores(read)[np.minimum(old.points, statistics.OUTSIDE)].astype(float)
    if read == LATIN:
        return _gains_of_letters(new, ways, stay)
    likely, may_end = _likely_before(new, ways)
    gains = likely[old.units] - (stay.cumsum() - stay)
    counts = old.ends - old.begins + 1
    gains -= gains[old.begins].repeat(counts)
    left = np.where(may_end[old.units], gains, -np.inf)
    apart = (np.arange(len(counts)) * FAR).repeat(counts)  # what is higher in a line before is not higher here
    highest = np.maximum.accumulate(left + apart) - apart
    is_worse = np.logical_or.reduceat(highest - gains >= -ENTER_SCORE - ROUNDING, old.begins)
    total = gains[old.ends]
    # at the ends, where ASCII stays as it is, all ways are alike
    first, last = _outermost(old)
    number = np.arange(len(gains))
    is_later = number > first.repeat(counts)
    is_worse |= np.logical_or.reduceat(is_later & (gains <= ROUNDING), old.begins)
    is_earlier = number <= last.repeat(counts)
    is_worse |= np.logical_or.reduceat(is_earlier & (left >= total.repeat(counts) - ROUNDING), old.begins)
    return total, ~is_worse


def _gains_of_letters(new: _Page, ways: _Ways, stay: Scores) -> tuple[Scores, Marks]:
    """`_gains` of Latin letters, each one unit: who keeps some leaves the way in a spot and is back before a run ends,
    if each run costs him more than coming back."""
    gains = ways.before - (stay.cumsum() - stay)[new.units]
    starts = np.sort(np.concatenate([new.begins, ways.behinds]))  # of the runs, one of them before each spot
    stops = np.sort(np.concatenate([ways.firsts, new.ends]))
    is_cheap = (starts < stops) & (gains[stops] - gains[starts] < -ENTER_SCORE + ROUNDING)
    lines = np.concatenate([new.begins.searchsorted(starts[is_cheap], "right") - 1, ways.lines[~ways.are_best]])
    return gains[new.ends] - gains[new.begins], np.bincount(lines, minlength=len(new.begins)) == 0


def _outermost(old: _Page) -> tuple[Places, Places]:
    """Per line the first and the last character that is no ASCII."""
    foreign = (old.points >= 0x80).nonzero()[0]
    return foreign[foreign.searchsorted(old.begins)], foreign[foreign.searchsorted(old.ends) - 1]


def _likely_before(new: _Page, ways: _Ways) -> tuple[Scores, Marks]:
    """Per unit log P of the likeliest way to it from any beginning, and whether a reading may end there.

    Inside a character of a run none ends. There so much is told that no way from there on is better."""
    behind = (new.units + new.sizes).repeat(new.sizes)
    likely = (ways.before + ways.scores).repeat(new.sizes) - BROKEN_BYTE_SCORE * (behind - np.arange(new.size))
    likely[new.units] = ways.before
    may_end = np.zeros(new.size, bool)
    may_end[new.units] = True
    counts = np.array([len(spot.inner) for spot in ways.spots], np.int64)
    inside = new.units[ways.firsts] + 1 - (counts.cumsum() - counts)
    at = inside.repeat(counts) + np.arange(counts.sum())
    inner = np.array([score for spot in ways.spots for score in spot.inner]).reshape(-1, 2).T
    likely[at] = ways.before[ways.firsts].repeat(counts) + inner[0]
    may_end[at] = inner[1] > 0
    return likely, may_end


def _is_old(old: _Page, read: str) -> Marks:
    """Per line whether enough of it is no ASCII, and that not in the order of a code table."""
    foreign = (old.points >= 0x80).nonzero()[0]
    points, line_of = old.points[foreign], old.begins.searchsorted(foreign, "right") - 1
    follows = (points[1:] == points[:-1] + 1) & (line_of[1:] == line_of[:-1])
    foreigns = np.bincount(line_of, minlength=len(old.begins))
    in_order = np.bincount(line_of[1:][follows], minlength=len(old.begins)) > (foreigns - 1) / 2
    found: Marks = (foreigns >= LEAST_OLD[read]) & ~in_order
    return found


def _is_believed(lines: Sequence[_Line], old: _Page, new: _Page, ways: _Ways, read: str) -> Marks:
    """Per line whether it passes the tests of misreadings.is_believed that look at more than its text."""
    wide = new.points >= 0x80
    for_spots = np.array([spot.counts for spot in ways.spots]).T

    def with_spots(per_char: NDArray[Any], per_spot: Scores) -> Scores:
        """Per line a sum over the characters of runs and the readings of spots."""
        before = np.concatenate([[0.0], per_char.cumsum()])
        instead = per_spot - (before[ways.behinds] - before[ways.firsts])
        return new.sums(per_char) + np.bincount(ways.lines, instead, minlength=len(lines))

    everything, sure = with_spots(wide, for_spots[0]), with_spots(wide, for_spots[1])
    score = with_spots(np.where(wide, ways.scores, 0.0), for_spots[2])
    lowest = np.where(sure >= NOT_SHORT, LOWEST_MEAN, LOWEST_MEAN_SHORT)
    found: Marks = _is_old(old, read) & (sure >= 2) & (sure >= LEAST_SURE * everything) & (score >= lowest * sure)
    return found


# ---- repairs ---------------------------------------------------------------------------------------------------


class _Bytes(NamedTuple):
    """All bytes of lines, as they are read in the likeliest way: per reading its first unit, its units, and the code of
    its character; and the readings of which bytes were filled in, by their numbers."""

    units: Places
    sizes: Places
    points: Points
    filled: list[tuple[int, Reading]]

    @classmethod
    def of(cls, new: _Page, ways: _Ways, is_wanted: Marks) -> _Bytes:
        """is_wanted: which lines"""
        steps = np.zeros(len(new.points), np.int8)
        steps[ways.firsts], steps[ways.behinds] = 1, -1
        is_run = is_wanted.repeat(new.ends - new.begins + 1) & (steps.cumsum(dtype=np.int8) == 0)
        is_run[new.ends] = False
        runs = is_run.nonzero()[0]
        some = is_wanted[ways.lines].nonzero()[0]
        spots = [ways.spots[i] for i in some.tolist()]
        counts = np.array([len(spot.text) for spot in spots], np.int64)
        firsts = new.units[ways.firsts[some]].repeat(counts)
        units = np.concatenate([new.units[runs], firsts + [place for spot in spots for place in spot.places]])
        sizes = np.concatenate([new.sizes[runs], [size for spot in spots for size in spot.sizes]])
        points = np.concatenate([new.points[runs], statistics.codes("".join([spot.text for spot in spots]))])
        order = np.argsort(units, kind="stable")
        number = np.empty(len(order), np.int64)
        number[order] = np.arange(len(order))
        starts = number[len(runs) + counts.cumsum() - counts].tolist()
        filled = [(at + i, one) for at, spot in zip(starts, spots, strict=True) for i, one in spot.filled]
        return cls(units[order], sizes[order].astype(np.int64), points[order].astype(np.uint32), filled)


def _whole(
    lines: Sequence[_Line], numbers: Places, gains: Scores, old: _Page, raw: _Bytes, read: str
) -> Iterator[tuple[_Line, Repair]]:
    """The repairs of lines all of whose bytes are read, without ASCII at their ends.

    numbers  of these lines
    gains    per line
    """
    is_wide = raw.points >= 0x80
    wide = is_wide.nonzero()[0]
    line_of = old.units[old.begins].searchsorted(raw.units[wide], "right") - 1
    heads, tails = wide[line_of.searchsorted(numbers)], wide[line_of.searchsorted(numbers, "right") - 1] + 1
    firsts, behind = raw.units[heads], raw.units[tails - 1] + raw.sizes[tails - 1]
    is_first = np.zeros(old.size, bool)
    is_first[old.units] = True
    # else a byte of ASCII belongs to a character before it
    is_good = is_first[behind] & _are_texts(raw.points, is_wide, heads, tails, read)
    numbers, heads, tails, firsts, behind = [of[is_good] for of in (numbers, heads, tails, firsts, behind)]
    if not len(numbers):
        return
    chars = np.arange(len(old.points)).repeat(old.sizes)
    shifts = np.array([line.start for line in lines]) - old.begins  # from places among all lines to those in a line
    own = [lines[i] for i in numbers.tolist()]
    first, end = (chars[firsts] + shifts[numbers]).tolist(), (chars[behind] + shifts[numbers]).tolist()
    before = [line.line[at - 1 : at] or statistics.BOUNDARY for line, at in zip(own, first, strict=True)]
    after = [line.line[at : at + 1] or statistics.BOUNDARY for line, at in zip(own, end, strict=True)]
    some = of_ranges(heads, tails)
    place = np.full(len(raw.points), -1)
    place[some] = np.arange(len(some))
    filled = [(at, reading) for i, reading in raw.filled if (at := int(place[i])) >= 0]
    starts = (tails - heads).cumsum() - (tails - heads)
    texts = list(text_of(raw.points[some]))
    readings = Readings(starts, before, after, raw.units[some], raw.sizes[some], texts, filled)
    found: list[list[Piece]] = [[] for _ in own]
    for i, piece in pieces(old.text, readings, chars, is_first, -shifts[numbers]):
        found[i].append(piece)
    for line, own_pieces, gain in zip(own, found, gains[numbers].tolist(), strict=True):
        if sum([piece.end - piece.start for piece in own_pieces]) > len(line.old) / 2:
            yield line, Repair(UTF8, read, tuple(own_pieces), gain)


def _are_texts(points: Points, is_wide: Marks, heads: Places, tails: Places, read: str) -> Marks:
    """Per stretch of readings the other tests of misreadings.is_believed."""
    if read == LATIN:
        twos, wides = sums_before(is_wide[1:] & is_wide[:-1]), sums_before(is_wide)
        together = twos[tails - 1] - twos[heads]
        found: Marks = (together > 0) & (2 * together >= wides[tails] - wides[heads] - 1)
        return found
    is_sure = is_wide & (points != _LOST_CODE)
    sure = sums_before(is_sure)
    found = sure[tails] - sure[heads] >= LONG
    short = (~found).nonzero()[0]
    own = [slice(head, tail) for head, tail in zip(heads[short].tolist(), tails[short].tolist(), strict=True)]
    found[short] = are_likely_pairs([text_of(points[one][is_sure[one]]) for one in own])
    return found
