"""Random changes of a cloud, before it is voxelized."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from ditr_train.config.training_config import AugmentationConfig
from ditr_train.data.scans import IGNORED, LabeledScan, ScanSample
from ditr_train.data.sensor_variation import vary_sensor

_POSITION = ("x", "y", "z")
_NORMAL = ("normal_x", "normal_y", "normal_z")
"""Fields that turn with the points, where there are any."""


def augment(scan: LabeledScan, config: AugmentationConfig, rng: np.random.Generator, *, fused: bool) -> LabeledScan:
    """A turned, mirrored, scaled, jittered and thinned copy; points keep the image features they had.

    `fused` says that the images will be used.
    """
    scan = vary_sensor(scan, config, rng)
    if config.center:
        scan = _centered(scan)
    kept = rng.uniform(size=len(scan.label)) >= config.drop * rng.uniform()
    kept &= _in_sector(scan, config.sector, rng, fused=fused)
    scan = scan.subset(np.flatnonzero(kept))
    if scan.boxes is not None:
        scan = replace(scan, boxes=scan.boxes.seen_in(scan.xyz))
    flips = tuple(-1 if rng.uniform() < config.flip else 1 for _ in range(2))
    turn = rng.uniform(-config.rotation, config.rotation)
    scale = rng.uniform(*config.scale)
    noise = np.clip(rng.normal(size=(3, len(scan.label))), -4, 4) * config.jitter
    return moved(scan, turn, scale, flips, noise)


def moved(
    scan: LabeledScan,
    turn: float,
    scale: float,
    flips: tuple[int, ...] = (1, 1),
    noise: npt.NDArray[np.float64] | None = None,
) -> LabeledScan:
    """The scan mirrored in x and y where `flips` is -1, turned about z by radians, scaled, with noise [3, N] metres
    added; points keep the image features they had, and boxes move with them."""
    fields = dict(scan.fields)
    for names, factor in ((_POSITION, scale), (_NORMAL, 1.0)):
        if names[0] in fields:
            vectors = _turned(np.stack([fields[name].astype(np.float64) for name in names]), flips, turn, factor)
            if names == _POSITION and noise is not None:
                vectors = vectors + noise
            fields |= dict(zip(names, vectors.astype(np.float32), strict=True))
    return replace(scan, fields=fields, boxes=scan.boxes and scan.boxes.moved(turn, scale, flips))


def shown(
    scan: LabeledScan,
    config: AugmentationConfig,
    rng: np.random.Generator,
    make: Callable[[LabeledScan], ScanSample],
) -> ScanSample:
    """What the network sees of an augmented scan, as `make` voxelizes it: which point stands for a voxel, and which
    curve comes first, may be random too."""
    if config.random_point:
        scan = _shuffled_points(scan, rng)
    sample = make(scan)
    return _shuffled_orders(sample, rng) if config.shuffle_orders else sample


def _shuffled_points(scan: LabeledScan, rng: np.random.Generator) -> LabeledScan:
    """The points in a random order, so that the first point of each voxel is a random one of its points."""
    return scan.subset(rng.permutation(len(scan.label)))


def _shuffled_orders(sample: ScanSample, rng: np.random.Generator) -> ScanSample:
    """The orders of each stage, `order_s` [O, ...] and `inverse_s` [O, V_s], in a random order."""
    inputs = dict(sample.inputs)
    for name in [name for name in inputs if name.startswith("order_")]:
        inverse = name.replace("order_", "inverse_")
        permutation = rng.permutation(len(inputs[name]))
        inputs[name], inputs[inverse] = inputs[name][permutation], inputs[inverse][permutation]
    return replace(sample, inputs=inputs)


def _centered(scan: LabeledScan) -> LabeledScan:
    xyz = np.stack([scan.fields[name] for name in _POSITION])
    finite = xyz[:, np.isfinite(xyz).all(axis=0)]
    if finite.shape[1] == 0:
        return scan
    low, high = finite.min(axis=1), finite.max(axis=1)
    origin = np.array([(low[0] + high[0]) / 2, (low[1] + high[1]) / 2, low[2]], np.float32)
    fields = scan.fields | dict(zip(_POSITION, xyz - origin[:, None], strict=True))
    return replace(scan, fields=fields, boxes=scan.boxes and scan.boxes.shifted(-origin))


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
