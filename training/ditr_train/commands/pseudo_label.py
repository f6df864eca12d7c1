"""ditr-train pseudo-label: soft labels of points from what a 2D network says of camera images."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from ditr_train.commands import arguments
from ditr_train.config.model_config import ConfigError, load_config
from ditr_train.data.loading import named_frames
from ditr_train.data.semantic_maps import NOTHING, MapFolder, MapSource, OnnxSegmenter, read_description
from ditr_train.data.soft_labels import SoftLabelFolder
from ditr_train.methods.gathered_targets import GatherSettings, PlacedTargets, gather
from ditr_train.methods.pseudo_labels import project_maps


def add_parser(commands: Any) -> None:
    """Adds the command; `commands` is what add_subparsers gave."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "pseudo-label",
        help="soft labels of points from a 2D network's semantic maps of the camera images, for `train --soft-labels`",
        description="Projects semantic maps onto the points that the camera sees (docs/distill-your-robot.md).",
    )
    arguments.add_config(parser)
    parser.add_argument(
        "--bags", type=arguments.scans, nargs="+", required=True, metavar=arguments.SCANS, help="scans with images"
    )
    parser.add_argument(
        "--classes",
        type=Path,
        required=True,
        metavar="YAML",
        help="what the ids of the maps mean and where they are, such as configs/maps/cityscapes.yaml",
    )
    maps = parser.add_mutually_exclusive_group(required=True)
    maps.add_argument("--maps", type=Path, metavar="FOLDER", help="PNG files of ids and of confidence")
    maps.add_argument("--network", type=Path, metavar="ONNX", help="a segmentation model, which is run")
    parser.add_argument(
        "--gather",
        type=int,
        default=0,
        metavar="SCANS",
        help="points that no image says anything of take what so many scans before and after say of their place "
        "(samples made with --fixed-frame)",
    )
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FOLDER", help="where soft labels go")
    arguments.add_threads(parser)
    parser.set_defaults(command=_pseudo_label)


def _pseudo_label(options: argparse.Namespace) -> None:
    config = load_config(options.config, options.set)
    description, classes = read_description(options.classes, config.classes)
    source: MapSource = (
        MapFolder(options.maps, description) if options.network is None else OnnxSegmenter(options.network, description)
    )
    if options.gather < 0:
        raise ConfigError(f"--gather: {options.gather} is below 0")
    if options.gather > 0 and not description.moving:
        raise ConfigError(f"{options.classes}: --gather needs to know what moves: `moving` names these classes")
    folder = SoftLabelFolder.create(options.output, classes.targets)
    counts = np.zeros(len(classes.targets), np.int64)
    scans = points = placed = 0

    def projected() -> Iterator[PlacedTargets]:
        for bag in tqdm(options.bags, desc="labelling", unit="bag", disable=not arguments.progress()):
            for name, frame in named_frames(bag, config):
                # A scan without images takes what others say, if it is gathered.
                if not frame.exposures and options.gather == 0:
                    continue
                found = project_maps(frame, source, classes, description)
                xyz = np.stack([frame.fields[axis] for axis in "xyz"], axis=1).astype(np.float64)
                yield PlacedTargets(name, f"{bag.name}/{frame.bag}", xyz, frame.pose, found)

    still = classes.still(description.moving)
    for scan, found in gather(projected(), still, GatherSettings(options.gather)):
        folder.write(scan.name, np.maximum(found.target, 0)[:, None], found.weight[:, None])
        counts += np.bincount(found.target[found.target != NOTHING], minlength=len(counts))
        scans, points = scans + 1, points + len(found.target)
        placed += scan.pose is not None
    if scans == 0:
        raise ConfigError(f"no scan of {', '.join(bag.name for bag in options.bags)} has a camera image")
    if options.gather > 0 and placed < scans:
        print(f"{scans - placed} of {scans} scans have no pose and gather nothing: `ditr samples --fixed-frame odom`")
    for target, count in zip(classes.targets, counts, strict=True):
        print(f"{count:>10}  {', '.join(target)}")
    print(f"{counts.sum()} of {points} points ({counts.sum() / points:.1%}) of {scans} scans -> {options.output}")
