"""Repeated sentences: sentences that directly follow their own copy, inside a paragraph or where two meet."""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import NamedTuple

from . import meant_repeats
from .copies import SHORTEST_EXACT, SHORTEST_PART
from .duplicate_candidates import Pairs
from .paragraph_text import PageText, ParagraphText, Sentence, ends_sentence

LONGEST_REPEAT = 8  # sentences that are repeated together


class Cut(NamedTuple):
    """line[start:end] goes, because it repeats what stands in line number `keeper` from `position` on."""

    start: int
    end: int
    keeper: int
    position: int


def find(page: PageText, pairs: Pairs, removed: Container[int]) -> dict[int, list[Cut]]:
    """Line number -> what goes of it, for paragraphs that stay.

    pairs    which lines share clauses with which, as `duplicate_candidates.candidates` gives them
    removed  numbers of the lines that go as a whole
    """
    found: dict[int, list[Cut]] = {}
    for line, others in pairs.items():
        if line in removed or max(others.values()) < SHORTEST_EXACT:
            continue
        cuts = _inside(page, line) if line in others else []
        if not cuts:
            before = _before(page, line, removed)
            cuts = _at_joint(page, before, line) if before in others else []
        if cuts and page.paragraph(line).is_prose and not meant_repeats.is_verse(page, line):
            found[line] = cuts
    return found


def _before(page: PageText, line: int, removed: Container[int]) -> int:
    """The paragraph that will stand before this one, as a line number; -1 for none."""
    before = page.neighbour(line, -1)
    while before in removed:
        before = page.neighbour(before, -1)
    return before


def _inside(page: PageText, line: int) -> list[Cut]:
    """Cuts of sentences that directly follow their own copy."""
    raw, sentences = page.lines[line], page.paragraph(line).sentences
    cuts: list[Cut] = []
    kept: list[Sentence] = []
    last: dict[str, int] = {}  # letters of a sentence -> its last place in `kept`
    number = 0
    while number < len(sentences):
        before = last.get(sentences[number].letters, len(kept))
        count = min(len(kept) - before, LONGEST_REPEAT + 1)
        new = sentences[number : number + count]
        if 0 < count <= LONGEST_REPEAT and _is_repeat(kept[before:], new, raw):
            cuts.append(Cut(new[0].start, new[-1].end, line, kept[before].start))
            number += count
            continue
        last[sentences[number].letters] = len(kept)
        kept.append(sentences[number])
        number += 1
    return cuts


def _at_joint(page: PageText, before: int, line: int) -> list[Cut]:
    """A cut of the sentences at the beginning of `line` with which the paragraph before it ends."""
    old, new = page.paragraph(before).sentences, page.paragraph(line).sentences
    for count in range(min(len(old), len(new) - 1, LONGEST_REPEAT), 0, -1):
        if not _say_the_same(old[-count:], new[:count]):
            continue
        raw = page.lines[line]
        start, end = len(raw) - len(raw.lstrip()), new[count - 1].end
        if _size(new[:count]) >= SHORTEST_PART and _balanced(raw[start:end]):
            return [Cut(start, end, before, old[-count].start)]
        return []
    return []


def _is_repeat(old: Sequence[Sentence], new: Sequence[Sentence], raw: str) -> bool:
    """True if these sentences of one paragraph say the same, at enough length."""
    if not _say_the_same(old, new) or _size(new) < SHORTEST_EXACT:
        return False
    before, after = raw[old[0].start : old[-1].end], raw[new[0].start : new[-1].end]
    same_numbers = ParagraphText(before).numbers == ParagraphText(after).numbers
    return same_numbers and ends_sentence(after) and _balanced(after)


def _say_the_same(old: Sequence[Sentence], new: Sequence[Sentence]) -> bool:
    return [sentence.letters for sentence in old] == [sentence.letters for sentence in new]


def _size(sentences: Sequence[Sentence]) -> int:
    return sum(len(sentence.letters) for sentence in sentences)


def _balanced(raw: str) -> bool:
    """True if as many quotation marks open as close."""
    return all(raw.count(left) == raw.count(right) for left, right in ("“”", "「」", "『』", "（）"))
