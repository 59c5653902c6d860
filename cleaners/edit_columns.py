"""Edits of one pass, kept as columns.

A text made of damage has an edit for each character. An Edit and its strings take 130 to 230 bytes, in columns 10 to
30, and what is done to all of them (they are checked, carried out, counted) is done a column at a time.
"""

from __future__ import annotations

from array import array
from collections.abc import Generator, Iterable, Iterator, Sequence
from itertools import accumulate, chain, islice, repeat
from operator import add, eq, le, sub
from typing import Any, NamedTuple, TypeVar, cast, overload

from . import edits as engine
from .edits import Edit, apply

TOGETHER = 1_024
"""So many edits are put into columns at once: few enough that their tuples stay in the processor's caches."""

FEW = 64
"""So many edits of a pass, as most have, are no longer than a tuple of them."""

_edit = tuple.__new__
Value = TypeVar("Value")


class Column(NamedTuple):
    """Strings: one after the other, and where each of them ends; or the one that all of them are, and its end."""

    joined: str
    ends: array[int]

    @classmethod
    def of(cls, strings: Sequence[str]) -> Column:
        """strings: not empty"""
        if strings.count(strings[0]) == len(strings):
            return cls(strings[0], array("q", [len(strings[0])]))
        return cls("".join(strings), array("q", accumulate(map(len, strings))))

    def strings(self, number: int) -> Iterable[str]:
        """All of them; number: how many they are."""
        if len(self.ends) < number:
            return repeat(self.joined, number)
        return map(self.joined.__getitem__, map(slice, chain((0,), self.ends), self.ends))

    def string(self, at: int, number: int) -> str:
        """One of them, of so many."""
        if len(self.ends) < number:
            return self.joined
        return self.joined[self.ends[at - 1] if at else 0 : self.ends[at]]

    def length(self, number: int) -> int:
        """Of all of them together, in characters."""
        return len(self.joined) * (number if len(self.ends) < number else 1)


class Columns(NamedTuple):
    """Some edits, their fields one by one. Of rules, fields and refs there is only one if it is that of all."""

    starts: array[int]
    befores: Column
    afters: Column
    rules: tuple[str, ...]
    fields: tuple[str, ...]
    refs: tuple[int, ...]

    @classmethod
    def of(
        cls,
        starts: Sequence[int],
        befores: Sequence[str],
        afters: Sequence[str],
        rules: tuple[str, ...],
        fields: tuple[str, ...],
        refs: tuple[int, ...],
    ) -> Columns:
        """Of edits that are not none."""
        strings = Column.of
        return cls(array("q", starts), strings(befores), strings(afters), _same(rules), _same(fields), _same(refs))

    def edits(self) -> Iterator[Edit]:
        """The edits themselves."""
        return map(_edit, repeat(Edit), zip(*self.all(), strict=False))  # those that repeat one value never end

    def edit(self, at: int) -> Edit:
        """One of them."""
        number = len(self.starts)
        strings = self.befores.string(at, number), self.afters.string(at, number)
        return Edit(self.starts[at], *strings, _at(self.rules, at), _at(self.fields, at), _at(self.refs, at))

    def all(self) -> tuple[Iterable[Any], ...]:
        """The fields, with as many values as there are edits, or more."""
        number = len(self.starts)
        return (
            self.starts,
            self.befores.strings(number),
            self.afters.strings(number),
            *(repeat(some[0]) if len(some) == 1 else some for some in (self.rules, self.fields, self.refs)),
        )


def _same(values: tuple[Value, ...]) -> tuple[Value, ...]:
    return values[:1] if values.count(values[0]) == len(values) else values


def _at(values: tuple[Value, ...], at: int) -> Value:
    return values[at] if len(values) > 1 else values[0]


class ManyEdits(Sequence[Edit]):
    """Edits, sorted by start, which equal a tuple of them.

    parts   TOGETHER edits each, but for the last one"""

    __slots__ = ("_length", "parts")

    def __init__(self, parts: Sequence[Columns]) -> None:
        self.parts = parts
        self._length = sum(len(part.starts) for part in parts)

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[Edit]:
        return chain.from_iterable(part.edits() for part in self.parts)

    @overload
    def __getitem__(self, index: int) -> Edit: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Edit, ...]: ...
    def __getitem__(self, index: int | slice) -> Edit | tuple[Edit, ...]:
        if isinstance(index, slice):
            return tuple(self)[index]
        part, number = divmod(range(self._length)[index], TOGETHER)
        return self.parts[part].edit(number)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, (tuple, ManyEdits)):
            return NotImplemented
        return len(other) == self._length and all(map(eq, self, other))

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return repr(tuple(self))


def parts_of(edits: Sequence[Edit]) -> Sequence[Columns]:
    """The edits in columns, whichever way they are kept."""
    if isinstance(edits, ManyEdits):
        return edits.parts
    return [Columns.of(*zip(*edits, strict=True))] if edits else []


def fields_of(edits: Sequence[Edit]) -> Iterator[tuple[Iterable[Any], ...]]:
    """The fields of edits, of some after the other: as many values of each field as they are."""
    if isinstance(edits, ManyEdits):
        for part in edits.parts:
            yield tuple([islice(values, len(part.starts)) for values in part.all()])
    elif edits:
        yield tuple(zip(*edits, strict=True))


def befores(edits: Sequence[Edit]) -> Iterable[str]:
    """What the edits take away, one by one."""
    if isinstance(edits, ManyEdits):
        return chain.from_iterable(part.befores.strings(len(part.starts)) for part in edits.parts)
    return [edit[1] for edit in edits]


def ends_after(edits: Sequence[Edit]) -> list[int]:
    """Where each of the edits ends in the text after all of them."""
    found: list[int] = []
    shift = 0
    for part in edits.parts if isinstance(edits, ManyEdits) else ():
        number = len(part.starts)
        gained = accumulate(map(len, part.afters.strings(number)), initial=shift)
        next(gained)
        lost = accumulate(map(len, part.befores.strings(number)), initial=0)
        found += map(sub, map(add, part.starts, gained), lost)
        shift += part.afters.length(number) - part.befores.length(number)
    if not isinstance(edits, ManyEdits):
        for start, before, after, _, _, _ in edits:
            shift += len(after)
            found.append(start + shift)
            shift -= len(before)
    return found


def lifting(edits: Sequence[Edit]) -> Iterator[Edit]:
    """Those of the edits that lift a value."""
    if isinstance(edits, ManyEdits):
        edits = list(chain.from_iterable(part.edits() for part in edits.parts if part.fields != ("",)))
    return (edit for edit in edits if edit[4])


class Applied(NamedTuple):
    """The edits that a cleaner yields, the text after them, and what it returned: see Cleaner.propose."""

    edits: Sequence[Edit]
    text: str
    said: str


def carry_out(text: str, proposed: Iterator[Edit]) -> Applied:
    """What a cleaner makes of the text.  Raises EditError as `apply` does, and what the cleaner raises."""
    said: list[str | None] = []

    def listen() -> Iterator[Edit]:
        said.append((yield from cast("Generator[Edit, None, str | None]", proposed)))

    edits = listen()
    some = tuple(islice(edits, TOGETHER))
    if len(some) <= FEW:
        return Applied(some, apply(text, some) if some else text, said[0] or "")
    parts: list[Columns] = []
    pieces: list[str] = []
    done = 0
    while some:
        fields = tuple(zip(*some, strict=True))
        parts.append(Columns.of(*fields))
        end = _carry_out(text, done, fields, pieces)
        done = engine.carry_out(text, done, some, pieces) if end < 0 else end
        some = tuple(islice(edits, TOGETHER))
    pieces.append(text[done:])
    return Applied(ManyEdits(parts), "".join(pieces), said[0] or "")


def _carry_out(text: str, done: int, fields: Sequence[tuple[Any, ...]], pieces: list[str]) -> int:
    """As edits.carry_out, of edits that move nothing; -1, and nothing is added, when one of them may not fit."""
    starts, befores, afters, rules, _, refs = fields
    ends: list[int] = [done, *map(add, starts, map(len, befores))]
    if not all(map(le, ends, starts)) or any(map(eq, befores, afters)) or "" in rules or max(refs) >= 0:
        return -1
    found = [""] * (2 * len(starts))
    found[::2] = map(text.__getitem__, map(slice, ends, starts))
    found[1::2] = befores
    if "".join(found) != text[done : ends[-1]]:
        return -1
    found[1::2] = afters
    pieces.append("".join(found))
    return ends[-1]
