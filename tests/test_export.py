"""Exports: what is in the files, that they are the same every time, and that nothing is overwritten."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from corpus_samples import build, cleaned, rich, write_seeds

from cleaners import Document
from corpus import export as exports
from corpus.export import Choice, export
from corpus.store import Store, StoreError, Version
from flows import cli

TEXTS = {f"新闻/{i:02d}.txt": f"来源新华社\n第{i}篇,一,二。" for i in range(12)}


def sample(raw: bytes, name: str) -> Document:
    return rich(name) if name == "rich.txt" else cleaned(raw, name)


@pytest.fixture
def version(tmp_path: Path) -> Version:
    """Twelve plain documents, and one with articles, roles and all columns."""
    write_seeds(tmp_path / "seeds", {**TEXTS, "rich.txt": "来源新华社\n题目,\n\n正文。", "bad": b"\xff"})
    return build(tmp_path / "seeds", tmp_path / "output", clean=sample)


def lines(folder: Path) -> list[dict[str, Any]]:
    found = []
    for file in sorted(folder.iterdir()):
        raw = file.read_bytes()
        if file.suffix == ".gz":
            raw = gzip.decompress(raw)
        if file.suffix == ".zst":
            raw = pa.CompressedInputStream(pa.BufferReader(raw), "zstd").read()
        found += [json.loads(line) for line in raw.decode().splitlines()]
    return found


def test_parquet_has_all_columns_and_rows(version: Version, tmp_path: Path) -> None:
    assert export(version, tmp_path / "out", Choice(shard_rows=5)) == 13
    assert sorted(os.listdir(tmp_path / "out")) == [f"part-0000{i}.parquet" for i in range(3)]
    found = pq.read_table(tmp_path / "out")
    assert found.schema.equals(version.read("documents").schema)
    assert found.to_pylist() == version.read("documents").sort_by("id").to_pylist()


@pytest.mark.parametrize("compression", exports.COMPRESSIONS)
def test_json_lines(version: Version, tmp_path: Path, compression: str) -> None:
    export(version, tmp_path / "out", Choice("jsonl", compression=compression, shard_rows=7))
    found = lines(tmp_path / "out")
    expected = version.read("documents").sort_by("id").drop_columns(["bom", "encoding_exceptions"]).to_pylist()
    assert found == expected
    suffix = "" if compression == "none" else f".{compression}"
    assert sorted(os.listdir(tmp_path / "out")) == [f"part-0000{i}.jsonl{suffix}" for i in range(2)]


def test_chosen_columns_in_their_order(version: Version, tmp_path: Path) -> None:
    export(version, tmp_path / "out", Choice("jsonl", columns=("text", "bom", "id")))
    first, *_, last = lines(tmp_path / "out")
    assert list(first) == ["text", "bom", "id"]
    assert (first["bom"], last["bom"]) == ("efbbbf", None)


def test_datatrove(version: Version, tmp_path: Path) -> None:
    export(version, tmp_path / "out", Choice("jsonl", flavour="datatrove", compression="gz"))
    first = lines(tmp_path / "out")[0]
    assert list(first) == ["id", "text", "metadata"]
    assert (first["id"], first["metadata"]["source"]) == ("rich.txt", "新华社")
    assert "text" not in first["metadata"]


def test_text_files(version: Version, tmp_path: Path) -> None:
    assert export(version, tmp_path / "out", Choice("text")) == 13
    for id in version.read("documents", ["id"])["id"].to_pylist():
        assert (tmp_path / "out" / id).read_bytes().decode() == version.document(id).text


def test_text_files_of_ids_that_lie_in_one_another(tmp_path: Path) -> None:
    ids = ["a", "a/b", "a/b/c", "a//b", "a~/b", "a~~", "b"]
    (tmp_path / "seeds").mkdir()
    records = [json.dumps({"id": id, "text": f"这是{id}的正文。"}) for id in ids]
    (tmp_path / "seeds" / "x.jsonl").write_text("\n".join(records), "utf-8")
    version = build(tmp_path / "seeds", tmp_path / "output", clean=cleaned)
    assert export(version, tmp_path / "out", Choice("text")) == len(ids)
    files = {str(file.relative_to(tmp_path / "out")): file.read_text("utf-8") for file in (tmp_path / "out").rglob("*")
             if file.is_file()}  # fmt: skip
    wanted = sorted(version.document(id).text for id in version.read("documents", ["id"])["id"].to_pylist())
    assert sorted(files.values()) == wanted
    assert {"x.jsonl#a", "x.jsonl#a~/b", "x.jsonl#b"} < set(files)


def test_only_some_roles(version: Version, tmp_path: Path) -> None:
    assert export(version, tmp_path / "titles", Choice("jsonl", roles=("title",))) == 1
    assert lines(tmp_path / "titles")[0]["text"] == "题目，"
    export(version, tmp_path / "both", Choice("jsonl", roles=("body", "title")))
    first = lines(tmp_path / "both")[0]
    assert first["text"] == "题目，\n\n正文。"
    assert "paragraphs" not in first  # its spans are those of the whole text


def test_paragraphs(version: Version, tmp_path: Path) -> None:
    assert export(version, tmp_path / "out", Choice("jsonl", "paragraph")) == 14
    first, second, *_ = lines(tmp_path / "out")
    assert first == {
        "id": "rich.txt#p0", "document": "rich.txt", "n": 0, "role": "title", "start": 1, "end": 4, "text": "题目，"
    }  # fmt: skip
    assert second["role"] == "body"
    columns = ("id", "role", "source", "text")
    export(version, tmp_path / "some", Choice("parquet", "paragraph", columns=columns, roles=("body",)))
    found = pq.read_table(tmp_path / "some")
    assert found.column_names == list(columns)
    assert found.num_rows == 13
    assert set(found["source"].to_pylist()) == {"新华社"}


def test_articles(version: Version, tmp_path: Path) -> None:
    assert export(version, tmp_path / "out", Choice("parquet", "article")) == 14
    first, second, third, *_ = pq.read_table(tmp_path / "out").to_pylist()
    assert (first["id"], first["title"], first["authors"]) == ("rich.txt#a0", "题目，", ["张三", "李四"])
    assert (second["column"], second["text"]) == ("时评", "正文。")
    assert (third["id"], third["title"], third["start"]) == ("新闻/00.txt#a0", None, 0)  # one without articles


@pytest.mark.parametrize(
    "choice",
    [Choice(), Choice("jsonl", compression="gz"), Choice("jsonl", compression="zst"), Choice("text", "paragraph")],
    ids=str,
)
def test_the_same_bytes_every_time(version: Version, tmp_path: Path, choice: Choice) -> None:
    export(version, tmp_path / "one", choice)
    os.utime(tmp_path / "one", (0, 0))
    export(version, tmp_path / "two", choice)
    files = [file.relative_to(tmp_path / "one") for file in (tmp_path / "one").rglob("*") if file.is_file()]
    assert files
    for file in files:
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


@pytest.mark.parametrize("format", exports.FORMATS)
def test_a_corpus_without_documents(tmp_path: Path, format: str) -> None:
    (tmp_path / "seeds").mkdir()
    version = build(tmp_path / "seeds", tmp_path / "output")
    assert export(version, tmp_path / "out", Choice(format)) == 0
    if format == "parquet":
        assert pq.read_table(tmp_path / "out").schema.names == version.read("documents").schema.names


def test_nothing_is_overwritten_and_nothing_is_left_half_done(
    version: Version, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "there").mkdir()
    with pytest.raises(StoreError, match="exists: choose another folder"):
        export(version, tmp_path / "there", Choice())
    monkeypatch.setattr(exports, "_hex", None)
    with pytest.raises(TypeError):
        export(version, tmp_path / "broken", Choice("jsonl", columns=("bom",)))
    assert not (tmp_path / "broken").exists()
    assert not list(tmp_path.glob(".broken*"))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"format": "csv"}, "no format 'csv'"),
        ({"unit": "line"}, "no unit 'line'"),
        ({"columns": ("colour",)}, "no column 'colour'"),
        ({"roles": ("hero",)}, "no role 'hero'"),
        ({"flavour": "datatrove"}, "choose the format jsonl"),
        ({"compression": "gz"}, "choose the format jsonl"),
        ({"format": "text", "columns": ("id",)}, "leave the columns out"),
        ({"shard_rows": 0}, "at least one row"),
    ],
)
def test_choices_that_make_no_sense(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Choice(**wrong)


def test_the_command(version: Version, tmp_path: Path) -> None:
    output = version.path.parent.parent.parent
    assert Store(output).latest() is not None
    arguments = ["export", str(tmp_path / "out"), "--output", str(output), "--format", "jsonl"]
    done = CliRunner().invoke(cli.main, [*arguments, "--unit", "paragraph", "--columns", "id, text"])
    assert done.exit_code == 0
    assert "14 rows" in done.output
    assert list(lines(tmp_path / "out")[0]) == ["id", "text"]
    again = CliRunner().invoke(cli.main, arguments)
    assert (again.exit_code, "exists" in again.output) == (cli.FAILED, True)
    wrong = CliRunner().invoke(cli.main, [*arguments, "--columns", "colour"])
    assert wrong.exit_code == cli.MISUSED
