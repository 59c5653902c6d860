"""Kinds of containers, by the names of files; without Arrow, so that every command can ask at once."""

from __future__ import annotations

from typing import NamedTuple


class Kind(NamedTuple):
    """form is lines, json, rows, zip, tar or single; packed is gz, zst or empty."""

    form: str
    packed: str = ""


def kind_of(name: str) -> Kind | None:
    """What kind of container a file of this name is; None: none."""
    stem, _, last = name.rpartition("/")[2].lower().rpartition(".")
    if not stem:
        return None
    if last in ("gz", "zst"):
        inner = kind_of(stem)
        is_container = inner is not None and inner.form in ("lines", "json", "tar") and not inner.packed
        return Kind(inner.form, last) if inner is not None and is_container else Kind("single", last)
    return _KINDS.get(last)


_KINDS = {
    "jsonl": Kind("lines"),
    "ndjson": Kind("lines"),
    "json": Kind("json"),
    "parquet": Kind("rows"),
    "zip": Kind("zip"),
    "tar": Kind("tar"),
    "tgz": Kind("tar", "gz"),
}
