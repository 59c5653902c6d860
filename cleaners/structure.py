"""Structure: the role of each paragraph, the articles on a page, the metadata of the document.

It reads the clean text and the trail, and changes neither.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cache
from itertools import accumulate, repeat
from operator import add, sub
from statistics import median_low
from typing import NamedTuple

from . import edit_columns, html_metadata, metadata, names, recurrence, statements, values
from .about_rows import is_known_chrome
from .config import Config
from .document import Article, Document, Paragraph, Pass
from .edits import Edit
from .line_features import is_bar_of_words
from .rule_files import load

# A headline of a Chinese newspaper has at most two lines of about 20 characters, plus a kicker: 60 is generous.
LONGEST_HEADLINE = 60
LONGEST_HEADING = 40
# shorter lines above metadata are names of sections and sites as often as headlines
SHORTEST_HEADLINE = 8
MOST_HEADLINE_LINES = 3
LONGEST_ORGANISATION = 6
# Photo captions on the five seeds have 15 to 39 characters.
LONGEST_CAPTION = 80

_SENTENCE_ENDS = frozenset("。；;，,、：:…")
_BODY_ENDS = frozenset("。！？!?；;：:…")
_CLOSERS = "”’」』）)"  # stand behind these
_MAY_END_BODY = _BODY_ENDS.union(_CLOSERS)
COLUMN_MARKS = "■▇▌◤"
_SIGNS = re.compile(f"[{COLUMN_MARKS}]|{names.SIGNS.pattern}".replace("]|[", ""))
"""Every column, byline and credit has one of these."""
_COLUMN = re.compile(rf"[{COLUMN_MARKS}]\s*\S")
_SUBTITLE = re.compile(r"(?:——|--|—)\S")
# stands at the beginning of a newspaper's report, and nowhere else in it: a page with two of them holds two reports
_DATELINE = re.compile(r"[【（(]?本[报報刊][讯訊](?=[】）)（(\s])")
_STOPS = re.compile("[。！？]")
_DATELINE_BEGINS = "【（(本"
_ENTRY = re.compile(r"(?:[•·●○▪◦*\-–]|\d{1,3}[.、．)）]|[（(]?[一二三四五六七八九十]{1,3}[)）、.])\s*\S")
_ENTRY_BEGINS = frozenset("•·●○▪◦*-–（(一二三四五六七八九十")  # or a digit
LIST_FIELDS = ("authors", "keywords")
FIELDS = (
    "title", "subtitle", "authors", "source", "site", "published_at", "editor", "photographer", "section", "keywords",
)  # fmt: skip

_tuple = tuple.__new__  # making a named tuple by its name takes twice as long
_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff]")


class Line(NamedTuple):
    """What structure knows of a paragraph. `gap`: blank lines before it in the seed; `lifted`: metadata lines
    were taken out right behind it; `framed`: parts of the page's frame were, which stand in no article."""

    text: str
    start: int
    gap: int
    lifted: bool
    framed: bool = False


class Frame(NamedTuple):
    """What is known of a page's frame: the lines that cleaners took out as chrome, which may repeat the headline, and
    the keys of its lines that recur on its site."""

    removed: str
    recurring: Collection[int]


class Structure(NamedTuple):
    """What a document consists of; its fields are those of Document."""

    paragraphs: tuple[Paragraph, ...]
    articles: tuple[Article, ...]
    metadata: dict[str, str | list[str] | None]


def of(document: Document, config: Config) -> Structure:
    """The paragraphs, articles and metadata of a document that has none yet."""
    lines = _lines(document)
    usual_gap = median_low([line.gap for line in lines[1:]]) if len(lines) > 1 else 1
    bylines: dict[str, list[str]] = {}
    roles = _roles(lines, usual_gap, Frame(_removed(document), config.recurring), bylines)
    paragraphs = tuple(_paragraphs(lines, roles))
    articles = _articles(lines, roles, usual_gap, bylines)
    return Structure(paragraphs, articles, _metadata(document, paragraphs, articles, bylines, config))


# -- paragraphs ----------------------------------------------------------------------------------------------


def _lines(document: Document) -> list[Line]:
    blocks = document.text.split("\n\n")
    starts = list(accumulate(map(add, map(len, blocks), repeat(2)), initial=0))
    gaps, lifted, framed = _seen_in_trail(document, [start - 2 for start in starts[1 : LONGEST_HEAD + 1]])
    above = map(gaps.get, starts, repeat(1))
    if lifted or framed:
        behind = [start - 2 for start in starts[1:]]
        known = zip(
            blocks, starts, above, map(lifted.__contains__, behind), map(framed.__contains__, behind), strict=False
        )
    else:
        known = zip(blocks, starts, above, repeat(False), repeat(False), strict=False)
    lines = list(map(_tuple, repeat(Line), known))
    return lines if all(blocks) else [line for line in lines if line[0]]


def _paragraphs(lines: Sequence[Line], roles: Sequence[str]) -> Iterator[Paragraph]:
    texts, starts = [line[0] for line in lines], [line[1] for line in lines]
    ends = map(add, starts, map(len, texts))
    return map(_tuple, repeat(Paragraph), zip(texts, roles, starts, ends, strict=True))


def _seen_in_trail(document: Document, ends: Sequence[int]) -> tuple[dict[int, int], set[int], set[int]]:
    """By position in the text: blank lines of the seed before it; ends of paragraphs behind which metadata
    stood, and behind which rules took out rows that stand in no article. Gaps are those that the first pass of
    `layout` found.  ends: of the first LONGEST_HEAD paragraphs"""
    gaps: dict[int, int] = {}
    lifted: set[int] = set()
    framed: set[int] = set()
    if len(ends) == LONGEST_HEAD:
        ends = [*ends, len(document.text)]
    is_laid_out = False
    for number, one in enumerate(document.trail):
        later = document.trail[number + 1 :]
        if one.cleaner == "layout" and not is_laid_out:
            is_laid_out = True
            gaps = _gaps(one.edits)
            if later:
                gaps = dict(zip(_at_end(list(gaps), later), gaps.values(), strict=True))
        elif one.cleaner == "metadata":
            places = [place for place, edit in _places(one.edits) if edit.field]
            lifted.update([_end_above(place, ends) for place in _at_end(places, later)])
        elif one.cleaner == "chrome":
            rules = _frame_rules()
            places = [place for place, edit in _places(one.edits) if edit.rule in rules and place < ends[-1]]
            framed.update([_end_above(place, ends) for place in _at_end(places, later)])
    return gaps, lifted, framed


def _places(edits: Sequence[Edit]) -> Iterator[tuple[int, Edit]]:
    """Where each of the edits begins in the text after all of them."""
    shift = 0
    for edit in edits:
        yield edit.start + shift, edit
        shift += len(edit.after) - len(edit.before)


def _at_end(places: list[int], later: Sequence[Pass]) -> list[int]:
    """Where these places of a text, sorted, are after later passes: in time that is linear in their edits."""
    for one in later:
        places = _moved(places, one.edits)
    return places


def _moved(places: list[int], edits: Sequence[Edit]) -> list[int]:
    """Where `Positions(edits).new_span` begins for each of these places, which are sorted."""
    found: list[int] = []
    reach, shift, moved_from = -1, 0, 0  # of the last edit that begins before the place
    rest = iter(edits)
    following = next(rest, None)
    for place in places:
        while following is not None and following[0] <= place:
            start, before, after, _, _, _ = following
            reach, moved_from = start + len(before), start + shift
            shift += len(after) - len(before)
            following = next(rest, None)
        found.append(moved_from if place < reach else place + shift)
    return found


def _end_above(place: int, ends: Sequence[int]) -> int:
    """The last of the ends, which are sorted, that is not behind the place; -1 when all are."""
    count = bisect_right(ends, place)
    return ends[count - 1] if count else -1


@cache
def _frame_rules() -> frozenset[str]:
    """Ids of rules for what stands above an article, not of buttons."""
    return frozenset(rule.id for rule in load("chrome") if rule.and_all == "above" or rule.name == "login_alone")


def _removed(document: Document) -> str:
    """What rules and recurrence took out around the article."""
    return "\n".join(
        before
        for one in document.trail
        if one.cleaner in ("chrome", "recurrence")
        for before in edit_columns.befores(one.edits)
    )


def _gaps(edits: Sequence[Edit]) -> dict[int, int]:
    """Place behind each edit in the text after all of them -> blank lines that stood there."""
    counts = map(str.count, edit_columns.befores(edits), repeat("\n"))
    return dict(zip(edit_columns.ends_after(edits), map(sub, counts, repeat(1)), strict=True))


# Metadata that says something about the title stands near the top: paragraphs behind these are not looked at.
LONGEST_HEAD = 12


_DATE_ALONE = re.compile(
    r"(?:19|20)\d\d ?[-./年] ?\d{1,2} ?[-./月] ?\d{1,2} ?日?[ \d:]*(?:(?:星期|周)[一二三四五六日天])?"
    r"|\S{2,12} {0,2}\d{1,2}月\d{1,2}日(?:报道|讯|电|消息)"
)


def _is_headline(text: str, longest: int = LONGEST_HEADLINE) -> bool:
    if not 2 <= len(text) <= longest:
        return False
    first, last = text[0], text[-1]
    if last in _SENTENCE_ENDS or (last in _CLOSERS and text.rstrip(_CLOSERS)[-1:] in _SENTENCE_ENDS):
        return False
    if ("月" in text or first in "12") and _DATE_ALONE.fullmatch(text):
        return False
    if (first in _ENTRY_BEGINS or first.isdecimal()) and _ENTRY.match(text):
        return False
    return "一" <= first <= "龥" or _HAN.search(text) is not None


def _roles(lines: Sequence[Line], usual_gap: int, page: Frame, bylines: dict[str, list[str]]) -> list[str]:
    """The role of each line.  bylines: is given the names in each, as they are known when it was just looked at."""
    roles = ["body"] * len(lines)
    texts = [line[0] for line in lines]
    short = [i for i, text in enumerate(texts) if len(text) <= LONGEST_CAPTION]
    for i in [i for i in short if _SIGNS.search(texts[i])] if _SIGNS.search("\n".join(texts)) else ():
        text = texts[i]
        if len(text) > names.LONGEST_LINE:
            continue
        if len(text) <= LONGEST_HEADING and text[0] in COLUMN_MARKS and _COLUMN.match(text) and not _is_reporters(text):
            roles[i] = "column"
        elif names.is_credit(text):
            roles[i] = "credit"
        elif names.is_byline(text) and not any(metadata.is_of_card(near[0]) for near in lines[max(0, i - 1) : i + 2]):
            roles[i] = "byline"
            bylines[text] = names.authors(text)
    starts = _title_places(lines, roles, short, usual_gap, page)
    for i in starts:
        roles[i] = "title"
        _mark_below_title(lines, roles, i)
        if i != starts[0]:
            _mark_above_title(lines, roles, i, usual_gap)
    first_body = _first_body(texts, roles)
    for i in short if first_body < len(lines) else ():
        if i >= first_body and roles[i] == "body":
            roles[i] = _inner_role(lines, roles, i, usual_gap)
    return roles


def _first_body(texts: Sequence[str], roles: Sequence[str]) -> int:
    """The first line that surely is body; so many lines as there are when none is."""
    for i, text in enumerate(texts):
        if (len(text) > LONGEST_HEADLINE or (text[-1] in _MAY_END_BODY and _ends_part(text))) and roles[i] == "body":
            return i
    return len(texts)


def _is_reporters(text: str) -> bool:
    """■本报记者 张三 is no column."""
    return _is_marked_byline(text.lstrip(COLUMN_MARKS)) and names.is_byline(text)


def _ends_body(line: Line) -> bool:
    return len(line.text) > LONGEST_HEADLINE or _ends_part(line.text)


def _ends_part(text: str) -> bool:
    return text.rstrip(_CLOSERS)[-1:] in _BODY_ENDS


def _mark_below_title(lines: Sequence[Line], roles: list[str], title: int) -> None:
    """The subtitle and, under it, a short line of names."""
    i = title + 1
    while i < len(lines) and lines[i].text == lines[title].text:
        i += 1  # the headline stands there twice
    if i < len(lines) and roles[i] == "body" and _SUBTITLE.match(lines[i].text) and _is_headline(lines[i].text):
        roles[i] = "subtitle"
        i += 1
    if i + 1 < len(lines) and roles[i] == "body" and _is_bare_byline(lines[i].text):
        roles[i] = "byline"


def _mark_above_title(lines: Sequence[Line], roles: list[str], title: int, usual_gap: int) -> None:
    """The upper lines of a headline in two or three lines, inside a page: no heading stands right above one."""
    for i in range(title - 1, max(title - MOST_HEADLINE_LINES, 0), -1):
        text = lines[i].text
        if (
            lines[i + 1].gap > usual_gap
            or roles[i] not in ("body", "heading")
            or not _is_headline(text)
            or "。" in text
        ):
            return
        roles[i] = "title"


_BETWEEN_NAMES = re.compile(r"[\s、，,/]+")
_PARTS_NAMES = re.compile(r"[\s、，,/（(]")
_ASIDE = re.compile(r"[（(][^（）()]{2,30}[)）]")
_STOP_MARKS = frozenset("。！？；…!?;")


def _is_bare_byline(text: str) -> bool:
    """Names and nothing else: what under a title can only be a byline."""
    if text[-1] in _STOP_MARKS or (len(text) > LONGEST_ORGANISATION and not _PARTS_NAMES.search(text)):
        return False  # several names have something between them, and one alone is shorter
    found = names.authors(text)
    bare = _BETWEEN_NAMES.sub("", _ASIDE.sub("", text))  # 张三（江东大学）
    # surnames are many: in a list of names, half of them show what it is
    people = 2 * sum(map(names.is_person, found)) >= len(found) and all(len(name) <= 4 for name in found)
    return (
        bool(found)
        and "".join(found) == bare
        and (people or (len(found) == 1 and len(bare) <= LONGEST_ORGANISATION and names.is_department(bare)))
    )


def _title_places(
    lines: Sequence[Line], roles: Sequence[str], short: Sequence[int], usual_gap: int, page: Frame
) -> list[int]:
    """Indexes of titles. Behind the first, a headline is a title only with a sign that a new article begins.
    short: indexes of lines of at most LONGEST_CAPTION characters, which is more than headlines have"""
    first = _first_title(lines, roles, page)
    places = [] if first is None else [first]
    begun = [line[0] for line in lines if line[0][0] in _DATELINE_BEGINS]
    reports = sum(_DATELINE.match(text) is not None for text in begun) > 1
    if not reports:  # set apart, below a column, or above a byline
        around = [*roles, ""]
        short = [i for i in short if lines[i][2] > usual_gap or around[i - 1] == "column" or around[i + 1] == "byline"]
    for i in short:
        if (first is not None and i <= first) or roles[i] != "body" or not _is_headline(lines[i].text):
            continue
        if i and roles[i - 1] == "body" and lines[i].text[0] in "—-" and _SUBTITLE.match(lines[i].text):
            continue
        if _begins_article(lines, roles, i, usual_gap, reports):
            places.append(i)
    return places


def _first_title(lines: Sequence[Line], roles: Sequence[str], page: Frame) -> int | None:
    """The headline above the first metadata line, else the first headline above the first body paragraph.

    Of several headlines right above each other, the first that is long enough to be one: below it stand a
    subtitle, an author's or a channel's name.  Another one wins if there is clear evidence for it: on a site that no
    rule knows, its navigation may be left above the headline.

    """
    head: list[int] = []
    for i, line in enumerate(lines[:LONGEST_HEAD]):
        if roles[i] == "body" and metadata.begins_card(line.text):
            while head and _LABELLED.match(lines[head[-1]].text):
                head.pop()  # 作者：…, a row of the card
            if head:
                return head[-1]  # 静夜思 above 朝代：唐代
            continue
        if roles[i] == "body" and _is_headline(line.text):
            if _is_path(line.text):
                continue
            head.append(i)
            if line.lifted:
                block = [k for k in head if set(range(k, i)) <= set(head)]
                if len(block) > MOST_HEADLINE_LINES:
                    return _clearest(lines, block, i, page)  # what stands above is left of the page's own frame
                usual = next((k for k in block if len(lines[k].text) >= SHORTEST_HEADLINE), -1)
                if usual < 0:
                    usual = next((k for k in reversed(block) if not _is_bare_byline(lines[k].text)), i)
                return _clearest(lines, block, usual, page)
        elif roles[i] == "body" and _ends_body(line):
            break
    below_frame = max((n for n, i in enumerate(head[:-1], 1) if lines[i].framed), default=0)
    head = head[below_frame if all(len(lines[i].text) < SHORTEST_HEADLINE for i in head[:below_frame]) else 0 :]
    if not head or len(lines) == 1:
        return None
    block = [k for k in head if k < head[0] + len(head)]
    best = _clearest(lines, block, head[0], page)
    return None if best == head[0] and _may_be_frame(lines, block, page) else best


_STEP = re.compile(r"[一-龥A-Za-z0-9] ?[>»›] ?[一-龥A-Za-z0-9]")


def _is_path(text: str) -> bool:
    """True for a bar of links and for a path through a site (文化周刊 > 访谈): no headline is one."""
    may_step = ">" in text or "»" in text or "›" in text
    return (may_step and _STEP.search(text) is not None) or is_bar_of_words(text)


CLEAR = 3
"""So many points a headline must have to win over the row that stands where headlines do, and MARGIN more than that."""

MARGIN = 2

SURE = 5
"""The same below FRAME_ROWS rows of at most LONGEST_LINK characters, on a page where nothing is chrome for sure."""

LONGEST_LINK = 6

FEWEST_HAN = 6
"""So many Chinese characters it must have, and stand among the last MOST_HEADLINE_LINES rows above the text."""

MOST_BODY = 3_000
"""Words of a headline are looked for in so many characters of the text below it."""

_SITE = re.compile(
    r"(?:欢迎[^，。]{2,20}|[\[【(（<].{1,8}[\]】)）>]|正文|导航|返回|目录|[一-龥A-Za-z]{1,8}(?:网|在线|论坛|吧|频道|之家|博客|中心|首页|新闻))"
)
"""A site's or a section's name, or a button."""

_LABELLED = re.compile("[^：:]{1,4}[：:]")
"""Of a dialogue, of questions and answers."""


def _clearest(lines: Sequence[Line], block: Sequence[int], usual: int, page: Frame) -> int:
    """The headline of the most evidence among rows one below the other; `usual` when it may well be the headline, when
    the page had no chrome, or when none is clearly better."""
    if len(block) == 1:
        return usual
    is_button = _is_frame(lines[usual].text, page)
    least = CLEAR
    if not (page.removed or is_button):
        shorts = sum(len(lines[k].text) <= LONGEST_LINK for k in block)
        if shorts < max(FRAME_ROWS, len(block) - 1):
            return usual
        is_longest = shorts >= SURE and len(lines[block[-1]].text) > 2 * LONGEST_LINK
        least = (
            CLEAR if is_longest else SURE
        )  # no row is known to be of a frame: only the clearest headline wins, or a long one
    below = _below(lines, block)
    others = [k for k in block[-MOST_HEADLINE_LINES:] if is_button or len(_HAN.findall(lines[k].text)) >= FEWEST_HAN]
    points = {k: _points(lines, k, block[-1], below, page) for k in (usual, *others)}
    if points[usual] >= CLEAR:
        return usual
    best = max(points, key=lambda k: (points[k], k))
    least = points[usual] + 1 if is_button else max(least, points[usual] + MARGIN)
    return best if points[best] >= least else usual


def _is_frame(text: str, page: Frame) -> bool:
    """True for the name of a site or of a section, for words of buttons, and for a line that recurs on its site."""
    if _SITE.fullmatch(text) is not None or is_known_chrome(text):
        return True
    return bool(page.recurring) and recurrence.key(recurrence.masked(text), recurrence.HEAD) in page.recurring


def _points(lines: Sequence[Line], k: int, last: int, below: str, page: Frame) -> int:
    """How much speaks for a row as the headline: its length, whether the page repeats it, whether the text below has
    its words, and whether it stands right above the text or what tells about it."""
    text = lines[k].text
    han = "".join(_HAN.findall(text))
    pairs = [han[i : i + 2] for i in range(len(han) - 1)]
    known = sum(pair in below for pair in pairs)
    points = 2 if len(text) >= SHORTEST_HEADLINE else int(len(text) > SHORTEST_HEADLINE / 2)
    points += 2 if len(text) >= SHORTEST_HEADLINE and text in page.removed else 0
    points += 2 if 3 * known >= len(pairs) > 2 else int(4 * known >= len(pairs) > 2)
    points += int(k == last) + int(lines[k].lifted)
    return points - 3 * (_is_frame(text, page) or _LABELLED.match(text) is not None)


FRAME_ROWS = 4
"""So many short rows above prose, on a page that had chrome, may be its navigation: then the first is the headline only
if there is some evidence, or if it is longer than the others."""


def _may_be_frame(lines: Sequence[Line], block: Sequence[int], page: Frame) -> bool:
    """True if the first of several rows above the text is more likely left of the page's own frame."""
    text = lines[block[0]].text
    if len(block) > 1 and _is_frame(text, page):
        return True
    longest = max(len(lines[k].text) for k in block[1:]) if len(block) >= FRAME_ROWS else 0
    if not page.removed or not len(text) <= longest < SHORTEST_HEADLINE or block[-1] + 1 >= len(lines):
        return False
    if not _ends_body(lines[block[-1] + 1]):
        return False
    return _points(lines, block[0], block[-1], _below(lines, block), page) < CLEAR - 1


def _below(lines: Sequence[Line], block: Sequence[int]) -> str:
    """The beginning of the text below the rows."""
    return "".join(line.text for line in lines[block[-1] + 1 : block[-1] + 40])[:MOST_BODY]


def _begins_article(lines: Sequence[Line], roles: Sequence[str], i: int, usual_gap: int, reports: bool) -> bool:
    """Under a column's name, above a marked byline, a photo's text and credit or, on a page of reports, a dateline."""
    if i and roles[i - 1] == "column":
        return True
    if reports and i + 1 < len(lines) and _DATELINE.match(lines[i + 1].text):
        return True
    if i + 1 < len(lines) and roles[i + 1] == "byline" and _is_marked_byline(lines[i + 1].text):
        return i + 2 < len(lines)
    return lines[i].gap > usual_gap and _is_photo_block(lines, roles, i, usual_gap)


def _is_marked_byline(text: str) -> bool:
    return text[0] in "□◎◇○●" or "记者" in text or "通讯员" in text


def _is_photo_block(lines: Sequence[Line], roles: Sequence[str], i: int, usual_gap: int) -> bool:
    """A headline, one or two paragraphs, and the photographer's credit, set apart by blank lines."""
    for j in range(i + 2, min(i + 4, len(lines))):
        if roles[j] == "credit":
            return True
        if lines[j].gap > usual_gap:
            return False
    return False


def _inner_role(lines: Sequence[Line], roles: Sequence[str], i: int, usual_gap: int) -> str:
    """heading, caption or body."""
    line = lines[i]  # of at most LONGEST_CAPTION characters: longer ones are body
    if _is_headline(line.text, LONGEST_HEADING) and not _ends_part(line.text):
        followed = i + 1 < len(lines) and roles[i + 1] in ("body", "byline")
        return "heading" if followed else "body"
    if line.gap <= usual_gap:
        return "body"
    if len(_STOPS.findall(line.text)) <= 1 and _stands_apart(lines, i, usual_gap):
        return "caption"
    return "body"


def _stands_apart(lines: Sequence[Line], i: int, usual_gap: int) -> bool:
    """Followed by the end, another wide gap, or a heading: not the beginning of a new part."""
    if i + 1 == len(lines):
        return True
    behind = lines[i + 1]
    return behind.gap > usual_gap or _is_headline(behind.text, LONGEST_HEADING)


# -- articles ------------------------------------------------------------------------------------------------


def _articles(
    lines: Sequence[Line], roles: Sequence[str], usual_gap: int, bylines: Mapping[str, list[str]]
) -> tuple[Article, ...]:
    """The articles of a page; none for a document that is one article."""
    blocks = _headlines(roles)
    if len(blocks) < 2:
        return ()
    starts = [b[0] - 1 if b[0] and roles[b[0] - 1] == "column" else b[0] for b in blocks]
    found, column = [], ""
    for block, start, behind in zip(blocks, starts, [*starts[1:], len(lines)], strict=True):
        if roles[start] == "column":
            column = lines[start].text.lstrip(COLUMN_MARKS + " ")
        elif lines[start].gap > usual_gap:
            column = ""  # set apart from the column above
        title = " ".join(lines[i].text for i in block)
        last = lines[behind - 1]
        people = tuple(_people(lines, roles, range(start, behind), bylines))
        found.append(Article(title, column, people, lines[start].start, last.start + len(last.text)))
    return tuple(found)


def _headlines(roles: Sequence[str]) -> list[list[int]]:
    """Indexes of titles; those of one headline in several lines together."""
    blocks: list[list[int]] = []
    for i, role in enumerate(roles):
        if role != "title":
            continue
        if blocks and blocks[-1][-1] == i - 1:
            blocks[-1].append(i)
        else:
            blocks.append([i])
    return blocks


def _people(
    lines: Sequence[Line], roles: Sequence[str], span: range, bylines: Mapping[str, list[str]]
) -> Iterator[str]:
    """Names in bylines; where there is none, names in credits (a photo block) or in brackets at the edges."""
    for role in ("byline", "credit"):
        signed = [lines[i][0] for i in span if roles[i] == role]
        found = list(dict.fromkeys(n for text in signed for n in (bylines.get(text) or names.authors(text))))
        if found:
            return iter(found)
    bodies = [lines[i].text for i in span if roles[i] == "body"]
    return iter(
        dict.fromkeys(name for text in dict.fromkeys([*bodies[:1], *bodies[-1:]]) for name in names.signed(text))
    )


# -- metadata ------------------------------------------------------------------------------------------------


def _metadata(
    document: Document,
    paragraphs: Sequence[Paragraph],
    articles: Sequence[Article],
    bylines: Mapping[str, list[str]],
    config: Config,
) -> dict[str, str | list[str] | None]:
    """All fields; None or [] where the document says nothing (docs/decisions/0030).

    What edits lifted comes first, what the text still shows (title, subtitle, bylines, statements) second, what edits
    of fallback rules lifted third; a page of several articles has no title or authors itself."""
    lifted = _lifted(document)
    seen: dict[str, str | list[str]] = {}
    if not articles:
        roles = [p[1] for p in paragraphs]
        seen = {field: paragraphs[roles.index(field)][0] for field in ("title", "subtitle") if field in roles}
        said = _said(paragraphs) if statements.may_state(document.text) else ()
        seen["source"] = next((value for field, value in said if field == "source"), "")
        seen["authors"] = [value for field, value in said if field == "authors"] or _authors(paragraphs, bylines)
    found: dict[str, str | list[str] | None] = dict.fromkeys(FIELDS)
    for field in LIST_FIELDS:
        found[field] = []
    for field in dict.fromkeys((*seen, *lifted)):
        of = lifted.get(field, ())
        best = (values.choose(field, of, config.timezone) if of else "") or seen.get(field)
        if not best and of:
            best = values.choose(field, of, config.timezone, fallback=True)
        found[field] = best or ([] if field in LIST_FIELDS else None)
    return found


def _said(paragraphs: Sequence[Paragraph]) -> Sequence[tuple[str, str]]:
    """What sentences state, by field."""
    return list(statements.stated([p[0] for p in paragraphs if p[1] == "body" or p[1] == "heading"]))


SIGNED_FROM_END = 6
"""Of so many paragraphs of prose at the end, the last that is signed counts: below it a page may show something else,
but names alone in brackets only count in the last half of them."""

_PROSE_ENDS = frozenset("。！？!?…”』」）)]】")


def _lifted(document: Document) -> dict[str, list[values.Lifted]]:
    """What edits lifted, by field, in the order of the trail; of an HTML page in the order of its source."""
    found = []
    for number, one in enumerate(document.trail):
        for edit in edit_columns.lifting(one.edits):
            is_source = one.cleaner == "extraction"
            before = html_metadata.plain(edit.before) if is_source else edit.before
            found.append((edit, values.Lifted(before, edit.rule, (number, edit.start))))
    if len(found) > 1 and any(one.cleaner == "extraction" for one in document.trail):
        found.sort(key=lambda pair: document.seed_place(*pair[1].place))
    lifted: dict[str, list[values.Lifted]] = {}
    for edit, value in found:
        lifted.setdefault(edit.field, []).append(value)
    return lifted


def _authors(paragraphs: Sequence[Paragraph], bylines: Mapping[str, list[str]]) -> list[str]:
    """Names in bylines; where there is none, names in brackets at the article's edges: （记者 张三）."""
    signed = [p[0] for p in paragraphs if p[1] == "byline"]
    people = [name for text in signed for name in (bylines.get(text) or names.authors(text))]
    if people:
        return list(dict.fromkeys(people))
    prose = [p[0] for p in paragraphs if p[1] == "body" and p[0][-1:] in _PROSE_ENDS]
    found = [name for text in prose[:2] for name in names.signed(text, bare=False)]
    for k, text in enumerate(reversed(prose[-SIGNED_FROM_END:])):
        if text[-1] in names.CLOSING and (people := names.signed_at_end(text, bare=k < SIGNED_FROM_END // 2)):
            found += people
            break
    return list(dict.fromkeys(found))
