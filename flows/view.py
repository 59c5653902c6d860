"""Before and after, side by side in the terminal: each changed line of the seed, what became of it, and the rules."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from rapidfuzz.distance import Levenshtein
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cleaners import Document
from cleaners.edits import LONGEST_COMPARED

LONGEST_RECORD = 500
"""So many characters of a record's other fields are shown; all are in the column `seed_record`."""

REMOVED, ADDED, RULE = "red strike", "green", "dim cyan"


# Names and seeds may hold what a terminal obeys: shown as a picture of the character, one for one.
_VISIBLE = {code: 0x2400 + code for code in range(0x20)} | {0x7F: 0x2421} | dict.fromkeys(range(0x80, 0xA0), 0xFFFD)


def visible(text: str) -> str:
    """The text with a visible character for each control character."""
    return text.translate(_VISIBLE)


class Change(NamedTuple):
    """A line of the seed (number from 1), what became of it, and how often each rule touched it."""

    number: int
    before: str
    after: str
    rules: Counter[str]


def changes(document: Document) -> Iterator[Change]:
    """The lines of the seed that any rule touched, in order."""
    original = document.original()
    rules = _rules_by_line(document, original)
    start = 0
    for number, line in enumerate(original.split("\n"), 1):
        low, high = document.text_span(start, start + len(line))
        if number in rules:
            yield Change(number, line, document.text[low:high].strip("\n"), rules[number])
        start += len(line) + 1


def _rules_by_line(document: Document, original: str) -> dict[int, Counter[str]]:
    """Line number from 1 -> rules of the edits that begin there."""
    starts = [0]
    for place, character in enumerate(original):
        if character == "\n":
            starts.append(place + 1)
    found: dict[int, Counter[str]] = {}
    for _, edit, place in document.seed_places():
        found.setdefault(bisect_right(starts, place), Counter())[edit.rule] += 1
    return found


def compared(before: str, after: str) -> tuple[Text, Text]:
    """Both lines, what was removed and what was added marked."""
    old, new = Text(), Text()
    before, after = _lines_visible(before), _lines_visible(after)
    if max(len(before), len(after)) > LONGEST_COMPARED:
        return Text(before, REMOVED), Text(after, ADDED)
    for op in Levenshtein.opcodes(before, after):
        same = op.tag == "equal"
        old.append(before[op.src_start : op.src_end], "" if same else REMOVED)
        new.append(after[op.dest_start : op.dest_end], "" if same else ADDED)
    return old, new


def _lines_visible(text: str) -> str:
    return "\n".join(map(visible, text.split("\n")))


def show(document: Document, console: Console, *, layout: bool = False) -> None:
    """Prints what was done to a document: metadata, flags, and each changed line with its rules.

    layout  show lines, too, in which only gaps and indents changed
    """
    console.print(Text(visible(document.name) or "(no name)", "bold"))
    console.print(_facts(document))
    for change in changes(document):
        rules = [rule for rule in change.rules if layout or not rule.startswith("layout.")]
        if not rules:
            continue
        old, new = compared(change.before, change.after)
        console.print(Text(f"{change.number:>5} - ", "dim").append_text(old), soft_wrap=True)
        if change.after:
            console.print(Text("      + ", "dim").append_text(new), soft_wrap=True)
        names = ", ".join(f"{rule} ×{change.rules[rule]}" for rule in rules)
        console.print(Text(f"        {names}", RULE), soft_wrap=True)


def _facts(document: Document) -> Table:
    table = Table.grid(padding=(0, 2))
    sure = f"{document.encoding.name}, confidence {document.encoding.confidence:.2f}"
    table.add_row("encoding", sure)
    if document.record is not None:
        table.add_row("container", Text(visible(document.record.container)))
    if document.record is not None and document.record.fields:
        table.add_row("record", Text(visible(document.record.fields[:LONGEST_RECORD])))
    for field, value in document.metadata.items():
        if value:
            table.add_row(field, Text(value if isinstance(value, str) else ", ".join(value)))
    for flag in document.flags:
        what = document.text[flag.start : flag.end]
        table.add_row(Text(flag.kind, "yellow"), Text(f"{flag.note}: {what[:24]}"))
    counts = Counter(edit.rule for one in document.trail for edit in one.edits)
    table.add_row("edits", ", ".join(f"{rule} {n}" for rule, n in counts.most_common()) or "none")
    return table
