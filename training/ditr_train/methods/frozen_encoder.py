"""The image encoder that features come from: of a run of train-encoder, import dinov2 or train, or of a bundle."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import onnxruntime
import torch
from torch import Tensor, nn

from ditr_train.config.model_config import Config, ConfigError
from ditr_train.encoders.multi_scale_encoder import MultiScaleEncoder
from ditr_train.encoders.patch_encoder import PatchEncoder, build_patch_encoder
from ditr_train.engine.run_folder import RunFolder
from ditr_train.export.bundle import describe_image_encoder, read_document
from ditr_train.export.bundle_weights import graph_file, session
from ditr_train.export.graph_file import weight_files


class OnnxImageEncoder(nn.Module):
    """The `image_encoder` graph of a bundle; it cannot be trained."""

    def __init__(self, session: onnxruntime.InferenceSession, digest: str = "") -> None:
        """digest: of the graph and its weights, by which other encoders can be told from it"""
        super().__init__()
        self.session = session
        self.digest = digest

    def forward(self, image: Tensor) -> Tensor:
        """image [B, 3, H, W], `(RGB / 255 - mean) / std` -> features [B, rows * columns, C_2D]."""
        (features,) = self.session.run(["features"], {"image": image.cpu().numpy()})
        return torch.from_numpy(features)


def keep_encoder(run: RunFolder, encoder: nn.Module, source: RunFolder) -> None:
    """Copies an encoder and where it comes from into a run, so that the run can be evaluated and exported.

    That of a bundle cannot be copied: such a run can be neither.
    """
    if isinstance(encoder, OnnxImageEncoder):
        return
    run.save("encoder.pt", encoder.state_dict())
    run.write_json("encoder.json", {name: source.read_json(f"{name}.json") for name in ("data", "scores")})


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


def load_run_encoder(run: RunFolder, config: Config) -> PatchEncoder:
    """The encoder of a run of `train-encoder` or `import dinov2`, or of `train` with injection."""
    if config.image_encoder is None:
        raise ConfigError("the configuration has no image_encoder")
    encoder = build_patch_encoder(config.image_encoder)
    try:
        encoder.load_state_dict(run.load("encoder.pt"))
    except RuntimeError as error:
        raise ConfigError(f"{run.path}: its encoder is not the configuration's image_encoder: {error}") from error
    return encoder.eval()


def load_frozen_encoder(folder: Path, config: Config) -> nn.Module:
    """The encoder of a run or of a bundle; it maps images [B, 3, H, W] to features [B, patches, C_2D].

    Raises ConfigError or DataError when there is none, or another than the configuration describes.
    """
    encoder = load_exportable_encoder(folder, config)
    if not isinstance(encoder, Path):
        return encoder
    digest = hashlib.sha256()
    for path in (encoder, *weight_files(encoder)):
        with path.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return OnnxImageEncoder(session(encoder), digest.hexdigest())


def load_exportable_encoder(folder: Path, config: Config) -> PatchEncoder | Path:
    """The encoder as write_bundle takes it: the network of a run, or the graph's file of a bundle.

    Raises as load_frozen_encoder does.
    """
    if not is_bundle(folder):
        return load_run_encoder(RunFolder(folder), config)
    if config.image_encoder is None:
        raise ConfigError("the configuration has no image_encoder")
    found = read_document(folder).get("image_encoder", {})
    for key, value in json.loads(json.dumps(describe_image_encoder(config.image_encoder))).items():
        if found.get(key) != value:
            raise ConfigError(
                f"{folder}: image_encoder.{key} of the bundle is {found.get(key)}, the configuration's is {value}"
            )
    return graph_file(folder, "image_encoder")
