"""ditr-train distill: a backbone from bags without labels."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ditr_train import arguments
from ditr_train.config import BackboneConfig, Config, ConfigError, load_config
from ditr_train.data.errors import DataError
from ditr_train.data.loading import load_scans
from ditr_train.data.scans import LabeledScan
from ditr_train.data.stored_scans import StoredScans, with_images
from ditr_train.device import choose_device
from ditr_train.distillation import Distillation, distillation_scores
from ditr_train.frozen_encoder import load_frozen_encoder
from ditr_train.origin import initialize_from
from ditr_train.run_folder import RunFolder
from ditr_train.training_config import DistillationConfig


def add_parser(commands: Any) -> argparse.ArgumentParser:
    """Adds the command; `commands` is what add_subparsers gave."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "distill",
        help="train the 3D network, without labels, to predict the image features of visible points",
        description="D-DITR: bags need clouds, images, camera info and static transforms, no labels. Continue with "
        "`ditr-train train --image-free --initialize RUN`.",
    )
    arguments.add_config(parser)
    arguments.add_bags(parser)
    arguments.add_run(parser)
    parser.add_argument(
        "--encoder",
        type=Path,
        required=True,
        metavar="RUN_OR_BUNDLE",
        help="whose image encoder to learn from",
    )
    parser.add_argument("--init", type=Path, metavar="RUN_OR_BUNDLE", help="start from this network's backbone")
    arguments.add_optimization(parser)
    parser.set_defaults(command=_distill)
    return parser


def _distill(options: argparse.Namespace) -> None:
    config = load_config(options.config)
    if config.distillation is None or config.image_encoder is None:
        raise ConfigError(f"{options.config}: distillation and image_encoder are needed to distill")
    settings = replace(config.distillation, **arguments.given(options, *arguments.OPTIMIZATION))
    config = distillation_config(replace(config, distillation=settings))
    run = RunFolder(options.output)
    run.create(config, resume=options.resume)
    device = choose_device(options.device)
    encoder = load_frozen_encoder(options.encoder, config).to(device)
    show = arguments.progress()
    scans = scans_with_images(
        load_scans(options.bags, config, encoder, labels=False, progress=show), config.backbone, "the bags of --bags"
    )
    validation: Sequence[LabeledScan] = []
    if options.validation:
        loaded = load_scans(options.validation, config, encoder, labels=False, progress=show)
        validation = scans_with_images(loaded, config.backbone, "the bags of --validation")
    distillation = Distillation(config, scans, run, device)
    data = arguments.bag_names(options, scans=len(scans)) | {"image_encoder": options.encoder.name}
    resumed = options.resume and run.has("checkpoint.pt")
    if options.init is not None:
        data["initialized_from"] = options.init.name
        if not resumed:
            taken = initialize_from(distillation.distiller, options.init, scans, config, keep_head=False)
            print(f"{options.init}: {taken}")
    run.describe_data(data)
    if resumed:
        distillation.resume()
    distillation.fit(validation, progress=show, description="distilling")
    if not validation:
        print(f"{len(scans)} scans -> {options.output}; no --validation, so nothing held out was scored")
        return
    scores = distillation_scores(distillation.distiller, validation, config, progress=show)
    run.write_json("scores.json", scores)
    print(f"{scores['scans']} validation scans: {describe_scores(scores, settings)} -> {options.output}")


def describe_scores(scores: dict[str, Any], settings: DistillationConfig) -> str:
    """What distillation_scores found, in words; says so if the network is no better than a guess."""
    if settings.target == "cosine":
        what, name = "cosine similarity {} to the image features of visible voxels", "cosine"
    else:
        what, name = f"mIoU {{}} of the {settings.clusters} clusters over the visible voxels", "cluster_miou"
    network, constant, place = (f"{scores[key]:.3f}" for key in (name, f"constant_{name}", f"place_{name}"))
    guesses = f"a constant guess reaches {constant}, one from range and height {place}"
    warning = "" if scores[name] > scores[f"place_{name}"] else "; NOT BETTER than that guess, distil for longer"
    return f"{what.format(network)} ({guesses}{warning})"


def distillation_config(config: Config) -> Config:
    """The configuration of a distilled run: the image encoder is its teacher, nothing is injected."""
    return replace(config, injection=None, encoder_training=None)


def scans_with_images(scans: Sequence[LabeledScan], backbone: BackboneConfig, what: str) -> Sequence[LabeledScan]:
    """Those scans of which a camera sees points within the range, or, of data sets, of which there are images.

    Raises DataError when there are none.
    """
    visible = with_images(scans)
    if not isinstance(visible, StoredScans):
        visible = [scan for scan in visible if _seen_in_range(scan, backbone)]
    if not visible:
        raise DataError(
            f"{what}: no image is within tolerance of any of {len(scans)} clouds and sees points of it within "
            "point_range; are topics.cameras, their offsets and the transforms right?"
        )
    if len(visible) < len(scans):
        unseen = len(scans) - len(visible)
        print(f"{what}: {unseen} of {len(scans)} clouds have no image that sees them within point_range, left out")
    return visible


def _seen_in_range(scan: LabeledScan, backbone: BackboneConfig) -> bool:
    if scan.images is None:
        return False
    seen = scan.images.weight.max(axis=1) > 0
    for axis, low, high in zip("xyz", backbone.point_range[:3], backbone.point_range[3:], strict=True):
        seen &= (scan.fields[axis] >= low) & (scan.fields[axis] < high)
    return bool(seen.any())


def describe_distillation(run: RunFolder, config: Config) -> dict[str, Any]:
    """What a card says of weights that were distilled."""
    assert config.distillation is not None
    settings = config.distillation
    description: dict[str, Any] = {
        "kind": "distillation of image features (D-DITR), without labels",
        "target": f"{settings.clusters} clusters of image features"
        if settings.target == "clusters"
        else "image features, cosine similarity",
        "steps": settings.steps,
        "scans_per_step": settings.scans_per_step,
        "learning_rate": settings.learning_rate,
        "seed": settings.seed,
    }
    if run.has("data.json"):
        description["data"] = run.read_json("data.json")
    if run.has("scores.json"):
        description["scores"] = run.read_json("scores.json")
    return description
