"""Regions of images by a user's Segment Anything: SAM or SAM 2 in the library transformers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

from ditr_train.data.errors import DataError
from ditr_train.data.masks import flattened
from ditr_train.data.regions import RegionIds


class AutomaticMasks:
    """Masks from a grid of points over the image, as SAM's automatic generator makes them."""

    def __init__(self, model: str, device: torch.device, *, points_per_side: int = 32) -> None:
        """`model`: a name of the Hugging Face hub (facebook/sam-vit-base, facebook/sam2.1-hiera-small), or a folder
        that save_pretrained wrote. Raises DataError when it cannot be loaded."""
        generator = _pipeline()
        try:
            self._generate: Callable[..., Any] = generator("mask-generation", model=model, device=device)
        except (OSError, ValueError, KeyError, ImportError, RuntimeError) as error:
            raise DataError(f"{model}: it cannot be loaded as a SAM or SAM 2: {error}") from error
        self.points_per_side = points_per_side

    def ids(self, rgb: npt.NDArray[np.uint8], *, smallest: int) -> RegionIds:
        """RGB uint8 [H, W, 3] -> regions; masks of fewer than `smallest` pixels are left out."""
        found = self._generate(Image.fromarray(rgb), points_per_crop=self.points_per_side)["masks"]
        masks = [np.asarray(mask, bool) for mask in found]
        masks = [mask for mask in masks if np.count_nonzero(mask) >= smallest]
        return flattened(masks) if masks else np.zeros(rgb.shape[:2], np.uint16)


def _pipeline() -> Callable[..., Any]:
    try:
        from transformers import pipeline
    except ImportError as error:
        raise DataError(
            "--sam runs SAM with transformers, which is not installed; pip install 'ditr-train[sam]'"
        ) from error
    made: Callable[..., Any] = pipeline
    return made
