"""ditr-train train-encoder: an image encoder from labelled camera images."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

from ditr_train.commands import arguments
from ditr_train.config.model_config import ConfigError, load_config
from ditr_train.engine.run_folder import RunFolder
from ditr_train.methods.encoder_training import EncoderTraining, load_images
from ditr_train.methods.frozen_encoder import load_run_encoder
from ditr_train.model.device import choose_device


def add_parser(commands: Any) -> None:
    """Adds the command; `commands` is what add_subparsers gave."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "train-encoder", help="train the image encoder on labelled camera images"
    )
    arguments.add_config(parser)
    arguments.add_bags(parser)
    arguments.add_run(parser)
    parser.add_argument("--initialize", type=Path, metavar="RUN", help="start from the encoder of this run")
    parser.add_argument("--steps", type=arguments.positive, help="instead of the configuration's")
    parser.add_argument("--learning-rate", type=float, help="instead of the configuration's")
    arguments.add_resume(parser)
    arguments.add_device(parser)
    arguments.add_threads(parser)
    parser.set_defaults(command=_train_encoder)


def _train_encoder(options: argparse.Namespace) -> None:
    config = load_config(options.config, options.set)
    if config.image_encoder is None or config.encoder_training is None:
        raise ConfigError(f"{options.config}: image_encoder and encoder_training are needed to train an encoder")
    settings = replace(config.encoder_training, **arguments.given(options, "steps", "learning_rate"))
    config = replace(config, encoder_training=settings)
    run = arguments.new_run(options, config)
    images = load_images(options.bags, config, progress=arguments.progress())
    validation = load_images(options.validation, config, progress=arguments.progress())
    training = EncoderTraining(config, images, run, choose_device(options.device))
    data = arguments.bag_names(options, images=len(images))
    resumed = options.resume and run.has("checkpoint.pt")
    if options.initialize is not None:
        source = RunFolder(options.initialize)
        data["initialized_from"] = source.read_json("data.json")
        if not resumed:
            training.encoder.load_state_dict(load_run_encoder(source, config).state_dict())
    run.describe_data(data)
    if resumed:
        training.resume()
    scores = training.fit(validation, progress=arguments.progress())
    run.write_json("scores.json", scores)
    print(f"{scores['images']} validation images, mIoU {100 * scores['miou']:.1f} -> {options.output}")
