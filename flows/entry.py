"""The console command: what stands between the shell and click, so that Ctrl-C ends every command alike."""

from __future__ import annotations

import sys

INTERRUPTED = 130  # as shells have it: 128 + SIGINT


def main() -> None:
    """Runs the command line. Ctrl-C gives exit code 130 at any moment, also while modules are still loading."""
    try:
        import click

        from . import cli

        try:
            code = cli.main.main(standalone_mode=False)
        except click.ClickException as error:
            error.show()
            sys.exit(error.exit_code)
        except click.Abort as error:
            raise KeyboardInterrupt from error
    except KeyboardInterrupt:
        print("Interrupted. The corpus is as it was.", file=sys.stderr)
        sys.exit(INTERRUPTED)
    sys.exit(code if isinstance(code, int) else 0)
