"""Seeds in containers: each format and what is wrong in real files of it, ids, places, the way into the corpus."""

from __future__ import annotations

import datetime
import decimal
import gzip
import io
import json
import os
import random
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from corpus_samples import FINGERPRINT, build, write_seeds
from running import jingwen

from corpus import containers, parquet_rows, pieces, records, seeds
from corpus.containers import Container, Kind
from corpus.records import Reading
from corpus.seed_list import Member
from corpus.seeds import Problem, Read, close_kept, read, read_all, scan
from corpus.store import Store
from corpus.verify import verify
from flows import cli

LIMIT = 1 << 16
CONTENT = ("来源甲\n正文，一。", "正文，二。", "正文，三。")


def zst(raw: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(raw)
    return bytes(sink.getvalue())


def lines(*found: object) -> bytes:
    return b"".join(json.dumps(one, ensure_ascii=False).encode() + b"\n" for one in found)


def zipped(files: Mapping[str, str | bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content, method)
    return target.getvalue()


def foreign_zip(names: Mapping[bytes, bytes], extra: bytes = b"") -> bytes:
    """A ZIP as Chinese Windows makes it: names in another encoding, without the flag that says UTF-8."""

    class Foreign(zipfile.ZipInfo):
        raw = b""

        def _encodeFilenameFlags(self) -> tuple[bytes, int]:  # noqa: N802  zipfile's own name
            return self.raw, self.flag_bits & ~0x800

    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for number, (name, content) in enumerate(names.items()):
            info = Foreign(str(number))
            info.raw, info.extra = name, extra
            archive.writestr(info, content)
    return target.getvalue()


def tarred(files: Mapping[str, str], mode: str = "w", links: Mapping[str, str] | None = None) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode=mode) as archive:  # type: ignore[call-overload]
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content.encode())
            archive.addfile(info, io.BytesIO(content.encode()))
        for name, goal in (links or {}).items():
            info = tarfile.TarInfo(name)
            info.type, info.linkname = tarfile.SYMTYPE, goal
            archive.addfile(info)
    return target.getvalue()


def found(
    root: Path, name: str, content: bytes, max_container_bytes: int = 1 << 30
) -> tuple[dict[str, str], dict[str, str]]:
    """id -> text of the seeds, id -> kind of the problems of one container."""
    (root / name).write_bytes(content)
    reading = Reading(LIMIT, max_container_bytes)
    one = scan(root, LIMIT, None, reading)
    texts = {}
    for seed in read_all(root, one.seeds, reading):
        assert isinstance(seed, Read), seed
        texts[seed.name] = seed.raw.decode("utf-8", "replace")
    assert [seed.name for seed in one.seeds] == list(texts)
    for problem in one.problems:
        assert problem.container == name
        assert problem.reason
    return texts, {problem.id: problem.kind for problem in one.problems}


MIXED = (
    b'\xef\xbb\xbf{"id": "a17", "text": "\xe4\xb8\x80", "url": "http://example.org/1"}\r\n'
    b"\r\n"
    b'{"text": "\xe4\xba\x8c"}\n'
    b"{broken\n"
    b'{"id": "a17", "text": "\xe4\xb8\x89"}\n'
    b'{"id": 7, "content": "\xe5\x9b\x9b", "score": NaN}\n'
    b'["no", "object"]\n'
    b'{"other": "field"}\n'
    b'{"text": 5}\n'
    b'{"id": "end", "text": "\xe4\xba\x94"}'
)
MIXED_TEXTS = {"#a17": "一", ":3": "二", "#7": "四", "#end": "五"}
MIXED_PROBLEMS = {":4": "malformed", ":5": "name", ":7": "malformed", ":8": "no_text", ":9": "no_text"}


@pytest.mark.parametrize(
    ("name", "packed"),
    [
        ("x.jsonl", bytes),
        ("x.ndjson", bytes),
        ("X.JSONL", bytes),
        ("x.json", bytes),
        ("x.jsonl.gz", gzip.compress),
        ("x.json.gz", gzip.compress),
        ("x.jsonl.zst", zst),
        ("two.jsonl.gz", lambda raw: gzip.compress(raw[:50]) + gzip.compress(raw[50:])),
        ("two.jsonl.zst", lambda raw: zst(raw[:50]) + zst(raw[50:])),
    ],
)
def test_lines(tmp_path: Path, name: str, packed: object) -> None:
    texts, problems = found(tmp_path, name, packed(MIXED))  # type: ignore[operator]
    assert texts == {name + label: text for label, text in MIXED_TEXTS.items()}
    assert problems == {name + label: kind for label, kind in MIXED_PROBLEMS.items()}


def test_lines_in_archives(tmp_path: Path) -> None:
    for name, content in (
        ("x.zip", zipped({"a/in.jsonl": MIXED, "in.jsonl.gz": gzip.compress(MIXED)})),
        ("x.tar.gz", tarred({"a/in.jsonl": MIXED.decode()}, "w:gz")),
        ("x.tar.zst", zst(tarred({"./a/in.jsonl": MIXED.decode()}))),
    ):
        texts, problems = found(tmp_path, name, content)
        assert {f"{name}/a/in.jsonl{label}" for label in MIXED_TEXTS} <= texts.keys()
        assert {f"{name}/a/in.jsonl{label}" for label in MIXED_PROBLEMS} <= problems.keys()
        assert ("x.zip/in.jsonl.gz#a17" in texts) == (name == "x.zip")
        (tmp_path / name).unlink()


def test_reasons_name_the_line_and_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_bytes(MIXED)
    reasons = {one.id: one.reason for one in scan(tmp_path, LIMIT).problems}
    assert reasons["x.jsonl:4"] == "line 4 is no JSON from character 2 on: correct it, or take it out"
    assert reasons["x.jsonl:5"] == "its id x.jsonl#a17 is that of x.jsonl:1, too: give each its own"
    assert "--text-field" in reasons["x.jsonl:8"]


@pytest.mark.parametrize(
    ("raw", "texts"),
    [
        (json.dumps([{"id": "q", "text": "甲"}, {"text": "乙"}], indent=1), {"#q": "甲", ":2": "乙"}),
        (json.dumps([{"text": "甲"}]), {":1": "甲"}),
        (json.dumps({"text": "甲"}, indent=1), {":1": "甲"}),
        ("\n" + json.dumps({"text": "甲"}) + "\n\n" + json.dumps({"text": "乙"}), {":2": "甲", ":4": "乙"}),
    ],
)
def test_a_json_file_may_be_one_value(tmp_path: Path, raw: str, texts: dict[str, str]) -> None:
    assert found(tmp_path, "x.json", raw.encode()) == ({f"x.json{label}": t for label, t in texts.items()}, {})
    (tmp_path / "x.json").unlink()
    assert len(found(tmp_path, "x.tar", tarred({"in.json": raw}))[0]) == len(texts)


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("x.jsonl", b"", "empty"),
        ("x.jsonl", b"\n \r\n\n", "empty"),
        ("x.jsonl.gz", b"", "empty"),
        ("x.json", b"[", "malformed"),
        ("x.json", b"[]", "empty"),
        ("x.json", b"[" * 30_000 + b"]" * 30_000, "malformed"),
        ("x.json", b'[{"text": ' + b"[" * 80 + b"]" * 80 + b"}]", "malformed"),
        ("x.json", b"[" + b'{"text": "long"},' * 20_000 + b"1]", "too_large"),
        ("x.jsonl", '{"text": "宽"}'.encode("utf-16"), "malformed"),
        ("x.jsonl.gz", b"not gzip", "damaged"),
        ("x.txt.gz", b"not gzip", "damaged"),
        ("x.txt.zst", b"not zstd", "damaged"),
        ("x.parquet", b"PAR1", "damaged"),
        ("x.parquet", b"", "damaged"),
        ("x.zip", b"PK\x03\x04", "damaged"),
        ("x.zip", zipped({}), "empty"),
        ("x.zip", zipped({"folder/": b"", ".hidden": b"x", "__MACOSX/a.txt": b"x", "a/.b/c": b"x"}), "empty"),
        ("x.tar", b"y" * 4096, "damaged"),
        ("x.tar.gz", gzip.compress(b""), "damaged"),
        ("x.txt.gz", gzip.compress(b"x" * (LIMIT + 1)), "too_large"),
    ],
)
def test_containers_that_hold_nothing_that_can_be_read(tmp_path: Path, name: str, content: bytes, kind: str) -> None:
    assert found(tmp_path, name, content) == ({}, {name: kind})


@pytest.mark.parametrize("cut", [-1, -7, -9, -200])
def test_what_stands_before_the_damage_is_cleaned(tmp_path: Path, cut: int) -> None:
    draw = random.Random(1)
    many = [{"text": f"第{number}条，{draw.random()}"} for number in range(40_000)]
    for name, packed in (("x.jsonl.gz", gzip.compress), ("x.jsonl.zst", zst)):
        texts, problems = found(tmp_path, name, packed(lines(*many))[:cut])
        assert problems == {name: "damaged"}
        assert list(texts.values()) == [one["text"] for one in many[: len(texts)]]
        assert len(texts) > 20_000 or cut == -200
        (tmp_path / name).unlink()


def test_lines_that_no_parser_should_see(tmp_path: Path) -> None:
    raw = b"".join(
        (
            b'{"text": "a", "x": ' + b"[" * 30_000 + b"]" * 30_000 + b"}\n",
            b'{"text": "a", "x": ' + b"[" * 80 + b"]" * 80 + b"}\n",
            b'{"text": "' + b"x" * (3 * LIMIT) + b'"}\n',
            b'{"text": "' + b"x" * (LIMIT + 1) + b'"}\n',
            b'{"text": "a", "n": ' + b"9" * 5_000 + b"}\n",
            b'{"text": "\xe4\xb8\xff\xfe\x80"}\n',
            '{"text": "中华人民共和国的天气预报说明天有雨"}\n'.encode("gbk"),
            b'{"text": "half \\ud83d of a pair", "t": "\\ud83d"}\n',
            b'{"text": "last", "n": 1e999}\n',
        )
    )
    texts, problems = found(tmp_path, "x.jsonl", raw)
    assert problems == {
        "x.jsonl:1": "malformed",
        "x.jsonl:2": "malformed",
        "x.jsonl:3": "too_large",
        "x.jsonl:4": "too_large",
        "x.jsonl:5": "malformed",
        "x.jsonl:6": "malformed",
    }
    assert texts["x.jsonl:7"] == "中华人民共和国的天气预报说明天有雨"
    assert texts["x.jsonl:8"].startswith("half \ufffd")
    assert texts["x.jsonl:9"] == "last"


def test_the_other_fields_are_json_whatever_they_were(tmp_path: Path) -> None:
    raw = b'{"text": "a", "b": NaN, "a": [1e999, {"y": "\\ud83d"}], "\xe9\xa2\x98": "\xe5\xad\x97"}\n'
    (tmp_path / "x.jsonl").write_bytes(raw)
    (one,) = read_all(tmp_path, scan(tmp_path, LIMIT).seeds)
    assert isinstance(one, Read)
    assert one.record is not None
    assert json.loads(one.record.fields) == {"b": "NaN", "a": ["Infinity", {"y": "\ud83d"}], "题": "字"}
    one.record.fields.encode()


@pytest.mark.parametrize(
    ("fields", "url"),
    [
        ({"url": "https://news.example.cn/a"}, "https://news.example.cn/a"),
        ({"meta": {"url": "http://a.cn/"}}, "http://a.cn/"),
        ({"链接": "http://a.cn/"}, "http://a.cn/"),
        ({"url": "see http://a.cn/"}, ""),
        ({"url": None, "link": 5, "other": "http://a.cn/"}, ""),
        ({}, ""),
    ],
)
def test_the_address(fields: dict[str, object], url: str) -> None:
    assert records.record("x.jsonl", records.as_json(fields)).url == url


def test_which_field_is_the_text_and_which_the_id() -> None:
    def parsed(fields: dict[str, object], reading: Reading | None = None) -> tuple[str, bytes]:
        one = records.of_mapping(fields, reading or Reading())
        return one.id, one.raw

    assert parsed({"html": "<p>", "content": "b", "_id": "x"}) == ("x", b"b")
    assert parsed({"text": "", "正文": "字"}) == ("", "字".encode())
    assert parsed({"text": "", "title": "t"}) == ("", b"")
    assert parsed({"text": b"\xff\x00"}) == ("", b"\xff\x00")
    assert parsed({"text": "a", "story": "b", "key": 5}, Reading(text_field="story", id_field="key")) == ("5", b"b")
    assert parsed({"text": "a", "id": "x"}, Reading(id_field="none")) == ("", b"a")
    for unusable in (True, 1.5, "", " x", "a\nb", "..", "a/../b", "x" * 201, "\ud800", None, "a\\..\\b"):
        assert parsed({"text": "a", "id": unusable}) == ("", b"a")
    with pytest.raises(records.NoSeedError, match="has no field story"):
        parsed({"text": "a"}, Reading(text_field="story"))


def test_rows_of_a_table_with_all_kinds_of_types(tmp_path: Path) -> None:
    table = pa.table(
        {
            "id": ["x", "y", None, "x", "z"],
            "text": ["一", None, "三", "四", ""],
            "day": [datetime.date(2020, 2, 29)] * 5,
            "time": pa.array([1, 2, 3, None, 5], pa.timestamp("ns")),
            "price": [decimal.Decimal("1.10")] * 5,
            "raw": [b"\xff"] * 5,
            "deep": [{"list": [datetime.datetime(2020, 1, 1)], "n": 1}] * 5,
            "share": [float("nan")] * 5,
            "map": pa.array([[("k", 1)]] * 5, pa.map_(pa.string(), pa.int64())),
            "word": pa.array(["a", "b", "a", "a", "b"]).dictionary_encode(),
            "large": pa.array(["l"] * 5, pa.large_string()),
        }
    )
    pq.write_table(table, tmp_path / "p.parquet", row_group_size=2)
    content = (tmp_path / "p.parquet").read_bytes()
    texts, problems = found(tmp_path, "p.parquet", content)
    assert texts == {"p.parquet#x": "一", "p.parquet:3": "三", "p.parquet#z": ""}
    assert problems == {"p.parquet:2": "no_text", "p.parquet:4": "name"}
    first = next(read_all(tmp_path, scan(tmp_path, LIMIT).seeds))
    assert isinstance(first, Read)
    assert first.record is not None
    known = json.loads(first.record.fields)
    assert known | {"time": ""} == {
        "id": "x",
        "day": "2020-02-29",
        "time": "",
        "price": "1.10",
        "raw": "ff",
        "deep": {"list": ["2020-01-01 00:00:00.000000"], "n": 1},
        "share": "NaN",
        "map": [["k", 1]],
        "word": "a",
        "large": "l",
    }


def test_a_table_whose_pages_are_damaged(tmp_path: Path) -> None:
    target = io.BytesIO()
    table = pa.table({"text": [f"正文{number}" * 50 for number in range(4_000)]})
    pq.write_table(table, target, row_group_size=1_000, use_dictionary=False, compression="zstd")
    raw = bytearray(target.getvalue())
    middle = pq.ParquetFile(target).metadata.row_group(2).column(0).data_page_offset
    raw[middle : middle + 12] = b"\xff" * 12  # the head of the page
    texts, problems = found(tmp_path, "p.parquet", bytes(raw))
    assert problems == {"p.parquet": "damaged"}
    assert len(texts) == 2_000


def test_names_in_archives_lead_nowhere(tmp_path: Path) -> None:
    names = [
        "../../up.txt",
        "/etc/passwd",
        "C:\\a.txt",
        "a/../b.txt",
        "a//b",
        "\x07bell",
        "x" * 300,
        "ok.txt",
        "w\\b.txt",
    ]
    texts, problems = found(tmp_path, "x.zip", zipped({name: name for name in names}))
    assert not problems
    assert [*texts] == [*(f"x.zip:{number}" for number in range(1, 8)), "x.zip/ok.txt", "x.zip/w/b.txt"]
    first = next(read_all(tmp_path, scan(tmp_path, LIMIT).seeds))
    assert isinstance(first, Read)
    assert first.record == records.record("x.zip", '{"name":"../../up.txt"}')
    assert os.listdir(tmp_path) == ["x.zip"]


@pytest.mark.parametrize("codec", ["gbk", "utf-8", "big5hkscs"])
def test_names_of_chinese_windows(tmp_path: Path, codec: str) -> None:
    names = (
        ["新聞稿/黨建工作報告.txt", "新聞稿/經濟發展情況.txt"]
        if "big5" in codec
        else ["新闻稿/党建工作报告.txt", "新闻稿/经济发展情况.txt"]
    )
    texts, _ = found(tmp_path, "x.zip", foreign_zip({name.encode(codec): b"a" for name in names}))
    assert [*texts] == [f"x.zip/{name}" for name in names]


def test_the_name_in_unicode_that_some_tools_add(tmp_path: Path) -> None:
    import struct
    import zlib

    field = b"\x01" + struct.pack("<I", zlib.crc32(b"?.txt")) + "真名.txt".encode()
    extra = struct.pack("<HH", 0x7075, len(field)) + field
    assert [*found(tmp_path, "x.zip", foreign_zip({b"?.txt": b"a"}, extra))[0]] == ["x.zip/真名.txt"]
    assert [*found(tmp_path, "x.zip", foreign_zip({b"!.txt": b"a"}, extra))[0]] == ["x.zip/!.txt"]


def test_what_archives_should_not_hold(tmp_path: Path) -> None:
    raw = zipped(
        {"a.txt": "甲", "in.zip": zipped({"b.txt": "乙"}), "in.tar.gz": b"x", "p.parquet": b"x", "e.jsonl": b""}
    )
    texts, problems = found(tmp_path, "x.zip", raw)
    assert texts == {"x.zip/a.txt": "甲"}
    assert problems == {
        "x.zip/in.zip": "nested",
        "x.zip/in.tar.gz": "nested",
        "x.zip/p.parquet": "nested",
        "x.zip/e.jsonl": "empty",
    }


def test_links_in_archives_are_not_followed(tmp_path: Path) -> None:
    texts, problems = found(tmp_path, "x.tar", tarred({"a.txt": "甲"}, links={"l": "/etc/passwd", "m": "a.txt"}))
    assert (texts, problems) == ({"x.tar/a.txt": "甲"}, {"x.tar/l": "link", "x.tar/m": "link"})
    (tmp_path / "x.tar").unlink()
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        info = zipfile.ZipInfo("l")
        info.external_attr = 0o120777 << 16
        archive.writestr(info, "/etc/passwd")
    assert found(tmp_path, "x.zip", target.getvalue()) == ({}, {"x.zip/l": "link"})


def test_encrypted_and_strangely_packed_files(tmp_path: Path) -> None:
    raw = bytearray(zipped({"a.txt": "甲", "b.txt": "乙", "c.txt": "丙"}))
    central = raw.index(b"PK\x01\x02")
    raw[central + 8] |= 1  # the flag of encryption
    second = raw.index(b"PK\x01\x02", central + 4)
    raw[second + 10] = 93  # zstd, which Python 3.11 does not know
    assert found(tmp_path, "x.zip", bytes(raw)) == (
        {"x.zip/c.txt": "丙"},
        {"x.zip/a.txt": "encrypted", "x.zip/b.txt": "unsupported"},
    )


def test_a_file_with_a_wrong_checksum_harms_no_other(tmp_path: Path) -> None:
    raw = bytearray(zipped({"a.txt": "甲" * 50, "b.txt": "乙"}, zipfile.ZIP_STORED))
    raw[60] ^= 0xFF
    texts, problems = found(tmp_path, "x.zip", bytes(raw))
    assert (texts, problems) == ({"x.zip/b.txt": "乙"}, {"x.zip/a.txt": "damaged"})


def test_two_files_of_one_name(tmp_path: Path) -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("a.txt", "甲")
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("a.txt", "乙")
    assert found(tmp_path, "x.zip", target.getvalue()) == ({"x.zip/a.txt": "甲"}, {"x.zip:2": "name"})


def test_bombs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "FREE_BYTES", 10_000)
    monkeypatch.setattr(pieces, "CHUNK", 4_096)
    zeros = b"0" * (LIMIT - 1)
    assert found(tmp_path, "a.zip", zipped({"one.txt": zeros}))[1] == {"a.zip": "too_large"}
    (tmp_path / "a.zip").unlink()
    texts, problems = found(tmp_path, "b.jsonl.gz", gzip.compress(lines({"text": "甲"}) + b" " * 2_000_000))
    assert (texts, problems) == ({"b.jsonl.gz:1": "甲"}, {"b.jsonl.gz": "too_large"})
    (tmp_path / "b.jsonl.gz").unlink()
    assert found(tmp_path, "c.tar.gz", gzip.compress(tarred({"a": "0" * 60_000})))[1]["c.tar.gz"] == "too_large"


def test_a_table_that_is_a_bomb(tmp_path: Path) -> None:
    """A few kilobytes that are terabytes when every row has its own copy of the text."""
    indices = pa.array([0] * 2_000_000, pa.int32())
    words = pa.DictionaryArray.from_arrays(indices, pa.array(["文" * 300_000]))
    nested = pa.StructArray.from_arrays([words], names=["word"])
    pq.write_table(pa.table({"text": ["一"] * 2_000_000, "meta": nested}), tmp_path / "x.parquet", compression="zstd")
    assert (tmp_path / "x.parquet").stat().st_size < 100_000
    one = scan(tmp_path, 1 << 20)
    assert len(one.seeds) < 1_000
    assert [problem.kind for problem in one.problems] == ["too_large"]


def small_words(count: int, word: str) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(pa.array([0] * count, pa.int32()), pa.array([word]))


def test_one_row_that_is_a_bomb_is_left_out(tmp_path: Path) -> None:
    """A list, and a map, of one long word, 20,000 times: 20 GB."""
    words = small_words(20_000, "z" * 1_000_000)
    ends = pa.array([0, 1, 20_000], pa.int32())
    lists = pa.ListArray.from_arrays(ends, words)
    maps = pa.MapArray.from_arrays(ends, pa.array(["k"] * 20_000), words)
    for name, column in (("list", lists), ("map", maps)):
        table = pa.table({"text": ["短文一", "短文二"], "others": column})
        pq.write_table(table, tmp_path / f"{name}.parquet", compression="zstd")
    one = scan(tmp_path, 1 << 26)
    assert [seed.name for seed in one.seeds] == ["list.parquet:1", "map.parquet:1"]
    assert {problem.kind for problem in one.problems} == {"too_large"}
    assert pa.default_memory_pool().max_memory() < 4 << 30


def test_a_dictionary_behind_ordinary_text_is_read_in_small_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Most of the column is no dictionary, but each row of the rest is one word of it."""
    monkeypatch.setattr(parquet_rows, "HEAVY", 1 << 20)
    draw = random.Random(5)
    ordinary = ["".join(chr(draw.randrange(0x4E00, 0x9FA5)) for _ in range(20_000)) for _ in range(33)]
    with pq.ParquetWriter(
        tmp_path / "x.parquet",
        pa.schema([("text", pa.string())]),
        compression="zstd",
        dictionary_pagesize_limit=500_000,
        write_batch_size=1,
    ) as writer:
        writer.write_table(pa.table({"text": ordinary}))
        writer.write_table(pa.table({"text": ["文" * 100_000] * 300}))
    steps: list[int] = []
    shown = parquet_rows.Rows._columns

    def noting(rows: parquet_rows.Rows, batch: pa.RecordBatch) -> list[pa.Array]:
        steps.append(batch.num_rows)
        return shown(rows, batch)

    monkeypatch.setattr(parquet_rows.Rows, "_columns", noting)
    one = scan(tmp_path, 1 << 26)
    assert len(one.seeds) == 333
    assert sum(steps) == 333
    assert max(steps[-50:]) * 300_000 <= 1 << 20


def test_lists_and_maps_of_words_are_shown_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet_rows, "HEAVY", 64)  # every row by itself
    tags = [["山", "河"], [], None, ["河", "河", "山" * 9]] * 5
    maps = [[("甲", "山")], None, [], [("乙", "河"), ("丙", "河")]] * 5
    columns = {"tags": pa.array(tags), "map": pa.array(maps, pa.map_(pa.string(), pa.string()))}
    pq.write_table(pa.table({"text": [f"第{n}篇" for n in range(20)], **columns}), tmp_path / "x.parquet")
    one = scan(tmp_path, 1 << 20)
    assert len(one.seeds) == 20
    assert one.problems == ()
    seen = [
        json.loads(got.record.fields) for got in read_all(tmp_path, one.seeds) if isinstance(got, Read) and got.record
    ]
    assert [fields["tags"] for fields in seen] == tags


def test_a_member_that_is_too_large_is_not_unpacked(tmp_path: Path) -> None:
    raw = zipped({"big.txt": b"\0" * 50_000_000, "small.txt": "甲"})
    assert found(tmp_path, "x.zip", raw) == ({"x.zip/small.txt": "甲"}, {"x.zip/big.txt": "too_large"})


def test_the_limit_on_a_container(tmp_path: Path) -> None:
    raw = lines({"text": "甲"}, {"text": "乙"})
    assert found(tmp_path, "x.jsonl", raw, max_container_bytes=len(raw) - 1) == ({}, {"x.jsonl": "too_large"})
    many = lines(*({"text": f"正文{number}"} for number in range(100_000)))
    _, problems = found(tmp_path, "x.jsonl.gz", gzip.compress(many), max_container_bytes=1 << 20)
    assert problems["x.jsonl.gz"] == "too_large"


def test_a_tar_that_breaks_off_or_has_a_damaged_header(tmp_path: Path) -> None:
    raw = tarred({f"{number}.txt": "正文" * 400 for number in range(9)})
    texts, problems = found(tmp_path, "x.tar", raw[:9_000])
    assert len(texts) == 2
    assert problems.keys() >= {"x.tar"}
    broken = bytearray(raw)
    broken[3 * 3_072 + 150] ^= 0xFF  # in the checksum of the fourth header
    texts, problems = found(tmp_path, "x.tar", bytes(broken))
    assert (len(texts), problems) == (3, {"x.tar": "damaged"})


def test_ids_of_files_come_first(tmp_path: Path) -> None:
    write_seeds(
        tmp_path,
        {"n.jsonl": lines({"id": "a", "text": "record"}, {"text": "two"}), "n.jsonl#a": "file", "n.jsonl:2": "file"},
    )
    one = scan(tmp_path, LIMIT)
    assert {seed.name: read(tmp_path, seed) for seed in one.seeds} == {"n.jsonl#a": b"file", "n.jsonl:2": b"file"}
    assert {problem.id: problem.kind for problem in one.problems} == {"n.jsonl#a (2)": "name", "n.jsonl:2 (2)": "name"}


def test_a_changed_field_is_a_changed_seed(tmp_path: Path) -> None:
    def hashes(**fields: object) -> str:
        (tmp_path / "x.jsonl").write_bytes(lines({"id": "a", "text": "一"} | fields))
        return scan(tmp_path, LIMIT).seeds[0].sha256

    assert hashes(title="甲") != hashes(title="乙")
    assert hashes(a=1, b=2) == hashes(b=2, a=1)
    (tmp_path / "x.jsonl").write_bytes(lines({"text": "一"}))
    (tmp_path / "y.txt").write_text("一")
    assert len({seed.sha256 for seed in scan(tmp_path, LIMIT).seeds}) == 1  # the same bytes, no other fields


def all_kinds(root: Path) -> None:
    """One container of each kind, with some hundred seeds."""
    many = [{"id": f"r{number}", "text": f"正文，{number}。" * 9, "n": number} for number in range(3_000)]
    write_seeds(
        root,
        {
            "a.jsonl": lines(*many),
            "b.jsonl.gz": gzip.compress(lines(*many)),
            "c.jsonl.zst": zst(lines(*many)),
            "d.zip": zipped({f"f/{n}.txt": f"文{n}" for n in range(200)} | {"in.jsonl": lines(*many[:200])}),
            "e.tar.gz": tarred(
                {f"f/{n}.txt": f"文{n}" for n in range(200)} | {"g.jsonl": lines(*many[:200]).decode()}, "w:gz"
            ),
            "f.json": json.dumps(many[:100]),
            "g.txt.gz": gzip.compress("正文".encode()),
            "plain.txt": "正文",
        },
    )
    pq.write_table(pa.Table.from_pylist(many), root / "p.parquet", row_group_size=700)


def test_seeds_are_read_from_their_places_in_any_order(tmp_path: Path) -> None:
    all_kinds(tmp_path)
    one = scan(tmp_path, LIMIT)
    assert not one.problems
    expected = {seed.name: seed for seed in read_all(tmp_path, one.seeds) if isinstance(seed, Read)}
    assert len(expected) == len(one.seeds) == 4 * 3_000 + 2 * 400 + 100 + 2
    draw = random.Random(5)
    for _ in range(3):
        some = draw.sample(one.seeds, 60)
        assert list(read_all(tmp_path, some)) == [expected[seed.name] for seed in some]
        some.sort(key=one.seeds.index)
        close_kept()
        assert list(read_all(tmp_path, some)) == [expected[seed.name] for seed in some]


def test_a_batch_goes_on_where_the_last_one_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    all_kinds(tmp_path)
    found_seeds = [seed for seed in scan(tmp_path, LIMIT).seeds if isinstance(seed, Member)]
    opened: list[str] = []
    made = containers.opened

    def counted(file: IO[bytes], size: int, kind: Kind, reading: Reading) -> Container:
        opened.append(kind.form)
        return made(file, size, kind, reading)

    close_kept()
    monkeypatch.setattr(seeds, "opened", counted)
    for start in range(0, len(found_seeds), 100):
        assert all(isinstance(one, Read) for one in read_all(tmp_path, found_seeds[start : start + 100]))
    assert len(opened) == len({seed.container for seed in found_seeds})


def test_a_container_that_changes_while_the_run_goes_on(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_bytes(lines({"text": "一"}, {"text": "二"}, {"text": "三"}))
    one = scan(tmp_path, LIMIT)
    (tmp_path / "x.jsonl").write_bytes(lines({"text": "一"}, {"text": "变"}))
    kinds = [one.kind if isinstance(one, Problem) else one.raw.decode() for one in read_all(tmp_path, one.seeds)]
    assert kinds == ["一", "changed", "changed"]
    (tmp_path / "x.jsonl").unlink()
    assert [one.kind for one in read_all(tmp_path, one.seeds) if isinstance(one, Problem)] == ["unreadable"] * 3


def test_forked_processes_do_not_share_a_place_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_bytes(lines(*({"text": f"正文{number}" * 50} for number in range(9_000))))
    one = scan(tmp_path, LIMIT)
    half = len(one.seeds) // 2
    assert len(list(read_all(tmp_path, one.seeds[:half]))) == half
    child = os.fork()
    if not child:
        os._exit(not all(isinstance(seed, Read) for seed in read_all(tmp_path, one.seeds[half:])))
    assert all(isinstance(seed, Read) for seed in read_all(tmp_path, one.seeds[half:]))
    assert os.waitpid(child, 0)[1] == 0


@pytest.mark.parametrize(
    "name", ["x.jsonl", "x.jsonl.gz", "x.zip", "x.tar", "x.parquet", "x.json", "x.txt.zst", "x.tar.zst"]
)
def test_damaged_bytes_raise_nothing_and_lose_nothing(tmp_path: Path, name: str) -> None:
    all_kinds(tmp_path)
    whole = {
        "x.jsonl": MIXED,
        "x.jsonl.gz": gzip.compress(MIXED),
        "x.zip": zipped({"a.txt": "甲" * 99, "b.jsonl": MIXED}),
        "x.tar": tarred({"a.txt": "甲" * 99, "b.jsonl": MIXED.decode()}),
        "x.parquet": (tmp_path / "p.parquet").read_bytes()[:20_000] + (tmp_path / "p.parquet").read_bytes()[-3_000:],
        "x.json": json.dumps([{"text": "甲"}] * 9).encode(),
        "x.txt.zst": zst(MIXED),
        "x.tar.zst": zst(tarred({"a.txt": "甲"})),
    }[name]
    root = tmp_path / "one"
    root.mkdir()
    draw = random.Random(name)
    for _ in range(150):
        raw = bytearray(whole)
        for _ in range(draw.randrange(1, 8)):
            place = draw.randrange(len(raw))
            match draw.randrange(3):
                case 0:
                    raw[place] = draw.randrange(256)
                case 1:
                    del raw[place : place + draw.randrange(1, 50)]
                case _:
                    raw[place:place] = draw.randbytes(draw.randrange(1, 50))
            raw = raw or bytearray(b"x")
        (root / name).write_bytes(raw)
        one = scan(root, LIMIT)
        ids = [seed.name for seed in one.seeds] + [problem.id for problem in one.problems]
        assert ids
        assert len(ids) == len(set(ids))
        for id in ids:
            id.encode()
        assert all(isinstance(seed, Read) for seed in read_all(root, one.seeds))


def test_every_kind_gets_into_the_corpus_and_back(tmp_path: Path) -> None:
    root, output = tmp_path / "seeds", tmp_path / "output"
    all_kinds(root)
    (root / "mixed.jsonl").write_bytes(MIXED)
    version = build(root, output)
    assert version.manifest.counts["documents"] == 4 * 3_000 + 2 * 400 + 100 + 2 + len(MIXED_TEXTS)
    assert version.manifest.counts["quarantined"] == len(MIXED_PROBLEMS)
    assert not list(verify(Store(output), version))
    known = {seed.name: seed for seed in read_all(root, scan(root, LIMIT).seeds) if isinstance(seed, Read)}
    draw = random.Random(3)
    for id in draw.sample(sorted(known), 40):
        assert version.seed_bytes(id) == known[id].raw
        assert version.document(id).record == known[id].record
    rows = version.read("documents", ["id", "seed_container", "seed_record", "seed_url"])
    of = {row["id"]: row for row in rows.to_pylist()}
    assert of["mixed.jsonl#a17"] == {
        "id": "mixed.jsonl#a17",
        "seed_container": "mixed.jsonl",
        "seed_record": '{"id":"a17","url":"http://example.org/1"}',
        "seed_url": "http://example.org/1",
    }
    assert of["plain.txt"]["seed_container"] is None
    bad = {row["id"]: row["seed_container"] for row in version.read("quarantine").to_pylist()}
    assert bad == {f"mixed.jsonl{label}": "mixed.jsonl" for label in MIXED_PROBLEMS}


def test_one_record_of_ten_thousand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root, output = tmp_path / "seeds", tmp_path / "output"
    many = [{"id": f"r{number}", "text": f"正文，{number}。"} for number in range(10_000)]
    write_seeds(root, {"x.jsonl.gz": gzip.compress(lines(*many)), "bad.jsonl": MIXED})
    first = build(root, output)
    many[4_711] |= {"text": "别的，正文。"}
    many.insert(17, {"id": "new", "text": "新的，正文。"})
    write_seeds(root, {"x.jsonl.gz": gzip.compress(lines(*many))})
    store = Store(output)
    plan = store.plan(scan(root, LIMIT, None, None, store.containers(FINGERPRINT)), FINGERPRINT)
    assert [seed.name for seed in plan.to_clean] == ["x.jsonl.gz#new", "x.jsonl.gz#r4711"]
    second = build(root, output)
    assert not list(verify(store, second))
    assert second.document("x.jsonl.gz#r4711").text == "别的，正文。"
    # nothing changed: no container is parsed, and there is no third version
    monkeypatch.setattr(seeds, "opened", lambda *_: pytest.fail("a container was read again"))
    assert build(root, output).number == second.number
    # all places are those of the present file, also of the records that were not cleaned again
    assert store.containers(FINGERPRINT)["x.jsonl.gz"].seeds == [
        seed for seed in plan.members if isinstance(seed, Member) and seed.container == "x.jsonl.gz"
    ]
    assert first.document("x.jsonl.gz#r4711").text == "正文，4711。"


def test_an_unchanged_container_beside_a_changed_one_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, output = tmp_path / "seeds", tmp_path / "output"
    write_seeds(root, {"a.jsonl": MIXED, "b.jsonl": lines({"text": "一"})})
    build(root, output)
    write_seeds(root, {"b.jsonl": lines({"text": "二"}, {"text": "三"})})
    parsed: list[int] = []
    made = containers.opened

    def counted(file: IO[bytes], size: int, kind: Kind, reading: Reading) -> Container:
        parsed.append(size)
        return made(file, size, kind, reading)

    monkeypatch.setattr(seeds, "opened", counted)
    version = build(root, output)
    assert set(parsed) == {(root / "b.jsonl").stat().st_size}
    assert version.manifest.counts["unchanged"] == len(MIXED_TEXTS) + len(MIXED_PROBLEMS)
    assert {row["kind"] for row in version.read("quarantine").to_pylist()} == set(MIXED_PROBLEMS.values())


def test_a_container_that_changed_meanwhile_is_read_again(tmp_path: Path) -> None:
    root, output = tmp_path / "seeds", tmp_path / "output"
    write_seeds(root, {"a.jsonl": lines({"text": "一"}, {"text": "二"})})
    store = Store(output)
    with store.writer_lock():
        plan = store.plan(scan(root, LIMIT), FINGERPRINT)
        problem = Problem("a.jsonl:2", "changed", "it changed", None, "a.jsonl")
        from corpus_samples import START, cleaned

        staged = store.staging(FINGERPRINT).write([cleaned("一".encode(), "a.jsonl:1")], [problem])
        store.commit(plan, [staged], {"code": "0"}, START)
    assert store.containers(FINGERPRINT) == {}
    version = build(root, output)
    assert version.manifest.counts["documents"] == 2


def test_another_pipeline_reads_all_containers_again(tmp_path: Path) -> None:
    root, output = tmp_path / "seeds", tmp_path / "output"
    write_seeds(root, {"a.jsonl": MIXED})
    build(root, output)
    assert Store(output).containers(FINGERPRINT).keys() == {"a.jsonl"}
    assert Store(output).containers("0" * 64) == {}


def test_a_corpus_from_before_there_were_containers(tmp_path: Path) -> None:
    root, output = tmp_path / "seeds", tmp_path / "output"
    write_seeds(root, {"a.txt": "正文，一。", "bad.txt": b"\xff\xff"})
    old = build(root, output)
    new = {"container", "container_sha256", "entry", "offset", "seed_container", "seed_record", "seed_url"}
    for file in old.path.rglob("*.parquet"):
        table = pq.read_table(file)
        file.unlink()
        pq.write_table(table.select([name for name in table.column_names if name not in new]), file)
    about = old.path / "_manifest.json"
    about.chmod(0o644)
    about.write_text(json.dumps(json.loads(about.read_text()) | {"schema_version": 2}))
    store = Store(output)
    before = store.version(1)
    assert before.document("a.txt").record is None
    assert before.seed_bytes("a.txt").decode() == "正文，一。"
    assert before.read("documents", ["seed_container"]).to_pylist() == [{"seed_container": None}]
    assert store.containers(FINGERPRINT) == {}
    write_seeds(root, {"b.jsonl": lines({"text": "二"})})
    assert [seed.name for seed in store.plan(scan(root, LIMIT), FINGERPRINT).to_clean] == [
        "a.txt",
        "b.jsonl:1",
        "bad.txt",
    ]
    assert not list(verify(store, build(root, output)))


def test_a_renamed_container_is_not_cleaned_again(tmp_path: Path) -> None:
    root, output = tmp_path / "seeds", tmp_path / "output"
    write_seeds(root, {"a.jsonl": lines({"id": "x", "text": "一，"}, {"text": "二，"}), "f.txt": "三，"})
    build(root, output)
    (root / "a.jsonl").rename(root / "b.jsonl")
    (root / "f.txt").unlink()
    write_seeds(root, {"z.zip": zipped({"f.txt": "三，"})})
    store = Store(output)
    plan = store.plan(scan(root, LIMIT), FINGERPRINT)
    assert not plan.to_clean
    assert plan.moved == {"a.jsonl#x": "b.jsonl#x", "a.jsonl:2": "b.jsonl:2", "f.txt": "z.zip/f.txt"}
    version = build(root, output)
    assert not list(verify(store, version))
    rows = version.read("documents", ["id", "seed_container"]).to_pylist()
    assert {row["id"]: row["seed_container"] for row in rows} == {
        "b.jsonl#x": "b.jsonl",
        "b.jsonl:2": "b.jsonl",
        "z.zip/f.txt": "z.zip",
    }
    (root / "z.zip").unlink()
    write_seeds(root, {"g.txt": "三，"})
    assert build(root, output).document("g.txt").record is None


def test_content_ids_do_not_depend_on_how_a_container_is_packed(tmp_path: Path) -> None:
    ids = set()
    for number, level in enumerate((1, 9)):
        root = tmp_path / str(number)
        write_seeds(root, {"a.jsonl.gz": gzip.compress(lines(*({"text": f"正文{n}"} for n in range(99))), level)})
        ids.add(build(root, tmp_path / f"out{number}").manifest.content_id)
    assert len(ids) == 1


@pytest.mark.parametrize("name", ["x.jsonl", "x.zip", "x.parquet", "x.txt.gz"])
def test_clean_says_what_to_do_with_a_container(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"x")
    done = CliRunner().invoke(cli.main, ["clean", str(tmp_path / name)])
    assert done.exit_code == cli.MISUSED
    assert "jingwen build" in done.output


def test_the_flow_over_all_containers(server: dict[str, str], tmp_path: Path) -> None:
    all_kinds(tmp_path / "seeds")
    for name in ("a.jsonl", "c.jsonl.zst", "p.parquet"):
        (tmp_path / "seeds" / name).unlink()
    many = "他们一边唱歌一边干活，太阳下山了还不想回家，村里的老人都说好多年没有见过这样的年轻人。"
    write_seeds(
        tmp_path / "seeds",
        {
            "b.jsonl.gz": gzip.compress(lines({"id": "a17", "text": f"{many}\n{many[::-1]}", "url": "http://a.cn/1"})),
            "gbk.zip": foreign_zip({"报告/春耕.txt".encode("gbk"): many.encode("gbk")}),
            "bad.jsonl": MIXED,
            "story.jsonl": lines({"story": many, "key": "k"}),
        },
    )
    done = jingwen("build", env=server, cwd=tmp_path)
    assert done.returncode == cli.QUARANTINED, done.stderr
    assert "story.jsonl:1 (no_text)" in done.stdout
    shown = jingwen("show", "b.jsonl.gz#a17", env=server, cwd=tmp_path)
    assert shown.returncode == 0, shown.stderr
    assert "http://a.cn/1" in shown.stdout
    restored = jingwen("restore", "gbk.zip/报告/春耕.txt", "--to", "r.txt", env=server, cwd=tmp_path)
    assert restored.returncode == 0, restored.stderr
    assert (tmp_path / "r.txt").read_bytes() == many.encode("gbk")
    assert jingwen("verify", env=server, cwd=tmp_path).returncode == 0
    again = jingwen("build", env=server, cwd=tmp_path)
    assert "Nothing changed" in again.stdout
    named = jingwen("build", "--text-field", "story", "--id-field", "key", "--output", "o", env=server, cwd=tmp_path)
    assert named.returncode == cli.QUARANTINED, named.stderr
    assert Store(tmp_path / "o").latest().document("story.jsonl#k").text.startswith("他们一边")  # type: ignore[union-attr]


def test_kinds_by_name() -> None:
    kinds = {
        name: containers.kind_of(name)
        for name in ("a.txt", "a", ".gz", "a.tgz", "a.jsonl.gz.gz", "d.zip/a.txt", "a.tar.zst", "a.html.gz")
    }
    assert kinds == {
        "a.txt": None,
        "a": None,
        ".gz": None,
        "a.tgz": ("tar", "gz"),
        "a.jsonl.gz.gz": ("single", "gz"),
        "d.zip/a.txt": None,
        "a.tar.zst": ("tar", "zst"),
        "a.html.gz": ("single", "gz"),
    }
