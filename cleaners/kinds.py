"""Kinds of characters: one look at a text tells which of them it holds, and where.

The look costs 1.2 ms per MB, a search for one class of characters 1.5 to 3 ms. So the pipeline looks once, and does not
ask cleaners that need a kind of character which the text does not have.
"""

from __future__ import annotations

import re
from codecs import utf_16_le_decode
from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from . import characters, duplicate_candidates, looks, mojibake, punctuation, script, statistics
from .looks import SIGN_OF_WIDTH, SPLIT, Look, places
from .misread_units import LOST_CHAR

# script.py has the first bits
ODD = 1 << 5  # what `characters` looks at
SIGN = 1 << 6  # signatures of misread text
LOST = 1 << 7  # what is left of lost characters
ANGLE = 1 << 8  # < begins a tag
SLASH = 1 << 9  # stands in multipart/related
MARK = 1 << 10  # quotation marks, brackets, line breaks
LEAD = 1 << 12  # Latin letters and lines with which misread characters begin
ESCAPE = 1 << 13  # & and backslash, which begin characters that are written in ASCII, and %, as %u does
# looks.py has the last two: SPLIT, SIGN_OF_WIDTH
# of a text, not of a character
PAIR = 1 << 16  # it has two signatures close together

MARKS = "“”‘’「」『』《》〈〉（）【】〔〕［］｛｝()[]{}\"'\n"
HALVES = range(0xD800, 0xE000)  # of surrogate pairs

_CHUNK = 1 << 20  # characters that are looked at together, where only the sum counts
_TOGETHER = 1 << 17  # characters of several texts


def look(text: str) -> Look:
    """The units and kinds of all of a text."""
    units = np.frombuffer(text.encode("utf-16-le", "surrogatepass"), np.uint16)
    found = _table().take(units)
    return Look(units, found, int(np.bitwise_or.reduce(found)))


def held(text: str) -> int:
    """The kinds that a text holds, together, with PAIR; without ESCAPE where % is not followed by u.  The look at a
    text that is not long is remembered."""
    if len(text) <= _CHUNK:
        seen = looks.known(text)
        if seen is None:
            seen = look(text)
            looks.remember(text, seen)
        found = seen.held | (PAIR if has_signs_together(seen) else 0)
    else:
        found = 0
        for start in range(0, len(text), _CHUNK):
            found |= look(text[start : start + _CHUNK]).held
        found |= PAIR if found & SIGN else 0  # neighbours may make one up that nobody looked at
    return _without_percent(text, found)


def _without_percent(text: str, found: int) -> int:
    if found & ESCAPE and not ("&" in text or "\\" in text or "%u" in text):
        found &= ~ESCAPE
    return found


def held_of_all(texts: Sequence[str]) -> list[int]:
    """`held` of each of many texts: looked at together, they take half of the time."""
    found: list[int] = []
    some: list[str] = []
    size = 0
    for text in texts:
        if not text or len(text) > _TOGETHER or size + len(text) > _TOGETHER:
            found += _held_together(some)
            some, size = [], 0
        if not text or len(text) > _TOGETHER:
            found.append(held(text))
        else:
            some.append(text)
            size += len(text)
    return found + _held_together(some)


def _held_together(texts: Sequence[str]) -> list[int]:
    if len(texts) < 2:
        return list(map(held, texts))
    raws = [text.encode("utf-16-le", "surrogatepass") for text in texts]
    units = np.frombuffer(b"".join(raws), np.uint16)
    found = _table().take(units)
    bounds = np.cumsum([0, *(len(raw) // 2 for raw in raws)])
    helds = np.bitwise_or.reduceat(found, bounds[:-1]).tolist()
    at = ((found & SIGN) != 0).nonzero()[0]
    of = bounds.searchsorted(at, "right") - 1
    with_pairs = set(of[1:][(at[1:] - at[:-1] <= _UNITS_BETWEEN) & (of[1:] == of[:-1])].tolist())
    made = []
    for number, (text, one) in enumerate(zip(texts, helds, strict=True)):
        span = slice(*bounds[number : number + 2].tolist())
        looks.remember(text, Look(units[span], found[span], one))
        made.append(_without_percent(text, one | (PAIR if number in with_pairs else 0)))
    return made


def marks(seen: Look) -> str:
    """The characters of the kind MARK, in their order."""
    return utf_16_le_decode(seen.units[places(seen, MARK)].data)[0]


def has_signs_together(seen: Look, between: int = 3) -> bool:
    """True if two signatures have at most that many characters between them, of two units each."""
    if not seen.held & SIGN:
        return False
    at = places(seen, SIGN)
    return len(at) > 1 and bool(np.logical_or.reduce(at[1:] - at[:-1] <= 2 * between + 1))


_UNITS_BETWEEN = 2 * 3 + 1
"""The same in units, as `held` asks for it."""


MOST_BETWEEN = 11
"""In a stretch of 8 or more characters, more than half of them signatures, five of these stand so close that the last
one is at most so many characters behind the first: with n * 4 + r + 1 signatures, r < 4, that stood further apart, the
stretch would be n * 12 + r + 1 long, and n * 8 + 2 * r + 2 is not longer."""


def may_stay_misread(seen: Look) -> bool:
    """False where no stretch of 8 or more characters is signatures of misread text for more than its half."""
    if not seen.held & SIGN:
        return False
    at = places(seen, SIGN)
    return len(at) > 4 and bool(np.logical_or.reduce(at[4:] - at[:-4] <= 2 * MOST_BETWEEN))


@cache
def _table() -> NDArray[np.uint16]:
    """The kinds of each UTF-16 unit."""
    table = script.kinds().astype(np.uint16)
    every = "".join(map(chr, range(len(table))))
    table[[found.start() for found in characters.ODD.finditer(every)]] |= ODD
    table[[found.start() for found in re.finditer(mojibake.LATIN_LEADS, every)]] |= LEAD
    table[[found.start() for found in mojibake.LOSS_OR_KUN.finditer(every)]] |= LOST
    for kind, some in (
        (SIGN, statistics.signatures() + LOST_CHAR),
        (ANGLE, "<"),
        (SLASH, "/"),
        (MARK, MARKS),
        (ESCAPE, "&\\%"),
        (SPLIT, duplicate_candidates.SEPARATORS),
        (SIGN_OF_WIDTH, punctuation.signs()),
    ):
        table[[ord(char) for char in some]] |= kind
    table[HALVES.start : HALVES.stop] |= ODD | LOST
    table.flags.writeable = False
    return table
