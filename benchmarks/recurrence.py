"""What recurs, measured: a made site whose chrome no rule names.

    python -m benchmarks.recurrence [--pages 1000] [--json FILE]

Each page has a frame (a navigation, a line with the date, buttons, links, a footer) in words that are made up, so that
no rule knows them, around a made article; some pages hold what must stay although it recurs: a column's title, a
refrain, the headings of a recipe, the cells of a table, one article under ten addresses.

Recall: the part of the frame's lines that the cleaners remove as chrome. Precision: the part of the lines that they
remove so that are the frame's. `strange`: no rule names any line of the frame; `usual`: rules name three of its lines.
For recurrence alone, for all cleaners, and for all but recurrence: rules and the line classifier.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from cleaners import Config, Document, clean
from corpus import recurring
from corpus.seed_list import AnySeed
from corpus.seeds import Scan, scan

SITE = "www.shancheng.example"
ALONE = Config(cleaners=("recurrence", "metadata", "layout"))

WORDS = (
    *("山城", "江岸", "渡口", "石桥", "竹林", "茶园", "晚风", "灯火", "春耕", "秋收"),
    *("夜航", "晨雾", "老街", "新坊", "云台", "松涛", "梨园", "书院", "荷塘", "麦田"),
)
SENTENCES = (
    "镇上的渡口上个月换了新船，过江的人比往年多了三成，船工们忙得顾不上吃饭。",
    "老林把自家的茶园交给儿子打理，自己每天清早到山上看一看，心里才踏实。",
    "去年冬天雪下得少，地里的墒情不好，农技员挨家挨户教大家怎样保墒。",
    "学校的操场修好以后，傍晚跑步的人越来越多，连隔壁村的人也赶过来。",
    "县里的剧团排了一出新戏，讲的是三十年前修水库的故事，台下坐满了人。",
    "河边的旧厂房改成了书屋，周末常有孩子坐在台阶上看书，一看就是半天。",
    "入夏以后雨水多，乡里安排人手轮流守堤，一直守到水位退下去才撤回来。",
    "她把收到的来信一封一封编上号，装订成册，放在柜子里最显眼的地方。",
)


class Made(NamedTuple):
    """A page: its text, and its lines that are the frame's."""

    text: str
    frame: frozenset[str]


def pages(count: int, seed: int = 0, usual: bool = False) -> Iterator[Made]:
    """The pages of the made site; with `usual`, rules name three lines of their frame."""
    draw = random.Random(seed)
    pairs = [a + b for a in WORDS for b in WORDS if a != b]
    draw.shuffle(pairs)
    navigation, buttons, footer = pairs[:18], pairs[18:23], pairs[23:33]
    if usual:
        navigation[0], buttons[0], footer[0] = "网站首页", "打印本页", "返回顶部"
    lists = [pairs[40 + 6 * i : 46 + 6 * i] for i in range(4)]  # of each section
    copy = _article(draw)
    for number in range(count):
        section = number % 4
        day = f"{draw.choice(WORDS)}历{draw.randrange(1, 13)}月{draw.randrange(1, 29)}日"
        title = "".join(draw.sample(WORDS, 4)) + "记"
        head = [*navigation, f"今日{day}好天气", f"{navigation[0]} > {lists[section][0]}"]
        body = copy if number % 100 < 10 else _article(draw)
        kind = number % 10
        if kind == 1:
            body = ["渡口夜话", *body]  # a column's title
        if kind == 2:
            body = [*body[:1], "江水长，渡船忙", *body[1:], "江水长，渡船忙"]  # a refrain
        if kind == 3:
            body = [body[0], "用料", "糯米", f"{draw.randrange(100, 900)}克", "做法", *body[1:], "小贴士", body[0]]
        if kind == 4:
            cells = [
                cell
                for name in ("白菜", "萝卜", "芹菜")
                for cell in (name, f"{draw.randrange(1, 9)}.{draw.randrange(10)}")
            ]
            body = [*body, "今天市场上的价格如下，供街坊们参考：", "品名", "价格", *cells]
        links = ["".join(draw.sample(WORDS, 5)) for _ in range(4)]
        tail = [*buttons, *links, *lists[section], *footer, f"{SITE} 共{draw.randrange(10**6)}人来过"]
        frame = frozenset([*head, *buttons, *lists[section], *footer, tail[-1]])
        yield Made("\n".join([*head, title, *body, *tail]) + "\n", frame)


def _article(draw: random.Random) -> list[str]:
    """Paragraphs, no two articles alike."""
    sentences = draw.sample(SENTENCES, draw.randrange(3, 8))
    return [f"{draw.choice(WORDS)}的{draw.choice(WORDS)}和{draw.choice(WORDS)}不同。{one}" for one in sentences]


class Figures(NamedTuple):
    """recall and precision over lines; lost: lines of articles that went, and how often."""

    recall: float
    precision: float
    lost: dict[str, int]


def judged(made: list[Made], documents: list[Document]) -> Figures:
    found = wanted = removed = 0
    lost: Counter[str] = Counter()
    for page, document in zip(made, documents, strict=True):
        edits = [edit for one in document.trail if one.cleaner in ("chrome", "recurrence") for edit in one.edits]
        gone = {line for edit in edits for line in edit.before.split("\n")} - {""}
        found += len(gone & page.frame)
        wanted += len(page.frame)
        removed += len(gone)
        lost.update(gone - page.frame)
    return Figures(found / wanted, found / max(1, removed), dict(lost.most_common(10)))


def measured(made: list[Made]) -> dict[str, Any]:
    """The figures of one site."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / SITE).mkdir()
        for number, page in enumerate(made):
            (root / SITE / f"{number:06}.txt").write_text(page.text, "utf-8")
        found = scan(root, 1 << 26)
        clean(made[0].text.encode())  # loads tables and rules
        start = time.process_time()
        survey = surveyed(root, found)
        surveying = time.process_time() - start
    size = sum(seed.size for seed in found.seeds)
    start = time.process_time()
    applied = survey.applied(found.seeds)
    with_it = [cleaned(page, seed, applied) for page, seed in zip(made, found.seeds, strict=True)]
    cleaning = time.process_time() - start
    alone = [cleaned(page, seed, applied, ALONE) for page, seed in zip(made, found.seeds, strict=True)]
    without = [clean(page.text.encode(), seed.name) for page, seed in zip(made, found.seeds, strict=True)]
    return {
        "pages": len(made),
        "MB": size / 1e6,
        "lines that recur": len(survey.recurring),
        "recurrence alone": judged(made, alone)._asdict(),
        "all cleaners": judged(made, with_it)._asdict(),
        "without recurrence": judged(made, without)._asdict(),
        "survey, MB/s": size / 1e6 / surveying,
        "survey, part of the run": surveying / (surveying + cleaning),
    }


def main() -> None:
    """Prints the figures."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--pages", type=int, default=1000)
    options.add_argument("--json", type=Path, help="write the figures here")
    given = options.parse_args()
    result = {
        "strange": measured(list(pages(given.pages))),
        "usual": measured(list(pages(given.pages, usual=True))),
    }
    text = json.dumps(result, ensure_ascii=False, indent=1)
    print(text)
    if given.json:
        given.json.write_text(text + "\n", encoding="utf-8")


def surveyed(root: Path, found: Scan) -> recurring.Survey:
    """What recurs in a folder of seeds."""
    fresh = recurring.sample(root, found.seeds, Config())
    return recurring.survey(found, "", None, [fresh], partial(recurring.said, root, Config()))


def cleaned(page: Made, seed: AnySeed, applied: Mapping[str, frozenset[int]], config: Config | None = None) -> Document:
    config = replace(config or Config(), recurring=applied.get(seed.name, frozenset()))
    return clean(page.text.encode(), seed.name, config)


if __name__ == "__main__":
    main()
