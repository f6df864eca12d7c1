"""The backbone against plain, slow versions of its parts, and its published sizes."""

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from conftest import CONFIGS, make_config, make_segmentor

from ditr_train.config.backbone_config import BackboneConfig
from ditr_train.config.model_config import load_config
from ditr_train.encoders.image_encoder import PatchSegmentationHead
from ditr_train.encoders.multi_scale_encoder import MultiScaleEncoder
from ditr_train.export.graphs import example_inputs, random_cloud
from ditr_train.geometry.graph_inputs import voxelize_scan
from ditr_train.model.backbone import Backbone
from ditr_train.model.injection import ImageInjection
from ditr_train.model.neighbor_table import NeighborTable
from ditr_train.model.patch_order import PatchOrder
from ditr_train.model.recomputation import recompute_blocks
from ditr_train.model.rotary import rotary_angles, rotate
from ditr_train.model.segmentor import graph_outputs
from ditr_train.model.serialized_attention import SerializedAttention
from ditr_train.model.submanifold_convolution import SubmanifoldConvolution
from ditr_train.model.tables import image_features, scan_tables


def tensors(inputs):
    return {name: torch.from_numpy(value) for name, value in inputs.items()}


@pytest.mark.parametrize(("name", "millions"), [("ptv3-nuscenes", 46.16), ("litept-s", 12.70)])
def test_parameter_counts_are_those_published(name, millions):
    backbone = Backbone(load_config(CONFIGS / f"{name}.yaml").backbone)
    assert round(sum(p.numel() for p in backbone.parameters()) / 1e6, 2) == millions


def test_convolution_is_conv3d_on_the_occupied_voxels(rng):
    grid = torch.from_numpy((rng.uniform(size=(7, 6, 5)) < 0.4).astype(np.float32))
    occupied = grid.nonzero()
    index = torch.full((9, 8, 7), len(occupied), dtype=torch.int32)
    index[tuple((occupied + 1).T)] = torch.arange(len(occupied), dtype=torch.int32)
    neighbors = torch.stack(
        [
            index[tuple((occupied + 1 + torch.tensor([dx, dy, dz])).T)]
            for dx in (-1, 0, 1)
            for dy in (-1, 0, 1)
            for dz in (-1, 0, 1)
        ],
        dim=1,
    )
    convolution = SubmanifoldConvolution(3, 4, 27, bias=True)
    x = torch.randn(len(occupied), 3)
    volume = torch.zeros(3, 7, 6, 5)
    volume[(slice(None), *occupied.T)] = x.T
    # Rows of the weight are offsets (x, y, z) then input channels.
    kernel = convolution.weight.reshape(3, 3, 3, 3, 4).permute(4, 3, 0, 1, 2)
    expected = torch.nn.functional.conv3d(volume[None], kernel, convolution.bias, padding=1)[0]
    dense = convolution._dense(x, neighbors) + convolution.bias
    sparse = convolution(x, NeighborTable(neighbors))
    wanted = expected[(slice(None), *occupied.T)].T
    torch.testing.assert_close(dense, wanted, atol=1e-5, rtol=0)
    torch.testing.assert_close(sparse, wanted, atol=1e-5, rtol=0)


def test_gradients_of_the_sparse_convolution_are_those_of_the_dense_one(rng):
    config = make_config().backbone
    scan = tensors(voxelize_scan(random_cloud(config, 300, rng, extent=40), config).inputs)
    convolution = SubmanifoldConvolution(6, 5, 27, bias=False)
    x = torch.randn(len(scan["feat"]), 6)
    results = []
    table = NeighborTable(scan["neighbors_0"])
    for forward in (lambda x: convolution(x, table), lambda x: convolution._dense(x, table.indices)):
        leaf = x.clone().requires_grad_()
        convolution.zero_grad()
        forward(leaf).square().sum().backward()
        assert leaf.grad is not None and convolution.weight.grad is not None
        results.append((leaf.grad, convolution.weight.grad.clone()))
    for sparse, dense in zip(*results, strict=True):
        torch.testing.assert_close(sparse, dense, atol=1e-4, rtol=1e-4)


def test_attention_is_plain_attention_within_each_patch():
    attention = SerializedAttention(12, 2)
    x = torch.randn(10, 12)
    permutation = torch.randperm(10)
    # Two patches of 6: the last two slots are borrowed from the patch before, as the host does it.
    slots = torch.cat([permutation, permutation[4:6]])
    inverse = torch.empty(10, dtype=torch.int32)
    inverse[permutation] = torch.arange(10, dtype=torch.int32)
    result = attention(x, PatchOrder(slots.reshape(2, 6).to(torch.int32), inverse), None)
    reference = torch.nn.MultiheadAttention(12, 2, batch_first=True)
    with torch.no_grad():
        reference.in_proj_weight.copy_(attention.qkv.weight)
        reference.in_proj_bias.copy_(attention.qkv.bias)
        reference.out_proj.load_state_dict(attention.proj.state_dict())
    patches = x[slots].reshape(2, 6, 12)
    expected = reference(patches, patches, patches, need_weights=False)[0].reshape(12, 12)
    for voxel in range(10):
        torch.testing.assert_close(result[voxel], expected[inverse[voxel]], atol=1e-5, rtol=0)


def test_rotary_scores_depend_on_relative_coordinates_only():
    q, k = torch.randn(2, 1, 1, 24).unbind(0)
    near, far = torch.tensor([[3, 5, 1]]), torch.tensor([[10, 2, 7]])

    def score(shift):
        a, b = (rotate(x, *rotary_angles(c + shift, 24, 100.0)) for x, c in ((q, near), (k, far)))
        return (a * b).sum()

    assert abs(score(0) - score(torch.tensor([[40, 11, 23]]))) < 1e-4
    assert abs(score(0) - (q * k).sum()) > 1e-3


def test_rotary_angles_are_those_of_litept():
    # LitePT's PointROPE: base ** (arange(0, D, 2) / D) with D a third of the head, cos repeated over halves.
    cosine, sine = rotary_angles(torch.tensor([[7, 0, 2]]), 18, 100.0)
    frequencies = [1.0, 100 ** (-2 / 6), 100 ** (-4 / 6)]
    np.testing.assert_allclose(cosine[0, 0, 0], np.cos(7 * np.array(frequencies)), atol=1e-6)
    np.testing.assert_allclose(sine[0, 0, 2], np.sin(2 * np.array(frequencies)), atol=1e-6)
    x = torch.zeros(1, 1, 18)
    x[0, 0, 1] = 1.0  # first half of the x third, frequency 1
    turned = rotate(x, cosine, sine)[0, 0]
    assert turned[1] == pytest.approx(float(cosine[0, 0, 0, 1]))
    assert turned[4] == pytest.approx(float(sine[0, 0, 0, 1]))


def test_without_visible_voxels_the_fused_network_is_the_image_free_one(config):
    segmentor = make_segmentor(config)
    inputs = tensors(example_inputs(config, fused=True, points=500))
    inputs["voxel_patch_weight"].zero_()
    image_free = {name: value for name, value in inputs.items() if "image" not in name and "patch" not in name}
    with torch.no_grad():
        torch.testing.assert_close(segmentor(inputs), segmentor(image_free), atol=0, rtol=0)


def test_image_features_change_the_logits(config):
    segmentor = make_segmentor(config)
    inputs = tensors(example_inputs(config, fused=True, points=500))
    with torch.no_grad():
        before = segmentor(inputs)
        inputs["image_features"] += 1.0 + torch.rand_like(inputs["image_features"])
        assert (segmentor(inputs) - before).abs().max() > 1e-3


def test_injection_takes_the_maximum_of_the_seen_children(rng):
    config = make_config()
    assert config.injection is not None
    injection = ImageInjection(replace(config.injection, levels=(1,), normalization="none"), (12, 24, 36))
    inputs = tensors(example_inputs(config, fused=True, points=800))
    images = image_features(inputs)
    assert images is not None
    added = injection(images, scan_tables(inputs, 3))[1]
    parent, seen = inputs["parent_0"].numpy(), inputs["voxel_patch_weight"][:, 0].numpy() > 0
    assert 0 < seen.mean() < 1
    features = inputs["image_features"].numpy()[inputs["voxel_patch"][:, 0].numpy()]
    for coarse in range(len(added)):
        visible = features[(parent == coarse) & seen]
        if len(visible) == 0:
            assert (added[coarse] == 0).all()
        else:
            expected = injection.proj["1"](torch.from_numpy(visible.max(axis=0)))
            torch.testing.assert_close(added[coarse], expected, atol=1e-5, rtol=0)


def test_graph_outputs_of_certain_and_uniform_logits():
    outputs = graph_outputs(torch.tensor([[0.0, 200.0, 0.0, 0.0], [1.0, 1.0, 1.0, 1.0]]))
    assert outputs.label[0] == 1 and outputs.label.dtype == torch.int32
    np.testing.assert_allclose(outputs.confidence, [1, 0.25], atol=1e-6)
    np.testing.assert_allclose(outputs.entropy, [0, 1], atol=1e-6)


def test_cosine_logits_of_a_cell_are_cosines_to_its_class_weights(rng):
    features = rng.normal(size=(2, 6, 8)).astype(np.float32)
    head = PatchSegmentationHead(8, 3, cosine=True)
    logits = head(torch.from_numpy(features), rows=2, columns=3).detach().numpy()
    weights = head.linear.weight.detach().numpy().reshape(4, 4, 3, 8)
    assert logits.shape == (2, 3, 8, 12)
    # Image 1, patch of row 1 and column 2, cell of row 3 and column 1, class 2.
    feature, weight = features[1, 5], weights[3, 1, 2]
    cosine = feature @ weight / np.linalg.norm(feature) / np.linalg.norm(weight)
    np.testing.assert_allclose(logits[1, 2, 1 * 4 + 3, 2 * 4 + 1], cosine / 0.1, rtol=1e-5)


def test_scales_stand_side_by_side_on_the_finest_grid(rng):
    """Against a loop over the tiles."""

    class Means(torch.nn.Module):
        def forward(self, image):
            return F.avg_pool2d(image, 16).flatten(2).transpose(1, 2)

    image = torch.from_numpy(rng.normal(size=(2, 3, 128, 256)).astype(np.float32))
    encoder = MultiScaleEncoder(Means(), (1, 2, 4), rows=2, columns=4)
    features = encoder(image).reshape(2, 8, 16, 3, 3)
    for slot, scale in enumerate((1, 2, 4)):
        shrunk = F.interpolate(image, (32 * scale, 64 * scale), mode="area")
        for row, column in ((0, 0), (3, 9), (7, 15)):
            r, c = row * scale // 4, column * scale // 4
            mean = shrunk[:, :, 16 * r : 16 * r + 16, 16 * c : 16 * c + 16].mean((2, 3))
            expected = mean / mean.norm(dim=1, keepdim=True)
            torch.testing.assert_close(features[:, row, column, slot], expected, atol=1e-5, rtol=0)


def test_every_parameter_learns(config):
    segmentor = make_segmentor(config).train()
    segmentor(tensors(example_inputs(config, fused=True, points=1500))).square().mean().backward()
    without = [name for name, p in segmentor.named_parameters() if p.grad is None or not p.grad.abs().max() > 0]
    # A bias right before a batch normalization, or a key's bias in a softmax, has no effect by construction.
    assert [name for name in without if not name.endswith("bias")] == []


@pytest.mark.parametrize("position_encoding", ["rotary", "convolution", "residual"])
def test_computed_anew_a_step_has_the_same_gradients_and_keeps_less(position_encoding):
    config = make_config(position_encoding)
    config = replace(config, backbone=replace(config.backbone, drop_path=0.5))
    inputs = tensors(example_inputs(config, fused=True, points=1500))
    results = []
    for recompute in (False, True):
        segmentor = make_segmentor(config).train()
        recompute_blocks(segmentor, recompute)
        kept: list[int] = []
        torch.manual_seed(1)  # of the drop path
        with torch.autograd.graph.saved_tensors_hooks(lambda x, kept=kept: kept.append(x.numel()) or x, lambda x: x):
            loss = segmentor(inputs).square().mean()
        loss.backward()
        results.append((sum(kept), [parameter.grad for parameter in segmentor.parameters()]))
    (all_kept, gradients), (less_kept, again) = results
    assert less_kept < 0.7 * all_kept
    for gradient, wanted in zip(again, gradients, strict=True):
        torch.testing.assert_close(gradient, wanted, atol=0, rtol=0)


def test_a_missing_input_field_is_named():
    backbone: BackboneConfig = make_config().backbone
    cloud = {axis: np.zeros(4, np.float32) for axis in "xyz"}
    with pytest.raises(ValueError, match="no field intensity"):
        voxelize_scan(cloud, backbone)
