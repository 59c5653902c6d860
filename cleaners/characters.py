"""Characters: invisible ones, look-alikes and compatibility forms become the characters that readers mean.

Left alone: circled numbers, squared units, trade marks, full-width punctuation (see punctuation.py), joiners in
emoji and in scripts that need them, direction marks in right-to-left text, and indents (see layout.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache, lru_cache
from itertools import repeat
from sys import intern
from unicodedata import normalize

import numpy as np

from . import script
from .config import Config
from .edits import Edit
from .statistics import codes

LINE_ENDS = "\r\x0b\x0c\x85\u2028\u2029"
CONTROLS = "\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ufff9-\ufffb\ufffe\uffff"
ZERO_WIDTH = "\u200b\u2060-\u2064\u180e\u034f\ufffc"
JOINERS = "\u200c\u200d"
DIRECTIONS = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u206f"
# U+E5E5 is what GB 18030 makes of A3A0, the empty cell of the full-width ASCII row
SPACES = "\xa0\u1680\u2000-\u200a\u202f\u205f\ue5e5"
RADICALS = "\u2e81-\u2ef3\u2f00-\u2fd5"
IDEOGRAPHS = "\uf900-\ufaff\U0002f800-\U0002fa1f"
WIDE = "\uff10-\uff19\uff21-\uff3a\uff41-\uff5a"
KANA = "\uff61-\uff9f"
DOOR = "\u2f3e"
COMBINING = "\u0300-\u034e\u0350-\u036f\u3099\u309a"
LIGATURES = "\ufb00-\ufb06"
# Older GB 18030 has these in the private use area; GB 18030-2022 and browsers have the characters themselves
PRIVATE = {
    **dict(zip(range(0xE78D, 0xE797), "︐︒︑︓︔︕︖︗︘︙", strict=True)),
    **{0xE7C7: "ḿ", 0xE816: "𠂇", 0xE817: "𠂉", 0xE818: "𠃌", 0xE81E: "龴", 0xE826: "龵", 0xE82B: "龶", 0xE82C: "龷"},
    **{0xE831: "𡗗", 0xE832: "龸", 0xE83B: "𢦏", 0xE843: "龹", 0xE854: "龺", 0xE855: "𤇾", 0xE864: "龻"},
}
PRIVATE_USE = "".join(map(chr, PRIVATE))

_OTHERS = (
    f"{CONTROLS}{ZERO_WIDTH}{JOINERS}{DIRECTIONS}\xad\ufeff{SPACES}{RADICALS}{IDEOGRAPHS}{WIDE}{KANA}"
    f"{COMBINING}{LIGATURES}{PRIVATE_USE}"
)
ODD = re.compile(f"[{LINE_ENDS}{_OTHERS}]")
OTHER_THAN_LINE_ENDS = re.compile(f"[{_OTHERS}]")
RULES = (
    ("line_end", re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")),
    ("terminal_escape", re.compile(r"\x1b\[[0-9;]{0,20}[A-Za-z]")),
    ("control", re.compile(f"[{CONTROLS}]+")),
    ("zero_width", re.compile(f"[{ZERO_WIDTH}]+")),
    ("joiner", re.compile(f"[{JOINERS}]")),
    ("direction", re.compile(f"[{DIRECTIONS}]+")),
    ("soft_hyphen", re.compile("\xad+")),
    ("byte_order_mark", re.compile("\ufeff+")),
    ("space", re.compile(f"[{SPACES}]+")),
    ("radical", re.compile(f"[{RADICALS}]+")),
    ("compatibility_ideograph", re.compile(f"[{IDEOGRAPHS}]+")),
    ("width", re.compile(f"[{WIDE}]+")),
    ("kana", re.compile(f"[{KANA}]+")),
    ("combining", re.compile(f"[{COMBINING}]+")),
    ("private_use", re.compile(f"[{PRIVATE_USE}]+")),
    ("ligature", re.compile(f"[{LIGATURES}]+")),
)
ONE_OF_RULES = re.compile("|".join(f"(?P<{name}>{rule.pattern})" for name, rule in RULES))
TOGETHER = 1_024  # so many line ends are listed at once: a list of all would take more memory than the text
_PATTERNS = dict(RULES)
ESCAPE = "\x1b"  # a control character, or the first of several
_IDS = {name: intern(f"characters.{name}") for name, _ in RULES}
RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
NEEDS_JOINER = re.compile("[\u0600-\u109f\u1780-\u17ff\u1a20-\u1aaf\u2600-\u27bf\ufe0f\U0001f000-\U0001faff]")

# The radicals supplement has no mappings in NFKC; these are from Unicode's EquivalentUnifiedIdeograph.txt
# (Unicode License v3).
SUPPLEMENT = (
    "⺁厂⺂乛⺃乚⺄乙⺅亻⺆冂⺇𠘨⺈刀⺉刂⺊卜⺋㔾⺌小⺍小⺎兀⺏尣⺐尢⺑𡯂⺒巳⺓幺⺔彑⺕彐⺖忄⺗心⺘扌⺙攵⺛旡⺜日⺝月⺞歺⺟母⺠民"
    "⺡氵⺢氺⺣灬⺤爫⺥爫⺦丬⺧牛⺨犭⺩王⺪𤴔⺫目⺬示⺭礻⺮𥫗⺯糹⺰纟⺱罓⺲罒⺳㓁⺴冗⺵𦉫⺶羊⺷𦍌⺸𦍋⺹耂⺺肀⺻聿⺼肉"
    "⺽𦥑⺾艹⺿艹⻀艹⻁虎⻂衤⻃覀⻄西⻅见⻆角⻇𧢲⻈讠⻉贝⻊𧾷⻋车⻌辶⻍辶⻎辶⻏邑⻐钅⻑長⻒镸⻓长⻔门⻕𨸏⻖阝⻗雨⻘青"
    "⻙韦⻚页⻛风⻜飞⻝食⻞𩙿⻟飠⻠饣⻡𩠐⻢马⻣骨⻤鬼⻥鱼⻦鸟⻧卤⻨麦⻩黄⻪黾⻫斉⻬齐⻭歯⻮齿⻯竜⻰龙⻱龜⻲亀⻳龟"
)


_edit = tuple.__new__  # making an Edit by its name takes twice as long


def propose(text: str, config: Config) -> Iterator[Edit]:
    """Yields one edit per run of characters of one kind that is not what readers mean.

    Ideographic spaces stay: they are what Chinese typesetting has for indents and between names, and no damage.
    """
    first = ODD.search(text)
    if not first:
        return
    if first[0] in LINE_ENDS and not OTHER_THAN_LINE_ENDS.search(text, first.end()):
        yield from _line_ends(text)
        return
    right_to_left = RIGHT_TO_LEFT.search(text) is not None
    # Unicode has one radical for 戶 and 户, and PDF files of Simplified text have it for the second: 客户
    simplified_door = DOOR in text and script.detect(text) == "hans"
    at = done = 0
    while match := ODD.search(text, at):
        start = match.start()
        if match[0] in LINE_ENDS:  # there may be one at the end of each line
            at = done = start + (2 if text.startswith("\r\n", start) else 1)
            yield _edit(Edit, (start, text[start:at], "\n", _IDS["line_end"], "", -1))
            continue
        name, at = _rule(text, start)
        if name == "combining":
            start = max(start - 1, 0)
        if start < done or (name == "direction" and right_to_left):
            continue
        before = text[start:at]
        if name == "joiner" and start and NEEDS_JOINER.match(text, start - 1):
            continue
        new = (_known_replacement if len(before) <= LONGEST_REMEMBERED else _replacement)(name, before)
        if simplified_door and name == "radical" and DOOR in before:
            new = new.replace("戶", "户")
        if new != before:
            yield _edit(Edit, (start, before, new, _IDS[name], "", -1))
            done = at


def _rule(text: str, start: int) -> tuple[str, int]:
    """The first rule for the character at `start`, and where what it is about ends; there is one for each character of
    ODD."""
    name = _rule_of(text[start])
    found = (_PATTERNS[name] if name else ONE_OF_RULES).match(text, start)
    if found is None:
        raise LookupError(f"no rule for U+{ord(text[start]):04X}, which ODD finds")
    return name or found.lastgroup or "", found.end()


@lru_cache(1 << 12)
def _rule_of(char: str) -> str:
    """The rule for a character, whatever follows; "" if that decides."""
    found = ONE_OF_RULES.match(char)
    return (found.lastgroup or "") if found and char != ESCAPE else ""


def _line_ends(text: str) -> Iterator[Edit]:
    """The edits of a text with nothing odd but line ends."""
    units = codes(text)
    is_end = np.isin(units, [ord(char) for char in LINE_ENDS])
    starts = is_end.nonzero()[0]
    ends = starts + 1
    begins_two = (units[starts] == ord("\r")) & (units[np.minimum(ends, len(text) - 1)] == ord("\n"))
    ends += begins_two
    fields = repeat("\n"), repeat(_IDS["line_end"]), repeat(""), repeat(-1)
    for first in range(0, len(starts), TOGETHER):
        some = starts[first : first + TOGETHER].tolist()
        befores = map(text.__getitem__, map(slice, some, ends[first : first + TOGETHER].tolist()))
        yield from map(_edit, repeat(Edit), zip(some, befores, *fields, strict=False))


def _replacement(name: str, before: str) -> str:
    """What stands for `before` afterwards, by the rule of this name."""
    if name == "line_end":
        return "\n"
    if name == "space":
        return " " * len(before)
    if name == "control":
        return "".join(_cp1252(char) for char in before)
    if name == "radical":
        return normalize("NFKC", before.translate(_supplement()))
    if name == "private_use":
        return before.translate(PRIVATE)
    if name in ("width", "kana", "ligature"):
        return normalize("NFKC", before)
    if name in ("compatibility_ideograph", "combining"):
        return normalize("NFC", before)
    return ""


_known_replacement = lru_cache(1 << 12)(_replacement)
LONGEST_REMEMBERED = 8  # characters


@cache
def _supplement() -> dict[int, str]:
    return {ord(a): b for a, b in zip(SUPPLEMENT[::2], SUPPLEMENT[1::2], strict=True)}


def _cp1252(char: str) -> str:
    """The control characters 80 to 9F are read as cp1252, as browsers do; all others go."""
    return bytes([ord(char)]).decode("cp1252", "ignore") if "\x80" <= char <= "\x9f" else ""
