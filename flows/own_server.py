"""Prefect's server as a child process of `jingwen serve`, which starts it again when it ends or no longer answers.

`python -m flows.own_server HOST PORT` is that child. It ends with its parent, however that ends: its standard input
is a pipe that only the parent holds open.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import IO

from .server import LONGEST_START_SECONDS, ServerError

HOST = "127.0.0.1"
LARGEST_LOG = 10 << 20  # bytes; then a new one is begun
CHECK_SECONDS = 0.5
HEALTH_SECONDS = 5.0
SILENT_SECONDS = 40.0  # without an answer for so long, it is started again
LONGEST_PAUSE_SECONDS = 30.0  # between two starts that fail
STOP_SECONDS = 8.0
PORT_FREE_SECONDS = 10.0  # a server whose parent was killed needs a moment to go

SETTINGS = {
    "PREFECT_UI_API_URL": "/api",  # the default is port 4200, whatever the port is
    # in memory, the leases of running flows would be forgotten when the server is started again
    "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect.server.concurrency.lease_storage.filesystem",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_LOGGING_LEVEL": "WARNING",
    "MALLOC_ARENA_MAX": "2",  # a memory arena per thread of its database is not given back
}


class OwnServer:
    """Prefect's server on the loopback interface, from `start` until `stop`.

    say    gets a line when the server had to be started again
    """

    def __init__(self, port: int, home: Path, say: Callable[[str], None]) -> None:
        self.port = port or free_port()
        self.url = f"http://{HOST}:{self.port}/api"
        self.log = home / "jingwen-server.log"
        self._say = say
        self._process: subprocess.Popen[bytes] | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="own-server", daemon=True)

    @property
    def pid(self) -> int:
        return self._process.pid if self._process else 0

    def start(self, stopped: Callable[[], bool] = lambda: False) -> None:
        """Returns when it answers, or when `stopped` says so.

        Raises ServerError when the port is taken, or it does not start.
        """
        _wait_until_free(self.port, stopped)
        self._spawn()
        deadline = time.monotonic() + LONGEST_START_SECONDS
        while not answers(self.url):
            if self._ended() or time.monotonic() > deadline:
                self._end()
                raise ServerError(f"Prefect's server does not start: see the end of {self.log}")
            if stopped():
                return
            time.sleep(0.1)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(CHECK_SECONDS * 4)
        self._end()

    def _keep(self) -> None:
        heard, pause = time.monotonic(), 1.0
        while not self._stop.wait(CHECK_SECONDS):
            if not self._ended():
                if time.monotonic() - heard < HEALTH_SECONDS:
                    continue
                if answers(self.url):
                    heard, pause = time.monotonic(), 1.0
                    continue
                if time.monotonic() - heard < SILENT_SECONDS:
                    continue
            self._say("Prefect's server has ended or does not answer: it is started again.")
            self._end()
            self._spawn()
            heard = time.monotonic()
            self._stop.wait(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    def _spawn(self) -> None:
        environment = {name: value for name, value in os.environ.items() if name != "PREFECT_API_URL"}
        with self._open_log() as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "flows.own_server", HOST, str(self.port)],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=SETTINGS | environment,
                start_new_session=True,  # Ctrl-C is for the parent, which then stops it
            )

    def _open_log(self) -> IO[bytes]:
        try:
            self.log.parent.mkdir(parents=True, exist_ok=True)
            is_large = self.log.exists() and self.log.stat().st_size > LARGEST_LOG
            return self.log.open("wb" if is_large else "ab")
        except OSError as error:  # a server without a log is better than none
            self._say(f"cannot write to {self.log} ({error.strerror}): Prefect's server goes on without a log")
            return open(os.devnull, "wb")

    def _ended(self) -> bool:
        return self._process is None or self._process.poll() is not None

    def _end(self) -> None:
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdin:
            self._process.stdin.close()
        self._process = None


def answers(url: str) -> bool:
    """Whether a Prefect server is there and healthy."""
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=5) as answer:
            return bool(answer.status == 200)
    except (OSError, ValueError):
        return False


def free_port() -> int:
    with socket.socket() as one:
        one.bind((HOST, 0))
        return int(one.getsockname()[1])


def _bound(port: int) -> socket.socket:
    one = socket.socket()
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        one.bind((HOST, port))
    except OSError:
        one.close()
        raise
    return one


def _wait_until_free(port: int, stopped: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PORT_FREE_SECONDS
    while not stopped():
        try:
            _bound(port).close()
        except OSError as error:
            if time.monotonic() > deadline:
                raise ServerError(
                    f"port {port} is taken ({error.strerror}): if a Prefect server is there, set "
                    f"PREFECT_API_URL=http://{HOST}:{port}/api to use it; or choose another --port"
                ) from error
            time.sleep(0.2)
        else:
            return


def main(host: str, port: int) -> None:
    """The child: serves until it is told to stop, or its parent is gone."""
    import uvicorn
    from prefect.server.api.server import create_app

    # without `access` lines: a browser that is left open asks all day
    server = uvicorn.Server(uvicorn.Config(create_app(), host=host, port=port, log_level="warning", access_log=False))

    def end_with_parent() -> None:
        sys.stdin.buffer.read()
        server.should_exit = True
        time.sleep(STOP_SECONDS)
        os._exit(1)

    threading.Thread(target=end_with_parent, daemon=True).start()
    server.run()
    os._exit(0)  # nothing is left to do, and the interpreter would wait for Prefect's idle threads


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
