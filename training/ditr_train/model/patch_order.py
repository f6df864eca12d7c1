"""The patches of a serialized scan: which voxels attend to each other."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from ditr_train.model.gather import gather_rows


@dataclass(frozen=True)
class PatchOrder:
    """P patches of K voxels along one curve, or, of several scans, patches of several sizes one after the other."""

    order: Tensor
    """int32 [P, K] or [S] voxel of each slot; every voxel has one slot of its own, others borrow it to fill their
    patch"""
    inverse: Tensor
    """int32 [V] slot of each voxel"""
    parts: tuple[tuple[int, int], ...] = ()
    """(P, K) of the parts of an order [S]"""

    @cached_property
    def shapes(self) -> tuple[tuple[int, int], ...]:
        """(P, K) of patches of the same size, one after the other."""
        return self.parts or ((self.order.shape[0], self.order.shape[1]),)

    @cached_property
    def slots(self) -> Tensor:
        """int32 [S] voxel of each slot"""
        return self.order.reshape(-1)

    @cached_property
    def borrowed(self) -> Tensor:
        """int64 [B] slots that borrow their voxel"""
        own = gather_rows(self.inverse[:, None], self.slots)[:, 0]
        return (own != torch.arange(len(own), device=own.device)).nonzero()[:, 0]

    def gather(self, rows: Tensor) -> Tensor:
        """rows [V, C] -> [S, C] of the voxel of each slot."""
        result: Tensor = _Gather.apply(rows, self)  # type: ignore[no-untyped-call]
        return result

    def give_back(self, values: Tensor) -> Tensor:
        """values [S, C] -> [V, C] of the slot of each voxel."""
        result: Tensor = _GiveBack.apply(values, self)  # type: ignore[no-untyped-call]
        return result


class _Gather(torch.autograd.Function):
    """Its gradient is given back to the voxels; only what was borrowed has to be added."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, patches: PatchOrder) -> Tensor:
        ctx.patches = patches
        return gather_rows(rows, patches.slots)

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> tuple[Tensor, None]:
        (grad,) = gradients
        patches: PatchOrder = ctx.patches
        borrowed = patches.borrowed
        result = gather_rows(grad, patches.inverse)
        return result.index_add_(0, patches.slots.index_select(0, borrowed), grad.index_select(0, borrowed)), None


class _GiveBack(torch.autograd.Function):
    """Its gradient is that of each slot's voxel, and none where the voxel is borrowed."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, patches: PatchOrder) -> Tensor:
        ctx.patches = patches
        return gather_rows(values, patches.inverse)

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> tuple[Tensor, None]:
        (grad,) = gradients
        patches: PatchOrder = ctx.patches
        return gather_rows(grad, patches.slots).index_fill_(0, patches.borrowed, 0.0), None
