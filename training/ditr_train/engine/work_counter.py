"""How much work a network is, whatever it runs on: operators, and floating point operations of the large ones."""

from __future__ import annotations

from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry, sdpa_backward_flop_count, sdpa_flop_count

_ATTENTION = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
_ATTENTION_BACKWARD = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward


class WorkCounter(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts what this thread runs in the context, backward passes too.

    `flops` are those of matrix products, convolutions and attention (torch.utils.flop_counter, a multiplication with
    its addition counts two); what else there is moves memory.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.operators = 0
        self.flops = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        self.operators += 1
        packet = func._overloadpacket
        if packet in flop_registry:
            self.flops += flop_registry[packet](*args, **(kwargs or {}), out_val=result)
        elif packet is _ATTENTION:  # which the registry does not know
            self.flops += sdpa_flop_count(*(each.shape for each in args[:3]))  # type: ignore[no-untyped-call]
        elif packet is _ATTENTION_BACKWARD:
            self.flops += sdpa_backward_flop_count(*(each.shape for each in args[:4]))  # type: ignore[no-untyped-call]
        return result
