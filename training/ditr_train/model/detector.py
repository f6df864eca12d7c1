"""A segmentation network that also finds boxes on its encoder's tokens."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from ditr_train.config.model_config import Config
from ditr_train.model.detection_head import DetectionHead, HeadOutput
from ditr_train.model.segmentor import Segmentor


class Detector(nn.Module):
    """Backbone, classifier of voxels, and detection head (docs/graph-contract.md)."""

    def __init__(self, config: Config, *, frozen: bool = False) -> None:
        """A `frozen` segmentation never changes, not even the statistics of its normalizations.

        Raises ValueError for a configuration without detection.
        """
        super().__init__()
        if config.detection is None:
            raise ValueError("the configuration has no detection")
        self.stage = config.detection.stage
        self.frozen = frozen
        self.segmentor = Segmentor(config)
        self.detection_head = DetectionHead(config.backbone.encoder.channels[self.stage], config.detection)
        if frozen:
            self.segmentor.requires_grad_(False).eval()

    def train(self, mode: bool = True) -> Detector:
        super().train(mode)
        if self.frozen:
            self.segmentor.eval()
        return self

    def forward(self, inputs: Mapping[str, Tensor]) -> HeadOutput:
        """Inputs of a sample with tokens -> what is said of its queries."""
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.frozen):
            tokens = self.segmentor.tokens(inputs, self.stage)
        return self.found(tokens, inputs)

    def with_logits(self, inputs: Mapping[str, Tensor]) -> tuple[Tensor, HeadOutput]:
        """Logits of the voxels [V_0, classes], and the same."""
        logits, tokens = self.segmentor.with_tokens(inputs, self.stage)
        return logits, self.found(tokens, inputs)

    def found(self, tokens: Tensor, inputs: Mapping[str, Tensor]) -> HeadOutput:
        """Of tokens [V_stage, C_stage] and the inputs that belong to them."""
        output: HeadOutput = self.detection_head(tokens, inputs["token_positions"], inputs.get("queries"))
        return output
