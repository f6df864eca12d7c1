"""Where scans come from: an MCAP bag, or a split of a public data set."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ditr_train.data.dataset import FrameDataset
from ditr_train.data.errors import DataError
from ditr_train.data.nuscenes import NuScenes
from ditr_train.data.scannet import ScanNet
from ditr_train.data.semantic_kitti import SemanticKitti

DATASETS: dict[str, Callable[[Path, str], FrameDataset]] = {
    "semantic-kitti": SemanticKitti,
    "nuscenes": NuScenes,
    "scannet": ScanNet,
}


@dataclass(frozen=True)
class DatasetSplit:
    """A split of a data set in a folder."""

    kind: str
    """A key of DATASETS."""
    root: Path
    split: str

    @property
    def name(self) -> str:
        """What it is called where the name of a bag would stand; two folders of the same data are the same."""
        return f"{self.kind}:{self.split}"

    def open(self) -> FrameDataset:
        """Lists its files. Raises DataError when the folder does not hold it."""
        return DATASETS[self.kind](self.root, self.split)


ScanSource = Path | DatasetSplit
"""A bag, or a split of a data set."""


def scan_source(text: str) -> ScanSource:
    """Reads `a.mcap` or `semantic-kitti:/data/kitti:train`. Raises DataError for a data set that is not known."""
    match = re.fullmatch(r"([a-z][a-z-]*):(.+):([^:]*)", text)
    if match is None:
        kind, colon, rest = text.partition(":")
        if colon and kind in DATASETS:
            raise DataError(f"{text}: no split is named; write {kind}:{rest or 'FOLDER'}:train")
        return Path(text)
    kind, root, split = match.groups()
    if kind not in DATASETS:
        raise DataError(f"{text}: {kind!r} is none of the data sets {', '.join(DATASETS)}")
    return DatasetSplit(kind, Path(root), split)
