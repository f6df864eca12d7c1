"""The order in which scans are drawn."""

from collections import Counter

import pytest

from ditr_train.engine.scan_order import ScanGroup, drawn


def test_each_scan_once_in_an_epoch():
    draws = [drawn(i, 7, (0, 1)) for i in range(21)]
    for epoch in range(3):
        assert sorted(draws[7 * epoch : 7 * epoch + 7]) == list(range(7))
    assert draws[:7] != draws[7:14]


def test_groups_get_their_shares_and_within_them_all_scans_the_same():
    groups = [ScanGroup(40, 0.5), ScanGroup(3, 0.3), ScanGroup(7, 0.2)]
    draws = [drawn(i, 50, (4, 1), groups) for i in range(2000)]
    counts = Counter(draws)
    bounds = [(0, 40, 1000), (40, 43, 600), (43, 50, 400)]
    for begin, end, wanted in bounds:
        members = [counts[i] for i in range(begin, end)]
        assert sum(members) == wanted and max(members) - min(members) <= 1
    assert draws == [drawn(i, 50, (4, 1), groups) for i in range(2000)]
    assert draws != [drawn(i, 50, (5, 1), groups) for i in range(2000)]


def test_shares_that_do_not_add_up_are_parts_of_their_sum():
    groups = [ScanGroup(2, 3.0), ScanGroup(2, 1.0)]
    draws = [drawn(i, 4, (0, 1), groups) for i in range(1000)]
    assert sum(d < 2 for d in draws) == pytest.approx(750, abs=1)
