"""Checkpoints of Pointcept and of projects built on it: PT-v3m1 and LitePT-v1 in a DefaultSegmentorV2, with DITR's
injection of image features as "PT-v3m1-image" (github.com/VisualComputingInstitute/ditr, f66d1da), SpUNet-v1m1 in a
DefaultSegmentor, and D-DITR's DefaultDistiller."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

from ditr_train.config.model_config import Config, ConfigError
from ditr_train.data.errors import DataError
from ditr_train.model.segmentor import Segmentor
from ditr_train.weights.checkpoint_file import Shape, check_tensors, read_checkpoint, tensors_of
from ditr_train.weights.spunet import from_spunet, spunet_name, spunet_shape

Layout = Literal["PT-v3m1", "PT-v3m1-image", "LitePT-v1", "LitePT-v1-image", "SpUNet-v1m1"]
"""As the code that they come from registers them, where there is no LitePT with images: its heads would have the same
names."""

_STAGE = r"backbone\.(encoder|decoder)\.(\d+)\.blocks\.(\d+)\."

_RENAMED = (
    (r"head\.(.*)", r"seg_head.\1"),
    (r"backbone\.stem\.convolution\.(.*)", r"backbone.embedding.stem.conv.\1"),
    (r"backbone\.stem\.norm\.(.*)", r"backbone.embedding.stem.norm.\1"),
    (r"backbone\.unpooling\.(\d+)\.(.*)", r"backbone.dec.dec\1.up.\2"),
    # Its 0 is a dropout.
    (r"backbone\.injection\.proj\.(\d+)\.(.*)", r"backbone.dec.dec\1.up.proj_image_feat.1.\2"),
    (r"backbone\.injection\.norm\.(\d+)\.(.*)", r"backbone.dec.dec\1.up.proj_image_feat.2.\2"),
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

_DISTILLATION_HEADS = re.compile(r"(proj|proj_cls_token)\.(\d+\.)?(weight|bias)")
"""Linear layers of D-DITR from the backbone to the image features, and to class tokens, one for each data set or for
all; the image encoder itself is not in a checkpoint."""


@dataclass(frozen=True)
class DistilledBackbone:
    """What D-DITR learned without labels."""

    layout: Layout
    weights: dict[str, Tensor]
    """By the names of our Segmentor; without its head."""
    dropped: tuple[str, ...]
    """Tensors of the checkpoint that only distillation needs."""


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
    """SpUNet-v1m1 where blocks are residual, else PT-v3m1 where positions come by convolution, LitePT-v1 where they
    come by rotation, "-image" with injection.

    Raises ConfigError when the configuration is a network that none of them is.
    """
    backbone, injection = config.backbone, config.injection
    if backbone.blocks == "residual":
        return _spunet_layout(config)
    if injection is not None:
        stages = tuple(range(backbone.stage_count - 1))
        for name, found, published in (
            ("place", injection.place, "unpooling"),
            ("levels", tuple(sorted(injection.levels)), stages),
        ):
            if found != published:
                raise ConfigError(f"injection.{name}: {found} is not {published}, that of DITR's checkpoints")
    _require_published_stem(config)
    layout: Literal["PT-v3m1", "LitePT-v1"] = "PT-v3m1" if backbone.position_encoding == "convolution" else "LitePT-v1"
    wanted = "skip" if layout == "PT-v3m1" else "sum"
    if backbone.decoder.depths and backbone.decoder.first_convolution != wanted:
        raise ConfigError(
            f"decoder.first_convolution: {backbone.decoder.first_convolution} is not {wanted}, that of {layout}"
        )
    if injection is None:
        return layout
    return "PT-v3m1-image" if layout == "PT-v3m1" else "LitePT-v1-image"


def _spunet_layout(config: Config) -> Literal["SpUNet-v1m1"]:
    if config.injection is not None:
        raise ConfigError("injection: there are no checkpoints of SpUNet-v1m1 with injection")
    _require_published_stem(config)
    if config.backbone.encoder.depths[0] != 0:
        raise ConfigError(
            f"encoder.depths: {config.backbone.encoder.depths[0]} blocks at stage 0 are not 0, as in SpUNet-v1m1"
        )
    return "SpUNet-v1m1"


def _require_published_stem(config: Config) -> None:
    size = config.backbone.stem_kernel_size
    if size != 5:
        raise ConfigError(f"stem_kernel_size: {size} is not 5, that of Pointcept's checkpoints")


def published_name(name: str, layout: Layout) -> str:
    """Pointcept's name of a tensor of our Segmentor."""
    if layout == "SpUNet-v1m1":
        return spunet_name(name)
    if pooling := re.fullmatch(r"backbone\.pooling\.(\d+)\.(proj|norm)\.(.*)", name):
        stage, part, rest = pooling.groups()
        return f"backbone.enc.enc{int(stage) + 1}.down.{part}.{'0.' if part == 'norm' else ''}{rest}"
    for ours, theirs in _RENAMED:
        if match := re.fullmatch(ours, name):
            renamed = match.expand(theirs).replace("CONVOLUTION", "cpe" if layout.startswith("PT-v3m1") else "conv")
            return renamed.replace("encoder", "enc").replace("decoder", "dec")
    raise AssertionError(f"{name} has no name in Pointcept")


def published_shapes(segmentor: Segmentor, layout: Layout) -> dict[str, Shape]:
    """Names and shapes of every tensor of a checkpoint for this network."""
    shapes = {}
    for name, value in segmentor.state_dict().items():
        shape = tuple(value.shape)
        if layout == "SpUNet-v1m1":
            shape = spunet_shape(name, shape)
        elif _is_convolution(name):
            kernel_volume = 125 if name.startswith("backbone.stem.") else 27
            edge = round(kernel_volume ** (1 / 3))
            shape = (shape[1], edge, edge, edge, shape[0] // kernel_volume)
        shapes[published_name(name, layout)] = shape
    return shapes


def load_pointcept(path: Path, config: Config) -> PointceptModel:
    """The network of a configuration with the weights of a checkpoint.

    Raises ConfigError when the configuration is no network of Pointcept's or DITR's, and DataError when the
    checkpoint has no classifier, or that names every tensor of it that is missing, unexpected, of another shape or
    not finite.
    """
    layout = layout_of(config)
    document = read_checkpoint(path)
    tensors = _tensors(document, path)
    classifies = "seg_head.weight" in tensors or "backbone.final.weight" in tensors
    if not classifies and any(map(_DISTILLATION_HEADS.fullmatch, tensors)):
        raise DataError(
            f"{path} was distilled and knows no classes; fine-tune it first: ditr-train import d-ditr {path} "
            "--config CONFIG -o RUN, then ditr-train train CONFIG --image-free --initialize RUN"
        )
    segmentor = _network(config)
    check_tensors(tensors, published_shapes(segmentor, layout), path, f"{layout} as {config.name} configures it")
    segmentor.load_state_dict(_taken(segmentor, tensors, layout), assign=True)
    epoch, best = (document.get(key) if "state_dict" in document else None for key in ("epoch", "best_metric_value"))
    return PointceptModel(
        layout,
        segmentor.eval(),
        epoch=epoch if isinstance(epoch, int) else None,
        best_score=float(best) if isinstance(best, float) else None,
    )


def load_distilled(path: Path, config: Config) -> DistilledBackbone:
    """The backbone of a checkpoint of D-DITR; the configuration's network without injection and head.

    Raises ConfigError and DataError as load_pointcept does.
    """
    layout = layout_of(config)
    tensors = _tensors(read_checkpoint(path), path)
    dropped = tuple(name for name in tensors if _DISTILLATION_HEADS.fullmatch(name))
    if not dropped:
        raise DataError(f"{path} was not distilled: it has none of the tensors proj.* of D-DITR")
    segmentor = _network(config)
    segmentor.head = nn.Identity()  # type: ignore[assignment]
    kept = {name: value for name, value in tensors.items() if name not in dropped}
    check_tensors(kept, published_shapes(segmentor, layout), path, f"{layout} as {config.name} configures it")
    return DistilledBackbone(layout, _taken(segmentor, kept, layout), dropped)


def _tensors(document: Any, path: Path) -> dict[str, Tensor]:
    return {name.removeprefix("module."): value for name, value in tensors_of(document, path, "state_dict").items()}


def _network(config: Config) -> Segmentor:
    with torch.device("meta"):
        return Segmentor(config)


def _taken(segmentor: Segmentor, tensors: Mapping[str, Tensor], layout: Layout) -> dict[str, Tensor]:
    return {name: _ours(name, tensors[published_name(name, layout)], layout) for name in segmentor.state_dict()}


def _is_convolution(name: str) -> bool:
    return name.endswith(".convolution.weight")


def _ours(name: str, value: Tensor, layout: Layout) -> Tensor:
    if layout == "SpUNet-v1m1":
        value = from_spunet(name, value)
    elif _is_convolution(name):
        # spconv 2: [out, x, y, z, in], offsets as in a dense convolution; ours: [(x, y, z, in), out].
        value = value.permute(1, 2, 3, 4, 0).reshape(-1, value.shape[0]).contiguous()
    return value.float() if value.is_floating_point() else value
