"""Ways between a stage and the next coarser one."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ditr_train.model.gather import gather_rows, max_over_children
from ditr_train.model.strided_convolution import StridedConvolution, TransposedConvolution
from ditr_train.model.tables import StageTables


def batch_norm(channels: int, momentum: float) -> nn.BatchNorm1d:
    """The batch normalization of PTv3 and LitePT."""
    return nn.BatchNorm1d(channels, eps=1e-3, momentum=momentum)


class SerializedPooling(nn.Module):
    """Linear, max over the children, batch normalization, GELU: PTv3 and LitePT."""

    def __init__(self, in_channels: int, out_channels: int, momentum: float) -> None:
        super().__init__()
        self.proj = nn.Linear(in_channels, out_channels)
        self.norm = batch_norm(out_channels, momentum)
        self.act = nn.GELU()

    def forward(self, x: Tensor, children: Tensor) -> Tensor:
        """x [V_s, in_channels], children int32 [V_{s+1}, 8] -> [V_{s+1}, out_channels]."""
        y: Tensor = self.act(self.norm(max_over_children(self.proj(x), children)))
        return y


class SerializedUnpooling(nn.Module):
    """Brings coarse features to the finer stage and adds the skip connection, as PTv3 and LitePT do."""

    def __init__(self, in_channels: int, skip_channels: int, out_channels: int, momentum: float) -> None:
        super().__init__()
        self.proj = nn.Sequential(nn.Linear(in_channels, out_channels), batch_norm(out_channels, momentum), nn.GELU())
        self.proj_skip = nn.Sequential(
            nn.Linear(skip_channels, out_channels), batch_norm(out_channels, momentum), nn.GELU()
        )

    def forward(self, coarse: Tensor, skip: Tensor, tables: StageTables) -> tuple[Tensor, Tensor]:
        """coarse [V_{s+1}, in_channels], skip [V_s, skip_channels], tables of stage s
        -> their sum and the skip connection alone, each [V_s, out]."""
        assert tables.parent is not None
        projected: Tensor = self.proj_skip(skip)
        return projected + gather_rows(self.proj(coarse), tables.parent), projected


class ConvolutionPooling(nn.Module):
    """Strided convolution, batch normalization, ReLU: MinkUNet."""

    def __init__(self, in_channels: int, out_channels: int, momentum: float) -> None:
        super().__init__()
        self.convolution = StridedConvolution(in_channels, out_channels)
        self.norm = batch_norm(out_channels, momentum)

    def forward(self, x: Tensor, children: Tensor) -> Tensor:
        """x [V_s, in_channels], children int32 [V_{s+1}, 8] -> [V_{s+1}, out_channels]."""
        y: Tensor = self.norm(self.convolution(x, children)).relu()
        return y


class ConvolutionUnpooling(nn.Module):
    """Transposed convolution, batch normalization, ReLU, and the skip connection beside it: MinkUNet."""

    def __init__(self, in_channels: int, out_channels: int, momentum: float) -> None:
        super().__init__()
        self.convolution = TransposedConvolution(in_channels, out_channels)
        self.norm = batch_norm(out_channels, momentum)

    def forward(self, coarse: Tensor, skip: Tensor, tables: StageTables) -> tuple[Tensor, Tensor]:
        """coarse [V_{s+1}, in_channels], skip [V_s, skip_channels], tables of stage s
        -> [V_s, out_channels + skip_channels] and the skip connection alone."""
        assert tables.parent is not None and tables.children is not None
        y = self.norm(self.convolution(coarse, tables.parent, tables.children)).relu()
        return torch.cat([y, skip], dim=1), skip
