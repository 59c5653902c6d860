"""A run is killed (SIGKILL) at random times, again and again: nothing may be lost, doubled or unreadable.

    python -m benchmarks.kills [--json FILE] [--folder DIR] [--kills 100] [--seeds 400]

After each kill every version is verified (hashes, counts, every document's way back to its seed), and readers' view of
`latest` must be that of one of the two last versions. When a run gets through, some seeds change and it goes on.
"""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq

from benchmarks.corpora import FINGERPRINT, arguments, run, show, write_seeds
from benchmarks.upsert import change
from corpus.seeds import scan
from corpus.store import Store
from corpus.verify import verify

RUN = """
import sys
from pathlib import Path
from benchmarks import corpora
corpora.BATCH_BYTES = 20_000
print("begins", flush=True)
corpora.run(Path(sys.argv[1]), Path(sys.argv[2]), fingerprint=sys.argv[3])
"""


def check(output: Path, counts: Counter[str], expected: list[set[str]]) -> None:
    """Counts what is lost, doubled or unreadable."""
    store = Store(output)
    for version in store.versions()[-2:]:
        counts["unreadable"] += any("latest" not in problem for problem in verify(store, version))
    ids = pq.read_table(output / "latest" / "documents", columns=["id"])["id"].to_pylist()
    counts["doubled"] += len(ids) - len(set(ids))
    counts["lost"] += min(len(want - set(ids)) for want in expected)


def main() -> None:
    given = arguments(__doc__, kills=100, seeds=400)
    choose = random.Random(0)
    counts: Counter[str] = Counter(kills=0, lost=0, doubled=0, unreadable=0, runs_through=0)
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        root, output = Path(folder, "seeds"), Path(folder, "output")
        write_seeds(root, given.seeds, 1_000)
        run(root, output)
        longest = 1.0
        fingerprint = FINGERPRINT
        while counts["kills"] < given.kills:
            wanted = {seed.name for seed in scan(root, 1 << 20).seeds}
            command = [sys.executable, "-c", RUN, str(root), str(output), fingerprint]
            with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
                assert process.stdout is not None
                process.stdout.readline()
                began = time.perf_counter()
                try:
                    process.wait(choose.uniform(0.01, longest))
                except subprocess.TimeoutExpired:
                    process.kill()
            if process.returncode == 0:
                longest = (time.perf_counter() - began + longest) / 2 + 0.05
                counts["runs_through"] += 1
                newest = Store(output).latest()
                assert newest is not None
                counts["lost"] += len(wanted - newest.seeds().keys())
                if counts["runs_through"] % 2:
                    fingerprint = f"{counts['runs_through']:064x}"  # another pipeline: all is cleaned again
                else:
                    change(root, 100, scattered=True)
            else:
                counts["kills"] += 1
            check(output, counts, [wanted])
        show([dict(counts)], given.json)
    sys.exit(1 if counts["lost"] or counts["doubled"] or counts["unreadable"] else 0)


if __name__ == "__main__":
    main()
