"""A vision transformer of the library timm as an image encoder."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType

from torch import Tensor, nn

from ditr_train.config.conversion import ConfigError
from ditr_train.config.model_config import TIMM, ImageEncoderConfig


class TimmEncoder(nn.Module):
    """Patch tokens after the last normalization of any of timm's vision transformers, without its head."""

    def __init__(self, config: ImageEncoderConfig) -> None:
        """Raises ConfigError when timm is not there, does not know the name, or its network is another than described.

        Position embeddings are those of the configuration's image size.
        """
        super().__init__()
        name = config.architecture.removeprefix(TIMM)
        timm = timm_library()
        try:
            self.vit = timm.create_model(
                name,
                pretrained=False,
                num_classes=0,
                global_pool="",
                img_size=(config.input_height, config.input_width),
            )
        except (RuntimeError, TypeError, AssertionError) as error:
            raise ConfigError(f"image_encoder.architecture: timm makes no encoder {name}: {error}") from error
        self.patches = config.rows * config.columns
        patch_size = getattr(getattr(self.vit, "patch_embed", None), "patch_size", None)
        for setting, found, given in (
            ("patch_size", patch_size, (config.patch_size, config.patch_size)),
            ("feature_dimension", self.vit.embed_dim, config.feature_dimension),
        ):
            if found != given:
                raise ConfigError(f"image_encoder.{setting}: {given} is not {found}, that of timm's {name}")

    def forward(self, image: Tensor) -> Tensor:
        """image [B, 3, H, W], `(RGB / 255 - mean) / std` -> [B, rows * columns, C]; patches are the last tokens."""
        tokens: Tensor = self.vit.forward_features(image)
        return tokens[:, -self.patches :]


def timm_library() -> ModuleType:
    """timm, which is installed apart. Raises ConfigError where it is not."""
    try:
        return importlib.import_module("timm")
    except ImportError as error:
        raise ConfigError(
            f"image_encoder.architecture: timm cannot be imported ({error}); install it with {sys.executable} -m pip "
            "install 'ditr-train[timm]'"
        ) from error
