"""Punctuation by the house style: the marks of Chinese sentences are Chinese marks.

Most lines of a damaged text only have ASCII marks between two Chinese characters: these are widened at once. A line
that has anything else (brackets, quotation marks, dots, dashes, spaces beside marks, code …) is looked at as a whole.
docs/punctuation.md gives the choices and their sources.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import opencc

from . import quotes, spaces, widths
from .config import Config
from .edits import Edit
from .marked_line import LETTER, LETTERS, MarkedLine
from .quotes import unbalanced

__all__ = ["propose", "unbalanced"]

FORM = "punctuation.form"
RULES = Path(__file__).parent / "rules" / "punctuation"
_W = f"{LETTERS}、。，；：？！）》】」』％"
_SP = " \\t\xa0\u3000"
_TRADITIONAL = frozenset("這個們來說時會學國對過還發經見體點後樣開關東車長門問間馬無與為話語讓認識業當")
_SIMPLIFIED = frozenset("这个们来说时会学国对过还发经见体点后样开关东车长门问间马无与为话语让认识业当")
_DAMAGE = re.compile(rf"[,;:!](?<=[{LETTERS}].)(?=[{LETTERS}])|[,;](?<=[{LETTERS}].)(?= [{LETTERS}])")


class Style(NamedTuple):
    """What holds for a whole document.

    marks      the quotation marks that are written: outer opening, outer closing, inner opening, inner closing
    restyle    whether the ones that are there are changed to these
    damaged    whether marks of this text have lost their width; in one that writes ，；： in full width, ASCII brackets
               are the author's, and a ? between two characters may be a character that was lost
    has_stops  whether the text has any 。
    """

    marks: tuple[str, str, str, str]
    restyle: bool
    damaged: bool
    has_stops: bool


def propose(text: str, config: Config) -> Iterator[Edit]:
    """Yields the edits that bring the punctuation of `text` to the house style.  See Config.quotes."""
    if text.isascii():
        return
    style: Style | None = None
    plain: list[Edit] = []  # of the line that is being read
    begin, end = 0, -1  # the line that was last looked at as a whole
    for found in _places(config.quotes != "auto").finditer(text):
        start = found.start()
        if start < end:
            continue
        mark = found[0]
        if found.lastindex and (mark != "?" or (style := style or _style(text, config)).damaged):
            plain.append(Edit(start, mark, widths.FULL[mark], widths.WIDTH))
            continue
        begin, end = text.rfind("\n", 0, start) + 1, text.find("\n", start)
        end = len(text) if end < 0 else end
        line = text[begin:end]
        if not LETTER.search(line):
            continue
        style = style or _style(text, config)
        while plain and plain[-1].start >= begin:
            plain.pop()
        yield from plain
        plain.clear()
        yield from _line_edits(begin, line, style)
    yield from plain


def _line_edits(start: int, before: str, style: Style) -> Iterator[Edit]:
    """The edits of one line, which begins at `start` of the text."""
    line = MarkedLine(start, before)
    for found in _forms().finditer(before):
        line.change(found.start(), found.end(), _converted(found[0]), FORM)
    _narrow_numbers(line)
    if not line.is_code():
        spaces.dots(line)
        spaces.dashes(line)
        widths.brackets(line, style.damaged)
        quotes.curl(line, style.marks, style.damaged)
        if style.restyle:
            quotes.restyle(line, style.marks)
        widths.marks(line, style.damaged, style.has_stops)
        spaces.spaces(line)
        spaces.close_up(line)
    return line.edits()


def _narrow_numbers(line: MarkedLine) -> None:
    """Full-width numbers have full-width points, colons and percent signs: `１２．５％` becomes `12.5%`."""
    for found in _FULL_WIDTH_NUMBER.finditer(line.before):
        for place in range(*found.span()):
            narrow = _NARROW.get(line.before[place])
            if narrow:
                line.change(place, place + 1, narrow, FORM)


_FULL_WIDTH_NUMBER = re.compile(r"[０-９]+(?:(?:[．：／－][０-９]+)+|(?:，[０-９]{3}(?![０-９]))+)?％?")
_NARROW = {"．": ".", "：": ":", "／": "/", "－": "-", "，": ",", "％": "%"}


def _style(text: str, config: Config) -> Style:
    traditional = config.quotes == "traditional" or config.quotes == "auto" and "「" in text and _is_traditional(text)
    damaged = "，" not in text or bool(_DAMAGE.search(text))
    marks = quotes.TRADITIONAL if traditional else quotes.MAINLAND
    return Style(marks, config.quotes != "auto", damaged, "。" in text)


def _is_traditional(text: str) -> bool:
    """Whether characters of the Traditional script outnumber those of the Simplified one."""
    return sum(map(text.count, _TRADITIONAL)) > sum(map(text.count, _SIMPLIFIED))


@cache
def _places(every_quote: bool) -> re.Pattern[str]:
    """Finds the marks to be looked at. Group 1 takes part where the mark needs no second look: it stands between
    two Chinese words. Every alternative begins behind the mark, so that the search is one for a set of characters."""
    forms = re.escape("".join(sorted(set("".join(_form_rows())))))
    quotation = "“”‘’「」『』" if every_quote else ""
    return re.compile(
        rf"""[,;:?!.()"'`<\-–—…。・·･{_SP}{forms}{quotation}](?:
        (?:(?<=[{_W}][,;:?!])|(?<=[{_W}][”’][,;:?!]))(?=[{LETTERS}0-9A-Za-z“‘《「『（\r\n]|\Z)()
        |(?<=[,;:?!])(?:(?<![0-9A-Za-z].)|(?![0-9A-Za-z]))
        |(?<=[()"'`<{forms}{quotation}])
        |(?<=\.)(?:(?![0-9A-Za-z])|(?<=[{_W}”’].))
        |(?<=-)-|(?<=–)–|(?<=—)-|(?<=-)—|(?<=。)。。|(?<=[・·･])[・·･]{{2}}
        |(?<=…)(?:(?<!……)(?!…)|……)
        |(?<=[，；、。：？！（《〈【〔「『][{_SP}])(?!\n)
        |(?<=[{_SP}])(?=[，。；：？！、）》〉】〕」』％])
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
