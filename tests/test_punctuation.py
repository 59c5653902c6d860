"""The punctuation cleaner: its rules one by one, its tables, and what must hold of every text."""

import random
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from spying import spy_on

from cleaners import Config, Edit, apply, layout, punctuation, quotes, spaces, widths
from cleaners.ignored import NOTHING_LEFT
from cleaners.marked_line import LETTER, MarkedLine
from cleaners.punctuation import propose, unbalanced

FORMS = Path(punctuation.__file__).parent / "rules" / "punctuation" / "forms.txt"
SEEDS = sorted((Path(__file__).parent.parent / "seeds").glob("*.txt"))
PIECES = [
    "中文", "句子", "老年人、", "他说:", "“引用”", "‘内’", '"直引号"', "'", '"', ",", "，", "。", ".",
    "...", "…", "……", "——", "--", "(注)",
    "（注）", "(", ")", "（", "）", "1,000", "12:30", "3.5%", "http://a.cn/b?c=1,2", "v1.2",
    "English words.", " ", "  ", "\u3000", "\u00a0",
    "\n", "\r\n", "⑮", "ＡＢＣ", "１２", "１．５％", "臺灣", "「", "」", "?", "!", ":", ";", "Rust",
    "React, ", "重 要 通 知", "。。。", "–", "—",
    "•", "·", "<", ">", "`a", "\\", "马克思", "吗", "一", "｢", "﹐", "＂", "\0", "\ud800", "😀", "》", "《",
    "&nbsp;", "vs. ", "5'10\"",
]  # fmt: skip
TEXTS = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=6)), max_size=30).map("".join)
CONFIGS = st.sampled_from([Config(), Config(quotes="mainland"), Config(quotes="traditional")])


def cleaned(text: str, config: Config | None = None) -> str:
    return apply(text, propose(text, config or Config()))


def answer(text: str, config: Config) -> str:
    """What the cleaner returns after its last edit."""
    said = []

    def listen() -> Iterator[Edit]:
        said.append((yield from propose(text, config)))

    list(listen())
    return said[0]


def rules(text: str) -> set[str]:
    return {edit.rule for edit in propose(text, Config())}


def words(text: str) -> str:
    """Everything but marks and spaces, full-width letters and digits as half-width ones."""
    narrow = text.translate({code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)})
    return "".join(char for char in narrow if char != "・" and (char.isalnum() or LETTER.match(char)))


@pytest.mark.parametrize(
    ("before", "after", "rule"),
    [
        ("水渠修通了,两岸一片新绿。", "水渠修通了，两岸一片新绿。", "punctuation.width"),
        ("第一行\n,第二行", "第一行\n，第二行", "punctuation.width"),
        ("增长5.2%,完成计划", "增长5.2%，完成计划", "punctuation.width"),
        ("你来吗?!", "你来吗？！", "punctuation.width"),
        ("镇(乡)长", "镇（乡）长", "punctuation.width"),
        ("雨停了.", "雨停了。", "punctuation.full_stop"),
        ('他说"好"', "他说“好”", "punctuation.quote"),
        ("等等...", "等等……", "punctuation.ellipsis"),
        ("桥--老桥", "桥——老桥", "punctuation.dash"),
        ("来， 坐", "来，坐", "punctuation.space"),
        ("停 水 通 知", "停水通知", "punctuation.space"),
        ("清晨﹐集市", "清晨，集市", "punctuation.form"),
        ("Ａ座", "A座", "punctuation.form"),
        ("１，０００户", "1,000户", "punctuation.form"),
    ],
)
def test_each_rule(before: str, after: str, rule: str) -> None:
    assert cleaned(before) == after
    assert rules(before) == {rule}


BETWEEN_WORDS = st.lists(
    st.one_of(st.sampled_from("甲乙丙,;:?!()\n3aB"), st.sampled_from([*PIECES, "好,好", "(注)乙"])), max_size=20
).map("".join)


@settings(max_examples=500)
@given(BETWEEN_WORDS, CONFIGS)
def test_where_nothing_is_left_nothing_is_found(text: str, config: Config) -> None:
    if NOTHING_LEFT not in answer(text, config):
        return
    after = cleaned(text, config)
    assert after != text
    assert cleaned(after, config) == after
    laid_out = apply(after, layout.propose(after, config))
    assert cleaned(laid_out, config) == laid_out


def test_marks_that_are_widened_at_once_leave_nothing_to_do() -> None:
    assert NOTHING_LEFT in answer("今天天气很好,大家(共三人)都来了。\n会议开始了!", Config())
    assert answer('今天天气很好,“大家都来了"。', Config()) == ""


@pytest.mark.parametrize(
    "text",
    [
        "3:4", "1,000人", "12:30开始", "版本1.2.3发布", "温度-5.5度", "No. 5", "English, only English.",
        "f(x, y)", "见https://a.cn/b?c=1,2;d",
        "李四 王五", "你好 (Hello) 世界", "卡尔.马克思", "北京—上海", "a,b", "《甲》 《乙》", "“甲” 乙",
        "今天:)", "说明.txt", "", "\n\n", "。", ",", "(",
        '"', "他们说’",
    ],
)  # fmt: skip
def test_what_stays(text: str) -> None:
    assert cleaned(text) == text


def test_marks_of_an_undamaged_document_are_the_authors() -> None:
    text = "甲，乙。\n\n丙(丁)戊，己。青布?鞋，例如: git，庚。"
    assert cleaned(text) == text
    assert (
        cleaned(text + "辛,壬")
        == text.replace("(", "（").replace(")", "）").replace("?", "？").replace(": ", "：") + "辛，壬"
    )


def test_a_single_slip_does_not_make_a_document_damaged() -> None:
    text = "甲，乙。" * 40 + "丙(丁)戊，己"
    assert cleaned(text + ",庚") == text + "，庚"


def test_mixed_brackets_are_mended_in_any_document() -> None:
    assert cleaned("甲，乙（丙)丁，戊(己）。") == "甲，乙（丙）丁，戊（己）。"


def test_inches_and_feet_are_no_quotation_marks() -> None:
    assert cleaned('甲有27"和32"两种,乙有5\'10"高') == '甲有27"和32"两种，乙有5\'10"高'
    assert cleaned('一架X-15"海燕"飞来') == "一架X-15“海燕”飞来"


def test_quotes_in_three_levels() -> None:
    assert cleaned('"甲说:\'乙说:"丙"。\'"') == "“甲说：‘乙说：“丙”。’”"


def test_a_line_whose_quotes_do_not_pair_keeps_them() -> None:
    assert cleaned('他说"好,她说"不"') == '他说"好，她说"不"'


def test_only_the_line_is_left_alone_whose_quotes_do_not_pair() -> None:
    assert cleaned('他说"好\n她说"不"') == '他说"好\n她说“不”'


def test_config_quotes() -> None:
    text = '他说：“走到‘渡口’再说。”她说:"好"。'
    assert cleaned(text) == "他说：“走到‘渡口’再说。”她说：“好”。"
    assert cleaned(text, Config(quotes="mainland")) == cleaned(text)
    assert cleaned(text, Config(quotes="traditional")) == "他说：「走到『渡口』再说。」她说：「好」。"
    assert cleaned("他說：「走到『渡口』再說。」", Config(quotes="mainland")) == "他說：“走到‘渡口’再說。”"


def test_auto_writes_the_quotes_of_the_script_unless_the_document_has_others() -> None:
    assert cleaned('「這個」和"那個"，他們說') == "「這個」和「那個」，他們說"
    assert cleaned('這個和"那個"，他們說') == "這個和「那個」，他們說"
    assert cleaned('“這個”和"那個"，他們說') == "“這個”和“那個”，他們說"
    assert cleaned('「这个」和"那个"，他们说') == "「这个」和“那个”，他们说"
    assert cleaned('这个和"那个"，他们说') == "这个和“那个”，他们说"


@pytest.mark.parametrize(
    ("paragraph", "places"),
    [
        ("“甲”（乙）《丙》「丁」", []),
        ("“甲", [0]),
        ("甲”", [1]),
        ("“甲（乙”", [2]),
        ("“甲‘乙”丙’", [2, 6]),
        ("甲）", [1]),
        ('"甲"乙"', [4]),
        ("1)甲 don’t", []),
        ("《甲》》", [3]),
    ],
)
def test_unbalanced(paragraph: str, places: list[int]) -> None:
    assert unbalanced(paragraph) == [(place, place + 1) for place in places]


def test_forms_are_a_table_that_keeps_places() -> None:
    """Sorted rows, no doubles, as many characters on the right, nothing that would be changed again."""
    lines = FORMS.read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines if not line.startswith("#")]
    assert lines[0].startswith("# ")
    assert any("cleaners/punctuation.py" in line for line in lines[:5])
    assert all(len(row) == 2 and len(row[0]) == len(row[1]) and row[0] != row[1] for row in rows)
    froms = [row[0] for row in rows]
    assert froms == sorted(set(froms))
    assert not any(form in after for form in froms for _, after in rows)


def test_every_form_becomes_its_row() -> None:
    for line in FORMS.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            before, after = line.split("\t")
            edits = list(propose(f"甲{before}乙", Config()))
            assert [edit.start for edit in edits][:1] == [1], before
            assert after in ('"', "'", "…") or cleaned(f"甲{before}乙") == cleaned(f"甲{after}乙"), before


@pytest.mark.parametrize("path", SEEDS, ids=lambda path: path.name)
def test_seeds_change_nothing_but_marks_and_spaces(path: Path) -> None:
    text = path.read_bytes().decode("utf-8")
    clean = cleaned(text)
    assert words(clean) == words(text)
    assert clean.count("\n") == text.count("\n")
    assert not re.search("(?<=[一-鿿])[,;!?](?=[一-鿿])", clean)
    assert cleaned(clean) == clean


@settings(max_examples=400, deadline=None)
@given(TEXTS, CONFIGS)
def test_random_text(text: str, config: Config) -> None:
    edits = list(propose(text, config))
    assert all(isinstance(edit, Edit) and edit.rule.startswith("punctuation.") for edit in edits)
    changed = apply(text, edits)
    assert words(changed) == words(text)
    for _ in range(5):
        again = cleaned(changed, config)
        if again == changed:
            break
        changed = again
    else:
        pytest.fail("does not settle")


@settings(max_examples=200, deadline=None)
@given(TEXTS)
def test_unbalanced_random_text(text: str) -> None:
    found = unbalanced(text)
    assert found == sorted(set(found))
    assert all(end == start + 1 and 0 <= start < len(text) for start, end in found)


@pytest.mark.parametrize(
    "piece",
    [
        ".", "…", "—", "-", "(", ")", '"', "'", ",", "?", " ", "\u3000", "<", "`", "\\", "http://", "a=\"",
        "](", "[a](", "。", "，", "·", "甲 ", "甲,", "甲.",
        "甲(", "甲\"", "１．", "&a", ":)", "“", "”", "A ", "a'", "\r", "１，０００", "<甲",
    ],
)  # fmt: skip
def test_long_runs(piece: str) -> None:
    """Repeated pieces in one long line: quadratic work would take minutes here."""
    text = "中" + piece * (200_000 // len(piece)) + "文"
    changed = cleaned(text)
    assert changed.startswith("中")
    unbalanced(text)


def test_many_lines() -> None:
    text = "甲,乙(丙\n" * 100_000
    assert cleaned(text) == "甲，乙(丙\n" * 100_000


def test_a_text_without_line_breaks() -> None:
    text = '甲乙,丙丁"' * 300_000
    assert cleaned(text) == '甲乙，丙丁"' * 300_000


def test_deterministic() -> None:
    text = "".join(random.Random(5).choices(PIECES, k=500)).replace("\ud800", "")
    assert list(propose(text, Config())) == list(propose(text, Config()))


def test_a_line_that_stands_there_again_is_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    read = spy_on(monkeypatch, punctuation, "MarkedLine")
    punctuation._known_changes.cache_clear()
    text = '她又说,"来得及."\n' * 50
    assert cleaned(text) == "她又说，“来得及。”\n" * 50
    assert len(read) == 1


@given(
    st.text(st.sampled_from("一三甲阿卡吗图第的山河037\"'“”,;:!，；：！（）()。、"), min_size=1, max_size=25),
    st.builds(
        punctuation.Style,
        st.sampled_from([quotes.MAINLAND, quotes.TRADITIONAL]),
        *[st.booleans()] * 5,
    ),
)
@settings(max_examples=300, deadline=None)
def test_beside_some_marks_it_does_not_matter_which_letter_stands(line: str, style: punctuation.Style) -> None:
    assert punctuation._ANY_LETTER.fullmatch(line)
    alike = line.translate(punctuation._alike())
    assert list(punctuation._changes(line, style)) == list(punctuation._changes(alike, style))


@given(
    st.text(
        st.sampled_from("一十三零甲阿卡吗么呢图卷第的山河东春037\"'“”,;:?!，；：！（）().。、 -"),
        min_size=1,
        max_size=25,
    ),
    st.builds(
        punctuation.Style,
        st.sampled_from([quotes.MAINLAND, quotes.TRADITIONAL]),
        *[st.booleans()] * 5,
    ),
)
@settings(max_examples=1_000, deadline=None)
def test_beside_other_marks_letters_are_told_apart_by_rules(line: str, style: punctuation.Style) -> None:
    assume(punctuation._FEW_LETTERS.fullmatch(line) and "--" not in line)
    alike = line.translate(punctuation._alike_to_rules())
    assert list(punctuation._changes(line, style)) == list(punctuation._changes(alike, style))


def test_the_letter_that_stands_for_all_others_is_told_apart_by_no_rule() -> None:
    assert not any("的" in some for some in (*widths.TOLD_APART, spaces.LISTED))


def test_cells_with_as_many_letters_are_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    read = spy_on(monkeypatch, punctuation, "MarkedLine")
    punctuation._known_changes.cache_clear()
    text = "".join(f'"{first}月","{number}"\n' for first, number in zip("春夏秋", (12, 34, 56), strict=True))
    assert cleaned(text) == '“春月”，"12"\n“夏月”，"34"\n“秋月”，"56"\n'
    assert len(read) == 1


def test_places_of_a_marked_line_never_move() -> None:
    line = MarkedLine("甲...乙…丙 ,丁")
    line.change(1, 4, "……", "punctuation.ellipsis")
    line.change(5, 6, "……", "punctuation.ellipsis")
    line.change(7, 8, "", "punctuation.space")
    line.change(8, 9, "，", "punctuation.width")
    assert len(line.text) == len(line.before)
    assert [place for place, _, _, _ in line.changed()] == [1, 5, 7, 8]
    assert line.char(-1) == line.char(99) == "\n"
