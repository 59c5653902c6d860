"""Runs: rows that lie sorted in files, merged into one order, a few thousand rows of each in memory at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from . import parts
from .schema import SCHEMAS

MOST_OPEN = 64
"""So many runs that overlap are read at a time; more are merged into fewer, larger ones first."""

ROWS = 1 << 13
"""So many rows of a run are in memory at a time."""


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
    ordered = parts.in_order(rows, table)
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
    numbers = count()
    try:
        waiting = sorted(runs, key=lambda one: (one.min_id, one.max_id))
        while _deepest(waiting) > MOST_OPEN:
            fewer: list[Run] = []
            for start in range(0, len(waiting), MOST_OPEN):
                file = folder / f".run-{next(numbers)}"
                spills.append(file)
                fewer += spilled(_merged(waiting[start : start + MOST_OPEN], table), table, file).runs()
            waiting = sorted(fewer, key=lambda one: (one.min_id, one.max_id))
        yield from _merged(waiting, table)
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


class _Open:
    """A run that is being read.

    rows     those that were read, but not handed out yet
    ended    whether these are the last ones
    """

    def __init__(self, run: Run) -> None:
        self._tables = (rows for rows in run.tables() if rows.num_rows)
        self.rows = pa.table({})
        self.ended = False
        self.more()

    @property
    def last(self) -> str:
        return str(self.rows["id"][-1].as_py())

    def more(self) -> None:
        """Reads more rows."""
        found = next(self._tables, None)
        if found is None:
            self.ended = True
        else:
            self.rows = pa.concat_tables([self.rows, found]) if self else found

    def below(self, limit: str | None) -> pa.Table:
        """Takes the rows with smaller ids; None: all."""
        size = self.rows.num_rows if limit is None else pc.sum(pc.less(self.rows["id"], limit)).as_py() or 0
        taken, self.rows = self.rows.slice(0, size), self.rows.slice(size)
        return taken

    def __bool__(self) -> bool:
        """Whether there are rows in memory."""
        return bool(self.rows.num_rows)


def _merged(waiting: Sequence[Run], table: str) -> Iterator[pa.Table]:
    """The rows of runs that are sorted by their smallest ids."""
    queue = list(waiting)[::-1]
    opened: list[_Open] = []
    while queue or opened:
        # smaller ids than these are all in memory; those of this id may go on in rows that are not
        limits = [one.last for one in opened if not one.ended]
        while queue and (not limits or queue[-1].min_id <= min(limits)):
            run = _Open(queue.pop())
            if run:
                opened.append(run)
                limits.append(run.last)
        limit = min(limits) if limits else None
        taken = [rows for rows in (one.below(limit) for one in opened) if rows.num_rows]
        if taken:
            yield taken[0] if len(taken) == 1 else parts.in_order(pa.concat_tables(taken), table)
        for one in opened:
            if not one.ended and (not one or one.last == limit):
                one.more()
        opened = [one for one in opened if one]
