"""Whether time stays linear and memory flat as the corpus grows.

    python -m benchmarks.growth [--megabytes 1,10,100] [--documents 1000,10000,100000] [--document-bytes 2000]
                                [--json FILE]

News-like seeds (benchmarks/damage.py): so many megabytes of mixed sizes, then so many documents of one size, given to
the whole pipeline, bytes to committed corpus, without Prefect; then once more without a change. Every run is a process
of its own, so that `peak_mb` is its own. MB are 10**6 bytes; `MB/s` is per CPU second without the start of the process.
1000 megabytes and a million documents take some minutes each.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.corpora import SEEDS_TO_A_FOLDER, Clock, peak_mb, run, show
from benchmarks.damage import documents, documents_of_size
from cleaners import clean


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


def one_run(root: Path, output: Path) -> dict[str, Any]:
    """A run in this process: seconds and memory."""
    clean(b"\xe6\x9d\xa5\xe6\xba\x90\n")  # imports are no time of the run
    clock = Clock()
    run(root, output, clean)
    return {**clock.read(), "peak_mb": peak_mb()}


def measured(root: Path, output: Path) -> dict[str, Any]:
    """The same in a new process."""
    command = [sys.executable, "-m", "benchmarks.growth", "--one-run", str(root), str(output)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", default="1,10,100")
    parser.add_argument("--documents", default="1000,10000,100000")
    parser.add_argument("--document-bytes", type=int, default=2_000)
    parser.add_argument("--folder", type=Path, help="where seeds and corpus are made; default: a temporary one")
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--one-run", nargs=2, type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one_run:
        print(json.dumps(one_run(*given.one_run)))
        return
    corpora: list[tuple[str, Iterator[bytes]]] = [
        (f"{n} MB", documents("news", float(n))) for n in given.megabytes.split(",") if n
    ]
    corpora += [
        (f"{n} documents", documents_of_size("news", int(n), given.document_bytes))
        for n in given.documents.split(",")
        if n
    ]
    rows = []
    for name, raws in corpora:
        with tempfile.TemporaryDirectory(dir=given.folder) as folder:
            root, output = Path(folder, "seeds"), Path(folder, "output")
            number, size = write(root, raws)
            first, again = measured(root, output), measured(root, output)
        speed = {"MB/s": round(size / 1e6 / first["cpu_s"], 2), "documents/s": round(number / first["cpu_s"])}
        rows.append({"corpus": name, "documents": number, "MB": round(size / 1e6, 1), **first, **speed})
        rows.append({"corpus": f"{name}, no change", "documents": number, "MB": round(size / 1e6, 1), **again})
        print(rows[-2], rows[-1], sep="\n", file=sys.stderr)
    show(rows, given.json)


if __name__ == "__main__":
    main()
