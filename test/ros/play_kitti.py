"""Plays a KITTI raw drive over ROS 2 as a robot would, and keeps what comes back.

It knows KITTI's files and ROS messages, nothing of this project but two topic names:
`play_kitti.py DAY OUT [--rate HZ] [--lockstep]` publishes the drive in the folder of a day on /points,
/front/image_rect_color/compressed, /front/camera_info and /tf_static, collects /ditr_perception/points_labelled, and
writes the labels of each cloud to OUT/<stamp>.label (uint8). The last line of stdout is JSON: published, received,
superseded (as /diagnostics says), problems, and latencies in milliseconds.
"""

import argparse
import json
import pathlib
import sys
import time

import numpy as np
import rclpy
from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import TransformStamped
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, CompressedImage, PointCloud2, PointField
from tf2_msgs.msg import TFMessage

RELIABLE = QoSProfile(depth=20, reliability=ReliabilityPolicy.RELIABLE)
LATCHED = QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE, durability=DurabilityPolicy.TRANSIENT_LOCAL)
NUMPY_TYPES = {1: "i1", 2: "u1", 3: "<i2", 4: "<u2", 5: "<i4", 6: "<u4", 7: "<f4", 8: "<f8"}


def calibration(file: pathlib.Path) -> dict[str, np.ndarray]:
    """The entries of a KITTI calibration file that are numbers."""
    entries = {}
    for line in file.read_text().splitlines():
        name, _, values = line.partition(":")
        try:
            entries[name] = np.array([float(value) for value in values.split()])
        except ValueError:
            continue
    return entries


def quaternion(r: np.ndarray) -> np.ndarray:
    """x, y, z, w of a rotation matrix, by the eigenvector of Bar-Itzhack's K3 matrix."""
    k = np.array(
        [
            [r[0, 0] - r[1, 1] - r[2, 2], r[0, 1] + r[1, 0], r[0, 2] + r[2, 0], r[2, 1] - r[1, 2]],
            [r[0, 1] + r[1, 0], r[1, 1] - r[0, 0] - r[2, 2], r[1, 2] + r[2, 1], r[0, 2] - r[2, 0]],
            [r[0, 2] + r[2, 0], r[1, 2] + r[2, 1], r[2, 2] - r[0, 0] - r[1, 1], r[1, 0] - r[0, 1]],
            [r[2, 1] - r[1, 2], r[0, 2] - r[2, 0], r[1, 0] - r[0, 1], r[0, 0] + r[1, 1] + r[2, 2]],
        ]
    )
    return np.linalg.eigh(k / 3)[1][:, -1]


class Drive:
    """Scans, images and calibration of the only drive of a day."""

    def __init__(self, day: pathlib.Path) -> None:
        (drive,) = [folder for folder in day.iterdir() if folder.is_dir()]
        self.scans = sorted((drive / "velodyne_points" / "data").glob("*.bin"))
        self.images = sorted((drive / "image_02" / "data").glob("*.png"))
        self.scan_stamps = self._stamps(drive / "velodyne_points" / "timestamps.txt")
        self.image_stamps = self._stamps(drive / "image_02" / "timestamps.txt")
        cameras = calibration(day / "calib_cam_to_cam.txt")
        velodyne = calibration(day / "calib_velo_to_cam.txt")
        self.projection = cameras["P_rect_02"].reshape(3, 4)
        self.k = self.projection[:, :3]
        self.size = [int(value) for value in cameras["S_rect_02"]]
        rigid = np.eye(4)
        rigid[:3, :3] = velodyne["R"].reshape(3, 3)
        rigid[:3, 3] = velodyne["T"]
        rectify = np.eye(4)
        rectify[:3, :3] = cameras["R_rect_00"].reshape(3, 3)
        offset = np.eye(4)
        offset[:3, 3] = np.linalg.solve(self.k, self.projection[:, 3])
        # Maps velodyne coordinates to the camera's; the files' rotations are rounded to some digits.
        self.camera_from_velodyne = offset @ rectify @ rigid

    @staticmethod
    def _stamps(file: pathlib.Path) -> list[int]:
        stamps = []
        for line in file.read_text().split("\n"):
            if line:
                second, fraction = line.split(".")
                stamps.append(
                    int(np.datetime64(second.replace(" ", "T"), "s").astype(int)) * 10**9 + int(fraction.ljust(9, "0"))
                )
        return stamps


def ros_time(stamp: int) -> Time:
    return Time(sec=stamp // 10**9, nanosec=stamp % 10**9)


class Robot(Node):
    def __init__(self, drive: Drive) -> None:
        super().__init__("kitti_robot")
        self.drive = drive
        self.clouds = self.create_publisher(PointCloud2, "/points", RELIABLE)
        self.images = self.create_publisher(CompressedImage, "/front/image_rect_color/compressed", RELIABLE)
        self.infos = self.create_publisher(CameraInfo, "/front/camera_info", RELIABLE)
        self.static = self.create_publisher(TFMessage, "/tf_static", LATCHED)
        self.labelled: list[tuple[PointCloud2, float]] = []
        self.create_subscription(
            PointCloud2,
            "/ditr_perception/points_labelled",
            lambda m: self.labelled.append((m, time.monotonic())),
            RELIABLE,
        )
        self.create_subscription(DiagnosticArray, "/diagnostics", self._diagnosed, RELIABLE)
        self.sent_at: dict[int, float] = {}
        self.superseded = 0

    def _diagnosed(self, message: DiagnosticArray) -> None:
        for status in message.status:
            for pair in status.values:
                if status.name == "ditr_perception: labelling" and pair.key == "Superseded":
                    self.superseded = int(pair.value)

    def publish_static(self) -> None:
        velodyne_from_camera = np.linalg.inv(self.drive.camera_from_velodyne)
        transform = TransformStamped()
        transform.header.frame_id = "velodyne"
        transform.child_frame_id = "front_optical_frame"
        t, q = transform.transform.translation, transform.transform.rotation
        t.x, t.y, t.z = velodyne_from_camera[:3, 3]
        q.x, q.y, q.z, q.w = quaternion(velodyne_from_camera[:3, :3])
        self.static.publish(TFMessage(transforms=[transform]))

    def publish_frame(self, index: int) -> None:
        drive = self.drive
        data = drive.scans[index].read_bytes()
        fields = [
            PointField(name=n, offset=4 * i, datatype=PointField.FLOAT32, count=1)
            for i, n in enumerate(["x", "y", "z", "intensity"])
        ]
        cloud = PointCloud2(
            height=1, width=len(data) // 16, fields=fields, point_step=16, row_step=len(data), is_dense=True
        )
        cloud.header.frame_id = "velodyne"
        cloud.header.stamp = ros_time(drive.scan_stamps[index])
        cloud.data.frombytes(data)
        image = CompressedImage(format="png")
        image.header.frame_id = "front_optical_frame"
        image.header.stamp = ros_time(drive.image_stamps[index])
        image.data.frombytes(drive.images[index].read_bytes())
        info = CameraInfo(
            header=image.header, width=drive.size[0], height=drive.size[1], distortion_model="plumb_bob", d=[0.0] * 5
        )
        info.k = drive.k.flatten().tolist()
        info.r = np.eye(3).flatten().tolist()
        info.p = np.hstack([drive.k, np.zeros((3, 1))]).flatten().tolist()
        self.infos.publish(info)
        self.sent_at[drive.scan_stamps[index]] = time.monotonic()
        self.clouds.publish(cloud)
        self.images.publish(image)


def columns(cloud: PointCloud2) -> np.ndarray:
    """The points of a cloud as a structured array, by its own fields."""
    dtype = np.dtype(
        {
            "names": [field.name for field in cloud.fields],
            "formats": [NUMPY_TYPES[field.datatype] for field in cloud.fields],
            "offsets": [field.offset for field in cloud.fields],
            "itemsize": cloud.point_step,
        }
    )
    return np.frombuffer(bytes(cloud.data), dtype)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("day", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--lockstep", action="store_true", help="send a frame when the one before has come back")
    parser.add_argument("--rate", type=float, default=10.0)
    parser.add_argument(
        "--patience", type=float, default=20.0, help="seconds to wait for the node, and for the last result"
    )
    arguments = parser.parse_args()
    drive = Drive(arguments.day)
    rclpy.init()
    robot = Robot(drive)
    robot.publish_static()
    deadline = time.monotonic() + arguments.patience
    while robot.count_subscribers("/points") == 0 or robot.count_publishers("/ditr_perception/points_labelled") == 0:
        if time.monotonic() > deadline:
            sys.exit("no node listens to /points and publishes /ditr_perception/points_labelled")
        rclpy.spin_once(robot, timeout_sec=0.1)
    # Long enough to see who else is there, and for a subscriber to adapt to what is offered.
    settle = time.monotonic() + 3.0
    while time.monotonic() < settle:
        rclpy.spin_once(robot, timeout_sec=0.1)
    start = time.monotonic()
    for index in range(len(drive.scans)):
        due = start + index / arguments.rate
        while time.monotonic() < due:
            rclpy.spin_once(robot, timeout_sec=max(0.0, due - time.monotonic()))
        robot.publish_frame(index)
        late = time.monotonic() + arguments.patience
        while arguments.lockstep and len(robot.labelled) <= index and time.monotonic() < late:
            rclpy.spin_once(robot, timeout_sec=0.1)
    deadline = time.monotonic() + arguments.patience
    while len(robot.labelled) + robot.superseded < len(drive.scans) and time.monotonic() < deadline:
        rclpy.spin_once(robot, timeout_sec=0.1)

    arguments.out.mkdir(parents=True, exist_ok=True)
    problems = []
    latencies = []
    stamps = []
    for index, (cloud, received_at) in enumerate(robot.labelled):
        stamp = cloud.header.stamp.sec * 10**9 + cloud.header.stamp.nanosec
        stamps.append(stamp)
        if stamp not in robot.sent_at:
            problems.append(f"cloud {index} has the stamp {stamp}, which was never sent")
            continue
        latencies.append(1000 * (received_at - robot.sent_at[stamp]))
        points = columns(cloud)
        sent = np.frombuffer(drive.scans[drive.scan_stamps.index(stamp)].read_bytes(), "<f4").reshape(-1, 4)
        if cloud.header.frame_id != "velodyne":
            problems.append(f"cloud {index} is in the frame {cloud.header.frame_id}")
        names = [field.name for field in cloud.fields]
        if names != ["x", "y", "z", "intensity", "label", "confidence", "rgb"]:
            problems.append(f"cloud {index} has the fields {names}")
        elif len(points) != len(sent):
            problems.append(f"cloud {index} has {len(points)} points, {len(sent)} were sent")
        elif any(not np.array_equal(points[name], sent[:, i]) for i, name in enumerate(["x", "y", "z", "intensity"])):
            problems.append(f"cloud {index} has other points, or another order, than were sent")
        else:
            (arguments.out / f"{stamp}.label").write_bytes(points["label"].tobytes())
    if stamps != sorted(stamps):
        problems.append("the clouds came out of order")
    summary = {
        "published": len(drive.scans),
        "received": len(robot.labelled),
        "superseded": robot.superseded,
        "problems": problems,
        "latency_ms": latencies,
    }
    robot.destroy_node()
    rclpy.shutdown()
    print(json.dumps(summary))


if __name__ == "__main__":
    main()
