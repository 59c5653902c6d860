"""Decoding: bytes to text."""

from __future__ import annotations

from typing import NamedTuple

from .config import Config
from .document import Encoding, Quarantine


class Decoded(NamedTuple):
    """text and how it was decoded; `quarantine` is set when no encoding explains the bytes."""

    text: str
    encoding: Encoding
    quarantine: Quarantine | None = None


def decode(raw: bytes, config: Config) -> Decoded:
    """The text of `raw`.  Never raises."""
    return Decoded(raw.decode("utf-8", "replace"), Encoding("utf-8", 1.0))


def encode(text: str, encoding: Encoding) -> bytes:
    """The bytes that `decode` made `text` of, exactly."""
    pieces, done = [encoding.bom], 0
    for start, end, raw in encoding.exceptions:
        pieces += [text[done:start].encode(encoding.name), raw]
        done = end
    pieces.append(text[done:].encode(encoding.name))
    return b"".join(pieces)
