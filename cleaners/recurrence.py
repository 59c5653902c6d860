"""Recurrence: lines that many pages of a site share stand around an article, not in it.

What recurs is learned from a whole corpus (corpus/recurring.py); here is what one page has to do with it:

- `sample` makes of a page what learning needs: the keys of its short lines, with the place where they stand, and an
  identity by which copies of one article are known as one.
- `propose` removes lines that `Config.recurring` holds.  That is the set for one document; without it, as for a
  single text, nothing happens.

A line goes when it belongs to a block of recurring lines at the page's upper or lower edge, outside of the prose.
A headline, what tells about the article, bylines, and a page's only recurring line stay: the title of a column or the
last line of a hundred letters recurs, too.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from collections.abc import Collection, Iterator
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

import numpy as np

from . import extraction, metadata, mhtml, names
from .config import Config
from .document import RefusedError
from .edits import Edit, apply
from .prose import Page, Row, read, read_once

HEAD, TAIL, INSIDE = 0, 1, 2
"""The places of a line: above the article, below it, in it.  The lowest two bits of a key."""

PLACES = ("head", "tail", "inside")

LONGEST_ROW = 60
"""A longer line is no piece of a navigation, in characters without space."""

SHORTEST_NOTICE, LONGEST_NOTICE = 20, 300
"""A sentence of so many characters that recurs may be a legal notice."""

EDGE_ROWS = 6
"""How many rows at the lower end of the prose may be notices: they read like prose."""

MOST_ROWS = 200
"""So many rows of each place are looked at, from the edges of the page; of the prose for its identity, too."""

IDENTITIES = 4
"""Hashes that an identity consists of.  Two pages with a part J of their prose lines in common share two of them with
a chance of .97 for J = .8, .69 for J = .5, .06 for J = .11 (a notice below two articles of four lines each)."""

LEAST_LINES = 4
"""A page with fewer recurring lines has no chrome to speak of: nothing goes."""

MANY_LINES = 8
"""A page with so many has a frame for sure: then a single line at its edge goes, too."""

LEAST_BLOCK = 2
"""Else so many lines that stand together are a block."""

LEAST_FRAME = 5
"""And so many, without a gap, in a site of which no rule names a line: else it may be a collection of forms."""

KNOWN = 3
"""In the set of a document whose site has chrome for sure: rules name some of the lines that recur.  It is no key:
its place would be none."""

GAP_COST, MOST_GAP_COST = {HEAD: 1, TAIL: 2}, 4
"""What a row that does not recur takes from the score of a block, and what such rows side by side take at most; one
that recurs adds 1.  In the head such rows are the headline and its byline, in the tail links or the article's list."""

COST_OF_NUMBERS = 1
"""What a row with digits takes, although it recurs when they are masked."""

FEWEST_CELLS = 2
"""So many numbers that stand alone among lines that recur are the cells of a table."""

SHORTEST_TITLE, LONGEST_TITLE = 5, 80

_FACTORS = np.array([[0x9E3779B97F4A7C15], [0xC2B2AE3D27D4EB4F], [0xD6E8FEB86659FD93], [0xA0761D6478BD642F]], np.uint64)
"""One for each of IDENTITIES: odd, with as many ones as zeros about; those of SplitMix64, xxHash, MSws and wyhash."""

_SENTENCE = re.compile("[。！？；，!?;]")
_DIGITS = re.compile(r"\d+")
_CELL = re.compile(r"[-+±]?[\d.,:/%％]+(?:[元克斤吨件个人分次度号]|公斤|万元|亿元|[kKmM]?[gGmM])?")
CLOSINGS = frozenset(
    (
        *("此致", "敬礼", "此致敬礼", "此复", "此令", "特此通知", "特此公告", "特此通告", "特此证明", "特此函达"),
        *("谢谢", "谢谢大家", "完", "全文完", "全书完", "待续", "未完待续"),
        *("附件", "附录", "注释", "参考文献", "致谢", "目录", "摘要", "正文"),
    )
)
"""Lines that end letters, notices, speeches and chapters, or stand above their parts."""

_BRACKETED = re.compile(r"[（(【\[].*[）)】\]]")


class Sample(NamedTuple):
    """What is known of a page.

    identity  IDENTITIES hashes of its article's lines; empty when it has no prose: then it is no evidence
    keys      of its lines, sorted, each with its place in the lowest two bits
    """

    identity: tuple[int, ...]
    keys: tuple[int, ...]


def masked(line: str) -> str:
    """The line as it is compared: without space, and in a line that is no sentence each number as 0."""
    bare = _without_space(line)
    return bare if is_sentence(bare) else _DIGITS.sub("0", bare)


def _without_space(line: str) -> str:
    bare = "".join(line.split())
    if "\u200b" in bare or "\ufeff" in bare:
        bare = bare.replace("\u200b", "").replace("\ufeff", "")
    return bare


def is_sentence(bare: str) -> bool:
    """Whether a line reads like a sentence or a part of one."""
    return _SENTENCE.search(bare) is not None


def is_storable(line: str) -> bool:
    """Whether a table can hold it: no half of a surrogate pair."""
    return line.isascii() or not re.search("[\ud800-\udfff]", line)


def key(bare: str, place: int) -> int:
    """The key, 64 bits, of a masked line at a place."""
    return int.from_bytes(hashlib.blake2b(bare.encode("utf-8", "surrogatepass"), digest_size=8).digest()) & ~3 | place


def place_of(key: int) -> int:
    """HEAD, TAIL or INSIDE."""
    return key & 3


def readable(text: str, config: Config) -> str:
    """What a reader sees of a decoded seed: a text as it is, of an HTML page or a web archive its visible lines."""
    try:
        if edits := tuple(mhtml.propose(text, config)):
            text = apply(text, edits)
    except RefusedError:
        return ""
    return extraction.visible(text) if extraction.seems_page(text) else text


def sample(text: str) -> Sample:
    """What learning needs of a page: what a reader sees of it, before any cleaner.  Linear in the text's length."""
    page = read_once(text)
    first, last = _extent(page)
    found: set[int] = set()
    for place, rows in (
        (HEAD, page.rows[: min(first, MOST_ROWS)]),
        (INSIDE, islice((row for row in page.rows[first:last] if row.score <= 0), MOST_ROWS)),
        (TAIL, page.rows[max(last, len(page.rows) - MOST_ROWS) :]),
        # the last rows of the prose count as its tail only when they may be notices
        (
            TAIL,
            [row for row in page.rows[max(first, last - EDGE_ROWS) : last] if row.score > 0 and is_sentence(row.text)],
        ),
    ):
        for row in rows:
            if len(row.text) <= LONGEST_NOTICE and (one := _key(row.text)):
                found.add(one | place)
    return Sample(_identity(page), tuple(sorted(found)))


def lines(text: str, wanted: Collection[int]) -> dict[int, str]:
    """The masked lines of a page that have these keys."""
    found = {}
    for row in read(text).rows:
        if len(row.text) <= LONGEST_NOTICE and (bare := _comparable(row.text)):
            for place in (HEAD, TAIL, INSIDE):
                if (one := key(bare, place)) in wanted:
                    found[one] = bare
    return found


def propose(text: str, config: Config) -> Iterator[Edit]:
    """Yields the removal of each line that recurs."""
    if len(config.recurring - {KNOWN}) < LEAST_LINES:
        return
    page = read(text)
    first, last = _extent(page)
    notices = _notices(page, config.recurring)
    last = min([last, *notices])
    rules = dict.fromkeys(notices, "recurrence.notice")
    rules |= dict.fromkeys(_head(page.rows[:first], config.recurring), "recurrence.head_line")
    below = [(i, page.rows[i]) for i in range(len(page.rows) - 1, last - 1, -1) if i not in notices]
    places = _block([row for _, row in below], TAIL, config.recurring)
    rules |= {below[at][0]: "recurrence.tail_line" for at in places}
    for i in sorted(rules):
        row = page.rows[i]
        end = row.end + 1 if row.end < len(text) else row.end
        yield Edit(row.start, text[row.start : end], "", rules[i])


def _extent(page: Page) -> tuple[int, int]:
    """The article's rows; in a page without prose its head and its tail are its halves."""
    if page.first < page.last:
        return page.first, page.last
    middle = len(page.rows) // 2
    return middle, middle


def _comparable(line: str) -> str:
    """The masked line; empty when it is too long to be compared, or a sentence too short to be a notice."""
    bare = _without_space(line)
    if is_sentence(bare):
        return bare if SHORTEST_NOTICE <= len(bare) <= LONGEST_NOTICE else ""
    bare = _DIGITS.sub("0", bare)
    return bare if len(bare) <= LONGEST_ROW else ""


def _identity(page: Page) -> tuple[int, ...]:
    """A MinHash of the lines of prose."""
    prose = [line for line, _, _, score in page.rows[page.first : page.last] if score > 0][:MOST_ROWS]
    if not prose:
        return ()
    sums = [zlib.crc32(line.strip().encode("utf-8", "surrogatepass")) for line in prose]
    # a product with an odd number, without what is beyond 64 bits, is a permutation
    return tuple(np.minimum.reduce(_FACTORS * np.array(sums, np.uint64), axis=1).tolist())


@lru_cache(maxsize=1 << 16)
def _key(line: str) -> int:
    """The key of a line, without its place; 0 when it is not compared.  Pages of a site share their lines."""
    bare = _comparable(line)
    return key(bare, 0) if bare else 0


def _recurs(row: Row, place: int, recurring: Collection[int]) -> bool:
    if len(row.text) > LONGEST_NOTICE:
        return False
    one = _key(row.text)
    return one > 0 and one | place in recurring


def _stays(row: Row) -> bool:
    """What tells about the article, or may be its own last line."""
    line = row.text.strip()
    if masked(line).rstrip("：:!！.。") in CLOSINGS:
        return True
    return metadata.tells(line) or names.is_byline(line) or _BRACKETED.fullmatch(line) is not None


def _notices(page: Page, recurring: Collection[int]) -> set[int]:
    """Rows at the lower end of the prose, and below it, that are sentences and recur."""
    found = set()
    for i in range(page.last - 1, max(page.first, page.last - 1 - EDGE_ROWS), -1):
        if not _recurs(page.rows[i], TAIL, recurring) or _stays(page.rows[i]):
            break
        found.add(i)
    for i in range(page.last, len(page.rows)):
        row = page.rows[i]
        if is_sentence(row.text) and _recurs(row, TAIL, recurring) and not _stays(row):
            found.add(i)
    return found


def _head(rows: list[Row], recurring: Collection[int]) -> set[int]:
    """Rows of a page's head that go: never the only one that may be the headline."""
    found = _block(rows, HEAD, recurring)
    titles = [i for i, row in enumerate(rows) if _may_be_title(row)]
    if titles and found.issuperset(titles):
        found.discard(titles[-1])
    return found


def _block(rows: list[Row], place: int, recurring: Collection[int]) -> set[int]:
    """Which of these rows go, counted from the page's edge: those that recur, as far as the block reaches that has
    the highest score, but for those of a list or table of the article."""
    known = [_recurs(row, place, recurring) for row in rows]
    if KNOWN in recurring:
        reach, enough = _reach(rows, known, place), 1 if len(recurring) > MANY_LINES else LEAST_BLOCK
    else:
        reach, enough = [*known, False].index(False), LEAST_FRAME
    of_article = _tables(rows, known, place) | (_announced(rows, known) if place == TAIL else set())
    found = {i for i in range(reach) if known[i] and i not in of_article and not _stays(rows[i])}
    return found if len(found) >= enough else set()


def _reach(rows: list[Row], known: list[bool], place: int) -> int:
    """How many rows the block with the highest score has."""
    score = best = reach = gap = 0
    for i, row in enumerate(rows):
        if not known[i]:
            cost = min(GAP_COST[place], MOST_GAP_COST - gap)
            gap += cost
            score -= cost
        elif _DIGITS.search(row.text):
            score -= COST_OF_NUMBERS
        else:
            score += 1
            gap = 0
        if score > best:
            best, reach = score, i + 1
    return reach


def _tables(rows: list[Row], known: list[bool], place: int) -> set[int]:
    """Rows that recur in one run with the numbers of a table: in the tail those above the lowest of its rows."""
    found: set[int] = set()
    for run in _runs(rows, known):
        cells = [i for i in run if _CELL.fullmatch(rows[i].text.strip())]
        if len(cells) < FEWEST_CELLS or _are_ranks([rows[i].text.strip() for i in cells]):
            continue
        columns = (cells[-1] - cells[0]) // (len(cells) - 1)
        found.update(run if place == HEAD else (i for i in run if i > cells[0] - columns))
    return found


def _announced(rows: list[Row], known: list[bool]) -> set[int]:
    """Rows of a tail, given from below, that recur below a line that announces a list: 价格如下："""
    found: set[int] = set()
    for i, row in enumerate(rows):
        if not known[i] and row.text.rstrip().endswith(("：", ":")):
            for at in range(i - 1, -1, -1):
                if not known[at]:
                    break
                found.add(at)
    return found


def _runs(rows: list[Row], known: list[bool]) -> Iterator[list[int]]:
    """Neighbouring rows that recur or are a number."""
    run: list[int] = []
    for i, row in enumerate(rows):
        if known[i] or _CELL.fullmatch(row.text.strip()):
            run.append(i)
        elif run:
            yield run
            run = []
    if run:
        yield run


def _are_ranks(cells: list[str]) -> bool:
    """1, 2, 3 …: a list of the most read articles, from above or from below."""
    ranks = [str(i) for i in range(1, len(cells) + 1)]
    return cells in (ranks, ranks[::-1])


def _may_be_title(row: Row) -> bool:
    line = row.text.strip()
    return SHORTEST_TITLE <= len(line) <= LONGEST_TITLE and not line.endswith("。") and not metadata.tells(line)
