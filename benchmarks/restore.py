"""Whether every seed comes back, byte by byte, from the corpus alone, and how fast.

    python -m benchmarks.restore [--json FILE] [--seeds-folder DIR]

Cleans a folder of seeds (default: the five) with all cleaners, then restores each document's seed and compares it with
the file.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from benchmarks.corpora import Clock, arguments, run, show
from cleaners import clean
from corpus.store import StoreError

SEEDS = Path(__file__).parent.parent / "seeds"


def main() -> None:
    given = arguments(__doc__)
    root = given.seeds_folder or SEEDS
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        version = run(root, Path(folder, "output"), clean)
        quarantined = version.manifest.counts["quarantined"]
        clock, size, same, other = Clock(), 0, 0, []
        for id in version.read("documents", ["id"])["id"].to_pylist():
            expected = (root / id).read_bytes()
            try:
                equal = version.seed_bytes(id) == expected
            except StoreError as error:
                print(error, file=sys.stderr)
                equal = False
            same, size = same + equal, size + len(expected)
            if not equal:
                other.append(id)
        took = clock.read()
        row = {
            "documents": same + len(other),
            "identical": same,
            "quarantined": quarantined,
            "MB": round(size / 1e6, 2),
        }
        show([{**row, **took}], given.json)
    if other:
        sys.exit(f"not identical: {', '.join(other)}")


if __name__ == "__main__":
    main()
