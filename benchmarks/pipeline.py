"""Speed of the whole pipeline, bytes to committed corpus, step by step, over generated seeds.

    python -m benchmarks.pipeline [--megabytes 10] [--kinds news,damaged,…] [--runs 2] [--steps] [--json FILE]

Seeds of each kind (see benchmarks/damage.py) are written to a folder; then a run scans, reads, decodes, cleans,
settles, finishes, makes rows, writes them and commits, as the flow does it, batch by batch, without Prefect. Beside
it runs the floor: scan, read, and a Parquet file of id, text and hash. All kinds take turns, `--runs` times; of each
the run with the least CPU time counts. MB are 10**6 bytes of seeds; `cpu` is MB per CPU second of all threads, `wall`
MB per second; `x_floor` compares the total with the floor; `peak_mb` is the most memory of the process in that run.
Memory is handed out as in the flow's processes.
--steps shows every step with its share of the CPU time.
"""

# ruff: noqa: E402  memory first
from __future__ import annotations

from flows.loading import with_little_memory

with_little_memory()

import argparse
import gc
import hashlib
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.corpora import BATCH_BYTES, FINGERPRINT, MOST_BYTES, SEEDS_TO_A_FOLDER, peak_mb, show
from benchmarks.damage import KINDS, documents
from cleaners import PIPELINE, Config, Draft, Stopwatch, advance_all, remembered, settle_all
from corpus import rows
from corpus.seed_list import AnySeed
from corpus.seeds import read, scan
from corpus.store import Store, batches
from flows.batch import SLICE_BYTES
from flows.loading import uncollected

WARM_UP = 0.3  # MB
FLOOR_SCHEMA = pa.schema([("id", pa.string()), ("text", pa.string()), ("sha256", pa.string())])


class Steps:
    """CPU and wall seconds per step."""

    def __init__(self) -> None:
        self.cpu: dict[str, float] = {}
        self.wall: dict[str, float] = {}

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        cpu, wall = time.process_time(), time.perf_counter()
        yield
        self.cpu[name] = self.cpu.get(name, 0.0) + time.process_time() - cpu
        self.wall[name] = self.wall.get(name, 0.0) + time.perf_counter() - wall


def write_seeds(root: Path, kind: str, megabytes: float) -> int:
    """Writes the seeds of a kind; returns their bytes."""
    size = 0
    for number, raw in enumerate(documents(kind, megabytes)):
        file = root / f"{number // SEEDS_TO_A_FOLDER:04}" / f"{number:07}.txt"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(raw)
        size += len(raw)
    return size


def pipeline(root: Path, output: Path, config: Config) -> Steps:
    """One run over the seeds below `root`."""
    steps = Steps()
    store = Store(output)
    with store.writer_lock():
        with steps.step("scan"):
            plan = store.plan(scan(root, MOST_BYTES, output), FINGERPRINT)
        staging = store.staging(FINGERPRINT)
        staged = []
        for batch in batches(plan.to_clean, BATCH_BYTES, done=()):
            made = []
            for part in batches(batch, SLICE_BYTES):  # as the flow has it
                with uncollected():
                    finished = _cleaned(root, part, config, steps)
                    with steps.step("rows"):
                        made.append(rows.tables(finished))
                    del finished  # as in the flow: before the collector looks through what is there
            with steps.step("write"):
                staged.append(staging.write_tables(rows.together(made)))
        with steps.step("commit"):
            store.commit(plan, staged, {"code": FINGERPRINT}, datetime.now(UTC))
    return steps


def _cleaned(root: Path, batch: Sequence[AnySeed], config: Config, steps: Steps) -> list[Any]:
    with steps.step("read"):
        raws = [read(root, seed) for seed in batch]
    with steps.step("decode"):
        drafts = [Draft(raw, seed.name, config, None, seed.sha256) for raw, seed in zip(raws, batch, strict=True)]
    for cleaner in PIPELINE:
        with steps.step(cleaner.name):
            advance_all(drafts, cleaner, config, _turns)
    with steps.step("settle"):
        unsettled = settle_all(drafts, config, PIPELINE, _turns)
    with steps.step("finish"):
        watch = Stopwatch()
        for draft in drafts:
            draft.describe(config, watch)
        return [draft.finish(config, i not in unsettled, watch) for i, draft in enumerate(drafts)]


def _turns(drafts: Sequence[Draft]) -> Iterator[tuple[Draft, Stopwatch]]:
    watch = Stopwatch()
    return ((draft, watch) for draft in drafts)


def floor(root: Path, output: Path) -> Steps:
    """What no pipeline can do without: list, read and hash the seeds, write their texts."""
    steps = Steps()
    output.mkdir()
    with steps.step("floor"):
        for number, batch in enumerate(batches(scan(root, MOST_BYTES).seeds, BATCH_BYTES, done=())):
            texts = [read(root, seed).decode("utf-8", "replace") for seed in batch]
            hashes = [hashlib.sha256(text.encode()).hexdigest() for text in texts]
            table = pa.table([[seed.name for seed in batch], texts, hashes], schema=FLOOR_SCHEMA)
            pq.write_table(table, output / f"{number}.parquet", compression="zstd", compression_level=6)
    return steps


def _start_afresh() -> None:
    """Nothing is remembered of the run before; on Linux, the peak of memory is counted anew."""
    remembered.forget()
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")


def measure(folder: Path, kinds: Sequence[str], megabytes: float, runs: int) -> dict[str, dict[str, Any]]:
    """Per kind: bytes, the best run of the pipeline and of the floor, and the peak of memory."""
    found: dict[str, dict[str, Any]] = {}
    write_seeds(folder / "warm_up", "damaged", WARM_UP)  # tables and libraries are loaded, once per process
    pipeline(folder / "warm_up", folder / "warm_up.0", Config())
    for kind in kinds:
        found[kind] = {"bytes": write_seeds(folder / kind, kind, megabytes), "peak_mb": 0.0}
    for run in range(runs):
        for kind in kinds:
            _start_afresh()
            steps = pipeline(folder / kind, folder / f"{kind}.{run}", Config())
            found[kind]["peak_mb"] = max(found[kind]["peak_mb"], peak_mb())
            _keep_best(found[kind], "pipeline", steps)
            _keep_best(found[kind], "floor", floor(folder / kind, folder / f"{kind}.{run}.floor"))
    return found


def _keep_best(of: dict[str, Any], name: str, steps: Steps) -> None:
    if name not in of or sum(steps.cpu.values()) < sum(of[name].cpu.values()):
        of[name] = steps


def table(found: dict[str, dict[str, Any]], with_steps: bool) -> list[dict[str, Any]]:
    """One row per kind, and one per step before it when asked for."""
    made: list[dict[str, Any]] = []
    for kind, of in found.items():
        size = of["bytes"] / 1e6
        steps: Steps = of["pipeline"]
        cpu, wall = sum(steps.cpu.values()), sum(steps.wall.values())
        if with_steps:
            made += [_row(kind, name, size, steps.cpu[name], steps.wall[name], cpu) for name in steps.cpu]
        floor_cpu = of["floor"].cpu["floor"]
        more = {"x_floor": round(cpu / floor_cpu, 1), "MB": round(size, 1), "peak_mb": of["peak_mb"]}
        made.append({**_row(kind, "total", size, cpu, wall, cpu), **more})
    return made


def _row(kind: str, step: str, size: float, cpu: float, wall: float, total: float) -> dict[str, Any]:
    speeds = {"cpu": round(size / max(cpu, 1e-6), 2), "wall": round(size / max(wall, 1e-6), 2)}
    return {"kind": kind, "step": step, **speeds, "cpu_s": round(cpu, 3), "share": f"{cpu / total:.1%}"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=float, default=10, help="of seeds of each kind; default: 10")
    parser.add_argument("--kinds", default=",".join(KINDS), help=f"some of {','.join(KINDS)}")
    parser.add_argument("--runs", type=int, default=2, help="default: 2")
    parser.add_argument("--steps", action="store_true", help="show every step")
    parser.add_argument("--folder", type=Path, help="where seeds and corpus are made; default: a temporary one")
    parser.add_argument("--json", type=Path, metavar="FILE")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        found = measure(Path(folder), given.kinds.split(","), given.megabytes, given.runs)
    show(table(found, given.steps), given.json)


if __name__ == "__main__":
    main()
