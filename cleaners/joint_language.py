"""Joint language: how well the characters on both sides of a joint go together, as features of the model in joints.py.

What single characters say by themselves is a look at a table that is made once; pairs and triples of characters
are looked up for all joints of a page together.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
import opencc
from numpy.typing import NDArray

from .statistics import BOUNDARY, OUTSIDE, bigram_logprobs, bigrams, codes, unigrams
from .statistics.joints import logcounts

Floats = NDArray[np.float64]
Gains = NDArray[np.float32]
Codes = NDArray[np.uint32]

LEAST_GAIN, MOST_GAIN = -5, 6  # nats
MARKS = (BOUNDARY, "，", "。")
FIRST_HAN, LAST_HAN = 0x3400, 0x9FFF

FEATURES = (
    "pair",
    "pair_unlikely",
    "ends_line",
    "before_comma",
    "before_stop",
    "starts_line",
    "after_comma",
    "after_stop",
    "triple_left",
    "triple_right",
    "first_two",
    "second_two",
)


def language(pairs: Sequence[tuple[str, str]]) -> Floats:
    """Array (pairs, FEATURES) for the texts of first and second halves; at least one pair, no empty text.

    A gain is log P(next | last) - log P(next), in nats. For the triples (how often the last two characters and the
    next one, and the last one and the next two, were seen together), and for how likely these twos are, Traditional
    characters count as Simplified ones.
    """
    return language_of(codes("".join([f"{a[-2:-1] or BOUNDARY}{a[-1]}{b[0]}{b[1:2] or BOUNDARY}" for a, b in pairs])))


def language_of(around: Codes) -> Floats:
    """The same for codes of characters, four for each joint: two on each side of it."""
    own = around.reshape(-1, 4)
    plain = simplified().take(own)
    # one look for the characters that meet and for the two on each side
    firsts, seconds = plain[:, :3].copy(), plain[:, 1:].copy()
    firsts[:, 1], seconds[:, 1] = before, after = own[:, 1], own[:, 2]
    likely, single = bigram_logprobs(firsts, seconds), unigrams()
    rows = np.empty((len(own), len(FEATURES)))
    rows[:, 0] = pair = _clipped(likely[:, 1] - single.take(after))
    rows[:, 1] = np.minimum(pair, 0)
    edges = _edges()
    rows[:, 2:5] = edges.before.take(before, 0)
    rows[:, 5:8] = edges.after.take(after, 0)
    rows[:, 8:10] = logcounts(plain[:, :2], plain[:, 1:3], plain[:, 2:])
    rows[:, 10:] = single.take(plain[:, ::2]) + likely[:, ::2]
    return rows


def forget() -> None:
    """To be called when the tables of statistics have changed."""
    _edges.cache_clear()


class _Edges(NamedTuple):
    """before  float32 [65536, MARKS]: the gain of each mark behind the character with that code
    after   the same shape: the gain of the character behind each mark
    """

    before: Gains
    after: Gains


@cache
def _edges() -> _Edges:
    everything = np.arange(65536, dtype=np.uint32)
    keys, logprobs, rest = bigrams()
    single = unigrams()
    before, after = np.empty((65536, len(MARKS)), np.float32), np.empty((65536, len(MARKS)), np.float32)
    for number, mark in enumerate(codes("".join(MARKS)).tolist()):
        # what the table does not list, as in bigram_logprobs, and then what it does
        behind, in_front = rest[mark] + single, rest + single[mark]
        listed = slice(*np.searchsorted(keys, [mark << 16, (mark + 1) << 16]))
        behind[keys[listed] & 0xFFFF] = logprobs[listed]
        ending = np.flatnonzero((keys & 0xFFFF) == mark)
        in_front[keys[ending] >> 16] = logprobs[ending]
        after[:, number] = _clipped(behind - single[everything])
        before[:, number] = _clipped(in_front - single[mark])
    return _Edges(before, after)


def _clipped(gains: Gains) -> Gains:
    return np.minimum(np.maximum(gains, np.float32(LEAST_GAIN)), np.float32(MOST_GAIN))


@cache
def simplified() -> Codes:
    """Code of the Simplified form of each character, uint32 [65536], by code; where it is several, its own."""
    table = np.arange(65536, dtype=np.uint32)
    chars = [chr(code) for code in range(FIRST_HAN, LAST_HAN + 1)]
    forms = str(opencc.OpenCC("t2s").convert("\n".join(chars))).split("\n")
    table[FIRST_HAN : LAST_HAN + 1] = [
        min(ord(form if len(form) == 1 else char), OUTSIDE) for char, form in zip(chars, forms, strict=True)
    ]
    table.flags.writeable = False
    return table
