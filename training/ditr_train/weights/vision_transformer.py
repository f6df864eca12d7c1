"""Checkpoints of DINOv2, DINOv3 and SigLIP 2 as published: the .pth files of their authors and the safetensors of the
Hugging Face hub."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from ditr_train.config.vit_architecture import VitArchitecture
from ditr_train.data.errors import DataError
from ditr_train.encoders.vision_transformer import VisionTransformer, resize_positions, rotary_periods
from ditr_train.weights.checkpoint_file import Shape, check_tensors, read_checkpoint, tensors_of

Layout = Literal["dinov2", "dinov3", "transformers dinov2", "transformers dinov3", "transformers siglip"]
"""Whose names a file has: those of facebookresearch's repositories, or of the library transformers."""

_SIGNS: tuple[tuple[str, Layout], ...] = (
    ("embeddings.patch_embeddings.projection.weight", "transformers dinov2"),
    ("embeddings.patch_embeddings.weight", "transformers dinov3"),
    ("vision_model.embeddings.patch_embedding.weight", "transformers siglip"),
    ("storage_tokens", "dinov3"),
    ("patch_embed.proj.weight", "dinov2"),
)
"""A tensor that only files of a layout have, the more telling ones first."""

_DROPPED: Mapping[Layout, str] = {
    # It stands for patches that are hidden in pretraining; no image that is looked at has any.
    "dinov2": r"mask_token",
    # The normalization of crops in training, and the periods, which are checked.
    "dinov3": r"mask_token|local_cls_norm\..*|rope_embed\.periods|blocks\.\d+\.attn\.qkv\.bias_mask",
    "transformers dinov2": r"embeddings\.mask_token",
    "transformers dinov3": r"embeddings\.mask_token",
    # The text side, and what pools the patches into one vector.
    "transformers siglip": r"text_model\..*|vision_model\.head\..*|logit_scale|logit_bias",
}

_NAMES: Mapping[Layout, tuple[tuple[str, str], ...]] = {
    "dinov2": (),
    "dinov3": (("register_tokens", "storage_tokens"), (r"(.*)\.mlp\.w12\.(.*)", r"\1.mlp.w1.\2 \1.mlp.w2.\2")),
    "transformers dinov2": (
        (r"patch_embed\.proj\.(.*)", r"embeddings.patch_embeddings.projection.\1"),
        ("pos_embed", "embeddings.position_embeddings"),
        (r"(cls_token|register_tokens)", r"embeddings.\1"),
        (r"norm\.(.*)", r"layernorm.\1"),
        (
            r"blocks\.(\d+)\.attn\.qkv\.(.*)",
            " ".join(rf"encoder.layer.\1.attention.attention.{part}.\2" for part in ("query", "key", "value")),
        ),
        (r"blocks\.(\d+)\.attn\.proj\.(.*)", r"encoder.layer.\1.attention.output.dense.\2"),
        (r"blocks\.(\d+)\.ls(\d)\.gamma", r"encoder.layer.\1.layer_scale\2.lambda1"),
        (r"blocks\.(\d+)\.mlp\.w12\.(.*)", r"encoder.layer.\1.mlp.weights_in.\2"),
        (r"blocks\.(\d+)\.mlp\.w3\.(.*)", r"encoder.layer.\1.mlp.weights_out.\2"),
        (r"blocks\.(\d+)\.(.*)", r"encoder.layer.\1.\2"),
    ),
    "transformers dinov3": (
        (r"patch_embed\.proj\.(.*)", r"embeddings.patch_embeddings.\1"),
        (r"(cls_token|register_tokens)", r"embeddings.\1"),
        (
            r"blocks\.(\d+)\.attn\.qkv\.(.*)",
            " ".join(rf"layer.\1.attention.{part}_proj.\2" for part in "qkv"),
        ),
        (r"blocks\.(\d+)\.attn\.proj\.(.*)", r"layer.\1.attention.o_proj.\2"),
        (r"blocks\.(\d+)\.ls(\d)\.gamma", r"layer.\1.layer_scale\2.lambda1"),
        (r"blocks\.(\d+)\.mlp\.w12\.(.*)", r"layer.\1.mlp.gate_proj.\2 layer.\1.mlp.up_proj.\2"),
        (r"blocks\.(\d+)\.mlp\.fc1\.(.*)", r"layer.\1.mlp.up_proj.\2"),
        (r"blocks\.(\d+)\.mlp\.(?:w3|fc2)\.(.*)", r"layer.\1.mlp.down_proj.\2"),
        (r"blocks\.(\d+)\.(.*)", r"layer.\1.\2"),
    ),
    "transformers siglip": (
        (r"patch_embed\.proj\.(.*)", r"vision_model.embeddings.patch_embedding.\1"),
        ("pos_embed", "vision_model.embeddings.position_embedding.weight"),
        (r"norm\.(.*)", r"vision_model.post_layernorm.\1"),
        (
            r"blocks\.(\d+)\.attn\.qkv\.(.*)",
            " ".join(rf"vision_model.encoder.layers.\1.self_attn.{part}_proj.\2" for part in "qkv"),
        ),
        (r"blocks\.(\d+)\.attn\.proj\.(.*)", r"vision_model.encoder.layers.\1.self_attn.out_proj.\2"),
        (r"blocks\.(\d+)\.norm(\d)\.(.*)", r"vision_model.encoder.layers.\1.layer_norm\2.\3"),
        (r"blocks\.(\d+)\.(.*)", r"vision_model.encoder.layers.\1.\2"),
    ),
}
"""Names of our VisionTransformer, then those of the tensors that stand one after the other in it; the first fit counts,
and what none fits has the same name."""


def published_names(name: str, layout: Layout) -> list[str]:
    """Tensors of a checkpoint that a tensor of ours is put together from, along its first axis."""
    for ours, theirs in _NAMES[layout]:
        if match := re.fullmatch(ours, name):
            return match.expand(theirs).split()
    return [name]


def published_shapes(architecture: VitArchitecture, layout: Layout, side: int = 0) -> dict[str, Shape]:
    """Every tensor of a checkpoint that the network takes; `side` is that of its position embedding, if it is not the
    architecture's."""
    side = side or architecture.pretraining_grid or 1
    with torch.device("meta"):
        network = VisionTransformer(architecture, side, side)
    shapes: dict[str, Shape] = {}
    for name, value in network.state_dict().items():
        names = published_names(name, layout)
        for part in names:
            shape = (value.shape[0] // len(names), *value.shape[1:])
            shapes[part] = shape[1:] if part.endswith("position_embedding.weight") else shape
    if layout == "transformers dinov3":
        # Where keys have no bias, there is none in the file.
        shapes = {name: shape for name, shape in shapes.items() if not name.endswith(".k_proj.bias")}
    return shapes


def load_vision_transformer(
    path: Path, architecture: VitArchitecture, rows: int, columns: int, name: str
) -> VisionTransformer:
    """The published weights for images of rows x columns patches; `name` is what errors call the network.

    Raises DataError that names every tensor that is missing, unexpected, of another shape or not finite.
    """
    tensors = tensors_of(read_checkpoint(path), path)
    if "embeddings.patch_embedding.weight" in tensors:
        # The image side of SigLIP alone; published files have both sides.
        tensors = {f"vision_model.{key}": value for key, value in tensors.items()}
    layout: Layout = next((layout for sign, layout in _SIGNS if sign in tensors), "dinov2")
    if "rope_embed.periods" in tensors:
        _check_periods(tensors["rope_embed.periods"], architecture, path)
    found = {key: value for key, value in tensors.items() if not re.fullmatch(_DROPPED[layout], key)}
    side = 0 if architecture.pretraining_grid else _side(found)
    expected = published_shapes(architecture, layout, side)
    check_tensors(found, expected, path, name)
    with torch.device("meta"):
        encoder = VisionTransformer(architecture, rows, columns)
    state = {}
    for ours in encoder.state_dict():
        parts = [
            found[part].float() if part in found else torch.zeros(architecture.channels)
            for part in published_names(ours, layout)
        ]
        state[ours] = torch.cat(parts)
        if ours.endswith("attn.qkv.bias") and not architecture.key_bias:
            # DINOv3 masks it.
            state[ours][architecture.channels : 2 * architecture.channels] = 0
    if "pos_embed" in state:
        positions = state["pos_embed"]
        first = 1 if architecture.class_token else 0
        positions = positions[None] if positions.ndim == 2 else positions
        state["pos_embed"] = resize_positions(positions, rows, columns, architecture.resizing, first=first)
    encoder.load_state_dict(state, assign=True)
    return encoder.eval()


def _side(tensors: Mapping[str, Tensor]) -> int:
    """Of the square of patches that the position embedding of a file is for; 0 where it has none."""
    positions = next((value for name, value in tensors.items() if name.endswith("position_embedding.weight")), None)
    return 0 if positions is None else round(positions.shape[0] ** 0.5)


def _check_periods(periods: Tensor, architecture: VitArchitecture, path: Path) -> None:
    if architecture.positions != "rotary":
        return
    expected = rotary_periods(architecture.channels // architecture.heads)
    # They are kept in bfloat16 by some.
    if periods.shape != expected.shape or not torch.allclose(periods.float(), expected, rtol=1e-2):
        raise DataError(
            f"{path}: its rope_embed.periods are not those of a base of 100, with which DINOv3 is published"
        )
