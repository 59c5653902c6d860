"""Pages of many layouts and what they say about their article: adding a file to tests/pages adds a test.

A file begins with the metadata, as TOML; below a line with +++ stands the page, as a scraper leaves it.
"""

import re
import tomllib
from pathlib import Path

import pytest

from cleaners import Document, clean

PAGES = sorted((Path(__file__).parent / "pages").glob("*.txt"))
FIELDS = ("title", "subtitle", "authors", "source", "published_at", "editor", "photographer")
UNSOLVED = frozenset(["taiwan_central"])
"""Not read rightly yet: a name and a place without a mark between (記者周一鳴省城8日電) are not parted."""


def read(path: Path) -> tuple[dict[str, object], Document]:
    head, _, page = path.read_text(encoding="utf-8").partition("+++\n")
    return tomllib.loads(head), clean(page.encode())


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_metadata(path: Path, request: pytest.FixtureRequest) -> None:
    if path.stem in UNSOLVED:
        request.applymarker(pytest.mark.xfail(strict=True, reason="known failure"))
    expected, document = read(path)
    found = {field: value for field in FIELDS if (value := document.metadata.get(field))}
    assert found == expected


def letters(text: str) -> str:
    return re.sub(r"\W", "", text)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_no_prose_is_lost_and_once_is_enough(path: Path) -> None:
    _, document = read(path)
    prose = [
        line for line in document.original().split("\n") if len(line) > 30 and "声明" not in line and line[-1] == "。"
    ]
    assert all(letters(line) in letters(document.text) for line in prose)
    assert clean(document.text.encode()).text == document.text
