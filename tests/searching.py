"""The search of misreadings.py, line by line: what many lines together are compared with."""

from __future__ import annotations

from cleaners.misread_strict import strict_repairs
from cleaners.misreadings import WRITTEN, Asked, Repair, likeliest, repair_of


def best_repair(asked: Asked) -> Repair | None:
    """The likeliest repair of a line."""
    return strict_repairs([asked], asked.read)[0] or searched(asked)


def searched(asked: Asked) -> Repair | None:
    """The same if it lost something."""
    found = []
    for written in WRITTEN[asked.read]:
        if repair := repair_of(asked, written):
            found.append(repair)
            if 2 * repair.size > asked.size:
                break
    return likeliest(found)
