"""Metadata: lines about the article (source, date, editor …) become fields.

A row is cut into tokens: labels with their values (来源:山河日报), bare dates, counts (阅读 12), buttons (打印)
and free text.  Only a row that is nothing else but such tokens is taken out; the labels are in
rules/metadata/*.toml.  Bylines that readers see as part of the article (本报记者 …) are none of these rows: they stay.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import NamedTuple

from . import dates, html_metadata, names
from .config import Config
from .edits import Edit
from .prose import Page, Row, read
from .rule_files import Patterns, Rule, Words, fold, lift, load, squeeze

LONGEST_ROW = 200
"""Longer rows are not about the article, in characters."""

LONGEST_FREE = 16
"""Text without a label in such a row (the name of a newspaper) is at most this long, in characters."""

_SEPARATORS = " |·•●▪■◆-—/\\[]【】()<>《》,;:、~_"
_STOPS = re.compile("[。!?;…！？；]")


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
    label: re.Pattern[str]
    bare_label: re.Pattern[str]
    dated_label: re.Pattern[str]
    function: re.Pattern[str]
    rules: dict[str, Rule]
    patterns: Patterns
    buttons: Words
    chrome: Words


@cache
def _tables() -> _Tables:
    rules = load("metadata")
    by_label = {squeeze(label): rule for rule in reversed(rules) for label in rule.labels}
    ordered = sorted(by_label, key=lambda label: (-len(label), label))
    spaced = "|".join(map(_spaced, ordered))
    dated = "|".join(_spaced(label) for label in ordered if by_label[label].value == "date")
    functions = "|".join(re.escape(label) for label in ordered if by_label[label].value == "names")
    buttons = [rule for rule in load("chrome") if rule.name == "tool_buttons"]
    return _Tables(
        re.compile(rf"({spaced})(?: ?[、/&] ?(?:{spaced}))? ?(?::|\]:?|】:?)"),
        re.compile(rf"({spaced})(?=[ ]|[^ :]{{1,20}}(?:[ |]|$))"),
        re.compile(rf"({dated}) ?(?=(?:19|20)\d\d ?[-./年])"),
        re.compile(rf"[一-龥]{{0,6}}?({functions})"),
        by_label,
        Patterns(rule for rule in rules if rule.pattern),
        Words(buttons),
        Words([rule for rule in load("chrome") if rule.words]),
    )


def _spaced(label: str) -> str:
    """A pattern for the label, also when it is letter-spaced (作  者), which is usual."""
    return " {0,3}".join(map(re.escape, label))


_DATE = re.compile(
    r"(?:19|20)\d\d ?[-./年]|[〇○零一二三四五六七八九]{4}年|\d{1,2}[-./]\d{1,2}[-./](?:19|20)\d\d|民国|20\d{6}"
    r"|(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]{0,6}\.? \d{1,2}, ?(?:19|20)\d\d"
)
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
    weak: it goes only beside another such row.  rows: how many rows it is made of.  people: all its values are
    the names of persons."""

    rule: Rule
    values: list[Value]
    weak: bool = False
    rows: int = 1
    people: bool = False


HEAD_ROWS = 6
"""Without any prose, so many rows at the top count as the head."""

LONGEST_HEADLINE = 45
"""A headline that ends like a sentence (…成功举行!) is at most this long, in characters."""


def propose(text: str, config: Config) -> Iterator[Edit]:
    """Yields, for every row about the article, edits with `field` for the values and without for the rest."""
    page = without_headlines(read(text))
    taken = {i: one for i in range(len(page.rows)) if (one := _take_row(page, i))}
    _drop_tables(page, taken)
    _add_values_below(page, taken)
    _add_split_dates(text, page, taken)
    _add_names_beside_dates(page, taken)
    for i in sorted(taken):
        one, row = taken[i], page.rows[i]
        if one.weak and not any(j in taken and not taken[j].weak for j in (i - 1, i + 1)) and not _is_crowd(taken, i):
            continue
        shift = row.start + len(row.text) - len(row.text.lstrip())
        spans = [(v.field, v.start + shift, v.end + shift, v.rule) for v in one.values]
        end = page.rows[i + one.rows - 1].end
        title = next((span for span in spans if span[0] == "title"), None)
        if title:  # the headline stays, its label goes, and what stands around it
            spans.remove(title)
            before = [span for span in spans if span[2] <= title[1]]
            yield from lift(text, row.start, title[1], title[3], before)
            yield from lift(text, title[2], end, title[3], [span for span in spans if span not in before])
            continue
        yield from lift(text, row.start, min(end + 1, len(text)), one.rule.id, spans)


_OTHER_CARD = re.compile(
    r"(?:书名|出版社|出版时间|出版日期|ISBN|定价|装帧|页数|片名|导演|编剧|主演|作词|作曲|演唱|地点|会议地点|活动地点|主讲|主讲人|主持|主持人"
    r"|主办|主办单位|演出|票价|费用|报名|嘉宾|出席|参会人员|参加人员|联系人|电话|品名|规格|价格) ?[:：]"
)
"""Labels of a book, a film, a song, an event: what stands beside them tells about these."""


def _drop_tables(page: Page, taken: dict[int, Taken]) -> None:
    """Rows that belong to a table of times, or to a card about a book or an event, are not about the article."""
    rows = page.rows
    free = {i for i, one in taken.items() if one.rule.name == "bare_date" and _has_words(rows[i].text)}
    tables = {i for i in free if {i - 1, i + 1} & free}
    cards = {
        i
        for i, one in taken.items()
        if one.rule.name in ("author", "published", "reporter", "photographer", "other_staff")
        and any(0 <= j < len(rows) and is_of_card(rows[j].text) for j in (i - 1, i + 1))
    }
    for i in tables | cards:
        del taken[i]


def is_of_card(line: str) -> bool:
    """True if the line begins with a label of a book, a film, a song, an event: an author beside it is theirs."""
    return _OTHER_CARD.match(line.strip()) is not None


def _has_words(text: str) -> bool:
    """True if more than a date and a time stands in the row."""
    return _LETTERS.search(_DATE_WORDS.sub("", text)) is not None


_LETTERS = re.compile("[A-Za-z一-龥]")
_DATE_WORDS = re.compile("[年月日号时分秒上下午星期周一二三四五六天]")

LAST_ROWS = 3
"""So many rows at the end of the prose may stand below the editor: a line about rights reads like prose."""


def _take_row(page: Page, i: int) -> Taken | None:
    place = _place(page, i)
    one = _take(page.rows[i].text, place)
    if one is None and place == "inside" and i >= page.last - LAST_ROWS:
        one = _take(page.rows[i].text, "tail")
        return one if one and one.rule.name == "editor" else None
    return one


def _is_crowd(taken: dict[int, Taken], i: int) -> bool:
    """True if a weak row stands beside one of another rule, and both name persons: 【记者】张三 / 【校对】李四."""
    return _names_staff(taken[i]) and any(
        j in taken and _names_staff(taken[j]) and taken[j].rule != taken[i].rule for j in (i - 2, i - 1, i + 1, i + 2)
    )


def _names_staff(one: Taken) -> bool:
    return one.rule.value == "names" and bool(one.values) and one.people


def without_headlines(page: Page) -> Page:
    """The page with a stretch of prose that begins below the headline and the row about the article, which may
    read like prose: the headline when it ends like a sentence."""
    for i in range(page.first, min(page.first + 4, page.last)):
        text = page.rows[i].text
        if tells(text):
            return Page(page.rows, i + 1, page.last)
        if len(text.strip()) > LONGEST_HEADLINE or text.rstrip().endswith("。"):
            break
    return page


def _place(page: Page, i: int) -> str:
    """top (the first row), head, inside, tail."""
    if page.first == page.last:
        return "top" if i == 0 else "head" if i < HEAD_ROWS else "tail"
    if i < page.first:
        return "head" if i else "top"
    return "inside" if i < page.last else "tail"


def _add_values_below(page: Page, taken: dict[int, Taken]) -> None:
    """A label in a line of its own, with its value in the next line."""
    for i in sorted(taken):
        one = taken[i]
        if i + 1 in taken or i + 1 >= len(page.rows) or one.values or not one.rule.field:
            continue
        text = page.rows[i + 1].text.strip()
        if _is_certain_value(one.rule, text):
            taken[i + 1] = Taken(one.rule, [Value(one.rule.field, 0, len(text), one.rule.id)])


LONGEST_NAME = 14
"""The name of an account or an outlet in a row of its own is at most this long, in characters."""

SHORTEST_HEADLINE = 6
"""A row right above such a name is no headline if it is shorter, in characters."""

_ACCOUNT = re.compile(
    r"(?:企鹅号|搜狐号|百家号|头条号|网易号|大鱼号|一点号|公众号|自媒体|微信号[: ]?[A-Za-z0-9_-]{3,30})"
    r"(?:作者|官方账号)?"
)
_NO_NAME = re.compile("[,，。!！?？:：;；、《》“”|()（）【】]|^\\d+$")


def _add_names_beside_dates(page: Page, taken: dict[int, Taken]) -> None:
    """Above the article, a name in a row of its own: between the headline and the row with the date, or above a row
    that says that it is an account (企鹅号).  An outlet and an account's name are the source, others the author.

    Between headline and date, what is neither an outlet nor a person counts only if the date has no year (昨天 10:20):
    platforms of accounts write it so; elsewhere it is as often a subtitle or a section."""
    rows = page.rows[: page.first]
    kept = [i for i in range(len(rows)) if i not in taken]
    for i in kept:
        text = rows[i].text.strip()
        if not 2 <= len(text) <= LONGEST_NAME or _NO_NAME.search(text) or names.is_byline(text):
            continue
        behind = i + 1
        while behind < len(rows) and rows[behind].text.strip() == text:
            behind += 1  # the name stands there twice: below the picture of the account, and beside it
        is_account = behind < len(rows) and _ACCOUNT.fullmatch(fold(rows[behind].text).strip()) is not None
        if _is_outlet(fold(text)) and i - 1 in taken and _is_dated(taken[i - 1]):
            taken[i] = Taken(_date_rule("account"), [Value("source", 0, len(text), "metadata.account")])
            return
        is_named = (
            _is_outlet(fold(text))
            or _is_surely_person(text)
            or (i + 1 in taken and _is_recent(rows[i + 1], taken[i + 1]))
        )
        beside_date = is_named and i + 1 in taken and _is_dated(taken[i + 1]) and _is_headline_above(rows, i, taken)
        if not beside_date and not (is_account and any(len(row.text.strip()) > len(text) for row in rows[:i])):
            continue
        rule = _date_rule("account")
        if is_account:
            taken.update({k: Taken(rule, []) for k in range(i + 1, behind + 1)})
        field = "source" if is_account or _is_outlet(fold(text)) else "authors"
        taken[i] = Taken(rule, [Value(field, 0, len(text), rule.id)])
        return


def _is_dated(one: Taken) -> bool:
    return one.rule.name == "bare_date" or any(v.field == "published_at" for v in one.values)


def _is_recent(row: Row, one: Taken) -> bool:
    """True if the date in the row has no year, or is relative to an unknown day."""
    return _is_dated(one) and dates.find(row.text.strip()[: dates.LONGEST]) is None


def _is_headline_above(rows: Sequence[Row], i: int, taken: dict[int, Taken]) -> bool:
    """True if the row right above reads like the headline, which is longer than the name."""
    name = rows[i].text.strip()
    if i and _HOST.fullmatch(rows[i - 1].text.strip()):
        i -= 1  # 原创, in a row of its own
    if i == 0 or i - 1 in taken or _HOST.fullmatch(name):
        return False
    size = len(rows[i - 1].text.strip())
    return max(SHORTEST_HEADLINE, len(name) + 1) <= size <= LONGEST_TITLE and not _is_known_chrome(name)


LONGEST_TITLE = 80
"""A longer row is no headline, in characters."""


def _is_known_chrome(text: str) -> bool:
    """True if the text is made of words that pages show around their articles (要闻, 分享)."""
    return bool(_tables().chrome.split(squeeze(text)))


def _add_split_dates(text: str, page: Page, taken: dict[int, Taken]) -> None:
    """A date above the article with its year, day and time in lines of their own: 2019 / 09/28 / 10:20."""
    rows = page.rows[: page.first]
    for i in range(len(rows) - 1):
        count = split_date(rows, i)
        if not count or any(j in taken for j in range(i, i + count)):
            continue
        start = rows[i].start + len(rows[i].text) - len(rows[i].text.lstrip())
        end = rows[i + count - 1].start + len(rows[i + count - 1].text.rstrip())
        rule = _date_rule()
        taken[i] = Taken(rule, [Value("published_at", 0, end - start, rule.id)], rows=count)


def split_date(rows: Sequence[Row], i: int) -> int:
    """How many rows a date takes that is split over lines from row `i` on; 0 when there is none."""
    parts = [row.text.strip() for row in rows[i : i + 3]]
    if len(parts) < 2 or not _YEAR.fullmatch(parts[0]) or not _DAY.fullmatch(parts[1]):
        return 0
    count = 3 if len(parts) == 3 and _TIME.fullmatch(parts[2]) else 2
    return count if dates.find("\n".join(parts[:count])) else 0


_YEAR = re.compile(r"(?:19|20)\d\d")
_DAY = re.compile(r"\d{1,2}[/-]\d{1,2}")
_TIME = re.compile(r"\d{1,2}:\d\d(?::\d\d)?")


def _is_certain_value(rule: Rule, text: str) -> bool:
    if rule.field == "published_at":
        found = dates.find(text)
        return found is not None and found[3] == 0 and found[4] == len(text)
    if rule.field in ("authors", "editor"):
        return all(map(names.is_person, text.split())) or (rule.name == "issuer" and _is_office(text))
    return rule.field == "source" and _is_outlet(fold(text))


_OFFICE = re.compile("[一-龥]{2,20}(?:政府|局|委|委员会|办公室|办公厅|部|厅|院|处)")


def _is_office(text: str) -> bool:
    return _OFFICE.fullmatch(text) is not None


def tells(line: str) -> bool:
    """True if the line tells something about the article, so that no other cleaner may take it."""
    if len(line.strip()) > LONGEST_ROW:
        return False
    taken = _take(line, "head") or _take(line, "tail")
    return taken is not None and not taken.weak and any(value.field for value in taken.values)


def ends_article(line: str) -> bool:
    """True if the line names the editor: what follows it is no article."""
    taken = _take(line, "tail")
    return taken is not None and any(value.field == "editor" for value in taken.values)


def _take(line: str, place: str) -> Taken | None:
    """What the line tells at this place, or None: the line stays."""
    line = line.strip()
    if len(line) > LONGEST_ROW or _STOPS.search(line) or not _HINT.search(line):
        return None
    folded = fold(line).strip()
    if not folded or folded[-1] in ",.":
        return None
    rule = _tables().patterns.find(folded)
    if rule and _fits_place(rule, place) and (match := rule.compiled.fullmatch(folded)):
        groups = [(name, *match.span(name)) for name, text in match.groupdict().items() if text]
        if all(name != "published_at" or dates.find(folded[a:b]) for name, a, b in groups):
            return Taken(rule, [Value(name, a, b, rule.id) for name, a, b in groups], rule.weak)
    if (staff := _staff(folded)) and _fits_place(staff.rule, place):
        return staff
    tokens = _tokens(folded)
    rule = _judge(folded, tokens, place)
    if not rule:
        return None
    weak = rule.weak and sum(t.kind in ("value", "date") for t in tokens) < 2
    values = _values(folded, tokens)
    people = all(map(names.is_person, " ".join(folded[v.start : v.end] for v in values).split()))
    return Taken(rule, values, weak, people=people)


LONGEST_STAFF = 100
"""Rows of functions and names are shorter, in characters."""

_PRODUCTION = ("editor", "other_staff")
"""Rules of functions that readers do not see as part of the article: a row without any is a byline and stays."""

_STAFF_WORD = re.compile(r"(?<![一-龥])[一-龥] {1,3}[一-龥](?![一-龥])|[^ |:/、,;&()\[\]【】]+")


def _staff(folded: str) -> Taken | None:
    """A row of nothing but functions, each with the names of persons, with or without marks between them:
    编辑 李佳蕖 校对 王小川, 每经记者 周一鸣 每经编辑 李佳蕖, (文/周一鸣 审核/王川)."""
    if len(folded) > LONGEST_STAFF:
        return None
    found: list[tuple[Rule, list[tuple[int, int]]]] = []
    for match in _STAFF_WORD.finditer(folded):
        word, start = match[0], match.start()
        function = _tables().function.match(word)
        if function:
            if found and not found[-1][1] and folded[start - 1] != "/":
                return None  # a function without a name
            if not found or found[-1][1]:
                found.append((_tables().rules[squeeze(function[1])], []))
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


def _fits_place(rule: Rule, place: str) -> bool:
    place = "head" if place == "top" else place
    return rule.where in ("anywhere", place) or (rule.where == "edge" and place != "inside")


def _judge(folded: str, tokens: list[Token], place: str) -> Rule | None:
    """The rule in whose name the row goes, or None."""
    dated = [t for t in tokens if t.kind == "date"]
    values = [t for t in tokens if t.kind == "value"]
    if len(dated) > 1 or not (dated or values):
        return None
    if not _free_text_fits(folded, tokens, place):
        return None
    if any(t.rule and not _fits_value(t.rule, folded[t.start : t.end]) for t in values):
        return None
    rules = [t.rule for t in values if t.rule]
    if not rules:
        return _bare_date_rule(folded, dated[0], tokens, place)
    fitting = [rule for rule in rules if _fits_place(rule, place)]
    several = len(rules) + len(dated) > 1
    if fitting and not several:
        return fitting[0]
    return rules[0] if several and (fitting or place != "inside") else None


def _has_clock(folded: str, tokens: list[Token]) -> bool:
    """True if a date in the row has a time of day."""
    return any((t.field == "published_at" or t.kind == "date") and ":" in folded[t.start : t.end] for t in tokens)


def _free_text_fits(folded: str, tokens: list[Token], place: str) -> bool:
    """Whether text without a label may stand in the row: short, above the article, beside a date or two labels,
    and at most one piece that is not plainly the name of an outlet or of a person in brackets."""
    free = [folded[t.start : t.end] for t in tokens if t.kind == "free"]
    if not free:
        return True
    known = sum(t.kind in ("value", "date") for t in tokens)
    has_clock = _has_clock(folded, tokens)
    dated = any(t.kind == "date" for t in tokens)
    if place == "head" and dated and all(map(_is_known, free)) and any(map(_is_name, free)):
        return True  # 江东日报 2019-10-08
    is_recent = any(t.kind == "date" and not t.field for t in tokens)
    if place == "head" and is_recent and len(free) == 1 and _is_surely_person(free[0].split(" ")[0]):
        return len(free[0]) <= LONGEST_FREE  # 周一鸣 江东文学 今天
    if place == "tail" and known > 1 and all(map(_is_name, free)):
        return True  # 王小川 本文来源：江东晚报 责任编辑：王小川
    is_signature = has_clock and any(t.kind == "count" for t in tokens)  # posted @ 2019-01-01 10:20 … 阅读(12)
    if not (has_clock or known > 1) or (place not in ("top", "head") and not is_signature):
        return False
    unknown = [text for text in free if not _is_known(text)]
    return len(unknown) <= 1 and all(len(text) <= LONGEST_FREE and not _EVENT.search(text) for text in unknown)


def _bare_date_rule(folded: str, date: Token, tokens: list[Token], place: str) -> Rule | None:
    """A date without a label counts above the article only; without a time of day it must stand alone and not be
    the first row, which may be the heading of a diary."""
    has_clock = ":" in folded[date.start : date.end]
    free = [folded[t.start : t.end] for t in tokens if t.kind == "free"]
    beside_name = any(map(_is_name, free)) or bool(free and not date.field)
    if place == "head" and (has_clock or beside_name or (len(tokens) == 1 and folded[date.start].isdigit())):
        return _date_rule()
    written_by_machine = len(tokens) == 1 and _PADDED.fullmatch(folded[date.start : date.end])
    return _date_rule() if place == "top" and (has_clock or written_by_machine) else None


_PADDED = re.compile(r"\d{4}(?:年\d\d月\d\d日|[-./]\d\d[-./]\d\d)")


@cache
def _date_rule(name: str = "bare_date") -> Rule:
    return next(rule for rule in load("metadata") if rule.name == name)


def _values(folded: str, tokens: list[Token]) -> list[Value]:
    """The values with a field; text without a label becomes the authors or the source if no label gives these."""
    fields = {t.field for t in tokens}
    has_clock = _has_clock(folded, tokens)
    found = []
    for t in _free_in_words(folded, tokens):
        field, start, end = t.field, t.start, t.end
        if t.kind == "free":
            start += len(_BEFORE_SOURCE.match(folded[start:end])[0])  # type: ignore[index]
            end = start + len(_BEHIND_SOURCE.sub("", folded[start:end]))
            if by := _BY.match(folded[start:end]):
                start += by.end()
            field = _free_field(folded, start, end, has_clock)
            if _POSTED.match(folded, t.end) and len(folded[start:end].split()) == 1:
                field = "authors"  # 周一鸣 发表于 2019-10-08
            named = field == "authors" and any(
                v.field == "editor" and folded[start:end] in folded[v.start : v.end] for v in tokens
            )
            field = "" if field in fields or named else field
            fields.add(field)
        if (field or t.rule) and start < end:
            found.append(Value(field, start, end, (t.rule or _date_rule()).id))
    return found


def _free_in_words(folded: str, tokens: list[Token]) -> Iterator[Token]:
    """The tokens; text without a label that begins with an outlet (江东日报 记者周一鸣) as one token a word."""
    for t in tokens:
        words = folded[t.start : t.end].split(" ") if t.kind == "free" else []
        leads = len(words) > 1 and (_is_outlet(words[0]) or (len(words) == 2 and _is_surely_person(words[0])))
        if not leads or _is_outlet(folded[t.start : t.end]):
            yield t
            continue
        first = t.start + len(words[0])
        yield Token("free", None, "", t.start, first)
        rest = folded[first : t.end].lstrip()
        yield Token("free", None, "", t.end - len(rest), t.end)


_POSTED = re.compile(" ?(?:发表|发布|张贴|上传|分享)于")
_BEFORE_SOURCE = re.compile(r"(?:(?:原创|转载|独家) ?)?")
_BEHIND_SOURCE = re.compile(r" ?[\[(](?:整理|编译|综合|原创|转载)[\])]?(?: \d{1,5})?$")


def _free_field(folded: str, start: int, end: int, has_clock: bool) -> str:
    """The field of text without a label: names in the plural or in brackets are authors, an outlet is the source,
    and so is one other word beside a date with a time of day."""
    text = folded[start:end]
    if _is_outlet(text):
        return "source"
    people = text.split()
    in_brackets = folded[:start].rstrip().endswith(("[", "("))
    if names.is_byline(text) or (names.is_person(text) and (in_brackets or _is_surely_person(text))):
        return "authors"
    if len(people) > 1:
        are_short = all(2 <= len(p) <= 4 and not p.isascii() and not _is_known_chrome(p) for p in people)
        return "authors" if are_short and 2 * sum(map(names.is_person, people)) >= len(people) else ""
    if has_clock and 2 <= len(text) <= 20 and text.isascii() and text.islower():
        return "authors"  # the name of a user
    is_other = names.is_person(text) or _HOST.fullmatch(text) or text.isdigit() or _is_known_chrome(text)
    return "source" if has_clock and 2 <= len(text) <= 12 and not is_other else ""


def _is_surely_person(text: str) -> bool:
    """Beside a date, a name of two characters is as often a section (时政, 文化): three are needed."""
    text = _BY.sub("", text)
    return len(text) >= 3 and text[-1] not in _OFFICES and names.is_person(text) and not _is_known_chrome(text)


_OFFICES = frozenset("部处局厅县省镇乡村市区院委会办社站报网台队组科系所馆校街路节赛展")
"""宣传部 and 高新区 begin with surnames, too."""


_BY = re.compile(r"^by:? ?", re.IGNORECASE)


def _is_name(text: str) -> bool:
    """True if the text without a label is plainly the name of an outlet or a person, or one of each."""
    first, _, rest = text.partition(" ")
    return _is_outlet(text) or _is_surely_person(text) or (_is_surely_person(first) and _is_outlet(rest))


_EVENT = re.compile("时间|日期|地点|截止|开始|结束|召开|举行|至|于")
_HINT = re.compile(r"[:：|｜丨│\d\]】)）]|编辑|責編|责编|校对|校對|今天|昨天|[〇○零一二三四五六七八九]年|民国|民國")
_HOST = re.compile(
    r"(?:https?://)?[A-Za-z0-9]{2,20}(?:\.[A-Za-z0-9-]{2,20}){1,3}/?|(?:优质)?原?创作者|官方账号|[一-龥]{2,6}领域创作者|原创|转载|独家|第[0-9A-Z]{1,3}版|[A-Z]?\d{1,2}版"
)


def _is_known(text: str) -> bool:
    """True if the text without a label is an outlet, a host, the number of a newspaper's page, or names a person."""
    return bool(_is_name(text) or _HOST.fullmatch(text) or names.is_person(text) or names.is_byline(text))


_OUTLET = re.compile(
    r"(?:原创 )?[一-龥A-Za-z0-9·—-]{1,14}"
    r"(?:网|站|报|社|台|在线|新闻|日报|晚报|早报|周刊|杂志|时报|频道|客户端|之声|传媒|融媒)"
)


_PART_OF_SITE = re.compile(
    "(?:校园|学校|学院|系部|公司|企业|行业|图片|时政|国内|国际|社会|本地|综合|今日|最新|热点|县区|部门|基层|工作|媒体|视频|要闻|头条|焦点|其他|更多)"
    "(?:新闻|频道|在线|资讯|传媒)?"
)


def _is_outlet(text: str) -> bool:
    return _OUTLET.fullmatch(text) is not None and not _PART_OF_SITE.fullmatch(text)


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
        return not re.search("[,!?]", value) or rule.value == "names"
    return True


_VAGUE_DATE = re.compile(
    r"\d{1,3} ?(?:秒|分钟|小时|天|周|个?月|年)前|(?:今|昨|前)天(?: ?\d{1,2}:\d\d)?|刚刚"
    r"|\d{1,2}[-/月]\d{1,2}日?(?: ?\d{1,2}:\d\d)?"
)


def _tokens(folded: str) -> list[Token]:
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
        after_value = bool(found) and found[-1].kind == "value" and free_from == at
        token, following = _token_at(folded, at, begins or after_value, bool(found), tables)
        if token is None:
            at += 1
            continue
        close_free(at)
        found.append(token)
        at = free_from = following
    close_free(size)
    return found


def _token_at(folded: str, at: int, begins: bool, follows: bool, tables: _Tables) -> tuple[Token | None, int]:
    """The token that begins at `at`, and where to go on behind it; (None, at) if there is none."""
    if begins or folded[at - 1].isdigit():
        match = tables.label.match(folded, at) or (begins and tables.dated_label.match(folded, at)) or None
        if match:
            return _value(folded, match, tables)
    if (token := _date_at(folded, at, begins)) is not None:
        verb = _BEHIND_DATE.match(folded, token.end)
        return token, verb.end() if verb else token.end
    if not begins:
        return None, at
    if match := _COUNT.match(folded, at):
        return Token("count", None, "", at, match.end()), match.end()
    stop = _WORD_END.search(folded, at)
    end = stop.start() if stop else len(folded)
    if end > at and tables.buttons.split(squeeze(folded[at:end].strip(":"))) and not folded[at:end].isdigit():
        return Token("button", None, "", at, end), end
    if follows and (match := tables.bare_label.match(folded, at)):
        behind = match.end() + len(folded[match.end() :]) - len(folded[match.end() :].lstrip())
        if tables.label.match(folded, behind):
            return Token("button", None, "", at, match.end()), match.end()
        return _value(folded, match, tables)
    return None, at


_WORD_END = re.compile(r"[ |\])】]|$")


def _date_at(folded: str, at: int, begins: bool) -> Token | None:
    """A date; in the middle of a word (山河网2004年7月16日08:19) only with a time of day."""
    if not begins and folded[at - 1].isdigit():
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
    rule = tables.rules[squeeze(match[1])]
    start = match.end()
    while start < len(folded) and folded[start] in " :[【(":
        start += 1
    if tables.label.match(folded, start) or tables.dated_label.match(folded, start):
        return Token("value", rule, rule.field, match.end(), match.end()), start
    end = _value_end(folded, start, rule, tables)
    value = folded[start:end].rstrip(" |·•●▪■◆-/[【(<,;:、~_")
    for left, right in ("()", "[]", "【】"):
        if value.endswith(right) and value.count(left) < value.count(right):
            value = value[:-1].rstrip()
    return Token("value", rule, rule.field, start, start + len(value)), max(end, start + len(value))


def _value_end(folded: str, start: int, rule: Rule, tables: _Tables) -> int:
    if rule.value == "date" and (found := dates.find(folded[start : start + dates.LONGEST])) and found[3] <= 1:
        return start + len(folded[start : start + found[4]].rstrip())
    if rule.value == "date" and (vague := _VAGUE_DATE.match(folded, start)):
        return vague.end()
    end = start
    while end < len(folded):
        c = folded[end]
        if c == "|" or (c in "】]" and end > start) or folded.startswith(("(记者", "(通讯员"), end):
            break
        if c in " )]/,;、" and end > start and _ends_value(folded, end, tables):
            break
        if end > start and tables.label.match(folded, end):
            break
        end += 1
    return end


def _ends_value(folded: str, at: int, tables: _Tables) -> bool:
    """Whether something of its own begins behind the separator at `at`."""
    begin = at
    while begin < len(folded) and folded[begin] in " )]/,;、[(【|":
        begin += 1
    if begin >= len(folded):
        return False
    if tables.label.match(folded, begin) or _DATE.match(folded, begin) or _COUNT.match(folded, begin):
        return True
    stop = _WORD_END.search(folded, begin)
    word = folded[begin : stop.start() if stop else len(folded)].strip("[]【】()")
    return len(word) >= 2 and bool(tables.buttons.split(squeeze(word))) and not word.isdigit()


# ---------------------------------------------------------------- values


def value(field: str, before: str, timezone: str) -> str | list[str]:
    """The value of a field from the characters that an edit lifted.

    published_at   ISO 8601, "" when there is no full date (see dates.parse)
    authors        the names, in order
    keywords       the words, in order
    others         the text, in one line, without brackets and marks around it

    Several edits may carry one field.  `choose` says which one wins.
    """
    plain = _bare(before)
    if field == "published_at":
        return dates.parse(before, timezone)
    if field == "source":
        plain = _ADDRESS.sub("", _SECTION.split(plain)[0])
    if plain in _NOBODY:
        return [] if field in ("authors", "keywords") else ""
    if field == "authors":
        return names.authors("作者:" + plain) or [part for part in re.split(r"[ 、,，;；/]+", plain) if part]
    if field in ("editor", "photographer"):
        return _STAFF_CODE.sub("", plain)
    if field == "keywords":
        return [part for part in re.split(r"[ 、,，;；|]+", plain) if part]
    return plain


def _bare(before: str) -> str:
    """In one line, without marks around it; brackets only go where they do not belong to the value: 晚报(省城)."""
    plain = " ".join(before.split()).strip(_MARKS_AROUND)
    for pair in _PAIRS:
        left, right = pair[0], pair[1]
        if plain.startswith(left) and plain.find(right) in (-1, len(plain) - 1):
            plain = plain.strip(left + right + _MARKS_AROUND)
        elif plain.endswith(right) and left not in plain:
            plain = plain.rstrip(right + _MARKS_AROUND)
        elif plain.count(left) > plain.count(right) and plain.endswith(left):
            plain = plain.rstrip(left + _MARKS_AROUND)
    return plain


_MARKS_AROUND = " :：|·•,，;；、-—"
_PAIRS = ("()", "（）", "[]", "【】")

_SECTION = re.compile(r" ?[∙>›»|] ?")
"""Between an outlet and its section: 江东新闻 ∙ 民生 >."""

_ADDRESS = re.compile(
    r" +(?:https?://)?[A-Za-z0-9-]{1,30}(?:\.[A-Za-z0-9-]{2,20}){1,3}/?$|[(（](?:ID|id|微信号|公众号)[^()（）]{0,30}[)）]?$"
)
"""Behind an outlet, its address or the id of its account: 科学网 www.example.com, 松果观察（ID：songguo）."""

_STAFF_CODE = re.compile(r"[ _-]?[A-Z]{1,3}\d{2,8}$")
"""What newsrooms write behind an editor's name: 张三_NB1234, 李四 PN041."""

_NOBODY = frozenset(
    [
        "佚名",
        "未知",
        "不详",
        "匿名",
        "无",
        "暂无",
        "admin",
        "管理员",
        "本站",
        "本站原创",
        "原创",
        "转载",
        "网络",
        "互联网",
    ]
)
"""What stands behind 作者 or 来源 when nobody is named."""


class Lifted(NamedTuple):
    """What an edit with a field took out: its text, the id of its rule, and its place, (pass, position in the text of
    that pass), by which neighbours are known."""

    before: str
    rule: str
    place: tuple[int, int]


NEAR = 30
"""Names that labels give one behind the other are all authors when not more lies between them, in characters."""


def choose(field: str, found: Sequence[Lifted], timezone: str, fallback: bool = False) -> str | list[str]:
    """The value that wins among several for one field, in the order of the trail; "" or [] when none is usable.

    The first usable one wins: what stands nearest above the article is set by the page's editors, later ones are
    often the page's own frame.  Authors that stand side by side (【记者】张三 【通讯员】李四) are taken together, and
    a date with a time of day beats the same day without one.  The losers stay in the trail.

    fallback  False: only what rules without `fallback` lifted; True: only what the others did (docs/decisions/0030)
    """
    values = [
        (one, it)
        for it in found
        if is_fallback(field, it.rule) == fallback and (one := value(field, it.before, timezone))
    ]
    if not values:
        return [] if field in ("authors", "keywords") else ""
    first = values[0][0]
    if field == "published_at" and isinstance(first, str) and "T" not in first:
        return next((one for one, _ in values if isinstance(one, str) and one.startswith(first + "T")), first)
    return _together(values) if field == "authors" else first


def _together(values: Sequence[tuple[str | list[str], Lifted]]) -> list[str]:
    """The authors of the first value and of those that stand right behind it."""
    people = list(values[0][0])
    last = values[0][1]
    for one, lifted in values[1:]:
        gap = lifted.place[1] - last.place[1] - len(last.before)
        if lifted.place[0] != last.place[0] or not 0 <= gap <= NEAR:
            break
        people += one
        last = lifted
    return list(dict.fromkeys(people))


def is_fallback(field: str, rule: str) -> bool:
    """True if a value of this rule counts only where nothing else names one: who put the text online, when it was
    signed, text without a label beside a date, and what only the tags of a page say."""
    return (
        rule in _fallbacks()
        or rule in html_metadata.WEAK_RULES
        or (field != "published_at" and rule == "metadata.bare_date")
    )


@cache
def _fallbacks() -> frozenset[str]:
    return frozenset(rule.id for cleaner in ("chrome", "metadata") for rule in load(cleaner) if rule.fallback)
