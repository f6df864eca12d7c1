"""How long a training will take: measured over a few steps on this machine, and from its work on another one."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from torch import nn

from ditr_train.config.training_config import OptimizationConfig
from ditr_train.data.remembered_encoder import RememberedEncoder
from ditr_train.data.scans import LabeledScan
from ditr_train.data.stored_scans import evenly_chosen
from ditr_train.engine.training_loop import TrainingLoop
from ditr_train.engine.work_counter import WorkCounter


@dataclass(frozen=True)
class Work:
    """What one forward and backward pass, or a scan of an evaluation, takes."""

    preparation: float
    """Processor seconds: reading, augmenting, voxelizing, without the image encoder."""
    flops: float
    operators: float
    """Of the 3D network and the optimizer."""
    encoder_flops: float
    """Of the image encoder, where features are computed on the way."""


@dataclass(frozen=True)
class Measurement:
    """Of one training on this machine."""

    pass_seconds: float
    """From pass to pass, with prefetching; each was a step of its own, with its share of the optimizer's work."""
    one_pass: Work
    evaluation_seconds: float
    """Of a scan."""
    evaluation: Work
    parameters: int


@dataclass(frozen=True)
class Accelerator:
    """What is assumed of a device that is not at hand."""

    name: str
    flops_per_second: float
    seconds_per_operator: float
    processes: int
    """That prepare scans for one device, each as fast as one core of this machine."""
    bytes_per_second: float
    """At which devices add up their gradients."""

    def __str__(self) -> str:
        return (
            f"{self.flops_per_second / 1e12:g} TFLOP/s, {1e6 * self.seconds_per_operator:g} us for each operator (the "
            f"slower of both counts), {self.processes} processes that prepare scans, each as fast as one core here, "
            f"gradients added up at {self.bytes_per_second / 1e9:g} GB/s"
        )


H100 = Accelerator("H100", 15e12, 10e-6, 16, 100e9)
"""Assumed, not measured: docs/training-time.md says where each number comes from."""


@dataclass(frozen=True)
class Duration:
    """Seconds of a whole training."""

    training: float
    evaluation: float
    encoding: float = 0.0
    """Of the images: each once, or anew for each scan that is shown where augmentation varies them."""

    @property
    def total(self) -> float:
        return self.training + self.evaluation + self.encoding


@dataclass(frozen=True)
class Plan:
    """What a training does."""

    settings: OptimizationConfig
    scans: int
    validation: int
    mix: float = 0.0
    """Scans that are shown beside each, on average."""
    varied: bool = False
    """Are images encoded anew for each scan that is shown, because augmentation varies them?"""

    @property
    def evaluations(self) -> int:
        """On the way."""
        return -(-self.settings.steps // self.settings.evaluate_every)

    @property
    def watched(self) -> int:
        """Scans of an evaluation on the way; at the end it is all."""
        return min(self.settings.evaluate_scans or self.validation, self.validation)

    @property
    def evaluated(self) -> int:
        return self.evaluations * self.watched + self.validation

    @property
    def passes(self) -> int:
        """Of a step."""
        return self.settings.scans_per_step // self.settings.scans_per_pass

    @property
    def steps(self) -> float:
        """Those that learn, and what only takes statistics, which counts as much."""
        return self.settings.steps + self.settings.statistics_scans / self.settings.scans_per_step

    def here(self, measured: Measurement) -> Duration:
        training = self.steps * self.passes * measured.pass_seconds
        return Duration(training, self.evaluated * measured.evaluation_seconds)

    def devices(self, most: int) -> int:
        """As many devices, at most, as the passes of a step can be shared out among."""
        return max(count for count in range(1, most + 1) if self.passes % count == 0)

    def on(self, device: Accelerator, count: int, measured: Measurement) -> Duration:
        """On that many devices, each with its share of the passes of a step."""

        def seconds(work: Work) -> float:
            return max(work.flops / device.flops_per_second, work.operators * device.seconds_per_operator)

        # In a ring each device sends every gradient of 4 bytes twice, less one part in `count`.
        adding = 8 * measured.parameters * (1 - 1 / count) / device.bytes_per_second
        own = self.passes / count
        step = max(own * seconds(measured.one_pass) + adding, own * measured.one_pass.preparation / device.processes)
        evaluation = max(measured.evaluation.preparation, seconds(measured.evaluation))
        in_pass = measured.one_pass.encoder_flops
        per_scan = in_pass / self.settings.scans_per_pass / (1 + self.mix)
        learned = self.steps * own * in_pass if self.varied else self.scans * per_scan
        encoding = (learned + self.validation * per_scan) / device.flops_per_second
        return Duration(self.steps * step, self.evaluated * evaluation, encoding)


def measure(
    loop: TrainingLoop, validation: Sequence[LabeledScan], encoder: nn.Module | None, *, passes: int
) -> Measurement:
    """Takes so many passes twice, and evaluates so many scans twice; the network, the optimizer and the settings of the
    loop are changed by it. `encoder` is what computes image features while scans are read."""
    together = loop.settings.scans_per_pass
    loop.settings = replace(loop.settings, scans_per_step=together)
    pass_seconds = loop.seconds_per_step(passes)
    with WorkCounter() as counted, _timed(encoder) as encoding:
        started = time.thread_time()
        prepared = [loop.samples_of(loop.settings.steps + i) for i in range(passes)]
        preparation = (time.thread_time() - started - sum(encoding)) / passes
    encoder_flops = counted.flops / passes
    with WorkCounter() as counted:
        for samples in prepared:
            loop.take_step(samples)
    one_pass = Work(preparation, counted.flops / passes, counted.operators / passes, encoder_flops)
    parameters = sum(each.numel() for each in loop.network.parameters())
    chosen = evenly_chosen(validation, passes)
    if not chosen:
        return Measurement(pass_seconds, one_pass, 0.0, Work(0.0, 0.0, 0.0, 0.0), parameters)
    started = time.perf_counter()
    read = list(chosen)
    loop.evaluation_row(read)
    seconds = (time.perf_counter() - started) / len(read)
    with WorkCounter() as counted:  # scans that are read already: their images are not encoded again
        loop.evaluation_row(read)
    evaluation = Work(
        preparation / together, counted.flops / len(read), counted.operators / len(read), encoder_flops / together
    )
    return Measurement(pass_seconds, one_pass, seconds, evaluation, parameters)


@contextmanager
def _timed(module: nn.Module | None) -> Iterator[list[float]]:
    """Processor seconds that this thread spends on each call of the module in this context."""
    taken: list[float] = []
    if isinstance(module, RememberedEncoder):
        module = module.encoder  # which is asked directly where nothing is to be kept
    if module is None:
        yield taken
        return
    begun: list[float] = []

    def before(*_: Any) -> None:
        begun.append(time.thread_time())

    def after(*_: Any) -> None:
        taken.append(time.thread_time() - begun.pop())

    hooks = [module.register_forward_pre_hook(before), module.register_forward_hook(after)]
    try:
        yield taken
    finally:
        for hook in hooks:
            hook.remove()
