"""Simplified, Traditional, and the way from one to the other."""

from __future__ import annotations

import opencc
import pytest

from cleaners import Config, apply
from cleaners.config import SCRIPT_CONVERSIONS
from cleaners.script import detect, propose

SIMPLIFIED = "我们在这里讨论软件和网络的问题，后来去了图书馆，他说外面的温度很低。"
TAIWAN = "我們在這裡討論軟體和網路的問題，後來去了圖書館，他說外面的溫度很低。"
HONG_KONG = "我們在這裏討論軟件和網絡的問題，後來去了圖書館，他説外面的温度很低。"


def converted(text: str, script: str) -> str:
    return apply(text, propose(text, Config(script=script)))


@pytest.mark.parametrize(
    ("text", "script"),
    [
        (SIMPLIFIED, "hans"),
        (TAIWAN, "hant-tw"),
        (HONG_KONG, "hant-hk"),
        ("今天天氣很好。", "hant"),
        (SIMPLIFIED + TAIWAN, "mixed"),
        ("人口", "hans"),
        ("乾坤、皇后、里程、著作", "hans"),
        ("English, 123", ""),
        ("", ""),
    ],
)
def test_detection(text: str, script: str) -> None:
    assert detect(text) == script


def test_nothing_is_converted_unless_asked_for() -> None:
    for text in (SIMPLIFIED, TAIWAN, HONG_KONG, SIMPLIFIED + TAIWAN):
        assert not list(propose(text, Config()))


@pytest.mark.parametrize(
    ("before", "script", "after"),
    [
        (SIMPLIFIED, "s2twp", TAIWAN),
        (SIMPLIFIED, "s2hk", HONG_KONG),
        (TAIWAN, "tw2sp", SIMPLIFIED),
        (HONG_KONG, "hk2s", SIMPLIFIED),
    ],
)
def test_conversion(before: str, script: str, after: str) -> None:
    assert converted(before, script) == after
    assert not list(propose(after, Config(script=script)))


def test_words_of_the_right_script_are_not_converted() -> None:
    text = "他找了个藉口离开，这些书都还在这里，他们说得很清楚。"
    assert opencc.OpenCC("t2s").convert(text) != text
    assert converted(text, "t2s") == text


@pytest.mark.parametrize("script", [name for name in SCRIPT_CONVERSIONS if name != "keep"])
def test_conversions_settle_and_name_their_rule(script: str) -> None:
    for text in (SIMPLIFIED, TAIWAN, HONG_KONG, f"{SIMPLIFIED}\n\n{TAIWAN}"):
        edits = list(propose(text, Config(script=script)))
        assert {edit.rule for edit in edits} <= {f"script.{script}"}
        once = apply(text, edits)
        assert converted(once, script) == once
