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
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from cleaners import Document

from . import changelog, manifest, merge, parts, provenance, recurring, reprints, rows, seed_rows
from .manifest import Manifest, content_id
from .memory import give_back
from .merge import Source
from .parts import Part, StoreError, explained
from .plan import CLEANED, Base, Plan, are_among, batches, known_seeds, make_plan, usable, without_changed
from .recurring import NO_SURVEY, By, Survey, here
from .reprints import Texts
from .schema import SCHEMA_VERSION, SEED_IDENTITY, SEEDS, STORED
from .schema import folder as folder_of
from .seed_list import AnySeed, Member
from .seeds import KnownContainer, Problem, Scan
from .version import MANIFEST, SEEDS_FILE, Version

__all__ = [
    "Manifest",
    "Plan",
    "Staged",
    "Staging",
    "Store",
    "StoreError",
    "Version",
    "are_staged",
    "batches",
    "content_id",
]

STAGED = "_staged.json"
SAMPLES = ".samples"
ROWS_OF_SEEDS = ("documents", "edits", "quarantine", "signatures")
"""Tables whose rows come from single seeds; the others from comparing documents."""

COMPARED = ("reprints", "comparisons")

OUTCOMES = ("documents", "edits", "quarantine")
"""Those of them that have other rows when reprints are dropped."""


_held: set[int] = set()  # descriptors of the locks that this process holds


def _let_go() -> None:
    """A forked worker must not keep the lock of a run that was killed."""
    while _held:
        os.close(_held.pop())


os.register_at_fork(after_in_child=_let_go)


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
        return self.tables["documents"].edits if "documents" in self.tables else {}

    def seeds(self, columns: Sequence[str] = SEEDS.names) -> pa.Table:
        """These columns of its rows of `seeds`; no row when all seeds of the batch changed meanwhile."""
        if "seeds" not in self.tables:
            return SEEDS.empty_table().select(columns)
        return parts.read([self.source("seeds").path], "seeds", columns)

    def ids(self) -> pa.ChunkedArray:
        """The ids of its rows of `seeds`."""
        return self.seeds(["id"])["id"]

    def source(self, table: str) -> Source:
        """Its part of a table.  Raises KeyError when it has none."""
        return Source(self.folder / self.tables[table].file, self.tables[table])

    def _rows(self, table: str) -> int:
        return self.tables[table].rows if table in self.tables else 0


@dataclass(frozen=True)
class Staging:
    """Where a run puts its batches.  Any process may write batches here: pass it to workers, it is a path."""

    folder: Path

    def write(
        self,
        documents: Iterable[Document],
        problems: Iterable[Problem] = (),
        recurring: Mapping[str, str] | None = None,
        is_summary: bool = False,
    ) -> Staged:
        """Writes one batch and makes it durable.

        problems    of seeds that could not be read after all (SeedChangedError.problem)
        recurring   id -> hash of those of its lines that recur (Survey.marks); only documents that have some
        is_summary  see `rows.tables`; must be in the fingerprint
        Raises StoreError when it cannot be written.
        """
        return self.write_tables(rows.tables(documents, problems, recurring, is_summary))

    def write_tables(self, tables: Mapping[str, pa.Table]) -> Staged:
        """Writes one batch that is rows already (`rows.tables`).  Raises StoreError when it cannot be written."""
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
        good = usable((one.seeds(CLEANED) for one in found), plan)
        return [one for one, is_good in zip(found, good, strict=True) if is_good]


def are_staged(plan: Plan, staged: Iterable[Staged]) -> npt.NDArray[np.bool_]:
    """Of each seed that the plan has to clean whether it is in one of these batches."""
    return are_among(plan.to_clean, (one.ids() for one in staged))


class Store:
    """The corpus below an output folder, which need not exist yet.

    store = Store(Path("output"))
    with store.writer_lock():
        plan = store.plan(scan, fingerprint)
        staging = store.staging(fingerprint)
        staged = staging.finished(plan)
        for batch in batches(plan.to_clean, max_bytes, done=are_staged(plan, staged)):
            staged.append(staging.write(clean(one.raw, one.name) for one in read_all(root, batch)))
        version = store.commit(plan, staged, fingerprint_parts, start)
    """

    def __init__(self, output: Path | str) -> None:
        self.output = Path(output)
        self.corpus = self.output / "corpus"
        self._versions = self.corpus / "versions"
        self._holder = 0  # the process that has the lock through this object

    def versions(self) -> list[Version]:
        """All committed versions, the oldest first.  Raises StoreError when their folder cannot be read."""
        try:
            names = os.listdir(self._versions)
        except (FileNotFoundError, NotADirectoryError):
            names = []
        except OSError as error:
            advice = "get the right to read it, or check the disk"
            raise StoreError(f"cannot read the corpus in {self.output} ({error.strerror}): {advice}") from error
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

    def plan(self, scan: Scan, fingerprint: str, survey: Survey = NO_SURVEY) -> Plan:
        """Compares a scan with the newest version.  Raises StoreError when that is damaged."""
        return make_plan(scan, fingerprint, self._base(), survey.marks)

    def without_changed(self, plan: Plan, changed: Collection[AnySeed]) -> Plan:
        """A plan without seeds that changed since they were found: `plan.without_changed`.  Raises StoreError when the
        newest version is damaged."""
        return without_changed(plan, self._base(), changed)

    def _base(self) -> Base | None:
        newest = self.latest()
        if newest is None:
            return None
        known = newest.manifest
        seeds = known_seeds(parts.groups(newest.path / SEEDS_FILE, "seeds", SEED_IDENTITY))
        return Base(known.number, known.fingerprint, known.schema_version, seeds)

    def containers(self, fingerprint: str) -> dict[str, KnownContainer]:
        """What the newest version knows of containers, for `seeds.scan`: nothing when it was made by another pipeline,
        which may read them in another way.  Raises StoreError when it is damaged."""
        newest = self.latest()
        if newest is None:
            return {}
        known = newest.manifest
        same = (known.fingerprint, known.schema_version) == (fingerprint, SCHEMA_VERSION)
        return newest.containers() if same else {}

    def samples(self) -> Path:
        """An empty folder for the samples of a survey; gone when the run is.  Needs the writer's lock."""
        self._check_locked()
        folder = self.corpus / SAMPLES
        with explained(self.output):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
        return folder

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
        drop_reprints: bool = False,
        survey: Survey = NO_SURVEY,
        by: By = here,
    ) -> Version:
        """Makes the next version of the base's rows and the staged ones, and switches `latest` to it.

        Returns the base when there is nothing to do.  Needs the writer's lock.
        start   when the run began, with a time zone
        notes   anything JSON can hold, for the manifest
        drop_reprints   near-duplicates of a kept document go to quarantine; must be in the fingerprint
        survey  what recurs: the one that the plan was made with
        by      calls what looks for near-duplicates, in another process, say: it takes memory
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

        def write(folder: Path, number: int) -> Manifest:
            self._check_complete(plan, staged)
            with ThreadPoolExecutor(1, "tables") as thread:  # reading, comparing and compressing leave Python to others
                surveyed = thread.submit(_surveyed, survey, base, folder)
                listed = None if drop_reprints else thread.submit(_listed, plan, base, staged, (), folder)
                made, dropped = self._tables(plan, base, staged, folder, drop_reprints, thread, by)
                seeds = listed.result() if listed else _listed(plan, base, staged, dropped, folder)
                made |= surveyed.result()
            give_back()
            told = seeds.part, seeds.content_id, fingerprint_parts, start, notes or {}, seeds.is_double
            return manifest.make(number, plan, made, *told)

        return self.next_version(write)

    def next_version(self, write: Callable[[Path, int], Manifest]) -> Version:
        """Makes a version of what `write(folder, number)` puts into an empty folder, and switches `latest` to it.

        It gets its data card, and a proposed changelog entry when the pipeline is another than its parent's.
        Needs the writer's lock; removes what is staged.
        Raises StoreError when it cannot be written: the version before then stays the newest.
        """
        self._check_locked()
        base = self.latest()
        number = base.number + 1 if base else 1
        name = f"v{number:06d}"
        unfinished = self._versions / f".{name}.{os.getpid()}"
        with explained(self.output):
            unfinished.mkdir()
            try:
                made = write(unfinished, number)
                parts.write_bytes(unfinished / MANIFEST, made.to_json().encode())
                provenance.write(made, unfinished)
                changelog.propose(base, Version(unfinished, number))
                parts.sync(unfinished)
                os.rename(unfinished, self._versions / name)
            except BaseException:
                shutil.rmtree(unfinished, ignore_errors=True)
                raise
            parts.sync(self._versions)
            self._switch(name)
            self._remove_staging()
        return Version(self._versions / name)

    def remove(self, version: Version) -> None:
        """Removes a version that is not the newest; files that other versions share stay.  Needs the lock."""
        self._check_locked()
        if version.number == max(one.number for one in self.versions()):
            raise StoreError(f"version {version.number} is the newest: it cannot be removed")
        with explained(self.output):
            doomed = self._versions / f".{version.path.name}.{os.getpid()}"
            os.rename(version.path, doomed)  # in one step: half a version is never seen
            parts.sync(self._versions)
            shutil.rmtree(doomed)

    def _check_complete(self, plan: Plan, staged: Sequence[Staged]) -> None:
        """Raises StoreError when the staged seeds are not those of the plan."""
        found = _in_order(pa.chunked_array([chunk for one in staged for chunk in one.ids().chunks], pa.string()))
        wanted = _in_order(plan.to_clean.names)
        if not found.equals(wanted):
            good = pc.sum(pc.is_in(found, wanted)).as_py() or 0
            raise StoreError(
                f"{len(wanted)} seeds were to be cleaned, but the batches hold {len(found)}, "
                f"{good} of them wanted: nothing was committed; run again"
            )

    def _tables(
        self,
        plan: Plan,
        base: Version | None,
        staged: Sequence[Staged],
        folder: Path,
        drop_reprints: bool,
        thread: ThreadPoolExecutor,
        by: By,
    ) -> tuple[dict[str, tuple[Part, ...]], Sequence[str]]:
        """Writes the next version's tables into `folder`; returns their parts and the ids of dropped reprints.

        thread   writes what does not depend on these
        by       as for `commit`
        """
        written_here = [table for table in STORED if table not in ("lines", "recurring")]
        is_new = base is not None and len(plan.gone) == base.manifest.seeds.rows
        gone: list[str] | None = None if is_new else plan.gone.to_pylist()
        old = {table: base.sources(table) if base else [] for table in written_here}
        sources = {table: [one.source(table) for one in staged if table in one.tables] for table in ROWS_OF_SEEDS}
        extra = folder / ".extra"
        extra.mkdir()
        if plan.problems:
            part = parts.write(rows.quarantine_table((), plan.problems), "quarantine", extra, "problems.parquet")
            sources["quarantine"].append(Source(extra / part.file, part))
        if base is not None and plan.moved:
            moved = plan.members.filter(pc.is_in(plan.members.names, pa.array(list(plan.moved.values()))))
            containers = {seed.name: seed.container for seed in moved if isinstance(seed, Member)}
            for table in ROWS_OF_SEEDS:
                sources[table] += _renamed(base, table, plan.moved, containers, extra)

        def written(table: str, gone: Sequence[str] | None) -> tuple[Part, ...]:
            return merge.write_table(table, old[table], sources[table], gone, folder / folder_of(table))

        def outcomes(doomed: Sequence[str] | None) -> dict[str, tuple[Part, ...]]:
            return {name: written(name, gone if name == "quarantine" else doomed) for name in OUTCOMES}

        meanwhile = None if drop_reprints else thread.submit(outcomes, gone)
        made = {"signatures": written("signatures", gone)}
        signed = [Source(folder / folder_of("signatures") / part.file, part) for part in made["signatures"]]
        texts = [*(Texts(one, gone) for one in old["documents"]), *(Texts(one, ()) for one in sources["documents"])]
        give_back()
        made |= by(reprints.tables, signed, texts, {name: old[name] for name in COMPARED}, folder, extra)
        dropped: list[str] = []  # sorted
        if drop_reprints:
            rows_of_dropped = parts.read([folder / folder_of("reprints") / made["reprints"][0].file], "reprints")
            dropped = rows_of_dropped["id"].to_pylist()
            if dropped:
                _drop(rows_of_dropped, texts, sources, extra)
        made |= meanwhile.result() if meanwhile else outcomes(None if gone is None else sorted({*gone, *dropped}))
        shutil.rmtree(extra)
        return made, dropped

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
        card = self.output / provenance.CARD
        if not os.path.lexists(card):
            os.symlink(os.path.join("latest", provenance.CARD), card)
        unfinished = self.output / f".latest.{os.getpid()}"
        os.symlink(target, unfinished)
        os.replace(unfinished, latest)
        parts.sync(self.output)

    def _remove_staging(self) -> None:
        for name in (".staging", SAMPLES):
            shutil.rmtree(self.corpus / name, ignore_errors=True)

    def _check_locked(self) -> None:
        if self._holder != os.getpid():
            raise RuntimeError("only to be called within `with store.writer_lock():`")


def _in_order(ids: pa.ChunkedArray) -> pa.ChunkedArray:
    """The ids sorted; not a copy of them when they are."""
    if not len(ids) or pc.all(pc.less_equal(ids.slice(0, len(ids) - 1), ids.slice(1))).as_py():
        return ids
    return ids.take(pc.sort_indices(ids))


def _surveyed(survey: Survey, base: Version | None, folder: Path) -> dict[str, tuple[Part, ...]]:
    """Writes what a survey found into `folder`."""
    old = {table: base.sources(table) if base else [] for table in ("lines", "recurring")}
    extra = folder / ".extra-lines"
    extra.mkdir()
    fresh = [
        one if isinstance(one, Source) else recurring.written(one, extra, number)
        for number, one in enumerate(survey.fresh, 1)
    ]
    left_out = sorted(survey.left_out)
    fresh = list(reprints.without(fresh, "lines", left_out, extra)) if left_out else fresh
    gone = None if survey.gone is None else sorted({*survey.gone.to_pylist(), *left_out})
    lines = merge.write_table("lines", old["lines"], fresh, gone, folder / folder_of("lines"))
    shutil.rmtree(extra)
    found = recurring.table(survey.recurring)
    return {
        "lines": lines,
        "recurring": reprints.write([found], "recurring", old["recurring"], folder / folder_of("recurring")),
    }


def _listed(
    plan: Plan, base: Version | None, staged: Sequence[Staged], dropped: Sequence[str], folder: Path
) -> seed_rows.Written:
    """Writes the list of seeds into `folder`."""
    extra = folder / ".extra-seeds"
    extra.mkdir()
    fresh = [one.source("seeds") for one in staged if "seeds" in one.tables]
    made = seed_rows.write(plan, base.path / SEEDS_FILE if base else None, fresh, dropped, folder, extra)
    shutil.rmtree(extra)
    return made


def _drop(found: pa.Table, texts: Sequence[Texts], sources: dict[str, list[Source]], folder: Path) -> None:
    """Takes reprints out of the staged parts of documents and edits, and adds their rows of quarantine."""
    sources["quarantine"] += reprints.quarantine(found, texts, folder)
    ids = found["id"].to_pylist()
    for table in ("documents", "edits"):
        sources[table] = list(reprints.without(sources[table], table, ids, folder))


def _renamed(
    base: Version, table: str, names: Mapping[str, str], containers: Mapping[str, str], folder: Path
) -> list[Source]:
    """The rows of a table whose ids are keys of `names`, under their new ids: a part for each that holds some."""
    ids = sorted(names)
    made = []
    for number, one in enumerate(base.sources(table)):
        if merge.may_hold(one.part, ids):
            found = merge.renamed(parts.read([one.path], table), names, containers)
            if found.num_rows:
                part = parts.write(found, table, folder, f"{table}-{number}.parquet")
                made.append(Source(folder / part.file, part))
    return made


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


@cache
def _code() -> str:
    """Hash of this package's code: a batch that was staged by other code is not used."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()
