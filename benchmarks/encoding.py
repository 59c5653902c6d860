"""How fast clean UTF-8 passes decoding, the mojibake checks and the character checks.

    python -m benchmarks.encoding [--megabytes 20] [--json FILE]

The text is that of the seeds, cleaned and repeated: documents of some 10 KB in which there is nothing to do.
Times are CPU time of one core, the best of five runs; MB are bytes of UTF-8.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path

from cleaners import Config, apply, characters, mojibake
from cleaners.encoding import decode

SEEDS = Path(__file__).parent.parent / "seeds"
RUNS = 5


def documents(megabytes: float) -> list[bytes]:
    """Copies of the seeds after both cleaners, about so many MB together."""
    config = Config()
    cleaned = []
    for path in sorted(SEEDS.glob("*.txt")):
        text = decode(path.read_bytes(), config).text
        for propose in (mojibake.propose, characters.propose):
            text = apply(text, propose(text, config))
        cleaned.append(text.encode())
    copies = max(1, round(megabytes * 1e6 / sum(map(len, cleaned))))
    return cleaned * copies


def best(work: Callable[[], None]) -> float:
    """Seconds of CPU time."""
    times = []
    for _ in range(RUNS):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


def measure(megabytes: float) -> dict[str, float]:
    """MB/s of each step and of all together."""
    config = Config()
    raws = documents(megabytes)
    texts = [decode(raw, config).text for raw in raws]

    def decoding() -> None:
        for raw in raws:
            decode(raw, config)

    def mojibake_checks() -> None:
        for text in texts:
            list(mojibake.propose(text, config))

    def character_checks() -> None:
        for text in texts:
            list(characters.propose(text, config))

    size = sum(map(len, raws)) / 1e6
    seconds = {work.__name__: best(work) for work in (decoding, mojibake_checks, character_checks)}
    seconds["together"] = sum(seconds.values())
    return {name: round(size / spent, 1) for name, spent in seconds.items()}


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=float, default=20)
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    speeds = measure(chosen.megabytes)
    for name, speed in speeds.items():
        print(f"{name.replace('_', ' '):20}{speed:10.1f} MB/s")
    if chosen.json:
        chosen.json.write_text(json.dumps({"unit": "MB/s", **speeds}, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
