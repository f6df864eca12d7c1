"""The segmentation loss where labels may leave open which of several classes a voxel has.

Of a voxel whose class is one of a set only the sum of the set's probabilities is asked for (learning from partial
labels; Jin and Ghahramani, Learning with Multiple Labels, NIPS 2002). With single classes alone this is the plain loss.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ditr_train.data.candidate_labels import CandidateLabels
from ditr_train.data.scans import IGNORED, LabeledScan
from ditr_train.data.stored_scans import surveyed
from ditr_train.engine.scan_order import ScanGroup
from ditr_train.methods.losses import class_counts, jaccard_gradient


@dataclass(frozen=True)
class Targets:
    """What each of V voxels may be: sets of classes with weights, single classes among them."""

    sets: Tensor
    """bool [K, C], each once"""
    index: Tensor
    """int64 [V, J] into the sets"""
    weight: Tensor
    """[V, J], 0 where nothing is known"""

    @classmethod
    def of(cls, label: Tensor, candidates: CandidateLabels, classes: int) -> Targets:
        """label int64 [V], IGNORED where there is no single class; candidates of the same voxels."""
        device = label.device
        known = label != IGNORED
        single = torch.eye(classes, dtype=torch.bool, device=device)
        index = torch.from_numpy(candidates.target).to(device).long() + classes
        weight = torch.from_numpy(candidates.weight).to(device)
        # Of several scans each has its own list of sets: what is the same set must count as one.
        rows = torch.cat([single, torch.from_numpy(candidates.sets).to(device)])
        sets, of_row = torch.unique(rows, dim=0, return_inverse=True)
        return cls(
            sets,
            of_row[torch.cat([label.clamp(min=0)[:, None], index], dim=1)],
            torch.cat([known[:, None].float(), weight * ~known[:, None]], dim=1),
        )

    def known(self) -> Targets:
        """Of the voxels of which something is known."""
        rows = self.weight.sum(1) > 0
        return Targets(self.sets, self.index[rows], self.weight[rows])


def candidate_cross_entropy(logits: Tensor, targets: Targets, set_weight: Tensor) -> Tensor:
    """The weighted mean of -log of the summed probability of a voxel's sets. logits [V, C], set_weight [K].

    As in F.cross_entropy with class weights, the sum is divided by that of the weights.
    """
    hidden = torch.zeros(targets.sets.shape, device=logits.device).masked_fill_(~targets.sets, -torch.inf)
    used, index = torch.unique(targets.index, return_inverse=True)
    log_set = torch.stack([(logits + hidden[k]).logsumexp(1) for k in used], dim=1) - logits.logsumexp(1, keepdim=True)
    weight = targets.weight * set_weight[targets.index]
    return -(weight * log_set.gather(1, index)).sum() / weight.sum().clamp(min=1e-12)


def candidate_lovasz(probabilities: Tensor, targets: Targets) -> Tensor:
    """Lovasz-softmax over all sets that occur as the heaviest of a voxel, each as a class of its own.

    The probability of a set is the sum over its classes. Of a set S, voxels whose set lies within S are right, those
    whose set has no class of S are wrong, and others, such as "road or sidewalk" for S = road, do not count. A
    voxel's error counts by its weight. With single classes of weight 1 this is `lovasz_softmax`.
    """
    if len(targets.index) == 0:
        return probabilities.sum() * 0
    weight, heaviest = targets.weight.max(1)
    own = targets.index.gather(1, heaviest[:, None])[:, 0]
    occurring, own = torch.unique(own, return_inverse=True)
    sets = targets.sets[occurring].float()
    overlap, size = sets @ sets.T, sets.sum(1)
    # [T, T] of set by own set
    within = overlap == size
    apart = overlap == 0
    truth = within[:, own].to(probabilities.dtype)
    counts = (within | apart)[:, own]
    # An error of 0 comes last, where it adds nothing to the extension: the same as leaving the voxel out.
    errors = (truth - sets @ probabilities.T).abs() * weight.clamp(max=1) * counts
    errors, order = errors.sort(dim=1, descending=True)
    loss: Tensor = (errors * jaccard_gradient(truth.gather(1, order))).sum(1).mean()
    return loss


def count_labels(
    scans: Sequence[LabeledScan], classes: int, groups: Sequence[ScanGroup] = ()
) -> npt.NDArray[np.float64]:
    """[classes] how often each class occurs in the scans that are surveyed, candidate labels included; with groups, how
    often it is seen in a scan on average."""
    if groups:
        total, counts, first = sum(group.share for group in groups), np.zeros(classes), 0
        for group in groups:
            members = scans[first : first + group.scans]
            counts += group.share / total * count_labels(members, classes) / len(surveyed(members, images=False))
            first += group.scans
        return counts
    counts = np.zeros(classes)
    for scan in surveyed(scans, images=False):
        counts += class_counts(scan.label, classes)
        if scan.candidates is not None:
            counts += scan.candidates.where(scan.label == IGNORED).class_counts()
    return counts


def set_weights(counts: npt.NDArray[np.float64], sets: npt.NDArray[np.bool_], power: float) -> Tensor:
    """[K] weight of each set: the share of its classes together to minus `power`, on the scale of `class_weights`."""
    share = counts / max(1.0, counts.sum())
    occurs = np.maximum(share, 1e-6) ** -power * (share > 0)
    scale = max(1e-12, float((occurs * share).sum()))
    return torch.from_numpy((np.maximum(sets @ share, 1e-6) ** -power / scale).astype(np.float32))
