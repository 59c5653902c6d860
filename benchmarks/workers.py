"""One process, two worker processes, Dask: the time of the flow, and whether they make the same version.

    python -m benchmarks.workers [--megabytes 100] [--workers 2] [--no-dask] [--json FILE]

News-like seeds (benchmarks/damage.py). Every run is a `jingwen build` of its own with Prefect's own server; they take
turns, twice. `flow_s` is the wall time of the flow, without imports and the server's start; `speed_up` is that of one
process, divided by it. On a machine that does other work, too, the figures mean little.
"""

from __future__ import annotations

import argparse
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

RUNS = 2
BATCH_BYTES = 8 << 20  # several batches for each worker, also of 100 MB


def measure(root: Path, output: Path, options: list[str]) -> dict[str, Any]:
    """One run: seconds, CPU seconds of all its processes, the version's content id."""
    command = [str(Path(sys.executable).with_name("jingwen")), "build", str(root), "--output", str(output)]
    before, start = os.times(), time.perf_counter()
    done = subprocess.run(
        [*command, "--batch-bytes", str(BATCH_BYTES), *options], check=True, capture_output=True, text=True
    )
    wall, after = time.perf_counter() - start, os.times()
    cpu = after.children_user - before.children_user + after.children_system - before.children_system
    flow = re.search(r"Cleaned \d+ in ([\d.]+) s", done.stdout)
    version = Store(output).latest()
    if flow is None or version is None:
        raise SystemExit(f"no version was made:\n{done.stdout}\n{done.stderr}")
    return {
        "wall_s": round(wall, 1),
        "flow_s": float(flow[1]),
        "cpu_s": round(cpu, 1),
        "content": version.manifest.content_id[:12],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=float, default=100)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--no-dask", action="store_true")
    parser.add_argument("--json", type=Path, metavar="FILE")
    given = parser.parse_args()
    ways = {"one process": [], f"{given.workers} workers": ["--workers", str(given.workers)]}
    if not given.no_dask:
        ways["Dask, local"] = ["--dask", "local", "--workers", str(given.workers)]
    best: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as folder:
        size = write_seeds(Path(folder, "seeds"), "news", given.megabytes)
        for number in range(RUNS):
            for name, options in ways.items():
                found = measure(Path(folder, "seeds"), Path(folder, f"{name} {number}"), options)
                if name not in best or found["flow_s"] < best[name]["flow_s"]:
                    best[name] = found
    alone = best["one process"]["flow_s"]
    rows = [
        {"way": name, "MB": round(size / 1e6, 1), **found, "speed_up": round(alone / found["flow_s"], 2)}
        for name, found in best.items()
    ]
    show(rows, given.json)
    if len({row["content"] for row in rows}) > 1:
        raise SystemExit("the versions differ")


if __name__ == "__main__":
    main()
