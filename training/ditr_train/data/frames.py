"""Scans as recordings and data sets give them: points, and the camera images that belong to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ditr_train.data.boxes import NamedBoxes
from ditr_train.geometry.projection import CameraView


@dataclass(frozen=True)
class CameraImage:
    """One image of a camera."""

    stamp: int
    """Nanoseconds."""
    encoded: bytes
    """JPEG or PNG."""
    semantic: npt.NDArray[np.uint8] | None
    """[height, width] class ids, where there are any."""
    topic: str = ""
    regions: npt.NDArray[np.uint16] | None = None
    """[height, width] region ids, where there are any and they are asked for."""
    name: str = ""
    """Of an image of a data set: the kind of data set and where the image is in it, without the file's ending, such as
    `semantic-kitti/sequences/00/image_2/000000`."""


@dataclass(frozen=True)
class Exposure:
    """An image, and its camera as seen from a scan."""

    image: CameraImage
    view: CameraView


@dataclass(frozen=True)
class Frame:
    """A scan with the images that belong to it."""

    bag: str
    """Where it is from: the file name of a bag, or a name within a data set."""
    stamp: int
    """Nanoseconds; of a spinning LiDAR the start of the scan."""
    fields: dict[str, npt.NDArray[Any]]
    """[N] each"""
    exposures: tuple[Exposure, ...]
    """In the order of the cameras."""
    boxes: NamedBoxes | None = None
    """Around its objects; None where they are not annotated or not asked for."""
    pose: npt.NDArray[np.float64] | None = None
    """[4, 4] from its points to a frame in which the world stands still, metres; None where it is not known."""
