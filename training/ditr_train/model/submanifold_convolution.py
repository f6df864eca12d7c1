"""Submanifold convolution over a neighbour table: gather, then one matrix product."""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ditr_train.model.gather import gather_rows, with_dummy_row
from ditr_train.model.neighbor_table import NeighborPairs, NeighborTable

_GATHERED_CHANNELS = 1024
"""Channels that an exported graph gathers at once: larger kernels are added up in chunks, so memory stays near
V * 1024 floats."""


class SubmanifoldConvolution(nn.Module):
    """Convolves each occupied voxel with its occupied neighbours.

    The weight is [kernel_volume * in_channels, out_channels]; offset k of the contract's order
    (x slowest) has the rows [k * in_channels, (k + 1) * in_channels).
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_volume: int, *, bias: bool) -> None:
        super().__init__()
        self.in_channels = in_channels
        self.kernel_volume = kernel_volume
        fan_in = in_channels * kernel_volume
        self.weight = nn.Parameter(torch.empty(fan_in, out_channels))
        # What spconv and nn.Linear do: uniform within 1 / sqrt(fan in).
        bound = 1 / math.sqrt(fan_in)
        nn.init.uniform_(self.weight, -bound, bound)
        self.bias = nn.Parameter(torch.empty(out_channels).uniform_(-bound, bound)) if bias else None

    def forward(self, x: Tensor, neighbors: NeighborTable) -> Tensor:
        """x [V, in_channels], neighbors [V, kernel_volume] -> [V, out_channels]."""
        if torch.compiler.is_exporting():
            y = self._dense(x, neighbors.indices)
        else:
            weight: Tensor = self.weight
            if torch.is_autocast_enabled(x.device.type):
                # Autocast does not reach into functions with a backward pass of their own.
                dtype = torch.get_autocast_dtype(x.device.type)
                x, weight = x.to(dtype), weight.to(dtype)
            y = _SparseConvolution.apply(x, weight, neighbors.pairs)  # type: ignore[no-untyped-call]
        return y if self.bias is None else y + self.bias

    def _dense(self, x: Tensor, neighbors: Tensor) -> Tensor:
        """What a graph does: standard operators only, whatever is occupied."""
        padded = with_dummy_row(x, 0.0)
        step = max(1, math.ceil(self.kernel_volume / math.ceil(self.weight.shape[0] / _GATHERED_CHANNELS)))
        total: Tensor | None = None
        for first in range(0, self.kernel_volume, step):
            last = min(first + step, self.kernel_volume)
            gathered = gather_rows(padded, neighbors[:, first:last])
            rows = gathered.reshape(-1, (last - first) * self.in_channels)
            part = rows @ self.weight[first * self.in_channels : last * self.in_channels]
            total = part if total is None else total + part
        assert total is not None
        return total


class _SparseConvolution(torch.autograd.Function):
    """The same sum over the occupied neighbours only: a gather, a matrix product for each group of offsets, and a sum
    over the slots of each row.

    On LiDAR about 5 of 27 neighbours are occupied, so it does a fifth of the dense arithmetic, and it keeps nothing
    for the backward pass but its inputs. As the table is symmetric, the gradient of x is the same convolution of the
    gradient with the mirrored offsets: it is gathered too, nothing is written to indices.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, pairs: NeighborPairs) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.pairs = pairs
        gathered = gather_rows(with_dummy_row(x, 0.0), pairs.source)
        by_offset = weight.view(-1, x.shape[1], weight.shape[1])
        return _sum_of_rows(_products(gathered, by_offset.index_select(0, pairs.offsets), pairs), pairs)

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> tuple[Tensor | None, Tensor | None, None]:
        (grad,) = gradients
        x, weight = ctx.saved_tensors
        pairs: NeighborPairs = ctx.pairs
        by_offset = weight.view(-1, x.shape[1], weight.shape[1])
        # In the slots of an offset stands the gradient of the neighbour there: of the row whose neighbour at the
        # mirrored offset is the row of the slot.
        mirrored = by_offset.shape[0] - 1 - pairs.offsets
        gathered = gather_rows(with_dummy_row(grad.to(x.dtype), 0.0), pairs.source)
        grad_x = grad_weight = None
        if ctx.needs_input_grad[0]:
            grad_x = _sum_of_rows(
                _products(gathered, by_offset.index_select(0, mirrored).transpose(1, 2), pairs), pairs
            )
        if ctx.needs_input_grad[1]:
            rows = gather_rows(with_dummy_row(x, 0.0), pairs.row)
            products = _weight_products(rows, gathered, pairs)
            grad_weight = torch.zeros_like(by_offset).index_copy_(0, mirrored, products).view(weight.shape)
        return grad_x, grad_weight, None


def _products(gathered: Tensor, by_offset: Tensor, pairs: NeighborPairs) -> Tensor:
    """gathered [S, C], by_offset [offsets, C, C'] -> [S, C'], each slot by the matrix of its offset."""
    result = gathered.new_empty(len(gathered), by_offset.shape[2])
    slots = [offsets * size for offsets, size in pairs.groups]
    matrices = torch.split(by_offset, [offsets for offsets, _ in pairs.groups])
    for part, rows, out in zip(matrices, torch.split(gathered, slots), torch.split(result, slots), strict=True):
        count = len(part)
        torch.bmm(rows.view(count, -1, rows.shape[1]), part, out=out.view(count, -1, out.shape[1]))
    return result


def _weight_products(rows: Tensor, gathered: Tensor, pairs: NeighborPairs) -> Tensor:
    """rows [S, C], gathered [S, C'] -> [offsets, C, C'], summed over the slots of each offset."""
    slots = [offsets * size for offsets, size in pairs.groups]
    sides = zip(pairs.groups, torch.split(rows, slots), torch.split(gathered, slots), strict=True)
    return torch.cat(
        [
            torch.bmm(left.view(count, size, -1).transpose(1, 2), right.view(count, size, -1))
            for (count, size), left, right in sides
        ]
    )


def _sum_of_rows(values: Tensor, pairs: NeighborPairs) -> Tensor:
    """values [S, C] -> [V, C], the sum over the slots of each row."""
    return F.embedding_bag(pairs.slot, values, pairs.first, mode="sum")
