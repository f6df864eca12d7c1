"""The reader of nuScenes-lidarseg, on files of its published layout."""

import json
import re

import numpy as np
import pytest
from published_layouts import NUSCENES_CAMERAS, K, write_nuscenes

from ditr_train.data.errors import DataError
from ditr_train.data.nuscenes import _HELD_OUT, NUSCENES, NuScenes
from ditr_train.geometry.projection import project

FIELDS = ["x", "y", "z", "intensity", "ring", "label"]
CHALLENGE = {  # names of category.json in the order of its column `index`, of those that are not ignored
    2: 7, 3: 7, 4: 7, 6: 7, 9: 1, 12: 8, 14: 2, 15: 3, 16: 3, 17: 4, 18: 5,
    21: 6, 22: 9, 23: 10, 24: 11, 25: 12, 26: 13, 27: 14, 28: 15, 30: 16,
}  # fmt: skip


def test_points_classes_and_stamps(tmp_path):
    recorded = write_nuscenes(tmp_path, {"scene-0061": 2, "scene-0103": 3})
    dataset = NuScenes(tmp_path, "mini_val")
    assert len(dataset) == 3
    for key_frame in range(3):
        record = recorded["scene-0103", key_frame]
        frame = dataset.frame(key_frame, FIELDS, "label", images=True)
        expected = record["points"] / np.array([1, 1, 1, 255, 1], np.float32)
        np.testing.assert_array_equal(np.stack([frame.fields[name] for name in FIELDS[:5]], 1), expected)
        np.testing.assert_array_equal(frame.fields["label"], [CHALLENGE.get(raw, 0) for raw in record["raw"]])
        assert frame.stamp == record["stamp"]
        assert frame.bag.startswith("nuscenes/scene-0103/")
        assert len(frame.exposures) == 6


def test_a_point_is_seen_where_the_chain_of_transforms_leads(tmp_path):
    """LiDAR, vehicle, map, vehicle at the time of the image, camera: computed here with SciPy, vector by vector."""
    recorded = write_nuscenes(tmp_path, {"scene-0103": 2})
    dataset = NuScenes(tmp_path, "mini_val")
    for key_frame in range(2):
        record = recorded["scene-0103", key_frame]
        exposures = dict(zip(sorted(NUSCENES_CAMERAS), dataset.exposures(key_frame), strict=True))
        for channel, exposure in exposures.items():
            pixel, depth = np.array([30.0, 10.0]), 7.0
            in_camera = depth * np.linalg.solve(K, [*pixel, 1.0])
            vehicle, map_ = record["sensors"][channel], record["vehicle"]
            in_vehicle = vehicle[0].apply(in_camera) + vehicle[1]
            in_map = map_[channel][0].apply(in_vehicle) + map_[channel][1]
            in_vehicle = map_["LIDAR_TOP"][0].inv().apply(in_map - map_["LIDAR_TOP"][1])
            lidar = record["sensors"]["LIDAR_TOP"]
            in_lidar = lidar[0].inv().apply(in_vehicle - lidar[1])
            u, v, found, visible = project(in_lidar[None], exposure.view)
            np.testing.assert_allclose([u[0], v[0], found[0]], [*pixel, depth], atol=1e-6)
            assert visible[0]


def test_splits_are_scenes(tmp_path):
    write_nuscenes(tmp_path, {"scene-0061": 1, "scene-0103": 2, "scene-0916": 1})
    write_nuscenes(tmp_path, {"scene-0001": 1, "scene-0003": 2, "scene-1073": 4}, version="v1.0-trainval")
    write_nuscenes(tmp_path, {"scene-0077": 2}, version="v1.0-test", labels=False)
    sizes = {split: len(NuScenes(tmp_path, split)) for split in ("train", "val", "test", "mini_train", "mini_val")}
    assert sizes == {"train": 1, "val": 6, "test": 2, "mini_train": 1, "mini_val": 3}
    with pytest.raises(DataError, match=r"v1\.0-test/lidarseg\.json: it names no labels of nuscenes/scene-0077"):
        NuScenes(tmp_path, "test").frame(0, FIELDS, "label", images=False)
    with pytest.raises(DataError, match="the split 'training' is none of train, val, test, mini_train, mini_val"):
        NuScenes(tmp_path, "training")
    with pytest.raises(DataError, match=r"v1\.0-mini: there is no such folder of tables for nuscenes:mini_val"):
        NuScenes(tmp_path / "samples", "mini_val")


def test_150_scenes_are_held_out():
    numbers = [int(number) for number in re.findall(r"\d+", _HELD_OUT["val"])]
    assert numbers == sorted(numbers) and len(_HELD_OUT["val"].split()) == 26
    parts = [[int(n) for n in part.split("-")] for part in _HELD_OUT["val"].split()]
    assert sum(part[-1] - part[0] + 1 for part in parts) == 150


@pytest.mark.parametrize(
    ("table", "change", "message"),
    [
        ("sample", None, r"v1\.0-mini/sample\.json: No such file"),
        ("ego_pose", "[{", r"ego_pose\.json: Expecting property name"),
        ("ego_pose", "[7]", r"ego_pose\.json: it is no list of rows"),
        ("ego_pose", "[]", r"ego_pose\.json: 7 rows of sample_data\.json name poses that it lacks"),
        ("scene", '[{"name": "scene-0103"}]', r"scene\.json: a row has no column 'token'"),
        ("scene", "[]", r"sample\.json: none of its samples belongs to a scene of nuscenes:mini_val"),
    ],
)
def test_a_missing_or_malformed_table_is_named(tmp_path, table, change, message):
    write_nuscenes(tmp_path, {"scene-0103": 1})
    path = tmp_path / "v1.0-mini" / f"{table}.json"
    path.unlink() if change is None else path.write_text(change)
    with pytest.raises(DataError, match=message):
        NuScenes(tmp_path, "mini_val")


def change_rows(path, **changes):
    path.write_text(json.dumps([row | changes for row in json.loads(path.read_text())]))


def test_malformed_files_are_named(tmp_path):
    write_nuscenes(tmp_path, {"scene-0103": 1})

    def read(*, images=False):
        return NuScenes(tmp_path, "mini_val").frame(0, FIELDS, "label", images=images)

    (labels,) = (tmp_path / "lidarseg" / "v1.0-mini").iterdir()
    labels.write_bytes(bytes(79))
    with pytest.raises(DataError, match=r"_lidarseg\.bin: 79 labels for the 80 points of nuscenes/scene-0103/"):
        read()
    labels.write_bytes(bytes([32] * 80))
    with pytest.raises(DataError, match=r"_lidarseg\.bin: the raw class id 32 of 80 points is none of 0, 1, 2"):
        read()
    labels.write_bytes(bytes(80))
    (image,) = (tmp_path / "samples" / "CAM_BACK").iterdir()
    whole = image.read_bytes()
    image.write_bytes(whole[:3])
    with pytest.raises(DataError, match=r"CAM_BACK/.*\.jpg: cannot identify"):
        read(images=True)
    image.write_bytes(whole)
    change_rows(tmp_path / "v1.0-mini" / "calibrated_sensor.json", camera_intrinsic=[])
    with pytest.raises(DataError, match=r"calibrated-CAM_BACK: camera_intrinsic \[\] is no matrix"):
        read(images=True)
    change_rows(tmp_path / "v1.0-mini" / "sample_data.json", width=50)
    with pytest.raises(DataError, match=r"CAM_BACK/.*\.jpg: 48 x 32 pixels, not 50 x 32"):
        read(images=True)
    change_rows(tmp_path / "v1.0-mini" / "ego_pose.json", rotation=[1, 0, 0])
    change_rows(tmp_path / "v1.0-mini" / "sample_data.json", width=48)
    change_rows(tmp_path / "v1.0-mini" / "calibrated_sensor.json", camera_intrinsic=K.tolist())
    with pytest.raises(DataError, match=r"rotation \[1, 0, 0\] .* no quaternion"):
        read(images=True)
    (points,) = (tmp_path / "samples" / "LIDAR_TOP").iterdir()
    points.write_bytes(bytes(21))
    with pytest.raises(DataError, match=r"\.pcd\.bin: its 21 bytes are no whole number of points of 20 bytes"):
        read()


def test_32_raw_ids_are_16_classes():
    np.testing.assert_array_equal(
        NUSCENES.apply(np.arange(32, dtype=np.uint8)), [CHALLENGE.get(i, 0) for i in range(32)]
    )
