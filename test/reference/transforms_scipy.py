"""Chains of interpolated transforms with SciPy: lerp and Slerp per link, 4x4 products along the chain."""

import sys
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation, Slerp

folder = Path(sys.argv[1])
stamps, poses, times = (np.load(folder / f"{name}.npy") for name in ("stamps", "poses", "times"))
origin = stamps.min()


def chain(time: int) -> np.ndarray:
    """Maps the last frame's coordinates to the first frame's."""
    result = np.eye(4)
    for link_stamps, link_poses in zip(stamps - origin, poses, strict=True):
        at = float(time - origin)
        link = np.eye(4)
        link[:3, 3] = [np.interp(at, link_stamps, link_poses[:, axis]) for axis in range(3)]
        link[:3, :3] = Slerp(link_stamps.astype(float), Rotation.from_quat(link_poses[:, 3:]))(at).as_matrix()
        result = result @ link
    return result


single = [chain(time).T for time in times[:, 0]]
double = [(np.linalg.inv(chain(target)) @ chain(source)).T for target, source in times]
(folder / "out").mkdir()
np.save(folder / "out" / "single.npy", np.ascontiguousarray(single))
np.save(folder / "out" / "double.npy", np.ascontiguousarray(double))
