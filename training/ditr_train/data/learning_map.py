"""From the class ids in a data set's files to the classes of its benchmark."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from ditr_train.data.errors import DataError


@dataclass(frozen=True)
class LearningMap:
    """The classes of a benchmark, and which raw ids are counted to each."""

    classes: Mapping[int, str]
    """Name of each class by its id, from 1 on; 0 is kept for points that are neither learned from nor counted."""
    raw: Mapping[int, int]
    """Class id, or 0, or the id of a set, of every raw id that a file may hold, 0..65535."""
    sets: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    """The class ids that a label may stand for that is coarser than the classes, by an id that no class has."""

    def apply(self, raw_ids: npt.NDArray[Any]) -> npt.NDArray[np.int32]:
        """Raw ids [N] -> class ids [N]. Raises DataError that names an id that is none."""
        table: npt.NDArray[np.int32] = np.full(max(self.raw) + 2, -1, np.int32)
        table[list(self.raw)] = list(self.raw.values())
        ids: npt.NDArray[np.int32] = table[np.where((raw_ids >= 0) & (raw_ids < len(table)), raw_ids, len(table) - 1)]
        unknown = ids < 0
        if unknown.any():
            raise DataError(
                f"the raw class id {raw_ids[unknown][0]} of {np.count_nonzero(unknown)} points is none of "
                f"{', '.join(map(str, sorted(self.raw)))}"
            )
        return ids
