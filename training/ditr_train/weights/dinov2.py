"""DINOv2 checkpoints as published (`dinov2_vits14_pretrain.pth`, `dinov2_vitb14_reg4_pretrain.pth`, ...)."""

from __future__ import annotations

from pathlib import Path

import torch

from ditr_train.config.dinov2_architecture import DinoV2Architecture
from ditr_train.encoders.dinov2 import DinoV2, resize_positions
from ditr_train.weights.checkpoint_file import Shape, check_tensors, read_checkpoint, tensors_of


def checkpoint_shapes(architecture: DinoV2Architecture) -> dict[str, Shape]:
    """Every tensor of a published checkpoint."""
    side = architecture.pretraining_grid
    with torch.device("meta"):
        shapes = {name: tuple(value.shape) for name, value in DinoV2(architecture, side, side).state_dict().items()}
    # Stands for patches that are hidden in pretraining; no image that is looked at has any.
    return shapes | {"mask_token": (1, architecture.channels)}


def load_dinov2(path: Path, architecture: DinoV2Architecture, rows: int, columns: int, name: str) -> DinoV2:
    """The published weights for images of rows x columns patches; `name` is what errors call the network.

    Raises DataError that names every tensor that is missing, unexpected or of another shape.
    """
    tensors = tensors_of(read_checkpoint(path), path)
    check_tensors(tensors, checkpoint_shapes(architecture), path, name)
    del tensors["mask_token"]
    tensors["pos_embed"] = resize_positions(tensors["pos_embed"], rows, columns, antialias=architecture.registers > 0)
    with torch.device("meta"):
        encoder = DinoV2(architecture, rows, columns)
    encoder.load_state_dict({name: value.float() for name, value in tensors.items()}, assign=True)
    return encoder.eval()
