"""The store: immutable numbered versions of a corpus below an output folder, and how the next comes about.

    output/latest                        link to the newest version: plain Parquet for any tool
    output/corpus/versions/v000001/      documents/ edits/ quarantine/ (parts), _seeds.parquet, _manifest.json
    output/corpus/.staging/<run>/        batches that are cleaned but not committed
    output/corpus/.lock                  held by the one process that writes

A version is complete or absent: it is written beside the others and gets its name by one rename.
See docs/formats.md.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
import socket
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from cleaners import Document

from . import merge, parts, rows
from .merge import Source
from .parts import Part, StoreError, explained
from .plan import Base, Known, Plan, batches, make_plan, usable
from .schema import SCHEMA_VERSION, SCHEMAS, SEEDS, TABLES
from .seeds import Problem, Scan

__all__ = ["Manifest", "Plan", "Staged", "Staging", "Store", "StoreError", "Version", "batches", "content_id"]

MANIFEST, SEEDS_FILE, STAGED = "_manifest.json", "_seeds.parquet", "_staged.json"


_held: set[int] = set()  # descriptors of the locks that this process holds


def _let_go() -> None:
    """A forked worker must not keep the lock of a run that was killed."""
    while _held:
        os.close(_held.pop())


os.register_at_fork(after_in_child=_let_go)


@dataclass(frozen=True)
class Manifest:
    """What a version is and where it comes from: the content of _manifest.json.

    number             of the version, from 1
    content_id         the same for the same seeds, pipeline and schema, whoever ran it: see `content_id`
    parent             number of the version that it follows; None for the first
    created            `start` and `end` of the run, ISO 8601, UTC
    schema_version     SCHEMA_VERSION of the code that wrote it
    fingerprint        of the pipeline, and what it was computed of
    counts             seeds, documents, quarantined, edits; added, changed, vanished, unchanged seeds
    edits              number of edits per cleaner and rule
    parts              the files of each table
    seeds              the file with the list of seeds
    notes              what the run wants to be known: how it was orchestrated, how long its cleaners took …
    """

    number: int
    content_id: str
    parent: int | None
    created: Mapping[str, str]
    schema_version: int
    fingerprint: str
    fingerprint_parts: Mapping[str, str]
    counts: Mapping[str, int]
    edits: Mapping[str, Mapping[str, int]]
    parts: Mapping[str, tuple[Part, ...]]
    seeds: Part
    notes: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> str:
        named = asdict(self) | {
            "parts": {table: [one._asdict() for one in self.parts[table]] for table in self.parts},
            "seeds": self.seeds._asdict(),
        }
        return json.dumps(named, ensure_ascii=False, indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Manifest:
        """Raises ValueError, KeyError or TypeError for anything but what `to_json` writes."""
        named = json.loads(text)
        named["parts"] = {table: tuple(Part(**one) for one in named["parts"][table]) for table in TABLES}
        named["seeds"] = Part(**named["seeds"])
        return cls(**named)


class Version:
    """A committed version: it never changes.  Its methods raise StoreError when its files are damaged."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.number = int(path.name[1:])

    def __repr__(self) -> str:
        return f"Version({str(self.path)!r})"

    @cached_property
    def manifest(self) -> Manifest:
        try:
            return Manifest.from_json((self.path / MANIFEST).read_text("utf-8"))
        except (OSError, ValueError, KeyError, TypeError) as error:
            reason = f"{self.path / MANIFEST} is missing or damaged ({type(error).__name__}: {error})"
            advice = "restore it from a copy, or move the version's folder away to go on from the one before"
            raise StoreError(f"{reason}: {advice}") from error

    def files(self, table: str) -> list[Path]:
        """The files of a table.  Raises StoreError for an unknown table."""
        return [one.path for one in self.sources(table)]

    def sources(self, table: str) -> list[Source]:
        """The parts of a table, and where they are.  Raises StoreError for an unknown table."""
        return [Source(self.path / table / part.file, part) for part in self._parts(table)]

    def read(self, table: str, columns: Sequence[str] | None = None, filters: Any = None) -> pa.Table:
        """The rows of `documents`, `edits`, `quarantine` or `seeds`, part by part, each sorted by id.

        columns   names; None: all
        filters   an expression or lists of tuples, as `pyarrow.parquet.read_table` has them
        """
        files = [self.path / SEEDS_FILE] if table == "seeds" else self.files(table)
        return parts.read(files, table, columns, filters)

    def document(self, id: str) -> Document:
        """A document with its trail: `original()`, `seed_span()` and all else work.  Raises StoreError when
        the version has no document of this id."""
        found = rows.documents(self._of("documents", id), self.edits(id))
        if not found:
            reason = self._of("quarantine", id)["reason"].to_pylist()
            why = f"it is in quarantine ({reason[0]})" if reason else "see the ids in its documents table"
            raise StoreError(f"version {self.number} has no document {id!r}: {why}")
        return found[0]

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
        table = self.read("seeds")
        columns = [table[name].to_pylist() for name in SEEDS.names]
        return {row[0]: Known(*row[1:]) for row in zip(*columns, strict=True)}

    def _of(self, table: str, id: str) -> pa.Table:
        """The rows of one id: only parts that may hold it are opened."""
        files = [one.path for one in self.sources(table) if merge.may_hold(one.part, [id])]
        return parts.read(files, table, filters=[("id", "=", id)]) if files else SCHEMAS[table].empty_table()

    def _parts(self, table: str) -> tuple[Part, ...]:
        if table not in TABLES:
            raise StoreError(f"there is no table {table!r}; there are {', '.join(TABLES)}")
        return self.manifest.parts[table]


@dataclass(frozen=True)
class Staged:
    """A batch that is cleaned and written, but not committed.

    folder        where its parts are
    tables        its parts of documents, edits, quarantine and seeds; a table without rows has none
    """

    folder: Path
    tables: Mapping[str, Part]

    @property
    def documents(self) -> int:
        return self._rows("documents")

    @property
    def quarantined(self) -> int:
        return self._rows("quarantine")

    @property
    def edits(self) -> Mapping[str, Mapping[str, int]]:
        """Number of edits per cleaner and rule."""
        return self.tables["edits"].edits if "edits" in self.tables else {}

    def seeds(self) -> pa.Table:
        """Its rows of `seeds`."""
        return parts.read([self.source("seeds").path], "seeds")

    def source(self, table: str) -> Source:
        """Its part of a table.  Raises KeyError when it has none."""
        return Source(self.folder / self.tables[table].file, self.tables[table])

    def _rows(self, table: str) -> int:
        return self.tables[table].rows if table in self.tables else 0


@dataclass(frozen=True)
class Staging:
    """Where a run puts its batches.  Any process may write batches here: pass it to workers, it is a path."""

    folder: Path

    def write(self, documents: Iterable[Document], problems: Iterable[Problem] = ()) -> Staged:
        """Writes one batch and makes it durable.

        problems   of seeds that could not be read after all (SeedChangedError.problem)
        Raises StoreError when it cannot be written.
        """
        tables = rows.tables(documents, problems)
        seeds = tables["seeds"]
        key = hashlib.sha256(repr([seeds[name].to_pylist() for name in ("id", "sha256")]).encode()).hexdigest()[:20]
        unfinished = self.folder / f".{key}.{os.getpid()}"
        with explained(self.folder):
            shutil.rmtree(unfinished, ignore_errors=True)
            unfinished.mkdir(parents=True)
            made = {
                name: parts.write(table, name, unfinished, f"{name}.parquet")
                for name, table in tables.items()
                if table.num_rows
            }
            listed = {name: part._asdict() for name, part in made.items()}
            parts.write_bytes(unfinished / STAGED, json.dumps(listed, ensure_ascii=False).encode())
            parts.sync(unfinished)
            with suppress(FileNotFoundError):
                shutil.rmtree(self.folder / key)
            os.rename(unfinished, self.folder / key)
            parts.sync(self.folder)
        return Staged(self.folder / key, made)

    def finished(self, plan: Plan) -> list[Staged]:
        """The batches that an interrupted run of the same pipeline left behind and that this plan can use."""
        found = [one for one in map(_staged, sorted(self.folder.glob("[!.]*"))) if one is not None]
        seeds = [one.seeds() for one in found]
        ids = [dict(zip(t["id"].to_pylist(), t["sha256"].to_pylist(), strict=True)) for t in seeds]
        return [one for one, good in zip(found, usable(ids, plan), strict=True) if good]


class Store:
    """The corpus below an output folder, which need not exist yet.

    store = Store(Path("output"))
    with store.writer_lock():
        plan = store.plan(scan, fingerprint)
        staging = store.staging(fingerprint)
        staged = staging.finished(plan)
        done = {id for one in staged for id in one.seeds()["id"].to_pylist()}
        for batch in batches(plan.to_clean, max_bytes, done=done):
            staged.append(staging.write(clean(read(root, seed), seed.name) for seed in batch))
        version = store.commit(plan, staged, fingerprint_parts, start)
    """

    def __init__(self, output: Path | str) -> None:
        self.output = Path(output)
        self.corpus = self.output / "corpus"
        self._versions = self.corpus / "versions"
        self._holder = 0  # the process that has the lock through this object

    def versions(self) -> list[Version]:
        """All committed versions, the oldest first."""
        names = os.listdir(self._versions) if self._versions.is_dir() else []
        numbered = sorted((int(name[1:]), name) for name in names if re.fullmatch(r"v\d{6,}", name))
        return [Version(self._versions / name) for _, name in numbered]

    def latest(self) -> Version | None:
        """The newest version; None before the first."""
        found = self.versions()
        return found[-1] if found else None

    def version(self, number: int) -> Version:
        """Raises StoreError when there is no such version."""
        for one in self.versions():
            if one.number == number:
                return one
        numbers = ", ".join(str(one.number) for one in self.versions()) or "none"
        raise StoreError(f"there is no version {number} in {self.output}; there are: {numbers}")

    @contextmanager
    def writer_lock(self) -> Iterator[None]:
        """Makes this process the only one that writes to the corpus, and clears up after killed runs.

        Raises StoreError when another process writes, naming it, or when the folder cannot be written to.
        """
        with explained(self.output):
            self._versions.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.corpus / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            with explained(self.output):
                self._take(descriptor)
        except BaseException:
            os.close(descriptor)
            raise
        self._holder = os.getpid()
        _held.add(descriptor)
        try:
            with explained(self.output):
                self._clear_up()
            yield
        finally:
            if self._holder == os.getpid():  # not in a child that was forked meanwhile
                self._holder = 0
                _held.discard(descriptor)
                os.ftruncate(descriptor, 0)
                os.close(descriptor)

    def plan(self, scan: Scan, fingerprint: str) -> Plan:
        """Compares a scan with the newest version.  Raises StoreError when that is damaged."""
        newest = self.latest()
        if newest is None:
            return make_plan(scan, fingerprint, None)
        known = newest.manifest
        return make_plan(scan, fingerprint, Base(known.number, known.fingerprint, known.schema_version, newest.seeds()))

    def staging(self, fingerprint: str) -> Staging:
        """Where this run puts its batches; those of other pipelines are removed.  Needs the writer's lock."""
        self._check_locked()
        run = hashlib.sha256(f"{fingerprint}\0{SCHEMA_VERSION}\0{_code()}".encode()).hexdigest()[:16]
        folder = self.corpus / ".staging"
        with explained(self.output):
            (folder / run).mkdir(parents=True, exist_ok=True)
            for name in os.listdir(folder):
                if name != run:
                    shutil.rmtree(folder / name)
            for unfinished in (folder / run).glob(".*"):
                shutil.rmtree(unfinished)
        return Staging(folder / run)

    def commit(
        self,
        plan: Plan,
        staged: Sequence[Staged],
        fingerprint_parts: Mapping[str, str],
        start: datetime,
        notes: Mapping[str, Any] | None = None,
    ) -> Version:
        """Makes the next version of the base's rows and the staged ones, and switches `latest` to it.

        Returns the base when there is nothing to do.  Needs the writer's lock.
        start   when the run began, with a time zone
        notes   anything JSON can hold, for the manifest
        Raises StoreError when it cannot be written, or when the staged seeds are not those of the plan
        (the version before stays the newest); ValueError when `plan` was made for another base.
        """
        self._check_locked()
        base = self.latest()
        if plan.base != (base.number if base else None):
            raise ValueError(f"the plan is for version {plan.base}, but the newest one is {base}")
        if plan.empty and base is not None:
            self._remove_staging()
            return base
        number = base.number + 1 if base else 1
        name = f"v{number:06d}"
        unfinished = self._versions / f".{name}.{os.getpid()}"
        with explained(self.output):
            unfinished.mkdir()
            try:
                seeds = self._seeds(plan, base, staged)
                seeds_part = parts.write(seeds, "seeds", unfinished, SEEDS_FILE)
                made = self._tables(plan, base, staged, unfinished)
                manifest = _manifest(number, plan, made, seeds, seeds_part, fingerprint_parts, start, notes or {})
                parts.write_bytes(unfinished / MANIFEST, manifest.to_json().encode())
                parts.sync(unfinished)
                os.rename(unfinished, self._versions / name)
            except BaseException:
                shutil.rmtree(unfinished, ignore_errors=True)
                raise
            parts.sync(self._versions)
            self._switch(name)
            self._remove_staging()
        return Version(self._versions / name)

    def _seeds(self, plan: Plan, base: Version | None, staged: Sequence[Staged]) -> pa.Table:
        """The next version's list of seeds."""
        fresh = pa.concat_tables([SEEDS.empty_table(), *(one.seeds() for one in staged)])
        ids = fresh["id"].to_pylist()
        wanted = {seed.name for seed in plan.to_clean}
        if len(ids) != len(wanted) or set(ids) != wanted:
            raise StoreError(
                f"{len(wanted)} seeds were to be cleaned, but the batches hold {len(ids)}, "
                f"{len(wanted.intersection(ids))} of them wanted: nothing was committed; run again"
            )
        listed = [fresh, rows.seeds_table((), plan.problems)]
        if base is not None:
            listed.append(merge.without(base.read("seeds"), sorted(plan.gone)))
        return pa.concat_tables(listed)

    def _tables(
        self, plan: Plan, base: Version | None, staged: Sequence[Staged], folder: Path
    ) -> dict[str, tuple[Part, ...]]:
        """Writes the next version's tables into `folder`."""
        gone: list[str] | None = sorted(plan.gone)
        if base is not None and len(plan.gone) == base.manifest.seeds.rows:
            gone = None
        sources = {table: [one.source(table) for one in staged if table in one.tables] for table in TABLES}
        problems = folder / ".problems.parquet"
        if plan.problems:
            part = parts.write(rows.quarantine_table((), plan.problems), "quarantine", folder, problems.name)
            sources["quarantine"].append(Source(problems, part))
        made = {
            table: merge.write_table(table, base.sources(table) if base else [], sources[table], gone, folder / table)
            for table in TABLES
        }
        problems.unlink(missing_ok=True)
        return made

    def _take(self, descriptor: int) -> None:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(descriptor, 1000, 0).decode("utf-8", "replace") or "another process"
            raise StoreError(
                f"{holder} is writing to {self.output}: wait until it is done, or end it "
                "(its lock goes with it), and run again"
            ) from error
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"process {os.getpid()} on {socket.gethostname()}".encode(), 0)

    def _clear_up(self) -> None:
        """Removes what a killed run left unfinished; switches `latest` if it did not get that far."""
        for name in os.listdir(self._versions):
            if name.startswith("."):
                shutil.rmtree(self._versions / name)
        for name in os.listdir(self.output):
            if name.startswith(".latest."):
                os.unlink(self.output / name)
        newest = self.latest()
        if newest is not None:
            self._switch(newest.path.name)

    def _switch(self, name: str) -> None:
        """Makes `latest` lead to a version, in one step."""
        target, latest = os.path.join("corpus", "versions", name), self.output / "latest"
        if os.path.islink(latest) and os.readlink(latest) == target:
            return
        if latest.is_dir() and not latest.is_symlink():
            raise StoreError(f"{latest} is a folder, but must become a link to the newest version: move it away")
        unfinished = self.output / f".latest.{os.getpid()}"
        os.symlink(target, unfinished)
        os.replace(unfinished, latest)
        parts.sync(self.output)

    def _remove_staging(self) -> None:
        shutil.rmtree(self.corpus / ".staging", ignore_errors=True)

    def _check_locked(self) -> None:
        if self._holder != os.getpid():
            raise RuntimeError("only to be called within `with store.writer_lock():`")


def _staged(folder: Path) -> Staged | None:
    """The batch in this folder; None when a file of it is missing or damaged: it is cleaned again then."""
    try:
        listed = json.loads((folder / STAGED).read_text("utf-8"))
        found = Staged(folder, {name: Part(**part) for name, part in listed.items()})
        hashes = {one.sha256: (folder / one.file).read_bytes() for one in found.tables.values()}
    except (OSError, ValueError, TypeError, AttributeError):
        return None
    intact = all(hashlib.sha256(content).hexdigest() == known for known, content in hashes.items())
    return found if intact and "seeds" in found.tables else None


def content_id(fingerprint: str, seeds: pa.Table) -> str:
    """What a version is, in hex: SHA-256 over the schema's version, the fingerprint, and id, hash, size,
    outcome and kind of every seed, sorted by id.

    Cleaning is a function of seed and pipeline, so this decides every row. It is not computed of the parts,
    because the same rows lie in other parts when they came one by one, and pyarrow's next release may
    compress them to other bytes.
    """
    digest = hashlib.sha256(f"{SCHEMA_VERSION}\0{fingerprint}".encode())
    columns = [seeds.sort_by("id")[name].to_pylist() for name in SEEDS.names]
    for row in zip(*columns, strict=True):
        digest.update(json.dumps(row).encode())
    return digest.hexdigest()


def _manifest(
    number: int,
    plan: Plan,
    made: Mapping[str, tuple[Part, ...]],
    seeds: pa.Table,
    seeds_part: Part,
    fingerprint_parts: Mapping[str, str],
    start: datetime,
    notes: Mapping[str, Any],
) -> Manifest:
    """The manifest.  Raises StoreError when there are not as many rows as seeds."""
    count = {table: sum(part.rows for part in made[table]) for table in TABLES}
    if (
        seeds.num_rows != count["documents"] + count["quarantine"]
        or pc.count_distinct(seeds["id"]).as_py() != seeds.num_rows
    ):
        raise StoreError(
            f"{seeds.num_rows} seeds gave {count['documents']} documents and {count['quarantine']} in "
            "quarantine: a row is missing or double; nothing was committed: check the corpus, then run again"
        )
    edits: dict[str, dict[str, int]] = {}
    for part in made["edits"]:
        for cleaner, rules in part.edits.items():
            sums = edits.setdefault(cleaner, {})
            for rule, n in rules.items():
                sums[rule] = sums.get(rule, 0) + n
    return Manifest(
        number=number,
        content_id=content_id(plan.fingerprint, seeds),
        parent=plan.base,
        created={"start": _utc(start), "end": _utc(datetime.now(UTC))},
        schema_version=SCHEMA_VERSION,
        fingerprint=plan.fingerprint,
        fingerprint_parts=dict(fingerprint_parts),
        counts={
            "seeds": seeds.num_rows,
            "documents": count["documents"],
            "quarantined": count["quarantine"],
            "edits": count["edits"],
            "added": plan.added,
            "changed": plan.changed,
            "vanished": plan.vanished,
            "unchanged": plan.unchanged,
        },
        edits={cleaner: dict(sorted(edits[cleaner].items())) for cleaner in sorted(edits)},
        parts=dict(made),
        seeds=seeds_part,
        notes=dict(notes),
    )


def _utc(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="milliseconds")


@cache
def _code() -> str:
    """Hash of this package's code: a batch that was staged by other code is not used."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()
