"""k-means on unit vectors."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

_ITERATIONS = 20


def k_means(directions: Tensor, clusters: int, seed: int) -> Tensor:
    """directions [N, C] of length 1 -> centres [clusters, C] of length 1, by spherical k-means.

    Dhillon, Modha, Concept decompositions for large sparse text data using clustering, 2001; the first centres are
    those of k-means++ (Arthur, Vassilvitskii, 2007). A cluster that loses all its members keeps its centre.
    """
    generator = torch.Generator().manual_seed(seed)
    first = torch.randint(len(directions), (1,), generator=generator)
    centers = directions[first]
    nearest = directions @ centers[0]
    for _ in range(clusters - 1):
        # Squared distance of unit vectors is 2 - 2 cos; a little keeps a draw possible among equal points.
        distance = (1 - nearest).clamp(min=1e-6)
        center = directions[torch.multinomial(distance, 1, generator=generator)]
        centers = torch.cat([centers, center])
        nearest = torch.maximum(nearest, directions @ center[0])
    for _ in range(_ITERATIONS):
        members = (directions @ centers.T).argmax(1)
        total = torch.zeros_like(centers).index_add_(0, members, directions)
        length = total.norm(dim=1, keepdim=True)
        centers = torch.where(length > 1e-6, F.normalize(total, dim=1), centers)
    return centers
