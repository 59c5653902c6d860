"""Signs of misreading: which codecs lines may have been read in, and which parts of them.

Characters around two signatures of misreading become bytes, and these are read in other codecs. Where there are many
such places, in one line or in many, all of them are tried together: a codec is asked once, and numpy for the scores.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import statistics
from .misread_units import BIG5, CP1252_MARKS, GB, LATIN, LOST_CHAR, Marks, Places, Scores
from .misreadings import likelihood_of_each
from .remembered import Remembered

Parts = tuple[tuple[str, tuple[tuple[int, int], ...]], ...]
"""Codecs, sorted, each with the parts [start, end) of a line that may have been read in it."""

LATIN_PAIR = re.compile(f"[\x80-\x9f\xc0-\xff][\x80-\xff{CP1252_MARKS}]")
TWO_UTF8_CHARS = re.compile(rb"(?s:[\xe3-\xe9\xef][\x80-\xbf]{2}.*?[\xe3-\xe9\xef][\x80-\xbf]{2})")
BEFORE, BEHIND = 2, 8  # characters before and from the first of two signatures on that are tried
MARGIN = 40  # characters on both sides of signatures that are searched for the ends of a misread stretch
SHORT = 1_000  # characters of a line about which answers are remembered
LEAST_FOREIGN = 4  # characters of a window that are not ASCII and not lost
BETTER = 1.5  # mean log P that other characters must have more than those of the window
MANY = 16  # windows that are worth to be tried together
MOST = 1 << 16  # that are held at a time
CLOSE = 1e-6  # of means of log P: sums in another order are not the same to the last digit
READS = (GB, BIG5)
Codes = NDArray[np.uint8]
OTHER = {GB: BIG5, BIG5: GB}


@cache
def signs() -> str:
    """A class of characters: signatures, and what is lost."""
    return "[" + re.escape(statistics.signatures()) + LOST_CHAR + "]"


@cache
def pairs() -> re.Pattern[str]:
    """Two signatures close together, as a group."""
    return re.compile(f"({signs()}.{{0,3}}{signs()})")


def parts_of(lines: Sequence[str]) -> list[Parts]:
    """For each line, without line breaks, what of it may be misread."""
    new = [line for line in dict.fromkeys(lines) if line not in _known]  # lines that stay are asked again
    told = dict(zip(new, _parts_of(new), strict=True))
    found = [told[line] if line in told else _known[line] for line in lines]
    _known.update({line: parts for line, parts in told.items() if len(line) <= SHORT})
    return found


_known: Remembered[str, Parts] = Remembered(len)


def _parts_of(lines: Sequence[str]) -> list[Parts]:
    text = "".join([f"{line}\n" for line in lines])
    parts: list[list[tuple[str, tuple[tuple[int, int], ...]]]] = [[] for _ in lines]
    if LATIN_PAIR.search(text):
        for own, line in zip(parts, lines, strict=True):
            if LATIN_PAIR.search(line):
                own.append((LATIN, ((0, len(line)),)))
    cut = pairs().split(text)  # between pairs, and the pairs
    if len(cut) > 1:
        spans = np.cumsum(list(map(len, cut[:-1]))).reshape(-1, 2)
        behind: Places = np.cumsum([len(line) + 1 for line in lines])
        points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4")
        page = _Page(text, points, np.concatenate([[0], behind[:-1]]), behind - 1)
        for read, number, own_parts in _parts_by_signs(page, spans):
            parts[number].append((read, own_parts))
    return [tuple(sorted(own)) for own in parts]


class _Page(NamedTuple):
    """Lines one after another, each with a line break behind it: codes of all characters, where each line begins, and
    where its line break is."""

    text: str
    points: NDArray[np.uint32]
    begins: Places
    ends: Places


def _parts_by_signs(page: _Page, spans: Places) -> Iterator[tuple[str, int, tuple[tuple[int, int], ...]]]:
    """Codec, number of the line, and the parts of it, by the places [start, end) of signatures that are together."""
    starts, ends = spans.T
    number = page.begins.searchsorted(starts, "right") - 1
    first, last = page.begins[number], page.ends[number]
    tried = _tried_first(page, starts, number, ends + MARGIN >= last)
    for bit, read in enumerate(READS):
        found = (tried & 1 << bit).nonzero()[0]
        if not len(found):
            continue
        begin, own = np.maximum(starts[found] - MARGIN, first[found]), number[found]
        end = np.minimum(ends[found] + MARGIN, last[found])
        # what overlaps is one part
        is_new = np.append(True, (begin[1:] > end[:-1]) | (own[1:] != own[:-1])).nonzero()[0]
        stop = np.append(is_new[1:], len(found)) - 1
        lines = own[is_new]
        begin, end = begin[is_new] - page.begins[lines], end[stop] - page.begins[lines]
        told: dict[int, list[tuple[int, int]]] = {}
        for line, part in zip(lines.tolist(), zip(begin.tolist(), end.tolist(), strict=True), strict=True):
            told.setdefault(line, []).append(part)
        for line, own_parts in told.items():
            yield read, line, tuple(own_parts)


def _tried_first(page: _Page, starts: Places, number: Places, is_enough: Marks) -> Codes:
    """Per place which codecs the line may have been read in, READS by their bits. First the first signatures of each
    line are tried: where they tell as much as all of a line can, the others are not.

    is_enough  per place whether the parts around it reach to the end of the line
    """
    tried = np.zeros(len(starts), np.uint8)
    is_first = np.append(True, number[1:] != number[:-1])
    _try(page, starts, is_first.nonzero()[0], tried)
    is_done = (tried[is_first] == 3) & is_enough[is_first]
    _try(page, starts, (~is_first & ~is_done[is_first.cumsum() - 1]).nonzero()[0], tried)
    return tried


def _try(page: _Page, starts: Places, wanted: Places, tried: Codes) -> None:
    """Tries some of the places."""
    for first in range(0, len(wanted), MOST):
        some = wanted[first : first + MOST]
        if len(some) < MANY:
            for i in some.tolist():
                at = int(starts[i])
                first, last = page.text.rfind("\n", 0, at) + 1, page.text.find("\n", at)
                tried[i] = _tried(page.text[max(first, at - BEFORE) : min(last, at + BEHIND)])
        else:
            tried[some] = _tried_together(page, starts[some])


# ---- windows -------------------------------------------------------------------------------------------------


_NOT_FOREIGN = re.compile(f"[\x00-\x7f{LOST_CHAR}]+")


def _tried(window: str) -> int:
    """The codecs that the line may have been read in, by the characters around a place: READS by their bits."""
    if TWO_UTF8_CHARS.search(window.encode(GB, "ignore")):
        return 1
    foreign = _NOT_FOREIGN.sub("", window)
    if len(foreign) < LEAST_FOREIGN:
        return 0
    least = likelihood_of_each(foreign) + BETTER
    return sum([_is_likely(window, read, OTHER[read], least) << bit for bit, read in enumerate(READS)])


def _is_likely(window: str, read: str, written: str, least: float) -> bool:
    """Are the characters of a window likely when their bytes are read in another codec?"""
    new = window.encode(read, "ignore").decode(written, "ignore")
    return len(new) >= LEAST_FOREIGN and likelihood_of_each(new) > least


def _tried_together(page: _Page, starts: Places) -> Codes:
    """`_tried` of the windows around places."""
    found = _has_two_chars(_windows(page, starts).encode(GB, "ignore")).astype(np.uint8)
    left = (found == 0).nonzero()[0]
    if len(left):
        found[left] = _are_likely(_windows(page, starts[left]))
    return found


def _are_likely(text: str) -> Codes:
    """`_tried` of windows without characters of UTF-8, each with a line break; what is not clear is tried alone."""
    raw = {read: text.encode(read, "ignore") for read in READS}
    old = _Means.of(text, foreign_only=True)
    may_be, least = old.counts >= LEAST_FOREIGN, old.means + BETTER
    found, is_open = np.zeros(len(may_be), np.uint8), may_be & _ends_in_number(raw[BIG5])
    for bit, read in enumerate(READS):
        new = _Means.of(raw[read].decode(OTHER[read], "ignore"))
        found |= (may_be & (new.counts >= LEAST_FOREIGN) & (new.means > least)).astype(np.uint8) << bit
        is_open |= may_be & (np.abs(new.means - least) < CLOSE)
    if is_open.any():
        windows = text.split("\n")
        for i in is_open.nonzero()[0].tolist():
            found[i] = _tried(windows[i])
    return found


def _windows(page: _Page, starts: Places) -> str:
    """The windows around places, each with a line break behind it."""
    number = page.begins.searchsorted(starts, "right") - 1
    at = starts[:, None] + np.arange(-BEFORE, BEHIND + 1)
    is_inside = (at >= page.begins[number][:, None]) & (at < page.ends[number][:, None])
    chars = page.points.take(at, mode="clip")
    chars[:, -1], is_inside[:, -1] = ord("\n"), True
    return chars[is_inside].tobytes().decode("utf-32-le", "surrogatepass")


class _Means(NamedTuple):
    """Of lines of text, each with a line break: how many characters they have, and the mean of their log P."""

    counts: Places
    means: Scores

    @classmethod
    def of(cls, text: str, foreign_only: bool = False) -> _Means:
        """foreign_only: without ASCII and what is lost"""
        points = statistics.codes(text)
        ends = (points == ord("\n")).nonzero()[0]
        counted = (points >= 0x80) & (points != ord(LOST_CHAR)) if foreign_only else points != ord("\n")
        counts = _counts(counted, ends)
        scores = np.where(counted, statistics.reading_scores()[points], 0.0).astype(float)
        return cls(counts, np.diff(scores.cumsum()[ends], prepend=0.0) / np.maximum(counts, 1))


def _counts(of: Marks, ends: Places) -> Places:
    """Of each stretch up to an end."""
    return np.diff(of.cumsum()[ends], prepend=0)


def _has_two_chars(raw: bytes) -> Marks:
    """Per line whether two characters of UTF-8, of ideographs or wide marks, are in its bytes (TWO_UTF8_CHARS)."""
    units = np.frombuffer(raw, np.uint8)
    goes_on = (units & 0xC0) == 0x80
    begins = _leads()[units[:-2]] & goes_on[1:-1] & goes_on[2:]
    ends = (units == ord("\n")).nonzero()[0]
    found: Marks = _counts(np.append(begins, [False, False]), ends) >= 2
    return found


@cache
def _leads() -> Marks:
    table = np.zeros(256, bool)
    table[[*range(0xE3, 0xEA), 0xEF]] = True
    return table


def _ends_in_number(raw: bytes) -> Marks:
    """Per line whether its last bytes may begin a character of four bytes of GB 18030, which ends at no line break."""
    units = np.frombuffer(b"\0\0\0" + raw, np.uint8)
    ends = (units == ord("\n")).nonzero()[0]
    last, second, third = units[ends - 1], units[ends - 2], units[ends - 3]
    found: Marks = (_is_digit(last) & (second > 0x80)) | ((last > 0x80) & _is_digit(second) & (third > 0x80))
    return found


def _is_digit(units: NDArray[np.uint8]) -> Marks:
    return (units >= 0x30) & (units <= 0x39)
