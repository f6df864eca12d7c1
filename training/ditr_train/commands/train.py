"""ditr-train train: the segmentation network from labelled scans."""

from __future__ import annotations

import argparse
from dataclasses import replace
from functools import partial
from typing import Any

from ditr_train.commands import arguments, labelled_training
from ditr_train.commands.estimate import add_estimate, print_estimate
from ditr_train.commands.held_out import warn_of_trained
from ditr_train.commands.score_table import print_scores
from ditr_train.config.model_config import load_config
from ditr_train.data.label_share import choose_labelled
from ditr_train.data.loading import load_scans
from ditr_train.data.stored_scans import joined
from ditr_train.engine.scan_order import ScanGroup
from ditr_train.evaluation.segmentation import score
from ditr_train.methods.segmentation import Training
from ditr_train.model.device import choose_device


def add_parser(commands: Any) -> None:
    """Adds the command; `commands` is what add_subparsers gave."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "train", help="train the segmentation network on labelled scans"
    )
    arguments.add_config(parser)
    arguments.add_bags(parser)
    arguments.add_run(parser)
    labelled_training.add_options(
        parser,
        initialize="start from the weights of this run of train or a pretraining, or a bundle's image-free network",
        label_share="use the labels of this share of the scans only",
    )
    arguments.add_source_shares(parser)
    arguments.add_soft_labels(parser)
    arguments.add_features(parser)
    arguments.add_optimization(parser)
    add_estimate(parser)
    arguments.add_device(parser)
    arguments.add_threads(parser)
    parser.set_defaults(command=_train)


def _train(options: argparse.Namespace) -> None:
    config = labelled_training.wanted_modes(load_config(options.config, options.set), options)
    settings = replace(config.training, **arguments.given(options, *arguments.OPTIMIZATION))
    config = replace(config, training=settings).without_pretraining()
    device = choose_device(options.device)
    run = arguments.new_run(options, config)
    encoder = labelled_training.image_encoder(options, config, run, device)
    shares, soft = arguments.source_shares(options), arguments.soft_labels(options)
    warn_of_trained([*options.bags, *(each for _, sources in shares for each in sources)], options.validation)
    load = partial(load_scans, config=config, encoder=encoder, progress=arguments.progress())
    to_train_on = partial(load, soft_labels=soft, augmentation=config.training.augmentation)
    scans = choose_labelled(to_train_on(options.bags), options.label_share, options.label_seed)
    validation = load(options.validation)
    groups = []
    if shares:
        groups = [ScanGroup(len(scans), 1 - sum(value for value, _ in shares))]
        for value, sources in shares:
            more = to_train_on(sources)
            groups.append(ScanGroup(len(more), value))
            scans = joined(scans, more)
    training = Training(config, scans, run, device, groups)
    training.workers = options.workers
    if options.estimate is not None:
        print_estimate(training, validation, encoder, options.estimate)
        return
    data = labelled_training.describe_labelled(options, scans)
    if shares:
        data["source_shares"] = [{"share": value, "bags": [s.name for s in sources]} for value, sources in shares]
    if options.soft_labels is not None:
        data["soft_labels"] = options.soft_labels.name
    labelled_training.begin(training, training.segmentor, scans, config, data, options)
    training.fit(validation, progress=arguments.progress())
    if validation and training.distribution.first:
        scores = score(training.segmentor, validation, config, progress=arguments.progress())
        run.write_json("scores.json", scores | {"bags": [bag.name for bag in options.validation]})
        print_scores(scores)
