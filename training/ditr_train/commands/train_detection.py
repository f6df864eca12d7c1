"""ditr-train train-detection: boxes around objects, on the backbone of a segmentation or of a pretraining."""

from __future__ import annotations

import argparse
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from torch import nn

from ditr_train.commands import arguments
from ditr_train.commands.held_out import warn_of_trained
from ditr_train.commands.score_table import print_detection
from ditr_train.config.model_config import ConfigError, load_config
from ditr_train.data.errors import DataError
from ditr_train.data.label_share import choose_labelled
from ditr_train.data.loading import load_scans
from ditr_train.data.stored_scans import scan_names
from ditr_train.encoders.half_precision_encoder import placed
from ditr_train.engine.run_folder import RunFolder
from ditr_train.evaluation.detection import score_detection
from ditr_train.methods.detection import DetectionTraining
from ditr_train.methods.frozen_encoder import keep_encoder, load_run_encoder
from ditr_train.methods.origin import initialize_from
from ditr_train.methods.run_description import describe_origin
from ditr_train.model.device import choose_device


def add_parser(commands: Any) -> None:
    """Adds the command; `commands` is what add_subparsers gave."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "train-detection", help="train a network to find boxes around objects, from scans that have some"
    )
    arguments.add_config(parser)
    arguments.add_bags(parser)
    arguments.add_run(parser)
    parser.add_argument(
        "--initialize",
        type=Path,
        metavar="RUN_OR_BUNDLE",
        help="start from the backbone of this run of train, of a pretraining or of train-detection, or from a bundle's "
        "image-free network",
    )
    parser.add_argument(
        "--encoder",
        type=Path,
        metavar="RUN_OR_BUNDLE",
        help="a run of train-encoder, of import encoder or of train, or a bundle",
    )
    parser.add_argument("--image-free", action="store_true", help="leave out the injection of image features")
    parser.add_argument(
        "--frozen", action="store_true", help="leave the backbone as it is (detection_training.backbone=frozen)"
    )
    parser.add_argument(
        "--label-share", type=arguments.share, default=1.0, help="use this share of the scans with boxes only"
    )
    parser.add_argument(
        "--label-seed", type=int, default=0, help="which scans these are; a smaller share is part of a larger one"
    )
    arguments.add_features(parser)
    arguments.add_optimization(parser)
    arguments.add_device(parser)
    arguments.add_threads(parser)
    parser.set_defaults(command=_train_detection)


def _train_detection(options: argparse.Namespace) -> None:
    config = load_config(options.config, options.set)
    configured = config.detection_training
    if config.detection is None or configured is None:
        raise ConfigError(f"{options.config}: it has no detection and detection_training, as street-detection.yaml has")
    if options.image_free:
        config = replace(config, injection=None, image_encoder=None, encoder_training=None)
    settings = replace(configured, **arguments.given(options, *arguments.OPTIMIZATION))
    if options.frozen:
        settings = replace(settings, backbone="frozen", segmentation_weight=0.0)
        if options.initialize is None:
            raise ConfigError("--frozen keeps a backbone that has learned something: --initialize RUN_OR_BUNDLE")
    config = replace(config, detection_training=settings).for_detection()
    device = choose_device(options.device)
    run = arguments.new_run(options, config)
    encoder: nn.Module | None = None
    if config.injection is not None:
        if options.encoder is None:
            raise ConfigError("a network with injection needs --encoder, or leave the images out with --image-free")
        source = RunFolder(options.encoder)
        trained = load_run_encoder(source, config)
        keep_encoder(run, trained, source)
        encoder = arguments.remembered(options, placed(trained, device))
    warn_of_trained(options.bags, options.validation)
    load = partial(
        load_scans,
        config=config,
        encoder=encoder,
        labels=settings.segmentation_weight > 0,
        boxed=True,
        progress=arguments.progress(),
    )
    found = load(options.bags, augmentation=config.training.augmentation)
    if not found:
        raise DataError(f"{', '.join(bag.name for bag in options.bags)}: no scan has boxes to learn from")
    scans = choose_labelled(found, options.label_share, options.label_seed)
    validation = load(options.validation)
    training = DetectionTraining(config, scans, run, device)
    training.workers = options.workers
    data = arguments.bag_names(options, scans=len(scans))
    if options.label_share < 1:
        data |= {"label_share": options.label_share, "label_seed": options.label_seed}
        data["labelled_scans"] = scan_names(scans)
    resumed = options.resume and run.has("checkpoint.pt")
    if options.initialize is not None:
        data["initialized_from"] = describe_origin(options.initialize)
        if not resumed:
            taken = initialize_from(training.detector.segmentor, options.initialize, scans, config, keep_head=True)
            print(f"{options.initialize}: {taken}")
    run.describe_data(data)
    if resumed:
        training.resume()
    training.fit(validation, progress=arguments.progress())
    if validation and training.distribution.first:
        scores = score_detection(training.detector, validation, config, progress=arguments.progress())
        run.write_json("scores.json", {"detection": scores, "bags": [bag.name for bag in options.validation]})
        print_detection(scores)
