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
    ids, sizes = [], []
    for path, part in version.sources(table):
        if part.rows:
            ids.append(parts.read([path], table, ["id"])["id"].combine_chunks())
            sizes.append(np.full(part.rows, part.bytes / part.rows))
    if not ids:
        return
    every = pa.concat_arrays([one.chunk(0) if isinstance(one, pa.ChunkedArray) else one for one in ids])
    order = pc.sort_indices(every)
    every = every.take(order)
    run = (np.cumsum(np.concatenate(sizes)[order.to_numpy()]) // run_bytes).astype(np.int64)
    ends = np.flatnonzero(np.append(run[1:] != run[:-1], True))
    start = 0
    for end in ends.tolist():
        last = every[end].as_py()
        if end + 1 < len(every) and every[end + 1].as_py() == last:
            continue  # the run would end within the rows of an id
        yield every[start].as_py(), last
        start = end + 1
