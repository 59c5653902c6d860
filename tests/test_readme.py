"""README and code agree: commands, exit codes, snippets, links, and both languages."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks import figures
from cleaners import PIPELINE, clean
from flows import cli
from flows.entry import INTERRUPTED

ROOT = Path(__file__).parent.parent
READMES = {"README.md": ROOT / "README.md", "README.zh.md": ROOT / "README.zh.md"}


def blocks(name: str, language: str) -> list[str]:
    """The fenced code blocks of a language; "" are those without one."""
    fences = re.findall(r"^```(\w*)\n(.*?)^```$", READMES[name].read_text("utf-8"), re.M | re.S)
    return [block for fence, block in fences if fence == language]


def code(text: str) -> str:
    """Without comments, which are in the language of the file."""
    return "\n".join(line.split("  #")[0].rstrip() for line in text.splitlines())


@pytest.mark.parametrize("language", ["sh", "python", "toml", ""])
def test_both_languages_show_the_same_commands(language: str) -> None:
    english, chinese = (list(map(code, blocks(name, language))) for name in READMES)
    assert english == chinese
    assert english


def test_make_knows_the_two_commands() -> None:
    makefile = (ROOT / "Makefile").read_text()
    assert blocks("README.md", "sh")[:2] == ["make run\n", "make test\n"]
    assert re.search(r"^run:", makefile, re.M)
    assert re.search(r"^test:", makefile, re.M)


@pytest.mark.parametrize("name", READMES)
def test_commands_and_exit_codes(name: str) -> None:
    text = READMES[name].read_text("utf-8")
    listed = re.findall(r"^\| `jingwen (\w+)", text, re.M)
    assert sorted(listed) == sorted(cli.main.commands)
    codes = [int(code) for code in re.findall(r"^\| (\d+) \|", text, re.M)]
    assert codes == [cli.OK, cli.FAILED, cli.MISUSED, cli.QUARANTINED, INTERRUPTED]


@pytest.mark.parametrize("command", [None, *sorted(cli.main.commands)])
def test_help_shows_examples(command: str | None) -> None:
    shown = CliRunner().invoke(cli.main, [command, "--help"] if command else ["--help"])
    assert shown.exit_code == 0
    assert "Examples:" in shown.output


@pytest.mark.parametrize("name", READMES)
def test_links_lead_to_files(name: str) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", READMES[name].read_text("utf-8")):
        if not target.startswith("http"):
            assert (ROOT / target).exists(), target


@pytest.mark.parametrize("name", READMES)
def test_rules_that_the_table_names_exist(name: str) -> None:
    cleaners = "|".join(cleaner.name for cleaner in PIPELINE)
    rules = re.findall(rf"^\|.*`((?:{cleaners})\.\w+)`", READMES[name].read_text("utf-8"), re.M)
    assert rules
    used = {
        edit.rule
        for path in sorted((ROOT / "seeds").glob("*.txt"))
        for one in clean(path.read_bytes()).trail
        for edit in one.edits
    }
    assert set(rules) <= used


def test_the_rule_can_be_added_as_described(tmp_path: Path) -> None:
    """In a copy of the project: the table goes to the end of the file that the README names."""
    shutil.copytree(ROOT / "cleaners", tmp_path / "cleaners")
    rules = tmp_path / "cleaners" / "rules" / "chrome" / "tools.toml"
    page = f"加入书架\n\n{'他把书放回书架，又回到桌边，把没有写完的信写完。' * 3}\n"
    program = "import sys; from cleaners import clean; d = clean(sys.argv[1].encode()); print(d.text); print(d.trail)"

    def cleaned() -> str:
        command = [sys.executable, "-c", program, page]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout

    assert cleaned().startswith("加入书架")
    rules.write_text(rules.read_text("utf-8") + "\n" + blocks("README.md", "toml")[0], "utf-8")
    after = cleaned()
    assert after.startswith("他把书放回书架")
    assert "chrome.bookshelf_button" in after


@pytest.mark.parametrize("number", range(len(blocks("README.md", "python"))))
def test_python_snippets_run_as_printed(number: int, corpus_folder: Path, server: dict[str, str]) -> None:
    snippet = blocks("README.md", "python")[number]
    script = corpus_folder / f"snippet_{number}.py"
    script.write_text(snippet, "utf-8")
    done = subprocess.run(
        [sys.executable, script.name], cwd=corpus_folder, env=server, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()
    comments = re.findall(r"^print\(.*?\)\s+# (.*\S)$", snippet, re.M)
    if comments and re.search("[\u4e00-\u9fff]", comments[0]):
        assert comments[0] in done.stdout


@pytest.mark.parametrize(("name", "language"), [("README.md", 0), ("README.zh.md", 1)])
def test_the_table_of_speeds_is_that_of_the_results(name: str, language: int) -> None:
    shown = re.search(r"<!-- speeds -->\n(.*?)\n<!-- /speeds -->", READMES[name].read_text("utf-8"), re.S)
    assert shown is not None
    assert shown[1] == figures.table(language)
