"""Supervised training of the segmentation network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import torch
from torch import Tensor

from ditr_train.config.model_config import Config
from ditr_train.data.augmentation import augment, shown
from ditr_train.data.scans import LabeledScan, ScanSample, make_sample
from ditr_train.engine.run_folder import RunFolder
from ditr_train.engine.scan_order import ScanGroup
from ditr_train.engine.training_loop import LogRow, TrainingLoop
from ditr_train.evaluation.segmentation import evaluate
from ditr_train.methods.candidate_loss import (
    Targets,
    candidate_cross_entropy,
    candidate_lovasz,
    count_labels,
    set_weights,
)
from ditr_train.methods.losses import class_weights, supervised_loss
from ditr_train.model.device import CPU, tensors_on
from ditr_train.model.segmentor import Segmentor


class Training(TrainingLoop):
    """A segmentation network that learns from labelled scans."""

    def __init__(
        self,
        config: Config,
        scans: Sequence[LabeledScan],
        run: RunFolder,
        device: torch.device = CPU,
        groups: Sequence[ScanGroup] = (),
    ) -> None:
        """`groups` of the scans say how often these are seen, if not equally often."""
        torch.manual_seed(config.training.seed)
        self.config = config
        self.segmentor = Segmentor(config)
        super().__init__(self.segmentor, config.training, scans, run, device)
        self.mix = config.training.augmentation.mix
        self.groups = groups
        self.counts = count_labels(scans, len(config.classes), groups)
        self.class_weights = class_weights(self.counts, config.training.class_weight_power).to(device)

    def augmented(self, scan: LabeledScan, rng: np.random.Generator) -> LabeledScan:
        augmentation = self.config.training.augmentation
        fused = self.config.injection is not None and rng.uniform() >= augmentation.image_drop
        scan = augment(scan, augmentation, rng, fused=fused)
        return scan if fused else replace(scan, images=None)

    def sample(self, scan: LabeledScan, rng: np.random.Generator) -> ScanSample:
        return shown(scan, self.config.training.augmentation, rng, partial(make_sample, config=self.config, fused=True))

    def loss_of(self, sample: ScanSample) -> Tensor:
        inputs = tensors_on(self.device, sample.inputs)
        with self.autocast():
            logits = self.segmentor(inputs)
        label = torch.from_numpy(sample.label).to(self.device, non_blocking=True)
        if sample.candidates is None:
            return self.loss(logits.float(), label)
        return self.candidate_loss(logits.float(), Targets.of(label, sample.candidates, len(self.config.classes)))

    def loss(self, logits: Tensor, label: Tensor) -> Tensor:
        """Weighted cross-entropy plus Lovasz-softmax over the labelled voxels."""
        return supervised_loss(logits, label, self.class_weights, self.config.training.lovasz_weight)

    def candidate_loss(self, logits: Tensor, targets: Targets) -> Tensor:
        """The same where labels leave open which of several classes a voxel has."""
        rows = targets.weight.sum(1) > 0
        if not rows.any():
            return logits.sum() * 0
        logits, targets = logits[rows], targets.known()
        settings = self.config.training
        weights = set_weights(self.counts, targets.sets.cpu().numpy(), settings.class_weight_power)
        loss = candidate_cross_entropy(logits, targets, weights.to(self.device))
        lovasz = settings.lovasz_weight
        return loss + lovasz * candidate_lovasz(logits.softmax(-1), targets) if lovasz else loss

    def merit(self, row: LogRow) -> float | None:
        """mIoU, with images where the network uses them."""
        values = (row["fused_miou"], row["image_free_miou"])
        return next((float(value) for value in values if value != ""), None)

    def evaluation_row(self, validation: Sequence[LabeledScan]) -> LogRow:
        row: LogRow = {"fused_miou": "", "image_free_miou": ""}
        if validation:
            for mode, result in evaluate(self.segmentor, validation, self.config).items():
                row[f"{mode}_miou"] = round(result.all_points.miou(), 4)
        return row
