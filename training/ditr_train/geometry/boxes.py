"""Upright boxes in space: corners, points within, overlap. The node computes the same in TypeScript.

A box is a row x, y, z, length, width, height, yaw: its centre and its size in metres, and the turn about z in radians,
counterclockwise from x, of the direction of its length.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

Float64Array = npt.NDArray[np.float64]

COLUMNS = 7

_CORNERS = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]]) / 2
"""Of a footprint, in lengths and widths, counterclockwise."""


def footprints(boxes: npt.NDArray[np.floating]) -> Float64Array:
    """Corners [B, 4, 2] of boxes [B, 7] as seen from above, counterclockwise."""
    boxes = np.asarray(boxes, np.float64).reshape(-1, COLUMNS)
    along = _CORNERS * boxes[:, None, 3:5]
    cosine, sine = np.cos(boxes[:, 6, None]), np.sin(boxes[:, 6, None])
    x = cosine * along[..., 0] - sine * along[..., 1]
    y = sine * along[..., 0] + cosine * along[..., 1]
    return np.stack([x, y], axis=-1) + boxes[:, None, :2]


def box_corners(boxes: npt.NDArray[np.floating]) -> Float64Array:
    """Corners [B, 8, 3] of boxes [B, 7]: the four of the bottom counterclockwise, then those above them."""
    boxes = np.asarray(boxes, np.float64).reshape(-1, COLUMNS)
    flat = footprints(boxes)
    levels = boxes[:, 2, None] + boxes[:, 5, None] * np.array([-0.5, 0.5])
    return np.concatenate(
        [np.concatenate([flat, np.broadcast_to(z[:, None, None], (len(z), 4, 1))], axis=2) for z in levels.T], axis=1
    )


def points_within(xyz: npt.NDArray[np.floating], boxes: npt.NDArray[np.floating]) -> Iterator[npt.NDArray[np.intp]]:
    """For each of the boxes [B, 7] the indices of the points [N, 3] that lie in it, its faces included."""
    x, y, z = (np.ascontiguousarray(xyz[:, axis], np.float64) for axis in range(3))
    for box in np.asarray(boxes, np.float64).reshape(-1, COLUMNS):
        reach = np.hypot(box[3], box[4]) / 2
        # Most points lie far away: they are told apart by x alone.
        near = np.flatnonzero(np.abs(x - box[0]) <= reach)
        dx, dy = x[near] - box[0], y[near] - box[1]
        cosine, sine = np.cos(box[6]), np.sin(box[6])
        inside = np.abs(cosine * dx + sine * dy) <= box[3] / 2
        inside &= np.abs(cosine * dy - sine * dx) <= box[4] / 2
        inside &= np.abs(z[near] - box[2]) <= box[5] / 2
        yield near[inside]


def count_points(xyz: npt.NDArray[np.floating], boxes: npt.NDArray[np.floating]) -> npt.NDArray[np.int64]:
    """[B] how many of the points [N, 3] lie in each of the boxes [B, 7]."""
    return np.array([len(inside) for inside in points_within(xyz, boxes)], np.int64)


def overlaps(first: npt.NDArray[np.floating], second: npt.NDArray[np.floating]) -> Float64Array:
    """Intersection over union [A, B] of the volumes of boxes [A, 7] and [B, 7]; 0 where both have no volume."""
    a, b = (np.asarray(boxes, np.float64).reshape(-1, COLUMNS) for boxes in (first, second))
    result = np.zeros((len(a), len(b)))
    if len(a) == 0 or len(b) == 0:
        return result
    height = np.minimum(a[:, None, 2] + a[:, None, 5] / 2, b[:, 2] + b[:, 5] / 2)
    height -= np.maximum(a[:, None, 2] - a[:, None, 5] / 2, b[:, 2] - b[:, 5] / 2)
    distance = np.hypot(a[:, None, 0] - b[:, 0], a[:, None, 1] - b[:, 1])
    reach = np.hypot(a[:, 3], a[:, 4])[:, None] / 2 + np.hypot(b[:, 3], b[:, 4]) / 2
    flat_a, flat_b = footprints(a), footprints(b)
    volume_a, volume_b = a[:, 3:6].prod(axis=1), b[:, 3:6].prod(axis=1)
    for i, j in np.argwhere((height > 0) & (distance < reach)):
        shared = shared_area(flat_a[i], flat_b[j]) * height[i, j]
        union = volume_a[i] + volume_b[j] - shared
        result[i, j] = shared / union if union > 0 else 0.0
    return result


def shared_area(first: Float64Array, second: Float64Array) -> float:
    """Area of what two convex polygons [M, 2], counterclockwise, have in common.

    I. Sutherland and G. Hodgman, Reentrant polygon clipping, Communications of the ACM 17, 1974: the first polygon is
    cut along each edge of the second.
    """
    polygon = [(float(x), float(y)) for x, y in first]
    corners = [(float(x), float(y)) for x, y in second]
    for start, end in zip(corners, [*corners[1:], corners[0]], strict=True):
        # Positive to the left of the edge, that is inside.
        sides = [(end[0] - start[0]) * (y - start[1]) - (end[1] - start[1]) * (x - start[0]) for x, y in polygon]
        kept: list[tuple[float, float]] = []
        for index, point in enumerate(polygon):
            before, side_before, side = polygon[index - 1], sides[index - 1], sides[index]
            if (side >= 0) != (side_before >= 0):
                share = side_before / (side_before - side)
                kept.append((before[0] + share * (point[0] - before[0]), before[1] + share * (point[1] - before[1])))
            if side >= 0:
                kept.append(point)
        polygon = kept
        if not polygon:
            return 0.0
    turned = zip(polygon, [*polygon[1:], polygon[0]], strict=True)
    # About a corner: coordinates far from the origin would lose digits.
    x0, y0 = polygon[0]
    area = sum((x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0) for (x1, y1), (x2, y2) in turned)
    return max(0.0, area / 2)


def suppress(boxes: npt.NDArray[np.floating], threshold: float) -> npt.NDArray[np.intp]:
    """Non-maximum suppression of boxes [B, 7], the best first: indices, ascending, of those that overlap none of the
    better ones that are kept by more than the threshold."""
    shared = overlaps(boxes, boxes)
    kept: list[int] = []
    for index in range(len(shared)):
        if all(shared[index, better] <= threshold for better in kept):
            kept.append(index)
    return np.array(kept, np.intp)
