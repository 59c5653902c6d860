"""Script: Simplified or Traditional, and of which region; conversion by OpenCC when the configuration asks for it.

Conversion runs only on documents in the script that it starts from: `t2s` on Simplified text would change words
that are right (藉口 would become 借口).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np
import opencc
from numpy.typing import NDArray

from .config import Config
from .edits import Edit, between

HAN, HANS, HANT, TAIWAN, HONG_KONG = 1, 2, 4, 8, 16
HAN_BLOCKS = ((0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF))
COMMON_BLOCK = (0x4E00, 0x9FA5)  # what the older standards have
MIXED_SHARE = 0.15  # of the rarer script's own characters, from which a text counts as mixed
REGION_RATIO = 3  # one region's forms have to be so many times as common as the other's


def propose(text: str, config: Config) -> Iterator[Edit]:
    """Yields the conversion that `config.script` asks for."""
    if config.script == "keep":
        return
    start = "hans" if config.script.startswith("s2") else "hant"
    found = detect(text)
    if found != "mixed" and not found.startswith(start):
        return
    new = _converter(config.script).convert(text)
    yield from between(text, new, f"script.{config.script}")


def detect(text: str) -> str:
    """`hans`, `hant-tw`, `hant-hk`, `hant` (region unclear), `mixed`, or empty for a text without ideographs.

    Characters that are the same in both scripts prove nothing; a text of these alone counts as Simplified.
    """
    units = np.frombuffer(text.encode("utf-16-le", "surrogatepass"), np.uint16)  # half of a pair has no kind
    return judged(kinds().take(units))


def judged(found: NDArray[np.uint8] | NDArray[np.uint16]) -> str:
    """The same from the kinds of the text's UTF-16 units, the lowest bits of `found`."""
    held = int(np.bitwise_or.reduce(found))
    if not held & HANT:
        return "hans" if held & HAN else ""
    simplified, traditional, taiwan, hong_kong = (
        np.count_nonzero(found & flag) for flag in (HANS, HANT, TAIWAN, HONG_KONG)
    )
    if min(simplified, traditional) > MIXED_SHARE * (simplified + traditional):
        return "mixed"
    if traditional <= simplified:
        return "hans"
    if taiwan > REGION_RATIO * hong_kong:
        return "hant-tw"
    return "hant-hk" if hong_kong > REGION_RATIO * taiwan else "hant"


@cache
def _converter(name: str) -> opencc.OpenCC:
    return opencc.OpenCC(name)


@cache
def kinds() -> NDArray[np.uint8]:
    """For every code: whether it is an ideograph, belongs to one script only, to the forms of one region only.

    A character belongs to one script when that script's national standard has it, the other's has not, and
    OpenCC converts it.
    """
    table = np.zeros(65536, dtype=np.uint8)
    for first, last in HAN_BLOCKS:
        table[first : last + 1] = HAN
    codes = range(COMMON_BLOCK[0], COMMON_BLOCK[1] + 1)
    chars = "\n".join(map(chr, codes))
    forms = {name: _converter(name).convert(chars).split("\n") for name in ("t2s", "s2t", "t2tw", "t2hk")}
    regional: dict[int, set[str]] = {TAIWAN: set(), HONG_KONG: set()}
    for i, code in enumerate(codes):
        char = chr(code)
        if forms["s2t"][i] != char and _has("gb2312", char) and not _has("big5", char):
            table[code] |= HANS
        if forms["t2s"][i] != char and _has("big5", char) and not _has("gb2312", char):
            table[code] |= HANT
        if forms["t2tw"][i] != forms["t2hk"][i]:
            regional[TAIWAN].add(forms["t2tw"][i])
            regional[HONG_KONG].add(forms["t2hk"][i])
    for flag, other in ((TAIWAN, HONG_KONG), (HONG_KONG, TAIWAN)):
        for form in regional[flag] - regional[other]:
            if len(form) == 1:
                table[ord(form)] |= flag
    table.flags.writeable = False
    return table


def _has(codec: str, char: str) -> bool:
    try:
        char.encode(codec)
    except UnicodeEncodeError:
        return False
    return True
