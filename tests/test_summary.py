"""A corpus that keeps an example of each rule's edits instead of all of them."""

import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from running import SEEDS, jingwen

from corpus import upkeep
from corpus.store import Store, StoreError, Version
from corpus.verify import verify
from flows import cli


@pytest.fixture(scope="module")
def output(server: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("summary")
    done = jingwen("build", SEEDS, "--output", folder / "output", "--trail", "summary", env=server)
    assert done.returncode == cli.OK, done.stderr
    return folder / "output"


def newest(output: Path) -> Version:
    version = Store(output).latest()
    assert version is not None
    return version


def test_texts_and_counts_are_those_of_a_full_corpus(output: Path, corpus_folder: Path) -> None:
    summary, full = newest(output), newest(corpus_folder / "output")
    assert summary.read("documents").equals(full.read("documents"))
    assert summary.manifest.edits == full.manifest.edits
    assert summary.manifest.counts["edits"] == full.manifest.counts["edits"] == full.read("edits").num_rows
    assert summary.manifest.content_id != full.manifest.content_id


def test_the_examples_are_the_first_of_each_document_and_rule(output: Path, corpus_folder: Path) -> None:
    first: dict[tuple[str, str], object] = {}
    for edit in newest(corpus_folder / "output").read("edits").to_pylist():
        first.setdefault((edit["id"], edit["rule"]), edit)
    assert newest(output).read("edits").to_pylist() == list(first.values())


def test_what_leads_back_says_that_it_cannot(output: Path, server: dict[str, str]) -> None:
    id = newest(output).read("documents", ["id"])["id"][0].as_py()
    for command in ("restore", "show"):
        done = jingwen(command, id, "--output", output, env=server)
        assert done.returncode == cli.FAILED
        assert "--trail summary" in done.stderr
    with pytest.raises(StoreError, match="the seeds themselves"):
        newest(output).document(id)
    assert "--trail summary" in (output / "README.md").read_text("utf-8")


def test_verify_finds_a_missing_example(output: Path, tmp_path: Path) -> None:
    copy = tmp_path / "output"
    shutil.copytree(output, copy, symlinks=True)
    assert list(verify(Store(copy), newest(copy))) == []
    (part,) = newest(copy).sources("edits")
    rows = pq.read_table(part.path)
    part.path.unlink()
    pq.write_table(rows.slice(1), part.path)
    assert any(
        "its bytes have changed" in line or "bytes instead of" in line for line in verify(Store(copy), newest(copy))
    )


def test_rollback_keeps_the_mode(output: Path, tmp_path: Path, server: dict[str, str]) -> None:
    copy = tmp_path / "output"
    shutil.copytree(output, copy, symlinks=True)
    assert jingwen("build", SEEDS, "--output", copy, env=server).returncode == cli.OK
    assert not newest(copy).manifest.is_summary
    shown = jingwen("diff", "1", "2", "--texts", "--output", copy, env=server)
    assert shown.returncode == cli.OK, shown.stderr
    store = Store(copy)
    with store.writer_lock():
        upkeep.rollback(store, 1)
    assert newest(copy).manifest.is_summary
    assert list(verify(store, newest(copy))) == []
