"""Telling people: one message per failure, to a webhook or to a command."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import time
import urllib.request
from collections.abc import Mapping
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
        """Delivers a note; tries a few times.  Returns what went wrong with the last try; empty if it arrived."""
        problem = ""
        for number in range(TRIES):
            if number:
                time.sleep(PAUSE_SECONDS)
            problem = self._try(note)
            if not problem:
                return ""
        return problem

    def _try(self, note: Mapping[str, str]) -> str:
        content = json.dumps(dict(note), ensure_ascii=False).encode("utf-8", "replace")
        try:
            if self.webhook:
                headers = {"Content-Type": "application/json"}
                request = urllib.request.Request(self.webhook, content, headers)
                urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS).close()
            if self.command:
                done = subprocess.run(
                    shlex.split(self.command),
                    input=content,
                    env=os.environ | {f"JINGWEN_{name.upper()}": _plain(value) for name, value in note.items()},
                    stdout=subprocess.DEVNULL,
                    timeout=TIMEOUT_SECONDS,
                    check=False,
                )
                return f"the command ended with exit code {done.returncode}" if done.returncode else ""
        except (OSError, ValueError, subprocess.TimeoutExpired) as error:
            return str(error)
        return ""


def _plain(value: str) -> str:
    """What an environment variable can hold."""
    return value.replace("\0", "").encode("utf-8", "replace").decode()
