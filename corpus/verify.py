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

from . import ordered, parts, recurring, rows
from .manifest import content_id
from .parts import StoreError
from .plan import Known
from .schema import SCHEMA_VERSION, SCHEMAS, STORED, TABLES, folder
from .store import Store
from .version import MANIFEST, SEEDS_FILE, Version

BATCH = 500
"""Documents that are rebuilt at a time."""

SPANS = ("paragraphs", "articles", "flags")

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
        seeds = version.seeds()
        yield from _counts(version)
        yield from _ids(version, seeds)
        yield from _recurring(version, seeds)
        yield from (_summaries if version.manifest.is_summary else _documents)(version, seeds, advance)
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
        ids = version.read(table, ["id"])
        found["quarantined" if table == "quarantine" else table] = ids.num_rows
        for part in known.parts[table]:
            yield from _part(version, table, part)
    seeds = version.read("seeds")
    found["seeds"] = seeds.num_rows
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
    if content_id(known.fingerprint, seeds) != known.content_id:
        yield f"version {version.number}: its list of seeds does not give its content id"


def _part(version: Version, table: str, part: parts.Part) -> Iterator[str]:
    """Whether a part holds what the manifest says of it."""
    columns = ["id", "edits_per_rule"] if table == "documents" else ["id"]
    found = parts.read([version.path / table / part.file], table, columns)
    ends = pc.min_max(found["id"])
    if (found.num_rows, ends["min"].as_py(), ends["max"].as_py()) != (part.rows, part.min_id, part.max_id):
        yield f"version {version.number}: {table}/{part.file} has other rows than its manifest says"
    if table == "documents" and parts.count_edits(found) != part.edits:
        yield f"version {version.number}: {table}/{part.file} has other edits per rule than its manifest says"


def _ids(version: Version, seeds: dict[str, Known]) -> Iterator[str]:
    """Ids that are double, or have no partner in another table."""
    ids = {table: version.read(table, ["id"])["id"] for table in TABLES}
    for table in ("documents", "quarantine"):
        counted = Counter(ids[table].to_pylist())
        outcome = "document" if table == "documents" else table
        wanted = {id for id, seed in seeds.items() if seed.outcome == outcome}
        yield from _named(version, f"are twice in {table}", [id for id, n in counted.items() if n > 1])
        yield from _named(version, f"are in {table}, but not in the list of seeds", counted.keys() - wanted)
        yield from _named(version, f"are in the list of seeds, but not in {table}", wanted - counted.keys())
    documents = set(ids["documents"].to_pylist())
    yield from _named(version, "have edits, but no document", set(pc.unique(ids["edits"]).to_pylist()) - documents)
    reprints = version.read("reprints", ["id", "kept"])
    named = {*reprints["id"].to_pylist(), *reprints["kept"].to_pylist()}
    yield from _named(version, "are named in reprints, but are no documents", named - documents)


def _recurring(version: Version, seeds: dict[str, Known]) -> Iterator[str]:
    """Documents of which the list of seeds says that other lines recur than do."""
    marks, sampled = recurring.marks(version)
    known = {id: seeds[id].recurring for id, sha256 in sampled.items() if id in seeds and seeds[id].sha256 == sha256}
    wrong = {id for id, mark in known.items() if mark != marks.get(id)}
    yield from _named(version, "have other recurring lines than the list of seeds says", wrong)


def _named(version: Version, what: str, ids: object) -> Iterator[str]:
    names = sorted(ids)  # type: ignore[call-overload]
    if names:
        more = f" and {len(names) - 5} more" if len(names) > 5 else ""
        yield f"version {version.number}: {', '.join(map(repr, names[:5]))}{more} {what}"


def _documents(version: Version, seeds: dict[str, Known], advance: Advance) -> Iterator[str]:
    """What is wrong with each document."""
    for run in ordered.runs(version, "documents"):
        for batch in (run.slice(start, BATCH) for start in range(0, run.num_rows, BATCH)):
            low, high = batch["id"][0].as_py(), batch["id"][-1].as_py()
            trails = ordered.between(version, "edits", low, high)
            for document, row in zip(rows.documents(batch, trails), batch.to_pylist(), strict=True):
                problem = _document(document, row, seeds.get(document.name))
                if problem:
                    yield f"version {version.number}: document {document.name!r} {problem}"
            advance(batch.num_rows)


def _summaries(version: Version, seeds: dict[str, Known], advance: Advance) -> Iterator[str]:
    """What is wrong with the documents of a version that keeps one edit per document and rule."""
    for run in ordered.runs(version, "documents"):
        low, high = run["id"][0].as_py(), run["id"][-1].as_py()
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
