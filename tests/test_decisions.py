"""The decisions' pages: a number each, and every number that is named leads to a page."""

import re
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGES = sorted((ROOT / "docs" / "decisions").glob("*.md"))


def test_each_page_has_a_number_of_its_own() -> None:
    assert PAGES
    assert [n for n, times in Counter(page.name[:4] for page in PAGES).items() if times > 1] == []
    for page in PAGES:
        assert re.match(rf"# 0*{int(page.name[:4])}\b", page.read_text("utf-8")), page.name


def test_references_lead_to_pages() -> None:
    numbers = {page.name[:4] for page in PAGES}
    files = [path for pattern in ("*.md", "*/*.py", "*/*.md", "*.toml") for path in ROOT.glob(pattern)]
    for path in files:
        for number in re.findall(r"decisions/(\d{4})", path.read_text("utf-8")):
            assert number in numbers, f"{path.relative_to(ROOT)} names {number}"
