"""A row about the article: what it tells, and whether it goes (see metadata.py for the page around it).

A row is cut into tokens: labels with their values (来源:山河日报), dates, counts (阅读 12), buttons (打印) and free
text; or it is a row of functions and names (编辑 张三 校对 李四).  The labels are in rules/metadata/*.toml.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from typing import NamedTuple

from . import dates, names
from .rule_files import Patterns, Rule, Words, fold, load, squeeze

LONGEST_ROW = 200
"""Longer rows are not about the article, in characters."""

LONGEST_FREE = 16
"""Text without a label in such a row (the name of a newspaper) is at most this long, in characters."""

_SEPARATORS = " |·•●▪■◆-—/\\[]【】()<>《》,;:、~_"
_STOPS = re.compile("[。!?;…！？；]")
STOP_MARKS = frozenset("。!?;…！？；")


class Token(NamedTuple):
    """folded[start:end] of a row.  kind: value (of `rule`, with its field), date, count, button, free."""

    kind: str
    rule: Rule | None
    field: str
    start: int
    end: int


class Value(NamedTuple):
    """The value of a field, at [start, end) of a row, and the id of its rule."""

    field: str
    start: int
    end: int
    rule: str


class _Tables(NamedTuple):
    """starts: what labels begin with; ascii_hint: finds what every row of ASCII characters holds that tells something;
    label_sign: what every row holds that one of the three patterns for labels finds something in; production: functions
    of _PRODUCTION, one of which a row of names needs; value_end: what a value can end at"""

    starts: frozenset[str]
    ascii_hint: re.Pattern[str]
    label_sign: re.Pattern[str]
    label: re.Pattern[str]
    bare_label: re.Pattern[str]
    dated_label: re.Pattern[str]
    function: re.Pattern[str]
    production: re.Pattern[str]
    value_end: re.Pattern[str]
    rules: dict[str, Rule]
    patterns: Patterns
    buttons: Words
    chrome: Words


@cache
def _tables() -> _Tables:
    rules = load("metadata")
    by_label = {squeeze(label): rule for rule in reversed(rules) for label in rule.labels}
    ordered = sorted(by_label, key=lambda label: (-len(label), label))
    spaced = _any_spaced(ordered)
    dated = _any_spaced([label for label in ordered if by_label[label].value == "date"])
    functions = [label for label in ordered if by_label[label].value == "names"]
    production = "|".join(re.escape(label) for label in functions if by_label[label].name in _PRODUCTION)
    buttons = [rule for rule in load("chrome") if rule.name == "tool_buttons"]
    starts = frozenset(label[0] for label in ordered)
    patterns = Patterns(rule for rule in rules if rule.pattern)
    hints = sorted(filter(str.isascii, {*_ASCII_DATES, *starts, *patterns.needed}))
    return _Tables(
        starts,
        re.compile("|".join(map(re.escape, hints)) if patterns.needed else ""),
        re.compile(rf"(?:{spaced})(?:[ 、/&:\]】]|[^ :]{{1,20}}(?:[ |]|$)|19|20)"),
        re.compile(rf"({spaced})(?: ?[、/&] ?(?:{spaced}))? ?(?::|\]:?|】:?)"),
        re.compile(rf"({spaced})(?=[ ]|[^ :]{{1,20}}(?:[ |]|$))"),
        re.compile(rf"({dated}) ?(?=(?:19|20)\d\d ?[-./年])"),
        re.compile(rf"[一-龥]{{0,10}}?({'|'.join(map(re.escape, functions))})"),
        re.compile(production),
        re.compile(f"[{re.escape(''.join(sorted(starts)))}|】 )\\]/,;、(12]"),
        by_label,
        patterns,
        Words(buttons),
        Words([rule for rule in load("chrome") if rule.words]),
    )


def _any_spaced(labels: Sequence[str]) -> str:
    """A pattern for the labels, also when they are letter-spaced (作  者), which is usual.  At each place only those
    are tried that begin with its character."""
    by_first: dict[str, list[str]] = {}
    for label in labels:
        by_first.setdefault(label[0], []).append("".join(" {0,3}" + re.escape(letter) for letter in label[1:]))
    return "|".join(f"{re.escape(first)}(?:{'|'.join(rest)})" for first, rest in by_first.items())


_DATE = re.compile(
    r"(?:19|20)\d\d ?[-./年]|[〇○零一二三四五六七八九]{4}年|\d{1,2}[-./]\d{1,2}[-./](?:19|20)\d\d|民国|20\d{6}"
    r"|(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]{0,6}\.? \d{1,2}, ?(?:19|20)\d\d"
)
_DATE_STARTS = frozenset("〇○零一二三四五六七八九民JFMASOND今昨前刚")
"""What dates can begin with, and digits: within a word nothing but a date or, behind a digit, a label can begin."""
_DIGITS = r"\d²³¹፩-፱᧚⁰-₉①-⓿❶-➓\U00010a40-\U0001f10a"  # all of str.isdigit, and some more
_MAY_BEGIN = re.compile(f"[{re.escape(_SEPARATORS)}{''.join(sorted(_DATE_STARTS))}{_DIGITS}]")
"""A token begins behind a separator or a digit, or with one of the others."""
_ASCII_DATES = ("19", "20", ":")
"""Dates of ASCII characters have a year or a time of day, so they hold one of these."""

_DATE_SIGN = re.compile(r"[〇○零一二三四五六七八九民前今昨刚月\d](?:(?<=\D)|(?<=1)9|(?<=2)0|(?<=\d):)")
"""In every date is one of these characters, 19, 20, or a colon behind a digit."""

_WEEKDAY = re.compile(r" ?[(]?(?:星期|周)[一二三四五六日天][)]?(?![一-龥])")
_DATE_WITHOUT_YEAR = re.compile(
    r"\d{1,3} ?(?:秒|分钟|小时|天|周|个月|月|年)前|(?:今天|昨天|前天|刚刚)(?: ?\d{1,2}:\d\d)?(?![一-龥])"
    r"|\d{1,2}(?:月\d{1,2}日|[-/]\d\d) ?\d{1,2}:\d\d"
)
_BEHIND_DATE = re.compile(r" ?(?:发布|发表|更新|发稿)(?![一-龥])")
_COUNT = re.compile(
    r"(?:(?:已有)? ?\d[\d,.]{0,9} ?万? ?(?:次|人|条|个)? ?(?:阅读|浏览|评论|回复|点击|参与|跟贴|跟帖)(?:量|数)?"
    r"|(?:阅读|浏览|点击|评论|人气|热度|访问)(?:量|数|次数)? ?[:(]? ?\d[\d,.]{0,9} ?(?:次|人|条)?[)]?)"
)


class Taken(NamedTuple):
    """A row that goes: in whose name, and its values as (field, start, end, rule) in the row's stripped text.
    weak: it goes only beside another such row.  rows: how many rows it is made of.  people: the rule is for names, and
    all the values are those of persons."""

    rule: Rule
    values: list[Value]
    weak: bool = False
    rows: int = 1
    people: bool = False


def may_tell(line: str) -> bool:
    """False for a line that `take` leaves wherever it stands, as one that ends like a sentence: a cheap test."""
    if not _HINT.search(line) or line.rstrip()[-1:] in STOP_MARKS:
        return False
    return not line.isascii() or _tables().ascii_hint.search(line) is not None  # else a row of figures


def take(line: str, place: str) -> Taken | None:
    """What the line tells at this place, or None: the line stays."""
    if len(line) > LONGEST_FREE:
        line = line.strip()
    if len(line) <= LONGEST_FREE:
        return _take_short(line, place)
    return _take_long(line, place) if _is_likely(line) else None


# pages repeat their rows, and a page's rows are asked about several times: do not change answers
@lru_cache(1 << 14)
def _take_short(line: str, place: str) -> Taken | None:
    line = line.strip()
    return _take(line, place) if _is_likely(line) else None


def take_all(lines: Sequence[str], places: Sequence[str]) -> Iterator[Taken | None]:
    """As `take`, for so many lines that may tell something, each at its place, that no memory would hold what was said
    of them: they are folded together."""
    short = [bare if len(bare) <= LONGEST_ROW else "" for bare in map(str.strip, lines)]
    for line, folded, place in zip(lines, fold("\n".join(short)).split("\n"), places, strict=True):
        yield None if _STOPS.search(folded) else _take_folded(folded.strip(), place, has_tab="\t" in line)


@lru_cache(1 << 13)
def _take_long(line: str, place: str) -> Taken | None:
    return _take(line, place)


def _is_likely(line: str) -> bool:
    """A cheap test, false for most lines that tell nothing: too long, a sentence, or without a sign of a value."""
    if len(line) > LONGEST_ROW or _STOPS.search(line) or not _HINT.search(line):
        return False
    return not line.isascii() or _tables().ascii_hint.search(line) is not None  # else a row of figures


def _take(line: str, place: str) -> Taken | None:
    return _take_folded(fold(line).strip(), place, has_tab="\t" in line)


def _take_folded(folded: str, place: str, *, has_tab: bool) -> Taken | None:
    if not folded or folded[-1] in ",.":
        return None
    rule = _tables().patterns.find(folded)
    if rule and _fits_place(rule, place) and (match := rule.compiled.fullmatch(folded)):
        groups = [(name, *match.span(name)) for name, text in match.groupdict().items() if text]
        if all(name != "published_at" or dates.find(folded[a:b]) for name, a, b in groups):
            return Taken(rule, [Value(name, a, b, rule.id) for name, a, b in groups], rule.weak)
    if (staff := _staff(folded)) and _fits_place(staff.rule, place):
        return staff
    tokens: Sequence[Token] = _only_label(folded)
    if not tokens:
        if not (place in ("top", "head") and _may_have_date(folded)) and not _may_have_label(folded):
            return None  # a date alone tells something above the article only
        tokens = _tokens(folded)
    rule = _judge(folded, tokens, place)
    if not rule or (rule.name == "document_card" and has_tab):  # a row of a table with the document's number
        return None
    weak = rule.weak and sum(t.kind in ("value", "date") for t in tokens) < 2
    values = _values(folded, tokens)
    people = rule.value == "names" and _are_people([folded[v.start : v.end] for v in values])
    return Taken(rule, values, weak, people=people)


def _are_people(texts: Sequence[str]) -> bool:
    return all(map(names.is_person, " ".join(texts).split()))


LONGEST_STAFF = 100
"""Rows of functions and names are shorter, in characters."""

_PRODUCTION = ("editor", "other_staff")
"""Rules of functions that readers do not see as part of the article: a row without any is a byline and stays."""

_STAFF_WORD = re.compile(r"(?<![一-龥])[一-龥] {1,3}[一-龥](?![一-龥])|[^ |:/、,;&()\[\]【】]+")


@lru_cache(64)  # a row is asked about for two places, one right behind the other
def _staff(folded: str) -> Taken | None:
    """A row of nothing but functions, each with the names of persons, with or without marks between them:
    编辑 李佳蕖 校对 王小川, 每经记者 周一鸣 每经编辑 李佳蕖, (文/周一鸣 审核/王川)."""
    if len(folded) > LONGEST_STAFF or not _tables().production.search(folded):
        return None
    found: list[tuple[Rule, list[tuple[int, int]]]] = []
    for match in _STAFF_WORD.finditer(folded):
        word, start = match[0], match.start()
        function = _tables().function.match(word)
        if function:
            if found and not found[-1][1] and folded[start - 1] != "/":
                return None  # a function without a name
            if not found or found[-1][1]:
                found.append((_tables().rules[function[1]], []))
            word, start = word[function.end() :], start + function.end()
        if word and not (found and names.is_person(word.replace(" ", ""))):
            return None
        if word:
            found[-1][1].append((start, match.end()))
    rules = [rule for rule, people in found]
    if not any(rule.name in _PRODUCTION for rule in rules) or not found[-1][1]:
        return None
    values = [Value(rule.field, people[0][0], people[-1][1], rule.id) for rule, people in found]
    first = next((rule for rule in rules if not rule.weak), rules[0])
    return Taken(first, values, first.weak and len(rules) < 2, people=True)


# Cheap tests beside `_tokens`, which cuts tables of figures at each of their digits


def _may_have_date(folded: str) -> bool:
    """False if no token of the row can be a date."""
    if not _DATE_SIGN.search(folded):
        return False
    return _DATE.search(folded) is not None or _DATE_WITHOUT_YEAR.search(folded) is not None


def _may_have_label(folded: str) -> bool:
    """False if no token of the row can be the value of a label."""
    return _tables().label_sign.search(folded) is not None


def _fits_place(rule: Rule, place: str) -> bool:
    place = "head" if place == "top" else place
    return rule.where in ("anywhere", place) or (rule.where == "edge" and place != "inside")


def _judge(folded: str, tokens: Sequence[Token], place: str) -> Rule | None:
    """The rule in whose name the row goes, or None."""
    if len(tokens) == 1 and (rule := tokens[0].rule):
        return rule if _fits_place(rule, place) and _fits_value(rule, folded[tokens[0].start : tokens[0].end]) else None
    dated = [t for t in tokens if t[0] == "date"]
    rules: list[Rule] = []
    values: list[str] = []
    for kind, rule, _, start, end in tokens:
        if kind == "value" and rule:
            rules.append(rule)
            values.append(folded[start:end])
    if len(dated) > 1 or not (dated or rules):
        return None
    if not _free_text_fits(folded, tokens, place) or not all(map(_fits_value, rules, values)):
        return None
    if not rules:
        return _bare_date_rule(folded, dated[0], tokens, place)
    fitting = [rule for rule in rules if _fits_place(rule, place)]
    several = len(rules) + len(dated) > 1
    if fitting and not several:
        return fitting[0]
    return rules[0] if several and (fitting or place != "inside") else None


def _has_clock(folded: str, tokens: Sequence[Token]) -> bool:
    """True if a date in the row has a time of day."""
    return any((t.field == "published_at" or t.kind == "date") and ":" in folded[t.start : t.end] for t in tokens)


def _free_text_fits(folded: str, tokens: Sequence[Token], place: str) -> bool:
    """Whether text without a label may stand in the row: short, above the article, beside a date or two labels,
    and at most one piece that is not plainly the name of an outlet or of a person in brackets."""
    free = [folded[start:end] for kind, _, _, start, end in tokens if kind == "free"]
    if not free:
        return True
    known = sum(t.kind in ("value", "date") for t in tokens)
    has_clock = _has_clock(folded, tokens)
    dated = any(t.kind == "date" for t in tokens)
    if place == "head" and dated and all(map(_is_known, free)) and any(map(_is_name, free)):
        return True  # 江东日报 2019-10-08
    is_recent = any(t.kind == "date" and not t.field for t in tokens)
    if place == "head" and is_recent and len(free) == 1 and is_surely_person(free[0].split(" ")[0]):
        return len(free[0]) <= LONGEST_FREE  # 周一鸣 江东文学 今天
    posts = [t for t in tokens if t.kind == "free" and _POSTED.match(folded, t.end)]
    if place == "head" and len(free) == len(posts) == 1 and len(free[0]) <= LONGEST_FREE:
        return " " not in free[0]  # 周一鸣 发布于 2019-10-08
    if place == "tail" and known > 1 and all(map(_is_name, free)):
        return True  # 王小川 本文来源：江东晚报 责任编辑：王小川
    is_signature = has_clock and any(t.kind == "count" for t in tokens)  # posted @ 2019-01-01 10:20 … 阅读(12)
    if not (has_clock or known > 1) or (place not in ("top", "head") and not is_signature):
        return False
    unknown = [text for text in free if not _is_known(text)]
    return len(unknown) <= 1 and all(len(text) <= LONGEST_FREE and not _EVENT.search(text) for text in unknown)


def _bare_date_rule(folded: str, date: Token, tokens: Sequence[Token], place: str) -> Rule | None:
    """A date without a label counts above the article only; without a time of day it must stand alone and not be
    the first row, which may be the heading of a diary."""
    has_clock = ":" in folded[date.start : date.end]
    free = [folded[t.start : t.end] for t in tokens if t.kind == "free"]
    beside_name = any(map(_is_name, free)) or bool(free and not date.field)
    beside_name = beside_name or any(t.kind == "free" and _POSTED.match(folded, t.end) for t in tokens)
    is_whole = len(tokens) == 1 and (folded[date.start].isdigit() or _HAN_DATE.fullmatch(folded) is not None)
    if place == "head" and (has_clock or beside_name or is_whole):
        return rule_of_dates()
    written_by_machine = len(tokens) == 1 and _PADDED.fullmatch(folded[date.start : date.end])
    return rule_of_dates() if place == "top" and (has_clock or written_by_machine) else None


_HAN_DATE = re.compile("[二一][〇○零一二三四五六七八九]{3}年[一二三四五六七八九十]{1,2}月[一二三四五六七八九十]{1,3}日")
_PADDED = re.compile(r"\d{4}(?:年\d\d月\d\d日|[-./]\d\d[-./]\d\d)")


@cache
def rule_of_dates(name: str = "bare_date") -> Rule:
    return next(rule for rule in load("metadata") if rule.name == name)


def _values(folded: str, tokens: Sequence[Token]) -> list[Value]:
    """The values with a field; text without a label becomes the authors or the source if no label gives these."""
    if len(tokens) == 1 and (one := tokens[0]).kind == "value" and one.rule and " " not in folded[one.start : one.end]:
        return [Value(one.field, one.start, one.end, one.rule.id)] if one.start < one.end else []
    fields = {t.field for t in tokens}
    has_clock = _has_clock(folded, tokens)
    found: list[Value] = []
    for t in _free_in_words(folded, tokens):
        field, start, end = t.field, t.start, t.end
        if t.kind == "free":
            start += len(_BEFORE_SOURCE.match(folded[start:end])[0])  # type: ignore[index]
            end = start + len(_BEHIND_SOURCE.sub("", folded[start:end]))
            if by := _BY.match(folded[start:end]):
                start += by.end()
            field = _free_field(folded, start, end, has_clock)
            if t.start and _POSTED_AT.match(folded) and has_clock and len(folded[start:end].split()) == 1:
                field = "authors"  # posted @ 2019-10-08 10:20 周一鸣 阅读(12)
            if _POSTED.match(folded, t.end) and len(folded[start:end].split()) == 1:
                field = "authors"  # 周一鸣 发表于 2019-10-08
            named = field == "authors" and any(
                v.field == "editor" and folded[start:end] in folded[v.start : v.end] for v in tokens
            )
            field = "" if field in fields or named else field
            fields.add(field)
        if (field or t.rule) and start < end:
            found.append(Value(field, start, end, (t.rule or rule_of_dates()).id))
    return found


def _free_in_words(folded: str, tokens: Sequence[Token]) -> Iterator[Token]:
    """The tokens; text without a label that begins with an outlet (江东日报 记者周一鸣) as one token a word."""
    for t in tokens:
        if t.field == "source" and " " in folded[t.start : t.end]:
            outlet, _, people = folded[t.start : t.end].partition(" ")
            if is_outlet(outlet) and all(map(names.is_person, people.split())):  # 来源:江东日报 周一鸣
                yield t._replace(end=t.start + len(outlet))
                yield Token("value", rule_of_dates(), "authors", t.end - len(people.lstrip()), t.end)
                continue
        words = folded[t.start : t.end].split(" ") if t.kind == "free" else []
        leads = len(words) > 1 and (is_outlet(words[0]) or (len(words) == 2 and is_surely_person(words[0])))
        if not leads or is_outlet(folded[t.start : t.end]):
            yield t
            continue
        first = t.start + len(words[0])
        yield Token("free", None, "", t.start, first)
        rest = folded[first : t.end].lstrip()
        yield Token("free", None, "", t.end - len(rest), t.end)


_POSTED_AT = re.compile("posted ?(?:@|on)")
_POSTED = re.compile(" ?(?:发表|发布|张贴|上传|分享)于")
_BEFORE_SOURCE = re.compile(r"(?:(?:原创|转载|独家) ?)?")
_BEHIND_SOURCE = re.compile(r" ?[\[(](?:整理|编译|综合|原创|转载)[\])]?(?: \d{1,5})?$")


def _free_field(folded: str, start: int, end: int, has_clock: bool) -> str:
    """The field of text without a label: names in the plural or in brackets are authors, an outlet is the source,
    and so is one other word beside a date with a time of day."""
    text = folded[start:end]
    if is_outlet(text):
        return "source"
    people = text.split()
    if len(people) > 1 and names.is_department(people[0]) and all(map(names.is_person, people[1:])):
        return "authors"  # 图书馆 周一鸣
    in_brackets = folded[:start].rstrip().endswith(("[", "("))
    if names.is_byline(text) or (names.is_person(text) and (in_brackets or is_surely_person(text))):
        return "authors"
    if len(people) > 1:
        are_short = all(2 <= len(p) <= 4 and not p.isascii() and not is_known_chrome(p) for p in people)
        return "authors" if are_short and 2 * sum(map(names.is_person, people)) >= len(people) else ""
    if has_clock and 2 <= len(text) <= 20 and text.isascii() and text.islower():
        return "authors"  # the name of a user
    is_other = names.is_person(text) or HOST.fullmatch(text) or text.isdigit() or is_known_chrome(text)
    return "source" if has_clock and 2 <= len(text) <= 12 and not is_other else ""


def is_surely_person(text: str) -> bool:
    """Beside a date, a name of two characters is as often a section (时政, 文化): three are needed."""
    text = _BY.sub("", text)
    return len(text) >= 3 and text[-1] not in _OFFICES and names.is_person(text) and not is_known_chrome(text)


_OFFICES = frozenset("部处局厅县省镇乡村市区院委会办社站报网台队组科系所馆校街路节赛展")
"""宣传部 and 高新区 begin with surnames, too."""


_BY = re.compile(r"^by:? ?", re.IGNORECASE)


def _is_name(text: str) -> bool:
    """True if the text without a label is plainly the name of an outlet or a person, or one of each."""
    first, _, rest = text.partition(" ")
    if rest and HOST.fullmatch(rest) and "." in rest:
        text = first  # 江东政府网 www.example.cn
    return is_outlet(text) or is_surely_person(text) or (is_surely_person(first) and is_outlet(rest))


_EVENT = re.compile("时间|日期|地点|截止|开始|结束|召开|举行|至|于")
# begins with one class, so that it is searched for at memory speed
_HINT = re.compile(
    r"[:：|｜丨│\d\]】)）编責责校今昨〇○零一二三四五六七八九民]"
    r"(?:(?<=[:：|｜丨│\d\]】)）])|(?<=编)辑|(?<=責)編|(?<=责)编|(?<=校)[对對]|(?<=[今昨])天"
    r"|(?<=[〇○零一二三四五六七八九])年|(?<=民)[国國])"
)
HOST = re.compile(
    r"(?:https?://)?[A-Za-z0-9]{2,20}(?:\.[A-Za-z0-9-]{2,20}){1,3}/?|(?:优质)?原?创作者|官方账号|[一-龥]{2,6}领域创作者|原创|转载|独家|第[0-9A-Z]{1,3}版|[A-Z]?\d{1,2}版"
)


def _is_known(text: str) -> bool:
    """True if the text without a label is an outlet, a host, the number of a newspaper's page, or names a person."""
    return bool(_is_name(text) or HOST.fullmatch(text) or names.is_person(text) or names.is_byline(text))


_OUTLET = re.compile(
    r"(?:原创 )?[一-龥A-Za-z0-9·—-]{1,14}"
    r"(?:网|站|报|社|台|在线|新闻|日报|晚报|早报|周刊|杂志|时报|频道|客户端|之声|传媒|融媒)"
)


_PART_OF_SITE = re.compile(
    "(?:校园|学校|学院|系部|公司|企业|行业|图片|时政|国内|国际|社会|本地|综合|今日|最新|热点|县区|部门|基层|工作|媒体|视频|要闻|头条|焦点|其他|更多)"
    "(?:新闻|频道|在线|资讯|传媒)?"
)


def is_outlet(text: str) -> bool:
    return _OUTLET.fullmatch(text) is not None and not _PART_OF_SITE.fullmatch(text) and not _REPORT.search(text)


_REPORT = re.compile("(?:预|通|战|捷|喜|海|快|简|专|月|季|年|壁|黑板)报$")
"""What is reported, not who reports: 未来三天天气预报."""


def _fits_value(rule: Rule, value: str) -> bool:
    if not value:
        return True
    if len(value) > rule.longest or _STOPS.search(value):
        return False
    if rule.value == "date":
        return dates.find(value) is not None or _VAGUE_DATE.fullmatch(value) is not None
    if rule.value == "number":
        return not value.strip("次人条()0123456789, ")
    if rule.value in ("name", "names"):
        return rule.value == "names" or not _NO_NAME.search(value)
    return True


_NO_NAME = re.compile("[,!?]")
_VAGUE_DATE = re.compile(
    r"\d{1,3} ?(?:秒|分钟|小时|天|周|个?月|年)前|(?:今|昨|前)天(?: ?\d{1,2}:\d\d)?|刚刚"
    r"|\d{1,2}[-/月]\d{1,2}日?(?: ?\d{1,2}:\d\d)?"
)


def _only_label(folded: str) -> tuple[Token, ...]:
    """The token of a row that is a label with its value, in which nothing else can begin; () for all others, which are
    cut into tokens."""
    tables = _tables()
    match = tables.label.match(folded) if folded[0] in tables.starts else None
    if not match:
        return ()
    rule = tables.rules.get(match[1]) or tables.rules[_squeezed(match[1])]
    start = match.end() + len(folded[match.end() :]) - len(folded[match.end() :].lstrip(_BEFORE_VALUE))
    if rule.value == "date" or tables.value_end.search(folded, start):
        return ()
    return (Token("value", rule, rule.field, start, start + len(folded[start:].rstrip(_BEHIND_VALUE))),)


@lru_cache(64)  # as for _staff
def _tokens(folded: str) -> tuple[Token, ...]:
    """Cuts a folded row into tokens.  Linear: each step looks at a bounded stretch and moves on."""
    tables = _tables()
    found: list[Token] = []
    at = free_from = 0
    size = len(folded)

    def close_free(end: int) -> None:
        text = folded[free_from:end].strip(_SEPARATORS)
        if text:
            start = folded.index(text, free_from)
            found.append(Token("free", None, "", start, start + len(text)))

    while at < size:
        begins = at == 0 or folded[at - 1] in _SEPARATORS
        begins = begins or (bool(found) and found[-1].kind == "value" and free_from == at)
        if not begins and not _may_begin(folded[at - 1], folded[at], tables):
            sign = _MAY_BEGIN.search(folded, at)
            if not sign:
                break
            at = max(at + 1, sign.start() + (sign[0] in _SEPARATORS))
            continue
        token, following = _token_at(folded, at, begins, bool(found), tables)
        if token is None:
            at += 1
            continue
        if free_from < at:
            close_free(at)
        found.append(token)
        at = free_from = following
    if free_from < size:
        close_free(size)
    return tuple(found)


def _may_begin(before: str, char: str, tables: _Tables) -> bool:
    """May a label or a date begin inside a word?  A label behind a digit, a date behind anything else."""
    return char in tables.starts if before.isdigit() else char.isdigit() or char in _DATE_STARTS


def _token_at(folded: str, at: int, begins: bool, follows: bool, tables: _Tables) -> tuple[Token | None, int]:
    """The token that begins at `at`, and where to go on behind it; (None, at) if there is none."""
    may_be_label = folded[at] in tables.starts
    if may_be_label and (begins or folded[at - 1].isdigit()):
        match = tables.label.match(folded, at) or (begins and tables.dated_label.match(folded, at)) or None
        if match:
            return _value(folded, match, tables)
    if (token := _date_at(folded, at, begins)) is not None:
        verb = _BEHIND_DATE.match(folded, token.end) or _WEEKDAY.match(folded, token.end)
        return token, verb.end() if verb else token.end
    if not begins:
        return None, at
    if match := _COUNT.match(folded, at):
        return Token("count", None, "", at, match.end()), match.end()
    stop = _WORD_END.search(folded, at)
    end = stop.start() if stop else len(folded)
    word = folded[at:end]
    if word and tables.buttons.split(_squeezed(word.strip(":"))) and not word.isdigit():
        return Token("button", None, "", at, end), end
    match = tables.bare_label.match(folded, at) if follows and may_be_label else None
    if match and len(match[1]) == 1 and folded[match.end() : match.end() + 1] != " ":
        stop = _WORD_END.search(folded, at)  # 图书馆 begins with a label, too
        match = match if names.is_person(folded[match.end() : stop.start() if stop else len(folded)]) else None
    if match:
        behind = match.end() + len(folded[match.end() :]) - len(folded[match.end() :].lstrip())
        if tables.label.match(folded, behind):
            return Token("button", None, "", at, match.end()), match.end()
        return _value(folded, match, tables)
    return None, at


_WORD_END = re.compile(r"[ |\])】]|$")


def _date_at(folded: str, at: int, begins: bool) -> Token | None:
    """A date; in the middle of a word (山河网2004年7月16日08:19) only with a time of day."""
    if not (folded[at].isdigit() or folded[at] in _DATE_STARTS) or (not begins and folded[at - 1].isdigit()):
        return None
    if begins and (vague := _DATE_WITHOUT_YEAR.match(folded, at)):
        return Token("date", None, "", at, vague.end())  # it is no value: the day is not known
    if not _DATE.match(folded, at):
        return None
    found = dates.find(folded[at : at + dates.LONGEST])
    if not found or found[3] != 0 or not (begins or found[1]):
        return None
    return Token("date", None, "published_at", at, at + len(folded[at : at + found[4]].rstrip()))


def _value(folded: str, match: re.Match[str], tables: _Tables) -> tuple[Token, int]:
    """The value behind a label: up to the next label, bar or button."""
    rule = tables.rules.get(match[1]) or tables.rules[_squeezed(match[1])]
    start = match.end()
    while start < len(folded) and folded[start] in _BEFORE_VALUE:
        start += 1
    if tables.label.match(folded, start) or tables.dated_label.match(folded, start):
        return Token("value", rule, rule.field, match.end(), match.end()), start
    end = _value_end(folded, start, rule, tables)
    value = folded[start:end].rstrip(_BEHIND_VALUE)
    if value and value[-1] in ")]】":
        for left, right in ("()", "[]", "【】"):
            if value.endswith(right) and value.count(left) < value.count(right):
                value = value[:-1].rstrip()
    return Token("value", rule, rule.field, start, start + len(value)), max(end, start + len(value))


_BEFORE_VALUE, _BEHIND_VALUE = " :[【(", " |·•●▪■◆-/[【(<,;:、~_"

_WITH_CLOCK = re.compile(r"(?:19|20)\d\d[-./年]\d{1,2}[-./月]\d{1,2}日? ?\d{1,2}:\d\d")


def _value_end(folded: str, start: int, rule: Rule, tables: _Tables) -> int:
    if rule.value == "date" and (found := dates.find(folded[start : start + dates.LONGEST])) and found[3] <= 1:
        return start + len(folded[start : start + found[4]].rstrip())
    if rule.value == "date" and (vague := _VAGUE_DATE.match(folded, start)):
        return vague.end()
    end = start
    while sign := tables.value_end.search(folded, end):
        end, c = sign.start(), sign[0]
        if c == "|" or (c in "】]" and end > start) or folded.startswith(("(记者", "(通讯员"), end):
            break
        if c in " )]/,;、" and end > start and _ends_value(folded, end, tables):
            break
        if end > start and c in tables.starts and tables.label.match(folded, end):
            break
        if c in "12" and end > start and rule.field == "source" and _WITH_CLOCK.match(folded, end):
            break  # 来源:江东日报2019-10-08 10:20
        end += 1
    else:
        return len(folded)
    return end


def _ends_value(folded: str, at: int, tables: _Tables) -> bool:
    """Whether something of its own begins behind the separator at `at`."""
    begin = at
    while begin < len(folded) and folded[begin] in " )]/,;、[(【|":
        begin += 1
    if begin >= len(folded):
        return False
    if tables.label.match(folded, begin) or _COUNT.match(folded, begin):
        return True
    if _DATE.match(folded, begin) and (found := dates.find(folded[begin : begin + dates.LONGEST])) and found[3] == 0:
        return True
    stop = _WORD_END.search(folded, begin)
    word = folded[begin : stop.start() if stop else len(folded)].strip("[]【】()")
    return len(word) >= 2 and bool(tables.buttons.split(_squeezed(word))) and not word.isdigit()


def _squeezed(folded: str) -> str:
    """`squeeze` for what is folded."""
    return "".join(folded.lower().split())


def is_known_chrome(text: str) -> bool:
    """True if the text is made of words that pages show around their articles (要闻, 分享)."""
    return bool(_tables().chrome.split(squeeze(text)))
