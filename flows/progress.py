"""How far a run is: a bar on a terminal (nothing in logs and in CI), and a progress artifact in Prefect's UI."""

from __future__ import annotations

import sys
import time
from contextlib import AbstractContextManager
from types import TracebackType
from typing import cast
from uuid import UUID

import httpx
from prefect.artifacts import create_progress_artifact, update_progress_artifact
from prefect.context import SettingsContext, get_settings_context
from prefect.runtime import flow_run
from prefect.settings import PREFECT_CLIENT_MAX_RETRIES, Settings
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn, TransferSpeedColumn
from rich.progress import Progress as Bar

SECONDS_BETWEEN_UPDATES = 5.0
"""Of the artifact: an update is a request to the server."""

SECONDS_AFTER_FAILURE = 60.0
"""The same, when the server did not answer: progress is not worth a run."""


_settings: tuple[Settings, Settings] | None = None


def without_retries() -> AbstractContextManager[object]:
    """Within it, a server that does not answer is an httpx.HTTPError at once, instead of after a minute."""
    global _settings
    here = get_settings_context()
    if _settings is None or _settings[0] is not here.settings:  # to make them takes 20 ms
        _settings = here.settings, here.settings.copy_with_update({PREFECT_CLIENT_MAX_RETRIES: 0})
    return SettingsContext(profile=here.profile, settings=_settings[1])


class Progress:
    """Counts documents, and their bytes for speed and time left. Use as a context manager around the whole run."""

    def __init__(self) -> None:
        self._bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[documents]} of {task.fields[expected]}"),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._is_shown = sys.stderr.isatty()  # a disabled bar of rich 14 still prints a line end
        self._task = self._bar.add_task("looking for seeds", total=None, documents=0, expected="?")
        self._documents = self._bytes = 0
        self._expected = (0, 0)
        self._start = self._updated = time.monotonic()
        self._artifact: UUID | None = None

    def __enter__(self) -> Progress:
        if self._is_shown:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._is_shown:
            self._bar.stop()

    def expect(self, documents: int, size: int) -> None:
        """So many seeds, of so many bytes, are to be cleaned."""
        self._expected = (documents, size)
        self._start = time.monotonic()
        self._bar.update(self._task, total=size, description="cleaning", expected=documents)
        if documents and flow_run.id:
            # Prefect types what it calls sync and async alike as maybe a coroutine
            try:
                with without_retries():
                    made = create_progress_artifact(0.0, key="build-progress", description=self.sentence())
            except httpx.HTTPError:
                return
            self._artifact = cast(UUID, made)

    def advance(self, documents: int, size: int) -> None:
        """So many are done."""
        self._documents += documents
        self._bytes += size
        self._bar.update(self._task, advance=size, documents=self._documents)
        now = time.monotonic()
        is_last = self._documents >= self._expected[0]
        if self._artifact is not None and (is_last or now - self._updated >= SECONDS_BETWEEN_UPDATES):
            self._updated = now
            share = self._documents / max(1, self._expected[0])
            try:
                with without_retries():
                    update_progress_artifact(self._artifact, min(100.0, 100 * share), self.sentence())
            except httpx.HTTPError:
                self._updated = time.monotonic() + SECONDS_AFTER_FAILURE

    def sentence(self) -> str:
        """For people: how many, how fast, how long still."""
        documents, size = self._expected
        seconds = max(time.monotonic() - self._start, 1e-6)
        text = f"{self._documents} of {documents} documents, {self._bytes / 1e6:.1f} of {size / 1e6:.1f} MB"
        if not self._bytes:
            return text
        speed = self._bytes / seconds
        return f"{text}, {speed / 1e6:.1f} MB/s, {max(0, size - self._bytes) / speed:.0f} s left"
