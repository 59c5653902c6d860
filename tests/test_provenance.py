"""Each version describes itself: the data card, Croissant, key-value metadata of every file."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from corpus_samples import build, write_seeds

from corpus.schema import SCHEMA_VERSION, SCHEMAS, TABLES
from corpus.store import Version


@pytest.fixture
def version(tmp_path: Path) -> Version:
    write_seeds(tmp_path / "seeds", {"a": "来源社\n一,二", "b": "三"})
    return build(tmp_path / "seeds", tmp_path / "output")


def head(version: Version) -> str:
    """The front matter of the data card."""
    found = re.match(r"---\n(.*?)\n---\n", (version.path / "README.md").read_text("utf-8"), re.S)
    assert found is not None
    return found[1]


def test_the_data_card_is_reachable_and_says_what_the_version_is(version: Version) -> None:
    output = version.path.parent.parent.parent
    card = (output / "latest" / "README.md").read_text("utf-8")
    assert card == (version.path / "README.md").read_text("utf-8")
    for fact in (version.manifest.content_id, version.manifest.fingerprint, "2 documents", "punctuation | width | 1"):
        assert fact in card
    for field in SCHEMAS["documents"]:
        assert f"| {field.name} |" in card


def test_the_card_names_tables_with_rows_only(version: Version, tmp_path: Path) -> None:
    assert re.findall(r"config_name: (\w+)", head(version)) == ["documents", "edits"]
    write_seeds(tmp_path / "seeds", {"bad": b"\xff"})
    second = build(tmp_path / "seeds", tmp_path / "output")
    assert re.findall(r"config_name: (\w+)", head(second)) == ["documents", "edits", "quarantine"]
    assert "path: quarantine/*.parquet" in head(second)


def test_the_croissant_names_all_tables_and_plain_columns(version: Version) -> None:
    described = json.loads((version.path / "croissant.json").read_text("utf-8"))
    assert described["conformsTo"] == "http://mlcommons.org/croissant/1.0"
    assert described["identifier"] == version.manifest.content_id
    assert [one["includes"] for one in described["distribution"]] == [f"{table}/*.parquet" for table in TABLES]
    by_table = {one["name"]: [field["name"] for field in one["field"]] for one in described["recordSet"]}
    assert set(by_table) == set(TABLES)
    assert {"documents/id", "documents/text", "documents/n_chars"} <= set(by_table["documents"])
    assert "documents/paragraphs" not in by_table["documents"]


def test_the_croissant_leads_to_the_parent(version: Version, tmp_path: Path) -> None:
    write_seeds(tmp_path / "seeds", {"c": "四"})
    second = build(tmp_path / "seeds", tmp_path / "output")
    described = [json.loads((v.path / "croissant.json").read_text("utf-8")) for v in (version, second)]
    assert [one["prov:wasDerivedFrom"] for one in described] == [[], ["urn:jingwen:version:1"]]


def test_every_file_says_what_it_is(version: Version) -> None:
    for table in TABLES:
        for file in version.files(table):
            known = pq.read_metadata(file).metadata
            assert known[b"jingwen.table"] == table.encode()
            assert known[b"jingwen.schema_version"] == str(SCHEMA_VERSION).encode()
            assert pq.read_schema(file).field("id").metadata[b"meaning"]


def test_mlcroissant_reads_the_tables(version: Version) -> None:
    mlcroissant = pytest.importorskip("mlcroissant", reason="pip install 'jingwen[readers]'")
    dataset = mlcroissant.Dataset(jsonld=str(version.path / "croissant.json"))
    assert not dataset.metadata.ctx.issues.errors
    rows = list(dataset.records("documents"))
    assert sorted(row["documents/id"] for row in rows) == [b"a", b"b"]
    assert {row["documents/text"].decode() for row in rows} == {"\n一，二", "三"}
    assert sum(1 for _ in dataset.records("edits")) == 2
