"""SUN RGB-D (rgbd.cs.princeton.edu), as it is published: SUNRGBD.zip and SUNRGBDtoolbox.zip beside each other.

SUNRGBDtoolbox/Metadata/SUNRGBDMeta.mat              paths, intrinsics, tilt and boxes of all images
SUNRGBDtoolbox/Metadata/SUNRGBD2Dseg.mat             class of each pixel, in the same order
SUNRGBDtoolbox/traintestSUNRGBD/allsplit.mat         folders of the splits
SUNRGBD/kv2/kinect2data/<name>/image/*.jpg           and kv1, realsense, xtion
SUNRGBD/kv2/kinect2data/<name>/depth_bfx/*.png       depth with its holes filled
"""

from __future__ import annotations

import importlib
import re
import zlib
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from ditr_train.data.boxes import NamedBoxes
from ditr_train.data.dataset import FrameDataset, read_image
from ditr_train.data.errors import DataError
from ditr_train.data.frames import CameraImage, Exposure
from ditr_train.data.images import decode_rgb
from ditr_train.data.learning_map import LearningMap
from ditr_train.geometry.boxes import COLUMNS
from ditr_train.geometry.projection import CameraView

_SPLITS = {"train": "alltrain", "test": "alltest"}
"""Variables of allsplit.mat."""

# seg37list of SUNRGBDtoolbox/Metadata/seg37list.mat, with hyphens.
_CLASSES = {
    1: "wall",
    2: "floor",
    3: "cabinet",
    4: "bed",
    5: "chair",
    6: "sofa",
    7: "table",
    8: "door",
    9: "window",
    10: "bookshelf",
    11: "picture",
    12: "counter",
    13: "blinds",
    14: "desk",
    15: "shelves",
    16: "curtain",
    17: "dresser",
    18: "pillow",
    19: "mirror",
    20: "floor-mat",
    21: "clothes",
    22: "ceiling",
    23: "books",
    24: "fridge",
    25: "tv",
    26: "paper",
    27: "towel",
    28: "shower-curtain",
    29: "box",
    30: "whiteboard",
    31: "person",
    32: "night-stand",
    33: "toilet",
    34: "sink",
    35: "lamp",
    36: "bathtub",
    37: "bag",
}
SUN_RGBD = LearningMap(classes=_CLASSES, raw={raw: raw for raw in range(38)})

FARTHEST = 8.0
"""Metres; read3dPoints.m sets what is farther to this depth."""

# From the optical axes (x right, y down, z forward) to those of the toolbox before they are tilted: x right, y forward,
# z up, as read_3d_pts_general.m.
_FORWARD_UP = np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0.0]])


@dataclass(frozen=True)
class _Shot:
    image: Path
    depth: Path
    k: npt.NDArray[np.float64]
    optical_to_level: npt.NDArray[np.float64]
    """[3, 3]"""
    place: int
    """In SUNRGBD2Dseg.mat."""
    boxes: NamedBoxes


class SunRgbd(FrameDataset):
    """The images of the split `train` or `test`: one frame each, a point for each pixel that has a depth.

    Points are as read3dPoints.m of SUNRGBDtoolbox has them: x right, y ahead, z up against gravity, metres from the
    camera. Boxes are called by the toolbox's own names, with underscores.
    """

    learning_map = SUN_RGBD
    field_names = ("x", "y", "z", "red", "green", "blue")
    """Metres, and colours 0..255."""

    def __init__(self, root: Path, split: str) -> None:
        """Raises DataError when a file of the toolbox is missing or malformed, or SciPy is not installed."""
        if split not in _SPLITS:
            raise DataError(f"sun-rgbd: the split {split!r} is none of {', '.join(_SPLITS)}")
        self.name = f"sun-rgbd:{split}"
        toolbox = root / "SUNRGBDtoolbox"
        splits = toolbox / "traintestSUNRGBD" / "allsplit.mat"
        wanted = {_below(str(folder), splits) for folder in np.ravel(_load(splits, _SPLITS[split]))}
        meta = toolbox / "Metadata" / "SUNRGBDMeta.mat"
        self._labels = toolbox / "Metadata" / "SUNRGBD2Dseg.mat"
        self._root = root / "SUNRGBD"
        self._shots = [
            shot
            for place, entry in enumerate(np.ravel(_load(meta, "SUNRGBDMeta")))
            for shot in (_shot(self._root, place, entry, meta),)
            if shot.depth.parents[1].relative_to(self._root).as_posix() in wanted
        ]
        if len(self._shots) != len(wanted):
            raise DataError(f"{meta}: {len(self._shots)} of the {len(wanted)} folders of {splits} are there")
        self._held: tuple[int, npt.NDArray[np.uint16]] | None = None

    def __len__(self) -> int:
        return len(self._shots)

    def frame_name(self, index: int) -> str:
        return f"sun-rgbd/{self._shots[index].depth.parents[1].relative_to(self._root).as_posix()}"

    def stamp(self, index: int) -> int:
        """0: the images have no times that the toolbox knows."""
        return 0

    def has_images(self, index: int) -> bool:
        """Always: the colours of the points are those of the image."""
        return True

    def points(self, index: int) -> dict[str, npt.NDArray[Any]]:
        shot = self._shots[index]
        stored = self._depth(index)
        row, column = np.nonzero(stored)
        # The three lowest bits are the highest ones of the millimetres.
        millimetres = (stored >> 3 | stored << 13)[row, column]
        depth = np.minimum(millimetres / 1000, FARTHEST)
        rays = np.linalg.inv(shot.k) @ np.stack([column, row, np.ones(len(row))])
        xyz = (shot.optical_to_level @ (rays * depth)).astype(np.float32)
        encoded, width, height = read_image(shot.image)
        if (height, width) != stored.shape:
            raise DataError(
                f"{shot.image}: {width} x {height} pixels, but the depth {stored.shape[1]} x {stored.shape[0]}"
            )
        colors = np.asarray(decode_rgb(encoded))[row, column]
        return dict(zip("xyz", xyz, strict=True)) | {
            name: np.ascontiguousarray(colors[:, i]) for i, name in enumerate(self.field_names[3:])
        }

    def label_file(self, index: int) -> Path:
        return self._labels

    def raw_labels(self, index: int) -> npt.NDArray[Any]:
        """Needs h5py."""
        h5py = _import("h5py", self._labels)
        try:
            with h5py.File(self._labels) as file:
                labels = file["SUNRGBD2Dseg"]["seglabel"]
                # MATLAB writes columns first.
                pixels: npt.NDArray[Any] = np.asarray(file[labels[self._shots[index].place, 0]]).T
        except (OSError, KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
            raise DataError(f"{self._labels}: {error}") from error
        stored = self._depth(index)
        if pixels.shape != stored.shape:
            raise DataError(
                f"{self._labels}: {pixels.shape} pixels of labels for {stored.shape} of {self._shots[index].depth}"
            )
        return pixels[stored > 0]

    def exposures(self, index: int) -> tuple[Exposure, ...]:
        shot = self._shots[index]
        encoded, width, height = read_image(shot.image)
        level_to_optical = np.eye(4)
        level_to_optical[:3, :3] = np.linalg.inv(shot.optical_to_level)
        view = CameraView(shot.k, (), "none", width, height, level_to_optical)
        name = f"sun-rgbd/{shot.image.relative_to(self._root).with_suffix('').as_posix()}"
        return (Exposure(CameraImage(0, encoded, None, name=name), view),)

    def has_boxes(self, index: int) -> bool:
        return True

    def boxes(self, index: int) -> NamedBoxes | None:
        return self._shots[index].boxes

    def _depth(self, index: int) -> npt.NDArray[np.uint16]:
        """[height, width] as stored. The last one is held: its labels belong to its pixels."""
        if self._held is None or self._held[0] != index:
            path = self._shots[index].depth
            try:
                with Image.open(path) as opened:
                    values = np.asarray(opened)
            except OSError as error:
                raise DataError(f"{path}: {error}") from error
            if values.ndim != 2:
                raise DataError(f"{path}: {values.ndim} dimensions, a grey image of 16 bits is needed")
            self._held = index, values.astype(np.uint16)
        return self._held[1]


def _shot(root: Path, place: int, entry: Any, meta: Path) -> _Shot:
    """An entry of SUNRGBDMeta; its paths are those of the machine where it was made."""
    try:
        image, depth = (root / _below(str(path), meta) for path in (entry.rgbpath, entry.depthpath))
        k = np.asarray(entry.K, np.float64).reshape(3, 3)
        tilt = np.asarray(entry.Rtilt, np.float64).reshape(3, 3)
        # A field that is empty, or holds one box only, comes without a list around it.
        boxes = _boxes(np.ravel(getattr(entry, "groundtruth3DBB", [])).tolist())
    except (AttributeError, TypeError, ValueError) as error:
        raise DataError(f"{meta}: entry {place + 1} of SUNRGBDMeta: {error}") from error
    return _Shot(image, depth, k, tilt @ _FORWARD_UP, place, boxes)


def _boxes(found: list[Any]) -> NamedBoxes:
    """Entries of groundtruth3DBB: the rows of `basis` are the box's axes, `coeffs` half of its size along each; the
    axis along which `orientation` points is its length, as in VoteNet's sunrgbd_utils.py."""
    rows = []
    for box in found:
        basis = np.asarray(box.basis, np.float64).reshape(3, 3)
        size = 2 * np.abs(np.asarray(box.coeffs, np.float64).reshape(3))
        upright = int(np.abs(basis[:, 2]).argmax())
        flat = [axis for axis in range(3) if axis != upright]
        ahead = np.ravel(np.asarray(box.orientation, np.float64))[:2]
        along = basis[flat, :2] @ ahead
        length = int(np.abs(along).argmax())
        x, y = basis[flat[length], :2] * (1 if along[length] >= 0 else -1)
        center = np.asarray(box.centroid, np.float64).reshape(3)
        rows.append([*center, size[flat[length]], size[flat[1 - length]], size[upright], np.arctan2(y, x)])
    return NamedBoxes(np.array(rows).reshape(-1, COLUMNS), tuple(str(box.classname) for box in found))


def _below(path: str, named_by: Path) -> str:
    """What follows the folder SUNRGBD in /n/fs/sun3d/data//SUNRGBD/kv2/..."""
    match = re.search(r"/SUNRGBD/+(.+?)/*$", path)
    if match is None:
        raise DataError(f"{named_by}: the path {path!r} has no folder SUNRGBD")
    return re.sub("/+", "/", match[1])


def _load(path: Path, variable: str) -> Any:
    """A variable of a MATLAB file up to version 7. Raises DataError when it is not there."""
    io = _import("scipy.io", path)
    try:
        variables = io.loadmat(path, squeeze_me=True, struct_as_record=False, variable_names=[variable])
    except (OSError, ValueError, TypeError, NotImplementedError, zlib.error, io.matlab.MatReadError) as error:
        raise DataError(f"{path}: {error}") from error
    if variable not in variables:
        raise DataError(f"{path}: it has no variable {variable}")
    return variables[variable]


def _import(name: str, path: Path) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        library = name.split(".")[0]
        raise DataError(
            f"{path}: MATLAB files are read with {library}, which is not installed; "
            f"pip install 'ditr-train[sun-rgbd]', or pip install {library}"
        ) from error
