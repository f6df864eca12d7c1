"""ditr-train compare: the table of from scratch, pretrained without labels, and fused."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ditr_train.commands import arguments
from ditr_train.config.model_config import Config, ConfigError, load_config
from ditr_train.data.loading import load_scans
from ditr_train.data.scans import LabeledScan
from ditr_train.data.stored_scans import joined, with_images
from ditr_train.methods.frozen_encoder import distillation_teacher, load_frozen_encoder
from ditr_train.methods.scan_selection import scans_with_images, scans_with_regions
from ditr_train.model.device import choose_device
from ditr_train.studies.comparison import Comparison, Cost, plan_runs
from ditr_train.studies.comparison_origins import ComparisonData
from ditr_train.studies.comparison_table import METHODS, REGIONAL, Result, markdown, write_csv


def add_parser(commands: Any) -> None:
    """Adds the command; `commands` is what add_subparsers gave."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "compare",
        help="train and score from scratch, pretrained and fused, with all and with few labels: one table",
        description="Writes table.md and table.csv into the folder, after each network anew. An interrupted "
        "comparison goes on with the same command; more seeds or label shares may be asked for later.",
    )
    arguments.add_config(parser)
    arguments.add_bags_and_test(parser)
    parser.add_argument(
        "--unlabelled",
        type=arguments.scans,
        nargs="+",
        default=[],
        metavar=arguments.SCANS,
        help="for the trainings without labels, besides --bags",
    )
    parser.add_argument("--encoder", type=Path, required=True, metavar="RUN_OR_BUNDLE", help="image encoder")
    parser.add_argument(
        "--methods",
        nargs="+",
        choices=list(METHODS),
        default=["scratch", "d-ditr", "fused"],
        help="default: %(default)s; those with stages need regions",
    )
    arguments.add_regions(parser)
    parser.add_argument("--label-shares", type=arguments.share, nargs="+", default=[1.0, 0.1, 0.01], metavar="SHARE")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], metavar="SEED")
    parser.add_argument("--steps", type=arguments.positive, help="of the trainings, instead of the configuration's")
    parser.add_argument("--distillation-steps", type=arguments.positive, help="instead of the configuration's")
    parser.add_argument(
        "--region-steps",
        type=arguments.positive,
        nargs=2,
        metavar=("STAGE1", "STAGE2"),
        help="of the methods with stages, instead of the configuration's",
    )
    parser.add_argument("--estimate", action="store_true", help="only measure and print what it will take")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FOLDER")
    arguments.add_device(parser)
    arguments.add_threads(parser)
    parser.set_defaults(command=_compare)


def _compare(options: argparse.Namespace) -> None:
    config = load_config(options.config, options.set)
    training, distillation = config.training, config.distillation
    if distillation is None or config.injection is None or config.image_encoder is None:
        raise ConfigError(f"{options.config}: distillation, injection and image_encoder are needed to compare")
    config = replace(
        config,
        training=replace(training, steps=options.steps or training.steps),
        distillation=replace(distillation, steps=options.distillation_steps or distillation.steps),
    )
    source = None
    if set(REGIONAL) & set(options.methods):
        config = _with_regions(options, config)
        source = arguments.region_source(options)
    show = arguments.progress()
    device = choose_device(options.device)
    encoder = load_frozen_encoder(options.encoder, config).to(device)
    scans = load_scans(options.bags, config, encoder, regions=source, progress=show)
    teacher, view = distillation_teacher(encoder, config)
    separate = "d-ditr" in options.methods and teacher is not encoder
    more: Sequence[LabeledScan] = []
    if source or not separate:
        more = load_scans(options.unlabelled, config, encoder, labels=False, regions=source, progress=show)
    unlabelled, origin = joined(scans, more), "the bags of --bags and --unlabelled"
    regional = scans_with_regions(unlabelled, config.backbone, origin) if source else []
    test = load_scans(options.test, config, encoder, regions=source, progress=show)
    distillable, distillable_test = unlabelled, test
    if separate:
        distillable = load_scans([*options.bags, *options.unlabelled], view, teacher, labels=False, progress=show)
        distillable_test = load_scans(options.test, view, teacher, labels=False, progress=show)
    names = {"bags": [bag.name for bag in options.bags], "validation_bags": [bag.name for bag in options.test]}
    plan = plan_runs(options.methods, options.label_shares, options.seeds)
    data = ComparisonData(
        scans,
        scans_with_images(distillable, config.backbone, origin),
        with_images(distillable_test),
        regional,
        test,
        encoder,
        options.encoder,
        names,
        regions=arguments.region_name(options, config),
        unlabelled=[bag.name for bag in options.unlabelled],
    )
    comparison = Comparison(config, options.output, data, plan, device)
    _print_costs(comparison.estimate())
    if options.estimate:
        return
    results: list[Result] = []
    for result in comparison.run(progress=show):
        results.append(result)
        write_csv(options.output / "table.csv", results)
        table = markdown(results, planned=len(plan), test_scans=len(test))
        (options.output / "table.md").write_text(table, encoding="utf-8")
    print(table)


def _with_regions(options: argparse.Namespace, config: Config) -> Config:
    """The configuration with the steps of both stages that were asked for."""
    first, second = config.region_distillation, config.masked_token_prediction
    if first is None or second is None:
        raise ConfigError(
            f"{options.config}: region_distillation and masked_token_prediction are needed for methods with stages"
        )
    steps = options.region_steps or (first.steps, second.steps)
    return replace(
        config,
        region_distillation=replace(first, steps=steps[0]),
        masked_token_prediction=replace(second, steps=steps[1]),
    )


def _print_costs(costs: list[Cost]) -> None:
    for cost in costs:
        print(
            f"{cost.kind}: {cost.runs} x ({cost.steps} steps of {cost.seconds_per_step:.2f} s + "
            f"{cost.seconds_per_test:.0f} s to score) = {cost.hours:.2f} h"
        )
    print(f"to do: {sum(cost.hours for cost in costs):.2f} h on this machine as busy as it is now", flush=True)
