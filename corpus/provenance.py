"""Provenance: each version described in the terms of the tools that load data sets.

README.md      the data card: for people, and for Hugging Face `datasets`, which finds the tables by its head
croissant.json the same as Croissant 1.0 (MLCommons, an extension of schema.org): for mlcroissant and search engines
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa

from . import parts
from .manifest import Manifest
from .schema import SCHEMAS, TABLES

CARD, CROISSANT = "README.md", "croissant.json"

CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    "prov": "http://www.w3.org/ns/prov#",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
"""The JSON-LD context that Croissant 1.0 prescribes, and PROV's."""

TYPES = {pa.string(): "sc:Text", pa.int32(): "sc:Integer", pa.int64(): "sc:Integer", pa.float64(): "sc:Float"}
"""Columns of other types (lists, binary) are no Croissant fields: its readers have no common view of them."""


def write(manifest: Manifest, folder: Path) -> None:
    """Writes both descriptions into a version's folder.  Raises OSError."""
    parts.write_bytes(folder / CARD, card(manifest).encode())
    described = json.dumps(croissant(manifest), ensure_ascii=False, indent=1)
    parts.write_bytes(folder / CROISSANT, f"{described}\n".encode())


def card(manifest: Manifest) -> str:
    """The data card, in Markdown, with the head that Hugging Face's tools read."""
    c, tables = manifest.counts, ""
    for table in TABLES:
        if not any(part.rows for part in manifest.parts[table]):
            continue  # `datasets` refuses a split without rows
        default = "\n  default: true" if table == "documents" else ""
        tables += f"- config_name: {table}{default}\n  data_files:\n  - split: train\n    path: {table}/*.parquet\n"
    cleaners = "\n".join(
        f"| {cleaner} | {rule.partition('.')[2]} | {n} |"
        for cleaner, rules in manifest.edits.items()
        for rule, n in rules.items()
    )
    columns = "\n".join(
        f"| {field.name} | {_kind(field.type)} | {field.metadata[b'meaning'].decode()} |"
        for field in SCHEMAS["documents"]
    )
    pipeline = "\n".join(f"- {name}: `{value}`" for name, value in sorted(manifest.fingerprint_parts.items()))
    return f"""---
pretty_name: Jingwen corpus, version {manifest.number}
language:
- zh
tags:
- chinese
- cleaned-text
configs:
{tables}---

# Jingwen corpus, version {manifest.number}

Chinese documents, repaired by Jingwen (净文): {c["documents"]} documents, {c["edits"]} edits that made them of their
seeds, {c["quarantined"]} seeds in quarantine.

| | |
|---|---|
| version | {manifest.number} (parent: {manifest.parent or "none"}) |
| content id | `{manifest.content_id}` |
| pipeline | `{manifest.fingerprint}` |
| made | {manifest.created["start"]} to {manifest.created["end"]} |
| seeds | {c["seeds"]}: {c["added"]} added, {c["changed"]} changed, {c["vanished"]} vanished since the parent |
| schema | {manifest.schema_version} |

## The tables

`documents/*.parquet` has one row per clean text, `edits/*.parquet` one per change that was made, `quarantine/*.parquet`
one per seed that could not be cleaned, with the reason. {_way_back(manifest)}

    import datasets
    documents = datasets.load_dataset("output/latest", "documents", split="train")

| column of documents | type | meaning |
|---|---|---|
{columns}

## What was done

| cleaner | rule | edits |
|---|---|---:|
{cleaners}

## The pipeline

{pipeline}

## Limits

Nothing was rewritten or invented: damage that could not be repaired for certain is still there and listed in `flags`.
The texts belong to those who wrote and published them; this corpus grants no rights in them.
"""


def _way_back(manifest: Manifest) -> str:
    if manifest.is_summary:
        return (
            "This version was built with\n`--trail summary`: `edits` holds one example per document and rule, and "
            "nothing leads back to the seeds."
        )
    return "Undoing a document's edits gives its seed, byte by byte\n(`jingwen restore ID`)."


def croissant(manifest: Manifest) -> dict[str, Any]:
    """The version as Croissant 1.0 (https://docs.mlcommons.org/croissant/docs/croissant-spec.html)."""
    files = [
        {
            "@type": "cr:FileSet",
            "@id": f"{table}-files",
            "name": f"{table}-files",
            "description": f"{len(manifest.parts[table])} files; their hashes are in _manifest.json",
            "encodingFormat": "application/x-parquet",
            "includes": f"{table}/*.parquet",
        }
        for table in TABLES
    ]
    parent = [f"urn:jingwen:version:{manifest.parent}"] if manifest.parent else []
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": f"jingwen-corpus-{manifest.number}",
        "description": f"Chinese documents, repaired by Jingwen: {manifest.counts['documents']} documents.",
        "identifier": manifest.content_id,
        "version": f"{manifest.number}.0.0",
        "inLanguage": "zh",
        "datePublished": manifest.created["end"],
        "prov:wasDerivedFrom": parent,
        "prov:wasGeneratedBy": {
            "@type": "prov:Activity",
            "prov:startedAtTime": manifest.created["start"],
            "prov:endedAtTime": manifest.created["end"],
            "prov:used": [f"{name}={value}" for name, value in sorted(manifest.fingerprint_parts.items())],
        },
        "distribution": files,
        "recordSet": [_records(table) for table in TABLES],
    }


def _records(table: str) -> dict[str, Any]:
    """A table as a Croissant record set."""
    return {
        "@type": "cr:RecordSet",
        "@id": table,
        "name": table,
        "field": [
            {
                "@type": "cr:Field",
                "@id": f"{table}/{field.name}",
                "name": f"{table}/{field.name}",
                "description": field.metadata[b"meaning"].decode(),
                "dataType": TYPES[field.type],
                "source": {"fileSet": {"@id": f"{table}-files"}, "extract": {"column": field.name}},
            }
            for field in SCHEMAS[table]
            if field.type in TYPES
        ],
    }


def _kind(kind: pa.DataType) -> str:
    """A type in a word."""
    return "list" if pa.types.is_list(kind) else str(kind)
