"""What every public data set gives: frames as bags have them, read when they are asked for."""

from __future__ import annotations

import io
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from ditr_train.config.model_config import SemanticClass
from ditr_train.data.boxes import NamedBoxes
from ditr_train.data.errors import DataError
from ditr_train.data.frames import Exposure, Frame
from ditr_train.data.learning_map import LearningMap


class FrameDataset(ABC):
    """The frames of one split of a data set. Only lists of files are held in memory."""

    name: str
    """Such as `semantic-kitti:train`."""
    learning_map: LearningMap
    field_names: tuple[str, ...]
    """What points() gives."""
    labelled = True
    """Can there be labels?"""

    @abstractmethod
    def __len__(self) -> int:
        """Number of frames."""

    @abstractmethod
    def frame_name(self, index: int) -> str:
        """Unique within the data set."""

    @abstractmethod
    def stamp(self, index: int) -> int:
        """Nanoseconds of the frame."""

    @abstractmethod
    def has_images(self, index: int) -> bool:
        """Are there camera images of the frame? Reads no file."""

    @abstractmethod
    def points(self, index: int) -> dict[str, npt.NDArray[Any]]:
        """The fields, [N] each. Raises DataError when a file is missing or malformed."""

    @abstractmethod
    def label_file(self, index: int) -> Path:
        """Where the labels are. Raises DataError when the split has none."""

    @abstractmethod
    def raw_labels(self, index: int) -> npt.NDArray[Any]:
        """[N] raw class ids in the label file. Raises DataError when it is missing or malformed."""

    @abstractmethod
    def exposures(self, index: int) -> tuple[Exposure, ...]:
        """The camera images of the frame. Raises DataError when one cannot be read."""

    def has_boxes(self, index: int) -> bool:
        """Are there boxes around the objects of the frame? Reads no file of the frame."""
        return False

    def boxes(self, index: int) -> NamedBoxes | None:
        """Around the objects of the frame, in the points' frame; None where it is not annotated.

        Raises DataError when a file is malformed.
        """
        return None

    def annotated(self, index: int, points: dict[str, npt.NDArray[Any]]) -> npt.NDArray[np.bool_] | None:
        """[N] which points lie where objects got boxes; None where they did everywhere.

        Raises DataError when a file is malformed.
        """
        return None

    def frame(self, index: int, names: Sequence[str], label_field: str, *, images: bool, boxes: bool = False) -> Frame:
        """A frame with the named fields; `label_field` holds class ids. With boxes it has those points alone that lie
        where there would be boxes. Raises DataError that names the file."""
        points = self.points(index)
        fields: dict[str, npt.NDArray[Any]] = {}
        for name in names:
            if name == label_field:
                fields[name] = self.labels(index, len(points["x"]))
            elif name in points:
                fields[name] = points[name]
            else:
                raise DataError(f"{self.name} has no field {name}; it has {', '.join(self.field_names)}")
        exposures = self.exposures(index) if images else ()
        found = self.boxes(index) if boxes else None
        annotated = self.annotated(index, points) if found is not None else None
        if annotated is not None:
            fields = {name: values[annotated] for name, values in fields.items()}
        return Frame(self.frame_name(index), self.stamp(index), fields, exposures, found)

    def labels(self, index: int, points: int) -> npt.NDArray[np.int32]:
        """[N] class ids of the benchmark, and of the sets of its learning map.

        Raises DataError when there is not one for each of the points.
        """
        path = self.label_file(index)
        raw = self.raw_labels(index)
        if len(raw) != points:
            raise DataError(f"{path}: {len(raw)} labels for the {points} points of {self.frame_name(index)}")
        try:
            return self.learning_map.apply(raw)
        except DataError as error:
            raise DataError(f"{path}: {error}") from error

    def require_classes(self, classes: Sequence[SemanticClass]) -> None:
        """Raises DataError when classes of a configuration are not those of the data set."""
        for entry in classes:
            name = self.learning_map.classes.get(entry.id)
            if name != entry.name:
                raise DataError(
                    f"{self.name}: the configuration's class {entry.id} is {entry.name}, the data set's "
                    f"{name or 'is not there'}; see configs/*.classes.yaml"
                )


def read_image(path: Path) -> tuple[bytes, int, int]:
    """A JPEG or PNG file as it is, with its width and height in pixels. Raises DataError when it is neither."""
    try:
        encoded = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: {error}") from error
    return encoded, *image_size(encoded, str(path))


def image_size(encoded: bytes, what: str) -> tuple[int, int]:
    """Width and height in pixels of a JPEG or PNG. Raises DataError that begins with `what` when it is neither."""
    try:
        with Image.open(io.BytesIO(encoded)) as opened:
            width, height = opened.size
    except OSError as error:
        raise DataError(f"{what}: {error}") from error
    return width, height
