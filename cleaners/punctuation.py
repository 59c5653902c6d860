"""Punctuation by the house style: the marks of Chinese sentences are Chinese marks.

Most lines of a damaged text only have ASCII marks between two Chinese characters: these are widened at once. A line
that has anything else (brackets, quotation marks, dots, dashes, spaces beside marks, code …) is looked at as a whole.
docs/punctuation.md gives the choices and their sources.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable, Iterator, Sequence
from functools import cache, lru_cache
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
import opencc
from numpy.typing import NDArray

from . import looks, quotes, spaces, widths
from .config import Config
from .edits import Edit
from .ignored import INDENTS, NOTHING_LEFT
from .marked_line import LETTER, LETTERS, Change, MarkedLine
from .quotes import unbalanced
from .statistics import OUTSIDE, codes
from .widths import FULL, WIDTH

__all__ = ["propose", "unbalanced"]

FORM = "punctuation.form"
# which group of `_places` took part: the mark is widened at once, always or if marks of this text have lost their
# width; or it stays (of an address, an abbreviation), and its line is worth a look only where it has other marks
SURE, IF_DAMAGED, PAIR, STAYS = 1, 2, 3, 4
LONGEST_REMEMBERED = 200  # characters of a line whose changes are remembered
SHORT_REST = 12  # characters of a line behind a mark: to find all marks there takes no longer than a new search
MOST_REMEMBERED = 1 << 12  # such lines of a text; shapes of lines of all texts
# A longer line (in characters) is no paragraph, but a text without line breaks: quotation marks do not pair across it
LONGEST_LINE = 1_000_000
RULES = Path(__file__).parent / "rules" / "punctuation"
_W = f"{LETTERS}）》】」』％"  # behind these an ASCII mark is a full-width one
_SP = " \xa0\u3000"
_TRADITIONAL = frozenset("這個們來說時會學國對過還發經見體點後樣開關東車長門問間馬無與為話語讓認識業當")
_SIMPLIFIED = frozenset("这个们来说时会学国对过还发经见体点后样开关东车长门问间马无与为话语让认识业当")
_QUOTATION = "“”‘’「」『』"
# begins with one class, so that the search is one for characters
_DAMAGE = re.compile(rf"[,;:!](?<=[{LETTERS}].)(?:(?=[{LETTERS}])|(?<=[,;])(?= [{LETTERS}]))")


# Making an Edit by its name takes twice as long, and there are ten thousands of them in a text without wide marks
_edit = tuple.__new__


class Style(NamedTuple):
    """What holds for a whole document.

    marks      the quotation marks that are written: outer opening, outer closing, inner opening, inner closing
    restyle    whether the ones that are there are changed to these
    damaged    whether marks of this text have lost their width; in one that writes ，；： in full width, ASCII brackets
               are the author's, and a ? between two characters may be a character that was lost
    one_sided  whether the curly double quotation marks of the text all point to the same side
    has_forms  whether the text has any of the forms in rules/punctuation/forms.txt
    lost_dash  whether -- may be a dash that was lost: what made it ASCII would have made “ ” and … ASCII, too; where
               these are still there, the author wrote --
    """

    marks: tuple[str, str, str, str]
    restyle: bool
    damaged: bool
    one_sided: bool
    has_forms: bool
    lost_dash: bool


def propose(text: str, config: Config) -> Generator[Edit, None, str]:
    """Yields the edits that bring the punctuation of `text` to the house style.  See Config.quotes."""
    if text.isascii():
        return ""
    style: Style | None = None
    plain: list[Edit] = []  # of the line that is being read
    add = plain.append
    end = -1  # of the line that was last looked at as a whole
    long_end = -1  # of the last line that was too long for that
    stays_end = -1  # of the last line that began with marks that stay
    known: dict[str, Sequence[Change]] = {}  # what changes in lines: pages repeat some
    suspects = _suspects(text, config)
    at = _signs(text, suspects)
    matches = _places(suspects).finditer(text) if at is None else _matches(text, at)
    while found := next(matches, None):
        start = found.start()
        if start < end:
            continue
        kind = found.lastindex
        if start >= stays_end and (
            kind == SURE or (kind in (IF_DAMAGED, PAIR) and (style := style or _style(text, config)).damaged)
        ):
            mark = text[start]
            add(_edit(Edit, (start, mark, FULL[mark], WIDTH, "", -1)))
            if kind == PAIR:
                add(Edit(found.end() - 1, ")", "）", WIDTH))
            continue
        if start < long_end or (kind == STAYS and start < stays_end):
            continue
        begin, line_end = text.rfind("\n", 0, start) + 1, text.find("\n", start)
        line_end = len(text) if line_end < 0 else line_end
        if line_end - begin > LONGEST_LINE:
            long_end = line_end
            continue
        if kind == STAYS and not (plain and plain[-1].start >= begin):
            stays_end = line_end
            continue
        end = line_end
        line = text[begin:end].removesuffix("\r")
        if not LETTER.search(line):
            continue
        while plain and plain[-1].start >= begin:
            plain.pop()
        if plain:
            yield from plain
            plain.clear()
        style = style or _style(text, config)
        yield from _line_edits(begin, line, style, known)
        if at is None and end - start > SHORT_REST:  # which may be full of marks
            matches = _places(suspects).finditer(text, end)
    yield from plain
    if end >= 0 or long_end >= 0:
        return ""
    # What was widened at once makes no other mark worth a look, and where all others are of those that stay, no indent
    # beside one makes it another
    return INDENTS + NOTHING_LEFT if plain else INDENTS


def _line_edits(start: int, before: str, style: Style, known: dict[str, Sequence[Change]]) -> Iterable[Edit]:
    """The edits of one line, which begins at `start` of the text."""
    if len(before) > LONGEST_REMEMBERED:
        many = _changes(before, style)
        return (_edit(Edit, (start + place, old, new, rule, "", -1)) for place, old, new, rule in many)
    changes = known.get(before)
    if changes is None:
        if len(known) == MOST_REMEMBERED:
            known.clear()
        known[before] = changes = _changes_of_short(before, style)
    return [_edit(Edit, (start + place, old, new, rule, "", -1)) for place, old, new, rule in changes]


def _changes_of_short(before: str, style: Style) -> Sequence[Change]:
    if _ANY_LETTER.fullmatch(before):
        return _known_changes(before.translate(_alike()), style)
    if _FEW_LETTERS.fullmatch(before) and "--" not in before:
        return _known_changes(before.translate(_alike_to_rules()), style)
    return tuple(_changes(before, style))


def _changes(before: str, style: Style) -> Iterable[Change]:
    """What changes in one line."""
    line = MarkedLine(before)
    if style.has_forms:
        for found in _forms().finditer(before):
            line.change(found.start(), found.end(), _converted(found[0]), FORM)
        _narrow_numbers(line)
    if "•" in before or "∙" in before or "⋅" in before:
        for found in _NAME_DOT.finditer(before):
            line.change(found.start(), found.end(), "·", FORM)
    if not line.is_code():
        line.protect()
        has_runs = spaces.has_runs(line)
        if has_runs:
            spaces.runs(line, style.lost_dash)
        widths.brackets(line, style.damaged)
        quotes.curl(line, style.marks, style.damaged, style.one_sided)
        if style.restyle:
            quotes.restyle(line, style.marks)
        widths.marks(line, style.damaged)
        spaces.spaces(line)
        spaces.close_up(line)
        if has_runs and line.changes:
            spaces.runs(line, style.lost_dash)  # again: their neighbours may have become wide
    return line.changed()


@lru_cache(MOST_REMEMBERED)
def _known_changes(shape: str, style: Style) -> Sequence[Change]:
    return tuple(_changes(shape, style))


# Beside these marks no rule asks which letter or digit stands there, and none of them changes one: cells of a table are
# looked at once for all that have as many letters. A full stop, a dash or a space are not among them.
_ANY_LETTER = re.compile("[一-鿿0-9\"'“”,;:!()，；：！（）。、]{1,60}")


@cache
def _alike() -> dict[int, str]:
    """For str.translate: one letter for all that are Han, one digit for all."""
    return dict.fromkeys(range(0x4E00, 0xA000), "的") | dict.fromkeys(range(ord("0"), ord("9") + 1), "0")


# Beside a full stop, a question mark or a space, rules tell some letters apart
_MORE_MARKS = "0-9\"'“”,;:?!().，；：！（）。、 -"
_FEW_LETTERS = re.compile(f"(?:[{_MORE_MARKS}]*+[一-鿿]){{0,12}}+[{_MORE_MARKS}]*+")


@cache
def _alike_to_rules() -> dict[int, str]:
    """The same, with one letter for all Han that rules do not tell apart."""
    table = _alike().copy()
    told_apart = (*widths.TOLD_APART, spaces.LISTED)
    first: dict[tuple[bool, ...], str] = {}
    for char in sorted(frozenset().union(*told_apart)):
        table[ord(char)] = first.setdefault(tuple([char in some for some in told_apart]), char)
    return table


def _narrow_numbers(line: MarkedLine) -> None:
    """Full-width numbers have full-width points, colons and percent signs: `１２．５％` becomes `12.5%`."""
    for found in _FULL_WIDTH_NUMBER.finditer(line.before):
        for place in range(*found.span()):
            narrow = _NARROW.get(line.before[place])
            if narrow:
                line.change(place, place + 1, narrow, FORM)


# other dots than · between two names (GB/T 15834-2011, 4.14)
_NAME_DOT = re.compile(rf"[•∙⋅](?<=[{LETTERS}].)(?=[{LETTERS}])")
_FULL_WIDTH_NUMBER = re.compile(r"[０-９]+(?:(?:[．：／－][０-９]+)+|(?:，[０-９]{3}(?![０-９]))+)?％?")
_NARROW = {"．": ".", "：": ":", "／": "/", "－": "-", "，": ",", "％": "%"}


def _style(text: str, config: Config) -> Style:
    # a Traditional document that has curly quotation marks keeps to them
    straight = "「" in text or not ("“" in text or "”" in text)
    traditional = config.quotes == "traditional" or (config.quotes == "auto" and straight and _is_traditional(text))
    some = max(1, text.count("，") // 20)
    damaged = "，" not in text or next(islice(_DAMAGE.finditer(text), some - 1, None), None) is not None
    marks = quotes.TRADITIONAL if traditional else quotes.MAINLAND
    one_sided = ("“" in text) != ("”" in text)
    lost_dash = not any(mark in text for mark in "…“”‘’")
    return Style(marks, config.quotes != "auto", damaged, one_sided, bool(_forms().search(text)), lost_dash)


def _is_traditional(text: str) -> bool:
    """Whether characters of the Traditional script outnumber those of the Simplified one."""
    return int(_scripts()[codes(text)].sum(dtype=np.int64)) > 0


@cache
def _scripts() -> NDArray[np.int8]:
    """1 for a character of the Traditional script, -1 for one of the Simplified, by code point; OUTSIDE is the last."""
    table = np.zeros(OUTSIDE + 1, np.int8)
    table[[ord(char) for char in _TRADITIONAL]] += 1
    table[[ord(char) for char in _SIMPLIFIED]] -= 1
    return table


def _suspects(text: str, config: Config) -> str:
    """The full-width marks that must be looked at in this text. In most texts that is none of them, and reading is
    faster by half."""
    suspects = ""
    if config.quotes != "auto" or text.count("“") != text.count("”"):
        suspects += _QUOTATION
    if "。。。" in text:
        suspects += "。"
    if "—" in text and "—-" in text:  # one character is found at memory speed, two are not
        suspects += "—"
    if "…" in text and text.count("…") != 2 * text.count("……"):
        suspects += "…"
    return suspects


_INDENTED = "\n\u3000"  # an ideographic space behind these may only go before the next ones
_CLOSING = "，。；：？！、）》〉】〕」』％"
MOST_SIGNS = 1 / 50
"""In a text with more signs than so many to a character, a search is faster than a look at each."""


def _signs(text: str, suspects: str) -> list[int] | None:
    """Where a look at the text saw one of `signs`; None where there are too many, or more to be found than these."""
    look = None if suspects else looks.known(text)
    if look is None or not looks.are_characters(look, text):
        return None
    if not look.held & looks.SIGN_OF_WIDTH:
        return []
    are_signs = look.kinds >= looks.SIGN_OF_WIDTH  # the highest bit
    if np.count_nonzero(are_signs) > MOST_SIGNS * len(text):
        return None
    return are_signs.nonzero()[0].tolist()


def _matches(text: str, at: list[int]) -> Iterator[re.Match[str]]:
    """The matches of `_places`, tried at these places only."""
    match, done = _places("").match, 0
    for place in at:
        if text[place] == "\u3000" and text[place - 1] in _INDENTED and text[place + 1 : place + 2] not in _CLOSING:
            continue  # of an indent
        if place >= done and (found := match(text, place)):
            yield found
            done = found.end()


@cache
def signs() -> str:
    """The characters that matches of `_places` begin with, but for suspects."""
    return "".join(sorted(set(f",;:?!.()\"'`<-–・·•∙⋅{_SP}") | set("".join(_form_rows()))))


@cache
def _places(suspects: str) -> re.Pattern[str]:
    """Finds the marks to be looked at. A group takes part where a mark needs no second look: it stands between two
    Chinese words (SURE), behind a number or Latin word (IF_DAMAGED), a bracket and its partner hold nothing but
    Chinese words and numbers (PAIR), or it never changes (STAYS). Every alternative begins behind the mark: the search
    is one for characters."""
    forms = re.escape("".join(sorted(set("".join(_form_rows())))))
    first = re.escape(signs() + suspects)
    return re.compile(
        rf"""[{first}](?:
        (?:(?<=[{_W}][,;:!])|(?<=[{_W}][”’][,;:!]))(?=[{LETTERS}0-9A-Za-z“‘《「『（\r\n]|\Z)()
        |(?:(?<=[{_W}][?])(?=[{LETTERS}”“\r\n]|\Z)|(?<=[{_W}]!)(?=”)|(?<=[0-9A-Za-z%],)(?=[{LETTERS}“《])|(?<=[0-9]%[;:])(?=[{LETTERS}]))()
        |(?<=[{LETTERS}]\()[{LETTERS}0-9、]{{1,200}}\)(?=[{_W}0-9“‘《\r\n]|\Z)()
        |(?:(?<=[0-9A-Za-z]:)(?=/)|(?<=[A-Z]\.)(?<![A-Za-z].\.)(?![0-9A-Za-z.]))()
        |(?<=[,;:?!])(?:(?<![0-9A-Za-z].)|(?![0-9A-Za-z]))
        |(?<=[A-Za-z]{{2}},)(?=[A-Z][A-Za-z])
        |(?<=[()"'`<{forms}{_QUOTATION}])
        |(?<=[{LETTERS}][•∙⋅])(?=[{LETTERS}])
        |(?<=\.)(?:\.+|(?![0-9A-Za-z])|(?<=[{_W}”’].))
        |(?<=-)-|(?<=–)–|(?<=—)-|(?<=-)—|(?<=。)。。|(?<=[・·])[・·]{{2}}
        |(?<=…)(?:(?<!……)(?!…)|……)
        |(?<=[，；、。：？！（《〈【〔「『][{_SP}])(?!\n)
        |(?<=[{_SP}])(?=[{_CLOSING}])
        |(?<=[{LETTERS}][{_SP}])(?=[{LETTERS}][{_SP}][{LETTERS}][{_SP}])
        )""".replace("\n        ", ""),
    )


@cache
def _form_rows() -> tuple[str, ...]:
    rows = (RULES / "forms.txt").read_text(encoding="utf-8").splitlines()
    return tuple(row.split("\t")[0] for row in rows if row and not row.startswith("#"))


@cache
def _forms() -> re.Pattern[str]:
    return re.compile("|".join(sorted(map(re.escape, _form_rows()), key=len, reverse=True)))


@cache
def _converted(form: str) -> str:
    """OpenCC's answer for one form; the forms hold no surrogates or NULs, which OpenCC cannot read."""
    return str(_converter().convert(form))


@cache
def _converter() -> opencc.OpenCC:
    return opencc.OpenCC(str(RULES / "forms.json"))
