"""Losses of semantic segmentation."""

from __future__ import annotations

import torch
from torch import Tensor


def lovasz_softmax(probabilities: Tensor, label: Tensor) -> Tensor:
    """A convex surrogate of 1 - mIoU over the classes that occur.

    Berman, Triki, Blaschko, The Lovasz-Softmax loss, CVPR 2018, algorithm 1 and section 3.
    probabilities [N, C], label int64 [N] within 0..C-1.
    """
    losses = []
    for index in torch.unique(label):
        truth = (label == index).to(probabilities.dtype)
        errors, order = (truth - probabilities[:, index]).abs().sort(descending=True)
        losses.append(errors @ _jaccard_gradient(truth[order]))
    return torch.stack(losses).mean() if losses else probabilities.sum() * 0


def _jaccard_gradient(truth: Tensor) -> Tensor:
    """Gradient of the Lovasz extension of the Jaccard loss at errors sorted from large to small."""
    total = truth.sum()
    intersection = total - truth.cumsum(0)
    union = total + (1 - truth).cumsum(0)
    jaccard = 1 - intersection / union
    return torch.cat([jaccard[:1], jaccard[1:] - jaccard[:-1]])
