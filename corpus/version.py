"""A version as its readers see it: tables, documents with their trails, seeds."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from cleaners import Document

from . import merge, parts, rows
from .manifest import Manifest
from .merge import Source
from .parts import Part, StoreError
from .plan import Known
from .schema import SCHEMA_VERSION, SCHEMAS, SEED_IDENTITY, STORED, TABLES, folder
from .seed_list import SeedList, of_hex
from .seeds import KnownContainer, Problem

UNSURE = ("changed", "unreadable")
"""Kinds of quarantine that may be gone at the next look, though the container is the same."""

MANIFEST, SEEDS_FILE = "_manifest.json", "_seeds.parquet"


class Version:
    """A committed version: it never changes.  Its methods raise StoreError when its files are damaged.

    path     its folder
    number   its number; None: the folder's name says it
    """

    def __init__(self, path: Path, number: int | None = None) -> None:
        self.path = path
        self.number = int(path.name[1:]) if number is None else number

    def __repr__(self) -> str:
        return f"Version({str(self.path)!r})"

    @cached_property
    def manifest(self) -> Manifest:
        try:
            found = Manifest.from_json((self.path / MANIFEST).read_text("utf-8"))
        except (OSError, ValueError, KeyError, TypeError) as error:
            reason = f"{self.path / MANIFEST} is missing or damaged ({type(error).__name__}: {error})"
            advice = "restore it from a copy, or move the version's folder away to go on from the one before"
            raise StoreError(f"{reason}: {advice}") from error
        if found.schema_version > SCHEMA_VERSION:
            raise StoreError(
                f"version {self.number} has schema {found.schema_version}, but this Jingwen knows schemas up to "
                f"{SCHEMA_VERSION}: install the newer Jingwen that wrote it"
            )
        return found

    def files(self, table: str) -> list[Path]:
        """The files of a table.  Raises StoreError for an unknown table."""
        return [one.path for one in self.sources(table)]

    def sources(self, table: str) -> list[Source]:
        """The parts of a table, and where they are.  Raises StoreError for an unknown table."""
        return [Source(self.path / folder(table) / part.file, part) for part in self._parts(table)]

    def read(self, table: str, columns: Sequence[str] | None = None, filters: Any = None) -> pa.Table:
        """The rows of `documents`, `edits`, `quarantine`, `reprints` or `seeds`, part by part, each sorted by id.

        columns   names; None: all
        filters   an expression or lists of tuples, as `pyarrow.parquet.read_table` has them
        """
        files = [self.path / SEEDS_FILE] if table == "seeds" else self.files(table)
        return parts.read(files, table, columns, filters)

    def document(self, id: str) -> Document:
        """A document with its trail: `original()`, `seed_span()` and all else work.  Raises StoreError when
        the version has no document of this id, or only a summary of its edits."""
        if self.manifest.is_summary:
            raise StoreError(
                f"version {self.number} was built with --trail summary: it holds an example of each rule's edits, so "
                "nothing leads back from its texts; read its table documents, and the seeds themselves"
            )
        found = rows.documents(self._of("documents", id), self.edits(id))
        if not found:
            reason = self._of("quarantine", id)["reason"].to_pylist()
            why = f"it is in quarantine ({reason[0]})" if reason else "see the ids in its documents table"
            raise StoreError(f"version {self.number} has no document {id!r}: {why}")
        return found[0]

    def text(self, id: str) -> str:
        """A document's clean text.  Raises StoreError when the version has no document of this id."""
        found = self._of("documents", id)["text"].to_pylist()
        if not found:
            raise StoreError(f"version {self.number} has no document {id!r}: see the ids in its documents table")
        return str(found[0])

    def edits(self, id: str) -> pa.Table:
        """The rows of `edits` of one document, in the order of application."""
        return self._of("edits", id).sort_by("n")

    def seed_bytes(self, id: str) -> bytes:
        """The seed's bytes, as they were, from the corpus alone.  Raises StoreError when there is no such
        document, or what the corpus holds does not give the seed's hash."""
        document = self.document(id)
        try:
            return rows.seed_bytes(document)
        except ValueError as error:
            raise StoreError(f"version {self.number}: {error}; check the corpus") from error

    def seeds(self) -> dict[str, Known]:
        """All seeds by id: hash, size and outcome."""
        table = self.read("seeds", list(SEED_IDENTITY))
        columns = [table[name].to_pylist() for name in SEED_IDENTITY]
        return {row[0]: Known(*row[1:]) for row in zip(*columns, strict=True)}

    def containers(self) -> dict[str, KnownContainer]:
        """What is known of each container, by id; without those that could not be read to the end."""
        names = ["id", "sha256", "bytes", "kind", "container", "container_sha256", "entry", "offset"]
        groups = parts.groups(self.path / SEEDS_FILE, "seeds", names)
        found = [rows.filter(rows["container"].is_valid()) for rows in groups]
        table = pa.concat_tables([SCHEMAS["seeds"].empty_table().select(names), *found])
        is_seed = table["sha256"].is_valid()
        unsure = pc.and_(pc.invert(is_seed), pc.is_in(table["kind"], pa.array(UNSURE)))
        unsure = pc.or_(unsure, pc.is_null(table["container_sha256"]))
        again = set(pc.unique(table["container"].filter(unsure)).to_pylist())
        problems: dict[str, list[Problem]] = {}
        others = table.filter(pc.invert(is_seed))
        for id, size, kind, container in zip(
            *(others[name].to_pylist() for name in ("id", "bytes", "kind", "container")), strict=True
        ):
            problems.setdefault(container, []).append(Problem(id, kind, "", size, container))
        hashes = table.group_by(["container", "container_sha256"]).aggregate([])
        known = dict(zip(hashes["container"].to_pylist(), hashes["container_sha256"].to_pylist(), strict=True))
        seeds = _by_container(table.filter(is_seed))
        return {
            id: KnownContainer(sha256, seeds.get(id, SeedList()), tuple(problems.get(id, ())))
            for id, sha256 in known.items()
            if id not in again
        }

    def _of(self, table: str, id: str) -> pa.Table:
        """The rows of one id: only parts that may hold it are opened."""
        files = [one.path for one in self.sources(table) if merge.may_hold(one.part, [id])]
        return parts.read(files, table, filters=[("id", "=", id)]) if files else SCHEMAS[table].empty_table()

    def _parts(self, table: str) -> tuple[Part, ...]:
        if table not in STORED:
            raise StoreError(f"there is no table {table!r}; there are {', '.join(TABLES)}")
        return self.manifest.parts[table]


def _by_container(rows: pa.Table) -> dict[str, SeedList]:
    """The seeds of each container in their order: from rows of `seeds`."""
    order = [(name, "ascending") for name in ("container", "entry", "offset", "id")]
    rows = rows.take(pc.sort_indices(rows, order))
    seeds = of_hex(rows)
    runs = pc.run_end_encode(rows["container"].combine_chunks()) if rows.num_rows else None
    if runs is None:
        return {}
    if isinstance(runs, pa.ChunkedArray):
        runs = runs.combine_chunks()
    ends, starts = runs.run_ends.to_pylist(), [0]
    starts += ends[:-1]
    return {id: seeds[start:end] for id, start, end in zip(runs.values.to_pylist(), starts, ends, strict=True)}
