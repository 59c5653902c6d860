"""Seeds in containers compared with the same seeds as files: scanning, reading batch by batch, a second scan.

    python -m benchmarks.records [--json FILE] [--folder DIR] [--megabytes 100] [--mean-bytes 3000]

Every figure is of a process of its own: MB of text per second of CPU time, and the most memory that the process had.
`scan` hashes all records; `read` gets them in the flow's batches, as the cleaners do; `again` scans containers that
the corpus knows, which only hashes the files. Aim: memory does not grow with the container, but for its list of seeds.
"""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.corpora import BATCH_BYTES, MOST_BYTES, Clock, arguments, peak_mb, show, texts
from corpus.plan import batches
from corpus.seeds import KnownContainer, Read, read_all, scan

ROWS_TO_A_GROUP = 20_000


def records(megabytes: int, mean_bytes: int) -> Iterator[dict[str, Any]]:
    """Scraped articles with a title, an address and nested fields. A few thousand texts are used again and again."""
    some = list(texts(2_000, mean_bytes))
    size, number = 0, 0
    while size < megabytes * 1_000_000:
        text = f"第{number}篇\n{some[number % len(some)]}"
        size += len(text.encode())
        yield {
            "id": f"a{number:07}",
            "text": text,
            "title": text[10:30],
            "url": f"https://news.example.cn/{number}.html",
            "meta": {"fetched": "2024-02-29T08:00:00", "length": len(text)},
        }
        number += 1


def line(record: dict[str, Any]) -> bytes:
    return json.dumps(record, ensure_ascii=False).encode() + b"\n"


def as_files(root: Path, found: Iterator[dict[str, Any]]) -> None:
    for number, record in enumerate(found):
        file = root / f"{number // 1_000:04}" / f"{record['id']}.txt"
        file.parent.mkdir(exist_ok=True)
        file.write_text(record["text"], "utf-8")


def as_lines(root: Path, found: Iterator[dict[str, Any]]) -> None:
    with (root / "news.jsonl").open("wb") as stream:
        stream.writelines(map(line, found))


def as_zstd(root: Path, found: Iterator[dict[str, Any]]) -> None:
    with pa.CompressedOutputStream(str(root / "news.jsonl.zst"), "zstd") as stream:
        for record in found:
            stream.write(line(record))


def as_gzip(root: Path, found: Iterator[dict[str, Any]]) -> None:
    with gzip.open(root / "news.jsonl.gz", "wb", 6) as stream:
        stream.writelines(map(line, found))


def as_parquet(root: Path, found: Iterator[dict[str, Any]]) -> None:
    rows = [next(found)]
    with pq.ParquetWriter(root / "news.parquet", pa.Table.from_pylist(rows).schema, compression="zstd") as writer:
        for record in found:
            rows.append(record)
            if len(rows) == ROWS_TO_A_GROUP:
                writer.write_table(pa.Table.from_pylist(rows))
                rows = []
        if rows:
            writer.write_table(pa.Table.from_pylist(rows))


def as_zip(root: Path, found: Iterator[dict[str, Any]]) -> None:
    with zipfile.ZipFile(root / "news.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for record in found:
            archive.writestr(f"{record['id']}.txt", record["text"])


FORMATS: dict[str, Callable[[Path, Iterator[dict[str, Any]]], None]] = {
    "files": as_files,
    "jsonl": as_lines,
    "jsonl.zst": as_zstd,
    "jsonl.gz": as_gzip,
    "parquet": as_parquet,
    "zip": as_zip,
}


def measure_here(root: Path, what: str) -> None:
    """Scans, reads or scans again in this process; prints what it took as JSON."""
    before = peak_mb()
    clock = Clock()
    found = scan(root, MOST_BYTES)
    size = found.seeds.bytes
    if what == "read":
        clock = Clock()
        for batch in batches(found.seeds, BATCH_BYTES):
            for one in read_all(root, batch):
                assert isinstance(one, Read), one
    if what == "again":
        known = {id: KnownContainer(sha256, found.seeds.members, ()) for id, sha256 in found.containers.items()}
        clock = Clock()
        assert scan(root, MOST_BYTES, None, None, known) == found
    took = clock.read()
    shown = {"seeds": len(found.seeds), "MB": round(size / 1e6, 1), **took}
    shown |= {"MB/s": round(size / 1e6 / max(took["cpu_s"], 0.01), 1), "start_mb": before, "peak_mb": peak_mb()}
    print(json.dumps(shown))


def main() -> None:
    if sys.argv[1:2] == ["--measure"]:
        measure_here(Path(sys.argv[2]), sys.argv[3])
        return
    given = arguments(__doc__, megabytes=100, mean_bytes=3_000)
    rows = []
    for name, write in FORMATS.items():
        with tempfile.TemporaryDirectory(dir=given.folder) as folder:
            write(Path(folder), records(given.megabytes, given.mean_bytes))
            disk = sum(file.stat().st_size for file in Path(folder).rglob("*") if file.is_file())
            for what in ("scan", "read", "again"):
                command = [sys.executable, "-m", "benchmarks.records", "--measure", folder, what]
                done = subprocess.run(command, capture_output=True, text=True, check=True)
                rows.append({"format": name, "disk_MB": round(disk / 1e6, 1), "what": what, **json.loads(done.stdout)})
    show(rows, given.json)


if __name__ == "__main__":
    main()
