"""The plan: which seeds a run must clean, by comparing a scan with the newest version."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from cleaners import Seed

from .schema import SCHEMA_VERSION
from .seeds import AnySeed, Member, Problem, Scan

BEING_WRITTEN = "it is being written: it comes with the next run"

REPRINT = "reprint"
"""Kind of quarantine of a near-duplicate that was dropped."""


class Known(NamedTuple):
    """What a version says of a seed: a row of its list of seeds, without the id."""

    sha256: str | None
    bytes: int | None
    outcome: str
    kind: str | None
    recurring: str | None = None


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
    to_clean       seeds that are new or changed, or all when the pipeline changed; those of whose lines others recur
                   than did; and, when there are any, reprints that were dropped; in the scan's order
    problems       problems that the base does not have, sorted by id
    gone           ids whose rows of the base are not in the next version: changed, vanished, or all
    added, changed, vanished, unchanged   number of ids, compared with the base
    renamed        (old id, new id) of vanished seeds that are there under another id: they count as vanished
                   and as added, too
    scan           what was found
    recurring      id -> hash of those of its lines that recur; only seeds that have some
    """

    fingerprint: str
    base: int | None
    to_clean: tuple[AnySeed, ...]
    problems: tuple[Problem, ...]
    gone: frozenset[str]
    added: int
    changed: int
    vanished: int
    unchanged: int
    renamed: tuple[tuple[str, str], ...] = ()
    scan: Scan = Scan((), ())
    recurring: Mapping[str, str] = {}

    @property
    def members(self) -> list[Member]:
        """The seeds that lie in containers."""
        return [seed for seed in self.scan.seeds if isinstance(seed, Member)]

    @property
    def moved(self) -> dict[str, str]:
        """Old id -> new id of the renamed seeds that need no cleaning: their rows are taken from the base."""
        cleaned = {seed.name for seed in self.to_clean}
        return {old: new for old, new in self.renamed if new not in cleaned}

    @property
    def warning(self) -> str:
        """What the user should know before such a version is made; empty when there is nothing."""
        before = self.changed + self.vanished + self.unchanged
        lost = self.vanished - len(self.renamed)
        if lost * 2 <= before:
            return ""
        return (
            f"{lost} of {before} seeds have vanished: if that is not meant (a folder that was not mounted?), bring "
            f"them back and run again, or use `jingwen rollback {self.base}`"
        )

    @property
    def empty(self) -> bool:
        """Whether the next version would be the base once more."""
        return self.base is not None and not (self.to_clean or self.problems or self.gone)


def make_plan(scan: Scan, fingerprint: str, base: Base | None, recurring: Mapping[str, str] | None = None) -> Plan:
    """Compares a scan with the newest version.

    A seed is unchanged when its id, its SHA-256, the pipeline's fingerprint and the schema's version are the
    same; a problem when its id, kind and size are.  An unchanged seed is cleaned again when other lines of it
    recur than did.
    recurring   id -> hash of those of its lines that recur; only seeds that have some
    """
    recurring = recurring or {}
    known: Mapping[str, Known] = base.seeds if base else {}
    same_pipeline = base is not None and (base.fingerprint, base.schema_version) == (
        fingerprint,
        SCHEMA_VERSION,
    )
    scan = _with_waiting(scan, known, same_pipeline)
    same_seeds = {seed.name for seed in scan.seeds if _same_seed(seed, known.get(seed.name))}
    same_problems = {problem.id for problem in scan.problems if _same_problem(problem, known.get(problem.id))}
    same = same_seeds | same_problems
    dropped = {id for id, seed in known.items() if seed.kind == REPRINT}
    found = {seed.name for seed in scan.seeds} | {problem.id for problem in scan.problems}
    renamed = _renamed(scan, known, found)
    alike = {old for old, new in renamed if old not in dropped and known[old].recurring == recurring.get(new)}
    taken = {new for old, new in renamed if old in alike} if same_pipeline else set[str]()
    kept = {id for id in same if known[id].recurring == recurring.get(id)} if same_pipeline else set[str]()
    if not same == found == known.keys():
        kept = kept - dropped  # any of them may be the one to keep now: their rows are needed
    return Plan(
        fingerprint,
        base.number if base else None,
        tuple(seed for seed in scan.seeds if seed.name not in kept and seed.name not in taken),
        tuple(problem for problem in scan.problems if problem.id not in kept),
        frozenset(known) - kept,
        added=len(found - known.keys()),
        changed=len(found & known.keys()) - len(same),
        vanished=len(known.keys() - found),
        unchanged=len(same),
        renamed=renamed,
        scan=scan,
        recurring=recurring,
    )


def _with_waiting(scan: Scan, known: Mapping[str, Known], same_pipeline: bool) -> Scan:
    """Files that are still being written are as the base has them. When the pipeline changed, its rows of them are
    of no use: they are problems then, until they can be read."""
    there = {seed.name for seed in scan.seeds} | {problem.id for problem in scan.problems}
    seeds, problems = list(scan.seeds), list(scan.problems)
    for id in scan.waiting:
        if id not in known or id in there:
            continue
        base = known[id]
        if not same_pipeline:
            problems.append(Problem(id, "changed", BEING_WRITTEN, None))
        elif base.sha256 is not None and base.bytes is not None:
            seeds.append(Seed(id, base.sha256, base.bytes))
        elif base.kind is not None:
            problems.append(Problem(id, base.kind, "", base.bytes))
    return scan._replace(seeds=tuple(seeds), problems=tuple(sorted(problems, key=lambda one: one.id)))


def without_changed(plan: Plan, base: Base | None, changed: Collection[AnySeed]) -> Plan:
    """The plan without seeds that changed since they were found: the next run takes them, as it does files that are
    still being written.

    What the base knows stays as it is there, and what is new is left out. When the pipeline changed, the base's rows
    are of no use: the seed is a problem then, until it can be read.
    changed   of `plan.to_clean`
    """
    known: Mapping[str, Known] = base.seeds if base else {}
    doomed = {seed.name: seed for seed in changed}
    there = {id: known[id] for id in doomed if id in known}
    stays = base is not None and (base.fingerprint, base.schema_version) == (plan.fingerprint, SCHEMA_VERSION)
    differ = sum(not _same_seed(doomed[id], row) for id, row in there.items()) if stays else 0
    seeds, problems = [], list(plan.scan.problems)
    for seed in plan.scan.seeds:
        row = there.get(seed.name)
        if seed.name not in doomed:
            seeds.append(seed)
        elif row is not None and stays and row.sha256 is not None and row.bytes is not None:
            seeds.append(seed._replace(sha256=row.sha256, size=row.bytes))
        elif row is not None:
            container = seed.container if isinstance(seed, Member) else ""
            kind, size = (row.kind or "changed", row.bytes) if stays else ("changed", None)
            problems.append(Problem(seed.name, kind, BEING_WRITTEN, size, container))
    fresh = [] if stays else [one for one in problems if one.id in there]
    # a container of which not all was read is read again: it is on record without its hash
    torn = {seed.container for seed in doomed.values() if isinstance(seed, Member)}
    return plan._replace(
        to_clean=tuple(seed for seed in plan.to_clean if seed.name not in doomed),
        problems=tuple(sorted([*plan.problems, *fresh])),
        gone=plan.gone.difference(there) if stays else plan.gone,
        added=plan.added - len(doomed.keys() - there.keys()),
        changed=plan.changed - differ,
        unchanged=plan.unchanged + differ,
        renamed=tuple(pair for pair in plan.renamed if pair[1] not in doomed),
        scan=plan.scan._replace(
            seeds=tuple(seeds),
            problems=tuple(sorted(problems)),
            containers={id: sha256 for id, sha256 in plan.scan.containers.items() if id not in torn},
            waiting=tuple(sorted({*plan.scan.waiting, *doomed})),
        ),
    )


def _renamed(scan: Scan, known: Mapping[str, Known], found: Collection[str]) -> tuple[tuple[str, str], ...]:
    """(old id, new id) of seeds that vanished, but whose bytes are there under an id that is new. Of several equal
    ones the first vanished id goes with the first new one."""
    vanished: dict[str, list[str]] = {}
    for id in sorted(known.keys() - found, reverse=True):
        sha256 = known[id].sha256
        if sha256 is not None:
            vanished.setdefault(sha256, []).append(id)
    new = (seed for seed in scan.seeds if seed.name not in known and vanished.get(seed.sha256))
    return tuple((vanished[seed.sha256].pop(), seed.name) for seed in new)


def _same_seed(seed: AnySeed, known: Known | None) -> bool:
    return known is not None and known.sha256 == seed.sha256


def _same_problem(problem: Problem, known: Known | None) -> bool:
    return known is not None and known[:2] == (None, problem.size) and known.kind == problem.kind


def batches(
    seeds: Iterable[AnySeed], max_bytes: int, max_seeds: int = 20_000, done: Collection[str] = ()
) -> Iterator[tuple[AnySeed, ...]]:
    """Seeds in their order, cut into batches of at most so many bytes (a larger seed is alone) and seeds.

    done   ids that are staged already: left out, and a batch ends where they stand, so that the batches of a
           run that was interrupted are those that the run would have had
    """
    batch: list[AnySeed] = []
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


Cleaned = tuple[str | None, str | None]
"""What a document depends on, beside the pipeline: SHA-256 of its seed, hash of those of its lines that recur."""


def usable(staged: Sequence[Mapping[str, Cleaned]], plan: Plan) -> list[bool]:
    """For batches that an earlier run left behind, each as id -> what it depends on: whether this run can use them,
    that is, whether all their seeds are still to be cleaned and no two of the chosen hold the same."""
    wanted = {seed.name: (seed.sha256, plan.recurring.get(seed.name)) for seed in plan.to_clean}
    chosen: list[bool] = []
    taken: set[str] = set()
    for seeds in staged:
        fits = bool(seeds) and all(wanted.get(id) == cleaned for id, cleaned in seeds.items())
        fits = fits and taken.isdisjoint(seeds)
        chosen.append(fits)
        if fits:
            taken.update(seeds)
    return chosen
