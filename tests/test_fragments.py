"""Fragments: paragraphs whose beginning or end is lost, and the sound ones that look like them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleaners.fragments import beheaded, truncated

SEEDS = sorted((Path(__file__).parent.parent / "seeds").glob("*.txt"))
SOUND = (
    "老磨坊停了二十年，今年春天又转了起来。村里的年轻人把水渠清干净，又从邻村请来老木匠修好了木轮。",
    "第一袋面磨出来的时候，院子里里外外站满了看热闹的人。老木匠抓起一把闻了又闻，笑着说还是从前的味道。",
    "后来有人提议，把磨坊旁边的三间空屋改成小客栈。大家在院子里商量了三个晚上，终于定了下来。",
    "客栈只有小小的六间房，周末常常住满。城里来的客人们最喜欢清早起来看木轮转动，听水声哗哗地响。",
    "村里还办了一个面点班，由几位手艺好的老奶奶来教。学员大多是外出打工回来的媳妇和小伙子。",
    "到了秋天，磨坊门口摆起了长桌。新麦做的馒头刚一出笼，热气还没有散，就被过路的人一抢而光了。",
)


@pytest.mark.parametrize(
    "paragraph",
    [
        "，由镇上派人来修。水渠通了以后，磨坊第二天就开工了。",
        "、面条和馒头，都是用新麦做的。",
        "。村里的人都来帮忙，三天就修好了。",
        "）的面粉卖得最好，每天要磨十袋。",
        "”老木匠说完，就背起工具走了。",
        "  ；客人住一晚只收八十元。",
    ],
)
def test_a_paragraph_that_begins_with_such_a_mark_lost_its_beginning(paragraph: str) -> None:
    assert beheaded([SOUND[0], paragraph]) == [1]


@pytest.mark.parametrize(
    "paragraph",
    [
        "……他没有再说下去，转身走进了磨坊。",
        "——记一座老磨坊的新生",
        "“水来了！”孩子们喊着跑过田埂。",
        "（本版照片由村委会提供）",
        "《老磨坊》是他写的第一篇小说。",
        ".NET 是一个开发平台。",
        ") 这是从英文邮件里抄来的一行",
        "，",
        "",
    ],
)
def test_other_beginnings_are_sound(paragraph: str) -> None:
    expected = [0] if paragraph.startswith(") 这") else []
    assert beheaded([paragraph]) == expected


REMNANT = "典型，围绕乡村产业，拓宽增收门路，采取能人带动、合作经营、订单收购等方式，让更多农户参与进来。"


def test_behind_a_removed_duplicate_a_short_first_clause_is_a_remnant() -> None:
    assert beheaded([SOUND[0], REMNANT], [1]) == [1]
    assert beheaded([SOUND[0], REMNANT]) == []


@pytest.mark.parametrize("opener", ["同时", "目前", "近日", "此外", "但", "会后", "不久", "今年", "入秋后", "临走时"])
def test_behind_a_removed_duplicate_openers_are_sound(opener: str) -> None:
    assert beheaded([SOUND[0], opener + REMNANT[2:]], [1]) == []


@pytest.mark.parametrize(
    "cut",
    [
        "村里的年轻人把水渠清干净，又从邻村请来老木匠修好了木轮。第一天磨了三袋，第二天磨了五袋，第三天来的人更多，",
        "磨坊重新开工的那一天，四面八方来了许多人。有的从镇上骑车来，有的从山那边走来，都想看一看老磨坊和",
        "磨坊重新开工的那一天，四面八方来了许多人。有的从镇上骑车来，有的从山那边走来，都想看一看老磨坊、",
        "磨坊重新开工的那一天，四面八方来了许多人。有的从镇上骑车来，有的从山那边走来，都想看一看重新转起来的木",
    ],
)
def test_prose_that_ends_inside_a_sentence(cut: str) -> None:
    assert truncated([*SOUND, cut]) == [len(SOUND)]
    assert truncated([*SOUND[:3], cut, *SOUND[3:]]) == [3]


def test_a_missing_full_stop_proves_nothing_where_many_are_missing() -> None:
    bare = [paragraph.rstrip("。") for paragraph in SOUND]
    assert truncated(bare) == []


@pytest.mark.parametrize(
    "paragraph",
    [
        "老磨坊的一年四季和村里人的新日子",
        "图为老木匠在修理磨坊的木轮，旁边是他的徒弟",
        "磨坊里的规矩不多，只有四条。凡是来磨面的人都要记住，出了事情自己负责，具体如下：",
        "客人们最喜欢清早起来看木轮转动，听水声哗哗地响，有时一坐就是一个上午。（记者 周禾）",
        "客人们最喜欢清早起来看木轮转动，听水声哗哗地响，有时一坐就是一个上午。记者 周禾 摄",
        "磨坊主人的电话写在门上，客人可以先打电话再来，免得白跑一趟。地址是水渠边的三号院 http://example.com/mill",
        "",
    ],
)
def test_headings_captions_leads_and_credits_are_not_truncated(paragraph: str) -> None:
    assert truncated([*SOUND, paragraph]) == []


def test_what_introduces_speech_or_a_list_is_not_truncated() -> None:
    lead = "磨坊开工那天，来了许多人。老木匠站在门口，看着转起来的木轮，过了很久才慢慢地说，"
    assert truncated([*SOUND, lead, "“总算没有白忙。”"]) == []
    rules = "磨坊里的规矩不多，只有两条。凡是来磨面的人都要记住，出了事情自己负责，请大家遵守以下和"
    assert truncated([*SOUND, rules, "1. 先到先磨。", "2. 不许插队。"]) == []


def test_verse_is_not_truncated() -> None:
    assert truncated(["木轮转着，", "水声响着，", "二十年的灰尘，", "在阳光里飞着，"] * 10) == []


@pytest.mark.parametrize("path", SEEDS, ids=lambda path: path.name[:3])
def test_seeds_begin_no_paragraph_with_a_lost_beginning(path: Path) -> None:
    paragraphs = [line for line in path.read_text(encoding="utf-8").split("\n") if line.strip()]
    assert beheaded(paragraphs) == []
    found = beheaded(paragraphs, range(len(paragraphs)))
    assert [paragraphs[number][:2] for number in found] == (["标杆"] if path.name.startswith("000") else [])


@given(st.lists(st.text(alphabet=st.sampled_from("磨坊水渠，。、“”：\n ab12的和"), max_size=120), max_size=12))
def test_any_paragraphs(paragraphs: list[str]) -> None:
    size = len(paragraphs)
    for found in (beheaded(paragraphs, range(size)), truncated(paragraphs)):
        assert found == sorted(set(found))
        assert all(0 <= number < size for number in found)
