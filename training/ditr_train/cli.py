"""The ditr-train command."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from ditr_train import (
    ablate_command,
    arguments,
    compare_command,
    coverage_command,
    distill_command,
    parity_command,
    pretrain_command,
    regions_command,
)
from ditr_train.bundle import PRECISIONS, convert_bundle, provenance, write_bundle
from ditr_train.config import Config, ConfigError, load_config
from ditr_train.data.errors import DataError
from ditr_train.data.label_share import choose_labelled
from ditr_train.data.loading import load_scans
from ditr_train.data.stored_scans import scan_names
from ditr_train.device import choose_device
from ditr_train.encoder_training import EncoderTraining, load_images
from ditr_train.evaluation import score
from ditr_train.frozen_encoder import is_bundle, keep_encoder, load_run_encoder
from ditr_train.import_command import add_import_commands
from ditr_train.origin import initialize_from
from ditr_train.outputs import check_outputs
from ditr_train.pretraining_description import describe_pretraining, is_pretrained
from ditr_train.run_folder import RunFolder
from ditr_train.trained_network import load_segmentor
from ditr_train.training import Training

_EXAMPLES = """\
The usual order:
  ditr-train train-encoder configs/street-tiny.yaml --bags drives/*.mcap --validation held-out/*.mcap -o runs/encoder
  ditr-train train configs/street-tiny.yaml --encoder runs/encoder \\
      --bags drives/*.mcap --validation held-out/*.mcap -o runs/street-tiny
  ditr-train evaluate runs/street-tiny --bags held-out/*.mcap
  ditr-train export runs/street-tiny -o models/street-tiny
A better image-free model from bags without labels:
  ditr-train distill configs/street-tiny.yaml --encoder runs/encoder --bags any/*.mcap -o runs/distilled
  ditr-train train configs/street-tiny.yaml --image-free --initialize runs/distilled \\
      --bags drives/*.mcap --validation held-out/*.mcap -o runs/image-free
  ditr-train export runs/street-tiny --image-free-run runs/image-free -o models/street-tiny
The same in another way, from regions of the images:
  ditr-train regions configs/street-tiny.yaml --bags any/*.mcap -o regions
  ditr-train pretrain configs/street-tiny.yaml --stage 1 --encoder runs/encoder --regions regions \\
      --bags any/*.mcap -o runs/stage1
  ditr-train pretrain configs/street-tiny.yaml --stage 2 --teacher runs/stage1 --regions regions \\
      --bags any/*.mcap -o runs/stage2
"""


def main(command_line: Sequence[str] | None = None) -> int:
    """Runs a command; returns its exit code: 0, or 2 for a mistake in what the user gave, or what the command says."""
    options = _parser().parse_args(command_line)
    torch.set_num_threads(options.threads)
    try:
        check_outputs(options)
        return int(options.command(options) or 0)
    except (ConfigError, DataError) as error:
        print(f"ditr-train: {error}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ditr-train",
        description="Trains point cloud segmentation with camera features (DITR) and exports model bundles.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    encoder = commands.add_parser("train-encoder", help="train the image encoder on labelled camera images")
    arguments.add_config(encoder)
    arguments.add_bags(encoder)
    arguments.add_run(encoder)
    encoder.add_argument("--initialize", type=Path, metavar="RUN", help="start from the encoder of this run")
    encoder.add_argument("--steps", type=arguments.positive, help="instead of the configuration's")
    encoder.add_argument("--learning-rate", type=float, help="instead of the configuration's")
    encoder.set_defaults(command=_train_encoder)

    train = commands.add_parser("train", help="train the segmentation network on labelled scans")
    arguments.add_config(train)
    arguments.add_bags(train)
    arguments.add_run(train)
    train.add_argument(
        "--encoder", type=Path, metavar="RUN", help="folder written by train-encoder or by import dinov2"
    )
    train.add_argument("--image-free", action="store_true", help="leave out the injection of image features")
    train.add_argument(
        "--initialize",
        type=Path,
        metavar="RUN_OR_BUNDLE",
        help="start from the weights of this run of train or a pretraining, or a bundle's image-free network",
    )
    train.add_argument(
        "--label-share", type=arguments.share, default=1.0, help="use the labels of this share of the scans only"
    )
    train.add_argument(
        "--label-seed", type=int, default=0, help="which scans these are; a smaller share is part of a larger one"
    )
    arguments.add_optimization(train)
    train.set_defaults(command=_train)

    distill = distill_command.add_parser(commands)
    regions = regions_command.add_parser(commands)
    pretrain = pretrain_command.add_parser(commands)
    compare = compare_command.add_parser(commands)
    ablate = ablate_command.add_parser(commands)
    coverage = coverage_command.add_parser(commands)

    evaluation = commands.add_parser("evaluate", help="score a trained network, with images and without")
    evaluation.add_argument("run", type=Path, metavar="RUN", help="folder written by train")
    arguments.add_scored_bags(evaluation)
    evaluation.add_argument("--json", type=Path, metavar="FILE", help="also write the scores here")
    evaluation.set_defaults(command=_evaluate)

    export = commands.add_parser("export", help="write a model bundle for the node")
    export.add_argument(
        "run", type=Path, metavar="RUN_OR_BUNDLE", help="folder written by train, or a float32 bundle to convert"
    )
    export.add_argument(
        "--precision",
        choices=PRECISIONS,
        default="float32",
        help="of the weights and of most of the arithmetic; inputs and outputs stay as they are (default: float32)",
    )
    export.add_argument(
        "--image-free-run",
        type=Path,
        metavar="RUN",
        help="take the image-free graph from this run instead (a distilled network, say)",
    )
    export.add_argument(
        "--scores",
        type=Path,
        metavar="FILE",
        help="scores for the card, from `evaluate --json` (default: those on the validation bags)",
    )
    export.add_argument(
        "--data", metavar="TEXT", help="a sentence for the card about where the bags come from, to reproduce them"
    )
    export.add_argument("-o", "--output", type=Path, required=True, metavar="FOLDER")
    export.set_defaults(command=_export)

    parity = parity_command.add_parser(commands)
    imports = add_import_commands(commands)

    for command in (encoder, train, distill, pretrain, compare, ablate, coverage, evaluation):
        arguments.add_device(command)
    for command in (
        encoder,
        train,
        distill,
        regions,
        pretrain,
        compare,
        ablate,
        coverage,
        evaluation,
        export,
        parity,
        *imports,
    ):
        arguments.add_threads(command)
    for command in (evaluation, export, *imports):
        arguments.add_force(command)
    return parser


def _train_encoder(options: argparse.Namespace) -> None:
    config = load_config(options.config)
    if config.image_encoder is None or config.encoder_training is None:
        raise ConfigError(f"{options.config}: image_encoder and encoder_training are needed to train an encoder")
    settings = replace(config.encoder_training, **arguments.given(options, "steps", "learning_rate"))
    config = replace(config, encoder_training=settings)
    run = RunFolder(options.output)
    run.create(config, resume=False)
    images = load_images(options.bags, config, progress=arguments.progress())
    validation = load_images(options.validation, config, progress=arguments.progress())
    training = EncoderTraining(config, images, run, choose_device(options.device))
    data = arguments.bag_names(options, images=len(images))
    if options.initialize is not None:
        source = RunFolder(options.initialize)
        training.encoder.load_state_dict(load_run_encoder(source, config).state_dict())
        data["initialized_from"] = source.read_json("data.json")
    scores = training.fit(validation, progress=arguments.progress())
    run.write_json("scores.json", scores)
    run.write_json("data.json", data)
    print(f"{scores['images']} validation images, mIoU {100 * scores['miou']:.1f} -> {options.output}")


def _train(options: argparse.Namespace) -> None:
    config = load_config(options.config)
    if options.image_free:
        config = replace(config, injection=None, image_encoder=None, encoder_training=None)
    settings = replace(config.training, **arguments.given(options, *arguments.OPTIMIZATION))
    config = replace(config, training=settings).without_pretraining()
    device = choose_device(options.device)
    run = RunFolder(options.output)
    run.create(config, resume=options.resume)
    encoder = None
    if config.injection is not None:
        if options.encoder is None:
            raise ConfigError("a network with injection needs --encoder, or leave the images out with --image-free")
        source = RunFolder(options.encoder)
        encoder = load_run_encoder(source, config)
        keep_encoder(run, encoder, source)
        encoder.to(device)
    scans = load_scans(options.bags, config, encoder, progress=arguments.progress())
    scans = choose_labelled(scans, options.label_share, options.label_seed)
    validation = load_scans(options.validation, config, encoder, progress=arguments.progress())
    training = Training(config, scans, run, device)
    data = arguments.bag_names(options, scans=len(scans))
    if options.label_share < 1:
        data |= {"label_share": options.label_share, "label_seed": options.label_seed}
        data["labelled_scans"] = scan_names(scans)
    resumed = options.resume and run.has("checkpoint.pt")
    if options.initialize is not None:
        data["initialized_from"] = _describe_origin(options.initialize)
        if not resumed:
            taken = initialize_from(training.segmentor, options.initialize, scans, config, keep_head=True)
            print(f"{options.initialize}: {taken}")
    run.describe_data(data)
    if resumed:
        training.resume()
    training.fit(validation, progress=arguments.progress())
    if validation:
        scores = score(training.segmentor, validation, config, progress=arguments.progress())
        run.write_json("scores.json", scores | {"bags": [bag.name for bag in options.validation]})
        _print_scores(scores)


def _evaluate(options: argparse.Namespace) -> None:
    run = RunFolder(options.run)
    config = run.config()
    device = choose_device(options.device)
    encoder = load_run_encoder(run, config).to(device) if config.injection is not None else None
    scans = load_scans(options.bags, config, encoder, progress=arguments.progress())
    scores = score(load_segmentor(run, config).to(device), scans, config, progress=arguments.progress())
    _print_scores(scores)
    if options.json:
        scores["bags"] = [bag.name for bag in options.bags]
        options.json.write_text(json.dumps(scores, indent=2) + "\n", encoding="utf-8")


def _export(options: argparse.Namespace) -> None:
    if is_bundle(options.run):
        if options.image_free_run or options.scores or options.data:
            raise ConfigError(f"{options.run} is a bundle: it is converted as it is, without other options")
        convert_bundle(options.run, options.output, options.precision)
    else:
        _export_run(options)
    size = sum(path.stat().st_size for path in options.output.iterdir()) / 1e6
    print(f"{options.output}: {', '.join(sorted(p.name for p in options.output.iterdir()))}; {size:.1f} MB")


def _export_run(options: argparse.Namespace) -> None:
    run = RunFolder(options.run)
    config = run.config()
    segmentor = load_segmentor(run, config)
    fused = segmentor if config.injection is not None else None
    encoder = load_run_encoder(run, config) if fused is not None else None
    training = provenance(**_description(run, config))
    if options.data:
        training["data_source"] = options.data
    scores = run.read_json("scores.json") if run.has("scores.json") else {}
    if options.scores is not None:
        scores = json.loads(options.scores.read_text(encoding="utf-8"))
    image_free = segmentor
    if options.image_free_run is not None:
        other = RunFolder(options.image_free_run)
        other_config = other.config()
        if other_config.backbone != config.backbone or other_config.classes != config.classes:
            raise ConfigError(f"{options.image_free_run}: its backbone or classes differ from {options.run}")
        image_free = load_segmentor(other, other_config)
        training["image_free_network"] = _description(other, other_config)
        scores = {name: value for name, value in scores.items() if not name.startswith("image_free")}
        scores["image_free"] = other.read_json("scores.json")["image_free"]
    write_bundle(
        options.output,
        config,
        image_free=image_free,
        fused=fused,
        image_encoder=encoder,
        training=training,
        scores=scores,
        precision=options.precision,
    )


def _description(run: RunFolder, config: Config) -> dict[str, Any]:
    if run.has("origin.json"):  # weights that others published
        origin: dict[str, Any] = run.read_json("origin.json")
        return origin
    if is_pretrained(config):
        return describe_pretraining(run, config)
    settings = config.training
    description: dict[str, Any] = {
        "steps": settings.steps,
        "scans_per_step": settings.scans_per_step,
        "learning_rate": settings.learning_rate,
        "seed": settings.seed,
    }
    if config.injection is not None:
        description["modes"] = (
            "one set of weights serves both graphs: a voxel without image features takes exactly the image-free "
            f"path, and {settings.augmentation.image_drop:.0%} of the training scans are shown without images"
        )
    if run.has("data.json"):
        description["data"] = run.read_json("data.json")
    if run.has("encoder.json"):
        encoder = run.read_json("encoder.json")
        description["image_encoder"] = {"data": encoder["data"]}
        if encoder["scores"]:  # an encoder whose weights others published has none
            description["image_encoder"] |= {
                "validation_miou": encoder["scores"]["miou"],
                "validation_images": encoder["scores"]["images"],
            }
    return description


def _describe_origin(origin: Path) -> Any:
    if is_bundle(origin):
        return origin.name
    run = RunFolder(origin)
    return _description(run, run.config())


def _print_scores(scores: dict[str, Any]) -> None:
    modes = {name: value for name, value in scores.items() if isinstance(value, dict) and "iou" in value}
    names = list(dict.fromkeys(name for mode in modes.values() for name in mode["iou"]))
    width = max(len(name) for name in [*names, "mIoU"])
    print(" " * width, *(f"{name:>24}" for name in modes))
    for row in ["mIoU", *names]:
        values = [mode["miou"] if row == "mIoU" else mode["iou"].get(row) for mode in modes.values()]
        print(f"{row:<{width}}", *(f"{'-' if v is None else f'{100 * v:.1f}':>24}" for v in values))
    print(f"{scores['scans']} scans")


if __name__ == "__main__":
    sys.exit(main())
