"""Boxes against Shapely's polygons and hand-computed cases."""

import numpy as np
import pytest
from shapely import Polygon, box

from ditr_train.geometry.boxes import box_corners, count_points, footprints, overlaps, points_within, suppress
from ditr_train.geometry.detections import select_detections


def random_boxes(rng: np.random.Generator, count: int, spread: float = 3.0) -> np.ndarray:
    boxes = rng.uniform(-spread, spread, (count, 7))
    boxes[:, 2] /= 3
    boxes[:, 3:6] = rng.uniform(0.3, 5, (count, 3))
    boxes[:, 6] = rng.uniform(-10, 10, count)
    return boxes


def polygon(row: np.ndarray) -> Polygon:
    """The footprint, by complex numbers."""
    turn = np.exp(1j * row[6])
    corners = [(row[0] + 1j * row[1]) + turn * (sx * row[3] / 2 + 1j * sy * row[4] / 2) for sx, sy in SIGNS]
    return Polygon([(c.real, c.imag) for c in corners])


SIGNS = [(1, 1), (-1, 1), (-1, -1), (1, -1)]


def overlap_of(a: np.ndarray, b: np.ndarray) -> float:
    low, high = max(a[2] - a[5] / 2, b[2] - b[5] / 2), min(a[2] + a[5] / 2, b[2] + b[5] / 2)
    shared = polygon(a).intersection(polygon(b)).area * max(0.0, high - low)
    return shared / (a[3:6].prod() + b[3:6].prod() - shared)


def test_overlaps_are_those_of_shapely(rng):
    a, b = random_boxes(rng, 40), random_boxes(rng, 50)
    expected = np.array([[overlap_of(first, second) for second in b] for first in a])
    found = overlaps(a, b)
    assert (expected > 0.1).sum() > 50 and (expected == 0).sum() > 50
    np.testing.assert_allclose(found, expected, atol=1e-12)
    np.testing.assert_allclose(overlaps(b, a), expected.T, atol=1e-12)


def test_overlaps_far_from_the_origin_keep_their_digits(rng):
    a, b = random_boxes(rng, 10), random_boxes(rng, 10)
    away = np.array([4e5, -5e6, 100, 0, 0, 0, 0])
    np.testing.assert_allclose(overlaps(a + away, b + away), overlaps(a, b), atol=1e-6)


def test_boxes_that_coincide_touch_or_lie_within_each_other():
    unit = np.array([0, 0, 0, 2, 1, 1, 0.0])
    others = [
        [0, 0, 0, 2, 1, 1, 0],
        [0, 0, 0, 2, 1, 1, np.pi],
        [2, 0, 0, 2, 1, 1, 0],
        [0, 0, 1, 2, 1, 1, 0],
        [0, 0, 0, 1, 1, 1, 0],
        [0, 0, 0, 2, 1, 1, np.pi / 2],
    ]
    found = overlaps(unit[None], np.array(others))[0]
    np.testing.assert_allclose(found, [1, 1, 0, 0, 1 / 2, 1 / 3], atol=1e-12)
    flat = unit * [1, 1, 1, 1, 1, 0, 1]
    assert overlaps(flat[None], flat[None])[0, 0] == 0
    assert overlaps(np.zeros((0, 7)), unit[None]).shape == (0, 1)


def test_corners_go_around_counterclockwise_from_the_front_left():
    corners = box_corners(np.array([[10, 20, 30, 4, 2, 6, np.pi / 2]]))[0]
    # Turned by a quarter, the length lies along y and the left is the negative x.
    np.testing.assert_allclose(corners[:4], [[9, 22, 27], [9, 18, 27], [11, 18, 27], [11, 22, 27]], atol=1e-12)
    np.testing.assert_allclose(corners[4:] - corners[:4], np.tile([0, 0, 6], (4, 1)))
    assert Polygon(footprints(np.array([[0, 0, 0, 4, 2, 1, 0.7]]))[0]).exterior.is_ccw


def test_points_within_are_those_that_shapely_covers(rng):
    boxes = random_boxes(rng, 30)
    points = rng.uniform(-4, 4, (400, 3))
    for row, inside in zip(boxes, points_within(points, boxes), strict=True):
        in_height = np.abs(points[:, 2] - row[2]) <= row[5] / 2
        expected = [
            i
            for i, p in enumerate(points)
            if in_height[i] and polygon(row).covers(box(p[0], p[1], p[0], p[1]).centroid)
        ]
        assert inside.tolist() == expected
    assert count_points(points, boxes).sum() > 100


def test_points_on_a_face_are_within():
    points = np.array([[1, 0.5, 0], [1.0001, 0, 0], [0, 0, -0.5], [0, -0.5001, 0]])
    assert list(next(points_within(points, np.array([[0, 0, 0, 2, 1, 1, 0.0]])))) == [0, 2]


def test_suppression_keeps_the_better_box_and_what_only_a_dropped_one_overlaps():
    # Each overlaps the next one by 1/3 and the one after that by nothing.
    row = np.array([[x, 0, 0, 2, 1, 1, 0.0] for x in range(4)])
    assert suppress(row, 0.25).tolist() == [0, 2]
    assert suppress(row, 1 / 3 + 1e-9).tolist() == [0, 1, 2, 3]
    assert suppress(row[[1, 0, 2, 3]], 0.25).tolist() == [0, 3]


def test_detections_are_sorted_thresholded_and_suppressed_by_class():
    boxes = np.array([[x, 0, 0, 2, 1, 1, 0] for x in (0, 0.1, 0.2, 10, 10, 20)], np.float32)
    probabilities = np.array([[0.5, 0.2], [0.7, 0.1], [0.3, 0.6], [0.4, 0.4], [0.4, 0.1], [0.29, 0.2]], np.float32)
    found = select_detections(boxes, probabilities, score_threshold=0.3, overlap_threshold=0.25)
    # Row 0 lies on row 1; row 2 too, but is of the other class; 3 and 4 tie, and the lower row stays.
    assert found.classes.tolist() == [0, 1, 0]
    np.testing.assert_array_equal(found.scores, np.array([0.7, 0.6, 0.4], np.float32))
    np.testing.assert_array_equal(found.boxes, boxes[[1, 2, 3]])


def test_a_score_that_equals_the_threshold_is_enough():
    boxes = np.array([[0, 0, 0, 2, 1, 1, 0]], np.float32)
    assert len(select_detections(boxes, np.array([[0.3]], np.float32), score_threshold=0.3, overlap_threshold=1).scores)


@pytest.mark.parametrize("count", [0, 3])
def test_no_detections(count):
    found = select_detections(
        np.zeros((count, 7), np.float32), np.zeros((count, 2), np.float32), score_threshold=0.5, overlap_threshold=0.25
    )
    assert found.boxes.shape == (0, 7) and found.scores.shape == found.classes.shape == (0,)
