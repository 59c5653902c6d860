"""A run's first slice, whose steps are task runs. When the run has workers, a process more holds it and takes the
steps: the run's own only tells Prefect of them, and loads none of the tables that cleaning needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cleaners import Cleaner

from .batch import Batch, kept_slice
from .fork_server import Pool
from .loading import uncollected

Counts = Mapping[str, int]

_held: list[Batch] = []  # in the worker process: the slice


class HeldElsewhere:
    """A slice that another process holds: what a task asks of it is done there.  Plain slots, as of a Batch.

    number, pipeline, warnings   as of a Batch
    """

    __slots__ = ("_worker", "number", "pipeline", "warnings")

    def __init__(self, part: Batch, worker: Pool) -> None:
        self.number = part.number
        self.pipeline = part.pipeline
        self.warnings: list[str] = []
        self._worker = worker
        worker.submit(_hold, part)

    def read(self) -> Counts:
        return self._take("read")

    def advance(self, cleaner: Cleaner) -> Counts:
        return self._take(cleaner.name)

    def settle(self) -> Counts:
        return self._take("settle")

    def cleaned(self, place: int) -> Batch:
        """The slice, as `cleaned_slice` returns it; the worker process ends then."""
        try:
            return self._worker.submit(_cleaned, place).result()
        finally:
            self._worker.shutdown(wait=False)

    def _take(self, step: str) -> Counts:
        counts, warnings = self._worker.submit(_take, step).result()
        self.warnings += warnings
        return counts


def _hold(part: Batch) -> None:
    _held[:] = [part]


def _take(name: str) -> tuple[Counts, Sequence[str]]:
    (part,) = _held
    with uncollected():
        counts = part.take_step(next(one for one in part.steps() if one.name == name))
    warnings, part.warnings = part.warnings, []
    return counts, warnings


def _cleaned(place: int) -> Batch:
    (part,) = _held
    _held.clear()
    with uncollected():
        part.make_rows()
    return kept_slice(part, place)
