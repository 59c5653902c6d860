"""A run over seeds of which none changed: how long, and how much memory.

    python -m benchmarks.no_change [--json FILE] [--folder DIR] [--seeds 100000] [--mean-bytes 1200]

The corpus is made first (by a stand-in for the cleaners); then a run in a process of its own scans, compares and
commits nothing. Aim: under 10 s and 1 GB for 100,000 seeds.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.corpora import Clock, arguments, peak_mb, run, show, write_seeds

RUNS = 3


def measure_here(root: Path, output: Path) -> None:
    """One run in this process; prints what it took as JSON."""
    clock = Clock()
    version = run(root, output)
    print(json.dumps({**clock.read(), "peak_mb": peak_mb(), "version": version.number}))


def main() -> None:
    if sys.argv[1:2] == ["--measure"]:
        measure_here(Path(sys.argv[2]), Path(sys.argv[3]))
        return
    given = arguments(__doc__, seeds=100_000, mean_bytes=1_200)
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        root, output = Path(folder, "seeds"), Path(folder, "output")
        size = write_seeds(root, given.seeds, given.mean_bytes)
        clock = Clock()
        run(root, output)
        rows = [{"run": "first", "seeds": given.seeds, "MB": round(size / 1e6, 1), **clock.read(), "version": 1}]
        command = [sys.executable, "-m", "benchmarks.no_change", "--measure", str(root), str(output)]
        for _ in range(RUNS):
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            rows.append({"run": "no change", "seeds": given.seeds, "MB": rows[0]["MB"], **json.loads(done.stdout)})
        show(rows, given.json)


if __name__ == "__main__":
    main()
