"""Documents as Arrow rows, and the way back."""

import random
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from corpus_samples import cleaned, random_trail, rich
from hypothesis import given
from hypothesis import strategies as st

from cleaners import Document, Encoding, Quarantine, Seed, clean
from cleaners.document import ByteSpan
from cleaners.edits import Positions
from corpus import rows
from corpus.schema import SCHEMAS
from corpus.seeds import Problem

SEEDS = sorted(Path(__file__).parent.parent.joinpath("seeds").glob("*.txt"))


def test_a_document_with_everything_comes_back_as_it_was() -> None:
    document = rich()
    tables = rows.tables([document])
    for name, table in tables.items():
        rows.check(table, name)
    assert rows.documents(tables["documents"], tables["edits"]) == [document]


def test_the_columns_of_a_document() -> None:
    row = rows.tables([rich()])["documents"].to_pylist()[0]
    assert row["id"] == "甲/乙.txt"
    assert row["title"] == "题目，"
    assert row["subtitle"] is None
    assert row["authors"] == ["张三", "李四"]
    assert row["other_metadata"] == [
        {"field": "phone", "value": "0471-1234567"},
        {"field": "translators", "value": "王五"},
        {"field": "translators", "value": "赵六"},
    ]
    assert row["paragraphs"][1] == {"role": "body", "start": 6, "end": 9}
    assert row["articles"][1] == {"title": None, "column": "时评", "authors": [], "start": 6, "end": 9}
    assert row["edits_per_rule"] == [
        {"rule": "metadata.source", "n": 1},
        {"rule": "punctuation.width", "n": 1},
    ]
    assert row["n_chars"] == 9
    assert row["bom"] == b"\xef\xbb\xbf"


def test_the_columns_of_an_edit() -> None:
    edits = rows.tables([rich()])["edits"].to_pylist()
    assert edits[0] == {
        "id": "甲/乙.txt",
        "n": 0,
        "pass": 0,
        "cleaner": "metadata",
        "rule": "metadata.source",
        "start": 0,
        "seed_start": 0,
        "before": "来源新华社",
        "after": None,
        "field": "source",
        "ref": None,
    }
    # in the second pass the comma stands 5 characters nearer to the beginning than in the seed
    assert (edits[1]["n"], edits[1]["pass"], edits[1]["start"], edits[1]["seed_start"]) == (1, 1, 3, 8)


def test_what_is_missing_is_null() -> None:
    row = rows.tables([cleaned(b"", "empty.txt")])["documents"].to_pylist()[0]
    assert {name for name, value in row.items() if value is None} == {
        *rows.TEXT_FIELDS,
        *rows.LIST_FIELDS,
        "script",
        "bom",
        *rows.RECORD,
    }
    assert row["text"] == ""
    assert row["paragraphs"] == row["flags"] == row["articles"] == row["edits_per_rule"] == []


def test_metadata_without_a_value_are_null() -> None:
    document = replace(cleaned(b"x", "x"), metadata={"title": None, "authors": [], "editor": "", "fax": None})
    row = rows.tables([document])["documents"].to_pylist()[0]
    assert row["title"] is row["authors"] is row["editor"] is None
    assert row["other_metadata"] == []


def test_rows_are_sorted_by_id_and_quarantine_is_apart() -> None:
    documents = [cleaned(b"b,", "b"), cleaned(b"\xff", "c"), cleaned(b"a,", "a")]
    tables = rows.tables(documents, [Problem("aa", "too_large", "split it", 99)])
    assert tables["documents"]["id"].to_pylist() == tables["edits"]["id"].to_pylist() == ["a", "b"]
    assert tables["quarantine"].to_pylist() == [
        {
            "id": "aa",
            "kind": "too_large",
            "reason": "split it",
            "seed_sha256": None,
            "seed_bytes": 99,
            "encoding": None,
            "encoding_confidence": None,
            **dict.fromkeys(rows.RECORD),
        },
        {
            "id": "c",
            "kind": "no_encoding",
            "reason": "no encoding explains its bytes: save it as UTF-8",
            "seed_sha256": Seed.of(b"\xff", "c").sha256,
            "seed_bytes": 1,
            "encoding": "utf-8",
            "encoding_confidence": 0.0,
            **dict.fromkeys(rows.RECORD),
        },
    ]
    assert [(row["id"], row["outcome"], row["kind"]) for row in tables["seeds"].to_pylist()] == [
        ("a", "document", None),
        ("aa", "quarantine", "too_large"),
        ("b", "document", None),
        ("c", "quarantine", "no_encoding"),
    ]


def test_no_documents_are_empty_tables_with_the_schema() -> None:
    for name, table in rows.tables([]).items():
        assert table.num_rows == 0
        rows.check(table, name)


@pytest.mark.parametrize("where", ["text", "trail", "metadata"])
def test_half_a_surrogate_pair_goes_to_quarantine(where: str) -> None:
    document = cleaned(b"a,b", "half")
    if where == "text":
        document = replace(document, text="a\ud83d")
    elif where == "metadata":
        document = replace(document, metadata={"title": "\udc00"})
    else:
        edit = document.trail[0].edits[0]._replace(before="\ud83d")
        document = replace(document, trail=(document.trail[0]._replace(edits=(edit,)),))
    tables = rows.tables([document, cleaned(b"good", "good")])
    assert tables["quarantine"]["kind"].to_pylist() == ["surrogates"]
    assert tables["documents"]["id"].to_pylist() == ["good"]


def test_seed_bytes_with_a_mark_and_invalid_bytes() -> None:
    raw = b"\xef\xbb\xbf\xe7\x94\xb2,\xff\xfe,\xe4\xb9\x99"
    codec = Encoding("utf-8", 0.5, b"\xef\xbb\xbf", (ByteSpan(2, 3, b"\xff\xfe"),))
    document = replace(cleaned("甲,\ufffd,乙".encode(), "x"), seed=Seed.of(raw, "x"), encoding=codec)
    tables = rows.tables([document])
    back = rows.documents(tables["documents"], tables["edits"])[0]
    assert back == document
    assert rows.seed_bytes(back) == raw


def test_seed_bytes_refuses_what_does_not_have_the_hash() -> None:
    document = replace(cleaned(b"abc", "x"), text="abd")
    with pytest.raises(ValueError, match="x cannot be restored"):
        rows.seed_bytes(document)


@pytest.mark.parametrize("path", SEEDS, ids=lambda path: path.name)
def test_the_seeds_come_back_from_their_rows(path: Path) -> None:
    document = replace(clean(path.read_bytes(), path.name), quarantine=None)
    tables = rows.tables([document])
    back = rows.documents(tables["documents"], tables["edits"])[0]
    given = {name: value for name, value in document.metadata.items() if value}
    assert replace(back, metadata={}) == replace(document, metadata={})
    assert back.metadata == given
    assert rows.seed_bytes(back) == path.read_bytes()


def place_in_seed(document: Document, passes: int, place: int) -> int:
    """The slow way: one place, pass by pass."""
    for one in reversed(document.trail[:passes]):
        place = Positions(one.edits)._old_char(place)[0]
    return place


@given(st.lists(st.text(alphabet="甲乙丙，, \n😀", max_size=40), max_size=4), st.integers(0, 2**32))
def test_seed_start_is_the_place_that_positions_lead_to(texts: list[str], number: int) -> None:
    choose = random.Random(number)
    documents = []
    for text in texts:
        after, trail = random_trail(text, choose)
        documents.append(replace(cleaned(b"", "x"), text=after, trail=trail))
    expected = [
        place_in_seed(document, i, edit.start)
        for document in documents
        for i, one in enumerate(document.trail)
        for edit in one.edits
    ]
    assert rows.seed_starts([document.trail for document in documents]).tolist() == expected


@given(st.lists(st.tuples(st.text("甲乙, \n", max_size=30), st.integers(0, 99)), max_size=5))
def test_any_trail_comes_back(samples: list[tuple[str, int]]) -> None:
    documents = []
    for i, (text, number) in enumerate(samples):
        after, trail = random_trail(text, random.Random(number))
        documents.append(replace(cleaned(text.encode(), f"{i}"), text=after, trail=trail, paragraphs=(), metadata={}))
    tables = rows.tables(documents)
    shuffled = tables["edits"].take(pa.array(reversed(range(tables["edits"].num_rows)), pa.int64()))
    assert rows.documents(tables["documents"], shuffled) == documents
    for document in documents:
        assert rows.seed_bytes(document).decode() == document.original()


def test_check_refuses_null_and_strange_columns() -> None:
    table = rows.seeds_table([cleaned(b"", "x")])
    rows.check(table, "seeds")
    nothing = pa.array([None], pa.string())
    with pytest.raises(ValueError, match=r"seeds\.id is null"):
        rows.check(table.set_column(0, SCHEMAS["seeds"].field("id"), nothing), "seeds")
    with pytest.raises(ValueError, match="does not have its schema"):
        rows.check(table.drop_columns(["kind"]), "seeds")


def test_a_quarantined_document_that_was_decoded_keeps_its_guess() -> None:
    document = replace(cleaned(b"x", "x"), quarantine=Quarantine("binary", "no text"), encoding=Encoding("big5", 0.25))
    row = rows.quarantine_table([document]).to_pylist()[0]
    assert (row["encoding"], row["encoding_confidence"]) == ("big5", 0.25)
