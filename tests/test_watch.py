"""What changed in a folder, and whether it is finished."""

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from corpus.plan import Base, known_seeds, make_plan
from corpus.schema import SCHEMA_VERSION, SEED_IDENTITY, SEEDS
from corpus.seed_list import Member, SeedList
from corpus.seeds import KnownContainer, Problem, scan
from corpus.settled import is_settled
from flows.watch import Watcher, listing

LEASES = hasattr(__import__("fcntl"), "F_SETLEASE")


def settled(path: Path, quiet_seconds: float = 0.0) -> bool:
    return is_settled(str(path), os.stat(path), quiet_seconds)


def age(path: Path, seconds: float) -> None:
    """Nothing can set the time of the last change of a file's status: so the clock is what has to wait."""
    time.sleep(seconds)
    assert path.exists()


def test_a_file_is_settled_after_a_while(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("他说")
    assert not settled(file, 0.3)
    age(file, 0.35)
    assert settled(file, 0.3)


@pytest.mark.skipif(not LEASES, reason="leases are Linux's")
def test_a_file_that_is_open_for_writing_is_not_settled_however_old(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    with file.open("w") as stream:
        stream.write("他说")
        stream.flush()
        assert not settled(file)
    assert settled(file)
    with file.open("r"):
        assert settled(file)


def test_a_clock_that_runs_ahead_is_not_waited_for(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("他说")
    age(file, 0.15)
    os.utime(file, (time.time() + 86400, time.time() + 86400))
    assert settled(file, 0.1)


def test_files_that_are_being_written_wait(tmp_path: Path) -> None:
    (tmp_path / "old.txt").write_text("旧")
    age(tmp_path / "old.txt", 0.35)
    (tmp_path / "new.txt").write_text("新")
    found = scan(tmp_path, 1000, quiet_seconds=0.3)
    assert [seed.name for seed in found.seeds] == ["old.txt"]
    assert found.waiting == ("new.txt",)
    everything = scan(tmp_path, 1000)
    assert [seed.name for seed in everything.seeds] == ["new.txt", "old.txt"]
    assert everything.waiting == ()


def test_what_waits_stays_as_the_corpus_has_it(tmp_path: Path) -> None:
    rows = [
        ("bad.txt", "1" * 64, 3, "quarantined", "binary", None),
        ("changed.txt", "0" * 64, 3, "document", None, None),
        ("large.txt", None, 5000, "quarantined", "too_large", None),
    ]
    known = pa.table([pa.array(column) for column in zip(*rows, strict=True)], SEED_IDENTITY)
    known = known.cast(pa.schema([SEEDS.field(name).remove_metadata() for name in SEED_IDENTITY]))
    for name in (*known["id"].to_pylist(), "new.txt"):
        (tmp_path / name).write_text("新的")
    found = scan(tmp_path, 1000, quiet_seconds=30)
    assert len(found.waiting) == 4
    plan = make_plan(found, "f", Base(1, "f", SCHEMA_VERSION, known_seeds([known])))
    assert plan.empty
    assert (plan.unchanged, plan.vanished, plan.added, len(plan.scan.waiting)) == (3, 0, 0, 4)
    # rows of another pipeline are of no use: these seeds are accounted for, and cleaned by the next run
    plan = make_plan(found, "another", Base(1, "f", SCHEMA_VERSION, known_seeds([known])))
    assert {problem.id for problem in plan.problems} == set(known["id"].to_pylist())
    assert all(isinstance(problem, Problem) and problem.kind == "changed" for problem in plan.problems)
    assert plan.vanished == 0


def test_a_listing_sees_every_change(tmp_path: Path) -> None:
    seeds, corpus = tmp_path / "seeds", tmp_path / "seeds" / "output"
    corpus.mkdir(parents=True)
    seen = set()

    def look() -> str:
        found = listing(seeds, corpus)
        assert found is not None
        return found.digest

    seen.add(look())
    (seeds / "a.txt").write_text("一")
    seen.add(look())
    (seeds / "a.txt").write_text("二")
    seen.add(look())
    os.rename(seeds / "a.txt", seeds / "b.txt")
    seen.add(look())
    (seeds / "deep").mkdir()
    os.rename(seeds / "b.txt", seeds / "deep" / "b.txt")
    seen.add(look())
    (seeds / "deep" / "b.txt").unlink()
    assert len(seen) == 5
    before = look()
    (seeds / ".hidden").write_text("三")
    (corpus / "part.parquet").write_text("四")
    assert look() == before
    os.symlink(seeds, seeds / "deep" / "loop")
    assert look() == before
    assert listing(tmp_path / "none") is None
    assert listing(seeds, stopped=lambda: True) is None


@pytest.fixture(params=[None, 0.1], ids=["events", "polling"])
def watched(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Path, Watcher, threading.Event]]:
    seeds, woken = tmp_path / "seeds", threading.Event()
    (seeds / "output").mkdir(parents=True)
    watcher = Watcher(seeds, seeds / "output", woken.set, request.param)
    watcher.start()
    time.sleep(0.5)
    yield seeds, watcher, woken
    watcher.stop()


def until(condition: object, seconds: float = 10.0) -> None:
    assert callable(condition)
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_changes_are_noticed_and_taken_when_finished(watched: tuple[Path, Watcher, threading.Event]) -> None:
    seeds, watcher, woken = watched
    (seeds / ".hidden.txt").write_text("无")
    (seeds / "output" / "part").write_text("无")
    time.sleep(0.5)
    assert not watcher.pending()
    (seeds / "a.txt").write_text("有")
    until(watcher.pending)
    assert woken.is_set()
    until(lambda: watcher.ready(0.3, 60))
    assert watcher.take(0.3) >= 1
    until(lambda: not watcher.ready(0.3, 60))
    os.rename(seeds / "a.txt", seeds / "b.txt")
    until(lambda: watcher.ready(0.1, 60))
    watcher.take(0.0)
    (seeds / "b.txt").unlink()
    until(lambda: watcher.ready(0.1, 60))


@pytest.mark.skipif(not LEASES, reason="leases are Linux's")
def test_a_file_that_is_written_slowly_holds_nothing_up_for_ever(
    watched: tuple[Path, Watcher, threading.Event],
) -> None:
    seeds, watcher, _ = watched
    with (seeds / "slow.txt").open("w") as stream:
        stream.write("慢")
        stream.flush()
        until(watcher.pending)
        time.sleep(0.3)
        assert not watcher.ready(0.1, 0.0)  # nothing is finished
        (seeds / "quick.txt").write_text("快")
        until(lambda: watcher.ready(0.1, 0.2))
        watcher.take(0.1)
        assert watcher.pending()  # the slow one
        assert not watcher.ready(0.1, 0.0)
    until(lambda: watcher.ready(0.1, 60))


def test_a_folder_that_is_replaced_is_watched_again(watched: tuple[Path, Watcher, threading.Event]) -> None:
    seeds, watcher, _ = watched
    os.rename(seeds, seeds.with_name("away"))
    seeds.mkdir()
    until(watcher.pending)
    time.sleep(3)
    watcher.take(0.0)
    (seeds / "a.txt").write_text("有")
    until(watcher.pending)


def test_a_container_that_is_being_written_stays_as_the_corpus_has_it(tmp_path: Path) -> None:
    one = Member("all.jsonl#1", "1" * 64, 3, "all.jsonl", 0, 0)
    known = {"all.jsonl": KnownContainer("0" * 64, SeedList.of([one]), ())}
    (tmp_path / "all.jsonl").write_text('{"text": "新的"}\n', "utf-8")
    found = scan(tmp_path, 1000, known=known, quiet_seconds=30)
    assert found.seeds == known["all.jsonl"].seeds
    assert found.containers == {"all.jsonl": "0" * 64}
    assert found.waiting == ("all.jsonl",)
    assert scan(tmp_path, 1000, quiet_seconds=30).seeds == ()
