"""A progress bar on a terminal; nothing in logs and in CI."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn, TransferSpeedColumn
from rich.progress import Progress as Bar

from cleaners import Seed


class Progress:
    """Counts seeds by their bytes. Use as a context manager around the whole run."""

    def __init__(self) -> None:
        self._bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._is_shown = sys.stderr.isatty()  # a disabled bar of rich 14 still prints a line end
        self._task = self._bar.add_task("looking for seeds", total=None)

    def __enter__(self) -> Progress:
        if self._is_shown:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._is_shown:
            self._bar.stop()

    def expect(self, seeds: Iterable[Seed]) -> None:
        """What is to be cleaned."""
        sizes = [seed.size for seed in seeds]
        self._bar.update(self._task, total=sum(sizes), description=f"cleaning {len(sizes)} seeds")

    def advance(self, seeds: Iterable[Seed]) -> None:
        """These are done."""
        self._bar.advance(self._task, sum(seed.size for seed in seeds))
