"""Flags: damage that we can see but not repair."""

from __future__ import annotations

from dataclasses import replace

from .config import Config
from .document import Document, Flag


def flagged(document: Document, config: Config, settled: bool) -> Document:
    found: list[Flag] = []
    return replace(document, flags=tuple(found))
