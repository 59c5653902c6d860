"""The command `jingwen suggest`: what the rules of chrome do not know yet. Thin over corpus.suggest."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from .corpus_commands import FAILED, chosen_version, corpus_errors, output_option, version_option


@click.command("suggest")
@output_option
@version_option
@click.option(
    "--least", type=click.IntRange(min=1), default=4, show_default=True, help="Lines of at least so many documents."
)
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=50,
    show_default=True,
    help="At most so many lines, the most frequent.",
)
@click.option(
    "--draft",
    type=click.Path(path_type=Path, allow_dash=True),
    default=None,
    help="Write rules into this new file; -: stdout.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line of text.")
def suggest_command(
    output: Path, number: int | None, least: int, limit: int, draft: Path | None, as_json: bool
) -> None:
    """Shows lines of a corpus that look like page chrome, but that no rule names.

    They recur on the pages of a site, or the line classifier took them from documents. With --draft, rules for them
    are written, with examples from the corpus: edit them, then put the file into cleaners/rules/chrome/.

    \b
    Examples:
      jingwen suggest
      jingwen suggest --least 20 --limit 10
      jingwen suggest --draft new-rules.toml
    """
    from corpus import suggest

    from .view import visible

    with corpus_errors():
        version = chosen_version(output, number)
        found = suggest.suggestions(version, least)
        chosen = found[:limit]
        written = suggest.draft(version, chosen) if draft is not None else ""
    if draft is not None:
        _write(written, draft)
        return
    if as_json:
        for one in chosen:
            click.echo(json.dumps(one._asdict(), ensure_ascii=False).encode("utf-8", "replace"))
        return
    for line in suggest.described(chosen):
        click.echo(visible(line))
    if len(found) > limit:
        click.echo(f"… and {len(found) - limit} more: see --limit", err=True)
    if not found:
        click.echo(f"Version {version.number}: the rules name all lines that look like chrome.", err=True)


def _write(rules: str, target: Path) -> None:
    if not rules:
        click.echo("There is nothing to suggest; no file was written.", err=True)
    elif str(target) == "-":
        click.echo(rules, nl=False)
    else:
        try:
            with target.open("x", encoding="utf-8") as stream:
                stream.write(rules)
        except OSError as error:
            click.echo(f"Failed: cannot write {target}: {error.strerror}", err=True)
            sys.exit(FAILED)
        click.echo(f"Rules to look through are in {target}", err=True)
