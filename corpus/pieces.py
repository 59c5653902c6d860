"""Pieces: what a container holds, one after the other; and the stream of bytes that they are read from."""

from __future__ import annotations

import gzip
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Any, NamedTuple

import pyarrow as pa

from .records import NoSeedError, Parsed, Reading

CHUNK = 1 << 20  # bytes that are read at a time

MOST_RATIO = 200
FREE_BYTES = 256 << 20
"""What unpacks to more than MOST_RATIO times its size, beyond the first FREE_BYTES, is a bomb: text makes 3 to 20."""

DAMAGE = (
    *(OSError, EOFError, ValueError, NotImplementedError, RuntimeError, OverflowError, IndexError, KeyError),
    *(struct.error, zlib.error, zipfile.BadZipFile, zipfile.LargeZipFile, tarfile.TarError, pa.ArrowException),
)
"""What the readers of these formats raise for bytes that are not what they should be."""

SPLIT = "split it, or raise max_seed_bytes"
CORRECT = "correct it, or take it out"
NAME_FIELD = "name the field with --text-field, or take it out"


class Piece(NamedTuple):
    """What stands at one place of a container: a seed or, with `kind` set, why there is none.

    entry, offset   the place: number of the file in an archive (else 0); byte, row or entry of a list in it
    own             what its own name adds to the container's id: /folder/page.txt, #a17, or nothing
    number          what its number adds: :17
    size            bytes of the seed, or of what is no seed, where known
    raw, fields     the seed's bytes; the other fields as JSON
    kind, reason    of the quarantine
    """

    entry: int
    offset: int
    own: str
    number: str
    size: int | None
    raw: bytes = b""
    fields: str = ""
    kind: str = ""
    reason: str = ""


class BrokenError(Exception):
    """A container cannot be read any further.  kind and reason are for the quarantine."""

    def __init__(self, kind: str, reason: str) -> None:
        super().__init__(reason)
        self.kind = kind
        self.reason = reason


def allowed(size: int, packed: str, reading: Reading) -> int:
    """So many bytes may come out of a stream of so many."""
    most = max(FREE_BYTES, MOST_RATIO * size) if packed else reading.max_container_bytes
    return min(reading.max_container_bytes, most)


def bomb(most: int) -> BrokenError:
    """The error of a container out of which more than `most` bytes come."""
    reason = f"it unpacks to more than {most} bytes: more than text ever does, or than max_container_bytes allows"
    return BrokenError("too_large", reason)


@contextmanager
def damage(what: str = "it") -> Iterator[None]:
    """Turns the errors of the readers into a BrokenError. The system's own errors (a disk that fails) stay OSError."""
    try:
        yield
    except DAMAGE as error:
        if isinstance(error, OSError) and error.errno:
            raise
        reason = f"{what} is damaged or not what its name says: fetch it again"
        raise BrokenError("damaged", reason) from error


class _Kept:
    """A file that stays open when Arrow closes it."""

    closed = False

    def __init__(self, file: IO[bytes]) -> None:
        self.read = file.read

    def close(self) -> None:
        """Does nothing."""


class Stream:
    """Bytes to be read once, unpacked, and at most so many of them."""

    def __init__(self, file: IO[bytes], packed: str, allowed: int) -> None:
        self._file: Any = file
        self._allowed = allowed
        self.position = 0
        if packed == "gz":
            self._file = gzip.GzipFile(fileobj=file)
        elif packed == "zst":
            self._file = pa.CompressedInputStream(pa.PythonFile(_Kept(file), "r"), "zstd")

    def read(self, size: int = 0) -> bytes:
        """At most so many bytes (0: CHUNK); none at the end.  Raises BrokenError."""
        with damage():
            chunk = bytes(self._file.read(size or CHUNK))
        self.position += len(chunk)
        if self.position > self._allowed:
            raise bomb(self._allowed)
        return chunk


def of_record(where: Piece, what: str, parse: Callable[[], Parsed], reading: Reading) -> Piece:
    """The piece of a record.  `where` has the name of its file, or nothing, as its own name."""
    try:
        found = parse()
    except NoSeedError as error:
        advice = NAME_FIELD if error.kind == "no_text" else CORRECT
        return where._replace(own="", kind=error.kind, reason=f"{what} {error.reason}: {advice}")
    own = f"{where.own}#{found.id}" if found.id else ""
    size = len(found.raw)
    if size > reading.max_seed_bytes:
        return where._replace(own=own, size=size, kind="too_large", reason=too_large(what, size, reading))
    return where._replace(own=own, size=size, raw=found.raw, fields=found.fields)


def too_large(what: str, size: int, reading: Reading) -> str:
    return f"{what} has {size} bytes, but at most {reading.max_seed_bytes} are allowed: {SPLIT}"


def of_stream(stream: Stream, where: Piece, what: str, reading: Reading) -> Piece:
    """The piece whose bytes are all that comes out of a stream."""
    found, size = [], 0
    while chunk := stream.read():
        size += len(chunk)
        if size > reading.max_seed_bytes:
            reason = f"{what} has more than the {reading.max_seed_bytes} bytes that are allowed: {SPLIT}"
            return where._replace(kind="too_large", reason=reason)
        found.append(chunk)
    return where._replace(size=size, raw=b"".join(found))
