"""A ROS 2 node without a will of its own: does what it reads on stdin, one JSON object per line.

Every line has an `id` and an `op`; the answer is a line `{"id": ..., "result": ...}` or `{"id": ..., "error": ...}`.
Messages come as lines `{"topic": ..., "message": ...}`. See test/support/rosPeer.d.mts for the operations.
"""

import base64
import json
import queue
import sys
import threading
import time

import rclpy
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rosidl_runtime_py.convert import message_to_ordereddict
from rosidl_runtime_py.set_message import set_message_fields
from rosidl_runtime_py.utilities import get_message, get_service


def say(line):
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def profile(qos):
    return QoSProfile(
        depth=qos.get("depth", 10),
        reliability=ReliabilityPolicy[qos.get("reliability", "reliable").upper()],
        durability=DurabilityPolicy[qos.get("durability", "volatile").upper()],
    )


class Peer:
    def __init__(self):
        self.node = rclpy.create_node("test_peer")
        self.publishers = {}
        self.subscriptions = {}
        self.clients = {}
        self.pending = []

    def publisher(self, type, topic, qos):
        if topic not in self.publishers:
            self.publishers[topic] = self.node.create_publisher(get_message(type), topic, profile(qos))
        return self.publishers[topic]

    def advertise(self, type, topic, qos):
        self.publisher(type, topic, qos)

    def publish(self, type, topic, qos, message=None, cdr=None):
        new = topic not in self.publishers
        publisher = self.publisher(type, topic, qos)
        until = time.time() + 2
        while new and publisher.get_subscription_count() == 0 and time.time() < until:
            time.sleep(0.01)
        if cdr is not None:
            publisher.publish(base64.b64decode(cdr))
            return
        filled = get_message(type)()
        set_message_fields(filled, message)
        publisher.publish(filled)

    def unadvertise(self, topic):
        self.node.destroy_publisher(self.publishers.pop(topic))

    def subscribe(self, type, topic, qos, raw):
        def heard(message):
            if raw:
                say({"topic": topic, "message": base64.b64encode(message).decode()})
            else:
                say({"topic": topic, "message": message_to_ordereddict(message)})

        self.subscriptions[topic] = self.node.create_subscription(
            get_message(type), topic, heard, profile(qos), raw=raw
        )

    def unsubscribe(self, topic):
        self.node.destroy_subscription(self.subscriptions.pop(topic))

    def graph(self):
        return {
            "nodes": self.node.get_node_names_and_namespaces(),
            "topics": self.node.get_topic_names_and_types(),
            "services": self.node.get_service_names_and_types(),
        }

    def counts(self, topic):
        return {
            "publishers": self.node.count_publishers(topic),
            "subscribers": self.node.count_subscribers(topic),
        }

    def call(self, id, type, service, request, seconds):
        kind = get_service(type)
        if service not in self.clients:
            self.clients[service] = self.node.create_client(kind, service)
        client = self.clients[service]
        filled = kind.Request()
        set_message_fields(filled, request)
        self.pending.append({"id": id, "client": client, "request": filled, "until": time.time() + seconds})

    def look_at_calls(self):
        for call in list(self.pending):
            if "future" not in call and call["client"].service_is_ready():
                call["future"] = call["client"].call_async(call["request"])
            future = call.get("future")
            if future is not None and future.done():
                say({"id": call["id"], "result": message_to_ordereddict(future.result())})
            elif time.time() > call["until"]:
                what = "no service" if future is None else "no answer"
                say({"id": call["id"], "error": f"{what} {call['client'].srv_name}"})
            else:
                continue
            self.pending.remove(call)

    def do(self, line):
        command = json.loads(line)
        id, op = command.pop("id"), command.pop("op")
        try:
            if op == "call":
                self.call(id, **command)
            else:
                say({"id": id, "result": getattr(self, op)(**command)})
        except Exception as error:
            say({"id": id, "error": f"{type(error).__name__}: {error}"})


def main():
    rclpy.init(args=sys.argv)
    peer = Peer()
    lines = queue.Queue()

    def read():
        for line in sys.stdin:
            lines.put(line)
        lines.put(None)

    threading.Thread(target=read, daemon=True).start()
    say({"ready": True})
    while True:
        rclpy.spin_once(peer.node, timeout_sec=0.01)
        peer.look_at_calls()
        while not lines.empty():
            line = lines.get()
            if line is None:
                return
            peer.do(line)


main()
