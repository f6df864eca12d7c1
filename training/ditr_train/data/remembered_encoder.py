"""Features of a frozen encoder, kept on disk: each image is encoded once, whatever is trained on it afterwards."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.utils.data import get_worker_info

from ditr_train.data.errors import DataError
from ditr_train.data.mapped_file import mapped_or_made, mapped_path


class RememberedEncoder(nn.Module):
    """An encoder that looks in a folder before it computes.

    A file is named after all that its features depend on: the pixels, and what the encoder is. It is mapped into
    memory, not read, so that scans which hold features take no memory for them. Nothing in the folder is ever out of
    date; it can be deleted at any time.
    """

    def __init__(self, encoder: nn.Module, folder: Path) -> None:
        super().__init__()
        self.encoder = encoder
        self.folder = folder
        self.digest = encoder_digest(encoder)

    def forward(self, image: Tensor) -> Tensor:
        """image [B, 3, H, W] on the CPU -> features [B, patches, C_2D] on the CPU.

        Raises DataError for a damaged file, and as `encode`.
        """
        pixels = np.ascontiguousarray(image.cpu().numpy())
        path = self._path(f"{pixels.shape} {pixels.dtype}".encode(), pixels.data)
        return torch.from_numpy(mapped_or_made(path, lambda: self._encoded(image)))

    def of(self, images: bytes, pixels: Callable[[], Tensor]) -> npt.NDArray[np.float32]:
        """The same for images that are not decoded where their features are on disk: `images` tells them, with how
        they are decoded, from all others, `pixels` decodes them."""
        path = self._path(b"encoded", images)
        return mapped_or_made(path, lambda: self._encoded(pixels()))

    def _path(self, kind: bytes, images: bytes | memoryview) -> Path:
        key = hashlib.sha256(f"{self.digest} ".encode() + kind)
        key.update(images)
        return mapped_path(self.folder, key.hexdigest())

    def _encoded(self, image: Tensor) -> npt.NDArray[Any]:
        values: npt.NDArray[Any] = encode(self.encoder, image).detach().cpu().numpy()
        return values


def encode(encoder: nn.Module, image: Tensor) -> Tensor:
    """Features of images [B, 3, H, W] on the CPU, by an encoder wherever it is.

    Raises DataError in a worker process where the encoder is on a CUDA device, which such a process cannot use.
    """
    if isinstance(encoder, RememberedEncoder):
        return encoder.forward(image)
    parameter = next(encoder.parameters(), None)
    device = torch.device("cpu") if parameter is None else parameter.device
    if device.type == "cuda" and get_worker_info() is not None:
        raise DataError(
            "a worker process (--workers) cannot encode images on a CUDA device; leave out --workers, or keep the "
            "features of all images first: a training with --features FOLDER and without --workers does so"
        )
    features: Tensor = encoder(image.to(device))
    return features


def encoder_digest(encoder: nn.Module) -> str:
    """What an encoder computes with: its modules, their settings and all weights."""
    digest = hashlib.sha256(repr(encoder).encode())
    for name, module in encoder.named_modules():
        settings = {
            key: value
            for key, value in sorted(vars(module).items())
            if isinstance(value, bool | int | float | str | tuple) and key not in ("training", "call_super_init")
        }
        digest.update(f"{name} {type(module).__name__} {settings}".encode())
    for name, values in encoder.state_dict().items():
        digest.update(f"{name} {values.dtype} {tuple(values.shape)}".encode())
        digest.update(values.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy())
    return digest.hexdigest()
