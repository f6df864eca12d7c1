"""Scans that a training without labels can use."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ditr_train.config.backbone_config import BackboneConfig
from ditr_train.data.errors import DataError
from ditr_train.data.scans import LabeledScan
from ditr_train.data.stored_scans import StoredScans, with_images


def scans_with_images(scans: Sequence[LabeledScan], backbone: BackboneConfig, what: str) -> Sequence[LabeledScan]:
    """Those scans of which a camera sees points within the range, or, of data sets, of which there are images.

    Raises DataError when there are none.
    """
    visible = with_images(scans)
    if not isinstance(visible, StoredScans):
        visible = [scan for scan in visible if _any_in_range(scan, scan.seen(), backbone)]
    if not visible:
        raise DataError(
            f"{what}: no image belongs to any of {len(scans)} scans and sees points of it within point_range; are "
            "topics.cameras right, and what `ditr inspect` says of the bag?"
        )
    if len(visible) < len(scans):
        unseen = len(scans) - len(visible)
        print(f"{what}: {unseen} of {len(scans)} clouds have no image that sees them within point_range, left out")
    return visible


def scans_with_regions(scans: Sequence[LabeledScan], backbone: BackboneConfig, what: str) -> Sequence[LabeledScan]:
    """Those scans of which points within the range lie in regions of images, or, of data sets, of which there are
    images. Raises DataError when there are none."""
    regional = (
        with_images(scans)
        if isinstance(scans, StoredScans)
        else [
            scan for scan in scans if scan.regions is not None and _any_in_range(scan, scan.regions.in_seen(), backbone)
        ]
    )
    if not regional:
        raise DataError(
            f"{what}: no point within point_range of any of {len(scans)} clouds lies in a region of an image; are "
            "topics.cameras right, and the region images not empty?"
        )
    if len(regional) < len(scans):
        print(f"{what}: {len(scans) - len(regional)} of {len(scans)} clouds have no point in a region, left out")
    return regional


def _any_in_range(scan: LabeledScan, points: npt.NDArray[np.bool_], backbone: BackboneConfig) -> bool:
    inside = points.copy()
    if backbone.clamp:
        return bool((inside & np.isfinite([scan.fields[axis] for axis in "xyz"]).all(axis=0)).any())
    for axis, low, high in zip("xyz", backbone.point_range[:3], backbone.point_range[3:], strict=True):
        inside &= (scan.fields[axis] >= low) & (scan.fields[axis] < high)
    return bool(inside.any())
