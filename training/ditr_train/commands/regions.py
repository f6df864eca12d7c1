"""ditr-train regions: images of regions for the camera images of samples, without a trained model."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from ditr_train.commands import arguments
from ditr_train.config.model_config import load_config
from ditr_train.data.bag_samples import open_samples
from ditr_train.data.errors import DataError
from ditr_train.data.frames import CameraImage
from ditr_train.data.image_segmentation import segment_image
from ditr_train.data.images import decode_rgb
from ditr_train.data.regions import RegionFolder


def add_parser(commands: Any) -> None:
    """Adds the command; `commands` is what add_subparsers gave."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "regions",
        help="divide the camera images of samples into regions, for `pretrain`",
        description="Writes FOLDER/BAG/TOPIC/STAMP.png for each image: regions of even colour, by mean shift and "
        "watershed. With --images it writes the camera images instead, for a better segmenter, such as SAM, to read "
        "(docs/pretrain-with-regions.md).",
    )
    arguments.add_config(parser)
    parser.add_argument("--bags", type=Path, nargs="+", required=True, metavar="SAMPLES|BAG")
    parser.add_argument(
        "--smallest", type=arguments.positive, default=100, help="pixels of the smallest region (default %(default)s)"
    )
    parser.add_argument("--images", action="store_true", help="write the camera images, as recorded")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FOLDER")
    arguments.add_threads(parser)
    parser.set_defaults(command=_write_regions)


def _write_regions(options: argparse.Namespace) -> None:
    topics = load_config(options.config, options.set).topics
    folder = RegionFolder(options.output)
    images = regions = 0
    for bag in tqdm(options.bags, desc="dividing images", unit="bag", disable=not arguments.progress()):
        before = images
        for name, image in open_samples(bag, topics, labels=False).images(topics.cameras):
            images += 1
            if options.images:
                _keep_image(folder, name, image)
                continue
            ids = segment_image(np.asarray(decode_rgb(image.encoded)), smallest=options.smallest)
            folder.write(name, image, ids)
            regions += int(ids.max())
        if images == before:
            raise DataError(f"{bag}: no scan has an image")
    what = "images" if options.images else f"images, {regions / images:.0f} regions each on average"
    print(f"{images} {what} -> {options.output}")


def _keep_image(folder: RegionFolder, bag: str, image: CameraImage) -> None:
    path = folder.path(bag, image, ".png" if image.encoded.startswith(b"\x89PNG") else ".jpg")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(image.encoded)
