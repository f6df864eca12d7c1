"""Multi-head attention within patches of a serialized scan."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ditr_train.model.gather import gather_rows
from ditr_train.model.patch_order import PatchOrder
from ditr_train.model.rotary import rotate


class SerializedAttention(nn.Module):
    """Attention among the K voxels of each patch of a space-filling curve's order."""

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.channels = channels
        self.heads = heads
        self.head_channels = channels // heads
        self.qkv = nn.Linear(channels, 3 * channels)
        self.proj = nn.Linear(channels, channels)

    def forward(self, x: Tensor, patches: PatchOrder, rotation: tuple[Tensor, Tensor] | None) -> Tensor:
        """x [V, C], rotation as from `rotary_angles` -> [V, C]."""
        if torch.compiler.is_exporting():
            return self._explicit(x, patches, rotation)
        qkv = self.qkv(x)
        if rotation is not None:
            # Rotation depends on the voxel alone, so it is done before voxels are repeated in patches.
            turned, values = qkv.split([2 * self.channels, self.channels], dim=1)
            turned = rotate(turned.reshape(-1, 2 * self.heads, self.head_channels), *rotation)
            qkv = torch.cat([turned.reshape(-1, 2 * self.channels), values], dim=1)
        parts = torch.split(patches.gather(qkv), [count * size for count, size in patches.shapes])
        mixed = [self._within(part, *shape) for part, shape in zip(parts, patches.shapes, strict=True)]
        result: Tensor = self.proj(patches.give_back(mixed[0] if len(mixed) == 1 else torch.cat(mixed)))
        return result

    def _within(self, qkv: Tensor, count: int, size: int) -> Tensor:
        """qkv [P * K, 3 C] of patches -> [P * K, C]; the K x K scores are never kept."""
        heads = qkv.view(count, size, 3, self.heads, self.head_channels)
        q, k, v = heads.permute(2, 0, 3, 1, 4)  # each [P, H, K, D]
        return F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(-1, self.channels)

    def _explicit(self, x: Tensor, patches: PatchOrder, rotation: tuple[Tensor, Tensor] | None) -> Tensor:
        """What a graph does."""
        order, inverse = patches.order, patches.inverse
        qkv = self.qkv(x)
        if rotation is not None:
            # Rotation depends on the voxel alone, so it is done before voxels are repeated in patches.
            cosine, sine = rotation
            heads = qkv.reshape(-1, 3 * self.heads, self.head_channels)
            turned = rotate(heads[:, : 2 * self.heads], cosine, sine)
            q, k = turned[:, : self.heads], turned[:, self.heads :]
            v = heads[:, 2 * self.heads :]
        else:
            q, k, v = qkv.reshape(-1, 3, self.heads, self.head_channels).unbind(1)

        def of_slots(rows: Tensor) -> Tensor:
            gathered = gather_rows(rows.reshape(-1, self.channels), order)
            heads = gathered.reshape(*order.shape, self.heads, self.head_channels)
            return heads.transpose(1, 2)  # [P, H, K, D]

        scores = (of_slots(q) * self.head_channels**-0.5) @ of_slots(k).transpose(-2, -1)
        mixed = (scores.softmax(dim=-1) @ of_slots(v)).transpose(1, 2).reshape(-1, self.channels)
        result: Tensor = self.proj(gather_rows(mixed, inverse))
        return result
