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
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import combinations
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from cleaners import Config, Draft, Record, chrome, recurrence

from .records import Reading
from .schema import LINES, RECURRING, SCHEMA_VERSION
from .seeds import AnySeed, Problem, Scan, read_all
from .version import Version

FEWEST_ARTICLES = 4
"""A line that fewer articles share does not recur."""

LEAST_SHARE, ENOUGH_ARTICLES = 0.05, 100
"""Nor one that a smaller part of the site's articles has, unless it is so many."""

LEAST_SHARE_UNKNOWN = 0.4
"""The part in a site of which no rule names a recurring line: it may be a collection of forms, poems, laws."""

LEAST_SHARE_OF_NOTICE, FEWEST_NOTICES = 0.5, 10
"""The part, and the number, for a sentence."""

FEWEST_NAMED = 2
"""So many recurring lines that rules name show that a site's pages have chrome."""

MOST_INSIDE = 0.25
"""A line that stands inside of articles for more than this part of the times that it stands at the place where it
would be removed is one of the article's own."""

HOST = re.compile(r"(?:[a-z0-9][a-z0-9-]{0,62}\.){1,5}[a-z]{2,18}", re.I)

Keys = npt.NDArray[np.uint64]
Counts = npt.NDArray[np.int64]


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
    fresh      ids of the seeds that were sampled in this run
    marks      id -> hash of those of the document's lines that recur; only documents that have some
    """

    def __init__(
        self,
        recurring: tuple[Recurring, ...],
        fresh: frozenset[str],
        load: Callable[[], pa.Table],
        marks: Mapping[str, str] | None = None,
    ) -> None:
        self.recurring = recurring
        self.fresh = fresh
        self._load = load
        self.marks = marks if marks is not None else {id: mark(keys) for id, keys in self.applied.items()}

    @cached_property
    def rows(self) -> pa.Table:
        """Those of `lines`, for all seeds that could be read."""
        return self._load()

    @cached_property
    def applied(self) -> Mapping[str, frozenset[int]]:
        """id -> keys of the document's lines that recur; only documents that have some."""
        return _Sites(self.rows).applied(self.recurring) if self.recurring else {}

    def rows_of(self, ids: Iterable[str]) -> pa.Table:
        """The rows of these ids."""
        return self.rows.filter(pc.is_in(self.rows["id"], pa.array(sorted(set(ids)), pa.string())))

    def without(self, ids: frozenset[str]) -> Survey:
        """The same, but for what was read of these seeds: they changed meanwhile, and are sampled again."""

        def load() -> pa.Table:
            return self.rows.filter(pc.invert(pc.is_in(self.rows["id"], pa.array(sorted(ids), pa.string()))))

        marks = {id: mark for id, mark in self.marks.items() if id not in ids}
        return Survey(self.recurring, self.fresh - ids, load, marks)


NO_SURVEY = Survey((), frozenset(), LINES.empty_table, {})


def mark(keys: Iterable[int]) -> str:
    """Hash, 16 hex digits, of the keys that a document was cleaned with."""
    content = np.sort(np.fromiter(keys, np.uint64)).astype("<u8").tobytes()
    return hashlib.blake2b(content, digest_size=8).hexdigest()


def site(id: str, said: str | None = None) -> str:
    """The site of a seed: the host that is known of it, else the folder in its id that is a host's name, else its
    first folder, else ""."""
    folders = id.split("/")[:-1]
    host = said or next((one for one in folders if HOST.fullmatch(one)), None)
    if host is None:
        return folders[0] if folders else ""
    return host.lower().removeprefix("www.")


def unknown(scan: Scan, fingerprint: str, base: Version | None) -> list[AnySeed]:
    """The seeds that have to be sampled: new or changed ones, or all when the pipeline changed."""
    known = _hashes(base) if _same_pipeline(base, fingerprint) else {}
    return [seed for seed in scan.seeds if known.get(seed.name) != seed.sha256]


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
            draft = Draft(one.raw, one.name, config, one.record)
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


def look(root: Path, scan: Scan, fingerprint: str, base: Version | None, config: Config) -> Survey:
    """What recurs among the seeds of a scan, in one step: samples those that are unknown, and learns."""
    fresh = sample(root, unknown(scan, fingerprint, base), config)
    return survey(scan, fingerprint, base, fresh, lambda seeds: drafts(root, seeds, config))


def survey(
    scan: Scan,
    fingerprint: str,
    base: Version | None,
    fresh: pa.Table,
    read_again: Callable[[Sequence[AnySeed]], Iterable[Draft]],
) -> Survey:
    """What recurs among the seeds of a scan.

    fresh        rows of the seeds that are `unknown`
    read_again   gives a few seeds, to know what lines that recur for the first time say
    """
    there = {seed.name: seed for seed in scan.seeds}
    sampled = frozenset(fresh["id"].to_pylist())
    old = _hashes(base) if _same_pipeline(base, fingerprint) else {}
    stay = [id for id, sha256 in old.items() if id in there and there[id].sha256 == sha256 and id not in sampled]

    def load() -> pa.Table:
        kept = LINES.empty_table()
        if base is not None and stay:
            kept = base.read("lines")
            kept = kept.filter(pc.is_in(kept["id"], pa.array(stay, pa.string())))
        return pa.concat_tables([kept, fresh]).sort_by("id").combine_chunks()

    known = _recurring(base) if base is not None and _same_pipeline(base, fingerprint) else ()
    if base is not None and not sampled and len(stay) == len(old) and old:
        marks = {id: seed.recurring for id, seed in base.seeds().items() if seed.recurring is not None}
        return Survey(known, sampled, load, marks)

    def lines_of(wanted: Mapping[str, frozenset[int]]) -> dict[int, str]:
        found: dict[int, str] = {}
        for draft in read_again([seed for seed in scan.seeds if seed.name in wanted]):
            found |= recurrence.lines(draft.text, wanted[draft.seed.name])
        return found

    rows = load()
    recurring = learn(_Sites(rows), {int(one.id, 16): one.line for one in known}, lines_of)
    return Survey(recurring, sampled, lambda: rows)


def marks(version: Version) -> tuple[dict[str, str], dict[str, str]]:
    """What a version's own tables say: id -> hash of those of the document's lines that recur; id -> SHA-256 of the
    sampled seeds."""
    rows = version.read("lines").sort_by("id").combine_chunks()
    applied = _Sites(rows).applied(_recurring(version))
    return {id: mark(keys) for id, keys in applied.items()}, _hashes(version)


class _Candidates(NamedTuple):
    """Lines of one site that may recur, sorted by key: in how many articles, and the number of a document that has
    it."""

    keys: Keys
    articles: Counts
    document: Counts


class _Sites:
    """The samples of a corpus, by site."""

    def __init__(self, rows: pa.Table) -> None:
        self.ids: list[str] = rows["id"].to_pylist()
        said = rows["site"].to_pylist()
        self.names = [site(id, host) for id, host in zip(self.ids, said, strict=True)]
        self.keys = [np.frombuffer(one, "<u8") for one in rows["keys"].to_pylist()]
        self.article = _articles([np.frombuffer(one, "<u8") for one in rows["identity"].to_pylist()])
        self.documents: dict[str, list[int]] = {}
        for number, name in enumerate(self.names):
            self.documents.setdefault(name, []).append(number)

    def number_of_articles(self, name: str) -> int:
        """Copies of one count as one; pages without prose do not count."""
        return len({self.article[i] for i in self.documents[name] if self.article[i] >= 0})

    def candidates(self, name: str) -> _Candidates:
        """The lines of at least FEWEST_ARTICLES articles of a site."""
        evidence = np.array([i for i in self.documents[name] if self.article[i] >= 0], np.int64)
        keys = np.concatenate([np.zeros(0, np.uint64), *(self.keys[i] for i in evidence)])
        document = np.repeat(evidence, [self.keys[i].size for i in evidence])
        keys, document = _frequent(keys, document)
        # return_index: the first, that is, the document with the smallest id
        counted, place, line = np.unique(keys, return_index=True, return_inverse=True)
        pairs = np.unique(line * len(self.ids) + self.article[document])
        articles = np.bincount(pairs // len(self.ids), minlength=counted.size)
        inside = _looked_up(counted, articles, counted & ~np.uint64(3) | np.uint64(recurrence.INSIDE))
        outside = (counted & np.uint64(3)) != recurrence.INSIDE
        enough = outside & (articles >= FEWEST_ARTICLES) & (inside <= MOST_INSIDE * articles)
        return _Candidates(counted[enough], articles[enough], document[place[enough]])

    def applied(self, recurring: Iterable[Recurring]) -> dict[str, frozenset[int]]:
        """id -> keys of its lines that recur."""
        of_site: dict[str, list[Recurring]] = {}
        for one in recurring:
            of_site.setdefault(one.site, []).append(one)
        found = {}
        for name, chosen in of_site.items():
            wanted = frozenset(int(one.id, 16) for one in chosen)
            known = frozenset(
                [recurrence.KNOWN] if _has_chrome(one.rule for one in chosen if one.place != "notice") else ()
            )
            for i in self.documents[name]:
                if mine := wanted.intersection(self.keys[i].tolist()):
                    found[self.ids[i]] = mine | known
        return found


def learn(
    sites: _Sites,
    said: Mapping[int, str],
    lines_of: Callable[[Mapping[str, frozenset[int]]], Mapping[int, str]],
) -> tuple[Recurring, ...]:
    """The lines that recur, sorted by id and site.

    said       what lines say of which that is known, by key
    lines_of   gives what lines say: id of a seed -> keys of its lines
    """
    chosen = {name: _often(sites.candidates(name), sites.number_of_articles(name)) for name in sorted(sites.documents)}
    wanted: dict[str, set[int]] = {}
    for one in chosen.values():
        for key, document in zip(one.keys.tolist(), one.document.tolist(), strict=True):
            if key not in said:
                wanted.setdefault(sites.ids[document], set()).add(key)
    read = lines_of({id: frozenset(keys) for id, keys in wanted.items()}) if wanted else {}
    line_of = {**said, **read}
    found = [
        one
        for name, candidates in chosen.items()
        for one in _chosen(name, candidates, sites.number_of_articles(name), line_of)
    ]
    return tuple(sorted(found))


def _often(found: _Candidates, of: int) -> _Candidates:
    enough = found.articles >= min(LEAST_SHARE * of, ENOUGH_ARTICLES)
    return _Candidates(found.keys[enough], found.articles[enough], found.document[enough])


def _chosen(name: str, found: _Candidates, of: int, line_of: Mapping[int, str]) -> Iterator[Recurring]:
    """The lines of one site that recur: all that are frequent where rules show that its pages have chrome."""
    rows = []
    for key, articles in zip(found.keys.tolist(), found.articles.tolist(), strict=True):
        line = line_of.get(key, "\ud800")  # when its seed changed meanwhile
        if recurrence.is_storable(line):
            rows.append((key, line, articles, chrome.named(line)))
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
            yield Recurring(f"{key:016x}", name, line, place, articles, of, rule or None)


def _has_chrome(rules: Iterable[str | None]) -> bool:
    """Whether a site's pages have chrome for sure, by the rules that name lines that recur there."""
    return sum(map(bool, rules)) >= FEWEST_NAMED


def table(recurring: Sequence[Recurring]) -> pa.Table:
    """The rows of `recurring`."""
    return _table([(one.id, one.site or None, *one[2:]) for one in recurring], RECURRING)


def _articles(identities: Sequence[Keys]) -> Counts:
    """A number for each page: the same for pages that are, in a chain, copies of one article; -1 without prose.

    Pages that share two of their hashes are copies.  The smallest number of its neighbours goes to each page until
    nothing changes."""
    found = np.full(len(identities), -1, np.int64)
    pages = np.array([i for i, one in enumerate(identities) if one.size], np.int64)
    if not pages.size:
        return found
    hashes = np.stack([identities[i] for i in pages])
    slots = [np.unique(column, return_inverse=True)[1] for column in hashes.T]
    slots = [np.unique(one * pages.size + other, return_inverse=True)[1] for one, other in combinations(slots, 2)]
    labels = np.arange(pages.size)
    while True:
        before = labels
        for slot in slots:
            least = np.full(pages.size, pages.size)
            np.minimum.at(least, slot, labels)
            labels = least[slot]
        if np.array_equal(before, labels):
            break
    found[pages] = labels
    return found


def _frequent(keys: Keys, document: Counts) -> tuple[Keys, Counts]:
    """Those of at least FEWEST_ARTICLES documents; and their counterparts inside of articles."""
    counted, inverse, times = np.unique(keys, return_inverse=True, return_counts=True)
    lines = np.unique(counted[times >= FEWEST_ARTICLES] & ~np.uint64(3))
    stay = np.isin(counted & ~np.uint64(3), lines)[inverse]
    return keys[stay], document[stay]


def _looked_up(keys: Keys, values: Counts, wanted: Keys) -> Counts:
    """The values of the wanted keys, 0 for those that are not among the sorted keys."""
    if not keys.size:
        return np.zeros(wanted.size, np.int64)
    at = np.minimum(np.searchsorted(keys, wanted), keys.size - 1)
    return np.where(keys[at] == wanted, values[at], 0)


def _same_pipeline(base: Version | None, fingerprint: str) -> bool:
    if base is None:
        return False
    return (base.manifest.fingerprint, base.manifest.schema_version) == (fingerprint, SCHEMA_VERSION)


def _hashes(base: Version | None) -> dict[str, str]:
    """SHA-256 of the sampled seeds, by id."""
    rows = base.read("lines", ["id", "sha256"]) if base is not None else LINES.empty_table()
    return dict(zip(rows["id"].to_pylist(), rows["sha256"].to_pylist(), strict=True))


def _recurring(base: Version) -> tuple[Recurring, ...]:
    rows = base.read("recurring").to_pylist()
    return tuple(Recurring(**{**row, "site": row["site"] or ""}) for row in rows)


def _packed(values: Sequence[int]) -> bytes:
    return np.array(values, "<u8").tobytes()


def _table(rows: Sequence[tuple[object, ...]], schema: pa.Schema) -> pa.Table:
    columns = list(zip(*rows, strict=True)) or [()] * len(schema)
    arrays = [pa.array(list(values), field.type) for values, field in zip(columns, schema, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema)
