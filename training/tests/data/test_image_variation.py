"""Camera images that are changed before they are encoded."""

import colorsys

import numpy as np
import pytest
import torch
from conftest import make_config, replace
from published_layouts import write_semantic_kitti
from torch import nn

from ditr_train.config.conversion import ConfigError
from ditr_train.config.training_config import AugmentationConfig
from ditr_train.data.image_variation import mirrored_back, varied_images
from ditr_train.data.loading import load_scans
from ditr_train.data.remembered_encoder import RememberedEncoder
from ditr_train.data.source import scan_source
from ditr_train.data.stored_scans import varied
from ditr_train.engine.run_folder import RunFolder
from ditr_train.methods.segmentation import Training

GREY = np.array([299, 587, 114]) / 1000
"""ITU-R 601-2."""


class Means(nn.Module):
    """The mean colour of each 16 x 16 patch, and with `place` its column: what a mirrored image changes."""

    def __init__(self, place=False):
        super().__init__()
        self.place = place
        self.seen = 0

    def forward(self, image):
        self.seen += len(image)
        grid = nn.functional.avg_pool2d(image, 16)
        if self.place:
            grid[:, 0] = torch.arange(grid.shape[3], dtype=torch.float32)
        features = grid.flatten(2).transpose(1, 2)
        return torch.cat([features, torch.zeros(*features.shape[:2], 13)], 2)


@pytest.fixture
def image(rng):
    return rng.integers(0, 256, (8, 12, 3)).astype(np.uint8)


def only(image, rng, **settings):
    """The image changed, and the number that was drawn for what is changed."""
    (changed,), _ = varied_images([image], AugmentationConfig(**settings), rng)
    return changed.astype(float)


def test_brightness_contrast_and_saturation_are_blends(image, rng):
    grey = np.rint(image @ GREY)
    for name, dark in (
        ("brightness", np.zeros(image.shape)),
        ("contrast", np.full(image.shape, np.rint(grey.mean()))),
        ("saturation", np.repeat(grey[..., None], 3, 2)),
    ):
        factors = []
        for _ in range(40):
            changed = only(image, rng, **{f"image_{name}": 0.4})
            inside = (changed > 0) & (changed < 255)
            given, found = (image - dark)[inside], (changed - dark)[inside]
            factors.append((given @ found) / (given @ given))
            np.testing.assert_allclose(changed, np.clip(dark + factors[-1] * (image - dark), 0, 255), atol=2)
        assert 0.59 < min(factors) < 0.75 and 1.25 < max(factors) < 1.41


def test_hues_turn_and_nothing_else_changes(image, rng):
    bright = np.clip(image, 60, 255).astype(np.uint8)
    shifts = []
    for _ in range(20):
        changed = only(bright, rng, image_hue=0.1)
        before, after = (
            np.array([colorsys.rgb_to_hsv(*(pixel / 255)) for pixel in values.reshape(-1, 3)])
            for values in (bright, changed)
        )
        np.testing.assert_allclose(after[:, 2], before[:, 2], atol=0.01)
        colourful = before[:, 1] > 0.5
        turned = (after[colourful, 0] - before[colourful, 0] + 0.5) % 1 - 0.5
        shifts.append(np.median(turned))
        np.testing.assert_allclose(turned, shifts[-1], atol=0.02)
    assert min(shifts) < -0.04 and max(shifts) > 0.04 and max(np.abs(shifts)) < 0.11


def test_nothing_is_changed_unless_it_is_asked_for(image, rng):
    assert (only(image, rng) == image).all() and not AugmentationConfig().varies_images
    for name in ("flip", "brightness", "contrast", "saturation", "hue"):
        assert AugmentationConfig(**{f"image_{name}": 0.1}).varies_images
    with pytest.raises(ConfigError, match=r"augmentation.image_hue: 0.6 is not from 0 to 0.5"):
        AugmentationConfig(image_hue=0.6)


def test_images_are_mirrored_on_their_own(rng):
    images = [rng.integers(0, 256, (4, 6, 3)).astype(np.uint8) for _ in range(200)]
    changed, mirrored = varied_images(images, AugmentationConfig(image_flip=0.5), rng)
    assert 70 < mirrored.sum() < 130
    for image, other, mirror in zip(images, changed, mirrored, strict=True):
        np.testing.assert_array_equal(other, image[:, ::-1] if mirror else image)


def test_features_are_mirrored_back():
    features = np.arange(2 * 6 * 2, dtype=np.float32).reshape(2, 6, 2)
    back = mirrored_back(features, np.array([False, True]), 3)
    np.testing.assert_array_equal(back[0], features[0])
    np.testing.assert_array_equal(back[1], features[1][[2, 1, 0, 5, 4, 3]])


def loaded(tmp_path, encoder, *, bilinear=False, **settings):
    write_semantic_kitti(tmp_path / "kitti", {"00": 2})
    config = make_config(sampling="bilinear" if bilinear else "nearest")
    document = replace(config.image_encoder, resize="letterbox")
    config = replace(config, image_encoder=document, classes=kitti_classes())
    sources = [scan_source(f"semantic-kitti:{tmp_path}/kitti:00")]
    augmentation = AugmentationConfig(**settings)
    return config, load_scans(sources, config, encoder, augmentation=augmentation, progress=False)


def kitti_classes():
    from conftest import CONFIGS

    from ditr_train.config.model_config import load_config

    return load_config(CONFIGS / "ptv3-semantic-kitti.yaml").classes


def what_points_see(scan):
    return (scan.images.features[scan.images.patch] * scan.images.weight[..., None]).sum(1)


@pytest.mark.parametrize("bilinear", [False, True])
def test_a_point_sees_the_same_place_of_a_mirrored_image(tmp_path, rng, bilinear):
    config, scans = loaded(tmp_path, Means(), bilinear=bilinear, image_flip=1)
    np.testing.assert_allclose(what_points_see(varied(scans, 1, rng)), what_points_see(scans[1]), atol=1e-6)
    seen = scans[1].seen()
    assert 0 < seen.sum() < len(seen)
    # And it is a mirrored image that is encoded: column c is then the last but c.
    config, scans = loaded(tmp_path / "b", Means(place=True), bilinear=bilinear, image_flip=1)
    columns = config.image_encoder.columns
    here, there = (what_points_see(scan)[seen, 0] for scan in (scans[1], varied(scans, 1, rng)))
    np.testing.assert_allclose(here + there, columns - 1, atol=1e-5)


def test_colours_reach_the_features_and_the_generator_says_all(tmp_path):
    _, scans = loaded(tmp_path, Means(), image_flip=0.5, image_brightness=0.4)
    first, again, other = (what_points_see(varied(scans, 0, np.random.default_rng(seed))) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 0.01 and np.abs(first - what_points_see(scans[0])).max() > 0.01


def test_only_what_comes_again_is_kept_on_disk(tmp_path):
    encoder = Means()
    remembered = RememberedEncoder(encoder, tmp_path / "features")
    _, scans = loaded(tmp_path, remembered, image_brightness=0.4)
    for _ in range(2):
        varied(scans, 0, np.random.default_rng(3))
    kept = len(list((tmp_path / "features").rglob("*.npy")))
    assert encoder.seen == 2 and kept == 1  # the projection
    for _ in range(2):
        scans[0]
    assert encoder.seen == 3 and len(list((tmp_path / "features").rglob("*.npy"))) == 2


def test_each_step_of_a_training_has_images_of_its_own(tmp_path):
    config, scans = loaded(tmp_path, Means(), image_brightness=0.4)
    config = replace(config, backbone=make_config().backbone)

    def step(number):
        return Training(config, scans[:1], RunFolder(tmp_path)).samples_of(number)[0].inputs["image_features"]

    np.testing.assert_array_equal(step(0), step(0))
    assert np.abs(step(0) - step(1)).max() > 0.01
