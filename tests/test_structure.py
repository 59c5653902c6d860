"""Roles, articles and metadata on pages of other papers' styles."""

import pytest

from cleaners import Article, Document, clean

BODY = "昨天下午，城南旧货市场里人来人往，几位老师傅在树荫下摆开摊子，一边修钟表一边和街坊聊天。"
MORE = "据市场管理办公室介绍，这里每个周末都有三百多个摊位，最早的摊主已经在这里守了二十六年。"
LAST = "入秋以后，市场把关门的时间推迟了一个小时，方便下班的人来逛。"


def page(*lines: str) -> Document:
    return clean("\n\n".join(lines).encode())


def roles(document: Document) -> list[tuple[str, str]]:
    return [(p.role, p.text) for p in document.paragraphs if p.role != "body"]


def articles(document: Document) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(a.title, a.column, a.authors) for a in document.articles]


def test_two_articles_with_reporters() -> None:
    document = page(
        "旧货市场里的修表人", "本报记者 李晓峰", BODY, MORE,
        "一条老街的第二次开张", "本报记者 周敏 通讯员 吴大勇", MORE.replace("三百", "两百"), LAST,
    )  # fmt: skip
    assert articles(document) == [
        ("旧货市场里的修表人", "", ("李晓峰",)),
        ("一条老街的第二次开张", "", ("周敏", "吴大勇")),
    ]
    assert document.metadata["title"] is None
    assert document.metadata["authors"] == []


def test_reports_that_begin_with_a_dateline() -> None:
    document = page(
        "旧货市场周末迎客", "本报讯（记者 李晓峰）" + BODY, MORE,
        "老街换上新路灯", "本报讯（通讯员 吴大勇）" + MORE.replace("三百", "两百"), LAST,
    )  # fmt: skip
    assert articles(document) == [
        ("旧货市场周末迎客", "", ("李晓峰",)),
        ("老街换上新路灯", "", ("吴大勇",)),
    ]


def test_one_dateline_below_the_name_of_a_section_is_one_article() -> None:
    document = page("街坊留言簿", "旧货市场周末迎客", "本报讯（记者 李晓峰）" + BODY, MORE)
    assert document.articles == ()


def test_prose_above_a_headline_is_no_part_of_it() -> None:
    speech = "“这条街，我走了一辈子。”老人说。"
    document = page(
        "旧货市场里的修表人", "本报记者 李晓峰", BODY, speech.replace("老人说。", "老人笑出了声，“走不厌！”"),
        "一条老街的第二次开张", "本报记者 周敏", MORE, LAST,
    )  # fmt: skip
    assert [a.title for a in document.articles] == ["旧货市场里的修表人", "一条老街的第二次开张"]


def test_headline_in_two_lines_and_columns() -> None:
    document = page(
        "■城事", "旧货市场里的", "修表人和他的三代徒弟", "□记者 李晓峰", BODY, MORE,
        "■街谈", "慢下来", "◎周敏", MORE.replace("三百", "两百"), LAST,
    )  # fmt: skip
    assert articles(document) == [
        ("旧货市场里的 修表人和他的三代徒弟", "城事", ("李晓峰",)),
        ("慢下来", "街谈", ("周敏",)),
    ]
    assert [p.text for p in document.paragraphs if p.role == "column"] == ["■城事", "■街谈"]


def test_spans_of_articles_follow_each_other() -> None:
    document = page("■城事", "修表人", "□记者 李晓峰", BODY, "■街谈", "慢下来", "◎周敏", MORE)
    first, second = document.articles
    assert (first.start, second.end) == (0, len(document.text))
    assert document.text[second.start :].startswith("■街谈")
    assert first.end < second.start


@pytest.mark.parametrize(
    "lines",
    [
        ("修表人", "本报记者 李晓峰", BODY, "手艺", MORE, "街坊", LAST),
        ("修表人", BODY, "手艺", MORE, LAST, "本报记者 李晓峰"),
        ("修表人", "——记城南旧货市场", "□李晓峰 周敏", BODY, "一、手艺", MORE, "二、街坊", LAST),
        ("修表人", BODY, MORE, "本报记者 李晓峰 摄", LAST),
        (BODY, MORE, LAST),
        ("城南的秋天", "秋风起了", "树叶黄了", "修表的人收起摊子", "回家去了"),
    ],
)
def test_a_single_article_never_falls_apart(lines: tuple[str, ...]) -> None:
    document = page(*lines)
    assert document.articles == ()
    assert sum(p.role == "title" for p in document.paragraphs) <= 1


def test_roles_of_a_single_article() -> None:
    document = page("修表人", "——记城南旧货市场", "□李晓峰 周敏", BODY, "手艺", MORE, "李晓峰 摄", LAST)
    assert roles(document) == [
        ("title", "修表人"),
        ("subtitle", "——记城南旧货市场"),
        ("byline", "□李晓峰 周敏"),
        ("heading", "手艺"),
        ("credit", "李晓峰 摄"),
    ]
    assert document.metadata["title"] == "修表人"
    assert document.metadata["subtitle"] == "——记城南旧货市场"
    assert document.metadata["authors"] == ["李晓峰", "周敏"]


def test_a_field_that_is_not_there_is_empty() -> None:
    metadata = page(BODY, MORE).metadata
    assert {field for field, value in metadata.items() if value} == set()
    assert metadata["authors"] == []
    assert metadata["title"] is None


def test_photo_block_set_apart_by_blank_lines() -> None:
    text = "\n\n".join(["■城事", "修表人", "□记者 李晓峰", BODY, MORE])
    text += "\n\n\n\n" + "\n\n".join(["秋日市场", LAST, "周敏 摄"])
    document = clean(text.encode())
    assert articles(document) == [("修表人", "城事", ("李晓峰",)), ("秋日市场", "", ("周敏",))]
    assert document.paragraphs[-1].role == "credit"


def test_article_is_a_plain_tuple() -> None:
    assert Article("标题", "", ("甲",), 0, 2)._asdict() == {
        "title": "标题", "column": "", "authors": ("甲",), "start": 0, "end": 2
    }  # fmt: skip
