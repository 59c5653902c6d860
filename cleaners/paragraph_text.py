"""A paragraph's text as the search for duplicates sees it: its letters, numbers and sentences, and whether it is
prose; and the paragraphs of a page, with their neighbours.

All lengths are in letters: characters other than punctuation, symbols and spaces.
"""

from __future__ import annotations

import re
from functools import cached_property
from itertools import accumulate
from typing import NamedTuple

SHORTEST_UNENDED = 40  # a paragraph that ends no sentence; titles and slogans are shorter

DIGITS = frozenset("0123456789０１２３４５６７８９ⅠⅡⅢⅣⅤⅥⅦⅧⅨⅩ")
NUMERALS = DIGITS.union("零〇一二三四五六七八九十百千万萬亿億两兩半双雙", "壹贰貳叁參肆伍陆陸柒捌玖拾佰仟")
LETTER = re.compile(r"[^\W_]")

_NO_LETTERS = re.compile(r"[\W_]+")
_NUMERAL = re.compile(f"[{''.join(sorted(NUMERALS))}]+")
_HAN = re.compile(r"[\u3400-\u9fff]")
_SENTENCE_END = re.compile(r"[。！？!?…][”’」』）)\]】]*\s*\Z|[；;]\s*\Z|\.\s*\Z")
_INNER_MARK = re.compile(r"[，。；：！？、,;:!?]")
_SENTENCE = re.compile(r"[^。！？!?]*(?:[。！？!?]+[”’」』）)】]*|\Z)")
_NUMBER = re.compile(r"\d+(?:[.．:：,，]\d+)*")
_PLAIN_NUMBER = str.maketrans({"，": "", ",": "", "．": ".", "：": ":"})
_LINK = re.compile(r"(?<=[….])\s*[\[【（(]?(?:详细|详情|全文|更多|查看全文|阅读全文)[\]】）)]?\s*\Z")
_ARTICLE = re.compile(
    r"\s*(?:第[零〇一二三四五六七八九十百千\d]+条(?:之[一二三四五六七八九十]+)?[\s：:]"
    r"|[一二三四五六七八九十百]+、(?:将|在|删去|第))"  # 九、将第十二条修改为
)


class Sentence(NamedTuple):
    """start and end are positions in the paragraph's line; letters: what it says, without marks."""

    start: int
    end: int
    letters: str


class ParagraphText:
    """One line of the text, with what is only needed when it may be a copy."""

    def __init__(self, raw: str) -> None:
        self.raw = raw

    @cached_property
    def body(self) -> str:
        """The line without a teaser's link to the whole text."""
        return _LINK.sub("", self.raw)

    @cached_property
    def letters(self) -> str:
        """The letters of its body: two paragraphs with the same letters say the same."""
        return letters_of(self.body)

    @cached_property
    def words(self) -> str:
        """The letters without numerals."""
        return _NUMERAL.sub("", self.letters)

    @cached_property
    def numbers(self) -> str:
        """The Arabic numbers, in one form, with a semicolon before and after each."""
        return ";" + "".join(number.translate(_PLAIN_NUMBER) + ";" for number in numbers_of(self.raw))

    @cached_property
    def sentences(self) -> list[Sentence]:
        found: list[Sentence] = []
        for match in _SENTENCE.finditer(self.raw):
            letters = letters_of(match.group())
            if letters:
                found.append(Sentence(match.start(), match.end(), letters))
        return found

    @cached_property
    def is_prose(self) -> bool:
        """True if it holds a Chinese sentence: no heading, no slogan, no row of a table, no code, no verse."""
        marks = self.marks
        if not ((marks and ends_sentence(self.body)) or (marks >= 2 and len(self.letters) >= SHORTEST_UNENDED)):
            return False
        return self.is_chinese and not _is_metric(self.body)

    @cached_property
    def is_piece(self) -> bool:
        """True if it can be what a cut inside a clause left of a paragraph: prose, or long enough."""
        return self.is_prose or (self.marks > 0 and len(self.letters) >= SHORTEST_UNENDED and self.is_chinese)

    @cached_property
    def marks(self) -> int:
        """How many marks that stand between or behind clauses its beginning has."""
        return len(_INNER_MARK.findall(self.body[:300]))

    @cached_property
    def is_chinese(self) -> bool:
        """True if a third of its beginning's letters are Chinese characters."""
        head = self.body[:300]
        return len(_HAN.findall(head)) * 3 >= len(letters_of(head))

    def place(self, letter: int) -> int:
        """Position in `raw` of the letter with that number."""
        for count, match in enumerate(LETTER.finditer(self.raw)):
            if count == letter:
                return match.start()
        return 0


class PageText:
    """The lines of one text, by their numbers. A paragraph is a line that is not blank."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines
        self._known: dict[str, ParagraphText] = {}

    def paragraph(self, line: int) -> ParagraphText:
        """Lines with the same text share one paragraph, so that a copy costs little."""
        raw = self.lines[line]
        found = self._known.get(raw)
        if found is None:
            found = self._known[raw] = ParagraphText(raw)
        return found

    @cached_property
    def filled(self) -> list[int]:
        """Numbers of the lines that are not blank."""
        return [number for number, line in enumerate(self.lines) if line and not line.isspace()]

    @cached_property
    def rank(self) -> dict[int, int]:
        """Line number -> which paragraph it is."""
        return dict(zip(self.filled, range(len(self.filled)), strict=True))

    def neighbour(self, line: int, step: int) -> int:
        """The paragraph `step` places on, as a line number; -1 for none."""
        rank = self.rank[line] + step
        return self.filled[rank] if 0 <= rank < len(self.filled) else -1

    @cached_property
    def articles_before(self) -> list[int]:
        """How many of the first n paragraphs begin an article of law, by n."""
        return [0, *accumulate(begins_article(self.lines[line]) for line in self.filled)]


def letters_of(raw: str) -> str:
    """The characters other than punctuation, symbols and spaces."""
    return _NO_LETTERS.sub("", raw)


def numbers_of(raw: str) -> list[str]:
    """The Arabic numbers as they are written: 3, 1.5, 12:30."""
    return _NUMBER.findall(raw)


def ends_sentence(raw: str) -> bool:
    """True if a full stop, or a mark that does its work, ends the line."""
    return _SENTENCE_END.search(raw) is not None


def begins_article(raw: str) -> bool:
    """True if an article of law, or of a law's amendment, begins here: 第三条, 九、将第十二条修改为."""
    return _ARTICLE.match(raw) is not None


def _is_metric(raw: str) -> bool:
    """True for verse in one line: four or more clauses, three in four of them of one length, at most 7."""
    lengths = [len(clause) for clause in _NO_LETTERS.split(raw) if clause]
    if len(lengths) < 4 or len(lengths) > 60:
        return False
    usual = max(set(lengths), key=lengths.count)
    return usual <= 7 and lengths.count(usual) * 4 >= len(lengths) * 3
