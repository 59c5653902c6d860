"""A document that takes too long ends in quarantine, and no other with it."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from running import SEEDS

from cleaners import PIPELINE, Cleaner, Config, Draft, Edit, Stopwatch, clean, stopwatch
from corpus.seeds import scan
from corpus.store import Store
from flows.tasks import Batch, Cleaned

LIMIT = 0.4  # seconds of CPU time; the five seeds take a tenth of it


def _stuck(text: str, config: Config) -> Iterator[Edit]:
    """A cleaner that does not come back from one text."""
    if text.startswith("無限"):
        while True:
            text.count("無")
    return
    yield


def _slow(text: str, config: Config) -> Iterator[Edit]:
    if text.startswith("無限"):
        start = time.thread_time()
        while time.thread_time() - start < 2 * LIMIT:
            text.count("無")
    return
    yield


@pytest.fixture
def seeds(tmp_path: Path) -> Path:
    folder = tmp_path / "seeds"
    folder.mkdir()
    for path in SEEDS.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    (folder / "002b.txt").write_text("無限的句子。\n", "utf-8")
    return folder


def _cleaned(seeds: Path, output: Path, cleaner: Cleaner) -> Cleaned:
    config = Config(max_seconds=LIMIT)
    pipeline = (cleaner, *PIPELINE)
    store = Store(output)
    with store.writer_lock():
        batch = Batch(1, seeds, scan(seeds, 1 << 20).seeds, store.staging("0" * 64), config, pipeline, {})
        batch.read()
        for one in pipeline:
            batch.advance(one)
        batch.settle()
        return batch.stage()


def test_a_cleaner_that_does_not_come_back_is_interrupted(seeds: Path, tmp_path: Path) -> None:
    for path in SEEDS.iterdir():
        clean(path.read_bytes())  # rules and tables are loaded: that is no document's time
    done = _cleaned(seeds, tmp_path / "output", Cleaner("stuck", _stuck))
    rows = done.staged.seeds().to_pylist()
    assert {row["id"]: row["kind"] for row in rows if row["outcome"] == "quarantine"} == {"002b.txt": "too_slow"}
    assert done.staged.documents == 5
    assert done.slowest[0].id == "002b.txt"
    assert done.slowest[0].seconds >= LIMIT


def test_in_another_thread_the_next_cleaner_does_not_start(seeds: Path, tmp_path: Path) -> None:
    for path in SEEDS.iterdir():
        clean(path.read_bytes())
    found: list[Cleaned] = []
    thread = threading.Thread(target=lambda: found.append(_cleaned(seeds, tmp_path / "output", Cleaner("slow", _slow))))
    thread.start()
    thread.join()
    rows = found[0].staged.seeds().to_pylist()
    assert {row["id"]: row["kind"] for row in rows if row["outcome"] == "quarantine"} == {"002b.txt": "too_slow"}


def test_the_reason_says_what_to_do() -> None:
    config = Config(max_seconds=0.001)
    draft = Draft("無限的句子。\n".encode(), "a.txt", config)
    draft.advance(Cleaner("slow", _slow), config)
    assert draft.quarantine is not None
    assert draft.quarantine.kind == "too_slow"
    assert "0.001 s" in draft.quarantine.reason
    assert draft.finish(config).quarantine == draft.quarantine


def test_a_limit_must_be_positive() -> None:
    with pytest.raises(ValueError, match="max_seconds"):
        Config(max_seconds=0)


def test_a_stopwatch_counts_work_and_no_sleep() -> None:
    watch = Stopwatch()
    start = time.thread_time()
    while time.thread_time() - start < 0.02:
        pass
    assert 0.02 <= watch.lap() < 0.2
    time.sleep(0.05)
    assert watch.lap() < 0.04
    short = [watch.lap() for _ in range(100)]
    assert all(lap >= 0 for lap in short)
    assert sum(short) > 0
    assert watch.cpu <= time.thread_time() + 100 * stopwatch.SHORT
