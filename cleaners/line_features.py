"""What a row of a page looks like, in numbers: its shape, its neighbours, its place, and the rules around it.

No feature knows a word or a site: they are lengths, classes of characters, counts and distances, and whether a rule
of rules/chrome named the row or its neighbours.  `article_extent` decides by them which rows are no article.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from .prose import Page

Floats = NDArray[np.float64]

FEATURES = (
    "bias",
    "up_to_4",  # characters
    "up_to_8",
    "up_to_16",
    "up_to_30",
    "over_60",
    "prose",  # reads like prose, see prose.py
    "comma",
    "stop_inside",
    "ends_stop",
    "ends_colon",
    "digits",  # share of the row's characters
    "latin",  # share of the row's characters
    "no_letters",  # digits and marks only
    "bar",  # three short pieces or more with separators between them
    "bracketed",
    "bullet",
    "numbered",
    "counted",  # a number in brackets at the end
    "address",  # of a page or of a mailbox
    "clock",  # a date or a time of day
    "repeated",  # stands in the page once more
    "short_around",  # share of short rows without a stop, among REACH rows on either side
    "prose_around",
    "alike_around",
    "run_size",  # share of the characters of run and article that the run has: rows that are no prose and that no
    # rule removes; a long run may be the article itself
    "weak_rule",  # a rule named it, but not surely
    "rules_beside",  # share of rows that rules remove, 2 rows on either side
    "rules_around",  # the same, 8 rows on either side
    "rule_outside",  # a row that rules remove stands farther from the article
    "told_between",  # a row about the article stands between this one and the article
    "told_outside",  # … farther from it
    "page_rules",  # share of the page's rows that rules remove
)

AGAINST = frozenset(
    (
        "over_60",
        "prose",
        "comma",
        "stop_inside",
        "ends_stop",
        "ends_colon",
        "numbered",
        "prose_around",
        "run_size",
        "told_outside",
    )
)
"""Features that may only speak for the article: their weights are never above 0."""

EITHER = frozenset(("bias", "up_to_30", "digits", "no_letters", "bracketed", "clock", "rule_outside"))
"""Features that may speak for either; the weights of all others are never below 0, so that a reason reads as one."""

REGIONS = ("above", "lead", "inside", "end", "below")
"""Where a row stands; each region has weights of its own.

above   over the article
lead    over the article, but below all signs there (rows that rules remove and that stand in no article, rows about
        the article) and, where there is none of these, below a row that is the headline for sure
inside  in the main stretch of prose
end     under the article, but above all signs there
below   under the article
"""

SHORT = 16
"""Rows of up to so many characters without a stop count as links."""

REACH = 3
BESIDE = 2
AROUND = 8

STOPS = re.compile("[。！？；!?;]")
_ENDS = frozenset("。！？!?…”」.~")
_LETTER = re.compile(r"[^\W\d_]")
_LATIN = re.compile("[A-Za-z]")
_DIGIT = re.compile(r"\d")
_BULLETS = "•·●▪■◆›»>-*○◎□▲※→"
_NUMBERED = re.compile(r"[(（\[]?(?:\d{1,3}|[一二三四五六七八九十]{1,3})[)）\]]?[、.．·: ）)]")
CLOSING = frozenset(")]）】》〉〕>")  # what COUNTED and _BRACKETED end with
COUNTED = re.compile(r"[(\[（【]\d[\d/: -]*[)\]）】]$")  # a link with the number of its readers, or with a date
_ADDRESS = re.compile(r"://|www\.|@\w|\.(?:com|cn|net|org)\b")
_CLOCK = re.compile(r"\d(?::\d\d|\d{3}[-./年]\d|月\d|[-/]\d{1,2}[-/]\d)")
_BRACKETED = re.compile(r"[\[【（(<《〔].*[\]】）)>》〕]")
# not "[…]+" and "\d+": what begins with one class is searched for at memory speed, what begins with a repeat is not
_SEPARATORS = re.compile("[ \u3000|·/>»-][ \u3000|·/>»-]*")
_MASK = re.compile(r"\d\d*")


def is_bar(text: str) -> bool:
    """Three short pieces or more with separators between them: links in one line."""
    pieces = _SEPARATORS.split(text)
    return len(pieces) >= 3 and len(text) <= 10 * len(pieces)


LEAST_LINKS, LONGEST_WORD = 4, 4
"""So many words of at most so many characters each, with spaces between them, are links: 游记 目的地 攻略 酒店."""


def is_bar_of_words(text: str) -> bool:
    """True for links in one line with nothing but spaces between them."""
    words = text.split()
    return len(words) >= LEAST_LINKS and max(map(len, words)) <= LONGEST_WORD


def features(page: Page, removed: Collection[int], weak: Collection[int], told: Collection[int]) -> Floats:
    """The features of every row: (rows, FEATURES).

    removed  numbers of the rows that rules remove
    weak     numbers of the rows that a rule named without removing them
    told     numbers of the rows that tell something about the article
    """
    rows = page.rows
    found = np.zeros((len(rows), len(FEATURES)))
    texts = [row.text.strip() for row in rows]
    masked = _MASK.sub("0", "\n".join(texts)).split("\n")[: len(rows)]  # no row has a line break
    often = Counter(masked)
    if rows:
        found[:, : len(_OWN) - 1] = [own(text, row.score > 0) for text, row in zip(texts, rows, strict=True)]
        found[:, len(_OWN) - 1] = [often[one] > 1 for one in masked]
        found[[i + 1 for i, text in enumerate(texts[:-1]) if text in _BULLETS], _OWN.index("bullet")] = 1.0
    context = _context(page, found, np.array(list(map(len, masked))), _marks(len(rows), removed))
    context |= _between(page, removed, told)
    context["weak_rule"] = _marks(len(rows), weak)
    for name, column in context.items():
        found[:, FEATURES.index(name)] = column
    return found


_OWN = FEATURES[: FEATURES.index("short_around")]
BY_ITSELF = _OWN[:-1]
"""What a row shows by itself; `bullet` also for a row below one that is nothing but a bullet."""


def own(text: str, is_prose: bool) -> list[float]:
    """The features BY_ITSELF of a row that no bullet stands above: do not change them, they are remembered."""
    return _own(text, is_prose) if len(text) > SHORT else _known_own(text, is_prose)


def _own(text: str, is_prose: bool) -> list[float]:
    """The features before `repeated` of a row that no bullet stands above."""
    size = len(text)
    if size <= SHORT and text.isalpha():  # nothing but letters, as most links: there is little to look for
        latin = len(_LATIN.findall(text)) / size
        lengths = [1.0, size <= 4, 4 < size <= 8, size > 8, 0.0, 0.0, is_prose]
        return [*lengths, 0.0, 0.0, 0.0, 0.0, 0.0, latin, *[0.0] * 8]
    size = len(text)
    head = text[:200]
    scale = max(1, len(head))
    digits = len(_DIGIT.findall(head))
    return [
        1.0,
        size <= 4,
        4 < size <= 8,
        8 < size <= 16,
        16 < size <= 30,
        size > 60,
        is_prose,
        "，" in head or "、" in head or "," in head,
        STOPS.search(head[:-1]) is not None,
        text[-1] in _ENDS,
        text[-1] in ":：",
        digits / scale,
        len(_LATIN.findall(head)) / scale,
        _LETTER.search(head) is None,
        is_bar(head),
        size <= 80 and _BRACKETED.fullmatch(text) is not None,
        text[0] in _BULLETS,
        _NUMBERED.match(head) is not None,
        digits > 0 and COUNTED.search(text[-40:]) is not None,
        _ADDRESS.search(head) is not None,
        digits > 0 and _CLOCK.search(head) is not None,
    ]


_known_own = lru_cache(1 << 13)(_own)  # of short rows, which the pages of a site share


def _context(page: Page, found: Floats, sizes: NDArray[np.int64], removed: Floats) -> dict[str, Floats]:
    """Features of the rows around a row."""
    prose = found[:, FEATURES.index("prose")]
    stops = found[:, FEATURES.index("ends_stop")] + found[:, FEATURES.index("stop_inside")]
    short = ((sizes <= SHORT) & (stops == 0)).astype(float)
    shape = np.minimum(5, np.log2(np.maximum(1, sizes)).round()) + 8 * prose
    alike = np.zeros(len(sizes))
    quiet = (prose == 0) & (removed == 0)
    in_run = _runs(quiet, sizes.astype(float))
    for step in (1, 2):
        same = (shape[step:] == shape[:-step]).astype(float)
        alike[step:] += same
        alike[:-step] += same
    return {
        "short_around": around(short, REACH),
        "prose_around": around(prose, REACH),
        "alike_around": alike / 4,
        "run_size": in_run / np.maximum(1.0, in_run + page.prose),
        "rules_beside": around(removed, BESIDE),
        "rules_around": around(removed, AROUND),
        "page_rules": np.full(len(sizes), removed.mean() if len(sizes) else 0.0),
    }


def around(marks: Floats, reach: int) -> Floats:
    """For each row the share of marks among `reach` rows on either side, the row itself not counted."""
    sums = np.concatenate([[0.0], np.cumsum(marks)])
    at = np.arange(len(marks))
    low, high = np.maximum(0, at - reach), np.minimum(len(marks), at + reach + 1)
    share: Floats = (sums[high] - sums[low] - marks) / (2 * reach)
    return share


def _runs(marks: NDArray[np.bool_], amounts: Floats) -> Floats:
    """For each row the sum of the amounts in the run of True that it stands in, 0 outside of these."""
    sums = np.concatenate([[0.0], np.cumsum(amounts)])
    found = np.zeros(len(marks))
    edges = np.flatnonzero(np.diff(np.concatenate([[0], marks.astype(np.int8), [0]])))
    for begin, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        found[begin:end] = sums[end] - sums[begin]
    return found


def _marks(size: int, numbers: Collection[int]) -> Floats:
    marks = np.zeros(size)
    marks[list(numbers)] = 1.0
    return marks


def _between(page: Page, removed: Collection[int], told: Collection[int]) -> dict[str, Floats]:
    """Features of what stands between a row and the article, and on its other side."""
    size = len(page.rows)
    at = np.arange(size)
    head, tail = at < page.first, at >= page.last
    rules, about = (np.concatenate([[0.0], np.cumsum(_marks(size, numbers))]) for numbers in (removed, told))
    between = np.where(head, about[page.first] - about[at + 1], np.where(tail, about[at] - about[page.last], 0.0))
    columns = {"told_between": (between > 0).astype(float)}
    for name, before in (("rule_outside", rules), ("told_outside", about)):
        outside = np.where(head, before[at], np.where(tail, before[size] - before[at + 1], 0.0))
        columns[name] = (outside > 0).astype(float)
    return columns


def regions(page: Page, signs: Collection[int], told: Collection[int], title: int = 0) -> list[int]:
    """For each row the number of its region in REGIONS.

    signs  numbers of the rows that bound the article, among them those about it
    told   numbers of the rows that tell something about the article
    title  the row that is the headline for sure, 0 if none is; what stands above it is none of the article
    """
    begin, end = beside(page, signs)
    if not any(i < page.first for i in told):
        begin = max(begin, title)
    found = [0] * begin + [1] * (page.first - begin) + [2] * (page.last - page.first)
    return found + [3] * (end - page.last) + [4] * (len(page.rows) - end)


def beside(page: Page, signs: Collection[int]) -> tuple[int, int]:
    """First and last + 1 of the rows that no sign parts from the main stretch.  signs: row numbers."""
    above = max((i for i in signs if i < page.first), default=-1)
    return above + 1, min((i for i in signs if i >= page.last), default=len(page.rows))
