"""`jingwen suggest`: what it shows, and rules that can be used as they are."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner
from corpus_samples import write_seeds
from recurring_site import FOOTER, NAVIGATION, build, headline, page

from cleaners.rule_files import RuleError, parse
from corpus import suggest
from corpus.store import Version
from flows import cli

ROOT = Path(__file__).parent.parent
SITE = "shanxiang.example"
COUNTED = "今日已有{}位乡亲来访"
LOOK_ALIKE = "渡口留言板前站满了人"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus of two sites that share a line; articles of one of them hold a line that looks like it."""
    made = tmp_path_factory.mktemp("suggest")
    seeds: dict[str, str | bytes] = {
        f"{SITE}/{n:02}.txt": page(n, [*NAVIGATION, COUNTED.format(n * 37)], ["邻里", *FOOTER]) for n in range(12)
    }
    for n in range(6):
        body = page(20 + n, NAVIGATION, ["\x1b[31m红字一行", "渡口留言板", "返回顶部", "版权所有 邻县在线"])
        seeds[f"other.example/{n}.txt"] = body.replace("。\n", f"。\n{LOOK_ALIKE}\n", 1)
    write_seeds(made / "seeds", seeds)
    build(made / "seeds", made / "output")
    return made


@pytest.fixture(scope="module")
def version(folder: Path) -> Version:
    return Version(folder / "output" / "corpus" / "versions" / "v000001")


def test_lines_that_recur_and_that_no_rule_names(version: Version) -> None:
    found = {one.line: one for one in suggest.suggestions(version)}
    one = found["渡口留言板"]
    assert (one.documents, one.sites, one.place) == (18, ("other.example", SITE), "tail")
    assert one.why.startswith("recurs")
    assert "返回顶部" not in found  # a rule names it
    assert not any("见面" in line for line in found)
    counts = [one.documents for one in suggest.suggestions(version)]
    assert counts == sorted(counts, reverse=True)
    assert {one.line for one in suggest.suggestions(version, least=13)} == {*NAVIGATION[1:], "渡口留言板"}


def test_the_draft_loads_and_names_the_lines(version: Version) -> None:
    found = suggest.suggestions(version)
    text = suggest.draft(version, found)
    rules = parse(text, "chrome", "draft.toml", is_draft=True)
    removes = [line for rule in rules for line in rule.removes]
    assert sorted(removes) == sorted(one.line for one in found)
    (tail,) = [rule for rule in rules if "渡口留言板" in rule.line]
    assert tail.where == "tail"
    assert LOOK_ALIKE in tail.keeps
    assert not any(re.fullmatch(COUNTED.format(r"\d+"), line) for rule in rules for line in rule.keeps)
    (short,) = [rule for rule in rules if "邻里" in rule.line]
    assert short.weak
    assert tomllib.loads(text)
    assert re.search("# 18 documents, recurs.*: other.example, shanxiang.example\n", text)
    assert suggest.draft(version, found) == text


def test_the_draft_passes_the_tests_of_rules(version: Version, tmp_path: Path) -> None:
    """In a copy of the project, with the draft among its rules, the rules' own tests are run on it."""
    shutil.copytree(ROOT / "cleaners", tmp_path / "cleaners")
    text = suggest.draft(version, suggest.suggestions(version))
    text = text.replace(suggest.TODO_KEEP, "今日已有三位乡亲来访，都夸茶好。")
    (tmp_path / "cleaners/rules/chrome/suggested.toml").write_text(text, "utf-8")
    program = (
        "import test_rules as t\n"
        "rules = [rule for rule in t.RULES if rule.name.startswith('suggested')]\n"
        "assert rules\n"
        "for rule in rules:\n"
        "    for line in rule.removes:\n"
        "        t.test_removes(rule, line)\n"
        "        t.test_removes_in_the_whole_pipeline(rule, line)\n"
        "    for line in rule.keeps:\n"
        "        t.test_keeps(rule, line)\n"
        "        t.test_keeps_in_the_whole_pipeline(rule, line)\n"
    )
    environment = os.environ | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT / 'tests'}"}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_a_line_with_a_number_becomes_a_pattern() -> None:
    one = suggest.Suggestion("今日已有 37 位（含1人）乡亲来访", 12, ("",), "head", "recurs")
    assert suggest._pattern(one.line) == r"今日已有 *+\d{1,12}+ *+位\(含\d{1,12}+人\)乡亲来访"


def test_a_line_that_looks_like_none_of_the_corpus(version: Version) -> None:
    """Then somebody has to write the example: nothing is made up, and the file does not load before."""
    odd = suggest.Suggestion('ＱＷ "\\ 〆', 9, ("",), "edge", "classifier")
    made = suggest.draft(version, [odd])
    (rule,) = parse(made, "chrome", "draft.toml", is_draft=True)
    assert rule.removes == (odd.line,)
    assert rule.keeps == (suggest.TODO_KEEP,)
    with pytest.raises(RuleError, match="replace the TODO in `keeps`"):
        parse(made, "chrome", "draft.toml")


def test_a_line_of_the_corpus_that_shares_some_characters(version: Version) -> None:
    far = suggest.Suggestion("渔民登记处联络簿索取单据一览", 9, ("",), "edge", "classifier")
    (rule,) = parse(suggest.draft(version, [far]), "chrome", "draft.toml")
    texts = version.read("documents", ["text"])["text"].to_pylist()
    assert rule.keeps
    assert all("渔民" in line and any(line in text for text in texts) for line in rule.keeps)


def test_headlines_that_differ_in_their_number_are_not_suggested(tmp_path: Path) -> None:
    titled = {
        n: page(n, [*NAVIGATION, f"山乡读书会第{n + 1}期"], FOOTER).replace(headline(n) + "\n", "") for n in range(12)
    }
    write_seeds(tmp_path / "seeds", {f"{SITE}/{n:02}.txt": text for n, text in titled.items()})
    made, _ = build(tmp_path / "seeds", tmp_path / "output")
    assert made is not None
    recurring = made.read("recurring", ["line"])["line"].to_pylist()
    assert "山乡读书会第0期" in recurring  # its digits are masked
    lines = {one.line for one in suggest.suggestions(made)}
    assert "渡口留言板" in lines
    assert not any("读书会" in line for line in lines)


def test_a_corpus_without_texts(tmp_path: Path) -> None:
    made, _ = build_empty(tmp_path)
    one = suggest.Suggestion("渡口人家的茶", 9, ("",), "edge", "classifier")
    (rule,) = parse(suggest.draft(made, [one]), "chrome", "draft.toml", is_draft=True)
    assert rule.keeps == (suggest.TODO_KEEP,)


def build_empty(folder: Path) -> tuple[Version, list[str]]:
    (folder / "seeds").mkdir()
    made, cleaned = build(folder / "seeds", folder / "output")
    assert made is not None
    return made, cleaned


def test_nothing_to_suggest(tmp_path: Path) -> None:
    write_seeds(tmp_path / "seeds", {"a.txt": page(1)})
    made, _ = build(tmp_path / "seeds", tmp_path / "output")
    assert made is not None
    assert suggest.suggestions(made, least=2) == []
    assert suggest.draft(made, []) == ""


def run(folder: Path, *arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(cli.main, ["suggest", "--output", str(folder / "output"), *arguments])
    return done.exit_code, done.output


def test_the_command(folder: Path, tmp_path: Path) -> None:
    code, shown = run(folder, "--limit", "2")
    assert code == 0
    assert "书院讲堂  [other.example, shanxiang.example]" in shown.splitlines()[0]
    assert len(shown.splitlines()) == 3
    assert shown.splitlines()[2].endswith("more: see --limit")
    _, as_json = run(folder, "--json", "--limit", "1")
    assert json.loads(as_json.splitlines()[0])["line"] == "书院讲堂"
    assert "\x1b" not in run(folder)[1]


def test_the_command_writes_a_draft_and_overwrites_nothing(folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "new.toml"
    assert run(folder, "--draft", str(target))[0] == 0
    assert parse(target.read_text("utf-8"), "chrome", "new.toml", is_draft=True)
    code, shown = run(folder, "--draft", str(target))
    assert code == 1
    assert "cannot write" in shown
    code, shown = run(folder, "--draft", "-", "--least", "13")
    assert code == 0
    assert {line for rule in parse(shown, "chrome", "stdout", is_draft=True) for line in rule.removes} == {
        *NAVIGATION[1:],
        "渡口留言板",
    }


def test_no_corpus(tmp_path: Path) -> None:
    assert run(tmp_path)[0] == 1
