"""Sample folders: what the node would give a network of recorded bags, as `ditr samples` writes it.

The layout is that of docs/training-samples.md.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from ditr_train.config.model_config import CameraTopics, SemanticClass
from ditr_train.data.boxes import NamedBoxes
from ditr_train.data.errors import DataError
from ditr_train.data.frames import CameraImage, Exposure, Frame
from ditr_train.geometry.projection import CameraView, DistortionModel

HEADER = "samples.json"
FORMAT, VERSIONS = "ditr-samples", (1, 2, 3)
"""Version 2 has boxes, 3 poses."""

SCAN = np.dtype(
    [
        *((name, "<i8") for name in ("bag", "stamp", "first_point", "points", "not_measured", "labelled")),
        *((name, "<i8") for name in ("first_view", "views")),
    ]
)
SCAN_WITH_BOXES = np.dtype([*SCAN.descr, ("first_box", "<i8"), ("boxes", "<i8")])
SCAN_WITH_POSE = np.dtype([*SCAN_WITH_BOXES.descr, ("pose", "<f8", (4, 4))])
_SCANS = {1: SCAN, 2: SCAN_WITH_BOXES, 3: SCAN_WITH_POSE}
BOX = np.dtype([("class", "<i8"), ("points", "<i8"), ("center", "<f8", (3,)), ("size", "<f8", (3,)), ("yaw", "<f8")])
VIEW = np.dtype(
    [
        *((name, "<i8") for name in ("camera", "stamp", "width", "height")),
        *((name, "<i8", (2,)) for name in ("picture", "semantic", "regions")),
        ("distortion", "<i8"),
        ("k", "<f8", (3, 3)),
        ("coefficients", "<f8", (14,)),
        ("cloud_to_camera", "<f8", (4, 4)),
    ]
)
_COEFFICIENTS: dict[DistortionModel, int] = {
    "none": 0,
    "plumb_bob": 5,
    "rational_polynomial": 8,
    "thin_prism": 14,
    "equidistant": 4,
}


class SampleFolder:
    """The scans of a folder; arrays are mapped into memory, so that only what is used of them is read."""

    def __init__(self, path: Path) -> None:
        """Raises DataError when the folder holds no samples, or files that do not belong together."""
        self.path = path
        self.name = path.name
        header = _header(path / HEADER)
        try:
            self._bags: list[dict[str, Any]] = header["bags"]
            self.fields = tuple(str(name) for name in header["fields"])
            self.cameras = tuple(str(camera["image_topic"]) for camera in header["cameras"])
            """Topics of the images of its cameras."""
            self._models: list[DistortionModel] = header["distortion_models"]
            points, scans, views = (int(header[name]) for name in ("points", "scans", "views"))
            pictures = int(header["picture_bytes"])
            version = int(header["version"])
            with_boxes = version > 1
            self._box_classes = tuple(str(name) for name in header["box_classes"]) if with_boxes else ()
            boxes = int(header["boxes"]) if with_boxes else 0
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(f"{path / HEADER}: {error!r} is not in it as `ditr samples` writes it") from error
        self._points = self._array("points", np.dtype("<f4"), (points, len(self.fields)))
        self._labels = self._array("labels", np.dtype("<u2"), (points,))
        self._scans = self._array("scans", _SCANS[version], (scans,))
        self._boxes = self._array("boxes", BOX, (boxes,)) if with_boxes else None
        self._views = self._array("views", VIEW, (views,))
        self._pictures = self._array("pictures", np.dtype("u1"), (pictures,))

    def __len__(self) -> int:
        """Number of scans."""
        return len(self._scans)

    def bag(self, index: int) -> str:
        """File name of the bag that the scan is from."""
        return str(self._bags[self._scans[index]["bag"]]["name"])

    def stamp(self, index: int) -> int:
        """Nanoseconds of the scan."""
        return int(self._scans[index]["stamp"])

    def labelled(self, index: int) -> bool:
        """Did the scan's cloud have labels?"""
        return bool(self._scans[index]["labelled"])

    def has_boxes(self, index: int) -> bool:
        """Was there a message of boxes for the scan, be it empty?"""
        return self._boxes is not None and int(self._scans[index]["boxes"]) >= 0

    def pose(self, index: int) -> npt.NDArray[np.float64] | None:
        """[4, 4] from the scan's points to a frame in which the world stands still; None where it is not known."""
        if "pose" not in (self._scans.dtype.names or ()) or not np.isfinite(self._scans[index]["pose"]).all():
            return None
        return np.array(self._scans[index]["pose"])

    def has_images(self, index: int, cameras: Sequence[CameraTopics]) -> bool:
        """Are there images of the scan, of those cameras?"""
        return bool(self._views_of(index, cameras))

    def frame(
        self,
        index: int,
        names: Sequence[str],
        label_field: str,
        cameras: Sequence[CameraTopics],
        *,
        images: bool,
        regions: bool = False,
        boxes: bool = False,
    ) -> Frame:
        """A scan with the named fields, of which `label_field` holds its class ids, and with the images of the cameras
        in their order; of all cameras where none is named.

        Raises DataError when the samples do not have what is asked for.
        """
        scan = self._scans[index]
        first, end = int(scan["first_point"]), int(scan["first_point"] + scan["points"])
        if not 0 <= first < end <= len(self._points):
            raise DataError(f"{self.path}: scan {index} has the points {first} to {end} of {len(self._points)}")
        points = self._points[first:end]
        fields: dict[str, npt.NDArray[Any]] = {}
        for name in names:
            if name == label_field:
                if not self.labelled(index):
                    bag = self._bags[scan["bag"]]
                    raise DataError(
                        f"{self.path}: the cloud of {bag['name']} at {scan['stamp']} had no labels in a field "
                        f"{bag['label_field']}; `ditr samples --label-field NAME` names another"
                    )
                fields[name] = np.array(self._labels[first:end])
            elif name in self.fields:
                fields[name] = np.array(points[:, self.fields.index(name)])
            else:
                raise DataError(f"{self.path}: samples have no field {name}; they have {', '.join(self.fields)}")
        views = self._views_of(index, cameras) if images else []
        exposures = tuple(
            Exposure(self._image(view, semantic=False, regions=regions), self._view(view)) for view in views
        )
        return Frame(
            self.bag(index),
            self.stamp(index),
            fields,
            exposures,
            self.boxes(index) if boxes else None,
            self.pose(index),
        )

    def boxes(self, index: int) -> NamedBoxes | None:
        """Around the objects of a scan; None where it had no message of boxes. Raises DataError for rows that are not
        there."""
        scan = self._scans[index]
        if self._boxes is None or not self.has_boxes(index):
            return None
        first, end = int(scan["first_box"]), int(scan["first_box"] + scan["boxes"])
        rows = self._boxes[first:end]
        if not 0 <= first <= end <= len(self._boxes) or not np.all(
            (rows["class"] >= 0) & (rows["class"] < len(self._box_classes))
        ):
            raise DataError(f"{self.path}: scan {index} has boxes, or classes of them, that are not there")
        return NamedBoxes(
            np.concatenate([rows["center"], rows["size"], rows["yaw"][:, None]], axis=1),
            tuple(self._box_classes[row] for row in rows["class"]),
            np.array(rows["points"]),
        )

    def images(self, cameras: Sequence[CameraTopics]) -> Iterator[tuple[str, CameraImage]]:
        """Each image of the cameras (of all where none is named) once, with class ids where it has them, and the file
        name of its bag."""
        seen: set[int] = set()
        for index in range(len(self)):
            for view in self._views_of(index, cameras):
                if int(view["picture"][0]) not in seen:
                    seen.add(int(view["picture"][0]))
                    yield self.bag(index), self._image(view, semantic=True, regions=False)

    def require_cameras(self, cameras: Sequence[CameraTopics]) -> None:
        """Raises DataError when cameras are named, the samples have images, and none is of a named camera."""
        named = [camera.image for camera in cameras]
        if named and self.cameras and not set(named) & set(self.cameras):
            raise DataError(
                f"{self.path} has images of {', '.join(self.cameras)}, none of {', '.join(named)}, which "
                "topics.cameras of the configuration names; `topics: {cameras: []}` takes all"
            )

    def require_classes(self, classes: Sequence[SemanticClass]) -> None:
        """Raises DataError when a bag says that ids of the configuration's classes stand for others."""
        for bag in self._bags:
            names = {int(entry["id"]): str(entry["name"]) for entry in bag.get("classes", [])}
            for entry in classes:
                if names and names.get(entry.id, entry.name) != entry.name:
                    raise DataError(
                        f"{self.path}: the configuration's class {entry.id} is {entry.name}, that of {bag['name']} is "
                        f"{names[entry.id]}"
                    )

    def _array(self, name: str, dtype: np.dtype[Any], shape: tuple[int, ...]) -> npt.NDArray[Any]:
        path = self.path / f"{name}.npy"
        try:
            array = np.load(path, mmap_mode="r")
        except (OSError, EOFError, ValueError) as error:
            raise DataError(f"{path}: {error}") from error
        if array.dtype != dtype or array.shape != shape:
            raise DataError(
                f"{path} is {array.dtype} {array.shape}, not {dtype} {shape} as {HEADER} beside it says; "
                "make the samples again"
            )
        return np.asarray(array)

    def _views_of(self, index: int, cameras: Sequence[CameraTopics]) -> list[npt.NDArray[Any]]:
        scan = self._scans[index]
        views = list(self._views[scan["first_view"] : scan["first_view"] + scan["views"]])
        if not cameras:
            return views
        by_topic = {self.cameras[view["camera"]]: view for view in views}
        return [by_topic[camera.image] for camera in cameras if camera.image in by_topic]

    def _image(self, view: npt.NDArray[Any], *, semantic: bool, regions: bool) -> CameraImage:
        classes = self._ids(view, "semantic") if semantic else None
        ids = self._ids(view, "regions") if regions else None
        return CameraImage(
            int(view["stamp"]),
            self._file(view, "picture"),
            None if classes is None else _as_bytes(classes, f"{self.path}: class ids of the image at {view['stamp']}"),
            self.cameras[view["camera"]],
            ids,
        )

    def _ids(self, view: npt.NDArray[Any], kind: str) -> npt.NDArray[np.uint16] | None:
        encoded = self._file(view, kind)
        if not encoded:
            return None
        try:
            with Image.open(io.BytesIO(encoded)) as opened:
                return np.asarray(opened).astype(np.uint16)
        except OSError as error:
            raise DataError(f"{self.path}: {kind} of the image at {view['stamp']}: {error}") from error

    def _file(self, view: npt.NDArray[Any], kind: str) -> bytes:
        first, count = (int(value) for value in view[kind])
        if not 0 <= first <= first + count <= len(self._pictures):
            raise DataError(f"{self.path}: {kind} of the image at {view['stamp']} lies outside of pictures.npy")
        return self._pictures[first : first + count].tobytes()

    def _view(self, view: npt.NDArray[Any]) -> CameraView:
        model = self._models[view["distortion"]]
        return CameraView(
            k=np.array(view["k"]),
            d=tuple(float(value) for value in view["coefficients"][: _COEFFICIENTS[model]]),
            model=model,
            width=int(view["width"]),
            height=int(view["height"]),
            lidar_to_camera=np.array(view["cloud_to_camera"]),
        )


def _as_bytes(ids: npt.NDArray[np.uint16], what: str) -> npt.NDArray[np.uint8]:
    if ids.max(initial=0) > np.iinfo(np.uint8).max:
        raise DataError(f"{what} go up to {ids.max()}; images of class ids are read up to 255")
    return ids.astype(np.uint8)


def is_sample_folder(path: Path) -> bool:
    """Does the folder hold samples?"""
    return (path / HEADER).is_file()


def _header(path: Path) -> dict[str, Any]:
    try:
        header = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise DataError(f"{path.parent}: no samples, there is no {HEADER}; `ditr samples` makes them") from None
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: {error}") from error
    found = (header.get("format"), header.get("version")) if isinstance(header, dict) else header
    if found not in [(FORMAT, version) for version in VERSIONS]:
        wanted = f"{FORMAT} of a version of {', '.join(map(str, VERSIONS))}"
        raise DataError(f"{path} is {found}, not {wanted}; make the samples again with this `ditr samples`")
    return dict(header)
