"""ditr-train regions: images of regions for the camera images of samples and data sets."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from ditr_train.commands import arguments
from ditr_train.config.model_config import load_config
from ditr_train.data.automatic_masks import AutomaticMasks
from ditr_train.data.errors import DataError
from ditr_train.data.frames import CameraImage
from ditr_train.data.image_segmentation import segment_image
from ditr_train.data.images import decode_rgb
from ditr_train.data.loading import camera_images
from ditr_train.data.regions import RegionFolder
from ditr_train.model.device import choose_device


def add_parser(commands: Any) -> None:
    """Adds the command; `commands` is what add_subparsers gave."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "regions",
        help="divide the camera images of scans into regions, for `pretrain`",
        description="Writes a picture of region ids for each image: with --sam by Segment Anything, without it regions "
        "of even colour, by mean shift and watershed. With --images it writes the camera images instead, for another "
        "segmenter to read (docs/pretrain-with-regions.md). Images whose picture is there already are left out.",
    )
    arguments.add_config(parser)
    parser.add_argument("--bags", type=arguments.scans, nargs="+", required=True, metavar=arguments.SCANS)
    parser.add_argument(
        "--smallest", type=arguments.positive, default=100, help="pixels of the smallest region (default %(default)s)"
    )
    way = parser.add_mutually_exclusive_group()
    way.add_argument(
        "--sam",
        metavar="MODEL",
        help="a SAM or SAM 2 of transformers: a name such as facebook/sam2.1-hiera-small, or a folder",
    )
    way.add_argument("--images", action="store_true", help="write the camera images, as recorded")
    parser.add_argument(
        "--points-per-side",
        type=arguments.positive,
        default=32,
        help="of the grid over an image in whose points --sam looks for masks (default %(default)s)",
    )
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FOLDER")
    arguments.add_device(parser)
    arguments.add_threads(parser)
    parser.set_defaults(command=_write_regions)


def _write_regions(options: argparse.Namespace) -> None:
    config = load_config(options.config, options.set)
    folder = RegionFolder(options.output)
    divide = partial(segment_image, smallest=options.smallest)
    if options.sam is not None:
        sam = AutomaticMasks(options.sam, choose_device(options.device), points_per_side=options.points_per_side)
        divide = partial(sam.ids, smallest=options.smallest)
    images = regions = kept = 0
    for source in tqdm(options.bags, desc="dividing images", unit="source", disable=not arguments.progress()):
        before = images + kept
        for name, image in camera_images(source, config):
            if options.images:
                images += 1
                _keep_image(folder, name, image)
            elif folder.path(name, image).exists():
                kept += 1
            else:
                images += 1
                ids = divide(np.asarray(decode_rgb(image.encoded)))
                folder.write(name, image, ids)
                regions += len(np.unique(ids[ids > 0]))
        if images + kept == before:
            raise DataError(f"{source if isinstance(source, Path) else source.name}: no scan has an image")
    what = "images" if options.images else f"images, {regions / max(1, images):.0f} regions each on average"
    print(f"{images} {what} -> {options.output}{f'; {kept} were there' if kept else ''}")


def _keep_image(folder: RegionFolder, bag: str, image: CameraImage) -> None:
    path = folder.path(bag, image, ".png" if image.encoded.startswith(b"\x89PNG") else ".jpg")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(image.encoded)
