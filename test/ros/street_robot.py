"""A small robot with one LiDAR and one camera that tests can break in many ways; it knows nothing of this project."""

import array
import time

import numpy as np
import rclpy
from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import TransformStamped
from rcl_interfaces.msg import Log
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, Image, PointCloud2, PointField
from tf2_msgs.msg import TFMessage

RELIABLE = QoSProfile(depth=20, reliability=ReliabilityPolicy.RELIABLE)
LATCHED = QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE, durability=DurabilityPolicy.TRANSIENT_LOCAL)
WIDTH, HEIGHT = 320, 160
LEVELS = {b"\x00": "OK", b"\x01": "WARN", b"\x02": "ERROR", b"\x03": "STALE"}


def street_points(count: int = 3000) -> np.ndarray:
    """x, y, z, intensity: flat ground with a wall ahead, metres in the frame of the LiDAR."""
    random = np.random.default_rng(7)
    ground = np.column_stack(
        [random.uniform(2, 25, count // 2), random.uniform(-10, 10, count // 2), np.full(count // 2, -1.7)]
    )
    wall = np.column_stack(
        [np.full(count // 2, 20.0), random.uniform(-10, 10, count // 2), random.uniform(-1.7, 3, count // 2)]
    )
    xyz = np.vstack([ground, wall])
    return np.column_stack([xyz, np.full(len(xyz), 0.3)]).astype("<f4")


def ros_time(stamp: int) -> Time:
    return Time(sec=stamp // 10**9, nanosec=stamp % 10**9)


def nanoseconds(stamp: Time) -> int:
    return stamp.sec * 10**9 + stamp.nanosec


class StreetRobot(Node):
    """Publishes a LiDAR, a camera, transforms and the clock as told, and keeps all that comes back."""

    def __init__(self) -> None:
        super().__init__("street_robot")
        self.points = street_points()
        self.cloud_publisher = self.create_publisher(PointCloud2, "/points", RELIABLE)
        self.image_publisher = self.create_publisher(Image, "/front/image_raw", RELIABLE)
        self.info_publisher = self.create_publisher(CameraInfo, "/front/camera_info", RELIABLE)
        self.transform_publisher = self.create_publisher(TFMessage, "/tf", RELIABLE)
        self.static_publisher = self.create_publisher(TFMessage, "/tf_static", LATCHED)
        self.clock_publisher = self.create_publisher(Clock, "/clock", RELIABLE)
        self.labelled: list[PointCloud2] = []
        self.diagnostics: list[tuple[float, DiagnosticArray]] = []
        self.logs: list[str] = []
        self.create_subscription(PointCloud2, "/ditr_perception/points_labelled", self.labelled.append, RELIABLE)
        self.create_subscription(DiagnosticArray, "/diagnostics", self._diagnosed, RELIABLE)
        self.create_subscription(Log, "/rosout", lambda log: self.logs.append(log.msg), RELIABLE)
        self.statuses: list = []
        try:
            from ditr_perception.msg import ScanStatus
        except ImportError:
            return
        self.create_subscription(ScanStatus, "/ditr_perception/status", self.statuses.append, RELIABLE)

    def _diagnosed(self, message: DiagnosticArray) -> None:
        self.diagnostics.append((time.monotonic(), message))

    # What the robot sends.

    def cloud(self, stamp: int, points: np.ndarray | None = None) -> PointCloud2:
        points = self.points if points is None else points
        fields = [
            PointField(name=n, offset=4 * i, datatype=PointField.FLOAT32, count=1)
            for i, n in enumerate(["x", "y", "z", "intensity"])
        ]
        message = PointCloud2(
            height=1, width=len(points), fields=fields, point_step=16, row_step=16 * len(points), is_dense=True
        )
        message.header.stamp = ros_time(stamp)
        message.header.frame_id = "lidar"
        message.data = array.array("B", points.astype("<f4").tobytes())
        return message

    def image(self, stamp: int, frame: str = "front_optical_frame", width: int = WIDTH, height: int = HEIGHT) -> Image:
        message = Image(width=width, height=height, encoding="rgb8", step=3 * width)
        message.header.stamp = ros_time(stamp)
        message.header.frame_id = frame
        message.data = array.array("B", np.full(3 * width * height, 120, np.uint8).tobytes())
        return message

    def send_info(self, stamp: int) -> None:
        info = CameraInfo(width=WIDTH, height=HEIGHT, distortion_model="plumb_bob", d=[0.0] * 5)
        info.header.stamp = ros_time(stamp)
        info.header.frame_id = "front_optical_frame"
        info.k = [160.0, 0.0, 160.0, 0.0, 160.0, 80.0, 0.0, 0.0, 1.0]
        info.r = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]
        info.p = [160.0, 0.0, 160.0, 0.0, 0.0, 160.0, 80.0, 0.0, 0.0, 0.0, 1.0, 0.0]
        self.info_publisher.publish(info)

    def send_static(self, child: str = "front_optical_frame") -> None:
        """The camera looks forward from the LiDAR's place: optical x = -y, y = -z, z = x."""
        transform = TransformStamped()
        transform.header.frame_id = "lidar"
        transform.child_frame_id = child
        rotation = transform.transform.rotation
        rotation.x, rotation.y, rotation.z, rotation.w = -0.5, 0.5, -0.5, 0.5
        self.static_publisher.publish(TFMessage(transforms=[transform]))

    def send_odometry(self, stamp: int) -> None:
        transform = TransformStamped()
        transform.header.stamp = ros_time(stamp)
        transform.header.frame_id = "odom"
        transform.child_frame_id = "lidar"
        transform.transform.translation.x = 8e-9 * (stamp % 10**12)
        transform.transform.rotation.w = 1.0
        self.transform_publisher.publish(TFMessage(transforms=[transform]))

    def send_frame(self, stamp: int, *, image: Image | None = None, with_image: bool = True) -> None:
        """The image first: between two messages a busy machine may stop for longer than a scan waits for its images."""
        self.send_info(stamp)
        if with_image:
            self.image_publisher.publish(self.image(stamp) if image is None else image)
        self.cloud_publisher.publish(self.cloud(stamp))

    # Waiting and looking.

    def spin(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            rclpy.spin_once(self, timeout_sec=min(left, 0.05))

    def spin_until(self, condition, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                return False
            rclpy.spin_once(self, timeout_sec=0.05)
        return True

    def connections(self) -> dict:
        """Who hears the robot, with what reliability, and how many of its subscriptions the node knows."""
        publishers = [
            self.cloud_publisher,
            self.image_publisher,
            self.info_publisher,
            self.transform_publisher,
            self.static_publisher,
            self.clock_publisher,
        ]
        return {
            "heard": {publisher.topic_name: publisher.get_subscription_count() for publisher in publishers},
            "reliabilities": {
                topic: [info.qos_profile.reliability.name for info in self.get_subscriptions_info_by_topic(topic)]
                for topic in ["/points", "/front/image_raw"]
            },
            "listeners": self.diagnosis("labelling")["values"].get("Listeners"),
        }

    def is_connected(self, with_clock: bool) -> bool:
        """Does the node hear all that the robot sends, reliably where it adapts to that, and know who listens to it?"""
        connections = self.connections()
        heard = connections["heard"]
        if not with_clock:
            del heard["/clock"]
        return (
            all(count == 1 for count in heard.values())
            and all(found == ["RELIABLE"] for found in connections["reliabilities"].values())
            and connections["listeners"] == "2"
        )

    def labelled_at(self, stamp: int) -> PointCloud2 | None:
        return next((cloud for cloud in self.labelled if nanoseconds(cloud.header.stamp) == stamp), None)

    def status_at(self, stamp: int):
        return next((status for status in self.statuses if nanoseconds(status.header.stamp) == stamp), None)

    def is_finished(self, stamp: int) -> bool:
        """The status follows the cloud."""
        return self.labelled_at(stamp) is not None and self.status_at(stamp) is not None

    def labels(self, stamp: int) -> np.ndarray:
        cloud = self.labelled_at(stamp)
        (field,) = [field for field in cloud.fields if field.name == "label"]
        data = np.frombuffer(bytes(cloud.data), np.uint8).reshape(-1, cloud.point_step)
        return data[:, field.offset]

    def time_of_node(self) -> int:
        """As its newest diagnostics have it, nanoseconds; 0 before the first."""
        return nanoseconds(self.diagnostics[-1][1].header.stamp) if self.diagnostics else 0

    def diagnosis(self, subject: str) -> dict:
        """The newest status whose name ends so: level, message and values."""
        for _, message in reversed(self.diagnostics):
            for status in message.status:
                if status.name.endswith(subject):
                    values = {pair.key: pair.value for pair in status.values}
                    return {"level": LEVELS[status.level], "message": status.message, "values": values}
        return {"level": "none", "message": "", "values": {}}

    def diagnosis_until(self, subject: str, condition, seconds: float = 8.0) -> dict:
        """The first diagnosis from now on that fulfils the condition, or the last that came."""
        self.diagnostics.clear()
        self.spin_until(lambda: condition(self.diagnosis(subject)), seconds)
        return self.diagnosis(subject)
