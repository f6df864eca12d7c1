"""The ditr-train command."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import torch

from ditr_train.commands import (
    ablate,
    compare,
    coverage,
    distill,
    evaluate,
    export,
    get,
    import_weights,
    parity,
    pretrain,
    pseudo_label,
    regions,
    score_models,
    train,
    train_detection,
    train_encoder,
)
from ditr_train.commands.outputs import check_outputs
from ditr_train.config.model_config import ConfigError
from ditr_train.data.errors import DataError

_COMMANDS = (
    train_encoder,
    train,
    train_detection,
    distill,
    regions,
    pretrain,
    pseudo_label,
    compare,
    ablate,
    coverage,
    evaluate,
    score_models,
    export,
    parity,
    import_weights,
    get,
)

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
    for command in _COMMANDS:
        command.add_parser(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
