"""Scans that go through the network together against the same scans alone."""

import numpy as np
import pytest
import torch
from conftest import make_config, make_segmentor, replace

from ditr_train.config.model_config import ConfigError
from ditr_train.data.joined_samples import join_samples
from ditr_train.data.scans import ScanSample
from ditr_train.export.graphs import random_cloud, random_image_inputs
from ditr_train.geometry.graph_inputs import voxelize_scan
from ditr_train.model.device import CPU, tensors_on


def sample_of(config, points, seed, *, fused=True):
    rng = np.random.default_rng(seed)
    voxelized = voxelize_scan(random_cloud(config.backbone, points, rng, extent=60), config.backbone)
    inputs = voxelized.inputs
    voxels = len(inputs["feat"])
    if fused:
        inputs = inputs | random_image_inputs(config, voxels, rng)
    label = rng.integers(-1, 5, voxels)
    return ScanSample(inputs, label, voxelized.point_to_voxel, voxelized.representative)


@pytest.mark.parametrize("position_encoding", ["rotary", "convolution", "residual"])
@pytest.mark.parametrize(
    "points",
    [(600, 900), (900, 600, 1), (3, 2, 1), (20, 1500, 31, 32, 33, 700), (5, 5, 5)],
    ids=lambda points: "+".join(map(str, points)),
)
def test_logits_and_gradients_of_scans_together_are_those_of_each_alone(position_encoding, points):
    config = make_config(position_encoding)
    samples = [sample_of(config, count, seed, fused=seed != 1) for seed, count in enumerate(points)]
    joined = join_samples(samples)
    segmentor = make_segmentor(config).eval()
    weight = torch.randn(5)
    alone = [segmentor(tensors_on(CPU, sample.inputs)) for sample in samples]
    (torch.cat(alone).tanh() @ weight).sum().backward()
    wanted = [parameter.grad for parameter in segmentor.parameters()]
    segmentor.zero_grad()
    together = segmentor(tensors_on(CPU, joined.inputs))
    torch.testing.assert_close(together, torch.cat(alone), atol=1e-5, rtol=1e-5)
    (together.tanh() @ weight).sum().backward()
    for parameter, gradient in zip(segmentor.parameters(), wanted, strict=True):
        torch.testing.assert_close(parameter.grad, gradient, atol=1e-3, rtol=1e-3)


def test_points_and_labels_follow_their_voxels():
    config = make_config()
    samples = [sample_of(config, count, seed, fused=False) for seed, count in enumerate((300, 40))]
    samples[1].point_to_voxel[3] = -1
    joined = join_samples(samples)
    assert (joined.label == np.concatenate([sample.label for sample in samples])).all()
    assert joined.point_to_voxel[303] == -1
    second = joined.point_to_voxel[300:] - len(samples[0].label)
    assert (second == samples[1].point_to_voxel)[np.arange(40) != 3].all()
    assert (joined.representative[len(samples[0].label) :] == samples[1].representative + 300).all()
    assert "image_features" not in joined.inputs


def test_a_single_scan_is_itself_and_unknown_inputs_are_refused():
    config = make_config()
    sample = sample_of(config, 50, 1)
    assert join_samples([sample]) is sample
    strange = replace(sample, inputs=sample.inputs | {"voxel_region": np.zeros(3, np.int32)})
    with pytest.raises(ValueError, match="voxel_region"):
        join_samples([strange, strange])


def test_batch_normalization_sees_the_scans_as_one():
    config = make_config()
    samples = [sample_of(config, count, seed) for seed, count in enumerate((500, 700))]
    segmentor = make_segmentor(config).train()
    segmentor(tensors_on(CPU, join_samples(samples).inputs))
    found = segmentor.backbone.stem.norm.running_mean.clone()
    again = make_segmentor(config).train()
    table = "stem_neighbors" if "stem_neighbors" in samples[0].inputs else "neighbors_0"
    with torch.no_grad():
        values = torch.cat(
            [
                again.backbone.stem.convolution._dense(
                    torch.from_numpy(sample.inputs["feat"]),
                    torch.from_numpy(sample.inputs[table]),
                )
                for sample in samples
            ]
        )
    momentum = config.backbone.batch_norm_momentum
    before = again.backbone.stem.norm.running_mean
    torch.testing.assert_close(found, (1 - momentum) * before + momentum * values.mean(0), atol=1e-5, rtol=1e-5)


def test_scans_of_a_pass_divide_those_of_a_step():
    config = make_config()
    with pytest.raises(ConfigError, match="scans_per_pass: 2 does not divide scans_per_step, 3"):
        replace(config, training=replace(config.training, scans_per_step=3, scans_per_pass=2))
