"""Features of a frozen encoder, kept on disk: each image is encoded once, whatever is trained on it afterwards."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import get_worker_info

from ditr_train.data.errors import DataError


class RememberedEncoder(nn.Module):
    """An encoder that looks in a folder before it computes.

    A file is named after all that its features depend on: the pixels, and what the encoder is. It is mapped into
    memory, not read, so that scans which hold features take no memory for them. Files are written whole: several
    processes may share the folder. Nothing in it is ever out of date; it can be deleted at any time.
    """

    def __init__(self, encoder: nn.Module, folder: Path) -> None:
        super().__init__()
        self.encoder = encoder
        self.folder = folder
        self.digest = encoder_digest(encoder)

    def forward(self, image: Tensor) -> Tensor:
        """image [B, 3, H, W] on the CPU -> features [B, patches, C_2D], on the CPU where they were on disk.

        Raises DataError for a damaged file, and as `encode`.
        """
        pixels = image.cpu().numpy()
        key = hashlib.sha256(f"{self.digest} {pixels.shape} {pixels.dtype}".encode())
        key.update(np.ascontiguousarray(pixels).data)
        name = key.hexdigest()
        path = self.folder / name[:2] / f"{name[2:]}.npy"
        if not path.exists():
            features = encode(self.encoder, image)
            path.parent.mkdir(parents=True, exist_ok=True)
            part = path.with_name(f"{path.name}.{os.getpid()}.part")
            with part.open("wb") as stream:
                np.save(stream, features.detach().cpu().numpy())
            part.replace(path)
            return features
        try:
            # Copied where it is written to: torch knows no memory that can only be read.
            return torch.from_numpy(np.load(path, mmap_mode="c"))
        except (OSError, EOFError, ValueError) as error:
            raise DataError(f"{path} holds no image features, delete it: {error}") from error


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
