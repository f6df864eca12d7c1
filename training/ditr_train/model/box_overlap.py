"""Generalized overlap of boxes, with gradients: what a detector is matched and trained by.

Rezatofighi et al., Generalized Intersection over Union, CVPR 2019. Its enclosing box lies along the axes of the second
box, so that nothing depends on how the scene is turned. geometry/boxes.py says what a box is.
"""

from __future__ import annotations

import torch
from torch import Tensor

_SIGNS = ((1.0, 1.0), (-1.0, 1.0), (-1.0, -1.0), (1.0, -1.0))
_SLACK = 1e-5
"""Metres by which a corner may lie outside of a box that it touches."""


def generalized_overlap(first: Tensor, second: Tensor) -> Tensor:
    """Pairs of boxes [K, 7] -> [K], from -1 (far apart) to 1 (equal): intersection over union, minus the share of the
    enclosing box that neither fills."""
    corners = _corners_in_frame(first, second)
    half = second[:, 3:5] / 2
    high = torch.minimum(first[:, 2] + first[:, 5] / 2, second[:, 2] + second[:, 5] / 2)
    low = torch.maximum(first[:, 2] - first[:, 5] / 2, second[:, 2] - second[:, 5] / 2)
    reach = (first[:, 3:5].norm(dim=1) + second[:, 3:5].norm(dim=1)) / 2
    near = ((first[:, :2] - second[:, :2]).norm(dim=1) < reach) & (high > low)
    shared = torch.zeros_like(high)
    rows = near.nonzero().squeeze(1)
    if len(rows) > 0:
        shared = shared.index_put((rows,), shared_areas(corners[rows], half[rows]) * (high - low)[rows])
    union = first[:, 3:6].prod(dim=1) + second[:, 3:6].prod(dim=1) - shared
    largest = torch.maximum(corners.amax(dim=1), half) - torch.minimum(corners.amin(dim=1), -half)
    top = torch.maximum(first[:, 2] + first[:, 5] / 2, second[:, 2] + second[:, 5] / 2)
    bottom = torch.minimum(first[:, 2] - first[:, 5] / 2, second[:, 2] - second[:, 5] / 2)
    enclosing = largest.prod(dim=1) * (top - bottom)
    return shared / union.clamp_min(1e-9) - (enclosing - union) / enclosing.clamp_min(1e-9)


def _corners_in_frame(first: Tensor, second: Tensor) -> Tensor:
    """Footprints [K, 4, 2] of the first boxes as seen from the middle of the second ones, along their axes."""
    offset = _turned(first[:, None, :2] - second[:, None, :2], -second[:, 6])
    signs = first.new_tensor(_SIGNS)
    return offset + _turned(signs * first[:, None, 3:5] / 2, first[:, 6] - second[:, 6])


def _turned(vectors: Tensor, angle: Tensor) -> Tensor:
    """[K, M, 2] by angles [K]"""
    cosine, sine = angle.cos()[:, None], angle.sin()[:, None]
    x, y = vectors.unbind(dim=2)
    return torch.stack([cosine * x - sine * y, sine * x + cosine * y], dim=2)


def shared_areas(corners: Tensor, half: Tensor) -> Tensor:
    """Areas [K] that rectangles with the corners [K, 4, 2] share with those from -half to half [K, 2].

    The shared polygon has its corners among those of both and the crossings of their edges; sorted by angle about
    their mean, they go around it.
    """
    ends = corners.roll(-1, dims=1)
    edges = ends - corners
    inside = (corners.abs() <= half[:, None] + _SLACK).all(dim=2)
    others = corners.new_tensor(_SIGNS) * half[:, None]
    # Left of all edges, which go around counterclockwise.
    from_corner = others[:, :, None] - corners[:, None]
    left = edges[:, None, :, 0] * from_corner[..., 1] - edges[:, None, :, 1] * from_corner[..., 0]
    within = (left >= -_SLACK * edges.norm(dim=2)[:, None]).all(dim=2)
    crossings, crossing = [], []
    for axis in (0, 1):
        for side in (-1.0, 1.0):
            step = edges[..., axis]
            flat = step.abs() < 1e-9
            share = (side * half[:, None, axis] - corners[..., axis]) / torch.where(flat, torch.ones_like(step), step)
            point = corners + share[..., None] * edges
            reached = point[..., 1 - axis].abs() <= half[:, None, 1 - axis] + _SLACK
            crossings.append(point)
            crossing.append(~flat & (share >= 0) & (share <= 1) & reached)
    points = torch.cat([corners, others, *crossings], dim=1)
    valid = torch.cat([inside, within, *crossing], dim=1)
    count = valid.sum(dim=1, keepdim=True)
    points = torch.where(valid[..., None], points, torch.zeros_like(points))
    points = points - (points.sum(dim=1) / count.clamp_min(1)).detach()[:, None]
    angle = torch.atan2(points[..., 1], points[..., 0]).detach()
    order = torch.where(valid, angle, torch.full_like(angle, 10.0)).argsort(dim=1)
    around = points.gather(1, order[..., None].expand(-1, -1, 2))
    # What is no corner lies on the first one, where it adds nothing.
    around = torch.where(
        (torch.arange(points.shape[1], device=points.device) < count)[..., None], around, around[:, :1]
    )
    following = around.roll(-1, dims=1)
    twice = (around[..., 0] * following[..., 1] - around[..., 1] * following[..., 0]).sum(dim=1)
    return torch.where(count.squeeze(1) >= 3, twice.clamp_min(0) / 2, torch.zeros_like(twice))
