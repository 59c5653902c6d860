"""Chrome: what a page shows around its article. Navigation, login, buttons, related articles, footers.

The rules are in rules/chrome/*.toml.  A rule sees one row at a time; three things are added to that here:
- a place: most rules count only outside the main stretch of prose (see prose.py), above it or below it;
- neighbours: a weak rule counts only beside a row that another rule removes;
- reach: with `and_all`, everything above (or below) the row goes too, but never prose that outweighs the article,
  and no row that tells something about the article.
Then the line classifier (article_extent.py) takes what no rule knows, by the shape and the place of rows, in a page
where some rule found chrome; in a text without any, nothing but single rows named by a rule can go.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache, lru_cache
from itertools import islice
from typing import NamedTuple

from . import article_extent, metadata, names, remembered
from .article_extent import Marks
from .config import Config
from .edits import Edit
from .line_features import COUNTED, is_bar, is_bar_of_words
from .prose import Page, Row, main_stretch, read
from .rule_files import (
    LONG,
    LONGEST_LINE,
    STOP,
    Patterns,
    Phrases,
    ProseTelltales,
    Rule,
    Shapes,
    Words,
    fold,
    lift,
    load,
    squeeze,
)

LONGEST_BUTTONS = 60
"""Longer rows inside the article are not even looked at, in characters."""

EDGE_ROWS = 6
"""How many rows at either end of the main stretch of prose may turn out to be chrome that reads like prose."""

MOST_TRIMMED = 1 / 3
"""These rows and what stands outside of them may have at most this share of the stretch's prose."""

MOST_PROSE_BELOW = 0.5
"""Prose below a row with `and_all` may have at most this share of the article's own prose."""

MOST_PROSE_BELOW_SURE = 3.0
"""The same, where a footer stands below it: then it is a page with comments."""

FOOTER_RULES = 2
"""A page's footer is known by so many different rules with `and_all` below the article."""

REACH_COST = 200
"""What a row with `and_all` takes from the score of a stretch of prose, in characters: an article goes on behind
相关阅读 only if that much prose follows."""

SHORTEST_TITLE = 4
"""A row of fewer letters is no headline."""

LONGEST_TITLE = 80
"""A longer row is no headline, in characters."""

LONGEST_DEPARTMENT = 6
"""The name of a department below a headline is at most this long, in characters."""

LONGEST_BYLINE = 60
"""A longer row is no byline and no credit of a picture, in characters."""

FEW_BUTTONS = 2
"""Words, see bars_of_buttons."""

VERSE_ROWS = 4
"""So many rows of one length are a stanza."""

FIELDS = 3
"""So many labels (索引号：), each with its value below it, are a table."""

FIGURES = 3
"""So many rows with figures (2.40, 12,300, 38元, 5%) between two rows of chrome are a table."""

CELL_REACH = 4
"""A number so many rows from another one may be a cell of the same table."""

LEAST_SHORT_ROWS = 1
"""So many short rows between the prose and buttons may be a list that goes on behind the buttons."""

MOST_BEFORE = 40
"""So many rows above buttons are compared with those below."""

MOST_UNLIKE, SLACK = 2.0, 4
"""Then the rows on both sides have about the same length: their means differ at most by this factor and so many
characters."""

MOST_PREVIEWED, ROW = 2_000_000, 100
"""In so many characters of texts rows are looked for at once, a line counting as ROW more, as what is known of it takes
memory; what was found is kept until `propose` is asked."""

FIRST_ROWS, LONGEST_SITE = 2, 8
"""A bar of links among so many rows at a page's beginning is its navigation, also below a site's name of at most so
many characters."""

LONGEST_LINK = 12
"""A longer row in a page's head may be its headline, in characters."""


_edit = tuple.__new__  # making an Edit by its name takes twice as long


class Found(NamedTuple):
    """Which rule wants the row; for a bar, how many words it holds and how many it needs (0: it is no bar); and how
    far it reaches: `above`, `below` or nothing, which is all that a bar of too few words has."""

    rule: Rule
    words: int = 0
    needs: int = 0
    reach: str = ""


class _Matchers(NamedTuple):
    lines: dict[str, Rule]
    patterns: Patterns
    words: Words
    phrases: Phrases
    shapes: Shapes
    of_prose: ProseTelltales


@cache
def _matchers(where: str) -> _Matchers:
    """The rules for rows in the `article` (those with where = "anywhere"), in the `head` or in the `tail`."""
    places = {"article": ("anywhere",), "head": ("anywhere", "edge", "head"), "tail": ("anywhere", "edge", "tail")}
    places["both"] = ("anywhere", "edge", "head", "tail")
    rules = [rule for rule in load("chrome") if rule.where in places[where]]
    lines = {squeeze(phrase): rule for rule in reversed(rules) for phrase in rule.line}
    patterns = Patterns(rule for rule in rules if rule.pattern)
    words = Words([rule for rule in rules if rule.words])
    phrases = Phrases(rules)
    return _Matchers(lines, patterns, words, phrases, Shapes(rules), ProseTelltales(patterns, phrases))


def propose(text: str, config: Config) -> Iterator[Edit]:
    """Yields the removals of chrome, one or more edits a row; a site's name among buttons is lifted as `site`."""
    page = read(text)
    found = _find(page, _previewed.pop(text, None))
    if found:
        yield from _edits(text, page, found)


def preview(texts: Sequence[str]) -> None:
    """Looks for rows that rules may name in many texts at once, before `propose` is asked about each: that takes a
    fraction of the time, as most texts have none."""
    _previewed.clear()
    size = 0
    asked = []
    for text in texts:
        size += len(text) + ROW * text.count("\n")
        if size <= MOST_PREVIEWED:
            asked.append(text)
    _previewed.update(zip(asked, _preview([read(text) for text in asked]), strict=True))


def by_rules_alone(text: str) -> list[Edit]:
    """The removals that rules ask for.  Where they are done before the text is a seed of its own, as for HTML pages,
    the line classifier is not asked about what is left: elements are better evidence than the shape of rows."""
    page, _, sure = by_rules(read(text))
    return list(_edits(text, page, sure))


def _edits(text: str, page: Page, found: dict[int, Found]) -> Iterator[Edit]:
    rules: dict[int, tuple[str, bool]] = {}  # by identity: a row of thousands has the same
    for i in sorted(found):
        line, start, end, _ = page.rows[i]
        rule = found[i].rule
        if id(rule) not in rules:
            rules[id(rule)] = rule.id, "(?P<" in rule.pattern
        rule_id, may_lift = rules[id(rule)]
        end = min(end + 1, len(text))
        match = rule.compiled.fullmatch(fold(line).strip()) if may_lift else None
        if match is None:
            yield _edit(Edit, (start, text[start:end], "", rule_id, "", -1))
            continue
        shift = start + len(line) - len(line.lstrip())
        groups = [(name, *match.span(name)) for name in match.groupdict()]
        yield from lift(text, start, end, rule_id, [(f, a + shift, b + shift, rule_id) for f, a, b in groups])


def named(line: str) -> str:
    """The id of the rule that names a line, wherever on a page it stands; "" when none does for sure."""
    found = _match(Row(line, 0, len(line), -1), "both") if line.strip() else None
    return found.rule.id if found and not found.rule.weak and found.words >= found.needs else ""


def bars_of_buttons(lines: Iterable[str]) -> set[str]:
    """Those lines that are FEW_BUTTONS or more words of buttons and links (阅读 在看), or half of whose words are: too
    few to go from a text, enough where more is known about them.  Lines that no rule names are remembered."""
    page = Page([Row(line, 0, len(line), -1) for line in dict.fromkeys(lines)], 0, 0)
    asked = ((0, i) for i, row in enumerate(page.rows) if 0 < row.end <= LONGEST_BUTTONS)
    bars: set[str] = set()
    while these := list(islice(asked, TOGETHER)):
        named = {i for (_, i), _ in _some(these, [page], _rules_of)}
        bars.update(row.text for _, i in these if _is_bar_of_buttons(row := page.rows[i], i in named))
    return bars


def _is_bar_of_buttons(row: Row, is_named: bool) -> bool:
    found = _match(row, "both") if is_named else None
    if found is not None and found.words >= FEW_BUTTONS:
        return True
    words = row.text.split()
    return len(words) >= FEW_BUTTONS and 2 * sum(named(word) != "" for word in words) >= len(words)


def _find(page: Page, likely: Likely | None) -> dict[int, Found]:
    """What goes: row number -> why."""
    likely = likely or _preview([page])[0]
    if not likely.named:
        return {}  # no row is looked at any further
    page, candidates, sure = by_rules(page, (), likely)
    if page.first < page.last and sure:
        known = _parted(page, candidates, sure)
        if article_extent.may_remove(page, known):  # else no row needs to be kept from it
            known = known._replace(kept=_kept(page, candidates, sure, known.told))
            for i, reason in article_extent.decide(page, known).items():
                sure[i] = Found(_model_rule(reason))
    return sure


def by_rules(
    page: Page, without: Collection[str] = (), likely: Likely | None = None
) -> tuple[Page, dict[int, Found], dict[int, Found]]:
    """The page with its article's main stretch, the rows that rules name, and those among them and around them that
    go.  `without`: names of rules that count as unknown, to see a page as one of a site that no rule was made for.
    `likely`: what is known of the page's rows."""
    rows = page.rows
    likely = likely or _preview([page])[0]
    seen = {i: one for i, one in likely.named.items() if rows[i].score < 0 and one.rule.name not in without}
    scores = {
        i: -REACH_COST if one.rule.and_all else 0 for i, one in seen.items() if one.rule.and_all or _is_widget(one)
    }
    first, last = main_stretch(rows, scores) if scores else (page.first, page.last)
    page = metadata.without_headlines(_trimmed(Page(rows, first, last), likely))
    candidates: dict[int, Found] = {}
    around = (*range(page.first), *range(page.last, len(rows)))
    beyond = (i for i in around if rows[i].score > 0 and likely.may_name(i, rows[i]))
    for i in {*seen, *beyond}:
        place = _place(page, i)
        one = seen[i] if i in seen and place == "both" else _match(rows[i], place)
        if one and one.rule.name not in without:
            candidates[i] = one
    sure = _sure(rows, candidates)
    if page.first < page.last and sure:
        _take_first_rows(page, candidates, sure)
        _reach_up(rows, page.first, sure)
        _reach_down(page, sure)
    return page, candidates, sure


def _take_first_rows(page: Page, candidates: Mapping[int, Found], sure: dict[int, Found]) -> None:
    """On a page with chrome, a bar of links or a path through the site goes that is its very first row, or the second
    below a short name: nothing else vouches for it on a page that has no more navigation."""
    rows = page.rows[: min(page.first, FIRST_ROWS)]
    for i, row in enumerate(rows):
        text = row.text.strip()
        if i in sure:
            return
        if i in candidates and candidates[i].rule.and_all == "above":
            sure[i] = candidates[i]
            return
        if is_bar_of_words(text):
            sure[i] = Found(_named_rule("first_bar"))
            return
        if len(text) > LONGEST_SITE:
            return


def marks(page: Page, candidates: Collection[int], sure: Mapping[int, Found]) -> Marks:
    """What the line classifier is told about a page's rows."""
    known = _parted(page, candidates, sure)
    return known._replace(kept=_kept(page, candidates, sure, known.told))


def _parted(page: Page, candidates: Collection[int], sure: Mapping[int, Found]) -> Marks:
    """The same but for the rows that are kept: what parts the article from the rest of the page."""
    rows, first = page.rows, page.first
    told = {i for i in (*range(first), *range(page.last, len(rows))) if i not in sure and metadata.tells(rows[i].text)}
    told -= {i for i in told if i and metadata.asks_date(rows[i - 1].text) and i - 1 not in told}
    told |= metadata.told_above(page, sure)
    for i in range(first):
        told |= set(range(i, i + metadata.split_date(rows, i)))
    weak = {i for i in candidates if i not in sure}
    signs = told | {i for i in sure if not sure[i].rule.widget} | _closing_widgets(page, sure, told)
    begin = max((i for i in signs if i < first), default=-1) + 1
    title = next((i for i in range(begin, first) if i not in sure and _is_surely_title(rows[i])), 0)
    return Marks(sure, signs, weak, told, (), title)


def _kept(page: Page, candidates: Collection[int], sure: Mapping[int, Found], told: Collection[int]) -> Collection[int]:
    """The rows that stay whatever the line classifier says."""
    rows, first = page.rows, page.first
    others = [i for i, row in enumerate(rows) if row.score < 0 and i not in sure and len(row.text) <= LONGEST_BYLINE]
    named = [i for i in others if _names_people(rows[i].text.strip())]
    posts = metadata.posts(rows, sorted(i for i in told if i >= first and any(map(str.isdigit, rows[i].text))))
    thread = range(min(posts) - 1, min(max(posts) + 3, len(rows))) if posts else range(0)
    answers = _between_counters(page, sure)
    return {
        *named,
        *thread,
        *answers,
        *_verse(rows),
        *_fields(rows),
        *_figures(rows, sure),
        *_headlines(page, candidates, sure, told),
        *_asides(page, told),
    }


def _closing_widgets(page: Page, sure: Mapping[int, Found], told: Collection[int]) -> set[int]:
    """Below the prose, the first row of buttons that the article does not go on behind, and those below it."""
    last = page.last
    run = last
    while run < len(page.rows):
        if run in told or (run in sure and not sure[run].rule.widget):
            break
        if run in sure:
            behind = run + 1
            while behind in sure and sure[behind].rule.widget:
                behind += 1
            if not _goes_on(page, run, behind, sure, told):
                return {i for i in sure if i >= run}
            run = behind
        else:
            run += 1
    return set()


def _goes_on(page: Page, above: int, behind: int, gone: Collection[int], told: Collection[int]) -> bool:
    """Whether the article goes on behind buttons, rows[above:behind], below its main stretch of prose: there is prose
    once more, or a row about the article, they stand below a line that announces something, or below rows of its own
    like those that follow."""
    rows = page.rows
    end = next((i for i in range(behind, len(rows)) if i in gone or i in told), len(rows))
    if behind == end:
        return True  # nothing stands between these buttons and the next ones
    if any(row.score > 0 for row in rows[behind:end]) or end in told or rows[above - 1].text.rstrip()[-1:] in ":：":
        return True
    before = [rows[i] for i in range(max(page.last, above - MOST_BEFORE), above) if i not in gone and i not in told]
    sizes = [sum(len(row.text.strip()) for row in part) / max(1, len(part)) for part in (before, rows[behind:end])]
    return len(before) >= LEAST_SHORT_ROWS and max(sizes) <= MOST_UNLIKE * min(sizes) + SLACK


def _verse(rows: list[Row]) -> Iterator[int]:
    """The rows of classical verse: VERSE_ROWS or more, one below the other, of five or of seven letters each, and the
    row above them."""
    run: list[int] = []
    before = 0
    for i, row in enumerate(rows):
        size = sum(map(str.isalpha, row.text)) if len(row.text) <= LONGEST_LINK else 0
        if size != before:
            run = []
        before = size
        if size in (5, 7):
            run.append(i)
        if len(run) == VERSE_ROWS:
            yield from (max(0, run[0] - 1), *run)
        elif len(run) > VERSE_ROWS:
            yield i


def _fields(rows: list[Row]) -> Iterator[int]:
    """The rows of a table of FIELDS or more labels, each with its value in the row below it."""
    last = -2
    pairs: list[int] = []
    for i in range(len(rows) - 1):
        text = rows[i].text.strip()
        if len(text) > LONGEST_LINK or text[-1] not in ":：" or rows[i + 1].text.rstrip()[-1] in ":：":
            continue
        pairs = [*pairs, i] if i == last + 2 else [i]
        last = i
        if len(pairs) >= FIELDS:
            for k in pairs if len(pairs) == FIELDS else pairs[-1:]:
                yield from (k, k + 1)


def _figures(rows: list[Row], gone: Collection[int]) -> Iterator[int]:
    """The rows of every run, between rows that go and prose, in which so many cells are figures that it is a table."""
    run: list[int] = []
    for i, row in enumerate(rows):
        if i in gone or row.score > 0:
            yield from run if _is_table(rows, run) else ()
            run = []
        else:
            run.append(i)
    yield from run if _is_table(rows, run) else ()


def _asides(page: Page, told: Collection[int]) -> Iterator[int]:
    """A row in round brackets under the article: （此件公开发布）, also below the day when it was signed."""
    for i in range(page.last, len(page.rows)):
        if _ASIDE.fullmatch(page.rows[i].text.strip()):
            yield i
        elif i not in told:
            break


_ASIDE = re.compile("[（(][一-龥，、：《》]{3,30}[）)]")


def _is_table(rows: list[Row], run: list[int]) -> bool:
    return sum(_FIGURE.search(rows[i].text) is not None for i in run) >= FIGURES


_FIGURE = re.compile(r"\d(?<![\d:.].)\d*(?:\.\d+|(?:,\d{3})+|[%％元亩吨])(?![\d.:])")


def _names_people(text: str) -> bool:
    return names.is_byline(text) or names.is_credit(text)


def _above_widgets(rows: list[Row], first: int, gone: Mapping[int, Found]) -> Iterator[int]:
    """The rows right above buttons that stand below the navigation, if they may be the headline."""
    begin = max((i for i in gone if i < first and not gone[i].rule.widget), default=-1) + 1
    for i in range(begin + 1, first):
        if i in gone and i - 1 not in gone and _may_be_short_title(rows[i - 1]):
            yield i - 1


def _headlines(
    page: Page, candidates: Collection[int], gone: Mapping[int, Found], told: Collection[int]
) -> Iterator[int]:
    """The rows that may be the headline: the likeliest one, and those right above a row about the article, or the
    first row that is long enough if there is none; and the first line of each if it has two."""
    rows = page.rows
    found = [i - 1 for i in told if 0 < i < page.first and i - 1 not in gone and i - 1 not in told]
    found += [above for i in found if (above := _above_bylines(rows, i)) < i and above not in gone]
    found = [i for i in found if _may_be_short_title(rows[i])]
    if not found:
        first = next((i for i in range(page.first) if i not in gone), page.first)
        found = [first] if first < page.first and _is_long_title(rows[first]) else []
    if not found:
        # without a date: right above the buttons that stand over the article
        begin = max((i for i in gone if i < page.first), default=-1) + 1
        above = next((i for i in range(begin - 1, -1, -1) if i not in gone), -1)
        if above >= 0 and not any(_is_long_title(rows[i]) for i in range(begin, page.first)):
            found = [above] if _may_be_short_title(rows[above]) else []
    path = max((i for i in gone if i < page.first and gone[i].reach == "above"), default=-1)
    if not found and path >= 0 and gone[path].rule.name.startswith("breadcrumb"):
        yield from (i for i in (path + 1,) if i < page.first and i not in gone and _may_be_short_title(rows[i]))
    for i in (_headline(rows, page.first, candidates), *found, *_above_widgets(rows, page.first, gone)):
        yield i
        if i > 0 and (_is_long_title(rows[i - 1]) or _is_name_below(rows, i, gone)):
            yield i - 1
        if i + 1 < page.first and _is_name(rows[i + 1].text.strip()):
            yield i + 1  # below the headline
    yield from (i for i in range(page.first - 1) if rows[i + 1].text.lstrip().startswith(("——", "--")))


def _above_bylines(rows: list[Row], i: int) -> int:
    """The row above the bylines and the rows of a card (朝代：唐代) that end in row i; i if it is none."""
    while i > 0 and (_names_people(rows[i].text.strip()) or metadata.begins_card(rows[i].text)):
        i -= 1
    return i


def _is_name(text: str) -> bool:
    """Names of people, or of the department that writes (蒙组宣)."""
    return all(map(names.is_person, text.split())) or (len(text) <= LONGEST_DEPARTMENT and names.is_department(text))


def _is_name_below(rows: list[Row], i: int, gone: Collection[int]) -> bool:
    """True if the row may be a name between the headline and the date: the row above it reads more like a headline."""
    return i - 1 not in gone and _may_be_title(rows[i - 1]) and len(rows[i - 1].text) > len(rows[i].text)


def _is_long_title(row: Row) -> bool:
    return _may_be_title(row) and _reads_as_headline(row)


def _is_surely_title(row: Row) -> bool:
    """The same, and it is no line of another language: 'Excuse me 打扰一下'."""
    letters = sum(map(str.isalpha, row.text))
    return _is_long_title(row) and 2 * len(_HAN.findall(row.text)) >= letters


_HAN = re.compile("[一-龥]")


def _place(page: Page, i: int) -> str:
    if page.first == page.last:
        return "both"
    return "head" if i < page.first else "tail" if i >= page.last else "article"


class Likely(NamedTuple):
    """What a preview tells of a page's rows, by number.

    named  rows that some rule names, wherever on a page they stand, sorted
    asked  the rows of prose that were looked at: of others nothing is known
    """

    named: dict[int, Found]
    asked: set[int]

    def may_name(self, i: int, row: Row) -> bool:
        """False for a row that no rule names."""
        return i in self.named or (row.score > 0 and i not in self.asked)


_previewed: dict[str, Likely] = {}


def _preview(pages: Sequence[Page]) -> list[Likely]:
    """What rules name on pages, as far as that is plain.  Rows are folded and put to the test together: there may be
    a million, and most are none."""
    found = [Likely({}, set(_at_edges(page))) for page in pages]
    prose = {
        (number, i)  # of the page, of the row
        for number, (page, likely) in enumerate(zip(pages, found, strict=True))
        for i in likely.asked
        if len(page.rows[i].text) > LONG and STOP in page.rows[i].text
    }
    others = (
        (number, i)
        for number, (page, likely) in enumerate(zip(pages, found, strict=True))
        for i, row in enumerate(page.rows)
        if row[3] < 0 or (i in likely.asked and (number, i) not in prose)
    )
    while these := list(islice(others, TOGETHER)):
        _name(_some(these, pages, _rules_of), pages, found)
    _name(_some(list(prose), pages, _may_name_prose), pages, found)
    for number in {number for number, _ in prose}:
        rows = sorted(found[number].named.items())
        found[number].named.clear()
        found[number].named.update(rows)
    return found


TOGETHER = 20_000
"""So many rows are looked at at once: what is made of each takes hundreds of bytes."""


def _name(some: Iterable[tuple[tuple[int, int], Told | None]], pages: Sequence[Page], found: Sequence[Likely]) -> None:
    """Notes what rules name of these rows."""
    for (number, i), told in some:
        one = _match(pages[number].rows[i], "both") if told is None or told[1] else told[0]
        if one is not None:
            found[number].named[i] = one


Told = tuple["Found | None", bool]
"""The rule for a folded row, and whether it may be a bar by mistake that tells about the article."""


def _some(
    asked: list[tuple[int, int]],
    pages: Sequence[Page],
    test: Callable[[list[str]], Mapping[int, Told | None]],
) -> Iterator[tuple[tuple[int, int], Told | None]]:
    """Those that pass the test, of rows that are no longer than LONGEST_LINE, and what it says of them.

    test   what rules say of folded lines, by number; None: they may name it"""
    lines = [pages[number].rows[i].text.strip() for number, i in asked]
    new = [k for k, line in enumerate(lines) if line not in _unnamed and len(line) <= LONGEST_LINE]
    if new:
        folded = list(map(str.strip, fold("\n".join([lines[k] for k in new])).split("\n")))
        unknown = [n for n, line in enumerate(folded) if line not in _unnamed]  # 1，2 after 1,2
        found = test([folded[n] for n in unknown]) if unknown else {}
        told = {unknown[n]: one for n, one in found.items()}
        others = {lines[k]: None for n, k in enumerate(new) if n not in told}
        if sum(map(len, others)) <= remembered.MOST:
            _unnamed.update(others)
        yield from ((asked[new[n]], told[n]) for n in told)


# lines that no rule names: they are looked at again when the documents settle
_unnamed: remembered.Remembered[str, None] = remembered.Remembered(len)


def _rules_of(folded: list[str]) -> dict[int, Told | None]:
    """What rules say of the lines that they name."""
    shape_of = _matchers("both").shapes.of
    shapes = list(map(shape_of, folded))
    told = {shape: _told(shape, "both") for shape in dict.fromkeys(shapes)}
    return {n: told[shape] for n, shape in enumerate(shapes) if told[shape][0] is not None}


def _may_name_prose(folded: list[str]) -> dict[int, Told | None]:
    return dict.fromkeys(_matchers("both").of_prose.may_name(folded))


def _at_edges(page: Page) -> Iterator[int]:
    """The rows of prose that rules are asked about while they name none: beyond the main stretch, and at its ends, as
    far as _trimmed looks at these."""
    rows, first, last = page.rows, page.first, page.last
    yield from (i for i in (*range(first), *range(last, len(rows))) if rows[i].score > 0)
    most = page.prose * MOST_TRIMMED
    for ends in (range(last - 1, max(first, last - 1 - EDGE_ROWS), -1), range(first, min(last, first + EDGE_ROWS))):
        passed = 0
        for i in ends:
            if rows[i].score > 0:
                yield i
                passed += rows[i].score
                if passed > most:
                    break


def _match(row: Row, where: str) -> Found | None:
    bare = row.text.strip()
    if len(bare) > (LONGEST_BUTTONS if where == "article" else LONGEST_LINE):
        return None
    return _match_bare(bare, where)


@lru_cache(1 << 15)  # a batch's rows at the edges of articles: they are asked about again when the documents settle
def _match_bare(bare: str, where: str) -> Found | None:
    folded = fold(bare).strip()
    found, may_tell = _match_folded(folded, where)
    # 2019-10-08 09:52 is no bar of dashes, 日期：2019-10-08 字号：大 中 小 none of buttons
    return None if may_tell and metadata.tells(bare) else found


def _told(folded: str, where: str) -> Told:
    lower = folded.lower()
    is_prose = len(folded) > LONG and STOP in folded  # and no line and no word of a rule is
    squeezed = "" if is_prose else "".join(lower.split())
    lines, patterns, words, phrases, *_ = _matchers(where)
    rule = lines.get(squeezed) or lines.get(squeezed.strip("[]【】()<>|·•+:"))
    rule = rule or phrases.find(lower) or patterns.find(folded)
    if rule:
        return Found(rule), False
    bar = words.split(squeezed) or words.bar(lower)
    if not bar:
        return None, False
    squeezed = squeezed or "".join(lower.split())
    # the rule of most words names the bar, the easiest one decides how many are needed
    most = max(bar, key=lambda r: (bar.count(r), -r.at_least))
    needs = min(r.at_least for r in bar)
    starts_home = _HOME_BAR.match(lower) is not None and len(bar) > 1  # with sections of the site's own behind it
    may_tell = squeezed[0].isdigit() or _DAY.search(squeezed) is not None
    return Found(most, max(needs, len(bar)) if starts_home else len(bar), needs), may_tell


def _match_folded(folded: str, where: str) -> Told:
    if len(folded) > LONG:
        return _told(folded, where)
    return _told_shape(_matchers(where).shapes.of(folded), where)


_told_shape = lru_cache(1 << 14)(_told)  # most rows that were changed are the same when they are folded

_DAY = re.compile(r"(?:19|20)\d\d[-./年]\d{1,2}[-./月]\d")

_HOME_BAR = re.compile(r"(?:网站)?首 ?页(?: {1,3}| ?[|·] ?)(?:[^ |·,。!?;]{2,6}(?: {1,3}| ?[|·] ?)){2}")


def _trimmed(page: Page, likely: Likely) -> Page:
    """The page with a main stretch without rows at its ends that are chrome: a disclaimer reads like prose."""
    rows, first, last = page.rows, page.first, page.last
    most = page.prose * MOST_TRIMMED
    passed = 0
    for i in range(page.last - 1, max(page.first, page.last - 1 - EDGE_ROWS), -1):
        if likely.may_name(i, rows[i]) and _match(rows[i], "tail"):
            last = i
        else:
            passed += max(0, rows[i].score)
        if passed > most:
            break
    passed = 0
    for i in range(page.first, min(last, page.first + EDGE_ROWS)):
        if likely.may_name(i, rows[i]) and _match(rows[i], "head"):
            first = i + 1
        else:
            passed += max(0, rows[i].score)
        if passed > most:
            break
    return Page(page.rows, first, last)


def _sure(rows: list[Row], candidates: dict[int, Found]) -> dict[int, Found]:
    """The candidates of strong rules, and the weak ones that touch them. Bars of too few words do not count."""
    cells = set(_cells(candidates))
    sure: dict[int, Found] = {}
    run: list[int] = []
    for i in [*sorted(candidates.keys() - cells), len(rows) + 1]:
        if run and i != run[-1] + 1:
            _settle_run(run[_contacts(rows, run, candidates) :], candidates, sure)
            run = []
        run.append(i)
    return sure


def _contacts(rows: list[Row], run: list[int], candidates: Mapping[int, Found]) -> int:
    """How many rows of addresses the run begins with, if the row above names whose they are: 采购人：…"""
    if not run[0] or not _LABELLED.match(rows[run[0] - 1].text):
        return 0
    return next((n for n, i in enumerate(run) if candidates[i].rule.name != "address"), len(run))


_LABELLED = re.compile(
    r"\s{0,8}+\S{0,4}(?:采购人|采购单位|招标人|招标单位|代理机构|联系人|联系单位|供应商|供应商名称|中标人|报名地点|名称)[:：]"
)


def _cells(candidates: dict[int, Found]) -> Iterator[int]:
    """Numbers without buttons on either side, of which so many stand close together that they are a table's, and
    those at its edge, beside buttons."""
    numbers = [i for i in sorted(candidates) if candidates[i].rule.name == "lone_number"]
    free = {i for i in numbers if i - 1 not in candidates and i + 1 not in candidates}
    close = {i + step for i in free for step in (*range(-CELL_REACH, 0), *range(1, CELL_REACH + 1))}
    yield from filter(close.__contains__, numbers)


def _settle_run(run: list[int], candidates: dict[int, Found], sure: dict[int, Found]) -> None:
    """Neighbouring candidates: words are counted over neighbouring bars, but a word alone counts for nothing beside
    buttons if it is none itself: 常见问题 below 收藏 may be a heading."""
    bars = [i for i in run if candidates[i].words]
    alone = {i for i in bars if candidates[i].words == 1 and not candidates[i].rule.widget}
    total = sum(candidates[i].words for i in bars)
    total_alone = sum(candidates[i].words for i in bars if not candidates[i].rule.widget)
    full = {
        i for i in bars if (total_alone if i in alone else total) >= candidates[i].needs and not candidates[i].rule.weak
    }
    strong = {i for i in run if i in full or not (candidates[i].words or candidates[i].rule.weak)}
    if not strong:
        return
    beside_buttons = all(candidates[i].rule.widget for i in strong)
    for i in run:
        if not (beside_buttons and i in alone):
            one = candidates[i]
            reach = one.rule.and_all if not one.words or i in full else ""
            sure[i] = one if one.reach == reach else one._replace(reach=reach)


def _is_widget(found: Found) -> bool:
    """True for buttons that may stand inside of an article, by themselves."""
    return found.rule.widget and not found.rule.weak and found.words >= found.needs


def _reach_up(rows: list[Row], first: int, sure: dict[int, Found]) -> None:
    """Everything above the lowest row that says so goes too."""
    anchors = [i for i in sure if i < first and sure[i].reach == "above"]
    if not anchors:
        return
    lowest = max(anchors)
    headlines = [i for i in range(first) if i not in sure and _reads_as_headline(rows[i])]
    # the headline stands below the navigation, else it is the last headline above
    headlines = [i for i in headlines if not metadata.tells(rows[i].text)]
    kept = [] if any(i > lowest for i in headlines) else headlines[-1:]
    for i in range(lowest):
        if i not in sure and i not in kept and not metadata.tells(rows[i].text):
            sure[i] = Found(sure[lowest].rule)


def _reach_down(page: Page, sure: dict[int, Found]) -> None:
    """Everything below the highest row that says so goes too."""
    rows, last = page.rows, page.last
    tail = sorted(i for i in sure if i >= last)
    anchors = [i for i in tail if sure[i].reach == "below"]
    posts = _between_counters(page, sure)
    if posts:  # what stands between them is no end of the page
        last = posts.stop
        tail = [i for i in tail if i >= last]
        anchors = [i for i in anchors if i >= last]
    highest = min(anchors, default=-1)
    has_footer = len({sure[i].rule.name for i in anchors}) >= FOOTER_RULES
    if has_footer:
        # above a footer, the first row that stands in no article already ends it
        highest = next((i for i in tail if not sure[i].rule.widget), highest)
    # and so does the line of its editor, if anything at all is chrome below it
    until = highest if highest >= 0 else max(tail, default=last)
    highest = next((i for i in range(last, until) if metadata.ends_article(rows[i].text)), highest)
    if highest < 0:
        return
    below = [row.score for i, row in enumerate(rows[highest + 1 :], highest + 1) if i not in sure]
    prose = [score for score in below if score > 0]
    if not has_footer and 2 * len(prose) > len(below):
        return  # that is the next chapter
    if sum(prose) > page.prose * (MOST_PROSE_BELOW_SURE if has_footer else MOST_PROSE_BELOW):
        return
    rule = sure[highest if highest in sure else tail[-1]].rule
    for i in range(highest + 1, len(rows)):
        if i not in sure and not metadata.tells(rows[i].text):
            sure[i] = Found(rule)


def _between_counters(page: Page, gone: Mapping[int, Found]) -> range:
    """From the first to the last counter (203 条评论, 56 条评论) below the main stretch of prose, if the same rule
    names several with prose between them: a page of several posts, each with its own. Else an empty range."""
    rows = page.rows
    seen: dict[str, int] = {}
    pairs: list[tuple[int, int]] = []
    for i in sorted(i for i in gone if i >= page.last and _COUNTS.search(rows[i].text)):
        above = seen.get(gone[i].rule.name, i)
        if any(row.score > 0 for row in rows[above:i]):
            pairs.append((above, i))
        seen[gone[i].rule.name] = i
    return range(pairs[0][0], pairs[-1][1]) if pairs else range(0)


_COUNTS = re.compile(r"\d ?[万次人条个]")


def _model_rule(reason: str) -> Rule:
    """A rule in whose name the classifier removes a row."""
    return _named_rule(f"line_model.{reason}")


@cache
def _named_rule(name: str) -> Rule:
    return replace(load("chrome")[0], name=name, pattern="")


def _headline(rows: list[Row], first: int, candidates: Collection[int]) -> int:
    """The row that is most likely the headline: the last one above the article that no rule wants, that is neither
    short nor a byline, and that tells nothing about the article."""
    for i in range(first - 1, -1, -1):
        if i not in candidates and _may_be_title(rows[i]):
            return i
    return first


def _reads_as_headline(row: Row) -> bool:
    """True for prose, for what tells about the article, and for a row that is too long for a link."""
    text = row.text.strip()
    if row.score > 0 or metadata.tells(text):
        return True
    return len(text) > LONGEST_LINK and not (
        _is_links(text) or text.isascii() or text[0] in _BULLETS or COUNTED.search(text)
    )


def _is_links(text: str) -> bool:
    """True for a bar of links; a headline may have two spaces, and more between words of other lengths."""
    return is_bar(text.replace(" ", "", 2)) or is_bar_of_words(text)


_BULLETS = "•·●▪■◆›»>-"


def _may_be_short_title(row: Row) -> bool:
    """True also for a title of two letters: 讣告."""
    text = row.text.strip()
    return _may_be_title(row) or (2 <= len(text) <= 5 and text.isalpha() and not text.isascii())


def _may_be_title(row: Row) -> bool:
    text = row.text.strip()
    if not 5 <= len(text) <= LONGEST_TITLE or text.endswith("。") or _is_links(text):
        return False
    return sum(map(str.isalpha, text)) >= SHORTEST_TITLE and not metadata.tells(text) and not names.is_byline(text)
