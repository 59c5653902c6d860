"""The manifest: what a version is and where it comes from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from .parts import Part, StoreError, in_order
from .plan import Plan
from .schema import LATER, SCHEMA_VERSION, SEED_IDENTITY, STORED

ROWS_AT_A_TIME = 1 << 14  # that become objects


@dataclass(frozen=True)
class Manifest:
    """What a version is and where it comes from: the content of _manifest.json.

    number             of the version, from 1
    content_id         the same for the same seeds, pipeline and schema, whoever ran it: see `content_id`
    parent             number of the version that it follows; None for the first
    created            `start` and `end` of the run, ISO 8601, UTC
    schema_version     SCHEMA_VERSION of the code that wrote it
    fingerprint        of the pipeline, and what it was computed of
    counts             seeds, documents, quarantined, edits, reprints, recurring (lines); seeds added, changed, …
    edits              number of edits per cleaner and rule
    parts              the files of each table
    seeds              the file with the list of seeds
    notes              what the run wants to be known: how it was orchestrated, how long its cleaners took …
    """

    number: int
    content_id: str
    parent: int | None
    created: Mapping[str, str]
    schema_version: int
    fingerprint: str
    fingerprint_parts: Mapping[str, str]
    counts: Mapping[str, int]
    edits: Mapping[str, Mapping[str, int]]
    parts: Mapping[str, tuple[Part, ...]]
    seeds: Part
    notes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_summary(self) -> bool:
        """Whether the table edits holds examples only (`Config.trail`): nothing leads back to the seeds."""
        return self.fingerprint_parts.get("trail") == "summary"

    def to_json(self) -> str:
        named = asdict(self) | {
            "parts": {table: [one._asdict() for one in self.parts[table]] for table in self.parts},
            "seeds": self.seeds._asdict(),
        }
        return json.dumps(named, ensure_ascii=False, indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Manifest:
        """Raises ValueError, KeyError or TypeError for anything but what `to_json` writes."""
        named = json.loads(text)
        known = named["parts"]
        named["parts"] = {
            table: tuple(Part(**one) for one in (known.get(table, ()) if table in LATER else known[table]))
            for table in STORED
        }
        named["seeds"] = Part(**named["seeds"])
        return cls(**named)


class ContentId:
    """What a version is, in hex: SHA-256 over the schema's version, the fingerprint, and id, hash, size,
    outcome and kind of every seed, in the order of their ids.

    Cleaning is a function of seed and pipeline, so this decides every row. It is not computed of the parts,
    because the same rows lie in other parts when they came one by one, and pyarrow's next release may
    compress them to other bytes.
    """

    def __init__(self, fingerprint: str) -> None:
        self._digest = hashlib.sha256(f"{SCHEMA_VERSION}\0{fingerprint}".encode())

    def add(self, seeds: pa.Table) -> None:
        """Takes in the next rows of `seeds`."""
        for start in range(0, seeds.num_rows, ROWS_AT_A_TIME):
            some = seeds.slice(start, ROWS_AT_A_TIME)
            for row in zip(*(some[name].to_pylist() for name in SEED_IDENTITY), strict=True):
                self._digest.update(json.dumps(row).encode())

    def hexdigest(self) -> str:
        return self._digest.hexdigest()


def content_id(fingerprint: str, seeds: pa.Table) -> str:
    """The same of all rows at once, in any order."""
    found = ContentId(fingerprint)
    found.add(in_order(seeds.select(list(SEED_IDENTITY)), ["id"]))
    return found.hexdigest()


def make(
    number: int,
    plan: Plan,
    made: Mapping[str, tuple[Part, ...]],
    seeds: Part,
    content_id: str,
    fingerprint_parts: Mapping[str, str],
    start: datetime,
    notes: Mapping[str, Any],
    is_double: bool = False,
) -> Manifest:
    """The manifest.  Raises StoreError when there are not as many rows as seeds."""
    count = {table: sum(part.rows for part in made[table]) for table in STORED}
    if is_double or seeds.rows != count["documents"] + count["quarantine"]:
        raise StoreError(
            f"{seeds.rows} seeds gave {count['documents']} documents and {count['quarantine']} in "
            "quarantine: a row is missing or double; nothing was committed: check the corpus, then run again"
        )
    edits: dict[str, dict[str, int]] = {}
    for part in made["documents"]:
        for cleaner, rules in part.edits.items():
            sums = edits.setdefault(cleaner, {})
            for rule, n in rules.items():
                sums[rule] = sums.get(rule, 0) + n
    return Manifest(
        number=number,
        content_id=content_id,
        parent=plan.base,
        created={"start": utc(start), "end": utc(max(start, datetime.now(UTC)))},
        schema_version=SCHEMA_VERSION,
        fingerprint=plan.fingerprint,
        fingerprint_parts=dict(fingerprint_parts),
        counts={
            "seeds": seeds.rows,
            "documents": count["documents"],
            "quarantined": count["quarantine"],
            "edits": sum(n for rules in edits.values() for n in rules.values()),
            "reprints": count["reprints"],
            "recurring": count["recurring"],
            "added": plan.added,
            "changed": plan.changed,
            "vanished": plan.vanished,
            "unchanged": plan.unchanged,
            "renamed": len(plan.renamed),
            "waiting": len(plan.scan.waiting),
        },
        edits={cleaner: dict(sorted(edits[cleaner].items())) for cleaner in sorted(edits)},
        parts=dict(made),
        seeds=seeds,
        notes=dict(notes),
    )


def utc(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="milliseconds")
