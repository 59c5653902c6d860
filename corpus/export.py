"""Export: a version as plain Parquet, JSON Lines or text files, for tools that want it their way.

The bytes depend on the version's rows, on the choices, and on the versions of pyarrow and zlib alone.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from cleaners.document import ROLES

from . import ordered
from .parts import COMPRESSION_LEVEL, StoreError, explained
from .schema import DOCUMENTS
from .version import Version

FORMATS = ("parquet", "jsonl", "text")
UNITS = ("document", "paragraph", "article")
FLAVOURS = ("plain", "datatrove")
COMPRESSIONS = ("none", "gz", "zst")

SHARD_ROWS = 100_000
"""Rows to a file, unless chosen otherwise."""

GROUP_ROWS = 4_096

OWN = {
    "document": DOCUMENTS.names,
    "paragraph": ["id", "document", "n", "role", "start", "end", "text"],
    "article": ["id", "document", "n", "title", "column", "authors", "start", "end", "text"],
}
"""The columns that a row of a unit has of its own; all others are those of its document."""

NOT_IN_JSON = ("bom", "encoding_exceptions")
"""Bytes, which JSON cannot hold: left out of JSON Lines unless asked for (then as hex digits)."""

SPANS = ("paragraphs", "articles", "flags")
"""Columns with spans of the whole text: left out when `text` is only a part of it."""

Row = dict[str, Any]


@dataclass(frozen=True)
class Choice:
    """What is exported, and how.

    format       one of FORMATS
    unit         one of UNITS: what a row is
    columns      names of columns, in this order; empty: all that the format can hold
    roles        paragraphs of these roles go into `text`; empty: all
    flavour      `datatrove`: rows have `id`, `text` and an object `metadata` with all other columns
    compression  of JSON Lines, one of COMPRESSIONS
    shard_rows   rows to a file
    Raises ValueError for what is not allowed.
    """

    format: str = "parquet"
    unit: str = "document"
    columns: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    flavour: str = "plain"
    compression: str = "none"
    shard_rows: int = SHARD_ROWS

    def __post_init__(self) -> None:
        _among("format", self.format, FORMATS)
        _among("unit", self.unit, UNITS)
        _among("flavour", self.flavour, FLAVOURS)
        _among("compression", self.compression, COMPRESSIONS)
        for role in self.roles:
            _among("role", role, ROLES)
        for column in self.columns:
            _among("column", column, self.known())
        if self.flavour == "datatrove" and self.format != "jsonl":
            raise ValueError("the flavour datatrove is one of JSON Lines: choose the format jsonl")
        if self.compression != "none" and self.format != "jsonl":
            raise ValueError("only JSON Lines are compressed as a whole: choose the format jsonl")
        if self.format == "text" and self.columns:
            raise ValueError("text files hold the text alone: leave the columns out, or choose another format")
        if self.shard_rows < 1:
            raise ValueError("a file has at least one row")

    def known(self) -> list[str]:
        """All columns that rows of the unit may have."""
        own = OWN[self.unit]
        return [*own, *(name for name in DOCUMENTS.names if name not in own)]

    def chosen(self) -> list[str]:
        """The columns that the rows have."""
        if self.columns:
            return list(self.columns)
        left_out = {*(NOT_IN_JSON if self.format == "jsonl" else ()), *(SPANS if self.roles else ())}
        names = OWN[self.unit] if self.unit != "document" else self.known()
        return [name for name in names if name not in left_out]


def export(version: Version, target: Path, choice: Choice, advance: Callable[[int], None] = lambda rows: None) -> int:
    """Writes a version into the new folder `target`; returns the number of rows.

    advance   is told how many documents were written
    Raises StoreError when `target` exists (nothing is overwritten), cannot be written, or the version is damaged.
    """
    if os.path.lexists(target):
        raise StoreError(f"{target} exists: choose another folder, or move it away (nothing is overwritten)")
    with explained(target.parent):
        target.parent.mkdir(parents=True, exist_ok=True)
        unfinished = target.with_name(f".{target.name}.{os.getpid()}")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir()
        try:
            rows = _rows(version, choice, advance)
            written = (
                _write_texts(rows, unfinished) if choice.format == "text" else _write_shards(rows, unfinished, choice)
            )
            os.rename(unfinished, target)  # it has its name only when it is complete
        except BaseException:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise
    return written


def _among(what: str, value: str, allowed: Sequence[str]) -> None:
    if value not in allowed:
        raise ValueError(f"there is no {what} {value!r}; there are {', '.join(allowed)}")


def _rows(version: Version, choice: Choice, advance: Callable[[int], None]) -> Iterator[Row]:
    """The rows, in the order of ids, with the chosen columns and `id` and `text`."""
    needed = {*choice.chosen(), "id", "text", "paragraphs", "articles"}
    columns = [name for name in DOCUMENTS.names if name in needed]
    for run in ordered.runs(version, "documents", columns):
        for batch in run.to_batches(max_chunksize=1_000):
            for document in batch.to_pylist():
                yield from _UNITS[choice.unit](document, choice.roles)
            advance(batch.num_rows)


def _document(document: Row, roles: Sequence[str]) -> Iterator[Row]:
    document["text"] = _text(document, roles, 0, len(document["text"]))
    if not roles or document["text"]:
        yield document


def _paragraphs(document: Row, roles: Sequence[str]) -> Iterator[Row]:
    for n, one in enumerate(document["paragraphs"]):
        if not roles or one["role"] in roles:
            text = document["text"][one["start"] : one["end"]]
            own = {"id": f"{document['id']}#p{n}", "document": document["id"], "n": n, "text": text, **one}
            yield document | own


def _articles(document: Row, roles: Sequence[str]) -> Iterator[Row]:
    """A document without articles is one article."""
    whole = {"title": document.get("title"), "column": None, "authors": document.get("authors") or []}
    whole |= {"start": 0, "end": len(document["text"])}
    for n, one in enumerate(document["articles"] or [whole]):
        text = _text(document, roles, one["start"], one["end"])
        if not roles or text:
            own = {"id": f"{document['id']}#a{n}", "document": document["id"], "n": n, "text": text}
            yield document | one | own


_UNITS = {"document": _document, "paragraph": _paragraphs, "article": _articles}


def _text(document: Row, roles: Sequence[str], start: int, end: int) -> str:
    """The text between two places, or only its paragraphs of these roles."""
    text: str = document["text"]
    if not roles:
        return text[start:end]
    spans = [(p["start"], p["end"]) for p in document["paragraphs"] if p["role"] in roles]
    return "\n\n".join(text[a:b] for a, b in spans if start <= a and b <= end)


def _write_texts(rows: Iterator[Row], folder: Path) -> int:
    """One file per row, named by its id; see `_free` for ids of which one is a folder of the other."""
    written = 0
    for row in rows:
        written += 1
        file = _free(folder, row["id"])
        if not file.resolve().is_relative_to(folder.resolve()):
            raise StoreError(f"the id {row['id']!r} leads out of the folder: choose the format jsonl or parquet")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(row["text"], "utf-8", newline="")
    return written


MARK = "~"
"""Behind the name of a file or folder where that name is taken."""


def _free(folder: Path, id: str) -> Path:
    """The row's file.  Of the ids `a` and `a/b`, `a` is written first, so the other's folder is `a~`; what would
    overwrite a file, as `a//b` after `a/b`, gets the mark, too.  Rows come in the order of ids: the same version has
    the same names."""
    *folders, name = id.split("/")
    path = folder
    for part in folders:
        while (path / part).is_file():
            part += MARK
        path /= part
    while os.path.lexists(path / name):
        name += MARK
    return path / name


def _write_shards(rows: Iterator[Row], folder: Path, choice: Choice) -> int:
    """Files of `shard_rows` rows; at least one."""
    written, number = 0, 0
    more = True
    first = next(rows, None)
    while more:
        file = folder / f"part-{number:05}.{_suffix(choice)}"
        shard = _Shard(first, rows, choice.shard_rows)
        if choice.format == "parquet":
            _write_parquet(shard, file, choice)
        else:
            _write_json(shard, file, choice)
        written += shard.count
        number += 1
        first = next(rows, None)
        more = first is not None
    return written


class _Shard:
    """The rows of one file: the first, which was taken from the others to see whether there is one, and more."""

    def __init__(self, first: Row | None, others: Iterator[Row], size: int) -> None:
        self.first, self.others, self.size = first, others, size
        self.count = 0

    def __iter__(self) -> Iterator[Row]:
        if self.first is None:
            return
        self.count = 1
        yield self.first
        while self.count < self.size:
            row = next(self.others, None)
            if row is None:
                return
            self.count += 1
            yield row


def _suffix(choice: Choice) -> str:
    if choice.format == "parquet":
        return "parquet"
    return "jsonl" if choice.compression == "none" else f"jsonl.{choice.compression}"


def _schema(choice: Choice) -> pa.Schema:
    kinds = {
        "document": pa.field("document", pa.string(), nullable=False),
        "n": pa.field("n", pa.int64(), nullable=False),
        "role": pa.field("role", pa.string(), nullable=False),
        "column": pa.field("column", pa.string()),
        "start": pa.field("start", pa.int64(), nullable=False),
        "end": pa.field("end", pa.int64(), nullable=False),
    }
    return pa.schema([kinds[name] if name in kinds else DOCUMENTS.field(name) for name in choice.chosen()])


def _write_parquet(rows: _Shard, file: Path, choice: Choice) -> None:
    schema = _schema(choice)
    with pq.ParquetWriter(file, schema, compression="zstd", compression_level=COMPRESSION_LEVEL) as writer:
        group: list[Row] = []
        for row in rows:
            group.append(row)
            if len(group) == GROUP_ROWS:
                writer.write_table(pa.Table.from_pylist(group, schema))
                group = []
        if group:
            writer.write_table(pa.Table.from_pylist(group, schema))


def _write_json(rows: _Shard, file: Path, choice: Choice) -> None:
    names = choice.chosen()
    with _opened(file, choice.compression) as stream:
        for row in rows:
            shown = {name: row[name] for name in names}
            if choice.flavour == "datatrove":
                others = {name: value for name, value in shown.items() if name not in ("id", "text")}
                shown = {"id": row["id"], "text": row["text"], "metadata": others}
            line = json.dumps(shown, ensure_ascii=False, separators=(",", ":"), default=_hex)
            stream.write(line.encode() + b"\n")


def _hex(value: object) -> str:
    if isinstance(value, bytes):
        return value.hex()
    raise TypeError(f"{value!r} is nothing that JSON can hold")


def _opened(file: Path, compression: str) -> Any:
    """A stream to write bytes to. The gzip header holds neither name nor time."""
    if compression == "gz":
        return _Gzip(file)
    if compression == "zst":
        return pa.CompressedOutputStream(pa.OSFile(os.fspath(file), "wb"), "zstd")
    return open(file, "wb")


class _Gzip(gzip.GzipFile):
    """A gzip file whose bytes depend on its content alone."""

    def __init__(self, file: Path) -> None:
        self.raw_file: io.BufferedWriter = open(file, "wb")  # noqa: SIM115  closed below
        super().__init__(filename="", mode="wb", fileobj=self.raw_file, mtime=0)

    def close(self) -> None:
        super().close()
        self.raw_file.close()
