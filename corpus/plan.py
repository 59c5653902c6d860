"""The plan: which seeds a run must clean, by comparing a scan with the newest version."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from cleaners import Seed

from .schema import SCHEMA_VERSION
from .seeds import Problem, Scan


class Known(NamedTuple):
    """What a version says of a seed: a row of its list of seeds, without the id."""

    sha256: str | None
    bytes: int | None
    outcome: str
    kind: str | None


class Base(NamedTuple):
    """What a plan must know of the newest version."""

    number: int
    fingerprint: str
    schema_version: int
    seeds: Mapping[str, Known]


class Plan(NamedTuple):
    """What a run has to do.

    fingerprint    of the pipeline that the run uses
    base           number of the version that it starts from; None for the first
    to_clean       seeds that are new or changed, or all when the pipeline changed; sorted by id
    problems       problems that the base does not have, sorted by id
    gone           ids whose rows of the base are not in the next version: changed, vanished, or all
    added, changed, vanished, unchanged   number of ids, compared with the base
    """

    fingerprint: str
    base: int | None
    to_clean: tuple[Seed, ...]
    problems: tuple[Problem, ...]
    gone: frozenset[str]
    added: int
    changed: int
    vanished: int
    unchanged: int

    @property
    def empty(self) -> bool:
        """Whether the next version would be the base once more."""
        return self.base is not None and not (self.to_clean or self.problems or self.gone)


def make_plan(scan: Scan, fingerprint: str, base: Base | None) -> Plan:
    """Compares a scan with the newest version.

    A seed is unchanged when its id, its SHA-256, the pipeline's fingerprint and the schema's version are the
    same; a problem when its id, kind and size are.
    """
    known: Mapping[str, Known] = base.seeds if base else {}
    same_pipeline = base is not None and (base.fingerprint, base.schema_version) == (
        fingerprint,
        SCHEMA_VERSION,
    )
    same_seeds = {seed.name for seed in scan.seeds if _same_seed(seed, known.get(seed.name))}
    same_problems = {problem.id for problem in scan.problems if _same_problem(problem, known.get(problem.id))}
    same = same_seeds | same_problems
    found = {seed.name for seed in scan.seeds} | {problem.id for problem in scan.problems}
    kept = same if same_pipeline else frozenset[str]()
    return Plan(
        fingerprint,
        base.number if base else None,
        tuple(seed for seed in scan.seeds if seed.name not in kept),
        tuple(problem for problem in scan.problems if problem.id not in kept),
        frozenset(known) - kept,
        added=len(found - known.keys()),
        changed=len(found & known.keys()) - len(same),
        vanished=len(known.keys() - found),
        unchanged=len(same),
    )


def _same_seed(seed: Seed, known: Known | None) -> bool:
    return known is not None and known.sha256 == seed.sha256


def _same_problem(problem: Problem, known: Known | None) -> bool:
    return known is not None and known[:2] == (None, problem.size) and known.kind == problem.kind


def batches(
    seeds: Iterable[Seed], max_bytes: int, max_seeds: int = 20_000, done: Collection[str] = ()
) -> Iterator[tuple[Seed, ...]]:
    """Seeds in their order, cut into batches of at most so many bytes (a larger seed is alone) and seeds.

    done   ids that are staged already: left out, and a batch ends where they stand, so that the batches of a
           run that was interrupted are those that the run would have had
    """
    batch: list[Seed] = []
    size = 0
    for seed in seeds:
        staged = seed.name in done
        if batch and (staged or size + seed.size > max_bytes or len(batch) >= max_seeds):
            yield tuple(batch)
            batch, size = [], 0
        if not staged:
            batch.append(seed)
            size += seed.size
    if batch:
        yield tuple(batch)


def usable(staged: Sequence[Mapping[str, str | None]], plan: Plan) -> list[bool]:
    """For batches that an earlier run left behind, each as id -> SHA-256: whether this run can use them, that
    is, whether all their seeds are still to be cleaned and no two of the chosen hold the same."""
    wanted = {seed.name: seed.sha256 for seed in plan.to_clean}
    chosen: list[bool] = []
    taken: set[str] = set()
    for seeds in staged:
        fits = bool(seeds) and all(wanted.get(id) == sha256 for id, sha256 in seeds.items())
        fits = fits and taken.isdisjoint(seeds)
        chosen.append(fits)
        if fits:
            taken.update(seeds)
    return chosen
