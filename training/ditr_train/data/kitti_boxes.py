"""Boxes of KITTI object (label_2/*.txt; readme.txt of its development kit)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from ditr_train.data.boxes import NamedBoxes
from ditr_train.data.errors import DataError
from ditr_train.geometry.boxes import COLUMNS

_NUMBERS = 14
"""After the type: truncation, occlusion, alpha, four of the image, height, width, length, x, y, z, rotation_y. Files of
results have a score behind them."""

_NOT_A_BOX = "DontCare"
"""Parts of the image in which objects were not annotated."""


def read_kitti_boxes(path: Path, lidar_to_camera: npt.NDArray[np.float64]) -> NamedBoxes:
    """Boxes in the LiDAR's frame; `lidar_to_camera` [4, 4] leads to the rectified reference camera (x right, y down, z
    ahead), whose x, y, z are the middle of a box's bottom, and rotation_y turns its length from x about y.

    Raises DataError that names the line.
    """
    try:
        lines = path.read_text(encoding="ascii").splitlines()
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: {error}") from error
    camera_to_lidar = np.linalg.inv(lidar_to_camera)
    names: list[str] = []
    boxes: list[npt.NDArray[np.float64]] = []
    for number, line in enumerate(lines, 1):
        words = line.split()
        if not words or words[0] == _NOT_A_BOX:
            continue
        try:
            values = [float(word) for word in words[1:]]
        except ValueError as error:
            raise DataError(f"{path}, line {number}: {error}") from error
        if len(values) not in (_NUMBERS, _NUMBERS + 1):
            raise DataError(f"{path}, line {number}: {len(values)} numbers after the type, {_NUMBERS} are needed")
        height, width, length, x, y, z, rotation = values[7:14]
        center = camera_to_lidar @ [x, y - height / 2, z, 1]
        heading = camera_to_lidar[:3, :3] @ [np.cos(rotation), 0, -np.sin(rotation)]
        boxes.append(np.array([*center[:3], length, width, height, np.arctan2(heading[1], heading[0])]))
        names.append(words[0])
    return NamedBoxes(np.array(boxes).reshape(-1, COLUMNS), tuple(names))
