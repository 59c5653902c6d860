"""Telling people: one message per failure, to a webhook or to a command."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import time
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

TRIES = 3
PAUSE_SECONDS = 2.0
TIMEOUT_SECONDS = 15.0


@dataclass(frozen=True)
class Hook:
    """Where notes go; nowhere when both are empty.

    webhook   a URL: it gets the note as JSON, by POST
    command   a program and its arguments, as one types them; run without a shell. It gets the note as JSON on
              standard input, and its fields as environment variables JINGWEN_EVENT, JINGWEN_MESSAGE, …
    """

    webhook: str = ""
    command: str = ""

    def check(self) -> None:
        """Raises ValueError when the command cannot be taken apart."""
        try:
            shlex.split(self.command)
        except ValueError as error:
            raise ValueError(f"{self.command!r} is no command: {error}") from error

    def send(self, note: Mapping[str, str]) -> str:
        """Delivers a note; tries each way a few times.  Returns what went wrong at last; empty if it arrived."""
        content = json.dumps(dict(note), ensure_ascii=False).encode("utf-8", "replace")
        problems = []
        if self.webhook:
            problems.append(_tried(lambda: _post(self.webhook, content)))
        if self.command:
            environment = {f"JINGWEN_{name.upper()}": _plain(value) for name, value in note.items()}
            problems.append(_tried(lambda: _run(shlex.split(self.command), content, os.environ | environment)))
        return "; ".join(filter(None, problems))


def _tried(way: Callable[[], str]) -> str:
    problem = ""
    for number in range(TRIES):
        if number:
            time.sleep(PAUSE_SECONDS)
        try:
            problem = way()
        except (OSError, ValueError) as error:
            problem = str(error) or type(error).__name__
        if not problem:
            return ""
    return problem


def _post(url: str, content: bytes) -> str:
    request = urllib.request.Request(url, content, {"Content-Type": "application/json"})
    urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS).close()
    return ""


_running: set[subprocess.Popen[bytes]] = set()


def _run(command: list[str], content: bytes, environment: Mapping[str, str]) -> str:
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, start_new_session=True
    ) as process:
        _running.add(process)
        try:
            process.communicate(content, TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            return f"the command was ended: it took more than {TIMEOUT_SECONDS:.0f} s"
        finally:
            _running.discard(process)
            _end(process)
    return f"the command ended with exit code {process.returncode}" if process.returncode else ""


def end_commands() -> None:
    """Ends commands that still run, and what they started."""
    for process in list(_running):
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)


def _plain(value: str) -> str:
    """What an environment variable can hold."""
    return value.replace("\0", "").encode("utf-8", "replace").decode()
