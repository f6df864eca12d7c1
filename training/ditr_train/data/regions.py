"""Regions of camera images, as SAM's masks give them: where they are kept, and what their image features are."""

from __future__ import annotations

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
from ditr_train.data.masks import read_mask_file, read_mask_folder

NO_REGION = -1
"""Region of a point that is in none."""

RegionIds = npt.NDArray[np.uint16]
"""[height, width] of an image: the region of each pixel, 0 where there is none."""


@dataclass(frozen=True)
class PointRegions:
    """The R regions of a scan, which are its tokens, by point: computed before augmentation moves the points."""

    region: npt.NDArray[np.int32]
    """[N], NO_REGION or below R"""
    features: npt.NDArray[np.float32] | None
    """[seen, C_2D] mean image feature of each region that cameras see; None where no image encoder was given."""
    seen: int
    """The first `seen` regions are those that cameras see."""

    def in_seen(self) -> npt.NDArray[np.bool_]:
        """[N] whether a point lies in a region that cameras see."""
        return (self.region >= 0) & (self.region < self.seen)

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
        if image.regions is None and image.name:
            raise DataError(
                f"{image.name}: data sets have no region images of their own: give --regions FOLDER "
                "(`ditr-train regions` writes one)"
            )
        if image.regions is None:
            raise DataError(
                f"the image of {image.topic} at {image.stamp} has no region image: give --regions FOLDER "
                "(`ditr-train regions` writes one), or a bag that has them beside its images "
                "(`ditr samples --regions IMAGE=REGIONS` names their topic)"
            )
        return image.regions


class RegionFolder:
    """Regions as files, whose names without an ending are FOLDER/BAG/TOPIC/STAMP: BAG without its extension, TOPIC that
    of the camera's images, STAMP theirs in nanoseconds. Of the images of data sets it is FOLDER and `CameraImage.name`.

    With .png it is a grey PNG of 16 or 8 bits with the id of each pixel, with .json SAM's masks (`read_mask_file`), and
    a folder of that name holds one PNG for each mask (`read_mask_folder`). Masks that overlap become ids by the rule
    of `flattened`. All are as large as the camera's images.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, bag: str, image: CameraImage, suffix: str = ".png") -> Path:
        """bag: file name of the image's bag."""
        if image.name:
            return self.folder / f"{image.name}{suffix}"
        return self.folder / Path(bag).stem / image.topic.strip("/") / f"{image.stamp}{suffix}"

    def ids(self, bag: str, image: CameraImage) -> RegionIds:
        readers = {".png": _read_ids, ".json": read_mask_file, "": read_mask_folder}
        paths = {suffix: self.path(bag, image, suffix) for suffix in readers}
        found = [suffix for suffix, path in paths.items() if path.exists()]
        if not found:
            raise DataError(
                f"{paths['.png']}: missing, and there are no masks in .json or in a folder of that name either; "
                f"{self.folder} needs regions for each camera image that a cloud takes (ditr-train regions writes them)"
            )
        if len(found) > 1:
            raise DataError(
                f"{paths['.png']}: {' and '.join(paths[suffix].name for suffix in found)} both say what the regions of "
                "the image are; leave one"
            )
        return readers[found[0]](paths[found[0]])

    def write(self, bag: str, image: CameraImage, ids: RegionIds) -> None:
        path = self.path(bag, image)
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f"{path.name}.part")
        Image.fromarray(ids).save(temporary, "PNG")
        temporary.replace(path)


def _read_ids(path: Path) -> RegionIds:
    try:
        with Image.open(path) as opened:
            if opened.format != "PNG" or opened.mode not in ("I;16", "L"):
                raise DataError(
                    f"{path}: {opened.format} in mode {opened.mode} is no PNG of region ids, which is grey with 16 "
                    "or 8 bits"
                )
            return np.asarray(opened).astype(np.uint16)
    except OSError as error:
        raise DataError(f"{path}: {error}") from error


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
