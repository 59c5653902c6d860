"""What Prefect costs: the flow with its tasks against the same steps called directly.

    python -m benchmarks.prefect_overhead [--megabytes 100] [--runs 3] [--configured] [--json FILE]

News-like seeds (benchmarks/damage.py), one process. The two ways take turns, and the first of them changes; of each the
run with the least CPU time counts. Both are timed from the scan to the committed version; imports and the start of the
server are not in it (benchmarks/start_up.py has them).

Without --configured, Prefect's own server runs in a thread of the process, as in `jingwen build`: `cpu_s` is that of
all threads, so what the server does with the task runs counts; `server_s` is the part of its threads. With
--configured the server is another process, as PREFECT_API_URL has it, and its CPU time is added. The time that the
server still needs after the run's end, to write down the last task runs, counts in both.
"""

from __future__ import annotations

import argparse
import gc
import os
import resource
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from prefect.settings import PREFECT_API_URL, temporary_settings

from benchmarks.corpora import show
from benchmarks.pipeline import write_seeds
from cleaners import PIPELINE, Config, clean, fingerprint, fingerprint_parts
from corpus.plan import batches
from corpus.store import Store
from flows import build, server, tasks
from flows.loading import uncollected
from flows.own_server import OwnServer

SETTLED_SECONDS = 2.5  # the server has nothing left to write: its recorder waits a second at most


def direct(root: Path, output: Path) -> None:
    """What the flow does, without Prefect: the functions inside its tasks."""
    store, config = Store(output), Config()
    made_by = fingerprint(config)
    with store.writer_lock():
        found = tasks.scan.fn(root, config, output, made_by)
        survey = tasks.survey.fn(root, found, made_by, store, config).value
        plan = store.plan(found.value, made_by, survey)
        staging = store.staging(made_by)
        staged = []
        for number, seeds in enumerate(batches(plan.to_clean, tasks.BATCH_BYTES), 1):
            batch = tasks.Batch(number, root, seeds, staging, config, PIPELINE, survey.applied(seeds))
            for part in batch.slices():  # as the flow has it
                with uncollected():
                    part.read()
                    for cleaner in PIPELINE:
                        part.advance(cleaner)
                    part.settle()
                    batch.finished.append(part.finish())
            staged.append(batch.stage().staged)
        store.commit(plan, staged, fingerprint_parts(config), datetime.now(UTC), survey=survey)


def flow(root: Path, output: Path) -> None:
    """The flow, as `jingwen build` runs it."""
    build.build_corpus(root, output)


def measured(way: Callable[[Path, Path], None], root: Path, output: Path, cpu_of_server: Callable[[], float]) -> Any:
    """Wall seconds, CPU seconds of all, and of the server among them."""
    gc.collect()
    before, of_server = _cpu(), cpu_of_server()
    start = time.perf_counter()
    way(root, output)
    wall = time.perf_counter() - start
    time.sleep(SETTLED_SECONDS)
    return {"wall_s": wall, "process_s": _cpu() - before, "server_s": cpu_of_server() - of_server}


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _cpu_of(stat: str) -> float:
    """CPU seconds in the text of /proc/…/stat (Linux)."""
    fields = stat.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _of_threads() -> float:
    """CPU seconds of the threads of Prefect's own server: that of uvicorn, and those of its database."""
    known = {one.native_id: one.name for one in threading.enumerate()}
    found = 0.0
    for task in Path("/proc/self/task").iterdir():
        name = known.get(int(task.name), "")
        if name == "prefect-server" or "sqlite" in name.lower() or "_connection_worker" in name:
            found += _cpu_of((task / "stat").read_text())
    return found


@contextmanager
def serving(configured: bool, home: Path) -> Iterator[tuple[Callable[[], float], bool]]:
    """A server; how much CPU time it has used, and whether that is outside of this process."""
    if not configured:
        with server.running():
            yield _of_threads, False
        return
    own = OwnServer(0, home, print)
    own.start()
    try:
        with temporary_settings({PREFECT_API_URL: own.url}):
            yield lambda: _cpu_of(Path(f"/proc/{own.pid}/stat").read_text()), True
    finally:
        own.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=float, default=100)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--configured", action="store_true", help="the server is another process")
    parser.add_argument("--json", type=Path, metavar="FILE")
    given = parser.parse_args()
    taken: dict[str, list[dict[str, float]]] = {"direct": [], "flow": []}
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(given.configured, Path(folder, "home")) as (of_server, outside),
    ):
        root = Path(folder, "seeds")
        size = write_seeds(root, "news", given.megabytes)
        for path in sorted(root.rglob("*.txt"))[:200]:
            clean(path.read_bytes())  # tables and libraries are loaded
        gc.collect()
        gc.freeze()  # as `jingwen` has it: modules are nothing to look through again and again
        ways = [("direct", direct), ("flow", flow)]
        for number in range(given.runs):
            for name, way in ways if number % 2 == 0 else reversed(ways):
                found = measured(way, root, Path(folder, f"{name} {number}"), of_server)
                found["cpu_s"] = found["process_s"] + (found["server_s"] if outside else 0)
                taken[name].append(found)
                print(name, {key: round(value, 2) for key, value in found.items()}, flush=True)
    least = {name: min(found, key=lambda one: one["cpu_s"]) for name, found in taken.items()}
    rows: list[dict[str, Any]] = [
        {"way": name, "MB": round(size / 1e6, 1), **{key: round(value, 2) for key, value in found.items()}}
        for name, found in least.items()
    ]
    for row in rows:
        row["overhead"] = f"{row['cpu_s'] / least['direct']['cpu_s'] - 1:+.1%}"
        row["median"] = round(statistics.median(one["cpu_s"] for one in taken[row["way"]]), 2)
    show(rows, given.json)


if __name__ == "__main__":
    main()
