"""The left colour camera in KITTI's calibration files (readmes of KITTI odometry, object and raw data)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ditr_train.data.errors import DataError

_FORMS: tuple[dict[str, int], ...] = (
    {"P2": 12, "R0_rect": 9, "Tr_velo_to_cam": 12},
    {"P2": 12, "Tr": 12},
    {"P_rect_02": 12, "R_rect_00": 9, "R": 9, "T": 3},
)
"""Names and lengths of the rows of KITTI object, odometry and raw. Raw data is in two files, of which the one from
LiDAR to camera is read last: both have a row T of their own."""


def camera_2(files: Sequence[Path]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Intrinsics [3, 3] of image_2, and [4, 4] from the LiDAR to it: image point = P2 * R0_rect * Tr * point.

    P2 = K [I | t] holds the offset t of that camera from the reference camera, where Tr leads. Several files are read
    as one. Raises DataError when what is needed is missing or malformed.
    """
    p, to_rectified = _calibration(files)
    k = p[:, :3]
    from_reference = np.eye(4)
    from_reference[:3, 3] = np.linalg.solve(k, p[:, 3])
    return k, from_reference @ to_rectified


def lidar_to_reference(files: Sequence[Path]) -> npt.NDArray[np.float64]:
    """[4, 4] from the LiDAR to the rectified reference camera, in which KITTI object's boxes are. As camera_2."""
    return _calibration(files)[1]


def _calibration(files: Sequence[Path]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """The projection of image_2 [3, 4], and [4, 4] from the LiDAR to the rectified reference camera."""
    rows: dict[str, list[float]] = {}
    for path in files:
        rows |= _rows(path)
    where = ", ".join(map(str, files))
    for name, length in {name: length for form in _FORMS for name, length in form.items()}.items():
        if len(rows.get(name, ())) not in (0, length):
            raise DataError(f"{where}: {len(rows[name])} numbers after {name}:, {length} are needed")
    form = next((form for form in _FORMS if form.keys() <= rows.keys()), None)
    if form is None:
        needed = " or ".join(", ".join(form) for form in _FORMS)
        raise DataError(f"{where}: it has {', '.join(rows) or 'no rows'}, where {needed} are needed")
    p = np.reshape(rows["P_rect_02" if "P_rect_02" in form else "P2"], (3, 4))
    rectify = np.eye(4)
    for name in ("R0_rect", "R_rect_00"):
        if name in form:
            rectify[:3, :3] = np.reshape(rows[name], (3, 3))
    to_reference = np.eye(4)
    if "R" in form:
        to_reference[:3] = np.column_stack([np.reshape(rows["R"], (3, 3)), rows["T"]])
    else:
        to_reference[:3] = np.reshape(rows["Tr" if "Tr" in form else "Tr_velo_to_cam"], (3, 4))
    return p, rectify @ to_reference


def _rows(path: Path) -> dict[str, list[float]]:
    """The numbers after each name; rows of anything else, such as dates, are left out."""
    try:
        lines = path.read_text(encoding="ascii").splitlines()
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: {error}") from error
    rows: dict[str, list[float]] = {}
    for line in lines:
        name, _, values = line.partition(":")
        try:
            numbers = [float(value) for value in values.split()]
        except ValueError:
            continue
        if numbers:
            rows[name.strip()] = numbers
    return rows
