"""Statistics: how likely characters and pairs of characters are in Chinese text, Simplified and Traditional.

Packed tables, made by `python -m cleaners.statistics.build` (see README.md beside this file) and loaded when
they are first asked for. All log-probabilities are natural logarithms.
"""

from __future__ import annotations

import zlib
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

HERE = Path(__file__).parent
UNIGRAM_FILE = "unigrams.bin"
BIGRAM_FILE = "bigrams.bin"
SIGNATURE_FILE = "signatures.txt"

BOUNDARY = "\n"
"""Stands before the first and behind the last character of every line in the bigram table."""

OUTSIDE = 0xFFFF
"""Code that stands for every character outside the Basic Multilingual Plane; it is no character itself."""

UNIGRAM_STEP = 0.1
BIGRAM_STEP = 1 / 16
SMALLEST_REST = 0.01  # share of probability that a character leaves to successors that were never seen

# log P in `reading_scores`, set by hand and measured on files in eleven encodings
SYMBOLS, SYMBOL_SCORE = ((0x2010, 0x26FF), (0x3001, 0x303F), (0xFF01, 0xFF5E)), -12.0  # rarer in the table
ASCII_SCORE = -4.5  # some 6.5 bits
LAYOUT, LAYOUT_SCORE = "\u3000\xa0\u200b\ufeff\u2028", -7.0  # characters of the web that no table has seen
NUL_SCORE = -6.0
LOST_SCORE = -18.0  # U+FFFD: worse than any character of a Chinese text, better than a private-use character
CONTROL_SCORE = -25.0

Floats = NDArray[np.float32]
Codes = NDArray[np.uint32]


class Bigrams(NamedTuple):
    """keys      uint32, sorted: code of the first character << 16 | code of the second
    logprobs  float32, same length: log P(second | first)
    rest      float32 [65536]: what is added to log P(second) when the pair is not in the table
    """

    keys: Codes
    logprobs: Floats
    rest: Floats


def codes(text: str) -> Codes:
    """Code points of `text`, one each; OUTSIDE for those outside the Basic Multilingual Plane."""
    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")
    clipped: Codes = np.minimum(points, OUTSIDE)
    return clipped


@cache
def unigrams() -> Floats:
    """log P(character), float32 [65536], by code point; never seen ones have -25."""
    packed = np.frombuffer(zlib.decompress((HERE / UNIGRAM_FILE).read_bytes()), dtype=np.uint8)
    table: Floats = packed.astype(np.float32) * np.float32(-UNIGRAM_STEP)
    table.flags.writeable = False
    return table


@cache
def reading_scores() -> Floats:
    """`unigrams` for comparing readings of the same bytes: with what the table cannot know about ASCII,
    layout, symbols, control and lost characters."""
    table = unigrams().copy()
    table[1:0x80] = ASCII_SCORE
    table[[*range(1, 9), *range(14, 27), *range(28, 32), 0x7F]] = CONTROL_SCORE
    table[0] = NUL_SCORE
    for first, last in SYMBOLS:
        block = table[first : last + 1]
        block[block > -20] = np.maximum(block[block > -20], SYMBOL_SCORE)
    table[[ord(c) for c in LAYOUT]] = LAYOUT_SCORE
    table[0xFFFD] = LOST_SCORE
    table.flags.writeable = False
    return table


@cache
def signatures() -> str:
    """Ideographs that are common in misread text (UTF-8 or Big5 read as GB 18030, GB 18030 read as Big5) and
    rare in proper text."""
    return (HERE / SIGNATURE_FILE).read_text("utf-8")


@cache
def bigrams() -> Bigrams:
    """The table of pairs of neighbouring characters."""
    packed = np.frombuffer(zlib.decompress((HERE / BIGRAM_FILE).read_bytes()), dtype=np.uint8)
    size = len(packed) // 5
    planes = packed[: 4 * size].reshape(4, size)
    steps = np.ascontiguousarray(planes.T).view("<u4").ravel()
    keys = np.cumsum(steps, dtype=np.uint32)
    logprobs = packed[4 * size :].astype(np.float32) * np.float32(-BIGRAM_STEP)
    table = Bigrams(keys, logprobs, _rest(keys, logprobs))
    for array in table:
        array.flags.writeable = False
    return table


def _rest(keys: Codes, logprobs: Floats) -> Floats:
    """Back-off weights (Katz 1987): the probability that a character's listed successors leave over, divided
    by the probability that the others have as single characters."""
    first = keys >> 16
    listed = np.bincount(first, np.exp(logprobs), 65536)
    single = np.bincount(first, np.exp(unigrams()[keys & 0xFFFF]), 65536)
    left = np.maximum(1 - listed, SMALLEST_REST) / np.maximum(1 - single, SMALLEST_REST)
    return np.where(listed > 0, np.log(left), 0).astype(np.float32)


_HALF = np.uint32(16)  # bits


def bigram_logprobs(first: Codes, second: Codes) -> Floats:
    """log P(second | first) for arrays of codes of the same shape, or of one code; see `codes`."""
    keys, logprobs, rest = bigrams()
    wanted = (first.astype(np.uint32, copy=False) << _HALF) | second
    at = keys.searchsorted(wanted)
    unseen = rest.take(first) + unigrams().take(second)
    return np.where(keys.take(at, mode="clip") == wanted, logprobs.take(at, mode="clip"), unseen)


def bigram_logprob(first: str, second: str) -> float:
    """log P(second | first) of two characters; BOUNDARY stands for the start or the end of a line."""
    return float(bigram_logprobs(codes(first), codes(second))[0])


def text_logprobs(text: str) -> Floats:
    """log P(character | the one before) for every character of `text`, the first one after BOUNDARY."""
    if not text:
        return np.zeros(0, dtype=np.float32)
    points = codes(BOUNDARY + text)
    return bigram_logprobs(points[:-1], points[1:])
