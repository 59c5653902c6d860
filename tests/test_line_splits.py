"""Line splits: moves, spaces at the joint, widths, and what must hold for any text."""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spying import spy_on

from cleaners import Config, Edit, apply, clean, joint_rounds, layout, line_splits, undo
from cleaners.hard_wraps import columns, ends_sentence, units, wrapped_pairs
from cleaners.ignored import NOTHING_LEFT
from cleaners.joint_choices import FirstHalves, log_odds
from cleaners.joints import FEATURES, KINDS, Joint, Side, Sides, candidates, features, shape_of, weights
from cleaners.line_splits import LEAST
from cleaners.statistics import codes, joints
from cleaners.statistics.build_joints import Choices, count_triples, fit, main, pages

FIRST = "今年入冬以来，青石镇把修路当作头等大事来抓，先后投入资金两百多万元，把通往五个村庄的土路全部铺成了水泥路。"
SECOND = "镇里的老支书说，过去下一场雨，车子就要陷在泥里半天，卖菜的人只能挑着担子走十几里山路。现在客车每天四个来回。"
HEAD, TAIL = FIRST[:34], FIRST[34:]
VERSE = "夕阳落在远山的肩上，\n牛铃响过窄窄的石桥。\n谁家的炊烟升起来了，\n像一句没有说完的话，\n停在风里"
HEADLINE = "柿子树下话丰收"
LINES = (HEAD, TAIL, SECOND, HEADLINE, "— 12 —", "本报记者 李春生 摄", "第一章 总则")
PIECES = (*LINES, "，", "“", "”", "\u3000\u3000", " ")


def proposed(text: str) -> list[Edit]:
    return list(line_splits.propose(text, Config()))


def joined(text: str) -> str:
    return apply(text, proposed(text))


def wrapped(text: str, width: int) -> str:
    """Breaks `text` after so many characters, whatever they are."""
    return "\n".join(text[i : i + width] for i in range(0, len(text), width))


def test_a_line_in_between_is_moved_by_two_edits_that_point_at_one_another() -> None:
    text = f"{HEAD}\n\n柿子树下话丰收\n\n{TAIL}\n\n{SECOND}"
    assert joined(text) == f"柿子树下话丰收\n\n{FIRST}\n\n{SECOND}"
    arrived, join, left = proposed(text)
    assert (arrived.rule, join.rule, left.rule) == ("line_splits.move", "line_splits.join", "line_splits.move")
    assert (arrived.start, arrived.ref, left.ref) == (0, left.start, arrived.start)
    assert arrived.after == left.before == "柿子树下话丰收\n\n"
    assert arrived.before == left.after == ""


def test_two_lines_in_between_keep_their_order() -> None:
    text = f"{SECOND}\n\n{HEAD}\n\n— 12 —\n\n柿子树下话丰收\n\n{TAIL}"
    assert joined(text) == f"{SECOND}\n\n— 12 —\n\n柿子树下话丰收\n\n{FIRST}"


def test_edits_can_be_undone() -> None:
    text = f"　　{HEAD}\n\n柿子树下话丰收\n\n{TAIL}\n\n{SECOND}"
    assert undo(joined(text), proposed(text)) == text


@pytest.mark.parametrize(
    "text",
    [FIRST, f"{FIRST}\n\n{SECOND}", f"{HEADLINE}\n\n{SECOND}", VERSE, "", "\n\n", HEAD, f"{HEAD}\n\n■时评\n\n◎宋爽"],
)
def test_nothing_is_joined(text: str) -> None:
    assert proposed(text) == []


@pytest.mark.parametrize(
    ("before", "after", "between"),
    [
        ("后来大家都用 Green", "House 来称呼它", " "),
        ("文章署名是 inter", "national 的一个小组", ""),  # the whole word occurs below
        ("后来大家都用起了这", "套软件", ""),
        ("先后投入资金20", "0多万元", ""),
        ("大家最常用的是", "Python 语言", " "),  # this text has spaces between Chinese and Latin characters
        ("他写道：Good morning,", "Mister Lin", " "),
    ],
)
def test_space_at_the_joint(before: str, after: str, between: str) -> None:
    text = f"{before}\n{after}\n他们说 Python 和 international 这两个词 at 的用法。"
    page = line_splits._Page(text)
    assert page._glue(page.lines[0], page.lines[1], line_splits.JOIN) == between


def test_full_width_characters_count_double() -> None:
    assert columns("“中文”，abc") == 13
    assert columns("｢⇧") == 2


@pytest.mark.parametrize(
    ("text", "closed"),
    [
        ("他走了。", True),
        ("他说：“走吧。”", True),
        ("他走了。（完）", True),
        ("（本版图片由镇政府提供）", True),
        ("他把“包袱”", False),
        ("镇政府（县里也一样）", False),
        ("他走了，", False),
        ("他走了", False),
    ],
)
def test_ends_sentence(text: str, closed: bool) -> None:
    assert ends_sentence(text) is closed


@pytest.mark.parametrize("width", [18, 24, 30, 38])
def test_any_width_is_found(width: int) -> None:
    text = f"{FIRST}{SECOND}"
    assert joined(wrapped(text * 2, width)) == text * 2


def test_two_widths_in_one_file() -> None:
    one, two = f"{FIRST}{SECOND}", f"{SECOND}{FIRST}"
    assert joined(f"{wrapped(one, 20)}\n\n{wrapped(two, 35)}") == f"{one}\n\n{two}"


def test_too_few_lines_are_no_wrap() -> None:
    assert not wrapped_pairs(units(wrapped(FIRST[:40], 20)))


def test_a_joint_has_a_score_for_every_candidate() -> None:
    lines = units(f"{HEAD}\n柿子树下话丰收\n{TAIL}\n{SECOND}")
    sides = Sides(lines)
    asked = candidates(lines, sides)
    assert Joint(0, 2) in asked
    assert features(lines, sides, asked).shape == (len(asked), len(FEATURES))
    (found,) = FirstHalves().utilities(lines, [0], shape_of(lines), LEAST).values()
    odds = dict(zip([joint for joint, _ in found], log_odds([own for _, own in found]), strict=True))
    assert odds[Joint(0, 2)] == max(odds.values()) > 0


def answer(text: str) -> str:
    """What the cleaner returns after its last edit."""
    said = []

    def listen() -> Iterator[Edit]:
        said.append((yield from line_splits.propose(text, Config())))

    list(listen())
    return said[0]


@settings(max_examples=400, deadline=None)
@given(
    st.lists(st.sampled_from((*PIECES, *wrapped(FIRST + SECOND, 20).split("\n"))), max_size=14),
    st.sampled_from(["\n", "\n\n", "\n　　"]),
)
def test_where_nothing_is_left_nothing_is_found(pieces: list[str], gap: str) -> None:
    text = gap.join(pieces)
    after = joined(text)
    said = answer(text)
    if NOTHING_LEFT in said or (said and after == text):
        assert proposed(after) == []
        assert proposed(apply(after, layout.propose(after, Config()))) == []


@pytest.mark.parametrize("gap", ["\n", "\n\n", "\n　　"])
def test_a_page_that_is_done_is_not_asked_about_again(gap: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text = gap.join([HEADLINE, HEAD, TAIL, *wrapped(SECOND * 2, 20).split("\n")])
    assert NOTHING_LEFT in answer(text)
    asked = spy_on(monkeypatch, line_splits._Page, "join_cuts")
    assert FIRST in clean(text.encode()).text
    assert len(asked) == 1


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.lists(st.sampled_from((*PIECES, *wrapped(FIRST + SECOND, 20).split("\n"))), max_size=14).map("\n".join),
        max_size=6,
    )
)
def test_texts_that_are_read_together_get_the_same_edits(texts: list[str]) -> None:
    line_splits.preview([])
    expected = [(proposed(text), answer(text)) for text in texts]
    line_splits.preview(texts)
    found = [proposed(text) for text in texts]
    line_splits.preview(texts)
    assert [(edits, answer(text)) for edits, text in zip(found, texts, strict=True)] == expected


def test_what_characters_say_is_looked_up_for_many_texts_together(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [f"{HEAD}\n{TAIL}\n{number}{SECOND}" for number in range(line_splits.MANY)]
    asked = spy_on(monkeypatch, joint_rounds, "language_of")
    line_splits.preview(texts)
    assert len(asked) == 1
    assert [len(proposed(text)) for text in texts] == [1] * len(texts)
    assert len(asked) == 1


def test_long_texts_are_not_read_with_others(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [f"{HEAD}\n{TAIL}", f"{HEAD}\n{TAIL}\n{SECOND}", SECOND, HEADLINE]
    monkeypatch.setattr(line_splits, "LONGEST_PREVIEWED", len(texts[0]))
    most = len(texts[0]) + line_splits.LINE + len(SECOND)  # the first one has two lines
    monkeypatch.setattr(line_splits, "MOST_PREVIEWED", most)
    line_splits.preview(texts)
    assert list(line_splits._previewed) == [texts[0], SECOND]
    monkeypatch.setattr(line_splits, "MOST_PREVIEWED", most - 1)
    line_splits.preview(texts)
    assert list(line_splits._previewed) == [texts[0], HEADLINE]
    assert joined(texts[0]) == FIRST
    line_splits.preview([])
    assert not line_splits._previewed


def test_a_page_with_a_moved_line_is_asked_about_again() -> None:
    assert answer(f"{HEAD}\n\n{HEADLINE}\n\n{TAIL}\n\n{SECOND}") == ""


def test_layout_only_speaks_for_a_joint() -> None:
    for kind in KINDS:
        assert all(weights(kind)[FEATURES.index(name)] >= 0 for name in ("unindented", "tight"))


def test_kinds_of_lines() -> None:
    assert Side(SECOND[:-1]).kind == "prose"
    assert Side("老人走失三天，全村两百人连夜寻找").kind == "clause"
    assert Side("柿子树下话丰收").kind == "bare"
    assert not Side("本报记者 李春生 摄").can_go_on
    assert not Side("■时评").can_go_on
    assert Side(HEAD).can_begin


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=14), st.sampled_from(["\n", "\n\n", "\n　　", ""]))
def test_nothing_but_white_space_is_lost(pieces: list[str], gap: str) -> None:
    text = gap.join(pieces)
    assert sorted(re.sub(r"\s", "", joined(text))) == sorted(re.sub(r"\s", "", text))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=14), st.sampled_from(["\n", "\n\n", "\n　　"]))
def test_it_settles(pieces: list[str], gap: str) -> None:
    text = gap.join(pieces)
    for _ in range(4):
        text = joined(text)
        text = apply(text, layout.propose(text, Config()))
    assert proposed(text) == []


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet=st.characters(codec=None, exclude_categories=()), max_size=200))
def test_any_text_is_read(text: str) -> None:
    assert undo(joined(text), proposed(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "，\n" * 20_000,
        "甲" * 300_000,
        f"{HEAD}\n" * 1_500,
        "“" * 20_000 + "\n" + "”" * 20_000,
        "\ud800\n\x00\n" * 5_000,
        "一二三四五六七八九十，\n" * 5_000,
        "a " * 50_000 + "\n" + "b" * 50_000,
        " \n\t\n" * 20_000,
    ],
    ids=["commas", "one line", "halves", "quotes", "surrogates", "verse", "latin", "white space"],
)
def test_hostile_text(text: str) -> None:
    assert undo(joined(text), proposed(text)) == text


def test_triples_are_found_again() -> None:
    text = codes("青石镇把修路")
    keys = joints.hashes(text[:-2], text[1:-1], text[2:])
    table = joints.unpack(joints.pack({int(key): 10.0 for key in keys}))
    found = joints.logcounts(text[:-2], text[1:-1], text[2:], table)
    assert found == pytest.approx(np.log(10.0), abs=joints.COUNT_STEP)
    assert joints.logcounts(text[2:], text[2:], text[2:], table).tolist() == pytest.approx([joints.UNSEEN] * 4)
    assert count_triples([["青石镇青石镇"]], 1) == {int(keys[0]): 2.0}


def test_a_line_of_code_is_no_damage(monkeypatch: pytest.MonkeyPatch) -> None:
    """The slow look at a page is for sentences that were cut."""
    looked_at: list[str] = []
    monkeypatch.setattr(line_splits._Page, "join_wraps", lambda page: looked_at.append(page.text))
    code = "print(area(width, height))"
    assert list(line_splits.propose(f"{FIRST}{SECOND}\n{code}\n{FIRST}{SECOND}", Config())) == []
    assert not looked_at
    assert list(line_splits.propose(f"{FIRST}{SECOND}\n{HEAD}\n{code}", Config())) == []
    assert len(looked_at) == 1


def test_pages_know_their_joints() -> None:
    found = [["一条公路盘活五个村庄", FIRST, SECOND, FIRST, SECOND]] * 40
    for page, truth in pages(found):
        lines = units(page)
        assert all(0 <= i < j < len(lines) for i, j in truth)
        assert all(not lines[i].text.endswith("。") for i, _ in truth)


def test_fit_finds_what_tells_choices_apart() -> None:
    rng = np.random.default_rng(1)
    rows = np.zeros((400, len(FEATURES)))
    rows[:, 0] = 1
    rows[:, 1] = rng.normal(size=400)
    taken = (rows[:, 1] > 0).astype(float)
    weights = fit(Choices(rows, taken, np.arange(400), np.zeros(400, dtype=np.int64)), KINDS[0])
    assert weights[1] > 1
    assert abs(weights[2:]).max() < 1e-3


def test_the_command_writes_both_files(tmp_path: Path) -> None:
    text = tmp_path / "texts"
    text.mkdir()
    document = "\n".join(["一条公路盘活五个村庄", FIRST, SECOND, FIRST, SECOND])
    (text / "a.txt").write_text("\n\n".join([document] * 30), "utf-8")
    main([str(text), "--out", str(tmp_path)])
    assert set(Path(tmp_path).glob("joints.*")) == {tmp_path / "joints.bin", tmp_path / "joints.json"}


def test_a_long_list_is_judged_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    text = f"{HEAD}\n{TAIL}\n" + "\n".join(f"{SECOND[number % 9 : 20]}" for number in range(40))
    expected = joined(text)
    assert expected != text
    asked = spy_on(monkeypatch, FirstHalves, "utilities")
    monkeypatch.setattr(line_splits, "MOST_SHORT_OPEN", 50)
    assert joined(text) == expected  # there are not more than that
    assert asked
    asked.clear()
    monkeypatch.setattr(line_splits, "MOST_SHORT_OPEN", 35)
    assert joined(text) == text
    assert not asked


def test_a_long_list_of_narrow_lines_needs_no_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_splits, "MOST_SHORT_OPEN", 35)
    made = spy_on(monkeypatch, line_splits, "units")
    text = "\n".join(SECOND[number % 9 : 12] for number in range(40))
    assert joined(text) == text
    assert not made
    credit = f"本报记者\n李春生 摄\n{text}"  # but for one whose role and name stand on two lines
    assert joined(credit) == f"本报记者 李春生 摄\n{text}"
    assert made


def test_a_long_list_is_flagged(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = "\n".join(f"{SECOND[number % 9 : 20]}{number}" for number in range(40)).encode()
    assert "open_lines" not in [flag.kind for flag in clean(raw).flags]
    monkeypatch.setattr(line_splits, "MOST_SHORT_OPEN", 35)
    assert "open_lines" in [flag.kind for flag in clean(raw).flags]
