"""Joint choices: which of the lines that follow each first half of a page is its second half, and how surely.

Halves are joined in rounds, and in most rounds most first halves stand among the same lines as before. What they and
the lines around them say is read once, and remembered by these lines; the shape of the page and its layout, which
change with each round, are added to it. Where there are many first halves, joint_rounds.py asks
about all of them at once.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence

from .hard_wraps import Unit
from .joints import (
    CODE,
    FURTHEST,
    KINDS,
    LONGEST_JUMPED,
    PAUSES,
    SHORT,
    SHORTEST,
    Joint,
    PageShape,
    Parts,
    Side,
    dot,
    evidence,
    gain_around,
    gain_between,
    is_western,
    meeting,
)
from .likely_halves import ROUNDING, at_best

ABOVE, BELOW = 2, FURTHEST + 2
WINDOW = ABOVE + 1 + BELOW
Around = tuple[str, ...]
"""The lines that joints of a first half look at: the texts of ABOVE units above it, its own, and of BELOW units below
it; "" where there is none."""

Asked = tuple["Choice", int, int, float, tuple[str, str]]
"""A joint of a choice whose characters are still to be looked at: its step, the number of the first half's kind, the
most that all else can add to its log-odds, and the characters across it, as `evidence` takes them."""

Weighed = tuple[Joint, float]
"""A joint and its utility: its log-odds against no joint at all."""


class Choice:
    """What one first half may choose between.

    highest   no log-odds of its joints are higher, the page and the layout aside
    evidence  by step, the number of units from the first half on: what the characters across the joint say
    joints    step and utility of each joint, the page and the layout aside; None: not read yet
    """

    __slots__ = ("evidence", "highest", "joints", "kind")

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.highest = -math.inf
        self.evidence: dict[int, list[float]] = {}
        self.joints: list[tuple[int, float]] | None = None


class FirstHalves:
    """The choices of the first halves of a text. Made for one text: it remembers all of them."""

    def __init__(self) -> None:
        self._sides: dict[str, Side] = {}
        self._known: dict[Around, Choice] = {}
        self._at_best: dict[str, float] = {}

    def side(self, text: str) -> Side:
        """What the model reads of a line."""
        found = self._sides.get(text)
        if found is None:
            found = self._sides[text] = Side(text)
        return found

    def utilities(
        self, units: Sequence[Unit], firsts: Iterable[int], page: PageShape, least: Mapping[str, float]
    ) -> dict[int, list[Weighed]]:
        """By first half, all its joints.

        firsts  numbers of open units, ascending; those of which no joint can have log-odds of `least` (by kind) are
                left out
        """
        arounds = _arounds(units, firsts)
        known = self._known
        _settle_highest(self._ask({around: None for _, around in arounds if around not in known}))
        pages = {kind: dot(Parts.of(kind).page, page.shares) for kind in KINDS}
        lowest = {kind: least[kind] - ROUNDING - pages[kind] for kind in KINDS}
        has_layout = page.indented or page.spaced
        found = {}
        for i, around in arounds:
            choice = known[around]
            kind = choice.kind
            if choice.highest < lowest[kind]:
                continue
            if choice.joints is None:
                choice.joints = self._read(around, choice)
            base = pages[kind]
            joints = [(Joint(i, i + step), base + utility) for step, utility in choice.joints]
            if has_layout:
                layout = Parts.of(kind).layout
                joints = [(joint, own + dot(layout, page.of(units[joint.j]))) for joint, own in joints]
            if any(own >= least[kind] for _, own in joints):
                found[i] = joints
        return found

    def _ask(self, new: Iterable[Around]) -> list[Asked]:
        """The joints of choices that nothing is known of, with little more than the characters across them."""
        asked: list[Asked] = []
        for around in new:
            text = around[ABOVE]
            side = self.side(text)
            choice = self._known[around] = Choice(side.kind)
            if len(text) < SHORTEST or text[0] in CODE or text[-1] in CODE:
                continue
            best = at_best(side.kind)
            if text not in self._at_best:
                self._at_best[text] = best.of(side)
            most, end = self._at_best[text], text[-2:]
            for step in range(1, FURTHEST + 1):
                other = around[ABOVE + step]
                if not other:
                    break
                log_length = math.log(len(other))
                if other[0] not in CODE:
                    others = most + best.second_log_length * log_length
                    asked.append((choice, step, best.parts.number, others, (end, other[:2])))
                if len(other) > LONGEST_JUMPED or not self.side(other).jumpable:
                    break
                most += best.jumped + best.jumped_log_length * log_length if step == 1 else best.jumped_two
        return asked

    def _read(self, around: Around, choice: Choice) -> list[tuple[int, float]]:
        """The joints of a first half, and their utilities."""
        one, kind = self.side(around[ABOVE]), choice.kind
        if not one.can_begin:
            return []
        own, last = Parts.of(kind), one.text[-1]
        as_first, meets = own.bias + one.as_first, one.meets_as_first
        found = []
        jumped: list[Side] = []
        for step in range(1, FURTHEST + 1):
            text = around[ABOVE + step]
            if not text:
                break
            two = self.side(text)
            if two.can_go_on and (kind == "prose" or not is_western(last, text[0])):
                near = around[:ABOVE] + around[ABOVE + step + 1 : ABOVE + step + 3]
                traits = tuple([self.side(text).trait for text in near if text])
                utility = as_first + two.as_second(kind) + choice.evidence[step][own.number]
                utility += own.meetings[meeting(meets, two.meets_as_second)] + gain_around(kind, last in PAUSES, traits)
                found.append((step, utility + gain_between(own, jumped) if jumped else utility))
            if not two.jumpable:
                break
            jumped.append(two)
        return found


def _settle_highest(asked: Sequence[Asked]) -> None:
    """Finds the highest log-odds of choices."""
    if not asked:
        return
    spoken = evidence([pair for _, _, _, _, pair in asked])
    for (choice, step, number, others, _), by_kind in zip(asked, spoken, strict=True):
        choice.evidence[step] = by_kind
        choice.highest = max(choice.highest, others + by_kind[number])


def _arounds(units: Sequence[Unit], firsts: Iterable[int]) -> list[tuple[int, Around]]:
    """The first halves that are not in a list, each with the lines that its joints look at."""
    texts = [""] * ABOVE + [unit.text for unit in units] + [""] * BELOW
    return [(i, tuple(texts[i : i + WINDOW])) for i in _alone(units, firsts)]


def _alone(units: Sequence[Unit], firsts: Iterable[int]) -> Iterator[int]:
    """Those first halves that are not in a list."""
    short = bytes([len(unit.text) < SHORT for unit in units])
    for i in firsts:
        around = short[max(0, i - 2) : i + 4]
        if 0 in around or len(around) < 3:
            yield i


def log_odds(utilities: Sequence[float]) -> list[float]:
    """The log-odds of each joint of a first half, against the others and none."""
    weights = [math.exp(min(max(one, -30.0), 30.0)) for one in utilities]
    total = 1.0 + sum(weights)
    return [math.log(own / max(total - own, 1e-9)) for own in weights]
