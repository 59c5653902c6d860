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
import re
from collections.abc import Sequence, Set
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
import opencc
from numpy.typing import NDArray

from .hard_wraps import LIST_ITEM, Unit, ends_sentence
from .statistics import BOUNDARY, bigram_logprobs, bigrams, codes, unigrams
from .statistics.joints import logcounts

Floats = NDArray[np.float64]
Codes = NDArray[np.uint32]
Number = TypeVar("Number", int, NDArray[np.int64])

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
LIKELY_PAIR = 1.0  # log P(next | last) - log P(next), at least; the mean inside sentences is 1.9 (news)
PAIR_HASHES = 1 << 22
LIKELY_LANGUAGE = 4.5  # log-odds that the characters alone give a joint of a bare line, at least
MORE_CUTS = 4  # a page where one line of prose in four ends inside a sentence is full of cuts
HAN_SHARE = 0.15  # of its last characters, at least, are Chinese

PAUSES = "，、,"
SPEECH = "“「『"  # a whole sentence that begins so is no headline: it is not jumped over
LAST_CLAUSE = 60  # characters
ARTICLE = re.compile(r"第[一二三四五六七八九十百千零〇\d]{1,7}[条條]")
CODE = "./\\$<>{}[]@`^~|=+*&#%_-"
HAN = re.compile("[\u3400-\u9fff\U00020000-\U0003ffff]")
HAN_SPACE = re.compile("[\u3400-\u9fff][ \u3000]+[\u3400-\u9fff]")
TABLE_LINE = re.compile(r"\S(?:\s{3,}|\t)\S|\.{4,}|…{3,}|[-=_*·]{5,}|\|.*\||^[{}<>]|[;{}]$|^[!-~]*://\S*$")
QUOTES = (("“", "”"), ("‘", "’"), ("「", "」"), ("『", "』"), ("（", "）"), ("《", "》"), ("(", ")"))
INNER = re.compile("[，。、；：！？…,;:!?]")
CLAUSE = re.compile("[，。；！？,;!?]")
FIRST_MARK = re.compile("[，。、；：！？…”’」』）》]")
ANY_MARK = re.compile("[，。、；：！？…“”‘’「」『』（）《》,;:!?()]")
STOPS = re.compile("[。！？…]")
ROLE = (
    r"(?:本报|本刊|本台|本社|本网|新华社|中新社|见习|見習|实习|實習|特约|特約|通讯|通訊|首席|驻\S{1,8}){0,3}"
    r"(?:记者|記者|通讯员|通訊員|实习生|實習生|编辑|編輯|责编|責編|摄影|攝影|作者|来源|來源|撰文|供稿|文图|图文|校对|审核|责任编辑|責任編輯)"
)
BYLINE = re.compile(rf"[（(【□◎■◇]?\s*(?:{ROLE}|[文图圖]\s*[/／|｜])")
COLUMN_MARK = re.compile("[■□◆◇●○◎▲△▼▽★☆※►▶◀◄•▪—－|｜【#*>+_=<~～]")
CREDIT = re.compile(r"(?:[摄攝]|[摄攝]影|供图|供圖|制图|製圖|[/／\s](?:文|图|圖|文图|图文))[）)]?$")
CAPTION = re.compile(r"(?:资料图|資料圖|图为|圖為|[上下左右]图|[上下左右]圖|图片来源|圖片來源|图[：:\d]|圖[：:\d])")
PAGE_NUMBER = re.compile(r"[-—–\s·第]*\d{1,4}[-—–\s·页頁版]*$|第[一二三四五六七八九十百\d]{1,5}[页頁版]$")
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
    "pair",
    "pair_unlikely",
    "starts_line",
    "ends_line",
    "before_comma",
    "before_stop",
    "after_comma",
    "after_stop",
    "triple_left",
    "triple_right",
    "first_two",
    "second_two",
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


class Side(NamedTuple):
    """What the model reads of one line by itself, as the first half and as the second half of a joint."""

    can_begin: bool
    can_go_on: bool
    jumpable: bool
    is_open: bool
    short: bool
    kind: str  # one of KINDS
    quote_left_open: int  # number of opening quotation marks without a closing one
    quote_closed: int  # and the reverse
    first: tuple[float, ...]
    second: tuple[float, ...]
    between: tuple[float, ...]


def side(text: str) -> Side:
    """Reads one line; long lines at their edges only, so that the time does not grow with their square."""
    head, tail = text[:EDGE], text[-EDGE:]
    is_open = not ends_sentence(text)
    left_open, closed = _quotes(text)
    item = LIST_ITEM.match(head)
    marks = INNER.search(head, item.end() if item else 0, len(text) - 1) is not None
    byline = BYLINE.match(head) is not None
    marked = COLUMN_MARK.match(head) is not None or item is not None
    credit = CREDIT.search(tail) is not None
    caption = len(text) <= LONGEST_JUMPED and (credit or CAPTION.match(head) is not None)
    odd = TABLE_LINE.search(head) is not None
    pause = text[-1] in PAUSES
    enough = SHORTEST if pause or left_open else SHORTEST_BARE
    kind = _kind(text, head)
    prose = kind == "prose"
    heading = (byline or marked or DATE_LINE.search(tail) is not None) and not prose and not ARTICLE.match(head)
    code = head[0] in CODE or text[-1] in CODE
    end = text[-LAST_CLAUSE:]
    western = len(HAN.findall(end)) < HAN_SHARE * len(end)
    return Side(
        can_begin=is_open and len(text) >= enough and not (odd or heading or western or code),
        can_go_on=not (odd or byline or marked or caption or head[0] in CODE or _is_enclosed(head, text))
        and HAN.search(head) is not None,
        jumpable=len(text) <= LONGEST_JUMPED and not pause and (is_open or text[0] not in SPEECH),
        is_open=is_open,
        short=len(text) < SHORT,
        kind=kind,
        quote_left_open=left_open,
        quote_closed=closed,
        first=_as_first(text, tail, marks, left_open, marked, caption),
        second=_as_second(text, head, is_open, marks, closed),
        between=_as_between(text, is_open, marks, marked or caption or byline),
    )


def _kind(text: str, head: str) -> str:
    """Headlines have commas, too, but no full stop, and do not end with a comma."""
    if len(text) >= PROSE and text[-1] in PAUSES:
        return "prose"
    if len(text) < PROSE or not CLAUSE.search(head):
        return "bare"
    return "prose" if len(text) >= LONG_PROSE or "。" in text else "clause"


def _quotes(text: str) -> tuple[int, int]:
    left_open = closed = 0
    for opening, closing in QUOTES:
        balance = text.count(opening) - text.count(closing)
        if balance > 0 and text.rfind(opening) > text.rfind(closing):
            left_open += 1
        elif balance < 0 and 0 <= text.find(closing) < (text.find(opening) + 1 or len(text) + 1):
            closed += 1
    return left_open, closed


def _is_enclosed(head: str, text: str) -> bool:
    return head[0] in "（(【[" and text[-1] in "）)】]"


def _as_first(text: str, tail: str, marks: bool, left_open: int, marked: bool, caption: bool) -> tuple[float, ...]:
    last = text[-1]
    places = [m.end() for m in INNER.finditer(tail[:-1])]
    clause = len(tail) - places[-1] if places else len(tail)
    clause = 1 if last in PAUSES else clause  # headlines and points of a list are long clauses, but have no comma
    spaces = HAN_SPACE.search(tail, _last_mark(tail)) is not None
    return (
        math.log(len(text)), float(len(text) < 26), float(marks), float(STOPS.search(tail) is not None),
        float(last in PAUSES), float(last.isascii() and last.isalnum()), float(last in "”’」』）》)]"),
        float(left_open > 0), math.log(clause), float(spaces), float(marked), float(caption),
    )  # fmt: skip


def _as_second(text: str, head: str, is_open: bool, marks: bool, closed: int) -> tuple[float, ...]:
    first = text[0]
    mark = FIRST_MARK.search(head)
    clause = mark.start() + 1 if mark else len(head) + 1
    spaces = HAN_SPACE.search(head, 0, _first_mark(head)) is not None
    return (
        math.log(len(text)), float(not is_open), float(marks), math.log(clause),
        float(FIRST_MARK.match(first) is not None), float(closed > 0),
        float(first in "“‘「『《（("), float(first.isdigit()),
        float(first.isascii() and first.isalpha()), float(spaces),
        float(is_open and len(text) < SHORT and not marks),
    )  # fmt: skip


def _first_mark(text: str) -> int:
    found = ANY_MARK.search(text)
    return found.start() if found else len(text)


def _last_mark(text: str) -> int:
    return len(text) - _first_mark(text[-2::-1]) - 1 if len(text) > 1 else 0


def _as_between(text: str, is_open: bool, marks: bool, marked: bool) -> tuple[float, ...]:
    return (
        float(is_open and not marks), float(not is_open), math.log(len(text)), float(marked),
        float(PAGE_NUMBER.match(text) is not None),
    )  # fmt: skip


class Sides:
    """The sides of units, read when they are asked for. `known` may be shared by several pages."""

    def __init__(self, units: Sequence[Unit], known: dict[str, Side] | None = None) -> None:
        self._units = units
        self._known = {} if known is None else known

    def __len__(self) -> int:
        return len(self._units)

    def __getitem__(self, i: int) -> Side:
        text = self._units[i].text
        if text not in self._known:
            self._known[text] = side(text)
        return self._known[text]

    def span(self, first: int, last: int) -> list[Side]:
        """Those from `first` to before `last`, as far as there are any."""
        return [self[i] for i in range(max(0, first), min(last, len(self)))]


class Joint(NamedTuple):
    """Units i and j may be halves of one sentence; the units in between were put there later."""

    i: int
    j: int


def candidates(units: Sequence[Unit], sides: Sides, firsts: Set[int] | None = None) -> list[Joint]:
    """All joints worth asking about; with `firsts`, only those whose first half begins at one of these places."""
    found = []
    for i, unit in enumerate(units):
        if firsts is not None and unit.start not in firsts:
            continue
        if ends_sentence(unit.text) or not sides[i].can_begin or _in_list(units, i):
            continue
        for j in range(i + 1, min(i + 1 + FURTHEST, len(units))):
            if sides[j].can_go_on and (sides[i].kind == "prose" or not _is_western(unit.text[-1], units[j].text[0])):
                found.append(Joint(i, j))
            if not sides[j].jumpable:
                break
    return found


def _is_western(last: str, first: str) -> bool:
    return last.isascii() and last.isalnum() and first.isascii() and first.isalnum()


def _in_list(units: Sequence[Unit], i: int) -> bool:
    """Is unit i one of several short lines in a row, as verse, lists and tables have them?"""
    around = units[max(0, i - 2) : i + 4]
    return len(around) >= 3 and all(len(unit.text) < SHORT for unit in around)


def scores(units: Sequence[Unit], sides: Sides, joints: Sequence[Joint]) -> list[float]:
    """For each joint the log-odds that it is one, against the other joints of its first half and none."""
    if not joints:
        return []
    rows = features(units, sides, joints)
    kinds = np.array([KINDS.index(sides[i].kind) for i, _ in joints])
    utility = np.choose(kinds, [rows @ _weights(kind) for kind in KINDS])
    weight = np.exp(np.clip(utility, -30, 30)).tolist()
    total: dict[int, float] = {}
    for joint, own in zip(joints, weight, strict=True):
        total[joint.i] = total.get(joint.i, 1.0) + own
    return [math.log(own / max(total[joint.i] - own, 1e-9)) for joint, own in zip(joints, weight, strict=True)]


def may_be_cut(lines: Sequence[str], i: int) -> bool:
    """Is open line i prose, so that it may be the first half of a sentence that was cut?"""
    return _kind(lines[i], lines[i][:EDGE]) != "bare"


def likely_firsts(lines: Sequence[str], open_lines: Sequence[int]) -> list[int]:
    """Those open lines that end in a way that goes on well in one of the next lines. Cheap, and true of few
    headlines: most are told by one look at a table."""
    likely = _likely_pairs()
    pairs = []
    for i in open_lines:
        if len(lines[i]) < SHORTEST_BARE:
            continue
        last = ord(lines[i][-1])
        for j in range(i + 1, min(i + 1 + FURTHEST, len(lines))):
            if likely[_pair_hash(last, ord(lines[j][0]))]:
                pairs.append((i, j))
            if len(lines[j]) > LONGEST_JUMPED:
                break
    if not pairs:
        return []
    language = _language([(lines[i], lines[j]) for i, j in pairs])
    at = FEATURES.index("pair")
    evidence = language @ _weights("bare")[at : at + language.shape[1]]
    return sorted({i for (i, _), one in zip(pairs, evidence.tolist(), strict=True) if one >= LIKELY_LANGUAGE})


@cache
def _likely_pairs() -> bytes:
    """1 at the hashes of all pairs with log P(next | last) - log P(next) >= LIKELY_PAIR: no likely pair is
    missed, and one in thirty others has the hash of one."""
    table = bigrams()
    second = table.keys & np.uint32(0xFFFF)
    chosen = table.keys[table.logprobs - unigrams()[second] >= LIKELY_PAIR].astype(np.int64)
    places = np.zeros(PAIR_HASHES, dtype=np.uint8)
    places[_pair_hash(chosen >> 16, chosen & 0xFFFF)] = 1
    return places.tobytes()


def _pair_hash(first: Number, second: Number) -> Number:
    return (first * 40503 + second) % PAIR_HASHES  # 40503: 2 ** 16 / golden ratio, an even spread


@cache
def _weights(kind: str) -> Floats:
    weights = json.loads(WEIGHTS_FILE.read_text("utf-8"))[kind]
    return np.array([weights[name] for name in FEATURES])


def features(units: Sequence[Unit], sides: Sides, joints: Sequence[Joint]) -> Floats:
    """Array (joints, FEATURES)."""
    page = _page_shape(units)
    rows = [
        (
            1.0,
            *sides[i].first,
            *sides[j].second,
            *_both(units[i], units[j], sides[i], sides[j]),
            *_around(units[i].text, sides, i, j),
            *page.shares,
            *_between(sides, i, j),
            float(page.indented and not units[j].indent),
            float(page.spaced and units[j].gap == 1),
        )
        for i, j in joints
    ]
    shapes = np.array(rows)
    at = FEATURES.index("pair")
    return np.hstack([shapes[:, :at], _language([(units[i].text, units[j].text) for i, j in joints]), shapes[:, at:]])


class _PageShape(NamedTuple):
    """shares    of lines: those that end inside a sentence, one aside; of long lines: MORE_CUTS times those that do,
              one aside; of lines: long ones that do not. One, because the line in question is one of them
    indented  paragraphs begin with an indent
    spaced    they are set apart by empty lines
    """

    shares: tuple[float, float, float]
    indented: bool
    spaced: bool


def _page_shape(units: Sequence[Unit]) -> _PageShape:
    closed = [unit for unit in units if ends_sentence(unit.text)]
    long = sum(len(unit.text) >= LONG_PROSE for unit in units)
    long_closed = sum(len(unit.text) >= LONG_PROSE for unit in closed)
    more_open = max(len(units) - len(closed) - 1, 0)
    more_prose = max(long - long_closed - 1, 0)
    shares = (more_open / len(units), min(1.0, MORE_CUTS * more_prose / max(long, 1)), long_closed / len(units))
    indented = sum(unit.indent > 0 for unit in closed) * 2 > len(closed)
    spaced = sum(unit.gap > 1 for unit in units[1:]) * 10 > 9 * (len(units) - 1) - 10
    return _PageShape(shares, indented, spaced)


def _both(one: Unit, two: Unit, first: Side, second: Side) -> tuple[float, ...]:
    a, b = one.text[-1], two.text[0]
    meet = first.quote_left_open > 0 and second.quote_closed > 0
    same = (a.isdigit() and b.isdigit()) or (a.isascii() and a.isalpha() and b.isascii() and b.isalpha())
    return (
        float(meet), float(first.quote_left_open > 0 and not meet), float(second.quote_closed > 0 and not meet),
        float(same), float(first.short and second.short),
    )  # fmt: skip


def _around(first: str, sides: Sides, i: int, j: int) -> tuple[float, ...]:
    around = [*sides.span(i - 2, i), *sides.span(j + 1, j + 3)]
    if not around:
        return (0.0,) * 5
    short = sum(one.short for one in around)
    short_open = sum(one.short and one.is_open for one in around)
    prose = [one for one in around if one.kind == "prose"]
    open_prose = sum(one.is_open for one in prose)
    verse = short if first[-1] in PAUSES else 0
    return tuple(n / len(around) for n in (short, short_open, open_prose, len(prose) - open_prose, verse))


def _between(sides: Sides, i: int, j: int) -> tuple[float, ...]:
    jumped = sides.span(i + 1, j)
    if not jumped:
        return (0.0,) * 7
    rows = np.array([one.between for one in jumped])
    plain, sentence, log_length, marked, number = rows.max(axis=0).tolist()
    return 1.0, float(len(jumped) > 1), plain, sentence, log_length, marked, number


def _language(pairs: Sequence[tuple[str, str]]) -> Floats:
    """Array (pairs, features from "pair" to "second_two") for the texts of first and second halves."""
    before, after = _codes([a[-1] for a, _ in pairs]), _codes([b[0] for _, b in pairs])
    single = unigrams()

    def gain(first: Codes, second: Codes) -> Floats:
        found: Floats = np.clip(bigram_logprobs(first, second) - single[second], -5, 6).astype(np.float64)
        return found

    def mark(char: str) -> Codes:
        return np.repeat(codes(char), len(pairs))

    pair = gain(before, after)
    columns = [
        pair, np.minimum(pair, 0), gain(mark(BOUNDARY), after), gain(before, mark(BOUNDARY)),
        gain(before, mark("，")), gain(before, mark("。")), gain(mark("，"), after), gain(mark("。"), after),
    ]  # fmt: skip
    return np.stack([*columns, *_triples(pairs)], axis=1)


def _triples(pairs: Sequence[tuple[str, str]]) -> list[Floats]:
    """How often the last two characters and the next one, and the last one and the next two, were seen together,
    and how likely the two are; in Simplified characters."""
    a = _simplified([one[-2:-1] or BOUNDARY for one, _ in pairs])
    b = _simplified([one[-1] for one, _ in pairs])
    c = _simplified([two[0] for _, two in pairs])
    d = _simplified([two[1:2] or BOUNDARY for _, two in pairs])
    single = unigrams()
    columns = [
        logcounts(a, b, c), logcounts(b, c, d),
        single[a] + bigram_logprobs(a, b), single[c] + bigram_logprobs(c, d),
    ]  # fmt: skip
    return [column.astype(np.float64) for column in columns]


def _codes(chars: Sequence[str]) -> Codes:
    return codes("".join(chars))


def _simplified(chars: Sequence[str]) -> Codes:
    """Codes of the Simplified forms of single characters."""
    return _codes([_simplified_char(char) for char in chars])


@lru_cache(maxsize=20_000)
def _simplified_char(char: str) -> str:
    simplified = str(_converter().convert(char)) if "\u3400" <= char <= "\u9fff" else char
    return simplified if len(simplified) == 1 else char


@cache
def _converter() -> opencc.OpenCC:
    return opencc.OpenCC("t2s")
