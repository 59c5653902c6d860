"""The schema: every column says what it means, and the documentation says the same."""

from pathlib import Path

import pyarrow as pa
import pytest

from corpus.schema import SCHEMA_VERSION, SCHEMAS, TABLES, describe

FORMATS = Path(__file__).parent.parent / "docs" / "formats.md"


@pytest.mark.parametrize("table", SCHEMAS)
def test_the_documentation_has_the_schema(table: str) -> None:
    section = FORMATS.read_text("utf-8").split(f"\n## {table}\n")[1].split("\n## ")[0]
    found = "\n".join(line for line in section.split("\n") if line.startswith("|"))
    assert found == describe(table), f"put this into docs/formats.md:\n{describe(table)}"


def test_the_documentation_has_the_schema_version() -> None:
    assert f"Schema version: {SCHEMA_VERSION}\n" in FORMATS.read_text("utf-8")


@pytest.mark.parametrize("table", SCHEMAS)
def test_every_column_has_a_meaning_and_every_table_an_id(table: str) -> None:
    schema = SCHEMAS[table]
    assert schema.names[0] == "id"
    assert len(set(schema.names)) == len(schema.names)
    for field in schema:
        assert field.metadata[b"meaning"].strip()
        assert b"|" not in field.metadata[b"meaning"]
    assert schema.metadata == {
        b"jingwen.table": table.encode(),
        b"jingwen.schema_version": str(SCHEMA_VERSION).encode(),
    }


def test_ids_hashes_and_counts_are_never_null() -> None:
    for table in TABLES:
        assert not SCHEMAS[table].field("id").nullable
    for column in ("text", "seed_sha256", "seed_bytes", "encoding", "n_chars", "paragraphs", "flags"):
        assert not SCHEMAS["documents"].field(column).nullable


def test_only_types_that_all_readers_have() -> None:
    """No large_string, no map, no view: pandas, polars, duckdb, Spark and datasets read the rest alike."""

    def plain(kind: pa.DataType) -> bool:
        if pa.types.is_list(kind):
            return plain(kind.value_type)
        if pa.types.is_struct(kind):
            return all(plain(member.type) for member in kind)
        return kind in (pa.string(), pa.int32(), pa.int64(), pa.float64(), pa.binary())

    for schema in SCHEMAS.values():
        for field in schema:
            assert plain(field.type), field
