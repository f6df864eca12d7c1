"""Undistorts pixels with cv2.undistortPoints and cv2.fisheye.undistortPoints."""

import json
import sys
from pathlib import Path

import cv2
import numpy as np

folder = Path(sys.argv[1])
pixels, cameras = (np.load(folder / f"{name}.npy") for name in ("pixels", "cameras"))
models = json.loads((folder / "options.json").read_text())["models"]
criteria = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 500, 1e-12)
rays = []
for model, camera_pixels, (fx, fy, cx, cy, *d) in zip(models, pixels, cameras, strict=True):
    k = np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1]])
    points = camera_pixels[:, None]
    if model == "equidistant":
        result = cv2.fisheye.undistortPoints(points, k, np.array(d[:4]), criteria=criteria)
    else:
        result = cv2.undistortPoints(points, k, np.array(d), criteria=criteria)
    rays.append(result.reshape(-1, 2))
(folder / "out").mkdir()
np.save(folder / "out" / "rays.npy", np.ascontiguousarray(rays))
