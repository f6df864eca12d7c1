"""Checks a labelled bag against its input with the Python packages mcap and rosbags, and NumPy.

options: {"input", "output", "cloud", "labelled", "classes": {id: [r, g, b]}, "unlabeled"}. Every scan of the input must
be in the output with the same stamp, frame and points, and labels, confidences and colours that fit together. Out:
`counts.npy`: scans read by each package, and points.
"""

import json
import sys
from pathlib import Path

import numpy as np
from mcap.reader import make_reader
from mcap_ros2.decoder import DecoderFactory
from rosbags.highlevel import AnyReader

DTYPES = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 8: "f8"}


def points(cloud):
    """The cloud as a structured array [N]."""
    order = ">" if cloud.is_bigendian else "<"
    dtype = np.dtype(
        {
            "names": [field.name for field in cloud.fields],
            "formats": [order + DTYPES[field.datatype] for field in cloud.fields],
            "offsets": [field.offset for field in cloud.fields],
            "itemsize": cloud.point_step,
        }
    )
    assert cloud.row_step == cloud.point_step * cloud.width
    return np.frombuffer(bytes(cloud.data), dtype)


def with_mcap(path, topic):
    with Path(path).open("rb") as stream:
        reader = make_reader(stream, validate_crcs=True, decoder_factories=[DecoderFactory()])
        return [(m.log_time, decoded) for _, _, m, decoded in reader.iter_decoded_messages(topics=[topic])]


def with_rosbags(path, topic):
    with AnyReader([Path(path)]) as reader:
        connections = [c for c in reader.connections if c.topic == topic]
        return [(time, reader.deserialize(raw, c.msgtype)) for c, time, raw in reader.messages(connections=connections)]


folder = Path(sys.argv[1])
options = json.loads((folder / "options.json").read_text())
colors = {int(id): np.array(color, np.uint32) for id, color in options["classes"].items()}
packed = {id: int(c[0]) << 16 | int(c[1]) << 8 | int(c[2]) for id, c in colors.items()}
counts = []
total = 0
for read in (with_mcap, with_rosbags):
    inputs, outputs = read(options["input"], options["cloud"]), read(options["output"], options["labelled"])
    assert len(inputs) == len(outputs)
    for (time_in, cloud_in), (time_out, cloud_out) in zip(inputs, outputs, strict=True):
        assert time_in == time_out
        for header_in, header_out in [(cloud_in.header, cloud_out.header)]:
            assert (header_in.stamp.sec, header_in.stamp.nanosec) == (header_out.stamp.sec, header_out.stamp.nanosec)
            assert header_in.frame_id == header_out.frame_id
        assert (cloud_in.height, cloud_in.width) == (cloud_out.height, cloud_out.width)
        before, after = points(cloud_in), points(cloud_out)
        assert after.dtype.names == (*before.dtype.names, "label", "confidence", "rgb")
        for name in before.dtype.names:
            np.testing.assert_array_equal(before[name], after[name])
        known = after["label"] != options["unlabeled"]
        assert set(np.unique(after["label"][known])) <= set(colors)
        assert ((after["confidence"] > 0) & (after["confidence"] <= 1))[known].all()
        assert (after["confidence"][~known] == 0).all()
        bits = np.ascontiguousarray(after["rgb"]).view(np.uint32)
        expected = np.array([packed.get(int(label), 0) for label in after["label"]], np.uint32)
        np.testing.assert_array_equal(bits, expected)
        total += len(after)
    counts.append(len(outputs))
(folder / "out").mkdir()
np.save(folder / "out" / "counts.npy", np.array([*counts, total], np.int32))
