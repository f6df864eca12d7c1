"""From samples to what a network sees: images, labels, augmentation."""

import io
from dataclasses import replace

import numpy as np
import pytest
import torch
from conftest import make_config
from PIL import Image
from synthetic_samples import write_samples

from ditr_train.config.training_config import AugmentationConfig
from ditr_train.data.augmentation import augment
from ditr_train.data.candidate_labels import CandidateLabels
from ditr_train.data.images import decode_image, patch_grid, resize_labels
from ditr_train.data.loading import load_scans
from ditr_train.data.scans import IGNORED, LabeledScan, class_indices, make_sample
from ditr_train.encoders.image_encoder import ImageEncoder


@pytest.mark.parametrize("resize", ["stretch", "letterbox"])
def test_labels_are_resized_like_their_image(resize):
    config = make_config().image_encoder
    assert config is not None
    config = replace(config, resize=resize, input_height=64, input_width=96)
    ids = np.zeros((120, 90), np.uint8)
    ids[30:75, 20:70] = 3
    pixels = np.repeat((ids[:, :, None] > 0) * np.uint8(255), 3, axis=2)
    encoded = io.BytesIO()
    Image.fromarray(pixels).save(encoded, "PNG")
    image = decode_image(encoded.getvalue(), config)
    cells = resize_labels(ids, config, 4)
    centers = image[2::4, 2::4, 0][: len(cells), : cells.shape[1]] > 127
    left, top, width, height = patch_grid(config).placement(90, 120)
    inside = np.zeros_like(centers)
    inside[top // 4 : (top + height) // 4, -(-left // 4) : (left + width) // 4] = True
    assert ((cells == 3) == centers)[inside].mean() > 0.95
    assert np.count_nonzero(cells[~inside]) == 0


def test_class_ids_become_indices():
    config = make_config()
    ids = np.array([0, 1, 5, 6, 255], np.uint8)
    np.testing.assert_array_equal(class_indices(ids, config), [IGNORED, 0, 4, IGNORED, IGNORED])


def test_samples_carry_the_features_of_their_points(tmp_path):
    write_samples(tmp_path / "a", 1, seed=4)
    config = make_config()
    assert config.image_encoder is not None
    torch.manual_seed(0)
    (scan,) = load_scans([tmp_path / "a"], config, ImageEncoder(config.image_encoder), progress=False)
    assert scan.images is not None and scan.images.features.shape == (6, 16)
    moved = augment(scan, AugmentationConfig(), np.random.default_rng(0), fused=True)
    assert moved.images is not None and len(moved.label) == len(moved.images.patch) < len(scan.label)
    sample = make_sample(moved, config, fused=True)
    # Whatever the augmentation, a point keeps label and patch: intensity is its name here.
    original = {intensity: i for i, intensity in enumerate(scan.fields["intensity"])}
    points = [original[intensity] for intensity in sample.inputs["feat"][:, 3]]
    np.testing.assert_array_equal(sample.label, scan.label[points])
    np.testing.assert_array_equal(sample.inputs["voxel_patch"], scan.images.patch[points])
    np.testing.assert_array_equal(sample.inputs["voxel_patch_weight"], scan.images.weight[points])
    assert "image_features" not in make_sample(moved, config, fused=False).inputs


def test_augmentation_keeps_distances_up_to_its_scale(rng):
    fields = {axis: rng.normal(size=50).astype(np.float32) for axis in "xyz"}
    scan = LabeledScan("", fields, np.zeros(50, np.int8), None)
    settings_ = AugmentationConfig(drop=0.0, jitter=0.0, scale=(1.1, 1.1))
    moved = augment(scan, settings_, rng, fused=False)
    before, after = (np.stack([s.fields[a] for a in "xyz"], 1) for s in (scan, moved))
    np.testing.assert_allclose(
        np.linalg.norm(after[:, None] - after, axis=2),
        1.1 * np.linalg.norm(before[:, None] - before, axis=2),
        atol=1e-5,
    )
    np.testing.assert_allclose(after[:, 2], 1.1 * before[:, 2], atol=1e-6)


def test_a_sector_is_turned_to_where_soft_labels_are(rng):
    angle = rng.uniform(-np.pi, np.pi, 5000)
    fields = {"x": 10 * np.cos(angle), "y": 10 * np.sin(angle), "z": np.zeros(5000)}
    front = np.abs(angle) < 0.2
    candidates = CandidateLabels(
        np.ones((1, 5), bool), np.zeros((5000, 1), np.int32), front[:, None].astype(np.float32)
    )
    scan = LabeledScan("a", fields, np.full(5000, IGNORED, np.int32), None, candidates=candidates)
    only_sector = AugmentationConfig(rotation=0, scale=(1, 1), flip=0, jitter=0, drop=0, sector=1.0)
    for _ in range(20):
        found = augment(scan, only_sector, rng, fused=False)
        assert found.candidates is not None and found.candidates.known().sum() > 0.5 * front.sum()
        assert np.abs(np.arctan2(found.fields["y"], found.fields["x"])).max() < 0.2 + 0.5 + 1e-3


def test_a_sector_is_turned_to_what_the_camera_sees(tmp_path, rng):
    write_samples(tmp_path / "a", 1, seed=5)
    config = make_config()
    assert config.image_encoder is not None
    (scan,) = load_scans([tmp_path / "a"], config, ImageEncoder(config.image_encoder), progress=False)
    only_sector = AugmentationConfig(rotation=0, scale=(1, 1), flip=0, jitter=0, drop=0, sector=1.0)
    for _ in range(10):
        azimuths = {}
        for fused in (True, False):
            fields = augment(scan, only_sector, rng, fused=fused).fields
            azimuths[fused] = np.unwrap(np.sort(np.arctan2(fields["y"], fields["x"])))
            assert 0 < len(fields["x"]) < 0.5 * len(scan.label)
        # The camera looks along x.
        assert np.abs(azimuths[True]).max() < 1.0 + np.arctan(48 / 60)
