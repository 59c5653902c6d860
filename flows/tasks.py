"""The cleaners as Prefect tasks: one task run per cleaner and batch of documents.

A task takes a Batch, which holds its documents' drafts, and returns a few counts. Documents never pass through
Prefect: it would hash, store and keep them. Hence NO_CACHE everywhere; what was cleaned is on record in the
corpus itself (docs/decisions/0003-batches-and-tasks.md).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from prefect import Task, task
from prefect.cache_policies import NO_CACHE

from cleaners import PIPELINE, Cleaner, Config, Document, Draft

P = ParamSpec("P")
R = TypeVar("R")


class Batch:
    """Documents that go through the pipeline together. Plain slots, so that Prefect does not look inside.

    number     1, 2, 3 … within a run
    drafts     the documents while they are being cleaned
    unsettled  indexes of the drafts that still changed after the last round
    """

    __slots__ = ("drafts", "number", "unsettled")

    def __init__(self, number: int) -> None:
        self.number = number
        self.drafts: list[Draft] = []
        self.unsettled: set[int] = set()

    def add(self, raw: bytes, name: str, config: Config) -> None:
        """Decodes one seed and takes it in."""
        self.drafts.append(Draft(raw, name, config))

    def advance(self, cleaner: Cleaner, config: Config) -> dict[str, int]:
        """Lets one cleaner have its pass over all documents."""
        edits = [draft.advance(cleaner, config) for draft in self.drafts]
        return {"edits": sum(edits), "documents_changed": sum(map(bool, edits))}

    def settle(self, config: Config, pipeline: tuple[Cleaner, ...]) -> dict[str, int]:
        """Repeats the pipeline on each document until nothing changes."""
        before = sum(len(draft.trail) for draft in self.drafts)
        self.unsettled = {i for i, draft in enumerate(self.drafts) if not draft.settle(config, pipeline)}
        passes = sum(len(draft.trail) for draft in self.drafts) - before
        return {"further_passes": passes, "unsettled": len(self.unsettled)}

    def finish(self, config: Config) -> list[Document]:
        """The documents, quarantined ones among them."""
        return [draft.finish(config, i not in self.unsettled) for i, draft in enumerate(self.drafts)]


def cleaning_task(cleaner: Cleaner) -> Task[..., dict[str, int]]:
    """The Prefect task that runs one cleaner over a batch: task(batch, config) -> counts."""

    @task(
        name=cleaner.name,
        task_run_name=f"{cleaner.name}, batch {{batch.number}}",
        cache_policy=NO_CACHE,
        persist_result=False,
    )
    def run(batch: Batch, config: Config) -> dict[str, int]:
        return batch.advance(cleaner, config)

    return run


CLEANING_TASKS: dict[str, Task[..., dict[str, int]]] = {c.name: cleaning_task(c) for c in PIPELINE}
"""The tasks of the cleaners in PIPELINE, by name."""


@task(name="settle", task_run_name="settle, batch {batch.number}", cache_policy=NO_CACHE, persist_result=False)
def settle(batch: Batch, config: Config, pipeline: tuple[Cleaner, ...] = PIPELINE) -> dict[str, int]:
    """Repeats the pipeline until nothing changes, so that cleaning twice is cleaning once."""
    return batch.settle(config, pipeline)


def step(name: str, run_name: str | None = None) -> Callable[[Callable[P, R]], Task[P, R]]:
    """Makes a task that is no cleaner: reading, staging, committing."""

    def made(function: Callable[P, R]) -> Task[P, R]:
        return task(
            name=name,
            task_run_name=run_name,
            cache_policy=NO_CACHE,
            persist_result=False,
        )(function)

    return made
