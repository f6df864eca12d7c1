"""Boxes from the tokens of a scan by set prediction, in the manner of 3DETR (Misra et al., ICCV 2021).

As there (arXiv 2109.08141): queries at some of the tokens, a transformer decoder with self-attention among them and
attention to all tokens, Fourier features of positions (Tancik et al., NeurIPS 2020), and for each query a class or
none, a centre relative to its position, a size, and a heading as a part of the circle with a remainder. Other than
there, queries start from their tokens, as GroupFree3D's, and not from zeros; centres are in metres and sizes logarithms
of metres, both without bounds: a street is a hundred times as wide as what stands in it.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ditr_train.config.detection_config import DetectionConfig
from ditr_train.model.gather import gather_rows

_RARE = 0.01
"""What a query is taken for an object with before training, and a token for a part of one."""


class BoxPrediction(NamedTuple):
    """What one layer says of q queries."""

    class_logits: Tensor
    """[q, D + 1], the last for no object."""
    center: Tensor
    """[q, 3] metres."""
    log_size: Tensor
    """[q, 3] logarithms of length, width and height in metres."""
    angle_logits: Tensor
    """[q, A] of the parts of the circle, the middle of the first at 0."""
    angle_residual: Tensor
    """[q, A] what is to be added to the middle of a part, in halves of its width; with a single part boxes lie along
    the axes, and neither means anything."""

    def yaw(self, part: Tensor | None = None) -> Tensor:
        """[q] radians, of the likeliest part of the circle or of the given ones [q]."""
        parts = self.angle_logits.shape[1]
        if parts == 1:
            return self.angle_residual[:, 0] * 0
        chosen = self.angle_logits.argmax(1) if part is None else part
        residual = self.angle_residual.gather(1, chosen[:, None]).squeeze(1)
        return (chosen * 2.0 + residual) * (math.pi / parts)

    def boxes(self) -> Tensor:
        """[q, 7]: x, y, z, length, width, height in metres, yaw in radians within -pi and pi."""
        yaw = self.yaw()
        wrapped = torch.where(yaw > math.pi, yaw - 2 * math.pi, yaw)
        return torch.cat([self.center, self.log_size.exp(), wrapped[:, None]], dim=1)

    def class_probabilities(self) -> Tensor:
        """[q, D], that of no object left out."""
        return self.class_logits.softmax(dim=-1)[:, :-1]


class HeadOutput(NamedTuple):
    """What a detection head says of a scan."""

    layers: list[BoxPrediction]
    """Of each layer of the decoder; the last is what counts."""
    token_scores: Tensor | None
    """[V] logits of a token being part of an object, where queries are chosen by them."""


class FourierPositions(nn.Module):
    """Sines and cosines of positions along random directions, with wavelengths from short to long."""

    projection: Tensor

    def __init__(self, channels: int, wavelengths: tuple[float, float]) -> None:
        super().__init__()
        count = channels // 2
        directions = F.normalize(torch.randn(3, count), dim=0)
        shortest, longest = map(math.log, wavelengths)
        lengths = torch.linspace(shortest, longest, count).exp()
        self.register_buffer("projection", 2 * math.pi * directions / lengths)

    def forward(self, xyz: Tensor) -> Tensor:
        """xyz [V, 3] metres -> [V, channels]"""
        # No matrix product: in half precision a hundred metres would be whole wavelengths off.
        phase = sum(xyz[:, axis, None] * self.projection[axis] for axis in range(3))
        assert isinstance(phase, Tensor)
        return torch.cat([phase.sin(), phase.cos()], dim=1)


class Attention(nn.Module):
    """Multi-head attention of rows to other rows."""

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value, self.result = (nn.Linear(channels, channels) for _ in range(4))

    def forward(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """query [q, C], key and value [V, C] -> [q, C]"""
        q, k, v = self._by_head(self.query(query)), self._by_head(self.key(key)), self._by_head(self.value(value))
        mixed = F.scaled_dot_product_attention(q, k, v).transpose(1, 2)
        result: Tensor = self.result(mixed.reshape(-1, query.shape[1]))
        return result

    def _by_head(self, rows: Tensor) -> Tensor:
        """[V, C] -> [1, heads, V, C / heads]"""
        return rows.reshape(1, -1, self.heads, rows.shape[1] // self.heads).transpose(1, 2)


class DecoderLayer(nn.Module):
    """Self-attention among queries, attention to the tokens, MLP; each after a LayerNorm."""

    def __init__(self, config: DetectionConfig) -> None:
        super().__init__()
        channels = config.channels
        self.norms = nn.ModuleList(nn.LayerNorm(channels) for _ in range(3))
        self.among = Attention(channels, config.heads)
        self.across = Attention(channels, config.heads)
        self.mlp = nn.Sequential(
            nn.Linear(channels, config.feedforward_channels),
            nn.ReLU(),
            nn.Dropout(config.dropout),
            nn.Linear(config.feedforward_channels, channels),
        )
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor, position: Tensor, tokens: Tensor, token_position: Tensor) -> Tensor:
        """x, position [q, C], tokens, token_position [V, C] -> [q, C]; positions say where, not what."""
        y = self.norms[0](x)
        x = x + self.dropout(self.among(y + position, y + position, y))
        y = self.norms[1](x)
        x = x + self.dropout(self.across(y + position, tokens + token_position, tokens))
        result: Tensor = x + self.dropout(self.mlp(self.norms[2](x)))
        return result


def _mlp(channels: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(channels, channels), nn.ReLU(), nn.Linear(channels, outputs))


class DetectionHead(nn.Module):
    """Decoder and heads, which all layers share."""

    def __init__(self, token_channels: int, config: DetectionConfig) -> None:
        super().__init__()
        channels, classes = config.channels, len(config.classes)
        self.queries = config.queries
        self.token_norm = nn.LayerNorm(token_channels)
        self.token_projection = nn.Sequential(nn.Linear(token_channels, channels), _mlp(channels, channels))
        self.positions = FourierPositions(channels, config.wavelengths)
        self.position_projection = _mlp(channels, channels)
        self.token_score = nn.Linear(channels, 1) if config.query_choice == "scored" else None
        self.layers = nn.ModuleList(DecoderLayer(config) for _ in range(config.layers))
        self.norm = nn.LayerNorm(channels)
        self.class_head = _mlp(channels, classes + 1)
        self.center_head = _mlp(channels, 3)
        self.size_head = _mlp(channels, 3)
        self.angle_head = _mlp(channels, 2 * config.angle_bins)
        with torch.no_grad():
            last = self.class_head[2]
            assert isinstance(last, nn.Linear)
            last.bias.zero_()
            last.bias[-1] = math.log((1 - _RARE) / _RARE * classes)
            if self.token_score is not None:
                self.token_score.bias.fill_(math.log(_RARE / (1 - _RARE)))

    def forward(self, tokens: Tensor, token_positions: Tensor, queries: Tensor | None) -> HeadOutput:
        """tokens [V, C_t], token_positions [V, 3] metres, queries int32 [q] rows of them, or None where the tokens are
        scored."""
        tokens = self.token_projection(self.token_norm(tokens))
        where = self.position_projection(self.positions(token_positions))
        scores = None
        if self.token_score is not None:
            scores = self.token_score(tokens).squeeze(1)
            queries = best_rows(scores.detach(), self.queries)
        assert queries is not None
        start, x, position = (gather_rows(rows, queries) for rows in (token_positions, tokens, where))
        layers = []
        for layer in self.layers:
            x = layer(x, position, tokens, where)
            layers.append(self._predicted(self.norm(x), start))
        return HeadOutput(layers, scores)

    def _predicted(self, x: Tensor, start: Tensor) -> BoxPrediction:
        logits, residual = self.angle_head(x).chunk(2, dim=1)
        # In float32: half precision has no centimetres at a hundred metres.
        return BoxPrediction(
            self.class_head(x).float(),
            start + self.center_head(x).float(),
            self.size_head(x).float(),
            logits.float(),
            residual.float(),
        )


def best_rows(scores: Tensor, count: int) -> Tensor:
    """int32 [min(count, V)] the rows of the largest of scores [V], falling."""
    return torch.sort(scores, descending=True).indices[:count].to(torch.int32)
