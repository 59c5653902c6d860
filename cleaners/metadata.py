"""Metadata: lines about the article (source, date, editor …) become fields.

Only a row that is nothing else but labels with their values, dates, counts and buttons is taken out (see
about_rows.py), and what stands beside such rows: values below their labels, a name between headline and date.
Bylines that readers see as part of the article (本报记者 …) are none of these rows: they stay.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from hashlib import blake2b
from itertools import pairwise

from . import dates, names
from .about_rows import (
    HOST,
    LONGEST_ROW,
    STOP_MARKS,
    Taken,
    Value,
    is_known_chrome,
    is_outlet,
    is_surely_person,
    may_tell,
    rule_of_dates,
    take,
    take_all,
)
from .config import Config
from .edits import Edit
from .prose import Page, Row, read
from .remembered import Remembered
from .rule_files import Rule, fold, lift

HEAD_ROWS = 6
"""Without any prose, so many rows at the top count as the head."""

LONGEST_HEADLINE = 45
"""A headline that ends like a sentence (…成功举行!) is at most this long, in characters."""


def propose(text: str, config: Config) -> Iterator[Edit]:
    """Yields, for every row about the article, edits with `field` for the values and without for the rest."""
    page = without_headlines(read(text))
    taken = _take_rows(page)
    if taken:
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
        if titles := [span for span in spans if span[0] == "title"]:
            title = titles[0]  # the headline stays, its label goes, and what stands around it
            spans.remove(title)
            before = [span for span in spans if span[2] <= title[1]]
            yield from lift(text, row.start, title[1], title[3], before)
            yield from lift(text, title[2], end, title[3], [span for span in spans if span not in before])
            continue
        yield from lift(text, row.start, min(end + 1, len(text)), one.rule.id, spans)


_OTHER_CARD = re.compile(
    r"(?:书名|歌手|专辑|编曲|出版社|出版时间|出版日期|ISBN|定价|装帧|页数|片名|导演|编剧|主演|作词|作曲|演唱|地点|会议地点|活动地点|主讲|主讲人|主持|主持人"
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
    values = {i for i in taken if i and i - 1 not in taken and _is_dated(taken[i]) and asks_date(rows[i - 1].text)}
    dated = [i for i in sorted(taken) if i >= page.first and _is_dated(taken[i])]
    for i in tables | cards | values | posts(rows, dated) | _list_of_dates(taken):
        del taken[i]


LONGEST_RUN = 3
"""More rows with nothing but a date, one below the other, are a list of dates."""


def _list_of_dates(taken: dict[int, Taken]) -> set[int]:
    """Rows of a list of dates: without this, a page of nothing else would lose some of them again and again."""
    found: set[int] = set()
    run: list[int] = []
    for i in sorted(i for i, one in taken.items() if one.rule.name == "bare_date"):
        run = [*run, i] if run and i == run[-1] + 1 else [i]
        if len(run) > LONGEST_RUN:
            found.update(run)
    return found


def asks_date(line: str) -> bool:
    """True for a label of a date, with its value in the next row; unless `take` knows it, the date is not the
    article's: 上映日期 / 2017年10月1日."""
    return _DATE_LABEL.fullmatch(line.strip()) is not None


def posts(rows: Sequence[Row], dated: Sequence[int]) -> set[int]:
    """Those dated rows that are a thread's posts: two or more of one label, with other rows between.  dated: sorted."""
    return {
        i
        for pair in pairwise(dated)
        for i in pair
        if pair[1] - pair[0] > 1 and _label(rows[pair[0]].text) == _label(rows[pair[1]].text)
    }


def _label(line: str) -> str:
    """What stands before the row's first digit."""
    return _DIGIT.split(line.strip(), maxsplit=1)[0]


_DIGIT = re.compile(r"\d")


def is_of_card(line: str) -> bool:
    """True if the line begins with a label of a book, a film, a song, an event: an author beside it is theirs."""
    return (":" in line or "：" in line) and _OTHER_CARD.match(line.strip()) is not None


def begins_card(line: str) -> bool:
    """True for a row of a card as it stands beside a title: of a book or a song, of a poem (朝代：唐代), of a document
    (关 键 词：防火)."""
    return (":" in line or "：" in line) and (is_of_card(line) or _TEXT_CARD.match(line.strip()) is not None)


_TEXT_CARD = re.compile("(?:朝代|年代|体裁|體裁|题材|关 ?键 ?[词字]|主 ?题 ?词|内容概述|内容摘要|索 ?引 ?号) ?[:：]")

_DATE_LABEL = re.compile("[一-龥]{0,6}(?:日期|时间|時間|年月|生日) ?[:：]?")


def _has_words(text: str) -> bool:
    """True if more than a date and a time stands in the row."""
    return _LETTERS.search(_DATE_WORDS.sub("", text)) is not None


_LETTERS = re.compile("[A-Za-z一-龥]")
_DATE_WORDS = re.compile("[年月日号时分秒上下午星期周一二三四五六天]")

LAST_ROWS = 3
"""So many rows at the end of the prose may stand below the editor: a line about rights reads like prose."""


MANY_ROWS = 1 << 12
"""What is told by so many rows is not remembered, unless half of the first ones are repeated."""


def _take_rows(page: Page) -> dict[int, Taken]:
    likely = [i for i, row in enumerate(page.rows) if row[0][-1] not in STOP_MARKS and may_tell(row[0])]
    if len(likely) < MANY_ROWS or 2 * len({page.rows[i][0] for i in likely[:MANY_ROWS]}) < MANY_ROWS:
        return {i: one for i in likely if (one := _take_row(page, i))}
    last = {*range(max(page.first, page.last - LAST_ROWS), page.last)}.intersection(likely)
    rows, places = [page.rows[i][0] for i in likely], [_place(page, i) for i in likely]
    key = blake2b("\n".join([*rows, *places]).encode("utf-8", "surrogatepass")).digest()
    found = () if key in _silent else list(take_all(rows, places))
    if not any(found):
        _silent.update({key: None})
    taken = {i: one for i, one in zip(likely, found, strict=False) if one and i not in last}
    return taken | {i: one for i in last if (one := _take_row(page, i))}


# lists that tell nothing: they are asked about again when the document settles, an HTML page's once more
_silent: Remembered[bytes, None] = Remembered(len)


def _take_row(page: Page, i: int) -> Taken | None:
    place = _place(page, i)
    one = take(page.rows[i].text, place)
    if one is None and place == "inside" and i >= page.last - LAST_ROWS:
        one = take(page.rows[i].text, "tail")
        return one if one and one.rule.name == "editor" else None
    return one


def _is_crowd(taken: dict[int, Taken], i: int) -> bool:
    """True if a weak row stands beside one of another rule, and both name persons: 【记者】张三 / 【校对】李四."""
    return _names_staff(taken[i]) and any(
        j in taken and _names_staff(taken[j]) and taken[j].rule != taken[i].rule for j in (i - 2, i - 1, i + 1, i + 2)
    )


def _names_staff(one: Taken) -> bool:
    return one.people and bool(one.values)


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
_FOLLOW = re.compile(r"[+＋]? ?(?:关注|已关注|加关注|關注)")
_POST = re.compile(
    r"^\s*(?:发表于|發表於|发布于|最后发布于) ?\d.*(?:楼层|樓層|只看|阅读模式|倒序|电梯)"  # a forum
    r"|\d{4}.*字数[ :：]?\d"  # a platform of writers
)
_USER = re.compile("[a-z][a-z0-9]{0,20}_?[0-9][a-z0-9_]{0,14}|[a-z]{2,16}_[a-z0-9_]{1,16}")
"""What is posted by an account says so beside its date; a name of small letters and digits is a user's."""

_NO_NAME = re.compile("[,，。!！?？:：;；、《》“”|()（）【】]|^\\d+$")


def _add_names_beside_dates(page: Page, taken: dict[int, Taken]) -> None:
    """Above the article, a name in a row of its own: between the headline and the row with the date, or above a row
    that says that it is an account (企鹅号).  An outlet and an account's name are the source, others the author.

    Between headline and date, what is neither an outlet nor a person counts only if the date has no year (昨天 10:20):
    platforms of accounts write it so; elsewhere it is as often a subtitle or a section."""
    rows = page.rows[: page.first]
    kept = [i for i in range(len(rows)) if i not in taken]
    for i in kept:
        if not (i + 1 in taken or i - 1 in taken or _account_behind(rows, i)):
            continue
        text = rows[i].text.strip()
        if not 2 <= len(text) <= LONGEST_NAME or _NO_NAME.search(text) or names.is_byline(text):
            continue
        behind = _account_behind(rows, i)
        is_account = behind > 0
        if is_outlet(fold(text)) and i - 1 in taken and _is_dated(taken[i - 1]):
            taken[i] = Taken(rule_of_dates("account"), [Value("source", 0, len(text), "metadata.account")])
            return
        followed = next((k for k in (i + 1, i + 2) if k < len(rows) and _FOLLOW.fullmatch(rows[k].text.strip())), 0)
        posted = i + 1 in taken and _POST.search(rows[i + 1].text) is not None
        is_named = (
            is_outlet(fold(text))
            or is_surely_person(text)
            or _USER.fullmatch(text) is not None
            or posted
            or (followed == i + 2 and i + 1 in taken)
            or (i + 1 in taken and _is_recent(rows[i + 1], taken[i + 1]))
        )
        beside_date = is_named and i + 1 in taken and _is_dated(taken[i + 1]) and _is_headline_above(rows, i, taken)
        if not beside_date and not (is_account and any(len(row.text.strip()) > len(text) for row in rows[:i])):
            continue
        rule = rule_of_dates("account")
        if is_account:
            taken.update({k: Taken(rule, []) for k in range(i + 1, behind + 1)})
        if followed:
            taken[followed] = Taken(rule, [])
        is_source = is_account or is_outlet(fold(text)) or (followed and not names.is_person(text))
        field = "source" if is_source else "authors"
        taken[i] = Taken(rule, [Value(field, 0, len(text), rule.id)])
        return


def _account_behind(rows: Sequence[Row], i: int) -> int:
    """The row that says that the name in row `i` is an account's; 0 when none does."""
    for k in (i + 1, i + 2):
        if k >= len(rows):
            return 0
        text = rows[k].text
        if ("号" in text or "自媒体" in text) and _ACCOUNT.fullmatch(fold(text).strip()):
            return k
        if text.strip() != rows[i].text.strip():
            return 0  # the name may stand there twice: below the picture of the account, and beside it
    return 0


def told_above(page: Page, gone: Collection[int]) -> set[int]:
    """The rows above the article that `propose` takes once the rows `gone` are out: also for what stands beside them,
    which `tells` cannot see."""
    left = [i for i in range(page.first) if i not in gone]
    rest = Page([page.rows[i] for i in left] + page.rows[page.first : page.first + 1], len(left), len(left) + 1)
    taken = {k: one for k in range(len(left)) if (one := _take_row(rest, k))}
    _drop_tables(rest, taken)
    _add_names_beside_dates(rest, taken)
    return {left[k] for k, one in taken.items() if not one.weak}


def _is_dated(one: Taken) -> bool:
    return one.rule.name == "bare_date" or any(v.field == "published_at" for v in one.values)


def _is_recent(row: Row, one: Taken) -> bool:
    """True if the date in the row has no year, or is relative to an unknown day."""
    return _is_dated(one) and dates.find(row.text.strip()[: dates.LONGEST]) is None


def _is_headline_above(rows: Sequence[Row], i: int, taken: dict[int, Taken]) -> bool:
    """True if the row right above reads like the headline, which is longer than the name."""
    name = rows[i].text.strip()
    if i and HOST.fullmatch(rows[i - 1].text.strip()):
        i -= 1  # 原创, in a row of its own
    above = taken.get(i - 1)
    if i == 0 or (above and not any(value.field == "title" for value in above.values)) or HOST.fullmatch(name):
        return False
    size = len(rows[i - 1].text.strip())
    return max(SHORTEST_HEADLINE, len(name) + 1) <= size <= LONGEST_TITLE and not is_known_chrome(name)


LONGEST_TITLE = 80
"""A longer row is no headline, in characters."""


def _add_split_dates(text: str, page: Page, taken: dict[int, Taken]) -> None:
    """A date above the article with its year, day and time in lines of their own: 2019 / 09/28 / 10:20."""
    rows = page.rows[: page.first]
    for i in range(len(rows) - 1):
        count = split_date(rows, i)
        if not count or any(j in taken for j in range(i, i + count)):
            continue
        start = rows[i].start + len(rows[i].text) - len(rows[i].text.lstrip())
        end = rows[i + count - 1].start + len(rows[i + count - 1].text.rstrip())
        rule = rule_of_dates()
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
    return rule.field == "source" and is_outlet(fold(text))


_OFFICE = re.compile("[一-龥]{2,20}(?:政府|局|委|委员会|办公室|办公厅|部|厅|院|处)")


def _is_office(text: str) -> bool:
    return _OFFICE.fullmatch(text) is not None


def tells(line: str) -> bool:
    """True if the line tells something about the article, so that no other cleaner may take it."""
    if len(line.strip()) > LONGEST_ROW:
        return False
    taken = take(line, "head") or take(line, "tail")
    return taken is not None and not taken.weak and any(value.field for value in taken.values)


def ends_article(line: str) -> bool:
    """True if the line names the editor: what follows it is no article."""
    taken = take(line, "tail")
    return taken is not None and any(value.field == "editor" for value in taken.values)
