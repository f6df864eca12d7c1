"""The projection contract: against OpenCV, and on scenes whose answer is known."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from ditr_train.geometry.projection import (
    CameraView,
    DistortionModel,
    PatchGrid,
    assign_patches,
    project,
    unoccluded,
    valid_radius,
)

K = np.array([[700.0, 0.0, 620.0], [0.0, 710.0, 190.0], [0.0, 0.0, 1.0]])
WIDTH, HEIGHT = 1242, 375


def camera(
    d: tuple[float, ...] = (),
    model: DistortionModel = "none",
    lidar_to_camera: NDArray[np.float64] | None = None,
    k: NDArray[np.float64] = K,
) -> CameraView:
    pose = np.eye(4) if lidar_to_camera is None else lidar_to_camera
    return CameraView(k, d, model, WIDTH, HEIGHT, pose)


def grid(resize: str = "stretch") -> PatchGrid:
    return PatchGrid(448, 140, 14, "stretch" if resize == "stretch" else "letterbox")


@pytest.mark.parametrize(
    ("model", "d"),
    [
        ("none", ()),
        ("plumb_bob", (-0.37, 0.2, 0.001, -0.0005, -0.06)),
        ("rational_polynomial", (0.5, 0.1, 0.001, 0.0002, 0.02, 0.9, 0.2, 0.03)),
        (
            "thin_prism",
            (0.3, 0.1, 0.001, 0.0002, 0.02, 0.6, 0.2, 0.03, 0.002, -0.001, 0.0015, 0.0005, 0.03, -0.02),
        ),
        ("equidistant", (-0.02, 0.005, -0.003, 0.0006)),
    ],
)
def test_projection_equals_opencv(model: DistortionModel, d: tuple[float, ...]) -> None:
    random = np.random.default_rng(3)
    points = random.uniform((-30, -10, 1), (30, 10, 40), (5000, 3))
    rotation = np.array([0.1, -0.2, 0.05])
    translation = np.array([0.3, -0.1, 0.2])
    pose = np.eye(4)
    pose[:3, :3] = cv2.Rodrigues(rotation)[0]
    pose[:3, 3] = translation
    u, v, _, visible = project(points, camera(d, model, pose))
    if model == "equidistant":
        expected, _ = cv2.fisheye.projectPoints(
            points[:, None], rotation[:, None], translation[:, None], K, np.array(d)
        )
    else:
        expected, _ = cv2.projectPoints(points, rotation, translation, K, np.array(d))
    expected = expected.reshape(-1, 2)
    assert np.count_nonzero(visible) > 500
    np.testing.assert_allclose(np.stack([u, v], axis=1)[visible], expected[visible], atol=1e-6)


def test_nothing_folds_back_into_the_image() -> None:
    d = (-0.3, 0.0, 0.0, 0.0)
    # r - 0.3 r^3 stops to grow where 1 = 0.9 r^2.
    assert valid_radius("plumb_bob", d) == pytest.approx(0.9**-0.5, abs=1e-12)
    u, _, _, visible = project(np.array([[1.5, 0.0, 1.0], [0.6, 0.0, 1.0]]), camera(d, "plumb_bob"))
    assert 0 <= u[0] < WIDTH, "the folded pixel is inside the image, so only the radius can refuse it"
    assert visible.tolist() == [False, True]


def test_a_thin_prism_and_a_tilted_sensor_do_not_fold_back_either() -> None:
    prism = (*(0.0,) * 8, -0.4, *(0.0,) * 5)
    # Along a, a - 0.4 a^2 stops to grow at 1.25.
    assert valid_radius("thin_prism", prism) == pytest.approx(1.25, abs=1e-9)
    tilted = (*(0.0,) * 13, 0.8)
    assert valid_radius("thin_prism", tilted) == pytest.approx(1 / np.tan(0.8), abs=1e-3)
    rays = np.array([[0.9, 0.0, 1.0], [-0.9, 0.0, 1.0], [1.5, 0.0, 1.0], [-1.5, 0.0, 1.0]])
    k = np.array([[700.0, 0.0, 5e8], [0.0, 710.0, 190.0], [0.0, 0.0, 1.0]])
    wide = CameraView(k, tilted, "thin_prism", 10**9, HEIGHT, np.eye(4))
    assert project(rays, wide)[3].tolist() == [True, True, False, False]


def test_the_image_reaches_half_a_pixel_beyond_the_outer_pixel_centres() -> None:
    pixels = np.array([[-0.5, 100.0], [-0.51, 100.0], [WIDTH - 0.51, 100.0], [WIDTH - 0.5, 100.0]])
    rays = np.concatenate([(pixels - K[:2, 2]) / [K[0, 0], K[1, 1]], np.ones((4, 1))], axis=1)
    assert project(rays, camera())[3].tolist() == [True, False, True, False]


def test_bad_points_are_seen_by_no_camera() -> None:
    points = np.array([[np.nan, 0, 5], [0, 0, np.inf], [0, 0, -5], [0, 0, 0], [0, 0, 0.05]], dtype=np.float32)
    patch, weight, seen = assign_patches(points, np.arange(5), [camera()], grid(), "bilinear", True)
    assert seen == 0 and not patch.any() and not weight.any()


def lattice(x: tuple[float, float], y: tuple[float, float], depth: float, step: float) -> NDArray[np.float64]:
    a, b = np.meshgrid(np.arange(*x, step), np.arange(*y, step))
    return np.stack([a.ravel(), b.ravel(), np.full(a.size, depth)], axis=1)


def test_points_behind_a_near_object_are_occluded_and_those_beside_it_are_not() -> None:
    near = lattice((-1, 1), (-1, 1), 5.0, 0.05)
    far = lattice((-20, 20), (-5, 5), 30.0, 0.23)
    points = np.concatenate([near, far])
    view = camera()
    u, v, depth, visible = project(points, view)
    kept = unoccluded(u, v, depth, visible, view)
    assert kept[: len(near)].sum() == visible[: len(near)].sum()
    behind = (np.abs(far[:, :2]) < 5.4).all(axis=1)
    beside = (np.abs(far[:, :2]) > 6.3).any(axis=1)
    assert not kept[len(near) :][behind].any()
    assert (kept == visible)[len(near) :][beside].all()


def test_the_ground_never_hides_itself() -> None:
    elevation = np.deg2rad(np.arange(-1.0, -25.0, -0.4))
    azimuth = np.deg2rad(np.arange(-45.0, 45.0, 0.2))
    height = 1.73
    distance = height / np.tan(-elevation)[:, None]
    ground = np.stack(
        [
            distance * np.sin(azimuth),
            np.full((len(elevation), len(azimuth)), height),
            distance * np.cos(azimuth),
        ],
        axis=-1,
    ).reshape(-1, 3)
    view = camera()
    u, v, depth, visible = project(ground, view)
    assert visible.sum() > 5000
    assert (unoccluded(u, v, depth, visible, view) == visible).all()


def test_of_several_cameras_the_one_nearest_its_centre_wins_and_ties_go_to_the_first() -> None:
    aside = np.eye(4)
    aside[0, 3] = 2.0
    point = np.array([[0.0, 0.0, 10.0]], dtype=np.float32)
    patches = grid().rows * grid().columns
    for cameras, winner in (
        ([camera(lidar_to_camera=aside), camera()], 1),
        ([camera(), camera(lidar_to_camera=aside)], 0),
        ([camera(), camera()], 0),
    ):
        patch, weight, seen = assign_patches(point, np.array([0]), cameras, grid(), "nearest", False)
        assert patch[0, 0] // patches == winner and weight[0, 0] == 1 and seen == 1


@pytest.mark.parametrize("resize", ["stretch", "letterbox"])
def test_patches_are_where_resizing_puts_the_pixels(resize: str) -> None:
    """An image whose pixels hold their own position is resized by OpenCV and read at the affine's answer."""
    encoder = grid(resize)
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    left, top, width, height = encoder.placement(WIDTH, HEIGHT)
    resized = [cv2.resize(channel, (width, height), interpolation=cv2.INTER_LINEAR) for channel in (columns, rows)]
    scale_x, scale_y, offset_x, offset_y = encoder.image_to_input(WIDTH, HEIGHT)
    input_x, input_y = np.meshgrid(np.arange(10, width - 10), np.arange(10, height - 10))
    image_u = (input_x + left - offset_x) / scale_x
    image_v = (input_y + top - offset_y) / scale_y
    inner = (slice(10, height - 10), slice(10, width - 10))
    np.testing.assert_allclose(resized[0][inner], image_u, atol=1e-3)
    np.testing.assert_allclose(resized[1][inner], image_v, atol=1e-3)


def test_bilinear_weights_sum_to_one_and_reproduce_the_position() -> None:
    random = np.random.default_rng(5)
    points = random.uniform((-8, -2, 6), (8, 2, 12), (2000, 3)).astype(np.float32)
    encoder = grid("letterbox")
    view = camera()
    patch, weight, _ = assign_patches(points, np.arange(2000), [view], encoder, "bilinear", False)
    u, _, _, visible = project(points, view)
    np.testing.assert_allclose(weight.sum(axis=1), visible.astype(np.float32), atol=1e-6)
    scale_x, _, offset_x, _ = encoder.image_to_input(WIDTH, HEIGHT)
    expected = (scale_x * u + offset_x + 0.5) / 14 - 0.5
    inner = visible & (expected > 0) & (expected < encoder.columns - 1)
    found = (patch % encoder.columns * weight).sum(axis=1)
    np.testing.assert_allclose(found[inner], expected[inner], atol=1e-5)


def test_no_voxels_and_no_cameras() -> None:
    none = np.zeros((0, 3), dtype=np.float32)
    patch, weight, seen = assign_patches(none, np.zeros(0, dtype=np.int64), [camera()], grid(), "nearest", True)
    assert patch.shape == (0, 1) and weight.shape == (0, 1) and seen == 0
    points = np.ones((3, 3), dtype=np.float32)
    patch, weight, seen = assign_patches(points, np.arange(3), [], grid(), "bilinear", True)
    assert patch.shape == (3, 4) and not weight.any() and seen == 0
