"""Ways between a stage and the next coarser one."""

from __future__ import annotations

from torch import Tensor, nn

from ditr_train.model.gather import gather_rows, max_over_children


def batch_norm(channels: int, momentum: float) -> nn.BatchNorm1d:
    """The batch normalization of PTv3 and LitePT."""
    return nn.BatchNorm1d(channels, eps=1e-3, momentum=momentum)


class SerializedPooling(nn.Module):
    """Linear, max over the children, batch normalization, GELU."""

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
    """Brings coarse features to the finer stage and adds the skip connection."""

    def __init__(self, in_channels: int, skip_channels: int, out_channels: int, momentum: float) -> None:
        super().__init__()
        self.proj = nn.Sequential(nn.Linear(in_channels, out_channels), batch_norm(out_channels, momentum), nn.GELU())
        self.proj_skip = nn.Sequential(
            nn.Linear(skip_channels, out_channels), batch_norm(out_channels, momentum), nn.GELU()
        )

    def forward(self, coarse: Tensor, skip: Tensor, parent: Tensor) -> tuple[Tensor, Tensor]:
        """coarse [V_{s+1}, in_channels], skip [V_s, skip_channels], parent int32 [V_s]
        -> their sum and the skip connection alone, each [V_s, out]."""
        projected: Tensor = self.proj_skip(skip)
        return projected + gather_rows(self.proj(coarse), parent), projected
