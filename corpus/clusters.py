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
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import IO, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from .near_duplicates import BANDS, Signature

MOST_KEPT = 4
"""So many kept texts of one band key are remembered, the most complete ones: bounds what 100,000 notices that
fill in the same form cost."""

MOST_COMPARED = 6
"""A text is compared with at most so many kept texts, those with the most band keys in common."""

TEXTS_AT_A_TIME = 1 << 13  # whose buckets are in memory: 2 MB

INDEX = pa.schema([("id", pa.string()), ("published_at", pa.string()), ("letters", pa.int64())])

Keys = npt.NDArray[np.uint32]
Contents = npt.NDArray[np.uint64]  # (texts, 2): hashes of letters
Places = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.int32]
Values = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

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

    def compared(texts: Texts, kept: Places, other: Places) -> Values:
        pairs = [(texts.content[a].tobytes(), texts.content[b].tobytes()) for a, b in zip(kept, other, strict=True)]
        return np.array(compare(pairs), float)

    with closing(Bands()) as bands:
        bands.add(np.frombuffer(b"".join(one.signature.bands for one in entries), "<u4").reshape(-1, BANDS))
        rows = np.flatnonzero(bands.shared())
        of = [entries[row] for row in rows.tolist()]
        values = [[one.id for one in of], [one.published_at for one in of], [one.signature.letters for one in of]]
        arrays = [pa.array(column, field.type) for column, field in zip(values, INDEX, strict=True)]
        content = as_contents(b"".join(one.signature.content for one in of))
        index = Index(bands, rows, pa.Table.from_arrays(arrays, schema=INDEX), content)
        pairs = [as_contents(b"".join(pair[side] for pair in known)) for side in (0, 1)]
        walk = walked(index, [(pairs[0], pairs[1], np.array(list(known.values()), float))], compared)
    found = walk.members()
    ids = index.columns["id"].to_pylist()
    named = zip(found.document.tolist(), found.cluster, found.kept.tolist(), found.similarity.tolist(), strict=True)
    kept, other, similarity = walk.comparisons()
    return Clusters(
        sorted(Reprint(ids[one], cluster, ids[of], value) for one, cluster, of, value in named),
        {
            (walk.texts.content[a].tobytes(), walk.texts.content[b].tobytes()): value
            for a, b, value in zip(kept.tolist(), other.tolist(), similarity.tolist(), strict=True)
        },
    )


def as_contents(hashes: bytes) -> Contents:
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

    bands     of all documents
    rows      their numbers there
    columns   of INDEX
    content   (documents, 2): hashes of their letters
    """

    bands: Bands
    rows: Places
    columns: pa.Table
    content: Contents


class Texts:
    """The texts of an index, the one that is kept before its reprints: the most letters first, of as many the one
    that was published first (as a string; without a date last), then the smallest id. Documents with the same letters
    are one text.

    first    number of the document that is kept, of each text
    text     of each document the number of its text
    content  of each text: (texts, 2)
    """

    def __init__(self, index: Index) -> None:
        keys = [("letters", "descending"), ("published_at", "ascending"), ("id", "ascending")]
        order = pc.sort_indices(index.columns, keys).to_numpy().astype(np.int32)
        content = index.content[order]
        # stable: the first of each comes first
        by_content = np.lexsort((content[:, 1], content[:, 0])).astype(np.int32)
        sorted_content = content[by_content]
        is_first = np.append(True, (sorted_content[1:] != sorted_content[:-1]).any(axis=1))[: len(order)]
        leader = by_content[is_first][np.cumsum(is_first) - 1]  # place in `order` of the first document of that text
        place = np.empty(len(order), np.int32)
        place[by_content] = leader
        firsts, number = np.unique(place, return_inverse=True)
        self.index = index
        self.first: Numbers = order[firsts]
        self.text = np.empty(len(order), np.int32)
        self.text[order] = number
        self.content: Contents = index.content[self.first]

    def __len__(self) -> int:
        return len(self.first)

    def numbers(self, contents: Contents) -> Places:
        """The numbers of the texts with these hashes; -1: there is none."""
        found = pc.index_in(_binary(contents), _binary(self.content))
        places: Places = pc.fill_null(found, -1).to_numpy().astype(np.int64)
        return places


class Compared:
    """Pairs of texts and their similarity: 16 bytes each.

    A pair's code is a number that both texts' numbers are in.
    """

    def __init__(self, texts: int) -> None:
        self._texts = texts
        self._codes: Places = np.zeros(0, np.int64)
        self._values: Values = np.zeros(0)
        self._sought = self._codes.data

    def code(self, kept: int, other: int) -> int:
        return kept * self._texts + other

    def pairs(self, codes: Places) -> tuple[Places, Places]:
        """The kept and the other text of each code."""
        return codes // self._texts, codes % self._texts

    def add(self, kept: Places, other: Places, values: Values) -> None:
        """Adds pairs, all of which are new."""
        codes = np.concatenate([self._codes, kept * self._texts + other])
        order = np.argsort(codes)
        self._codes, self._values = codes[order], np.concatenate([self._values, values])[order]
        self._sought = self._codes.data

    def get(self, code: int) -> float | None:
        """The similarity of a pair; None when it is not known."""
        place = bisect_left(self._sought, code)
        if place == len(self._sought) or self._sought[place] != code:
            return None
        return float(self._values[place])

    def values(self, codes: Places) -> Values:
        """The similarities of pairs that are all known."""
        return self._values[np.searchsorted(self._codes, codes)]


class Members(NamedTuple):
    """Documents that are in a cluster, those that are kept among them: number of the document, name of the cluster,
    number of the document that is kept, similarity of both."""

    document: Places
    cluster: list[str]
    kept: Places
    similarity: Values


Compare: TypeAlias = "Callable[[Texts, Places, Places], Values]"
"""Gives the similarities of pairs: the numbers of the kept texts, and of the others."""


def walked(index: Index, known: Iterable[tuple[Contents, Contents, Values]], compare: Compare) -> Walk:
    """The walk through all texts of an index, with what it had to compare.

    known     pairs that were compared before: hashes of the kept texts, of the others, similarities; no pair twice
    compare   gives the similarities of those that were not; it is asked a few times, for many pairs at once
    """
    texts = Texts(index)
    walk = Walk(texts)
    for one, other, values in known:
        kept, rest = texts.numbers(one), texts.numbers(other)
        there = (kept >= 0) & (rest >= 0)
        walk.known.add(kept[there], rest[there], values[there])
    with closing(Buckets(texts)) as buckets:
        walk.run(buckets, sure=False)
        while walk.missing:
            kept, rest = walk.known.pairs(np.sort(np.frombuffer(walk.missing, np.int64)))
            walk.known.add(kept, rest, compare(texts, kept, rest))
            walk.run(buckets, sure=True)
    return walk


class Buckets:
    """The band keys that texts share, in a file without a name.  To be closed.

    A bucket is known by its first slot. It has a slot for each kept text that is remembered: fewer than it has texts,
    since none comes after the last one, and at most MOST_KEPT.
    slots      number of all slots
    is_last    for each slot whether it is its bucket's last one
    """

    def __init__(self, texts: Texts) -> None:
        self._texts = len(texts)
        self._file: IO[bytes] = tempfile.TemporaryFile(dir=texts.index.bands.folder)  # noqa: SIM115  see `close`
        self.slots = 0
        is_last = []
        rows = texts.index.rows[texts.first]
        for number in range(BANDS):
            keys, places = _sorted(texts.index.bands.band(number)[rows])
            shared = _occurs_again(keys)
            keys, places = keys[shared], places[shared]
            bucket = np.cumsum(np.append(False, keys[1:] != keys[:-1])[: len(keys)])
            ends = np.cumsum(np.minimum(np.bincount(bucket) - 1, MOST_KEPT))
            firsts = np.append(0, ends[:-1]) if len(ends) else ends
            of_text = np.full(self._texts, -1, "<i4")
            of_text[places] = (firsts + self.slots)[bucket]
            self._file.write(of_text.tobytes())
            last = np.zeros(int(ends[-1]) if len(ends) else 0, bool)
            last[ends - 1] = True
            is_last.append(last)
            self.slots += len(last)
        self._file.flush()
        self.is_last = np.concatenate(is_last).tobytes()

    def of_texts(self) -> Iterator[tuple[int, list[int]]]:
        """Each text that has some, in order, and its buckets."""
        for start in range(0, self._texts, TEXTS_AT_A_TIME):
            size = min(TEXTS_AT_A_TIME, self._texts - start)
            found = np.empty((BANDS, size), "<i4")
            for number in range(BANDS):
                raw = os.pread(self._file.fileno(), 4 * size, 4 * (self._texts * number + start))
                found[number] = np.frombuffer(raw, "<i4")
            of_text = found.T
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
        self.known = Compared(len(texts))
        self.missing = array("q")
        self._used = array("q")  # codes of the pairs that it knew and used
        self._kept_for = np.full(len(texts), -1, np.int64)
        self._alike = np.zeros(len(texts))

    def run(self, buckets: Buckets, *, sure: bool) -> None:
        """Walks.  A pair that is not known is missing; it counts as reprints, or, with `sure`, as none.

        The first asks for little (one pair per text: most are reprints), the second for all at once that a text
        may need, so that there is an end to it.  What comes out when nothing is missing is the same.
        """
        self.missing, self._used = array("q"), array("q")
        self._kept_for[:] = -1
        kept, is_last = array("i", [-1]) * buckets.slots, buckets.is_last
        for text, mine in buckets.of_texts():
            if not self._joins(text, _candidates(mine, kept, is_last), sure):
                for slot in mine:
                    while kept[slot] >= 0 and not is_last[slot]:
                        slot += 1
                    if kept[slot] < 0:
                        kept[slot] = text

    def members(self) -> Members:
        """The documents that are in a cluster of more than one."""
        text = self.texts.text
        joined = np.flatnonzero(self._kept_for >= 0)
        in_cluster = np.bincount(text, minlength=len(self.texts)) > 1
        in_cluster[joined] = True
        in_cluster[self._kept_for[joined]] = True
        document = np.flatnonzero(in_cluster[text])
        of = text[document]
        kept = np.where(self._kept_for[of] >= 0, self._kept_for[of], of)
        alike = np.where(self._kept_for[of] >= 0, self._alike[of], 1.0)
        names = self.texts.content[kept, 0].astype("<u8").tobytes().hex()
        clusters = [names[start : start + 16] for start in range(0, len(names), 16)]
        return Members(document, clusters, self.texts.first[kept].astype(np.int64), alike)

    def comparisons(self) -> tuple[Places, Places, Values]:
        """The pairs that all this depends on, as numbers of texts, and their similarity (0: no reprint)."""
        codes = np.frombuffer(self._used, np.int64)
        return *self.known.pairs(codes), self.known.values(codes)

    def _joins(self, text: int, candidates: Sequence[int], sure: bool) -> bool:
        for candidate in candidates:
            code = self.known.code(candidate, text)
            value = self.known.get(code)
            if value is None:
                self.missing.append(code)
                value = 0.0 if sure else 1.0
            else:
                self._used.append(code)
            if value:
                self._kept_for[text], self._alike[text] = candidate, value
                return True
        return False


def _candidates(buckets: Sequence[int], kept: Sequence[int], is_last: bytes) -> list[int]:
    """The kept texts in these buckets: those in most of them first, of those in about as many (same power of two)
    the most complete."""
    seen: dict[int, int] = {}
    for slot in buckets:
        one = kept[slot]
        while one >= 0:
            seen[one] = seen.get(one, 0) + 1
            if is_last[slot]:
                break
            slot += 1
            one = kept[slot]
    return sorted(seen, key=lambda text: (-seen[text].bit_length(), text))[:MOST_COMPARED]


def _sorted(keys: Keys) -> tuple[Keys, Places]:
    """The keys in order, and where each of them stood; equal ones as they stood.  Faster than `argsort`."""
    together = keys.astype(np.uint64) << np.uint64(32)
    together |= np.arange(len(keys), dtype=np.uint64)
    together.sort()
    return (together >> np.uint64(32)).astype(np.uint32), (together & np.uint64(0xFFFFFFFF)).astype(np.int64)


def _occurs_again(keys: Keys) -> Flags:
    """Of sorted keys those that are there more than once."""
    same = keys[1:] == keys[:-1]
    found: Flags = np.append(same, False) | np.append(False, same)
    return found[: len(keys)]


def _binary(contents: Contents) -> pa.Array:
    raw = np.ascontiguousarray(contents, "<u8")
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(16), len(raw), [None, pa.py_buffer(raw)])
