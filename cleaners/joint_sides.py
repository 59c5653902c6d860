"""Joint sides: what the model of joints.py reads of lines, for many of them at once.

One by one a line takes some 25 µs, most of it for calls. Here the lines are put together, and a table of characters
tells where marks, spaces and ideographs stand; patterns are tried only on lines with a character that they need. The
numbers are those of `joints.Side`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .hard_wraps import HAN_OF_ITEMS, ITEM_SIGNS, ODD_MARK, list_item
from .joint_language import FIRST_HAN, LAST_HAN
from .joints import (
    ANY_QUOTE,
    ARTICLE,
    BYLINE,
    BYLINE_STARTS,
    CAPTION_STARTS,
    CLAUSE,
    CODE,
    COLUMN_MARK,
    CREDIT_ENDS,
    EDGE,
    FIRST_CLOSERS,
    FIRST_MARK,
    FIRST_SHORT,
    HAN_SHARE,
    INNER,
    KINDS,
    LAST_CLAUSE,
    LONG_PROSE,
    LONGEST_JUMPED,
    PAGE_NUMBER,
    PAUSES,
    PROSE,
    QUOTES,
    SECOND_OPENERS,
    SHORT,
    SHORTEST,
    SHORTEST_BARE,
    SPEECH,
    TABLE_LINE,
    Parts,
    ends_with_date,
    has_space_at_end,
    has_space_at_start,
    is_caption,
)
from .statistics import BOUNDARY, OUTSIDE

Flags = NDArray[np.bool_]
Numbers = NDArray[np.int64]
Floats = NDArray[np.float64]
Kinds = NDArray[np.uint32]
Bits = NDArray[np.uint64]

TOGETHER = 1 << 17  # characters of lines that are read together: more leave the processor's caches
LAST_CODE = 0x40000  # stands for itself and all above: no digits and no ideographs

# what characters are
PAUSE, INSIDE, CLAUSE_END, STOP, FULL_STOP, FIRST, QUOTE, SPACE, IDEOGRAPH = (1 << bit for bit in range(9))
CODE_SIGN, OPENS, CLOSES, OPENS_NOTE, CLOSES_NOTE, SPEAKS = (1 << bit for bit in range(9, 15))
DIGIT, LATIN, WESTERN = (1 << bit for bit in range(15, 18))
ODD, ODD_IN_RUNS = 1 << 18, 1 << 26  # what makes lines of tables and code odd alone, and beside another one
MAY_BE_BYLINE, MAY_BE_ITEM, COLUMN, MAY_BE_CAPTION, MAY_BE_CREDIT, MAY_BE_DATE, MAY_BE_PAGE = (
    1 << bit for bit in range(19, 26)
)
SPREAD = np.uint32(0x9E3779B1)  # 2 ** 32 / golden ratio: neighbouring codes get bits that are far from each other
_BMP = "".join(map(chr, range(0x10000)))


class SideRows(NamedTuple):
    """Columns, one row for each line. Row 0 stands for none, above the first and below the last line of a page.

    kind        numbers in KINDS
    pause       does it end with one?
    western     does it end, and does it begin, with a letter or digit of ASCII?
    trait       number in TRAITS
    meets       numbers of what `both` reads of it, as a first and as a second half: int64 [rows, 2]
    as_first    what it adds to the log-odds
    as_second   the same for each of KINDS, of the first half: float64 [rows, KINDS]
    between     see Side.between: float64 [rows, 5]
    edges       codes of the last two characters and the first two, BOUNDARY where there is none: uint32 [rows, 4]
    held        a bit for each of its characters, which other ones share: a line that holds another has all of its bits
    """

    kind: Numbers
    can_begin: Flags
    can_go_on: Flags
    jumpable: Flags
    pause: Flags
    western: Flags
    trait: Numbers
    meets: Numbers
    as_first: Floats
    as_second: Floats
    between: Floats
    edges: Kinds
    held: Bits


def none() -> SideRows:
    """Row 0 alone."""
    shapes = ((), (), (), (), (), (2,), (), (2,), (), (len(KINDS),), (5,), (4,), ())
    types = (np.int64, *[np.bool_] * 5, *[np.int64] * 2, *[np.float64] * 3, np.uint32, np.uint64)
    return SideRows(*[np.zeros((1, *shape), kind) for shape, kind in zip(shapes, types, strict=True)])


def together(rows: Sequence[SideRows]) -> SideRows:
    """All rows, one after the other."""
    return SideRows(*map(np.concatenate, zip(*rows, strict=True)))


def sides(texts: Sequence[str], are_open: Sequence[bool]) -> Iterator[SideRows]:
    """What is read of lines, in their order; no text is empty.  are_open: do they end inside a sentence?"""
    first = size = 0
    for number, text in enumerate(texts):
        if size and size + len(text) > TOGETHER:
            yield _read(texts[first:number], are_open[first:number])
            first, size = number, 0
        size += len(text) + 1
    if size:
        yield _read(texts[first:], are_open[first:])


class _Places:
    """Where characters of a kind stand."""

    def __init__(self, are_some: Flags) -> None:
        self._places = np.concatenate([[-1], np.flatnonzero(are_some), [len(are_some)]])

    def next(self, at: Numbers) -> Numbers:
        """The first one from each place on; the length of all where there is none."""
        found: Numbers = self._places.take(self._places.searchsorted(at))
        return found

    def last(self, end: Numbers) -> Numbers:
        """The last one before each place; -1 where there is none."""
        found: Numbers = self._places.take(self._places.searchsorted(end) - 1)
        return found


def _read(texts: Sequence[str], are_open: Sequence[bool]) -> SideRows:
    joined = f"{BOUNDARY}{BOUNDARY.join(texts)}{BOUNDARY}"
    points = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), "<u4")
    found = _kinds().take(points, mode="clip")
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    ends = np.cumsum(lengths + 1)
    starts = ends - lengths
    heads, tails = np.minimum(ends, starts + EDGE), np.maximum(starts, ends - EDGE)  # end and begin
    first, last = found.take(starts), found.take(ends - 1)
    is_open = np.array(are_open)

    def has(kinds: Kinds, kind: int) -> Flags:
        found: Flags = kinds & np.uint32(kind) != 0
        return found

    def told(answer: Callable[[str], bool], may_be: Flags) -> Flags:
        """Which of those lines that may be something are it."""
        is_it = np.zeros(len(texts), np.bool_)
        some = np.flatnonzero(may_be)
        is_it[some] = [answer(texts[k]) for k in some.tolist()]
        return is_it

    pause, is_short, is_jumped = has(last, PAUSE), lengths < SHORT, lengths <= LONGEST_JUMPED
    has_clause = _Places(has(found, CLAUSE_END)).next(starts) < heads
    has_full_stop = _Places(has(found, FULL_STOP)).next(starts) < ends
    prose = (lengths >= PROSE) & (pause | (has_clause & ((lengths >= LONG_PROSE) | has_full_stop)))
    bare = ~prose & ((lengths < PROSE) | ~has_clause)
    kind = np.where(prose, KINDS.index("prose"), np.where(bare, KINDS.index("bare"), KINDS.index("clause")))

    item_ends = _item_ends(texts, has(first, MAY_BE_ITEM))
    marked = (item_ends > 0) | has(first, COLUMN)
    byline = told(lambda text: BYLINE.match(text[:EDGE]) is not None, has(first, MAY_BE_BYLINE))
    caption = told(is_caption, is_jumped & (has(last, MAY_BE_CREDIT) | has(first, MAY_BE_CAPTION)))
    odd = has(found, ODD)
    odd[:-1] |= has(found[:-1] & found[1:], ODD_IN_RUNS)
    is_odd = told(lambda text: TABLE_LINE.search(text[:EDGE]) is not None, _Places(odd).next(starts) < heads)
    heading = byline | marked | told(ends_with_date, ~prose & has(last, MAY_BE_DATE))
    heading &= ~prose
    heading &= ~told(lambda text: ARTICLE.match(text) is not None, heading)
    page_number = told(lambda text: PAGE_NUMBER.match(text) is not None, is_jumped & has(first, MAY_BE_PAGE))
    spaces = _Places(has(found[1:], SPACE) & has(found[:-1], IDEOGRAPH)).next(starts) < ends - 1
    left_open, closed = _unmet_quotes(points, np.flatnonzero(has(found, QUOTE)), starts)

    inner = _Places(has(found, INSIDE))
    has_marks = inner.next(starts + item_ends) < np.minimum(ends - 1, heads)
    mark = inner.last(ends - 1)
    last_clause = np.where(mark >= tails, ends - 1 - mark, ends - tails)
    mark = _Places(has(found, FIRST)).next(starts)
    first_clause = np.where(mark < heads, mark - starts + 1, heads - starts + 1)
    before = np.concatenate([[0], np.cumsum(has(found, IDEOGRAPH))])
    clause_starts = np.maximum(starts, ends - LAST_CLAUSE)
    is_chinese = before.take(ends) - before.take(clause_starts) >= HAN_SHARE * (ends - clause_starts)
    no_code = ~has(first, CODE_SIGN)
    is_long = (lengths >= SHORTEST_BARE) | ((lengths >= SHORTEST) & (pause | left_open))
    in_brackets = has(first, OPENS_NOTE) & has(last, CLOSES_NOTE)

    log_lengths = _logs(lengths)
    as_first = (
        log_lengths, lengths < FIRST_SHORT, has_marks, _Places(has(found, STOP)).last(ends) >= tails, pause,
        has(last, WESTERN), has(last, CLOSES), left_open, np.where(pause, 0.0, _logs(last_clause)),
        told(lambda text: has_space_at_end(text[-EDGE:]), spaces), marked, caption,
    )  # fmt: skip
    as_second = (
        log_lengths, ~is_open, has_marks, _logs(first_clause), first_clause == 1, closed, has(first, OPENS),
        has(first, DIGIT), has(first, LATIN), told(lambda text: has_space_at_start(text[:EDGE]), spaces),
        is_open & is_short & ~has_marks,
    )  # fmt: skip
    between = (is_open & ~has_marks, ~is_open, log_lengths, marked | caption | byline, page_number)
    parts = [Parts.of(kind) for kind in KINDS]
    both = [
        halves + 2 * is_short + 4 * np.where(has(edge, DIGIT), 1, np.where(has(edge, LATIN), 2, 0))
        for halves, edge in ((left_open, last), (closed, first))
    ]
    edges = np.stack([points.take(places) for places in (ends - 2, ends - 1, starts, starts + 1)], axis=1)
    return SideRows(
        kind,
        is_open & no_code & ~has(last, CODE_SIGN) & is_long & is_chinese & ~(heading | is_odd),
        no_code & ~in_brackets & (before.take(heads) > before.take(starts)) & ~(byline | marked | caption | is_odd),
        is_jumped & ~pause & (is_open | ~has(first, SPEAKS)),
        pause,
        np.stack([has(last, WESTERN), has(first, WESTERN)], axis=1),
        8 * is_short + 4 * (is_short & is_open) + prose * np.where(is_open, 2, 1),
        np.stack(both, axis=1),
        weighed(np.array([own.first for own in parts]).take(kind, 0).T, as_first),
        np.stack([weighed(own.second, as_second) for own in parts], axis=1),
        np.stack(between, axis=1).astype(np.float64),
        np.minimum(edges, np.uint32(OUTSIDE)),
        np.bitwise_or.reduceat(np.left_shift(np.uint64(1), points * SPREAD >> np.uint32(26), dtype=np.uint64), starts),
    )


def weighed(weights: Iterable[float] | Floats, features: Iterable[Flags | Floats]) -> Floats:
    """Sum of the products of weights and columns, in their order: the same whatever stands beside a row."""
    return np.asarray(sum(weight * column for weight, column in zip(weights, features, strict=True)))


def _item_ends(texts: Sequence[str], may_be: Flags) -> Numbers:
    """Characters of the number or the sign of a list's item that lines begin with."""
    found = np.zeros(len(texts), np.int64)
    for k in np.flatnonzero(may_be).tolist():
        item = list_item(texts[k][:EDGE])
        if item:
            found[k] = item.end()
    return found


def _unmet_quotes(points: Kinds, places: Numbers, starts: Numbers) -> tuple[Flags, Flags]:
    """Which lines have opening quotation marks without a closing one, and the reverse: see joints.unmet_quotes.

    points  codes of all characters; places: where quotation marks stand"""
    marks = _quote_codes()
    cells = len(starts) * len(marks.codes)
    cell = (starts.searchsorted(places, "right") - 1) * len(marks.codes)
    cell += marks.numbers.take(marks.codes.searchsorted(points.take(places)))
    count = np.bincount(cell, minlength=cells).reshape(-1, len(marks.codes))
    first, last = np.full(cells, len(points)), np.full(cells, -1)
    last[cell] = places  # of several the last one stays
    first[cell[::-1]] = places[::-1]
    pairs = len(QUOTES)
    first, last = first.reshape(count.shape), last.reshape(count.shape)
    balance = count[:, :pairs] - count[:, pairs:]
    left_open: Flags = np.any((balance > 0) & (last[:, :pairs] > last[:, pairs:]), axis=1)
    closed: Flags = np.any((balance < 0) & (first[:, pairs:] < first[:, :pairs]), axis=1)
    return left_open, closed


class _QuoteCodes(NamedTuple):
    """The codes of quotation marks, sorted, and of each the number of its pair; of a closing one, that many more."""

    codes: Kinds
    numbers: Numbers


@cache
def _quote_codes() -> _QuoteCodes:
    marks = [opening for opening, _ in QUOTES] + [closing for _, closing in QUOTES]
    numbers = sorted(range(len(marks)), key=marks.__getitem__)
    return _QuoteCodes(np.array([ord(marks[number]) for number in numbers], np.uint32), np.array(numbers))


@cache
def _kinds() -> Kinds:
    """What each character is, by its code; the last one stands for all above."""
    table = np.zeros(LAST_CODE + 1, np.uint32)

    def are(kind: int, chars: Iterable[str]) -> None:
        table[[ord(char) for char in chars]] |= np.uint32(kind)

    digits = [char for char in map(chr, range(LAST_CODE)) if char.isdigit()]
    ascii_letters = [char for char in _BMP[:128] if char.isalpha()]
    for kind, pattern in (
        (INSIDE, INNER), (CLAUSE_END, CLAUSE), (FIRST, FIRST_MARK), (QUOTE, ANY_QUOTE), (COLUMN, COLUMN_MARK),
        (ODD_IN_RUNS, ODD_MARK),
    ):  # fmt: skip
        are(kind, pattern.findall(_BMP))
    for kind, chars in (
        (PAUSE, PAUSES), (STOP, "。！？…"), (FULL_STOP, "。"), (SPACE, " \u3000"), (CODE_SIGN, CODE),
        (OPENS, SECOND_OPENERS), (CLOSES, FIRST_CLOSERS), (OPENS_NOTE, "（(【["), (CLOSES_NOTE, "）)】]"),
        (ODD, "\t|{}<>;"), (ODD_IN_RUNS, "/"), (SPEAKS, SPEECH), (LATIN | WESTERN, ascii_letters),
        (WESTERN, "0123456789"),
        (MAY_BE_BYLINE, BYLINE_STARTS), (MAY_BE_CAPTION, CAPTION_STARTS), (MAY_BE_CREDIT, CREDIT_ENDS),
        (MAY_BE_DATE, "日"), (MAY_BE_ITEM, HAN_OF_ITEMS + "(（"), (MAY_BE_PAGE, "-—–·第"),
        (DIGIT | MAY_BE_DATE | MAY_BE_ITEM | MAY_BE_PAGE, digits),
    ):  # fmt: skip
        are(kind, chars)
    are(MAY_BE_ITEM, re.findall(f"[{ITEM_SIGNS}]", _BMP))
    table[FIRST_HAN : LAST_HAN + 1] |= np.uint32(IDEOGRAPH)
    table[ord(BOUNDARY)] = 0
    table[0x20000:LAST_CODE] |= np.uint32(IDEOGRAPH)
    table.flags.writeable = False
    return table


def _logs(counts: Numbers) -> Floats:
    """Natural logarithms."""
    table = _log_table()
    found = table.take(counts, mode="clip")
    large = np.flatnonzero(counts >= len(table))
    if len(large):
        found[large] = [math.log(count) for count in counts[large].tolist()]
    return found


@cache
def _log_table() -> Floats:
    """Those of 1 to 4,095; of 0 it has 0."""
    return np.array([0.0, *map(math.log, range(1, 1 << 12))])
