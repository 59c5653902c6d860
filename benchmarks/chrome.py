"""Speed of the chrome and metadata cleaners: MB of UTF-8 per second of CPU time on one core.

    python -m benchmarks.chrome [--seconds 2] [--json FILE]

news    paragraphs of prose with a headline and a byline: nothing to find, the usual case
pages   the same prose with navigation, buttons, metadata and a footer around it
verse   short lines only: no row can be passed over
hostile one rule's prefix over and over, rows of separators, a line without end
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from cleaners import Config, Edit, chrome, metadata

SENTENCES = (
    "县里的老桥去年冬天动工重修，工人们在江面上搭起了钢架，白天黑夜轮班施工。",
    "据负责施工的工程师介绍，新桥全长三百二十米，设双向四车道，两侧各有两米宽的人行道。",
    "家住江东的周老师说，以前过江上班要绕行四十分钟，桥通以后只要五分钟就够了。",
    "村里的果农也高兴：今年的橘子可以当天运到省城，价钱比往年每斤高出三角。",
)
NEWS = "县里的新桥国庆前通车\n本报记者 周一鸣\n" + "\n".join(
    "".join(SENTENCES[(i + k) % 4] for k in range(1 + i % 4)) for i in range(30)
)
HEAD = "首页\n新闻 体育 财经 娱乐 科技\n登录 注册\n您的位置：首页 > 新闻中心 > 正文\n"
ABOUT = "发布时间：2019-09-28 10:20 来源：江东日报 编辑：王小川\n打印 关闭 字号：大 中 小\n"
TAIL = "上一篇：今年的橘子卖了好价钱\n相关阅读\n" + "江边的人家今年修了新房\n" * 20
TAIL += "关于我们 | 联系我们 | 网站地图\n江东日报社 版权所有 某ICP备00000000号\n"
TEXTS = {
    "news": NEWS * 20,
    "pages": HEAD + NEWS.partition("\n")[0] + "\n" + ABOUT + NEWS + "\n" + TAIL,
    "verse": "江水东流不肯回\n橘花开尽燕归来\n两岸人家灯一点\n\n" * 2_000,
    "hostile": "首页 > " * 40_000 + "\n" + "【打印" * 60 + "\n" + ("来源：" * 60 + "\n") * 300 + "1 " * 100_000,
}
CLEANERS: dict[str, Callable[[str, Config], Iterator[Edit]]] = {
    "chrome": chrome.propose,
    "metadata": metadata.propose,
}


def speed(clean: Callable[[], object], size: int, seconds: float) -> float:
    """MB per second of CPU time, the best of the runs that fit into `seconds`; `size` in bytes."""
    best = float("inf")
    started = time.process_time()
    while time.process_time() - started < seconds:
        begun = time.process_time()
        clean()
        best = min(best, time.process_time() - begun)
    return size / best / 1e6


def run(cleaners: tuple[str, ...], text: str) -> list[Edit]:
    """The edits of the named cleaners."""
    return [edit for name in cleaners for edit in CLEANERS[name](text, Config())]


def main() -> None:
    """Prints a table, one row a text."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seconds", type=float, default=2.0, help="CPU time a figure")
    options.add_argument("--json", type=Path, help="write the figures here")
    given = options.parse_args()
    figures: dict[str, dict[str, float]] = {}
    print(f"{'MB/s':10}" + "".join(f"{name:>12}" for name in (*CLEANERS, "both")))
    for name, text in TEXTS.items():
        run(tuple(CLEANERS), text)  # loads the rules
        size = len(text.encode())
        row = {one: speed(partial(run, (one,), text), size, given.seconds) for one in CLEANERS}
        row["both"] = speed(partial(run, tuple(CLEANERS), text), size, given.seconds)
        figures[name] = row
        print(f"{name:10}" + "".join(f"{figure:12.1f}" for figure in row.values()))
    if given.json:
        given.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
