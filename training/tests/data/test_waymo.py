"""The reader of Waymo Open Dataset v2, on files of its published layout."""

import builtins

import cv2
import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from waymo_layout import INCLINATIONS, INTRINSIC, LABELLED, LASERS, LIMITS, change_rows, write_waymo

from ditr_train.data.errors import DataError
from ditr_train.data.waymo import Waymo
from ditr_train.geometry.projection import project

FIELDS = ["x", "y", "z", "intensity", "elongation", "label"]


def expected_scan(record):
    """Pixel by pixel with SciPy: the beam is x, turned up by its inclination and then about z by its azimuth."""
    rows = []
    for number in range(2):
        for laser, (height, width) in LASERS.items():
            if (laser, number) == (5, 1):
                continue  # has no second return
            rotation, translation = record["lidars"][laser]
            yaw = Rotation.from_matrix(rotation.as_matrix()).as_euler("ZYX")[0]
            for row in range(height):
                for column in range(width):
                    range_, intensity, elongation, _ = record["ranges"][laser][number, row, column].astype(float)
                    if range_ <= 0:
                        continue
                    beam = height - 1 - row
                    part = (LIMITS[1] - LIMITS[0]) / height
                    inclination = INCLINATIONS[beam] if laser == 1 else LIMITS[0] + part * (beam + 0.5)
                    azimuth = np.pi - 2 * np.pi * (column + 0.5) / width - yaw
                    direction = Rotation.from_euler("ZY", [azimuth, -inclination]).apply([range_, 0, 0])
                    point = rotation.apply(direction) + translation
                    label = 0
                    if laser == 1:
                        roll, pitch, heading, *place = record["poses"][row, column].astype(float)
                        in_world = Rotation.from_euler("ZYX", [heading, pitch, roll]).apply(point) + place
                        point = record["vehicle"][0].inv().apply(in_world - record["vehicle"][1])
                        label = record["labels"][number, row, column, 1]
                    rows.append([*point, np.tanh(intensity), elongation, label])
    return np.array(rows)


def test_points_of_all_lidars_and_returns_and_the_labels_of_the_top_one(tmp_path):
    recorded = write_waymo(tmp_path, ["1005_2", "1002_9"], images=False)
    dataset = Waymo(tmp_path, "train")
    names = ["waymo/1002_9", "waymo/1002_9", "waymo/1005_2", "waymo/1005_2"]
    assert [dataset.frame_name(i) for i in range(len(dataset))] == names
    # Not in order: what is held of one scan must not be taken for another.
    for i in (2, 0, 3, 1):
        frame = dataset.frame(i, FIELDS, "label", images=True)
        expected = expected_scan(recorded[names[i].split("/")[1], LABELLED[i % 2]])
        assert (expected[:, 5] > 0).any() and len(expected) > 40
        found = np.stack([frame.fields[name] for name in FIELDS], 1)
        np.testing.assert_allclose(found, expected, atol=2e-5)
        assert frame.stamp == LABELLED[i % 2] * 1000 and frame.exposures == ()
        assert frame.fields["x"].dtype == np.float32


def test_a_point_is_seen_where_the_chain_of_transforms_leads(tmp_path):
    """LiDAR's vehicle, world, vehicle at the image, camera with its lens: computed here with SciPy and OpenCV."""
    recorded = write_waymo(tmp_path, ["1002_9"], split="validation")
    dataset = Waymo(tmp_path, "val")
    f_u, f_v, c_u, c_v, *distortion = INTRINSIC.values()
    k = np.array([[f_u, 0, c_u], [0, f_v, c_v], [0, 0, 1]], float)
    for i, stamp in enumerate(LABELLED):
        record = recorded["1002_9", stamp]
        exposures = dataset.exposures(i)
        assert len(exposures) == 5
        for camera, exposure in enumerate(exposures, 1):
            moved, encoded, seconds = record["images"][camera]
            assert exposure.image.encoded == encoded
            assert exposure.image.stamp == pytest.approx(seconds * 1e9, abs=1000)
            right, down, forward = 1.2, -0.7, 7.0
            rotation, translation = record["cameras"][camera]
            in_vehicle = rotation.apply([forward, -right, -down]) + translation
            in_world = moved[0].apply(in_vehicle) + moved[1]
            point = record["vehicle"][0].inv().apply(in_world - record["vehicle"][1])
            optical = np.array([[right, down, forward]])
            ((pixel,),) = cv2.projectPoints(optical, np.zeros(3), np.zeros(3), k, np.array(distortion, float))[0]
            u, v, depth, visible = project(point[None], exposure.view)
            # There pixel 0 is the left edge of the first pixel, here its centre.
            np.testing.assert_allclose([u[0] + 0.5, v[0] + 0.5, depth[0]], [*pixel, forward], atol=1e-5)
            assert visible[0]


def test_splits_and_missing_files(tmp_path):
    write_waymo(tmp_path, ["1002_9"])
    assert len(Waymo(tmp_path, "train")) == 2 and Waymo(tmp_path, "train").has_images(1)
    with pytest.raises(DataError, match="waymo: the split 'test' is none of train, val; test scans have no labels"):
        Waymo(tmp_path, "test")
    with pytest.raises(DataError, match=r"validation/lidar_segmentation: no \.parquet file of a segment there"):
        Waymo(tmp_path, "val")
    (tmp_path / "training" / "camera_image" / "1002_9.parquet").unlink()
    assert not Waymo(tmp_path, "train").has_images(0) and Waymo(tmp_path, "train").exposures(0) == ()
    (tmp_path / "training" / "lidar_pose" / "1002_9.parquet").unlink()
    with pytest.raises(DataError, match=r"lidar_pose/1002_9\.parquet: No such file; it belongs to .*segmentation"):
        Waymo(tmp_path, "train")


def test_without_pyarrow_it_is_said_what_to_install(tmp_path, monkeypatch):
    write_waymo(tmp_path, ["1002_9"], images=False)
    whole = builtins.__import__

    def without(name, *arguments, **options):
        if name.startswith("pyarrow"):
            raise ImportError(name)
        return whole(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(DataError, match=r"pyarrow, which is not installed; pip install 'ditr-train\[waymo\]'"):
        Waymo(tmp_path, "train")


LIDAR, POSES = "[LiDARComponent].range_image_return1", "[LiDARPoseComponent].range_image_return1"
LABELS = "[LiDARSegmentationLabelComponent].range_image_return1"


@pytest.mark.parametrize(
    ("component", "changes", "message"),
    [
        (
            "lidar",
            {f"{LIDAR}.shape": ...},
            r"lidar/1\.parquet: it has no column \[LiDARComponent\]\.range_image_return1",
        ),
        ("lidar", {f"{LIDAR}.shape": [3, 2, 4]}, r"return1 has 96 values and the shape .*, not \[H, W, 4\]"),
        ("lidar", {"key.frame_timestamp_micros": 5}, r"lidar/1\.parquet: nothing there of the scan at 15524401953625"),
        ("lidar", {"key.laser_name": 3}, r"lidar_calibration/1\.parquet: it has no LiDAR 3"),
        ("lidar_pose", {"key.laser_name": 3}, r"lidar_pose/1\.parquet: nothing there of the scan at"),
        (
            "lidar_calibration",
            {"[LiDARCalibrationComponent].beam_inclination.values": [0.1, 0.2, 0.3]},
            r"lidar_calibration/1\.parquet: 3 inclinations for a range image of 4 rows",
        ),
        (
            "lidar_calibration",
            {"[LiDARCalibrationComponent].beam_inclination.max": None},
            r"lidar_calibration/1\.parquet: LiDAR 2 has neither inclinations of its beams nor their limits",
        ),
        ("lidar_pose", {f"{POSES}.values": None}, r"lidar_pose/1\.parquet: no pose of a pixel of the scan at"),
        ("lidar_segmentation", {"key.laser_name": 2}, r"segmentation/1\.parquet: no labels of the top LiDAR"),
        (
            "vehicle_pose",
            {"[VehiclePoseComponent].world_from_vehicle.transform": [1.0, 2.0]},
            r"vehicle_pose/1\.parquet: world_from_vehicle is no matrix of 4 x 4",
        ),
        ("lidar_segmentation", {f"{LABELS}.shape": [6, 4, 2]}, r"\(6, 4\) pixels of labels for \(4, 6\) of the range"),
        ("lidar_segmentation", {f"{LABELS}.values": [23] * 48}, r"segmentation/1\.parquet: the raw class id 23 of"),
    ],
)
def test_what_is_wrong_is_said_with_the_file(tmp_path, component, changes, message):
    write_waymo(tmp_path, ["1"], images=False)
    change_rows(tmp_path / "training" / component / "1.parquet", **changes)
    with pytest.raises(DataError, match=message):
        Waymo(tmp_path, "train").frame(0, FIELDS, "label", images=False)


def test_damaged_files_and_images_are_named(tmp_path):
    write_waymo(tmp_path, ["1"])
    change_rows(tmp_path / "training" / "camera_image" / "1.parquet", **{"[CameraImageComponent].image": b"no JPEG"})
    with pytest.raises(DataError, match=r"1\.parquet: the image of camera 1 at 1552440195362591: cannot identify"):
        Waymo(tmp_path, "train").exposures(0)
    lidar = tmp_path / "training" / "lidar" / "1.parquet"
    lidar.write_bytes(lidar.read_bytes()[:-9])
    with pytest.raises(DataError, match=r"lidar/1\.parquet: .*magic bytes"):
        Waymo(tmp_path, "train").points(0)
