"""`ditr-train import`: published weights in place of trained ones."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ditr_train.commands import arguments
from ditr_train.config.model_config import Config, ConfigError, load_config
from ditr_train.engine.run_folder import RunFolder
from ditr_train.export.bundle import provenance, read_document, write_bundle
from ditr_train.methods.frozen_encoder import is_bundle, keep_published_encoder, load_exportable_encoder
from ditr_train.weights.checkpoint_file import file_provenance
from ditr_train.weights.pointcept import PointceptModel, load_distilled, load_pointcept


def add_parser(commands: Any) -> None:
    """Adds the command; `commands` is what add_subparsers gave."""
    parser = commands.add_parser("import", help="take published weights")
    layouts = parser.add_subparsers(title="layouts", required=True, metavar="LAYOUT")

    encoder = layouts.add_parser(
        "encoder",
        aliases=["dinov2"],
        help="image encoder: DINOv2, DINOv3, SigLIP 2, any ViT of timm, or any ONNX graph, as the configuration says",
    )
    _checkpoint_arguments(encoder)
    encoder.add_argument(
        "-o", "--output", type=Path, required=True, metavar="RUN", help="folder to give to `train --encoder`"
    )
    encoder.set_defaults(command=_import_encoder)

    pointcept = layouts.add_parser(
        "pointcept",
        help="PT-v3m1 or LitePT-v1, from segmentation checkpoints of Pointcept, DITR (with injection) and D-DITR",
    )
    _checkpoint_arguments(pointcept)
    pointcept.add_argument(
        "--encoder",
        type=Path,
        metavar="RUN_OR_BUNDLE",
        help="the image encoder that a checkpoint with injection was trained with (folder written by import encoder)",
    )
    pointcept.add_argument(
        "--image-free",
        type=Path,
        metavar="CHECKPOINT",
        help="beside a checkpoint with injection: one of the same network without, for scans without images",
    )
    pointcept.add_argument(
        "-o", "--output", type=Path, required=True, metavar="BUNDLE", help="folder of the bundle for the node"
    )
    pointcept.set_defaults(command=_import_pointcept)

    distilled = layouts.add_parser("d-ditr", help="backbone to fine-tune, from D-DITR's distilled checkpoints")
    _checkpoint_arguments(distilled)
    distilled.add_argument(
        "-o", "--output", type=Path, required=True, metavar="RUN", help="folder to give to `train --initialize`"
    )
    distilled.set_defaults(command=_import_distilled)
    for layout in (encoder, pointcept, distilled):
        arguments.add_threads(layout)
        arguments.add_force(layout)


def _checkpoint_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "checkpoint", type=Path, metavar="CHECKPOINT", help="the published .pth, .safetensors or .onnx file"
    )
    parser.add_argument("--config", type=Path, required=True, metavar="CONFIG", help="YAML file, see configs/")
    arguments.add_settings(parser)


def _import_encoder(options: argparse.Namespace) -> None:
    config = load_config(options.config, options.set)
    keep_published_encoder(
        RunFolder(options.output), config, options.checkpoint, origin=file_provenance(options.checkpoint)
    )
    print(f"{describe_encoder(config)} -> {options.output}")


def describe_encoder(config: Config) -> str:
    """One line on the image encoder of a configuration."""
    encoder = config.image_encoder
    assert encoder is not None
    return (
        f"{encoder.architecture} for images of {encoder.input_width} x {encoder.input_height}: "
        f"{encoder.rows} x {encoder.columns} patches of {encoder.feature_dimension} features"
    )


def _import_pointcept(options: argparse.Namespace) -> None:
    config = load_config(options.config, options.set)
    injected = config.injection is not None
    if not injected and (options.encoder is not None or options.image_free is not None):
        raise ConfigError(f"{options.config} has no injection, for which --encoder and --image-free are")
    if injected and options.encoder is None:
        raise ConfigError(f"{options.config} has injection, so --encoder is needed: whose image features to inject")
    checkpoints = Checkpoints(options.checkpoint, options.encoder, options.image_free)
    print(f"{import_segmentation(checkpoints, config, options.output, origin={})} -> {options.output}")


@dataclass(frozen=True)
class Checkpoints:
    """Files of a segmentation network."""

    network: Path
    encoder: Path | None = None
    """Run or bundle of the image encoder whose features it injects."""
    image_free: Path | None = None
    """Of the same network without injection."""


def import_segmentation(checkpoints: Checkpoints, config: Config, bundle: Path, origin: Mapping[str, Any]) -> str:
    """Writes the bundle of a configuration's network with published weights, and says in one line what it is.

    `origin` is what the card says of where the checkpoints come from, besides their names and hashes.
    """
    injected = config.injection is not None
    encoder = None
    if injected:
        assert checkpoints.encoder is not None
        encoder = load_exportable_encoder(checkpoints.encoder, config)
    model = load_pointcept(checkpoints.network, config)
    training = provenance(**_origin(model, checkpoints.network), **origin)
    if checkpoints.encoder is not None:
        training["image_encoder"] = _encoder_origin(checkpoints.encoder)
    image_free = None if injected else model
    if checkpoints.image_free is not None:
        image_free = load_pointcept(checkpoints.image_free, replace(config, injection=None, image_encoder=None))
        training["image_free_network"] = _origin(image_free, checkpoints.image_free)
    write_bundle(
        bundle,
        config,
        image_free=None if image_free is None else image_free.segmentor,
        fused=model.segmentor if injected else None,
        image_encoder=encoder,
        training=training,
        scores={},
    )
    parameters = sum(parameter.numel() for parameter in model.segmentor.backbone.parameters())
    return f"{model.layout}, {parameters / 1e6:.2f} M parameters in the backbone"


def _origin(model: PointceptModel, checkpoint: Path) -> dict[str, Any]:
    origin: dict[str, Any] = {
        "layout": f"{model.layout} of {'DITR' if model.layout.endswith('-image') else 'Pointcept'}",
        **file_provenance(checkpoint),
    }
    if model.epoch is not None:
        origin["epochs"] = model.epoch
    if model.best_score is not None:
        origin["best_score_of_its_own_validation"] = model.best_score
    return origin


def _encoder_origin(folder: Path) -> dict[str, Any]:
    """Where an image encoder comes from, for the card."""
    if is_bundle(folder):
        return {"bundle": read_document(folder)["name"]}
    data = RunFolder(folder).read_json("data.json")
    assert isinstance(data, dict)
    return data


def _import_distilled(options: argparse.Namespace) -> None:
    config = replace(
        load_config(options.config, options.set), injection=None, image_encoder=None, encoder_training=None
    )
    print(f"{import_distilled(options.checkpoint, config, RunFolder(options.output), origin={})} -> {options.output}")


def import_distilled(checkpoint: Path, config: Config, run: RunFolder, origin: Mapping[str, Any]) -> str:
    """Writes the run of a distilled backbone, and says in one line what was taken; `origin` goes into
    its origin.json."""
    backbone = load_distilled(checkpoint, config)
    run.create(config, resume=False)
    run.save("checkpoint.pt", {"model": backbone.weights})
    run.write_json(
        "origin.json", {"layout": f"{backbone.layout} of D-DITR, distilled", **file_provenance(checkpoint), **origin}
    )
    return (
        f"{backbone.layout}: {len(backbone.weights)} tensors taken, {len(backbone.dropped)} of its distillation "
        f"dropped ({', '.join(backbone.dropped)})"
    )
