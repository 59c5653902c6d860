"""JSON Lines as a container: a record per line; and JSON that is one object, or one list of objects."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from cleaners import encoding

from . import records
from .pieces import CORRECT, BrokenError, Piece, Stream, of_record
from .records import Reading

LINE_FACTOR = 2
"""A line may have so many times the bytes of the largest seed: room for escapes and other fields."""

BOM = encoding.BOMS[0][0]
WIDE_BOMS = (b"\xff\xfe", b"\xfe\xff")
SHOWN = 64  # bytes
BLANK = b" \t\r\x00"


class Line(NamedTuple):
    """A line: where it begins, its number from 1, its bytes and its size; of one that is too long the first bytes."""

    offset: int
    number: int
    raw: bytes
    size: int


class _LineReader:
    """Lines of a stream, one after the other, a chunk in memory at a time."""

    def __init__(self, stream: Stream, longest: int) -> None:
        self._stream = stream
        self._longest = longest
        self._buffer = b""
        self._next = 0  # place of the next line in the buffer
        self._begin = 0  # place of the buffer in the stream
        self._number = 0
        self._held: Line | None = None

    @property
    def offset(self) -> int:
        """Where the next line begins."""
        return self._held.offset if self._held else self._begin + self._next

    def line(self) -> Line | None:
        """The next line; None at the end."""
        if self._held is not None:
            held, self._held = self._held, None
            return held
        pieces: list[bytes] = []
        start, size = self.offset, 0
        while True:
            end = self._buffer.find(b"\n", self._next)
            stop = len(self._buffer) if end < 0 else end
            size += stop - self._next
            if size <= self._longest or not pieces:
                pieces.append(self._buffer[self._next : stop])
            if end >= 0:
                self._next = end + 1
                break
            if not self._more():
                if not size:
                    return None
                break
        self._number += 1
        raw = b"".join(pieces)
        return Line(start, self._number, raw if size <= self._longest else raw[:SHOWN], size)

    def put_back(self, line: Line) -> None:
        """Makes the line that was read last the next one again."""
        self._held = line

    def begins_with(self, marks: tuple[bytes, ...]) -> bool:
        """Whether the stream, of which nothing was read yet, begins with one of these bytes."""
        self._more()
        return self._buffer.startswith(marks)

    def skip_to(self, offset: int) -> None:
        """Goes on at a place that was not passed yet."""
        if offset == self.offset:
            return
        self._held = None
        while offset > self._begin + len(self._buffer):
            if not self._more():
                raise LookupError
        self._next = offset - self._begin

    def rest(self) -> bytes | None:
        """All that is left; None when it is too long."""
        pieces, size = [self._buffer[self._next :]], len(self._buffer) - self._next
        while self._more():
            size += len(self._buffer)
            if size <= self._longest:
                pieces.append(self._buffer)
        self._next = len(self._buffer)
        return b"".join(pieces) if size <= self._longest else None

    def _more(self) -> bool:
        self._begin += len(self._buffer)
        self._next = 0
        self._buffer = self._stream.read()
        return bool(self._buffer)


class Lines:
    """JSON Lines: an object per line.  A `.json` file may instead be one object, or one list of objects, which is
    read as a whole.

    entry, name   in an archive: number and name of the file, which the ids of its records have before their own
    """

    def __init__(
        self, stream: Callable[[], Stream], reading: Reading, may_be_whole: bool = False, entry: int = 0, name: str = ""
    ) -> None:
        self._stream = stream
        self._reading = reading
        self._may_be_whole = may_be_whole
        self._entry = entry
        self._name = name
        self._longest = LINE_FACTOR * reading.max_seed_bytes
        self._reader: _LineReader | None = None
        self._whole: list[Any] | None = None

    def pieces(self) -> Iterator[Piece]:
        reader = self._started()
        for number, one in enumerate(self._whole or ()):
            yield self._of_object(number, one)
        while self._whole is None and (line := reader.line()) is not None:
            if line.size > self._longest or line.raw.strip(BLANK):
                yield self._of_line(line)

    def at(self, entry: int, offset: int) -> Piece:
        if self._whole is None and (self._reader is None or offset < self._reader.offset):
            self._started()
        if self._whole is not None:
            return self._of_object(offset, self._whole[offset])
        assert self._reader is not None
        self._reader.skip_to(offset)
        line = self._reader.line()
        if line is None:
            raise LookupError
        return self._of_line(line)

    def _started(self) -> _LineReader:
        """A reader at the first line."""
        self._reader = _LineReader(self._stream(), self._longest)
        if self._reader.begins_with(WIDE_BOMS):
            raise BrokenError("malformed", "it is JSON in UTF-16: save it as UTF-8")
        if not self._may_be_whole or self._whole is not None:
            return self._reader
        first = self._reader.line()
        while first is not None and not first.raw.strip(BLANK + BOM) and first.size <= self._longest:
            first = self._reader.line()
        if first is not None and self._is_whole(first):
            self._whole = self._parsed(first, self._reader.rest())
            return self._reader
        self._may_be_whole = False
        if first is not None:
            self._reader.put_back(first)
        return self._reader

    def _is_whole(self, first: Line) -> bool:
        """Whether the file whose first line this is holds one JSON value, and not one on each line."""
        begin = first.raw.removeprefix(BOM).strip()
        is_object = begin[-1:] == b"}" or first.size > self._longest
        return not (begin[:1] == b"{" and is_object)

    def _parsed(self, first: Line, rest: bytes | None) -> list[Any]:
        if rest is None or first.size > self._longest:
            reason = (
                f"it is one JSON value of more than {self._longest} bytes: make JSON Lines of it (jq -c '.[]'), or "
                "raise max_seed_bytes"
            )
            raise BrokenError("too_large", reason)
        try:
            found = json.loads((first.raw + b"\n" + rest).removeprefix(BOM).decode())
        except (ValueError, RecursionError) as error:
            reason = "it is neither JSON Lines nor JSON in UTF-8: correct it, or name it .txt if it is text"
            raise BrokenError("malformed", reason) from error
        if records.is_deep(found):
            raise BrokenError("malformed", "it is nested too deeply: take out what is no text")
        return found if isinstance(found, list) else [found]

    def _of_line(self, line: Line) -> Piece:
        where = self._place(line.offset, line.number, line.size)
        if line.size > self._longest:
            reason = f"line {line.number} has {line.size} bytes, at most {self._longest} are allowed: split it"
            return where._replace(kind="too_large", reason=reason)
        raw = line.raw.removeprefix(BOM) if line.offset == 0 else line.raw
        return of_record(where, f"line {line.number}", lambda: records.of_line(raw, self._reading), self._reading)

    def _of_object(self, offset: int, found: Any) -> Piece:
        where, what = self._place(offset, offset + 1, None), f"entry {offset + 1}"
        if not isinstance(found, dict):
            return where._replace(kind="malformed", reason=f"{what} is no object with fields: {CORRECT}")
        return of_record(where, what, lambda: records.of_mapping(found, self._reading), self._reading)

    def _place(self, offset: int, number: int, size: int | None) -> Piece:
        return Piece(self._entry, offset, self._name, f"{self._name}:{number}", size)
