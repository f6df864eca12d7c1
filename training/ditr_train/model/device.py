"""Where networks compute: the CPU or a CUDA device."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy.typing as npt
import torch
from torch import Tensor, nn

from ditr_train.config.model_config import ConfigError

DEVICES = ("auto", "cpu", "cuda")
CPU = torch.device("cpu")


def choose_device(name: str) -> torch.device:
    """The device of one of DEVICES; `auto` is CUDA where there is one.

    With CUDA, PyTorch is asked for algorithms that give the same result each time, so that a resumed training
    ends as an uninterrupted one. Raises ConfigError for `cuda` where there is none.
    """
    available = torch.cuda.is_available()
    if name == "cuda" and not available:
        raise ConfigError("--device cuda: PyTorch finds no CUDA device here; auto or cpu are possible")
    if name == "cpu" or not available:
        return CPU
    # cuBLAS is deterministic only with a workspace of fixed size, which it reads before its first call.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True, warn_only=True)
    return torch.device("cuda")


def device_of(network: nn.Module) -> torch.device:
    """Where a network's parameters are; the CPU if it has none."""
    parameter = next(network.parameters(), None)
    return CPU if parameter is None else parameter.device


def tensors_on(device: torch.device, arrays: Mapping[str, npt.NDArray[Any]]) -> dict[str, Tensor]:
    """The arrays by their names, on a device; on the CPU they share the arrays' memory. From pinned memory they are
    copied while the CPU goes on."""
    return {name: torch.from_numpy(values).to(device, non_blocking=True) for name, values in arrays.items()}
