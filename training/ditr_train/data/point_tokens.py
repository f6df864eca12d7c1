"""Tokens of a scan that no mask gives: clusters of what masks leave over, and nearest neighbours."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from ditr_train.config.backbone_config import BackboneConfig
from ditr_train.config.training_config import TokensConfig
from ditr_train.data.regions import NO_REGION
from ditr_train.geometry.scan_geometry import kernel_neighbors, voxelize
from ditr_train.geometry.tokens import farthest_points


def clusters(xyz: npt.NDArray[np.float32], backbone: BackboneConfig, settings: TokensConfig) -> npt.NDArray[np.int32]:
    """[N] cluster of each of the points [N, 3] in metres, NO_REGION outside of the backbone's range.

    Cells with an edge of `cluster_cell` that hold points and touch, be it at a corner, are one cluster if they also
    lie in the same cube of `cluster_block`, which divides grounds and walls.
    """
    point_to_cell, _, cells = voxelize(xyz, settings.cluster_cell, backbone.point_range, clamp=backbone.clamp)
    if len(cells) == 0:
        return point_to_cell
    block = cells // max(1, round(settings.cluster_block / settings.cluster_cell))
    neighbors = kernel_neighbors(cells, 3)
    row, place = np.nonzero(neighbors < len(cells))
    column = neighbors[row, place]
    inside = (block[row] == block[column]).all(axis=1)
    graph = coo_array((np.ones(int(inside.sum())), (row[inside], column[inside])), shape=(len(cells), len(cells)))
    component = np.asarray(connected_components(graph, directed=False)[1], np.int32)
    return np.where(point_to_cell >= 0, component[point_to_cell], np.int32(NO_REGION))


def nearest_neighbor_tokens(
    xyz: npt.NDArray[np.float32], backbone: BackboneConfig, settings: TokensConfig
) -> npt.NDArray[np.int32]:
    """[N] token of each of the points [N, 3] in metres: `knn_centers` voxels, each farthest from those before, and the
    `knn_voxels` voxels nearest to each (Point-BERT, arXiv 2111.14819, section 3.1).

    There groups overlap; here a voxel that is among the nearest of several centres belongs to the nearest centre, so
    that what is hidden is in no other token. NO_REGION where a point is in none.
    """
    point_to_voxel, representative, _ = voxelize(xyz, backbone.grid_size, backbone.point_range, clamp=backbone.clamp)
    voxels = xyz[representative].astype(np.float64)
    if len(voxels) == 0:
        return point_to_voxel
    centers = farthest_points(voxels, settings.knn_centers)
    distance, nearest = cKDTree(voxels).query(voxels[centers], k=range(1, min(settings.knn_voxels, len(voxels)) + 1))
    token = np.full(len(voxels), NO_REGION, np.int32)
    # The nearest comes last and stays.
    order = np.argsort(-distance.ravel(), kind="stable")
    token[nearest.ravel()[order]] = np.repeat(np.arange(len(centers), dtype=np.int32), distance.shape[1])[order]
    return np.where(point_to_voxel >= 0, token[point_to_voxel], np.int32(NO_REGION))
