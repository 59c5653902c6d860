"""Rows about the article, and the values that are read off them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spying import spy_on

from cleaners import Config, Edit, about_rows, apply, metadata, undo
from cleaners.metadata import tells
from cleaners.rule_files import fold, load
from cleaners.values import Lifted, choose, value

PROSE = [
    "新桥昨天通车，两岸的人都来看热闹。桥长三百二十米，修了整整三年，比原来的渡船快了半个钟头。",
    "家住江东的周老师说，以前过江上班要绕行四十分钟，现在走过去只要五分钟，连孩子上学也方便了。",
]
TITLE = "江东新桥昨天通车"
ZONE = "+08:00"


def edits(text: str) -> list[Edit]:
    return list(metadata.propose(text, Config()))


def fields(line: str, *, below: bool = False) -> dict[str, str]:
    """The values lifted from a line above (or below) a small article."""
    lines = [TITLE, *PROSE, line] if below else [TITLE, line, *PROSE]
    text = "\n".join(lines)
    found = edits(text)
    after = apply(text, found)
    assert undo(after, found) == text
    assert [part for part in after.split("\n") if part] in ([TITLE, *PROSE], [part for part in lines if part])
    return {edit.field: edit.before for edit in found if edit.field}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("来源：江东日报", {"source": "江东日报"}),
        ("  • 来源: 内蒙古日报", {"source": "内蒙古日报"}),
        ("来源:[ 江东日报 ]", {"source": "江东日报"}),
        ("（来源：《江东日报》）", {"source": "《江东日报》"}),
        ("2019-09-28 10:20 来源: 江东网", {"published_at": "2019-09-28 10:20", "source": "江东网"}),
        ("江东网2019年9月28日10:20", {"published_at": "2019年9月28日10:20", "source": "江东网"}),
        ("原创 江东晚报 2019-09-28 10:20:30", {"published_at": "2019-09-28 10:20:30", "source": "江东晚报"}),
        (
            "2019-09-28 10:20 [ 周一鸣 ] 来源：江东网",
            {"authors": "周一鸣", "published_at": "2019-09-28 10:20", "source": "江东网"},
        ),
        (
            "作者:周一鸣 阅读(1660) 编辑 发表于:2019-09-28 12:30",
            {"authors": "周一鸣", "published_at": "2019-09-28 12:30"},
        ),
        ("來源：江東日報 編輯：周一鳴", {"source": "江東日報", "editor": "周一鳴"}),
        ("2019年09月28日", {"published_at": "2019年09月28日"}),
        (
            "发布日期：2019-09-28 所属分类：民生 关键词：桥 江东",
            {"published_at": "2019-09-28", "section": "民生", "keywords": "桥 江东"},
        ),
        (
            "来源：江东日报 作者：周一鸣 王小川 摄影：李四",
            {"source": "江东日报", "authors": "周一鸣 王小川", "photographer": "李四"},
        ),
    ],
)
def test_lines_above(line: str, expected: dict[str, str]) -> None:
    assert fields(line) == expected


def test_the_line_below_a_seed() -> None:
    text = "\n".join([TITLE, *PROSE, "发布时间:2014年03月04日 17:26 来源:内蒙古日报 编辑:李佳蕖 打印"])
    assert [(edit.rule, edit.field, edit.before) for edit in edits(text)] == [
        ("metadata.published", "", "发布时间:"),
        ("metadata.published", "published_at", "2014年03月04日 17:26"),
        ("metadata.source", "", " 来源:"),
        ("metadata.source", "source", "内蒙古日报"),
        ("metadata.editor", "", " 编辑:"),
        ("metadata.editor", "editor", "李佳蕖"),
        ("metadata.editor", "", " 打印"),
    ]


@pytest.mark.parametrize(
    "line",
    [
        "本报记者 周一鸣",
        "□宏章 周桐 丁帅",
        "内群宣",
        "记者 范晓儒",
        "时间：上午九点",
        "时间：2019年9月28日 地点：县礼堂",
        "地点：县礼堂",
        "来源：生活，高于生活。",
        "2019年9月28日，新桥通车",
        "开幕时间 2019-09-28 10:20",
        "标签：橘子",
        "周一鸣",
    ],
)
def test_lines_that_stay(line: str) -> None:
    assert fields(line) == {}
    assert edits("\n".join([TITLE, line, *PROSE])) == []


def test_a_first_line_with_a_date_may_be_a_diary() -> None:
    assert edits("\n".join(["2019年9月28日", *PROSE])) == []
    assert edits("\n".join(["2019年9月28日 10:20", *PROSE])) != []


def test_below_the_article_a_date_alone_stays() -> None:
    assert fields("2019年9月28日 10:20", below=True) == {}
    assert fields("责任编辑：李佳蕖", below=True) == {"editor": "李佳蕖"}


def test_tells() -> None:
    assert tells("来源：江东日报")
    assert not tells("来源于生活")
    assert not tells("点击：120")
    assert not tells("责任编辑：")


@pytest.mark.parametrize(
    ("field", "before", "expected"),
    [
        ("published_at", "2014年03月04日 17:26", "2014-03-04T17:26:00+08:00"),
        ("published_at", "3小时前", ""),
        ("source", "  [江东日报] ", "江东日报"),
        ("source", "本站原创", ""),
        ("authors", "周一鸣 王小川", ["周一鸣", "王小川"]),
        ("authors", "周一鸣、王小川", ["周一鸣", "王小川"]),
        ("authors", "佚名", []),
        ("authors", "zboy_99", ["zboy_99"]),
        ("keywords", "桥，江东 橘子", ["桥", "江东", "橘子"]),
        ("editor", "李佳蕖", "李佳蕖"),
    ],
)
def test_values(field: str, before: str, expected: str | list[str]) -> None:
    assert value(field, before, ZONE) == expected


def lifted(*pairs: str) -> list[Lifted]:
    """What edits took out, far from each other; "rule:value", else the rule is that of a label."""
    split = [one.split("=", 1) if "=" in one else ["label", one] for one in pairs]
    return [Lifted(before, f"metadata.{rule}", (0, 1000 * i)) for i, (rule, before) in enumerate(split)]


def test_which_value_wins() -> None:
    assert choose("source", lifted("", "江东日报", "江东网"), ZONE) == "江东日报"
    assert choose("source", lifted("未知", "江东网"), ZONE) == "江东网"
    dates = lifted("3小时前", "2019-09-28", "2019-09-28 10:20")
    assert choose("published_at", dates, ZONE) == "2019-09-28T10:20:00+08:00"
    assert choose("published_at", lifted("2019-09-28", "2019-09-29 10:20"), ZONE) == "2019-09-28"
    assert choose("authors", [], ZONE) == []
    assert choose("editor", [], ZONE) == ""


def test_fallbacks_count_only_where_nothing_else_does() -> None:
    found = lifted("poster=外国语学院", "author=周一鸣")
    assert choose("authors", found, ZONE) == ["周一鸣"]
    assert choose("authors", found, ZONE, fallback=True) == ["外国语学院"]
    found = lifted("signed_on=2019-10-08", "published=2019-10-09")
    assert choose("published_at", found, ZONE) == "2019-10-09"
    assert choose("published_at", found, ZONE, fallback=True) == "2019-10-08"
    assert choose("source", lifted("bare_date=高山流水"), ZONE) == ""
    assert choose("source", lifted("bare_date=高山流水"), ZONE, fallback=True) == "高山流水"


def test_authors_side_by_side_are_taken_together() -> None:
    near = [
        Lifted("周一鸣", "metadata.reporter", (1, 10)),
        Lifted("李佳蕖", "metadata.reporter", (1, 20)),
        Lifted("周一鸣", "metadata.author", (1, 30)),
        Lifted("王小川", "metadata.author", (1, 400)),
    ]
    assert choose("authors", near, ZONE) == ["周一鸣", "李佳蕖"]


PIECES = st.sampled_from(
    [line for rule in load("metadata") for line in (*rule.removes, *rule.keeps)]
    + [*PROSE, TITLE, "", "来源：", "\ud800：\0", "：：：：", "2019-01-01", "】】", "来源：（（（", "作者:]])"]
)


@given(st.lists(PIECES, max_size=20))
def test_edits_fit_and_can_be_undone(lines: list[str]) -> None:
    text = "\n".join(lines)
    found = edits(text)
    after = apply(text, found)
    assert undo(after, found) == text
    assert all(edit.rule.startswith("metadata.") and not edit.after for edit in found)


@given(
    st.lists(
        st.sampled_from(
            ["来源", "：", ":", "作者", " ", "编辑", "2019-01-01", "10:20", "(", "]", "|", "甲", "打印", "3", "【"]
        )
    )
)
def test_any_row_is_taken(pieces: list[str]) -> None:
    text = "".join(pieces) + "\n" + "\n".join(PROSE)
    found = edits(text)
    assert undo(apply(text, found), found) == text


def test_hostile_texts() -> None:
    """These take a moment when the time grows with the square of the length."""
    for text in (
        "来源：" * 300_000,
        ("来源：" * 60 + "\n") * 3_000,
        ("来源:" + " " * 190 + "\n") * 3_000,
        ("2019-01-01 " * 18 + "\n") * 1_000,
        "来源：\n" * 50_000,
        "12:" * 60 + "\n" + "2019" * 50,
    ):
        apply(text, edits(text))


def test_rows_of_figures_are_not_cut_into_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = spy_on(monkeypatch, about_rows, "_tokens")
    text = "\n".join(f"{number}\t{number * 7}\t{number / 8:.3f}" for number in range(20_000, 22_000))
    assert not list(metadata.propose(text, Config()))
    assert not asked


@given(
    st.lists(
        st.sampled_from(["来源", "作者:", "张三", "2019-10-08", "10:20", "12", "日期", "|", " ", "今天", "阅读"]),
        max_size=6,
    )
)
def test_dates_and_labels_are_told_at_a_glance(parts: list[str]) -> None:
    row = fold("".join(parts))
    kinds = {token.kind for token in about_rows._tokens(row)}
    assert about_rows._may_have_date(row) or "date" not in kinds
    assert about_rows._may_have_label(row) or "value" not in kinds


def test_dates_in_a_list_below_the_article_are_not_cut_into_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = spy_on(monkeypatch, about_rows, "_tokens")
    rows = [f"2020-01-{day:02} 江东新桥第{day}次开放" for day in range(1, 29)]
    assert not edits("\n".join([TITLE, *PROSE, *rows]))
    assert not asked


def test_a_page_of_dates_is_not_taken_row_by_row() -> None:
    dates = "\n".join(f"2020年{number % 12 + 1}月{number % 28 + 1}日" for number in range(40))
    assert edits(dates) == []
    assert fields("2020年3月5日") == {"published_at": "2020年3月5日"}


ROWS = st.sampled_from(
    [
        "作者：周一鸣", "来源：江东日报！", "2019-10-08 10:20", "责任编辑：李佳蕖",
        "江东的雨从早晨下到晚上，街上没有几个人。", "　发表于 2019-10-08\t",
        "编辑 周一鸣 校对 李佳", "阅读 12 评论 3 雨水", "１２：３０",
        "（图书馆 纪兰）", "作者：" + "雨" * 210, "文章编号：12\t江东〔2019〕8号",
    ]
)  # fmt: skip


@settings(deadline=None)
@given(st.lists(ROWS, max_size=12).map("\n".join))
def test_many_rows_are_taken_as_few_are(text: str) -> None:
    few = list(metadata.propose(text, Config()))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(metadata, "MANY_ROWS", 1)
        assert list(metadata.propose(text, Config())) == few


LABELLED = st.lists(
    st.sampled_from([*"作者来源编辑:：（【[ )】|/12,、周一鸣雨", "2019-10-08", "责任编辑", "发布时间", "阅读"]),
    max_size=8,
)


@settings(max_examples=2000, deadline=None)
@given(
    st.sampled_from(["作者:", "来源：", "编辑 ", ""]),
    LABELLED.map("".join),
    st.sampled_from(["head", "inside", "tail"]),
)
def test_a_row_of_one_label_is_read_as_all_others(label: str, rest: str, place: str) -> None:
    folded = fold(label + rest).strip()
    only = about_rows._only_label(folded) if folded else ()
    assert only in ((), about_rows._tokens(folded))
    quick = about_rows._take(folded, place)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(about_rows, "_only_label", lambda folded: ())
        assert about_rows._take(folded, place) == quick


def test_a_list_that_tells_nothing_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metadata, "MANY_ROWS", 4)
    metadata._silent.cache_clear()
    asked: list[int] = []

    def take_all(lines: list[str], places: list[str]) -> list[about_rows.Taken | None]:
        asked.append(len(lines))
        return list(about_rows.take_all(lines, places))

    monkeypatch.setattr(metadata, "take_all", take_all)
    silent = "\n".join(f"第{number}号：柿子树{number}" for number in range(6))
    telling = silent + "\n来源：江东日报"
    for text, fields in ((silent, 0), (silent, 0), (telling, 1), (telling, 1)):
        assert sum(edit.field != "" for edit in metadata.propose(text, Config())) == fields
    assert asked == [6, 7, 7]
