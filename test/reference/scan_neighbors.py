"""Neighbour tables of coordinates.npy for kernels of 3 and 5 from SciPy's k-d tree."""

import sys
from pathlib import Path

import numpy as np
from scipy.spatial import cKDTree

folder = Path(sys.argv[1])
(folder / "out").mkdir()
coordinates = np.load(folder / "coordinates.npy")
count = len(coordinates)
tree = cKDTree(coordinates)
for kernel_size in (3, 5):
    radius = kernel_size // 2
    pairs = tree.query_pairs(radius + 0.5, p=np.inf, output_type="ndarray")
    itself = np.stack([np.arange(count)] * 2, axis=1)
    pairs = np.concatenate([pairs, pairs[:, ::-1], itself])
    offset = coordinates[pairs[:, 1]] - coordinates[pairs[:, 0]] + radius
    table = np.full((count, kernel_size**3), count, np.int32)
    table[pairs[:, 0], np.ravel_multi_index(tuple(offset.T), (kernel_size,) * 3)] = pairs[:, 1]
    np.save(folder / "out" / f"kernel_{kernel_size}.npy", table)
