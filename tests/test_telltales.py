"""The cheap test before the rules of chrome: it must never be false for a line that a rule names."""

from __future__ import annotations

from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spying import spy_on

from cleaners import Config, chrome, remembered
from cleaners.prose import read
from cleaners.rule_files import Inside, Rule, fold, load

PLACES = ("article", "head", "tail", "both")
RULES = load("chrome")
NAMED = [line for rule in RULES for line in (*rule.removes, *rule.line, *rule.begins, *rule.contains, *rule.words)]
SIGNS = [*" ·|[]()-+>»*:,、/0123456789", "a", "的", "\u3000", "\u2028"]
LINES = st.lists(st.sampled_from(NAMED) | st.sampled_from(SIGNS), min_size=1, max_size=6).map("".join)


def may_name(line: str) -> bool:
    return chrome._matchers("both").telltales.may_name(fold(line).lower().strip())


def is_named(line: str) -> bool:
    folded = fold(line.strip()).strip()
    return any(chrome._match_folded(folded, place)[0] for place in PLACES) if folded else False


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_what_rules_remove_passes(rule: Rule) -> None:
    assert all(may_name(line) for line in rule.removes if is_named(line))


@given(LINES)
@settings(max_examples=3000, deadline=None)
def test_it_is_true_for_every_line_that_a_rule_names(line: str) -> None:
    assert may_name(line) or not is_named(line)


def test_most_lines_of_prose_and_rows_of_figures_are_told_at_once() -> None:
    prose = "江东的雨从早晨下到晚上街上没有几个人撑着伞走过桥头的老人看着河水出神孩子在门口叠纸船".replace("\n", "")
    pieces = [prose[at : at + 5] for at in range(len(prose) - 5)]
    figures = [f"{number},{number * 7},{number % 97}" for number in islice(range(3, 10_000, 7), 500)]
    assert sum(map(may_name, pieces)) < len(pieces) // 4
    assert sum(map(may_name, figures)) < len(figures) // 2


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
    asked = spy_on(monkeypatch, chrome._matchers("both").telltales, "may_name")
    for _ in range(2):
        list(chrome.propose("桥头的老人\n河水", Config()))
    assert asked == [("桥头的老人",), ("河水",)]
    monkeypatch.setattr(remembered, "MOST", 3)
    list(chrome.propose("雨\n伞\n船\n灯", Config()))  # more characters than that are not remembered
    assert "灯" not in chrome._unnamed


def test_long_rows_are_not_put_to_the_test(monkeypatch: pytest.MonkeyPatch) -> None:
    chrome._unnamed.cache_clear()
    asked = spy_on(monkeypatch, chrome._matchers("both").telltales, "may_name")
    list(chrome.propose("a" * 100_000 + "\n" + "a" * 300 + "\n首页" + " " * 1_000, Config()))
    assert asked == [("a" * 300,), ("首页",)]


FEW = st.text("桥水😀a\ud83d\n", max_size=8)


@given(st.sets(st.text("桥水😀a\ud83d", max_size=5), max_size=4), st.lists(FEW, max_size=5).map("".join))
@settings(max_examples=300, deadline=None)
def test_lines_that_hold_a_phrase_are_found(phrases: set[str], text: str) -> None:
    hold = [number for number, line in enumerate(text.split("\n")) if any(one in line for one in phrases)]
    assert list(Inside(phrases).lines_with(text)) == hold
