"""The networks without labels that those of a comparison start from, each trained once for a seed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ditr_train.config.model_config import Config, PretrainingName
from ditr_train.data.scan_tokens import with_neighbor_tokens
from ditr_train.data.scans import LabeledScan
from ditr_train.data.stored_scans import with_images
from ditr_train.engine.run_folder import RunFolder
from ditr_train.engine.training_loop import TrainingLoop
from ditr_train.methods.distillation import Distillation
from ditr_train.methods.masked_tokens import MaskedTokenPrediction, Teacher
from ditr_train.methods.pretraining import Pretraining
from ditr_train.methods.region_distillation import RegionDistillation
from ditr_train.model.device import CPU
from ditr_train.studies.comparison_table import REGIONAL, Method

_IN_WORDS = {
    "regions": "region distillation",
    "regions-unweighted": "region distillation without group weights",
    "knn": "distillation of KNN tokens",
}
"""Of the trainings of stage 1, by the names of their folders."""


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
        if method in REGIONAL:
            first = self._region_distilled(method, seed, progress=progress)
            return self._student(seed, first, progress=progress) if method == "stages-1-2" else first
        return None

    def left(self, seeds: Mapping[Method, Collection[int]], scratch: RunFolder) -> list[tuple[str, int, TrainingLoop]]:
        """What is still to be trained for the seeds of each method: its name, how many of it, and one that may be
        measured."""
        found: list[tuple[str, int, TrainingLoop]] = []

        def add(kind: str, prefix: str, wanted: Collection[int], build: Callable[[], TrainingLoop]) -> None:
            runs = sum(not RunFolder(self.folder / f"{prefix}-seed{seed}").has("finished.json") for seed in wanted)
            if runs:
                found.append((kind, runs, build()))

        add("distillation", "distilled", seeds["d-ditr"], lambda: self._distillation(0, scratch))
        first_stages: tuple[Method, ...] = ("stage-1", "stage-1-unweighted", "stage-1-knn")
        for method in first_stages:
            wanted = {*seeds[method], *(seeds["stages-1-2"] if method == "stage-1" else ())}
            name = _name(method)
            add(_IN_WORDS[name], name, wanted, partial(self._region_distillation, method, 0, scratch))
        add("masked token prediction", "masked", seeds["stages-1-2"], lambda: self._untaught(scratch))
        return found

    def _untaught(self, scratch: RunFolder) -> MaskedTokenPrediction:
        config = self._config("masked_token_prediction", 0)
        return self._masked(config, scratch, Teacher(config).state_dict())

    def _distilled(self, seed: int, *, progress: bool) -> RunFolder:
        return self._trained(
            f"distilled-seed{seed}",
            self._config("distillation", seed),
            self._of(self.data.distillable) | self._encoder_name(),
            lambda run: self._distillation(seed, run),
            self.data.distillable_test,
            progress=progress,
        )

    def _region_distilled(self, method: Method, seed: int, *, progress: bool) -> RunFolder:
        config, scans = self._stage_1(method, seed)
        test = with_images(self.data.test)
        if method == "stage-1-knn":
            test = with_neighbor_tokens(test, config)
        return self._trained(
            f"{_name(method)}-seed{seed}",
            config,
            self._of(scans) | {"regions": self.data.regions} | self._encoder_name(),
            lambda run: RegionDistillation(config, scans, run, self.device),
            test,
            progress=progress,
        )

    def _stage_1(self, method: Method, seed: int) -> tuple[Config, Sequence[LabeledScan]]:
        """What stage 1 of a method is trained with."""
        config, scans = self._config("region_distillation", seed), self.data.regional
        if method == "stage-1-unweighted":
            assert config.region_distillation is not None
            settings = replace(config.region_distillation, group_weight_power=0.0)
            return replace(config, region_distillation=settings), scans
        if method == "stage-1-knn":
            config = replace(config, tokens=replace(config.tokens, kind="knn"))
            return config, with_neighbor_tokens(scans, config)
        return config, scans

    def _student(self, seed: int, teacher: RunFolder, *, progress: bool) -> RunFolder:
        config = self._config("masked_token_prediction", seed)
        return self._trained(
            f"masked-seed{seed}",
            config,
            self._of(self.data.regional) | {"regions": self.data.regions, "teacher": teacher.path.name},
            lambda run: self._masked(config, run, teacher.weights()),
            with_images(self.data.test),
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

    def _region_distillation(self, method: Method, seed: int, run: RunFolder) -> RegionDistillation:
        config, scans = self._stage_1(method, seed)
        return RegionDistillation(config, scans, run, self.device)

    def _masked(self, config: Config, run: RunFolder, teacher: dict[str, torch.Tensor]) -> MaskedTokenPrediction:
        return MaskedTokenPrediction(config, self.data.regional, run, teacher, self.device)

    def _of(self, scans: Sequence[LabeledScan]) -> dict[str, Any]:
        return {"scans": len(scans), "unlabelled_bags": list(self.data.unlabelled)}

    def _encoder_name(self) -> dict[str, str]:
        return {"image_encoder": self.data.encoder_folder.name}

    def _config(self, name: PretrainingName, seed: int) -> Config:
        settings = getattr(self.config, name)
        assert settings is not None
        return replace(self.config, **{name: replace(settings, seed=seed)}).for_pretraining(name)


def _name(method: Method) -> str:
    """Of the training of stage 1 that a method is, or begins with: "stages-1-2" begins with that of "stage-1"."""
    return {"stage-1-unweighted": "regions-unweighted", "stage-1-knn": "knn"}.get(method, "regions")
