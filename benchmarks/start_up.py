"""How long a run over a handful of seeds takes: with a local server, first run and no change; and Prefect's default.

    python -m benchmarks.start_up [--runs 5] [--json FILE]

Wall and CPU seconds of whole processes, interleaved, medians. PREFECT_HOME is a folder of its own, with its database
already made.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
DEFAULT_SERVER = (
    "from pathlib import Path; from flows.build import build_corpus; build_corpus(Path('seeds'), Path({output!r}))"
)


def measured(command: list[str], environment: dict[str, str]) -> tuple[float, float]:
    """Wall and CPU seconds, children's included.  Raises CalledProcessError when the command fails."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    jingwen = str(Path(sys.executable).with_name("jingwen"))
    with tempfile.TemporaryDirectory() as folder:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PREFECT_")}
        environment["PREFECT_HOME"] = f"{folder}/home"
        first, again, default = f"{folder}/first", f"{folder}/again", f"{folder}/default"
        for output in (again, default):  # makes the database, and the corpus that does not change
            measured([jingwen, "build", "seeds", "--output", output], environment)
        taken: dict[str, list[tuple[float, float]]] = {"five new seeds": [], "no change": [], "Prefect's default": []}
        for number in range(options.runs):
            fresh = [jingwen, "build", "seeds", "--output", f"{first}{number}"]
            taken["five new seeds"].append(measured(fresh, environment))
            taken["no change"].append(measured([jingwen, "build", "seeds", "--output", again], environment))
            flow = [sys.executable, "-c", "import flows; " + DEFAULT_SERVER.format(output=default)]
            taken["Prefect's default"].append(measured(flow, environment))
    result = {
        name: {
            "wall_seconds": statistics.median(wall for wall, _ in runs),
            "cpu_seconds": statistics.median(cpu for _, cpu in runs),
        }
        for name, runs in taken.items()
    }
    print(f"{'run':20} {'wall s':>8} {'cpu s':>8}")
    for name, row in result.items():
        print(f"{name:20} {row['wall_seconds']:8.1f} {row['cpu_seconds']:8.1f}")
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
