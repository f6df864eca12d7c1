"""Rotations."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ditr_train.data.errors import DataError


def rotation_matrix(x: float, y: float, z: float, w: float) -> npt.NDArray[np.float64]:
    """[3, 3] of a quaternion of any length. Raises DataError when it has none."""
    norm = np.sqrt(x * x + y * y + z * z + w * w)
    if not norm > 1e-6:
        raise DataError(f"the quaternion ({x}, {y}, {z}, {w}) is no rotation")
    x, y, z, w = x / norm, y / norm, z / norm, w / norm
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )
