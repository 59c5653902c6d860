"""Containers: files that hold many seeds, and compressed files that hold one.

    news.jsonl, .ndjson, .json (also .gz, .zst)   one seed per line: news.jsonl#a17 by its own id, else news.jsonl:17
    pages.parquet                                 one seed per row, named alike
    site.zip, .tar, .tar.gz, .tgz, .tar.zst       one seed per file: site.zip/folder/page.txt
    page.html.gz, .zst                            one seed: page.html.gz

A container is read in one pass, piece by piece; or piece by piece at known places, in their order, without reading
what lies between more closely than the format demands. Nothing is ever unpacked to disk, and names within a
container are used for ids alone. A change of what is read here must raise SCHEMA_VERSION: see docs/formats.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import IO, Protocol

from .archives import Archive, Tar, Zip
from .json_lines import Lines
from .kinds import Kind, kind_of
from .parquet_rows import Rows
from .pieces import BrokenError, Piece, Stream, allowed, of_stream
from .records import Reading

__all__ = ["BrokenError", "Container", "Kind", "Piece", "kind_of", "opened"]


class Container(Protocol):
    """An open container."""

    def pieces(self) -> Iterator[Piece]:
        """All pieces, in order.  Raises BrokenError where it cannot be read any further."""

    def at(self, entry: int, offset: int) -> Piece:
        """The piece at a place: fast when the places are asked for in order.  Raises BrokenError, and LookupError
        when there is nothing."""


def opened(file: IO[bytes], size: int, kind: Kind, reading: Reading) -> Container:
    """The container in an open file of so many bytes.  Raises BrokenError when it is none."""
    if kind.form == "rows":
        return Rows(file, size, reading)
    if kind.form == "zip":
        return Archive(Zip(file), size, reading)

    def stream() -> Stream:
        file.seek(0)
        return Stream(file, kind.packed, allowed(size, kind.packed, reading))

    if kind.form == "tar":
        return Archive(Tar(stream), size, reading)
    if kind.form == "single":
        return Single(stream, reading)
    return Lines(stream, reading, may_be_whole=kind.form == "json")


class Single:
    """A compressed file that holds one seed."""

    def __init__(self, stream: Callable[[], Stream], reading: Reading) -> None:
        self._stream = stream
        self._reading = reading

    def pieces(self) -> Iterator[Piece]:
        yield self.at(0, 0)

    def at(self, entry: int, offset: int) -> Piece:
        return of_stream(self._stream(), Piece(0, 0, "", "", None), "it", self._reading)
