"""The edit engine: apply, undo, between, and the way from new positions to old ones and back."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleaners import Edit, EditError, apply, between, undo
from cleaners.edits import LONGEST_COMPARED, Positions

TEXTS = st.text(alphabet="甲乙丙，。, \n\u3000😀a1", max_size=60)


def random_edits(text: str, choose: random.Random) -> list[Edit]:
    """Sorted, not overlapping, each changing something; some of them move text."""
    edits: list[Edit] = []
    place = 0
    while place <= len(text) and len(edits) < 8:
        start = place + choose.randrange(0, 6)
        end = min(len(text), start + choose.randrange(0, 4))
        if start > len(text):
            break
        before = text[start:end]
        after = "".join(choose.choice("甲，\n x") for _ in range(choose.randrange(0, 4)))
        if not before and choose.random() < 0.3 and text:
            ref = choose.randrange(len(text))
            after = text[ref : ref + choose.randrange(1, 4)]
            edits.append(Edit(start, "", after, "test.move", ref=ref))
        elif before != after:
            edits.append(Edit(start, before, after, "test.change"))
        place = end + (not before)
    return edits


@given(TEXTS, st.integers(0, 2**32))
def test_undo_takes_back_what_apply_did(text: str, seed: int) -> None:
    edits = random_edits(text, random.Random(seed))
    assert undo(apply(text, edits), edits) == text


@given(TEXTS, TEXTS)
def test_between_turns_the_one_into_the_other(old: str, new: str) -> None:
    edits = list(between(old, new, "test.between"))
    assert apply(old, edits) == new


@given(TEXTS, TEXTS, st.integers(0, 20))
def test_between_counts_from_its_start(old: str, new: str, offset: int) -> None:
    head = "头" * offset
    assert apply(head + old, between(old, new, "test.between", offset)) == head + new


def test_between_leaves_what_did_not_change() -> None:
    edits = list(between("一二三\n四五六", "一二叁\n四五六", "test.between"))
    assert edits == [Edit(2, "三", "叁", "test.between")]


def test_between_makes_one_edit_of_a_stretch_that_is_too_long_to_compare() -> None:
    old, new = "甲" * (LONGEST_COMPARED + 1), "乙" * (LONGEST_COMPARED + 2)
    assert list(between(old, new, "test.between")) == [Edit(0, old, new, "test.between")]


@pytest.mark.parametrize(
    ("edits", "message"),
    [
        ([Edit(0, "乙", "丙", "r.x")], "the text has '甲' there"),
        ([Edit(-1, "", "丙", "r.x")], "overlaps"),
        ([Edit(4, "", "丙", "r.x")], "the text has '' there"),
        ([Edit(2, "丙丁", "", "r.x")], "the text has '丙' there"),
        ([Edit(0, "甲乙", "", "r.x"), Edit(1, "乙", "", "r.x")], "overlaps"),
        ([Edit(1, "乙", "", "r.x"), Edit(0, "甲", "", "r.x")], "overlaps"),
        ([Edit(0, "甲", "甲", "r.x")], "changes nothing"),
        ([Edit(0, "", "", "r.x")], "changes nothing"),
        ([Edit(0, "甲", "", "")], "names no rule"),
        ([Edit(0, "", "丁", "r.x", ref=1)], "moves text that does not stand at 1"),
    ],
)
def test_apply_refuses_an_edit_that_does_not_fit(edits: list[Edit], message: str) -> None:
    with pytest.raises(EditError, match=message):
        apply("甲乙丙", edits)


def test_undo_refuses_an_edit_that_does_not_fit() -> None:
    with pytest.raises(EditError, match="cannot be undone"):
        undo("甲乙丙", [Edit(0, "一", "二", "r.x")])


@given(TEXTS, st.integers(0, 2**32))
def test_a_kept_character_leads_to_itself_and_back(text: str, seed: int) -> None:
    edits = random_edits(text, random.Random(seed))
    positions, new = Positions(edits), apply(text, edits)
    shift, edges = 0, []
    for edit in edits:
        edges.append((edit.start + shift, edit.start + shift + len(edit.after)))
        shift += len(edit.after) - len(edit.before)
    for place in range(len(new)):
        if any(a <= place < b for a, b in edges):
            continue
        start, end = positions.old_span(place, place + 1)
        assert end == start + 1
        assert text[start] == new[place]
        moved = any(e.ref >= 0 and e.ref <= start < e.ref + len(e.after) for e in edits)
        if not moved:
            assert positions.new_span(start, end) == (place, place + 1)


@given(TEXTS, st.integers(0, 2**32))
def test_every_old_character_is_kept_or_in_an_edit(text: str, seed: int) -> None:
    edits = random_edits(text, random.Random(seed))
    positions, new = Positions(edits), apply(text, edits)
    reached = {positions.old_span(i, i + 1)[0] for i in range(len(new))}
    for place in range(len(text)):
        assert place in reached or any(e.start <= place < e.end for e in edits)


def test_spans_across_a_replacement_take_all_of_it_in() -> None:
    positions = Positions([Edit(2, "--", "——", "r.x"), Edit(6, "   ", "", "r.y")])
    # old: 甲乙--丙丁   戊   new: 甲乙——丙丁戊
    assert positions.old_span(1, 3) == (1, 4)
    assert positions.old_span(5, 7) == (5, 10)
    assert positions.new_span(2, 3) == (2, 4)
    assert positions.new_span(6, 9) == (6, 6)


def test_moved_text_leads_to_the_place_it_came_from() -> None:
    text = "前半句\n\n标题\n\n后半句。"
    edits = [
        Edit(0, "", "标题\n\n", "line_splits.move", ref=5),
        Edit(3, "\n\n标题\n\n", "", "line_splits.move", ref=0),
    ]
    new = apply(text, edits)
    assert new == "标题\n\n前半句后半句。"
    positions = Positions(edits)
    assert positions.old_span(0, 2) == (5, 7)
    assert positions.old_span(4, 7) == (0, 3)
    assert positions.new_span(5, 7) == (0, 2)
    assert positions.new_span(9, 12) == (7, 10)


def test_a_span_whose_edges_were_removed_keeps_its_middle() -> None:
    text = "  甲乙丙，"
    edits = [Edit(0, "  ", "", "r.x"), Edit(5, "，", "", "r.x")]
    assert apply(text, edits) == "甲乙丙"
    assert Positions(edits).new_span(0, 6) == (0, 3)
    assert Positions(edits).new_span(0, 2) == (0, 0)


@given(TEXTS, st.integers(0, 2**32), st.integers(0, 60), st.integers(0, 60))
def test_a_span_holds_the_places_of_all_its_characters(text: str, seed: int, a: int, b: int) -> None:
    edits = random_edits(text, random.Random(seed))
    positions, new = Positions(edits), apply(text, edits)
    start, end = sorted((min(a, len(text)), min(b, len(text))))
    low, high = positions.new_span(start, end)
    assert 0 <= low <= high <= len(new)
    arrivals = [e for e in edits if e.ref >= 0]
    for place in range(start, end):
        one_low, one_high = positions.new_span(place, place + 1)
        if one_low < one_high and not arrivals:
            assert low <= one_low
            assert one_high <= high
    start, end = sorted((min(a, len(new)), min(b, len(new))))
    low, high = positions.old_span(start, end)
    assert 0 <= low <= high <= len(text)
    for place in range(start, end):
        one_low, one_high = positions.old_span(place, place + 1)
        assert low <= one_low
        assert one_high <= high
