"""Which vertices of a scene of ScanNet belong to which object."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ditr_train.data.errors import DataError


def read_segments(path: Path) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.intp]]:
    """Of a file *.segs.json the ids of the segments [S], ascending, and the place among them of each vertex [N].

    Raises DataError that names the file.
    """
    try:
        of_vertex = np.array(read_list(path, "segIndices"), np.int64)
    except (TypeError, ValueError, OverflowError) as error:
        raise DataError(f"{path}: segIndices: {error}") from error
    if of_vertex.ndim != 1:
        raise DataError(f"{path}: segIndices is no list of numbers")
    segments, place_of_vertex = np.unique(of_vertex, return_inverse=True)
    return segments, place_of_vertex


def read_list(path: Path, key: str) -> list[Any]:
    """A list in a JSON file. Raises DataError that names the file."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: {error}") from error
    if not isinstance(document, dict) or not isinstance(document.get(key), list):
        raise DataError(f"{path}: it has no list {key}")
    entries: list[Any] = document[key]
    return entries
