"""Prefect's settings for this project, and the wait for its temporary server.  Import before `prefect`.

Why each setting: docs/decisions/0002-prefect-pins-and-settings.md.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient

# A user's own environment wins over every one of these.
DEFAULTS = {
    # without a network, every start of a server prints an error line of its telemetry
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    # the first start writes the database's tables: more than the default of 20 s on a slow machine
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
    # one by one, task runs are still being written when the temporary server is told to stop
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "50",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_READ_BATCH_SIZE": "50",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_FLUSH_INTERVAL": "0.2",
    # the command line reports by itself, errors too: the log goes to the server, and to the terminal if asked for
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
    "PREFECT_SERVER_LOGGING_LEVEL": "ERROR",
}
LONGEST_WAIT_SECONDS = 30.0
SHORT_WAIT_SECONDS = 0.5


def prepare() -> None:
    """Sets what the user has not set."""
    for name, value in DEFAULTS.items():
        os.environ.setdefault(name, value)


class ServerError(Exception):
    """The configured Prefect server cannot be used.  The message tells the user what to do."""


def check_server() -> None:
    """Raises ServerError when a server is configured and does not answer."""
    from prefect.client.orchestration import get_client
    from prefect.settings import PREFECT_API_URL

    url = PREFECT_API_URL.value()
    if not url:
        return
    with get_client(sync_client=True) as client:
        problem = client.api_healthcheck()
    if problem is not None:
        raise ServerError(
            f"the Prefect server at {url} does not answer ({problem}): start it, or unset PREFECT_API_URL to run "
            "with a temporary one"
        )


def wait_until_recorded(flow_run_id: str | None, task_runs: int) -> bool:
    """Waits, for a bounded time, until the temporary server has written the flow's task runs: it is a child of
    this process and is stopped at exit, which would lose those still on their way, with tracebacks.

    flow_run_id   None: the flow failed, and nobody knows how many there are
    task_runs     as many must be recorded
    Returns False if some are missing when the time is over; True at once when a server is configured, because
    that one goes on running.
    """
    from prefect.client.orchestration import get_client
    from prefect.events.worker import EventsWorker
    from prefect.settings import PREFECT_API_URL

    if PREFECT_API_URL.value():
        return True
    EventsWorker.drain_all(timeout=10)
    if flow_run_id is None:
        time.sleep(SHORT_WAIT_SECONDS)
        return False
    deadline = time.monotonic() + LONGEST_WAIT_SECONDS
    with get_client(sync_client=True) as client:
        while time.monotonic() < deadline:
            if _recorded(client, flow_run_id) >= task_runs:
                return True
            time.sleep(0.05)
    return False


def _recorded(client: SyncPrefectClient, flow_run_id: str) -> int:
    """Number of the flow run's task runs that are in a final state."""
    final = {"state": {"type": {"any_": ["COMPLETED", "FAILED", "CRASHED", "CANCELLED"]}}}
    wanted = {"flow_runs": {"id": {"any_": [flow_run_id]}}, "task_runs": final}
    answer = client.request("POST", "/task_runs/count", json=wanted)
    answer.raise_for_status()
    return int(answer.json())
