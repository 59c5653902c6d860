"""MHTML: the page inside a web archive as browsers save it (RFC 2557).

The message's first part of HTML takes the place of the whole message, decoded by the same decoder as other seeds.
"""

from __future__ import annotations

import binascii
import quopri
import re
from base64 import b64decode
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from . import encoding
from .config import Config
from .document import Quarantine, RefusedError
from .edits import Edit

if TYPE_CHECKING:
    from email.message import Message

_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]{1,40}:[^\r\n]{0,2000}\r?\n")
_MULTIPART = re.compile(r"^content-type:\s*(?:multipart/(?:related|alternative|mixed)|text/html)\b", re.I | re.M)
_BLANK_LINE = re.compile(r"\r?\n[ \t]*\r?\n")
_HEADERS = "mime-version:"
LONGEST_HEADERS = 20_000
"""Of a message or a part, in characters."""

DEEPEST = 5
"""Nesting of parts that is followed."""


class Part(NamedTuple):
    """A part of the message: its headers, and its body at text[start:end]."""

    headers: Message
    start: int
    end: int


def propose(text: str, config: Config) -> Iterator[Edit]:
    """Yields one edit that puts the page in the place of the message; none for a text that is no web archive.

    Raises RefusedError when there is no page in the message, or none that can be decoded.
    """
    if not _HEADER.match(text) or not is_message(text):
        return
    page = _page(text, config)
    if page != text:
        yield Edit(0, text, page, "mhtml.page")


def is_message(text: str) -> bool:
    """True for a message of MIME that holds HTML: headers from the first line on, among them those of MIME."""
    blank = _BLANK_LINE.search(text, 0, LONGEST_HEADERS)
    head = text[: blank.start()] if blank else ""
    return _HEADERS in head.lower() and _MULTIPART.search(head) is not None


def _page(text: str, config: Config) -> str:
    found = _first_page(text, _part(text, 0, len(text)), DEEPEST)
    if found is None:
        reason = "The seed is a web archive (MHTML) without a page of HTML: save the page again, as HTML."
        raise RefusedError(Quarantine("unsupported_format", reason))
    body = text[found.start : found.end]
    transfer = str(found.headers.get("content-transfer-encoding", "")).strip().lower()
    if transfer not in ("base64", "quoted-printable"):
        return body
    decoded = encoding.decode(_bytes(body, transfer), config)
    if decoded.quarantine:
        raise RefusedError(decoded.quarantine)
    return decoded.text


def _bytes(body: str, transfer: str) -> bytes:
    raw = body.encode("utf-8", "surrogatepass")
    if transfer == "quoted-printable":
        return quopri.decodestring(raw)
    kept = re.sub(rb"[^A-Za-z0-9+/]", b"", raw)
    try:
        return b64decode(kept[: len(kept) // 4 * 4] + (kept[len(kept) // 4 * 4 :] + b"===")[:4] * (len(kept) % 4 > 1))
    except binascii.Error:
        reason = "The web archive's page is not the base64 that it says it is: save the page again."
        raise RefusedError(Quarantine("undecodable", reason)) from None


def _part(text: str, start: int, end: int) -> Part:
    from email.parser import HeaderParser  # only archives pay for the import

    blank = _BLANK_LINE.search(text, start, min(end, start + LONGEST_HEADERS))
    body = blank.end() if blank else end
    return Part(HeaderParser().parsestr(text[start : blank.start() if blank else start].lstrip()), body, end)


def _first_page(text: str, part: Part, deepest: int) -> Part | None:
    """The first part that is HTML, in the message's order."""
    kind = part.headers.get_content_type()
    if kind == "text/html":
        return part
    boundary = part.headers.get_boundary()
    if not kind.startswith("multipart/") or not boundary or deepest == 0:
        return None
    mark = re.compile(rf"^--{re.escape(boundary)}(?:--)?[ \t]*\r?$\n?", re.M)
    begin = -1
    for found in mark.finditer(text, part.start, part.end):
        if begin >= 0:
            page = _first_page(text, _part(text, begin, found.start()), deepest - 1)
            if page is not None:
                return page
        begin = found.end()
    return _first_page(text, _part(text, begin, part.end), deepest - 1) if 0 <= begin < part.end else None
