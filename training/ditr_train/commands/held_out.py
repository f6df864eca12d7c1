"""Warnings where scans that are to tell how good a network is are not held out."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

from ditr_train.data.source import DatasetSplit, ScanSource
from ditr_train.engine.run_folder import RunFolder
from ditr_train.methods.seen_scans import seen_scans, share_scans


def warn_of_trained(bags: Iterable[ScanSource], validation: Iterable[ScanSource]) -> None:
    """Says so where the same files are to be trained and validated on."""
    trained = list(bags)
    _warn([source.name for source in validation if any(_same_scans(source, each) for each in trained)], "trained on")


def warn_of_seen(run: RunFolder, scored: Sequence[ScanSource]) -> None:
    """Says so where the run, its image encoder or what it was initialized from saw the same scans, by their names."""
    descriptions = (run.read_json(name) for name in ("data.json", "encoder.json") if run.has(name))
    for use, names in seen_scans(*descriptions).items():
        shared = [source.name for source in scored if any(share_scans(source.name, name) for name in names)]
        _warn(shared, use)


def _same_scans(source: ScanSource, other: ScanSource) -> bool:
    if isinstance(source, DatasetSplit) and isinstance(other, DatasetSplit):
        return source.root == other.root and share_scans(source.name, other.name)
    return source == other


def _warn(names: list[str], use: str) -> None:
    if names:
        listed = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        print(f"ditr-train: warning: {listed}: {use} too, so the scores say little about other scans", file=sys.stderr)
