"""Line splits: sentences that were cut by a page, a column or a line of fixed width are put together again.

Lines of a fixed width are joined first (see hard_wraps.py). Of the paragraphs that remain, one that ends inside
a sentence may go on in one of the next three: a headline, a caption or a page number in between is moved in front
of the joined paragraph. A model says how likely that is (see joints.py); in doubt nothing is joined.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from .config import Config
from .edits import Edit
from .hard_wraps import CLOSED, ENDS, FEWEST_BROKEN, NARROWEST, Unit, are_wrapped, ends_sentence, units, wrapped_pairs
from .ignored import MARGINS, NOTHING_LEFT
from .joint_choices import FirstHalves, Weighed, log_odds
from .joint_rounds import COPY_REACH, HEAD_REACH, NEW, SHORTEST_COPY, Found, Rounds
from .joints import CLAUSE, HAN, KINDS, LONG_PROSE, PAUSES, PROSE, Joint, evidence, kind_of, reads_layout, shape_of
from .likely_halves import LikelyJoint, firsts_of, likely_joints

JOIN, MOVE, BYLINE = "line_splits.join", "line_splits.move", "line_splits.byline"

# Log-odds of a joint, at least, by the kind of the line that would be the first half. A headline is much more
# frequent than a short first half, but less so on a page where prose is cut.
ACCEPTED = {"prose": 0.75, "clause": 1.0, "bare": 3.5}
ACCEPTED_IF_CUT = {"prose": 0.5, "clause": 0.5, "bare": 1.5}
ACCEPTED_AFTER_COMMA = 0.0  # after a line of prose: it goes on somewhere
# What a text begins with is its headline much more often than a sentence that is cut after so few characters. On
# 13 headlines with a comma above 5 leads, the odds of a joint were at most 2.6; the usual limit glued 28 of 65.
ACCEPTED_ON_TOP = 3.25
LONGEST_HEADLINE = 26  # characters
FIRST_UNITS = 6
# No kind of first half is ever joined below this.
LEAST = {kind: min(ACCEPTED_AFTER_COMMA, odds) if kind == "prose" else odds for kind, odds in ACCEPTED_IF_CUT.items()}
LOWEST = min(LEAST.values())
MANY = 80  # first halves: for fewer of them it takes longer to fill columns than to ask one by one
MOST_ROUNDS = 12  # a joined paragraph may go on; every round joins at least two

# A text of more lines that are short and end inside a sentence, nearly all of them, is a table or subtitles rather than
# prose (a cut book has less), and asking about each line costs five times what prose does. It is judged as a whole.
MOST_SHORT_OPEN = 50_000
NEARLY_ALL = 0.9

FEWEST_FOREIGN = 2  # lines without a Chinese character that show damage: a single one is a line of code or an address

LONGEST_PREVIEWED = 1 << 16  # characters of a text that is read with others
MOST_PREVIEWED, LINE = 1 << 21, 100  # characters of all of these; a line counts as LINE more: its unit takes memory

MISREAD_SIGNS = ("\ufffd", "锟", "烫烫", "屯屯")
MISREAD = re.compile("|".join(MISREAD_SIGNS))
JOINT_WIDTH = 12  # characters on each side

LONGEST_BYLINE = 40  # characters
SHORT_ROLE = "(?:记者|記者|通讯员|通訊員|实习生|實習生|见习记者|見習記者|特约记者|特約記者|本报记者|本報記者)"
NAMES = r"(?:[ \u3000]+[\u3400-\u9fff·]{2,5}){1,6}"
BYLINE_HEAD = re.compile(rf"(?:[\u3400-\u9fff]{{2,4}})?{SHORT_ROLE}{NAMES}$")
BYLINE_TAIL = re.compile(r"(?:实习生|實習生|通讯员|通訊員|见习记者|見習記者|特约记者|特約記者)" + NAMES + "$")
BYLINE_TAIL_STARTS = "实實通见見特"
CREDIT_HEAD = re.compile(rf"(?:本报|本報)?{SHORT_ROLE}$")
CREDIT_TAIL = re.compile(r"[\u3400-\u9fff·]{2,5}[ \u3000]+(?:[\u3400-\u9fff·]{2,5}[ \u3000]+)*[摄攝]$")
CREDIT_TAIL_ENDS = "摄攝"

WIDE = "\u2e80"  # the first character that is as wide as Chinese ones
WORD = re.compile("[A-Za-z]+")
SPACED = re.compile("[\u3400-\u9fff] [A-Za-z0-9]|[A-Za-z0-9] [\u3400-\u9fff]")
TOUCHING = re.compile("[\u3400-\u9fff][A-Za-z0-9]|[A-Za-z0-9][\u3400-\u9fff]")
LONG_HAN = re.compile("[\u3400-\u9fff]{3,}")
VOWEL = re.compile("[aeiouyAEIOUY]")
STYLE_SAMPLE = 50_000  # characters


def propose(text: str, config: Config) -> Generator[Edit, None, str]:
    """Yields an edit for each line break inside a sentence, and two for each line that stood inside one.

    Gaps between lines matter to joints, but on most pages the lines themselves tell that there is none, or no more of
    them."""
    if text in _previewed:
        page = _previewed.pop(text)
    else:
        first_look = _look(text)
        page = first_look and _page(first_look)
        if page:
            _join([page])
    if page is None:
        return MARGINS
    edits = page.edits()
    yield from edits
    if not page.is_done():
        return ""
    return MARGINS + NOTHING_LEFT if edits else MARGINS


_previewed: dict[str, _Page | None] = {}


def preview(texts: Sequence[str]) -> None:
    """Reads many texts, before `propose` is asked about each: their halves are joined together."""
    _previewed.clear()
    looks: dict[str, _Look | None] = {}
    size = 0
    for text in texts:
        more = len(text) + LINE * text.count("\n")
        if len(text) <= LONGEST_PREVIEWED and size + more <= MOST_PREVIEWED:
            looks[text] = _look(text)
            size += more
    evidence([pair for one in looks.values() if one for _, pair in one.likely or ()])  # which is remembered
    found = {text: one and _page(one) for text, one in looks.items()}
    _join([page for page in found.values() if page])
    _previewed.update(found)


def _join(pages: Sequence[_Page]) -> None:
    """Joins what belongs together on each page."""
    for page in pages:
        page.join_wraps()
    for page in pages:
        page.join_bylines()
    pages = [page for page in pages if not page.judge_long_list()]
    if reads_layout() or sum([sum(page.are_firsts(page.whole)) for page in pages]) < MANY:
        for page in pages:
            page.join_cuts()
    elif pages:
        _join_cuts(pages)


def _join_cuts(pages: Sequence[_Page]) -> None:
    """Joins the halves of cut sentences, until a round finds no more: `_Page.join_cuts` of many pages together."""
    rounds = Rounds(pages)
    least = np.array([LEAST[kind] for kind in KINDS])
    for _ in range(MOST_ROUNDS):
        left: list[tuple[_Page, int, list[int]]] = []
        for number, (page, likely) in enumerate(zip(pages, rounds.likely(least, LOWEST), strict=True)):
            kept = page.join_likely(likely)
            if kept:
                left.append((page, number, kept))
        if not left:
            return
        pages = [page for page, _, _ in left]
        rounds.go_on(pages, [number for _, number, _ in left], [kept for _, _, kept in left])


class _Look(NamedTuple):
    """A text with open lines.

    are_open  for each line whether it ends inside a sentence
    likely    on a page without damage: joints that may be some
    """

    text: str
    are_open: list[bool]
    likely: list[LikelyJoint] | None


def _look(text: str) -> _Look | None:
    """None where nothing can be joined."""
    with_margins = text.split("\n")
    lines = [line for line in map(str.strip, with_margins) if line]
    are_open = _are_open(lines)
    open_lines = [i for i, is_open in enumerate(are_open[:-1]) if is_open]
    if not open_lines:
        return None
    if is_long_list(lines, are_open) and 2 * max(map(len, with_margins)) < NARROWEST and not _half_bylines(lines):
        return None
    likely = None if _is_damaged(lines, open_lines) else likely_joints(lines, open_lines)
    return None if likely == [] else _Look(text, are_open, likely)


def _page(look: _Look) -> _Page | None:
    """The page of a text, None where nothing can be joined."""
    firsts = None if look.likely is None else firsts_of(look.likely)
    return None if firsts == [] else _Page(look.text, look.are_open, firsts)


def _is_damaged(lines: Sequence[str], open_lines: Sequence[int]) -> bool:
    """Cheap, and false for most pages where nothing is cut: their open lines are headlines."""
    together = "\n".join([lines[i] for i in open_lines])
    if CLAUSE.search(together) or "、" in together:
        cut = [i for i in open_lines if len(lines[i]) >= PROSE and kind_of(lines[i]) != "bare"]
        if len(cut) >= FEWEST_FOREIGN or any(HAN.search(lines[i]) for i in cut):
            return True
        if sum(CLAUSE.search(lines[i]) is not None for i in open_lines) >= FEWEST_BROKEN:
            return True
    return bool(_half_bylines(lines))


def _half_bylines(lines: Sequence[str]) -> list[int]:
    """Numbers of the lines that are a byline together with the next one, or a credit whose role and name stand on two
    lines."""
    starts, ends = BYLINE_TAIL_STARTS, CREDIT_TAIL_ENDS
    seconds = [i for i, line in enumerate(lines) if line[0] in starts or line[-1] in ends]
    return [i - 1 for i in seconds if i and _is_half_byline(lines[i - 1], lines[i])]


def _is_half_byline(one: str, two: str) -> bool:
    if len(one) > LONGEST_BYLINE or len(two) > LONGEST_BYLINE:
        return False
    if BYLINE_HEAD.match(one) and BYLINE_TAIL.match(two):
        return True
    return bool(CREDIT_HEAD.match(one) and CREDIT_TAIL.match(two))


def is_long_list(lines: Sequence[str], are_open: Sequence[bool] | None = None) -> bool:
    """Are these short lines that end inside a sentence, more than can be asked about one by one?

    are_open   for each line whether it ends so, where that is known"""
    if len(lines) <= MOST_SHORT_OPEN:
        return False
    known = are_open or _are_open(lines)
    found = sum([is_open and len(line) < LONG_PROSE for line, is_open in zip(lines, known, strict=True)])
    return found > MOST_SHORT_OPEN and found >= NEARLY_ALL * len(lines)


def _are_open(lines: Sequence[str]) -> list[bool]:
    """For each line whether it ends inside a sentence."""
    return [(end := line[-1]) not in ENDS and (end not in CLOSED or not ends_sentence(line)) for line in lines]


class _Page:
    """The paragraphs of a text, each a chain of line numbers, in their new order."""

    def __init__(self, text: str, are_open: Iterable[bool] | None = None, firsts: Sequence[int] | None = None) -> None:
        """are_open: for each line whether it ends inside a sentence, where that is known.  firsts: numbers of the lines
        that may be first halves of cut sentences; None: all."""
        self.text = text
        self.lines = lines = units(text, are_open)
        self.firsts = None if firsts is None else {lines[i].start for i in firsts}
        self.chains: list[list[int]] = [[i] for i in range(len(lines))]
        self.whole: list[Unit] = list(lines)
        self.moved: set[int] = set()  # lines that were moved
        # line number -> rule that joined it to the line before it, if it is not JOIN, and what now stands between the
        # two, if that is not nothing
        self.rules: dict[int, str] = {}
        self.glues: dict[int, str] = {}
        self.is_cut = False  # is there a cut line of prose?
        self.is_wrapped = False  # is there a width that lines were broken at?
        # did the last round find no joint, and would a new look find none that it was not asked about?
        self.is_searched = False

    def join_wraps(self) -> None:
        """Joins lines of a fixed width."""
        pairs = wrapped_pairs(self.lines)
        self.is_wrapped = pairs is not None
        if pairs:
            self._join([Joint(i, i + 1) for i in pairs], JOIN)

    def join_bylines(self) -> None:
        """A byline of two lines, and a credit whose role and name stand on two lines."""
        halves = _half_bylines([unit.text for unit in self.whole])
        found = [Joint(i, i + 1) for i in halves if self.whole[i + 1].gap == 1]
        if found:
            self._join(found, BYLINE)

    def join_cuts(self) -> None:
        """Joins the halves of cut sentences, until a round finds no more."""
        halves = FirstHalves()
        for _ in range(MOST_ROUNDS):
            if not self.join_likely(self._likely(halves)):
                return

    def join_likely(self, likely: Sequence[Found]) -> list[int]:
        """Joins those joints that are likely enough and do not contradict one another. Returns, for all units then, the
        numbers that they had before, NEW for joined ones; nothing if none was joined.

        likely  of all allowed ones those with log-odds of LOWEST"""
        joints = self._chosen(likely)
        if joints:
            return self._join(joints, JOIN)
        # a new look at other lines may choose other first halves
        self.is_searched = (self.firsts is None or len(self.whole) == len(self.lines)) and not reads_layout()
        return []

    def judge_long_list(self) -> bool:
        """See `is_long_list`: what is one stays one, whatever gaps it has."""
        self.is_searched = is_long_list([unit.text for unit in self.whole], [unit.is_open for unit in self.whole])
        return self.is_searched

    def are_firsts(self, units: Iterable[Unit]) -> list[bool]:
        """Which units may be first halves of cut sentences?"""
        firsts = self.firsts
        return [unit.is_open and (firsts is None or unit.start in firsts) for unit in units]

    def is_done(self) -> bool:
        """Is it certain that there is nothing to join in what has been made of the page, whatever gaps and indents it
        has? The last round, which found nothing, was asked about all that a new look would ask about, if no line was
        moved."""
        if not self.is_searched or self.moved:
            return False
        whole = self.whole
        if _half_bylines([unit.text for unit in whole]):
            return False
        if sum([unit.is_open for unit in whole]) < FEWEST_BROKEN:
            return True
        if self.is_wrapped if len(whole) == len(self.lines) else are_wrapped(whole):
            return False
        return not any(unit.indent for unit in whole) or not are_wrapped(whole, has_indents=False)

    def _likely(self, halves: FirstHalves) -> list[Found]:
        """All allowed joints with log-odds of LOWEST."""
        firsts = [i for i, is_first in enumerate(self.are_firsts(self.whole)) if is_first]
        utilities = halves.utilities(self.whole, firsts, shape_of(self.whole), LEAST)
        return [
            Found(joint, odds, halves.side(self.whole[joint.i].text).kind)
            for allowed in self._allowed(utilities)
            for (joint, _), odds in zip(allowed, log_odds([own for _, own in allowed]), strict=True)
            if odds >= LOWEST
        ]

    def _chosen(self, found: Sequence[Found]) -> list[Joint]:
        """The likeliest joints that do not contradict one another, in the order of the page."""
        self.is_cut |= any(one.odds >= ACCEPTED["prose"] and one.kind == "prose" for one in found)
        likely = [one for one in found if one.odds >= self._least(one.joint, one.kind)]
        begun: set[int] = set()
        gone_on: set[int] = set()
        jumped: set[int] = set()
        chosen = []
        for joint, _, _ in sorted(likely, key=lambda one: (-one.odds, one.joint)):
            between = range(joint.i + 1, joint.j)
            if joint.i in begun or joint.i in jumped or joint.j in gone_on or joint.j in jumped:
                continue
            if between and any(k in begun or k in gone_on or k in jumped for k in between):
                continue
            begun.add(joint.i)
            gone_on.add(joint.j)
            jumped.update(between)
            chosen.append(joint)
        return sorted(chosen)

    def _least(self, joint: Joint, kind: str) -> float:
        """Log-odds that a joint must have.  kind: of its first half"""
        if kind == "prose" and self.whole[joint.i].text[-1] in PAUSES:
            return ACCEPTED_AFTER_COMMA
        if self._may_be_headline(joint.i) and self.whole[joint.i].text[-1] not in PAUSES:
            return max(ACCEPTED[kind], ACCEPTED_ON_TOP)
        return (ACCEPTED_IF_CUT if self.is_cut else ACCEPTED)[kind]

    def _allowed(self, utilities: Mapping[int, Sequence[Weighed]]) -> Iterator[list[Weighed]]:
        """For each first half those joints whose halves may both be joined, if there are any."""
        begun = list(utilities)
        firsts = [i for i, may in zip(begun, self.may_begin(begun, [True] * len(begun)), strict=True) if may]
        seconds = list({joint.j: None for i in firsts for joint, _ in utilities[i]})
        may_go_on = dict(zip(seconds, self.may_go_on(seconds, [True] * len(seconds)), strict=True))
        for i in firsts:
            allowed = [(joint, own) for joint, own in utilities[i] if may_go_on[joint.j]]
            if allowed:
                yield allowed

    def may_begin(self, units: Sequence[int], may_be_copies: Sequence[bool]) -> list[bool]:
        """May these units be first halves on this page?  may_be_copies: may one near by hold them?"""
        return self._may_be_halves(units, may_be_copies, HEAD_REACH, slice(-JOINT_WIDTH, None))

    def may_go_on(self, units: Sequence[int], may_be_copies: Sequence[bool]) -> list[bool]:
        """May they be second halves?"""
        return self._may_be_halves(units, may_be_copies, COPY_REACH, slice(JOINT_WIDTH))

    def _may_be_halves(
        self, units: Sequence[int], may_be_copies: Sequence[bool], reach: int, edge: slice
    ) -> list[bool]:
        """Not what was moved, not what is misread (its characters say nothing), not a part of a paragraph near by that
        stands here once more: `duplicates` takes that out."""
        moved, chains = self.moved, self.chains
        found = [chains[i][0] not in moved for i in units] if moved else [True] * len(units)
        if True in may_be_copies or self._is_misread:
            for number, (i, may_be_copy) in enumerate(zip(units, may_be_copies, strict=True)):
                if self._is_misread and MISREAD.search(self.whole[i].text[edge]):
                    found[number] = False
                elif may_be_copy and found[number]:
                    found[number] = not self._is_copied(i, reach)
        return found

    @cached_property
    def _is_misread(self) -> bool:
        """Is anything? Characters are found faster than the pattern says no."""
        return any(sign[0] in self.text for sign in MISREAD_SIGNS)

    def _may_be_headline(self, i: int) -> bool:
        """Is unit i as short as a headline, and is there nothing but such units above it?"""
        return i < FIRST_UNITS and all(
            len(self.chains[k]) == 1 and len(self.whole[k].text) <= LONGEST_HEADLINE for k in range(i + 1)
        )

    def _is_copied(self, i: int, reach: int) -> bool:
        """Does the whole unit stand inside another one near by?"""
        text = self.whole[i].text
        if len(text) < SHORTEST_COPY:
            return False
        near = self.whole[max(0, i - reach) : i] + self.whole[i + 1 : i + reach + 1]
        return text in "\n".join([unit.text for unit in near])  # no unit has a line break

    def _join(self, joints: Sequence[Joint], rule: str) -> list[int]:
        """Joins units; those in between go in front of the joined one. Returns the number that each unit had before,
        NEW for joined ones."""
        follows = {joint.i: joint.j for joint in joints}
        chains: list[list[int]] = []
        whole: list[Unit] = []
        kept: list[int] = []

        def keep(begin: int, end: int) -> None:
            chains.extend(self.chains[begin:end])
            whole.extend(self.whole[begin:end])
            kept.extend(range(begin, end))

        end = 0  # of what has its new place
        for joint in joints:
            if joint.i < end:
                continue
            keep(end, joint.i)
            run = [joint.i]
            while run[-1] in follows:
                after = follows[run[-1]]
                for k in range(run[-1] + 1, after):
                    keep(k, k + 1)
                    self.moved.update(self.chains[k])
                run.append(after)
            chains.append([line for k in run for line in self.chains[k]])
            whole.append(self._joined(run, rule))
            kept.append(NEW)
            end = run[-1] + 1
        keep(end, len(self.whole))
        self.chains, self.whole = chains, whole
        return kept

    def _joined(self, run: Sequence[int], rule: str) -> Unit:
        first, last = self.whole[run[0]], self.whole[run[-1]]
        pieces = [self.whole[k].text for k in run]
        if rule == BYLINE or any(one[-1] < WIDE or two[0] < WIDE for one, two in pairwise(pieces)):
            for number, (before, after) in enumerate(pairwise(run), 1):
                one, two = self.lines[self.chains[before][-1]], self.lines[line := self.chains[after][0]]
                self.rules[line] = rule
                self.glues[line] = glue = self._glue(one, two, rule)
                pieces[number] = glue + pieces[number]
        text = "".join(pieces)
        return Unit(first.start, last.end, text, first.indent, first.gap, not ends_sentence(text))

    def _glue(self, one: Unit, two: Unit, rule: str) -> str:
        """What belongs between two joined lines: nothing, or a space."""
        if rule == BYLINE:
            return " "
        a, b = one.text[-1], two.text[0]
        if a >= WIDE and b >= WIDE:
            return ""
        if _is_letter(a) and _is_letter(b):
            return "" if self._is_cut_word(one.text, two.text) else " "
        if (a.isalnum() and a >= WIDE and _is_western(b)) or (b.isalnum() and b >= WIDE and _is_western(a)):
            return " " if self._is_spaced else ""
        if a in ",.;:!?)" and _is_letter(b):
            return " "
        if _is_western(a) and _is_western(b) and not (a.isdigit() and b.isdigit()):
            return " " if self.text[one.end : one.end + 1] == " " else ""
        return ""

    def _is_cut_word(self, one: str, two: str) -> bool:
        """Was a word of Latin letters cut between `one` and `two`?"""
        left = WORD.findall(one[-60:])[-1:] or [""]
        right = WORD.match(two[:60])
        head, tail = left[0], right.group() if right else ""
        if head + tail in self._words:
            return True
        if self._words[head] > 1 or self._words[tail] > 1:
            return False
        return any(len(part) > 1 and part.islower() and not VOWEL.search(part) for part in (head, tail)) or (
            len(head) == 1 and head.islower() and head != "a"
        )

    @cached_property
    def _words(self) -> Counter[str]:
        return Counter(WORD.findall(self.text))

    @cached_property
    def _is_spaced(self) -> bool:
        """Does this text put spaces between Chinese and Latin characters?"""
        if " " not in self.text:
            return False
        sample = LONG_HAN.sub("一一", self.text[:STYLE_SAMPLE])  # only the ends of a run count
        return len(SPACED.findall(sample)) > len(TOUCHING.findall(sample))

    def edits(self) -> list[Edit]:
        """The edits that make the new paragraphs of the lines, sorted."""
        found: list[Edit] = []
        for chain in self.chains:
            if len(chain) > 1 and chain[0] not in self.moved:
                found += self._chain_edits(chain)
        return sorted(found, key=lambda edit: edit.start)

    def _chain_edits(self, chain: Sequence[int]) -> Iterator[Edit]:
        lines, text = self.lines, self.text
        start = lines[chain[0]].start
        for before, after in pairwise(chain):
            end, begin = lines[before].end, lines[after].start
            rule, glue = self.rules.get(after, JOIN), self.glues.get(after, "")
            if after == before + 1:
                if text[end:begin] != glue:
                    yield Edit(end, text[end:begin], glue, rule)
                continue
            stood = lines[before + 1].start
            yield Edit(start, "", text[stood:begin], MOVE, ref=stood)
            if text[end:stood] != glue:
                yield Edit(end, text[end:stood], glue, rule)
            yield Edit(stood, text[stood:begin], "", MOVE, ref=start)


def _is_letter(char: str) -> bool:
    return char < WIDE and char.isalpha()


def _is_western(char: str) -> bool:
    return char < WIDE and (char.isalnum() or char in "$%#@+*_")
