"""What changes of a text a cleaner ignores that found nothing to do: then it need not be asked again while a document
settles (docs/decisions/0047).

A string of characters says it: each stands for a change that does not matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .edit_columns import befores
from .edits import Edit

BLANK_LINES = "\n"
"""Between lines that are not blank, as are the others but LINES."""

INDENTS = BLANK_LINES + " \t\u3000"
"""Space before lines, too, if it consists of these characters."""

_TRAILING = "$"
MARGINS = INDENTS + _TRAILING
"""Space behind lines, too."""

LINES = "¶"
"""Whole lines go, and nothing else changes."""

NOTHING_LEFT = "."
"""Not a change: what a cleaner returns after its last edit, if it finds nothing to do in what its edits make of the
text."""


def of_gaps(edits: Sequence[Edit]) -> set[str]:
    """What edits change that `layout` makes: the characters of gaps between lines, and whether some stood behind a
    line."""
    some = set(befores(edits))  # most gaps are like another one
    changed = set("".join(some))
    if any(gap[0] != "\n" for gap in some) and any(edit[1][0] != "\n" and edit[0] for edit in edits):
        changed.add(_TRAILING)
    return changed


def are_lines(text: str, edits: Iterable[Edit]) -> bool:
    """True if the edits remove lines of `text` with the line breaks behind them, each in one piece or in several."""
    end, is_whole = 0, True  # of the removals so far: where they end, whether a line ends there
    for start, before, after, _, _, _ in edits:
        if after or (start > end and not (is_whole and text[start - 1] == "\n")):
            return False
        end, is_whole = start + len(before), before[-1] == "\n"
    return is_whole
