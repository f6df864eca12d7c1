"""The paper's experiment: the same network from scratch, trained without labels and then fine-tuned, and fused, with
all and with few labels, several seeds each."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ditr_train.config.model_config import Config
from ditr_train.data.label_share import choose_labelled
from ditr_train.data.scans import LabeledScan
from ditr_train.data.stored_scans import scan_names
from ditr_train.engine.initialization import initialize
from ditr_train.engine.run_folder import RunFolder
from ditr_train.evaluation.segmentation import predict, score
from ditr_train.methods.frozen_encoder import keep_encoder
from ditr_train.methods.losses import class_counts
from ditr_train.methods.segmentation import Training
from ditr_train.model.device import CPU
from ditr_train.studies.comparison_origins import ComparisonData, Origins
from ditr_train.studies.comparison_table import METHODS, RARE, Method, Result


@dataclass(frozen=True)
class PlannedRun:
    """One network to train on labels."""

    method: Method
    label_share: float
    seed: int

    @property
    def name(self) -> str:
        return f"{self.method}-{100 * self.label_share:g}-seed{self.seed}"


@dataclass(frozen=True)
class Cost:
    """What the networks that are still to be trained will take."""

    kind: str
    runs: int
    steps: int
    """Of each."""
    seconds_per_step: float
    seconds_per_test: float
    """Of scoring one network."""

    @property
    def hours(self) -> float:
        return self.runs * (self.steps * self.seconds_per_step + self.seconds_per_test) / 3600


class Comparison:
    """Trains the planned networks, each in its own folder, going on where an earlier call was interrupted."""

    def __init__(
        self,
        config: Config,
        folder: Path,
        data: ComparisonData,
        plan: Sequence[PlannedRun],
        device: torch.device = CPU,
    ) -> None:
        if config.distillation is None or config.injection is None or config.image_encoder is None:
            raise ValueError("a comparison needs distillation, injection and image_encoder in the configuration")
        self.config = config
        self.folder = folder
        self.data = data
        self.plan = plan
        self.device = device
        self.origins = Origins(config, folder, data, device)

    def run(self, *, progress: bool) -> Iterator[Result]:
        """Yields the result of each planned network as soon as it is there."""
        rare = rare_classes(self.data.test, self.config)
        for planned in self.plan:
            run = RunFolder(self.folder / planned.name)
            config = self._training_config(planned)
            labelled = choose_labelled(self.data.scans, planned.label_share, planned.seed)
            run.create(config, resume=True)
            origin = self.origins.of(planned.method, planned.seed, progress=progress)
            run.describe_data(
                {
                    "scans": len(labelled),
                    **self.data.names,
                    "label_share": planned.label_share,
                    "label_seed": planned.seed,
                    "labelled_scans": scan_names(labelled) if planned.label_share < 1 else "all",
                    "initialized_from": origin.path.name if origin else "scratch",
                }
            )
            if not run.has("scores.json"):
                if planned.method == "fused":
                    keep_encoder(run, self.data.encoder, RunFolder(self.data.encoder_folder))
                training = Training(config, labelled, run, self.device)
                # With few labels there are still all the scans.
                training.statistics_source = self.data.scans
                self._train(training, origin, planned, progress=progress)
            yield _result(planned, len(labelled), run.read_json("scores.json"), rare)

    def estimate(self) -> list[Cost]:
        """Costs of what is left, from a few measured steps of each kind."""
        left = [planned for planned in self.plan if not RunFolder(self.folder / planned.name).has("scores.json")]
        costs = []
        with tempfile.TemporaryDirectory() as scratch:
            run = RunFolder(Path(scratch))
            seeds = {method: {planned.seed for planned in left if planned.method == method} for method in METHODS}
            for kind, count, loop in self.origins.left(seeds, run):
                costs.append(Cost(kind, count, loop.settings.steps, loop.seconds_per_step(), 0.0))
            image_free = [method for method in METHODS if method != "fused"]
            for kind, methods in (("image-free training", image_free), ("fused training", ["fused"])):
                runs = [planned for planned in left if planned.method in methods]
                if not runs:
                    continue
                config = self._training_config(runs[0])
                training = Training(config, self.data.scans, run, self.device)
                per_step = training.seconds_per_step()
                per_test = _seconds_per_scan(training, self.data.test[:3], config) * len(self.data.test)
                # A fused network is scored with images and without.
                modes = 2 if config.injection is not None else 1
                costs.append(Cost(kind, len(runs), training.settings.steps, per_step, modes * per_test))
        return costs

    def _train(self, training: Training, origin: RunFolder | None, planned: PlannedRun, *, progress: bool) -> None:
        run = training.run
        if run.has("checkpoint.pt"):
            training.resume()
        elif origin is not None:
            weights = origin.weights()
            initialize(training.segmentor, weights, origin=str(origin.path), keep_head=False)
        training.fit([], progress=progress, description=planned.name)
        scores = score(training.segmentor, self.data.test, training.config, progress=progress)
        run.write_json("scores.json", scores)

    def _training_config(self, planned: PlannedRun) -> Config:
        settings = replace(self.config.training, seed=planned.seed)
        config = replace(self.config, training=settings).without_pretraining()
        if planned.method == "fused":
            return config
        return replace(config, injection=None, image_encoder=None, encoder_training=None)


def plan_runs(methods: Sequence[Method], label_shares: Sequence[float], seeds: Sequence[int]) -> list[PlannedRun]:
    """Seed by seed, so that a whole table with one seed is there as early as possible."""
    return [PlannedRun(method, share, seed) for seed, share, method in product(seeds, label_shares, methods)]


def _result(planned: PlannedRun, labelled_scans: int, scores: dict[str, Any], rare: Sequence[str]) -> Result:
    mode = "fused" if planned.method == "fused" else "image_free"
    seen = scores.get(f"{mode}_seen_points")
    iou: dict[str, float] = scores[mode]["iou"]
    rare_ious = [iou[name] for name in rare if name in iou]
    return Result(
        planned.method,
        planned.label_share,
        labelled_scans,
        planned.seed,
        scores[mode]["miou"],
        scores[mode]["accuracy"],
        seen["miou"] if seen else None,
        statistics.mean(rare_ious) if rare_ious else None,
    )


def rare_classes(scans: Sequence[LabeledScan], config: Config) -> list[str]:
    """Names of the classes that occur in the scans, but with less than RARE of their labelled points."""
    names = [entry.name for entry in config.classes]
    counts = sum((class_counts(scan.label, len(names)) for scan in scans), np.zeros(len(names)))
    return [name for name, count in zip(names, counts, strict=True) if 0 < count < RARE * counts.sum()]


def _seconds_per_scan(training: Training, scans: Sequence[LabeledScan], config: Config) -> float:
    start = time.perf_counter()
    for scan in scans:
        predict(training.segmentor, scan, config, fused=config.injection is not None)
    return (time.perf_counter() - start) / max(1, len(scans))
