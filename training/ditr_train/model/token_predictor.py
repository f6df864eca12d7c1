"""What is said of tokens that are not seen but for where they are."""

from __future__ import annotations

import torch
from torch import Tensor, nn

_WAVES = 9
"""Wavelengths of positions: 1 m, 2 m, ... 256 m."""


class TokenPredictor(nn.Module):
    """A transformer over the tokens that are seen, with their features, and those that are hidden, each the same
    learned vector; all know their position (the decoder of masked autoencoders, arXiv 2111.06377, section 3, and
    arXiv 2203.06604 for points)."""

    def __init__(self, token_channels: int, channels: int, depth: int, heads: int) -> None:
        super().__init__()
        self.embed = nn.Linear(token_channels, channels)
        self.hidden = nn.Parameter(torch.empty(channels))
        nn.init.normal_(self.hidden, std=0.02)
        self.position = nn.Linear(6 * _WAVES, channels)
        block = nn.TransformerEncoderLayer(
            channels, heads, 4 * channels, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
        )
        self.blocks = nn.TransformerEncoder(block, depth, norm=nn.LayerNorm(channels), enable_nested_tensor=False)
        self.token_head = nn.Linear(channels, token_channels)
        self.scene_head = nn.Linear(channels, token_channels)

    def forward(self, seen: Tensor, seen_center: Tensor, hidden_center: Tensor) -> tuple[Tensor, Tensor]:
        """seen [S, C] with positions [S, 3] in metres, hidden_center [H, 3] -> hidden tokens [H, C] and the mean token
        of the scene [1, C]."""
        hidden = self.hidden.expand(len(hidden_center), -1)
        tokens = torch.cat([self.embed(seen), hidden.to(seen.dtype)])
        x: Tensor = self.blocks((tokens + self.position(waves(torch.cat([seen_center, hidden_center]))))[None])[0]
        return self.token_head(x[len(seen) :]), self.scene_head(x.mean(0, keepdim=True))


def waves(position: Tensor) -> Tensor:
    """[T, 3] metres -> [T, 6 * waves]: sine and cosine of each coordinate at each wavelength."""
    length = 2.0 ** torch.arange(_WAVES, device=position.device)
    phase = (2 * torch.pi * position[:, :, None] / length).flatten(1)
    return torch.cat([phase.sin(), phase.cos()], 1)
