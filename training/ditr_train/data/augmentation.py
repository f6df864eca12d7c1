"""Random changes of a cloud, before it is voxelized."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ditr_train.config import AugmentationConfig
from ditr_train.data.scans import LabeledScan


def augment(scan: LabeledScan, config: AugmentationConfig, rng: np.random.Generator) -> LabeledScan:
    """A turned, mirrored, scaled, jittered and thinned copy; points keep the image features they had."""
    kept = rng.uniform(size=len(scan.label)) >= config.drop * rng.uniform()
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
