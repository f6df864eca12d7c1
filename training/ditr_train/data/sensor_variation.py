"""One sensor's scan as another's might look: fewer beams, another intensity, another height above the ground."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from ditr_train.config.training_config import AugmentationConfig
from ditr_train.data.scans import LabeledScan

_BEAM_SPACINGS = (0.8, 2.6)
"""Degrees between the beams that are left: about 1.3 of 32 beams over 41 degrees, 2 of 16 over 30."""

_BEAM_WIDTHS = (0.2, 0.6)
"""Share of that spacing whose points are left."""


def vary_sensor(scan: LabeledScan, config: AugmentationConfig, rng: np.random.Generator) -> LabeledScan:
    """A copy with what the settings ask for; nothing is drawn from `rng` for what they do not ask for."""
    if config.beam_drop and rng.uniform() < config.beam_drop:
        kept = np.flatnonzero(_on_a_beam(scan, rng))
        # A sensor with few beams may have none in the stripes.
        scan = scan.subset(kept) if 10 * len(kept) >= len(scan.label) else scan
    fields, boxes = dict(scan.fields), scan.boxes
    if config.lift:
        lift = np.float32(rng.uniform(-config.lift, config.lift))
        fields["z"] = fields["z"] + lift
        boxes = boxes and boxes.shifted((0, 0, float(lift)))
    if "intensity" in fields and (config.intensity_drop or config.intensity_power > 1):
        fields["intensity"] = _other_intensity(fields["intensity"], config, rng)
    return replace(scan, fields=fields, boxes=boxes)


def _on_a_beam(scan: LabeledScan, rng: np.random.Generator) -> npt.NDArray[np.bool_]:
    """[N] the points in stripes of elevation, as seen from the sensor, that a sensor with fewer beams would have."""
    x, y, z = (scan.fields[axis] for axis in "xyz")
    elevation = np.rad2deg(np.arctan2(z, np.hypot(x, y)))
    spacing, width = rng.uniform(*_BEAM_SPACINGS), rng.uniform(*_BEAM_WIDTHS)
    return np.asarray((elevation / spacing + rng.uniform()) % 1 < width)


def _other_intensity(
    intensity: npt.NDArray[np.float32], config: AugmentationConfig, rng: np.random.Generator
) -> npt.NDArray[np.float32]:
    """All 0, as of a sensor without it, or to a random power and scaled, within 0..1."""
    dropped = rng.uniform() < config.intensity_drop
    power = config.intensity_power ** rng.uniform(-1, 1)
    scale = config.intensity_power ** rng.uniform(-1, 1)
    if dropped:
        return np.zeros_like(intensity)
    return np.asarray(np.clip(scale * np.clip(intensity, 0, 1) ** power, 0, 1), np.float32)
