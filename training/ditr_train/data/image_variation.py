"""Random changes of a camera image before it is encoded."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageEnhance

from ditr_train.config.training_config import AugmentationConfig

_ENHANCERS = {
    "brightness": ImageEnhance.Brightness,
    "contrast": ImageEnhance.Contrast,
    "saturation": ImageEnhance.Color,
}


def varied_images(
    images: list[npt.NDArray[np.uint8]], config: AugmentationConfig, rng: np.random.Generator
) -> tuple[list[npt.NDArray[np.uint8]], npt.NDArray[np.bool_]]:
    """RGB images [H, W, 3] with other colours, each changed on its own, and which of them are mirrored [B].

    Brightness, contrast, saturation and hue in a random order, as ColorJitter of torchvision and albumentations.
    """
    mirrored = rng.uniform(size=len(images)) < config.image_flip
    varied = []
    for image, mirror in zip(images, mirrored, strict=True):
        changed = np.asarray(_recoloured(Image.fromarray(image), config, rng))
        varied.append(np.ascontiguousarray(changed[:, ::-1]) if mirror else changed)
    return varied, mirrored


def mirrored_back(
    features: npt.NDArray[np.float32], mirrored: npt.NDArray[np.bool_], columns: int
) -> npt.NDArray[np.float32]:
    """Features [B, rows * columns, C] of images of which some are mirrored [B], with each patch of the image as it was
    in its place: a pixel x of W is W - 1 - x in the mirrored image, a patch its opposite in the row."""
    grid = features.reshape(len(features), -1, columns, features.shape[-1])
    return np.where(mirrored[:, None, None, None], grid[:, :, ::-1], grid).reshape(features.shape)


def _recoloured(image: Image.Image, config: AugmentationConfig, rng: np.random.Generator) -> Image.Image:
    for index in rng.permutation(len(_ENHANCERS) + 1):
        if index == len(_ENHANCERS):
            image = _with_hue(image, rng.uniform(-config.image_hue, config.image_hue))
            continue
        name = list(_ENHANCERS)[index]
        most = getattr(config, f"image_{name}")
        factor = rng.uniform(1 - most, 1 + most)
        if factor != 1:
            image = _ENHANCERS[name](image).enhance(factor)
    return image


def _with_hue(image: Image.Image, shift: float) -> Image.Image:
    if shift == 0:
        return image
    hue, saturation, value = image.convert("HSV").split()
    moved = (np.asarray(hue).astype(np.int16) + round(256 * shift)) % 256
    return Image.merge("HSV", (Image.fromarray(moved.astype(np.uint8)), saturation, value)).convert("RGB")
