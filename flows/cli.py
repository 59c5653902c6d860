"""The command line: thin over the cleaners, the corpus and the flow.

Prefect and Arrow are imported by the commands that need them: `jingwen clean` starts at once.
"""

from __future__ import annotations

import inspect
import io
import json
import os
import re
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cleaners import PIPELINE, Config, Document, clean
from cleaners.config import QUOTE_STYLES, SCRIPT_CONVERSIONS, TRAILS

from .corpus_commands import COMMANDS, chosen_version, corpus_errors
from .loading import undisturbed, with_little_memory, without_pandas
from .serve_commands import SERVE_EXIT_CODES, run_serve, serve_options, watch_command
from .suggest_command import suggest_command

if TYPE_CHECKING:
    from collections.abc import Callable

    from .report import Report

OK, FAILED, MISUSED, QUARANTINED = 0, 1, 2, 3


class Folder(click.Path):
    """A path to a folder. An empty one, as from a variable that is not set, would be the current folder."""

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> Any:
        if value == "":
            self.fail("it is empty (a variable that is not set?): write . for the current folder", parameter, context)
        return super().convert(value, parameter, context)


seeds_argument = click.argument("seeds", type=Folder(path_type=Path), default=Path("seeds"))
corpus_option = click.option(
    "--output", type=Folder(path_type=Path), default=Path("output"), show_default=True, help="Where the corpus is."
)

EXIT_CODES = """
\b
Exit codes:
  0    everything is clean
  1    it failed; the corpus is as it was
  2    the command was misused, or the configuration is not valid
  3    done, but some seeds are in quarantine
  130  interrupted with Ctrl-C; the corpus is as it was
"""


@click.group(epilog=EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="jingwen")
def main() -> None:
    """Repairs scraped Chinese documents and writes a versioned Parquet corpus.

    \b
    Examples:
      jingwen build seeds --output output
      jingwen show 004_95dbc193539e4b84.txt
      jingwen clean page.txt > clean.txt
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal that knows no Chinese is no reason to fail


def config_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that make a Config."""
    names = ", ".join(cleaner.name for cleaner in PIPELINE)
    shown: dict[str, Any] = {"show_default": True}
    scripts, styles = click.Choice(SCRIPT_CONVERSIONS), click.Choice(QUOTE_STYLES)
    options = [
        click.option("--only", multiple=True, metavar="CLEANER", help=f"Run only this cleaner (repeatable): {names}."),
        click.option("--skip", multiple=True, metavar="CLEANER", help="Leave this cleaner out (repeatable)."),
        click.option("--script", type=scripts, default=Config.script, help="Convert the script by OpenCC.", **shown),
        click.option("--quotes", type=styles, default=Config.quotes, help="House style of quotation marks.", **shown),
        click.option("--timezone", default=Config.timezone, help="UTC offset of dates that state none.", **shown),
        click.option("--max-bytes", default=Config.max_seed_bytes, help="Larger seeds go to quarantine.", **shown),
        click.option("--max-seconds", default=Config.max_seconds, help="Slower documents, too (CPU time).", **shown),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def make_config(
    only: tuple[str, ...],
    skip: tuple[str, ...],
    script: str,
    quotes: str,
    timezone: str,
    max_bytes: int,
    max_seconds: float,
) -> Config:
    """Raises click.UsageError (exit code 2) for what is not allowed."""
    known = [cleaner.name for cleaner in PIPELINE]
    unknown = sorted({*only, *skip} - set(known))
    if unknown:
        raise click.UsageError(f"there is no cleaner {', '.join(unknown)}; known are {', '.join(known)}")
    if not re.fullmatch(r"[+-](0\d|1[0-4]):[0-5]\d", timezone):
        raise click.UsageError(f"{timezone!r} is no UTC offset: write it like +08:00 or -03:30")
    chosen = tuple(name for name in only or known if name not in skip)
    if not chosen:
        raise click.UsageError("--only and --skip leave no cleaner")
    try:
        return Config(
            cleaners=chosen if only or skip else None,
            script=script,
            quotes=quotes,
            timezone=timezone,
            max_seed_bytes=max_bytes,
            max_seconds=max_seconds,
        )
    except ValueError as error:
        raise click.UsageError(str(error)) from error


@main.command("build", epilog=EXIT_CODES)
@seeds_argument
@corpus_option
@click.option("--drop-reprints", is_flag=True, help="Near-duplicates of a kept document go to quarantine.")
@click.option("--trail", type=click.Choice(TRAILS), default="full", show_default=True, help="How many edits to keep.")
@click.option("--workers", type=click.IntRange(1), default=1, show_default=True, help="Number of worker processes.")
@click.option("--dask", metavar="ADDRESS", help="Run on this Dask scheduler; `local`: on a cluster made for the run.")
@click.option(
    "--batch-bytes", type=click.IntRange(1), default=16 << 20, show_default=True, help="Per task of a worker."
)
@click.option("--text-field", default="", metavar="NAME", help="Field of a record with its text; default: the usual.")
@click.option("--id-field", default="", metavar="NAME", help="Field of a record with its id; default: the usual.")
@click.option("--verbose", is_flag=True, help="Show Prefect's own log, too.")
@config_options
def build_command(
    seeds: Path,
    output: Path,
    drop_reprints: bool,
    trail: str,
    workers: int,
    dask: str | None,
    batch_bytes: int,
    text_field: str,
    id_field: str,
    verbose: bool,
    **options: Any,
) -> None:
    """Cleans a folder of SEEDS (default: seeds) into a corpus: the Prefect flow `build-corpus`.

    Files of JSON Lines, Parquet, archives and compressed files are containers of seeds: docs/formats.md.
    Only seeds that are new or changed are cleaned; when rules, code or configuration changed, all of them.
    If nothing changed, no version is committed. With PREFECT_API_URL set, the run appears on that server.

    \b
    Examples:
      jingwen build
      jingwen build ~/scraped --output ~/corpus
      jingwen build --skip duplicates --script t2s
      jingwen build crawl --text-field story
      jingwen build ~/scraped --workers 8
    """
    check_folders(seeds, output)
    config = make_config(**options)
    config = replace(config, drop_reprints=drop_reprints, trail=trail, text_field=text_field, id_field=id_field)
    if verbose:
        os.environ["PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL"] = "INFO"
    if workers > 1 and dask is None:
        from . import fork_server

        fork_server.start()  # which loads at the same time
    with_little_memory()
    with undisturbed():
        without_pandas()
        from . import build, server

        server.load()
    try:
        report = build.run(seeds, output, config, workers, dask, batch_bytes)
    except build.EXPECTED_ERRORS as error:
        click.echo(f"Failed: {error}", err=True)
        sys.exit(FAILED)
    print_report(report, output)
    if server.undelivered():
        click.echo("Attention: the Prefect server does not answer: it does not know all of this run.", err=True)
    sys.exit(QUARANTINED if report.quarantined else OK)


def check_folders(seeds: Path, output: Path) -> None:
    """Raises click.UsageError when both are the same."""
    if os.path.exists(output) and os.path.exists(seeds) and os.path.samefile(output, seeds):
        raise click.UsageError(
            f"the corpus cannot be in the seeds folder itself: choose another --output than {output}"
        )


@main.command("serve", epilog=SERVE_EXIT_CODES)
@seeds_argument
@corpus_option
@click.option("--drop-reprints", is_flag=True, help="Near-duplicates of a kept document go to quarantine.")
@click.option("--trail", type=click.Choice(TRAILS), default="full", show_default=True, help="How many edits to keep.")
@click.option("--text-field", default="", metavar="NAME", help="Field of a record with its text; default: the usual.")
@click.option("--id-field", default="", metavar="NAME", help="Field of a record with its id; default: the usual.")
@serve_options
@config_options
def serve_command(seeds: Path, output: Path, **options: Any) -> None:
    """Keeps a corpus up to date with a folder of SEEDS (default: seeds), until it is stopped.

    Watches the folder, and runs on a schedule if one is given: a deployment on the Prefect server that is
    configured, or on one that it starts itself, whose address it prints.

    \b
    Examples:
      jingwen serve
      jingwen serve ~/scraped --output ~/corpus --every 6h
      jingwen serve seeds --cron '0 3 * * *' --webhook https://chat.example.org/hook
    """
    check_folders(seeds, output)
    chosen = {name: options.pop(name) for name in inspect.signature(make_config).parameters}
    others = {name: options.pop(name) for name in ("drop_reprints", "trail", "text_field", "id_field")}
    config = replace(make_config(**chosen), **others)
    run_serve(seeds, output, config, options)


def print_report(report: Report, output: Path) -> None:
    """What the run did, and where the corpus is."""
    from rich.console import Console

    from .report import summary

    with suppress(SystemExit):  # rich's answer to `| head`; but the run did what it did, whoever reads on
        Console(highlight=False, soft_wrap=True).print(summary(report, output))


@main.command("clean", epilog=EXIT_CODES)
@click.argument("file", type=click.File("rb"), default="-")
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="One JSON object: text, metadata, paragraphs, articles, flags, edits per rule.",
)
@config_options
def clean_command(file: Any, as_json: bool, **options: Any) -> None:
    """Cleans one text: FILE, or standard input (`-` or nothing).

    \b
    Examples:
      jingwen clean page.txt > clean.txt
      curl -s https://example.org/a.txt | jingwen clean
      jingwen clean --json page.txt | python3 -m json.tool --no-ensure-ascii
    """
    config = make_config(**options)
    _refuse_container(file.name)
    document = clean(file.read(), "" if file.name in ("-", "<stdin>") else Path(file.name).name, config)
    if as_json:
        click.echo(json.dumps(as_object(document), ensure_ascii=False).encode("utf-8", "replace"))
    elif document.quarantine is None:
        click.echo(document.text.encode("utf-8", "replace"))
        for flag in document.flags:
            what = document.text[flag.start : flag.end][:24]
            click.echo(f"flag {flag.kind} at character {flag.start}: {flag.note} ({what})", err=True)
    if document.quarantine is not None:
        click.echo(f"Quarantine ({document.quarantine.kind}): {document.quarantine.reason}", err=True)
        sys.exit(QUARANTINED)


def _refuse_container(name: str) -> None:
    """Raises click.UsageError for a file that holds many seeds, or a packed one."""
    from corpus.kinds import kind_of

    kind = kind_of(name)
    if kind is not None and kind.form == "single":
        unpack = "gunzip -c" if kind.packed == "gz" else "zstd -dc"
        raise click.UsageError(f"{name} is compressed: `{unpack} {name} | jingwen clean`, or use `jingwen build`")
    if kind is not None:
        raise click.UsageError(
            f"{name} is a container of seeds, and `clean` cleans one text: put it into a folder, and run `jingwen "
            "build FOLDER`"
        )


def as_object(document: Document) -> dict[str, Any]:
    """The document as JSON knows it."""
    counts: dict[str, int] = {}
    for one in document.trail:
        for edit in one.edits:
            counts[edit.rule] = counts.get(edit.rule, 0) + 1
    return {
        "name": document.name,
        "text": document.text,
        "metadata": dict(document.metadata),
        "paragraphs": [p._asdict() for p in document.paragraphs],
        "articles": [a._asdict() for a in document.articles],
        "flags": [f._asdict() for f in document.flags],
        "script": document.script,
        "encoding": {"name": document.encoding.name, "confidence": document.encoding.confidence},
        "quarantine": document.quarantine and document.quarantine._asdict(),
        "edits_per_rule": counts,
        "seed": document.seed._asdict(),
    }


@main.command("show")
@click.argument("id")
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    default=Path("output"),
    show_default=True,
    help="Where the corpus is.",
)
@click.option("--version", "number", type=int, default=None, help="Number of the version; default: the newest.")
@click.option("--layout", is_flag=True, help="Show lines, too, of which only gaps and indents changed.")
@click.option("--colour/--no-colour", default=None, help="Default: colours on a terminal.")
def show_command(id: str, output: Path, number: int | None, layout: bool, colour: bool | None) -> None:
    """Before and after of the document ID, with the rule of each edit.

    \b
    Examples:
      jingwen show 004_95dbc193539e4b84.txt
      jingwen show news/2019/a.txt --output ~/corpus --version 3
    """
    from rich.console import Console

    from . import view

    console = Console(force_terminal=colour, no_color=colour is False, highlight=False)
    with corpus_errors():
        document = chosen_version(output, number).document(id)
    view.show(document, console, layout=layout)


@main.command("versions")
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    default=Path("output"),
    show_default=True,
    help="Where the corpus is.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object per version and line.")
def versions_command(output: Path, as_json: bool) -> None:
    """The versions of a corpus, the newest last.

    \b
    Examples:
      jingwen versions
      jingwen versions --output ~/corpus --json
    """
    from corpus.store import Store

    with corpus_errors():
        manifests = [version.manifest for version in Store(output).versions()]
    if not manifests:
        click.echo(f"Failed: there is no corpus in {output}; `jingwen build` makes one.", err=True)
        sys.exit(FAILED)
    for m in manifests:
        if as_json:
            named = {
                "number": m.number,
                "parent": m.parent,
                "content_id": m.content_id,
                "fingerprint": m.fingerprint,
            }
            click.echo(json.dumps(named | {"created": dict(m.created), "counts": dict(m.counts)}))
            continue
        c = m.counts
        click.echo(
            f"version {m.number}  {m.created['end'][:19]}Z  "
            f"content {m.content_id[:12]}  pipeline {m.fingerprint[:12]}  "
            f"{c['documents']} documents, {c['quarantined']} in quarantine  "
            f"(+{c['added']} ~{c['changed']} -{c['vanished']})"
        )


for _command in (*COMMANDS, suggest_command, watch_command):
    main.add_command(_command)


if __name__ == "__main__":
    from .entry import main as entry

    entry()
