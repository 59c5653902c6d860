"""Seeds: the files below a folder, each with its id, hash and size, and the entries that cannot be read."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import stat
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from cleaners import Seed

CHUNK = 1 << 20  # bytes read at a time while hashing

SPECIAL_FILES = (
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISBLK, "a block device"),
    (stat.S_ISCHR, "a character device"),
)


class SeedsError(Exception):
    """The seeds folder itself cannot be read.  The message tells the user what to do."""


class SeedChangedError(Exception):
    """A seed is no longer what the scan found.  `problem` is its row for the quarantine."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(f"{problem.id}: {problem.reason}")
        self.problem = problem

    def __reduce__(self) -> tuple[type[SeedChangedError], tuple[Problem]]:
        return SeedChangedError, (self.problem,)  # so that it survives the way back from a worker process


class Problem(NamedTuple):
    """An entry that is no seed.

    id      as of a seed
    kind    unreadable, too_large, loop, name or changed
    reason  what happened and what to do, for the user; the same on every machine
    size    bytes, or None when not known
    """

    id: str
    kind: str
    reason: str
    size: int | None = None


class _Folder(NamedTuple):
    """A folder to be listed: where it is, its path below the root, identities of itself and those above."""

    path: str
    below: str
    ancestors: tuple[tuple[int, int], ...]


class Scan(NamedTuple):
    """What lies below a seeds folder: both sorted by id; no id occurs twice."""

    seeds: tuple[Seed, ...]
    problems: tuple[Problem, ...]


def scan(root: Path, max_bytes: int, leave_out: Path | None = None) -> Scan:
    """All seeds below `root`, hashed, and all problems.

    One regular file is one seed. Links are followed; a folder is entered through a link only once, and never
    from inside itself. Names that begin with a dot are skipped: write a seed as `.name`, then rename it.
    max_bytes   a file with more bytes is not read: problem `too_large`
    leave_out   a folder that holds no seeds although it may lie below `root`: the corpus itself
    Raises SeedsError when there is no such folder or it cannot be listed.
    """
    try:
        top = os.stat(root)
        os.listdir(root)
    except NotADirectoryError as error:
        raise SeedsError(f"{root} is a file, not a folder of seeds: `jingwen clean` cleans a single file") from error
    except OSError as error:
        raise SeedsError(f"cannot read the seeds folder {root}: {_explain(error)}") from error
    found: dict[str, Seed | Problem] = {}
    left_out = _identity(os.stat(leave_out)) if leave_out is not None and leave_out.exists() else None
    for one in _walk(root, _identity(top), max_bytes, left_out):
        _add(found, one)
    entries = [found[id] for id in sorted(found)]
    return Scan(
        tuple(one for one in entries if isinstance(one, Seed)),
        tuple(one for one in entries if isinstance(one, Problem)),
    )


def read(root: Path, seed: Seed) -> bytes:
    """The bytes of a seed that `scan` found.  Raises SeedChangedError when they are not these any more."""
    try:
        raw = _read_at_most(_path(root, seed.name), seed.size + 1)
    except OSError as error:
        raise SeedChangedError(Problem(seed.name, "unreadable", _explain(error))) from error
    if len(raw) != seed.size or hashlib.sha256(raw).hexdigest() != seed.sha256:
        reason = "it changed while the run went on: run again once nothing writes to it"
        raise SeedChangedError(Problem(seed.name, "changed", reason))
    return raw


def _add(found: dict[str, Seed | Problem], one: Seed | Problem) -> None:
    """Adds an entry; one whose id is taken (an escaped name may equal a real one) becomes a problem."""
    id = one.name if isinstance(one, Seed) else one.id
    if id not in found:
        found[id] = one
        return
    free = id
    for number in range(2, len(found) + 3):
        free = f"{id} ({number})"
        if free not in found:
            break
    reason = f"its name is not UTF-8 and, written as {id}, that of another file too: rename one of them"
    found[free] = Problem(free, "name", reason)


def _walk(
    root: Path, top: tuple[int, int], max_bytes: int, left_out: tuple[int, int] | None
) -> Iterator[Seed | Problem]:
    """What lies below `root`, folder by folder, the nearest first; `top` is the root's identity, `left_out` that
    of a folder to skip."""
    pending = deque([_Folder(os.fspath(root), "", (top,))])
    linked: set[tuple[int, int]] = set()  # identities of the folders that were entered through a link
    while pending:
        folder = pending.popleft()
        try:
            entries = _list(folder.path)
        except OSError as error:
            yield Problem(_id(folder.below), "unreadable", _explain(error))
            continue
        for entry in entries:
            below = f"{folder.below}/{entry.name}" if folder.below else entry.name
            try:
                status = entry.stat()
            except OSError as error:
                yield Problem(_id(below), "unreadable", _explain(error, entry))
                continue
            if not stat.S_ISDIR(status.st_mode):
                yield _seed(entry.path, below, status, max_bytes)
                continue
            identity = _identity(status)
            if identity == left_out:
                continue
            if identity in folder.ancestors:
                yield Problem(_id(below), "loop", "a link to a folder that it lies in: remove the link")
            elif entry.is_symlink() and identity in linked:
                yield Problem(_id(below), "loop", "a link to a folder that another link leads to: remove one")
            else:
                if entry.is_symlink():
                    linked.add(identity)
                pending.append(_Folder(entry.path, below, (*folder.ancestors, identity)))


def _list(folder: str) -> list[os.DirEntry[str]]:
    """The folder's entries but for hidden ones; names in UTF-8 first, so that these keep their ids."""
    with os.scandir(folder) as listing:
        entries = [entry for entry in listing if not entry.name.startswith(".")]
    return sorted(entries, key=lambda entry: (not _is_utf8(entry.name), entry.name))


def _seed(file: str, path: str, status: os.stat_result, max_bytes: int) -> Seed | Problem:
    id = _id(path)
    for test, what in SPECIAL_FILES:
        if test(status.st_mode):
            return Problem(id, "unreadable", f"{what}, not a file: remove it from the seeds folder")
    if status.st_size > max_bytes:
        return _too_large(id, status.st_size, max_bytes)
    if not _is_utf8(path) and os.fsencode(_unescape(id)) != os.fsencode(path):
        reason = "its name is not UTF-8 and holds a % that looks like our way to write such names: rename it"
        return Problem(id, "name", reason, status.st_size)
    try:
        sha256, size = _hash(file, max_bytes)
    except OSError as error:
        return Problem(id, "unreadable", _explain(error), status.st_size)
    return Seed(id, sha256, size) if size <= max_bytes else _too_large(id, size, max_bytes)


def _too_large(id: str, size: int, max_bytes: int) -> Problem:
    reason = f"{size} bytes, but at most {max_bytes} are allowed: split it, or raise max_seed_bytes"
    return Problem(id, "too_large", reason, size)


def _hash(file: str, max_bytes: int) -> tuple[str, int]:
    """SHA-256 in hex and number of bytes; stops behind `max_bytes` (a file may grow meanwhile)."""
    digest, size = hashlib.sha256(), 0
    descriptor = _open(file)
    try:
        while size <= max_bytes and (chunk := os.read(descriptor, CHUNK)):
            digest.update(chunk)
            size += len(chunk)
    finally:
        os.close(descriptor)
    return digest.hexdigest(), size


def _read_at_most(file: str, limit: int) -> bytes:
    descriptor = _open(file)
    with open(descriptor, "rb") as stream:
        return stream.read(limit)


def _open(file: str) -> int:
    """Opens a regular file; raises OSError, and never waits, when a pipe took its place meanwhile."""
    descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.ENOENT, "no regular file any more")
    return descriptor


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def _explain(error: OSError, entry: os.DirEntry[str] | None = None) -> str:
    """What happened and what to do: without paths, numbers or the system's language."""
    if error.errno in (errno.EACCES, errno.EPERM):
        return "permission denied: give the user who runs this the right to read it"
    if error.errno == errno.ELOOP:
        return "a link that leads back to itself: remove the link"
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        if entry is not None and entry.is_symlink():
            return "a link that leads nowhere: remove it, or bring its target back"
        return "it is not there (any more): check the name; if it was being replaced, run again"
    if error.errno == errno.ENAMETOOLONG:
        return "its path is too long: move it to a folder with a shorter path"
    name = errno.errorcode.get(error.errno or 0, "unknown error")
    return f"reading failed ({name}): check the disk or the network drive, then run again"


def _is_utf8(path: str) -> bool:
    """Whether the path's bytes are UTF-8: the system hands over other bytes as lone surrogates."""
    return path.isascii() or not re.search("[\ud800-\udfff]", path)


def _id(path: str) -> str:
    """The id of a path: the path itself; bytes that are not UTF-8 as %80 … %FF."""
    if _is_utf8(path):
        return path
    return re.sub("[\udc80-\udcff]", lambda match: f"%{ord(match[0]) - 0xDC00:02X}", path)


def _unescape(id: str) -> str:
    return re.sub("%([89A-F][0-9A-F])", lambda match: chr(0xDC00 + int(match[1], 16)), id)


def _path(root: Path, id: str) -> str:
    """The file of a seed: its id, unless that is an escaped name."""
    plain = os.path.join(root, id)
    if "%" not in id or os.path.lexists(plain):
        return plain
    return os.path.join(root, _unescape(id))
