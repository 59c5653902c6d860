"""Which lines of an HTML page are its article.

Two opinions.  The library resiliparse says what is the page's main content; it keeps too much rather than too
little.  The page's own prose says more: the smallest element that holds most of it is the article's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from . import html_source, prose
from .html_source import Line, Run, Source

PROSE_SHARE = 0.5
"""The article's element is the smallest with more than this share of the page's prose.  Measured from 0.5 to 0.9
(docs/decisions/0031): a higher share takes in the frame of pages with comments."""

LEAST_PROSE = 40
"""With less prose on the page, in characters, its element says nothing: verses, tables, lists of names."""

LINKED = 0.5
"""A line is made of links if more than this share of its characters is."""

SOME_LINKS = 0.3
"""A line with a larger share of its characters in links is no prose."""

LONGEST_GAP = 6
"""So many lines that are no prose may stand between prose outside the article's element and the article."""

DEEPEST, LARGEST = 1_000, 8_000_000
"""The library is asked about pages of at most this nesting and length in characters: its time grows with the
square of the depth."""

LONGEST_SEARCH = 200_000_000
"""Characters that are searched at most for lines in what the library returned; lines behind that count as found."""

_FRAME = re.compile(
    r"""\b(?:id|class)\s*=\s*["']?[^"'>]{0,200}?"""
    r"(?:comment|footer|copyright|disclaimer|pinglun|sidebar|related|recommend|breadcrumb|hot-|rank)",
    re.I,
)
_FRAME_ELEMENTS = frozenset(["nav", "aside", "footer"])
_LONE_ELEMENTS = frozenset(["p", "li", "th", "h1", "h2", "h3", "h4", "h5", "h6", "pre", "blockquote"])
_SPACE = re.compile(r"[\s\u200b\ufeff]+")


class Seen(NamedTuple):
    """A line as a reader sees it.  linked: share of its characters inside links; score: above 0 for prose."""

    text: str
    bare: str
    linked: float
    score: int


class Choice(NamedTuple):
    """lines: what of each line becomes: "" kept, else the name of the rule that drops it; title: number of the line
    with the title, -1 for none; first, last: numbers of the article's first and last line, first > last for none."""

    lines: list[str]
    title: int
    first: int
    last: int


def seen(source: str, line: Line) -> Seen:
    """The line's text, in one line."""
    pieces = [_plain(source, run) for run in line.runs]
    text = " ".join("".join(pieces).split())
    bare = _SPACE.sub("", text)
    linked = sum(len(_SPACE.sub("", piece)) for run, piece in zip(line.runs, pieces, strict=True) if run.link)
    share = linked / len(bare) if bare else 0.0
    score = prose.score(text) if text and share < SOME_LINKS and not line.hidden else 0
    return Seen(text, bare, share, max(0, score))


def _plain(source: str, run: Run) -> str:
    return "".join(meaning for _, _, meaning in _characters(source, run))


def _characters(source: str, run: Run) -> Iterator[tuple[int, int, str]]:
    """Stretches of the run and what they mean, entities apart."""
    done = run.start
    for start, end, meaning in html_source.entities(source, run.start, run.end):
        if done < start:
            yield done, start, source[done:start]
        yield start, end, meaning
        done = end
    if done < run.end:
        yield done, run.end, source[done : run.end]


def places(source: str, line: Line) -> list[tuple[int, int]]:
    """For each character of the line's text (see `seen`) where in the source it stands."""
    found: list[tuple[int, int]] = []
    spaced = True
    for run in line.runs:
        for start, end, meaning in _characters(source, run):
            literal = source[start:end] == meaning
            for i, c in enumerate(meaning):
                if not (c.isspace() and spaced):
                    found.append((start + i, start + i + 1) if literal else (start, end))
                spaced = c.isspace()
    return found


def choose(source: str, page: Source, lines: Sequence[Seen], title: str) -> Choice:
    """What becomes of each line.

    title  the content of <title>, without white space
    """
    main = _main_content(source, page, lines)
    region, on_way = _region(page, lines)
    frame = _frame(source, page, on_way)
    fates = []
    for line, one in zip(page.lines, lines, strict=True):
        inside = region[line.element]
        kept = inside or (one.score > 0 and not frame[line.element])
        fates.append("hidden" if line.hidden else "" if kept else "frame")
    if not any(region):
        fates = _without_prose(page, lines, main)
    first, last = _extent([region[line.element] and fate == "" for line, fate in zip(page.lines, fates, strict=True)])
    able = [
        fate == "frame" and one.linked < LINKED and known and not frame[line.element]
        for fate, one, known, line in zip(fates, lines, main, page.lines, strict=True)
    ]
    _close_gaps(fates, able, first, last)
    place = _title_line(page, lines, fates, title)
    if place >= 0:
        for i in range(place, first):
            if able[i] or i == place:
                fates[i] = ""
    return Choice(fates, place, first, last)


def _without_prose(page: Source, lines: Sequence[Seen], main: Sequence[bool]) -> list[str]:
    """Without prose, the article is what the library says, and all that is visible if it says nothing."""
    main = [known or one.score > 0 for known, one in zip(main, lines, strict=True)]
    fates = [
        "hidden" if line.hidden else "" if known else "frame" for line, known in zip(page.lines, main, strict=True)
    ]
    return fates if "" in fates else ["hidden" if line.hidden else "" for line in page.lines]


def _extent(kept: Sequence[bool]) -> tuple[int, int]:
    places = [i for i, one in enumerate(kept) if one]
    return (places[0], places[-1]) if places else (0, -1)


def _region(page: Source, lines: Sequence[Seen]) -> tuple[list[bool], list[bool]]:
    """For each element whether it is in the article's element, and whether the article's element is in it."""
    elements = page.elements
    inside, on_way = [False] * len(elements), [False] * len(elements)
    sums = [0] * len(elements)
    for line, one in zip(page.lines, lines, strict=True):
        sums[line.element] += one.score
    for i in range(len(elements) - 1, 0, -1):
        sums[elements[i].parent] += sums[i]
    if sums[0] < LEAST_PROSE:
        return inside, on_way
    best = 0
    for i in range(1, len(elements)):  # an element comes before those inside it, and only one child can have most
        if elements[i].parent == best and sums[i] > PROSE_SHARE * sums[0] and elements[i].name not in _LONE_ELEMENTS:
            best = i
    for i in range(len(elements)):
        inside[i] = i == best or (i > 0 and inside[elements[i].parent])
    while best >= 0:
        on_way[best] = True
        best = elements[best].parent
    return inside, on_way


def _frame(source: str, page: Source, on_way: Sequence[bool]) -> list[bool]:
    """For each element whether it is, or lies in, one that says that it belongs to the page's frame."""
    frame = [False] * len(page.elements)
    for i in range(1, len(page.elements)):
        one = page.elements[i]
        says = one.name in _FRAME_ELEMENTS or _FRAME.search(source, one.start, one.end) is not None
        frame[i] = frame[one.parent] or (says and not on_way[i])
    return frame


def _close_gaps(fates: list[str], able: Sequence[bool], first: int, last: int) -> None:
    """Keeps the lines between the article and prose near it: headings, verses, rows of a table."""
    for place, step in ((first, -1), (last, 1)):
        at, gap = place + step, 0
        while 0 <= at < len(fates) and gap <= LONGEST_GAP and first <= last:
            if fates[at] == "":
                for i in range(place + step, at, step):
                    fates[i] = "" if able[i] else fates[i]
                place, gap = at, -1
            at, gap = at + step, gap + 1


def _title_line(page: Source, lines: Sequence[Seen], fates: Sequence[str], title: str) -> int:
    """The line with the title: of the lines down to the first prose, the longest that is a part of <title>, of
    several the lowest; -1 for none."""
    place, size = -1, SHORTEST_TITLE - 1
    for i, (one, fate) in enumerate(zip(lines, fates, strict=True)):
        if one.score > 0 and fate == "" and one.bare not in title:
            break
        if size < len(one.bare) <= LONGEST_TITLE and fate != "hidden" and one.bare in title and len(one.bare) > 3:
            place, size = i, len(one.bare)
    return place


SHORTEST_TITLE, LONGEST_TITLE = 4, 200
"""In characters without white space."""


def _main_content(source: str, page: Source, lines: Sequence[Seen]) -> list[bool]:
    """For each line whether the library finds it in the page's main content; True for all when it is not asked."""
    if page.depth > DEEPEST or len(source) > LARGEST:
        return [True] * len(lines)
    found = _SPACE.sub("", _library_text(source))
    known, budget = [], LONGEST_SEARCH
    for one in lines:
        known.append(budget <= 0 or one.bare in found)
        budget -= len(found)
    return known


def _library_text(source: str) -> str:
    from resiliparse.extract.html2text import extract_plain_text  # only pages pay for the import
    from resiliparse.parse.html import HTMLTree

    tree = HTMLTree.parse(source.encode("utf-8", "replace").decode())
    text: str = extract_plain_text(tree, main_content=True, alt_texts=False, links=False)
    return text
