"""Convolutions of kernel and stride 2 between a stage and the next coarser one, over the tables of the octree."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from ditr_train.model.gather import gather_rows, with_dummy_row

_CHILDREN = 8


def child_columns(parent: Tensor, children: Tensor) -> Tensor:
    """parent int32 [V_s], children int32 [V_{s+1}, 8] -> int32 [V_s], the column of each voxel among its siblings.

    That is its offset (x & 1) * 4 + (y & 1) * 2 + (z & 1) in the parent (docs/graph-contract.md).
    """
    own = torch.arange(parent.shape[0], dtype=torch.int32, device=parent.device)
    column = torch.arange(_CHILDREN, dtype=torch.int32, device=parent.device)
    return torch.where(gather_rows(children, parent) == own[:, None], column, 0).sum(dim=1, dtype=torch.int32)


class StridedConvolution(nn.Module):
    """torch.nn.Conv3d of kernel 2 and stride 2 on the occupied voxels, without bias: each coarse voxel sums over the
    children that it has.

    The weight is [8 * in_channels, out_channels]; child k of the contract has the rows [k * in_channels,
    (k + 1) * in_channels).
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        fan_in = _CHILDREN * in_channels
        bound = 1 / math.sqrt(fan_in)
        self.weight = nn.Parameter(torch.empty(fan_in, out_channels).uniform_(-bound, bound))

    def forward(self, x: Tensor, children: Tensor) -> Tensor:
        """x [V_s, in_channels], children int32 [V_{s+1}, 8] -> [V_{s+1}, out_channels]."""
        gathered = gather_rows(with_dummy_row(x, 0.0), children)
        return gathered.reshape(-1, self.weight.shape[0]) @ self.weight


class TransposedConvolution(nn.Module):
    """torch.nn.ConvTranspose3d of kernel 2 and stride 2, without bias, at the occupied voxels of the finer stage only.

    The weight is [in_channels, 8 * out_channels]; child k has the columns [k * out_channels, (k + 1) * out_channels).
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.out_channels = out_channels
        bound = 1 / math.sqrt(in_channels)
        self.weight = nn.Parameter(torch.empty(in_channels, _CHILDREN * out_channels).uniform_(-bound, bound))

    def forward(self, coarse: Tensor, parent: Tensor, children: Tensor) -> Tensor:
        """coarse [V_{s+1}, in_channels], parent int32 [V_s], children int32 [V_{s+1}, 8] -> [V_s, out_channels]."""
        # A coarse voxel has about as many children as there are matrices to multiply it with once it is known which.
        by_child = (coarse @ self.weight).reshape(-1, self.out_channels)
        return gather_rows(by_child, parent * _CHILDREN + child_columns(parent, children))
