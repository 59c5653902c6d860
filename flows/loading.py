"""Work without the garbage collector: loading modules, and cleaning a batch.

Prefect and its server are 2,500 modules. While they load, the collector looks through all that is there again and
again, and finds nothing: that is a fifth of the time that a small run takes. Once more at exit: another second.
"""

from __future__ import annotations

import ctypes
import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

SAMPLE = (
    "首页 > 新闻 > 社会\n手机版\n新村的路修好了\n来源:晚报 记者 王小明 摄影报道\n\n"
    "近日,记者从有关部门了解到:“路修好了,出行方便了。”村民们高兴地说。\n\n图为村民在新修的路上。李大力 摄\n\n"
    "发布时间:2014年03月04日\n责任编辑:陈一\n上一篇:没有了\n"
) * 2
"""A text to clean in advance: tables and rules are loaded when they are first used."""


@contextmanager
def undisturbed() -> Iterator[None]:
    """Within it, nothing is collected; what exists at its end never is: modules stay until the process ends."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_enabled:
            gc.enable()


@contextmanager
def uncollected() -> Iterator[None]:
    """Within it, nothing is collected: for a batch of documents.

    They, their edits and lines refer to each other in one direction only, so they are gone with the last reference to
    them; the collector looked through all of them again and again, a twelfth of the time of a run, and found
    nothing. What else leaves cycles (a batch leaves some thousand small objects) is collected between batches.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


class _NoPandas:
    """Finds no pandas, whatever there is."""

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> None:
        if name == "pandas":
            raise ModuleNotFoundError(name)


ARENA_MAX, MMAP_THRESHOLD, TRIM_THRESHOLD = -8, -3, -1  # parameters of mallopt, as glibc's malloc.h has them
LARGE = 2 << 20
KEPT = 4 << 20


def with_little_memory() -> None:
    """To be called before Arrow is loaded and threads are started: what is freed goes back to the system.

    Arrow's own allocator keeps 40 MB more of what a batch needs. With the C library's, its threads share two heaps,
    and what is large lies outside of them: else the pages that they decode leave 130 MB of holes. Up to KEPT stays at
    the end of a heap: with less, each block that is freed there goes back, and the next one is new to the system.
    """
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):  # another C library than glibc has no such function
            library = ctypes.CDLL(None)
            library.mallopt(ARENA_MAX, 2)
            library.mallopt(MMAP_THRESHOLD, LARGE)
            library.mallopt(TRIM_THRESHOLD, KEPT)


def without_pandas() -> None:
    """Keeps Arrow from importing pandas, where there is one: it does with the first array that is made, to recognise
    what is pandas', and takes half a second. For commands that run nobody else's code."""
    sys.meta_path.insert(0, _NoPandas)
    try:
        import pyarrow

        pyarrow.array([""])  # Arrow looks for pandas once
    finally:
        sys.meta_path.remove(_NoPandas)
