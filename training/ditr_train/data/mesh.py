"""Meshes of triangles."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


def vertex_normals(xyz: npt.NDArray[np.floating], triangles: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """[N, 3] unit normals of the vertices xyz [N, 3]: those of their triangles [T, 3], weighted by area.

    The side is that from which the vertices of a triangle run counterclockwise. Zero for a vertex without triangles, or
    whose triangles cancel each other.
    """
    corners = xyz.astype(np.float64)[triangles]
    # The cross product is twice the area long.
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    vertex = triangles.ravel()
    total = np.stack([np.bincount(vertex, np.repeat(normals[:, i], 3), minlength=len(xyz)) for i in range(3)], axis=1)
    length = np.linalg.norm(total, axis=1)
    # What is left of normals that cancel is their rounding.
    rounding = 1e-12 * np.bincount(vertex, np.repeat(np.linalg.norm(normals, axis=1), 3), minlength=len(xyz))
    unit: npt.NDArray[np.float64] = total / np.where(length > rounding, length, np.inf)[:, None]
    return unit.astype(np.float32)
