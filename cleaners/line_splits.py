"""line_splits"""

from __future__ import annotations

from collections.abc import Iterator

from .config import Config
from .edits import Edit


def propose(text: str, config: Config) -> Iterator[Edit]:
    yield from ()
