"""The commands on a corpus that is there: compare, restore, export, verify, roll back, compact, expire.

Thin over corpus/, which each command imports when it runs. flows.cli adds COMMANDS to its group.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from corpus.diff import Difference
    from corpus.store import Store, Version

FAILED = 1
MOST_LISTED = 20
"""So many ids are listed of each kind; `--json` lists all."""

FORMATS, UNITS = ("parquet", "jsonl", "text"), ("document", "paragraph", "article")
FLAVOURS, COMPRESSIONS = ("plain", "datatrove"), ("none", "gz", "zst")

output_option = click.option(
    "--output",
    type=click.Path(path_type=Path),
    default=Path("output"),
    show_default=True,
    help="Where the corpus is.",
)
version_option = click.option(
    "--version", "number", type=int, default=None, help="Number of the version; default: the newest."
)


@contextmanager
def corpus_errors() -> Iterator[None]:
    """Turns what can be wrong with a corpus into a message and exit code 1."""
    from corpus.store import StoreError

    try:
        yield
    except StoreError as error:
        click.echo(f"Failed: {error}", err=True)
        sys.exit(FAILED)


def chosen_version(output: Path, number: int | None) -> Version:
    """The version of this number, or the newest.  Raises StoreError when there is none."""
    from corpus.store import Store, StoreError

    store = Store(output)
    version = store.latest() if number is None else store.version(number)
    if version is None:
        raise StoreError(f"there is no corpus in {output}; `jingwen build` makes one")
    return version


@contextmanager
def _progress(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """A progress bar on a terminal, nothing in logs; yields the function that is told how much was done."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, disable=not sys.stderr.isatty(), transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda n: bar.advance(task, n)


@contextmanager
def _writing(output: Path) -> Iterator[Store]:
    """The corpus, locked; its errors become messages."""
    from corpus.store import Store

    with corpus_errors():
        chosen_version(output, None)  # complains when there is none, before a folder is made
        store = Store(output)
        with store.writer_lock():
            yield store


@click.command("diff")
@click.argument("old", metavar="V1", type=int)
@click.argument("new", metavar="V2", type=int)
@output_option
@click.option("--texts", is_flag=True, help="Show the changed paragraphs, before and after.")
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    default=MOST_LISTED,
    show_default=True,
    help="So many documents are listed or shown.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object with all ids.")
def diff_command(old: int, new: int, output: Path, texts: bool, limit: int, as_json: bool) -> None:
    """What changed from version V1 to version V2: documents, rules, pipeline.

    When the pipeline changed, the proposed entry of a changelog follows.

    \b
    Examples:
      jingwen diff 1 2
      jingwen diff 1 2 --texts --limit 5
      jingwen diff 3 7 --json
    """
    from corpus import changelog
    from corpus.diff import diff

    with corpus_errors():
        before, after = chosen_version(output, old), chosen_version(output, new)
        found = diff(before, after)
        if as_json:
            named = found._asdict() | {"changed": [one._asdict() for one in found.changed]}
            click.echo(json.dumps(named, ensure_ascii=False).encode("utf-8", "replace"))
            return
        for line in _described(found, limit):
            click.echo(line)
        if texts:
            _show_texts(found, before, after, limit)
        if found.pipeline:
            click.echo("\nProposed for the changelog:\n\n" + changelog.entry(found, before, after), nl=False)


def _described(found: Difference, limit: int) -> Iterator[str]:
    """The difference in sentences and lists."""
    yield f"Version {found.old}: {found.documents[0]} documents. Version {found.new}: {found.documents[1]} documents."
    if found.empty:
        yield "The documents are the same."
    for name in ("added", "removed", "quarantined", "released"):
        ids = getattr(found, name)
        yield from _list(name, list(ids), limit)
    yield from _list("renamed", [f"{old} -> {new}" for old, new in found.renamed], limit)
    yield from _list("changed", [f"{one.id} ({', '.join(one.aspects)})" for one in found.changed], limit)
    if found.reprints[0] != found.reprints[1]:
        yield f"reprints: {found.reprints[0]} -> {found.reprints[1]}"
    most = sorted(found.rules.items(), key=lambda rule: (-abs(rule[1][1] - rule[1][0]), rule[0]))
    rules = [f"{rule}: {before} -> {after} edits ({after - before:+})" for rule, (before, after) in most]
    yield from _list("rules with other numbers of edits", rules, limit)
    for name in found.pipeline:
        yield f"pipeline: other {name}"


def _list(name: str, entries: list[str], limit: int) -> Iterator[str]:
    if entries:
        yield f"{name}: {len(entries)}"
        yield from (f"  {entry}" for entry in entries[:limit])
        if len(entries) > limit:
            yield f"  … and {len(entries) - limit} more"


def _show_texts(found: Difference, before: Version, after: Version, limit: int) -> None:
    """The paragraphs that changed, side by side."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from corpus.diff import paragraphs

    from .view import compared, visible

    console = Console(highlight=False)
    for one in [one for one in found.changed if "text" in one.aspects][:limit]:
        table = Table(title=Text(visible(one.id)), title_justify="left", expand=True, show_lines=True)
        table.add_column(f"version {found.old}", ratio=1)
        table.add_column(f"version {found.new}", ratio=1)
        for old, new in paragraphs(before.text(one.id), after.text(one.id)):
            table.add_row(*compared(old, new))
        console.print(table)


@click.command("rollback")
@click.argument("number", metavar="V", type=int)
@output_option
def rollback_command(number: int, output: Path) -> None:
    """Makes a new version that holds what version V holds. Nothing is removed.

    The next `jingwen build` follows the seeds and the pipeline again: bring both back to what they were first.

    \b
    Examples:
      jingwen rollback 3
      jingwen rollback 3 --output ~/corpus
    """
    from corpus import upkeep

    with _writing(output) as store:
        made = upkeep.rollback(store, number)
        click.echo(f"Version {made.number} holds what version {number} holds.")


@click.command("restore")
@click.argument("id")
@output_option
@version_option
@click.option("--to", "target", type=click.Path(path_type=Path), default=None, help="The new file; default: stdout.")
def restore_command(id: str, output: Path, number: int | None, target: Path | None) -> None:
    """Writes the seed of the document ID back, byte by byte, from the corpus alone.

    The bytes are checked against the seed's SHA-256 before any is written. An existing file is not overwritten.

    \b
    Examples:
      jingwen restore 004_95dbc193539e4b84.txt > seed.txt
      jingwen restore news/2019/a.txt --version 3 --to a.txt
    """
    with corpus_errors():
        raw = chosen_version(output, number).seed_bytes(id)
    if target is None:
        click.echo(raw, nl=False)
        return
    try:
        with target.open("xb") as stream:
            stream.write(raw)
    except OSError as error:
        click.echo(f"Failed: cannot write {target}: {error.strerror}", err=True)
        sys.exit(FAILED)


@click.command("export")
@click.argument("target", type=click.Path(path_type=Path))
@output_option
@version_option
@click.option("--format", type=click.Choice(FORMATS), default="parquet", show_default=True)
@click.option("--unit", type=click.Choice(UNITS), default="document", show_default=True, help="What a row is.")
@click.option("--columns", default="", metavar="A,B,…", help="Only these columns, in this order.")
@click.option("--roles", default="", metavar="A,B,…", help="Only paragraphs of these roles go into `text`.")
@click.option("--flavour", type=click.Choice(FLAVOURS), default="plain", show_default=True, help="Of JSON Lines.")
@click.option("--compress", type=click.Choice(COMPRESSIONS), default="none", show_default=True, help="JSON Lines.")
@click.option("--shard-rows", default=100_000, show_default=True, help="Rows to a file.")
def export_command(
    target: Path,
    output: Path,
    number: int | None,
    format: str,
    unit: str,
    columns: str,
    roles: str,
    flavour: str,
    compress: str,
    shard_rows: int,
) -> None:
    """Writes a version into the new folder TARGET: Parquet, JSON Lines or text files.

    Roles are title, subtitle, column, byline, heading, body, caption, credit. The flavour datatrove has `id`, `text`
    and an object `metadata`, as DataTrove's JsonlReader expects; Data-Juicer reads it, too. Nothing is overwritten.

    \b
    Examples:
      jingwen export corpus.parquet
      jingwen export lines --format jsonl --compress zst --columns id,text,published_at
      jingwen export bodies --format text --roles heading,body
      jingwen export shards --format jsonl --flavour datatrove --compress gz
    """
    from corpus.export import Choice, export

    try:
        choice = Choice(format, unit, _names(columns), _names(roles), flavour, compress, shard_rows)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    with corpus_errors():
        version = chosen_version(output, number)
        with _progress("exporting", version.manifest.counts["documents"]) as advance:
            rows = export(version, target, choice, advance)
    click.echo(f"Version {version.number}: {rows} rows in {target}", err=True)


def _names(listed: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in listed.split(",") if name.strip())


@click.command("verify")
@output_option
@version_option
@click.option("--all", "every", is_flag=True, help="Check all versions.")
def verify_command(output: Path, number: int | None, every: bool) -> None:
    """Checks a corpus: files, hashes, counts, ids, and that every document leads back to its seed.

    Exit code 0: all is well; 1: what is wrong is printed, one sentence a line.

    \b
    Examples:
      jingwen verify
      jingwen verify --all --output ~/corpus
    """
    from corpus.store import Store
    from corpus.verify import verify

    with corpus_errors():
        newest = chosen_version(output, number)
    store = Store(output)
    problems: list[str] = []
    for version in store.versions() if every else [newest]:
        found = _verified(store, version, verify)
        problems += [problem for problem in found if problem not in problems]
        click.echo(f"version {version.number}: {'damaged' if found else 'whole'}")
    for problem in problems:
        click.echo(problem, err=True)
    sys.exit(FAILED if problems else 0)


def _verified(store: Store, version: Version, verify: Callable[..., Iterator[str]]) -> list[str]:
    from corpus.store import StoreError

    try:
        documents = version.manifest.counts["documents"]
    except StoreError as error:
        return [str(error)]
    with _progress(f"verifying version {version.number}", documents) as advance:
        return list(verify(store, version, advance))


@click.command("compact")
@output_option
def compact_command(output: Path) -> None:
    """Makes a new version with the newest one's rows in few large files. Nothing is removed.

    \b
    Examples:
      jingwen compact
      jingwen compact --output ~/corpus && jingwen expire --keep 1 --output ~/corpus --yes
    """
    from corpus import upkeep

    with _writing(output) as store:
        before = chosen_version(output, None)
        made = upkeep.compact(store)
        if made.number == before.number:
            click.echo(f"Version {made.number} is compact already.")
        else:
            click.echo(f"Version {made.number}: {_files(before)} files are now {_files(made)}.")


def _files(version: Version) -> int:
    return sum(len(found) for found in version.manifest.parts.values())


@click.command("expire")
@output_option
@click.option("--keep", type=click.IntRange(min=1), required=True, help="So many of the newest versions stay.")
@click.option("--yes", is_flag=True, help="Do it; without this, only say what would be removed.")
def expire_command(output: Path, keep: int, yes: bool) -> None:
    """Removes all versions but the newest ones. Their documents cannot be had back.

    \b
    Examples:
      jingwen expire --keep 10
      jingwen expire --keep 10 --yes
    """
    from corpus import upkeep

    with _writing(output) as store:
        doomed = upkeep.expirable(store, keep)
        if not doomed:
            click.echo(f"Nothing to remove. Number of versions: {len(store.versions())}.")
            return
        numbers = ", ".join(str(one.number) for one in doomed)
        size = f"{upkeep.freed(store, doomed) / 1e6:.1f} MB"
        if yes:
            upkeep.expire(store, keep)
            click.echo(f"Removed versions {numbers}: {size} freed.")
        else:
            click.echo(f"Would remove versions {numbers} and free {size}. Say --yes to do it.")


COMMANDS: tuple[click.Command, ...] = (
    diff_command,
    rollback_command,
    restore_command,
    export_command,
    verify_command,
    compact_command,
    expire_command,
)
"""What flows.cli adds to the command line."""
