"""Segmentation checkpoints of Pointcept: PT-v3m1 and LitePT-v1 in a DefaultSegmentorV2."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from ditr_train.config import Config, ConfigError
from ditr_train.model.segmentor import Segmentor
from ditr_train.weights.checkpoint_file import Shape, check_tensors, read_checkpoint, tensors_of

Layout = Literal["PT-v3m1", "LitePT-v1"]

_STAGE = r"backbone\.(encoder|decoder)\.(\d+)\.blocks\.(\d+)\."

_RENAMED = (
    (r"head\.(.*)", r"seg_head.\1"),
    (r"backbone\.stem\.convolution\.(.*)", r"backbone.embedding.stem.conv.\1"),
    (r"backbone\.stem\.norm\.(.*)", r"backbone.embedding.stem.norm.\1"),
    (r"backbone\.unpooling\.(\d+)\.(.*)", r"backbone.dec.dec\1.up.\2"),
    (_STAGE + r"convolution\.convolution\.(.*)", r"backbone.\1.\1\2.block\3.CONVOLUTION.0.\4"),
    (_STAGE + r"convolution\.linear\.(.*)", r"backbone.\1.\1\2.block\3.CONVOLUTION.1.\4"),
    (_STAGE + r"convolution\.norm\.(.*)", r"backbone.\1.\1\2.block\3.CONVOLUTION.2.\4"),
    (_STAGE + r"input_norm\.(.*)", r"backbone.\1.\1\2.block\3.norm0.0.\4"),
    (_STAGE + r"attention_norm\.(.*)", r"backbone.\1.\1\2.block\3.norm1.0.\4"),
    (_STAGE + r"attention\.(.*)", r"backbone.\1.\1\2.block\3.attn.\4"),
    (_STAGE + r"mlp_norm\.(.*)", r"backbone.\1.\1\2.block\3.norm2.0.\4"),
    (_STAGE + r"mlp\.0\.(.*)", r"backbone.\1.\1\2.block\3.mlp.0.fc1.\4"),
    (_STAGE + r"mlp\.2\.(.*)", r"backbone.\1.\1\2.block\3.mlp.0.fc2.\4"),
)
"""Our names, then Pointcept's, where the container of the convolution is called after the layout."""


@dataclass(frozen=True)
class PointceptModel:
    """A network with imported weights."""

    layout: Layout
    segmentor: Segmentor
    epoch: int | None
    """Epochs that it was trained for, if the checkpoint says so."""
    best_score: float | None
    """Best validation score in training, if the checkpoint says so; mIoU in Pointcept's segmentation configs."""


def layout_of(config: Config) -> Layout:
    """PT-v3m1 where positions come by convolution, LitePT-v1 where they come by rotation.

    Raises ConfigError when the configuration is a network that neither is.
    """
    backbone = config.backbone
    if config.injection is not None:
        raise ConfigError(
            "injection: Pointcept's checkpoints have no weights for it; leave it out of the configuration"
        )
    if backbone.stem_kernel_size != 5:
        raise ConfigError(f"stem_kernel_size: {backbone.stem_kernel_size} is not 5, that of Pointcept's checkpoints")
    layout: Layout = "PT-v3m1" if backbone.position_encoding == "convolution" else "LitePT-v1"
    wanted = "skip" if layout == "PT-v3m1" else "sum"
    if backbone.decoder.depths and backbone.decoder.first_convolution != wanted:
        raise ConfigError(
            f"decoder.first_convolution: {backbone.decoder.first_convolution} is not {wanted}, that of {layout}"
        )
    return layout


def published_name(name: str, layout: Layout) -> str:
    """Pointcept's name of a tensor of our Segmentor."""
    if pooling := re.fullmatch(r"backbone\.pooling\.(\d+)\.(proj|norm)\.(.*)", name):
        stage, part, rest = pooling.groups()
        return f"backbone.enc.enc{int(stage) + 1}.down.{part}.{'0.' if part == 'norm' else ''}{rest}"
    for ours, theirs in _RENAMED:
        if match := re.fullmatch(ours, name):
            renamed = match.expand(theirs).replace("CONVOLUTION", "cpe" if layout == "PT-v3m1" else "conv")
            return renamed.replace("encoder", "enc").replace("decoder", "dec")
    raise AssertionError(f"{name} has no name in Pointcept")


def published_shapes(segmentor: Segmentor, layout: Layout) -> dict[str, Shape]:
    """Names and shapes of every tensor of a checkpoint for this network."""
    shapes = {}
    for name, value in segmentor.state_dict().items():
        shape = tuple(value.shape)
        if _is_convolution(name):
            kernel_volume = 125 if name.startswith("backbone.stem.") else 27
            edge = round(kernel_volume ** (1 / 3))
            shape = (shape[1], edge, edge, edge, shape[0] // kernel_volume)
        shapes[published_name(name, layout)] = shape
    return shapes


def load_pointcept(path: Path, config: Config) -> PointceptModel:
    """The network of a configuration with the weights of a checkpoint.

    Raises ConfigError when the configuration is no network of Pointcept's, and DataError that names every
    tensor of the checkpoint that is missing, unexpected, of another shape or not finite.
    """
    layout = layout_of(config)
    document = read_checkpoint(path)
    tensors = {name.removeprefix("module."): value for name, value in tensors_of(document, path, "state_dict").items()}
    with torch.device("meta"):
        segmentor = Segmentor(config)
    check_tensors(tensors, published_shapes(segmentor, layout), path, f"{layout} as {config.name} configures it")
    segmentor.load_state_dict(
        {name: _ours(name, tensors[published_name(name, layout)]) for name in segmentor.state_dict()}, assign=True
    )
    epoch, best = (document.get(key) if "state_dict" in document else None for key in ("epoch", "best_metric_value"))
    return PointceptModel(
        layout,
        segmentor.eval(),
        epoch=epoch if isinstance(epoch, int) else None,
        best_score=float(best) if isinstance(best, float) else None,
    )


def _is_convolution(name: str) -> bool:
    return name.endswith(".convolution.weight")


def _ours(name: str, value: Tensor) -> Tensor:
    if _is_convolution(name):
        # spconv 2: [out, x, y, z, in], offsets as in a dense convolution; ours: [(x, y, z, in), out].
        value = value.permute(1, 2, 3, 4, 0).reshape(-1, value.shape[0]).contiguous()
    return value.float() if value.is_floating_point() else value
