"""Rows of Parquet files; needs pyarrow, which is optional."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ditr_train.data.errors import DataError

Row = dict[str, Any]
"""By the name of the column: a list as an array [N], None where there is no value."""

_BATCH = 8
"""Rows that are decoded at once: a row may hold megabytes."""


def read_rows(path: Path, columns: Sequence[str], where: Mapping[str, int] | None = None) -> list[Row]:
    """These columns of the rows whose other columns have the values that `where` names.

    Groups of rows without such a row are not decoded, nor is what follows the last one in its group.
    Raises DataError when pyarrow is not installed, the file is missing or malformed or lacks a column.
    """
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise DataError(
            f"{path}: Parquet files are read with pyarrow, which is not installed; "
            "pip install 'ditr-train[waymo]', or pip install pyarrow"
        ) from error
    where = where or {}
    try:
        with parquet.ParquetFile(path) as file:
            names = set(file.schema_arrow.names)
            missing = [name for name in (*columns, *where) if name not in names]
            if missing:
                raise DataError(f"{path}: it has no column {missing[0]}")
            return [row for group in range(file.num_row_groups) for row in _of_group(file, group, columns, where)]
    except (OSError, pyarrow.ArrowException) as error:
        raise DataError(f"{path}: {error}") from error


def _of_group(file: Any, group: int, columns: Sequence[str], where: Mapping[str, int]) -> list[Row]:
    wanted = np.ones(file.metadata.row_group(group).num_rows, bool)
    for key, value in where.items():
        wanted &= file.read_row_group(group, columns=[key]).column(key).to_numpy() == value
    rows: list[Row] = []
    places = np.flatnonzero(wanted)
    if len(places) == 0:
        return rows
    first = 0
    for batch in file.iter_batches(batch_size=_BATCH, row_groups=[group], columns=list(columns)):
        inside = places[(places >= first) & (places < first + len(batch))] - first
        rows += [{name: _value(batch.column(name)[int(i)]) for name in columns} for i in inside]
        first += len(batch)
        if first > places[-1]:
            break
    return rows


def _value(scalar: Any) -> Any:
    if not scalar.is_valid:
        return None
    return scalar.values.to_numpy(zero_copy_only=False) if hasattr(scalar, "values") else scalar.as_py()
