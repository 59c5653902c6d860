"""Hard wraps: paragraphs that were broken into lines of a fixed width, as old e-mail and text files have them.

The width is the densest band of four columns; characters that are full-width count double. A line was broken by
the wrap when the first word of the next line had no room on it. Where one of these lines ends inside a sentence
often enough, and the characters across the breaks are likely neighbours, the lines are one paragraph again.
Verse, lists, tables, contents and code break elsewhere, or between characters that are no likely neighbours.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from functools import cached_property
from typing import NamedTuple

import numpy as np

from .statistics import bigram_logprobs, codes, unigrams


class Unit(NamedTuple):
    """A line that is not empty, or several that belong together.

    start, end  the span in the text, without white space around it
    text        text[start:end], for several lines their joined text
    indent      columns of white space before it
    gap         number of line breaks before it; more than 1: there are empty lines
    is_open     does it end inside a sentence?
    """

    start: int
    end: int
    text: str
    indent: int
    gap: int
    is_open: bool


_unit = tuple.__new__  # making a Unit by its name takes twice as long

BAND = 4  # columns
NARROWEST, WIDEST = 28, 120  # columns of a wrapped line
MOST_WIDTHS = 3  # a file of several sources may have several widths
FIRST_INDENT = 4  # columns of an indent that was lost after wrapping
EARLY = 0.75  # of the width, at least, have lines that were broken by hand
FEWEST_BROKEN = 3  # lines that end inside a sentence at the width, for it to be one
OPEN_SHARE = 0.5  # of the lines that end inside a sentence, at least, end at the width …
BEYOND = 20  # … against those that are shorter, or longer by so many columns
# Mean log P(next | last) - log P(next) across n breaks. Inside sentences it is 1.9 (news) to 0.8 (old novels) on
# average, by chance -0.9 to CHANCE, with a standard deviation of 1.1 / sqrt(n).
CHANCE = -0.6
ABOVE_CHANCE, ABOVE_CHANCE_IF_SHARP, ABOVE_CHANCE_IF_EXACT = 1.5, 1.0, -1.0  # times 1 / sqrt(n), at least
SHARP_LINES, SHARP_SHARE = 5, 0.8  # of the lines that end inside a sentence end at the width
MOST_GAIN = 4  # what one break can add to the mean, or take
PUNCTUATED_SHARE = 0.5  # of the full lines have a mark inside, at least: headlines and names have none

ENDS = frozenset("。！？…!?.；;：:~～—―")
LONGEST_REMARK = 60  # characters
CLOSERS = "”’」』）)》〉】］]\"'"
CLOSED = ENDS.union(CLOSERS)  # a line with another last character ends inside a sentence
NEVER_FIRST = "，。、；：！？”’」』）》〉】…,.;:!?)]%％·—～"
OPENERS = "“‘「『（《〈【(["
MARKS = re.compile("[，。、；：！？,;:!?“”「」]")
ITEM_SIGNS = "①-⑳⑴-⒛•●○■□◆◇▲△★☆◎※►▶＊*►-"
LIST_ITEM = re.compile(
    r"第[一二三四五六七八九十百千零〇\d]{1,7}[条條章节節编編卷回](?:[\s　：:]|之|$)"
    r"|[（(][一二三四五六七八九十\d]{1,3}[)）](?![项款目條条、，])"
    r"|[一二三四五六七八九十]{1,3}、"
    r"|\d{1,3}(?:[、．)）]|\.(?!\d))"
    rf"|[{ITEM_SIGNS}]\s*"
)
HAN_OF_ITEMS = "第一二三四五六七八九十"  # what such a line begins with, if it is an ideograph
NEVER = frozenset(NEVER_FIRST).union([""])
FIRST_WORD = re.compile(
    f"[{re.escape(OPENERS)}]{{0,3}}(?:[^\\s\u1100-\U0010ffff]{{1,60}}|.)[{re.escape(NEVER_FIRST)}]{{0,3}}"
)
# Every odd line has one. A set alone is searched for at full speed, if it has characters only: \s is slow in it
SPACE = "\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
ODD_MARK = re.compile(rf"[{SPACE}.…\-=_*·|{{}}<>;:]")
ODD_SIGN = re.compile(rf"{ODD_MARK.pattern}(?:(?<=[\t|{{}}<>;])|(?=[{SPACE}.…\-=_*·/]))")  # alone, or two
ODD_LINE = re.compile(r"\S(?:\s{3,}|\t)\S|\.{4,}|…{3,}|[-=_*·]{5,}|\|.*\||^\s*[{}<>]|[;{}]$|^\S*://\S*$")


def units(text: str, are_open: Iterable[bool] | None = None) -> list[Unit]:
    """The lines of `text` that are not empty.  are_open: for each of them whether it ends inside a sentence, where that
    is known."""
    found: list[Unit] = []
    known = iter(are_open) if are_open is not None else None
    place = gap = 0
    for line in text.split("\n"):
        body = line.strip()
        if body:
            lead = line.index(body[0]) if len(body) < len(line) else 0
            start = place + lead
            is_open = next(known) if known else not ends_sentence(body)
            indent = columns(line[:lead]) if lead else 0
            found.append(_unit(Unit, (start, start + len(body), body, indent, gap, is_open)))
            gap = 0
        gap += 1
        place += len(line) + 1
    return found


def columns(text: str) -> int:
    """Width of `text`, full-width characters doubled: GBK has two bytes for just those that Chinese
    fixed-width fonts draw double, quotation marks and dashes among them."""
    return len(text.encode("gbk", "replace"))


def ends_sentence(text: str) -> bool:
    """Does `text`, which is not empty, end as a sentence does, closing marks and a remark in brackets aside?"""
    if text[-1] in ENDS or text[-1] not in CLOSED:
        return text[-1] in ENDS
    if text[-1] in "）)":
        remark = max(text.rfind("（", -LONGEST_REMARK), text.rfind("(", -LONGEST_REMARK))
        if remark >= 0 and (remark == 0 or text[remark - 1] in ENDS or text[remark - 1] in CLOSERS):
            return True
    bare = text[-4:].rstrip(CLOSERS)
    return len(bare) < len(text[-4:]) and bare[-1:] in ENDS


def _first_word(text: str) -> int:
    """Columns that its first word takes behind another line."""
    word = FIRST_WORD.match(text)
    dropped_space = 1 if text[0] < "\x7f" else 0
    return dropped_space + columns(word.group() if word else "")


def list_item(text: str) -> re.Match[str] | None:
    """The number or the sign of a list's item that a line begins with."""
    if "\u4e00" <= text[0] <= "\u9fff" and text[0] not in HAN_OF_ITEMS:
        return None
    return LIST_ITEM.match(text)


def is_odd(text: str) -> bool:
    """Does a line begin as those of tables, contents and code do?"""
    head = text[: 2 * WIDEST]
    return ODD_SIGN.search(head) is not None and ODD_LINE.search(head) is not None


def wrapped_pairs(lines: Sequence[Unit]) -> list[int] | None:
    """Numbers i, ascending, for which lines[i] and lines[i + 1] are one paragraph, broken by a wrap; None where no
    width is one that lines were broken at."""
    pairs: set[int] = set()
    has_width = False
    for page, width in _wraps(lines, pairs):
        has_width = True
        for region in page.regions(width):
            pairs.update(_region_pairs(page, width, region, pairs))
    return sorted(pairs) if has_width else None


def are_wrapped(lines: Sequence[Unit], has_indents: bool = True) -> bool:
    """Is there a width that lines were broken at, with or without their indents? Where there is none, no gap between
    them makes a wrap of it."""
    return any(True for _ in _wraps(lines, set(), has_indents))


def _wraps(lines: Sequence[Unit], pairs: Set[int], has_indents: bool = True) -> Iterator[tuple[_Page, int]]:
    """The widths that lines were broken at.  pairs: what was found at a width, to be filled before the next one"""
    open_lines = [i for i, line in enumerate(lines) if line.is_open]
    if len(open_lines) < FEWEST_BROKEN:
        return
    page = _Page(lines, set(open_lines), has_indents)
    widths = page.may_be_broken(open_lines)
    for _ in range(MOST_WIDTHS):
        # a mark may hang out over the width, other characters may not
        width = _densest([own for i, own in widths.items() if lines[i].text[-1] not in NEVER_FIRST])
        if not width:
            return
        if page.is_wrapped_at(width, list(widths)):
            yield page, width
        widths = {i: own for i, own in widths.items() if i not in pairs and not width - BAND < own <= width}


def _densest(widths: Sequence[int]) -> int:
    """Upper edge of the band of BAND columns that holds most lines; 0 when it holds too few."""
    if len(widths) < FEWEST_BROKEN:
        return 0
    found = Counter(widths)
    counts = [found.get(width, 0) for width in range(max(widths) + max(BAND, FIRST_INDENT) + 1)]
    best = most = 0
    for low in sorted(found):
        inside = sum(counts[low : low + BAND])
        if inside > most:
            most, best = inside, max([low + i for i in range(BAND) if counts[low + i] * 8 >= inside])
    if most < FEWEST_BROKEN:
        return 0
    # where first lines have lost their indent, these are a band of their own
    return max([width for width in range(best, best + FIRST_INDENT + 1) if counts[width] * 3 >= most], default=best)


class _Measured(dict[int, int]):
    """What was measured by line number, when it was first asked for: on most pages little is."""

    def __init__(self, measure: Callable[[int], int]) -> None:
        super().__init__()
        self._measure = measure

    def __missing__(self, i: int) -> int:
        self[i] = found = self._measure(i)
        return found


class _Page:
    """Lines with their widths.

    open     numbers of the lines that end inside a sentence
    widths   columns of each line, its indent included (measured to WIDEST characters)
    needed   columns that each line but the last must have for the first word of the next one to fit
    odd      is it odd?
    """

    def __init__(self, lines: Sequence[Unit], open_lines: Set[int], has_indents: bool) -> None:
        self.lines = lines
        self.open = open_lines
        self.has_indents = has_indents
        self.odd = _Measured(lambda i: is_odd(lines[i].text))

    @cached_property
    def widths(self) -> list[int]:
        # in one go: no character of GBK has the byte of a line break in it
        heads = "\n".join([line.text[:WIDEST] for line in self.lines]).encode("gbk", "replace").split(b"\n")
        return [line.indent * self.has_indents + len(head) for line, head in zip(self.lines, heads, strict=True)]

    @cached_property
    def needed(self) -> list[int]:
        firsts = [line.text[:2] for line in self.lines[1:]]
        return [
            width + (2 if "\u4e00" <= first <= "\u9fa6" and first[1:] not in NEVER else _first_word(self.lines[i].text))
            for i, (width, first) in enumerate(zip(self.widths, firsts, strict=False), 1)
        ]

    def may_be_broken(self, open_lines: Sequence[int]) -> dict[int, int]:
        """The widths of those lines, of some that end inside a sentence, that a wrap may have broken."""
        found: dict[int, int] = {}
        for i in open_lines[: -1 if open_lines[-1] == len(self.lines) - 1 else None]:
            text = self.lines[i].text
            indent = self.lines[i].indent * self.has_indents
            if indent + 2 * len(text) < NARROWEST or (len(text) > WIDEST and not text[:WIDEST].isascii()):
                continue
            width = indent + columns(text[:WIDEST])
            if NARROWEST <= width <= WIDEST and not self.odd[i]:
                found[i] = width
        return found

    def is_too_wide(self, i: int, width: int) -> bool:
        """Is line i wider than `width`, though its last marks may hang out?"""
        if self.widths[i] <= width:
            return False
        tail = self.lines[i].text[-3:]
        return self.widths[i] - columns(tail[len(tail.rstrip(NEVER_FIRST)) :]) > width

    def is_wrapped_at(self, width: int, open_lines: Sequence[int]) -> bool:
        """Do most lines that end inside a sentence end at `width`, between characters that are neighbours?"""
        needed, widths = self.needed, self.widths
        near = [i for i in open_lines if 0.6 * width < widths[i] <= width + BEYOND]
        broken = [i for i in near if needed[i] > width and not self.is_too_wide(i, width)]
        if len(broken) < FEWEST_BROKEN or len(broken) < OPEN_SHARE * len(near):
            return False
        inside = set(near)
        punctuated = sum(1 for i in broken if MARKS.search(self.lines[i].text[:-1]))
        if punctuated < PUNCTUATED_SHARE * len(broken):
            return False
        closed = sum([i not in inside for i, own in enumerate(widths) if width - 2 < own <= width])
        if closed > len(broken):
            return False
        least: float = CHANCE + self._above_chance(width, near, broken) / len(broken) ** 0.5
        return self._gain(broken) >= least

    def _above_chance(self, width: int, near: Sequence[int], broken: Sequence[int]) -> float:
        """How far above chance the characters must be likely: the less, the clearer the shape."""
        if len(broken) < SHARP_LINES or len(broken) < SHARP_SHARE * len(near):
            return ABOVE_CHANCE
        tails = [i + 1 for i in broken if i + 1 not in self.open and self.widths[i + 1] < width - BAND]
        if len(broken) == len(near) and len(tails) > 1:
            return ABOVE_CHANCE_IF_EXACT  # no other line ends inside a sentence, and paragraphs end before the edge
        return ABOVE_CHANCE_IF_SHARP

    def _gain(self, broken: Sequence[int]) -> float:
        """Mean of log P(next character | last) - log P(next character) over the breaks."""
        lines = self.lines
        before, after = codes("".join([lines[i].text[-1] + lines[i + 1].text[0] for i in broken])).reshape(-1, 2).T
        gains = bigram_logprobs(before, after) - unigrams().take(after)
        return float(np.minimum(np.maximum(gains, -MOST_GAIN), MOST_GAIN).sum()) / len(broken)

    def regions(self, width: int) -> Iterator[range]:
        """Stretches without lines that are wider than `width` or of another kind."""
        first = 0
        for i, own in enumerate(self.widths):
            if (own > width and self.is_too_wide(i, width)) or self.odd[i]:
                if i - first > 1:
                    yield range(first, i)
                first = i + 1
        if len(self.lines) - first > 1:
            yield range(first, len(self.lines))


class _Marks(NamedTuple):
    """How a region marks its paragraphs.

    base    indent, in columns, of lines inside a paragraph
    indent  a first line is indented further than `base`
    blank   there are empty lines between paragraphs, and none inside
    lost    first lines are shorter by FIRST_INDENT: their indent was taken away after wrapping
    """

    base: int
    indent: bool
    blank: bool
    lost: bool


def _region_pairs(page: _Page, width: int, region: range, done: Set[int]) -> list[int]:
    needed = page.needed
    full = [i for i in region[:-1] if needed[i] > width and i not in done]
    broken = [i for i in full if i in page.open]
    if not broken:
        return []
    marks = _marks(page, width, region, full, broken)
    pairs, is_first = [], True
    for i in region[:-1]:
        joined = i not in done and _goes_on(page, width, i, marks, is_first)
        if joined:
            pairs.append(i)
        is_first = not joined
    return pairs


def _marks(page: _Page, width: int, region: range, full: Sequence[int], broken: Sequence[int]) -> _Marks:
    lines = page.lines
    base = Counter(lines[i + 1].indent for i in broken).most_common(1)[0][0]
    is_full = set(full)
    starts = [i + 1 for i in region[:-1] if i not in is_full]
    indent = sum(1 for i in starts if lines[i].indent > base) * 2 > len(starts)
    tight = sum(1 for i in broken if lines[i + 1].gap == 1) * 2 > len(broken)
    blank = tight and sum(1 for i in starts if lines[i].gap > 1) * 2 > len(starts)
    early = [page.widths[i] for i in region if i not in is_full and i in page.open]
    short = sum(1 for w in early if abs(w + FIRST_INDENT - width) <= 2)
    return _Marks(base, indent, blank, not indent and short * 2 > sum(1 for w in early if w * 2 > width))


def _goes_on(page: _Page, width: int, i: int, marks: _Marks, is_first: bool) -> bool:
    """Does the paragraph of line i go on in line i + 1?"""
    following = page.lines[i + 1]
    if following.indent > marks.base or (marks.blank and following.gap > 1):
        return False
    if list_item(following.text):
        return False
    missing = FIRST_INDENT if is_first and marks.lost else 0
    needed = page.needed
    if i in page.open:
        # where every paragraph is indented, a line that is not, goes on, though it may have been broken early
        early = width * EARLY if marks.indent else width
        return page.widths[i] > early or needed[i] > width - missing - 1
    if marks.indent or marks.blank:
        return needed[i] > width - missing
    # Nothing marks paragraphs: one may have ended just here.
    if marks.lost and i + 2 < len(page.lines):
        after = page.widths[i + 1]
        if after > width - FIRST_INDENT and needed[i + 1] > width:
            return needed[i] > width - missing
        if abs(after + FIRST_INDENT - width) <= 2 and needed[i + 1] > width - FIRST_INDENT:
            return False  # a first line without its indent
    return page.widths[i] + missing + 2 > width and following.text[0] not in OPENERS
