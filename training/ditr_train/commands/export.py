"""ditr-train export: a model bundle for the node."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from ditr_train.commands import arguments
from ditr_train.config.model_config import ConfigError
from ditr_train.engine.run_folder import RunFolder
from ditr_train.engine.trained_network import load_detector, load_segmentor
from ditr_train.export.bundle import CONVOLUTIONS, PRECISIONS, Convolution, convert_bundle, provenance, write_bundle
from ditr_train.methods.frozen_encoder import is_bundle, load_exportable_encoder
from ditr_train.methods.run_description import describe_run


def add_parser(commands: Any) -> None:
    """Adds the command; `commands` is what add_subparsers gave."""
    parser: argparse.ArgumentParser = commands.add_parser("export", help="write a model bundle for the node")
    parser.add_argument(
        "run",
        type=Path,
        metavar="RUN_OR_BUNDLE",
        help="folder written by train or train-detection, or a float32 bundle to convert",
    )
    arguments.add_best(parser)
    parser.add_argument(
        "--precision",
        choices=PRECISIONS,
        default="float32",
        help="of the weights and of most of the arithmetic; inputs and outputs stay as they are (default: float32)",
    )
    parser.add_argument(
        "--convolution",
        choices=CONVOLUTIONS,
        help="pairs multiplies only the neighbours that exist, which suits a CPU and LiDAR; table multiplies all "
        "columns at once, in a few operators (default: pairs in float32, table in float16; a bundle of pairs stays so)",
    )
    parser.add_argument(
        "--image-free", action="store_true", help="leave out the fused graph, where its images would not help"
    )
    parser.add_argument(
        "--image-free-run",
        type=Path,
        metavar="RUN",
        help="take the image-free graph from this run instead (a distilled network, say)",
    )
    parser.add_argument(
        "--scores",
        type=Path,
        metavar="FILE",
        help="scores for the card, from `evaluate --json` (default: those on the validation bags)",
    )
    parser.add_argument(
        "--data", metavar="TEXT", help="a sentence for the card about where the bags come from, to reproduce them"
    )
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FOLDER")
    arguments.add_threads(parser)
    arguments.add_force(parser)
    parser.set_defaults(command=_export)


def _export(options: argparse.Namespace) -> None:
    convolution: Convolution = options.convolution or ("pairs" if options.precision == "float32" else "table")
    if is_bundle(options.run):
        if options.image_free_run or options.image_free or options.scores or options.data or options.best:
            raise ConfigError(f"{options.run} is a bundle: it is converted as it is, without other options")
        convert_bundle(options.run, options.output, options.precision, convolution)
    else:
        _export_run(options, convolution)
    size = sum(path.stat().st_size for path in options.output.iterdir()) / 1e6
    print(f"{options.output}: {', '.join(sorted(p.name for p in options.output.iterdir()))}; {size:.1f} MB")


def _export_run(options: argparse.Namespace, convolution: Convolution) -> None:
    run = RunFolder(options.run)
    config = run.config()
    segmentor = load_segmentor(run, config, best=options.best)
    fused = segmentor if config.injection is not None and not options.image_free else None
    encoder = load_exportable_encoder(run.path, config) if fused is not None else None
    training = provenance(**describe_run(run, config))
    if options.data:
        training["data_source"] = options.data
    scores = run.read_json("scores.json") if run.has("scores.json") else {}
    if options.scores is not None:
        scores = json.loads(options.scores.read_text(encoding="utf-8"))
    if options.image_free:
        training.pop("modes", None)
        scores = {name: value for name, value in scores.items() if not name.startswith("fused")}
    detection = None
    if config.detection is not None:
        if options.image_free_run is not None:
            raise ConfigError(
                f"{options.run}: its boxes are found on tokens of its own backbone, and one detection graph cannot "
                "serve that of --image-free-run too"
            )
        detection = load_detector(run, config, best=options.best).detection_head
    image_free = segmentor
    if options.image_free_run is not None:
        other = RunFolder(options.image_free_run)
        other_config = other.config()
        if other_config.backbone != config.backbone or other_config.classes != config.classes:
            raise ConfigError(f"{options.image_free_run}: its backbone or classes differ from {options.run}")
        image_free = load_segmentor(other, other_config)
        training["image_free_network"] = describe_run(other, other_config)
        scores = {name: value for name, value in scores.items() if not name.startswith("image_free")}
        if other.has("scores.json"):
            scores["image_free"] = other.read_json("scores.json")["image_free"]
    write_bundle(
        options.output,
        config,
        image_free=image_free,
        fused=fused,
        image_encoder=encoder,
        training=training,
        scores=scores,
        precision=options.precision,
        detection=detection,
        convolution=convolution,
    )
