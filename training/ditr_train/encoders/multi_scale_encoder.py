"""A frozen image encoder that looks at an image at several scales."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class MultiScaleEncoder(nn.Module):
    """Features of the whole image beside those of its tiles, each tile enlarged to the encoder's input.

    S2 (Shi et al., When Do We Not Need Larger Vision Models?, arXiv 2403.13043): more detail from the same weights,
    for the price of more images. There the fine features are pooled to the coarse grid; here the coarse ones are
    repeated on the fine grid, as points take the features of a patch.
    """

    def __init__(self, encoder: nn.Module, scales: Sequence[int], rows: int, columns: int) -> None:
        """`encoder` maps images [B, 3, H, W] to [B, rows * columns, C]; at a scale s there are s x s tiles. The
        largest scale is a multiple of each."""
        super().__init__()
        self.encoder = encoder
        self.scales = tuple(scales)
        self.rows = rows
        self.columns = columns

    def forward(self, image: Tensor) -> Tensor:
        """image [B, 3, S * H, S * W], S the largest scale -> [B, S * rows * S * columns, C * scales]; the features of
        each scale have length 1, so that a cosine is the mean over the scales."""
        finest = max(self.scales)
        maps = []
        for scale in self.scales:
            repeat = finest // scale
            features = self._at(scale, F.avg_pool2d(image, repeat) if repeat > 1 else image)
            maps.append(features.repeat_interleave(repeat, 1).repeat_interleave(repeat, 2))
        return torch.cat(maps, dim=-1).flatten(1, 2)

    def _at(self, scale: int, image: Tensor) -> Tensor:
        """image [B, 3, scale * H, scale * W] -> [B, scale * rows, scale * columns, C]"""
        batch, channels, height, width = image.shape
        tiles = image.reshape(batch, channels, scale, height // scale, scale, width // scale)
        tiles = tiles.permute(0, 2, 4, 1, 3, 5).reshape(-1, channels, height // scale, width // scale)
        features = F.normalize(self.encoder(tiles), dim=-1)
        grid = features.reshape(batch, scale, scale, self.rows, self.columns, -1).transpose(2, 3)
        return grid.reshape(batch, scale * self.rows, scale * self.columns, -1)
