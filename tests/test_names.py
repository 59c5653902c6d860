import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleaners import names as names_of
from cleaners.names import authors, is_byline, is_credit, is_person, signed


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("□宏章 周桐 丁帅", ["宏章", "周桐", "丁帅"]),
        ("□蒙组宣", ["蒙组宣"]),
        ("◎宋爽", ["宋爽"]),
        ("记者 范晓儒", ["范晓儒"]),
        ("□见习记者 郝佳丽", ["郝佳丽"]),
        ("□本报记者 白丹", ["白丹"]),
        ("本报记者 胡日查 高敏娜", ["胡日查", "高敏娜"]),
        ("实习生 孟托 李名超", ["孟托", "李名超"]),
        ("（记者张三 通讯员李四）", ["张三", "李四"]),
        ("作者：鲁迅", ["鲁迅"]),
        ("文/王五 图/赵六", ["王五", "赵六"]),
        ("文/图 本报记者 李明", ["李明"]),
        ("见习记者 王 平", ["王平"]),
        ("新华社记者 申桥、王雨亭", ["申桥", "王雨亭"]),
        ("江东晚报记者 周一鸣 省城报道", ["周一鸣"]),
        ("采写：江东见习记者 林小川", ["林小川"]),
        ("记者 阿依古丽·买买提", ["阿依古丽·买买提"]),
        ("本报评论员", ["本报评论员"]),
    ],
)
def test_bylines(line: str, expected: list[str]) -> None:
    assert authors(line) == expected
    assert is_byline(line)
    assert not is_credit(line)


def test_a_bare_name_is_read_but_is_no_byline_by_itself() -> None:
    assert authors("内群宣") == ["内群宣"]
    assert not is_byline("内群宣")


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("唐璇博 摄", ["唐璇博"]),
        ("韩宇 摄", ["韩宇"]),
        ("本报记者\n陈春艳 摄", ["陈春艳"]),
        ("通讯员刘娟 摄", ["刘娟"]),
        ("（张三 摄）", ["张三"]),
        ("图/李四", ["李四"]),
        ("(本版图片均由山河县委宣传部提供)", []),
        ("山河县文化馆供图", []),
    ],
)
def test_credits(line: str, names: list[str]) -> None:
    assert is_credit(line)
    assert not is_byline(line)
    assert not names or authors(line) == names


@pytest.mark.parametrize(
    "line",
    [
        "记者从会上了解到",
        "记者节快乐",
        "记者手记",
        "作者简介：张三，教授",
        "图为活动现场。",
        "文学作品",
        "图书馆",
        "记者王",
        "",
        "   ",
        "□",
        "记者说，桥修好了。",
        "通讯员们都到齐了",
        "他是本报记者张三的老师。",
        "■学思践悟 一 二 三 四 五 六 七",
    ],
)
def test_neither(line: str) -> None:
    assert not is_byline(line)
    assert not is_credit(line)


@pytest.mark.parametrize(
    ("paragraph", "names"),
    [
        ("本报讯（记者 张三 通讯员 李四）昨日，新桥通车。", ["张三", "李四"]),
        ("据江东社电（记者 周一鸣）记者昨日从会上了解到，新桥通车。", ["周一鸣"]),
        ("桥通车以后，两岸来往方便了。（文/图 张三）", ["张三"]),
        ("桥通车以后，两岸来往方便了。（张三）", ["张三"]),
        ("桥通车以后，他们来了（张三、李四）", []),
        ("事情就是这样。（完）", []),
        ("他说：“来吧。”（笑声）", []),
        ("他从记者手里接过话筒。", []),
    ],
)
def test_names_in_brackets_inside_prose(paragraph: str, names: list[str]) -> None:
    assert signed(paragraph) == names


@pytest.mark.parametrize(("text", "expected"), [("张三", True), ("欧阳小明", True), ("游民星空", False), ("桥", False)])
def test_persons(text: str, expected: bool) -> None:
    assert is_person(text) is expected


@given(st.text(alphabet="记者本报通讯员文图摄作者张三李 /:：、()（）□■\n", max_size=80))
def test_any_line_is_taken(line: str) -> None:
    names = authors(line)
    assert all(names)
    assert len(set(names)) == len(names)
    assert not (is_byline(line) and is_credit(line))
    signed(line)


def test_long_lines_are_no_bylines() -> None:
    assert authors("记者" * 100_000) == []
    assert not is_byline("记者 张三 " * 100_000)
    assert signed("（记者" * 100_000) == []


@given(st.text(alphabet="记者员生稿文写笔理译图摄述画部家绘漫照视供张三王小明 :/()（）□·", min_size=1, max_size=12))
def test_bylines_and_credits_have_a_sign(line: str) -> None:
    assert names_of.SIGNS.search(line) or not (is_byline(line) or is_credit(line))


PIECES = st.sampled_from(
    [
        *"周一鸣李佳蕖馆文图摄写者员译 :/、,()（）□",
        "本报",
        "记者",
        "实习生",
        "江东日报",
        "通讯员",
        "校对",
        "校长",
        "撰写",
        "作者",
    ]
)


@settings(max_examples=2000, deadline=None)
@given(
    st.sampled_from(["", "本报记者 ", "（本报记者 ", "特约作者:", "图/周一鸣 文/", "文/", "文:周一 图/"]),
    st.lists(PIECES, max_size=9).map("".join),
)
def test_simple_bylines_are_read_as_all_others(lead: str, rest: str) -> None:
    line = lead + rest
    quick = names_of._authors(line), names_of._is_byline(line)
    names_of._parts.cache_clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(names_of, "_simple", lambda bare: [])
        patch.setattr(names_of, "authors", lambda bare: list(names_of._authors(bare)))
        assert (names_of._authors(line), names_of._is_byline(line)) == quick


def test_a_simple_byline_has_one_function_and_plain_names() -> None:
    assert names_of._simple("本报见习记者 周一鸣 李佳") == ["周一鸣", "李佳"]
    assert not any(
        map(
            names_of._simple,
            ["周一鸣", "记者 周一鸣 摄", "记者 周一鸣 通讯员 李佳", "文：周一鸣 图/李佳", "记者了解到"],
        )
    )
