"""What several tests need: a real Prefect server, a corpus made of the five seeds."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from running import SEEDS, jingwen

settings.register_profile("untimed", deadline=None)  # no test depends on the machine's speed
settings.load_profile("untimed")


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


@pytest.fixture(scope="session")
def prefect_environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment in which Prefect uses a folder of its own and no server is configured."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    return environment | {"PREFECT_HOME": str(tmp_path_factory.mktemp("prefect"))}


@pytest.fixture(scope="session")
def server(prefect_environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment of a client of a real Prefect server on loopback."""
    port = free_port()
    log = tmp_path_factory.mktemp("server") / "server.log"
    environment = prefect_environment | {
        "PREFECT_HOME": str(log.parent),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_UI_API_URL": "/api",
    }
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    with log.open("w") as out:
        process = subprocess.Popen(command, env=environment, stdout=out, stderr=subprocess.STDOUT)
    try:
        url = f"http://127.0.0.1:{port}/api"
        for _ in range(600):
            if answers(f"{url}/health"):
                break
            assert process.poll() is None, log.read_text()
            time.sleep(0.2)
        assert answers(f"{url}/health"), log.read_text()
        yield environment | {"PREFECT_API_URL": url}
    finally:
        process.terminate()
        process.wait(timeout=30)


@pytest.fixture(scope="session")
def corpus_folder(server: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with seeds/ and output/, as `make run` leaves it."""
    folder = tmp_path_factory.mktemp("project")
    shutil.copytree(SEEDS, folder / "seeds")
    done = jingwen("build", env=server, cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder
