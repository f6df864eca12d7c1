"""Waymo Open Dataset, perception, version 2 (waymo.com/open), as it is published: Parquet files of segments.

training/lidar/<segment>.parquet                range images of the five LiDARs, two returns each
training/lidar_pose/<segment>.parquet           pose of the vehicle at each pixel of the top LiDAR
training/lidar_calibration/<segment>.parquet
training/lidar_segmentation/<segment>.parquet   classes of the top LiDAR's pixels, of some of the scans
training/vehicle_pose/<segment>.parquet
training/camera_image/<segment>.parquet         five cameras; need not be there
training/camera_calibration/<segment>.parquet   needed with images

Columns are those of src/waymo_open_dataset/v2/perception in waymo-open-dataset, whose package is not needed.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ditr_train.data.dataset import FrameDataset, image_size
from ditr_train.data.errors import DataError
from ditr_train.data.frames import CameraImage, Exposure
from ditr_train.data.learning_map import LearningMap
from ditr_train.data.parquet_rows import Row, read_rows
from ditr_train.data.range_image import at_one_time, uniform_inclinations, vehicle_points
from ditr_train.geometry.projection import CameraView

_FOLDERS = {"train": "training", "val": "validation"}
_NEEDED = ("lidar", "lidar_pose", "lidar_calibration", "vehicle_pose")
_WITH_IMAGES = ("camera_image", "camera_calibration")

_STAMP = "key.frame_timestamp_micros"
_LASER = "key.laser_name"
_CAMERA = "key.camera_name"
_TOP = 1
"""Of LaserName in dataset.proto."""
_RETURNS = ("range_image_return1", "range_image_return2")

# Segmentation.Type of src/waymo_open_dataset/protos/segmentation.proto; 0 is undefined or not labelled.
_CLASSES = {
    1: "car",
    2: "truck",
    3: "bus",
    4: "other-vehicle",
    5: "motorcyclist",
    6: "bicyclist",
    7: "pedestrian",
    8: "sign",
    9: "traffic-light",
    10: "pole",
    11: "construction-cone",
    12: "bicycle",
    13: "motorcycle",
    14: "building",
    15: "vegetation",
    16: "tree-trunk",
    17: "curb",
    18: "road",
    19: "lane-marker",
    20: "other-ground",
    21: "walkable",
    22: "sidewalk",
}
WAYMO = LearningMap(classes=_CLASSES, raw={raw: raw for raw in range(23)})

# The axes of Waymo's cameras are x forward, y left, z up.
_OPTICAL = np.array([[0, -1, 0, 0], [0, 0, -1, 0], [1, 0, 0, 0], [0, 0, 0, 1.0]])


@dataclass(frozen=True)
class _Scan:
    folder: Path
    """Of the split."""
    segment: str
    stamp: int
    """Microseconds."""

    def file(self, component: str) -> Path:
        return self.folder / component / f"{self.segment}.parquet"


@dataclass(frozen=True)
class _Return:
    """One return of one LiDAR."""

    laser: int
    number: int
    """0 or 1"""
    hit: npt.NDArray[np.bool_]
    """[H, W] pixels with a point."""
    fields: npt.NDArray[np.float32]
    """[N, 5] of these pixels, in the order of the rows."""


class Waymo(FrameDataset):
    """The labelled scans of `train` or `val`, of those segments whose files are there.

    Points are in the vehicle's frame at the scan's time (x ahead, y left, z up), of all LiDARs and both returns as in
    Pointcept's preprocess_waymo.py: the first returns of each, then the second ones. Those of the top LiDAR are moved
    there from where the vehicle was when each was measured. Only they have labels.
    """

    learning_map = WAYMO
    field_names = ("x", "y", "z", "intensity", "elongation")
    """Metres; the hyperbolic tangent of the intensity in the file, as in preprocess_waymo.py; and that of the file."""

    def __init__(self, root: Path, split: str) -> None:
        """Raises DataError when a file of a segment is not there, or pyarrow is not installed."""
        if split not in _FOLDERS:
            raise DataError(f"waymo: the split {split!r} is none of {', '.join(_FOLDERS)}; test scans have no labels")
        self.name = f"waymo:{split}"
        folder = root / _FOLDERS[split]
        files = sorted((folder / "lidar_segmentation").glob("*.parquet"))
        if not files:
            raise DataError(f"{folder / 'lidar_segmentation'}: no .parquet file of a segment there")
        self._scans: list[_Scan] = []
        self._with_images: set[str] = set()
        for file in files:
            stamps = sorted({int(row[_STAMP]) for row in read_rows(file, [_STAMP], {_LASER: _TOP})})
            if not stamps:
                raise DataError(f"{file}: no labels of the top LiDAR, {_LASER} {_TOP}, there")
            scans = [_Scan(folder, file.stem, stamp) for stamp in stamps]
            missing = [scans[0].file(component) for component in _NEEDED if not scans[0].file(component).exists()]
            if missing:
                raise DataError(f"{missing[0]}: No such file; it belongs to {file}")
            if all(scans[0].file(component).exists() for component in _WITH_IMAGES):
                self._with_images.add(file.stem)
            self._scans += scans
        self._held: tuple[int, list[_Return]] | None = None

    def __len__(self) -> int:
        return len(self._scans)

    def frame_name(self, index: int) -> str:
        return f"waymo/{self._scans[index].segment}"

    def stamp(self, index: int) -> int:
        return self._scans[index].stamp * 1000

    def has_images(self, index: int) -> bool:
        return self._scans[index].segment in self._with_images

    def points(self, index: int) -> dict[str, npt.NDArray[Any]]:
        values = np.concatenate([each.fields for each in self._returns(index)])
        return {name: np.ascontiguousarray(values[:, i]) for i, name in enumerate(self.field_names)}

    def label_file(self, index: int) -> Path:
        return self._scans[index].file("lidar_segmentation")

    def raw_labels(self, index: int) -> npt.NDArray[Any]:
        """[N], 0 for the points of all LiDARs but the top one."""
        path = self.label_file(index)
        (row,) = _rows(
            path, _image_columns("LiDARSegmentationLabelComponent"), self._scans[index].stamp, {_LASER: _TOP}
        )
        labels = []
        for each in self._returns(index):
            of_pixel = None
            if each.laser == _TOP:
                of_pixel = _image(row, "LiDARSegmentationLabelComponent", each.number, 2, path)
            if of_pixel is not None and of_pixel.shape[:2] != each.hit.shape:
                raise DataError(
                    f"{path}: {of_pixel.shape[:2]} pixels of labels for {each.hit.shape} of the range image at "
                    f"{self._scans[index].stamp}"
                )
            # The channels are instance and class.
            labels.append(np.zeros(each.hit.sum(), np.int32) if of_pixel is None else of_pixel[..., 1][each.hit])
        return np.concatenate(labels)

    def exposures(self, index: int) -> tuple[Exposure, ...]:
        """Each camera at the pose of the vehicle that its image has; that its rows or columns differ in time is not."""
        if not self.has_images(index):
            return ()
        scan = self._scans[index]
        vehicle = _transform(
            self._vehicle(scan), "[VehiclePoseComponent].world_from_vehicle", scan.file("vehicle_pose")
        )
        calibrations = _camera_calibrations(scan.file("camera_calibration"))
        path = scan.file("camera_image")
        component = "[CameraImageComponent]"
        columns = [_CAMERA, *(f"{component}.{name}" for name in ("image", "pose.transform", "pose_timestamp"))]
        exposures = []
        for row in sorted(_rows(path, columns, scan.stamp), key=lambda row: int(row[_CAMERA])):
            camera = row[_CAMERA]
            if camera not in calibrations:
                raise DataError(f"{scan.file('camera_calibration')}: it has no camera {camera}")
            k, d, camera_to_vehicle = calibrations[camera]
            encoded = row[f"{component}.image"]
            width, height = image_size(encoded, f"{path}: the image of camera {camera} at {scan.stamp}")
            at_image = _transform(row, "[CameraImageComponent].pose", path)
            lidar_to_camera = _OPTICAL @ np.linalg.inv(at_image @ camera_to_vehicle) @ vehicle
            stamp = round(row[f"{component}.pose_timestamp"] * 1e9)
            view = CameraView(k, d, "plumb_bob", width, height, lidar_to_camera)
            name = f"waymo/{scan.segment}/{scan.stamp}/{camera}"
            exposures.append(Exposure(CameraImage(stamp, encoded, None, name=name), view))
        return tuple(exposures)

    def _vehicle(self, scan: _Scan) -> Row:
        return _rows(scan.file("vehicle_pose"), ["[VehiclePoseComponent].world_from_vehicle.transform"], scan.stamp)[0]

    def _returns(self, index: int) -> list[_Return]:
        """The last scan is held: its labels belong to its pixels."""
        if self._held is None or self._held[0] != index:
            self._held = index, self._read(self._scans[index])
        return self._held[1]

    def _read(self, scan: _Scan) -> list[_Return]:
        path, pose_path = scan.file("lidar"), scan.file("lidar_pose")
        vehicle = _transform(
            self._vehicle(scan), "[VehiclePoseComponent].world_from_vehicle", scan.file("vehicle_pose")
        )
        pose_columns = _image_columns("LiDARPoseComponent")[:2]
        (pose_row,) = _rows(pose_path, pose_columns, scan.stamp, {_LASER: _TOP})
        pixel_poses = _image(pose_row, "LiDARPoseComponent", 0, 6, pose_path)
        if pixel_poses is None:
            raise DataError(f"{pose_path}: no pose of a pixel of the scan at {scan.stamp}")
        calibrations = _lidar_calibrations(scan.file("lidar_calibration"))
        rows = sorted(_rows(path, [_LASER, *_image_columns("LiDARComponent")], scan.stamp), key=lambda row: row[_LASER])
        returns = []
        for number in range(2):
            for row in rows:
                image = _image(row, "LiDARComponent", number, 4, path)
                if image is None:
                    continue
                laser = int(row[_LASER])
                if laser not in calibrations:
                    raise DataError(f"{scan.file('lidar_calibration')}: it has no LiDAR {laser}")
                inclinations, lidar_to_vehicle = calibrations[laser].of_rows(image.shape[0])
                hit = image[..., 0] > 0
                xyz = vehicle_points(image[..., 0], inclinations, lidar_to_vehicle)[hit]
                if laser == _TOP:
                    if pixel_poses.shape[:2] != hit.shape:
                        raise DataError(
                            f"{pose_path}: {pixel_poses.shape[:2]} poses for {hit.shape} pixels of the range image at "
                            f"{scan.stamp}"
                        )
                    xyz = at_one_time(xyz, pixel_poses[hit], vehicle)
                fields = np.column_stack([xyz, np.tanh(image[..., 1][hit]), image[..., 2][hit]]).astype(np.float32)
                returns.append(_Return(laser, number, hit, fields))
        if not returns:
            raise DataError(f"{path}: no range image of the scan at {scan.stamp}")
        return returns


@dataclass(frozen=True)
class _LidarCalibration:
    path: Path
    lidar_to_vehicle: npt.NDArray[np.float64]
    inclinations: npt.NDArray[np.float64] | None
    """Of each row, the lowest first; None where they are uniform."""
    lowest: float
    highest: float

    def of_rows(self, rows: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """[rows] inclinations, and lidar_to_vehicle."""
        if self.inclinations is None:
            return uniform_inclinations(self.lowest, self.highest, rows), self.lidar_to_vehicle
        if len(self.inclinations) != rows:
            raise DataError(f"{self.path}: {len(self.inclinations)} inclinations for a range image of {rows} rows")
        return self.inclinations, self.lidar_to_vehicle


def _lidar_calibrations(path: Path) -> dict[int, _LidarCalibration]:
    component = "[LiDARCalibrationComponent]"
    values, low, high = (f"{component}.beam_inclination.{name}" for name in ("values", "min", "max"))
    found = {}
    for row in read_rows(path, [_LASER, f"{component}.extrinsic.transform", values, low, high]):
        listed = row[values]
        inclinations = None if listed is None or len(listed) == 0 else listed.astype(np.float64)
        if inclinations is None and (row[low] is None or row[high] is None):
            raise DataError(f"{path}: LiDAR {row[_LASER]} has neither inclinations of its beams nor their limits")
        matrix = _transform(row, "[LiDARCalibrationComponent].extrinsic", path)
        found[int(row[_LASER])] = _LidarCalibration(path, matrix, inclinations, row[low], row[high])
    return found


_Camera = tuple[npt.NDArray[np.float64], tuple[float, ...], npt.NDArray[np.float64]]


def _camera_calibrations(path: Path) -> dict[int, _Camera]:
    """[3, 3] intrinsics, distortion in OpenCV's order, and [4, 4] from the camera's axes to the vehicle's."""
    component = "[CameraCalibrationComponent]"
    names = ("f_u", "f_v", "c_u", "c_v", "k1", "k2", "p1", "p2", "k3")
    columns = [f"{component}.intrinsic.{name}" for name in names]
    found = {}
    for row in read_rows(path, [_CAMERA, f"{component}.extrinsic.transform", *columns]):
        if any(row[column] is None for column in columns):
            raise DataError(f"{path}: camera {row[_CAMERA]} has not all of {', '.join(names)}")
        fx, fy, cx, cy, *d = (float(row[column]) for column in columns)
        # Pixel 0 is the left edge of the first pixel there, and its centre here.
        k = np.array([[fx, 0, cx - 0.5], [0, fy, cy - 0.5], [0, 0, 1]])
        found[int(row[_CAMERA])] = k, tuple(d), _transform(row, "[CameraCalibrationComponent].extrinsic", path)
    return found


def _rows(path: Path, columns: list[str], stamp: int, where: dict[str, int] | None = None) -> list[Row]:
    """Those of a scan, at least one. Raises DataError when there is none."""
    rows = read_rows(path, columns, {_STAMP: stamp, **(where or {})})
    if not rows:
        raise DataError(f"{path}: nothing there of the scan at {stamp}, which the labels name")
    return rows[:1] if where else rows


def _image_columns(component: str) -> list[str]:
    return [f"[{component}].{name}.{part}" for name in _RETURNS for part in ("values", "shape")]


def _image(row: Row, component: str, number: int, channels: int, path: Path) -> npt.NDArray[Any] | None:
    """[H, W, channels] of one return, None where there is none."""
    values, shape = (row[f"[{component}].{_RETURNS[number]}.{part}"] for part in ("values", "shape"))
    if values is None or shape is None:
        return None
    if len(shape) != 3 or shape[2] != channels or np.prod(shape) != len(values):
        raise DataError(
            f"{path}: {_RETURNS[number]} has {len(values)} values and the shape {list(shape)}, not [H, W, {channels}]"
        )
    image: npt.NDArray[Any] = values.reshape(shape)
    return image


def _transform(row: Row, name: str, path: Path) -> npt.NDArray[np.float64]:
    """[4, 4] of a column of 16 numbers."""
    values = row[f"{name}.transform"]
    if values is None or len(values) != 16:
        raise DataError(f"{path}: {name.split('.')[-1]} is no matrix of 4 x 4")
    return np.asarray(values, np.float64).reshape(4, 4)
