"""Learning rate over the steps of a training."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

from torch import nn


def one_cycle(steps: int, warm_up: float, final: float = 0.001) -> Callable[[int], float]:
    """Factor of the learning rate at each step: from 1/10 up to 1 in the first part, then down to `final`,
    each along half a cosine."""
    rising = max(1, round(steps * warm_up))

    def factor(step: int) -> float:
        if step < rising:
            start, end, share = 0.1, 1.0, step / rising
        else:
            start, end, share = 1.0, final, min(1.0, (step - rising) / max(1, steps - rising))
        return end + (start - end) * (1 + math.cos(math.pi * share)) / 2

    return factor


def parameter_groups(network: nn.Module, weight_decay: float, block_scale: float) -> list[dict[str, Any]]:
    """Groups of an optimizer whose `scale` is that of their learning rate: weight decay is for matrices, and the blocks
    of all stages have a scale of their own where it is not 1, as by `param_dicts` in Pointcept's optimizer.py."""
    matrices, vectors = decayed_and_not(network)
    groups: list[dict[str, Any]] = [
        {"params": matrices, "weight_decay": weight_decay, "scale": 1.0},
        {"params": vectors, "weight_decay": 0.0, "scale": 1.0},
    ]
    if block_scale == 1:
        return groups
    in_blocks = {id(p) for name, p in network.named_parameters() if ".blocks." in name}
    parts = []
    for scale, wanted in ((1.0, False), (block_scale, True)):
        for group in groups:
            parameters = [p for p in group["params"] if (id(p) in in_blocks) == wanted]
            parts.append(group | {"params": parameters, "scale": scale})
    return parts


def decayed_and_not(module: nn.Module) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    """Parameters with weight decay (matrices) and without (biases and normalizations)."""
    parameters: Iterable[nn.Parameter] = module.parameters()
    decayed: list[nn.Parameter] = []
    plain: list[nn.Parameter] = []
    for parameter in parameters:
        (decayed if parameter.ndim > 1 else plain).append(parameter)
    return decayed, plain
