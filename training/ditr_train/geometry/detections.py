"""From what a detection graph says of its queries to boxes, as docs/graph-contract.md describes it.

The node computes the same in TypeScript.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ditr_train.geometry.boxes import suppress


@dataclass(frozen=True)
class Detections:
    """The boxes that were found in a scan, the best first."""

    boxes: npt.NDArray[np.float32]
    """[D, 7]: x, y, z, length, width, height in metres, yaw in radians."""
    classes: npt.NDArray[np.int64]
    """[D] indices into the classes of the detection."""
    scores: npt.NDArray[np.float32]
    """[D] probability of that class."""


def select_detections(
    boxes: npt.NDArray[np.float32],
    probabilities: npt.NDArray[np.float32],
    *,
    score_threshold: float,
    overlap_threshold: float,
) -> Detections:
    """boxes [q, 7], class probabilities [q, D] -> those whose best class has at least the score, without those that
    overlap a better one of the same class by more than the other threshold."""
    classes = probabilities.argmax(axis=1) if probabilities.size else np.zeros(len(boxes), np.intp)
    scores = probabilities[np.arange(len(boxes)), classes]
    enough = np.flatnonzero(scores >= np.float32(score_threshold))
    order = enough[np.argsort(-scores[enough], kind="stable")]
    kept = np.zeros(len(order), bool)
    for each in np.unique(classes[order]):
        of_class = np.flatnonzero(classes[order] == each)
        kept[of_class[suppress(boxes[order[of_class]], overlap_threshold)]] = True
    chosen = order[kept]
    return Detections(boxes[chosen], classes[chosen].astype(np.int64), scores[chosen])
