"""Rows: documents as Arrow tables in the corpus's schema, and the way back.

A document's row and its rows of edits hold all that there is to know about it: `documents` makes the same
Document of them again, and `seed_bytes` the seed, byte by byte.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import accumulate, chain, repeat
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from cleaners import Article, Document, Edit, Encoding, Flag, Paragraph, Pass, Quarantine, Record, Seed
from cleaners.document import ByteSpan
from cleaners.edit_columns import fields_of
from cleaners.encoding import encode

from . import records
from .near_duplicates import signatures
from .schema import DOCUMENTS, EDITS, QUARANTINE, SCHEMAS, SEED_RECORD, SEEDS, SIGNATURES
from .seed_list import SeedList
from .seeds import Problem

RECORD = tuple(field.name for field in SEED_RECORD)
PLACE = ("container", "entry", "offset")

TEXT_FIELDS = ("title", "subtitle", "source", "site", "published_at", "editor", "photographer", "section")
LIST_FIELDS = ("authors", "keywords")
OWN_FIELDS = frozenset((*TEXT_FIELDS, *LIST_FIELDS))

Places = npt.NDArray[np.int64]

FAR = 1 << 40  # more characters than any text has

Columns = dict[str, Any]
Value = str | list[str] | None


def tables(
    documents: Iterable[Document],
    problems: Iterable[Problem] = (),
    recurring: Mapping[str, str] | None = None,
    is_summary: bool = False,
) -> dict[str, pa.Table]:
    """The rows of a batch: documents, edits, quarantine, signatures and seeds, each sorted by id.

    recurring    id -> hash of those of its lines that recur; only documents that have some
    is_summary   of the edits only the first of each document and rule: `Config.trail`

    A document with `quarantine` set has its row in `quarantine`; so has one whose text holds half of a
    surrogate pair, which no UTF-8, and so no Parquet file, can hold.
    """
    batch = sorted(documents, key=lambda document: document.name)
    problems = sorted(problems)
    try:
        return _tables(batch, problems, recurring, is_summary)
    except UnicodeEncodeError:  # rare: it costs less to be told by Arrow than to look for it in all texts
        return _tables(list(map(_storable, batch)), problems, recurring, is_summary)


def _tables(
    batch: Sequence[Document],
    problems: Sequence[Problem],
    recurring: Mapping[str, str] | None,
    is_summary: bool,
) -> dict[str, pa.Table]:
    good = [document for document in batch if document.quarantine is None]
    bad = [document for document in batch if document.quarantine is not None]
    trails = Trails.of([document.trail for document in good])
    edits = edits_table(good, trails)
    return {
        "documents": documents_table(good, trails),
        "edits": examples(edits) if is_summary else edits,
        "signatures": signatures_table(good),
        "quarantine": quarantine_table(bad, problems),
        "seeds": seeds_table(batch, problems, recurring),
    }


def together(tables: Sequence[Mapping[str, pa.Table]]) -> dict[str, pa.Table]:
    """The rows of several such batches as those of one; only `seeds` is sorted."""
    made = {name: pa.concat_tables([one[name] for one in tables]) for name in tables[0]}
    return made | {"seeds": made["seeds"].sort_by("id")}


def documents_table(documents: Sequence[Document], trails: Trails) -> pa.Table:
    """One row per document, in their order.  trails: theirs"""
    metadata = [document.metadata for document in documents]
    columns: Columns = {
        "id": [document.name for document in documents],
        "text": [document.text for document in documents],
        **{name: [_one(of.get(name)) for of in metadata] for name in TEXT_FIELDS},
        **{name: [_several(of.get(name)) for of in metadata] for name in LIST_FIELDS},
        "other_metadata": _nested("other_metadata", [_others(of) for of in metadata]),
        "script": [document.script or None for document in documents],
        "paragraphs": _nested("paragraphs", [document.paragraphs for document in documents]),
        "articles": _nested("articles", [list(map(_article, document.articles)) for document in documents]),
        "flags": _nested("flags", [document.flags for document in documents]),
        "n_chars": [len(document.text) for document in documents],
        "edits_per_rule": _rule_counts(trails, len(documents)),
        "seed_sha256": [document.seed.sha256 for document in documents],
        "seed_bytes": [document.seed.size for document in documents],
        "encoding": [document.encoding.name for document in documents],
        "encoding_confidence": [document.encoding.confidence for document in documents],
        "bom": [document.encoding.bom or None for document in documents],
        "encoding_exceptions": _nested("encoding_exceptions", [document.encoding.exceptions for document in documents]),
        **dict(zip(RECORD, zip(*map(_record, documents), strict=True) if documents else repeat(()), strict=False)),
    }
    return _table(columns, DOCUMENTS)


def edits_table(documents: Sequence[Document], trails: Trails) -> pa.Table:
    """One row per edit of these documents, in their order and in that of application.  trails: theirs"""
    passes = [one for document in documents for one in document.trail]
    edits = trails.edits
    totals = np.bincount(edits.trail, minlength=len(documents))
    columns: Columns = {
        "id": pa.array([document.name for document in documents], pa.string()).take(pa.array(edits.trail)),
        "n": pa.array(np.arange(totals.sum()) - np.repeat(np.cumsum(totals) - totals, totals), pa.int32()),
        "pass": pa.array(edits.number, pa.int32()),
        "cleaner": _repeated([one.cleaner for one in passes], [len(one.edits) for one in passes], pa.string()),
        "rule": pa.array(trails.rules, pa.string()).take(pa.array(trails.rule)),
        "start": edits.start,
        "seed_start": _seed_starts(edits),
        "before": pa.array(trails.before, pa.string(), mask=edits.lost == 0),
        "after": pa.array(trails.after, pa.string(), mask=edits.gained == 0),
        "field": [name or None for name in trails.field],
        "ref": pa.array(edits.ref, mask=edits.ref < 0),
    }
    return _table(columns, EDITS)


def examples(edits: pa.Table) -> pa.Table:
    """Of these rows of `edits` the first of each document and rule."""
    columns = edits.select(["id", "rule"]).append_column("row", pa.array(np.arange(edits.num_rows)))
    first = columns.group_by(["id", "rule"]).aggregate([("row", "min")])["row_min"]
    return edits.take(first.combine_chunks().sort())


def quarantine_table(documents: Sequence[Document], problems: Sequence[Problem] = ()) -> pa.Table:
    """One row per quarantined document and per problem of a scan, sorted by id."""
    rows: list[tuple[Any, ...]] = [
        (p.id, p.kind, p.reason, None, p.size, None, None, p.container or None, None, None) for p in problems
    ]
    for document in documents:
        kind, reason = document.quarantine or Quarantine("", "")
        codec, confidence = document.encoding[:2]
        rows.append((document.name, kind, reason, *document.seed[1:], codec, confidence, *_record(document)))
    return _of_rows(rows, QUARANTINE)


def signatures_table(documents: Sequence[Document]) -> pa.Table:
    """One row per document that has enough letters to be a near-duplicate of another, in their order."""
    signed = zip(documents, signatures(document.text for document in documents), strict=True)
    rows: list[tuple[Any, ...]] = [
        (document.name, of.letters, _one(document.metadata.get("published_at")), of.content.hex(), of.bands)
        for document, of in signed
        if of is not None
    ]
    return _of_rows(rows, SIGNATURES)


def seeds_table(
    documents: Sequence[Document], problems: Sequence[Problem] = (), recurring: Mapping[str, str] | None = None
) -> pa.Table:
    """One row per document, quarantined or not, and per problem of a scan, sorted by id.  Their places in containers
    are not known here: see `placed`."""
    rows: list[tuple[Any, ...]] = [
        (p.id, None, p.size, "quarantine", p.kind, None, p.container or None, None, None, None) for p in problems
    ]
    for document in documents:
        bad, container = document.quarantine, document.record.container if document.record else None
        outcome = "quarantine" if bad else "document", bad.kind if bad else None
        recurs = (recurring or {}).get(document.name)
        named = document.name, identity(document), document.seed.size, *outcome, recurs, container
        rows.append((*named, None, None, None))
    return _of_rows(rows, SEEDS)


def placed(seeds: pa.Table, members: SeedList, containers: Mapping[str, str]) -> pa.Table:
    """The rows of `seeds` with the places where a scan found the members of containers.

    containers   id -> SHA-256 of the file
    """
    if not len(members) and not containers and seeds["container"].null_count == seeds.num_rows:
        return seeds
    place = pc.index_in(seeds["id"], members.names)
    found = {name: members.rows[name].take(place) for name in PLACE}
    # the container of what is no seed is on record; that of a seed is what the scan says, as the seed may have moved
    found["container"] = pc.if_else(seeds["sha256"].is_valid(), found["container"], seeds["container"])
    hashes = pa.array([*containers.values()], pa.string())
    found["container_sha256"] = hashes.take(pc.index_in(found["container"], pa.array([*containers], pa.string())))
    for name, values in found.items():
        seeds = seeds.set_column(seeds.schema.get_field_index(name), SEEDS.field(name), values)
    return seeds


def identity(document: Document) -> str:
    """What a document's seed is, as the list of seeds has it: the SHA-256 of its bytes, or of these and the record's
    other fields."""
    return records.digest(document.seed.sha256, document.record.fields if document.record else "")


class _Edits(NamedTuple):
    """Many edits as columns of numbers: the trail they belong to, their pass, start, length before and after,
    ref."""

    trail: Places
    number: Places
    start: Places
    lost: Places
    gained: Places
    ref: Places

    def at(self, rows: Places) -> _Edits:
        return _Edits(*(column[rows] for column in self))


class Trails(NamedTuple):
    """All edits of some trails, in order.

    before, after, field   a string for each edit
    rule                   for each edit the number of its rule in `rules`, which are sorted
    """

    edits: _Edits
    before: Sequence[str]
    after: Sequence[str]
    field: Sequence[str]
    rule: Places
    rules: Sequence[str]

    @classmethod
    def of(cls, trails: Sequence[Sequence[Pass]]) -> Trails:
        """One column of all for each field of an edit."""
        columns: tuple[list[Any], ...] = tuple([] for _ in Edit._fields)
        start, before, after, rule, field, ref = columns
        for some in chain.from_iterable(fields_of(one.edits) for trail in trails for one in trail):
            for column, values in zip(columns, some, strict=True):
                column.extend(values)
        passes = [(i, number, len(one.edits)) for i, trail in enumerate(trails) for number, one in enumerate(trail)]
        trail, number, sizes = np.array(passes, np.int64).reshape(-1, 3).T

        def numbers(values: Iterable[int]) -> Places:
            return np.fromiter(values, np.int64, len(start))

        rules = sorted(set(rule))
        number_of = dict(zip(rules, range(len(rules)), strict=True))
        edits = _Edits(
            np.repeat(trail, sizes),
            np.repeat(number, sizes),
            numbers(start),
            numbers(map(len, before)),
            numbers(map(len, after)),
            numbers(ref),
        )
        return cls(edits, before, after, field, numbers(map(number_of.__getitem__, rule)), rules)


def seed_starts(trails: Sequence[Sequence[Pass]]) -> Places:
    """For each edit of all these trails, in order: the place in the decoded seed, in characters, of the character
    at the edit's `start`.  What was moved is followed to where it came from.

    One sweep per pass over all trails at once: what `Positions` does for one place, for many.
    """
    return _seed_starts(Trails.of(trails).edits)


def _seed_starts(edits: _Edits) -> Places:
    places = edits.start.copy()
    for number in range(int(edits.number.max(initial=0)) - 1, -1, -1):
        later = np.flatnonzero(edits.number > number)
        these = edits.at(np.flatnonzero(edits.number == number))
        if these.start.size:
            places[later] = _places_before(edits.trail[later], places[later], these)
    return places


def _places_before(trail: Places, places: Places, edits: _Edits) -> Places:
    """Where the characters at `places` of the texts after `edits`, one pass of each trail, stand in the texts
    before them; `trail` says to which trail each place belongs."""
    grown = edits.gained - edits.lost
    shift = np.cumsum(grown) - grown
    shift -= shift[np.searchsorted(edits.trail, edits.trail)]  # counted from each trail's first edit
    new_starts = edits.start + shift
    last = np.searchsorted(edits.trail * FAR + new_starts, trail * FAR + places, side="right") - 1
    one = edits.at(np.maximum(last, 0))
    inside = places - new_starts[np.maximum(last, 0)]
    moved = (one.ref >= 0) & (one.lost == 0)
    in_edit = np.where(moved, one.ref + inside, one.start)
    behind = one.start + one.lost + inside - one.gained
    before = np.where(inside < one.gained, in_edit, behind)
    untouched = (last < 0) | (one.trail != trail)  # no edit stands before it in its own text
    return np.where(untouched, places, before)


def documents(rows: pa.Table, edits: pa.Table) -> list[Document]:
    """The documents of these rows of `documents`, in their order; `edits` holds all their rows of edits.

    They equal the documents that the rows were made of, but that metadata without a value are not mentioned.
    """
    trails = _trails(edits)
    return [_document(row, trails.get(row["id"], ())) for row in rows.to_pylist()]


def seed_bytes(document: Document) -> bytes:
    """The seed's bytes, exactly, from the document alone.  Raises ValueError when the hash differs."""
    raw = encode(document.original(), document.encoding)
    if Seed.of(raw, document.name) != document.seed:
        raise ValueError(f"the seed of {document.name} cannot be restored: the bytes do not have its SHA-256")
    return raw


def _document(row: Mapping[str, Any], trail: tuple[Pass, ...]) -> Document:
    text = row["text"]
    codec = Encoding(
        row["encoding"],
        row["encoding_confidence"],
        row["bom"] or b"",
        tuple(ByteSpan(**one) for one in row["encoding_exceptions"]),
    )
    return Document(
        seed=Seed(row["id"], row["seed_sha256"], row["seed_bytes"]),
        text=text,
        encoding=codec,
        trail=trail,
        paragraphs=tuple(Paragraph(text[p["start"] : p["end"]], **p) for p in row["paragraphs"]),
        articles=tuple(
            Article(a["title"] or "", a["column"] or "", tuple(a["authors"]), a["start"], a["end"])
            for a in row["articles"]
        ),
        metadata=_metadata(row),
        flags=tuple(Flag(**one) for one in row["flags"]),
        script=row["script"] or "",
        record=_record_of(row),
    )


def _record(document: Document) -> tuple[str | None, ...]:
    """The columns of SEED_RECORD."""
    return tuple(one or None for one in document.record) if document.record else (None,) * len(RECORD)


def _record_of(row: Mapping[str, Any]) -> Record | None:
    values = [row[name] for name in RECORD]
    return Record(*(one or "" for one in values)) if values[0] is not None else None


def _trails(edits: pa.Table) -> dict[str, tuple[Pass, ...]]:
    """The trail of each document, by id."""
    edits = edits.sort_by([("id", "ascending"), ("n", "ascending")])
    names = ("id", "pass", "cleaner", "start", "before", "after", "rule", "field", "ref")
    found: dict[str, list[Pass]] = {}
    made: list[Edit] = []
    last: tuple[str, int] | None = None
    for id, number, cleaner, start, before, after, rule, field, ref in zip(
        *(edits[name].to_pylist() for name in names), strict=True
    ):
        if (id, number) != last:
            _close(found, last, made)
            last, made = (id, number), []
            found.setdefault(id, []).append(Pass(cleaner, ()))
        made.append(Edit(start, before or "", after or "", rule, field or "", -1 if ref is None else ref))
    _close(found, last, made)
    return {id: tuple(passes) for id, passes in found.items()}


def _close(found: dict[str, list[Pass]], last: tuple[str, int] | None, made: list[Edit]) -> None:
    if last is not None:
        passes = found[last[0]]
        passes[-1] = passes[-1]._replace(edits=tuple(made))


def _metadata(row: Mapping[str, Any]) -> dict[str, str | list[str]]:
    found: dict[str, str | list[str]] = {}
    for name in (*TEXT_FIELDS, *LIST_FIELDS):
        if row[name] is not None:
            found[name] = row[name]
    for one in row["other_metadata"]:
        name, value = one["field"], one["value"]
        known = found.get(name)
        if known is None:
            found[name] = value
        else:
            found[name] = [known, value] if isinstance(known, str) else [*known, value]
    return found


def _storable(document: Document) -> Document:
    """The document, or, when its characters are not all Unicode scalar values, its quarantined shell."""
    try:
        document.text.encode()
        for one in document.trail:
            "".join(edit.before + edit.after for edit in one.edits).encode()
        "".join(chain.from_iterable(map(_strings, document.metadata.values()))).encode()
    except UnicodeEncodeError:
        reason = "its text holds half of a surrogate pair: save it as UTF-8 with a text editor"
        return replace(document, quarantine=document.quarantine or Quarantine("surrogates", reason))
    return document


def _strings(value: Value) -> list[str]:
    return [value] if isinstance(value, str) else value or []


def _one(value: Value) -> str | None:
    """A value of a column that holds one string."""
    return ("、".join(value) if isinstance(value, list) else value) or None


def _several(value: Value) -> list[str] | None:
    """A value of a column that holds a list of strings."""
    return [one for one in _strings(value) if one] or None


def _others(metadata: Mapping[str, Value]) -> list[tuple[str, str]]:
    names = sorted([name for name in metadata if name not in OWN_FIELDS])
    return [(name, value) for name in names for value in _strings(metadata[name]) if value]


def _article(article: Article) -> tuple[Any, ...]:
    return article.title or None, article.column or None, list(article.authors), article.start, article.end


def _rule_counts(trails: Trails, documents: int) -> pa.Array:
    """The column `edits_per_rule` of so many documents."""
    kinds = max(1, len(trails.rules))
    pairs, counts = np.unique(trails.edits.trail * kinds + trails.rule, return_counts=True)
    kind = DOCUMENTS.field("edits_per_rule").type
    children = [pa.array(trails.rules, pa.string()).take(pa.array(pairs % kinds)), pa.array(counts)]
    of_documents = pa.array(np.searchsorted(pairs, np.arange(documents + 1) * kinds), pa.int32())
    structs = pa.StructArray.from_arrays(children, fields=list(kind.value_type))
    return pa.ListArray.from_arrays(of_documents, structs, type=kind)


def _repeated(values: Sequence[Any], times: Sequence[int], kind: pa.DataType) -> pa.Array:
    """Each value as often as `times` says."""
    return pa.array(values, kind).take(pa.array(np.repeat(np.arange(len(times)), times)))


def _nested(column: str, lists: Sequence[Sequence[tuple[Any, ...]]]) -> pa.Array:
    """A column of lists of structs, from a list of tuples per row, without a dict per struct.  A struct's values are
    the last ones of its tuple."""
    kind = DOCUMENTS.field(column).type
    members = list(kind.value_type)
    values = tuple(zip(*chain.from_iterable(lists), strict=True)) or ((),) * len(members)
    children = [pa.array(of, member.type) for of, member in zip(values[-len(members) :], members, strict=True)]
    offsets = pa.array(accumulate(map(len, lists), initial=0), pa.int32())
    return pa.ListArray.from_arrays(offsets, pa.StructArray.from_arrays(children, fields=members), type=kind)


def _of_rows(rows: list[tuple[Any, ...]], schema: pa.Schema) -> pa.Table:
    rows.sort(key=lambda row: row[0])
    columns = zip(*rows, strict=True) if rows else repeat(())
    return _table(dict(zip(schema.names, columns, strict=False)), schema)


def _table(columns: Columns, schema: pa.Schema) -> pa.Table:
    """A table of the columns; all of them empty when there are none."""
    arrays = [_array(columns.get(field.name, ()), field.type) for field in schema]
    return pa.Table.from_arrays(arrays, schema=schema)


def _array(values: Any, kind: pa.DataType) -> pa.Array:
    return values if isinstance(values, pa.Array) else pa.array(values, kind)


def check(table: pa.Table, name: str) -> None:
    """Raises ValueError when a table does not have its schema, or holds null where there may be none."""
    schema = SCHEMAS[name]
    if not table.schema.equals(schema, check_metadata=True):
        raise ValueError(f"{name} does not have its schema: {table.schema}")
    table.validate()
    # the text is of Python or of a file with checksums, and there is as much of it as of all other columns
    table.drop_columns([name for name in table.column_names if name == "text"]).validate(full=True)
    for field in schema:
        if not field.nullable and table[field.name].null_count:
            raise ValueError(f"{name}.{field.name} is null in a row, which its schema does not allow")
