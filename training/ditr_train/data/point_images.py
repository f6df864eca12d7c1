"""What the points of a scan take from its camera images; kept on disk where the features of images are."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from ditr_train.config.model_config import ImageEncoderConfig
from ditr_train.config.training_config import AugmentationConfig
from ditr_train.data.frames import Exposure
from ditr_train.data.image_variation import mirrored_back, varied_images
from ditr_train.data.images import decode_image, normalize, patch_grid
from ditr_train.data.mapped_file import mapped_or_made, mapped_path
from ditr_train.data.remembered_encoder import RememberedEncoder, encode
from ditr_train.data.scans import PointImageFeatures
from ditr_train.geometry.projection import CameraView, assign_patches

_VERSION = 1
"""Of what is kept; to be raised when `assign_patches` or the decoding of images gives other values."""


@dataclass(frozen=True)
class ImageVariation:
    """That the images of a scan are changed at random before they are encoded."""

    config: AugmentationConfig
    rng: np.random.Generator


def point_images(
    exposures: Sequence[Exposure],
    xyz: npt.NDArray[Any],
    encoder_config: ImageEncoderConfig,
    encoder: nn.Module,
    variation: ImageVariation | None = None,
) -> PointImageFeatures:
    """Features of the images, and which of them each point [N, 3] of the cloud takes.

    With a RememberedEncoder both are mapped from its folder. The name of a file holds the images, as they are encoded,
    the cameras, the points and the settings, so no scan is decoded, encoded or projected twice and a change of any is
    another file. Features of images with a `variation` are not kept: none comes twice.
    """

    def decoded() -> list[npt.NDArray[np.uint8]]:
        return [decode_image(exposure.image.encoded, encoder_config) for exposure in exposures]

    def pixels() -> Tensor:
        return torch.from_numpy(normalize(np.stack(decoded()), encoder_config))

    def varied(encoder: nn.Module, variation: ImageVariation) -> npt.NDArray[np.float32]:
        images, mirrored = varied_images(decoded(), variation.config, variation.rng)
        features = encode(encoder, torch.from_numpy(normalize(np.stack(images), encoder_config))).cpu().numpy()
        return mirrored_back(features, mirrored, encoder_config.columns)

    def projected() -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
        views = [exposure.view for exposure in exposures]
        grid, order = patch_grid(encoder_config), np.arange(len(xyz))
        patch, weight, _ = assign_patches(xyz, order, views, grid, encoder_config.sampling, encoder_config.occlusion)
        return patch, weight

    encoder.eval()
    with torch.no_grad():
        if not isinstance(encoder, RememberedEncoder):
            features = encode(encoder, pixels()).cpu().numpy() if variation is None else varied(encoder, variation)
            return PointImageFeatures(features.reshape(-1, features.shape[-1]), *projected())
        if variation is None:
            images = hashlib.sha256(f"{_VERSION} {encoder_config}".encode())
            for exposure in exposures:
                images.update(hashlib.sha256(exposure.image.encoded).digest())
            features = encoder.of(images.digest(), pixels)
        else:
            features = varied(encoder.encoder, variation)
    path = _projection_path(encoder.folder, exposures, xyz, encoder_config)
    # One file for both: weights are kept by their bits.
    kept = mapped_or_made(path, lambda: np.stack([(both := projected())[0], both[1].view(np.int32)]))
    return PointImageFeatures(features.reshape(-1, features.shape[-1]), kept[0], kept[1].view(np.float32))


def _projection_path(
    folder: Path, exposures: Sequence[Exposure], xyz: npt.NDArray[Any], encoder_config: ImageEncoderConfig
) -> Path:
    key = hashlib.sha256(f"projection {_VERSION} {encoder_config} {xyz.shape} {xyz.dtype}".encode())
    key.update(np.ascontiguousarray(xyz).data)
    for exposure in exposures:
        _add_view(key, exposure.view)
    return mapped_path(folder, key.hexdigest())


def _add_view(key: Any, view: CameraView) -> None:
    key.update(f"{view.d} {view.model} {view.width} {view.height}".encode())
    for matrix in (view.k, view.lidar_to_camera):
        key.update(np.ascontiguousarray(matrix, np.float64).data)
