"""Camera images as the image encoder takes them."""

from __future__ import annotations

import io

import numpy as np
import numpy.typing as npt
from PIL import Image

from ditr_train.config.model_config import ImageEncoderConfig
from ditr_train.data.errors import DataError
from ditr_train.geometry.projection import PatchGrid


def patch_grid(config: ImageEncoderConfig) -> PatchGrid:
    """How the projection sees the encoder."""
    return PatchGrid(config.input_width, config.input_height, config.patch_size, config.resize)


def decode_rgb(encoded: bytes) -> Image.Image:
    """JPEG or PNG -> an RGB image. Raises DataError when it is neither."""
    try:
        with Image.open(io.BytesIO(encoded)) as opened:
            return opened.convert("RGB")
    except OSError as error:
        raise DataError(f"a camera image of {len(encoded)} bytes is no JPEG or PNG: {error}") from error


def decode_image(encoded: bytes, config: ImageEncoderConfig) -> npt.NDArray[np.uint8]:
    """JPEG or PNG -> RGB uint8 [input_height, input_width, 3], resized by the encoder's rule.

    Raises DataError when it is neither.
    """
    image = decode_rgb(encoded)
    left, top, width, height = patch_grid(config).placement(*image.size)
    # Letterbox borders are 0 after normalization.
    border = tuple(round(255 * value) for value in config.mean)
    canvas = Image.new("RGB", (config.input_width, config.input_height), border)
    canvas.paste(image.resize((width, height), Image.Resampling.BILINEAR), (left, top))
    return np.asarray(canvas)


def resize_labels(ids: npt.NDArray[np.uint8], config: ImageEncoderConfig, cells: int) -> npt.NDArray[np.uint8]:
    """Class ids [height, width] of an image -> ids at the centres of cells x cells cells of each patch.

    [cells * rows, cells * columns]; 0 in a letterbox's border.
    """
    height, width = ids.shape
    scale_x, scale_y, offset_x, offset_y = patch_grid(config).image_to_input(width, height)
    edge = config.patch_size / cells
    x = (np.arange(cells * config.input_width // config.patch_size) + 0.5) * edge - 0.5
    y = (np.arange(cells * config.input_height // config.patch_size) + 0.5) * edge - 0.5
    column, row = np.rint((x - offset_x) / scale_x).astype(int), np.rint((y - offset_y) / scale_y).astype(int)
    inside_x, inside_y = (column >= 0) & (column < width), (row >= 0) & (row < height)
    labels = ids[np.clip(row, 0, height - 1)[:, None], np.clip(column, 0, width - 1)[None, :]]
    return np.where(inside_y[:, None] & inside_x[None, :], labels, np.uint8(0))


def normalize(images: npt.NDArray[np.uint8], config: ImageEncoderConfig) -> npt.NDArray[np.float32]:
    """RGB uint8 [B, H, W, 3] -> float32 [B, 3, H, W], `(value / 255 - mean) / std`."""
    values = (images.astype(np.float32) / 255 - np.array(config.mean, np.float32)) / np.array(config.std, np.float32)
    return np.ascontiguousarray(values.transpose(0, 3, 1, 2))
