"""The width of marks by what stands around them: ASCII marks of Chinese sentences become full-width ones."""

from __future__ import annotations

import re

from .marked_line import LETTER, MARKS, MarkedLine
from .quotes import is_wide

WIDTH = "punctuation.width"
FULL_STOP = "punctuation.full_stop"

FULL = {",": "，", ";": "；", ":": "：", "?": "？", "!": "！", "(": "（", ")": "）"}
_MARKS = re.compile(r"[,;:?!.](?:(?<!\.)|(?<!\.\.)(?!\.))")  # a dot beside a dot is no full stop
_BRACKETS = re.compile(r"[()（）]")
_BESIDE_A_MARK = frozenset("\n\"'“”‘’《》「」『』（）()")
_SPACES = " \t\xa0\u3000"
# closing marks and emphasis between a word and the mark that follows it
_CLOSERS = frozenset("”’\"'）》〉】」』〕)]*_`…—\0")
_CLOSERS_OR_SIGNS = _CLOSERS | frozenset("%)")
_BEHIND_A_WORD = _CLOSERS | frozenset(_SPACES)
_SENTENCE_BOUNDARY = frozenset("。！？；“‘「『\n")
_FARTHEST = 200  # characters that are looked back on to tell the language of a sentence
_EMOTICON = re.compile(r"[:;]['\-^]?[()DPpOo|](?![A-Za-z])")
_FACE = frozenset("'-^()DPpOo|")  # its second character
_WORDS = re.compile(r"[*_]*[A-Za-z][A-Za-z'-]+(?: [A-Za-z'-]+)+[*_]*")
_WORDS_PARTED = re.compile(r"[A-Za-z]{2},[A-Z][A-Za-z]")
_ABBREVIATION = re.compile(
    r"(?<![A-Za-z])(?:vs|etc|e\.g|i\.e|cf|Mr|Mrs|Ms|Dr|Prof|No|Vol|Fig|St|Jr|Sr|Inc|Ltd|Co|Corp|[A-Z])$"
)
_SHORT_NUMBER = re.compile(r"(?<![0-9A-Za-z.])[0-9]{1,2}$")
_NUMBERED = frozenset("图表卷章节号第版本期件圖號節")
_NO_MARK_AFTER = frozenset("，。；：、？！（《〈【「『“‘")
_NUMERALS = "一二三四五六七八九十百〇零甲乙丙丁"
# what may follow a dot inside a file name, an address or the number of a share: 说明.txt, 某某集团.HK
_SUFFIX = re.compile(
    r"(?i:txt|md|docx?|xlsx?|pptx?|pdf|jpe?g|png|gif|bmp|html?|exe|zip|rar|7z|csv|json|xml|ya?ml|py|js|ts|java|cpp|h|c|sh|bat|mp[34]|avi|"
    r"com|cn|net|org|gov|edu|tw|hk|us|sz|ss|n|o|l)(?![0-9A-Za-z])|[A-Z]\."
)
_QUESTIONS = frozenset("吗呢么吧嘛啊呀哪嗎麼誰谁何")
# Common characters of transcribed foreign names (as 世界人名翻译大辞典 and its peers write them), in both scripts:
# `卡尔.马克思` has a dot between names, not a full stop
_NAME_CHARACTERS = frozenset(
    "阿埃艾安昂奥巴白拜班邦保鲍贝本比彼宾波伯博勃布查达戴丹当德登邓迪蒂丁杜敦顿多尔恩法凡范方菲费芬弗夫福富盖甘高戈格葛古圭哈海汉翰豪赫亨洪胡华惠霍"
    "基吉加贾简杰金卡凯坎康考柯科克肯孔库夸奎昆拉莱赖兰朗劳勒雷黎里理利莉列林琳卢鲁路伦罗洛吕马玛迈麦曼芒毛梅门蒙米密明摩莫默姆慕穆纳娜南内尼妮年涅宁牛"
    "纽农努诺欧帕派潘庞佩彭皮平珀普契恰强乔切钦琼丘让热日荣茹瑞若撒萨塞赛桑瑟森沙莎珊绍舍申圣施什史士舒顺斯丝思松苏孙索塔泰坦汤唐陶特滕提田廷通图托瓦"
    "万汪旺威韦维伟魏温文翁沃乌吴武西希席夏香肖谢辛兴修休许逊雅亚延扬耶叶伊易因英尤于约越云泽曾扎詹珍芝兹朱卓孜佐爾奧貝賓達戴當頓爾凱劉蘭羅馬瑪麥門蒙納"
    "紐諾歐龐喬瓊讓瑟薩賽紹聖蘇湯陶圖萬韋維偉烏吳許遜亞揚葉約雲澤茲"
)
TOLD_APART = (frozenset(_NUMERALS), frozenset("第"), _NUMBERED, _QUESTIONS, _NAME_CHARACTERS)
"""The rules here ask of no other letters which ones they are."""


def brackets(line: MarkedLine, damaged: bool = True) -> None:
    """Widens pairs of round brackets that belong to Chinese text; both of a pair get the same width.

    damaged  False when the document writes its other marks in full width: then its ASCII brackets are its style, and
             only pairs of two widths are changed
    """
    text = line.joined()
    if "(" not in text and ")" not in text:
        return
    stack: list[int] = []
    for found in _BRACKETS.finditer(text):
        place = found.start()
        if line.is_protected(place):
            continue
        if found[0] in "(（":
            stack.append(place)
        elif stack:
            start = stack.pop()
            pair = line.text[start] + line.text[place]
            if pair in ("(）", "（)") or (pair == "()" and damaged and _bracket_is_chinese(line, start, place)):
                for one in (start, place):
                    if line.text[one] in FULL:
                        line.change(one, one + 1, FULL[line.text[one]], WIDTH)


def _bracket_is_chinese(line: MarkedLine, start: int, end: int) -> bool:
    inside = line.joined()[start + 1 : min(end, start + _FARTHEST)]
    left, right = line.char(start - 1), line.char(end + 1)
    if left in _SPACES and (LETTER.match(line.char(start - 2)) or _is_ascii_word(line.char(start - 2))):
        return False  # a text that puts spaces around ASCII brackets
    if LETTER.search(inside):
        return True
    if not any(map(str.isalnum, inside)):
        return False  # (^_^)
    if left == "\n":
        return inside.isdigit() and (bool(LETTER.match(right)) or right.isalpha())
    while start > 0 and left in " \"'”’…—,.;:?!":
        start -= 1
        left = line.char(start - 1)
    if is_wide(left):
        return True
    if _WORDS.fullmatch(inside):
        return is_wide(right) or _starts_chinese(line, end + 1) or (right in "\n,.;:?!" and _is_chinese(line, start))
    return False


def marks(line: MarkedLine, damaged: bool = True) -> None:
    """Widens , ; : ? ! and makes `.` a full stop `。` where they belong to a Chinese sentence.

    damaged    False when the document writes its other marks in full width: then a ? between two characters may be
               a character that was lost, and the marks beside spaces and Latin words are the author's
    """
    has_protected = line.has_protected()
    for found in _MARKS.finditer(line.joined()):
        place, char = found.start(), found[0]
        if place in line.changes or (has_protected and line.is_protected(place)):
            continue
        if char == ".":
            if _is_full_stop(line, place, damaged):
                line.change(place, place + 1, "。", FULL_STOP)
        elif _is_wide_mark(line, place, char, damaged):
            line.change(place, place + 1, FULL[char], WIDTH)


def _is_wide_mark(line: MarkedLine, place: int, char: str, damaged: bool) -> bool:
    left, right = line.beside(place)
    if char != "?" and "一" <= left <= "龥" and "一" <= right <= "龥":
        return True  # the common case, fast
    if char in ":;" and right in _FACE and _EMOTICON.match("".join(line.text[place : place + 4])):
        return False
    if left == "\n":
        return char in ",;" and bool(LETTER.match(right))
    if left in _NO_MARK_AFTER and not (left in "？！" and char in "?!"):
        return False
    if not damaged and _is_authors(char, left, right):
        return False
    if left in _SPACES and _is_spoken_of(line, place):
        return False
    if left in ",;:" or right in "=)" or (right == "." and line.char(place + 2) != "."):
        return False
    if is_wide(_word_before(line, place)):
        return True
    if _is_ascii_word(right):
        return char == "," and damaged and _parts_words(line, place)
    if "一" <= right <= "龥" or LETTER.match(right) or right in "“‘《「『（":
        return True
    if right == " " and line.char(place + 2) == "\n":
        right = "\n"
    if (char == "!" and right in _SPACES) or (is_wide(right) and right in MARKS) or not _is_chinese(line, place):
        return False
    return right == "\n" or right in _CLOSERS or _starts_chinese(line, place + 1)


def _parts_words(line: MarkedLine, place: int) -> bool:
    """Whether a comma without a space parts two Latin words of a Chinese sentence: in English a space would follow. The
    second one must begin with a capital letter: `id,name` is code."""
    around = "".join(line.text[max(0, place - 2) : place + 3])
    return _WORDS_PARTED.fullmatch(around) is not None and _is_chinese(line, place)


def _is_spoken_of(line: MarkedLine, place: int) -> bool:
    """Whether a mark behind a space does not belong to the words around it: `写成 :? 即可`, `.git`."""
    right = line.char(place + 1)
    if right in _SPACES:
        right = line.char(place + 2)
    elif _is_ascii_word(right):
        return True  # .git, !important
    if not (right.isalnum() or LETTER.match(right) or right in _BESIDE_A_MARK):
        return True
    before = line.char(place - 2)
    return not ("一" <= before <= "龥" or LETTER.match(before) or _is_ascii_word(before) or before in _CLOSERS_OR_SIGNS)


def _is_authors(char: str, left: str, right: str) -> bool:
    """Whether a mark may be meant in a document whose marks have full width."""
    if char == "?" and LETTER.match(left) and LETTER.match(right):
        return left not in _QUESTIONS  # else it may be a character that was lost
    return left.isascii() or (char == ":" and right in _SPACES)


def _is_full_stop(line: MarkedLine, place: int, damaged: bool) -> bool:
    left, right = line.beside(place)
    if left in ".,;:?!\n" or right == "." or left in _NO_MARK_AFTER:
        return False
    if left in _SPACES:
        before = line.char(place - 2)
        return damaged and (is_wide(before) or before in "”’\"'%") and not _is_spoken_of(line, place)
    word = _word_before(line, place)
    if not is_wide(word):
        return _ends_chinese_sentence(line, place)
    if _is_ascii_word(right):
        if left in _NUMERALS or _SUFFIX.match("".join(line.text[place + 1 : place + 9])):
            return False
        return not right.isdigit() or (damaged and left not in _NUMBERED)
    if left in _NUMERALS and _begins_line(line, place):
        return False
    return not (LETTER.match(right) and _is_between_names(line, place))


def _ends_chinese_sentence(line: MarkedLine, place: int) -> bool:
    """Whether a dot behind Latin letters or digits ends a Chinese sentence."""
    right = line.char(place + 1)
    if _is_ascii_word(right) or not _is_chinese(line, place):
        return False
    before = "".join(line.text[max(0, place - 12) : place])
    if _ABBREVIATION.search(before):
        return False
    if right == "\n" or right in "”’\"'）)」』":
        return True
    if _SHORT_NUMBER.search(before):
        return False  # 1.总则
    return bool(LETTER.match(right)) or right in "“‘《「『（" or _starts_chinese(line, place + 1)


def _is_between_names(line: MarkedLine, place: int) -> bool:
    around = line.text[max(0, place - 2) : place] + line.text[place + 1 : place + 3]
    return all(char in _NAME_CHARACTERS for char in around if char != "\n") and len(around) >= 3


def _begins_line(line: MarkedLine, place: int) -> bool:
    """Whether nothing but a short number stands before: `一.`, `十二.`, `第一.`"""
    return place <= 5 and all(char in _NUMERALS + "第 \u3000" for char in line.text[:place])


def _word_before(line: MarkedLine, place: int) -> str:
    """The last letter (or wide mark) before a place, behind closing marks and one space; a line break for none."""
    place -= 1
    before = line.text[place] if place >= 0 else "\n"
    if before not in _BEHIND_A_WORD:
        return before
    if before in _SPACES:
        word = line.char(place - 1)
        if "一" <= word <= "龥" or LETTER.match(word):
            return word
    lowest = place - 6
    while place > lowest and line.char(place) in _CLOSERS:
        if line.char(place) in "）》】」』〉":
            return line.char(place)
        place -= 1
    return line.char(place)


def _is_chinese(line: MarkedLine, place: int) -> bool:
    """Whether the sentence before a place has a Chinese letter."""
    for i in range(place - 1, max(-1, place - _FARTHEST), -1):
        char = line.text[i]
        if char in _SENTENCE_BOUNDARY:
            return False
        if LETTER.match(char):
            return True
    return False


def _starts_chinese(line: MarkedLine, place: int) -> bool:
    """Whether Chinese follows behind a space."""
    if line.char(place) not in _SPACES:
        return False
    return is_wide(line.char(place + 1)) or line.char(place + 1) in "“‘"


def _is_ascii_word(char: str) -> bool:
    return char.isascii() and (char.isalnum() or char in "_/\\@#$&+-=<{[")
