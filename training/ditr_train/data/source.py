"""Where scans come from: samples of recorded bags, or a split of a public data set."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ditr_train.config.model_config import SemanticClass
from ditr_train.data.camvid import read_camvid
from ditr_train.data.dataset import FrameDataset
from ditr_train.data.errors import DataError
from ditr_train.data.frames import CameraImage
from ditr_train.data.nuscenes import NuScenes
from ditr_train.data.s3dis import S3dis
from ditr_train.data.scan_folder import ScanFolder, source_name
from ditr_train.data.scannet import ScanNet
from ditr_train.data.scannet200 import ScanNet200
from ditr_train.data.semantic_kitti import SemanticKitti
from ditr_train.data.sun_rgbd import SunRgbd
from ditr_train.data.waymo import Waymo

DATASETS: dict[str, Callable[[Path, str], FrameDataset]] = {
    "semantic-kitti": SemanticKitti,
    "nuscenes": NuScenes,
    "scannet": ScanNet,
    "scannet200": ScanNet200,
    "s3dis": S3dis,
    "waymo": Waymo,
    "sun-rgbd": SunRgbd,
}

DESCRIBED = "scans"
"""Folders of scans that a YAML file describes."""

IMAGE_DATASETS: dict[str, Callable[[Path, str, tuple[SemanticClass, ...]], list[CameraImage]]] = {"camvid": read_camvid}
"""Images labelled by pixel, without clouds: for the image encoder."""


@dataclass(frozen=True)
class DatasetSplit:
    """A split of a data set in a folder."""

    kind: str
    """A key of DATASETS or IMAGE_DATASETS, or DESCRIBED."""
    root: Path
    split: str

    @property
    def name(self) -> str:
        """What it is called where the name of a bag would stand; two folders of the same data are the same."""
        return source_name(self.split) if self.kind == DESCRIBED else f"{self.kind}:{self.split}"

    def open(self, classes: Sequence[SemanticClass]) -> FrameDataset:
        """Lists its files; `classes` are those of the configuration.

        Raises DataError when the folder does not hold it, or the data set has no clouds.
        """
        if self.kind == DESCRIBED:
            return ScanFolder(self.root, self.split, classes)
        if self.kind not in DATASETS:
            raise DataError(f"{self.name}: images without clouds, only train-encoder takes them")
        return DATASETS[self.kind](self.root, self.split)

    def labelled_images(self, classes: tuple[SemanticClass, ...]) -> list[CameraImage]:
        """Images with ids of those classes. Raises DataError when the data set has none."""
        if self.kind not in IMAGE_DATASETS:
            raise DataError(
                f"{self.name}: its images have no class ids, train-encoder takes bags and {', '.join(IMAGE_DATASETS)}"
            )
        return IMAGE_DATASETS[self.kind](self.root, self.split, classes)


ScanSource = Path | DatasetSplit
"""A sample folder, a bag (of which samples are made), or a split of a data set."""


def scan_source(text: str) -> ScanSource:
    """Reads `samples/`, `a.mcap` or `semantic-kitti:/data/kitti:train`.

    Raises DataError for a data set that is not known.
    """
    known = [*DATASETS, DESCRIBED, *IMAGE_DATASETS]
    match = re.fullmatch(r"([a-z][a-z0-9-]*):(.+):([^:]*)", text)
    if match is None:
        kind, colon, rest = text.partition(":")
        if colon and kind in known:
            split = "LAYOUT.yaml" if kind == DESCRIBED else "train"
            raise DataError(f"{text}: no split is named; write {kind}:{rest or 'FOLDER'}:{split}")
        return Path(text)
    kind, root, split = match.groups()
    if kind not in known:
        raise DataError(f"{text}: {kind!r} is none of the data sets {', '.join(known)}")
    return DatasetSplit(kind, Path(root), split)
