"""ditr-train ablate: the table of fused networks that differ in one setting."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

from ditr_train.commands import arguments
from ditr_train.config.model_config import ConfigError, load_config
from ditr_train.methods.frozen_encoder import load_frozen_encoder
from ditr_train.model.device import choose_device
from ditr_train.studies.ablation import (
    BASELINE,
    Ablation,
    AblationResult,
    ablation_table,
    read_variants,
    with_settings,
    write_results,
)


def add_parser(commands: Any) -> None:
    """Adds the command; `commands` is what add_subparsers gave."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "ablate",
        help="train and score fused networks that differ in one setting: one table",
        description="Writes table.md and table.csv into the folder, after each network anew. An interrupted ablation "
        "goes on with the same command.",
    )
    arguments.add_config(parser)
    parser.add_argument(
        "--variants", type=Path, required=True, metavar="YAML", help="names and settings, see configs/ablations.yaml"
    )
    arguments.add_bags_and_test(parser)
    parser.add_argument("--encoder", type=Path, required=True, metavar="RUN_OR_BUNDLE", help="image encoder")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], metavar="SEED")
    parser.add_argument("--steps", type=arguments.positive, help="instead of the configuration's")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FOLDER")
    arguments.add_device(parser)
    arguments.add_threads(parser)
    parser.set_defaults(command=_ablate)


def _ablate(options: argparse.Namespace) -> None:
    config = load_config(options.config, options.set)
    if config.injection is None or config.image_encoder is None:
        raise ConfigError(f"{options.config}: injection and image_encoder are needed")
    training = replace(config.training, **arguments.given(options, "steps"))
    config = replace(config, training=training).without_pretraining()
    variants = {BASELINE: config}
    for name, changes in read_variants(options.variants).items():
        try:
            variants[name] = with_settings(config, changes)
        except ConfigError as error:
            raise ConfigError(f"{options.variants}, {name}: {error}") from error
    device = choose_device(options.device)
    encoder = load_frozen_encoder(options.encoder, config).to(device)
    ablation = Ablation(variants, options.output, options.bags, options.test, encoder, device)
    results: list[AblationResult] = []
    for result in ablation.run(options.seeds, progress=arguments.progress()):
        results.append(result)
        write_results(options.output / "table.csv", results)
        table = ablation_table(results)
        (options.output / "table.md").write_text(table, encoding="utf-8")
    print(table, end="")
