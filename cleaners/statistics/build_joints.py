"""Rebuilds joints.bin and joints.json:  python -m cleaners.statistics.build_joints TEXT… [--out FOLDER]

TEXT is a folder or a file of Simplified Chinese text in UTF-8 (.txt or .txt.gz): one paragraph a line, an empty
line between documents; a short first line without a full stop is a headline. From them it makes pages with cut
sentences, with headlines, captions, bylines and page numbers between the halves or between whole paragraphs,
with and without indents and empty lines, in both scripts, and fits the logistic model of cleaners/joints.py.

Every page is judged with tables that were not counted on it: the texts are parted in two, and the tables for one
half are counted on the other. The same input gives the same weights.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import opencc
from numpy.typing import NDArray

import cleaners.statistics as tables
from cleaners.hard_wraps import units
from cleaners.joint_language import Floats
from cleaners.joints import FEATURES, KINDS, Side, Sides, candidates, features, forget
from cleaners.statistics import build, joints

SEED = 20
HALVES = 2  # the texts are parted in so many
FEWEST_SEEN = 2  # times that a triple of characters occurs, to be in the table
LARGEST_TABLE = 300_000
PAGES_OF_DOCUMENT = 3
LONGEST_PAGE = 40  # paragraphs
CUTTABLE = 24  # characters of a paragraph, at least
DAMAGED_SHARE = 0.05  # of a document's lines of prose end inside a sentence
TRADITIONAL_SHARE = 0.25
LATIN_SHARE = 0.15
LATIN = (
    "Python", "API", "Linux", "commit", "CPU", "Mac", "GDP", "App", "5G", "WTO", "IPO", "3D", "New York",
    "machine learning", "Open Street Map", "Windows", "email", "Nature", "United Nations", "Science Advances",
)  # fmt: skip
LATIN_RUN = re.compile("[A-Za-z][A-Za-z ]+[A-Za-z]")
LONGEST_VERSE = 20  # characters of a line
RIDGE = 1.0
STEPS = 30
ONLY_FOR = ("unindented", "tight")  # layout may only speak for a joint
QUOTES = str.maketrans("“”‘’", "「」『』")

SURNAMES = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜谢邹苏潘葛范彭鲁韦马苗方俞任袁柳"
GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰建国志文晓红海燕春宏宇晨欣然子轩一诺梓涵思远"
ROLES = ("记者", "本报记者", "通讯员", "实习生", "见习记者", "特约记者", "本报通讯员")
MARKS = "■□◎▲◆●★▼"
SECTIONS = ("要闻", "本版导读", "国际新闻", "综合", "经济", "文化周刊", "副刊", "地方", "读者来信", "上接第一版")


class Line(NamedTuple):
    """text; goes_on: the next line with follows=True belongs to the same paragraph; begins: a paragraph begins."""

    text: str
    goes_on: bool
    follows: bool


def main(arguments: list[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("texts", nargs="+", type=Path)
    parser.add_argument("--out", type=Path, default=tables.HERE)
    chosen = parser.parse_args(arguments)
    found = list(documents(chosen.texts))
    (chosen.out / "joints.bin").write_bytes(joints.pack(count_triples(found, 1)))
    choices = examples(found)
    models = {kind: _named(fit(choices, kind)) for kind in KINDS}
    (chosen.out / "joints.json").write_text(json.dumps(models, indent=1) + "\n", "utf-8")


def _named(weights: Floats) -> dict[str, float]:
    return {name: round(float(weight), 3) for name, weight in zip(FEATURES, weights, strict=True)}


def count_triples(found: Sequence[Sequence[str]], weight: int) -> dict[int, float]:
    """Hash -> `weight` times the count of the commonest triples of characters in the documents."""
    text = tables.codes("\n".join(line for one in found for line in one))
    keys, counts = np.unique(joints.hashes(text[:-2], text[1:-1], text[2:]), return_counts=True)
    often = counts * weight >= FEWEST_SEEN
    keys, counts = keys[often], counts[often]
    best = np.lexsort((keys, -counts))[:LARGEST_TABLE]
    return dict(zip(keys[best].tolist(), (counts[best] * float(weight)).tolist(), strict=True))


def documents(texts: Sequence[Path]) -> Iterator[list[str]]:
    """The documents of all texts, as lists of paragraphs."""
    for path in texts:
        files = sorted(p for p in path.rglob("*.txt*") if p.is_file()) if path.is_dir() else [path]
        for file in files:
            raw = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
            for document in raw.decode("utf-8").split("\n\n"):
                paragraphs = [line.strip() for line in document.split("\n")]
                paragraphs = [line for line in paragraphs if line.strip("\u200b*- ")]
                if paragraphs and not _is_damaged(paragraphs):
                    yield paragraphs


def _is_damaged(paragraphs: Sequence[str]) -> bool:
    """Does the document itself have cut or wrapped paragraphs?"""
    prose = [Side(line) for line in paragraphs]
    open_prose = sum(one.kind == "prose" and one.is_open for one in prose)
    return open_prose > DAMAGED_SHARE * sum(one.kind == "prose" for one in prose)


class Choices(NamedTuple):
    """What first halves chose from.

    rows   (candidates, FEATURES)
    taken  (candidates,) 1.0 for a joint
    group  (candidates,) number of the first half; ascending
    kind   (candidates,) number in KINDS of the first half's kind
    """

    rows: Floats
    taken: Floats
    group: NDArray[np.int64]
    kind: NDArray[np.int64]


def examples(found: list[list[str]]) -> Choices:
    """All candidates on all pages."""
    halves = found[::2], found[1::2]
    parts: list[Choices] = []
    groups = 0
    for half, other in (halves, halves[::-1]):
        with tables_of(other):
            for page, truth in pages(half):
                part = _page_examples(page, truth, groups)
                parts.append(part)
                groups = max(groups, int(part.group.max(initial=-1)) + 1)
    return Choices(*(np.concatenate(column) for column in zip(*parts, strict=True)))


@contextmanager
def tables_of(found: Sequence[Sequence[str]]) -> Iterator[None]:
    """Within it, the statistics are those of these documents only."""
    home = tables.HERE
    with tempfile.TemporaryDirectory() as folder:
        text = Path(folder) / "documents.txt"
        text.write_text("\n".join(line for one in found for line in one), "utf-8")
        build.build([text], None, Path(folder))
        (Path(folder) / "joints.bin").write_bytes(joints.pack(count_triples(found, HALVES)))
        tables.HERE, joints.FILE = Path(folder), Path(folder) / "joints.bin"
        _forget()
        try:
            yield
        finally:
            tables.HERE, joints.FILE = home, home / "joints.bin"
            _forget()


def _forget() -> None:
    joints.triples.cache_clear()
    tables.unigrams.cache_clear()
    tables.bigrams.cache_clear()
    forget()


def _page_examples(page: str, truth: set[tuple[int, int]], first_group: int) -> Choices:
    lines = units(page)
    sides = Sides(lines)
    asked = candidates(lines, sides)
    rows = features(lines, sides, asked) if asked else np.zeros((0, len(FEATURES)))
    return Choices(
        rows,
        np.array([float((i, j) in truth) for i, j in asked]),
        np.array([first_group + i for i, _ in asked], dtype=np.int64),
        np.array([KINDS.index(sides[i].kind) for i, _ in asked], dtype=np.int64),
    )


def pages(found: Sequence[list[str]]) -> Iterator[tuple[str, set[tuple[int, int]]]]:
    """Texts, each with the pairs of line numbers (empty lines not counted) that are halves of a sentence."""
    rng = random.Random(SEED)
    headlines = [one[0] for one in found if 6 <= len(one[0]) <= 40 and one[0][-1] not in "。！？…”；："]
    sentences = [s for one in found for p in one[1:3] for s in p.split("。") if 8 <= len(s) <= 30 and "“" not in s]
    convert = opencc.OpenCC("s2twp").convert
    for one in found:
        for _ in range(PAGES_OF_DOCUMENT):
            length = rng.choice((3, 5, LONGEST_PAGE, LONGEST_PAGE))
            at = rng.randrange(max(1, len(one) - length))
            part = one[at : at + length]
            if rng.random() < LATIN_SHARE:
                part = [_with_latin(paragraph, rng) for paragraph in part]
            lines = _cut_page(part, headlines, sentences, rng)
            text = _layout(lines, rng)
            if rng.random() < TRADITIONAL_SHARE:
                text = convert(text).translate(QUOTES)
            yield text, _joints(lines)
    for _ in range(len(found) // 10):  # pages of links and of short news
        lines = [Line(_headline(headlines, rng), False, False) for _ in range(rng.randrange(3, 15))]
        yield _layout(lines, rng), set()
    for one in found[::10]:
        yield _layout(_verse(one, rng), rng), set()
    for one in found[::20]:
        yield _layout(_unstopped(one[: LONGEST_PAGE // 2], rng), rng), set()


def _joints(lines: Sequence[Line]) -> set[tuple[int, int]]:
    found, begun = set(), -1
    for i, line in enumerate(lines):
        if line.follows:
            found.add((begun, i))
        if line.goes_on:
            begun = i
    return found


def _cut_page(
    paragraphs: Sequence[str], headlines: Sequence[str], sentences: Sequence[str], rng: random.Random
) -> list[Line]:
    """Cuts some paragraphs, puts lines of other kinds between the halves and between whole paragraphs."""
    often = rng.choice((0.0, 0.1, 0.3, 0.6))
    foreign = rng.choice((0.0, 0.0, 0.5, 1.0))
    lines: list[Line] = []
    for paragraph in paragraphs:
        cuts = _cuts(paragraph, rng) if rng.random() < often else []
        places = [0, *cuts, len(paragraph)]
        pieces = [paragraph[a:b].strip() for a, b in pairwise(places)]
        for i, piece in enumerate(pieces):
            lines.append(Line(piece, i + 1 < len(pieces), i > 0))
            if rng.random() < (foreign if i + 1 < len(pieces) else 0.05):
                for _ in range(rng.choice((1, 1, 1, 2))):
                    lines.append(Line(_foreign(headlines, sentences, rng), False, False))
    return [line for line in lines if line.text]


def _cuts(paragraph: str, rng: random.Random) -> list[int]:
    """Places inside sentences: mostly between any two characters, sometimes after a comma."""
    if len(paragraph) < CUTTABLE:
        return []
    found: list[int] = []
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        latin = [m.span() for m in LATIN_RUN.finditer(paragraph)]
        if latin and rng.random() < 0.2:
            first, last = rng.choice(latin)
            found.append(rng.randrange(first, last + 1))
            continue
        for _ in range(10):
            at = rng.randrange(6, len(paragraph) - 3)
            before, after = paragraph[at - 1], paragraph[at]
            kind = rng.random()
            fits = before in "，、" if kind < 0.25 else before.isalpha() and after.isalpha() if kind < 0.9 else True
            if fits and before not in "。！？；：…” \u3000" and after not in " \u3000":
                found.append(at)
                break
    found = sorted(set(found))
    found = [at for at in found if 4 <= at <= len(paragraph) - 3]
    return [at for i, at in enumerate(found) if i == 0 or at - found[i - 1] > 6]


def _verse(paragraphs: Sequence[str], rng: random.Random) -> list[Line]:
    """Prose set as free verse, a clause or less a line, between some lines of prose."""
    text = "".join(paragraphs[1:6])[:400]
    keeps_marks = rng.random() < 0.7
    clauses = [c for c in re.split("(?<=[，。！？；])", text) if c]
    if not keeps_marks:
        clauses = [c.rstrip("，。！？；") for c in clauses]
    if rng.random() < 0.3:
        clauses = [piece for c in clauses for piece in _halved(c, rng)]
    lines = [Line(c, False, False) for c in clauses if 1 < len(c) <= LONGEST_VERSE]
    around = [Line(p, False, False) for p in (*paragraphs[:1], *paragraphs[6:8])]
    return [*around[:1], *lines, *around[1:]]


def _unstopped(paragraphs: Sequence[str], rng: random.Random) -> list[Line]:
    """Some paragraphs in a row without their last full stop, as in lists of points."""
    first = rng.randrange(max(1, len(paragraphs) - 2))
    last = first + rng.randrange(2, 10)
    lines = []
    for i, paragraph in enumerate(paragraphs):
        if first <= i < last:
            sentences = re.split("(?<=[。！？；])", paragraph)
            paragraph = "".join(sentences[: rng.choice((1, 1, 2))]).rstrip("。；，")
        lines.append(Line(paragraph, False, False))
    return [line for line in lines if line.text]


def _halved(clause: str, rng: random.Random) -> list[str]:
    at = rng.randrange(1, max(2, len(clause) - 1))
    return [piece for piece in (clause[:at], clause[at:]) if piece]


def _with_latin(text: str, rng: random.Random) -> str:
    """Some pairs of characters become Latin words, with a space on either side or without."""
    space = rng.choice(("", " "))
    return re.sub(
        "(?<=[\u4e00-\u9fff])[\u4e00-\u9fff]{2}(?=[\u4e00-\u9fff])",
        lambda m: f"{space}{rng.choice(LATIN)}{space}" if rng.random() < 0.03 else m.group(),
        text,
    )


def _foreign(headlines: Sequence[str], sentences: Sequence[str], rng: random.Random) -> str:
    """A headline, a caption, a credit, a byline, a page number or a running head."""
    kind = rng.random()
    if kind < 0.55:
        return rng.choice(("", "", "", rng.choice(MARKS))) + _headline(headlines, rng)
    if kind < 0.7:
        credit = rng.choice(("摄", "摄", "/摄", "供图", "图"))
        return f"{rng.choice(sentences)}{rng.choice('。　 ')}{rng.choice(('', *ROLES))}{_name(rng)} {credit}"
    if kind < 0.78:
        return rng.choice(sentences) + rng.choice(("。", ""))
    if kind < 0.86:
        return rng.choice(("", "□", "◎")) + f"{rng.choice(ROLES)} {_name(rng)} {_name(rng)}"
    if kind < 0.94:
        return rng.choice(("{}", "- {} -", "— {} —", "第{}页", "第{}版")).format(rng.randrange(1, 300))
    return rng.choice(SECTIONS)


def _headline(headlines: Sequence[str], rng: random.Random) -> str:
    """A headline, or two to one as the web has them."""
    one = rng.choice(headlines)
    if rng.random() < 0.6:
        return one
    return one + rng.choice("，，，！？：；") + rng.choice(headlines)[: rng.randrange(4, 24)]


def _name(rng: random.Random) -> str:
    return rng.choice(SURNAMES) + "".join(rng.choices(GIVEN, k=rng.choice((1, 2, 2))))


def _layout(lines: Sequence[Line], rng: random.Random) -> str:
    """One text: with or without indents and empty lines; a second half may have an indent of its own or not."""
    gap = rng.choice(("\n", "\n\n", "\n\n", "\n\n\n"))
    indent = rng.choice(("", "", "\u3000\u3000", "    "))
    indent_halves = rng.random() < 0.5
    written = []
    for line in lines:
        own = line.text[-1] in "。！？…”；：，" or line.goes_on or line.follows
        lead = indent if own and (indent_halves or not line.follows) else ""
        written.append(lead + line.text)
    return gap.join(written)


def fit(choices: Choices, kind: str) -> Floats:
    """Weights of the conditional logit for first halves of one kind, by Newton's method, with a ridge on
    everything but the bias."""
    chosen = choices.kind == KINDS.index(kind)
    rows, taken = choices.rows[chosen], choices.taken[chosen]
    starts = np.flatnonzero(np.diff(choices.group[chosen], prepend=-1))
    allowed = np.ones(rows.shape[1], dtype=bool)
    while True:
        weights = np.zeros(rows.shape[1])
        weights[allowed] = _newton(rows[:, allowed], taken, starts)
        against = [i for i, name in enumerate(FEATURES) if name in ONLY_FOR and weights[i] < 0]
        if not against:
            return weights
        allowed[against] = False


def _newton(rows: Floats, taken: Floats, starts: NDArray[np.int64]) -> Floats:
    """`starts`: number of the first row of each choice; to choose none of its rows has utility 0."""
    weights = np.zeros(rows.shape[1])
    penalty = np.full(rows.shape[1], RIDGE)
    penalty[0] = 0.0
    sizes = np.diff(starts, append=len(rows))
    for _ in range(STEPS):
        utility = np.exp(np.clip(rows @ weights, -30, 30))
        chance = utility / np.repeat(1 + np.add.reduceat(utility, starts), sizes)
        slope = rows.T @ (taken - chance) - penalty * weights
        expected = np.add.reduceat(rows * chance[:, None], starts)
        bend = rows.T @ (rows * chance[:, None]) - expected.T @ expected + np.diag(penalty + 1e-6)
        step = np.linalg.solve(bend, slope)
        weights += step
        if np.abs(step).max() < 1e-6:
            break
    result: Floats = weights
    return result


if __name__ == "__main__":
    main()
