"""Experiments with few labels."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ditr_train.data.scans import LabeledScan
from ditr_train.data.stored_scans import chosen


def choose_labelled(scans: Sequence[LabeledScan], share: float, seed: int) -> Sequence[LabeledScan]:
    """That share of the scans, rounded up, in their order.

    The choice depends on the seed and the number of scans alone, and a smaller share is part of a larger one.
    """
    order = np.random.default_rng([seed, 3]).permutation(len(scans))
    # 0.07 * 100 is a little more than 7.
    count = math.ceil(round(share * len(scans), 9))
    return chosen(scans, sorted(order[:count]))
