"""Static transforms of a robot: what does not move between a LiDAR and its cameras."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ditr_train.data.errors import DataError

Matrix = npt.NDArray[np.float64]


class StaticTransforms:
    """The tree of /tf_static."""

    def __init__(self) -> None:
        self._parents: dict[str, tuple[str, Matrix]] = {}

    def add(self, message: Any) -> None:
        """Takes a decoded tf2_msgs/TFMessage; a later transform of the same child replaces the earlier."""
        for stamped in message.transforms:
            q, t = stamped.transform.rotation, stamped.transform.translation
            matrix = np.eye(4)
            matrix[:3, :3] = rotation_matrix(q.x, q.y, q.z, q.w)
            matrix[:3, 3] = t.x, t.y, t.z
            self._parents[_plain(stamped.child_frame_id)] = (_plain(stamped.header.frame_id), matrix)

    def lookup(self, target: str, source: str) -> Matrix:
        """[4, 4] that maps coordinates in `source` to coordinates in `target`, in metres.

        Raises DataError when no chain of static transforms connects the two.
        """
        target_root, target_pose = self._to_root(_plain(target))
        source_root, source_pose = self._to_root(_plain(source))
        if target_root != source_root:
            raise DataError(
                f"no static transforms connect {source} (root {source_root}) with {target} (root {target_root})"
            )
        return np.linalg.inv(target_pose) @ source_pose

    def _to_root(self, frame: str) -> tuple[str, Matrix]:
        pose, visited = np.eye(4), {frame}
        while frame in self._parents:
            frame, matrix = self._parents[frame]
            if frame in visited:
                raise DataError(f"the static transforms form a circle at {frame}")
            visited.add(frame)
            pose = matrix @ pose
        return frame, pose


def _plain(frame: str) -> str:
    """ROS 1 wrote frames with a leading slash."""
    return frame.removeprefix("/")


def rotation_matrix(x: float, y: float, z: float, w: float) -> Matrix:
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
