"""Flags: damage that we can see but not repair. Nothing here changes text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from . import fragments, mojibake, quotes
from .config import Config
from .document import Document, Flag
from .edits import Positions

QUOTES = "“”‘’「」『』\"'"
DEEPEST_NESTING = 4
_MARKS = re.compile(r"[“”‘’「」『』《》〈〉（）【】〔〕［］｛｝()\[\]{}\"'\n]")
_PAIRS = re.compile(r"“”|‘’|「」|『』|《》|〈〉|（）|【】|〔〕|［］|｛｝|\(\)|\[\]|\{\}")
# begins with one class: most texts are searched at memory speed
_EMPTY_QUOTES = re.compile("[“‘「『《](?:(?<=“)”|(?<=‘)’|(?<=「)」|(?<=『)』|(?<=《)》)")
# A text full of damage says so with its first flags: more of a kind would only fill the corpus.
MOST_FLAGS_OF_A_KIND = 1_000


def flagged(document: Document, config: Config, settled: bool) -> Document:
    """The document with its flags, sorted by place."""
    found: list[Flag] = []
    for flags in (_undecodable, _lost_characters, _mojibake, _fragments, _unbalanced):
        found += _first(flags(document))
    if not settled:
        note = f"still changes after {config.max_rounds} rounds of cleaning"
        found.append(Flag("unsettled", 0, len(document.text), note))
    undecodable = {flag.start for flag in found if flag.kind == "undecodable_bytes"}
    found = [flag for flag in found if flag.kind != "lost_characters" or flag.start not in undecodable]
    return replace(document, flags=tuple(sorted(found, key=lambda flag: (flag.start, flag.end, flag.kind))))


def _first(flags: Iterator[Flag]) -> Iterator[Flag]:
    for count, flag in enumerate(flags):
        if count == MOST_FLAGS_OF_A_KIND:
            yield flag._replace(note=f"{flag.note} (and more behind it, not listed)")
            return
        yield flag


def _undecodable(document: Document) -> Iterator[Flag]:
    exceptions = document.encoding.exceptions
    original = document.original() if exceptions else ""
    for start, end, raw in exceptions:
        if "\ufffd" in original[start:end]:
            a, b = document.text_span(start, end)
            yield Flag("undecodable_bytes", a, b, f"bytes {raw[:16].hex(' ')} are no {document.encoding.name}")


def _lost_characters(document: Document) -> Iterator[Flag]:
    for match in _EMPTY_QUOTES.finditer(document.text):
        yield Flag("lost_characters", match.start(), match.end(), "empty quotation marks: what stood there is lost")


RESIDUE_NOTES = {
    "mojibake_residue": "misread text whose characters are lost",
    "lost_characters": "replacement characters stand for characters that are lost",
    "private_use": "private-use characters, which have no agreed meaning",
}


def _mojibake(document: Document) -> Iterator[Flag]:
    for start, end, kind in mojibake.residue(document.text):
        yield Flag(kind, start, end, RESIDUE_NOTES[kind])


def _is_balanced(text: str) -> bool:
    """True if taking out neighbouring pairs leaves nothing in any line: a cheap test that most texts pass."""
    marks = "".join(_MARKS.findall(text))
    for _ in range(DEEPEST_NESTING):
        if not marks or marks.isspace():
            return True
        marks = _PAIRS.sub("", marks)
    return not marks or marks.isspace()


def _unbalanced(document: Document) -> Iterator[Flag]:
    if _is_balanced(document.text):
        return
    for paragraph in document.paragraphs:
        if _is_balanced(paragraph.text):
            continue
        for start, end in quotes.unbalanced(paragraph.text):
            mark = paragraph.text[start:end]
            kind = "unbalanced_quotes" if mark in QUOTES else "unbalanced_brackets"
            yield Flag(kind, paragraph.start + start, paragraph.start + end, f"{mark} has no partner in its paragraph")


def _fragments(document: Document) -> Iterator[Flag]:
    bodies = [p for p in document.paragraphs if p.role == "body"]
    texts = [p.text for p in bodies]
    removed = _behind_removed_duplicate(document)
    for i in fragments.beheaded(texts, [p.start in removed for p in bodies]):
        p = bodies[i]
        yield Flag("orphan_fragment", p.start, p.end, "starts in mid-sentence: its beginning is lost in the seed")
    for i in fragments.truncated(texts):
        p = bodies[i]
        yield Flag("truncated", p.start, p.end, "ends in mid-sentence: its end is lost in the seed")


def _behind_removed_duplicate(document: Document) -> set[int]:
    """Starts of the paragraphs before which a duplicate was removed."""
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
    starts = [p.start for p in document.paragraphs]
    # the removed gap may have been the one before or the one behind the duplicate
    return {start for start in starts if places & {start, start - 1, start - 2}}
