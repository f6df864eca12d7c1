"""A frozen image encoder in half precision, where the hardware is made for it."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class HalfPrecisionEncoder(nn.Module):
    """An encoder whose matrix products are float16; normalizations stay float32, and so do the features it gives."""

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, image: Tensor) -> Tensor:
        """image [B, 3, H, W] -> features [B, patches, C_2D]"""
        with torch.autocast(image.device.type, torch.float16):
            features: Tensor = self.encoder(image)
        return features.float()


def placed(encoder: nn.Module, device: torch.device) -> nn.Module:
    """The encoder on a device, on CUDA in half precision; one that is a graph runs where ONNX Runtime runs it."""
    encoder = encoder.to(device)
    learned = next(encoder.parameters(), None) is not None
    return HalfPrecisionEncoder(encoder) if learned and device.type == "cuda" else encoder
