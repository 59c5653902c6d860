"""Slices: rows of a part of a batch, in files between the process that cleaned it and the one that writes the batch."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa

from .parts import explained


def keep(tables: Mapping[str, pa.Table], folder: Path) -> Path:
    """Writes the tables into a new folder, uncompressed: they are read once, and soon.  Returns the folder.

    Raises StoreError when it cannot be written.
    """
    with explained(folder):
        folder.mkdir(parents=True)
        for name, table in tables.items():
            with pa.ipc.new_file(folder / f"{name}.arrow", table.schema) as writer:
                writer.write_table(table)
    return folder


def kept(folder: Path) -> dict[str, pa.Table]:
    """The tables of such a folder. They stay on the disk: memory is what the system has to spare."""
    found = {}
    for file in sorted(folder.glob("*.arrow")):
        with pa.memory_map(str(file)) as source:
            found[file.stem] = pa.ipc.open_file(source).read_all()
    return found
