"""The process that worker processes are copies of: it has loaded what they need, and nothing else runs in it.

So a worker starts in hundredths of a second, and what all of them have in memory is there once. Without Prefect, which
takes longer to load than all the rest: workers clean, and the run's own process tells Prefect of it.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import forkserver, resource_tracker
from multiprocessing.connection import wait
from types import ModuleType

NO_LEAK_WARNING = "ignore:resource_tracker:UserWarning"
"""After Ctrl-C, Python's resource tracker removes the pool's semaphores, as it should, but complains about it."""


def start() -> None:
    """Starts it, if it does not run: the sooner before the workers are needed, the more it has loaded."""
    if NO_LEAK_WARNING not in sys.warnoptions:  # which child processes inherit
        sys.warnoptions.append(NO_LEAK_WARNING)
    multiprocessing.set_forkserver_preload([f"{__package__}.worker"])
    resource_tracker.ensure_running()  # it ends with SIGINT unblocked
    with _uninterrupted():
        forkserver.ensure_running()


class Pool(ProcessPoolExecutor):
    """So many worker processes.

    Ctrl-C reaches none of them: a terminal sends it to all processes of a command, and workers that stumble over it
    leave the pool waiting for them. The run ends them itself; and they end when the run is gone.
    """

    def __init__(self, workers: int) -> None:
        start()
        super().__init__(workers, multiprocessing.get_context("forkserver"), _begin)
        self.workers = workers
        for _ in range(workers):  # they start while this process does something else
            self.submit(os.getpid)


@contextmanager
def without_main() -> Iterator[None]:
    """Processes that are started within it do not import the program that runs: a user's script may have no
    `if __name__ == "__main__"`, and would run in them once more."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def _begin() -> None:
    """In a worker that starts."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Processes that are started within it get no SIGINT."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
