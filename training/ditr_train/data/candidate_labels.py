"""Labels that leave open which of several classes a point has, with weights: coarse labels and soft ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ditr_train.config.model_config import SemanticClass


@dataclass(frozen=True)
class CandidateLabels:
    """What is known of the N points of a scan beside those that have one class: up to J sets of classes each.

    A coarse label is one set of weight 1. A distribution over classes is J sets of one class each, whose weights add
    up to how much the point counts. A point of which nothing is known has the weights 0.
    """

    sets: npt.NDArray[np.bool_]
    """[K, C] which classes a set holds."""
    target: npt.NDArray[np.int32]
    """[N, J] index of a set; of no meaning where the weight is 0."""
    weight: npt.NDArray[np.float32]
    """[N, J] at least 0."""

    def subset(self, points: npt.NDArray[np.integer]) -> CandidateLabels:
        """Those of some of the points; the sets stay."""
        return replace(self, target=self.target[points], weight=self.weight[points])

    def known(self) -> npt.NDArray[np.bool_]:
        """[N] whether anything is known of a point."""
        return np.asarray(self.weight.max(axis=1, initial=0) > 0)

    def where(self, points: npt.NDArray[np.bool_]) -> CandidateLabels:
        """Nothing is known any more of the others."""
        return replace(self, weight=np.where(points[:, None], self.weight, np.float32(0)))

    def beside(self, other: CandidateLabels) -> CandidateLabels:
        """What both know of the same points."""
        return CandidateLabels(
            np.concatenate([self.sets, other.sets]),
            np.concatenate([self.target, other.target + np.int32(len(self.sets))], axis=1),
            np.concatenate([self.weight, other.weight], axis=1),
        )

    def class_counts(self) -> npt.NDArray[np.float64]:
        """[C] summed weights by class; a set gives each of its classes the same part."""
        of_set = np.bincount(self.target.ravel(), self.weight.ravel(), len(self.sets))
        counts: npt.NDArray[np.float64] = of_set @ (self.sets / self.sets.sum(axis=1, keepdims=True))
        return counts

    def allowed(self) -> npt.NDArray[np.bool_]:
        """[N, C] the classes that a point may have as far as is known; none where nothing is known."""
        return np.asarray((self.sets[self.target] & (self.weight > 0)[:, :, None]).any(axis=1))


def join_candidates(parts: Sequence[CandidateLabels | None], points: Sequence[int]) -> CandidateLabels | None:
    """Those of several scans one after the other, with the number of points of each; None where none has any."""
    some = [part for part in parts if part is not None]
    if not some:
        return None
    width = max(part.target.shape[1] for part in some)
    target = [np.zeros((count, width), np.int32) for count in points]
    weight = [np.zeros((count, width), np.float32) for count in points]
    sets, first = [], 0
    for part, targets, weights in zip(parts, target, weight, strict=True):
        if part is not None:
            targets[:, : part.target.shape[1]] = part.target + first
            weights[:, : part.target.shape[1]] = part.weight
            sets.append(part.sets)
            first += len(part.sets)
    return CandidateLabels(np.concatenate(sets), np.concatenate(target), np.concatenate(weight))


def coarse_labels(
    ids: npt.NDArray[Any], sets: Mapping[int, Sequence[int]], classes: Sequence[SemanticClass]
) -> CandidateLabels | None:
    """Of the points whose id [N] is that of a set of class ids; None where no id is."""
    keys = np.array(sorted(sets), np.int64)
    if not np.isin(ids, keys).any():
        return None
    place = np.minimum(np.searchsorted(keys, ids), len(keys) - 1)
    rows = np.array([[entry.id in sets[key] for entry in classes] for key in keys])
    weight = (keys[place] == ids).astype(np.float32)
    return CandidateLabels(rows, place.astype(np.int32)[:, None], weight[:, None])
