"""Merging: the parts of a table's next version, from the parts of the last one and those that a run staged.

Only parts that hold ids which are gone are written again; all others are linked. Small parts are merged, so
that a corpus to which single documents are added for years does not end in parts of one row.
"""

from __future__ import annotations

import filecmp
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from . import parts
from .parts import Part
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
    """Rows that wait for others to make a part with: a table, or a small part that was not read yet."""

    min_id: str
    bytes: int
    rows: pa.Table | Source


def write_table(
    table: str, base: Sequence[Source], staged: Sequence[Source], gone: Sequence[str] | None, folder: Path
) -> tuple[Part, ...]:
    """Links or writes all parts of a table into `folder`, at least one, and returns them in the order of ids.

    base    the parts of the version before
    staged  the parts with new rows
    gone    sorted ids whose rows in `base` must go; None: all
    Holds a few parts in memory at a time.
    """
    folder.mkdir()
    kept, touched = _sort_out(base, gone, table)
    large = [one for one in staged if one.part.bytes >= SMALL_PART]
    small = [_piece(one) for one in staged if one.part.rows and one.part.bytes < SMALL_PART]
    made: list[Part] = []
    if touched:
        # the new rows of a changed document take the place of the old ones
        size = sum(piece.bytes for piece in small)
        fits = size < PART_SIZE
        pool = _rows(small if fits else [], table)
        for one in touched:
            left, pool = _replaced(parts.read([one.path], table), gone or (), pool)
            if left.num_rows:
                made.append(parts.write(left, table, folder))
        if fits:
            small = [Piece(pc.min(pool["id"]).as_py(), size, pool)] if pool.num_rows else []
    if small:
        small += [_piece(one) for one in kept if one.part.bytes < SMALL_PART]
        kept = [one for one in kept if one.part.bytes >= SMALL_PART]
    made += [parts.write(_rows(run, table), table, folder) for run in _runs(small)]
    made += [_linked(one, folder) for one in [*kept, *large]]
    if not made:
        made.append(parts.write(SCHEMAS[table].empty_table(), table, folder))
    share(made, base, folder)
    parts.sync(folder)
    return tuple(sorted(made, key=lambda part: (part.min_id or "", part.file)))


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
    wanted = pa.array(gone, pa.string())
    for one in base:
        if may_hold(one.part, gone) and _holds(one, table, wanted):
            touched.append(one)
        elif one.part.rows:
            kept.append(one)
    return kept, touched


def _holds(source: Source, table: str, ids: pa.Array) -> bool:
    found = parts.read([source.path], table, ["id"])["id"]
    return bool(pc.any(pc.is_in(found, ids)).as_py())


def _piece(source: Source) -> Piece:
    return Piece(source.part.min_id or "", source.part.bytes, source)


def _rows(pieces: Sequence[Piece], table: str) -> pa.Table:
    """All rows of the pieces."""
    found = [parts.read([one.rows.path], table) if isinstance(one.rows, Source) else one.rows for one in pieces]
    return pa.concat_tables([SCHEMAS[table].empty_table(), *found])


def _replaced(old: pa.Table, gone: Sequence[str], pool: pa.Table) -> tuple[pa.Table, pa.Table]:
    """The old rows that stay, with the pool's rows of the documents that had rows here; the pool's rest."""
    mine = pc.is_in(pool["id"], pc.unique(old["id"]))
    return pa.concat_tables([without(old, gone), pool.filter(mine)]), pool.filter(pc.invert(mine))


def _runs(pieces: Sequence[Piece]) -> Iterator[list[Piece]]:
    """Pieces in the order of their ids, in runs of at most PART_SIZE bytes."""
    run: list[Piece] = []
    size = 0
    for piece in sorted(pieces, key=lambda one: (one.min_id, one.bytes)):
        if run and size + piece.bytes > PART_SIZE:
            yield run
            run, size = [], 0
        run.append(piece)
        size += piece.bytes
    if run:
        yield run


def _linked(source: Source, folder: Path) -> Part:
    """The part, linked into `folder` under the name that its hash gives it."""
    part = source.part._replace(file=parts.file_name(source.part.sha256))
    parts.link(source.path, folder / part.file)
    return part
