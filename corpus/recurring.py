"""What recurs: which lines the pages of a site share, learned from all seeds of a corpus.

What is learned depends on the set of seeds alone, never on the order in which they came:

1. Each new or changed seed is read once before it is cleaned: `sample` keeps the keys of its short lines
   (cleaners/recurrence.py), in the table `lines`.
2. `learn` counts in how many articles of a site each line stands, copies of one article as one, and chooses those
   that recur.
3. `Survey.applied` says for each document which of its lines recur.  A document for which this changed since the
   version before is cleaned again; no other is.

docs/decisions/0034-recurring-lines.md has the measurements behind the constants.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias
from urllib.parse import urlsplit

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cleaners import Config, Draft, Record, chrome, recurrence

from . import parts
from .merge import Source
from .plan import batches
from .records import Reading
from .samples import Frequent, Piece, Samples, site
from .schema import LINES, RECURRING, SCHEMA_VERSION, SCHEMAS
from .seed_list import AnySeed, SeedList, Sought, digests, places
from .seeds import Problem, Scan, read_all
from .version import SEEDS_FILE, Version

__all__ = ["NO_SURVEY", "Recurring", "Survey", "drafts", "host", "learn", "look", "mark", "marks", "sample", "site"]

BATCH_BYTES = 8 << 20
"""Bytes of seeds that are sampled at a time."""

LEAST_SHARE, ENOUGH_ARTICLES = 0.05, 100
"""Nor one that a smaller part of the site's articles has, unless it is so many."""

LEAST_SHARE_UNKNOWN = 0.4
"""The part in a site of which no rule names a recurring line: it may be a collection of forms, poems, laws."""

LEAST_SHARE_OF_NOTICE, FEWEST_NOTICES = 0.5, 10
"""The part, and the number, for a sentence."""

FEWEST_NAMED = 2
"""So many recurring lines that rules name show that a site's pages have chrome."""


class Recurring(NamedTuple):
    """A line that recurs: a row of `recurring`.

    id         its key, 16 hex digits
    site       "" for seeds that lie in no folder
    line       masked: without space, numbers as 0
    place      head, tail, or notice: a sentence at the lower end
    articles   in so many of the site's articles, copies counted as one; `of`: of so many
    rule       the rule of chrome that names it, too; None when there is none
    """

    id: str
    site: str
    line: str
    place: str
    articles: int
    of: int
    rule: str | None


class Survey:
    """What a run knows of its seeds' lines before it cleans.

    recurring  the lines that recur, sorted
    fresh      parts with the samples of this run
    gone       ids of the base's samples that do not count any more, sorted; None: all
    marks      per seed of the scan the hash of those of its lines that recur; null: none does
    left_out   ids of seeds whose samples are of no use: they changed meanwhile
    """

    def __init__(
        self,
        recurring: tuple[Recurring, ...] = (),
        fresh: Sequence[Source | pa.Table] = (),
        gone: pa.Array | None = None,
        marks: pa.Array | pa.ChunkedArray | None = None,
        found: Found | Lazy | None = None,
        left_out: frozenset[str] = frozenset(),
    ) -> None:
        self.recurring = recurring
        self.fresh = fresh
        self.gone = gone
        self.marks = marks
        self.left_out = left_out
        self._found = found

    def applied(self, seeds: Iterable[AnySeed]) -> dict[str, frozenset[int]]:
        """id -> keys of the seed's lines that recur; only seeds that have some."""
        return self._found.applied([seed.name for seed in seeds]) if self._found else {}

    def without(self, ids: frozenset[str]) -> Survey:
        """The same, but for what was read of these seeds: they changed meanwhile, and are sampled again."""
        return Survey(self.recurring, self.fresh, self.gone, self.marks, self._found, self.left_out | ids)


NO_SURVEY = Survey()


class Found:
    """What recurs in which document: found again for a few of them at a time, as it is too much to hold for all.

    names   ids of the seeds of a scan
    place   for each the number of the piece that has its sample; -1: none has
    marks   for each the hash of its lines that recur; null: none does
    """

    STEP = 1 << 16

    def __init__(self, names: pa.ChunkedArray, samples: Samples, recurring: Sequence[Recurring]) -> None:
        self._names = names
        self._samples = samples
        self._wanted = _wanted(recurring)
        self._next = 0
        ids: list[pa.Array] = []
        marks: list[pa.Array] = []
        counts = []
        for number in range(len(samples.pieces) if self._wanted else 0):
            pairs = [(id, mark(keys)) for id, keys in self._of_piece(number)]
            ids.append(pa.array([id for id, _ in pairs], pa.string()))
            marks.append(pa.array([of for _, of in pairs], pa.string()))
            counts.append(len(pairs))
        row = pc.index_in(names, pa.chunked_array(ids, pa.string()))
        self.marks = pa.chunked_array(marks, pa.string()).take(row)
        ends = np.cumsum(counts)
        rows = pc.fill_null(row, -1).to_numpy()
        self._place = np.where(rows < 0, -1, np.searchsorted(ends, rows, side="right")).astype(np.int32)

    def applied(self, ids: Sequence[str]) -> dict[str, frozenset[int]]:
        """id -> keys of its lines that recur; only of seeds that have some."""
        wanted = set(ids)
        found: dict[str, frozenset[int]] = {}
        for number in self._pieces(pa.array(ids, pa.string())):
            found.update((id, keys) for id, keys in self._of_piece(number) if id in wanted)
        return found

    def _pieces(self, ids: pa.Array) -> list[int]:
        """The numbers of the pieces that have samples of these. Runs ask in the scan's order: the search goes on where
        the last one ended."""
        size, left = len(self._names), len(ids)
        found: set[int] = set()
        first = self._next
        for start in chain(range(first, size, self.STEP), range(0, first, self.STEP)):
            if not left:
                break
            here = np.flatnonzero(pc.is_in(self._names.slice(start, self.STEP), ids).to_numpy()) + start
            left -= here.size
            found.update(self._place[here].tolist())
            if here.size:
                self._next = start
        return sorted(found - {-1})

    def _of_piece(self, number: int) -> Iterator[tuple[str, frozenset[int]]]:
        return self._samples.applied(number, lambda name: self._wanted.get(name, frozenset()))


def _wanted(recurring: Iterable[Recurring]) -> dict[str, frozenset[int]]:
    """Keys of the lines that recur, by site; with KNOWN where rules show that its pages have chrome."""
    of_site: dict[str, list[Recurring]] = {}
    for one in recurring:
        of_site.setdefault(one.site, []).append(one)
    return {
        name: frozenset(int(one.id, 16) for one in chosen)
        | ({recurrence.KNOWN} if _has_chrome(one.rule for one in chosen if one.place != "notice") else set())
        for name, chosen in of_site.items()
    }


def mark(keys: Iterable[int]) -> str:
    """Hash, 16 hex digits, of the keys that a document was cleaned with."""
    content = np.sort(np.fromiter(keys, np.uint64)).astype("<u8").tobytes()
    return hashlib.blake2b(content, digest_size=8).hexdigest()


def unknown(scan: Scan, fingerprint: str, base: Version | None) -> SeedList:
    """The seeds that have to be sampled: new or changed ones, or all when the pipeline changed."""
    if base is None or not _same_pipeline(base, fingerprint):
        return scan.seeds
    ids, hashes = [], []
    for source in base.sources("lines"):
        for rows in parts.groups(source.path, "lines", ["id", "sha256"]):
            ids.append(rows["id"])
            hashes.append(digests(rows["sha256"]))
    known = pa.chunked_array([chunk for one in ids for chunk in one.chunks], pa.string())
    sha256 = pa.chunked_array([chunk for one in hashes for chunk in one.chunks], pa.binary(32))
    sha256 = sha256.take(places(scan.seeds.names, known))
    return scan.seeds.filter(pc.fill_null(pc.not_equal(sha256, scan.seeds.rows["sha256"]), True))


def sample(root: Path, seeds: Iterable[AnySeed], config: Config) -> pa.Table:
    """The rows of `lines` of seeds; one that changed since the scan has none."""
    seeds = list(seeds)
    known = {seed.name: seed.sha256 for seed in seeds}
    rows = []
    for draft in drafts(root, seeds, config):
        of = recurrence.sample("" if draft.quarantine else draft.text)
        name = draft.seed.name
        rows.append((name, known[name], host(draft.record), _packed(of.identity), _packed(of.keys)))
    return _table(rows, LINES)


def drafts(root: Path, seeds: Iterable[AnySeed], config: Config) -> Iterator[Draft]:
    """The decoded seeds, of pages in HTML what a reader sees; without those that changed since the scan, which wait
    for the next run."""
    for one in read_all(root, seeds, Reading.of(config)):
        if not isinstance(one, Problem):
            draft = Draft(one.raw, one.name, config, one.record, one.sha256)
            try:
                draft.text = recurrence.readable(draft.text, config)
            except Exception:  # noqa: BLE001  when it is cleaned, it goes to quarantine with its reason
                draft.text = ""
            yield draft


def host(record: Record | None) -> str | None:
    """The host of the address that a record names; None without one."""
    try:
        found = urlsplit(record.url).hostname if record else None
    except ValueError:
        return None
    return found if found and recurrence.is_storable(found) else None


def look(
    root: Path,
    scan: Scan,
    fingerprint: str,
    base: Version | None,
    config: Config,
    fresh: Sequence[Source] | None = None,
    by: By | None = None,
) -> Survey:
    """What recurs among the seeds of a scan, in one step: samples those that are unknown, and learns.

    fresh   parts with their samples, when these were taken already (`Unsampled`); None: take them, and keep them in
            memory
    by      calls a function, in another process, say, that has the tables to read seeds; None: this one does it
    """
    cut = batches(unknown(scan, fingerprint, base), BATCH_BYTES) if fresh is None else ()
    rows = [sample(root, seeds, config) for seeds in cut]
    by = by or here
    return survey(scan, fingerprint, base, rows if fresh is None else fresh, partial(by, said, root, config), by)


def said(root: Path, config: Config, seeds: SeedList, wanted: Mapping[str, frozenset[int]]) -> dict[int, str]:
    """What lines of a few seeds say, by key.

    wanted   id of each seed -> keys of its lines
    """
    found: dict[int, str] = {}
    for draft in drafts(root, seeds, config):
        found |= recurrence.lines(draft.text, wanted[draft.seed.name])
    return found


By: TypeAlias = "Callable[..., Any]"
"""Calls a function, in another process, say."""


def here(function: Callable[..., Any], *args: Any) -> Any:
    """Calls it in this process."""
    return function(*args)


class Unsampled:
    """Seeds whose lines are to be sampled together: any process may do it.

    number   1, 2, 3 … within a run
    folder   for the part with the samples
    """

    __slots__ = ("config", "folder", "number", "root", "seeds")

    def __init__(self, number: int, root: Path, seeds: Sequence[AnySeed], folder: Path, config: Config) -> None:
        self.number = number
        self.root = root
        self.seeds = seeds
        self.folder = folder
        self.config = config

    def sample(self) -> Source:
        """Reads the seeds, and writes the part.  Raises OSError when it cannot be written."""
        return written(sample(self.root, self.seeds, self.config), self.folder, self.number)


def unsampled(
    root: Path, scan: Scan, fingerprint: str, base: Version | None, config: Config, folder: Path
) -> Iterator[Unsampled]:
    """What has to be sampled, cut into batches, which depend on the seeds alone."""
    for number, seeds in enumerate(batches(unknown(scan, fingerprint, base), BATCH_BYTES), 1):
        yield Unsampled(number, root, seeds, folder, config)


def written(rows: pa.Table, folder: Path, number: int) -> Source:
    """A part with the samples of a batch.  Raises OSError when it cannot be written."""
    part = parts.write(rows, "lines", folder, f"lines-{number:06}.parquet")
    return Source(folder / part.file, part)


def survey(
    scan: Scan,
    fingerprint: str,
    base: Version | None,
    fresh: Sequence[Source | pa.Table],
    said: Callable[[SeedList, Mapping[str, frozenset[int]]], Mapping[int, str]],
    by: By = here,
) -> Survey:
    """What recurs among the seeds of a scan.

    fresh   rows of the seeds that are `unknown`: tables, or parts of `lines`
    said    reads a few seeds, to know what lines that recur for the first time say
    by      as for `look`
    """
    names = scan.seeds.names
    new = [Piece(one.path if isinstance(one, Source) else one) for one in fresh]
    old, gone = _still_there(scan, fingerprint, base, new)
    known = _recurring(base) if base is not None and _same_pipeline(base, fingerprint) else ()
    all_there = old and gone is not None and not len(gone)
    if base is not None and all_there and not any(one.read("id").num_rows for one in new):
        before = _columns(base.path / SEEDS_FILE, "seeds", ["id", "recurring"])
        marks = before["recurring"].take(places(names, before["id"]))
        again = Lazy(lambda: Found(names, Samples(old), known))
        return Survey(known, (), gone, marks, again)
    samples = Samples([*old, *new])

    def lines_of(wanted: Mapping[str, frozenset[int]]) -> Mapping[int, str]:
        return said(scan.seeds.filter(pc.is_in(names, pa.array(sorted(wanted), pa.string()))), wanted)

    recurring = learn(samples, {int(one.id, 16): one.line for one in known}, lines_of, partial(by, _rules))
    found = Found(names, samples, recurring)
    return Survey(recurring, fresh, gone, found.marks, found)


class Lazy:
    """What recurs in which document, looked up only when it is asked for: a run without a change never asks."""

    def __init__(self, found: Callable[[], Found]) -> None:
        self._make = found

    @cached_property
    def _found(self) -> Found:
        return self._make()

    def applied(self, ids: Sequence[str]) -> dict[str, frozenset[int]]:
        return self._found.applied(ids)


def _still_there(
    scan: Scan, fingerprint: str, base: Version | None, fresh: Sequence[Piece]
) -> tuple[list[Piece], pa.Array | None]:
    """Of the base's samples the pieces that count, and the ids of those that do not, sorted; None: all."""
    if base is None or not _same_pipeline(base, fingerprint):
        return [], None
    pieces, gone = [], [pa.array([], pa.string())]
    seeds, sought = scan.seeds, Sought(scan.seeds.names)
    again = pa.chunked_array([chunk for one in fresh for chunk in one.read("id")["id"].chunks], pa.string())
    for source in base.sources("lines"):
        rows = _columns(source.path, "lines", ["id", "sha256"])
        same = pc.equal(seeds.rows["sha256"].take(sought.places(rows["id"])), digests(rows["sha256"]))
        stays = pc.and_(pc.fill_null(same, False), pc.invert(pc.is_in(rows["id"], again)))
        pieces.append(Piece(source.path, stays.to_numpy()))
        gone += rows["id"].filter(pc.invert(stays)).chunks
    return pieces, pa.concat_arrays(gone).sort()


def _columns(file: Path, table: str, names: Sequence[str]) -> pa.Table:
    """A few columns of a file that may have no rows."""
    none = SCHEMAS[table].empty_table().select(names)
    return pa.concat_tables([none, *parts.groups(file, table, names)])


def marks(version: Version) -> pa.Table:
    """What a version's own tables say of the seeds that were sampled: `id`, `mark`, the hash of those of its lines that
    recur (null: none do), `sha256`, 32 bytes."""
    ids: list[pa.Array] = []
    hashes: list[pa.Array] = []
    for source in version.sources("lines"):
        for rows in parts.groups(source.path, "lines", ["id", "sha256"]):
            ids += rows["id"].chunks
            hashes += digests(rows["sha256"]).chunks
    names = pa.chunked_array(ids, pa.string())
    samples = Samples([Piece(source.path) for source in version.sources("lines")])
    found = Found(names, samples, _recurring(version)).marks
    return pa.table({"id": names, "mark": found, "sha256": pa.chunked_array(hashes, pa.binary(32))})


def learn(
    samples: Samples,
    said: Mapping[int, str],
    lines_of: Callable[[Mapping[str, frozenset[int]]], Mapping[int, str]],
    rules_of: Callable[[list[str]], dict[str, str]],
) -> tuple[Recurring, ...]:
    """The lines that recur, sorted by id and site.

    said       what lines say of which that is known, by key
    lines_of   gives what lines say: id of a seed -> keys of its lines
    rules_of   is `_rules`
    """
    of = samples.number_of_articles()
    found = samples.frequent()
    found = found.at(found.articles >= np.minimum(LEAST_SHARE * of[found.site], ENOUGH_ARTICLES))
    new = np.flatnonzero(~np.isin(found.keys, np.fromiter(said, np.uint64)))
    wanted: dict[str, set[int]] = {}
    for id, key in zip(samples.ids(found.document[new]), found.keys[new].tolist(), strict=True):
        wanted.setdefault(id, set()).add(key)
    read = lines_of({id: frozenset(keys) for id, keys in wanted.items()}) if wanted else {}
    line_of = {**said, **read}
    lines = {line_of[key] for key in found.keys.tolist() if key in line_of}
    rule_of = rules_of(sorted(filter(recurrence.is_storable, lines)))
    chosen: list[Recurring] = []
    for number in np.unique(found.site).tolist():
        mine = found.at(np.arange(*np.searchsorted(found.site, [number, number + 1])))
        chosen += _chosen(samples.names[number], mine, int(of[number]), line_of, rule_of)
    return tuple(sorted(chosen))


def _rules(lines: list[str]) -> dict[str, str]:
    """The rules of chrome that name these lines: of those that have one."""
    return {line: rule for line in lines if (rule := chrome.named(line))}


def _chosen(
    name: str, found: Frequent, of: int, line_of: Mapping[int, str], rule_of: Mapping[str, str]
) -> Iterator[Recurring]:
    """The lines of one site that recur: all that are frequent where rules show that its pages have chrome."""
    rows = []
    for key, articles in zip(found.keys.tolist(), found.articles.tolist(), strict=True):
        line = line_of.get(key, "\ud800")  # when its seed changed meanwhile
        if recurrence.is_storable(line):
            rows.append((key, line, articles, rule_of.get(line)))
    has_chrome = _has_chrome(rule for _, line, _, rule in rows if not recurrence.is_sentence(line))
    for key, line, articles, rule in rows:
        is_notice = recurrence.is_sentence(line)
        if is_notice:
            recurs = has_chrome and articles >= max(FEWEST_NOTICES, LEAST_SHARE_OF_NOTICE * of)
            recurs = recurs and recurrence.place_of(key) == recurrence.TAIL
        else:
            recurs = has_chrome or articles >= LEAST_SHARE_UNKNOWN * of
        if recurs:
            place = "notice" if is_notice else recurrence.PLACES[recurrence.place_of(key)]
            yield Recurring(f"{key:016x}", name, line, place, articles, of, rule)


def _has_chrome(rules: Iterable[str | None]) -> bool:
    """Whether a site's pages have chrome for sure, by the rules that name lines that recur there."""
    return sum(map(bool, rules)) >= FEWEST_NAMED


def table(recurring: Sequence[Recurring]) -> pa.Table:
    """The rows of `recurring`."""
    return _table([(one.id, one.site or None, *one[2:]) for one in recurring], RECURRING)


def _same_pipeline(base: Version | None, fingerprint: str) -> bool:
    if base is None:
        return False
    return (base.manifest.fingerprint, base.manifest.schema_version) == (fingerprint, SCHEMA_VERSION)


def _recurring(base: Version) -> tuple[Recurring, ...]:
    rows = base.read("recurring").to_pylist()
    return tuple(Recurring(**{**row, "site": row["site"] or ""}) for row in rows)


def _packed(values: Sequence[int]) -> bytes:
    return np.array(values, "<u8").tobytes()


def _table(rows: Sequence[tuple[object, ...]], schema: pa.Schema) -> pa.Table:
    columns = list(zip(*rows, strict=True)) or [()] * len(schema)
    arrays = [pa.array(list(values), field.type) for values, field in zip(columns, schema, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema)
