"""SemanticKITTI (semantic-kitti.org) with the images and calibration of KITTI odometry, as they are published.

sequences/00/velodyne/000000.bin   float32 x, y, z, remission of each point
sequences/00/labels/000000.label   uint32 of each point: lower 16 bits class, upper 16 bits instance
sequences/00/image_2/000000.png    left colour camera, need not be there
sequences/00/calib.txt             needed with images
sequences/00/times.txt             seconds of each scan; without it they are taken as 0.1 s apart
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ditr_train.data.dataset import FrameDataset, read_image
from ditr_train.data.errors import DataError
from ditr_train.data.frames import CameraImage, Exposure
from ditr_train.data.kitti_calibration import camera_2
from ditr_train.data.learning_map import LearningMap
from ditr_train.data.point_file import read_numbers
from ditr_train.geometry.projection import CameraView

# `split` of semantic-kitti.yaml (semantic-kitti-api) and Pointcept's pointcept/datasets/semantic_kitti.py.
_SPLITS = {
    "train": (*range(8), 9, 10),
    "val": (8,),
    "test": tuple(range(11, 22)),
}

# `learning_map` of the same files.
SEMANTIC_KITTI = LearningMap(
    classes={
        1: "car",
        2: "bicycle",
        3: "motorcycle",
        4: "truck",
        5: "other-vehicle",
        6: "person",
        7: "bicyclist",
        8: "motorcyclist",
        9: "road",
        10: "parking",
        11: "sidewalk",
        12: "other-ground",
        13: "building",
        14: "fence",
        15: "vegetation",
        16: "trunk",
        17: "terrain",
        18: "pole",
        19: "traffic-sign",
    },
    raw={
        0: 0,  # unlabeled
        1: 0,  # outlier
        10: 1,
        11: 2,
        13: 5,  # bus
        15: 3,
        16: 5,  # on rails
        18: 4,
        20: 5,
        30: 6,
        31: 7,
        32: 8,
        40: 9,
        44: 10,
        48: 11,
        49: 12,
        50: 13,
        51: 14,
        52: 0,  # other structure
        60: 9,  # lane marking
        70: 15,
        71: 16,
        72: 17,
        80: 18,
        81: 19,
        99: 0,  # other object
        # The same, moving.
        252: 1,
        253: 7,
        254: 6,
        255: 8,
        256: 5,
        257: 5,
        258: 4,
        259: 5,
    },
)

_SCAN_PERIOD = 100_000_000
"""Nanoseconds between scans where there is no times.txt."""


@dataclass(frozen=True)
class _Sequence:
    folder: Path
    frames: tuple[int, ...]
    """Numbers of the chosen scans."""
    images: frozenset[int]
    """Numbers of the images."""
    stamps: tuple[int, ...]
    """Nanoseconds by number of the scan; none without times.txt."""


class SemanticKitti(FrameDataset):
    """The scans of a split: `train`, `val`, `test`, or one sequence, `08`, or part of one, `08/0-99`."""

    learning_map = SEMANTIC_KITTI
    field_names = ("x", "y", "z", "intensity")

    def __init__(self, root: Path, split: str) -> None:
        """`root` holds `sequences`, or `dataset/sequences`. Raises DataError when the split is not there."""
        self.name = f"semantic-kitti:{split}"
        folder = next((root / f for f in ("sequences", "dataset/sequences") if (root / f).is_dir()), None)
        if folder is None:
            raise DataError(f"{root}: it holds neither sequences nor dataset/sequences of SemanticKITTI")
        numbers, first, last = _chosen(split)
        self._sequences = [_list_sequence(folder / f"{number:02}", first, last) for number in numbers]
        self._frames = [(sequence, number) for sequence in self._sequences for number in sequence.frames]
        self._cameras: dict[Path, tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]] = {}

    def __len__(self) -> int:
        return len(self._frames)

    def frame_name(self, index: int) -> str:
        sequence, number = self._frames[index]
        return f"semantic-kitti/{sequence.folder.name}/{number:06}"

    def stamp(self, index: int) -> int:
        sequence, number = self._frames[index]
        return sequence.stamps[number] if sequence.stamps else number * _SCAN_PERIOD

    def has_images(self, index: int) -> bool:
        sequence, number = self._frames[index]
        return number in sequence.images

    def points(self, index: int) -> dict[str, npt.NDArray[Any]]:
        columns = read_numbers(self._file(index, "velodyne", "bin"), "f4", 4)
        return {name: np.ascontiguousarray(columns[:, i]) for i, name in enumerate(self.field_names)}

    def label_file(self, index: int) -> Path:
        return self._file(index, "labels", "label")

    def raw_labels(self, index: int) -> npt.NDArray[Any]:
        return read_numbers(self.label_file(index), "u4", 1)[:, 0] & 0xFFFF

    def exposures(self, index: int) -> tuple[Exposure, ...]:
        if not self.has_images(index):
            return ()
        sequence, number = self._frames[index]
        if sequence.folder not in self._cameras:
            self._cameras[sequence.folder] = camera_2([sequence.folder / "calib.txt"])
        k, lidar_to_camera = self._cameras[sequence.folder]
        encoded, width, height = read_image(self._file(index, "image_2", "png"))
        view = CameraView(k, (), "none", width, height, lidar_to_camera)
        name = f"semantic-kitti/sequences/{sequence.folder.name}/image_2/{number:06}"
        return (Exposure(CameraImage(self.stamp(index), encoded, None, name=name), view),)

    def _file(self, index: int, folder: str, ending: str) -> Path:
        sequence, number = self._frames[index]
        return sequence.folder / folder / f"{number:06}.{ending}"


def _chosen(split: str) -> tuple[tuple[int, ...], int, int]:
    """Numbers of the sequences, and of the first and the last scan."""
    if split in _SPLITS:
        return _SPLITS[split], 0, 10**6
    match = re.fullmatch(r"(\d\d)(?:/(\d+)-(\d+))?", split)
    if match is None:
        raise DataError(
            f"semantic-kitti: the split {split!r} is none of {', '.join(_SPLITS)}, no sequence (08) and no part of one "
            "(08/0-99)"
        )
    first, last = match[2] or 0, match[3] or 10**6
    return (int(match[1]),), int(first), int(last)


def _list_sequence(folder: Path, first: int, last: int) -> _Sequence:
    scans = _numbers(folder / "velodyne", "bin")
    frames = tuple(number for number in scans if first <= number <= last)
    if not frames:
        what = f"no scan {first} to {last} among its {len(scans)}" if scans else "no .bin file there"
        raise DataError(f"{folder / 'velodyne'}: {what}")
    stamps: tuple[int, ...] = ()
    times = folder / "times.txt"
    if times.exists():
        try:
            stamps = tuple(round(float(line) * 1e9) for line in times.read_text(encoding="ascii").split())
        except ValueError as error:
            raise DataError(f"{times}: {error}") from error
        if len(stamps) <= frames[-1]:
            raise DataError(f"{times}: {len(stamps)} lines, but there is a scan {frames[-1]:06}")
    return _Sequence(folder, frames, frozenset(_numbers(folder / "image_2", "png")), stamps)


def _numbers(folder: Path, ending: str) -> list[int]:
    """Numbers of the files 000000.ending of a folder, which need not be there."""
    return sorted(int(path.stem) for path in folder.glob(f"*.{ending}") if re.fullmatch(r"\d{6}", path.stem))
