"""ditr-train parity: a bundle against the network that it comes from."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import nn
from tqdm import tqdm

from ditr_train.commands import arguments
from ditr_train.config.model_config import Config, ConfigError, load_config
from ditr_train.data.loading import load_scans
from ditr_train.data.scans import LabeledScan
from ditr_train.data.source import ScanSource
from ditr_train.engine.run_folder import RunFolder
from ditr_train.engine.trained_network import load_segmentor
from ditr_train.export.bundle import read_document, write_document
from ditr_train.export.parity import (
    FLOAT16_BOUNDS,
    FLOAT32_BOUNDS,
    Agreement,
    Form,
    compare_forms,
    pytorch_form,
)
from ditr_train.methods.bundle_form import bundle_form
from ditr_train.methods.frozen_encoder import is_bundle, load_run_encoder

BROKEN = 1
"""Exit code when a bound is broken."""


_DESCRIPTION = f"""\
Both label the scans of held-out bags, graphs with ONNX Runtime's CPU provider. A float32 bundle may differ from its
reference by {FLOAT32_BOUNDS.logits:g} in a logit and in no label outside ties; a float16 one has to give
{100 * FLOAT16_BOUNDS.labels:g} % of the labels and the mIoU within {100 * FLOAT16_BOUNDS.miou:g} points, also with
every tensor rounded to float16, as accelerators do. Exit code {BROKEN} if not."""


def add_parser(commands: Any) -> None:
    """Adds the command; `commands` is what add_subparsers gave."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "parity",
        help="compare a bundle's graphs with PyTorch, or a float16 bundle with the float32 one",
        description=_DESCRIPTION,
    )
    parser.add_argument("reference", type=Path, metavar="RUN_OR_BUNDLE", help="what to compare with")
    parser.add_argument("bundle", type=Path, metavar="BUNDLE", help="bundle to check")
    arguments.add_scored_bags(parser)
    parser.add_argument(
        "--config", type=Path, metavar="CONFIG", help="of the network (default: that of the reference, if it is a run)"
    )
    arguments.add_settings(parser)
    parser.add_argument(
        "--image-free-run",
        type=Path,
        metavar="RUN",
        help="that the image-free graph was exported from, if it is not the reference",
    )
    parser.add_argument("--record", action="store_true", help="write the figures into the bundle and onto its card")
    arguments.add_threads(parser)
    parser.set_defaults(command=_parity)


def _parity(options: argparse.Namespace) -> int:
    config = _config(options)
    graphs = read_document(options.bundle)["graphs"]
    if "fused" in graphs and config.image_encoder is None:
        raise ConfigError("the configuration has no image_encoder, but the bundle has a fused graph")
    half = any(graph["precision"] == "float16" for graph in graphs.values())
    reference = _reference(options.reference, options.image_free_run, config)
    candidates = {"float16" if half else "float32": bundle_form(options.bundle, config)}
    if half:
        candidates["float16, every tensor rounded"] = bundle_form(options.bundle, config, rounded=True)

    def scans_of(source: ScanSource, encoder: nn.Module | None) -> Sequence[LabeledScan]:
        return load_scans([source], config, encoder, progress=False)

    sources = tqdm(options.bags, desc="comparing", unit="bag", disable=not arguments.progress())
    agreements = compare_forms(reference, candidates, sources, config, scans_of)
    if not agreements:
        raise ConfigError(f"{options.reference} and {options.bundle} have no graph in common")
    against = "PyTorch" if not is_bundle(options.reference) else "float32 in ONNX Runtime"
    print(_table(agreements, against))
    bounds = FLOAT16_BOUNDS if half else FLOAT32_BOUNDS
    broken = [f"{_name(agreement)}: {sentence}" for agreement in agreements for sentence in agreement.broken(bounds)]
    print("\n".join(broken) if broken else "within the bounds")
    if options.record:
        document = read_document(options.bundle)
        document.setdefault("scores", {})["parity"] = {
            "compared_with": against,
            "bags": [source.name for source in options.bags],
            "modes": {_name(agreement): agreement.summary() for agreement in agreements},
        }
        write_document(options.bundle, document)
    return BROKEN if broken else 0


def _config(options: argparse.Namespace) -> Config:
    if options.config is not None:
        return load_config(options.config, options.set)
    if is_bundle(options.reference):
        raise ConfigError(f"{options.reference} is a bundle, which has no topics of bags; say them with --config")
    return RunFolder(options.reference).config()


def _reference(path: Path, image_free_run: Path | None, config: Config) -> Form:
    if is_bundle(path):
        return bundle_form(path, config)
    run = RunFolder(path)
    segmentor = image_free = load_segmentor(run, config)
    if image_free_run is not None:
        image_free = load_segmentor(RunFolder(image_free_run), replace(config, injection=None, image_encoder=None))
    if config.injection is None:
        return pytorch_form({"image_free": image_free}, None)
    return pytorch_form({"fused": segmentor, "image_free": image_free}, load_run_encoder(run, config))


def _name(agreement: Agreement) -> str:
    return f"{agreement.mode.replace('_', '-')}, {agreement.name}"


def _table(agreements: Sequence[Agreement], against: str) -> str:
    head = ["", "scans", "voxels", "logits", "labels", "outside ties", "mIoU", f"mIoU of {against}"]
    rows = [
        [
            _name(agreement),
            str(agreement.scans),
            str(agreement.voxels),
            f"{agreement.largest_difference:.2g}",
            f"{100 * agreement.equal_share:.4f} %",
            f"{100 * agreement.clear_equal_share:.4f} %",
            f"{100 * agreement.scores[1].miou():.3f}",
            f"{100 * agreement.scores[0].miou():.3f}",
        ]
        for agreement in agreements
    ]
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    lines = [
        "  ".join(cell.ljust(width) if column == 0 else cell.rjust(width) for column, (cell, width) in cells)
        for cells in (enumerate(zip(row, widths, strict=True)) for row in [head, *rows])
    ]
    return "\n".join(
        [*lines, f"compared with {against}: largest difference of a logit, equal labels of all voxels and outside ties"]
    )
