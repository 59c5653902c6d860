"""Dates as Chinese pages write them, as ISO 8601."""

from __future__ import annotations

import re
from datetime import date
from functools import cache

# longer texts are no dates: bounds the work on hostile input
LONGEST = 60
EARLIEST, LATEST = 1800, 2100

_DIGITS = {**{c: i for i, c in enumerate("〇一二三四五六七八九")}, "○": 0, "零": 0, "Ｏ": 0, "元": 1, "两": 2}
_CN = "〇○零一二三四五六七八九十"
_MONTHS = {
    m: i for i, m in enumerate(["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], 1)
}

_WIDTH = {i + 0xFEE0: chr(i) for i in range(0x21, 0x7F)} | {0x3000: " ", 0xA0: " ", 0x09: " ", 0x0A: " "}
_HAS_WIDTH = re.compile("[" + re.escape("".join(map(chr, _WIDTH))) + "]")


@cache
def _forms() -> tuple[tuple[re.Pattern[str], ...], tuple[re.Pattern[str], ...]]:
    """Full dates, each with the groups era, year, month, day that it knows; the first that matches decides: those with
    年, then those with a year in digits (18.., 19.., 20..) and marks."""
    year = r"(?P<year>(?:1[89]|20)\d\d)"
    month, day = r"(?P<month>1[0-2]|0?[1-9])", r"(?P<day>3[01]|[12]\d|0?[1-9])"
    han_year, han = rf"(?P<year>[{_CN}]{{4}})", rf"[{_CN}]{{1,3}}"
    patterns = (
        rf"(?:公元)?{year} ?年 ?{month} ?月 ?{day} ?[日号]?",
        rf"(?:公元)?{han_year}年(?P<month>{han})月(?P<day>{han})[日号]?",
        rf"(?P<era>民国|民國) ?(?P<year>\d{{1,3}}|[元{_CN}]{{1,4}}) ?年 ?"
        rf"(?P<month>\d{{1,2}}|{han}) ?月 ?(?P<day>\d{{1,2}}|{han}) ?[日号]?",
        rf"{year}(?P<s>[-./]) ?{month}(?P=s) ?{day}(?!\d(?!\d?:\d\d))",
        rf"(?<!\d){year} {{1,3}}{month}[/-]{day}(?!\d)",
        rf"(?<!\d){year}(?P<month>0[1-9]|1[0-2])(?P<day>0[1-9]|[12]\d|3[01])(?!\d)",
        rf"(?<!\d)(?P<day>3[01]|[12]\d|0?[1-9])(?P<s>[-./])(?P<month>1[0-2]|0?[1-9])(?P=s){year}(?!\d)",
        rf"(?P<month>[A-Za-z]{{3,9}})\.? {day}, ?{year}",
    )
    compiled = tuple(re.compile(p) for p in patterns)
    return compiled[:3], compiled[3:]


def _likely_forms(flat: str) -> tuple[re.Pattern[str], ...]:
    """The forms of which the text has what they need."""
    han, others = _forms()
    if "20" in flat or "19" in flat or "18" in flat:
        return (*han, *others) if "年" in flat else others
    return han if "年" in flat else ()


_ZONE = r"(?P<zone>Z|UTC|GMT)?(?P<offset>[+-]\d\d:?\d\d)?"
_TIME = re.compile(
    r"(?P<half>凌晨|早上|清晨|上午|中午|下午|傍晚|晚上|晚|[AaPp]\.?[Mm]\.?)? ?"
    r"(?P<hour>[01]?\d|2[0-4]) ?[:时時点點] ?"
    r"(?:(?P<minute>[0-5]?\d) ?(?:[:分] ?(?:(?P<second>[0-5]?\d)(?:\.\d{1,6})? ?秒?)?)?|(?P<named>半|整|一刻|三刻))? ?"
    rf"(?P<half2>[AaPp]\.?[Mm]\.?)? ?{_ZONE}"
)
_NAMED_MINUTES = {"半": 30, "整": 0, "一刻": 15, "三刻": 45}
_BETWEEN = re.compile(r"[ ,T]{0,6}(?:HKT|CST|北京时间)?(?:[(\[]?(?:星期|周|礼拜|週)[一二三四五六日天][)\]]?)?[ ,]{0,6}")


def parse(text: str, timezone: str) -> str:
    """The date, and the time if there is one, that stands in `text`, as ISO 8601.

    timezone  offset from UTC, for example `+08:00`, for a time that states none

    "2014-03-04T17:26:00+08:00" with a time, "2014-03-04" without; "" when there is no full date, when it is
    impossible (31 February), or when the text says it relative to an unknown day (3小时前).  Day-first is read
    only where the year comes last (25.11.2019).
    """
    found = find(text)
    if not found:
        return ""
    day, clock, zone, _, _ = found
    return f"{day}T{clock}{zone or timezone}" if clock else day


def find(text: str) -> tuple[str, str, str, int, int] | None:
    """The first date in `text`: (day, time or "", its own zone or "", start, end), or None."""
    if len(text) > LONGEST:
        return None
    flat = text.translate(_WIDTH) if _HAS_WIDTH.search(text) else text
    for form in _likely_forms(flat):
        match = form.search(flat)
        day = _day(match.groupdict()) if match else ""
        if match and day:
            clock, zone, end = _clock(flat, match.end())
            return day, clock, zone, match.start(), end
    return None


def _day(parts: dict[str, str | None]) -> str:
    year, month, day = _number(parts["year"] or ""), _number(parts["month"] or ""), _number(parts["day"] or "")
    if parts.get("era"):
        year += 1911  # the first year of the Republic is 1912
    if not EARLIEST <= year <= LATEST:
        return ""
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        return ""


def _number(text: str) -> int:
    """一九九八 -> 1998, 二十三 -> 23, 十 -> 10, Jan -> 1, 07 -> 7; 0 when it is none."""
    if text.isdecimal() and text.isascii():
        return int(text)
    if text[:3].lower() in _MONTHS:
        return _MONTHS[text[:3].lower()]
    if "十" in text:
        tens, _, ones = text.partition("十")
        if len(tens) > 1 or len(ones) > 1 or "十" in ones:
            return 0
        return _DIGITS.get(tens, 1) * 10 + _DIGITS.get(ones, 0)
    number = 0
    for c in text:
        number = number * 10 + _DIGITS.get(c, 0)
    return number


def _clock(flat: str, end: int) -> tuple[str, str, int]:
    """The time of day behind a date that ends at `end`: ("17:26:00" or "", zone or "", end)."""
    gap = _BETWEEN.match(flat, end)
    match = _TIME.match(flat, gap.end() if gap else end)
    if not match:
        return "", "", end
    hour, minute = int(match["hour"]), int(match["minute"] or _NAMED_MINUTES.get(match["named"] or "", 0))
    half = (match["half"] or match["half2"] or "").replace(".", "").lower()
    is_evening = half in ("下午", "傍晚", "晚上", "晚", "pm") and 1 <= hour < 12
    if is_evening or (half == "中午" and 1 <= hour < 4):
        hour += 12
    elif half in ("凌晨", "上午", "am") and hour == 12:
        hour = 0
    if hour > 23:
        return "", "", end
    zone = match["offset"] or ("+00:00" if match["zone"] else "")
    if zone and ":" not in zone:
        zone = f"{zone[:3]}:{zone[3:]}"
    return f"{hour:02}:{minute:02}:{int(match['second'] or 0):02}", zone, match.end()
