"""D-DITR (arXiv 2503.18944): the 3D network learns to predict the image features of the points that a camera
sees. No label is used, and no image is needed afterwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from tqdm import tqdm

from ditr_train.config import Config
from ditr_train.data.augmentation import augment
from ditr_train.data.scans import LabeledScan, ScanSample, make_sample
from ditr_train.device import CPU, device_of, tensors_on
from ditr_train.model.backbone import Backbone
from ditr_train.model.tables import ImageFeatures, image_features, scan_tables
from ditr_train.run_folder import RunFolder
from ditr_train.training_loop import LogRow, TrainingLoop


class Distiller(nn.Module):
    """The image-free backbone with a linear layer to the dimension of the image features."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        if config.image_encoder is None:
            raise ValueError("the configuration has no image_encoder to learn from")
        self.stage_count = config.backbone.stage_count
        self.backbone = Backbone(config.backbone)
        self.distillation_head = nn.Linear(self.backbone.out_channels, config.image_encoder.feature_dimension)

    def forward(self, inputs: Mapping[str, Tensor], seen: Tensor) -> Tensor:
        """seen bool [V_0] -> predicted image features [number of seen voxels, C_2D]."""
        features: Tensor = self.backbone(inputs["feat"], scan_tables(inputs, self.stage_count))
        predicted: Tensor = self.distillation_head(features[seen])
        return predicted


def seen_image_features(images: ImageFeatures) -> tuple[Tensor, Tensor]:
    """Which voxels a camera sees, bool [V_0], and the image features of those, [number of seen voxels, C_2D]."""
    seen = images.voxel_patch_weight.amax(1) > 0
    patch, weight = images.voxel_patch[seen].long(), images.voxel_patch_weight[seen]
    return seen, (images.features[patch] * weight[:, :, None]).sum(1)


class Distillation(TrainingLoop):
    """A backbone that learns from scans with image features."""

    def __init__(
        self, config: Config, scans: Sequence[LabeledScan], run: RunFolder, device: torch.device = CPU
    ) -> None:
        if config.distillation is None:
            raise ValueError("the configuration has no distillation")
        self.config = config
        torch.manual_seed(config.distillation.seed)
        self.distiller = Distiller(config)
        super().__init__(self.distiller, config.distillation, scans, run, device)

    def prepare(self, scan: LabeledScan, rng: np.random.Generator) -> ScanSample:
        scan = augment(scan, self.config.training.augmentation, rng, fused=True)
        return make_sample(scan, self.config, fused=True)

    def loss_of(self, sample: ScanSample) -> Tensor:
        """1 - cosine similarity, mean over the seen voxels."""
        with self.autocast():
            similarity, _ = _similarity(self.distiller, sample)
        # A scan in which augmentation left nothing visible has nothing to teach.
        return 1 - similarity.mean() if len(similarity) else similarity.sum()

    def evaluation_row(self, validation: Sequence[LabeledScan]) -> LogRow:
        scores = feature_similarity(self.distiller, validation, self.config)
        return {"cosine": round(scores["cosine"], 4) if validation else ""}


def _similarity(distiller: Distiller, sample: ScanSample) -> tuple[Tensor, Tensor]:
    """Cosine similarity of prediction and image feature [number of seen voxels], and the image features."""
    inputs = tensors_on(device_of(distiller), sample.inputs)
    images = image_features(inputs)
    assert images is not None, "only scans with images are distilled"
    seen, target = seen_image_features(images)
    return F.cosine_similarity(distiller(inputs, seen).float(), target, dim=-1), target


def feature_similarity(
    distiller: Distiller, scans: Sequence[LabeledScan], config: Config, *, progress: bool = False
) -> dict[str, Any]:
    """How well whole scans' image features are predicted, over all voxels that a camera sees.

    `cosine` is the mean similarity, `constant_cosine` that of the best constant prediction: what says
    nothing about a point.
    """
    distiller.eval()
    total, count = 0.0, 0
    directions: list[Tensor] = []
    for scan in tqdm(scans, desc="evaluating", unit="scan", disable=not progress):
        with torch.no_grad():
            similarity, target = _similarity(distiller, make_sample(scan, config, fused=True))
        total, count = total + float(similarity.sum()), count + len(similarity)
        directions.append(F.normalize(target, dim=-1).sum(0))
    constant = float(torch.stack(directions).sum(0).norm()) if directions else 0.0
    return {"cosine": total / max(1, count), "constant_cosine": constant / max(1, count), "scans": len(scans)}
