"""One process, two worker processes, Dask: the time of the flow, and whether they make the same version.

    python -m benchmarks.workers [--megabytes 100] [--workers 2] [--runs 2] [--no-dask] [--json FILE]

News-like seeds (benchmarks/damage.py). Every run is a `jingwen build` of its own with Prefect's own server; they take
turns. One process writes in a thread while it cleans, and Prefect's server is in another thread: it uses more than one
core. `one process, one core` is the same, kept to one core (Linux): what a second core brings is seen against it.

wall_s    from the command's start to its end
flow_s    the flow alone, without imports and the server's start
idle_s    the same on a machine that does nothing else, estimated (Linux): of each second, the CPU time of
          the thread that used most, or that of all threads divided by the cores, whichever is more. Waiting for disks
          and for one another's locks is not in it
cpu_s     of all processes of the run, from start to end
others    cores that the rest of the machine used meanwhile, on average: with more than a few hundredths of one, flow_s
          means little, since two workers need all of two cores
speed_up  flow_s of one process divided by this way's; x_core: flow_s of one process on one core divided by it.
          idle_speed_up and idle_x_core: the same of idle_s

Of each way the run with the least idle_s counts (elsewhere than on Linux flow_s).
"""

from __future__ import annotations

import argparse
import ctypes
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.corpora import show
from benchmarks.pipeline import write_seeds
from corpus.store import Store

BATCH_BYTES = 8 << 20  # several batches for each worker, also of 100 MB
ONE, ONE_CORE = "one process", "one process, one core"
SET_CHILD_SUBREAPER = 36  # of prctl: see adopt()
INTERVAL = 1.0  # seconds: in less, others may have kept one worker from its core and not the other


def measure(root: Path, output: Path, options: list[str], is_on_one_core: bool) -> dict[str, Any]:
    """One run: seconds, CPU seconds of all its processes, the version's content id."""
    command = [str(Path(sys.executable).with_name("jingwen")), "build", str(root), "--output", str(output)]
    before, of_all, start = os.times(), _busy(), time.perf_counter()
    with tempfile.TemporaryFile("w+") as out:
        run = subprocess.Popen(
            [*command, "--batch-bytes", str(BATCH_BYTES), *options],
            stdout=out,
            stderr=subprocess.STDOUT,
            preexec_fn=_to_one_core if is_on_one_core else None,
        )
        idle = _watched(run, output, 1 if is_on_one_core else len(os.sched_getaffinity(0)))
        wall = time.perf_counter() - start
        _wait_for_adopted()
        out.seek(0)
        said = out.read()
    of_all, after = _busy() - of_all, os.times()
    cpu = after.children_user - before.children_user + after.children_system - before.children_system
    own = after.user - before.user + after.system - before.system
    flow = re.search(r"Cleaned \d+ in ([\d.]+) s", said)
    version = Store(output).latest()
    if flow is None or version is None:
        raise SystemExit(f"no version was made:\n{said}")
    return {
        "wall_s": round(wall, 1),
        "flow_s": float(flow[1]),
        "idle_s": round(idle, 1) or float(flow[1]),
        "cpu_s": round(cpu, 1),
        "others": round(max(0.0, of_all - cpu - own) / wall, 2),
        "content": version.manifest.content_id[:12],
    }


def _watched(run: subprocess.Popen[Any], output: Path, cores: int) -> float:
    """Waits until the run ends; returns the seconds that its flow would have taken on idle cores."""
    seconds = 0.0
    before: dict[str, float] = {}
    last, was_flow = 0.0, False
    while run.poll() is None:
        time.sleep(0.1)
        is_flow = (output / "corpus" / ".lock").exists() and not (output / "latest").exists()
        if is_flow == was_flow and time.perf_counter() - last < INTERVAL:
            continue
        now = _of_threads(run.pid)
        used = [spent - before.get(thread, 0.0) for thread, spent in now.items()]
        if was_flow and used:
            seconds += max(*used, sum(used) / cores)
        before, last, was_flow = now, time.perf_counter(), is_flow
    return seconds


def _of_threads(pid: int) -> dict[str, float]:
    """CPU seconds of each thread of a process and of all that it started (Linux)."""
    found = {}
    for task in Path(f"/proc/{pid}/task").glob("*"):
        try:
            found[str(task)] = int((task / "schedstat").read_text().split()[0]) / 1e9
            for child in (task / "children").read_text().split():
                found |= _of_threads(int(child))
        except (OSError, IndexError):  # it has ended
            continue
    return found


def adopt() -> None:
    """Processes whose parent has ended become this one's (Linux): only those that were waited for have their CPU time
    counted, and the process that the workers are copies of outlives the run for a moment."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(SET_CHILD_SUBREAPER, 1)


def _wait_for_adopted() -> None:
    while True:
        try:
            os.wait()
        except ChildProcessError:
            return


def _to_one_core() -> None:
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def _busy() -> float:
    """CPU seconds that all programs of the machine have used (Linux; 0 elsewhere)."""
    try:
        fields = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    except OSError:
        return 0.0
    user, nice, system, _, _, irq, soft_irq = map(int, fields[:7])
    return (user + nice + system + irq + soft_irq) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=float, default=100)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--runs", type=int, default=2, help="default: 2")
    parser.add_argument("--no-dask", action="store_true")
    parser.add_argument("--json", type=Path, metavar="FILE")
    given = parser.parse_args()
    adopt()
    ways: dict[str, list[str]] = {ONE: []}
    if hasattr(os, "sched_setaffinity"):
        ways[ONE_CORE] = []
    ways[f"{given.workers} workers"] = ["--workers", str(given.workers)]
    if not given.no_dask:
        ways["Dask, local"] = ["--dask", "local", "--workers", str(given.workers)]
    best: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as folder:
        size = write_seeds(Path(folder, "seeds"), "news", given.megabytes)
        for number in range(given.runs):
            for name, options in ways.items():
                output = Path(folder, f"{name} {number}")
                found = measure(Path(folder, "seeds"), output, options, name == ONE_CORE)
                if name not in best or found["idle_s"] < best[name]["idle_s"]:
                    best[name] = found
    rows = [{"way": name, "MB": round(size / 1e6, 1), **of, **_speed_ups(of, best)} for name, of in best.items()]
    show(rows, given.json)
    if len({row["content"] for row in rows}) > 1:
        raise SystemExit("the versions differ")


def _speed_ups(of: dict[str, Any], best: dict[str, dict[str, Any]]) -> dict[str, float]:
    names = {"speed_up": (ONE, "flow_s"), "x_core": (ONE_CORE, "flow_s")}
    names |= {f"idle_{key}": (name, "idle_s") for key, (name, _) in names.items()}
    return {key: round(best[name][time] / of[time], 2) for key, (name, time) in names.items() if name in best}


if __name__ == "__main__":
    main()
