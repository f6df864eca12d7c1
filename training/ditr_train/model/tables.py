"""The host-computed integer tables that a backbone works on (docs/graph-contract.md), as tensors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from ditr_train.config.backbone_config import BackboneConfig
from ditr_train.config.model_config import InjectionConfig
from ditr_train.model.neighbor_table import NeighborTable
from ditr_train.model.patch_order import PatchOrder


@dataclass(frozen=True)
class StageTables:
    """Tables of one stage with V voxels; all int32, absent where the stage does not need them."""

    neighbors: NeighborTable | None
    """[V, 27]"""
    coordinates: Tensor | None
    """[V, 3]"""
    patches: tuple[PatchOrder, ...] | None
    """One for each order."""
    parent: Tensor | None
    """[V] voxel of the next stage."""
    children: Tensor | None
    """[V of the next stage, 8], V where empty."""


@dataclass(frozen=True)
class ScanTables:
    """Tables of one scan, finest stage first."""

    stem_neighbors: NeighborTable | None
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
        stem_neighbors=_neighbor_table(inputs, "stem_neighbors"),
        stages=tuple(
            StageTables(
                neighbors=_neighbor_table(inputs, f"neighbors_{s}"),
                coordinates=inputs.get(f"coordinates_{s}"),
                patches=_patch_orders(inputs, s),
                parent=inputs.get(f"parent_{s}"),
                children=inputs.get(f"children_{s}"),
            )
            for s in range(stage_count)
        ),
    )


def _neighbor_table(inputs: Mapping[str, Tensor], name: str) -> NeighborTable | None:
    return NeighborTable(inputs[name]) if name in inputs else None


def _patch_orders(inputs: Mapping[str, Tensor], stage: int) -> tuple[PatchOrder, ...] | None:
    if f"order_{stage}" not in inputs:
        return None
    orders, inverses = inputs[f"order_{stage}"], inputs[f"inverse_{stage}"]
    parts: tuple[tuple[int, int], ...] = ()
    if f"patches_{stage}" in inputs:
        parts = tuple((patches, size) for patches, size in inputs[f"patches_{stage}"].tolist())
    return tuple(PatchOrder(orders[i], inverses[i], parts) for i in range(orders.shape[0]))


def image_features(inputs: Mapping[str, Tensor]) -> ImageFeatures | None:
    """The image inputs, or None where a scan comes without images."""
    if "image_features" not in inputs:
        return None
    return ImageFeatures(inputs["image_features"], inputs["voxel_patch"], inputs["voxel_patch_weight"])
