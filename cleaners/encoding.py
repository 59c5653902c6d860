"""Decoding: bytes to text, and back to the same bytes.

A ladder, from certain to guessed: byte order mark, strict UTF-8, HZ, then the codec whose reading is the
likeliest Chinese. Lines that it does not explain are read by other codecs, or byte by byte along the
likeliest path; bytes that nothing explains become U+FFFD.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from . import statistics
from .config import Config
from .document import ByteSpan, Encoding, Quarantine

LOST = "\ufffd"
UTF8, GB, BIG5 = "utf-8", "gb18030", "big5hkscs"

BOMS = (
    (b"\xef\xbb\xbf", UTF8),
    (b"\xff\xfe\x00\x00", "utf-32-le"),
    (b"\x00\x00\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
    (b"\x84\x31\x95\x33", GB),
)
MAGIC = (
    (b"PK\x03\x04", "a ZIP archive (also .docx, .xlsx, .epub)"),
    (b"PK\x05\x06", "an empty ZIP archive"),
    (b"\x1f\x8b\x08", "gzip-compressed"),
    (b"\x28\xb5\x2f\xfd", "zstd-compressed"),
    (b"BZh", "bzip2-compressed"),
    (b"\xfd7zXZ\x00", "xz-compressed"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"PAR1", "a Parquet file"),
    (b"%PDF-", "a PDF document"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Microsoft Office document"),
    (b"{\\rtf", "an RTF document"),
    (b"\x89PNG\r\n\x1a\n", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF87a", "a GIF image"),
    (b"GIF89a", "a GIF image"),
    (b"II*\x00", "a TIFF image"),
    (b"MM\x00*", "a TIFF image"),
    (b"OggS", "an Ogg recording"),
    (b"ID3\x03", "an MP3 recording"),
    (b"ID3\x04", "an MP3 recording"),
    (b"\x7fELF", "a program (ELF)"),
    (b"MZ\x90\x00", "a program (Windows)"),
    (b"\xca\xfe\xba\xbe", "a program (Java or macOS)"),
    (b"SQLite format 3\x00", "an SQLite database"),
)
FIRST_BYTES = frozenset(magic[0] for magic, _ in MAGIC)

BLANK = b" \t\r\n\f\v\x00"
WHITE = " \t\r\n\f\v\0\ufeff\u3000\xa0\u200b"
CONTROLS = bytes(i for i in range(1, 32) if i not in b"\t\n\v\f\r\x1b") + b"\x7f"
MOST_CONTROLS = 0.1  # share of control bytes above which a file is no text
DECLARED = re.compile(rb"(?:charset|encoding)\s*=\s*[\"']?\s*([\w-]{2,20})", re.I)
DECLARED_CODECS = {
    b"gb2312": GB, b"gbk": GB, b"gb18030": GB, b"cp936": GB, b"x-gbk": GB,
    b"big5": BIG5, b"big5-hkscs": BIG5, b"cp950": BIG5, b"utf-8": UTF8, b"utf8": UTF8,
}  # fmt: skip
UTF8_RUN = re.compile(rb"(?:[\xe3-\xe9\xef][\x80-\xbf]{2}){6,}")  # too long to be anything else
HZ_WORD = re.compile(rb"~\{(?:[\x21-\x77][\x21-\x7e])+~\}")

CHOICE = 8_192  # bytes from the beginning and from the middle by which the codec is chosen
SAMPLE = 32_768  # bytes by which a reading is judged
LOST_SCORE = statistics.LOST_SCORE
LOST_BYTE_SCORE = -16.0  # for one byte of a double-byte codec: a character takes two
SWITCH_SCORE = -8.0  # for changing the codec inside a line
DECLARED_BONUS = 15.0

# Mean log P of the characters that are not ASCII, measured: Chinese, both scripts, old and new, has -6 to
# -9.2; EUC-JP and EUC-KR read as GB 18030 -10.6 to -12.7, random bytes, Shift JIS and KOI8 -12.4 and less.
LOWEST_MEAN = -9.6
LOWEST_MEAN_SHORT = -11.0
HOPELESS_MEAN = -13.5  # of a long text; below, no search of the likeliest path will help
SHORT = 12  # characters; below, the mean is not reliable
LEAST_GAIN = 20.0  # in log P, for another reading of a line that the document's codec reads without an error
WINDOW, WINDOW_MEAN = 8, -11.5  # so many neighbours with a lower mean: the line is looked at again
MOST_LOST = 0.1  # share of characters lost above which a text counts as not decoded
LONGEST_STRETCH = 65_536  # bytes: longer lines are cut for the search of the likeliest path
LARGEST_SEARCH = 1_000_000  # bytes of a document that are searched at most (some 5 us each)


class Decoded(NamedTuple):
    """text and how it was decoded; `quarantine` is set when no encoding explains the bytes."""

    text: str
    encoding: Encoding
    quarantine: Quarantine | None = None


class Stretch(NamedTuple):
    """Bytes [start, end) of a line and the codec that reads them; an empty codec: nothing does."""

    start: int
    end: int
    codec: str


def decode(raw: bytes, config: Config) -> Decoded:
    """The text of `raw`.  Never raises."""
    if len(raw) > config.max_seed_bytes:
        reason = (
            f"The seed has {len(raw):,} bytes, more than the limit of {config.max_seed_bytes:,}: "
            "split it, or raise max_seed_bytes."
        )
        return _refused(raw, "too_large", reason)
    if not raw[:64].strip(BLANK) and not raw.strip(BLANK):
        return _refused(raw, "empty", "The seed holds no text: remove it, or fetch it again.")
    kind = _magic(raw)
    if kind:
        return _refused(raw, "binary", f"The seed is {kind}, not text: extract its text first.")
    decoded = _decode_text(raw)
    return decoded if decoded.quarantine else _inspected(decoded)


def encode(text: str, encoding: Encoding) -> bytes:
    """The bytes that `decode` made `text` of, exactly."""
    pieces, done = [encoding.bom], 0
    for start, end, raw in encoding.exceptions:
        pieces += [text[done:start].encode(encoding.name), raw]
        done = end
    pieces.append(text[done:].encode(encoding.name))
    return b"".join(pieces)


def _refused(raw: bytes, kind: str, reason: str) -> Decoded:
    """No text at all; the bytes are kept as one exception."""
    return Decoded("", Encoding(UTF8, 0.0, b"", (ByteSpan(0, 0, raw),)), Quarantine(kind, reason))


def _magic(raw: bytes) -> str:
    if raw[0] in FIRST_BYTES:
        for magic, kind in MAGIC:
            if raw.startswith(magic):
                return kind
    if raw.startswith(b"RIFF") and raw[8:12] in (b"WEBP", b"WAVE", b"AVI "):
        return "an image or a recording (RIFF)"
    if raw[4:8] == b"ftyp":
        return "a film (MP4)"
    return ""


def _inspected(decoded: Decoded) -> Decoded:
    """Sends to quarantine what is decoded but is no plain text."""
    text, encoding, _ = decoded
    if not text[:64].strip(WHITE) and not text.strip(WHITE):
        reason = "The seed holds nothing but white space: remove it, or fetch it again."
        return Decoded(text, encoding, Quarantine("empty", reason))
    return decoded


def _decode_text(raw: bytes) -> Decoded:
    for bom, name in BOMS:
        if raw.startswith(bom):
            if name == UTF8:
                return _with_bom(_decode_plain(raw[len(bom) :]), bom)
            marked = _decode_as(raw[len(bom) :], name, 1.0)
            if marked.text.count(LOST) <= MOST_LOST * len(marked.text):
                return _with_bom(marked, bom)
    return _decode_plain(raw)


def _with_bom(decoded: Decoded, bom: bytes) -> Decoded:
    return decoded._replace(encoding=decoded.encoding._replace(bom=bom))


def _decode_plain(raw: bytes) -> Decoded:
    """Without a byte order mark."""
    controls = _control_share(raw)
    try:
        text = raw.decode(UTF8)
    except UnicodeDecodeError:
        return _decode_guessed(raw, controls)
    if b"\x00" in raw and _best_codec(raw)[0].startswith("utf-16"):
        return _decode_guessed(raw, controls)
    if controls > MOST_CONTROLS:
        return Decoded(text, Encoding(UTF8, 0.0), _binary())
    if b"\x1b" in raw and b"\x1b$" in raw and raw.isascii():
        return Decoded(text, Encoding(UTF8, 0.0), _undecodable("ISO 2022"))
    if b"~" in raw and HZ_WORD.search(raw):  # one byte is found faster than two
        decoded = _decode_hz(raw)
        if decoded:
            return decoded
    return Decoded(text, Encoding(UTF8, 1.0))


def _binary() -> Quarantine:
    return Quarantine("binary", "The seed is mostly control bytes, not text: find out what wrote it.")


def _undecodable(guess: str) -> Quarantine:
    reason = (
        f"No Chinese encoding explains the bytes; the best guess is {guess}. "
        "Convert the seed to UTF-8 with the right encoding, or fetch it again."
    )
    return Quarantine("undecodable", reason)


def _control_share(raw: bytes) -> float:
    sample = raw[:1024]
    return 1 - len(sample.translate(None, CONTROLS)) / len(sample) if sample else 0.0


def _decode_hz(raw: bytes) -> Decoded | None:
    """HZ (RFC 1843): pairs of ASCII characters between ~{ and ~}.  None when it is something else."""
    try:
        text = raw.decode("hz")
    except UnicodeDecodeError:
        return None
    if _mean(text) < LOWEST_MEAN_SHORT:
        return None
    return _verified(text, Encoding("hz", 0.95), raw)


def _verified(text: str, encoding: Encoding, raw: bytes) -> Decoded:
    """Falls back to keeping all bytes when they cannot be restored from the text."""
    try:
        exact = encode(text, encoding) == raw
    except UnicodeEncodeError:
        exact = False
    if not exact:
        encoding = encoding._replace(exceptions=(ByteSpan(0, len(text), raw),))
    return Decoded(text, encoding)


def _decode_guessed(raw: bytes, controls: float) -> Decoded:
    """Neither marked nor UTF-8: the likeliest codec, if its reading is Chinese at all."""
    name, certainty = _best_codec(raw)
    sample = raw[:SAMPLE].decode(name, "replace").replace(LOST, "")
    if len(raw) > SAMPLE and _mean(sample) < HOPELESS_MEAN:
        decoded = _verified(raw.decode(name, "replace"), Encoding(name, 0.0), raw)
    else:
        decoded = _decode_as(raw, name, certainty)
    text = decoded.text
    lost = text.count(LOST)
    found = re.sub("[\0-\x7f\ufffd]+", "", text[: 4 * SAMPLE])
    lowest = LOWEST_MEAN if len(found) >= SHORT else LOWEST_MEAN_SHORT
    if lost <= max(2, MOST_LOST * len(text)) and (found or not lost) and _mean(found) >= lowest:
        return decoded
    encoding = decoded.encoding._replace(confidence=0.0)
    if controls > MOST_CONTROLS / 2 or _control_share(raw[len(raw) // 2 :]) > MOST_CONTROLS:
        return Decoded(text, encoding, _binary())
    return Decoded(text, encoding, _undecodable(_other_guess(raw) or name))


def _other_guess(raw: bytes) -> str:
    """A codec of another language that reads the sample without an error, in letters of one kind; or ''."""
    sample = raw[:SAMPLE].rsplit(b"\n", 1)[0]
    guesses = (
        ("shift_jis", "[\u3041-\u30fe]", 0.2),
        ("euc_jp", "[\u3041-\u30fe]", 0.2),
        ("euc_kr", "[\uac00-\ud7a3]", 0.6),
        ("cp1251", "[а-яё]", 0.6),
        ("koi8-r", "[а-яё]", 0.6),
        ("cp1252", "[à-öø-ÿß’]", 0.0),
    )
    for name, letters, least in guesses:
        try:
            text = sample.decode(name)
        except UnicodeDecodeError:
            continue
        known = len(re.findall(letters, text))
        if known > least * sum(map(str.isalpha, text)):
            return name
    return ""


# ---- choosing a codec ------------------------------------------------------------------------------------


def _scores(text: str) -> statistics.Floats:
    scores: statistics.Floats = statistics.reading_scores()[statistics.codes(text)]
    return scores


def _mean(text: str) -> float:
    """Mean log P of the first characters that are not ASCII; 0 when there are none."""
    points = statistics.codes(text[: 4 * SAMPLE])
    foreign = points[points >= 0x80]
    return float(statistics.reading_scores()[foreign].mean()) if len(foreign) else 0.0


def _best_codec(raw: bytes) -> tuple[str, float]:
    """The codec whose reading of a sample is the likeliest, and how sure that is (0.5 to 0.99).

    The readings are of the same bytes, so that the sums of their log-probabilities can be compared.
    """
    middle = len(raw) // 4 * 2
    sample = raw[: 2 * CHOICE]
    if len(raw) > 2 * CHOICE:
        sample = raw[:CHOICE] + b"\n\n" + raw[middle : middle + CHOICE]
    declared = DECLARED.search(raw[:1024])
    bonus = DECLARED_CODECS.get(declared[1].lower(), "") if declared else ""
    totals = []
    for name in (UTF8, GB, BIG5, "utf-16-le", "utf-16-be"):
        total = float(_scores(sample.decode(name, "replace")).sum())
        if name in (GB, BIG5):  # a file may begin with the second half of a character
            total = max(total, LOST_SCORE + float(_scores(sample[1:].decode(name, "replace")).sum()))
        totals.append((total + DECLARED_BONUS * (name == bonus), name))
    totals.sort(reverse=True)
    margin = totals[0][0] - totals[1][0]
    return totals[0][1], min(0.99, 0.5 + margin / 100)


# ---- reading with a codec that does not explain everything -----------------------------------------------


def _decode_as(raw: bytes, name: str, confidence: float) -> Decoded:
    """All of `raw` by codec `name`, with exceptions where that does not do."""
    doubtful: set[int] | None = None  # numbers of lines; None: not known
    try:
        text = raw.decode(name)
        doubtful = _doubtful_lines(text) if name in (GB, BIG5) else set()
        if not doubtful:
            return _verified_by_line(text, raw, name, confidence)
    except UnicodeDecodeError:
        if name.startswith("utf-") and name != UTF8:
            return _decode_wide(raw, name, confidence)
    builder = _Builder(name)
    second = ""
    budget = LARGEST_SEARCH
    for number, line in enumerate(_lines(raw)):
        known = doubtful is not None and number not in doubtful
        stretches = [Stretch(0, len(line), name)] if known else _plain_line(line, name)
        if stretches is None:
            second = second or _second_codec(raw, name)
            stretches = _mixed_line(line, name, second, budget)
            budget -= len(line)
        builder.add(line, stretches)
    return builder.decoded(raw, confidence)


def _lines(raw: bytes) -> Iterator[bytes]:
    """Pieces that end with a line feed, which is never a part of a character in these codecs."""
    start = 0
    while start < len(raw):
        end = raw.find(b"\n", start) + 1 or len(raw)
        yield raw[start:end]
        start = end


def _verified_by_line(text: str, raw: bytes, name: str, confidence: float) -> Decoded:
    """For a text decoded without errors: exceptions where several byte sequences mean the same character."""
    try:
        exact = text.encode(name) == raw
    except UnicodeEncodeError:
        exact = False
    if exact:
        return Decoded(text, Encoding(name, confidence))
    if name not in (GB, BIG5):
        return _verified(text, Encoding(name, confidence), raw)
    builder = _Builder(name)
    for line in _lines(raw):
        builder.add(line, [Stretch(0, len(line), name)])
    return builder.decoded(raw, confidence)


def _decode_wide(raw: bytes, name: str, confidence: float) -> Decoded:
    """UTF-16 and UTF-32 with invalid units or a cut tail."""
    pieces: list[str] = []
    spans: list[ByteSpan] = []
    done = length = 0
    while done < len(raw):
        try:
            piece = raw[done:].decode(name)
            pieces.append(piece)
            break
        except UnicodeDecodeError as error:
            fault, end = done + error.start, done + error.end
            piece = raw[done:fault].decode(name)
            length += len(piece) + 1
            spans.append(ByteSpan(length - 1, length, raw[fault:end]))
            pieces += [piece, LOST]
            done = end
            if len(spans) > 1000:  # every error decodes the rest again: bounded, so that it stays linear
                return _verified(raw.decode(name, "replace"), Encoding(name, confidence), raw)
    return _verified("".join(pieces), Encoding(name, confidence, b"", tuple(spans)), raw)


class _Builder:
    """Collects decoded lines and exceptions."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.pieces: list[str] = []
        self.spans: list[ByteSpan] = []
        self.length = 0

    def add(self, line: bytes, stretches: list[Stretch]) -> None:
        for start, end, codec in stretches:
            raw = line[start:end]
            if not codec:
                self._put(LOST, raw)
                continue
            text = raw.decode(codec)
            if codec == self.name and _encodes_to(text, codec, raw):
                self._put(text)
            elif codec == self.name:
                self._put_each(raw, codec)
            else:
                self._put(text, raw)

    def _put(self, text: str, raw: bytes = b"") -> None:
        self.pieces.append(text)
        if raw:
            self.spans.append(ByteSpan(self.length, self.length + len(text), raw))
        self.length += len(text)

    def _put_each(self, raw: bytes, codec: str) -> None:
        """Character by character, so that only those with several byte sequences become exceptions."""
        start = 0
        for end in range(1, len(raw) + 1):
            try:
                text = raw[start:end].decode(codec)
            except UnicodeDecodeError:
                continue
            self._put(text, b"" if _encodes_to(text, codec, raw[start:end]) else raw[start:end])
            start = end

    def decoded(self, raw: bytes, confidence: float) -> Decoded:
        text = "".join(self.pieces)
        lost = text.count(LOST)
        sure = confidence * (1 - min(1.0, 10 * lost / max(1, len(text))) / 2)
        return _verified(text, Encoding(self.name, round(sure, 4), b"", tuple(self.spans)), raw)


def _encodes_to(text: str, codec: str, raw: bytes) -> bool:
    try:
        return text.encode(codec) == raw
    except UnicodeEncodeError:
        return False


def _doubtful_lines(text: str) -> set[int]:
    """Numbers of the lines with a stretch that is unlikely Chinese: in another codec, or out of step after a lost
    byte."""
    points = statistics.codes(text)
    places = np.flatnonzero(points >= 0x80)
    if not len(places):
        return set()
    size = min(WINDOW, len(places))
    sums = np.concatenate(([0.0], np.cumsum(statistics.reading_scores()[points[places]], dtype=np.float64)))
    found = np.flatnonzero(sums[size:] - sums[:-size] < size * WINDOW_MEAN)
    ends = np.flatnonzero(points == 0x0A)
    numbers = np.searchsorted(ends, np.concatenate((places[found], places[found + size - 1])))
    return set(numbers.tolist())


def _plain_line(line: bytes, name: str) -> list[Stretch] | None:
    """The whole line by `name`, if that is a likely reading."""
    if line.isascii():
        return [Stretch(0, len(line), name)]
    try:
        text = line.decode(name)
    except UnicodeDecodeError:
        return None
    if name != UTF8 and _doubtful_lines(text):
        return None
    return [Stretch(0, len(line), name)]


def _second_codec(raw: bytes, name: str) -> str:
    """The double-byte codec of a document: its own, or the one that best explains what is not UTF-8."""
    if name != UTF8:
        return name
    lines = [line for line in _lines(raw[: 16 * SAMPLE]) if _plain_line(line, name) is None]
    doubtful = UTF8_RUN.sub(b"\n", b"".join(lines))[: SAMPLE // 8]
    return max((GB, BIG5), key=lambda codec: _path(doubtful, codec, name)[1])


def _mixed_line(line: bytes, name: str, second: str, budget: int) -> list[Stretch]:
    """The likeliest reading of a line that `name` does not explain."""
    readings = []
    for codec in (UTF8, GB, BIG5):
        text = line.decode(codec, "replace")
        whole = LOST not in text and _mean(text) >= LOWEST_MEAN and not _doubtful_lines(text)
        readings.append((float(_scores(text).sum()) + SWITCH_SCORE * (codec != name), whole, codec))
    readings.sort(reverse=True)
    if readings[0][1]:
        return [Stretch(0, len(line), readings[0][2])]
    if len(line) > budget:
        return _replaced(line, name)
    stretches: list[Stretch] = []
    done = 0
    for run in UTF8_RUN.finditer(line):
        stretches += _searched(line, done, run.start(), second, name)
        stretches.append(Stretch(run.start(), run.end(), UTF8))
        done = run.end()
    stretches += _searched(line, done, len(line), second, name)
    try:
        plain = float(_scores(line.decode(name)).sum())
    except UnicodeDecodeError:
        return stretches
    # a line without an error may be damaged or just hold rare characters: the other reading has to be far better
    better = sum(_stretch_score(line, stretch, name) for stretch in stretches) - plain
    return stretches if better > LEAST_GAIN else [Stretch(0, len(line), name)]


def _stretch_score(line: bytes, stretch: Stretch, name: str) -> float:
    start, end, codec = stretch
    if not codec:
        return LOST_SCORE
    return float(_scores(line[start:end].decode(codec)).sum()) + 2 * SWITCH_SCORE * (codec != name)


def _searched(line: bytes, start: int, end: int, second: str, name: str) -> list[Stretch]:
    """The likeliest paths through line[start:end], in pieces of bounded length."""
    stretches: list[Stretch] = []
    while start < end:
        cut = min(end, _cut(line, start))
        stretches += [Stretch(a + start, b + start, c) for a, b, c in _path(line[start:cut], second, name)[0]]
        start = cut
    return stretches


def _cut(line: bytes, start: int) -> int:
    """The end of a stretch of bounded length, behind a byte that is always a character by itself."""
    end = start + LONGEST_STRETCH
    if end >= len(line):
        return len(line)
    for at in range(end, end - 1000, -1):
        if line[at - 1] < 0x30:
            return at
    return end


def _replaced(line: bytes, name: str) -> list[Stretch]:
    """Read by `name` alone, bytes that it refuses are lost."""
    stretches = []
    done = 0
    while done < len(line):
        try:
            line[done : done + LONGEST_STRETCH].decode(name)
            end = fault = min(len(line), done + LONGEST_STRETCH)
        except UnicodeDecodeError as error:
            fault, end = done + error.start, done + error.end
        if fault > done:
            stretches.append(Stretch(done, fault, name))
        if end > fault:
            stretches.append(Stretch(fault, end, ""))
        done = end
    return stretches


def _path(line: bytes, legacy: str, name: str) -> tuple[list[Stretch], float]:
    """The likeliest way to read the bytes as characters of UTF-8 or of `legacy`, and its log-probability.

    Dynamic programming (Viterbi 1967) over byte positions: each step reads one character or gives bytes up.
    """
    size = len(line)
    best = [(-1e30, -1e30)] * (size + 1)
    come: list[list[tuple[int, int, bool]]] = [[(0, 0, False), (0, 0, False)] for _ in range(size + 1)]
    best[0] = (0.0 if name == UTF8 else SWITCH_SCORE, 0.0 if name != UTF8 else SWITCH_SCORE)
    readers = (_read_utf8 if name == UTF8 else _read_whole_utf8, _read_gb if legacy == GB else _read_big5)
    for at in range(size):
        for state in (0, 1):
            here = best[at][state]
            switched = best[at][1 - state] + SWITCH_SCORE
            origin = state
            if switched > here:
                here, origin = switched, 1 - state
            for length, score, good in readers[state](line, at):
                end = at + length
                if here + score > best[end][state]:
                    pair = best[end]
                    best[end] = (here + score, pair[1]) if state == 0 else (pair[0], here + score)
                    come[end][state] = (at, origin, good)
    steps: list[Stretch] = []
    at, state = size, 0 if best[size][0] >= best[size][1] else 1
    codecs = (UTF8, legacy)
    while at > 0:
        start, origin, good = come[at][state]
        steps.append(Stretch(start, at, codecs[state] if good else ""))
        at, state = start, origin
    return _merged(line, steps[::-1], name), max(best[size])


def _merged(line: bytes, steps: list[Stretch], name: str) -> list[Stretch]:
    """Neighbouring characters of one codec in one stretch; ASCII belongs to the document's codec."""
    merged: list[Stretch] = []
    for start, end, codec in steps:
        if codec and codec != name and end == start + 1:
            codec = name
        if merged and codec and merged[-1].codec == codec:
            merged[-1] = merged[-1]._replace(end=end)
        else:
            merged.append(Stretch(start, end, codec))
    return merged


def _read_utf8(line: bytes, at: int) -> list[tuple[int, float, bool]]:
    """The characters that UTF-8 reads at `at`: length in bytes, score, whether it is one."""
    first = line[at]
    if first < 0x80:
        return [(1, float(statistics.reading_scores()[first]), True)]
    length = 2 if first < 0xE0 else 3 if first < 0xF0 else 4
    good = _character(line[at : at + length], UTF8)
    if good is not None:
        return [(length, good, True)]
    # One lost character is one loss: a sequence that was cut off, one with a stray byte in it, or the rest of
    # one whose first byte is gone.
    lengths = _broken_lengths(line, at, length if first >= 0xC2 else 3)
    return [(length, LOST_SCORE - 0.1 * (4 - length), False) for length in lengths]


def _read_whole_utf8(line: bytes, at: int) -> list[tuple[int, float, bool]]:
    """In documents of another codec, bytes that only resemble UTF-8 are no damaged UTF-8."""
    found = _read_utf8(line, at)
    return found if found[0][2] else [(1, LOST_SCORE, False)]


def _broken_lengths(line: bytes, at: int, length: int) -> list[int]:
    """Lengths of the bytes at `at` that may be left of one character of `length` bytes in UTF-8."""
    starts = line[at] >= 0xC2
    end = at + 1
    while end < min(len(line), at + length - 1) and 0x80 <= line[end] < 0xC0:
        end += 1
    lengths = list(range(1, end - at + 1))
    if starts and end + 1 < len(line):  # behind the stray byte the rest of the character
        rest = length - (end - at)
        stray = line[end + 1 : end + 1 + rest]
        if len(stray) == rest and all(0x80 <= byte < 0xC0 for byte in stray):
            lengths.append(end - at + 1 + rest)
    return lengths


def _read_gb(line: bytes, at: int) -> list[tuple[int, float, bool]]:
    found = _read_double(line, at, GB)
    if len(line) > at + 3 and 0x30 <= line[at + 1] < 0x3A and line[at] >= 0x80:
        four = _character(line[at : at + 4], GB)
        if four is not None:
            found.append((4, four, True))
    return found


def _read_big5(line: bytes, at: int) -> list[tuple[int, float, bool]]:
    return _read_double(line, at, BIG5)


def _read_double(line: bytes, at: int, codec: str) -> list[tuple[int, float, bool]]:
    first = line[at]
    if first < 0x80:
        return [(1, float(statistics.reading_scores()[first]), True)]
    found = [(1, LOST_BYTE_SCORE, False)]
    two = _character(line[at : at + 2], codec)
    if two is not None and len(line) > at + 1:
        found.append((2, two, True))
    return found


@lru_cache(maxsize=65_536)
def _character(raw: bytes, codec: str) -> float | None:
    """log P of what the bytes mean; None when they are no character."""
    try:
        text = raw.decode(codec)
    except UnicodeDecodeError:
        return None
    return float(_scores(text).sum())
