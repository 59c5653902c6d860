"""The five seeds against the answer that was read off them by hand (tests/gold)."""

import json
from pathlib import Path
from typing import Any

import pytest

from cleaners import Document, clean

HERE = Path(__file__).parent
SEEDS = HERE.parent / "seeds"
GOLD = {path.stem: json.loads(path.read_text("utf-8")) for path in sorted((HERE / "gold").glob("*.json"))}
NUMBERS = sorted(GOLD)
FIELDS = ("title", "subtitle", "authors", "source", "site", "published_at", "editor")


def seed(number: str) -> bytes:
    path: Path = SEEDS / GOLD[number]["file"]
    return path.read_bytes()


@pytest.fixture(scope="module")
def documents() -> dict[str, Document]:
    return {number: clean(seed(number), GOLD[number]["file"]) for number in NUMBERS}


def lines_of(document: Document, start: int, end: int) -> list[int]:
    """The numbers of the seed's lines that text[start:end] comes from, blank lines left out."""
    text = document.original()
    lines = text.split("\n")
    first, last = document.seed_span(start, end)
    low, high = text.count("\n", 0, first), text.count("\n", 0, max(first, last - 1))
    return [n for n in range(low, high + 1) if lines[n].strip()]


def removed_lines(document: Document) -> dict[int, str]:
    """Numbers of the seed's lines of which nothing is left, with the cleaner that took the most of each."""
    text = document.original()
    gone, start = {}, 0
    for number, line in enumerate(text.split("\n")):
        low, high = document.text_span(start, start + len(line))
        if line.strip() and not document.text[low:high].strip():
            gone[number] = line
        start += len(line) + 1
    return gone


@pytest.mark.parametrize("number", NUMBERS)
def test_paragraphs_and_roles(number: str, documents: dict[str, Document]) -> None:
    found = [(p.role, p.text) for p in documents[number].paragraphs]
    assert found == [(p["role"], p["text"]) for p in GOLD[number]["paragraphs"]]


@pytest.mark.parametrize("number", NUMBERS)
def test_text_is_its_paragraphs(number: str, documents: dict[str, Document]) -> None:
    document = documents[number]
    assert document.text == "\n\n".join(p["text"] for p in GOLD[number]["paragraphs"])
    assert all(document.text[p.start : p.end] == p.text for p in document.paragraphs)


@pytest.mark.parametrize("number", NUMBERS)
def test_joins_lead_back_to_the_lines_they_were_made_of(number: str, documents: dict[str, Document]) -> None:
    document = documents[number]
    moved = {p["raw_lines"][0] for p in GOLD[number]["paragraphs"] if p["role"] == "heading"}
    for found, gold in zip(document.paragraphs, GOLD[number]["paragraphs"], strict=True):
        lines = lines_of(document, found.start, found.end)
        assert lines[0] == gold["raw_lines"][0]
        assert lines[-1] == gold["raw_lines"][-1]
        assert set(lines) - set(gold["raw_lines"]) <= moved


@pytest.mark.parametrize("number", NUMBERS)
def test_removed_lines_and_why(number: str, documents: dict[str, Document]) -> None:
    document = documents[number]
    gold = {r["raw_line"]: r["text"] for r in GOLD[number]["removed"]}
    gone = removed_lines(document)
    moved = {p["raw_lines"][0] for p in GOLD[number]["paragraphs"] if p["role"] == "heading"}
    assert {n: line for n, line in gone.items() if n not in moved} == gold
    for removed in GOLD[number]["removed"]:
        reason = {"duplicate": ("duplicates",), "chrome": ("chrome",), "metadata": ("metadata", "chrome")}
        cleaners = reason[removed["reason"]]
        content = removed["text"].replace(",", "，").split(" ")[-1].strip()
        edits = [e for one in document.trail if one.cleaner in cleaners for e in one.edits]
        assert any(content in e.before or e.before.strip() in removed["text"] for e in edits if e.before.strip())


@pytest.mark.parametrize("number", NUMBERS)
def test_metadata(number: str, documents: dict[str, Document]) -> None:
    gold: dict[str, Any] = {field: GOLD[number]["metadata"].get(field) for field in FIELDS}
    assert {field: documents[number].metadata.get(field) for field in FIELDS} == gold


@pytest.mark.parametrize("number", NUMBERS)
def test_articles(number: str, documents: dict[str, Document]) -> None:
    document = documents[number]
    gold = GOLD[number].get("articles", [])
    found = [
        {
            "title": a.title,
            "column": a.column or None,
            "authors": list(a.authors),
            "first_raw_line": lines_of(document, a.start, a.end)[0],
        }
        for a in document.articles
    ]
    assert found == gold


@pytest.mark.parametrize("number", NUMBERS)
def test_flags(number: str, documents: dict[str, Document]) -> None:
    document = documents[number]
    found = [(f.kind, lines_of(document, f.start, f.end)) for f in document.flags]
    assert found == [(f["kind"], [f["raw_line"]]) for f in GOLD[number]["flags"]]


@pytest.mark.parametrize("number", NUMBERS)
def test_original_is_the_seed(number: str, documents: dict[str, Document]) -> None:
    assert documents[number].original() == seed(number).decode("utf-8")


@pytest.mark.parametrize("number", NUMBERS)
def test_cleaning_twice_is_cleaning_once(number: str, documents: dict[str, Document]) -> None:
    again = clean(documents[number].text.encode())
    assert again.text == documents[number].text
    assert [p.text for p in again.paragraphs] == [p.text for p in documents[number].paragraphs]
