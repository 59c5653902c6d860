"""Pages that say different things about themselves, or nothing: what is lifted, what stays empty, and that the values
that did not win are in the trail (docs/decisions/0030)."""

from typing import NamedTuple

import pytest

from cleaners import Document, clean

TITLE = "荒塘清淤种莲藕 村民散步有了好去处"
PROSE = [
    "今年入夏以来，沿河的几个村子把荒了多年的水塘重新清淤，种上莲藕，傍晚散步的人比往年多了一倍。",
    "村支书说，清淤的钱一半来自县里的奖补，一半是村民自己凑的，谁家出了多少工，都写在村口的红榜上。",
    "县农业农村局计划用三年时间，把这样的小水塘整治两百口，优先安排缺水的山区乡镇。",
]
FOOTER = ["关于我们 | 联系我们 | 网站地图", "版权所有 莲乡县融媒体中心"]
NOBODY: dict[str, object] = {"authors": [], "source": None, "published_at": None, "editor": None}


class Page(NamedTuple):
    """rows of the page, None for the article's prose; the metadata expected, beside nothing; texts that edits lifted
    without winning; rows that stay in the text."""

    rows: list[str | None]
    found: dict[str, object]
    losers: tuple[str, ...] = ()
    stay: tuple[str, ...] = ()


PAGES = {
    "two_dates_published_and_updated": Page(
        [TITLE, "发布时间：2021-08-03 07:12", None, "更新时间：2021-09-01 10:00", *FOOTER],
        {"published_at": "2021-08-03T07:12:00+08:00"},
        ("2021-09-01 10:00",),
    ),
    "the_same_day_twice_once_with_a_clock": Page(
        [TITLE, "日期：2021-08-03", "2021-08-03 07:12", None, *FOOTER],
        {"published_at": "2021-08-03T07:12:00+08:00"},
        ("2021-08-03",),
    ),
    "signed_and_published": Page(
        ["成文日期：2021年7月30日 发布日期：2021-08-03", TITLE, None, *FOOTER],
        {"published_at": "2021-08-03"},
        ("2021年7月30日",),
    ),
    "only_signed": Page([TITLE, "成文日期：2021年7月30日", None, *FOOTER], {"published_at": "2021-07-30"}),
    "two_sources_above_and_below": Page(
        [TITLE, "2021-08-03 07:12 来源：云溪日报", None, "本文来源：云溪网 责任编辑：陶琳", *FOOTER],
        {"published_at": "2021-08-03T07:12:00+08:00", "source": "云溪日报", "editor": "陶琳"},
        ("云溪网",),
    ),
    "reprinted_but_with_a_source_above": Page(
        [TITLE, "来源：云溪日报", None, "（转载自《山河文学》2019年第5期）", *FOOTER],
        {"source": "云溪日报"},
        ("《山河文学》2019年第5期",),
    ),
    "author_and_who_put_it_online": Page(
        [TITLE, "发布者：宣传部 作者：鲁萍 发布时间：2021-08-03", None, *FOOTER],
        {"authors": ["鲁萍"], "published_at": "2021-08-03"},
        ("宣传部",),
    ),
    "nobody_but_who_put_it_online": Page(
        [TITLE, "发布者：宣传部 发布时间：2021-08-03", None, *FOOTER],
        {"authors": ["宣传部"], "published_at": "2021-08-03"},
    ),
    "editor_above_and_another_below": Page(
        [TITLE, "来源：云溪日报 编辑：陶琳", None, "责任编辑：石川", *FOOTER],
        {"source": "云溪日报", "editor": "陶琳"},
        ("石川",),
    ),
    "author_above_and_byline_in_the_lead": Page(
        [TITLE, "作者：鲁萍 2021-08-03 07:12", "云溪讯（记者 康宁）" + PROSE[0], *PROSE[1:], *FOOTER],
        {"authors": ["鲁萍"], "published_at": "2021-08-03T07:12:00+08:00"},
        (),
        ("云溪讯（记者 康宁）",),
    ),
    "an_editor_is_no_author": Page([TITLE, None, "责任编辑：石川", *FOOTER], {"editor": "石川"}),
    "the_author_is_anonymous": Page(
        [TITLE, "作者：佚名 来源：本站 时间：2021-08-03", None, *FOOTER],
        {"published_at": "2021-08-03"},
        ("佚名", "本站"),
    ),
    "three_hours_ago": Page([TITLE, "云溪日报 3小时前", None, *FOOTER], {"source": "云溪日报"}),
    "a_date_without_a_year": Page([TITLE, "10-08 12:00 来源：云溪日报", None, *FOOTER], {"source": "云溪日报"}),
    "comments_with_names_and_dates": Page(
        [TITLE, None, "网友评论", "清风徐来 2021-08-04 09:00", "这个塘我小时候去过。", *FOOTER], {}
    ),
    "comments_below_a_dated_article": Page(
        [TITLE, "2021-08-03 07:12", None, "热门评论", "清风徐来", "2021-08-04 09:00", "这个塘我小时候去过。", *FOOTER],
        {"published_at": "2021-08-03T07:12:00+08:00"},
    ),
    "related_articles_with_dates": Page(
        [TITLE, None, "相关新闻", "新桥昨天通车 2021-07-01", "橘园迎来采摘季 2021-06-15", *FOOTER], {}
    ),
    "dates_and_people_in_prose_only": Page(
        [TITLE, *PROSE, "2020年3月1日，记者康宁曾到这里采访，编辑陶琳也来过。", *FOOTER],
        {},
        (),
        ("2020年3月1日，记者康宁曾到这里采访，编辑陶琳也来过。",),
    ),
    "an_event_has_a_date_of_its_own": Page(
        [TITLE, "时间：2021年8月3日 地点：莲乡村委会", None, *FOOTER], {}, (), ("时间：2021年8月3日 地点：莲乡村委会",)
    ),
    "a_book_has_an_author_of_its_own": Page(
        [TITLE, None, "书名：《水塘》", "作者：鲁萍", "出版社：山河出版社", *FOOTER], {}, (), ("作者：鲁萍",)
    ),
    "a_photo_has_a_source_of_its_own": Page(
        [TITLE, PROSE[0], "图片来源：云溪图库", *PROSE[1:], *FOOTER], {}, (), ("图片来源：云溪图库",)
    ),
    "today_is_no_date_of_the_article": Page(["今天是 2022年5月6日", "首页", "登录 注册", TITLE, None, *FOOTER], {}),
    "a_source_in_a_sentence_and_none_in_a_row": Page(
        [TITLE, None, "本文来自微信公众号“云溪观察”，作者：鲁萍。", *FOOTER],
        {"source": "云溪观察", "authors": ["鲁萍"]},
        (),
        ("本文来自微信公众号“云溪观察”，作者：鲁萍。",),
    ),
    "a_source_in_a_row_beats_one_in_a_sentence": Page(
        [TITLE, "来源：云溪日报", None, "本文来自微信公众号“云溪观察”。", *FOOTER], {"source": "云溪日报"}
    ),
    "nothing_at_all": Page([TITLE, None], {}),
}


def read(page: Page) -> Document:
    rows = [line for row in page.rows for line in (PROSE if row is None else [row])]
    return clean("\n".join(rows).encode())


@pytest.mark.parametrize("name", PAGES)
def test_what_wins(name: str) -> None:
    page = PAGES[name]
    document = read(page)
    found = {field: document.metadata[field] for field in NOBODY}
    assert found == NOBODY | page.found
    assert document.metadata["title"] == TITLE


@pytest.mark.parametrize("name", [name for name in PAGES if PAGES[name].losers])
def test_losers_are_in_the_trail(name: str) -> None:
    lifted = {edit.before for one in read(PAGES[name]).trail for edit in one.edits if edit.field}
    assert lifted.issuperset(PAGES[name].losers)


@pytest.mark.parametrize("name", PAGES)
def test_the_article_is_whole(name: str) -> None:
    page = PAGES[name]
    text = read(page).text
    assert all(line in text for line in (PROSE[1:] if None in page.rows or PROSE[1] in page.rows else []))
    assert all(line in text for line in page.stay)
