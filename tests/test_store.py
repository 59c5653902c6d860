"""Versions: what a commit makes, what it leaves alone, and what is left when a run is killed."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pandas
import polars
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from corpus_samples import FINGERPRINT, START, build, cleaned, write_seeds
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cleaners import Document, Seed
from corpus import merge, parts
from corpus.plan import CLEANED, are_among, make_plan, usable
from corpus.schema import SCHEMAS, TABLES
from corpus.seed_list import SeedList
from corpus.seeds import Scan, scan
from corpus.store import Store, StoreError, Version, batches

HERE = Path(__file__).parent
TEXTS = {f"{i:03d}.txt": f"来源新华社\n第{i}篇,一,二,{'字' * i}。" for i in range(40)}
ONE_EACH = 1  # bytes per batch: every seed is a batch and, with parts that are never small, a part


@pytest.fixture
def seeds(tmp_path: Path) -> Path:
    write_seeds(tmp_path / "seeds", dict(TEXTS))
    return tmp_path / "seeds"


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "output"


@pytest.fixture
def large_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """No part counts as small: what is staged stays a part."""
    monkeypatch.setattr(merge, "SMALL_PART", 0)


def rows_of(version: Version) -> dict[str, list[dict[str, object]]]:
    """All rows of all tables, in the order of ids."""
    order = {"edits": [("id", "ascending"), ("n", "ascending")]}
    by_id = [("id", "ascending")]
    names = (*TABLES, "seeds")
    return {name: version.read(name).sort_by(order.get(name, by_id)).to_pylist() for name in names}


def files_of(version: Version) -> dict[str, int]:
    """Part -> inode."""
    return {str(f.relative_to(version.path)): f.stat().st_ino for f in version.path.glob("*/*.parquet")}


def test_the_folders_of_a_first_version(seeds: Path, output: Path) -> None:
    version = build(seeds, output)
    assert os.readlink(output / "latest") == "corpus/versions/v000001"
    assert version.path == output / "corpus/versions/v000001"
    described = ["README.md", "_manifest.json", "_seeds.parquet", "croissant.json"]
    described += ["_comparisons", "_lines", "_signatures"]
    assert sorted(os.listdir(version.path)) == sorted([*described, *TABLES])
    for table in TABLES:
        (file,) = (output / "latest" / table).iterdir()
        part = version.manifest.parts[table][0]
        assert file.name == part.file == f"part-{part.sha256[:20]}.parquet"
        assert file.stat().st_size == part.bytes
        assert file.stat().st_mode & 0o222 == 0
    assert not (output / "corpus/.staging").exists()
    assert (output / "corpus/.lock").read_bytes() == b""


def test_the_manifest(seeds: Path, output: Path) -> None:
    write_seeds(seeds, {"bad": b"\xff", "large": b"x" * 70_000})
    version = build(seeds, output)
    manifest = version.manifest
    assert json.loads((version.path / "_manifest.json").read_text("utf-8"))["number"] == 1
    assert (manifest.number, manifest.parent, manifest.fingerprint) == (1, None, FINGERPRINT)
    assert manifest.counts == {
        "seeds": 42,
        "documents": 40,
        "quarantined": 2,
        "edits": 160,
        "recurring": 0,
        "reprints": 10,  # texts that are the same character many times
        "added": 42,
        "changed": 0,
        "vanished": 0,
        "unchanged": 0,
        "renamed": 0,
        "waiting": 0,
    }
    assert manifest.edits == {"metadata": {"metadata.source": 40}, "punctuation": {"punctuation.width": 120}}
    assert manifest.created["start"] == "2024-02-29T08:00:00.000+00:00"
    assert version.seeds()["bad"].outcome == "quarantine"
    assert version.seeds()["large"][:2] == (None, 70_000)


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("empty", [False, True])
def test_pandas_polars_and_duckdb_read_latest(tmp_path: Path, output: Path, table: str, empty: bool) -> None:
    write_seeds(tmp_path / "seeds", {} if empty else {**TEXTS, "bad": b"\xff"})
    (tmp_path / "seeds").mkdir(exist_ok=True)
    version = build(tmp_path / "seeds", output, max_bytes=100)
    expected = version.read(table)
    glob = f"{output}/latest/{table}/*.parquet"
    by_pandas = pandas.read_parquet(output / "latest" / table)
    by_polars = polars.read_parquet(glob)
    by_duckdb = duckdb.connect().execute(f"select * from '{glob}'").fetchall()
    assert len(by_pandas) == len(by_polars) == len(by_duckdb) == expected.num_rows
    assert list(by_pandas.columns) == by_polars.columns == SCHEMAS[table].names
    assert by_polars["id"].to_list() == [row[0] for row in by_duckdb] == expected["id"].to_pylist()
    if table == "documents" and not empty:
        first = by_polars.row(0, named=True)
        assert first["paragraphs"] == [{"role": "body", "start": 0, "end": len(first["text"])}]
        assert first == expected.to_pylist()[0]
        assert by_pandas["edits_per_rule"][0][1] == {"rule": "punctuation.width", "n": 3}
        assert by_duckdb[0][SCHEMAS[table].names.index("source")] == "新华社"


def test_a_problem_is_new_when_its_kind_or_size_changes(tmp_path: Path, output: Path) -> None:
    root = tmp_path / "seeds"
    write_seeds(root, {"large": b"x" * 70_000})
    first = build(root, output)
    assert build(root, output).number == 1
    write_seeds(root, {"large": b"x" * 80_000})
    second = build(root, output)
    assert [v.read("quarantine")["seed_bytes"].to_pylist() for v in (first, second)] == [[70_000], [80_000]]
    (root / "large").unlink()
    (root / "large").symlink_to("nowhere")
    assert build(root, output).read("quarantine")["kind"].to_pylist() == ["unreadable"]


def test_a_run_without_a_change_makes_no_version(seeds: Path, output: Path) -> None:
    write_seeds(seeds, {"bad": b"\xff", "large": b"x" * 70_000})
    os.mkfifo(seeds / "pipe")
    first = build(seeds, output)

    def never(raw: bytes, name: str) -> Document:
        raise AssertionError(f"{name} was cleaned again")

    for file in seeds.glob("*.txt"):
        os.utime(file, (0, 0))  # the bytes count, not the times
    assert build(seeds, output, clean=never).number == first.number
    assert len(Store(output).versions()) == 1
    assert not (output / "corpus/.staging").exists()


def test_a_changed_seed_rewrites_only_its_part(seeds: Path, output: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(merge, "SMALL_PART", 0)
        first = build(seeds, output, max_bytes=1000)
    before = files_of(first)
    write_seeds(seeds, {"020.txt": "来源新华社\n新,版"})
    second = build(seeds, output, max_bytes=1000)
    after = files_of(second)
    assert len(first.manifest.parts["documents"]) > 3
    assert len(before) == len(after)
    for table in ("documents", "edits"):
        assert len({f for f in before.keys() - after.keys() if f.startswith(table)}) == 1
    assert all(before[file] == after[file] for file in before.keys() & after.keys())  # the same file on disk
    old, new = rows_of(first)["documents"], rows_of(second)["documents"]
    assert [a["id"] for a, b in zip(old, new, strict=True) if a != b] == ["020.txt"]
    assert second.document("020.txt").text == "\n新，版"
    assert first.seed_bytes("020.txt") == TEXTS["020.txt"].encode()
    assert os.readlink(output / "latest").endswith("v000002")
    assert {k: second.manifest.counts[k] for k in ("added", "changed", "vanished", "unchanged")} == {
        "added": 0,
        "changed": 1,
        "vanished": 0,
        "unchanged": 39,
    }


def test_a_vanished_seed_stays_in_the_older_version(seeds: Path, output: Path) -> None:
    first = build(seeds, output)
    (seeds / "007.txt").unlink()
    second = build(seeds, output)
    assert second.manifest.counts["documents"] == second.manifest.counts["seeds"] == 39
    assert "007.txt" not in second.read("edits")["id"].to_pylist()
    with pytest.raises(StoreError, match=r"no document '007.txt'"):
        second.document("007.txt")
    assert first.seed_bytes("007.txt") == TEXTS["007.txt"].encode()


def test_a_seed_may_go_into_quarantine_and_come_back(seeds: Path, output: Path) -> None:
    first = build(seeds, output)
    write_seeds(seeds, {"007.txt": b"\xff"})
    with pytest.raises(StoreError, match=r"in quarantine .no encoding explains"):
        build(seeds, output).document("007.txt")
    write_seeds(seeds, {"007.txt": TEXTS["007.txt"]})
    third = build(seeds, output)
    assert rows_of(third) == rows_of(first)
    assert third.manifest.content_id == first.manifest.content_id
    assert third.manifest.parts == first.manifest.parts


def test_another_pipeline_cleans_all_again_and_shares_what_came_out_the_same(seeds: Path, output: Path) -> None:
    first = build(seeds, output)
    names: list[str] = []

    def noted(raw: bytes, name: str) -> Document:
        names.append(name)
        return cleaned(raw, name)

    second = build(seeds, output, fingerprint="e" * 64, clean=noted)
    assert sorted(names) == sorted(TEXTS)
    assert second.manifest.content_id != first.manifest.content_id
    assert second.manifest.counts["unchanged"] == 40
    assert rows_of(second) == rows_of(first)


@pytest.mark.usefixtures("large_parts")
def test_equal_parts_of_two_pipelines_are_one_file(seeds: Path, output: Path) -> None:
    first = build(seeds, output)
    assert files_of(build(seeds, output, fingerprint="e" * 64)) == files_of(first)


def test_the_same_seeds_and_pipeline_make_the_same_bytes(seeds: Path, tmp_path: Path) -> None:
    one, two = build(seeds, tmp_path / "one", max_bytes=500), build(seeds, tmp_path / "two", max_bytes=500)
    assert one.manifest.parts == two.manifest.parts
    assert one.manifest.seeds == two.manifest.seeds
    assert one.manifest.content_id == two.manifest.content_id
    for file in one.path.rglob("*.parquet"):
        assert file.read_bytes() == (two.path / file.relative_to(one.path)).read_bytes()


def test_the_content_id_does_not_depend_on_batches_or_steps(seeds: Path, tmp_path: Path) -> None:
    whole = build(seeds, tmp_path / "whole")
    some = tmp_path / "some"
    write_seeds(some, dict(list(TEXTS.items())[::3]))
    build(some, tmp_path / "steps", max_bytes=ONE_EACH)
    write_seeds(some, dict(TEXTS))
    steps = build(some, tmp_path / "steps", max_bytes=300)
    assert steps.manifest.content_id == whole.manifest.content_id
    assert rows_of(steps) == rows_of(whole)
    write_seeds(some, {"000.txt": "another"})
    assert build(some, tmp_path / "steps").manifest.content_id != whole.manifest.content_id


def test_parts_hold_no_clock_run_or_path(seeds: Path, output: Path) -> None:
    for file in build(seeds, output).path.glob("*/*.parquet"):
        known = pq.read_metadata(file).metadata
        assert set(known) == {b"jingwen.table", b"jingwen.schema_version", b"ARROW:schema"}
        assert str(output).encode() not in file.read_bytes()


def test_single_additions_do_not_leave_single_parts(tmp_path: Path, output: Path) -> None:
    root = tmp_path / "seeds"
    for name, text in list(TEXTS.items())[:12]:
        write_seeds(root, {name: text})
        version = build(root, output)
    assert version.number == 12
    assert {table: len(version.manifest.parts[table]) for table in TABLES} == dict.fromkeys(TABLES, 1)
    assert len(version.read("documents")) == 12


STEPS = st.lists(
    st.tuples(
        st.dictionaries(st.sampled_from("abcdefgh"), st.sampled_from([None, "", "x,y", "来源社\n甲,🐍乙", b"\xff"])),
        st.sampled_from([1, 20, 1000]),
        st.sampled_from(["1", "1", "1", "2"]),
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS, st.sampled_from([0, 13_000, 1 << 20]), st.sampled_from([1, 30_000]))
def test_many_steps_are_one(
    tmp_path_factory: pytest.TempPathFactory,
    steps: list[tuple[dict[str, str | bytes | None], int, str]],
    small: int,
    size: int,
) -> None:
    """However a corpus came about, it holds what a first run over the same seeds makes; old versions stay."""
    folder = tmp_path_factory.mktemp("steps")
    root, output = folder / "seeds", folder / "output"
    root.mkdir()
    history: dict[int, dict[str, list[dict[str, object]]]] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(merge, "SMALL_PART", small)
        patch.setattr(merge, "PART_SIZE", size)
        for changes, max_bytes, fingerprint in steps:
            for name, content in changes.items():
                (root / name).unlink(missing_ok=True)
                if content is not None:
                    write_seeds(root, {name: content})
            version = build(root, output, fingerprint, max_bytes, max_seed_bytes=20)
            history[version.number] = rows_of(version)
            whole = build(root, folder / f"whole{version.number}{len(history)}", fingerprint, max_seed_bytes=20)
            assert rows_of(whole) == history[version.number]
            assert whole.manifest.content_id == version.manifest.content_id
            assert whole.manifest.edits == version.manifest.edits
        for version in Store(output).versions():
            assert rows_of(version) == history[version.number]


def test_a_look_up_opens_only_parts_that_may_hold_the_id(
    seeds: Path, output: Path, monkeypatch: pytest.MonkeyPatch, large_parts: None
) -> None:
    version = build(seeds, output, max_bytes=ONE_EACH)
    opened: list[int] = []
    read = parts.read

    def counted(files: list[Path], *rest: object, **named: object) -> pa.Table:
        opened.append(len(files))
        return read(files, *rest, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(parts, "read", counted)
    assert version.document("031.txt").original() == TEXTS["031.txt"]
    assert opened == [1, 1]
    assert version.edits("031.txt")["n"].to_pylist() == [0, 1, 2, 3]
    assert version.edits("nobody").num_rows == 0


def test_columns_and_filters(seeds: Path, output: Path) -> None:
    version = build(seeds, output)
    found = version.read("edits", ["id", "before"], [("rule", "=", "metadata.source"), ("id", "<", "002")])
    assert found.to_pylist() == [{"id": f"00{i}.txt", "before": "来源新华社"} for i in range(2)]
    with pytest.raises(StoreError, match="no column colour"):
        version.read("edits", ["colour"])
    with pytest.raises(StoreError, match="no table 'paragraphs'"):
        version.read("paragraphs")
    with pytest.raises(StoreError, match=r"no version 9 in .*: 1$"):
        Store(output).version(9)


def test_before_the_first_version(output: Path) -> None:
    assert Store(output).latest() is None
    assert Store(output).versions() == []


def test_writing_needs_the_lock(output: Path, tmp_path: Path) -> None:
    store = Store(output)
    (tmp_path / "seeds").mkdir()
    plan = store.plan(scan(tmp_path / "seeds", 1), FINGERPRINT)
    with pytest.raises(RuntimeError, match="writer_lock"):
        store.staging(FINGERPRINT)
    with pytest.raises(RuntimeError, match="writer_lock"):
        store.commit(plan, [], {}, START)


HOLDER = """
import sys, time
from corpus.store import Store
with Store(sys.argv[1]).writer_lock():
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(output: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", HOLDER, str(output)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=HERE.parent) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_second_writer_is_told_who_writes(seeds: Path, output: Path, holder: subprocess.Popen[str]) -> None:
    with pytest.raises(StoreError, match=rf"process {holder.pid} on .* is writing to .*: wait"):
        build(seeds, output)
    holder.kill()
    holder.wait()
    assert build(seeds, output).number == 1  # the lock of a killed process is gone


FORKING = """
import os, sys, time
from corpus.store import Store
with Store(sys.argv[1]).writer_lock():
    if os.fork() == 0:
        print(os.getpid(), flush=True)
    time.sleep(60)
"""


def test_a_worker_does_not_keep_the_lock_of_a_killed_run(seeds: Path, output: Path) -> None:
    command = [sys.executable, "-c", FORKING, str(output)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=HERE.parent) as process:
        assert process.stdout is not None
        worker = int(process.stdout.readline())
        try:
            with pytest.raises(StoreError, match=f"process {process.pid} on "):
                build(seeds, output)
            process.kill()
            process.wait()
            assert build(seeds, output).number == 1
        finally:
            os.kill(worker, signal.SIGKILL)


def test_a_second_lock_in_the_same_process_is_refused(seeds: Path, output: Path) -> None:
    store = Store(output)
    with store.writer_lock():
        with pytest.raises(StoreError, match="is writing to"), store.writer_lock():
            raise AssertionError("two locks")
        staging = store.staging(FINGERPRINT)  # the first lock is still held
        assert staging.folder.is_dir()


KILLED = """
import os, signal, sys
from pathlib import Path
from corpus_samples import build

left = int(sys.argv[3])

def deadly(function):
    def called(*args, **named):
        global left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*args, **named)
    return called

for name in ("fsync", "rename", "replace", "link", "symlink", "mkdir", "unlink", "rmdir", "write", "ftruncate"):
    setattr(os, name, deadly(getattr(os, name)))
build(Path(sys.argv[1]), Path(sys.argv[2]), max_bytes=2000)
"""


def run_killed(seeds: Path, output: Path, step: int) -> int:
    """A run in a process of its own that kills itself before its step-th call that changes the disk."""
    environment = {**os.environ, "PYTHONPATH": f"{HERE.parent}:{HERE}"}
    command = [sys.executable, "-c", KILLED, str(seeds), str(output), str(step)]
    return subprocess.run(command, env=environment, check=False).returncode


@pytest.mark.parametrize("step", [2, 30, 45, 50, 51, 52, 53, 64])
def test_killed_at_any_step_the_last_version_stays_and_the_next_run_goes_on(
    seeds: Path, output: Path, tmp_path: Path, step: int
) -> None:
    first = rows_of(build(seeds, output, max_bytes=2000))
    write_seeds(seeds, {name: text + "新,的" for name, text in list(TEXTS.items())[5:35]} | {"bad": b"\xff"})
    (seeds / "039.txt").unlink()
    expected = rows_of(build(seeds, tmp_path / "expected"))
    code = run_killed(seeds, output, step)
    assert code in (0, -signal.SIGKILL)
    if step <= 64:
        assert code == -signal.SIGKILL, "the run was over before this step: the steps of this test are too far apart"
    newest = Store(output).latest()
    assert newest is not None
    assert rows_of(newest) == (first if newest.number == 1 else expected)
    visible = polars.read_parquet(f"{output}/latest/documents/*.parquet")["id"].sort().to_list()
    assert visible in ([row["id"] for row in rows["documents"]] for rows in (first, expected))
    last = build(seeds, output, max_bytes=2000)
    assert last.number == 2
    assert rows_of(last) == expected
    assert os.readlink(output / "latest") == "corpus/versions/v000002"
    assert sorted(os.listdir(output)) == ["README.md", "corpus", "latest"]
    assert sorted(os.listdir(output / "corpus")) == [".lock", "versions"]
    assert sorted(os.listdir(output / "corpus/versions")) == ["v000001", "v000002"]


def test_what_was_staged_is_not_cleaned_again(seeds: Path, output: Path, tmp_path: Path) -> None:
    names: list[str] = []

    def interrupted(raw: bytes, name: str) -> Document:
        if name == "025.txt" and "025.txt" not in names:
            names.append(name)
            raise KeyboardInterrupt
        names.append(name)
        return cleaned(raw, name)

    with pytest.raises(KeyboardInterrupt):
        build(seeds, output, max_bytes=400, clean=interrupted)
    assert Store(output).latest() is None
    write_seeds(seeds, {"003.txt": "changed meanwhile"})
    version = build(seeds, output, max_bytes=400, clean=interrupted)
    again = {name for name in names if names.count(name) > 1}
    assert "003.txt" in again
    assert "025.txt" in again
    assert len(again) < 12  # the batches of these two; 40 without the staged ones
    assert rows_of(version) == rows_of(build(seeds, tmp_path / "fresh"))


def test_an_interrupted_run_ends_with_the_same_bytes(seeds: Path, output: Path, tmp_path: Path) -> None:
    def interrupted(raw: bytes, name: str) -> Document:
        if name == "025.txt":
            raise KeyboardInterrupt
        return cleaned(raw, name)

    with pytest.raises(KeyboardInterrupt):
        build(seeds, output, max_bytes=400, clean=interrupted)
    resumed, whole = build(seeds, output, max_bytes=400), build(seeds, tmp_path / "whole", max_bytes=400)
    assert resumed.manifest.parts == whole.manifest.parts


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def test_staged_batches_of_another_pipeline_or_damaged_ones_are_not_used(seeds: Path, output: Path) -> None:
    store = Store(output)
    found = scan(seeds, 1 << 16)
    with store.writer_lock():
        plan = store.plan(found, FINGERPRINT)
        staging = store.staging(FINGERPRINT)
        staged = [staging.write([cleaned((seeds / s.name).read_bytes(), s.name)]) for s in plan.to_clean[:3]]
        assert len(staging.finished(plan)) == 3
        file = staged[0].source("documents").path
        os.chmod(file, 0o644)
        file.write_bytes(file.read_bytes().replace(b"PAR1", b"PAR2"))
        (staged[1].folder / "_staged.json").unlink()
        assert staging.finished(plan) == [staged[2]]
        assert store.staging("e" * 64).finished(plan) == []
        assert store.staging(FINGERPRINT).finished(plan) == []


@given(st.lists(st.sets(st.integers(0, 40), max_size=6), max_size=8), st.permutations(range(30)), st.data())
def test_what_a_killed_run_left_is_compared_batch_by_batch(
    left: list[set[int]], order: list[int], data: st.DataObject
) -> None:
    """Seeds in any order, as those of containers are; batches that overlap, are empty, or hold what is not wanted."""
    seeds = SeedList.of(Seed(f"{number:02}", sha256(str(number)), 1) for number in order)
    plan = make_plan(Scan(seeds, ()), FINGERPRINT, None, pa.array([str(number % 3) for number in order]))
    stale = data.draw(st.sets(st.integers(0, 40), max_size=3))
    staged, expected, taken = [], [], set[int]()
    for numbers in left:
        rows = [(f"{n:02}", sha256(f"{n}{' old' * (n in stale)}"), str(n % 3)) for n in sorted(numbers)]
        columns = [pa.array(column, pa.string()) for column in zip(*rows, strict=True)] or [
            pa.array([], pa.string())
        ] * 3
        staged.append(pa.Table.from_arrays(columns, names=CLEANED))
        good = bool(numbers) and max(numbers) < 30 and not numbers & (taken | stale)
        expected.append(good)
        taken |= numbers if good else set()
    assert usable(iter(staged), plan) == expected
    ids = [one["id"] for one, good in zip(staged, expected, strict=True) if good]
    assert are_among(plan.to_clean, ids).tolist() == [number in taken for number in order]


def test_staged_batches_of_other_code_are_not_used(output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(output)
    with store.writer_lock():
        before = store.staging(FINGERPRINT).folder
        assert store.staging(FINGERPRINT).folder == before
        monkeypatch.setattr("corpus.store._code", lambda: "other code")
        assert store.staging(FINGERPRINT).folder != before


@pytest.mark.parametrize("mistake", ["missing", "double", "foreign"])
def test_a_commit_with_other_rows_than_planned_is_refused(seeds: Path, output: Path, mistake: str) -> None:
    store = Store(output)
    with store.writer_lock():
        plan = store.plan(scan(seeds, 1 << 16), FINGERPRINT)
        documents = [cleaned((seeds / seed.name).read_bytes(), seed.name) for seed in plan.to_clean]
        staging = store.staging(FINGERPRINT)
        staged = [staging.write(documents[1:] if mistake == "missing" else documents)]
        if mistake == "double":
            staged.append(staging.write(documents[3:4]))
        if mistake == "foreign":
            staged.append(staging.write([cleaned(b"x", "nobody asked")]))
        with pytest.raises(StoreError, match="40 seeds were to be cleaned"):
            store.commit(plan, staged, {}, START)
    assert store.latest() is None
    assert os.listdir(output / "corpus/versions") == []


def test_a_plan_for_an_older_version_is_refused(seeds: Path, output: Path) -> None:
    store = Store(output)
    plan = store.plan(scan(seeds, 1 << 16), FINGERPRINT)
    build(seeds, output)
    with store.writer_lock(), pytest.raises(ValueError, match="plan is for version None"):
        store.commit(plan, [], {}, START)


def test_a_seed_that_changes_while_the_run_goes_on(seeds: Path, output: Path) -> None:
    def writes_meanwhile(raw: bytes, name: str) -> Document:
        if name == "000.txt":
            write_seeds(seeds, {"001.txt": "other bytes"})
        return cleaned(raw, name)

    first = build(seeds, output, clean=writes_meanwhile)
    assert [(row["id"], row["kind"]) for row in first.read("quarantine").to_pylist()] == [("001.txt", "changed")]
    write_seeds(seeds, {"001.txt": TEXTS["001.txt"]})  # as it was when it was scanned
    second = build(seeds, output)
    assert second.seed_bytes("001.txt") == TEXTS["001.txt"].encode()
    assert second.read("quarantine").num_rows == 0


def fail_after(monkeypatch: pytest.MonkeyPatch, name: str, calls: int, code: int) -> None:
    """The os function fails from its n-th call on."""
    function, left = getattr(os, name), [calls]

    def failing(*args: object, **named: object) -> object:
        left[0] -= 1
        if left[0] < 0:
            raise OSError(code, os.strerror(code))
        return function(*args, **named)

    monkeypatch.setattr(os, name, failing)


@pytest.mark.parametrize("calls", [0, 3, 8, 12])
def test_a_full_disk(seeds: Path, output: Path, monkeypatch: pytest.MonkeyPatch, calls: int) -> None:
    first = build(seeds, output)
    write_seeds(seeds, {"000.txt": "new,"})
    with monkeypatch.context() as patch:
        fail_after(patch, "fsync", calls, errno.ENOSPC)
        with pytest.raises(StoreError, match="the disk is full: make room"):
            build(seeds, output)
    assert [version.number for version in Store(output).versions()] == [1]
    assert rows_of(first) == rows_of(Version((output / "latest").resolve()))
    assert build(seeds, output).number == 2


def test_a_file_system_without_hard_links(seeds: Path, output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(merge, "SMALL_PART", 0)
    first = build(seeds, output, max_bytes=1000)
    write_seeds(seeds, {"000.txt": "new,"})
    fail_after(monkeypatch, "link", 0, errno.EPERM)
    second = build(seeds, output, max_bytes=1000)
    assert rows_of(second)["documents"][1:] == rows_of(first)["documents"][1:]
    assert not set(files_of(first).values()) & set(files_of(second).values())


def test_an_output_that_cannot_be_written(seeds: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="a file is in the way"):
        build(seeds, tmp_path / "file")
    (tmp_path / "output/latest").mkdir(parents=True)
    with pytest.raises(StoreError, match="latest is a folder, but must become a link"):
        build(seeds, tmp_path / "output")


def test_damaged_files_are_named(seeds: Path, output: Path) -> None:
    version = build(seeds, output)
    file = version.files("documents")[0]
    os.chmod(file, 0o644)
    content = bytearray(file.read_bytes())
    content[len(content) // 8] ^= 1  # in the compressed texts: only a checksum can tell
    file.write_bytes(content)
    with pytest.raises(StoreError, match="missing or damaged"):
        version.read("documents")
    (version.path / "_manifest.json").write_text("{}")
    with pytest.raises(StoreError, match=r"_manifest.json is missing or damaged"):
        Store(output).plan(scan(seeds, 1 << 16), FINGERPRINT)


def test_a_moved_corpus_stays_whole(seeds: Path, output: Path, tmp_path: Path) -> None:
    expected = rows_of(build(seeds, output))
    moved = tmp_path / "elsewhere"
    output.rename(moved)
    assert len(polars.read_parquet(f"{moved}/latest/documents/*.parquet")) == 40
    newest = Store(moved).latest()
    assert newest is not None
    assert rows_of(newest) == expected


@given(st.lists(st.integers(0, 50), max_size=30), st.integers(1, 60), st.integers(1, 5))
def test_batches_keep_order_and_bounds(sizes: list[int], max_bytes: int, max_seeds: int) -> None:
    seeds = [cleaned(b"x" * size, f"{i:02d}").seed for i, size in enumerate(sizes)]
    made = list(batches(seeds, max_bytes, max_seeds))
    assert [seed for batch in made for seed in batch] == seeds
    for batch in made:
        assert 1 <= len(batch) <= max_seeds
        assert len(batch) == 1 or sum(seed.size for seed in batch) <= max_bytes
    staged = random.Random(len(sizes)).sample(made, len(made) // 2)
    done = [any(seed in batch for batch in staged) for seed in seeds]
    assert list(batches(seeds, max_bytes, max_seeds, done)) == [batch for batch in made if batch not in staged]
