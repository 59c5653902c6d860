"""Seeds and runs for the benchmarks of the corpus: made, not downloaded; the same on every machine."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from cleaners import Document, Edit, Encoding, Paragraph, Pass, Seed, apply
from cleaners.statistics import unigrams
from corpus.seeds import Read, read_all, scan
from corpus.store import Store, Version, are_staged, batches

BATCH_BYTES = 16 << 20  # as the flow has it
MOST_BYTES = 64 << 20
FINGERPRINT = "0" * 64
SEEDS_TO_A_FOLDER = 1_000

Clean = Callable[[bytes, str], Document]


def texts(count: int, mean_bytes: int, seed: int = 0) -> Iterator[str]:
    """So many scraped articles: a chrome line, a byline, paragraphs with half-width commas. The characters are drawn
    from the character statistics, so they compress like Chinese prose, or a little worse."""
    draw = np.random.default_rng(seed)
    chances = np.exp(unigrams()[0x4E00:0x9FA6].astype(np.float64))
    steps = np.cumsum(chances / chances.sum())
    for _ in range(count):
        size = max(20, int(draw.gamma(2.0, mean_bytes / 6)))  # 3 bytes to a character
        codes = 0x4E00 + np.searchsorted(steps, draw.random(size)).clip(max=0x9FA5 - 0x4E00)
        characters = list(codes.astype("<u4").tobytes().decode("utf-32-le"))
        for place in np.cumsum(draw.integers(6, 18, size // 12)).tolist():
            if place < size:
                characters[place] = draw.choice([",", ",", "。", "。\n\n"])
        yield "手机版\n来源:新华社\n" + "".join(characters) + "。\n"


def write_seeds(root: Path, count: int, mean_bytes: int, seed: int = 0) -> int:
    """Writes seeds in folders of SEEDS_TO_A_FOLDER; returns the number of bytes."""
    written = 0
    for number, text in enumerate(texts(count, mean_bytes, seed)):
        file = root / f"{number // SEEDS_TO_A_FOLDER:04}" / f"{number:07}.txt"
        if number % SEEDS_TO_A_FOLDER == 0:
            file.parent.mkdir(parents=True, exist_ok=True)
        raw = text.encode()
        file.write_bytes(raw)
        written += len(raw)
    return written


def stand_in(raw: bytes, name: str) -> Document:
    """Commas become full-width, the first line goes: for benchmarks in which the speed of cleaning is no matter."""
    text = raw.decode()
    trail = []
    if text.startswith("手机版\n"):
        trail.append(Pass("chrome", (Edit(0, "手机版\n", "", "chrome.mobile_version"),)))
        text = text[4:]
    commas = tuple(Edit(i, ",", "，", "punctuation.width") for i, character in enumerate(text) if character == ",")
    if commas:
        trail.append(Pass("punctuation", commas))
        text = apply(text, commas)
    paragraphs, start = [], 0
    for one in text.split("\n\n"):
        paragraphs.append(Paragraph(one, "body", start, start + len(one)))
        start += len(one) + 2
    return Document(Seed.of(raw, name), text, Encoding("utf-8", 1.0), tuple(trail), tuple(paragraphs))


def run(
    root: Path, output: Path, clean: Clean = stand_in, fingerprint: str = FINGERPRINT, is_summary: bool = False
) -> Version:
    """One run over a folder of seeds, as the flow does it, without Prefect."""
    store = Store(output)
    with store.writer_lock():
        known = store.containers(fingerprint)
        plan = store.plan(scan(root, MOST_BYTES, output, None, known), fingerprint)
        staging = store.staging(fingerprint)
        staged = staging.finished(plan)
        for batch in batches(plan.to_clean, BATCH_BYTES, done=are_staged(plan, staged)):
            found = [one for one in read_all(root, batch) if isinstance(one, Read)]
            made = (replace(clean(one.raw, one.name), record=one.record) for one in found)
            staged.append(staging.write(made, is_summary=is_summary))
        return store.commit(plan, staged, {"code": fingerprint}, datetime.now(UTC))


class Clock:
    """Wall and CPU seconds since it was made."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def read(self) -> dict[str, float]:
        """Seconds so far."""
        wall, cpu = time.perf_counter() - self._wall, time.process_time() - self._cpu
        return {"wall_s": round(wall, 2), "cpu_s": round(cpu, 2)}


def peak_mb() -> float:
    """The most memory that this process had, in megabytes (10**6 bytes).  Linux only: getrusage would count what
    the process that started this one had, too."""
    status = Path("/proc/self/status").read_text()
    kibibytes = next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))
    return round(int(kibibytes) * 1024 / 1e6, 1)


def arguments(description: str | None, **defaults: int) -> argparse.Namespace:
    """--json, --folder, and an option with a number for each of `defaults`."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--folder", type=Path, help="where seeds and corpus are made; default: a temporary one")
    parser.add_argument(
        "--seeds-folder", type=Path, help="measure these seeds instead of made ones, where that applies"
    )
    for name, default in defaults.items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=int, default=default, help=f"default: {default}")
    return parser.parse_args()


def show(rows: Sequence[Mapping[str, Any]], file: Path | None) -> None:
    """Prints a table, and writes the rows as JSON when a file is given."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    table = [names, *([str(row.get(name, "")) for name in names] for row in rows)]
    widths = [max(len(line[i]) for line in table) for i in range(len(names))]
    for line in table:
        print("  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)))
    if file is not None:
        file.write_text(json.dumps(list(rows), ensure_ascii=False, indent=1) + "\n", "utf-8")
