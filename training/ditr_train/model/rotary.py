"""PointROPE: rotary position encoding of voxel coordinates (LitePT)."""

from __future__ import annotations

import torch
from torch import Tensor


def rotary_angles(coordinates: Tensor, head_channels: int, base: float) -> tuple[Tensor, Tensor]:
    """coordinates int32 [V, 3] -> cosine and sine, each [V, 1, 3, head_channels / 6].

    A head's channels are split in three, for x, y and z; frequency i of D / 2 is base^(-2 i / D) with
    D = head_channels / 3.
    """
    per_axis = head_channels // 3
    exponents = torch.arange(0, per_axis, 2, dtype=torch.float32, device=coordinates.device) / per_axis
    angles = coordinates.to(torch.float32)[:, None, :, None] * base**-exponents
    return angles.cos(), angles.sin()


def rotate(heads: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    """heads [V, H, D_head]: in each axis' third, channel i is paired with channel i + D / 2."""
    _, count, channels = heads.shape
    halves = heads.reshape(-1, count, 3, 2, channels // 6)
    first, second = halves[:, :, :, 0], halves[:, :, :, 1]
    rotated = torch.stack([first * cosine - second * sine, second * cosine + first * sine], dim=3)
    return rotated.reshape(-1, count, channels)
