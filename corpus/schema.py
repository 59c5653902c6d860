"""The schema: every table of the corpus, every column, its type, whether it may be null, and what it means.

This is the one place where columns are defined. Readers find the meaning as field metadata (`meaning`) in
every Parquet file, people find it in docs/formats.md, which a test compares with this module.
"""

from __future__ import annotations

import pyarrow as pa

SCHEMA_VERSION = 4
"""Goes up with every change of a column, of its meaning, or of how its values are computed, or of what is read
as a seed: then a run cleans all seeds again and writes all rows anew."""

TABLES = ("documents", "edits", "quarantine", "reprints", "recurring")
"""The tables that a version holds for its readers, each in a folder of its own."""

STORED = (*TABLES, "signatures", "comparisons", "lines")
"""These, and the tables that only the next run needs, in folders whose names begin with `_`: see `folder`."""


LATER = ("reprints", "signatures", "comparisons", "recurring", "lines")
"""Tables that versions of older schemas do not have."""


def folder(table: str) -> str:
    """Name of the folder in which a version has the parts of a table of STORED."""
    return table if table in TABLES else f"_{table}"


def _field(name: str, kind: pa.DataType, meaning: str, null: bool = False) -> pa.Field:
    return pa.field(name, kind, nullable=null, metadata={"meaning": meaning})


def _list(**fields: tuple[pa.DataType, bool]) -> pa.DataType:
    """A list of structs, which are never null; per field its type and whether it may be null."""
    members = [pa.field(name, kind, nullable=null) for name, (kind, null) in fields.items()]
    return pa.list_(pa.field("element", pa.struct(members), nullable=False))


TEXT = pa.string()
COUNT = pa.int64()
TEXTS = pa.list_(pa.field("element", TEXT, nullable=False))
SPAN = {"start": (COUNT, False), "end": (COUNT, False)}

PARAGRAPH = _list(role=(TEXT, False), **SPAN)
ARTICLE = _list(title=(TEXT, True), column=(TEXT, True), authors=(TEXTS, False), **SPAN)
FLAG = _list(kind=(TEXT, False), **SPAN, note=(TEXT, False))
RULE_COUNT = _list(rule=(TEXT, False), n=(COUNT, False))
FIELD_VALUE = _list(field=(TEXT, False), value=(TEXT, False))
BYTE_SPAN = _list(**SPAN, raw=(pa.binary(), False))


def _table(name: str, fields: list[pa.Field]) -> pa.Schema:
    return pa.schema(fields, metadata={"jingwen.table": name, "jingwen.schema_version": str(SCHEMA_VERSION)})


SEED_RECORD = [
    _field("seed_container", TEXT, "the container that the seed lies in; null when it is a file of its own", null=True),
    _field("seed_record", TEXT, "the record's other fields as they were: a JSON object with sorted keys", null=True),
    _field("seed_url", TEXT, "the address among these fields", null=True),
]
"""What is known of a seed that is a record of a container."""

DOCUMENTS = _table(
    "documents",
    [
        _field(
            "id",
            TEXT,
            "the seed's path below the seeds folder, with / between its parts; in a container the container's path "
            "and what names the seed there: news.jsonl#a17; unique",
        ),
        _field("text", TEXT, "the clean text: paragraphs with one blank line between them"),
        _field("title", TEXT, "the title; of a page with several articles: see articles", null=True),
        _field("subtitle", TEXT, "the subtitle", null=True),
        _field("authors", TEXTS, "the authors' names, in the order of the byline", null=True),
        _field("source", TEXT, "the publication that the document names as its source", null=True),
        _field("site", TEXT, "the site that it was published on", null=True),
        _field(
            "published_at",
            TEXT,
            "when it was published, ISO 8601, no more exact than the document says: "
            "2019-11-03 or 2019-11-03T15:00:00+08:00",
            null=True,
        ),
        _field("editor", TEXT, "the editor's name", null=True),
        _field("photographer", TEXT, "the photographer's name", null=True),
        _field("section", TEXT, "the section or channel that it appeared in", null=True),
        _field("keywords", TEXTS, "the keywords that the document states", null=True),
        _field(
            "other_metadata",
            FIELD_VALUE,
            "metadata that has no column of its own; a field with several values has several entries",
        ),
        _field(
            "script", TEXT, "the script of the text: hans, hant-tw, hant-hk, hant (region unclear) or mixed", null=True
        ),
        _field("paragraphs", PARAGRAPH, "role, and span of the text, of each paragraph, in order"),
        _field("articles", ARTICLE, "of a page with several articles: head and span of the text of each"),
        _field("flags", FLAG, "damage that was seen but not repaired: kind, span of the text, note"),
        _field("n_chars", COUNT, "length of the text in characters (Unicode code points)"),
        _field("edits_per_rule", RULE_COUNT, "how many edits each rule made, sorted by rule"),
        _field("seed_sha256", TEXT, "SHA-256 of the seed's bytes, in hex"),
        _field("seed_bytes", COUNT, "size of the seed in bytes"),
        _field("encoding", TEXT, "Python's name of the codec that the seed was decoded with"),
        _field("encoding_confidence", pa.float64(), "how sure the encoding is: 0 (a guess) to 1 (certain)"),
        _field("bom", pa.binary(), "the byte order mark that was taken off", null=True),
        _field(
            "encoding_exceptions",
            BYTE_SPAN,
            "spans of the decoded seed whose bytes are not what the codec makes of them, with these bytes",
        ),
        *SEED_RECORD,
    ],
)

EDITS = _table(
    "edits",
    [
        _field("id", TEXT, "the document's id"),
        _field("n", pa.int32(), "running number of the edit in its document, from 0, as they were applied"),
        _field("pass", pa.int32(), "number of the pass, from 0; a pass is given the text that the last left"),
        _field("cleaner", TEXT, "the cleaner that ran in this pass"),
        _field("rule", TEXT, "the rule that made the edit: cleaner.rule_name"),
        _field("start", COUNT, "position in the text that the pass was given, in characters"),
        _field(
            "seed_start",
            COUNT,
            "position in the decoded seed that the character at start comes from, in characters",
        ),
        _field("before", TEXT, "what stood there; null for an insertion", null=True),
        _field("after", TEXT, "what stands there afterwards; null for a removal", null=True),
        _field("field", TEXT, "the metadata field whose value before is", null=True),
        _field(
            "ref",
            COUNT,
            "position in the text that the pass was given where the same characters stand: the place that "
            "moved text was taken from or went to, the copy that a removed duplicate repeats",
            null=True,
        ),
    ],
)

QUARANTINE = _table(
    "quarantine",
    [
        _field("id", TEXT, "as in documents; never an id of documents"),
        _field("kind", TEXT, "why it is no document, in one word: too_large, unreadable, loop …"),
        _field("reason", TEXT, "what happened and what to do about it"),
        _field("seed_sha256", TEXT, "SHA-256 of its bytes, in hex; null when they were not read", null=True),
        _field("seed_bytes", COUNT, "size of the seed in bytes; null when it is not known", null=True),
        _field("encoding", TEXT, "the best guess at the codec; null when nothing was decoded", null=True),
        _field("encoding_confidence", pa.float64(), "how sure that guess is: 0 to 1", null=True),
        *SEED_RECORD,
    ],
)

REPRINTS = _table(
    "reprints",
    [
        _field("id", TEXT, "the reprint: a document that is a near-duplicate of another; never the one that is kept"),
        _field("cluster", TEXT, "name of the cluster: 16 hex digits, made of the kept text's letters"),
        _field("kept", TEXT, "id of the document that is kept for the cluster; it has no row here"),
        _field("similarity", pa.float64(), "of the two texts' letters, to 1: 2 * shared / (letters of both)"),
    ],
)

SIGNATURES = _table(
    "signatures",
    [
        _field("id", TEXT, "the document's id"),
        _field("letters", COUNT, "number of letters and digits in its text"),
        _field("published_at", TEXT, "as in documents", null=True),
        _field("content", TEXT, "hash of these letters: BLAKE2b, 16 bytes, in hex"),
        _field("bands", pa.binary(), "64 band keys of 4 bytes: texts that share one are candidates"),
    ],
)

COMPARISONS = _table(
    "comparisons",
    [
        _field("id", TEXT, "content of the text that is kept, if the other is a reprint of it"),
        _field("other", TEXT, "content of the other text"),
        _field("similarity", pa.float64(), "of both; 0 when it is no reprint"),
    ],
)

RECURRING = _table(
    "recurring",
    [
        _field("id", TEXT, "key of the line and its place: 16 hex digits; with the site, unique"),
        _field("site", TEXT, "the site whose pages share the line; null for seeds that lie in no folder", null=True),
        _field("line", TEXT, "the line as lines are compared: without space; each number as 0, but not in a sentence"),
        _field("place", TEXT, "where it stands: head, tail, or notice (a sentence at the lower end of the article)"),
        _field("articles", COUNT, "how many of the site's articles have it there; copies of one article count as one"),
        _field("of", COUNT, "how many articles the site has"),
        _field("rule", TEXT, "the rule of chrome that names the line, too", null=True),
    ],
)

LINES = _table(
    "lines",
    [
        _field("id", TEXT, "the seed's id"),
        _field("sha256", TEXT, "SHA-256 of its bytes, in hex"),
        _field("site", TEXT, "the site's host, when the seed names it; null: its folders decide", null=True),
        _field("identity", pa.binary(), "4 hashes of 8 bytes of its article's lines; empty without prose"),
        _field("keys", pa.binary(), "keys of 8 bytes of its short lines, with their place; sorted"),
    ],
)

SEEDS = _table(
    "seeds",
    [
        _field("id", TEXT, "as in documents"),
        _field(
            "sha256",
            TEXT,
            "SHA-256 of its bytes, in hex; of a record that has other fields: of that in hex, a NUL, and these fields; "
            "null when they were not read",
            null=True,
        ),
        _field("bytes", COUNT, "its size in bytes; null when it is not known", null=True),
        _field("outcome", TEXT, "document or quarantine: the table that has its row"),
        _field("kind", TEXT, "the kind of quarantine; null for a document", null=True),
        _field("recurring", TEXT, "hash of the ids in recurring of its lines; null when it has none", null=True),
        _field("container", TEXT, "the container that it lies in, or is; null when there is none", null=True),
        _field(
            "container_sha256",
            TEXT,
            "SHA-256 of the container's file when it was read; null when that must be done again",
            null=True,
        ),
        _field("entry", COUNT, "number of the file in an archive, from 0; null outside of containers", null=True),
        _field(
            "offset",
            COUNT,
            "where it begins in that file, or in the container, unpacked: byte of a line, number of a row from 0; "
            "null outside of containers",
            null=True,
        ),
    ],
)

SEED_IDENTITY = ("id", "sha256", "bytes", "outcome", "kind", "recurring")
"""The columns of `seeds` that say what a version is; the others say where its seeds were found."""

SCHEMAS: dict[str, pa.Schema] = {
    "documents": DOCUMENTS,
    "edits": EDITS,
    "quarantine": QUARANTINE,
    "seeds": SEEDS,
    "reprints": REPRINTS,
    "signatures": SIGNATURES,
    "comparisons": COMPARISONS,
    "recurring": RECURRING,
    "lines": LINES,
}
"""The tables of STORED, and `seeds`: the list of a version's seeds, kept beside its manifest."""


def describe(table: str) -> str:
    """The columns of one table as a Markdown table.  Raises KeyError for an unknown table."""
    lines = ["| column | type | null | meaning |", "|---|---|---|---|"]
    for field in SCHEMAS[table]:
        meaning = field.metadata[b"meaning"].decode()
        lines.append(f"| {field.name} | `{field.type}` | {'yes' if field.nullable else 'no'} | {meaning} |")
    return "\n".join(lines)
