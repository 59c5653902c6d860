"""Ordered: a table of a version in the order of its ids, a few megabytes at a time.

The parts of a version may overlap (added documents may lie in a part of their own), so that reading them one
after the other is not enough.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from . import parts
from . import runs as runs_of_rows
from .parts import ORDER
from .schema import SCHEMAS
from .version import Version

RUN_BYTES = 8 << 20  # of Parquet: a run of rows is some 16 to 50 MB in memory


def runs(
    version: Version, table: str, columns: Sequence[str] | None = None, run_bytes: int = RUN_BYTES
) -> Iterator[pa.Table]:
    """The rows of a table, sorted by id (edits by id and n), in runs that are about `run_bytes` as Parquet.

    All rows of an id are in one run.  Raises StoreError when a file is damaged.
    """
    for low, high in _bounds(version, table, run_bytes):
        yield between(version, table, low, high, columns)


def between(version: Version, table: str, low: str, high: str, columns: Sequence[str] | None = None) -> pa.Table:
    """The rows with low <= id <= high, sorted.  Only parts that may hold some are opened."""
    files = [one.path for one in version.sources(table) if _overlaps(one.part.min_id, one.part.max_id, low, high)]
    if not files:
        empty = SCHEMAS[table].empty_table()
        return empty.select(columns) if columns else empty
    found = parts.read(files, table, columns, (pc.field("id") >= low) & (pc.field("id") <= high))
    return found.sort_by([(name, "ascending") for name in ORDER[table] if name in found.column_names])


def _overlaps(least: str | None, most: str | None, low: str, high: str) -> bool:
    return least is not None and most is not None and least <= high and low <= most


def _bounds(version: Version, table: str, run_bytes: int) -> Iterator[tuple[str, str]]:
    """First and last id of each run."""
    first = last = None
    run, size = 0, 0.0
    for rows in runs_of_rows.ids(version.sources(table), table):
        ids = rows["id"].to_pylist()
        first = ids[0] if first is None else first
        ends = np.cumsum(rows["bytes"].to_numpy()) + size
        numbers = (ends // run_bytes).astype(np.int64)
        for place in np.flatnonzero(np.append(run, numbers[:-1]) != numbers).tolist():
            before = ids[place - 1] if place else last
            if before is not None and before != ids[place]:  # else a run would end within the rows of an id
                yield first, before
                first = ids[place]
        last, run, size = ids[-1], int(numbers[-1]), float(ends[-1])
    if first is not None and last is not None:
        yield first, last
