"""What Prefect costs: the flow with its tasks against the same steps called directly.

    python -m benchmarks.prefect_overhead [--megabytes 100] [--runs 2] [--json FILE]

News-like seeds (benchmarks/damage.py), one process, Prefect's own server in a thread of it. The two ways take turns;
of each the run with the least CPU time counts. Both are timed from the scan to the committed version, CPU seconds of
all threads of the process, so what the server does with the task runs counts, too; imports and its start do not.
"""

from __future__ import annotations

import argparse
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.corpora import Clock, show
from benchmarks.pipeline import write_seeds
from cleaners import PIPELINE, Config, clean, fingerprint, fingerprint_parts
from corpus.plan import batches
from corpus.store import Store
from flows import build, server, tasks


def direct(root: Path, output: Path) -> None:
    """What the flow does, without Prefect: the functions inside its tasks."""
    store, config = Store(output), Config()
    made_by = fingerprint(config)
    with store.writer_lock():
        found = tasks.scan.fn(root, config, output, made_by)
        survey = tasks.survey.fn(root, found, made_by, store, config)
        plan = store.plan(found, made_by, survey)
        staging = store.staging(made_by)
        staged = []
        for number, seeds in enumerate(batches(plan.to_clean, tasks.BATCH_BYTES), 1):
            recurring = {one.name: survey.applied[one.name] for one in seeds if one.name in survey.applied}
            batch = tasks.Batch(number, root, seeds, staging, config, PIPELINE, recurring)
            batch.read()
            for cleaner in PIPELINE:
                batch.advance(cleaner)
            batch.settle()
            staged.append(batch.stage().staged)
        store.commit(plan, staged, fingerprint_parts(config), datetime.now(UTC), survey=survey)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=float, default=100)
    parser.add_argument("--runs", type=int, default=2)
    parser.add_argument("--json", type=Path, metavar="FILE")
    given = parser.parse_args()
    best: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as folder, server.running():
        root = Path(folder, "seeds")
        size = write_seeds(root, "news", given.megabytes)
        for path in sorted(root.rglob("*.txt"))[:20]:
            clean(path.read_bytes())  # tables and libraries are loaded
        for number in range(given.runs):
            for name, way in (("direct", direct), ("flow", build.build_corpus)):
                clock = Clock()
                way(root, Path(folder, f"{name} {number}"))
                found = clock.read()
                if name not in best or found["cpu_s"] < best[name]["cpu_s"]:
                    best[name] = found
    rows = [{"way": name, "MB": round(size / 1e6, 1), **found} for name, found in best.items()]
    for row in rows:
        row["overhead"] = f"{row['cpu_s'] / best['direct']['cpu_s'] - 1:+.1%}"
    show(rows, given.json)


if __name__ == "__main__":
    main()
