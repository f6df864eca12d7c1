"""D-DITR (arXiv 2503.18944): the 3D network learns to predict the image features of the points that a camera
sees. No label is used, and no image is needed afterwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from ditr_train.config.model_config import Config
from ditr_train.data.augmentation import augment, shown
from ditr_train.data.scans import LabeledScan, ScanSample, make_sample
from ditr_train.engine.run_folder import RunFolder
from ditr_train.methods.distillation_target import SeenVoxels, Tally, make_target, seen_voxels
from ditr_train.methods.places import range_and_height
from ditr_train.methods.pretraining import Pretraining
from ditr_train.model.backbone import Backbone
from ditr_train.model.device import CPU, device_of, tensors_on
from ditr_train.model.tables import image_features, scan_tables


class Distiller(nn.Module):
    """The image-free backbone with a linear layer to what the target asks for."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        if config.image_encoder is None or config.distillation is None:
            raise ValueError("the configuration has no distillation, or no image_encoder to learn from")
        self.stage_count = config.backbone.stage_count
        self.backbone = Backbone(config.backbone)
        self.distillation_target = make_target(config.image_encoder, config.distillation)
        self.distillation_head = nn.Linear(self.backbone.out_channels, self.distillation_target.out_channels)

    def forward(self, inputs: Mapping[str, Tensor], seen: Tensor) -> Tensor:
        """seen bool [V_0] -> predictions [number of seen voxels, channels of the target]."""
        features: Tensor = self.backbone(inputs["feat"], scan_tables(inputs, self.stage_count))
        predicted: Tensor = self.distillation_head(features[seen])
        return predicted


class Distillation(Pretraining):
    """A backbone that learns from scans with image features."""

    def __init__(
        self, config: Config, scans: Sequence[LabeledScan], run: RunFolder, device: torch.device = CPU
    ) -> None:
        if config.distillation is None:
            raise ValueError("the configuration has no distillation")
        self.config = config
        torch.manual_seed(config.distillation.seed)
        self.distiller = Distiller(config)
        self.distiller.distillation_target.fit(scans, config.distillation.seed)
        self.augmentation = config.training.augmentation
        if config.distillation.sector is not None:
            self.augmentation = replace(self.augmentation, sector=config.distillation.sector)
        super().__init__(self.distiller, config.distillation, scans, run, device)
        self.mix = self.augmentation.mix

    def augmented(self, scan: LabeledScan, rng: np.random.Generator) -> LabeledScan:
        return augment(scan, self.augmentation, rng, fused=True)

    def sample(self, scan: LabeledScan, rng: np.random.Generator) -> ScanSample:
        return shown(scan, self.augmentation, rng, partial(make_sample, config=self.config, fused=True))

    def loss_of(self, sample: ScanSample) -> Tensor:
        inputs, voxels = _voxels_of(sample, self.device)
        with self.autocast():
            predicted = self.distiller(inputs, voxels.seen).float()
        # A scan in which augmentation left nothing visible has nothing to teach.
        return self.distiller.distillation_target.loss(predicted, voxels) if len(predicted) else predicted.sum()

    @property
    def measure(self) -> str:
        return self.distiller.distillation_target.measure

    def scores(self, scans: Sequence[LabeledScan], *, progress: bool = False) -> dict[str, Any]:
        return distillation_scores(self.distiller, scans, self.config, progress=progress)

    def describe(self) -> str:
        assert self.config.distillation is not None
        if self.config.distillation.target == "cosine":
            return "cosine similarity {} to the image features of visible voxels"
        return f"mIoU {{}} of the {self.config.distillation.clusters} clusters over the visible voxels"


def distillation_scores(
    distiller: Distiller, scans: Sequence[LabeledScan], config: Config, *, progress: bool = False
) -> dict[str, Any]:
    """How well is told, of whole scans, what the target asks for, over all voxels that a camera sees.

    Beside the network's score, under the name of the target's measure, are those of guesses that see no shape,
    `constant_...` and `place_...`.
    """
    distiller.eval()
    target = distiller.distillation_target
    tallies: dict[str, Tally] = {}
    for scan in tqdm(scans, desc="evaluating", unit="scan", disable=not progress):
        sample = make_sample(scan, config, fused=True)
        inputs, voxels = _voxels_of(sample, device_of(distiller))
        place = target.place(range_and_height(scan)[sample.representative].to(voxels.seen.device)[voxels.seen])
        with torch.no_grad():
            predictions = {target.measure: distiller(inputs, voxels.seen).float()}
        for guess, prediction in target.guesses(place).items():
            predictions[f"{guess}_{target.measure}"] = prediction
        for name, prediction in predictions.items():
            tallies.setdefault(name, target.tally()).add(prediction, voxels)
    return {name: tally.value() for name, tally in tallies.items()} | {"scans": len(scans)}


def _voxels_of(sample: ScanSample, device: torch.device) -> tuple[dict[str, Tensor], SeenVoxels]:
    inputs = tensors_on(device, sample.inputs)
    images = image_features(inputs)
    assert images is not None, "only scans with images are distilled"
    return inputs, seen_voxels(images)
