"""The line classifier: its features, its decisions, its weights and how they are made."""

import json
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cleaners import Config, apply, article_extent, chrome
from cleaners.article_extent import Marks, decide, weights
from cleaners.line_features import AGAINST, EITHER, FEATURES, REGIONS, around, features, is_bar, regions
from cleaners.prose import read
from cleaners.statistics import build_lines
from cleaners.statistics.build_lines import Answered, answered, examples, fit, main, named

PROSE = [
    "新桥昨天通车，两岸的人都来看热闹。桥长三百二十米，修了整整三年，比原来的渡船快了半个钟头。",
    "家住江东的周老师说，以前过江上班要绕行四十分钟，现在走过去只要五分钟，连孩子上学也方便了。",
    "村里的果农也高兴：今年的橘子可以当天运到省城，价钱比往年每斤高出三角。",
]
TITLE = "江东新桥通车，两岸来往方便"
LINKS = ["江东老照片", "渡口往事", "我的菜园", "读书杂记", "旧信几封", "茶馆", "橘园日记", "雨天"]


def feature(lines: list[str], row: int, name: str, removed: tuple[int, ...] = ()) -> float:
    return float(features(read("\n".join(lines)), removed, (), ())[row, FEATURES.index(name)])


def found(*lines: str) -> dict[str, str]:
    """Removed row -> rule, for rows that the classifier removed."""
    edits = chrome.propose("\n".join(lines), Config())
    return {e.before.strip(): e.rule for e in edits if e.rule.startswith("chrome.line_model.")}


def test_shapes() -> None:
    assert feature(["雨天", *PROSE], 0, "up_to_4") == 1
    assert feature(["橘子熟了(12)", *PROSE], 0, "counted") == 1
    assert feature(["·", "橘子熟了", *PROSE], 1, "bullet") == 1
    assert feature(["www.example.cn", *PROSE], 0, "address") == 1
    assert feature(["甲1乙2", *PROSE], 0, "digits") == 0.5
    assert feature(["雨天", *PROSE, "雨天"], 0, "repeated") == 1
    assert feature(["雨天", *PROSE], 1, "prose") == 1
    assert is_bar("新闻 | 橘子 | 渡船")
    assert not is_bar("新闻 | 橘子")


def test_neighbours() -> None:
    lines = [*LINKS, TITLE, *PROSE]
    assert feature(lines, 3, "short_around") == 1
    assert feature(lines, len(lines) - 1, "prose_around") > feature(lines, 5, "prose_around")
    assert feature(lines, 1, "rules_beside", removed=(0, 2)) == 0.5
    assert around(np.array([1.0, 0.0, 1.0]), 1).tolist() == [0.0, 1.0, 0.0]


def test_a_run_that_outweighs_the_article_is_seen() -> None:
    assert feature([*LINKS, *PROSE], 0, "run_size") < 0.5 < feature([*LINKS * 9, *PROSE], 0, "run_size")


def test_regions() -> None:
    page = read("\n".join([*LINKS[:2], TITLE, *PROSE, *LINKS[:3]]))
    names = [REGIONS[k] for k in regions(page, signs=(0, 7), told=(0,))]
    assert names == ["above", "lead", "lead", "inside", "inside", "inside", "end", "below", "below"]
    assert [REGIONS[k] for k in regions(page, (7,), ())][:2] == ["lead", "lead"]
    assert [REGIONS[k] for k in regions(page, (7,), (), title=2)][:3] == ["above", "above", "lead"]


def test_buttons_bound_no_article_but_what_else_rules_remove_does() -> None:
    """Above: buttons are no sign; below: those behind which the article goes on are none."""
    lines = [
        "首页",
        "橘园",
        "夜雨",
        "分享到：",
        "收藏",
        "灯下",
        *PROSE,
        "一等奖",
        "分享到：",
        "收藏",
        "二等奖",
        "网站地图",
    ]
    page, candidates, sure = chrome.by_rules(read("\n".join(lines)))
    signs = chrome.marks(page, candidates, sure).signs
    assert {lines[i] for i in signs} == {"首页", "网站地图"}
    names = [REGIONS[k] for k in regions(page, signs, ())]
    assert names == ["above"] + ["lead"] * 5 + ["inside"] * 3 + ["end"] * 4 + ["below"]
    lines.remove("一等奖")  # then the buttons end the article
    page, candidates, sure = chrome.by_rules(read("\n".join(lines)))
    assert {lines[i] for i in chrome.marks(page, candidates, sure).signs} == {"首页", "分享到：", "收藏", "网站地图"}


def test_an_edit_names_the_features_that_decided() -> None:
    rules = found("首页", "登录 注册", *LINKS, TITLE, *PROSE, "版权所有 江东小站")
    assert set(rules) == set(LINKS)
    for rule in rules.values():
        assert set(rule.removeprefix("chrome.line_model.").split("+")) <= set(FEATURES)


def test_nothing_goes_where_no_rule_found_chrome() -> None:
    assert not found(*LINKS, TITLE, *PROSE, *LINKS)


def test_one_row_alone_stays() -> None:
    assert not found("首页", TITLE, *PROSE[:2], "江边的茶馆", PROSE[2], "版权所有 江东小站")


def test_headline_byline_and_what_tells_about_the_article_stay() -> None:
    lines = ["首页", *LINKS, TITLE, "来源：江东日报 2019-09-28 10:20", "本报记者 周一鸣", *PROSE, "网站地图 | 联系我们"]
    assert set(found(*lines)) <= set(LINKS)


def test_stanzas_stay() -> None:
    poem = ["江水东流不肯回", "橘花开尽燕归来", "两岸人家灯一点", "新桥夜半有人来"]
    assert not set(found("首页", *LINKS, *poem, *PROSE, "版权所有 江东小站")) & set(poem)


def test_kept_rows_stay_whatever_the_weights_say() -> None:
    page = read("\n".join([*LINKS, *PROSE * 4]))
    everything = np.zeros((len(REGIONS), len(FEATURES)))
    everything[:, 0] = 50.0
    marks = Marks({6}, {1, 6}, (), {1}, {2})
    assert set(decide(page, marks, everything)) == set(range(len(page.rows))) - {1, 2, 6}


def test_weights_have_the_signs_that_their_features_mean() -> None:
    model = weights()
    assert model.shape == (len(REGIONS), len(FEATURES))
    for name, column in zip(FEATURES, model.T, strict=True):
        assert name in EITHER or bool((column <= 0).all() if name in AGAINST else (column >= 0).all()), name


def page(site: str, number: int) -> Answered:
    """A made-up page: links around an article."""
    head = ["首页", "登录 注册", *LINKS[number % 3 :]]
    tail = ["相关阅读", *LINKS[: 3 + number % 4], "网站地图 | 联系我们"]
    labels = "x" * len(head) + "n" + "c" * len(PROSE) + "x" * len(tail)
    return Answered(site, "\n".join([*head, TITLE, *PROSE, *tail]), labels)


def test_a_model_learns_links_from_pages() -> None:
    pages = [page(f"{n}.example", n) for n in range(12)]
    table = named(fit(examples(pages)))
    assert table["above"]["up_to_8"] + table["above"]["short_around"] > 0 > table["inside"]["bias"]


def test_the_same_pages_give_the_same_bytes(tmp_path: Path) -> None:
    rows = [page("江东.example", n) for n in range(8)]
    records = [{"site": one.site, "lines": one.text.split("\n"), "labels": one.labels} for one in rows]
    (tmp_path / "pages.jsonl").write_text("\n".join(json.dumps(one) for one in records), "utf-8")
    (tmp_path / "articles.txt").write_text("\n".join([TITLE, *PROSE]) + "\n\n" + "\n".join(PROSE * 4), "utf-8")
    assert len(list(answered(tmp_path))) == 10
    for name in ("one.json", "two.json"):
        main([str(tmp_path), "--out", str(tmp_path / name)])
    assert (tmp_path / "one.json").read_bytes() == (tmp_path / "two.json").read_bytes()
    assert set(json.loads((tmp_path / "one.json").read_text())) == set(REGIONS)


def test_articles_without_a_page_get_rows_that_must_not_take_others_with_them(tmp_path: Path) -> None:
    (tmp_path / "articles.txt").write_text("\n".join([TITLE, *PROSE]), "utf-8")
    one = next(iter(answered(tmp_path)))
    lines = one.text.split("\n")
    assert [line for line, label in zip(lines, one.labels, strict=True) if label == "c"] == [TITLE, *PROSE]
    assert "x" in one.labels


def test_the_check_leaves_sites_out(tmp_path: Path, capsys) -> None:  # type: ignore[no-untyped-def]
    rows = [page(f"{n}.example", n) for n in range(10)]
    records = [{"site": one.site, "lines": one.text.split("\n"), "labels": one.labels} for one in rows]
    (tmp_path / "pages.jsonl").write_text("\n".join(json.dumps(one) for one in records), "utf-8")
    main([str(tmp_path), "--check"])
    printed = capsys.readouterr().out
    assert printed.count("+ model") == len(build_lines.DROPPED)


PIECES = st.sampled_from(
    [*LINKS, *PROSE, TITLE, "首页", "登录 注册", "相关阅读", "版权所有 江东", "打印", "12", "2019-09-28 10:20"]
)


@given(st.lists(PIECES, max_size=40))
def test_repeated_until_nothing_changes_it_comes_to_rest(lines: list[str]) -> None:
    text = "\n".join(lines)
    for _ in range(Config().max_rounds):
        edits = list(chrome.propose(text, Config()))
        if not edits:
            return
        text = apply(text, edits)
    raise AssertionError(text)


def test_the_packed_weights_are_those_of_the_file() -> None:
    table = json.loads(article_extent.FILE.read_text("utf-8"))
    assert weights()[0, 0] == table[REGIONS[0]][FEATURES[0]]


ROWS = st.sampled_from(
    [*PROSE, *LINKS, TITLE, "·", "阅读(12)", "首页 > 要闻 > 正文", "2019-10-08", "（注）", f"{PROSE[0]}（3）"]
)


@given(st.lists(ROWS, min_size=1, max_size=30), st.data())
def test_pages_that_are_not_looked_at_have_no_row_that_goes(lines: list[str], data: st.DataObject) -> None:
    page = read("\n".join(lines))
    numbers = st.sets(st.integers(0, len(lines) - 1), max_size=len(lines))
    removed, weak, told, kept = (data.draw(numbers) for _ in range(4))
    marks = Marks(removed, removed, weak, told, kept)
    assert decide(page, marks) == decide(page, marks, weights())


def test_most_pages_of_prose_are_not_looked_at() -> None:
    """Otherwise nothing would be gained, and no other test would tell."""
    page = read("\n".join([TITLE, *PROSE * 4]))
    marks = Marks({0}, {0}, (), (), ())
    assert not article_extent.may_remove(page, marks)
    page = read("\n".join([*PROSE * 4, *LINKS]))
    assert article_extent.may_remove(page, Marks({12}, {12}, (), (), ()))
