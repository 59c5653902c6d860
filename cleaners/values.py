"""Values of metadata: what lifted characters mean, and which of several values wins (docs/decisions/0030)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache
from typing import NamedTuple

from . import dates, html_metadata, names
from .rule_files import load


def value(field: str, before: str, timezone: str) -> str | list[str]:
    """The value of a field from the characters that an edit lifted.

    published_at   ISO 8601, "" when there is no full date (see dates.parse)
    authors        the names, in order
    keywords       the words, in order
    others         the text, in one line, without brackets and marks around it

    Several edits may carry one field.  `choose` says which one wins.
    """
    if field == "published_at":
        return dates.parse(before, timezone)
    plain = _bare(before)
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
    values = (  # a list may have a million, of which the first tell
        (one, it)
        for it in found
        if is_fallback(field, it.rule) == fallback and (one := value(field, it.before, timezone))
    )
    first, lifted = next(values, ("", None))
    if lifted is None:
        return [] if field in ("authors", "keywords") else ""
    if field == "published_at" and isinstance(first, str) and "T" not in first:
        return next((one for one, _ in values if isinstance(one, str) and one.startswith(first + "T")), first)
    return _together(first, lifted, values) if field == "authors" else first


def _together(first: str | list[str], last: Lifted, others: Iterable[tuple[str | list[str], Lifted]]) -> list[str]:
    """The authors of the first value and of those that stand right behind it."""
    people = list(first)
    for one, lifted in others:
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
