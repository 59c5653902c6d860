"""Layout: one paragraph a line, one blank line between paragraphs, no indents and no trailing spaces.

It runs last, because indents and blank lines tell the cleaners before it where paragraphs begin.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from .config import Config
from .edits import Edit

_GAP = re.compile(r"\s*\n\s*|\A\s+|\s+\Z")


def propose(text: str, config: Config) -> Iterator[Edit]:
    """Yields one edit per gap between paragraphs that is not exactly one blank line."""
    for gap in _GAP.finditer(text):
        after = "" if gap.start() == 0 or gap.end() == len(text) else "\n\n"
        if gap.group() != after:
            yield Edit(gap.start(), gap.group(), after, "layout.paragraph_gap")
