"""Misread characters, escapes, and what cannot be repaired."""

from __future__ import annotations

from pathlib import Path

import pytest
from ftfy import badness
from hypothesis import given, settings
from hypothesis import strategies as st
from spying import spy_on

from cleaners import Config, Edit, apply, misread_lines, mojibake, undo
from cleaners.mojibake import propose, residue

SIMPLIFIED = "今天下午，几个学生在图书馆里讨论问题，他们都觉得这本书写得很好。"
TRADITIONAL = "今天下午，幾個學生在圖書館裡討論問題，他們都覺得這本書寫得很好。"
BEFORE, AFTER = "第一段是完好的。\n\n", "\n\n最后一段也是完好的。"
SEEDS = sorted((Path(__file__).parent.parent / "seeds").glob("*.txt"))


def edits(text: str) -> list[Edit]:
    found = list(propose(text, Config()))
    assert undo(apply(text, found), found) == text
    return found


def repaired(text: str) -> str:
    return apply(text, edits(text))


def rules(text: str) -> set[str]:
    return {edit.rule.removeprefix("mojibake.") for edit in edits(text)}


def cp1252(raw: bytes) -> str:
    """As browsers read it."""
    return "".join(bytes([byte]).decode("cp1252", "ignore") or chr(byte) for byte in raw)


MISREAD = {
    "utf8_as_cp1252": (SIMPLIFIED, cp1252(SIMPLIFIED.encode())),
    "utf8_as_cp1252 (Latin 1)": (SIMPLIFIED, SIMPLIFIED.encode().decode("latin-1")),
    "utf8_as_cp1252 (Traditional)": (TRADITIONAL, cp1252(TRADITIONAL.encode())),
    "gbk_as_cp1252": (SIMPLIFIED, cp1252(SIMPLIFIED.encode("gbk"))),
    "gbk_as_cp1252 (Latin 1)": (SIMPLIFIED, SIMPLIFIED.encode("gb18030").decode("latin-1")),
    "big5_as_cp1252": (TRADITIONAL, cp1252(TRADITIONAL.encode("big5"))),
    "utf8_as_gbk": (SIMPLIFIED + "再见", (SIMPLIFIED + "再见").encode().decode("gb18030", "replace")),
    "big5_as_gbk": (TRADITIONAL, TRADITIONAL.encode("big5").decode("gb18030")),
    "gbk_as_big5": ("他们都觉得这件事情非常重要", "他们都觉得这件事情非常重要".encode("gbk").decode("big5", "replace")),
}


@pytest.mark.parametrize("name", MISREAD)
def test_paragraph_alone_and_among_others(name: str) -> None:
    good, bad = MISREAD[name]
    rule = name.split(" ")[0]
    for before, after in (("", ""), (BEFORE, AFTER)):
        text = before + bad + after
        found = repaired(text)
        assert found.replace("\ufffd", "").startswith(before + good[:8])
        assert sum(a != b for a, b in zip(found, before + good + after, strict=False)) <= 2
        assert {one.removesuffix("_guessed") for one in rules(text)} == {rule}
        assert not edits(found)


@pytest.mark.parametrize("name", ["utf8_as_cp1252", "gbk_as_cp1252", "big5_as_cp1252"])
def test_span_inside_a_line(name: str) -> None:
    good, bad = MISREAD[name]
    assert repaired(f"他说：{bad}，然后走了。") == f"他说：{good}，然后走了。"


def test_misread_twice_is_one_edit() -> None:
    text = BEFORE + cp1252(cp1252(SIMPLIFIED.encode()).encode()) + AFTER
    found = edits(text)
    assert apply(text, found) == BEFORE + SIMPLIFIED + AFTER
    assert [edit.rule for edit in found] == ["mojibake.utf8_as_cp1252_twice"]


def test_lines_misread_twice_are_searched_together(monkeypatch: pytest.MonkeyPatch) -> None:
    searched = spy_on(monkeypatch, mojibake, "best_repairs")
    lines = [f"{SIMPLIFIED[i:]}{SIMPLIFIED[:i]}" for i in range(len(SIMPLIFIED))]
    misread = [line.encode().decode("cp1252", "replace").encode().decode("cp1252", "replace") for line in lines]
    assert edits("\n".join(misread))
    assert len(searched) < len(lines)


def test_lost_bytes_are_guessed_and_say_so() -> None:
    bad = SIMPLIFIED.encode().decode("gbk", "replace")
    assert "\ufffd" in bad
    found = edits(bad)
    guessed = [edit for edit in found if edit.rule == "mojibake.utf8_as_gbk_guessed"]
    assert guessed
    assert all("\ufffd" in edit.before or "\ufffd" not in edit.after for edit in guessed)
    sure = [edit for edit in found if edit.rule == "mojibake.utf8_as_gbk"]
    assert all(char in SIMPLIFIED + "\ufffd" for edit in sure for char in edit.after)


def test_dropped_bytes_are_guessed_and_say_so() -> None:
    bad = SIMPLIFIED.encode().decode("cp1252", "ignore")
    assert bad != cp1252(SIMPLIFIED.encode())
    assert rules(bad) == {"utf8_as_cp1252", "utf8_as_cp1252_guessed"}
    assert repaired(bad) == SIMPLIFIED


def test_what_cannot_be_known_stays_lost() -> None:
    bad = "他们觉得".encode() + "书".encode()[:1] + "和图书馆里的学生".encode()
    found = repaired(cp1252(bad))
    assert "\ufffd" in found
    assert found.startswith("他们觉得")
    assert found.endswith("和图书馆里的学生")


def test_other_languages_are_left_to_ftfy() -> None:
    assert repaired("La forÃªt brÃ»le Ã\xa0 cÃ´tÃ© du chÃ¢teau.") == "La forêt brûle à côté du château."
    assert rules("La forÃªt brÃ»le.") == {"ftfy"}


@pytest.mark.parametrize("path", SEEDS, ids=lambda path: path.name)
def test_seeds_hold_none(path: Path) -> None:
    text = path.read_text("utf-8")
    assert not edits(text)
    assert not list(residue(text))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("&#20170;&#22825;", "今天"),
        ("&#x4eca;&#X5929;", "今天"),
        ("&#20170&#22825&#19979", "今天下"),
        ("甲&nbsp;乙", "甲\xa0乙"),
        ("甲&amp;nbsp;乙", "甲\xa0乙"),
        ("甲&amp;amp;#20170;乙", "甲今乙"),
        ("利润&gt;0", "利润>0"),
        ("&ldquo;好&rdquo;&hellip;&mdash;", "“好”…—"),
        ("表情&#128512;", "表情😀"),
        ("&#147;好&#148;", "“好”"),
    ],
)
def test_entities(before: str, after: str) -> None:
    assert repaired(before) == after
    assert rules(before) == {"html_entity"}


@pytest.mark.parametrize(
    "text",
    [
        "http://example.com/?a=1&copy=2&lt=3",
        "R&D; 部门",
        "AT&T 和 Q&A",
        "用“&nbsp;”表示空格",
        "<b>粗体用&lt;b&gt;表示</b>",
        "&#55357;&#1114112;&#xd800;",
        "&nosuchname;",
        "&#38",
    ],
)
def test_what_only_looks_like_an_entity(text: str) -> None:
    assert not edits(text)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("\\u4eca\\u5929\\u4e0b\\u5348", "今天下午"),
        ("%u4eca%u5929%u4e0b%u5348", "今天下午"),
        ('{"t": "\\u4eca\\u5929", "s": "\\u4e0b\\u5348"}', '{"t": "今天", "s": "下午"}'),
        ("\\u4eca\\u5929\\ud83d\\ude00", "今天😀"),
    ],
)
def test_escapes(before: str, after: str) -> None:
    assert repaired(before) == after
    assert rules(before) == {"unicode_escape"}


@pytest.mark.parametrize(
    "text",
    [
        "[\\u4e00-\\u9fa5]{2,}",
        "“中”是\\u4e2d。",
        "C:\\users\\u4e2d",
        "\\u4eca\\u5929\\ud83d\\ud83d",
        "\\u0000\\u0001\\u0002\\u0003",
    ],
)
def test_escapes_that_are_spoken_about_stay(text: str) -> None:
    assert not edits(text)


def test_residue() -> None:
    text = "甲锟斤拷锟斤拷乙\ufffd丙\ue123丁烫烫烫烫"
    assert [(text[a:b], what) for a, b, what in residue(text)] == [
        ("锟斤拷锟斤拷", "mojibake_residue"),
        ("\ufffd", "lost_characters"),
        ("\ue123", "private_use"),
        ("烫烫烫烫", "mojibake_residue"),
    ]
    assert not edits(text)
    assert not list(residue("他被烫了一下，好烫烫手。斤斤计较，拷问灵魂。"))


SEASON = "河边的柿子熟了，村里的孩子们放学以后都去摘，老人坐在门口看着，笑着说今年的收成比去年好得多。"


@pytest.mark.parametrize("mark", "?？")
def test_misread_text_whose_lost_bytes_are_question_marks(mark: str) -> None:
    """No repair can be sure of it, but it is told."""
    line = SEASON.encode().decode("big5", "replace").replace("\ufffd", mark)
    text = f"第一段没有问题。\n{line}\n最后一段也没有问题。"
    (start, end, what), *more = residue(text)
    assert what == "mojibake_residue"
    assert text.index("\n") < start < end <= text.rindex("\n")
    assert all(text.index("\n") < start < text.rindex("\n") for start, _, _ in more)


def test_what_is_told_already_is_not_told_once_more() -> None:
    text = "餈??踹??\ufffd??啁??萄??"
    assert [what for _, _, what in residue(text)] == ["lost_characters"]


@pytest.mark.parametrize(
    "text",
    [
        "真的吗？？你说什么？？他到底去哪了？？",
        "龘是什么字？？靐呢？？",
        "餈是什么字？？踹是什么？？啁又是什么？？",
        "谜底：饕餮？？貔貅？？",
        "饕??\n餮??\n貔??\n貅??",
        "？？？？？？？？？？",
        "他问：魑？魅？魍？魉？",
    ],
)
def test_question_marks_of_an_author(text: str) -> None:
    assert not list(residue(text))


@settings(deadline=None, max_examples=60)
@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=60))
def test_any_text(text: str) -> None:
    edits(text)
    list(residue(text))


@settings(deadline=None, max_examples=60)
@given(st.text(alphabet="今天下午学生图书馆讨论问题，。“”abc 12", min_size=0, max_size=60))
def test_clean_text_stays(text: str) -> None:
    assert not edits(text)


def test_hostile_texts_are_read_in_linear_time() -> None:
    for text in (
        "é" * 100_000,
        "Ã©" * 50_000,
        "\ufffd" * 100_000,
        "&amp;" * 30_000,
        "&#" * 100_000,
        "\\u" * 100_000,
        "龘??" * 50_000,
        "龘" + "?" * 100_000,
    ):
        edits(text)
        list(residue(text))


FOREIGN = sorted({char for char in badness.BADNESS_RE.pattern if char >= "\x80"})


@given(st.text(st.sampled_from([*FOREIGN, *FOREIGN, *" \x81aZ7,.\n\u3000好的，。“”"]), max_size=6))
def test_what_ftfy_takes_for_damage_is_put_to_its_test(text: str) -> None:
    assert mojibake.MAY_BE_BAD.search(text) or not badness.is_bad(text)


def _pages() -> list[str]:
    good = [SIMPLIFIED + str(number) for number in range(30)]
    lossy = [line.encode().decode("gb18030", "replace") for line in good]
    latin = [cp1252(line.encode()) for line in good[:9]]
    vain = [f"龘靐{lossy[0][:4]}{number}" for number in range(40)]
    pages = [
        good,
        lossy,
        latin + good[:3],
        vain,
        vain + lossy[:20],
        [*lossy[:5], "&#20013;", "caf\u00c3\u00a9"],
        lossy * 40,
    ]
    return ["\n".join(page) for page in [*pages, lossy[5:6]]]


@pytest.mark.parametrize("fruitless", [10_000, 300])
def test_texts_that_were_previewed_get_the_same_edits(monkeypatch: pytest.MonkeyPatch, fruitless: int) -> None:
    for module in (misread_lines, mojibake):
        monkeypatch.setattr(module, "MOST_FRUITLESS", fruitless)
    pages = _pages()
    mojibake.preview([])
    alone = [edits(page) for page in pages]
    mojibake.preview(pages)
    previewed = [page in mojibake._previewed for page in pages]
    assert [edits(page) for page in pages] == alone
    assert previewed == [True, True, True, fruitless > 300, fruitless > 300, True, True, True]
    assert not mojibake._previewed


def test_a_preview_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mojibake, "MOST_PREVIEWED", 5_000)
    pages = _pages()
    mojibake.preview(pages)
    assert pages[1] in mojibake._previewed
    assert pages[-1] not in mojibake._previewed
    mojibake.preview([])
    assert not mojibake._previewed
