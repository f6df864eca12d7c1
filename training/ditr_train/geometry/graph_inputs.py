"""From a cloud to the named inputs of a graph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ditr_train.config.backbone_config import BackboneConfig
from ditr_train.geometry.scan_geometry import GeometryConfig, ScanGeometry, StageConfig, build_scan_geometry, clamped
from ditr_train.model.tables import table_names

GraphInputs = dict[str, npt.NDArray[Any]]


@dataclass(frozen=True)
class VoxelizedScan:
    """A cloud of N points as graph inputs, and the way back to its points."""

    inputs: GraphInputs
    """`feat` and the tables that the backbone reads; int32 and float32."""
    point_to_voxel: npt.NDArray[np.int32]
    """[N] voxel of each point, -1 where it takes no part."""
    representative: npt.NDArray[np.int32]
    """[V_0] the point whose features and images a voxel has."""


def geometry_config(backbone: BackboneConfig) -> GeometryConfig:
    """Which tables the host has to compute for a backbone."""
    return GeometryConfig(
        grid_size=backbone.grid_size,
        point_range=backbone.point_range,
        orders=backbone.orders,
        stem_kernel_size=backbone.stem_kernel_size,
        stages=[
            StageConfig(
                convolution=backbone.stage_convolves(s),
                patch_size=backbone.patch_size if backbone.stage_attends(s) else 0,
            )
            for s in range(backbone.stage_count)
        ],
        clamp=backbone.clamp,
    )


def voxelize_scan(cloud: Mapping[str, npt.NDArray[Any]], backbone: BackboneConfig) -> VoxelizedScan:
    """cloud: one array [N] per field; x, y, z in metres and every input feature of the backbone.

    Raises ValueError when a field is missing or no point lies within the range.
    """
    for name in ("x", "y", "z", *(feature.name for feature in backbone.input_features)):
        if name not in cloud:
            raise ValueError(f"the cloud has no field {name}; it has {', '.join(cloud)}")
    xyz = np.stack([cloud[axis] for axis in "xyz"], axis=1).astype(np.float32)
    geometry = build_scan_geometry(xyz, geometry_config(backbone))
    if len(geometry.representative) == 0:
        raise ValueError(f"none of {len(xyz)} points is finite and within the range {tuple(backbone.point_range)}")
    if backbone.clamp:
        cloud = {**cloud, **dict(zip("xyz", clamped(xyz, backbone.point_range).T, strict=True))}
    feat = np.stack(
        [
            # In float64, as the node does, and then rounded once.
            (cloud[feature.name][geometry.representative].astype(np.float64) - feature.offset) * feature.scale
            for feature in backbone.input_features
        ],
        axis=1,
    ).astype(np.float32)
    # Some drivers leave NaN in fields other than the coordinates.
    np.nan_to_num(feat, copy=False)
    inputs = {"feat": feat} | {name: _table(geometry, name) for name in table_names(backbone)}
    return VoxelizedScan(inputs, geometry.point_to_voxel, geometry.representative)


def _table(geometry: ScanGeometry, name: str) -> npt.NDArray[np.int32]:
    if name == "stem_neighbors":
        table = geometry.stem_neighbors
    else:
        kind, stage = name.rsplit("_", 1)
        table = getattr(geometry.stages[int(stage)], kind)
    assert table is not None, f"{name} was not computed"
    return np.ascontiguousarray(table)
