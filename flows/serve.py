"""`jingwen serve`: keeps a corpus up to date with a folder of seeds.

    watch.Watcher        what changed (a thread)
    deployment.Runs      the deployment and its runs, on Prefect's server
    own_server.OwnServer Prefect's server, if none is configured (a child process)
    warm.Warm            executes one run at a time (a child process, and a copy of it for each run)
    Serving              decides when a run starts, and what happens when it ends

Nothing but Serving's loop starts runs, one after the other. A run reads the folder itself, so that it does not matter
how many events there were: docs/decisions/0033-serving.md.
"""

from __future__ import annotations

import fcntl
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from contextvars import copy_context
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from prefect.client.schemas.objects import FlowRun, StateType
from prefect.settings import (
    PREFECT_API_URL,
    PREFECT_CLIENT_MAX_RETRIES,
    PREFECT_HOME,
    temporary_settings,
)

from corpus.seeds import SeedsError
from corpus.store import StoreError

from . import watch
from .deployment import API_ERRORS, Runs, Served
from .notify import Hook, end_commands
from .own_server import OwnServer, answers
from .server import ServerError, check_home
from .warm import Ended, Warm

EXPECTED_ERRORS = (SeedsError, StoreError, ServerError)
"""What can go wrong at the start; the message says what to do."""

POLL_SECONDS = 2.0  # between two questions to the server
TICK_SECONDS = 0.1  # between two looks at files that are being written
PATIENCE_SECONDS = 5.0  # with a server that does not answer, before it is said
STOP_SECONDS = 3.0  # for telling the server that a run was stopped
STILL_FAILING_SECONDS = 3600.0  # the same failure is told again after so long
SCAN_SHARE = 20  # a full scan may take this part of the time: scans are at least so many times their duration apart


@dataclass(frozen=True)
class Options:
    """How it is served.

    scan_seconds     between two full scans
    poll_seconds     None: the system tells what changed; otherwise the folder is looked through so often
    gather_seconds   a run waits so long at most while further seeds arrive
    retries          of a run that failed
    retry_seconds    before the first retry; each further one waits twice as long
    port             of Prefect's own server; 0: a free one
    hook             who is told of failures
    """

    scan_seconds: float = 60.0
    poll_seconds: float | None = None
    gather_seconds: float = 5.0
    retries: int = 4
    retry_seconds: float = 5.0
    port: int = 4200
    hook: Hook = field(default_factory=Hook)


def serve(served: Served, options: Options) -> None:
    """Serves until SIGTERM (returns) or SIGINT (raises KeyboardInterrupt).

    Raises SeedsError, StoreError and ServerError when it cannot begin.
    """
    if not served.seeds.is_dir():
        raise SeedsError(f"cannot read the seeds folder {served.seeds}: make it, or check its name")
    stop = Stop()
    with stop, ExitStack() as stack:
        stack.enter_context(only_one(served.output))
        url, own = PREFECT_API_URL.value() or "", None
        if url:
            if not answers(url):
                raise ServerError(
                    f"the Prefect server at {url} does not answer: start it, or unset PREFECT_API_URL to have "
                    "one started"
                )
        else:
            check_home()
            own = OwnServer(options.port, Path(PREFECT_HOME.value()), say)
            stack.callback(own.stop)
            url = own.url
        serving = Serving(served, options, url, stop)
        stack.callback(serving.close)
        if own is not None:
            own.start(lambda: stop.requested)
        # what the server does not answer at once is asked again by the loop
        stack.enter_context(temporary_settings({PREFECT_API_URL: url, PREFECT_CLIENT_MAX_RETRIES: 0}))
        if not stop.requested:
            say(f"Prefect: {url.removesuffix('/api')}")
            serving.loop()
    if stop.signal == signal.SIGINT:
        raise KeyboardInterrupt
    say("Stopped. The corpus is as the last run left it.")


class Serving:
    """The loop.  `dirty`: the corpus may not have what is in the folder.  To be closed."""

    def __init__(self, served: Served, options: Options, url: str, stop: Stop) -> None:
        self._served, self._options, self._stop = served, options, stop
        self._runs = Runs(served)
        self._ended: queue.SimpleQueue[Ended] = queue.SimpleQueue()
        environment = {name: value for name, value in os.environ.items() if name != "PREFECT_API_URL"}
        self._warm = Warm(environment | {"PREFECT_API_URL": url}, self._on_ended, sys.stderr.fileno())
        self._warm.start()  # it has much to load; meanwhile the server starts
        self._watcher = watch.Watcher(served.seeds, served.output, stop.wake, options.poll_seconds)
        self._covered: str | None = None  # digest of the listing that the corpus has for certain
        self._before: str | None = None  # the same, of the run that goes on
        self._left = False  # the last run left files for the next one: they were being written
        self._dirty, self._reason = True, "start"
        self._run: FlowRun | None = None
        self._over: Ended | None = None
        self._waits_until = 0.0  # no run before: the last one failed, and is tried again then
        self._next_poll = self._next_scan = 0.0
        self._registered = False
        self._recovered = False  # runs that a killed process left behind have been seen to
        self._tried: UUID | None = None  # the run that failed last, and how often it has been tried here
        self._tries = 0
        self._failing = ""
        self._told = 0.0
        self._silent_since, self._said_silent = 0.0, False
        self._notes: list[threading.Thread] = []

    def loop(self) -> None:
        """Until it is told to stop."""
        self._watcher.start()
        while not self._stop.requested:
            self._step()
            self._stop.wait(self._pause())

    def close(self) -> None:
        """Stops everything; a run that goes on is ended, and the corpus is as it was."""
        self._watcher.stop()
        self._warm.stop()
        self._runs.close()
        run = self._run
        if run is not None:
            # in a thread: a server that does not answer must not hold up the stop
            note = "jingwen serve was stopped while it ran; the corpus is as it was"
            here = copy_context()  # the settings
            telling = threading.Thread(target=here.run, args=(_quietly, self._runs.cancel, run, note), daemon=True)
            telling.start()
            telling.join(STOP_SECONDS)
        deadline = time.monotonic() + STOP_SECONDS
        for one in self._notes:
            one.join(max(0.0, deadline - time.monotonic()))
        end_commands()

    def _step(self) -> None:
        try:
            self._recover()
            self._settle()
            if not self._warm.is_alive():
                self._warm.start()
            if self._run is not None:
                self._look_after_run()
            else:
                self._look_for_work()
            self._heard()
        except API_ERRORS as error:
            self._not_heard(error)

    def _pause(self) -> float:
        now = time.monotonic()
        if self._silent_since:
            return 1.0 if self._said_silent else 0.3
        if self._run is None and self._watcher.pending():
            return TICK_SECONDS
        return max(0.0, min(self._next_poll, self._next_scan) - now)

    # what to do

    def _recover(self) -> None:
        """Once: what a killed process left behind is done again."""
        if self._recovered:
            return
        if not self._registered:
            self._runs.register()
        if self._run is None:
            for run in self._runs.left_behind():
                self._runs.try_again(run, 0, "the process that ran it was killed")
            if not self._runs.unfinished():
                self._runs.free_slot()
        self._recovered = True
        if self._registered:
            return
        self._registered = True
        say(f"Watching {self._served.seeds} for {self._served.output}, deployment build-corpus/{self._served.name}")

    def _look_for_work(self) -> None:
        now = time.monotonic()
        options, quiet = self._options, self._served.quiet_seconds
        if now >= self._next_scan:
            self._full_scan()
        if self._watcher.ready(quiet, options.gather_seconds):
            self._dirty, self._reason = True, "arrival"
        if now >= self._next_poll:
            self._next_poll = now + POLL_SECONDS
            due = self._runs.due()
            if due:
                self._start(due[0])
                return
        if self._dirty and now >= self._waits_until:
            self._start(self._runs.create(self._reason))

    def _full_scan(self) -> None:
        """Looks for what no event told."""
        start = time.monotonic()
        pending = self._watcher.pending()
        found = self._listing()
        taken = time.monotonic() - start
        self._next_scan = start + max(self._options.scan_seconds, SCAN_SHARE * taken)
        # a folder that cannot be read is the run's to report
        if found is None or found.digest != self._covered or (self._left and not pending):
            self._dirty, self._reason = True, self._reason if self._dirty else "scan"

    def _listing(self) -> watch.Listing | None:
        """What is in the folder; files that change right now are the watcher's."""
        stopped, pending = lambda: self._stop.requested, self._watcher.pending()
        return watch.listing(self._served.seeds, self._served.output, stopped, pending)

    def _start(self, run: FlowRun) -> None:
        if not self._runs.begin(run):
            say(f"Run {run.name} is cancelled: another run of this deployment goes on.")
            self._recovered = False  # perhaps by one that this process began, but whose answer was lost
            self._waits_until = time.monotonic() + self._options.retry_seconds
            return
        self._watcher.take(self._served.quiet_seconds)
        self._dirty = False
        found = self._listing()
        self._before = found.digest if found else None
        self._run = run
        try:
            self._warm.run(str(run.id))
        except OSError:
            self._over = Ended(str(run.id), None, -1)

    def _look_after_run(self) -> None:
        """While a run goes on: due runs are offered to the server, which cancels them; someone may cancel the run."""
        assert self._run is not None
        now = time.monotonic()
        if now < self._next_poll or self._over is not None:
            return
        self._next_poll = now + POLL_SECONDS
        for one in self._runs.due():
            if one.id != self._run.id and not self._runs.begin(one):
                self._dirty, self._reason = True, "again"
        if self._runs.read(self._run.id).state_type in (StateType.CANCELLING, StateType.CANCELLED):
            self._warm.kill_run()

    # what became of it

    def _on_ended(self, ended: Ended) -> None:
        self._ended.put(ended)
        self._stop.wake()

    def _settle(self) -> None:
        """Once a run is over: writes down how it went, and what follows."""
        with suppress(queue.Empty):
            self._over = self._ended.get_nowait()
        if self._over is None or self._run is None:
            return
        run, outcome = self._run, self._over.outcome
        if outcome is not None and "error" not in outcome:
            self._succeeded(outcome)
        else:
            known = self._runs.read(run.id)
            if known.state_type in (StateType.CANCELLING, StateType.CANCELLED):
                self._runs.cancel(known, "cancelled by hand; the corpus is as it was")
                say(f"Run {known.name} was cancelled. The corpus is as it was.")
                self._covered = self._before  # it is not wanted: not before something else changes
            else:
                self._failed(known, _reason(self._over))
        self._run = self._over = None
        self._next_poll = 0.0

    def _succeeded(self, outcome: dict[str, Any]) -> None:
        self._covered, self._left = self._before, bool(outcome["waiting"])
        if outcome["committed"] or outcome["waiting"]:
            say(" ".join(outcome["lines"]))
        if outcome["committed"] and outcome["warning"]:
            self._tell("warning", outcome["warning"])
        if self._failing:
            say("Runs succeed again.")
            self._tell("recovered", "Runs succeed again.")
        self._failing, self._waits_until = "", 0.0

    def _failed(self, run: FlowRun, reason: str) -> None:
        self._dirty, self._reason = True, "again"
        options = self._options
        # Prefect counts from the state Running on; a run may die before
        self._tries = self._tries + 1 if self._tried == run.id else 1
        self._tried, tries = run.id, max(self._tries, run.run_count)
        if tries <= options.retries:
            seconds = options.retry_seconds * 2 ** (tries - 1)
            self._runs.try_again(run, seconds, reason)
            say(f"Run {run.name} failed ({reason}): tried again in {seconds:.0f} s.")
        else:
            seconds = options.retry_seconds * 2**options.retries
            if run.state_type != StateType.FAILED:
                self._runs.fail(run, reason)
            say(f"Run {run.name} failed {tries} times ({reason}). The corpus is as it was.")
            now = time.monotonic()
            if reason != self._failing or now - self._told > STILL_FAILING_SECONDS:
                self._told = now
                self._tell("failed", f"failed {tries} times: {reason}", run)
            self._failing = reason
        # one more second: the run that waits for its retry is to be the next one
        self._waits_until = time.monotonic() + seconds + POLL_SECONDS + 1

    def _tell(self, event: str, message: str, run: FlowRun | None = None) -> None:
        """Sends a note, in a thread."""
        hook = self._options.hook
        if not (hook.webhook or hook.command):
            return
        note = {
            "event": event,
            "message": f"{self._served.output}: {message}",
            "corpus": str(self._served.output),
            "deployment": f"build-corpus/{self._served.name}",
            "time": datetime.now().astimezone().isoformat(timespec="seconds"),
        }
        if run is not None:
            base = PREFECT_API_URL.value().removesuffix("/api")
            note |= {"run": run.name, "url": f"{base}/runs/flow-run/{run.id}"}

        def send() -> None:
            problem = hook.send(note)
            if problem:
                say(f"The note about this did not arrive: {problem}")

        self._notes = [one for one in self._notes if one.is_alive()]
        self._notes.append(threading.Thread(target=send, name="note", daemon=True))
        self._notes[-1].start()

    def _heard(self) -> None:
        if self._said_silent:
            say("The Prefect server answers again.")
        self._silent_since, self._said_silent = 0.0, False

    def _not_heard(self, error: BaseException) -> None:
        now = time.monotonic()
        self._silent_since = self._silent_since or now
        # a moment is nothing: a server that is busy, or that is being started again
        if not self._said_silent and now - self._silent_since > PATIENCE_SECONDS:
            self._said_silent = True
            say(f"The Prefect server does not answer ({error or type(error).__name__}): waiting for it.")


class Stop:
    """Signals, and what wakes the loop."""

    def __init__(self) -> None:
        self.signal = 0
        self._event = threading.Event()
        self._old: dict[int, Any] = {}

    @property
    def requested(self) -> bool:
        return self.signal != 0

    def wake(self) -> None:
        self._event.set()

    def wait(self, seconds: float) -> None:
        self._event.wait(seconds)
        self._event.clear()

    def __enter__(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            self._old[number] = signal.signal(number, self._caught)

    def __exit__(self, *_: object) -> None:
        for number, old in self._old.items():
            signal.signal(number, old)

    def _caught(self, number: int, _: object) -> None:
        self.signal = number
        self._event.set()


@contextmanager
def only_one(output: Path) -> Iterator[None]:
    """No other process serves this corpus meanwhile.  Raises StoreError when one does."""
    file = output / "corpus" / ".serve"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise StoreError(f"cannot write to {output} ({error.strerror}): choose another --output") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise StoreError(f"another process serves {output} already") from error
    try:
        yield
    finally:
        os.close(descriptor)


def _reason(ended: Ended) -> str:
    if ended.outcome is not None:
        return str(ended.outcome["error"])
    if ended.code < 0:
        with suppress(ValueError):
            return f"its process was ended by {signal.Signals(-ended.code).name}"
    return f"its process ended with exit code {ended.code}"


def _quietly(call: Any, *arguments: Any) -> None:
    with suppress(*API_ERRORS):
        call(*arguments)


def say(line: str) -> None:
    """One line for people and for logs."""
    with suppress(OSError):
        print(f"{datetime.now():%Y-%m-%d %H:%M:%S}  {line}", flush=True)
