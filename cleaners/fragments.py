"""Fragments: paragraphs whose beginning or end is lost.

What is lost cannot be known, so fragments are found and marked, never completed. Pure functions; precision comes
before recall, because a flag on sound text costs a reader's trust.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

# A paragraph beginning so lost what stood before. Not … and —, which begin interrupted speech and subtitles.
_BEGINS_NOTHING = "，、；：。！？）】》〉”’」』,;)]"
_BEFORE_NOTHING = frozenset([*_BEGINS_NOTHING, *filter(str.isspace, map(chr, range(1 << 16)))])  # or space before it
_CANNOT_BEGIN = re.compile(rf"\s*[{re.escape(_BEGINS_NOTHING)}](?=\s*[\u3400-\u9fff])")
_FIRST_CLAUSE = re.compile(r"\s*([\u3400-\u9fff]{1,2})[，,]")
_SENTENCE_ENDS = frozenset("。！？!?…；;：:”’」』）)】》〉]>—～~.")
_HAN = re.compile(r"[\u3400-\u9fff]")
_SENTENCE_MARK = re.compile(r"[。！？!?]")
_SPEECH = re.compile(r"[说說讲講道曰][，,]\s*\Z")
_ENTRY = re.compile(r"\s*(?:[“「『\"]|[(（]?[\d零〇一二三四五六七八九十]+[)）、.．]|[•●■◆▲★·*-])")

# Words that stand alone before a comma at the beginning of a sound paragraph, with a space before and behind each.
_OPENERS = (
    " 同时 此外 另外 目前 当前 日前 近日 近来 近期 近年 今年 去年 明年 前年 昨天 今天 明天 昨日 今日 "
    " 明日 当天 当日 当时 当年 当晚 次日 翌日 眼下 如今 现在 而今 此前 此后 此时 此刻 此间 此次 此事 "
    " 之后 之前 后来 然后 随后 随即 接着 最后 最终 最初 起初 首先 其次 再次 再者 第一 第二 第三 第四 "
    " 第五 一是 二是 三是 四是 五是 其一 其二 其三 总之 综上 因此 因而 所以 于是 故此 为此 对此 据此 "
    " 由此 至此 但是 但 然而 不过 可是 可 只是 而且 并且 况且 何况 而 且 其实 其中 其间 其后 期间 "
    " 据悉 据说 例如 比如 譬如 诸如 又如 再如 或者 或许 也许 可能 当然 显然 果然 诚然 固然 虽然 尽管 "
    " 即使 如果 假如 倘若 要是 不久 不料 尤其 可见 看来 是的 不 对 好 好的 哦 啊 嗯 唉 哎 哈哈 喂 "
    " 先生 小姐 各位 你看 我想 我说 他说 她说 那天 那年 那时 这天 这时 这样 那么 这么 如此 同样 相反 "
    " 反之 否则 不然 结果 原来 原因 一般 通常 平时 平日 以前 以后 从前 从此 过去 未来 今后 将来 早上 "
    " 上午 中午 下午 傍晚 晚上 夜里 凌晨 清晨 早晨 春天 夏天 秋天 冬天 春节 节日 会上 会后 会前 会议 "
    " 为了 关于 至于 对于 鉴于 另 又 再 还有 还 即 如 若 故 则 盖 夫 且说 却说 话说 忽然 突然 谁知 "
    " 哪知 岂知 幸好 幸亏 次早 早起 俄顷 俄而 呜呼 注意 至少 相比 最近 少顷 须臾 良久 半晌 看官 列位 "
    " 诸位 所幸 所谓 说罢 言毕 言罢 闻言 见状 试想 无奈 依此 从而 进而 继而 反正 索性 干脆 确实 的确 "
    " 诚如 正如 正因 鉴此 "
)
_OPENING_ENDS = frozenset(
    "后後时時前中间間来來上下里裡内內外初末底日月年天晚晨夜季期际際说說道问問想着了是有在为為对對从從以如若先再又还還"
)

# Words that need a word after them.
_NEEDS_MORE = frozenset("和与與及或把被将將从從向由以并並且而在因使让讓跟于於致虽雖若即乃则則至")
SHORTEST_PROSE = 40  # letters: headings, captions and credits are shorter
_PROSE = re.compile(rf"(?:[^\u3400-\u9fff]*+[\u3400-\u9fff]){{{SHORTEST_PROSE}}}")
SHORTEST_LAST = 12  # letters behind the last full stop: shorter ones are signatures and credits
FEWEST_WITNESSES = 5  # other paragraphs of prose that show how this text ends its paragraphs
SOUND = 0.95  # share of these that end as sentences do


def beheaded(paragraphs: Sequence[str], behind_removed: Collection[int] = ()) -> list[int]:
    """Indexes of paragraphs whose beginning is lost.

    paragraphs      the paragraphs of a cleaned document
    behind_removed  indexes of those directly before which a duplicate was removed

    Found are paragraphs that begin with a mark that begins no sentence, and behind a removed duplicate those that
    begin with a short clause that is no opener, for the duplicate overwrote what it belonged to.
    """
    if not behind_removed and _BEFORE_NOTHING.isdisjoint([one[:1] for one in paragraphs]):
        return []
    found = {i for i, one in enumerate(paragraphs) if one[:1] in _BEFORE_NOTHING and _CANNOT_BEGIN.match(one)}
    return sorted(found.union(i for i in behind_removed if _begins_with_remnant(paragraphs[i])))


def truncated(paragraphs: Sequence[str]) -> list[int]:
    """Indexes of paragraphs that end inside a sentence.

    Only prose is judged: at least SHORTEST_PROSE Chinese characters. Found is what ends in a comma or in a word
    that needs another one, and, where nearly all other paragraphs of prose end as sentences do, what ends in a
    clause without a mark. What introduces a list or speech is not found, nor verse.
    """
    unended = [
        number
        for number, paragraph in enumerate(paragraphs)
        if len(paragraph) >= SHORTEST_PROSE
        and paragraph[-1:] not in _SENTENCE_ENDS
        and _last(paragraph) not in _SENTENCE_ENDS
        and _is_prose(paragraph)
    ]
    if not unended:
        return []
    others = sum(map(_is_prose, paragraphs)) - 1
    strict = others >= FEWEST_WITNESSES and (others - (len(unended) - 1)) >= SOUND * others
    return [
        number for number in unended if _stops_short(paragraphs[number], strict) and not _introduces(paragraphs, number)
    ]


def _is_prose(paragraph: str) -> bool:
    """Whether it has SHORTEST_PROSE Chinese characters."""
    return len(paragraph) >= SHORTEST_PROSE and _PROSE.match(paragraph) is not None


def _begins_with_remnant(paragraph: str) -> bool:
    match = _FIRST_CLAUSE.match(paragraph)
    if match is None or not _is_prose(paragraph):
        return False
    clause = match.group(1)
    return f" {clause} " not in _OPENERS and clause[-1] not in _OPENING_ENDS


def _last(paragraph: str) -> str:
    return paragraph.rstrip()[-1:]


def _stops_short(paragraph: str, strict: bool) -> bool:
    last = _last(paragraph)
    sentences = _SENTENCE_MARK.split(paragraph)
    if len(sentences) < 2:  # no sentence before the last one: it may be a heading or a list
        return False
    if last in "，、," or last in _NEEDS_MORE:
        return _SPEECH.search(paragraph) is None
    return strict and _HAN.match(last) is not None and len(_HAN.findall(sentences[-1])) >= SHORTEST_LAST


def _introduces(paragraphs: Sequence[str], number: int) -> bool:
    """True if the next paragraph is speech or an entry of a list."""
    return number + 1 < len(paragraphs) and _ENTRY.match(paragraphs[number + 1]) is not None
