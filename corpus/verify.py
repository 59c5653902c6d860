"""Verify: whether a corpus holds what it promises, in plain words."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cleaners import Document, EditError, apply

from . import ordered, parts, recurring, rows, runs
from .manifest import ContentId
from .parts import StoreError
from .plan import Known
from .schema import SCHEMA_VERSION, SCHEMAS, SEED_IDENTITY, STORED, TABLES, folder
from .seed_list import digests
from .store import Store
from .version import MANIFEST, SEEDS_FILE, Version

BATCH = 500
"""Documents that are rebuilt at a time."""

SPANS = ("paragraphs", "articles", "flags")

MOST_NAMED = 5
"""So many of the ids with which something is wrong are named."""

Advance = Callable[[int], None]


def verify(store: Store, version: Version, advance: Advance = lambda documents: None) -> Iterator[str]:
    """What is wrong with a version, one sentence each; nothing when all is well.

    Checks the link `latest`, each file's hash and schema, all counts, the content id, ids without a partner,
    and every document: its trail taken back gives the seed (by its SHA-256), applied again the text.
    advance   is told after every batch how many documents were checked
    """
    yield from _latest(store)
    try:
        schema_version = version.manifest.schema_version
    except StoreError as error:
        yield str(error)
        return
    broken = list(_files(version))
    if broken:
        yield from broken  # what lies in damaged files needs no further words
        return
    if schema_version != SCHEMA_VERSION:
        yield (
            f"version {version.number} has schema {schema_version}, this program knows "
            f"{SCHEMA_VERSION}: its rows were not checked"
        )
        return
    try:
        yield from _counts(version)
        yield from _ids(version)
        yield from _recurring(version)
        yield from (_summaries if version.manifest.is_summary else _documents)(version, advance)
    except StoreError as error:
        yield str(error)


def _latest(store: Store) -> Iterator[str]:
    """Problems of the link `latest`."""
    latest, newest = store.output / "latest", store.latest()
    if newest is None:
        return
    if not latest.is_symlink():
        yield f"{latest} is missing or no link: the next run of `jingwen build` makes it"
    elif latest.resolve() != newest.path.resolve():
        yield f"{latest} leads to {os.readlink(latest)}, but the newest is version {newest.number}: run `jingwen build`"


def _files(version: Version) -> Iterator[str]:
    """Problems of the version's files."""
    expected = {SEEDS_FILE: ("seeds", version.manifest.seeds)}
    for table in STORED:
        for part in version.manifest.parts[table]:
            expected[f"{folder(table)}/{part.file}"] = (table, part)
    for name, (table, part) in expected.items():
        problem = _file(version.path / name, part, table)
        if problem:
            yield f"version {version.number}: {name} {problem}: restore it from a copy"
    for table in TABLES:
        for path in sorted((version.path / table).glob("[!._]*")):
            name = f"{table}/{path.name}"
            if name not in expected:
                yield f"version {version.number}: {name} is not in {MANIFEST}, but readers see it: move it away"


def _file(path: Path, part: parts.Part, table: str) -> str:
    """What is wrong with a file; empty when nothing is."""
    try:
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        if path.stat().st_size != part.bytes:
            return f"has {path.stat().st_size} bytes instead of {part.bytes}"
        if digest != part.sha256:
            return "does not have its hash: its bytes have changed"
        schema = pq.read_schema(path)
    except FileNotFoundError:
        return "is missing"
    except (OSError, pa.ArrowInvalid) as error:
        return f"cannot be read ({error})"
    return "" if schema.equals(SCHEMAS[table]) else f"does not have the schema of {table}"


def _counts(version: Version) -> Iterator[str]:
    """Whether the manifest's numbers are those of the rows."""
    known = version.manifest
    found: dict[str, int] = {}
    for table in TABLES:
        rows = 0
        for part in known.parts[table]:
            size, problems = _part(version, table, part)
            rows += size
            yield from problems
        found["quarantined" if table == "quarantine" else table] = rows
    found["seeds"] = 0
    content_id = ContentId(known.fingerprint)
    for seeds in _seeds(version, *SEED_IDENTITY)[1]:
        found["seeds"] += seeds.num_rows
        content_id.add(seeds)
    if known.is_summary:
        del found["edits"]  # the counts are of the edits made, the rows examples
    for name, n in found.items():
        if known.counts[name] != n:
            yield f"version {version.number} has {n} {name}, but its manifest says {known.counts[name]}"
    if found["seeds"] != found["documents"] + found["quarantined"]:
        yield (
            f"version {version.number}: {found['seeds']} seeds, but {found['documents']} documents and "
            f"{found['quarantined']} in quarantine: a row is missing or double"
        )
    if content_id.hexdigest() != known.content_id:
        yield f"version {version.number}: its list of seeds does not give its content id"


def _part(version: Version, table: str, part: parts.Part) -> tuple[int, list[str]]:
    """How many rows a part has, and whether it holds what the manifest says of it."""
    columns = ["id", "edits_per_rule"] if table == "documents" else ["id"]
    name = f"version {version.number}: {table}/{part.file}"
    size, least, most, problems = 0, None, None, []
    edits: Counter[str] = Counter()
    for some in parts.groups(version.path / table / part.file, table, columns):
        if not some.num_rows:
            continue
        low, high = (end.as_py() for end in pc.min_max(some["id"]).values())
        if not parts.is_sorted(some, ["id"]) or (most is not None and low < most):
            problems = [f"{name} has its rows in another order than that of their ids"]
        least, most = low if least is None else min(least, low), high if most is None else max(most, high)
        size += some.num_rows
        if table == "documents":
            edits.update({rule: n for rules in parts.count_edits(some).values() for rule, n in rules.items()})
    if (size, least, most) != (part.rows, part.min_id, part.max_id):
        problems.append(f"{name} has other rows than its manifest says")
    if edits != {rule: n for rules in part.edits.values() for rule, n in rules.items()}:
        problems.append(f"{name} has other edits per rule than its manifest says")
    return size, problems


def _seeds(version: Version, *columns: str) -> tuple[pa.Table, Iterator[pa.Table]]:
    """These columns of the list of seeds: an empty table, and the rows, a few thousand at a time."""
    empty = SCHEMAS["seeds"].empty_table().select(columns)
    return empty, parts.pieces(version.path / SEEDS_FILE, "seeds", columns)


class _Wrong:
    """Ids with which something is wrong: so many, and the first few."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._number = 0
        self._first: list[str] = []

    def add(self, ids: pa.ChunkedArray | pa.Array) -> None:
        """Adds sorted ids that come after those before."""
        self._number += len(ids)
        self._first += ids[: MOST_NAMED - len(self._first)].to_pylist()

    def told(self, version: Version) -> Iterator[str]:
        if self._number:
            more = f" and {self._number - len(self._first)} more" if self._number > len(self._first) else ""
            yield f"version {version.number}: {', '.join(map(repr, self._first))}{more} {self._what}"


def _ids(version: Version) -> Iterator[str]:
    """Ids that are double, or have no partner in another table."""
    twice = {table: _Wrong(f"are twice in {table}") for table in OUTCOMES}
    unknown = {table: _Wrong(f"are in {table}, but not in the list of seeds") for table in OUTCOMES}
    missing = {table: _Wrong(f"are in the list of seeds, but not in {table}") for table in OUTCOMES}
    edited = _Wrong("have edits, but no document")
    reprinted = _Wrong("are named in reprints, but are no documents")
    empty = pa.table({"id": pa.array([], pa.string())})
    named = ((empty, _only_ids(runs.ids(version.sources(table), table))) for table in (*OUTCOMES, "edits"))
    reprints = (empty, iter([_of_reprints(version)]))
    for seeds, *found, edits, of_reprints in runs.side_by_side(_seeds(version, "id", "outcome"), *named, reprints):
        documents = found[0]["id"]
        for (table, outcome), mine in zip(OUTCOMES.items(), found, strict=True):
            wanted = seeds["id"].filter(pc.equal(seeds["outcome"], outcome))
            counted = mine.group_by("id", use_threads=False).aggregate([([], "count_all")])
            twice[table].add(counted["id"].filter(pc.greater(counted["count_all"], 1)))
            unknown[table].add(_without(counted["id"], wanted))
            missing[table].add(_without(wanted, mine["id"]))
        edited.add(_without(pc.unique(edits["id"]), documents))
        reprinted.add(_without(of_reprints["id"], documents))
    for table in OUTCOMES:
        for wrong in (twice[table], unknown[table], missing[table]):
            yield from wrong.told(version)
    yield from edited.told(version)
    yield from reprinted.told(version)


OUTCOMES = {"documents": "document", "quarantine": "quarantine"}
"""What the list of seeds says of those in a table."""


def _only_ids(tables: Iterator[pa.Table]) -> Iterator[pa.Table]:
    return (rows.select(["id"]) for rows in tables)


def _of_reprints(version: Version) -> pa.Table:
    """The ids that reprints name, each once, sorted."""
    found = [pa.array([], pa.string())]
    for source in version.sources("reprints"):
        for some in parts.groups(source.path, "reprints", ["id", "kept"]):
            found += [*some["id"].chunks, *some["kept"].chunks]
    return pa.table({"id": pc.unique(pa.chunked_array(found)).sort()})


def _without(ids: Any, others: Any) -> Any:
    """Those that are not among the others."""
    return ids.filter(pc.invert(pc.is_in(ids, others)))


def _recurring(version: Version) -> Iterator[str]:
    """Documents of which the list of seeds says that other lines recur than do."""
    wrong = _Wrong("have other recurring lines than the list of seeds says")
    found = recurring.marks(version)
    sampled = (found.slice(0, 0), iter([parts.in_order(found, ["id"])]))
    for seeds, lines in runs.side_by_side(_seeds(version, "id", "sha256", "recurring"), sampled):
        lines = lines.filter(pc.is_in(lines["id"], seeds["id"]))
        known = seeds.take(pc.index_in(lines["id"], seeds["id"]))
        is_same = pc.fill_null(pc.equal(digests(known["sha256"]), lines["sha256"]), False)
        mark, noted = (pc.fill_null(column, "") for column in (lines["mark"], known["recurring"]))
        wrong.add(lines["id"].filter(pc.and_(is_same, pc.not_equal(mark, noted))))
    yield from wrong.told(version)


def _known(rows: pa.Table) -> dict[str, Known]:
    columns = [rows[name].to_pylist() for name in SEED_IDENTITY]
    return {row[0]: Known(*row[1:]) for row in zip(*columns, strict=True)}


def _documents(version: Version, advance: Advance) -> Iterator[str]:
    """What is wrong with each document."""
    listed = runs.Cursor(*_seeds(version, *SEED_IDENTITY))
    for run in ordered.runs(version, "documents"):
        for batch in (run.slice(start, BATCH) for start in range(0, run.num_rows, BATCH)):
            low, high = batch["id"][0].as_py(), batch["id"][-1].as_py()
            trails = ordered.between(version, "edits", low, high)
            seeds = _known(listed.up_to(high))
            for document, row in zip(rows.documents(batch, trails), batch.to_pylist(), strict=True):
                problem = _document(document, row, seeds.get(document.name))
                if problem:
                    yield f"version {version.number}: document {document.name!r} {problem}"
            advance(batch.num_rows)


def _summaries(version: Version, advance: Advance) -> Iterator[str]:
    """What is wrong with the documents of a version that keeps one edit per document and rule."""
    listed = runs.Cursor(*_seeds(version, *SEED_IDENTITY))
    for run in ordered.runs(version, "documents"):
        low, high = run["id"][0].as_py(), run["id"][-1].as_py()
        seeds = _known(listed.up_to(high))
        rules: dict[str, list[str]] = {}
        for edit in ordered.between(version, "edits", low, high).select(["id", "rule"]).to_pylist():
            rules.setdefault(edit["id"], []).append(edit["rule"])
        for row in run.to_pylist():
            problem = _summary(row, sorted(rules.get(row["id"], [])), seeds.get(row["id"]))
            if problem:
                yield f"version {version.number}: document {row['id']!r} {problem}"
        advance(run.num_rows)


def _summary(row: dict[str, Any], rules: list[str], seed: Known | None) -> str:
    """What is wrong with a document of which examples of its edits are kept; empty when nothing is."""
    if rules != [one["rule"] for one in row["edits_per_rule"]]:
        return "does not have one edit for each rule in edits_per_rule"
    if seed is None or (seed.sha256, seed.bytes) != (row["seed_sha256"], row["seed_bytes"]):
        return "has another hash or size than in the list of seeds"
    if row["n_chars"] != len(row["text"]):
        return f"has {len(row['text'])} characters, but n_chars says {row['n_chars']}"
    return _spans([(one["start"], one["end"]) for kind in SPANS for one in row[kind]], len(row["text"]))


def _spans(spans: list[tuple[int, int]], length: int) -> str:
    """What is wrong with the spans of paragraphs, articles and flags; empty when nothing is."""
    if any(not 0 <= start <= end <= length for start, end in spans):
        return "has a paragraph, article or flag outside its text"
    return ""


def _document(document: Document, row: dict[str, object], seed: Known | None) -> str:
    """What is wrong with a document; empty when nothing is."""
    try:
        text = document.original()
        rows.seed_bytes(document)
        for one in document.trail:
            text = apply(text, one.edits)
    except (EditError, ValueError) as error:
        return f"cannot be led back to its seed: {error}"
    if text != document.text:
        return "does not come out of its own edits"
    if seed is None or (seed.sha256, seed.bytes) != (rows.identity(document), document.seed.size):
        return "has another hash or size than in the list of seeds"
    if row["n_chars"] != len(text):
        return f"has {len(text)} characters, but n_chars says {row['n_chars']}"
    counts = Counter(edit.rule for one in document.trail for edit in one.edits)
    if [(one["rule"], one["n"]) for one in row["edits_per_rule"]] != sorted(counts.items()):  # type: ignore[attr-defined]
        return "has other edits than edits_per_rule says"
    spans = [(one.start, one.end) for kind in (document.paragraphs, document.articles, document.flags) for one in kind]
    return _spans(spans, len(text))
