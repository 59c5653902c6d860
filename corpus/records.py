"""Records: what a line of JSON or a row of a table says: an id, a text, and other fields.

The text becomes the seed's bytes; all other fields are carried through, as JSON, to the document's row.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from cleaners import Config, Record, encoding

TEXT_FIELDS = (
    *("text", "content", "raw_content", "article", "body"),
    *("正文", "内容", "文本", "文章内容"),
    *("html", "raw_html", "page"),
)
"""The text is in the first of these fields that holds one; pages in HTML come last, since a record that has both has
its text already."""

ID_FIELDS = ("id", "_id", "doc_id", "docid", "document_id", "uuid")
"""A record's id is in the first of these fields that holds one. No addresses: the same page may have been fetched
twice."""

URL_FIELDS = ("url", "URL", "page_url", "source_url", "link", "网址", "链接")
NESTED_FIELDS = ("metadata", "meta")
"""Where DataTrove and Data-Juicer put all other fields: an address is looked for in these objects, too."""

LONGEST_ID = 200  # bytes: with a file's name before it, still a file's name
DEEPEST = 64  # levels of nesting: far below the depth at which a reader of JSON gives up
UNSAFE_IN_ID = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


class Reading(NamedTuple):
    """How containers are read: the part of a Config that decides it."""

    max_seed_bytes: int = Config.max_seed_bytes
    max_container_bytes: int = Config.max_container_bytes
    text_field: str = ""
    id_field: str = ""

    @classmethod
    def of(cls, config: Config) -> Reading:
        return cls(config.max_seed_bytes, config.max_container_bytes, config.text_field, config.id_field)


class NoSeedError(Exception):
    """A record is no seed.  kind and reason are for the quarantine."""

    def __init__(self, kind: str, reason: str) -> None:
        super().__init__(reason)
        self.kind = kind
        self.reason = reason


class Parsed(NamedTuple):
    """A record: its own id (empty when it has none that can be used), the seed's bytes, the other fields as JSON."""

    id: str
    raw: bytes
    fields: str


def of_line(line: bytes, reading: Reading) -> Parsed:
    """The record that a line of JSON holds.  Raises NoSeedError."""
    return of_mapping(_object(line), reading)


def of_mapping(fields: Mapping[str, Any], reading: Reading) -> Parsed:
    """The record with these fields.  Raises NoSeedError when there is no text."""
    name = _text_field(fields, reading)
    text = fields[name]
    # half of a surrogate pair becomes bytes that are no UTF-8: the decoder keeps them as it keeps all such bytes
    raw = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    others = {key: value for key, value in fields.items() if key != name}
    return Parsed(_own_id(fields, reading), raw, as_json(others) if others else "")


def digest(sha256: str, fields: str) -> str:
    """What a seed is, in hex: the SHA-256 of its bytes; of a record with other fields, SHA-256 over that and them, so
    that a record of which only the title changed is a changed seed."""
    return hashlib.sha256(f"{sha256}\0{fields}".encode()).hexdigest() if fields else sha256


def record(container: str, fields: str) -> Record:
    """What a document keeps of the record that its seed is."""
    return Record(container, fields, url(fields))


def url(fields: str) -> str:
    """The address among a record's other fields (as JSON); empty when there is none."""
    if "://" not in fields:
        return ""
    known = json.loads(fields)
    nested = [known[name] for name in NESTED_FIELDS if isinstance(known.get(name), dict)]
    for place in (known, *nested):
        for name in URL_FIELDS:
            value = place.get(name)
            if isinstance(value, str) and re.match(r"[a-z][a-z0-9+.-]*://[^\s\ud800-\udfff]+$", value, re.I):
                return value
    return ""


def as_json(fields: Mapping[str, Any]) -> str:
    """The fields as one line of JSON with sorted keys. What JSON does not know becomes text: bytes hex digits, dates
    ISO 8601, numbers that are none `NaN` or `Infinity`."""
    try:
        text = _ENCODER.encode(fields)
    except ValueError:
        text = _ENCODER.encode(_finite(fields))
    if text.isascii() or not re.search("[\ud800-\udfff]", text):
        return text
    return _ASCII_ENCODER.encode(_finite(fields))


def unusable_id(id: str, longest: int = LONGEST_ID) -> bool:
    """Whether a name from within a container cannot be a part of an id: ids are shown, and `export` makes files of
    them.

    longest   in bytes
    """
    return (
        not id.strip()
        or id != id.strip()
        or len(id.encode("utf-8", "surrogatepass")) > longest
        or UNSAFE_IN_ID.search(id) is not None
        or any(part in (".", "..") for part in re.split(r"[/\\]", id))
    )


def _object(line: bytes) -> dict[str, Any]:
    try:
        found = json.loads(_decoded(line))
    except json.JSONDecodeError as error:
        raise NoSeedError("malformed", f"is no JSON from character {error.pos + 1} on") from error
    except (ValueError, RecursionError) as error:
        what = "is nested too deeply" if isinstance(error, RecursionError) else "holds a number that is too long"
        raise NoSeedError("malformed", what) from error
    if not isinstance(found, dict):
        raise NoSeedError("malformed", "is JSON, but no object with fields")
    if line.count(b"[") + line.count(b"{") > DEEPEST and is_deep(found):
        raise NoSeedError("malformed", "is nested too deeply")
    return found


def _decoded(line: bytes) -> str:
    """The line as text: UTF-8, or what the decoder makes of all its bytes."""
    try:
        return line.decode()
    except UnicodeDecodeError as error:
        found = encoding.decode(line, Config(max_seed_bytes=len(line)))
        if found.quarantine is not None or found.encoding.exceptions or found.encoding.name == encoding.UTF8:
            raise NoSeedError("malformed", "is not UTF-8, and no other encoding explains it") from error
        return found.text


def is_deep(value: Any) -> bool:
    """Whether there are more than DEEPEST lists and objects within each other."""
    level = [value]
    for _ in range(DEEPEST):
        below: list[Any] = []
        for one in level:
            if isinstance(one, dict):
                below += one.values()
            elif isinstance(one, list):
                below += one
        level = below
    return bool(level)


def _text_field(fields: Mapping[str, Any], reading: Reading) -> str:
    """The name of the field with the text.  Raises NoSeedError."""
    names = (reading.text_field,) if reading.text_field else TEXT_FIELDS
    for name in names:
        value = fields.get(name)
        if value and isinstance(value, str | bytes):
            return name
    there = [name for name in names if isinstance(fields.get(name), str | bytes)]
    if there:
        return there[0]
    other = [name for name in names if name in fields]
    if other:
        raise NoSeedError("no_text", f"has no text in its field {other[0]}")
    named = f"no field {names[0]}" if reading.text_field else f"none of the fields {', '.join(TEXT_FIELDS)}"
    raise NoSeedError("no_text", f"has {named}")


def _own_id(fields: Mapping[str, Any], reading: Reading) -> str:
    """The record's own id; empty when it has none that can be used."""
    for name in (reading.id_field,) if reading.id_field else ID_FIELDS:
        value = fields.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if isinstance(value, str) and not unusable_id(value):
            return value
    return ""


def _text(value: Any) -> str:
    return bytes(value).hex() if isinstance(value, bytes | bytearray | memoryview) else str(value)


_ENCODER, _ASCII_ENCODER = (
    json.JSONEncoder(ensure_ascii=one, allow_nan=False, separators=(",", ":"), sort_keys=True, default=_text)
    for one in (False, True)
)


def _finite(value: Any) -> Any:
    """The value with words for numbers that JSON does not know."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    return value
