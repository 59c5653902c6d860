"""The flow `build-corpus`: a folder of seeds in, the next version of a corpus out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from prefect import flow
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.runtime import flow_run

from cleaners import Cleaner, Config, Seed, fingerprint, fingerprint_parts, select
from corpus import seeds as seeds_folder
from corpus.plan import Plan, batches
from corpus.seeds import Problem, Scan, SeedChangedError, SeedsError
from corpus.store import Staged, Staging, Store, StoreError, Version

from . import report, server
from .progress import Progress
from .report import Report
from .tasks import CLEANING_TASKS, Batch, settle, step

EXPECTED_ERRORS = (SeedsError, StoreError, server.ServerError)
"""What can go wrong with the user's folders and server; the message says what to do."""

TASK_RUNS_PER_RUN = 2  # scan, commit
TASK_RUNS_PER_BATCH = 3  # read, settle, stage; the cleaners come on top

BATCH_BYTES = 16 << 20
"""Bytes of seeds per batch: docs/decisions/0003-batches-and-tasks.md."""


def run(seeds: Path, output: Path, config: Config) -> Report:
    """Runs the flow, with a server of its own if none is configured.

    Raises EXPECTED_ERRORS, and KeyboardInterrupt when the user stops it; the corpus then is as it was.
    """
    with server.running() as running:
        done = build_corpus(seeds, output, config)
        running.wait_until_recorded(done.flow_run_id, done.task_runs)
    return done


def _run_name() -> str:
    parameters = flow_run.parameters
    seeds, output = Path(parameters["seeds"]).name, Path(parameters["output"]).name
    return f"{seeds} to {output}, {datetime.now():%Y-%m-%d %H:%M:%S}"


@flow(name="build-corpus", flow_run_name=_run_name, persist_result=False)
def build_corpus(seeds: Path, output: Path, config: Config | None = None) -> Report:
    """Cleans the seeds that are new or changed, and commits the next version.

    seeds    the folder of seeds
    output   the folder of the corpus; made if there is none
    config   which cleaners run, and how; checked before anything is read
    Raises ValueError for an unknown cleaner, SeedsError and StoreError for folders that cannot be used.
    """
    config = config or Config()
    pipeline = select(config)
    start = datetime.now(UTC)
    store = Store(output)
    with store.writer_lock(), Progress() as progress:
        plan = store.plan(scan_seeds(seeds, config, output), fingerprint(config))
        progress.expect(plan.to_clean)
        left = _left_by_interrupted_run(plan, store, progress)
        staged = [*left, *_cleaned(plan, store, seeds, config, pipeline, left, progress)]
        version = commit(store, plan, staged, config, start)
    task_runs = TASK_RUNS_PER_RUN + (len(staged) - len(left)) * (len(pipeline) + TASK_RUNS_PER_BATCH)
    done = report.of(version, plan, staged, start, str(flow_run.id or ""), task_runs)
    _publish(done)
    return done


@step("scan")
def scan_seeds(seeds: Path, config: Config, output: Path) -> Scan:
    """All seeds below the folder, hashed; a corpus that lies below it is left out."""
    return seeds_folder.scan(seeds, config.max_seed_bytes, output)


def _left_by_interrupted_run(plan: Plan, store: Store, progress: Progress) -> list[Staged]:
    """Batches that a killed run cleaned but did not commit."""
    finished = store.staging(plan.fingerprint).finished(plan)
    ids = _ids(finished)
    progress.advance(seed for seed in plan.to_clean if seed.name in ids)
    return finished


def _ids(staged: Sequence[Staged]) -> set[str]:
    return {id for one in staged for id in one.seeds()["id"].to_pylist()}


def _cleaned(
    plan: Plan,
    store: Store,
    root: Path,
    config: Config,
    pipeline: tuple[Cleaner, ...],
    left: Sequence[Staged],
    progress: Progress,
) -> Iterator[Staged]:
    """Cleans the other seeds, batch by batch: a task run per cleaner and batch."""
    staging = store.staging(plan.fingerprint)
    for number, members in enumerate(batches(plan.to_clean, BATCH_BYTES, done=_ids(left)), 1):
        batch = Batch(number)
        problems = read_batch(batch, root, members, config)
        for cleaner in pipeline:
            CLEANING_TASKS[cleaner.name](batch, config)
        settle(batch, config, pipeline)
        yield stage(batch, staging, problems, config)
        progress.advance(members)


@step("read", "read, batch {batch.number}")
def read_batch(batch: Batch, root: Path, members: Sequence[Seed], config: Config) -> list[Problem]:
    """Reads and decodes the seeds; returns the problems of those that are no longer what the scan found."""
    problems = []
    for seed in members:
        try:
            batch.add(seeds_folder.read(root, seed), seed.name, config)
        except SeedChangedError as error:
            problems.append(error.problem)
    return problems


@step("stage", "stage, batch {batch.number}")
def stage(batch: Batch, staging: Staging, problems: Sequence[Problem], config: Config) -> Staged:
    """Finishes the documents and writes them beside the corpus."""
    return staging.write(batch.finish(config), problems)


@step("commit")
def commit(store: Store, plan: Plan, staged: Sequence[Staged], config: Config, start: datetime) -> Version:
    """Makes the next version; returns the present one when nothing changed."""
    notes = {"orchestrator": "prefect", "flow_run": str(flow_run.id or "")}
    version = store.commit(plan, staged, fingerprint_parts(config), start, notes, config.drop_reprints)
    counts = version.manifest.counts
    if counts["seeds"] != counts["documents"] + counts["quarantined"]:
        raise StoreError(f"version {version.number} does not account for all seeds: {dict(counts)}; check the corpus")
    return version


def _publish(done: Report) -> None:
    """The artifacts of the run in Prefect's UI."""
    create_table_artifact(key="cleaners", table=done.table(), description="Edits per cleaner and rule in this run")
    create_markdown_artifact(key="corpus-version", markdown=done.markdown(), description="What the run did")
