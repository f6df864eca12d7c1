"""A block of PTv3 or LitePT."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ditr_train.model.neighbor_table import NeighborTable
from ditr_train.model.serialized_attention import SerializedAttention
from ditr_train.model.submanifold_convolution import SubmanifoldConvolution
from ditr_train.model.tables import StageTables


class DropPath(nn.Module):
    """Leaves out a residual branch for random voxels in training, as Pointcept's blocks do."""

    def __init__(self, probability: float) -> None:
        super().__init__()
        self.probability = probability

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.probability == 0:
            return x
        keep = 1 - self.probability
        return x * x.new_empty(x.shape[0], 1).bernoulli_(keep).div_(keep)


class ConvolutionBranch(nn.Module):
    """LN(Linear(SubMConv3(x))): PTv3's xCPE, and LitePT's convolution."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.convolution = SubmanifoldConvolution(channels, channels, 27, bias=True)
        self.linear = nn.Linear(channels, channels)
        self.norm = nn.LayerNorm(channels)

    def forward(self, x: Tensor, neighbors: NeighborTable) -> Tensor:
        y: Tensor = self.norm(self.linear(self.convolution(x, neighbors)))
        return y


class Block(nn.Module):
    """x + Conv(x), then x + Attention(LN x), then x + MLP(LN x); each part only where it is switched on.

    A block without convolution starts with a LayerNorm in its place, as LitePT's does.
    """

    def __init__(
        self,
        channels: int,
        heads: int,
        *,
        convolution: bool,
        attention: bool,
        order_index: int,
        mlp_ratio: float,
        drop_path: float,
    ) -> None:
        super().__init__()
        self.order_index = order_index
        self.convolution = ConvolutionBranch(channels) if convolution else None
        self.input_norm = None if convolution else nn.LayerNorm(channels)
        self.attention = SerializedAttention(channels, heads) if attention else None
        if attention:
            hidden = int(channels * mlp_ratio)
            self.attention_norm = nn.LayerNorm(channels)
            self.mlp_norm = nn.LayerNorm(channels)
            self.mlp = nn.Sequential(nn.Linear(channels, hidden), nn.GELU(), nn.Linear(hidden, channels))
            self.drop_path = DropPath(drop_path)

    def forward(
        self,
        x: Tensor,
        tables: StageTables,
        rotation: tuple[Tensor, Tensor] | None,
        convolved: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """x [V, C] -> [V, C], and what the last part added to it; rotation as from `rotary_angles`, None where
        positions come by convolution; convolved [V, C] is what the convolution reads if that is not x."""
        added = x
        if self.convolution is not None:
            assert tables.neighbors is not None
            added = self.convolution(x if convolved is None else convolved, tables.neighbors)
            x = x + added
        elif self.input_norm is not None:
            x = self.input_norm(x)
        if self.attention is not None:
            assert tables.patches is not None
            patches = tables.patches[self.order_index]
            x = x + self.drop_path(self.attention(self.attention_norm(x), patches, rotation))
            added = self.drop_path(self.mlp(self.mlp_norm(x)))
            x = x + added
        return x, added


def drop_path_rates(depths: tuple[int, ...], largest: float) -> list[list[float]]:
    """Rates that rise linearly over all blocks, by stage."""
    rates: list[float] = torch.linspace(0, largest, max(1, sum(depths)), device="cpu").tolist()
    result, first = [], 0
    for depth in depths:
        result.append(rates[first : first + depth])
        first += depth
    return result
