"""A small vision transformer whose patch features DITR injects."""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ditr_train.config.model_config import ImageEncoderConfig


class TransformerBlock(nn.Module):
    """Pre-norm self-attention over all patches, and an MLP of ratio 4."""

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.attention_norm = nn.LayerNorm(channels)
        self.qkv = nn.Linear(channels, 3 * channels)
        self.proj = nn.Linear(channels, channels)
        self.mlp_norm = nn.LayerNorm(channels)
        self.mlp = nn.Sequential(nn.Linear(channels, 4 * channels), nn.GELU(), nn.Linear(4 * channels, channels))

    def forward(self, x: Tensor) -> Tensor:
        """x [B, patches, C] -> the same."""
        batch, patches, channels = x.shape
        qkv = self.qkv(self.attention_norm(x)).reshape(batch, patches, 3, self.heads, channels // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)
        mixed = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(batch, patches, channels)
        x = x + self.proj(mixed)
        y: Tensor = x + self.mlp(self.mlp_norm(x))
        return y


def _convolution(in_channels: int, out_channels: int, stride: int) -> list[nn.Module]:
    return [nn.Conv2d(in_channels, out_channels, 3, stride, 1), nn.BatchNorm2d(out_channels), nn.GELU()]


class ImageEncoder(nn.Module):
    """Image to patch features.

    The patches of 16 are cut by 3x3 convolutions, four of them strided, instead of one of 16x16: a
    transformer with an early convolutional stem learns from far fewer images (Xiao et al., Early
    Convolutions Help Transformers See Better, 2021).
    """

    def __init__(self, config: ImageEncoderConfig) -> None:
        super().__init__()
        size = config.feature_dimension
        widths = (3, size // 4, size // 2, size, size)
        layers: list[nn.Module] = []
        for halving, (inner, outer) in enumerate(pairwise(widths)):
            layers += _convolution(inner, outer, stride=2)
            if halving in (1, 2):
                layers += _convolution(outer, outer, stride=1)
        self.stem = nn.Sequential(*layers)
        rows, columns = config.input_height // config.patch_size, config.input_width // config.patch_size
        self.position = nn.Parameter(nn.init.trunc_normal_(torch.empty(rows * columns, size), std=0.02))
        self.blocks = nn.ModuleList(TransformerBlock(size, config.heads) for _ in range(config.depth))
        self.norm = nn.LayerNorm(size)

    def forward(self, image: Tensor) -> Tensor:
        """image [B, 3, H, W], `(RGB / 255 - mean) / std` -> features [B, rows * columns, C_2D]."""
        x = self.stem(image).flatten(2).transpose(1, 2) + self.position
        for block in self.blocks:
            x = block(x)
        features: Tensor = self.norm(x)
        return features


class PatchSegmentationHead(nn.Module):
    """Class logits on a 4x4 grid of cells in each patch: the encoder is trained with it, and it is left out
    of the exported graph.

    A linear layer leaves what it does not read in the features as it is. With `cosine` the logits are the cosines
    between features and class weights over a temperature of 0.1, as those of DINO's prototypes (Caron et al., Emerging
    Properties in Self-Supervised Vision Transformers, 2021): patches of a class then have features of one direction,
    which is what the cosine of a distillation compares.
    """

    CELLS = 4
    TEMPERATURE = 0.1

    def __init__(self, feature_dimension: int, classes: int, *, cosine: bool = False) -> None:
        super().__init__()
        self.classes = classes
        self.cosine = cosine
        self.linear = nn.Linear(feature_dimension, self.CELLS**2 * classes, bias=not cosine)

    def forward(self, features: Tensor, rows: int, columns: int) -> Tensor:
        """features [B, rows * columns, C] -> logits [B, classes, 4 * rows, 4 * columns]."""
        cells, batch = self.CELLS, features.shape[0]
        if self.cosine:
            weight = F.normalize(self.linear.weight, dim=-1)
            logits = F.linear(F.normalize(features, dim=-1), weight) / self.TEMPERATURE
        else:
            logits = self.linear(features)
        logits = logits.reshape(batch, rows, columns, cells, cells, self.classes)
        image: Tensor = logits.permute(0, 5, 1, 3, 2, 4).reshape(batch, self.classes, rows * cells, columns * cells)
        return image
