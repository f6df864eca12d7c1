"""The backbone with its classifier, and the outputs of a graph."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn

from ditr_train.config.model_config import Config
from ditr_train.model.backbone import Backbone
from ditr_train.model.tables import image_features, scan_tables


class Segmentor(nn.Module):
    """Class logits of each voxel from named graph inputs (docs/graph-contract.md)."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.stage_count = config.backbone.stage_count
        self.backbone = Backbone(config.backbone, config.injection)
        self.head = nn.Linear(self.backbone.out_channels, len(config.classes))

    def forward(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """-> logits [V_0, classes]; fused if `inputs` has the image inputs, image-free if not."""
        tables = scan_tables(inputs, self.stage_count)
        logits: Tensor = self.head(self.backbone(inputs["feat"], tables, image_features(inputs)))
        return logits

    def with_tokens(self, inputs: Mapping[str, Tensor], stage: int) -> tuple[Tensor, Tensor]:
        """-> the same logits, and the encoder's output of a stage [V_stage, C_stage]"""
        tables, images = scan_tables(inputs, self.stage_count), image_features(inputs)
        encoded = self.backbone.encode(inputs["feat"], tables, images)
        return self.head(self.backbone.decode(encoded, tables, images)), encoded[stage]

    def tokens(self, inputs: Mapping[str, Tensor], stage: int) -> Tensor:
        """-> the encoder's output of a stage alone"""
        tables = scan_tables(inputs, self.stage_count)
        return self.backbone.encode(inputs["feat"], tables, image_features(inputs))[stage]


class GraphOutputs(NamedTuple):
    """Outputs of a graph, each with a row per voxel."""

    label: Tensor
    """[V_0] int32, index into the classes."""
    confidence: Tensor
    """[V_0] probability of that class."""
    entropy: Tensor
    """[V_0] Shannon entropy of the probabilities over log(classes): 0 certain, 1 uniform."""
    logits: Tensor
    """[V_0, classes]"""


def graph_outputs(logits: Tensor) -> GraphOutputs:
    """What a graph says about each voxel besides its logits."""
    log_probabilities = logits.log_softmax(dim=-1)
    probabilities = log_probabilities.exp()
    entropy = -(probabilities * log_probabilities).sum(-1) / math.log(logits.shape[-1])
    return GraphOutputs(logits.argmax(-1).to(torch.int32), probabilities.amax(-1), entropy, logits)
