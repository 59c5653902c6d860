"""Prefect's settings for this project.  Import before `prefect`.

Why each setting: docs/decisions/0002-prefect-pins-and-settings.md.
"""

from __future__ import annotations

import os

# A user's own environment wins over every one of these.
DEFAULTS = {
    # without a network, every start of a server prints an error line of its telemetry
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    # the command line reports by itself, errors too: the log goes to the server, and to the terminal if asked for
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
    "PREFECT_SERVER_LOGGING_LEVEL": "ERROR",
    # while a server is away, each event that does not get there would be printed as a whole
    "PREFECT_LOGGING_INTERNAL_LEVEL": "CRITICAL",
    # a server of ours writes task runs down together, not in a transaction each: a third of its CPU time
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "50",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_FLUSH_INTERVAL": "1",
}


def prepare() -> None:
    """Sets what the user has not set."""
    for name, value in DEFAULTS.items():
        os.environ.setdefault(name, value)
