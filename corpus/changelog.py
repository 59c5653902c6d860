"""Changelog: the proposed entry that tells the readers of a corpus why its texts changed."""

from __future__ import annotations

from collections.abc import Iterator

from . import parts
from .diff import Difference, diff, paragraphs
from .parts import StoreError
from .version import Version

FILE = "_CHANGELOG.md"

MOST_EXAMPLES = 5
LONGEST_EXAMPLE = 160  # characters of each side of an example
CONTEXT = 20  # equal characters that are shown before the first that differs
MOST_RULES = 20


def propose(old: Version | None, new: Version) -> None:
    """Writes the proposed entry into the new version's folder if its pipeline is not that of the old version.

    A damaged old version is no reason not to make a new one: the entry then says that nothing was compared.
    """
    if old is None:
        return
    try:
        if old.manifest.fingerprint == new.manifest.fingerprint:
            return
        text = entry(diff(old, new), old, new)
    except StoreError as error:
        text = f"## Version {new.number}\n\nIt could not be compared with version {old.number}: {error}\n"
    parts.write_bytes(new.path / FILE, text.encode())


def entry(difference: Difference, old: Version, new: Version) -> str:
    """The entry, in Markdown.  Raises StoreError when a file is damaged."""
    lines = [f"## Version {difference.new}, compared with version {difference.old}", ""]
    lines += [*_pipeline(difference), "", *_counts(difference), "", *_rules(difference)]
    changed = [one.id for one in difference.changed if "text" in one.aspects]
    if changed:
        lines += ["### Examples", ""]
        for id in changed[:: max(1, len(changed) // MOST_EXAMPLES)][:MOST_EXAMPLES]:
            lines += _example(id, old.document(id).text, new.document(id).text)
    return "\n".join(lines).rstrip() + "\n"


def _pipeline(difference: Difference) -> Iterator[str]:
    if not difference.pipeline:
        yield "The pipeline is the same."
    for name, (before, after) in difference.pipeline.items():
        if name.startswith("library:"):
            yield f"- {name.removeprefix('library:')} {before or 'none'} → {after or 'none'}"
        elif name == "config":
            yield f"- configuration: {_code(before)} → {_code(after)}"
        else:
            yield f"- other {name}: {before[:12]} → {after[:12]}"


def _counts(difference: Difference) -> Iterator[str]:
    yield f"Documents: {difference.documents[0]} → {difference.documents[1]}."
    for name in ("added", "removed", "renamed", "quarantined", "released"):
        ids = getattr(difference, name)
        if ids:
            yield f"- {len(ids)} {name}"
    for aspect, n in difference.aspects().items():
        yield f"- {n} with another {aspect}" if aspect != "edits" else f"- {n} with other edits"


def _rules(difference: Difference) -> Iterator[str]:
    if not difference.rules:
        return
    yield "| rule | edits before | edits now |"
    yield "|---|---:|---:|"
    most = sorted(difference.rules.items(), key=lambda one: (-abs(one[1][1] - one[1][0]), one[0]))
    for rule, (before, after) in most[:MOST_RULES]:
        yield f"| {rule} | {before} | {after} |"
    if len(most) > MOST_RULES:
        yield f"| {len(most) - MOST_RULES} more | | |"
    yield ""


def _example(id: str, old: str, new: str) -> list[str]:
    for before, after in paragraphs(old, new):
        first = next((i for i, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), 0)
        start = max(0, first - CONTEXT)
        sides = [_code(side[start : start + LONGEST_EXAMPLE]) for side in (before, after)]
        return [f"- {_code(id)}", f"  - before: {sides[0]}", f"  - now: {sides[1]}"]
    return []


def _code(text: str) -> str:
    """Markdown code, whatever is in the text."""
    shown = "".join("⏎" if c == "\n" else c if c.isprintable() and c != "`" else "\ufffd" for c in text)
    return f"`{shown}`" if shown else "(nothing)"
