"""ditr-train pretrain: a backbone from bags without labels, by SAM-guided masked token prediction."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import nn

from ditr_train.commands import arguments
from ditr_train.config.model_config import Config, ConfigError, load_config
from ditr_train.data.loading import load_scans
from ditr_train.data.scans import LabeledScan
from ditr_train.data.source import ScanSource
from ditr_train.encoders.half_precision_encoder import placed
from ditr_train.engine.run_folder import RunFolder
from ditr_train.methods.frozen_encoder import load_frozen_encoder
from ditr_train.methods.masked_tokens import MaskedTokenPrediction
from ditr_train.methods.pretraining import Pretraining, carry_out
from ditr_train.methods.pretraining_description import describe_pretraining
from ditr_train.methods.region_distillation import RegionDistillation
from ditr_train.methods.scan_selection import scans_with_regions
from ditr_train.model.device import choose_device


def add_parser(commands: Any) -> None:
    """Adds the command; `commands` is what add_subparsers gave."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "pretrain",
        help="train the 3D network, without labels, to predict the features of image regions, then of hidden ones",
        description="SAM-guided masked token prediction (arXiv 2410.12158): stage 1 needs --encoder, stage 2 the run "
        "of stage 1 as --teacher, both need regions of the images (`ditr-train regions`, or your own SAM's). "
        "Continue with `ditr-train train --image-free --initialize RUN`.",
    )
    arguments.add_config(parser)
    parser.add_argument("--stage", type=int, choices=(1, 2), required=True)
    arguments.add_bags(parser)
    arguments.add_regions(parser)
    arguments.add_run(parser)
    parser.add_argument(
        "--encoder", type=Path, metavar="RUN_OR_BUNDLE", help="stage 1: whose image encoder to learn from"
    )
    parser.add_argument(
        "--init", type=Path, metavar="RUN_OR_BUNDLE", help="stage 1: start from this network's backbone"
    )
    parser.add_argument("--teacher", type=Path, metavar="RUN", help="stage 2: the run of stage 1")
    arguments.add_optimization(parser)
    arguments.add_device(parser)
    arguments.add_threads(parser)
    parser.set_defaults(command=_pretrain)


def _pretrain(options: argparse.Namespace) -> None:
    config = load_config(options.config, options.set)
    needed, useless = (("encoder",), ("teacher",)) if options.stage == 1 else (("teacher",), ("encoder", "init"))
    for name in needed:
        if getattr(options, name) is None:
            raise ConfigError(f"--stage {options.stage} needs --{name}")
    for name in useless:
        if getattr(options, name) is not None:
            raise ConfigError(f"--{name} has no place in --stage {options.stage}")
    if options.stage == 1:
        _distill_regions(options, config)
    else:
        _predict_masked(options, config)


def _distill_regions(options: argparse.Namespace, config: Config) -> None:
    if config.region_distillation is None or config.image_encoder is None:
        raise ConfigError(f"{options.config}: region_distillation and image_encoder are needed for stage 1")
    settings = replace(config.region_distillation, **arguments.given(options, *arguments.OPTIMIZATION))
    config = replace(config, region_distillation=settings).for_pretraining("region_distillation")
    run = arguments.new_run(options, config)
    device = choose_device(options.device)
    encoder = placed(load_frozen_encoder(options.encoder, config), device)
    scans, validation = _load(options, config, encoder)
    pretraining = RegionDistillation(config, scans, run, device)
    _carry_out(pretraining, validation, options, {"image_encoder": options.encoder.name})


def _predict_masked(options: argparse.Namespace, config: Config) -> None:
    if config.masked_token_prediction is None:
        raise ConfigError(f"{options.config}: masked_token_prediction is needed for stage 2")
    settings = replace(config.masked_token_prediction, **arguments.given(options, *arguments.OPTIMIZATION))
    config = replace(config, masked_token_prediction=settings).for_pretraining("masked_token_prediction")
    run = arguments.new_run(options, config)
    teacher = RunFolder(options.teacher)
    if teacher.config().region_distillation is None:
        raise ConfigError(f"{options.teacher}: is no run of `ditr-train pretrain --stage 1`")
    keep_teacher(run, teacher)
    scans, validation = _load(options, config, None)
    pretraining = MaskedTokenPrediction(config, scans, run, run.load("teacher.pt"), choose_device(options.device))
    _carry_out(pretraining, validation, options, {"teacher": describe_pretraining(teacher, teacher.config())})


def keep_teacher(run: RunFolder, teacher: RunFolder) -> None:
    """Copies the network of stage 1 into a run of stage 2 that has no steps yet; one that has keeps its own."""
    if not run.has("checkpoint.pt"):
        run.save("teacher.pt", teacher.weights())


def _load(
    options: argparse.Namespace, config: Config, encoder: nn.Module | None
) -> tuple[Sequence[LabeledScan], Sequence[LabeledScan]]:
    """Scans to train on and to score on."""
    source = arguments.region_source(options)

    def load(bags: Sequence[ScanSource], option: str) -> Sequence[LabeledScan]:
        scans = load_scans(bags, config, encoder, labels=False, regions=source, progress=arguments.progress())
        return scans_with_regions(scans, config.backbone, f"the bags of {option}")

    return load(options.bags, "--bags"), load(options.validation, "--validation") if options.validation else []


def _carry_out(
    pretraining: Pretraining, validation: Sequence[LabeledScan], options: argparse.Namespace, data: dict[str, Any]
) -> None:
    pretraining.workers = options.workers
    names = arguments.bag_names(options, scans=len(pretraining.scans))
    carry_out(
        pretraining,
        validation,
        names | data | {"regions": arguments.region_name(options, pretraining.config)},
        origin=options.init,
        resume=options.resume,
        progress=arguments.progress(),
        description=f"pretraining, stage {options.stage}",
    )
