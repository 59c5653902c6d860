"""Speed of the joiner and of the search for duplicates, the two cleaners that compare lines with each other.

    python -m benchmarks.line_splits [--megabytes 1] [--runs 5] [--json FILE]

MB (10**6 bytes of UTF-8) per second of CPU time on one core, the best of interleaved runs, and how many times longer
a megabyte takes than one of news. The texts are those of benchmarks/damage.py, as these cleaners are given them: the
cleaners before them have done their work.

news       whole paragraphs, a headline after every eighth
headlines  one to four headlines and a byline before each paragraph
damaged    5 % of the documents misread, 20 % cut, 10 % wrapped, and other damage
cut        all of them cut; wrapped: all of them, after 36 characters
hostile    8 KB of one pattern a document
growth     one document of so many MB of a pattern, and of four times as many: the time must be four times as long
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any

from benchmarks.corpora import show
from benchmarks.damage import _cut, article, clauses, documents
from cleaners import PIPELINE, Cleaner, Config, Draft, duplicates, joints, line_splits

CLEANERS = (line_splits, duplicates)
BYTES = 10_000  # of a document
LINE = "这一行到此为止没有句号也没有下文，"
PATTERNS: dict[str, str] = {
    "short lines": "短\n",
    "one line": "一句没有标点的话",
    "the same paragraph": f"{LINE * 3}完了。\n\n",
    "lines that end with commas": f"{LINE}\n",
    "commas": "，",
    "quotation marks": "“‘”\n",
    "headlines": "江上又添一座新桥\n橘子当天运到省城\n本报记者 王芳\n",
}


def pages(megabytes: float, lines_of: Callable[[Random, list[str]], list[str]]) -> Iterator[str]:
    """Articles whose paragraphs `lines_of` turns into lines."""
    draw = Random(0)
    for _ in range(int(megabytes * 1e6 / BYTES)):
        head, body = article(draw, BYTES)
        yield "\n".join([*head, *lines_of(draw, body)])


def with_headlines(draw: Random, body: list[str]) -> list[str]:
    """One to four headlines and a byline before each paragraph."""
    return [
        line
        for paragraph in body
        for line in (*(draw.choice(clauses()) for _ in range(draw.randint(1, 4))), "本报记者 王芳", paragraph)
    ]


def all_cut(draw: Random, body: list[str]) -> list[str]:
    """Every fifth paragraph in two, a headline between half of them."""
    lines: list[str] = []
    for paragraph in body:
        halves = _cut(draw, paragraph)
        between = [draw.choice(clauses())] if len(halves) > 1 and draw.random() < 0.5 else []
        lines += [halves[0], *between, *halves[1:]]
    return lines


def all_wrapped(draw: Random, body: list[str]) -> list[str]:
    """36 characters a line."""
    return [paragraph[i : i + 36] for paragraph in body for i in range(0, len(paragraph), 36)]


def texts(megabytes: float) -> dict[str, list[str]]:
    """The documents of each kind."""
    made = {kind: list(documents(name, megabytes)) for kind, name in MADE.items()}
    shaped = {kind: [one.encode() for one in pages(megabytes, lines_of)] for kind, lines_of in SHAPED.items()}
    return {kind: [arriving(raw) for raw in found] for kind, found in {**made, **shaped}.items()}


MADE = {"news": "news", "damaged": "damaged", "hostile": "adversarial"}
SHAPED = {"headlines": with_headlines, "cut": all_cut, "wrapped": all_wrapped}


def arriving(raw: bytes) -> str:
    """The text as the joiner gets it."""
    draft = Draft(raw, "", Config())
    for cleaner in PIPELINE:
        if cleaner.name == "line_splits":
            break
        draft.advance(Cleaner(cleaner.name, cleaner.propose), Config())
    return draft.text


def seconds(cleaner: Any, found: Sequence[str]) -> tuple[float, int]:
    """CPU time for all documents, and the number of edits. What was remembered of earlier runs is forgotten."""
    joints.forget()
    joints.evidence([("读表", "一次")])
    begun = time.process_time()
    edits = sum(1 for text in found for _ in cleaner.propose(text, Config()))
    return time.process_time() - begun, edits


def speeds(megabytes: float, runs: int) -> list[dict[str, Any]]:
    """A row for each kind of text."""
    kinds = texts(megabytes)
    best: dict[tuple[str, int], tuple[float, int]] = {}
    for _ in range(runs):
        for kind, found in kinds.items():
            for number, cleaner in enumerate(CLEANERS):
                best[kind, number] = min(best.get((kind, number), (float("inf"), 0)), seconds(cleaner, found))
    sizes = {kind: sum(len(text.encode("utf-8", "replace")) for text in found) / 1e6 for kind, found in kinds.items()}
    per_mb = {kind: sum(best[kind, number][0] for number in range(len(CLEANERS))) / sizes[kind] for kind in kinds}
    return [
        {
            "text": kind,
            "MB": round(sizes[kind], 2),
            "line_splits MB/s": round(sizes[kind] / best[kind, 0][0], 1),
            "duplicates MB/s": round(sizes[kind] / best[kind, 1][0], 1),
            "both MB/s": round(1 / per_mb[kind], 1),
            "times news": round(per_mb[kind] / per_mb["news"], 1),
            "edits": best[kind, 0][1] + best[kind, 1][1],
        }
        for kind in kinds
    ]


def growth(megabytes: float) -> list[dict[str, Any]]:
    """A row for each pattern: the time for one size and for four times that."""
    rows = []
    for name, pattern in PATTERNS.items():
        count = int(megabytes * 1e6 / len(pattern.encode()))
        row: dict[str, Any] = {"one document of": name, "MB": megabytes}
        for cleaner in CLEANERS:
            title = cleaner.__name__.rpartition(".")[2]
            once, four = (seconds(cleaner, [pattern * (count * times)])[0] for times in (1, 4))
            row |= {f"{title} MB/s": round(4 * megabytes / four, 1), f"{title} 4x": round(four / once, 1)}
        rows.append(row)
    return rows


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=float, default=1.0, help="of each kind, and of the smaller documents")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", type=Path, metavar="FILE")
    chosen = parser.parse_args()
    rows, grown = speeds(chosen.megabytes, chosen.runs), growth(chosen.megabytes)
    show(rows, None)
    print()
    show(grown, None)
    if chosen.json is not None:
        chosen.json.write_text(
            json.dumps({"speeds": rows, "growth": grown}, ensure_ascii=False, indent=1) + "\n", "utf-8"
        )


if __name__ == "__main__":
    main()
