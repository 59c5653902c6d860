"""HTML source, read without loss: which characters of it a reader sees, in which lines, inside which elements.

Browsers' rules (the HTML standard, section 13) as far as they decide what is visible and where lines end; no tree
is built, so that a million nested or unclosed tags cost no more than a million others.
"""

from __future__ import annotations

import re
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import lru_cache
from html.entities import html5
from typing import NamedTuple

import numpy as np

_NAME = r"(?P<name>/?[A-Za-z][A-Za-z0-9:-]{0,30}+)"
# "=" belongs to the quote behind it: a quote elsewhere quotes nothing
_REST = r"""(?P<rest>>|[\s/](?>[^"'<>=]++|=\s*+(?:"[^"]*+"|'[^']*+')|["'=])*+>)"""
_MARKUP = re.compile(rf"<(?:{_NAME}(?=[\s/>])|(?P<other>[!?/]))")
_WHOLE = re.compile(rf"<(?:{_NAME}(?:{_REST}|(?=[\s/]))|(?P<other>[!?/]))")
_HIDDEN = re.compile(r"""\shidden(?=[\s>=/])|display\s*:\s*none|\sclass="?mw-editsection""", re.I)
_NAMES = re.compile(r"""\s(?:class|id)\s*=\s*(?:"([^"]{1,200})"|'([^']{1,200})'|([^\s"'>]{1,200}))""", re.I)
_STYLE_BODY = re.compile(r"\{([^{}]{0,500})\}")
_NO_DISPLAY = re.compile(r"display\s*:\s*none", re.I)
_AT_RULE = re.compile(r"@(?:media|supports|container)[^{};]{0,200}\{(?>[^{};]*+\{[^{}]*+\})*+[^{}]*+\}", re.I)
_ONE_NAME = re.compile(r"\s*[.#]([A-Za-z][\w-]{0,60})\s*")
_SHOWN_LATER = re.compile(
    r"tab|pane|fold|collaps|slide|accord|more|expand|toggle|content|lazy|fade|item|article|text|full|show|js|load", re.I
)
"""Names of what a script shows: what readers ask for, or the article itself."""
_REFERENCE = (
    r"&(?:#(?:\d{1,7}|[xX][0-9a-fA-F]{1,6});|[A-Za-z][A-Za-z0-9]{1,31};|(?:nbsp|lt|gt|amp|quot)(?![A-Za-z0-9=;]))"
)
_ENTITY = re.compile(_REFERENCE)
ENTITY_OR_SPACE = re.compile(rf"[ \t\r\n\f]+|{_REFERENCE}")

RAW = frozenset(["script", "style", "xmp", "iframe", "noembed", "noframes", "textarea", "title"])
"""Elements in which markup is no markup."""

UNSEEN = frozenset(["noscript", "template", "select", "datalist", "svg", "math"])
"""Other elements whose text nobody reads as part of the page.  One that is never closed hides nothing."""

VOID = frozenset(["br", "hr", "img", "input", "meta", "link", "area", "base", "col", "embed", "source", "track", "wbr"])
MOST_BROKEN = 20
"""Tags without an end that are looked at with their quotes; after these, a tag ends at the next ">", so that a page
of nothing but broken tags takes no more time than another."""

LONGEST_BROKEN = 5_000
"""How far the end of a broken tag is searched for, in characters."""

LONGEST_REMEMBERED = 400
"""Longer tags are judged each time, in characters."""

DEEP = 100
"""A deeper nesting of block elements is odd."""

LONG_TAG = 1_000
"""A tag of more characters is odd, as is so much in an element that nobody reads."""

MOST_OPEN = 30
"""More open inline elements are odd, and more options outside of a list to choose from, or more bodies."""

MOST_IMPLIED = 8
"""Open elements that are looked at for one that a start tag ends."""

LONGEST_STYLE = 200_000
"""Longer style sheets are not looked at, in characters."""

BLOCKS = frozenset(
    [
        "address", "article", "aside", "blockquote", "body", "caption", "center", "dd", "details", "dialog", "dir",
        "div", "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6",
        "header", "hgroup", "hr", "html", "legend", "li", "listing", "main", "menu", "nav", "ol", "optgroup",
        "option", "p", "pre", "search", "section", "summary", "table", "tbody", "td", "tfoot", "th", "thead", "tr",
        "ul",
    ]
)  # fmt: skip
INLINE = frozenset(
    [
        "abbr", "acronym", "b", "basefont", "bdi", "bdo", "big", "blink", "cite", "code", "data", "del", "dfn",
        "em", "font", "i", "image", "ins", "kbd", "label", "mark", "marquee", "nobr", "output", "picture", "q",
        "rb", "rp", "rt", "rtc", "ruby", "s", "samp", "slot", "small", "span", "strike", "strong", "sub", "sup",
        "time", "tt", "u", "var", "a", "button",
    ]
)  # fmt: skip
"""Elements that stand inside lines.  All others, also those that some page has made up, begin lines of their own."""

FORMATTING = frozenset(
    ["a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u"]
)
"""Inline elements that browsers open again behind a block that ended before them."""

_ENDED_BY_ITSELF = {
    "li": ("li",), "dd": ("dd", "dt"), "dt": ("dd", "dt"), "td": ("td", "th"), "th": ("td", "th"),
    "tr": ("tr", "td", "th"), "tbody": ("tbody", "thead", "tr", "td", "th"), "option": ("option",),
}  # fmt: skip
_CELLS = ("table", "td", "th")
_TABLE_PARTS = frozenset(["table", "caption", "tbody", "thead", "tfoot", "tr", "td", "th"])
_SCOPES = frozenset(["table", "ul", "ol", "dl", "td", "th", "body", "html"])
_STOPS = {name: _SCOPES if name not in _TABLE_PARTS else frozenset(["table"]) for name in _ENDED_BY_ITSELF}


class Run(NamedTuple):
    """source[start:end] between two pieces of markup; link: inside <a> or <button>, preserved: its line ends count."""

    start: int
    end: int
    link: bool
    preserved: bool


class Line(NamedTuple):
    """What a reader sees as one line or one paragraph, from source[start] to source[end].

    element          the innermost block element it stands in: its number
    link, preserved  as in Run, if it is one run
    several          its runs, if they are more than one
    """

    start: int
    end: int
    element: int
    link: bool
    preserved: bool
    several: tuple[Run, ...]

    @property
    def runs(self) -> tuple[Run, ...]:
        """Its characters, in order."""
        return self.several or (Run(self.start, self.end, self.link, self.preserved),)


class Tag(NamedTuple):
    """A start tag of interest: source[start:end]; content_end: where its raw text ends (script, title)."""

    name: str
    start: int
    end: int
    content_end: int


class Elements(NamedTuple):
    """Block elements in order of their start tags; the first is the whole page.

    names    as in their tags, in small letters
    parents  numbers of the elements that they stand in, -1 for none
    starts   of their start tags in the source
    sizes    of their start tags, in characters
    afters   numbers of the next elements that do not stand in them: an element i holds i to afters[i]
    """

    names: list[str]
    parents: array[int]
    starts: array[int]
    sizes: array[int]
    afters: array[int]


class Source(NamedTuple):
    """What a page holds.

    lines   with text
    cells   numbers of the lines that are cells of a table's row, and not the row's first
    hidden  numbers of the lines that the page's style hides
    tags    meta, title, scripts, time
    depth   the deepest nesting of block elements
    odd     the page has what few pages have, and what may be much work for whoever builds a tree of it (see
            html_burden)
    """

    elements: Elements
    lines: list[Line]
    cells: set[int]
    hidden: set[int]
    tags: list[Tag]
    depth: int
    odd: bool


_made = tuple.__new__  # making a Line by its name takes twice as long


@lru_cache(1 << 13)  # a page's tags are alike, and so are a site's pages
def _hides(tag: str) -> bool:
    if tag.isascii():  # the pattern looks at each character
        low = tag.lower()
        if "hidden" not in low and "display" not in low and "mw-editsection" not in low:
            return False
    return _HIDDEN.search(tag) is not None


_RAW_ENDS = {name: re.compile(rf"</{name}(?=[\s/>])", re.I) for name in RAW | UNSEEN}


class _Reader:
    """State while the source is read.  `stack` and `inner` hold the numbers and the names of open block elements,
    `open` for each name where in the stack; `names`, `parents` … are those of Elements."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.names = [""]
        self.parents, self.starts, self.sizes, self.afters = (array("q", [first]) for first in (-1, 0, 0, 0))
        self.lines: list[Line] = []
        self.cells: set[int] = set()
        self.hidden_lines: set[int] = set()
        self.tags: list[Tag] = []
        self.stack = [0]
        self.inner = [""]
        self.open: defaultdict[str, list[int]] = defaultdict(list)
        self.odd = False
        self.inside: Counter[str] = Counter()  # inline elements that are open, by name
        self.unclosed = 0  # how many that are
        self.runs: list[tuple[int, int, bool, bool]] = []
        self.seen = False  # one of the runs is more than space
        self.linked = False
        self.hiding: set[int] = set()  # numbers of the open elements that are hidden
        self.preserved = 0
        self.never_closed: set[str] = set()
        self.cell = False
        self.broken = 0
        self.hidden_names: set[str] = set()
        self.muted, self.mute_depth = "", 0

    def end_of_broken(self, start: int) -> int:
        """The position behind the ">" that ends a tag whose name ends at `start`, or -1: it is a "<" in a text."""
        self.broken += 1
        limit = start + LONGEST_BROKEN
        end, other = self.source.find(">", start, limit), self.source.find("<", start, limit)
        return -1 if end < 0 or 0 <= other < end else end + 1

    def end_of_other(self, start: int) -> int:
        """Where a comment, a declaration, an instruction or a broken end tag ends.  A comment that does not end is one
        up to the next ">": what browsers hide then, the whole rest of the page, may be the article."""
        for begin, stop in (("<!--", "-->"), ("<![CDATA[", "]]>")):
            if self.source.startswith(begin, start) and stop not in self.never_closed:
                end = self.source.find(stop, start + 2)
                if end >= 0:
                    # for browsers it may end earlier
                    self.odd = self.odd or stop != "-->" or self.source.find("--!>", start, end) >= 0
                    return end + 3
                self.never_closed.add(stop)
        end = self.source.find(">", start)
        return end + 1 if end >= 0 else len(self.source)

    def text(self, start: int, end: int) -> None:
        if start < end and not self.muted:
            self.runs.append((start, end, self.linked, self.preserved > 0))
            if not self.seen:
                self.seen = not self.source[start:end].isspace()

    def style(self, start: int, end: int) -> None:
        """Notes the classes and ids that a style sheet hides by themselves, whatever stands around."""
        if end - start > LONGEST_STYLE or not _NO_DISPLAY.search(self.source, start, end):
            return
        sheet = _AT_RULE.sub("}", self.source[start:end])
        for found in _STYLE_BODY.finditer(sheet):
            if _NO_DISPLAY.search(found[1]):
                before = sheet[max(0, found.start() - 300) : found.start()]
                for selector in before[max(before.rfind("}"), before.rfind("/")) + 1 :].split(","):
                    one = _ONE_NAME.fullmatch(selector)
                    if one and not _SHOWN_LATER.search(one[1]):
                        self.hidden_names.add(one[1])

    def _is_hidden(self, start: int, end: int) -> bool:
        """True for a start tag whose element is not shown; it is at least seven characters longer than its name."""
        short = end - start <= LONGEST_REMEMBERED  # pictures stand in some tags
        if _hides(self.source[start:end]) if short else _HIDDEN.search(self.source, start, end):
            return True
        return bool(self.hidden_names) and any(
            not self.hidden_names.isdisjoint((found[1] or found[2] or found[3]).split())
            for found in _NAMES.finditer(self.source, start, end)
        )

    def end_of_raw(self, name: str, start: int) -> int:
        """Where the content of a raw or unseen element ends.  Without an end tag that is at the end of its start
        tag: what browsers hide then, the whole rest of the page, may be the article."""
        found = None if name in self.never_closed else _RAW_ENDS[name].search(self.source, start)
        if found is None:
            self.never_closed.add(name)
        return found.start() if found else start

    def line(self) -> None:
        """Ends a line."""
        runs = self.runs
        if self.seen:
            start, end, link, preserved = runs[0]
            several: tuple[Run, ...] = ()
            if len(runs) > 1:
                end, several = runs[-1][1], tuple(map(Run._make, runs))
            if self.cell:
                self.cells.add(len(self.lines))
            if self.hiding:
                self.hidden_lines.add(len(self.lines))
            self.lines.append(_made(Line, (start, end, self.stack[-1], link, preserved, several)))
            self.seen = False
        runs.clear()

    def tag(self, written: str, start: int, end: int) -> int:
        """One tag; returns where to go on."""
        name, kind = _kind(written)
        if kind == "block":
            self.begin(name, start, end)
        elif kind == "/block":
            self.end(name)
        elif kind == "inline":
            self.inline(name, start, end)
        elif kind == "link":
            self.linked = True  # links do not nest
            self.inline(name, start, end)
        elif kind in ("/inline", "/link"):
            if self.inside[name]:
                self.inside[name] -= 1
                self.unclosed -= 1
            if name == self.muted:
                self.end_muted()
            if kind == "/link":
                self.linked = False
        elif kind == "void":
            self.void(written, name, start, end)
        elif kind == "raw":
            return self.raw(name, start, end)
        return end

    def begin(self, name: str, start: int, end: int) -> None:
        """A start tag of a block."""
        if self.runs:
            self.line()
        if self.linked and name in ("td", "table", "li", "div"):
            self.linked = False
        size, number, stack, inner = end - start, len(self.names), self.stack, self.inner
        self.muted = ""
        if inner[-1] == "p":
            self._pop()
        if name in _ENDED_BY_ITSELF:
            self._end_implied(name)
        self.names.append(name)
        self.parents.append(stack[-1])
        self.starts.append(start)
        self.sizes.append(size)
        self.afters.append(0)
        if size >= len(name) + 7 and self._is_hidden(start, end):
            self.hiding.add(number)
        self.open[name].append(len(stack))
        stack.append(number)
        inner.append(name)
        if name == "pre":
            self.preserved += 1
        self.cell = name in ("td", "th") and self._is_later_cell()

    def _end_implied(self, name: str) -> None:
        """The end tags that may be left out: an item ends the item before it."""
        ended, stops, inner = _ENDED_BY_ITSELF[name], _STOPS[name], self.inner
        while inner[-1] in ended:
            self._pop()
        if inner[-1] in stops or not any(map(self.open.get, ended)):
            return
        for i in range(len(inner) - 1, 0, -1):
            found = inner[i]
            if found in ended:
                while len(inner) > i:
                    self._pop()
            elif found in stops or len(inner) - i > MOST_IMPLIED:
                return

    def _is_later_cell(self) -> bool:
        """True if the row that the cell stands in has a line already."""
        if self.inner[-2] != "tr" or not self.lines:
            return False
        before = self.lines[-1].element
        return self.parents[before] == self.stack[-2] and self.names[before] in ("td", "th")

    def end(self, name: str) -> None:
        """An end tag of a block: closes the nearest open element of that name, and those inside it."""
        if self.runs:
            self.line()
        self.muted = ""
        self.cell = False
        if self.inner[-1] == name:
            self._pop()
            return
        places = self.open.get(name)
        if not places:
            return
        place = places[-1]
        if place < len(self.stack) - 1 and name not in _TABLE_PARTS and self._is_in_cell(place):
            return  # a stray end tag in a cell closes nothing outside it
        while len(self.stack) > place:
            self._pop()

    def _is_in_cell(self, place: int) -> bool:
        """Whether a cell or table is open above a place of the stack."""
        return any(self.open[name][-1] > place for name in _CELLS if self.open.get(name))

    def _pop(self) -> None:
        name, number = self.inner.pop(), self.stack.pop()
        self.open[name].pop()
        self.afters[number] = len(self.names)
        if self.hiding:
            self.hiding.discard(number)
        if name == "pre":
            self.preserved -= 1

    def inline(self, name: str, start: int, end: int) -> None:
        """An inline start tag: what a hidden one holds is no text.  A block ends that: it was never closed."""
        self.inside[name] += 1
        self.unclosed += 1
        if self.unclosed > MOST_OPEN:
            self.odd = True
        if self.muted:
            self.mute_depth += name == self.muted
        elif end - start >= len(name) + 7 and self._is_hidden(start, end):
            self.muted, self.mute_depth = name, 1
        if name == "time":
            self.tags.append(Tag(name, start, end, end))

    def end_muted(self) -> None:
        self.mute_depth -= 1
        self.muted = self.muted if self.mute_depth else ""

    def void(self, written: str, name: str, start: int, end: int) -> None:
        """A tag of an element without content."""
        if name == "meta":
            self.tags.append(Tag(name, start, end, end))
            return
        if self.runs:
            self.line()
        if written[0] != "/":
            self.cell = False
        if name == "hr" and self.inner[-1] == "p":
            self._pop()

    def raw(self, name: str, start: int, end: int) -> int:
        """A start tag of a raw or unseen element; returns where to go on."""
        stop = end if self.source[end - 2] == "/" else self.end_of_raw(name, end)
        self.tags.append(Tag(name, start, end, stop))
        if name in UNSEEN and stop - end > LONG_TAG:
            self.odd = True
        if name == "style":
            self.style(end, stop)
        if name == "xmp":
            self.text(end, stop)
        return stop

    def finish(self) -> Source:
        """What the page holds."""
        if self.runs:
            self.line()
        for number in self.stack:
            self.afters[number] = len(self.names)
        repeated = sum(map(self.names.count, ("option", "body", "html")))
        ended = np.bincount(self.afters)[:-1].cumsum()  # elements that end before each
        depth = 1 + int((np.arange(len(self.names)) - ended).max())
        odd = self.odd or self.broken > 0 or repeated > MOST_OPEN or depth > DEEP
        elements = Elements(self.names, self.parents, self.starts, self.sizes, self.afters)
        return Source(elements, self.lines, self.cells, self.hidden_lines, self.tags, depth, odd)


def read(source: str) -> Source:
    """Reads an HTML page.  Linear in its length."""
    reader = _Reader(source)
    at = done = 0
    while at >= 0:
        # with many broken tags, looking for their ends behind quotes would take too long
        pattern = _WHOLE if reader.broken < MOST_BROKEN else _MARKUP
        for found in pattern.finditer(source, at):
            start, end = found.span()
            form = found.lastgroup
            if form != "rest":
                end = reader.end_of_other(start) if form == "other" else reader.end_of_broken(end)
                if end < 0:  # a "<" in a text
                    if pattern is _WHOLE and reader.broken == MOST_BROKEN:
                        at = found.end()
                        break
                    continue
            if done < start:
                reader.text(done, start)
            if end - start > LONG_TAG and form != "other":
                reader.odd = True
            done = reader.tag(found[1], start, end) if form != "other" else end
            if done > found.end():
                at = done
                break
        else:
            at = -1
    reader.text(done, len(source))
    return reader.finish()


@lru_cache(1 << 12)
def _kind(written: str) -> tuple[str, str]:
    """The name in small letters, and what a tag of this name does: raw, link, void, inline or block, with a slash for
    an end tag; "" for one that does nothing.

    written  the name as it stands there, behind a slash in an end tag
    """
    name = written.lower().removeprefix("/")
    slash = written[: written.startswith("/")]
    if name in RAW or name in UNSEEN:
        kind = "raw"
    elif name in ("a", "button"):
        kind = "link"
    elif name in VOID or ":" in name:
        kind = "void"
    else:
        kind = "inline" if name in INLINE else "block"
    if kind == "void":
        return name, kind if slash + name in ("br", "/br", "hr", "meta") else ""
    return name, "" if kind == "raw" and slash else slash + kind


def entities(source: str, start: int, end: int) -> Iterator[tuple[int, int, str]]:
    """The character references in source[start:end]: where they stand and what they mean."""
    at = source.find("&", start, end)
    if at < 0:
        return
    for found in _ENTITY.finditer(source, at, end):
        meaning = meant(found[0])
        if meaning:
            yield found.start(), found.end(), meaning


def without_entities(text: str) -> str:
    """The text with what its character references mean."""
    return _ENTITY.sub(lambda found: meant(found[0]) or found[0], text)


_WINDOWS_1252 = {i: bytes([i]).decode("cp1252", "replace") for i in range(0x80, 0xA0)}


@lru_cache(1 << 8)  # most are one of a few
def meant(entity: str) -> str:
    """What a character reference means; "" when it means nothing, and stays."""
    if entity[1] != "#":
        name = entity[1:]
        return html5.get(name if name.endswith(";") else name + ";", "")
    digits = entity[2:-1]
    code = int(digits[1:], 16) if digits[0] in "xX" else int(digits)
    if code in _WINDOWS_1252:
        return _WINDOWS_1252[code]
    if (code < 0x20 and code not in (9, 10, 13)) or 0xD800 <= code < 0xE000 or code > 0x10FFFF:
        return ""
    return chr(code)
