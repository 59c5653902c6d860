"""One line of text while its marks are being changed: places stay the same until the edits are made."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import repeat
from operator import add, eq, le

# Characters of East Asian width that are no marks: Han, kana, bopomofo, enclosed numbers, geometric bullets, 々〇
LETTERS = (
    "\u2460-\u24ff\u25a0-\u25ff\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3040-\u30ff\u3100-\u312f\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
# Marks that only Chinese typography uses. “”‘’…—· also stand in English text: they count by what is around them
MARKS = "、。，；：？！（）《》〈〉「」『』【】〔〕〖〗￥％～"
WIDE = LETTERS + MARKS
LETTER = re.compile(f"[{LETTERS}]")

_PROTECTED = re.compile(
    r"(?:https?|ftp|file|ssh|git)://[!-~]+"  # URLs
    r"|www\.[!-~]+"
    r"|`[^`\n]+`|\"{3}"  # code
    r"|</?[A-Za-z!][^<>\n]*>|<[^<>\s]{1,60}>"  # HTML, placeholders
    r"|&#?[0-9A-Za-z]{1,10};"
    r"|[A-Za-z]:\\[!-~]*"  # paths
    r"|\]\([^()\s]{1,300}\)"  # the target of a Markdown link
    r"|[A-Za-z0-9_\]] ?[=(\[] ?[\"'][^\"'\n]*[\"']"  # a string in code: f("…"), a = "…"
    r"|\\[!-~]"  # an escape
)
# one of these is in all that is protected, and most lines have none: they are found faster than the pattern says no
_PROTECTING = ("://", "www.", "`", '"', "'", "<", "&", "\\", "](")
# and one of these in what is protected in a line without Latin letters
_WITHOUT_LETTERS = ("`", "<", "](", '"""')
# marks that end the sentence around a URL or path rather than the URL
_TRAILING = ",;:?!)\"'."
_CODE_SIGN = re.compile(r"[$>/#<\"{};=&|]")  # one of these is in all code
_CODE = re.compile(r"^\s*(?:\$ |>>> |//|/\*|#include|#!|<\?|\"\w+\" ?:)|[{}]\s*$|[)\]}\"'\w];\s*$|=>|==|!=|&&|\|\|")
# a key and a value of JSON or a Python dictionary, whatever its language
_KEY_AND_VALUE = re.compile(r"(?:^|[{,])[ \t]{0,40}(?:\"[^\"\n]{1,60}\": ?[\"\[{0-9]|'[^'\n]{1,60}': ?['\[{0-9])")
# an entry of a list of references: GB/T 7714-2015 gives it ASCII marks, `甲. 某书[M]. 北京: 某社, 2012.`
_REFERENCE = re.compile(r"\. ?[^.\n]{2,120}\[(?:[MCGNJDRSPAZ]|DB|CP|EB|CM|DS)(?:/(?:OL|CD|DK|MT))?\] ?[.,:/]")
_ASCII_LETTERS = re.compile(r"[A-Za-z]")


LONG = 1_000  # characters
TOGETHER = 1_024  # so many changes are read at once, so that what is made of them stays in the processor's caches

Change = tuple[int, str, str, str]
"""Place in the line, what stands there, what comes there, and the rule."""


class MarkedLine:
    """A line that is being changed.

    text     what the marks are by now: a list of characters, as long as the line, so that places never move.
             Where a change has another length (`...` becomes `……`), its first character fills all its places.
    changes  place -> (end of the place, what comes there, rule)
    """

    __slots__ = ("_ends", "_joined", "_starts", "before", "changes", "text")

    def __init__(self, before: str) -> None:
        self.before = before
        # characters of a long line share their objects: one each would take 80 bytes
        shared: dict[str, str] = {}
        self.text = list(before if len(before) < LONG else map(shared.setdefault, before, before))
        self._joined: str | None = before
        self.changes: dict[int, tuple[int, str, str]] = {}
        self._starts: list[int] = []
        self._ends: list[int] = []

    def joined(self) -> str:
        """`text` as a string."""
        if self._joined is None:
            self._joined = "".join(self.text)
        return self._joined

    def protect(self) -> None:
        """Finds URLs, code, HTML, paths and entities: marks there never change."""
        before = self.before
        signs = _PROTECTING if _ASCII_LETTERS.search(before) else _WITHOUT_LETTERS
        for sign in signs:
            if sign in before:
                break
        else:
            return
        for found in _PROTECTED.finditer(before):
            end = found.end()
            if "://" in found[0] or ":\\" in found[0] or found[0].startswith("www"):
                while before[end - 1] in _TRAILING:
                    end -= 1
            self._starts.append(found.start())
            self._ends.append(end)

    def has_protected(self) -> bool:
        """Whether any place is protected."""
        return bool(self._starts)

    def is_protected(self, place: int) -> bool:
        """Whether a place lies in a URL, code, HTML, a path or an entity."""
        if not self._starts:
            return False
        i = bisect_right(self._starts, place) - 1
        return i >= 0 and place < self._ends[i]

    def change(self, start: int, end: int, after: str, rule: str) -> None:
        """Puts `after` in the place of text[start:end]; a later change of the same place replaces it."""
        self.changes[start] = (end, after, rule)
        self._joined = None
        if end == start + 1:
            self.text[start] = after[:1] or "\0"
        elif len(after) == end - start:
            self.text[start:end] = after
        else:
            self.text[start:end] = [after[:1] or "\0"] * (end - start)

    def remove(self, places: Sequence[int], rule: str) -> None:
        """Takes away the characters at these places."""
        changes, text = self.changes, self.text
        changes.update(
            zip(places, zip(map(add, places, repeat(1)), repeat(""), repeat(rule), strict=False), strict=True)
        )
        for place in places:
            text[place] = "\0"
        self._joined = None

    def changed(self) -> Iterable[Change]:
        """What has changed by now, in order."""
        if len(self.before) >= LONG:
            return self._changed()
        found: list[Change] = []
        done, line = 0, self.before
        for start, (end, after, rule) in sorted(self.changes.items()):
            before = line[start:end]
            if start >= done and before != after:
                found.append((start, before, after, rule))
                done = end
        return found

    def _changed(self) -> Iterator[Change]:
        """The same of a long line."""
        done, line, changes = 0, self.before, self.changes
        places = sorted(changes)
        for first in range(0, len(places), TOGETHER):
            some = places[first : first + TOGETHER]
            ends, afters, rules = zip(*map(changes.__getitem__, some), strict=True)
            befores = list(map(line.__getitem__, map(slice, some, ends)))
            if all(map(le, (done, *ends), some)) and not any(map(eq, befores, afters)):
                yield from zip(some, befores, afters, rules, strict=True)
                done = ends[-1]
                continue
            for start, end, before, after, rule in zip(some, ends, befores, afters, rules, strict=True):
                if start >= done and before != after:
                    yield start, before, after, rule
                    done = end

    def char(self, place: int) -> str:
        """The character at a place; a line break before and behind the line."""
        return self.text[place] if 0 <= place < len(self.text) else "\n"

    def beside(self, place: int) -> tuple[str, str]:
        """The characters before and behind a place of the line."""
        text = self.text
        return text[place - 1] if place else "\n", text[place + 1] if place + 1 < len(text) else "\n"

    def is_code(self) -> bool:
        """Whether the line is data, a reference, or looks like code: a sign of code, and fewer wide letters than
        Latin ones."""
        if "]" in self.before and _REFERENCE.search(self.before):
            return True
        if ('":' in self.before or "':" in self.before) and _KEY_AND_VALUE.search(self.before):
            return True
        if not _CODE_SIGN.search(self.before) or not _ASCII_LETTERS.search(self.before):
            return False
        if not _CODE.search(self.before):
            return False
        return len(LETTER.findall(self.before)) < len(_ASCII_LETTERS.findall(self.before))
