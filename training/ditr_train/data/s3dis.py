"""S3DIS (sdss.redivis.com, formerly buildingparser.stanford.edu), as it is published, with the images of 2D-3D-S.

Area_1/office_1/Annotations/chair_1.txt    an object: x, y, z, red, green, blue of each point, one in a line
Area_1/Area_1_alignmentAngle.txt           of Stanford3dDataset_v1.2 only, not of its Aligned_Version
area_1/data/rgb/camera_*_office_1_frame_*_domain_rgb.png
area_1/data/pose/camera_*_office_1_frame_*_domain_pose.json     both from 2D-3D-S, need not be there
"""

from __future__ import annotations

import io
import json
import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ditr_train.data.dataset import FrameDataset, read_image
from ditr_train.data.errors import DataError
from ditr_train.data.frames import CameraImage, Exposure
from ditr_train.data.learning_map import LearningMap
from ditr_train.data.scene_images import evenly_chosen
from ditr_train.geometry.projection import CameraView

AREAS = tuple(f"Area_{number}" for number in range(1, 7))

_SPLITS = {"train": tuple(area for area in AREAS if area != "Area_5"), "test": ("Area_5",)}
"""The split of most papers, also of Pointcept and DITR; its test is validated on."""

# Order of Pointcept's pointcept/datasets/preprocessing/s3dis/preprocess_s3dis.py, from 1 on.
_CLASSES = {
    1: "ceiling",
    2: "floor",
    3: "wall",
    4: "beam",
    5: "column",
    6: "window",
    7: "door",
    8: "table",
    9: "chair",
    10: "sofa",
    11: "bookcase",
    12: "board",
    13: "clutter",
}
S3DIS_CLASSES = LearningMap(classes=_CLASSES, raw={class_id: class_id for class_id in _CLASSES})
_IDS = {name: class_id for class_id, name in _CLASSES.items()}

_IMAGES = {area: (area.lower(),) for area in AREAS} | {"Area_5": ("area_5a", "area_5b")}
"""Folders of 2D-3D-S with the images of an area."""

# Area 5 was captured in two halves; of the second, the frame of 2D-3D-S is not that of the points. From the frame of
# the points to it, as pointcept/datasets/preprocessing/s3dis/prepare_raw_data.py of DITR's authors.
_AREA_5B = np.array([[0, -1, 0, 6.22617759], [1, 0, 0, 4.09703582], [0, 0, 1, 0], [0, 0, 0, 1.0]])

_NO_CONTROL = bytes(range(0x20, 0x7F)) + b"\t\r\n"


class S3dis(FrameDataset):
    """The rooms of `train` (areas 1, 2, 3, 4, 6), `test` (area 5), or of areas, `Area_1` or `Area_1,Area_2`.

    One frame each: the points of all its objects, in the order of the names of their files.
    """

    learning_map = S3DIS_CLASSES
    field_names = ("x", "y", "z", "red", "green", "blue")
    """Metres, and colours 0..255."""

    def __init__(self, root: Path, split: str) -> None:
        """`root` holds Area_1 and so on. Raises DataError when an area of the split is not there, or has no rooms."""
        areas = _SPLITS.get(split, tuple(split.split(",")))
        unknown = [area for area in areas if area not in AREAS]
        if unknown:
            raise DataError(
                f"s3dis: the split {split!r} is none of {', '.join(_SPLITS)}, and {unknown[0]!r} is no area "
                "(Area_1 or Area_1,Area_2)"
            )
        self.name = f"s3dis:{split}"
        self._rooms: list[Path] = []
        self._images: dict[Path, list[Path]] = {}
        for area in areas:
            rooms = sorted(folder.parent for folder in (root / area).glob("*/Annotations"))
            if not rooms:
                raise DataError(f"{root / area}: no room with a folder Annotations there, which {self.name} needs")
            self._rooms += rooms
            self._images |= _images_of_rooms(root, area)
        self._held: tuple[Path, npt.NDArray[np.float32], npt.NDArray[np.int32]] | None = None

    def __len__(self) -> int:
        return len(self._rooms)

    def frame_name(self, index: int) -> str:
        room = self._rooms[index]
        return f"s3dis/{room.parent.name}/{room.name}"

    def stamp(self, index: int) -> int:
        """0: a room is no moment."""
        return 0

    def has_images(self, index: int) -> bool:
        return self._rooms[index] in self._images

    def points(self, index: int) -> dict[str, npt.NDArray[Any]]:
        values, _ = self._read(self._rooms[index])
        return {name: np.ascontiguousarray(values[:, i]) for i, name in enumerate(self.field_names)}

    def label_file(self, index: int) -> Path:
        """The folder of the objects: their names say what they are."""
        return self._rooms[index] / "Annotations"

    def raw_labels(self, index: int) -> npt.NDArray[Any]:
        return self._read(self._rooms[index])[1]

    def exposures(self, index: int) -> tuple[Exposure, ...]:
        """At most MOST_IMAGES images of the room, evenly chosen; those of Area 5's second half are moved to the points.

        Raises DataError for rooms of the Aligned_Version, which is turned against the poses.
        """
        if not self.has_images(index):
            return ()
        room = self._rooms[index]
        angles = room.parent / f"{room.parent.name}_alignmentAngle.txt"
        if not angles.exists():
            raise DataError(
                f"{angles}: No such file; the images of 2D-3D-S belong to Stanford3dDataset_v1.2, which has it, not to "
                "its Aligned_Version, whose rooms are turned"
            )
        exposures = []
        for path in evenly_chosen(self._images[room]):
            k, room_to_camera = _camera(path)
            encoded, width, height = read_image(path)
            view = CameraView(k, (), "none", width, height, room_to_camera)
            name = f"s3dis/{path.parents[2].name}/data/rgb/{path.stem}"
            exposures.append(Exposure(CameraImage(0, encoded, None, name=name), view))
        return tuple(exposures)

    def _read(self, room: Path) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int32]]:
        """[N, 6] values and [N] class ids. The last room is held: its points and labels stand in the same files."""
        if self._held is None or self._held[0] != room:
            paths = sorted((room / "Annotations").glob("*.txt"))
            if not paths:
                raise DataError(f"{room / 'Annotations'}: no .txt file of an object there")
            objects = [_read_object(path) for path in paths]
            # Pointcept and others count what is none of the classes (stairs) as clutter.
            ids = [_IDS.get(path.name.split("_")[0], _IDS["clutter"]) for path in paths]
            self._held = room, np.concatenate(objects), np.repeat(np.array(ids, np.int32), [len(o) for o in objects])
        return self._held[1:]


def _read_object(path: Path) -> npt.NDArray[np.float32]:
    """[N, 6]; lines with a control character are left out with a warning.

    Two lines of the published files have one, in Area_5/hallway_6/Annotations/ceiling_1.txt of the Aligned_Version and
    Area_5/office_19/Annotations/ceiling_1.txt of the other.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}") from error
    if data.translate(None, _NO_CONTROL):
        lines = data.split(b"\n")
        damaged = [i for i, line in enumerate(lines, 1) if line.translate(None, _NO_CONTROL)]
        if len(damaged) > 1:
            raise DataError(
                f"{path}: {len(damaged)} lines are no text, the first is line {damaged[0]}, "
                f"{lines[damaged[0] - 1][:60]!r}; extract the file anew"
            )
        warnings.warn(
            f"{path}, line {damaged[0]}: {lines[damaged[0] - 1]!r} is damaged, this point is left out", stacklevel=2
        )
        del lines[damaged[0] - 1]
        data = b"\n".join(lines)
    if not data.strip():
        return np.zeros((0, 6), np.float32)
    try:
        values = np.loadtxt(io.StringIO(data.decode("ascii")), np.float32, comments=None, ndmin=2)
    except ValueError as error:
        raise DataError(f"{path}: {error}") from error
    if values.shape[1] != 6:
        raise DataError(f"{path}: {values.shape[1]} numbers in a line, not x, y, z, red, green, blue")
    return values


def _images_of_rooms(root: Path, area: str) -> dict[Path, list[Path]]:
    """Images by folder of their room, in the order of their names."""
    found: dict[Path, list[Path]] = {}
    for folder in _IMAGES[area]:
        for path in sorted((root / folder / "data" / "rgb").glob("*.png")):
            match = re.fullmatch(r"camera_[0-9a-f]+_(.+)_frame_\d+_domain_rgb", path.stem)
            if match is not None:
                found.setdefault(root / area / match[1], []).append(path)
    return found


def _camera(image: Path) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """[3, 3] intrinsics, and [4, 4] from the frame of the points to the optical frame, of an image of 2D-3D-S."""
    path = image.parents[1] / "pose" / image.name.replace("_domain_rgb.png", "_domain_pose.json")
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        k = np.array(document["camera_k_matrix"], np.float64).reshape(3, 3)
        room_to_camera = np.eye(4)
        room_to_camera[:3] = np.array(document["camera_rt_matrix"], np.float64).reshape(3, 4)
    except (OSError, KeyError, TypeError, ValueError) as error:
        problem = f"it has no {error}" if isinstance(error, KeyError) else error
        raise DataError(f"{path}: {problem}") from error
    if image.parents[2].name == "area_5b":
        room_to_camera = room_to_camera @ _AREA_5B
    return k, room_to_camera
