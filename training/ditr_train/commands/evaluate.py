"""ditr-train evaluate: scores of a trained network."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from ditr_train.commands import arguments
from ditr_train.commands.score_table import print_scores
from ditr_train.data.loading import load_scans
from ditr_train.engine.run_folder import RunFolder
from ditr_train.engine.trained_network import load_segmentor
from ditr_train.evaluation.segmentation import score
from ditr_train.methods.frozen_encoder import load_run_encoder
from ditr_train.model.device import choose_device


def add_parser(commands: Any) -> None:
    """Adds the command; `commands` is what add_subparsers gave."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "evaluate", help="score a trained network, with images and without"
    )
    parser.add_argument("run", type=Path, metavar="RUN", help="folder written by train")
    arguments.add_best(parser)
    arguments.add_scored_bags(parser)
    arguments.add_features(parser)
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the scores here")
    arguments.add_device(parser)
    arguments.add_threads(parser)
    arguments.add_force(parser)
    parser.set_defaults(command=_evaluate)


def _evaluate(options: argparse.Namespace) -> None:
    run = RunFolder(options.run)
    config = run.config()
    device = choose_device(options.device)
    encoder = None
    if config.injection is not None:
        encoder = arguments.remembered(options, load_run_encoder(run, config).to(device))
    scans = load_scans(options.bags, config, encoder, progress=arguments.progress())
    scores = score(
        load_segmentor(run, config, best=options.best).to(device), scans, config, progress=arguments.progress()
    )
    print_scores(scores)
    if options.json:
        scores["bags"] = [bag.name for bag in options.bags]
        options.json.write_text(json.dumps(scores, indent=2) + "\n", encoding="utf-8")
