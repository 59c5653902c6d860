"""The steps of a run as Prefect tasks, for the flow build-corpus and for flows of one's own.

    with corpus_run(seeds, output, config, pipeline) as run:
        for batch in run.batches():
            read(batch)
            for cleaner in pipeline:
                cleaning(cleaner)(batch)
            settle(batch)
            run.add(stage(batch))
        version = run.commit()

A task takes a Batch, which holds its documents' drafts, and returns a few counts. Documents never pass through
Prefect: it would hash, store and keep them. Hence NO_CACHE everywhere; what was cleaned is on record in the
corpus itself (docs/decisions/0003-batches-and-tasks.md).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from datetime import UTC, datetime
from functools import cache
from heapq import nlargest
from pathlib import Path
from typing import Any, Generic, ParamSpec, TypeVar, cast

import pyarrow.compute as pc
from prefect import Task, task
from prefect.cache_policies import NO_CACHE
from prefect.exceptions import MissingContextError
from prefect.logging import get_run_logger
from prefect.runtime import flow_run

from cleaners import PIPELINE, Cleaner, Config, fingerprint, fingerprint_parts, remembered, select
from corpus import recurring
from corpus import seeds as seeds_folder
from corpus.memory import give_back
from corpus.merge import Source
from corpus.plan import Plan, batches
from corpus.records import Reading
from corpus.recurring import NO_SURVEY, Survey, Unsampled
from corpus.seed_list import AnySeed
from corpus.seeds import Scan
from corpus.store import Staged, Store, StoreError, Version, are_staged

from .batch import MOST_SLOW, Batch, Cleaned, Slow, Step, cleaned_slice, sampled, staged
from .progress import Progress
from .shown import HeldElsewhere
from .workers import apart, by_worker, each_by_worker, worker_pool

__all__ = [
    "CLEANING_TASKS",
    "PIPELINE",
    "Batch",
    "Cleaned",
    "Cleaner",
    "Config",
    "Run",
    "Slow",
    "clean_batch",
    "cleaning",
    "commit",
    "corpus_run",
    "read",
    "scan",
    "settle",
    "stage",
    "survey",
]

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")

BATCH_BYTES = 16 << 20
"""Bytes of seeds per batch, unless told otherwise: docs/decisions/0003-batches-and-tasks.md."""

TASK_RUNS_PER_RUN = 2  # scan, commit; survey, when recurrence runs
TASK_RUNS_IN_FIRST_BATCH = 3  # read, settle, stage; the cleaners come on top

MANY_SEEDS = 50_000
"""From so many on, near-duplicates are looked for in a process of its own: this one has 500 MB when it has cleaned."""

MOST_WAITING = 20
"""So many of the files that were being written are named in the manifest."""


def step(name: str, run_name: str | None = None) -> Callable[[Callable[P, R]], Task[P, R]]:
    """Makes a task of a function: its result is neither cached nor stored."""

    def made(function: Callable[P, R]) -> Task[P, R]:
        return task(
            name=name,
            task_run_name=run_name,
            cache_policy=NO_CACHE,
            persist_result=False,
        )(function)

    return made


class Held(Generic[T]):
    """What a task takes or returns and Prefect does not look into: it would walk through every seed of a plan, several
    times for each task."""

    __slots__ = ("value",)

    def __init__(self, value: T) -> None:
        self.value = value


def log() -> logging.Logger | logging.LoggerAdapter[logging.Logger]:
    """The logger of the run, whose lines are in Prefect's UI; outside of a run an ordinary one."""
    try:
        return get_run_logger()
    except MissingContextError:
        return logging.getLogger("jingwen")


@cache
def cleaning(cleaner: Cleaner) -> Task[[Batch], dict[str, int]]:
    """The Prefect task that runs one cleaner over a batch: task(batch) -> number of edits and changed documents.

    cleaner   one of PIPELINE, or one's own: Cleaner(name, propose)
    """

    @step(cleaner.name, f"{cleaner.name}, batch {{batch.number}}")
    def run(batch: Batch) -> dict[str, int]:
        return batch.advance(cleaner)

    return run


CLEANING_TASKS: dict[str, Task[[Batch], dict[str, int]]] = {one.name: cleaning(one) for one in PIPELINE}
"""The tasks of the cleaners in PIPELINE, by name."""


@step("scan")
def scan(seeds: Path, config: Config, output: Path, pipeline: str, quiet_seconds: float = 0.0) -> Held[Scan]:
    """All seeds below the folder, hashed; a corpus that lies below it is left out."""
    known = Store(output).containers(pipeline)
    reading = Reading.of(config)
    return Held(seeds_folder.scan(seeds, config.max_seed_bytes, output, reading, known, quiet_seconds, each_by_worker))


@step("sample", "sample, batch {batch.number}")
def sample(batch: Unsampled) -> Held[Source]:
    """Reads the seeds of a batch and keeps the keys of their short lines, for the survey."""
    return Held(sampled(batch))


@step("survey")
def survey(
    seeds: Path,
    found: Held[Scan],
    fingerprint: str,
    store: Store,
    config: Config,
    fresh: Held[list[Source]] | None = None,
) -> Held[Survey]:
    """Which lines recur on the pages of a site: reads the seeds that are new or changed, or all for a new pipeline.

    fresh   the samples of these seeds when a cluster took them; None: they are taken here, by worker processes when the
            flow has some
    """
    base = store.latest()
    if fresh is None:
        todo = recurring.unsampled(seeds, found.value, fingerprint, base, config, store.samples())
        fresh = Held(list(each_by_worker(sampled, todo)))
    return Held(recurring.look(seeds, found.value, fingerprint, base, config, fresh.value, by_worker))


@step("read", "read, batch {batch.number}")
def read(batch: Batch) -> dict[str, int]:
    """Reads and decodes the batch's seeds."""
    counts = batch.read()
    _warn(batch)
    return counts


@step("settle", "settle, batch {batch.number}")
def settle(batch: Batch) -> dict[str, int]:
    """Repeats the pipeline until nothing changes, so that cleaning twice is cleaning once."""
    return batch.settle()


@step("stage", "stage, batch {batch.number}")
def stage(batch: Batch) -> Cleaned:
    """Finishes the documents and writes them beside the corpus: a worker process does, when the slices are in files."""
    cleaned = batch.stage(lambda *of: by_worker(staged, *of))
    _warn(batch)
    return cleaned


@step("clean-batch", "clean, batch {batch.number}")
def clean_batch(batch: Batch, slices: Held[list[Future[Batch]]] | None = None) -> Cleaned:
    """All steps of one batch.

    The steps of the first slice of a run's first batch are task runs, too, and show what is done. Those of all batches
    would cost an eighth of the run's time: docs/decisions/0003-batches-and-tasks.md.
    slices   the batch's slices, in their order, when others clean them
    """
    if slices is None:
        _clean(batch)
    else:
        batch.start = time.perf_counter()
        for one in slices.value:
            _take(batch, one.result())
    return _write(batch)


def clean_shown(part: HeldElsewhere) -> Batch:
    """A batch's first slice, cleaned by the process that holds it, each step a task run."""
    for one in _shown(part):
        one.run(cast(Batch, part))  # it has what the tasks ask of a batch
    return part.cleaned(1)


@step("clean-batch", "clean, batch {batch.number}")
def clean_unwritten(batch: Batch) -> None:
    """The same, but that it is still to be written."""
    _clean(batch)


def clean_and_write(todo: Iterable[Batch]) -> Iterator[Cleaned]:
    """Batches in their order, each written by a thread while the next one is cleaned: sorting, compressing and hashing
    leave Python to others.  At most one waits in memory."""
    with ThreadPoolExecutor(1, "writing") as thread:
        waiting: Future[Cleaned] | None = None
        for batch in todo:
            clean_unwritten(batch)
            if waiting is not None:
                yield waiting.result()
            waiting = thread.submit(copy_context().run, _write, batch)  # the context has the run's logger
        if waiting is not None:
            yield waiting.result()


def _clean(batch: Batch) -> None:
    """All steps but writing.  The rows of its slices wait in files, as those of worker processes do: in memory they,
    and what their arrays left unused, would be 40 MB."""
    batch.start = time.perf_counter()
    for place, part in enumerate(batch.slices(), 1):
        _take(batch, cleaned_slice(part, place, _shown(batch) if batch.number == 1 and place == 1 else ()))


def _shown(batch: Batch | HeldElsewhere) -> list[Step]:
    """The steps of a batch, each a task run."""
    steps: list[Task[[Batch], dict[str, int]]] = [read, *map(cleaning, batch.pipeline), settle]
    return [Step(one.name, one) for one in steps]


def _take(batch: Batch, part: Batch) -> None:
    batch.take(part)
    _warn(batch)


def _warn(batch: Batch) -> None:
    """Writes into the run's log what it has not yet of a batch."""
    for line in batch.warnings:
        log().warning("%s", line)
    batch.warnings.clear()


def _write(batch: Batch) -> Cleaned:
    """Writes a batch that is cleaned."""
    cleaned = stage(batch) if batch.number == 1 else stage.fn(batch)
    for name, seconds in cleaned.seconds:
        batch.seconds[name] += seconds
    log().info(
        "cleaned batch=%d documents=%d bytes=%d quarantined=%d seconds=%.2f",
        *(batch.number, cleaned.staged.documents, batch.bytes, cleaned.staged.quarantined),
        time.perf_counter() - batch.start,
    )
    return cleaned._replace(seconds=tuple(batch.seconds.items()))


@step("commit")
def commit(
    store: Store,
    plan: Held[Plan],
    staged: Held[list[Staged]],
    config: Config,
    start: datetime,
    pipeline: Held[tuple[Cleaner, ...]],
    survey: Held[Survey],
) -> Version:
    """Makes the next version; returns the present one when nothing changed."""
    waiting = plan.value.scan.waiting
    notes = {"orchestrator": "prefect", "flow_run": str(flow_run.id or ""), "waiting": list(waiting[:MOST_WAITING])}
    made_of = fingerprint_parts(config, pipeline.value)
    remembered.forget()
    give_back()
    by = apart if len(plan.value.scan.seeds) >= MANY_SEEDS else by_worker
    version = store.commit(plan.value, staged.value, made_of, start, notes, config.drop_reprints, survey.value, by)
    counts = version.manifest.counts
    if counts["seeds"] != counts["documents"] + counts["quarantined"]:
        raise StoreError(f"version {version.number} does not account for all seeds: {dict(counts)}; check the corpus")
    return version


Spread = Callable[[Task[[Any], Any], Iterable[Any]], Iterator[Any]]
"""Gives a task's results for many batches, in their order."""


class Run:
    """One run over a folder of seeds: what has to be cleaned, what is done. Made by `corpus_run`."""

    def __init__(
        self,
        store: Store,
        seeds: Path,
        config: Config,
        pipeline: tuple[Cleaner, ...],
        batch_bytes: int,
        progress: Progress,
        quiet_seconds: float = 0.0,
        spread: Spread | None = None,
    ) -> None:
        self.start = datetime.now(UTC)
        self.config = config
        self.pipeline = select(config, pipeline)
        self._all = pipeline
        made_by = fingerprint(config, pipeline)
        found = scan(seeds, config, store.output, made_by, quiet_seconds)
        give_back()
        self._sampled = 0
        self.survey = NO_SURVEY
        if any(cleaner.name == "recurrence" for cleaner in self.pipeline):
            fresh = None
            if spread is not None and worker_pool() is None:
                todo = recurring.unsampled(seeds, found.value, made_by, store.latest(), config, store.samples())
                fresh = Held([one.value for one in spread(sample, todo)])
                self._sampled = len(fresh.value)
            self.survey = survey(seeds, found, made_by, store, config, fresh).value
        give_back()
        self.plan = store.plan(found.value, made_by, self.survey)
        give_back()
        self.slowest: list[Slow] = []
        self.changed: list[AnySeed] = []
        self.seconds: dict[str, float] = {}
        self._store = store
        self._seeds = seeds
        self._batch_bytes = batch_bytes
        self._progress = progress
        self._staging = store.staging(self.plan.fingerprint)
        progress.expect(len(self.plan.to_clean), self.plan.to_clean.bytes)
        self.staged = self._staging.finished(self.plan)
        self.left_by_killed_run = len(self.staged)
        for one in self.staged:
            self._advance(one)

    def batches(self) -> Iterator[Batch]:
        """What is still to be cleaned, in the order of the ids."""
        done = are_staged(self.plan, self.staged)
        for number, seeds in enumerate(batches(self.plan.to_clean, self._batch_bytes, done=done), 1):
            recurring = self.survey.applied(seeds)
            yield Batch(number, self._seeds, seeds, self._staging, self.config, self.pipeline, recurring)

    def add(self, cleaned: Cleaned) -> None:
        """Takes in a batch that is staged."""
        self.staged.append(cleaned.staged)
        self.slowest = nlargest(MOST_SLOW, [*self.slowest, *cleaned.slowest])
        self.changed += cleaned.changed
        for name, seconds in cleaned.seconds:
            self.seconds[name] = self.seconds.get(name, 0.0) + seconds
        self._advance(cleaned.staged)
        self._progress.advance(len(cleaned.changed), sum(seed.size for seed in cleaned.changed))

    def commit(self) -> Version:
        """Makes the next version of the corpus; returns the newest one when nothing changed.

        Seeds that changed while the run went on stay as the corpus has them, new ones are not in it yet."""
        if self.changed:
            self.plan = self._store.without_changed(self.plan, self.changed)
            self.survey = self.survey.without(frozenset(seed.name for seed in self.changed))
            self.changed = []
        held = Held(self.plan), Held(self.staged)
        return commit(self._store, *held, self.config, self.start, Held(self._all), Held(self.survey))

    @property
    def task_runs(self) -> int:
        """Number of task runs of the flow build-corpus."""
        batches = len(self.staged) - self.left_by_killed_run
        surveys = 0 if self.survey is NO_SURVEY else 1
        first = TASK_RUNS_IN_FIRST_BATCH + len(self.pipeline) if batches else 0
        return TASK_RUNS_PER_RUN + surveys + self._sampled + batches + first

    def _advance(self, staged: Staged) -> None:
        sizes = staged.seeds(["bytes"])["bytes"]
        self._progress.advance(len(sizes), pc.sum(sizes).as_py() or 0)


@contextmanager
def corpus_run(
    seeds: Path | str,
    output: Path | str,
    config: Config | None = None,
    pipeline: tuple[Cleaner, ...] = PIPELINE,
    batch_bytes: int = BATCH_BYTES,
    quiet_seconds: float = 0.0,
    spread: Spread | None = None,
) -> Iterator[Run]:
    """Scans the seeds, plans the run, and holds the corpus's lock until the block ends.

    seeds      the folder of seeds
    output     the folder of the corpus; made if there is none
    config     None: the defaults
    pipeline   the cleaners in their order; others than those of PIPELINE become part of the fingerprint
    batch_bytes   bytes of seeds per batch
    quiet_seconds   seeds that were written to within that time, or are open for writing, are left for the next run;
                    0: none is
    spread     gives the results of a task for many batches, in their order: of workers; None: no task but those of the
               block is given away
    Raises ValueError for an unknown cleaner in `config`, SeedsError and StoreError for folders that cannot be used.
    """
    config = config or Config()
    select(config, pipeline)  # a wrong choice is refused before anything is read
    store = Store(Path(output).absolute())
    with store.writer_lock(), Progress() as progress:
        try:
            yield Run(store, Path(seeds).absolute(), config, pipeline, batch_bytes, progress, quiet_seconds, spread)
        finally:
            seeds_folder.close_kept()
