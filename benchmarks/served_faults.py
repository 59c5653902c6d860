"""Files dropped at random times within a minute, many of them written slowly, while runs are killed at random.

    python -m benchmarks.served_faults [--files 500] [--seconds 60] [--json FILE]

Checked: at the end all documents are in the corpus; no version has a half-written one; every run of the deployment is
in a final state (none lost); no version is damaged (`jingwen verify`).
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from .serving import Serve, children, drop, served, text_of

LONGEST_SECONDS = 600.0
UNFINISHED = ["RUNNING", "PENDING", "CANCELLING"]


def write_slowly(file: Path, text: str, chance: random.Random) -> None:
    """As a careless program does: in its place, in pieces, with pauses."""
    content = text.encode()
    with file.open("wb", buffering=0) as stream:
        for start in range(0, len(content), 400):
            stream.write(content[start : start + 400])
            time.sleep(chance.uniform(0, 0.4))


def drop_all(folder: Path, files: int, seconds: float) -> None:
    """Drops the files at random times; a third of them slowly, a tenth twice (first with another text)."""
    chance = random.Random(7)
    start = time.monotonic()
    times = sorted(chance.uniform(0, seconds) for _ in range(files))
    slow = []
    for number, when in enumerate(times, 1):
        time.sleep(max(0.0, start + when - time.monotonic()))
        name, text = f"{number:04}.txt", text_of(number)
        if number % 3 == 0:
            slow.append(threading.Thread(target=write_slowly, args=(folder / name, text, random.Random(number))))
            slow[-1].start()
        else:
            if number % 10 == 0:
                drop(folder, name, text_of(number + 100_000))
            drop(folder, name, text)
    for one in slow:
        one.join()


def kill_runs(one: Serve, stop: threading.Event) -> list[int]:
    """Kills the process of every second run, on average, at a random moment of its life."""
    chance = random.Random(3)
    killed: list[int] = []
    spared = 0
    while not stop.wait(0.05):
        assert one.process is not None
        warm = [pid for pid in children(one.process.pid) if is_warm(pid)]
        runs = [child for pid in warm for child in children(pid) if child not in (spared, *killed[-1:])]
        for pid in runs[:1]:
            if chance.random() < 0.5:
                spared = pid
                continue
            stop.wait(chance.uniform(0, 2.0))
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                killed.append(pid)
    return killed


def is_warm(pid: int) -> bool:
    with suppress(OSError):
        parent = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1]
        return b"flows.warm" in Path(f"/proc/{pid}/cmdline").read_bytes() and not is_warm(int(parent))
    return False


def ask(one: Serve, path: str, **body: Any) -> Any:
    request = urllib.request.Request(one.api + path, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def half_written(output: Path) -> int:
    """Number of documents, in all versions, whose text does not end as its seed does."""
    bad = 0
    for version in sorted((output / "corpus" / "versions").glob("v*")):
        for file in (version / "documents").glob("*.parquet"):
            table = pq.read_table(file, columns=["id", "text"], partitioning=None)
            for id, text in zip(table["id"].to_pylist(), table["text"].to_pylist(), strict=True):
                if "全文完" not in text:
                    bad += 1
                    print(f"half written: {id} in {version.name}")
    return bad


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=500)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    wanted = {f"{number:04}.txt" for number in range(1, options.files + 1)}
    with served("--retry-after", "1s", "--retries", "10") as one:
        stop, killed = threading.Event(), []
        killer = threading.Thread(target=lambda: killed.extend(kill_runs(one, stop)))
        killer.start()
        drop_all(one.seeds, options.files, options.seconds)
        stop.set()
        killer.join()
        start = time.monotonic()
        one.wait_for(wanted, LONGEST_SECONDS)
        complete = time.monotonic() - start
        deadline = time.monotonic() + LONGEST_SECONDS
        while True:  # what is to be tried again is tried again
            runs = ask(one, "/flow_runs/filter", limit=200)
            states: dict[str, int] = {}
            for run in runs:
                states[run["state_type"]] = states.get(run["state_type"], 0) + 1
            if not set(states) - {"COMPLETED", "FAILED"} or time.monotonic() > deadline:
                break
            time.sleep(2)
        versions = len(list((one.output / "corpus" / "versions").glob("v*")))
        tries = sum(run["run_count"] for run in runs)
        bad = half_written(one.output)
        jingwen = str(Path(sys.executable).with_name("jingwen"))
        verified = subprocess.run([jingwen, "verify", "--output", str(one.output)], capture_output=True, check=False)
        texts_right = all_right(one, wanted)
        result = {
            "files": options.files,
            "runs_killed": len(killed),
            "runs": len(runs),
            "tries": tries,
            "states": states,
            "versions": versions,
            "half_written": bad,
            "texts_right": texts_right,
            "verify_exit_code": verified.returncode,
            "seconds_from_last_file_to_complete": complete,
        }
    for name, value in result.items():
        print(f"{name:36} {value}")
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n")
    good = not bad and texts_right and set(states) == {"COMPLETED"} and verified.returncode == 0
    sys.exit(0 if good else 1)


def all_right(one: Serve, wanted: set[str]) -> bool:
    """Whether each document is that of the seed's last text."""
    table = pq.read_table(os.path.realpath(one.output / "latest" / "documents"), columns=["id", "text"])
    texts = dict(zip(table["id"].to_pylist(), table["text"].to_pylist(), strict=True))
    return all(f"第{int(name[:4])}号。" in texts[name] for name in wanted)


if __name__ == "__main__":
    main()
