"""ditr-train coverage: from which share of points seen on fusion pays."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ditr_train.commands import arguments
from ditr_train.config.model_config import ConfigError
from ditr_train.data.errors import DataError
from ditr_train.data.images import patch_grid
from ditr_train.data.loading import load_scans
from ditr_train.data.stored_scans import with_images
from ditr_train.encoders.half_precision_encoder import placed
from ditr_train.engine.run_folder import RunFolder
from ditr_train.engine.trained_network import load_segmentor
from ditr_train.methods.frozen_encoder import load_run_encoder
from ditr_train.model.device import choose_device
from ditr_train.studies.coverage import coverage_table, measure_coverage, narrow_views


def add_parser(commands: Any) -> None:
    """Adds the command; `commands` is what add_subparsers gave."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "coverage",
        help="score a fused network with fewer and narrower cameras: the node's min_seen_share",
        description="A table of the share of points that cameras see against what fusion gains. The node's parameter "
        "min_seen_share should be where the gain begins.",
    )
    parser.add_argument("run", type=Path, metavar="RUN", help="folder written by train, with injection")
    arguments.add_scored_bags(parser)
    parser.add_argument(
        "--image-free-run", type=Path, metavar="RUN", help="the image-free network, if it is another one (D-DITR)"
    )
    arguments.add_device(parser)
    arguments.add_threads(parser)
    parser.set_defaults(command=_coverage)


def _coverage(options: argparse.Namespace) -> None:
    run = RunFolder(options.run)
    config = run.config()
    if config.injection is None:
        raise ConfigError(f"{options.run}: a network without injection sees no images")
    device = choose_device(options.device)
    show = arguments.progress()
    scans = load_scans(options.bags, config, placed(load_run_encoder(run, config), device), progress=show)
    if not with_images(scans):
        raise DataError(f"no image belongs to any of the {len(scans)} clouds of --bags")
    fused = load_segmentor(run, config).to(device)
    image_free, image_free_config = fused, config
    if options.image_free_run is not None:
        other = RunFolder(options.image_free_run)
        image_free_config = other.config()
        if image_free_config.classes != config.classes:
            raise ConfigError(f"{options.image_free_run}: its classes differ from {options.run}")
        image_free = load_segmentor(other, image_free_config).to(device)
    encoder = config.image_encoder
    assert encoder is not None
    most = max(len(scan.images.features) for scan in scans if scan.images is not None)
    views = narrow_views(len(config.topics.cameras) or most // (patch_grid(encoder).rows * patch_grid(encoder).columns))
    results = measure_coverage(fused, config, image_free, image_free_config, scans, views, progress=show)
    print(f"{len(scans)} scans, mIoU over all points in %")
    print(coverage_table(results), end="")
