"""How fast duplicates inside a document are found, and how the time grows with the number of paragraphs.

    python -m benchmarks.duplicates [--json FILE] [--largest N]

CPU time of one core, the best of several runs, in megabytes (10**6 bytes) of UTF-8 a second. The text is drawn
from the character statistics with a fixed seed: sentences of a few clauses, with some names that come again and
again, as in prose. Nothing is downloaded.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from cleaners import Config, duplicates
from cleaners.statistics import unigrams

SEEDS = Path(__file__).parent.parent / "seeds"
DOCUMENT_BYTES = 10_000
DOCUMENTS = 50
RUNS = 5
NAMES = 200
NAME_SHARE = 0.05  # of the clauses


class Measurement(NamedTuple):
    """text: what was read; paragraphs: in one document; megabytes: of all documents; seconds: CPU time; edits."""

    text: str
    paragraphs: int
    megabytes: float
    seconds: float
    edits: int

    @property
    def speed(self) -> float:
        """Megabytes a second."""
        return self.megabytes / self.seconds


def prose(paragraphs: int, seed: int = 0) -> list[str]:
    """So many paragraphs of 2 to 6 sentences of 2 to 5 clauses of 4 to 16 characters."""
    draw = np.random.default_rng(seed)
    chances = np.exp(unigrams()[0x4E00:0x9FA6].astype(np.float64))
    han = np.arange(0x4E00, 0x9FA6, dtype=np.uint32)

    def characters(count: int) -> str:
        return draw.choice(han, count, p=chances / chances.sum()).astype("<u4").tobytes().decode("utf-32-le")

    names = [characters(size) for size in draw.integers(4, 9, NAMES)]
    store = characters(paragraphs * 150)
    found: list[str] = []
    used = 0
    for sentences in draw.integers(2, 7, paragraphs):
        pieces: list[str] = []
        for clauses in draw.integers(2, 6, sentences):
            for size in draw.integers(4, 17, clauses):
                used = used + size if used + size < len(store) - 20 else 0
                named = draw.random() < NAME_SHARE
                pieces.append(names[draw.integers(NAMES)] if named else store[used : used + size])
                pieces.append("，")
            pieces[-1] = "。"
        found.append("".join(pieces))
    return found


def documents(paragraphs: Sequence[str]) -> list[str]:
    """The paragraphs as documents of about DOCUMENT_BYTES."""
    found: list[str] = []
    block: list[str] = []
    for paragraph in paragraphs:
        block.append(paragraph)
        if sum(map(len, block)) * 3 >= DOCUMENT_BYTES:
            found.append("\n\n".join(block))
            block = []
    return found


def measure(text: str, found: Sequence[str], runs: int = RUNS) -> Measurement:
    config = Config()
    best, edits = float("inf"), 0
    for _ in range(runs):
        begin = time.process_time()
        edits = sum(len(tuple(duplicates.propose(document, config))) for document in found)
        best = min(best, time.process_time() - begin)
    size = sum(len(document.encode()) for document in found)
    return Measurement(text, found[0].count("\n\n") + 1, size / 1e6, best, edits)


def speeds() -> list[Measurement]:
    """Documents as they come: clean ones, the seeds, and ones in which every paragraph comes twice."""
    clean = prose(DOCUMENTS * 22)
    twice = [paragraph for paragraph in clean[: len(clean) // 2] for _ in range(2)]
    seeds = [path.read_text(encoding="utf-8") for path in sorted(SEEDS.glob("*.txt"))]
    return [
        measure("clean prose", documents(clean)),
        measure("the seeds", seeds),
        measure("every paragraph twice", documents(twice)),
    ]


def with_number(paragraphs: int) -> list[str]:
    return [
        f"第{number}天，水库的水位和昨天相比没有变化，值班人员每两个小时记录一次，记录交给防汛办公室保存。"
        for number in range(paragraphs)
    ]


def damaged(paragraphs: int) -> list[str]:
    """One paragraph, with a character doubled in other places each time."""
    one = prose(1, seed=1)[0]
    draw = np.random.default_rng(2)
    places = draw.integers(1, len(one) - 1, (paragraphs, 2))
    return [one[:a] + one[a - 1] + one[a:b] + one[b - 1] + one[b:] for a, b in np.sort(places).tolist()]


GROWING: tuple[tuple[str, Callable[[int], list[str]]], ...] = (
    ("clean prose", prose),
    ("all the same", lambda paragraphs: prose(1) * paragraphs),
    ("the same but for a number", with_number),
    ("the same but for two characters", damaged),
)


def growth(largest: int) -> list[Measurement]:
    """One document of 1,000, 10,000 … paragraphs."""
    found: list[Measurement] = []
    for text, make in GROWING:
        paragraphs = 1_000
        while paragraphs <= largest:
            found.append(measure(text, ["\n\n".join(make(paragraphs))], runs=2))
            paragraphs *= 10
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description="Speed of the duplicates cleaner.")
    parser.add_argument("--json", type=Path, help="write the figures to this file, too")
    parser.add_argument("--largest", type=int, default=100_000, help="most paragraphs in one document")
    arguments = parser.parse_args()
    found = [*speeds(), *growth(arguments.largest)]
    print(f"{'text':34}{'paragraphs':>11}{'MB':>9}{'seconds':>10}{'MB/s':>8}{'edits':>9}")
    for one in found:
        print(
            f"{one.text:34}{one.paragraphs:>11,}{one.megabytes:>9.2f}{one.seconds:>10.4f}{one.speed:>8.1f}{one.edits:>9,}"
        )
    if arguments.json:
        rows = [{**one._asdict(), "megabytes_per_second": one.speed} for one in found]
        arguments.json.write_text(json.dumps(rows, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
