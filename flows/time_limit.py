"""A limit on the time that one document may take, also when a cleaner does not come back by itself."""

from __future__ import annotations

import signal
import threading
import time
from types import FrameType, TracebackType

from cleaners import TooSlowError

TICKS_PER_LIMIT = 10
LONGEST_TICK_SECONDS = 1.0


class TimeLimit:
    """Raises TooSlowError inside whatever the main thread does for one document beyond `seconds` of CPU time.

    with TimeLimit(300) as limit:
        for document in documents:
            limit.restart()
            …
    A timer of the process's CPU time ticks now and then, so that a document costs nothing but the restart. In
    another thread than the main one Python gets no signals: there the drafts themselves look at the time between
    two cleaners, as they do everywhere.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._start = 0.0
        self._before: signal._HANDLER = signal.SIG_DFL
        self._is_used = threading.current_thread() is threading.main_thread()

    def __enter__(self) -> TimeLimit:
        self.restart()
        if self._is_used:
            self._before = signal.signal(signal.SIGPROF, self._tick)
            signal.siginterrupt(signal.SIGPROF, False)  # no library's read or write ends early
            tick = min(LONGEST_TICK_SECONDS, self._seconds / TICKS_PER_LIMIT)
            signal.setitimer(signal.ITIMER_PROF, tick, tick)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._is_used:
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.signal(signal.SIGPROF, self._before)

    def restart(self, spent: float = 0.0, now: float | None = None) -> None:
        """The next document begins, or goes on after `spent` seconds.  now: the thread's CPU time, if it is known."""
        self._start = (time.thread_time() if now is None else now) - spent

    def _tick(self, number: int, frame: FrameType | None) -> None:
        if time.thread_time() - self._start > self._seconds:
            self.restart()  # once per document: what clears up after it is not interrupted again
            raise TooSlowError
