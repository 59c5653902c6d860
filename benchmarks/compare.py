"""Jingwen beside Data-Juicer, DataTrove, ftfy alone, OpenCC alone and the floor: MB per CPU second, whole processes.

    sh benchmarks/peers/make_environments.sh FOLDER
    python -m benchmarks.compare --environments FOLDER [--megabytes 20] [--runs 2] [--json FILE]

All get the same news-like texts (benchmarks/damage.py) as JSON Lines and write Parquet; the recipes are in
benchmarks/peers/. They take turns, `--runs` times; of each the run with the least CPU time counts. `start_s` is the CPU
time for 20 KB, `MB/s` is what the rest of the bytes took beyond that; `ratio` is Jingwen's speed, divided by that of
the line. MB are 10**6 bytes of UTF-8. What is not installed is left out, with a message.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.corpora import show
from benchmarks.damage import documents

PEERS = Path(__file__).parent / "peers"
SMALL = 0.02  # MB, for the time that a process takes to start
LINES_PER_FILE = 5_000


def write(folder: Path, kind: str, megabytes: float) -> int:
    """Writes the texts as JSON Lines; returns their bytes."""
    folder.mkdir(parents=True)
    texts = [raw.decode("utf-8", "replace") for raw in documents(kind, megabytes)]
    for start in range(0, len(texts), LINES_PER_FILE):
        with (folder / f"{start:07}.jsonl").open("w", encoding="utf-8") as out:
            for number, text in enumerate(texts[start : start + LINES_PER_FILE], start):
                out.write(json.dumps({"id": f"{number:07}", "text": text}, ensure_ascii=False) + "\n")
    return sum(len(text.encode()) for text in texts)


def commands(environments: Path | None) -> Iterator[tuple[str, list[str]]]:
    """Name and command of each tool that is there; {given} and {made} stand for its folders."""
    here = sys.executable
    yield "jingwen", [here, "-m", "benchmarks.peers.run_jingwen", "{given}", "{made}"]
    for name in ("floor", "ftfy", "opencc"):
        yield name, [here, str(PEERS / "run_alone.py"), name, "{given}", "{made}"]
    recipe = ["--config", str(PEERS / "data_juicer.yaml")]
    folders = ["--dataset_path", "{given}", "--export_path", "{made}/made.parquet"]
    for name, arguments in (
        ("datatrove", ["bin/python", str(PEERS / "run_datatrove.py"), "{given}", "{made}"]),
        ("data_juicer", ["bin/dj-process", *recipe, *folders]),
    ):
        program = (environments or Path("none")) / name / arguments[0]
        if program.exists():
            yield name, [str(program), *arguments[1:]]
        else:
            print(f"{name} is left out: there is no {program}", file=sys.stderr)


def measure(command: list[str], given: Path, made: Path) -> dict[str, float]:
    """CPU and wall seconds of the command with all its processes."""
    made.mkdir(parents=True)
    filled = [part.format(given=given, made=made / "out") for part in command]
    before, start = os.times(), time.perf_counter()
    with (made / "log.txt").open("w") as log:
        done = subprocess.run(filled, stdout=log, stderr=subprocess.STDOUT, cwd=os.getcwd(), check=False)
    wall, after = time.perf_counter() - start, os.times()
    if done.returncode:
        raise SystemExit(f"{filled[0]} failed:\n{(made / 'log.txt').read_text('utf-8', 'replace')[-3000:]}")
    cpu = after.children_user - before.children_user + after.children_system - before.children_system
    return {"cpu_s": cpu, "wall_s": wall}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--environments", type=Path, help="made by benchmarks/peers/make_environments.sh")
    parser.add_argument("--megabytes", type=float, default=20)
    parser.add_argument("--kind", default="news")
    parser.add_argument("--runs", type=int, default=2)
    parser.add_argument("--json", type=Path, metavar="FILE")
    given = parser.parse_args()
    best: dict[str, dict[str, dict[str, float]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        sizes = {"small": write(Path(folder, "small"), given.kind, SMALL)}
        sizes["large"] = write(Path(folder, "large"), given.kind, given.megabytes)
        for run in range(given.runs):
            for name, command in commands(given.environments):
                for size in sizes:
                    found = measure(command, Path(folder, size), Path(folder, f"{name}.{size}.{run}"))
                    known = best.setdefault(name, {}).setdefault(size, found)
                    if found["cpu_s"] < known["cpu_s"]:
                        best[name][size] = found
    rows: list[dict[str, Any]] = []
    for name, of in best.items():
        seconds = of["large"]["cpu_s"] - of["small"]["cpu_s"]
        speed = (sizes["large"] - sizes["small"]) / 1e6 / max(seconds, 1e-6)
        rows.append({"tool": name, "MB/s": round(speed, 2), "start_s": round(of["small"]["cpu_s"], 1)})
    for row in rows:
        row["ratio"] = round(rows[0]["MB/s"] / row["MB/s"], 2)
    show(rows, given.json)


if __name__ == "__main__":
    main()
