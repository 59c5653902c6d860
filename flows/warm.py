"""A warm process: everything is imported and loaded, and each run gets a copy of it (`fork`).

So a run starts in milliseconds instead of seconds, and what it leaves in memory goes with it: a server of months does
not grow. `python -m flows.warm` is that process; `Warm` is its parent's side.

One line of JSON each. The parent says {"run": id}; the copy says {"done": …}; and when it has ended, the warm process
says {"ended": id, "pid": …, "code": …}. When the parent is gone, the copy is ended, and so is the warm process.
"""

from __future__ import annotations

import json
import logging
import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from typing import Any, NamedTuple, NoReturn

LONGEST_TEXT = 400  # bytes of a text in a reply: lines of up to 4096 are not torn apart by others
LOADED_LATE = (
    "anyio._backends._asyncio",
    "encodings.idna",
    "prefect.concurrency._sync",
    "prefect.task_engine",
    "prefect.utilities.visualization",
    "pyarrow.dataset",
)
"""Modules that libraries import when they are first used: half of the time of a small run."""


class Ended(NamedTuple):
    """A run that is over.

    flow_run_id   of Prefect
    outcome       what the run said of itself; None when it ended without a word
    code          exit code of its process; negative: the signal that ended it
    """

    flow_run_id: str
    outcome: dict[str, Any] | None
    code: int


class Warm:
    """The parent's side: one run at a time.

    environment   of the warm process; with PREFECT_API_URL
    on_ended      called, in a thread, when a run is over
    log           a file descriptor for what it prints
    """

    def __init__(self, environment: dict[str, str], on_ended: Callable[[Ended], None], log: int) -> None:
        self._environment = environment
        self._on_ended = on_ended
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._run: str | None = None
        self._outcome: dict[str, Any] | None = None
        self._copy = 0  # process of the run
        self._stopping = False

    @property
    def pid(self) -> int:
        return self._process.pid if self._process else 0

    def start(self) -> None:
        self._stopping = False
        self._process = subprocess.Popen(
            [sys.executable, "-m", "flows.warm"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env=self._environment,
            start_new_session=True,  # Ctrl-C is for the parent, which then stops it
        )
        threading.Thread(target=self._listen, args=(self._process,), name="warm", daemon=True).start()

    def is_alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def run(self, flow_run_id: str) -> None:
        """Starts a run.  Raises OSError when the warm process is gone: start it again."""
        assert self._process is not None
        assert self._process.stdin is not None
        with self._lock:
            self._run, self._outcome, self._copy = flow_run_id, None, 0
        try:
            self._process.stdin.write(json.dumps({"run": flow_run_id}).encode() + b"\n")
            self._process.stdin.flush()
        except OSError:
            self._run = None
            raise

    def kill_run(self) -> None:
        """Ends the run at once, and its worker processes: the corpus is as it was."""
        with self._lock:
            if self._run is not None and self._copy:
                _kill_group(self._copy)

    def stop(self) -> None:
        """Ends the run, if any, and the warm process."""
        self._stopping = True
        self.kill_run()
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdin:
            with suppress(OSError):
                process.stdin.close()
        try:
            process.wait(3)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _listen(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            with suppress(ValueError):
                self._hear(json.loads(line))
        process.wait()
        with self._lock:
            run, copy, outcome = self._run, self._copy, self._outcome
            self._run = None
            if copy:
                _kill_group(copy)  # a copy of a warm process that was killed would go on unseen
        if run is not None and not self._stopping:
            self._on_ended(Ended(run, outcome, process.returncode))

    def _hear(self, said: dict[str, Any]) -> None:
        with self._lock:
            if "started" in said:
                self._copy = said["started"]
            elif "done" in said:
                self._outcome = said["done"]
            if "ended" not in said or self._run is None:
                return
            ended = Ended(self._run, self._outcome, said["ended"])
            self._run, self._copy = None, 0
        if not self._stopping:
            self._on_ended(ended)


def _kill_group(pid: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


# the warm process itself


def main() -> None:
    from .loading import undisturbed

    logging.raiseExceptions = False  # as in flows/entry.py
    replies = os.dup(1)
    os.dup2(2, 1)  # what anything prints goes to the log
    with undisturbed():
        _load()
        _without_heartbeat()
    read_end, write_end = os.pipe()
    os.set_blocking(write_end, False)
    signal.set_wakeup_fd(write_end)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    waiting = b""
    copy = 0
    while True:
        readable, _, _ = select.select([0, read_end], [], [])
        if read_end in readable:
            os.read(read_end, 1000)
            if copy and (code := _reaped(copy)) is not None:
                _say(replies, {"ended": code})
                copy = 0
        if 0 in readable:
            content = os.read(0, 65536)
            if not content:  # the parent is gone
                if copy:
                    _kill_group(copy)
                return
            *lines, waiting = (waiting + content).split(b"\n")
            for line in lines:
                copy = os.fork()
                if copy == 0:
                    os.close(read_end)
                    os.close(write_end)
                    _be_copy(json.loads(line)["run"], replies)
                _say(replies, {"started": copy})


def _load() -> None:
    """Imports what a run needs, and loads the rules: everything that no thread is needed for."""
    import pyarrow as pa

    from cleaners import Config, clean, fingerprint
    from corpus import rows

    from . import build  # noqa: F401
    from .loading import SAMPLE

    for name in LOADED_LATE:
        import_module(name)
    fingerprint(Config())
    rows.tables([clean(SAMPLE.encode(), "sample.txt")])
    pa.array(["import pandas, if it is there, now"])


def _without_heartbeat() -> None:
    """The heartbeat tells a server that a run died. Here the parent does; joining the heartbeat's thread would take a
    second of each run."""
    from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings

    temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}).__enter__()


def _reaped(pid: int) -> int | None:
    done, status = os.waitpid(pid, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if done else None


def _say(descriptor: int, what: dict[str, Any]) -> None:
    with suppress(BrokenPipeError):
        os.write(descriptor, json.dumps(what).encode() + b"\n")


def _be_copy(flow_run_id: str, replies: int) -> NoReturn:
    """Runs the flow run that Prefect knows by this id, and ends this process."""
    code = 1
    try:
        os.setpgid(0, 0)  # so that it can be ended together with its worker processes
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        with open(os.devnull, "rb") as nothing:
            os.dup2(nothing.fileno(), 0)
        from .server import drain

        _say(replies, {"done": _outcome(flow_run_id)})
        drain()  # events and log lines that are on their way must not be lost
        code = 0
    except BaseException as error:  # noqa: BLE001  whatever it is, this process must not become a second warm one
        print(f"run {flow_run_id}: {error!r}", file=sys.stderr, flush=True)
    finally:
        os._exit(code)


def _outcome(flow_run_id: str) -> dict[str, Any]:
    """Runs the flow; returns what the parent wants to know."""
    from uuid import UUID

    from prefect.client.orchestration import get_client
    from prefect.flow_engine import run_flow

    from . import build
    from .report import Report

    with get_client(sync_client=True) as client:
        flow_run = client.read_flow_run(UUID(flow_run_id))
    try:
        flow: Any = build.with_workers(int(flow_run.parameters.get("workers", 1)))
        done = run_flow(flow, flow_run=flow_run, parameters=flow_run.parameters)
    except Exception as error:  # noqa: BLE001  any failure of a run is reported, and tried again
        return {"error": _short(f"{error}" or repr(error)), "kind": type(error).__name__}
    assert isinstance(done, Report)
    return {
        "version": done.version,
        "committed": done.committed,
        "waiting": done.waiting,
        "warning": _short(done.warning),
        "lines": [_short(line) for line in done.lines()][:6],
    }


def _short(text: str) -> str:
    """As much of a text as surely fits."""
    shown = text.encode("ascii", "backslashreplace").decode()
    return text if len(shown) <= LONGEST_TEXT else shown[:LONGEST_TEXT] + "…"


if __name__ == "__main__":
    main()
