"""Compares the message codec with rosbags.

In: `<Type>_<little|big>.npy` CDR bytes written by the codec; options: {"definitions": {type: schema text}}.
Asserts that rosbags reads from them the values written out below, and that it understands the schema
texts as it knows the types itself. Out: the CDR bytes that rosbags writes, under the same names.
"""

import json
import sys
from pathlib import Path

import numpy as np
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

folder = Path(sys.argv[1])
definitions = json.loads((folder / "options.json").read_text())["definitions"]
humble = get_typestore(Stores.ROS2_HUMBLE)

# The schema texts: type hashes (REP-2011) cover names, order and types of all fields.
ours = get_typestore(Stores.EMPTY)
for name, text in definitions.items():
    ours.register(get_types_from_msg(text, name))
# Types that rosbags does not know itself; ours from the files that colcon builds.
msg = Path(__file__).parents[2] / "msg"
for name in ("CameraUse", "ScanStatus"):
    humble.register(get_types_from_msg((msg / f"{name}.msg").read_text(), f"ditr_perception/msg/{name}"))
for name in definitions:
    if not name.startswith("vision_msgs"):
        assert ours.hash_rihs01(name) == humble.hash_rihs01(name), name
# vision_msgs is not among rosbags' own types; this is its definition in the package (branch ros2).
humble.register(get_types_from_msg("uint16 class_id\nstring class_name", "vision_msgs/msg/VisionClass"))
humble.register(
    get_types_from_msg(
        "std_msgs/Header header\nvision_msgs/VisionClass[] class_map\nfloat32 threshold",
        "vision_msgs/msg/LabelInfo",
    )
)
VISION = {
    "ObjectHypothesis": "string class_id\nfloat64 score",
    "ObjectHypothesisWithPose": "ObjectHypothesis hypothesis\ngeometry_msgs/PoseWithCovariance pose",
    "BoundingBox3D": "geometry_msgs/Pose center\ngeometry_msgs/Vector3 size",
    "Detection3D": "std_msgs/Header header\nObjectHypothesisWithPose[] results\nBoundingBox3D bbox\nstring id",
    "Detection3DArray": "std_msgs/Header header\nDetection3D[] detections",
}
types = {}
for name, text in VISION.items():
    types.update(get_types_from_msg(text, f"vision_msgs/msg/{name}"))
humble.register(types)
for name in ("LabelInfo", "Detection3DArray"):
    assert ours.hash_rihs01(f"vision_msgs/msg/{name}") == humble.hash_rihs01(f"vision_msgs/msg/{name}"), name

t = humble.types
Header = t["std_msgs/msg/Header"]
Time = t["builtin_interfaces/msg/Time"]
PointField = t["sensor_msgs/msg/PointField"]
TransformStamped = t["geometry_msgs/msg/TransformStamped"]
Transform = t["geometry_msgs/msg/Transform"]
Vector3 = t["geometry_msgs/msg/Vector3"]
Quaternion = t["geometry_msgs/msg/Quaternion"]
DiagnosticStatus = t["diagnostic_msgs/msg/DiagnosticStatus"]
KeyValue = t["diagnostic_msgs/msg/KeyValue"]
CameraUse = t["ditr_perception/msg/CameraUse"]
Duration = t["builtin_interfaces/msg/Duration"]
VisionClass = t["vision_msgs/msg/VisionClass"]
Point = t["geometry_msgs/msg/Point"]
Pose = t["geometry_msgs/msg/Pose"]
PoseWithCovariance = t["geometry_msgs/msg/PoseWithCovariance"]
Box = t["vision_msgs/msg/BoundingBox3D"]
Detection3D = t["vision_msgs/msg/Detection3D"]
Hypothesis = t["vision_msgs/msg/ObjectHypothesis"]
HypothesisWithPose = t["vision_msgs/msg/ObjectHypothesisWithPose"]
Marker = t["visualization_msgs/msg/Marker"]
Color = t["std_msgs/msg/ColorRGBA"]
NO_TEXTURE = t["sensor_msgs/msg/CompressedImage"](Header(Time(0, 0), ""), "", np.array([], dtype=np.uint8))
NO_MESH = t["visualization_msgs/msg/MeshFile"]("", np.array([], dtype=np.uint8))

header = Header(Time(1_700_000_001, 987_654_321), "lidar_tópico_車")
messages = {
    "std_msgs/msg/Header": header,
    "sensor_msgs/msg/PointCloud2": t["sensor_msgs/msg/PointCloud2"](
        header,
        2,
        3,
        [
            PointField("z", 7, PointField.FLOAT32, 1),
            PointField("x", 1, PointField.INT16, 1),
            PointField("y", 3, PointField.FLOAT32, 1),
            PointField("ring", 0, PointField.UINT8, 1),
        ],
        False,
        11,
        38,
        np.array([(i * 37 + 11) % 251 for i in range(76)], dtype=np.uint8),
        True,
    ),
    "sensor_msgs/msg/Image": t["sensor_msgs/msg/Image"](
        header, 2, 3, "bgr8", 1, 12, np.array([200 - i for i in range(24)], dtype=np.uint8)
    ),
    "sensor_msgs/msg/CompressedImage": t["sensor_msgs/msg/CompressedImage"](
        header,
        "bgr8; jpeg compressed bgr8",
        np.array([0xFF, 0xD8, 0xFF, 0xE0, 1, 2, 3], dtype=np.uint8),
    ),
    "sensor_msgs/msg/CameraInfo": t["sensor_msgs/msg/CameraInfo"](
        header,
        375,
        1242,
        "plumb_bob",
        np.array([-0.37, 0.2, 0.001, -0.002, -0.07]),
        np.array([721.5, 0, 609.5, 0, 722.5, 172.8, 0, 0, 1]),
        np.array([0.9, 0.1, 0.2, 0.3, 0.8, 0.4, 0.5, 0.6, 0.7]),
        np.array([721.25, 0, 609.25, 44.8, 0, 722.25, 172.5, 0.2, 0, 0, 1, 0.003]),
        2,
        4,
        t["sensor_msgs/msg/RegionOfInterest"](10, 20, 300, 1000, True),
    ),
    "tf2_msgs/msg/TFMessage": t["tf2_msgs/msg/TFMessage"](
        [
            TransformStamped(header, "cam", Transform(Vector3(1.5, -2.25, 3.0), Quaternion(0.5, -0.5, 0.5, 0.5))),
            TransformStamped(
                Header(Time(-1, 999_999_999), ""),
                "imu_link",
                Transform(Vector3(0.0, 1e-9, -1e9), Quaternion(0.0, 0.0, 0.0, 1.0)),
            ),
        ]
    ),
    "vision_msgs/msg/LabelInfo": t["vision_msgs/msg/LabelInfo"](
        header, [VisionClass(0, "road"), VisionClass(65535, "unlabeled")], 0.25
    ),
    "vision_msgs/msg/Detection3DArray": t["vision_msgs/msg/Detection3DArray"](
        header,
        [
            Detection3D(
                Header(Time(5, 6), "lidar"),
                [
                    HypothesisWithPose(
                        Hypothesis("bicyclist", 0.875),
                        PoseWithCovariance(
                            Pose(Point(1.5, -2.5, 0.25), Quaternion(0.0, 0.0, 0.6, 0.8)), np.arange(36) / 8
                        ),
                    ),
                    HypothesisWithPose(
                        Hypothesis("人", 0.125),
                        PoseWithCovariance(
                            Pose(Point(1.0, 2.0, 3.0), Quaternion(0.5, -0.5, 0.5, 0.5)), -np.arange(36.0)
                        ),
                    ),
                ],
                Box(Pose(Point(10.25, -20.5, 0.75), Quaternion(0.0, 0.0, -0.8, 0.6)), Vector3(1.75, 0.625, 1.875)),
                "actor 7",
            ),
            Detection3D(
                Header(Time(0, 0), ""),
                [],
                Box(Pose(Point(0.0, 0.0, 1e9), Quaternion(0.0, 0.0, 0.0, 1.0)), Vector3(4.5, 1.8, 1.5)),
                "",
            ),
        ],
    ),
    "visualization_msgs/msg/MarkerArray": t["visualization_msgs/msg/MarkerArray"](
        [
            Marker(
                header,
                "boxes",
                -7,
                Marker.LINE_LIST,
                Marker.ADD,
                Pose(Point(3.5, -4.25, 5.0), Quaternion(0.0, 0.0, 0.6, 0.8)),
                Vector3(0.0625, 2.0, 3.0),
                Color(0.25, 0.5, 0.75, 0.875),
                Duration(0, 250_000_001),
                True,
                [Point(1.0, 2.0, 3.0), Point(-1.0, -2.0, -3.5)],
                [Color(1.0, 0.0, 0.5, 1.0), Color(0.0, 1.0, 0.125, 0.25)],
                "",
                NO_TEXTURE,
                [],
                "",
                "",
                NO_MESH,
                False,
            ),
            Marker(
                Header(Time(0, 1), "l"),
                "",
                2_000_000_000,
                Marker.TEXT_VIEW_FACING,
                Marker.DELETEALL,
                Pose(Point(0.0, 0.0, 0.0), Quaternion(0.0, 0.0, 0.0, 1.0)),
                Vector3(0.0, 0.0, 0.5),
                Color(1.0, 1.0, 1.0, 1.0),
                Duration(0, 0),
                False,
                [],
                [],
                "",
                NO_TEXTURE,
                [],
                "Fußgänger 87 %",
                "",
                NO_MESH,
                False,
            ),
        ]
    ),
    "rosgraph_msgs/msg/Clock": t["rosgraph_msgs/msg/Clock"](Time(1_234_567_890, 321)),
    "diagnostic_msgs/msg/DiagnosticArray": t["diagnostic_msgs/msg/DiagnosticArray"](
        Header(header.stamp, ""),
        [
            DiagnosticStatus(
                1,
                "ditr_perception: camera front",
                "delta of 51.2 ms zu groß",
                "robot-7",
                [KeyValue("Rate (Hz)", "12.1"), KeyValue("", "")],
            ),
            DiagnosticStatus(3, "a", "", "", []),
        ],
    ),
    "ditr_perception/msg/ScanStatus": t["ditr_perception/msg/ScanStatus"](
        header,
        "image-free",
        "too-few-images",
        [
            CameraUse("front", True, Duration(0, 12_345_678), ""),
            CameraUse("rear_左", False, Duration(0, 0), "inactive"),
            CameraUse("l", True, Duration(-1, 999_999_999), ""),
        ],
        0.375,
        123_397,
        4_000_000_000,
        7,
        1.5,
        21.25,
        3.125,
        4.0625,
        55.5,
        66.75,
        9.5,
        7.875,
        161.03125,
    ),
}
assert set(messages) == set(definitions), "a type is not compared"


def same(a: object, b: object) -> bool:
    if isinstance(a, np.ndarray):
        return isinstance(b, np.ndarray) and a.dtype == b.dtype and np.array_equal(a, b)
    if isinstance(a, list):
        return isinstance(b, list) and len(a) == len(b) and all(map(same, a, b))
    if hasattr(a, "__dataclass_fields__"):
        return all(same(getattr(a, name), getattr(b, name)) for name in a.__dataclass_fields__)
    return a == b


(folder / "out").mkdir()
for type_name, message in messages.items():
    for order in ("little", "big"):
        name = f"{type_name.split('/')[-1]}_{order}"
        read = humble.deserialize_cdr(np.load(folder / f"{name}.npy").tobytes(), type_name)
        assert same(message, read), f"{name}: {read}"
        written = humble.serialize_cdr(message, type_name, little_endian=order == "little")
        np.save(folder / "out" / f"{name}.npy", np.frombuffer(written, dtype=np.uint8))
