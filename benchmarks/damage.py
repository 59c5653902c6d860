"""Texts for benchmarks, made of the five seeds' sentences and of the character statistics, whole and damaged.

Nothing is downloaded, and the same random seed gives the same texts on every machine. `documents(kind, …)` makes
articles of 1 KB to 1 MB, 8 KB on average, as a news site has them: a title, a source or a byline, 5 to 30 paragraphs
(more in longer ones) of 60 to 200 characters. Their clauses are drawn from the statistics of neighbouring
characters, every sixth one is a clause of the seeds with other numbers. Kinds:

news         full-width marks, one line a paragraph, in half of them a line of date and source below the title
damaged      news in which 5 % of the documents are misread UTF-8, 20 % have cut sentences, 10 % hard line breaks,
             40 % half-width marks, 25 % a page around the article, 10 % repeated paragraphs, 20 % odd characters
traditional  news in Traditional characters, as Taiwan has them
mixed        every other clause with English words, versions, URLs, code
adversarial  runs of spaces, commas and brackets, nested quotes, signatures of misreadings, short lines, one long
             line, repeated paragraphs, entities: 8 KB of one of them each
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from random import Random

import numpy as np
import opencc
from numpy.typing import NDArray

from cleaners.statistics import BOUNDARY, bigrams, unigrams

SEEDS = Path(__file__).parent.parent / "seeds"
SMALLEST, LARGEST = 1_000, 1_000_000  # bytes of a document
MEAN, SPREAD = 8_000, 1.1  # of a log-normal distribution: bytes, and the deviation of its logarithm
BYTES = 2.95  # of a character, on average
POOL = 120_000  # clauses, some 1.3 million characters
OF_SEEDS = 1 / 6  # of the clauses
KINDS = ("news", "damaged", "traditional", "mixed", "adversarial")
SHARES = {"mojibake": 0.05, "cut": 0.2, "wrapped": 0.1, "half_width": 0.4, "page": 0.25, "repeated": 0.1, "odd": 0.2}
LATIN_WORDS = ("API", "GDP", "iPhone 15", "Python", "user_id", "v2.3.1", "https://example.com/a?b=1", "Wi-Fi", "U.S.")
HALF_WIDTH = str.maketrans("，；：？！（）", ",;:?!()")
PAGE_ABOVE = (
    "首页 新闻 财经 体育 娱乐",
    "登录 注册",
    "手机版",
    "您的位置：首页 > 新闻 > 正文",
    "字号：大 中 小",
    "打印 纠错",
)
PAGE_BELOW = (
    "分享到：微信 微博 QQ空间",
    "相关阅读",
    "扫一扫在手机打开当前页",
    "版权所有 未经许可不得转载",
    "返回顶部",
    "责任编辑：周桐",
)
FAMILY_NAMES, GIVEN_NAMES = "王李张刘陈杨赵黄周吴", "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超霞平刚"
PAPERS = ("山河日报", "江东晚报", "北岭新闻网", "新华社", "南田发布")


def documents(kind: str, megabytes: float, seed: int = 0) -> Iterator[bytes]:
    """Documents of one of KINDS, about so many MB (10**6 bytes) together."""
    draw = Random(f"{kind} {seed}")
    left = int(megabytes * 1e6)
    while left > 0:
        one = MAKERS[kind](draw, _size(draw))
        left -= len(one)
        yield one


def documents_of_size(kind: str, count: int, size: int, seed: int = 0) -> Iterator[bytes]:
    """So many documents of one of KINDS, of about `size` bytes each."""
    draw = Random(f"{kind} {count} {size} {seed}")
    for _ in range(count):
        yield MAKERS[kind](draw, size)


def _size(draw: Random) -> int:
    """Bytes of the next document."""
    size = MEAN / np.exp(SPREAD**2 / 2) * np.exp(draw.gauss(0, SPREAD))
    return int(min(max(size, SMALLEST), LARGEST))


# ---- clauses ---------------------------------------------------------------------------------------------


@cache
def clauses() -> tuple[str, ...]:
    """Runs of 4 to 18 characters, each drawn given the one before it, from the table of pairs."""
    draw = np.random.default_rng(0)
    starts, steps, seconds = _transitions()
    columns = [np.full(POOL, ord(BOUNDARY))]
    for _ in range(18):
        first = columns[-1]
        low, high = starts[first], starts[first + 1]
        total = np.where(high > low, steps[high] - steps[low], 0)
        at = np.searchsorted(steps, steps[low] + draw.random(POOL) * total, side="right") - 1
        fresh = draw.choice(seconds, POOL, p=_chances(seconds))
        columns.append(np.where(high > low, seconds[np.clip(at, 0, len(seconds) - 1)], fresh))
    text = np.stack(columns[1:], 1).astype("<u4").tobytes().decode("utf-32-le")
    sizes = draw.integers(4, 19, POOL).tolist()
    return tuple(text[18 * i : 18 * i + size] for i, size in enumerate(sizes))


def _chances(of: NDArray[np.uint32]) -> NDArray[np.float64]:
    chances: NDArray[np.float64] = np.exp(unigrams()[of].astype(np.float64))
    chances /= chances.sum()
    return chances


def _transitions() -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.uint32]]:
    """(starts, steps, seconds): the pairs that begin with code c are starts[c] to starts[c + 1], their second
    characters `seconds`, and `steps` the sum of the probabilities of all pairs before."""
    table = bigrams()
    first, second = table.keys >> 16, table.keys & 0xFFFF
    common = _simplified()
    keep = (common[first] | (first == ord(BOUNDARY))) & common[second]
    first, second = first[keep], second[keep]
    steps = np.concatenate([[0], np.cumsum(np.exp(table.logprobs[keep].astype(np.float64)))])
    return np.searchsorted(first, np.arange(65537)), steps, second


def _simplified() -> NDArray[np.bool_]:
    """For each code whether it is an ideograph of GB 2312."""
    found = np.zeros(65536, bool)
    for code in range(0x4E00, 0x9FA6):
        found[code] = chr(code).encode("gb2312", "ignore") != b""
    return found


@cache
def seed_clauses() -> tuple[str, ...]:
    """The clauses of the five seeds."""
    text = "\n".join(path.read_text("utf-8") for path in sorted(SEEDS.glob("*.txt")))
    found = re.split(r"[\s,，。;；:：?？!！、()（）“”‘’■□•《》—…]+", text)
    return tuple(one for one in found if 4 <= len(one) <= 24)


def _clause(draw: Random) -> str:
    if draw.random() >= OF_SEEDS:
        return draw.choice(clauses())
    return re.sub(r"\d", lambda _: str(draw.randint(1, 9)), draw.choice(seed_clauses()))


def sentence(draw: Random, latin: float = 0.01) -> str:
    """One to five clauses; `latin`: share of clauses with a Latin word."""
    parts = []
    for _ in range(draw.randint(1, 5)):
        clause = _clause(draw)
        chance = draw.random()
        if chance < latin:
            clause = f"{clause[:4]}{draw.choice(LATIN_WORDS)}{clause[4:]}"
        elif chance < latin + 0.04:
            clause += f"{draw.randint(2, 9_999)}{draw.choice(('人', '个', '万元', '亩', '%', '年'))}"
        elif chance < latin + 0.09:
            clause = f"“{clause[:6]}”{clause[6:]}"
        elif chance < latin + 0.11:
            clause = f"《{clause[:8]}》"
        parts.append(clause)
    end = draw.choices("。；！？", (90, 5, 3, 2))[0]
    if draw.random() < 0.04:
        return f"{_name(draw)}说：“{'，'.join(parts)}。”"
    marks = draw.choices("，、：", (88, 10, 2), k=len(parts))
    return "".join(a + b for a, b in zip(parts, [*marks[:-1], end], strict=True))


def paragraph(draw: Random, latin: float = 0.01) -> str:
    """60 to 200 characters."""
    size, found = draw.randint(60, 180), ""
    while len(found) < size:
        found += sentence(draw, latin)
    return found


def _name(draw: Random) -> str:
    return draw.choice(FAMILY_NAMES) + "".join(draw.sample(GIVEN_NAMES, draw.randint(1, 2)))


# ---- documents -------------------------------------------------------------------------------------------


def article(draw: Random, size: int, latin: float = 0.01) -> tuple[list[str], list[str]]:
    """(head, paragraphs) of about `size` bytes of UTF-8."""
    head = [f"{draw.choice(clauses())} {draw.choice(clauses())}"]
    if draw.random() < 0.5:
        date = f"{draw.randint(2009, 2024)}年{draw.randint(1, 12):02}月{draw.randint(1, 28):02}日"
        head.append(f"{date} {draw.randint(0, 23):02}:{draw.randint(0, 59):02} 来源：{draw.choice(PAPERS)}")
    if draw.random() < 0.5:
        head.append(f"本报记者 {_name(draw)} {_name(draw)}")
    body: list[str] = []
    left = size / BYTES
    while left > 0:
        if len(body) % 8 == 7:
            body.append(draw.choice(clauses()))
        body.append(paragraph(draw, latin))
        left -= len(body[-1])
    return head, body


def _news(draw: Random, size: int) -> bytes:
    head, body = article(draw, size)
    return _joined(draw, head, body).encode()


def _joined(draw: Random, head: list[str], body: list[str]) -> str:
    """The lines, parted by a line break or a blank line, in some documents with indents."""
    gap = draw.choice(("\n", "\n\n"))
    indent = "　　" if draw.random() < 0.3 else ""
    return gap.join([*head, *(indent + one for one in body)]) + "\n"


def _damaged(draw: Random, size: int) -> bytes:
    head, body = article(draw, size)
    has = {damage: draw.random() < share for damage, share in SHARES.items()}
    if has["repeated"]:
        at = draw.randrange(len(body))
        body.insert(at, body[at])
    if has["cut"]:
        body = [piece for one in body for piece in _cut(draw, one)]
    if has["wrapped"]:
        body = ["\n".join(one[i : i + 36] for i in range(0, len(one), 36)) for one in body]
    if has["page"]:
        head = [*draw.sample(PAGE_ABOVE, 3), *head]
        body = [*body, *draw.sample(PAGE_BELOW, 3)]
    text = _joined(draw, head, body)
    if has["half_width"]:
        text = text.translate(HALF_WIDTH)
    if has["odd"]:
        text = text.replace("的", "\u200b的", 3).replace("，", "\xa0，", 2).replace("年", "⽉", 1)
    if has["mojibake"]:
        codec = draw.choice(("gb18030", "cp1252", "latin-1"))
        text = text.encode().decode(codec, "replace" if codec == "gb18030" else "ignore")
    return text.encode()


def _cut(draw: Random, paragraph: str) -> list[str]:
    """Every fifth paragraph in two."""
    if draw.random() > 0.2 or len(paragraph) < 60:
        return [paragraph]
    at = draw.randint(28, len(paragraph) - 20)
    return [paragraph[:at], paragraph[at:]]


def _traditional(draw: Random, size: int) -> bytes:
    head, body = article(draw, size)
    text: str = _to_taiwan().convert(_joined(draw, head, body))
    return text.encode()


@cache
def _to_taiwan() -> opencc.OpenCC:
    return opencc.OpenCC("s2tw")


def _mixed(draw: Random, size: int) -> bytes:
    head, body = article(draw, size, latin=0.5)
    code = "def area(width, height):\n    return width * height  # 面积\n\nprint(area(3, 4))"
    return _joined(draw, head, [*body[:2], code, *body[2:]]).encode()


HOSTILE = (
    "“‘「『（【《", "”’」』）】》", "“”", " ", "\u3000\n", "\n", ",", "，", ".", "...", "—", "1,", "a ", "、，；：",
    "锟斤拷", "浣犲ソ", "Ã¤Â½Â", "&amp;", "\\u4f60", "%u4f60", "\ufffd", "\xa0",
    "来源：", "2020-01-01 ", "首页 ", "一、\n", "好\n", "他说：“", "<a",
    "`", "[M].", "\"a\": ", "http://", "的" * 30 + "，\n", "\r", "\u200b的",
)  # fmt: skip


def _adversarial(draw: Random, size: int) -> bytes:
    """8 KB of one pattern, in one document of three with prose between."""
    one = draw.choice(HOSTILE)
    if draw.random() < 0.33:
        one += draw.choice(HOSTILE) + draw.choice(clauses())
    return (one * (1 + MEAN // len(one.encode()))).encode()


MAKERS: dict[str, Callable[[Random, int], bytes]] = {
    "news": _news,
    "damaged": _damaged,
    "traditional": _traditional,
    "mixed": _mixed,
    "adversarial": _adversarial,
}
