"""ditr-train score-models: one table of finished models on labelled scans of several sensors."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ditr_train.commands import arguments
from ditr_train.config.model_config import load_config
from ditr_train.data.source import ScanSource
from ditr_train.evaluation.groups import load_groups
from ditr_train.export.bundle import read_document, write_document
from ditr_train.studies.model_scores import model_scores, score_table


def add_parser(commands: Any) -> None:
    """Adds the command; `commands` is what add_subparsers gave."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "score-models",
        help="a table of bundles on labelled scans of several sensors, with images and without",
        description="Runs the graphs of bundles of one network with ONNX Runtime. Data sets with different classes are "
        "comparable in groups of them; where scans have images but no labels, --soft-labels can be the truth.",
    )
    arguments.add_config(parser)
    parser.add_argument("--models", type=Path, nargs="+", required=True, metavar="BUNDLE", help="of that network")
    arguments.add_scored_bags(parser)
    parser.add_argument(
        "--groups", type=Path, required=True, metavar="FILE", help="of classes, such as configs/street.groups.yaml"
    )
    arguments.add_soft_labels(parser)
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="also write the table here")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the scores here")
    parser.add_argument(
        "--record", action="store_true", help="write each model's rows into its bundle and onto its card"
    )
    arguments.add_threads(parser)
    arguments.add_force(parser)
    parser.set_defaults(command=_score_models)


def _score_models(options: argparse.Namespace) -> None:
    config = load_config(options.config, options.set)
    groups = load_groups(options.groups, config.classes)
    sets: dict[str, list[ScanSource]] = {}
    for source in options.bags:
        sets.setdefault(source.name, []).append(source)
    soft = arguments.soft_labels(options)
    scores = list(model_scores(options.models, config, sets, groups, soft, progress=arguments.progress()))
    table = score_table(scores, groups.names)
    print(table, end="")
    for model in options.models if options.record else ():
        document = read_document(model)
        rows = [asdict(score) for score in scores if score.model == model.name]
        document.setdefault("scores", {})["sets"] = {"groups": list(groups.names), "rows": rows}
        write_document(model, document)
    if options.markdown is not None:
        options.markdown.write_text(table, encoding="utf-8")
    if options.json is not None:
        options.json.write_text(json.dumps([asdict(score) for score in scores], indent=1) + "\n", encoding="utf-8")
