"""Sizes of the published DINOv2 vision transformers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

DinoV2Name = Literal[
    "dinov2_vits14",
    "dinov2_vitb14",
    "dinov2_vitl14",
    "dinov2_vitg14",
    "dinov2_vits14_reg",
    "dinov2_vitb14_reg",
    "dinov2_vitl14_reg",
    "dinov2_vitg14_reg",
]
"""As torch.hub names them; `_reg` are those with registers (Darcet et al., 2023)."""


@dataclass(frozen=True)
class DinoV2Architecture:
    """One size of DINOv2 (Oquab et al., DINOv2: Learning Robust Visual Features without Supervision, 2023)."""

    channels: int
    depth: int
    """Blocks."""
    heads: int
    feed_forward: Literal["mlp", "swiglu"] = "mlp"
    registers: int = 0
    """Tokens besides the class token that belong to no patch."""
    patch_size: int = 14
    """Pixels."""
    pretraining_grid: int = 37
    """Patches along each side of the 518 pixels that the published position embedding is for."""

    @property
    def hidden_channels(self) -> int:
        """Of the MLP, or of each half of SwiGLU: two thirds of it, rounded up to a multiple of 8."""
        hidden = 4 * self.channels
        return hidden if self.feed_forward == "mlp" else (2 * hidden // 3 + 7) // 8 * 8


_SIZES = {
    "dinov2_vits14": DinoV2Architecture(channels=384, depth=12, heads=6),
    "dinov2_vitb14": DinoV2Architecture(channels=768, depth=12, heads=12),
    "dinov2_vitl14": DinoV2Architecture(channels=1024, depth=24, heads=16),
    "dinov2_vitg14": DinoV2Architecture(channels=1536, depth=40, heads=24, feed_forward="swiglu"),
}


def dinov2_architecture(name: DinoV2Name) -> DinoV2Architecture:
    """The sizes behind a name."""
    size = _SIZES[name.removesuffix("_reg")]
    if not name.endswith("_reg"):
        return size
    return DinoV2Architecture(size.channels, size.depth, size.heads, size.feed_forward, registers=4)
