"""A small Waymo Open Dataset in the Parquet layout of its version 2."""

import numpy as np
import pyarrow
from published_layouts import HEIGHT, WIDTH, image_bytes
from pyarrow import parquet
from scipy.spatial.transform import Rotation

STAMPS = (1_552_440_195_362_591, 1_552_440_195_462_613, 1_552_440_195_562_589)
"""Microseconds of the scans of a segment; the middle one has no labels."""
LABELLED = (STAMPS[0], STAMPS[2])
LASERS = {1: (4, 6), 2: (3, 5), 5: (2, 4)}
"""Rows and columns of the top LiDAR and two others."""
INCLINATIONS = np.array([-0.3, -0.1, 0.0, 0.04])
LIMITS = (-1.5, 0.4)
INTRINSIC = {"f_u": 40, "f_v": 42, "c_u": 24, "c_v": 16, "k1": 0.05, "k2": -0.01, "p1": 0.002, "p2": 0.001, "k3": 0.003}


def matrix(rotation, translation):
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = rotation.as_matrix(), translation
    return pose


def write_waymo(folder, segments, *, split="training", images=True, seed=0):
    """Returns what was recorded by (segment, stamp): see `record` below."""
    rng = np.random.default_rng(seed)
    place = folder / split
    recorded = {}
    for segment in segments:
        tables = {name: [] for name in ("lidar", "lidar_pose", "lidar_segmentation", "vehicle_pose", "camera_image")}
        lidars = {laser: (Rotation.from_euler("ZYX", rng.uniform(-1, 1, 3)), rng.uniform(-1, 1, 3)) for laser in LASERS}
        cameras = {
            camera: (Rotation.from_euler("z", 72 * camera, degrees=True), rng.uniform(-1, 1, 3))
            for camera in range(1, 6)
        }
        for stamp in STAMPS:
            heading = rng.uniform(-3, 3)
            vehicle = Rotation.from_euler("ZYX", [heading, 0.01, -0.02]), np.array([860.0, 1568, -65])
            record = {"lidars": lidars, "cameras": cameras, "vehicle": vehicle, "images": {}, "ranges": {}, "poses": {}}
            recorded[segment, stamp] = record
            key = {"key.segment_context_name": segment, "key.frame_timestamp_micros": stamp}
            pose = {"[VehiclePoseComponent].world_from_vehicle.transform": matrix(*vehicle).ravel()}
            tables["vehicle_pose"].append(key | pose)
            for laser, (rows, columns) in LASERS.items():
                returns = rng.uniform(1, 40, (2, rows, columns, 4)).astype(np.float32)
                returns[..., 0][rng.random((2, rows, columns)) < (np.array([0.2, 0.7])[:, None, None])] = -1
                record["ranges"][laser] = returns
                row = key | {"key.laser_name": laser}
                tables["lidar"].append(row | range_images("LiDARComponent", returns if laser != 5 else returns[:1]))
            rows, columns = LASERS[1]
            poses = np.concatenate(
                [
                    np.array([-0.02, 0.01, heading]) + rng.uniform(-0.1, 0.1, (rows, columns, 3)),
                    vehicle[1] + rng.uniform(-1, 1, (rows, columns, 3)),
                ],
                axis=2,
            ).astype(np.float32)
            record["poses"] = poses
            row = key | {"key.laser_name": 1}
            tables["lidar_pose"].append(row | range_images("LiDARPoseComponent", poses[None]))
            if stamp in LABELLED:
                record["labels"] = rng.integers(0, 23, (2, rows, columns, 2)).astype(np.int32)
                images_of = range_images("LiDARSegmentationLabelComponent", record["labels"])
                tables["lidar_segmentation"].append(row | images_of)
            for camera in cameras:
                moved = Rotation.from_euler("ZYX", [heading + rng.uniform(-0.1, 0.1), 0, 0]), vehicle[1] + rng.normal(3)
                encoded, seconds = image_bytes("JPEG", rng), stamp / 1e6 + 0.01 * camera
                record["images"][camera] = moved, encoded, seconds
                tables["camera_image"].append(
                    key
                    | {
                        "key.camera_name": camera,
                        "[CameraImageComponent].image": encoded,
                        "[CameraImageComponent].pose.transform": matrix(*moved).ravel(),
                        "[CameraImageComponent].pose_timestamp": seconds,
                    }
                )
        tables["lidar_calibration"] = [
            {
                "key.segment_context_name": segment,
                "key.laser_name": laser,
                "[LiDARCalibrationComponent].extrinsic.transform": matrix(*lidars[laser]).ravel(),
                "[LiDARCalibrationComponent].beam_inclination.min": LIMITS[0],
                "[LiDARCalibrationComponent].beam_inclination.max": LIMITS[1],
                "[LiDARCalibrationComponent].beam_inclination.values": INCLINATIONS if laser == 1 else None,
            }
            for laser in LASERS
        ]
        tables["camera_calibration"] = [
            {
                "key.segment_context_name": segment,
                "key.camera_name": camera,
                **{f"[CameraCalibrationComponent].intrinsic.{name}": float(v) for name, v in INTRINSIC.items()},
                "[CameraCalibrationComponent].extrinsic.transform": matrix(*cameras[camera]).ravel(),
                "[CameraCalibrationComponent].width": WIDTH,
                "[CameraCalibrationComponent].height": HEIGHT,
            }
            for camera in cameras
        ]
        for name, rows in tables.items():
            if images or not name.startswith("camera"):
                write_table(place / name / f"{segment}.parquet", rows)
    return recorded


def range_images(component, returns):
    row = {}
    for number in range(1 if component == "LiDARPoseComponent" else 2):
        image = returns[number] if number < len(returns) else None
        name = f"[{component}].range_image_return{number + 1}"
        row[f"{name}.values"] = None if image is None else image.ravel()
        row[f"{name}.shape"] = None if image is None else np.array(image.shape, np.int32)
    return row


def write_table(path, rows):
    """Of several groups of rows, of which some begin in the middle of a scan."""
    path.parent.mkdir(parents=True, exist_ok=True)
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    types = {"key.laser_name": pyarrow.int8(), "key.camera_name": pyarrow.int8()}
    arrays = {name: pyarrow.array(values, types.get(name)) for name, values in columns.items()}
    parquet.write_table(pyarrow.table(arrays), path, row_group_size=2)


def change_rows(path, **changes):
    """Sets columns of all rows; ... removes the column."""
    rows = parquet.read_table(path).to_pylist()
    write_table(path, [{k: changes.get(k, v) for k, v in row.items() if changes.get(k, v) is not ...} for row in rows])
