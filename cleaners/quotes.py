"""Quotation marks: straight ones become paired curly ones, in a line where all of them pair for certain."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from .marked_line import MARKS, MarkedLine

RULE = "punctuation.quote"
MAINLAND = ("“", "”", "‘", "’")
TRADITIONAL = ("「", "」", "『", "』")

_OPENING = {"“": '"', "‘": "'", "「": "「", "『": "『"}
_CLOSING = {"”": '"', "’": "'", "」": "「", "』": "『"}
_NEVER_AFTER_OPENING = frozenset(" \t\n\xa0\u3000，。；：？！、）》〉】〕,;:?!)")
_NEVER_BEFORE_CLOSING = frozenset(" \t\n\xa0\u3000（《〈【〔：([:")
_QUOTATION = re.compile("[\"'“”‘’「」『』](?:(?<!['’])|(?<![0-9A-Za-z].)|(?![0-9A-Za-z]))")  # no apostrophe of it's
_INNER = re.compile("['‘’]")
_SOME_STRAIGHT = re.compile("[\"'＂＇]")
_DOUBLE = re.compile('["“”]')
_BRACKETS = {"）": "（", "》": "《", "〉": "〈", "】": "【", "」": "「", "』": "『", "”": "“", "’": "‘", ")": "("}
_OPENERS = frozenset(_BRACKETS.values())
PAIRED = frozenset({'"', *_BRACKETS, *_OPENERS})
"""The marks that `unbalanced` looks at."""
_MARK_OF_PAIR = re.compile("[" + re.escape("".join(sorted(PAIRED))) + "]")
_ENDS = frozenset(",.;?!，。；？！…")
_STRAIGHT = frozenset("\"'")
_DOUBLES = frozenset('"“”')
_WORDS = re.compile(r"[*_]*[A-Za-z][0-9A-Za-z]*(?:[ '&-][0-9A-Za-z]+)*[*_.!?]*")


class Pair(NamedTuple):
    """Places of an opening and a closing quotation mark; depth is 0 for outer ones."""

    start: int
    end: int
    depth: int


_KINDS = _OPENING | _CLOSING
_pair = tuple.__new__  # making a Pair by its name takes twice as long


# as is_wide, for any character of a text
_SOME_WIDE = re.compile(f"[\u2e80-\u2fff\u3005-\u9fff\u2460-\u25ff\uf900-\ufaff\U00020000-\U0003ffff{MARKS}]")


def is_wide(char: str) -> bool:
    """Whether a character is a letter or mark of Chinese (or Japanese) text."""
    if "一" <= char <= "龥" or char in MARKS:
        return True
    code = ord(char)
    return (
        (0x2E80 <= code <= 0x9FFF and not 0x3000 <= code <= 0x3004)
        or 0x2460 <= code <= 0x25FF
        or (0xF900 <= code <= 0xFAFF or 0x20000 <= code <= 0x3FFFF)
    )


def _is_latin(char: str) -> bool:
    return char.isascii() and char.isalnum()


def pairs(line: MarkedLine) -> list[Pair] | None:
    """The quotation marks of a line as pairs, or None when one is left over or stands where it cannot."""
    text = line.joined()
    marks = [found.start() for found in _QUOTATION.finditer(text)]
    if line.has_protected():
        marks = [place for place in marks if not line.is_protected(place)]
    found = _pairs(text, marks)
    if found is None or _has_inches(text, found):
        # perhaps they pair without the marks that may be inches: 27"
        without = [place for place in marks if text[place] != '"' or not _is_inch(text, place)]
        found = _pairs(text, without) if len(without) < len(marks) else None
    return found


def _has_inches(text: str, found: Sequence[Pair]) -> bool:
    """May the two marks of any pair be inches?"""
    for start, end, _ in found:
        if text[start] == '"' and _is_inch(text, start) and _is_inch(text, end):
            return True
    return False


def _is_inch(text: str, place: int) -> bool:
    return text[place - 1 : place].isdigit()


def _pairs(text: str, marks: list[int]) -> list[Pair] | None:
    found: list[Pair] = []
    stack: list[tuple[int, str]] = []
    last = len(text) - 1
    for place in marks:
        char = text[place]
        right = text[place + 1] if place < last else "\n"
        if char in "'’":
            left = text[place - 1] if place else "\n"
            if _is_latin(left) and (_is_latin(right) or not _holds(stack, "'")):
                continue  # an apostrophe or feet
        straight = char in _STRAIGHT
        kind = char if straight else _KINDS[char]
        if stack and stack[-1][1] == kind and (straight or char in _CLOSING):
            if straight and not _can_close(text, place):
                return None
            found.append(_pair(Pair, (stack.pop()[0], place, len(stack))))
        elif char in _CLOSING or (straight and right in _NEVER_AFTER_OPENING):
            return None
        elif stack and _holds(stack, kind) and not (char == '"' and len(stack) == 2):
            return None  # only a third level may have the marks of the first: “ ‘ “ ” ’ ”
        else:
            stack.append((place, kind))
    return None if stack else sorted(found)


def _can_close(text: str, place: int) -> bool:
    """Whether a closing mark can stand at a place: not behind an opening one; behind a space only after a mark."""
    left = text[place - 1] if place else "\n"
    if left == " ":
        return place > 1 and text[place - 2] in _ENDS
    return left not in _NEVER_BEFORE_CLOSING


def _holds(stack: list[tuple[int, str]], kind: str) -> bool:
    return any(one == kind for _, one in stack)


def curl(line: MarkedLine, marks: tuple[str, str, str, str], foreign: bool = True, one_sided: bool = False) -> None:
    """Changes the straight quotation marks of a line, if they pair for certain, to `marks`: outer opening, outer
    closing, inner opening, inner closing. English quotations inside English text stay.

    foreign    whether foreign words in a Chinese sentence get Chinese quotation marks
    one_sided  whether the curly marks of the whole document point to the same side
    """
    if line.before.count("“") != line.before.count("”"):
        _turn(line, one_sided)
    if not _SOME_STRAIGHT.search(line.before):
        return
    found = pairs(line)
    if found is None:
        _curl_alternating(line, marks)
        return
    for pair in found:
        start, end, _ = pair
        curly = line.text[start] not in _STRAIGHT and line.text[end] not in _STRAIGHT
        if curly or not _is_chinese(line, pair, foreign):
            continue
        double = line.text[start] in _DOUBLES or line.text[end] in _DOUBLES
        opening, closing = marks[:2] if double else marks[2:]
        line.change(start, start + 1, opening, RULE)
        line.change(end, end + 1, closing, RULE)


def _curl_alternating(line: MarkedLine, marks: tuple[str, str, str, str]) -> None:
    """A line that is a part of a longer speech has one quotation mark without a partner: `…去。"他说:"我`.
    The side of its straight marks is certain where each of them shows it (behind a colon or a full stop) and they
    take turns."""
    text = line.joined()
    places = [found.start() for found in _DOUBLE.finditer(text)]
    sides = [_side(line, place) for place in places]
    turns = all(a and b and a != b for a, b in pairwise(sides))
    if len(places) < 2 or not turns or _INNER.search(text):
        return
    for place, side in zip(places, sides, strict=True):
        if line.text[place] == '"':
            line.change(place, place + 1, marks[0] if side == 1 else marks[1], RULE)


def _side(line: MarkedLine, place: int) -> int:
    """1 for a double mark that opens, 2 for one that closes, 0 for one that does not show it."""
    char, left, right = line.text[place], line.char(place - 1), line.char(place + 1)
    if char != '"':
        return 1 if char == "“" else 2
    if left in ":：\n" and is_wide(right):
        return 1
    if left in ".!?。！？…" and is_wide(line.char(place - 2)) and (right == "\n" or is_wide(right)):
        return 2
    return 0


def _turn(line: MarkedLine, one_sided: bool) -> None:
    """Turns curly marks of which all point to the same side: `“甲“，“乙“。` becomes `“甲”，“乙”。`

    Unless the whole document is so, only where every second one surely closes, because a mark or the end of the line
    follows: else a mark may be missing."""
    text = line.joined()
    places = [found.start() for found in _DOUBLE.finditer(text)]
    if len(places) % 2 or len({text[place] for place in places}) != 1 or text[places[0]] == '"':
        return
    for start, end in zip(places[::2], places[1::2], strict=True):
        if line.char(start + 1) in _NEVER_AFTER_OPENING or line.char(end - 1) in _NEVER_BEFORE_CLOSING:
            return
        if not one_sided and line.char(end + 1) not in _NEVER_AFTER_OPENING:
            return
    for start, end in zip(places[::2], places[1::2], strict=True):
        if text[start] == "”":
            line.change(start, start + 1, "“", RULE)
        else:
            line.change(end, end + 1, "”", RULE)


def restyle(line: MarkedLine, marks: tuple[str, str, str, str]) -> None:
    """Changes all quotation marks of a line in Chinese to the house style, if they pair: outer and inner ones by
    their depth."""
    for pair in pairs(line) or ():
        if not _is_chinese(line, pair):
            continue
        opening, closing = marks[2:] if pair.depth % 2 else marks[:2]
        for place, mark in ((pair.start, opening), (pair.end, closing)):
            if line.text[place] != mark:
                line.change(place, place + 1, mark, RULE)


def _is_chinese(line: MarkedLine, pair: Pair, foreign: bool = True) -> bool:
    """Whether the quotation is Chinese, or some foreign words in a Chinese sentence."""
    if pair.end > pair.start + 1 and "一" <= line.text[pair.start + 1] <= "龥":
        return True
    inside = "".join(line.text[pair.start + 1 : pair.end])
    if _SOME_WIDE.search(inside):
        return True
    if not foreign:
        return False
    left, right = line.char(pair.start - 1), line.char(pair.end + 1)
    if (is_wide(left) and (is_wide(right) or right == "\n")) or (left == "\n" and is_wide(right)):
        return True
    if line.text[pair.start] == "'" or not _WORDS.fullmatch(inside):
        return False
    left = line.char(pair.start - 2) if left == " " else left
    right = line.char(pair.end + 2) if right == " " else right
    return is_wide(left) or is_wide(right)


def unbalanced(paragraph: str) -> list[tuple[int, int]]:
    """Where quotation marks and brackets of a paragraph have no partner: (start, end) in characters, in order.

    An ASCII `)` behind a number or a letter at the start (`1)`) and apostrophes are no brackets and quotes.
    """
    alone: list[int] = []
    stack: list[int] = []
    waiting: dict[str, int] = {}
    for found in _MARK_OF_PAIR.finditer(paragraph):
        place = found.start()
        char = paragraph[place]
        if char == '"':
            char = "”" if waiting.get('"') else "“"
            mark = '"'
        elif char in _OPENERS:
            mark = char
        else:
            mark = _BRACKETS[char]
        if char in _OPENERS:
            stack.append(place)
            waiting[mark] = waiting.get(mark, 0) + 1
            continue
        left, right = paragraph[place - 1 : place], paragraph[place + 1 : place + 2]
        if not waiting.get(mark):
            ignored = (char == "’" and _is_latin(left or "\n")) or (char == ")" and (place <= 3 or left in ":;-"))
            if not ignored:
                alone.append(place)
            continue
        if char == "’" and _is_latin(left) and _is_latin(right or "\n"):
            continue
        while stack:
            opened = stack.pop()
            kind = paragraph[opened]
            waiting[kind] -= 1
            if kind == mark:
                break
            alone.append(opened)
    return [(place, place + 1) for place in sorted(alone + stack)]
