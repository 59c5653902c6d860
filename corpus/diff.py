"""Diff: what is different between two versions of a corpus."""

from __future__ import annotations

import hashlib
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
from rapidfuzz.distance import Levenshtein

from . import parts, runs
from .plan import Known
from .rows import LIST_FIELDS, TEXT_FIELDS
from .schema import DOCUMENTS, SEED_IDENTITY, SEEDS
from .version import SEEDS_FILE, Version

ASPECTS: dict[str, tuple[str, ...]] = {
    "text": ("text",),
    "metadata": (*TEXT_FIELDS, *LIST_FIELDS, "other_metadata", "script"),
    "structure": ("paragraphs", "articles"),
    "flags": ("flags",),
    "edits": ("edits_per_rule",),
    "seed": ("seed_sha256", "seed_bytes", "encoding", "bom", "encoding_exceptions"),
    "record": ("seed_container", "seed_record", "seed_url"),
}
"""What can change of a document, and the columns that say so."""

MOST_PARAGRAPHS = 4_000
"""Comparing takes time in proportion to the product of both numbers of paragraphs: longer texts are compared as
one paragraph."""

Digests = tuple[bytes, ...]


class Changed(NamedTuple):
    """A document that is in both versions, and the names of ASPECTS in which it differs."""

    id: str
    aspects: tuple[str, ...]


class Difference(NamedTuple):
    """What turns the version `old` into the version `new`; ids are sorted.

    documents   how many there are in each
    added       ids of documents that only the new version has, but for renamed ones
    removed     ids of documents that only the old version has, but for renamed ones
    renamed     (old id, new id): the same seed under another id
    changed     documents that both have, but not alike
    quarantined ids in quarantine in the new version, but not in the old one
    released    ids in quarantine in the old version, but not in the new one
    reprints    how many there are in each
    rules       rule -> edits in the old version, edits in the new one; only those that differ
    pipeline    part of the fingerprint -> its value in the old version, in the new one; only those that differ
    """

    old: int
    new: int
    documents: tuple[int, int]
    added: tuple[str, ...]
    removed: tuple[str, ...]
    renamed: tuple[tuple[str, str], ...]
    changed: tuple[Changed, ...]
    quarantined: tuple[str, ...]
    released: tuple[str, ...]
    reprints: tuple[int, int]
    rules: Mapping[str, tuple[int, int]]
    pipeline: Mapping[str, tuple[str, str]]

    @property
    def empty(self) -> bool:
        """Whether a reader of the documents sees no difference."""
        return not (self.added or self.removed or self.renamed or self.changed or self.quarantined or self.released)

    def aspects(self) -> dict[str, int]:
        """How many documents differ in each of ASPECTS."""
        counts = Counter(aspect for one in self.changed for aspect in one.aspects)
        return {aspect: counts[aspect] for aspect in ASPECTS if counts[aspect]}


def diff(old: Version, new: Version) -> Difference:
    """Compares two versions of one corpus, or of two.  Parts that both share are not read.

    Raises StoreError when a file is damaged.
    """
    documents = [0, 0]
    removed: dict[str, str | None] = {}
    added: dict[str, str | None] = {}
    is_renamed: list[set[str]] = [set(), set()]  # ids of documents that the other version does not know at all
    quarantined: list[str] = []
    released: list[str] = []
    for before, now in seeds_side_by_side(old, new):
        was, has = _documents(before), _documents(now)
        documents[0] += len(was)
        documents[1] += len(has)
        removed.update((id, before[id].sha256) for id in was - has)
        added.update((id, now[id].sha256) for id in has - was)
        is_renamed[0].update(was - now.keys())
        is_renamed[1].update(has - before.keys())
        quarantined += (now.keys() - has) - (before.keys() - was)
        released += (before.keys() - was) - (now.keys() - has)
    renamed = _renamed(
        {id: sha256 for id, sha256 in removed.items() if id in is_renamed[0]},
        {id: sha256 for id, sha256 in added.items() if id in is_renamed[1]},
    )
    return Difference(
        old.number,
        new.number,
        (documents[0], documents[1]),
        tuple(sorted(added.keys() - {b for _, b in renamed})),
        tuple(sorted(removed.keys() - {a for a, _ in renamed})),
        renamed,
        tuple(_changed(old, new)),
        tuple(sorted(quarantined)),
        tuple(sorted(released)),
        (old.manifest.counts.get("reprints", 0), new.manifest.counts.get("reprints", 0)),
        _unequal(_rules(old), _rules(new), 0),
        _unequal(old.manifest.fingerprint_parts, new.manifest.fingerprint_parts, ""),
    )


def seeds_side_by_side(old: Version, new: Version) -> Iterator[tuple[dict[str, Known], dict[str, Known]]]:
    """What two versions say of their seeds, some thousand ids at a time: by id, of the old one, of the new one."""
    empty = SEEDS.empty_table().select(list(SEED_IDENTITY))
    both = (parts.pieces(one.path / SEEDS_FILE, "seeds", SEED_IDENTITY) for one in (old, new))
    for tables in runs.side_by_side(*((empty, rows) for rows in both)):
        before, now = (list(zip(*(rows[name].to_pylist() for name in SEED_IDENTITY), strict=True)) for rows in tables)
        yield {row[0]: Known(*row[1:]) for row in before}, {row[0]: Known(*row[1:]) for row in now}


def _documents(seeds: Mapping[str, Known]) -> set[str]:
    return {id for id, seed in seeds.items() if seed.outcome == "document"}


def paragraphs(old: str, new: str) -> Iterator[tuple[str, str]]:
    """The stretches of paragraphs in which two texts differ, side by side; one of them may be empty."""
    before, after = old.split("\n\n"), new.split("\n\n")
    if max(len(before), len(after)) > MOST_PARAGRAPHS:
        before, after = [old], [new]
    last: tuple[list[str], list[str]] = [], []
    for op in Levenshtein.opcodes(before, after):
        if op.tag == "equal":
            if any(last):
                yield "\n\n".join(last[0]), "\n\n".join(last[1])
            last = [], []
        else:
            last[0].extend(before[op.src_start : op.src_end])
            last[1].extend(after[op.dest_start : op.dest_end])
    if any(last):
        yield "\n\n".join(last[0]), "\n\n".join(last[1])


def _renamed(gone: Mapping[str, str | None], new: Mapping[str, str | None]) -> tuple[tuple[str, str], ...]:
    by_hash: dict[str | None, list[str]] = {}
    for id in sorted(gone, reverse=True):
        by_hash.setdefault(gone[id], []).append(id)
    pairs = [(by_hash[sha256].pop(), id) for id, sha256 in sorted(new.items()) if by_hash.get(sha256)]
    return tuple(sorted(pairs))


def _changed(old: Version, new: Version) -> Iterator[Changed]:
    """Documents that differ, sorted: only parts that the other version does not have can hold them."""
    both = old.sources("documents"), new.sources("documents")
    shared = {one.part.sha256 for one in both[0]} & {one.part.sha256 for one in both[1]}
    table, empty = "documents", DOCUMENTS.empty_table()
    with tempfile.TemporaryDirectory() as folder:
        rows = []
        for sources in both:
            found = [
                run for path, part in sources if part.sha256 not in shared for run in runs.of_part(path, part, table)
            ]
            rows.append((empty, runs.merged(found, table, Path(folder))))
        for before, now in runs.side_by_side(*rows):
            ids = pa.array(sorted({*before["id"].to_pylist()} & {*now["id"].to_pylist()}), pa.string())
            known = dict(_digests(before.filter(pc.is_in(before["id"], ids))))
            for id, digests in sorted(_digests(now.filter(pc.is_in(now["id"], ids)))):
                if known[id] != digests:
                    names = [name for name, a, b in zip(ASPECTS, known[id], digests, strict=True) if a != b]
                    yield Changed(id, tuple(names))


def _digests(rows: pa.Table) -> Iterator[tuple[str, Digests]]:
    """Per document its id and a short hash for each of ASPECTS."""
    columns = [list(zip(*(rows[name].to_pylist() for name in names), strict=True)) for names in ASPECTS.values()]
    for id, *values in zip(rows["id"].to_pylist(), *columns, strict=True):
        yield id, tuple(map(_digest, values))


def _digest(value: Any) -> bytes:
    return hashlib.blake2b(repr(value).encode(), digest_size=12).digest()


def _rules(version: Version) -> dict[str, int]:
    return {rule: n for rules in version.manifest.edits.values() for rule, n in rules.items()}


def _unequal(old: Mapping[str, Any], new: Mapping[str, Any], none: Any) -> dict[str, tuple[Any, Any]]:
    names = sorted({*old, *new})
    pairs = {name: (old.get(name, none), new.get(name, none)) for name in names}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
