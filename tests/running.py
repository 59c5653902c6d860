"""Runs the command line as a user does."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
SEEDS = ROOT / "seeds"
JINGWEN = Path(sys.executable).with_name("jingwen")


def jingwen(*arguments: object, env: dict[str, str], cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Runs the command line as a user does."""
    command = [str(JINGWEN), *map(str, arguments)]
    return subprocess.run(command, env=env, cwd=cwd, capture_output=True, text=True, timeout=300, check=False)
