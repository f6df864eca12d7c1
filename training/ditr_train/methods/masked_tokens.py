"""Stage 2 of SAM-guided masked token prediction (arXiv 2410.12158): most regions are hidden from a student, which
predicts what the frozen network of stage 1, which sees all of the scan, says of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ditr_train.config.model_config import Config
from ditr_train.data.augmentation import augment, shown
from ditr_train.data.scans import LabeledScan, ScanSample, make_sample
from ditr_train.data.stored_scans import evenly_chosen
from ditr_train.engine.initialization import initialize
from ditr_train.engine.run_folder import RunFolder
from ditr_train.methods.pretraining import Pretraining
from ditr_train.methods.region_samples import VISIBLE, Show, choose_masked, hide_regions, make_region_sample
from ditr_train.methods.token_target import MEASURE, Prediction, TokenTarget, token_scores
from ditr_train.model.backbone import Backbone
from ditr_train.model.device import CPU, tensors_on
from ditr_train.model.region_tokens import Regions, pool_regions, regions_of
from ditr_train.model.tables import scan_tables
from ditr_train.model.token_predictor import TokenPredictor

_FITTED_SCANS = 64
"""Scans that the teacher looks at before the training, for the statistics of its tokens."""


class Teacher(nn.Module):
    """The backbone of stage 1; it never changes, not even the statistics of its normalizations."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.stage_count = config.backbone.stage_count
        self.backbone = Backbone(config.backbone)
        self.requires_grad_(False)
        self.eval()

    def train(self, mode: bool = True) -> Teacher:
        return super().train(False)

    @torch.no_grad()
    def forward(self, inputs: Mapping[str, Tensor], regions: Regions) -> Tensor:
        """-> tokens [R, C] of the whole scan"""
        features = self.backbone(inputs["feat"], scan_tables(inputs, self.stage_count))
        return pool_regions(features, regions.voxel_region, len(regions)).float()


class MaskedStudent(nn.Module):
    """The image-free backbone on what is left of a scan, and what a transformer makes of its tokens."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        if config.masked_token_prediction is None:
            raise ValueError("the configuration has no masked_token_prediction")
        settings = config.masked_token_prediction
        self.stage_count = config.backbone.stage_count
        self.backbone = Backbone(config.backbone)
        channels = self.backbone.out_channels
        # Groups have weights in stage 1 alone, as in the paper's overview (its figure 2).
        self.token_target = TokenTarget(channels, settings.groups, 0.0, settings.loss)
        self.predictor = TokenPredictor(
            channels, settings.predictor_channels, settings.predictor_depth, settings.predictor_heads
        )

    def forward(self, inputs: Mapping[str, Tensor], regions: Regions) -> tuple[Tensor, Tensor]:
        """-> predicted standardized tokens [number of masked regions, C], and their mean over the scene [1, C]. Of
        `inputs` those are read that begin with VISIBLE, of `regions` the centres and which are masked."""
        assert regions.masked is not None
        visible = {name.removeprefix(VISIBLE): each for name, each in inputs.items() if name.startswith(VISIBLE)}
        features = self.backbone(visible["feat"], scan_tables(visible, self.stage_count))
        seen = ~regions.masked
        tokens = pool_regions(features, visible["voxel_region"], len(regions))[seen]
        predicted: tuple[Tensor, Tensor] = self.predictor(tokens, regions.center[seen], regions.center[regions.masked])
        return predicted


class MaskedTokenPrediction(Pretraining):
    """A student that learns from the tokens of a teacher. `teacher` is a state dict of stage 1."""

    @property
    def measure(self) -> str:
        return MEASURE

    def __init__(
        self,
        config: Config,
        scans: Sequence[LabeledScan],
        run: RunFolder,
        teacher: Mapping[str, Tensor],
        device: torch.device = CPU,
    ) -> None:
        if config.masked_token_prediction is None:
            raise ValueError("the configuration has no masked_token_prediction")
        self.config = config
        self.masked_settings = config.masked_token_prediction
        torch.manual_seed(self.masked_settings.seed)
        self.student = MaskedStudent(config)
        self.teacher = Teacher(config).to(device)
        initialize(self.teacher, teacher, origin="the teacher", keep_head=False)
        if self.masked_settings.student == "teacher":
            initialize(self.student, teacher, origin="the teacher", keep_head=False)
        self.augmentation = config.training.augmentation
        if self.masked_settings.sector is not None:
            self.augmentation = replace(self.augmentation, sector=self.masked_settings.sector)
        super().__init__(self.student, self.masked_settings, scans, run, device)
        if not run.has("checkpoint.pt"):  # which has the statistics
            self._fit_target()

    def augmented(self, scan: LabeledScan, rng: np.random.Generator) -> LabeledScan:
        return augment(scan, self.augmentation, rng, fused=True)

    def sample(self, scan: LabeledScan, rng: np.random.Generator) -> ScanSample:
        # Orders of what is left are shuffled as those of the whole scan are; its points are in a random order by then.
        again = replace(self.augmentation, random_point=False)
        return shown(
            scan,
            self.augmentation,
            rng,
            lambda scan: self._masked(scan, rng, lambda rest: shown(rest, again, rng, self._rest)),
        )

    def loss_of(self, sample: ScanSample) -> Tensor:
        inputs = tensors_on(self.device, sample.inputs)
        regions = regions_of(inputs)
        if len(regions) < 2:  # nothing to predict from, or nothing to predict
            return self.student.predictor.hidden.sum() * 0
        with self.autocast():
            tokens = self.teacher(inputs, regions)
            predicted, scene = self.student(inputs, regions)
        target, masked = self.student.token_target, regions.masked
        assert masked is not None
        loss = target.loss(predicted.float(), tokens[masked])
        whole = target.standardize(tokens).mean(0, keepdim=True)
        return loss + self.masked_settings.scene_weight * target.difference(scene.float(), whole).mean()

    def scores(self, scans: Sequence[LabeledScan], *, progress: bool = False) -> dict[str, Any]:
        """Of the masked regions; each scan's are the same every time."""
        self.student.eval()
        return token_scores(self.student.token_target, scans, self._predict, progress)

    def describe(self) -> str:
        return (
            f"cosine similarity {{}} to the teacher's tokens of hidden regions, mean of {self.masked_settings.groups} "
            "groups"
        )

    def _predict(self, index: int, scan: LabeledScan) -> Prediction:
        sample = self._masked(scan, np.random.default_rng([self.masked_settings.seed, 5, index]), self._rest)
        inputs = tensors_on(self.device, sample.inputs)
        regions = regions_of(inputs)
        masked = regions.masked
        assert masked is not None
        predicted, _ = self.student(inputs, regions)
        return Prediction(predicted, self.teacher(inputs, regions)[masked], regions.place[masked])

    def _masked(self, scan: LabeledScan, rng: np.random.Generator, show: Show) -> ScanSample:
        sample = make_region_sample(scan, self.config, self.masked_settings.smallest_region)
        masked = choose_masked(len(sample.inputs["region_place"]), self.masked_settings.mask_ratio, rng)
        return hide_regions(scan, sample, masked, show)

    def _rest(self, scan: LabeledScan) -> ScanSample:
        return make_sample(scan, self.config, fused=False)

    def _fit_target(self) -> None:
        tokens, places = [], []
        for scan in evenly_chosen(self.scans, _FITTED_SCANS):
            sample = make_region_sample(scan, self.config, self.masked_settings.smallest_region)
            inputs = tensors_on(self.device, sample.inputs)
            regions = regions_of(inputs)
            tokens.append(self.teacher(inputs, regions).cpu())
            places.append(regions.place.cpu())
        self.student.token_target.cpu().fit(torch.cat(tokens), torch.cat(places), self.masked_settings.seed)
        self.student.token_target.to(self.device)
