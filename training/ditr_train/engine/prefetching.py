"""Samples of the next steps, prepared while a step is taken: in a thread, or in processes of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from ditr_train.data.errors import DataError
from ditr_train.data.scans import ScanSample

SamplesOf = Callable[[int], list[ScanSample]]
"""Makes the samples of a step; the number of the step is all that it depends on."""

_AHEAD = 2
"""Steps that each process is ahead at most: with the samples of a step, what bounds the memory."""


def prefetched(samples_of: SamplesOf, steps: range, workers: int) -> Iterator[list[ScanSample]]:
    """The samples of the steps, in their order and the same whatever the number of worker processes; 0 is one thread
    of this process. Raises DataError as `samples_of` does."""
    return _by_processes(samples_of, steps, workers) if workers else _by_thread(samples_of, steps)


def _by_thread(samples_of: SamplesOf, steps: range) -> Iterator[list[ScanSample]]:
    with ThreadPoolExecutor(1) as pool:
        upcoming: Future[list[ScanSample]] | None = None
        for step in steps:
            current = upcoming or pool.submit(samples_of, step)
            samples = current.result()
            upcoming = pool.submit(samples_of, step + 1) if step + 1 in steps else None
            yield samples


def _by_processes(samples_of: SamplesOf, steps: range, workers: int) -> Iterator[list[ScanSample]]:
    # Forked, so that scans in memory are shared and nothing has to be pickled on the way there.
    loader: DataLoader[Any] = DataLoader(
        _Steps(samples_of),
        sampler=steps,
        batch_size=None,
        num_workers=workers,
        prefetch_factor=_AHEAD,
        collate_fn=_as_it_is,
        multiprocessing_context="fork",
    )
    for made in loader:
        if isinstance(made, DataError):
            raise made
        yield [_sample(*tensors) for tensors in made]


_Tensors = tuple[dict[str, Tensor], Tensor, Tensor, Tensor]
"""A sample as it comes from a process: tensors are in shared memory, arrays would be copied through a pipe."""


class _Steps(Dataset[Any]):
    def __init__(self, samples_of: SamplesOf) -> None:
        self.samples_of = samples_of

    def __getitem__(self, step: int) -> list[_Tensors] | DataError:
        try:
            return [_tensors(sample) for sample in self.samples_of(step)]
        except DataError as error:
            return error  # raised there: torch would put a traceback into its one sentence


def _as_it_is(made: Any) -> Any:
    return made


def _tensors(sample: ScanSample) -> _Tensors:
    inputs = {name: torch.from_numpy(values) for name, values in sample.inputs.items()}
    arrays = (sample.label, sample.point_to_voxel, sample.representative)
    label, point_to_voxel, representative = (torch.from_numpy(values) for values in arrays)
    return inputs, label, point_to_voxel, representative


def _sample(inputs: dict[str, Tensor], label: Tensor, point_to_voxel: Tensor, representative: Tensor) -> ScanSample:
    arrays = {name: values.numpy() for name, values in inputs.items()}
    return ScanSample(arrays, label.numpy(), point_to_voxel.numpy(), representative.numpy())
