"""`ditr-train import`: published weights in place of trained ones."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ditr_train.bundle import provenance, write_bundle
from ditr_train.config import ConfigError, load_config
from ditr_train.dinov2_architecture import dinov2_architecture
from ditr_train.run_folder import RunFolder
from ditr_train.weights.checkpoint_file import file_provenance
from ditr_train.weights.dinov2 import load_dinov2
from ditr_train.weights.pointcept import load_pointcept

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]


def add_import_commands(commands: Commands) -> list[argparse.ArgumentParser]:
    """Adds `import` to the commands of ditr-train; returns the parsers of what can be imported."""
    parser = commands.add_parser("import", help="take published weights")
    layouts = parser.add_subparsers(title="layouts", required=True, metavar="LAYOUT")

    dinov2 = layouts.add_parser("dinov2", help="image encoder, from facebookresearch/dinov2's checkpoints")
    _checkpoint_arguments(dinov2)
    dinov2.add_argument(
        "-o", "--output", type=Path, required=True, metavar="RUN", help="folder to give to `train --encoder`"
    )
    dinov2.set_defaults(command=_import_dinov2)

    pointcept = layouts.add_parser("pointcept", help="PT-v3m1 or LitePT-v1, from Pointcept's segmentation checkpoints")
    _checkpoint_arguments(pointcept)
    pointcept.add_argument(
        "-o", "--output", type=Path, required=True, metavar="BUNDLE", help="folder of the bundle for the node"
    )
    pointcept.set_defaults(command=_import_pointcept)
    return [dinov2, pointcept]


def _checkpoint_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("checkpoint", type=Path, metavar="CHECKPOINT", help="the published .pth file")
    parser.add_argument("--config", type=Path, required=True, metavar="CONFIG", help="YAML file, see configs/")


def _import_dinov2(options: argparse.Namespace) -> None:
    config = load_config(options.config)
    encoder = config.image_encoder
    if encoder is None or encoder.architecture == "vit":
        found = "no image_encoder" if encoder is None else "the architecture vit"
        raise ConfigError(f"{options.config}: it has {found}; image_encoder.architecture has to be a dinov2_... one")
    network = load_dinov2(
        options.checkpoint,
        dinov2_architecture(encoder.architecture),
        encoder.rows,
        encoder.columns,
        encoder.architecture,
    )
    run = RunFolder(options.output)
    run.create(config, resume=False)
    run.save("encoder.pt", network.state_dict())
    run.write_json("data.json", {"architecture": encoder.architecture, **file_provenance(options.checkpoint)})
    run.write_json("scores.json", {})
    print(
        f"{encoder.architecture} for images of {encoder.input_width} x {encoder.input_height}: "
        f"{encoder.rows} x {encoder.columns} patches of {encoder.feature_dimension} features -> {options.output}"
    )


def _import_pointcept(options: argparse.Namespace) -> None:
    config = load_config(options.config)
    model = load_pointcept(options.checkpoint, config)
    training = provenance(layout=f"{model.layout} of Pointcept", **file_provenance(options.checkpoint))
    if model.epoch is not None:
        training["epochs"] = model.epoch
    if model.best_score is not None:
        training["best_score_of_its_own_validation"] = model.best_score
    write_bundle(
        options.output,
        config,
        image_free=model.segmentor,
        fused=None,
        image_encoder=None,
        training=training,
        scores={},
    )
    parameters = sum(parameter.numel() for parameter in model.segmentor.backbone.parameters())
    print(f"{model.layout}, {parameters / 1e6:.2f} M parameters in the backbone -> {options.output}")
