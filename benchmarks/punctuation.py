"""Speed of the punctuation cleaner, in MB of UTF-8 per second of CPU time on one core.

    python benchmarks/punctuation.py [--json FILE] [--megabytes N]

The texts are made from the five seeds, as documents of about 10 KB:
  clean      news with its marks in order: what the cleaner makes of the seeds
  ascii      the seeds as they are: , ; : ? ! ( ) are ASCII
  all ascii  every mark is ASCII: also quotation marks, full stops, ellipses and dashes
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path

from cleaners import Config, apply
from cleaners.punctuation import propose

SEEDS = sorted((Path(__file__).parent.parent / "seeds").glob("*.txt"))
DOCUMENT = 3_600  # characters: about 10 KB of UTF-8
ASCII = str.maketrans({**dict(zip("，；：？！（）。“”‘’", ",;:?!().\"\"''", strict=True)), "…": "...", "—": "-"})


def documents(change: Callable[[str], str], megabytes: float) -> list[str]:
    """The seeds' text after `change`, cut at line ends into documents, repeated up to a size."""
    text = change("\n\n".join(path.read_text(encoding="utf-8") for path in SEEDS))
    made: list[str] = []
    current: list[str] = []
    for line in text.split("\n"):
        current.append(line)
        if sum(map(len, current)) > DOCUMENT:
            made.append("\n".join(current))
            current = []
    size = sum(len(one.encode()) for one in made)
    return made * max(1, round(megabytes * 1e6 / size))


def cleaned(text: str) -> str:
    return apply(text, propose(text, Config()))


def speed(texts: list[str]) -> float:
    """MB per second of CPU time: the best of three runs, so that other programs on the machine count less."""
    config = Config()
    size = sum(len(one.encode()) for one in texts) / 1e6
    best = float("inf")
    for _ in range(3):
        start = time.process_time()
        for text in texts:
            for _edit in propose(text, config):
                pass
        best = min(best, time.process_time() - start)
    return size / best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, help="write the figures here")
    parser.add_argument("--megabytes", type=float, default=3, help="size of each text")
    options = parser.parse_args()
    texts: dict[str, Callable[[str], str]] = {
        "clean": cleaned,
        "ascii": str,
        "all ascii": lambda text: cleaned(text).translate(ASCII),
    }
    figures = {name: round(speed(documents(change, options.megabytes)), 1) for name, change in texts.items()}
    print(f"{'text':<12}{'MB/s of CPU':>12}")
    for name, figure in figures.items():
        print(f"{name:<12}{figure:>12}")
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
