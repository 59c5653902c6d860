"""Verification finds every kind of damage, and says nothing about a corpus that is whole."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from click.testing import CliRunner
from corpus_samples import build, write_seeds

from corpus import parts
from corpus.parts import Part
from corpus.store import Store, Version
from corpus.verify import verify
from flows import cli

TEXTS = {f"{i:03d}.txt": f"来源新华社\n第{i}篇,一,二,{'字' * i}。" for i in range(40)}


@pytest.fixture
def output(tmp_path: Path) -> Path:
    write_seeds(tmp_path / "seeds", {**TEXTS, "bad": b"\xff"})
    build(tmp_path / "seeds", tmp_path / "output", max_bytes=800)
    return tmp_path / "output"


def found(output: Path) -> list[str]:
    store = Store(output)
    version = store.latest()
    assert version is not None
    return list(verify(store, version))


def newest(output: Path) -> Version:
    version = Store(output).latest()
    assert version is not None
    return version


def forge(version: Version, table: str, change: Callable[[pa.Table], pa.Table]) -> None:
    """Changes the rows of a table's only part, and makes the manifest agree with the file."""
    known = json.loads((version.path / "_manifest.json").read_text("utf-8"))
    name = "_seeds.parquet" if table == "seeds" else f"{table}/{known['parts'][table][0]['file']}"
    file = version.path / name
    rows = change(parts.read([file], table))
    file.unlink()
    made = parts.write(rows, table, file.parent, file.name)._asdict()
    if table == "seeds":
        known["seeds"] = made
    else:
        known["parts"][table][0] = made
    forge_manifest(version, known)


def forge_manifest(version: Version, known: dict[str, object]) -> None:
    file = version.path / "_manifest.json"
    file.unlink()
    file.write_text(json.dumps(known), "utf-8")


def put(table: pa.Table, column: str, row: int, value: object) -> pa.Table:
    rows = table.to_pylist()
    rows[row][column] = value
    return pa.Table.from_pylist(rows, table.schema)


def test_a_whole_corpus(output: Path) -> None:
    told: list[int] = []
    assert list(verify(Store(output), newest(output), told.append)) == []
    assert sum(told) == 40


def test_the_link(output: Path) -> None:
    (output / "latest").unlink()
    assert "is missing or no link" in found(output)[0]
    (output / "latest").symlink_to("corpus/versions/v000009")
    assert "leads to corpus/versions/v000009, but the newest is version 1" in found(output)[0]


def test_a_manifest_that_is_no_json(output: Path) -> None:
    forge_manifest(newest(output), {})
    assert "_manifest.json is missing or damaged" in found(output)[0]


@pytest.mark.parametrize("table", ["documents", "edits", "quarantine", "seeds"])
def test_one_bit(output: Path, table: str) -> None:
    version = newest(output)
    file = version.path / "_seeds.parquet" if table == "seeds" else version.files(table)[0]
    content = bytearray(file.read_bytes())
    content[len(content) // 3] ^= 4
    os.chmod(file, 0o644)
    file.write_bytes(content)
    (problem,) = found(output)
    assert "does not have its hash: its bytes have changed: restore it from a copy" in problem


def test_missing_and_strange_files(output: Path) -> None:
    version = newest(output)
    version.files("quarantine")[0].unlink()
    (version.path / "documents" / "mine.parquet").write_bytes(b"")
    first, second = found(output)
    assert "is missing: restore" in first
    assert "documents/mine.parquet is not in _manifest.json, but readers see it: move it away" in second


def test_another_size(output: Path) -> None:
    file = newest(output).files("edits")[0]
    os.chmod(file, 0o644)
    with file.open("ab") as stream:
        stream.write(b"x")
    assert "bytes instead of" in found(output)[0]


FORGERIES: list[tuple[str, Callable[[pa.Table], pa.Table], str]] = [
    ("documents", lambda t: t.slice(1), "has 39 documents, but its manifest says 40"),
    ("documents", lambda t: t.slice(1), "have edits, but no document"),
    ("documents", lambda t: t.slice(1), "'000.txt' are in the list of seeds, but not in documents"),
    ("documents", lambda t: pa.concat_tables([t, t.slice(3, 1)]), "'003.txt' are twice in documents"),
    ("documents", lambda t: put(t, "text", 2, "另一篇"), "document '002.txt' cannot be led back to its seed"),
    ("documents", lambda t: put(t, "n_chars", 2, 99), "but n_chars says 99"),
    ("documents", lambda t: put(t, "edits_per_rule", 2, []), "has other edits than edits_per_rule says"),
    ("documents", lambda t: put(t, "seed_sha256", 2, "0" * 64), "do not have its SHA-256"),
    (
        "documents",
        lambda t: put(t, "flags", 2, [{"kind": "x", "start": 1, "end": 99, "note": ""}]),
        "has a paragraph, article or flag outside its text",
    ),
    ("edits", lambda t: t.filter(pc.not_equal(t["id"], "004.txt")), "document '004.txt' cannot be led back"),
    ("edits", lambda t: put(t, "start", 1, 3), "document '000.txt' cannot be led back"),
    ("edits", lambda t: put(t, "before", 1, "；"), "document '000.txt' cannot be led back"),
    ("quarantine", lambda t: put(t, "id", 0, "001.txt"), "'001.txt' are in quarantine, but not in the list of seeds"),
    ("seeds", lambda t: put(t, "sha256", 5, "0" * 64), "its list of seeds does not give its content id"),
    ("seeds", lambda t: put(t, "sha256", 5, "0" * 64), "'005.txt' has another hash or size than in the list of seeds"),
]


@pytest.mark.parametrize(("table", "change", "message"), FORGERIES, ids=[f"{a}-{c[-30:]}" for a, _, c in FORGERIES])
def test_forgeries_with_right_hashes(
    output: Path, table: str, change: Callable[[pa.Table], pa.Table], message: str
) -> None:
    forge(newest(output), table, change)
    assert message in "\n".join(found(output))


def test_numbers_in_the_manifest(output: Path) -> None:
    version = newest(output)
    known = json.loads((version.path / "_manifest.json").read_text("utf-8"))
    known["parts"]["documents"][0]["edits"]["metadata"]["metadata.source"] -= 1
    known["parts"]["documents"][0]["max_id"] = "zzz"
    known["counts"]["seeds"] = 50
    forge_manifest(version, known)
    problems = "\n".join(found(output))
    assert "has other edits per rule than its manifest says" in problems
    assert "has other rows than its manifest says" in problems
    assert "has 41 seeds, but its manifest says 50" in problems


def test_another_schema(output: Path) -> None:
    version = newest(output)
    known = json.loads((version.path / "_manifest.json").read_text("utf-8"))
    forge_manifest(version, known | {"schema_version": 99})
    assert "has schema 99, but this Jingwen knows schemas up to" in found(output)[-1]


def test_the_command(output: Path, tmp_path: Path) -> None:
    write_seeds(tmp_path / "seeds", {"000.txt": "neu"})
    build(tmp_path / "seeds", output)
    whole = CliRunner().invoke(cli.main, ["verify", "--all", "--output", str(output)])
    assert whole.exit_code == cli.OK
    assert whole.output == "version 1: whole\nversion 2: whole\n"
    file = Store(output).version(1).files("documents")[0]
    os.chmod(file, 0o644)
    file.write_bytes(b"")
    assert CliRunner().invoke(cli.main, ["verify", "--output", str(output)]).exit_code == cli.OK
    damaged = CliRunner().invoke(cli.main, ["verify", "--all", "--output", str(output)])
    assert damaged.exit_code == cli.FAILED
    assert damaged.stdout == "version 1: damaged\nversion 2: whole\n"
    assert "has 0 bytes instead of" in damaged.stderr


def test_a_part_is_what_the_manifest_calls_it(output: Path) -> None:
    assert all(isinstance(part, Part) for part in newest(output).manifest.parts["documents"])
