"""The vision transformers of DINOv2, DINOv3 and SigLIP 2, with the module names of DINOv2's checkpoints."""

from __future__ import annotations

import math
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ditr_train.config.vit_architecture import VitArchitecture

ROTARY_BASE = 100.0
"""Of DINOv3's rotary position encoding."""


def resize_positions(
    positions: Tensor, rows: int, columns: int, rule: Literal["offset", "antialiased", "plain"], *, first: int = 1
) -> Tensor:
    """Position embedding [1, first + M * M, C] of a square of M x M patches -> [1, first + rows * columns, C].

    The rows of the `first` tokens that are no patches stay. The others are resized bicubically by the rule that the
    weights were published with: "antialiased" to rows x columns for DINOv2 with registers; "offset", without
    antialiasing and with scale factors (rows + 0.1) / M, (columns + 0.1) / M, for DINOv2 without
    (facebookresearch/dinov2, hub/backbones.py); "plain", without antialiasing to rows x columns, for SigLIP
    (`interpolate_pos_encoding` of transformers).
    """
    side = round((positions.shape[1] - first) ** 0.5)
    if rows == side and columns == side:
        return positions
    grid = positions[:, first:].reshape(1, side, side, -1).permute(0, 3, 1, 2).float()
    if rule == "offset":
        scale = ((rows + 0.1) / side, (columns + 0.1) / side)
        resized = F.interpolate(grid, scale_factor=scale, mode="bicubic")
    else:
        resized = F.interpolate(grid, size=(rows, columns), mode="bicubic", antialias=rule == "antialiased")
    return torch.cat([positions[:, :first].float(), resized.flatten(2).transpose(1, 2)], dim=1)


def rotary_periods(head_channels: int) -> Tensor:
    """DINOv3's periods [head_channels / 4], of patch coordinates from -1 to 1."""
    return ROTARY_BASE ** (torch.arange(head_channels // 4, device="cpu") * (4 / head_channels))


def rotary_turns(rows: int, columns: int, head_channels: int) -> tuple[Tensor, Tensor]:
    """Cosine and sine [rows * columns, head_channels / 2] of the angle by which DINOv3 turns each pair of channels of
    a patch: first those of its row, then those of its column, both from -1 to 1 at the edges of the image."""
    centers = [(2 * torch.arange(size, device="cpu") + 1) / size - 1 for size in (rows, columns)]
    place = torch.stack(torch.meshgrid(*centers, indexing="ij"), dim=-1).reshape(-1, 2, 1)
    angles = (2 * math.pi * place / rotary_periods(head_channels)).flatten(1)
    return angles.cos(), angles.sin()


def _turned(heads: Tensor, turns: tuple[Tensor, Tensor]) -> Tensor:
    """heads [B, H, tokens, D] -> the same, with channels d and d + D / 2 of the last tokens, the patches, turned."""
    cosine, sine = turns
    first = heads.shape[2] - cosine.shape[0]
    a, b = heads[:, :, first:].chunk(2, dim=-1)
    turned = torch.cat([a * cosine - b * sine, b * cosine + a * sine], dim=-1)
    return torch.cat([heads[:, :, :first], turned], dim=2)


class PatchEmbedding(nn.Module):
    """A linear map of each patch's pixels."""

    def __init__(self, channels: int, patch_size: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, channels, patch_size, patch_size)

    def forward(self, image: Tensor) -> Tensor:
        """image [B, 3, H, W] -> [B, patches, C], patches row by row."""
        y: Tensor = self.proj(image).flatten(2).transpose(1, 2)
        return y


class Attention(nn.Module):
    """Multi-head self-attention over all tokens."""

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(channels, 3 * channels)
        self.proj = nn.Linear(channels, channels)

    def forward(self, x: Tensor, turns: tuple[Tensor, Tensor] | None = None) -> Tensor:
        """x [B, tokens, C] -> the same; turns as from `rotary_turns`."""
        batch, tokens, channels = x.shape
        qkv = self.qkv(x).reshape(batch, tokens, 3, self.heads, channels // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)
        if turns is not None:
            q, k = _turned(q, turns), _turned(k, turns)
        mixed = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(batch, tokens, channels)
        y: Tensor = self.proj(mixed)
        return y


class Mlp(nn.Module):
    """Linear, GELU, linear."""

    def __init__(self, channels: int, hidden_channels: int, *, approximate: bool) -> None:
        super().__init__()
        self.approximation = "tanh" if approximate else "none"
        self.fc1 = nn.Linear(channels, hidden_channels)
        self.fc2 = nn.Linear(hidden_channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.fc2(F.gelu(self.fc1(x), approximate=self.approximation))
        return y


class SwiGlu(nn.Module):
    """w3(silu(a) * b) with a, b = w12(x): the feed-forward part of the largest (Shazeer, GLU Variants, 2020)."""

    def __init__(self, channels: int, hidden_channels: int) -> None:
        super().__init__()
        self.w12 = nn.Linear(channels, 2 * hidden_channels)
        self.w3 = nn.Linear(hidden_channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        gate, value = self.w12(x).chunk(2, dim=-1)
        y: Tensor = self.w3(F.silu(gate) * value)
        return y


class LayerScale(nn.Module):
    """A learned factor for each channel of a residual branch."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.gamma


class Block(nn.Module):
    """x + scale(Attention(LN x)), then x + scale(FeedForward(LN x))."""

    def __init__(self, architecture: VitArchitecture) -> None:
        super().__init__()
        channels, hidden, epsilon = architecture.channels, architecture.hidden_channels, architecture.epsilon
        self.norm1 = nn.LayerNorm(channels, eps=epsilon)
        self.attn = Attention(channels, architecture.heads)
        self.ls1 = LayerScale(channels) if architecture.layer_scale else nn.Identity()
        self.norm2 = nn.LayerNorm(channels, eps=epsilon)
        self.mlp = (
            SwiGlu(channels, hidden)
            if architecture.feed_forward == "swiglu"
            else Mlp(channels, hidden, approximate=architecture.feed_forward == "mlp-tanh")
        )
        self.ls2 = LayerScale(channels) if architecture.layer_scale else nn.Identity()

    def forward(self, x: Tensor, turns: tuple[Tensor, Tensor] | None = None) -> Tensor:
        """x [B, tokens, C] -> the same; turns as from `rotary_turns`."""
        x = x + self.ls1(self.attn(self.norm1(x), turns))
        y: Tensor = x + self.ls2(self.mlp(self.norm2(x)))
        return y


class VisionTransformer(nn.Module):
    """Image to patch features, for one size of image: a learned position embedding is that of its rows x columns
    patches already."""

    def __init__(self, architecture: VitArchitecture, rows: int, columns: int) -> None:
        super().__init__()
        channels = architecture.channels
        self.rows, self.columns = rows, columns
        self.head_channels = channels // architecture.heads if architecture.positions == "rotary" else 0
        self.patch_embed = PatchEmbedding(channels, architecture.patch_size)
        first = 1 if architecture.class_token else 0
        self.prefix = first + architecture.registers
        self.cls_token = nn.Parameter(torch.zeros(1, 1, channels)) if architecture.class_token else None
        self.pos_embed = (
            nn.Parameter(nn.init.trunc_normal_(torch.empty(1, first + rows * columns, channels), std=0.02))
            if architecture.positions == "learned"
            else None
        )
        self.register_tokens = (
            nn.Parameter(torch.zeros(1, architecture.registers, channels)) if architecture.registers > 0 else None
        )
        self.blocks = nn.ModuleList(Block(architecture) for _ in range(architecture.depth))
        self.norm = nn.LayerNorm(channels, eps=architecture.epsilon)

    def forward(self, image: Tensor) -> Tensor:
        """image [B, 3, H, W], `(RGB / 255 - mean) / std` -> normalized patch tokens [B, rows * columns, C]."""
        patches = self.patch_embed(image)
        first: Tensor | None = self.cls_token
        if self.pos_embed is not None:
            # Added before the tokens are put together, so that registers get no position.
            patches = patches + self.pos_embed[:, -patches.shape[1] :]
            first = None if first is None else first + self.pos_embed[:, :1]
        prefix = [token for token in (first, self.register_tokens) if token is not None]
        tokens = torch.cat([*(token.expand(image.shape[0], -1, -1) for token in prefix), patches], dim=1)
        turns = None
        if self.head_channels:
            turns = tuple(t.to(tokens.device) for t in rotary_turns(self.rows, self.columns, self.head_channels))
        for block in self.blocks:
            tokens = block(tokens, turns)
        features: Tensor = self.norm(tokens[:, self.prefix :])
        return features
