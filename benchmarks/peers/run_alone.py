"""One library alone, or nothing: python run_alone.py floor|ftfy|opencc IN OUT, with IN a folder of JSON Lines.

floor    read, hash, write Parquet: what no pipeline can do without
ftfy     ftfy.fix_text with its defaults, and the floor
opencc   OpenCC t2s, and the floor
"""

import hashlib
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq


def same(text: str) -> str:
    return text


def change(name: str) -> Callable[[str], str]:
    if name == "ftfy":
        import ftfy

        return ftfy.fix_text
    if name == "opencc":
        import opencc

        return opencc.OpenCC("t2s").convert
    return same


def main() -> None:
    name, given, made = sys.argv[1:4]
    changed = change(name)
    Path(made).mkdir(parents=True)
    for file in sorted(Path(given).glob("*.jsonl")):
        with file.open(encoding="utf-8") as lines:
            records = [json.loads(line) for line in lines]
        texts = [changed(record["text"]) for record in records]
        hashes = [hashlib.sha256(text.encode()).hexdigest() for text in texts]
        table = pa.table({"id": [record["id"] for record in records], "text": texts, "sha256": hashes})
        pq.write_table(table, Path(made, f"{file.stem}.parquet"), compression="zstd", compression_level=3)


main()
