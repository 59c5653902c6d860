"""Lists of seeds as columns: about a hundred bytes for each of a million, where objects take four times as many."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple, TypeAlias, overload

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cleaners import Seed

Names: TypeAlias = "pa.ChunkedArray | pa.Array"

ROWS = 1 << 13  # that become objects, or columns, at a time

SCHEMA = pa.schema(
    [
        ("name", pa.string()),
        ("sha256", pa.binary(32)),
        ("size", pa.int64()),
        ("container", pa.string()),
        ("entry", pa.int64()),
        ("offset", pa.int64()),
    ]
)


class Member(NamedTuple):
    """A seed that lies in a container.

    name, size      as of any seed
    sha256          what it is: of its bytes, or of its bytes and the record's other fields (`records.digest`)
    container       id of the container
    entry, offset   its place in there
    """

    name: str
    sha256: str
    size: int
    container: str
    entry: int
    offset: int


AnySeed = Seed | Member


class SeedList(Sequence[AnySeed]):
    """Seeds that are columns until one of them is asked for.

    rows   a table of SCHEMA; container, entry and offset are null for a seed that is a file of its own
    """

    __hash__ = None  # type: ignore[assignment]

    def __init__(self, rows: pa.Table | None = None) -> None:
        self.rows = SCHEMA.empty_table() if rows is None else rows

    @classmethod
    def of(cls, seeds: Iterable[AnySeed]) -> SeedList:
        """These seeds in their order."""
        if isinstance(seeds, SeedList):
            return seeds
        made = Building()
        for seed in seeds:
            made.add(seed)
        return made.done()

    @property
    def names(self) -> pa.ChunkedArray:
        """Their ids."""
        return self.rows["name"]

    @property
    def bytes(self) -> int:
        """Size of all of them together."""
        return pc.sum(self.rows["size"]).as_py() or 0

    @property
    def members(self) -> SeedList:
        """Those that lie in containers."""
        if self.rows["container"].null_count == len(self):
            return SeedList()
        return SeedList(self.rows.filter(self.rows["container"].is_valid()))

    def filter(self, mask: Any) -> SeedList:
        """Those for which an Arrow array says so."""
        return SeedList(self.rows.filter(mask))

    def take(self, indexes: Any) -> SeedList:
        """Those at these places."""
        return SeedList(self.rows.take(indexes))

    def by_name(self) -> SeedList:
        """Sorted by id; the same when they are."""
        names = self.names
        if pc.all(pc.less_equal(names.slice(0, max(0, len(names) - 1)), names.slice(1))).as_py():
            return self
        return self.take(pc.sort_indices(names))

    def hashes(self) -> pa.ChunkedArray:
        """SHA-256 of each, in hex; null where `take` was given null."""
        rows = self.rows["sha256"]
        pieces = [rows.slice(start, ROWS) for start in range(0, len(rows), ROWS)]
        return pa.chunked_array([pa.array(_hex(piece), pa.string()) for piece in pieces], pa.string())

    def __len__(self) -> int:
        return int(self.rows.num_rows)

    @overload
    def __getitem__(self, at: int) -> AnySeed: ...

    @overload
    def __getitem__(self, at: slice) -> SeedList: ...

    def __getitem__(self, at: int | slice) -> AnySeed | SeedList:
        if isinstance(at, slice):
            start, stop, step = at.indices(len(self))
            if step == 1:
                return SeedList(self.rows.slice(start, max(0, stop - start)))
            return self.take(pa.array(range(start, stop, step), pa.int64()))
        if not -len(self) <= at < len(self):
            raise IndexError(at)
        return next(_objects(self.rows.slice(at % len(self), 1)))

    def __iter__(self) -> Iterator[AnySeed]:
        for start in range(0, len(self), ROWS):
            yield from _objects(self.rows.slice(start, ROWS))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SeedList | tuple | list):
            return NotImplemented
        return len(self) == len(other) and all(one == two for one, two in zip(self, other, strict=True))

    def __repr__(self) -> str:
        more = ", …" if len(self) > 3 else ""
        return f"SeedList({', '.join(map(repr, self[:3]))}{more})"


def of_hex(rows: pa.Table) -> SeedList:
    """The seeds of rows of `seeds`, all of which have a SHA-256 and a size."""
    return SeedList(
        pa.Table.from_arrays(
            [
                rows["id"],
                digests(rows["sha256"]),
                *(rows[name] for name in ("bytes", "container", "entry", "offset")),
            ],
            schema=SCHEMA,
        )
    )


def places(names: Names, known: Names) -> pa.Array:
    """Where each of some ids stands among others; null: it is not there."""
    names, known = _chunked(names), _chunked(known)
    if len(names) == len(known) and names.equals(known):  # a run without a change: no table of a million ids is made
        return pa.array(np.arange(len(names), dtype=np.int32))
    return pc.index_in(names, known).combine_chunks()


class Sought:
    """Ids among which others are looked up, some thousands at a time, without a table of all of them each time."""

    def __init__(self, names: pa.ChunkedArray) -> None:
        is_sorted = pc.all(pc.less_equal(names.slice(0, max(0, len(names) - 1)), names.slice(1))).as_py() is not False
        self._names = names
        self._order = None if is_sorted else pc.sort_indices(names)

    def places(self, ids: pa.ChunkedArray) -> pa.Array:
        """Where each stands; null: it is not there."""
        if not len(ids):
            return pa.array([], pa.int64())
        low, high = (end.as_py() for end in pc.min_max(ids).values())
        every = range(len(self._names))
        start = bisect_left(every, low, key=self._at)
        size = bisect_right(every, high, lo=start, key=self._at) - start
        if self._order is None:
            found = pc.index_in(ids, self._names.slice(start, size)).combine_chunks()
            return pc.add(found.cast(pa.int64()), start)
        order = self._order.slice(start, size)
        return order.take(pc.index_in(ids, self._names.take(order)).combine_chunks())

    def _at(self, place: int) -> str:
        return str(self._names[place if self._order is None else self._order[place].as_py()].as_py())


def _chunked(names: Names) -> pa.ChunkedArray:
    return names if isinstance(names, pa.ChunkedArray) else pa.chunked_array([names])


def digests(hashes: pa.ChunkedArray) -> pa.ChunkedArray:
    """SHA-256 in hex, as 32 bytes; null stays null."""
    pieces = [hashes.slice(start, ROWS) for start in range(0, len(hashes), ROWS)]
    kind = SCHEMA.field("sha256").type
    made = [pa.array([one and bytes.fromhex(one) for one in piece.to_pylist()], kind) for piece in pieces]
    return pa.chunked_array(made, kind)


class Building:
    """A SeedList that grows."""

    def __init__(self) -> None:
        self._chunks: list[pa.Table] = []
        self._size = 0
        self._seeds: list[AnySeed] = []

    def __len__(self) -> int:
        return self._size + len(self._seeds)

    def add(self, seed: AnySeed) -> None:
        """Adds one at the end."""
        self._seeds.append(seed)
        if len(self._seeds) >= ROWS:
            self._close()

    def extend(self, seeds: SeedList) -> None:
        """Adds many."""
        self._close()
        self._chunks.append(seeds.rows)
        self._size += len(seeds)

    def done(self) -> SeedList:
        """All of them."""
        self._close()
        return SeedList(pa.concat_tables([SCHEMA.empty_table(), *self._chunks]))

    def _close(self) -> None:
        if self._seeds:
            self._chunks.append(_columns(self._seeds))
            self._size += len(self._seeds)
            self._seeds = []


def _columns(seeds: Sequence[AnySeed]) -> pa.Table:
    columns: list[Sequence[Any]] = [
        [seed.name for seed in seeds],
        [bytes.fromhex(seed.sha256) for seed in seeds],
        [seed.size for seed in seeds],
    ]
    if any(isinstance(seed, Member) for seed in seeds):
        columns += zip(*(seed[3:] if isinstance(seed, Member) else (None, None, None) for seed in seeds), strict=True)
    else:
        columns += [pa.nulls(len(seeds), field.type) for field in list(SCHEMA)[3:]]
    arrays = [pa.array(values, field.type) for values, field in zip(columns, SCHEMA, strict=True)]
    return pa.Table.from_arrays(arrays, schema=SCHEMA)


def _objects(rows: pa.Table) -> Iterator[AnySeed]:
    names, sizes = rows["name"].to_pylist(), rows["size"].to_pylist()
    hashes, containers = _hex(rows["sha256"]), rows["container"]
    if containers.null_count == len(containers):
        yield from map(Seed, names, hashes, sizes)
        return
    places = (rows[name].to_pylist() for name in ("container", "entry", "offset"))
    for name, sha256, size, container, entry, offset in zip(names, hashes, sizes, *places, strict=True):
        yield Seed(name, sha256, size) if container is None else Member(name, sha256, size, container, entry, offset)


def _hex(hashes: Any) -> list[Any]:
    return [one and one.hex() for one in hashes.to_pylist()]
