"""ditr-train train-detection: boxes around objects, on the backbone of a segmentation or of a pretraining."""

from __future__ import annotations

import argparse
from dataclasses import replace
from functools import partial
from typing import Any

from ditr_train.commands import arguments, labelled_training
from ditr_train.commands.held_out import warn_of_trained
from ditr_train.commands.score_table import print_detection
from ditr_train.config.model_config import ConfigError, load_config
from ditr_train.data.errors import DataError
from ditr_train.data.label_share import choose_labelled
from ditr_train.data.loading import load_scans
from ditr_train.evaluation.detection import score_detection
from ditr_train.methods.detection import DetectionTraining
from ditr_train.model.device import choose_device


def add_parser(commands: Any) -> None:
    """Adds the command; `commands` is what add_subparsers gave."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "train-detection", help="train a network to find boxes around objects, from scans that have some"
    )
    arguments.add_config(parser)
    arguments.add_bags(parser)
    arguments.add_run(parser)
    labelled_training.add_options(
        parser,
        initialize="start from the backbone of this run of train, of a pretraining or of train-detection, or from a "
        "bundle's image-free network",
        label_share="use this share of the scans with boxes only",
    )
    parser.add_argument(
        "--frozen", action="store_true", help="leave the backbone as it is (detection_training.backbone=frozen)"
    )
    arguments.add_features(parser)
    arguments.add_optimization(parser)
    arguments.add_device(parser)
    arguments.add_threads(parser)
    parser.set_defaults(command=_train_detection)


def _train_detection(options: argparse.Namespace) -> None:
    config = labelled_training.wanted_modes(load_config(options.config, options.set), options)
    configured = config.detection_training
    if config.detection is None or configured is None:
        raise ConfigError(f"{options.config}: it has no detection and detection_training, as street-detection.yaml has")
    settings = replace(configured, **arguments.given(options, *arguments.OPTIMIZATION))
    if options.frozen:
        settings = replace(settings, backbone="frozen", segmentation_weight=0.0)
        if options.initialize is None:
            raise ConfigError("--frozen keeps a backbone that has learned something: --initialize RUN_OR_BUNDLE")
    config = replace(config, detection_training=settings).for_detection()
    device = choose_device(options.device)
    run = arguments.new_run(options, config)
    encoder = labelled_training.image_encoder(options, config, run, device)
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
    data = labelled_training.describe_labelled(options, scans)
    labelled_training.begin(training, training.detector.segmentor, scans, config, data, options)
    training.fit(validation, progress=arguments.progress())
    if validation and training.distribution.first:
        scores = score_detection(training.detector, validation, config, progress=arguments.progress())
        run.write_json("scores.json", {"detection": scores, "bags": [bag.name for bag in options.validation]})
        print_detection(scores)
