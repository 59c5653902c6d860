"""Seeds that change, or go, between the scan of a run and its reading them: they wait, as those do that are being
written."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from cleaners import PIPELINE, Config, fingerprint, fingerprint_parts
from corpus import recurring
from corpus import seeds as seeds_folder
from corpus.plan import batches
from corpus.records import Reading
from corpus.seed_list import AnySeed
from corpus.store import Staged, Staging, Store, Version, are_staged
from corpus.verify import verify
from flows.tasks import Batch, Cleaned


def story(number: int) -> str:
    return f"第{number}户人家种了{number + 10}亩小麦，今年的收成比去年好了很多，村里人都很高兴。\n"


TEXTS = {f"{letter}.txt": story(number) for number, letter in enumerate("abcd")}
BATCH_BYTES = 2 * len(story(10).encode())  # two seeds


@pytest.fixture
def seeds(tmp_path: Path) -> Path:
    (tmp_path / "seeds").mkdir()
    write(tmp_path / "seeds", TEXTS)
    return tmp_path / "seeds"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "output")


def write(folder: Path, texts: Mapping[str, str]) -> None:
    for name, text in texts.items():
        (folder / name).write_text(text, "utf-8")


def run(
    store: Store, seeds: Path, meddle: Callable[[], object] = lambda: None, config: Config | None = None
) -> Version:
    """What the flow does, without Prefect; `meddle` happens after the scan. The version is verified."""
    config = config or Config()
    made_by = fingerprint(config)
    with store.writer_lock():
        known = store.containers(made_by)
        found = seeds_folder.scan(seeds, config.max_seed_bytes, None, Reading.of(config), known)
        survey = recurring.look(seeds, found, made_by, store.latest(), config)
        plan = store.plan(found, made_by, survey)
        staging = store.staging(made_by)
        meddle()
        staged = staging.finished(plan)
        changed: list[AnySeed] = []
        for number, some in enumerate(batches(plan.to_clean, BATCH_BYTES, done=are_staged(plan, staged)), 1):
            cleaned = clean(Batch(number, seeds, some, staging, config, PIPELINE, {}))
            staged.append(cleaned.staged)
            changed += cleaned.changed
        seeds_folder.close_kept()
        if changed:
            plan = store.without_changed(plan, changed)
            survey = survey.without(frozenset(seed.name for seed in changed))
        version = store.commit(plan, staged, fingerprint_parts(config), datetime.now(UTC), survey=survey)
    assert list(verify(store, version)) == []
    counts = version.manifest.counts
    assert counts["seeds"] == counts["documents"] + counts["quarantined"]
    return version


def clean(batch: Batch) -> Cleaned:
    batch.read()
    batch.settle()
    return batch.stage()


def texts(version: Version) -> dict[str, str]:
    rows = version.read("documents", ["id", "text"]).to_pylist()
    return {row["id"]: row["text"].strip() for row in rows}


def expected(**changed: str) -> dict[str, str]:
    known = TEXTS | {f"{name}.txt": text for name, text in changed.items()}
    return {name: text.strip() for name, text in known.items()}


def counts(version: Version) -> dict[str, int]:
    names = ("added", "changed", "vanished", "unchanged", "renamed", "waiting", "quarantined")
    return {name: version.manifest.counts[name] for name in names if version.manifest.counts[name]}


def test_a_known_seed_keeps_its_rows_until_the_next_run(store: Store, seeds: Path) -> None:
    run(store, seeds)
    write(seeds, {"a.txt": story(11), "b.txt": story(12)})
    second = run(store, seeds, lambda: write(seeds, {"b.txt": story(13)}))
    assert texts(second) == expected(a=story(11))
    assert counts(second) == {"changed": 1, "unchanged": 3, "waiting": 1}
    third = run(store, seeds)
    assert texts(third) == expected(a=story(11), b=story(13))
    assert counts(third) == {"changed": 1, "unchanged": 3}


def test_a_new_seed_waits(store: Store, seeds: Path) -> None:
    first = run(store, seeds, lambda: write(seeds, {"c.txt": story(13)}))
    assert texts(first) == {id: text for id, text in expected().items() if id != "c.txt"}
    assert counts(first) == {"added": 3, "waiting": 1}
    assert texts(run(store, seeds)) == expected(c=story(13))


def test_a_seed_that_goes_stays_for_one_version(store: Store, seeds: Path) -> None:
    run(store, seeds)
    write(seeds, {"a.txt": story(11), "b.txt": story(12)})
    second = run(store, seeds, (seeds / "b.txt").unlink)
    assert texts(second) == expected(a=story(11))
    third = run(store, seeds)
    assert "b.txt" not in texts(third)
    assert counts(third) == {"vanished": 1, "unchanged": 3}


def test_nothing_is_committed_when_all_that_changed_waits(store: Store, seeds: Path) -> None:
    first = run(store, seeds)
    write(seeds, {"b.txt": story(12)})
    assert run(store, seeds, lambda: write(seeds, {"b.txt": story(13)})).number == first.number
    assert texts(run(store, seeds)) == expected(b=story(13))


def test_whole_batches_may_wait(store: Store, seeds: Path) -> None:
    first = run(store, seeds, lambda: write(seeds, {name: story(20 + n) for n, name in enumerate(TEXTS)}))
    assert texts(first) == {}
    assert counts(first) == {"waiting": 4}
    assert len(texts(run(store, seeds))) == 4


def test_with_another_pipeline_the_old_rows_are_of_no_use(store: Store, seeds: Path) -> None:
    run(store, seeds)
    second = run(store, seeds, lambda: write(seeds, {"b.txt": story(12)}), Config(script="t2s"))
    assert "b.txt" not in texts(second)
    row = second.read("quarantine").to_pylist()[0]
    assert (row["id"], row["kind"]) == ("b.txt", "changed")
    assert "next run" in row["reason"]
    assert texts(run(store, seeds, config=Config(script="t2s"))) == expected(b=story(12))


def test_a_seed_that_was_moved_and_then_changes(store: Store, seeds: Path) -> None:
    run(store, seeds)

    def change() -> None:
        write(seeds, {"moved.txt": story(12)})

    (seeds / "b.txt").rename(seeds / "moved.txt")
    # its rows are taken from the version before: it is not read, so this is the next run's
    assert texts(run(store, seeds, change))["moved.txt"] == TEXTS["b.txt"].strip()
    assert texts(run(store, seeds))["moved.txt"] == story(12).strip()
    (seeds / "moved.txt").rename(seeds / "again.txt")

    def change_again() -> None:
        write(seeds, {"again.txt": story(14)})

    other = run(store, seeds, change_again, Config(script="t2s"))
    assert "again.txt" not in texts(other)
    assert counts(other) == {"vanished": 1, "unchanged": 3, "waiting": 1}
    assert texts(run(store, seeds, config=Config(script="t2s")))["again.txt"] == story(14).strip()


def records(*numbers: int) -> str:
    return "".join(json.dumps({"id": str(n % 10), "text": story(n)}, ensure_ascii=False) + "\n" for n in numbers)


@pytest.mark.parametrize("back", [False, True])
def test_a_container_that_changes_is_read_again_as_a_whole(store: Store, seeds: Path, back: bool) -> None:
    write(seeds, {"all.jsonl": records(0, 1, 2)})
    run(store, seeds)
    write(seeds, {"all.jsonl": records(10, 11, 12)})
    second = run(store, seeds, lambda: write(seeds, {"all.jsonl": records(20, 21, 22)}))
    old = {id: text for id, text in texts(second).items() if id.startswith("all.jsonl")}
    assert old == {f"all.jsonl#{n}": story(n).strip() for n in range(3)}
    assert counts(second).get("waiting") in (None, 3)
    last = 10 if back else 20  # also when it comes back to what the scan had found
    write(seeds, {"all.jsonl": records(last, last + 1, last + 2)})
    third = texts(run(store, seeds))
    assert {third[f"all.jsonl#{n}"] for n in range(3)} == {story(last + n).strip() for n in range(3)}


def test_a_container_half_of_which_was_read(store: Store, seeds: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(seeds, {"all.jsonl": records(0, 1, 2, 3)})
    run(store, seeds)
    write(seeds, {"all.jsonl": records(10, 11, 12, 13)})
    stage = Batch.stage

    def staged(batch: Batch) -> Cleaned:
        found = stage(batch)
        write(seeds, {"all.jsonl": records(20, 21, 22, 23)})
        return found

    with monkeypatch.context() as patch:
        patch.setattr(Batch, "stage", staged)
        second = texts(run(store, seeds))
    of_records = [second[f"all.jsonl#{n}"] for n in range(4)]
    assert of_records == [story(n).strip() for n in (10, 11, 2, 3)]
    write(seeds, {"all.jsonl": records(10, 11, 12, 13)})  # the hash that the second run's scan saw
    third = texts(run(store, seeds))
    assert [third[f"all.jsonl#{n}"] for n in range(4)] == [story(n).strip() for n in (10, 11, 12, 13)]


def test_a_killed_run_goes_on_without_what_changed(store: Store, seeds: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(*_: object, **__: object) -> Version:
        raise RuntimeError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(Store, "commit", killed)
        with pytest.raises(RuntimeError):
            run(store, seeds, lambda: write(seeds, {"b.txt": story(12)}))
    written: list[int] = []
    write_tables = Staging.write_tables

    def counted(staging: Staging, tables: Mapping[str, pa.Table]) -> Staged:
        written.append(tables["documents"].num_rows)
        return write_tables(staging, tables)

    monkeypatch.setattr(Staging, "write_tables", counted)
    version = run(store, seeds)
    assert texts(version) == expected(b=story(12))
    assert sum(written) == 1
