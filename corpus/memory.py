"""Memory: what libraries keep for later, between the steps of a run."""

from __future__ import annotations

import ctypes
import sys
from contextlib import suppress

import pyarrow as pa


def give_back() -> None:
    """Gives the memory that Arrow and the C library keep back to the system: each step of a run needs another kind of
    memory, and of the scan of a million seeds alone 150 MB would stay."""
    pa.default_memory_pool().release_unused()
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):  # another C library than glibc has no such function
            ctypes.CDLL(None).malloc_trim(0)
