"""Joint rounds: the choices of joint_choices.py for all first halves of many pages at once.

The lines of the pages stand one below the other, with empty rows between two pages, as columns of numbers. Halves are
joined in rounds: a line that was joined is read anew, and a first half is asked again only when the lines around it are
others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import NamedTuple, Protocol

import numpy as np

from .hard_wraps import Unit
from .joint_choices import ABOVE, BELOW
from .joint_language import language_of
from .joint_sides import Flags, Floats, Numbers, none, sides, together, weighed
from .joints import FURTHEST, KINDS, LONG_PROSE, MORE_CUTS, SHORT, Joint, Parts, language_weights, meeting

NEW = -1  # number of a unit that is a joined one
SHORTEST_COPY = 30  # characters of a half that is not joined where it stands once more near by, at least
COPY_REACH = 5  # paragraphs in both directions: as in duplicates
HEAD_REACH = 10  # the same for a first half: a head of a paragraph is a copy; a second half may be quoted
EVERYTHING = np.uint64((1 << 64) - 1)
UNREAD = -1  # row of a line that no joint has needed
ASKED = 1 << 14  # first halves whose joints are weighed together: for each of them there are three rows of features
EMPTY_ROWS = ABOVE + BELOW


Question = Callable[[Sequence[int], Sequence[bool]], list[bool]]


class Page(Protocol):
    """What is asked about a page."""

    whole: list[Unit]

    def are_firsts(self, units: Iterable[Unit]) -> list[bool]:
        """Which of some units may be first halves as far as they themselves tell?"""

    def may_begin(self, units: Sequence[int], may_be_copies: Sequence[bool]) -> list[bool]:
        """May these units be first halves on this page?  may_be_copies: may one near by hold them?"""

    def may_go_on(self, units: Sequence[int], may_be_copies: Sequence[bool]) -> list[bool]:
        """May these units be second halves on this page?"""


class Found(NamedTuple):
    """A joint, its log-odds, and the kind of its first half."""

    joint: Joint
    odds: float
    kind: str


class Columns(NamedTuple):
    """The lines of pages, one row each, with ABOVE empty rows above each page and BELOW below it.

    lengths   characters; 0: there is no line
    is_open   does it end inside a sentence?
    is_first  may it be a first half as far as it itself tells?
    row       its row in SideRows, or UNREAD
    gains     utility of each of its joints, by the number of lines they go down, the page aside; -inf: there is none.
              float64 [rows, FURTHEST]
    is_known  does `gains` hold?
    """

    lengths: Numbers
    is_open: Flags
    is_first: Flags
    row: Numbers
    gains: Floats
    is_known: Flags


class Rounds:
    """Pages whose halves are joined in rounds: `likely` tells the joints, `go_on` is told what became of the pages."""

    def __init__(self, pages: Sequence[Page]) -> None:
        self._sides = none()
        false = np.zeros(1, np.bool_)
        self._columns = Columns(np.zeros(1, np.int64), false, false, np.zeros(1, np.int64), np.zeros((1, 3)), false)
        orders = [np.full(len(page.whole) + EMPTY_ROWS, NEW) for page in pages]
        for order in orders:
            order[:ABOVE] = order[-BELOW:] = 0
        self._take(pages, orders)

    def go_on(self, pages: Sequence[Page], numbers: Sequence[int], kept: Sequence[Sequence[int]]) -> None:
        """pages    those that are asked about once more
        numbers  those that they had
        kept     for each of them, of all its units, the numbers that these had in the round before; NEW for joined ones
        """
        orders = []
        for number, units in zip(numbers, kept, strict=True):
            begin, end = self._begins[number], self._begins[number] + self._sizes[number]
            own = np.array(units)
            own[own != NEW] += begin
            orders.append(np.concatenate([np.arange(begin - ABOVE, begin), own, np.arange(end, end + BELOW)]))
        self._take(pages, orders)

    def _take(self, pages: Sequence[Page], orders: Sequence[Numbers]) -> None:
        """orders: for each row of a page the row where it stood, or NEW"""
        self._pages = pages
        self._sizes = np.array([len(page.whole) for page in pages])
        self._begins = np.cumsum(self._sizes + EMPTY_ROWS) - self._sizes - BELOW
        above, below = [None] * ABOVE, [None] * BELOW
        self._units = [unit for page in pages for unit in (*above, *page.whole, *below)]
        order = np.concatenate(orders)
        old = self._columns
        columns = Columns(
            old.lengths.take(order),
            old.is_open.take(order),
            old.is_first.take(order),
            old.row.take(order),
            old.gains.take(order, 0),
            old.is_known.take(order),
        )
        fresh = np.flatnonzero(order == NEW)
        units = [unit for k in fresh.tolist() if (unit := self._units[k])]
        columns.lengths[fresh] = [len(unit.text) for unit in units]
        columns.is_open[fresh] = [unit.is_open for unit in units]
        columns.is_first[fresh] = self._are_firsts(fresh, units)
        columns.row[fresh] = UNREAD
        columns.is_known[fresh] = False
        # the lines around are those that were there if each stands below the one that it stood below
        parted = np.concatenate([[0], np.cumsum(order[1:] != order[:-1] + 1)])
        columns.is_known[ABOVE:-BELOW] &= parted[EMPTY_ROWS:] == parted[:-EMPTY_ROWS]
        self._columns = columns

    def _are_firsts(self, fresh: Numbers, units: Sequence[Unit]) -> list[bool]:
        found: list[bool] = []
        ends = np.searchsorted(fresh, self._begins + self._sizes).tolist()
        for page, begin, end in zip(self._pages, [0, *ends], ends, strict=False):
            found += page.are_firsts(units[begin:end])
        return found

    def likely(self, least: Floats, lowest: float) -> list[list[Found]]:
        """For each page its joints with log-odds of at least `lowest`.

        least  by kind: first halves of which no joint has that utility are left out
        """
        columns = self._columns
        firsts = np.flatnonzero(columns.is_first & self._are_alone())
        self._learn(firsts[~columns.is_known.take(firsts)])
        kind = self._sides.kind.take(columns.row.take(firsts))
        page = np.searchsorted(self._begins, firsts, "right") - 1
        own = columns.gains.take(firsts, 0) + self._gains_of_pages()[page, kind][:, None]
        some = np.flatnonzero((own >= least.take(kind)[:, None]).any(axis=1))
        firsts, kind, page, own = firsts.take(some), kind.take(some), page.take(some), own.take(some, 0)
        allowed = self._are_allowed(firsts, own)
        odds = _log_odds(own, allowed)
        found: list[list[Found]] = [[] for _ in self._pages]
        rows, steps = np.nonzero(allowed & (odds >= lowest))
        numbers = page.take(rows)
        units = firsts.take(rows) - self._begins.take(numbers)
        for number, i, step, odd, of_kind in zip(
            numbers.tolist(), units.tolist(), steps.tolist(), odds[rows, steps].tolist(), kind.take(rows).tolist(),
            strict=True,
        ):  # fmt: skip
            found[number].append(Found(Joint(i, i + step + 1), odd, KINDS[of_kind]))
        return found

    def _are_alone(self) -> Flags:
        """Which lines are not in a list?"""
        lengths = self._columns.lengths
        alone = np.zeros(len(lengths), np.bool_)
        is_long, is_there = (np.concatenate([[0], np.cumsum(found)]) for found in (lengths >= SHORT, lengths > 0))

        def around(before: Numbers) -> Numbers:  # from two lines above each one to three below it
            found: Numbers = before[ABOVE + 4 : 3 - BELOW] - before[: -EMPTY_ROWS - 1]
            return found

        alone[ABOVE:-BELOW] = (around(is_long) > 0) | (around(is_there) < 3)
        return alone

    def _are_allowed(self, firsts: Numbers, own: Floats) -> Flags:
        """Which joints have two halves that may both be joined?"""
        allowed = np.isfinite(own)
        may_be_copies = self._may_be_copies(firsts, HEAD_REACH)
        allowed &= self._ask(firsts, [page.may_begin for page in self._pages], may_be_copies)[:, None]
        seconds = firsts[:, None] + np.arange(1, FURTHEST + 1)
        may_go_on = np.zeros(len(self._units), np.bool_)
        may_go_on[seconds[allowed]] = True
        asked = np.flatnonzero(may_go_on)
        may_be_copies = self._may_be_copies(asked, COPY_REACH)
        may_go_on[asked] = self._ask(asked, [page.may_go_on for page in self._pages], may_be_copies)
        allowed &= may_go_on.take(seconds)
        return allowed

    def _ask(self, rows: Numbers, questions: Sequence[Question], may_be_copies: Flags) -> Flags:
        """The answers of pages about their lines.  questions: one for each page"""
        answers: list[bool] = []
        ends = rows.searchsorted(self._begins + self._sizes).tolist()
        for question, first, begin, end in zip(questions, self._begins, [0, *ends], ends, strict=False):
            if begin < end:
                answers += question((rows[begin:end] - first).tolist(), may_be_copies[begin:end].tolist())
        return np.array(answers, np.bool_)

    def _may_be_copies(self, rows: Numbers, reach: int) -> Flags:
        """Can others so near hold lines, as far as their lengths and `held` tell?"""
        columns = self._columns
        found = np.zeros(len(rows), np.bool_)
        long = np.flatnonzero(columns.lengths.take(rows) >= SHORTEST_COPY)
        asked = rows.take(long)
        held = self._sides.held.take(columns.row)
        held[columns.row == UNREAD] = EVERYTHING
        own, lengths = held.take(asked), columns.lengths.take(asked)
        for step in (*range(-reach, 0), *range(1, reach + 1)):
            others = np.clip(asked + step, 0, len(held) - 1)
            found[long] |= (own & ~held.take(others) == 0) & (columns.lengths.take(others) >= lengths)
        return found

    def _gains_of_pages(self) -> Floats:
        """What the shape of each page adds to the log-odds, by kind of first half: see joints.shape_of."""
        columns, begins = self._columns, self._begins - ABOVE
        is_long = columns.lengths >= LONG_PROSE

        def count(found: Flags) -> Floats:
            return np.add.reduceat(found, begins, dtype=np.float64)

        more_open = np.maximum(count(columns.is_open) - 1, 0)
        long, long_closed = count(is_long), count(is_long & ~columns.is_open)
        more_prose = np.maximum(long - long_closed - 1, 0)
        shares = (
            more_open / self._sizes,
            np.minimum(1.0, MORE_CUTS * more_prose / np.maximum(long, 1)),
            long_closed / self._sizes,
        )
        return np.stack([weighed(Parts.of(kind).page, shares) for kind in KINDS], axis=1)

    def _learn(self, asked: Numbers) -> None:
        """Weighs the joints of those first halves."""
        columns = self._columns
        around = asked[:, None] + np.arange(-ABOVE, BELOW + 1)
        needed = np.zeros(len(columns.row), np.bool_)
        needed[around] = True
        new = np.flatnonzero(needed & (columns.row == UNREAD))
        units = [unit for k in new.tolist() if (unit := self._units[k])]
        columns.row[new] = np.arange(len(self._sides.kind), len(self._sides.kind) + len(new))
        self._sides = together([self._sides, *sides([unit.text for unit in units], [unit.is_open for unit in units])])
        for begin in range(0, len(asked), ASKED):
            some = asked[begin : begin + ASKED]
            columns.gains[some] = self._weighed(columns.row.take(around[begin : begin + ASKED]))
        columns.is_known[asked] = True

    def _weighed(self, around: Numbers) -> Floats:
        """The utility of each joint of first halves, the page aside.  around: rows of their lines, int64 [first halves,
        WINDOW]"""
        gains = np.full((len(around), FURTHEST), -np.inf)
        first, step = self._candidates(around)
        if not len(first):
            return gains
        read, own = self._sides, _weights()
        around = around.take(first, 0)
        joint = np.arange(len(first))
        one, two = around[:, ABOVE], around[joint, ABOVE + step]
        kind = read.kind.take(one)
        edges = np.concatenate([read.edges.take(one, 0)[:, :2], read.edges.take(two, 0)[:, 2:]], axis=1)
        gain = own.bias.take(kind) + read.as_first.take(one)
        gain += read.as_second[two, kind]
        gain += (language_of(edges) @ language_weights())[joint, kind]
        meets = meeting(read.meets[one, 0], read.meets[two, 1])
        near = np.stack([around[:, 0], around[:, 1], *(around[joint, ABOVE + step + k] for k in (1, 2))])
        gain += own.meetings[kind, meets] + weighed(own.around.take(kind, 0).T, self._around(near, one))
        far = np.flatnonzero(step > 1)
        if len(far):
            first_jumped, second_jumped = around[far, ABOVE + 1], np.where(step[far] > 2, around[far, ABOVE + 2], 0)
            jumped = np.maximum(read.between.take(first_jumped, 0), read.between.take(second_jumped, 0)).T
            over = (np.ones(len(far)), second_jumped > 0, *jumped)
            gain[far] += weighed(own.between.take(kind.take(far), 0).T, over)
        gains[first, step - 1] = gain
        return gains

    def _candidates(self, around: Numbers) -> tuple[Numbers, Numbers]:
        """The joints worth asking about: the row of the first half, and how many lines down the second one stands."""
        read = self._sides
        one = around[:, ABOVE]
        can = read.can_begin.take(one)
        ends_western = read.western[one, 0] & (read.kind.take(one) != KINDS.index("prose"))
        found = []
        for step in range(1, FURTHEST + 1):
            two = around[:, ABOVE + step]
            found.append(np.flatnonzero(can & read.can_go_on.take(two) & ~(ends_western & read.western[two, 1])))
            can = can & read.jumpable.take(two)
        return np.concatenate(found), np.repeat(np.arange(1, FURTHEST + 1), list(map(len, found)))

    def _around(self, near: Numbers, one: Numbers) -> list[Floats]:
        """FEATURES from around_short to comma_among_short.  near: rows of the lines around, int64 [4, joints]"""
        traits, there = self._sides.trait.take(near), np.maximum((near > 0).sum(axis=0), 1)
        shares = [((traits >> bit) & 1).sum(axis=0) / there for bit in (3, 2, 1, 0)]
        return [*shares, shares[0] * self._sides.pause.take(one)]


class _Weights(NamedTuple):
    """Those of joints.Parts, one row for each of KINDS."""

    bias: Floats
    meetings: Floats
    around: Floats
    between: Floats


@cache
def _weights() -> _Weights:
    parts = [Parts.of(kind) for kind in KINDS]
    return _Weights(
        np.array([own.bias for own in parts]),
        np.array([own.meetings for own in parts]),
        np.array([own.around for own in parts]),
        np.array([own.between for own in parts]),
    )


def _log_odds(utilities: Floats, allowed: Flags) -> Floats:
    """joint_choices.log_odds of the joints that are allowed, for many first halves: arrays [first halves, FURTHEST]."""
    weights = np.where(allowed, np.exp(np.clip(utilities, -30.0, 30.0)), 0.0)
    total = 1.0 + weights.sum(axis=1)
    with np.errstate(divide="ignore"):
        found: Floats = np.log(weights / np.maximum(total[:, None] - weights, 1e-9))
    return found
