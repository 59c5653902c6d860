"""Parts: the immutable Parquet files that a version's tables consist of, named by the hash of their bytes."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import shutil
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from .rows import check
from .schema import SCHEMAS

# Measured on 200,000 news documents (366 MB): 4,096 rows to a group look up one id in 20 ms where 64 k need 220 ms;
# a dictionary or statistics on texts only cost. zstd 5 is the lowest level at which `documents` is at most 1.1 times as
# large as its texts alone are at level 3 (docs/decisions/0010-compression-level.md).
COMPRESSION_LEVEL = 5
ROWS_PER_GROUP = {
    "documents": 4_096,
    "edits": 65_536,
    "quarantine": 4_096,
    "seeds": 65_536,
    "reprints": 65_536,
    "signatures": 65_536,
    "comparisons": 65_536,
    "recurring": 65_536,
    "lines": 65_536,
}
GROUP_BYTES = 32 << 20
"""A row group has no more rows when its strings and lists take so much: four thousand books would fill the memory of
whoever writes or reads them."""

BYTES_OF_AN_ELEMENT = 32  # of a list, such as a paragraph: two places and a role

PIECE_BYTES = 8 << 20
"""About so much of a file is read at a time, uncompressed; a single row may be more."""

DICTIONARY = {
    "documents": (
        *("source", "site", "section", "script", "encoding", "seed_container"),
        *("paragraphs.list.element.role", "flags.list.element.kind", "edits_per_rule.list.element.rule"),
        "other_metadata.list.element.field",
    ),
    "edits": ("id", "pass", "cleaner", "rule", "before", "after", "field"),
    "quarantine": ("kind", "reason", "encoding", "seed_container"),
    "seeds": ("outcome", "kind", "container", "container_sha256"),
    "reprints": ("cluster", "kept"),
    "signatures": ("published_at",),
    "comparisons": ("id",),
    "recurring": ("site", "place", "rule"),
    "lines": ("site",),
}
STATISTICS = {
    "documents": (
        "id",
        "source",
        "site",
        "published_at",
        "script",
        "n_chars",
        "seed_sha256",
        "seed_bytes",
        "encoding",
        "seed_container",
    ),
    "edits": ("id", "pass", "cleaner", "rule", "start", "seed_start", "field"),
    "quarantine": ("id", "kind", "seed_sha256", "seed_bytes"),
    "seeds": ("id", "sha256", "bytes", "outcome", "kind", "container"),
    "reprints": ("id", "cluster", "kept", "similarity"),
    "signatures": ("id",),
    "comparisons": ("id",),
    "recurring": ("id", "site", "place", "articles"),
    "lines": ("id",),
}
# Positions grow within a document: their differences are small numbers. This takes a quarter off `edits`.
DIFFERENCES = {
    "documents": ("paragraphs.list.element.start", "paragraphs.list.element.end"),
    "edits": ("n", "start", "seed_start", "ref"),
}
# Hashes of 4 bytes, which are random: compressing them takes a twentieth of what writing takes, and saves nothing.
UNCOMPRESSED = {"signatures": ("bands",)}
ORDER = {
    "documents": ("id",),
    "edits": ("id", "n"),
    "quarantine": ("id",),
    "seeds": ("id",),
    "reprints": ("id",),
    "signatures": ("id",),
    "comparisons": ("id", "other"),
    "recurring": ("id", "site"),
    "lines": ("id",),
}


class StoreError(Exception):
    """The corpus cannot be read or written.  The message tells the user what happened and what to do."""


class Part(NamedTuple):
    """One Parquet file of a table.

    file    name in the table's folder
    sha256  of the file, in hex
    rows    number of rows
    bytes   size of the file
    min_id  smallest id in it, max_id the largest; None when it has no rows
    edits   of a part of `documents`: number of edits per cleaner and rule; else empty
    """

    file: str
    sha256: str
    rows: int
    bytes: int
    min_id: str | None
    max_id: str | None
    edits: Mapping[str, Mapping[str, int]]


def write(rows: pa.Table, table: str, folder: Path, file: str = "") -> Part:
    """Writes rows, sorted, into `folder` as one part of a table, and makes them durable.

    The bytes depend on the rows and on pyarrow's version alone: no clock, no path, no run.
    file    its name; empty: part-<beginning of its hash>.parquet
    Raises ValueError when the rows do not have the table's schema, OSError when they cannot be written.
    """
    check(rows, table)
    return _written([in_order(rows, ORDER[table])], table, folder, file)


def write_sorted(tables: Iterable[pa.Table], table: str, folder: Path, file: str = "") -> Part:
    """The same, of rows that come in their order, a few at a time: a row group of them is in memory."""
    return _written(_checked(tables, table), table, folder, file)


def _checked(tables: Iterable[pa.Table], table: str) -> Iterator[pa.Table]:
    for rows in tables:
        check(rows, table)
        yield rows


def _written(tables: Iterable[pa.Table], table: str, folder: Path, file: str) -> Part:
    unfinished = folder / f".part.{os.getpid()}.{threading.get_ident()}"
    counted: Counter[str] = Counter()
    first = last = None
    size = 0
    try:
        with open(unfinished, "wb") as stream:
            hashed = _Hashed(stream)
            with _writer(hashed, table) as writer:
                for rows in _grouped(tables, ROWS_PER_GROUP[table]):
                    writer.write_table(rows, rows.num_rows)
                    first = rows["id"][0].as_py() if first is None else first
                    last = rows["id"][-1].as_py()
                    size += rows.num_rows
                    if table == "documents":
                        counted.update(_rules(rows))
            _finish(stream)
        sha256 = hashed.digest.hexdigest()
        part = Part(file or file_name(sha256), sha256, size, hashed.size, first, last, _by_cleaner(counted))
        os.rename(unfinished, folder / part.file)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    return part


def _grouped(tables: Iterable[pa.Table], size: int) -> Iterator[pa.Table]:
    """Rows in groups of this size, each in one piece; the last one may be smaller, and the row that brings one to
    GROUP_BYTES ends it. Where groups end depends on the rows alone, not on how they come.  No group is empty: to
    Hugging Face's reader that is an error."""
    waiting: list[pa.Table] = []
    rows = filled = 0
    for one in tables:
        filled_at = np.cumsum(_sizes(one))
        start = before = 0
        while start < one.num_rows:
            full = int(np.searchsorted(filled_at, before + GROUP_BYTES - filled)) + 1
            end = min(start + size - rows, full, one.num_rows)
            waiting.append(one.slice(start, end - start))
            rows += end - start
            filled += int(filled_at[end - 1]) - before
            start, before = end, int(filled_at[end - 1])
            if rows == size or filled >= GROUP_BYTES:
                yield pa.concat_tables(waiting).combine_chunks()
                waiting, rows, filled = [], 0, 0
    if waiting:
        yield pa.concat_tables(waiting).combine_chunks()


def _sizes(rows: pa.Table) -> npt.NDArray[np.int64]:
    """About how many bytes each row takes in memory: its strings, and what its lists hold."""
    found = np.zeros(rows.num_rows, np.int64)
    for column in rows.columns:
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type) or pa.types.is_binary(column.type):
            lengths = pc.binary_length(column)
        elif pa.types.is_list(column.type) or pa.types.is_large_list(column.type):
            lengths = pc.multiply(pc.list_value_length(column), BYTES_OF_AN_ELEMENT)
        else:
            continue
        found += pc.fill_null(lengths, 0).to_numpy()
    return found


class _Hashed(io.RawIOBase):
    """A file that is written to, with the hash and the number of its bytes."""

    def __init__(self, stream: IO[bytes]) -> None:
        self.digest = hashlib.sha256()
        self.size = 0
        self._stream = stream

    def writable(self) -> bool:
        return True

    def write(self, content: Any) -> int:
        self.digest.update(content)
        self._stream.write(content)
        self.size += len(content)
        return len(content)

    def tell(self) -> int:
        return self.size


def in_order(rows: pa.Table, order: Sequence[str]) -> pa.Table:
    """The rows sorted by these columns, the first of which is `id`; not a copy of them when they are so already."""
    if rows.num_rows and is_sorted(rows, order):
        return rows
    return rows.sort_by([(name, "ascending") for name in order])


def is_sorted(rows: pa.Table, order: Sequence[str]) -> bool:
    """Whether the rows are sorted by these columns; False also for what this does not find out."""
    before, after = rows.slice(0, rows.num_rows - 1), rows.slice(1)
    good = pc.less_equal(before["id"], after["id"])
    if len(order) > 1:
        if rows.schema.field(order[1]).nullable:
            return False
        good = pc.or_(
            pc.less(before["id"], after["id"]), pc.and_(good, pc.less_equal(before[order[1]], after[order[1]]))
        )
    return pc.all(good).as_py() is not False


def file_name(sha256: str) -> str:
    """The name of a part with this hash."""
    return f"part-{sha256[:20]}.parquet"


def read(files: Sequence[Path], table: str, columns: Sequence[str] | None = None, filters: Any = None) -> pa.Table:
    """The rows of these files of a table; columns and filters as `pyarrow.parquet.read_table` has them.

    Raises StoreError when a file is missing or damaged, or a column unknown.
    """
    schema = SCHEMAS[table]
    unknown = sorted(set(columns or ()).difference(schema.names))
    if unknown:
        raise StoreError(f"{table} has no column {', '.join(unknown)}; it has {', '.join(schema.names)}")
    names = list(map(os.fspath, files))
    try:
        # pages carry checksums: a damaged file is an error, not another text
        found = _read_plainly(names, schema, columns) if filters is None else None
        if found is None:
            found = pq.read_table(
                names,
                schema=schema,
                columns=None if columns is None else list(columns),
                filters=filters,
                partitioning=None,
                page_checksum_verification=True,
            )
    except (OSError, pa.ArrowInvalid) as error:
        folder = files[0].parent if files else "the version"
        raise StoreError(_damaged(folder, error)) from error
    return found


def groups(file: Path, table: str, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
    """The rows of one file of a table, a row group at a time: for a few columns.

    Raises StoreError when the file is missing or damaged.
    """
    return _by_batches(file, table, columns, ROWS_PER_GROUP[table])


def pieces(
    file: Path, table: str, columns: Sequence[str] | None = None, ids: pa.Array | None = None
) -> Iterator[pa.Table]:
    """The rows of one file of a table, a few thousand (of documents, a few hundred) at a time.

    ids   only row groups with rows of one of these are read, but others of their rows come, too
    Raises StoreError when the file is missing or damaged.
    """
    return _by_batches(file, table, columns, ROWS_PER_GROUP[table] // 8, ids)


def _by_batches(
    file: Path, table: str, columns: Sequence[str] | None, size: int, ids: pa.Array | None = None
) -> Iterator[pa.Table]:
    schema = SCHEMAS[table]
    wanted = list(columns) if columns is not None else schema.names
    part = pa.schema([schema.field(name) for name in wanted], schema.metadata)
    try:
        with pq.ParquetFile(file, page_checksum_verification=True) as one:
            if not one.schema_arrow.equals(schema):
                yield read([file], table, columns)
                return
            chosen = [
                number
                for number in range(one.num_row_groups)
                if ids is None or pc.any(pc.is_in(one.read_row_group(number, ["id"])["id"], ids)).as_py()
            ]
            size = min(size, _rows_of_a_piece(one.metadata))
            for batch in one.iter_batches(size, row_groups=chosen, columns=wanted) if chosen else ():
                yield pa.Table.from_batches([batch]).select(wanted).cast(part)
    except (OSError, pa.ArrowInvalid) as error:
        raise StoreError(_damaged(file.parent, error)) from error


def _rows_of_a_piece(file: pq.FileMetaData) -> int:
    """So many rows of a file have about PIECE_BYTES, where they are largest."""
    groups = [file.row_group(number) for number in range(file.num_row_groups)]
    largest = max((one.total_byte_size / one.num_rows for one in groups if one.num_rows), default=1)
    return max(1, int(PIECE_BYTES / largest))


def _damaged(folder: Path | str, error: Exception) -> str:
    return f"a file of {folder} is missing or damaged: restore it from a copy ({error})"


def _read_plainly(files: Sequence[str], schema: pa.Schema, columns: Sequence[str] | None) -> pa.Table | None:
    """The rows of files that have this very schema; None when one has another (of an older version).

    The same as `read_table`, without its import of pyarrow.dataset: that one imports pandas, too, where there is one,
    and takes a third of a second.
    """
    wanted = list(columns) if columns is not None else schema.names
    part = pa.schema([schema.field(name) for name in wanted], schema.metadata)
    found = []
    for file in files:
        with pq.ParquetFile(file, page_checksum_verification=True) as one:
            if not one.schema_arrow.equals(schema):
                return None
            found.append(one.read(wanted).select(wanted).cast(part))
    return pa.concat_tables(found) if found else part.empty_table()


def count_edits(rows: pa.Table) -> dict[str, dict[str, int]]:
    """Number of edits per cleaner and rule, both sorted, in rows of `documents`.  A rule's id begins with the name
    of its cleaner."""
    return _by_cleaner(_rules(rows))


def _rules(rows: pa.Table) -> dict[str, int]:
    counted = pa.table(rows["edits_per_rule"].combine_chunks().flatten().flatten(), ["rule", "n"])
    sums = counted.group_by("rule").aggregate([("n", "sum")])
    return dict(zip(sums["rule"].to_pylist(), sums["n_sum"].to_pylist(), strict=True))


def _by_cleaner(rules: Mapping[str, int]) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for rule, n in sorted(rules.items()):
        found.setdefault(rule.partition(".")[0], {})[rule] = n
    return found


def _writer(sink: Any, table: str) -> pq.ParquetWriter:
    schema, differences, plain = SCHEMAS[table], DIFFERENCES.get(table, ()), UNCOMPRESSED.get(table, ())
    return pq.ParquetWriter(
        sink,
        schema,
        compression={name: "none" if name in plain else "zstd" for name in schema.names} if plain else "zstd",
        compression_level={n: COMPRESSION_LEVEL for n in schema.names if n not in plain}
        if plain
        else COMPRESSION_LEVEL,
        use_dictionary=list(DICTIONARY[table]),
        column_encoding=dict.fromkeys(differences, "DELTA_BINARY_PACKED") or None,
        write_statistics=list(STATISTICS[table]),
        write_page_index=True,
        write_page_checksum=True,
        sorting_columns=pq.SortingColumn.from_ordering(schema, [(n, "ascending") for n in ORDER[table]]),
    )


def _finish(stream: IO[bytes]) -> None:
    """Makes a new file read-only and durable."""
    stream.flush()
    os.fchmod(stream.fileno(), 0o444)  # other versions share the file
    os.fsync(stream.fileno())


def write_bytes(file: Path, content: bytes | memoryview) -> None:
    """Writes a new read-only file and makes it durable; it has its name only when it is complete."""
    unfinished = file.with_name(f".{file.name}.{os.getpid()}")
    with open(unfinished, "wb") as stream:
        stream.write(content)
        _finish(stream)
    os.rename(unfinished, file)


def link(source: Path, target: Path) -> None:
    """Makes `target` the same file as `source`; a copy where the file system has no hard links."""
    try:
        os.link(source, target)
    except FileExistsError:
        return  # names are hashes: it is the same content
    except OSError:
        shutil.copyfile(source, target)
        os.chmod(target, 0o444)
        sync(target)


def sync(path: Path) -> None:
    """Makes a file's content, or a folder's list of names, durable."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def explained(output: Path) -> Iterator[None]:
    """Turns an OSError into a StoreError that says what to do."""
    try:
        yield
    except OSError as error:
        advice = {
            errno.ENOSPC: "the disk is full: make room and run again; the newest version is unharmed",
            errno.EDQUOT: "your quota is used up: make room and run again; the newest version is unharmed",
            errno.EACCES: "permission denied: choose another output folder, or get the right to write to it",
            errno.EPERM: "not permitted: choose another output folder, or get the right to write to it",
            errno.EROFS: "the file system is read-only: choose another output folder",
            errno.EEXIST: "a file is in the way of a folder: choose another output folder",
            errno.ENOTDIR: "a file is in the way of a folder: choose another output folder",
        }.get(error.errno or 0, f"{error.strerror or error}: check the disk, then run again")
        raise StoreError(f"cannot write the corpus in {output}: {advice}") from error
