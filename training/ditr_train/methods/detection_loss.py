"""What a detection head learns from: one query for each box, found by Hungarian matching, and no object for the others.

As criterion.py of 3DETR (Misra et al., ICCV 2021), with metres and logarithms of sizes in place of shares of the scene.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from ditr_train.config.detection_config import DetectionTrainingConfig
from ditr_train.data.boxes import Boxes
from ditr_train.geometry.boxes import points_within
from ditr_train.model.box_overlap import generalized_overlap
from ditr_train.model.detection_head import BoxPrediction, HeadOutput

_FOCUS, _BALANCE = 2.0, 0.25
"""gamma and alpha of the focal loss (Lin et al., ICCV 2017), for token scores as in GroupFree3D."""
CLOSEST = 4
"""Tokens of a box that are wanted as queries: the k closest points of GroupFree3D (arXiv 2104.00678, section 3.2)."""


def match_boxes(
    prediction: BoxPrediction, boxes: Tensor, classes: Tensor, settings: DetectionTrainingConfig
) -> tuple[Tensor, Tensor]:
    """boxes [B, 7], classes int64 [B] -> int64 rows [M] of queries and [M] of their boxes, M = min(q, B), at the least
    total cost."""
    with torch.no_grad():
        cost = -settings.match_class * prediction.class_probabilities()[:, classes]
        cost += settings.match_center * torch.cdist(prediction.center, boxes[:, :3], p=1)
        if settings.match_overlap:
            found, pairs = prediction.boxes(), (len(cost), len(boxes))
            overlap = generalized_overlap(
                found[:, None].expand(*pairs, -1).reshape(-1, 7), boxes[None].expand(*pairs, -1).reshape(-1, 7)
            )
            cost -= settings.match_overlap * overlap.reshape(pairs)
    rows, columns = linear_sum_assignment(cost.cpu().numpy())
    device = boxes.device
    return torch.from_numpy(rows).to(device), torch.from_numpy(columns).to(device)


def angle_parts(yaw: Tensor, parts: int) -> tuple[Tensor, Tensor]:
    """The part of the circle int64 [B] that yaws [B] in radians lie in, and where in it from -1 to 1 [B]; 0 is the
    middle of part 0."""
    width = 2 * math.pi / parts
    part = torch.floor(yaw / width + 0.5)
    return (part.long() % parts), 2 * (yaw / width - part)


def layer_loss(prediction: BoxPrediction, boxes: Tensor, classes: Tensor, settings: DetectionTrainingConfig) -> Tensor:
    """Scalar loss of what one layer says, with a matching of its own."""
    logits = prediction.class_logits
    nothing = logits.shape[1] - 1
    target = torch.full((len(logits),), nothing, device=logits.device)
    weights = logits.new_ones(nothing + 1)
    weights[nothing] = settings.no_object_weight
    if len(boxes) == 0:
        return settings.class_weight * F.cross_entropy(logits, target, weights)
    rows, columns = match_boxes(prediction, boxes, classes, settings)
    target[rows] = classes[columns]
    truth, count = boxes[columns], len(rows)
    loss = settings.class_weight * F.cross_entropy(logits, target, weights)
    loss = loss + settings.center_weight * (prediction.center[rows] - truth[:, :3]).abs().sum() / count
    size_difference = prediction.log_size[rows] - truth[:, 3:6].clamp_min(1e-2).log()
    loss = loss + settings.size_weight * size_difference.abs().sum() / count
    parts = prediction.angle_logits.shape[1]
    part, residual = angle_parts(truth[:, 6], parts)
    if parts > 1:
        loss = loss + settings.angle_class_weight * F.cross_entropy(prediction.angle_logits[rows], part)
        said = prediction.angle_residual[rows].gather(1, part[:, None]).squeeze(1)
        loss = loss + settings.angle_residual_weight * F.huber_loss(said, residual)
    if settings.overlap_weight:
        # With the heading in the right part of the circle: a wrong part is the cross-entropy's to mend.
        yaw = BoxPrediction(*(each[rows] for each in prediction)).yaw(part)
        found = torch.cat([prediction.center[rows], prediction.log_size[rows].exp(), yaw[:, None]], dim=1)
        loss = loss + settings.overlap_weight * (1 - generalized_overlap(found, truth)).sum() / count
    return loss


def token_targets(positions: npt.NDArray[np.float32], boxes: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """[V] whether tokens at positions [V, 3] are among the CLOSEST to the middle of one of the boxes [B, 7] and lie in
    it, or are the closest of all. Were all in a box wanted, large objects would take the queries of small ones."""
    target = np.zeros(len(positions), bool)
    for box, inside in zip(boxes, points_within(positions, boxes), strict=True):
        distance = np.square(positions - box[:3]).sum(axis=1)
        target[inside[np.argsort(distance[inside], kind="stable")[:CLOSEST]]] = True
        target[distance.argmin()] = True
    return target


def token_loss(scores: Tensor, target: Tensor) -> Tensor:
    """Focal loss of logits [V] against bool [V], summed and divided by the number of true ones."""
    wanted = target.to(scores.dtype)
    plain = F.binary_cross_entropy_with_logits(scores, wanted, reduction="none")
    missed = 1 - torch.exp(-plain)
    balance = _BALANCE * wanted + (1 - _BALANCE) * (1 - wanted)
    return (balance * missed**_FOCUS * plain).sum() / wanted.sum().clamp_min(1)


def detection_loss(
    output: HeadOutput, truth: Boxes, positions: npt.NDArray[np.float32], settings: DetectionTrainingConfig
) -> Tensor:
    """Scalar loss of all layers, and of the token scores where there are some, against the boxes of the scan."""
    device = output.layers[0].center.device
    boxes = torch.from_numpy(truth.boxes.astype(np.float32)).to(device)
    classes = torch.from_numpy(truth.classes).to(device)
    loss = torch.zeros((), device=device)
    for layer in output.layers:
        loss = loss + layer_loss(layer, boxes, classes, settings)
    if output.token_scores is not None:
        target = torch.from_numpy(token_targets(positions, truth.boxes)).to(device)
        loss = loss + settings.token_weight * token_loss(output.token_scores.float(), target)
    return loss
