"""What a few changed seeds cost in a large corpus: time, files written again.

    python -m benchmarks.upsert [--json FILE] [--folder DIR] [--seeds 100000] [--mean-bytes 1200]

Changed seeds lie side by side (as when a day's crawl is fetched again) or are scattered over all. `compare_s` is the
CPU time of a run in which nothing changed: scanning and comparing, which every run does; `change_s` is the rest.
"""

from __future__ import annotations

import random
import tempfile
from pathlib import Path

from benchmarks.corpora import Clock, arguments, run, show, write_seeds
from corpus.store import Version


def change(root: Path, count: int, scattered: bool) -> None:
    """Appends a sentence to so many seeds."""
    files = sorted(root.rglob("*.txt"))
    choose = random.Random(count)
    first = choose.randrange(len(files) - count)
    for file in choose.sample(files, count) if scattered else files[first : first + count]:
        file.write_text(file.read_text("utf-8") + "又添一句,还有一句。\n", "utf-8")


def rewritten(old: Version, new: Version) -> dict[str, list[str]]:
    """Per table the files that the older version does not have."""
    return {
        table: [f"{one.file} ({one.bytes} bytes)" for one in made if one not in old.manifest.parts[table]]
        for table, made in new.manifest.parts.items()
    }


def main() -> None:
    given = arguments(__doc__, seeds=100_000, mean_bytes=1_200)
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        root, output = Path(folder, "seeds"), Path(folder, "output")
        write_seeds(root, given.seeds, given.mean_bytes)
        version = run(root, output)
        clock = Clock()
        run(root, output)
        compare = clock.read()["cpu_s"]
        rows = []
        for scattered in (False, True):
            for count in (1, 10, 100, 1_000):
                change(root, count, scattered)
                clock = Clock()
                after = run(root, output)
                took = clock.read()
                files = rewritten(version, after)
                rows.append(
                    {
                        "changed": count,
                        "where": "scattered" if scattered else "side by side",
                        **took,
                        "compare_s": compare,
                        "change_s": round(took["cpu_s"] - compare, 2),
                        "files written": sum(map(len, files.values())),
                        "of": sum(map(len, after.manifest.parts.values())),
                    }
                )
                print(
                    f"{count} {rows[-1]['where']}:",
                    *(f"  {t}: {', '.join(f)}" for t, f in files.items() if f),
                    sep="\n",
                )
                version = after
        show(rows, given.json)


if __name__ == "__main__":
    main()
