"""Starting a network from the weights of another one, with every tensor accounted for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor, nn

from ditr_train.config.model_config import ConfigError

_REPLACEABLE = (
    "head.",
    "backbone.injection.",
    "distillation_head.",
    "distillation_target.",
    "region_head.",
    "region_target.",
    "dense_head.",
    "token_target.",
    "predictor.",
)
"""Parts that a network may have and its origin not, or the other way round; the rest of the backbone must fit."""


@dataclass(frozen=True)
class Initialization:
    """Where each tensor of a network came from, and what of the origin was not used."""

    taken: tuple[str, ...]
    fresh: tuple[str, ...]
    """Tensors of the network that stay as they were."""
    dropped: tuple[str, ...]
    """Tensors of the origin that the network has no place for."""

    def __str__(self) -> str:
        lines = [f"{len(self.taken)} tensors taken"]
        for verb, names in (("fresh", self.fresh), ("dropped", self.dropped)):
            lines.append(f"{len(names)} {verb}{': ' + ', '.join(names) if names else ''}")
        return "; ".join(lines)


def initialize(network: nn.Module, weights: Mapping[str, Tensor], *, origin: str, keep_head: bool) -> Initialization:
    """Copies the backbone, and the classifier if `keep_head` says that both mean the same classes.

    Heads and injection may be missing on either side; any other tensor that is missing, left over or of
    another shape raises ConfigError. `origin` is the name of the weights in such a message.
    """
    state = network.state_dict()
    kept = {name: value for name, value in weights.items() if keep_head or not name.startswith("head.")}
    for name in state.keys() ^ kept.keys():
        if not name.startswith(_REPLACEABLE):
            raise ConfigError(
                f"{origin}: its network is not the configuration's: {name} is "
                f"{'missing' if name in state else 'left over'}"
            )
    taken = [name for name in state if name in kept]
    for name in taken:
        if state[name].shape != kept[name].shape:
            raise ConfigError(
                f"{origin}: its network is not the configuration's: {name} has the shape "
                f"{list(kept[name].shape)}, not {list(state[name].shape)}"
            )
    network.load_state_dict({name: kept[name] for name in taken}, strict=False)
    return Initialization(
        taken=tuple(taken),
        fresh=tuple(name for name in state if name not in kept),
        dropped=tuple(name for name in weights if name not in taken),
    )
