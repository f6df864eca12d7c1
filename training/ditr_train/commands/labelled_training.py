"""What the commands that train on labels have in common: their options, image encoder, description and start."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ditr_train.commands import arguments
from ditr_train.config.model_config import Config, ConfigError
from ditr_train.data.scans import LabeledScan
from ditr_train.data.stored_scans import scan_names
from ditr_train.encoders.half_precision_encoder import placed
from ditr_train.engine.run_folder import RunFolder
from ditr_train.engine.training_loop import TrainingLoop
from ditr_train.methods.frozen_encoder import keep_encoder, load_run_encoder
from ditr_train.methods.origin import initialize_from
from ditr_train.methods.run_description import describe_origin
from ditr_train.model.segmentor import Segmentor


def add_options(parser: argparse.ArgumentParser, *, initialize: str, label_share: str) -> None:
    """--encoder, --image-free, --initialize and --label-share with its seed; the texts are of the help."""
    parser.add_argument(
        "--encoder",
        type=Path,
        metavar="RUN_OR_BUNDLE",
        help="a run of train-encoder, of import encoder or of train, or a bundle",
    )
    parser.add_argument("--image-free", action="store_true", help="leave out the injection of image features")
    parser.add_argument("--initialize", type=Path, metavar="RUN_OR_BUNDLE", help=initialize)
    parser.add_argument("--label-share", type=arguments.share, default=1.0, help=label_share)
    parser.add_argument(
        "--label-seed", type=int, default=0, help="which scans these are; a smaller share is part of a larger one"
    )


def wanted_modes(config: Config, options: argparse.Namespace) -> Config:
    """The configuration without what --image-free leaves out."""
    return replace(config, injection=None, image_encoder=None, encoder_training=None) if options.image_free else config


def image_encoder(
    options: argparse.Namespace, config: Config, run: RunFolder, device: torch.device
) -> nn.Module | None:
    """That of --encoder, of which the run keeps a copy; None for a network without injection.

    Raises ConfigError where one is needed and not named.
    """
    if config.injection is None:
        return None
    if options.encoder is None:
        raise ConfigError("a network with injection needs --encoder, or leave the images out with --image-free")
    source = RunFolder(options.encoder)
    trained = load_run_encoder(source, config)
    keep_encoder(run, trained, source)
    return arguments.remembered(options, placed(trained, device))


def describe_labelled(options: argparse.Namespace, scans: Sequence[LabeledScan]) -> dict[str, Any]:
    """What data.json says of the scans that are trained on."""
    data = arguments.bag_names(options, scans=len(scans))
    if options.label_share < 1:
        data |= {"label_share": options.label_share, "label_seed": options.label_seed}
        data["labelled_scans"] = scan_names(scans)
    return data


def begin(
    training: TrainingLoop,
    segmentor: Segmentor,
    scans: Sequence[LabeledScan],
    config: Config,
    data: dict[str, Any],
    options: argparse.Namespace,
) -> None:
    """Describes the run, and takes the weights of --initialize or, to resume, of its last checkpoint."""
    run = training.run
    resumed = options.resume and run.has("checkpoint.pt")
    if options.initialize is not None:
        data["initialized_from"] = describe_origin(options.initialize)
        if not resumed:
            taken = initialize_from(segmentor, options.initialize, scans, config, keep_head=True)
            print(f"{options.initialize}: {taken}")
    run.describe_data(data)
    if resumed:
        training.resume()
