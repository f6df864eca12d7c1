"""ditr-train distill: a backbone from bags without labels."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ditr_train.commands import arguments
from ditr_train.commands.estimate import add_estimate, print_estimate
from ditr_train.config.model_config import ConfigError, load_config
from ditr_train.data.loading import load_scans
from ditr_train.data.scans import LabeledScan
from ditr_train.encoders.half_precision_encoder import placed
from ditr_train.methods.distillation import Distillation
from ditr_train.methods.frozen_encoder import distillation_teacher, load_frozen_encoder
from ditr_train.methods.pretraining import carry_out
from ditr_train.methods.scan_selection import scans_with_images
from ditr_train.model.device import choose_device


def add_parser(commands: Any) -> None:
    """Adds the command; `commands` is what add_subparsers gave."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "distill",
        help="train the 3D network, without labels, to predict the image features of visible points",
        description="D-DITR: bags need clouds, images, camera info and static transforms, no labels. Continue with "
        "`ditr-train train --image-free --initialize RUN`.",
    )
    arguments.add_config(parser)
    arguments.add_bags(parser)
    arguments.add_run(parser)
    parser.add_argument(
        "--encoder",
        type=Path,
        required=True,
        metavar="RUN_OR_BUNDLE",
        help="whose image encoder to learn from",
    )
    parser.add_argument("--init", type=Path, metavar="RUN_OR_BUNDLE", help="start from this network's backbone")
    arguments.add_features(parser)
    arguments.add_optimization(parser)
    add_estimate(parser)
    arguments.add_device(parser)
    arguments.add_threads(parser)
    parser.set_defaults(command=_distill)


def _distill(options: argparse.Namespace) -> None:
    config = load_config(options.config, options.set)
    if config.distillation is None or config.image_encoder is None:
        raise ConfigError(f"{options.config}: distillation and image_encoder are needed to distill")
    settings = replace(config.distillation, **arguments.given(options, *arguments.OPTIMIZATION))
    config = replace(config, distillation=settings).for_pretraining("distillation")
    run = arguments.new_run(options, config)
    device = choose_device(options.device)
    encoder, view = distillation_teacher(load_frozen_encoder(options.encoder, config), config)
    encoder = arguments.remembered(options, placed(encoder, device))
    show = arguments.progress()
    augmentation = config.training.augmentation
    loaded = load_scans(options.bags, view, encoder, labels=False, augmentation=augmentation, progress=show)
    scans = scans_with_images(loaded, config.backbone, "the bags of --bags")
    validation: Sequence[LabeledScan] = []
    if options.validation:
        loaded = load_scans(options.validation, view, encoder, labels=False, progress=show)
        validation = scans_with_images(loaded, config.backbone, "the bags of --validation")
    distillation = Distillation(config, scans, run, device)
    distillation.workers = options.workers
    if options.estimate is not None:
        print_estimate(distillation, validation, encoder, options.estimate)
        return
    carry_out(
        distillation,
        validation,
        arguments.bag_names(options, scans=len(scans)) | {"image_encoder": options.encoder.name},
        origin=options.init,
        resume=options.resume,
        progress=show,
        description="distilling",
    )
