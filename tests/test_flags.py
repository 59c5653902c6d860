"""Flags: damage that is seen but not repaired, with its place."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleaners import Document, clean, flags, quotes

BODY = "县图书馆上周把三楼改成了自习室，添了四十张桌子，放学以后座位很快就坐满了，靠窗的位子最受欢迎。"
OTHER = "入冬以后，自习室装上了暖气，窗户也换成了双层玻璃，几位退休教师轮流在门口值班，给孩子们看作业。"


def kinds(document: Document) -> list[str]:
    return [flag.kind for flag in document.flags]


def test_every_undecodable_byte_has_a_flag_at_its_place() -> None:
    raw = BODY.encode()[:30] + b"\xff" + BODY.encode()[30:90] + b"\xfe" + BODY.encode()[90:]
    document = clean(raw)
    assert document.quarantine is None
    assert kinds(document) == ["undecodable_bytes", "undecodable_bytes"]
    for flag, byte in zip(document.flags, ("ff", "fe"), strict=True):
        assert document.text[flag.start : flag.end] == "\ufffd"
        assert byte in flag.note


def test_flags_follow_their_place_through_the_edits() -> None:
    raw = "手机版\n\n".encode() + BODY.replace("，", ",").encode() + b"\n\n" + b"\xff" + OTHER.encode()
    document = clean(raw)
    flag = next(flag for flag in document.flags if flag.kind == "undecodable_bytes")
    assert document.text[flag.start : flag.end] == "\ufffd"


def test_lost_characters() -> None:
    document = clean("会议要求把“”字贯穿始终，把《》一文印发各单位学习，限期一个月完成。".encode())
    assert kinds(document) == ["lost_characters", "lost_characters"]
    assert [document.text[f.start : f.end] for f in document.flags] == ["“”", "《》"]


def test_replacement_characters_of_the_seed_itself() -> None:
    document = clean(f"{BODY[:20]}\ufffd\ufffd{BODY[20:]}".encode())
    assert kinds(document) == ["lost_characters"]


def test_mojibake_that_cannot_be_repaired() -> None:
    document = clean(f"{BODY}\n\n锟斤拷锟斤拷烫烫烫烫，{BODY[8:]}".encode())
    assert "mojibake_residue" in kinds(document)


def test_misread_text_whose_lost_bytes_became_question_marks() -> None:
    misread = BODY.encode().decode("big5", "replace").replace("\ufffd", "?")
    document = clean(f"{BODY}\n\n{misread}\n\n{BODY[8:]}".encode())
    (flag,) = [flag for flag in document.flags if flag.kind == "mojibake_residue"]
    assert document.text[flag.start : flag.end] in document.text.split("\n\n")[1]


def test_unbalanced() -> None:
    document = clean(f"馆长说：“{BODY}（截至本周\n\n{BODY[6:]}".encode())
    assert {"unbalanced_quotes", "unbalanced_brackets"} <= set(kinds(document))


def test_sound_text_has_no_flags() -> None:
    document = clean(f"馆长说：“{BODY}”\n\n（图书馆供稿）".encode())
    assert document.flags == ()


@given(st.text("\"'()（）“”《》[]{}甲a", max_size=12))
@settings(max_examples=2_000, deadline=None)
def test_what_is_balanced_at_a_glance_has_no_mark_without_a_partner(text: str) -> None:
    assert not (flags._is_balanced(text) and quotes.unbalanced(text))


@pytest.mark.parametrize("text", ['"甲"，"乙"', '{"甲": ["乙"]}', '"甲（乙）"'])
def test_straight_marks_that_take_turns_are_balanced_at_a_glance(text: str) -> None:
    assert flags._is_balanced(text)
    assert not flags._is_balanced(text + '"')
