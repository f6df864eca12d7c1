"""Row gathers by int32 tables, the one data movement of the backbone."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def gather_rows(rows: Tensor, index: Tensor) -> Tensor:
    """rows [V, C], index int32 of any shape with values below V -> [*index.shape, C]."""
    return F.embedding(index, rows)


def with_dummy_row(rows: Tensor, value: float) -> Tensor:
    """rows [V, C] -> [V + 1, C]: the row that a dummy index (V) reads."""
    return torch.cat([rows, rows.new_full((1, rows.shape[1]), value)])


def max_over_children(rows: Tensor, children: Tensor) -> Tensor:
    """rows [V, C], children int32 [V', 8] with V where empty -> [V', C], the largest of the children."""
    lowest = torch.finfo(rows.dtype).min
    gathered = gather_rows(with_dummy_row(rows, lowest), children)
    if torch.is_grad_enabled() and not torch.compiler.is_exporting():
        # The gradient of max goes to one child; that of amax is shared among equals, and four times slower.
        return gathered.max(dim=1).values
    return gathered.amax(dim=1)
