"""Speed of the joiner: MB of UTF-8 per second of CPU time on one core.

    python -m benchmarks.line_splits [--seconds 2] [--json FILE]

prose    paragraphs that are whole: nothing to find, the usual case
news     pieces of six paragraphs with a headline each
cut      the same prose, every third paragraph cut, half of these with a headline between the halves
wrapped  the same prose, broken after 36 characters
verse    short lines that end with commas
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path

from cleaners import Config, line_splits

SENTENCES = (
    "县里的老桥去年冬天动工重修，工人们在江面上搭起了钢架，白天黑夜轮班施工。",
    "据负责施工的工程师介绍，新桥全长三百二十米，设双向四车道，两侧各有两米宽的人行道。",
    "家住江东的周老师说，以前过江上班要绕行四十分钟，桥通以后只要五分钟就够了。",
    "村里的果农也高兴：今年的橘子可以当天运到省城，价钱比往年每斤高出三角。",
)
HEADLINES = ("江上又添一座新桥", "橘子当天运到省城", "两岸人家隔江相望")
PARAGRAPHS = ["".join(SENTENCES[(i + k) % 4] for k in range(2 + i % 4)) for i in range(300)]


def news() -> str:
    """Six paragraphs to a headline."""
    return "\n\n".join(f"{HEADLINES[i // 6 % 3]}\n\n{p}" if i % 6 == 0 else p for i, p in enumerate(PARAGRAPHS))


def cut() -> str:
    """Every third paragraph in two halves."""
    pieces = []
    for i, paragraph in enumerate(PARAGRAPHS):
        halves = [paragraph[:50], paragraph[50:]] if i % 3 == 0 else [paragraph]
        pieces.append(f"\n\n{HEADLINES[i % 3]}\n\n".join(halves) if i % 2 else "\n\n".join(halves))
    return "\n\n".join(pieces)


def wrapped() -> str:
    """36 characters a line."""
    return "\n\n".join("\n".join(p[i : i + 36] for i in range(0, len(p), 36)) for p in PARAGRAPHS)


TEXTS = {
    "prose": "\n\n".join(PARAGRAPHS),
    "news": news(),
    "cut": cut(),
    "wrapped": wrapped(),
    "verse": "江水东流不肯回，\n橘花开尽燕归来，\n两岸人家灯一点，\n\n" * 1_000,
}


def measure(text: str, seconds: float) -> dict[str, float]:
    """MB per second of CPU time, the best of the runs that fit into `seconds`, and the number of edits."""
    edits = len(list(line_splits.propose(text, Config())))  # loads the tables as well
    best = float("inf")
    started = time.process_time()
    while time.process_time() - started < seconds:
        begun = time.process_time()
        for _ in line_splits.propose(text, Config()):
            pass
        best = min(best, time.process_time() - begun)
    size = len(text.encode()) / 1e6
    return {"MB": round(size, 3), "MB/s": round(size / best, 1), "edits": edits}


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=2.0, help="CPU time a text")
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args(arguments)
    found = {name: measure(text, chosen.seconds) for name, text in TEXTS.items()}
    print(f"{'text':10}{'MB':>8}{'MB/s':>10}{'edits':>8}")
    for name, row in found.items():
        print(f"{name:10}{row['MB']:8.2f}{row['MB/s']:10.1f}{row['edits']:8.0f}")
    if chosen.json:
        chosen.json.write_text(json.dumps(found, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
