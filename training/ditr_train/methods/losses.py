"""Losses of semantic segmentation."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from ditr_train.data.scans import IGNORED


def supervised_loss(logits: Tensor, label: Tensor, weights: Tensor, lovasz_weight: float) -> Tensor:
    """Weighted cross-entropy plus Lovasz-softmax over the labelled of logits [N, C] and label int64 [N]."""
    known = label != IGNORED
    if not known.any():
        return logits.sum() * 0
    logits, label = logits[known], label[known]
    loss = F.cross_entropy(logits, label, weights)
    return loss + lovasz_weight * lovasz_softmax(logits.softmax(-1), label) if lovasz_weight else loss


def lovasz_softmax(probabilities: Tensor, label: Tensor) -> Tensor:
    """A convex surrogate of 1 - mIoU over the classes that occur.

    Berman, Triki, Blaschko, The Lovasz-Softmax loss, CVPR 2018, algorithm 1 and section 3.
    probabilities [N, C], label int64 [N] within 0..C-1.
    """
    if len(label) == 0:
        return probabilities.sum() * 0
    classes = torch.unique(label)
    truth = (label == classes[:, None]).to(probabilities.dtype)
    errors, order = (truth - probabilities.T.index_select(0, classes)).abs().sort(dim=1, descending=True)
    loss: Tensor = (errors * jaccard_gradient(truth.gather(1, order))).sum(1).mean()
    return loss


def jaccard_gradient(truth: Tensor) -> Tensor:
    """Gradients [C, N] of the Lovasz extension of the Jaccard loss at errors sorted from large to small."""
    total = truth.sum(1, keepdim=True)
    intersection = total - truth.cumsum(1)
    union = total + (1 - truth).cumsum(1)
    jaccard = 1 - intersection / union
    return torch.cat([jaccard[:, :1], jaccard[:, 1:] - jaccard[:, :-1]], dim=1)


def class_counts(label: npt.NDArray[np.integer], classes: int) -> npt.NDArray[np.float64]:
    """[classes] how often each class occurs; negative labels are left out."""
    return np.bincount(label[label >= 0], minlength=classes).astype(np.float64)


def class_weights(counts: npt.NDArray[np.float64] | float, power: float) -> Tensor:
    """[classes] share of each class to minus `power`, with a mean of 1 over all that was counted."""
    counted = np.asarray(counts)
    share = counted / max(1.0, counted.sum())
    # A class that never occurs is never the target either; its weight has no effect.
    weights = np.where(share > 0, np.maximum(share, 1e-6) ** -power, 0.0)
    return torch.from_numpy((weights / max(1e-12, float((weights * share).sum()))).astype(np.float32))
