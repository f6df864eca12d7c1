"""Pointcept's SpUNet-v1m1 in a DefaultSegmentor: MinkUNet's layout over spconv (models/sparse_unet/
spconv_unet_v1m1_base.py, 10b7490; in D-DITR the same without its classifier, spconv_unet_v1m1_distill.py, f66d1da)."""

from __future__ import annotations

import re

from torch import Tensor

Shape = tuple[int, ...]

_STATISTICS = "(weight|bias|running_mean|running_var|num_batches_tracked)"

_RENAMED = (
    (r"head\.(weight|bias)", r"backbone.final.\1"),
    (r"backbone\.stem\.convolution\.weight", r"backbone.conv_input.0.weight"),
    (rf"backbone\.stem\.norm\.{_STATISTICS}", r"backbone.conv_input.1.\1"),
    (r"backbone\.pooling\.(\d+)\.convolution\.weight", r"backbone.down.\1.0.weight"),
    (rf"backbone\.pooling\.(\d+)\.norm\.{_STATISTICS}", r"backbone.down.\1.1.\2"),
    (r"backbone\.unpooling\.(\d+)\.convolution\.weight", r"backbone.up.\1.0.weight"),
    (rf"backbone\.unpooling\.(\d+)\.norm\.{_STATISTICS}", r"backbone.up.\1.1.\2"),
    (r"backbone\.decoder\.(\d+)\.blocks\.(\d+)\.(.*)", r"backbone.dec.\1.block\2.\3"),
)
"""Our names, then Pointcept's."""

_IN_BLOCK = (("convolution1", "conv1"), ("norm1", "bn1"), ("convolution2", "conv2"), ("norm2", "bn2"))


def spunet_name(name: str) -> str:
    """Pointcept's name of a tensor of our Segmentor with residual blocks; its encoder counts stages from ours 1."""
    if block := re.fullmatch(r"backbone\.encoder\.(\d+)\.blocks\.(\d+)\.(.*)", name):
        stage, number, rest = block.groups()
        return _in_block(f"backbone.enc.{int(stage) - 1}.block{number}.{rest}")
    for ours, theirs in _RENAMED:
        if match := re.fullmatch(ours, name):
            return _in_block(match.expand(theirs))
    raise AssertionError(f"{name} has no name in SpUNet-v1m1")


def _in_block(name: str) -> str:
    for ours, theirs in _IN_BLOCK:
        name = name.replace(f".{ours}.", f".{theirs}.")
    return name


def spunet_shape(name: str, shape: Shape) -> Shape:
    """Shape in a checkpoint of a tensor of ours that has this shape: spconv 2's [out, x, y, z, in]."""
    if len(shape) != 2:
        return shape
    edge = _edge(name)
    if _is_transposed(name):
        return (shape[1] // edge**3, edge, edge, edge, shape[0])
    if _is_linear(name):
        return (shape[0], 1, 1, 1, shape[1])
    return (shape[1], edge, edge, edge, shape[0] // edge**3)


def from_spunet(name: str, value: Tensor) -> Tensor:
    """A tensor of a checkpoint in the form of ours that is called `name`."""
    if value.ndim != 5:
        return value
    if _is_transposed(name):
        return value.permute(4, 1, 2, 3, 0).reshape(value.shape[4], -1).contiguous()
    if _is_linear(name):
        return value.reshape(value.shape[0], -1)
    return value.permute(1, 2, 3, 4, 0).reshape(-1, value.shape[0]).contiguous()


def _is_transposed(name: str) -> bool:
    return name.startswith("backbone.unpooling.")


def _is_linear(name: str) -> bool:
    """Convolutions of kernel 1."""
    return name == "head.weight" or ".proj.0." in name


def _edge(name: str) -> int:
    if name.startswith("backbone.stem."):
        return 5
    return 2 if name.startswith(("backbone.pooling.", "backbone.unpooling.")) else 3
