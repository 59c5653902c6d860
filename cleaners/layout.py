"""Layout: one blank line between paragraphs, no indents, no trailing spaces.

It runs last, because indents and blank lines tell the cleaners before it where paragraphs begin.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from .config import Config
from .edits import Edit

_SPACE = re.compile(r"\s+")
_edit = tuple.__new__  # making an Edit by its name takes twice as long


def propose(text: str, config: Config) -> Iterator[Edit]:
    """Yields one edit per gap between paragraphs that is not exactly one blank line, and one for space at
    either end of the text."""
    for space in _SPACE.finditer(text):
        start, end = space.span()
        before = space.group()
        if start == 0 or end == len(text):
            yield Edit(start, before, "", "layout.margin")
        elif before != "\n\n" and "\n" in before:
            yield _edit(Edit, (start, before, "\n\n", "layout.paragraph_gap", "", -1))
