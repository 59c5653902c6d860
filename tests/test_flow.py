"""The flow against a real Prefect server, and with Prefect's own temporary one."""

import json
import os
import shutil
import signal
import subprocess
import time
import urllib.request
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from running import JINGWEN, ROOT, SEEDS, jingwen

from cleaners import PIPELINE, clean
from corpus.store import Store
from flows import cli
from flows.entry import INTERRUPTED


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with the five seeds and no corpus yet."""
    shutil.copytree(SEEDS, tmp_path / "seeds")
    return tmp_path


def ask(server: dict[str, str], path: str, **body: Any) -> Any:
    """What the server's API answers."""
    request = urllib.request.Request(
        server["PREFECT_API_URL"] + path, json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def ids(output: Path) -> list[str]:
    names: list[str] = pq.read_table(output / "latest" / "documents", columns=["id"])["id"].to_pylist()
    return names


def test_the_run_is_on_the_server(corpus_folder: Path, server: dict[str, str]) -> None:
    flows = ask(server, "/flow_runs/filter", flows={"name": {"any_": ["build-corpus"]}})
    run = next(r for r in flows if r["name"] == "version 1: 5 new, 0 changed, 0 vanished")
    assert run["parameters"]["output"] == "output"
    assert run["state_type"] == "COMPLETED"
    wanted = {"flow_runs": {"id": {"any_": [run["id"]]}}}
    for _ in range(100):
        tasks = [t["name"] for t in ask(server, "/task_runs/filter", **wanted) if t["state_type"] == "COMPLETED"]
        if len(tasks) == len(PIPELINE) + 7:
            break
        time.sleep(0.2)
    cleaners = [f"{cleaner.name}, batch 1" for cleaner in PIPELINE]
    assert sorted(t.rsplit("-", 1)[0] if t.startswith(("scan", "survey", "commit")) else t for t in tasks) == sorted(
        [*cleaners, *(f"{step}, batch 1" for step in ("clean", "read", "settle", "stage")), "scan", "survey", "commit"]
    )
    artifacts = ask(server, "/artifacts/filter", artifacts={"flow_run_id": {"any_": [run["id"]]}})
    table = next(json.loads(a["data"]) for a in artifacts if a["key"] == "cleaners")
    assert {row["cleaner"] for row in table} == {cleaner.name for cleaner in PIPELINE}
    assert sum(row["edits"] for row in table) == pq.read_table(corpus_folder / "output/latest/edits").num_rows
    told = next(a["data"] for a in artifacts if a["key"] == "corpus-version")
    assert "version 1" in told
    assert all(f"`{path.name}`" in told for path in SEEDS.iterdir())  # few enough to be the slowest, all of them
    assert any(a["key"] == "corpus-folder" and "/corpus/versions/v000001" in a["data"] for a in artifacts)
    progress = next(a for a in artifacts if a["key"] == "build-progress")
    assert float(progress["data"]) == 100
    assert progress["description"].startswith("5 of 5 documents, ")


def test_the_corpus_holds_what_the_cleaners_made(corpus_folder: Path) -> None:
    version = Store(corpus_folder / "output").latest()
    assert version is not None
    for path in sorted(SEEDS.iterdir()):
        expected = clean(path.read_bytes(), path.name)
        stored = version.document(path.name)
        assert stored.text == expected.text
        assert stored.trail == expected.trail
        assert stored.original() == expected.original()
        assert version.seed_bytes(path.name) == path.read_bytes()


def test_second_run_first_change_and_removal(project: Path, server: dict[str, str]) -> None:
    assert jingwen("build", env=server, cwd=project).returncode == cli.OK
    again = jingwen("build", env=server, cwd=project)
    assert again.returncode == cli.OK
    assert "Nothing changed: no version committed." in again.stdout
    output = project / "output"
    before = pq.read_table(output / "latest" / "documents").to_pylist()
    seed = sorted((project / "seeds").iterdir())[1]
    seed.write_bytes(seed.read_bytes().replace("凝心铸魂".encode(), "凝心聚魂".encode()))
    changed = jingwen("build", env=server, cwd=project)
    assert "(0 new, 1 changed, 0 vanished, 4 unchanged)" in changed.stdout
    after = pq.read_table(output / "latest" / "documents").to_pylist()
    assert [b["id"] for b, a in zip(before, after, strict=True) if b != a] == [seed.name]
    assert [version.number for version in Store(output).versions()] == [1, 2]
    seed.unlink()
    assert jingwen("build", env=server, cwd=project).returncode == cli.OK
    assert seed.name not in ids(output)
    assert len(ids(output)) == 4
    (project / "seeds" / "002_adf36161dbd49050.txt").rename(project / "seeds" / "002.txt")
    renamed = jingwen("build", env=server, cwd=project)
    assert "(0 new, 0 changed, 0 vanished, 3 unchanged, 1 renamed)" in renamed.stdout
    assert "Cleaned 0 in" in renamed.stdout
    for path in sorted((project / "seeds").iterdir())[1:]:
        path.unlink()
    assert "Attention: " in jingwen("build", env=server, cwd=project).stdout
    shown = jingwen("versions", env=server, cwd=project)
    assert [line.split()[1] for line in shown.stdout.splitlines()] == ["1", "2", "3", "4", "5"]


def test_bad_input_ends_in_quarantine(project: Path, server: dict[str, str]) -> None:
    seeds = project / "seeds"
    (seeds / "empty.txt").write_bytes(b"")
    (seeds / "picture.txt").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40)
    (seeds / "noise.txt").write_bytes(bytes((i * 7919 + i * i * 31) % 251 for i in range(5000)))
    (seeds / "page.html").write_text("<!DOCTYPE html><html><body><div id=app></div></body></html>", "utf-8")
    with (seeds / "huge.txt").open("wb") as huge:
        huge.truncate(200 << 20)
    (seeds / "loop").symlink_to(seeds)
    (seeds / "gone.txt").symlink_to(seeds / "nowhere.txt")
    os.mkfifo(seeds / "pipe.txt")
    (seeds / "deep").mkdir()
    (seeds / "deep" / "旧闻.txt").write_bytes("他说:“好。”\n".encode("gb18030"))
    done = jingwen("build", env=server, cwd=project)
    assert done.returncode == cli.QUARANTINED, done.stderr
    assert done.stderr == ""
    rows = pq.read_table(project / "output/latest/quarantine").to_pylist()
    kinds = {row["id"]: row["kind"] for row in rows}
    assert kinds.keys() == {
        "empty.txt", "picture.txt", "noise.txt", "page.html", "huge.txt", "loop", "gone.txt", "pipe.txt"
    }  # fmt: skip
    assert kinds["empty.txt"] == kinds["page.html"] == "empty"
    assert kinds["huge.txt"] == "too_large"
    assert kinds["loop"] == "loop"
    assert kinds["gone.txt"] == kinds["pipe.txt"] == "unreadable"
    assert all(len(row["reason"]) > 20 for row in rows)
    assert "deep/旧闻.txt" in ids(project / "output")
    assert "8 in quarantine" in done.stdout
    assert jingwen("build", env=server, cwd=project).returncode == cli.QUARANTINED
    shown = jingwen("show", "empty.txt", env=server, cwd=project)
    assert shown.returncode == cli.FAILED
    assert "quarantine" in shown.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(project: Path, server: dict[str, str]) -> None:
    secret = project / "seeds" / "secret.txt"
    secret.write_text("秘密", "utf-8")
    secret.chmod(0)
    assert jingwen("build", env=server, cwd=project).returncode == cli.QUARANTINED


def test_messages_for_folders_that_cannot_be_used(tmp_path: Path, server: dict[str, str]) -> None:
    missing = jingwen("build", tmp_path / "none", "--output", tmp_path / "out", env=server)
    assert missing.returncode == cli.FAILED
    assert "Failed: cannot read the seeds folder" in missing.stderr
    assert "Traceback" not in missing.stderr
    (tmp_path / "file").write_text("")
    blocked = jingwen("build", SEEDS, "--output", tmp_path / "file", env=server)
    assert blocked.returncode == cli.FAILED
    assert blocked.stderr.startswith("Failed: ")
    assert "Traceback" not in blocked.stderr


def test_a_server_that_does_not_answer(project: Path, prefect_environment: dict[str, str]) -> None:
    unreachable = prefect_environment | {"PREFECT_API_URL": "http://127.0.0.1:9/api"}
    done = jingwen("build", env=unreachable, cwd=project)
    assert done.returncode == cli.FAILED
    assert "http://127.0.0.1:9/api" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unknown_cleaner_is_refused_before_anything_runs(project: Path, server: dict[str, str]) -> None:
    done = jingwen("build", "--skip", "chromium", env=server, cwd=project)
    assert done.returncode == cli.MISUSED
    assert "no cleaner chromium" in done.stderr
    assert not (project / "output").exists()


def test_chosen_cleaners_only(project: Path, server: dict[str, str]) -> None:
    done = jingwen("build", "--only", "layout", "--only", "punctuation", env=server, cwd=project)
    assert done.returncode == cli.OK
    edits = pq.read_table(project / "output/latest/edits", columns=["cleaner"])
    assert set(edits["cleaner"].to_pylist()) == {"layout", "punctuation"}


@pytest.mark.parametrize("options", [["--workers", "2"], ["--dask", "local", "--workers", "2"]], ids=["pool", "dask"])
def test_worker_processes_make_the_same_version(
    options: list[str], project: Path, corpus_folder: Path, server: dict[str, str]
) -> None:
    if "--dask" in options:
        pytest.importorskip("prefect_dask", reason="pip install 'jingwen[dask]'")
    done = jingwen("build", *options, "--batch-bytes", 10_000, env=server, cwd=project)  # a batch for each seed
    assert done.returncode == cli.OK, done.stderr
    assert done.stderr == ""
    made, known = (Store(folder / "output").latest() for folder in (project, corpus_folder))
    assert made is not None
    assert known is not None
    assert made.manifest.content_id == known.manifest.content_id
    for table in ("documents", "edits"):  # the files are named by their hashes
        assert sorted(os.listdir(made.path / table)) == sorted(os.listdir(known.path / table))


def test_quarantine_is_in_the_log_of_the_run(project: Path, server: dict[str, str]) -> None:
    (project / "seeds" / "empty.txt").write_bytes(b"")
    assert jingwen("build", env=server, cwd=project).returncode == cli.QUARANTINED
    for _ in range(100):
        logs = [line["message"] for line in ask(server, "/logs/filter", sort="TIMESTAMP_DESC")]
        if any(line.startswith("cleaned batch=1 documents=5 ") for line in logs):
            break
        time.sleep(0.2)
    assert any(line.startswith("quarantine batch=1 document='empty.txt' kind=empty ") for line in logs)
    assert any(line.startswith("cleaned batch=1 documents=5 ") for line in logs)


def test_without_a_server(project: Path, prefect_environment: dict[str, str]) -> None:
    """Prefect's temporary server: clean ends, on repeated runs, too, and nothing of the history is lost."""
    for _ in range(2):
        done = jingwen("build", env=prefect_environment, cwd=project)
        assert done.returncode == cli.OK
        assert done.stderr == ""
    assert "Nothing changed" in done.stdout
    assert len(ids(project / "output")) == 5


@pytest.mark.parametrize("options", [(), ("--workers", "2", "--batch-bytes", "100000")])
def test_ctrl_c_leaves_the_corpus_as_it_was(project: Path, server: dict[str, str], options: tuple[str, ...]) -> None:
    text = (SEEDS / "000_7a90f4b8974d9dc7.txt").read_bytes()
    for number in range(400):
        (project / "seeds" / f"{number:04}.txt").write_bytes(text + str(number).encode())
    process = subprocess.Popen(
        [str(JINGWEN), "build", *options],
        env=server,
        cwd=project,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    staging = project / "output" / "corpus" / ".staging"
    for _ in range(600):
        if staging.exists() or process.poll() is not None:
            break
        time.sleep(0.05)
    time.sleep(0.5)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: workers, too
    _, errors = process.communicate(timeout=120)
    assert process.returncode == INTERRUPTED, errors
    assert errors.strip() == "Interrupted. The corpus is as it was."
    assert Store(project / "output").latest() is None


@pytest.mark.parametrize("seconds", [0.2, 0.8])
def test_ctrl_c_while_modules_load(project: Path, server: dict[str, str], seconds: float) -> None:
    process = subprocess.Popen([str(JINGWEN), "build"], env=server, cwd=project, stderr=subprocess.PIPE, text=True)
    time.sleep(seconds)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == INTERRUPTED, errors
    assert errors.strip() == "Interrupted. The corpus is as it was."


def test_nobody_reads_the_report(project: Path, server: dict[str, str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [JINGWEN, "build"], cwd=project, env=server, stdout=writing, stderr=subprocess.PIPE, check=False
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (cli.OK, b"")
    assert len(ids(project / "output")) == 5


def test_help_texts_have_examples(server: dict[str, str]) -> None:
    done = jingwen("build", "--help", env=server)
    assert "Exit codes:" in done.stdout
    assert "jingwen build --skip duplicates" in done.stdout


def test_make_run_is_this_command() -> None:
    assert "jingwen build seeds --output output" in (ROOT / "Makefile").read_text()
