"""Near-duplicate documents: the same article from several sites, found without comparing all with all.

What is decided here depends on the documents alone, never on the order in which they came:

1. `signatures` makes of each text its letters (no space, no punctuation), their hash, and BANDS band keys of a
   MinHash over character 5-grams.
2. Documents with the same letters are one text.  `clusters` goes through the texts from the most complete to the
   least: a text that shares band keys with one that is kept, and is a reprint of it (`similarity`), joins that
   one's cluster; any other is kept.  So each member was compared with the document that is kept for it, and a
   chain of small differences never ties two different articles together.
3. Only pairs that were never compared before need their texts.

docs/decisions/0020-near-duplicate-documents.md has the measurements behind the constants.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache, cached_property
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from rapidfuzz.distance import LCSseq, Levenshtein
from rensa import RMinHash

SHINGLE = 5
"""Characters in a shingle."""

BANDS, ROWS = 64, 4
"""Two texts that share a part J of their shingles share a band key with a chance of 1 - (1 - J**ROWS)**BANDS:
.98 for J = .49 (8 % of the characters changed), .10 for J = .2, .0004 for J = .05."""

MINHASH_SEED = 5

FEWEST_LETTERS = 32
"""Shorter texts are never reprints: 图片新闻 or 暂无内容 are the same everywhere."""

MOST_KEPT = 4
"""So many kept texts of one band key are remembered, the most complete ones: bounds what 100,000 notices that
fill in the same form cost."""

MOST_COMPARED = 6
"""A text is compared with at most so many kept texts, those with the most band keys in common."""

LEAST_SHARED = 0.88
"""Part of the shorter text's letters that a reprint has, in order."""

LEAST_LENGTH = 0.5
"""The shorter text has at least this part of the longer one's letters."""

LONGEST_COMPARED = 20_000
"""Texts with more letters are compared by their shingles: comparing letters takes quadratic time."""

LEAST_SHINGLES = 0.6
"""Part of the shorter text's shingles that a reprint has, for such texts: about LEAST_SHARED ** SHINGLE, and a
little more."""

SMALL_CHANGE = 8
"""A change of more letters is an editor's cut or addition, and says nothing about numbers and names."""

MOST_REWORDED = 0.025
"""Part of the letters that an editor's other words may make up."""

CHUNK = 1 << 16  # letters whose shingles are made at a time: what fits into the cache of a core
NUMERAL = re.compile("[0-9０-９〇零一二三四五六七八九十百千万亿两]")
PART_OF_NUMBER = re.compile(f"{NUMERAL.pattern}{{1,2}}")

Codes = npt.NDArray[np.uint32]


class Signature(NamedTuple):
    """What is known of a text.

    letters  number of letters and digits in it
    content  hash of them, 16 bytes: the same for texts that differ in space and punctuation alone
    bands    BANDS keys of 4 bytes each, little-endian
    """

    letters: int
    content: bytes
    bands: bytes


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


Pair = tuple[bytes, bytes]
"""`content` of two texts, the kept one first."""


class Clusters(NamedTuple):
    """reprints: sorted by id; compared: the pairs that this depends on, and their similarity (0: no reprint)."""

    reprints: list[Reprint]
    compared: dict[Pair, float]


def letters(text: str) -> str:
    """The text's letters and digits: neither space nor punctuation, as other sites set it differently."""
    codes = _codes(text)
    return codes[_is_letter(codes)].tobytes().decode("utf-32-le")


def signatures(texts: Iterable[str]) -> list[Signature | None]:
    """The signature of each text; None when it has fewer than FEWEST_LETTERS letters.

    The texts are valid Unicode (no half of a surrogate pair).
    """
    found: list[Signature | None] = []
    block: list[Codes] = []
    size = 0
    for text in texts:
        codes = _codes(text)
        block.append(codes[_is_letter(codes)])
        size += block[-1].size
        if size > CHUNK:
            found += _signed(block)
            block, size = [], 0
    return found + _signed(block)


class Index:
    """The documents of a corpus that have a signature, as columns; their bands in a file without a name, since these
    alone are 256 bytes of each document.

    columns  id, published_at, letters
    content  (documents, 2), the hashes of the letters
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._chunks: list[pa.Table] = [INDEX.empty_table()]
        self._content = [np.zeros((0, 2), "<u8")]
        self._sizes: list[int] = []
        self._bands = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115  closed by `close`

    def add(self, columns: pa.Table, content: npt.NDArray[np.uint64], bands: Codes) -> None:
        """Adds documents: columns of INDEX; (documents, 2); (documents, BANDS)."""
        self._chunks.append(columns)
        self._content.append(content)
        self._sizes.append(len(content))
        self._bands.write(np.ascontiguousarray(bands.T, "<u4").tobytes())

    @cached_property
    def columns(self) -> pa.Table:
        return pa.concat_tables(self._chunks).combine_chunks()

    @cached_property
    def content(self) -> npt.NDArray[np.uint64]:
        return np.concatenate(self._content)

    def band(self, number: int) -> Codes:
        """The keys of one band: (documents,)."""
        self._bands.flush()
        found = [np.zeros(0, "<u4")]
        start = 0
        for size in self._sizes:
            raw = os.pread(self._bands.fileno(), 4 * size, start + 4 * size * number)
            found.append(np.frombuffer(raw, "<u4"))
            start += 4 * size * BANDS
        return np.concatenate(found)

    def close(self) -> None:
        self._bands.close()


INDEX = pa.schema([("id", pa.string()), ("published_at", pa.string()), ("letters", pa.int64())])


class Texts:
    """The texts of an index, the one that is kept before its reprints: the most letters first, of as many the one
    that was published first (as a string; without a date last), then the smallest id. Documents with the same letters
    are one text.

    first    number of the document that is kept, of each text
    text     of each document the number of its text
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
        self.first = order[firsts]
        self.text = np.empty(len(order), np.int32)
        self.text[order] = number
        self.content = index.content[self.first]

    def contents(self, texts: Iterable[int]) -> list[bytes]:
        """The hashes of some texts' letters."""
        return [one.tobytes() for one in self.content[list(texts)]]

    def known(self, pairs: Sequence[Pair], values: Sequence[float]) -> dict[int, float]:
        """Pairs that were compared before, as `code` has them; those of which a text is gone are left out."""
        if not pairs:
            return {}
        lookup = {one.tobytes(): text for text, one in enumerate(self.content)}
        found = {}
        for (one, other), value in zip(pairs, values, strict=True):
            if one in lookup and other in lookup:
                found[self.code(lookup[one], lookup[other])] = value
        return found

    def code(self, kept: int, other: int) -> int:
        """A number for a pair of texts."""
        return kept * len(self.first) + other


def clusters(
    entries: Sequence[Entry], known: Mapping[Pair, float], compare: Callable[[Sequence[Pair]], Sequence[float]]
) -> Clusters:
    """Which documents are reprints of which.

    entries   all documents that have a signature; no id twice
    known     pairs that were compared before, and their similarity
    compare   gives the similarity of pairs that were not; it is asked a few times, for many pairs at once
    """
    index = Index()
    columns = zip(*((one.id, one.published_at, one.signature.letters) for one in entries), strict=True)
    arrays = [pa.array(values, field.type) for values, field in zip(columns, INDEX, strict=True)] if entries else []
    content = np.frombuffer(b"".join(one.signature.content for one in entries), "<u8").reshape(-1, 2)
    bands = np.frombuffer(b"".join(one.signature.bands for one in entries), "<u4").reshape(-1, BANDS)
    index.add(pa.Table.from_arrays(arrays, schema=INDEX) if arrays else INDEX.empty_table(), content, bands)
    walk = walked(index, list(known), list(known.values()), compare)
    index.close()
    ids = index.columns["id"].to_pylist()
    found = [
        Reprint(ids[member], cluster, ids[kept], value)
        for members, cluster, kept, value in walk.clusters()
        for member in members
    ]
    return Clusters(sorted(found), dict(walk.comparisons()))


def walked(
    index: Index,
    pairs: Sequence[Pair],
    values: Sequence[float],
    compare: Callable[[Sequence[Pair]], Sequence[float]],
) -> Walk:
    """The walk through all texts of an index, with what it had to compare.

    pairs, values   what was compared before
    compare         as for `clusters`
    """
    texts = Texts(index)
    walk = Walk(texts, index, texts.known(pairs, values))
    walk.run(sure=False)
    while walk.missing:
        codes = sorted(walk.missing)
        size = len(texts.first)
        kept = texts.contents(code // size for code in codes)
        other = texts.contents(code % size for code in codes)
        walk.known.update(zip(codes, compare(list(zip(kept, other, strict=True))), strict=True))
        walk.run(sure=True)
    return walk


def similarity(one: str, other: str) -> float:
    """How alike two texts' letters are, 0 to 1, when one is a reprint of the other; else 0.

    A reprint has LEAST_SHARED of the shorter text's letters, in order, and is not the same form filled in with
    other numbers or names.  The value is 2 * shared / (letters of both); of texts beyond LONGEST_COMPARED,
    shared shingles / shingles of the longer one, which is less.
    """
    if one == other:
        return 1.0
    short, long = sorted((one, other), key=lambda text: (len(text), text))
    if len(short) < LEAST_LENGTH * len(long):
        return 0.0
    if len(long) > LONGEST_COMPARED:
        return _by_shingles(short, long)
    least = int(LEAST_SHARED * len(short))
    shared = LCSseq.similarity(short, long, score_cutoff=least)
    if shared < LEAST_SHARED * len(short) or _same_form(short, long):
        return 0.0
    return float(2 * shared / (len(short) + len(long)))


def _codes(text: str) -> Codes:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4")


@cache
def _letter_table() -> npt.NDArray[np.bool_]:
    """For each character of the first plane, whether it is a letter or digit."""
    return np.fromiter((chr(code).isalnum() for code in range(1 << 16)), bool, 1 << 16)


def _is_letter(codes: Codes) -> npt.NDArray[np.bool_]:
    """Beyond the first plane are rare ideographs; emoji, from U+1F000 to U+1FAFF, are no letters."""
    if not codes.size or codes.max() <= 0xFFFF:
        return _letter_table().take(codes)
    found = _letter_table().take(np.minimum(codes, 0xFFFF))
    found |= (codes > 0xFFFF) & ~((codes >= 0x1F000) & (codes <= 0x1FAFF))
    return found


def _signed(block: Sequence[Codes]) -> list[Signature | None]:
    enough = [codes for codes in block if codes.size >= FEWEST_LETTERS]
    keys = iter(_band_keys(enough) if enough else ())
    return [
        Signature(codes.size, hashlib.blake2b(codes.tobytes(), digest_size=16).digest(), next(keys).tobytes())
        if codes.size >= FEWEST_LETTERS
        else None
        for codes in block
    ]


def _band_keys(texts: Sequence[Codes]) -> npt.NDArray[np.uint32]:
    """The band keys of texts of at least SHINGLE letters: (texts, BANDS)."""
    rows = _minhashes(texts).astype(np.uint64).reshape(len(texts), BANDS, ROWS)
    keys = np.zeros((len(texts), BANDS), np.uint64)
    for place in range(ROWS):
        keys = _mixed(keys ^ rows[:, :, place])
    return (keys >> np.uint64(32)).astype("<u4")


def _minhashes(texts: Sequence[Codes]) -> npt.NDArray[np.uint32]:
    """The MinHash of each text: (texts, BANDS * ROWS).

    Long texts in pieces, so that memory is bounded: the MinHash of a union is the minimum.
    """
    pieces = [
        (index, codes[start : start + CHUNK + SHINGLE - 1])
        for index, codes in enumerate(texts)
        for start in range(0, codes.size - SHINGLE + 1, CHUNK)
    ]
    found = np.full((len(texts), BANDS * ROWS), 0xFFFFFFFF, np.uint32)
    together = sum(map(len, texts)) <= 2 * CHUNK
    for run in [pieces] if together else [[piece] for piece in pieces]:
        hashes = [_shingles(codes) for _, codes in run]
        ends = np.cumsum([0, *map(len, hashes)]).astype(np.uint64)
        flat = np.concatenate(hashes)
        matrix = RMinHash.digest_matrix_from_flat_token_hashes(flat, ends, BANDS * ROWS, MINHASH_SEED)
        for (index, _), row in zip(run, np.array(matrix.to_rows(), np.uint32), strict=True):
            np.minimum(found[index], row, out=found[index])
    return found


def _shingles(codes: Codes) -> npt.NDArray[np.uint64]:
    """A hash of each run of SHINGLE characters."""
    wide = codes.astype(np.uint64)
    size = codes.size - SHINGLE + 1
    found = wide[:size].copy()
    for place in range(1, SHINGLE):
        found *= np.uint64(0x9E3779B97F4A7C15)
        found += wide[place : place + size]
    return _mixed(found)


def _mixed(values: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """The finalizer of MurmurHash3: each bit of the input decides about each bit of the output."""
    values = values ^ (values >> np.uint64(33))
    values *= np.uint64(0xFF51AFD7ED558CCD)
    values ^= values >> np.uint64(33)
    values *= np.uint64(0xC4CEB9FE1A85EC53)
    values ^= values >> np.uint64(33)
    return values


class Walk:
    """The walk from the most complete text to the least.

    known      similarity of pairs, by their code
    missing    codes of the pairs that the last walk would have had to know
    compared   of those that it knew and used
    """

    def __init__(self, texts: Texts, index: Index, known: dict[int, float]) -> None:
        self.texts = texts
        self.known = known
        self.missing: set[int] = set()
        self.compared: list[int] = []
        self._kept_for = np.full(len(texts.first), -1, np.int64)
        self._alike = np.zeros(len(texts.first))
        self._places, self._ends, self._buckets = _shared_buckets(texts, index)

    def run(self, *, sure: bool) -> None:
        """Walks.  A pair that is not known is missing; it counts as reprints, or, with `sure`, as none.

        The first asks for little (one pair per text: most are reprints), the second for all at once that a text
        may need, so that there is an end to it.  What comes out when nothing is missing is the same.
        """
        self.missing, self.compared = set(), []
        self._kept_for[:] = -1
        kept: dict[int, tuple[int, ...]] = {}
        start = 0
        for text, end in zip(self._places.tolist(), self._ends.tolist(), strict=True):
            buckets = self._buckets[start:end].tolist()
            start = end
            if not self._joins(text, _candidates(buckets, kept), sure):
                for bucket in buckets:
                    mine = kept.get(bucket, ())
                    if len(mine) < MOST_KEPT:
                        kept[bucket] = (*mine, text)

    def clusters(self) -> Iterator[tuple[list[int], str, int, float]]:
        """Numbers of documents that consist of one text, name of their cluster, number of the document that is kept,
        similarity of both; clusters of one document are left out."""
        joined = np.flatnonzero(self._kept_for >= 0)
        times = np.bincount(self.texts.text, minlength=len(self.texts.first))
        in_cluster = times > 1
        in_cluster[joined] = True
        in_cluster[self._kept_for[joined]] = True
        order = np.argsort(self.texts.text, kind="stable")
        ends = np.cumsum(times)
        for text in np.flatnonzero(in_cluster).tolist():
            kept = int(self._kept_for[text])
            value = float(self._alike[text]) if kept >= 0 else 1.0
            kept = kept if kept >= 0 else text
            members = order[ends[text] - times[text] : ends[text]].tolist()
            yield members, self.texts.content[kept].tobytes().hex()[:16], int(self.texts.first[kept]), value

    def comparisons(self) -> Iterator[tuple[Pair, float]]:
        """The pairs that all this depends on, and their similarity (0: no reprint)."""
        size = len(self.texts.first)
        for code in self.compared:
            one, other = self.texts.content[code // size], self.texts.content[code % size]
            yield (one.tobytes(), other.tobytes()), self.known[code]

    def _joins(self, text: int, candidates: Sequence[int], sure: bool) -> bool:
        for candidate in candidates:
            code = self.texts.code(candidate, text)
            value = self.known.get(code)
            if value is None:
                self.missing.add(code)
                value = 0.0 if sure else 1.0
            else:
                self.compared.append(code)
            if value:
                self._kept_for[text], self._alike[text] = candidate, value
                return True
        return False


def _candidates(buckets: Sequence[int], kept: Mapping[int, Sequence[int]]) -> list[int]:
    """The kept texts in these buckets: those in most of them first, of those in about as many (same power of two)
    the most complete."""
    seen = Counter(chain.from_iterable(kept[bucket] for bucket in buckets if bucket in kept))
    return sorted(seen, key=lambda text: (-seen[text].bit_length(), text))[:MOST_COMPARED]


def _shared_buckets(
    texts: Texts, index: Index
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int32]]:
    """The texts that share a band key with another one, in order; where their buckets end; the buckets of all of them.

    Near-linear: a sort per band.
    """
    places: list[npt.NDArray[np.int32]] = [np.zeros(0, np.int32)]
    numbers: list[npt.NDArray[np.int32]] = [np.zeros(0, np.int32)]
    first = 0
    for band in range(BANDS):
        keys = index.band(band)[texts.first]
        ranks = np.argsort(keys, kind="stable").astype(np.int32)
        keys = keys[ranks]
        same = keys[1:] == keys[:-1]
        shared = np.append(False, same) | np.append(same, False) if keys.size else np.zeros(0, bool)
        bucket = np.cumsum(shared & ~np.append(False, same)) - 1 if keys.size else np.zeros(0, np.int64)
        places.append(ranks[shared])
        numbers.append((bucket[shared] + first).astype(np.int32))
        first += int(bucket[-1]) + 1 if bucket.size else 0
    place, number = np.concatenate(places), np.concatenate(numbers)
    order = np.argsort(place, kind="stable")
    place, number = place[order], number[order]
    found, starts = np.unique(place, return_index=True)
    return found.astype(np.int64), np.append(starts[1:], place.size)[: found.size], number


def _by_shingles(short: str, long: str) -> float:
    """Of texts that are too long to compare their letters."""
    one, other = (np.unique(_shingles(_codes(text))) for text in (short, long))
    shared = np.intersect1d(one, other, assume_unique=True).size
    if shared < LEAST_SHINGLES * min(one.size, other.size):
        return 0.0
    return float(shared / max(one.size, other.size))


def _same_form(one: str, other: str) -> bool:
    """Whether two texts are the same form with other numbers or names in it.

    Damage hits a numeral as often as any other character; where far more numerals were replaced by numerals (two
    standard deviations of a Poisson distribution), it is another number.  Whole words that were replaced, with
    little else changed, are other names.
    """
    digits = words = others = 0
    for before, after in _small_changes(one, other):
        size = max(len(before), len(after))
        numerals = min(len(NUMERAL.findall(before)), len(NUMERAL.findall(after)))
        digits += numerals
        if not numerals and min(len(before), len(after)) >= 2:
            words += size
        else:
            others += size - numerals
    every = len(NUMERAL.findall(one))
    expected = every * (words + others) / max(len(one) - every, 1)
    if digits > expected + 2 * expected**0.5:
        return True
    return words > 2 * others and words > MOST_REWORDED * len(one)


def _small_changes(one: str, other: str) -> Iterator[tuple[str, str]]:
    """What became of what, where it is short; digits that stay inside a number that changes belong to the change."""
    a = c = 0  # ends of the last equal stretch
    for block in Levenshtein.opcodes(one, other):
        if block.tag == "equal" and not PART_OF_NUMBER.fullmatch(one, block.src_start, block.src_end):
            yield from _if_small(one[a : block.src_start], other[c : block.dest_start])
            a, c = block.src_end, block.dest_end
    yield from _if_small(one[a:], other[c:])


def _if_small(before: str, after: str) -> Iterator[tuple[str, str]]:
    if before != after and max(len(before), len(after)) <= SMALL_CHANGE:
        yield before, after
