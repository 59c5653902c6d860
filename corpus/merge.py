"""Merging: the parts of a table's next version, from the parts of the last one and those that a run staged.

Only parts that hold ids which are gone are written again; all others are linked. Small parts are merged, so
that a corpus to which single documents are added for years does not end in parts of one row.
"""

from __future__ import annotations

import filecmp
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from . import parts, runs
from .parts import Part
from .runs import Run
from .schema import SCHEMAS

SMALL_PART = 1 << 20
"""A part of fewer bytes is merged with others when rows are added: at most so much is written again for one
new document."""

PART_SIZE = 8 << 20
"""Small parts are merged up to this size, in bytes: parts of 7 to 16 MB keep an upsert and a scan fast."""


class Source(NamedTuple):
    """A part and where it is now."""

    path: Path
    part: Part


class Piece(NamedTuple):
    """Rows that wait for others to make a part with; `bytes` is about their size as Parquet."""

    min_id: str
    bytes: int
    runs: list[Run]


def write_table(
    table: str, base: Sequence[Source], staged: Sequence[Source], gone: Sequence[str] | None, folder: Path
) -> tuple[Part, ...]:
    """Links or writes all parts of a table into `folder`, at least one, and returns them in the order of ids.

    base    the parts of the version before
    staged  the parts with new rows
    gone    sorted ids whose rows in `base` must go; None: all
    Holds a few thousand rows of some parts in memory at a time.
    """
    folder.mkdir()
    kept, touched = _sort_out(base, gone, table)
    large = [one for one in staged if one.part.bytes >= SMALL_PART]
    small = [_piece(one, table) for one in staged if one.part.rows and one.part.bytes < SMALL_PART]
    made: list[Part] = []
    pool = _Pool(small if touched else [], table, folder)
    for one in touched:
        # the new rows of a changed document take the place of the old ones
        mine = runs.merged([*_left(one, table, gone or ()), *pool.taken(one)], table, folder)
        part = parts.write_sorted(mine, table, folder)
        if part.rows:
            made.append(part)
        else:
            (folder / part.file).unlink()
    if touched and pool.fits:
        small = pool.rest()
    if small:
        small += [_piece(one, table) for one in kept if one.part.bytes < SMALL_PART]
        kept = [one for one in kept if one.part.bytes >= SMALL_PART]
    for some in _batches(small):
        rows = runs.merged([run for piece in some for run in piece.runs], table, folder)
        made.append(parts.write_sorted(rows, table, folder))
    pool.close()
    made += [_linked(one, folder) for one in [*kept, *large]]
    if not made:
        made.append(parts.write(SCHEMAS[table].empty_table(), table, folder))
    share(made, base, folder)
    parts.sync(folder)
    return tuple(sorted(made, key=lambda part: (part.min_id or "", part.file)))


class _Pool:
    """The new rows of small parts, in a file, when they are few enough to make one part.

    fits   whether they are
    """

    def __init__(self, small: Sequence[Piece], table: str, folder: Path) -> None:
        self._bytes = sum(piece.bytes for piece in small)
        self.fits = self._bytes < PART_SIZE
        self._table = table
        self._file = folder / ".pool"
        every = [run for piece in small for run in piece.runs] if self.fits else []
        self._rows = runs.spilled(runs.merged(every, table, folder), table, self._file)
        self._ids = _unique(self._rows.between())

    def taken(self, source: Source) -> list[Run]:
        """Takes out the rows of documents that have rows in a part."""
        low, high = source.part.min_id, source.part.max_id
        if low is None or high is None or not len(self._ids):
            return []
        ids = _unique(parts.groups(source.path, self._table, ["id"]))
        mine = self._ids.filter(pc.is_in(self._ids, ids))
        self._ids = self._ids.filter(pc.invert(pc.is_in(self._ids, ids)))
        return [Run(low, high, lambda: _only(self._rows.between(low, high), mine))] if len(mine) else []

    def rest(self) -> list[Piece]:
        """What was not taken out."""
        ids = self._ids
        if not len(ids):
            return []
        least, most = pc.min_max(ids).values()
        run = Run(least.as_py(), most.as_py(), lambda: _only(self._rows.between(), ids))
        return [Piece(run.min_id, self._bytes, [run])]

    def close(self) -> None:
        self._file.unlink(missing_ok=True)


def _unique(tables: Iterable[pa.Table]) -> pa.Array:
    """The ids in sorted rows, each once."""
    found = [pc.unique(rows["id"]) for rows in tables]
    return pc.unique(pa.chunked_array([pa.array([], pa.string()), *found], pa.string()))


def _only(tables: Iterable[pa.Table], ids: pa.Array) -> Iterator[pa.Table]:
    """The rows of these documents."""
    for rows in tables:
        yield rows.filter(pc.is_in(rows["id"], ids))


def _left(source: Source, table: str, gone: Sequence[str]) -> list[Run]:
    """The rows of a part that stay."""

    def left() -> Iterator[pa.Table]:
        for rows in parts.pieces(source.path, table):
            yield without(rows, between(gone, rows["id"][0].as_py(), rows["id"][-1].as_py()))

    return [run._replace(tables=left) for run in runs.of_part(source.path, source.part, table)]


def between(ids: Sequence[str], low: str, high: str) -> Sequence[str]:
    """Those of sorted ids that lie there."""
    return ids[bisect_left(ids, low) : bisect_right(ids, high)]


def span(ids: pa.Array, low: str, high: str) -> tuple[int, int]:
    """Where those of a sorted array of ids lie that are neither smaller nor larger: the first, and behind the last."""

    def id_at(place: int) -> str:
        return str(ids[place].as_py())

    start = bisect_left(range(len(ids)), low, key=id_at)
    return start, bisect_right(range(len(ids)), high, lo=start, key=id_at)


def share(made: Sequence[Part], base: Sequence[Source], folder: Path) -> None:
    """Stores parts that came out as they were before only once."""
    known = {one.part.sha256: one.path for one in base}
    for part in made:
        # the older file may have been damaged since: then it is not the same any more
        if part.sha256 in known and _same_file(known[part.sha256], folder / part.file):
            (folder / part.file).unlink()
            parts.link(known[part.sha256], folder / part.file)


def _same_file(old: Path, new: Path) -> bool:
    return old.is_file() and filecmp.cmp(old, new, shallow=False)


def without(rows: pa.Table, ids: Sequence[str] | pa.Array) -> pa.Table:
    """The rows whose id is not among these."""
    wanted = ids if isinstance(ids, pa.Array) else pa.array(ids, pa.string())
    return rows.filter(pc.invert(pc.is_in(rows["id"], wanted)))


def ids(sources: Sequence[Source], table: str) -> set[str]:
    """All ids in these parts of a table."""
    return {id for one in sources for id in parts.read([one.path], table, ["id"])["id"].to_pylist()}


def renamed(rows: pa.Table, names: Mapping[str, str], containers: Mapping[str, str]) -> pa.Table:
    """The rows whose ids are keys of `names`, under the ids that these have there.

    containers   new id -> container that the seed lies in now; ids of files are not in it
    """
    found = rows.filter(pc.is_in(rows["id"], pa.array(list(names), pa.string())))
    ids = [names[id] for id in found["id"].to_pylist()]
    found = found.set_column(0, found.schema.field("id"), pa.array(ids, pa.string()))
    if "seed_container" in found.column_names:
        place = found.schema.get_field_index("seed_container")
        values = pa.array([containers.get(id) for id in ids], pa.string())
        found = found.set_column(place, found.schema.field(place), values)
    return found


def may_hold(part: Part, ids: Sequence[str]) -> bool:
    """Whether one of the sorted ids lies between the part's smallest and largest."""
    if part.min_id is None or part.max_id is None:
        return False
    i = bisect_left(ids, part.min_id)
    return i < len(ids) and ids[i] <= part.max_id


def _sort_out(base: Sequence[Source], gone: Sequence[str] | None, table: str) -> tuple[list[Source], list[Source]]:
    """The parts that stay as they are, and those that hold rows which must go."""
    kept: list[Source] = []
    touched: list[Source] = []
    if gone is None:
        return kept, touched
    for one in base:
        if may_hold(one.part, gone) and _holds(one, table, gone):
            touched.append(one)
        elif one.part.rows:
            kept.append(one)
    return kept, touched


def _holds(source: Source, table: str, gone: Sequence[str]) -> bool:
    wanted = pa.array(between(gone, source.part.min_id or "", source.part.max_id or ""), pa.string())
    return any(pc.any(pc.is_in(rows["id"], wanted)).as_py() for rows in parts.groups(source.path, table, ["id"]))


def _piece(source: Source, table: str) -> Piece:
    return Piece(source.part.min_id or "", source.part.bytes, runs.of_part(source.path, source.part, table))


def _batches(pieces: Sequence[Piece]) -> Iterator[list[Piece]]:
    """Pieces in the order of their ids, as many together as have at most PART_SIZE bytes."""
    batch: list[Piece] = []
    size = 0
    for piece in sorted(pieces, key=lambda one: (one.min_id, one.bytes)):
        if batch and size + piece.bytes > PART_SIZE:
            yield batch
            batch, size = [], 0
        batch.append(piece)
        size += piece.bytes
    if batch:
        yield batch


def _linked(source: Source, folder: Path) -> Part:
    """The part, linked into `folder` under the name that its hash gives it."""
    part = source.part._replace(file=parts.file_name(source.part.sha256))
    parts.link(source.path, folder / part.file)
    return part
