"""Shipped configurations say what the authors' code says."""

import pytest
import torch
from conftest import CONFIGS

from ditr_train.config.model_config import load_config
from ditr_train.model.segmentor import Segmentor

MILLIONS = {
    "ptv3-nuscenes": 46.159312,
    "ptv3-semantic-kitti": 46.159507,
    "ptv3-waymo": 46.159702,
    "ptv3-scannet": 46.167572,
    "ptv3-scannet200": 46.179272,
    "ptv3-s3dis": 46.155117,
    "ditr-ptv3-nuscenes": 46.685136,
    "litept-s": 12.705100,
    "litept-s-scannet": 12.714392,
    "minkunet-nuscenes": 39.149456,
    "minkunet-scannet": 39.157844,
}
"""Of PTv3 46.16 (arXiv 2312.10035: 46.2), of LitePT-S 12.7 (arXiv 2512.13689), of MinkUNet 39.2 are published."""

SETS = {  # scans or scenes, epochs, learning rate, warm-up, size of the images
    "nuscenes": (28_130, 50, 0.002, 0.04, (378, 672)),
    "semantic-kitti": (19_130, 50, 0.002, 0.04, (378, 1246)),
    "waymo": (23_691, 50, 0.002, 0.04, (308, 672)),
    "scannet": (1_201, 800, 0.006, 0.05, (420, 560)),
    "scannet200": (1_201, 800, 0.006, 0.05, (420, 560)),
    "s3dis": (204, 3000, 0.006, 0.05, (518, 518)),
}
METHODS = ("ptv3", "ditr-ptv3", "d-ditr-ptv3")
CLIPPED = {
    "ptv3-waymo": 75.2,
    "ditr-ptv3-waymo": 75.2,
    "d-ditr-ptv3-waymo": 75.2,
    "ditr-ptv3-semantic-kitti": 35.2,
}


def parameters(config):
    with torch.device("meta"):
        return sum(value.numel() for value in Segmentor(config).parameters())


@pytest.mark.parametrize("name", MILLIONS)
def test_networks_have_the_published_size(name):
    assert parameters(load_config(CONFIGS / f"{name}.yaml")) == round(1e6 * MILLIONS[name])


@pytest.mark.parametrize("data", SETS)
@pytest.mark.parametrize("method", METHODS)
def test_a_training_is_that_of_the_authors(method, data):
    config = load_config(CONFIGS / f"{method}-{data}.yaml")
    scans, epochs, rate, warm_up, image = SETS[data]
    loops = [config.training] + ([config.distillation] if method == "d-ditr-ptv3" else [])
    for loop in loops:
        assert loop.steps == scans // 12 * epochs  # drop_last
        assert loop.steps % loop.evaluate_every == 0
        assert (loop.scans_per_step, loop.learning_rate, loop.warm_up) == (12, rate, warm_up)
        assert (loop.block_learning_rate_scale, loop.gradient_clip) == (0.1, 0)
        assert loop.weight_decay == (0.05 if rate == 0.006 else 0.005)
        assert loop.final_learning_rate_scale == (1e-4 if rate == 0.006 else 1e-3)
    augmentation = config.training.augmentation
    assert (augmentation.mix, augmentation.shuffle_orders, augmentation.random_point) == (0.8, True, True)
    assert config.backbone.clamp == (config.name in CLIPPED)
    if config.backbone.clamp:
        edge = CLIPPED[config.name]
        assert config.backbone.point_range == (-edge, -edge, -4, edge, edge, 2)
    assert config.test_time is not None
    assert (config.injection is not None) == (method == "ditr-ptv3")
    if method != "ptv3":
        assert config.image_encoder is not None and config.image_encoder.feature_dimension == 1024
        assert (config.image_encoder.input_height, config.image_encoder.input_width) == image
    if method == "d-ditr-ptv3":
        assert config.distillation.target == "cosine" and config.distillation.cluster_weight_power == 0


@pytest.mark.parametrize("data", ["scannet", "scannet200", "s3dis"])
def test_colours_are_those_of_their_release_of_pointcept(data):
    for method, expected in (("ptv3", (0, 1)), ("ditr-ptv3", (-1, 1)), ("d-ditr-ptv3", (-1, 1))):
        red = load_config(CONFIGS / f"{method}-{data}.yaml").backbone.input_features[0]
        assert red.name == "red"
        assert tuple((value - red.offset) * red.scale for value in (0, 255)) == pytest.approx(expected)
