"""The rules' own examples, and the checks that keep a bad rule out."""

import re
from collections.abc import Iterable

import pytest

from cleaners import Config, Edit, apply, chrome, clean, metadata
from cleaners.rule_files import FIELDS, MATCHERS, Patterns, Rule, RuleError, check_pattern, fold, load, parse

TITLE = "县里修好了一座桥"
BODY = [
    "这座桥修了三年，去年冬天通车。工人们说，桥通车以后，两岸的人来往就方便了。",
    "家住江东的周老师每天从桥上走过，她说，以前过江上班要绕行四十分钟。",
    "村里的果农也高兴：今年的橘子可以当天运到省城，价钱比往年高出三角。",
]
CLEANERS = {"chrome": chrome.propose, "metadata": metadata.propose}
RULES = [*load("chrome"), *load("metadata")]
REMOVES = [(rule, line) for rule in RULES for line in rule.removes]
KEEPS = [(rule, line) for rule in RULES for line in rule.keeps]


def page(rule: Rule, line: str) -> str:
    """A small page with the line where the rule looks for it; beside plain chrome when the rule is weak."""
    if rule.cleaner == "metadata":
        return "\n".join([TITLE, line, *BODY])
    above = ["登录 注册 首页"] if rule.weak else []
    below = ["山河网 版权所有"] if rule.weak else []
    if rule.where == "tail":
        return "\n".join([TITLE, *BODY, line, *below])
    return "\n".join([*above, line, TITLE, *BODY])


def edits(rule: Rule, text: str) -> list[Edit]:
    return list(CLEANERS[rule.cleaner](text, Config()))


def label(value: object) -> str:
    return value.id if isinstance(value, Rule) else str(value)


@pytest.mark.parametrize(("rule", "line"), REMOVES, ids=label)
def test_removes(rule: Rule, line: str) -> None:
    text = page(rule, line)
    found = edits(rule, text)
    assert line not in apply(text, found).split("\n")
    assert rule.id in {edit.rule for edit in found}
    assert apply(text, found).startswith(TITLE) or rule.where != "tail"


@pytest.mark.parametrize(("rule", "line"), KEEPS, ids=label)
def test_keeps(rule: Rule, line: str) -> None:
    text = page(rule, line)
    assert line in apply(text, edits(rule, text)).split("\n")


def letters(text: str) -> str:
    """Letters and digits alone: the other cleaners may change punctuation."""
    return re.sub(r"\W", "", fold(text))


@pytest.mark.parametrize(("rule", "line"), REMOVES, ids=label)
def test_removes_in_the_whole_pipeline(rule: Rule, line: str) -> None:
    document = clean(page(rule, line).encode())
    assert all(letters(part) in letters(document.text) for part in [TITLE, *BODY])
    assert letters(line) not in [letters(paragraph.text) for paragraph in document.paragraphs] or not letters(line)
    assert document.original() == page(rule, line)
    assert clean(document.text.encode()).text == document.text


@pytest.mark.parametrize(("rule", "line"), KEEPS, ids=label)
def test_keeps_in_the_whole_pipeline(rule: Rule, line: str) -> None:
    assert letters(line) in letters(clean(page(rule, line).encode()).text)


def test_rules_have_names_of_their_own_and_an_explanation() -> None:
    assert len({rule.id for rule in RULES}) == len(RULES)
    assert all(rule.about for rule in RULES)


def test_every_field_is_documented() -> None:
    assert {rule.field for rule in RULES} <= {"", *FIELDS}


def table(**keys: object) -> str:
    """A rule as TOML."""
    base: dict[str, object] = {"name": "one", "line": ["甲"], "removes": ["甲"], "keeps": ["乙"]}
    merged = {key: value for key, value in {**base, **keys}.items() if value is not None}
    return "[[rule]]\n" + "\n".join(f"{key} = {toml(value)}" for key, value in merged.items())


def toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Iterable) and not isinstance(value, str):
        return "[" + ", ".join(map(toml, value)) + "]"
    return f"'{value}'"


def test_a_rule_loads() -> None:
    (rule,) = parse(table(where="head", weak=True), "chrome", "x.toml")
    assert (rule.id, rule.where, rule.weak, rule.line) == ("chrome.one", "head", True, ("甲",))


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"name": "One"}, "lower-case"),
        ({"removes": []}, "removes"),
        ({"keeps": None}, "keeps"),
        ({"where": "nowhere"}, "where"),
        ({"wher": "head"}, "unknown key"),
        ({"weak": "yes"}, "true or false"),
        ({"line": "甲"}, "list of texts"),
        ({"line": None}, "exactly one"),
        ({"words": ["甲"]}, "exactly one"),
        ({"field": "colour"}, "field"),
        ({"line": None, "pattern": "("}, "no regular expression"),
    ],
)
def test_a_bad_rule_does_not_load(keys: dict[str, object], message: str) -> None:
    with pytest.raises(RuleError, match=message) as error:
        parse(table(**keys), "chrome", "x.toml")
    assert "x.toml" in str(error.value)


@pytest.mark.parametrize("text", ["[[rule", "[other]\na = 1"])
def test_a_bad_file_does_not_load(text: str) -> None:
    with pytest.raises(RuleError, match=r"x\.toml"):
        parse(text, "chrome", "x.toml")


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+b",
        "(?:a|aa)+b",
        "(a*b?)*c",
        ".*.*.*a",
        "(?:ab?){2,}c",
        r"(a)\1",
        "(?:x+y{0,9}){3}z",
        "((a{1,9}){1,9}){1,9}",
    ],
)
def test_slow_patterns_are_refused(pattern: str) -> None:
    with pytest.raises(RuleError):
        check_pattern(pattern, "here")


@pytest.mark.parametrize(
    "pattern", ["a+b", ".*ab.*", "(?:a|bc){2,30}+d", "(?>a|ab)c", "(?:甲|乙)(?:丙|丁)?", "a++b*+c?"]
)
def test_fast_patterns_are_allowed(pattern: str) -> None:
    check_pattern(pattern, "here")


def test_all_matchers_are_used() -> None:
    used = {matcher for rule in RULES for matcher in MATCHERS if getattr(rule, matcher)}
    assert used == set(MATCHERS)


@pytest.mark.parametrize("pattern", [r"日(?: \d{1,2}:\d\d)?+ x", r"(?:(?>ab|cd)e)*+f", r"(?:a|b\d?c){0,3}+"])
def test_patterns_that_older_pythons_read_wrongly_are_refused(pattern: str) -> None:
    with pytest.raises(RuleError, match=r"write \(\?>…\)"):
        check_pattern(pattern, "here")
    check_pattern(pattern.replace("(?:", "(?>"), "here")


def test_patterns_tried_by_their_first_character_find_what_all_of_them_would() -> None:
    for cleaner in ("chrome", "metadata"):
        rules = [rule for rule in load(cleaner) if rule.pattern]
        together = Patterns(rules)
        lines = {fold(line).strip() for rule in load(cleaner) for line in (*rule.removes, *rule.keeps)}
        for line in sorted(lines):
            wanted = next((rule for rule in rules if rule.compiled.fullmatch(line)), None)
            assert together.find(line) is wanted, line
    assert Patterns(()).find("首页") is None
