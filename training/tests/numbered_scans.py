"""Scans of which it is known what each point sees."""

import numpy as np

from ditr_train.config.training_config import AugmentationConfig
from ditr_train.data.scans import LabeledScan, PointImageFeatures

STILL = AugmentationConfig(rotation=0, scale=(1, 1), flip=0, jitter=0, drop=0)


def make_scan(seed, points, *, images=True, label=None):
    """Points of whole metres, so that those of a scan fall in voxels of their own; what a point sees is its number."""
    rng = np.random.default_rng(seed)
    cells = rng.permutation(12**3)[:points]
    xyz = np.stack(np.unravel_index(cells, (12, 12, 12))).astype(np.float32)
    fields = dict(zip("xyz", xyz * 0.5 - [[0], [0], [2]], strict=True)) | {"intensity": rng.uniform(size=points)}
    fields = {name: values.astype(np.float32) for name, values in fields.items()}
    label = np.full(points, seed, np.int8) if label is None else label
    seen = None
    if images:
        features = np.zeros((points, 16), np.float32)
        features[:, 0] = np.arange(points) + 1000 * seed
        seen = PointImageFeatures(
            features, np.arange(points, dtype=np.int32)[:, None], np.ones((points, 1), np.float32)
        )
    return LabeledScan(f"scan-{seed}", fields, label, seen)
