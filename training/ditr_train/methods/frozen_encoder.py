"""The image encoder that features come from: of a run of train-encoder, import encoder or train, or of a bundle."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import onnxruntime
import torch
from torch import Tensor, nn

from ditr_train.config.model_config import Config, ConfigError
from ditr_train.config.vit_architecture import VIT_ARCHITECTURES
from ditr_train.data.errors import DataError
from ditr_train.encoders.multi_scale_encoder import MultiScaleEncoder
from ditr_train.encoders.patch_encoder import PatchEncoder, build_patch_encoder
from ditr_train.encoders.timm_encoder import TimmEncoder
from ditr_train.engine.run_folder import RunFolder
from ditr_train.export.bundle import describe_image_encoder, read_document
from ditr_train.export.bundle_weights import graph_file, session
from ditr_train.export.foreign_encoder import adopt_encoder
from ditr_train.export.graph_file import copy_graph, weight_files
from ditr_train.weights.timm_checkpoint import load_timm_checkpoint
from ditr_train.weights.vision_transformer import load_vision_transformer

GRAPH = "encoder.onnx"
"""File of a run whose encoder is a graph."""


class OnnxImageEncoder(nn.Module):
    """The image encoder of a bundle, or one that came as a graph; it cannot be trained."""

    def __init__(self, session: onnxruntime.InferenceSession, digest: str = "", *, file: Path | None = None) -> None:
        """digest: of the graph and its weights, by which other encoders can be told from it; file: that of a run"""
        super().__init__()
        self.session = session
        self.digest = digest
        self.file = file

    def forward(self, image: Tensor) -> Tensor:
        """image [B, 3, H, W], `(RGB / 255 - mean) / std` -> features [B, rows * columns, C_2D]."""
        (features,) = self.session.run(["features"], {"image": image.cpu().numpy()})
        return torch.from_numpy(features)


def keep_encoder(run: RunFolder, encoder: nn.Module, source: RunFolder) -> None:
    """Copies an encoder and where it comes from into a run, so that the run can be evaluated and exported."""
    if isinstance(encoder, OnnxImageEncoder):
        if encoder.file is None:
            return
        if not run.read_only:
            copy_graph(encoder.file, run.path / GRAPH)
    else:
        run.save("encoder.pt", encoder.state_dict())
    run.write_json("encoder.json", _encoder_of_bundle(source.path) if is_bundle(source.path) else _encoder_of(source))


def _encoder_of(run: RunFolder) -> dict[str, Any]:
    return {name: run.read_json(f"{name}.json") for name in ("data", "scores")}


def _encoder_of_bundle(folder: Path) -> dict[str, Any]:
    described = read_document(folder)["training"].get("image_encoder", {})
    scores = {}
    if "validation_miou" in described:
        scores = {"miou": described["validation_miou"], "images": described["validation_images"]}
    return {"data": described.get("data", {}), "scores": scores}


def distillation_teacher(encoder: nn.Module, config: Config) -> tuple[nn.Module, Config]:
    """What `distillation` learns from: the encoder at the scales of the configuration, and a configuration with which
    scans are loaded for it."""
    assert config.image_encoder is not None and config.distillation is not None
    scales, view = config.distillation.scales, config.image_encoder
    if scales == (1,):
        return encoder, config
    finest = max(scales)
    enlarged = replace(view, input_height=finest * view.input_height, input_width=finest * view.input_width)
    teacher = MultiScaleEncoder(encoder, scales, view.rows, view.columns)
    return teacher, replace(config, image_encoder=enlarged)


def is_bundle(folder: Path) -> bool:
    return (folder / "bundle.json").exists()


def load_run_encoder(run: RunFolder, config: Config) -> PatchEncoder | OnnxImageEncoder:
    """The encoder of a run of `train-encoder` or `import encoder`, of `train` with injection, or of a bundle."""
    encoder = load_exportable_encoder(run.path, config)
    return _opened(encoder, file=encoder) if isinstance(encoder, Path) else encoder


def _run_encoder(run: RunFolder, config: Config) -> PatchEncoder | Path:
    if config.image_encoder is None:
        raise ConfigError("the configuration has no image_encoder")
    of_bundle = run.has(GRAPH) and not run.has("encoder.pt")
    if config.image_encoder.architecture == "onnx" or of_bundle:
        if not run.has(GRAPH):
            raise DataError(f"{run.path} has no {GRAPH}; is it a folder that import encoder wrote?")
        return run.path / GRAPH
    encoder = build_patch_encoder(config.image_encoder)
    try:
        encoder.load_state_dict(run.load("encoder.pt"))
    except RuntimeError as error:
        raise ConfigError(f"{run.path}: its encoder is not the configuration's image_encoder: {error}") from error
    encoder.eval()
    return encoder


def keep_published_encoder(run: RunFolder, config: Config, checkpoint: Path, origin: Mapping[str, Any]) -> None:
    """Makes a folder for `train --encoder` from a checkpoint, or a graph, of the configuration's image encoder.

    `origin` says where it comes from. Raises ConfigError when the configuration has none that is published, DataError
    when the checkpoint does not fit it.
    """
    view = config.image_encoder
    if view is None or view.architecture == "vit":
        found = "no image_encoder" if view is None else "the architecture vit"
        raise ConfigError(
            f"the configuration has {found}; image_encoder.architecture has to be a published one or onnx"
        )
    name = view.architecture
    if name == "onnx":
        run.create(config, resume=False)
        adopt_encoder(checkpoint, run.path / GRAPH, view)
    else:
        if name in VIT_ARCHITECTURES:
            state = load_vision_transformer(
                checkpoint, VIT_ARCHITECTURES[name], view.rows, view.columns, name
            ).state_dict()
        else:
            state = load_timm_checkpoint(checkpoint, TimmEncoder(view), name).state_dict()
        run.create(config, resume=False)
        run.save("encoder.pt", state)
    run.write_json("data.json", {"architecture": name, **origin})
    run.write_json("scores.json", {})


def load_frozen_encoder(folder: Path, config: Config) -> nn.Module:
    """The encoder of a run or of a bundle; it maps images [B, 3, H, W] to features [B, patches, C_2D].

    Raises ConfigError or DataError when there is none, or another than the configuration describes.
    """
    encoder = load_exportable_encoder(folder, config)
    if not isinstance(encoder, Path):
        return encoder
    return _opened(encoder, file=None if is_bundle(folder) else encoder)


def _opened(encoder: Path, *, file: Path | None) -> OnnxImageEncoder:
    digest = hashlib.sha256()
    for path in (encoder, *weight_files(encoder)):
        with path.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return OnnxImageEncoder(session(encoder), digest.hexdigest(), file=file)


def load_exportable_encoder(folder: Path, config: Config) -> PatchEncoder | Path:
    """The encoder as write_bundle takes it: the network of a run, or the graph's file of a run or a bundle.

    Raises as load_frozen_encoder does.
    """
    if not is_bundle(folder):
        return _run_encoder(RunFolder(folder), config)
    if config.image_encoder is None:
        raise ConfigError("the configuration has no image_encoder")
    found = read_document(folder).get("image_encoder", {})
    for key, value in json.loads(json.dumps(describe_image_encoder(config.image_encoder))).items():
        if found.get(key) != value:
            raise ConfigError(
                f"{folder}: image_encoder.{key} of the bundle is {found.get(key)}, the configuration's is {value}"
            )
    return graph_file(folder, "image_encoder")
