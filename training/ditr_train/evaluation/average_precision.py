"""Average precision of boxes, by the rules of the data sets.

AP25 and AP50 are those of SUN RGB-D and ScanNet (VoteNet's and 3DETR's evaluation): overlap of more than 25 or 50 %,
area below the precision envelope (PASCAL VOC 2010). For streets, nuScenes matches by distance (Caesar et al.,
nuScenes, CVPR 2020, section 3.1), and KITTI takes the envelope at 40 recalls (Simonelli et al., Disentangling Monocular
3D Object Detection, ICCV 2019).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Float64Array = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

DISTANCES = (0.5, 1.0, 2.0, 4.0)
"""Metres between centres, seen from above, below which nuScenes calls a box found."""
KITTI_RECALLS = 40

LEFT_OUT = -1


@dataclass(frozen=True)
class ScanMatches:
    """The boxes of one class that were found in a scan, against those that are there."""

    scores: Float64Array
    """[D]"""
    likeness: Float64Array
    """[D, G], larger where two boxes are more alike: their overlap, or their distance with a minus."""
    counted: BoolArray
    """[G] whether the box that is there has to be found; finding another one is neither right nor wrong."""


@dataclass(frozen=True)
class Outcomes:
    """What became of all that was found of a class, the best first."""

    right: BoolArray
    """[D] the first that found its box; the others are wrong."""
    positives: int
    """How many boxes had to be found."""

    def curve(self) -> tuple[Float64Array, Float64Array]:
        """Recall and precision [D] among the first 1 .. D."""
        found = np.cumsum(self.right)
        return found / max(1, self.positives), found / np.arange(1, len(found) + 1)


def outcomes(scans: Sequence[ScanMatches], threshold: float, *, retry: bool = False) -> Outcomes:
    """Goes through what was found in all scans by falling score. A box is right if the most alike of those that are
    there is more alike than the threshold and nothing better has found it.

    `retry` looks among those alone that nothing has found yet, as nuScenes' rule says; without it a second box on the
    same object is wrong whatever else is near, as in VoteNet's evaluation.
    """
    of_scan = np.repeat(np.arange(len(scans)), [len(scan.scores) for scan in scans])
    row = np.concatenate([np.arange(len(scan.scores)) for scan in scans] or [np.zeros(0, np.int64)])
    scores = np.concatenate([scan.scores for scan in scans] or [np.zeros(0)])
    found = [np.zeros(len(scan.counted), bool) for scan in scans]
    right: list[int] = []
    for place in np.argsort(-scores, kind="stable"):
        scan, taken = scans[of_scan[place]], found[of_scan[place]]
        likeness = scan.likeness[row[place]]
        eligible = scan.counted & ~taken if retry else scan.counted
        best = _best(likeness, eligible)
        if best >= 0 and likeness[best] > threshold:
            right.append(int(not taken[best]))
            taken[best] = True
            continue
        other = _best(likeness, ~scan.counted)
        right.append(LEFT_OUT if other >= 0 and likeness[other] > threshold else 0)
    judged = np.array(right, np.int64)
    return Outcomes(judged[judged != LEFT_OUT] == 1, sum(int(scan.counted.sum()) for scan in scans))


def _best(likeness: Float64Array, eligible: BoolArray) -> int:
    """Index of the most alike, -1 where none is eligible."""
    return int(np.where(eligible, likeness, -np.inf).argmax()) if eligible.any() else -1


def all_point_ap(found: Outcomes) -> float:
    """Area below the envelope of the curve: at each recall the best precision from there on (PASCAL VOC 2010)."""
    recall, precision = found.curve()
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    steps = np.diff(recall, prepend=0.0)
    return float((steps * envelope).sum())


def kitti_ap(found: Outcomes) -> float:
    """Mean of the envelope at the recalls 1/40, 2/40 .. 1; 0 where a recall is not reached."""
    recall, precision = found.curve()
    envelope = np.append(np.maximum.accumulate(precision[::-1])[::-1], 0.0)
    wanted = np.arange(1, KITTI_RECALLS + 1) / KITTI_RECALLS
    # Recalls are quotients too: 3/40 of 40 boxes is reached with the third.
    return float(envelope[np.searchsorted(recall, wanted - 1e-9)].mean())


def nuscenes_ap(found: Outcomes) -> float:
    """Mean of the precision above 0.1, in parts of 0.9, at the recalls 0.11, 0.12 .. 1 (calc_ap of nuscenes-devkit,
    eval/detection/algo.py)."""
    recall, precision = found.curve()
    if not found.right.any():
        return 0.0
    at = np.interp(np.linspace(0, 1, 101), recall, precision, right=0)[11:]
    return float(np.maximum(at - 0.1, 0).mean() / 0.9)


def average_precision(
    scans: Sequence[ScanMatches],
    threshold: float,
    measure: Callable[[Outcomes], float] = all_point_ap,
    *,
    retry: bool = False,
) -> float | None:
    """Of one class; None where no scan has a box that had to be found."""
    found = outcomes(scans, threshold, retry=retry)
    return measure(found) if found.positives else None
