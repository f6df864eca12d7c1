"""Points outside the range, where they are moved to its faces."""

import numpy as np
import pytest
from conftest import make_config, replace
from numbered_scans import make_scan

from ditr_train.config.backbone_config import InputFeature
from ditr_train.export.bundle import describe_backbone
from ditr_train.geometry.graph_inputs import voxelize_scan
from ditr_train.methods.scan_selection import scans_with_images


@pytest.fixture
def backbone():
    return replace(make_config().backbone, point_range=(-35.2, -35.2, -4.0, 35.2, 35.2, 2.0))


def test_a_clamped_scan_is_the_scan_of_clamped_points(backbone, rng):
    xyz = rng.uniform([-90, -60, -8], [90, 60, 8], (3000, 3)).astype(np.float32)
    xyz[0], xyz[1], xyz[2] = np.nan, (0, np.inf, 0), (1e30, -35.2, 2)
    cloud = dict(zip("xyz", xyz.T, strict=True)) | {"intensity": np.arange(3000, dtype=np.float32)}
    clip = np.clip(xyz[2:], np.float32(backbone.point_range[:3]), np.float32(backbone.point_range[3:]))
    clipped = dict(zip("xyz", clip.T, strict=True)) | {"intensity": cloud["intensity"][2:]}
    wide = replace(backbone, point_range=(-36.0, -36.0, -5.0, 36.0, 36.0, 5.0))
    wanted, found = voxelize_scan(clipped, wide), voxelize_scan(cloud, replace(backbone, clamp=True))
    assert (found.point_to_voxel[:2] == -1).all()
    np.testing.assert_array_equal(found.point_to_voxel[2:], wanted.point_to_voxel)
    np.testing.assert_array_equal(found.representative, wanted.representative + 2)
    for name, values in wanted.inputs.items():
        np.testing.assert_array_equal(found.inputs[name], values, err_msg=name)
    assert np.abs(found.inputs["feat"][:, :3]).max() == np.float32(35.2)
    left_out = voxelize_scan(cloud, backbone)
    assert (left_out.point_to_voxel < 0).sum() > 1500 and np.abs(left_out.inputs["feat"][:, :3]).max() < 35.2


def test_other_features_stay(backbone):
    backbone = replace(backbone, clamp=True, input_features=(InputFeature("intensity"), InputFeature("z", 1.0, 2.0)))
    cloud = {axis: np.full(1, 99, np.float32) for axis in ("x", "y", "z", "intensity")}
    np.testing.assert_array_equal(voxelize_scan(cloud, backbone).inputs["feat"], [[99, 2]])


def test_a_bundle_says_so(backbone):
    assert describe_backbone(replace(backbone, clamp=True))["clamp"] is True
    assert "clamp" not in describe_backbone(backbone)  # what other nodes read stays as it was


def test_scans_that_are_seen_far_away_can_be_learned_from(backbone, capsys):
    scan = make_scan(1, 5)
    scan = replace(scan, fields=scan.fields | {"x": np.full(5, 70, np.float32)})
    assert len(scans_with_images([scan], replace(backbone, clamp=True), "the bags")) == 1
