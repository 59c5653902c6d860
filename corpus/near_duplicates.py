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
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import chain
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
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


def clusters(
    entries: Sequence[Entry], known: Mapping[Pair, float], compare: Callable[[Sequence[Pair]], Sequence[float]]
) -> Clusters:
    """Which documents are reprints of which.

    entries   all documents that have a signature; no id twice
    known     pairs that were compared before, and their similarity
    compare   gives the similarity of pairs that were not; it is asked a few times, for many pairs at once
    Kept is the text with the most letters, of those with as many the one that was published first (as a string;
    without a date last), then the one with the smallest id.
    """
    texts = sorted(_Text(ids[0].signature, ids) for ids in _by_content(entries))
    walk = _Walk(texts, known)
    walk.run(sure=False)
    while walk.missing:
        pairs = sorted(walk.missing)
        walk.known.update(zip(pairs, compare(pairs), strict=True))
        walk.run(sure=True)
    return Clusters(sorted(_reprints(walk)), walk.compared)


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


class _Text:
    """A text and the documents that consist of it, the one to keep first."""

    __slots__ = ("entries", "order", "signature")

    def __init__(self, signature: Signature, entries: list[Entry]) -> None:
        self.signature = signature
        self.entries = sorted(entries, key=_date_and_id)
        self.order = (-signature.letters, _date_and_id(self.entries[0]))

    def __lt__(self, other: _Text) -> bool:
        return self.order < other.order


def _date_and_id(entry: Entry) -> tuple[bool, str, str]:
    return entry.published_at is None, entry.published_at or "", entry.id


def _by_content(entries: Iterable[Entry]) -> Iterable[list[Entry]]:
    found: dict[bytes, list[Entry]] = {}
    for entry in entries:
        found.setdefault(entry.signature.content, []).append(entry)
    return found.values()


class _Walk:
    """The walk from the most complete text to the least.

    known      similarity of pairs
    missing    pairs that the last walk would have had to know
    compared   pairs that it knew and used
    joined     index of a text -> index of the kept text, similarity
    """

    def __init__(self, texts: Sequence[_Text], known: Mapping[Pair, float]) -> None:
        self.texts = texts
        self.known = dict(known)
        self.missing: set[Pair] = set()
        self.compared: dict[Pair, float] = {}
        self.joined: dict[int, tuple[int, float]] = {}
        self._buckets = _shared_buckets(texts)
        self._count = 1 + max((max(buckets) for _, buckets in self._buckets), default=0)

    def run(self, *, sure: bool) -> None:
        """Walks.  A pair that is not known is missing; it counts as reprints, or, with `sure`, as none.

        The first asks for little (one pair per text: most are reprints), the second for all at once that a text
        may need, so that there is an end to it.  What comes out when nothing is missing is the same.
        """
        self.missing, self.compared, self.joined = set(), {}, {}
        kept: list[tuple[int, ...]] = [()] * self._count
        for index, buckets in self._buckets:
            if not self._joins(index, _candidates(buckets, kept), sure):
                for bucket in buckets:
                    if len(kept[bucket]) < MOST_KEPT:
                        kept[bucket] += (index,)

    def _joins(self, index: int, candidates: Sequence[int], sure: bool) -> bool:
        for candidate in candidates:
            pair = self.texts[candidate].signature.content, self.texts[index].signature.content
            value = self.known.get(pair)
            if value is None:
                self.missing.add(pair)
                value = 0.0 if sure else 1.0
            else:
                self.compared[pair] = value
            if value:
                self.joined[index] = candidate, value
                return True
        return False


def _candidates(buckets: Sequence[int], kept: Sequence[Sequence[int]]) -> list[int]:
    """The kept texts in these buckets: those in most of them first, of those in about as many (same power of two)
    the most complete."""
    seen = Counter(chain.from_iterable(map(kept.__getitem__, buckets)))
    return sorted(seen, key=lambda index: (-seen[index].bit_length(), index))[:MOST_COMPARED]


def _shared_buckets(texts: Sequence[_Text]) -> list[tuple[int, list[int]]]:
    """Index and buckets of each text that has a band key in common with another, in order.

    Near-linear: a sort per band.
    """
    keys = np.frombuffer(b"".join(text.signature.bands for text in texts), "<u4").reshape(len(texts), BANDS)
    places: list[npt.NDArray[np.int64]] = []
    numbers: list[npt.NDArray[np.int64]] = []
    first = 0
    for band in range(BANDS):
        _, bucket, counts = np.unique(keys[:, band], return_inverse=True, return_counts=True)
        place = np.flatnonzero(counts[bucket] > 1)
        places.append(place)
        shared = np.cumsum(counts > 1) - 1  # only these get a number
        numbers.append(shared[bucket[place]] + first)
        first += int(shared[-1]) + 1 if shared.size else 0
    place, number = np.concatenate(places), np.concatenate(numbers)
    order = np.argsort(place, kind="stable")
    indexes, starts = np.unique(place[order], return_index=True)
    groups = np.split(number[order], starts[1:]) if indexes.size else []
    return [(index, group.tolist()) for index, group in zip(indexes.tolist(), groups, strict=True)]


def _reprints(walk: _Walk) -> Iterator[Reprint]:
    members: dict[int, list[tuple[int, float]]] = {}
    for index, (kept, value) in walk.joined.items():
        members.setdefault(kept, []).append((index, value))
    for index, text in enumerate(walk.texts):
        if index in walk.joined or (index not in members and len(text.entries) == 1):
            continue
        name, kept_id = text.signature.content.hex()[:16], text.entries[0].id
        for member, value in [(index, 1.0), *members.get(index, ())]:
            for entry in walk.texts[member].entries:
                yield Reprint(entry.id, name, kept_id, value)


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
