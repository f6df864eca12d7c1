"""Several scans in one forward pass: their tables one after the other, what they point to moved along."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

import numpy as np
import numpy.typing as npt

from ditr_train.data.candidate_labels import join_candidates
from ditr_train.data.scans import ScanSample
from ditr_train.geometry.graph_inputs import GraphInputs

_IMAGES = ("image_features", "voxel_patch", "voxel_patch_weight")


def join_samples(samples: Sequence[ScanSample]) -> ScanSample:
    """One sample whose voxels, points and patches are those of all samples, in their order.

    Attention stays within a scan. Where scans have patches of different sizes, `order_s` is [O, slots] and the further
    input `patches_s` [parts, 2] says how many patches of which size stand one after the other (`PatchOrder`).
    Raises ValueError for inputs that are not a backbone's.
    """
    if len(samples) == 1:
        return samples[0]
    names = list(dict.fromkeys(name for sample in samples for name in sample.inputs))
    voxels = _voxel_counts([sample.inputs for sample in samples])
    joined: GraphInputs = {}
    for name in names:
        if name in _IMAGES or name.startswith("inverse_"):
            continue
        tables = [sample.inputs[name] for sample in samples]
        kind, _, stage = name.rpartition("_")
        if name == "feat" or kind == "coordinates":
            joined[name] = np.concatenate(tables)
        elif name == "stem_neighbors" or kind == "neighbors":
            joined[name] = _moved(tables, voxels[0 if name == "stem_neighbors" else int(stage)])
        elif kind == "children":
            joined[name] = _moved(tables, voxels[int(stage)])
        elif kind == "parent":
            joined[name] = _moved(tables, voxels[int(stage) + 1])
        elif kind == "order":
            inverses = [sample.inputs[f"inverse_{stage}"] for sample in samples]
            joined |= _joined_orders(tables, inverses, voxels[int(stage)], stage)
        else:
            raise ValueError(f"scans with the input {name} cannot be joined")
    if any("image_features" in sample.inputs for sample in samples):
        joined |= _joined_images([sample.inputs for sample in samples])
    points = [len(sample.point_to_voxel) for sample in samples]
    return ScanSample(
        joined,
        np.concatenate([sample.label for sample in samples]),
        np.concatenate(
            [
                np.where(sample.point_to_voxel < 0, np.int32(-1), sample.point_to_voxel + np.int32(start))
                for sample, start in zip(samples, _starts(voxels[0]), strict=True)
            ]
        ),
        np.concatenate(
            [sample.representative + np.int32(start) for sample, start in zip(samples, _starts(points), strict=True)]
        ),
        join_candidates([sample.candidates for sample in samples], voxels[0]),
    )


def _starts(counts: Sequence[int]) -> list[int]:
    return [0, *accumulate(counts)][:-1]


def _voxel_counts(scans: Sequence[GraphInputs]) -> list[list[int]]:
    """By stage, the voxels of each scan."""
    counts, stage = [[len(inputs["feat"]) for inputs in scans]], 0
    while f"children_{stage}" in scans[0]:
        counts.append([len(inputs[f"children_{stage}"]) for inputs in scans])
        stage += 1
    return counts


def _moved(tables: Sequence[npt.NDArray[np.int32]], counts: Sequence[int]) -> npt.NDArray[np.int32]:
    """Tables of indices into `counts` rows each, where the count itself stands for none."""
    total = np.int32(sum(counts))
    return np.concatenate(
        [
            np.where(table == count, total, table + np.int32(start))
            for table, count, start in zip(tables, counts, _starts(counts), strict=True)
        ]
    )


def _joined_orders(
    orders: Sequence[npt.NDArray[np.int32]],
    inverses: Sequence[npt.NDArray[np.int32]],
    counts: Sequence[int],
    stage: str,
) -> GraphInputs:
    starts = _starts(counts)
    by_size = sorted(range(len(orders)), key=lambda scan: -orders[scan].shape[2])
    slots: list[npt.NDArray[np.int32]] = []
    moved: list[npt.NDArray[np.int32]] = list(inverses)
    parts: list[list[int]] = []
    first = 0
    for scan in by_size:
        curves, patches, size = orders[scan].shape
        slots.append(orders[scan].reshape(curves, -1) + np.int32(starts[scan]))
        moved[scan] = inverses[scan] + np.int32(first)
        first += patches * size
        if parts and parts[-1][1] == size:
            parts[-1][0] += patches
        else:
            parts.append([patches, size])
    order = np.concatenate(slots, axis=1)
    joined: GraphInputs = {f"inverse_{stage}": np.concatenate(moved, axis=1)}
    if len(parts) == 1:
        return joined | {f"order_{stage}": order.reshape(len(order), *parts[0])}
    return joined | {f"order_{stage}": order, f"patches_{stage}": np.array(parts, np.int32)}


def _joined_images(scans: Sequence[GraphInputs]) -> GraphInputs:
    """Voxels of scans without images see none of the others' patches: their weights are 0."""
    features, patch, weight = [], [], []
    width = next(inputs["voxel_patch"].shape[1] for inputs in scans if "voxel_patch" in inputs)
    first = 0
    for inputs in scans:
        if "image_features" in inputs:
            features.append(inputs["image_features"])
            patch.append(inputs["voxel_patch"] + np.int32(first))
            weight.append(inputs["voxel_patch_weight"])
            first += len(inputs["image_features"])
        else:
            shape = len(inputs["feat"]), width
            patch.append(np.zeros(shape, np.int32))
            weight.append(np.zeros(shape, np.float32))
    return dict(zip(_IMAGES, (np.concatenate(parts) for parts in (features, patch, weight)), strict=True))
