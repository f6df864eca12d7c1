"""Boxes around the objects of a scan, and what happens to them when its points are moved or thinned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from ditr_train.config.detection_config import DetectionConfig
from ditr_train.geometry.boxes import COLUMNS, count_points


@dataclass(frozen=True)
class NamedBoxes:
    """Boxes as a bag or a data set has them."""

    boxes: npt.NDArray[np.float64]
    """[B, 7]: x, y, z, length, width, height in metres in the points' frame, yaw in radians (geometry/boxes.py)."""
    names: tuple[str, ...]
    """Of their classes, [B]."""
    points: npt.NDArray[np.int64] | None = None
    """[B] measured points within, where that was counted."""


@dataclass(frozen=True)
class Boxes:
    """The boxes of a scan that a detector is to find."""

    boxes: npt.NDArray[np.float64]
    """[B, 7] as of NamedBoxes."""
    classes: npt.NDArray[np.int64]
    """[B] indices into the classes of the configuration's detection."""
    points: npt.NDArray[np.int64]
    """[B] measured points within."""

    def __len__(self) -> int:
        return len(self.classes)

    def chosen(self, rows: npt.NDArray[np.intp] | npt.NDArray[np.bool_]) -> Boxes:
        return Boxes(self.boxes[rows], self.classes[rows], self.points[rows])

    def shifted(self, offset: npt.NDArray[np.floating] | Sequence[float]) -> Boxes:
        """All moved by [3] metres."""
        boxes = self.boxes.copy()
        boxes[:, :3] += np.asarray(offset, np.float64)
        return replace(self, boxes=boxes)

    def moved(self, turn: float, scale: float, flips: tuple[int, ...]) -> Boxes:
        """Mirrored in x and y where `flips` is -1, then turned about z by radians, then scaled about the origin: what
        `augmentation.moved` does to points."""
        boxes = self.boxes.copy()
        x, y = flips[0] * boxes[:, 0], flips[1] * boxes[:, 1]
        cosine, sine = np.cos(turn), np.sin(turn)
        boxes[:, 0], boxes[:, 1] = cosine * x - sine * y, sine * x + cosine * y
        boxes[:, :6] *= scale
        # Of a mirrored box the side that was left is right; where its length points to is mirrored.
        heading = np.arctan2(flips[1] * np.sin(boxes[:, 6]), flips[0] * np.cos(boxes[:, 6]))
        boxes[:, 6] = _wrapped(heading + turn)
        return replace(self, boxes=boxes)

    def seen_in(self, xyz: npt.NDArray[np.floating]) -> Boxes:
        """Those in which at least one of the points [N, 3] lies, with the number of them."""
        points = count_points(xyz, self.boxes)
        return replace(self, points=points).chosen(points > 0)

    def joined_with(self, other: Boxes) -> Boxes:
        return Boxes(
            np.concatenate([self.boxes, other.boxes]),
            np.concatenate([self.classes, other.classes]),
            np.concatenate([self.points, other.points]),
        )


def boxes_of(named: NamedBoxes, config: DetectionConfig, xyz: npt.NDArray[np.floating]) -> Boxes:
    """Those of the configuration's classes; where points were not counted, the points [N, 3] within are."""
    found = [config.index_of(name) for name in named.names]
    rows = np.array([row for row, index in enumerate(found) if index is not None], np.intp)
    boxes = np.asarray(named.boxes, np.float64).reshape(-1, COLUMNS)[rows]
    points = count_points(xyz, boxes) if named.points is None else named.points[rows].astype(np.int64)
    return Boxes(boxes, np.array([index for index in found if index is not None], np.int64), points)


def _wrapped(angle: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Within -pi and pi."""
    return np.asarray(np.arctan2(np.sin(angle), np.cos(angle)))
