"""Edits in columns: they equal the tuple that they were, and do the same."""

import pickle
from collections.abc import Generator, Iterator

import pytest

from cleaners import Edit, EditError, apply, undo
from cleaners.edit_columns import FEW, TOGETHER, ManyEdits, befores, carry_out, ends_after, lifting
from cleaners.edits import Positions
from cleaners.ignored import of_gaps

NUMBER = 2 * TOGETHER + 7
TEXT = "甲,乙 " * NUMBER


def widths() -> list[Edit]:
    return [Edit(4 * k + 1, ",", "，", "punctuation.width") for k in range(NUMBER)]


def mixed() -> list[Edit]:
    """Of several rules and lengths, with values, moves and copies."""
    edits = []
    for k in range(NUMBER):
        start = 4 * k
        if k % 3 == 0:
            edits.append(Edit(start, "甲,", "", "metadata.author", "authors"))
        elif k % 3 == 1:
            edits.append(Edit(start + 1, "", "乙 ", "line_splits.moved", ref=start + 2))
        else:
            edits.append(Edit(start + 2, "乙 ", "丙丁", "mojibake.gbk"))
    return edits


def of(edits: list[Edit], said: str = "") -> Generator[Edit, None, str]:
    yield from edits
    return said


@pytest.mark.parametrize("edits", [widths(), mixed(), widths()[: FEW + 1], widths()[:FEW], []])
def test_many_edits_equal_a_tuple_of_them(edits: list[Edit]) -> None:
    found, text, said = carry_out(TEXT, of(edits, "¶"))
    assert isinstance(found, ManyEdits) == (len(edits) > FEW)
    assert (text, said) == (apply(TEXT, edits), "¶")
    assert found == tuple(edits)
    assert tuple(edits) == found
    assert list(found) == edits
    assert all(type(one) is Edit for one in found)
    assert len(found) == len(edits)
    assert undo(text, found) == TEXT
    assert pickle.loads(pickle.dumps(found)) == found
    assert repr(found) == repr(tuple(edits))
    assert hash(found) == hash(tuple(edits))


@pytest.mark.parametrize("edits", [widths(), mixed()])
def test_edits_are_found_by_their_number(edits: list[Edit]) -> None:
    found = carry_out(TEXT, of(edits)).edits
    assert [found[number] for number in range(len(edits))] == edits
    for number in (0, 1, TOGETHER - 1, TOGETHER, NUMBER - 1, -1, -NUMBER):
        assert found[number] == edits[number]
    assert found[5:-3:2] == tuple(edits[5:-3:2])
    with pytest.raises(IndexError):
        found[NUMBER]


def test_other_edits_are_not_equal() -> None:
    found = carry_out(TEXT, of(widths())).edits
    assert found != tuple(widths()[:-1])
    assert found != (*widths()[:-1], Edit(4 * NUMBER - 3, ",", "、", "punctuation.width"))
    assert found != widths()
    assert found != carry_out(TEXT, of(mixed())).edits


@pytest.mark.parametrize("edits", [widths(), mixed(), mixed()[:FEW]])
def test_columns_tell_what_the_edits_tell(edits: list[Edit]) -> None:
    found, _, _ = carry_out(TEXT, of(edits))
    assert list(befores(found)) == [edit.before for edit in edits]
    assert list(lifting(found)) == [edit for edit in edits if edit.field]
    shift, ends = 0, []
    for edit in edits:
        shift += len(edit.after) - len(edit.before)
        ends.append(edit.end + shift)
    assert ends_after(found) == ends
    assert Positions(found).old_span(3, 4000) == Positions(tuple(edits)).old_span(3, 4000)


def test_gaps_are_read_from_columns() -> None:
    edits = [Edit(3 * k, "\n", "\n\n", "layout.paragraph_gap") for k in range(NUMBER)]
    for some in (edits, [Edit(0, " ", "", "layout.margin"), *edits[1:]]):
        assert of_gaps(
            carry_out("\n甲乙" * NUMBER if some is edits else " 甲乙" + "\n甲乙" * NUMBER, of(some)).edits
        ) == {edit.before for edit in some}
    behind = [*edits[:-1], Edit(3 * NUMBER - 3, " \n", "\n\n", "layout.paragraph_gap")]
    text = "\n甲乙" * (NUMBER - 1) + " \n甲乙"
    assert of_gaps(carry_out(text, of(behind)).edits) == {"\n", " ", "$"}


def wrong() -> Iterator[Edit]:
    at = 4 * (NUMBER - 1)
    yield Edit(at, "乙", "丙", "test.other_text")
    yield Edit(at + 1, ",", ",", "test.no_change")
    yield Edit(at + 1, ",", "，", "")
    yield Edit(at - 3, ",", "，", "test.overlap")
    yield Edit(at + 1, "", "丁", "test.moved", ref=0)


@pytest.mark.parametrize("edit", list(wrong()))
def test_an_edit_that_does_not_fit_is_refused(edit: Edit) -> None:
    with pytest.raises(EditError):
        carry_out(TEXT, of([*widths()[:-1], edit]))


def test_insertions_before_the_first_character() -> None:
    edits = [Edit(0, "", "甲", "test.insertion")] * (FEW + 1)
    assert carry_out("乙", of(edits)).text == "甲" * (FEW + 1) + "乙"
