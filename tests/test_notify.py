"""Notes to a webhook and to a command."""

import http.server
import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from flows import notify
from flows.notify import Hook

NOTE = {"event": "failed", "message": "失败 $(touch x); `touch y`", "corpus": "/srv/语料"}


class Receiver(http.server.BaseHTTPRequestHandler):
    status = 200
    got: list[dict[str, str]]

    def do_POST(self) -> None:
        self.got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(type(self).status if len(self.got) < 2 else 200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[tuple[str, type[Receiver]]]:
    kind = type("Mine", (Receiver,), {"got": []})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), kind) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/hook", kind
        server.shutdown()


def test_a_webhook_gets_the_note_once(receiver: tuple[str, type[Receiver]]) -> None:
    url, kind = receiver
    assert Hook(webhook=url).send(NOTE) == ""
    assert kind.got == [NOTE]


def test_a_webhook_that_fails_is_tried_again(
    receiver: tuple[str, type[Receiver]], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, kind = receiver
    kind.status = 503
    monkeypatch.setattr(notify, "PAUSE_SECONDS", 0.0)
    assert Hook(webhook=url).send(NOTE) == ""
    assert kind.got == [NOTE, NOTE]


def test_a_command_gets_the_note_and_no_shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    program = tmp_path / "tell me.sh"
    program.write_text('#!/bin/sh\ncat > got.json\nprintf "%s|%s" "$1" "$JINGWEN_MESSAGE" > got.txt\n')
    program.chmod(0o755)
    assert Hook(command=f"'{program}' '$(touch z);'").send(NOTE) == ""
    assert json.loads((tmp_path / "got.json").read_text("utf-8")) == NOTE
    assert (tmp_path / "got.txt").read_text("utf-8") == f"$(touch z);|{NOTE['message']}"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["got.json", "got.txt", "tell me.sh"]


@pytest.mark.parametrize(
    "hook", [Hook(command="false"), Hook(command="/none/such"), Hook(webhook="http://127.0.0.1:9/")]
)
def test_what_does_not_arrive_is_said(hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notify, "PAUSE_SECONDS", 0.0)
    assert hook.send(NOTE)


def test_a_command_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notify, "PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(notify, "TIMEOUT_SECONDS", 0.3)
    program = tmp_path / "hangs.sh"
    program.write_text("#!/bin/sh\necho $$ >> pids\nsleep 600 & echo $! >> pids\nwait\n")
    program.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    assert "took more than" in Hook(command=str(program)).send(NOTE)
    pids = [int(line) for line in (tmp_path / "pids").read_text().split()]
    assert len(pids) == 2 * notify.TRIES
    for pid in pids:  # and what it had started, too
        stat = Path(f"/proc/{pid}/stat")
        deadline = time.monotonic() + 10
        while stat.exists() and ") Z" not in stat.read_text() and time.monotonic() < deadline:
            time.sleep(0.01)
        assert not stat.exists() or ") Z" in stat.read_text()


def test_a_webhook_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notify, "PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(notify, "TIMEOUT_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        assert "timed out" in Hook(webhook=url).send(NOTE)


def test_what_arrived_is_not_sent_again(receiver: tuple[str, type[Receiver]], monkeypatch: pytest.MonkeyPatch) -> None:
    url, kind = receiver
    monkeypatch.setattr(notify, "PAUSE_SECONDS", 0.0)
    assert "exit code" in Hook(webhook=url, command="false").send(NOTE)
    assert kind.got == [NOTE]


def test_a_command_that_cannot_be_taken_apart() -> None:
    with pytest.raises(ValueError, match="is no command"):
        Hook(command="'open").check()
