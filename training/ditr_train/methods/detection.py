"""Training of a detector: boxes on the tokens of a segmentation network, or of a pretraining."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ditr_train.config.model_config import Config, ConfigError
from ditr_train.data.augmentation import augment, shown
from ditr_train.data.scans import LabeledScan, ScanSample, make_sample
from ditr_train.engine.run_folder import RunFolder
from ditr_train.engine.schedule import parameter_groups
from ditr_train.engine.training_loop import LogRow, TrainingLoop
from ditr_train.evaluation.detection import score_detection
from ditr_train.methods.candidate_loss import count_labels
from ditr_train.methods.detection_loss import detection_loss
from ditr_train.methods.losses import class_weights, supervised_loss
from ditr_train.model.detector import Detector
from ditr_train.model.device import CPU, tensors_on


class DetectionTraining(TrainingLoop):
    """A detector that learns from scans with boxes."""

    def __init__(
        self, config: Config, scans: Sequence[LabeledScan], run: RunFolder, device: torch.device = CPU
    ) -> None:
        if config.detection is None or config.detection_training is None:
            raise ConfigError("the configuration has no detection, or no detection_training")
        self.config, self.detection, self.detection_settings = config, config.detection, config.detection_training
        frozen = self.detection_settings.backbone == "frozen"
        if frozen and self.detection_settings.segmentation_weight:
            raise ConfigError("detection_training.segmentation_weight: a frozen backbone learns no segmentation")
        torch.manual_seed(self.detection_settings.seed)
        self.detector = Detector(config, frozen=frozen)
        super().__init__(self.detector, self.detection_settings, scans, run, device)
        self.mix = config.training.augmentation.mix
        self.class_weights: Tensor | None = None
        if self.detection_settings.segmentation_weight:
            counts = count_labels(scans, len(config.classes), ())
            self.class_weights = class_weights(counts, config.training.class_weight_power).to(device)

    def parameter_groups(self, network: nn.Module) -> list[dict[str, Any]]:
        decay, block_scale = self.detection_settings.weight_decay, self.detection_settings.block_learning_rate_scale
        groups = parameter_groups(self.detector.detection_head, decay, 1.0)
        if self.detector.frozen:
            return groups
        scale = self.detection_settings.backbone_learning_rate_scale
        tuned = parameter_groups(self.detector.segmentor, decay, block_scale)
        return [*groups, *(group | {"scale": group["scale"] * scale} for group in tuned)]

    def augmented(self, scan: LabeledScan, rng: np.random.Generator) -> LabeledScan:
        augmentation = self.config.training.augmentation
        fused = self.config.injection is not None and rng.uniform() >= augmentation.image_drop
        scan = augment(scan, augmentation, rng, fused=fused)
        return scan if fused else replace(scan, images=None)

    def sample(self, scan: LabeledScan, rng: np.random.Generator) -> ScanSample:
        return shown(scan, self.config.training.augmentation, rng, partial(make_sample, config=self.config, fused=True))

    def loss_of(self, sample: ScanSample) -> Tensor:
        inputs = tensors_on(self.device, sample.inputs)
        logits = None
        with self.autocast():
            if self.class_weights is None:
                output = self.detector(inputs)
            else:
                logits, output = self.detector.with_logits(inputs)
        loss: Tensor
        if sample.boxes is None:
            loss = output.layers[-1].class_logits.sum() * 0
        else:
            learned = sample.boxes.chosen(sample.boxes.points >= self.detection.smallest_points)
            loss = detection_loss(output, learned, sample.inputs["token_positions"], self.detection_settings)
        if logits is not None and self.class_weights is not None:
            label = torch.from_numpy(sample.label).to(self.device, non_blocking=True)
            lovasz = self.config.training.lovasz_weight
            of_points = supervised_loss(logits.float(), label, self.class_weights, lovasz)
            loss = loss + self.detection_settings.segmentation_weight * of_points
        return loss

    def merit(self, row: LogRow) -> float | None:
        """AP25, with images where the network uses them."""
        values = (row["fused_ap25"], row["image_free_ap25"])
        return next((float(value) for value in values if value != ""), None)

    def evaluation_row(self, validation: Sequence[LabeledScan]) -> LogRow:
        row: LogRow = {f"{mode}_{name}": "" for mode in ("fused", "image_free") for name in ("ap25", "ap50")}
        if validation:
            for mode, found in score_detection(self.detector, validation, self.config)["modes"].items():
                row |= {f"{mode}_{name}": round(found[name] or 0.0, 4) for name in ("ap25", "ap50")}
        return row
