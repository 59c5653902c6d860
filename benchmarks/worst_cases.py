"""Worst cases: texts made to be slow or to fill memory, beside as many bytes of normal text.

    python -m benchmarks.worst_cases [--megabytes 2] [--large] [--only NAME,…] [--json FILE]

Each case is one document, cleaned as a run does it (without the garbage collector), in a process of its own that has
loaded its tables before, with the limits on size and time set aside. `normal` is news of the usual sizes
(benchmarks/damage.py), document by document, measured again after every tenth case. MB are 10**6 bytes of UTF-8;
`MB/s` per CPU second; `x_normal` is how many times slower a byte of it is than of normal text, on the average of the
measurements before and after it; `memory` is by how many bytes the process grew at its peak for each byte of the
document. --large adds a document of 100 MB, a million lines, and a line of 50 MB: some ten minutes.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import sys
import textwrap
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from benchmarks.corpora import show
from benchmarks.damage import documents, documents_of_size
from cleaners import Config, clean
from flows.loading import uncollected

NO_LIMITS = Config(max_seed_bytes=1 << 30, max_seconds=1e6)
RUNS = {
    "openings": "“‘「『（【《", "closings": "”’」』）】》", "pairs": "“”", "straight": '"', "brackets": "(",
    "commas": ",", "spaced_commas": "甲 , ", "full_stops": "。", "ellipses": "...", "dashes": "—",
    "list_marks": "、，；：", "spaces": "字  ", "wide_spaces": "字\u3000", "spaced_letters": "重 要 ",
    "carriage_returns": "字\r", "zero_width": "\u200b的", "combining": "e\u0301", "replacements": "\ufffd",
    "private_use": "\ue000", "escapes": "\\u4f60", "entities": "&#20013;",
    "signatures": "ä½ å¥½", "signatures_gbk": "浣犲ソ", "signatures_lost": "锟斤拷", "signatures_twice": "Ã¤Â½Â ",
    "tags": "<a", "code": "`", "keys": '"a": ', "urls": "http://", "equals": "a=", "entries": "[M].",
    "lines_of_one": "好\n", "lines_of_commas": '他说,"好."\n', "menus": "首页 ", "widgets": "分享到：微信 微博\n",
    "dates": "2020-01-01 ", "bylines": "2020-01-01 10:00 来源：新华社\n", "sources": "来源：",
    "items": "一、\n",
    "same_paragraph": "这一段话从头到尾说了许多遍，每一遍都一样。\n\n", "no_marks": "的",
    "digits": "1", "letters": "a",
    "nested_titles": "《〈", "two_widths": "甲,乙，丙.丁。", "wide_digits": "１２３．４５％，",
    "date_lines": "2020年1月1日\n",
    "addresses": "https://www.example.com/a/b?c=d&e=f\n", "dots_and_dashes": "甲...乙……丙…—-–--",
    "named_entities": "&nbsp;&amp;",
    "percents": "%E4%BD%A0", "navigation": "首页 > 新闻 > 国内 > 正文\n", "pagers": "上一页 1 2 3 下一页\n",
    "accents": "é", "signatures_mixed": "ä½ å¥½浣犲ソÖÐ¹ú锟斤拷", "form_feeds": "中\x0c", "line_ends": "甲\r\n",
    "nulls": "\x00中",
    "many_accents": "e" + "\u0301" * 20, "base64": "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo=", "apostrophes": "it's '甲' ",
    "markdown": "|甲|乙|\n", "json": '{"a": "中", "b": 1}\n', "numbered": "1.甲\n2.乙\n",
    "headers": "From: a@b\nSubject: 甲\n",
    "quoted_mail": ">甲\n", "verses": "床前明月光，\n疑是地上霜。\n", "articles": "第一条 总则。\n第二条 附则。\n",
}  # fmt: skip
SENTENCE = "这座小镇在山的背面，去年春天修了一条路，路的两边种着柿子树，到了秋天，满山都是红的。"

KNOWN = ("作者", "来源", "编辑", "日期", "责任编辑", "记者", "时间", "标题")

CODECS = ("gbk", "cp1252", "latin-1", "big5")
BUTTONS = ("分享到：微信 微博 QQ空间", "[打印] [关闭]", "责任编辑：", "上一篇：", "首页", "手机版", "返回顶部", "评论")
ENGLISH = ("apple", "tree", "house", "Beijing", "river", "go")

Words = Callable[[int], str]
"""So many characters at random, as frequent as in news."""
PIECES: dict[str, Callable[[int, Words], str]] = {
    "headlines": lambda number, words: f"{words(8 + number % 16)}\n",
    "quoted_lines": lambda number, words: f'{words(3)}说,"{words(4)}."\n',
    "quoted_cells": lambda number, words: f'"{words(3)}","{number}","{words(2)}"\n',
    "tabs": lambda number, words: f"{number}\t{number * 7}\t{number / 8:.3f}\n",
    "dated_rows": lambda number, words: f"2020-{number % 12 + 1:02}-{number % 28 + 1:02} {number * 7} {words(2)}\n",
    "labels": lambda number, words: f"{words(2)}：{words(5)}\n",
    "dated_sources": lambda number, words: f"2020-01-{number % 28 + 1} 10:20 来源：{words(3)}网 作者：李{words(1)}\n",
    "reporters": lambda number, words: f"本报记者 李{words(2)}\n",
    "credits": lambda number, words: f"图/李{words(2)} 文/张{words(1)}\n",
    "bracketed_reporters": lambda number, words: f"（本报记者 李{words(2)}）\n",
    "known_labels": lambda number, words: f"{KNOWN[number % len(KNOWN)]}：{words(3)}\n",
    "listed_labels": lambda number, words: f"- {words(3)}: {words(3)}\n",
    "clocks": lambda number, words: f"2020-01-{number % 28 + 1:02} {number % 24:02}:{number % 60:02}:00\n",
    "english_dates": lambda number, words: f"Feb {number % 28 + 1}, {1990 + number % 30} {words(4)}\n",
    "numbers": lambda number, words: f"{number * 7919 % 100_000}\n",
    "counters": lambda number, words: f"阅读 {number} 评论 {number % 99} {words(2)}\n",
    "cells": lambda number, words: f"{number},{words(3)},2020-01-{number % 28 + 1:02},{words(2)}\n",
    "subtitles": lambda number, words: f"{number}\n00:00:{number % 60:02},000 --> 00:01:00,900\n{words(8)}\n\n",
    "chat": lambda number, words: f"[{number % 24:02}:{number % 60:02}:00] {words(3)}: {words(8)}\n",
    "posts": lambda number, words: f"{number}楼 {words(3)} 发表于 2020-01-{number % 28 + 1:02} 10:20\n",
    "links": lambda number, words: f"http://www.example{number % 999}.com/{number}/{number * 7}.html\n",
    "bars": lambda number, words: f"{words(2)} | {words(2)} | {words(3)} | {words(2)}\n",
    "near_duplicates": lambda number, words: f"{SENTENCE[: number % 40]}{words(1)}{SENTENCE[number % 40 + 1 :]}\n\n",
    "same_beginnings": lambda number, words: f"{SENTENCE}{words(10)}。\n",
    "counted": lambda number, words: f"第{number}次会议讨论了{number * 7}个问题，参加的人有{number % 97}个。\n",
    "misread_big5": lambda number, words: words(20).encode().decode("big5", "replace") + "\n",
    "misread_gbk_as_big5": lambda number, words: words(20).encode("gbk").decode("big5", "replace") + "\n",
    "misread_gbk": lambda number, words: words(20).encode().decode("gbk", "replace") + "\n",
    "misread_latin": lambda number, words: words(20).encode().decode("cp1252", "replace") + "\n",
    "misread_twice": lambda number, words: _misread(_misread(words(20), "cp1252"), "cp1252") + "\n",
    "misread_in_part": lambda number, words: f"{words(20)}，{_misread(words(6), 'gbk')}，{words(20)}。\n",
    "misread_by_turns": lambda number, words: _misread(words(20), CODECS[number % len(CODECS)]) + "\n",
    "lost_lines": lambda number, words: f"{words(9)}锟斤拷锟斤拷{words(3)}\n",
    "question_marks": lambda number, words: f"{words(3)}???{words(2)}?\n",
    "prose_and_buttons": lambda number, words: f"{words(25)}，{words(9)}。\n{BUTTONS[number % 8]}{words(3)}\n",
    "buttons": lambda number, words: f"{BUTTONS[number % 8]} {BUTTONS[number // 7 % 8]}{number}\n",
    "turns": lambda number, words: f"{words(3)} 2020/1/{number % 28 + 1} {number % 24}:00:05\n{words(6)}\n\n",
    "contents": lambda number, words: f"第{number}章 {words(6)}......................{number}\n",
    "dots": lambda number, words: f"{words(4)}{'.' * (number % 60)}\n",
    "phones": lambda number, words: f"{words(3)} 138{number * 7919 % 10**8:08} 010-{number * 31 % 10**8:08}\n",
    "prices": lambda number, words: f"{words(4)} ￥{number}.00 元/{words(1)} 库存{number % 99}件\n",
    "escaped_html": lambda number, words: f"&lt;p&gt;{words(5)}&lt;/p&gt;\n",
    "xml": lambda number, words: f'<item id="{number}"><name>{words(3)}</name><v>{number * 7}</v></item>\n',
    "program": lambda number, words: f"def f{number}(x, y=1):\n    # {words(8)}\n    return x + '{words(4)}'\n\n",
    "english": lambda number, words: f"{' '.join(ENGLISH[(number * 7 + i * i) % 6] for i in range(8))}\n",
    "rare_characters": lambda number, words: chr(0x4E00 + number * 7919 % 20_000),
}  # fmt: skip
ELEMENTS = {
    "html_paragraphs": "<p>甲</p>", "html_unclosed": "<p>甲<b>", "html_deep": "<div>", "html_tables": "<table><tr><td>",
    "html_rows": "<tr><td>12</td><td>甲乙</td></tr>", "html_links": '<li><a href="/1">甲乙丙丁</a></li>',
    "html_attributes": '<p title="甲乙" class="b">', "html_scripts": "<script>a<b;</script>",
    "html_comments": "<!-- - -->",
    "html_meta": '<meta name="author" content="李春生">',
    "html_json": '<script type="application/ld+json">{"@type":"Article","headline":"甲"}</script>',
    "html_nested_json": '<script type="application/ld+json">' + '{"a":[' * 50,
    "html_items": "<li>甲", "html_breaks": "甲<br>", "html_ends": "</p>甲",
    "html_entities": "<p>&nbsp;&amp;&#20013;</p>", "html_sources": "<p>来源：新华社 2020-01-01</p>",
    "html_select": "<select><option>甲</option></select>",
    "html_cells": "<td>甲", "html_definitions": "<dl><dt>甲<dd>乙", "html_navigation": "<nav>甲",
    "html_nulls": "<p>\x00甲</p>", "html_spaces": "甲 \n 乙<br>", "html_preserved": "<pre>甲\n 乙</pre>",
    "html_nested": "<div>" * 900 + "<p>甲</p>" * 100 + "</div>" * 900,
}  # fmt: skip
NUMBERED: dict[str, Callable[[int], str]] = {
    "html_names": lambda number: f"<x{number}>甲</x{number}>",
    "html_classes": lambda number: f'<p class="c{number}">甲</p>',
    "html_dates": lambda number: f"<p>2020-{number % 12 + 1:02}-{number % 28 + 1:02} 来源：新华网{number}</p>",
    "html_outside": lambda number: f"{f'<div>{SENTENCE * 9}</div>' * (number == 0)}<p>甲乙{number}</p>",
    "html_fonts": lambda number: f'<p><font color="{number}">甲',
    "html_unseen": lambda number: f'{"<svg>" * (number == 0)}<p><font color="{number}">甲',
    "html_one_tag": lambda number: f'{"<p" * (number == 0)} a{number}="{number}"',
    "html_stray_ends": lambda number: "<span>" if number % 3 else "</i></i></i>",
}


def _misread(text: str, codec: str) -> str:
    return text.encode().decode(codec, "replace")


EVERY = 10  # cases: other programs run on the machine, too


def _prose(size: int) -> str:
    """News without line breaks."""
    return "".join(raw.decode().replace("\n", "") for raw in documents("news", size / 1e6))


def _lines(length: Callable[[Random], int]) -> Callable[[int], str]:
    def made(size: int) -> str:
        draw, prose, found, at, left = Random(0), _prose(min(size, 2_000_000)), [], 0, size
        while left > 0:
            step = length(draw)
            found.append(prose[at : at + step])
            left -= len(found[-1].encode()) + 1
            at = (at + step) % (len(prose) - 200)
        return "\n".join(found)

    return made


def _run_of(text: str, size: int) -> str:
    return text * (size // len(text.encode()))


def _pieces(made: Callable[[int, Words], str], size: int) -> str:
    draw, letters, found, number = Random(0), [char for char in _prose(100_000) if char.isalpha()], [], 0
    while size > 0:
        found.append(made(number, lambda count: "".join(draw.choices(letters, k=count))))
        size -= len(found[-1].encode())
        number += 1
    return "".join(found)


def _page(element: str, size: int) -> str:
    return f"<html><head><title>甲乙丙丁</title></head><body>{_run_of(element, size)}</body></html>"


def _numbered(element: Callable[[int], str], size: int) -> str:
    length = sum(len(element(number).encode()) for number in range(1000)) / 1000
    body = "".join(element(number) for number in range(int(size / length)))
    return f"<html><head><title>甲乙丙丁</title></head><body><div>山河。</div><p>江</p>{body}</body></html>"


def _table(size: int) -> str:
    return "\n".join(f"{number},{number * 7},abc{number % 100}" for number in range(size // 20))


MADE: dict[str, Callable[[int], str]] = {
    "one_document": lambda size: next(documents_of_size("news", 1, size)).decode(),
    "one_line": _prose,
    "short_lines": _lines(lambda draw: draw.randint(1, 8)),
    "lines": _lines(lambda draw: draw.randint(10, 40)),
    "table": _table,
    "wrapped": lambda size: "\n".join(textwrap.wrap(_prose(size), 20)),
    "wrapped_narrow": lambda size: "\n".join(textwrap.wrap(_prose(size), 3)),
    "zero_width_prose": lambda size: "\u200b".join(_prose(size // 2)),
    "no_break_spaces": lambda size: "\xa0".join(_prose(size // 2)),
    "spaced": lambda size: " ".join(_prose(size // 2)),
    **{name: partial(_run_of, run) for name, run in RUNS.items()},
    **{name: partial(_pieces, made) for name, made in PIECES.items()},
    **{name: partial(_page, element) for name, element in ELEMENTS.items()},
    **{name: partial(_numbered, element) for name, element in NUMBERED.items()},
}
FORK = multiprocessing.get_context("fork")
LARGE = {"one_document": 100_000_000, "million_lines": 75_000_000, "one_line": 50_000_000}


def measure(name: str, size: int) -> dict[str, str | float]:
    """One case, in this process."""
    if name == "normal":
        given = list(documents("news", size / 1e6))
    else:
        given = [MADE["lines" if name == "million_lines" else name](size).encode()]
    base, start = _peak(), time.process_time()
    refused = ""
    with uncollected():
        for raw in given:
            done = clean(raw, name, NO_LIMITS)
            refused = done.quarantine.kind if done.quarantine else refused
    seconds = max(time.process_time() - start, 1e-6)
    size = sum(map(len, given))
    return {"MB": size / 1e6, "seconds": seconds, "memory": (_peak() - base) / size, "quarantine": refused}


def _peak() -> int:
    """Bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=float, default=2)
    parser.add_argument("--large", action="store_true")
    parser.add_argument("--only", help="cases, parted by commas")
    parser.add_argument("--json", type=Path, metavar="FILE")
    given = parser.parse_args()
    for raw in documents("damaged", 0.2, 1):  # loads tables and rules
        clean(raw, "warm-up")
    size = int(given.megabytes * 1e6)
    cases = [(name, size) for name in (given.only.split(",") if given.only else MADE)]
    cases += list(LARGE.items()) if given.large else []
    normal = _row("normal", size)
    rows = [normal]
    for first in range(0, len(cases), EVERY):
        some = [_row(*case) for case in cases[first : first + EVERY]]
        before, normal = normal, _row("normal", size)
        usual = (before["MB/s"] + normal["MB/s"]) / 2
        rows += [row | {"x_normal": round(usual / row["MB/s"], 1)} for row in some] + [normal]
        print(*rows[-len(some) - 1 :], sep="\n", file=sys.stderr)
    show(rows, given.json)


def _row(name: str, size: int) -> dict[str, Any]:
    """One case, measured in a process of its own."""
    found, told = FORK.Pipe(duplex=False)
    process = FORK.Process(target=lambda: told.send(measure(name, size)))
    process.start()
    told.close()
    measured = found.recv()
    process.join()
    speed, memory = measured["MB"] / measured["seconds"], round(measured["memory"], 1)
    return {
        "case": name, "MB": round(measured["MB"], 1), "MB/s": round(speed, 2), "memory": memory,
        "quarantine": measured["quarantine"],
    }  # fmt: skip


if __name__ == "__main__":
    main()
