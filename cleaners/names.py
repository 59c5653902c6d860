"""Bylines and credits: lines that name who wrote an article or took a picture."""

from __future__ import annotations

import re
from functools import cache, lru_cache

LONGEST_LINE = 60
"""A byline or credit is shorter, in characters; longer ones are read as prose."""

MOST_NAMES = 8
"""A row of names alone has at most so many."""

_WIDTH = {i + 0xFEE0: chr(i) for i in range(0x21, 0x7F)} | {0x3000: " ", 0xA0: " ", 0x09: " ", 0x0A: " "}
_WIDTH |= dict.fromkeys((0x4E28, 0x2502, 0x4E36), "|")  # 文丨张三: a stroke in place of a bar
_HAS_WIDTH = re.compile("[" + re.escape("".join(map(chr, _WIDTH))) + "]")

_MARKS = "□■◎●○◇◆▲△☆★"

# Words for functions in Traditional script, read as their Simplified forms; names are never read that way.
_TRADITIONAL = {
    "記者": "记者", "通訊員": "通讯员", "實習": "实习", "見習": "见习", "評論員": "评论员", "特約": "特约",
    "攝影": "摄影", "報導": "报导", "報道": "报道", "編輯": "编辑", "編譯": "编译", "譯者": "译者", "翻譯": "翻译",
    "撰寫": "撰写", "採訪": "采访", "採寫": "采写", "專欄": "专栏", "執筆": "执笔", "圖文": "图文", "文圖": "文图",
    "圖/": "图/", "/圖": "/图", "綜合": "综合", "責任": "责任", "本報": "本报", "聞網": "闻网", "日報": "日报",
    "晚報": "晚报", "合報": "合报", "時報": "时报",
}  # fmt: skip
_TRADITIONAL_WORDS = re.compile("|".join(_TRADITIONAL))
_TRADITIONAL_SIGNS = re.compile("[記訊實見評約攝導報輯編譯寫採專執圖綜責聞時]")  # each of these words has one of them

# what stands before a name, with or without a mark between: 文/图 本报记者, 作者:
_LABEL = re.compile(
    r"(?P<label>(?:[一-龥]{0,6}(?:记者|通讯员|实习生|评论员|作者|作家|撰稿人?|撰文|撰写|采写|执笔|供稿|整理|编译|译者|翻译)"
    r"|文/图|图/文|图文|文图|文、图|文字?|图|摄影/?|摄|口述|漫画|制图))(?: ?[:/|] ?| +)"
)
_LEADING = re.compile(
    r"(?:(?:[一-龥]{2,6}?(?=见习|实习|首席|特约|特派|驻站)|本报|本刊|本网|本台|本社"
    r"|(?:[一-龥]{1,8}[报网社台云刊][·/])?[一-龥]{1,8}(?:报|网|社|台|云|融媒|新闻|周刊|客户端|经)) ?)?"
    r"(?:全媒体|融媒体?|特约|见习|实习|首席|高级|资深|特派|驻站|摄影|文字|视频|前方){0,3}"
    r"(?:记者|实习生|通讯员|评论员|撰稿人?|特约作者|专栏作家|专栏作者|主笔)"
)
_FUNCTION = re.compile(_LEADING.pattern + "|" + _LABEL.pattern)
_OTHER_STAFF = re.compile(r"(?:编辑|责编|校对|审核|审校|监制|主编|排版|美编|统筹|策划)(?: ?[:/|]| )")
_TAIL = re.compile(
    r" ?(?:摄影报道|图文报道|摄影|摄制|摄|文/图|图/文|文并摄|图文|文图|文|图|编译|整合|整理|综合|报道|供图|供稿|执笔"
    r"|绘|画)$"
)
_NAME = re.compile(
    r"[一-龥]{2,4}|[一-龥]{1,8}(?:·[一-龥]{1,8}){1,3}"
    r"|[A-Z][A-Za-z.'-]{1,20}(?: [A-Z][A-Za-z.'-]{0,20}){0,3}"
)
_ORGANISATION = re.compile(
    r"[一-龥]{1,16}(?:宣|社|部|办|委|局|厅|处|院|会|组|中心|评论员|工作室|频道|报|网|台|站|厂|校|大学|公司)"
)
_REPORTS_FROM = re.compile(r" ?/[一-龥]{2,8}(?:报道|报导)$")  # 記者周一鳴／江東報導
_PLACE = re.compile(r"[省市县区州盟旗镇乡村国京]$")
_ASIDE = re.compile(r"[(\[][^()\[\]]{0,30}[)\]]")
_EDITORIAL = re.compile(r"[一-龥]{0,8}(?:评论员|编辑部)(?:文章)?")
_SPLIT = re.compile(r"[ 、,;/|&]+|(?<=[一-龥])和(?=[一-龥])")
# endings of clauses that look like names: 记者了解到, 通讯员反映
_NO_NAME = re.compile(
    r"了解|获悉|看到|从|说|在|来到|报道|注意|发现|采访|走进|联系|证|节|会上|团|站|们|问|手记|观察|调查|协会|简介|单位|教授|注释|附录|导读|摘要|目录"
)

# what questions and answers say behind 记者：
_IN_NO_NAME = re.compile("[您你我他她它们吗呢吧了的这么]|谢谢|什|怎")

_SURNAMES = frozenset(
    "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜戚谢邹喻柏水窦章云苏潘葛奚范彭郎鲁韦昌马苗凤花方俞任袁柳酆鲍史唐"
    "费廉岑薛雷贺倪汤滕殷罗毕郝邬安常乐于时傅皮卞齐康伍余元卜顾孟平黄和穆萧尹姚邵湛汪祁毛禹狄米贝明臧计伏成戴谈宋茅庞熊纪舒屈项祝董梁"
    "杜阮蓝闵席季麻强贾路娄危江童颜郭梅盛林刁钟徐邱骆高夏蔡田樊胡凌霍虞万支柯昝管卢莫经房裘缪干解应宗丁宣贲邓郁单杭洪包诸左石崔吉钮龚"
    "程嵇邢滑裴陆荣翁荀羊於惠甄曲家封芮羿储靳汲邴糜松井段富巫乌焦巴弓牧隗山谷车侯宓蓬全郗班仰秋仲伊宫宁仇栾暴甘钭厉戎祖武符刘景詹束龙"
    "叶幸司韶郜黎蓟薄印宿白怀蒲邰从鄂索咸籍赖卓蔺屠蒙池乔阴胥能苍双闻莘党翟谭贡劳逄姬申扶堵冉宰郦雍璩桑桂濮牛寿通边扈燕冀郏浦尚农温别"
    "庄晏柴瞿阎充慕连茹习宦艾鱼容向古易慎戈廖庾终暨居衡步都耿满弘匡国文寇广禄阙东欧殳沃利蔚越夔隆师巩厍聂晁勾敖融冷訾辛阚那简饶空曾沙"
    "乜养鞠须丰巢关蒯相查后荆红游竺权盖益桓公涂肖岳付仝闫覃佟原苑代岩尧晋楚藏海苟税岱仓翦呼"
    "趙錢孫鄭馮陳衛蔣韓楊許呂張嚴華陶謝鄒竇雲蘇鳳范魯韋馬費雷賀湯羅畢鄔樂時傅齊顧蕭紀項閔賈婁顏駱盧萬經應鄧單諸龔陸榮車寧厲劉葉龍喬聞黨譚勞連"
)


_DOUBLE_SURNAMES = frozenset(
    [
        "欧阳",
        "司马",
        "上官",
        "诸葛",
        "东方",
        "皇甫",
        "尉迟",
        "公孙",
        "慕容",
        "司徒",
        "令狐",
        "夏侯",
        "端木",
        "长孙",
        "独孤",
    ]
)


def authors(byline: str) -> list[str]:
    """The names in a byline, in order: "□宏章 周桐" -> ["宏章", "周桐"].

    Outlets and functions (本报见习记者), marks (□) and what was done (摄, 文/图) are taken off.  An organisation
    in place of a name (蒙组宣, 本报编辑部) counts as one.  [] when the line is no byline.
    """
    return list(_known_authors(byline) if len(byline) <= 2 * LONGEST_LINE else _authors(byline))


def _authors(byline: str) -> tuple[str, ...]:
    if len(byline) > LONGEST_LINE and len("".join(byline.split())) > LONGEST_LINE:
        return ()  # prose
    written, line = _flat(byline)
    if not line or len(line) > LONGEST_LINE:
        return ()
    bare = _unwrapped(_REPORTS_FROM.sub("", line) if "/" in line else line)
    if line == written and (found := _simple(bare)):
        return tuple(dict.fromkeys([name for name in found if name not in _OFFICES] or found))
    if _EDITORIAL.fullmatch(bare):
        return (bare.removesuffix("文章"),)
    if line[0] in "([【" and _DEPARTMENT_AND_PEOPLE.fullmatch(bare):
        return tuple(people) if all(map(is_person, people := bare.split()[1:])) else ()
    found = [name for part in _parts(bare) for name in _names(part)]
    found = [name for name in found if name not in _OFFICES] or found
    if line == written:
        return tuple(dict.fromkeys(found))
    return tuple(_as_written(name, line, written) for name in dict.fromkeys(found))


_OFFICES = frozenset(
    office
    for row in (
        "校长 副校长 院长 副院长 书记 副书记 主任 副主任 会长 局长 副局长 市长 县长 部长 处长 主席 经理 总经理 董事长",
        "教授 老师 博士 医生 馆长 社长 台长 主编 总编辑 校長 院長 會長 局長 市長 縣長 部長 處長 董事長 館長 社長 台長",
    )
    for office in row.split()
)
"""Beside a name they say what its bearer is: 校长 韩志强."""


_known_authors = lru_cache(1 << 13)(_authors)  # of short lines, which are asked about again and again


def _unwrapped(line: str) -> str:
    """Without marks around it; a bracket at its end only goes when none opens inside: 周思远 (Simon Zhou)."""
    line = line.strip(_MARKS + " .。").lstrip("()[]【】〔〕 " + _MARKS)
    return line if line.count("(") == line.count(")") > 0 else line.rstrip("()[]【】〔〕 .。" + _MARKS)


def _flat(line: str) -> tuple[str, str]:
    """The line in ASCII marks and single spaces, as it is written, and with functions in Simplified script."""
    return _flattened(line) if len(line) > 2 * LONGEST_LINE else _known_flat(line)


def _flattened(line: str) -> tuple[str, str]:
    if _HAS_WIDTH.search(line):
        line = line.translate(_WIDTH)
    written = " ".join(line.split())
    if "·" in written or "・" in written:
        written = _POINT.sub(r"\1/", written)
    if not _TRADITIONAL_SIGNS.search(written):
        return written, written
    return written, _TRADITIONAL_WORDS.sub(lambda match: _TRADITIONAL[match[0]], written)


_known_flat = lru_cache(1 << 13)(_flattened)  # of short lines: each test of a line asks again

_POINT = re.compile("(?<![一-龥])(文|图|摄影|图文|圖)[·・]")  # 文·张三


def _as_written(name: str, line: str, written: str) -> str:
    """The name as it stands in the line that the flat line was made of."""
    at = line.find(name)
    return name if at < 0 else written[at : at + len(name)]


def is_byline(line: str) -> bool:
    """True if the line, by its form, does nothing but say who wrote: 本报记者 白丹 · □蒙组宣 · 作者:张三.

    A bare name (王小明) is none: that is for the caller to judge by its place."""
    if line.rstrip()[-1:] in _SENTENCE_MARKS or not _BYLINE_SIGNS.search(line):
        return False
    return _is_byline(line) if len(line) > 2 * LONGEST_LINE else _is_known_byline(line)


# in brackets, in a row of its own below a report: （图书馆 纪兰）
_DEPARTMENT = re.compile("[一-龥]{1,12}(?:馆|学院|系|部|处|科|办|办公室|中心|团委|学生会|公司|局|院|所|站)")
_DEPARTMENT_AND_PEOPLE = re.compile(_DEPARTMENT.pattern + "(?: [一-龥]{2,4}){1,3}")


def _is_byline(line: str) -> bool:
    flat = _flat(line)[1]
    if not flat or len(flat) > LONGEST_LINE or flat[-1] in "。!?;,…":
        return False
    has_mark = _BEHIND_FUNCTION.search(flat) is not None
    if has_mark and _OTHER_STAFF.search(flat):
        return False
    bare = flat.strip("()[]【】〔〕 ")
    if not bare:
        return False
    if bare[0] not in _MARKS and 0 < len(_simple(bare)) <= MOST_NAMES:
        return not is_credit(line)
    if _EDITORIAL.fullmatch(bare):
        return True
    if bare != flat and _DEPARTMENT_AND_PEOPLE.fullmatch(bare) and all(map(is_person, bare.split()[1:])):
        return True
    if bare[0] in _MARKS and not is_credit(line):
        rest = bare.lstrip(_MARKS + " ")
        return (bool(_LEADING.match(rest)) and bool(authors(rest))) or _all_names(rest)
    if (_LEADING_SIGNS.search(bare) and _LEADING.match(bare)) or (has_mark and _LABEL.match(bare)):
        return not is_credit(line) and bool(authors(bare)) and _is_whole(bare)
    return False


_is_known_byline = lru_cache(1 << 13)(_is_byline)  # of short lines, which are asked about again and again


def is_credit(line: str) -> bool:
    """True if the line does nothing but say who took, drew or provided pictures: 唐璇博 摄 · 图/李四 · (张三供图)."""
    return _PICTURE.search(line) is not None and _is_credit(line)


@lru_cache(256)  # is_byline asks once more, right behind the first who asked
def _is_credit(line: str) -> bool:
    flat = _flat(line)[1].strip("()[]【】〔〕 。" + _MARKS)
    if not flat or len(flat) > LONGEST_LINE or _WRITER.match(flat):
        return False
    return _credit_forms().fullmatch(flat) is not None


_SENTENCE_MARKS = frozenset("。！？；，…!?;,")
_BYLINE_SIGNS = re.compile(f"[者员員生稿文写寫笔筆理译譯图圖摄攝述画部家(（{_MARKS}]")
"""Each function of _LEADING, _LABEL and _EDITORIAL, in both scripts, has one of these, or a mark or a bracket begins
the line."""
_PICTURE = re.compile("[摄攝图圖绘繪漫照视視]")  # each of _credit_forms has one of them
SIGNS = re.compile(f"{_BYLINE_SIGNS.pattern}|{_PICTURE.pattern}".replace("]|[", ""))
"""Every byline and every credit has one of these."""
_LEADING_SIGNS = re.compile("[者员生稿家笔]")  # each function of _LEADING has one of these, behind its first character
_BEHIND_FUNCTION = re.compile("[ :/|]")  # stands behind each of _OTHER_STAFF and _LABEL


# a writer's function with its mark: what follows names a photographer at most beside him
_WRITER = re.compile(r"(?:撰文|撰稿|采写|文字|作者|文) ?[:/|] ?[一-龥]{2,4}(?= |$)")
_PHOTOGRAPHER = re.compile(r"(?:摄影|摄|图片?|漫画|制图|绘图) ?[:/|]")


@cache
def _credit_forms() -> re.Pattern[str]:
    names = r"(?:[一-龥]{2,4}|[一-龥]{1,6}·[一-龥·]{1,10})(?:[ 、/][一-龥·]{2,8}){0,4}"
    who = rf"(?:[一-龥]{{0,8}}(?:记者|通讯员|实习生|记者站)[ :]?)?{names}"
    forms = (
        rf"{who} ?(?:[(]?(?:摄|攝|摄影|供图|图|绘|摄影报道|制图|绘图|漫画)[)]?)(?:/[一-龥]{{2,8}})?",
        rf"(?:图|摄影|摄|图片|供图|制图|绘图|漫画|图片来源|资料图|图源|图片摄影)(?: ?[:/|] ?){who}",
        r"(?:本版|本文|本组|本专题|文中|文内|以上|均为)?(?:图片|照片|配图|插图)(?:除[一-龥]{1,8}外)?(?:均|全部|都)?由[^。!?]{2,45}(?:提供|拍摄|摄|供图)",
        r"[^,。!?;:]{2,30}供图",
        r"资料图片?|资料照片|图片来源[:/ ]?[^,。!?;]{2,20}|图源[:/ ]?[^,。!?;]{2,20}|来源[:/ ]?视觉中国|视觉中国 ?图",
    )
    return re.compile("|".join(f"(?:{form})" for form in forms))


@lru_cache(256)  # is_byline asks twice, one time right behind the other: do not change answers
def _parts(line: str) -> list[str]:
    """Pieces of a byline, each with the names of one function, the function taken off."""
    cuts: list[re.Match[str]] = []
    at = 0
    while match := _function(line, at):
        if _starts_piece(line, match.start()):
            cuts.append(match)
        at = match.end()
    if not cuts:
        return [line]
    pieces = [line[: cuts[0].start()]] if cuts[0].start() else []
    for one, following in zip(cuts, [*cuts[1:], None], strict=True):
        if _PHOTOGRAPHER.match(one[0]) and not line.startswith("文/") and _WRITER.match(line):
            continue
        pieces.append(line[one.end() : following.start() if following else len(line)])
    return pieces


def _function(line: str, at: int) -> re.Match[str] | None:
    """The first function behind that place; only those are looked for of which the line has a sign."""
    leads, has_mark = _LEADING_SIGNS.search(line, at + 1), _BEHIND_FUNCTION.search(line, at + 1)
    if has_mark:
        return (_FUNCTION if leads else _LABEL).search(line, at)
    return _LEADING.search(line, at) if leads else None


def _starts_piece(line: str, at: int) -> bool:
    return at == 0 or line[at - 1] in " 、,;/|():" + _MARKS


_PLAIN = re.compile("[一-龥]{2,4}(?:[ 、,]+[一-龥]{2,4}){0,30}")
_NOT_PLAIN = re.compile(
    "[和摄图文编整综报供执绘画馆院系部处科办室心委会司局所站"
    "您你我他她它们吗呢吧了的这么谢什怎获看从说在来注发采走联证节团问手观调协简单教附导摘目]"
)
"""Characters of which _SPLIT, _TAIL, _DEPARTMENT, _NO_NAME and _IN_NO_NAME each need one in a plain list of names."""


_SIMPLE = re.compile(f"[ :/|、,;]*+({_PLAIN.pattern})")
_NOT_SIMPLE = re.compile(_NOT_PLAIN.pattern[:-1] + "者员生稿家笔写译述撰]")
"""And every function has one of these."""


_NAMES_BEHIND = re.compile(f"(?:(?!{_NOT_SIMPLE.pattern})[一-龥]){{2,4}}(?:[ 、,;/|]+|$)")


@lru_cache(256)  # who wrote is asked right behind whether it is a byline: do not change answers
def _simple(bare: str) -> list[str]:
    """The names in a line of one function and names that are nothing but names, as most bylines are (本报记者 周一鸣),
    or of labels with such names (图/周一鸣 文/李佳); [] for all others, which are read piece by piece."""
    if not _LEADING_SIGNS.search(bare):
        return _labelled(bare)
    match = _LEADING.match(bare)
    people = match and _SIMPLE.fullmatch(bare, match.end())
    return _SPLIT.split(people[1]) if people and not _NOT_SIMPLE.search(people[1]) else []


def _labelled(bare: str) -> list[str]:
    found: list[str] = []
    at, size = 0, len(bare)
    while at < size:
        label = _LABEL.match(bare, at)
        one = label and _NAMES_BEHIND.match(bare, label.end())
        if not label or not one or (at and _PHOTOGRAPHER.match(label[0]) and not bare.startswith("文/")):
            return []
        while one:
            found.append(one[0].rstrip(" 、,;/|"))
            at = one.end()
            one = _NAMES_BEHIND.match(bare, at)
    return found


def _is_plain(text: str) -> bool:
    """True for names of two to four characters of which none has a character that may be part of anything else: a cheap
    test, for most bylines."""
    return _PLAIN.fullmatch(text) is not None and not _NOT_PLAIN.search(text)


def _names(piece: str) -> list[str]:
    piece = piece.strip(" :/|、,;" + _MARKS)
    if _is_plain(piece):
        return _SPLIT.split(piece)
    piece = _unwrapped(piece).strip(" :/|、,;" + _MARKS)
    reports_from = piece.endswith("报道")
    while (cut := _TAIL.search(piece)) and (cut.start() >= 2):
        piece = piece[: cut.start()].rstrip(" /(")
    pieces = _spaced_names([p for p in _SPLIT.split(_ASIDE.sub(" ", piece)) if p])
    if reports_from and len(pieces) > 1 and (_PLACE.search(pieces[-1]) or not is_person(pieces[-1])):
        pieces.pop()  # 记者 张三 山东冠县报道: the place
    if len(pieces) > 1 and _DEPARTMENT.fullmatch(pieces[0]) and all(map(is_person, pieces[1:])):
        del pieces[0]  # 图书馆 张三
    named = [p for p in pieces if _NAME.fullmatch(p) or _ORGANISATION.fullmatch(p)]
    return [p for p in named if not _NO_NAME.match(p) and not _IN_NO_NAME.search(p)]


def is_department(text: str) -> bool:
    """True if `text` ends like the name of a department that writes (蒙组宣), not like that of an outlet."""
    return _ORGANISATION.fullmatch(text) is not None and text[-1] not in "报网台站"


def _spaced_names(pieces: list[str]) -> list[str]:
    """Joins two-character names that were spaced out (张 三) and the words of Latin names."""
    joined: list[str] = []
    for piece in pieces:
        single = len(piece) == 1 and not piece.isascii()
        latin = piece.isascii() and piece[:1].isupper()
        if joined and (
            (single and len(joined[-1]) == 1 and joined[-1] in _SURNAMES)
            or (latin and joined[-1].isascii() and joined[-1][:1].isupper())
        ):
            joined[-1] += piece if single else " " + piece
        else:
            joined.append(piece)
    return joined


def _all_names(text: str) -> bool:
    if _is_plain(text):
        return len(_SPLIT.split(text)) <= MOST_NAMES
    pieces = _spaced_names([p for p in _SPLIT.split(_TAIL.sub("", text).strip()) if p])
    return (
        0 < len(pieces) <= MOST_NAMES
        and not _IN_NO_NAME.search(text)
        and all(_NAME.fullmatch(p) or _ORGANISATION.fullmatch(p) for p in pieces)
    )


def _without_tail(piece: str) -> str:
    bare = piece.strip(" :/|、,;")
    return bare if _is_plain(bare) else _TAIL.sub("", _ASIDE.sub("", piece).strip(" :/|、,;()"))


def _is_whole(line: str) -> bool:
    """Nothing but functions and names stands in the line."""
    line = _REPORTS_FROM.sub("", line)
    rest = [_without_tail(p) for p in _parts(line)]
    rest = [p for p in rest if p]
    if not rest or any(_NO_NAME.match(p) for p in rest):
        return False
    return all(_all_names(p) for p in rest)


LONGEST_DATELINE = 60
"""江东讯 记者周一鸣报道： stands within so many characters of an article's beginning."""

_IN_LEAD = re.compile(
    r"[(\[【]((?:[一-龥·/]{0,14}(?:记者|通讯员|实习生|评论员|特派员)|文/图|图/文|文|撰文|采写|作者)"
    r"[ :/]?[^()\[\]【】。!?;]{2,50})[)\]】]"
)
_AT_END = re.compile(r"[。!?”…]?[(\[]([^()\[\]。!?;]{2,40})[)\]]$")
_LEAD_SIGNS = re.compile("[(（[［【者员員]")  # _IN_LEAD and _REPORTS need one of them
CLOSING = frozenset(")）]］")  # and _AT_END one of these
_TOOK_PART = re.compile(r"(?:参与|协助|此外)[一-龥]{2,4}[:/ ]")  # 参与采写:, 参与记者:
_SAYS_WHO = re.compile(
    r"[一-龥·/]{0,14}(?:记者|通讯员|实习生|评论员)|文/图|图/文|文|撰文|采写|作者|编译|整理|执笔|供稿"
)


_REPORTS = re.compile(
    r"(?:^|讯 ?|电 ?)[(]?(?:本报|本网|本台|[一-龥]{2,8}[报网社台])?(?:记者|通讯员) ?(?P<names>[一-龥·、 ]{2,20}?) ?"
    r"(?:报道|报导|摄影报道|综合报道)(?=[:,。 )])"
)


def signed(paragraph: str, bare: bool = True) -> list[str]:
    """The names in brackets inside a paragraph of prose that say who wrote the article: 本报讯（记者 张三 李四）…,
    or at its very end (see signed_at_end).  For the first paragraphs of an article only: elsewhere brackets name
    other people.  Looks at the first 120 and the last 60 characters.
    """
    if not _LEAD_SIGNS.search(paragraph, 0, 120):
        return signed_at_end(paragraph, bare)
    written, flat = _flat(paragraph[:120])
    if match := _IN_LEAD.search(flat):
        return authors(_IN_LEAD_TAIL.sub("", written[match.start(1) : match.end(1)]))
    if ("记者" in flat or "通讯员" in flat) and (match := _REPORTS.search(flat[:LONGEST_DATELINE])):
        people = [p for p in _SPLIT.split(match["names"]) if p]
        if all(map(is_person, people)):
            return authors("记者:" + written[match.start("names") : match.end("names")])
    return signed_at_end(paragraph, bare)


def signed_at_end(paragraph: str, bare: bool = True) -> list[str]:
    """The names in brackets at the very end of a paragraph: …（文/图 张三）, …（编译/张三）; with `bare`, also names
    without a function: …（张三）.  Not a credit: …（张三 摄）.  Looks at the last 60 characters."""
    end = paragraph[-60:]
    if end.rstrip()[-1:] not in CLOSING:
        return []
    written, flat = _flat(end)
    match = _AT_END.search(flat)
    if not match:
        return []
    inside, exact = match[1].strip(), written[match.start(1) : match.end(1)].strip()
    if is_credit(inside) or len(inside) < 2:
        return []
    took_part = _TOOK_PART.match(inside)
    if took_part:
        return authors("记者:" + exact[took_part.end() :])
    if _SAYS_WHO.match(inside):
        return _before_title(exact) or (authors(exact) if is_byline(inside) else [])
    pieces = _spaced_names([p for p in _SPLIT.split(inside) if p])
    stop = match[0][0]  # behind a quotation, one name may be that of who is quoted
    if (
        bare
        and (stop in "。!?…" or (stop == "”" and len(pieces) > 1))
        and "," not in inside
        and 0 < len(pieces) <= 4
        and all(map(is_person, pieces))
    ):
        return authors(exact)
    return []


_TITLED = re.compile(
    r"作者[:为是]? ?([^,，;；]{2,16})[,，;；](?:系|为|是|单位|来自|[^,，]{0,20}(?:大学|学院|研究|教授|作家|委员))"
)


def _before_title(inside: str) -> list[str]:
    """作者:周一鸣,系江东大学教授 -> 周一鸣."""
    match = _TITLED.match(inside.translate(_WIDTH))
    return authors("作者:" + inside[match.start(1) : match.end(1)]) if match else []


_IN_LEAD_TAIL = re.compile(r" ?(?:整合|综合|报道|报导|摄影|整理|编译|发自[一-龥]{2,8}|[一-龥]{2,6}报道)$")


_NOT_NAMES = (
    "原创 关注 楼主 方法 高清 时政 时评 时事 文化 文艺 文学 文旅 时尚 安全 安徽 江苏 江西 江南 江东 江北 "
    "云南 贵州 海南 海外 宁夏 宁波 温州 广东 广西 广州 广告 山东 山西 黄山 苏州 杭州 常州 常识 常德 单位 "
    "何时 何处 成都 成功 成果 高考 高校 高中 高新区 党建 党委 党史 党员 房产 司法 钟表 都市 包装 万象 "
    "方案 方言 管理 管理员 应用 应急 解读 解放 安排 全部 全文 全国 公司 公告 公示 公益 公开 经济 宣传部 "
    "宣传 通知 通讯 通知书 和平 边疆 农业 农村 乐活 乐园 通讯员 项目 古典 路况 车市 车讯 计划 习惯 台湾 "
    "明星 明天 万里 华人 史话 国际 国内 国家"
)
_NO_PERSON = frozenset(_NOT_NAMES.split())
"""Words that begin with a surname and stand where names do: sections, places, buttons."""


def is_person(text: str) -> bool:
    """True if `text` looks like one Chinese person's name: a usual surname and one or two more characters (after a
    surname of two characters: four in all)."""
    if not _NAME.fullmatch(text) or text in _NO_PERSON:
        return False
    return text[:2] in _DOUBLE_SURNAMES if len(text) == 4 else len(text) <= 3 and text[0] in _SURNAMES
