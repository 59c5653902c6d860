"""Parquet files as containers: a record per row."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from . import records
from .pieces import CHUNK, Piece, allowed, bomb, damage, of_record, too_large
from .records import Reading

BATCH_BYTES = 8 << 20  # bytes of rows that are in memory at a time, about
DICTIONARY_SHARE = 0.5
TIGHTEST_TEXT = 20  # times that text is packed at most
MOST_ROWS = 1_024  # rows that are
HEAVY = 64 << 20  # bytes of rows that may be in memory with a copy of its words in each


class Rows:
    """A Parquet file: a record per row."""

    def __init__(self, file: IO[bytes], size: int, reading: Reading) -> None:
        self._reading = reading
        self._allowed = allowed(size, "parquet", reading)
        with damage():
            # a text that a dictionary holds once must not be in memory once per row: it may be a bomb
            words, mixed = _dictionaries(pq.read_metadata(file))
            file.seek(0)
            self._file = pq.ParquetFile(file, buffer_size=CHUNK, pre_buffer=False, read_dictionary=words)
            self._mixed = mixed
            # columns that are a dictionary in part: how long its words are, only the dictionary tells
            self._probe = pq.ParquetFile(file, buffer_size=CHUNK, pre_buffer=False, read_dictionary=mixed)
            about = self._file.metadata
            groups = [about.row_group(number) for number in range(about.num_row_groups)]
            self._ends: list[int] = []
            for group in groups:
                self._ends.append(group.num_rows + (self._ends[-1] if self._ends else 0))
            self._sizes = [group.total_byte_size for group in groups]
            schema = self._file.schema_arrow
            self._plain = pa.schema([pa.field(one.name, _plain(one.type)) for one in schema])
        self._too_large = 0  # bytes of the present row, if it is not shown for its size
        self._batches = self._from(0)
        self._passed = 0  # number of the row that the batches have next
        self._first, self._batch = 0, list[pa.Array]()  # the present batch: number of its first row, its columns

    def pieces(self) -> Iterator[Piece]:
        unpacked = 0
        for first, batch in self._from(0):
            columns = self._columns(batch)
            for row in range(batch.num_rows):
                piece = self._of_row(first + row, columns, row)
                unpacked += len(piece.raw) + len(piece.fields) or piece.size or 0
                if unpacked > self._allowed:
                    raise bomb(self._allowed)
                yield piece

    def at(self, entry: int, offset: int) -> Piece:
        if not self._ends or offset >= self._ends[-1]:
            raise LookupError
        if not self._batch or not self._first <= offset < self._first + len(self._batch[0]):
            self._go_to(offset)
        return self._of_row(offset, self._batch, offset - self._first)

    def _go_to(self, row: int) -> None:
        """Makes the batch that holds this row the present one."""
        group = next(number for number, end in enumerate(self._ends) if row < end)
        start = self._ends[group - 1] if group else 0
        if not start <= self._passed <= row:
            self._batches, self._passed = self._from(group), start
        for first, batch in self._batches:
            self._passed = first + batch.num_rows
            if row < self._passed:
                self._first, self._batch = first, self._columns(batch)
                return
        raise LookupError

    def _from(self, group: int) -> Iterator[tuple[int, pa.RecordBatch]]:
        """The batches from a row group on, each with the number of its first row."""
        row = self._ends[group - 1] if group else 0
        for number in range(group, len(self._ends)):
            rows = self._ends[number] - row
            if self._sizes[number] > self._allowed:
                raise bomb(self._allowed)
            size = max(1, min(MOST_ROWS, BATCH_BYTES * rows // max(1, self._sizes[number])))
            with damage(f"its row group {number + 1}"):
                size = max(1, min(size, HEAVY // max(1, self._longest_word(number))))
                batches = self._file.iter_batches(size, row_groups=[number], use_threads=False)
                while (batch := next(batches, None)) is not None:
                    for part in _light(batch):
                        yield row, part
                        row += part.num_rows

    def _longest_word(self, group: int) -> int:
        """Bytes of the longest word in the dictionaries of the group's columns that are a dictionary in part."""
        if not self._mixed:
            return 0
        batch = next(self._probe.iter_batches(1, row_groups=[group], columns=self._mixed, use_threads=False))
        words = [column.dictionary for column in batch.columns if pa.types.is_dictionary(column.type)]
        return max((pc.max(pc.binary_length(one)).as_py() or 0 for one in words if len(one)), default=0)

    def _columns(self, batch: pa.RecordBatch) -> list[pa.Array]:
        """The batch's columns as they are shown; of one row that is too large none."""
        with damage("a row"):
            if batch.num_rows == 1 and (size := sum(map(_weight, batch.columns))) > self._most_in_row():
                self._too_large = size
                return []
            return [
                column if column.type == field.type else column.cast(field.type)
                for column, field in zip(batch.columns, self._plain, strict=True)
            ]

    def _most_in_row(self) -> int:
        return max(HEAVY, 2 * self._reading.max_seed_bytes)

    def _of_row(self, number: int, columns: list[pa.Array], row: int) -> Piece:
        if not columns and len(self._plain):
            reason = too_large(f"row {number + 1}", self._too_large, self._reading)
            return Piece(0, number, "", f":{number + 1}", self._too_large, kind="too_large", reason=reason)
        with damage("a row"):
            found = {field.name: column[row].as_py() for field, column in zip(self._plain, columns, strict=True)}
        where = Piece(0, number, "", f":{number + 1}", None)
        return of_record(where, f"row {number + 1}", lambda: records.of_mapping(found, self._reading), self._reading)


def _dictionaries(about: pq.FileMetaData) -> tuple[list[str], list[str]]:
    """Paths of the columns of texts or bytes that are to be read as dictionaries: where these are most of the column,
    or it is packed as tightly as text never is, and all lists, of which a row may have any number of words.  For all
    others it would take twice the time: they are the second answer."""
    sizes: dict[str, list[int]] = {}
    lists: set[str] = set()
    for group in range(about.num_row_groups):
        for column in map(about.row_group(group).column, range(about.num_columns)):
            if column.has_dictionary_page and column.physical_type == "BYTE_ARRAY":
                sums = sizes.setdefault(column.path_in_schema, [0, 0, 0])
                sums[0] += column.data_page_offset - (column.dictionary_page_offset or 0)
                sums[1] += column.total_compressed_size
                sums[2] += column.total_uncompressed_size
    for place in range(about.num_columns):
        one = about.schema.column(place)
        if one.max_repetition_level:
            lists.add(one.path)
    read = [
        name
        for name, (words, packed, unpacked) in sizes.items()
        if name in lists or words > DICTIONARY_SHARE * packed or unpacked > TIGHTEST_TEXT * packed
    ]
    return read, [name for name in sizes if name not in read]


def _light(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """The batch, or parts of it that are no heavier than HEAVY or one row."""
    if batch.num_rows <= 1 or sum(map(_weight, batch.columns)) <= HEAVY:
        yield batch
        return
    half = batch.num_rows // 2
    yield from _light(batch.slice(0, half))
    yield from _light(batch.slice(half))


def _weight(column: pa.Array) -> int:
    """Bytes of the column when each row has its own copy of the words of its dictionary.  Rows, but not words, are
    counted twice where a list or a map is sliced: a few bytes each."""
    kind = column.type
    if pa.types.is_dictionary(kind) and (pa.types.is_string(kind.value_type) or pa.types.is_binary(kind.value_type)):
        sizes = pc.binary_length(column.dictionary).cast(pa.int64())
        return int(pc.sum(sizes.take(column.indices)).as_py() or 0)
    if pa.types.is_struct(kind):
        return sum(_weight(column.field(i)) for i in range(kind.num_fields))
    if pa.types.is_map(kind):
        start, end = column.offsets[0].as_py(), column.offsets[-1].as_py()
        return sum(_weight(one.slice(start, end - start)) for one in (column.keys, column.items))
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return _weight(column.flatten())
    return 0


def _plain(kind: pa.DataType) -> pa.DataType:
    """The type with text for dates, times and decimals, which JSON does not know, at any depth."""
    if pa.types.is_temporal(kind) and not pa.types.is_duration(kind) and not pa.types.is_interval(kind):
        return pa.string()
    if pa.types.is_decimal(kind):
        return pa.string()
    if pa.types.is_duration(kind):
        return pa.int64()
    if pa.types.is_dictionary(kind):
        return kind if kind.value_type == _plain(kind.value_type) else _plain(kind.value_type)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return pa.list_(pa.field("element", _plain(kind.value_type)))
    if pa.types.is_struct(kind):
        return pa.struct([pa.field(one.name, _plain(one.type)) for one in kind])
    return kind
