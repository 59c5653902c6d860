"""Misreadings: text that was written in one codec and read in another, taken back along its bytes.

The characters of a line are turned into the bytes that they were read from, and the likeliest way to read these
bytes is searched, stretch by stretch: some characters stay as they are, others belong to misread stretches.
Bytes that were lost on the way are filled in where only one character fits, or one is far likelier.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import cache, lru_cache
from itertools import pairwise
from typing import NamedTuple, TypeVar

import numpy as np

from . import statistics

LATIN, GB, BIG5, UTF8 = "cp1252", "gb18030", "big5hkscs", "utf-8"
# What cp1252 has at the bytes 80 to 9F
CP1252_MARKS = "€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ"
LONGEST_LINE = 100_000  # characters: longer lines are repaired only if they lost nothing
LOST = -1  # a unit whose byte is not known
LOST_CHAR = "\ufffd"

ENTER_SCORE = -8.0  # for beginning a misread stretch
SPACE_SCORE = -1.0  # for a space in the place of the byte A0
FILL_SCORE = -3.0  # for filling in a byte
MISSING_SCORE = -6.0  # for filling in a byte that left no trace
BROKEN_SCORE = -13.0  # for a character that cannot be filled in
LATIN_SCORE = -9.0  # for a Latin letter or sign that stays
LEAST_GAIN = 8.0  # how much likelier a stretch has to become
SURE = 0.85  # probability from which a filled-in character is taken
CONTINUATIONS = tuple(range(0x80, 0xC0))
# Bytes that cp1252 does not know, and those that later programs drop
DROPPED = (0x81, 0x8D, 0x8F, 0x90, 0x9D, 0xA0, 0xAD)
DOUBLE_SECONDS = (*range(0x40, 0x7F), *range(0xA1, 0xFF))
LEADS = (*range(0xE3, 0xEA), 0xEF)


class Units(NamedTuple):
    """The bytes that a stretch of a line was read from, in lists of the same length: the byte (or LOST), the place of
    its character in the line, whether it is the character's first."""

    bytes: list[int]
    chars: list[int]
    firsts: list[bool]

    @property
    def size(self) -> int:
        return len(self.bytes)


class Reading(NamedTuple):
    """A way to read units [at, at + length): text, its score, and the candidates if bytes were filled in."""

    length: int
    text: str
    score: float
    candidates: tuple[str, ...] = ()


class Piece(NamedTuple):
    """line[start:end] was `text` before it was misread; `guessed` when a byte had to be filled in."""

    start: int
    end: int
    text: str
    guessed: bool


class Repair(NamedTuple):
    """The pieces of a line that were written in `written` and read in `read`, and the gain in log P."""

    written: str
    read: str
    pieces: tuple[Piece, ...]
    gain: float


def best_repair(line: str, read: str, parts: Sequence[tuple[int, int]]) -> Repair | None:
    """The likeliest repair of the parts [start, end) of a line that may have been read in codec `read`; None
    when there is none."""
    found: list[Repair] = []
    for written in _WRITTEN[read]:
        found += _strict_repair(line, read, written, parts)
    if found or len(line) > LONGEST_LINE:
        return max(found, key=lambda repair: repair.gain, default=None)
    size = sum(end - start for start, end in parts)
    for written in _WRITTEN[read]:
        found += _repair(line, read, written, parts)
        if found and sum(piece.end - piece.start for piece in found[-1].pieces) > size / 2:
            break  # most of it makes sense: no need to try the others
    return max(found, key=lambda repair: repair.gain, default=None)


_WRITTEN = {LATIN: (UTF8, GB, BIG5), GB: (UTF8, BIG5), BIG5: (GB,)}


def _strict_repair(line: str, read: str, written: str, parts: Sequence[tuple[int, int]]) -> Iterator[Repair]:
    """The quick way for what lost nothing: all that is foreign in the parts decodes strictly, and likely so."""
    pieces: list[Piece] = []
    total = 0.0
    for start, end in parts:
        for match in _STRICT[read].finditer(line, start, end):
            old = match[0]
            if old.isascii():
                continue
            new = _strictly(old, read, written)
            gain = _strict_gain(old, new, read) if new else -np.inf
            if gain < LEAST_GAIN:
                return
            head, tail = _common_ends(old, new)
            pieces.append(Piece(match.start() + head, match.end() - tail, new[head : len(new) - tail], False))
            total += gain
    if pieces:
        yield Repair(written, read, tuple(pieces), total)


_STRICT = {LATIN: re.compile(f"[\x00-\xff{CP1252_MARKS}]+"), GB: re.compile("(?s:.+)"), BIG5: re.compile("(?s:.+)")}


def _strictly(old: str, read: str, written: str) -> str:
    """The text before it was misread; empty when that is not possible."""
    if LOST_CHAR in old:
        return ""
    try:
        if read == LATIN:
            raw = old.translate(_latin_bytes_by_code()).encode("latin-1")
        elif "€" in old:
            raw = b"".join(bytes(_bytes_of(char, read) or b"\xff") for char in old)
        else:
            raw = old.encode(read)
        return raw.decode(written)
    except UnicodeError:
        return ""


@cache
def _latin_bytes_by_code() -> dict[int, int]:
    return {ord(char): byte for char, byte in _latin_bytes().items()}


@cache
def _new_scores(read: str) -> statistics.Floats:
    """`_new_score` of all codes."""
    table = statistics.reading_scores()
    if read == LATIN:
        table = table.copy()
        table[list(_latin_bytes_by_code())] = LATIN_SCORE
    return table


def likelihood(text: str) -> float:
    """log P of a text that may hold Latin letters."""
    return float(_new_scores(LATIN)[statistics.codes(text)].sum())


def _strict_gain(old: str, new: str, read: str) -> float:
    """How much likelier the new text is; nothing when it fails the tests that `_believed` makes."""
    a, b = statistics.codes(old), statistics.codes(new)
    a, b = a[a >= 0x80], b[b >= 0x80]
    if len(a) < LEAST_OLD[read] or len(b) < 2 or LOST_CHAR in new or _in_order(old):
        return 0.0
    scores = _new_scores(read)[b]
    lowest = LOWEST_MEAN if len(b) >= 6 else LOWEST_MEAN_SHORT
    if float(scores.mean()) < lowest or not _dense(list(new)):
        return 0.0
    if read != LATIN and len(b) < LONG and float(statistics.text_logprobs(new)[1:].mean()) < LOWEST_PAIR_MEAN:
        return 0.0
    stay = LATIN_SCORE * len(a) if read == LATIN else float(statistics.reading_scores()[a].sum())
    return float(scores.sum()) - stay


def _common_ends(old: str, new: str) -> tuple[int, int]:
    """Lengths of the common beginning and end, which do not overlap."""
    size = min(len(old), len(new))
    head = next((i for i in range(size) if old[i] != new[i]), size)
    tail = next((i for i in range(size - head) if old[-1 - i] != new[-1 - i]), size - head)
    return head, tail


def _repair(line: str, read: str, written: str, parts: Sequence[tuple[int, int]]) -> Iterator[Repair]:
    pieces: list[Piece] = []
    gain = 0.0
    for units in (units for part in parts for units in _segments(line, read, part)):
        for stretch, better in _stretches(line, units, read, written):
            pieces += _pieces(line, units, stretch)
            gain += better
    if pieces:
        yield Repair(written, read, tuple(pieces), gain)


# ---- characters to bytes ---------------------------------------------------------------------------------


@cache
def _latin_bytes() -> dict[str, int]:
    """cp1252 as browsers read it: the bytes it does not know become control characters."""
    table = {chr(byte): byte for byte in range(0x80, 0x100)}
    for byte in range(0x80, 0xA0):
        char = bytes([byte]).decode(LATIN, "ignore")
        if char:
            table[char] = byte
    return table


T = TypeVar("T")


class _Table(dict[str, T]):
    """A function of characters: what it said of those of the first plane is remembered."""

    def __init__(self, function: Callable[[str, str], T], read: str) -> None:
        self._function, self._read = function, read

    def __missing__(self, char: str) -> T:
        value = self._function(char, self._read)
        if char <= "\uffff":
            self[char] = value
        return value


@cache
def _bytes_table(read: str) -> _Table[tuple[int, ...] | None]:
    return _Table(_bytes_of, read)


@cache
def _kept_scores(read: str) -> _Table[float]:
    return _Table(_kept_score, read)


def _bytes_of(char: str, read: str) -> tuple[int, ...] | None:
    """The bytes that codec `read` reads as `char`; None when there are none."""
    if char == LOST_CHAR:
        return (LOST,)
    if char < "\x80":
        return (ord(char),)
    if read == LATIN:
        byte = _latin_bytes().get(char)
        return None if byte is None else (byte,)
    if read == GB and char == "€":  # cp936 has it at 80
        return (0x80,)
    try:
        raw = char.encode(read)
    except UnicodeEncodeError:
        return None
    return tuple(raw) if len(raw) <= 2 else None


def _segments(line: str, read: str, part: tuple[int, int]) -> Iterator[Units]:
    """The stretches of a part that can be turned into bytes and hold something else than ASCII."""
    bytes_of = _bytes_table(read)
    units = Units([], [], [])
    foreign = 0
    for i in range(*part):
        char = line[i]
        raw = bytes_of[char]
        if raw is None:
            if foreign > 1:
                yield units
            units, foreign = Units([], [], []), 0
            continue
        foreign += char >= "\x80"
        units.bytes.extend(raw)
        if len(raw) == 1:
            units.chars.append(i)
            units.firsts.append(True)
        else:
            units.chars.extend((i, i))
            units.firsts.extend((True, False))
    if foreign > 1:
        yield units


# ---- searching the likeliest reading ---------------------------------------------------------------------


_NOWHERE = -1e30  # score of a place that cannot be reached


class _Ways(NamedTuple):
    """The best ways to each place that end in one state: log P, the place before, whether the character before stays
    as it is, and the reading."""

    scores: list[float]
    backs: list[int]
    before_kept: list[bool]
    readings: list[Reading | None]

    @classmethod
    def to(cls, size: int) -> _Ways:
        return cls([_NOWHERE] * (size + 1), [0] * (size + 1), [True] * (size + 1), [None] * (size + 1))


def _stretches(line: str, units: Units, read: str, written: str) -> Iterator[tuple[list[tuple[int, Reading]], float]]:
    """The misread stretches with their gain: readings, each with the number of its first unit.

    Dynamic programming over units with two states: the character stays, or its bytes are read in `written`.
    """
    kept, taken = _Ways.to(units.size), _Ways.to(units.size)
    kept_scores, taken_scores = kept.scores, taken.scores
    kept_scores[0] = 0.0
    lengths = _char_lengths(units)
    score_of = _kept_scores(read)
    for at in range(units.size):
        score, before = taken_scores[at], False
        if units.firsts[at]:  # only between characters can a stretch begin or end
            stays = kept_scores[at]
            here = stays if stays >= score else score
            if here > -1e29:
                end = at + lengths[at]
                total = here + score_of[line[units.chars[at]]]
                if total > kept_scores[end]:
                    kept_scores[end], kept.backs[end], kept.before_kept[end] = total, at, stays >= score
            if stays + ENTER_SCORE > score:
                score, before = stays + ENTER_SCORE, True
        if score > -1e29:
            for reading in _readings(_window(units.bytes, at, written), read, written):
                end = at + reading.length
                if score + reading.score > taken_scores[end]:
                    taken_scores[end] = score + reading.score
                    taken.backs[end], taken.before_kept[end], taken.readings[end] = at, before, reading
    yield from _accepted(line, units, kept, taken, read)


def _char_lengths(units: Units) -> dict[int, int]:
    """For the number of a character's first unit, how many units it has."""
    firsts = [i for i, first in enumerate(units.firsts) if first]
    return {a: b - a for a, b in pairwise([*firsts, units.size])}


def _accepted(
    line: str, units: Units, kept: _Ways, taken: _Ways, read: str
) -> Iterator[tuple[list[tuple[int, Reading]], float]]:
    at = units.size
    staying = kept.scores[at] >= taken.scores[at]
    found: list[tuple[list[tuple[int, Reading]], float]] = []
    stretch: list[tuple[int, Reading]] = []
    while at > 0:
        ways = kept if staying else taken
        back, before_kept, reading = ways.backs[at], ways.before_kept[at], ways.readings[at]
        if reading is not None:
            stretch.append((back, reading))
            if before_kept:
                found.append(_trimmed(line, units, stretch[::-1], read))
                stretch = []
        at, staying = back, before_kept
    if stretch:
        found.append(_trimmed(line, units, stretch[::-1], read))
    for readings, gain in reversed(found):
        if _believed(line, units, readings, gain, read):
            yield readings, gain


def _trimmed(
    line: str, units: Units, stretch: list[tuple[int, Reading]], read: str
) -> tuple[list[tuple[int, Reading]], float]:
    """Without ASCII at its ends; and the gain against leaving it as it is."""
    while stretch and stretch[-1][1].text < "\x80":
        stretch.pop()
    while stretch and stretch[0][1].text < "\x80":
        stretch.pop(0)
    if not stretch:
        return [], 0.0
    first, last = units.chars[stretch[0][0]], units.chars[_end(stretch) - 1]
    stay = sum(map(_kept_scores(read).__getitem__, line[first : last + 1]))
    return stretch, sum(reading.score for _, reading in stretch) - stay


def _end(stretch: list[tuple[int, Reading]]) -> int:
    at, reading = stretch[-1]
    return at + reading.length


def _believed(line: str, units: Units, stretch: list[tuple[int, Reading]], gain: float, read: str) -> bool:
    """Whether a stretch is long, likely and well-formed enough to be changed."""
    if not stretch:
        return False
    first, last = units.chars[stretch[0][0]], units.chars[_end(stretch) - 1]
    old = [char for char in line[first : last + 1] if char >= "\x80"]
    new = [reading for _, reading in stretch if reading.text >= "\x80"]
    sure = [reading for reading in new if reading.text != LOST_CHAR]
    least = LEAST_OLD[read]
    if len(old) < least or len(sure) < 2 or len(sure) < 0.6 * len(new) or gain < LEAST_GAIN:
        return False
    if read == LATIN and not _dense([reading.text for _, reading in stretch]):
        return False
    mean = sum(reading.score for reading in sure) / len(sure)
    lowest = LOWEST_MEAN if len(sure) >= 6 else LOWEST_MEAN_SHORT
    if mean < lowest or _in_order(old):
        return False
    # ideographs may become other ideographs by chance, but not words
    if read == LATIN or len(sure) >= LONG:
        return True
    pairs = statistics.text_logprobs("".join(reading.text for reading in sure))[1:]
    return float(pairs.mean()) >= LOWEST_PAIR_MEAN


def _dense(texts: list[str]) -> bool:
    """Whether what is no ASCII stands together, as in Chinese, and not letter by letter, as in other languages."""
    together = sum(a >= "\x80" and b >= "\x80" for a, b in pairwise(texts))
    return together > 0 and 2 * together >= sum(text >= "\x80" for text in texts) - 1


LEAST_OLD = {LATIN: 4, GB: 5, BIG5: 5}  # characters that are not ASCII
LOWEST_MEAN = -10.0
LOWEST_MEAN_SHORT = -9.0
LOWEST_PAIR_MEAN = -8.3  # log P(character | the one before), of short stretches
LONG = 12  # characters; so many do not become likely ones by chance


def _in_order(chars: Sequence[str]) -> bool:
    """Whether the characters come in the order of a code table."""
    steps = [ord(b) - ord(a) for a, b in pairwise(chars)]
    return sum(step == 1 for step in steps) > len(steps) / 2


def _kept_score(char: str, read: str) -> float:
    if read == LATIN and char >= "\x80":
        return LATIN_SCORE
    return _score(char)


@lru_cache(maxsize=16_384)
def _score(text: str) -> float:
    return float(statistics.reading_scores()[statistics.codes(text)].sum())


# ---- reading bytes ---------------------------------------------------------------------------------------


def _window(raw: list[int], at: int, written: str) -> tuple[int, ...]:
    """The bytes on which the reading at unit `at` depends; few where they are known, so that it is often cached."""
    byte = raw[at]
    if 0 <= byte < 0x80:
        return (byte,)
    if written == UTF8 and 0xE0 <= byte < 0xF0:
        window = tuple(raw[at : at + 3])
        if LOST not in window and _decoded(window, UTF8) is not None:
            return window
    elif byte != LOST and LOST not in raw[at + 1 : at + 2]:
        return tuple(raw[at : at + 2])
    return tuple(raw[at : at + 5])


@lru_cache(maxsize=65_536)
def _readings(window: tuple[int, ...], read: str, written: str) -> tuple[Reading, ...]:
    """The ways to read a character of codec `written` at the beginning of the bytes."""
    byte = window[0]
    if 0 <= byte < 0x80:
        return (Reading(1, chr(byte), _score(chr(byte))),)
    return tuple(_utf8_readings(window, read) if written == UTF8 else _double_readings(window, read, written))


def _double_readings(window: tuple[int, ...], read: str, written: str) -> list[Reading]:
    readings = [Reading(1, LOST_CHAR, BROKEN_SCORE - 3)]
    pair = window[:2]
    if len(pair) == 2 and LOST in pair:
        readings += _double_guess(window, read, written)
    elif len(pair) == 2 and (text := _decoded(pair, written)) is not None:
        readings.append(Reading(2, text, _score(text)))
    if read == LATIN and window[0] != LOST:  # a soft hyphen is the byte that programs drop
        text = _decoded((window[0], 0xAD), written)
        if text is not None and _score(text) > -10:
            readings.append(Reading(1, text, _score(text) + MISSING_SCORE, (text,)))
    return readings


def _double_guess(window: tuple[int, ...], read: str, written: str) -> list[Reading]:
    """A double-byte character of which one byte was lost."""
    first, second = window[:2]
    following = window[2] if len(window) > 2 else None
    firsts = (first,) if first != LOST else _lost_bytes(tuple(range(0xA1, 0xFA)), second, read)
    seconds = (second,) if second != LOST else _lost_bytes(DOUBLE_SECONDS, following, read)
    if LOST in (*firsts, *seconds) or len(firsts) * len(seconds) > 100:
        return [Reading(2, LOST_CHAR, BROKEN_SCORE)]
    texts = (_decoded((a, b), written) for a in firsts for b in seconds)
    likely = tuple(dict.fromkeys(text for text in texts if text and _score(text) > -12))
    return [Reading(2, LOST_CHAR, BROKEN_SCORE), *_guess(likely, 2, FILL_SCORE, read)]


def _utf8_readings(window: tuple[int, ...], read: str) -> list[Reading]:
    lead = window[0]
    # of a text that was misread twice, the second byte of C2 xx may have been dropped
    halved = read == LATIN and lead == 0xC2
    readings = [Reading(1, LOST_CHAR, LATIN_SCORE - 2 if halved else BROKEN_SCORE - 3)]
    if lead != LOST and not 0xC2 <= lead < 0xF5:
        return readings
    length = 3 if lead == LOST else 2 if lead < 0xE0 else 3 if lead < 0xF0 else 4
    options = [_options(window, place, read) for place in range(length)]
    there = next((i for i, option in enumerate(options) if not option), length)
    if there == length:
        filled = _filled(window, options, read)
        if filled and all(len(option) == 1 for option in options):
            return filled
        readings += filled
    elif there > 1:
        readings.append(Reading(there, LOST_CHAR, BROKEN_SCORE))
    if length == 3 and there >= 2 and LOST not in window[:2]:
        readings += _missing(window, read)
    return readings


def _options(window: tuple[int, ...], place: int, read: str) -> tuple[int, ...]:
    """The bytes that may have stood at this place of a character in UTF-8."""
    if place >= len(window):
        return ()
    byte = window[place]
    following = window[place + 1] if place + 1 < len(window) else None
    if byte == LOST:
        return _lost_bytes(CONTINUATIONS if place else LEADS, following, read)
    if not place:
        return (byte,)
    if byte == 0x20 and read == LATIN:
        return (0xA0,)
    if byte == 0x3F and read != LATIN:  # many programs write a question mark for what they cannot read
        return _lost_bytes(CONTINUATIONS, following, read)
    return (byte,) if 0x80 <= byte < 0xC0 else ()


@lru_cache(maxsize=4096)
def _lost_bytes(allowed: tuple[int, ...], following: int | None, read: str) -> tuple[int, ...]:
    """Those of the allowed bytes that the codec `read` could not read before the byte that follows."""
    if read == LATIN:
        return tuple(byte for byte in allowed if byte in DROPPED)
    if following is None or following == LOST or following < 0x40:
        return allowed
    return tuple(byte for byte in allowed if _decoded((byte, following), "gbk") is None)


def _filled(window: tuple[int, ...], options: list[tuple[int, ...]], read: str) -> list[Reading]:
    """A whole character, with one byte filled in where it was lost."""
    length = len(options)
    open_places = [i for i in range(length) if len(options[i]) > 1]
    spaces = window[:length].count(0x20)
    if len(open_places) > 1 and (window[0] not in (0xE3, 0xEF) or length != 3):
        return [Reading(length, LOST_CHAR, BROKEN_SCORE)]
    if not open_places:
        text = _decoded(tuple(option[0] for option in options), UTF8)
        if text is None or not _welcome(text, read):
            return []
        return [Reading(length, text, _new_score(text, read) + SPACE_SCORE * spaces)]
    texts = _candidates(tuple(options), read)  # of two lost bytes only in punctuation: there are few marks
    return _guess(texts, length, FILL_SCORE + SPACE_SCORE * spaces, read)


def _missing(window: tuple[int, ...], read: str) -> list[Reading]:
    """Three bytes of which one left no trace: the second or the third."""
    lead, second = window[:2]
    following = window[2] if len(window) > 2 else None
    if not 0x80 <= second < 0xC0 or (following is not None and 0x80 <= following < 0xC0):
        return []
    lost = DROPPED if read == LATIN else _lost_bytes(CONTINUATIONS, following, read)
    texts = _candidates(((lead,), (second,), lost), read) + _candidates(((lead,), lost, (second,)), read)
    return _guess(texts, 2, MISSING_SCORE, read)


def _guess(texts: tuple[str, ...], length: int, penalty: float, read: str) -> list[Reading]:
    if not texts:
        return []
    best = max(texts, key=lambda text: _new_score(text, read))
    return [Reading(length, best, _new_score(best, read) + penalty, texts)]


def _new_score(text: str, read: str) -> float:
    """Signs of cp1252 are welcome: of a text that was misread twice, the first repair finds them."""
    return LATIN_SCORE if read == LATIN and text in _latin_bytes() else _score(text)


@lru_cache(maxsize=4096)
def _candidates(options: tuple[tuple[int, ...], ...], read: str) -> tuple[str, ...]:
    """All likely characters that the bytes can make."""
    found = []
    for first in options[0]:
        for second in options[1]:
            for third in options[2] if len(options) > 2 else (-1,):
                text = _decoded((first, second) if third < 0 else (first, second, third), UTF8)
                if text and text != LOST_CHAR and _new_score(text, read) > -14:
                    found.append(text)
    return tuple(dict.fromkeys(found))


@lru_cache(maxsize=65_536)
def _decoded(raw: tuple[int, ...], codec: str) -> str | None:
    try:
        return bytes(raw).decode(codec)
    except (UnicodeDecodeError, ValueError):
        return None


def _welcome(text: str, read: str) -> bool:
    """Whether a character may come out of a repair: letters of Latin are another library's business, and a lost
    character is no repair."""
    if text == LOST_CHAR:
        return False
    return read != LATIN or text >= "\u2000" or text in _latin_bytes()


# ---- the result ------------------------------------------------------------------------------------------


def _pieces(line: str, units: Units, stretch: list[tuple[int, Reading]]) -> Iterator[Piece]:
    """The stretch cut where old and new characters both begin, guessed characters apart from sure ones."""
    start = stretch[0][0]
    end = _end(stretch)
    before = line[units.chars[start] - 1 : units.chars[start]] or statistics.BOUNDARY
    last = units.chars[end] if end < units.size else units.chars[-1] + 1
    texts, guessed = _chosen(stretch, before, line[last : last + 1] or statistics.BOUNDARY)
    text, guess = "", False
    done: list[Piece] = []
    for i, (at, reading) in enumerate(stretch):
        text += texts[i]
        guess = guess or guessed[i]
        end = at + reading.length
        if end == units.size or units.firsts[end]:
            first = units.chars[start]
            last = units.chars[end] if end < units.size else units.chars[-1] + 1
            if done and done[-1].guessed == guess:
                done[-1] = Piece(done[-1].start, last, done[-1].text + text, guess)
            else:
                done.append(Piece(first, last, text, guess))
            start, text, guess = end, "", False
    yield from (piece for piece in done if line[piece.start : piece.end] != piece.text)


def _chosen(stretch: list[tuple[int, Reading]], before: str, after: str) -> tuple[list[str], list[bool]]:
    """The texts, and which of them are guesses. Among several candidates the neighbours decide; when none is
    likely enough, the character stays lost."""
    texts = [reading.text for _, reading in stretch]
    guessed = [False] * len(texts)
    for i, (_, reading) in enumerate(stretch):
        candidates = reading.candidates
        guessed[i] = len(candidates) == 1 and reading.score < _score(reading.text) + MISSING_SCORE + 1
        if len(candidates) < 2:
            continue
        left = texts[i - 1] if i else before
        right = texts[i + 1] if i + 1 < len(texts) else after
        if i + 1 < len(texts) and len(stretch[i + 1][1].candidates) > 1:
            right = ""
        chances = _chances(left[-1], candidates, right[:1])
        best = int(np.argmax(chances))
        guessed[i] = bool(chances[best] >= SURE)
        texts[i] = candidates[best] if guessed[i] else LOST_CHAR
    return texts, guessed


def _chances(before: str, candidates: tuple[str, ...], after: str) -> statistics.Floats:
    """P(candidate | neighbours), one each."""
    middle = statistics.codes("".join(candidate[0] for candidate in candidates))
    scores = statistics.bigram_logprobs(statistics.codes(before), middle)
    if after:
        scores = scores + statistics.bigram_logprobs(middle, statistics.codes(after))
    weights = np.exp(scores - scores.max())
    chances: statistics.Floats = weights / weights.sum()
    return chances
