"""What extractors keep of HTML pages, and what our cleaners add.

    python -m benchmarks.extraction PAGES [--only NAME,NAME] [--json FILE]

PAGES holds pages (`x.html`, `x.htm`, `x.mhtml`) and, beside each, the article as it should be (`x.txt`, in UTF-8);
pages without one are left out.  All are read by our decoder, so that only the extraction is compared.  Other
extractors are measured when they are installed (`pip install trafilatura readability-lxml lxml_html_clean jusText`).

Characters are letters, digits and Han.  kept: share of the article's that are left, in order (longest common
subsequence); clean: share of what is left that is the article's; F of both; mean: of the pages' F.  Times are CPU time.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from rapidfuzz.distance import LCSseq

from cleaners import Config, apply, clean, extraction, mhtml
from cleaners.encoding import decode

ENDINGS = (".html", ".htm", ".mhtml")


def source(raw: bytes) -> str:
    """The page's HTML."""
    text = decode(raw, Config()).text
    return apply(text, mhtml.propose(text, Config()))


def ours(raw: bytes) -> str:
    return clean(raw).text


def extraction_alone(raw: bytes) -> str:
    text = source(raw)
    return apply(text, extraction.propose(text, Config()))


def resiliparse(raw: bytes) -> str:
    from resiliparse.extract.html2text import extract_plain_text

    return str(extract_plain_text(source(raw), main_content=True, alt_texts=False))


def resiliparse_and_ours(raw: bytes) -> str:
    return clean(resiliparse(raw).encode()).text


def trafilatura(raw: bytes) -> str:
    from trafilatura import extract

    return extract(source(raw), include_comments=False) or ""


def readability(raw: bytes) -> str:
    from readability import Document
    from resiliparse.extract.html2text import extract_plain_text

    return str(extract_plain_text(Document(source(raw)).summary(html_partial=True), alt_texts=False))


def justext(raw: bytes) -> str:
    from justext import justext as paragraphs

    found = paragraphs(source(raw), frozenset(), length_low=20, length_high=50, stopwords_low=0, stopwords_high=0)
    return "\n".join(one.text for one in found if not one.is_boilerplate)


CANDIDATES: dict[str, tuple[str, Callable[[bytes], str]]] = {
    "ours": ("resiliparse", ours),
    "extraction alone": ("resiliparse", extraction_alone),
    "resiliparse": ("resiliparse", resiliparse),
    "resiliparse and our cleaners": ("resiliparse", resiliparse_and_ours),
    "trafilatura": ("trafilatura", trafilatura),
    "readability": ("readability", readability),
    "justext": ("justext", justext),
}
"""By name: the package that it needs, and the function from bytes to text."""


def letters(text: str) -> str:
    return "".join(c for c in text if c.isalnum())


def f_score(right: int, left: int, wanted: int) -> float:
    return 2 * right / (left + wanted) if left + wanted else 1.0


def measure(pages: list[tuple[bytes, str]], extract: Callable[[bytes], str]) -> dict[str, float]:
    """Shares in %, and MB/s."""
    rights = lefts = wanteds = 0
    scores = []
    seconds = 0.0
    for raw, article in pages:
        start = time.process_time()
        text = extract(raw)
        seconds += time.process_time() - start
        left, wanted = letters(text), letters(article)
        right = LCSseq.similarity(left, wanted)
        rights, lefts, wanteds = rights + right, lefts + len(left), wanteds + len(wanted)
        scores.append(f_score(right, len(left), len(wanted)))
    found = {
        "kept": rights / max(1, wanteds),
        "clean": rights / max(1, lefts),
        "F": f_score(rights, lefts, wanteds),
        "mean": sum(scores) / len(scores),
    }
    speed = sum(len(raw) for raw, _ in pages) / 1e6 / max(seconds, 1e-9)
    return {name: round(100 * share, 2) for name, share in found.items()} | {"MB/s": round(speed, 2)}


def read(folder: Path) -> list[tuple[bytes, str]]:
    """Pages with their articles."""
    return [
        (path.read_bytes(), path.with_suffix(".txt").read_text("utf-8"))
        for path in sorted(folder.iterdir())
        if path.suffix.lower() in ENDINGS and path.with_suffix(".txt").exists()
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pages", type=Path)
    parser.add_argument("--only", default="")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    pages = read(options.pages)
    if not pages:
        parser.error(f"{options.pages} has no page with an article beside it (x.html and x.txt)")
    result: dict[str, Any] = {"pages": len(pages)}
    for name, (package, extract) in CANDIDATES.items():
        if (options.only and name not in options.only.split(",")) or find_spec(package) is None:
            continue
        result[name] = measure(pages, extract)
        print(f"{name:30}", "  ".join(f"{key} {value:6.2f}" for key, value in result[name].items()), flush=True)
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
