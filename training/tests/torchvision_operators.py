"""Operators of torchvision where its own do not load: torchvision of PyPI needs PyTorch with CUDA for them, and cannot
even be imported without two. To be imported before transformers and timm."""

import torch


def greedy_nms(boxes: torch.Tensor, scores: torch.Tensor, iou_threshold: float) -> torch.Tensor:
    """Indices of the boxes [N, 4] (x0, y0, x1, y1) that no better one overlaps by more, the best first."""
    kept: list[int] = []
    x0, y0, x1, y1 = boxes.double().unbind(1)
    area = (x1 - x0) * (y1 - y0)
    for i in scores.argsort(descending=True, stable=True).tolist():
        over = []
        for j in kept:
            width = float(min(x1[i], x1[j]) - max(x0[i], x0[j]))
            height = float(min(y1[i], y1[j]) - max(y0[i], y0[j]))
            over.append(max(0.0, width) * max(0.0, height))
        if all(inter <= iou_threshold * float(area[i] + area[j] - inter) for inter, j in zip(over, kept, strict=True)):
            kept.append(i)
    return torch.tensor(kept, dtype=torch.int64)


LIBRARY = torch.library.Library("torchvision", "FRAGMENT")
for operator in ("nms", "qnms"):
    if not hasattr(torch.ops.torchvision, operator):
        LIBRARY.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        LIBRARY.impl(operator, greedy_nms, "CPU")
