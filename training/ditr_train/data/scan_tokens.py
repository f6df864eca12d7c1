"""What of a scan is a token: regions of its images, or nearest neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from ditr_train.config.model_config import Config
from ditr_train.data.mask_tokens import mask_tokens
from ditr_train.data.point_tokens import clusters, nearest_neighbor_tokens
from ditr_train.data.regions import NO_REGION, PointRegions, RegionIds
from ditr_train.data.scans import LabeledScan, PointImageFeatures
from ditr_train.data.stored_scans import StoredScan, StoredScans
from ditr_train.geometry.projection import CameraView


def tokens_of_regions(
    xyz: npt.NDArray[np.float32],
    views: Sequence[CameraView],
    ids: Sequence[RegionIds],
    config: Config,
    features: npt.NDArray[np.float32] | None,
) -> PointRegions:
    """Tokens of masks, then clusters of the points that are in none. xyz: [N, 3] metres; features: [P, C_2D] patches of
    all images. Raises DataError when an image of ids is not of its camera's size."""
    encoder = config.image_encoder
    found = mask_tokens(xyz, views, ids, encoder is None or encoder.occlusion, config.tokens)
    seen = int(found.token.max(initial=-1)) + 1
    region = found.region.copy()
    left = np.flatnonzero(region == NO_REGION)
    of_left = clusters(xyz[left], config.backbone, config.tokens)
    region[left] = np.where(of_left >= 0, seen + of_left, NO_REGION)
    if features is None:
        return PointRegions(region, None, seen)
    assert encoder is not None
    return PointRegions(region, found.features(ids, np.split(features, len(ids)), encoder), seen)


def tokens_of_neighbors(
    xyz: npt.NDArray[np.float32], config: Config, images: PointImageFeatures | None
) -> PointRegions:
    """Tokens of nearest neighbours, those first of which a camera sees points, whose features are the mean over these
    points. Without image features all count as seen."""
    region = nearest_neighbor_tokens(xyz, config.backbone, config.tokens)
    count = int(region.max(initial=NO_REGION)) + 1
    if images is None:
        return PointRegions(region, None, count)
    points = np.flatnonzero((region != NO_REGION) & (images.weight.max(axis=1) > 0))
    of_points = (images.features[images.patch[points]] * images.weight[points][:, :, None]).sum(axis=1)
    total = np.zeros((count, images.features.shape[1]))
    np.add.at(total, region[points], of_points)
    sighted = np.bincount(region[points], minlength=count)
    order = np.argsort(sighted == 0, kind="stable")
    number = np.full(count + 1, NO_REGION, np.int32)  # the last is that of NO_REGION
    number[order] = np.arange(count, dtype=np.int32)
    seen = int(np.count_nonzero(sighted))
    mean = total[order[:seen]] / sighted[order[:seen], None]
    return PointRegions(number[region], mean.astype(np.float32), seen)


def with_neighbor_tokens(scans: Sequence[LabeledScan], config: Config) -> Sequence[LabeledScan]:
    """The scans with tokens of nearest neighbours in place of those that they have."""

    def changed(scan: LabeledScan) -> LabeledScan:
        if scan.regions is None:
            return scan
        xyz = np.stack([scan.fields[axis] for axis in "xyz"], axis=1)
        return replace(scan, regions=tokens_of_neighbors(xyz, config, scan.images))

    def stored(scan: StoredScan) -> StoredScan:
        return replace(scan, read=lambda images: changed(scan.read(images)), read_varied=None)

    if not isinstance(scans, StoredScans):
        return [changed(scan) for scan in scans]
    return StoredScans([stored(s) if isinstance(s, StoredScan) else changed(s) for s in scans.entries()])
