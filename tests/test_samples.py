"""Samples of lines: what is counted does not depend on how many keys are counted at a time, nor on the pieces."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleaners import recurrence
from corpus import parts, samples
from corpus.samples import FEWEST_ARTICLES, MOST_INSIDE, Piece, Samples
from corpus.schema import LINES

Page = tuple[str, int, list[int]]
"""Site, number of the article (-1: without prose), and its lines: line * 4 + place."""


def table(pages: list[tuple[int, Page]]) -> pa.Table:
    rows = []
    for number, (site, article, keys) in pages:
        hashes = [] if article < 0 else [article * 10 + place for place in range(recurrence.IDENTITIES)]
        columns = (np.array(values, "<u8").tobytes() for values in (hashes, sorted(set(keys))))
        rows.append((f"{site}/{number:03}.txt", "0" * 64, None, *columns))
    values = list(zip(*rows, strict=True)) or [()] * len(LINES)
    arrays = [pa.array(list(column), field.type) for column, field in zip(values, LINES, strict=True)]
    return pa.Table.from_arrays(arrays, schema=LINES)


def counted(pages: list[Page]) -> dict[tuple[str, int], int]:
    """Site and key -> number of articles, counted one by one."""
    articles: dict[tuple[str, int], set[int]] = defaultdict(set)
    for site, article, keys in pages:
        for key in set(keys):
            if article >= 0:
                articles[site, key].add(article)
    found = {}
    for (site, key), of in articles.items():
        inside = len(articles.get((site, key // 4 * 4 + recurrence.INSIDE), ()))
        is_inside = key % 4 == recurrence.INSIDE
        if not is_inside and len(of) >= FEWEST_ARTICLES and inside <= MOST_INSIDE * len(of):
            found[site, key] = len(of)
    return found


PAGES = st.lists(
    st.tuples(st.sampled_from(["a.com", "b.cn"]), st.integers(-1, 12), st.lists(st.integers(0, 15), max_size=6)),
    max_size=60,
)


@settings(max_examples=100, deadline=None)
@given(pages=PAGES, at_a_time=st.sampled_from([1, 7, 40, 1 << 20]), cuts=st.lists(st.integers(0, 60), max_size=3))
def test_shares_and_pieces_do_not_matter(pages: list[Page], at_a_time: int, cuts: list[int]) -> None:
    numbered = list(enumerate(pages))
    ends = [0, *sorted(cuts), len(pages)]
    pieces = [Piece(table(numbered[start:end])) for start, end in pairwise(ends)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(samples, "KEYS_AT_A_TIME", at_a_time)
        of = Samples(pieces)
        found = of.frequent()
    named = [of.names[number] for number in found.site.tolist()]
    assert dict(zip(zip(named, found.keys.tolist(), strict=True), found.articles.tolist(), strict=True)) == counted(
        pages
    )
    for id, key in zip(of.ids(found.document), found.keys.tolist(), strict=True):
        assert key in pages[int(id[-7:-4])][2]
    articles = {name: len({a for site, a, _ in pages if site == name and a >= 0}) for name in of.names}
    assert dict(zip(of.names, of.number_of_articles().tolist(), strict=True)) == articles


def test_many_shares_are_really_made(monkeypatch: pytest.MonkeyPatch) -> None:
    pages: list[Page] = [("a.com", number, [4 * line for line in range(9)]) for number in range(8)]
    monkeypatch.setattr(samples, "KEYS_AT_A_TIME", 10)
    of = Samples([Piece(table(list(enumerate(pages))))])
    counted: list[int] = []
    evidence = Samples._evidence

    def noted(self: Samples, number: int, shares: int) -> tuple[samples.Keys, samples.Documents]:
        found = evidence(self, number, shares)
        counted.append(found[0].size)
        return found

    monkeypatch.setattr(Samples, "_evidence", noted)
    assert of.frequent().keys.tolist() == [4 * line for line in range(9)]
    assert len(counted) == 8  # 72 keys, 10 at a time
    assert sum(counted) == 72
    assert max(counted) < 72


def test_pieces_in_files_and_rows_that_do_not_count(tmp_path: Path) -> None:
    pages = [(number, ("a.com", number, [4, 8])) for number in range(2 * FEWEST_ARTICLES)]
    part = parts.write(table(pages), "lines", tmp_path)
    stays = np.arange(len(pages)) % 2 == 0
    of = Samples([Piece(tmp_path / part.file, stays)])
    assert of.frequent().articles.tolist() == [FEWEST_ARTICLES] * 2
    wanted = {"a.com": frozenset({4, recurrence.KNOWN})}
    applied = dict(of.applied(0, lambda name: wanted[name]))
    assert applied == {f"a.com/{number:03}.txt": wanted["a.com"] for number in range(0, len(pages), 2)}


def test_copies_are_one_article_in_a_chain() -> None:
    hashes = np.array([[1, 2, 3, 4], [1, 2, 8, 9], [7, 7, 8, 9], [5, 6, 5, 6]], np.uint64)
    columns = [samples._ranks(column) for column in hashes.T]
    assert samples._articles(columns, np.array([True, True, False, True, True])).tolist() == [0, 0, -1, 0, 3]


def test_nothing_is_no_article() -> None:
    assert Samples([]).frequent().keys.size == 0
    assert Samples([Piece(table([]))]).number_of_articles().tolist() == []
