"""The plan: which seeds a run must clean, by comparing a scan with the newest version."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import chain, repeat
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from cleaners import Seed

from .schema import SCHEMA_VERSION
from .seed_list import AnySeed, Member, SeedList, Sought, digests, places
from .seeds import Problem, Scan

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
    """What a plan must know of the newest version.  `seeds`: see `known_seeds`."""

    number: int
    fingerprint: str
    schema_version: int
    seeds: pa.Table


class Plan(NamedTuple):
    """What a run has to do.

    fingerprint    of the pipeline that the run uses
    base           number of the version that it starts from; None for the first
    to_clean       seeds that are new or changed, or all when the pipeline changed; those of whose lines others recur
                   than did; and, when there are any, reprints that were dropped; in the scan's order
    problems       problems that the base does not have, sorted by id
    gone           sorted ids whose rows of the base are not in the next version: changed, vanished, or all
    added, changed, vanished, unchanged   number of ids, compared with the base
    renamed        (old id, new id) of vanished seeds that are there under another id: they count as vanished
                   and as added, too
    scan           what was found
    recurring      per seed of `to_clean` the hash of those of its lines that recur; null: none do
    """

    fingerprint: str
    base: int | None
    to_clean: SeedList
    problems: tuple[Problem, ...]
    gone: pa.Array
    added: int
    changed: int
    vanished: int
    unchanged: int
    renamed: tuple[tuple[str, str], ...] = ()
    scan: Scan = Scan(SeedList(), ())
    recurring: pa.Array | None = None

    @property
    def members(self) -> SeedList:
        """The seeds that lie in containers."""
        return self.scan.seeds.members

    @property
    def moved(self) -> dict[str, str]:
        """Old id -> new id of the renamed seeds that need no cleaning: their rows are taken from the base."""
        if not self.renamed:
            return {}
        new = pa.array([new for _, new in self.renamed], pa.string())
        cleaned = pc.is_in(new, self.to_clean.names).to_pylist()
        return {old: new for (old, new), is_cleaned in zip(self.renamed, cleaned, strict=True) if not is_cleaned}

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
        return self.base is not None and not (len(self.to_clean) or self.problems or len(self.gone))


KNOWN = pa.schema(
    [
        ("id", pa.string()),
        ("sha256", pa.binary(32)),
        ("bytes", pa.int64()),
        ("kind", pa.string()),
        ("recurring", pa.string()),
    ]
)


def known_seeds(tables: Iterable[pa.Table]) -> pa.Table:
    """The rows of `seeds` as a plan needs them: half as large."""
    found = [KNOWN.empty_table()]
    for rows in tables:
        columns = [digests(rows[name]) if name == "sha256" else rows[name] for name in KNOWN.names]
        found.append(pa.Table.from_arrays(columns, schema=KNOWN))
    return pa.concat_tables(found)


def make_plan(scan: Scan, fingerprint: str, base: Base | None, recurring: Marks = None) -> Plan:
    """Compares a scan with the newest version.

    A seed is unchanged when its id, its SHA-256, the pipeline's fingerprint and the schema's version are the
    same; a problem when its id, kind and size are.  An unchanged seed is cleaned again when other lines of it
    recur than did.
    recurring   per seed of the scan the hash of those of its lines that recur (null: none do); None: of no seed
    """
    known = base.seeds if base else NO_SEEDS
    same_pipeline = base is not None and (base.fingerprint, base.schema_version) == (
        fingerprint,
        SCHEMA_VERSION,
    )
    waiting = known.slice(0, 0)
    if scan.waiting:
        waiting = known.take(pc.index_in(pa.array(scan.waiting, pa.string()), known["id"]).drop_null())
    scan, marks = _with_waiting(scan, waiting, recurring, same_pipeline)
    seeds = _Compared(known, scan.seeds.names)
    problems = _Compared(known, pa.array([problem.id for problem in scan.problems], pa.string()))
    same_seeds = seeds.equal("sha256", scan.seeds.rows["sha256"])
    same_problems = _same_problems(problems, scan.problems)
    same_marks = _equal_or_null(seeds.of("recurring"), marks)
    there = _marked(known.num_rows, seeds.place, problems.place)
    same = int(same_seeds.sum() + same_problems.sum())
    dropped = _mask(pc.equal(known["kind"], REPRINT))
    renamed = _renamed(scan.seeds, known, ~there, seeds.is_new)
    as_known = renamed.as_known(known, dropped, marks) if same_pipeline else np.zeros(len(renamed.old), bool)
    keep = same_seeds & same_marks & same_pipeline
    # no problem has lines
    keep_problem = same_problems & problems.null("recurring") & same_pipeline
    if not same == len(scan.seeds) + len(scan.problems) == known.num_rows:
        # any of them may be the one to keep now: their rows are needed
        keep &= ~seeds.at(dropped)
        keep_problem &= ~problems.at(dropped)
    moved = np.zeros(len(scan.seeds), bool)
    moved[renamed.new[as_known]] = True
    kept = _marked(known.num_rows, seeds.place[keep], problems.place[keep_problem])
    wanted = ~(keep | moved)
    to_clean = pa.array(wanted)
    return Plan(
        fingerprint,
        base.number if base else None,
        scan.seeds if wanted.all() else scan.seeds.filter(to_clean),
        tuple(problem for problem, is_kept in zip(scan.problems, keep_problem, strict=True) if not is_kept),
        known["id"].filter(pa.array(~kept)).combine_chunks().sort(),
        added=int(seeds.is_new.sum() + problems.is_new.sum()),
        changed=int(there.sum()) - same,
        vanished=int((~there).sum()),
        unchanged=same,
        renamed=renamed.names(scan.seeds, known),
        scan=scan,
        recurring=marks if wanted.all() else marks.filter(to_clean),
    )


NO_SEEDS = KNOWN.empty_table()

Marks: TypeAlias = "pa.Array | pa.ChunkedArray | None"
Flags = npt.NDArray[np.bool_]
Places = npt.NDArray[np.int64]


class _Compared:
    """Ids, side by side with the base's rows of them.

    place   of each id in the base; -1: it is new
    """

    def __init__(self, known: pa.Table, ids: pa.Array | pa.ChunkedArray) -> None:
        self._known = known
        self._taken = places(ids, known["id"])
        self.place: Places = pc.fill_null(self._taken, -1).to_numpy().astype(np.int64)
        self._is_all = np.array_equal(self.place, np.arange(known.num_rows))

    @property
    def is_new(self) -> Flags:
        return self.place < 0

    def of(self, column: str) -> pa.ChunkedArray:
        """The base's values of a column; null for new ids."""
        return self._known[column] if self._is_all else self._known[column].take(self._taken)

    def equal(self, column: str, values: pa.ChunkedArray) -> Flags:
        """For each id whether the base has this value there."""
        return _equal(self.of(column), values) if self._known.num_rows else np.zeros(self.place.size, bool)

    def null(self, column: str) -> Flags:
        """For each id whether the base has no value there."""
        return _mask(self.of(column).is_null())

    def at(self, flags: Flags) -> Flags:
        """The base's flags of each id; False for new ones."""
        return flags[self.place] & ~self.is_new if flags.size else np.zeros(self.place.size, bool)


def _mask(values: pa.Array | pa.ChunkedArray) -> Flags:
    """Booleans, null as False."""
    found: Flags = pc.fill_null(values, False).to_numpy(zero_copy_only=False)
    return found.astype(bool)


def _marked(size: int, *places: Places) -> Flags:
    """Flags that are set at all places that are none of -1."""
    found = np.zeros(size, bool)
    for one in places:
        found[one[one >= 0]] = True
    return found


def _equal(one: pa.ChunkedArray, other: pa.ChunkedArray) -> Flags:
    return _mask(pc.equal(one, other))


def _equal_or_null(one: pa.ChunkedArray, other: pa.ChunkedArray) -> Flags:
    return _equal(one, other) | (_mask(one.is_null()) & _mask(other.is_null()))


def _same_problems(compared: _Compared, problems: Sequence[Problem]) -> Flags:
    rows = zip(*(compared.of(name).to_pylist() for name in ("sha256", "bytes", "kind")), strict=True)
    pairs = zip(problems, rows, compared.is_new, strict=True)
    return np.array([not is_new and row == (None, one.size, one.kind) for one, row, is_new in pairs], bool)


def _with_waiting(scan: Scan, known: pa.Table, marks: Marks, same_pipeline: bool) -> tuple[Scan, pa.ChunkedArray]:
    """Files that are still being written are as the base has them (`known`: their rows). When the pipeline changed,
    its rows of them are of no use: they are problems then, until they can be read."""
    empty = pa.nulls(len(scan.seeds), pa.string()) if marks is None else marks
    chunks = empty.chunks if isinstance(empty, pa.ChunkedArray) else [empty]
    there = set(known["id"].filter(pc.is_in(known["id"], scan.seeds.names)).to_pylist()) if len(known) else set()
    there.update(problem.id for problem in scan.problems)
    seeds: list[AnySeed] = []
    of_seeds: list[str | None] = []
    problems = list(scan.problems)
    for base in known.to_pylist():
        id, sha256, size, kind = (base[name] for name in ("id", "sha256", "bytes", "kind"))
        if id in there:
            continue
        if not same_pipeline:
            problems.append(Problem(id, "changed", BEING_WRITTEN, None))
        elif sha256 is not None and size is not None:
            seeds.append(Seed(id, sha256.hex(), size))
            of_seeds.append(base["recurring"])
        elif kind is not None:
            problems.append(Problem(id, kind, "", size))
    if seeds:
        more = SeedList(pa.concat_tables([scan.seeds.rows, SeedList.of(seeds).rows]))
        scan, chunks = scan._replace(seeds=more), [*chunks, pa.array(of_seeds, pa.string())]
    problems.sort(key=lambda one: one.id)
    return scan._replace(problems=tuple(problems)), pa.chunked_array(chunks, pa.string())


def without_changed(plan: Plan, base: Base | None, changed: Collection[AnySeed]) -> Plan:
    """The plan without seeds that changed since they were found: the next run takes them, as it does files that are
    still being written.

    What the base knows stays as it is there, and what is new is left out. When the pipeline changed, the base's rows
    are of no use: the seed is a problem then, until it can be read.
    changed   of `plan.to_clean`
    """
    doomed = {seed.name: seed for seed in changed}
    ids = pa.array(sorted(doomed), pa.string())
    known = base.seeds.filter(pc.is_in(base.seeds["id"], ids)).to_pylist() if base else []
    there = [row["id"] for row in known]
    stays = base is not None and (base.fingerprint, base.schema_version) == (plan.fingerprint, SCHEMA_VERSION)
    for row in known:
        row["sha256"] = row["sha256"] and row["sha256"].hex()
    differ = sum(row["sha256"] != doomed[row["id"]].sha256 for row in known) if stays else 0
    seeds: list[AnySeed] = []
    fresh: list[Problem] = []
    for row in known:
        seed = doomed[row["id"]]
        if stays and row["sha256"] is not None and row["bytes"] is not None:
            seeds.append(seed._replace(sha256=row["sha256"], size=row["bytes"]))
        else:
            container = seed.container if isinstance(seed, Member) else ""
            kind, size = (row["kind"] or "changed", row["bytes"]) if stays else ("changed", None)
            fresh.append(Problem(seed.name, kind, BEING_WRITTEN, size, container))
    others = plan.scan.seeds.filter(pc.invert(pc.is_in(plan.scan.seeds.names, ids)))
    to_clean = pc.invert(pc.is_in(plan.to_clean.names, ids))
    # a container of which not all was read is read again: it is on record without its hash
    torn = {seed.container for seed in doomed.values() if isinstance(seed, Member)}
    return plan._replace(
        to_clean=plan.to_clean.filter(to_clean),
        problems=tuple(sorted([*plan.problems, *(() if stays else fresh)])),
        gone=plan.gone.filter(pc.invert(pc.is_in(plan.gone, ids))) if stays else plan.gone,
        added=plan.added - (len(doomed) - len(there)),
        changed=plan.changed - differ,
        unchanged=plan.unchanged + differ,
        renamed=tuple(pair for pair in plan.renamed if pair[1] not in doomed),
        scan=plan.scan._replace(
            seeds=SeedList(pa.concat_tables([others.rows, SeedList.of(seeds).rows])),
            problems=tuple(sorted([*plan.scan.problems, *fresh])),
            containers={id: sha256 for id, sha256 in plan.scan.containers.items() if id not in torn},
            waiting=tuple(sorted({*plan.scan.waiting, *doomed})),
        ),
        recurring=None if plan.recurring is None else plan.recurring.filter(to_clean),
    )


class _Renamed(NamedTuple):
    """Seeds that vanished, but whose bytes are there under an id that is new: places in the base, and in the scan."""

    old: Places
    new: Places

    def names(self, seeds: SeedList, known: pa.Table) -> tuple[tuple[str, str], ...]:
        """Old id and new id of each."""
        old, new = known["id"].take(pa.array(self.old)), seeds.names.take(pa.array(self.new))
        return tuple(zip(old.to_pylist(), new.to_pylist(), strict=True))

    def as_known(self, known: pa.Table, dropped: Flags, marks: pa.ChunkedArray) -> Flags:
        """Whether the rows of the base are what the next version needs."""
        old = known["recurring"].take(pa.array(self.old))
        return _equal_or_null(old, marks.take(pa.array(self.new))) & ~dropped[self.old]


def _renamed(seeds: SeedList, known: pa.Table, vanished: Flags, is_new: Flags) -> _Renamed:
    """Of several equal ones the first vanished id goes with the first new one."""
    nothing = np.zeros(0, np.int64)
    lost, gained = np.flatnonzero(vanished), np.flatnonzero(is_new)
    if not lost.size or not gained.size:
        return _Renamed(nothing, nothing)
    gone = known.select(["id", "sha256"]).take(pa.array(lost))
    order = pc.sort_indices(gone["id"])
    old_of: dict[bytes, list[int]] = {}
    for at, sha256 in zip(order.to_pylist()[::-1], gone["sha256"].take(order).to_pylist()[::-1], strict=True):
        if sha256 is not None:
            old_of.setdefault(sha256, []).append(int(lost[at]))
    new = seeds.take(pa.array(gained))
    sha256s = new.rows["sha256"]
    likely = np.flatnonzero(_mask(pc.is_in(sha256s, pa.array(list(old_of), sha256s.type))))
    pairs = []
    for at, sha256 in zip(likely.tolist(), sha256s.take(pa.array(likely)).to_pylist(), strict=True):
        if old_of[sha256]:
            pairs.append((old_of[sha256].pop(), int(gained[at])))
    found = np.array(pairs, np.int64).reshape(-1, 2)
    return _Renamed(found[:, 0], found[:, 1])


def batches(
    seeds: Iterable[AnySeed], max_bytes: int, max_seeds: int = 20_000, done: Iterable[bool] = ()
) -> Iterator[tuple[AnySeed, ...]]:
    """Seeds in their order, cut into batches of at most so many bytes (a larger seed is alone) and seeds.

    done   of each seed whether it is staged already (of none of the rest): it is left out, and a batch ends where it
           stands, so that the batches of a run that was interrupted are those that the run would have had
    """
    batch: list[AnySeed] = []
    size = 0
    for seed, staged in zip(seeds, chain(done, repeat(False)), strict=False):
        if batch and (staged or size + seed.size > max_bytes or len(batch) >= max_seeds):
            yield tuple(batch)
            batch, size = [], 0
        if not staged:
            batch.append(seed)
            size += seed.size
    if batch:
        yield tuple(batch)


def usable(staged: Iterable[pa.Table], plan: Plan) -> list[bool]:
    """For batches that an earlier run left behind, each as its rows of `seeds` (the columns CLEANED): whether this run
    can use them, that is, whether all their seeds are still to be cleaned, with the same lines that recur, and no two
    of the chosen hold the same."""
    sought = Sought(plan.to_clean.names)
    marks = pa.nulls(len(plan.to_clean), pa.string()) if plan.recurring is None else plan.recurring
    chosen: list[bool] = []
    taken = np.zeros(len(plan.to_clean), bool)
    for rows in staged:
        place = sought.places(rows["id"])
        wanted = plan.to_clean.take(place).hashes()
        fits = _mask(pc.equal(rows["sha256"], wanted)) & _equal_or_null(rows["recurring"], marks.take(place))
        good = bool(fits.size) and bool(fits.all()) and not taken[place].any()
        chosen.append(good)
        if good:
            taken[place] = True
    return chosen


def are_among(seeds: SeedList, ids: Iterable[pa.ChunkedArray]) -> Flags:
    """Of each of these seeds whether its id is among others, which come some thousands at a time."""
    sought = Sought(seeds.names)
    found = np.zeros(len(seeds), bool)
    for some in ids:
        found[sought.places(some).drop_null()] = True
    return found


CLEANED = ["id", "sha256", "recurring"]
"""What a document depends on, beside the pipeline: its seed, and hash of those of its lines that recur."""
