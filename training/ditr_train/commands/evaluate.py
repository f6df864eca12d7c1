"""ditr-train evaluate: scores of a trained network."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from ditr_train.commands import arguments
from ditr_train.commands.held_out import warn_of_seen
from ditr_train.commands.score_table import print_detection, print_groups, print_scores
from ditr_train.config.model_config import Config, ConfigError, reconfigured
from ditr_train.data.loading import load_scans
from ditr_train.data.source import ScanSource
from ditr_train.encoders.half_precision_encoder import placed
from ditr_train.engine.run_folder import RunFolder
from ditr_train.engine.trained_network import load_detector, load_segmentor
from ditr_train.evaluation.detection import score_detection
from ditr_train.evaluation.groups import load_groups
from ditr_train.evaluation.segmentation import group_scores, modes_of, score
from ditr_train.methods.frozen_encoder import load_run_encoder
from ditr_train.model.device import choose_device
from ditr_train.model.segmentor import Segmentor


def add_parser(commands: Any) -> None:
    """Adds the command; `commands` is what add_subparsers gave."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "evaluate", help="score a trained network, with images and without, points and boxes"
    )
    parser.add_argument(
        "run",
        type=Path,
        metavar="RUN",
        help="folder written by train or train-detection",
    )
    arguments.add_best(parser)
    arguments.add_scored_bags(parser)
    parser.add_argument(
        "--groups",
        type=Path,
        metavar="FILE",
        help="score groups of classes instead (configs/street.groups.yaml), a row for each of --bags",
    )
    arguments.add_features(parser)
    parser.add_argument(
        "--test-time",
        action="store_true",
        help="see each scan in all turns and scales of the configuration's test_time and add up the probabilities",
    )
    arguments.add_settings(parser, "test_time.scales=[0.9,1,1.1]")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the scores here")
    arguments.add_device(parser)
    arguments.add_threads(parser)
    arguments.add_force(parser)
    parser.set_defaults(command=_evaluate)


def _evaluate(options: argparse.Namespace) -> None:
    device = choose_device(options.device)
    if options.set and not options.test_time:
        raise ConfigError("--set: evaluate changes nothing but test_time, which --test-time asks for")
    if options.groups is not None and options.test_time:
        raise ConfigError("--test-time: groups are scored without it")
    run = RunFolder(options.run)
    warn_of_seen(run, options.bags)
    config = run.config()
    views = None
    if options.test_time:
        config = reconfigured(config, options.set)
        if config.test_time is None:
            raise ConfigError(f"{options.run}: its configuration has no test_time; --set test_time.scales=[0.9,1,1.1]")
        views = config.test_time
    segmentor = load_segmentor(run, config, best=options.best).to(device)
    if options.groups is not None:
        _write(options, _score_groups(options, config, segmentor))
        return
    encoder = None
    if config.injection is not None:
        encoder = arguments.remembered(options, placed(load_run_encoder(run, config), device))
    boxed = config.detection is not None
    scans = load_scans(options.bags, config, encoder, boxed=boxed, progress=arguments.progress())
    scores: dict[str, Any] = {}
    if config.detection is not None:
        detector = load_detector(run, config, best=options.best).to(device)
        scores["detection"] = score_detection(detector, scans, config, progress=arguments.progress())
        print_detection(scores["detection"])
    of_points = score(segmentor, scans, config, views=views, progress=arguments.progress())
    if not boxed or any(of_points[mode]["iou"] for mode in modes_of(config)):
        scores |= of_points
        print_scores(of_points)
    _write(options, scores | {"bags": [bag.name for bag in options.bags]})


def _score_groups(options: argparse.Namespace, config: Config, segmentor: Segmentor) -> dict[str, Any]:
    """Without images: which points a camera sees differs from one set of scans to another."""
    groups = load_groups(options.groups, config.classes)
    progress = arguments.progress()
    by_name: dict[str, list[ScanSource]] = {}
    for source in options.bags:
        by_name.setdefault(source.name, []).append(source)
    loaded = {name: load_scans(sources, config, None, progress=progress) for name, sources in by_name.items()}
    rows = {name: group_scores(segmentor, scans, config, groups, progress=progress) for name, scans in loaded.items()}
    print_groups(rows, groups.names)
    return {"groups": str(options.groups.name), "image_free": rows}


def _write(options: argparse.Namespace, scores: dict[str, Any]) -> None:
    if options.json:
        options.json.write_text(json.dumps(scores, indent=2) + "\n", encoding="utf-8")
