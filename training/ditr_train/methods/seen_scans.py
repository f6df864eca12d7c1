"""Which scans a network was trained or validated on, by what was written down of its training."""

from __future__ import annotations

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
