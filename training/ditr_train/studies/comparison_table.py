"""Results of a comparison as Markdown and CSV."""

from __future__ import annotations

import csv
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Literal

Method = Literal["scratch", "d-ditr", "stage-1", "stage-1-unweighted", "stage-1-knn", "stages-1-2", "fused"]

METHODS: dict[Method, str] = {
    "scratch": "from scratch",
    "d-ditr": "D-DITR",
    "stage-1": "regions, stage 1",
    "stage-1-unweighted": "stage 1 without group weights",
    "stage-1-knn": "stage 1 with KNN tokens",
    "stages-1-2": "regions, stages 1 and 2",
    "fused": "DITR, fused",
}
"""Title of each method's column."""

REGIONAL: tuple[Method, ...] = ("stage-1", "stage-1-unweighted", "stage-1-knn", "stages-1-2")
"""Methods that learn from regions of images (docs/pretrain-with-regions.md)."""

RARE = 0.01
"""A class with less than this share of the labelled points of the test scans is rare."""


@dataclass(frozen=True)
class Result:
    """Scores of one trained network on the test scans, in the mode that its method is about."""

    method: Method
    label_share: float
    labelled_scans: int
    seed: int
    miou: float
    """0..1, over all labelled points."""
    accuracy: float
    seen_miou: float | None
    """Over the points that a camera sees; None where no test scan has images."""
    rare_miou: float | None
    """Mean over the rare classes that occur in the test scans; None where none is rare."""


def write_csv(path: Path, results: Sequence[Result]) -> None:
    """One row per network."""
    temporary = path.with_name(f"{path.name}.part")
    with temporary.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, [field.name for field in fields(Result)])
        writer.writeheader()
        writer.writerows(asdict(result) for result in results)
    temporary.replace(path)


def markdown(results: Sequence[Result], *, planned: int, test_scans: int) -> str:
    """A table over all points and one over those that a camera sees: mean over the seeds and its spread.

    The differences are those between networks of the same seed, which saw the same labels.
    """
    lines = [
        f"mIoU in %, mean ± standard deviation over the seeds (number of seeds), on {test_scans} scans.",
        f"{len(results)} of {planned} networks are trained.",
        "",
        "All points:",
        "",
        *_table(results, "miou"),
    ]
    if any(result.seen_miou is not None for result in results):
        lines += ["", "Points that a camera sees:", "", *_table(results, "seen_miou")]
    if any(result.rare_miou is not None for result in results):
        title = f"Classes with less than {RARE:.0%} of the labelled points:"
        lines += ["", title, "", *_table(results, "rare_miou")]
    return "\n".join(lines) + "\n"


def _table(results: Sequence[Result], score: str) -> list[str]:
    methods = [method for method in METHODS if any(result.method == method for result in results)]
    further = [method for method in methods if method != "scratch" and "scratch" in methods]
    titles = [
        "labels",
        *(METHODS[method] for method in methods),
        *(f"{METHODS[method]} - scratch" for method in further),
    ]
    lines = [f"| {' | '.join(titles)} |", f"|{' --- |' * len(titles)}"]
    rows = sorted({(result.label_share, result.labelled_scans) for result in results}, reverse=True)
    for share, scans in rows:
        by_method = {
            method: {
                result.seed: float(getattr(result, score))
                for result in results
                if result.method == method and result.label_share == share and getattr(result, score) is not None
            }
            for method in methods
        }
        cells = [
            f"{100 * share:g} % ({scans} scans)",
            *(mean_and_spread(list(by_method[method].values())) for method in methods),
        ]
        for method in further:
            scratch, other = by_method["scratch"], by_method[method]
            cells.append(mean_and_spread([other[seed] - scratch[seed] for seed in other if seed in scratch], sign="+"))
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def mean_and_spread(shares: Sequence[float], *, sign: str = "") -> str:
    """Shares 0..1 as `mean ± standard deviation (count)` in percent; `sign` "+" shows it of positive ones too."""
    if not shares:
        return "-"
    percent = [100 * share for share in shares]
    mean = format(statistics.mean(percent), f"{sign}.1f")
    return f"{mean} ± {statistics.stdev(percent):.1f} ({len(percent)})" if len(percent) > 1 else f"{mean} (1)"
