"""Which scans a network was trained or validated on, by what was written down of its training."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

USES = {"bags": "trained on", "validation_bags": "validated on"}
"""How a description calls lists of names, and what was done with them."""


def seen_scans(*descriptions: Any) -> dict[str, set[str]]:
    """What was done -> the names of samples, bags and data sets that it was done with, at any depth of the
    descriptions: what a run was initialized from is described inside of its own."""
    seen: dict[str, set[str]] = {use: set() for use in USES.values()}
    for description in descriptions:
        _collect(description, seen)
    return seen


def _collect(description: Any, seen: Mapping[str, set[str]]) -> None:
    if isinstance(description, list):
        for each in description:
            _collect(each, seen)
    if isinstance(description, dict):
        for key, value in description.items():
            if key in USES:
                seen[USES[key]].update(value)
            else:
                _collect(value, seen)


def share_scans(name: str, other: str) -> bool:
    """Do two sources of these names have scans in common? `data-set` has those of `data-set/0-15,20`."""
    (whole, _, ranges), (other_whole, _, other_ranges) = name.partition("/"), other.partition("/")
    if whole != other_whole or name == other:
        return name == other
    return any(first <= c and a <= last for first, last in _limits(ranges) for a, c in _limits(other_ranges))


def _limits(ranges: str) -> list[tuple[float, float]]:
    """First and last numbers of `0-15,20`; of what is no such list, and of nothing, all numbers."""
    parts = [re.fullmatch(r"(\d+)(?:-(\d+))?", part) for part in ranges.split(",")]
    limits = [(float(part[1]), float(part[2] or part[1])) for part in parts if part]
    return limits if len(limits) == len(parts) else [(0, math.inf)]
