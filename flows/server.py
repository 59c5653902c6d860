"""The Prefect server that a run reports to: the configured one, or Prefect's own, run by this process.

Without a configured server, Prefect starts one as a child process, which imports everything a second time. Here it
runs in a thread of this process instead: the same application, the same database in PREFECT_HOME, half the time
(docs/decisions/0005-a-server-in-a-thread.md).
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import httpx
import prefect.context
import uvicorn
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.events.worker import EventsWorker
from prefect.logging.handlers import APILogWorker
from prefect.settings import (
    PREFECT_API_BLOCKS_REGISTER_ON_START,
    PREFECT_API_DATABASE_CONNECTION_URL,
    PREFECT_API_URL,
    PREFECT_CLIENT_CSRF_SUPPORT_ENABLED,
    PREFECT_CLIENT_SERVER_VERSION_CHECK_ENABLED,
    PREFECT_FLOWS_HEARTBEAT_FREQUENCY,
    PREFECT_HOME,
    PREFECT_MEMOIZE_BLOCK_AUTO_REGISTRATION,
    temporary_settings,
)

LONGEST_START_SECONDS = 120.0  # the first start writes the tables of the database
LONGEST_STOP_SECONDS = 15.0
LONGEST_WAIT_SECONDS = 30.0
SHORT_WAIT_SECONDS = 0.5
DRAIN_SECONDS = 10.0


class ServerError(Exception):
    """The Prefect server cannot be used.  The message tells the user what to do."""


class Server:
    """The server of a run. `is_local`: it is this process's own, and stops with it."""

    def __init__(self, is_local: bool) -> None:
        self.is_local = is_local
        self._recorded = False

    def wait_until_recorded(self, flow_run_id: str, task_runs: int) -> bool:
        """Waits, for a bounded time, until a local server has written the flow's task runs: their events are on
        their way for a moment, and those that a stopping server has not written are lost, with tracebacks.

        Returns False if some are missing when the time is over.
        """
        if not self.is_local:
            return True
        EventsWorker.drain_all(timeout=10)
        deadline = time.monotonic() + LONGEST_WAIT_SECONDS
        with get_client(sync_client=True) as client:
            while time.monotonic() < deadline:
                if _recorded(client, flow_run_id) >= task_runs:
                    self._recorded = True
                    return True
                time.sleep(0.02)
        return False

    def wait_after_failure(self) -> None:
        """The same when the flow failed, and nobody knows how many task runs there are."""
        if self.is_local and not self._recorded:
            EventsWorker.drain_all(timeout=10)
            time.sleep(SHORT_WAIT_SECONDS)


_undelivered = False


def drain() -> bool:
    """Sends what Prefect's threads still have for the server: events of task runs, log lines. They try for minutes if
    it is away, so this is given up after DRAIN_SECONDS.

    Returns whether all was sent. If not, they would go on at the interpreter's end: leave by `os._exit`.
    """
    global _undelivered
    for worker in (EventsWorker, APILogWorker):
        answer: Any = worker.drain_all(timeout=DRAIN_SECONDS)
        if answer and answer[1]:
            _undelivered = True
    return not _undelivered


def undelivered() -> bool:
    """Whether a `drain` did not come to its end."""
    return _undelivered


def load() -> None:
    """Imports Prefect's server, if a run will need a local one."""
    if not PREFECT_API_URL.value():
        import prefect.server.api.server  # noqa: F401


@contextmanager
def running() -> Iterator[Server]:
    """Within it, flows find a server.  Raises ServerError when the configured one does not answer, or Prefect's
    own does not start."""
    if PREFECT_API_URL.value():
        url = PREFECT_API_URL.value()
        _check_configured(url)
        try:
            yield Server(is_local=False)
        except httpx.HTTPError as error:
            raise ServerError(
                f"the Prefect server at {url} went away during the run ({error or type(error).__name__}). The corpus "
                "is whole, with or without the version that this run makes: once the server is back, run again"
            ) from error
        finally:
            drain()
        return
    check_home()
    local = _LocalServer()
    settings = {
        PREFECT_API_URL: local.url,
        # a heartbeat tells a server that outlives the run that it crashed; joining its thread costs a second
        PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None,
        # the tokens guard browsers; nobody else knows this server, which would be asked for one by every client
        PREFECT_CLIENT_CSRF_SUPPORT_ENABLED: False,
        PREFECT_CLIENT_SERVER_VERSION_CHECK_ENABLED: False,  # it is this very one
        # no run of ours uses blocks; to look for new ones, all of Prefect's extras are imported: Dask's takes 0.3 s
        PREFECT_API_BLOCKS_REGISTER_ON_START: False,
        PREFECT_MEMOIZE_BLOCK_AUTO_REGISTRATION: False,
    }
    with temporary_settings(settings), _for_all_threads(), local:
        server = Server(is_local=True)
        try:
            yield server
        finally:
            server.wait_after_failure()


@contextmanager
def _for_all_threads() -> Iterator[None]:
    """The settings of this context are those of threads that have no context of their own, too: the one that forwards
    the log of worker processes would start another server for it."""
    before = prefect.context.GLOBAL_SETTINGS_CONTEXT
    prefect.context.GLOBAL_SETTINGS_CONTEXT = prefect.context.get_settings_context()
    try:
        yield
    finally:
        prefect.context.GLOBAL_SETTINGS_CONTEXT = before


class _LocalServer:
    """Prefect's own server application in a thread, on a free port of the loopback interface."""

    def __init__(self) -> None:
        # bound here and handed over, so that nobody can take the port in between
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/api"
        self._uvicorn: uvicorn.Server | None = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._serve, name="prefect-server", daemon=True)

    def __enter__(self) -> None:
        self._thread.start()
        deadline = time.monotonic() + LONGEST_START_SECONDS
        while not (self._uvicorn and self._uvicorn.started):
            if not self._thread.is_alive() or time.monotonic() > deadline:
                reason = self._error or "it did not start in time"
                raise ServerError(
                    f"Prefect's local server does not start ({reason}): look at the database in PREFECT_HOME "
                    "(~/.prefect), or set PREFECT_API_URL to a server that runs"
                )
            time.sleep(0.01)

    def __exit__(self, *_: object) -> None:
        if self._uvicorn:
            self._uvicorn.should_exit = True
        self._thread.join(LONGEST_STOP_SECONDS)
        self._socket.close()

    def _serve(self) -> None:
        try:
            from prefect.server.api.server import create_app

            config = uvicorn.Config(create_app(ephemeral=True, final=True), log_level="error", lifespan="on")
            self._uvicorn = uvicorn.Server(config)
            self._uvicorn.run(sockets=[self._socket])
        except (Exception, SystemExit) as error:  # noqa: BLE001  whatever it is, __enter__ reports it
            self._error = error


def check_home() -> None:
    """Raises ServerError when a server of ours could not keep its database: it would only say so in a traceback."""
    home = PREFECT_HOME.value()
    if str(home) not in (PREFECT_API_DATABASE_CONNECTION_URL.value() or ""):
        return
    with suppress(OSError):
        home.mkdir(parents=True, exist_ok=True)
    if not os.access(home, os.W_OK | os.X_OK):
        raise ServerError(
            f"Prefect cannot write to {home}: set PREFECT_HOME to a folder that can be written to, "
            "or PREFECT_API_URL to a server that runs"
        )


def _check_configured(url: str) -> None:
    with get_client(sync_client=True) as client:
        problem = client.api_healthcheck()
    if problem is not None:
        raise ServerError(
            f"the Prefect server at {url} does not answer ({problem}): start it, or unset PREFECT_API_URL to run "
            "with a local one"
        )


def _recorded(client: SyncPrefectClient, flow_run_id: str) -> int:
    """Number of the flow run's task runs that are in a final state."""
    final = {"state": {"type": {"any_": ["COMPLETED", "FAILED", "CRASHED", "CANCELLED"]}}}
    wanted = {"flow_runs": {"id": {"any_": [flow_run_id]}}, "task_runs": final}
    answer = client.request("POST", "/task_runs/count", json=wanted)
    answer.raise_for_status()
    return int(answer.json())
