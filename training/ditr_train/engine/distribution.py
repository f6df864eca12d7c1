"""A training on several devices or machines, each a process that torchrun started."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

import torch
import torch.distributed as dist
from torch import Tensor, nn

_PATIENCE = timedelta(hours=6)
"""How long the others wait for the first process, which alone evaluates."""


@dataclass(frozen=True)
class Distribution:
    """Which of how many processes this is. All have the same weights; each takes its share of the passes of a step."""

    rank: int = 0
    size: int = 1

    @property
    def first(self) -> bool:
        """Does this process evaluate, and write the run folder?"""
        return self.rank == 0

    def share(self, passes: int) -> range:
        """The passes of a step that are this process's. Raises ValueError where they cannot be shared out."""
        if passes % self.size:
            raise ValueError(f"{passes} passes of a step cannot be shared out among {self.size} processes")
        own = passes // self.size
        return range(self.rank * own, (self.rank + 1) * own)

    def sum_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Each parameter's gradient becomes the sum over the processes; one that none has stays without."""
        if self.size == 1:
            return
        parameters = list(parameters)
        present = torch.tensor([float(p.grad is not None) for p in parameters], device=parameters[0].device)
        dist.all_reduce(present, dist.ReduceOp.MAX)
        learning = [p for p, found in zip(parameters, present.tolist(), strict=True) if found]
        flat = torch.cat([(torch.zeros_like(p) if p.grad is None else p.grad).reshape(-1) for p in learning])
        dist.all_reduce(flat)
        for parameter, values in zip(learning, torch.split(flat, [p.numel() for p in learning]), strict=True):
            parameter.grad = values.view_as(parameter).clone()

    def sum(self, value: float, device: torch.device) -> float:
        """Over the processes."""
        if self.size == 1:
            return value
        total = torch.tensor(value, dtype=torch.float64, device=device)
        dist.all_reduce(total)
        return total.item()

    def join_statistics(self, norms: Sequence[nn.BatchNorm1d], before: Sequence[Statistics]) -> None:
        """Running statistics become what they would be if one process had taken all passes in their order.

        n passes leave (1 - momentum)^n of what was before, so what each process added since `before` is known, and
        fades by the passes of the processes after it.
        """
        if self.size == 1 or not norms:
            return
        now = [statistics_of(norm) for norm in norms]
        own = torch.tensor([n.passes - b.passes for n, b in zip(now, before, strict=True)], device=now[0].mean.device)
        gathered = [torch.zeros_like(own) for _ in range(self.size)]
        dist.all_gather(gathered, own)
        passes = torch.stack(gathered)
        later, total = passes[self.rank + 1 :].sum(0).tolist(), passes.sum(0).tolist()
        left = [1 - (norm.momentum or 0.0) for norm in norms]
        added = []
        for i, (old, new) in enumerate(zip(before, now, strict=True)):
            kept, fading = left[i] ** int(own[i]), left[i] ** later[i]
            added += [(new.mean - kept * old.mean) * fading, (new.variance - kept * old.variance) * fading]
        flat = torch.cat(added)
        dist.all_reduce(flat)
        parts = iter(torch.split(flat, [len(values) for values in added]))
        for i, (norm, old) in enumerate(zip(norms, before, strict=True)):
            assert norm.running_mean is not None and norm.running_var is not None
            assert norm.num_batches_tracked is not None
            norm.running_mean.copy_(left[i] ** total[i] * old.mean + next(parts))
            norm.running_var.copy_(left[i] ** total[i] * old.variance + next(parts))
            norm.num_batches_tracked.fill_(old.passes + total[i])


@dataclass(frozen=True)
class Statistics:
    """Running statistics of a batch normalization."""

    mean: Tensor
    variance: Tensor
    passes: int
    """That they were taken from."""


def statistics_of(norm: nn.BatchNorm1d) -> Statistics:
    """A copy of them."""
    assert norm.running_mean is not None and norm.running_var is not None and norm.num_batches_tracked is not None
    return Statistics(norm.running_mean.clone(), norm.running_var.clone(), int(norm.num_batches_tracked))


def start_distribution(device: torch.device) -> Distribution:
    """Joins the processes that torchrun started, by NCCL on CUDA devices and by gloo on CPUs; alone without it."""
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        return Distribution()
    if not dist.is_initialized():
        if device.type == "cuda":
            torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
        dist.init_process_group("nccl" if device.type == "cuda" else "gloo", timeout=_PATIENCE)
    return Distribution(dist.get_rank(), size)
