"""Signs of misreading: all lines together are told the same as each line by its windows, one after the other."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleaners import misread_signs, statistics
from cleaners.misread_units import BIG5, GB, LATIN, LOST_CHAR

PROSE = "春天到了，山上的树都绿了。小河的水慢慢地流，孩子们在河边放风筝，老人坐在桥头聊天。"
CHARS = statistics.signatures() + PROSE + LOST_CHAR + "aé€ 09?\r\ud800\U00020000Ôò\xad"


def one_by_one(line: str) -> misread_signs.Parts:
    """What the windows of a line say, one after the other."""
    parts: dict[str, list[tuple[int, int]]] = {}
    if misread_signs.LATIN_PAIR.search(line):
        parts[LATIN] = [(0, len(line))]
    for match in misread_signs.pairs().finditer(line):
        start, end = match.span()
        tried = misread_signs._tried(line[max(0, start - 2) : start + 8])
        for bit, read in enumerate((GB, BIG5)):
            if tried & 1 << bit:
                own = parts.setdefault(read, [])
                first, last = max(0, start - 40), min(len(line), end + 40)
                if own and first <= own[-1][1]:
                    own[-1] = (own[-1][0], last)
                else:
                    own.append((first, last))
    return tuple((read, tuple(parts[read])) for read in sorted(parts))


def misread(text: str, written: str, read: str) -> str:
    return text.encode(written, "replace").decode(read, "replace")


LINES = st.one_of(
    st.text(CHARS, max_size=40),
    st.builds(
        lambda parts: "".join(parts),
        st.lists(
            st.one_of(
                st.sampled_from([misread(PROSE, "utf-8", "gb18030"), misread(PROSE, "gbk", "big5hkscs"), PROSE * 3]),
                st.text(CHARS, max_size=6),
                st.sampled_from([misread(PROSE, "big5", "gb18030"), misread(PROSE, "utf-8", "big5"), "x" * 50]),
            ),
            max_size=5,
        ),
    ),
)


@settings(max_examples=150)
@given(st.lists(LINES, max_size=30), st.integers(0, 20))
def test_lines_together_are_told_the_same(lines: list[str], many: int) -> None:
    before = misread_signs.MANY
    misread_signs._known.cache_clear()
    misread_signs.MANY = many
    try:
        found = misread_signs.parts_of(lines)
    finally:
        misread_signs.MANY = before
    assert found == [one_by_one(line) for line in lines]
    assert found == misread_signs.parts_of(lines)  # as it is remembered


@pytest.mark.parametrize("ending", ["0", "\u4e02", "\u4e020", "鿏9"])
def test_a_window_may_end_in_the_midst_of_a_character(ending: str) -> None:
    line = misread(PROSE, "gbk", "big5hkscs")[:9]
    lines = [f"{line[:size]}{ending}{extra}" for size in range(3, 10) for extra in ("", "一二三")]
    misread_signs._known.cache_clear()
    assert misread_signs.parts_of(lines * 3) == [one_by_one(line) for line in lines * 3]


def test_signatures_are_found_where_lines_end() -> None:
    whole = misread(PROSE, "utf-8", "gb18030")
    far = whole[:12] + "的" * 100 + whole[:12]
    assert misread_signs.parts_of([PROSE, whole, "", far]) == [
        (),
        ((GB, ((0, len(whole)),)),),
        (),
        ((GB, ((0, 51), (72, len(far)))),),
    ]
