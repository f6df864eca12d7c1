"""Samples of the next steps, prepared while a step is taken: in a thread, or in processes of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, TypeVar

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from ditr_train.data.errors import DataError
from ditr_train.data.scans import ScanSample

SamplesOf = Callable[[int], list[ScanSample]]
"""Makes the samples of a step; the number of the step is all that it depends on."""

_Made = TypeVar("_Made")

_AHEAD = 2
"""Steps that each process is ahead at most: with the samples of a step, what bounds the memory."""


def prefetched(
    samples_of: SamplesOf, steps: range, workers: int, *, pinned: bool = False
) -> Iterator[list[ScanSample]]:
    """The samples of the steps, in their order and the same whatever the number of worker processes; 0 is one thread
    of this process. `pinned` ones lie in memory from which a CUDA device copies while the CPU goes on.

    Raises DataError as `samples_of` does.
    """
    if workers:
        return _by_processes(samples_of, steps, workers, pinned=pinned)
    return made_ahead((lambda step: _pinned(samples_of(step))) if pinned else samples_of, steps)


def made_ahead(make: Callable[[int], _Made], numbers: range) -> Iterator[_Made]:
    """What `make` gives for each number, in a thread that is one ahead."""
    with ThreadPoolExecutor(1) as pool:
        upcoming: Future[_Made] | None = None
        for number in numbers:
            current = upcoming or pool.submit(make, number)
            made = current.result()
            upcoming = pool.submit(make, number + 1) if number + 1 in numbers else None
            yield made


def _by_processes(samples_of: SamplesOf, steps: range, workers: int, *, pinned: bool) -> Iterator[list[ScanSample]]:
    # Forked, so that scans in memory are shared and nothing has to be pickled on the way there.
    loader: DataLoader[Any] = DataLoader(
        _Steps(samples_of),
        sampler=steps,
        batch_size=None,
        num_workers=workers,
        prefetch_factor=_AHEAD,
        collate_fn=_as_it_is,
        pin_memory=pinned,
        multiprocessing_context="fork",
    )
    for made in loader:
        if isinstance(made, DataError):
            raise made
        yield _with_arrays(made)


class _Steps(Dataset[Any]):
    def __init__(self, samples_of: SamplesOf) -> None:
        self.samples_of = samples_of

    def __getitem__(self, step: int) -> Any:
        try:
            return _with_tensors(self.samples_of(step))
        except DataError as error:
            return error  # raised there: torch would put a traceback into its one sentence


def _pinned(samples: list[ScanSample]) -> list[ScanSample]:
    pinned: list[ScanSample] = _with_arrays(_pin(_with_tensors(samples)))
    return pinned


def _as_it_is(made: Any) -> Any:
    return made


@dataclass(frozen=True)
class _Parts:
    """A dataclass of arrays on its way from a process."""

    kind: type
    values: dict[str, Any]

    def pin_memory(self) -> _Parts:
        """What DataLoader asks for with pin_memory."""
        return _Parts(self.kind, _pin(self.values))


def _pin(value: Any) -> Any:
    if isinstance(value, torch.Tensor | _Parts):
        return value.pin_memory()
    if isinstance(value, list):
        return [_pin(each) for each in value]
    if isinstance(value, dict):
        return {name: _pin(each) for name, each in value.items()}
    return value


def _with_tensors(value: Any) -> Any:
    """Samples as they come from a process: tensors are in shared memory, arrays would be copied through a pipe."""
    if isinstance(value, np.ndarray):
        return torch.from_numpy(value)
    if isinstance(value, list):
        return [_with_tensors(each) for each in value]
    if isinstance(value, dict):
        return {name: _with_tensors(each) for name, each in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        return _Parts(type(value), {each.name: _with_tensors(getattr(value, each.name)) for each in fields(value)})
    return value


def _with_arrays(value: Any) -> Any:
    """What `_with_tensors` was given."""
    if isinstance(value, torch.Tensor):
        return value.numpy()
    if isinstance(value, list):
        return [_with_arrays(each) for each in value]
    if isinstance(value, dict):
        return {name: _with_arrays(each) for name, each in value.items()}
    if isinstance(value, _Parts):
        return value.kind(**_with_arrays(value.values))
    return value
