"""A neighbour table, and the same as pairs of voxels by offset, which is what training multiplies."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

_LEAST_SHARE = 0.6
"""Offsets are multiplied together as long as the rarest of them has this share of the most frequent one's pairs."""
_GROUPS = 3
"""Matrix products for all offsets of a table: on a street the middle, the same height, and above and below."""


@dataclass(frozen=True)
class NeighborTable:
    """int32 [V, kernel_volume] with V where there is no neighbour.

    It is symmetric: where b is a's neighbour at an offset, a is b's at the mirrored one, kernel_volume - 1 - offset.
    """

    indices: Tensor

    @cached_property
    def pairs(self) -> NeighborPairs:
        """Its occupied entries; found once for all convolutions over the table, forwards and backwards."""
        return _pairs_of(self.indices)


@dataclass(frozen=True)
class NeighborPairs:
    """The occupied entries of a table of V voxels, by offset, in S slots.

    The offsets are in groups of about as many entries each. Within a group each offset has as many slots as the most
    frequent has entries: the ones left over hold V twice.
    """

    offsets: Tensor
    """int64 [offsets that occur], those of a group one after the other"""
    groups: tuple[tuple[int, int], ...]
    """(offsets, slots of each) of the groups"""
    row: Tensor
    """int32 [S] whose neighbour it is"""
    source: Tensor
    """int32 [S] the neighbour"""
    slot: Tensor
    """int32 [entries] slots in the order of their rows"""
    first: Tensor
    """int32 [V] where in `slot` each row begins"""


def _pairs_of(indices: Tensor) -> NeighborPairs:
    """The device is waited for twice."""
    count, volume = indices.shape
    by_offset = indices.T.contiguous()
    occupied = by_offset < count
    entries = occupied.sum(1).tolist()
    offsets, groups = _grouped(entries)
    start, total = [0] * volume, 0
    for offset, slots in zip(offsets, (slots for size, slots in groups for _ in range(size)), strict=True):
        start[offset] = total
        total += slots
    # The n-th entry of an offset is in its n-th slot.
    slot = occupied.cumsum(1, dtype=torch.int32)
    slot += torch.tensor(start, dtype=torch.int32, device=indices.device)[:, None] - 1
    taken = slot[occupied].to(torch.int64)
    numbers = torch.arange(count, dtype=torch.int32, device=indices.device).expand(volume, count)
    row, source = (
        torch.full((total,), count, dtype=torch.int32, device=indices.device).scatter_(0, taken, values[occupied])
        for values in (numbers, by_offset)
    )
    first = torch.zeros(count, dtype=torch.int32, device=indices.device)
    torch.cumsum(occupied.sum(0)[:-1], 0, dtype=torch.int32, out=first[1:])
    return NeighborPairs(
        torch.tensor(offsets, device=indices.device), tuple(groups), row, source, slot.T[occupied.T], first
    )


def _grouped(entries: list[int]) -> tuple[list[int], list[tuple[int, int]]]:
    """Offsets that have entries, the most frequent first, and (offsets, slots of each) of their groups."""
    offsets = sorted((offset for offset, number in enumerate(entries) if number), key=lambda offset: -entries[offset])
    groups: list[tuple[int, int]] = []
    for offset in offsets:
        if groups and (entries[offset] >= _LEAST_SHARE * groups[-1][1] or len(groups) == _GROUPS):
            groups[-1] = (groups[-1][0] + 1, groups[-1][1])
        else:
            groups.append((1, entries[offset]))
    return offsets, groups
