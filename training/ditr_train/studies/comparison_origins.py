"""The networks without labels that those of a comparison start from, each trained once for a seed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ditr_train.config.model_config import Config, PretrainingName
from ditr_train.data.scans import LabeledScan
from ditr_train.engine.run_folder import RunFolder
from ditr_train.engine.training_loop import TrainingLoop
from ditr_train.methods.distillation import Distillation
from ditr_train.methods.masked_tokens import MaskedTokenPrediction, Teacher
from ditr_train.methods.pretraining import Pretraining
from ditr_train.methods.region_distillation import RegionDistillation
from ditr_train.model.device import CPU
from ditr_train.studies.comparison_table import Method


@dataclass(frozen=True)
class ComparisonData:
    """What all networks of a comparison share."""

    scans: Sequence[LabeledScan]
    """With labels and, where a camera was near in time, image features."""
    distillable: Sequence[LabeledScan]
    """Those of the scans, and of the unlabelled ones, of which a camera sees points, with the features that a
    distillation learns."""
    distillable_test: Sequence[LabeledScan]
    """The same of the test scans."""
    regional: Sequence[LabeledScan]
    """The same of points that lie in regions of images; none where regions were not asked for."""
    test: Sequence[LabeledScan]
    encoder: nn.Module
    encoder_folder: Path
    names: dict[str, Any]
    """Names of the bags, for data.json."""
    regions: str = ""
    """Where the regions come from, for data.json."""
    unlabelled: Sequence[str] = ()
    """Names of the bags that only trainings without labels use, for data.json."""


class Origins:
    """Trains them, each in its own folder, going on where an earlier call was interrupted."""

    def __init__(self, config: Config, folder: Path, data: ComparisonData, device: torch.device = CPU) -> None:
        self.config = config
        self.folder = folder
        self.data = data
        self.device = device

    def of(self, method: Method, seed: int, *, progress: bool) -> RunFolder | None:
        """The run that a network of the method starts from, trained now if it is not there yet."""
        if method == "d-ditr":
            return self._distilled(seed, progress=progress)
        if method == "sam-masked":
            return self._student(seed, self._region_distilled(seed, progress=progress), progress=progress)
        return None

    def left(self, method: Method, seeds: Collection[int], scratch: RunFolder) -> list[tuple[str, int, TrainingLoop]]:
        """What is still to be trained for these seeds: its name, how many of it, and one that may be measured."""
        found: list[tuple[str, int, TrainingLoop]] = []

        def add(kind: str, prefix: str, build: Callable[[], TrainingLoop]) -> None:
            runs = sum(not RunFolder(self.folder / f"{prefix}-seed{seed}").has("finished.json") for seed in seeds)
            if runs:
                found.append((kind, runs, build()))

        if method == "d-ditr":
            add("distillation", "distilled", lambda: self._distillation(0, scratch))
        if method == "sam-masked" and seeds:
            add("region distillation", "regions", lambda: self._region_distillation(0, scratch))
            config = self._config("masked_token_prediction", 0)
            untrained = Teacher(config).state_dict()
            add("masked token prediction", "masked", lambda: self._masked(config, scratch, untrained))
        return found

    def _distilled(self, seed: int, *, progress: bool) -> RunFolder:
        return self._trained(
            f"distilled-seed{seed}",
            self._config("distillation", seed),
            self._of(self.data.distillable) | self._encoder_name(),
            lambda run: self._distillation(seed, run),
            self.data.distillable_test,
            progress=progress,
        )

    def _region_distilled(self, seed: int, *, progress: bool) -> RunFolder:
        return self._trained(
            f"regions-seed{seed}",
            self._config("region_distillation", seed),
            self._of(self.data.regional) | {"regions": self.data.regions} | self._encoder_name(),
            lambda run: self._region_distillation(seed, run),
            self._regional_test(),
            progress=progress,
        )

    def _student(self, seed: int, teacher: RunFolder, *, progress: bool) -> RunFolder:
        config = self._config("masked_token_prediction", seed)
        return self._trained(
            f"masked-seed{seed}",
            config,
            self._of(self.data.regional) | {"regions": self.data.regions, "teacher": teacher.path.name},
            lambda run: self._masked(config, run, teacher.weights()),
            self._regional_test(),
            progress=progress,
        )

    def _trained(
        self,
        name: str,
        config: Config,
        data: dict[str, Any],
        build: Callable[[RunFolder], Pretraining],
        test: Sequence[LabeledScan],
        *,
        progress: bool,
    ) -> RunFolder:
        run = RunFolder(self.folder / name)
        run.create(config, resume=True)
        run.describe_data(self.data.names | data)
        if not run.has("finished.json"):
            pretraining = build(run)
            if run.has("checkpoint.pt"):
                pretraining.resume()
            pretraining.fit([], progress=progress, description=name)
            run.write_json("scores.json", pretraining.scores(test, progress=progress))
            run.write_json("finished.json", {"steps": pretraining.step})
        return run

    def _distillation(self, seed: int, run: RunFolder) -> Distillation:
        return Distillation(self._config("distillation", seed), self.data.distillable, run, self.device)

    def _region_distillation(self, seed: int, run: RunFolder) -> RegionDistillation:
        return RegionDistillation(self._config("region_distillation", seed), self.data.regional, run, self.device)

    def _masked(self, config: Config, run: RunFolder, teacher: dict[str, torch.Tensor]) -> MaskedTokenPrediction:
        return MaskedTokenPrediction(config, self.data.regional, run, teacher, self.device)

    def _regional_test(self) -> list[LabeledScan]:
        return [scan for scan in self.data.test if scan.regions is not None]

    def _of(self, scans: Sequence[LabeledScan]) -> dict[str, Any]:
        return {"scans": len(scans), "unlabelled_bags": list(self.data.unlabelled)}

    def _encoder_name(self) -> dict[str, str]:
        return {"image_encoder": self.data.encoder_folder.name}

    def _config(self, name: PretrainingName, seed: int) -> Config:
        settings = getattr(self.config, name)
        assert settings is not None
        return replace(self.config, **{name: replace(settings, seed=seed)}).for_pretraining(name)
