"""Intersection over union from a confusion matrix."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt


class ConfusionMatrix:
    """Counts of points by true and predicted class; an extra column holds points without a prediction."""

    def __init__(self, classes: Sequence[str]) -> None:
        self.classes = tuple(classes)
        self.counts = np.zeros((len(classes), len(classes) + 1), np.int64)

    def add(self, truth: npt.NDArray[np.integer], prediction: npt.NDArray[np.integer]) -> None:
        """truth, prediction [N]: class indices; a negative truth is left out, a negative prediction is wrong."""
        size = len(self.classes)
        known = truth >= 0
        column = np.where(prediction[known] < 0, size, prediction[known]).astype(np.int64)
        cells = truth[known].astype(np.int64) * (size + 1) + column
        self.counts += np.bincount(cells, minlength=size * (size + 1)).reshape(size, size + 1)

    def iou(self) -> dict[str, float]:
        """Per class that occurs in the truth."""
        right = np.diag(self.counts)
        union = self.counts.sum(1) + self.counts[:, :-1].sum(0) - right
        occurs = self.counts.sum(1) > 0
        return {name: float(right[i] / union[i]) for i, name in enumerate(self.classes) if occurs[i]}

    def miou(self) -> float:
        """Mean over the classes that occur in the truth; 0 without any."""
        values = list(self.iou().values())
        return float(np.mean(values)) if values else 0.0

    def accuracy(self) -> float:
        """Share of points with the right class."""
        return float(np.diag(self.counts).sum() / max(1, self.counts.sum()))

    def summary(self) -> dict[str, Any]:
        """Scores as a bundle's `scores` holds them."""
        return {"miou": self.miou(), "accuracy": self.accuracy(), "iou": self.iou()}
