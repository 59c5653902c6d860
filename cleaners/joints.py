"""Joints: how likely two lines are the halves of one sentence that was cut.

A line that ends inside a sentence chooses between the lines that follow it, and none of them, by a conditional
logit model (McFadden 1974): one for lines of prose, one for short lines with a comma, one for bare ones, such as
headlines. It looks at the shape of both lines, their punctuation and quotation marks, the characters that meet
across the joint, the lines around and the lines in between. Layout (indents, empty lines) can only speak for a
joint, so that what was refused once is refused again when the layout is gone.

The weights, statistics/joints.json, are fitted by `python -m cleaners.statistics.build_joints`.
"""

from __future__ import annotations

import json
import math
import operator
import re
from collections.abc import Callable, Iterable, Sequence
from functools import cache, lru_cache
from itertools import product
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np

from . import joint_language
from .hard_wraps import ODD_SIGN, Unit, ends_sentence, list_item
from .joint_language import Floats, language

WEIGHTS_FILE = Path(__file__).parent / "statistics" / "joints.json"
FURTHEST = 3  # units ahead that the second half may be
LONGEST_JUMPED = 60  # characters of a line between the halves
SHORTEST = 4  # characters of a first half that ends with a comma
SHORTEST_BARE = 8  # of another first half
SHORT = 30  # characters: lines of verse, of lists and headlines are no longer
EDGE = 400  # characters of a long line that are looked at on either side

KINDS = ("prose", "clause", "bare")
PROSE = 16  # characters of a line of prose, with a comma in it or at its end, at least
LONG_PROSE = 45  # of one without a full stop
MORE_CUTS = 4  # a page where one line of prose in four ends inside a sentence is full of cuts
MOST_REMEMBERED = 1 << 15  # pairs of characters at joints
HAN_SHARE = 0.15  # of its last characters, at least, are Chinese

PAUSES = "，、,"
FIRST_SHORT = 26  # characters
FIRST_CLOSERS, SECOND_OPENERS = "”’」』）》)]", "“‘「『《（("
SPEECH = "“「『"  # a whole sentence that begins so is no headline: it is not jumped over
LAST_CLAUSE = 60  # characters
ARTICLE = re.compile(r"第[一二三四五六七八九十百千零〇\d]{1,7}[条條]")
CODE = "./\\$<>{}[]@`^~|=+*&#%_-"
HAN = re.compile("[\u3400-\u9fff\U00020000-\U0003ffff]")
HAN_ENOUGH = re.compile(f"[\u3400-\u9fff]{{{math.ceil(HAN_SHARE * LAST_CLAUSE)}}}")  # most lines have so many in a row
HAN_SPACE = re.compile("[\u3400-\u9fff][ \u3000]+[\u3400-\u9fff]")
TABLE_LINE = re.compile(r"\S(?:\s{3,}|\t)\S|\.{4,}|…{3,}|[-=_*·]{5,}|\|.*\||^[{}<>]|[;{}]$|^[!-~]*://\S*$")
QUOTES = (("“", "”"), ("‘", "’"), ("「", "」"), ("『", "』"), ("（", "）"), ("《", "》"), ("(", ")"))
ANY_QUOTE = re.compile(f"[{re.escape(''.join(map(''.join, QUOTES)))}]")
INNER = re.compile("[，。、；：！？…,;:!?]")
CLAUSE = re.compile("[，。；！？,;!?]")
FIRST_MARK = re.compile("[，。、；：！？…”’」』）》]")
ANY_MARK = re.compile("[，。、；：！？…“”‘’「」『』（）《》,;:!?()]")
ROLE = (
    r"(?:本报|本刊|本台|本社|本网|新华社|中新社|见习|見習|实习|實習|特约|特約|通讯|通訊|首席|驻\S{1,8}){0,3}"
    r"(?:记者|記者|通讯员|通訊員|实习生|實習生|编辑|編輯|责编|責編|摄影|攝影|作者|来源|來源|撰文|供稿|文图|图文|校对|审核|责任编辑|責任編輯)"
)
BRIEF = "(?:划重点|劃重點|核心提示|内容提要|內容提要|内容摘要|摘要|提要|编者按|編者按|导读|導讀|看点|要点)[:：]"
"""What stands between a headline and the points of a summary, in a line of its own."""
BYLINE = re.compile(rf"[（(【□◎■◇]?\s*(?:{ROLE}|{BRIEF}|[文图圖]\s*[/／|｜])")
BYLINE_STARTS = frozenset("(■□◇◎【（中作來供內内划劃图圖实實导導提摄摘撰攝文新本来校审核特看編编要見见記记責责通首驻")
COLUMN_MARK = re.compile("[■□◆◇●○◎▲△▼▽★☆※►▶◀◄•▪—－|｜【#*>+_=<~～]")
CREDIT_ENDS = "摄攝影图圖文）)"
CREDIT = re.compile(r"(?:[摄攝]|[摄攝]影|供图|供圖|制图|製圖|[/／\s](?:文|图|圖|文图|图文))[）)]?$")
CAPTION = re.compile(r"(?:资料图|資料圖|图为|圖為|[上下左右]图|[上下左右]圖|图片来源|圖片來源|图[：:\d]|圖[：:\d])")
CAPTION_STARTS = "资資图圖上下左右"
PAGE_NUMBER = re.compile(r"[-—–\s·第]*\d{1,4}[-—–\s·页頁版]*$|第[一二三四五六七八九十百\d]{1,5}[页頁版]$")
LONGEST_DATE = 12  # characters: what DATE_LINE finds is shorter
DATE_LINE = re.compile(r"\d{1,2}[:：]\d\d$|\d{4}[-/.年]\d{1,2}[-/.月]\d{1,2}日?$")

FEATURES = (
    "bias",
    # the first half
    "first_log_length",
    "first_short",
    "first_has_marks",
    "first_has_stop",
    "first_comma",
    "first_latin",
    "first_closer",
    "first_open_quote",
    "first_tail_log",
    "first_spaces",
    "first_marked",
    "first_caption",
    # the second half
    "second_log_length",
    "second_ends_sentence",
    "second_has_marks",
    "second_clause_log",
    "second_never_first",
    "second_closes_quote",
    "second_opener",
    "second_digit",
    "second_latin",
    "second_spaces",
    "second_short_open",
    # both
    "quotes_meet",
    "first_quote_unmet",
    "second_quote_unmet",
    "same_kind_edge",
    "both_short",
    # characters across the joint
    *joint_language.FEATURES,
    # lines around
    "around_short",
    "around_open",
    "around_open_prose",
    "around_prose",
    "comma_among_short",
    "page_open",
    "page_open_prose",
    "page_prose",
    # lines in between
    "jumped",
    "jumped_two",
    "jumped_plain",
    "jumped_sentence",
    "jumped_log_length",
    "jumped_mark",
    "jumped_number",
    # layout
    "unindented",
    "tight",
)
T = TypeVar("T")
Traits = tuple[bool, bool, bool, bool]
FIRST_OF_PARTS = (
    "first_log_length",
    "second_log_length",
    "quotes_meet",
    "pair",
    "around_short",
    "page_open",
    "jumped",
    "unindented",
)


class read_once(Generic[T]):  # noqa: N801  used as functools.cached_property is, which takes a lock each time
    """A property that is read when it is first asked for."""

    def __init__(self, read: Callable[[Any], T]) -> None:
        self._read, self.__doc__ = read, read.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, one: Any, owner: type) -> T:
        found = one.__dict__[self._name] = self._read(one)
        return found


class Side:
    """What the model reads of one line by itself, as the first half and as the second half of a joint: of long lines
    the edges only, so that the time does not grow with their square.

    is_open  does it end inside a sentence?
    kind     one of KINDS. Headlines have commas, too, but no full stop, and do not end with a comma
    short    is it as short as lines of verse, of lists and headlines?
    trait    the number of its traits, as a line near a joint, in TRAITS
    """

    def __init__(self, text: str, is_open: bool | None = None) -> None:
        self.text, self.head, self.tail = text, text[:EDGE], text[-EDGE:]
        self.is_open = not ends_sentence(text) if is_open is None else is_open
        self.kind = kind_of(text)
        self.short = len(text) < SHORT
        self.trait = (12 if self.is_open else 8) if self.short else 0
        if self.kind == "prose":
            self.trait += 2 if self.is_open else 1
        self._as_second: dict[str, float] = {}

    @property
    def can_begin(self) -> bool:
        """May it be a first half?"""
        text, last = self.text, self.text[-1]
        if not self.is_open or text[0] in CODE or last in CODE:
            return False
        if len(text) < SHORTEST_BARE and (len(text) < SHORTEST or not (last in PAUSES or self.quote_left_open)):
            return False
        end = text[-LAST_CLAUSE:]
        is_chinese = HAN_ENOUGH.search(end) is not None or len(HAN.findall(end)) >= HAN_SHARE * len(end)
        return is_chinese and not (self._is_heading or is_odd(self.head))

    @read_once
    def can_go_on(self) -> bool:
        """May it be a second half?"""
        text = self.text
        if text[0] in CODE or (text[0] in "（(【[" and text[-1] in "）)】]") or HAN.search(self.head) is None:
            return False
        return not (self._is_byline or self._is_marked or self._is_caption or is_odd(self.head))

    @property
    def jumpable(self) -> bool:
        """May it stand between two halves?"""
        return is_jumpable(self.text, self.is_open)

    @read_once
    def quotes(self) -> tuple[int, int]:
        """See `unmet_quotes`."""
        return unmet_quotes(self.text)

    @property
    def quote_left_open(self) -> int:
        """Number of opening quotation marks without a closing one."""
        return self.quotes[0]

    @property
    def quote_closed(self) -> int:
        """Number of closing quotation marks without an opening one."""
        return self.quotes[1]

    @property
    def last_clause(self) -> int:
        """Characters behind the last mark inside."""
        mark = INNER.search(self.tail[-2::-1]) if len(self.text) > 1 else None
        return mark.start() + 1 if mark else len(self.tail)

    @property
    def first(self) -> tuple[float, ...]:
        """FEATURES from first_log_length to first_caption."""
        text, tail, last = self.text, self.tail, self.text[-1]
        # headlines and points of a list are long clauses, but have no comma
        clause = 1 if last in PAUSES else self.last_clause
        spaces = has_space_at_end(tail)
        has_stop = "。" in tail or "！" in tail or "？" in tail or "…" in tail
        return (
            math.log(len(text)), float(len(text) < FIRST_SHORT), float(self._has_marks),
            float(has_stop), float(last in PAUSES), float(last.isascii() and last.isalnum()),
            float(last in FIRST_CLOSERS), float(self.quote_left_open > 0), math.log(clause), float(spaces),
            float(self._is_marked), float(self._is_caption),
        )  # fmt: skip

    @property
    def second(self) -> tuple[float, ...]:
        """FEATURES from second_log_length to second_short_open."""
        text, head, first = self.text, self.head, self.text[0]
        mark = FIRST_MARK.search(head)
        clause = mark.start() + 1 if mark else len(head) + 1
        spaces = has_space_at_start(head)
        return (
            math.log(len(text)), float(not self.is_open), float(self._has_marks), math.log(clause),
            float(clause == 1), float(self.quote_closed > 0),
            float(first in SECOND_OPENERS), float(first.isdigit()),
            float(first.isascii() and first.isalpha()), float(spaces),
            float(self.is_open and len(text) < SHORT and not self._has_marks),
        )  # fmt: skip

    @property
    def as_first(self) -> float:
        """What it adds to the log-odds as a first half."""
        return dot(Parts.of(self.kind).first, self.first)

    def as_second(self, kind: str) -> float:
        """What it adds as a second half of a first one of that kind."""
        found = self._as_second.get(kind)
        if found is None:
            found = self._as_second[kind] = dot(Parts.of(kind).second, self.second)
        return found

    @property
    def between(self) -> tuple[float, ...]:
        """FEATURES from jumped_plain to jumped_number, for a line that is jumped over."""
        marked = self._is_marked or self._is_caption or self._is_byline
        return (
            float(self.is_open and not self._has_marks), float(not self.is_open), math.log(len(self.text)),
            float(marked), float(PAGE_NUMBER.match(self.text) is not None),
        )  # fmt: skip

    @property
    def meets_as_first(self) -> int:
        """The number of what `both` reads of it as a first half: see `meeting`."""
        return _meeting(self.quote_left_open, self.text[-1], self.short)

    @property
    def meets_as_second(self) -> int:
        """The same as a second half."""
        return _meeting(self.quote_closed, self.text[0], self.short)

    @read_once
    def _item(self) -> re.Match[str] | None:
        return list_item(self.head)

    @property
    def _has_marks(self) -> bool:
        """Is there a mark inside, behind the number of a list's item?"""
        start = self._item.end() if self._item else 0
        return INNER.search(self.head, start, len(self.text) - 1) is not None

    @property
    def _is_marked(self) -> bool:
        return self._item is not None or COLUMN_MARK.match(self.head) is not None

    @property
    def _is_byline(self) -> bool:
        return self.head[0] in BYLINE_STARTS and BYLINE.match(self.head) is not None

    @property
    def _is_caption(self) -> bool:
        return is_caption(self.text)

    @property
    def _is_heading(self) -> bool:
        """Is it a byline, a date, a title with a mark or a number before it, and no article of a law?"""
        if self.kind == "prose" or ARTICLE.match(self.head):
            return False
        if self._is_byline or self._is_marked:
            return True
        return ends_with_date(self.text)


def unmet_quotes(text: str) -> tuple[int, int]:
    """Numbers of opening quotation marks without a closing one, and the reverse."""
    quotes = "".join(ANY_QUOTE.findall(text))
    if not quotes:
        return 0, 0
    left_open = closed = 0
    for opening, closing in QUOTES:
        balance = quotes.count(opening) - quotes.count(closing)
        if balance > 0 and quotes.rfind(opening) > quotes.rfind(closing):
            left_open += 1
        elif balance < 0 and 0 <= quotes.find(closing) < (quotes.find(opening) + 1 or len(quotes) + 1):
            closed += 1
    return left_open, closed


def is_caption(text: str) -> bool:
    """Is it the caption or the credit of a picture?"""
    if len(text) > LONGEST_JUMPED:
        return False
    if text[-1] in CREDIT_ENDS and CREDIT.search(text) is not None:
        return True
    return text[0] in CAPTION_STARTS and CAPTION.match(text) is not None


def ends_with_date(text: str) -> bool:
    """Does a line end with a date or a time?"""
    may_be_date = text[-1] == "日" or text[-1].isdigit()
    return may_be_date and DATE_LINE.search(text[-LONGEST_DATE:]) is not None


def is_odd(head: str) -> bool:
    """Does a line begin as those of tables, contents and code do?"""
    return ODD_SIGN.search(head) is not None and TABLE_LINE.search(head) is not None


def kind_of(text: str) -> str:
    """Which of KINDS a line is."""
    if len(text) >= PROSE and text[-1] in PAUSES:
        return "prose"
    if len(text) < PROSE or not CLAUSE.search(text, 0, EDGE):
        return "bare"
    return "prose" if len(text) >= LONG_PROSE or "。" in text else "clause"


def is_jumpable(text: str, is_open: bool) -> bool:
    """May a line stand between two halves?"""
    return len(text) <= LONGEST_JUMPED and text[-1] not in PAUSES and (is_open or text[0] not in SPEECH)


def has_space_at_end(tail: str) -> bool:
    """Is there a space between Chinese characters behind the last mark?"""
    return _has_space(tail) and HAN_SPACE.search(tail, _last_mark(tail)) is not None


def has_space_at_start(head: str) -> bool:
    """Is there a space between Chinese characters before the first mark?"""
    return _has_space(head) and HAN_SPACE.search(head, 0, _first_mark(head)) is not None


def _has_space(text: str) -> bool:
    """May there be a space between Chinese characters?"""
    return (" " in text or "\u3000" in text) and HAN_SPACE.search(text) is not None


def _first_mark(text: str) -> int:
    found = ANY_MARK.search(text)
    return found.start() if found else len(text)


def _last_mark(text: str) -> int:
    return len(text) - _first_mark(text[-2::-1]) - 1 if len(text) > 1 else 0


class Sides:
    """The sides of units, read when they are asked for."""

    def __init__(self, units: Sequence[Unit]) -> None:
        self.units = units
        self._by_number: list[Side | None] = [None] * len(units)

    def __len__(self) -> int:
        return len(self.units)

    def __getitem__(self, i: int) -> Side:
        found = self._by_number[i]
        if found is None:
            unit = self.units[i]
            found = self._by_number[i] = Side(unit.text, unit.is_open)
        return found

    def span(self, first: int, last: int) -> list[Side]:
        """Those from `first` to before `last`, as far as there are any."""
        return [self[i] for i in range(max(0, first), min(last, len(self)))]

    def around(self, i: int, j: int) -> tuple[Traits, ...]:
        """The traits of two lines above a joint and of two below it, as far as there are any."""
        size = len(self._by_number)
        return tuple([TRAITS[self[k].trait] for k in (i - 2, i - 1, j + 1, j + 2) if 0 <= k < size])

    @read_once
    def open(self) -> dict[int, None]:
        """Numbers of the units that end inside a sentence, in their order."""
        return {i: None for i, unit in enumerate(self.units) if unit.is_open}

    @read_once
    def page(self) -> PageShape:
        """What all units together look like."""
        return shape_of(self.units)


def shape_of(units: Sequence[Unit]) -> PageShape:
    """What all units of a page together look like."""
    closed = [unit for unit in units if not unit.is_open]
    long = sum([len(unit.text) >= LONG_PROSE for unit in units])
    long_closed = sum([len(unit.text) >= LONG_PROSE for unit in closed])
    more_open = max(len(units) - len(closed) - 1, 0)
    more_prose = max(long - long_closed - 1, 0)
    shares = (more_open / len(units), min(1.0, MORE_CUTS * more_prose / max(long, 1)), long_closed / len(units))
    indented = sum([unit.indent > 0 for unit in closed]) * 2 > len(closed)
    spaced = sum([unit.gap > 1 for unit in units[1:]]) * 10 > 9 * (len(units) - 1) - 10
    return PageShape(shares, indented, spaced)


class PageShape(NamedTuple):
    """shares    of lines: those that end inside a sentence, one aside; of long lines: MORE_CUTS times those that do,
              one aside; of lines: long ones that do not. One, because the line in question is one of them
    indented  paragraphs begin with an indent
    spaced    they are set apart by empty lines
    """

    shares: tuple[float, float, float]
    indented: bool
    spaced: bool

    def of(self, second: Unit) -> tuple[float, float]:
        """FEATURES of the layout, for a second half."""
        return float(self.indented and not second.indent), float(self.spaced and second.gap == 1)


class Joint(NamedTuple):
    """Units i and j may be halves of one sentence; the units in between were put there later."""

    i: int
    j: int


def candidates(units: Sequence[Unit], sides: Sides, firsts: Iterable[int] | None = None) -> list[Joint]:
    """All joints worth asking about; with `firsts`, only those whose first half is one of these units."""
    found = []
    for i in sides.open if firsts is None else firsts:
        if not sides[i].can_begin or in_list(units, i):
            continue
        for j in range(i + 1, min(i + 1 + FURTHEST, len(units))):
            if sides[j].can_go_on and (sides[i].kind == "prose" or not is_western(units[i].text[-1], units[j].text[0])):
                found.append(Joint(i, j))
            if not sides[j].jumpable:
                break
    return found


def is_western(last: str, first: str) -> bool:
    return last.isascii() and last.isalnum() and first.isascii() and first.isalnum()


def in_list(units: Sequence[Unit], i: int) -> bool:
    """Is unit i one of several short lines in a row, as verse, lists and tables have them?"""
    around = units[max(0, i - 2) : i + 4]
    return len(around) >= 3 and all(len(unit.text) < SHORT for unit in around)


def dot(a: Iterable[float], b: Iterable[float]) -> float:
    """Sum of the products; for some ten numbers faster than an array."""
    return float(sum(map(operator.mul, a, b)))


class Parts(NamedTuple):
    """The weights for one kind of first half (see KINDS), by what they are the weights of.

    meetings  what `both` halves add, by the number of their `meeting`
    """

    number: int
    bias: float
    first: tuple[float, ...]
    second: tuple[float, ...]
    both: tuple[float, ...]
    around: tuple[float, ...]
    page: tuple[float, ...]
    between: tuple[float, ...]
    layout: tuple[float, ...]
    meetings: tuple[float, ...]

    @staticmethod
    @cache
    def of(kind: str) -> Parts:
        """Those of one kind."""
        own = tuple(weights(kind).tolist())
        ends = [FEATURES.index(name) for name in FIRST_OF_PARTS]
        first, second, both, _language, around, page, between, layout = map(slice, ends, [*ends[1:], len(own)])
        return Parts(
            KINDS.index(kind),
            own[0],
            own[first],
            own[second],
            own[both],
            own[around],
            own[page],
            own[between],
            own[layout],
            tuple([dot(own[both], _both_of(number)) for number in range(MEETINGS)]),
        )


_EVIDENCE: dict[tuple[str, str], list[float]] = {}


def evidence(pairs: Sequence[tuple[str, str]]) -> list[list[float]]:
    """What characters at joints add to the log-odds, by the number of the kind in KINDS. Those asked for last are
    remembered: a document is cleaned more than once, until nothing changes.

    pairs  the last two characters of each first half, the first two of each second half
    """
    new = [pair for pair in dict.fromkeys(pairs) if pair not in _EVIDENCE]
    if new and len(_EVIDENCE) + len(new) > MOST_REMEMBERED:
        _EVIDENCE.clear()
        new = list(dict.fromkeys(pairs))
    if new:
        _EVIDENCE.update(zip(new, (language(new) @ language_weights()).tolist(), strict=True))
    return [_EVIDENCE[pair] for pair in pairs]


def forget() -> None:
    """To be called when the tables of statistics have changed."""
    joint_language.forget()
    _EVIDENCE.clear()


@cache
def language_weights() -> Floats:
    """Those of the characters: array (features of the language, KINDS)."""
    at = FEATURES.index("pair")
    return np.stack([weights(kind)[at : at + len(joint_language.FEATURES)] for kind in KINDS], axis=1)


@cache
def reads_layout() -> bool:
    """Have indents and empty lines any weight?"""
    return any(any(Parts.of(kind).layout) for kind in KINDS)


@cache
def weights(kind: str) -> Floats:
    weights = json.loads(WEIGHTS_FILE.read_text("utf-8"))[kind]
    return np.array([weights[name] for name in FEATURES])


def features(units: Sequence[Unit], sides: Sides, joints: Sequence[Joint]) -> Floats:
    """Array (joints, FEATURES)."""
    rows = [
        (
            1.0,
            *sides[i].first,
            *sides[j].second,
            *_both(sides[i], sides[j]),
            *_around(sides[i].text[-1] in PAUSES, sides.around(i, j)),
            *sides.page.shares,
            *_over(sides.span(i + 1, j)),
            *sides.page.of(units[j]),
        )
        for i, j in joints
    ]
    shapes = np.array(rows)
    at = FEATURES.index("pair")
    return np.hstack([shapes[:, :at], language([(units[i].text, units[j].text) for i, j in joints]), shapes[:, at:]])


def _both(first: Side, second: Side) -> tuple[float, ...]:
    return _both_of(meeting(first.meets_as_first, second.meets_as_second))


def meeting(first: int, second: int) -> int:
    """The number of what both halves of a joint are: whether the first has an open quotation mark and the second closes
    one, which letters meet, and whether they are short. Below MEETINGS.  first, second: `meets_as_first`, `…_second`"""
    return first * HALF_MEETINGS + second


HALF_MEETINGS = 12
MEETINGS = HALF_MEETINGS**2
OTHER, DIGIT, LATIN = range(3)


def _meeting(quotes: int, char: str, short: bool) -> int:
    edge = DIGIT if char.isdigit() else LATIN if char.isascii() and char.isalpha() else OTHER
    return (quotes > 0) + 2 * short + 4 * edge


def _both_of(number: int) -> tuple[float, ...]:
    """FEATURES from quotes_meet to both_short."""
    first, second = divmod(number, HALF_MEETINGS)
    left_open, closed = first & 1, second & 1
    same = first >> 2 == second >> 2 != OTHER
    return (
        float(left_open & closed), float(left_open > closed), float(closed > left_open), float(same),
        float(first & second & 2 > 0),
    )  # fmt: skip


@lru_cache(1 << 12)  # lines around differ little: they are short or long, open or not
def gain_around(kind: str, has_pause: bool, traits: tuple[int, ...]) -> float:
    """What the lines around add to the log-odds.  traits: numbers in TRAITS; has_pause: does the first half end with
    one?"""
    return dot(Parts.of(kind).around, _around(has_pause, [TRAITS[trait] for trait in traits]))


TRAITS: list[Traits] = [(a, b, c, d) for a, b, c, d in product((False, True), repeat=4)]
"""Of a line near a joint: is it short, short and open, open prose, closed prose?"""


def _around(has_pause: bool, around: Sequence[Traits]) -> tuple[float, ...]:
    """FEATURES from around_short to comma_among_short.  has_pause: does the first half end with one?"""
    if not around:
        return (0.0,) * 5
    counts = [sum(trait) / len(around) for trait in zip(*around, strict=True)]
    return (*counts, counts[0] if has_pause else 0.0)


def gain_between(own: Parts, jumped: Sequence[Side]) -> float:
    """What the lines that are jumped over add to the log-odds; at least one."""
    return dot(own.between, _over(jumped))


def _over(jumped: Sequence[Side]) -> tuple[float, ...]:
    if not jumped:
        return (0.0,) * 7
    if len(jumped) == 1:
        return 1.0, 0.0, *jumped[0].between
    return 1.0, 1.0, *map(max, zip(*[one.between for one in jumped], strict=True))
