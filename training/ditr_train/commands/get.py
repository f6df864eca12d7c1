"""ditr-train get: a published network in one command."""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import ditr_train
from ditr_train.commands import arguments
from ditr_train.commands.import_weights import Checkpoints, describe_encoder, import_distilled, import_segmentation
from ditr_train.config.model_config import Config, ConfigError, load_config
from ditr_train.engine.run_folder import RunFolder
from ditr_train.methods.frozen_encoder import keep_published_encoder
from ditr_train.weights.hub import FetchedFile, fetch
from ditr_train.weights.published_models import PERMISSIVE, PUBLISHED_MODELS, HubFile, PublishedModel

CONFIGS = Path(ditr_train.__file__).parent.parent / "configs"
"""Beside the package, which is installed in place (`pip install -e`)."""

_DESCRIPTION = """\
Downloads a published network from the Hugging Face hub, checks it, and makes it a bundle for the node, or a folder for
`train --initialize` or `train --encoder`. Without a name it lists what there is. HF_ENDPOINT names a mirror,
HF_HUB_OFFLINE=1 takes what the cache holds, HF_TOKEN opens what is given only to those who accepted its terms."""


def add_parser(commands: Any) -> None:
    """Adds the command; `commands` is what add_subparsers gave."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "get", help="download a published network and make it a bundle", description=_DESCRIPTION
    )
    parser.add_argument("name", nargs="?", metavar="NAME", help="row of the list (default: show the list)")
    parser.add_argument("-o", "--output", type=Path, metavar="FOLDER", help="where the bundle or the run goes")
    parser.add_argument(
        "--accept-license", action="store_true", help="of files whose licence is not permissive; it is shown first"
    )
    parser.add_argument(
        "--revision", metavar="COMMIT", help="of the network's repository (default: what the list says)"
    )
    parser.add_argument("--cache", type=Path, metavar="FOLDER", help="of downloaded files (default: the hub's own)")
    parser.add_argument(
        "--config", type=Path, metavar="CONFIG", help="in place of the list's; its --set are not applied then"
    )
    arguments.add_settings(parser)
    arguments.add_threads(parser)
    arguments.add_force(parser)
    parser.set_defaults(command=_get)


def _get(options: argparse.Namespace) -> None:
    if options.name is None:
        print(_list())
        return
    model = PUBLISHED_MODELS.get(options.name)
    if model is None:
        raise ConfigError(f"{options.name}: unknown; known are {', '.join(PUBLISHED_MODELS)}")
    if options.output is None:
        raise ConfigError(f"{options.name}: name the folder to write with -o")
    config = _config(model, options)
    _require_licences(options.name, model, accepted=options.accept_license)
    fetched = _fetch(model.file, options, revision=options.revision)
    origin = _origin(model.file, fetched)
    run = RunFolder(options.output)
    if model.kind == "encoder":
        keep_published_encoder(run, config, fetched.path, origin={"checkpoint": fetched.path.name, **origin})
        said = describe_encoder(config)
    elif model.kind == "distilled":
        said = import_distilled(fetched.path, _without_images(config), run, origin)
    else:
        said = _segmentation(model, config, fetched, origin, options)
    print(f"{said} -> {options.output}")


def _segmentation(
    model: PublishedModel, config: Config, fetched: FetchedFile, origin: dict[str, Any], options: argparse.Namespace
) -> str:
    with tempfile.TemporaryDirectory() as folder:
        encoder = image_free = None
        if model.encoder:
            row = PUBLISHED_MODELS[model.encoder]
            weights = _fetch(row.file, options)
            encoder = Path(folder) / "encoder"
            described = {"checkpoint": weights.path.name, **_origin(row.file, weights)}
            keep_published_encoder(RunFolder(encoder), config, weights.path, origin=described)
        if model.image_free:
            row = PUBLISHED_MODELS[model.image_free]
            other = _fetch(row.file, options, revision=options.revision)
            image_free = other.path
            origin = {**origin, "image_free_source": _origin(row.file, other)["source"]}
        return import_segmentation(Checkpoints(fetched.path, encoder, image_free), config, options.output, origin)


def _without_images(config: Config) -> Config:
    return config.for_pretraining("distillation") if config.injection is not None else config


def _config(model: PublishedModel, options: argparse.Namespace) -> Config:
    if options.config is not None:
        config = load_config(options.config, options.set)
    else:
        config = load_config(CONFIGS / model.configuration, [*model.settings, *options.set])
    strict = _strict_licences(model)
    terms = "; ".join(f"{licence}, of {repository}" for repository, licence in strict.items())
    return replace(config, licence=config.licence or terms)


def _fetch(file: HubFile, options: argparse.Namespace, *, revision: str | None = None) -> FetchedFile:
    fetched = fetch(file, revision=revision, cache=options.cache)
    print(f"{file.repository}/{file.path}: {fetched.path.stat().st_size / 1e6:.1f} MB, SHA-256 {fetched.sha256}")
    return fetched


def _origin(file: HubFile, fetched: FetchedFile) -> dict[str, Any]:
    return {
        "source": f"huggingface.co/{file.repository} at {fetched.commit}: {file.path}",
        "sha256": fetched.sha256,
        "licence": file.licence,
    }


def _files(model: PublishedModel) -> list[HubFile]:
    others = [PUBLISHED_MODELS[name].file for name in (model.encoder, model.image_free) if name]
    return [model.file, *others]


def _strict_licences(model: PublishedModel) -> dict[str, str]:
    """Repository -> licence, of those files whose licence is not permissive."""
    return {file.repository: file.licence for file in _files(model) if file.licence not in PERMISSIVE}


def _require_licences(name: str, model: PublishedModel, *, accepted: bool) -> None:
    strict = _strict_licences(model)
    if not strict:
        return
    terms = "; ".join(f"{repository} is under {licence}" for repository, licence in strict.items())
    if not accepted:
        raise ConfigError(
            f"{name}: {terms}. That asks for more than a permissive licence: read it on the page of the repository, "
            "and go on with --accept-license"
        )
    print(f"accepted: {terms}")


def _list() -> str:
    rows = [("name", "gives", "licence", "repository", "what it is")]
    gives = {"segmentation": "bundle", "distilled": "run to train on", "encoder": "encoder"}
    for name, model in PUBLISHED_MODELS.items():
        licences = " + ".join(dict.fromkeys(file.licence for file in _files(model)))
        rows.append((name, gives[model.kind], licences, model.file.repository, model.description))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]) - 1)]
    return "\n".join(
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1]]) for row in rows
    )
