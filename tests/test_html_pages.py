"""Whole HTML pages, with what is the article's and what is not, line by line: tests/html.

NAME.html is a page, NAME.lines its visible lines in order, each with a mark and a tab before it: `c` the article's,
which must stay; `x` the frame's, which must go; `o` the frame's that stays today (take it from the list when it goes);
`n` what tells about the article, which may become a field.
"""

from collections import Counter
from pathlib import Path

import pytest

from cleaners import clean

FOLDER = Path(__file__).parent / "html"
PAGES = sorted(FOLDER.glob("*.html"))


def letters(text: str) -> str:
    return "".join(c for c in text if c.isalnum())


def marked(path: Path) -> list[tuple[str, str]]:
    """(mark, letters) of the page's lines."""
    rows = [row.split("\t", 1) for row in path.with_suffix(".lines").read_text("utf-8").splitlines()]
    return [(mark, letters(text)) for mark, text in rows]


@pytest.mark.parametrize("path", PAGES, ids=[path.stem for path in PAGES])
def test_article_stays_and_frame_goes(path: Path) -> None:
    text = clean(path.read_bytes()).text
    whole = letters(text)
    left = Counter(letters(piece) for row in text.split("\n") for piece in row.split("\t"))
    lines = marked(path)
    lost = [line for mark, line in lines if mark == "c" and line not in whole]
    assert lost == []
    for mark, line in lines:
        if mark in "cn" and line in left:
            left[line] -= 1
    stayed = [line for mark, line in lines if mark == "x" and line and left[line] > 0]
    assert stayed == []
    gone = [line for mark, line in lines if mark == "o" and line not in whole]
    assert gone == [], "better than known: mark these lines x"


@pytest.mark.parametrize("path", PAGES, ids=[path.stem for path in PAGES])
def test_articles_of_pages_come_to_rest(path: Path) -> None:
    document = clean(path.read_bytes())
    assert clean(document.text.encode()).text == document.text
