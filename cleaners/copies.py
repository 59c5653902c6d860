"""Copies: whether one of two paragraphs repeats the other, whole, damaged or in part, and which of the two goes.

- A paragraph that holds all of the other one and more stays, wherever it stands.
- Of two that differ in damaged characters, the clearly sounder one stays.
- Of two that hold the same, the first stays.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from rapidfuzz import fuzz

from . import meant_repeats
from .meant_repeats import SHORTEST_DISTANT, may_go
from .paragraph_text import LETTER, PageText, ParagraphText, ends_sentence
from .slips import DAMAGED, Changes, are_slips, changes_between, damage, information

# All lengths are in letters.
SHORTEST_EXACT = 24
SHORTEST_PART = 24
SHORTEST_FUZZY = 40
SHORTEST_QUOTED = 40  # a paragraph of dialogue
LONGEST_COMPARED = 5_000  # the comparison takes time in proportion to the product of the lengths
LONGEST_SEARCHED = 2_000  # for damaged parts, which takes even longer
SIMILAR = 90.0  # rapidfuzz's ratio, 0 to 100: copies with 8 % of their characters changed have 91 and more
ALIKE = 80.0  # the same, before letters and punctuation are told apart: a first and rough test
SHARED_DAMAGED = 0.4  # part of the shorter paragraph that must be whole clauses of a longer one that holds it damaged

_DIALOGUE = re.compile(r"\s*(?:“[^“”]*”|「[^「」]*」)\s*\Z")
_QUOTES_OPEN = frozenset('“‘「『《〈：:"')
_ELLIPSIS = re.compile(r"(?:…|\.\.\.)\s*\Z")


class Removal(NamedTuple):
    """A paragraph goes because its text stands in paragraph `keeper` (a line number), from letter `place` on."""

    keeper: int
    place: int
    rule: str


def compare(page: PageText, earlier: int, later: int, shared: int, near: bool) -> Removal | None:
    """Why one of two paragraphs goes: the one that the removal does not keep; None if both stay.

    earlier, later  line numbers
    shared          characters in clauses that both have
    near            True if no other article of a page can stand between them, or between copies of them

    The cheap tests come first.
    """
    old, new = page.lines[earlier], page.lines[later]
    alike = len(old) <= 1.2 * len(new) and len(new) <= 1.2 * len(old)
    if alike and max(len(old), len(new)) <= LONGEST_COMPARED and not _is_alike(old, new):
        return None
    was, now = page.paragraph(earlier), page.paragraph(later)
    a, b = was.letters, now.letters
    if a == b:
        return _compare_equal(page, earlier, later, near)
    small = min(len(a), len(b))
    if small < SHORTEST_PART:
        return None
    if alike and small >= SHORTEST_FUZZY:
        if was.words == now.words:
            return None  # they differ in numerals only
        if changes := _fuzzy_changes(was, now):
            return _compare_damaged(page, earlier, later, changes)
    shorter, longer = (later, earlier) if len(b) <= len(a) else (earlier, later)
    place = _part(page, shorter, longer, shared, near)
    if place is None or (alike and was.words == now.words):
        return None
    return Removal(longer, place, "duplicates.contained")


def _is_alike(line: str, other: str) -> bool:
    return fuzz.ratio(line, other, score_cutoff=ALIKE) > 0


# ---------------------------------------------------------------- the same letters


def _compare_equal(page: PageText, earlier: int, later: int, near: bool) -> Removal | None:
    paragraph = page.paragraph(later)
    size = len(paragraph.letters)
    if size < (SHORTEST_EXACT if near else SHORTEST_DISTANT):
        return None
    if size < SHORTEST_QUOTED and _DIALOGUE.match(paragraph.raw):
        return None
    if paragraph.numbers != page.paragraph(earlier).numbers or not may_go(page, later, earlier):
        return None
    return Removal(earlier, 0, "duplicates.exact")


# ---------------------------------------------------------------- some letters damaged


def _fuzzy_changes(old: ParagraphText, new: ParagraphText) -> Changes:
    """The changes that lead from one paragraph to the other, if there are few and all are slips; else nothing."""
    a, b = old.letters, new.letters
    small, large = sorted((len(a), len(b)))
    if small < SHORTEST_FUZZY or large > LONGEST_COMPARED or small < large * 0.85:
        return []
    if old.numbers != new.numbers and _digits(a) == _digits(b):
        return []  # 1.5 and 15
    if not fuzz.ratio(a, b, score_cutoff=SIMILAR):
        return []
    changes = changes_between(a, b)
    return changes if are_slips(changes) else []


def _digits(letters: str) -> str:
    return "".join(filter(str.isdigit, letters))


def _compare_damaged(page: PageText, earlier: int, later: int, changes: Changes) -> Removal | None:
    old, new = page.paragraph(earlier), page.paragraph(later)
    certain = new.is_prose and damage(changes) >= DAMAGED
    if not certain and not may_go(page, later, earlier):
        return None
    better = information(new.letters) - information(old.letters) >= DAMAGED
    return Removal(later if better else earlier, 0, "duplicates.fuzzy")


# ---------------------------------------------------------------- a part of the other


def _part(page: PageText, shorter: int, longer: int, shared: int, near: bool) -> int | None:
    """Letter of the longer paragraph at which the shorter one stands in it; None if it does not or both stay."""
    short, long = page.paragraph(shorter), page.paragraph(longer)
    if len(short.letters) < (SHORTEST_PART if near else SHORTEST_DISTANT):
        return None
    place = long.letters.find(short.letters)
    exact = place >= 0
    much_longer = len(long.letters) > 1.1 * len(short.letters)
    if not exact and much_longer and shared >= SHARED_DAMAGED * len(short.letters):
        place = _damaged_part(short.letters, long.letters)
    if place < 0 or _is_quoted(long, place):
        return None
    window = long.raw[long.place(place) : long.place(place + len(short.letters) - 1) + 1]
    if ParagraphText(window).numbers != short.numbers if exact else short.numbers not in long.numbers:
        return None
    if _DIALOGUE.match(short.raw):
        return None
    if exact and _is_cut(long, place, len(short.letters)) and not meant_repeats.refers_back(short.raw):
        return place if short.is_piece and not meant_repeats.is_verse(page, shorter) else None
    return place if _is_whole(short.body) and may_go(page, shorter, longer) else None


def _damaged_part(short: str, long: str) -> int:
    """Letter of `long` at which a damaged copy of `short` begins; -1 if there is none."""
    if len(long) > LONGEST_SEARCHED or len(short) < SHORTEST_FUZZY:
        return -1
    found = fuzz.partial_ratio_alignment(short, long, score_cutoff=SIMILAR)
    if found is None or found.src_start or found.src_end < len(short):
        return -1
    window = long[found.dest_start : found.dest_end]
    # at its ends the window slides over what differs there: 甲方 and 乙方
    if short[:2] != window[:2] or short[-2:] != window[-2:] or not are_slips(changes_between(short, window)):
        return -1
    return int(found.dest_start)


def _is_quoted(paragraph: ParagraphText, place: int) -> bool:
    """True if the letter with that number follows an opening quotation mark or a colon."""
    position = paragraph.place(place)
    return position > 0 and paragraph.raw[position - 1] in _QUOTES_OPEN


def _is_cut(paragraph: ParagraphText, place: int, size: int) -> bool:
    """True if that many letters from that place on begin or end inside a clause, as no author quotes."""
    raw = paragraph.raw
    start, last = paragraph.place(place), paragraph.place(place + size - 1)
    return LETTER.match(raw[start - 1 : start]) is not None or LETTER.match(raw[last + 1 : last + 2]) is not None


def _is_whole(body: str) -> bool:
    """True for a paragraph that ends a sentence, was cut off where a teaser says so, or is several sentences."""
    return ends_sentence(body) or _ELLIPSIS.search(body) is not None or "。" in body
