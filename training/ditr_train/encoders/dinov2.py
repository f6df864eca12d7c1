"""DINOv2's vision transformer, with the module names of its published checkpoints."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ditr_train.config.dinov2_architecture import DinoV2Architecture


def resize_positions(positions: Tensor, rows: int, columns: int, *, antialias: bool) -> Tensor:
    """Position embedding [1, 1 + M * M, C] of a square of M x M patches -> [1, 1 + rows * columns, C].

    The class token's row stays. The others are resized bicubically by the rule that the weights were published
    with (facebookresearch/dinov2, hub/backbones.py): with antialiasing to rows x columns for the models with
    registers, else without it and with scale factors (rows + 0.1) / M, (columns + 0.1) / M.
    """
    side = round((positions.shape[1] - 1) ** 0.5)
    if rows == side and columns == side:
        return positions
    grid = positions[:, 1:].reshape(1, side, side, -1).permute(0, 3, 1, 2).float()
    if antialias:
        resized = F.interpolate(grid, size=(rows, columns), mode="bicubic", antialias=True)
    else:
        scale = ((rows + 0.1) / side, (columns + 0.1) / side)
        resized = F.interpolate(grid, scale_factor=scale, mode="bicubic")
    return torch.cat([positions[:, :1].float(), resized.flatten(2).transpose(1, 2)], dim=1)


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

    def forward(self, x: Tensor) -> Tensor:
        """x [B, tokens, C] -> the same."""
        batch, tokens, channels = x.shape
        qkv = self.qkv(x).reshape(batch, tokens, 3, self.heads, channels // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)
        mixed = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(batch, tokens, channels)
        y: Tensor = self.proj(mixed)
        return y


class Mlp(nn.Module):
    """Linear, GELU, linear."""

    def __init__(self, channels: int, hidden_channels: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(channels, hidden_channels)
        self.fc2 = nn.Linear(hidden_channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.fc2(F.gelu(self.fc1(x)))
        return y


class SwiGlu(nn.Module):
    """w3(silu(a) * b) with a, b = w12(x): the feed-forward part of ViT-g (Shazeer, GLU Variants, 2020)."""

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

    def __init__(self, architecture: DinoV2Architecture) -> None:
        super().__init__()
        channels, hidden = architecture.channels, architecture.hidden_channels
        self.norm1 = nn.LayerNorm(channels, eps=1e-6)
        self.attn = Attention(channels, architecture.heads)
        self.ls1 = LayerScale(channels)
        self.norm2 = nn.LayerNorm(channels, eps=1e-6)
        self.mlp = Mlp(channels, hidden) if architecture.feed_forward == "mlp" else SwiGlu(channels, hidden)
        self.ls2 = LayerScale(channels)

    def forward(self, x: Tensor) -> Tensor:
        """x [B, tokens, C] -> the same."""
        x = x + self.ls1(self.attn(self.norm1(x)))
        y: Tensor = x + self.ls2(self.mlp(self.norm2(x)))
        return y


class DinoV2(nn.Module):
    """Image to patch features, for one size of image: the position embedding is that of its rows x columns
    patches already."""

    def __init__(self, architecture: DinoV2Architecture, rows: int, columns: int) -> None:
        super().__init__()
        channels = architecture.channels
        self.registers = architecture.registers
        self.patch_embed = PatchEmbedding(channels, architecture.patch_size)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, channels))
        self.pos_embed = nn.Parameter(nn.init.trunc_normal_(torch.empty(1, 1 + rows * columns, channels), std=0.02))
        self.register_tokens = (
            nn.Parameter(torch.zeros(1, architecture.registers, channels)) if architecture.registers > 0 else None
        )
        self.blocks = nn.ModuleList(Block(architecture) for _ in range(architecture.depth))
        self.norm = nn.LayerNorm(channels, eps=1e-6)

    def forward(self, image: Tensor) -> Tensor:
        """image [B, 3, H, W], `(RGB / 255 - mean) / std` -> normalized patch tokens [B, rows * columns, C]."""
        # Added before the tokens are put together, so that registers get no position.
        patches = self.patch_embed(image) + self.pos_embed[:, 1:]
        first = [self.cls_token + self.pos_embed[:, :1]]
        if self.register_tokens is not None:
            first.append(self.register_tokens)
        tokens = torch.cat([*(token.expand(image.shape[0], -1, -1) for token in first), patches], dim=1)
        for block in self.blocks:
            tokens = block(tokens)
        features: Tensor = self.norm(tokens[:, 1 + self.registers :])
        return features
