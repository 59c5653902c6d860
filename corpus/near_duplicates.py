"""Near-duplicate documents: the same article from several sites, found without comparing all with all.

What is decided here depends on the documents alone, never on the order in which they came:

1. `signatures` makes of each text its letters (no space, no punctuation), their hash, and BANDS band keys of a
   MinHash over character 5-grams.
2. Documents with the same letters are one text.  `clusters` (clusters.py) goes through the texts from the most
   complete to the least: a text that shares band keys with one that is kept, and is a reprint of it (`similarity`),
   joins that one's cluster; any other is kept.  So each member was compared with the document that is kept for it,
   and a chain of small differences never ties two different articles together.
3. Only pairs that were never compared before need their texts.

docs/decisions/0020-near-duplicate-documents.md has the measurements behind the constants.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
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

_FACTOR = np.uint64(0x9E3779B97F4A7C15)  # 2**64 / golden ratio
_FACTOR_SQUARED = np.uint64(0x9E3779B97F4A7C15**2 % 2**64)

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
    """A hash of each run of SHINGLE characters: the value of a polynomial (Horner's rule), mixed."""
    wide = codes.astype(np.uint64)
    size = codes.size - SHINGLE + 1
    pairs = wide[:-1] * _FACTOR
    pairs += wide[1:]
    found = pairs[:size] * _FACTOR_SQUARED  # two pairs and one more character are a shingle
    found += pairs[2 : 2 + size]
    found *= _FACTOR
    found += wide[4:]
    return _mixed(found)


def _mixed(values: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """The finalizer of MurmurHash3: each bit of the input decides about each bit of the output."""
    values = values ^ (values >> np.uint64(33))
    values *= np.uint64(0xFF51AFD7ED558CCD)
    values ^= values >> np.uint64(33)
    values *= np.uint64(0xC4CEB9FE1A85EC53)
    values ^= values >> np.uint64(33)
    return values


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
