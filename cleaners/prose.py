"""Where the prose of a text is: rows, and the stretch of rows that reads as an article."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import accumulate, count
from operator import add
from typing import NamedTuple

SHORTEST_PROSE = 15
"""A shorter row is no prose by itself, in characters: it may be a headline, a verse, a link."""

LONG_ROW = 60
"""A row of this length with a comma is prose even if it does not end a sentence, in characters."""

GAP_COST = 12
"""What one row that is no prose takes from the score of a stretch, in characters of prose."""

MOST_CREDIT = 400
"""One row adds at most this to the score of its stretch, in characters, so that no single one decides."""

_ENDS = frozenset("。！？!?；;…”」』．.：:）)")
_STOP = re.compile("[。！？；!?;]")
_row = tuple.__new__  # making a Row by its name takes twice as long


class Row(NamedTuple):
    """A line that is not blank: text[start:end], and its score: above 0 for prose, below for anything else."""

    text: str
    start: int
    end: int
    score: int


class Page(NamedTuple):
    """rows of a text; rows[first:last] is the stretch with the most prose, first == last when there is none.
    Above it is the page's head, below it its tail."""

    rows: list[Row]
    first: int
    last: int

    @property
    def prose(self) -> int:
        """Characters of prose in the stretch."""
        return sum(row.score for row in self.rows[self.first : self.last] if row.score > 0)


class _Lately:
    """Pages that were read lately.  Several cleaners read the same texts, one of them those of a whole slice before the
    next one does."""

    MOST = 1_500_000
    """So many characters of texts fill a shelf; a row counts as ROW more, as its objects take memory.  There are two
    shelves: when the first is full, what it holds moves to the second, and what that held is forgotten."""

    ROW = 100

    def __init__(self) -> None:
        self.pages: dict[str, Page] = {}
        self.older: dict[str, Page] = {}
        self.size = 0

    def get(self, text: str) -> Page | None:
        return self.pages.get(text) or self.older.get(text)

    def add(self, text: str, page: Page) -> None:
        size = len(text) + self.ROW * len(page.rows)
        if self.size + size > self.MOST:
            self.older, self.pages, self.size = self.pages, {}, 0
        self.pages[text] = page
        self.size += size

    def cache_clear(self) -> None:
        self.pages, self.older, self.size = {}, {}, 0


_lately = _Lately()


def release() -> None:
    """Forgets the pages if they take more memory than they should, as one alone may: when a text was cleaned, the page
    that it was may be nearly half of all that is held for it."""
    if _lately.size > _lately.MOST:
        _lately.cache_clear()


def read(text: str) -> Page:
    """The rows of `text` and its main stretch of prose, which others get, too: do not change them.  Linear in the
    text's length."""
    page = _lately.get(text)
    if page is None:
        page = read_once(text)
        _lately.add(text, page)
    return page


def read_once(text: str) -> Page:
    """The same, of a text that nobody reads again soon."""
    lines = text.split("\n")
    ends = map(add, accumulate(map(len, lines)), count())
    rows = [
        _row(Row, (line, end - len(line), end, score(bare) if len(line) >= SHORTEST_PROSE else -GAP_COST))
        for line, end in zip(lines, ends, strict=False)
        if line and (bare := line.strip())
    ]
    return Page(rows, *main_stretch(rows, {}))


def score(bare: str) -> int:
    """Above 0 for a line of prose (its length, but see MOST_CREDIT), below for anything else.  bare: not empty,
    without space around it."""
    size = len(bare)
    if size < SHORTEST_PROSE:
        return -GAP_COST
    if bare[-1] in _ENDS:
        is_prose = size >= 2 * SHORTEST_PROSE or _has_comma(bare) or _STOP.search(bare) is not None
    else:
        is_prose = size >= LONG_ROW and _has_comma(bare)
    if not is_prose:
        return -GAP_COST
    return size if size < MOST_CREDIT else MOST_CREDIT


def _has_comma(bare: str) -> bool:
    return "，" in bare or "," in bare or "、" in bare


def main_stretch(rows: list[Row], scores: Mapping[int, int]) -> tuple[int, int]:
    """First and last + 1 of the stretch with the highest sum of scores (Kadane's algorithm).

    scores  for some row numbers, a score that replaces the row's own
    """
    if not scores and all(row[3] <= 0 for row in rows):
        return 0, 0
    best = running = 0
    first = last = begin = 0
    for i, (_, _, _, score) in enumerate(rows):
        if running <= 0:
            running, begin = 0, i
        running += scores.get(i, score) if scores else score
        if running > best:
            best, first, last = running, begin, i + 1
    return first, last
