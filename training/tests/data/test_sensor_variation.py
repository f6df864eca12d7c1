"""Scans as another sensor might see them."""

import numpy as np
import pytest

from ditr_train.config.training_config import AugmentationConfig
from ditr_train.data.scans import LabeledScan
from ditr_train.data.sensor_variation import vary_sensor


def make_scan(beams=64, columns=200):
    """Points at 10 m on beams from -24 to 2 degrees."""
    elevation = np.deg2rad(np.linspace(-24, 2, beams)).repeat(columns)
    azimuth = np.tile(np.linspace(0, 2 * np.pi, columns, endpoint=False), beams)
    flat = 10 * np.cos(elevation)
    xyz = flat * np.cos(azimuth), flat * np.sin(azimuth), 10 * np.sin(elevation)
    fields = dict(zip("xyz", (values.astype(np.float32) for values in xyz), strict=True))
    fields["intensity"] = np.linspace(0, 1, beams * columns, dtype=np.float32)
    return LabeledScan("scan", fields, np.arange(beams).repeat(columns), None)


def test_nothing_is_changed_or_drawn_unless_asked_for():
    scan, rng = make_scan(), np.random.default_rng(0)
    varied = vary_sensor(scan, AugmentationConfig(), rng)
    for name, values in scan.fields.items():
        np.testing.assert_array_equal(varied.fields[name], values)
    assert rng.uniform() == np.random.default_rng(0).uniform()


def test_whole_beams_are_left_out():
    scan = make_scan()
    for seed in range(20):
        left = vary_sensor(scan, AugmentationConfig(beam_drop=1), np.random.default_rng(seed))
        kept, counts = np.unique(left.label, return_counts=True)
        assert 5 < len(kept) < 50 and (counts == 200).all()
    often = [
        len(vary_sensor(scan, AugmentationConfig(beam_drop=0.5), np.random.default_rng(s)).label) for s in range(60)
    ]
    assert 15 < sum(points == len(scan.label) for points in often) < 45


def test_a_scan_is_never_left_without_points():
    scan = make_scan(beams=1)
    config = AugmentationConfig(beam_drop=1)
    assert {len(vary_sensor(scan, config, np.random.default_rng(seed)).label) for seed in range(30)} == {200}


def test_intensity_keeps_its_order_or_is_dropped():
    scan = make_scan()
    config = AugmentationConfig(intensity_drop=0.5, intensity_power=3)
    found = [vary_sensor(scan, config, np.random.default_rng(seed)).fields["intensity"] for seed in range(60)]
    dropped = [not values.any() for values in found]
    assert 15 < sum(dropped) < 45
    for values, without in zip(found, dropped, strict=True):
        assert values.dtype == np.float32 and values.min() >= 0 and values.max() <= 1
        assert without or (np.diff(values) >= 0).all()
    middles = [values[len(values) // 2] for values, without in zip(found, dropped, strict=True) if not without]
    assert min(middles) < 0.3 and max(middles) > 0.7


def test_the_sensor_stands_higher_or_lower():
    scan = make_scan()
    lifts = [
        vary_sensor(scan, AugmentationConfig(lift=0.4), np.random.default_rng(seed)).fields["z"] - scan.fields["z"]
        for seed in range(40)
    ]
    assert all(np.ptp(lift) == pytest.approx(0, abs=1e-5) for lift in lifts)
    means = [lift.mean() for lift in lifts]
    assert -0.41 < min(means) < -0.2 and 0.2 < max(means) < 0.41
