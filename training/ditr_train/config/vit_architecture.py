"""The published vision transformers whose features can be taken: DINOv2, DINOv3 and SigLIP 2."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal


@dataclass(frozen=True)
class VitArchitecture:
    """One size of one family; by default DINOv2 (Oquab et al., DINOv2: Learning Robust Visual Features without
    Supervision, 2023)."""

    channels: int
    depth: int
    """Blocks."""
    heads: int
    hidden_channels: int = 0
    """Of the MLP, or of each half of SwiGLU; 0 stands for four times the channels, in SwiGLU for two thirds of that,
    rounded up to a multiple of 8."""
    feed_forward: Literal["mlp", "mlp-tanh", "swiglu"] = "mlp"
    """"mlp-tanh" has the approximate GELU."""
    class_token: bool = True
    registers: int = 0
    """Tokens besides the class token that belong to no patch."""
    layer_scale: bool = True
    key_bias: bool = True
    positions: Literal["learned", "rotary"] = "learned"
    resizing: Literal["offset", "antialiased", "plain"] = "offset"
    """How learned positions are resized, see `resize_positions`."""
    epsilon: float = 1e-6
    """Of the layer normalizations."""
    patch_size: int = 14
    """Pixels."""
    pretraining_grid: int = 37
    """Patches along each side of the image that the published position embedding is for; 0 where the checkpoints of
    one architecture differ in it."""

    def __post_init__(self) -> None:
        if self.hidden_channels == 0:
            hidden = 4 * self.channels
            gated = self.feed_forward == "swiglu"
            object.__setattr__(self, "hidden_channels", (2 * hidden // 3 + 7) // 8 * 8 if gated else hidden)


_DINOV2 = {
    "dinov2_vits14": VitArchitecture(channels=384, depth=12, heads=6),
    "dinov2_vitb14": VitArchitecture(channels=768, depth=12, heads=12),
    "dinov2_vitl14": VitArchitecture(channels=1024, depth=24, heads=16),
    "dinov2_vitg14": VitArchitecture(channels=1536, depth=40, heads=24, feed_forward="swiglu"),
}


def _with_registers(architecture: VitArchitecture) -> VitArchitecture:
    return replace(architecture, registers=4, resizing="antialiased")


def dinov3(channels: int, depth: int, heads: int, hidden_channels: int = 0, *, gated: bool = False) -> VitArchitecture:
    """DINOv3 (Siméoni et al., 2025): dinov3/hub/backbones.py of facebookresearch/dinov3 at 071435e."""
    return VitArchitecture(
        channels=channels,
        depth=depth,
        heads=heads,
        hidden_channels=hidden_channels,
        feed_forward="swiglu" if gated else "mlp",
        registers=4,
        key_bias=False,
        positions="rotary",
        epsilon=1e-5,
        patch_size=16,
        pretraining_grid=0,
    )


def siglip2(
    channels: int, depth: int, heads: int, hidden_channels: int = 0, *, patch_size: int = 16
) -> VitArchitecture:
    """The image side of SigLIP 2 (Tschannen et al., 2025) of fixed resolution, without its pooling head."""
    return VitArchitecture(
        channels=channels,
        depth=depth,
        heads=heads,
        hidden_channels=hidden_channels,
        feed_forward="mlp-tanh",
        class_token=False,
        layer_scale=False,
        resizing="plain",
        patch_size=patch_size,
        pretraining_grid=0,
    )


VIT_ARCHITECTURES: Mapping[str, VitArchitecture] = (
    _DINOV2
    # As torch.hub names them; `_reg` are those with registers (Darcet et al., 2023).
    | {f"{name}_reg": _with_registers(size) for name, size in _DINOV2.items()}
    | {
        "dinov3_vits16": dinov3(384, 12, 6),
        "dinov3_vits16plus": dinov3(384, 12, 6, 1536, gated=True),
        "dinov3_vitb16": dinov3(768, 12, 12),
        "dinov3_vitl16": dinov3(1024, 24, 16),
        "dinov3_vitl16plus": dinov3(1024, 24, 16, 4096, gated=True),
        "dinov3_vith16plus": dinov3(1280, 32, 20, 5120, gated=True),
        "siglip2_base_patch16": siglip2(768, 12, 12),
        "siglip2_base_patch32": siglip2(768, 12, 12, patch_size=32),
        "siglip2_large_patch16": siglip2(1024, 24, 16),
        "siglip2_so400m_patch14": siglip2(1152, 27, 16, 4304, patch_size=14),
        "siglip2_so400m_patch16": siglip2(1152, 27, 16, 4304),
        "siglip2_giant_opt_patch16": siglip2(1536, 40, 16, 6144),
    }
)
"""By the names that a configuration gives as `image_encoder.architecture`."""
