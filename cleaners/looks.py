"""Looks: what one look at a text saw of each of its characters, remembered for the cleaners that come after.

The pipeline looks at a text when it is decoded (`kinds.py`, which says what the kinds mean).  A cleaner that searches
for characters of one kind asks `known` whether there is such a look; if so it need not read the text again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .edits import Edit

SPLIT = 1 << 14  # marks and spaces between clauses
SIGN_OF_WIDTH = 1 << 15  # what `punctuation` looks at in most texts


class Look(NamedTuple):
    """The UTF-16 units of a text, the kinds of each (bits of `kinds.py`), and those of all of them together, perhaps
    with some of lines that went. Half of a surrogate pair may be part of any character, so it is ODD and LOST."""

    units: NDArray[np.uint16]
    kinds: NDArray[np.uint16]
    held: int


class _Lately:
    """Looks at texts of late: a cleaner looks at all texts of a slice before the next one does."""

    MOST = 2_000_000
    """So many units are remembered at most."""

    def __init__(self) -> None:
        self.looks: dict[str, Look] = {}
        self.size = 0

    def add(self, text: str, look: Look) -> None:
        self.drop(text)
        if self.size + len(look.units) > self.MOST:
            self.cache_clear()
        self.looks[text] = look
        self.size += len(look.units)

    def drop(self, text: str) -> None:
        look = self.looks.pop(text, None)
        if look is not None:
            self.size -= len(look.units)

    def cache_clear(self) -> None:
        self.looks.clear()
        self.size = 0


_lately = _Lately()
known = _lately.looks.get
"""The look at a text, if it is remembered: do not change it."""
remember = _lately.add
drop = _lately.drop
"""To be called when a text has become another: nobody asks for the look at it any more, and others find room."""


def are_characters(look: Look, text: str) -> bool:
    """True if each unit is a character of the text, so that both have the same places."""
    return len(look.units) == len(text)


def places(look: Look, kind: int) -> NDArray[np.intp]:
    """Where units of this kind stand.  Truth values are searched three times as fast as numbers."""
    are_there: NDArray[np.bool_] = (look.kinds & kind) != 0
    return are_there.nonzero()[0]


def without(text: str, removals: Sequence[Edit], left: str) -> None:
    """Remembers the look at what is left of a text that is known, if each unit is a character.

    removals   edits that put nothing in place of what they take"""
    old = known(text)
    if old is None or not are_characters(old, text):
        return
    kept, end = [], 0
    for start, before, _, _, _, _ in removals:
        if start > end:
            kept.append(slice(end, start))
        end = start + len(before)
    kept.append(slice(end, len(text)))
    remember(left, Look(_some(old.units, kept), _some(old.kinds, kept), old.held))


def _some(of: NDArray[np.uint16], spans: Sequence[slice]) -> NDArray[np.uint16]:
    view = of.data
    return np.frombuffer(b"".join([view[span] for span in spans]), np.uint16)
