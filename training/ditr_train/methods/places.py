"""Range and height of points: what can be known of them without looking at shapes."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ditr_train.data.scans import LabeledScan

PLACES = 12
"""Intervals of range, and of height, that a guess from the place alone distinguishes."""


class PlaceIntervals(nn.Module):
    """Intervals of range and height with equally many points in each; part of a checkpoint."""

    edges: Tensor
    """[2, PLACES - 1] ends of the intervals of range, and of height"""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("edges", torch.zeros(2, PLACES - 1))

    def fit_places(self, range_and_height: Tensor) -> None:
        """[S, 2] in metres."""
        self.edges.copy_(torch.quantile(range_and_height, torch.linspace(0, 1, PLACES + 1)[1:-1], dim=0).T)

    def place(self, range_and_height: Tensor) -> Tensor:
        """[S, 2] in metres -> int64 [S], below PLACES squared: the intervals of range and height."""
        columns = range_and_height.T.contiguous()
        near, low = (torch.bucketize(column, edges) for column, edges in zip(columns, self.edges, strict=True))
        return near * PLACES + low


def range_and_height(scan: LabeledScan) -> Tensor:
    """[N, 2] distance of each point from the sensor's axis, and z, in metres."""
    x, y, z = (torch.from_numpy(scan.fields[axis]).float() for axis in "xyz")
    return torch.stack([torch.hypot(x, y), z], dim=1)
