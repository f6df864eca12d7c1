"""Labelled or unlabelled scans as folders of plain files, in any layout near KITTI's, as a YAML file describes them.

points: velodyne/*.bin         float32 of each point, as many as `columns`
columns: [x, y, z, intensity]  `_` for one that is not used
labels: labels/*.label         uint32 of each point: lower 16 bits the id, as in SemanticKITTI; with `classes`
classes:                       what the ids mean, by names of the configuration's classes
  0: null                      neither learned from nor counted
  1: [road, parking]           one of these
  2: car
images: image_2/*.png          of the camera, need not be there
calibration: calib/*.txt       of each scan, or one file of all; several files are read as one
boxes: label_2/*.txt           around the objects, as KITTI object has them; need not be there, calibration must
boxes_in_image: true           only what the image shows has boxes: where they are learned, other points are left out

The * is the name of a scan and the same in all files. Calibrations are those of KITTI odometry (P2, Tr), KITTI object
(P2, R0_rect, Tr_velo_to_cam) and KITTI raw (P_rect_02, R_rect_00 of calib_cam_to_cam.txt; R, T of
calib_velo_to_cam.txt).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import yaml

from ditr_train.config.conversion import ConfigError, convert, require
from ditr_train.config.model_config import SemanticClass
from ditr_train.data.boxes import NamedBoxes
from ditr_train.data.dataset import FrameDataset, read_image
from ditr_train.data.errors import DataError
from ditr_train.data.frames import CameraImage, Exposure
from ditr_train.data.kitti_boxes import read_kitti_boxes
from ditr_train.data.kitti_calibration import camera_2, lidar_to_reference
from ditr_train.data.learning_map import LearningMap
from ditr_train.data.point_file import read_numbers
from ditr_train.geometry.projection import CameraView, project

_SCAN_PERIOD = 100_000_000
"""Nanoseconds that scans are taken to be apart: there are no times."""


@dataclass(frozen=True)
class _Layout:
    points: str = "velodyne/*.bin"
    columns: tuple[str, ...] = ("x", "y", "z", "intensity")
    labels: str = "labels/*.label"
    images: str = "image_2/*.png"
    calibration: tuple[str, ...] = ("calib.txt",)
    boxes: str = ""
    boxes_in_image: bool = False

    def __post_init__(self) -> None:
        for name in ("points", "labels", "images", *(["boxes"] if self.boxes else [])):
            pattern = getattr(self, name)
            require(pattern.count("*") == 1, f"{name}: {pattern!r} has not one * in place of the scan's name")
        require(
            {"x", "y", "z"} <= set(self.columns), f"columns: x, y and z are not all among {', '.join(self.columns)}"
        )


class ScanFolder(FrameDataset):
    """The scans of a folder, or some of them: those whose names are numbers in the ranges."""

    def __init__(self, root: Path, split: str, classes: Sequence[SemanticClass]) -> None:
        """`split` is the describing file, and ranges of numbers if not all scans are wanted: `layout.yaml/0-15,20`.

        `classes` are those that the description's labels name. Raises DataError when the description cannot be
        read, or the folder does not hold what it says.
        """
        match = re.fullmatch(r"(.+\.ya?ml)(?:/([\d,-]+))?", split)
        if match is None:
            raise DataError(
                f"scans: {split!r} is no YAML file that describes the scans, with or without numbers after it "
                "(layout.yaml/0-15,20)"
            )
        self.description = Path(match[1])
        self.name = source_name(split)
        self._root = root
        self._layout, meanings = _read_description(self.description)
        self.labelled = meanings is not None
        self.learning_map = _learning_map(self.description, meanings or {}, classes)
        self.field_names = tuple(name for name in self._layout.columns if name != "_")
        self._scans = _chosen(_stems(root, self._layout.points), match[2])
        if not self._scans:
            raise DataError(f"{root / self._layout.points}: no scan there{f' of {match[2]}' if match[2] else ''}")

    def __len__(self) -> int:
        return len(self._scans)

    def frame_name(self, index: int) -> str:
        return f"scans/{self._root.resolve().name}/{self._scans[index]}"

    def stamp(self, index: int) -> int:
        scan = self._scans[index]
        return (int(scan) if scan.isdecimal() else index) * _SCAN_PERIOD

    def has_images(self, index: int) -> bool:
        return self._file(self._layout.images, index).exists()

    def points(self, index: int) -> dict[str, npt.NDArray[Any]]:
        values = read_numbers(self._file(self._layout.points, index), "f4", len(self._layout.columns))
        return {name: np.ascontiguousarray(values[:, i]) for i, name in enumerate(self._layout.columns) if name != "_"}

    def label_file(self, index: int) -> Path:
        if not self.labelled:
            raise DataError(f"{self.description}: it names no classes, so these scans have no labels")
        return self._file(self._layout.labels, index)

    def raw_labels(self, index: int) -> npt.NDArray[Any]:
        return read_numbers(self.label_file(index), "u4", 1)[:, 0] & 0xFFFF

    def exposures(self, index: int) -> tuple[Exposure, ...]:
        if not self.has_images(index):
            return ()
        k, lidar_to_camera = camera_2([self._file(file, index) for file in self._layout.calibration])
        encoded, width, height = read_image(self._file(self._layout.images, index))
        view = CameraView(k, (), "none", width, height, lidar_to_camera)
        place = Path(self._layout.images.replace("*", self._scans[index])).with_suffix("")
        name = f"scans/{self._root.resolve().name}/{place.as_posix()}"
        return (Exposure(CameraImage(self.stamp(index), encoded, None, name=name), view),)

    def has_boxes(self, index: int) -> bool:
        return bool(self._layout.boxes) and self._file(self._layout.boxes, index).exists()

    def boxes(self, index: int) -> NamedBoxes | None:
        if not self.has_boxes(index):
            return None
        to_camera = lidar_to_reference([self._file(file, index) for file in self._layout.calibration])
        return read_kitti_boxes(self._file(self._layout.boxes, index), to_camera)

    def annotated(self, index: int, points: dict[str, npt.NDArray[Any]]) -> npt.NDArray[np.bool_] | None:
        if not self._layout.boxes_in_image:
            return None
        xyz = np.stack([points[axis] for axis in "xyz"], axis=1)
        seen = np.zeros(len(xyz), bool)
        for exposure in self.exposures(index):
            seen |= project(xyz, exposure.view)[3]
        return seen

    def require_classes(self, classes: Sequence[SemanticClass]) -> None:
        """Those of the description are looked up by name when it is read."""

    def _file(self, pattern: str, index: int) -> Path:
        return self._root / pattern.replace("*", self._scans[index])


def source_name(split: str) -> str:
    """What a description with ranges is called: the file's name says it, not where it lies."""
    description, extension, ranges = re.split(r"(\.ya?ml)", split, maxsplit=1) if ".y" in split else (split, "", "")
    return f"scans:{Path(description).name}{ranges if extension else ''}"


def _read_description(path: Path) -> tuple[_Layout, dict[Any, Any] | None]:
    """The layout, and what each id means if there are labels."""
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        require(document is None or isinstance(document, dict), f"{document!r} is no mapping of settings")
        document = document or {}
        meanings = document.pop("classes", None)
        require(meanings is None or isinstance(meanings, dict), f"classes: {meanings!r} is no mapping of ids")
        if isinstance(document.get("calibration"), str):
            document["calibration"] = [document["calibration"]]
        layout = convert(document, _Layout, "scans")
    except (OSError, yaml.YAMLError, ConfigError) as error:
        raise DataError(f"{path}: {error}") from error
    assert isinstance(layout, _Layout)
    return layout, meanings


def _learning_map(path: Path, meanings: Mapping[Any, Any], classes: Sequence[SemanticClass]) -> LearningMap:
    ids = {entry.name: entry.id for entry in classes}
    raw: dict[int, int] = {}
    sets: dict[tuple[int, ...], int] = {}
    for raw_id, meaning in meanings.items():
        if not isinstance(raw_id, int) or not 0 <= raw_id <= 0xFFFF:
            raise DataError(f"{path}: the id {raw_id!r} of classes is no number of 0 to 65535")
        raw[raw_id] = 0
        if meaning is not None:
            wanted = class_set(meaning, ids, f"{path}: the class of the id {raw_id}")
            one = len(wanted) == 1
            raw[raw_id] = wanted[0] if one else sets.setdefault(wanted, max(ids.values()) + 1 + len(sets))
    return LearningMap({value: name for name, value in ids.items()}, raw, {key: wanted for wanted, key in sets.items()})


def class_set(meaning: Any, ids: Mapping[str, int], what: str) -> tuple[int, ...]:
    """Sorted ids of a class name, or of a list of them. Raises DataError that begins with `what`."""
    names = meaning if isinstance(meaning, list) else [meaning]
    unknown = [name for name in names if name not in ids]
    if unknown or not names:
        known = f"is none of the configuration's, {', '.join(ids)}"
        raise DataError(f"{what}: {unknown[0]!r} {known}" if unknown else f"{what}: an empty list of names")
    return tuple(sorted({ids[name] for name in names}))


def _stems(root: Path, pattern: str) -> list[str]:
    """What stands for the * in the files that are there."""
    before, after = pattern.split("*")
    start, end = len(str(root / "x")) - 1 + len(before), len(after)
    return sorted(str(path)[start : len(str(path)) - end] for path in root.glob(pattern))


def _chosen(stems: list[str], ranges: str | None) -> list[str]:
    if ranges is None:
        return stems
    wanted = [re.fullmatch(r"(\d+)(?:-(\d+))?", part) for part in ranges.split(",")]
    if not all(wanted):
        raise DataError(f"scans: {ranges!r} is no list of numbers and ranges, such as 0-15,20")
    limits = [(int(part[1]), int(part[2] or part[1])) for part in wanted if part]
    return [stem for stem in stems if stem.isdecimal() and any(a <= int(stem) <= b for a, b in limits)]
