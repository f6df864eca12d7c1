"""Scans with their regions as a network sees them, and which regions are hidden from it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from ditr_train.config.model_config import Config
from ditr_train.data.regions import NO_REGION
from ditr_train.data.scans import LabeledScan, ScanSample, make_sample
from ditr_train.methods.places import range_and_height


def make_region_sample(scan: LabeledScan, config: Config, smallest: int) -> ScanSample:
    """Voxelizes a scan without its images; regions of fewer than `smallest` voxels are left out.

    Adds to the inputs voxel_region int32 [V_0], region_place float32 [R, 2] and, where there are image features,
    region_features float32 [R, C_2D]: see `Regions`.
    """
    assert scan.regions is not None, "only scans with regions"
    sample = make_sample(scan, config, fused=False)
    region = scan.regions.region[sample.representative]
    inside = np.flatnonzero(region != NO_REGION)
    kept, inverse, count = np.unique(region[inside], return_inverse=True, return_counts=True)
    number = np.where(count >= smallest, np.cumsum(count >= smallest) - 1, NO_REGION)
    voxel_region = np.full(len(region), NO_REGION, np.int32)
    voxel_region[inside] = number[inverse]
    kept = kept[count >= smallest]
    place = range_and_height(scan).numpy()[sample.representative]
    inputs = sample.inputs | {"voxel_region": voxel_region, "region_place": _means(place, voxel_region, len(kept))}
    if scan.regions.features is not None:
        inputs["region_features"] = scan.regions.features[kept]
    return replace(sample, inputs=inputs)


def mask_regions(sample: ScanSample, ratio: float, rng: np.random.Generator) -> ScanSample:
    """Adds masked_regions bool [R]: that share of the regions, but neither none nor all where there are two."""
    count = len(sample.inputs["region_place"])
    masked = np.zeros(count, bool)
    number = min(max(1, round(ratio * count)), count - 1) if count > 1 else 0
    masked[rng.permutation(count)[:number]] = True
    return replace(sample, inputs=sample.inputs | {"masked_regions": masked})


def _means(values: npt.NDArray[np.float32], group: npt.NDArray[np.int32], count: int) -> npt.NDArray[np.float32]:
    """[count, 2] mean of values [V, 2] over the members of each group."""
    inside = group != NO_REGION
    total = np.zeros((count, values.shape[1]))
    np.add.at(total, group[inside], values[inside])
    return (total / np.maximum(1, np.bincount(group[inside], minlength=count))[:, None]).astype(np.float32)
