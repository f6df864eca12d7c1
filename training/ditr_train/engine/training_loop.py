"""What every training on scans has in common: steps that can be repeated, checkpoints, a log."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from itertools import islice
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from ditr_train.config.training_config import OptimizationConfig
from ditr_train.data.joined_samples import join_samples
from ditr_train.data.scans import LabeledScan, ScanSample
from ditr_train.data.stored_scans import evenly_chosen, varied
from ditr_train.engine.distribution import start_distribution, statistics_of
from ditr_train.engine.prefetching import prefetched
from ditr_train.engine.run_folder import RunFolder
from ditr_train.engine.scan_order import ScanGroup, drawn
from ditr_train.engine.schedule import one_cycle, parameter_groups
from ditr_train.engine.weight_average import WeightAverage
from ditr_train.model.device import CPU
from ditr_train.model.recomputation import recompute_blocks

LogRow = dict[str, float | int | str]


class TrainingLoop(ABC):
    """A network with its optimizer; each step depends on the seed and its number alone, so that a resumed
    training takes the same steps as one that was not interrupted."""

    def __init__(
        self,
        network: nn.Module,
        settings: OptimizationConfig,
        scans: Sequence[LabeledScan],
        run: RunFolder,
        device: torch.device = CPU,
    ) -> None:
        if not scans:
            raise ValueError("there are no scans to train on")
        self.network = network.to(device)
        self.device = device
        self.settings = settings
        self.scans = scans
        self.statistics_source: Sequence[LabeledScan] = scans
        """What the statistics of batch normalization are taken from: no labels are needed for that."""
        self.groups: Sequence[ScanGroup] = ()
        """Of the scans, where they are not all to be seen equally often."""
        self.run = run
        self.mix = 0.0
        """Probability that a scan is shown together with another one (`AugmentationConfig.mix`)."""
        self.workers = 0
        """Processes that prepare samples; none: a thread does."""
        recompute_blocks(network, settings.recompute)
        self.optimizer = torch.optim.AdamW(self.parameter_groups(network), lr=settings.learning_rate, fused=True)
        self.scaler = torch.amp.GradScaler(device.type, enabled=settings.precision == "float16")
        """Of the loss; it does nothing in other precisions, whose gradients do not vanish."""
        self.factor = one_cycle(settings.steps, settings.warm_up, settings.final_learning_rate_scale)
        self.statistics_step = max(1, settings.steps - round(settings.fixed_statistics * settings.steps))
        """From this step on the statistics of batch normalization are constants."""
        self.distribution = start_distribution(device)
        self.distribution.share(settings.scans_per_step // settings.scans_per_pass)
        self.step = 0
        self.average = WeightAverage(network, settings.average_decay) if settings.average_decay else None
        self.best: float | None = None
        """The best merit of an evaluation so far."""

    def autocast(self) -> torch.autocast:
        """What the network computes a loss in: matrix products of half precision if the settings say so."""
        dtype = torch.float16 if self.settings.precision == "float16" else torch.bfloat16
        return torch.autocast(self.device.type, dtype, enabled=self.settings.precision != "float32")

    def parameter_groups(self, network: nn.Module) -> list[dict[str, Any]]:
        """Of the optimizer, as schedule.parameter_groups; what is in none is not trained."""
        return parameter_groups(network, self.settings.weight_decay, self.settings.block_learning_rate_scale)

    @abstractmethod
    def augmented(self, scan: LabeledScan, rng: np.random.Generator) -> LabeledScan:
        """A scan as augmentation changes it; all randomness comes from `rng`. Without images if none are to be used."""

    @abstractmethod
    def sample(self, scan: LabeledScan, rng: np.random.Generator) -> ScanSample:
        """What the network sees of an augmented scan."""

    def prepare(self, scan: LabeledScan, rng: np.random.Generator) -> ScanSample:
        """An augmented scan as the network sees it."""
        return self.sample(self.augmented(scan, rng), rng)

    @abstractmethod
    def loss_of(self, sample: ScanSample) -> Tensor:
        """Scalar loss of the scans of one forward pass."""

    @abstractmethod
    def evaluation_row(self, validation: Sequence[LabeledScan]) -> LogRow:
        """What a log row says about the validation scans, which may be none."""

    def resume(self) -> None:
        """Goes on from the run's checkpoint."""
        state = self.run.load("checkpoint.pt")
        self.network.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step = state["step"]
        self.best = state.get("best")
        self.scaler.load_state_dict(state.get("scaler", self.scaler.state_dict()))
        if self.average is not None:
            self.average.load(state["average"])
        # A kill between a log row and its checkpoint leaves a row that will be written again.
        self.run.cut_log(self.step)

    def save(self) -> None:
        """Writes the checkpoint."""
        state = {
            "model": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "best": self.best,
        }
        if self.scaler.is_enabled():
            state["scaler"] = self.scaler.state_dict()
        self.run.save("checkpoint.pt", state | ({} if self.average is None else {"average": self.average.state}))

    def merit(self, row: LogRow) -> float | None:
        """What of an evaluation says how good the network is; None: nothing does."""
        return None

    def fit(self, validation: Sequence[LabeledScan], *, progress: bool, description: str = "training") -> None:
        """Trains to the configured number of steps, evaluating and saving on the way; the network then has the
        average of the weights if there is one."""
        settings = self.settings
        watched = evenly_chosen(validation, settings.evaluate_scans)
        bar = tqdm(
            total=settings.steps,
            initial=self.step,
            desc=description,
            unit="step",
            disable=not (progress and self.distribution.first),
        )
        losses: list[float] = []
        for samples in self._prefetched():
            losses.append(self.take_step(samples))
            bar.update()
            bar.set_postfix(loss=f"{np.mean(losses[-20:]):.3f}")
            if self.step == self.statistics_step:
                self._take_statistics()
            if self.step % settings.evaluate_every == 0 or self.step == settings.steps:
                row: LogRow = {"step": self.step, "loss": round(float(np.mean(losses)), 4)}
                self.run.append_log(row | self._evaluate(watched))
                losses = []
                self.save()
        bar.close()
        if self.average is not None:
            self.network.load_state_dict(self.average.state)

    def _evaluate(self, validation: Sequence[LabeledScan]) -> LogRow:
        """Evaluates the network, or the average, and keeps it if it is the best so far."""
        if not self.distribution.first:
            return {}
        with nullcontext() if self.average is None else self.average.applied():
            row = self.evaluation_row(validation)
            merit = self.merit(row)
            if merit is not None and (self.best is None or merit > self.best):
                self.best = merit
                self.run.save("best.pt", {"model": self.network.state_dict(), "step": self.step, "merit": merit})
        return row

    def seconds_per_step(self, steps: int = 8) -> float:
        """Measured over a few steps after a first one; the network and the optimizer are changed by it."""
        taken = []
        for samples in islice(self._prefetched(), steps + 1):
            self.take_step(samples)
            taken.append(time.perf_counter())
        return (taken[-1] - taken[0]) / (len(taken) - 1) if len(taken) > 1 else 0.0

    def take_step(self, samples: list[ScanSample]) -> float:
        """One step on what `samples_of` gave; returns the loss."""
        settings = self.settings
        self.network.train()
        if self.step >= self.statistics_step:
            for norm in self._learning_norms():
                norm.eval()
        norms = self._learning_norms()
        before = [statistics_of(norm) for norm in norms] if self.distribution.size > 1 else []
        passes = settings.scans_per_step // settings.scans_per_pass
        for group in self.optimizer.param_groups:
            group["lr"] = settings.learning_rate * self.factor(self.step) * group.get("scale", 1.0)
        self.optimizer.zero_grad()
        total = 0.0
        for number, sample in zip(self.distribution.share(passes), samples, strict=True):
            # By pass, so that the network's own randomness does not depend on who takes it.
            torch.manual_seed(settings.seed * 1_000_003 + self.step + number * 1_000_000_007)
            loss = self.loss_of(sample) / passes
            self.scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
            total += loss.item()
        total = self.distribution.sum(total, self.device)
        if not np.isfinite(total):
            raise FloatingPointError(f"the loss of step {self.step} is {total}; lower the learning rate")
        self.distribution.sum_gradients(self.network.parameters())
        self.distribution.join_statistics(norms, before)
        self.scaler.unscale_(self.optimizer)
        if settings.gradient_clip:
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), settings.gradient_clip)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.step += 1
        if self.average is not None:
            self.average.update(self.step)
        return total

    def _take_statistics(self) -> None:
        """Sets the statistics of batch normalization to their mean over the samples that further steps would have."""
        scans = self.settings.statistics_scans
        if scans == 0:
            return
        self.network.train()
        norms = self._learning_norms()
        momenta = [norm.momentum for norm in norms]
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum = None  # the plain mean
        torch.manual_seed(self.settings.seed * 1_000_003 + self.step)
        step, taken = self.settings.steps, 0
        with torch.no_grad():
            while taken < scans:
                for sample in self._samples(step, self.statistics_source):
                    self.loss_of(sample)
                    taken += self.settings.scans_per_pass
                step += 1
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum

    def _learning_norms(self) -> list[nn.BatchNorm1d]:
        """Those in training mode: a frozen teacher stays in evaluation mode."""
        return [m for m in self.network.modules() if isinstance(m, nn.BatchNorm1d) and m.training]

    def _samples(self, step: int, scans: Sequence[LabeledScan], slots: range | None = None) -> list[ScanSample]:
        """One for each forward pass of a step, or of those of its scans that are named."""
        settings = self.settings
        samples = []
        for slot in slots or range(settings.scans_per_step):
            rng = np.random.default_rng([settings.seed, 2, step, slot])
            scan = self.augmented(self._drawn(scans, step, slot, stream=1), rng)
            mixing = np.random.default_rng([settings.seed, 6, step, slot])
            if mixing.uniform() < self.mix:
                other = self._drawn(scans, step, slot, stream=5)
                scan = scan.joined_with(self.augmented(other, mixing))
            samples.append(self.sample(scan, rng))
        together = settings.scans_per_pass
        return [join_samples(samples[first : first + together]) for first in range(0, len(samples), together)]

    def _drawn(self, scans: Sequence[LabeledScan], step: int, slot: int, *, stream: int) -> LabeledScan:
        """The scan of a slot of a step; each stream of draws has an order of its own."""
        groups = self.groups if scans is self.scans else ()
        draw = step * self.settings.scans_per_step + slot
        index = drawn(draw, len(scans), (self.settings.seed, stream), groups)
        return varied(scans, index, np.random.default_rng([self.settings.seed, 100 + stream, step, slot]))

    def _prefetched(self) -> Iterator[list[ScanSample]]:
        """Samples of the steps that are left."""
        steps = range(self.step, self.settings.steps)
        return prefetched(self.samples_of, steps, self.workers, pinned=self.device.type == "cuda")

    def samples_of(self, step: int) -> list[ScanSample]:
        """Of the passes of a step that are this process's."""
        settings = self.settings
        passes = self.distribution.share(settings.scans_per_step // settings.scans_per_pass)
        slots = range(passes.start * settings.scans_per_pass, passes.stop * settings.scans_per_pass)
        return self._samples(step, self.scans, slots)
