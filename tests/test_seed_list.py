"""Lists of seeds as columns: they behave as the lists of objects that they stand for."""

from __future__ import annotations

import hashlib

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleaners import Seed
from corpus import seed_list
from corpus.seed_list import AnySeed, Building, Member, SeedList, Sought, digests, places


def sha256(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()


def seed(number: int, is_member: bool) -> AnySeed:
    name = f"{number % 7}-{number}.txt"
    if is_member:
        return Member(f"x.jsonl#{name}", sha256(number), number, "x.jsonl", number % 3, number * 10)
    return Seed(name, sha256(number), number)


SEEDS = st.lists(st.builds(seed, st.integers(0, 50), st.booleans()), max_size=20)


@given(seeds=SEEDS, rows=st.sampled_from([1, 3, 1000]), bounds=st.tuples(st.integers(-25, 25), st.integers(-25, 25)))
def test_a_list_of_seeds_is_a_sequence(seeds: list[AnySeed], rows: int, bounds: tuple[int, int]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(seed_list, "ROWS", rows)
        made = SeedList.of(iter(seeds))
        assert list(made) == seeds
        assert len(made) == len(seeds)
        assert made == seeds
        assert made.bytes == sum(one.size for one in seeds)
        assert made.hashes().to_pylist() == [one.sha256 for one in seeds]
        assert list(made.members) == [one for one in seeds if isinstance(one, Member)]
        start, stop = bounds
        assert list(made[start:stop]) == seeds[start:stop]
        assert list(made[stop:start:2]) == seeds[stop:start:2]
        assert [made[number] for number in range(-len(seeds), len(seeds))] == seeds + seeds
        assert list(made.by_name()) == sorted(seeds, key=lambda one: one.name)
        with pytest.raises(IndexError):
            made[len(seeds)]


def test_sorting_what_is_sorted_is_no_copy() -> None:
    made = SeedList.of(sorted((seed(number, False) for number in range(9)), key=lambda one: one.name))
    assert made.by_name() is made


def test_lists_that_differ_are_not_equal() -> None:
    one = SeedList.of([seed(1, False), seed(2, True)])
    assert one != SeedList.of([seed(1, False)])
    assert one != SeedList.of([seed(2, True), seed(1, False)])
    assert one != "no list"


def test_building_keeps_the_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seed_list, "ROWS", 2)
    made = Building()
    seeds = [seed(number, number % 2 > 0) for number in range(7)]
    for one in seeds[:3]:
        made.add(one)
    made.extend(SeedList.of(seeds[3:6]))
    made.add(seeds[6])
    assert len(made) == 7
    assert list(made.done()) == seeds


def test_digests_are_the_bytes_of_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seed_list, "ROWS", 2)
    hashes = [sha256(1), None, sha256(2)]
    made = digests(pa.chunked_array([hashes], pa.string()))
    assert made.to_pylist() == [bytes.fromhex(one) if one else None for one in hashes]


NAMES = st.lists(st.sampled_from(["", "a", "ab", "b", "é", "字", "𠀀", "z"]), unique=True)


@given(names=NAMES, sought=st.lists(st.sampled_from(["", "a", "aa", "b", "é", "字", "𠀀", "z", "zz"])))
def test_ids_are_found_among_others(names: list[str], sought: list[str]) -> None:
    expected = [names.index(one) if one in names else None for one in sought]
    for known in (names, sorted(names)):
        expected = [known.index(one) if one in known else None for one in sought]
        columns = pa.chunked_array([sought], pa.string()), pa.chunked_array([known[:2], known[2:]], pa.string())
        assert places(*columns).to_pylist() == expected
        assert Sought(columns[1]).places(columns[0]).to_pylist() == expected
    assert places(pa.array(names, pa.string()), pa.array(names, pa.string())).to_pylist() == list(range(len(names)))
