"""Scores of a network on labelled scans: every labelled point counts, not every voxel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from tqdm import tqdm

from ditr_train.config.model_config import Config
from ditr_train.data.scans import LabeledScan, make_sample
from ditr_train.evaluation.groups import ClassGroups
from ditr_train.evaluation.metrics import ConfusionMatrix
from ditr_train.model.device import device_of, tensors_on
from ditr_train.model.segmentor import Segmentor


@dataclass
class Evaluation:
    """Confusion of one mode, over all points and over those that a camera sees."""

    all_points: ConfusionMatrix
    visible_points: ConfusionMatrix
    seen: list[float] = field(default_factory=list)
    """Share of the labelled points seen by the camera, by scan."""


def predict(segmentor: Segmentor, scan: LabeledScan, config: Config, *, fused: bool) -> npt.NDArray[np.int64]:
    """[N] class index of each point; -1 where a point is outside the range."""
    sample = make_sample(scan, config, fused=fused)
    with torch.no_grad():
        logits = segmentor.eval()(tensors_on(device_of(segmentor), sample.inputs))
    voxel_label = logits.argmax(-1).cpu().numpy()
    return np.where(sample.point_to_voxel >= 0, voxel_label[sample.point_to_voxel], -1)


def evaluate(
    segmentor: Segmentor, scans: Sequence[LabeledScan], config: Config, *, fused: bool, progress: bool = False
) -> Evaluation:
    """Confusion over the scans; labelled points outside the range count as wrong, and those whose label stands for
    several classes are left out."""
    names = [entry.name for entry in config.classes]
    result = Evaluation(ConfusionMatrix(names), ConfusionMatrix(names))
    mode = "fused" if fused else "image-free"
    for scan in tqdm(scans, desc=f"evaluating {mode}", unit="scan", disable=not progress):
        prediction = predict(segmentor, scan, config, fused=fused)
        result.all_points.add(scan.label, prediction)
        if scan.images is not None:
            visible = scan.images.weight.max(axis=1) > 0
            result.visible_points.add(scan.label[visible], prediction[visible])
            result.seen.append(float(visible[scan.label >= 0].mean()))
    return result


def score(
    segmentor: Segmentor, scans: Sequence[LabeledScan], config: Config, *, progress: bool = False
) -> dict[str, Any]:
    """What a bundle's `scores` holds: each mode over all points, and over what the camera sees."""
    scores: dict[str, Any] = {}
    modes = {"fused": True, "image_free": False} if config.injection is not None else {"image_free": False}
    evaluations = {
        name: evaluate(segmentor, scans, config, fused=fused, progress=progress) for name, fused in modes.items()
    }
    for name, evaluation in evaluations.items():
        scores[name] = evaluation.all_points.summary()
    for name, evaluation in evaluations.items():
        if evaluation.seen:
            scores[f"{name}_seen_points"] = evaluation.visible_points.summary()
            scores["share_of_points_seen"] = float(np.mean(evaluation.seen))
    scores["scans"] = len(scans)
    return scores


def group_scores(
    segmentor: Segmentor, scans: Sequence[LabeledScan], config: Config, groups: ClassGroups, *, progress: bool = False
) -> dict[str, Any]:
    """Scores over groups of classes, without images. Points with a coarse label count where all its classes are of
    one group."""
    matrix = ConfusionMatrix(groups.names)
    for scan in tqdm(scans, desc="evaluating groups", unit="scan", disable=not progress):
        matrix.add(groups.truth(scan), groups.prediction(predict(segmentor, scan, config, fused=False)))
    return matrix.summary() | {"scans": len(scans), "points": int(matrix.counts.sum())}
