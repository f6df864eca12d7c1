"""Generalized overlap against polygons, and its gradients against differences."""

import numpy as np
import pytest
import torch
from shapely.affinity import rotate, translate
from shapely.geometry import box

from ditr_train.geometry.boxes import overlaps
from ditr_train.model.box_overlap import generalized_overlap


def pairs(rng, count: int) -> tuple[np.ndarray, np.ndarray]:
    boxes = rng.uniform(-0.6, 0.6, (2, count, 7))
    boxes[..., 3:6] = rng.uniform(1, 4, (2, count, 3))
    boxes[..., 6] *= 10
    boxes[0, ::5, :2] += 8
    return boxes[0], boxes[1]


def expected(a: np.ndarray, b: np.ndarray) -> float:
    """In the frame of the second, by Shapely's own rotation."""

    def footprint(row):
        length, width = row[3:5]
        flat = rotate(box(-length / 2, -width / 2, length / 2, width / 2), row[6], (0, 0), use_radians=True)
        return rotate(translate(flat, row[0] - b[0], row[1] - b[1]), -b[6], (0, 0), use_radians=True)

    first, second = footprint(a), footprint(b)
    low, high = np.maximum(a[2] - a[5] / 2, b[2] - b[5] / 2), np.minimum(a[2] + a[5] / 2, b[2] + b[5] / 2)
    shared = first.intersection(second).area * max(0, high - low)
    union = a[3:6].prod() + b[3:6].prod() - shared
    bounds = np.array([first.bounds, second.bounds])
    sides = bounds[:, 2:].max(0) - bounds[:, :2].min(0)
    enclosing = sides.prod() * (max(a[2] + a[5] / 2, b[2] + b[5] / 2) - min(a[2] - a[5] / 2, b[2] - b[5] / 2))
    return shared / union - (enclosing - union) / enclosing


def test_random_pairs_against_shapely(rng):
    a, b = pairs(rng, 300)
    found = generalized_overlap(torch.from_numpy(a), torch.from_numpy(b)).numpy()
    wanted = np.array([expected(*pair) for pair in zip(a, b, strict=True)])
    assert (wanted > 0.1).sum() > 20 and (wanted < -0.5).sum() > 20
    np.testing.assert_allclose(found, wanted, atol=1e-4)


def test_equal_and_turned_boxes(rng):
    a, _ = pairs(rng, 20)
    rows = torch.from_numpy(a)
    np.testing.assert_allclose(generalized_overlap(rows, rows), 1, atol=1e-4)
    half_turn = rows + torch.tensor([0, 0, 0, 0, 0, 0, np.pi])
    np.testing.assert_allclose(generalized_overlap(half_turn, rows), 1, atol=1e-4)
    np.testing.assert_allclose(generalized_overlap(rows, rows), np.diag(overlaps(a, a)), atol=1e-4)


def test_it_does_not_depend_on_how_the_scene_is_turned(rng):
    a, b = pairs(rng, 50)

    def turned(rows):
        cosine, sine = np.cos(0.7), np.sin(0.7)
        xy = rows[:, :2] @ np.array([[cosine, sine], [-sine, cosine]])
        return torch.from_numpy(np.concatenate([xy, rows[:, 2:6], rows[:, 6:] + 0.7], axis=1))

    before = generalized_overlap(torch.from_numpy(a), torch.from_numpy(b))
    np.testing.assert_allclose(generalized_overlap(turned(a), turned(b)), before, atol=1e-4)


@pytest.mark.parametrize("apart", [0.3, 8.0])
def test_gradients_are_those_of_differences(apart):
    truth = torch.tensor([[1.0, 2, 0, 4, 2, 1.5, 0.3]], dtype=torch.float64)
    found = truth + torch.tensor([[apart, -0.2, 0.1, 0.3, -0.1, 0.2, 0.4]], dtype=torch.float64)
    found.requires_grad_(True)
    assert torch.autograd.gradcheck(lambda rows: generalized_overlap(rows, truth), (found,), eps=1e-6, atol=1e-3)
    generalized_overlap(found, truth).sum().backward()
    assert found.grad is not None and found.grad[0, :6].abs().min() > 0
