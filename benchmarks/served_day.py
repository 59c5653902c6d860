"""A day of schedule in minutes: does the memory, or the number of open files, of a serve grow?

    python -m benchmarks.served_day [--hours 24] [--every 5s] [--arrivals 24] [--json FILE]

Each interval stands for an hour: a scheduled run, and often a new seed. After a warm-up of 3 runs, resident memory
(of the serve, its warm process, and Prefect's server) and open files are noted after each run. Linux only.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from pathlib import Path

from .serving import Serve, drop, served, text_of

WARM_UP = 3
ROLES = {"serve": b"serve", "warm": b"flows.warm", "server": b"flows.own_server"}


def role(pid: int) -> str:
    words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    return next((name for name, word in ROLES.items() if word in words), "")


def measured(one: Serve) -> dict[str, tuple[float, int]]:
    """Role -> resident MB, open files. The copy of the warm process that a run is, is not asked."""
    found: dict[str, tuple[float, int]] = {}
    for pid in one.family():
        try:
            pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
            files = len(os.listdir(f"/proc/{pid}/fd"))
            found.setdefault(role(pid), (pages * os.sysconf("SC_PAGE_SIZE") / 1e6, files))
        except OSError:
            continue
    return found


def runs_done(one: Serve) -> int:
    from .served_faults import ask

    return int(ask(one, "/flow_runs/count", flow_runs={"state": {"type": {"any_": ["COMPLETED"]}}}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=int, default=24)
    parser.add_argument("--every", default="5s", help="an hour takes so long")
    parser.add_argument("--arrivals", type=int, default=24)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    rows: list[dict[str, tuple[float, int]]] = []
    with served("--every", options.every) as one:
        done, dropped, lost = 0, 0, 0
        deadline = time.monotonic() + 3600
        while len(rows) < options.hours + WARM_UP and time.monotonic() < deadline:
            try:
                now = runs_done(one)
            except OSError:  # a connection that was reset: asked again
                now, lost = done, lost + 1
            if now == done:
                time.sleep(0.5)
                continue
            done = now
            rows.append(measured(one))
            if dropped < options.arrivals:
                dropped += 1
                drop(one.seeds, f"{dropped:04}.txt", text_of(dropped))
        if dropped:
            one.wait_for({f"{n:04}.txt" for n in range(1, dropped + 1)}, 120)
        done = runs_done(one)
        database = sum(file.stat().st_size for file in (one.output.parent / "prefect").glob("prefect.db*"))
        restarts = one.log.read_text().count("it is started again")
    rows = rows[WARM_UP:]
    result: dict[str, object] = {
        "hours": len(rows),
        "runs": done,
        "documents": dropped + 1,
        "database_bytes": database,
        "server_restarts": restarts,
        "connections_reset": lost,
    }
    print(f"{done} runs, {dropped} arrivals, Prefect's database {database / 1e6:.1f} MB")
    print(f"{'process':10} {'MB first third':>15} {'MB last third':>15} {'open files':>12}")
    for name in ROLES:
        memory = [row[name][0] for row in rows if name in row]
        files = [row[name][1] for row in rows if name in row]
        third = max(1, len(memory) // 3)
        first, last = statistics.median(memory[:third]), statistics.median(memory[-third:])
        result[name] = {"first": first, "last": last, "files_first": files[0], "files_last": files[-1]}
        print(f"{name:10} {first:15.1f} {last:15.1f} {files[0]:5} to {files[-1]:3}")
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
