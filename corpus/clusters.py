"""Clusters of near-duplicates: a walk through all texts, in memory that what they share decides, not their number.

Only documents that share a band key with another one can have a part in it: `Bands` finds them in a file, a band at a
time, and an `Index` holds no others. A text has up to 64 buckets (band keys that it shares); these, too, lie in a file,
and the walk reads them a few thousand texts at a time.
"""

from __future__ import annotations

import os
import tempfile
from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import IO, Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from .near_duplicates import BANDS, Signature, mixed

MOST_KEPT = 4
"""So many kept texts of one band key are remembered, the most complete ones: bounds what 100,000 notices that
fill in the same form cost."""

SLOTS = np.uint64(7)  # bits for as many as MOST_KEPT

MOST_COMPARED = 6
"""A text is compared with at most so many kept texts, those with the most band keys in common."""

TEXTS_AT_A_TIME = 1 << 11  # whose buckets are in memory: 5 MB, as Python's numbers

INDEX = pa.schema([("id", pa.string()), ("published_at", pa.string()), ("letters", pa.int64())])

Keys = npt.NDArray[np.uint32]
Contents = npt.NDArray[np.uint64]  # (texts, 2): hashes of letters
Places = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.int32]
Values = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Bits = npt.NDArray[np.uint8]

EMPTY, EMPTY_LAST = -1, -2
"""What a slot for a kept text holds before there is one.  The last slot of a bucket holds EMPTY_LAST - 1 - text then,
any other one the text's number."""

Pair = tuple[bytes, bytes]
"""`content` of two texts, the kept one first."""


class Entry(NamedTuple):
    """A document among all: its id, when it was published (as the corpus has it), its signature."""

    id: str
    published_at: str | None
    signature: Signature


class Reprint(NamedTuple):
    """A document that is in a cluster, or is the one that is kept for it.

    cluster     name of the cluster, from the kept document's letters
    kept        id of the kept document
    similarity  of both, 0 to 1; 1 for the kept document itself
    """

    id: str
    cluster: str
    kept: str
    similarity: float


class Clusters(NamedTuple):
    """reprints: sorted by id; compared: the pairs that this depends on, and their similarity (0: no reprint)."""

    reprints: list[Reprint]
    compared: dict[Pair, float]


def clusters(
    entries: Sequence[Entry], known: Mapping[Pair, float], compare: Callable[[Sequence[Pair]], Sequence[float]]
) -> Clusters:
    """Which documents are reprints of which.

    entries   all documents that have a signature; no id twice
    known     pairs that were compared before, and their similarity
    compare   gives the similarity of pairs that were not; it is asked a few times, for many pairs at once
    """

    def compared(texts: Texts, codes: Codes) -> Values:
        return np.array(compare(_contents(texts, codes)), float)

    with closing(Bands()) as bands:
        bands.add(np.frombuffer(b"".join(one.signature.bands for one in entries), "<u4").reshape(-1, BANDS))
        rows = np.flatnonzero(bands.shared())
        of = [entries[row] for row in rows.tolist()]
        values = [[one.id for one in of], [one.published_at for one in of], [one.signature.letters for one in of]]
        arrays = [pa.array(column, field.type) for column, field in zip(values, INDEX, strict=True)]
        content = as_contents(b"".join(one.signature.content for one in of))
        texts = Texts(Index(rows, pa.Table.from_arrays(arrays, schema=INDEX), content))
        pairs = [as_contents(b"".join(pair[side] for pair in known)) for side in (0, 1)]
        walk = walked(texts, bands, [(pairs[0], pairs[1], np.array(list(known.values()), float))], compared)
    found = walk.members(np.flatnonzero(walk.in_cluster()))
    ids = texts.ids.to_pylist()
    named = zip(found.document.tolist(), found.cluster, found.kept.tolist(), found.similarity.tolist(), strict=True)
    codes = walk.known.used()
    return Clusters(
        sorted(Reprint(ids[one], cluster, ids[of], value) for one, cluster, of, value in named),
        dict(zip(_contents(texts, codes), walk.known.values(codes).tolist(), strict=True)),
    )


def _contents(texts: Texts, codes: Codes) -> list[Pair]:
    pairs = zip(*texts.pairs(codes), strict=True)
    return [(texts.content[one].tobytes(), texts.content[other].tobytes()) for one, other in pairs]


def as_contents(hashes: bytes | bytearray) -> Contents:
    """Hashes of letters, one after the other, as numbers: (texts, 2)."""
    return np.frombuffer(hashes, "<u8").reshape(-1, 2)


class Bands:
    """The band keys of documents, in a file without a name: they are 256 bytes of each.  To be closed."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder
        self._file: IO[bytes] = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115  closed by `close`
        self._sizes: list[int] = []

    def __len__(self) -> int:
        return sum(self._sizes)

    def add(self, keys: Keys) -> None:
        """Adds documents: (documents, BANDS)."""
        self._file.write(np.ascontiguousarray(keys.T, "<u4").tobytes())
        self._sizes.append(len(keys))

    def band(self, number: int) -> Keys:
        """The keys of one band: (documents,)."""
        self._file.flush()
        found = np.empty(len(self), "<u4")
        start = place = 0
        for size in self._sizes:
            raw = os.pread(self._file.fileno(), 4 * size, start + 4 * size * number)
            found[place : place + size] = np.frombuffer(raw, "<u4")
            start += 4 * size * BANDS
            place += size
        return found

    def shared(self) -> Flags:
        """Which documents share a key with another one.  Near-linear: a sort per band."""
        found = np.zeros(len(self), bool)
        for number in range(BANDS):
            keys, places = _sorted(self.band(number))
            found[places[_occurs_again(keys)]] = True
        return found

    def close(self) -> None:
        self._file.close()


class Index(NamedTuple):
    """The documents that share a band key with another one.

    rows      their numbers among all
    columns   of INDEX
    content   (documents, 2): hashes of their letters
    """

    rows: Places
    columns: pa.Table
    content: Contents


class Texts:
    """The texts of an index, the one that is kept before its reprints: the most letters first, of as many the one
    that was published first (as a string; without a date last), then the smallest id. Documents with the same letters
    are one text.

    ids      of the documents of the index
    first    number of the document that is kept, of each text
    row      its number among all documents
    text     of each document the number of its text
    letters  of each text
    content  of each text: (texts, 2)
    """

    def __init__(self, index: Index) -> None:
        keys = [("letters", "descending"), ("published_at", "ascending"), ("id", "ascending")]
        order = pc.sort_indices(index.columns, keys).to_numpy().astype(np.int32)
        content = index.content[order]
        # stable: the first of each comes first
        by_content = np.lexsort((content[:, 1], content[:, 0])).astype(np.int32)
        content = content[by_content]
        starts = np.append(True, (content[1:] != content[:-1]).any(axis=1))[: len(order)]
        del content
        firsts = by_content[starts]  # of each text the place in `order` of the document that is kept
        is_first = np.zeros(len(order), bool)
        is_first[firsts] = True
        number = (np.cumsum(is_first, dtype=np.int32) - 1)[firsts]
        self.ids: pa.StringArray = index.columns["id"].combine_chunks()
        self.first: Numbers = order[is_first]
        self.row: Numbers = index.rows[self.first].astype(np.int32)
        self.text: Numbers = np.empty(len(order), np.int32)
        self.text[order[by_content]] = number[np.cumsum(starts, dtype=np.int32) - 1]
        self.letters: Numbers = index.columns["letters"].to_numpy()[self.first].astype(np.int32)
        self.content: Contents = index.content[self.first]

    def __len__(self) -> int:
        return len(self.first)

    def code(self, kept: int, other: int) -> int:
        """The code of a pair: a number that both texts' numbers are in."""
        return kept * len(self.first) + other

    def pairs(self, codes: Codes) -> tuple[Places, Places]:
        """The kept and the other text of each code."""
        return codes // max(1, len(self)), codes % max(1, len(self))

    def numbers(self, contents: Contents) -> Places:
        """The numbers of the texts with these hashes; -1: there is none."""
        found = pc.index_in(_binary(contents), _binary(self.content))
        places: Places = pc.fill_null(found, -1).to_numpy().astype(np.int64)
        return places


class Compared:
    """Pairs of texts, as codes, and their similarity: 17 bytes each."""

    def __init__(self) -> None:
        self._codes: Codes = np.zeros(0, np.int64)
        self._values: Values = np.zeros(0)
        self._used = bytearray()
        self._sought = self._codes.data

    def add(self, codes: Codes, values: Values) -> None:
        """Adds pairs, all of which are new; none is used yet."""
        codes, values = np.concatenate([self._codes, codes]), np.concatenate([self._values, values])
        order = np.argsort(codes)
        self._codes, self._values = codes[order], values[order]
        self._sought = self._codes.data
        self.start()

    def start(self) -> None:
        """From now on no pair is used."""
        self._used = bytearray(len(self._codes))

    def use(self, code: int) -> float | None:
        """The similarity of a pair, which is used now; None when it is not known."""
        place = bisect_left(self._sought, code)
        if place == len(self._sought) or self._sought[place] != code:
            return None
        self._used[place] = True
        return float(self._values[place])

    def used(self) -> Codes:
        """The pairs that were used, sorted."""
        found: Codes = self._codes[np.frombuffer(self._used, bool)]
        return found

    def values(self, codes: Codes) -> Values:
        """The similarities of pairs that are all known."""
        return self._values[np.searchsorted(self._codes, codes)]


class Members(NamedTuple):
    """Documents that are in a cluster, those that are kept among them: number of the document, name of the cluster,
    number of the document that is kept, similarity of both."""

    document: Places
    cluster: list[str]
    kept: Places
    similarity: Values


Compare: TypeAlias = "Callable[[Texts, Codes], Values]"
"""Gives the similarities of pairs."""


def walked(texts: Texts, bands: Bands, known: Iterable[tuple[Contents, Contents, Values]], compare: Compare) -> Walk:
    """The walk through all texts, with what it had to compare.

    known     pairs that were compared before: hashes of the kept texts, of the others, similarities; no pair twice
    compare   gives the similarities of those that were not; it is asked a few times, for many pairs at once
    """
    walk = Walk(texts)
    for one, other, values in known:
        kept, rest = texts.numbers(one), texts.numbers(other)
        there = (kept >= 0) & (rest >= 0)
        walk.known.add(kept[there] * len(texts) + rest[there], values[there])
    with closing(Buckets(texts, bands)) as buckets:
        walk.run(buckets, sure=False)
        while walk.missing:
            codes = np.sort(np.frombuffer(walk.missing, np.int64))
            walk.missing = array("q")
            walk.known.add(codes, compare(texts, codes))
            walk.run(buckets, sure=True)
    return walk


class Buckets:
    """The band keys that texts share, in a file without a name.  To be closed.

    Keys that the same texts share are one bucket: two near-duplicates alone would else have up to BANDS of them.
    A bucket is known by its first slot. It has a slot for each kept text that is remembered: fewer than it has texts,
    since none comes after the last one, and at most MOST_KEPT.
    slots      number of all slots
    """

    def __init__(self, texts: Texts, bands: Bands) -> None:
        self._texts = len(texts)
        self._file: IO[bytes] = tempfile.TemporaryFile(dir=bands.folder)  # noqa: SIM115  closed by `close`
        self.slots = 0
        self._is_last: list[tuple[int, Bits]] = []  # of the slots of some texts: their number, one bit for each
        with tempfile.TemporaryFile(dir=bands.folder) as sets:
            for number in range(BANDS):
                firsts, hashes = _sharing(bands.band(number)[texts.row])
                self._file.write(firsts.tobytes())
                sets.write(hashes.tobytes())
            self._file.flush()
            sets.flush()
            for start in range(0, self._texts, TEXTS_AT_A_TIME):
                hashes = self._read(sets, "<u8", start)
                self._write(sets, self._numbered(hashes), start)
            for number in range(BANDS):
                slots = self._band(sets, "<i8", number)
                firsts = self._band(self._file, "<i4", number)
                of_text = np.where(firsts >= 0, slots[firsts], -1).astype("<i4")
                os.pwrite(self._file.fileno(), of_text.tobytes(), 4 * self._texts * number)

    def _numbered(self, hashes: Contents) -> Places:
        """The first slots of buckets, given by what `_sharing` has for their first texts; -1 where there is none."""
        order = np.argsort(hashes, axis=0)
        found = np.take_along_axis(hashes, order, 0)
        is_new = np.append(found[:1] != 0, found[1:] != found[:-1], axis=0)  # 0 comes first
        sizes = np.where(is_new, found & SLOTS, 0).T.ravel().astype(np.int64)
        ends = np.cumsum(sizes)
        firsts = np.maximum.accumulate(np.where(sizes, ends - sizes, 0)) + self.slots
        is_last = np.zeros(int(ends[-1]), bool)
        is_last[ends[sizes > 0] - 1] = True
        self._is_last.append((len(is_last), np.packbits(is_last)))
        self.slots += len(is_last)
        made = np.empty(hashes.shape, "<i8")
        np.put_along_axis(made, order, np.where(found == 0, -1, firsts.reshape(hashes.shape[::-1]).T), 0)
        return made

    def _band(self, file: IO[bytes], kind: str, number: int) -> Any:
        """What a file has for all texts and a band."""
        size = np.dtype(kind).itemsize * self._texts
        return np.frombuffer(os.pread(file.fileno(), size, size * number), kind)

    def _read(self, file: IO[bytes], kind: str, start: int) -> Any:
        """What a file has for TEXTS_AT_A_TIME texts: (BANDS, texts)."""
        width, size = np.dtype(kind).itemsize, min(TEXTS_AT_A_TIME, self._texts - start)
        found = np.empty((BANDS, size), kind)
        for number in range(BANDS):
            raw = os.pread(file.fileno(), width * size, width * (self._texts * number + start))
            found[number] = np.frombuffer(raw, kind)
        return found

    def _write(self, file: IO[bytes], values: Places, start: int) -> None:
        """The reverse of `_read`, for numbers of 8 bytes."""
        for number, of_texts in enumerate(values):
            os.pwrite(file.fileno(), of_texts.tobytes(), 8 * (self._texts * number + start))

    def empty(self) -> array[int]:
        """The slots, without texts: EMPTY, or EMPTY_LAST where it is the last one of its bucket."""
        found = array("i", [EMPTY]) * self.slots
        start = 0
        every = np.frombuffer(found, np.intc)
        for size, is_last in self._is_last:
            every[start : start + size][np.unpackbits(is_last, count=size).view(bool)] = EMPTY_LAST
            start += size
        return found

    def of_texts(self) -> Iterator[tuple[int, list[int]]]:
        """Each text that has some, in order, and its buckets, once for each key that they are."""
        for start in range(0, self._texts, TEXTS_AT_A_TIME):
            of_text = self._read(self._file, "<i4", start).T
            has = of_text >= 0
            ends = np.cumsum(has.sum(axis=1)).tolist()
            buckets = of_text[has].tolist()
            first = 0
            for text, end in enumerate(ends, start):
                if end > first:
                    yield text, buckets[first:end]
                first = end

    def close(self) -> None:
        self._file.close()


class Walk:
    """The walk from the most complete text to the least.

    known      the pairs that were compared
    missing    codes of the pairs that the last walk would have had to know
    """

    def __init__(self, texts: Texts) -> None:
        self.texts = texts
        self.known = Compared()
        self.missing = array("q")
        self._kept_for = np.full(len(texts), -1, np.int32)

    def run(self, buckets: Buckets, *, sure: bool) -> None:
        """Walks.  A pair that is not known is missing; it counts as reprints, or, with `sure`, as none.

        The first asks for little (one pair per text: most are reprints), the second for all at once that a text
        may need, so that there is an end to it.  What comes out when nothing is missing is the same.
        """
        self.known.start()
        self._kept_for[:] = -1
        kept = buckets.empty()
        for text, keys in buckets.of_texts():
            mine = Counter(keys)
            if not self._joins(text, _candidates(mine, kept), sure):
                for slot in mine:
                    while kept[slot] >= 0:
                        slot += 1
                    if kept[slot] == EMPTY:
                        kept[slot] = text
                    elif kept[slot] == EMPTY_LAST:
                        kept[slot] = EMPTY_LAST - 1 - text

    def in_cluster(self) -> Flags:
        """Which documents are in a cluster of more than one."""
        of_text: Flags = np.bincount(self.texts.text, minlength=len(self.texts)) > 1
        of_text[self._kept_for[self._kept_for >= 0]] = True
        of_text |= self._kept_for >= 0
        return of_text[self.texts.text]

    def is_kept(self) -> Flags:
        """Which documents are those that are kept."""
        found = np.zeros(len(self.texts.text), bool)
        found[self.texts.first[self._kept_for < 0]] = True
        return found

    def members(self, documents: Places) -> Members:
        """What is known of documents that are in a cluster."""
        texts = self.texts
        of = texts.text[documents].astype(np.int64)
        kept = self._kept_for[of].astype(np.int64)
        alike = np.ones(len(of))
        joins = kept >= 0
        alike[joins] = self.known.values(kept[joins] * len(texts) + of[joins])
        kept[~joins] = of[~joins]
        names = texts.content[kept, 0].astype("<u8").tobytes().hex()
        clusters = [names[start : start + 16] for start in range(0, len(names), 16)]
        return Members(documents, clusters, texts.first[kept].astype(np.int64), alike)

    def _joins(self, text: int, candidates: Sequence[int], sure: bool) -> bool:
        for candidate in candidates:
            code = self.texts.code(candidate, text)
            value = self.known.use(code)
            if value is None:
                self.missing.append(code)
                value = 0.0 if sure else 1.0
            if value:
                self._kept_for[text] = candidate
                return True
        return False


def _candidates(buckets: Mapping[int, int], kept: Sequence[int]) -> list[int]:
    """The kept texts in these buckets: those with most keys in common first, of those with about as many (same power of
    two) the most complete.  buckets: how many keys each of them is"""
    seen: dict[int, int] = {}
    for slot, keys in buckets.items():
        one = kept[slot]
        while one >= 0:
            seen[one] = seen.get(one, 0) + keys
            slot += 1
            one = kept[slot]
        if one < EMPTY_LAST:
            one = EMPTY_LAST - 1 - one
            seen[one] = seen.get(one, 0) + keys
    return sorted(seen, key=lambda text: (-seen[text].bit_length(), text))[:MOST_COMPARED]


def _sharing(keys: Keys) -> tuple[Numbers, Contents]:
    """Of each text the first one that has its key (-1: no other has it), and of these a hash of all that have it, whose
    lowest bits are the bucket's slots (0: it is not the first).

    A sum of hashes of 61 bits: only those of buckets with the same first text are compared, BANDS at most."""
    ordered, places = _sorted(keys)
    shared = _occurs_again(ordered)
    ordered, places = ordered[shared], places[shared]
    starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1])[: len(ordered)])
    sizes = np.diff(np.append(starts, len(ordered)))
    owners = places[starts]
    firsts = np.full(len(keys), -1, "<i4")
    firsts[places] = np.repeat(owners, sizes)
    hashes = np.zeros(len(keys), "<u8")
    if len(starts):
        sums = np.add.reduceat(mixed(places.astype(np.uint64)), starts)
        hashes[owners] = sums & ~SLOTS | np.minimum(sizes - 1, MOST_KEPT).astype(np.uint64)
    return firsts, hashes


def _sorted(keys: Keys) -> tuple[Keys, Numbers]:
    """The keys in order, and where each of them stood; equal ones as they stood.  Faster than `argsort`."""
    halves = np.empty((len(keys), 2), "<u4")
    halves[:, 0] = np.arange(len(keys), dtype=np.uint32)
    halves[:, 1] = keys
    halves.view("<u8")[:, 0].sort()
    return halves[:, 1].copy(), halves[:, 0].astype(np.int32)


def _occurs_again(keys: Keys) -> Flags:
    """Of sorted keys those that are there more than once."""
    same = keys[1:] == keys[:-1]
    found: Flags = np.append(same, False) | np.append(False, same)
    return found[: len(keys)]


def _binary(contents: Contents) -> pa.Array:
    raw = np.ascontiguousarray(contents, "<u8")
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(16), len(raw), [None, pa.py_buffer(raw)])
