"""`ditr-train import`: published weights in place of trained ones."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ditr_train.config import ConfigError, load_config
from ditr_train.dinov2_architecture import dinov2_architecture
from ditr_train.run_folder import RunFolder
from ditr_train.weights.checkpoint_file import file_provenance
from ditr_train.weights.dinov2 import load_dinov2

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
    return [dinov2]


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
