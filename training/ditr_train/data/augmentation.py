"""Random changes of a cloud, before it is voxelized."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from ditr_train.config.training_config import AugmentationConfig
from ditr_train.data.scans import IGNORED, LabeledScan
from ditr_train.data.sensor_variation import vary_sensor

_POSITION = ("x", "y", "z")
_NORMAL = ("normal_x", "normal_y", "normal_z")
"""Fields that turn with the points, where there are any."""


def augment(scan: LabeledScan, config: AugmentationConfig, rng: np.random.Generator, *, fused: bool) -> LabeledScan:
    """A turned, mirrored, scaled, jittered and thinned copy; points keep the image features they had.

    `fused` says that the images will be used.
    """
    scan = vary_sensor(scan, config, rng)
    kept = rng.uniform(size=len(scan.label)) >= config.drop * rng.uniform()
    kept &= _in_sector(scan, config.sector, rng, fused=fused)
    scan = scan.subset(np.flatnonzero(kept))
    flips = tuple(-1 if rng.uniform() < config.flip else 1 for _ in range(2))
    turn = rng.uniform(-config.rotation, config.rotation)
    scale = rng.uniform(*config.scale)
    noise = np.clip(rng.normal(size=(3, len(scan.label))), -4, 4) * config.jitter
    fields = dict(scan.fields)
    for names, factor, shift in ((_POSITION, scale, noise), (_NORMAL, 1.0, np.zeros((3, 1)))):
        if names[0] in fields:
            vectors = np.stack([fields[name].astype(np.float64) for name in names])
            moved = _turned(vectors, flips, turn, factor) + shift
            fields |= dict(zip(names, moved.astype(np.float32), strict=True))
    return replace(scan, fields=fields)


def _turned(
    vectors: npt.NDArray[np.float64], flips: tuple[int, ...], turn: float, scale: float
) -> npt.NDArray[np.float64]:
    """Vectors [3, N] mirrored in x and y, turned about z and scaled."""
    x, y, z = flips[0] * vectors[0], flips[1] * vectors[1], vectors[2]
    cosine, sine = np.cos(turn) * scale, np.sin(turn) * scale
    return np.stack([cosine * x - sine * y, sine * x + cosine * y, scale * z])


def _in_sector(scan: LabeledScan, angle: float, rng: np.random.Generator, *, fused: bool) -> npt.NDArray[np.bool_]:
    """[N] whether a point lies in a sector of that angle around the direction of a random point: of one that a camera
    sees when images are used, else of one with a label, single or not, when these are few."""
    if angle >= 2 * np.pi or len(scan.label) == 0:
        return np.ones(len(scan.label), bool)
    azimuth = np.arctan2(scan.fields["y"], scan.fields["x"])
    wanted = np.flatnonzero(scan.seen()) if fused else azimuth[:0]
    if len(wanted) == 0 and scan.candidates is not None:
        # Soft labels reach as far as the camera of the scan: other sectors teach nothing.
        wanted = np.flatnonzero((scan.label != IGNORED) | scan.candidates.known())
    center = azimuth[rng.choice(wanted)] if len(wanted) else rng.choice(azimuth)
    away = np.abs((azimuth - center + np.pi) % (2 * np.pi) - np.pi)
    return np.asarray(away <= angle / 2)
