"""Remembered answers about lines: as many as their characters allow, so that short lines of a long document are still
known when it is looked at again, and long ones do not fill the memory."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

MOST = 1_000_000  # characters of lines that are remembered: some 4 MB

Asked = TypeVar("Asked")
Told = TypeVar("Told")


class Remembered(Generic[Asked, Told]):
    """Answers by what was asked; all are forgotten together when there are too many.

    size  the characters of what is asked
    """

    def __init__(self, size: Callable[[Asked], int]) -> None:
        self._size = size
        self._known: dict[Asked, Told] = {}
        self._left = MOST

    def __contains__(self, asked: Asked) -> bool:
        return asked in self._known

    def __getitem__(self, asked: Asked) -> Told:
        """Raises KeyError: it was not asked, or its answer is forgotten."""
        return self._known[asked]

    def update(self, told: Mapping[Asked, Told]) -> None:
        size = sum(map(self._size, told))
        if size > self._left:
            self.cache_clear()
        self._known.update(told)
        self._left -= size

    def cache_clear(self) -> None:
        self._known.clear()
        self._left = MOST


class RememberedOfLines(Generic[Told]):
    """As functools.cache, for a function of a line."""

    def __init__(self, answer: Callable[[str], Told]) -> None:
        self._answer = answer
        self._known: Remembered[str, Told] = Remembered(len)

    def __call__(self, line: str) -> Told:
        try:
            return self._known[line]
        except KeyError:
            found = self._answer(line)
        self._known.update({line: found})
        return found

    def cache_clear(self) -> None:
        self._known.cache_clear()


def forget() -> None:
    """Forgets what all cleaners remember of texts, 60 MB in a run: their answers about lines, not their tables, which
    are read once."""
    for name in [name for name in sys.modules if name.startswith(f"{__package__}.")]:
        for value in [*vars(sys.modules[name]).values()]:
            if _is_of_texts(value):
                value.cache_clear()


def _is_of_texts(value: Any) -> bool:
    """Does it remember answers about texts?  A functools.cache holds tables: answers about texts are limited in
    number."""
    if isinstance(value, type) or not hasattr(value, "cache_clear"):
        return False
    return not hasattr(value, "cache_parameters") or value.cache_parameters()["maxsize"] is not None
