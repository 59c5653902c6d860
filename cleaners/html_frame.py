"""What an HTML page's elements say against their lines: navigation, lists of links, footers.

Evidence only: html_region decides, and asks it about lines that stand outside of the page's prose.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from operator import itemgetter
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .html_source import Elements, Source

LINKED = 0.5
"""A line, or an element, is made of links if more than this share of its characters is."""

FEW_LINKS = 0.3
"""A line of links in a list or table with a smaller share of links is one of its cells like others."""

_NAMED = re.compile(
    r"""\b(?:id|class)\s*=\s*["']?[^"'>]{0,200}?"""
    r"(?:comment|footer|copyright|disclaimer|pinglun|sidebar|related|recommend|breadcrumb|hot-|rank)",
    re.I,
)
_NEVER = frozenset(["nav", "dialog", "amp-sidebar", "amp-ad", "amp-embed", "amp-iframe", "amp-consent"])
"""Elements that hold no part of an article, unless it is prose, also where they stand inside of it."""

_ELEMENTS = _NEVER | {"aside", "footer", "amp-list"}
_TELLING = _ELEMENTS | {"form"}
_ROLE = re.compile(
    r"""\brole\s*=\s*["']?(?:navigation|banner|contentinfo|complementary|search|menu|menubar|dialog|alert)\b""", re.I
)
_ATTRIBUTE = re.compile(r"""\b(?:id|class)\s*=\s*(?:"([^"]{1,200})"|'([^']{1,200})'|([^\s"'>]{1,200}))""", re.I)
_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")
_WEAK = frozenset(
    [
        "modal", "popup", "dialog", "toast", "feedback", "unfeedback", "dislike", "uninterested", "jubao", "fankui",
        "nav", "navbar", "navigation", "menu", "submenu", "topbar", "toolbar", "foot", "footer", "ft", "bottom",
        "btm", "copyright", "breadcrumb", "breadcrumbs", "crumb", "crumbs", "path", "pos", "position", "location",
        "dqwz", "share", "sharing", "bdshare", "bdsharebuttonbox", "sns", "login", "signin", "register", "search",
        "related", "relate", "xgxw", "recommend", "recommended", "tuijian", "hot", "ranking", "rank", "paihang",
        "comment", "comments", "pinglun", "vote", "digg", "pagination", "pager", "qrcode", "ewm", "erweima",
        "friendlink", "friendlinks", "links", "yqlj", "subscribe", "newsletter", "ad", "ads", "advert",
        "advertisement", "guanggao", "sidebar", "widget", "toolbox", "print", "dayin", "copy",
    ]
)  # fmt: skip
"""Words in the names of elements; alone they say nothing against prose."""

LONGEST_TAG = 1_000
"""So much of a start tag is looked at, in characters."""

_LISTS = frozenset(["table", "ul", "ol", "dl"])


class Seen(NamedTuple):
    """A line as a reader sees it.

    text    in one line
    bare    without white space
    linked  share of its characters inside links
    score   above 0 for prose
    plain   it stands so in the source, without white space and references
    """

    text: str
    bare: str
    linked: float
    score: int
    plain: bool


class Numbers(NamedTuple):
    """Of all lines, in their order: the elements that they stand in, and of Seen the length of `bare`, `linked` and
    `score`."""

    elements: NDArray[np.int64]
    letters: NDArray[np.int64]
    linked: NDArray[np.float64]
    scores: NDArray[np.int64]

    @classmethod
    def of(cls, page: Source, lines: Sequence[Seen]) -> Numbers:
        """Those of a page's lines."""
        elements = np.fromiter(map(itemgetter(2), page.lines), np.int64, len(lines))
        letters = np.fromiter(map(len, map(itemgetter(1), lines)), np.int64, len(lines))
        linked = np.fromiter(map(itemgetter(2), lines), np.float64, len(lines))
        return cls(elements, letters, linked, np.fromiter(map(itemgetter(3), lines), np.int64, len(lines)))

    def sums(self, elements: Elements, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        """For each element the sum of the numbers of its lines, one for each line."""
        own = np.bincount(self.elements, numbers, len(elements.names)).astype(np.int64)
        before = np.concatenate(([0], own.cumsum()))
        sums: NDArray[np.int64] = before[np.array(elements.afters)] - before[:-1]
        return sums


class Evidence(NamedTuple):
    """named: for each element whether it is, or lies in, one that says that it belongs to the frame; never: the same
    for those that hold no article wherever they stand; lines: for each line whether it is one of the frame's if it
    is no prose."""

    named: NDArray[np.bool_]
    never: NDArray[np.bool_]
    lines: NDArray[np.bool_]


def read(source: str, page: Source, numbers: Numbers, on_way: set[int]) -> Evidence:
    """The evidence against each line.

    on_way  numbers of the elements that the article's element lies in, and its own
    """
    elements = page.elements
    letters = numbers.sums(elements, numbers.letters)
    linked = numbers.sums(elements, np.rint(numbers.linked * numbers.letters).astype(np.int64))
    prose = numbers.sums(elements, numbers.scores)
    named, never = [], []
    weak = np.flatnonzero((prose == 0) & (linked > LINKED * letters)).tolist() if linked[0] else []
    for i, (name, size) in enumerate(zip(elements.names, elements.sizes, strict=True)):
        if (size == len(name) + 2 and name not in _TELLING) or i in on_way:  # nothing but its name
            continue
        start = elements.starts[i]
        named_so, weakly = _judged(source[start : start + min(size, LONGEST_TAG)])
        if named_so or name in _ELEMENTS:
            named.append(i)
        if name in _NEVER and not prose[i]:
            never.append(i)
        if weakly or (name == "form" and not prose[i]):
            weak.append(i)
    surely, weakly_so = (_inside(some, elements) for some in (named, [i for i in weak if i and i not in on_way]))
    of = numbers.elements
    around = surely[of] | weakly_so[of]
    if (links := numbers.linked >= LINKED).any():
        around |= links & ~_cells(elements, linked, letters)[of]
    return Evidence(surely, _inside(never, elements), around)


def _inside(some: Sequence[int], elements: Elements) -> NDArray[np.bool_]:
    """For each element whether it is, or lies in, one of some."""
    size = len(elements.names) + 1
    steps = np.bincount(some, minlength=size) - np.bincount([elements.afters[i] for i in some], minlength=size)
    return steps.cumsum()[:-1] > 0


def _cells(elements: Elements, linked: NDArray[np.int64], letters: NDArray[np.int64]) -> NDArray[np.bool_]:
    """For each element whether the list or table that it stands in has few links."""
    few = (linked < FEW_LINKS * letters).tolist()
    cells = [False]
    for i, name in enumerate(elements.names):
        if i:
            cells.append(few[i] if name in _LISTS else cells[elements.parents[i]])
    return np.array(cells)


@lru_cache(1 << 13)  # a page's tags are alike, and so are a site's pages
def _judged(tag: str) -> tuple[bool, bool]:
    """Whether the start tag says for sure, and whether one of its names hints, that its element is no article."""
    if "=" not in tag:
        return False, False
    surely = _NAMED.search(tag) is not None or _ROLE.search(tag) is not None
    names = [found[found.lastindex or 1] for found in _ATTRIBUTE.finditer(tag)]
    return surely, any(word.lower() in _WEAK for name in names for word in _WORDS.findall(name))
