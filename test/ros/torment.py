"""Breaks a robot's inputs in every way that happens, one after the other, against one running perception node.

`torment.py` expects a node with cloud /points, camera "front" on /front/image_raw, fixed_frame "" and a tolerance of
50 ms. It prints one line of JSON per scenario: {"scenario": ..., ...what was observed}. The node is judged by whoever
reads the lines.
"""

import json
import sys
import time

import numpy as np
import rclpy
from rclpy.serialization import serialize_message
from rosgraph_msgs.msg import Clock
from street_robot import StreetRobot

PERIOD = 0.25
# Seconds for what a busy machine does in the end.
PATIENCE = 10.0
SECOND = 10**9


class Torment:
    def __init__(self, robot: StreetRobot) -> None:
        self.robot = robot
        self.now = time.time_ns()
        # Stamps minus the time of this machine.
        self.offset = 0

    def drive(self, count: int, image=None, **options) -> list[int]:
        """So many frames, with what `image` makes of their stamps in place of a healthy image; their stamps.

        At 4 Hz, or as fast as a busy machine labels them: one that is overtaken by the next would not be labelled.
        """
        stamps = []
        for _ in range(count):
            self.now = time.time_ns() + self.offset
            if image is not None:
                options["image"] = image(self.now)
            self.robot.send_frame(self.now, **options)
            stamps.append(self.now)
            self.robot.spin(PERIOD)
            self.robot.spin_until(lambda: self.robot.is_finished(self.now), PATIENCE)
        return stamps

    def labelled(self, stamps: list[int], seconds: float = 6.0) -> list[bool]:
        robot = self.robot
        robot.spin_until(lambda: all(robot.is_finished(stamp) for stamp in stamps), seconds)
        return [self.robot.labelled_at(stamp) is not None for stamp in stamps]

    def modes(self, stamps: list[int]) -> list[str]:
        return [status.mode if (status := self.robot.status_at(stamp)) else "none" for stamp in stamps]

    def reasons(self, stamp: int) -> list[str]:
        status = self.robot.status_at(stamp)
        return [] if status is None else [camera.missing_reason for camera in status.cameras]

    # Each returns what was observed.

    def healthy(self) -> dict:
        self.robot.send_static()
        stamps = self.drive(8)
        levels = {
            subject: self.robot.diagnosis(subject)
            for subject in ["model", "cloud lidar", "camera front", "labelling", "faults"]
        }
        found = self.labelled(stamps)
        cloud = self.robot.labelled_at(stamps[-1])
        return {
            "labelled": found,
            "modes": self.modes(stamps),
            "points": None if cloud is None else cloud.width * cloud.height,
            "diagnoses": levels,
        }

    def camera_stops_and_comes_back(self) -> dict:
        without = self.drive(12, with_image=False)
        # Silent is who misses several periods, and those were as long as the machine was busy.
        camera = self.robot.diagnosis_until("camera front", lambda diagnosis: "no image on" in diagnosis["message"])
        found = self.labelled(without)
        # How long scans wait for a camera that is given up.
        start = time.monotonic()
        (stamp,) = self.drive(1, with_image=False)
        self.labelled([stamp])
        waited = time.monotonic() - start - PERIOD
        back = self.drive(8)
        recovered = self.robot.diagnosis_until("camera front", lambda diagnosis: diagnosis["level"] == "OK")
        return {
            "without": {"labelled": found, "modes": self.modes(without), "reasons": self.reasons(without[-1])},
            "camera": camera,
            "waited": waited,
            "back": {"labelled": self.labelled(back), "modes": self.modes(back)},
            "recovered": recovered,
        }

    def camera_is_late(self) -> dict:
        """Images arrive 300 ms after their clouds: later than sync.max_wait allows."""
        stamps = []
        for _ in range(8):
            self.now = time.time_ns() + self.offset
            self.robot.send_frame(self.now, with_image=False)
            stamps.append(self.now)
            self.robot.spin(PERIOD)
            self.robot.spin_until(lambda: self.robot.is_finished(self.now), PATIENCE)
            if len(stamps) > 1:
                self.robot.image_publisher.publish(self.robot.image(stamps[-2]))
        camera = self.robot.diagnosis("camera front")
        found = self.labelled(stamps)
        self.drive(4)
        return {"labelled": found, "modes": self.modes(stamps), "camera": camera}

    def camera_has_a_wrong_frame(self) -> dict:
        stamps = self.drive(4, image=lambda stamp: self.robot.image(stamp, frame="no_such_frame"))
        found = self.labelled(stamps)
        return {
            "labelled": found,
            "modes": self.modes(stamps),
            "reasons": self.reasons(stamps[-1]),
            "faults": self.robot.diagnosis_until("faults", lambda diagnosis: "transform-missing" in str(diagnosis)),
        }

    def camera_has_a_wrong_size(self) -> dict:
        stamps = self.drive(4, image=lambda stamp: self.robot.image(stamp, width=100, height=60))
        found = self.labelled(stamps)
        return {
            "labelled": found,
            "modes": self.modes(stamps),
            "faults": self.robot.diagnosis_until("faults", lambda diagnosis: "camera-info-mismatch" in str(diagnosis)),
        }

    def cloud_has_nan(self) -> dict:
        points = self.robot.points.copy()
        points[::3, :3] = np.nan
        points[1::30, 0] = np.inf
        self.now = time.time_ns() + self.offset
        stamp = self.now
        self.robot.send_info(stamp)
        self.robot.cloud_publisher.publish(self.robot.cloud(stamp, points))
        self.robot.image_publisher.publish(self.robot.image(stamp))
        found = self.labelled([stamp])
        labels = self.robot.labels(stamp)
        bad = ~np.isfinite(points[:, :3]).all(axis=1)
        return {
            "labelled": found,
            "points": len(labels),
            "labels_of_bad_points": sorted({int(label) for label in labels[bad]}),
            "unlabelled_good_points": int((labels[~bad] == 255).sum()),
        }

    def cloud_is_empty(self) -> dict:
        self.now = time.time_ns() + self.offset
        stamp = self.now
        self.robot.cloud_publisher.publish(self.robot.cloud(stamp, self.robot.points[:0]))
        self.robot.image_publisher.publish(self.robot.image(stamp))
        found = self.labelled([stamp])
        cloud = self.robot.labelled_at(stamp)
        return {"labelled": found, "points": None if cloud is None else cloud.width * cloud.height}

    def cloud_is_garbage(self) -> dict:
        healthy = bytes(serialize_message(self.robot.cloud(self.now)))
        random = np.random.default_rng(3)
        # In whole words behind a CDR header. Cyclone DDS refuses other packets in the receiver's transport, and its
        # reliable reader then waits for ever for what it refuses: a writer of such loses its own topic, whoever reads.
        words = len(healthy) // 4
        garbage = [
            b"\x00\x01\x00\x00\x07\x00\x00\x00",
            b"\x00\x01\x00\x00" + random.integers(0, 256, 400, dtype=np.uint8).tobytes(),
            healthy[: words // 2 * 4],
            healthy[:60] + b"\xff" * 40 + healthy[100 : 4 * words],
        ]
        for message in garbage:
            self.robot.cloud_publisher.publish(message)
            self.robot.spin(0.2)
        for message in garbage:
            self.robot.image_publisher.publish(message)
            self.robot.info_publisher.publish(message)
            self.robot.transform_publisher.publish(message)
            self.robot.spin(0.2)
        stamps = self.drive(6)
        return {
            "labelled_afterwards": self.labelled(stamps),
            "modes": self.modes(stamps),
            "faults": self.robot.diagnosis_until("faults", lambda diagnosis: "malformed-message" in str(diagnosis)),
        }

    def transform_arrives_late(self) -> dict:
        """Images in a frame whose transform is published only after some scans."""
        before = self.drive(3, image=lambda stamp: self.robot.image(stamp, frame="late_optical_frame"))
        found = self.labelled(before)
        self.robot.send_static("late_optical_frame")
        self.robot.spin(0.5)
        after = self.drive(3, image=lambda stamp: self.robot.image(stamp, frame="late_optical_frame"))
        return {
            "before": {"labelled": found, "modes": self.modes(before)},
            "after": {"labelled": self.labelled(after), "modes": self.modes(after)},
        }

    def stamps_jump_back(self) -> dict:
        """A bag that starts again: ten minutes earlier, without a clock."""
        self.offset -= 600 * SECOND
        stamps = self.drive(5)
        return {
            "labelled": self.labelled(stamps),
            "modes": self.modes(stamps),
            "synchronization": self.robot.diagnosis_until(
                "synchronization", lambda diagnosis: diagnosis["values"].get("Jumps", "0") != "0"
            ),
        }


def clock_jumps_back(robot: StreetRobot) -> dict:
    """For a node with use_sim_time and fixed_frame odom: /clock and everything else goes back by ten minutes.

    Time goes on when the node has finished a scan, however long that takes on a busy machine.
    """
    robot.send_static()
    results = {}
    for name, start in [("first", 1_800_000_000 * SECOND), ("again", 1_799_999_400 * SECOND)]:
        stamps = []
        for index in range(8 * 5):
            stamp = start + index * SECOND // 20
            clock = Clock()
            clock.clock.sec, clock.clock.nanosec = stamp // SECOND, stamp % SECOND
            robot.clock_publisher.publish(clock)
            if index == 0:
                # No order holds between topics: what comes before the clock would be forgotten with the old time.
                robot.spin_until(lambda stamp=stamp: abs(robot.time_of_node() - stamp) < SECOND, PATIENCE)
            robot.send_odometry(stamp)
            if index % 5 == 0 and index > 0:
                # Sensed a little before, as always.
                sensed = stamp - SECOND // 20
                robot.send_frame(sensed)
                stamps.append(sensed)
                robot.spin_until(lambda sensed=sensed: robot.is_finished(sensed), PATIENCE)
            robot.spin(0.05)
        results[name] = {
            "labelled": [robot.labelled_at(stamp) is not None for stamp in stamps],
            "modes": [status.mode if (status := robot.status_at(stamp)) else "none" for stamp in stamps],
            "reasons": [camera.missing_reason for status in robot.statuses for camera in status.cameras],
        }
    results["diagnostics_stamp"] = robot.time_of_node()
    return results


def main() -> None:
    rclpy.init()
    robot = StreetRobot()
    with_clock = sys.argv[1:] == ["clock"]
    if not robot.spin_until(lambda: robot.is_connected(with_clock), 30.0):
        sys.exit(f"the node and the robot do not hear each other: {robot.connections()}")
    if with_clock:
        print(json.dumps({"scenario": "clock_jumps_back", **clock_jumps_back(robot)}), flush=True)
    else:
        torment = Torment(robot)
        for scenario in [
            torment.healthy,
            torment.camera_stops_and_comes_back,
            torment.camera_is_late,
            torment.camera_has_a_wrong_frame,
            torment.camera_has_a_wrong_size,
            torment.cloud_has_nan,
            torment.cloud_is_empty,
            torment.cloud_is_garbage,
            torment.transform_arrives_late,
            torment.stamps_jump_back,
        ]:
            print(json.dumps({"scenario": scenario.__name__, **scenario()}), flush=True)
    robot.destroy_node()
    rclpy.shutdown()


if __name__ == "__main__":
    main()
