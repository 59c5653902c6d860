"""The deployment of prefect.yaml, with a server, a work pool and a worker on loopback: from an arrival to its version.

    python -m benchmarks.work_pool [--arrivals 3]

`jingwen watch` sees a file arrive and emits `seeds.arrived`; the deployment's trigger makes a run; the worker runs it.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from flows.own_server import HOST, OwnServer

from .serving import ROOT, drop, ids_of, text_of

BIN = Path(sys.executable).parent
LONGEST_SECONDS = 120.0


@contextmanager
def background(command: list[str], folder: Path, environment: dict[str, str]) -> Iterator[None]:
    with (folder / f"{Path(command[0]).name}-{command[1]}.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=subprocess.STDOUT)
    try:
        yield
    finally:
        process.terminate()
        process.wait(60)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--arrivals", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        (folder / "seeds").mkdir()
        shutil.copy(ROOT / "prefect.yaml", folder)
        drop(folder / "seeds", "0000.txt", text_of(0))
        os.environ["PREFECT_HOME"] = str(folder / "prefect")
        os.environ.pop("PREFECT_API_URL", None)
        server = OwnServer(0, folder / "prefect", print)
        stack.callback(server.stop)
        server.start()
        environment = {**os.environ, "PREFECT_API_URL": f"http://{HOST}:{server.port}/api"}
        for words in (["work-pool", "create", "--type", "process", "jingwen"], ["deploy", "--all"]):
            command = [str(BIN / "prefect"), "--no-prompt", *words]
            subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True, timeout=120)
        stack.enter_context(
            background([str(BIN / "prefect"), "worker", "start", "--pool", "jingwen"], folder, environment)
        )
        stack.enter_context(
            background([str(BIN / "jingwen"), "watch", "seeds", "--name", "seeds"], folder, environment)
        )
        taken = []
        for number in range(options.arrivals + 1):
            name = f"{number:04}.txt"
            if number:
                drop(folder / "seeds", name, text_of(number))
            start = time.monotonic()
            while name not in ids_of(folder / "output"):
                if time.monotonic() - start > LONGEST_SECONDS:
                    logs = "\n".join(path.read_text()[-1500:] for path in folder.glob("*.log"))
                    raise TimeoutError(f"{name} did not come\n{logs}")
                time.sleep(0.05)
            taken.append(time.monotonic() - start)
            time.sleep(3)
        print(f"first run after {taken[0]:.1f} s (worker and watcher start)")
        arrivals = ", ".join(f"{one:.1f}" for one in taken[1:])
        print(f"{options.arrivals} arrivals: median {statistics.median(taken[1:]):.1f} s ({arrivals})")


if __name__ == "__main__":
    main()
