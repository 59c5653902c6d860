"""Bytes to text, and back to the same bytes."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cleaners import Config
from cleaners.encoding import Decoded, decode, encode

SIMPLIFIED = (
    "今天下午，几个学生在图书馆里讨论问题。\n"
    "老师说：“明天的考试不难，大家早点休息。”\n"
    "他们都觉得这本书写得很好，值得再读一遍。\n"
)
TRADITIONAL = (
    "今天下午，幾個學生在圖書館裡討論問題。\n"
    "老師說：「明天的考試不難，大家早點休息。」\n"
    "他們都覺得這本書寫得很好，值得再讀一遍。\n"
)
SEEDS = sorted((Path(__file__).parent.parent / "seeds").glob("*.txt"))


def decoded(raw: bytes, **choices: int) -> Decoded:
    """`decode`, and the promise that holds for all bytes."""
    result = decode(raw, Config(**choices))  # type: ignore[arg-type]
    assert encode(result.text, result.encoding) == raw
    return result


@pytest.mark.parametrize("path", SEEDS, ids=lambda path: path.name)
def test_seeds_are_clean_utf8(path: Path) -> None:
    raw = path.read_bytes()
    result = decoded(raw)
    assert result.text == raw.decode("utf-8")
    assert result.encoding == ("utf-8", 1.0, b"", ())
    assert result.quarantine is None


@pytest.mark.parametrize("codec", ["gbk", "gb18030", "utf-16-le", "utf-16-be", "hz", "utf-32"])
@pytest.mark.parametrize("length", [12, 30, len(SIMPLIFIED)])
def test_simplified(codec: str, length: int) -> None:
    text = SIMPLIFIED[:length]
    result = decoded(text.encode(codec))
    assert result.text == text
    assert result.quarantine is None


@pytest.mark.parametrize("codec", ["big5", "cp950", "big5hkscs", "gb18030", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("length", [12, 30, len(TRADITIONAL)])
def test_traditional(codec: str, length: int) -> None:
    text = TRADITIONAL[:length]
    result = decoded(text.encode(codec))
    assert result.text == text
    assert result.quarantine is None


def test_four_byte_characters_and_hong_kong_characters() -> None:
    text = "他姓㐂，名叫𠮷，住在㙟村，家里有很多书。"
    assert decoded(text.encode("gb18030")).text == text
    text = "佢哋喺茶樓飲茶，話嗰間嘢好食，聽日再嚟。"
    assert decoded(text.encode("big5hkscs")).text == text


@pytest.mark.parametrize(
    ("bom", "codec"),
    [
        (b"\xef\xbb\xbf", "utf-8"),
        (b"\xff\xfe", "utf-16-le"),
        (b"\xfe\xff", "utf-16-be"),
        (b"\xff\xfe\0\0", "utf-32-le"),
        (b"\0\0\xfe\xff", "utf-32-be"),
        (b"\x84\x31\x95\x33", "gb18030"),
    ],
)
def test_byte_order_marks(bom: bytes, codec: str) -> None:
    result = decoded(bom + SIMPLIFIED.encode(codec))
    assert result.text == SIMPLIFIED
    assert (result.encoding.name, result.encoding.bom) == (codec, bom)


@pytest.mark.parametrize("codec", ["gbk", "gb18030", "big5hkscs"])
def test_rare_characters_are_not_taken_for_damage(codec: str) -> None:
    text = "字典裡的字：\n鼷鼽齇龘\n鱻麤犇猋\n"
    result = decoded(text.encode(codec) + b"\n")
    assert result.text == text + "\n"


def test_lines_in_several_encodings() -> None:
    lines = SIMPLIFIED.splitlines(keepends=True) * 3
    raw = b"".join(line.encode(("utf-8", "gbk")[i % 2]) for i, line in enumerate(lines))
    result = decoded(raw)
    assert result.text == "".join(lines)
    assert result.quarantine is None
    assert result.encoding.exceptions


def test_encodings_change_inside_a_line() -> None:
    raw = "今天下午，".encode() + "几个学生在图书馆里".encode("gbk") + "讨论问题。\n".encode()
    assert decoded(SIMPLIFIED.encode() + raw).text == SIMPLIFIED + "今天下午，几个学生在图书馆里讨论问题。\n"


def test_big5_inside_utf8() -> None:
    raw = "今天下午，".encode() + "幾個學生在圖書館裡".encode("big5") + "討論問題。\n".encode()
    assert decoded(TRADITIONAL.encode() + raw).text == TRADITIONAL + "今天下午，幾個學生在圖書館裡討論問題。\n"


@pytest.mark.parametrize("codec", ["utf-8", "gbk", "utf-16-le"])
def test_cut_tail_is_one_lost_character(codec: str) -> None:
    text = SIMPLIFIED.rstrip()
    result = decoded(text.encode(codec)[:-1])
    assert result.text == text[:-1] + "\ufffd"
    assert [(span.start, span.end) for span in result.encoding.exceptions] == [(len(text) - 1, len(text))]
    assert result.quarantine is None


@pytest.mark.parametrize("codec", ["gbk", "utf-8"])
def test_cut_head_is_one_lost_character(codec: str) -> None:
    result = decoded(SIMPLIFIED.encode(codec)[1:])
    assert result.text == "\ufffd" + SIMPLIFIED[1:]


def test_stray_byte_in_a_character_of_utf8_is_one_loss() -> None:
    raw = SIMPLIFIED.encode()
    place = raw.index("图".encode()) + 2
    result = decoded(raw[:place] + b"\xff" + raw[place:])
    assert result.text == SIMPLIFIED.replace("图", "\ufffd")
    assert result.encoding.exceptions[0].raw == "图".encode()[:2] + b"\xff" + "图".encode()[2:]


def test_stray_byte_does_not_put_gbk_out_of_step() -> None:
    raw = SIMPLIFIED.encode("gbk")
    place = raw.index("图书".encode("gbk"))
    result = decoded(raw[:place] + b"\xff" + raw[place:])
    assert result.text == SIMPLIFIED.replace("图", "\ufffd图")


@pytest.mark.parametrize("codec", ["utf-8", "gbk"])
def test_nuls_stay_in_the_text(codec: str) -> None:
    raw = SIMPLIFIED.encode(codec).replace(b"\n", b"\0\0\0\n") + b"\0" * 40
    result = decoded(raw)
    assert result.text.replace("\0", "") == SIMPLIFIED
    assert result.quarantine is None


def test_ascii_in_utf16_is_no_ascii_with_nuls() -> None:
    assert decoded("plain English text\n".encode("utf-16-le")).text == "plain English text\n"


def test_declared_encoding_decides_close_cases() -> None:
    raw = b'<?xml version="1.0" encoding="BIG5"?>\n<title>' + "一".encode("big5")
    assert decoded(raw).encoding.name == "big5hkscs"


def test_several_byte_sequences_of_one_character_are_kept() -> None:
    raw = TRADITIONAL.encode("big5") + b"\xa2\xcc\xa2\xcd\n"  # two ways to write 十 and two of 卅 in Big5
    result = decoded(raw)
    assert result.text.startswith(TRADITIONAL)


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (b"", "empty"),
        (b" \r\n\t\0\0", "empty"),
        ("\ufeff\u3000\n".encode(), "empty"),
        (b"PK\x03\x04....", "binary"),
        (b"\x1f\x8b\x08...", "binary"),
        (b"\x28\xb5\x2f\xfd..", "binary"),
        (b"PAR1....PAR1", "binary"),
        (b"%PDF-1.7\n", "binary"),
        (b"\x89PNG\r\n\x1a\n", "binary"),
        (b"\x7fELF\x02\x01", "binary"),
        (b"RIFF\x10\0\0\0WEBPVP8 ", "binary"),
        (bytes(range(1, 32)) * 20, "binary"),
        ("これは日本語の文章です。昨日は天気がよかったので、散歩しました。".encode("shift_jis"), "undecodable"),
        ("Сегодня хорошая погода, поэтому мы гуляли в парке.".encode("koi8-r"), "undecodable"),
        (b"\xff" * 100, "undecodable"),
        ("日本語".encode("iso2022_jp"), "undecodable"),
    ],
)
def test_quarantine(raw: bytes, kind: str) -> None:
    result = decoded(raw)
    assert result.quarantine is not None
    assert result.quarantine.kind == kind
    assert result.quarantine.reason.endswith(".")
    assert len(result.quarantine.reason) > 40


def test_best_guess_is_named() -> None:
    for codec, text in (
        ("shift_jis", "これは日本語の文章です。昨日は天気がよかったので、散歩しました。"),
        ("euc_kr", "안녕하세요. 오늘은 날씨가 좋아서 공원을 산책했습니다."),
        ("cp1252", "Aujourd’hui il fait beau, nous nous sommes promenés à côté de la forêt."),
    ):
        quarantine = decoded(text.encode(codec)).quarantine
        assert quarantine is not None
        assert codec in quarantine.reason


def test_too_large() -> None:
    result = decoded(SIMPLIFIED.encode(), max_seed_bytes=20)
    assert result.quarantine is not None
    assert result.quarantine.kind == "too_large"
    assert "20" in result.quarantine.reason


def test_text_about_html_is_no_html() -> None:
    assert decoded("页面以 <html> 开头。".encode()).quarantine is None


def test_confidence_falls_with_damage() -> None:
    raw = SIMPLIFIED.encode("gbk") * 3
    assert decoded(raw).encoding.confidence > decoded(raw[1:]).encoding.confidence > 0


@settings(deadline=None, max_examples=60)
@given(st.binary(max_size=300))
@example(b"\xff\xfe\x00\xd8")
@example(b"\x81\x30\x81\x30\x80\xff")
@example(b"~{VPND~}~~")
def test_any_bytes_can_be_restored(raw: bytes) -> None:
    decoded(raw)


@settings(deadline=None, max_examples=40)
@given(st.text(alphabet="今天下午学生图书馆abc，。\n\0\x80é", max_size=60), st.data())
def test_damaged_text_can_be_restored(text: str, data: st.DataObject) -> None:
    codec = data.draw(st.sampled_from(["utf-8", "gb18030", "utf-16-le", "utf-16"]))
    raw = bytearray(text.encode(codec))
    for _ in range(data.draw(st.integers(0, 3))):
        raw.insert(data.draw(st.integers(0, len(raw))), data.draw(st.integers(0, 255)))
    decoded(bytes(raw))


def test_hostile_bytes_are_read_in_linear_time() -> None:
    noise = random.Random(1).randbytes(200_000)
    for raw in (b"\xff" * 300_000, b"\x81" * 300_001, noise, b"\xe4\xbd" * 100_000, b"\0" * 300_000 + b"a"):
        decoded(raw)
