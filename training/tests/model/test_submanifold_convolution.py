"""The convolution over pairs against a loop over the offsets, and its gradients against differences."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from offset_convolution import convolve
from torch.profiler import ProfilerActivity, profile

from ditr_train.geometry.scan_geometry import kernel_neighbors
from ditr_train.model.neighbor_table import NeighborTable
from ditr_train.model.submanifold_convolution import SubmanifoldConvolution, _SparseConvolution


def random_table(seed, *, extent, voxels, kernel_size=3):
    rng = np.random.default_rng(seed)
    coordinates = np.unique(rng.integers(0, extent, (voxels, 3)), axis=0).astype(np.int32)
    return torch.from_numpy(kernel_neighbors(rng.permutation(coordinates), kernel_size))


@settings(deadline=None, max_examples=60)
@given(
    seed=st.integers(0, 2**31),
    extent=st.sampled_from([(2, 2, 2), (30, 30, 1), (12, 12, 12), (200, 200, 3)]),
    voxels=st.sampled_from([1, 2, 5, 40, 300]),
    kernel_size=st.sampled_from([3, 5]),
    channels=st.tuples(st.integers(1, 6), st.integers(1, 6)),
)
def test_values_and_gradients_are_those_of_the_loop_over_offsets(seed, extent, voxels, kernel_size, channels):
    table = random_table(seed, extent=extent, voxels=voxels, kernel_size=kernel_size)
    torch.manual_seed(seed)
    x = torch.randn(len(table), channels[0], dtype=torch.float64, requires_grad=True)
    weight = torch.randn(kernel_size**3 * channels[0], channels[1], dtype=torch.float64, requires_grad=True)
    of_result = torch.randn(len(table), channels[1], dtype=torch.float64)
    found = _SparseConvolution.apply(x, weight, NeighborTable(table).pairs)
    expected = convolve(x, weight, table)
    torch.testing.assert_close(found, expected)
    gradients = torch.autograd.grad(found, (x, weight), of_result)
    for gradient, wanted in zip(gradients, torch.autograd.grad(expected, (x, weight), of_result), strict=True):
        torch.testing.assert_close(gradient, wanted)


@pytest.mark.parametrize("kernel_size", [3, 5])
def test_gradients_are_differences(kernel_size):
    table = NeighborTable(random_table(1, extent=(5, 5, 2), voxels=20, kernel_size=kernel_size))
    x = torch.randn(len(table.indices), 2, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(kernel_size**3 * 2, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x, weight: _SparseConvolution.apply(x, weight, table.pairs), (x, weight))


def test_every_entry_has_one_slot_and_what_is_left_over_reads_nothing():
    table = random_table(2, extent=(40, 40, 2), voxels=700)
    count = len(table)
    pairs = NeighborTable(table).pairs
    offsets = [int(pairs.offsets[i]) for i in range(len(pairs.offsets))]
    sizes = [size for number, size in pairs.groups for _ in range(number)]
    of_slot = np.repeat(offsets, sizes)
    taken = pairs.row.numpy() < count
    assert ((pairs.source.numpy() < count) == taken).all()
    found = np.full(table.shape, count)
    found[pairs.row.numpy()[taken], of_slot[taken]] = pairs.source.numpy()[taken]
    assert (found == table.numpy()).all() and taken.sum() == (table < count).sum()
    assert sum(sizes) < 1.5 * taken.sum()
    # Slots by row: each row's entries and no others.
    bounds = np.append(pairs.first.numpy(), len(pairs.slot))
    for row in (0, 17, count - 1):
        assert (pairs.row.numpy()[pairs.slot.numpy()[bounds[row] : bounds[row + 1]]] == row).all()


def test_a_convolution_is_few_calls_whatever_the_kernel_is():
    counts = {}
    for kernel_size in (3, 5):
        table = NeighborTable(random_table(3, extent=(30, 30, 3), voxels=500, kernel_size=kernel_size))
        convolution = SubmanifoldConvolution(8, 8, kernel_size**3, bias=False)
        x = torch.randn(len(table.indices), 8, requires_grad=True)
        assert table.pairs is table.pairs
        with profile(activities=[ProfilerActivity.CPU]) as profiled:
            convolution(x, table).sum().backward()
        events = {event.key: event.count for event in profiled.key_averages() if event.key.startswith("aten::")}
        assert not {"aten::index_put_", "aten::_index_put_impl_", "aten::scatter_", "aten::index_add_"} & events.keys()
        counts[kernel_size] = sum(events.values())
    assert counts[5] <= counts[3] + 30 and counts[3] < 250


def test_bfloat16_is_close():
    table = NeighborTable(random_table(4, extent=(30, 30, 3), voxels=500))
    convolution = SubmanifoldConvolution(8, 8, 27, bias=True)
    x = torch.randn(len(table.indices), 8)
    exact = convolution(x, table)
    with torch.autocast("cpu", torch.bfloat16):
        rounded = convolution(x, table)
    assert 0 < (rounded.float() - exact).abs().max() < 0.05
    rounded.float().square().sum().backward()
    assert convolution.weight.grad is not None and convolution.weight.grad.dtype == torch.float32
