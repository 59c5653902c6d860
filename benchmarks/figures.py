"""The README's table of speeds and its plot, out of the benchmarks' JSON.

    python -m benchmarks.compare --environments FOLDER --json benchmarks/results/compare.json
    python -m benchmarks.pipeline --megabytes 100 --json benchmarks/results/pipeline.json
    python -m benchmarks.growth --megabytes 1,10,100,1000 --documents 1000,10000,100000,1000000 \\
                                --json benchmarks/results/growth.json
    python -m benchmarks.workers --json benchmarks/results/workers.json
    python -m benchmarks.figures            # writes README.md, README.zh.md and docs/speed.svg

Needs `pip install 'jingwen[figures]'`. The figures are those of one machine: only ratios travel.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks" / "results"
PLOT = ROOT / "docs" / "speed.svg"
READMES = {"README.md": 0, "README.zh.md": 1}

WHAT = {
    "jingwen": ("Jingwen: all repairs, trail, commit", "净文：全部修复、编辑记录、提交"),
    "data_juicer": ("Data-Juicer, closest recipe", "Data-Juicer，最接近的配方"),
    "datatrove": ("DataTrove, its formatters", "DataTrove，自带的 formatter"),
    "ftfy": ("ftfy alone", "只用 ftfy"),
    "opencc": ("OpenCC alone", "只用 OpenCC"),
    "floor": ("read, hash, write Parquet", "只读取、求哈希、写 Parquet"),
}
HEADS = (
    ("what", "MB per CPU second", "Jingwen's speed divided by it"),
    ("做什么", "每 CPU 秒 MB", "净文的速度除以它"),
)
KINDS = (
    {
        "news": "news",
        "damaged": "damaged",
        "traditional": "Traditional",
        "mixed": "Chinese and English",
        "adversarial": "hostile",
    },
    {"news": "新闻", "damaged": "损坏的文本", "traditional": "繁体", "mixed": "中英混排", "adversarial": "恶意文本"},
)


def read(name: str) -> list[dict[str, Any]]:
    """The rows of a benchmark.  Raises FileNotFoundError when it has not been run."""
    rows: list[dict[str, Any]] = json.loads((RESULTS / f"{name}.json").read_text("utf-8"))
    return rows


def table(language: int) -> str:
    """The speeds as Markdown; language: 0 English, 1 Chinese."""
    lines = [f"| {' | '.join(HEADS[language])} |", "|---|---:|---:|"]
    lines += [f"| {WHAT[row['tool']][language]} | {row['MB/s']:.1f} | {row['ratio']:.2f} |" for row in read("compare")]
    totals = [row for row in read("pipeline") if row["step"] == "total"]
    separator = ", " if language == 0 else "，"
    speeds = separator.join(f"{KINDS[language][row['kind']]} {row['cpu']:.1f}" for row in totals)
    told = (
        "Whole pipeline by kind of text, MB per CPU second" if language == 0 else "整条流程，按文本种类，每 CPU 秒 MB"
    )
    return "\n".join([*lines, "", f"{told}: {speeds}." if language == 0 else f"{told}：{speeds}。"])


def put(path: Path, made: str) -> None:
    """Puts the table between its marks.  Raises ValueError when the README has none."""
    text = path.read_text("utf-8")
    changed, n = re.subn(r"(<!-- speeds -->\n).*?(<!-- /speeds -->)", rf"\g<1>{made}\n\g<2>", text, flags=re.S)
    if n != 1:
        raise ValueError(f"{path.name} has no place for the table: <!-- speeds --> … <!-- /speeds -->")
    path.write_text(changed, "utf-8")


def plot(path: Path) -> None:
    """Speeds beside each other, and time and memory against size."""
    import matplotlib as mpl  # not asked of everyone who runs the tests
    from matplotlib import pyplot as plt

    mpl.rcParams["svg.hashsalt"] = "jingwen"  # the same picture has the same bytes
    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(13, 3.6), layout="constrained")
    rows = read("compare")[::-1]
    left.barh(
        [WHAT[row["tool"]][0] for row in rows],
        [row["MB/s"] for row in rows],
        color=["#b5412c" if row["tool"] == "jingwen" else "#9aa5b1" for row in rows],
    )
    for place, row in enumerate(rows):
        left.text(row["MB/s"] * 1.05, place, f"{row['MB/s']:.1f}", va="center", fontsize=8)
    left.set(xscale="log", xlabel="MB per CPU second", title="Speed on news-like text")
    left.margins(x=0.2)
    growth = [row for row in read("growth") if "MB/s" in row]
    for name, shown in (("MB", "by size"), ("documents", "by number of documents")):
        some = [row for row in growth if row["corpus"].endswith(name)]
        middle.plot([row["MB"] for row in some], [row["cpu_s"] for row in some], "o-", label=shown)
        right.plot([row["MB"] for row in some], [row["peak_mb"] for row in some], "o-", label=shown)
    middle.set(xscale="log", yscale="log", xlabel="MB of seeds", ylabel="CPU seconds", title="Time grows in proportion")
    right.set(xscale="log", xlabel="MB of seeds", ylabel="MB, peak", title="Memory", ylim=(0, None))
    middle.legend()
    right.legend()
    figure.savefig(path, metadata={"Date": None})


def main() -> None:
    for name, language in READMES.items():
        put(ROOT / name, table(language))
    plot(PLOT)
    print(f"wrote {', '.join(READMES)}, {PLOT.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
