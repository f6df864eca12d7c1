"""In which order a training sees its scans: each draw depends on its number and the seed alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np

_ROUND = 1000
"""Draws in which each group gets its share exactly, to a draw."""


@dataclass(frozen=True)
class ScanGroup:
    """Scans, one after the other in the training set, that together are a share of what training sees."""

    scans: int
    share: float


def drawn(draw: int, scans: int, seed: Sequence[int], groups: Sequence[ScanGroup] = ()) -> int:
    """Index of the scan of a draw, of `scans` scans: each once in an epoch, in an order of the epoch's own.

    With groups, which make up all scans, each has its own epochs, and its share of the draws however few it has.
    """
    if not groups:
        epoch, place = divmod(draw, scans)
        return int(np.random.default_rng([*seed, epoch]).permutation(scans)[place])
    lap, place = divmod(draw, _ROUND)
    slot = int(np.random.default_rng([*seed, lap]).permutation(_ROUND)[place])
    ends = _ends(groups)
    group = int(np.searchsorted(ends, slot, side="right"))
    begin = ends[group - 1] if group else 0
    member = lap * (ends[group] - begin) + slot - begin
    epoch, place = divmod(member, groups[group].scans)
    order = np.random.default_rng([*seed, group, epoch, 7]).permutation(groups[group].scans)
    return sum(other.scans for other in groups[:group]) + int(order[place])


def _ends(groups: Sequence[ScanGroup]) -> list[int]:
    """Where in a round of draws each group's end."""
    total = sum(group.share for group in groups)
    return [round(_ROUND * share / total) for share in accumulate(group.share for group in groups)]
