"""Invisible characters and look-alikes."""

from __future__ import annotations

from unicodedata import normalize

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleaners import Config, Edit, apply
from cleaners.characters import ODD, ONE_OF_RULES, PRIVATE, RULES, SUPPLEMENT, _rule, propose


def cleaned(text: str) -> str:
    return apply(text, propose(text, Config()))


def rules(text: str) -> list[str]:
    return [edit.rule.removeprefix("characters.") for edit in propose(text, Config())]


@pytest.mark.parametrize(
    ("before", "after", "rule"),
    [
        ("甲\r\n乙", "甲\n乙", "line_end"),
        ("甲\r乙", "甲\n乙", "line_end"),
        ("甲\u2028乙", "甲\n乙", "line_end"),
        ("甲\x0c乙", "甲\n乙", "line_end"),
        ("甲\x00乙", "甲乙", "control"),
        ("\x93甲\x94", "“甲”", "control"),
        ("甲\x1b[1;31m乙", "甲乙", "terminal_escape"),
        ("甲\u200b乙", "甲乙", "zero_width"),
        ("甲\u200d乙", "甲乙", "joiner"),
        ("甲\u202e乙", "甲乙", "direction"),
        ("甲\xad乙", "甲乙", "soft_hyphen"),
        ("甲\ufeff乙", "甲乙", "byte_order_mark"),
        ("甲\xa0\u2003乙", "甲  乙", "space"),
        ("甲\ue5e5乙", "甲 乙", "space"),
        ("⼈⺠", "人民", "radical"),
        ("\uf902\U0002f800", "車丽", "compatibility_ideograph"),
        ("Ａ１ｚ", "A1z", "width"),
        ("ﾊﾞｽ", "バス", "kana"),
        ("e\u0301", "é", "combining"),
        ("ﬁ", "fi", "ligature"),
        ("\ue81e\ue816\ue78d", "龴𠂇︐", "private_use"),
    ],
)
def test_rule(before: str, after: str, rule: str) -> None:
    assert cleaned(before) == after
    assert set(rules(before)) == {rule}


def test_every_odd_character_has_a_rule() -> None:
    for code in [*range(0xD800), *range(0xE000, 0x10000), *range(0x2F800, 0x2FA20)]:
        char = chr(code)
        if ODD.match(char):
            assert any(rule.match(char) for _, rule in RULES), hex(code)


def test_radicals_become_unified_ideographs() -> None:
    for radical, ideograph in zip(SUPPLEMENT[::2], SUPPLEMENT[1::2], strict=True):
        assert "\u2e81" <= radical <= "\u2ef3"
        assert ideograph >= "\u3400"
        assert cleaned(radical) == ideograph == normalize("NFKC", ideograph)
    assert cleaned("".join(map(chr, range(0x2F00, 0x2FD6)))).isalpha()


def test_private_use_characters_of_gb18030() -> None:
    for code, char in PRIVATE.items():
        raw = chr(code).encode("gb18030")
        assert len(raw) == 2 or len(char.encode("gb18030")) == 2, hex(code)
        assert not 0xE000 <= ord(char) < 0xF900


def test_ideographic_spaces_stay() -> None:
    text = "\u3000\u3000甲\u3000乙\n \u3000丙\n\u3000\n丁\u3000\u3000\n"
    assert cleaned(text) == text


def test_a_composed_letter_may_follow_a_wide_one() -> None:
    text = "Ａ\u0301"
    once = cleaned(text)
    assert cleaned(once) == "Á"


@settings(deadline=None)
@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=80))
def test_any_text_settles(text: str) -> None:
    for _ in range(4):
        text = cleaned(text)
    assert cleaned(text) == text


@given(st.text(alphabet="今天abc，。 \n①㎡™《》“”—…é", max_size=80))
def test_ordinary_text_stays(text: str) -> None:
    assert not rules(text)


def test_hostile_texts_are_read_in_linear_time() -> None:
    for text in ("\u3000 " * 100_000, "a\u0301" * 100_000, "\r" * 100_000, "\x1b[" * 100_000, "\u200d" * 100_000):
        cleaned(text)


@given(st.text(st.sampled_from("甲😀 \n\r\x0b\x0c\x85\u2028\u2029"), max_size=40))
def test_line_ends_are_the_same_beside_other_odd_characters(text: str) -> None:
    alone = list(propose(text, Config()))
    assert [*alone, Edit(len(text), "\u200b", "", "characters.zero_width")] == list(propose(text + "\u200b", Config()))
    assert not set(apply(text, alone)) & set("\r\x0b\x0c\x85\u2028\u2029")


@given(st.text(st.sampled_from("甲e\u0301\x1b[3m\u200b\u200d\xa0１ﬁ\x85\x93\u3099か"), max_size=40))
def test_a_character_has_the_rule_that_the_patterns_say(text: str) -> None:
    for found in ONE_OF_RULES.finditer(text):
        assert _rule(text, found.start()) == (found.lastgroup, found.end())
