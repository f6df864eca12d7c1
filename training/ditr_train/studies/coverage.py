"""What fusion gains, by the share of a scan that cameras see: what the node's `min_seen_share` should be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from tqdm import tqdm

from ditr_train.config.model_config import Config, ImageEncoderConfig
from ditr_train.data.scans import LabeledScan
from ditr_train.evaluation.metrics import ConfusionMatrix
from ditr_train.evaluation.segmentation import predict
from ditr_train.model.segmentor import Segmentor


@dataclass(frozen=True)
class View:
    """What is left of the images of a scan."""

    cameras: int
    """The first so many."""
    width: float = 1.0
    """Share of each image's width, around its middle: a narrower lens."""


@dataclass(frozen=True)
class Coverage:
    """Scores over all points with one view."""

    view: View
    seen: float
    """Mean share of the labelled points."""
    fused: float
    """mIoU of the fused network"""
    image_free: float
    """mIoU of the image-free one, which is the same for all views."""

    @property
    def gain(self) -> float:
        return self.fused - self.image_free


def narrow_views(cameras: int) -> list[View]:
    """From a slit of the first camera to all of them."""
    return [View(1, width) for width in (0.05, 0.1, 0.25, 0.5)] + [View(count) for count in range(1, cameras + 1)]


def limit_view(scan: LabeledScan, view: View, encoder: ImageEncoderConfig) -> LabeledScan:
    """The scan as if only that had been seen; a point elsewhere takes no features."""
    if scan.images is None:
        return scan
    slot, patch = np.divmod(scan.images.patch, encoder.rows * encoder.columns)
    aside = np.abs((patch % encoder.columns + 0.5) / encoder.columns - 0.5)
    # All that a point is interpolated from has to be there.
    kept = ((slot < view.cameras) & (aside <= view.width / 2)).all(axis=1, keepdims=True)
    return replace(scan, images=replace(scan.images, weight=scan.images.weight * kept))


def measure_coverage(
    fused: Segmentor,
    fused_config: Config,
    image_free: Segmentor,
    image_free_config: Config,
    scans: Sequence[LabeledScan],
    views: Sequence[View],
    *,
    progress: bool,
) -> list[Coverage]:
    """Scores both networks on all scans, the fused one with each view."""
    assert fused_config.image_encoder is not None
    names = [entry.name for entry in fused_config.classes]
    without = ConfusionMatrix(names)
    for scan in tqdm(scans, desc="image-free", unit="scan", disable=not progress):
        without.add(scan.label, predict(image_free, scan, image_free_config, fused=False))
    results = []
    for view in tqdm(views, desc="fused", unit="view", disable=not progress):
        confusion, seen = ConfusionMatrix(names), []
        for scan in scans:
            limited = limit_view(scan, view, fused_config.image_encoder)
            confusion.add(scan.label, predict(fused, limited, fused_config, fused=True))
            if limited.images is not None:
                seen.append(float((limited.images.weight.max(axis=1) > 0)[scan.label >= 0].mean()))
        results.append(Coverage(view, float(np.mean(seen)) if seen else 0.0, confusion.miou(), without.miou()))
    return results


def coverage_table(results: Sequence[Coverage]) -> str:
    """Markdown, one row per view."""
    lines = ["| cameras | of the image's width | points seen | fused mIoU | image-free mIoU | gain |"]
    lines.append(f"|{' --- |' * 6}")
    for result in results:
        numbers = [f"{100 * value:.1f}" for value in (result.seen, result.fused, result.image_free)]
        cells = [str(result.view.cameras), f"{100 * result.view.width:g} %", f"{numbers[0]} %", *numbers[1:]]
        lines.append(f"| {' | '.join([*cells, f'{100 * result.gain:+.1f}'])} |")
    return "\n".join(lines) + "\n"
