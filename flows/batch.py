"""Batches: documents on their way from seeds to rows.  Without Prefect: worker processes need no more than this."""

from __future__ import annotations

import shutil
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from heapq import nlargest
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from cleaners import Cleaner, Config, Draft, Stopwatch, advance_all, settle_all
from corpus import recurring, rows, slices
from corpus import seeds as seeds_folder
from corpus.memory import give_back
from corpus.merge import Source
from corpus.plan import batches
from corpus.records import Reading
from corpus.seed_list import AnySeed
from corpus.seeds import Problem
from corpus.store import Staged, Staging

from .loading import uncollected
from .time_limit import TimeLimit

SLICE_BYTES = 2 << 20
"""So many bytes of a batch are in memory as documents at a time: they take 15 to 25 times as much."""

MOST_SLOW = 10
"""So many of the slowest documents are listed."""

STAGE = "stage"


class Slow(NamedTuple):
    """A document that took long: seconds of CPU time, bytes of its seed."""

    seconds: float
    id: str
    bytes: int


class Cleaned(NamedTuple):
    """A batch that is cleaned and written beside the corpus.

    slowest   the slowest of its documents
    changed   seeds that are not in it: they changed, or went, after the scan found them
    seconds   (step, seconds of CPU time) of its steps
    """

    staged: Staged
    slowest: tuple[Slow, ...] = ()
    changed: tuple[AnySeed, ...] = ()
    seconds: tuple[tuple[str, float], ...] = ()


class Finished(NamedTuple):
    """Documents that are rows: the rows, or the folder that has them, and the slowest of the documents."""

    tables: Mapping[str, pa.Table] | Path
    slowest: list[Slow]


Writing = Callable[[Staging, Sequence[Finished]], Cleaned]
"""Writes a batch, of its slices in their order."""


class Step(NamedTuple):
    """One thing that is done to a batch; returns counts."""

    name: str
    run: Callable[[Batch], Mapping[str, int]]


class Batch:
    """Documents that go through the pipeline together. Plain slots, so that Prefect does not look inside.

    number     1, 2, 3 … within a run
    root       the seeds folder
    seeds      those of this batch, as the scan found them
    staging    where the batch is written
    recurring  id -> keys of those of its lines that recur; only seeds that have some
    drafts     the documents while they are being cleaned; none before `read`
    changed    seeds that are no longer what the scan found: the next run takes them
    unsettled  indexes of the drafts that still changed after the last round
    finished   slices of it that are rows already
    warnings   what the run's log should say
    bytes, seconds   bytes that were read; seconds of CPU time of each step
    start      when it was begun
    It holds paths and names until it is read: a worker process gets it so, and never a document.
    """

    __slots__ = (
        *("changed", "config", "drafts", "finished", "number", "pipeline", "recurring"),
        *("root", "seeds", "staging", "unsettled", "warnings", "bytes", "seconds", "start"),
    )

    def __init__(
        self,
        number: int,
        root: Path,
        seeds: Sequence[AnySeed],
        staging: Staging,
        config: Config,
        pipeline: tuple[Cleaner, ...],
        recurring: Mapping[str, frozenset[int]],
    ) -> None:
        self.recurring = recurring
        self.number = number
        self.root = root
        self.seeds = seeds
        self.staging = staging
        self.config = config
        self.pipeline = pipeline
        self.drafts: list[Draft] = []
        self.changed: list[AnySeed] = []
        self.unsettled: set[int] = set()
        self.finished: list[Finished] = []
        self.warnings: list[str] = []
        self.bytes = 0
        self.seconds: dict[str, float] = defaultdict(float)
        self.start = 0.0

    def slices(self) -> Iterator[Batch]:
        """The batch in parts that are small enough to be in memory as documents."""
        for seeds in batches(self.seeds, SLICE_BYTES):
            of = {one.name: self.recurring[one.name] for one in seeds if one.name in self.recurring}
            yield Batch(self.number, self.root, seeds, self.staging, self.config, self.pipeline, of)

    def steps(self) -> list[Step]:
        """What is done to it before it is rows."""
        cleaning = [Step(one.name, _advancing(one)) for one in self.pipeline]
        return [Step("read", Batch.read), *cleaning, Step("settle", Batch.settle)]

    def clean(self, steps: Sequence[Step]) -> None:
        """Takes these steps, and makes rows of the documents."""
        with uncollected():
            for one in steps:
                self.take_step(one)
            self.make_rows()

    def take_step(self, step: Step) -> Mapping[str, int]:
        """Takes one step; returns its counts."""
        before = time.thread_time()
        counts = step.run(self)
        self.seconds[step.name] += time.thread_time() - before
        return counts

    def make_rows(self) -> None:
        """Makes rows of the documents, after all steps."""
        before = time.thread_time()
        self.finished.append(self.finish())
        self.seconds[STAGE] += time.thread_time() - before

    def take(self, part: Batch) -> None:
        """Takes in a slice of it that is cleaned."""
        self.finished += part.finished
        self.changed += part.changed
        self.warnings += part.warnings
        self.bytes += part.bytes
        for name, seconds in part.seconds.items():
            self.seconds[name] += seconds

    def read(self) -> dict[str, int]:
        """Reads and decodes the seeds."""
        seeds = {seed.name: seed for seed in self.seeds}
        for one in seeds_folder.read_all(self.root, self.seeds, Reading.of(self.config)):
            if isinstance(one, Problem):
                self.changed.append(seeds[one.id])
                self.warnings.append(f"waiting batch={self.number} document={one.id!r} reason={one.reason!r}")
            else:
                draft = Draft(one.raw, one.name, self.config, one.record, one.sha256)
                draft.recurring = self.recurring.get(one.name, frozenset())
                self.drafts.append(draft)
        self.bytes = sum(draft.seed.size for draft in self.drafts)
        return {"documents": len(self.drafts), "bytes": self.bytes}

    def advance(self, cleaner: Cleaner) -> dict[str, int]:
        """Lets one cleaner have its pass over all documents."""
        edits = advance_all(self.drafts, cleaner, self.config, self._limited)
        return {"edits": sum(edits), "documents_changed": sum(map(bool, edits))}

    def settle(self) -> dict[str, int]:
        """Repeats the pipeline on the documents until nothing changes."""
        before = sum(len(draft.trail) for draft in self.drafts)
        self.unsettled = settle_all(self.drafts, self.config, self.pipeline, self._limited)
        passes = sum(len(draft.trail) for draft in self.drafts) - before
        return {"further_passes": passes, "unsettled": len(self.unsettled)}

    def finish(self) -> Finished:
        """Finishes the documents and makes rows of them; the drafts are gone then."""
        for draft, watch in self._limited(self.drafts):
            draft.describe(self.config, watch)
        documents = [
            draft.finish(self.config, number not in self.unsettled, watch)
            for number, (draft, watch) in enumerate(self._limited(self.drafts))
        ]
        slowest = nlargest(MOST_SLOW, (Slow(draft.seconds, *draft.seed[::2]) for draft in self.drafts))
        self.drafts = []
        for one in documents:
            if one.quarantine:
                kind, reason = one.quarantine
                name = f"batch={self.number} document={one.name!r}"
                self.warnings.append(f"quarantine {name} kind={kind} reason={reason!r}")
        marks = {id: recurring.mark(keys) for id, keys in self.recurring.items()}
        return Finished(rows.tables(documents, (), marks, self.config.trail == "summary"), slowest)

    def stage(self, write: Writing | None = None) -> Cleaned:
        """Writes the batch: the slices that are finished, and the documents that are not.

        write   writes slices that are in folders: it may be another process; None: this one does
        """
        finished = self.finished or [self.finish()]
        self.finished = []
        in_folders = all(isinstance(one.tables, Path) for one in finished)
        chosen = write if write is not None and in_folders else staged
        return chosen(self.staging, finished)._replace(changed=tuple(self.changed))

    def _limited(self, drafts: Sequence[Draft]) -> Iterator[tuple[Draft, Stopwatch]]:
        """Drafts, one by one, under the limit on the time of each, with a stopwatch for all: the turn of one begins
        when that of the one before it ended."""
        watch = Stopwatch()
        with TimeLimit(self.config.max_seconds) as limit:
            for draft in drafts:
                limit.restart(draft.seconds, watch.cpu)
                yield draft, watch


def _advancing(cleaner: Cleaner) -> Callable[[Batch], dict[str, int]]:
    return lambda batch: batch.advance(cleaner)


def staged(staging: Staging, finished: Sequence[Finished]) -> Cleaned:
    """A batch, written, of its slices in their order; folders that had them are gone then.

    `seconds` has what this took.
    """
    before = time.thread_time()
    folders = [one.tables for one in finished if isinstance(one.tables, Path)]
    tables = [slices.kept(one.tables) if isinstance(one.tables, Path) else one.tables for one in finished]
    made = staging.write_tables(rows.together(tables))
    slowest = nlargest(MOST_SLOW, (slow for one in finished for slow in one.slowest))
    del tables
    for folder in folders:
        shutil.rmtree(folder)
    give_back()
    return Cleaned(made, tuple(slowest), seconds=((STAGE, time.thread_time() - before),))


def cleaned_slice(part: Batch, place: int, steps: Sequence[Step] = ()) -> Batch:
    """A slice of a batch, cleaned, its rows in a folder below the staging area: any process may write the batch.

    place   1, 2, 3 … within the batch
    steps   the batch's own, when they do more than these; empty: its own
    """
    part.clean(steps or part.steps())
    return kept_slice(part, place)


def kept_slice(part: Batch, place: int) -> Batch:
    """A slice that is rows, with these in a folder, as `cleaned_slice` has it."""
    (done,) = part.finished
    assert not isinstance(done.tables, Path)
    folder = part.staging.folder / f".slice-{part.number}-{place}"
    part.finished = [done._replace(tables=slices.keep(done.tables, folder))]
    part.seeds, part.recurring = (), {}  # who gets it has them
    return part


def sampled(batch: recurring.Unsampled) -> Source:
    """The part with the samples of a batch, written."""
    with uncollected():
        return batch.sample()
