"""What a network is taught about the voxels that a camera sees."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ditr_train.clustering import k_means
from ditr_train.config import ConfigError, ImageEncoderConfig
from ditr_train.data.scans import LabeledScan
from ditr_train.losses import class_counts, class_weights, lovasz_softmax
from ditr_train.model.tables import ImageFeatures
from ditr_train.training_config import DistillationConfig

_SAMPLED_POINTS = 40_000
"""Visible points, over all scans, that clusters are found from."""


class SeenVoxels(NamedTuple):
    """The S voxels of a scan that a camera sees."""

    seen: Tensor
    """bool [V_0] which they are"""
    features: Tensor
    """[S, C_2D] their image features"""
    patch: Tensor
    """int64 [S] the image patch that each lies in"""


def seen_voxels(images: ImageFeatures) -> SeenVoxels:
    """The voxels with image features; with bilinear sampling a voxel lies in the patch of the largest weight."""
    seen = images.voxel_patch_weight.amax(1) > 0
    patch, weight = images.voxel_patch[seen].long(), images.voxel_patch_weight[seen]
    features = (images.features[patch] * weight[:, :, None]).sum(1)
    return SeenVoxels(seen, features, patch.gather(1, weight.argmax(1, keepdim=True)).squeeze(1))


class DistillationTarget(nn.Module, ABC):
    """Turns image features into something to learn; what it needs to know of the scans is part of a checkpoint."""

    measure: str
    """Name of what `quality` gives."""
    out_channels: int
    """Channels of a prediction."""

    @abstractmethod
    def fit(self, scans: Sequence[LabeledScan], seed: int) -> None:
        """Takes what it needs from scans with images."""

    @abstractmethod
    def loss(self, predicted: Tensor, voxels: SeenVoxels) -> Tensor:
        """predicted [S, out_channels] -> scalar; S is not 0."""

    @abstractmethod
    def quality(self, predicted: Tensor, voxels: SeenVoxels) -> Tensor:
        """predicted [S, out_channels] -> [S], 1 where the prediction is perfect."""

    @abstractmethod
    def guesses(self, voxels: SeenVoxels) -> dict[str, Tensor]:
        """Predictions [S, out_channels] of who sees no shape: `constant` knows nothing, `position` knows where in
        the image a voxel is. A network that is no better than these has learned nothing about things."""


class CosineTarget(DistillationTarget):
    """The image features themselves, with 1 - cosine similarity as loss (DITR, arXiv 2503.18944)."""

    measure = "cosine"
    mean: Tensor
    """[C_2D] mean direction of the features of visible points"""
    patch_mean: Tensor
    """[P, C_2D] the same of each patch"""

    def __init__(self, encoder: ImageEncoderConfig) -> None:
        super().__init__()
        self.out_channels = encoder.feature_dimension
        self.register_buffer("patch_mean", torch.zeros(encoder.rows * encoder.columns, encoder.feature_dimension))
        self.register_buffer("mean", torch.zeros(encoder.feature_dimension))

    def fit(self, scans: Sequence[LabeledScan], seed: int) -> None:
        features, patch = _visible_points(scans, seed)
        directions = F.normalize(features, dim=-1)
        total = torch.zeros_like(self.patch_mean).index_add_(0, patch, directions)
        count = torch.bincount(patch, minlength=len(total))[:, None]
        mean = directions.mean(0)
        self.load_state_dict({"mean": mean, "patch_mean": torch.where(count > 0, total / count.clamp(min=1), mean)})

    def loss(self, predicted: Tensor, voxels: SeenVoxels) -> Tensor:
        return 1 - self.quality(predicted, voxels).mean()

    def quality(self, predicted: Tensor, voxels: SeenVoxels) -> Tensor:
        return F.cosine_similarity(predicted, voxels.features, dim=-1)

    def guesses(self, voxels: SeenVoxels) -> dict[str, Tensor]:
        return {"constant": self.mean.expand_as(voxels.features), "position": self.patch_mean[voxels.patch]}


class ClusterTarget(DistillationTarget):
    """Which of K clusters of image features a voxel belongs to; the loss is that of training on labels.

    Clusters are found without labels, by k-means. Cross-entropy and Lovasz-softmax give rare kinds of things
    their share of the gradient; the mean cosine is all about what is frequent, and is mostly satisfied by what
    range and height tell.
    """

    measure = "agreement"
    offset: Tensor
    """[C_2D] mean feature of visible points: clusters are of directions from there"""
    centers: Tensor
    """[K, C_2D] unit vectors"""
    weights: Tensor
    """[K] of the cross-entropy"""
    frequent: Tensor
    """int64 scalar, the largest cluster"""
    frequent_in_patch: Tensor
    """int64 [P], the largest of each patch"""

    def __init__(self, encoder: ImageEncoderConfig, settings: DistillationConfig) -> None:
        super().__init__()
        self.out_channels = settings.clusters
        self.settings = settings
        patches = encoder.rows * encoder.columns
        self.register_buffer("offset", torch.zeros(encoder.feature_dimension))
        self.register_buffer("centers", torch.zeros(settings.clusters, encoder.feature_dimension))
        self.register_buffer("weights", torch.ones(settings.clusters))
        self.register_buffer("frequent", torch.zeros((), dtype=torch.int64))
        self.register_buffer("frequent_in_patch", torch.zeros(patches, dtype=torch.int64))

    def fit(self, scans: Sequence[LabeledScan], seed: int) -> None:
        features, patch = _visible_points(scans, seed)
        if len(features) < self.out_channels:
            raise ConfigError(
                f"distillation.clusters: {self.out_channels} clusters cannot be found in {len(features)} visible points"
            )
        offset = features.mean(0)
        centers = k_means(_direction(features, offset), self.out_channels, seed)
        self.offset.copy_(offset)
        self.centers.copy_(centers)
        cluster = self.assign(features).numpy()
        counts = class_counts(cluster, self.out_channels)
        self.weights.copy_(class_weights(counts, self.settings.cluster_weight_power))
        table = np.zeros((len(self.frequent_in_patch), self.out_channels))
        np.add.at(table, (patch.numpy(), cluster), 1)
        largest = counts.argmax()
        self.frequent.fill_(int(largest))
        self.frequent_in_patch.copy_(torch.from_numpy(np.where(table.any(1), table.argmax(1), largest)))

    def assign(self, features: Tensor) -> Tensor:
        """[S, C_2D] -> int64 [S], the cluster of each."""
        nearest: Tensor = (_direction(features, self.offset) @ self.centers.T).argmax(1)
        return nearest

    def loss(self, predicted: Tensor, voxels: SeenVoxels) -> Tensor:
        cluster = self.assign(voxels.features)
        loss = F.cross_entropy(predicted, cluster, self.weights)
        return loss + lovasz_softmax(predicted.softmax(-1), cluster)

    def quality(self, predicted: Tensor, voxels: SeenVoxels) -> Tensor:
        return (predicted.argmax(1) == self.assign(voxels.features)).float()

    def guesses(self, voxels: SeenVoxels) -> dict[str, Tensor]:
        clusters = {
            "constant": self.frequent.expand(len(voxels.patch)),
            "position": self.frequent_in_patch[voxels.patch],
        }
        return {name: F.one_hot(cluster, self.out_channels).float() for name, cluster in clusters.items()}


def make_target(encoder: ImageEncoderConfig, settings: DistillationConfig) -> DistillationTarget:
    """The target that a configuration names."""
    return ClusterTarget(encoder, settings) if settings.target == "clusters" else CosineTarget(encoder)


def _direction(features: Tensor, offset: Tensor) -> Tensor:
    return F.normalize(features - offset, dim=-1)


def _seen_points(scan: LabeledScan) -> tuple[Tensor, Tensor]:
    """Image features [S, C_2D] and patch [S] of a scan's visible points."""
    assert scan.images is not None, "only scans with images are distilled"
    images = ImageFeatures(*map(torch.from_numpy, (scan.images.features, scan.images.patch, scan.images.weight)))
    voxels = seen_voxels(images)
    return voxels.features, voxels.patch


def _visible_points(scans: Sequence[LabeledScan], seed: int) -> tuple[Tensor, Tensor]:
    """Image features and patch of points of all scans, at most about _SAMPLED_POINTS of them."""
    rng = np.random.default_rng([seed, 4])
    features, patches = [], []
    for scan in scans:
        of_scan, patch = _seen_points(scan)
        kept = torch.from_numpy(rng.permutation(len(patch))[: -(-_SAMPLED_POINTS // len(scans))])
        features.append(of_scan[kept])
        patches.append(patch[kept])
    return torch.cat(features), torch.cat(patches)
