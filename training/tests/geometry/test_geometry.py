"""Geometry tables against brute force over dictionaries and against their defining properties."""

import itertools

import numpy as np
import numpy.typing as npt
import pytest

from ditr_train.geometry.scan_geometry import (
    GeometryConfig,
    Order,
    ScanGeometry,
    StageConfig,
    build_scan_geometry,
    hilbert_code,
    kernel_neighbors,
    patches,
    z_order_code,
)

ORDERS: tuple[Order, ...] = ("z", "z-trans", "hilbert", "hilbert-trans")


def config(grid_size: float = 0.1, patch_size: int = 16, stem: int = 5, reach: float = 100) -> GeometryConfig:
    """Three stages with every table inside a cube of the given reach."""
    return GeometryConfig(
        grid_size=grid_size,
        point_range=(-reach, -reach, -reach, reach, reach, reach),
        orders=ORDERS,
        stem_kernel_size=5 if stem == 5 else 3,
        stages=[StageConfig(convolution=True, patch_size=patch_size)] * 3,
    )


def cloud(seed: int, count: int) -> npt.NDArray[np.float32]:
    """Points [count, 3] around the origin, thin in z."""
    return (np.random.default_rng(seed).normal(size=(count, 3)) * [3, 3, 0.5]).astype(np.float32)


def whole_cube(depth: int) -> npt.NDArray[np.int32]:
    """Every grid coordinate below 2**depth."""
    return np.indices((1 << depth,) * 3, np.int32).reshape(3, -1).T


def brute_force_neighbors(coordinates: npt.NDArray[np.int32], radius: int) -> npt.NDArray[np.int32]:
    """Neighbour table by dictionary lookups."""
    row = {tuple(c): i for i, c in enumerate(coordinates.tolist())}
    offsets = list(itertools.product(range(-radius, radius + 1), repeat=3))
    return np.array(
        [[row.get((x + dx, y + dy, z + dz), len(row)) for dx, dy, dz in offsets] for x, y, z in coordinates.tolist()],
        np.int32,
    )


def test_z_order_code_interleaves_x_y_z_from_the_most_significant() -> None:
    """The three unit vectors and the largest coordinate have the codes of the definition."""
    coordinates = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [0xFFFF] * 3, [2, 0, 1]], np.int32)
    assert z_order_code(coordinates).tolist() == [4, 2, 1, (1 << 48) - 1, 33]


@pytest.mark.parametrize("depth", [1, 2, 3, 4, 5])
def test_hilbert_code_visits_every_cell_once_and_only_steps_to_a_neighbor(depth: int) -> None:
    """The code is a bijection, and consecutive cells share a face."""
    cube = whole_cube(depth)
    codes = hilbert_code(cube, depth)
    assert np.array_equal(np.sort(codes), np.arange(8**depth))
    assert np.array_equal(np.sort(z_order_code(cube)), np.arange(8**depth))
    steps = np.abs(np.diff(cube[np.argsort(codes)], axis=0)).sum(axis=1)
    assert (steps == 1).all()


def test_hilbert_code_of_a_coarser_grid_is_the_prefix() -> None:
    """`code >> 3` of a stage is the Hilbert code of the next."""
    coordinates = np.random.default_rng(1).integers(0, 1 << 16, (1000, 3))
    assert np.array_equal(hilbert_code(coordinates, 16) >> 9, hilbert_code(coordinates >> 3, 13))


@pytest.mark.parametrize("kernel_size", [3, 5])
def test_kernel_neighbors_equal_brute_force(kernel_size: int) -> None:
    """Also at the far corner of the largest grid."""
    rng = np.random.default_rng(2)
    for origin in (0, (1 << 16) - 9):
        coordinates = (np.unique(rng.integers(0, 9, (200, 3)), axis=0) + origin).astype(np.int32)
        coordinates = rng.permutation(coordinates)
        table = kernel_neighbors(coordinates, 5 if kernel_size == 5 else 3)
        assert np.array_equal(table, brute_force_neighbors(coordinates, kernel_size // 2))


def test_patches_borrow_the_missing_slots_from_the_patch_before() -> None:
    """Seven voxels in patches of three: the last patch has one of its own and two borrowed at its end."""
    codes = np.array([[6, 5, 4, 3, 2, 1, 0]], np.int64)
    order, inverse = patches(codes, 3)
    assert order.tolist() == [[[6, 5, 4], [3, 2, 1], [0, 2, 1]]]
    assert inverse.tolist() == [[6, 5, 4, 3, 2, 1, 0]]


@pytest.mark.parametrize(
    ("count", "patch_size", "shape"), [(5, 8, (1, 5)), (8, 8, (1, 8)), (9, 8, (2, 8)), (16, 8, (2, 8))]
)
def test_patches_have_the_shape_of_the_contract(count: int, patch_size: int, shape: tuple[int, int]) -> None:
    """One patch of V when V is not larger than K, full patches otherwise."""
    order, inverse = patches(np.random.default_rng(3).permutation(count)[None].astype(np.int64), patch_size)
    assert order.shape == (1, *shape)
    assert np.array_equal(order.reshape(-1)[inverse[0]], np.arange(count))


def check_consistency(xyz: npt.NDArray[np.float32], scan: ScanGeometry) -> None:
    """What has to hold for every scan."""
    first = scan.stages[0]
    inside = np.flatnonzero(scan.point_to_voxel >= 0)
    assert len(scan.point_to_voxel) == len(xyz)
    assert np.array_equal(scan.point_to_voxel[scan.representative], np.arange(first.voxel_count))
    for voxel in range(first.voxel_count):
        assert scan.representative[voxel] == inside[scan.point_to_voxel[inside] == voxel][0]
    for stage, following in itertools.pairwise(scan.stages):
        assert stage.parent is not None
        assert stage.children is not None
        assert np.array_equal(stage.coordinates >> 1, following.coordinates[stage.parent])
        octant = (stage.coordinates & 1) @ [4, 2, 1]
        assert np.array_equal(stage.children[stage.parent, octant], np.arange(stage.voxel_count))
        assert (stage.children < stage.voxel_count).sum() == stage.voxel_count
    for stage in scan.stages:
        assert (np.diff(z_order_code(stage.coordinates)) > 0).all()
        assert stage.neighbors is not None
        assert np.array_equal(stage.neighbors, brute_force_neighbors(stage.coordinates, 1))
        assert stage.order is not None
        assert stage.inverse is not None
        for order, inverse in zip(stage.order, stage.inverse, strict=True):
            assert np.array_equal(order.reshape(-1)[inverse], np.arange(stage.voxel_count))


def test_every_table_of_a_scan_is_consistent() -> None:
    """A cloud with points outside the range and not finite."""
    xyz = cloud(4, 600)
    xyz[::50] = np.nan
    xyz[1, 0] = np.inf
    xyz[2, 2] = 1000
    scan = build_scan_geometry(xyz, config())
    assert scan.point_to_voxel[[0, 1, 2]].tolist() == [-1, -1, -1]
    check_consistency(xyz, scan)
    assert scan.stem_neighbors is not None
    assert np.array_equal(scan.stem_neighbors, brute_force_neighbors(scan.stages[0].coordinates, 2))


def test_range_is_inclusive_below_and_exclusive_above() -> None:
    """The minimum takes part, the maximum does not."""
    xyz = np.array([[-1, 0, 0], [1, 0, 0], [0, 0, 0]], np.float32)
    scan = build_scan_geometry(xyz, config(reach=1))
    assert scan.point_to_voxel.tolist() == [0, -1, 1]


@pytest.mark.parametrize("xyz", [np.zeros((0, 3), np.float32), np.full((5, 3), np.nan, np.float32)])
def test_no_voxels(xyz: npt.NDArray[np.float32]) -> None:
    """Without points every table is empty and keeps its rank."""
    scan = build_scan_geometry(xyz, config())
    assert scan.point_to_voxel.tolist() == [-1] * len(xyz)
    for stage in scan.stages:
        assert stage.coordinates.shape == (0, 3)
        assert stage.neighbors is not None
        assert stage.neighbors.shape == (0, 27)
        assert stage.order is not None
        assert stage.order.shape == (4, 1, 0)


def test_one_voxel() -> None:
    """Two points in one voxel."""
    xyz = np.array([[1, 2, 3], [1.01, 2, 3]], np.float32)
    scan = build_scan_geometry(xyz, config())
    assert scan.point_to_voxel.tolist() == [0, 0]
    assert scan.representative.tolist() == [0]
    check_consistency(xyz, scan)


def test_tables_that_no_stage_needs_are_absent() -> None:
    """The 3x3x3 stem asks for the neighbours of stage 0, the rest is off."""
    nothing = StageConfig(convolution=False, patch_size=0)
    scan = build_scan_geometry(
        cloud(5, 50),
        GeometryConfig(0.1, (-9, -9, -9, 9, 9, 9), ORDERS, 3, [nothing, nothing]),
    )
    assert scan.stem_neighbors is None
    assert scan.stages[0].neighbors is not None
    assert scan.stages[1].neighbors is None
    assert scan.stages[0].order is None
    assert scan.stages[1].parent is None


def test_a_scan_wider_than_65536_voxels_is_refused() -> None:
    """65536 voxels fit, one more does not."""
    xyz = np.array([[0, 0, 0], [65535.5, 0, 0]], np.float32)
    assert build_scan_geometry(xyz, config(grid_size=1, reach=1e6)).stages[0].coordinates.max() == 65535
    xyz[1, 0] = 65536
    with pytest.raises(ValueError, match="span 65537 voxels of 1 m"):
        build_scan_geometry(xyz, config(grid_size=1, reach=1e6))


def test_bad_configuration_names_the_field() -> None:
    """Each message has the field and the value."""
    with pytest.raises(ValueError, match="grid_size is -1"):
        config(grid_size=-1)
    with pytest.raises(ValueError, match="point_range is"):
        config(reach=-1)
