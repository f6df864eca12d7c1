"""Attention in training against the same as a graph does it, which keeps the scores."""

import numpy as np
import pytest
import torch

from ditr_train.geometry.scan_geometry import patches
from ditr_train.model.patch_order import PatchOrder
from ditr_train.model.rotary import rotary_angles
from ditr_train.model.serialized_attention import SerializedAttention


def random_order(voxels, patch_size, seed=0):
    codes = np.random.default_rng(seed).permutation(voxels)[None]
    order, inverse = patches(codes.astype(np.int64), patch_size)
    return PatchOrder(torch.from_numpy(order[0]), torch.from_numpy(inverse[0]))


@pytest.mark.parametrize(("voxels", "patch_size"), [(1, 8), (7, 8), (8, 8), (9, 8), (16, 8), (61, 8), (200, 64)])
@pytest.mark.parametrize("rotary", [False, True])
def test_values_and_gradients_are_those_of_the_graph(voxels, patch_size, rotary):
    torch.manual_seed(voxels)
    attention = SerializedAttention(12, 2).double()
    order = random_order(voxels, patch_size)
    rotation = None
    if rotary:
        rotation = tuple(part.double() for part in rotary_angles(torch.randint(0, 50, (voxels, 3)), 6, 100.0))
    x = torch.randn(voxels, 12, dtype=torch.float64, requires_grad=True)
    of_result = torch.randn(voxels, 12, dtype=torch.float64)
    learned = (x, *attention.parameters())
    found = attention(x, order, rotation)
    expected = attention._explicit(x, order, rotation)
    torch.testing.assert_close(found, expected)
    gradients = torch.autograd.grad(found, learned, of_result)
    for gradient, wanted in zip(gradients, torch.autograd.grad(expected, learned, of_result), strict=True):
        torch.testing.assert_close(gradient, wanted)


def test_gradients_of_slots_are_differences():
    order = random_order(11, 4)
    rows = torch.randn(11, 3, dtype=torch.float64, requires_grad=True)
    values = torch.randn(12, 3, dtype=torch.float64, requires_grad=True)
    assert order.borrowed.tolist() == [11]
    assert torch.autograd.gradcheck(order.gather, rows)
    assert torch.autograd.gradcheck(order.give_back, values)


def test_the_scores_are_not_kept():
    attention = SerializedAttention(12, 2)
    kept = []
    with torch.autograd.graph.saved_tensors_hooks(lambda tensor: kept.append(tensor.numel()) or tensor, lambda x: x):
        attention(torch.randn(512, 12), random_order(512, 512), None)
    assert max(kept) < 512 * 512 / 4
