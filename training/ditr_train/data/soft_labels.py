"""Soft labels of scans as files beside the scans: what `ditr-train pseudo-label` writes and training reads.

soft-labels.json                   {"version": 1, "targets": [["road", "parking"], ["car"], ...]}
SCAN.target.npy                    uint16 [N, J], index into the targets of each of a point's J alternatives
SCAN.weight.npy                    float16 [N, J], its weight; 0: none. A row's sum is how much the point counts

SCAN is the name that a training gives a scan: `scans/kitti_object/000003@300000000` of a folder of scans,
`street-0001.mcap@1700000000000000000` of a bag, the stamp in nanoseconds after the @. N is the number of its points.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ditr_train.config.model_config import SemanticClass
from ditr_train.data.candidate_labels import CandidateLabels
from ditr_train.data.errors import DataError

_INDEX = "soft-labels.json"


class SoftLabelFolder:
    """A folder of soft labels, of which a scan's files are read when it is asked for."""

    def __init__(self, folder: Path, targets: Sequence[Sequence[str]]) -> None:
        self.folder = folder
        self.targets = targets
        """Names of the classes that each target holds."""

    @classmethod
    def open(cls, folder: Path) -> SoftLabelFolder:
        """Raises DataError when the folder has none."""
        path = folder / _INDEX
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
            targets = document["targets"] if document["version"] == 1 else None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DataError(f"{path}: no index of soft labels ({error}); ditr-train pseudo-label writes one") from error
        if not isinstance(targets, list) or not all(isinstance(t, list) and t for t in targets):
            raise DataError(f"{path}: it is not of version 1, or its targets are not lists of class names")
        return cls(folder, targets)

    @classmethod
    def create(cls, folder: Path, targets: Sequence[Sequence[str]]) -> SoftLabelFolder:
        """An empty one. Raises OSError when it cannot be written."""
        folder.mkdir(parents=True, exist_ok=True)
        document = {"version": 1, "targets": [list(names) for names in targets]}
        (folder / _INDEX).write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
        return cls(folder, targets)

    def write(self, scan: str, target: npt.NDArray[Any], weight: npt.NDArray[Any]) -> None:
        """target, weight [N, J]"""
        path = self._file(scan, "target")
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, target.astype(np.uint16))
        np.save(self._file(scan, "weight"), weight.astype(np.float16))

    def read(self, scan: str, points: int, classes: Sequence[SemanticClass]) -> CandidateLabels | None:
        """None where there are none of that scan. Raises DataError when they are not of so many points, or of other
        classes than those given."""
        if not self._file(scan, "target").exists():
            return None
        target, weight = (self._array(scan, kind, points) for kind in ("target", "weight"))
        if target.shape != weight.shape or (target.size and target.max() >= len(self.targets)):
            raise DataError(
                f"{self._file(scan, 'target')}: its shape is not that of the weights, or it holds more than the "
                f"{len(self.targets)} targets of {_INDEX}"
            )
        return CandidateLabels(self._sets(classes), target.astype(np.int32), weight.astype(np.float32))

    def _array(self, scan: str, kind: str, points: int) -> npt.NDArray[Any]:
        path = self._file(scan, kind)
        try:
            array: npt.NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError) as error:
            raise DataError(f"{path}: {error}") from error
        if array.ndim != 2 or len(array) != points:
            raise DataError(f"{path}: its shape is {list(array.shape)}, the scan has {points} points")
        return array

    def _sets(self, classes: Sequence[SemanticClass]) -> npt.NDArray[np.bool_]:
        names = [entry.name for entry in classes]
        for target in self.targets:
            for name in target:
                if name not in names:
                    raise DataError(f"{self.folder / _INDEX}: the class {name!r} is none of {', '.join(names)}")
        return np.array([[name in target for name in names] for target in self.targets])

    def _file(self, scan: str, kind: str) -> Path:
        return self.folder / f"{scan}.{kind}.npy"
