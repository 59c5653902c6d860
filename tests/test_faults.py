"""Faults: kills at random times, a disk that is really full, two runs at once, damaged files. After each, the last
good version is whole, and the next run carries on.  benchmarks/kills.py does the same a hundred times and more."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import polars
import pytest
from corpus_samples import build, write_seeds

from corpus import merge, upkeep
from corpus.store import Store, StoreError, Version
from corpus.verify import verify

HERE = Path(__file__).parent
TEXTS = {f"{i:03d}.txt": f"来源新华社\n第{i}篇,一,二,{'字' * i}。" for i in range(40)}
ENVIRONMENT = {**os.environ, "PYTHONPATH": f"{HERE.parent}:{HERE}"}

BUILD = """
import sys, time
from pathlib import Path
from corpus_samples import build, cleaned

def slowly(raw, name):
    time.sleep(0.005)
    return cleaned(raw, name)

print("begins", flush=True)
build(Path(sys.argv[1]), Path(sys.argv[2]), max_bytes=300, clean=slowly)
"""

UPKEEP = """
import os, signal, sys
from corpus import upkeep
from corpus.store import Store

left = int(sys.argv[3])

def deadly(function):
    def called(*args, **named):
        global left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*args, **named)
    return called

for name in ("fsync", "rename", "replace", "link", "symlink", "mkdir", "unlink", "rmdir", "ftruncate"):
    setattr(os, name, deadly(getattr(os, name)))
store = Store(sys.argv[1])
with store.writer_lock():
    {"compact": lambda: upkeep.compact(store), "rollback": lambda: upkeep.rollback(store, 1),
     "expire": lambda: upkeep.expire(store, 1)}[sys.argv[2]]()
"""


@pytest.fixture
def seeds(tmp_path: Path) -> Path:
    write_seeds(tmp_path / "seeds", dict(TEXTS))
    return tmp_path / "seeds"


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "output"


def whole(output: Path) -> Version:
    """The newest version, after it was found whole, as were all others."""
    store = Store(output)
    newest = store.latest()
    assert newest is not None
    for version in store.versions():
        assert [problem for problem in verify(store, version) if "latest" not in problem] == []
    visible = polars.read_parquet(f"{output}/latest/documents/*.parquet")["id"].to_list()
    assert len(set(visible)) == len(visible)
    return newest


def test_killed_again_and_again_at_random_times(seeds: Path, output: Path) -> None:
    build(seeds, output)
    write_seeds(seeds, {name: text + "新,的" for name, text in TEXTS.items()})
    (seeds / "007.txt").unlink()
    (seeds / "008.txt").rename(seeds / "moved.txt")
    choose = random.Random(6)
    kills = 0
    for attempt in range(40):
        command = [sys.executable, "-c", BUILD, str(seeds), str(output)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, env=ENVIRONMENT) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(choose.uniform(0, 0.02 * (attempt + 1)))  # early ones first: a fast machine is soon done
            process.send_signal(signal.SIGKILL)
        kills += process.returncode == -signal.SIGKILL
        if whole(output).number == 2:
            break
    assert kills >= 3
    newest = whole(output) if Store(output).versions()[-1].number == 2 else build(seeds, output)
    assert newest.number == 2
    assert sorted(newest.seeds()) == sorted({*TEXTS, "moved.txt"} - {"007.txt", "008.txt"})
    assert build(seeds, output).number == 2


@pytest.mark.parametrize("what", ["compact", "rollback", "expire"])
@pytest.mark.parametrize("step", [3, 14, 30])
def test_upkeep_is_killed(seeds: Path, output: Path, what: str, step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(merge, "SMALL_PART", 0)
        build(seeds, output, max_bytes=1000)
        write_seeds(seeds, {"000.txt": "new,"})
        before = build(seeds, output, max_bytes=1000).manifest.content_id
    first = Store(output).version(1).manifest.content_id
    command = [sys.executable, "-c", UPKEEP, str(output), what, str(step)]
    code = subprocess.run(command, env=ENVIRONMENT, check=False).returncode
    assert code in (0, -signal.SIGKILL)
    assert whole(output).manifest.content_id in ({before, first} if what == "rollback" else {before})
    store = Store(output)
    with store.writer_lock():
        if what == "expire":
            upkeep.expire(store, 1)
            assert [one.number for one in store.versions()] == [2]
        elif what == "compact":
            assert len(upkeep.compact(store).files("documents")) == 1
        elif whole(output).manifest.content_id != first:
            upkeep.rollback(store, 1)
    names = os.listdir(output / "corpus" / "versions")
    assert not [name for name in names if name.startswith(".")]
    assert whole(output).manifest.content_id == (first if what == "rollback" else before)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 600 kB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=600k", "tmpfs", str(folder)]
    if sys.platform != "linux" or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("mounting a file system is not permitted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_disk_that_is_really_full(seeds: Path, small_disk: Path) -> None:
    output = small_disk / "output"
    build(seeds, output)
    choose = random.Random(1)
    write_seeds(seeds, {"large": "".join(chr(choose.randrange(0x4E00, 0x9FA6)) for _ in range(300_000))})
    with pytest.raises(StoreError, match="the disk is full: make room and run again; the newest version is unharmed"):
        build(seeds, output, max_seed_bytes=1 << 21)
    assert whole(output).number == 1
    subprocess.run(["mount", "-o", "remount,size=20m", str(small_disk)], check=True)
    assert build(seeds, output, max_seed_bytes=1 << 21).number == 2
    assert "large" in whole(output).seeds()


def test_a_disk_that_became_read_only(seeds: Path, small_disk: Path) -> None:
    output = small_disk / "output"
    build(seeds, output)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(StoreError, match="the file system is read-only: choose another output folder"):
        build(seeds, output)
    assert whole(output).number == 1


def test_two_runs_at_once(seeds: Path, output: Path) -> None:
    command = [sys.executable, "-c", BUILD, str(seeds), str(output)]
    runs = [subprocess.Popen(command, stderr=subprocess.PIPE, env=ENVIRONMENT, text=True) for _ in range(3)]
    errors = [run.communicate(timeout=60)[1] for run in runs]
    assert any(run.returncode == 0 for run in runs)
    for run, error in zip(runs, errors, strict=True):
        assert run.returncode == 0 or "is writing to" in error
    assert whole(output).number == 1
    assert len(whole(output).seeds()) == 40


def test_what_to_do_with_a_damaged_manifest(seeds: Path, output: Path) -> None:
    build(seeds, output)
    write_seeds(seeds, {"000.txt": "new,"})
    second = build(seeds, output)
    (second.path / "_manifest.json").unlink()
    with pytest.raises(StoreError, match="move the version's folder away to go on from the one before"):
        build(seeds, output)
    second.path.rename(output / "away")  # as it said
    assert build(seeds, output).number == 2
    assert whole(output).document("000.txt").text == "new，"


def test_a_damaged_part_stops_a_run_that_needs_it(seeds: Path, output: Path) -> None:
    first = build(seeds, output)
    file = first.files("edits")[0]
    os.chmod(file, 0o644)
    file.write_bytes(file.read_bytes()[:-100])
    write_seeds(seeds, {"000.txt": "new,"})
    with pytest.raises(StoreError, match=r"a file of .*edits is missing or damaged: restore it from a copy"):
        build(seeds, output)
    assert [version.number for version in Store(output).versions()] == [1]
    assert polars.read_parquet(f"{output}/latest/documents/*.parquet").height == 40
