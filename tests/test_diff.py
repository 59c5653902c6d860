"""Versions compared, renamed, rolled back, compacted, expired; the proposed changelog entry."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import polars
import pytest
from click.testing import CliRunner, Result
from corpus_samples import FINGERPRINT, START, build, cleaned, write_seeds
from hypothesis import given
from hypothesis import strategies as st

from cleaners import Document
from corpus import diff as diffs
from corpus import export, merge, ordered, upkeep
from corpus.diff import Changed, diff, paragraphs
from corpus.seeds import scan
from corpus.store import Store, StoreError, Version
from corpus.verify import verify
from flows import cli, corpus_commands

TEXTS = {f"{i:03d}.txt": f"来源新华社\n第{i}篇,一,二,{'字' * i}。\n\n第二段。" for i in range(30)}


@pytest.fixture
def seeds(tmp_path: Path) -> Path:
    write_seeds(tmp_path / "seeds", dict(TEXTS))
    return tmp_path / "seeds"


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "output"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli.main, list(map(str, arguments)), catch_exceptions=False)


def other(raw: bytes, name: str) -> Document:
    """Another pipeline: it makes full stops of all exclamation marks, and finds a title."""
    document = cleaned(raw.replace("。".encode(), "！".encode(), 1), name)
    return replace(document, metadata={**document.metadata, "title": "题"} if name < "005" else document.metadata)


def never(raw: bytes, name: str) -> Document:
    raise AssertionError(f"{name} was cleaned again")


def test_what_changed(seeds: Path, output: Path) -> None:
    first = build(seeds, output)
    (seeds / "000.txt").unlink()
    (seeds / "001.txt").rename(seeds / "moved.txt")
    write_seeds(seeds, {"002.txt": "新,的", "003.txt": b"\xff", "new.txt": "a,b"})
    second = build(seeds, output)
    found = diff(first, second)
    assert found.documents == (30, 29)
    assert found.added == ("new.txt",)
    assert found.removed == ("000.txt", "003.txt")
    assert found.renamed == (("001.txt", "moved.txt"),)
    assert found.changed == (Changed("002.txt", ("text", "metadata", "structure", "edits", "seed")),)
    assert found.quarantined == ("003.txt",)
    assert found.released == ()
    assert found.rules == {"metadata.source": (30, 27), "punctuation.width": (90, 83)}
    assert found.pipeline == {}
    assert not found.empty
    back = diff(second, first)
    assert (back.added, back.removed, back.released) == (found.removed, found.added, found.quarantined)
    assert diff(second, second).empty


def test_parts_that_both_share_are_not_read(seeds: Path, output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(merge, "SMALL_PART", 0)
    first = build(seeds, output, max_bytes=500)
    write_seeds(seeds, {"020.txt": "新,版"})
    second = build(seeds, output, max_bytes=500)
    for one in first.sources("documents"):
        if one.part.sha256 in {other.part.sha256 for other in second.sources("documents")}:
            os.chmod(one.path, 0o644)
            one.path.write_bytes(b"")
    assert [one.id for one in diff(first, second).changed] == ["020.txt"]


def test_a_renamed_seed_is_not_cleaned_again(seeds: Path, output: Path, tmp_path: Path) -> None:
    write_seeds(seeds, {"bad": b"\xff"})
    first = build(seeds, output, max_bytes=500)
    (seeds / "deep").mkdir()
    for name in ("003.txt", "017.txt", "bad"):
        (seeds / name).rename(seeds / "deep" / name)
    plan = Store(output).plan(scan(seeds, 1 << 16), FINGERPRINT)
    assert plan.renamed == tuple((name, f"deep/{name}") for name in ("003.txt", "017.txt", "bad"))
    assert plan.to_clean == ()
    second = build(seeds, output, clean=never)
    whole = build(seeds, tmp_path / "whole")
    for table in ("documents", "edits", "quarantine", "seeds"):
        order = [("id", "ascending")] + ([("n", "ascending")] if table == "edits" else [])
        assert second.read(table).sort_by(order).equals(whole.read(table).sort_by(order))
    assert second.manifest.content_id == whole.manifest.content_id
    assert second.manifest.counts["renamed"] == 3
    assert second.seed_bytes("deep/017.txt") == first.seed_bytes("017.txt")
    assert list(verify(Store(output), second)) == []


def test_all_seeds_under_new_names(seeds: Path, output: Path) -> None:
    build(seeds, output, max_bytes=500)
    for name in TEXTS:
        (seeds / name).rename(seeds / f"x{name}")
    second = build(seeds, output, clean=never)
    assert sorted(second.seeds()) == [f"x{name}" for name in TEXTS]
    assert list(verify(Store(output), second)) == []


def test_renamed_when_the_pipeline_changed_is_cleaned(seeds: Path, output: Path) -> None:
    build(seeds, output)
    (seeds / "003.txt").rename(seeds / "moved.txt")
    second = build(seeds, output, fingerprint="e" * 64, clean=other)
    assert second.manifest.counts["renamed"] == 1
    assert "！" in second.document("moved.txt").text


def test_of_equal_seeds_each_is_renamed_once(tmp_path: Path, output: Path) -> None:
    root = tmp_path / "seeds"
    write_seeds(root, {"a": "同", "b": "同", "c": "异"})
    build(root, output)
    for name in "abc":
        (root / name).unlink()
    write_seeds(root, {"d": "同", "e": "同", "f": "同"})
    plan = Store(output).plan(scan(root, 100), FINGERPRINT)
    assert plan.renamed == (("a", "d"), ("b", "e"))
    assert [seed.name for seed in plan.to_clean] == ["f"]
    assert sorted(build(root, output).seeds()) == ["d", "e", "f"]


@pytest.mark.parametrize(("gone", "warned"), [(15, False), (16, True), (30, True)])
def test_a_run_that_would_drop_most_of_the_corpus_says_so(seeds: Path, output: Path, gone: int, warned: bool) -> None:
    build(seeds, output)
    for name in list(TEXTS)[:gone]:
        (seeds / name).unlink()
    plan = Store(output).plan(scan(seeds, 1 << 16), FINGERPRINT)
    assert bool(plan.warning) == warned
    if warned:
        assert f"{gone} of 30 seeds have vanished" in plan.warning
        assert "jingwen rollback 1" in plan.warning


def test_renamed_seeds_have_not_vanished(seeds: Path, output: Path) -> None:
    build(seeds, output)
    for name in TEXTS:
        (seeds / name).rename(seeds / f"x{name}")
    assert Store(output).plan(scan(seeds, 1 << 16), FINGERPRINT).warning == ""


def test_the_proposed_changelog_entry(seeds: Path, output: Path) -> None:
    first = build(seeds, output)
    assert not (first.path / "_CHANGELOG.md").exists()
    write_seeds(seeds, {"new.txt": "a,b"})
    assert not (build(seeds, output).path / "_CHANGELOG.md").exists()  # the same pipeline
    third = build(seeds, output, fingerprint="e" * 64, clean=other)
    text = (third.path / "_CHANGELOG.md").read_text("utf-8")
    assert text.startswith("## Version 3, compared with version 2\n")
    assert "- 30 with another text" in text
    assert "- 5 with another metadata" in text
    assert text.count("  - before: `") == text.count("  - now: `") == 5
    assert "字！`" in text


def test_a_damaged_version_is_no_reason_not_to_make_a_better_one(seeds: Path, output: Path) -> None:
    first = build(seeds, output)
    file = first.files("documents")[0]
    os.chmod(file, 0o644)
    file.write_bytes(b"PAR1")
    again = build(seeds, output, fingerprint="d" * 64)  # the same bytes: not linked to the damaged file
    assert again.read("documents").num_rows == 30
    file.write_bytes(b"PAR1")
    os.chmod(again.files("documents")[0], 0o644)
    again.files("documents")[0].write_bytes(b"PAR1")
    second = build(seeds, output, fingerprint="e" * 64, clean=other)
    assert second.read("documents").num_rows == 30
    assert "could not be compared with version 2" in (second.path / "_CHANGELOG.md").read_text("utf-8")


WORDS = st.lists(st.sampled_from(["甲", "乙", "丙丁", ""]), max_size=8)


@given(WORDS, WORDS)
def test_paragraphs_side_by_side(old: list[str], new: list[str]) -> None:
    """Taking the old sides out, in order, and putting the new ones in gives the new text."""
    before, after = "\n\n".join(old), "\n\n".join(new)
    found = list(paragraphs(before, after))
    assert (found == []) == (before == after)
    for a, b in found:
        assert a in before
        assert b in after
        assert a != b or "" in old + new


def test_very_long_texts_are_compared_as_one_paragraph() -> None:
    long = "\n\n".join("甲" for _ in range(diffs.MOST_PARAGRAPHS + 1))
    assert list(paragraphs(long, long + "乙")) == [(long, long + "乙")]


def test_rollback(seeds: Path, output: Path) -> None:
    first = build(seeds, output)
    write_seeds(seeds, {"002.txt": "新,的"})
    (seeds / "000.txt").unlink()
    build(seeds, output)
    store = Store(output)
    with store.writer_lock():
        third = upkeep.rollback(store, 1)
    assert third.number == 3
    assert third.manifest.parent == 2
    assert third.manifest.content_id == first.manifest.content_id
    assert third.manifest.parts == first.manifest.parts
    counts = third.manifest.counts
    assert [counts[name] for name in ("added", "changed", "vanished", "unchanged")] == [1, 1, 0, 28]
    assert third.files("documents")[0].stat().st_ino == first.files("documents")[0].stat().st_ino
    assert (output / "latest").resolve() == third.path.resolve()
    assert list(verify(store, third)) == []
    with store.writer_lock(), pytest.raises(StoreError, match="holds the same as the newest"):
        upkeep.rollback(store, 1)
    with store.writer_lock(), pytest.raises(StoreError, match="no version 9"):
        upkeep.rollback(store, 9)
    fourth = build(seeds, output)  # follows the seeds again
    assert diff(store.version(2), fourth).empty


def test_compaction(seeds: Path, output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(merge, "SMALL_PART", 0)
        first = build(seeds, output, max_bytes=1)
    assert len(first.manifest.parts["documents"]) == 30
    store = Store(output)
    with store.writer_lock():
        second = upkeep.compact(store)
        assert upkeep.compact(store).number == second.number == 2
    for table in ("documents", "edits"):
        made = second.manifest.parts[table]
        assert len(made) == 1
    assert second.manifest.content_id == first.manifest.content_id
    assert diff(first, second).empty
    assert list(verify(store, second)) == []
    assert polars.read_parquet(f"{output}/latest/documents/*.parquet")["id"].to_list() == sorted(TEXTS)
    assert build(seeds, output, clean=never).number == 2


def test_reading_in_order_in_runs_that_end_between_ids(
    seeds: Path, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merge, "SMALL_PART", 0)
    build(seeds, output, max_bytes=300)
    write_seeds(seeds, {f"{i:03d}a.txt": "neu,eins,zwei" for i in range(0, 30, 3)})  # lie between the others
    version = build(seeds, output)
    for table in ("documents", "edits"):
        runs = list(ordered.runs(version, table, run_bytes=50_000))
        assert len(runs) > 1
        ids = [run["id"].to_pylist() for run in runs]
        assert all(a[-1] < b[0] for a, b in pairwise(ids))
        assert sum(ids, []) == sorted(version.read(table)["id"].to_pylist())  # noqa: RUF017
    assert len(ordered.between(version, "edits", "000.txt", "000a.txt")) == 6
    assert ordered.between(version, "edits", "x", "y", ["rule"]).column_names == ["rule"]


def test_expiring(seeds: Path, output: Path) -> None:
    for number in range(4):
        write_seeds(seeds, {"000.txt": f"{number},"})
        newest = build(seeds, output)
    store = Store(output)
    doomed = upkeep.expirable(store, 2)
    assert [one.number for one in doomed] == [1, 2]
    assert upkeep.freed(store, doomed) > 0
    assert len(store.versions()) == 4
    with store.writer_lock():
        upkeep.expire(store, 2)
        assert upkeep.expire(store, 5) == []
        with pytest.raises(StoreError, match="is the newest"):
            store.remove(newest)
    assert [one.number for one in store.versions()] == [3, 4]
    for version in store.versions():
        assert list(verify(store, version)) == []  # what they shared with the others is still there
    with pytest.raises(ValueError, match="at least one"):
        upkeep.expirable(store, 0)
    write_seeds(seeds, {"000.txt": "later,"})
    assert build(seeds, output).number == 5


def test_a_clock_that_goes_backwards(seeds: Path, output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("corpus_samples.START", START.replace(year=2096))
    first = build(seeds, output)
    assert first.manifest.created["end"] >= first.manifest.created["start"]
    monkeypatch.setattr("corpus_samples.START", START.replace(year=1992))
    write_seeds(seeds, {"000.txt": "new,"})
    second = build(seeds, output)
    assert second.number == 2
    newest = Store(output).latest()
    assert newest is not None
    assert newest.number == 2


def test_the_commands(seeds: Path, output: Path, tmp_path: Path) -> None:
    build(seeds, output)
    write_seeds(seeds, {"002.txt": "新,的"})
    (seeds / "000.txt").rename(seeds / "moved.txt")
    build(seeds, output)
    shown = run("diff", 1, 2, "--texts", "--output", output)
    assert shown.exit_code == 0
    assert "000.txt -> moved.txt" in shown.output
    assert "002.txt (text, metadata, structure, edits, seed)" in shown.output
    assert "  punctuation.width: 90 -> 88 edits (-2)" in shown.output
    assert "新，的" in shown.output
    assert json.loads(run("diff", 1, 2, "--json", "--output", output).output)["renamed"] == [["000.txt", "moved.txt"]]
    build(seeds, output, fingerprint="e" * 64, clean=other)
    assert run("diff", 2, 2, "--output", output).output.endswith("The documents are the same.\n")
    assert run("rollback", 2, "--output", output).output == "Version 4 holds what version 2 holds.\n"
    assert run("expire", "--keep", 1, "--output", output).output.startswith("Would remove versions 1, 2, 3")
    assert len(Store(output).versions()) == 4
    assert run("expire", "--keep", 1, "--yes", "--output", output).output.startswith("Removed versions 1, 2, 3")
    assert len(Store(output).versions()) == 1
    assert "Nothing to remove" in run("expire", "--keep", 1, "--output", output).output
    assert run("expire", "--keep", 0, "--output", output).exit_code == cli.MISUSED
    assert run("compact", "--output", output).output.startswith("Version 5: ")
    assert "compact already" in run("compact", "--output", output).output
    missing = tmp_path / "nowhere"
    for command in (
        ["diff", 1, 2],
        ["rollback", 1],
        ["restore", "a"],
        ["verify"],
        ["compact"],
        ["expire", "--keep", 1],
    ):
        failed = run(*command, "--output", missing)
        assert failed.exit_code == cli.FAILED
        assert "Failed: there is no" in failed.output
        assert not missing.exists()


def test_restore(seeds: Path, output: Path, tmp_path: Path) -> None:
    write_seeds(seeds, {"bad": b"\xff"})
    build(seeds, output)
    assert run("restore", "007.txt", "--output", output).stdout_bytes == TEXTS["007.txt"].encode()
    target = tmp_path / "seed.txt"
    assert run("restore", "007.txt", "--output", output, "--to", target).exit_code == 0
    assert target.read_bytes() == TEXTS["007.txt"].encode()
    again = run("restore", "008.txt", "--output", output, "--to", target)
    assert again.exit_code == cli.FAILED
    assert "cannot write" in again.output
    assert target.read_bytes() == TEXTS["007.txt"].encode()
    assert "quarantine" in run("restore", "bad", "--output", output).output


def test_the_command_line_knows_what_the_corpus_knows() -> None:
    """It must not import Arrow to say what can be chosen."""
    assert corpus_commands.FORMATS == export.FORMATS
    assert corpus_commands.UNITS == export.UNITS
    assert corpus_commands.FLAVOURS == export.FLAVOURS
    assert corpus_commands.COMPRESSIONS == export.COMPRESSIONS


def test_a_version_is_found_by_its_folder(seeds: Path, output: Path) -> None:
    made = build(seeds, output)
    assert Version(made.path).number == 1
