"""ScanNet v2 (scan-net.org), as it is published, with frames that its SensReader has extracted.

scannetv2_train.txt                                   names of the scenes of a split, one in a line
scans/scene0000_00/scene0000_00_vh_clean_2.ply        mesh: x, y, z, red, green, blue of each vertex
scans/scene0000_00/scene0000_00_vh_clean_2.labels.ply the same vertices with `label`, an id of NYU40
scans/scene0000_00/scene0000_00.aggregation.json      segments of each object, with
scans/scene0000_00/scene0000_00_vh_clean_2.0.010000.segs.json those of the vertices: boxes around objects, along the
scans/scene0000_00/scene0000_00.txt                   axes of the room (axisAlignment); need not be there
scans/scene0000_00/color/0.jpg, pose/0.txt            images and camera-to-mesh poses, need not be there
scans/scene0000_00/intrinsic/intrinsic_color.txt      needed with images
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ditr_train.data.boxes import NamedBoxes
from ditr_train.data.dataset import FrameDataset, read_image
from ditr_train.data.errors import DataError
from ditr_train.data.frames import CameraImage, Exposure
from ditr_train.data.learning_map import LearningMap
from ditr_train.data.mesh import vertex_normals
from ditr_train.data.ply import Elements, read_ply
from ditr_train.data.scannet_boxes import scene_boxes
from ditr_train.data.scene_images import evenly_chosen
from ditr_train.geometry.projection import CameraView

_SPLITS = ("train", "val", "test")

_CLASSES = {
    1: "wall",
    2: "floor",
    3: "cabinet",
    4: "bed",
    5: "chair",
    6: "sofa",
    7: "table",
    8: "door",
    9: "window",
    10: "bookshelf",
    11: "picture",
    12: "counter",
    14: "desk",
    16: "curtain",
    24: "refrigerator",
    28: "shower-curtain",
    33: "toilet",
    34: "sink",
    36: "bathtub",
    39: "other-furniture",
}
# VALID_CLASS_IDS_20 of BenchmarkScripts/ScanNet200/scannet200_constants.py in the ScanNet repository: 20 of the ids of
# NYU40. 50 and 149 are no ids of NYU40, but stand in three published scenes (ScanNet issues 20 and 86); the
# benchmark leaves them out.
SCANNET = LearningMap(classes=_CLASSES, raw={raw: raw if raw in _CLASSES else 0 for raw in (*range(41), 50, 149)})


class ScanNet(FrameDataset):
    """The scenes of the split `train`, `val` or `test`: one frame each, the vertices of its mesh."""

    kind = "scannet"
    learning_map = SCANNET
    field_names = ("x", "y", "z", "red", "green", "blue", "normal_x", "normal_y", "normal_z")
    """Metres, colours 0..255, and unit normals of the mesh."""

    def __init__(self, root: Path, split: str) -> None:
        """Raises DataError when the list of the split or the folder of a scene is not there."""
        if split not in _SPLITS:
            raise DataError(f"{self.kind}: the split {split!r} is none of {', '.join(_SPLITS)}")
        self.name = f"{self.kind}:{split}"
        self._has_labels = split != "test"
        scenes = root / f"scannetv2_{split}.txt"
        try:
            names = scenes.read_text(encoding="ascii").split()
        except (OSError, ValueError) as error:
            raise DataError(f"{scenes}: {error}") from error
        folder = root / ("scans" if self._has_labels else "scans_test")
        self._scenes = [folder / name for name in names]
        if not names:
            raise DataError(f"{scenes}: it is empty")
        missing = [scene for scene in self._scenes if not scene.is_dir()]
        if missing:
            raise DataError(f"{scenes}: {len(missing)} of its {len(names)} scenes are not there, such as {missing[0]}")

    def __len__(self) -> int:
        return len(self._scenes)

    def frame_name(self, index: int) -> str:
        return f"scannet/{self._scenes[index].name}"

    def stamp(self, index: int) -> int:
        """0: a scene is no moment."""
        return 0

    def has_images(self, index: int) -> bool:
        return (self._scenes[index] / "color").is_dir()

    def points(self, index: int) -> dict[str, npt.NDArray[Any]]:
        path = self._file(index, "_vh_clean_2.ply")
        mesh = read_ply(path)
        vertices = _element(mesh, "vertex", path)
        fields = {name: _property(vertices, name, path) for name in self.field_names[:6]}
        triangles = _property(_element(mesh, "face", path), "vertex_indices", path)
        xyz = np.stack([fields[axis] for axis in "xyz"], axis=1)
        if triangles.shape[1:] != (3,) or not np.all((triangles >= 0) & (triangles < len(xyz))):
            raise DataError(f"{path}: its faces are not all triangles of its {len(xyz)} vertices")
        normals = vertex_normals(xyz, triangles)
        return fields | {f"normal_{axis}": normals[:, i].copy() for i, axis in enumerate("xyz")}

    def label_file(self, index: int) -> Path:
        if not self._has_labels:
            raise DataError(f"{self.name}: ScanNet publishes no labels of this split")
        return self._file(index, "_vh_clean_2.labels.ply")

    def raw_labels(self, index: int) -> npt.NDArray[Any]:
        return self._vertex_labels(self.label_file(index))

    @staticmethod
    def _vertex_labels(path: Path) -> npt.NDArray[Any]:
        return _property(_element(read_ply(path), "vertex", path), "label", path)

    def exposures(self, index: int) -> tuple[Exposure, ...]:
        """At most MOST_IMAGES images; those whose pose was lost, which ScanNet writes as -inf, are left out."""
        if not self.has_images(index):
            return ()
        scene = self._scenes[index]
        images = sorted((path for path in (scene / "color").glob("*.jpg") if path.stem.isdecimal()), key=_number)
        k = _matrix(scene / "intrinsic" / "intrinsic_color.txt")[:3, :3]
        exposures = []
        for image in evenly_chosen(images):
            pose = _matrix(scene / "pose" / f"{image.stem}.txt")
            if not np.isfinite(pose).all():
                continue
            encoded, width, height = read_image(image)
            view = CameraView(k, (), "none", width, height, _inverse(pose))
            name = f"scannet/{scene.parent.name}/{scene.name}/color/{image.stem}"
            exposures.append(Exposure(CameraImage(0, encoded, None, name=name), view))
        return tuple(exposures)

    def has_boxes(self, index: int) -> bool:
        return self._has_labels and self._file(index, ".aggregation.json").exists()

    def boxes(self, index: int) -> NamedBoxes | None:
        """Called by the names of the classes, those of other categories left out."""
        if not self.has_boxes(index):
            return None
        points = self.points(index)
        xyz = np.stack([points[axis] for axis in "xyz"], axis=1)
        ids = SCANNET.apply(self._vertex_labels(ScanNet.label_file(self, index)))
        return scene_boxes(self._scenes[index], xyz, ids, SCANNET.classes)

    def _file(self, index: int, ending: str) -> Path:
        scene = self._scenes[index]
        return scene / f"{scene.name}{ending}"


def _number(path: Path) -> int:
    return int(path.stem)


def _element(ply: Elements, name: str, path: Path) -> dict[str, npt.NDArray[Any]]:
    if name not in ply:
        raise DataError(f"{path}: it has no element {name}, only {', '.join(ply)}")
    return ply[name]


def _property(element: dict[str, npt.NDArray[Any]], name: str, path: Path) -> npt.NDArray[Any]:
    if name not in element:
        raise DataError(f"{path}: it has no property {name}, only {', '.join(element)}")
    return element[name]


def _matrix(path: Path) -> npt.NDArray[np.float64]:
    """[4, 4] as text."""
    try:
        matrix = np.array(path.read_text(encoding="ascii").split(), np.float64)
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: {error}") from error
    if matrix.size != 16:
        raise DataError(f"{path}: {matrix.size} numbers, a matrix of 4 x 4 is needed")
    return matrix.reshape(4, 4)


def _inverse(pose: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.asarray(np.linalg.inv(pose), np.float64)
