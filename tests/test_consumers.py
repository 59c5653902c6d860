"""The tools that read a corpus, for real: each opens the same version and finds the same rows."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import duckdb
import pandas
import polars
import pyarrow.dataset
import pytest
from click.testing import CliRunner
from corpus_samples import build, cleaned, rich, write_seeds

from cleaners import Document
from corpus.export import Choice, export
from corpus.schema import SCHEMAS, TABLES
from corpus.store import Store, Version
from flows import cli

TEXTS = {f"新闻/{i:02d}.txt": f"来源新华社\n第{i}篇,一,二,𠮷。" for i in range(12)}


def sample(raw: bytes, name: str) -> Document:
    return rich(name) if name == "rich.txt" else cleaned(raw, name)


@pytest.fixture(scope="module")
def version(tmp_path_factory: pytest.TempPathFactory) -> Version:
    """The second version of a corpus with a few parts, in which no table but reprints is empty."""
    folder = tmp_path_factory.mktemp("corpus")
    write_seeds(folder / "seeds", {**TEXTS, "rich.txt": "来源新华社\n题目,\n\n正文。", "bad": b"\xff"})
    build(folder / "seeds", folder / "output", clean=sample)
    write_seeds(folder / "seeds", {"new.txt": "a,b"})
    return build(folder / "seeds", folder / "output", clean=sample)


@pytest.fixture
def latest(version: Version) -> Path:
    return version.path.parent.parent.parent / "latest"


@pytest.fixture
def ids(version: Version) -> list[str]:
    return sorted(version.read("documents", ["id"])["id"].to_pylist())


@pytest.mark.parametrize("table", TABLES)
def test_rows_and_columns_are_the_same_to_all(version: Version, latest: Path, table: str) -> None:
    expected = version.read(table)
    glob = f"{latest}/{table}/*.parquet"
    sizes = {
        "pandas": pandas.read_parquet(latest / table).shape,
        "polars": polars.scan_parquet(glob).collect().shape,
        "pyarrow": pyarrow.dataset.dataset(latest / table).to_table().shape,
        "duckdb": duckdb.connect().sql(f"from '{glob}'").shape,
    }
    assert set(sizes.values()) == {(expected.num_rows, len(SCHEMAS[table]))}, sizes


def test_pyarrow_pushes_filters_down(latest: Path) -> None:
    documents = pyarrow.dataset.dataset(latest / "documents")
    found = documents.to_table(columns=["id", "text"], filter=pyarrow.dataset.field("source") == "新华社")
    assert found.num_rows == 13


def test_nested_columns(latest: Path) -> None:
    glob = f"{latest}/documents/*.parquet"
    roles = (
        polars.scan_parquet(glob)
        .filter(polars.col("id") == "rich.txt")
        .select(polars.col("paragraphs").explode().struct.field("role"))
        .collect()
    )
    assert roles["role"].to_list() == ["title", "body"]
    query = f"""
        select p.role, substr(text, p.start + 1, p.end - p.start)
        from (select text, unnest(paragraphs) p from '{glob}' where id = 'rich.txt')
    """
    assert duckdb.connect().execute(query).fetchall() == [("title", "题目，"), ("body", "正文。")]


def test_older_versions_stay_readable(version: Version, ids: list[str]) -> None:
    first = version.path.with_name("v000001")
    assert polars.read_parquet(f"{first}/documents/*.parquet").height == len(ids) - 1


def test_hugging_face_datasets(version: Version, latest: Path, ids: list[str], tmp_path: Path) -> None:
    os.environ |= {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1"}
    import datasets

    datasets.disable_progress_bars()
    cache = str(tmp_path / "cache")
    documents = datasets.load_dataset(str(latest), cache_dir=cache, split="train")
    assert sorted(documents["id"]) == ids
    assert documents.features["paragraphs"]
    by_id = {row["id"]: row for row in documents}
    assert by_id["rich.txt"]["authors"] == ["张三", "李四"]
    assert by_id["新闻/03.txt"]["text"] == version.document("新闻/03.txt").text
    for table in ("edits", "quarantine"):
        found = datasets.load_dataset(str(latest), table, cache_dir=cache, split="train")
        assert len(found) == version.read(table).num_rows
    streamed = datasets.load_dataset(str(latest), "documents", split="train", streaming=True)
    assert len(list(streamed)) == len(ids)


def test_datatrove_reads_an_export(version: Version, ids: list[str], tmp_path: Path) -> None:
    readers = pytest.importorskip("datatrove.pipeline.readers", reason="pip install 'jingwen[readers]'")
    export(version, tmp_path / "out", Choice("jsonl", flavour="datatrove", compression="gz", shard_rows=5))
    documents = list(readers.JsonlReader(str(tmp_path / "out"))())
    assert sorted(document.id for document in documents) == ids
    one = next(document for document in documents if document.id == "rich.txt")
    assert one.metadata["source"] == "新华社"
    assert one.text == version.document("rich.txt").text
    plain = list(readers.ParquetReader(str(version.path / "documents"))())
    assert sorted(document.id for document in plain) == ids


def test_spark_reads_the_plain_files(version: Version, latest: Path, ids: list[str], tmp_path: Path) -> None:
    if shutil.which("java") is None:
        pytest.skip("Spark needs java")
    sql = pytest.importorskip("pyspark.sql", reason="pip install 'jingwen[spark]'")
    spark = (
        sql.SparkSession.builder.master("local[1]")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.warehouse.dir", str(tmp_path))
        .config("spark.sql.shuffle.partitions", "1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .getOrCreate()
    )
    try:
        for table in TABLES:
            frame = spark.read.parquet(str(latest / table))
            assert frame.columns == SCHEMAS[table].names
            assert frame.count() == version.read(table).num_rows
        documents = spark.read.parquet(str(latest / "documents"))
        assert sorted(row.id for row in documents.select("id").collect()) == ids
        documents.createOrReplaceTempView("documents")
        spark.read.parquet(str(latest / "edits")).createOrReplaceTempView("edits")
        joined = spark.sql(
            "select d.id, count(*) n from documents d join edits e on e.id = d.id group by d.id having d.id = 'new.txt'"
        )
        assert [(row.id, row.n) for row in joined.collect()] == [("new.txt", 1)]
        nested = spark.sql("select explode(paragraphs) p from documents where id = 'rich.txt'")
        assert [(row.p.role, row.p.start, row.p.end) for row in nested.collect()] == [("title", 1, 4), ("body", 6, 9)]
    finally:
        spark.stop()


def test_restore_through_the_command_line(version: Version, latest: Path) -> None:
    done = CliRunner().invoke(cli.main, ["restore", "新闻/03.txt", "--output", str(latest.parent)])
    assert done.stdout_bytes == TEXTS["新闻/03.txt"].encode()
    newest = Store(latest.parent).latest()
    assert newest is not None
    assert newest.number == version.number
