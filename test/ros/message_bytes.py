"""Reads messages with ROS's own type support, and writes them again.

In: a line of stdin with one JSON object, CDR in base64 by type name. Out: one JSON object by type name: `text`, the
message as Python shows it, and `cdr`, what ROS writes for it, in base64; or `missing: true` where ROS does not have
the package.
"""

import base64
import json
import sys

from rclpy.serialization import deserialize_message, serialize_message
from rosidl_runtime_py.utilities import get_message

answer = {}
for name, cdr in json.loads(sys.stdin.readline()).items():
    try:
        kind = get_message(name)
    except (ModuleNotFoundError, AttributeError):
        answer[name] = {"missing": True}
        continue
    message = deserialize_message(base64.b64decode(cdr), kind)
    written = base64.b64encode(serialize_message(message)).decode()
    answer[name] = {"text": str(message), "cdr": written}
print(json.dumps(answer))
