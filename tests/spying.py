"""Which calls were made: for tests that something is not looked at, or only once."""

from __future__ import annotations

from typing import Any

import pytest


def spy_on(monkeypatch: pytest.MonkeyPatch, place: object, name: str) -> list[tuple[Any, ...]]:
    """The positional arguments of each call of `place.name` from now on; the calls are made as before."""
    seen: list[tuple[Any, ...]] = []
    called = getattr(place, name)

    def spied(*given: Any, **named: Any) -> Any:
        seen.append(given)
        return called(*given, **named)

    monkeypatch.setattr(place, name, spied)
    return seen
