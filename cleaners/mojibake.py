"""Mojibake: characters that were written in one encoding and read in another, and escapes that were never undone.

One regular expression finds the few lines that can hold any; only they are looked at. Own repairs come before
ftfy, which would take GB 18030 read as Latin 1 for something else and destroy it.
"""

from __future__ import annotations

import html
import re
import unicodedata
from bisect import bisect_left
from collections.abc import Callable, Generator, Iterator, Sequence
from functools import cache, partial

import ftfy
from ftfy import badness, fixes
from ftfy.chardata import UTF8_DETECTOR_RE

from . import misread_signs, statistics
from .config import Config
from .edits import Edit, between
from .ignored import LINES, MARGINS
from .misread_lines import MOST_FRUITLESS, Search, best_repairs
from .misread_pieces import Piece
from .misread_signs import LATIN_PAIR, SHORT, signs
from .misread_units import BIG5, GB, LATIN, LOST_CHAR, UTF8
from .misreadings import Asked, Repair, likelihood
from .remembered import RememberedOfLines

# Letters and lines with which UTF-8 begins when it is read as some other codec (ftfy knows what follows)
OTHER_LEADS = "ĂĄĹŤ─┼├┬╨╤√РСГ"
ROUNDS = 3  # a line may have been misread that often
BATCH = 50_000  # characters of lines that are looked at together
MOST_PREVIEWED = 200_000  # characters of lines that a preview looks at
LINE = 100  # characters that take as long as a line takes whatever its length
NAMES = {UTF8: "utf8", GB: "gbk", BIG5: "big5", LATIN: "cp1252"}

FTFY = ftfy.TextFixerConfig(
    unescape_html=False,
    fix_character_width=False,
    uncurl_quotes=False,
    fix_latin_ligatures=False,
    fix_line_breaks=False,
    normalization="NFC",
    explain=False,
)
OTHER_FIXES: tuple[Callable[[str], str], ...] = (  # what FTFY asks for beside encodings, in the order of ftfy
    fixes.fix_c1_controls,
    fixes.fix_surrogates,
    fixes.remove_terminal_escapes,
    fixes.remove_control_chars,
    partial(unicodedata.normalize, "NFC"),
)

LATIN_LEADS = f"[\x80-\x9f\xc0-\xff{OTHER_LEADS}]"
BEHIND_LATIN_LEAD = "[^\x00-\x1f!-\x7f\u0100-\u0150\u2e80-\U0010ffff]"
ENTITY = re.compile(r"&(?:amp;){0,3}(?:#(\d{1,7});?|#[xX]([0-9a-fA-F]{1,6});?|([A-Za-z][A-Za-z0-9]{1,30});)")
# All that ftfy takes for damage has one of these, beside another one or beside ASCII, or alone
_FOREIGN = "\x80-\u2fff\uf8ff\ufb00-\ufb06\ufffd"
MAY_BE_BAD = re.compile(f"[{_FOREIGN}](?:(?<=[\x80-\x9fŒœ])|(?<=[\x00-\x7f].)|[\x00-\x7f{_FOREIGN}])", re.DOTALL)
ESCAPES = re.compile(r"(?:\\u[0-9a-fA-F]{4}){2,}|(?:%u[0-9a-fA-F]{4}){2,}")
ESCAPE = re.compile(r"[\\%]u([0-9a-fA-F]{4})")
LEAST_ESCAPES = 4  # in a line; fewer may be spoken about
QUOTING = "`'\"“”‘’「」『』<>()（）[]【】"
HAN = re.compile("[\u3400-\u9fff]")
KUN = re.compile("(?:锟[斤拷]*|斤拷)+|烫烫烫+|屯屯屯+|锘[縿挎]?")
KUN_WORDS = ("锟", "斤拷", "烫烫烫", "屯屯屯", "锘")
LOSS = re.compile("[\ufffd\ue000-\uf8ff\U000f0000-\U0010ffff]")
LOSS_OR_KUN = re.compile("[锟拷烫屯锘\ufffd\ue000-\uf8ff\U000f0000-\U0010ffff]")  # each match has one of them
QUESTIONED = re.compile("[\u3400-\u9fff][?？]{2,}+")
LEAST_QUESTIONS = 3
FARTHEST_QUESTION = 40  # characters between two of them
RARE = -12.0  # log P of a character
LOSSES = re.compile("\ufffd+|[\ue000-\uf8ff]+|[\U000f0000-\U0010ffff]+")


def propose(text: str, config: Config) -> Generator[Edit, None, str]:
    """Yields the repairs of misread characters, HTML entities and \\u escapes."""
    suspects, known = _previewed.pop(text) if text in _previewed else (_suspects(text), None)
    if not suspects:
        return MARGINS + LINES  # no line has more signs of damage when space at its ends goes
    search = Search()
    for some in _batches(suspects):
        own = known or _Known.of([line for _, line in some], search)
        first = [_repaired(line, own, start) for start, line in some]
        own.learn([once for edits, once in first if edits], Search(limited=False))
        for (start, line), (edits, once) in zip(some, first, strict=True):
            yield from _misread(start, line, edits, once, own) or _entities(start, line) or _escapes(start, line)
    return LINES


def preview(texts: Sequence[str]) -> None:
    """Looks at the lines of many texts together, before `propose` is asked about each."""
    _previewed.clear()
    asked: dict[str, list[tuple[int, str]]] = {}
    size = 0
    for text in texts:
        suspects = _suspects(text)
        more = sum([len(line) + LINE for _, line in suspects])
        if more > BATCH:  # it is not worth it
            _previewed[text] = suspects, None
            continue
        size += more
        if size > MOST_PREVIEWED:
            break
        asked[text] = suspects
    search = Search(limited=False)
    known = _Known.of([line for suspects in asked.values() for _, line in suspects], search)
    for text, suspects in asked.items():
        lines = {line for _, line in suspects}
        lines |= {known.new(line) for line in lines if known.repairs[line]}
        if sum([search.in_vain.get(line, 0) for line in lines]) < MOST_FRUITLESS:  # else not all of it is searched
            _previewed[text] = suspects, known


def residue(text: str, has_losses: bool = True, has_signs: bool = True) -> Iterator[tuple[int, int, str]]:
    """(start, end, what) of mojibake that cannot be repaired; what is `mojibake_residue` (锟斤拷, 烫烫烫, misread
    stretches that stayed, and those that became question marks), `lost_characters` (U+FFFD) or `private_use`.

    has_losses   False: the text has none of the characters of LOSS_OR_KUN
    has_signs    False: no stretch of it is more than half signatures
    """
    found: list[tuple[int, int, str]] = []
    if has_losses and LOSS_OR_KUN.search(text):
        if any(word in text for word in KUN_WORDS):
            found += [(*match.span(), "mojibake_residue") for match in KUN.finditer(text)]
        for match in LOSSES.finditer(text) if LOSS.search(text) else ():
            found.append((*match.span(), "lost_characters" if match[0][0] == LOST_CHAR else "private_use"))
    if has_signs:
        found += [(start, end, "mojibake_residue") for start, end in _misread_stretches(text)]
    if has_question_runs(text):
        starts = sorted(start for start, _, _ in found)
        for start, end in _questioned(text):
            if bisect_left(starts, start) == bisect_left(starts, end):  # else it is told what stands there
                found.append((start, end, "mojibake_residue"))
    done = 0
    for start, end, what in sorted(found):
        if start >= done:
            yield start, end, what
            done = end


def _misread_stretches(text: str) -> Iterator[tuple[int, int]]:
    """Stretches without a mark, more than half of which is signatures: only in lines with two close together."""
    at = 0
    while close := _close().search(text, at):
        start, at = _line(text, close.start())
        for match in _stayed().finditer(text, start, at):
            stretch = match[0]
            if len(stretch) > 7 and sum(map(_signature_set().__contains__, stretch)) > 0.5 * len(stretch):
                yield match.span()


def has_question_runs(text: str) -> bool:
    """Whether question marks stand together, of either width."""
    narrow = "?" in text  # one character is found in a fourth of the time that two take
    if "？" not in text:
        return narrow and "??" in text
    return "？？" in text or (narrow and ("??" in text or "?？" in text or "？?" in text))


def _questioned(text: str) -> Iterator[tuple[int, int]]:
    """Stretches in which misread characters and the question marks of a program that could not read their bytes take
    turns: LEAST_QUESTIONS times a rare ideograph and several question marks, soon one after the other in a line.

    In text in eleven encodings read in a wrong one, three in five ideographs before question marks are rare; in proper
    text three in a thousand ideographs are."""
    start, end, count = 0, -1, 0
    for match in QUESTIONED.finditer(text):
        if statistics.unigrams()[ord(match[0][0])] > RARE:
            continue
        if end < 0 or match.start() - end > FARTHEST_QUESTION or "\n" in text[end : match.start()]:
            if count >= LEAST_QUESTIONS:
                yield start, end
            start, count = match.start(), 0
        end = match.end()
        count += 1
    if count >= LEAST_QUESTIONS:
        yield start, end


# ---- which lines -----------------------------------------------------------------------------------------


@cache
def _signature_set() -> frozenset[str]:
    return frozenset(statistics.signatures())


@cache
def _heads() -> re.Pattern[str]:
    """What is misread: two signatures close together, or a Latin lead. It begins with one class for all their first
    characters, so that clean text is searched at memory speed."""
    first = f"[{re.escape(statistics.signatures())}{LOST_CHAR}\x80-\x9f\xc0-\xff{OTHER_LEADS}]"
    return re.compile(f"{first}(?:(?<={signs()}).{{0,3}}{signs()}|(?<={LATIN_LEADS}){BEHIND_LATIN_LEAD})")


@cache
def _close() -> re.Pattern[str]:
    """Two signatures with at most one character between them."""
    return re.compile(f"{signs()}.?{signs()}")


@cache
def _stayed() -> re.Pattern[str]:
    return re.compile(f"{signs()}[^\x00-\x7f，。、：；！？“”]{{4,200}}")


def _suspects(text: str) -> list[tuple[int, str]]:
    """The lines that can hold misread characters or escapes, with their places, sorted."""
    lines: dict[int, str] = {}
    searches = [_heads()]
    if "&" in text:
        searches.append(ENTITY)
    if ("\\" in text and "\\u" in text) or ("%" in text and "%u" in text):
        searches.append(ESCAPES)
    for damage in searches:
        at = 0
        while match := damage.search(text, at):
            start, at = _line(text, match.start())
            lines[start] = text[start:at]
    return sorted(lines.items())


def _line(text: str, at: int) -> tuple[int, int]:
    """Where the line around `at` starts and ends."""
    end = text.find("\n", at)
    return text.rfind("\n", 0, at) + 1, len(text) if end < 0 else end


# ---- misread characters ----------------------------------------------------------------------------------


def _batches(suspects: list[tuple[int, str]]) -> Iterator[list[tuple[int, str]]]:
    """Lines that are looked at together: not too many, as the answers of all are held."""
    batch, size = [], 0
    for start, line in suspects:
        batch.append((start, line))
        size += len(line)
        if size > BATCH:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


class _Known:
    """Repairs of lines.

    repairs  by line the likeliest one; None: there is none
    """

    def __init__(self) -> None:
        self.repairs: dict[str, Repair | None] = {}
        self._new: dict[str, str] = {}

    @classmethod
    def of(cls, lines: list[str], search: Search) -> _Known:
        """The repairs of lines."""
        known = cls()
        known.learn(lines, search)
        return known

    def learn(self, lines: list[str], search: Search) -> None:
        """Adds the repairs of lines, and of what comes out of them."""
        new = self._find(self._find(lines, search), search)
        self._find(new, Search(limited=False))

    def repair(self, line: str) -> Repair | None:
        """Of any line."""
        if line not in self.repairs:
            self._find([line], Search())
        return self.repairs[line]

    def new(self, line: str) -> str:
        """What comes out of the repair of a line that has one."""
        return self._new[line]

    def _find(self, lines: list[str], search: Search) -> list[str]:
        """Adds the likeliest repair of each line that is not known; returns what comes out of them."""
        lines = [line for line in dict.fromkeys(lines) if line not in self.repairs]
        told = zip(lines, misread_signs.parts_of(lines), strict=True)
        asked = [Asked(line, read, parts) for line, own in told for read, parts in own]
        self.repairs.update(dict.fromkeys(lines))
        self._find_likelier([one for one in asked if one.read != GB], search)
        self._find_likelier([one for one in asked if one.read == GB], search)
        found = [(line, repair) for line in lines if (repair := self.repairs[line])]
        self._new.update({line: _replaced(line, repair.pieces) for line, repair in found})
        return [self._new[line] for line, _ in found]

    def _find_likelier(self, asked: list[Asked], search: Search) -> None:
        """Adds the likeliest repairs where they are likelier than those that are known."""
        repairs = self.repairs
        gains = [repair.gain if (repair := repairs[one.line]) else 0.0 for one in asked]
        for one, found in zip(asked, best_repairs(asked, search, gains), strict=True):
            other = repairs[one.line]
            if found and (other is None or found.gain > other.gain):
                repairs[one.line] = found


_previewed: dict[str, tuple[list[tuple[int, str]], _Known | None]] = {}


def _misread(start: int, line: str, edits: Sequence[Edit], once: str, known: _Known) -> Sequence[Edit]:
    """The edits of a line, given what `_repaired` found: one repair is told piece by piece; several are one edit, since
    the steps between are no text."""
    if not edits:
        return ()
    new, rule = once, edits[-1].rule
    for _ in range(ROUNDS - 1):
        if known.repair(new) is None and not MAY_BE_BAD.search(new):
            break  # as most
        more, new = _repaired(new, known)
        if not more:
            break
        rule = more[-1].rule
    if new == once:
        return edits
    return [_one_edit(start, line, new, rule)] if new != line else ()


def _repaired(line: str, known: _Known, start: int = 0) -> tuple[Sequence[Edit], str]:
    """The edits of one line, which begins at `start`, and the line after them."""
    repairs: list[Repair] = []
    new = line
    while len(repairs) < ROUNDS:
        repair = known.repair(new)
        if repair is None:
            break
        repairs.append(repair)
        new = known.new(new)
    if repairs and repairs[0].read == LATIN and not _has_more_han(new, line):
        repairs = []  # not Chinese, after all
    if not repairs or (repairs[0].read == LATIN and LATIN_PAIR.search(new)):
        other = line
        if MAY_BE_BAD.search(line):
            other = _short_by_ftfy(line) if len(line) <= SHORT else _by_ftfy(line)
        if not repairs and other == line:
            return (), line
        if not repairs or likelihood(other) > likelihood(new):
            return list(between(line, other, "mojibake.ftfy", start)), other
    if len(repairs) == 1:
        written, read, pieces, _ = repairs[0]
        rules = [_rule(written, read, guessed) for guessed in (False, True)]
        return [Edit(start + a, line[a:b], text, rules[guessed]) for a, b, text, guessed in pieces], new
    guessed = any(piece.guessed for repair in repairs for piece in repair.pieces)
    rule = _rule(repairs[-1].written, repairs[-1].read, guessed, "_twice")
    return [_one_edit(start, line, new, rule)] if new != line else [], new


def _has_more_han(new: str, line: str) -> bool:
    if not HAN.search(line):
        return HAN.search(new) is not None
    return len(HAN.findall(new)) > len(HAN.findall(line))


def _by_ftfy(line: str) -> str:
    """What ftfy makes of a line in other languages; it may need several rounds."""
    fix = _fixed if HAN.search(line) and len(line) <= FTFY.max_decode_length else _fixed_by_ftfy
    for _ in range(ROUNDS):
        if not MAY_BE_BAD.search(line) or not badness.is_bad(line):
            break
        line, old = fix(line), line
        if line == old:
            break
    return line


def _fixed_by_ftfy(line: str) -> str:
    return ftfy.fix_text(line, FTFY)


def _fixed(line: str) -> str:
    """`_fixed_by_ftfy` of a line with ideographs. None of the codecs that ftfy knows can have read all of it, and of
    its steps the ones that look for such a codec have nothing to say."""
    while True:
        old = line
        line = _unmixed(line)
        for fix in OTHER_FIXES:
            line = fix(line)
        if line == old:
            return line


def _unmixed(line: str) -> str:
    """As ftfy.fix_encoding: letters that can be UTF-8 are repaired one stretch after the other."""
    while badness.is_bad(line):
        old = line
        line = UTF8_DETECTOR_RE.sub(lambda match: _short_fixed(match[0]), line)
        if line == old:
            line = fixes.fix_c1_controls(line)
        if line == old:
            break
    return line


def _fixed_alone(letters: str) -> str:
    return ftfy.fix_encoding(letters) if badness.is_bad(letters) else letters


_short_fixed = RememberedOfLines(_fixed_alone)
_short_by_ftfy = RememberedOfLines(_by_ftfy)


@cache
def _rule(written: str, read: str, guessed: bool, times: str = "") -> str:
    name = f"mojibake.{NAMES[written]}_as_{NAMES[read]}{times}"
    return name + "_guessed" if guessed else name


def _replaced(line: str, pieces: tuple[Piece, ...]) -> str:
    parts: list[str] = []
    done = 0
    for piece in pieces:
        parts += [line[done : piece.start], piece.text]
        done = piece.end
    return "".join([*parts, line[done:]])


def _one_edit(start: int, old: str, new: str, rule: str) -> Edit:
    """The edit of the differing middle."""
    head = 0
    while head < min(len(old), len(new)) and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < min(len(old), len(new)) - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    return Edit(start + head, old[head : len(old) - tail], new[head : len(new) - tail], rule)


# ---- escapes ---------------------------------------------------------------------------------------------


def _entities(start: int, line: str) -> list[Edit]:
    """HTML entities: numbers and names, also escaped twice. Names only where no markup is spoken about."""
    edits: list[Edit] = []
    if "&" not in line:
        return edits
    markup = re.search(r"</?[a-zA-Z!]", line) is not None
    for match in ENTITY.finditer(line):
        decimal, hexadecimal, name = match.groups()
        if name:
            spoken = markup or _quoted(line, match) or "=" in line[max(0, match.start() - 1) : match.start()]
            new = "" if spoken else html.unescape(f"&{name};")
            new = "" if new == f"&{name};" else new
        else:
            code = int(decimal) if decimal else int(hexadecimal, 16)
            new = _numbered(code, match[0].endswith(";"), markup or _quoted(line, match))
        if new:
            edits.append(Edit(start + match.start(), match[0], new, "mojibake.html_entity"))
    return edits


def _numbered(code: int, closed: bool, spoken: bool) -> str:
    """The character of a numeric entity; empty when it stays."""
    if code >= 0x110000 or 0xD800 <= code < 0xE000 or (code < 0x2E80 and (spoken or not closed)):
        return ""
    new = html.unescape(f"&#{code};")
    return "" if new == LOST_CHAR else new


def _quoted(line: str, match: re.Match[str]) -> bool:
    """Whether the entity stands alone between quotation marks or brackets: the text speaks about it."""
    before, after = line[match.start() - 1 : match.start()], line[match.end() : match.end() + 1]
    return bool(before and after) and before in QUOTING and after in QUOTING


def _escapes(start: int, line: str) -> list[Edit]:
    """\\u escapes in runs, unless the line has only a few of them or they make up a range of a pattern."""
    edits: list[Edit] = []
    if "\\u" not in line and "%u" not in line:
        return edits
    runs = [match for match in ESCAPES.finditer(line) if not _in_pattern(line, match)]
    if sum(len(match[0]) // 6 for match in runs) < LEAST_ESCAPES:
        return edits
    for match in runs:
        units = [int(code, 16) for code in ESCAPE.findall(match[0])]
        raw = b"".join(unit.to_bytes(2, "big") for unit in units)
        new = raw.decode("utf-16-be", "replace")
        if LOST_CHAR not in new and all(c.isprintable() or c in "\n\t\u3000" for c in new):
            edits.append(Edit(start + match.start(), match[0], new, "mojibake.unicode_escape"))
    return edits


def _in_pattern(line: str, match: re.Match[str]) -> bool:
    return line[match.start() - 1 : match.start()] in tuple("[-^") or line[match.end() : match.end() + 1] in tuple("-]")
