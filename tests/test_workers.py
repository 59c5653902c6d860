"""Worker processes: they make what one process makes; and what happens when one of them, or the run, is killed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from running import JINGWEN, SEEDS

from cleaners import PIPELINE, Config
from corpus import parts
from corpus.seeds import scan
from corpus.store import Staging, Store, StoreError
from flows import batch as batches
from flows import cli
from flows.batch import Batch, cleaned_slice, staged
from flows.fork_server import Pool
from flows.shown import HeldElsewhere
from flows.workers import WorkersError, apart

SECONDS = 60
needs_proc = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="the system has no /proc")
TEXT = (SEEDS / "000_7a90f4b8974d9dc7.txt").read_bytes()


def _batch(output: Path) -> Batch:
    staging = Staging(output)
    return Batch(1, SEEDS, list(scan(SEEDS, 1 << 20).seeds), staging, Config(), PIPELINE, {})


def test_what_takes_memory_has_a_process_of_its_own(tmp_path: Path) -> None:
    assert apart(os.getpid) != os.getpid()
    with pytest.raises(StoreError, match="missing or damaged"):
        apart(parts.read, [tmp_path / "part.parquet"], "documents")
    with pytest.raises(WorkersError, match="run again"):
        apart(os._exit, 1)


def test_a_script_is_not_run_again_by_a_process_of_its_own(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text("import os\nfrom flows.workers import apart\nprint(apart(os.getpid) != os.getpid())\n")
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=SECONDS)
    assert (done.stdout, done.returncode) == ("True\n", 0)


def test_slices_of_others_are_written_as_one_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = _batch(tmp_path / "one")
    whole.clean(whole.steps())
    known = whole.stage().staged
    monkeypatch.setattr(batches, "SLICE_BYTES", 5_000)
    apart = _batch(tmp_path / "other")
    parts = list(enumerate(apart.slices(), 1))
    assert len(parts) > 2
    made = {place: cleaned_slice(part, place) for place, part in reversed(parts)}  # in any order
    for place, _ in parts:
        apart.take(made[place])
    written = staged(apart.staging, apart.finished).staged
    assert written.tables == known.tables
    assert [path.name for path in (tmp_path / "other").iterdir()] == [known.folder.name]  # no slice is left
    assert apart.bytes == sum(path.stat().st_size for path in SEEDS.iterdir())
    assert apart.seconds.keys() == whole.seconds.keys()


def test_a_slice_that_another_process_holds_is_cleaned_alike(tmp_path: Path) -> None:
    whole = _batch(tmp_path / "one")
    counts = [whole.take_step(one) for one in whole.steps()]
    whole.make_rows()
    known = whole.stage().staged
    apart = _batch(tmp_path / "other")
    held = HeldElsewhere(apart, Pool(1))
    assert [held.read(), *map(held.advance, held.pipeline), held.settle()] == counts
    apart.take(held.cleaned(1))
    assert staged(apart.staging, apart.finished).staged.tables == known.tables
    assert apart.seconds.keys() == whole.seconds.keys()
    assert apart.drafts == []  # none came here


def test_workers_do_not_load_prefect() -> None:
    code = "import sys, flows.worker; print('prefect' in sys.modules, 'corpus.store' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True"]


@needs_proc
def test_what_workers_are_copies_of_has_no_threads_but_those_of_libraries_that_expect_it() -> None:
    """numpy and Arrow, as they are when they are imported."""
    code = "import os, numpy, pyarrow; a = len(os.listdir('/proc/self/task')); import flows.worker; "
    code += "print(len(os.listdir('/proc/self/task')) - a)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "0"


def _children(pid: int) -> list[int]:
    lists = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(one) for file in lists for one in file.read_text().split()]


def _workers(pid: int) -> list[int]:
    """The fork server's children: only they have the batch that is being cleaned."""
    return [worker for child in _children(pid) for worker in _children(child)]


def _until(found: Callable[[], object]) -> None:
    for _ in range(SECONDS * 20):
        if found():
            return
        time.sleep(0.05)
    raise AssertionError("it did not come about")


@pytest.fixture
def run(tmp_path: Path, server: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """A run with two workers that clean."""
    (tmp_path / "seeds").mkdir()
    for number in range(400):
        (tmp_path / "seeds" / f"{number:04}.txt").write_bytes(TEXT + str(number).encode())
    process = subprocess.Popen(
        [str(JINGWEN), "build", "--workers", "2", "--batch-bytes", "100000"],
        env=server,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    staging = tmp_path / "output" / "corpus" / ".staging"
    _until(lambda: list(staging.glob("*/[!.]*")) or process.poll() is not None)
    yield process
    process.kill()
    process.communicate()


@needs_proc
def test_a_worker_is_killed(run: subprocess.Popen[str], tmp_path: Path) -> None:
    os.kill(_workers(run.pid)[0], signal.SIGKILL)
    _, errors = run.communicate(timeout=SECONDS)
    assert run.returncode == cli.FAILED
    assert errors.startswith("Failed: a worker process died")
    assert "Traceback" not in errors
    assert Store(tmp_path / "output").latest() is None


@needs_proc
def test_the_run_is_killed(run: subprocess.Popen[str], tmp_path: Path) -> None:
    """Its workers end, too; the next run goes on where it stopped."""
    workers = _workers(run.pid)
    assert workers
    run.kill()
    run.wait(SECONDS)
    _until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers))
    assert Store(tmp_path / "output").latest() is None
    with Store(tmp_path / "output").writer_lock():
        pass
