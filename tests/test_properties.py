"""What must hold of every text: reversible, stable, nothing lost, nothing invented."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import cleaners
from cleaners import PIPELINE, Cleaner, Config, Document, Draft, Edit, clean

SEEDS = sorted((Path(__file__).parent.parent / "seeds").glob("*.txt"))
CASES = sorted((Path(__file__).parent / "cases").rglob("*.txt"))
# pieces that the cleaners react to, so that random text reaches their code
WORDS = """
中文 句子 老年人、 他说: “引用” ‘内’ "直引号" , ， 。 . ... …… —— -- (注) （注） 1,000 12:30 3.5% v1.2 words. 锟斤拷
http://a.cn/b?c=1 ÄãºÃ ä½\x20å¥½ 浣犲ソ &amp; &nbsp; \\u4e2d ⑮ ＡＢＣ １２ 手机版 打印 来源:新华社 责任编辑:王某
发布时间:2014年03月04日 记者 李某 □张三 ■专栏 1 • 一、 第一条 😀 臺灣 ｶﾅ 相关文档:
一二三四五六七八九十一二三四五六七八九十
"""
INVISIBLE = [
    "\r\n",
    " ",
    "  ",
    "\u3000",
    "\u00a0",
    "\n",
    "\n\n",
    "\r\n",
    "\u200b",
    "\ufeff",
    "\u202e",
    "\ufffd",
    "\u2f00",
    "\0",
]
PIECES = [*WORDS.split(), *INVISIBLE, "\ud800"]
TEXTS = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=8)), max_size=40).map("".join)


def encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def check(document: Document, text: str) -> None:
    assert document.original() == text
    reached: set[int] = set()
    for place in range(len(document.text)):
        start, end = document.seed_span(place, place + 1)
        assert 0 <= start <= end <= len(text)
        reached.update(range(start, end))
    edited: set[int] = set()
    for place in range(len(text)):
        if place not in reached:
            low, high = document.text_span(place, place + 1)
            assert 0 <= low <= high <= len(document.text)
            edited.add(place)
    removed = sum(len(e.before) for one in document.trail for e in one.edits)
    assert len(edited) <= removed
    for paragraph in document.paragraphs:
        assert document.text[paragraph.start : paragraph.end] == paragraph.text
    assert "\n\n".join(p.text for p in document.paragraphs) == document.text
    for flag in document.flags:
        assert 0 <= flag.start <= flag.end <= len(document.text)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(TEXTS)
def test_random_text(text: str) -> None:
    try:
        raw = text.encode()
    except UnicodeEncodeError:
        raw = encoded(text)
    document = clean(raw)
    if document.quarantine is None:
        check(document, document.original())
        again = clean(document.text.encode("utf-8", "surrogatepass"))
        if again.quarantine is None:
            assert again.text == document.text
        else:
            assert not document.text.strip() or "\ufffd" in document.text


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_random_bytes_never_raise(raw: bytes) -> None:
    document = clean(raw)
    assert document.quarantine is not None or document.original() is not None


@pytest.mark.parametrize("path", [*SEEDS, *CASES], ids=lambda p: p.name)
def test_files(path: Path) -> None:
    document = clean(path.read_bytes())
    if document.quarantine is None:
        check(document, path.read_bytes().decode("utf-8").removeprefix("\ufeff"))


@pytest.mark.parametrize("path", SEEDS, ids=lambda p: p.name)
@pytest.mark.parametrize("number", range(6))
def test_damaged_seeds(path: Path, number: int) -> None:
    """Lines of the seeds, shuffled, cut, doubled, with other line ends."""
    choose = random.Random(f"{path.name} {number}")
    lines = [line for line in path.read_text("utf-8").split("\n") if line.strip()]
    choose.shuffle(lines)
    lines = lines[: choose.randrange(2, 14)]
    place = choose.randrange(len(lines))
    line = lines[place]
    cut = choose.randrange(len(line) + 1)
    lines[place : place + 1] = [line[:cut], line[cut:]]
    lines.append(choose.choice(lines))
    text = choose.choice(["\n", "\n\n", "\r\n", "\n\u3000\u3000"]).join(lines)
    document = clean(text.encode())
    assert document.quarantine is None
    check(document, text)
    assert clean(document.text.encode()).text == document.text


def test_content_is_kept() -> None:
    """Letters and digits that leave the text leave it by a rule that removes: chrome, metadata, duplicates."""
    for path in SEEDS:
        document = clean(path.read_bytes())
        for one in document.trail:
            if one.cleaner in ("punctuation", "layout", "line_splits", "characters", "mojibake"):
                gone = sorted("".join(c for e in one.edits for c in e.before if c.isalnum()))
                come = sorted("".join(c for e in one.edits for c in e.after if c.isalnum()))
                assert gone == come, f"{path.name}: {one.cleaner}"


def test_the_configuration_is_checked() -> None:
    with pytest.raises(ValueError, match="no cleaner chromium"):
        clean(b"", config=Config(cleaners=("chromium",)))
    with pytest.raises(ValueError, match="script"):
        Config(script="t2x")


def test_only_the_chosen_cleaners_run() -> None:
    document = clean(SEEDS[0].read_bytes(), config=Config(cleaners=("layout",)))
    assert {one.cleaner for one in document.trail} == {"layout"}


def broken(text: str, config: Config) -> Iterator[Edit]:
    yield Edit(0, "not what stands there", "", "broken.rule")


def restless(text: str, config: Config) -> Iterator[Edit]:
    yield Edit(len(text), "", "。", "restless.rule")


def test_a_cleaner_that_fails_puts_its_document_in_quarantine() -> None:
    draft = Draft("县里修好了一座桥。".encode(), "a.txt", Config())
    assert draft.advance(Cleaner("broken", broken), Config()) == 0
    document = draft.finish(Config())
    assert document.quarantine is not None
    assert document.quarantine.kind == "cleaner_failed"
    assert "--skip" not in document.quarantine.reason  # which a flow of one's own does not have
    assert "leave it out of the flow's pipeline" in document.quarantine.reason
    assert document.original() == "县里修好了一座桥。"


def test_a_cleaner_of_the_pipeline_that_fails_can_be_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    failing = PIPELINE[-1]._replace(propose=broken)
    monkeypatch.setattr(cleaners, "PIPELINE", (failing,))
    draft = Draft("县里修好了一座桥。".encode(), "a.txt", Config())
    draft.advance(failing, Config())
    document = draft.finish(Config())
    assert document.quarantine is not None
    assert f"--skip {failing.name}" in document.quarantine.reason


def test_a_text_that_never_settles_is_flagged() -> None:
    pipeline = (Cleaner("restless", restless),)
    draft = Draft("县里修好了一座桥。".encode(), "a.txt", Config(max_rounds=3))
    draft.advance(pipeline[0], Config(max_rounds=3))
    assert not draft.settle(Config(max_rounds=3), pipeline)
    assert "unsettled" in [flag.kind for flag in draft.finish(Config(max_rounds=3), settled=False).flags]
