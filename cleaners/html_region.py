"""Which lines of an HTML page are its article.

Two opinions.  The library resiliparse says what is the page's main content; it keeps too much rather than too
little.  The page's own prose says more: the smallest element that holds most of it is the article's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import chrome, html_burden, html_frame, html_source, prose
from .html_frame import Evidence, Numbers, Seen
from .html_source import Elements, Line, Run, Source

PROSE_SHARE = 0.5
"""The article's element is the smallest with more than this share of the page's prose.  Measured from 0.5 to 0.9
(docs/decisions/0031): a higher share takes in the frame of pages with comments."""

LEAST_PROSE = 40
"""With less prose on the page, in characters, its element says nothing: verses, tables, lists of names."""

SOME_LINKS = 0.3
"""A line with a larger share of its characters in links is no prose."""

FRAME_COST = 2
"""Behind the last prose one character of the frame counts like so many of what may be the article's."""

LONGEST_TABLE_ABOVE = 60
"""Cells of a table above the title that are looked at."""

DEEPEST, LARGEST = 1_000, 8_000_000
"""The library is asked about pages of at most this nesting and length in characters: its time grows with the
square of the depth."""

LONGEST_SEARCH = 200_000_000
"""Characters that are searched at most for lines in what the library returned; lines behind that count as found."""

_LONE_ELEMENTS = frozenset(["p", "li", "th", "h1", "h2", "h3", "h4", "h5", "h6", "pre", "blockquote"])
_HEADINGS = frozenset(["h1", "h2", "h3", "h4", "h5", "h6"])
_LISTED = frozenset(["li", "dt", "dd", "td", "th"])
_ATTACHED = re.compile(r"附件\s*\d{0,2}\s*(?:下载)?\s*[：:.．、]")

_CITING = ("参考", "參考", "引用", "注释", "註釋", "脚注", "文献", "延伸阅读", "外部链接", "资料来源")
_CITES = re.compile(rf"[\d一二三四五六七八九十.、 ]{{0,6}}(?:{'|'.join(_CITING)})")
_CLASS = re.compile(r"""\bclass\s*=\s*["']?([^"'>]{1,80})""", re.I)


class Choice(NamedTuple):
    """lines: what of each line becomes: "" kept, else the name of the rule that drops it; title: number of the line
    with the title, -1 for none; first, last: numbers of the article's first and last line, first > last for none."""

    lines: list[str]
    title: int
    first: int
    last: int


def seen(source: str, lines: Sequence[Line]) -> list[Seen]:
    """The lines' texts, each in one line; their scores as if they were not hidden."""
    found = []
    known: tuple[dict[str, Seen], dict[str, Seen]] = {}, {}  # short ones, those in links apart: many are the same
    for line in lines:
        start, end, _, link, _, several = line
        if several or end - start >= prose.SHORTEST_PROSE:
            found.append(_one(source, line))
            continue
        alike, written = known[link], source[start:end]
        one = alike.get(written)
        if one is None:
            one = alike[written] = _one(source, line)
        found.append(one)
    return found


def _one(source: str, line: Line) -> Seen:
    start, end, _, link, _, several = line
    if not several:
        text = source[start:end]
        if text.isalnum():  # no space, no reference
            score = prose.score(text) if end - start >= prose.SHORTEST_PROSE and not link else 0
            return _seen(Seen, (text, text, 1.0 if link else 0.0, max(0, score), True))
    runs = line.runs
    pieces = [_plain(source, run) for run in runs]
    words = (pieces[0] if len(pieces) == 1 else "".join(pieces)).split()
    text, bare = " ".join(words), _bare(words)
    links = [piece for run, piece in zip(runs, pieces, strict=True) if run[2]]
    share = len(_bare("".join(links).split())) / len(bare) if links and bare else 0.0
    score = prose.score(text) if share < SOME_LINKS and len(text) >= prose.SHORTEST_PROSE else 0
    plain = not several and len(text) == end - start and len(words) == 1 and text.find("&") < 0
    return _seen(Seen, (text, bare, share, max(0, score), plain))


_seen = tuple.__new__  # making one by its name takes twice as long


def _bare(words: Sequence[str]) -> str:
    """Pieces of text between white space together, without characters that nobody sees."""
    bare = "".join(words)
    return bare if bare.isascii() else bare.replace("\u200b", "").replace("\ufeff", "")


def _plain(source: str, run: Run) -> str:
    text = source[run[0] : run[1]]
    return text if text.find("&") < 0 else html_source.without_entities(text)


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
    known = _MainContent(source, page, lines)
    numbers = Numbers.of(page, lines)
    best, on_way = _region(page, numbers)
    evidence = html_frame.read(source, page, numbers, on_way)
    inside = (numbers.elements >= best) & (numbers.elements < (page.elements.afters[best] if on_way else 0))
    visible = np.ones(len(lines), bool)
    visible[list(page.hidden)] = False
    kept = inside | ((numbers.scores > 0) & ~evidence.named[numbers.elements])
    fates = ["" if one else "frame" for one in kept.tolist()]
    for i in page.hidden:
        fates[i] = "hidden"
    frame = np.flatnonzero(visible & ~kept).tolist()
    article = inside & visible
    cited = _cited(page, lines) if frame or evidence.lines.any() else []
    able = _able(page, lines, fates, frame, known, evidence, cited)
    place = _title_line(page, lines, numbers, fates, title)
    first, last = _extent(kept & visible)
    start = place if 0 <= place < first else 0 if place < 0 else first
    last = max(last, _last_like_prose(source, page, numbers, fates, able, known))
    end = _end(lines, fates, able, last)
    above = _table_above(page, able, start)
    for i in frame:
        if above <= i <= end and (able[i] or i == place or (i < first and _is_subtitle(page, lines, i, place))):
            fates[i] = ""
    for i in np.flatnonzero(evidence.never[numbers.elements]).tolist():
        if fates[i] == "" and i != place:
            fates[i] = "frame"
    for i in _edges(evidence.lines, article, numbers):
        if fates[i] == "" and i != place:
            told = cited[i] or _is_attached(lines[i].text) or known.has(i)
            fates[i] = fates[i] if told else "frame"
    if "" not in fates:
        fates = ["hidden" if i in page.hidden else "" for i in range(len(fates))]
    return Choice(fates, place, *_extent(article))


def _able(
    page: Source,
    lines: Sequence[Seen],
    fates: Sequence[str],
    frame: Sequence[int],
    known: _MainContent,
    evidence: Evidence,
    cited: Sequence[bool],
) -> list[bool]:
    """For each line whether it is one of the frame's, outside the article's element, that may be the article's: the
    library says so, or it goes on with a list below such a line, or it is an attachment; and no element says
    otherwise."""
    able = [False] * len(fates)
    attached = {i for i in frame if _is_attached(lines[i].text)}
    free = [
        i
        for i in frame
        if not (evidence.named[page.lines[i].element] if i in attached or cited[i] else evidence.lines[i])
    ]
    bars = chrome.bars_of_buttons(lines[i].text for i in free)
    for i in free:
        if lines[i].text not in bars:
            name = page.elements.names[page.lines[i].element]
            listed = name in _LISTED and i > 0 and (able[i - 1] or fates[i - 1] == "")
            able[i] = listed or i in attached or known.has(i)
    return able


def _is_attached(text: str) -> bool:
    return text.startswith("附件") and _ATTACHED.match(text) is not None


def _cited(page: Source, lines: Sequence[Seen]) -> list[bool]:
    """For each line whether it stands in a list below a heading that says: these are the article's sources."""
    text = "\n".join([one.text for one in lines])
    if not any(word in text for word in _CITING):
        return [False] * len(lines)
    cited, below = [], False
    for line, one in zip(page.lines, lines, strict=True):
        if _CITES.match(one.text):
            below = True
        elif page.elements.names[line.element] not in _LISTED and not one.linked:
            below = False
        cited.append(below)
    return cited


def _last_like_prose(
    source: str, page: Source, numbers: Numbers, fates: Sequence[str], able: Sequence[bool], known: _MainContent
) -> int:
    """The number of the last line that may be the article's, and stands in an element of the same name and class as
    some of its prose does: a short answer, the last post of a thread; -1 for none."""
    if True not in able:
        return -1
    around = {page.lines[i].element for i in np.flatnonzero(numbers.scores > 0).tolist() if not fates[i]}
    if not around:
        return -1
    kinds = _kinds(source, page.elements)
    prose = {kinds[element] for element in around}
    prose.discard("")
    return max(
        (i for i, line in enumerate(page.lines) if able[i] and kinds[line.element] in prose and known.has(i)),
        default=-1,
    )


def _kinds(source: str, elements: Elements) -> list[str]:
    """For each element name and class of the nearest one around it that has a class; "" for none."""
    names, parents, starts, sizes, _ = elements
    kinds = [""] * len(names)
    for i in range(1, len(names)):
        name, start = names[i], starts[i]
        found = _CLASS.search(source, start, start + sizes[i]) if sizes[i] > len(name) + 8 else None
        kinds[i] = f"{name} {found[1]}" if found else kinds[parents[i]]
    return kinds


def _is_subtitle(page: Source, lines: Sequence[Seen], i: int, place: int) -> bool:
    return 0 <= place < i and lines[i].linked == 0 and page.elements.names[page.lines[i].element] in _HEADINGS


def _end(lines: Sequence[Seen], fates: Sequence[str], able: Sequence[bool], last: int) -> int:
    """The number of the article's last line: behind the last prose, line by line, what may be the article's counts
    for its length, what goes against it."""
    best, end, count = 0, last, 0
    for i in range(last + 1, len(lines)):
        if fates[i] != "hidden":
            count += len(lines[i].bare) if able[i] else -FRAME_COST * max(1, len(lines[i].bare))
        if count > best:
            best, end = count, i
    return end


def _table_above(page: Source, able: Sequence[bool], start: int) -> int:
    """The number of the first line of a table without links right above the title; `start` if there is none."""
    first = at = start
    while at > 0 and start - at <= LONGEST_TABLE_ABOVE:
        at -= 1
        if able[at] and page.elements.names[page.lines[at].element] in ("td", "th"):
            first = at
        elif at not in page.hidden:
            break
    return first


def _edges(against: NDArray[np.bool_], article: NDArray[np.bool_], numbers: Numbers) -> Iterator[int]:
    """Numbers of the lines inside the article's element that stand before or behind all of its prose, and that some
    element speaks against."""
    first, last = _extent(article & (numbers.scores > 0))
    for i in np.flatnonzero(article & against).tolist():
        if not first <= i <= last:
            yield i


def _extent(kept: NDArray[np.bool_]) -> tuple[int, int]:
    """Numbers of the first and the last True one."""
    if not kept.any():
        return 0, -1
    return int(kept.argmax()), len(kept) - 1 - int(kept[::-1].argmax())


def _region(page: Source, numbers: Numbers) -> tuple[int, set[int]]:
    """The number of the article's element; those of all that it lies in, and its own: none if no element is it."""
    names, parents = page.elements.names, page.elements.parents
    sums = numbers.sums(page.elements, numbers.scores)
    if sums[0] < LEAST_PROSE:  # verses, tables: all that is no link
        alone = np.where(numbers.linked == 0, numbers.letters, 0)
        alone[list(page.hidden)] = 0
        sums = numbers.sums(page.elements, alone)
    if not sums[0]:
        return 0, set()
    best = 0
    # an element comes before those inside it, and only one child can have most
    for i in np.flatnonzero(sums > PROSE_SHARE * sums[0]).tolist():
        if parents[i] == best and names[i] not in _LONE_ELEMENTS:
            best = i
    on_way, at = set(), best
    while at >= 0:
        on_way.add(at)
        at = parents[at]
    return best, on_way


def _title_line(page: Source, lines: Sequence[Seen], numbers: Numbers, fates: Sequence[str], title: str) -> int:
    """The line with the title: of the lines down to the first prose, the longest that is a part of <title>, of
    several the lowest; -1 for none."""
    place, size = -1, 0
    able = (numbers.letters >= SHORTEST_HEADING) & (numbers.letters <= LONGEST_TITLE)
    for i in np.flatnonzero(able | (numbers.scores > 0)).tolist():
        one, fate = lines[i], fates[i]
        if one.score > 0 and fate == "" and one.bare not in title:
            break
        if not max(size, SHORTEST_HEADING) <= len(one.bare) <= LONGEST_TITLE:
            continue
        heading = page.elements.names[page.lines[i].element] in _HEADINGS and title.startswith(one.bare)
        least = max(size, SHORTEST_HEADING if heading else SHORTEST_TITLE)
        if least <= len(one.bare) and fate != "hidden" and one.bare in title:
            place, size = i, len(one.bare)
    return place


SHORTEST_HEADING, SHORTEST_TITLE, LONGEST_TITLE = 2, 4, 200
"""In characters without white space; the first for a heading that <title> begins with."""


class _MainContent:
    """What the library finds to be the page's main content.  It is asked when the first line needs it: of many pages
    all lines lie in the article's element."""

    def __init__(self, source: str, page: Source, lines: Sequence[Seen]) -> None:
        self._source, self._page, self._lines = source, page, lines
        self._budget = LONGEST_SEARCH
        self._known: dict[int, bool] = {}

    def has(self, i: int) -> bool:
        """Whether a line stands in it; True for all when the library is not asked."""
        if i not in self._known:
            self._known[i] = self._find(i)
        return self._known[i]

    @cached_property
    def _text(self) -> tuple[str, set[str]] | None:
        """What the library returned, without white space; its rows."""
        too_deep = self._page.depth > DEEPEST or len(self._source) > LARGEST
        if too_deep or (self._page.odd and html_burden.is_too_much(self._source)):
            return None
        text = _library_text(self._source)
        return _bare(text.split()), {_bare(row.split()).lstrip("•") for row in _ROW_ENDS.split(text)}

    def _find(self, i: int) -> bool:
        if self._text is None:
            return True
        found, rows = self._text
        lines, bare = self._lines, self._lines[i].bare
        if bare in rows or self._budget <= 0:
            return True
        around = [bare]
        if len(bare) < SURE_BY_ITSELF:  # stands in some longer line, perhaps elsewhere: with its neighbour only
            around = [lines[j].bare + lines[j + 1].bare for j in (i - 1, i) if 0 <= j < len(lines) - 1]
        self._budget -= len(found)
        return any(piece in found for piece in around)


_ROW_ENDS = re.compile(r"[\n\t]+")
SURE_BY_ITSELF = 8
"""Characters; a shorter line may stand in many others."""


def _library_text(source: str) -> str:
    from resiliparse.extract.html2text import extract_plain_text  # only pages pay for the import
    from resiliparse.parse.html import HTMLTree

    try:
        tree = HTMLTree.parse(source)
    except UnicodeEncodeError:  # halves of surrogate pairs
        tree = HTMLTree.parse(source.encode("utf-8", "replace").decode())
    text: str = extract_plain_text(tree, main_content=True, alt_texts=False, links=False)
    return text
