"""Seconds from a file's arrival in the seeds folder to the version in which its document can be read.

python -m benchmarks.arrival [--arrivals 20] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import time
from pathlib import Path

from .serving import drop, served, text_of


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--arrivals", type=int, default=20)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    chance = random.Random(1)
    taken = []
    with served() as one:
        for number in range(1, options.arrivals + 1):
            time.sleep(chance.uniform(1.5, 4.0))  # at any moment of the loop
            name = f"{number:04}.txt"
            drop(one.seeds, name, text_of(number))
            start = time.monotonic()
            one.wait_for({name}, 60)
            taken.append(time.monotonic() - start)
    result = {"arrivals": len(taken), "median": statistics.median(taken), "min": min(taken), "max": max(taken)}
    print(f"{len(taken)} arrivals: median {result['median']:.2f} s, {min(taken):.2f} to {max(taken):.2f} s")
    if options.json:
        options.json.write_text(json.dumps(result | {"seconds": taken}, indent=1) + "\n")


if __name__ == "__main__":
    main()
