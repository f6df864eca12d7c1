"""MinkUNet's blocks, and a stage of them."""

from __future__ import annotations

from torch import Tensor, nn

from ditr_train.model.neighbor_table import NeighborTable
from ditr_train.model.pooling import batch_norm
from ditr_train.model.recomputation import RecomputableStage
from ditr_train.model.submanifold_convolution import SubmanifoldConvolution
from ditr_train.model.tables import StageTables


class ResidualBlock(nn.Module):
    """ReLU(x + BN(Conv(ReLU(BN(Conv(x)))))), with submanifold convolutions of 3x3x3; where channels change,
    BN(Linear(x)) is added in place of x.

    `BasicBlock` of Pointcept's models/sparse_unet/spconv_unet_v1m1_base.py.
    """

    def __init__(self, in_channels: int, out_channels: int, momentum: float) -> None:
        super().__init__()
        self.proj = (
            nn.Sequential(nn.Linear(in_channels, out_channels, bias=False), batch_norm(out_channels, momentum))
            if in_channels != out_channels
            else None
        )
        self.convolution1 = SubmanifoldConvolution(in_channels, out_channels, 27, bias=False)
        self.norm1 = batch_norm(out_channels, momentum)
        self.convolution2 = SubmanifoldConvolution(out_channels, out_channels, 27, bias=False)
        self.norm2 = batch_norm(out_channels, momentum)

    def forward(self, x: Tensor, neighbors: NeighborTable) -> Tensor:
        """x [V, in_channels] -> [V, out_channels]"""
        y = self.norm1(self.convolution1(x, neighbors)).relu()
        y = self.norm2(self.convolution2(y, neighbors))
        result: Tensor = (y + (x if self.proj is None else self.proj(x))).relu()
        return result


class ResidualStage(RecomputableStage):
    """Residual blocks at one resolution, of which the first may change the channels; without blocks the identity."""

    def __init__(self, in_channels: int, channels: int, depth: int, momentum: float) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(
            ResidualBlock(in_channels if i == 0 else channels, channels, momentum) for i in range(depth)
        )

    def forward(self, x: Tensor, tables: StageTables) -> Tensor:
        """x [V, in_channels] -> [V, channels]"""
        for block in self.blocks:
            assert tables.neighbors is not None
            x = self.run(block, x, tables.neighbors)
        return x
