"""What a 2D network says of camera images: an id and a confidence for each pixel, from files or an ONNX model.

classes:                             what the network's ids mean, by names of the configuration's classes; required
  0: [road, parking]                 one of these
  10: null                           nothing (sky); so do ids that are not here
ids: "{scan}_trainid.png"            grey PNG of 8 or 16 bits in the folder of maps, as large as the image
confidence: "{scan}_confidence.png"  grey PNG, 255 (or 65535) for certain; without it all is certain
least_confidence: 0.8                pixels below it say nothing
border: 2                            pixels on each side of a border between classes that say nothing
moving: [car, person]                classes of things that move: what is said of them holds for one scan only
input: [512, 1024]                   of an ONNX model: height and width; images are stretched to it
mean: [0.485, 0.456, 0.406]          of RGB in 0..1
std: [0.229, 0.224, 0.225]

{scan} is the name of a scan in a data set (000003), {stamp} the stamp of the image in nanoseconds, {camera} its number
from 0 on, {topic} its topic without the first slash, and {bag} the bag without .mcap.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
import numpy.typing as npt
import onnxruntime
import torch
import yaml
from PIL import Image

from ditr_train.config.conversion import ConfigError, convert, require
from ditr_train.config.model_config import SemanticClass
from ditr_train.data.errors import DataError
from ditr_train.data.frames import Exposure, Frame
from ditr_train.data.images import decode_rgb
from ditr_train.data.scan_folder import class_set

NOTHING = -1
"""Target of a pixel of which nothing is said."""


@dataclass(frozen=True)
class MapDescription:
    """How the maps of a 2D network are read."""

    ids: str = "{scan}.png"
    confidence: str = ""
    least_confidence: float = 0.8
    border: int = 2
    moving: tuple[str, ...] = ()
    input: tuple[int, int] = (512, 1024)
    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    std: tuple[float, float, float] = (0.229, 0.224, 0.225)

    def __post_init__(self) -> None:
        require(0 <= self.least_confidence <= 1, f"least_confidence: {self.least_confidence} is not a share of 0 to 1")
        require(self.border >= 0, f"border: {self.border} is below 0")
        for pattern in (self.ids, self.confidence):
            try:
                pattern.format(scan="", stamp=0, camera=0, topic="", bag="")
            except (KeyError, IndexError, ValueError) as error:
                raise ConfigError(
                    f"{pattern!r}: {error} is none of {{scan}}, {{stamp}}, {{camera}}, {{topic}}, {{bag}}"
                ) from error


@dataclass(frozen=True)
class MapClasses:
    """What ids of the network mean."""

    targets: tuple[tuple[str, ...], ...]
    """Names of the classes of each target."""
    of_id: Mapping[int, int]
    """Index of a target by id."""

    def still(self, moving: Collection[str]) -> npt.NDArray[np.bool_]:
        """[targets] whether none of a target's classes moves."""
        return np.array([not set(target) & set(moving) for target in self.targets], bool)

    def apply(self, ids: npt.NDArray[Any]) -> npt.NDArray[np.int32]:
        """Ids [H, W] -> targets, NOTHING for an id that means nothing."""
        table = np.full(int(ids.max(initial=0)) + 1, NOTHING, np.int32)
        for id_, target in self.of_id.items():
            if id_ < len(table):
                table[id_] = target
        return np.asarray(table[ids])


class MapSource(Protocol):
    """Gives the map of an image."""

    def of(self, frame: Frame, camera: int, exposure: Exposure) -> tuple[npt.NDArray[Any], npt.NDArray[np.float32]]:
        """Ids and confidence in 0..1, [H, W] each. Raises DataError when there is none."""


class MapFolder:
    """Maps in files."""

    def __init__(self, folder: Path, description: MapDescription) -> None:
        self._folder = folder
        self._description = description

    def of(self, frame: Frame, camera: int, exposure: Exposure) -> tuple[npt.NDArray[Any], npt.NDArray[np.float32]]:
        names = {
            "scan": frame.bag.rpartition("/")[2],
            "stamp": exposure.image.stamp,
            "camera": camera,
            "topic": exposure.image.topic.strip("/"),
            "bag": frame.bag.removesuffix(".mcap"),
        }
        ids = _read_grey(self._folder / self._description.ids.format(**names))
        confidence: npt.NDArray[np.float32] = np.ones(ids.shape, np.float32)
        if self._description.confidence:
            path = self._folder / self._description.confidence.format(**names)
            values = _read_grey(path)
            if values.shape != ids.shape:
                raise DataError(f"{path}: {values.shape[1]} x {values.shape[0]} pixels are not those of the ids")
            confidence = (values / np.iinfo(values.dtype).max).astype(np.float32)
        return ids, confidence


class OnnxSegmenter:
    """A segmentation model: image float32 [1, 3, H, W] -> logits [1, K, h, w], its first input and output."""

    def __init__(self, model: Path, description: MapDescription) -> None:
        """Raises DataError when it cannot be loaded."""
        try:
            self._session = onnxruntime.InferenceSession(str(model), providers=onnxruntime.get_available_providers())
        except Exception as error:  # onnxruntime's own exceptions have no common base but this
            raise DataError(f"{model}: {str(error).splitlines()[0]}") from error
        self._model = model
        self._description = description

    def of(self, frame: Frame, camera: int, exposure: Exposure) -> tuple[npt.NDArray[Any], npt.NDArray[np.float32]]:
        image = decode_rgb(exposure.image.encoded)
        height, width = self._description.input
        pixels = np.asarray(image.resize((width, height), Image.Resampling.BILINEAR), np.float32) / 255
        mean, std = (np.array(value, np.float32) for value in (self._description.mean, self._description.std))
        values = np.ascontiguousarray(((pixels - mean) / std).transpose(2, 0, 1)[None])
        (logits,) = self._session.run(
            [self._session.get_outputs()[0].name], {self._session.get_inputs()[0].name: values}
        )
        if logits.ndim != 4 or len(logits) != 1:
            raise DataError(f"{self._model}: its first output is {list(logits.shape)}, not logits [1, classes, h, w]")
        size = (image.height, image.width)
        upright = torch.nn.functional.interpolate(torch.from_numpy(logits).float(), size, mode="bilinear")
        confidence, ids = upright.softmax(1)[0].max(0)
        return ids.numpy(), confidence.numpy()


def read_description(path: Path, classes: Sequence[SemanticClass]) -> tuple[MapDescription, MapClasses]:
    """Raises DataError that names the file and the setting."""
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        require(isinstance(document, dict), f"{document!r} is no mapping of settings")
        meanings = document.pop("classes", None)
        require(isinstance(meanings, dict) and bool(meanings), f"classes: {meanings!r} is no mapping of ids")
        description = convert(document, MapDescription, "maps")
    except (OSError, yaml.YAMLError, ConfigError) as error:
        raise DataError(f"{path}: {error}") from error
    assert isinstance(description, MapDescription)
    ids = {entry.name: entry.id for entry in classes}
    for name in description.moving:
        if name not in ids:
            raise DataError(f"{path}: moving: the class {name!r} is none of {', '.join(ids)}")
    names = {entry.id: entry.name for entry in classes}
    targets: dict[tuple[int, ...], int] = {}
    of_id = {}
    for id_, meaning in meanings.items():
        if not isinstance(id_, int) or id_ < 0:
            raise DataError(f"{path}: the id {id_!r} of classes is no whole number from 0 on")
        if meaning is not None:
            wanted = class_set(meaning, ids, f"{path}: the class of the id {id_}")
            of_id[id_] = targets.setdefault(wanted, len(targets))
    return description, MapClasses(tuple(tuple(names[i] for i in target) for target in targets), of_id)


def inside_borders(target: npt.NDArray[np.int32], border: int) -> npt.NDArray[np.bool_]:
    """[H, W] whether a pixel is further than `border` pixels from one of another target."""
    if border == 0:
        return np.ones(target.shape, bool)
    square = np.ones((2 * border + 1, 2 * border + 1), np.uint8)
    values = target.astype(np.float32)
    return np.asarray(cv2.erode(values, square) == cv2.dilate(values, square))


def _read_grey(path: Path) -> npt.NDArray[Any]:
    try:
        with Image.open(path) as opened:
            if opened.format != "PNG" or opened.mode not in ("I;16", "L"):
                raise DataError(f"{path}: {opened.format} in mode {opened.mode} is no grey PNG of 8 or 16 bits")
            return np.asarray(opened)
    except OSError as error:
        raise DataError(f"{path}: {error}") from error
