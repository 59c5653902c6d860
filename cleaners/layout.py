"""Layout: one blank line between paragraphs, no indents, no trailing spaces.

It runs last, because indents and blank lines tell the cleaners before it where paragraphs begin.
"""

from __future__ import annotations

from collections.abc import Iterator

from .config import Config
from .edits import Edit

_edit = tuple.__new__  # making an Edit by its name takes twice as long


def propose(text: str, config: Config) -> Iterator[Edit]:
    """Yields one edit per gap between paragraphs that is not exactly one blank line, and one for space at
    either end of the text."""
    above = place = 0  # where the last line that is not blank ends; where this line starts
    lines = text.split("\n")
    for line, bare in zip(lines, map(str.strip, lines), strict=True):
        if bare:
            start = place
            if bare != line:
                start += len(line) - len(line.lstrip())
            before = text[above:start]
            if above == 0:
                if before:
                    yield Edit(0, before, "", "layout.margin")
            elif before != "\n\n":
                yield _edit(Edit, (above, before, "\n\n", "layout.paragraph_gap", "", -1))
            above = start + len(bare)
        place += len(line) + 1
    if above < len(text):
        yield Edit(above, text[above:], "", "layout.margin")
