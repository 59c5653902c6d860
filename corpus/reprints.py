"""Reprints: which documents of the next version are near-duplicates of which, from the signatures of the last
version and of what a run staged.  Texts are read only to compare pairs that were never compared.

`near_duplicates` decides; here its tables are read and written.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from itertools import chain
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from . import clusters, merge, near_duplicates, parts
from .clusters import Bands, Codes, Contents, Index, Places, Values
from .memory import give_back
from .merge import Source
from .parts import Part, StoreError
from .plan import REPRINT
from .schema import COMPARISONS, QUARANTINE, REPRINTS
from .schema import folder as folder_of

LETTERS_AT_A_TIME = 1 << 28
"""The texts of pairs with so many letters are in a file at a time: some 800 MB. More at once: fewer times are all
parts read."""

PAIRS_AT_A_TIME = 1 << 18  # at most

ROWS_AT_A_TIME = 1 << 13

HEX = 32  # digits of a hash

DROPPED = [name for name in QUARANTINE.names if name not in ("kind", "reason")]
"""What a row of `quarantine` has of the document.  The first is its id."""


class Texts(NamedTuple):
    """Where texts are: a part of `documents`, and ids whose rows in it do not count (sorted; None: all)."""

    source: Source
    gone: Sequence[str] | None


def tables(
    signatures: Sequence[Source],
    texts: Sequence[Texts],
    old: Mapping[str, Sequence[Source]],
    folder: Path,
    temporary: Path,
) -> dict[str, tuple[Part, ...]]:
    """Writes the tables `reprints` and `comparisons` of the documents that have these signatures.  Any process may do
    it: of a million documents in pairs it takes 170 MB.

    texts      parts that hold these documents
    old        parts of both tables of the version before
    folder     of the version that is made
    temporary  for files that are gone at the end
    """
    found, compared = find(signatures, texts, old["comparisons"], temporary)
    give_back()
    rows = {"reprints": found, "comparisons": compared}
    return {table: write(rows[table], table, old[table], folder / folder_of(table)) for table in rows}


def find(
    signatures: Sequence[Source], texts: Sequence[Texts], compared: Sequence[Source], folder: Path | None = None
) -> tuple[Iterator[pa.Table], Iterator[pa.Table]]:
    """The rows of `reprints` among the documents that have these signatures, and the rows of `comparisons` that this
    took: both in their order, a few thousand at a time.

    texts      parts that hold these documents
    compared   parts of `comparisons` of the version before
    folder     for files that are gone at the end; None: where temporary files are
    """

    def compare(of: clusters.Texts, codes: Codes) -> Values:
        found = np.zeros(len(codes))
        for some in _cut(of, codes):
            found[some] = _similarities(of, codes[some], texts, folder)
            give_back()
        return found

    with closing(Bands(folder)) as bands:
        for source in signatures:
            _add(bands, source)
        of = clusters.Texts(_index(bands, signatures))
        give_back()
        walk = clusters.walked(of, bands, chain.from_iterable(map(_comparisons, compared)), compare)
    return _reprint_rows(walk), _comparison_rows(walk)


def _index(bands: Bands, signatures: Sequence[Source]) -> Index:
    """The documents that share a band key with another one, out of parts that were all added to `bands`."""
    shared = bands.shared()
    columns, contents = [clusters.INDEX.empty_table()], bytearray()
    start = 0
    for source in signatures:
        for rows in parts.groups(source.path, "signatures", [*clusters.INDEX.names, "content"]):
            mine = rows.filter(pa.array(shared[start : start + rows.num_rows]))
            start += rows.num_rows
            columns.append(mine.select(clusters.INDEX.names).cast(clusters.INDEX))
            contents += bytes.fromhex("".join(mine["content"].to_pylist()))
    return Index(np.flatnonzero(shared), pa.concat_tables(columns), clusters.as_contents(contents))


def _cut(of: clusters.Texts, codes: Codes) -> Iterator[slice]:
    """Pairs in runs of at most PAIRS_AT_A_TIME, whose texts have at most LETTERS_AT_A_TIME together, or that are a
    single pair."""
    start = 0
    while start < len(codes):
        kept, other = of.pairs(codes[start : start + PAIRS_AT_A_TIME])
        ends = np.cumsum(of.letters[kept].astype(np.int64) + of.letters[other])
        size = max(1, int(np.searchsorted(ends, LETTERS_AT_A_TIME, side="right")))
        yield slice(start, start + size)
        start += size


def _similarities(of: clusters.Texts, codes: Codes, texts: Sequence[Texts], folder: Path | None) -> Values:
    """The similarities of pairs of texts."""
    numbers, places = np.unique(np.concatenate(of.pairs(codes)), return_inverse=True)
    found = np.empty(len(codes))
    with tempfile.TemporaryFile(dir=folder) as file:
        starts, ends = _letters(of.ids.take(pa.array(of.first[numbers])), texts, file)

        def letters(place: int) -> str:
            return os.pread(file.fileno(), int(ends[place] - starts[place]), int(starts[place])).decode()

        for row, (one, other) in enumerate(zip(*places.reshape(2, -1), strict=True)):  # no lists: there are many
            found[row] = near_duplicates.similarity(letters(one), letters(other))
    return found


def _reprint_rows(walk: clusters.Walk) -> Iterator[pa.Table]:
    """The rows of `reprints`, without the kept documents, sorted by id."""
    ids = walk.texts.ids
    order = pc.sort_indices(ids).to_numpy()
    order = order[(walk.in_cluster() & ~walk.is_kept())[order]]
    for start in range(0, len(order), ROWS_AT_A_TIME):
        found = walk.members(order[start : start + ROWS_AT_A_TIME])
        names = [ids.take(pa.array(numbers)) for numbers in (found.document, found.kept)]
        columns = [names[0], pa.array(found.cluster, pa.string()), names[1], pa.array(found.similarity)]
        yield pa.Table.from_arrays(columns, schema=REPRINTS)


def write(rows: Iterable[pa.Table], table: str, base: Sequence[Source], folder: Path) -> tuple[Part, ...]:
    """Writes rows that come in their order into `folder` as one part; shares the base's part when it is the same."""
    folder.mkdir()
    part = parts.write_sorted(rows, table, folder)
    merge.share([part], base, folder)
    parts.sync(folder)
    return (part,)


def quarantine(reprints: pa.Table, texts: Sequence[Texts], folder: Path) -> list[Source]:
    """The rows of `quarantine` of reprints that are dropped, in files below `folder`: one for each part that has their
    documents.

    reprints   their rows, sorted by id
    """
    ids = pa.concat_arrays([pa.array([], pa.string()), *reprints["id"].chunks])
    made = []
    for number, one in enumerate(texts):
        found = [_dropped(rows, reprints, ids) for rows in _rows(ids, [one], DROPPED)]
        if found:
            part = parts.write(pa.concat_tables(found), "quarantine", folder, f"reprints-{number}.parquet")
            made.append(Source(folder / part.file, part))
    return made


def _dropped(documents: pa.Table, reprints: pa.Table, ids: pa.Array) -> pa.Table:
    """The rows of `quarantine` of a few documents.  ids: those of `reprints`."""
    start, stop = merge.span(ids, documents["id"][0].as_py(), documents["id"][-1].as_py())
    of = reprints.slice(start, stop - start).take(pc.index_in(documents["id"], ids.slice(start, stop - start)))
    reasons = [
        f"it is a reprint of {kept} (similarity {similarity:.3f}), which is kept: to have both, build "
        "without --drop-reprints"
        for kept, similarity in zip(of["kept"].to_pylist(), of["similarity"].to_pylist(), strict=True)
    ]
    arrays = [documents["id"], pa.array([REPRINT] * len(reasons), pa.string()), pa.array(reasons, pa.string())]
    arrays += [documents[name] for name in DROPPED[1:]]
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
            mine = merge.between(dropped, one.part.min_id or "", one.part.max_id or "")
            left = merge.without(parts.read([one.path], table), mine)
            if left.num_rows == one.part.rows:
                yield one
            elif left.num_rows:
                part = parts.write(left, table, folder, f"{table}-kept-{number}.parquet")
                yield Source(folder / part.file, part)
        else:
            yield one


def _add(bands: Bands, source: Source) -> None:
    for rows in parts.groups(source.path, "signatures", ["bands"]):
        for start in range(0, rows.num_rows, ROWS_AT_A_TIME):
            keys = rows["bands"].slice(start, ROWS_AT_A_TIME).to_pylist()
            bands.add(np.frombuffer(b"".join(keys), "<u4").reshape(-1, near_duplicates.BANDS))


def _comparisons(source: Source) -> Iterator[tuple[Contents, Contents, Values]]:
    for rows in parts.groups(source.path, "comparisons", COMPARISONS.names):
        one, other = (bytes.fromhex("".join(rows[name].to_pylist())) for name in ("id", "other"))
        yield clusters.as_contents(one), clusters.as_contents(other), rows["similarity"].to_numpy()


def _comparison_rows(walk: clusters.Walk) -> Iterator[pa.Table]:
    texts = walk.texts
    hashes = texts.content.astype("<u8").view(">u8").astype(np.uint64)  # as bytes are compared: the first one decides
    order = np.lexsort((hashes[:, 1], hashes[:, 0])).astype(np.int32)
    del hashes
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order), dtype=np.int32)
    one, other = (rank[numbers] for numbers in texts.pairs(walk.known.used()))
    ranked = np.sort(one * np.int64(len(texts)) + other)
    del one, other, rank
    for start in range(0, len(ranked), ROWS_AT_A_TIME):
        pair = [order[ranks] for ranks in texts.pairs(ranked[start : start + ROWS_AT_A_TIME])]
        values = walk.known.values(pair[0] * np.int64(len(texts)) + pair[1])
        yield pa.Table.from_arrays([*(_hex(texts.content[one]) for one in pair), pa.array(values)], schema=COMPARISONS)


def _hex(contents: Contents) -> pa.Array:
    """Hashes as strings."""
    every = np.ascontiguousarray(contents, "<u8").tobytes().hex().encode()
    offsets = np.arange(len(contents) + 1, dtype=np.int32) * HEX
    return pa.StringArray.from_buffers(len(contents), pa.py_buffer(offsets), pa.py_buffer(every))


def _letters(ids: pa.StringArray, texts: Sequence[Texts], file: IO[bytes]) -> tuple[Places, Places]:
    """Writes the letters of the documents with these ids into a file, as UTF-8: where those of each begin and end.
    Raises StoreError when one is missing."""
    starts, ends = np.full(len(ids), -1, np.int64), np.zeros(len(ids), np.int64)
    order = pc.sort_indices(ids)
    wanted, places = ids.take(order), order.to_numpy()
    end = 0
    for rows in _rows(wanted, texts, ["id", "text"]):
        start, stop = merge.span(wanted, rows["id"][0].as_py(), rows["id"][-1].as_py())
        at = pc.index_in(rows["id"], wanted.slice(start, stop - start)).to_numpy()
        for place, text in zip(places[start:stop][at].tolist(), rows["text"].to_pylist(), strict=True):
            content = near_duplicates.letters(text).encode()
            starts[place], end = end, end + len(content)
            ends[place] = end
            file.write(content)
    file.flush()
    if (starts < 0).any():
        missing = min(ids.filter(pa.array(starts < 0)).to_pylist())
        raise StoreError(f"{missing} has a signature, but no document: the corpus is damaged; check it")
    return starts, ends


def _rows(ids: pa.Array, texts: Sequence[Texts], columns: list[str]) -> Iterator[pa.Table]:
    """These columns of the rows of `documents` with these sorted ids, a few hundred at a time."""
    for source, gone in texts:
        least, most = source.part.min_id, source.part.max_id
        if gone is None or least is None or most is None:
            continue
        start, stop = merge.span(ids, least, most)
        wanted = ids.slice(start, stop - start)
        doomed = merge.between(gone, least, most)
        if doomed:
            wanted = wanted.filter(pc.invert(pc.is_in(wanted, pa.array(doomed, pa.string()))))
        for rows in parts.pieces(source.path, "documents", columns, wanted) if len(wanted) else ():
            found = rows.filter(pc.is_in(rows["id"], wanted))
            if found.num_rows:
                yield found
