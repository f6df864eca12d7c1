"""Tokens of a scan from the masks of its images: masks of several images that hold the same points are one token."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ditr_train.config.model_config import ImageEncoderConfig
from ditr_train.config.training_config import TokensConfig
from ditr_train.data.errors import DataError
from ditr_train.data.regions import NO_REGION, RegionIds, region_features
from ditr_train.geometry.projection import CameraView, visible_pixels

UNSEEN = -2
"""Mask of a point that an image does not see; NO_REGION of one that it sees outside of all masks."""


@dataclass(frozen=True)
class MaskTokens:
    """T tokens, each of one mask or several."""

    region: npt.NDArray[np.int32]
    """[N] token of each point, NO_REGION or below T; every token has points."""
    image: npt.NDArray[np.int64]
    """[M] image of each mask that belongs to a token"""
    mask: npt.NDArray[np.uint16]
    """[M] its id there"""
    token: npt.NDArray[np.int64]
    """[M] its token"""

    def features(
        self, ids: Sequence[RegionIds], patches: Sequence[npt.NDArray[np.float32]], encoder: ImageEncoderConfig
    ) -> npt.NDArray[np.float32]:
        """[T, C_2D] mean over the pixels of all masks of a token of the features [P, C_2D] of their images' patches."""
        count = int(self.token.max(initial=-1)) + 1
        total = np.zeros((count, patches[0].shape[1] if patches else 0))
        pixels = np.zeros(count)
        for number, (image, features) in enumerate(zip(ids, patches, strict=True)):
            of_image = np.flatnonzero(self.image == number)
            kept = self.mask[of_image]  # ascending, as region_features needs it
            area = np.bincount(image.ravel(), minlength=int(kept.max(initial=0)) + 1)[kept]
            np.add.at(total, self.token[of_image], area[:, None] * region_features(image, kept, features, encoder))
            np.add.at(pixels, self.token[of_image], area)
        return (total / np.maximum(1, pixels)[:, None]).astype(np.float32)


def mask_tokens(
    xyz: npt.NDArray[np.floating],
    views: Sequence[CameraView],
    ids: Sequence[RegionIds],
    occlusion: bool,
    settings: TokensConfig,
) -> MaskTokens:
    """xyz: [N, 3] metres, cloud frame; images may be of several cameras and of several times.

    Masks are merged by `linked`. A point takes the token of the image near whose centre it is, of those in which it
    lies in a mask. Raises DataError when an image of ids is not of its camera's size.
    """
    best = np.full(len(xyz), np.inf)
    own = np.full(len(xyz), NO_REGION, np.int64)
    of_views = []
    images, masks = [], []
    first = 0
    for number, (view, image) in enumerate(zip(views, ids, strict=True)):
        if image.shape != (view.height, view.width):
            raise DataError(
                f"an image of region ids is {image.shape[1]} x {image.shape[0]}, "
                f"its camera's images are {view.width} x {view.height}"
            )
        points, row, column, distance = visible_pixels(xyz, view, occlusion)
        at = image[row, column]
        kept, inverse = np.unique(at[at > 0], return_inverse=True)
        mask = np.full(len(xyz), UNSEEN, np.int64)
        mask[points] = NO_REGION
        mask[points[at > 0]] = first + inverse
        of_views.append(mask)
        images.append(np.full(len(kept), number))
        masks.append(kept)
        first += len(kept)
        nearer = points[(at > 0) & (distance < best[points])]
        own[nearer] = mask[nearer]
        best[points[at > 0]] = np.minimum(best[points], distance)[at > 0]
    component = linked(of_views, first, settings.merge_iou, settings.merge_points)
    taken, region = np.unique(component[own[own >= 0]], return_inverse=True)
    token = np.searchsorted(taken, component)
    of_token = np.isin(component, taken)
    of_points = np.full(len(xyz), NO_REGION, np.int32)
    of_points[own >= 0] = region
    image_of, mask_of = (np.concatenate(parts) if parts else np.zeros(0, int) for parts in (images, masks))
    return MaskTokens(of_points, image_of[of_token], mask_of[of_token].astype(np.uint16), token[of_token])


def linked(
    of_views: Sequence[npt.NDArray[np.int64]], count: int, least_iou: float, least_points: int
) -> npt.NDArray[np.int64]:
    """Which of `count` masks are one: [count] numbers of the groups.

    of_views: for each image [N] the mask of each point, numbered over all images, NO_REGION or UNSEEN. Two masks of
    different images are one when at least `least_points` points lie in both, and these are at least `least_iou` of the
    points of either, of those points that both images see; and so are masks that are linked by others.
    """
    rows, columns = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for i, first in enumerate(of_views):
        for second in of_views[:i]:
            both = (first != UNSEEN) & (second != UNSEEN)
            a, b = first[both], second[both]
            in_both = (a >= 0) & (b >= 0)
            pairs, shared = np.unique(a[in_both] * count + b[in_both], return_counts=True)
            row, column = pairs // max(1, count), pairs % max(1, count)
            size_a, size_b = (np.bincount(each[each >= 0], minlength=count) for each in (a, b))
            one = (shared >= least_points) & (shared >= least_iou * (size_a[row] + size_b[column] - shared))
            rows.append(row[one])
            columns.append(column[one])
    edges = np.concatenate(rows), np.concatenate(columns)
    graph = coo_array((np.ones(len(edges[0])), edges), shape=(count, count))
    if count == 0:
        return np.zeros(0, np.int64)
    return np.asarray(connected_components(graph, directed=False)[1], np.int64)
