"""Reprints: which documents of the next version are near-duplicates of which, from the signatures of the last
version and of what a run staged.  Texts are read only to compare pairs that were never compared.

`near_duplicates` decides; here its tables are read and written.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from . import merge, near_duplicates, parts
from .merge import Source
from .near_duplicates import Pair, Reprint
from .parts import Part, StoreError
from .plan import REPRINT
from .schema import COMPARISONS, QUARANTINE, REPRINTS

PAIRS_AT_A_TIME = 20_000
"""The texts of so many pairs are in memory at a time."""

ROWS_AT_A_TIME = 1 << 16  # of signatures


class Texts(NamedTuple):
    """Where texts are: a part of `documents`, and ids whose rows in it do not count (sorted; None: all)."""

    source: Source
    gone: Sequence[str] | None


def find(
    signatures: Sequence[Source], texts: Sequence[Texts], compared: Sequence[Source], folder: Path | None = None
) -> tuple[pa.Table, pa.Table]:
    """The rows of `reprints` among the documents that have these signatures, sorted by id; and the rows of
    `comparisons` that this took.

    texts      parts that hold these documents
    compared   parts of `comparisons` of the version before
    folder     for a file that is gone at the end; None: where temporary files are
    """
    index = near_duplicates.Index(folder)
    for source in signatures:
        _add(index, source)
    known = [one for source in compared for one in _comparisons(source)]
    ids = index.columns["id"]
    first = _First(index)

    def compare(pairs: Sequence[Pair]) -> list[float]:
        found: list[float] = []
        for start in range(0, len(pairs), PAIRS_AT_A_TIME):
            some = pairs[start : start + PAIRS_AT_A_TIME]
            wanted = first.of({content for pair in some for content in pair})
            letters = _letters(wanted, texts)
            found += [near_duplicates.similarity(letters[one], letters[other]) for one, other in some]
        return found

    walk = near_duplicates.walked(index, [pair for pair, _ in known], [value for _, value in known], compare)
    index.close()
    return _reprint_rows(walk, ids), _comparison_rows(walk.comparisons())


class _First:
    """A document of each content."""

    def __init__(self, index: near_duplicates.Index) -> None:
        self._index = index
        content = index.content
        self._order = np.lexsort((content[:, 1], content[:, 0]))
        self._sorted = content[self._order, 0]

    def of(self, contents: Collection[bytes]) -> dict[str, bytes]:
        """The id of one document of each of these contents: id -> content."""
        names = sorted(contents)
        wanted = np.frombuffer(b"".join(names), "<u8").reshape(-1, 2)
        places = np.searchsorted(self._sorted, wanted[:, 0])
        rows = []
        for place, one in zip(places.tolist(), wanted, strict=True):
            while self._index.content[self._order[place], 1] != one[1]:  # others that begin like it
                place += 1
            rows.append(int(self._order[place]))
        ids = self._index.columns["id"].take(pa.array(rows, pa.int64())).to_pylist()
        return dict(zip(ids, names, strict=True))


def _reprint_rows(walk: near_duplicates.Walk, ids: pa.ChunkedArray) -> pa.Table:
    """The rows of `reprints`, without the kept documents, sorted by id."""
    members, clusters, kept, values = [], [], [], []
    for documents, cluster, of, value in walk.clusters():
        for one in documents:
            if one != of:
                members.append(one)
                clusters.append(cluster)
                kept.append(of)
                values.append(value)
    columns = [
        ids.take(pa.array(members, pa.int64())),
        pa.array(clusters, pa.string()),
        ids.take(pa.array(kept, pa.int64())),
        pa.array(values, pa.float64()),
    ]
    return pa.Table.from_arrays(columns, schema=REPRINTS).sort_by("id")


def write(rows: pa.Table, table: str, base: Sequence[Source], folder: Path) -> tuple[Part, ...]:
    """Writes a small table into `folder` as one part; shares the base's part when it is the same."""
    folder.mkdir()
    part = parts.write(rows, table, folder)
    merge.share([part], base, folder)
    parts.sync(folder)
    return (part,)


def quarantine(reprints: pa.Table, texts: Sequence[Texts]) -> pa.Table:
    """The rows of `quarantine` of reprints that are dropped."""
    columns = [name for name in QUARANTINE.names if name not in ("kind", "reason")]
    of = {row["id"]: Reprint(**row) for row in reprints.to_pylist()}
    found = pa.concat_tables(_rows(of.keys(), texts, columns))
    ids = found["id"].to_pylist()
    reasons = [
        f"it is a reprint of {of[id].kept} (similarity {of[id].similarity:.3f}), which is kept: to have both, build "
        "without --drop-reprints"
        for id in ids
    ]
    arrays = [found["id"], pa.array([REPRINT] * len(ids), pa.string()), pa.array(reasons, pa.string())]
    arrays += [found[name] for name in columns[1:]]
    return pa.Table.from_arrays(arrays, schema=QUARANTINE)


def outcomes(seeds: pa.Table, dropped: Collection[str]) -> pa.Table:
    """The list of seeds, the dropped ones as quarantined."""
    if not dropped:
        return seeds
    bad = pc.is_in(seeds["id"], pa.array(sorted(dropped), pa.string()))
    for name, value in (("outcome", "quarantine"), ("kind", REPRINT)):
        place = seeds.schema.get_field_index(name)
        seeds = seeds.set_column(place, seeds.schema.field(place), pc.if_else(bad, value, seeds[name]))
    return seeds


def without(sources: Iterable[Source], table: str, dropped: Sequence[str], folder: Path) -> Iterator[Source]:
    """The parts of a table without the rows of these sorted ids: written anew into `folder` where they hold any."""
    for number, one in enumerate(sources):
        if merge.may_hold(one.part, dropped):
            left = merge.without(parts.read([one.path], table), dropped)
            if left.num_rows == one.part.rows:
                yield one
            elif left.num_rows:
                part = parts.write(left, table, folder, f"{table}-kept-{number}.parquet")
                yield Source(folder / part.file, part)
        else:
            yield one


def _add(index: near_duplicates.Index, source: Source) -> None:
    found = parts.read([source.path], "signatures", ["id", "published_at", "letters", "content", "bands"])
    for start in range(0, found.num_rows, ROWS_AT_A_TIME):
        rows = found.slice(start, ROWS_AT_A_TIME)
        content = bytes.fromhex("".join(rows["content"].to_pylist()))
        index.add(
            rows.select(near_duplicates.INDEX.names).cast(near_duplicates.INDEX),
            np.frombuffer(content, "<u8").reshape(-1, 2),
            np.frombuffer(b"".join(rows["bands"].to_pylist()), "<u4").reshape(-1, near_duplicates.BANDS),
        )


def _comparisons(source: Source) -> Iterator[tuple[Pair, float]]:
    found = parts.read([source.path], "comparisons")
    columns = [found[name].to_pylist() for name in COMPARISONS.names]
    for one, other, value in zip(*columns, strict=True):
        yield (bytes.fromhex(one), bytes.fromhex(other)), value


def _comparison_rows(compared: Iterable[tuple[Pair, float]]) -> pa.Table:
    rows = [(one.hex(), other.hex(), value) for (one, other), value in sorted(compared)]
    columns = zip(*rows, strict=True) if rows else ((),) * len(COMPARISONS)
    arrays = [pa.array(values, field.type) for values, field in zip(columns, COMPARISONS, strict=True)]
    return pa.Table.from_arrays(arrays, schema=COMPARISONS)


def _letters(wanted: Mapping[str, bytes], texts: Sequence[Texts]) -> dict[bytes, str]:
    """The letters of the documents with these ids, by the hash that the ids have here.  Raises StoreError when one
    is missing."""
    found: dict[bytes, str] = {}
    for rows in _rows(wanted.keys(), texts, ["id", "text"]):
        for id, text in zip(rows["id"].to_pylist(), rows["text"].to_pylist(), strict=True):
            found[wanted[id]] = near_duplicates.letters(text)
    missing = sorted(id for id, content in wanted.items() if content not in found)
    if missing:
        raise StoreError(f"{missing[0]} has a signature, but no document: the corpus is damaged; check it")
    return found


def _rows(ids: Collection[str], texts: Sequence[Texts], columns: list[str]) -> Iterator[pa.Table]:
    """These columns of the rows of `documents` with these ids."""
    for source, gone in texts:
        if gone is None:
            continue
        wanted = sorted(set(ids).difference(gone))
        if merge.may_hold(source.part, wanted):
            yield parts.read([source.path], "documents", columns, [("id", "in", wanted)])
