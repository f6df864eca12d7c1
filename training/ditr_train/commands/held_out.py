"""Warnings where scans that are to tell how good a network is are not held out."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ditr_train.data.source import ScanSource
from ditr_train.engine.run_folder import RunFolder

_USES = {"bags": "trained on", "validation_bags": "validated on"}
"""How data.json calls lists of names, and what was done with them."""


def warn_of_trained(bags: Iterable[ScanSource], validation: Iterable[ScanSource]) -> None:
    """Says so where the same files are to be trained and validated on."""
    trained = set(bags)
    _warn([source.name for source in validation if source in trained], "trained on")


def warn_of_seen(run: RunFolder, scored: Sequence[ScanSource]) -> None:
    """Says so where the run, its image encoder or what it was initialized from saw scans of the same name."""
    seen: dict[str, set[str]] = {use: set() for use in _USES.values()}
    for name in ("data.json", "encoder.json"):
        if run.has(name):
            _collect(run.read_json(name), seen)
    for use, names in seen.items():
        _warn([source.name for source in scored if source.name in names], use)


def _collect(description: Any, seen: Mapping[str, set[str]]) -> None:
    """Names at any depth: what a run was initialized from is described inside of its description."""
    if isinstance(description, list):
        for each in description:
            _collect(each, seen)
    if isinstance(description, dict):
        for key, value in description.items():
            if key in _USES:
                seen[_USES[key]].update(value)
            else:
                _collect(value, seen)


def _warn(names: list[str], use: str) -> None:
    if names:
        listed = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        print(f"ditr-train: warning: {listed}: {use} too, so the scores say little about other scans", file=sys.stderr)
