"""How well boxes are found: average precision of a detector on annotated scans."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from tqdm import tqdm

from ditr_train.config.detection_config import DetectionConfig
from ditr_train.config.model_config import Config
from ditr_train.data.boxes import Boxes
from ditr_train.data.scans import LabeledScan, ScanSample, make_sample
from ditr_train.engine.prefetching import made_ahead
from ditr_train.evaluation.average_precision import (
    DISTANCES,
    ScanMatches,
    all_point_ap,
    average_precision,
    kitti_ap,
    nuscenes_ap,
)
from ditr_train.evaluation.segmentation import modes_of
from ditr_train.geometry.boxes import overlaps
from ditr_train.geometry.detections import Detections, select_detections
from ditr_train.model.detector import Detector
from ditr_train.model.device import device_of, tensors_on

AP_OVERLAPS = {"ap25": 0.25, "ap50": 0.5}


def detect(detector: Detector, sample: ScanSample, config: DetectionConfig, score_threshold: float) -> Detections:
    """Boxes of a sample, by the same rules as the node's."""
    with torch.no_grad():
        last = detector.eval()(tensors_on(device_of(detector), sample.inputs)).layers[-1]
    return select_detections(
        last.boxes().cpu().numpy(),
        last.class_probabilities().cpu().numpy(),
        score_threshold=score_threshold,
        overlap_threshold=config.overlap_threshold,
    )


def detect_all(
    detector: Detector, scans: Sequence[LabeledScan], config: Config, *, progress: bool = False
) -> dict[str, list[tuple[Detections, Boxes]]]:
    """By mode, what is found in each annotated scan, and what is there. Each scan is read once."""
    assert config.detection is not None and config.detection_training is not None
    modes = modes_of(config)
    found: dict[str, list[tuple[Detections, Boxes]]] = {mode: [] for mode in modes}

    def prepared(index: int) -> ScanSample:
        return make_sample(scans[index], config, fused="fused" in modes)

    upcoming = made_ahead(prepared, range(len(scans)))
    for sample in tqdm(upcoming, desc="detecting", total=len(scans), unit="scan", disable=not progress):
        if sample.boxes is None:
            continue
        for mode, results in found.items():
            shown = sample if mode == "fused" else sample.without_images()
            least = config.detection_training.evaluation_score
            results.append((detect(detector, shown, config.detection, least), sample.boxes))
    return found


def average_precisions(results: Sequence[tuple[Detections, Boxes]], config: Config) -> dict[str, Any]:
    """Of one mode: means over the classes that have boxes, and each class. Boxes with fewer points than the
    configuration says, or outside of its range, need not be found.

    KITTI's is without its three grades of difficulty, which depend on the camera image.
    """
    assert config.detection is not None
    classes: dict[str, dict[str, float | int | None]] = {}
    for index, entry in enumerate(config.detection.classes):
        by_overlap = [_matches(scan, index, config, overlaps) for scan in results]
        by_distance = [_matches(scan, index, config, _nearness) for scan in results]
        row: dict[str, float | int | None] = {"boxes": sum(int(scan.counted.sum()) for scan in by_overlap)}
        for name, least in AP_OVERLAPS.items():
            row[name] = average_precision(by_overlap, least, all_point_ap)
        distances = [average_precision(by_distance, -most, nuscenes_ap, retry=True) for most in DISTANCES]
        row["nuscenes"] = _mean(distances)
        row["kitti"] = average_precision(by_overlap, entry.overlap, kitti_ap)
        classes[entry.name] = row
    means = {name: _mean([row[name] for row in classes.values()]) for name in (*AP_OVERLAPS, "nuscenes", "kitti")}
    return {**means, "classes": classes}


def score_detection(
    detector: Detector, scans: Sequence[LabeledScan], config: Config, *, progress: bool = False
) -> dict[str, Any]:
    """By mode what `average_precisions` says, and on how many scans."""
    assert config.detection is not None and config.detection_training is not None
    found = detect_all(detector, scans, config, progress=progress)
    return {
        "modes": {mode: average_precisions(results, config) for mode, results in found.items()},
        "scans": max((len(results) for results in found.values()), default=0),
        "least_points": config.detection.smallest_points,
        "least_score": config.detection_training.evaluation_score,
    }


def _matches(
    scan: tuple[Detections, Boxes],
    index: int,
    config: Config,
    likeness: Callable[[npt.NDArray[np.floating], npt.NDArray[np.floating]], npt.NDArray[np.float64]],
) -> ScanMatches:
    assert config.detection is not None
    found, there = scan
    rows = found.classes == index
    truth = there.chosen(there.classes == index)
    low, high = np.split(np.asarray(config.backbone.point_range, np.float64), 2)
    within = ((truth.boxes[:, :3] >= low) & (truth.boxes[:, :3] < high)).all(axis=1)
    counted = within & (truth.points >= config.detection.smallest_points)
    return ScanMatches(found.scores[rows].astype(np.float64), likeness(found.boxes[rows], truth.boxes), counted)


def _nearness(first: npt.NDArray[np.floating], second: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """Minus the distances [A, B] in metres of the centres of boxes [A, 7] and [B, 7], seen from above."""
    a, b = first[:, None, :2].astype(np.float64), second[None, :, :2]
    return np.asarray(-np.hypot(*np.moveaxis(a - b, 2, 0)))


def _mean(values: Sequence[float | int | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None
