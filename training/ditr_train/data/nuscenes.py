"""nuScenes with lidarseg labels (nuscenes.org), as it is published.

v1.0-trainval/*.json                      tables; v1.0-mini and v1.0-test are others
samples/LIDAR_TOP/*.pcd.bin               float32 x, y, z, intensity 0..255, ring of each point
samples/CAM_*/*.jpg                       six cameras, rectified; need not be there
lidarseg/v1.0-trainval/*_lidarseg.bin     uint8 of each point, listed in the table lidarseg.json
v1.0-trainval/sample_annotation.json      boxes of the key frames, with instance.json and category.json
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ditr_train.data.boxes import NamedBoxes
from ditr_train.data.dataset import FrameDataset, read_image
from ditr_train.data.errors import DataError
from ditr_train.data.frames import CameraImage, Exposure
from ditr_train.data.learning_map import LearningMap
from ditr_train.data.nuscenes_boxes import boxes_of_sample, read_annotations
from ditr_train.data.nuscenes_tables import Row, by_token, pose_matrix, read_table
from ditr_train.data.point_file import read_numbers
from ditr_train.geometry.projection import CameraView

_VERSIONS = {
    "train": "v1.0-trainval",
    "val": "v1.0-trainval",
    "test": "v1.0-test",
    "mini_train": "v1.0-mini",
    "mini_val": "v1.0-mini",
}
"""Folder of the tables of each split."""

# python-sdk/nuscenes/utils/splits.py of nuscenes-devkit, as numbers of the scenes. The training splits are the
# other scenes of the same tables: 700 of v1.0-trainval, 8 of v1.0-mini.
_HELD_OUT = {
    "val": "3 12-18 35-36 38-39 92-110 221 268-278 329-332 344-346 519-524 552-565 625-627 629-630 632-638 770-771 775 "
    "777-778 780-784 794-800 802 904-917 919-931 962-963 966-969 971-972 1059-1073",
    "mini_val": "103 916",
}

# LidarsegClassMapper of python-sdk/nuscenes/eval/lidarseg/utils.py in nuscenes-devkit; the raw ids are the column
# `index` of nuScenes-lidarseg's category.json, as in Pointcept's pointcept/datasets/nuscenes.py.
NUSCENES = LearningMap(
    classes={
        1: "barrier",
        2: "bicycle",
        3: "bus",
        4: "car",
        5: "construction-vehicle",
        6: "motorcycle",
        7: "pedestrian",
        8: "traffic-cone",
        9: "trailer",
        10: "truck",
        11: "driveable-surface",
        12: "other-flat",
        13: "sidewalk",
        14: "terrain",
        15: "manmade",
        16: "vegetation",
    },
    raw={
        0: 0,  # noise
        1: 0,  # animal
        2: 7,  # human.pedestrian.adult
        3: 7,  # human.pedestrian.child
        4: 7,  # human.pedestrian.construction_worker
        5: 0,  # human.pedestrian.personal_mobility
        6: 7,  # human.pedestrian.police_officer
        7: 0,  # human.pedestrian.stroller
        8: 0,  # human.pedestrian.wheelchair
        9: 1,  # movable_object.barrier
        10: 0,  # movable_object.debris
        11: 0,  # movable_object.pushable_pullable
        12: 8,  # movable_object.trafficcone
        13: 0,  # static_object.bicycle_rack
        14: 2,  # vehicle.bicycle
        15: 3,  # vehicle.bus.bendy
        16: 3,  # vehicle.bus.rigid
        17: 4,  # vehicle.car
        18: 5,  # vehicle.construction
        19: 0,  # vehicle.emergency.ambulance
        20: 0,  # vehicle.emergency.police
        21: 6,  # vehicle.motorcycle
        22: 9,  # vehicle.trailer
        23: 10,  # vehicle.truck
        24: 11,  # flat.driveable_surface
        25: 12,  # flat.other
        26: 13,  # flat.sidewalk
        27: 14,  # flat.terrain
        28: 15,  # static.manmade
        29: 0,  # static.other
        30: 16,  # static.vegetation
        31: 0,  # vehicle.ego
    },
)

_LIDAR = "LIDAR_TOP"


@dataclass(frozen=True)
class _Recording:
    """A scan or an image of a key frame."""

    scene: str
    sample: str
    """Token of its key frame."""
    channel: str
    stamp: int
    """Nanoseconds."""
    path: Path
    sensor: Row
    """Row of calibrated_sensor: where the sensor is in the vehicle."""
    vehicle: Row
    """Row of ego_pose: where the vehicle was at that time."""
    labels: Path | None
    width: int
    """Pixels of an image."""
    height: int

    def pose(self) -> npt.NDArray[np.float64]:
        """[4, 4] that maps the sensor's coordinates to the map's, at the time of the recording."""
        return pose_matrix(self.vehicle) @ pose_matrix(self.sensor)


class NuScenes(FrameDataset):
    """The key frames of `train`, `val`, `test`, `mini_train` or `mini_val`; points are in the LiDAR's frame."""

    learning_map = NUSCENES
    field_names = ("x", "y", "z", "intensity", "ring")

    def __init__(self, root: Path, split: str) -> None:
        """`root` holds `v1.0-...` and `samples`. Raises DataError when a table is missing or malformed."""
        if split not in _VERSIONS:
            raise DataError(f"nuscenes: the split {split!r} is none of {', '.join(_VERSIONS)}")
        self.name = f"nuscenes:{split}"
        tables = root / _VERSIONS[split]
        self._label_table = tables / "lidarseg.json"
        samples: dict[str, list[_Recording]] = {}
        for sample, recording in _recordings(root, tables, split):
            samples.setdefault(sample, []).append(recording)
        self._frames: list[tuple[_Recording, tuple[_Recording, ...]]] = []
        for token, recordings in samples.items():
            lidar = next((r for r in recordings if r.channel == _LIDAR), None)
            if lidar is None:
                raise DataError(f"{tables}/sample_data.json: the sample {token} has no {_LIDAR}")
            cameras = sorted((r for r in recordings if r.channel != _LIDAR), key=lambda r: r.channel)
            self._frames.append((lidar, tuple(cameras)))
        self._frames.sort(key=lambda frame: (frame[0].scene, frame[0].stamp))
        self._tables = tables
        self._annotated = (tables / "sample_annotation.json").exists()

    def has_boxes(self, index: int) -> bool:
        return self._annotated

    def boxes(self, index: int) -> NamedBoxes | None:
        """Called by nuScenes' own categories, with the LiDAR points that the table counts."""
        if not self._annotated:
            return None
        lidar = self._frames[index][0]
        return boxes_of_sample(self._annotations.get(lidar.sample, []), lidar.pose())

    @cached_property
    def _annotations(self) -> dict[str, list[Row]]:
        """Rows of sample_annotation by sample; read when the first boxes are asked for."""
        return read_annotations(self._tables, {lidar.sample for lidar, _ in self._frames})

    def __len__(self) -> int:
        return len(self._frames)

    def frame_name(self, index: int) -> str:
        lidar, _ = self._frames[index]
        return f"nuscenes/{lidar.scene}/{lidar.path.name}"

    def stamp(self, index: int) -> int:
        return self._frames[index][0].stamp

    def has_images(self, index: int) -> bool:
        return len(self._frames[index][1]) > 0

    def points(self, index: int) -> dict[str, npt.NDArray[Any]]:
        columns = read_numbers(self._frames[index][0].path, "f4", 5)
        fields = {name: np.ascontiguousarray(columns[:, i]) for i, name in enumerate(self.field_names)}
        fields["intensity"] /= 255
        return fields

    def label_file(self, index: int) -> Path:
        labels = self._frames[index][0].labels
        if labels is None:
            raise DataError(f"{self._label_table}: it names no labels of {self.frame_name(index)}")
        return labels

    def raw_labels(self, index: int) -> npt.NDArray[Any]:
        return read_numbers(self.label_file(index), "u1", 1)[:, 0]

    def exposures(self, index: int) -> tuple[Exposure, ...]:
        """Each camera at its own time: LiDAR, vehicle, map, vehicle at the camera's time, camera.

        As map_pointcloud_to_image of python-sdk/nuscenes/nuscenes.py in nuscenes-devkit.
        """
        lidar, cameras = self._frames[index]
        exposures = []
        for camera in cameras:
            encoded, width, height = read_image(camera.path)
            if (width, height) != (camera.width, camera.height):
                raise DataError(f"{camera.path}: {width} x {height} pixels, not {camera.width} x {camera.height}")
            k = np.array(camera.sensor["camera_intrinsic"], np.float64)
            if k.shape != (3, 3):
                raise DataError(
                    f"calibrated_sensor {camera.sensor['token']}: camera_intrinsic {camera.sensor['camera_intrinsic']} "
                    "is no matrix [3, 3]"
                )
            view = CameraView(k, (), "none", width, height, np.linalg.inv(camera.pose()) @ lidar.pose())
            name = f"nuscenes/samples/{camera.channel}/{camera.path.stem}"
            exposures.append(Exposure(CameraImage(camera.stamp, encoded, None, name=name), view))
        return tuple(exposures)


def _recordings(root: Path, tables: Path, split: str) -> list[tuple[str, _Recording]]:
    """What LIDAR_TOP and the cameras recorded in key frames of the split, with the token of the sample."""
    if not tables.is_dir():
        raise DataError(f"{tables}: there is no such folder of tables for nuscenes:{split}")
    scenes = {row["token"]: row["name"] for row in read_table(tables, "scene", ("token", "name"))}
    wanted = _scenes_of(split, set(scenes.values()))
    samples = {
        row["token"]: scenes[row["scene_token"]]
        for row in read_table(tables, "sample", ("token", "scene_token"))
        if scenes.get(row["scene_token"]) in wanted
    }
    if not samples:
        raise DataError(f"{tables}/sample.json: none of its samples belongs to a scene of nuscenes:{split}")
    channels = {
        row["token"]: row["channel"]
        for row in read_table(tables, "sensor", ("token", "channel", "modality"))
        if row["channel"] == _LIDAR or row["modality"] == "camera"
    }
    columns = ("token", "sensor_token", "translation", "rotation", "camera_intrinsic")
    sensors = by_token([r for r in read_table(tables, "calibrated_sensor", columns) if r["sensor_token"] in channels])
    tokens = ("token", "sample_token", "ego_pose_token", "calibrated_sensor_token")
    rows = read_table(
        tables,
        "sample_data",
        (*tokens, "timestamp", "filename", "width", "height"),
        keep=lambda row: (
            row["is_key_frame"] and row["sample_token"] in samples and row["calibrated_sensor_token"] in sensors
        ),
    )
    needed = {row["ego_pose_token"] for row in rows}
    poses = by_token(
        read_table(tables, "ego_pose", ("token", "translation", "rotation"), keep=lambda row: row["token"] in needed)
    )
    missing = needed - poses.keys()
    if missing:
        raise DataError(f"{tables}/ego_pose.json: {len(missing)} rows of sample_data.json name poses that it lacks")
    labels: dict[str, Path] = {}
    if (tables / "lidarseg.json").exists():
        label_rows = read_table(tables, "lidarseg", ("sample_data_token", "filename"))
        labels = {row["sample_data_token"]: root / row["filename"] for row in label_rows}
    return [
        (
            row["sample_token"],
            _Recording(
                scene=samples[row["sample_token"]],
                sample=row["sample_token"],
                channel=channels[sensors[row["calibrated_sensor_token"]]["sensor_token"]],
                stamp=int(row["timestamp"]) * 1000,
                path=root / row["filename"],
                sensor=sensors[row["calibrated_sensor_token"]],
                vehicle=poses[row["ego_pose_token"]],
                labels=labels.get(row["token"]),
                width=int(row["width"] or 0),
                height=int(row["height"] or 0),
            ),
        )
        for row in rows
    ]


def _scenes_of(split: str, names: set[str]) -> set[str]:
    """Those of the scenes of the tables that belong to the split."""
    if split == "test":
        return names
    held_out_split = split.replace("train", "val")
    held_out = set()
    for part in _HELD_OUT[held_out_split].split():
        first, _, last = part.partition("-")
        held_out |= {f"scene-{number:04}" for number in range(int(first), int(last or first) + 1)}
    return names & held_out if split == held_out_split else names - held_out
