"""Depth images to points by REP 118 and P of the CameraInfo (after binning and region of interest)."""

import json
import sys
from pathlib import Path

import numpy as np

folder = Path(sys.argv[1])
p = np.array(json.loads((folder / "options.json").read_text())["p"]).reshape(3, 4)
depth = np.load(folder / "depth.npy").astype(np.float64)
v, u = np.mgrid[: depth.shape[0], : depth.shape[1]]
# P [x y z 1]^T = z_image [u v 1]^T with z = depth: two linear equations for x and y per pixel.
with np.errstate(invalid="ignore"):
    zi = p[2, 2] * depth + p[2, 3]
    y = (v * zi - p[1, 2] * depth - p[1, 3]) / p[1, 1]
    x = (u * zi - p[0, 1] * y - p[0, 2] * depth - p[0, 3]) / p[0, 0]
points = np.stack([x, y, depth], axis=-1)
points[~(np.isfinite(depth) & (depth > 0))] = np.nan
(folder / "out").mkdir()
np.save(folder / "out" / "points.npy", np.ascontiguousarray(points))
