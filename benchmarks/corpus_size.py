"""How large a corpus is on disk, compared with its seeds and with its texts alone.

    python -m benchmarks.corpus_size [--json FILE] [--seeds-folder DIR | --megabytes 0]

With all edits, and with a summary of them (`--trail summary`).
Of the five seeds, or of a folder of seeds, or of so many megabytes of made ones; all cleaners run. `text` is a Parquet
file of the texts alone, zstd level 3. Aims: documents <= 1.1 x text, edits <= 1.0 x documents.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.corpora import arguments, run, show, write_seeds
from cleaners import clean
from corpus.store import Version

SEEDS = Path(__file__).parent.parent / "seeds"
MEAN_BYTES = 4_000  # of a made seed


def measure(name: str, version: Version) -> dict[str, Any]:
    """The sizes of one version, in bytes, and their ratios."""
    sizes = {table: sum(one.bytes for one in made) for table, made in version.manifest.parts.items()}
    sink = pa.BufferOutputStream()
    pq.write_table(version.read("documents", ["text"]), sink, compression="zstd", compression_level=3)
    text = sink.getvalue().size
    seeds = sum(seed.bytes or 0 for seed in version.seeds().values() if seed.outcome == "document")
    return {
        "seeds": name,
        "seed_bytes": seeds,
        "text": text,
        "documents": sizes["documents"],
        "edits": sizes["edits"],
        "documents/text": round(sizes["documents"] / text, 3),
        "edits/documents": round(sizes["edits"] / sizes["documents"], 3),
        "documents/seed": round(sizes["documents"] / seeds, 3),
        "edits/seed": round(sizes["edits"] / seeds, 3),
    }


def main() -> None:
    given = arguments(__doc__, megabytes=0)
    rows = []
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        root = given.seeds_folder or SEEDS
        if given.megabytes:
            root = Path(folder, "seeds")
            write_seeds(root, given.megabytes * 1_000_000 // MEAN_BYTES, MEAN_BYTES)
        name = f"{given.megabytes} MB, made" if given.megabytes else root.name
        for trail in ("full", "summary"):
            made = run(root, Path(folder, trail), clean, is_summary=trail == "summary")
            rows.append({"trail": trail, **measure(name, made)})
    show(rows, given.json)


if __name__ == "__main__":
    main()
