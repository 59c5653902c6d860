"""How often three characters stand side by side: what the bigrams miss at a joint inside a word.

joints.bin holds the commonest triples of Simplified text, each as a hash of 32 bits (so that one triple in some
15,000 that do not occur is taken for one that does) and the logarithm of its count. Made by
`python -m cleaners.statistics.build_joints`.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

FILE = Path(__file__).parent / "joints.bin"
COUNT_STEP = 0.25
UNSEEN = -2.3  # log of the count that a triple is given that is not in the table
MULTIPLIERS = np.array([0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D], np.uint64)  # those of xxHash, odd and without a pattern
SHIFTS = np.array([15, 13, 32], np.uint64)

Codes = NDArray[np.uint32]
Floats = NDArray[np.float32]


class Triples(NamedTuple):
    """hashes     uint32, sorted
    logcounts  float32, same length: natural logarithm of the count
    """

    hashes: Codes
    logcounts: Floats


def hashes(first: Codes, second: Codes, third: Codes) -> Codes:
    """Hash of each triple of codes (see `codes` in this package); arrays of the same shape."""
    mixed = first * MULTIPLIERS[0]
    mixed ^= second * MULTIPLIERS[1] + (mixed >> SHIFTS[0])
    mixed ^= third * MULTIPLIERS[2] + (mixed >> SHIFTS[1])
    folded: Codes = (mixed ^ (mixed >> SHIFTS[2])).astype(np.uint32)
    return folded


@cache
def triples() -> Triples:
    """The packed table."""
    return unpack(FILE.read_bytes())


def logcounts(first: Codes, second: Codes, third: Codes, table: Triples | None = None) -> Floats:
    """log of how often each triple was counted; UNSEEN when it is not in the table (None: the packed one)."""
    table = table or triples()
    wanted = hashes(first, second, third)
    at = table.hashes.searchsorted(wanted)
    is_listed = table.hashes.take(at, mode="clip") == wanted
    found: Floats = np.where(is_listed, table.logcounts.take(at, mode="clip"), np.float32(UNSEEN))
    return found


def pack(counts: Mapping[int, float]) -> bytes:
    """Packs hash -> count: four planes of bytes with the steps from hash to hash (uint32, little-endian), then
    uint8 log count / COUNT_STEP, compressed."""
    keys = np.array(sorted(counts), dtype=np.uint32)
    steps = np.diff(keys, prepend=np.uint32(0)).astype("<u4")
    planes = np.ascontiguousarray(steps.view(np.uint8).reshape(-1, 4).T).tobytes()
    values = np.rint(np.log([counts[key] for key in keys.tolist()]) / COUNT_STEP)
    return zlib.compress(planes + np.clip(values, 0, 255).astype(np.uint8).tobytes(), 9)


def unpack(packed: bytes) -> Triples:
    """The reverse of `pack`."""
    raw = np.frombuffer(zlib.decompress(packed), dtype=np.uint8)
    size = len(raw) // 5
    steps = np.ascontiguousarray(raw[: 4 * size].reshape(4, size).T).view("<u4").ravel()
    return Triples(np.cumsum(steps, dtype=np.uint32), raw[4 * size :].astype(np.float32) * np.float32(COUNT_STEP))
