"""Labels of points without anybody who labels: what a 2D network says of the pixels that they are seen at."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ditr_train.data.errors import DataError
from ditr_train.data.frames import Frame
from ditr_train.data.semantic_maps import NOTHING, MapClasses, MapDescription, MapSource, inside_borders
from ditr_train.geometry.projection import CELL_ANGLE, CameraView, assign_pixels, project

_ROWS_ABOVE = 6
_COLUMNS_BESIDE = 1
"""Cells of the depth buffer, about a degree up and a sixth of a degree to the sides."""

BEHIND = 1.0
"""Metres."""


@dataclass(frozen=True)
class PointTargets:
    """What is said of the N points of a scan."""

    target: npt.NDArray[np.int32]
    """[N] index of a target, NOTHING for points that no camera sees or of which nothing is said."""
    weight: npt.NDArray[np.float32]
    """[N] confidence, 0 for NOTHING"""


def project_maps(frame: Frame, source: MapSource, classes: MapClasses, description: MapDescription) -> PointTargets:
    """The targets of a frame's points: of each the pixel in the camera that it takes its image features from.

    Nothing is said of points that nearer ones hide, that are `seen_over` something, of pixels near a border between
    targets, and of those with too little confidence. Raises DataError when a map is missing or not of its image's size.
    """
    xyz = np.stack([frame.fields[axis] for axis in "xyz"], axis=1)
    views = [exposure.view for exposure in frame.exposures]
    camera, row, column = assign_pixels(xyz, views, occlusion=True)
    target = np.full(len(xyz), NOTHING, np.int32)
    weight = np.zeros(len(xyz), np.float32)
    for slot, exposure in enumerate(frame.exposures):
        ids, confidence = source.of(frame, slot, exposure)
        view = exposure.view
        if ids.shape != (view.height, view.width):
            raise DataError(
                f"{frame.bag}: the map of camera {slot} is {ids.shape[1]} x {ids.shape[0]}, its image {view.width} x "
                f"{view.height}"
            )
        targets = classes.apply(ids)
        says = (targets != NOTHING) & inside_borders(targets, description.border)
        says &= confidence >= description.least_confidence
        points = np.flatnonzero((camera == slot) & ~seen_over(xyz, view))
        points = points[says[row[points], column[points]]]
        target[points] = targets[row[points], column[points]]
        weight[points] = confidence[row[points], column[points]]
    return PointTargets(target, weight)


def seen_over(points_xyz: npt.NDArray[np.floating], view: CameraView) -> npt.NDArray[np.bool_]:
    """[N] whether a point lies more than BEHIND behind another one that the image shows just above it.

    A LiDAR that stands higher than the camera sees over things: what it sees behind them falls on their upper part in
    the image. Only points above are compared, since ground below is always nearer; a wall in line with the view
    differs to the sides, which is why few columns are.
    """
    u, v, depth, visible = project(points_xyz, view)
    cell = max(1.0, view.k[0, 0] * CELL_ANGLE)
    columns, rows = (int(np.ceil(size / cell)) + 1 for size in (view.width, view.height))
    index = np.flatnonzero(visible)
    column = np.floor((u[index] + 0.5) / cell).astype(np.int64) + _COLUMNS_BESIDE
    row = np.floor((v[index] + 0.5) / cell).astype(np.int64) + _ROWS_ABOVE
    nearest = np.full((rows + _ROWS_ABOVE, columns + 2 * _COLUMNS_BESIDE), np.inf)
    np.minimum.at(nearest, (row, column), depth[index])
    above = np.full(len(index), np.inf)
    for up in range(1, _ROWS_ABOVE + 1):
        for beside in range(-_COLUMNS_BESIDE, _COLUMNS_BESIDE + 1):
            np.minimum(above, nearest[row - up, column + beside], out=above)
    result = np.zeros(len(points_xyz), bool)
    result[index] = depth[index] > above + BEHIND
    return result
