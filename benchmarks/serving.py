"""A `jingwen serve` of one's own, for the benchmarks: on loopback, with a PREFECT_HOME of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

import pyarrow.parquet as pq

from flows.own_server import answers, free_port

ROOT = Path(__file__).parent.parent
LONGEST_START_SECONDS = 120.0


class Serve:
    """Use as a context manager: runs until its end.

    folder    where seeds/ and output/ are
    options   further ones of the command
    """

    def __init__(self, folder: Path, *options: str, environment: dict[str, str] | None = None) -> None:
        self.seeds, self.output = folder / "seeds", folder / "output"
        self.log = folder / "serve.log"
        self.port = free_port()
        self._options = options
        known = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
        self._environment = known | {"PREFECT_HOME": str(folder / "prefect")} | (environment or {})
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Serve:
        self.seeds.mkdir(parents=True, exist_ok=True)
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        jingwen = Path(sys.executable).with_name("jingwen")
        command = [str(jingwen), "serve", str(self.seeds), "--output", str(self.output), "--port", str(self.port)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*command, *self._options], env=self._environment, stdout=log, stderr=subprocess.STDOUT
            )

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Ends it; returns its exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(60)

    def wait_for(self, ids: set[str], seconds: float) -> None:
        """Until the newest version has these documents.  Raises TimeoutError."""
        deadline = time.monotonic() + seconds
        while not ids <= set(self.ids()):
            if time.monotonic() > deadline:
                raise TimeoutError(
                    f"{len(ids - set(self.ids()))} documents are missing; {self.log.read_text()[-2000:]}"
                )
            time.sleep(0.02)

    def ids(self) -> list[str]:
        """Of the newest version's documents."""
        return ids_of(self.output)

    @property
    def api(self) -> str:
        return f"http://127.0.0.1:{self.port}/api"

    def answers(self) -> bool:
        return answers(self.api)

    def family(self) -> list[int]:
        """Process ids: its own and those of its children (Linux)."""
        assert self.process is not None
        return [self.process.pid, *children(self.process.pid)]


def ids_of(output: Path) -> list[str]:
    """Of the documents in the newest version of the corpus in this folder."""
    folder = Path(os.path.realpath(output / "latest")) / "documents"
    found: list[str] = []
    for file in sorted(folder.glob("*.parquet")):
        with pq.ParquetFile(file) as one:
            found += one.read(["id"])["id"].to_pylist()
    return found


def children(pid: int) -> list[int]:
    """The processes that a process started, and those that they started (Linux)."""
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        direct = [int(one) for task in tasks for one in (task / "children").read_text().split()]
    except OSError:
        return []
    return [one for child in direct for one in (child, *children(child))]


@contextmanager
def served(*options: str, seeds: dict[str, str] | None = None) -> Iterator[Serve]:
    """A serve in a temporary folder, which has a first version of these seeds."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what was started is stopped then, too
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "seeds").mkdir()
        for file, text in (seeds or {"first.txt": text_of(0)}).items():
            (folder / "seeds" / file).write_text(text, "utf-8")
        with Serve(folder, *options) as one:
            one.wait_for(set(seeds or {"first.txt": ""}), LONGEST_START_SECONDS)
            yield one


def text_of(number: int, sentences: int = 20) -> str:
    """A seed; no two are alike."""
    lines = [f"第{number}号村的第{i}户人家种了{(number * 7 + i) % 90 + 10}亩小麦,收成很好。" for i in range(sentences)]
    return "手机版\n\n" + "\n\n".join(lines) + f"\n\n全文完，第{number}号。\n"


def drop(folder: Path, name: str, text: str) -> None:
    """Puts a seed into a folder, as one should: under a hidden name first."""
    unfinished = folder / f".{name}.part"
    unfinished.write_text(text, "utf-8")
    os.rename(unfinished, folder / name)
