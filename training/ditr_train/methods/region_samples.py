"""Scans with their regions as a network sees them, and which regions are hidden from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from ditr_train.config.model_config import Config
from ditr_train.data.regions import NO_REGION
from ditr_train.data.scans import LabeledScan, ScanSample, make_sample
from ditr_train.methods.places import range_and_height

Show = Callable[[LabeledScan], ScanSample]

VISIBLE = "visible_"
"""What the names of inputs begin with that show a scan without its hidden regions."""


def make_region_sample(scan: LabeledScan, config: Config, smallest: int, *, images: bool = False) -> ScanSample:
    """Voxelizes a scan, without its images unless they are asked for; regions of fewer than `smallest` voxels are left
    out.

    Adds to the inputs voxel_region int32 [V_0], region_place float32 [R, 2], region_center float32 [R, 3] and, where
    there are image features, region_features float32 [S, C_2D]: see `Regions`.
    """
    assert scan.regions is not None, "only scans with regions"
    sample = make_sample(scan, config, fused=images)
    voxel_region, kept = _numbered(scan, sample, smallest)
    place = range_and_height(scan).numpy()[sample.representative]
    # Of all points: voxels of one region would tell where the grid begins, and with it of others.
    region = scan.regions.region
    number = np.full(int(region.max(initial=NO_REGION)) + 2, NO_REGION, np.int32)  # the last is that of NO_REGION
    number[kept] = np.arange(len(kept), dtype=np.int32)
    of_points = np.where(sample.point_to_voxel >= 0, number[region], np.int32(NO_REGION))
    xyz = np.stack([scan.fields[axis] for axis in "xyz"], axis=1).astype(np.float32)
    inputs = sample.inputs | {
        "voxel_region": voxel_region,
        "region_place": _means(place, voxel_region, len(kept)),
        "region_center": _means(xyz, of_points, len(kept)),
    }
    if scan.regions.features is not None:
        inputs["region_features"] = scan.regions.features[kept[kept < scan.regions.seen]]
    return replace(sample, inputs=inputs)


def hide_regions(scan: LabeledScan, sample: ScanSample, masked: npt.NDArray[np.bool_], show: Show) -> ScanSample:
    """Adds to what `make_region_sample` made of a scan masked_regions bool [R] and, under names that begin with
    VISIBLE, the inputs that the scan has without the points of these regions, voxel_region among them. `show` makes
    a sample of that scan.

    Nothing of a hidden region is in these inputs, nor that there is anything where it is; even where the grid of voxels
    begins is told by the points that stay.
    """
    assert scan.regions is not None
    voxel_region = sample.inputs["voxel_region"]
    hidden_voxel = (voxel_region >= 0) & masked[voxel_region] if len(masked) else np.zeros(len(voxel_region), bool)
    region = scan.regions.region
    hidden = np.isin(region, np.unique(region[sample.representative[hidden_voxel]]))
    rest = scan.subset(np.flatnonzero(~hidden))
    visible = show(rest)
    number = np.full(int(region.max(initial=NO_REGION)) + 2, NO_REGION, np.int32)
    number[region[sample.representative]] = voxel_region
    number[NO_REGION] = NO_REGION
    assert rest.regions is not None
    inputs = visible.inputs | {"voxel_region": number[rest.regions.region[visible.representative]]}
    shown = {f"{VISIBLE}{name}": values for name, values in inputs.items()}
    return replace(sample, inputs=sample.inputs | shown | {"masked_regions": masked})


def choose_masked(count: int, ratio: float, rng: np.random.Generator) -> npt.NDArray[np.bool_]:
    """[count] which regions are hidden: that share of them, but neither none nor all where there are two."""
    masked = np.zeros(count, bool)
    number = min(max(1, round(ratio * count)), count - 1) if count > 1 else 0
    masked[rng.permutation(count)[:number]] = True
    return masked


def _numbered(
    scan: LabeledScan, sample: ScanSample, smallest: int
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """The region of each voxel [V_0], numbered over those that are kept, and the scan's number of each of these [R]."""
    assert scan.regions is not None
    region = scan.regions.region[sample.representative]
    inside = np.flatnonzero(region != NO_REGION)
    kept, inverse, count = np.unique(region[inside], return_inverse=True, return_counts=True)
    number = np.where(count >= smallest, np.cumsum(count >= smallest) - 1, NO_REGION)
    voxel_region = np.full(len(region), NO_REGION, np.int32)
    voxel_region[inside] = number[inverse]
    return voxel_region, kept[count >= smallest]


def _means(values: npt.NDArray[np.float32], group: npt.NDArray[np.int32], count: int) -> npt.NDArray[np.float32]:
    """[count, C] mean of values [V, C] over the members of each group."""
    inside = group != NO_REGION
    total = np.zeros((count, values.shape[1]))
    np.add.at(total, group[inside], values[inside])
    return (total / np.maximum(1, np.bincount(group[inside], minlength=count))[:, None]).astype(np.float32)
