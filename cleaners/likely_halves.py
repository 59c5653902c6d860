"""Likely halves: which lines are worth the model of joints.py, told at a glance.

Most open lines are headlines and bylines, and the model costs much more than one look at a line. Both tests here
are cheap. `likely_firsts` is for pages that show no damage, `at_best` for all: it tells the highest log-odds that
the model could give, so that no line is left out that the model would join.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from . import joint_language
from .joints import (
    ARTICLE,
    EDGE,
    FEATURES,
    FIRST_CLOSERS,
    FIRST_SHORT,
    FURTHEST,
    KINDS,
    LONGEST_JUMPED,
    PAUSES,
    SHORTEST_BARE,
    Parts,
    Side,
    evidence,
    weights,
)
from .statistics import bigrams, unigrams

Number = TypeVar("Number", int, NDArray[np.int64])

LIKELY_PAIR = 1.0  # log P(next | last) - log P(next), at least; the mean inside sentences is 1.9 (news)
PAIR_HASHES = 1 << 25
LIKELY_LANGUAGE = 4.5  # log-odds that the characters alone give a joint of a bare line, at least
ROUNDING = 1e-6  # log-odds

MARKS = {"first_has_marks", "first_has_stop"}
QUOTED = {"first_open_quote", "quotes_meet", "first_quote_unmet"}
MARKED = {"first_marked"}
JUMPED = {"jumped", "jumped_plain", "jumped_sentence", "jumped_mark", "jumped_number"}
AT_A_GLANCE = {
    "bias", "first_log_length", "first_short", "first_comma", "first_latin", "first_closer", "first_tail_log",
    "second_log_length", *joint_language.FEATURES, "page_open", "page_open_prose", "page_prose",
    "jumped_two", "jumped_log_length",
}  # fmt: skip


# ---------------------------------------------------------------- on a page without damage


def likely_firsts(lines: Sequence[str], open_lines: Sequence[int]) -> list[int]:
    """Those open lines that end in a way that goes on well in one of the next lines. Cheap, and true of few
    headlines: most are told by one look at a table."""
    return firsts_of(likely_joints(lines, open_lines))


LikelyJoint = tuple[int, tuple[str, str]]
"""Number of a first half, and the characters across a joint of it, as `evidence` takes them."""


def likely_joints(lines: Sequence[str], open_lines: Sequence[int]) -> list[LikelyJoint]:
    """The joints of open lines across which likely neighbours meet."""
    likely = _likely_pairs()
    found: list[LikelyJoint] = []
    for i in open_lines:
        line = lines[i]
        if len(line) < SHORTEST_BARE:
            continue
        last = ord(line[-1])
        for other in lines[i + 1 : i + 1 + FURTHEST]:
            place = _pair_hash(last, ord(other[0]))
            if likely[place >> 3] >> (place & 7) & 1:
                found.append((i, (line[-2:], other[:2])))
            if len(other) > LONGEST_JUMPED:
                break
    return found


def firsts_of(found: Sequence[LikelyJoint]) -> list[int]:
    """The first halves of those joints for which the characters speak."""
    bare, spoken = KINDS.index("bare"), evidence([pair for _, pair in found])
    return sorted({i for (i, _), own in zip(found, spoken, strict=True) if own[bare] >= LIKELY_LANGUAGE})


@cache
def _likely_pairs() -> bytes:
    """One bit for each hash: set for those of all pairs with log P(next | last) - log P(next) >= LIKELY_PAIR. No
    likely pair is missed, and one in two hundred others has the hash of one."""
    table = bigrams()
    second = table.keys & np.uint32(0xFFFF)
    chosen = table.keys[table.logprobs - unigrams()[second] >= LIKELY_PAIR].astype(np.int64)
    places = _pair_hash(chosen >> 16, chosen & 0xFFFF)
    bits = np.zeros(PAIR_HASHES >> 3, dtype=np.uint8)
    np.bitwise_or.at(bits, places >> 3, np.left_shift(1, places & 7).astype(np.uint8))
    return bits.tobytes()


def _pair_hash(first: Number, second: Number) -> Number:
    return (first * 40503 + second) & (PAIR_HASHES - 1)  # 40503: 2 ** 16 / golden ratio, an even spread


# ---------------------------------------------------------------- on any page


class Best(NamedTuple):
    """What features can add to the log-odds of a joint, by the kind of its first half.

    parts    the weights; first: those of the first half, by name
    always   the bias, and the most that those features add that one look does not tell
    marks    the most that is added if there is a mark in the first half
    quotes   … if one of its opening quotation marks has no closing one
    marked   … if there may be a sign or a number before it
    jumped   … if the second half is not the next line
    """

    parts: Parts
    first: Mapping[str, float]
    always: float
    marks: float
    quotes: float
    marked: float
    jumped: float
    second_log_length: float
    jumped_log_length: float
    jumped_two: float

    def of(self, side: Side) -> float:
        """The most that a first half adds, before what the page, the other lines and the characters across the joint
        add."""
        text, last, own = side.text, side.text[-1], self.first
        total = self.always + own["first_log_length"] * math.log(len(text))
        if len(text) < FIRST_SHORT:
            total += own["first_short"]
        if last in PAUSES:
            total += own["first_comma"]
        elif last in FIRST_CLOSERS:
            total += own["first_closer"]
        elif last.isascii() and last.isalnum():
            total += own["first_latin"]
        clause = side.last_clause
        if clause < min(len(text), EDGE):
            total += self.marks
        if last not in PAUSES:
            total += own["first_tail_log"] * math.log(clause)
        if side.quote_left_open:
            total += self.quotes
        if side.kind == "prose" or ARTICLE.match(text):  # other lines with a mark or a number before them are headings
            total += self.marked
        return total


@cache
def at_best(kind: str) -> Best:
    own: dict[str, float] = dict(zip(FEATURES, weights(kind).tolist(), strict=True))

    def most(names: Iterable[str]) -> float:
        return sum(max(own[name], 0.0) * (math.log(EDGE + 1) if "log" in name else 1.0) for name in names)

    others = set(FEATURES) - AT_A_GLANCE - MARKS - QUOTED - MARKED - JUMPED
    exact = [own[name] for name in ("second_log_length", "jumped_log_length", "jumped_two")]
    at_best = [own["bias"] + most(others), most(MARKS), most(QUOTED), most(MARKED), most(JUMPED)]
    return Best(Parts.of(kind), own, *at_best, *exact)
