"""sensor_msgs/PointCloud2 as one array per field."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ditr_train.data.errors import DataError

# sensor_msgs/PointField datatypes.
_DATATYPES = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 8: "f8"}


def cloud_fields(message: Any, names: list[str]) -> dict[str, npt.NDArray[Any]]:
    """The named fields of a decoded PointCloud2, each [height * width], in the machine's byte order.

    Raises DataError when a field is missing, is an array, or does not fit the data.
    """
    fields = {field.name: field for field in message.fields}
    byte_order = ">" if message.is_bigendian else "<"
    data = np.frombuffer(message.data, np.uint8)
    used = message.point_step * message.width
    if message.row_step < used or len(data) < message.row_step * message.height:
        raise DataError(
            f"{message.height} x {message.width} points of {message.point_step} bytes in rows of "
            f"{message.row_step} need more than the {len(data)} bytes of data"
        )
    rows = data[: message.row_step * message.height].reshape(message.height, message.row_step)
    points = np.ascontiguousarray(rows[:, :used]).reshape(-1, message.point_step)
    result: dict[str, npt.NDArray[Any]] = {}
    for name in names:
        if name not in fields:
            raise DataError(f"the cloud has no field {name}; it has {', '.join(fields)}")
        field = fields[name]
        if field.datatype not in _DATATYPES or field.count != 1:
            raise DataError(f"field {name} has datatype {field.datatype} and count {field.count}, not one number")
        datatype = np.dtype(byte_order + _DATATYPES[field.datatype])
        end = field.offset + datatype.itemsize
        if end > message.point_step:
            raise DataError(f"field {name} ends at byte {end} of a point of {message.point_step} bytes")
        column = np.ascontiguousarray(points[:, field.offset : end]).view(datatype)[:, 0]
        result[name] = column.astype(datatype.newbyteorder("="))
    return result
