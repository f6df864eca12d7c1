"""Scores of a network on labelled scans: every labelled point counts, not every voxel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from tqdm import tqdm

from ditr_train.config.model_config import Config
from ditr_train.config.views_config import ViewsConfig
from ditr_train.data.augmentation import moved
from ditr_train.data.scans import LabeledScan, ScanSample, make_sample
from ditr_train.engine.prefetching import made_ahead
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


def predict(
    segmentor: Segmentor, scan: LabeledScan, config: Config, *, fused: bool, views: ViewsConfig | None = None
) -> npt.NDArray[np.int64]:
    """[N] class index of each point, with `views` the one that has the largest sum of probabilities over them; -1
    where a point is outside the range (in all of them)."""
    return _class_of_points(segmentor, _seen_in(views, scan, config, fused=fused))


def _seen_in(views: ViewsConfig | None, scan: LabeledScan, config: Config, *, fused: bool) -> list[ScanSample]:
    if views is None:
        return [make_sample(scan, config, fused=fused)]
    turned = [moved(scan, turn, scale) for turn, scale in product(views.turns, views.scales)]
    return [make_sample(each, config, fused=fused) for each in turned]


def _class_of_points(segmentor: Segmentor, samples: Sequence[ScanSample]) -> npt.NDArray[np.int64]:
    """[N] of samples that show the same points."""
    if len(samples) == 1:
        logits, point_to_voxel = _logits(segmentor, samples[0])
        return np.where(point_to_voxel >= 0, logits.argmax(-1).cpu().numpy()[point_to_voxel], -1)
    total: npt.NDArray[np.float32] | None = None
    for sample in samples:
        logits, point_to_voxel = _logits(segmentor, sample)
        probabilities = logits.softmax(-1).cpu().numpy()
        if total is None:
            total = np.zeros((len(point_to_voxel), probabilities.shape[1]), np.float32)
        inside = point_to_voxel >= 0
        total[inside] += probabilities[point_to_voxel[inside]]
    assert total is not None
    return np.where(total.any(axis=1), total.argmax(axis=1), -1)


def _logits(segmentor: Segmentor, sample: ScanSample) -> tuple[torch.Tensor, npt.NDArray[np.int32]]:
    """Logits [V_0, classes], and the voxel of each point [N]."""
    with torch.no_grad():
        logits = segmentor.eval()(tensors_on(device_of(segmentor), sample.inputs))
    return logits.float(), sample.point_to_voxel


def modes_of(config: Config) -> tuple[str, ...]:
    """What a network is evaluated in: "fused" where it can be, and "image_free"."""
    return ("fused", "image_free") if config.injection is not None else ("image_free",)


def evaluate(
    segmentor: Segmentor,
    scans: Sequence[LabeledScan],
    config: Config,
    *,
    views: ViewsConfig | None = None,
    progress: bool = False,
) -> dict[str, Evaluation]:
    """Confusion over the scans in each mode; labelled points outside the range count as wrong, and those whose label
    stands for several classes are left out. With `views` each scan is seen in all of them. Each scan is read once,
    while the one before is labelled."""
    names, modes = [entry.name for entry in config.classes], modes_of(config)
    results = {mode: Evaluation(ConfusionMatrix(names), ConfusionMatrix(names)) for mode in modes}

    def prepared(index: int) -> tuple[LabeledScan, list[ScanSample]]:
        scan = scans[index]
        return scan, _seen_in(views, scan, config, fused="fused" in modes)

    upcoming = made_ahead(prepared, range(len(scans)))
    for scan, samples in tqdm(upcoming, desc="evaluating", total=len(scans), unit="scan", disable=not progress):
        for mode, result in results.items():
            shown = samples if mode == "fused" else [sample.without_images() for sample in samples]
            prediction = _class_of_points(segmentor, shown)
            result.all_points.add(scan.label, prediction)
            if scan.images is not None:
                visible, labelled = scan.seen(), scan.label >= 0
                result.visible_points.add(scan.label[visible], prediction[visible])
                if labelled.any():
                    result.seen.append(float(visible[labelled].mean()))
    return results


def score(
    segmentor: Segmentor,
    scans: Sequence[LabeledScan],
    config: Config,
    *,
    views: ViewsConfig | None = None,
    progress: bool = False,
) -> dict[str, Any]:
    """What a bundle's `scores` holds: each mode over all points, and over what the camera sees."""
    evaluations = evaluate(segmentor, scans, config, views=views, progress=progress)
    scores: dict[str, Any] = {name: evaluation.all_points.summary() for name, evaluation in evaluations.items()}
    for name, evaluation in evaluations.items():
        if evaluation.seen:
            scores[f"{name}_seen_points"] = evaluation.visible_points.summary()
            scores["share_of_points_seen"] = float(np.mean(evaluation.seen))
    scores["scans"] = len(scans)
    if views is not None:
        scores["views"] = len(views.turns) * len(views.scales)
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
