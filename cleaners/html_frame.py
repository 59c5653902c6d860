"""What an HTML page's elements say against their lines: navigation, lists of links, footers.

Evidence only: html_region decides, and asks it about lines that stand outside of the page's prose.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from .html_source import Source

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
    """A line as a reader sees it.  linked: share of its characters inside links; score: above 0 for prose."""

    text: str
    bare: str
    linked: float
    score: int


class Evidence(NamedTuple):
    """named: for each element whether it is, or lies in, one that says that it belongs to the frame; never: the same
    for those that hold no article wherever they stand; lines: for each line whether it is one of the frame's if it
    is no prose."""

    named: list[bool]
    never: list[bool]
    lines: list[bool]


def read(source: str, page: Source, lines: Sequence[Seen], region: Sequence[bool], on_way: Sequence[bool]) -> Evidence:
    """The evidence against each line.

    region, on_way  for each element whether it lies in the article's element, and whether the article's lies in it
    """
    letters, linked, prose = _totals(page, lines)
    named, weak = [False] * len(page.elements), [False] * len(page.elements)
    cells, never = [False] * len(page.elements), [False] * len(page.elements)
    for i in range(1, len(page.elements)):
        one = page.elements[i]
        if one.name in _LISTS:
            cells[i] = linked[i] < FEW_LINKS * letters[i]
        else:
            cells[i] = cells[one.parent]
        if on_way[i]:
            continue
        if one.end - one.start == len(one.name) + 2:  # nothing but its name
            named_so = weakly = False
        else:
            named_so, weakly = _judged(source[one.start : min(one.end, one.start + LONGEST_TAG)])
        says = named_so or one.name in _ELEMENTS
        never[i] = never[one.parent] or (one.name in _NEVER and prose[i] == 0)
        named[i] = named[one.parent] or says
        weak[i] = (
            weak[one.parent] or (prose[i] == 0 and (linked[i] > LINKED * letters[i] or one.name == "form")) or weakly
        )
    around = []
    for line, seen in zip(page.lines, lines, strict=True):
        e = line.element
        around.append(named[e] or weak[e] or (seen.linked >= LINKED and not cells[e]))
    return Evidence(named, never, around)


@lru_cache(1 << 13)  # a page's tags are alike, and so are a site's pages
def _judged(tag: str) -> tuple[bool, bool]:
    """Whether the start tag says for sure, and whether one of its names hints, that its element is no article."""
    if "=" not in tag:
        return False, False
    surely = _NAMED.search(tag) is not None or _ROLE.search(tag) is not None
    names = [found[found.lastindex or 1] for found in _ATTRIBUTE.finditer(tag)]
    return surely, any(word.lower() in _WEAK for name in names for word in _WORDS.findall(name))


def _totals(page: Source, lines: Sequence[Seen]) -> tuple[list[int], list[int], list[int]]:
    """For each element the characters in it, those inside links, and those of prose."""
    letters, linked, prose = ([0] * len(page.elements) for _ in range(3))
    for line, one in zip(page.lines, lines, strict=True):
        letters[line.element] += len(one.bare)
        if one.linked:
            linked[line.element] += round(one.linked * len(one.bare))
        prose[line.element] += one.score
    for i in range(len(page.elements) - 1, 0, -1):
        parent = page.elements[i].parent
        letters[parent] += letters[i]
        linked[parent] += linked[i]
        prose[parent] += prose[i]
    return letters, linked, prose
