"""The next version's list of seeds, written a few thousand rows at a time."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from . import merge, parts, reprints, rows, runs
from .manifest import ContentId
from .merge import Source
from .parts import Part
from .plan import Plan
from .runs import Run
from .seed_list import SeedList
from .version import SEEDS_FILE


class Written(NamedTuple):
    """The list of seeds as a file.

    content_id   what it makes the version (`manifest.ContentId`)
    is_double    whether an id is twice in it
    """

    part: Part
    content_id: str
    is_double: bool


def write(
    plan: Plan, base: Path | None, staged: Sequence[Source], dropped: Sequence[str], folder: Path, extra: Path
) -> Written:
    """Writes the list into `folder`.

    base      the list of the version before
    staged    the lists of the batches
    dropped   sorted ids of reprints that are dropped
    extra     for files that the caller removes
    Raises StoreError when a file is damaged, OSError when one cannot be written.
    """
    fresh = [run for one in staged for run in runs.of_part(one.path, one.part, "seeds")]
    fresh += runs.of_rows(rows.seeds_table((), plan.problems), "seeds")
    if base is not None:
        fresh += _known(base, plan, extra)
    noted = _Noted(ContentId(plan.fingerprint))
    placed = _placed(runs.merged(fresh, "seeds", extra), plan.members, plan.scan.containers)
    part = parts.write_sorted(noted.of(_outcomes(placed, dropped)), "seeds", folder, SEEDS_FILE)
    return Written(part, noted.content_id.hexdigest(), noted.is_double)


def _known(base: Path, plan: Plan, extra: Path) -> Iterator[Run]:
    """Rows of the version before: those that stay, and those of renamed seeds under their new ids."""
    moved = plan.moved
    stays = runs.spilled(_stays(parts.pieces(base, "seeds"), plan.gone), "seeds", extra / "seeds-stay")
    yield from stays.runs()
    if moved:
        ids = pa.array(moved, pa.string())
        for number, some in enumerate(parts.groups(base, "seeds")):
            there = some.filter(pc.is_in(some["id"], ids))
            found = merge.renamed(there, {id: moved[id] for id in there["id"].to_pylist()}, {})
            ordered = parts.in_order(found, ["id"])
            yield from runs.spilled([ordered], "seeds", extra / f"seeds-moved-{number}").runs()


def _stays(tables: Iterable[pa.Table], gone: pa.Array) -> Iterator[pa.Table]:
    for some in tables:
        start, stop = merge.span(gone, some["id"][0].as_py(), some["id"][-1].as_py())
        doomed = gone.slice(start, stop - start)
        yield merge.without(some, doomed) if len(doomed) else some


def _placed(tables: Iterable[pa.Table], members: SeedList, containers: Mapping[str, str]) -> Iterator[pa.Table]:
    """Rows in their order, with the places where a scan found the members of containers."""
    order = pc.sort_indices(members.names)
    names = members.names

    def id_at(place: int) -> str:
        return str(names[order[place].as_py()].as_py())

    end = 0
    for some in tables:
        last = some["id"][-1].as_py()
        start, end = end, bisect_right(range(len(order)), last, lo=end, key=id_at)
        here = members.take(order[start:end])
        none = not len(members) and not containers and some["container"].null_count == some.num_rows
        yield some if none else rows.placed(some, here, containers)


def _outcomes(tables: Iterable[pa.Table], dropped: Sequence[str]) -> Iterator[pa.Table]:
    for some in tables:
        yield reprints.outcomes(some, merge.between(dropped, some["id"][0].as_py(), some["id"][-1].as_py()))


class _Noted:
    """What is told of rows while they go by."""

    def __init__(self, content_id: ContentId) -> None:
        self.content_id = content_id
        self.is_double = False

    def of(self, tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
        last = None
        for some in tables:
            ids = some["id"]
            if ids[0].as_py() == last or pc.any(pc.equal(ids.slice(0, len(ids) - 1), ids.slice(1))).as_py():
                self.is_double = True
            last = ids[-1].as_py()
            self.content_id.add(some)
            yield some
