"""Supervised training of the segmentation network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from tqdm import tqdm

from ditr_train.config import Config, ConfigError
from ditr_train.data.augmentation import augment
from ditr_train.data.scans import IGNORED, LabeledScan, ScanSample, make_sample
from ditr_train.evaluation import evaluate
from ditr_train.losses import class_counts, class_weights, lovasz_softmax
from ditr_train.model.segmentor import Segmentor
from ditr_train.run_folder import RunFolder
from ditr_train.schedule import decayed_and_not, one_cycle


class Training:
    """A network with its optimizer; each step depends on the seed and its number alone, so that a resumed
    training takes the same steps as one that was not interrupted."""

    def __init__(self, config: Config, scans: Sequence[LabeledScan], run: RunFolder) -> None:
        if not scans:
            raise ValueError("there are no scans to train on")
        self.config = config
        self.scans = scans
        self.run = run
        torch.manual_seed(config.training.seed)
        self.segmentor = Segmentor(config)
        decayed, plain = decayed_and_not(self.segmentor)
        self.optimizer = torch.optim.AdamW(
            [
                {"params": decayed, "weight_decay": config.training.weight_decay},
                {"params": plain, "weight_decay": 0.0},
            ],
            lr=config.training.learning_rate,
        )
        self.factor = one_cycle(config.training.steps, config.training.warm_up)
        counts = sum(class_counts(scan.label, len(config.classes)) for scan in scans)
        self.class_weights = class_weights(counts, config.training.class_weight_power)
        self.step = 0

    def resume(self) -> None:
        """Goes on from the run's checkpoint."""
        state = self.run.load("checkpoint.pt")
        self.segmentor.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step = state["step"]

    def initialize(self, source: RunFolder) -> None:
        """Starts from the weights of another run with the same architecture."""
        try:
            self.segmentor.load_state_dict(source.load("checkpoint.pt")["model"])
        except RuntimeError as error:
            raise ConfigError(f"{source.path}: its network is not the configuration's: {error}") from error

    def fit(self, validation: Sequence[LabeledScan], *, progress: bool) -> None:
        """Trains to the configured number of steps, evaluating and saving on the way."""
        settings = self.config.training
        bar = tqdm(total=settings.steps, initial=self.step, desc="training", unit="step", disable=not progress)
        losses: list[float] = []
        for samples in self._prefetched():
            losses.append(self._take_step(samples))
            bar.update()
            bar.set_postfix(loss=f"{np.mean(losses[-20:]):.3f}")
            if self.step % settings.evaluate_every == 0 or self.step == settings.steps:
                self._log(losses, validation)
                losses = []
                self.save()
        bar.close()

    def save(self) -> None:
        """Writes the checkpoint."""
        self.run.save(
            "checkpoint.pt",
            {
                "model": self.segmentor.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "step": self.step,
            },
        )

    def _take_step(self, samples: list[ScanSample]) -> float:
        settings = self.config.training
        self.segmentor.train()
        torch.manual_seed(settings.seed * 1_000_003 + self.step)
        for group in self.optimizer.param_groups:
            group["lr"] = settings.learning_rate * self.factor(self.step)
        self.optimizer.zero_grad()
        total = 0.0
        for sample in samples:
            logits = self.segmentor({name: torch.from_numpy(value) for name, value in sample.inputs.items()})
            loss = self.loss(logits, torch.from_numpy(sample.label)) / len(samples)
            loss.backward()  # type: ignore[no-untyped-call]
            total += loss.item()
        if not np.isfinite(total):
            raise FloatingPointError(f"the loss of step {self.step} is {total}; lower the learning rate")
        torch.nn.utils.clip_grad_norm_(self.segmentor.parameters(), settings.gradient_clip)
        self.optimizer.step()
        self.step += 1
        return total

    def loss(self, logits: Tensor, label: Tensor) -> Tensor:
        """Weighted cross-entropy plus Lovasz-softmax over the labelled voxels."""
        known = label != IGNORED
        if not known.any():
            return logits.sum() * 0
        logits, label = logits[known], label[known]
        loss = F.cross_entropy(logits, label, self.class_weights)
        weight = self.config.training.lovasz_weight
        return loss + weight * lovasz_softmax(logits.softmax(-1), label) if weight else loss

    def _samples(self, step: int) -> list[ScanSample]:
        settings = self.config.training
        samples = []
        for slot in range(settings.scans_per_step):
            epoch, place = divmod(step * settings.scans_per_step + slot, len(self.scans))
            order = np.random.default_rng([settings.seed, 1, epoch]).permutation(len(self.scans))
            rng = np.random.default_rng([settings.seed, 2, step, slot])
            fused = self.config.injection is not None and rng.uniform() >= settings.augmentation.image_drop
            scan = augment(self.scans[order[place]], settings.augmentation, rng, fused=fused)
            samples.append(make_sample(scan, self.config, fused=fused))
        return samples

    def _prefetched(self) -> Iterator[list[ScanSample]]:
        """Samples of the steps that are left, each prepared while the step before is taken."""
        last = self.config.training.steps
        with ThreadPoolExecutor(1) as pool:
            upcoming: Future[list[ScanSample]] | None = None
            for step in range(self.step, last):
                current = upcoming or pool.submit(self._samples, step)
                samples = current.result()
                upcoming = pool.submit(self._samples, step + 1) if step + 1 < last else None
                yield samples

    def _log(self, losses: list[float], validation: Sequence[LabeledScan]) -> None:
        row: dict[str, float | int | str] = {"step": self.step, "loss": round(float(np.mean(losses)), 4)}
        for mode in ("fused", "image_free"):
            row[f"{mode}_miou"] = ""
            if validation and (mode == "image_free" or self.config.injection is not None):
                result = evaluate(self.segmentor, validation, self.config, fused=mode == "fused")
                row[f"{mode}_miou"] = round(result.all_points.miou(), 4)
        self.run.append_log(row)
