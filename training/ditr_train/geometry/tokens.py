"""Tokens of a stage for a detection graph, as docs/graph-contract.md describes them, in NumPy.

The node computes the same in TypeScript.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt


def token_positions(
    xyz: npt.NDArray[np.float32], inputs: Mapping[str, npt.NDArray[Any]], stage: int
) -> npt.NDArray[np.float32]:
    """xyz [V_0, 3] of the representative points, metres, clamped ones where the backbone clamps; `inputs` with
    parent_0 .. of the stages below -> [V_stage, 3], the mean within each voxel of the stage."""
    voxel = np.arange(len(xyz))
    for finer in range(stage):
        voxel = inputs[f"parent_{finer}"][voxel]
    count = np.bincount(voxel).astype(np.float64)
    # In float64 and in the order of the voxels, as the node adds them up.
    sums = [np.bincount(voxel, weights=xyz[:, axis].astype(np.float64)) for axis in range(3)]
    return (np.stack(sums, axis=1) / count[:, None]).astype(np.float32)


def farthest_points(positions: npt.NDArray[np.floating], count: int) -> npt.NDArray[np.int32]:
    """Rows [min(count, V)] of positions [V, 3] by farthest point sampling: row 0, then again and again the one that is
    farthest from all that were chosen, the first of equals (Eldar et al., 1997)."""
    chosen = np.zeros(min(count, len(positions)), np.int32)
    points = np.ascontiguousarray(positions.T, np.float64)
    nearest = np.full(len(positions), np.inf)
    for place in range(1, len(chosen)):
        last = points[:, chosen[place - 1], None]
        x, y, z = points - last
        np.minimum(nearest, x * x + y * y + z * z, out=nearest)
        chosen[place] = nearest.argmax()
    return chosen
