"""Masks of an image as Segment Anything writes them: overlapping, as JSON with COCO's run lengths or as pictures."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from ditr_train.data.errors import DataError

Mask = npt.NDArray[np.bool_]
"""[height, width]"""

MOST = np.iinfo(np.uint16).max
"""Masks of an image that a picture of 16 bits tells apart."""


def flattened(masks: Iterable[Mask]) -> npt.NDArray[np.uint16]:
    """Overlapping masks of one image -> ids [height, width], 0 where there is none: where masks overlap the smaller
    wins, which is in front or a part, and of masks of one size the later.

    Masks of which nothing is left have no id. Raises ValueError for no masks, masks of different sizes, or more than
    MOST of which something is left.
    """
    found = list(masks)
    if not found or any(mask.shape != found[0].shape for mask in found):
        raise ValueError(f"{len(found)} masks of {len({mask.shape for mask in found})} sizes are no masks of an image")
    owner = np.full(found[0].shape, -1, np.int32)
    for number in np.argsort([-int(np.count_nonzero(mask)) for mask in found], kind="stable"):
        owner[found[number]] = number
    left, ids = np.unique(owner, return_inverse=True)
    ids = ids.reshape(owner.shape) + (1 if left[0] >= 0 else 0)
    if ids.max() > MOST:
        raise ValueError(f"{ids.max()} masks are more than the {MOST} that ids of 16 bits tell apart")
    return ids.astype(np.uint16)


def read_mask_file(path: Path) -> npt.NDArray[np.uint16]:
    """Ids of the masks in a JSON file: the list that SAM's and SAM 2's automatic generators give with
    output_mode="coco_rle", or a file of SA-1B ({"image": {...}, "annotations": [...]}).

    A mask is its `segmentation`: COCO's run lengths, compressed (text) or not (numbers), column by column. Raises
    DataError when the file is something else, or pycocotools is not installed.
    """
    try:
        document = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: {error}") from error
    annotations = document.get("annotations") if isinstance(document, dict) else document
    if not isinstance(annotations, list):
        raise DataError(
            f"{path}: neither a list of masks, as SAM's automatic generator gives it, nor an object with "
            '"annotations", as in SA-1B'
        )
    size = _image_size(document, path) if isinstance(document, dict) else None
    if not annotations:
        if size is None:
            raise DataError(f"{path}: an empty list of masks does not say how large the image is; leave the file out")
        return np.zeros(size, np.uint16)
    try:
        return flattened(_decoded(annotations, size, path))
    except ValueError as error:
        raise DataError(f"{path}: {error}") from error


def read_mask_folder(folder: Path) -> npt.NDArray[np.uint16]:
    """Ids of masks that are a PNG each (not 0: inside), as SAM's scripts/amg.py writes them for an image.

    Raises DataError when there are none, or one cannot be read.
    """

    def masks() -> Iterator[Mask]:
        # 10.png comes after 9.png, whatever the number of digits.
        for path in sorted(folder.glob("*.png"), key=lambda path: (len(path.name), path.name)):
            try:
                with Image.open(path) as opened:
                    pixels = np.asarray(opened)
            except OSError as error:
                raise DataError(f"{path}: {error}") from error
            if pixels.ndim != 2:
                raise DataError(f"{path}: {pixels.ndim} dimensions, a mask is a grey or black and white picture")
            yield pixels != 0

    try:
        return flattened(masks())
    except ValueError as error:
        raise DataError(f"{folder}: {error}") from error


def _decoded(annotations: list[Any], size: tuple[int, int] | None, path: Path) -> Iterator[Mask]:
    try:
        from pycocotools import mask as coco
    except ImportError as error:
        raise DataError(
            f"{path}: masks in JSON are read with pycocotools, which is not installed; pip install 'ditr-train[sam]', "
            "or pip install pycocotools"
        ) from error
    for number, annotation in enumerate(annotations):
        what = f"{path}: mask {number}"
        try:
            rle = annotation["segmentation"]
            height, width = (int(value) for value in rle["size"])
            counts = rle["counts"]
            if isinstance(counts, list):
                if sum(counts) != height * width:
                    raise DataError(f"{what}: its run lengths add up to {sum(counts)}, not {height} x {width}")
                rle = coco.frPyObjects({"size": [height, width], "counts": counts}, height, width)
            mask = coco.decode({"size": [height, width], "counts": rle["counts"]})
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(f"{what}: {error!r}, `segmentation` is no run lengths with size and counts") from error
        if size is not None and (height, width) != size:
            raise DataError(f"{what} is {width} x {height}, the image {size[1]} x {size[0]}")
        yield np.asarray(mask, bool)


def _image_size(document: dict[str, Any], path: Path) -> tuple[int, int] | None:
    """Height and width that a file of SA-1B gives, if it does."""
    image = document.get("image")
    if image is None:
        return None
    try:
        return int(image["height"]), int(image["width"])
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"{path}: image: {error!r}, it has a height and a width in SA-1B") from error
