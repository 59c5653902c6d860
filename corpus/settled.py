"""Whether a file is still being written: nothing says so, but two things tell.

A file that changed a moment ago may change again. And Linux refuses a read lease on a file that any process of this
machine has open for writing, however long that one pauses (`man 2 fcntl`, F_SETLEASE).
"""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import time
from contextlib import suppress

LARGEST_SKEW_SECONDS = 60.0
"""A change that is farther in the future is taken for a wrong clock, or one that was set back: such a file is not
waited for."""


def is_settled(path: str, status: os.stat_result, quiet_seconds: float) -> bool:
    """Whether a file has been left alone for so long, and nobody has it open for writing (as far as can be told:
    on network drives, and for files of other users, only the time counts)."""
    age = time.time() - max(status.st_ctime, status.st_mtime)
    if -LARGEST_SKEW_SECONDS < age < quiet_seconds:
        return False
    return not _is_being_written(path)


def _is_being_written(path: str) -> bool:
    """False also when it cannot be told."""
    if not hasattr(fcntl, "F_SETLEASE"):
        return False
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        # who opens the file for writing while the lease is held waits for its end, for microseconds; the signal that
        # then comes is one that nobody listens to: the usual one would end this process
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except OSError as error:
        return error.errno == errno.EAGAIN
    finally:
        with suppress(OSError):
            fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
        os.close(descriptor)
    return False
