"""A stopwatch for CPU time that reads the clock of the CPU as seldom as it can."""

from __future__ import annotations

import time

SHORT = 0.001
"""A lap of less wall time, in seconds, counts as that much CPU time: reading the clock of the CPU is a call of the
system and takes 1 to 3 µs, as long as many a cleaner. What a busy machine adds to such a lap is less than SHORT."""


class Stopwatch:
    """Tells how long a thread worked from one lap to the next.

    cpu   the thread's CPU time at the last lap, in seconds: time.thread_time(), or a little ahead of it
    """

    __slots__ = ("_wall", "cpu")

    def __init__(self) -> None:
        self.cpu = time.thread_time()
        self._wall = time.perf_counter()

    def lap(self) -> float:
        """Seconds of CPU time since the last lap, or since it was made."""
        now = time.perf_counter()
        passed = now - self._wall
        self._wall = now
        if passed < SHORT:
            self.cpu += passed
            return passed
        before, self.cpu = self.cpu, time.thread_time()
        return max(self.cpu - before, 0.0)
