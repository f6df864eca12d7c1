"""Submanifold convolution over a neighbour table: gather, then one matrix product."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from ditr_train.model.gather import gather_rows, with_dummy_row

_GATHERED_CHANNELS = 1024
"""Channels gathered at once: larger kernels are added up in chunks, so memory stays near V * 1024 floats."""


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

    def forward(self, x: Tensor, neighbors: Tensor) -> Tensor:
        """x [V, in_channels], neighbors int32 [V, kernel_volume] with V where empty -> [V, out_channels]."""
        if torch.is_grad_enabled() and not torch.compiler.is_exporting():
            weight: Tensor = self.weight
            if torch.is_autocast_enabled(x.device.type):
                # Autocast does not reach into functions with a backward pass of their own.
                dtype = torch.get_autocast_dtype(x.device.type)
                x, weight = x.to(dtype), weight.to(dtype)
            y: Tensor = _SparseConvolution.apply(x, weight, neighbors)  # type: ignore[no-untyped-call]
        else:
            y = self._dense(x, neighbors)
        return y if self.bias is None else y + self.bias

    def _dense(self, x: Tensor, neighbors: Tensor) -> Tensor:
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
    """The same sum over the occupied neighbours only, for training.

    On LiDAR about 5 of 27 neighbours are occupied, so it does a fifth of the dense arithmetic, and
    it keeps nothing for the backward pass but its inputs.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, neighbors: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight, neighbors)
        out = x.new_zeros(x.shape[0], weight.shape[1], dtype=torch.float32)
        for k, (rows, sources) in enumerate(_occupied_pairs(neighbors)):
            # Each row occurs once per offset, so a plain indexed write is a correct sum.
            out[rows] += x[sources] @ _offset_weight(weight, k, x.shape[1])
        return out

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> tuple[Tensor | None, Tensor, None]:
        (grad,) = gradients
        x, weight, neighbors = ctx.saved_tensors
        channels = x.shape[1]
        grad = grad.to(x.dtype)
        grad_x = torch.zeros_like(x, dtype=torch.float32) if ctx.needs_input_grad[0] else None
        grad_weight = torch.zeros_like(weight)
        for k, (rows, sources) in enumerate(_occupied_pairs(neighbors)):
            grad_rows = grad[rows]
            grad_weight[k * channels : (k + 1) * channels] = x[sources].T @ grad_rows
            if grad_x is not None:
                # A voxel is the neighbour at one offset of at most one voxel: again no duplicates.
                grad_x[sources] += grad_rows @ _offset_weight(weight, k, channels).T
        return grad_x, grad_weight, None


def _offset_weight(weight: Tensor, k: int, channels: int) -> Tensor:
    return weight[k * channels : (k + 1) * channels]


def _occupied_pairs(neighbors: Tensor) -> list[tuple[Tensor, Tensor]]:
    """For each offset the voxels that have a neighbour there, and those neighbours; the device is waited for twice."""
    occupied = (neighbors < neighbors.shape[0]).T
    offsets, rows = torch.nonzero(occupied, as_tuple=True)
    sources = neighbors[rows, offsets].long()
    counts = occupied.sum(1).tolist()
    return list(zip(torch.split(rows, counts), torch.split(sources, counts), strict=True))
