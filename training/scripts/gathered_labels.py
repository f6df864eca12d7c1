"""How many points get a soft label by gathering over the scans of a drive, and how many of these are right.

    ditr simulate --seed 41 --scans 20 --stride 3 --semantic -o drive.mcap
    ditr samples drive.mcap --fixed-frame odom -o samples/41
    python training/scripts/gathered_labels.py training/configs/street-tiny.yaml samples/*

The images of classes in the samples stand for the maps of a 2D network, and the labels of the points for what is right.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ditr_train.config.model_config import Config, load_config
from ditr_train.data.frames import Exposure, Frame
from ditr_train.data.sample_folder import SampleFolder
from ditr_train.data.semantic_maps import NOTHING, MapClasses, MapDescription
from ditr_train.methods.gathered_targets import GatherSettings, PlacedTargets, gather
from ditr_train.methods.pseudo_labels import project_maps

MOVING = ("car", "bicycle", "motorcycle", "truck", "other-vehicle", "person", "bicyclist", "motorcyclist")


class SemanticImages:
    """The class images of a folder of samples, as the maps of a network that is never wrong."""

    def __init__(self, folder: SampleFolder) -> None:
        self._ids = {(image.topic, image.stamp): image.semantic for _, image in folder.images(())}

    def of(self, frame: Frame, camera: int, exposure: Exposure) -> tuple[npt.NDArray[Any], npt.NDArray[np.float32]]:
        """Ids and certainty of an image's pixels."""
        ids = self._ids[exposure.image.topic, exposure.image.stamp]
        assert ids is not None, f"{frame.bag}: no class image at {exposure.image.stamp}"
        return ids, np.ones(ids.shape, np.float32)


def projected(path: Path, config: Config, classes: MapClasses) -> Iterator[PlacedTargets]:
    """The scans of a folder with what their own images say."""
    folder = SampleFolder(path)
    images, description = SemanticImages(folder), MapDescription()
    for index in range(len(folder)):
        frame = folder.frame(index, ["x", "y", "z"], config.topics.label_field, (), images=True)
        found = project_maps(frame, images, classes, description)
        xyz = np.stack([frame.fields[axis] for axis in "xyz"], axis=1).astype(np.float64)
        yield PlacedTargets(str(index), str(path), xyz, folder.pose(index), found)


def main() -> None:
    """Prints a row for each reach."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", type=Path, metavar="CONFIG")
    parser.add_argument("samples", type=Path, nargs="+", metavar="SAMPLES")
    parser.add_argument("--gather", type=int, nargs="+", default=[0, 2, 5, 10], metavar="SCANS")
    given = parser.parse_args()
    config = load_config(given.config)
    ids = np.array([entry.id for entry in config.classes])
    classes = MapClasses(tuple((entry.name,) for entry in config.classes), {int(i): n for n, i in enumerate(ids)})
    scans = [scan for path in given.samples for scan in projected(path, config, classes)]
    field = config.topics.label_field
    labels = [
        folder.frame(index, [field], field, (), images=False).fields[field]
        for folder in map(SampleFolder, given.samples)
        for index in range(len(folder))
    ]
    for reach in given.gather:
        counts = np.zeros(5, np.int64)
        found = gather(iter(scans), classes.still(MOVING), GatherSettings(reach))
        for (scan, targets), truth in zip(found, labels, strict=True):
            has = targets.target != NOTHING
            new = has & (scan.targets.target == NOTHING)
            right = has & (ids[targets.target] == truth)
            counts += [len(truth), has.sum(), right.sum(), new.sum(), (right & new).sum()]
        points, labelled, correct, gathered, gathered_correct = counts
        print(
            f"--gather {reach}: {labelled / points:.1%} of {points} points, {correct / labelled:.1%} right; "
            f"gathered {gathered / points:.1%}, {gathered_correct / max(1, gathered):.1%} right"
        )


if __name__ == "__main__":
    main()
