"""Checkpoints of random tensors whose activations neither vanish nor explode."""

from collections.abc import Mapping

import numpy as np
import torch


def random_weights(
    shapes: Mapping[str, tuple[int, ...]], seed: int, *, convolution_gain: float
) -> dict[str, torch.Tensor]:
    """A tensor of each name and shape: kernels of 5 dimensions with this gain over the fan-in, matrices with 1, weights
    of normalizations around 1, variances above 0.5."""
    generator = torch.Generator().manual_seed(seed)
    tensors = {}
    for name, shape in shapes.items():
        value = torch.randn(shape, generator=generator)
        if name.endswith("num_batches_tracked"):
            value = torch.tensor(1000)
        elif name.endswith("running_var"):
            value = 0.5 + value.abs()
        elif len(shape) > 1:
            value *= (convolution_gain if len(shape) == 5 else 1) * np.prod(shape[1:]) ** -0.5
        elif name.endswith(".weight"):
            value = 1 + 0.3 * value
        else:
            value *= 0.3
        tensors[name] = value
    return tensors
