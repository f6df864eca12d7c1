"""Checkpoints of the library timm's vision transformers (`model.safetensors` on the hub, or .pth)."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

from ditr_train.encoders.timm_encoder import TimmEncoder
from ditr_train.weights.checkpoint_file import check_tensors, read_checkpoint, tensors_of

_HEADS = re.compile(r"(head|fc_norm|attn_pool|head_dist|mask_token)(\..*)?")
"""What classifies and pools, which features of patches do not need."""


def load_timm_checkpoint(path: Path, encoder: TimmEncoder, name: str) -> TimmEncoder:
    """Fills an encoder; position embeddings are resized as timm does it. `name` is what errors call the network.

    Raises DataError that names every tensor that is missing, unexpected, of another shape or not finite.
    """
    vit = encoder.vit
    tensors = tensors_of(read_checkpoint(path), path, "state_dict", "model")
    adapt = getattr(inspect.getmodule(type(vit)), "checkpoint_filter_fn", None)
    if adapt is not None:
        tensors = adapt(tensors, vit)
    expected = {key: tuple(value.shape) for key, value in vit.state_dict().items()}
    found = {key: value for key, value in tensors.items() if key in expected or not _HEADS.fullmatch(key)}
    check_tensors(found, expected, path, name)
    vit.load_state_dict({key: value.float() for key, value in found.items()})
    return encoder.eval()
