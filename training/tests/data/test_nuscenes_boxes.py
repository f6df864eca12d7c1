"""The boxes of nuScenes, on tables of its published layout."""

import json

import numpy as np
import pytest
from published_layouts import write_nuscenes, wxyz
from scipy.spatial.transform import Rotation

from ditr_train.data.errors import DataError
from ditr_train.data.nuscenes import NuScenes


def write_annotations(folder, recorded, rng):
    """Boxes that stand upright in the LiDAR's frame of the first key frame; returns [x, y, z, l, w, h, yaw] there."""
    record = recorded["scene-0103", 0]
    sensor, vehicle = record["sensors"]["LIDAR_TOP"], record["vehicle"]["LIDAR_TOP"]
    wanted, rows = [], []
    for number in range(3):
        center, size, yaw = rng.uniform(-9, 9, 3), rng.uniform(1, 4, 3), rng.uniform(-3, 3)
        in_map = vehicle[0].apply(sensor[0].apply(center) + sensor[1]) + vehicle[1]
        rotation = vehicle[0] * sensor[0] * Rotation.from_euler("z", yaw)
        length, width, height = size
        wanted.append([*center, *size, yaw])
        rows.append(
            {
                "token": f"a{number}",
                "sample_token": "scene-0103-0",
                "instance_token": f"i{number % 2}",
                "translation": in_map.tolist(),
                "size": [width, length, height],
                "rotation": wxyz(rotation),
                "num_lidar_pts": number * 7,
                "visibility_token": "4",
            }
        )
    rows.append(rows[0] | {"token": "other", "sample_token": "of another split"})
    tables = {
        "sample_annotation": rows,
        "instance": [{"token": "i0", "category_token": "c0"}, {"token": "i1", "category_token": "c1"}],
        "category": [{"token": "c0", "name": "vehicle.car"}, {"token": "c1", "name": "human.pedestrian.adult"}],
    }
    for name, table in tables.items():
        (folder / "v1.0-mini" / f"{name}.json").write_text(json.dumps(table))
    return np.array(wanted)


def test_boxes_are_in_the_frame_of_the_lidar(tmp_path, rng):
    recorded = write_nuscenes(tmp_path, {"scene-0103": 2})
    assert NuScenes(tmp_path, "mini_val").boxes(0) is None and not NuScenes(tmp_path, "mini_val").has_boxes(0)
    wanted = write_annotations(tmp_path, recorded, rng)
    dataset = NuScenes(tmp_path, "mini_val")
    found = dataset.frame(0, ["x", "y", "z"], "label", images=False, boxes=True).boxes
    np.testing.assert_allclose(found.boxes, wanted, atol=1e-6)
    assert found.names == ("vehicle.car", "human.pedestrian.adult", "vehicle.car")
    assert found.points.tolist() == [0, 7, 14]
    # A key frame without annotations has no boxes, and that is known.
    assert dataset.has_boxes(1) and dataset.boxes(1).boxes.shape == (0, 7)


def test_an_instance_without_a_category_is_named(tmp_path, rng):
    write_annotations(tmp_path, write_nuscenes(tmp_path, {"scene-0103": 1}), rng)
    (tmp_path / "v1.0-mini" / "instance.json").write_text("[]")
    with pytest.raises(DataError, match=r"instance\.json: it has no category for the annotation a0"):
        NuScenes(tmp_path, "mini_val").boxes(0)
