"""Worker processes: of this machine, or of a Dask cluster, as Prefect's task runners.

Why so, why Dask, and how to run it on many machines: docs/decisions/0040-worker-processes.md.
"""

from __future__ import annotations

import multiprocessing
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from typing import Any, ParamSpec, TypeVar

from prefect.context import FlowRunContext
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner

from . import fork_server

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")

LOCAL = "local"

BATCHES_AHEAD = 2
"""So many batches per worker are handed over before the first of them is done: none waits, few are on their way."""


class WorkersError(Exception):
    """There are no workers, or they died.  The message tells the user what to do."""

    @classmethod
    def explained(cls, error: Exception) -> Exception:
        """A WorkersError for workers that died; other errors as they are."""
        dead = isinstance(error, BrokenProcessPool) or type(error).__name__ in ("KilledWorker", "CancelledError")
        if not dead:
            return error
        return cls(
            "a worker process died (was there too little memory?). The corpus is as it was, and what was cleaned is "
            "kept: run again, with fewer --workers if memory was short"
        )


class WorkerProcesses(ThreadPoolTaskRunner[Any]):
    """Runs tasks in threads, and has a pool of worker processes, to which they give their work.

    Prefect's own runner with processes runs tasks as a whole in them: each loads Prefect (2 s), and a task costs 80 ms
    of CPU instead of 15. A worker of ours gets a function and a batch, and knows nothing of Prefect.
    """

    def __init__(self, workers: int) -> None:
        super().__init__(max_workers=workers * BATCHES_AHEAD)
        self.workers = workers
        self.pool: fork_server.Pool | None = None

    def duplicate(self) -> WorkerProcesses:
        return type(self)(self.workers)

    def __enter__(self) -> WorkerProcesses:
        super().__enter__()
        self.pool = fork_server.Pool(self.workers)
        return self

    def __exit__(self, *error: Any) -> None:
        if self.pool is not None:
            self.pool.shutdown(cancel_futures=True)
            self.pool = None
        super().__exit__(*error)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, WorkerProcesses) and self.workers == other.workers

    __hash__ = None  # type: ignore[assignment]


def worker_pool() -> fork_server.Pool | None:
    """The worker processes of the flow that runs; None when it has none of this machine, or none at all."""
    context = FlowRunContext.get()
    runner = context.task_runner if context else None
    return runner.pool if isinstance(runner, WorkerProcesses) else None


def by_worker(function: Callable[P, R], *args: P.args, **named: P.kwargs) -> R:
    """What the function returns: of a worker process when the flow has some, else of this one.  Raises WorkersError
    when it dies."""
    pool = worker_pool()
    if pool is None:
        return function(*args, **named)
    try:
        return pool.submit(function, *args, **named).result()
    except BrokenProcessPool as error:
        raise WorkersError.explained(error) from error


def apart(function: Callable[P, R], *args: P.args, **named: P.kwargs) -> R:
    """The same, but of a process of its own when the flow has no worker processes: for what takes memory beside all
    that this one has."""
    if worker_pool() is not None:
        return by_worker(function, *args, **named)
    with fork_server.without_main():
        pool = fork_server.Pool(1)
    try:
        return pool.submit(function, *args, **named).result()
    except BrokenProcessPool as error:
        raise WorkersError.explained(error) from error
    except BaseException:  # Ctrl-C: nobody waits for it any more
        end_workers()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def each_by_worker(function: Callable[[T], R], todo: Iterable[T]) -> Iterator[R]:
    """What the function returns for each of these, in their order.  Raises WorkersError when a worker dies."""
    pool = worker_pool()
    if pool is None:
        yield from map(function, todo)
        return
    waiting: deque[Future[R]] = deque()
    try:
        for one in todo:
            waiting.append(pool.submit(function, one))
            if len(waiting) >= BATCHES_AHEAD * pool.workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except BrokenProcessPool as error:
        raise WorkersError.explained(error) from error


def task_runner(workers: int, dask: str | None = None) -> TaskRunner[Any] | None:
    """The task runner for so many worker processes; None when this process does the work.

    dask   address of a scheduler (tcp://…), or `local` for a cluster that lives as long as the run
    Raises WorkersError when Dask is asked for but not installed.
    """
    if dask is not None:
        return _dask(workers, dask)
    return WorkerProcesses(workers) if workers > 1 else None


def _dask(workers: int, address: str) -> TaskRunner[Any]:
    if address == LOCAL:
        # on a machine with much else to do, a worker of a cluster that ends complains, with a traceback, that it cannot
        # reach the others any more; what matters is the run's own error
        os.environ.setdefault("DASK_LOGGING__DISTRIBUTED", "critical")
    try:
        from prefect_dask.task_runners import DaskTaskRunner
    except ImportError as error:
        raise WorkersError("Dask is not installed: pip install 'jingwen[dask]'") from error
    options: dict[str, Any] = {"address": address}
    if address == LOCAL:  # one thread per worker, for cleaning is Python
        # its scheduler serves HTTP whether it shows a dashboard or not: on any port, else a second cluster complains
        quiet = {"dashboard_address": "127.0.0.1:0", "scheduler_kwargs": {"dashboard": False}}
        options = {"cluster_kwargs": {"n_workers": workers, "threads_per_worker": 1, **quiet}}
    runner: TaskRunner[Any] = DaskTaskRunner(**options)
    return runner


def end_workers() -> None:
    """Ends this process's worker processes in the midst of what they do; what they staged stays for the next run."""
    for process in multiprocessing.active_children():
        process.terminate()
