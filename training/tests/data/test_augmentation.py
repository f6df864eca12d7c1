"""The settings of the authors' recipes that change what the network sees of a scan."""

from functools import partial
from itertools import permutations

import numpy as np
import pytest
import torch
from conftest import make_config, make_segmentor, replace
from numbered_scans import STILL, make_scan

from ditr_train.data.augmentation import augment, moved, shown
from ditr_train.data.scans import make_sample
from ditr_train.methods.segmentation import Training
from ditr_train.model.device import CPU, tensors_on


def crowded(rng, cells=40, points=6):
    """A scan of some points in each voxel of 0.2 m; a point's intensity is its number."""
    scan = make_scan(1, cells, images=False)
    xyz = np.stack([scan.fields[axis] for axis in "xyz"]).repeat(points, axis=1)
    xyz = (xyz + rng.uniform(0.01, 0.19, xyz.shape)).astype(np.float32)
    intensity = np.arange(xyz.shape[1], dtype=np.float32)
    fields = dict(zip("xyz", xyz, strict=True)) | {"intensity": intensity}
    return replace(scan, fields=fields, label=(intensity % 5).astype(np.int8))


def test_a_voxel_shows_a_random_one_of_its_points(rng):
    scan, config = crowded(rng), make_config()
    make = partial(make_sample, config=config, fused=True)
    plain = shown(scan, STILL, rng, make)
    assert (plain.inputs["feat"] == make_sample(scan, config, fused=True).inputs["feat"]).all()
    shown_points, times = [], 300
    for _ in range(times):
        sample = shown(scan, replace(STILL, random_point=True), rng, make)
        number = sample.inputs["feat"][:, 3].astype(int)
        # Labels and coordinates are those of the point that is shown, and the voxels stay what they are.
        np.testing.assert_array_equal(sample.label, number % 5)
        np.testing.assert_array_equal(sample.inputs["feat"][:, 0], scan.fields["x"][number])
        np.testing.assert_array_equal(sample.inputs["neighbors_0"], plain.inputs["neighbors_0"])
        shown_points.append(number)
    counts = np.bincount(np.concatenate(shown_points), minlength=len(scan.label))
    points_of_voxel = np.bincount(plain.point_to_voxel)[plain.point_to_voxel]
    np.testing.assert_allclose(counts, times / points_of_voxel, atol=6 * np.sqrt(times / 6))
    first = np.bincount(plain.inputs["feat"][:, 3].astype(int), minlength=len(scan.label))
    assert counts[first == 0].min() > 0


def test_orders_change_places_in_each_stage_for_itself(rng):
    scan, config = make_scan(1, 300, images=False), make_config("convolution")
    make = partial(make_sample, config=config, fused=True)
    plain = shown(scan, STILL, rng, make).inputs
    stages = [name.removeprefix("order_") for name in plain if name.startswith("order_")]
    assert len(stages) == 3
    found = {stage: [] for stage in stages}
    for _ in range(200):
        inputs = shown(scan, replace(STILL, shuffle_orders=True), rng, make).inputs
        for stage in stages:
            before, after = plain[f"order_{stage}"], inputs[f"order_{stage}"]
            place = tuple(next(i for i in range(4) if (before[i] == order).all()) for order in after)
            # What leads back goes along.
            np.testing.assert_array_equal(inputs[f"inverse_{stage}"], plain[f"inverse_{stage}"][list(place)])
            found[stage].append(place)
        assert set(inputs) == set(plain)
    first = stages[0]
    assert set(found[first]) == set(permutations(range(4)))
    assert any(a != b for a, b in zip(found[first], found[stages[1]], strict=True))
    again = shown(
        scan,
        replace(STILL, shuffle_orders=True),
        np.random.default_rng(1),
        make,
    ).inputs
    segmentor = make_segmentor(config)
    logits = [segmentor(tensors_on(CPU, inputs)) for inputs in (plain, again)]
    assert not torch.allclose(*logits, atol=1e-3)


def test_a_room_turns_about_its_middle(rng):
    scan = make_scan(1, 200, images=False)
    far = moved(scan, 0.0, 1.0)
    far = replace(far, fields=far.fields | {"x": far.fields["x"] + np.float32(30)})
    config = replace(STILL, center=True)
    xyz = np.stack([augment(far, config, rng, fused=False).fields[axis] for axis in "xyz"])
    np.testing.assert_allclose(xyz.min(1)[:2], -xyz.max(1)[:2], atol=1e-5)
    assert xyz[2].min() == 0
    np.testing.assert_allclose(np.ptp(xyz, axis=1), np.ptp([far.fields[a] for a in "xyz"], axis=1), atol=1e-5)
    turned = augment(far, replace(config, rotation=3.14), rng, fused=False)
    assert abs(turned.fields["x"]).max() < 6
    assert abs(augment(far, replace(STILL, rotation=3.14), rng, fused=False).fields["x"]).max() > 10
    broken = replace(far, fields=far.fields | {"z": np.full(200, np.nan, np.float32)})
    assert np.isnan(augment(broken, config, rng, fused=False).fields["z"]).all()


@pytest.mark.parametrize("setting", ["shuffle_orders", "random_point"])
def test_a_training_takes_them(rng, setting):
    scan = crowded(rng)
    config = make_config("convolution")

    def sample(**augmentation):
        training = replace(config.training, augmentation=replace(STILL, **augmentation))
        return Training(replace(config, training=training), [scan], None)._samples(0, [scan])[0].inputs

    plain, other = sample(), sample(**{setting: True})
    changed = {name for name in plain if plain[name].shape != other[name].shape or (plain[name] != other[name]).any()}
    assert changed and all(name.startswith(("order_", "inverse_")) for name in changed) == (setting == "shuffle_orders")
