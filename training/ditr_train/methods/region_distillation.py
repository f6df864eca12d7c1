"""Stage 1 of SAM-guided masked token prediction (arXiv 2410.12158): tokens of image regions learn the regions'
image features, and voxels those of the patches that they fall in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ditr_train.config.model_config import Config
from ditr_train.data.augmentation import augment, shown
from ditr_train.data.scans import LabeledScan, ScanSample
from ditr_train.data.stored_scans import surveyed
from ditr_train.engine.run_folder import RunFolder
from ditr_train.methods.distillation_target import SeenVoxels, seen_voxels
from ditr_train.methods.pretraining import Pretraining
from ditr_train.methods.region_samples import make_region_sample
from ditr_train.methods.token_target import MEASURE, Prediction, TokenTarget, token_scores
from ditr_train.model.backbone import Backbone
from ditr_train.model.device import CPU, tensors_on
from ditr_train.model.region_tokens import Regions, pool_regions, regions_of
from ditr_train.model.tables import image_features, scan_tables


class RegionDistiller(nn.Module):
    """The image-free backbone with linear layers from region tokens, and from voxels, to image features."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        if config.image_encoder is None or config.region_distillation is None:
            raise ValueError("the configuration has no region_distillation, or no image_encoder to learn from")
        settings, channels = config.region_distillation, config.image_encoder.feature_dimension
        self.stage_count = config.backbone.stage_count
        self.backbone = Backbone(config.backbone)
        self.region_target = TokenTarget(channels, settings.groups, settings.group_weight_power, settings.loss)
        self.region_head = nn.Linear(self.backbone.out_channels, channels)
        self.dense_head = nn.Linear(self.backbone.out_channels, channels)

    def forward(self, inputs: Mapping[str, Tensor], regions: Regions, seen: Tensor) -> tuple[Tensor, Tensor]:
        """seen bool [V_0] -> predicted standardized features of the S regions that have image features [S, C_2D], and
        of the seen voxels [number of them, C_2D]."""
        assert regions.features is not None
        features = self.backbone(inputs["feat"], scan_tables(inputs, self.stage_count))
        tokens = pool_regions(features, regions.voxel_region, len(regions))[: len(regions.features)]
        return self.region_head(tokens), self.dense_head(features[seen])


class RegionDistillation(Pretraining):
    """A backbone that learns from scans with regions that have image features."""

    @property
    def measure(self) -> str:
        return MEASURE

    def __init__(
        self, config: Config, scans: Sequence[LabeledScan], run: RunFolder, device: torch.device = CPU
    ) -> None:
        if config.region_distillation is None:
            raise ValueError("the configuration has no region_distillation")
        self.config = config
        self.region_settings = config.region_distillation
        torch.manual_seed(self.region_settings.seed)
        self.distiller = RegionDistiller(config)
        self.distiller.region_target.fit(*self._tokens(scans), self.region_settings.seed)
        self.augmentation = config.training.augmentation
        if self.region_settings.sector is not None:
            self.augmentation = replace(self.augmentation, sector=self.region_settings.sector)
        super().__init__(self.distiller, self.region_settings, scans, run, device)

    def augmented(self, scan: LabeledScan, rng: np.random.Generator) -> LabeledScan:
        return augment(scan, self.augmentation, rng, fused=True)

    def sample(self, scan: LabeledScan, rng: np.random.Generator) -> ScanSample:
        return shown(scan, self.augmentation, rng, self._sample)

    def loss_of(self, sample: ScanSample) -> Tensor:
        inputs = tensors_on(self.device, sample.inputs)
        regions, voxels = regions_of(inputs), _seen(inputs)
        with self.autocast():
            predicted, dense = (each.float() for each in self.distiller(inputs, regions, voxels.seen))
        assert regions.features is not None
        target, weight = self.distiller.region_target, self.region_settings.dense_weight
        # A scan in which augmentation left no region, or nothing that a camera sees, has nothing to teach.
        loss = target.loss(predicted, regions.features) if len(predicted) else predicted.sum()
        return loss + weight * (target.dense_loss(dense, voxels.features) if len(dense) else dense.sum())

    def scores(self, scans: Sequence[LabeledScan], *, progress: bool = False) -> dict[str, Any]:
        self.distiller.eval()
        return token_scores(self.distiller.region_target, scans, lambda _, scan: self._predict(scan), progress)

    def describe(self) -> str:
        return f"cosine similarity {{}} to the image features of regions, mean of {self.region_settings.groups} groups"

    def _predict(self, scan: LabeledScan) -> Prediction:
        inputs = tensors_on(self.device, self._sample(scan).inputs)
        regions = regions_of(inputs)
        assert regions.features is not None
        predicted, _ = self.distiller(inputs, regions, _seen(inputs).seen)
        return Prediction(predicted, regions.features, regions.place[: len(predicted)])

    def _sample(self, scan: LabeledScan) -> ScanSample:
        return make_region_sample(scan, self.config, self.region_settings.smallest_region, images=True)

    def _tokens(self, scans: Sequence[LabeledScan]) -> tuple[Tensor, Tensor]:
        """Image features [T, C_2D] of the regions of all scans that have some, and their range and height [T, 2]."""
        samples = [self._sample(scan).inputs for scan in surveyed(scans, images=True)]
        features = [sample["region_features"] for sample in samples]
        places = [sample["region_place"][: len(each)] for sample, each in zip(samples, features, strict=True)]
        return torch.from_numpy(np.concatenate(features)), torch.from_numpy(np.concatenate(places))


def _seen(inputs: Mapping[str, Tensor]) -> SeenVoxels:
    images = image_features(inputs)
    assert images is not None, "only scans with images are distilled"
    return seen_voxels(images)
