"""The boxes of SUN RGB-D and ScanNet, on files of their published layouts."""

import json

import numpy as np
import pytest
import scipy.io
from indoor_layouts import SUN_RGBD_PLACES, write_sun_rgbd
from published_layouts import write_scannet

from ditr_train.data.errors import DataError
from ditr_train.data.scannet import SCANNET, ScanNet
from ditr_train.data.scannet_boxes import scene_boxes
from ditr_train.data.sun_rgbd import SunRgbd
from ditr_train.geometry.boxes import box_corners

BOX_FIELDS = ["basis", "coeffs", "centroid", "classname", "orientation"]


def write_boxes(folder, boxes_of_places) -> None:
    """Boxes in the SUNRGBDMeta that write_sun_rgbd wrote."""
    path = folder / "SUNRGBDtoolbox" / "Metadata" / "SUNRGBDMeta.mat"
    meta = scipy.io.loadmat(path)["SUNRGBDMeta"][0]
    rows = []
    for entry, boxes in zip(meta, boxes_of_places, strict=True):
        found = np.array([tuple(box[name] for name in BOX_FIELDS) for box in boxes], [(n, object) for n in BOX_FIELDS])
        rows.append((*entry.tolist(), found[None] if boxes else np.zeros((0, 0))))
    types = [(name, object) for name in (*meta.dtype.names, "groundtruth3DBB")]
    scipy.io.savemat(path, {"SUNRGBDMeta": np.array(rows, types)[None]})


def sun_box(yaw: float, *, length_first: bool, name: str) -> dict:
    along, across = [np.cos(yaw), np.sin(yaw), 0], [-np.sin(yaw), np.cos(yaw), 0]
    basis, half = ([along, across], [1.5, 0.4]) if length_first else ([across, along], [0.4, 1.5])
    return {
        "basis": np.array([*basis, [0, 0, 1]], float),
        "coeffs": np.array([[*half, 0.7]]),
        "centroid": np.array([[0.5, 3.0, -0.2]]),
        "classname": name,
        "orientation": np.array([[np.cos(yaw + 0.1), np.sin(yaw + 0.1), 0]]),
    }


def test_sun_rgbd_boxes_have_their_length_where_they_point(tmp_path):
    write_sun_rgbd(tmp_path)
    chair, bed = sun_box(0.7, length_first=True, name="chair"), sun_box(-2.5, length_first=False, name="night_stand")
    write_boxes(tmp_path, [[chair, bed], [bed], []])
    dataset = SunRgbd(tmp_path, "train")
    found = dataset.frame(0, ["x", "y", "z"], "label", images=False, boxes=True).boxes
    assert found.names == ("chair", "night_stand")
    expected = [[0.5, 3, -0.2, 3, 0.8, 1.4, 0.7], [0.5, 3, -0.2, 3, 0.8, 1.4, -2.5]]
    np.testing.assert_allclose(found.boxes, expected, atol=1e-9)
    np.testing.assert_allclose(dataset.boxes(1).boxes, expected[1:], atol=1e-9)
    assert len(SUN_RGBD_PLACES) == 3 and SunRgbd(tmp_path, "test").boxes(0).boxes.shape == (0, 7)


def test_sun_rgbd_without_boxes_has_none_and_malformed_ones_are_named(tmp_path):
    write_sun_rgbd(tmp_path)
    assert SunRgbd(tmp_path, "train").boxes(0).names == ()
    broken = sun_box(0.0, length_first=True, name="chair") | {"basis": np.eye(2)}
    write_boxes(tmp_path, [[broken], [], []])
    with pytest.raises(DataError, match=r"SUNRGBDMeta\.mat: entry 1 of SUNRGBDMeta"):
        SunRgbd(tmp_path, "train")


def write_scene(scene, segments, groups, alignment=None) -> None:
    scene.mkdir(exist_ok=True, parents=True)
    (scene / f"{scene.name}_vh_clean_2.0.010000.segs.json").write_text(json.dumps({"segIndices": segments}))
    (scene / f"{scene.name}.aggregation.json").write_text(json.dumps({"segGroups": groups}))
    if alignment is not None:
        values = " ".join(map(str, alignment.ravel()))
        (scene / f"{scene.name}.txt").write_text(f"appVersion = 1\naxisAlignment = {values} \nnumFrames = 7\n")


def test_scannet_boxes_lie_along_the_axes_of_the_room(tmp_path, rng):
    xyz = rng.uniform(-3, 3, (60, 3))
    segments = rng.integers(0, 5, 60) * 11
    # Segments 0 and 11 are one chair with some vertices of other labels, 22 a wall, 33 of no class, 44 no object.
    ids = np.select([segments <= 11, segments == 22], [5, 1], 0)
    ids[np.flatnonzero(segments == 0)[:3]] = 7
    groups = [{"label": "a", "segments": [11, 0]}, {"label": "b", "segments": [22]}, {"label": "c", "segments": [33]}]
    turn = 0.6
    alignment = np.eye(4)
    alignment[:2, :2] = [[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]
    alignment[:3, 3] = [1.0, -2.0, 0.3]
    write_scene(tmp_path / "scene0000_00", segments.tolist(), groups, alignment)
    found = scene_boxes(tmp_path / "scene0000_00", xyz, ids, SCANNET.classes)
    assert found.names == ("chair",)
    # As VoteNet: turned, and then least and largest coordinates.
    aligned = (np.c_[xyz, np.ones(60)] @ alignment.T)[segments <= 11, :3]
    corners = box_corners(found.boxes)[0]
    turned = (np.c_[corners, np.ones(8)] @ alignment.T)[:, :3]
    np.testing.assert_allclose(turned.min(axis=0), aligned.min(axis=0), atol=1e-9)
    np.testing.assert_allclose(turned.max(axis=0), aligned.max(axis=0), atol=1e-9)


def test_scannet_scenes_have_boxes_where_there_are_objects(tmp_path):
    write_scannet(tmp_path, ["scene0000_00"])
    dataset = ScanNet(tmp_path, "train")
    assert not dataset.has_boxes(0) and dataset.boxes(0) is None
    vertices = len(dataset.points(0)["x"])
    write_scene(tmp_path / "scans" / "scene0000_00", [1] * vertices, [])
    assert dataset.has_boxes(0) and dataset.boxes(0).names == ()
    write_scene(tmp_path / "scans" / "scene0000_00", [1], [])
    with pytest.raises(DataError, match=r"segs\.json: 1 segIndices for the .* vertices"):
        dataset.boxes(0)
