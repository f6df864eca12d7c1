"""The image encoder that a configuration names."""

from __future__ import annotations

from typing import TypeAlias

from ditr_train.config.conversion import ConfigError
from ditr_train.config.model_config import TIMM, ImageEncoderConfig
from ditr_train.config.vit_architecture import VIT_ARCHITECTURES
from ditr_train.encoders.image_encoder import ImageEncoder
from ditr_train.encoders.timm_encoder import TimmEncoder
from ditr_train.encoders.vision_transformer import VisionTransformer

PatchEncoder: TypeAlias = ImageEncoder | VisionTransformer | TimmEncoder
"""image [B, 3, H, W], `(RGB / 255 - mean) / std` -> features [B, rows * columns, C_2D]."""


def build_patch_encoder(config: ImageEncoderConfig) -> PatchEncoder:
    """An encoder whose weights are still to be loaded or trained. Raises ConfigError for one that is a file."""
    if config.architecture == "vit":
        return ImageEncoder(config)
    if config.architecture == "onnx":
        raise ConfigError("image_encoder.architecture: onnx is a graph and has no weights apart from it")
    if config.architecture.startswith(TIMM):
        return TimmEncoder(config)
    return VisionTransformer(VIT_ARCHITECTURES[config.architecture], config.rows, config.columns)
