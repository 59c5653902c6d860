"""What an HTML page says about its article outside the article: <title>, <meta>, JSON-LD, <time>.

Evidence is a span of the source with the field that it speaks of.  What readers see on the page (来源, 作者 …) is
better evidence: see docs/decisions/0030 and 0031.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from html import unescape
from typing import NamedTuple

from .html_source import INLINE, Source, Tag


class Evidence(NamedTuple):
    """source[start:end] is the value of `field`, as it stands there: see `plain`."""

    start: int
    end: int
    field: str
    rule: str


WEAK_RULES = frozenset(["extraction.class", "extraction.meta", "extraction.json_ld", "extraction.title_tag"])
"""Rules of weaker evidence: what only tags say."""

# Names that say one thing only. `author` and `date` are also used for whoever made the page, and `description`
# is often the site's: the first is taken when nothing better is there, the others are not.
_META_FIELDS = {
    "articletitle": "title", "og:title": "title", "twitter:title": "title",
    "contentsource": "source", "source": "source", "mediaid": "source", "article:source": "source",
    "pubdate": "published_at", "publishdate": "published_at", "article:published_time": "published_at",
    "og:article:published_time": "published_at", "og:release_date": "published_at", "datepublished": "published_at",
    "publish_time": "published_at", "og:published_time": "published_at", "weibo:article:create_at": "published_at",
    "author": "authors", "article:author": "authors", "og:article:author": "authors", "weibo:article:author": "authors",
    "editor": "editor", "contenteditor": "editor", "responsibleeditor": "editor",
    "keywords": "keywords", "news_keywords": "keywords",
    "columnname": "section", "article:section": "section", "og:site_name": "site", "sitename": "site",
}  # fmt: skip
_ATTRIBUTE = re.compile(r"""([A-Za-z:-]{2,30})\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""")
LONGEST_META = 2_000
"""Of a <meta> with something about the article, in characters."""

LONGEST_VALUE = {"title": 200, "keywords": 300}
LONGEST_OTHER = 60

_JSON_LD = re.compile(r"application/ld\+json", re.I)
_JSON_FIELDS = {"headline": "title", "datePublished": "published_at"}
_JSON_PAIR = re.compile(r'"(headline|datePublished)"\s*:\s*"((?:[^"\\]|\\.){1,300})"')
_JSON_AUTHOR = re.compile(
    r'"author"\s*:\s*(?:\[\s*)?(?:"([^"\\]{1,60})"|\{[^{}"]{0,20}(?:"@?\w+"\s*:\s*"[^"]{0,200}"\s*,\s*){0,4}"name"\s*:\s*"([^"\\]{1,60})")'
)
LARGEST_JSON = 100_000

# names of sites stand behind the title, or before it with a colon
_SEPARATOR = re.compile(r"\s*(?:[_|｜»]|--|——|(?<=\s)[-–—·](?=\s)|(?<=[^\x00-\x7f])[-–—](?=[^\x00-\x7f]))+\s*")
LEAST_TITLE = 8
"""A shorter piece of a <title> may be the name of a site or of a section, in characters."""

_SITE = re.compile(r"(?:网|網|在线|日报|晚报|频道|首页|官网|门户|论坛|博客|新闻中心|大学|学院|学校|政府|公司)\Z")


def found(source: str, page: Source, line: str) -> list[Evidence]:
    """The evidence in the page, in order, without overlaps.

    line  the page's visible line that stands in <title>, without white space; "" if there is none
    """
    evidence: list[Evidence] = []
    for tag in page.tags:
        if tag.name == "meta":
            evidence += _meta(source, tag)
        elif tag.name == "script" and _JSON_LD.search(source, tag.start, tag.end):
            evidence += _json(source, tag)
    titles = [tag for tag in page.tags if tag.name == "title"][:1]
    evidence += [one for tag in titles for one in _title(source, tag, line)]
    return sorted(evidence)


def _meta(source: str, tag: Tag) -> Iterator[Evidence]:
    if tag.end - tag.start > LONGEST_META:
        return
    name = ""
    content = None
    for found in _ATTRIBUTE.finditer(source, tag.start, tag.end):
        key = found[1].lower()
        if key in ("name", "property", "itemprop"):
            name = (found[2] or found[3] or found[4] or "").lower()
        elif key == "content" and found.lastindex:
            content = found.span(found.lastindex)
    field = _META_FIELDS.get(name)
    if not field or not content or content[1] - content[0] > LONGEST_VALUE.get(field, LONGEST_OTHER):
        return
    if plain(source[slice(*content)]):
        yield Evidence(*content, field, "extraction.meta")


def _json(source: str, tag: Tag) -> Iterator[Evidence]:
    if tag.content_end > tag.end + LARGEST_JSON:
        return
    seen = set()
    for found in _JSON_PAIR.finditer(source, tag.end, tag.content_end):
        field = _JSON_FIELDS[found[1]]
        if field not in seen and plain(found[2]):
            seen.add(field)
            yield Evidence(*found.span(2), field, "extraction.json_ld")
    author = _JSON_AUTHOR.search(source, tag.end, tag.content_end)
    if author and author.lastindex and plain(author[author.lastindex]):
        yield Evidence(*author.span(author.lastindex), "authors", "extraction.json_ld")


def _title(source: str, tag: Tag, line: str) -> Iterator[Evidence]:
    """The title without the names of sections and sites: what is also a line of the page, else its longest piece."""
    content = source[tag.end : tag.content_end]
    if len(content) > 1_000 or not content.strip():
        return
    if line:
        span = _span_of(content, line)
        if span:
            yield Evidence(tag.end + span[0], tag.end + span[1], "title", "extraction.title")
            return
    pieces = list(_pieces(content))
    able = [
        (start, end) for start, end in pieces if end - start >= LEAST_TITLE and not _SITE.search(content[start:end])
    ]
    if able and pieces[0] == able[0]:  # names of sites come last
        yield Evidence(tag.end + able[0][0], tag.end + able[0][1], "title", "extraction.title_tag")


def _span_of(content: str, line: str) -> tuple[int, int] | None:
    """Where `line`, which has no white space, stands in `content`, which may have some."""
    places = [i for i, c in enumerate(content) if not c.isspace() and c not in "\u200b\ufeff"]
    at = "".join(content[i] for i in places).find(line)
    return (places[at], places[at + len(line) - 1] + 1) if at >= 0 else None


def _pieces(content: str) -> Iterator[tuple[int, int]]:
    at = 0
    for found in [*_SEPARATOR.finditer(content), None]:
        start, end = at, found.start() if found else len(content)
        while start < end and content[start].isspace():
            start += 1
        while end > start and content[end - 1].isspace():
            end -= 1
        if start < end:
            yield start, end
        at = found.end() if found else end


_TAG = re.compile(r"</?([A-Za-z][A-Za-z0-9]{0,30}|!)[^<>]{0,1000}>")
_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})|\\(.)")


def plain(value: str) -> str:
    """The value of a span of source as readers see it: without tags, entities and escapes."""
    text = _TAG.sub(lambda tag: "" if tag[1].lower() in INLINE or tag[1] == "!" else " ", value)
    if "\\" in text:
        text = _ESCAPE.sub(lambda found: chr(int(found[1], 16)) if found[1] else found[2].replace("n", " "), text)
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return " ".join(unescape(text).split())


_NAMED = re.compile(
    r"""\b(?:class|id|itemprop|rel)\s*=\s*(?:"([^"]{1,100})"|'([^']{1,100})'|([^\s"'>]{1,100}))""", re.I
)
_NAMED_FIELDS = {
    "author": "authors", "author-name": "authors", "author_name": "authors", "authorname": "authors",
    "article-author": "authors", "article_author": "authors", "post-author": "authors", "byline": "authors",
    "source": "source", "source-name": "source", "article-source": "source", "article_source": "source",
    "a_source": "source", "news-source": "source", "news_source": "source", "ly": "source",
}  # fmt: skip
_NO_NAME = re.compile(r"[:：\d，。！？|]|编辑|評論|评论|阅读|来源|关注|作者|发布|更多|登录")
LONGEST_NAME = 20


def named_field(source: str, start: int, text: str) -> str:
    """The field that the class, id or property of the tag right before source[start] names for `text`, which is
    short and looks like a name; "" for none."""
    if not 2 <= len(text) <= LONGEST_NAME or _NO_NAME.search(text):
        return ""
    tag = source[max(0, start - 400) : start].rstrip()
    tag = tag[tag.rfind("<") :] if tag.endswith(">") else ""
    for found in _NAMED.finditer(tag):
        for name in (found[1] or found[2] or found[3]).lower().split():
            if name in _NAMED_FIELDS:
                return _NAMED_FIELDS[name]
    return ""


def bare_title(source: str, tags: Sequence[Tag]) -> str:
    """The content of <title> without white space; "" if there is none."""
    for tag in tags:
        if tag.name == "title":
            return "".join(plain(source[tag.end : min(tag.content_end, tag.end + 1_000)]).split())
    return ""
