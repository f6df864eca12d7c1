"""Average precision against hand-computed cases, and against a second implementation that follows the definitions
point by point."""

import numpy as np
import pytest

from ditr_train.evaluation.average_precision import (
    Outcomes,
    ScanMatches,
    all_point_ap,
    average_precision,
    kitti_ap,
    nuscenes_ap,
    outcomes,
)


def scan(scores, likeness, counted=None) -> ScanMatches:
    likeness = np.array(likeness, float)
    counted = np.ones(likeness.shape[1], bool) if counted is None else np.array(counted, bool)
    return ScanMatches(np.array(scores, float), likeness, counted)


def test_area_of_a_curve_by_hand():
    # Right, wrong, right of four: precision 1, 1/2, 2/3 at recall 1/4, 1/4, 2/4; the envelope is 1 and then 2/3.
    found = Outcomes(np.array([True, False, True]), 4)
    assert all_point_ap(found) == pytest.approx(1 / 4 * 1 + 1 / 4 * 2 / 3)
    # 40 recalls: 1/40 .. 10/40 see precision 1, 11/40 .. 20/40 see 2/3.
    assert kitti_ap(found) == pytest.approx((10 * 1 + 10 * 2 / 3) / 40)


def test_what_finds_all_and_nothing_else_has_1_and_nothing_found_has_0():
    perfect, nothing = Outcomes(np.ones(7, bool), 7), Outcomes(np.zeros(3, bool), 7)
    for measure in (all_point_ap, kitti_ap, nuscenes_ap):
        assert measure(perfect) == pytest.approx(1)
        assert measure(nothing) == 0
        assert measure(Outcomes(np.zeros(0, bool), 7)) == 0


def test_a_second_box_on_the_same_object_is_wrong_even_near_another():
    likeness = [[0.9, 0.3], [0.8, 0.6]]
    assert outcomes([scan([0.9, 0.8], likeness)], 0.5).right.tolist() == [True, False]
    # nuScenes lets it have the other object.
    assert outcomes([scan([0.9, 0.8], likeness)], 0.5, retry=True).right.tolist() == [True, True]


def test_scores_order_boxes_of_all_scans_together():
    found = outcomes([scan([0.2, 0.9], [[0.9], [0.1]]), scan([0.5], [[0.6]])], 0.25)
    assert found.right.tolist() == [False, True, True] and found.positives == 2


def test_overlap_has_to_be_more_than_the_threshold():
    assert outcomes([scan([1], [[0.25]])], 0.25).right.tolist() == [False]


def test_boxes_that_need_not_be_found_count_neither_way():
    one = scan([0.9, 0.8, 0.7], [[0.0, 0.9], [0.6, 0.9], [0.0, 0.1]], counted=[True, False])
    found = outcomes([one], 0.5)
    # The first found the box that does not count; the second rather the one that does; the third found nothing.
    assert found.right.tolist() == [True, False] and found.positives == 1


def test_a_class_that_no_scan_has_no_precision():
    assert average_precision([scan([0.5], np.zeros((1, 0)))], 0.25) is None
    assert average_precision([], 0.25) is None
    assert average_precision([scan([], np.zeros((0, 2)))], 0.25) == 0


def definition(scans: list[ScanMatches], threshold: float) -> tuple[list[tuple[float, float]], int]:
    """Points of the curve (recall, precision) by VoteNet's rule, with sets and loops."""
    rows = [(s, i, j) for i, each in enumerate(scans) for j, s in enumerate(each.scores)]
    rows.sort(key=lambda row: -row[0])
    total = sum(int(each.counted.sum()) for each in scans)
    taken, right, wrong, curve = set(), 0, 0, []
    for _, i, j in rows:
        candidates = [(v, g) for g, v in enumerate(scans[i].likeness[j])]
        value, best = max(candidates, default=(-1.0, -1), key=lambda pair: pair[0])
        if value > threshold and (i, best) not in taken:
            taken.add((i, best))
            right += 1
        else:
            wrong += 1
        curve.append((right / total, right / (right + wrong)))
    return curve, total


def best_precision(curve, recall: float) -> float:
    return max((p for r, p in curve if r >= recall - 1e-12), default=0.0)


@pytest.mark.parametrize("seed", range(5))
def test_random_scans_against_the_definitions(seed):
    rng = np.random.default_rng(seed)
    scans = []
    for _ in range(12):
        detected, there = rng.integers(0, 9), rng.integers(0, 6)
        scans.append(scan(rng.uniform(size=detected), rng.uniform(size=(detected, there)) ** 3))
    for threshold in (0.25, 0.5):
        curve, total = definition(scans, threshold)
        recalls = np.arange(1, total + 1) / total
        expected = np.mean([best_precision(curve, r) for r in recalls])
        assert average_precision(scans, threshold) == pytest.approx(expected)
        forty = np.mean([best_precision(curve, k / 40) for k in range(1, 41)])
        assert average_precision(scans, threshold, kitti_ap) == pytest.approx(forty)


def test_nuscenes_measure_of_a_constant_precision():
    # Every second box is right up to the full recall: precision near 1/2 throughout, (1/2 - 0.1) / 0.9.
    right = np.tile([False, True], 1000)
    assert nuscenes_ap(Outcomes(right, 1000)) == pytest.approx(0.4 / 0.9, abs=2e-3)
    # Below a precision of 0.1 nothing is left.
    assert nuscenes_ap(Outcomes(np.tile([False] * 19 + [True], 100), 100)) == 0
