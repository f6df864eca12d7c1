"""Multi-head attention within patches of a serialized scan."""

from __future__ import annotations

from torch import Tensor, nn

from ditr_train.model.gather import gather_rows
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

    def forward(self, x: Tensor, order: Tensor, inverse: Tensor, rotation: tuple[Tensor, Tensor] | None) -> Tensor:
        """x [V, C], order int32 [P, K], inverse int32 [V], rotation as from `rotary_angles` -> [V, C]."""
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

        def patches(rows: Tensor) -> Tensor:
            gathered = gather_rows(rows.reshape(-1, self.channels), order)
            heads = gathered.reshape(*order.shape, self.heads, self.head_channels)
            return heads.transpose(1, 2)  # [P, H, K, D]

        scores = (patches(q) * self.head_channels**-0.5) @ patches(k).transpose(-2, -1)
        mixed = (scores.softmax(dim=-1) @ patches(v)).transpose(1, 2).reshape(-1, self.channels)
        result: Tensor = self.proj(gather_rows(mixed, inverse))
        return result
