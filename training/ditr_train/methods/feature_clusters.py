"""Kinds of image features, found without labels."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ditr_train.config.model_config import ConfigError
from ditr_train.config.training_config import DistillationConfig
from ditr_train.methods.clustering import k_means
from ditr_train.methods.losses import class_counts, class_weights


class FeatureClusters(nn.Module):
    """K clusters of the directions of features from their mean, and a weight for each."""

    offset: Tensor
    """[C_2D] mean feature of visible points: clusters are of directions from there"""
    centers: Tensor
    """[K, C_2D] unit vectors"""
    weights: Tensor
    """[K], the share of each among the visible points to minus the power of the settings"""

    def __init__(self, feature_dimension: int, settings: DistillationConfig) -> None:
        super().__init__()
        self.power = settings.cluster_weight_power
        self.register_buffer("offset", torch.zeros(feature_dimension))
        self.register_buffer("centers", torch.zeros(settings.clusters, feature_dimension))
        self.register_buffer("weights", torch.ones(settings.clusters))

    def fit(self, features: Tensor, seed: int) -> Tensor:
        """Finds the clusters of features [S, C_2D] of visible points; int64 [S], the cluster of each.

        Raises ConfigError when there are more clusters than points.
        """
        count = len(self.centers)
        if len(features) < count:
            raise ConfigError(
                f"distillation.clusters: {count} clusters cannot be found in {len(features)} visible points"
            )
        self.offset.copy_(features.mean(0))
        self.centers.copy_(k_means(self._direction(features), count, seed))
        cluster = self.assign(features)
        self.weights.copy_(class_weights(class_counts(cluster.numpy(), count), self.power))
        return cluster

    def assign(self, features: Tensor) -> Tensor:
        """[S, C_2D] -> int64 [S], the cluster of each."""
        nearest: Tensor = (self._direction(features) @ self.centers.T).argmax(1)
        return nearest

    def _direction(self, features: Tensor) -> Tensor:
        return F.normalize(features - self.offset, dim=-1)
