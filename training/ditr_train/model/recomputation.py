"""Activation checkpointing: blocks that are computed anew in the backward pass."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint


class RecomputableStage(nn.Module):
    """A stage whose blocks may be computed anew in the backward pass, so that what they need for it is not kept."""

    recompute = False

    def run(self, block: nn.Module, *arguments: Any) -> Any:
        """What the block makes of the arguments. An exported graph and a pass without gradients keep nothing anyway."""
        if self.recompute and torch.is_grad_enabled() and not torch.compiler.is_exporting():
            return checkpoint(block, *arguments, use_reentrant=False)
        return block(*arguments)


def recompute_blocks(network: nn.Module, recompute: bool) -> None:
    """Switches it in all stages of a network."""
    for module in network.modules():
        if isinstance(module, RecomputableStage):
            module.recompute = recompute
