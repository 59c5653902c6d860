"""Rules as TOML tables: reading, checking, and matching many of them in one pass.

`cleaners/rules/README.md` tells how to write one.  A rule that could be slow or that misses its examples does not
load: see RuleError.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from pathlib import Path
from re import _constants as codes  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any, NamedTuple

import numpy as np
import opencc
from numpy.typing import NDArray

from .edits import Edit

FOLDER = Path(__file__).parent / "rules"

LONGEST_LINE = 300
"""Longer lines are never chrome or metadata, in characters. It bounds what a pattern can cost."""

MOST_WAYS = 100_000
"""A pattern may match a line of LONGEST_LINE characters in at most so many ways: two quantifiers without an upper
bound, 300 x 300 ways, are allowed, three are not."""

PLACES = ("anywhere", "edge", "head", "tail")
MATCHERS = ("line", "words", "begins", "contains", "pattern", "labels")
SIDES = ("", "above", "below")
FIELDS = (
    "title",
    "subtitle",
    "authors",
    "source",
    "site",
    "published_at",
    "editor",
    "photographer",
    "section",
    "keywords",
)
VALUES = ("date", "name", "names", "number", "words", "any")


class RuleError(ValueError):
    """A rule file cannot be used.  The message names the file and the rule and tells what to change."""


@dataclass(frozen=True)
class Rule:
    """One TOML table; the meaning of each key stands in rules/README.md.

    Exactly one of MATCHERS is given.
    """

    cleaner: str
    name: str
    about: str
    where: str
    weak: bool
    and_all: str
    widget: bool
    line: tuple[str, ...]
    words: tuple[str, ...]
    begins: tuple[str, ...]
    contains: tuple[str, ...]
    without: tuple[str, ...]
    sentences: bool
    pattern: str
    labels: tuple[str, ...]
    field: str
    value: str
    fallback: bool
    longest: int
    at_least: int
    removes: tuple[str, ...]
    keeps: tuple[str, ...]

    @cached_property
    def id(self) -> str:
        """The id in the edits, for example `chrome.print_button`."""
        return f"{self.cleaner}.{self.name}"

    @cached_property
    def compiled(self) -> re.Pattern[str]:
        """The pattern, for a whole folded line."""
        return re.compile(self.pattern)

    @cached_property
    def parsed(self) -> parser.SubPattern:
        """The pattern as the library reads it."""
        return parser.parse(self.pattern)


_DEFAULTS: Mapping[str, object] = {
    "about": "",
    "where": "anywhere",
    "weak": False,
    "and_all": "",
    "widget": False,
    "line": (),
    "words": (),
    "begins": (),
    "contains": (),
    "without": (),
    "sentences": False,
    "pattern": "",
    "labels": (),
    "field": "",
    "value": "any",
    "fallback": False,
    "longest": 30,
    "at_least": 1,
}


@cache
def load(cleaner: str) -> tuple[Rule, ...]:
    """All rules in rules/<cleaner>/*.toml, by file name, then in the order of the file.  Raises RuleError."""
    rules: list[Rule] = []
    for path in sorted((FOLDER / cleaner).glob("*.toml")):
        rules += parse(path.read_text(encoding="utf-8"), cleaner, path.name)
    doubled = {rule.name for rule in rules if sum(other.name == rule.name for other in rules) > 1}
    if doubled:
        raise RuleError(f"rules/{cleaner}: two rules have the name {', '.join(sorted(doubled))}; rename one")
    return tuple(rules)


TODO = "TODO"
"""What an example begins with that somebody still has to write."""


def parse(text: str, cleaner: str, file: str, is_draft: bool = False) -> list[Rule]:
    """The rules in the text of one TOML file.  Raises RuleError; `file` is for its message.

    is_draft   examples may still be missing (TODO)
    """
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RuleError(f"{file} is not valid TOML: {error}") from error
    if set(tables) != {"rule"}:
        raise RuleError(f"{file}: every table must begin with [[rule]]; found {sorted(tables)}")
    return [_rule(table, cleaner, file, is_draft) for table in tables["rule"]]


def _rule(table: Mapping[str, Any], cleaner: str, file: str, is_draft: bool) -> Rule:
    name = table.get("name", "")
    here = f"{file}, rule {name!r}"
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise RuleError(f"{here}: `name` must be lower-case English letters, digits and _")
    for needed in ("removes", "keeps"):
        if not table.get(needed):
            raise RuleError(f"{here}: give at least one example in `{needed}`; they are the rule's tests")
        if not is_draft and any(str(line).startswith(TODO) for line in table[needed]):
            raise RuleError(f"{here}: replace the {TODO} in `{needed}` by an example")
    unknown = set(table) - set(_DEFAULTS) - {"name", "removes", "keeps"}
    if unknown:
        raise RuleError(f"{here}: unknown key {', '.join(sorted(unknown))}")
    merged: dict[str, Any] = {**_DEFAULTS, **{k: tuple(v) if isinstance(v, list) else v for k, v in table.items()}}
    for key, default in _DEFAULTS.items():
        if type(merged[key]) is not type(default):
            raise RuleError(f"{here}: `{key}` must be {_KINDS[type(default)]}")
    rule = Rule(cleaner=cleaner, **merged)
    if sum(bool(getattr(rule, matcher)) for matcher in MATCHERS) != 1:
        raise RuleError(f"{here}: give exactly one of {', '.join(MATCHERS)}")
    for key, allowed in (("where", PLACES), ("value", VALUES), ("and_all", SIDES), ("field", ("", *FIELDS))):
        if getattr(rule, key) not in allowed:
            raise RuleError(f"{here}: `{key}` is {getattr(rule, key)!r}; allowed are {', '.join(allowed)}")
    if rule.pattern:
        check_pattern(rule.pattern, here)
    return rule


_KINDS = {str: "a text in quotes", tuple: "a list of texts", bool: "true or false", int: "a whole number"}


# ---------------------------------------------------------------- text as the rules see it


@cache
def _fold_table() -> dict[int, str]:
    """Full-width marks, letters and digits to ASCII, odd spaces to a space, Traditional to Simplified."""
    han = [chr(c) for c in range(0x4E00, 0x9FA6)]
    simplified = opencc.OpenCC("t2s").convert("\n".join(han)).split("\n")
    table = {ord(a): b for a, b in zip(han, simplified, strict=True) if a != b and len(b) == 1}
    table |= {c + 0xFEE0: chr(c) for c in range(0x21, 0x7F)}
    table |= dict.fromkeys(range(0xE000, 0xF900), " ")  # private use: icons
    table |= dict.fromkeys((0x3000, 0xA0, 0x09, 0x0B, 0x0C, 0x0D, 0x2002, 0x2003, 0x2009, 0xFEFF, 0x200B), " ")
    return table | {0xFF5C: "|", 0x2502: "|", 0x4E28: "|", 0xFE30: ":", 0x2236: ":"}


@cache
def _rarely_folded() -> re.Pattern[str]:
    common = {ord(wide) for wide, _ in _COMMON_MARKS}
    return re.compile("[" + re.escape("".join(map(chr, _fold_table().keys() - common))) + "]")


_COMMON_MARKS = tuple((chr(ord(mark) + 0xFEE0), mark) for mark in ",:;!?()")


def fold(line: str) -> str:
    """The line as rules see it, character by character: the result is as long as the line.

    `line.translate(_fold_table())`, but three times as fast: most lines only hold the common marks."""
    if line.isascii() and line.isprintable():
        return line
    return _fold_short(line) if len(line) <= LONG else _fold(line)


def _fold(line: str) -> str:
    for wide, mark in _COMMON_MARKS:
        line = line.replace(wide, mark)
    return _rarely_folded().sub(lambda match: _fold_table()[ord(match[0])], line)


_fold_short = lru_cache(1 << 13)(_fold)  # several cleaners ask for the short rows of a page, each of them a few times


# ---------------------------------------------------------------- patterns that cannot be slow


def check_pattern(pattern: str, here: str) -> None:
    """Raises RuleError when the pattern is no regular expression, or could be slow on a hostile line.

    Slow is: a quantifier inside a quantifier (unless the outer one is possessive: ++ *+ {2,5}+), a reference back,
    or more than MOST_WAYS ways to match. The ways are the product of the choices that backtracking may go
    through; possessive quantifiers and atomic groups (?>…) leave no choice and count as one.
    """
    try:
        tree = parser.parse(pattern)
    except re.error as error:
        raise RuleError(f"{here}: `pattern` is no regular expression: {error}") from error
    ways = _ways(tree, here)
    if ways > MOST_WAYS:
        raise RuleError(
            f"{here}: `pattern` can match in {ways:,} ways, {MOST_WAYS:,} are allowed; "
            "give quantifiers an upper bound ({0,8}) or make them possessive (++, *+)"
        )


def _ways(tree: Iterable[tuple[Any, Any]], here: str) -> int:
    """Upper bound of the ways in which the parsed pattern can match at one place."""
    ways = 1
    for code, argument in tree:
        if code in (codes.GROUPREF, codes.GROUPREF_EXISTS):
            raise RuleError(f"{here}: `pattern` refers back to a group, which can be slow")
        if code in (codes.MAX_REPEAT, codes.MIN_REPEAT):
            low, high, body = argument
            if _is_repeating(body) and high > 1:
                raise RuleError(
                    f"{here}: `pattern` has a quantifier inside a quantifier; make the outer one possessive (++)"
                )
            choices = min(int(high), LONGEST_LINE) - min(int(low), LONGEST_LINE) + 1
            ways *= choices * _ways(body, here)
        elif code is codes.POSSESSIVE_REPEAT:
            if _may_match_in_part(argument[2]):
                raise RuleError(
                    f"{here}: `pattern` has a possessive quantifier behind a group with choices in it, which "
                    "Python before 3.11.5 reads wrongly; write (?>…) instead of (?:…)"
                )
            _ways(argument[2], here)
        elif code is codes.ATOMIC_GROUP:
            _ways(argument, here)
        elif code is codes.SUBPATTERN:
            ways *= _ways(argument[3], here)
        elif code is codes.BRANCH:
            ways *= sum(_ways(branch, here) for branch in argument[1])
        elif code in (codes.ASSERT, codes.ASSERT_NOT):
            ways *= _ways(argument[1], here)
    return ways


def _may_match_in_part(tree: Iterable[tuple[Any, Any]]) -> bool:
    """True if the tree is a group in which something with a choice may match before the group fails."""
    parts = list(tree)
    if len(parts) == 1 and parts[0][0] is codes.SUBPATTERN:
        return _may_match_in_part(parts[0][1][3])
    if len(parts) == 1:
        return parts[0][0] is codes.BRANCH and any(_may_match_in_part(branch) for branch in parts[0][1][1])
    choices = (codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT, codes.ATOMIC_GROUP, codes.BRANCH)
    return any(code in choices or code is codes.SUBPATTERN for code, _ in parts)


def _is_repeating(tree: Iterable[tuple[Any, Any]]) -> bool:
    """True if the tree has a choice in itself, so that a quantifier around it could multiply it."""
    for code, argument in tree:
        if code in (codes.MAX_REPEAT, codes.MIN_REPEAT, codes.BRANCH):
            return True
        if code is codes.SUBPATTERN and _is_repeating(argument[3]):
            return True
    return False


# ---------------------------------------------------------------- many rules, one pass


LONG = 60
"""Lines with more characters are prose as a rule, and few rules are for such: these are tried on their own."""

STOP = "。"
"""Most prose holds one, and half of the rules for long lines name no line with one."""

_SHORT, _LONG, _PROSE = range(3)


def _kind(folded: str) -> int:
    """Of a line: it tells which rules may name it."""
    return _SHORT if len(folded) <= LONG else _PROSE if STOP in folded else _LONG


class Patterns:
    """Many patterns as one: `find(folded)` gives the first rule whose pattern is the whole line.

    Only those are tried that can begin with the line's first character and end with its last one; and of the broad
    ones, which any character can begin, those of which the line holds a needed text."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._rules = tuple(rules)
        self._patterns = [rule.compiled for rule in self._rules]
        self._beginning: dict[tuple[str, int, bool], tuple[frozenset[int], frozenset[int]]] = {}
        self._ending: dict[str, frozenset[int]] = {}
        self._needed: dict[int, _Needed] = {}

    def find(self, folded: str) -> Rule | None:
        """The first rule, in the order given, that matches all of the folded line."""
        if not folded:
            return None
        last, kind = folded[-1], _kind(folded)
        first = folded[0], kind, folded.isascii()
        numbers, broad = self._beginning.get(first) or self._may_begin_with(*first)
        ending = self._ending.get(last) or self._may_end_with(last)
        needed = self._needed.get(kind) or self._needed_by_broad(kind)
        for text in needed.search(folded):
            numbers = numbers | (needed.needing[text] & broad)
        numbers = numbers & ending
        if numbers:
            for number in sorted(numbers):
                if self._patterns[number].fullmatch(folded):
                    return self._rules[number]
        return None

    def _may_begin_with(self, first: str, kind: int, is_ascii: bool) -> tuple[frozenset[int], frozenset[int]]:
        """The numbers of the rules that may match a line of that kind with this first character: those that are always
        tried, and the broad ones, which are tried if one of the texts is in the line that they need."""
        begins = first if self._starts_together.match(first) else ""
        found = self._beginning.get((begins, kind, is_ascii))
        if found is None:
            numbers = frozenset(
                number
                for number, start in self._starts.items()
                if (not start or start.match(begins))
                and self._is_for(number, kind)
                and not (is_ascii and self._needs_others(number))
            )
            needing = numbers & self._broad
            found = numbers - needing, needing
        self._beginning[begins, kind, is_ascii] = self._beginning[first, kind, is_ascii] = found
        return found

    def _needed_by_broad(self, kind: int) -> _Needed:
        numbers = [number for number in self._broad if self._is_for(number, kind)]
        self._needed[kind] = _Needed({number: self._needed_by_rule[number] for number in numbers})
        return self._needed[kind]

    @cached_property
    def _broad(self) -> frozenset[int]:
        """The rules that begin with any character, and need some text."""
        return frozenset(n for n, start in self._starts.items() if not start and self._needed_by_rule[n])

    def _may_end_with(self, last: str) -> frozenset[int]:
        """The numbers of the rules whose pattern can match a line with this last character."""
        if self._ends_together.match(last):
            found = frozenset(number for number, end in self._ends.items() if not end or end.match(last))
        else:
            found = self._any_end
        self._ending[last] = found
        return found

    @cached_property
    def _ends(self) -> dict[int, re.Pattern[str] | None]:
        """For each rule what its last character may be; None if that is not known or any Chinese one may."""
        ends = {number: _last_character(rule.parsed) for number, rule in enumerate(self._rules)}
        return {number: None if not one or one.match("龥") else one for number, one in ends.items()}

    @cached_property
    def _any_end(self) -> frozenset[int]:
        return frozenset(number for number, end in self._ends.items() if not end)

    @cached_property
    def _starts_together(self) -> re.Pattern[str]:
        return _one_of(self._starts)

    @cached_property
    def _ends_together(self) -> re.Pattern[str]:
        return _one_of(self._ends)

    @cached_property
    def _starts(self) -> dict[int, re.Pattern[str] | None]:
        """For each rule what its first character may be; None if that is not known or any Chinese one may."""
        starts = {number: _first_character(rule.parsed) for number, rule in enumerate(self._rules)}
        return {number: None if not one or one.match("龥") else one for number, one in starts.items()}

    @cached_property
    def needed(self) -> frozenset[str]:
        """Texts of which every line that a rule matches holds at least one; none if that is not known."""
        needed = self._needed_by_rule
        return frozenset().union(*needed) if all(needed) else frozenset()

    @cached_property
    def _needed_by_rule(self) -> list[frozenset[str]]:
        return [_needed(rule.parsed) for rule in self._rules]

    def of_prose(self) -> tuple[set[str], re.Pattern[str]]:
        """Of every line of prose that a rule matches: texts of which it holds at least one, or else what matches its
        first character."""
        needed: set[str] = set()
        starts = []
        for number, start in self._starts.items():
            if not self._is_for(number, _PROSE):
                continue
            if start:
                starts.append(start.pattern[1:-1])
            else:
                needed |= self._needed_by_rule[number] or {""}  # which every line holds
        return needed, re.compile(f"[{''.join(starts)}]" if starts else "(?!)")

    def _needs_others(self, number: int) -> bool:
        """Does a line that matches hold characters that are not ASCII?"""
        needed = self._needed_by_rule[number]
        return bool(needed) and not any(map(str.isascii, needed))

    def _is_for(self, number: int, kind: int) -> bool:
        """Can the rule match lines of that kind?"""
        tree = self._rules[number].parsed
        return kind == _SHORT or (int(tree.getwidth()[1]) > LONG and (kind == _LONG or _may_hold(tree, STOP)))


class _Needed:
    """Finds texts that rules need, given by the rules' numbers.

    search   the texts in a line, from left to right, none of them overlapping
    needing  for each such text the rules that may have what they need if it is found: it may hide others
    """

    def __init__(self, by_rule: Mapping[int, frozenset[str]]) -> None:
        texts = frozenset().union(*by_rule.values())
        self.search = (_any_of(texts) or re.compile("(?!)")).findall
        self.needing = {}
        for text in texts:
            told = {other for other in texts if _may_begin_in(other, text)}
            self.needing[text] = frozenset(n for n, needed in by_rule.items() if not needed.isdisjoint(told))


def _may_begin_in(text: str, found: str) -> bool:
    """Whether `text` can stand in a line so that it begins inside of `found`."""
    return any(text.startswith(found[at : at + len(text)]) for at in range(len(found)))


def _may_hold(tree: Iterable[tuple[Any, Any]], mark: str) -> bool:
    """Can what the parsed pattern matches hold this punctuation mark?  True also where that is not known."""
    for code, argument in tree:
        if code in (codes.AT, codes.ASSERT, codes.ASSERT_NOT):
            continue  # they match nothing themselves
        if code is codes.LITERAL:
            found = chr(argument) == mark
        elif code is codes.NOT_LITERAL:
            found = chr(argument) != mark
        elif code is codes.IN:
            found = _is_in(argument, mark)
        elif code is codes.BRANCH:
            found = any(_may_hold(branch, mark) for branch in argument[1])
        elif code is codes.ATOMIC_GROUP:
            found = _may_hold(argument, mark)
        elif code in (codes.SUBPATTERN, codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT):
            found = _may_hold(argument[-1], mark)
        else:
            found = True
        if found:
            return True
    return False


def _is_in(parts: Sequence[tuple[Any, Any]], mark: str) -> bool:
    """Does a parsed character class hold this punctuation mark?"""
    for kind, value in parts:
        if (
            (kind is codes.LITERAL and chr(value) == mark)
            or (kind is codes.RANGE and value[0] <= ord(mark) <= value[1])
            or (kind is codes.CATEGORY and value in _NO_LETTERS)
        ):
            return parts[0][0] is not codes.NEGATE
    return parts[0][0] is codes.NEGATE


_NO_LETTERS = (codes.CATEGORY_NOT_DIGIT, codes.CATEGORY_NOT_SPACE, codes.CATEGORY_NOT_WORD)


def _needed(tree: Iterable[tuple[Any, Any]]) -> frozenset[str]:
    """Texts of which every line that the parsed pattern matches holds at least one, as long ones as there are; none if
    that is not known."""
    found: list[frozenset[str]] = []
    literal = ""
    for code, argument in [*tree, (None, None)]:
        if code is codes.LITERAL:
            literal += chr(argument)
            continue
        if literal.strip():  # nearly every line has a space
            found.append(frozenset([literal]))
        literal = ""
        if code is codes.BRANCH:
            branches = [_needed(branch) for branch in argument[1]]
            found.append(frozenset().union(*branches) if all(branches) else frozenset())
        elif code is codes.SUBPATTERN and not argument[1]:  # no flags of its own
            found.append(_needed(argument[3]))
        elif code is codes.ATOMIC_GROUP:
            found.append(_needed(argument))
        elif code in (codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT) and argument[0]:
            found.append(_needed(argument[2]))
        elif code is codes.ASSERT:  # what stands there is in the line, too, which is matched as a whole
            found.append(_needed(argument[1]))
        elif code is codes.IN and all(kind is codes.LITERAL for kind, _ in argument):
            found.append(frozenset(chr(value) for _, value in argument))
    return max(found, key=_rarity, default=frozenset())


def _rarity(texts: frozenset[str]) -> tuple[bool, int, int]:
    """The higher, the fewer lines hold one of the texts: rows have more digits than any other sign."""
    return any(not text.isdigit() for text in texts), min(map(len, texts), default=0), -len(texts)


def _first_character(tree: Iterable[tuple[Any, Any]]) -> re.Pattern[str] | None:
    """A pattern for all characters that a match of the parsed pattern can begin with; None if any can, or it can be
    empty."""
    found, is_optional = _outermost(tree, lambda parts: parts)
    return None if found is None or is_optional else re.compile("[" + "".join(found) + "]")


def _last_character(tree: Iterable[tuple[Any, Any]]) -> re.Pattern[str] | None:
    """The same for the last character."""
    found, is_optional = _outermost(tree, lambda parts: reversed(list(parts)))
    return None if found is None or is_optional else re.compile("[" + "".join(found) + "]")


def _one_of(characters: Mapping[int, re.Pattern[str] | None]) -> re.Pattern[str]:
    """Matches what one of the patterns for a character does."""
    return re.compile("|".join(sorted({one.pattern for one in characters.values() if one})) or "(?!)")


Parts = Iterable[tuple[Any, Any]]


def _outermost(tree: Parts, ordered: Callable[[Parts], Parts]) -> tuple[list[str] | None, bool]:
    """The parts of a character class for what a match of the parsed pattern begins with, None for any character; and
    whether it can match nothing.  ordered: reverses the parts of a pattern if its end is asked for."""
    found: list[str] = []
    for code, argument in ordered(tree):
        if code in (codes.ASSERT, codes.ASSERT_NOT, codes.AT):
            continue  # they can only forbid
        if code is codes.BRANCH:
            parts = [_outermost(branch, ordered) for branch in argument[1]]
        elif code is codes.SUBPATTERN:
            parts = [_outermost(argument[3], ordered)]
        elif code is codes.ATOMIC_GROUP:
            parts = [_outermost(argument, ordered)]
        elif code in (codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT):
            one, is_optional = _outermost(argument[2], ordered)
            parts = [(one, is_optional or argument[0] == 0)]
        else:
            parts = [(_class_of(code, argument), False)]
        for one, _ in parts:
            if one is None:
                return None, False
            found += one
        if not any(is_optional for _, is_optional in parts):
            return found, False
    return found, True


def _class_of(code: object, argument: Any) -> list[str] | None:
    """The parts of a character class for one parsed character or class; None for any character."""
    if code is codes.LITERAL:
        return [re.escape(chr(argument))]
    if code is not codes.IN:
        return None
    found: list[str] = []
    for kind, value in argument:
        if kind is codes.LITERAL:
            found.append(re.escape(chr(value)))
        elif kind is codes.RANGE:
            found.append(f"{re.escape(chr(value[0]))}-{re.escape(chr(value[1]))}")
        elif kind is codes.CATEGORY and value is codes.CATEGORY_DIGIT:
            found.append(r"\d")
        else:
            return None
    return found


def _unnamed(pattern: str) -> str:
    return re.sub(r"\(\?P<[A-Za-z_]+>", "(?:", pattern)


class Phrases:
    """Rules with `begins` or `contains`: `find(folded)` gives the first one that fits the line.

    The phrases that begin a line are looked up by length, those inside it with one search for all of them."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._begins: dict[str, list[tuple[str, Rule]]] = {}
        pairs = [(fold(phrase).lower(), rule) for rule in rules for phrase in rule.begins]
        for phrase, rule in sorted(pairs, key=lambda pair: -len(pair[0])):
            self._begins.setdefault(phrase[0], []).append((phrase, rule))
        self._inside = {fold(phrase).lower(): rule for rule in reversed(rules) for phrase in rule.contains}
        self._search = _any_of(self._inside)
        self.in_long = {phrase for phrase, rule in self._inside.items() if rule.longest > LONG}
        self.begin_long = {phrase[0] for phrase, rule in pairs if rule.longest > LONG}
        self._in_long = _any_of(self.in_long)

    def find(self, lower: str) -> Rule | None:
        """The rule whose phrase begins the folded, lower-case line, the longest phrase first, else the first that it
        contains."""
        bare = lower.lstrip(_OPENING)
        for phrase, rule in self._begins.get(bare[:1], ()):
            if bare.startswith(phrase) and _fits(rule, lower):
                return rule
        if self._search and (len(lower) <= LONG or (self._in_long and self._in_long.search(lower))):
            for match in self._search.finditer(lower):
                rule = self._inside[match.group()]
                if _fits(rule, lower):
                    return rule
        return None


def _any_of(phrases: Iterable[str]) -> re.Pattern[str] | None:
    """Finds the phrases, the longest one first; None when there are none."""
    ordered = sorted(phrases, key=lambda phrase: (-len(phrase), phrase))
    by_first: dict[str, list[str]] = {}  # at each place only those are tried that begin with its character
    for phrase in ordered:
        by_first.setdefault(phrase[0], []).append(re.escape(phrase[1:]))
    parts = [f"{re.escape(first)}(?:{'|'.join(rest)})" for first, rest in by_first.items()]
    return re.compile("|".join(parts)) if parts else None


def _fits(rule: Rule, line: str) -> bool:
    if len(line) > rule.longest or (not rule.sentences and line[-1] in "。!?;,…”"):
        return False
    return not any(phrase in line for phrase in rule.without)


_OPENING = " ·•|[(【<《>-—→»›◆■●▪※*+#_/"


_BETWEEN_PIECES = " ·•|[]()【】<>《》-—→»›>,、◆■●/"
_BETWEEN = re.escape(_BETWEEN_PIECES)


class Words:
    """Splits a line into known words: `split(folded)` is linear in the line's length."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rule_of = {word: rule for rule in reversed(rules) for word in map(squeeze, rule.words)}
        self._lengths: dict[str, tuple[int, ...]] = {}
        for first in {word[0] for word in self._rule_of}:
            sizes = {len(word) for word in self._rule_of if word[0] == first}
            self._lengths[first] = tuple(sorted(sizes, reverse=True))
        self._signs = "".join(sorted(set(_SEPARATORS) - self._lengths.keys()))  # separators that begin no word
        self._between = re.compile(f"[{re.escape(self._signs)}]*")
        letters = {*_SEPARATORS, *"".join(self._rule_of)}
        self._letters = re.compile(f"[{re.escape(''.join(sorted(letters)))}]*+")
        inside = re.escape("".join(sorted(letters - set(_BETWEEN_PIECES))))
        # what begins a word, behind signs, and has only letters of words up to the next piece
        self._likely = re.compile(
            f"(?<![^{_BETWEEN}])[{re.escape(self._signs)}]*+(?=[{re.escape(''.join(sorted(self._lengths)))}])"
            f"[{inside}]++(?![^{_BETWEEN}])"
            if self._lengths
            else "(?!)"
        )

    def split(self, line: str) -> list[Rule]:
        """The rules of the words that the squeezed line consists of; [] when anything else but separators stands
        there.

        Longest word first, without going back: a line of n characters costs n steps."""
        found: list[Rule] = []
        line = line.lstrip(self._signs)
        if line[:1] not in self._lengths or not self._letters.fullmatch(line):
            return found
        at = 0
        while at < len(line):
            c = line[at]
            sizes = self._lengths.get(c, ())
            for size in sizes:
                rule = self._rule_of.get(line[at : at + size])
                if rule is not None:
                    found.append(rule)
                    at += size
                    break
            else:
                if c not in _SEPARATORS:
                    return []
                at = self._between.match(line, at + 1).end()  # type: ignore[union-attr]
        return found

    def bar(self, lower: str) -> list[Rule]:
        """The rules of the known words in a bar of pieces with separators between them, most of them known.

        [] unless MOST_KNOWN of at least LEAST_PIECES pieces are known and none is longer than LONGEST_PIECE."""
        if len(lower) < 2 * LEAST_PIECES - 1 or (len(lower) > LONG and _LONG_PIECE.search(lower)):
            return []
        likely = len(self._likely.findall(lower))
        if likely < MOST_KNOWN * LEAST_PIECES:
            return []
        pieces = [piece for piece in _PIECES.split(lower) if piece]
        if len(pieces) < LEAST_PIECES or likely < MOST_KNOWN * len(pieces) or max(map(len, pieces)) > LONGEST_PIECE:
            return []
        found = [rules for piece in pieces if (rules := self.split(piece))]
        return [rule for rules in found for rule in rules] if len(found) >= MOST_KNOWN * len(pieces) else []


LEAST_PIECES = 4
LONGEST_PIECE = 12
MOST_KNOWN = 0.5

_PIECES = re.compile(f"[{_BETWEEN}][{_BETWEEN}]*")  # begins with one class: that is fast
_LONG_PIECE = re.compile(f"[^{_BETWEEN}]{{{LONGEST_PIECE + 1}}}")
_SEPARATORS = " ·•|[]()【】<>《》:-—→»›>,;、◆■●▪※*+#_/\\~&×↑↓←→0123456789."


class Shapes:
    """Lines of ASCII characters without their digits, where these do not matter: `of(folded)` is a line of which all
    rules say the same.  Tables have a million rows of figures, and few shapes."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        named = {text for rule in rules for text in _digits_named(rule)}
        texts = {text for text in named if text.isascii()}
        spare = [digit for digit in _ASCII_DIGITS if not any(digit in text for text in texts)]
        self._to_spare = dict.fromkeys(map(ord, _ASCII_DIGITS), spare[0] if spare else None)
        self._names_digits = (_any_of(texts) or re.compile("(?!)")).search if spare else re.compile("").search

    def of(self, folded: str) -> str:
        """The line with one digit for all of them, which no rule names; or as it is, if it holds what a rule names."""
        if not folded.isascii() or not folded.isprintable() or self._names_digits(folded.lower().replace(" ", "")):
            return folded
        return folded.translate(self._to_spare)


def _digits_named(rule: Rule) -> Iterator[str]:
    """Texts with digits that the rule looks for, squeezed; it knows other digits only as such."""
    for texts in (rule.line, rule.words, rule.begins, rule.contains, rule.without):
        yield from (squeezed for text in texts if _has_digit(squeezed := squeeze(text)))
    if rule.pattern:
        yield from (squeezed for text in _literals(rule.parsed) if _has_digit(squeezed := squeeze(text)))


def _has_digit(text: str) -> bool:
    return any(map(str.isdigit, text))


def _literals(tree: Parts) -> Iterator[str]:
    """The texts in a parsed pattern; of classes that hold some digits each of these."""
    literal = ""
    for code, argument in [*tree, (None, None)]:
        if code is codes.LITERAL:
            literal += chr(argument)
            continue
        yield literal
        literal = ""
        if code in (codes.IN, codes.NOT_LITERAL):
            parts = [(codes.NEGATE, None), (codes.LITERAL, argument)] if code is codes.NOT_LITERAL else argument
            held = {digit for digit in _ASCII_DIGITS if _holds_digit(parts, ord(digit))}
            yield from held if len(held) < len(_ASCII_DIGITS) else ()
        elif code is codes.BRANCH:
            for branch in argument[1]:
                yield from _literals(branch)
        elif code is codes.ATOMIC_GROUP:
            yield from _literals(argument)
        elif code in (codes.SUBPATTERN, codes.ASSERT, codes.ASSERT_NOT, *_REPEATS):
            yield from _literals(argument[-1])


def _holds_digit(parts: Sequence[tuple[Any, Any]], digit: int) -> bool:
    """Does a parsed character class hold this digit?"""
    is_in = any(
        (kind is codes.LITERAL and value == digit)
        or (kind is codes.RANGE and value[0] <= digit <= value[1])
        or (kind is codes.CATEGORY and value in _CATEGORIES_OF_DIGITS)
        for kind, value in parts
    )
    return is_in != (parts[0][0] is codes.NEGATE)


_ASCII_DIGITS = "0123456789"
_CATEGORIES_OF_DIGITS = (codes.CATEGORY_DIGIT, codes.CATEGORY_WORD, codes.CATEGORY_NOT_SPACE)
_REPEATS = (codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT)


class ProseTelltales:
    """A cheap test of what rules look for in lines of prose, many at once: nearly all of them are none."""

    def __init__(self, patterns: Patterns, phrases: Phrases) -> None:
        needed, start = patterns.of_prose()
        self._inside = Inside({*phrases.in_long, *map(str.lower, needed)})
        self._may_begin = start.match
        self._find = patterns.find
        self._first = phrases.begin_long
        self._begin_none: set[str] = set()  # characters with which nothing begins that a rule names

    def may_name(self, lines: Sequence[str]) -> Iterator[int]:
        """Numbers of lines that a rule may name.  lines: folded, without space around them; before they were folded, of
        more than LONG characters, with a STOP."""
        yield from self._inside.lines_with("\n".join(lines).lower())
        for number, line in enumerate(lines):
            if (
                len(line) <= LONG
                or not _LONG_PIECE.search(line)
                or (line[0] not in self._begin_none and self._may_begin_with(line))
            ):
                yield number

    def _may_begin_with(self, folded: str) -> bool:
        may_match = self._may_begin(folded) is not None
        if not may_match and folded[0] not in _OPENING and folded[0].lower() not in self._first:
            self._begin_none.add(folded[0])
            return False
        return (may_match and self._find(folded) is not None) or folded.lstrip(_OPENING)[:1].lower() in self._first


class Inside:
    """Tells which of many lines hold one of some phrases, by what these begin with: most lines have none of it."""

    LOOKED_AT = 3
    """So many UTF-16 units of a phrase."""

    FEW = 2_000
    """So many characters are searched as fast, at 13 ns each, as arrays of them are made."""

    def __init__(self, phrases: Collection[str]) -> None:
        self._search = None if "" in phrases else _any_of(phrases)
        self._are_all = "" in phrases
        # by the hash of so many units and one more: whether phrases begin with them, whether they are a phrase
        self._begin = np.zeros((self.LOOKED_AT, 1 << 16), np.bool_)
        self._are_whole = np.zeros((self.LOOKED_AT, 1 << 16), np.bool_)
        for units in map(_units, phrases):
            hashed = units[:0]
            for size, unit in enumerate(units[: self.LOOKED_AT, None]):
                hashed = _hash(hashed, unit) if size else unit
                self._begin[size, hashed] = True
                self._are_whole[size, hashed] |= size + 1 == len(units)

    def lines_with(self, text: str) -> Iterator[int]:
        """Numbers of the lines of the text that hold a phrase, in their order."""
        if self._are_all:
            yield from range(text.count("\n") + 1)
        elif self._search is not None and len(text) <= self.FEW:
            yield from (number for number, line in enumerate(text.split("\n")) if self._search.search(line))
        elif self._search is not None:
            units = _units(text + "\n" * self.LOOKED_AT)
            likely = self._likely(units)
            if len(likely):
                ends = (units == ord("\n")).nonzero()[0]
                lines = text.split("\n")
                numbers = np.unique(ends.searchsorted(likely)).tolist()
                yield from (number for number in numbers if self._search.search(lines[number]))

    def _likely(self, units: NDArray[np.uint16]) -> NDArray[np.intp]:
        """Places where phrases may begin."""
        at = self._begin[0].take(units).nonzero()[0]
        hashed = units.take(at)
        likely = [at[self._are_whole[0].take(hashed)]]
        for size in range(1, self.LOOKED_AT):
            hashed = _hash(hashed, units.take(at + size))
            go_on = self._begin[size].take(hashed)
            at, hashed = at[go_on], hashed[go_on]
            likely.append(at[self._are_whole[size].take(hashed)] if size + 1 < self.LOOKED_AT else at)
        return np.concatenate(likely)


def _units(text: str) -> NDArray[np.uint16]:
    """The text in UTF-16."""
    return np.frombuffer(text.encode("utf-16-le", "surrogatepass"), np.uint16)


def _hash(known: NDArray[np.uint16], unit: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """Of code units, the last of which is `unit`; known: the hash of those before it, or one alone."""
    return known * np.uint16(0x9E37) ^ unit  # 2**16 / golden ratio, which spreads them


def squeeze(text: str) -> str:
    """Folded, lower case, without spaces: how words and phrases are compared."""
    return "".join(fold(text).lower().split())


class Line(NamedTuple):
    """text[start:end] is a line without its line end; number counts from 0."""

    number: int
    start: int
    end: int


def lines(text: str) -> Iterator[tuple[Line, str]]:
    """Every line with its text.  Only \\n ends a line."""
    start = 0
    for number, line in enumerate(text.split("\n")):
        end = start + len(line)
        yield Line(number, start, end), line
        start = end + 1


def lift(text: str, start: int, end: int, rule: str, values: Iterable[tuple[str, int, int, str]]) -> Iterator[Edit]:
    """The edits that remove text[start:end]: one for each value (field, start, end, rule), and others with no field
    for what stands around the values: labels go in the name of the value's rule, the rest in the name of `rule`."""
    at = start
    for field, a, b, of in sorted(values, key=lambda one: one[1]):
        if at < a:
            yield Edit(at, text[at:a], "", of)
        if a < b:
            yield Edit(a, text[a:b], "", of, field)
        at, rule = max(at, b), of
    if at < end:
        yield Edit(at, text[at:end], "", rule)
