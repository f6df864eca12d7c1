"""Mix3D: two scans as one cloud."""

import numpy as np
import pytest
import torch
from conftest import make_config, replace
from numbered_scans import STILL, make_scan
from small_training import distillable

from ditr_train.config.conversion import ConfigError
from ditr_train.config.training_config import AugmentationConfig
from ditr_train.engine.run_folder import RunFolder
from ditr_train.methods.distillation import Distillation
from ditr_train.methods.segmentation import Training


def seen_values(images):
    """What each point sees of make_scan's features, 0 where it sees nothing."""
    return (images.features[images.patch[:, 0]] * images.weight[:, :1])[:, 0]


@pytest.mark.parametrize("images", [(True, True), (True, False), (False, True)])
def test_points_of_both_keep_what_they_had(images):
    first, second = (make_scan(seed, 20 + seed, images=has) for seed, has in zip((1, 2), images, strict=True))
    joined = first.joined_with(second)
    assert joined.name == "scan-1+scan-2" and list(joined.label) == [1] * 21 + [2] * 22
    for name, values in joined.fields.items():
        np.testing.assert_array_equal(values, np.concatenate([first.fields[name], second.fields[name]]))
    wanted = [seen_values(scan.images) if scan.images else np.zeros(len(scan.label)) for scan in (first, second)]
    np.testing.assert_array_equal(seen_values(joined.images), np.concatenate(wanted))
    np.testing.assert_array_equal(joined.seen(), np.repeat(images, (21, 22)))


def test_neither_has_images_and_labels_may_be_of_any_kind():
    soft = [np.random.default_rng(seed).uniform(size=(points, 5)) for seed, points in ((1, 8), (2, 9))]
    first, second = (make_scan(i, len(label), images=False, label=label) for i, label in enumerate(soft))
    joined = first.joined_with(second)
    assert joined.images is None and not joined.seen().any()
    np.testing.assert_array_equal(joined.label, np.concatenate(soft))


def training_on(scans, **augmentation):
    config = make_config()
    settings = replace(config.training, augmentation=replace(STILL, **augmentation))
    return Training(replace(config, training=settings), scans, None)


def scans_of(sample):
    """Seeds of the scans that the voxels are from."""
    return set(sample.label.tolist())


def test_a_scan_is_mixed_with_the_probability_that_is_set():
    scans = [make_scan(seed, 30) for seed in range(5)]
    steps = range(200)
    never, always, often = (
        [scans_of(training._samples(step, training.scans)[0]) for step in steps]
        for training in (training_on(scans), training_on(scans, mix=1), training_on(scans, mix=0.7))
    )
    assert all(len(found) == 1 for found in never)
    # The other scan may be the scan itself, in another augmentation.
    assert {tuple(sorted(found)) for found in always} >= {(a, b) for b in range(5) for a in range(b)}
    assert sum(len(found) for found in always) == pytest.approx(200 * (1 + 4 / 5), abs=25)
    assert sum(len(found) for found in often) == pytest.approx(200 * (1 + 0.7 * 4 / 5), abs=25)
    # The scan that is drawn without mixing is there, and each other one takes part as often in an epoch.
    assert all(alone <= mixed for alone, mixed in zip(never, always, strict=True))
    training = training_on(scans)
    for first in range(0, 50, 5):
        partners = [training._drawn(scans, step, 0, stream=5).name for step in range(first, first + 5)]
        assert len(set(partners)) == 5


def test_each_is_augmented_on_its_own_and_keeps_its_images():
    scans = [make_scan(seed, 30) for seed in (1, 2)]
    training = training_on(scans, mix=1, scale=(0.5, 2.0))
    for step in range(20):
        (sample,) = training._samples(step, scans)
        if len(scans_of(sample)) == 1:
            continue
        scales = []
        for seed in (1, 2):
            own = sample.label == seed
            images = sample.inputs
            number = (images["image_features"][images["voxel_patch"][own, 0], 0] - 1000 * seed).astype(int)
            x = sample.inputs["feat"][own, 0]
            np.testing.assert_array_less(0, images["voxel_patch_weight"][own].max(axis=1))
            before = scans[seed - 1].fields["x"][number]
            scale = x[before > 0] / before[before > 0]
            np.testing.assert_allclose(scale, scale[0], rtol=1e-5)
            scales.append(scale[0])
        assert scales[0] != scales[1]


def test_images_are_left_out_of_each_on_its_own():
    scans = [make_scan(seed, 30) for seed in (1, 2)]
    training = training_on(scans, mix=1, image_drop=0.5)
    found = set()
    for step in range(60):
        (sample,) = training._samples(step, scans)
        weight = sample.inputs.get("voxel_patch_weight", np.zeros((len(sample.label), 1)))
        found |= {frozenset((seed, bool(weight[sample.label == seed].any())) for seed in scans_of(sample))}
    both = [{(1, one), (2, two)} for one in (False, True) for two in (False, True)]
    assert all(frozenset(pair) in found for pair in both)


def test_mixed_scans_are_trained_on_together_and_by_processes(tmp_path):
    scans = [make_scan(seed, 40) for seed in range(3)]
    ends = []
    for workers in (0, 2):
        training = training_on(scans, mix=0.8)
        settings = replace(training.settings, steps=3, scans_per_step=4, scans_per_pass=2)
        training = Training(replace(training.config, training=settings), scans, RunFolder(tmp_path))
        training.workers = workers
        training.fit([], progress=False)
        ends.append(training.network.state_dict())
    torch.testing.assert_close(ends[0], ends[1], atol=0, rtol=0)
    unmixed = Training(
        replace(training.config, training=replace(settings, augmentation=STILL)), scans, RunFolder(tmp_path)
    )
    unmixed.fit([], progress=False)
    assert not torch.equal(unmixed.network.state_dict()["head.weight"], ends[0]["head.weight"])


def test_a_distillation_mixes_too():
    config = make_config()
    config = replace(config, training=replace(config.training, augmentation=replace(STILL, mix=1.0)))
    scans = [make_scan(seed, 30) for seed in (1, 2)]
    distillation = Distillation(distillable(config), scans, None)
    samples = [distillation._samples(step, scans)[0] for step in range(10)]
    assert any(len(scans_of(sample)) == 2 for sample in samples)
    for sample in samples:
        assert torch.isfinite(distillation.loss_of(sample))


def test_it_is_a_probability():
    with pytest.raises(ConfigError, match=r"augmentation.mix: 1.2 is not from 0 to 1"):
        AugmentationConfig(mix=1.2)
