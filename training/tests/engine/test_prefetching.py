"""What a process prepares arrives as a thread would give it."""

import dataclasses

import numpy as np
import pytest
import torch

from ditr_train.data.candidate_labels import CandidateLabels
from ditr_train.data.scans import ScanSample
from ditr_train.engine.prefetching import prefetched

needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")


def sample(step, *, candidates):
    rng = np.random.default_rng(step)
    known = CandidateLabels(
        rng.random((2, 5)) < 0.5, rng.integers(2, size=(6, 1)).astype(np.int32), np.ones((6, 1), "f4")
    )
    return ScanSample(
        {"feat": rng.random((6, 4), np.float32), "empty": np.zeros((0, 3), np.int32)},
        rng.integers(-1, 5, 6),
        rng.integers(6, size=9).astype(np.int32),
        np.arange(6, dtype=np.int32),
        known if candidates else None,
    )


def arrays(value):
    """All arrays of a sample by the path to them, and what else it holds."""
    if dataclasses.is_dataclass(value):
        value = {each.name: getattr(value, each.name) for each in dataclasses.fields(value)}
    if not isinstance(value, dict):
        return {"": value}
    return {f"{name}/{rest}": each for name, found in value.items() for rest, each in arrays(found).items()}


def samples_of(step):
    return [sample(step, candidates=False), sample(step + 100, candidates=True)]


def test_a_thread_pins_all_arrays_for_a_cuda_device(monkeypatch):
    pinned = []

    def pin(tensor):
        pinned.append(tensor.clone())
        return pinned[-1]

    monkeypatch.setattr(torch.Tensor, "pin_memory", pin)
    (found,) = prefetched(samples_of, range(3, 4), 0, pinned=True)
    addresses = {tensor.data_ptr() for tensor in pinned if tensor.numel()}
    for one, other in zip(found, samples_of(3), strict=True):
        given, wanted = arrays(one), arrays(other)
        for name, values in wanted.items():
            np.testing.assert_array_equal(given[name], values)
            assert values is None or values.size == 0 or given[name].ctypes.data in addresses


@needs_cuda
@pytest.mark.parametrize("workers", [0, 2])
def test_what_is_pinned_is_copied_without_waiting(workers):
    for samples in prefetched(samples_of, range(3), workers, pinned=True):
        assert all(
            torch.from_numpy(values).is_pinned() for one in samples for values in (one.inputs["feat"], one.label)
        )


def test_whatever_a_sample_holds():
    found = {workers: list(prefetched(samples_of, range(3, 8), workers)) for workers in (0, 2)}
    assert len(found[0]) == len(found[2]) == 5
    for of_thread, of_processes in zip(found[0], found[2], strict=True):
        for one, other in zip(of_thread, of_processes, strict=True):
            wanted, given = arrays(one), arrays(other)
            assert wanted.keys() == given.keys() and len(wanted) in (7, 9)
            for name, values in wanted.items():
                np.testing.assert_array_equal(given[name], values)
                assert values is None or given[name].dtype == values.dtype
