"""What a network is taught about the voxels that a camera sees."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ditr_train.config.model_config import ImageEncoderConfig
from ditr_train.config.training_config import DistillationConfig
from ditr_train.data.scans import LabeledScan
from ditr_train.data.stored_scans import surveyed
from ditr_train.evaluation.metrics import ConfusionMatrix
from ditr_train.methods.feature_clusters import FeatureClusters
from ditr_train.methods.losses import class_counts, lovasz_softmax
from ditr_train.methods.places import PLACES, PlaceIntervals, range_and_height
from ditr_train.model.tables import ImageFeatures

_SAMPLED_POINTS = 40_000
"""Visible points, over all scans, that clusters are found from."""


class SeenVoxels(NamedTuple):
    """The S voxels of a scan that a camera sees."""

    seen: Tensor
    """bool [V_0] which they are"""
    features: Tensor
    """[S, C_2D] their image features"""


def seen_voxels(images: ImageFeatures) -> SeenVoxels:
    """The voxels with image features, and these."""
    seen = images.voxel_patch_weight.amax(1) > 0
    patch, weight = images.voxel_patch[seen].long(), images.voxel_patch_weight[seen]
    return SeenVoxels(seen, (images.features[patch] * weight[:, :, None]).sum(1))


class Tally(ABC):
    """Scores predictions over several scans."""

    @abstractmethod
    def add(self, predicted: Tensor, voxels: SeenVoxels) -> None:
        """predicted [S, out_channels]"""

    @abstractmethod
    def value(self) -> float:
        """1 if all was predicted perfectly."""


class DistillationTarget(PlaceIntervals, ABC):
    """Turns image features into something to learn; what it needs to know of the scans is part of a checkpoint."""

    measure: str
    """Name of the score that a Tally gives."""
    out_channels: int
    """Channels of a prediction."""

    def fit(self, scans: Sequence[LabeledScan], seed: int) -> None:
        """Takes what it needs from scans with images."""
        features, places = _visible_points(scans, seed)
        self.fit_places(places)
        self.fit_features(features, self.place(places), seed)

    @abstractmethod
    def fit_features(self, features: Tensor, place: Tensor, seed: int) -> None:
        """Takes what it needs from features [S, C_2D] of visible points and their places int64 [S]."""

    @abstractmethod
    def loss(self, predicted: Tensor, voxels: SeenVoxels) -> Tensor:
        """predicted [S, out_channels] -> scalar; S is not 0."""

    @abstractmethod
    def tally(self) -> Tally:
        """An empty tally."""

    @abstractmethod
    def guesses(self, place: Tensor) -> dict[str, Tensor]:
        """Predictions [S, out_channels] of who sees no shape: `constant` knows nothing, `place` the range and the
        height of a voxel. A network that is no better has learned nothing that its input did not say."""


class CosineTarget(DistillationTarget):
    """The image features themselves, with 1 - cosine similarity as loss (DITR, arXiv 2503.18944).

    Its plain mean is all about what is frequent, ground and walls. With a cluster_weight_power above 0, voxels whose
    features are of a rare kind weigh more, as classes do in training.
    """

    measure = "cosine"
    mean: Tensor
    """[C_2D] mean direction of the features of visible points"""
    place_mean: Tensor
    """[PLACES**2, C_2D] the same of each place"""

    def __init__(self, feature_dimension: int, settings: DistillationConfig) -> None:
        super().__init__()
        self.out_channels = feature_dimension
        self.clusters = FeatureClusters(feature_dimension, settings) if settings.cluster_weight_power > 0 else None
        self.register_buffer("place_mean", torch.zeros(PLACES**2, feature_dimension))
        self.register_buffer("mean", torch.zeros(feature_dimension))

    def fit_features(self, features: Tensor, place: Tensor, seed: int) -> None:
        directions = F.normalize(features, dim=-1)
        self.mean.copy_(directions.mean(0))
        total = torch.zeros_like(self.place_mean).index_add_(0, place, directions)
        count = torch.bincount(place, minlength=len(total))[:, None]
        self.place_mean.copy_(torch.where(count > 0, total / count.clamp(min=1), self.mean))
        if self.clusters is not None:
            self.clusters.fit(features, seed)

    def loss(self, predicted: Tensor, voxels: SeenVoxels) -> Tensor:
        distance = 1 - F.cosine_similarity(predicted, voxels.features, dim=-1)
        if self.clusters is None:
            return distance.mean()
        weights = self.clusters.weights[self.clusters.assign(voxels.features)]
        return (distance * weights).sum() / weights.sum()

    def tally(self) -> Tally:
        return _MeanCosine()

    def guesses(self, place: Tensor) -> dict[str, Tensor]:
        return {"constant": self.mean.expand(len(place), -1), "place": self.place_mean[place]}


class ClusterTarget(DistillationTarget):
    """Which of K clusters of image features a voxel belongs to; the loss is that of training on labels.

    Clusters are found without labels, by k-means. Cross-entropy and Lovasz-softmax give rare kinds of things
    their share of the gradient.
    """

    measure = "cluster_miou"
    frequent: Tensor
    """int64 scalar, the largest cluster"""
    frequent_in_place: Tensor
    """int64 [PLACES**2], the largest of each place"""

    def __init__(self, feature_dimension: int, settings: DistillationConfig) -> None:
        super().__init__()
        self.out_channels = settings.clusters
        self.clusters = FeatureClusters(feature_dimension, settings)
        self.register_buffer("frequent", torch.zeros((), dtype=torch.int64))
        self.register_buffer("frequent_in_place", torch.zeros(PLACES**2, dtype=torch.int64))

    def fit_features(self, features: Tensor, place: Tensor, seed: int) -> None:
        cluster = self.clusters.fit(features, seed).numpy()
        table = np.zeros((len(self.frequent_in_place), self.out_channels))
        np.add.at(table, (place.numpy(), cluster), 1)
        largest = class_counts(cluster, self.out_channels).argmax()
        self.frequent.fill_(int(largest))
        self.frequent_in_place.copy_(torch.from_numpy(np.where(table.any(1), table.argmax(1), largest)))

    def loss(self, predicted: Tensor, voxels: SeenVoxels) -> Tensor:
        cluster = self.clusters.assign(voxels.features)
        loss = F.cross_entropy(predicted, cluster, self.clusters.weights)
        return loss + lovasz_softmax(predicted.softmax(-1), cluster)

    def tally(self) -> Tally:
        return _ClusterIou(self)

    def guesses(self, place: Tensor) -> dict[str, Tensor]:
        clusters = {"constant": self.frequent.expand(len(place)), "place": self.frequent_in_place[place]}
        return {name: F.one_hot(cluster, self.out_channels).float() for name, cluster in clusters.items()}


class _MeanCosine(Tally):
    """Mean cosine similarity over all voxels."""

    def __init__(self) -> None:
        self.total, self.count = 0.0, 0

    def add(self, predicted: Tensor, voxels: SeenVoxels) -> None:
        self.total += float(F.cosine_similarity(predicted, voxels.features, dim=-1).sum())
        self.count += len(predicted)

    def value(self) -> float:
        return self.total / max(1, self.count)


class _ClusterIou(Tally):
    """Mean intersection over union of the clusters that occur: what is rare counts as much as what is frequent."""

    def __init__(self, target: ClusterTarget) -> None:
        self.target = target
        self.confusion = ConfusionMatrix([str(cluster) for cluster in range(target.out_channels)])

    def add(self, predicted: Tensor, voxels: SeenVoxels) -> None:
        cluster = self.target.clusters.assign(voxels.features)
        self.confusion.add(cluster.cpu().numpy(), predicted.argmax(1).cpu().numpy())

    def value(self) -> float:
        return self.confusion.miou()


def make_target(encoder: ImageEncoderConfig, settings: DistillationConfig) -> DistillationTarget:
    """The target that a configuration names, of the features of all its scales."""
    channels = encoder.feature_dimension * len(settings.scales)
    return ClusterTarget(channels, settings) if settings.target == "clusters" else CosineTarget(channels, settings)


def _visible_points(scans: Sequence[LabeledScan], seed: int) -> tuple[Tensor, Tensor]:
    """Image features, and range and height, of points of all scans, at most about _SAMPLED_POINTS of them."""
    rng = np.random.default_rng([seed, 4])
    features, places = [], []
    scans = surveyed(scans, images=True)
    for scan in scans:
        assert scan.images is not None, "only scans with images are distilled"
        images = ImageFeatures(*map(torch.from_numpy, (scan.images.features, scan.images.patch, scan.images.weight)))
        points = seen_voxels(images)
        kept = torch.from_numpy(rng.permutation(len(points.features))[: -(-_SAMPLED_POINTS // len(scans))])
        features.append(points.features[kept])
        places.append(range_and_height(scan)[points.seen][kept])
    return torch.cat(features), torch.cat(places)
