"""The flow `build-corpus`: a folder of seeds in, the next version of a corpus out."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
from prefect import Flow, Task, flow
from prefect.artifacts import create_link_artifact, create_markdown_artifact, create_table_artifact
from prefect.client.orchestration import get_client
from prefect.futures import PrefectFuture
from prefect.runtime import flow_run
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner

from cleaners import PIPELINE, Config
from corpus.seeds import SeedsError
from corpus.store import StoreError

from . import report, server
from .batch import Batch, Cleaned, cleaned_slice
from .fork_server import Pool
from .progress import without_retries
from .report import Report
from .shown import HeldElsewhere
from .tasks import BATCH_BYTES, Held, clean_and_write, clean_batch, clean_shown, corpus_run, log
from .workers import BATCHES_AHEAD, WorkersError, end_workers, task_runner, worker_pool

EXPECTED_ERRORS = (SeedsError, StoreError, server.ServerError, WorkersError)
"""What can go wrong with the user's folders, server and workers; the message says what to do."""


def run(
    seeds: Path,
    output: Path,
    config: Config,
    workers: int = 1,
    dask: str | None = None,
    batch_bytes: int = BATCH_BYTES,
) -> Report:
    """Runs the flow, with a server of its own if none is configured.

    workers   number of worker processes; 1: this process does all
    dask      address of a Dask scheduler, or `local`: a cluster of so many workers on this machine
    Raises EXPECTED_ERRORS, and KeyboardInterrupt when the user stops it; the corpus then is as it was.
    """
    with server.running() as running:
        # with Dask even one worker is another process: its batches have to be submitted
        at_a_time = workers if dask is None else max(2, workers)
        done = with_workers(workers, dask)(seeds, output, config, at_a_time, batch_bytes)
        running.wait_until_recorded(done.flow_run_id, done.task_runs)
    return done


def with_workers(workers: int, dask: str | None = None) -> Flow[..., Report]:
    """The flow, with a task runner for so many worker processes.  Raises WorkersError when there is none."""
    runner: TaskRunner[Any] | None = task_runner(workers, dask)
    return build_corpus if runner is None else build_corpus.with_options(task_runner=runner)


def _run_name() -> str:
    parameters = flow_run.parameters
    seeds, output = Path(parameters["seeds"]).name, Path(parameters["output"]).name
    return f"{seeds} to {output}, {datetime.now():%Y-%m-%d %H:%M:%S}"


@flow(
    name="build-corpus",
    flow_run_name=_run_name,
    persist_result=False,
    task_runner=ThreadPoolTaskRunner(max_workers=1),  # type: ignore[arg-type]
)
def build_corpus(
    seeds: Path,
    output: Path,
    config: Config | None = None,
    workers: int = 1,
    batch_bytes: int = BATCH_BYTES,
    quiet_seconds: float = 0.0,
) -> Report:
    """Cleans the seeds that are new or changed, and commits the next version.

    seeds    the folder of seeds
    output   the folder of the corpus; made if there is none
    config   which cleaners run, and how; checked before anything is read
    workers  more than 1: batches are submitted to the flow's task runner, so many at a time; see `with_workers`
    batch_bytes   bytes of seeds per batch
    quiet_seconds   seeds that were written to within that time, or are open for writing, wait for the next run;
                    0: none does
    Raises ValueError for an unknown cleaner, SeedsError and StoreError for folders that cannot be used,
    WorkersError when worker processes die.
    """
    spread = partial(_by_workers, workers) if workers > 1 else None
    with corpus_run(seeds, output, config, PIPELINE, batch_bytes, quiet_seconds, spread) as run:
        for cleaned in _cleaned(run.batches(), workers):
            run.add(cleaned)
        version = run.commit()
    done = report.of(version, run, str(flow_run.id or ""))
    try:
        with without_retries():
            _publish(done)
    except httpx.HTTPError as error:  # the version is made, whoever knows of it
        log().warning("the run's artifacts are missing: %s", error or type(error).__name__)
    return done


def _cleaned(batches: Iterator[Batch], workers: int) -> Iterator[Cleaned]:
    """The batches in their order, cleaned and written: by this process, by its worker processes, by a cluster."""
    if workers == 1:
        return clean_and_write(batches)
    pool = worker_pool()
    if pool is None:
        return _by_workers(workers, clean_batch, batches)
    return _by_worker_processes(workers, batches, pool)


def _by_worker_processes(workers: int, batches: Iterator[Batch], pool: Pool) -> Iterator[Cleaned]:
    """The same, by worker processes. They know nothing of Prefect: of the slice whose steps are task runs, it is told
    here."""
    first = Future[Batch]()
    shown: list[HeldElsewhere] = []

    def handed() -> Iterator[tuple[Batch, Held[list[Future[Batch]]]]]:
        for batch in batches:
            parts = list(enumerate(batch.slices(), 1))
            given = [first] if batch.number == 1 else []
            if given:
                shown.append(HeldElsewhere(parts.pop(0)[1], Pool(1)))
            # from here, not from the threads of the tasks: in the seeds' order, in which containers are read
            given += [pool.submit(cleaned_slice, part, place) for place, part in parts]
            yield batch, Held(given)

    def clean_first() -> None:
        while shown:
            first.set_result(clean_shown(shown.pop()))

    try:
        yield from _by_workers(workers, clean_batch, handed(), clean_first)
    finally:
        first.cancel()  # nobody waits for it when this process was interrupted


def _by_workers(
    workers: int,
    task: Task[..., Any],
    batches: Iterable[Any],
    meanwhile: Callable[[], None] = lambda: None,
) -> Iterator[Any]:
    """What a task makes of the batches in the flow's task runner, in their order.

    batches     what the task takes, or tuples of all that it takes
    meanwhile   is called when the workers have enough to do
    """
    waiting: deque[PrefectFuture[Any]] = deque()
    try:
        for batch in batches:
            waiting.append(task.submit(*batch) if isinstance(batch, tuple) else task.submit(batch))
            if len(waiting) >= workers * BATCHES_AHEAD:
                meanwhile()
                yield waiting.popleft().result()
        meanwhile()
        while waiting:
            yield waiting.popleft().result()
    except Exception as error:
        raise WorkersError.explained(error) from error
    except BaseException:  # Ctrl-C: nobody waits for batches that are not wanted any more
        end_workers()
        raise


def _publish(done: Report) -> None:
    """The artifacts of the run in Prefect's UI, and a name for it that says what it did."""
    if not flow_run.id:
        return
    create_table_artifact(key="cleaners", table=done.table(), description="Edits per cleaner and rule in this run")
    create_markdown_artifact(key="corpus-version", markdown=done.markdown(), description="What the run did")
    link = done.path.absolute().as_uri()
    create_link_artifact(link, f"version {done.version}", key="corpus-folder", description="The version's folder")
    with get_client(sync_client=True) as client:
        client.update_flow_run(UUID(str(flow_run.id)), name=done.name())
