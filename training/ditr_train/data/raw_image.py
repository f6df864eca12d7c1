"""sensor_msgs/Image: raw images of cameras as PNG, and images of ids as arrays."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from ditr_train.data.errors import DataError

_CHANNELS = {"rgb8": (0, 1, 2), "bgr8": (2, 1, 0), "rgba8": (0, 1, 2), "bgra8": (2, 1, 0), "mono8": (0, 0, 0)}
"""Encodings that are read, and which of a pixel's bytes are red, green and blue."""
_BYTES = {"rgb8": 3, "bgr8": 3, "rgba8": 4, "bgra8": 4, "mono8": 1}


def encode_raw(message: Any, topic: str) -> bytes:
    """A decoded sensor_msgs/Image as a lossless PNG in RGB.

    Raises DataError for an encoding that is not read, or when the size does not fit the data.
    """
    encoding, width, height, step = message.encoding, message.width, message.height, message.step
    if encoding not in _CHANNELS:
        raise DataError(f"{topic}: images in {encoding!r} are not read here, only {', '.join(_CHANNELS)}")
    size = _BYTES[encoding]
    data = np.frombuffer(message.data, np.uint8)
    if step < width * size or len(data) < step * height:
        raise DataError(
            f"{topic}: {width} x {height} pixels of {encoding} in rows of {step} bytes do not fit {len(data)} bytes"
        )
    rows = data[: step * height].reshape(height, step)[:, : width * size]
    pixels = rows.reshape(height, width, size)[:, :, list(_CHANNELS[encoding])]
    encoded = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(encoded, "PNG", compress_level=1)
    return encoded.getvalue()


def decode_mono(message: Any, topic: str, *encodings: str) -> npt.NDArray[Any]:
    """A decoded sensor_msgs/Image in one of the encodings, mono8 or mono16 -> uint8 or uint16 [height, width].

    Raises DataError for another encoding, or when the size does not fit the data.
    """
    pixel = np.dtype({"mono8": "u1", "mono16": ">u2" if message.is_bigendian else "<u2"}.get(message.encoding, "u1"))
    data = np.frombuffer(message.data, np.uint8)
    used = message.width * pixel.itemsize
    if message.encoding not in encodings or message.step < used or len(data) < message.step * message.height:
        raise DataError(
            f"{topic}: {message.encoding} of {message.width} x {message.height} with {len(data)} bytes "
            f"is not a {' or '.join(encodings)} image"
        )
    rows = data[: message.step * message.height].reshape(message.height, message.step)
    return np.ascontiguousarray(rows[:, :used]).view(pixel).astype(pixel.newbyteorder("="))
