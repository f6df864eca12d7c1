"""Which patch of which camera image each voxel takes its features from.

The rules are those of docs/graph-contract.md, section "Projection"; ``src/camera`` does the same in
TypeScript with the same float64 operations in the same order.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

DistortionModel = Literal["none", "plumb_bob", "rational_polynomial", "thin_prism", "equidistant"]
ResizeRule = Literal["stretch", "letterbox"]
Sampling = Literal["nearest", "bilinear"]

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]

NEAR = 0.1
"""Metres along the optical axis; nothing nearer is projected."""

CELL_ANGLE = 0.003
"""Edge of a cell of the depth buffer, in radians at the image centre (cell = CELL_ANGLE * fx pixels)."""

WINDOW = 4
"""Cells on each side of a point's cell in which nearer points are looked for."""

RELATIVE_TOLERANCE = 0.1
ABSOLUTE_TOLERANCE = 0.3
"""Metres."""

_COEFFICIENTS: dict[DistortionModel, tuple[int, ...]] = {
    "none": (0,),
    "plumb_bob": (0, 4, 5),
    "rational_polynomial": (8,),
    "thin_prism": (14,),
    "equidistant": (4,),
}

_DIRECTIONS = 32
"""In which folding is looked for where it is not the same in all of them."""


@dataclass(frozen=True)
class CameraView:
    """One camera as seen from one scan."""

    k: FloatArray
    """[3, 3] intrinsics in pixels; of a rectified image the left part of P."""
    d: tuple[float, ...]
    """Distortion coefficients in OpenCV's order, of "thin_prism" those of the tilted sensor too (14); empty for a
    rectified image."""
    model: DistortionModel
    width: int
    """Pixels of the image that is projected into."""
    height: int
    lidar_to_camera: FloatArray
    """[4, 4] maps cloud coordinates to the optical frame (x right, y down, z forward), metres."""

    def __post_init__(self) -> None:
        if self.k.shape != (3, 3) or self.lidar_to_camera.shape != (4, 4):
            raise ValueError(
                f"k must be [3, 3] and lidar_to_camera [4, 4], not {self.k.shape} and {self.lidar_to_camera.shape}"
            )
        if len(self.d) not in _COEFFICIENTS[self.model]:
            raise ValueError(f"{self.model} takes {_COEFFICIENTS[self.model]} coefficients, not {len(self.d)}")


@dataclass(frozen=True)
class PatchGrid:
    """The image encoder's input and its patches."""

    input_width: int
    input_height: int
    patch_size: int
    resize: ResizeRule

    def __post_init__(self) -> None:
        if self.input_width % self.patch_size or self.input_height % self.patch_size:
            raise ValueError(
                f"an input of {self.input_width}x{self.input_height} is no whole number "
                f"of {self.patch_size} pixel patches"
            )

    @property
    def columns(self) -> int:
        return self.input_width // self.patch_size

    @property
    def rows(self) -> int:
        return self.input_height // self.patch_size

    def placement(self, width: int, height: int) -> tuple[int, int, int, int]:
        """Left, top, width, height in encoder input pixels of an image of width x height."""
        if self.resize == "stretch":
            return 0, 0, self.input_width, self.input_height
        scale = min(self.input_width / width, self.input_height / height)
        placed_width = max(1, int(np.floor(width * scale + 0.5)))
        placed_height = max(1, int(np.floor(height * scale + 0.5)))
        return (
            (self.input_width - placed_width) // 2,
            (self.input_height - placed_height) // 2,
            placed_width,
            placed_height,
        )

    def image_to_input(self, width: int, height: int) -> tuple[float, float, float, float]:
        """(scale x, scale y, offset x, offset y): input pixel = scale * image pixel + offset, integer = centre."""
        left, top, placed_width, placed_height = self.placement(width, height)
        scale_x = placed_width / width
        scale_y = placed_height / height
        return scale_x, scale_y, 0.5 * scale_x - 0.5 + left, 0.5 * scale_y - 0.5 + top


def valid_radius(model: DistortionModel, d: tuple[float, ...]) -> float:
    """Where the radial part of the distortion stops to grow: pixels beyond it would fold back into the image.

    For "equidistant" an angle in radians from the optical axis, at most pi / 2; otherwise a distance from
    the axis at unit depth, infinity when nothing folds within 20 (87 degrees). Tangential terms are ignored
    but in "thin_prism", where all terms count in all directions.
    """
    if model == "none" or not any(d):
        return np.pi / 2 if model == "equidistant" else np.inf

    def grows(radius: float) -> bool:
        s = radius * radius
        if model == "equidistant":
            k1, k2, k3, k4 = d
            return 1 + s * (3 * k1 + s * (5 * k2 + s * (7 * k3 + s * (9 * k4)))) > 0
        k1, k2, _, _, k3, k4, k5, k6 = (*d, *([0.0] * (8 - len(d))))[:8]
        numerator = 1 + s * (k1 + s * (k2 + s * k3))
        denominator = 1 + s * (k4 + s * (k5 + s * k6))
        numerator_slope = k1 + s * (2 * k2 + s * (3 * k3))
        denominator_slope = k4 + s * (2 * k5 + s * (3 * k6))
        growth = numerator * denominator + 2 * s * (numerator_slope * denominator - numerator * denominator_slope)
        if not (denominator > 0 and growth > 0):
            return False
        return model != "thin_prism" or _keeps_orientation(d, radius)

    limit = np.pi / 2 if model == "equidistant" else 20.0
    steps = 4000
    for step in range(1, steps + 1):
        if grows(limit * step / steps):
            continue
        inside, outside = limit * (step - 1) / steps, limit * step / steps
        for _ in range(60):
            middle = (inside + outside) / 2
            if grows(middle):
                inside = middle
            else:
                outside = middle
        return inside
    return np.pi / 2 if model == "equidistant" else np.inf


def _keeps_orientation(d: tuple[float, ...], radius: float) -> bool:
    """Whether the map of "thin_prism", before the tilt, is one to one around the points at this radius, and before the
    sensor."""
    k1, k2, p1, p2, k3, k4, k5, k6, s1, s2, s3, s4, tau_x, tau_y = d
    tilt = _tilt_matrix(tau_x, tau_y)
    s = radius * radius
    numerator = 1 + s * (k1 + s * (k2 + s * k3))
    denominator = 1 + s * (k4 + s * (k5 + s * k6))
    radial = numerator / denominator
    slope = ((k1 + s * (2 * k2 + s * (3 * k3))) * denominator - numerator * (k4 + s * (2 * k5 + s * (3 * k6)))) / (
        denominator * denominator
    )
    for direction in range(_DIRECTIONS):
        angle = (2 * math.pi * direction) / _DIRECTIONS
        a, b = radius * math.cos(angle), radius * math.sin(angle)
        prism_x, prism_y = 2 * (s1 + 2 * s2 * s), 2 * (s3 + 2 * s4 * s)
        xa = radial + 2 * a * a * slope + 2 * p1 * b + 6 * p2 * a + prism_x * a
        xb = 2 * a * b * slope + 2 * p1 * a + 2 * p2 * b + prism_x * b
        ya = 2 * a * b * slope + 2 * p1 * a + 2 * p2 * b + prism_y * a
        yb = radial + 2 * b * b * slope + 6 * p1 * b + 2 * p2 * a + prism_y * b
        if not xa * yb - xb * ya > 0:
            return False
        x = a * radial + 2 * p1 * a * b + p2 * (s + 2 * a * a) + s * (s1 + s * s2)
        y = b * radial + p1 * (s + 2 * b * b) + 2 * p2 * a * b + s * (s3 + s * s4)
        if not tilt[2][0] * x + tilt[2][1] * y + tilt[2][2] > 0:
            return False
    return True


def _tilt_matrix(tau_x: float, tau_y: float) -> list[list[float]]:
    """[3, 3] OpenCV's projection onto a sensor that is turned by these angles in radians about x and then y."""
    cx, sx, cy, sy = math.cos(tau_x), math.sin(tau_x), math.cos(tau_y), math.sin(tau_y)
    # R = R_y R_x
    r = [[cy, sy * sx, -sy * cx], [0.0, cx, sx], [sy, -cy * sx, cy * cx]]
    r02, r12, r22 = r[0][2], r[1][2], r[2][2]
    return [
        [r22 * r[0][i] - r02 * r[2][i] for i in range(3)],
        [r22 * r[1][i] - r12 * r[2][i] for i in range(3)],
        r[2],
    ]


def project(
    points_xyz: NDArray[np.floating], camera: CameraView
) -> tuple[FloatArray, FloatArray, FloatArray, BoolArray]:
    """Projects points of the cloud frame into the image.

    points_xyz: [N, 3] metres. Returns u, v (pixels, integer = pixel centre) and depth along the optical
    axis (metres), float64 [N] each, and a mask [N] of the points in front of the camera, within the valid
    radius and inside the image; u and v mean nothing elsewhere.
    """
    x, y, z = (points_xyz[:, axis].astype(np.float64) for axis in range(3))
    m = camera.lidar_to_camera
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        camera_x = m[0, 0] * x + m[0, 1] * y + m[0, 2] * z + m[0, 3]
        camera_y = m[1, 0] * x + m[1, 1] * y + m[1, 2] * z + m[1, 3]
        depth = m[2, 0] * x + m[2, 1] * y + m[2, 2] * z + m[2, 3]
        front = depth > NEAR
        a = camera_x / depth
        b = camera_y / depth
        a, b, within = _distort(a, b, camera)
        u = camera.k[0, 0] * a + camera.k[0, 1] * b + camera.k[0, 2]
        v = camera.k[1, 1] * b + camera.k[1, 2]
        inside = (u >= -0.5) & (u < camera.width - 0.5) & (v >= -0.5) & (v < camera.height - 0.5)
    return u, v, depth, front & within & inside


def _distort(a: FloatArray, b: FloatArray, camera: CameraView) -> tuple[FloatArray, FloatArray, BoolArray]:
    """OpenCV's calib3d distortion of normalised coordinates, and where it is within the valid radius."""
    radius = valid_radius(camera.model, camera.d)
    s = a * a + b * b
    if camera.model == "equidistant":
        k1, k2, k3, k4 = camera.d
        r = np.sqrt(s)
        theta = np.arctan(r)
        t = theta * theta
        distorted = theta * (1 + t * (k1 + t * (k2 + t * (k3 + t * k4))))
        scale = np.where(r > 1e-8, distorted / r, 1.0)
        return a * scale, b * scale, theta <= radius
    if not any(camera.d):
        return a, b, np.ones(a.shape, dtype=np.bool_)
    k1, k2, p1, p2, k3, k4, k5, k6 = (*camera.d, *([0.0] * (8 - len(camera.d))))[:8]
    radial = (1 + s * (k1 + s * (k2 + s * k3))) / (1 + s * (k4 + s * (k5 + s * k6)))
    distorted_a = a * radial + 2 * p1 * a * b + p2 * (s + 2 * a * a)
    distorted_b = b * radial + p1 * (s + 2 * b * b) + 2 * p2 * a * b
    within = s <= radius * radius
    if camera.model != "thin_prism":
        return distorted_a, distorted_b, within
    s1, s2, s3, s4, tau_x, tau_y = camera.d[8:]
    m = _tilt_matrix(tau_x, tau_y)
    x = distorted_a + s * (s1 + s * s2)
    y = distorted_b + s * (s3 + s * s4)
    w = m[2][0] * x + m[2][1] * y + m[2][2]
    tilted_a = (m[0][0] * x + m[0][1] * y + m[0][2]) / w
    tilted_b = (m[1][0] * x + m[1][1] * y + m[1][2]) / w
    return tilted_a, tilted_b, within & (w > 0)


def unoccluded(u: FloatArray, v: FloatArray, depth: FloatArray, visible: BoolArray, camera: CameraView) -> BoolArray:
    """Which of the visible points no nearer points surround; [N], False where not visible.

    The four quadrants around a point's cell exclude that cell: above (own column and left of it), right
    (own row and above it), below (own column and right of it), left (own row and below it). A surface that
    slants away always leaves one of them without nearer points, so it never hides itself; a point seen
    through a gap in a nearer surface has nearer points in all four.
    """
    cell = max(1.0, camera.k[0, 0] * CELL_ANGLE)
    columns = int(np.ceil(camera.width / cell))
    rows = int(np.ceil(camera.height / cell))
    index = np.flatnonzero(visible)
    column = np.minimum(np.floor((u[index] + 0.5) / cell).astype(np.int64), columns - 1) + WINDOW
    row = np.minimum(np.floor((v[index] + 0.5) / cell).astype(np.int64), rows - 1) + WINDOW
    nearest = np.full((rows + 2 * WINDOW, columns + 2 * WINDOW), np.inf)
    np.minimum.at(nearest, (row, column), depth[index])

    def minimum(row_offsets: range, column_offsets: range) -> FloatArray:
        result = np.full(index.shape, np.inf)
        for row_offset in row_offsets:
            for column_offset in column_offsets:
                np.minimum(result, nearest[row + row_offset, column + column_offset], out=result)
        return result

    before, upto = range(-WINDOW, 0), range(-WINDOW, 1)
    after, since = range(1, WINDOW + 1), range(WINDOW + 1)
    surrounded = np.maximum(
        np.maximum(minimum(before, upto), minimum(upto, after)),
        np.maximum(minimum(after, since), minimum(since, before)),
    )
    result = np.zeros(visible.shape, dtype=np.bool_)
    result[index] = depth[index] <= surrounded * (1 + RELATIVE_TOLERANCE) + ABSOLUTE_TOLERANCE
    return result


def assign_patches(
    points_xyz: NDArray[np.floating],
    representative: NDArray[np.integer],
    cameras: Sequence[CameraView],
    encoder: PatchGrid,
    sampling: Sampling,
    occlusion: bool,
) -> tuple[NDArray[np.int32], NDArray[np.float32], float]:
    """The graph inputs ``voxel_patch`` and ``voxel_patch_weight``.

    points_xyz: [N, 3] metres, cloud frame; representative: [V] the point of each voxel. Cameras in the
    order of the images given to the encoder. Returns int32 [V, J] and float32 [V, J], J = 1 for "nearest"
    and 4 for "bilinear", and the share of voxels that a camera sees (0 without voxels).
    """
    voxels = len(representative)
    patch = np.zeros((voxels, 1 if sampling == "nearest" else 4), dtype=np.int32)
    weight = np.zeros(patch.shape, dtype=np.float32)
    for slot, chosen, u, v in _best_views(points_xyz, representative, cameras, occlusion):
        patch[chosen], weight[chosen] = _sample(u, v, slot, cameras[slot], encoder, sampling)
    seen = float(np.count_nonzero(weight.max(axis=1)) / voxels) if voxels else 0.0
    return patch, weight, seen


def assign_pixels(
    points_xyz: NDArray[np.floating], cameras: Sequence[CameraView], occlusion: bool
) -> tuple[IntArray, IntArray, IntArray]:
    """Camera (-1 where none sees the point), row and column of the pixel that each point takes, int64 [N] each.

    The camera is the one of ``assign_patches``.
    """
    points = len(points_xyz)
    camera, row, column = np.full(points, -1), np.zeros(points, np.int64), np.zeros(points, np.int64)
    for slot, chosen, u, v in _best_views(points_xyz, np.arange(points), cameras, occlusion):
        camera[chosen] = slot
        row[chosen] = np.clip(np.floor(v + 0.5), 0, cameras[slot].height - 1)
        column[chosen] = np.clip(np.floor(u + 0.5), 0, cameras[slot].width - 1)
    return camera, row, column


def visible_pixels(
    points_xyz: NDArray[np.floating], camera: CameraView, occlusion: bool
) -> tuple[IntArray, IntArray, IntArray, FloatArray]:
    """The n points that a camera sees, the row and column of the pixel of each, int64 [n], and the square of its
    distance from the image's centre, float64 [n], as a share of the image's size: of several cameras
    ``assign_pixels`` takes the one in which it is smallest."""
    u, v, depth, visible = project(points_xyz, camera)
    if occlusion:
        visible = unoccluded(u, v, depth, visible, camera)
    points = np.flatnonzero(visible)
    u, v = u[points], v[points]
    row = np.clip(np.floor(v + 0.5), 0, camera.height - 1).astype(np.int64)
    column = np.clip(np.floor(u + 0.5), 0, camera.width - 1).astype(np.int64)
    return points, row, column, _from_center(u, v, camera)


def _from_center(u: FloatArray, v: FloatArray, camera: CameraView) -> FloatArray:
    offset_x = (u - (camera.width - 1) / 2) / camera.width
    offset_y = (v - (camera.height - 1) / 2) / camera.height
    return offset_x * offset_x + offset_y * offset_y


def _best_views(
    points_xyz: NDArray[np.floating],
    representative: NDArray[np.integer],
    cameras: Sequence[CameraView],
    occlusion: bool,
) -> Iterator[tuple[int, IntArray, FloatArray, FloatArray]]:
    """Camera, the voxels that it sees nearer to its image's centre than the cameras before it, and their u and v."""
    best = np.full(len(representative), np.inf)
    for slot, camera in enumerate(cameras):
        u, v, depth, visible = project(points_xyz, camera)
        if occlusion:
            visible = unoccluded(u, v, depth, visible, camera)
        distance = _from_center(u[representative], v[representative], camera)
        with np.errstate(invalid="ignore"):
            chosen = np.flatnonzero(visible[representative] & (distance < best))
        best[chosen] = distance[chosen]
        points = representative[chosen]
        yield slot, chosen, u[points], v[points]


def _sample(
    u: FloatArray, v: FloatArray, slot: int, camera: CameraView, encoder: PatchGrid, sampling: Sampling
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    scale_x, scale_y, offset_x, offset_y = encoder.image_to_input(camera.width, camera.height)
    x = (scale_x * u + offset_x + 0.5) / encoder.patch_size
    y = (scale_y * v + offset_y + 0.5) / encoder.patch_size
    base = slot * encoder.rows * encoder.columns

    def index(row: IntArray, column: IntArray) -> IntArray:
        row = np.clip(row, 0, encoder.rows - 1)
        return base + row * encoder.columns + np.clip(column, 0, encoder.columns - 1)

    if sampling == "nearest":
        patch = index(np.floor(y).astype(np.int64), np.floor(x).astype(np.int64))
        return patch[:, None].astype(np.int32), np.ones((len(u), 1), dtype=np.float32)
    left = np.floor(x - 0.5)
    top = np.floor(y - 0.5)
    right_weight = x - 0.5 - left
    bottom_weight = y - 0.5 - top
    column, row = left.astype(np.int64), top.astype(np.int64)
    patches = (index(row, column), index(row, column + 1), index(row + 1, column), index(row + 1, column + 1))
    weights = (
        (1 - bottom_weight) * (1 - right_weight),
        (1 - bottom_weight) * right_weight,
        bottom_weight * (1 - right_weight),
        bottom_weight * right_weight,
    )
    return np.stack(patches, axis=1).astype(np.int32), np.stack(weights, axis=1).astype(np.float32)
