"""Settling: a cleaner that found nothing is asked again only when what it looks at has changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleaners import PIPELINE, Cleaner, Config, Draft, Edit, Stopwatch, advance_all, apply, layout, settle_all
from cleaners.ignored import BLANK_LINES, INDENTS, LINES, MARGINS, are_lines

SEEDS = Path(__file__).parent.parent / "seeds"
ROWS = [
    *(
        line.strip()
        for path in sorted(SEEDS.glob("*.txt"))
        for line in path.read_text("utf-8").split("\n")
        if line.strip()
    ),
    *(
        "首页 新闻 财经 体育 娱乐",
        "登录 注册",
        "打印 纠错",
        "相关阅读",
        "分享到：微信 微博",
        "2019",
        "09/28",
        "10:20",
        "返回顶部",
    ),
    *(
        "来源：山河日报",
        "2020年1月2日 10:20 来源：江东晚报",
        "责任编辑：周桐",
        "本报记者 周桐",
        "1",
        "2",
        "·",
        "一.",
        "# 标题",
    ),
    *(
        "he said , no",
        "\ufeff好",
        "e\u0301",
        "\u200d",
        "好\u200d",
        "ä½\xa0å¥½",
        "Ã¤",
        "&amp;",
        "\\u4f60\\u597d\\u4f60\\u597d",
        "\u2f3e",
    ),
    *(
        "他说,",
        "“好",
        "好”",
        ",好",
        "?",
        "...",
        "。",
        "- 一项",
        "浣犲ソ涓栫晫",
        'print("a", 1)',
        "（完）",
        "a,b",
        "他 说",
        "https://a.b/c,d",
    ),
]
GAPS = {
    BLANK_LINES: st.sampled_from(["\n", "\n\n", "\n\n\n\n"]),
    INDENTS: st.text("\n \t\u3000", max_size=5).map("\n{}".format),
    MARGINS: st.text("\n \t\u3000", max_size=5).map("{}\n".format),
}
BEFORE = {
    BLANK_LINES: st.just(""),
    INDENTS: st.text(" \t\u3000", max_size=4),
    MARGINS: st.text(" \t\u3000", max_size=4),
}
LOOKING = [cleaner for cleaner in PIPELINE if cleaner.ignores]


def _text(choices: st.DataObject, ignores: str) -> str:
    """Lines with gaps that differ in nothing but what is ignored from those that `layout` leaves."""
    lines = choices.draw(st.lists(st.sampled_from(ROWS), max_size=8))
    return choices.draw(BEFORE[ignores]) + "".join(line + choices.draw(GAPS[ignores]) for line in lines)


@pytest.mark.parametrize("cleaner", LOOKING, ids=[cleaner.name for cleaner in LOOKING])
@given(choices=st.data())
@settings(max_examples=150, deadline=None)
def test_what_a_cleaner_ignores_does_not_matter_to_it(cleaner: Cleaner, choices: st.DataObject) -> None:
    text = _text(choices, cleaner.ignores)
    # as long as it finds anything, it is asked again
    for _ in range(20):
        edits = list(cleaner.propose(text, Config()))
        text = apply(text, edits)
        if not edits:
            break
    else:
        return
    laid_out = apply(text, layout.propose(text, Config()))
    assert list(cleaner.propose(laid_out, Config())) == []


def _answer(cleaner: Cleaner, text: str) -> str | None:
    """What a cleaner returns that finds nothing; None when it finds something."""
    try:
        next(cleaner.propose(text, Config()))
    except StopIteration as end:
        return end.value or ""
    return None


TELLING = {"mojibake": MARGINS + LINES, "punctuation": INDENTS, "line_splits": MARGINS}


@pytest.mark.parametrize("cleaner", [cleaner for cleaner in PIPELINE if cleaner.name in TELLING], ids=[*TELLING])
@given(choices=st.data())
@settings(max_examples=300, deadline=None)
def test_what_an_answer_says_does_not_matter(cleaner: Cleaner, choices: st.DataObject) -> None:
    ignores = TELLING[cleaner.name]
    text = _text(choices, ignores.removesuffix(LINES))
    answer = _answer(cleaner, text) or ""
    if answer.removesuffix(LINES):
        assert answer == ignores
        laid_out = apply(text, layout.propose(text, Config()))
        assert list(cleaner.propose(laid_out, Config())) == []
    if LINES in answer:
        left = "".join(line for line in text.splitlines(keepends=True) if choices.draw(st.booleans()))
        assert list(cleaner.propose(left, Config())) == []


def test_cleaners_tell_more_of_some_texts_only() -> None:
    byline = "本报记者 王芳\n\n实习生 李明\n"
    for name, text in zip(TELLING, ("Ã¤ 好", "好 , 一", byline), strict=True):
        cleaner = next(cleaner for cleaner in PIPELINE if cleaner.name == name)
        assert _answer(cleaner, "今天天气很好。\n") == TELLING[name]
        assert _answer(cleaner, text) in (None, "", LINES)
    assert {cleaner.name for cleaner in PIPELINE if _answer(cleaner, "今天天气很好。")} == set(TELLING)


def test_every_kind_of_gap_is_tried() -> None:
    said = {cleaner.ignores for cleaner in LOOKING} | {ignores.removesuffix(LINES) for ignores in TELLING.values()}
    assert said == set(GAPS)


@given(st.lists(st.sampled_from(["好", "喃好", ""]), max_size=6), st.data())
def test_edits_of_whole_lines_are_told_from_others(lines: list[str], choices: st.DataObject) -> None:
    text = "".join(line + "\n" for line in lines)
    cuts = sorted(choices.draw(st.sets(st.integers(0, len(text)))))
    edits = [Edit(a, text[a:b], "", "test.edit") for a, b in pairwise(cuts) if choices.draw(st.booleans())]
    gone = {place for edit in edits for place in range(edit.start, edit.end)}
    places = accumulate((len(line) + 1 for line in lines), initial=0)
    spans = [set(range(place, place + len(line) + 1)) for place, line in zip(places, lines, strict=False)]
    assert are_lines(text, edits) == all(span <= gone or not span & gone for span in spans)


def test_an_edit_that_puts_something_in_is_none_of_lines() -> None:
    assert are_lines("好\n", [Edit(0, "好\n", "", "test.edit")])
    assert not are_lines("好\n", [Edit(0, "好\n", "坏\n", "test.edit")])
    assert not are_lines("好\n", [Edit(0, "", "坏\n", "test.edit")])


class Asked:
    """A cleaner that finds nothing, and counts how often it is asked."""

    def __init__(self) -> None:
        self.times = 0

    def propose(self, text: str, config: Config) -> Iterator[Edit]:
        self.times += 1
        yield from ()


def _times(raw: str, ignores: str, others: tuple[Cleaner, ...]) -> int:
    asked = Asked()
    pipeline = (Cleaner("asked", asked.propose, ignores), *others)
    draft = Draft(raw.encode(), "a.txt", Config())
    for cleaner in pipeline:
        draft.advance(cleaner, Config())
    assert draft.settle(Config(), pipeline)
    return asked.times


LAYOUT = PIPELINE[-1]


def test_a_cleaner_that_ignores_blank_lines_is_asked_once() -> None:
    assert _times("桥修好了。\n路也通了。\n", "\n", (LAYOUT,)) == 1


def test_a_cleaner_that_looks_at_blank_lines_is_asked_again() -> None:
    assert _times("桥修好了。\n路也通了。\n", "", (LAYOUT,)) == 2


def test_a_cleaner_that_ignores_blank_lines_only_is_asked_again_when_indents_went() -> None:
    assert _times("　　桥修好了。\n　　路也通了。", BLANK_LINES, (LAYOUT,)) == 2
    assert _times("　　桥修好了。\n　　路也通了。", INDENTS, (LAYOUT,)) == 1


def test_a_cleaner_that_ignores_indents_only_is_asked_again_when_space_behind_lines_went() -> None:
    for text in ("桥修好了。　\n路也通了。", "桥修好了。\n路也通了。　"):
        assert _times(text, INDENTS, (LAYOUT,)) == 2
        assert _times(text, MARGINS, (LAYOUT,)) == 1


def test_a_cleaner_that_ignores_lines_is_asked_once_when_one_goes() -> None:
    taking = Cleaner("taking", lambda text, config: iter([Edit(0, "路。\n", "", "t.t")] if text[0] == "路" else []))
    assert _times("路。\n桥。", LINES, (taking,)) == 1
    assert _times("路。\n桥。", MARGINS, (taking,)) == 2


def test_a_cleaner_is_asked_again_when_another_one_changed_the_text() -> None:
    others = (next(cleaner for cleaner in PIPELINE if cleaner.name == "punctuation"), LAYOUT)
    assert _times("桥修好了,路也通了。\n人来了。", "\n \t\u3000", others) == 2


@given(st.text("\n \t\u3000\x85好。", max_size=40))
def test_layout_finds_nothing_in_what_it_left(text: str) -> None:
    once = apply(text, layout.propose(text, Config()))
    assert list(layout.propose(once, Config())) == []


@given(st.lists(st.text("一1a", max_size=6), max_size=5), st.integers(1, 8))
def test_many_documents_settle_as_each_of_them_does(texts: list[str], rounds: int) -> None:
    """With cleaners that open the way for one before them: a character goes at a time."""

    def taking(char: str, behind: str) -> Cleaner:
        def propose(text: str, config: Config) -> Iterator[Edit]:
            if text.startswith(char) and text[1:2] in behind:
                yield Edit(0, char, "", "taking.char")

        return Cleaner(f"taking_{char}", propose)

    pipeline = (taking("一", "1"), taking("1", "a一"), taking("a", "一1a"))
    config = Config(max_rounds=rounds)
    alone, together = ([Draft(f"{text}好".encode(), "a.txt", config) for text in texts] for _ in range(2))
    for draft in (*alone, *together):
        draft.advance(pipeline[0], config)
    unsettled = {i for i, draft in enumerate(alone) if not draft.settle(config, pipeline)}
    watch = Stopwatch()
    assert settle_all(together, config, pipeline, lambda some: ((draft, watch) for draft in some)) == unsettled
    assert [draft.text for draft in together] == [draft.text for draft in alone]
    assert [draft.trail for draft in together] == [draft.trail for draft in alone]


def test_a_cleaner_is_shown_the_texts_that_it_is_asked_about_and_may_fail_on_them() -> None:
    shown: list[list[str]] = []

    def preview(texts: Sequence[str]) -> None:
        shown.append(list(texts))
        if any("伞" in text for text in texts):
            raise ValueError("伞")

    def propose(text: str, config: Config) -> Iterator[Edit]:
        if "伞" in text:
            raise ValueError("伞")
        if text.startswith("雨"):
            yield Edit(0, "雨", "", "own.rain")

    def turns(drafts: Sequence[Draft]) -> Iterator[tuple[Draft, Stopwatch]]:
        return ((draft, Stopwatch()) for draft in drafts)

    own = Cleaner("own", propose, preview=preview)
    drafts = [Draft(text.encode(), text, Config()) for text in ("雨停", "伞开", "河水")]
    assert advance_all(drafts, own, Config(), turns) == [1, 0, 0]
    assert shown == [["雨停", "伞开", "河水"], []]
    assert [draft.quarantine.kind if draft.quarantine else "" for draft in drafts] == ["", "cleaner_failed", ""]
    assert not settle_all(drafts, Config(), (own,), turns)
    assert shown[2:] == [["停"]]  # the others found nothing, or are in quarantine
