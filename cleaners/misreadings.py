"""Misreadings: text that was written in one codec and read in another, taken back along its bytes.

The characters of a line are turned into the bytes that they were read from, and the likeliest way to read these
bytes is searched, stretch by stretch: some characters stay as they are, others belong to misread stretches.
Bytes that were lost on the way are filled in where only one character fits, or one is far likelier.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import statistics
from .misread_pieces import MISSING_SCORE, Piece, Reading, Readings, pieces
from .misread_units import (
    BIG5,
    BROKEN_BYTE_SCORE,
    BROKEN_SCORE,
    ENTER_SCORE,
    FEWEST_UNITS,
    GB,
    LATIN,
    LATIN_SCORE,
    LOST,
    LOST_CHAR,
    UTF8,
    Places,
    Runs,
    Scores,
    Units,
    latin_bytes,
    new_scores,
    score_of,
    segments,
)

LONGEST_LINE = 100_000  # characters: longer lines are repaired only if they lost nothing

SPACE_SCORE = -1.0  # for a space in the place of the byte A0
FILL_SCORE = -3.0  # for filling in a byte
LEAST_GAIN = 8.0  # how much likelier a stretch has to become
LEAST_CANDIDATE = -14.0  # log P of a character that may be filled in
CONTINUATIONS = tuple(range(0x80, 0xC0))
# Bytes that cp1252 does not know, and those that later programs drop
DROPPED = (0x81, 0x8D, 0x8F, 0x90, 0x9D, 0xA0, 0xAD)
DOUBLE_SECONDS = (*range(0x40, 0x7F), *range(0xA1, 0xFF))
LEADS = (*range(0xE3, 0xEA), 0xEF)


class Asked(NamedTuple):
    """A line, the codec that it may have been read in, and the parts [start, end) of it that were, sorted and apart
    from each other."""

    line: str
    read: str
    parts: tuple[tuple[int, int], ...]

    @property
    def size(self) -> int:
        """Characters that may be repaired."""
        return sum([end - start for start, end in self.parts])


class Repair(NamedTuple):
    """The pieces of a line that were written in `written` and read in `read`, and the gain in log P."""

    written: str
    read: str
    pieces: tuple[Piece, ...]
    gain: float

    @property
    def size(self) -> int:
        """Characters that it changes."""
        return sum([piece.end - piece.start for piece in self.pieces])


def likeliest(repairs: Sequence[Repair]) -> Repair | None:
    return max(repairs, key=lambda repair: repair.gain, default=None)


WRITTEN = {LATIN: (UTF8, GB, BIG5), GB: (UTF8, BIG5), BIG5: (GB,)}


def likelihood(text: str) -> float:
    """log P of a text that may hold Latin letters."""
    return float(new_scores(LATIN)[statistics.codes(text)].sum())


def likelihood_of_each(text: str) -> float:
    """Mean log P of the characters of a text that is not empty."""
    return score_of(text) / len(text)


def repair_of(asked: Asked, written: str) -> Repair | None:
    """The repair by the likeliest reading of a line in the codec `written`; None when there is none."""
    line, read, parts = asked
    found: list[Piece] = []
    gain = 0.0
    for units in (units for part in parts for units in segments(line, read, part, LEAST_OLD[read])):
        stretches = []
        for stretch, better in _stretches(line, units, read, written):
            stretches.append(stretch)
            gain += better
        found += _pieces(line, units, stretches) if stretches else ()
    return Repair(written, read, tuple(found), gain) if found else None


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
    Runs that lost nothing are gone over in one step where that changes nothing.
    """
    kept, taken = _Ways.to(units.size), _Ways.to(units.size)
    kept_scores, taken_scores = kept.scores, taken.scores
    kept_scores[0] = 0.0
    firsts, stay, raw, size = [*units.firsts, True], units.stay, units.bytes, units.size
    alone = _readings_alone(read, written)
    runs = Runs(units, read) if written == UTF8 and size >= FEWEST_UNITS else None
    starts = runs.starts if runs else {}
    at = 0
    while at < size:
        if runs and at in starts:
            end = runs.end(starts[at], at, taken_scores[at] >= kept_scores[at])
            if end > at:
                _step(kept, taken, runs, at, end)
                at = end
                continue
        score, before = taken_scores[at], False
        if firsts[at]:  # only between characters can a stretch begin or end
            stays = kept_scores[at]
            here = stays if stays >= score else score
            if here > -1e29:
                end = at + 1 if firsts[at + 1] else at + 2
                total = here + stay[at]
                if total > kept_scores[end]:
                    kept_scores[end], kept.backs[end], kept.before_kept[end] = total, at, stays >= score
            if stays + ENTER_SCORE > score:
                score, before = stays + ENTER_SCORE, True
        if score > -1e29:
            for reading in alone[raw[at]] or readings_of(_window(raw, at, read, written), read, written):
                end = at + reading[0]
                total = score + reading[2]
                if total > taken_scores[end]:
                    taken_scores[end] = total
                    taken.backs[end], taken.before_kept[end], taken.readings[end] = at, before, reading
        at += 1
    yield from _accepted(line, units, kept, taken, read, runs)


def _step(kept: _Ways, taken: _Ways, runs: Runs, at: int, end: int) -> None:
    """The ways over a run in one step: all characters stay, or all are read."""
    stays, score = kept.scores[at], taken.scores[at]
    kept.scores[end] = max(stays, score) + runs.kept[end] - runs.kept[at]
    kept.backs[end], kept.before_kept[end] = at, stays >= score
    chain = runs.chain[end] - runs.chain[at]
    before = stays + ENTER_SCORE > score
    taken.scores[end] = (stays + ENTER_SCORE if before else score) + chain
    taken.backs[end], taken.before_kept[end], taken.readings[end] = at, before, Reading(end - at, "", chain)


def _accepted(
    line: str, units: Units, kept: _Ways, taken: _Ways, read: str, runs: Runs | None
) -> Iterator[tuple[list[tuple[int, Reading]], float]]:
    at = units.size
    staying = kept.scores[at] >= taken.scores[at]
    found: list[tuple[list[tuple[int, Reading]], float]] = []
    stretch: list[tuple[int, Reading]] = []
    while at > 0:
        ways = kept if staying else taken
        back, before_kept, reading = ways.backs[at], ways.before_kept[at], ways.readings[at]
        if reading is not None:
            if runs and not reading.text:
                stretch += _spelled(units, runs, back, at)
            else:
                stretch.append((back, reading))
            if before_kept:
                found.append(trimmed(units, stretch[::-1]))
                stretch = []
        at, staying = back, before_kept
    if stretch:
        found.append(trimmed(units, stretch[::-1]))
    for readings, gain in reversed(found):
        if is_believed(line, units, readings, gain, read):
            yield readings, gain


_ALIKE = re.compile("[\x00-\x7f]+|[^\x00-\x7f]+")


def _spelled(units: Units, runs: Runs, start: int, end: int) -> list[tuple[int, Reading]]:
    """A step as readings, the last one first: ASCII apart from other characters."""
    found: list[tuple[int, Reading]] = []
    at = start
    for text in _ALIKE.findall(bytes(units.bytes[start:end]).decode(UTF8)):
        after = at + (len(text) if text < "\x80" else 3 * len(text))
        found.append((at, Reading(after - at, text, runs.chain[after] - runs.chain[at])))
        at = after
    return found[::-1]


def trimmed(units: Units, stretch: list[tuple[int, Reading]]) -> tuple[list[tuple[int, Reading]], float]:
    """Without ASCII at its ends; and the gain against leaving it as it is."""
    while stretch and stretch[-1][1].text < "\x80":
        stretch.pop()
    while stretch and stretch[0][1].text < "\x80":
        stretch.pop(0)
    if not stretch:
        return [], 0.0
    start = stretch[0][0]
    stay = sum(units.stay[start if units.firsts[start] else start - 1 : _end(stretch)])
    return stretch, sum([reading.score for _, reading in stretch]) - stay


def _old(line: str, units: Units, stretch: list[tuple[int, Reading]]) -> str:
    """What stands in the place of a stretch."""
    return line[units.chars[stretch[0][0]] : units.chars[_end(stretch) - 1] + 1]


def _end(stretch: list[tuple[int, Reading]]) -> int:
    at, reading = stretch[-1]
    return at + reading.length


def is_believed(line: str, units: Units, stretch: list[tuple[int, Reading]], gain: float, read: str) -> bool:
    """Whether a stretch is long, likely and well-formed enough to be changed."""
    if not stretch or gain < LEAST_GAIN:
        return False
    old = _points(_old(line, units, stretch))
    new = [reading for _, reading in stretch if reading.text >= "\x80"]
    sure = [reading for reading in new if reading.text != LOST_CHAR]
    all_count, count = sum(map(_count, new)), sum(map(_count, sure))
    if len(old) < LEAST_OLD[read] or count < 2 or count < LEAST_SURE * all_count:
        return False
    if read == LATIN and not dense("".join([reading.text for _, reading in stretch])):
        return False
    mean = sum(reading.score for reading in sure) / count
    lowest = LOWEST_MEAN if count >= NOT_SHORT else LOWEST_MEAN_SHORT
    if mean < lowest or _in_order(old):
        return False
    # ideographs may become other ideographs by chance, but not words
    if read == LATIN or count >= LONG:
        return True
    return are_likely_pairs(["".join([reading.text for reading in sure])])[0]


def are_likely_pairs(texts: Sequence[str]) -> list[bool]:
    """Per text, of two characters or more, whether its characters are likely to stand beside each other."""
    points = statistics.codes("".join(texts))
    logs = statistics.bigram_logprobs(points[:-1], points[1:])
    found, at = [], 0
    for text in texts:
        pairs = logs[at : at + len(text) - 1]
        found.append(float(pairs.sum() / len(pairs)) >= LOWEST_PAIR_MEAN)
        at += len(text)
    return found


def _count(reading: Reading) -> int:
    """Characters of a reading; where bytes are searched, it is one."""
    return len(reading.text) if reading.length > 3 else 1


def _points(text: str) -> NDArray[np.uint32]:
    """The code points of a text that are not ASCII."""
    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4")
    return points[points >= 0x80]


def dense(text: str) -> bool:
    """Whether what is no ASCII stands together, as in Chinese, and not letter by letter, as in other languages."""
    wide = statistics.codes(text) >= 0x80
    together = np.count_nonzero(wide[1:] & wide[:-1])
    return bool(together > 0 and 2 * together >= np.count_nonzero(wide) - 1)


LEAST_OLD = {LATIN: 4, GB: 5, BIG5: 5}  # characters that are not ASCII
LEAST_SURE = 0.6  # of the characters, without those that stay lost
LOWEST_MEAN = -10.0
LOWEST_MEAN_SHORT = -9.0
NOT_SHORT = 6  # characters
LOWEST_PAIR_MEAN = -8.3  # log P(character | the one before), of short stretches
LONG = 12  # characters; so many do not become likely ones by chance


def _in_order(points: NDArray[np.uint32]) -> bool:
    """Whether the characters come in the order of a code table."""
    return bool(np.count_nonzero(points[1:] == points[:-1] + 1) > (len(points) - 1) / 2)


# ---- reading bytes ---------------------------------------------------------------------------------------


def _window(raw: list[int], at: int, read: str, written: str) -> tuple[int, ...]:
    """The bytes on which the reading at unit `at` depends; few where they are known, so that it is often cached."""
    byte = raw[at]
    if written == UTF8 and (0xE0 <= byte < 0xF0 or byte == LOST):
        window = tuple(raw[at : at + 3])
        if LOST not in window and _decoded(window, UTF8) is not None:
            return window
        if read == LATIN:  # of a byte that cannot go on, it does not matter which one it is
            return (byte, *[one if one < 0xC0 and (one >= 0x80 or one in (0x20, LOST)) else 0 for one in window[1:]])
        # what follows a lost byte, or a question mark, tells which one it may be
        return tuple(raw[at : at + 4]) if window[2:] in ((LOST,), (0x3F,)) else window
    if byte != LOST and LOST not in raw[at + 1 : at + 2]:
        return tuple(raw[at : at + 2])
    return tuple(raw[at : at + 5])


def readings_at(raw: list[int], at: int, read: str) -> tuple[Reading, ...]:
    """The ways to read a character of UTF-8 at a unit."""
    return _readings_alone(read, UTF8)[raw[at]] or readings_of(_window(raw, at, read, UTF8), read, UTF8)


@cache
def _readings_alone(read: str, written: str) -> list[tuple[Reading, ...]]:
    """By byte: the readings, where they do not depend on what follows, as of ASCII and of what stands inside a
    character of UTF-8; none elsewhere, and for LOST, which is the last of the list."""
    known = [byte < 0x80 or (written == UTF8 and byte < 0xC2) for byte in range(0x100)]
    return [readings_of((byte,), read, written) if known[byte] else () for byte in range(0x100)] + [()]


@lru_cache(maxsize=65_536)
def readings_of(window: tuple[int, ...], read: str, written: str) -> tuple[Reading, ...]:
    """The ways to read a character of codec `written` at the beginning of the bytes."""
    byte = window[0]
    if 0 <= byte < 0x80:
        return (Reading(1, chr(byte), score_of(chr(byte))),)
    return tuple(_utf8_readings(window, read) if written == UTF8 else _double_readings(window, read, written))


def _double_readings(window: tuple[int, ...], read: str, written: str) -> list[Reading]:
    readings = [Reading(1, LOST_CHAR, BROKEN_BYTE_SCORE)]
    pair = window[:2]
    if len(pair) == 2 and LOST in pair:
        readings += _double_guess(window, read, written)
    elif len(pair) == 2 and (text := _double(*pair, written)) is not None:
        readings.append(Reading(2, text, score_of(text)))
    if read == LATIN and window[0] != LOST:  # a soft hyphen is the byte that programs drop
        text = _double(window[0], 0xAD, written)
        if text is not None and score_of(text) > -10:
            readings.append(Reading(1, text, score_of(text) + MISSING_SCORE, (text,)))
    return readings


def _double_guess(window: tuple[int, ...], read: str, written: str) -> list[Reading]:
    """A double-byte character of which one byte was lost."""
    first, second = window[:2]
    following = window[2] if len(window) > 2 else None
    firsts = (first,) if first != LOST else lost_bytes(tuple(range(0xA1, 0xFA)), second, read)
    seconds = (second,) if second != LOST else lost_bytes(DOUBLE_SECONDS, following, read)
    if LOST in (*firsts, *seconds) or len(firsts) * len(seconds) > 100:
        return [Reading(2, LOST_CHAR, BROKEN_SCORE)]
    known = _likely_doubles(written)
    texts = [known.get(first << 8 | second, "") for first in firsts for second in seconds]
    likely = tuple(dict.fromkeys(filter(None, texts)))
    return [Reading(2, LOST_CHAR, BROKEN_SCORE), *_guess(_choices(likely, read), 2, FILL_SCORE)]


LEAST_DOUBLE = -12  # log P of a double-byte character that may be filled in


def _double(first: int, second: int, written: str) -> str | None:
    return doubles(written).get(first << 8 | second)


@cache
def doubles(written: str) -> dict[int, str]:
    """The double-byte characters, by both bytes."""
    pairs = (np.arange(0x81, 0xFF)[:, None] << 8 | np.arange(0x40, 0xFF)).ravel()
    raw = (pairs << 8 | ord("\n")).astype(">u4").view(np.uint8).reshape(-1, 4)[:, 1:].tobytes()
    texts = raw.decode(written, "replace").split("\n")[:-1]  # all at once: what is none holds a lost character
    return {pair: text for pair, text in zip(pairs.tolist(), texts, strict=True) if LOST_CHAR not in text}


@cache
def _likely_doubles(written: str) -> dict[int, str]:
    """The double-byte characters that may be filled in, by both bytes."""
    codes, scores = doubles_scored(written)
    known = doubles(written)
    return {code: known[code] for code in codes[scores > LEAST_DOUBLE].tolist()}


@cache
def doubles_scored(written: str) -> tuple[Places, Scores]:
    """The double-byte characters: both bytes of each, and its log P."""
    known = doubles(written)
    scores = statistics.reading_scores()[statistics.codes("".join([text[0] for text in known.values()]))].astype(float)
    for i, text in enumerate(known.values()):
        if len(text) > 1:
            scores[i] = score_of(text)
    return np.array(list(known)), scores


def _utf8_readings(window: tuple[int, ...], read: str) -> list[Reading]:
    lead = window[0]
    # of a text that was misread twice, the second byte of C2 xx may have been dropped
    halved = read == LATIN and lead == 0xC2
    readings = [Reading(1, LOST_CHAR, LATIN_SCORE - 2 if halved else BROKEN_BYTE_SCORE)]
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
        return lost_bytes(CONTINUATIONS if place else LEADS, following, read)
    if not place:
        return (byte,)
    if byte == 0x20 and read == LATIN:
        return (0xA0,)
    if byte == 0x3F and read != LATIN:  # many programs write a question mark for what they cannot read
        return lost_bytes(CONTINUATIONS, following, read)
    return (byte,) if 0x80 <= byte < 0xC0 else ()


@lru_cache(maxsize=4096)
def lost_bytes(allowed: tuple[int, ...], following: int | None, read: str) -> tuple[int, ...]:
    """Those of the allowed bytes that the codec `read` could not read before the byte that follows."""
    if read == LATIN:
        return tuple(byte for byte in allowed if byte in DROPPED)
    if following is None or following == LOST or following < 0x40:
        return allowed
    pairs = b"\n".join([bytes((byte, following)) for byte in allowed])
    texts = pairs.decode("gbk", "replace").split("\n")  # all at once: what is none holds a lost character
    return tuple([byte for byte, text in zip(allowed, texts, strict=True) if LOST_CHAR in text])


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
    choices = _candidates(tuple(options), read)  # of two lost bytes only in punctuation: there are few marks
    return _guess(choices, length, FILL_SCORE + SPACE_SCORE * spaces)


def _missing(window: tuple[int, ...], read: str) -> list[Reading]:
    """Three bytes of which one left no trace: the second or the third."""
    lead, second = window[:2]
    following = window[2] if len(window) > 2 else None
    if not 0x80 <= second < 0xC0 or (following is not None and 0x80 <= following < 0xC0):
        return []
    lost = DROPPED if read == LATIN else lost_bytes(CONTINUATIONS, following, read)
    third, other = _candidates(((lead,), (second,), lost), read), _candidates(((lead,), lost, (second,)), read)
    likelier = third if third.score >= other.score else other
    return _guess(likelier._replace(texts=third.texts + other.texts), 2, MISSING_SCORE)


class _Choices(NamedTuple):
    """Characters that lost bytes may have been, the likeliest one, and its log P; none and "" when there are none."""

    texts: tuple[str, ...]
    best: str
    score: float


def _choices(texts: tuple[str, ...], read: str) -> _Choices:
    if not texts:
        return _NO_CHOICES
    table = _new_score_list(read)
    scores = [table[ord(text)] if text < _ASTRAL else table[statistics.OUTSIDE] for text in texts]
    most = max(scores)
    return _Choices(texts, texts[scores.index(most)], most)


_ASTRAL = "\U00010000"
_NO_CHOICES = _Choices((), "", -np.inf)


def _guess(choices: _Choices, length: int, penalty: float) -> list[Reading]:
    return [Reading(length, choices.best, choices.score + penalty, choices.texts)] if choices.texts else []


def _new_score(text: str, read: str) -> float:
    """Signs of cp1252 are welcome: of a text that was misread twice, the first repair finds them."""
    return LATIN_SCORE if read == LATIN and text in latin_bytes() else score_of(text)


@lru_cache(maxsize=4096)
def _candidates(options: tuple[tuple[int, ...], ...], read: str) -> _Choices:
    """All likely characters of two or three bytes that the bytes can make, in their order."""
    if len(options) > 3 or not all(options):
        return _NO_CHOICES
    table = _new_score_list(read)
    points = [point for point in _points_of(options, read) if table[point] > LEAST_CANDIDATE and point != _LOST_CODE]
    if not points:
        return _NO_CHOICES
    best = max(points, key=table.__getitem__)
    return _Choices(tuple(map(chr, points)), chr(best), table[best])


def _points_of(options: tuple[tuple[int, ...], ...], read: str) -> list[int]:
    """The characters that the bytes make; of three bytes those that are not written with fewer, and no halves of
    UTF-16."""
    if len(options) == 2:
        return [(a & 0x1F) << 6 | b & 0x3F for a in options[0] for b in options[1]]
    first, second, third = options
    if len(second) * len(third) > MANY:
        both, last = {byte & 0x3F for byte in second}, {byte & 0x3F for byte in third}
        likely = [point for byte in first for point in _likely_points(byte & 0x0F, read)]
        return [point for point in likely if point >> 6 & 0x3F in both and point & 0x3F in last]
    points = [(a & 0x0F) << 12 | (b & 0x3F) << 6 | c & 0x3F for a in first for b in second for c in third]
    return [point for point in points if point >= 0x800 and point >> 11 != 0x1B]


_LOST_CODE = ord(LOST_CHAR)
MANY = 256  # characters; where there may be more, only the likely ones are looked at


@cache
def _likely_points(row: int, read: str) -> list[int]:
    """The characters from row * 4096 on, of three bytes of UTF-8, that may be filled in."""
    rows = new_scores(read)[row << 12 : (row + 1) << 12]
    points: list[int] = ((rows > LEAST_CANDIDATE).nonzero()[0] + (row << 12)).tolist()
    return [point for point in points if point >= 0x800 and point >> 11 != 0x1B]


@cache
def _new_score_list(read: str) -> list[float]:
    """`new_scores` as numbers of Python."""
    table: list[float] = new_scores(read).tolist()
    return table


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
    return read != LATIN or text >= "\u2000" or text in latin_bytes()


# ---- the result ------------------------------------------------------------------------------------------


def _pieces(line: str, units: Units, stretches: list[list[tuple[int, Reading]]]) -> Iterator[Piece]:
    """The pieces of stretches of `units`."""
    chars = [*units.chars, units.chars[-1] + 1]
    firsts, ends = [chars[stretch[0][0]] for stretch in stretches], [chars[_end(stretch)] for stretch in stretches]
    sizes = np.array([len(stretch) for stretch in stretches])
    places, own = zip(*[reading for stretch in stretches for reading in stretch], strict=True)
    readings = Readings(
        sizes.cumsum() - sizes,
        [line[at - 1 : at] or statistics.BOUNDARY for at in firsts],
        [line[at : at + 1] or statistics.BOUNDARY for at in ends],
        np.array(places),
        np.array([reading.length for reading in own]),
        [reading.text for reading in own],
        [(i, reading) for i, reading in enumerate(own) if reading.candidates],
    )
    origins = np.zeros(len(sizes), np.int64)
    for _, piece in pieces(line, readings, np.array(chars), np.append(units.first_array, True), origins):
        yield piece
