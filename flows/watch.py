"""Watching a folder of seeds: what changed, and whether it is finished.

Events come from the system (or from polling, where it has none to give: network drives). They are hints: what a run
takes is decided by its own scan. `listing` finds what no event told.
"""

from __future__ import annotations

import hashlib
import os
import stat
import threading
import time
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import NamedTuple

from watchfiles import Change, watch

from corpus.settled import is_settled

STEP_MILLISECONDS = 50  # so long without another event ends a group of events
LONGEST_GROUP_MILLISECONDS = 300
STOP_CHECK_MILLISECONDS = 500
RESTART_SECONDS = 2.0


class Listing(NamedTuple):
    """What lies below a folder at a moment.

    files    their number
    digest   of their paths, sizes, times and identities: two listings with the same digest saw the same files
    """

    files: int
    digest: str


def listing(
    root: Path,
    leave_out: Path | None = None,
    stopped: Callable[[], bool] = lambda: False,
    skip: Collection[str] = (),
) -> Listing | None:
    """Looks at all files below `root`, without reading them. Hidden ones are skipped, links are followed.

    skip   resolved paths of files that are not finished
    Returns None when `stopped` says so, or when the folder cannot be listed.
    """
    digest, files = hashlib.blake2b(digest_size=16), 0
    left_out = _identity(leave_out)
    entered: set[tuple[int, int]] = set()
    top = os.path.realpath(root)
    pending = [top]
    while pending:
        folder = pending.pop()
        if stopped():
            return None
        try:
            with os.scandir(folder) as entries:
                listed = sorted((e for e in entries if not e.name.startswith(".")), key=lambda e: e.name)
        except OSError:
            if folder == top:
                return None
            continue
        for entry in listed:
            try:
                status = entry.stat()
            except OSError:
                continue
            identity = status.st_dev, status.st_ino
            if entry.path in skip:
                continue
            if not stat.S_ISDIR(status.st_mode):
                files += 1
                seen = (os.fsencode(entry.path), status.st_size, status.st_mtime_ns, status.st_ctime_ns, *identity)
                digest.update(repr(seen).encode())
            elif identity != left_out and identity not in entered:
                entered.add(identity)
                pending.append(entry.path)
    return Listing(files, digest.hexdigest())


class Watcher:
    """Collects the paths that changed below a folder, in a thread, until `stop`.

    root        the folder
    leave_out   a folder whose changes are of no interest: the corpus
    wake        called after each group of changes
    poll_seconds   None: the system's events; otherwise the folder is looked through so often
    """

    def __init__(self, root: Path, leave_out: Path, wake: Callable[[], None], poll_seconds: float | None) -> None:
        # events come with resolved paths
        self._root, self._leave_out = os.path.realpath(root), os.path.realpath(leave_out)
        self._wake = wake
        self._poll_seconds = poll_seconds
        self._changed: dict[str, float] = {}  # path -> when its first change that no run has seen was noticed
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._identity: tuple[int, int] | None = None
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(STOP_CHECK_MILLISECONDS / 1000 * 4)

    def pending(self) -> frozenset[str]:
        """Resolved paths that changed, and that no run has been started for."""
        with self._lock:
            return frozenset(self._changed)

    def ready(self, quiet_seconds: float, longest_wait_seconds: float) -> bool:
        """Whether a run should start: all that changed is finished; or some of it is, and the oldest change has
        waited for so long."""
        with self._lock:
            changed = dict(self._changed)
        if not changed:
            return False
        finished = sum(_is_finished(path, quiet_seconds) for path in changed)
        waited = time.monotonic() - min(changed.values())
        return finished == len(changed) or (finished > 0 and waited > longest_wait_seconds)

    def take(self, quiet_seconds: float) -> int:
        """Forgets the changes that are finished, because a run starts now; returns how many paths these are."""
        with self._lock:
            finished = [path for path in self._changed if _is_finished(path, quiet_seconds)]
            for path in finished:
                del self._changed[path]
            now = time.monotonic()
            self._changed = dict.fromkeys(self._changed, now)
        return len(finished)

    def _run(self) -> None:
        while not self._stop.is_set():
            self._identity = _identity(Path(self._root))
            try:
                self._follow()
            except OSError:  # the folder is not there: a drive that was unmounted may come back
                self._stop.wait(RESTART_SECONDS)

    def _follow(self) -> None:
        """Notes changes until it is stopped, or until another folder is in the place of this one."""
        polling = self._poll_seconds is not None
        for changes in watch(
            self._root,
            watch_filter=None,
            step=STEP_MILLISECONDS,
            debounce=LONGEST_GROUP_MILLISECONDS,
            stop_event=self._stop,
            rust_timeout=STOP_CHECK_MILLISECONDS,
            yield_on_timeout=True,
            raise_interrupt=False,
            force_polling=polling or None,
            poll_delay_ms=int((self._poll_seconds or 1) * 1000),
            ignore_permission_denied=True,
        ):
            if changes:
                # a folder counts as modified when something in it is new: that has a change of its own
                self._note(path for kind, path in changes if kind != Change.modified or not os.path.isdir(path))
            elif _identity(Path(self._root)) != self._identity:
                self._note([self._root])
                raise OSError("another folder")

    def _note(self, paths: Iterable[str]) -> None:
        now = time.monotonic()
        with self._lock:
            for path in paths:
                if self._matters(path):
                    self._changed.setdefault(path, now)
        if self.pending():
            self._wake()

    def _matters(self, path: str) -> bool:
        if path == self._leave_out or path.startswith(self._leave_out + os.sep):
            return False
        below = os.path.relpath(path, self._root)
        return below == "." or not any(part.startswith(".") for part in below.split(os.sep))


def _is_finished(path: str, quiet_seconds: float) -> bool:
    """Whether a path that changed can be read now: files that are gone, and folders, can."""
    try:
        status = os.stat(path)
    except OSError:
        return True
    return not stat.S_ISREG(status.st_mode) or is_settled(path, status, quiet_seconds)


def _identity(path: Path | None) -> tuple[int, int] | None:
    try:
        status = os.stat(path) if path is not None else None
    except OSError:
        return None
    return (status.st_dev, status.st_ino) if status else None
