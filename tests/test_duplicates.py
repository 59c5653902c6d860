"""Duplicates inside a document: each rule, which copy stays, where `ref` points, hostile text, idempotence."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz import fuzz

from cleaners import Config, Edit, apply, copies, duplicate_candidates, duplicates, kinds, repeats, undo
from cleaners.paragraph_text import PageText

BRIDGE = "县里的老石桥去年夏天被洪水冲坏了一个桥墩，今年开春以后，工人们从山里运来青石，按原来的样子重新砌好。"
FERRY = "桥断的那几个月，两岸的孩子坐渡船上学，船工老陈每天天不亮就等在码头，风雨再大也没有误过一次课。"
TEA = "茶农们也盼着桥早点通，因为新茶一天一个价，绕道去镇上要多走二十里山路，茶叶放久了就不香了。"
FAIR = "通桥那天，镇上办了一场集市，老人们把家里的竹椅搬到桥头，一边喝茶一边看热闹，直到天黑才散去。"
FOUR = (BRIDGE, FERRY, TEA, FAIR)


def edits(text: str) -> list[Edit]:
    return list(duplicates.propose(text, Config()))


def cleaned(text: str) -> str:
    return apply(text, edits(text))


def page(*paragraphs: str) -> str:
    return "\n\n".join(paragraphs)


def rules(text: str) -> set[str]:
    return {edit.rule for edit in edits(text)}


@pytest.mark.parametrize(
    ("rule", "text", "expected"),
    [
        ("exact", page(BRIDGE, FERRY, BRIDGE, TEA), page(BRIDGE, FERRY, TEA)),
        ("exact", page(BRIDGE, FERRY, BRIDGE.replace("，", ","), TEA), page(BRIDGE, FERRY, TEA)),
        ("contained", page(BRIDGE + FERRY, FERRY, TEA), page(BRIDGE + FERRY, TEA)),
        ("contained", page(FERRY, TEA, BRIDGE + FERRY), page(TEA, BRIDGE + FERRY)),
        ("contained", page(BRIDGE, "里运来青石，按原来的样子重新砌好，并在桥头立了碑。"[:-9] + "。", TEA), None),
        ("teaser", page(BRIDGE + TEA, BRIDGE + FERRY, TEA + FAIR), page(BRIDGE + FERRY, TEA + FAIR)),
        ("sentence", page(BRIDGE + FERRY + FERRY, TEA), page(BRIDGE + FERRY, TEA)),
        ("sentence", page(BRIDGE + FERRY, FERRY + TEA), page(BRIDGE + FERRY, TEA)),
        (
            "block",
            page(BRIDGE, "渡船", FERRY, TEA, BRIDGE, "渡船", FERRY, FAIR),
            page(BRIDGE, "渡船", FERRY, TEA, FAIR),
        ),
    ],
)
def test_rule(rule: str, text: str, expected: str | None) -> None:
    if expected is None:  # too short to be sure
        assert edits(text) == []
        return
    assert f"duplicates.{rule}" in rules(text)
    assert cleaned(text) == expected


@pytest.mark.parametrize("share", [0.02, 0.05, 0.08])
def test_damaged_copy(share: float) -> None:
    """Characters dropped, doubled or swapped; the sound paragraph stands first."""
    draw = random.Random(7)
    found = 0
    for original in FOUR * 10:
        letters = list(original)
        for _ in range(round(len(letters) * share)):
            place = draw.randrange(1, len(letters) - 2)
            change = draw.choice(("drop", "double", "swap"))
            if change == "drop":
                del letters[place]
            elif change == "double":
                letters.insert(place, letters[place])
            else:
                letters[place], letters[place + 1] = letters[place + 1], letters[place]
        copy = "".join(letters)
        others = [one for one in FOUR if one != original]
        text = page(original, *others[:2], copy, others[2])
        found += cleaned(text) == page(original, *others)
    assert found >= 32  # of 40: a copy whose numerals or words were hit may stay


def test_the_first_of_equal_copies_stays() -> None:
    text = page(BRIDGE, FERRY, BRIDGE, TEA, BRIDGE)
    assert [edit.ref for edit in edits(text)] == [0, 0]


def test_the_more_complete_copy_stays_wherever_it_stands() -> None:
    text = page(FERRY, TEA, BRIDGE + FERRY + FAIR)
    (edit,) = edits(text)
    assert edit.start == 0
    assert text.startswith(FERRY, edit.ref)
    assert edit.ref > len(FERRY)


def test_ref_leads_to_the_copy_that_stays_also_when_an_earlier_keeper_went() -> None:
    text = page(FERRY, TEA, FERRY, BRIDGE + FERRY)
    found = edits(text)
    assert cleaned(text) == page(TEA, BRIDGE + FERRY)
    place = text.index(BRIDGE) + len(BRIDGE)
    assert [edit.ref for edit in found] == [place, place]


def test_ref_points_into_the_paragraph_that_holds_the_part() -> None:
    text = page(BRIDGE, "工人们从山里运来青石，按原来的样子重新砌好。", TEA)
    text = text.replace(
        "工人们从山里运来青石，按原来的样子重新砌好。\n", "今年开春以后，工人们从山里运来青石，按原来的样子重新砌好。\n"
    )
    (edit,) = edits(text)
    assert text.startswith("今年开春以后", edit.ref)
    assert edit.ref < len(BRIDGE)


@pytest.mark.parametrize("gap", ["\n", "\n\n", "\n\n\n", "\n　　", "\n\n　　", "\n \n"])
@pytest.mark.parametrize("end", ["", "\n"])
def test_one_gap_goes_with_a_paragraph(gap: str, end: str) -> None:
    for place in range(1, 5):
        paragraphs = [*FOUR]
        paragraphs.insert(place, BRIDGE)
        text = gap.join(paragraphs) + end
        assert cleaned(text) == gap.join(FOUR) + end


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (TEA, TEA.replace("二十", "三十")),
        (TEA, TEA.replace("二十里", "20里")),
        (BRIDGE.replace("一个", "12个"), BRIDGE.replace("一个", "13个")),
        (BRIDGE.replace("一个", "1.5个"), BRIDGE.replace("一个", "15个")),
        (BRIDGE.replace("一个", "26个"), BRIDGE.replace("一个", "62个").replace("工人们", "人工们")),
        (FERRY.replace("老陈", "甲方"), FERRY.replace("老陈", "乙方")),
        (FERRY, FERRY.replace("没有误过", "误过")),
        (FERRY, FERRY.replace("渡船上学", "客车上学")),
        (FAIR, FAIR.replace("集市", "灯会")),
    ],
)
def test_look_alikes_stay(one: str, other: str) -> None:
    assert one != other
    assert edits(page(one, other)) == []
    assert edits(page(one, BRIDGE[:20] + "。", other)) == []


def test_short_paragraphs_stay() -> None:
    assert edits(page("他点点头，没有说话。", "风停了。", "他点点头，没有说话。", "风停了。")) == []


def test_a_single_sentence_stays_when_articles_may_stand_between() -> None:
    between = [f"第{number}家店铺卖的东西和别家不一样，掌柜的姓名也写在招牌上。" for number in "一二三四五六七八九十"]
    short = "镇长和几位老人一起走过新桥，并向修桥的工人们表示了衷心的感谢。"
    assert edits(page(short, *between, "集市散了。", short)) == []
    assert rules(page(short, *between[:3], short)) == {"duplicates.exact"}
    assert rules(page(BRIDGE + FERRY, *between, "集市散了。", BRIDGE + FERRY)) == {"duplicates.exact"}


def test_many_equal_paragraphs_become_one() -> None:
    assert cleaned("\n".join([BRIDGE] * 2_000)) == BRIDGE


def test_each_paragraph_is_compared_with_few_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many paragraphs are alike: the work grows in proportion to the text."""
    calls = 0
    compare = copies.compare

    def counted(page: PageText, earlier: int, later: int, shared: int, near: bool) -> copies.Removal | None:
        nonlocal calls
        calls += 1
        return compare(page, earlier, later, shared, near)

    monkeypatch.setattr(copies, "compare", counted)
    paragraphs = [f"第{number}天，{TEA}" for number in range(1_500)]
    assert edits("\n".join(paragraphs)) == []
    assert 0 < calls <= duplicate_candidates.COMPARED * len(paragraphs)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n" * 10_000,
        "，" * 100_000,
        "一" * 200_000,
        ("一" * 70_000 + "\n") * 3,
        "县里的老石桥" * 20_000,
        (BRIDGE + FERRY) * 2_000,
        "“" * 50_000 + BRIDGE + "”" * 50_000,
        "\x00\ud800" * 30 + "\n\n" + "\x00\ud800" * 30,
        "……" * 30_000 + "\n" + "……" * 30_000,
        "𠮷野家的老板说，" * 10 + "\n" + "𠮷野家的老板说，" * 10,
        "第一条 " * 20_000,
        "（一）" * 20_000 + "\n" + "（一）" * 20_000,
        "　" * 50 + "\n" + "　" * 50,
        "\u2003" * 30 + "\n\n" + "\u2003" * 30 + "\n\n桥" + "\u2003" * 30,
    ],
    ids=lambda text: repr(text[:8]),
)
def test_hostile_text(text: str) -> None:
    found = edits(text)
    after = apply(text, found)
    assert undo(after, found) == text


def test_clauses_are_found_wherever_they_stand() -> None:
    """Also behind the end of a chunk, and beside characters that take two code units."""
    filler = "".join(chr(0x4E00 + i % 5_000) + "，" for i in range(40_000))
    text = "𠮷县里的老石桥，\n" + filler + "\n县里的老石桥。𠮷县里的老石桥"
    found = duplicate_candidates.clauses(text)
    units = text.encode("utf-16-le")
    spans = zip(found.starts, found.ends, strict=True)
    assert [units[2 * a : 2 * b].decode("utf-16-le") for a, b in spans] == [
        "𠮷县里的老石桥",
        "县里的老石桥",
        "𠮷县里的老石桥",
    ]
    assert duplicate_candidates._ends_of_others(found).tolist() == [0, 2]
    assert list(duplicate_candidates._sharing(found)) == [(2, {0: 8})]


@given(st.lists(st.text("甲乙", min_size=5, max_size=10), max_size=40))
def test_only_the_same_clauses_are_shared(parts: list[str]) -> None:
    """However alike others begin and end."""
    shared = dict(duplicate_candidates._sharing(duplicate_candidates.clauses("\n".join(parts))))
    earlier = {i: [k for k in range(i) if parts[k] == part] for i, part in enumerate(parts)}
    expected = {i: {k: len(parts[i]) for k in (*of[:1], *of[1:][-2:])} for i, of in earlier.items() if of}
    assert shared == expected


@given(
    st.text("甲乙丙丁，", min_size=40, max_size=64), st.text("甲乙丙丁，", min_size=40, max_size=64), st.integers(0, 64)
)
def test_beginnings_are_compared_as_a_ratio_does(head: str, other: str, cut: int) -> None:
    for one in (other, head[:cut] + other[cut:], head[cut // 8 :] + other[:4], other[: cut // 8] + head):
        if abs(min(len(one), duplicate_candidates.HEAD) - len(head)) > duplicate_candidates.slack_of(len(head)):
            continue  # only lines of nearly the same length are asked about
        one = one[: duplicate_candidates.HEAD]
        assert duplicate_candidates.begin_alike(head, one) == (fuzz.ratio(head, one, score_cutoff=copies.ALIKE) > 0)


PIECES = st.sampled_from(
    (*FOUR, BRIDGE + TEA, FERRY[:30] + "。", "渡船", "　　", "", "第三条 出租人修桥。", "“来了。”", "12.5")
)


@given(st.lists(PIECES, max_size=14), st.sampled_from(["\n", "\n\n", "\n　　"]))
def test_edits_fit_and_a_second_pass_settles(paragraphs: list[str], gap: str) -> None:
    text = gap.join(paragraphs)
    for _ in range(4):
        found = edits(text)
        after = apply(text, found)
        assert undo(after, found) == text
        assert all(not edit.after and 0 <= edit.ref < len(text) for edit in found)
        if not found:
            break
        text = after
    assert edits(text) == []


@given(st.lists(PIECES, max_size=14))
def test_no_sentence_is_lost(paragraphs: list[str]) -> None:
    after = cleaned("\n\n".join(paragraphs))
    for sentence in "。".join(paragraphs).split("。"):
        assert sentence.strip("　“”") in after


@given(st.text(alphabet=st.sampled_from("桥船，。“”一二12\n　 "), max_size=400))
def test_random_text(text: str) -> None:
    found = edits(text)
    after = apply(text, found)
    assert undo(after, found) == text


def test_what_a_summary_repeats_stays() -> None:
    point = "一位守塔人说，灯塔的灯每七秒转一圈，五十年来从来没有停过一个晚上。"
    rest = "他的儿子在镇上开船，每个星期三送米和菜上岛，顺便带走写好的信。"
    days = "\n".join(f"第{n}天，海上起雾，岛上什么也看不见，只听见浪打在{n}号礁石上。" for n in "一二三四五六七")
    text = f"岛上的灯塔换了新灯\n划重点：\n{point}\n{rest}\n{days}\n{point}"
    assert list(duplicates.propose(text, Config())) == []
    assert list(duplicates.propose(text.replace("划重点：\n", ""), Config()))


SOME = st.lists(
    PIECES
    | st.sampled_from(["\u3000\u3000" + FERRY, " " * 12 + BRIDGE, "", "😀" + TEA, FERRY[:50] + "。", "\x1f" + FOUR[0]]),
    max_size=9,
)


@given(st.lists(SOME, min_size=repeats.FEWEST, max_size=2 * repeats.FEWEST), st.sampled_from(["\n", "\n\n"]))
@settings(deadline=None, max_examples=150)
def test_texts_are_looked_at_together_as_one_by_one(pages: list[list[str]], gap: str) -> None:
    texts = [gap.join(page) for page in pages]
    duplicate_candidates.previewed.clear()
    found = [duplicate_candidates.candidates(text)[1:] for text in texts]
    for text in texts:
        kinds.held(text)  # so that its look is remembered
    repeats.preview(texts)
    seen = {text for text in texts if text in duplicate_candidates.previewed}
    assert seen == {text for text in texts if "😀" not in text and " " * 12 not in text}
    assert [duplicate_candidates.candidates(text)[1:] for text in texts] == found
    repeats.preview([])
    assert not duplicate_candidates.previewed
