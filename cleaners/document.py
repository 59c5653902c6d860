"""Document: a clean text together with everything that was done to its seed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from .edits import Edit, Positions, undo

ROLES = ("title", "subtitle", "column", "byline", "heading", "body", "caption", "credit")


class ByteSpan(NamedTuple):
    """Decoded characters [start, end) whose bytes are not what the document's codec makes of them."""

    start: int
    end: int
    raw: bytes


class Encoding(NamedTuple):
    """How the bytes were decoded.

    name        Python's name of the codec, for example `utf-8`, `gb18030`, `big5hkscs`
    confidence  0 (a guess) to 1 (certain)
    bom         the byte order mark that was taken off, or empty
    exceptions  where the bytes are not `text.encode(name)`: invalid bytes (the text has U+FFFD there) and
                stretches in another encoding, so that the seed's bytes can always be restored
    """

    name: str
    confidence: float
    bom: bytes = b""
    exceptions: tuple[ByteSpan, ...] = ()


class Quarantine(NamedTuple):
    """Why a seed did not become a document.  `reason` tells the user what happened and what to do."""

    kind: str
    reason: str


class RefusedError(Exception):
    """A cleaner finds that the seed must not be published, for a reason that is no defect of the cleaner."""

    def __init__(self, quarantine: Quarantine) -> None:
        super().__init__(quarantine.reason)
        self.quarantine = quarantine


class Pass(NamedTuple):
    """What one cleaner did, once: its edits refer to the text that the pass before left.  They are a tuple, or of
    many edits what equals one (edit_columns.py)."""

    cleaner: str
    edits: Sequence[Edit]


class Paragraph(NamedTuple):
    """text == document.text[start:end]; role is one of ROLES."""

    text: str
    role: str
    start: int
    end: int


class Article(NamedTuple):
    """One piece of a page: document.text[start:end]."""

    title: str
    column: str
    authors: tuple[str, ...]
    start: int
    end: int


class Flag(NamedTuple):
    """Damage that we see but cannot repair, at document.text[start:end]."""

    kind: str
    start: int
    end: int
    note: str


class Seed(NamedTuple):
    """The input: its name (path below the seeds folder), the SHA-256 of its bytes in hex, its size in bytes."""

    name: str
    sha256: str
    size: int

    @classmethod
    def of(cls, raw: bytes, name: str, sha256: str = "") -> Seed:
        """The seed of these bytes; `sha256` spares their hash where it is known."""
        return cls(name, sha256 or hashlib.sha256(raw).hexdigest(), len(raw))


class Record(NamedTuple):
    """What a container says of a seed that lies in it.

    container  path of the container (a JSON Lines or Parquet file, an archive …) below the seeds folder
    fields     the record's other fields, as a JSON object; empty when there are none
    url        the address among these fields; empty when there is none
    """

    container: str
    fields: str = ""
    url: str = ""


@dataclass(frozen=True)
class Document:
    """A cleaned document.  `quarantine` is set when the seed must not be published; its text is then a guess.
    `record` is set when the seed lies in a container."""

    seed: Seed
    text: str
    encoding: Encoding
    trail: tuple[Pass, ...] = ()
    paragraphs: tuple[Paragraph, ...] = ()
    articles: tuple[Article, ...] = ()
    metadata: Mapping[str, str | list[str] | None] = field(default_factory=dict)
    flags: tuple[Flag, ...] = ()
    script: str = ""
    quarantine: Quarantine | None = None
    record: Record | None = None

    @property
    def name(self) -> str:
        """The seed's name."""
        return self.seed.name

    def original(self) -> str:
        """The seed's decoded text, rebuilt from the clean text and the trail."""
        text = self.text
        for one in reversed(self.trail):
            text = undo(text, one.edits)
        return text

    def seed_span(self, start: int, end: int) -> tuple[int, int]:
        """Where text[start:end] comes from: the smallest span of `original()` that holds it, in characters.

        Raises ValueError when the span does not lie in the text.
        """
        _check_span(start, end, len(self.text))
        for positions in reversed(self._positions):
            start, end = positions.old_span(start, end)
        return start, end

    def text_span(self, start: int, end: int) -> tuple[int, int]:
        """What became of original()[start:end]: the smallest span of the text that holds it; empty when all of
        it was removed.  Raises ValueError when the span is not one."""
        _check_span(start, end, self._original_length)
        for positions in self._positions:
            start, end = positions.new_span(start, end)
        return start, end

    def seed_places(self) -> Iterator[tuple[Pass, Edit, int]]:
        """Every edit of the trail with the place in `original()` where it begins, pass by pass."""
        for number, one in enumerate(self.trail):
            for edit in one.edits:
                yield one, edit, self.seed_place(number, edit.start)

    def seed_place(self, number: int, place: int) -> int:
        """The place in `original()` of a place in the text that pass `number` of the trail was given."""
        for positions in reversed(self._positions[:number] if number else ()):
            place = positions.old_span(place, place)[0]
        return place

    @cached_property
    def _positions(self) -> Sequence[Positions]:
        return [Positions(one.edits) for one in self.trail]

    @cached_property
    def _original_length(self) -> int:
        grown = sum(len(e.after) - len(e.before) for one in self.trail for e in one.edits)
        return len(self.text) - grown


def _check_span(start: int, end: int, length: int) -> None:
    if not 0 <= start <= end <= length:
        raise ValueError(f"[{start}, {end}) is no span of a text of {length} characters")
