"""Statements: what sentences of an article say about the article itself.

They stay in the text, so nothing is lifted and there is no edit: the paragraph is the provenance, as for a byline.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from . import names
from .rule_files import fold

FIRST, LAST = 4, 6
"""So many paragraphs at the beginning and at the end of an article are looked at: elsewhere a sentence about a source
speaks of another text."""

LONGEST = 200
"""Longer paragraphs tell a story and are not about the article, in characters."""

_GATE = re.compile("本文|原文|文章|来源|來源|作者")
_ACCOUNT = re.compile(
    r"(?:本文|文章|原文|内容)?(?:转载|首发|来源|发布|摘编)?(?:来自|自|于|源自)(?:于)?(?:微信)?公众(?:号|平台|账号)[: ]?"
    r"[“《「\"]?(?P<source>[^“”《》「」\"(),。;:]{2,20})[”》」\"]?"
)
_AUTHOR = re.compile(r"(?:^|[,;:。(] ?)(?:本文|原文)?作者[:为是]? ?(?P<authors>[^,;。()]{2,16})")


def may_state(text: str) -> bool:
    """False for a text without 公众号, in which `stated` finds nothing: folded, each of these is its second
    character."""
    return "众" in text or "眾" in text or "衆" in text


def stated(paragraphs: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Fields and values that sentences at the edges of an article state, in order: 本文来自微信公众号“松果观察”
    （ID：songguo），作者：张三.  Values are as they are written."""
    edges = list(paragraphs) if len(paragraphs) <= FIRST + LAST else [*paragraphs[:FIRST], *paragraphs[-LAST:]]
    for text in edges:
        if len(text) > LONGEST or not may_state(text) or not _GATE.search(text):
            continue
        folded = fold(text)
        account = _ACCOUNT.search(folded)
        if not account:
            continue
        yield "source", text[account.start("source") : account.end("source")].strip()
        if author := _AUTHOR.search(folded, account.end()):
            for name in names.authors("作者:" + text[author.start("authors") : author.end("authors")]):
                yield "authors", name
