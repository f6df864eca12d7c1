"""Boxes around the objects of a scene of ScanNet, as VoteNet's and 3DETR's ScanNet has them.

There the scene is turned by the axisAlignment of its text file, and a box holds all vertices of an object along the
axes (scannet/load_scannet_data.py of VoteNet). Here the vertices stay where the mesh has them, and the boxes are turned
back.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ditr_train.data.boxes import NamedBoxes
from ditr_train.data.errors import DataError
from ditr_train.data.scannet_segments import read_list, read_segments
from ditr_train.geometry.boxes import COLUMNS

_NO_OBJECTS = frozenset({"wall", "floor"})


def scene_boxes(
    scene: Path, xyz: npt.NDArray[np.floating], ids: npt.NDArray[np.integer], classes: Mapping[int, str]
) -> NamedBoxes:
    """`scene` is its folder; xyz [N, 3] and class ids [N] of its vertices, of which the most frequent one of an object
    is its class. Raises DataError that names a file that is missing or malformed."""
    path = scene / f"{scene.name}.aggregation.json"
    segments_path = scene / f"{scene.name}_vh_clean_2.0.010000.segs.json"
    segments, place_of_vertex = read_segments(segments_path)
    if len(place_of_vertex) != len(xyz):
        raise DataError(f"{segments_path}: {len(place_of_vertex)} segIndices for the {len(xyz)} vertices of the mesh")
    alignment = _alignment(scene / f"{scene.name}.txt")
    aligned = xyz @ alignment[:3, :3].T + alignment[:3, 3]
    turn = np.arctan2(alignment[1, 0], alignment[0, 0])
    back = np.linalg.inv(alignment)
    names: list[str] = []
    boxes: list[npt.NDArray[np.float64]] = []
    for group in read_list(path, "segGroups"):
        try:
            wanted = np.isin(segments, np.array(group["segments"], np.int64))
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(f"{path}: an object of segGroups has no segments: {error!r}") from error
        vertices = np.flatnonzero(wanted[place_of_vertex])
        if len(vertices) == 0:
            continue
        name = classes.get(int(np.bincount(ids[vertices]).argmax()))
        if name is None or name in _NO_OBJECTS:
            continue
        low, high = aligned[vertices].min(axis=0), aligned[vertices].max(axis=0)
        center = back[:3, :3] @ ((low + high) / 2) + back[:3, 3]
        boxes.append(np.array([*center, *(high - low), -turn]))
        names.append(name)
    return NamedBoxes(np.array(boxes).reshape(-1, COLUMNS), tuple(names))


def _alignment(path: Path) -> npt.NDArray[np.float64]:
    """[4, 4] of the row `axisAlignment = ...`; the identity where there is none, as of scenes of the test split."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return np.eye(4)
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: {error}") from error
    for line in lines:
        name, _, values = line.partition("=")
        if name.strip() == "axisAlignment":
            try:
                return np.array(values.split(), np.float64).reshape(4, 4)
            except ValueError as error:
                raise DataError(f"{path}: axisAlignment: {error}") from error
    return np.eye(4)
