"""Tokens of regions: what the voxels of a region say together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Regions:
    """The R regions of a scan of V_0 voxels."""

    voxel_region: Tensor
    """int32 [V_0], -1 where the voxel is in none; every region has voxels."""
    place: Tensor
    """float32 [R, 2] mean range and height of a region's voxels in metres"""
    center: Tensor
    """float32 [R, 3] mean x, y, z of a region's points in metres"""
    features: Tensor | None
    """float32 [S, C_2D] image features of the first S regions: cameras do not see the others"""
    masked: Tensor | None
    """bool [R] regions that the student must not see"""

    def __len__(self) -> int:
        return len(self.place)


def regions_of(inputs: Mapping[str, Tensor]) -> Regions:
    """Takes the named inputs that `make_region_sample` and `hide_regions` made."""
    return Regions(
        inputs["voxel_region"],
        inputs["region_place"],
        inputs["region_center"],
        inputs.get("region_features"),
        inputs.get("masked_regions"),
    )


def pool_regions(features: Tensor, voxel_region: Tensor, count: int) -> Tensor:
    """features [V_0, C], voxel_region int32 [V_0] -> tokens [count, C], the mean over the voxels of each region."""
    inside = voxel_region >= 0
    region = voxel_region[inside].long()
    total = features.new_zeros(count, features.shape[1]).index_add(0, region, features[inside])
    return total / torch.bincount(region, minlength=count).clamp(min=1)[:, None]
