"""Upkeep: what is done to a corpus by command, never by a run: rolling back, compacting, expiring.

All need the writer's lock: `with store.writer_lock():`.
"""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

from . import manifest, merge, ordered, parts
from .diff import seeds_side_by_side
from .manifest import Manifest
from .parts import Part, StoreError
from .schema import SCHEMAS, STORED, TABLES
from .schema import folder as folder_of
from .store import Store
from .version import SEEDS_FILE, Version


def rollback(store: Store, number: int) -> Version:
    """Makes a new version that holds what version `number` holds; nothing is removed.

    Raises StoreError when there is no such version, or when the newest holds the same already.
    """
    target, newest = store.version(number), store.latest()
    if newest is None or newest.manifest.content_id == target.manifest.content_id:
        raise StoreError(f"version {number} holds the same as the newest: there is nothing to roll back")
    counts = dict(target.manifest.counts) | _compared(newest, target)
    return store.next_version(lambda folder, new: _linked(target, newest, folder, new, counts, {"rollback_to": number}))


def compact(store: Store) -> Version:
    """Makes a new version with the rows of the newest in parts of about merge.PART_SIZE that do not overlap.

    Returns the newest version when that is so already.  Raises StoreError when there is none.
    """
    newest = store.latest()
    if newest is None:
        raise StoreError(f"there is no corpus in {store.output}: there is nothing to compact")
    if not any(_scattered(newest.manifest.parts[table]) for table in TABLES):
        return newest
    known = newest.manifest
    nothing = dict.fromkeys(("added", "changed", "vanished", "renamed", "waiting"), 0)
    counts = dict(known.counts) | nothing | {"unchanged": known.seeds.rows}

    def write(folder: Path, number: int) -> Manifest:
        made = _linked(newest, newest, folder, number, counts, {"compacted": known.number})
        rewritten = {table: _rewritten(newest, table, folder / table) for table in TABLES}
        return replace(made, parts={**made.parts, **rewritten})

    return store.next_version(write)


def expirable(store: Store, keep: int) -> list[Version]:
    """The versions that `expire` would remove: all but the newest `keep`.  Raises ValueError when keep < 1."""
    if keep < 1:
        raise ValueError("at least one version is kept")
    return store.versions()[:-keep]


def expire(store: Store, keep: int) -> list[Version]:
    """Removes all versions but the newest `keep`, the oldest first; returns those that are gone."""
    doomed = expirable(store, keep)
    for one in doomed:
        store.remove(one)
    return doomed


def freed(store: Store, doomed: list[Version]) -> int:
    """Bytes of the files that no version but these holds."""
    kept = {
        _identity(file)
        for one in store.versions()
        if one.number not in {v.number for v in doomed}
        for file in _files(one)
    }
    sizes = {_identity(file): file.stat().st_size for one in doomed for file in _files(one)}
    return sum(size for identity, size in sizes.items() if identity not in kept)


def _files(version: Version) -> list[Path]:
    return [path for path in version.path.rglob("*") if path.is_file()]


def _identity(file: Path) -> tuple[int, int]:
    status = file.stat()
    return status.st_dev, status.st_ino


def _compared(before: Version, now: Version) -> dict[str, int]:
    """Seeds that come, change, go and stay when `now` follows `before`."""
    there = still = both = same = 0
    for old, new in seeds_side_by_side(before, now):
        common = old.keys() & new.keys()
        there, still, both = there + len(old), still + len(new), both + len(common)
        same += sum(old[id] == new[id] for id in common)
    return {
        "added": still - both,
        "changed": both - same,
        "vanished": there - both,
        "unchanged": same,
        "renamed": 0,
        "waiting": 0,
    }


def _linked(
    source: Version, parent: Version, folder: Path, number: int, counts: dict[str, int], notes: dict[str, int]
) -> Manifest:
    """Links a version's files into `folder`; returns the manifest of the version that this makes."""
    for table in STORED:
        target = folder / folder_of(table)
        target.mkdir()
        for path, part in source.sources(table):
            parts.link(path, target / part.file)
        parts.sync(target)
    parts.link(source.path / SEEDS_FILE, folder / SEEDS_FILE)
    now = manifest.utc(datetime.now(UTC))
    return replace(
        source.manifest,
        number=number,
        parent=parent.number,
        created={"start": now, "end": now},
        counts=counts,
        notes=notes,
    )


def _scattered(found: tuple[Part, ...]) -> bool:
    """Whether parts overlap, or are more than twice as many as need be."""
    overlap = any((a.max_id or "") >= (b.min_id or "") for a, b in pairwise(found) if b.rows)
    return overlap or len(found) > 1 + 2 * (sum(one.bytes for one in found) // merge.PART_SIZE)


def _rewritten(version: Version, table: str, folder: Path) -> tuple[Part, ...]:
    """Writes a table anew, in place of the parts that were linked into `folder`."""
    for name in os.listdir(folder):
        os.unlink(folder / name)
    made = [parts.write(rows, table, folder) for rows in ordered.runs(version, table, run_bytes=merge.PART_SIZE)]
    if not made:
        made.append(parts.write(SCHEMAS[table].empty_table(), table, folder))
    parts.sync(folder)
    return tuple(made)
