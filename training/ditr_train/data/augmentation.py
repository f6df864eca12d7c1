"""Random changes of a cloud, before it is voxelized."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from ditr_train.data.scans import LabeledScan
from ditr_train.training_config import AugmentationConfig


def augment(scan: LabeledScan, config: AugmentationConfig, rng: np.random.Generator, *, fused: bool) -> LabeledScan:
    """A turned, mirrored, scaled, jittered and thinned copy; points keep the image features they had.

    `fused` says that the images will be used.
    """
    kept = rng.uniform(size=len(scan.label)) >= config.drop * rng.uniform()
    kept &= _in_sector(scan, config.sector, rng, fused=fused)
    scan = scan.subset(np.flatnonzero(kept))
    x, y, z = (scan.fields[axis].astype(np.float64) for axis in "xyz")
    if rng.uniform() < config.flip:
        x = -x
    if rng.uniform() < config.flip:
        y = -y
    turn = rng.uniform(-config.rotation, config.rotation)
    scale = rng.uniform(*config.scale)
    cosine, sine = np.cos(turn) * scale, np.sin(turn) * scale
    moved = [cosine * x - sine * y, sine * x + cosine * y, scale * z]
    noise = np.clip(rng.normal(size=(3, len(x))), -4, 4) * config.jitter
    fields = scan.fields | {
        axis: (values + noise[i]).astype(np.float32) for i, (axis, values) in enumerate(zip("xyz", moved, strict=True))
    }
    return replace(scan, fields=fields)


def _in_sector(scan: LabeledScan, angle: float, rng: np.random.Generator, *, fused: bool) -> npt.NDArray[np.bool_]:
    """[N] whether a point lies in a sector of that angle around the direction of a random point."""
    if angle >= 2 * np.pi or len(scan.label) == 0:
        return np.ones(len(scan.label), bool)
    azimuth = np.arctan2(scan.fields["y"], scan.fields["x"])
    seen = np.flatnonzero(scan.images.weight.max(axis=1) > 0) if fused and scan.images is not None else azimuth[:0]
    center = azimuth[rng.choice(seen)] if len(seen) else rng.choice(azimuth)
    away = np.abs((azimuth - center + np.pi) % (2 * np.pi) - np.pi)
    return np.asarray(away <= angle / 2)
