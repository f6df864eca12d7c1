"""Regions of camera images, as SAM's masks give them: where they are kept, and what they say of a scan's points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
from PIL import Image

from ditr_train.config.model_config import ImageEncoderConfig
from ditr_train.data.errors import DataError
from ditr_train.data.frames import CameraImage
from ditr_train.data.images import patch_grid
from ditr_train.geometry.projection import CameraView, assign_pixels

NO_REGION = -1
"""Region of a point that no camera sees, or where its image has none."""

RegionIds = npt.NDArray[np.uint16]
"""[height, width] of an image: the region of each pixel, 0 where there is none."""


@dataclass(frozen=True)
class PointRegions:
    """The R regions of a scan that its points lie in, by point: computed before augmentation moves the points."""

    region: npt.NDArray[np.int32]
    """[N], NO_REGION or below R"""
    features: npt.NDArray[np.float32] | None
    """[R, C_2D] mean image feature over the pixels of each region; None where no image encoder was given."""

    def subset(self, points: npt.NDArray[np.intp]) -> PointRegions:
        """Those of some of the points; the regions stay, even where no point is left of one."""
        return replace(self, region=self.region[points])


class RegionSource(Protocol):
    """Gives the regions of camera images."""

    def ids(self, bag: str, image: CameraImage) -> RegionIds:
        """bag: file name of the image's bag. Raises DataError when there are none."""


class RegionTopics:
    """Region images in the samples themselves, which the bag had with the stamps of the camera's images."""

    def ids(self, bag: str, image: CameraImage) -> RegionIds:
        if image.regions is None:
            raise DataError(
                f"the image of {image.topic} at {image.stamp} has no region image: give --regions FOLDER "
                "(`ditr-train regions` writes one), or a bag that has them beside its images "
                "(`ditr samples --regions IMAGE=REGIONS` names their topic)"
            )
        return image.regions


class RegionFolder:
    """Region images as files: FOLDER/BAG/TOPIC/STAMP.png, BAG without its extension, TOPIC that of the camera's
    images, STAMP theirs in nanoseconds; grey PNGs of 16 or 8 bits, as large as the camera's images."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, bag: str, image: CameraImage, suffix: str = ".png") -> Path:
        """bag: file name of the image's bag."""
        return self.folder / Path(bag).stem / image.topic.strip("/") / f"{image.stamp}{suffix}"

    def ids(self, bag: str, image: CameraImage) -> RegionIds:
        path = self.path(bag, image)
        try:
            with Image.open(path) as opened:
                if opened.format != "PNG" or opened.mode not in ("I;16", "L"):
                    raise DataError(
                        f"{path}: {opened.format} in mode {opened.mode} is no PNG of region ids, which is grey with 16 "
                        "or 8 bits"
                    )
                return np.asarray(opened).astype(np.uint16)
        except FileNotFoundError:
            raise DataError(
                f"{path}: missing; {self.folder} needs a region image for each camera image that a cloud takes "
                "(ditr-train regions writes them)"
            ) from None
        except OSError as error:
            raise DataError(f"{path}: {error}") from error

    def write(self, bag: str, image: CameraImage, ids: RegionIds) -> None:
        path = self.path(bag, image)
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f"{path.name}.part")
        Image.fromarray(ids).save(temporary, "PNG")
        temporary.replace(path)


def point_regions(
    points_xyz: npt.NDArray[np.floating],
    views: Sequence[CameraView],
    ids: Sequence[RegionIds],
    occlusion: bool,
) -> tuple[npt.NDArray[np.int32], list[npt.NDArray[np.uint16]]]:
    """Regions of points, numbered over all cameras, and for each camera the ids of those that points lie in.

    points_xyz: [N, 3] metres, cloud frame. An object that two cameras see has a region in each; a point takes that
    of the camera that it takes its image features from. Raises DataError when an image of ids is not of its
    camera's size.
    """
    for view, image in zip(views, ids, strict=True):
        if image.shape != (view.height, view.width):
            raise DataError(
                f"an image of region ids is {image.shape[1]} x {image.shape[0]}, "
                f"its camera's images are {view.width} x {view.height}"
            )
    camera, row, column = assign_pixels(points_xyz, views, occlusion)
    region = np.full(len(points_xyz), NO_REGION, np.int32)
    occurring: list[npt.NDArray[np.uint16]] = []
    first = 0
    for slot, image in enumerate(ids):
        points = np.flatnonzero(camera == slot)
        of_points = image[row[points], column[points]]
        kept, inverse = np.unique(of_points[of_points > 0], return_inverse=True)
        region[points[of_points > 0]] = first + inverse
        occurring.append(kept)
        first += len(kept)
    return region, occurring


def region_features(
    ids: RegionIds, kept: npt.NDArray[np.uint16], features: npt.NDArray[np.float32], encoder: ImageEncoderConfig
) -> npt.NDArray[np.float32]:
    """[R, C_2D] mean over the pixels of each kept region of the features [P, C_2D] of the patches they fall in."""
    height, width = ids.shape
    grid = patch_grid(encoder)
    scale_x, scale_y, offset_x, offset_y = grid.image_to_input(width, height)
    column = np.floor((scale_x * np.arange(width) + offset_x + 0.5) / grid.patch_size).astype(np.int64)
    row = np.floor((scale_y * np.arange(height) + offset_y + 0.5) / grid.patch_size).astype(np.int64)
    patch = np.clip(row, 0, grid.rows - 1)[:, None] * grid.columns + np.clip(column, 0, grid.columns - 1)
    index = np.searchsorted(kept, ids)
    index[index == len(kept)] = 0
    inside = kept[index] == ids if len(kept) else np.zeros(ids.shape, bool)
    pixels = np.zeros((len(kept), len(features)))
    np.add.at(pixels, (index[inside], patch[inside]), 1)
    mean: npt.NDArray[np.float64] = pixels @ features / pixels.sum(axis=1, keepdims=True)
    return mean.astype(np.float32)
