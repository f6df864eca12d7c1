"""What other scans of a drive say of the places of a scan's points that no camera saw.

A camera ahead sees what lies beside and behind the robot a moment later. Where the poses of the scans are known, points
that nothing is said of take what is said of points of other scans at their place, if these stand still and agree.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from ditr_train.data.semantic_maps import NOTHING
from ditr_train.methods.pseudo_labels import PointTargets

_NEIGHBORS = 5
"""Points of other scans that are asked."""


@dataclass(frozen=True)
class GatherSettings:
    """From where targets are taken."""

    scans: int
    """Before, and as many after; of the same drive."""
    radius: float = 0.2
    """Metres, between a point and one of another scan that is asked about it."""
    agreement: float = 0.75
    """Least share of the confidence of those asked that is behind one target."""


@dataclass(frozen=True)
class PlacedTargets:
    """A scan of a drive with what its own images say."""

    name: str
    drive: str
    xyz: npt.NDArray[np.float64]
    """[N, 3] metres, in the frame of the scan"""
    pose: npt.NDArray[np.float64] | None
    """[4, 4] from there to a frame in which the world stands still; without it nothing is taken or given"""
    targets: PointTargets


@dataclass(frozen=True)
class _Said:
    """What the images of a scan say of things that stand still: places in the still world, targets and confidence."""

    places: npt.NDArray[np.float64]
    target: npt.NDArray[np.int32]
    weight: npt.NDArray[np.float32]


def gather(
    scans: Iterable[PlacedTargets], still: npt.NDArray[np.bool_], settings: GatherSettings
) -> Iterator[tuple[PlacedTargets, PointTargets]]:
    """Each scan with its targets and those that are gathered for it, in the same order; no more than
    2 * `settings.scans` + 1 scans are held.

    still [targets]: whether things of a target stay where they are; others are not given to other scans.
    """
    window: deque[tuple[PlacedTargets, _Said | None]] = deque(maxlen=2 * settings.scans + 1)
    waiting = 0
    for scan in scans:
        if window and scan.drive != window[-1][0].drive:
            for index in range(len(window) - waiting, len(window)):
                yield _with_others(window, index, settings)
            window.clear()
            waiting = 0
        window.append((scan, _said(scan, still)))
        waiting += 1
        if waiting > settings.scans:
            yield _with_others(window, len(window) - waiting, settings)
            waiting -= 1
    for index in range(len(window) - waiting, len(window)):
        yield _with_others(window, index, settings)


def _said(scan: PlacedTargets, still: npt.NDArray[np.bool_]) -> _Said | None:
    if scan.pose is None:
        return None
    target, weight = scan.targets.target, scan.targets.weight
    points = np.flatnonzero((target != NOTHING) & still[target])
    return _Said(_moved(scan.xyz[points], scan.pose), target[points], weight[points])


def _moved(xyz: npt.NDArray[np.float64], pose: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.asarray(xyz @ pose[:3, :3].T + pose[:3, 3])


def _with_others(
    window: Sequence[tuple[PlacedTargets, _Said | None]], index: int, settings: GatherSettings
) -> tuple[PlacedTargets, PointTargets]:
    scan, _ = window[index]
    near = range(max(0, index - settings.scans), min(len(window), index + settings.scans + 1))
    said = [there for place in near if place != index and (there := window[place][1]) is not None]
    unknown = np.flatnonzero(scan.targets.target == NOTHING)
    if scan.pose is None or len(unknown) == 0 or not any(len(there.target) for there in said):
        return scan, scan.targets
    targets = np.concatenate([there.target for there in said])
    weights = np.concatenate([there.weight for there in said])
    asked = min(_NEIGHBORS, len(targets))
    distance, nearest = cKDTree(np.concatenate([there.places for there in said])).query(
        _moved(scan.xyz[unknown], scan.pose), k=range(1, asked + 1), distance_upper_bound=settings.radius
    )
    answers = np.isfinite(distance)
    nearest = np.where(answers, nearest, 0)
    confidence = np.where(answers, weights[nearest], 0.0)
    votes = np.zeros((len(unknown), int(targets.max()) + 1))
    np.add.at(votes, (np.arange(len(unknown))[:, None], targets[nearest]), confidence)
    best = votes.argmax(1)
    share = votes.max(1) / np.maximum(votes.sum(1), 1e-9)
    taken = share >= settings.agreement
    target, weight = scan.targets.target.copy(), scan.targets.weight.copy()
    target[unknown[taken]] = best[taken]
    mean = confidence.sum(1) / np.maximum(answers.sum(1), 1)
    weight[unknown[taken]] = (share * mean)[taken]
    return scan, PointTargets(target, weight)
