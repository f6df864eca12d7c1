"""Integer geometry of a scan, as docs/graph-contract.md describes it, in NumPy.

The node computes the same tables in TypeScript (`src/geometry`). The two are written independently and
compared in the tests, so this file follows the description and not the other implementation.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

Order = Literal["z", "z-trans", "hilbert", "hilbert-trans"]
Int32Array = npt.NDArray[np.int32]
Int64Array = npt.NDArray[np.int64]

MAX_DEPTH = 16
"""Bits per axis that a serialization code has room for."""


@dataclass(frozen=True)
class StageConfig:
    """What the blocks of one stage need."""

    convolution: bool
    """Does the stage need the 3x3x3 neighbour table?"""
    patch_size: int
    """Points per attention patch; 0 when the stage has no attention."""


@dataclass(frozen=True)
class GeometryConfig:
    """Which tables a model needs."""

    grid_size: float
    """Edge of a voxel of stage 0 in metres."""
    point_range: Sequence[float]
    """x, y, z minimum (inclusive), then x, y, z maximum (exclusive), in metres."""
    orders: Sequence[Order]
    stem_kernel_size: Literal[3, 5]
    stages: Sequence[StageConfig]
    clamp: bool = False
    """Are points outside the range moved to its faces, and not left out?"""

    def __post_init__(self) -> None:
        """Raise ValueError for a configuration that no scan could satisfy."""
        if not (np.isfinite(self.grid_size) and self.grid_size > 0):
            raise ValueError(f"grid_size is {self.grid_size}, but has to be a positive length in metres")
        if len(self.point_range) != 6 or not all(
            low < high for low, high in zip(self.point_range[:3], self.point_range[3:], strict=True)
        ):
            raise ValueError(f"point_range is {self.point_range}, but needs three minima below three maxima")
        for order in self.orders:
            if order not in get_args(Order):
                raise ValueError(f"order {order!r} is none of {', '.join(get_args(Order))}")
        if self.stem_kernel_size not in (3, 5):
            raise ValueError(f"stem_kernel_size is {self.stem_kernel_size}, but has to be 3 or 5")
        if not self.stages:
            raise ValueError("stages is empty, but at least one stage is needed")
        for index, stage in enumerate(self.stages):
            if stage.patch_size < 0:
                raise ValueError(f"patch_size of stage {index} is {stage.patch_size}, but has to be 0 or more")
            if stage.patch_size > 0 and not self.orders:
                raise ValueError(f"stage {index} has attention, but orders is empty")


@dataclass(frozen=True)
class StageGeometry:
    """Tables of one stage with V voxels in ascending z-order code."""

    coordinates: Int32Array
    """[V, 3] grid coordinates x, y, z of this stage."""
    neighbors: Int32Array | None
    """[V, 27], V where there is no neighbour."""
    order: Int32Array | None
    """[O, P, K] voxel of each slot of each patch."""
    inverse: Int32Array | None
    """[O, V] slot that a voxel's result is read from."""
    parent: Int32Array | None
    """[V] voxel of the next stage."""
    children: Int32Array | None
    """[V of the next stage, 8] voxels of this stage, V where empty."""

    @property
    def voxel_count(self) -> int:
        """V."""
        return len(self.coordinates)


@dataclass(frozen=True)
class ScanGeometry:
    """Every table of a scan of N points."""

    point_to_voxel: Int32Array
    """[N] voxel of stage 0, -1 where the point is not finite or outside the range."""
    representative: Int32Array
    """[V_0] first point in scan order of each voxel."""
    stem_neighbors: Int32Array | None
    """[V_0, 125] with a stem of kernel size 5."""
    stages: list[StageGeometry]


def z_order_code(coordinates: npt.NDArray[np.integer]) -> Int64Array:
    """Interleave the bits of grid coordinates [V, 3] below 2**16 as ... x_i y_i z_i ... into codes [V]."""
    code = np.zeros(len(coordinates), np.int64)
    for axis in range(3):
        spread = coordinates[:, axis].astype(np.int64)
        spread = (spread | spread << 32) & 0x1F00000000FFFF
        spread = (spread | spread << 16) & 0x1F0000FF0000FF
        spread = (spread | spread << 8) & 0x100F00F00F00F00F
        spread = (spread | spread << 4) & 0x10C30C30C30C30C3
        spread = (spread | spread << 2) & 0x1249249249249249
        code |= spread << (2 - axis)
    return code


def hilbert_code(coordinates: npt.NDArray[np.integer], depth: int) -> Int64Array:
    """Codes [V] of grid coordinates [V, 3] below 2**depth along the Hilbert curve.

    J. Skilling, Programming the Hilbert curve, AIP Conference Proceedings 707, 2004; the same curve as
    Pointcept's serialization/hilbert.py.
    """
    axes = coordinates.astype(np.int64).T.copy()
    for bit in reversed(range(depth)):
        below = np.int64((1 << bit) - 1)
        for axis in range(3):
            on = (axes[axis] >> bit & 1).astype(bool)
            exchange = np.where(on, 0, (axes[0] ^ axes[axis]) & below)
            axes[0] ^= np.where(on, below, 0)
            axes[0] ^= exchange
            axes[axis] ^= exchange
    code = z_order_code(axes.T)
    for shift in (1, 2, 4, 8, 16, 32):  # Gray code to binary: the exclusive or of all higher bits
        code ^= code >> shift
    return code


def serialization_code(coordinates: npt.NDArray[np.integer], order: Order, depth: int) -> Int64Array:
    """Codes [V] of grid coordinates [V, 3] in one of the four orders."""
    if order.endswith("-trans"):
        coordinates = coordinates[:, [1, 0, 2]]
    return hilbert_code(coordinates, depth) if order.startswith("hilbert") else z_order_code(coordinates)


def kernel_neighbors(coordinates: Int32Array, kernel_size: Literal[3, 5]) -> Int32Array:
    """Neighbour table [V, kernel_size**3] of distinct grid coordinates [V, 3]; V where there is none."""
    count = len(coordinates)
    radius = kernel_size // 2
    columns = kernel_size**3
    table = np.full((count, columns), count, np.int32)
    # 18 bits per axis hold 0 .. 65535 and the radius on both sides, so no sum carries into the next axis.
    weight = np.array([1 << 36, 1 << 18, 1], np.int64)
    key = (coordinates.astype(np.int64) + radius) @ weight
    by_key = np.argsort(key).astype(np.int32)
    key = key[by_key]
    for column in range(columns // 2):
        offset = np.array(np.unravel_index(column, (kernel_size,) * 3), np.int64) - radius
        wanted = key + offset @ weight
        found = np.minimum(np.searchsorted(key, wanted), max(count - 1, 0))
        hit = np.flatnonzero(key[found] == wanted)
        here, there = by_key[hit], by_key[found[hit]]
        table[here, column] = there
        table[there, columns - 1 - column] = here
    table[:, columns // 2] = np.arange(count)
    return table


def patches(codes: Int64Array, patch_size: int) -> tuple[Int32Array, Int32Array]:
    """Order [O, P, K] and inverse [O, V] of the codes [O, V], as Pointcept's get_padding_and_inverse."""
    curves, count = codes.shape
    order = np.argsort(codes, axis=1, kind="stable").astype(np.int32)
    inverse = np.empty_like(order)
    np.put_along_axis(inverse, order, np.arange(count, dtype=np.int32)[None], axis=1)
    if count <= patch_size:
        return order.reshape(curves, 1, count), inverse
    slots = np.arange(-(-count // patch_size) * patch_size)
    slots[count:] -= patch_size
    return np.take(order, slots, axis=1).reshape(curves, -1, patch_size), inverse


def clamped(xyz: npt.NDArray[np.float32], point_range: Sequence[float]) -> npt.NDArray[np.float32]:
    """[N, 3] with each coordinate moved into the range, whose bounds are rounded to float32; NaN where a point is not
    finite."""
    low, high = np.split(np.asarray(point_range, np.float32), 2)
    finite = np.isfinite(xyz).all(axis=1, keepdims=True)
    return np.where(finite, np.clip(xyz, low, high), np.float32(np.nan))


def voxelize(
    xyz: npt.NDArray[np.float32], grid_size: float, point_range: Sequence[float], *, clamp: bool = False
) -> tuple[Int32Array, Int32Array, Int32Array]:
    """Voxel of each point [N], first point of each voxel [V], and grid coordinates [V, 3] in z-order.

    Raises ValueError when the points span more than 2**16 voxels along an axis.
    """
    points = (clamped(xyz, point_range) if clamp else xyz).astype(np.float64)
    low, high = (np.full(3, -np.inf), np.full(3, np.inf)) if clamp else np.split(np.asarray(point_range, float), 2)
    # Comparisons with NaN are false, and the range is finite or leaves infinities to isfinite.
    taking_part = np.flatnonzero((np.isfinite(points) & (points >= low) & (points < high)).all(axis=1))
    point_to_voxel = np.full(len(xyz), -1, np.int32)
    if len(taking_part) == 0:
        return point_to_voxel, np.zeros(0, np.int32), np.zeros((0, 3), np.int32)
    points = points[taking_part]
    grid = np.floor((points - points.min(axis=0)) / grid_size)
    if grid.max() >= 1 << MAX_DEPTH:
        raise ValueError(
            f"the points span {grid.max() + 1:.0f} voxels of {grid_size} m along an axis, "
            f"but at most {1 << MAX_DEPTH} are possible"
        )
    _, first, voxel = np.unique(z_order_code(grid.astype(np.int32)), return_index=True, return_inverse=True)
    point_to_voxel[taking_part] = voxel
    return point_to_voxel, taking_part[first].astype(np.int32), grid[first].astype(np.int32)


def build_scan_geometry(xyz: npt.NDArray[np.float32], config: GeometryConfig) -> ScanGeometry:
    """All tables of a scan of points xyz [N, 3] in metres.

    Raises ValueError when the points span more than 2**16 voxels along an axis.
    """
    point_to_voxel, representative, coordinates = voxelize(
        xyz, config.grid_size, config.point_range, clamp=config.clamp
    )
    depth = max(1, int(coordinates.max(initial=0)).bit_length())
    z_code = z_order_code(coordinates)
    codes = np.zeros((len(config.orders), len(coordinates)), np.int64)
    if any(stage.patch_size for stage in config.stages):
        for row, order in enumerate(config.orders):
            codes[row] = serialization_code(coordinates, order, depth)

    stem_neighbors = kernel_neighbors(coordinates, 5) if config.stem_kernel_size == 5 else None
    stages = []
    for index, stage in enumerate(config.stages):
        stem_needs_neighbors = index == 0 and config.stem_kernel_size == 3
        neighbors = kernel_neighbors(coordinates, 3) if stage.convolution or stem_needs_neighbors else None
        order_table, inverse = patches(codes, stage.patch_size) if stage.patch_size else (None, None)
        parent = children = None
        stage_coordinates = coordinates
        if index + 1 < len(config.stages):
            next_z_code, head, voxel_parent = np.unique(z_code >> 3, return_index=True, return_inverse=True)
            parent = voxel_parent.astype(np.int32)
            children = np.full((len(next_z_code), 8), len(coordinates), np.int32)
            children[parent, z_code & 7] = np.arange(len(coordinates))
            z_code, coordinates, codes = next_z_code, coordinates[head] >> 1, codes[:, head] >> 3
        stages.append(StageGeometry(stage_coordinates, neighbors, order_table, inverse, parent, children))
    return ScanGeometry(point_to_voxel, representative, stem_neighbors, stages)
