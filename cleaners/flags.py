"""Flags: damage that we can see but not repair. Nothing here changes text."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence

from . import fragments, kinds, line_splits, mojibake, quotes
from .config import Config
from .document import Document, Flag, Paragraph
from .edits import Positions
from .looks import Look

QUOTES = "“”‘’「」『』\"'"
DEEPEST_NESTING = 4
_MARKS = re.compile(f"[{re.escape(kinds.MARKS)}]")
_PAIRS = re.compile(r"“”|‘’|「」|『』|《》|〈〉|（）|【】|〔〕|［］|｛｝|\(\)|\[\]|\{\}")
_OTHERS = {ord(mark): None for mark in kinds.MARKS if mark != "\n" and mark not in quotes.PAIRED}
_EMPTY = ("“”", "《》", "‘’", "「」", "『』")
_EMPTY_QUOTES = re.compile("|".join(_EMPTY))
# A text full of damage says so with its first flags: more of a kind would only fill the corpus.
MOST_FLAGS_OF_A_KIND = 1_000

OPEN_LINES_NOTE = f"more than {line_splits.MOST_SHORT_OPEN:,} short lines that end inside a sentence: not joined"


def of(
    document: Document,
    paragraphs: Sequence[Paragraph],
    seen: Look,
    config: Config,
    settled: bool,
    may_be_misread: bool = True,
) -> list[Flag]:
    """The flags of a document, sorted by place.

    paragraphs   its paragraphs, which it has not yet itself
    seen         the look at its text
    settled      False if it still changed after the last round
    may_be_misread   False: no signatures of misread text stand close together in it
    """
    found: list[Flag] = []
    if document.encoding.exceptions:
        found += _first(_undecodable(document))
    marks = kinds.marks(seen)
    if _has_empty_quotes(document.text, marks):
        found += _first(_lost_characters(document))
    has_losses, has_signs = bool(seen.held & kinds.LOST), may_be_misread and kinds.may_stay_misread(seen)
    if has_losses or has_signs or mojibake.has_question_runs(document.text):
        found += _first(_mojibake(document, has_losses, has_signs))
    found += _first(_fragments(document, paragraphs))
    if not _are_balanced(marks):
        found += _first(_unbalanced(paragraphs))
    if len(paragraphs) > line_splits.MOST_SHORT_OPEN and line_splits.is_long_list([one.text for one in paragraphs]):
        found.append(Flag("open_lines", 0, len(document.text), OPEN_LINES_NOTE))
    if not settled:
        note = f"still changes after {config.max_rounds} rounds of cleaning"
        found.append(Flag("unsettled", 0, len(document.text), note))
    if not found:
        return found
    undecodable = {flag.start for flag in found if flag.kind == "undecodable_bytes"}
    found = [flag for flag in found if flag.kind != "lost_characters" or flag.start not in undecodable]
    return sorted(found, key=lambda flag: (flag.start, flag.end, flag.kind))


def _first(flags: Iterable[Flag]) -> Iterator[Flag]:
    for count, flag in enumerate(flags):
        if count == MOST_FLAGS_OF_A_KIND:
            yield flag._replace(note=f"{flag.note} (and more behind it, not listed)")
            return
        yield flag


def _undecodable(document: Document) -> Iterator[Flag]:
    original = document.original()
    for start, end, raw in document.encoding.exceptions:
        if "\ufffd" in original[start:end]:
            a, b = document.text_span(start, end)
            yield Flag("undecodable_bytes", a, b, f"bytes {raw[:16].hex(' ')} are no {document.encoding.name}")


def _has_empty_quotes(text: str, marks: str) -> bool:
    return any(pair in text for pair in _EMPTY if pair in marks)


def _lost_characters(document: Document) -> Iterator[Flag]:
    for match in _EMPTY_QUOTES.finditer(document.text):
        yield Flag("lost_characters", match.start(), match.end(), "empty quotation marks: what stood there is lost")


RESIDUE_NOTES = {
    "mojibake_residue": "misread text whose characters are lost",
    "lost_characters": "replacement characters stand for characters that are lost",
    "private_use": "private-use characters, which have no agreed meaning",
}


def _mojibake(document: Document, has_losses: bool, has_signs: bool) -> Iterator[Flag]:
    for start, end, kind in mojibake.residue(document.text, has_losses, has_signs):
        yield Flag(kind, start, end, RESIDUE_NOTES[kind])


def _is_balanced(text: str) -> bool:
    return _are_balanced("".join(_MARKS.findall(text)))


def _are_balanced(marks: str) -> bool:
    """True if taking out neighbouring pairs leaves nothing in any line, or straight quotation marks alone, which open
    and close by turns: a cheap test that most texts pass."""
    may_be_apostrophes = "’" in marks
    marks = marks.replace("“”", "").replace("《》", "").replace("（）", "")
    for _ in range(DEEPEST_NESTING):
        if not marks or marks.isspace():
            return True
        marks = _PAIRS.sub("", marks)
    if not marks or marks.isspace():
        return True
    if '"' not in marks or may_be_apostrophes:
        return False
    left = marks.translate(_OTHERS).split("\n")
    return not "".join(left).strip('"') and not any(len(line) % 2 for line in left)


def _unbalanced(paragraphs: Sequence[Paragraph]) -> Iterator[Flag]:
    for paragraph in paragraphs:
        if _is_balanced(paragraph.text):
            continue
        for start, end in quotes.unbalanced(paragraph.text):
            mark = paragraph.text[start:end]
            kind = "unbalanced_quotes" if mark in QUOTES else "unbalanced_brackets"
            yield Flag(kind, paragraph.start + start, paragraph.start + end, f"{mark} has no partner in its paragraph")


def _fragments(document: Document, paragraphs: Sequence[Paragraph]) -> Iterator[Flag]:
    texts = [p[0] for p in paragraphs if p[1] == "body"]
    behind: Collection[int] = ()
    if any(one.cleaner == "duplicates" for one in document.trail):
        removed = _behind_removed_duplicate(document)
        # the removed gap may have been the one before or the one behind the duplicate
        behind = {i for i, p in enumerate(_bodies(paragraphs)) if removed & {p.start, p.start - 1, p.start - 2}}
    if beheaded := fragments.beheaded(texts, behind):
        bodies = _bodies(paragraphs)
        for p in [bodies[i] for i in beheaded]:
            yield Flag("orphan_fragment", p.start, p.end, "starts in mid-sentence: its beginning is lost in the seed")
    if truncated := fragments.truncated(texts):
        bodies = _bodies(paragraphs)
        for p in [bodies[i] for i in truncated]:
            yield Flag("truncated", p.start, p.end, "ends in mid-sentence: its end is lost in the seed")


def _bodies(paragraphs: Sequence[Paragraph]) -> list[Paragraph]:
    return [p for p in paragraphs if p[1] == "body"]


def _behind_removed_duplicate(document: Document) -> set[int]:
    """Places where a duplicate was removed."""
    places: set[int] = set()
    for i, one in enumerate(document.trail):
        if one.cleaner != "duplicates":
            continue
        positions = [Positions(p.edits) for p in document.trail[i:]]
        for edit in one.edits:
            start = end = edit.end
            for step in positions:
                start, end = step.new_span(start, end)
            places.add(end)
    return places
