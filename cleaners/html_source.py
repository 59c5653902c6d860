"""HTML source, read without loss: which characters of it a reader sees, in which lines, inside which elements.

Browsers' rules (the HTML standard, section 13) as far as they decide what is visible and where lines end; no tree
is built, so that a million nested or unclosed tags cost no more than a million others.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from html.entities import html5
from typing import NamedTuple

_NAME = r"(?P<close>/?)(?P<name>[A-Za-z][A-Za-z0-9:-]{0,30})(?=[\s/>])"
# "=" belongs to the quote behind it: a quote elsewhere quotes nothing
_REST = r"""(?P<rest>(?>[^"'<>=]++|=\s*+(?:"[^"]*+"|'[^']*+')|["'=])*+>)"""
_MARKUP = re.compile(rf"<(?:{_NAME}|(?P<other>[!?/]))")
_WHOLE = re.compile(rf"<(?:{_NAME}{_REST}?|(?P<other>[!?/]))")
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
_ENTITY = re.compile(
    r"&(?:#(?:\d{1,7}|[xX][0-9a-fA-F]{1,6});|[A-Za-z][A-Za-z0-9]{1,31};|(?:nbsp|lt|gt|amp|quot)(?![A-Za-z0-9=;]))"
)

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

_ENDED_BY_ITSELF = {
    "li": ("li",), "dd": ("dd", "dt"), "dt": ("dd", "dt"), "td": ("td", "th"), "th": ("td", "th"),
    "tr": ("tr", "td", "th"), "tbody": ("tbody", "thead", "tr", "td", "th"), "option": ("option",),
}  # fmt: skip
_TABLE_PARTS = frozenset(["table", "caption", "tbody", "thead", "tfoot", "tr", "td", "th"])
_SCOPES = frozenset(["table", "ul", "ol", "dl", "td", "th", "body", "html"])


class Element(NamedTuple):
    """A block element.  parent: its number in Source.elements, -1 for none; start, end: its start tag in the source."""

    name: str
    parent: int
    start: int
    end: int
    hidden: bool


class Run(NamedTuple):
    """source[start:end] between two pieces of markup; link: inside <a> or <button>, preserved: its line ends count."""

    start: int
    end: int
    link: bool
    preserved: bool


class Line(NamedTuple):
    """What a reader sees as one line or one paragraph.

    runs     its characters, in order
    element  the innermost block element it stands in: number in Source.elements
    cell     it is a cell of a table's row, and not the row's first
    hidden   the page's style hides it
    """

    runs: tuple[Run, ...]
    element: int
    cell: bool
    hidden: bool


class Tag(NamedTuple):
    """A start tag of interest: source[start:end]; content_end: where its raw text ends (script, title)."""

    name: str
    start: int
    end: int
    content_end: int


class Source(NamedTuple):
    """elements: block elements in order of their start tags; lines: with text; tags: meta, title, scripts, time;
    depth: the deepest nesting of block elements."""

    elements: list[Element]
    lines: list[Line]
    tags: list[Tag]
    depth: int


_run = tuple.__new__  # making a Run by its name takes twice as long


@lru_cache(1 << 13)  # a page's tags are alike, and so are a site's pages
def _hides(tag: str) -> bool:
    return _HIDDEN.search(tag) is not None


_RAW_ENDS = {name: re.compile(rf"</{name}(?=[\s/>])", re.I) for name in RAW | UNSEEN}


class _Reader:
    """State while the source is read.  `stack` holds the numbers of open block elements."""

    def __init__(self) -> None:
        self.elements: list[Element] = [Element("", -1, 0, 0, False)]
        self.lines: list[Line] = []
        self.tags: list[Tag] = []
        self.stack = [0]
        self.open: dict[str, int] = {}
        self.depth = 0
        self.runs: list[Run] = []
        self.seen = False  # one of the runs is more than space
        self.links = self.hidden = self.preserved = 0
        self.never_closed: set[str] = set()
        self.cell = False
        self.broken = 0
        self.hidden_names: set[str] = set()
        self.muted, self.mute_depth = "", 0

    def end_of_tag(self, source: str, found: re.Match[str]) -> int:
        """The position behind the ">" that ends the tag, or -1."""
        if found.lastgroup == "rest":
            return found.end()
        self.broken += 1
        start = found.end()
        limit = start + LONGEST_BROKEN
        end, other = source.find(">", start, limit), source.find("<", start, limit)
        return -1 if end < 0 or 0 <= other < end else end + 1

    def text(self, source: str, start: int, end: int) -> None:
        if start < end and not self.muted:
            self.runs.append(_run(Run, (start, end, self.links > 0, self.preserved > 0)))
            self.seen = self.seen or not source[start:end].isspace()

    def mute(self, source: str, name: str, start: int, end: int) -> None:
        """Notes an inline start tag: what a hidden one holds is no text.  A block ends that: it was never closed."""
        if self.muted:
            self.mute_depth += name == self.muted
        elif self._is_hidden(source, name, start, end):
            self.muted, self.mute_depth = name, 1

    def unmute(self, name: str) -> None:
        if name == self.muted:
            self.mute_depth -= 1
            self.muted = self.muted if self.mute_depth else ""

    def style(self, source: str, start: int, end: int) -> None:
        """Notes the classes and ids that a style sheet hides by themselves, whatever stands around."""
        if end - start > LONGEST_STYLE or not _NO_DISPLAY.search(source, start, end):
            return
        sheet = _AT_RULE.sub("}", source[start:end])
        for found in _STYLE_BODY.finditer(sheet):
            if _NO_DISPLAY.search(found[1]):
                before = sheet[max(0, found.start() - 300) : found.start()]
                for selector in before[max(before.rfind("}"), before.rfind("/")) + 1 :].split(","):
                    one = _ONE_NAME.fullmatch(selector)
                    if one and not _SHOWN_LATER.search(one[1]):
                        self.hidden_names.add(one[1])

    def _is_hidden(self, source: str, name: str, start: int, end: int) -> bool:
        """True for a start tag whose element is not shown."""
        if end - start < len(name) + 7:
            return False
        short = end - start <= LONGEST_REMEMBERED  # pictures stand in some tags
        if _hides(source[start:end]) if short else _HIDDEN.search(source, start, end):
            return True
        return bool(self.hidden_names) and any(
            not self.hidden_names.isdisjoint((found[1] or found[2] or found[3]).split())
            for found in _NAMES.finditer(source, start, end)
        )

    def end_of_raw(self, source: str, name: str, start: int) -> int:
        """Where the content of a raw or unseen element ends.  Without an end tag that is at the end of its start
        tag: what browsers hide then, the whole rest of the page, may be the article."""
        found = None if name in self.never_closed else _RAW_ENDS[name].search(source, start)
        if found is None:
            self.never_closed.add(name)
        return found.start() if found else start

    def line(self) -> None:
        """Ends a line."""
        if self.runs:
            if self.seen:
                self.lines.append(Line(tuple(self.runs), self.stack[-1], self.cell, self.hidden > 0))
            self.runs, self.seen = [], False

    def begin(self, source: str, name: str, start: int, end: int) -> None:
        hidden = self._is_hidden(source, name, start, end)
        self.muted = ""
        self._end_implied(name)
        self.stack.append(len(self.elements))
        self.elements.append(Element(name, self.stack[-2], start, end, hidden))
        self.open[name] = self.open.get(name, 0) + 1
        self.hidden += hidden
        self.preserved += name == "pre"
        self.depth = max(self.depth, len(self.stack))

    def _end_implied(self, name: str) -> None:
        """The end tags that may be left out: a block ends a paragraph, an item the item before it."""
        self.end_paragraph()
        names = _ENDED_BY_ITSELF.get(name)
        if names is None or not any(self.open.get(one) for one in names):
            return
        for i in range(len(self.stack) - 1, 0, -1):
            found = self.elements[self.stack[i]].name
            if found in names:
                while len(self.stack) > i:
                    self._pop()
            elif found == "table" or (found in _SCOPES and name not in _TABLE_PARTS) or len(self.stack) - i > 8:
                return

    def end_paragraph(self) -> None:
        if self.elements[self.stack[-1]].name == "p":
            self._pop()

    def finish(self, name: str) -> None:
        """An end tag: closes the nearest open element of that name, and those inside it."""
        if not self.open.get(name):
            return
        for i in range(len(self.stack) - 1, 0, -1):
            found = self.elements[self.stack[i]].name
            if found == name:
                while len(self.stack) > i:
                    self._pop()
                return
            if found in ("table", "td", "th") and name not in _TABLE_PARTS:
                return  # a stray end tag in a cell closes nothing outside it

    def _pop(self) -> None:
        element = self.elements[self.stack.pop()]
        self.open[element.name] -= 1
        self.hidden -= element.hidden
        self.preserved -= element.name == "pre"


def read(source: str) -> Source:
    """Reads an HTML page.  Linear in its length."""
    reader = _Reader()
    at = done = 0
    while True:
        # with many broken tags, looking for their ends behind quotes would take too long
        found = (_WHOLE if reader.broken < MOST_BROKEN else _MARKUP).search(source, at)
        if found is None:
            break
        start = found.start()
        if found["other"]:
            end = _end_of_other(source, reader, start)
            reader.text(source, done, start)
            at = done = end
            continue
        end = reader.end_of_tag(source, found)
        if end < 0:
            at = found.end()  # a "<" in a text
            continue
        reader.text(source, done, start)
        at = done = _tag(source, reader, found, end)
    reader.text(source, done, len(source))
    reader.line()
    return Source(reader.elements, reader.lines, reader.tags, reader.depth)


def _end_of_other(source: str, reader: _Reader, start: int) -> int:
    """Where a comment, a declaration, an instruction or a broken end tag ends.  A comment that does not end is one
    up to the next ">": what browsers hide then, the whole rest of the page, may be the article."""
    for begin, stop in (("<!--", "-->"), ("<![CDATA[", "]]>")):
        if source.startswith(begin, start) and stop not in reader.never_closed:
            end = source.find(stop, start + 2)
            if end >= 0:
                return end + 3
            reader.never_closed.add(stop)
    end = source.find(">", start)
    return end + 1 if end >= 0 else len(source)


def _tag(source: str, reader: _Reader, found: re.Match[str], end: int) -> int:
    """One tag; returns where to go on."""
    start = found.start()
    name, kind = _kind(found["name"])
    if found["close"]:
        _end_tag(reader, name, kind)
    elif kind == "block":
        reader.line()
        reader.links = 0 if reader.links and name in ("td", "table", "li", "div") else reader.links
        reader.begin(source, name, start, end)
        reader.cell = name in ("td", "th") and _is_later_cell(reader)
    elif kind in ("inline", "link"):
        if kind == "link":
            reader.links = 1  # links do not nest
        reader.mute(source, name, start, end)
        if name == "time":
            reader.tags.append(Tag(name, start, end, end))
    elif kind == "raw":
        stop = end if source[end - 2] == "/" else reader.end_of_raw(source, name, end)
        reader.tags.append(Tag(name, start, end, stop))
        if name == "style":
            reader.style(source, end, stop)
        if name == "xmp":
            reader.text(source, end, stop)
        return stop
    elif name == "meta":
        reader.tags.append(Tag(name, start, end, end))
    elif name in ("br", "hr"):
        reader.line()
        reader.cell = False
        if name == "hr":
            reader.end_paragraph()
    return end


@lru_cache(1 << 12)
def _kind(written: str) -> tuple[str, str]:
    """The name in small letters, and what a tag of this name does: raw, link, void, inline or block."""
    name = written.lower()
    if name in RAW or name in UNSEEN:
        return name, "raw"
    if name in ("a", "button"):
        return name, "link"
    if name in VOID or ":" in name:
        return name, "void"
    return name, "inline" if name in INLINE else "block"


def _is_later_cell(reader: _Reader) -> bool:
    """True if the row that the cell stands in has a line already."""
    row = reader.elements[reader.stack[-1]].parent
    return bool(reader.lines) and reader.elements[row].name == "tr" and _row(reader, reader.lines[-1].element) == row


def _row(reader: _Reader, element: int) -> int:
    """The row whose cell the element is, or -1."""
    one = reader.elements[element]
    return one.parent if one.name in ("td", "th") else -1


def _end_tag(reader: _Reader, name: str, kind: str) -> None:
    if name == reader.muted:
        reader.unmute(name)
    if kind == "block":
        reader.line()
        reader.muted = ""
        reader.finish(name)
        reader.cell = False
    elif kind == "link":
        reader.links = 0
    elif name == "br":
        reader.line()


def entities(source: str, start: int, end: int) -> Iterator[tuple[int, int, str]]:
    """The character references in source[start:end]: where they stand and what they mean."""
    at = source.find("&", start, end)
    if at < 0:
        return
    for found in _ENTITY.finditer(source, at, end):
        meaning = _meaning(found.group())
        if meaning:
            yield found.start(), found.end(), meaning


_WINDOWS_1252 = {i: bytes([i]).decode("cp1252", "replace") for i in range(0x80, 0xA0)}


def _meaning(entity: str) -> str:
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
