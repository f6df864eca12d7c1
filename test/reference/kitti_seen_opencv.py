"""Where KITTI's own calibration files and OpenCV put LiDAR points in the left colour image, and which are inside."""

import json
import sys
from pathlib import Path

import cv2
import numpy as np


def read(file: Path) -> dict[str, np.ndarray]:
    """The matrices of a calib_*.txt."""
    rows = (line.split(":", 1) for line in file.read_text().splitlines() if ":" in line)
    return {key: np.array(text.split(), float) for key, text in rows if key != "calib_time"}


folder = Path(sys.argv[1])
options = json.loads((folder / "options.json").read_text())
xyz = np.load(folder / "xyz.npy").astype(np.float64)
cameras = read(Path(options["day"]) / "calib_cam_to_cam.txt")
velodyne = read(Path(options["day"]) / "calib_velo_to_cam.txt")
to_camera = np.eye(4)
to_camera[:3, :3] = velodyne["R"].reshape(3, 3)
to_camera[:3, 3] = velodyne["T"]
rectify = np.eye(4)
rectify[:3, :3] = cameras["R_rect_00"].reshape(3, 3)
projection = cameras["P_rect_02"].reshape(3, 4)
k = projection[:, :3]
# P = K [I | t]: what P does beyond K is a shift of the camera.
shift = np.linalg.solve(k, projection[:, 3])
points = (rectify @ to_camera @ np.c_[xyz, np.ones(len(xyz))].T)[:3].T + shift
pixels, _ = cv2.projectPoints(points[:, None], np.zeros(3), np.zeros(3), k, None)
pixels = pixels.reshape(-1, 2)
width, height = cameras["S_rect_02"]
inside = (points[:, 2] > 0.1) & (pixels >= -0.5).all(1) & (pixels < [width - 0.5, height - 0.5]).all(1)
(folder / "out").mkdir()
np.save(folder / "out" / "pixels.npy", pixels)
np.save(folder / "out" / "inside.npy", inside.astype(np.uint8))
