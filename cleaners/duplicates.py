"""Duplicates: text that a page holds twice.

Paragraphs that repeat others, whole, damaged or in part, are removed; the more complete copy stays.

How it works. The text is cut into clauses at punctuation. Clauses that occur twice say which paragraphs may be
copies of each other (vectorised, so that clean text passes at memory speed), and each such pair is compared
letter by letter. For every clause only three earlier places are looked at, so that the work grows in proportion
to the text, also when all paragraphs are alike.

Which copy stays, decided in the order of the text:
- a paragraph that holds all of the other one and more stays, wherever it stands;
- of two that differ in damaged characters, the clearly sounder one stays;
- of two that hold the same, the first stays.

What looks like a copy and stays:
- whatever differs in a numeral, Arabic or Chinese, or in words (articles of law, forms, tables);
- headings, titles that the lead repeats, slogans: they end no sentence;
- what another paragraph quotes, and short dialogue;
- entries of lists that continue their own list: （三） after （二）;
- verse and lyrics, whose refrains are meant.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from functools import cache, cached_property
from itertools import accumulate
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz
from rapidfuzz.distance import Levenshtein

from .config import Config
from .edits import Edit
from .statistics import BOUNDARY, bigram_logprobs, codes, unigrams

# All lengths are in letters: characters other than punctuation, symbols and spaces.
SHORTEST_CLAUSE = 5  # shorter clauses repeat in any text and prove nothing
SHORTEST_EXACT = 24
SHORTEST_PART = 24
SHORTEST_DISTANT = 60  # any copy that stands more than NEAR paragraphs away
SHORTEST_SENTENCE = 12  # of a teaser
SHORTEST_FUZZY = 40
SHORTEST_UNENDED = 40  # a paragraph that ends no sentence; titles and slogans are shorter
SHORTEST_QUOTED = 40  # a paragraph of dialogue
SHORTEST_BLOCK = 80  # paragraphs that repeat in the same order, together
LONGEST_VERSE = 60  # a longer paragraph is no line of a poem
LONGEST_COMPARED = 5_000  # the comparison takes time in proportion to the product of the lengths
LONGEST_SEARCHED = 2_000  # for damaged parts, which takes even longer
NEAR = 10  # paragraphs
LONGEST_ENTRY = 10  # paragraphs between a list's entry and the one before it
SIMILAR = 90.0  # rapidfuzz's ratio, 0 to 100: copies with 8 % of their characters changed have 91 and more
DAMAGED = 8.0  # nats; of 99 pairs of look-alike laws and news none has more than 6.7
SLIP = 3.0  # nats for a letter that is doubled or two that are swapped; none of these pairs has one
ALIKE = 80.0  # the same, before letters and punctuation are told apart: a first and rough test
SHARED = 0.12  # part of the shorter paragraph that two of like length must share in whole clauses
SINGLE = 1.0  # nats for any other change of a single letter; authors change words
SHARED_DAMAGED = 0.4  # the same for a part in which characters may be damaged
SHARED_PART = 0.25  # the same if one is longer; a part loses no clauses but those at its ends
COMPARED = 5  # so many earlier paragraphs a paragraph is compared with, at most
LONGEST_REPEAT = 8  # sentences that are repeated together inside a paragraph or at a joint

_CHUNK = 1 << 16  # UTF-16 code units that are hashed at once
_MULTIPLIER = 0x9E3779B97F4A7C15  # odd, so that it has an inverse modulo 2**64; 2**64 / golden ratio
_SEPARATORS = "，。；：？！、“”‘’（）《》〈〉【】—…·「」『』,.;:?!()\"'[]<>~|/ \u3000\u00a0\t\r\n"

_NO_LETTERS = re.compile(r"[\W_]+")
_LETTER = re.compile(r"[^\W_]")
_HAN = re.compile(r"[\u3400-\u9fff]")
_SENTENCE_END = re.compile(r"[。！？!?…][”’」』）)\]】]*\s*\Z|[；;]\s*\Z|\.\s*\Z")
_INNER_MARK = re.compile(r"[，。；：！？、,;:!?]")
_SENTENCE = re.compile(r"[^。！？!?]*(?:[。！？!?]+[”’」』）)】]*|\Z)")
_NUMBER = re.compile(r"\d+(?:[.．:：,，]\d+)*")
_PLAIN_NUMBER = str.maketrans({"，": "", ",": "", "．": ".", "：": ":"})
_DIALOGUE = re.compile(r"\s*(?:“[^“”]*”|「[^「」]*」)\s*\Z")
_QUOTES_OPEN = frozenset('“‘「『《〈：:"')
_LINK = re.compile(r"(?<=[….])\s*[\[【（(]?(?:详细|详情|全文|更多|查看全文|阅读全文)[\]】）)]?\s*\Z")
_ELLIPSIS = re.compile(r"(?:…|\.\.\.)\s*\Z")
_ARTICLE = re.compile(
    r"\s*(?:第[零〇一二三四五六七八九十百千\d]+条(?:之[一二三四五六七八九十]+)?[\s：:]"
    r"|[一二三四五六七八九十百]+、(?:将|在|删去|第))"  # 九、将第十二条修改为
)
_REFERS_BACK = re.compile(r"前[一二两三四]?[款条项]|上[述款]|该[款条项]|本(?:[款条项法]|规定|办法|解释|条例)")
_ORDINAL = re.compile(
    r"\s*(?:第([零〇一二三四五六七八九十百千]+|\d+)([条章节款项])|([(（]?)([零〇一二三四五六七八九十百]+|\d+)[)）、.．])"
)

_DIGITS = frozenset("0123456789０１２３４５６７８９ⅠⅡⅢⅣⅤⅥⅦⅧⅨⅩ")
_NUMERALS = _DIGITS.union("零〇一二三四五六七八九十百千万萬亿億两兩半双雙", "壹贰貳叁參肆伍陆陸柒捌玖拾佰仟")
_NUMERAL = re.compile(f"[{''.join(sorted(_NUMERALS))}]+")
_BEFORE_NUMERAL = frozenset("第前后後约近超逾达每")
_NEGATIONS = frozenset("不非未无無没沒勿莫否别別")
# One of these in the place of another changes what a sentence says.
_PARALLELS = (
    (
        "甲乙丙丁戊己庚辛壬癸",
        "东東南西北中",
        "上下左右前后後内內外里裡",
        "大小高低长長短多少",
        "买卖買賣購购售",
        "男女",
    ),
    (
        "父母子夫妻兄弟姐妹",
        "春夏秋冬",
        "年月日周时時",
        "省市县縣区區州镇鎮乡鄉村国國",
        "是否",
        "有无無",
        "增减減",
        "升降",
    ),
    (
        "进進出入",
        "借贷貸",
        "收支付",
        "早晚",
        "新旧舊",
        "公私",
        "正副反",
        "先后後",
        "红紅黄黃蓝藍绿綠黑白",
        "他她它你我您",
    ),
    ("天地", "日夜", "开開关關", "加减減", "原被", "主从從", "可应應须須"),
)


Pairs = dict[int, dict[int, int]]
"""Line number -> {number of another line: characters in clauses that both have}, most first; a line is among its
own when clauses repeat inside it."""


Changes = list[tuple[str, str, str]]
"""(old, new, the letter before and the one after) of each stretch in which two texts differ."""


class _Removal(NamedTuple):
    """Paragraph `line` goes because its text stands in paragraph `keeper`, from letter `place` on."""

    keeper: int
    place: int
    rule: str


class _Paragraph:
    """One line of the text, with what is only needed when it may be a copy."""

    def __init__(self, raw: str) -> None:
        self.raw = raw

    @cached_property
    def body(self) -> str:
        """The line without a teaser's link to the whole text."""
        return _LINK.sub("", self.raw)

    @cached_property
    def letters(self) -> str:
        return _NO_LETTERS.sub("", self.body)

    @cached_property
    def words(self) -> str:
        """The letters without numerals."""
        return _NUMERAL.sub("", self.letters)

    @cached_property
    def numbers(self) -> str:
        """The Arabic numbers, in one form, with a semicolon before and after each."""
        return ";" + "".join(number.translate(_PLAIN_NUMBER) + ";" for number in _NUMBER.findall(self.raw))

    @cached_property
    def sentences(self) -> list[tuple[int, int, str]]:
        """(start, end, letters) of each sentence; start and end are positions in `raw`."""
        found = []
        for match in _SENTENCE.finditer(self.raw):
            letters = _NO_LETTERS.sub("", match.group())
            if letters:
                found.append((match.start(), match.end(), letters))
        return found

    @cached_property
    def is_prose(self) -> bool:
        """True if it holds a Chinese sentence: no heading, no slogan, no row of a table, no code, no verse."""
        marks = self.marks
        if not ((marks and _ends_sentence(self.body)) or (marks >= 2 and len(self.letters) >= SHORTEST_UNENDED)):
            return False
        return self.is_chinese and not _is_metric(self.body)

    @cached_property
    def is_piece(self) -> bool:
        """True if it can be what a cut inside a clause left of a paragraph: prose, or long enough."""
        return self.is_prose or (self.marks > 0 and len(self.letters) >= SHORTEST_UNENDED and self.is_chinese)

    @cached_property
    def marks(self) -> int:
        return len(_INNER_MARK.findall(self.body[:300]))

    @cached_property
    def is_chinese(self) -> bool:
        head = self.body[:300]
        return len(_HAN.findall(head)) * 3 >= len(_NO_LETTERS.sub("", head))

    def place(self, letter: int) -> int:
        """Position in `raw` of the letter with that number."""
        for count, match in enumerate(_LETTER.finditer(self.raw)):
            if count == letter:
                return match.start()
        return 0


def propose(text: str, config: Config) -> Iterator[Edit]:
    """Yields a removal per repeated paragraph, with one of the gaps beside it, and per repeated sentence.

    Rules: `duplicates.exact` (the same letters), `duplicates.fuzzy` (some characters damaged),
    `duplicates.contained` (a part of another paragraph), `duplicates.block` (short paragraphs inside a run of
    repeated ones), `duplicates.teaser` (all its sentences stand elsewhere), `duplicates.sentence` (repeated
    sentences in one paragraph, or at the joint of two). `ref` is the start of the copy that stays.
    """
    lines, pairs, partners = _pairs(text)
    if pairs or partners:
        yield from _Page(lines).edits(pairs, partners)


# ---------------------------------------------------------------- candidates


def _pairs(text: str) -> tuple[list[str], Pairs, Pairs]:
    """The text's lines, which of them should be compared, and which share sentences, both ways round."""
    lines = text.split("\n")
    found: Pairs = {}
    partners: Pairs = {}
    for line, shared in _sharing(*_clauses(text)):
        mine = len(lines[line])
        if mine < SHORTEST_EXACT:
            continue
        likely: list[tuple[int, int]] = []
        for other, size in shared.items():
            if _is_likely(size, mine, len(lines[other])):
                likely.append((-size, -other))  # of equal ones the nearest
            if size >= SHORTEST_SENTENCE and line != other:
                partners.setdefault(line, {})[other] = size
                partners.setdefault(other, {})[line] = size
        if likely:
            found[line] = {-other: -size for size, other in sorted(likely)[:COMPARED]}
    for line, other in _near_and_alike(lines):
        others = found.setdefault(line, {})
        if len(others) < COMPARED:
            others.setdefault(other, len(lines[line]))
    return lines, found, partners


def _sharing(
    hashes: NDArray[np.uint64], numbers: NDArray[np.int64], lengths: NDArray[np.int64]
) -> Iterator[tuple[int, dict[int, int]]]:
    """(line, {line before it: letters in clauses that both have}), in the order of the text.

    For each clause only the first and the last two of the lines before are looked at.
    """
    ordered = np.sort(hashes)
    repeated = ordered[1:][ordered[1:] == ordered[:-1]]
    if not len(repeated):
        return
    at = np.flatnonzero(repeated.take(np.searchsorted(repeated, hashes), mode="clip") == hashes)
    places: dict[int, list[int]] = {}
    current, shared = -1, dict[int, int]()
    for key, line, size in zip(hashes[at].tolist(), numbers[at].tolist(), lengths[at].tolist(), strict=True):
        if line != current:
            if shared:
                yield current, shared
            current, shared = line, {}
        known = places.get(key)
        if known is None:
            places[key] = [line]
            continue
        for other in known:
            shared[other] = shared.get(other, 0) + size
        if known[-1] != line:
            if len(known) == 3:
                del known[1]
            known.append(line)
    if shared:
        yield current, shared


def _is_likely(shared: int, mine: int, other: int) -> bool:
    """True if lines of these lengths that share so many characters in clauses should be compared."""
    small, large = (mine, other) if mine <= other else (other, mine)
    if small < SHORTEST_EXACT:
        return False
    share = SHARED if large <= 1.2 * small else SHARED_PART
    return shared >= SHORTEST_EXACT or shared >= share * small


def _near_and_alike(lines: Sequence[str]) -> Iterator[tuple[int, int]]:
    """(line, one of the five paragraphs before it) where both have nearly the same length and begin alike: damage
    can leave no clause whole."""
    recent: list[tuple[int, int, str]] = []
    for number, line in enumerate(lines):
        size = len(line)
        if not SHORTEST_FUZZY <= size <= LONGEST_COMPARED:
            continue
        slack = size // 25 + 2
        head = line[:64]  # one machine word of rapidfuzz's bits
        for other_number, other_size, other in recent:
            if -slack <= size - other_size <= slack and fuzz.ratio(head, other, score_cutoff=ALIKE):
                yield number, other_number
        recent.append((number, size, head))
        if len(recent) > 5:
            del recent[0]


def _is_alike(line: str, other: str) -> bool:
    return fuzz.ratio(line, other, score_cutoff=ALIKE) > 0


def _clauses(text: str) -> tuple[NDArray[np.uint64], NDArray[np.int64], NDArray[np.int64]]:
    """Hash, line number and length (UTF-16 code units) of each clause of the text, in its order.

    The hash of c0 c1 c2 … is the sum of ci * m**i modulo 2**64: differences of one cumulated sum, divided by
    the power of the clause's start. Chance hits cost a comparison, no more.
    """
    separator, powers, inverses = _tables()
    parts: list[tuple[NDArray[np.uint64], NDArray[np.int64], NDArray[np.int64]]] = []
    units = np.frombuffer(text.encode("utf-16-le", "surrogatepass"), np.uint16)
    begin = line = 0
    while begin < len(units):
        chunk = units[begin : begin + _CHUNK]
        ends = np.flatnonzero(separator[chunk])
        if begin + len(chunk) < len(units) and len(ends):
            chunk = chunk[: ends[-1] + 1]  # the clause that the chunk's end cuts belongs to the next chunk
        starts = np.concatenate([[0], ends + 1])
        ends = np.append(ends, len(chunk))
        long_enough = np.flatnonzero(ends - starts >= SHORTEST_CLAUSE)
        starts, ends = starts[long_enough], ends[long_enough]
        sums = np.zeros(len(chunk) + 1, np.uint64)
        np.cumsum(chunk * powers[: len(chunk)], out=sums[1:])
        newlines = np.flatnonzero(chunk == 10)
        parts.append(
            ((sums[ends] - sums[starts]) * inverses[starts], line + np.searchsorted(newlines, starts), ends - starts)
        )
        line += len(newlines)
        begin += len(chunk)
    if len(parts) == 1:
        return parts[0]
    if not parts:
        return np.empty(0, np.uint64), np.empty(0, np.int64), np.empty(0, np.int64)
    hashes, numbers, lengths = zip(*parts, strict=True)
    return np.concatenate(hashes), np.concatenate(numbers), np.concatenate(lengths)


@cache
def _tables() -> tuple[NDArray[np.bool_], NDArray[np.uint64], NDArray[np.uint64]]:
    """Which code units separate clauses; the powers of the multiplier; the inverses of these powers."""
    separator = np.zeros(1 << 16, np.bool_)
    separator[[ord(mark) for mark in _SEPARATORS]] = True
    return separator, _powers(_MULTIPLIER), _powers(pow(_MULTIPLIER, -1, 1 << 64))


def _powers(base: int) -> NDArray[np.uint64]:
    factors = np.full(_CHUNK + 1, base, np.uint64)
    factors[0] = 1
    return np.multiply.accumulate(factors)


# ---------------------------------------------------------------- decisions


class _Page:
    """The lines of one text, and which of them go."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines
        self.removed: dict[int, _Removal] = {}
        self.cuts: dict[int, list[tuple[int, int, int, int]]] = {}  # line -> (start, end, keeper, position in it)
        self._known: dict[str, _Paragraph] = {}

    def paragraph(self, line: int) -> _Paragraph:
        """Lines with the same text share one paragraph, so that a copy costs little."""
        raw = self.lines[line]
        found = self._known.get(raw)
        if found is None:
            found = self._known[raw] = _Paragraph(raw)
        return found

    @cached_property
    def filled(self) -> list[int]:
        """Numbers of the lines that are not blank."""
        return [number for number, line in enumerate(self.lines) if line and not line.isspace()]

    @cached_property
    def rank(self) -> dict[int, int]:
        """Line number -> which paragraph it is."""
        return {line: rank for rank, line in enumerate(self.filled)}

    def neighbour(self, line: int, step: int) -> int:
        """The paragraph `step` places on, as a line number; -1 for none."""
        rank = self.rank[line] + step
        return self.filled[rank] if 0 <= rank < len(self.filled) else -1

    def edits(self, pairs: Pairs, partners: Pairs) -> Iterator[Edit]:
        self._teasers(partners)
        for line in sorted(pairs):
            if line not in self.removed:
                self._judge(line, pairs[line])
        self._blocks()
        for line, others in pairs.items():
            self._repeated_sentences(line, others)
        if self.removed or self.cuts:
            yield from _removals(self)

    def keeper(self, line: int) -> tuple[int, int]:
        """(line that stays, letter in it) for a line that may have been removed."""
        place = 0
        while line in self.removed:
            removal = self.removed[line]
            line, place = removal.keeper, place + removal.place
        return line, place

    def _judge(self, line: int, others: Mapping[int, int]) -> None:
        seen = {line}
        for other, shared in others.items():
            kept = self.keeper(other)[0]
            if kept in seen:
                continue
            seen.add(kept)
            removal = self._compare(kept, line, shared, abs(self.rank[line] - self.rank[other]) <= NEAR)
            if removal is None:
                continue
            gone = line if removal.keeper == kept else kept
            self.removed[gone] = removal
            if gone == line:
                return

    def _compare(self, earlier: int, later: int, shared: int, near: bool) -> _Removal | None:
        """Which of two paragraphs goes; None if both stay.  The cheap tests come first.

        shared  characters in clauses that both have
        near    True if no other article of a page can stand between them, or between copies of them
        """
        old, new = self.lines[earlier], self.lines[later]
        alike = len(old) <= 1.2 * len(new) and len(new) <= 1.2 * len(old)
        if alike and max(len(old), len(new)) <= LONGEST_COMPARED and not _is_alike(old, new):
            return None
        a, b = self.paragraph(earlier).letters, self.paragraph(later).letters
        if a == b:
            return self._compare_equal(earlier, later, near)
        shorter, longer = (later, earlier) if len(b) <= len(a) else (earlier, later)
        short, long = self.paragraph(shorter), self.paragraph(longer)
        if alike and short.words == long.words:
            return None  # they differ in numerals only
        if alike and (changes := _fuzzy_changes(self.paragraph(earlier), self.paragraph(later))):
            return self._compare_damaged(earlier, later, changes)
        place = self._part(shorter, longer, shared, near)
        return None if place is None else _Removal(longer, place, "duplicates.contained")

    def _compare_equal(self, earlier: int, later: int, near: bool) -> _Removal | None:
        paragraph = self.paragraph(later)
        size = len(paragraph.letters)
        if size < (SHORTEST_EXACT if near else SHORTEST_DISTANT):
            return None
        if size < SHORTEST_QUOTED and _DIALOGUE.match(paragraph.raw):
            return None
        if paragraph.numbers != self.paragraph(earlier).numbers or not self._may_go(later, earlier):
            return None
        return _Removal(earlier, 0, "duplicates.exact")

    def _compare_damaged(self, earlier: int, later: int, changes: Changes) -> _Removal | None:
        old, new = self.paragraph(earlier), self.paragraph(later)
        certain = new.is_prose and _damage(changes) >= DAMAGED
        if not certain and not self._may_go(later, earlier):
            return None
        better = _information(new.letters) - _information(old.letters) >= DAMAGED
        return _Removal(later if better else earlier, 0, "duplicates.fuzzy")

    def _may_go(self, line: int, copy: int) -> bool:
        """True if the paragraph is prose, and no verse, no entry of a list and no part of an article of law that
        belongs where it stands."""
        if not self.paragraph(line).is_prose or self._is_verse(line) or self._continues_list(line):
            return False
        return not self._belongs_to_article(line, copy)

    def _belongs_to_article(self, line: int, copy: int) -> bool:
        """True for a paragraph that continues an article of law, if an article begins between it and its copy and
        it is short or speaks of what stands before it: 有前款行为的……"""
        raw = self.lines[line]
        low, high = sorted((self.rank[line], self.rank[copy]))
        if self._articles_before[low + 1] == self._articles_before[high + 1] or _ARTICLE.match(raw):
            return False
        return len(self.paragraph(line).letters) < SHORTEST_DISTANT or _REFERS_BACK.search(raw) is not None

    @cached_property
    def _articles_before(self) -> list[int]:
        """How many of the first n paragraphs begin an article of law, by n."""
        return [0, *accumulate(_ARTICLE.match(self.lines[line]) is not None for line in self.filled)]

    def _part(self, shorter: int, longer: int, shared: int, near: bool) -> int | None:
        """Letter of the longer paragraph at which the shorter one stands in it; None if it does not."""
        short, long = self.paragraph(shorter), self.paragraph(longer)
        if len(short.letters) < (SHORTEST_PART if near else SHORTEST_DISTANT):
            return None
        place = long.letters.find(short.letters)
        exact = place >= 0
        much_longer = len(long.letters) > 1.1 * len(short.letters)
        if not exact and much_longer and shared >= SHARED_DAMAGED * len(short.letters):
            place = _damaged_part(short.letters, long.letters)
        if place < 0 or _is_quoted(long, place):
            return None
        window = long.raw[long.place(place) : long.place(place + len(short.letters) - 1) + 1]
        if _Paragraph(window).numbers != short.numbers if exact else short.numbers not in long.numbers:
            return None
        if _DIALOGUE.match(short.raw):
            return None
        if exact and _is_cut(long, place, len(short.letters)) and not _REFERS_BACK.search(short.raw):
            return place if short.is_piece and not self._is_verse(shorter) else None
        return place if _is_whole(short.body) and self._may_go(shorter, longer) else None

    def _is_verse(self, line: int) -> bool:
        """True if most paragraphs around it are short and end no sentence: a poem, a song, a table, a list."""
        if len(self.paragraph(line).letters) >= LONGEST_VERSE:
            return False
        around = [self.neighbour(line, step) for step in (-4, -3, -2, -1, 1, 2, 3, 4)]
        texts = [self.lines[number] for number in around if number >= 0]
        broken = sum(len(text) <= 30 and not _SENTENCE_END.search(text) for text in texts)
        return len(texts) >= 3 and broken * 10 >= len(texts) * 6

    def _continues_list(self, line: int) -> bool:
        """True for an entry of a list that stands where its number belongs."""
        mine = _ordinal(self.lines[line])
        if mine is None:
            return False
        kind, number = mine
        for step in range(-1, -LONGEST_ENTRY - 1, -1):
            before = self.neighbour(line, step)
            previous = _ordinal(self.lines[before]) if before >= 0 else None
            if previous is not None and previous[0] == kind and (number > 1 or step == -1):
                return previous[1] == number - 1
        after = self.neighbour(line, 1)
        return after >= 0 and _ordinal(self.lines[after]) == (kind, number + 1)

    # ------------------------------------------------------------ more than pairs

    def _teasers(self, partners: Pairs) -> None:
        """Removes paragraphs all of whose sentences stand in two or more other paragraphs: a page's teaser."""
        for line in sorted(partners, reverse=True):
            size = len(self.lines[line])
            shared = partners[line].values()
            if len(shared) < 2 or size < SHORTEST_DISTANT or sum(shared) * 2 < size or max(shared) * 4 > 3 * size:
                continue
            sentences = self.paragraph(line).sentences
            if len(sentences) < 2 or min(len(letters) for _, _, letters in sentences) < SHORTEST_SENTENCE:
                continue
            elsewhere: dict[str, tuple[int, int]] = {}
            for other in list(partners[line])[:COMPARED]:
                if other not in self.removed:
                    for start, _, letters in self.paragraph(other).sentences:
                        elsewhere.setdefault(letters, (other, start))
            if not all(letters in elsewhere for _, _, letters in sentences):
                continue
            keepers = {elsewhere[letters][0] for _, _, letters in sentences}
            if len(keepers) > 1 and self._numbers_agree(line, elsewhere) and self._may_go(line, min(keepers)):
                keeper, start = elsewhere[sentences[0][2]]
                place = len(_NO_LETTERS.sub("", self.lines[keeper][:start]))
                self.removed[line] = _Removal(keeper, place, "duplicates.teaser")

    def _numbers_agree(self, line: int, elsewhere: dict[str, tuple[int, int]]) -> bool:
        raw = self.lines[line]
        for start, end, letters in self.paragraph(line).sentences:
            other, place = elsewhere[letters]
            numbers = _NUMBER.findall(raw[start:end])
            if _NUMBER.findall(self.lines[other][place:])[: len(numbers)] != numbers:
                return False
        return True

    def _blocks(self) -> None:
        """Removes the short paragraphs between repeated ones, if all repeat in the same order."""
        done: set[int] = set()
        for line in sorted(self.removed):
            removal = self.removed[line]
            if line in done or removal.rule != "duplicates.exact":
                continue
            shift = self.rank[line] - self.rank[removal.keeper]
            run = self._run(line, shift)
            done.update(run)
            size = sum(len(self.paragraph(number).letters) for number in run)
            if size < SHORTEST_BLOCK or len(run) > shift:
                continue
            for number in run:
                if number not in self.removed:
                    self.removed[number] = _Removal(self.neighbour(number, -shift), 0, "duplicates.block")

    def _run(self, line: int, shift: int) -> list[int]:
        """The paragraphs around `line` that equal the ones `shift` paragraphs before them."""
        run = [line]
        for step in (1, -1):
            number = line
            while (number := self.neighbour(number, step)) >= 0:
                copy = self.neighbour(number, -shift)
                if copy < 0 or copy in self.removed or self.lines[copy].strip() != self.lines[number].strip():
                    break
                run.append(number)
        return sorted(run)

    def _repeated_sentences(self, line: int, others: Mapping[int, int]) -> None:
        if line in self.removed or max(others.values()) < SHORTEST_EXACT:
            return
        if line in others:
            self._repeated_inside(line)
        before = self.neighbour(line, -1)
        while before in self.removed:
            before = self.neighbour(before, -1)
        if before in others and line not in self.cuts:
            self._repeated_at_joint(before, line)
        if line in self.cuts and (not self.paragraph(line).is_prose or self._is_verse(line)):
            del self.cuts[line]

    def _repeated_inside(self, line: int) -> None:
        """Cuts sentences that directly follow their own copy."""
        raw, sentences = self.lines[line], self.paragraph(line).sentences
        kept: list[tuple[int, int, str]] = []
        last: dict[str, int] = {}  # letters of a sentence -> its last place in `kept`
        number = 0
        while number < len(sentences):
            before = last.get(sentences[number][2], len(kept))
            count = min(len(kept) - before, LONGEST_REPEAT + 1)
            new = sentences[number : number + count]
            if 0 < count <= LONGEST_REPEAT and _is_repeat(kept[before:], new, raw):
                self.cuts.setdefault(line, []).append((new[0][0], new[-1][1], line, kept[before][0]))
                number += count
                continue
            last[sentences[number][2]] = len(kept)
            kept.append(sentences[number])
            number += 1

    def _repeated_at_joint(self, before: int, line: int) -> None:
        """Cuts the sentences at the beginning of `line` with which the paragraph before it ends."""
        old, new = self.paragraph(before).sentences, self.paragraph(line).sentences
        for count in range(min(len(old), len(new) - 1, LONGEST_REPEAT), 0, -1):
            if [one[2] for one in old[-count:]] != [one[2] for one in new[:count]]:
                continue
            raw = self.lines[line]
            start, end = len(raw) - len(raw.lstrip()), new[count - 1][1]
            if sum(len(one[2]) for one in new[:count]) >= SHORTEST_PART and _balanced(raw[start:end]):
                self.cuts[line] = [(start, end, before, old[-count][0])]
            return


# ---------------------------------------------------------------- what is a copy


def _fuzzy_changes(old: _Paragraph, new: _Paragraph) -> Changes:
    """The changes that lead from one paragraph to the other, if there are few and all are slips; else nothing."""
    a, b = old.letters, new.letters
    small, large = sorted((len(a), len(b)))
    if small < SHORTEST_FUZZY or large > LONGEST_COMPARED or small < large * 0.85:
        return []
    if old.numbers != new.numbers and _digits(a) == _digits(b):
        return []  # 1.5 and 15
    if not fuzz.ratio(a, b, score_cutoff=SIMILAR):
        return []
    changes = _changes(a, b)
    return changes if _are_slips(changes) else []


def _are_slips(changes: Changes) -> bool:
    """True if letters were dropped, doubled, swapped or mistaken, but no numeral and no word was exchanged.

    Exchanged words and lost numerals are only overlooked among other changes that no author makes.
    """
    serious = numerals = 0
    for old, new, near in changes:
        lost, gained = Counter(old) - Counter(new), Counter(new) - Counter(old)
        size = max(lost.total(), gained.total())
        if size > 3:
            return False
        before, after = _NUMERALS.intersection(lost), _NUMERALS.intersection(gained)
        if (before and after) or (not before and not after and _numerals(old) != _numerals(new)):
            return False  # 26 and 38, 26 and 62
        if _changes_number(before | after, near + "".join(lost + gained)):
            numerals += 1
        elif not _is_swap_or_doubling(old, new, near):
            serious += size > 1 or _changes_meaning("".join(lost), "".join(gained))
    if not numerals and not serious:
        return True
    return numerals * 2 <= len(changes) and _damage(changes) >= DAMAGED


def _damage(changes: Changes) -> float:
    """How sure we are that characters were damaged and not words exchanged.

    Damage makes neighbours out of characters that hardly ever are, and always in the same one of two copies;
    an author's changes leave both copies good Chinese. Measured in nats of pointwise mutual information.
    """
    signs = 0.0
    for old, new, near in changes:
        if _is_swap_or_doubling(old, new, near):
            signs += SLIP
        elif len(old) <= 1 and len(new) <= 1:
            signs += SINGLE
    return signs + abs(_worsening(changes))


def _worsening(changes: Changes) -> float:
    """How much less likely the new characters are than the old ones, in nats; negative if the old ones are less
    likely; 0.0 if neither side is clearly the worse one."""
    judged = [(old, new, near) for old, new, near in changes if _NUMERALS.isdisjoint(old + new)]
    if not judged:
        return 0.0
    olds = _weakest_pairs([near[0] + old + near[1] for old, _, near in judged])
    news = _weakest_pairs([near[0] + new + near[1] for _, new, near in judged])
    steps = np.clip(olds - news, -SLIP, SLIP)  # one change alone proves nothing
    total = float(steps.sum())
    return total if abs(total) >= 0.7 * float(np.abs(steps).sum()) else 0.0


def _weakest_pairs(pieces: Sequence[str]) -> NDArray[np.float32]:
    """For each piece of two characters and more, the least pointwise mutual information of two neighbours in it,
    in nats, and 0 at most."""
    ends = np.cumsum([len(piece) for piece in pieces])
    information = _pair_information("".join(pieces))
    information[ends[:-1] - 1] = 0.0  # the pairs between two pieces
    starts = np.concatenate([[0], ends[:-1]])
    weakest: NDArray[np.float32] = np.minimum.reduceat(np.minimum(information, 0.0), starts)
    return weakest


def _information(letters: str) -> float:
    """The pointwise mutual information of all neighbours together, in nats: damage makes it less."""
    return float(_pair_information(letters).sum())


def _pair_information(letters: str) -> NDArray[np.float32]:
    points = codes(letters)
    return bigram_logprobs(points[:-1], points[1:]) - unigrams()[points[1:]]


def _changes(a: str, b: str) -> Changes:
    """The stretches in which two texts differ; those with one equal letter between them count as one."""
    spans: list[tuple[int, int, int, int]] = []
    for step in Levenshtein.opcodes(a, b):
        if step.tag == "equal":
            continue
        i, k = step.src_start, step.dest_start
        if spans and i - spans[-1][1] <= 1 and k - spans[-1][3] <= 1:
            i, _, k, _ = spans.pop()
        spans.append((i, step.src_end, k, step.dest_end))
    return [
        (a[i:j], b[k:m], (a[i - 1] if i else BOUNDARY) + (a[j] if j < len(a) else BOUNDARY)) for i, j, k, m in spans
    ]


def _changes_number(numerals: Set[str], beside: str) -> bool:
    """True if numerals that came or went belong to a number; 一 alone is a word like others."""
    if len(numerals) != 1:
        return bool(numerals)
    return not _DIGITS.isdisjoint(numerals) or any(c in _BEFORE_NUMERAL or c in _NUMERALS - numerals for c in beside)


def _is_swap_or_doubling(old: str, new: str, near: str) -> bool:
    if sorted(old) == sorted(new):
        return True
    more, less = (new, old) if len(new) > len(old) else (old, new)
    return len(more) == len(less) + 1 and (set(more) == set(less) if less else more in near)


def _changes_meaning(old: str, new: str) -> bool:
    if not _NEGATIONS.isdisjoint(old + new):
        return True
    return bool(old and new) and any(old in group and new in group for row in _PARALLELS for group in row)


def _damaged_part(short: str, long: str) -> int:
    """Letter of `long` at which a damaged copy of `short` begins; -1 if there is none."""
    if len(long) > LONGEST_SEARCHED or len(short) < SHORTEST_FUZZY:
        return -1
    found = fuzz.partial_ratio_alignment(short, long, score_cutoff=SIMILAR)
    if found is None or found.src_start or found.src_end < len(short):
        return -1
    window = long[found.dest_start : found.dest_end]
    # at its ends the window slides over what differs there: 甲方 and 乙方
    if short[:2] != window[:2] or short[-2:] != window[-2:] or not _are_slips(_changes(short, window)):
        return -1
    return int(found.dest_start)


def _is_repeat(old: Sequence[tuple[int, int, str]], new: Sequence[tuple[int, int, str]], raw: str) -> bool:
    """True if these sentences of one paragraph say the same, at enough length."""
    if [one[2] for one in old] != [one[2] for one in new] or sum(len(one[2]) for one in new) < SHORTEST_EXACT:
        return False
    before, after = raw[old[0][0] : old[-1][1]], raw[new[0][0] : new[-1][1]]
    same_numbers = _Paragraph(before).numbers == _Paragraph(after).numbers
    return same_numbers and _ends_sentence(after) and _balanced(after)


def _numerals(letters: str) -> str:
    return "".join(letter for letter in letters if letter in _NUMERALS)


def _digits(letters: str) -> str:
    return "".join(filter(str.isdigit, letters))


def _is_whole(body: str) -> bool:
    """True for a paragraph that ends a sentence, was cut off where a teaser says so, or is several sentences."""
    return _ends_sentence(body) or _ELLIPSIS.search(body) is not None or "。" in body


def _ends_sentence(raw: str) -> bool:
    return _SENTENCE_END.search(raw) is not None


def _is_quoted(paragraph: _Paragraph, place: int) -> bool:
    """True if the letter with that number follows an opening quotation mark or a colon."""
    position = paragraph.place(place)
    return position > 0 and paragraph.raw[position - 1] in _QUOTES_OPEN


def _is_cut(paragraph: _Paragraph, place: int, size: int) -> bool:
    """True if that many letters from that place on begin or end inside a clause, as no author quotes."""
    raw = paragraph.raw
    start, last = paragraph.place(place), paragraph.place(place + size - 1)
    return _LETTER.match(raw[start - 1 : start]) is not None or _LETTER.match(raw[last + 1 : last + 2]) is not None


def _balanced(raw: str) -> bool:
    """True if as many quotation marks open as close."""
    return all(raw.count(left) == raw.count(right) for left, right in ("“”", "「」", "『』", "（）"))


def _is_metric(raw: str) -> bool:
    """True for verse in one line: four or more clauses, three in four of them of one length, at most 7."""
    lengths = [len(clause) for clause in _NO_LETTERS.split(raw) if clause]
    if len(lengths) < 4 or len(lengths) > 60:
        return False
    usual = max(set(lengths), key=lengths.count)
    return usual <= 7 and lengths.count(usual) * 4 >= len(lengths) * 3


def _ordinal(raw: str) -> tuple[str, int] | None:
    """The kind and the number at the beginning of a list's entry or a law's article: （三）, 3., 第三条."""
    match = _ORDINAL.match(raw)
    if match is None:
        return None
    article, unit, bracket, entry = match.groups()
    written = article or entry
    kind = f"{unit or bracket}{'1' if written.isdecimal() else '一'}"
    return kind, int(written[:9]) if written.isdecimal() else _chinese_number(written)


def _chinese_number(written: str) -> int:
    """第一百二十三 -> 123, for numbers below ten thousand."""
    total = digit = 0
    for mark in written:
        if mark in "十百千":
            total += (digit or 1) * {"十": 10, "百": 100, "千": 1000}[mark]
            digit = 0
        else:
            digit = max("〇一二三四五六七八九".find(mark), 0)
    return total + digit


# ---------------------------------------------------------------- edits


def _removals(page: _Page) -> Iterator[Edit]:
    """The edits that take the removed paragraphs away, each with the gap behind it; where nothing follows, with
    the gap before it."""
    lines, filled = page.lines, page.filled
    starts = [0, *accumulate(len(line) + 1 for line in lines)]
    text = "\n".join(lines)
    kept_after = max((rank for rank, line in enumerate(filled) if line not in page.removed), default=-1)
    for rank, line in enumerate(filled):
        removal = page.removed.get(line)
        if removal is None:
            for start, end, keeper, position in page.cuts.get(line, ()):
                repeated = lines[line][start:end]
                ref = starts[keeper] + position
                yield Edit(starts[line] + start, repeated, "", "duplicates.sentence", ref=ref)
            continue
        if rank < kept_after:
            start, end = starts[line], starts[filled[rank + 1]]
        else:
            before = filled[rank - 1]
            start, end = starts[before] + len(lines[before]), starts[line] + len(lines[line])
        keeper, place = page.keeper(line)
        ref = starts[keeper] + page.paragraph(keeper).place(place)
        yield Edit(start, text[start:end], "", removal.rule, ref=ref)
