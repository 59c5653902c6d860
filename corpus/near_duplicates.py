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
from array import array
from collections.abc import Iterable, Iterator, Sequence
from functools import cache, reduce
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

CHUNK = 1 << 16  # code units that are looked at at a time: what fits into the cache of a core
IDEOGRAPHS = range(0x4E00, 0xA000)
EMOJI = range(0x1F000, 0x1FB00)
NUMERAL = re.compile("[0-9０-９〇零一二三四五六七八九十百千万亿两]")
PART_OF_NUMBER = re.compile(f"{NUMERAL.pattern}{{1,2}}")

_FACTOR = np.uint32(0x9E3779B1)  # the prime nearest to 2**32 / golden ratio
_FACTOR_SQUARED = np.uint32(0x9E3779B1**2 % 2**32)

Units = npt.NDArray[np.uint16]
"""Code units of UTF-16: characters, and halves of those beyond the first plane."""

Span = tuple[int, int]
"""First letter of a text, and the one behind its last."""


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
    units = np.frombuffer(_units(text), "<u2")
    return units[_is_letter(units)].tobytes().decode("utf-16-le", "surrogatepass")


def signatures(texts: Iterable[str]) -> list[Signature | None]:
    """The signature of each text; None when it has fewer than FEWEST_LETTERS letters (a rare ideograph counts as two).

    The texts are valid Unicode (no half of a surrogate pair).
    """
    found: list[Signature | None] = []
    block: list[bytes] = []
    size = 0
    for text in texts:
        raw = _units(text)
        if size + len(raw) > 2 * CHUNK:  # a longer text is alone
            found += _signed(block)
            block, size = [], 0
        block.append(raw)
        size += len(raw)
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


def _units(text: str) -> bytes:
    """The text as UTF-16, little-endian, without emoji, which are no letters."""
    raw = text.encode("utf-16-le", "surrogatepass")
    if len(raw) == 2 * len(text):  # nothing beyond the first plane
        return raw
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4")
    kept = codes[(codes < EMOJI.start) | (codes >= EMOJI.stop)]
    return kept.tobytes().decode("utf-32-le", "surrogatepass").encode("utf-16-le", "surrogatepass")


@cache
def _letter_table() -> npt.NDArray[np.bool_]:
    """For each code unit, whether it is a letter or digit, or half of one: a rare ideograph beyond the first plane."""
    found = np.fromiter((chr(code).isalnum() for code in range(1 << 16)), bool, 1 << 16)
    found[0xD800:0xE000] = True
    return found


def _is_letter(units: Units) -> npt.NDArray[np.bool_]:
    """Which code units are letters: common ideographs, which most of them are, or in the table."""
    found = (units - np.uint16(IDEOGRAPHS.start)) < len(IDEOGRAPHS)
    for start in range(0, units.size, CHUNK):  # for memory
        here = found[start : start + CHUNK]
        others = np.flatnonzero(~here)
        here[others] = _letter_table().take(units[start : start + CHUNK][others])
    return found


def _signed(block: Sequence[bytes]) -> list[Signature | None]:
    """The signatures of texts, given as UTF-16."""
    found: list[Signature | None] = [None] * len(block)
    units = np.frombuffer(b"".join(block), "<u2")
    is_letter = _is_letter(units)
    letters = units[is_letter]
    spans: dict[int, Span] = {}
    start = end = 0
    for number, raw in enumerate(block):
        here = is_letter[end : end + len(raw) // 2]
        end += len(here)
        size = int(np.count_nonzero(here))
        if size >= FEWEST_LETTERS:
            spans[number] = start, start + size
        start += size
    if not spans:
        return found
    second_halves = np.flatnonzero((letters & 0xFC00) == 0xDC00)
    content = memoryview(letters.tobytes())
    for (number, (start, end)), keys in zip(spans.items(), _band_keys(letters, [*spans.values()]), strict=True):
        size = end - start
        if second_halves.size:
            size -= int(np.count_nonzero((second_halves >= start) & (second_halves < end)))
        digest = hashlib.blake2b(content[2 * start : 2 * end], digest_size=16).digest()
        found[number] = Signature(size, digest, keys.tobytes())
    return found


def _band_keys(letters: Units, spans: Sequence[Span]) -> npt.NDArray[np.uint32]:
    """The band keys of texts of at least SHINGLE letters: (texts, BANDS)."""
    rows = _minhashes(letters, spans).astype(np.uint64).reshape(len(spans), BANDS, ROWS)
    keys = np.zeros((len(spans), BANDS), np.uint64)
    for place in range(ROWS):
        keys = mixed(keys ^ rows[:, :, place])
    return (keys >> np.uint64(32)).astype("<u4")


def _minhashes(letters: Units, spans: Sequence[Span]) -> npt.NDArray[np.uint32]:
    """The MinHash of each text: (texts, BANDS * ROWS).

    A text that is alone in pieces, so that memory is bounded: the MinHash of a union is the minimum.
    """
    if len(spans) == 1:
        ((first, last),) = spans
        ends = range(first, last - SHINGLE + 1, CHUNK)
        pieces = (_shingles(letters[start : min(start + CHUNK + SHINGLE - 1, last)]) for start in ends)
        return reduce(np.minimum, (_digests(hashes, np.array([0, hashes.size])) for hashes in pieces))
    hashes = _shingles(letters)
    begin = [start for start, _ in spans]
    for (start, end), next_start in zip(spans, [*begin[1:], hashes.size], strict=True):
        hashes[end - SHINGLE + 1 : next_start] = hashes[start]  # no shingles of this text: nothing new to its minimum
    return _digests(hashes[begin[0] :], np.array([*begin, hashes.size]) - begin[0])


def _digests(hashes: npt.NDArray[np.uint32], bounds: npt.NDArray[np.int64]) -> npt.NDArray[np.uint32]:
    """The MinHash of the shingles between each bound and the next."""
    tokens, ends = hashes.astype(np.uint64), bounds.astype(np.uint64)
    matrix = RMinHash.digest_matrix_from_flat_token_hashes(tokens, ends, BANDS * ROWS, MINHASH_SEED)
    # twice as fast as numpy makes an array of lists
    rows = b"".join([array("I", row).tobytes() for row in matrix.to_rows()])
    return np.frombuffer(rows, np.uint32).reshape(-1, BANDS * ROWS)


def _shingles(letters: Units) -> npt.NDArray[np.uint32]:
    """A hash of each run of SHINGLE code units: the value of a polynomial (Horner's rule), mixed."""
    wide = letters.astype(np.uint32)
    size = letters.size - SHINGLE + 1
    pairs = wide[:-1] * _FACTOR
    pairs += wide[1:]
    found = pairs[:size] * _FACTOR_SQUARED  # two pairs and one more unit are a shingle
    found += pairs[2 : 2 + size]
    found *= _FACTOR
    found += wide[4:]
    return _mixed_32(found)


def _mixed_32(values: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
    """The finalizer of MurmurHash3 for 32 bits: each bit of the input decides about each bit of the output."""
    values = values ^ (values >> np.uint32(16))
    values *= np.uint32(0x85EBCA6B)
    values ^= values >> np.uint32(13)
    values *= np.uint32(0xC2B2AE35)
    values ^= values >> np.uint32(16)
    return values


def mixed(values: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """The same for 64 bits."""
    values = values ^ (values >> np.uint64(33))
    values *= np.uint64(0xFF51AFD7ED558CCD)
    values ^= values >> np.uint64(33)
    values *= np.uint64(0xC4CEB9FE1A85EC53)
    values ^= values >> np.uint64(33)
    return values


def _by_shingles(short: str, long: str) -> float:
    """Of texts that are too long to compare their letters."""
    one, other = (np.unique(_shingles(np.frombuffer(_units(text), "<u2"))) for text in (short, long))
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
