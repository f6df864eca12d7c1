"""Labelled scans with the image features of their points."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ditr_train.config.model_config import Config
from ditr_train.data.boxes import Boxes
from ditr_train.data.candidate_labels import CandidateLabels, join_candidates
from ditr_train.data.regions import PointRegions
from ditr_train.geometry.graph_inputs import GraphInputs, voxelize_scan
from ditr_train.geometry.scan_geometry import clamped
from ditr_train.geometry.tokens import farthest_points, token_positions

IGNORED = -1
"""Label of points that are neither learned from nor counted."""


@dataclass(frozen=True)
class PointImageFeatures:
    """Image features of one scan, by point: computed before augmentation moves the points."""

    features: npt.NDArray[np.float32]
    """[P, C_2D] patches of all images"""
    patch: npt.NDArray[np.int32]
    """[N, J]"""
    weight: npt.NDArray[np.float32]
    """[N, J], 0 where no camera sees the point."""


@dataclass(frozen=True)
class LabeledScan:
    """A cloud of N points with classes, and what cameras saw of it."""

    name: str
    fields: dict[str, npt.NDArray[Any]]
    """x, y, z in metres and the backbone's other input features, [N] each."""
    label: npt.NDArray[np.int32]
    """[N] index into the classes, IGNORED where there is none."""
    images: PointImageFeatures | None
    regions: PointRegions | None = None
    """Where they are asked for, and a camera image is near in time."""
    candidates: CandidateLabels | None = None
    """What is known of points without a single class, where there are coarse or soft labels."""
    boxes: Boxes | None = None
    """Around its objects; None where they are not annotated or the configuration detects nothing."""

    @property
    def xyz(self) -> npt.NDArray[np.float32]:
        """[N, 3]"""
        return np.stack([self.fields[axis] for axis in "xyz"], axis=1).astype(np.float32, copy=False)

    def seen(self) -> npt.NDArray[np.bool_]:
        """[N] whether a camera sees the point, as far as images or regions tell."""
        if self.images is not None:
            return np.asarray(self.images.weight.max(axis=1) > 0)
        return np.zeros(len(self.label), bool) if self.regions is None else self.regions.in_seen()

    def held_bytes(self) -> int:
        """Memory that its points and what belongs to them take; what is mapped from files takes none."""
        arrays: list[npt.NDArray[Any] | None] = [*self.fields.values(), self.label]
        if self.images is not None:
            arrays += [self.images.features, self.images.patch, self.images.weight]
        if self.regions is not None:
            arrays += [self.regions.region, self.regions.features]
        return sum(each.nbytes for each in arrays if each is not None and not isinstance(each, np.memmap))

    def subset(self, points: npt.NDArray[np.intp]) -> LabeledScan:
        """The scan with some of its points; of its boxes all, with the points that they had."""
        images = self.images
        return replace(
            self,
            fields={name: values[points] for name, values in self.fields.items()},
            label=self.label[points],
            images=images and replace(images, patch=images.patch[points], weight=images.weight[points]),
            regions=self.regions and self.regions.subset(points),
            candidates=self.candidates and self.candidates.subset(points),
        )

    def joined_with(self, other: LabeledScan) -> LabeledScan:
        """The points of this scan, then those of another with the same fields, each with the image features that it
        had; regions are left out."""
        return LabeledScan(
            f"{self.name}+{other.name}",
            {name: np.concatenate([values, other.fields[name]]) for name, values in self.fields.items()},
            np.concatenate([self.label, other.label]),
            _joined_images(self, other),
            candidates=join_candidates((self.candidates, other.candidates), (len(self.label), len(other.label))),
            # Of a scan that is not annotated nobody knows what is there.
            boxes=None if self.boxes is None or other.boxes is None else self.boxes.joined_with(other.boxes),
        )


def _joined_images(first: LabeledScan, second: LabeledScan) -> PointImageFeatures | None:
    """Points of a scan without images are seen by no camera."""
    with_images = [scan.images for scan in (first, second) if scan.images is not None]
    if not with_images:
        return None
    width = with_images[0].patch.shape[1]
    patch, weight, before = [], [], 0
    for scan in (first, second):
        shape = len(scan.label), width
        if scan.images is None:
            patch.append(np.zeros(shape, np.int32))
            weight.append(np.zeros(shape, np.float32))
        else:
            patch.append(scan.images.patch + np.int32(before))
            weight.append(scan.images.weight)
            before += len(scan.images.features)
    features = np.concatenate([images.features for images in with_images])
    return PointImageFeatures(features, np.concatenate(patch), np.concatenate(weight))


@dataclass(frozen=True)
class ScanSample:
    """A scan as the network sees it."""

    inputs: GraphInputs
    label: npt.NDArray[np.int64]
    """[V_0] of the representative points."""
    point_to_voxel: npt.NDArray[np.int32]
    representative: npt.NDArray[np.int32]
    """[V_0] the point whose features a voxel has"""
    candidates: CandidateLabels | None = None
    """Of the representative points."""
    boxes: Boxes | None = None

    def without_images(self) -> ScanSample:
        """The sample that the scan would give without images."""
        images = ("image_features", "voxel_patch", "voxel_patch_weight")
        return replace(self, inputs={name: values for name, values in self.inputs.items() if name not in images})


def make_sample(scan: LabeledScan, config: Config, *, fused: bool) -> ScanSample:
    """Voxelizes a scan; with images if they are asked for and there, with tokens if the configuration detects boxes."""
    voxelized = voxelize_scan(scan.fields, config.backbone)
    inputs = voxelized.inputs
    if config.detection is not None:
        inputs = inputs | _token_inputs(scan, config, voxelized.representative, inputs)
    if fused and scan.images is not None:
        inputs = inputs | {
            "image_features": scan.images.features,
            "voxel_patch": scan.images.patch[voxelized.representative],
            "voxel_patch_weight": scan.images.weight[voxelized.representative],
        }
    label = scan.label[voxelized.representative].astype(np.int64)
    candidates = scan.candidates and scan.candidates.subset(voxelized.representative)
    return ScanSample(inputs, label, voxelized.point_to_voxel, voxelized.representative, candidates, scan.boxes)


def _token_inputs(
    scan: LabeledScan, config: Config, representative: npt.NDArray[np.int32], inputs: GraphInputs
) -> GraphInputs:
    """What a detection graph takes beside the tokens."""
    assert config.detection is not None
    backbone, detection = config.backbone, config.detection
    xyz = scan.xyz[representative]
    positions = token_positions(clamped(xyz, backbone.point_range) if backbone.clamp else xyz, inputs, detection.stage)
    if detection.query_choice == "scored":
        return {"token_positions": positions}
    return {"token_positions": positions, "queries": farthest_points(positions, detection.queries)}


def class_indices(ids: npt.NDArray[Any], config: Config) -> npt.NDArray[np.int32]:
    """Class ids as in a bag, integers of any width -> indices into the classes, IGNORED for every other value."""
    by_id = sorted(range(len(config.classes)), key=lambda index: config.classes[index].id)
    known = np.array([config.classes[index].id for index in by_id])
    place = np.minimum(np.searchsorted(known, ids), len(known) - 1)
    return np.where(known[place] == ids, np.array(by_id, np.int32)[place], np.int32(IGNORED))
