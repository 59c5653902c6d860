"""The cheap tests before the rules of chrome: none may be false for a line that a rule names."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spying import spy_on

from cleaners import Config, chrome, remembered, rule_files
from cleaners.prose import read
from cleaners.rule_files import Inside, Rule, fold, load

PLACES = ("article", "head", "tail", "both")
RULES = load("chrome")
NAMED = [line for rule in RULES for line in (*rule.removes, *rule.line, *rule.begins, *rule.contains, *rule.words)]
SIGNS = [*" ·|[]()-+>»*:,、/0123456789", "a", "的", "\u3000", "\u2028"]
LINES = st.lists(st.sampled_from(NAMED) | st.sampled_from(SIGNS), min_size=1, max_size=6).map("".join)


MATCHERS = chrome._matchers("both")
FIGURES = st.lists(st.sampled_from([*"0123456789 .,-/:+()", "5G", "+1", "19", "20", "CC 4.0 BY-SA", "©"]), min_size=1)


def told(line: str) -> chrome.Told:
    return chrome._told(fold(line.strip()).strip(), "both")


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_what_rules_remove_is_named(rule: Rule) -> None:
    assert all(told(line)[0] for line in rule.removes)


def known_words(line: str) -> list[Rule]:
    """As Words.split, without its cheap tests."""
    found, at = [], 0
    while at < len(line):
        words = [word for word in MATCHERS.words._rule_of if line.startswith(word, at)]
        if words:
            longest = max(words, key=len)
            found.append(MATCHERS.words._rule_of[longest])
        elif line[at] not in rule_files._SEPARATORS:
            return []
        at += len(longest) if words else 1
    return found


@given(LINES)
@settings(max_examples=3000, deadline=None)
def test_words_and_bars_are_found_as_without_cheap_tests(line: str) -> None:
    lower = fold(line.strip()).strip().lower()
    squeezed = "".join(lower.split())
    assert MATCHERS.words.split(squeezed) == known_words(squeezed)
    pieces = [piece for piece in re.split(f"[{rule_files._BETWEEN}]+", lower) if piece]
    known = [rules for piece in pieces if (rules := known_words(piece))]
    is_bar = len(pieces) >= 4 and max(map(len, pieces)) <= 12 and 2 * len(known) >= len(pieces)
    assert MATCHERS.words.bar(lower) == ([rule for rules in known for rule in rules] if is_bar else [])


@given(FIGURES.map("".join))
@settings(max_examples=1000, deadline=None)
def test_rules_say_the_same_of_rows_of_one_shape(line: str) -> None:
    folded = fold(line.strip()).strip()
    for place in PLACES:
        assert chrome._told(MATCHERS.shapes.of(folded), place) == chrome._told(folded, place)


def test_a_shape_keeps_the_digits_that_rules_name() -> None:
    shapes = MATCHERS.shapes
    assert shapes.of("1,234.5") == shapes.of("7,777.7") == shapes.of("3,141.5")
    assert [shapes.of(line) for line in ("2019-10", "+ 1", "5G", "第3页")] == ["2019-10", "+ 1", "5G", "第3页"]


@pytest.mark.parametrize(
    ("pattern", "named"),
    [
        ("a12b", ["a12b"]),
        ("[1-3]x", ["1", "2", "3"]),
        (r"\d[0-9][^a]\w[^\W]", []),
        ("[^0]", [*"123456789"]),
        ("(?!19|20)(?:5(?>6)){2}", ["19", "20", "5", "6"]),
    ],
)
def test_digits_that_a_pattern_names(pattern: str, named: list[str]) -> None:
    literals = rule_files._literals(vars(rule_files)["parser"].parse(pattern))
    assert sorted(text for text in literals if rule_files._has_digit(text)) == sorted(named)


def test_rules_are_asked_about_few_of_many_short_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = spy_on(monkeypatch, chrome, "_match")
    text = "\n".join(f"{number}，雨水{number * 7}" for number in range(1_000))
    assert not list(chrome.propose(text, Config()))
    assert len(asked) < 500


PROSE = "江东的雨从早晨下到晚上，街上没有几个人。撑着伞走过桥头的老人看着河水出神，孩子在门口叠纸船。"
LONG_LINES = st.tuples(LINES, st.sampled_from(["", PROSE, PROSE * 2]), LINES | st.just("")).map("".join)
TEXTS = st.lists(LONG_LINES | LINES | st.just(PROSE), max_size=12).map("\n".join)


@given(st.lists(TEXTS, max_size=4))
@settings(max_examples=500, deadline=None)
def test_a_preview_of_many_texts_finds_every_row_that_a_rule_names(texts: list[str]) -> None:
    chrome._unnamed.cache_clear()
    pages = [read(text) for text in texts]
    for again in range(2):  # the second time, lines are remembered
        for page, likely in zip(pages, chrome._preview(pages), strict=True):
            for i, row in enumerate(page.rows):
                named = [chrome._match(row, place) for place in PLACES]
                assert likely.may_name(i, row) or not any(named), again
                assert likely.named.get(i) in (None, named[-1])


@given(st.lists(TEXTS, max_size=4))
@settings(max_examples=300, deadline=None)
def test_what_was_previewed_at_gets_the_same_edits(texts: list[str]) -> None:
    alone = [list(chrome.propose(text, Config())) for text in texts]
    chrome.preview(texts)
    assert [list(chrome.propose(text, Config())) for text in texts] == alone


def test_only_so_much_text_is_previewed_at_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chrome, "MOST_PREVIEWED", 10)
    chrome.preview(["首页 新闻", "手机版 登录", "返回顶部"])
    assert [*chrome._previewed] == ["首页 新闻"]
    chrome.preview([])
    assert not chrome._previewed


def test_lines_that_no_rule_names_are_put_to_the_test_once(monkeypatch: pytest.MonkeyPatch) -> None:
    chrome._unnamed.cache_clear()
    asked = spy_on(monkeypatch, chrome, "_told")
    for _ in range(2):
        list(chrome.propose("桥头的老人\n河水", Config()))
    assert asked == [("桥头的老人", "both"), ("河水", "both")]
    monkeypatch.setattr(remembered, "MOST", 3)
    list(chrome.propose("雨\n伞\n船\n灯", Config()))  # more characters than that are not remembered
    assert "灯" not in chrome._unnamed


def test_long_rows_are_not_put_to_the_test(monkeypatch: pytest.MonkeyPatch) -> None:
    chrome._unnamed.cache_clear()
    asked = spy_on(monkeypatch, chrome, "_told")
    list(chrome.propose("a" * 100_000 + "\n" + "a" * 300 + "\n首页" + " " * 1_000, Config()))
    assert asked == [("a" * 300, "both"), ("首页", "both")]


FEW = st.text("桥水😀a\ud83d\n", max_size=8)


@given(st.sets(st.text("桥水😀a\ud83d", max_size=5), max_size=4), st.lists(FEW, max_size=5).map("".join))
@settings(max_examples=300, deadline=None)
def test_lines_that_hold_a_phrase_are_found(phrases: set[str], text: str) -> None:
    hold = [number for number, line in enumerate(text.split("\n")) if any(one in line for one in phrases)]
    assert list(Inside(phrases).lines_with(text)) == hold
