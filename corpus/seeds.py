"""Seeds: the files below a folder, and the records of the containers among them, each with its id, hash and size; and
the entries that cannot be read."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import stat
import threading
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import IO, NamedTuple, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cleaners import Record, Seed

from . import records
from .containers import BrokenError, Container, Kind, Piece, kind_of, opened
from .records import Reading
from .seed_list import AnySeed, Building, Member, SeedList
from .settled import is_settled

CHUNK = 1 << 20  # bytes read at a time while hashing

AT_A_TIME = 1 << 10  # files that are hashed by the same process

CHANGED = "it changed while the run went on: run again once nothing writes to it"

SPECIAL_FILES = (
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISBLK, "a block device"),
    (stat.S_ISCHR, "a character device"),
)


_Hash = tuple[str, int]
_Files = tuple[int, list[tuple[str, int]]]  # most bytes of a seed; path and likely size of each file

Each: TypeAlias = (
    "Callable[[Callable[[_Files], list[_Hash | OSError]], Iterable[_Files]], Iterable[list[_Hash | OSError]]]"
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

    id         as of a seed
    kind       unreadable, too_large, loop, name or changed; of containers also malformed, no_text, damaged …
    reason     what happened and what to do, for the user; the same on every machine
    size       bytes, or None when not known
    container  id of the container that it lies in, or that it is; empty: none
    """

    id: str
    kind: str
    reason: str
    size: int | None = None
    container: str = ""


class Read(NamedTuple):
    """A seed that was read: its id, its bytes, the record that it is, if any, and the SHA-256 of its bytes in hex
    where it is known."""

    name: str
    raw: bytes
    record: Record | None
    sha256: str = ""


class KnownContainer(NamedTuple):
    """What a corpus knows of a container: SHA-256 of the file, the seeds in it, the ids and kinds of the others."""

    sha256: str
    seeds: SeedList
    problems: tuple[Problem, ...]


class _ContainerFile(NamedTuple):
    """A container that was found: id, path, kind, and size in bytes."""

    id: str
    path: str
    kind: Kind
    size: int


class _File(NamedTuple):
    """A seed that was found, and is to be hashed: id, path, and size in bytes."""

    id: str
    path: str
    size: int


class _Folder(NamedTuple):
    """A folder to be listed: where it is, its path below the root, identities of itself and those above."""

    path: str
    below: str
    ancestors: tuple[tuple[int, int], ...]


class Scan(NamedTuple):
    """What lies below a seeds folder; no id occurs twice.

    seeds       sorted by id, those of a container in the order in which they stand there, in place of the container
    problems    sorted by id
    containers  id of each container that could be read -> SHA-256 of the file
    waiting     ids of files that are still being written, sorted: they stay as the corpus has them. Of a container,
                the seeds are here as `known` has them
    """

    seeds: SeedList
    problems: tuple[Problem, ...]
    containers: Mapping[str, str] = {}
    waiting: tuple[str, ...] = ()


def scan(
    root: Path,
    max_bytes: int,
    leave_out: Path | None = None,
    reading: Reading | None = None,
    known: Mapping[str, KnownContainer] | None = None,
    quiet_seconds: float = 0.0,
    each: Each = map,
) -> Scan:
    """All seeds below `root`, hashed, and all problems.

    One regular file is one seed, or a container of seeds (see `containers`). Links are followed; a folder is entered
    through a link only once, and never from inside itself. Names that begin with a dot are skipped: write a seed as
    `.name`, then rename it.
    max_bytes   a seed with more bytes is not read: problem `too_large`
    leave_out   a folder that holds no seeds although it may lie below `root`: the corpus itself
    reading     how containers are read; None: the defaults, with max_bytes
    known       containers that need not be read again if their bytes are the same, by id
    quiet_seconds   files that were written to within that time, or are open for writing, are waiting; 0: none is
    each        what `map` is, when other processes do it: hashes files, many at a time
    Raises SeedsError when there is no such folder or it cannot be listed.
    """
    try:
        top = os.stat(root)
        os.listdir(root)
    except NotADirectoryError as error:
        raise SeedsError(f"{root} is a file, not a folder of seeds: `jingwen clean` cleans a single file") from error
    except OSError as error:
        raise SeedsError(f"cannot read the seeds folder {root}: {_explain(error)}") from error
    reading = (reading or Reading())._replace(max_seed_bytes=max_bytes)
    found = _Found()
    containers: dict[str, _ContainerFile] = {}
    left_out = _identity(os.stat(leave_out)) if leave_out is not None and leave_out.exists() else None
    waiting = set()
    for one in _hashed(_walk(root, _identity(top), reading, left_out, quiet_seconds), max_bytes, each):
        if isinstance(one, str):
            waiting.add(one)
        elif isinstance(one, _ContainerFile):
            containers.setdefault(one.id, one)  # an escaped name may equal a real one, which comes first
            if containers[one.id] is not one:
                found.add(Problem(f"{one.id} (2)", "name", _two_names(one.id)))
        else:
            found.add(one)
    hashes: dict[str, str] = {}
    for id in sorted(containers):  # after all files: an id that both have is the file's
        _add_container(found, hashes, containers[id], reading, (known or {}).get(id))
    waiting -= found.among(waiting) | containers.keys()
    for id in sorted(waiting.intersection(known or {})):
        found.add_known((known or {})[id])
        hashes[id] = (known or {})[id].sha256
    seeds, problems = found.sorted()
    return Scan(seeds, problems, hashes, tuple(sorted(waiting)))


class _Found:
    """What was found so far: an id that is found twice is the first one's, the others become problems."""

    def __init__(self) -> None:
        self._seeds = Building()
        self._problems: list[tuple[int, Problem]] = []  # each with the number of seeds before it

    def add(self, one: AnySeed | Problem) -> None:
        if isinstance(one, Problem):
            self._problems.append((len(self._seeds), one))
        else:
            self._seeds.add(one)

    def add_known(self, known: KnownContainer) -> None:
        """Adds what the corpus has of a container."""
        self._seeds.extend(known.seeds)
        for problem in known.problems:
            self.add(problem)

    def add_all(self, found: Iterable[AnySeed | Problem]) -> None:
        for one in found:
            self.add(one)

    def extend(self, other: _Found) -> None:
        """Adds all that another one has."""
        before = len(self._seeds)
        self._problems += [(before + number, problem) for number, problem in other._problems]
        self._seeds.extend(other._seeds.done())

    def doubled(self) -> frozenset[str]:
        """Ids that were found more than once."""
        names, others = self._seeds.done().names, [problem.id for _, problem in self._problems]
        if not _are_twice(names.take(pc.sort_indices(names)), others):
            return frozenset()
        return frozenset(id for id, n in Counter([*names.to_pylist(), *others]).items() if n > 1)

    def among(self, ids: set[str]) -> set[str]:
        """Those of these ids that were found."""
        if not ids:
            return set()
        wanted = pa.array(sorted(ids), pa.string())
        taken = wanted.filter(pc.is_in(wanted, self._seeds.done().names)).to_pylist()
        return {*taken, *(problem.id for _, problem in self._problems if problem.id in ids)}

    def sorted(self) -> tuple[SeedList, tuple[Problem, ...]]:
        """The seeds in the order of a scan, and the problems by id."""
        seeds, problems = self._seeds.done(), [problem for _, problem in self._problems]
        names = SeedList(seeds.rows.select(["name"])).by_name().names
        if _are_twice(names, [problem.id for problem in problems]):
            seeds, problems = self._told_apart(seeds)
        return _in_order(seeds), tuple(sorted(problems))

    def _told_apart(self, seeds: SeedList) -> tuple[SeedList, list[Problem]]:
        found: dict[str, AnySeed | Problem] = {}
        problems = deque(self._problems)
        for number, seed in enumerate(seeds):
            while problems and problems[0][0] <= number:
                _add(found, problems.popleft()[1])
            _add(found, seed)
        for _, problem in problems:
            _add(found, problem)
        every = found.values()
        return SeedList.of(one for one in every if not isinstance(one, Problem)), [
            one for one in every if isinstance(one, Problem)
        ]


def _are_twice(names: pa.ChunkedArray, others: list[str]) -> bool:
    """Whether an id is twice among sorted names and others."""
    same = pc.equal(names.slice(1), names.slice(0, max(0, len(names) - 1)))
    if len(set(others)) < len(others) or pc.any(same).as_py():
        return True
    return bool(others) and bool(pc.any(pc.is_in(pa.array(others, pa.string()), names)).as_py())


def _in_order(seeds: SeedList) -> SeedList:
    """Seeds sorted by name, each member in place of its container, those of one as they stand in it; the same, not a
    copy, when they are.  Files stand before members: they come first where both have the same place."""
    rows = seeds.rows
    if rows["container"].null_count == rows.num_rows:
        return seeds.by_name()
    keys = {
        "file": pc.coalesce(rows["container"], rows["name"]),
        "entry": pc.fill_null(rows["entry"], 0),
        "offset": pc.fill_null(rows["offset"], 0),
    }
    order = pc.sort_indices(pa.table(keys), [(name, "ascending") for name in keys])  # stable
    return seeds if pc.all(pc.equal(order, np.arange(len(order)))).as_py() else seeds.take(order)


def read_all(root: Path, seeds: Iterable[AnySeed], reading: Reading | None = None) -> Iterator[Read | Problem]:
    """The seeds that `scan` found, with their bytes; those that are not what they were come as a problem.

    Those of one container should come in the scan's order: then it is read once, and the next call goes on where this
    one stopped, if it is made in the same process.
    reading   as for `scan`
    """
    for seed in seeds:
        try:
            if isinstance(seed, Member):
                piece = _read_member(root, seed, reading or Reading())
                yield Read(seed.name, piece.raw, records.record(seed.container, piece.fields))
            else:
                yield Read(seed.name, read(root, seed), None, seed.sha256)  # as it is checked there
        except SeedChangedError as error:
            yield error.problem


def read(root: Path, seed: AnySeed, reading: Reading | None = None) -> bytes:
    """The bytes of a seed that `scan` found.  Raises SeedChangedError when they are not these any more."""
    if isinstance(seed, Member):
        return _read_member(root, seed, reading or Reading()).raw
    try:
        raw = _read_at_most(_path(root, seed.name), seed.size + 1)
    except OSError as error:
        raise SeedChangedError(Problem(seed.name, "unreadable", _explain(error))) from error
    if len(raw) != seed.size or hashlib.sha256(raw).hexdigest() != seed.sha256:
        raise SeedChangedError(Problem(seed.name, "changed", CHANGED))
    return raw


def _add_container(
    found: _Found,
    hashes: dict[str, str],
    file: _ContainerFile,
    reading: Reading,
    known: KnownContainer | None,
) -> None:
    """Adds the seeds and problems of a container."""
    if file.size > reading.max_container_bytes:
        reason = f"{file.size} bytes, but at most {reading.max_container_bytes} are allowed: split it"
        found.add(Problem(file.id, "too_large", reason, file.size, file.id))
        return
    here = _Found()
    try:
        sha256, size = _hash(file.path, file.size, file.size)
        if known is not None and known.sha256 == sha256 and size == file.size:
            here.add_known(known)
        else:
            here.add_all(_members(file, reading, frozenset()))
            if doubled := here.doubled():
                here = _Found()
                here.add_all(_members(file, reading, doubled))
        hashes[file.id] = sha256
    except OSError as error:
        here.add(Problem(file.id, "unreadable", _explain(error), file.size, file.id))
    found.extend(here)


def _members(file: _ContainerFile, reading: Reading, doubled: Collection[str]) -> Iterator[Member | Problem]:
    """What a container holds, in its order.  Raises OSError when it cannot be read.

    doubled   ids that occur in it more than once: known after a first look, since remembering all takes much memory
    """
    taken: dict[str, str] = {}  # id -> number of the one that has it
    empty = True
    with open(_open(file.path), "rb") as stream:
        try:
            for piece in opened(stream, file.size, file.kind, reading).pieces():
                empty = False
                yield _member(file.id, piece, taken, doubled)
        except BrokenError as error:
            so_far = "" if empty else "; what stands before the damage is cleaned"
            yield Problem(file.id, error.kind, error.reason + so_far, file.size, file.id)
            return
    if empty:
        yield Problem(file.id, "empty", "it holds no records: remove it, or fetch it again", file.size, file.id)


def _member(container: str, piece: Piece, taken: dict[str, str], doubled: Collection[str]) -> Member | Problem:
    """The seed that a piece is, or the problem."""
    id = container + (piece.own or piece.number)
    if id in doubled and taken.setdefault(id, piece.number) != piece.number:
        reason = f"its id {id} is that of {container}{taken[id]}, too: give each its own"
        return Problem(container + piece.number, "name", reason, piece.size, container)
    if piece.kind:
        return Problem(id, piece.kind, piece.reason, piece.size, container)
    sha256 = records.digest(hashlib.sha256(piece.raw).hexdigest(), piece.fields)
    return Member(id, sha256, len(piece.raw), container, piece.entry, piece.offset)


class _Kept(threading.local):
    """The container that was read last, kept open: the next batch goes on where the last one stopped. Without this,
    each batch would unpack the container from its beginning.

    key   process (a forked one shares the place in the file), path, identity, time of change, and reading
    """

    key: tuple[object, ...] = ()
    file: IO[bytes] | None = None
    container: Container | None = None


_kept = _Kept()


def _read_member(root: Path, seed: Member, reading: Reading) -> Piece:
    """The piece that a seed in a container is.  Raises SeedChangedError when it is another one now."""
    try:
        piece = _container(root, seed.container, reading).at(seed.entry, seed.offset)
    except OSError as error:
        raise SeedChangedError(Problem(seed.name, "unreadable", _explain(error), None, seed.container)) from error
    except (BrokenError, LookupError) as error:
        raise SeedChangedError(Problem(seed.name, "changed", CHANGED, None, seed.container)) from error
    sha256 = records.digest(hashlib.sha256(piece.raw).hexdigest(), piece.fields)
    if piece.kind or sha256 != seed.sha256:
        raise SeedChangedError(Problem(seed.name, "changed", CHANGED, None, seed.container))
    return piece


def _container(root: Path, id: str, reading: Reading) -> Container:
    """The open container of this id.  Raises OSError and BrokenError."""
    path = _path(root, id)
    status = os.stat(path)
    key = (os.getpid(), path, *_identity(status), status.st_size, status.st_mtime_ns, reading)
    if _kept.key == key and _kept.container is not None:
        return _kept.container
    close_kept()
    kind = kind_of(id)
    if kind is None:
        raise LookupError
    file = open(_open(path), "rb")  # noqa: SIM115  closed when another one is opened
    _kept.file = file
    _kept.container = opened(file, status.st_size, kind, reading)
    _kept.key = key
    return _kept.container


def close_kept() -> None:
    """Closes the container that `read_all` keeps open for the next call."""
    if _kept.file is not None:
        _kept.file.close()
    _kept.key, _kept.file, _kept.container = (), None, None


def _two_names(id: str) -> str:
    return f"its name is not UTF-8 and, written as {id}, that of another file too: rename one of them"


def _add(found: dict[str, AnySeed | Problem], one: AnySeed | Problem) -> None:
    """Adds an entry; one whose id is taken (an escaped name may equal a real one) becomes a problem."""
    id = one.id if isinstance(one, Problem) else one.name
    if id not in found:
        found[id] = one
        return
    free = id
    for number in range(2, len(found) + 3):
        free = f"{id} ({number})"
        if free not in found:
            break
    container = "" if isinstance(one, Seed) else one.container
    reason = f"its id {id} is that of a file, too: rename one of them" if container else _two_names(id)
    found[free] = Problem(free, "name", reason, None, container)


def _walk(
    root: Path, top: tuple[int, int], reading: Reading, left_out: tuple[int, int] | None, quiet_seconds: float
) -> Iterator[_File | Problem | _ContainerFile | str]:
    """What lies below `root`, folder by folder, the nearest first; of a file that is waiting, the id alone.
    `top` is the root's identity, `left_out` that of a folder to skip."""
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
            if quiet_seconds and stat.S_ISREG(status.st_mode) and not is_settled(entry.path, status, quiet_seconds):
                yield _id(below)
                continue
            if not stat.S_ISDIR(status.st_mode):
                yield _entry(entry.path, below, status, reading)
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


def _entry(file: str, path: str, status: os.stat_result, reading: Reading) -> _File | Problem | _ContainerFile:
    id, max_bytes = _id(path), reading.max_seed_bytes
    for test, what in SPECIAL_FILES:
        if test(status.st_mode):
            return Problem(id, "unreadable", f"{what}, not a file: remove it from the seeds folder")
    kind = kind_of(path)
    if kind is None and status.st_size > max_bytes:
        return _too_large(id, status.st_size, max_bytes)
    if not _is_utf8(path) and os.fsencode(_unescape(id)) != os.fsencode(path):
        reason = "its name is not UTF-8 and holds a % that looks like our way to write such names: rename it"
        return Problem(id, "name", reason, status.st_size)
    if kind is not None:
        return _ContainerFile(id, file, kind, status.st_size)
    return _File(id, file, status.st_size)


def _hashed(
    found: Iterator[_File | Problem | _ContainerFile | str], max_bytes: int, each: Each
) -> Iterator[Seed | Problem | _ContainerFile | str]:
    """What was found, in its order, the files as seeds."""
    waiting: deque[list[_File | Problem | _ContainerFile | str]] = deque()

    def todo() -> Iterator[_Files]:
        while some := list(islice(found, AT_A_TIME)):
            waiting.append(some)
            yield max_bytes, [(one.path, one.size) for one in some if isinstance(one, _File)]

    for hashes in each(_hash_all, todo()):
        known = iter(hashes)
        for one in waiting.popleft():
            yield _seed(one, next(known), max_bytes) if isinstance(one, _File) else one


def _hash_all(files: _Files) -> list[_Hash | OSError]:
    """Of each file its hash and size, or why it cannot be read."""
    max_bytes, paths = files
    made: list[_Hash | OSError] = []
    for path, likely in paths:
        try:
            made.append(_hash(path, max_bytes, likely))
        except OSError as error:
            made.append(error)
    return made


def _seed(file: _File, hashed: _Hash | OSError, max_bytes: int) -> Seed | Problem:
    if isinstance(hashed, OSError):
        return Problem(file.id, "unreadable", _explain(hashed), file.size)
    sha256, size = hashed
    return Seed(file.id, sha256, size) if size <= max_bytes else _too_large(file.id, size, max_bytes)


def _too_large(id: str, size: int, max_bytes: int) -> Problem:
    reason = f"{size} bytes, but at most {max_bytes} are allowed: split it, or raise max_seed_bytes"
    return Problem(id, "too_large", reason, size)


def _hash(file: str, max_bytes: int, likely: int) -> tuple[str, int]:
    """SHA-256 in hex and number of bytes; stops behind `max_bytes` (a file may grow meanwhile).

    likely   so many bytes it had: no more are asked for at a time, since memory for them is taken for each file
    """
    digest, size = hashlib.sha256(), 0
    most = min(CHUNK, likely + 1)
    descriptor = _open(file)
    try:
        while size <= max_bytes and (chunk := os.read(descriptor, most)):
            digest.update(chunk)
            size += len(chunk)
            if size > likely:  # it grew
                most = CHUNK
    finally:
        os.close(descriptor)
    return digest.hexdigest(), size


def _read_at_most(file: str, limit: int) -> bytes:
    descriptor = _open(file)
    try:
        chunks = []
        while limit > 0 and (chunk := os.read(descriptor, limit)):
            chunks.append(chunk)
            limit -= len(chunk)
    finally:
        os.close(descriptor)
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


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
