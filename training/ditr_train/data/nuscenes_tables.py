"""The JSON tables of nuScenes (nuscenes.org, "Data format"), reduced to what is used of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ditr_train.data.errors import DataError
from ditr_train.data.rotation import rotation_matrix

Row = dict[str, Any]


def read_table(
    folder: Path, name: str, columns: Sequence[str], keep: Callable[[Row], bool] = lambda _: True
) -> list[Row]:
    """The rows of a table that `keep` wants, with the named columns only.

    Rows are dropped while the file is parsed: sample_data.json of the whole data set has 2.6 million.
    Raises DataError that names the file, and the column that a row lacks.
    """
    path = folder / f"{name}.json"

    def reduce(row: Row) -> Row | None:
        return {column: row[column] for column in columns} if keep(row) else None

    try:
        with path.open(encoding="utf-8") as stream:
            rows = json.load(stream, object_hook=reduce)
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}") from error
    except json.JSONDecodeError as error:
        raise DataError(f"{path}: {error}") from error
    except KeyError as error:
        raise DataError(f"{path}: a row has no column {error}") from error
    if not isinstance(rows, list) or not all(row is None or isinstance(row, dict) for row in rows):
        raise DataError(f"{path}: it is no list of rows")
    return [row for row in rows if row is not None]


def by_token(rows: list[Row]) -> dict[str, Row]:
    """The rows by their column `token`."""
    return {row["token"]: row for row in rows}


def pose_matrix(row: Row) -> npt.NDArray[np.float64]:
    """[4, 4] of the columns translation (metres) and rotation (quaternion w, x, y, z). Raises DataError."""
    if len(row["rotation"]) != 4 or len(row["translation"]) != 3:
        raise DataError(
            f"the pose {row['token']} of the tables: rotation {row['rotation']} and translation {row['translation']} "
            "are no quaternion w, x, y, z and x, y, z"
        )
    w, x, y, z = row["rotation"]
    matrix = np.eye(4)
    matrix[:3, :3] = rotation_matrix(x, y, z, w)
    matrix[:3, 3] = row["translation"]
    return matrix
