"""Labelled clouds and camera images of an MCAP bag, joined by time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from mcap.exceptions import McapError
from mcap.reader import make_reader
from mcap_ros2.decoder import DecoderFactory

from ditr_train.config.model_config import CameraTopics, TopicsConfig
from ditr_train.data.errors import DataError
from ditr_train.data.point_cloud import cloud_fields
from ditr_train.data.raw_image import decode_mono, encode_raw
from ditr_train.data.static_transforms import StaticTransforms
from ditr_train.geometry.projection import CameraView, DistortionModel


@dataclass(frozen=True)
class CameraImage:
    """One image of the camera."""

    stamp: int
    """Nanoseconds."""
    encoded: bytes
    """JPEG or PNG."""
    semantic: npt.NDArray[np.uint8] | None
    """[height, width] class ids, where the bag has them."""
    topic: str = ""
    regions: npt.NDArray[np.uint16] | None = None
    """[height, width] region ids, where the bag has them and the configuration names their topic."""


@dataclass(frozen=True)
class Exposure:
    """An image, and its camera as seen from a cloud."""

    image: CameraImage
    view: CameraView


@dataclass(frozen=True)
class Frame:
    """A cloud, and of each camera the image nearest in time if there is one within the tolerance."""

    bag: str
    stamp: int
    """Nanoseconds; of a spinning LiDAR the start of the scan."""
    fields: dict[str, npt.NDArray[Any]]
    """[N] each"""
    exposures: tuple[Exposure, ...]
    """In the order of the cameras; static extrinsics, the motion within the tolerance is left out."""


def read_images(path: Path, topics: TopicsConfig) -> list[CameraImage]:
    """All images of a bag, camera by camera in the order of their stamps, with their semantic images."""
    messages = _Messages(path, {topic for camera in topics.cameras for topic in (camera.image, camera.semantic)})
    return [image for camera in topics.cameras for image in messages.images(camera)]


def read_frames(
    path: Path, topics: TopicsConfig, field_names: list[str], *, labels_needed: bool = True
) -> Iterator[Frame]:
    """The clouds of a bag in the order of their messages, with the named fields; without the label field where a cloud
    has none, if `labels_needed` is false.

    Raises DataError when the bag has no clouds, or images without what is needed to project into them.
    """
    camera_topics = {topic for camera in topics.cameras for topic in (camera.image, camera.camera_info, camera.regions)}
    messages = _Messages(path, {topics.cloud, "/tf_static"} | camera_topics)
    clouds = messages.of(topics.cloud)
    if not clouds:
        raise DataError(f"{path}: no messages on {topics.cloud}; the bag has {', '.join(messages.topics)}")
    transforms = StaticTransforms()
    for message in messages.of("/tf_static"):
        transforms.add(message)
    cameras = [_Camera(camera, messages, transforms) for camera in topics.cameras]
    for cloud in clouds:
        stamp = _stamp(cloud)
        try:
            there = labels_needed or topics.label_field in {field.name for field in cloud.fields}
            names = [name for name in field_names if there or name != topics.label_field]
            fields = cloud_fields(cloud, names)
            found = [camera.exposure(stamp, cloud.header.frame_id) for camera in cameras]
        except DataError as error:
            raise DataError(f"{path}, cloud at {stamp}: {error}") from error
        yield Frame(path.name, stamp, fields, tuple(exposure for exposure in found if exposure is not None))


class _Messages:
    """Decoded messages of some topics of a bag, in the order of log time."""

    def __init__(self, path: Path, wanted: set[str]) -> None:
        self._by_topic: dict[str, list[Any]] = {}
        try:
            with path.open("rb") as stream:
                reader = make_reader(stream, decoder_factories=[DecoderFactory()])
                summary = reader.get_summary()
                self.topics = sorted({channel.topic for channel in summary.channels.values()}) if summary else []
                for _, channel, _, message in reader.iter_decoded_messages(topics=sorted(wanted)):
                    self._by_topic.setdefault(channel.topic, []).append(message)
        except (OSError, McapError) as error:
            raise DataError(f"{path}: {error}") from error

    def of(self, topic: str) -> list[Any]:
        return self._by_topic.get(topic, [])

    def images(self, camera: CameraTopics) -> list[CameraImage]:
        semantic = {_stamp(message): message for message in self.of(camera.semantic)}
        regions = {_stamp(message): message for message in self.of(camera.regions)}
        images = []
        for message in self.of(camera.image):
            stamp = _stamp(message)
            classes = decode_mono(semantic[stamp], camera.semantic, "mono8") if stamp in semantic else None
            ids = decode_mono(regions[stamp], camera.regions, "mono16", "mono8") if stamp in regions else None
            # sensor_msgs/CompressedImage has a format instead of an encoding.
            raw = hasattr(message, "encoding")
            encoded = encode_raw(message, camera.image) if raw else bytes(message.data)
            region_ids = None if ids is None else ids.astype(np.uint16)
            images.append(CameraImage(stamp, encoded, classes, camera.image, region_ids))
        return sorted(images, key=lambda image: image.stamp)


class _Camera:
    """The images of one camera, to be found by time."""

    def __init__(self, topics: CameraTopics, messages: _Messages, transforms: StaticTransforms) -> None:
        self.topics = topics
        self.transforms = transforms
        self.images = messages.images(topics)
        self.stamps = np.array([image.stamp for image in self.images], np.int64)
        self.infos = messages.of(topics.camera_info)

    def exposure(self, cloud_stamp: int, cloud_frame: str) -> Exposure | None:
        """The image that belongs to a cloud."""
        if not self.images:
            return None
        wanted = cloud_stamp + round(self.topics.offset * 1e9)
        nearest = int(np.abs(self.stamps - wanted).argmin())
        if abs(int(self.stamps[nearest]) - wanted) > self.topics.tolerance * 1e9:
            return None
        if not self.infos:
            raise DataError(f"images on {self.topics.image}, but no camera info on {self.topics.camera_info}")
        info = self.infos[0]
        to_camera = self.transforms.lookup(info.header.frame_id, cloud_frame)
        return Exposure(self.images[nearest], _camera_view(info, to_camera))


def _stamp(message: Any) -> int:
    stamp = message.header.stamp
    return int(stamp.sec) * 1_000_000_000 + int(stamp.nanosec)


def _camera_view(info: Any, lidar_to_camera: npt.NDArray[np.float64]) -> CameraView:
    models: dict[str, DistortionModel] = {
        "": "none",
        "plumb_bob": "plumb_bob",
        "rational_polynomial": "rational_polynomial",
        "equidistant": "equidistant",
    }
    if info.distortion_model not in models:
        raise DataError(f"distortion model {info.distortion_model!r} is not one of {', '.join(filter(None, models))}")
    if info.roi.width or info.roi.height or info.binning_x > 1 or info.binning_y > 1:
        raise DataError("images with binning or a region of interest are not read here")
    coefficients = tuple(float(value) for value in info.d)
    model = models[info.distortion_model] if any(coefficients) else "none"
    return CameraView(
        k=np.array(info.k, np.float64).reshape(3, 3),
        d=coefficients if model != "none" else (),
        model=model,
        width=int(info.width),
        height=int(info.height),
        lidar_to_camera=lidar_to_camera,
    )
