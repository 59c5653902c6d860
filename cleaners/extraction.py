"""Extraction: an HTML page becomes the text of its article.

Every character of the source that is not kept is in an edit: what readers never see (`markup`, `script`, `space`),
what they see around the article (`frame`, `hidden`), lines and tags that tell something about the article (`row`,
`meta`, `json_ld`, `title`, `class`), with their values as fields; a value in a row has the rule of `metadata` that
found it.  Which lines are the article: see html_region.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from operator import add, itemgetter
from typing import NamedTuple

from . import chrome, html_frame, html_metadata, html_region, html_source, metadata
from .config import Config
from .document import Quarantine, RefusedError
from .edits import Edit
from .html_frame import Seen
from .html_region import Choice
from .html_source import Line, Source

_BEFORE = re.compile(r"[\s\ufeff]+|<\?[^<>]{0,300}\?>|<!--(?:(?!-->).){0,3000}-->", re.S)
_DOCTYPE = re.compile(r"<!doctype\s+html\b[^<>]{0,400}>\s*", re.I)
_FIRST_TAG = re.compile(r"<(!--|[a-z][a-z0-9]{0,10})(?=[\s>/-])[^<>]{0,3000}>\s*", re.I)
_PAGE_TAGS = re.compile(r"</(?:html|head|body)\s*>|<(?:body|html|head)[\s>]", re.I)
_LAST_TAG = re.compile(r"</(?:html|body)\s*>", re.I)
_HEAD = frozenset(["title", "meta", "link", "script", "style", "base"])
_ONLY_IN_PAGES = re.compile(r"</?(?:body|script|meta|link|form|input)[\s>]", re.I)
_MARKDOWN = re.compile(r"^(?:```|#{1,6} \S)|\]\(https?://", re.M)
MANY_TAGS = 50
"""End tags of a page at least; a text that speaks of HTML, or has a table of it, has fewer."""

SEARCHED, LAST = 20_000, 500
"""Characters at either end of a seed in which a page's own tags are looked for, and in which it must end."""


def is_page(text: str) -> bool:
    """True for the source of an HTML page: it begins with a doctype, with <html>, <head> or <body>, or, when its
    beginning is lost, with another tag and is full of markup.

    False for a text with some tags in it, for XML, and for a text that begins with the name of a tag (<html>标签 …).
    """
    at = 0
    while found := _BEFORE.match(text, at, at + 4_000):
        at = found.end()
        if at > SEARCHED:
            return False
    if not text.startswith("<", at):
        return False
    if _DOCTYPE.match(text, at):
        return True
    tag = _FIRST_TAG.match(text, at)
    if tag is None:
        return False
    name = tag[1].lower()
    if name in ("html", "head", "body"):
        ends = text[at + 1 : at + SEARCHED] + text[max(at + 1, len(text) - SEARCHED) :]
        closed = text[max(tag.end(), len(text) - LAST) :].rstrip().lower().endswith(("</html>", "</body>"))
        begins = name == "body" or text.startswith("<", tag.end())
        return closed or (begins and _PAGE_TAGS.search(ends) is not None)
    if name not in html_source.BLOCKS and name not in _HEAD:
        return False
    ended = _LAST_TAG.search(text, max(at, len(text) - LAST)) is not None
    full = text.count("</") >= MANY_TAGS and _ONLY_IN_PAGES.search(text) is not None
    return (ended or full) and _MARKDOWN.search(text) is None


def seems_page(text: str) -> bool:
    """As `is_page`, with a cheap test before it."""
    return (text[:1].isspace() or text[:1] in "<\ufeff") and is_page(text)


def propose(text: str, config: Config) -> Iterator[Edit]:
    """Yields the edits that turn the source of a page into its article; none for a text that is no page.

    Raises RefusedError for a page without any text.
    """
    if seems_page(text):
        yield from _edits(text, config.cleaners is None or "chrome" in config.cleaners)


def visible(source: str) -> str:
    """The lines of a page that are neither hidden nor made of links that no rule names: more than its article, for half
    of the time.

    This is what learning from many pages looks at: which of these lines the article keeps matters to none of them.
    """
    page, lines = _read(source)
    kept = [
        i
        for i, one in enumerate(lines)
        if i not in page.hidden and (one.linked < html_frame.LINKED or chrome.named(one.text))
    ]
    ends = _line_ends(page, lines, kept)
    return "".join(lines[i].text + end for i, end in zip(kept, [*ends, "\n"], strict=False))


_EMPTY = Quarantine(
    "empty",
    "The seed is an HTML page without text: perhaps a script loads it. Fetch it with a browser, or fetch what the "
    "script loads.",
)


def _edits(source: str, with_chrome: bool) -> Iterator[Edit]:
    page, lines = _read(source)
    choice = html_region.choose(source, page, lines, html_metadata.bare_title(source, page.tags))
    pieces = [*_tags(source, page, lines, choice), *_dropped(source, page, lines, choice)]
    for _ in range(MOST_ROUNDS if with_chrome else 0):
        if not (chrome_pieces := list(_chrome(source, page, lines, choice))):
            break
        pieces += chrome_pieces
    pieces.sort()
    kept = [i for i, fate in enumerate(choice.lines) if fate == ""]
    if not any(lines[i].bare for i in kept):
        raise RefusedError(_EMPTY)
    ends = _line_ends(page, lines, kept)
    return _woven(source, [(page.lines[i], lines[i].plain) for i in kept], ["", *ends], pieces)


def _line_ends(page: Source, lines: Sequence[Seen], kept: Sequence[int]) -> list[str]:
    """What stands between the kept lines: a tab between the short cells of a table's row."""
    ends = ["\n"] * (len(kept) - 1)
    for number, (before, i) in enumerate(pairwise(kept) if page.cells else ()):
        if i in page.cells and before == i - 1 and max(len(lines[before].text), len(lines[i].text)) <= LONGEST_CELL:
            ends[number] = "\t"
    return ends


LONGEST_CELL = 30
"""Longer cells of tables are paragraphs, in characters."""


def _read(source: str) -> tuple[Source, list[Seen]]:
    """The page and its lines as readers see them; with what is hidden if most of its prose, or all of it, is: a script
    shows it when it is ready."""
    page = html_source.read(source)
    lines = html_region.seen(source, page.lines)
    if not page.hidden:
        return page, lines
    hidden = sum(lines[i].score for i in page.hidden)
    if len(page.hidden) == len(lines) or 2 * hidden > sum(one.score for one in lines):
        return page._replace(hidden=set()), lines
    for i in page.hidden:
        if lines[i].score:
            lines[i] = lines[i]._replace(score=0)
    return page, lines


class Piece(NamedTuple):
    """source[start:end] goes, for the reason `rule`; it is the value of `field`, if that is not empty."""

    start: int
    end: int
    rule: str
    field: str


_start = itemgetter(0)


def _tags(source: str, page: Source, lines: Sequence[Seen], choice: Choice) -> Iterator[Piece]:
    """What the page says in tags, and its scripts."""
    title = lines[choice.title].bare if choice.title >= 0 else ""
    evidence = html_metadata.found(source, page, title)
    for one in evidence:
        yield Piece(one.start, one.end, one.rule, one.field)
    told = [one.start for one in evidence]
    for tag in page.tags:
        end = min(tag.content_end, tag.end + html_metadata.LARGEST_JSON)
        if tag.name in ("script", "style") and tag.end < end and bisect_left(told, tag.end) == bisect_left(told, end):
            yield Piece(tag.start, tag.content_end, "extraction.script", "")


def _dropped(source: str, page: Source, lines: Sequence[Seen], choice: Choice) -> Iterator[Piece]:
    """Lines that are not kept; those that tell something about the article with their values."""
    rows, values = _told(source, page, lines, choice)
    for i in range(max(0, choice.title - LINES_ABOVE), min(len(lines), choice.title + LINES_ABOVE)):
        if lines[i].score > 0 and choice.lines[i] == "" and i != choice.title:
            break
        line = page.lines[i]
        field = html_metadata.named_field(source, _trimmed(source, line)[0], lines[i].text)
        if field and i not in rows and i != choice.title and choice.lines[i] != "hidden":
            rows.add(i)
            values.append(Piece(*_trimmed(source, line), "extraction.class", field))
    values.sort(key=_start)
    gone = sorted(rows.union(i for i, fate in enumerate(choice.lines) if fate))
    for i in gone:
        fate, (start, end, *_) = choice.lines[i], page.lines[i]
        if i in rows:
            choice.lines[i] = "row"
            yield from _row(start, end, _between(values, start, end), "extraction.row")
        else:
            yield Piece(start, end, f"extraction.{fate}", "")


def _told(source: str, page: Source, lines: Sequence[Seen], choice: Choice) -> tuple[set[int], list[Piece]]:
    """Numbers of the lines that tell something about the article, and the values in them.

    They are looked for in all that a reader sees: what such a line means depends on what stands around it.
    """
    able = [i for i, fate in enumerate(choice.lines) if fate != "hidden"]
    edits = list(metadata.propose("\n".join([lines[i].text for i in able]), Config()))
    starts = _starts(lines, able) if edits else []
    place = _Places(source, page, lines).of
    rows: set[int] = set()
    values = []
    for edit in edits:
        if not edit.field:
            continue
        first, last = bisect_right(starts, edit.start) - 1, bisect_left(starts, edit.end) - 1
        if able[last] > choice.last + LINES_BELOW:
            continue
        rows.update(able[first : last + 1])
        begin = place(able[first], edit.start - starts[first])[0]
        end = place(able[last], edit.end - 1 - starts[last])[1]
        values.append(Piece(begin, end, edit.rule, edit.field))
    return rows, values


def _starts(lines: Sequence[Seen], some: Sequence[int]) -> list[int]:
    """Where the texts of some lines begin, if one character stands between them, and where a next one would."""
    return list(accumulate([len(lines[i].text) + 1 for i in some], initial=0))


class _Places:
    """Where characters of lines stand in the source."""

    def __init__(self, source: str, page: Source, lines: Sequence[Seen]) -> None:
        self._source, self._page, self._lines = source, page, lines
        self._number, self._places = -1, [(0, 0)]

    def of(self, number: int, place: int) -> tuple[int, int]:
        """Of the character at `place` of the text of a line."""
        line, one = self._page.lines[number], self._lines[number]
        if one.plain or (len(one.text) == line.end - line.start and self._is_as_written(line)):
            return line.start + place, line.start + place + 1
        if number != self._number:  # the values of a row come one after the other
            self._number, self._places = number, html_region.places(self._source, line)
        return self._places[place]

    def _is_as_written(self, line: Line) -> bool:
        """Whether a line that is as long as its text has each of its characters in its place."""
        return not line.several and self._source.find("&", line.start, line.end) < 0


LINES_ABOVE = 8
"""So many lines above and below the title the names of elements (class="author") are looked at."""

LINES_BELOW = 60
"""Lines below the article in which something about it is looked for."""


def _chrome(source: str, page: Source, lines: Sequence[Seen], choice: Choice) -> Iterator[Piece]:
    """Kept lines that are chrome by the rules for texts: they go here, so that what is left has none, and nobody
    guesses what else may be chrome by its shape.  Never all of them."""
    kept = [i for i, fate in enumerate(choice.lines) if fate == ""]
    if not kept:
        return
    texts = [lines[i].text for i in kept]
    joined = "".join(map(add, texts, [*_line_ends(page, lines, kept), ""])) if page.cells else "\n".join(texts)
    edits = chrome.by_rules_alone(joined)
    starts = _starts(lines, kept) if edits else []
    place = _Places(source, page, lines).of
    rules: dict[int, str] = {}
    values = []
    for edit in edits:
        first, last = bisect_right(starts, edit.start) - 1, bisect_left(starts, edit.end) - 1
        rules.update((i, edit.rule) for i in kept[first : last + 1])
        if edit.field:
            begin = place(kept[first], edit.start - starts[first])[0]
            end = place(kept[last], edit.end - 1 - starts[last])[1]
            values.append(Piece(begin, end, edit.rule, edit.field))
    if len(rules) < len(kept):
        values.sort(key=_start)
        for i, rule in rules.items():
            choice.lines[i] = rule
            start, end = page.lines[i][:2]
            yield from _row(start, end, _between(values, start, end), rule)


MOST_ROUNDS = 3
"""So often rules of chrome look at what they have left."""


def _between(values: Sequence[Piece], start: int, end: int) -> Sequence[Piece]:
    """Those, of some sorted by start, that begin in source[start:end]."""
    return values[bisect_left(values, start, key=_start) : bisect_left(values, end, key=_start)]


def _row(start: int, end: int, values: Sequence[Piece], rule: str) -> Iterator[Piece]:
    """The values in a row at source[start:end], and what stands around them, which goes in the name of `rule`."""
    for value in values:
        if start < value.start:
            yield Piece(start, value.start, rule, "")
        yield value
        start = value.end
    if start < end:
        yield Piece(start, end, rule, "")


# ---------------------------------------------------------------- edits


_edit = tuple.__new__  # making an Edit by its name takes twice as long
MARKUP = "extraction.markup"


def _woven(
    source: str, kept: Sequence[tuple[Line, bool]], befores: Sequence[str], pieces: Sequence[Piece]
) -> Iterator[Edit]:
    """The edits: between the kept lines the pieces and the markup, inside them what becomes of entities and space.

    kept     the lines that stay, and whether they do as they are
    befores  what parts each of them from the line before it
    """
    done = at = 0
    next_piece = pieces[0].start if pieces else len(source)
    for (line, plain), before in zip(kept, befores, strict=False):
        start, end = line[:2] if plain else _trimmed(source, line)
        if next_piece >= start:
            if done < start or before:
                yield _edit(Edit, (done, source[done:start], before, MARKUP, "", -1))
        else:
            first = at
            while at < len(pieces) and pieces[at].start < start:
                at += 1
            yield from _gap(source, done, start, pieces[first:at], before)
            next_piece = pieces[at].start if at < len(pieces) else len(source)
        if not plain and (line.several or _CHANGING.search(source, start, end)):
            yield from _inside(source, line, start, end)
        done = end
    yield from _gap(source, done, len(source), pieces[at:], "")


_CHANGING = re.compile(r"[& \t\r\n\f]")
"""One of these is in each run of text that does not stay as it is."""


def _trimmed(source: str, line: Line) -> tuple[int, int]:
    """The line without white space at its ends."""
    start, end = line[:2]
    if not (source[start].isspace() or source[end - 1].isspace()):
        return start, end
    text = [run for run in line.runs if not source[run.start : run.end].isspace()]
    first, last = source[text[0].start : text[0].end], source[text[-1].start : text[-1].end]
    start = text[0].start + len(first) - len(first.lstrip(WHITE))
    return start, text[-1].end - (len(last) - len(last.rstrip(WHITE)))


WHITE = " \t\r\n\f"
"""White space in HTML; other spaces are characters."""


def _gap(source: str, start: int, end: int, pieces: Sequence[Piece], after: str) -> Iterator[Edit]:
    """source[start:end] becomes `after`, a line end: one edit for each stretch that goes for one reason."""
    stretches: list[Piece] = []
    at = start
    for piece in [*pieces, Piece(end, end, "", "")]:
        if piece.start < at and piece.rule:
            continue  # inside a piece that is gone already
        if at < piece.start:
            _add(stretches, Piece(at, piece.start, MARKUP, ""))
        if piece.start < piece.end:
            _add(stretches, piece)
        at = max(at, piece.end)
    for i, one in enumerate(stretches):
        behind = after if i + 1 == len(stretches) else ""
        yield Edit(one.start, source[one.start : one.end], behind, one.rule, one.field)
    if not stretches and after:
        yield Edit(start, "", after, MARKUP)


def _add(stretches: list[Piece], piece: Piece) -> None:
    """Adds a piece; lines that go for one reason and the markup between them are one stretch."""
    if stretches and not piece.field and not stretches[-1].field and stretches[-1].rule == piece.rule:
        stretches[-1] = stretches[-1]._replace(end=piece.end)
    elif (
        len(stretches) > 1
        and not piece.field
        and stretches[-1].rule == MARKUP
        and stretches[-2].rule == piece.rule
        and not stretches[-2].field
    ):
        stretches.pop()
        stretches[-1] = stretches[-1]._replace(end=piece.end)
    else:
        stretches.append(piece)


_WIDE = re.compile("[\u2e80-\u9fff\uf900-\ufaff\uff00-\uff60\U00020000-\U0003ffff“”‘’…—]")


def _inside(source: str, line: Line, start: int, end: int) -> Iterator[Edit]:
    """The edits inside a kept line: markup, entities, white space."""
    at = start
    spaced = True
    for run in line.runs:
        first, last = max(run.start, start), min(run.end, end)
        if first >= last:
            continue
        if at < first:
            yield Edit(at, source[at:first], "", MARKUP)
        yield from _run(source, first, last, run.preserved, spaced)
        at, spaced = last, source[last - 1] in WHITE


def _run(source: str, start: int, end: int, preserved: bool, spaced: bool) -> Iterator[Edit]:
    """The edits in a run.  spaced: the run before it ends with white space."""
    for found in html_source.ENTITY_OR_SPACE.finditer(source, start, end):
        before = found[0]
        if before[0] == "&":
            after, rule = html_source.meant(before) or before, "extraction.entity"
        elif preserved:
            continue
        else:
            a, b = found.span()
            after, rule = " ", "extraction.space"
            if (a == start and spaced) or _breaks_nothing(source, a, b, start, end):
                after = ""
        if before != after:
            yield _edit(Edit, (found.start(), before, after, rule, "", -1))


def _breaks_nothing(source: str, a: int, b: int, start: int, end: int) -> bool:
    """A line end of the source between two Chinese characters is no space."""
    return (
        start < a and b < end and ("\n" in source[a:b] or "\r" in source[a:b])
        and _WIDE.match(source[a - 1]) is not None and _WIDE.match(source[b]) is not None
    )  # fmt: skip
