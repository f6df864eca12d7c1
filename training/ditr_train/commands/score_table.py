"""Scores on the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def print_scores(scores: dict[str, Any]) -> None:
    """One column for each mode of `score`, one line for each class."""
    modes = {name: value for name, value in scores.items() if isinstance(value, dict) and "iou" in value}
    names = list(dict.fromkeys(name for mode in modes.values() for name in mode["iou"]))
    width = max(len(name) for name in [*names, "mIoU"])
    print(" " * width, *(f"{name:>24}" for name in modes))
    for row in ["mIoU", *names]:
        values = [mode["miou"] if row == "mIoU" else mode["iou"].get(row) for mode in modes.values()]
        print(f"{row:<{width}}", *(f"{'-' if v is None else f'{100 * v:.1f}':>24}" for v in values))
    print(f"{scores['scans']} scans")


def print_detection(scores: dict[str, Any]) -> None:
    """A line for each mode and class of `score_detection`."""
    measures = ("ap25", "ap50", "nuscenes", "kitti")
    rows = [
        (mode, name, row, row.get("boxes", ""))
        for mode, means in scores["modes"].items()
        for name, row in {"mean": means, **means["classes"]}.items()
    ]
    width = max(len(f"{mode} {name}") for mode, name, _, _ in rows)
    print(f"{'AP, %':<{width}}", f"{'boxes':>6}", *(f"{measure:>9}" for measure in measures))
    for mode, name, row, boxes in rows:
        cells = (row[measure] for measure in measures)
        shares = (f"{'-' if value is None else f'{100 * value:.1f}':>9}" for value in cells)
        print(f"{f'{mode} {name}':<{width}}", f"{boxes:>6}", *shares)
    print(f"{scores['scans']} scans with boxes")


def print_groups(rows: dict[str, dict[str, Any]], groups: Sequence[str]) -> None:
    """A line for each source of `group_scores`, a column for each group."""
    width = max(map(len, rows))
    print(" " * width, f"{'scans':>6}", f"{'mIoU':>6}", *(f"{name:>9}" for name in groups))
    for name, row in rows.items():
        ious = [row["iou"].get(group) for group in groups]
        cells = [f"{'-' if iou is None else f'{100 * iou:.1f}':>9}" for iou in ious]
        print(f"{name:<{width}}", f"{row['scans']:>6}", f"{100 * row['miou']:>6.1f}", *cells)
