"""Files that hold nothing but one array of numbers, little-endian."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ditr_train.data.errors import DataError


def read_numbers(path: Path, kind: str, columns: int) -> npt.NDArray[Any]:
    """[N, columns] numbers of a NumPy kind such as "f4". Raises DataError when the file is not that."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}") from error
    datatype = np.dtype("<" + kind)
    size = columns * datatype.itemsize
    if len(data) % size:
        raise DataError(f"{path}: its {len(data)} bytes are no whole number of points of {size} bytes")
    return np.frombuffer(data, datatype).reshape(-1, columns).astype(datatype.newbyteorder("="))
