"""Boxes of nuScenes: the tables sample_annotation, instance, category (docs/schema_nuscenes.md of nuscenes-devkit)."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ditr_train.data.boxes import NamedBoxes
from ditr_train.data.errors import DataError
from ditr_train.data.nuscenes_tables import Row, by_token, pose_matrix, read_table
from ditr_train.geometry.boxes import COLUMNS


def read_annotations(tables: Path, samples: AbstractSet[str]) -> dict[str, list[Row]]:
    """The rows of sample_annotation of the samples, each with the column `category` too, its name.

    Raises DataError that names the table.
    """
    categories = {row["token"]: row["name"] for row in read_table(tables, "category", ("token", "name"))}
    columns = ("token", "sample_token", "instance_token", "translation", "size", "rotation", "num_lidar_pts")
    rows = read_table(tables, "sample_annotation", columns, keep=lambda row: row["sample_token"] in samples)
    instances = by_token(read_table(tables, "instance", ("token", "category_token")))
    found: dict[str, list[Row]] = {}
    for row in rows:
        instance = instances.get(row["instance_token"])
        if instance is None or instance["category_token"] not in categories:
            raise DataError(f"{tables}/instance.json: it has no category for the annotation {row['token']}")
        named = row | {"category": categories[instance["category_token"]]}
        found.setdefault(row["sample_token"], []).append(named)
    return found


def boxes_of_sample(rows: Sequence[Row], lidar_to_map: npt.NDArray[np.float64]) -> NamedBoxes:
    """Rows of read_annotations, which are in the map's frame -> boxes in the LiDAR's."""
    to_lidar = np.linalg.inv(lidar_to_map)
    boxes = []
    for row in rows:
        pose = to_lidar @ pose_matrix(row)
        width, length, height = row["size"]
        # The length points along the box's own x.
        boxes.append([*pose[:3, 3], length, width, height, np.arctan2(pose[1, 0], pose[0, 0])])
    points = np.array([row["num_lidar_pts"] for row in rows], np.int64)
    return NamedBoxes(np.array(boxes).reshape(-1, COLUMNS), tuple(row["category"] for row in rows), points)
