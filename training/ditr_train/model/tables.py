"""The host-computed integer tables that a backbone works on (docs/graph-contract.md), as tensors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from ditr_train.config.model_config import BackboneConfig, InjectionConfig


@dataclass(frozen=True)
class StageTables:
    """Tables of one stage with V voxels; all int32, absent where the stage does not need them."""

    neighbors: Tensor | None
    """[V, 27], V where there is no neighbour."""
    coordinates: Tensor | None
    """[V, 3]"""
    order: Tensor | None
    """[O, P, K] voxel of each slot."""
    inverse: Tensor | None
    """[O, V] slot of each voxel."""
    parent: Tensor | None
    """[V] voxel of the next stage."""
    children: Tensor | None
    """[V of the next stage, 8], V where empty."""


@dataclass(frozen=True)
class ScanTables:
    """Tables of one scan, finest stage first."""

    stem_neighbors: Tensor | None
    """[V_0, 125] for a stem of kernel size 5."""
    stages: tuple[StageTables, ...]


@dataclass(frozen=True)
class ImageFeatures:
    """Patch features of the images of one scan, and which of them each voxel takes."""

    features: Tensor
    """[P, C_2D] float32, patches of all images one after the other."""
    voxel_patch: Tensor
    """[V_0, J] int32"""
    voxel_patch_weight: Tensor
    """[V_0, J] float32, all 0 where no camera sees the voxel."""


IMAGE_INPUTS = ("image_features", "voxel_patch", "voxel_patch_weight")


def table_names(backbone: BackboneConfig) -> list[str]:
    """Names of the tables that a backbone reads, in the order of the graph's inputs."""
    names = ["stem_neighbors"] if backbone.stem_kernel_size == 5 else []
    for s in range(backbone.stage_count):
        if backbone.stage_convolves(s) or (s == 0 and backbone.stem_kernel_size == 3):
            names.append(f"neighbors_{s}")
        if backbone.stage_attends(s):
            if backbone.position_encoding == "rotary":
                names.append(f"coordinates_{s}")
            names += [f"order_{s}", f"inverse_{s}"]
        if s < backbone.stage_count - 1:
            names += [f"parent_{s}", f"children_{s}"]
    return names


def graph_input_names(backbone: BackboneConfig, injection: InjectionConfig | None) -> list[str]:
    """All inputs of a graph: features, tables and, with injection, those of the images."""
    return ["feat", *table_names(backbone), *(IMAGE_INPUTS if injection is not None else ())]


def scan_tables(inputs: Mapping[str, Tensor], stage_count: int) -> ScanTables:
    """Sorts named graph inputs into the structure that the modules read."""
    return ScanTables(
        stem_neighbors=inputs.get("stem_neighbors"),
        stages=tuple(
            StageTables(
                neighbors=inputs.get(f"neighbors_{s}"),
                coordinates=inputs.get(f"coordinates_{s}"),
                order=inputs.get(f"order_{s}"),
                inverse=inputs.get(f"inverse_{s}"),
                parent=inputs.get(f"parent_{s}"),
                children=inputs.get(f"children_{s}"),
            )
            for s in range(stage_count)
        ),
    )


def image_features(inputs: Mapping[str, Tensor]) -> ImageFeatures | None:
    """The image inputs, or None where a scan comes without images."""
    if "image_features" not in inputs:
        return None
    return ImageFeatures(inputs["image_features"], inputs["voxel_patch"], inputs["voxel_patch_weight"])
