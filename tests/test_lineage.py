"""Lineage: clean text to the seed's characters and bytes and back, in Python and in SQL."""

from __future__ import annotations

import random
import re
from pathlib import Path

import duckdb
import pytest
from corpus_samples import build, cleaned, random_trail
from hypothesis import given
from hypothesis import strategies as st
from running import SEEDS

from cleaners import Document, Encoding, Seed, clean
from cleaners.document import ByteSpan
from cleaners.encoding import encode
from corpus.lineage import Lineage
from corpus.store import Store

ROOT = Path(__file__).parent.parent
CODECS = ("utf-8", "gb18030", "big5hkscs", "utf-16-le", "utf-16-be", "utf-32-le", "hz", "cp1252")


def untouched(text: str, codec: str, bom: bytes = b"", exceptions: tuple[ByteSpan, ...] = ()) -> Document:
    """A document on which no rule did anything."""
    encoding = Encoding(codec, 1.0, bom, exceptions)
    return Document(Seed.of(encode(text, encoding), "a"), text, encoding)


@pytest.mark.parametrize("path", sorted(SEEDS.iterdir()), ids=lambda path: path.name[:3])
def test_spans_of_the_seeds_lead_to_bytes_that_hold_them(path: Path) -> None:
    raw = path.read_bytes()
    document = clean(raw, path.name)
    lineage = Lineage(document)
    for start in range(0, len(document.text) - 40, 97):
        span = lineage.seed_span(start, start + 40)
        assert raw[span.byte_start : span.byte_end].decode() == document.original()[span.start : span.end]
        low, high = lineage.text_span_of_bytes(span.byte_start, span.byte_end)
        assert low <= start
        assert start + 40 <= high
        assert lineage.text_span(span.start, span.end) == (low, high)


@pytest.mark.parametrize("codec", CODECS)
def test_bytes_of_each_character(codec: str) -> None:
    text = "ab¢é~" if codec == "cp1252" else "a中文b,~国x𠮷。" if codec != "hz" else "a中文b,国x。"
    if codec == "big5hkscs":
        text = "a中Ê̄文Êx"  # Ê waits for the next character: both may be one code
    document = untouched(text, codec, b"\xef\xbb\xbf" if codec == "utf-8" else b"")
    raw = encode(text, document.encoding)
    lineage = Lineage(document)
    assert lineage.byte_span(0, len(text))[0] == len(document.encoding.bom)
    last = 0
    for i in range(len(text)):
        start, end = lineage.byte_span(i, i + 1)
        assert last <= start < end <= len(raw) or codec == "big5hkscs"
        last = start
        if codec not in ("hz", "big5hkscs"):
            assert raw[start:end].decode(codec) == text[i]
        assert lineage.text_span_of_bytes(start, end)[0] <= i < lineage.text_span_of_bytes(start, end)[1]
    if codec != "hz":  # ends with a shift that belongs to no character
        assert lineage.byte_span(0, len(text))[1] == len(raw)


def test_a_letter_that_is_half_a_code_has_the_whole_code() -> None:
    lineage = Lineage(untouched("xÊ̄", "big5hkscs"))
    assert "Ê̄".encode("big5hkscs") == b"\x88\x62"
    assert [lineage.byte_span(i, i + 1) for i in range(3)] == [(0, 1), (1, 3), (1, 3)]


def test_invalid_bytes_belong_to_what_stands_for_them() -> None:
    document = untouched("甲\ufffd乙丙", "utf-8", exceptions=(ByteSpan(1, 2, b"\xff\xfe"), ByteSpan(3, 4, b"\xb1\xfb")))
    lineage = Lineage(document)
    assert [lineage.byte_span(i, i + 1) for i in range(4)] == [(0, 3), (3, 5), (5, 8), (8, 10)]
    assert lineage.text_span_of_bytes(4, 6) == (1, 3)
    assert lineage.byte_span(4, 4) == (10, 10)
    assert lineage.byte_span(2, 2) == (5, 5)


@given(st.text("ab,甲乙\n", max_size=40), st.integers(0, 1 << 30))
def test_what_comes_from_a_span_goes_back_to_it(text: str, number: int) -> None:
    choose = random.Random(number)
    after, trail = random_trail(text, choose)
    document = Document(Seed.of(text.encode(), "a"), after, Encoding("utf-8", 1.0), trail)
    lineage = Lineage(document)
    start = choose.randrange(len(after) + 1)
    end = choose.randrange(start, len(after) + 1)
    span = lineage.seed_span(start, end)
    assert (span.start, span.end) == document.seed_span(start, end)
    assert text.encode()[span.byte_start : span.byte_end].decode() == text[span.start : span.end]


def test_the_edits_of_a_span() -> None:
    document = cleaned("来源新华社\n一,二,三".encode(), "a")
    lineage = Lineage(document)
    assert document.text == "\n一，二，三"
    assert [(one.cleaner, edit.rule, edit.start) for one, edit in lineage.edits(2, 3)] == [
        ("punctuation", "punctuation.width", 2)
    ]
    assert [edit.rule for _, edit in lineage.edits(0, 1)] == ["metadata.source"]  # taken away at its border
    assert list(lineage.edits(3, 4)) == []
    with pytest.raises(ValueError, match="no span"):
        list(lineage.edits(3, 99))


def test_wrong_spans_are_refused() -> None:
    lineage = Lineage(cleaned("一,二".encode(), "a"))
    for call in (lineage.seed_span, lineage.text_span, lineage.text_span_of_bytes):
        with pytest.raises(ValueError, match="no span"):
            call(2, 99)


def sql_of_the_documentation(title: str) -> str:
    """The SQL snippet below a heading of docs/formats.md."""
    section = (ROOT / "docs" / "formats.md").read_text("utf-8").split(f"\n### {title}\n")[1]
    found = re.search(r"```sql\n(.*?)```", section, re.S)
    assert found is not None
    return found[1]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output folder of a corpus of the five seeds."""
    output = tmp_path_factory.mktemp("corpus") / "output"
    build(SEEDS, output, clean=clean)
    return output


def test_sql_lists_the_edits_of_a_stretch_of_the_seed(corpus: Path) -> None:
    query = sql_of_the_documentation("Which rules touched a stretch of the seed").replace("output/", f"{corpus}/")
    version = Store(corpus).latest()
    assert version is not None
    for id in version.read("documents", ["id"])["id"].to_pylist():
        found = duckdb.connect().execute(query, {"id": id, "start": 0, "end": 200}).fetchall()
        expected = [
            (id, one.cleaner, edit.rule, edit.before or None, edit.after or None)
            for one, edit, place in version.document(id).seed_places()
            if 0 <= place < 200
        ]
        assert sorted(map(str, expected)) == sorted(str((row[0], *row[2:])) for row in found)
        assert expected


def test_sql_leads_from_the_clean_text_to_the_seed(corpus: Path) -> None:
    query = sql_of_the_documentation("From a place in the clean text to the seed").replace("output/", f"{corpus}/")
    version = Store(corpus).latest()
    assert version is not None
    connection = duckdb.connect()
    for id in version.read("documents", ["id"])["id"].to_pylist():
        document = version.document(id)
        for place in range(0, len(document.text), 331):
            found = connection.execute(query, {"id": id, "place": place}).fetchall()
            assert found == [(document.seed_span(place, place + 1)[0],)], (id, place)


@pytest.mark.parametrize("number", range(30))
def test_sql_follows_moves_and_many_passes(tmp_path: Path, number: int) -> None:
    choose = random.Random(number)
    text = "".join(choose.choice("ab,甲乙\n") for _ in range(60))

    def scrambled(raw: bytes, name: str) -> Document:
        after, trail = random_trail(raw.decode(), random.Random(number))
        return Document(Seed.of(raw, name), after, Encoding("utf-8", 1.0), trail)

    (tmp_path / "seeds").mkdir()
    (tmp_path / "seeds" / "a").write_bytes(text.encode())
    version = build(tmp_path / "seeds", tmp_path / "output", clean=scrambled)
    query = sql_of_the_documentation("From a place in the clean text to the seed")
    query = query.replace("output/", f"{tmp_path}/output/")
    document = version.document("a")
    for place in range(0, len(document.text), 7):
        found = duckdb.connect().execute(query, {"id": "a", "place": place}).fetchall()
        assert found == [(document.seed_span(place, place + 1)[0],)]
