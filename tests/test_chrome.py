"""Chrome as a whole: places, neighbours, reach. The rules' own examples are in test_rules.py."""

from hypothesis import given
from hypothesis import strategies as st

from cleaners import Config, Edit, apply, chrome, undo
from cleaners.prose import read
from cleaners.rule_files import LONGEST_LINE, fold, load

PROSE = [
    "新桥昨天通车，两岸的人都来看热闹。桥长三百二十米，修了整整三年，比原来的渡船快了半个钟头。",
    "家住江东的周老师说，以前过江上班要绕行四十分钟，现在走过去只要五分钟，连孩子上学也方便了。",
    "村里的果农也高兴：今年的橘子可以当天运到省城，价钱比往年每斤高出三角。",
]
TITLE = "江东新桥昨天通车"


def edits(text: str) -> list[Edit]:
    return list(chrome.propose(text, Config()))


def cleaned(*lines: str) -> list[str]:
    text = "\n".join(lines)
    found = edits(text)
    after = apply(text, found)
    assert undo(after, found) == text
    return [line for line in after.split("\n") if line]


def test_an_edit_names_the_rule_of_its_row() -> None:
    text = "\n".join(["手机版", TITLE, *PROSE, "某ICP备00000000号"])
    assert [(edit.rule, edit.before) for edit in edits(text)] == [
        ("chrome.edition_switch", "手机版\n"),
        ("chrome.licence_numbers", "某ICP备00000000号"),
    ]


def test_a_site_among_buttons_is_lifted() -> None:
    found = edits("\n".join([TITLE, "共产党员网 打印 纠错", *PROSE]))
    assert [(edit.field, edit.before) for edit in found] == [("site", "共产党员网"), ("", " 打印 纠错\n")]


def test_a_weak_rule_needs_a_neighbour() -> None:
    assert cleaned("1 1 1", TITLE, *PROSE) == ["1 1 1", TITLE, *PROSE]
    assert cleaned("手机版", "1 1 1", TITLE, *PROSE) == [TITLE, *PROSE]


def test_words_are_counted_over_neighbouring_rows() -> None:
    assert cleaned("新闻", "体育", TITLE, *PROSE) == ["新闻", "体育", TITLE, *PROSE]
    assert cleaned("新闻", "体育", "财经", "娱乐", TITLE, *PROSE) == [TITLE, *PROSE]


def test_a_footer_inside_the_article_stays() -> None:
    lines = [TITLE, *PROSE * 3, "版权所有", *PROSE * 3]
    assert cleaned(*lines) == lines


def test_what_follows_a_heading_of_links_goes_but_not_what_tells_about_the_article() -> None:
    below = ["相关阅读", "橘子熟了", "渡船停航之后", "来源：江东日报 编辑：周一鸣", "江边的老茶馆"]
    assert cleaned(TITLE, *PROSE, *below) == [TITLE, *PROSE, "来源：江东日报 编辑：周一鸣"]


def test_more_prose_than_the_article_has_never_goes() -> None:
    lines = [TITLE, PROSE[0], "相关阅读", *PROSE * 4]
    assert cleaned(*lines) == [line for line in lines if line != "相关阅读"] or cleaned(*lines) == lines


def test_the_headline_stays_when_the_navigation_stands_below_it() -> None:
    assert cleaned(TITLE + "，两岸来往方便", "首页 > 民生 > 正文", *PROSE)[0] == TITLE + "，两岸来往方便"


def test_a_long_navigation_goes_up_to_the_headline() -> None:
    names = ["江东概览", "部门", "乡镇", "网上办事", "县长信箱", "招商", "江东风光", "橘子节", "老照片", "读者来信"]
    assert cleaned("首页", *names, TITLE + "，两岸来往方便", *PROSE, "版权所有 江东县") == [
        TITLE + "，两岸来往方便",
        *PROSE,
    ]


def test_short_lines_without_any_sign_of_a_page_stay() -> None:
    names = ["概览", "部门", "乡镇", "办事", "信箱", "招商", "风光", "橘子", "照片", "来信", "读者", "编者"]
    assert cleaned(*names, TITLE, *PROSE) == [*names, TITLE, *PROSE]


def test_nothing_is_left_to_do_the_second_time() -> None:
    page = ["首页 > 民生", TITLE, "打印 关闭", *PROSE, "相关阅读", "橘子熟了", "网站地图 | 联系我们"]
    once = cleaned(*page)
    assert cleaned(*once) == once == [TITLE, *PROSE]


PIECES = st.sampled_from(
    [line for rule in load("chrome") for line in (*rule.removes, *rule.keeps)]
    + [*PROSE, TITLE, "", "  ", "\0", "\ud800", "　　" + PROSE[0], "甲" * 400, "|" * 50, "》》》》", "[[[["]
)


@given(st.lists(PIECES, max_size=30))
def test_edits_fit_and_can_be_undone(lines: list[str]) -> None:
    text = "\n".join(lines)
    found = edits(text)
    after = apply(text, found)
    assert undo(after, found) == text
    assert all(edit.rule.startswith("chrome.") and not edit.after for edit in found)


@given(st.lists(st.sampled_from([*PROSE, "甲，乙。" * 9, "他们来了，又走了，谁也没有说话。"]), min_size=1, max_size=20))
def test_prose_loses_nothing(lines: list[str]) -> None:
    assert edits("\n".join(lines)) == []


@given(st.text(max_size=200))
def test_any_text_is_taken(text: str) -> None:
    apply(text, edits(text))


def test_hostile_texts() -> None:
    """These take a moment when the time grows with the square of the length: 10^5 rows, 10^6 characters."""
    for text in (
        "首页 > " * 200_000,
        "新闻\n" * 100_000,
        "\n" * 1_000_000,
        "相关阅读\n" * 50_000,
        "【打印】" * 100_000,
        ("甲" * (LONGEST_LINE - 1) + "\n") * 2_000,
        ("· " * (LONGEST_LINE // 2 - 1) + "\n") * 2_000,
        ("上一页 1 " * 40 + "\n") * 2_000,
        ("> 首页 " * 50 + "\n") * 2_000,
        "上一篇\n橘子\n" * 20_000 + PROSE[0],
    ):
        apply(text, edits(text))


def test_folding_keeps_every_place() -> None:
    text = "".join(map(chr, range(0x20, 0x2_0000)))
    assert len(fold(text)) == len(text)
    assert fold("：，（）ＡＢ１２　\xa0\ue000網頁") == ":,()AB12   网页"


def test_the_main_stretch_of_prose() -> None:
    page = read("\n".join(["首页", TITLE, *PROSE, "橘子熟了", "渡船停航"]))
    assert (page.first, page.last) == (2, 5)
    assert page.prose == sum(map(len, PROSE))
    empty = read("江边\n橘花开尽")
    assert empty.first == empty.last


def test_bars_of_few_buttons() -> None:
    lines = ["阅读 在看", "今天", "", "阅读 在看", "点赞 分享 收藏", "山里的路 很长", "阅读"]
    for _ in range(2):  # what no rule names is remembered
        assert chrome.bars_of_buttons(lines) == {"阅读 在看", "点赞 分享 收藏"}
