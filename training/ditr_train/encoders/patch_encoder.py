"""The image encoder that a configuration names."""

from __future__ import annotations

from typing import TypeAlias

from ditr_train.config.dinov2_architecture import dinov2_architecture
from ditr_train.config.model_config import ImageEncoderConfig
from ditr_train.encoders.dinov2 import DinoV2
from ditr_train.encoders.image_encoder import ImageEncoder

PatchEncoder: TypeAlias = ImageEncoder | DinoV2
"""image [B, 3, H, W], `(RGB / 255 - mean) / std` -> features [B, rows * columns, C_2D]."""


def build_patch_encoder(config: ImageEncoderConfig) -> PatchEncoder:
    """An encoder whose weights are still to be loaded or trained."""
    if config.architecture == "vit":
        return ImageEncoder(config)
    return DinoV2(dinov2_architecture(config.architecture), config.rows, config.columns)
