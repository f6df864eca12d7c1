"""Arguments that commands have in common."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any, get_args

from torch import nn

from ditr_train.config.model_config import Config, ConfigError
from ditr_train.config.training_config import StepPrecision
from ditr_train.data.errors import DataError
from ditr_train.data.regions import RegionFolder, RegionSource, RegionTopics
from ditr_train.data.remembered_encoder import RememberedEncoder
from ditr_train.data.soft_labels import SoftLabelFolder
from ditr_train.data.source import ScanSource, scan_source
from ditr_train.engine.run_folder import RunFolder
from ditr_train.engine.tensorboard_log import TensorBoardLog
from ditr_train.methods.inherited_licence import with_inherited_licence
from ditr_train.model.device import DEVICES

ORIGINS = ("initialize", "init", "encoder", "teacher")
"""Options that name runs or bundles which a training takes weights from or learns from."""
OPTIMIZATION = ("steps", "seed", "learning_rate", "precision")
"""Options of add_optimization that replace settings of the configuration."""

SCANS = "SAMPLES|BAG|DATASET:FOLDER:SPLIT"
"""What stands for scans in the help: a folder of `ditr samples`, a bag, or a split of a public data set."""


def add_config(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("config", type=Path, metavar="CONFIG", help="YAML file, see configs/")
    add_settings(parser)


def add_settings(parser: argparse.ArgumentParser, example: str = "training.augmentation.drop=0.2") -> None:
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help=f"instead of the configuration's, such as {example}; may be given several times",
    )


def add_force(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--force", action="store_true", help="replace an output that exists")


def add_bags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--bags", type=scans, nargs="+", required=True, metavar=SCANS, help="to train on")
    parser.add_argument("--validation", type=scans, nargs="*", default=[], metavar=SCANS, help="to score on")


def add_source_shares(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--source-share",
        nargs="+",
        action="append",
        default=[],
        metavar=("SHARE", SCANS),
        help="train on these too, which together are this share of the scans that training sees, however few they are "
        "(0.3 SOURCE...); may be given several times, and --bags are what is left",
    )


def source_shares(options: argparse.Namespace) -> list[tuple[float, list[ScanSource]]]:
    """The shares with their sources. Raises ConfigError or DataError."""
    parsed = []
    for text, *sources in options.source_share:
        try:
            value = share(text)
        except (ValueError, argparse.ArgumentTypeError):
            raise ConfigError(f"--source-share {text}: a share above 0 and below 1 comes first") from None
        if not sources:
            raise ConfigError(f"--source-share {text}: no scans follow")
        parsed.append((value, [scan_source(source) for source in sources]))
    total = sum(value for value, _ in parsed)
    if total >= 1:
        raise ConfigError(f"--source-share: the shares add up to {total:g}, and nothing is left for --bags")
    return parsed


def add_soft_labels(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--soft-labels",
        type=Path,
        metavar="FOLDER",
        help="what points without a label learn, as `ditr-train pseudo-label` writes it",
    )


def soft_labels(options: argparse.Namespace) -> SoftLabelFolder | None:
    return None if options.soft_labels is None else SoftLabelFolder.open(options.soft_labels)


def add_scored_bags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--bags", type=scans, nargs="+", required=True, metavar=SCANS, help="to score on")


def add_bags_and_test(parser: argparse.ArgumentParser) -> None:
    for name, use in (("--bags", "to train on"), ("--test", "to score on")):
        parser.add_argument(name, type=scans, nargs="+", required=True, metavar=SCANS, help=use)


def add_features(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--features",
        type=Path,
        metavar="FOLDER",
        help="keep the features of camera images here, so that each is encoded once for all trainings",
    )


def new_run(options: argparse.Namespace, config: Config) -> RunFolder:
    """The folder of -o, created or to be gone on with; one that stays as it is where there is only an --estimate.

    Raises DataError as RunFolder.create does, ConfigError for --tensorboard where there is none.
    """
    estimated = getattr(options, "estimate", None) is not None
    run = RunFolder(options.output, read_only=estimated)
    if not estimated:
        run.tensorboard = TensorBoardLog(run.path / "tensorboard") if options.tensorboard else None
        origins = (getattr(options, name, None) for name in ORIGINS)
        licensed = with_inherited_licence(config, [origin for origin in origins if origin is not None])
        if licensed.licence != config.licence:
            print(f"licence of {options.output}: {licensed.licence}")
        run.create(licensed, resume=options.resume)
    return run


def remembered(options: argparse.Namespace, encoder: nn.Module) -> nn.Module:
    """The encoder, with what --features keeps."""
    return encoder if options.features is None else RememberedEncoder(encoder, options.features)


def add_best(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--best", action="store_true", help="the weights that scored best on the way (default: those of the last step)"
    )


def add_run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="RUN", help="folder of the run")


def add_regions(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--regions",
        type=Path,
        metavar="FOLDER",
        help="region images, as `ditr-train regions` writes them (default: those that the bags have beside "
        "their images)",
    )


def region_source(options: argparse.Namespace) -> RegionSource:
    """Where the regions come from."""
    return RegionTopics() if options.regions is None else RegionFolder(options.regions)


def region_name(options: argparse.Namespace, config: Config) -> str:
    """What data.json says of where the regions come from."""
    if config.tokens.kind == "knn":
        return "none, nearest neighbours"
    return options.regions.name if options.regions is not None else "topics"


def add_resume(parser: argparse.ArgumentParser) -> None:
    """--resume, and how a run is logged."""
    parser.add_argument("--tensorboard", action="store_true", help="write the log to RUN/tensorboard too")
    parser.add_argument("--resume", action="store_true", help="go on from the run's last checkpoint")


def add_optimization(parser: argparse.ArgumentParser) -> None:
    """--steps, --seed, --learning-rate and --resume of a training loop."""
    parser.add_argument("--steps", type=positive, help="instead of the configuration's")
    parser.add_argument("--seed", type=int, help="instead of the configuration's")
    parser.add_argument("--learning-rate", type=float, help="instead of the configuration's")
    add_resume(parser)
    parser.add_argument(
        "--workers",
        type=not_negative,
        default=0,
        help="processes that prepare scans; the weights end the same (default: a thread of this one)",
    )
    parser.add_argument(
        "--precision",
        choices=get_args(StepPrecision),
        help="of the matrix products of training, instead of the configuration's",
    )


def add_threads(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--threads", type=positive, default=os.cpu_count() or 1, help="CPU threads (default %(default)s)"
    )


def add_device(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--device", choices=DEVICES, default="auto", help="auto: CUDA where there is one, else the CPU")


def given(options: argparse.Namespace, *names: str) -> dict[str, Any]:
    """Those of the options that were given."""
    return {name: getattr(options, name) for name in names if getattr(options, name) is not None}


def scans(text: str) -> ScanSource:
    try:
        return scan_source(text)
    except DataError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{value} is not above 0")
    return value


def not_negative(text: str) -> int:
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"{value} is below 0")
    return value


def share(text: str) -> float:
    value = float(text)
    if not 0 < value <= 1:
        raise argparse.ArgumentTypeError(f"{value} is not a share above 0, at most 1")
    return value


def progress() -> bool:
    """Is somebody looking?"""
    return sys.stderr.isatty()


def bag_names(options: argparse.Namespace, **counts: int) -> dict[str, object]:
    """What data.json says of the bags and data sets of a run."""
    return {
        **counts,
        "bags": [bag.name for bag in options.bags],
        "validation_bags": [bag.name for bag in options.validation],
    }
