"""Jingwen without Prefect: python -m benchmarks.peers.run_jingwen IN OUT, with IN a folder of seeds; all cleaners,
trail and commit, batch by batch as the flow goes through them."""

import sys
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.corpora import BATCH_BYTES, FINGERPRINT, MOST_BYTES
from cleaners import PIPELINE, Config
from corpus.seeds import scan
from corpus.store import Store, batches
from flows.batch import Batch


def run(root: Path, output: Path) -> None:
    """One run over a folder of seeds."""
    store = Store(output)
    with store.writer_lock():
        plan = store.plan(scan(root, MOST_BYTES, output, None, store.containers(FINGERPRINT)), FINGERPRINT)
        staging = store.staging(FINGERPRINT)
        staged = []
        for number, seeds in enumerate(batches(plan.to_clean, BATCH_BYTES), 1):
            batch = Batch(number, root, seeds, staging, Config(), PIPELINE, {})
            for part in batch.slices():
                part.clean(part.steps())
                batch.take(part)
            staged.append(batch.stage().staged)
        store.commit(plan, staged, {"code": FINGERPRINT}, datetime.now(UTC))


if __name__ == "__main__":
    run(Path(sys.argv[1]), Path(sys.argv[2]))
