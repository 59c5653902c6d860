"""The commands that go on by themselves: `jingwen serve` and `jingwen watch`."""

from __future__ import annotations

import hashlib
import re
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from .loading import undisturbed

FAILED = 1
UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}

SERVE_EXIT_CODES = """
\b
Exit codes:
  0    stopped by SIGTERM; a run that went on was ended, the corpus is as it was
  1    it could not begin: another process serves this corpus, no seeds folder, no server
  2    the command was misused, or the configuration is not valid
  130  stopped with Ctrl-C; a run that went on was ended, the corpus is as it was
"""


class Duration(click.ParamType):  # type: ignore[type-arg]
    """A number of seconds, or one with a unit: 90, 30s, 10m, 6h, 1d."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, context: click.Context | None) -> float:
        if isinstance(value, float):
            return value
        match = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd]?)", str(value).strip())
        if match is None:
            self.fail(f"{value!r} is no duration: write it like 30s, 10m, 6h or 1d", param, context)
        return float(match[1]) * UNITS[match[2]]


def serve_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of `serve` that no other command has."""
    shown: dict[str, Any] = {"show_default": True, "type": Duration()}
    options = [
        click.option("--workers", type=click.IntRange(1), default=1, show_default=True, help="Worker processes."),
        click.option(
            "--cron", default="", metavar="CRON", help="Also run on this schedule, in local time: '0 3 * * *'."
        ),
        click.option("--every", type=Duration(), default=0.0, help="Also run so often: 30s, 10m, 6h, 1d."),
        click.option(
            "--quiet", default="0.5s", help="A seed is finished when nobody wrote to it for so long.", **shown
        ),
        click.option("--gather", default="5s", help="While further seeds arrive, wait so long at most.", **shown),
        click.option("--scan-every", default="60s", help="Look for what no event told, so often.", **shown),
        click.option(
            "--poll",
            type=Duration(),
            default=None,
            help="No events (network drives): look through the folder so often.",
        ),
        click.option("--retries", type=click.IntRange(0, 20), default=4, show_default=True, help="Of a failed run."),
        click.option("--retry-after", default="5s", help="Before the first retry; doubled each time.", **shown),
        click.option(
            "--webhook", default="", metavar="URL", help="Gets a JSON note, by POST, when a run failed for good."
        ),
        click.option(
            "--on-failure", default="", metavar="COMMAND", help="The same for a program: JSON on its standard input."
        ),
        click.option("--name", default="", help="Name of the deployment; default: made of the output folder's."),
        click.option(
            "--port",
            type=click.IntRange(0, 65535),
            default=4200,
            show_default=True,
            help="Of Prefect's server and UI, if none is configured; 0: a free one.",
        ),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def run_serve(seeds: Path, output: Path, config: Any, options: dict[str, Any]) -> None:
    """What `jingwen serve` does with its options.  Raises click.UsageError for what is not allowed."""
    if options["cron"] and options["every"]:
        raise click.UsageError("--cron and --every exclude each other")
    if not 0 <= options["quiet"] <= 60:
        raise click.UsageError("--quiet is between 0 and 60 seconds")
    if options["webhook"] and not re.match(r"https?://", options["webhook"]):
        raise click.UsageError("--webhook is an http or https URL")
    with undisturbed():
        from . import deployment, notify, serve
    output = output.absolute()
    served = deployment.Served(
        seeds.absolute(),
        output,
        config,
        options["name"] or default_name(output),
        max(options["quiet"], 0.05),
        options["cron"],
        options["every"],
        options["workers"],
    )
    try:
        served.schedule()
        hook = notify.Hook(options["webhook"], options["on_failure"])
        hook.check()
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    chosen = serve.Options(
        scan_seconds=max(1.0, options["scan_every"]),
        poll_seconds=options["poll"],
        gather_seconds=options["gather"],
        retries=options["retries"],
        retry_seconds=max(0.1, options["retry_after"]),
        port=options["port"],
        hook=hook,
    )
    try:
        serve.serve(served, chosen)
    except serve.EXPECTED_ERRORS as error:
        click.echo(f"Failed: {error}", err=True)
        sys.exit(FAILED)


def default_name(output: Path) -> str:
    """A name that no other corpus of this machine, or of another one, has on the same server."""
    path = output.resolve()
    digest = hashlib.sha256(f"{socket.gethostname()}\0{path}".encode("utf-8", "surrogatepass")).hexdigest()[:6]
    readable = re.sub(r"[^\w.-]+", "-", path.name) or "corpus"
    return f"{readable}-{digest}"


@click.command("watch")
@click.argument("seeds", type=click.Path(path_type=Path), default=Path("seeds"))
@click.option("--name", default="", help="What the event is about: the deployment that waits for it.")
@click.option("--quiet", type=Duration(), default="1s", show_default=True, help="Wait until nothing changes so long.")
@click.option("--gather", type=Duration(), default="10s", show_default=True, help="But wait so long at most.")
@click.option("--poll", type=Duration(), default=None, help="No events (network drives): look through so often.")
def watch_command(seeds: Path, name: str, quiet: float, gather: float, poll: float | None) -> None:
    """Emits the event `seeds.arrived` when SEEDS changed: for deployments that a trigger starts (prefect.yaml).

    It runs nothing itself; `jingwen serve` needs no such helper. Needs PREFECT_API_URL.

    \b
    Examples:
      jingwen watch seeds
      jingwen watch /mnt/scraped --poll 5s --name nightly
    """
    with undisturbed():
        from . import announce
    try:
        announce.watch_and_announce(seeds.absolute(), name or "seeds", quiet, gather, poll)
    except announce.EXPECTED_ERRORS as error:
        click.echo(f"Failed: {error}", err=True)
        sys.exit(FAILED)
