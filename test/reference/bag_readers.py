"""Reads a bag with the Python packages mcap and rosbags.

options: {"path": bag, "readers": ["mcap", "rosbags"]}. Out: for each reader `<reader>.npy`, the UTF-8 bytes of a
JSON object {"messages": [[topic, type, log time, publish time or null, fields], ...], "qos": {topic: ...}}
with nanoseconds as strings and arrays of bytes in hexadecimal.
"""

import json
import sys
from pathlib import Path

import numpy as np
import yaml

folder = Path(sys.argv[1])
options = json.loads((folder / "options.json").read_text())


def fields(value):
    if isinstance(value, np.ndarray):
        return value.tobytes().hex() if value.dtype == np.uint8 else value.tolist()
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value).hex()
    if isinstance(value, (list, tuple)):
        return [fields(v) for v in value]
    if hasattr(value, "__dataclass_fields__"):  # rosbags, which lists a type's constants among the fields
        names = [n for n in value.__dataclass_fields__ if n != "__msgtype__" and n == n.lower()]
        return {n: fields(getattr(value, n)) for n in names}
    if hasattr(value, "__slots__"):  # mcap_ros2
        return {n: fields(getattr(value, n)) for n in value.__slots__}
    return value


def read_mcap(path):
    from mcap.reader import make_reader
    from mcap_ros2.decoder import DecoderFactory

    messages, qos = [], {}
    with Path(path).open("rb") as stream:
        reader = make_reader(stream, validate_crcs=True, decoder_factories=[DecoderFactory()])
        assert reader.get_header().profile == "ros2"
        summary = reader.get_summary()
        for schema in summary.schemas.values():
            assert schema.encoding == "ros2msg"
        for schema, channel, message, decoded in reader.iter_decoded_messages():
            assert channel.message_encoding == "cdr"
            messages.append(
                [channel.topic, schema.name, str(message.log_time), str(message.publish_time), fields(decoded)]
            )
            qos[channel.topic] = yaml.safe_load(channel.metadata["offered_qos_profiles"])
        assert summary.statistics.message_count == len(messages)
        assert summary.statistics.message_start_time == min(int(m[2]) for m in messages)
        assert summary.statistics.message_end_time == max(int(m[2]) for m in messages)
    return {"messages": messages, "qos": qos}


def read_rosbags(path):
    from rosbags.highlevel import AnyReader

    messages, qos = [], {}
    # Without a default typestore the types can only come from the schemas inside the bag.
    with AnyReader([Path(path)]) as reader:
        for connection in reader.connections:
            qos[connection.topic] = [
                [q.history.name, q.depth, q.reliability.name, q.durability.name, q.deadline.sec, q.deadline.nsec]
                for q in connection.ext.offered_qos_profiles
            ]
        for connection, time, raw in reader.messages():
            decoded = reader.deserialize(raw, connection.msgtype)
            messages.append([connection.topic, connection.msgtype, str(time), None, fields(decoded)])
    return {"messages": messages, "qos": qos}


(folder / "out").mkdir()
for name in options["readers"]:
    result = {"mcap": read_mcap, "rosbags": read_rosbags}[name](options["path"])
    text = json.dumps(result).encode()
    np.save(folder / "out" / f"{name}.npy", np.frombuffer(text, dtype=np.uint8))
