"""Where the article begins and ends on a page, and what stands inside it that does not belong: the line classifier.

A logistic model gives every row that no rule removed the log-odds that it is no article (features: line_features.py,
weights: statistics/lines.json, rebuilt by `python -m cleaners.statistics.build_lines`).  All rows are then decided
together: the cheapest way through the page in two states, kept and removed, where every change of state has a price
(Viterbi's algorithm).  So a single row that looks like a link stays, a run of them goes, and one run of the two
states is the article's extent.  Only pages in which rules found chrome are looked at; see `chrome`.
"""

from __future__ import annotations

import json
import operator
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from .line_features import BY_ITSELF, CLOSING, FEATURES, REGIONS, Floats, features, own, regions
from .prose import Page

FILE = Path(__file__).parent / "statistics" / "lines.json"

DOUBT = {"above": 1.0, "lead": 3.0, "inside": 2.0, "end": 1.5, "below": 1.5}
"""Log-odds that a row must have before it counts against its staying."""

CHANGE = {"above": 3.0, "lead": 6.0, "inside": 4.0, "end": 5.0, "below": 3.0}
"""Price of each change from kept to removed or back, in log-odds."""

MOST_RUN = {"above": 0.5, "lead": 0.02, "end": 0.08, "below": 0.4}
"""A run of rows over the article or under it that has a larger share of both their characters is never removed:
the article may be a table or a list with little prose, the likelier so below a row about the article (its date)."""

AT_EDGE = 0.25
"""Share of the price of a change where something ends anyway: at the page's beginning, right behind a row that rules
remove, and at the headline."""

REASONS = 2
"""So many features are named in an edit: those that spoke most for its row's removal."""

NEVER = 1e9


class Marks(NamedTuple):
    """What is known of a page's rows before the model is asked: numbers of rows.

    removed  rules remove them
    signs    they bound the article: told ones, and removed ones that stand in no article
    weak     a rule named them without removing them
    told     they tell something about the article
    kept     they stay whatever the model says: the headline
    title    the row that is the headline for sure; 0 if none is
    """

    removed: Collection[int]
    signs: Collection[int]
    weak: Collection[int]
    told: Collection[int]
    kept: Collection[int]
    title: int = 0


@cache
def weights() -> Floats:
    """The trained weights: (REGIONS, FEATURES), in log-odds."""
    tables = json.loads(FILE.read_text("utf-8"))
    return np.array([[tables[region][name] for name in FEATURES] for region in REGIONS])


def decide(page: Page, marks: Marks, model: Floats | None = None) -> Mapping[int, str]:
    """The rows that are no article, and why: row number -> the features that decided, joined by +.

    Rows that rules remove are none of them.  model: other weights than the packed ones.
    """
    if not page.rows:
        return {}
    if model is None and not may_remove(page, marks):
        return {}
    region = regions(page, marks.signs, marks.told, marks.title)
    rows = features(page, marks.removed, marks.weak, marks.told)
    each = (weights() if model is None else model)[region] * rows
    here = [REGIONS[k] for k in region]
    marks = marks._replace(kept={*marks.kept, *_heavy(page, rows, here)})
    gone = _path(each.sum(axis=1), here, marks)
    return dict(zip(gone, _reasons(each[gone]), strict=True))


class _Bound(NamedTuple):
    """The log-odds, less DOUBT, that a row of one region can have.

    own          weights of what a row shows by itself (BY_ITSELF)
    others       the most that all else adds, but for page_rules, and its weight
    prose_stays  a row of prose that does not end with a bracket has less than 0, whatever else it shows
    """

    own: tuple[float, ...]
    others: float
    page_rules: float
    prose_stays: bool


@cache
def _bounds() -> tuple[_Bound, ...]:
    """By number of region."""
    tables = zip(REGIONS, weights().tolist(), strict=True)
    return tuple(_bound(region, dict(zip(FEATURES, row, strict=True))) for region, row in tables)


def _bound(region: str, own: dict[str, float]) -> _Bound:
    most = {name: max(0.0, weight) for name, weight in own.items()}
    around = [name for name in FEATURES if name not in BY_ITSELF and name != "page_rules"]
    others = sum(most[name] for name in ("bullet", *around)) - DOUBT[region]
    shown = set(BY_ITSELF) - NOT_OF_PROSE - {"bias", "prose"}
    prose = own["bias"] + own["prose"] + sum(most[name] for name in shown) + others + most["page_rules"]
    return _Bound(tuple(own[name] for name in BY_ITSELF), others, most["page_rules"], prose < -ROUNDING)


NOT_OF_PROSE = frozenset(("up_to_4", "up_to_8", "counted", "bracketed"))
"""What no row of prose shows that does not end with a bracket: see prose.SHORTEST_PROSE."""

ROUNDING = 1e-6  # log-odds


def may_remove(page: Page, marks: Marks) -> bool:
    """False when no row that may go can have log-odds above DOUBT: then every change would only cost. A cheap test:
    on most pages rules have taken all there is, and what is left is prose."""
    region = regions(page, marks.signs, marks.told, marks.title)
    bounds, share = _bounds(), len(marks.removed) / len(page.rows)
    for i, row in enumerate(page.rows):
        bound = bounds[region[i]]
        text = row.text.strip()
        if row.score > 0 and bound.prose_stays and text[-1] not in CLOSING:
            continue
        if i in marks.told or i in marks.removed or i in marks.kept:
            continue
        shown = sum(map(operator.mul, bound.own, own(text, row.score > 0)))
        if shown + bound.others + bound.page_rules * share > -ROUNDING:
            return True
    return False


def _heavy(page: Page, rows: Floats, here: Sequence[str]) -> Iterator[int]:
    """The rows over and under the article that stand in a run that may be part of it."""
    size = rows[:, FEATURES.index("run_size")]
    for i in (*range(page.first), *range(page.last, len(page.rows))):
        if size[i] > MOST_RUN[here[i]]:
            yield i


def _reasons(contributions: Floats) -> Iterator[str]:
    """For each row the names of the features that added most to its log-odds; contributions: (rows, FEATURES)."""
    order = np.argsort(-contributions[:, 1:], axis=1, kind="stable")[:, :REASONS] + 1
    best = np.take_along_axis(contributions, order, axis=1) > 0
    for numbers, counts in zip(order.tolist(), best.tolist(), strict=True):
        named = [FEATURES[k] for k, one in zip(numbers, counts, strict=True) if one]
        yield "+".join(named) or "rows_around"


def _path(odds: Floats, here: Sequence[str], marks: Marks) -> list[int]:
    """The rows that the cheapest path removes.

    odds   (rows,) log-odds of being no article
    here   the rows' regions
    """
    asked = [i for i in range(len(odds)) if i not in marks.told and i not in marks.removed]
    keep, remove = 0.0, NEVER
    came: list[tuple[bool, bool]] = []  # for each row asked: was the one before removed, if this is kept, removed?
    for i in asked:
        is_edge = i == 0 or i - 1 in marks.removed or i in marks.kept
        price = CHANGE[here[i]] * (AT_EDGE if is_edge else 1.0)
        came.append((remove + price < keep, remove <= keep + price))
        keep, remove = min(keep, remove + price), min(remove, keep + price)
        gain = odds[i] - DOUBT[here[i]]
        keep += max(0.0, gain)
        remove += NEVER if i in marks.kept else max(0.0, -gain)
    removed = remove < keep
    gone: list[int] = []
    for i, (if_kept, if_removed) in zip(reversed(asked), reversed(came), strict=True):
        if removed:
            gone.append(i)
        removed = if_removed if removed else if_kept
    return gone[::-1]
