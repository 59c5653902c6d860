"""Runs: sorted rows out of many files come in one order, whatever is in memory at a time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus import merge, parts, runs
from corpus.parts import StoreError
from corpus.schema import COMPARISONS, REPRINTS

Rows = list[tuple[str, str]]


def table(rows: Rows) -> pa.Table:
    """Rows of `comparisons`, whose order is that of id and other."""
    columns = [[one for one, _ in rows], [other for _, other in rows], [0.5] * len(rows)]
    return pa.Table.from_arrays(
        [pa.array(values, field.type) for values, field in zip(columns, COMPARISONS, strict=True)], schema=COMPARISONS
    )


def run(rows: Rows, size: int) -> list[runs.Run]:
    ordered = table(sorted(rows))
    if not rows:
        return []

    def tables() -> Iterator[pa.Table]:
        for start in range(0, len(rows), size):
            yield ordered.slice(start, size)
            yield ordered.slice(0, 0)

    return [runs.Run(ordered["id"][0].as_py(), ordered["id"][-1].as_py(), tables)]


def pairs(tables: Iterator[pa.Table]) -> Rows:
    return [(one["id"], one["other"]) for rows in tables for one in rows.to_pylist()]


IDS = st.sampled_from(["a", "b", "ba", "c", "d", "é", "字", "𠀀"])
ROWS = st.lists(st.tuples(IDS, st.text("xyz", min_size=1, max_size=2)), max_size=12)


@settings(max_examples=200, deadline=None)
@given(several=st.lists(ROWS, max_size=7), size=st.integers(1, 4), most_open=st.sampled_from([2, 3, 64]))
def test_runs_are_merged_in_order(
    tmp_path_factory: pytest.TempPathFactory, several: list[Rows], size: int, most_open: int
) -> None:
    folder = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runs, "MOST_OPEN", most_open)
        every = [one for rows in several for one in run(rows, size)]
        assert pairs(runs.merged(every, "comparisons", folder)) == sorted(row for rows in several for row in rows)
    assert list(folder.iterdir()) == []


def test_runs_one_after_the_other_are_not_open_at_once(tmp_path: Path) -> None:
    opened: list[str] = []

    def noted(name: str) -> Iterator[pa.Table]:
        opened.append(name)
        yield table([(name, "x"), (f"{name}z", "x")])

    many = [runs.Run(name, f"{name}z", lambda name=name: noted(name)) for name in "abc"]  # type: ignore[misc]
    rows = runs.merged(many, "comparisons", tmp_path)
    next(rows)
    assert opened == ["a"]
    assert [one for one, _ in pairs(rows)] == ["az", "b", "bz", "c", "cz"][-5:]
    assert opened == ["a", "b", "c"]


def test_files_of_a_merge_that_is_given_up_are_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "MOST_OPEN", 2)
    rows = runs.merged([one for _ in range(5) for one in run([("a", "x"), ("b", "y")], 1)], "comparisons", tmp_path)
    next(rows)
    assert list(tmp_path.iterdir())
    rows.close()  # type: ignore[attr-defined]
    assert list(tmp_path.iterdir()) == []


def test_rows_in_a_file_are_found_by_their_ids(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "ROWS", 2)
    file = tmp_path / "rows"
    rows = [(f"{number:02}", "x") for number in range(9)]
    spilled = runs.spilled([table(rows[:5]), table([]), table(rows[5:])], "comparisons", file)
    assert [(one.min_id, one.max_id) for one in spilled.runs()] == [("00", "08")]
    assert pairs(spilled.between()) == rows
    assert {one for one, _ in pairs(spilled.between("03", "05"))} == {"02", "03", "04", "05", "06"}
    assert pairs(spilled.between("09", "10")) == []
    assert runs.spilled([table([])], "comparisons", file).runs() == []


@settings(max_examples=100, deadline=None)
@given(several=st.lists(ROWS, min_size=1, max_size=4), size=st.integers(1, 4))
def test_tables_side_by_side_are_cut_where_their_ids_are_the_same(several: list[Rows], size: int) -> None:
    streams = [
        (table([]), iter([table(sorted(rows)).slice(at, size) for at in range(0, len(rows), size)])) for rows in several
    ]
    found: list[Rows] = [[] for _ in several]
    last = ""
    for tables in runs.side_by_side(*streams):
        ids = {id for rows in tables for id in rows["id"].to_pylist()}
        assert min(ids) > last
        last = max(ids)
        for rows, one in zip(found, tables, strict=True):
            rows += pairs(iter([one]))
    assert found == [sorted(rows) for rows in several]


def test_a_cursor_hands_out_what_is_asked_for() -> None:
    cursor = runs.Cursor(table([]), iter([table([("a", "x")]), table([("b", "x"), ("c", "x")]), table([("c", "y")])]))
    assert pairs(iter([cursor.up_to("")])) == []
    assert pairs(iter([cursor.up_to("b")])) == [("a", "x"), ("b", "x")]
    assert pairs(iter([cursor.up_to("c")])) == [("c", "x"), ("c", "y")]
    assert pairs(iter([cursor.up_to("z")])) == []
    assert not cursor


@pytest.mark.parametrize("per_group", [1, 3, 1000])
def test_a_part_is_the_same_however_its_rows_came(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, per_group: int
) -> None:
    monkeypatch.setitem(parts.ROWS_PER_GROUP, "comparisons", per_group)
    rows = [(f"{number:02}", other) for number in range(7) for other in "xy"]
    whole = parts.write(table(rows[::-1]), "comparisons", tmp_path)
    pieces = [table(rows[:1]), table(rows[1:9]), table([]), table(rows[9:])]
    (tmp_path / "other").mkdir()
    assert parts.write_sorted(pieces, "comparisons", tmp_path / "other") == whole
    assert pairs(parts.groups(tmp_path / whole.file, "comparisons")) == rows
    assert [path.name for path in (tmp_path / "other").iterdir()] == [whole.file]


@pytest.mark.parametrize("cut", [1, 2, 3, 5, 8])
def test_the_row_that_fills_a_group_ends_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cut: int) -> None:
    monkeypatch.setattr(parts, "GROUP_BYTES", 40)
    rows = [(f"{number:02}", "x" * size) for number, size in enumerate([1, 50, 1, 20, 20, 1, 1, 1])]
    pieces = [table(rows[:cut]), table(rows[cut:])]
    part = parts.write_sorted(pieces, "comparisons", tmp_path)
    file = pq.ParquetFile(tmp_path / part.file).metadata
    assert [file.row_group(number).num_rows for number in range(file.num_row_groups)] == [2, 3, 3]
    assert pairs(parts.groups(tmp_path / part.file, "comparisons")) == rows


def test_what_is_read_at_a_time_has_few_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [(f"{number:04}", "x" * 50) for number in range(1000)]
    part = parts.write(table(rows), "comparisons", tmp_path)
    assert [one.num_rows for one in parts.pieces(tmp_path / part.file, "comparisons")] == [1000]
    monkeypatch.setattr(parts, "PIECE_BYTES", 2_000)
    found = list(parts.pieces(tmp_path / part.file, "comparisons"))
    assert pairs(iter(found)) == rows
    assert max(one.num_rows for one in found) < 200


def test_a_part_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    def rows() -> Iterator[pa.Table]:
        yield table([("a", "x")])
        raise OSError(28, "the disk is full")

    with pytest.raises(OSError, match="the disk is full"):
        parts.write_sorted(rows(), "comparisons", tmp_path)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ValueError, match="does not have its schema"):
        parts.write_sorted([REPRINTS.empty_table()], "comparisons", tmp_path)


def test_a_damaged_part_is_told(tmp_path: Path) -> None:
    made = parts.write(table([("a", "x")]), "comparisons", tmp_path)
    file = tmp_path / made.file
    file.chmod(0o644)
    file.write_bytes(file.read_bytes()[:-9])
    for read in (parts.groups, parts.pieces):
        with pytest.raises(StoreError, match="missing or damaged: restore it from a copy"):
            list(read(file, "comparisons"))


@settings(max_examples=60, deadline=None)
@given(
    base=st.sets(st.integers(0, 60), min_size=1),
    gone=st.sets(st.integers(0, 60)),
    fresh=st.lists(st.sets(st.integers(0, 60)), max_size=4),
    small=st.sampled_from([0, 1 << 20]),
)
def test_the_next_version_of_a_table(
    tmp_path_factory: pytest.TempPathFactory, base: set[int], gone: set[int], fresh: list[set[int]], small: int
) -> None:
    """What was there without what is gone, and all that is new; parts that nothing touches are the same files."""
    folder = tmp_path_factory.mktemp("merge")
    (folder / "base").mkdir()

    def written(name: str, numbers: set[int]) -> merge.Source:
        rows = [(f"{number:03}", name) for number in numbers]
        part = parts.write(table(rows), "comparisons", folder / "base")
        return merge.Source(folder / "base" / part.file, part)

    old = [written("old", {one for one in base if one * 3 // 61 == third}) for third in range(3)]
    new = [written(f"new{number}", numbers - base | (numbers & gone)) for number, numbers in enumerate(fresh)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(merge, "SMALL_PART", small)
        doomed = sorted(f"{number:03}" for number in gone)
        made = merge.write_table("comparisons", old, new, doomed, folder / "comparisons")
    found = pairs(iter([parts.read([folder / "comparisons" / part.file], "comparisons") for part in made]))
    expected = [(f"{one:03}", "old") for one in base - gone]
    for number, numbers in enumerate(fresh):
        expected += [(f"{one:03}", f"new{number}") for one in numbers - base | (numbers & gone)]
    assert sorted(found) == sorted(expected)
    assert sorted(path.name for path in (folder / "comparisons").iterdir()) == sorted({part.file for part in made})
    for one in old:
        ids = {id for id, _ in pairs(parts.groups(one.path, "comparisons"))}
        if ids and not ids & set(doomed) and not small:
            assert one.part.sha256 in {part.sha256 for part in made}
