"""How scans of several sources differ: share, intensity and range of groups of classes, and the spread of heights.

    python training/scripts/scan_statistics.py [--config FILE] [--groups FILE] SOURCE ...

A source is what `ditr-train evaluate --bags` takes. Shares are of the points whose group is known.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ditr_train.config.model_config import load_config
from ditr_train.data.loading import load_scans
from ditr_train.data.source import scan_source
from ditr_train.evaluation.groups import ClassGroups, load_groups

_CONFIGS = Path(__file__).resolve().parents[1] / "configs"
_FIELDS = ("x", "y", "z", "intensity")


def main() -> None:
    """Prints a table for each source."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sources", nargs="+", metavar="SOURCE")
    parser.add_argument("--config", type=Path, default=_CONFIGS / "street-tiny.yaml", help="whose classes are meant")
    parser.add_argument("--groups", type=Path, default=_CONFIGS / "street.groups.yaml")
    options = parser.parse_args()
    config = load_config(options.config)
    groups = load_groups(options.groups, config.classes)
    by_name: dict[str, list[str]] = {}
    for source in options.sources:
        # Samples are of one drive each: those of one folder are described together.
        name = source if ":" in source else str(Path(source).parent)
        by_name.setdefault(name, []).append(source)
    for name, sources in by_name.items():
        scans = load_scans([scan_source(source) for source in sources], config, None, progress=False)
        read = [(np.stack([scan.fields[field] for field in _FIELDS]), groups.truth(scan)) for scan in scans]
        points, truth = (np.concatenate(part, axis=-1) for part in zip(*read, strict=True))
        print(f"{name}: {len(read)} scans, {points.shape[1] // len(read)} points a scan")
        print("\n".join(describe(points, truth, groups)))


def describe(points: npt.NDArray[np.float32], truth: npt.NDArray[np.int64], groups: ClassGroups) -> list[str]:
    """Lines about `points` [4, N] (x, y, z in metres, intensity) of the groups `truth` [N]."""
    low, high = np.quantile(points[2], [0.01, 0.99])
    lines = [f"  z from {low:.2f} to {high:.2f} m (1 and 99 %)", "  group       share  intensity  reads 0  range (m)"]
    distance = np.linalg.norm(points[:3], axis=0)
    known = max(1, np.count_nonzero(truth >= 0))
    for index, name in enumerate(groups.names):
        chosen = truth == index
        if not chosen.any():
            continue
        intensity = points[3, chosen]
        lines.append(
            f"  {name:10s}  {chosen.sum() / known:5.3f}  {np.median(intensity):9.2f}"
            f"  {np.mean(intensity <= 0):7.2f}  {np.median(distance[chosen]):9.1f}"
        )
    return lines


if __name__ == "__main__":
    main()
