"""Remembered answers."""

from __future__ import annotations

import pytest

from cleaners import chrome, names, remembered, rule_files
from cleaners.remembered import Remembered, RememberedOfLines


def test_an_answer_is_asked_for_once() -> None:
    asked: list[str] = []

    def answer(line: str) -> int:
        asked.append(line)
        return len(line)

    length = RememberedOfLines(answer)
    assert [length("一二"), length("一二"), length("一")] == [2, 2, 1]
    assert asked == ["一二", "一"]


def test_an_answer_of_none_is_remembered() -> None:
    asked: list[str] = []
    nothing = RememberedOfLines(asked.append)
    assert nothing("一") is nothing("一") is None
    assert asked == ["一"]


def test_all_is_forgotten_when_it_is_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembered, "MOST", 10)
    known: Remembered[str, int] = Remembered(len)
    known.update({"一二三四五": 1, "一二三": 2})
    assert "一二三" in known
    known.update({"一二三四": 3})
    assert "一二三" not in known
    assert known["一二三四"] == 3
    known.update({"一二三四五六": 4})
    assert "一二三四" in known
    known.update({"一": 5})
    assert "一二三四" not in known


def test_what_is_longer_than_all_that_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembered, "MOST", 10)
    asked: list[str] = []

    def answer(line: str) -> int:
        asked.append(line)
        return len(line)

    length = RememberedOfLines(answer)
    assert [length("一" * 11), length("一"), length("一" * 11)] == [11, 1, 11]
    assert len(asked) == 3


def test_what_is_remembered_of_texts_is_forgotten_and_no_table() -> None:
    assert chrome.named("手机版")
    assert names.is_byline("记者 王小明")
    own = (chrome._match_bare, names._is_known_byline, rule_files._fold_short)
    assert all(one.cache_info().currsize for one in own)
    remembered.forget()
    assert not any(one.cache_info().currsize for one in own)
    assert chrome._matchers.cache_info().currsize
