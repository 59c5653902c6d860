"""Metadata: lines about the article (source, date, editor …) become fields.

A row is cut into tokens: labels with their values (来源:山河日报), bare dates, counts (阅读 12), buttons (打印) and free
text.  Only a row that is nothing else but such tokens is taken out; the labels are in rules/metadata/*.toml.  Bylines
that readers see as part of the article (本报记者 …) are none of these rows: they stay.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import NamedTuple

from . import dates, names
from .config import Config
from .edits import Edit
from .prose import read
from .rule_files import Patterns, Rule, Words, fold, lift, load

LONGEST_ROW = 200
"""Longer rows are not about the article, in characters."""

LONGEST_FREE = 16
"""Text without a label in such a row (the name of a newspaper) is at most this long, in characters."""

_SEPARATORS = " |·•●▪■◆-—/\\[]【】()<>《》,;:、~_"
_STOPS = re.compile("[。!?;…“”\"]")


class Token(NamedTuple):
    """folded[start:end] of a row.  kind: value (of `rule`, with its field), date, count, button, free."""

    kind: str
    rule: Rule | None
    field: str
    start: int
    end: int


class _Tables(NamedTuple):
    label: re.Pattern[str]
    bare_label: re.Pattern[str]
    rules: dict[str, Rule]
    patterns: Patterns
    buttons: Words


@cache
def _tables() -> _Tables:
    rules = load("metadata")
    by_label = {label: rule for rule in reversed(rules) for label in rule.labels}
    ordered = sorted(by_label, key=lambda label: (-len(label), label))
    # letter-spaced labels (作  者) are usual
    spaced = "|".join(" {0,3}".join(map(re.escape, label)) for label in ordered)
    buttons = [rule for rule in load("chrome") if rule.name == "tool_buttons"]
    return _Tables(
        re.compile(rf"({spaced}) ?(?::|\]:?|】:?)"),
        re.compile(rf"({spaced})(?=[ ]|[^ :]{{1,20}}(?:[ |]|$))"),
        {label: rule for label, rule in by_label.items()},
        Patterns(rule for rule in rules if rule.pattern),
        Words(buttons),
    )


_DATE = re.compile(r"(?:19|20)\d\d ?[-./年]|[〇○零一二三四五六七八九]{4}年|\d{1,2}[-./]\d{1,2}[-./](?:19|20)\d\d|民国|20\d{6}")
_COUNT = re.compile(
    r"(?:(?:已有)? ?\d[\d,.]{0,9} ?万? ?(?:次|人|条|个)? ?(?:阅读|浏览|评论|回复|点击|参与|跟贴|跟帖)(?:量|数)?"
    r"|(?:阅读|浏览|点击|评论|人气|热度|访问)(?:量|数|次数)? ?[:(]? ?\d[\d,.]{0,9} ?(?:次|人|条)?[)]?)"
)


def propose(text: str, config: Config) -> Iterator[Edit]:
    """Yields, for every row about the article, edits with `field` for the values and without for the rest."""
    page = read(text)
    for i, row in enumerate(page.rows):
        inside = page.first <= i < page.last
        if len(row.text) > LONGEST_ROW:
            continue
        shift = row.start + len(row.text) - len(row.text.lstrip())
        place = "inside" if inside else "head" if i < page.first else "tail"
        if page.first == page.last:
            place = "head" if i < HEAD_ROWS else "tail"
        taken = _take(row.text, place)
        if not taken:
            continue
        rule, spans = taken
        end = row.end + 1 if row.end < len(text) else row.end
        yield from lift(text, row.start, end, rule.id, [(f, a + shift, b + shift) for f, a, b in spans])


HEAD_ROWS = 6
"""Without any prose, so many rows at the top count as the head."""


def tells(line: str) -> bool:
    """True if the line tells something about the article, so that no other cleaner may take it."""
    taken = _take(line, "head") or _take(line, "tail")
    return bool(taken and taken[1])


def buttons(line: str) -> list[tuple[int, int]]:
    """Where buttons (打印, 字号) stand in a line about the article: (start, end) with the space before them."""
    if not tells(line):
        return []
    shift = len(line) - len(line.lstrip())
    return [(t.start + shift, t.end + shift) for t in _tokens(fold(line).strip()) if t.kind == "button"]


def _take(line: str, place: str) -> tuple[Rule, list[tuple[str, int, int]]] | None:
    """The rule that takes the line at this place, and (field, start, end) of the values; None: the line stays."""
    folded = fold(line).strip()
    if not folded or _STOPS.search(folded) or folded[-1] in ",.":
        return None
    rule = _tables().patterns.find(folded)
    if rule and _fits_place(rule, place):
        match = rule.compiled.fullmatch(folded)
        groups = match.groupdict() if match else {}
        spans = [(name, *match.span(name)) for name in groups if match and groups[name]]
        if all(_fits(name, folded[a:b]) for name, a, b in spans):
            return rule, spans
    tokens = _tokens(folded)
    rule = _judge(folded, tokens, place)
    return (rule, _spans(folded, tokens)) if rule else None


def _fits_place(rule: Rule, place: str) -> bool:
    return rule.where in ("anywhere", place) or (rule.where == "edge" and place != "inside")


def _judge(folded: str, tokens: list[Token], place: str) -> Rule | None:
    """The rule in whose name the row goes, or None."""
    free = [t for t in tokens if t.kind == "free"]
    dated = [t for t in tokens if t.kind == "date"]
    values = [t for t in tokens if t.kind == "value"]
    if not tokens or len(free) > 1 or len(dated) > 1:
        return None
    if free and (free[0].end - free[0].start > LONGEST_FREE or not (dated or len(values) > 1)):
        return None
    if free and place != "head":
        return None
    if any(t.rule and not _fits_value(t.rule, folded[t.start : t.end]) for t in values):
        return None
    if not values:
        return _bare_date_rule(folded, tokens, place)
    rules = [t.rule for t in values if t.rule]
    fitting = [rule for rule in rules if _fits_place(rule, place)]
    several = len(rules) + len(dated) > 1
    if fitting and (several or not fitting[0].weak):
        return fitting[0]
    return rules[0] if several and place != "inside" else None


def _bare_date_rule(folded: str, tokens: list[Token], place: str) -> Rule | None:
    """A date without a label counts above the article, and only in a form that prose does not use: with a time of
    day, or in numbers alone (a letter or diary may well begin with 五月一日)."""
    if place != "head" or not any(t.kind == "date" for t in tokens):
        return None
    date = next(t for t in tokens if t.kind == "date")
    written = folded[date.start : date.end]
    others = len(tokens) > 1
    if ":" not in written and ("年" in written or others and len(tokens) == 2 and tokens[1].kind == "free"):
        return None
    return _date_rule()


@cache
def _date_rule() -> Rule:
    return next(rule for rule in load("metadata") if rule.name == "bare_date")


def _spans(folded: str, tokens: list[Token]) -> list[tuple[str, int, int]]:
    fields = {t.field for t in tokens}
    spans = []
    for t in tokens:
        field = t.field
        if t.kind == "free" and "source" not in fields and _is_outlet(folded[t.start : t.end]):
            field = "source"
        if field and t.start < t.end:
            spans.append((field, t.start, t.end))
    return spans


_OUTLET = re.compile(r"[一-龥A-Za-z0-9·]{1,12}(?:网|报|社|台|在线|新闻|日报|晚报|早报|周刊|杂志|时报|频道|客户端|之声|传媒|融媒)")


def _is_outlet(text: str) -> bool:
    return _OUTLET.fullmatch(text) is not None


def _fits(field: str, value: str) -> bool:
    """Whether the text can be the value of the field."""
    if field == "published_at":
        return dates.find(value) is not None
    return 0 < len(value.strip()) <= 40 and not _STOPS.search(value)


def _fits_value(rule: Rule, value: str) -> bool:
    if not value:
        return True
    if len(value) > rule.longest or _STOPS.search(value):
        return False
    if rule.value == "date":
        return dates.find(value) is not None or _VAGUE_DATE.fullmatch(value) is not None
    if rule.value == "number":
        return value.strip("次人条 ").replace(",", "").isdecimal()
    if rule.value in ("name", "names"):
        return not re.search("[,!?]", value) or rule.value == "names"
    return True


_VAGUE_DATE = re.compile(r"\d{1,3} ?(?:秒|分钟|小时|天|周|个?月|年)前|(?:今|昨|前)天(?: ?\d{1,2}:\d\d)?|刚刚|\d{1,2}[-/月]\d{1,2}日?(?: ?\d{1,2}:\d\d)?")


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
        match = tables.label.match(folded, at)
        if match:
            return _value(folded, match, tables)
    if begins:
        if _DATE.match(folded, at) and (found := dates.find(folded[at : at + dates.LONGEST])) and found[3] == 0:
            return Token("date", None, "published_at", at, at + found[4]), at + found[4]
        if match := _COUNT.match(folded, at):
            return Token("count", None, "", at, match.end()), match.end()
        stop = re.compile(r"[ |\])】]|$").search(folded, at)
        end = stop.start() if stop else len(folded)
        if end > at and tables.buttons.split(folded[at:end].strip(":")) and not folded[at:end].isdigit():
            return Token("button", None, "", at, end), end
        if follows and (match := tables.bare_label.match(folded, at)):
            return _value(folded, match, tables)
    return None, at


def _value(folded: str, match: re.Match[str], tables: _Tables) -> tuple[Token, int]:
    """The value behind a label: up to the next label, bar or button."""
    rule = tables.rules["".join(match[1].split())]
    start = match.end()
    while start < len(folded) and folded[start] in " :":
        start += 1
    end = _value_end(folded, start, rule, tables)
    value = folded[start:end].rstrip(_SEPARATORS.replace(")", "").replace("]", "").replace("》", ""))
    value = value if value.count("(") >= value.count(")") else value.rstrip(") ")
    value = value.rstrip("】] ") if value.count("[") < value.count("]") or value.endswith("】") else value
    return Token("value", rule, rule.field, start, start + len(value)), max(end, start + len(value))


def _value_end(folded: str, start: int, rule: Rule, tables: _Tables) -> int:
    if rule.value == "date" and (found := dates.find(folded[start : start + dates.LONGEST])) and found[3] <= 1:
        return start + found[4]
    end = start
    while end < len(folded):
        c = folded[end]
        if c == "|" or (c == "】" and end > start):
            break
        if c in " )]/,;、" and end > start and _ends_value(folded, end, tables):
            break
        if tables.label.match(folded, end) and end > start:
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
    stop = re.compile(r"[ |\])】]|$").search(folded, begin)
    word = folded[begin : stop.start() if stop else len(folded)].strip("[]【】()")
    return len(word) >= 2 and bool(tables.buttons.split(word)) and not word.isdigit()


# ---------------------------------------------------------------- values


def value(field: str, before: str, timezone: str) -> str | list[str]:
    """The value of a field from the characters that an edit lifted.

    published_at   ISO 8601, "" when there is no full date (see dates.parse)
    authors        the names, in order
    keywords       the words, in order
    others         the text, in one line, without brackets and marks around it

    Several edits may carry one field.  `choose` says which one wins.
    """
    plain = " ".join(before.split()).strip(" :：|·•,，;；、-—()（）[]【】")
    if field == "published_at":
        return dates.parse(before, timezone)
    if field == "authors":
        return names.authors("作者:" + plain) or [part for part in re.split(r"[ 、,，;；/]+", plain) if part]
    if field == "keywords":
        return [part for part in re.split(r"[ 、,，;；|]+", plain) if part]
    return plain


def choose(field: str, befores: Sequence[str], timezone: str) -> str | list[str]:
    """The value that wins among several for one field, in the order of the trail; "" or [] when none is usable.

    The first usable one wins: what stands nearest above the article is set by the page's editors, later ones are
    often the page's own frame.  One exception: a date with a time of day beats the same day without one.  The
    losers stay in the trail.
    """
    values = [one for one in (value(field, before, timezone) for before in befores) if one]
    if not values:
        return [] if field in ("authors", "keywords") else ""
    first = values[0]
    if field == "published_at" and isinstance(first, str) and "T" not in first:
        return next((one for one in values if isinstance(one, str) and one.startswith(first + "T")), first)
    return first
