"""Meant repeats: paragraphs that belong where they stand although the page holds them elsewhere, too.

Refrains of verse and lyrics, entries of a list that continue it, parts of an article of law, answers to other
questions, and what a reply quotes.
"""

from __future__ import annotations

import re

from .paragraph_text import PageText, begins_article, ends_sentence

SHORTEST_DISTANT = 60  # letters; a shorter paragraph may stand under another heading again
LONGEST_VERSE = 60  # letters; a longer paragraph is no line of a poem
LONGEST_ENTRY = 10  # paragraphs between a list's entry and the one before it

LONGEST_SUMMARY = 6  # paragraphs
LONGEST_SUMMARY_HEADING = 12  # characters

_SUMMARY = re.compile(r".{0,8}(?:划重点|核心提示|内容提要|本文要点|要点提示|内容摘要|核心要点|导读)[：:]?")
_REFERS_BACK = re.compile(r"前[一二两三四]?[款条项]|上[述款]|该[款条项]|本(?:[款条项法]|规定|办法|解释|条例)")
_ANSWER = re.compile(r"\s*(?:答|答案|A)[：:]")
_QUOTE = re.compile(r"\s*>\s")
_ORDINAL = re.compile(
    r"\s*(?:第([零〇一二三四五六七八九十百千]+|\d+)([条章节款项])|([(（]?)([零〇一二三四五六七八九十百]+|\d+)[)）、.．])"
)


def may_go(page: PageText, line: int, copy: int) -> bool:
    """True if paragraph `line` may go because paragraph `copy` holds the same: it is prose, and no verse, no entry
    of a list and no part of an article of law that belongs where it stands."""
    if not page.paragraph(line).is_prose or is_verse(page, line) or _continues_list(page, line):
        return False
    if _in_summary(page, line) != _in_summary(page, copy):
        return False
    return not (_belongs_to_article(page, line, copy) or _replies(page, line, copy))


def _in_summary(page: PageText, line: int) -> bool:
    """True for a point of a summary: it stands below a heading that says so.  What it repeats stays."""
    for step in range(-1, -LONGEST_SUMMARY - 1, -1):
        before = page.neighbour(line, step)
        if before < 0:
            return False
        if _SUMMARY.fullmatch(page.lines[before].strip()[-LONGEST_SUMMARY_HEADING:]):
            return True
    return False


def _replies(page: PageText, line: int, copy: int) -> bool:
    """True for the answer to another question than the copy answers, and for what a reply quotes: `> …`."""
    raw, other = page.lines[line], page.lines[copy]
    if _QUOTE.match(raw) and not _QUOTE.match(other):
        return True
    if not _ANSWER.match(raw):
        return False
    question, asked = page.neighbour(line, -1), page.neighbour(copy, -1)
    return question >= 0 and asked >= 0 and page.lines[question].strip() != page.lines[asked].strip()


def is_verse(page: PageText, line: int) -> bool:
    """True if most paragraphs around it are short and end no sentence: a poem, a song, a table, a list."""
    if len(page.paragraph(line).letters) >= LONGEST_VERSE:
        return False
    around = [page.neighbour(line, step) for step in (-4, -3, -2, -1, 1, 2, 3, 4)]
    texts = [page.lines[number] for number in around if number >= 0]
    broken = sum(len(text) <= 30 and not ends_sentence(text) for text in texts)
    return len(texts) >= 3 and broken * 10 >= len(texts) * 6


def refers_back(raw: str) -> bool:
    """True if the text speaks of what stands before it, as laws do: 有前款行为的……"""
    return _REFERS_BACK.search(raw) is not None


def _belongs_to_article(page: PageText, line: int, copy: int) -> bool:
    """True for a paragraph that continues an article of law, if an article begins between it and its copy and it
    is short or refers back."""
    raw = page.lines[line]
    low, high = sorted((page.rank[line], page.rank[copy]))
    if page.articles_before[low + 1] == page.articles_before[high + 1] or begins_article(raw):
        return False
    return len(page.paragraph(line).letters) < SHORTEST_DISTANT or refers_back(raw)


def _continues_list(page: PageText, line: int) -> bool:
    """True for an entry of a list that stands where its number belongs."""
    mine = _ordinal(page.lines[line])
    if mine is None:
        return False
    kind, number = mine
    for step in range(-1, -LONGEST_ENTRY - 1, -1):
        before = page.neighbour(line, step)
        previous = _ordinal(page.lines[before]) if before >= 0 else None
        if previous is not None and previous[0] == kind and (number > 1 or step == -1):
            return previous[1] == number - 1
    after = page.neighbour(line, 1)
    return after >= 0 and _ordinal(page.lines[after]) == (kind, number + 1)


def _ordinal(raw: str) -> tuple[str, int] | None:
    """The kind and the number at the beginning of a list's entry or a law's article: （三）, 3., 第三条."""
    match = _ORDINAL.match(raw)
    if match is None:
        return None
    article, unit, bracket, entry = match.groups()
    written = article or entry
    kind = f"{unit or bracket}{'1' if written.isdecimal() else '一'}"
    return kind, int(written[:9]) if written.isdecimal() else _chinese_number(written)


def _chinese_number(written: str) -> int:
    """第一百二十三 -> 123, for numbers below ten thousand."""
    total = digit = 0
    for mark in written:
        if mark in "十百千":
            total += (digit or 1) * {"十": 10, "百": 100, "千": 1000}[mark]
            digit = 0
        else:
            digit = max("〇一二三四五六七八九".find(mark), 0)
    return total + digit
