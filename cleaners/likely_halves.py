"""Likely halves: which lines are worth the model of joints.py, told at a glance.

Most open lines are headlines and bylines, and the model costs much more than one look at a line. Both tests here
are cheap. `likely_firsts` is for pages that show no damage, `promising` for all: it asks for the highest log-odds
that the model could give, and leaves out no line that the model would join.
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
    CODE,
    EDGE,
    FEATURES,
    FIRST_CLOSERS,
    FIRST_SHORT,
    FURTHEST,
    KINDS,
    LONGEST_JUMPED,
    PAUSES,
    SHORTEST,
    SHORTEST_BARE,
    Parts,
    Side,
    Sides,
    dot,
    evidence,
    in_list,
    is_jumpable,
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
    likely = _likely_pairs()
    firsts, keys = [], []
    for i in open_lines:
        line = lines[i]
        if len(line) < SHORTEST_BARE:
            continue
        last = ord(line[-1])
        for other in lines[i + 1 : i + 1 + FURTHEST]:
            place = _pair_hash(last, ord(other[0]))
            if likely[place >> 3] >> (place & 7) & 1:
                firsts.append(i)
                keys.append((line[-2:], other[:2]))
            if len(other) > LONGEST_JUMPED:
                break
    bare = KINDS.index("bare")
    return sorted({i for i, own in zip(firsts, evidence(keys), strict=True) if own[bare] >= LIKELY_LANGUAGE})


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


def promising(sides: Sides, open_units: Iterable[int], least: Mapping[str, float]) -> list[int]:
    """Those open units for which the model could give log-odds of `least` (by kind) or more, in their order.

    The bound is exact for the characters across the joint and for the features that one look tells; the others
    take the value that speaks most for a joint. Joints that compete for a first half only lower its log-odds.
    """
    units, known = sides.units, sides.known
    asked: list[tuple[int, int]] = []
    needed: list[tuple[int, float]] = []  # number of the kind, what the characters must add
    pages = {kind: least[kind] - ROUNDING - dot(Parts.of(kind).page, sides.page.shares) for kind in KINDS}
    for i in open_units:
        text = units[i].text
        if len(text) < SHORTEST or text[0] in CODE or text[-1] in CODE or in_list(units, i):
            continue
        kind = sides[i].kind
        best = _best(kind)
        if text not in known.at_best:
            known.at_best[text] = _first_at_best(sides[i], best)
        need = pages[kind] - known.at_best[text]
        for j in range(i + 1, min(i + 1 + FURTHEST, len(units))):
            other = units[j].text
            log_length = math.log(len(other))
            if other[0] not in CODE:
                asked.append((i, j))
                needed.append((best.parts.number, need - best.second_log_length * log_length))
            if not is_jumpable(other, j in sides.open):
                break
            need -= best.jumped + best.jumped_log_length * log_length if j == i + 1 else best.jumped_two
    found = zip(asked, needed, sides.evidence(asked), strict=True)
    return list(dict.fromkeys(i for (i, _), (number, need), by_kind in found if by_kind[number] >= need))


class _Best(NamedTuple):
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


@cache
def _best(kind: str) -> _Best:
    own: dict[str, float] = dict(zip(FEATURES, weights(kind).tolist(), strict=True))

    def most(names: Iterable[str]) -> float:
        return sum(max(own[name], 0.0) * (math.log(EDGE + 1) if "log" in name else 1.0) for name in names)

    others = set(FEATURES) - AT_A_GLANCE - MARKS - QUOTED - MARKED - JUMPED
    exact = [own[name] for name in ("second_log_length", "jumped_log_length", "jumped_two")]
    at_best = [own["bias"] + most(others), most(MARKS), most(QUOTED), most(MARKED), most(JUMPED)]
    return _Best(Parts.of(kind), own, *at_best, *exact)


def _first_at_best(side: Side, best: _Best) -> float:
    """The most that a first half adds."""
    text, last, own = side.text, side.text[-1], best.first
    total = best.always + own["first_log_length"] * math.log(len(text))
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
        total += best.marks
    if last not in PAUSES:
        total += own["first_tail_log"] * math.log(clause)
    if side.quote_left_open:
        total += best.quotes
    if side.kind == "prose" or ARTICLE.match(text):  # other lines with a mark or a number before them are headings
        total += best.marked
    return total
