"""Structure: roles of paragraphs, articles on a page, metadata of the document."""

from __future__ import annotations

from .document import Article, Paragraph


def paragraphs(text: str) -> tuple[Paragraph, ...]:
    found, start = [], 0
    for block in text.split("\n\n"):
        if block:
            found.append(Paragraph(block, "body", start, start + len(block)))
        start += len(block) + 2
    return tuple(found)


def articles(found: tuple[Paragraph, ...]) -> tuple[Article, ...]:
    return ()


from dataclasses import replace  # noqa
from .config import Config  # noqa
from .document import Document  # noqa


def structured(document: Document, config: Config) -> Document:
    return replace(document, paragraphs=paragraphs(document.text))
