"""Regions of an image without a trained model: where colours are even after mean shift."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from ditr_train.data.regions import RegionIds

_MOST = np.iinfo(np.uint16).max


def segment_image(
    rgb: npt.NDArray[np.uint8], *, spatial_radius: float = 8, color_radius: float = 16, edge: int = 12, smallest: int
) -> RegionIds:
    """RGB uint8 [H, W, 3] -> regions, the largest first.

    Mean shift (Comaniciu, Meer, 2002) evens out colours within spatial_radius pixels and color_radius grey levels;
    connected pixels whose 3 x 3 neighbourhood differs by at most `edge` levels and that are at least `smallest`
    are regions, and a watershed (Meyer, 1991) shares out the pixels between them. Only the lines of the watershed
    stay without region.
    """
    smooth = cv2.pyrMeanShiftFiltering(np.ascontiguousarray(rgb), spatial_radius, color_radius)
    gradient = cv2.morphologyEx(smooth, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)).max(axis=2)
    even = (gradient <= edge).astype(np.uint8)
    _, seeds, stats, _ = cv2.connectedComponentsWithStats(even, connectivity=4, ltype=cv2.CV_32S)
    area = stats[:, cv2.CC_STAT_AREA]
    area[0] = 0  # the pixels that are not even
    largest = np.argsort(-area, kind="stable")[: min(_MOST, int((area >= smallest).sum()))]
    number = np.zeros(len(area), np.int32)
    number[largest] = np.arange(1, len(largest) + 1)
    markers = number[seeds]
    if len(largest) == 0:
        return np.zeros(markers.shape, np.uint16)
    cv2.watershed(smooth, markers)
    return np.maximum(markers, 0).astype(np.uint16)
