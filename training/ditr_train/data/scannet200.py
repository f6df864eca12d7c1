"""ScanNet200 (Rozenberszki et al., 2022): the scenes of ScanNet v2 with 200 classes, as they are published.

As in scannet.py, and
scannetv2-labels.combined.tsv                              id and category of each raw category
scans/scene0000_00/scene0000_00_vh_clean_2.0.010000.segs.json   segment of each vertex
scans/scene0000_00/scene0000_00.aggregation.json           raw category and segments of each object
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ditr_train.data.errors import DataError
from ditr_train.data.learning_map import LearningMap
from ditr_train.data.scannet import ScanNet
from ditr_train.data.scannet_segments import read_list, read_segments

# VALID_CLASS_IDS_200 of BenchmarkScripts/ScanNet200/scannet200_constants.py in the ScanNet repository.
_CLASS_IDS = (
    "1-11 13-19 21-24 26-29 31-36 38-42 44-52 54-59 62-80 82 84 86-90 93 95-107 110 112 115-116 118 120-122 125 128 "
    "130-132 134 136 138-141 145 148 154-157 159 161 163 165-166 168-170 177 180 185 188 191 193 195 202 208 213-214 "
    "221 229-230 232-233 242 250 261 264 276 283 286 300 304 312 323 325 331 342 356 370 392 395 399 408 417 488 540 "
    "562 570 572 581 609 748 776 1156 1163-1176 1178-1191"
)


class ScanNet200(ScanNet):
    """The scenes of the split `train`, `val` or `test`, with ids of 1 to 1191.

    As preprocess_scannet.py of Pointcept: what is no object, or an object of another category, has no class; of
    objects that share a segment the later one counts.
    """

    kind = "scannet200"

    def __init__(self, root: Path, split: str) -> None:
        """Raises DataError when the list of the split, a scene or the table of categories is not there or malformed."""
        super().__init__(root, split)
        self._ids, self.learning_map = _read_categories(root / "scannetv2-labels.combined.tsv")

    def label_file(self, index: int) -> Path:
        super().label_file(index)
        return self._file(index, ".aggregation.json")

    def raw_labels(self, index: int) -> npt.NDArray[Any]:
        """[N] uint16 ids of the table of categories."""
        path = self.label_file(index)
        segments_path = path.with_name(path.name.replace(".aggregation.json", "_vh_clean_2.0.010000.segs.json"))
        segments, place_of_vertex = read_segments(segments_path)
        places = {int(segment): place for place, segment in enumerate(segments)}
        ids = np.zeros(len(segments), np.uint16)
        for group in read_list(path, "segGroups"):
            try:
                ids[[places[segment] for segment in group["segments"] if segment in places]] = self._ids.get(
                    group["label"], 0
                )
            except (KeyError, TypeError) as error:
                raise DataError(f"{path}: an object of segGroups has no label or no segments: {error!r}") from error
        return ids[place_of_vertex]


def _read_categories(path: Path) -> tuple[dict[str, int], LearningMap]:
    """The id of each raw category, and the classes: named after the first category with their id, with hyphens."""
    ids: dict[str, int] = {}
    names: dict[int, str] = {}
    try:
        with path.open(encoding="utf-8", newline=None) as lines:
            for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
                class_id = int(row["id"])
                ids.setdefault(row["raw_category"], class_id)
                names.setdefault(class_id, row["category"].replace(" ", "-"))
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise DataError(f"{path}: {error}") from error
    except KeyError as error:
        raise DataError(f"{path}: it has no column {error}") from error
    wanted = _numbers(_CLASS_IDS)
    missing = [class_id for class_id in wanted if class_id not in names]
    if missing:
        raise DataError(
            f"{path}: it lacks {len(missing)} of the 200 ids, such as {missing[0]}; the table of ScanNet v2 is needed"
        )
    raw = {0: 0} | {class_id: class_id if class_id in wanted else 0 for class_id in names}
    return ids, LearningMap({class_id: names[class_id] for class_id in wanted}, raw)


def _numbers(ranges: str) -> dict[int, None]:
    """In their order, of `1-11 13`."""
    parts = [part.split("-") for part in ranges.split()]
    return dict.fromkeys(number for part in parts for number in range(int(part[0]), int(part[-1]) + 1))
