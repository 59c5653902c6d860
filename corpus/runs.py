"""Runs: rows that lie sorted in files, merged into one order, a few thousand rows of each in memory at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import count
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from . import parts
from .parts import ORDER
from .schema import SCHEMAS

MOST_OPEN = 64
"""So many runs that overlap are read at a time; more are merged into fewer, larger ones first."""

ROWS = 1 << 13
"""So many rows of a run are in memory at a time."""


_numbers = count()  # of files: two merges may go on in one folder


class Run(NamedTuple):
    """Rows of a table in the order of a part.

    min_id, max_id   of them
    tables           gives them, a few at a time, from the beginning
    """

    min_id: str
    max_id: str
    tables: Callable[[], Iterator[pa.Table]]


def of_part(path: Path, part: parts.Part, table: str) -> list[Run]:
    """The rows of a part; no run when it has none."""
    if part.min_id is None or part.max_id is None:
        return []
    return [Run(part.min_id, part.max_id, lambda: parts.pieces(path, table))]


def of_rows(rows: pa.Table, table: str) -> list[Run]:
    """Rows that are in memory; no run when there are none."""
    if not rows.num_rows:
        return []
    ordered = parts.in_order(rows, ORDER[table])
    return [Run(ordered["id"][0].as_py(), ordered["id"][-1].as_py(), lambda: iter([ordered]))]


class Spilled:
    """Sorted rows in a file: first and last id of each batch of them."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.bounds: list[tuple[str, str]] = []

    def runs(self) -> list[Run]:
        """All of it; no run when it is empty."""
        return [Run(self.bounds[0][0], self.bounds[-1][1], self.between)] if self.bounds else []

    def between(self, low: str | None = None, high: str | None = None) -> Iterator[pa.Table]:
        """The batches that may hold ids from `low` to `high`; None: all."""
        wanted = [
            number
            for number, (first, last) in enumerate(self.bounds)
            if (low is None or last >= low) and (high is None or first <= high)
        ]
        if wanted:
            with pa.OSFile(str(self._file)) as stream, pa.ipc.open_file(stream) as reader:
                for number in wanted:
                    yield pa.Table.from_batches([reader.get_batch(number)])


def spilled(tables: Iterable[pa.Table], table: str, file: Path) -> Spilled:
    """Writes sorted rows into a new file, which the caller removes.  Raises OSError when it cannot be written."""
    made = Spilled(file)
    with pa.OSFile(str(file), "wb") as stream, pa.ipc.new_file(stream, SCHEMAS[table]) as writer:
        for rows in tables:
            for batch in rows.combine_chunks().to_batches(max_chunksize=ROWS):
                if batch.num_rows:
                    writer.write_batch(batch)
                    made.bounds.append((batch["id"][0].as_py(), batch["id"][-1].as_py()))
    return made


def merged(runs: Iterable[Run], table: str, folder: Path) -> Iterator[pa.Table]:
    """The rows of all runs in their order.

    folder   for files while it goes on: their names begin with a dot, and they are gone at the end
    """
    spills: list[Path] = []
    try:
        waiting = sorted(runs, key=lambda one: (one.min_id, one.max_id))
        while _deepest(waiting) > MOST_OPEN:
            fewer: list[Run] = []
            for start in range(0, len(waiting), MOST_OPEN):
                file = folder / f".run-{next(_numbers)}"
                spills.append(file)
                fewer += spilled(_merged(waiting[start : start + MOST_OPEN], ORDER[table]), table, file).runs()
            waiting = sorted(fewer, key=lambda one: (one.min_id, one.max_id))
        yield from _merged(waiting, ORDER[table])
    finally:
        for file in spills:
            file.unlink(missing_ok=True)


def _deepest(runs: Sequence[Run]) -> int:
    """So many runs lie over one another at most."""
    ends = sorted([(one.min_id, 0, 1) for one in runs] + [(one.max_id, 1, -1) for one in runs])
    deep = most = 0
    for _, _, step in ends:
        deep += step
        most = max(most, deep)
    return most


class Cursor:
    """Sorted rows that are handed out by and by.

    empty    a table with their schema, without rows
    tables   the rows
    ended    whether all are read that are not handed out
    """

    def __init__(self, empty: pa.Table, tables: Iterator[pa.Table]) -> None:
        self._tables = tables
        self._rows = empty
        self.ended = False
        self.more()

    @property
    def last(self) -> str:
        """The last id that was read."""
        return str(self._rows["id"][-1].as_py())

    def more(self) -> None:
        """Reads more rows."""
        found = next((rows for rows in self._tables if rows.num_rows), None)
        if found is None:
            self.ended = True
        else:
            self._rows = pa.concat_tables([self._rows, found]) if self else found

    def below(self, limit: str | None) -> pa.Table:
        """Takes the rows, of those that were read, with smaller ids; None: all."""
        return self._take(None if limit is None else pc.less(self._rows["id"], limit))

    def up_to(self, last: str) -> pa.Table:
        """Takes all rows with ids that are not larger."""
        while not self.ended and (not self or self.last <= last):
            self.more()
        return self._take(pc.less_equal(self._rows["id"], last))

    def _take(self, wanted: pa.ChunkedArray | None) -> pa.Table:
        size = self._rows.num_rows if wanted is None else pc.sum(wanted).as_py() or 0
        taken, self._rows = self._rows.slice(0, size), self._rows.slice(size)
        return taken

    def __bool__(self) -> bool:
        """Whether rows were read that are not handed out."""
        return bool(self._rows.num_rows)


def ids(sources: Iterable[tuple[Path, parts.Part]], table: str) -> Iterator[pa.Table]:
    """The columns `id` of all these parts in one order, and `bytes`, which a row takes of its part on average."""
    found = [run._replace(tables=partial(_ids, *one, table)) for one in sources for run in of_part(*one, table)]
    return _merged(sorted(found, key=lambda one: (one.min_id, one.max_id)), ["id"])


def _ids(path: Path, part: parts.Part, table: str) -> Iterator[pa.Table]:
    for rows in parts.pieces(path, table, ["id"]):
        yield rows.append_column("bytes", pa.array(np.full(rows.num_rows, part.bytes / part.rows)))


def side_by_side(*sorted_rows: tuple[pa.Table, Iterator[pa.Table]]) -> Iterator[list[pa.Table]]:
    """Several tables, cut where their ids are the same: all rows of an id come at once, and so do those of some
    thousand ids, smaller ids first.

    sorted_rows   of each an empty table with its schema, and its rows in the order of their ids
    """
    opened = [Cursor(empty, tables) for empty, tables in sorted_rows]
    while any(opened):
        limit = _limit(opened)
        taken = [one.below(limit) for one in opened]
        _read_on(opened, limit)
        if any(rows.num_rows for rows in taken):
            yield taken


def _merged(waiting: Sequence[Run], order: Sequence[str]) -> Iterator[pa.Table]:
    """The rows of runs that are sorted by their smallest ids."""
    queue = list(waiting)[::-1]
    opened: list[Cursor] = []
    while queue or opened:
        limit = _limit(opened)
        while queue and (limit is None or queue[-1].min_id <= limit):
            one = Cursor(pa.table({}), queue.pop().tables())
            if one:
                opened.append(one)
                limit = _limit(opened)
        taken = [rows for rows in (one.below(limit) for one in opened) if rows.num_rows]
        if taken:
            yield taken[0] if len(taken) == 1 else parts.in_order(pa.concat_tables(taken), order)
        _read_on(opened, limit)
        opened = [one for one in opened if one]


def _limit(opened: Iterable[Cursor]) -> str | None:
    """All rows with smaller ids are in memory; those of this id may go on in rows that are not. None: all are."""
    return min((one.last for one in opened if not one.ended), default=None)


def _read_on(opened: Iterable[Cursor], limit: str | None) -> None:
    for one in opened:
        if not one.ended and (not one or one.last == limit):
            one.more()
