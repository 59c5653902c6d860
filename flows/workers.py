"""Worker processes: Prefect's own task runners, on this machine or on a Dask cluster.

Why Dask, and how to run it on many machines: docs/decisions/0040-worker-processes.md.
"""

from __future__ import annotations

import multiprocessing
import signal
import sys
from collections.abc import Iterator
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any

from prefect.task_runners import ProcessPoolTaskRunner, TaskRunner

from .loading import load_worker

LOCAL = "local"

NO_LEAK_WARNING = "ignore:resource_tracker:UserWarning"
"""After Ctrl-C, Python's resource tracker removes the pool's semaphores, as it should, but complains about it."""


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


def task_runner(workers: int, dask: str | None = None) -> TaskRunner[Any] | None:
    """The task runner for so many worker processes; None when this process does the work.

    dask   address of a scheduler (tcp://…), or `local` for a cluster that lives as long as the run
    Raises WorkersError when Dask is asked for but not installed.
    """
    if dask is not None:
        return _dask(workers, dask)
    if workers == 1:
        return None
    if NO_LEAK_WARNING not in sys.warnoptions:  # which child processes inherit
        sys.warnoptions.append(NO_LEAK_WARNING)
    return ProcessPoolTaskRunner(max_workers=workers, initializer=load_worker)


def _dask(workers: int, address: str) -> TaskRunner[Any]:
    try:
        from prefect_dask.task_runners import DaskTaskRunner
    except ImportError as error:
        raise WorkersError("Dask is not installed: pip install 'jingwen[dask]'") from error
    options: dict[str, Any] = {"address": address}
    if address == LOCAL:  # one thread per worker, for cleaning is Python
        cluster = {"n_workers": workers, "threads_per_worker": 1, "dashboard_address": None}
        options = {"cluster_kwargs": cluster}
    runner: TaskRunner[Any] = DaskTaskRunner(**options)
    return runner


@contextmanager
def workers_uninterrupted() -> Iterator[None]:
    """Worker processes that are started within it get no SIGINT: a terminal sends Ctrl-C to all processes of a
    command, and workers that stumble over it leave the pool waiting for them. The run ends them itself.

    A thread inherits what is blocked, and so does the process that it starts.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def end_workers() -> None:
    """Ends this process's worker processes in the midst of what they do; what they staged stays for the next run."""
    for process in multiprocessing.active_children():
        process.terminate()
