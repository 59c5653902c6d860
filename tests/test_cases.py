"""Before/after cases: adding a file adds a test.

tests/cases/<cleaner>/x.before.txt + x.after.txt    the cleaner alone turns the one into the other
tests/cases/<cleaner>/x.keep.txt                    a look-alike that the cleaner must leave alone
tests/cases/<cleaner>/known-failures/…              what we know to be wrong, so that we see when it is mended
tests/cases/recurrence/site.toml                    the lines of the site that all cases of this cleaner come from
"""

import tomllib
from functools import cache
from pathlib import Path

import pytest

from cleaners import PIPELINE, Config, apply, clean, recurrence

CASES = Path(__file__).parent / "cases"
CLEANERS = {cleaner.name: cleaner for cleaner in PIPELINE}
BEFORE = sorted(CASES.glob("*/*.before.txt"))
KEEP = sorted(CASES.glob("*/*.keep.txt"))
FAILING = sorted(CASES.glob("*/known-failures/*.txt"))
ALL = sorted(CASES.rglob("*.txt"))


def name(path: Path) -> str:
    return path.relative_to(CASES).as_posix()


def read(path: Path) -> str:
    return path.read_bytes().decode("utf-8")


def cleaned_alone(path: Path, cleaner: str) -> str:
    """What the cleaner makes of the file, alone."""
    text = read(path)
    return apply(text, CLEANERS[cleaner].propose(text, site() if cleaner == "recurrence" else Config()))


@cache
def site() -> Config:
    """What was learned from many pages of the site."""
    lines = tomllib.loads((CASES / "recurrence" / "site.toml").read_text(encoding="utf-8"))
    places = ((recurrence.HEAD, "head"), (recurrence.TAIL, "tail"))
    keys = {recurrence.key(recurrence.masked(line), place) for place, name in places for line in lines[name]}
    return Config(recurring=frozenset({*keys, recurrence.KNOWN}))


def after(path: Path) -> Path:
    return path.with_name(path.name.replace(".before.", ".after."))


@pytest.mark.parametrize("path", BEFORE, ids=name)
def test_before_becomes_after(path: Path) -> None:
    assert cleaned_alone(path, path.parent.name) == read(after(path))


@pytest.mark.parametrize("path", BEFORE, ids=name)
def test_after_stays(path: Path) -> None:
    assert cleaned_alone(after(path), path.parent.name) == read(after(path))


@pytest.mark.parametrize("path", KEEP, ids=name)
def test_look_alike_stays(path: Path) -> None:
    assert cleaned_alone(path, path.parent.name) == read(path)


@pytest.mark.parametrize("path", FAILING, ids=name)
@pytest.mark.xfail(strict=True, reason="known failure", raises=AssertionError)
def test_known_failure(path: Path) -> None:
    if path.name.endswith(".after.txt"):
        pytest.xfail("the other half of a pair")
    expected = after(path) if ".before." in path.name else path
    assert cleaned_alone(path, path.parent.parent.name) == read(expected)


@pytest.mark.parametrize("path", ALL, ids=name)
def test_reversible_and_stable_in_the_whole_pipeline(path: Path) -> None:
    document = clean(path.read_bytes(), path.name)
    if document.quarantine is None:
        assert document.original() == read(path).removeprefix("\ufeff")
        again = clean(document.text.encode())
        assert again.text == document.text or (again.quarantine is not None and not document.text)


def test_every_case_file_has_its_place() -> None:
    for path in ALL:
        folder = path.parent.parent.name if path.parent.name == "known-failures" else path.parent.name
        assert folder in CLEANERS, f"{name(path)}: no cleaner has this name"
        kind = path.name.split(".")[-2]
        assert kind in ("before", "after", "keep"), (
            f"{name(path)}: end the name with .before.txt, .after.txt or .keep.txt"
        )
        if kind == "before":
            assert after(path).exists(), f"{name(path)}: there is no {after(path).name}"
        if kind == "after":
            assert path.with_name(path.name.replace(".after.", ".before.")).exists(), f"{name(path)}: no .before.txt"


def test_every_cleaner_has_cases() -> None:
    for cleaner in CLEANERS:
        assert [p for p in BEFORE if p.parent.name == cleaner] or cleaner == "script", (
            f"{cleaner}: no before/after case"
        )
        assert [p for p in KEEP if p.parent.name == cleaner], f"{cleaner}: no case that must stay"
