"""Whether time stays linear and memory flat as the corpus grows.

    python -m benchmarks.growth [--megabytes 1,10,100] [--documents 1000,10000,100000] [--document-bytes 2000]
                                [--workers 1] [--json FILE]

News-like seeds (benchmarks/damage.py): so many megabytes of mixed sizes, then so many documents of one size, given to
`jingwen build` as users run it, with Prefect and the survey of recurring lines; then once more without a change.
`start_s` is the CPU time of a run over one seed, which is the same for all; `MB/s` is per CPU second without it. MB are
10**6 bytes. `peak_mb` is the most memory that a process of the run had; `rss_mb` what the run's first process had at
the ends of the tenths of its time. 1000 megabytes and a million documents take half an hour each.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.corpora import SEEDS_TO_A_FOLDER, show
from benchmarks.damage import documents, documents_of_size

SECONDS_BETWEEN_LOOKS = 0.25
PARTS_OF_A_RUN = 10


def write(root: Path, raws: Iterator[bytes]) -> tuple[int, int]:
    """Writes seeds; returns their number and bytes."""
    number = size = 0
    for raw in raws:
        file = root / f"{number // SEEDS_TO_A_FOLDER:04}" / f"{number:07}.txt"
        if number % SEEDS_TO_A_FOLDER == 0:
            file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(raw)
        number += 1
        size += len(raw)
    return number, size


def measured(root: Path, output: Path, workers: int = 1) -> dict[str, Any]:
    """A run of its own: seconds and memory."""
    command = [str(Path(sys.executable).with_name("jingwen")), "build", str(root), "--output", str(output)]
    command += ["--workers", str(workers)] if workers > 1 else []
    start = time.perf_counter()
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    sizes: list[float] = []
    most = 0.0
    while True:
        done, status, used = os.wait4(running.pid, os.WNOHANG)
        if done:
            break
        found = [memory(pid) for pid in family(running.pid)]
        if found:
            sizes.append(found[0][0])
            most = max(most, *(peak for _, peak in found))
        time.sleep(SECONDS_BETWEEN_LOOKS)
    if status:
        raise SystemExit(f"{' '.join(command)} failed")
    ends = [sizes[len(sizes) * part // PARTS_OF_A_RUN - 1] for part in range(1, PARTS_OF_A_RUN + 1)] if sizes else []
    wall, cpu = time.perf_counter() - start, used.ru_utime + used.ru_stime
    return {"wall_s": round(wall, 1), "cpu_s": round(cpu, 1), "peak_mb": round(most), "rss_mb": list(map(round, ends))}


def family(pid: int) -> list[int]:
    """A process and those that it started, as far as they live."""
    found = [pid]
    for one in found:
        for task in Path(f"/proc/{one}/task").glob("*/children"):
            try:
                found += map(int, task.read_text().split())
            except OSError:
                continue  # the thread is gone
    return found


def memory(pid: int) -> tuple[float, float]:
    """What a process has, and the most that it had, in megabytes (10**6 bytes); 0 when it is gone.  Linux only."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0, 0.0
    kibibytes = {line.split(":")[0]: int(line.split()[1]) for line in lines if line.startswith(("VmRSS", "VmHWM"))}
    return kibibytes.get("VmRSS", 0) * 1024 / 1e6, kibibytes.get("VmHWM", 0) * 1024 / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", default="1,10,100")
    parser.add_argument("--documents", default="1000,10000,100000")
    parser.add_argument("--document-bytes", type=int, default=2_000)
    parser.add_argument("--folder", type=Path, help="where seeds and corpus are made; default: a temporary one")
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--workers", type=int, default=1)
    given = parser.parse_args()
    corpora: list[tuple[str, Iterator[bytes]]] = [
        (f"{n} MB", documents("news", float(n))) for n in given.megabytes.split(",") if n
    ]
    corpora += [
        (f"{n} documents", documents_of_size("news", int(n), given.document_bytes))
        for n in given.documents.split(",")
        if n
    ]
    rows: list[dict[str, Any]] = []
    start = 0.0
    for name, raws in [("1 seed", iter([next(documents("news", 0.01))])), *corpora]:
        with tempfile.TemporaryDirectory(dir=given.folder) as folder:
            root, output = Path(folder, "seeds"), Path(folder, "output")
            number, size = write(root, raws)
            first, again = measured(root, output, given.workers), measured(root, output)
        if not rows:
            start = first["cpu_s"]
        cpu = max(first["cpu_s"] - start, 0.1)
        speed = {"start_s": start, "MB/s": round(size / 1e6 / cpu, 2), "documents/s": round(number / cpu)}
        rows.append({"corpus": name, "documents": number, "MB": round(size / 1e6, 1), **first, **speed})
        rows.append({"corpus": f"{name}, no change", "documents": number, "MB": round(size / 1e6, 1), **again})
        print(rows[-2], rows[-1], sep="\n", file=sys.stderr)
    show(rows[2:], given.json)


if __name__ == "__main__":
    main()
