"""The moving average of a network's weights over the steps of its training."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class WeightAverage:
    """Weights and running statistics, each the sum of decay^i (1 - decay) times those i steps ago.

    In the first steps, where that would be mostly the random weights that the training began with, the decay is at
    most (1 + n) / (10 + n) after n steps.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.network = network
        self.decay = decay
        self.state = {name: value.detach().clone() for name, value in network.state_dict().items()}

    def update(self, step: int) -> None:
        """Takes the weights in after this many steps."""
        decay = min(self.decay, (1 + step) / (10 + step))
        for name, value in self.network.state_dict().items():
            if value.is_floating_point():
                self.state[name].lerp_(value.detach(), 1 - decay)
            else:
                self.state[name].copy_(value)

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Goes on from an average that was saved."""
        for name, value in self.state.items():
            value.copy_(state[name])

    @contextmanager
    def applied(self) -> Iterator[None]:
        """The network has the average in this context, and afterwards its own weights again."""
        own = {name: value.detach().clone() for name, value in self.network.state_dict().items()}
        self.network.load_state_dict(self.state)
        try:
            yield
        finally:
            with torch.no_grad():
                self.network.load_state_dict(own)
