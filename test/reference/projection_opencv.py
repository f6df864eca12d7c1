"""Projects points with cv2.projectPoints and cv2.fisheye.projectPoints."""

import json
import sys
from pathlib import Path

import cv2
import numpy as np

folder = Path(sys.argv[1])
points, poses, cameras = (np.load(folder / f"{name}.npy") for name in ("points", "poses", "cameras"))
models = json.loads((folder / "options.json").read_text())["models"]
points = points.astype(np.float64)[:, None]
pixels, matrices = [], []
for model, pose, (fx, fy, cx, cy, *d) in zip(models, poses, cameras, strict=True):
    k = np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1]])
    rotation, translation = pose[:3, None], pose[3:, None]
    if model == "equidistant":
        projected, _ = cv2.fisheye.projectPoints(points, rotation, translation, k, np.array(d[:4]))
    else:
        projected, _ = cv2.projectPoints(points, rotation, translation, k, np.array(d))
    pixels.append(projected.reshape(-1, 2))
    matrix = np.eye(4)
    matrix[:3, :3] = cv2.Rodrigues(rotation)[0]
    matrix[:3, 3] = pose[3:]
    matrices.append(matrix.T)
(folder / "out").mkdir()
np.save(folder / "out" / "pixels.npy", np.ascontiguousarray(pixels))
np.save(folder / "out" / "matrices.npy", np.ascontiguousarray(matrices))
