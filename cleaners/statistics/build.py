"""Rebuilds the tables of this folder:  python -m cleaners.statistics.build TEXT… [--words DICTIONARY]

TEXT is a folder or a file of Simplified Chinese text in UTF-8 (.txt or .txt.gz, one paragraph a line; lines
of the form 中/b 国/e are read without their tags). DICTIONARY has lines `word frequency …`; it adds rare
characters, no pairs. The same input gives the same bytes.
"""

from __future__ import annotations

import argparse
import gzip
import re
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import opencc
from numpy.typing import NDArray

from . import (
    BIGRAM_FILE,
    BIGRAM_STEP,
    HERE,
    OUTSIDE,
    SIGNATURE_FILE,
    UNIGRAM_FILE,
    UNIGRAM_STEP,
    Codes,
    codes,
)

Counts = NDArray[np.float64]

# Share of each form of the same text: there is more Simplified text, and Traditional comes as Taiwan and as
# Hong Kong write it.
SCRIPTS: tuple[tuple[str, float], ...] = (("", 1.0), ("s2twp", 0.5), ("s2hk", 0.25))
DICTIONARY_WEIGHT = 0.02  # its frequencies come from a text about fifty times as long as ours
LARGEST_TABLE = 300_000  # pairs
DISCOUNT = 0.75  # absolute discounting, Ney, Essen & Kneser 1994
# Counts for characters that were not seen, by the sets that the encodings know
UNSEEN = (("gb2312", 0.5), ("big5", 0.25), ("gbk", 0.02), ("big5hkscs", 0.01))
# (written in, read as): the misreadings whose characters are collected
MISREADINGS = (("utf-8", "gb18030"), ("big5hkscs", "gb18030"), ("gb18030", "big5hkscs"))
MOST_SIGNATURES = 900  # per misreading
RARE = 1e-5  # share of a text; half the characters of misread text are rarer in proper text
TAGGED = re.compile(r"(\S)/[a-z](?: |$)")
FULL_WIDTH = {0xFF01 + i: 0x21 + i for i in range(94) if chr(0x21 + i).isalnum()}


def main(arguments: list[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("texts", nargs="+", type=Path)
    parser.add_argument("--words", type=Path)
    parser.add_argument("--out", type=Path, default=HERE)
    chosen = parser.parse_args(arguments)
    build(chosen.texts, chosen.words, chosen.out)


def build(texts: Iterable[Path], words: Path | None, out: Path) -> None:
    """Counts all texts and writes both tables into the folder `out`."""
    singles = np.zeros(65536)
    pairs: dict[int, float] = {}
    misread = {pair: np.zeros(65536) for pair in MISREADINGS}
    for chunk in _chunks(texts):
        for script, weight in SCRIPTS:
            text = _convert(chunk, script)
            count(text, weight, singles, pairs)
            for (written, read), counts in misread.items():
                if script or written != "big5hkscs":
                    wrong = text.encode(written, "ignore").decode(read, "ignore")
                    counts += weight * np.bincount(codes(wrong), minlength=65536)
    if words:
        for script, weight in SCRIPTS:
            _count_words(words, script, weight * DICTIONARY_WEIGHT, singles)
    (out / UNIGRAM_FILE).write_bytes(pack_unigrams(singles))
    (out / BIGRAM_FILE).write_bytes(pack_bigrams(pairs, singles))
    (out / SIGNATURE_FILE).write_text(signatures(singles, misread.values()), "utf-8")


def _chunks(texts: Iterable[Path]) -> Iterator[str]:
    """The texts in pieces of some 4 MB, each beginning and ending with a line break, without empty lines."""
    for path in texts:
        files = sorted(p for p in path.rglob("*.txt*") if p.is_file()) if path.is_dir() else [path]
        for file in files:
            raw = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
            lines = [_plain(line) for line in raw.decode("utf-8").splitlines()]
            lines = [line for line in lines if line]
            for i in range(0, len(lines), 20_000):
                yield "\n" + "\n".join(lines[i : i + 20_000]) + "\n"


def _plain(line: str) -> str:
    line = line.strip()
    if TAGGED.match(line):
        line = "".join(TAGGED.findall(line))
    return line.translate(FULL_WIDTH)


def _convert(text: str, script: str) -> str:
    return str(opencc.OpenCC(script).convert(text)) if script else text


def count(text: str, weight: float, singles: Counts, pairs: dict[int, float]) -> None:
    """Adds the characters and pairs of `text`, times `weight`, to both counts."""
    points = codes(text)
    singles += weight * np.bincount(points, minlength=65536)
    keys, numbers = np.unique((points[:-1] << np.uint32(16)) | points[1:], return_counts=True)
    for key, number in zip(keys.tolist(), numbers.tolist(), strict=True):
        pairs[key] = pairs.get(key, 0.0) + weight * number


def _count_words(words: Path, script: str, weight: float, singles: Counts) -> None:
    rows = [line.split() for line in words.read_text("utf-8").splitlines()]
    rows = [row for row in rows if len(row) > 1]
    converted = _convert("\n".join(row[0] for row in rows), script).split("\n")
    for word, row in zip(converted, rows, strict=True):
        for code in codes(word).tolist():
            singles[code] += weight * float(row[1])


def pack_unigrams(singles: Counts) -> bytes:
    """uint8 [65536]: -log P / UNIGRAM_STEP, compressed."""
    counts = singles.copy()
    for code in range(0x80, 0x10000):
        counts[code] = max(counts[code], _smallest(code))
    counts[OUTSIDE] = max(counts[OUTSIDE], 0.01)
    with np.errstate(divide="ignore"):
        steps = -np.log(counts / counts.sum()) / UNIGRAM_STEP
    return zlib.compress(np.clip(np.rint(steps), 0, 250).astype(np.uint8).tobytes(), 9)


def _smallest(code: int) -> float:
    """The count that a character gets at least: more for those that national standards know."""
    for name, smallest in UNSEEN:
        try:
            chr(code).encode(name)
        except UnicodeEncodeError:
            continue
        return smallest
    return 0.0


def pack_bigrams(pairs: dict[int, float], singles: Counts) -> bytes:
    """The commonest pairs, sorted: four planes of bytes with the steps from key to key (uint32,
    little-endian), then uint8 -log P(second | first) / BIGRAM_STEP, compressed."""
    keys = np.fromiter(pairs, dtype=np.uint32, count=len(pairs))
    counts = np.fromiter(pairs.values(), dtype=np.float64, count=len(pairs))
    inside = ((keys >> 16) != OUTSIDE) & ((keys & 0xFFFF) != OUTSIDE)
    keys, counts = keys[inside], counts[inside]
    best = np.lexsort((keys, -counts))[:LARGEST_TABLE]
    best = best[np.argsort(keys[best])]
    keys, counts = keys[best], counts[best]
    logprobs = np.log(np.maximum(counts - DISCOUNT, 0.1) / np.maximum(singles[keys >> 16], 1))
    values = np.clip(np.rint(-logprobs / BIGRAM_STEP), 0, 255).astype(np.uint8)
    return zlib.compress(_planes(keys) + values.tobytes(), 9)


def signatures(singles: Counts, misread: Iterable[Counts]) -> str:
    """The commonest ideographs of each kind of misread text that are rare in proper text, sorted."""
    rare = singles < RARE * singles.sum()
    rare[:0x3400] = False
    rare[0xA000:] = False
    found: set[int] = set()
    for counts in misread:
        best = np.argsort(-counts * rare, kind="stable")[:MOST_SIGNATURES]
        found.update(code for code in best.tolist() if rare[code] and counts[code] > 0)
    return "".join(map(chr, sorted(found)))


def _planes(keys: Codes) -> bytes:
    steps = np.diff(keys, prepend=np.uint32(0)).astype("<u4")
    return np.ascontiguousarray(steps.view(np.uint8).reshape(-1, 4).T).tobytes()


if __name__ == "__main__":
    main()
