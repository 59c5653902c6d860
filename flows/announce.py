"""`jingwen watch`: tells a Prefect server that seeds have arrived; who runs what then is the server's business."""

from __future__ import annotations

import signal
from pathlib import Path

from prefect.events.worker import EventsWorker
from prefect.settings import PREFECT_API_URL

from corpus.seeds import SeedsError

from . import watch
from .deployment import announce
from .own_server import answers
from .serve import TICK_SECONDS, Stop, say
from .server import ServerError

EXPECTED_ERRORS = (SeedsError, ServerError)
IDLE_SECONDS = 60.0


def watch_and_announce(
    seeds: Path, name: str, quiet_seconds: float, gather_seconds: float, poll_seconds: float | None
) -> None:
    """Emits `seeds.arrived` at the start, and each time that files changed and are finished; until SIGTERM, or
    SIGINT (KeyboardInterrupt).

    Raises SeedsError without a folder, ServerError without a configured server.
    """
    if not seeds.is_dir():
        raise SeedsError(f"cannot read the seeds folder {seeds}: make it, or check its name")
    url = PREFECT_API_URL.value()
    if not url or not answers(url):
        raise ServerError(
            f"no Prefect server answers at {url or 'PREFECT_API_URL, which is not set'}: start one, set it"
        )
    stop = Stop()
    watcher = watch.Watcher(seeds, seeds / ".none", stop.wake, poll_seconds)
    with stop:
        watcher.start()
        announce(name, {"folder": str(seeds), "changes": 0, "reason": "start"})
        say(f"Watching {seeds}: the event seeds.arrived is about {name}")
        while not stop.requested:
            if watcher.ready(quiet_seconds, gather_seconds):
                changes = watcher.take(quiet_seconds)
                announce(name, {"folder": str(seeds), "changes": changes, "reason": "arrival"})
                say(f"{changes} changes announced")
            stop.wait(TICK_SECONDS if watcher.pending() else IDLE_SECONDS)
        watcher.stop()
        EventsWorker.drain_all(timeout=5)
    if stop.signal == signal.SIGINT:
        raise KeyboardInterrupt
