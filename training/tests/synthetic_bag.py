"""A small bag in the layout of the simulator's: a floor, a wall and boxes that only their colour tells apart."""

import io
from pathlib import Path

import numpy as np
from mcap_ros2.writer import Writer
from PIL import Image

HEADER = "std_msgs/Header header"
SEPARATOR = "=" * 80
STD_HEADER = f"""{SEPARATOR}
MSG: std_msgs/Header
builtin_interfaces/Time stamp
string frame_id
{SEPARATOR}
MSG: builtin_interfaces/Time
int32 sec
uint32 nanosec
"""
POINT_CLOUD = f"""{HEADER}
uint32 height
uint32 width
sensor_msgs/PointField[] fields
bool is_bigendian
uint32 point_step
uint32 row_step
uint8[] data
bool is_dense
{SEPARATOR}
MSG: sensor_msgs/PointField
string name
uint32 offset
uint8 datatype
uint32 count
{STD_HEADER}"""
COMPRESSED_IMAGE = f"{HEADER}\nstring format\nuint8[] data\n{STD_HEADER}"
IMAGE = f"""{HEADER}
uint32 height
uint32 width
string encoding
uint8 is_bigendian
uint32 step
uint8[] data
{STD_HEADER}"""
CAMERA_INFO = f"""{HEADER}
uint32 height
uint32 width
string distortion_model
float64[] d
float64[9] k
float64[9] r
float64[12] p
uint32 binning_x
uint32 binning_y
sensor_msgs/RegionOfInterest roi
{SEPARATOR}
MSG: sensor_msgs/RegionOfInterest
uint32 x_offset
uint32 y_offset
uint32 height
uint32 width
bool do_rectify
{STD_HEADER}"""
TF_MESSAGE = f"""geometry_msgs/TransformStamped[] transforms
{SEPARATOR}
MSG: geometry_msgs/TransformStamped
{HEADER}
string child_frame_id
geometry_msgs/Transform transform
{SEPARATOR}
MSG: geometry_msgs/Transform
geometry_msgs/Vector3 translation
geometry_msgs/Quaternion rotation
{SEPARATOR}
MSG: geometry_msgs/Vector3
float64 x
float64 y
float64 z
{SEPARATOR}
MSG: geometry_msgs/Quaternion
float64 x
float64 y
float64 z
float64 w
{STD_HEADER}"""

WIDTH, HEIGHT, FOCAL = 96, 64, 60.0
CAMERA_AHEAD = 0.3
"""Metres from the LiDAR to the camera, along the LiDAR's x axis; both look the same way."""
CLASS_COLORS = {1: (200, 40, 40), 2: (40, 200, 40), 3: (60, 60, 200)}
FLOOR, WALL = 4, 5


def floor_and_boxes(rng: np.random.Generator, count: int = 1200) -> dict[str, np.ndarray]:
    """x forward, y left, z up; boxes of classes 1 to 3 stand in the view of the camera on a floor."""
    parts, labels = [rng.uniform([-12, -12, -1.5], [12, 12, -1.45], (count, 3))], [np.full(count, FLOOR)]
    parts.append(rng.uniform([11.9, -12, -1.5], [12, 12, 3], (count // 2, 3)))
    labels.append(np.full(count // 2, WALL))
    for kind, y in zip(rng.permutation(list(CLASS_COLORS)), (-2.2, 0.0, 2.2), strict=True):
        parts.append(rng.uniform([6, y - 0.8, -1.5], [6.2, y + 0.8, 1.2], (count // 6, 3)))
        labels.append(np.full(count // 6, kind))
    xyz = np.concatenate(parts).astype(np.float32)
    order = rng.permutation(len(xyz))
    return {
        "x": xyz[order, 0],
        "y": xyz[order, 1],
        "z": xyz[order, 2],
        "intensity": rng.uniform(size=len(xyz)).astype(np.float32),
        "ground_truth": np.concatenate(labels)[order].astype(np.uint8),
    }


def render(cloud: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """What a camera at the LiDAR sees: colours [H, W, 3] and class ids [H, W]."""
    colors = np.full((HEIGHT, WIDTH, 3), 128, np.uint8)
    ids = np.zeros((HEIGHT, WIDTH), np.uint8)
    for kind, color in CLASS_COLORS.items():
        of_kind = cloud["ground_truth"] == kind
        depth = cloud["x"][of_kind] - CAMERA_AHEAD
        u = FOCAL * -cloud["y"][of_kind] / depth + (WIDTH - 1) / 2
        v = FOCAL * -cloud["z"][of_kind] / depth + (HEIGHT - 1) / 2
        area = (
            slice(max(0, round(v.min())), round(v.max()) + 1),
            slice(max(0, round(u.min())), round(u.max()) + 1),
        )
        colors[area], ids[area] = color, kind
    return colors, ids


def regions(ids: np.ndarray) -> np.ndarray:
    """Region ids of a rendered image that need 16 bits: one for each box, one above the horizon, one below."""
    above = np.arange(HEIGHT)[:, None] < HEIGHT / 2
    return np.where(ids > 0, np.uint16(300) + ids, np.where(above, 1000, 2000)).astype(np.uint16)


def write_bag(
    path: Path,
    scans: int,
    seed: int,
    *,
    image_every: int = 1,
    image_delay: float = 0.01,
    with_transforms: bool = True,
    with_labels: bool = True,
    raw_images: bool = False,
    with_regions: bool = False,
) -> list[dict[str, np.ndarray]]:
    """Writes a bag and returns its clouds."""
    rng = np.random.default_rng(seed)
    clouds = []
    with path.open("wb") as stream:
        writer = Writer(stream)
        schemas = {
            name: writer.register_msgdef(f"{package}/msg/{name}", definition)
            for package, name, definition in (
                ("sensor_msgs", "PointCloud2", POINT_CLOUD),
                ("sensor_msgs", "CompressedImage", COMPRESSED_IMAGE),
                ("sensor_msgs", "Image", IMAGE),
                ("sensor_msgs", "CameraInfo", CAMERA_INFO),
                ("tf2_msgs", "TFMessage", TF_MESSAGE),
            )
        }

        def write(topic: str, kind: str, stamp: int, message: dict) -> None:
            writer.write_message(topic, schemas[kind], message, log_time=stamp, publish_time=stamp)

        start = 1_700_000_000_000_000_000
        if with_transforms:
            lidar = transform("base_link", "lidar", (1.0, 0.0, 1.8), (0.0, 0.0, 0.0, 1.0))
            # x right, y down, z forward.
            optical = transform(
                "base_link", "camera_front_optical_frame", (1.0 + CAMERA_AHEAD, 0.0, 1.8), (-0.5, 0.5, -0.5, 0.5)
            )
            write("/tf_static", "TFMessage", start, {"transforms": [lidar, optical]})
        for index in range(scans):
            stamp = start + index * 100_000_000
            cloud = floor_and_boxes(rng)
            clouds.append(cloud)
            message = cloud_message(cloud, header(stamp, "lidar"))
            if not with_labels:
                message["fields"] = [field for field in message["fields"] if field["name"] != "ground_truth"]
            write("/lidar/points", "PointCloud2", stamp, message)
            if index % image_every != 0:
                continue
            stamp += int(image_delay * 1e9)
            colors, ids = render(cloud)
            encoded = io.BytesIO()
            Image.fromarray(colors).save(encoded, "JPEG", quality=95)
            frame = header(stamp, "camera_front_optical_frame")
            image = {"header": frame, "height": HEIGHT, "width": WIDTH, "encoding": "mono8", "is_bigendian": 0}
            if raw_images:
                message = image | {"encoding": "rgb8", "step": 3 * WIDTH, "data": colors.tobytes()}
                write("/camera/front/image_raw/compressed", "Image", stamp, message)
            else:
                message = {"header": frame, "format": "jpeg", "data": encoded.getvalue()}
                write("/camera/front/image_raw/compressed", "CompressedImage", stamp, message)
            if with_labels:
                write("/camera/front/semantic", "Image", stamp, image | {"step": WIDTH, "data": ids.tobytes()})
            if with_regions:
                message = image | {"encoding": "mono16", "step": 2 * WIDTH, "data": regions(ids).tobytes()}
                write("/camera/front/regions", "Image", stamp, message)
            k = [FOCAL, 0, (WIDTH - 1) / 2, 0, FOCAL, (HEIGHT - 1) / 2, 0, 0, 1]
            info = {"header": frame, "height": HEIGHT, "width": WIDTH, "distortion_model": "plumb_bob"}
            info |= {"d": [0.0] * 5, "k": k, "r": [1, 0, 0, 0, 1, 0, 0, 0, 1]}
            info |= {"p": [*k[:3], 0, *k[3:6], 0, *k[6:], 0], "binning_x": 0, "binning_y": 0}
            roi = {"x_offset": 0, "y_offset": 0, "height": 0, "width": 0, "do_rectify": False}
            write("/camera/front/camera_info", "CameraInfo", stamp, info | {"roi": roi})
        writer.finish()
    return clouds


def header(stamp: int, frame: str) -> dict:
    return {"stamp": {"sec": stamp // 10**9, "nanosec": stamp % 10**9}, "frame_id": frame}


def transform(parent: str, child: str, t: tuple, q: tuple) -> dict:
    return {
        "header": header(0, parent),
        "child_frame_id": child,
        "transform": {
            "translation": dict(zip("xyz", t, strict=True)),
            "rotation": dict(zip("xyzw", q, strict=True)),
        },
    }


def cloud_message(cloud: dict[str, np.ndarray], frame: dict) -> dict:
    """Points of 20 bytes: three of them, after the label, belong to no field."""
    layout = np.dtype(
        {
            "names": ["x", "y", "z", "intensity", "ground_truth"],
            "formats": ["<f4", "<f4", "<f4", "<f4", "u1"],
            "offsets": [0, 4, 8, 12, 16],
            "itemsize": 20,
        }
    )
    points = np.zeros(len(cloud["x"]), layout)
    for name, values in cloud.items():
        points[name] = values
    fields = [
        {"name": name, "offset": 4 * i, "datatype": 7 if i < 4 else 2, "count": 1}
        for i, name in enumerate(layout.names)
    ]
    return {
        "header": frame,
        "height": 1,
        "width": len(points),
        "fields": fields,
        "is_bigendian": False,
        "point_step": 20,
        "row_step": 20 * len(points),
        "data": points.tobytes(),
        "is_dense": True,
    }
