"""Spaces, ellipses and dashes: what is a run of characters rather than one mark."""

from __future__ import annotations

import re

from .marked_line import LETTER, LETTERS, MarkedLine
from .quotes import is_wide

SPACE = "punctuation.space"
ELLIPSIS = "punctuation.ellipsis"
DASH = "punctuation.dash"

_DOTS = re.compile(r"(?:\.{3,}|。{3,}|…|[・·･]{3,})+")
_LEADER = re.compile(r"[ \u3000]*+\d*+[ \u3000]*+$")  # behind the dots of a table of contents
_LONGEST_ELLIPSIS = 8  # more dots are a form to fill in or a leader
_HYPHENS = re.compile(r"[-—]{2,}|–{2,}")
_BEFORE_NO_SPACE = frozenset("，。；：？！、）》〉】〕」』％")
_AFTER_NO_SPACE = frozenset("，；、")
_AFTER_ONE_SPACE = frozenset("。：？！")
_OPENING = frozenset("（《〈【〔「『")
_GAP = "[ \u3000\xa0]"  # a tab parts columns
_BEHIND = re.escape("".join(sorted(_AFTER_NO_SPACE | _AFTER_ONE_SPACE | _OPENING | {"）"})))
_BEFORE = re.escape("".join(sorted(_BEFORE_NO_SPACE | {"（"})))
_SPACES = re.compile(rf"{_GAP}(?:(?<=[{_BEHIND}].)|(?<!{_GAP}.)(?={_GAP}*+[{_BEFORE}])){_GAP}*+")  # beside marks
_SPACED = re.compile(
    rf"(?<![{LETTERS}])(?<![{LETTERS}]{_GAP})(?:[{LETTERS}]{_GAP}){{3,}}+[{LETTERS}](?!{_GAP}?[{LETTERS}])"
)
# single characters that are listed with spaces between: numbers, weekdays, stems and branches, seasons, directions …
LISTED = frozenset(
    "一二三四五六七八九十百千万日月火水木金土甲乙丙丁戊己庚辛壬癸子丑寅卯辰巳午未申酉戌亥"
    "春夏秋冬东東南西北中上下左右前后後男女"
)


def has_runs(line: MarkedLine) -> bool:
    """Whether a line has any dots or dashes that `runs` looks at."""
    text = line.before
    if "…" in line.joined() or "—" in text or "--" in text or "––" in text:
        return True
    return "..." in text or "。。。" in text or "···" in text or "・・・" in text or "･･･" in text


def runs(line: MarkedLine, lost: bool) -> None:
    """Ellipses and dashes.  lost: whether hyphens alone may be a dash; else only runs that hold a dash are touched"""
    _dots(line)
    _dashes(line, lost)


def _dots(line: MarkedLine) -> None:
    """`...`, `。。。` and a single `…` behind Chinese text become `……` (GB/T 15834-2011, 4.11)."""
    for found in _DOTS.finditer(line.joined()):
        start, end = found.span()
        if found[0] == "……" or end - start > _LONGEST_ELLIPSIS or line.is_protected(start):
            continue
        if found[0].strip("…") == "" and end - start > 3:
            continue
        if end - start > 6 and _LEADER.match(line.before, end):
            continue
        left, right = _word_before(line, start), line.char(end)
        if is_wide(left) or (left in "\n“‘" and (is_wide(right) or right in "”’")):
            line.change(start, end, "……", ELLIPSIS)


def _dashes(line: MarkedLine, lost: bool) -> None:
    """Two or more hyphens or dashes between Chinese words become `——` (GB/T 15834-2011, 4.10)."""
    for found in _HYPHENS.finditer(line.joined()):
        start, end = found.span()
        if end - start > 4 or line.is_protected(start) or found[0].strip("—") == "":
            continue
        if not lost and found[0].strip("-") == "":
            continue
        left = _word_before(line, start - (line.char(start - 1) == " "))
        right = line.char(end + (line.char(end) == " " and left != "\n"))
        if (is_wide(left) or left == "\n") and (is_wide(right) or right in '“‘"\n') and left != right:
            line.change(start, end, "——", DASH)


def _word_before(line: MarkedLine, place: int) -> str:
    """The last character before a place, behind quotation marks and ASCII marks."""
    place -= 1
    lowest = place - 4
    while place > lowest and line.char(place) in "”’\"'—,;:?!)\0":
        place -= 1
    return line.char(place)


def spaces(line: MarkedLine) -> None:
    """Takes spaces away beside full-width marks. Two and more behind a sentence stay: a paragraph may begin there."""
    if not _has_space(line.before):
        return
    text, size = line.text, len(line.text)
    has_protected = line.has_protected()
    for found in _SPACES.finditer(line.joined()):
        start, end = found.span()
        left, right = text[start - 1] if start else "\n", text[end] if end < size else "\n"
        if left == "\n" or right in "\r\n" or (has_protected and line.is_protected(start)):
            continue
        if (
            left in _AFTER_NO_SPACE
            or left in _OPENING
            or (left in _AFTER_ONE_SPACE and end - start == 1)
            or (right in _BEFORE_NO_SPACE and left not in _AFTER_ONE_SPACE)
            or (right == "（" and line.before[end] == "(" and LETTER.match(left))
            or (left == "）" and line.before[start - 1] == ")" and LETTER.match(right))
        ):
            line.change(start, end, "", SPACE)


def _has_space(text: str) -> bool:
    return " " in text or "\u3000" in text or "\xa0" in text


def close_up(line: MarkedLine) -> None:
    """Closes letter-spaced runs of four and more single characters: `重 要 通 知`."""
    if not _has_space(line.before):
        return
    for found in _SPACED.finditer(line.before):
        if sum(char in LISTED for char in found[0][::2]) * 2 >= len(found[0][::2]):
            continue
        line.remove(range(found.start() + 1, found.end(), 2), SPACE)
