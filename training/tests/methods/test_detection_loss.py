"""Matching and losses against brute force and hand-computed cases."""

import math
from itertools import permutations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from conftest import replace

from ditr_train.config.detection_config import DetectionTrainingConfig
from ditr_train.data.boxes import Boxes
from ditr_train.methods.detection_loss import (
    angle_parts,
    detection_loss,
    layer_loss,
    match_boxes,
    token_loss,
    token_targets,
)
from ditr_train.model.box_overlap import generalized_overlap
from ditr_train.model.detection_head import BoxPrediction, HeadOutput

SETTINGS = DetectionTrainingConfig(steps=1, scans_per_step=1, learning_rate=1e-3)
PARTS = 4


def prediction(generator: torch.Generator, queries: int, classes: int = 2) -> BoxPrediction:
    def values(columns):
        return torch.randn(queries, columns, generator=generator, dtype=torch.float64)

    return BoxPrediction(values(classes + 1), 3 * values(3), values(3) / 3, values(PARTS), values(PARTS) / 2)


def truth(generator: torch.Generator, count: int) -> tuple[torch.Tensor, torch.Tensor]:
    boxes = 3 * torch.randn(count, 7, generator=generator, dtype=torch.float64)
    boxes[:, 3:6] = boxes[:, 3:6].abs() + 0.3
    return boxes, torch.arange(count) % 2


@pytest.mark.parametrize("seed", range(3))
def test_no_other_matching_costs_less(seed):
    generator = torch.Generator().manual_seed(seed)
    found, (boxes, classes) = prediction(generator, 5), truth(generator, 3)
    settings = replace(SETTINGS, match_class=2.0, match_center=0.7, match_overlap=1.5)
    rows, columns = match_boxes(found, boxes, classes, settings)

    def cost(query: int, box: int) -> float:
        probability = found.class_logits[query].softmax(0)[classes[box]]
        distance = (found.center[query] - boxes[box, :3]).abs().sum()
        overlap = generalized_overlap(found.boxes()[query : query + 1], boxes[box : box + 1])[0]
        return float(-2 * probability + 0.7 * distance - 1.5 * overlap)

    best = min(sum(cost(q, b) for b, q in enumerate(chosen)) for chosen in permutations(range(5), 3))
    assert sorted(columns.tolist()) == [0, 1, 2]
    assert sum(cost(q, b) for q, b in zip(rows.tolist(), columns.tolist(), strict=True)) == pytest.approx(best)


def test_the_loss_of_a_layer_by_hand():
    # One query on its box and one without: center off by (1, 0, 0.5), length twice as large, heading right.
    exact = math.log(2.0)
    said = BoxPrediction(
        torch.tensor([[2.0, 0.0, 1.0], [0.0, 0.0, 3.0]], dtype=torch.float64),
        torch.tensor([[1.0, 0, 0.5], [30, 0, 0]], dtype=torch.float64),
        torch.tensor([[exact * 2, exact, exact], [0, 0, 0]], dtype=torch.float64),
        torch.tensor([[0.0, 5, 0, 0], [0, 0, 0, 0]], dtype=torch.float64),
        torch.tensor([[0.0, 0.3, 0, 0], [0, 0, 0, 0]], dtype=torch.float64),
    )
    # 100 degrees: part 1 has its middle at 90 degrees and is 90 degrees wide.
    boxes = torch.tensor([[0.0, 0, 0, 2, 2, 2, math.radians(100)]], dtype=torch.float64)
    settings = replace(SETTINGS, overlap_weight=0.0, match_overlap=0.0)
    logs = said.class_logits.log_softmax(1)
    classification = -(logs[0, 0] + 0.2 * logs[1, 2]) / 1.2
    angle = -said.angle_logits[0].log_softmax(0)[1]
    residual = 0.5 * (0.3 - 10 / 45) ** 2
    expected = classification + 1.5 + math.log(2) + 0.1 * angle + 0.5 * residual
    found = layer_loss(said, boxes, torch.tensor([0]), settings)
    assert found.item() == pytest.approx(expected.item())
    with_overlap = layer_loss(said, boxes, torch.tensor([0]), replace(settings, overlap_weight=2.0))
    yaw = math.radians(90) + 0.3 * math.radians(45)
    box = torch.tensor([[1.0, 0, 0.5, 4, 2, 2, yaw]], dtype=torch.float64)
    assert (with_overlap - found).item() == pytest.approx(2 * (1 - generalized_overlap(box, boxes)[0].item()))


def test_without_boxes_all_queries_learn_to_be_none():
    found = prediction(torch.Generator().manual_seed(0), 4)
    loss = layer_loss(found, torch.zeros(0, 7, dtype=torch.float64), torch.zeros(0, dtype=torch.int64), SETTINGS)
    assert loss.item() == pytest.approx(-found.class_logits.log_softmax(1)[:, 2].mean().item())


def test_parts_of_the_circle_give_the_angle_back():
    yaw = torch.linspace(-9, 9, 997, dtype=torch.float64)
    for parts in (2, 5, 12):
        part, residual = angle_parts(yaw, parts)
        assert residual.abs().max() <= 1 and part.min() == 0 and part.max() == parts - 1
        filled = residual[:, None].expand(-1, parts)
        logits = F.one_hot(part, parts).double()
        nothing = torch.zeros(len(yaw), 3, dtype=torch.float64)
        said = BoxPrediction(nothing, nothing, nothing, logits, filled).boxes()[:, 6]
        assert said.abs().max() <= math.pi + 1e-9
        np.testing.assert_allclose(np.exp(1j * said.numpy()), np.exp(1j * yaw.numpy()), atol=1e-9)


def test_every_layer_counts():
    generator = torch.Generator().manual_seed(1)
    boxes, classes = truth(generator, 2)
    boxes = boxes.float()
    layers = [BoxPrediction(*(x.float() for x in prediction(generator, 6))) for _ in range(3)]
    there = Boxes(boxes.double().numpy(), classes.numpy(), np.ones(2, np.int64))
    loss = detection_loss(HeadOutput(layers, None), there, np.zeros((0, 3), np.float32), SETTINGS)
    each = [layer_loss(layer, boxes, classes, SETTINGS).item() for layer in layers]
    assert loss.item() == pytest.approx(sum(each), rel=1e-5)


def test_tokens_of_a_box_and_the_nearest_one_are_wanted():
    positions = np.array([[0, 0, 0], [0.4, 0, 0], [0.6, 0, 0], [9, 0, 0], [12, 0, 0]], np.float32)
    boxes = np.array([[0, 0, 0, 1, 1, 1, 0], [10.0, 0, 0, 0.5, 0.5, 1, 0]])
    assert token_targets(positions, boxes).tolist() == [True, True, False, True, False]
    assert not token_targets(positions, boxes[:0]).any()
    # Of many the four that are closest to the middle.
    row = np.zeros((9, 3), np.float32)
    row[:, 0] = np.arange(9) / 10
    assert np.flatnonzero(token_targets(row, np.array([[0.31, 0, 0, 2, 1, 1, 0]]))).tolist() == [2, 3, 4, 5]


def test_the_focal_loss_by_hand():
    p = 0.8
    logit = math.log(p / (1 - p))
    found = token_loss(torch.tensor([logit, logit]), torch.tensor([True, False]))
    expected = 0.25 * (1 - p) ** 2 * -math.log(p) + 0.75 * p**2 * -math.log(1 - p)
    assert found.item() == pytest.approx(expected, rel=1e-5)
