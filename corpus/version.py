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
from .seeds import KnownContainer, Member, Problem

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
        table = self.read("seeds", names)  # filtered here: a filter of `read` takes a third of a second to load
        table = table.filter(pc.is_valid(table["container"]))
        again = set(table.filter(pc.is_null(table["container_sha256"]))["container"].to_pylist())
        seeds: dict[str, list[Member]] = {}
        problems: dict[str, list[Problem]] = {}
        hashes: dict[str, str] = {}
        columns = [table[name].to_pylist() for name in names]
        for id, sha256, size, kind, container, container_sha256, entry, offset in zip(*columns, strict=True):
            if container in again or (sha256 is None and kind in UNSURE):
                again.add(container)
                continue
            hashes[container] = container_sha256
            if sha256 is None:
                problems.setdefault(container, []).append(Problem(id, kind, "", size, container))
            else:
                seeds.setdefault(container, []).append(Member(id, sha256, size, container, entry, offset))
        return {
            id: KnownContainer(sha256, tuple(seeds.get(id, ())), tuple(problems.get(id, ())))
            for id, sha256 in hashes.items()
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
