"""Archives as containers: a seed per file; ZIP and tar."""

from __future__ import annotations

import re
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from typing import IO, NamedTuple, Protocol

from cleaners import Config, encoding

from . import records
from .json_lines import Lines
from .kinds import kind_of
from .pieces import BrokenError, Piece, Stream, allowed, bomb, damage, of_stream, too_large
from .records import Reading, unusable_id

LONGEST_NAME = 1_000  # bytes of a name with its folders
LONGEST_PART = 255  # bytes of a name, or of one of its folders, as on most disks
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2)
"""Not LZMA: a few bytes of it can demand gigabytes of memory."""


class Entry(NamedTuple):
    """A file in an archive.

    number   from 0, in the archive's order; folders and hidden files are counted, too
    name     with / between its parts; empty when it cannot be a part of an id
    title    the name as it is, for the record
    size     in bytes, as the archive says
    packed   its size in the archive
    problem  kind and reason when it is no seed
    """

    number: int
    name: str
    title: str
    size: int
    packed: int
    problem: tuple[str, str] | None
    open: Callable[[], IO[bytes]]


class Source(Protocol):
    """An archive as a sequence of files."""

    is_packed: bool
    """Whether each file is compressed for itself."""

    def entries(self, first: int) -> Iterator[Entry]:
        """The files from a number on.  Raises BrokenError."""


class Archive:
    """An archive: a seed per file; JSON Lines and compressed files in it are read, too, further archives are not."""

    def __init__(self, source: Source, size: int, reading: Reading) -> None:
        self._source = source
        self._size = size
        self._reading = reading
        self._entries: Iterator[Entry] = iter(())
        self._next = -1  # number of the entry that the iterator has next, at least; -1: none
        self._inside: tuple[int, int, Lines] | None = None

    def pieces(self) -> Iterator[Piece]:
        unpacked = 0
        most = allowed(self._size, "zip" if self._source.is_packed else "", self._reading)
        for entry in self._source.entries(0):
            unpacked += entry.size if self._is_read(entry) else 0
            if unpacked > most:
                raise bomb(most)
            yield from self._pieces_of(entry)

    def at(self, entry: int, offset: int) -> Piece:
        if self._inside is not None and self._inside[0] == entry and offset > self._inside[1]:
            lines = self._inside[2]
        else:
            found = self._entry(entry)
            nested = self._nested(found)
            if nested is None:
                return self._whole(found)
            lines = nested
        self._inside = (entry, offset, lines)
        return lines.at(entry, offset)

    def _entry(self, number: int) -> Entry:
        self._inside = None
        if number < self._next or self._next < 0 or self._source.is_packed:
            self._entries = self._source.entries(number)
        for entry in self._entries:
            self._next = entry.number + 1
            if entry.number == number:
                return entry
        self._next = -1
        raise LookupError

    def _pieces_of(self, entry: Entry) -> Iterator[Piece]:
        where = _where(entry)
        try:
            nested = None if entry.problem else self._nested(entry)
            if nested is None:
                yield self._whole(entry)
                return
            empty = True
            for piece in nested.pieces():
                empty = False
                yield piece
            if empty:
                yield where._replace(kind="empty", reason="it holds no records: remove it, or fetch it again")
        except BrokenError as error:
            yield where._replace(kind=error.kind, reason=error.reason)

    def _nested(self, entry: Entry) -> Lines | None:
        """The lines in a file of the archive; None when it holds none."""
        kind = kind_of(entry.name)
        if kind is None or kind.form not in ("lines", "json"):
            return None
        most = allowed(entry.packed, "zip" if self._source.is_packed else kind.packed, self._reading)

        def stream() -> Stream:
            with damage():
                return Stream(entry.open(), kind.packed, most)

        return Lines(stream, self._reading, kind.form == "json", entry.number, _where(entry).own)

    def _is_read(self, entry: Entry) -> bool:
        too_large = entry.size > self._reading.max_seed_bytes and self._nested(entry) is None
        return entry.problem is None and not too_large

    def _whole(self, entry: Entry) -> Piece:
        """The piece that a file of the archive is."""
        where = _where(entry)
        if entry.problem:
            return where._replace(kind=entry.problem[0], reason=entry.problem[1])
        kind = kind_of(entry.name)
        if kind is not None and kind.form != "single":
            reason = "a container within an archive: unpack it, and put it into the seeds folder"
            return where._replace(kind="nested", reason=reason)
        if entry.size > self._reading.max_seed_bytes:
            return where._replace(kind="too_large", reason=too_large("it", entry.size, self._reading))
        with damage():
            stream = Stream(entry.open(), kind.packed if kind else "", 1 << 62)
        found = of_stream(stream, where, "it", self._reading)
        return found if entry.name else found._replace(fields=records.as_json({"name": entry.title}))


def _where(entry: Entry) -> Piece:
    return Piece(entry.number, 0, f"/{entry.name}" if entry.name else "", f":{entry.number + 1}", entry.size)


class Zip:
    """A ZIP archive; files in it can be read in any order."""

    is_packed = True

    def __init__(self, file: IO[bytes]) -> None:
        with damage():
            self._zip = zipfile.ZipFile(file)
            self._infos = self._zip.infolist()
            self._names = _zip_names(self._infos)

    def entries(self, first: int) -> Iterator[Entry]:
        for number in range(first, len(self._infos)):
            info, name = self._infos[number], self._names[number]
            if name.endswith("/") or _hidden(name):
                continue
            sizes = info.file_size, info.compress_size
            yield Entry(number, _safe(name), name, *sizes, _zip_problem(info), self._opener(info))

    def _opener(self, info: zipfile.ZipInfo) -> Callable[[], IO[bytes]]:
        return lambda: self._zip.open(info)


def _zip_problem(info: zipfile.ZipInfo) -> tuple[str, str] | None:
    if stat.S_ISLNK(info.external_attr >> 16):
        return "link", "a link within an archive, which is not followed: put the file itself there"
    if info.flag_bits & 0x1:
        return "encrypted", "it is encrypted: unpack the archive with its password, and put the files into the folder"
    if info.compress_type not in METHODS:
        return "unsupported", f"it is compressed by method {info.compress_type}: pack it by deflate, as all tools do"
    return None


def _zip_names(infos: Sequence[zipfile.ZipInfo]) -> list[str]:
    """The names as they were meant. Names without the UTF-8 flag are bytes in the encoding of the system that made
    the archive: GBK or Big5 on Chinese Windows, UTF-8 elsewhere; `zipfile` reads them as code page 437."""
    raw = {
        number: info.orig_filename.encode("cp437") for number, info in enumerate(infos) if not info.flag_bits & 0x800
    }
    codec = _codec(sorted({name for name in raw.values() if not name.isascii()}))
    names = []
    for number, info in enumerate(infos):
        name = info.filename
        if number in raw:
            name = _unicode_path(info, raw[number]) or _with_codec(raw[number], codec)
        names.append(name.replace("\\", "/") if "/" not in name else name)
    return names


def _codec(names: Sequence[bytes]) -> str:
    """The encoding of these names of one archive."""
    try:
        b"\n".join(names).decode()
    except UnicodeDecodeError:
        found = encoding.decode(b"\n".join(names), Config()).encoding.name
        return found if found in (encoding.GB, encoding.BIG5) else encoding.GB
    return encoding.UTF8


def _with_codec(name: bytes, codec: str) -> str:
    """The name; foreign bytes as %B5, as in the names of files."""
    for one in (codec, encoding.UTF8):
        try:
            return name.decode(one)
        except UnicodeDecodeError:
            continue
    return re.sub("[\udc80-\udcff]", lambda m: f"%{ord(m[0]) - 0xDC00:02X}", name.decode("ascii", "surrogateescape"))


def _unicode_path(info: zipfile.ZipInfo, raw: bytes) -> str:
    """The name in Info-ZIP's Unicode Path field (0x7075) if it belongs to the name `raw`; else empty."""
    extra = info.extra
    while len(extra) >= 4:
        tag, size = struct.unpack_from("<HH", extra)
        field = extra[4 : 4 + size]
        if tag == 0x7075 and size > 5 and struct.unpack_from("<I", field, 1)[0] == zlib.crc32(raw):
            try:
                return field[5:].decode()
            except UnicodeDecodeError:
                return ""
        extra = extra[4 + size :]
    return ""


class _Header(tarfile.TarInfo):
    """A header that does not let a damaged one pass for the end of the archive, as `tarfile` would."""

    @classmethod
    def fromtarfile(cls, archive: tarfile.TarFile) -> _Header:
        try:
            return super().fromtarfile(archive)
        except (tarfile.InvalidHeaderError, tarfile.TruncatedHeaderError) as error:  # type: ignore[attr-defined]
            raise BrokenError("damaged", "a header in it is damaged: fetch it again") from error


class Tar:
    """A tar archive, read from its beginning on."""

    is_packed = False

    def __init__(self, stream: Callable[[], Stream]) -> None:
        self._stream = stream

    def entries(self, first: int) -> Iterator[Entry]:
        with damage():
            archive = tarfile.open(fileobj=self._stream(), mode="r|", tarinfo=_Header)  # type: ignore[call-overload]  # noqa: SIM115
        number = -1
        while True:
            with damage():
                info = archive.next()
            if info is None:
                return
            archive.members.clear()  # else it would remember them all
            number += 1
            name = _tar_name(info.name)
            if number < first or info.isdir() or _hidden(name):
                continue
            yield Entry(number, _safe(name), name, info.size, info.size, _tar_problem(info), _tar_opener(archive, info))


def _tar_opener(archive: tarfile.TarFile, info: tarfile.TarInfo) -> Callable[[], IO[bytes]]:
    def open_it() -> IO[bytes]:
        found = archive.extractfile(info)
        assert found is not None, "only regular files are opened"
        return found

    return open_it


def _tar_name(name: str) -> str:
    raw = name.encode("utf-8", "surrogateescape")
    return _with_codec(raw, _codec([raw]))


def _tar_problem(info: tarfile.TarInfo) -> tuple[str, str] | None:
    if info.issym() or info.islnk():
        return "link", "a link within an archive, which is not followed: put the file itself there"
    if not info.isfile():
        return "unsupported", "no regular file: take it out of the archive"
    return None


def _hidden(name: str) -> bool:
    """Whether a name or a folder of it begins with a dot, as in the seeds folder, or is what macOS adds."""
    return any((part[:1] == "." and part not in (".", "..")) or part == "__MACOSX" for part in name.split("/"))


def _safe(name: str) -> str:
    """The name as a part of an id, without `./`; empty when it is absolute, leads upwards or cannot be shown."""
    parts = [part for part in name.split("/") if part != "."]
    short = len(name.encode("utf-8", "surrogatepass")) <= LONGEST_NAME
    if not short or re.match("[A-Za-z]:", name) or any(unusable_id(part, LONGEST_PART) for part in parts):
        return ""
    return "/".join(parts)
