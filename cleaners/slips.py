"""Slips: what happens to single characters when a text is copied.

Two texts that differ in a few characters are copies of each other if letters were dropped, doubled, swapped or
mistaken, and not if an author exchanged a numeral or a word.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence, Set

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import Levenshtein

from .paragraph_text import DIGITS, NUMERALS
from .statistics import BOUNDARY, bigram_logprobs, codes, unigrams

DAMAGED = 8.0  # nats; of 99 pairs of look-alike laws and news none has more than 6.7
SLIP = 3.0  # nats for a letter that is doubled or two that are swapped; none of these pairs has one
SINGLE = 1.0  # nats for any other change of a single letter; authors change words

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

Changes = list[tuple[str, str, str]]
"""(old, new, the letter before and the one after) of each stretch in which two texts differ."""


def changes_between(a: str, b: str) -> Changes:
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


def are_slips(changes: Changes) -> bool:
    """True if letters were dropped, doubled, swapped or mistaken, but no numeral and no word was exchanged.

    Exchanged words and lost numerals are only overlooked among other changes that no author makes.
    """
    serious = numerals = 0
    for old, new, near in changes:
        lost, gained = Counter(old) - Counter(new), Counter(new) - Counter(old)
        size = max(lost.total(), gained.total())
        if size > 3:
            return False
        before, after = NUMERALS.intersection(lost), NUMERALS.intersection(gained)
        if (before and after) or (not before and not after and _numerals(old) != _numerals(new)):
            return False  # 26 and 38, 26 and 62
        if _changes_number(before | after, near + "".join(lost + gained)):
            numerals += 1
        elif not _is_swap_or_doubling(old, new, near):
            serious += size > 1 or _changes_meaning("".join(lost), "".join(gained))
    if not numerals and not serious:
        return True
    return numerals * 2 <= len(changes) and damage(changes) >= DAMAGED


def damage(changes: Changes) -> float:
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


def information(letters: str) -> float:
    """The pointwise mutual information of all neighbours together, in nats: damage makes it less."""
    return float(_pair_information(letters).sum())


def _worsening(changes: Changes) -> float:
    """How much less likely the new characters are than the old ones, in nats; negative if the old ones are less
    likely; 0.0 if neither side is clearly the worse one."""
    judged = [(old, new, near) for old, new, near in changes if NUMERALS.isdisjoint(old + new)]
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


def _pair_information(letters: str) -> NDArray[np.float32]:
    points = codes(letters)
    return bigram_logprobs(points[:-1], points[1:]) - unigrams()[points[1:]]


def _changes_number(numerals: Set[str], beside: str) -> bool:
    """True if numerals that came or went belong to a number; 一 alone is a word like others."""
    if len(numerals) != 1:
        return bool(numerals)
    return not DIGITS.isdisjoint(numerals) or any(c in _BEFORE_NUMERAL or c in NUMERALS - numerals for c in beside)


def _is_swap_or_doubling(old: str, new: str, near: str) -> bool:
    if sorted(old) == sorted(new):
        return True
    more, less = (new, old) if len(new) > len(old) else (old, new)
    return len(more) == len(less) + 1 and (set(more) == set(less) if less else more in near)


def _changes_meaning(old: str, new: str) -> bool:
    if not _NEGATIONS.isdisjoint(old + new):
        return True
    if any(c.isascii() for c in old) and any(c.isascii() for c in new):
        return True
    return bool(old and new) and any(old in group and new in group for row in _PARALLELS for group in row)


def _numerals(letters: str) -> str:
    return "".join(letter for letter in letters if letter in NUMERALS)
