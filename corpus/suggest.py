"""Suggest: lines of a corpus that look like chrome but that no rule names, and a draft of rules for them.

A line looks like chrome when it recurs on the pages of a site (table `recurring`), or when the line classifier took
it from documents (their edits).  The draft is TOML as in cleaners/rules/chrome/; its examples come from the corpus:
`removes` are the lines, `keeps` are lines that look like them but stand in the articles.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from difflib import Match, SequenceMatcher
from typing import NamedTuple

import pyarrow.compute as pc
from rapidfuzz import fuzz, process

from cleaners import chrome, metadata, recurrence
from cleaners.rule_files import LONGEST_LINE, TODO, fold, load, parse, squeeze

from . import ordered, recurring
from .version import Version

FEWEST_DOCUMENTS = 4
"""A line of fewer documents is not suggested."""

LONGEST_SHORT = 3
"""A line of so few characters may be anything: its rule counts only beside another (`weak`)."""

MOST_READ = 2_000
"""So many documents are read to find lines that must stay."""

MOST_KEPT = 4
"""So many examples of lines that must stay has a rule."""

LEAST_ALIKE = 50.0
"""From this similarity, 0 to 100 (rapidfuzz's ratio), a kept line looks like a suggested one."""

LONGEST_KEPT = 60
"""Kept lines that are longer are cut into sentences, in characters."""

LEAST_SHARED = 2
"""Else a line that has so many characters of a suggested one, one behind the other."""

MOST_TITLES = 0.25
"""A line that is the headline of at least this share of its documents is no chrome, whatever its number."""

TODO_KEEP = f"{TODO}: 请换成一行看起来像、但必须保留的例子 · a line that looks like these but must stay"
"""The example of a rule that no line of the corpus looks like: its file does not load before it is replaced."""

_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_SENTENCES = re.compile("[^。！？]{1,300}[。！？]?")


class Suggestion(NamedTuple):
    """A line that looks like chrome.

    line       as it stands in the first document that has it; masked, if no document lost it
    documents  how many have it
    sites      where, sorted
    place      head, tail, notice or edge (both)
    why        recurs, classifier, or both
    """

    line: str
    documents: int
    sites: tuple[str, ...]
    place: str
    why: str


class _Seen:
    """What is known of one masked line."""

    def __init__(self) -> None:
        self.line = ""
        self.ids: set[str] = set()
        self.articles = 0
        self.sites: set[str] = set()
        self.places: set[str] = set()
        self.why: set[str] = set()


def suggestions(version: Version, least: int = FEWEST_DOCUMENTS) -> list[Suggestion]:
    """The lines that look like chrome and that no rule names, the most frequent first.

    least   number of documents that a line must stand in
    Raises StoreError when the version is damaged.
    """
    found: dict[str, _Seen] = {}
    for row in version.read("recurring").to_pylist():
        one = found.setdefault(row["line"], _Seen())
        one.articles += row["articles"]
        one.sites.add(row["site"] or "")
        one.places.add(row["place"])
        one.why.add("recurs")
    _add_removed(version, found)
    titles = _titles(version, found)
    made = []
    for masked, one in found.items():
        documents = max(one.articles, len(one.ids))
        is_headline = titles[masked] >= MOST_TITLES * documents
        if documents >= least and not is_headline and _is_unknown(one.line or masked):
            place = next(iter(one.places)) if len(one.places) == 1 else "edge"
            why = " and ".join(sorted(one.why, reverse=True))
            made.append(Suggestion(one.line or masked, documents, tuple(sorted(one.sites)), place, why))
    return sorted(made, key=lambda one: (-one.documents, one.line))


def _add_removed(version: Version, found: dict[str, _Seen]) -> None:
    """Adds the lines that documents lost because they recur, and those that the classifier took."""
    named = {rule.id for rule in load("chrome")}
    wanted = [
        rule
        for cleaner, rules in version.manifest.edits.items()
        for rule in rules
        if cleaner == "recurrence" or (cleaner == "chrome" and rule not in named)
    ]
    if not wanted:
        return
    hosts = version.read("lines", ["id", "site"], pc.field("site").is_valid())
    host_of = dict(zip(hosts["id"].to_pylist(), hosts["site"].to_pylist(), strict=True))
    rows = version.read("edits", ["id", "n", "rule", "before"], [("rule", "in", sorted(wanted))])
    rows = rows.sort_by([("id", "ascending"), ("n", "ascending")])
    for id, rule, before in zip(*(rows[name].to_pylist() for name in ("id", "rule", "before")), strict=True):
        for line in (before or "").split("\n"):
            if line.strip():
                one = found.setdefault(recurrence.masked(line), _Seen())
                one.line = one.line or line.strip()
                one.ids.add(id)
                one.sites.add(recurring.site(id, host_of.get(id)))
                one.why.add("recurs" if rule.startswith("recurrence.") else "classifier")


def _titles(version: Version, found: Mapping[str, _Seen]) -> Counter[str]:
    """How many documents have each of these lines, masked, as their headline: 读书会第1期, 读书会第2期 …"""
    titles: Counter[str] = Counter()
    for run in ordered.runs(version, "documents", ["id", "title"]):
        titles.update(
            masked for title in run["title"].to_pylist() if title and (masked := recurrence.masked(title)) in found
        )
    return titles


def _is_unknown(line: str) -> bool:
    """Whether no rule names a line, and a rule could."""
    if not 2 <= len(line) <= LONGEST_LINE or _CONTROLS.search(line) or not any(map(str.isalpha, line)):
        return False
    return not chrome.named(line) and not metadata.tells(line)


def draft(version: Version, found: Sequence[Suggestion]) -> str:
    """Rules for these lines, as a TOML file for cleaners/rules/chrome/; empty when there are none.

    Lines without digits are named as they are; a number in a line stands for any number.  It is a draft: whoever puts
    it into the rules folder goes through the lines, and gives the rules better names.
    """
    groups: dict[tuple[str, str, bool], list[Suggestion]] = {}
    for one in found:
        kind = "numbered" if _has_number(one) else "short" if len(squeeze(one.line)) <= LONGEST_SHORT else "whole"
        where = "tail" if one.place == "notice" else one.place
        groups.setdefault((kind, where, kind == "short"), []).append(one)
    kept = _staying(found, _kept_lines(version)) if groups else []
    rules = [
        _rule(f"suggested_{kind}_{where}", where, weak, members, kept)
        for (kind, where, weak), members in sorted(groups.items())
    ]
    if not rules:
        return ""
    head = (
        "# A draft by `jingwen suggest`: go through the lines, take out what an article may hold, and give the rules\n"
        "# names of their own. Then put the file into cleaners/rules/chrome/ and run the tests.\n"
        f"# Where it says {TODO}, no line of the corpus looks like those that go: write one that must stay.\n"
    )
    made = head + "".join(f"\n{rule}" for rule in rules)
    parse(made, "chrome", "draft", is_draft=True)  # a draft that does not load is a defect
    return made


def _has_number(one: Suggestion) -> bool:
    return not recurrence.is_sentence(one.line) and re.search(r"\d", one.line) is not None


def _rule(name: str, where: str, weak: bool, members: Sequence[Suggestion], kept: Sequence[str]) -> str:
    """One rule as TOML."""
    removes = list(dict.fromkeys(one.line for one in members))
    by_pattern = _has_number(members[0])
    patterns = list(dict.fromkeys(_pattern(line) for line in removes))
    lines = ["[[rule]]", f"name = {_quoted(name)}", 'about = "Lines that recur on pages of these sites"']
    if by_pattern:
        pattern = "(?:" + "|".join(patterns) + ")"
        lines.append(f"pattern = '{pattern}'" if "'" not in pattern else f"pattern = {_quoted(pattern)}")
    else:
        lines += ["line = [", *(f"    {_quoted(one.line)},  # {_told(one)}" for one in members), "]"]
    lines.append(f"where = {_quoted(where)}")
    if weak:
        lines.append("weak = true")
    keeps = _look_alikes(removes, kept)
    lines.append("removes = [")
    lines += [f"    {_quoted(one.line)},{'  # ' + _told(one) if by_pattern else ''}" for one in members]
    lines += ["]", "keeps = [", *(f"    {_quoted(line)}," for line in keeps), "]"]
    return "\n".join(lines) + "\n"


def _told(one: Suggestion) -> str:
    """What a comment says of a line."""
    sites = ", ".join(site or "no folder" for site in one.sites[:3]) + (" …" if len(one.sites) > 3 else "")
    return f"{one.documents} documents, {one.why}: {_CONTROLS.sub('�', sites)}"


def _pattern(line: str) -> str:
    """A regular expression for a folded line: each number in it is any number, and space does not matter."""
    pieces = re.split(r"(\d+|\s+)", _folded(line))
    return "".join(
        r"\d{1,12}+" if piece.isdigit() else " *+" if piece.isspace() else re.escape(piece) for piece in pieces
    )


def _folded(line: str) -> str:
    return fold(line).strip()


def _kept_lines(version: Version) -> list[str]:
    """Short lines, and sentences, of the texts of some documents, without doubles, in the order of ids."""
    found: dict[str, None] = {}
    read = 0
    for run in ordered.runs(version, "documents", ["id", "text"]):
        for text in run["text"].to_pylist():
            for paragraph in text.split("\n\n"):
                for line in [paragraph] if len(paragraph) <= LONGEST_KEPT else _SENTENCES.findall(paragraph):
                    if 2 <= len(line) <= LONGEST_KEPT and not _CONTROLS.search(line):
                        found[line.strip()] = None
            read += 1
            if read >= MOST_READ:
                return list(found)
    return list(found)


def _staying(found: Sequence[Suggestion], kept: Sequence[str]) -> list[str]:
    """Those lines that no rule of the project and none of the draft names."""
    gone = {squeeze(one.line) for one in found}
    patterns = {_pattern(one.line) for one in found if _has_number(one)}
    matches = re.compile("|".join(f"(?:{one})" for one in sorted(patterns)) or r"(?!)")
    return [
        line
        for line in kept
        if squeeze(line).strip("[]【】()<>|·•+:") not in gone
        and not chrome.named(line)
        and not matches.fullmatch(_folded(line))
    ]


def _look_alikes(removes: Sequence[str], kept: Sequence[str]) -> list[str]:
    """Lines of the corpus that stay and look like those that go, the likest first; where there are none, what tells
    whoever edits the draft to give one."""
    found: dict[str, float] = {}
    for line in removes[:50]:
        for other, score, _ in process.extract(line, kept, scorer=fuzz.ratio, limit=2, score_cutoff=LEAST_ALIKE):
            found[other] = max(score, found.get(other, 0.0))
        holding = next((other for other in kept if line in other), None)
        if holding is not None:
            found[holding] = 100.0
    if not found:
        found = {line: size for line in kept if (size := _shared(line, removes)) >= LEAST_SHARED}
    chosen = sorted(found, key=lambda line: (-found[line], len(line), line))[:MOST_KEPT]
    return chosen or [TODO_KEEP]


def _shared(line: str, removes: Sequence[str]) -> float:
    """How many characters one behind the other it has in common with one of the first suggested lines, at most."""
    return max((one.size for other in removes[:10] if (one := _common(line, other))), default=0)


def _common(line: str, other: str) -> Match | None:
    if not set(line) & set(other):
        return None
    return SequenceMatcher(None, line, other, autojunk=False).find_longest_match()


def _quoted(text: str) -> str:
    """A basic string of TOML: it has the escapes of JSON; control characters were left out before."""
    return json.dumps(text, ensure_ascii=False)


def described(found: Sequence[Suggestion]) -> Iterator[str]:
    """A line of text for each suggestion."""
    for one in found:
        sites = ", ".join(site or "(no folder)" for site in one.sites[:3]) + (" …" if len(one.sites) > 3 else "")
        yield f"{one.documents:>7}  {one.place:6}  {one.why:21}  {one.line}  [{sites}]"
