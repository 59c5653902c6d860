"""Jingwen without Prefect: python run_jingwen.py IN OUT, with IN a folder of seeds; all cleaners, trail and commit."""

import sys
from pathlib import Path

from benchmarks.corpora import run
from cleaners import clean

if __name__ == "__main__":
    run(Path(sys.argv[1]), Path(sys.argv[2]), clean)
