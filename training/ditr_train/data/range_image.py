"""Points of the range images of Waymo's LiDARs.

Formulas of compute_inclination, compute_range_image_polar and compute_range_image_cartesian in
src/waymo_open_dataset/utils/range_image_utils.py, and of get_rotation_matrix in transform_utils.py, of
waymo-open-dataset; here in float64.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


def uniform_inclinations(lowest: float, highest: float, rows: int) -> FloatArray:
    """[rows] radians of the beams, from the lowest to the highest: the middles of equal parts."""
    return lowest + (np.arange(rows) + 0.5) / rows * (highest - lowest)


def vehicle_points(
    ranges: npt.NDArray[np.floating[Any]], inclinations: FloatArray, lidar_to_vehicle: FloatArray
) -> FloatArray:
    """[H, W, 3] points in the vehicle's frame at the time of each pixel, metres.

    `ranges` [H, W] in metres; row 0 is the highest beam, the last of `inclinations` [H]. Columns go once around
    clockwise; the middle one looks along the vehicle's x, however the LiDAR is turned.
    """
    rows, columns = ranges.shape
    turned = np.arctan2(lidar_to_vehicle[1, 0], lidar_to_vehicle[0, 0])
    azimuth = (2 * (np.arange(columns, 0, -1) - 0.5) / columns - 1) * np.pi - turned
    inclination = inclinations[::-1, None]
    direction = np.empty((rows, columns, 3))
    direction[..., 0] = np.cos(azimuth) * np.cos(inclination)
    direction[..., 1] = np.sin(azimuth) * np.cos(inclination)
    direction[..., 2] = np.sin(inclination)
    points: FloatArray = (direction * ranges[..., None]) @ lidar_to_vehicle[:3, :3].T + lidar_to_vehicle[:3, 3]
    return points


def at_one_time(
    points: FloatArray, pixel_poses: npt.NDArray[np.floating[Any]], vehicle_to_world: FloatArray
) -> FloatArray:
    """[N, 3] points in the vehicle's frame at each point's own time -> in its frame of the pose [4, 4].

    `pixel_poses` [N, 6] are roll, pitch, yaw (radians, yaw first) and x, y, z (metres) of the vehicle in the world.
    """
    poses = pixel_poses.astype(np.float64)
    roll, pitch, yaw = poses[:, 0], poses[:, 1], poses[:, 2]
    x, y, z = points.T
    y, z = np.cos(roll) * y - np.sin(roll) * z, np.sin(roll) * y + np.cos(roll) * z
    x, z = np.cos(pitch) * x + np.sin(pitch) * z, np.cos(pitch) * z - np.sin(pitch) * x
    x, y = np.cos(yaw) * x - np.sin(yaw) * y, np.sin(yaw) * x + np.cos(yaw) * y
    in_world = np.stack([x, y, z], axis=1) + poses[:, 3:]
    moved: FloatArray = (in_world - vehicle_to_world[:3, 3]) @ np.linalg.inv(vehicle_to_world[:3, :3]).T
    return moved
