"""The thread that writes a batch while the next one is cleaned: what it makes, and what becomes of its errors."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from corpus_samples import write_seeds

from cleaners import Config
from corpus.store import Staging, Store, StoreError
from flows import tasks
from flows.batch import Batch
from flows.build import build_corpus


class Watched:
    """Stands in for cleaning and writing: notes what is done when, and by which thread."""

    def __init__(self, patch: pytest.MonkeyPatch, slow: str = "", fails: int = -1) -> None:
        self.events: list[tuple[str, int]] = []
        self.threads: set[str] = set()
        self.most_waiting = self._waiting = 0
        self._slow, self._fails = slow, fails
        patch.setattr(tasks, "clean_unwritten", self.clean)
        patch.setattr(tasks, "_write", self.write)

    def clean(self, batch: Any) -> None:
        self._waiting += 1
        self.most_waiting = max(self.most_waiting, self._waiting)
        self._done("clean", batch.number)

    def write(self, batch: Any) -> int:
        self.threads.add(threading.current_thread().name)
        if batch.number == self._fails:
            raise StoreError("the disk is full")
        self._done("write", batch.number)
        self._waiting -= 1
        return int(batch.number)

    def _done(self, what: str, number: int) -> None:
        if self._slow == what:
            time.sleep(0.01)
        self.events.append((what, number))


def batches(count: int) -> Iterator[Any]:
    return (SimpleNamespace(number=number) for number in range(count))


@pytest.mark.parametrize("slow", ["clean", "write"])
def test_batches_come_in_their_order_whatever_is_slower(monkeypatch: pytest.MonkeyPatch, slow: str) -> None:
    watched = Watched(monkeypatch, slow)
    made: list[Any] = list(tasks.clean_and_write(batches(8)))
    assert made == list(range(8))
    assert [number for what, number in watched.events if what == "write"] == list(range(8))
    assert watched.most_waiting <= 2  # one that is cleaned, one that is written
    assert watched.threads.isdisjoint({threading.current_thread().name})
    assert list(tasks.clean_and_write(batches(0))) == []


@pytest.mark.parametrize("fails", [0, 3, 7])
def test_an_error_of_the_thread_ends_the_run(monkeypatch: pytest.MonkeyPatch, fails: int) -> None:
    watched = Watched(monkeypatch, fails=fails)
    made: list[Any] = []
    with pytest.raises(StoreError, match="the disk is full"):
        made.extend(tasks.clean_and_write(batches(8)))
    assert ("write", fails) not in watched.events
    # at most the batch that was being cleaned meanwhile: nothing is cleaned for nobody
    assert [number for what, number in watched.events if what == "clean"] == list(range(min(fails + 2, 8)))
    assert not [one for one in threading.enumerate() if one.name.startswith("writing")]


def test_an_error_of_a_batch_leaves_the_one_before_written(monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Watched(monkeypatch, slow="write")

    def some() -> Iterator[Any]:
        yield from batches(3)
        raise ValueError("no more")

    with pytest.raises(ValueError, match="no more"):
        list(tasks.clean_and_write(some()))
    assert [number for what, number in watched.events if what == "write"] == [0, 1, 2]


def test_a_run_whose_batch_cannot_be_written_says_so_and_goes_on_next_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seeds, output = tmp_path / "seeds", tmp_path / "output"
    write_seeds(
        seeds, {f"{number}.txt": f"第{number}篇文章。今天是个好天气，我们去了北岭村。\n" * 9 for number in range(6)}
    )
    write = Staging.write_tables
    written: list[int] = []

    def full(self: Staging, tables: Any) -> Any:
        written.append(threading.get_ident())
        if len(written) == 3:
            raise StoreError("cannot write the corpus: the disk is full")
        return write(self, tables)

    with monkeypatch.context() as patch:
        patch.setattr(Staging, "write_tables", full)
        with pytest.raises(StoreError, match="the disk is full"):
            build_corpus(seeds, output, Config(), batch_bytes=600)
    assert threading.get_ident() not in written
    assert Store(output).latest() is None
    done = build_corpus(seeds, output, Config(), batch_bytes=600)
    assert done.counts["documents"] == 6
    version = Store(output).latest()
    assert version is not None
    whole = build_corpus(seeds, tmp_path / "whole", Config())
    other = Store(tmp_path / "whole").latest()
    assert other is not None
    assert whole.counts["documents"] == 6
    assert version.manifest.content_id == other.manifest.content_id
    assert version.read("documents").sort_by("id") == other.read("documents").sort_by("id")


def test_slices_of_one_process_leave_nothing_behind(tmp_path: Path) -> None:
    from cleaners import PIPELINE
    from corpus.seeds import scan

    write_seeds(tmp_path / "seeds", {f"{number}.txt": "今天是个好天气，我们去了北岭村。\n" * 9 for number in range(3)})
    found = list(scan(tmp_path / "seeds", 1 << 20).seeds)
    batch = Batch(2, tmp_path / "seeds", found, Staging(tmp_path / "staging"), Config(), PIPELINE, {})
    tasks._clean(batch)
    assert [one.name for one in (tmp_path / "staging").iterdir()] == [".slice-2-1"]
    made = tasks._write(batch)
    assert made.staged.documents == 3
    assert [one.name for one in (tmp_path / "staging").iterdir()] == [made.staged.folder.name]
