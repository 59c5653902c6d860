"""The console command: what stands between the shell and click, so that Ctrl-C ends every command alike."""

from __future__ import annotations

import gc
import logging
import multiprocessing
import os
import sys

INTERRUPTED = 130  # as shells have it: 128 + SIGINT


def main() -> None:
    """Runs the command line. Ctrl-C gives exit code 130 at any moment, also while modules are still loading."""
    logging.raiseExceptions = False  # a log line that does not get to a server is not worth two on the terminal
    try:
        import click

        from . import cli

        try:
            code = cli.main.main(standalone_mode=False)
        except Exception as error:
            if _is_interrupt(error):
                raise KeyboardInterrupt from error
            if not isinstance(error, click.ClickException):
                raise
            error.show()
            sys.exit(error.exit_code)
    except KeyboardInterrupt:
        print("Interrupted. The corpus is as it was.", file=sys.stderr, flush=True)
        if multiprocessing.active_children() or "concurrent.futures.process" in sys.modules:
            os._exit(INTERRUPTED)  # the interpreter would wait for the threads of a pool whose workers are gone
        sys.exit(INTERRUPTED)
    except SystemExit as end:
        _leave_at_once(end.code)
        raise
    finally:
        gc.freeze()  # the interpreter looks for nothing to collect in what is about to go
    _leave_at_once(code)
    sys.exit(code if isinstance(code, int) else 0)


def _leave_at_once(code: object) -> None:
    """Ends the process if Prefect's threads still have something for a server that is away: the interpreter would wait
    for them, for minutes."""
    server = sys.modules.get("flows.server")
    if server is not None and server.undelivered():
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code if isinstance(code, int) else 0)


def _is_interrupt(error: BaseException | None) -> bool:
    """Whether this came of Ctrl-C: Prefect, interrupted at a bad moment, stumbles and raises something else."""
    import click

    while error is not None:
        if isinstance(error, (KeyboardInterrupt, click.Abort)):
            return True
        error = error.__cause__ or error.__context__
    return False
