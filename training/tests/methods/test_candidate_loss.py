"""The loss of coarse and soft labels, beside the plain loss and beside what it is by definition."""

from itertools import combinations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from conftest import make_config

from ditr_train.data.candidate_labels import CandidateLabels
from ditr_train.data.scans import IGNORED, LabeledScan
from ditr_train.engine.run_folder import RunFolder
from ditr_train.engine.scan_order import ScanGroup
from ditr_train.methods.candidate_loss import (
    Targets,
    candidate_cross_entropy,
    candidate_lovasz,
    count_labels,
    set_weights,
)
from ditr_train.methods.losses import class_weights, lovasz_softmax
from ditr_train.methods.segmentation import Training

CLASSES = 5
VOXELS = 60


def some_voxels(seed):
    rng = np.random.default_rng(seed)
    logits = torch.from_numpy(rng.normal(size=(VOXELS, CLASSES)) * 2).float()
    return rng, logits, torch.from_numpy(rng.integers(0, CLASSES, VOXELS))


def candidates_of(sets, target, weight=None):
    rows = np.array([[c in chosen for c in range(CLASSES)] for chosen in sets])
    target = np.asarray(target, np.int32).reshape(len(target), -1)
    return CandidateLabels(rows, target, np.ones(target.shape, np.float32) if weight is None else weight)


@pytest.mark.parametrize("seed", range(3))
def test_sets_of_one_class_are_the_plain_loss(seed):
    rng, logits, label = some_voxels(seed)
    weights = torch.from_numpy(rng.uniform(0.5, 2, CLASSES)).float()
    as_sets = candidates_of([[c] for c in range(CLASSES)], label.numpy())
    hidden = torch.full_like(label, IGNORED)
    for targets in (Targets.of(label, as_sets, CLASSES), Targets.of(hidden, as_sets, CLASSES).known()):
        of_set = weights[targets.sets.int().argmax(1)]
        loss = candidate_cross_entropy(logits, targets, of_set)
        torch.testing.assert_close(loss, F.cross_entropy(logits, label, weights))
        torch.testing.assert_close(
            candidate_lovasz(logits.softmax(-1), targets), lovasz_softmax(logits.softmax(-1), label)
        )


def test_a_set_asks_for_the_sum_of_its_probabilities():
    rng, logits, label = some_voxels(4)
    sets = [[0, 1], [2], [1, 3, 4]]
    target = rng.integers(0, 3, (VOXELS, 2))
    weight = rng.uniform(0, 1, (VOXELS, 2)).astype(np.float32)
    known = torch.from_numpy(rng.uniform(size=VOXELS) < 0.3)
    label = torch.where(known, label, IGNORED)
    targets = Targets.of(label, candidates_of(sets, target, weight), CLASSES)
    loss = candidate_cross_entropy(logits, targets, torch.ones(len(targets.sets)))
    probabilities = logits.softmax(-1).double().numpy()
    total, weights = 0.0, 0.0
    for voxel in range(VOXELS):
        if known[voxel]:
            total, weights = total - np.log(probabilities[voxel, label[voxel]]), weights + 1
            continue
        for k, w in zip(target[voxel], weight[voxel], strict=True):
            total, weights = total - w * np.log(probabilities[voxel, sets[k]].sum()), weights + w
    assert loss.item() == pytest.approx(total / weights, rel=1e-5)


def test_a_distribution_over_classes_is_the_cross_entropy_with_it():
    rng, logits, _ = some_voxels(5)
    probabilities = rng.dirichlet(np.ones(CLASSES), VOXELS).astype(np.float32)
    every = np.tile(np.arange(CLASSES), (VOXELS, 1))
    soft = candidates_of([[c] for c in range(CLASSES)], every, probabilities)
    targets = Targets.of(torch.full((VOXELS,), IGNORED), soft, CLASSES)
    loss = candidate_cross_entropy(logits, targets, torch.ones(len(targets.sets)))
    torch.testing.assert_close(loss, F.cross_entropy(logits, torch.from_numpy(probabilities)))


def test_lovasz_of_hard_predictions_is_the_jaccard_loss_of_the_sets():
    rng, _, label = some_voxels(6)
    sets = [list(chosen) for size in (1, 2, 3) for chosen in combinations(range(CLASSES), size)]
    target = rng.integers(0, len(sets), VOXELS)
    prediction = rng.integers(0, CLASSES, VOXELS)
    label = torch.where(torch.from_numpy(rng.uniform(size=VOXELS) < 0.5), label, IGNORED)
    own = [{int(c)} if c != IGNORED else set(sets[t]) for c, t in zip(label, target, strict=True)]
    losses = []
    for wanted in {frozenset(chosen) for chosen in own}:
        counts = [i for i in range(VOXELS) if own[i] <= wanted or not own[i] & wanted]
        truth = np.array([own[i] <= wanted for i in counts])
        said = np.array([prediction[i] in wanted for i in counts])
        losses.append(1 - (truth & said).sum() / (truth | said).sum())
    targets = Targets.of(label, candidates_of(sets, target), CLASSES)
    loss = candidate_lovasz(torch.eye(CLASSES)[torch.from_numpy(prediction)], targets)
    assert loss.item() == pytest.approx(np.mean(losses), abs=1e-5)


def test_a_voxel_of_which_nothing_is_known_has_no_gradient():
    _, logits, label = some_voxels(7)
    label[: VOXELS // 2] = IGNORED
    weight = np.zeros((VOXELS, 1), np.float32)
    weight[0] = 1
    targets = Targets.of(label, candidates_of([[0, 1]], np.zeros(VOXELS), weight), CLASSES)
    logits.requires_grad_()
    rows = targets.weight.sum(1) > 0
    loss = candidate_cross_entropy(logits[rows], targets.known(), torch.ones(len(targets.sets)))
    (loss + candidate_lovasz(logits[rows].softmax(-1), targets.known())).backward()
    touched = logits.grad.abs().sum(1) > 0
    assert touched[0] and not touched[1 : VOXELS // 2].any() and touched[VOXELS // 2 :].all()


def test_weights_of_sets_of_one_class_are_those_of_the_class():
    counts = np.array([10.0, 0, 300, 25, 1])
    sets = np.concatenate([np.eye(CLASSES, dtype=bool), [[True, False, True, False, False]]])
    weights = set_weights(counts, sets, 0.5)
    plain = class_weights(counts, 0.5)
    occurring = counts > 0
    torch.testing.assert_close(weights[:CLASSES][occurring], plain[occurring])
    assert weights[5] < min(weights[0], weights[2])


def make_scan(seed, candidates=False, points=200):
    rng = np.random.default_rng(seed)
    fields = {name: rng.uniform(-3, 3, points).astype(np.float32) for name in ("x", "y", "z", "intensity")}
    label = rng.integers(0, CLASSES, points).astype(np.int32)
    if not candidates:
        return LabeledScan(f"scan-{seed}", fields, label, None)
    sets = candidates_of([[0, 1], [2, 3]], np.where(label < 2, 0, 1))
    return LabeledScan(f"scan-{seed}", fields, np.where(label == 4, label, IGNORED).astype(np.int32), None, None, sets)


def test_counts_follow_the_shares():
    scans = [make_scan(0), make_scan(1), make_scan(2), make_scan(3, candidates=True)]
    counts = count_labels(scans, CLASSES, [ScanGroup(3, 0.25), ScanGroup(1, 0.75)])
    plain = count_labels(scans[:3], CLASSES) / 3
    last = count_labels(scans[3:], CLASSES)
    np.testing.assert_allclose(counts, 0.25 * plain + 0.75 * last)
    assert last.sum() == pytest.approx(200) and last[0] == last[1] and last[2] == last[3]


def test_a_network_learns_from_coarse_labels(tmp_path):
    """Where the classes lie is told by sets of two and single classes of other scans; together they tell all."""
    config = make_config()
    run = RunFolder(tmp_path / "run")
    run.create(config, resume=False)
    training = Training(config, [make_scan(0), make_scan(1, candidates=True)], run)
    sample = training.prepare(training.scans[1], np.random.default_rng(0))
    assert sample.candidates is not None and len(sample.candidates.target) == len(sample.label)
    training.segmentor.eval()
    before = training.loss_of(sample)
    before.backward()
    with torch.no_grad():
        for value in training.segmentor.parameters():
            if value.grad is not None:
                value -= 0.01 * value.grad
    assert training.loss_of(sample) < before
