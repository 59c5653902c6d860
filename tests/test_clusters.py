"""The walk through all texts, out of files: the same as the plain one in memory, however little is read at a time."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus import clusters, near_duplicates
from corpus.clusters import Bands, Compared, Entry, Pair
from corpus.near_duplicates import BANDS, Signature


def entry(number: int, letters: int, keys: list[int], content: int) -> Entry:
    """A document whose first band keys are these; the others are its content's own."""
    own = np.arange(BANDS, dtype="<u4") + 1_000_000 + content * BANDS
    own[: len(keys)] = keys
    return Entry(f"{number:03}", None, Signature(letters, content.to_bytes(16, "little"), own.tobytes()))


def alike(pair: Pair) -> float:
    """A similarity that the pair alone decides: 0 for about half of them."""
    value = (int.from_bytes(pair[0], "little") * 31 + int.from_bytes(pair[1], "little") * 17) % 10
    return value / 10 if value > 4 else 0.0


def plain(entries: list[Entry]) -> dict[str, str]:
    """Document -> the one that is kept for it, of all that are in a cluster: each text is looked at in turn."""
    ordered = sorted(entries, key=lambda one: (-one.signature.letters, one.id))
    texts: dict[bytes, list[Entry]] = {}
    for one in ordered:
        texts.setdefault(one.signature.content, []).append(one)
    kept: dict[tuple[int, int], list[bytes]] = {}
    place = {content: number for number, content in enumerate(texts)}
    found: dict[bytes, bytes] = {}
    for content, members in texts.items():
        keys = list(enumerate(np.frombuffer(members[0].signature.bands, "<u4").tolist()))
        seen = Counter(one for key in keys for one in kept.get(key, [])[: clusters.MOST_KEPT])
        candidates = sorted(seen, key=lambda one: (-seen[one].bit_length(), place[one]))[: clusters.MOST_COMPARED]
        joined = next((one for one in candidates if alike((one, content))), None)
        if joined is None:
            for key in keys:
                kept.setdefault(key, []).append(content)
        else:
            found[content] = joined
    named = {content: found.get(content, content) for content in texts}
    sizes = Counter(named[content] for content, members in texts.items() for _ in members)
    return {
        one.id: texts[named[content]][0].id
        for content, members in texts.items()
        for one in members
        if sizes[named[content]] > 1
    }


DOCUMENTS = st.lists(
    st.tuples(st.integers(1, 40), st.lists(st.integers(0, 3), max_size=6)), max_size=40, unique_by=lambda one: one[0]
)


@settings(max_examples=150, deadline=None)
@given(texts=DOCUMENTS, copies=st.lists(st.integers(0, 39), max_size=10), at_a_time=st.sampled_from([1, 3, 1000]))
def test_the_walk_out_of_files_is_the_plain_one(
    texts: list[tuple[int, list[int]]], copies: list[int], at_a_time: int
) -> None:
    some = [texts[copy % len(texts)] for copy in copies] if texts else []
    entries = [entry(i, 32 + content % 5, keys, content) for i, (content, keys) in enumerate([*texts, *some])]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clusters, "TEXTS_AT_A_TIME", at_a_time)
        first = clusters.clusters(entries, {}, lambda pairs: [alike(pair) for pair in pairs])
        assert {one.id: one.kept for one in first.reprints} == plain(entries)
        assert all(value == alike(pair) for pair, value in first.compared.items())
        again = clusters.clusters(entries, first.compared, lambda pairs: pytest.fail(f"compared again: {pairs}"))
    assert again == first


def test_documents_that_share_no_key_are_not_held(tmp_path: Path) -> None:
    keys = np.arange(7 * BANDS, dtype=np.uint32).reshape(7, BANDS)
    keys[5, 63] = keys[2, 63]
    keys[6, 10] = keys[0, 11]  # the same number, but of another band
    with closing(Bands(tmp_path)) as bands:
        for some in (keys[:3], keys[3:3], keys[3:]):
            bands.add(some)
        assert bands.shared().tolist() == [False, False, True, False, False, True, False]
        assert bands.band(63).tolist() == keys[:, 63].tolist()
        assert list(tmp_path.iterdir()) == []  # the file has no name: nothing stays when the process is killed


def test_no_document_is_no_cluster() -> None:
    assert clusters.clusters([], {}, lambda pairs: []) == clusters.Clusters([], {})


def test_pairs_are_found_again() -> None:
    known = Compared()
    known.add(np.array([5999, 0, 999005]), np.array([0.5, 0.0, 1.0]))
    known.use(5999)
    known.add(np.array([7007]), np.array([0.25]))
    assert known.used().tolist() == []
    assert [known.use(code) for code in (999005, 7007, 0)] == [1.0, 0.25, 0.0]
    assert known.use(7008) is None
    assert known.use(999999) is None
    assert known.used().tolist() == [0, 7007, 999005]
    assert known.values(np.array([7007, 5999])).tolist() == [0.25, 0.5]
    known.start()
    assert known.used().tolist() == []


def test_the_same_signature_is_one_text() -> None:
    text = "同一篇文章的两个副本，字数足够多，可以有签名，标点和空格不算在内，所以它们是一篇。"
    one, other = near_duplicates.signatures([text, text.replace("，", " ")])
    assert one is not None
    assert one == other
    found = clusters.clusters([Entry("b", None, one), Entry("a", None, one)], {}, lambda pairs: pytest.fail("asked"))
    assert [(row.id, row.kept, row.similarity) for row in found.reprints] == [("a", "a", 1.0), ("b", "a", 1.0)]
