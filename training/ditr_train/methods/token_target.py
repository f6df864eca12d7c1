"""Features of region tokens as something to learn: the group-balanced loss, its score, and guesses to stand beside."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from tqdm import tqdm

from ditr_train.config.model_config import ConfigError
from ditr_train.data.scans import LabeledScan
from ditr_train.methods.clustering import k_means
from ditr_train.methods.losses import class_counts, class_weights
from ditr_train.methods.places import PLACES, PlaceIntervals

MEASURE = "group_cosine"
"""Name of the score: the mean over the groups of the mean cosine similarity over a group's tokens. Features are
standardized, so that a prediction that is the same everywhere reaches about 0."""

TokenLoss = Literal["smooth-l1", "cosine"]


class TokenTarget(PlaceIntervals):
    """Token features, standardized by channel over the tokens of the training scans, and the groups they fall in."""

    offset: Tensor
    """[C] mean feature"""
    scale: Tensor
    """[C] standard deviation"""
    centers: Tensor
    """[G, C] unit vectors, directions of standardized features"""
    weights: Tensor
    """[G] of the loss: the share of the tokens that are in a group to minus weight_power, 1 on average over tokens"""
    typical: Tensor
    """[C] mean standardized feature, each group with its weight: the best guess that knows nothing"""
    typical_in_place: Tensor
    """[PLACES**2, C] the same of each place"""

    def __init__(self, channels: int, groups: int, weight_power: float, loss: TokenLoss) -> None:
        super().__init__()
        self.weight_power, self.kind = weight_power, loss
        self.register_buffer("offset", torch.zeros(channels))
        self.register_buffer("scale", torch.ones(channels))
        self.register_buffer("centers", torch.zeros(groups, channels))
        self.register_buffer("weights", torch.ones(groups))
        self.register_buffer("typical", torch.zeros(channels))
        self.register_buffer("typical_in_place", torch.zeros(PLACES**2, channels))

    def fit(self, tokens: Tensor, range_and_height: Tensor, seed: int) -> None:
        """tokens [T, C] of the training scans, their range and height [T, 2] in metres."""
        groups = len(self.centers)
        if len(tokens) < groups:
            raise ConfigError(f"groups: {groups} groups cannot be found in {len(tokens)} regions")
        self.fit_places(range_and_height)
        self.offset.copy_(tokens.mean(0))
        self.scale.copy_(tokens.std(0, correction=0).clamp(min=1e-6))
        features = self.standardize(tokens)
        self.centers.copy_(k_means(F.normalize(features, dim=-1), groups, seed))
        group = self.group(features)
        self.weights.copy_(class_weights(class_counts(group.numpy(), groups), self.weight_power))
        # As in the score, all groups count the same.
        balance = class_weights(class_counts(group.numpy(), groups), 1.0)[group][:, None]
        self.typical.copy_((features * balance).sum(0) / balance.sum())
        place = self.place(range_and_height)
        total = torch.zeros_like(self.typical_in_place).index_add_(0, place, features * balance)
        share = torch.zeros(len(total), 1).index_add_(0, place, balance)
        self.typical_in_place.copy_(torch.where(share > 0, total / share.clamp(min=1e-12), self.typical))

    def standardize(self, tokens: Tensor) -> Tensor:
        """[T, C] -> [T, C]"""
        return (tokens - self.offset) / self.scale

    def group(self, features: Tensor) -> Tensor:
        """Standardized features [T, C] -> int64 [T]"""
        nearest: Tensor = (F.normalize(features, dim=-1) @ self.centers.T).argmax(1)
        return nearest

    def loss(self, predicted: Tensor, tokens: Tensor) -> Tensor:
        """Group-balanced loss of predicted standardized features [T, C]; T is not 0."""
        features = self.standardize(tokens)
        weights = self.weights[self.group(features)]
        return (weights * self.difference(predicted, features)).mean()

    def dense_loss(self, predicted: Tensor, features: Tensor) -> Tensor:
        """The same of image features [S, C] of single voxels, of which there are some: each has the weight of the group
        that its own features are in, over the sum of the weights."""
        truth = self.standardize(features)
        weights = self.weights[self.group(truth)]
        # Groups without a region have no weight, and a scan may have no others.
        return (weights * self.difference(predicted, truth)).sum() / weights.sum().clamp(min=1e-6)

    def difference(self, predicted: Tensor, features: Tensor) -> Tensor:
        """[T, C] each -> [T]"""
        if self.kind == "cosine":
            return 1 - F.cosine_similarity(predicted, features, dim=-1)
        return F.smooth_l1_loss(predicted, features, reduction="none").mean(-1)

    def guesses(self, range_and_height: Tensor) -> dict[str, Tensor]:
        """Predictions [T, C] of who sees no shape: `constant` knows nothing, `place` the range and the height of a
        region. A network that is no better has learned nothing that these do not say."""
        place = self.place(range_and_height)
        return {"constant": self.typical.expand(len(place), -1), "place": self.typical_in_place[place]}


class Prediction(NamedTuple):
    """What was predicted of the T tokens of a scan."""

    features: Tensor
    """[T, C] predicted standardized features"""
    tokens: Tensor
    """[T, C]"""
    range_and_height: Tensor
    """[T, 2] in metres"""


def token_scores(
    target: TokenTarget, scans: Sequence[LabeledScan], predict: Callable[[int, LabeledScan], Prediction], progress: bool
) -> dict[str, Any]:
    """MEASURE of a network, `predict` of the index of a scan and the scan, and of the guesses."""
    tallies: dict[str, GroupCosine] = {}
    for index, scan in enumerate(tqdm(scans, desc="evaluating", unit="scan", disable=not progress)):
        with torch.no_grad():
            predicted, tokens, place = predict(index, scan)
        guesses = {f"{guess}_{MEASURE}": features for guess, features in target.guesses(place).items()}
        for name, features in ({MEASURE: predicted.float()} | guesses).items():
            tallies.setdefault(name, GroupCosine(target)).add(features, tokens)
    return {name: tally.value() for name, tally in tallies.items()} | {"scans": len(scans)}


class GroupCosine:
    """Adds up MEASURE over several scans."""

    def __init__(self, target: TokenTarget) -> None:
        self.target = target
        self.total = np.zeros(len(target.centers))
        self.count = np.zeros(len(target.centers))

    def add(self, predicted: Tensor, tokens: Tensor) -> None:
        """predicted [T, C] standardized features of tokens [T, C]"""
        features = self.target.standardize(tokens)
        group = self.target.group(features).cpu().numpy()
        cosine = F.cosine_similarity(predicted, features, dim=-1).cpu().numpy()
        self.total += np.bincount(group, cosine, len(self.total))
        self.count += np.bincount(group, minlength=len(self.count))

    def value(self) -> float:
        """Over the groups that occurred; 1 if all was predicted perfectly, 0 if nothing occurred."""
        occurred = self.count > 0
        return float((self.total[occurred] / self.count[occurred]).mean()) if occurred.any() else 0.0
