"""Rebuilds lines.json, the weights of the line classifier:  python -m cleaners.statistics.build_lines FOLDER

FOLDER holds pages as text with answers, in files named *.jsonl, one page a line:

    {"site": "example.cn", "lines": ["首页", "新桥昨天通车", "……"], "labels": "xnc"}

site    pages of one site stay together when `--check` leaves sites out
lines   the page's text, a row each
labels  for each row: c article, x no article, n either (not learned from: headline, byline, date)

Files named *.txt or *.txt.gz hold articles without anything around them, parted by empty lines. Rows that rules
remove (their own examples) are put among their paragraphs, where an article on a page has them: all else must stay.

To see pages as those of unknown sites, each is shown several times, some rules left out by chance (the seed is
fixed): so the model learns to do without them. The same input gives the same weights.

    --check   instead of writing: leave out a fifth of the sites at a time, and print how the model does on them
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cleaners import article_extent, chrome
from cleaners.line_features import AGAINST, EITHER, FEATURES, REGIONS, Floats, features, regions
from cleaners.prose import Page, read
from cleaners.rule_files import load

SEED = 5
DROPPED = (0.0, 0.25, 0.5, 0.75)
"""Shares of the rules that are left out, one view of a page each."""

FULL_WEIGHT_ROWS = 60
"""A longer page counts as much as one of so many rows, so that no single page decides."""

RIDGE = 3.0
STEPS = 50
FOLDS = 5
ABOUT_SHARE = 0.7
"""Share of the articles without a page that get a row about them."""

PARAGRAPHS = 40
"""Articles without a page around them are cut to so many paragraphs."""


class Answered(NamedTuple):
    """A page with its answers: text, and for each row that is not blank its label."""

    site: str
    text: str
    labels: str


class Examples(NamedTuple):
    """rows    (n, FEATURES)
    gone    (n,) 1.0 for a row that is no article
    region  (n,) number in REGIONS
    weight  (n,)
    """

    rows: Floats
    gone: Floats
    region: NDArray[np.int64]
    weight: Floats


class View(NamedTuple):
    """A page as the model is shown it."""

    page: Page
    marks: article_extent.Marks
    labels: str


def main(arguments: list[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--out", type=Path, default=article_extent.FILE)
    parser.add_argument("--check", action="store_true")
    chosen = parser.parse_args(arguments)
    pages = sorted(answered(chosen.folder))
    if chosen.check:
        check(pages)
        return
    tables = named(fit(examples(pages)))
    chosen.out.write_text(json.dumps(tables, indent=1) + "\n", "utf-8")


def named(model: Floats) -> dict[str, dict[str, float]]:
    """The weights with their names, in steps of 0.01."""
    return {
        region: {name: round(float(weight), 2) for name, weight in zip(FEATURES, row, strict=True)}
        for region, row in zip(REGIONS, model, strict=True)
    }


def answered(folder: Path) -> Iterator[Answered]:
    """The pages in the folder."""
    for path in sorted(folder.rglob("*.jsonl")):
        for line in path.read_text("utf-8", errors="surrogatepass").splitlines():
            one = json.loads(line)
            kept = [(text, label) for text, label in zip(one["lines"], one["labels"], strict=True) if text.strip()]
            yield Answered(one["site"], "\n".join(text for text, _ in kept), "".join(label for _, label in kept))
    for path in sorted(folder.rglob("*.txt*")):
        raw = path.read_bytes()
        text = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode("utf-8")
        for number, article in enumerate(text.split("\n\n")):
            rows = [line for line in article.split("\n") if line.strip()][:PARAGRAPHS]
            if rows:
                yield _interrupted(f"{path.name} {number}", rows)


def _interrupted(name: str, rows: list[str]) -> Answered:
    """An article with some rows of chrome in it, most of them near its beginning and its end, and often with a row
    about the article below its headline or at its end."""
    rng = random.Random(f"{SEED} {name}")
    chrome_rows = [text for rule in load("chrome") if rule.where == "anywhere" or rule.and_all for text in rule.removes]
    about_rows = [text for rule in load("metadata") if rule.field and not rule.weak for text in rule.removes]
    labels = ["c"] * len(rows)
    inserted = [(rng.choice(chrome_rows), "x") for _ in range(rng.choice((1, 1, 2, 3, 5)))]
    if rng.random() < ABOUT_SHARE:
        inserted.append((rng.choice(about_rows), "n"))
    for text, label in inserted:
        at = rng.choice((0, 1, 2, len(rows) - 2, len(rows) - 1, len(rows), rng.randrange(len(rows) + 1)))
        at = min(max(0, at), len(rows))
        rows.insert(at, text)
        labels.insert(at, label)
    return Answered(name, "\n".join(rows), "".join(labels))


def views(pages: Sequence[Answered]) -> Iterator[View]:
    """Every page in which rules find chrome, once for each share of rules that is left out."""
    names = sorted(rule.name for rule in load("chrome"))
    rng = random.Random(SEED)
    for one in pages:
        for share in DROPPED:
            without = frozenset(name for name in names if rng.random() < share)
            view = seen(one, without)
            if view is not None:
                yield view


def seen(one: Answered, without: frozenset[str] = frozenset()) -> View | None:
    """The page as `chrome` sees it before it asks the model; None when it does not ask."""
    page, candidates, sure = chrome.by_rules(read(one.text), without)
    if page.first == page.last or not sure:
        return None
    return View(page, chrome.marks(page, candidates, sure), one.labels)


def examples(pages: Sequence[Answered]) -> Examples:
    """The rows of all pages that the model decides about and whose answer is known.

    Not learned from: a row that reads like prose in the main stretch and is said to be none of the article (answers
    differ on where an article is cut), and the headline.
    """
    parts: list[Examples] = []
    for view in views(pages):
        page, marks, labels = view
        fixed = {*marks.removed, *marks.told, *marks.kept}
        learned = [i for i, label in enumerate(labels) if label != "n" and i not in fixed]
        learned = [i for i in learned if labels[i] == "c" or page.rows[i].score < 0 or not _inside(page, i)]
        rows = features(page, marks.removed, marks.weak, marks.told)[learned]
        gone = np.array([float(labels[i] == "x") for i in learned])
        region = np.array(regions(page, marks.signs, marks.told, marks.title), dtype=np.int64)[learned]
        weight = np.full(len(learned), min(1.0, FULL_WEIGHT_ROWS / max(1, len(labels))))
        parts.append(Examples(rows, gone, region, weight))
    return Examples(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _inside(page: Page, i: int) -> bool:
    return page.first <= i < page.last


def fit(found: Examples) -> Floats:
    """The weights: (REGIONS, FEATURES)."""
    return np.array([_fit_region(found, found.region == k) for k in range(len(REGIONS))])


def _fit_region(found: Examples, chosen: NDArray[np.bool_]) -> Floats:
    """The weights of one region; a feature whose weight would have the wrong sign is left out."""
    rows, gone, weight = found.rows[chosen], found.gone[chosen], found.weight[chosen]
    allowed = list(range(len(FEATURES)))
    while True:
        part = _newton(rows[:, allowed], gone, weight)
        wrong = [k for k, one in zip(allowed, part, strict=True) if one * _sign(FEATURES[k]) < 0]
        if not wrong:
            break
        worst = min(wrong, key=lambda k: part[allowed.index(k)] * _sign(FEATURES[k]))
        allowed.remove(worst)
    model = np.zeros(len(FEATURES))
    model[allowed] = part
    return model


def _sign(name: str) -> int:
    return 0 if name in EITHER else -1 if name in AGAINST else 1


def _newton(rows: Floats, gone: Floats, weight: Floats) -> Floats:
    """Weighted logistic regression by Newton's method, with a ridge on everything but the bias."""
    model = np.zeros(rows.shape[1])
    penalty = np.full(rows.shape[1], RIDGE)
    penalty[0] = 0.01
    for _ in range(STEPS):
        chance = 1 / (1 + np.exp(-np.clip(rows @ model, -30, 30)))
        slope = rows.T @ (weight * (gone - chance)) - penalty * model
        bend = (rows * (weight * chance * (1 - chance))[:, None]).T @ rows + np.diag(penalty)
        step = np.linalg.solve(bend, slope)
        model += step
        if np.abs(step).max() < 1e-6:
            break
    return model


def check(pages: Sequence[Answered]) -> None:
    """Prints, by share of rules left out, what rules alone and rules with the model do on sites left out."""
    sites = sorted({one.site for one in pages})
    random.Random(SEED).shuffle(sites)
    models = []
    for fold in range(FOLDS):
        out = set(sites[fold::FOLDS])
        models.append((fit(examples([one for one in pages if one.site not in out])), out))
    names = sorted(rule.name for rule in load("chrome"))
    print(f"{'rules left out':>15}{'':8}{'kept F':>8}{'content':>9}{'precision':>10}{'recall':>8}  (% of characters)")
    for share in DROPPED:
        rng = random.Random(SEED + 1)
        alone, both = np.zeros(4), np.zeros(4)
        for one in pages:
            without = frozenset(name for name in names if rng.random() < share)
            model = next(model for model, out in models if one.site in out)
            view = seen(one, without)
            gone = set() if view is None else set(view.marks.removed)
            alone += _counts(one, gone)
            if view is not None:
                gone |= set(article_extent.decide(view.page, view.marks, model))
            both += _counts(one, gone)
        for name, counts in (("rules", alone), ("+ model", both)):
            print(f"{share:15.0%}{name:>8}" + _figures(counts))


def _counts(one: Answered, gone: set[int]) -> Floats:
    """Characters: article kept, article lost, other kept, other gone."""
    counts = np.zeros(4)
    for i, (row, label) in enumerate(zip(one.text.split("\n"), one.labels, strict=True)):
        if label != "n":
            counts[2 * (label == "x") + (i in gone)] += len("".join(row.split()))
    return counts


def _figures(counts: Floats) -> str:
    kept, lost, left, gone = counts.tolist()
    f = 2 * kept / max(1, 2 * kept + left + lost)
    figures = (f, kept / max(1, kept + lost), gone / max(1, gone + lost), gone / max(1, gone + left))
    return "".join(f"{100 * one:{width}.2f}" for one, width in zip(figures, (8, 9, 10, 8), strict=True))


if __name__ == "__main__":
    main()
