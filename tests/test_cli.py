"""The command line with arguments, names and terminals that nobody hopes for."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from cleaners import Config, clean, fingerprint, fingerprint_parts
from corpus import seeds as seeds_folder
from corpus.seeds import scan
from corpus.store import Store
from flows import cli, corpus_commands, tasks, view


@pytest.mark.parametrize("offset", ["foo", "+99:00", "8", "+08:0", "+08:00x", ""])
def test_what_is_no_utc_offset_is_misuse(offset: str) -> None:
    done = CliRunner().invoke(cli.main, ["clean", "--timezone", offset], input="你好。")
    assert done.exit_code == cli.MISUSED
    assert "write it like +08:00" in done.output


@pytest.mark.parametrize("offset", ["+08:00", "-03:30", "+00:00", "+14:00"])
def test_utc_offsets(offset: str) -> None:
    assert cli.make_config((), (), "keep", "auto", offset, 100, 1.0).timezone == offset


def test_the_seeds_folder_is_no_place_for_its_corpus(tmp_path: Path) -> None:
    done = CliRunner().invoke(cli.main, ["build", str(tmp_path), "--output", f"{tmp_path}/../{tmp_path.name}"])
    assert done.exit_code == cli.MISUSED
    assert "cannot be in the seeds folder itself" in done.output
    assert not list(tmp_path.iterdir())


def test_a_file_instead_of_a_seeds_folder_is_named_as_such(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("你好。", "utf-8")
    with pytest.raises(seeds_folder.SeedsError, match="is a file, not a folder"):
        seeds_folder.scan(file, 100)


def test_versions_that_cannot_be_read_are_no_traceback(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def denied(path: object) -> list[str]:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("corpus.store.os.listdir", denied)
    done = CliRunner().invoke(cli.main, ["versions", "--output", str(tmp_path)])
    assert done.exit_code == cli.FAILED
    assert "cannot read the corpus" in done.output


def test_a_home_that_prefect_cannot_write_to_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", "utf-8")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    environment["PREFECT_HOME"] = str(tmp_path / "file" / "home")
    command = [sys.executable, "-m", "flows.cli", "build", str(tmp_path), "--output", str(tmp_path / "output")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == cli.FAILED
    assert "set PREFECT_HOME to a folder" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_negative_limit_is_misuse() -> None:
    done = CliRunner().invoke(corpus_commands.diff_command, ["1", "2", "--limit", "-1"])
    assert done.exit_code == cli.MISUSED


def test_names_and_seeds_cannot_command_the_terminal() -> None:
    document = clean("他说:“路修好了。”\x1b[2J\n".encode(), "[red]a\x1b[31m\nb.txt", Config())
    stream = io.StringIO()
    view.show(document, Console(file=stream, width=200))
    assert stream.getvalue().startswith("[red]a␛[31m␊b.txt\n")
    assert "\x1b" not in stream.getvalue()


def test_a_terminal_without_chinese(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    sink = io.BytesIO()
    terminal = io.TextIOWrapper(sink, "ascii")
    monkeypatch.setattr("sys.stdout", terminal)
    with pytest.raises(SystemExit):
        cli.main(["versions", "--output", str(tmp_path)])
    print("净文", flush=True)
    assert sink.getvalue() == b"\\u51c0\\u6587\n"


def test_no_cleaner_at_all_is_misuse() -> None:
    done = CliRunner().invoke(cli.main, ["clean", "--only", "chrome", "--skip", "chrome"], input="正文。")
    assert done.exit_code == cli.MISUSED
    assert "no cleaner" in done.output


def test_a_corpus_of_a_newer_jingwen(tmp_path: Path) -> None:
    (tmp_path / "seeds").mkdir()
    (tmp_path / "seeds" / "a.txt").write_text("县里修好了一座桥。", "utf-8")
    store = Store(tmp_path / "output")
    with store.writer_lock():
        plan = store.plan(scan(tmp_path / "seeds", 1 << 20), fingerprint())
        staged = store.staging(plan.fingerprint).write([clean((tmp_path / "seeds" / "a.txt").read_bytes(), "a.txt")])
        version = store.commit(plan, [staged], fingerprint_parts(), datetime.now(UTC))
    manifest = version.path / "_manifest.json"
    manifest.write_text(manifest.read_text("utf-8").replace('"schema_version": ', '"schema_version": 9'), "utf-8")
    done = CliRunner().invoke(cli.main, ["show", "a.txt", "--output", str(tmp_path / "output")])
    assert done.exit_code == cli.FAILED
    assert "install the newer Jingwen" in done.output


def test_an_empty_path_is_refused(tmp_path: Path) -> None:
    for arguments in (["build", ""], ["build", str(tmp_path), "--output", ""]):
        done = CliRunner().invoke(cli.main, arguments)
        assert done.exit_code == cli.MISUSED
        assert "it is empty" in done.output


def test_batches_are_as_large_as_those_of_scheduled_runs() -> None:
    defaults = {option.name: option.default for option in cli.build_command.params}
    assert defaults["batch_bytes"] == tasks.BATCH_BYTES
