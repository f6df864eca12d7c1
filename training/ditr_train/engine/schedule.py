"""Learning rate over the steps of a training."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

from torch import nn


def one_cycle(steps: int, warm_up: float) -> Callable[[int], float]:
    """Factor of the learning rate at each step: from 1/10 up to 1 in the first part, then down to 1/1000,
    each along half a cosine."""
    rising = max(1, round(steps * warm_up))

    def factor(step: int) -> float:
        if step < rising:
            start, end, share = 0.1, 1.0, step / rising
        else:
            start, end, share = 1.0, 0.001, min(1.0, (step - rising) / max(1, steps - rising))
        return end + (start - end) * (1 + math.cos(math.pi * share)) / 2

    return factor


def decayed_and_not(module: nn.Module) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    """Parameters with weight decay (matrices) and without (biases and normalizations)."""
    parameters: Iterable[nn.Parameter] = module.parameters()
    decayed: list[nn.Parameter] = []
    plain: list[nn.Parameter] = []
    for parameter in parameters:
        (decayed if parameter.ndim > 1 else plain).append(parameter)
    return decayed, plain
