"""Duplicates: text that a page holds twice.

Paragraphs that repeat others, whole, damaged or in part, are removed; the more complete copy stays.

How it works. Clauses that occur twice say which paragraphs may be copies of each other (`duplicate_candidates`), and
each such pair is compared letter by letter (`copies`), in the order of the text. A comparison also says which of the
two stays.

What looks like a copy and stays:
- whatever differs in a numeral, Arabic or Chinese, or in words (articles of law, forms, tables): `slips`;
- headings, titles that the lead repeats, slogans: they end no sentence;
- what another paragraph quotes, and short dialogue;
- entries of lists that continue their own list: （三） after （二）; verse and lyrics, whose refrains are meant:
  `meant_repeats`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import accumulate

from . import copies, repeated_sentences
from .config import Config
from .copies import Removal
from .duplicate_candidates import COMPARED, SHORTEST_SENTENCE, Pairs, candidates
from .edits import Edit
from .meant_repeats import SHORTEST_DISTANT, may_go
from .paragraph_text import PageText, letters_of, numbers_of
from .repeated_sentences import Cut

SHORTEST_BLOCK = 80  # letters of paragraphs that repeat in the same order, together
NEAR = 10  # paragraphs; a copy that stands farther away must be longer

Removals = dict[int, Removal]
"""Number of a line that goes -> why."""


def propose(text: str, config: Config) -> Iterator[Edit]:
    """Yields a removal per repeated paragraph, with one of the gaps beside it, and per repeated sentence.

    Rules: `duplicates.exact` (the same letters), `duplicates.fuzzy` (some characters damaged),
    `duplicates.contained` (a part of another paragraph), `duplicates.block` (short paragraphs inside a run of
    repeated ones), `duplicates.teaser` (all its sentences stand elsewhere), `duplicates.sentence` (repeated
    sentences in one paragraph, or at the joint of two). `ref` is the start of the copy that stays.
    """
    lines, pairs, partners = candidates(text)
    if not pairs and not partners:
        return
    page = PageText(lines)
    removed = _teasers(page, partners)
    for line in sorted(pairs):
        if line not in removed:
            _judge(page, line, pairs[line], removed)
    _add_blocks(page, removed)
    cuts = repeated_sentences.find(page, pairs, removed)
    if removed or cuts:
        yield from _edits(text, page, removed, cuts)


# ---------------------------------------------------------------- pairs


def _judge(page: PageText, line: int, others: Mapping[int, int], removed: Removals) -> None:
    """Compares a paragraph with its candidates, or with the copies that stay of these, until it goes itself."""
    seen = {line}
    for other, shared in others.items():
        kept = _keeper(other, removed)[0]
        if kept in seen:
            continue
        seen.add(kept)
        near = abs(page.rank[line] - page.rank[other]) <= NEAR
        removal = copies.compare(page, kept, line, shared, near)
        if removal is None:
            continue
        gone = line if removal.keeper == kept else kept
        removed[gone] = removal
        if gone == line:
            return


def _keeper(line: int, removed: Removals) -> tuple[int, int]:
    """(line that stays, letter in it) for a line that may have been removed."""
    place = 0
    while line in removed:
        removal = removed[line]
        line, place = removal.keeper, place + removal.place
    return line, place


# ---------------------------------------------------------------- more than pairs


def _teasers(page: PageText, partners: Pairs) -> Removals:
    """Removals of paragraphs all of whose sentences stand in two or more other paragraphs: a page's teaser.

    partners  which lines share sentences with which
    """
    removed: Removals = {}
    for line in sorted(partners, reverse=True):
        if _may_be_teaser(page, line, partners[line]):
            others = [other for other in list(partners[line])[:COMPARED] if other not in removed]
            removal = _teaser(page, line, others)
            if removal is not None:
                removed[line] = removal
    return removed


def _may_be_teaser(page: PageText, line: int, partners: Mapping[int, int]) -> bool:
    """True if it is long enough and shares half of it with others, but not nearly all with one."""
    size, shared = len(page.lines[line]), partners.values()
    if len(shared) < 2 or size < SHORTEST_DISTANT or sum(shared) * 2 < size or max(shared) * 4 > 3 * size:
        return False
    sentences = page.paragraph(line).sentences
    return len(sentences) >= 2 and min(len(sentence.letters) for sentence in sentences) >= SHORTEST_SENTENCE


def _teaser(page: PageText, line: int, others: list[int]) -> Removal | None:
    """The removal of the line, if each of its sentences stands in one of the others, and not all in the same."""
    elsewhere: dict[str, tuple[int, int]] = {}  # letters of a sentence -> (line, position in it)
    for other in others:
        for sentence in page.paragraph(other).sentences:
            elsewhere.setdefault(sentence.letters, (other, sentence.start))
    sentences = page.paragraph(line).sentences
    if not all(sentence.letters in elsewhere for sentence in sentences):
        return None
    keepers = {elsewhere[sentence.letters][0] for sentence in sentences}
    if len(keepers) < 2 or not _numbers_agree(page, line, elsewhere) or not may_go(page, line, min(keepers)):
        return None
    keeper, start = elsewhere[sentences[0].letters]
    return Removal(keeper, len(letters_of(page.lines[keeper][:start])), "duplicates.teaser")


def _numbers_agree(page: PageText, line: int, elsewhere: Mapping[str, tuple[int, int]]) -> bool:
    raw = page.lines[line]
    for start, end, letters in page.paragraph(line).sentences:
        other, position = elsewhere[letters]
        numbers = numbers_of(raw[start:end])
        if numbers_of(page.lines[other][position:])[: len(numbers)] != numbers:
            return False
    return True


def _add_blocks(page: PageText, removed: Removals) -> None:
    """Adds the short paragraphs between repeated ones, if all repeat in the same order."""
    done: set[int] = set()
    for line in sorted(removed):
        removal = removed[line]
        if line in done or removal.rule != "duplicates.exact":
            continue
        shift = page.rank[line] - page.rank[removal.keeper]
        run = _run(page, line, shift, removed)
        done.update(run)
        size = sum(len(page.paragraph(number).letters) for number in run)
        if size < SHORTEST_BLOCK or len(run) > shift:
            continue
        for number in run:
            if number not in removed:
                removed[number] = Removal(page.neighbour(number, -shift), 0, "duplicates.block")


def _run(page: PageText, line: int, shift: int, removed: Removals) -> list[int]:
    """The paragraphs around `line` that equal the ones `shift` paragraphs before them."""
    run = [line]
    for step in (1, -1):
        number = line
        while (number := page.neighbour(number, step)) >= 0:
            copy = page.neighbour(number, -shift)
            if copy < 0 or copy in removed or page.lines[copy].strip() != page.lines[number].strip():
                break
            run.append(number)
    return sorted(run)


# ---------------------------------------------------------------- edits


def _edits(text: str, page: PageText, removed: Removals, cuts: Mapping[int, list[Cut]]) -> Iterator[Edit]:
    """The edits that take the removed paragraphs away, each with the gap behind it; where nothing follows, with
    the gap before it."""
    lines, filled = text.split("\n"), page.filled
    starts = [0, *accumulate(len(line) + 1 for line in lines)]
    bare = [start + len(line) - len(line.lstrip()) for start, line in zip(starts, lines, strict=False)]
    kept_after = max((rank for rank, line in enumerate(filled) if line not in removed), default=-1)
    for rank, line in enumerate(filled):
        removal = removed.get(line)
        if removal is None:
            for cut in cuts.get(line, ()):
                start, end, ref = bare[line] + cut.start, bare[line] + cut.end, bare[cut.keeper] + cut.position
                yield Edit(start, text[start:end], "", "duplicates.sentence", ref=ref)
            continue
        if rank < kept_after:
            start, end = starts[line], starts[filled[rank + 1]]
        else:
            before = filled[rank - 1]
            start, end = starts[before] + len(lines[before]), starts[line] + len(lines[line])
        keeper, place = _keeper(line, removed)
        ref = bare[keeper] + page.paragraph(keeper).place(place)
        yield Edit(start, text[start:end], "", removal.rule, ref=ref)
