"""Layout: one blank line between paragraphs, no indents, no trailing spaces.

It runs last, because indents and blank lines tell the cleaners before it where paragraphs begin.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate, repeat
from operator import add

from .config import Config
from .edits import Edit

_edit = tuple.__new__  # making an Edit by its name takes twice as long


def propose(text: str, config: Config) -> Iterator[Edit]:
    """Yields one edit per gap between paragraphs that is not exactly one blank line, and one for space at
    either end of the text."""
    body = text.rstrip()
    lines = body.split("\n")
    bares = list(map(str.strip, lines))
    if bares == lines and all(bares):  # no indents and no blank lines: each gap is a line break
        breaks = map(add, accumulate(map(len, lines)), range(len(lines) - 1))
        yield from map(_edit, repeat(Edit), zip(breaks, *map(repeat, _WIDENED), strict=False))
    else:
        yield from _gaps(body, lines, bares)
    if len(body) < len(text):
        yield Edit(len(body), text[len(body) :], "", "layout.margin")


_WIDENED = "\n", "\n\n", "layout.paragraph_gap", "", -1


def _gaps(text: str, lines: Sequence[str], bares: Sequence[str]) -> Iterator[Edit]:
    above = place = 0  # where the last line that is not blank ends; where this line starts
    for line, bare in zip(lines, bares, strict=True):
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
