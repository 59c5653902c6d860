"""`jingwen serve`, with a server of its own and with a configured one."""

import json
import os
import signal
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyarrow.parquet as pq
import pytest
import yaml  # type: ignore[import-untyped]
from click.testing import CliRunner
from conftest import answers, free_port
from prefect.flows import load_flow_from_entrypoint
from running import JINGWEN, ROOT, SEEDS, jingwen

from corpus.store import Store, StoreError
from flows import cli
from flows.build import build_corpus
from flows.deployment import ARRIVED, resource
from flows.entry import INTERRUPTED
from flows.serve import only_one
from flows.serve_commands import Duration, default_name

LONGEST_SECONDS = 90.0


def until(condition: Callable[[], object], log: Path) -> None:
    deadline = time.monotonic() + LONGEST_SECONDS
    while not condition():
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.05)


@contextmanager
def serving(folder: Path, environment: dict[str, str], *options: str) -> Iterator[subprocess.Popen[bytes]]:
    command = [str(JINGWEN), "serve", "seeds", *options]
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=subprocess.STDOUT)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
            process.wait(30)


def ids(folder: Path) -> set[str]:
    newest = Path(os.path.realpath(folder / "output" / "latest")) / "documents"
    return {id for file in newest.glob("*") for id in pq.read_table(file, columns=["id"])["id"].to_pylist()}


def drop(folder: Path, name: str) -> None:
    text = f"{name}号村的村民说:“路修好了,出行方便了。”大家都很高兴。\n" * 3
    (folder / "seeds" / f".{name}").write_text(text, "utf-8")
    os.rename(folder / "seeds" / f".{name}", folder / "seeds" / name)


def children(pid: int) -> dict[str, int]:
    """Name of the module -> process, of those that a process started."""
    found = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in map(int, (task / "children").read_text().split()):
            words = Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0")
            found[words[2].decode()] = child
    return found


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def ask(api: str, path: str, **body: Any) -> Any:
    request = urllib.request.Request(api + path, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def emit(api: str, about: str) -> None:
    """Emits `seeds.arrived`, as any client can."""
    event = {
        "id": str(uuid4()),
        "occurred": datetime.now(UTC).isoformat(),
        "event": ARRIVED,
        "resource": {"prefect.resource.id": about},
    }
    content = json.dumps([event]).encode()
    request = urllib.request.Request(api + "/events", content, {"Content-Type": "application/json"})
    urllib.request.urlopen(request, timeout=30).close()


@contextmanager
def locked(store: Store, log: Path) -> Iterator[None]:
    """Holds the writer's lock, as soon as nobody else does."""
    with ExitStack() as stack:

        def got() -> bool:
            with suppress(StoreError):
                stack.enter_context(store.writer_lock())
                return True
            return False

        until(got, log)
        yield


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "seeds").mkdir()
    drop(tmp_path, "first.txt")
    return tmp_path


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="looks at /proc")
def test_with_a_server_of_its_own(project: Path, prefect_environment: dict[str, str]) -> None:
    port, log = free_port(), project / "log"
    options = ("--port", str(port), "--every", "1h")
    base = f"http://127.0.0.1:{port}"
    with serving(project, prefect_environment, *options) as process:
        until(lambda: "first.txt" in ids(project), log)
        # an arrival and a move: the next version has both
        drop(project, "second.txt")
        os.rename(project / "seeds" / "first.txt", project / "seeds" / "moved.txt")
        until(lambda: ids(project) == {"second.txt", "moved.txt"}, log)
        # they are runs of a deployment, with a schedule, and the UI can be opened
        every = ask(base + "/api", "/flow_runs/filter", sort="START_TIME_DESC")
        # the other tests' runs are in the same database
        runs = [run for run in every if run["parameters"]["seeds"] == str(project / "seeds")]
        assert "COMPLETED" in {run["state_type"] for run in runs}
        assert all(run["deployment_id"] for run in runs)
        assert {run["state_type"] for run in runs} <= {"COMPLETED", "SCHEDULED", "RUNNING", "PENDING"}
        assert answers(base)
        assert json.load(urllib.request.urlopen(f"{base}/ui-settings", timeout=10))["api_url"] == "/api"
        # Prefect's server and the warm process die: they are started again, and runs go on
        family = children(process.pid)
        assert family.keys() == {"flows.own_server", "flows.warm"}
        for child in family.values():
            os.kill(child, signal.SIGKILL)
        drop(project, "third.txt")
        until(lambda: "third.txt" in ids(project), log)
        # it dies itself: what it started goes, too
        family = children(process.pid)
        process.kill()
        process.wait(30)
        until(lambda: all(map(gone, family.values())), log)
    assert "Traceback" not in log.read_text()


def test_failures_and_events(project: Path, server: dict[str, str]) -> None:
    log = project / "log"
    told = project / "told.sh"
    told.write_text("#!/bin/sh\ncat >> told.json\necho >> told.json\n")
    told.chmod(0o755)
    options = ("--retries", "1", "--retry-after", "0.2s", "--on-failure", str(told), "--name", "mine")
    store = Store(project / "output")
    with serving(project, server, *options) as process:
        until(lambda: "first.txt" in ids(project), log)
        # somebody else writes for a while: runs fail, are tried again, and it is told once
        with locked(store, log):
            drop(project, "second.txt")
            until((project / "told.json").exists, log)
        until(lambda: "second.txt" in ids(project), log)
        until(lambda: "recovered" in (project / "told.json").read_text(), log)
        notes = [json.loads(line) for line in (project / "told.json").read_text("utf-8").splitlines() if line]
        assert [note["event"] for note in notes] == ["failed", "recovered"]
        assert "failed 2 times" in notes[0]["message"]
        assert "is writing to" in notes[0]["message"]
        assert notes[0]["url"].startswith(server["PREFECT_API_URL"].removesuffix("/api"))
        # an event of anyone starts a run, too
        before = ask(server["PREFECT_API_URL"], "/flow_runs/count", deployments={"name": {"any_": ["mine"]}})
        emit(server["PREFECT_API_URL"], resource("mine"))
        until(
            lambda: (
                ask(server["PREFECT_API_URL"], "/flow_runs/count", deployments={"name": {"any_": ["mine"]}}) > before
            ),
            log,
        )
        process.kill()
        process.wait(30)
    # what arrives while it is down is found by the run at its start
    drop(project, "third.txt")
    with serving(project, server, *options) as process:
        until(lambda: "third.txt" in ids(project), log)
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == INTERRUPTED
    assert log.read_text().rstrip().endswith("Interrupted. The corpus is as it was.")
    assert "Traceback" not in log.read_text()


def test_stopping_ends_a_run_that_goes_on(project: Path, server: dict[str, str]) -> None:
    text = (SEEDS / "000_7a90f4b8974d9dc7.txt").read_bytes()
    for number in range(1500):
        (project / "seeds" / f"{number:04}.txt").write_bytes(text + str(number).encode())
    with serving(project, server, "--name", "stopped") as process:
        staging = project / "output" / "corpus" / ".staging"
        until(staging.exists, project / "log")
        start = time.monotonic()
        process.terminate()
        assert process.wait(30) == 0
        assert time.monotonic() - start < 10
    assert Store(project / "output").latest() is None
    runs = ask(
        server["PREFECT_API_URL"], "/flow_runs/filter", deployments={"name": {"any_": ["stopped"]}}, flow_runs={}
    )
    assert [run["state_type"] for run in runs] == ["CANCELLED"]
    assert "Traceback" not in (project / "log").read_text()


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("30s", 30), ("10m", 600), ("1.5h", 5400), ("1d", 86400), ("soon", None)]
)
def test_durations(text: str, seconds: float | None) -> None:
    if seconds is None:
        done = CliRunner().invoke(cli.main, ["serve", "--every", text])
        assert done.exit_code == cli.MISUSED
        assert "no duration" in done.output
    else:
        assert Duration().convert(text, None, None) == seconds


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--cron", "* * * * *", "--every", "1h"], "exclude"),
        (["--cron", "every day"], "cron"),
        (["--webhook", "file:///etc/passwd"], "http"),
        (["--on-failure", "'open"], "no command"),
    ],
)
def test_options_that_are_refused(options: list[str], reason: str, tmp_path: Path) -> None:
    (tmp_path / "seeds").mkdir()
    done = CliRunner().invoke(cli.main, ["serve", str(tmp_path / "seeds"), "--output", str(tmp_path / "o"), *options])
    assert done.exit_code == cli.MISUSED
    assert reason in done.output


def test_it_says_why_it_cannot_begin(tmp_path: Path, server: dict[str, str]) -> None:
    folder, output = tmp_path / "none", tmp_path / "output"
    command = ["serve", str(folder), "--output", str(output)]
    refused = CliRunner().invoke(cli.main, command)
    assert refused.exit_code == cli.FAILED
    assert "cannot read the seeds folder" in refused.output
    folder.mkdir()
    with only_one(output):
        refused = CliRunner().invoke(cli.main, command)
    assert refused.exit_code == cli.FAILED
    assert f"another process serves {output} already" in refused.output
    silent = server | {"PREFECT_API_URL": "http://127.0.0.1:9/api"}
    done = jingwen("serve", "none", env=silent, cwd=tmp_path)
    assert done.returncode == cli.FAILED
    assert "does not answer" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_home_that_cannot_be_written_to(project: Path, prefect_environment: dict[str, str]) -> None:
    home = project / "home"
    home.write_text("not a folder")
    done = jingwen("serve", "seeds", env=prefect_environment | {"PREFECT_HOME": str(home)}, cwd=project)
    assert done.returncode == cli.FAILED
    assert f"Prefect cannot write to {home}" in done.stderr
    assert "Traceback" not in done.stderr


def test_names_of_deployments_tell_corpora_apart(tmp_path: Path) -> None:
    names = {default_name(tmp_path / "a"), default_name(tmp_path / "b"), default_name(tmp_path / "c" / "a")}
    assert len(names) == 3
    assert all("/" not in name for name in names)
    assert default_name(Path("/")).startswith("corpus-")


def test_prefect_yaml_fits_the_flow() -> None:
    """That it works, with a server and a worker: `python -m benchmarks.work_pool`."""
    (deployment,) = yaml.safe_load((ROOT / "prefect.yaml").read_text("utf-8"))["deployments"]
    flow: Any = load_flow_from_entrypoint(deployment["entrypoint"])
    assert flow is build_corpus
    assert set(deployment["parameters"]) <= set(flow.parameters.properties)
    assert deployment["concurrency_limit"]["limit"] == 1
    (trigger,) = deployment["triggers"]
    assert trigger["expect"] == [ARRIVED]
    assert trigger["match"] == {"prefect.resource.id": resource("seeds")}
