"""Checkpoints in the layout of Pointcept's PT-v3m1 and LitePT-v1, against a plain forward pass by their names."""

import json
from dataclasses import replace

import numpy as np
import onnxruntime
import pytest
import torch
import torch.nn.functional as F
from conftest import CONFIGS, make_config
from test_export import assert_equal_outputs

from ditr_train.cli import main
from ditr_train.config import ConfigError, config_to_document, load_config
from ditr_train.data.errors import DataError
from ditr_train.export import random_cloud, run_segmentor
from ditr_train.geometry import serialization_code
from ditr_train.graph_inputs import voxelize_scan
from ditr_train.model.segmentor import Segmentor
from ditr_train.weights.pointcept import layout_of, load_pointcept, published_shapes


def published_config(layout):
    config = make_config("convolution" if layout == "PT-v3m1" else "rotary")
    backbone = replace(config.backbone, stem_kernel_size=5)
    if layout == "PT-v3m1":
        backbone = replace(backbone, decoder=replace(backbone.decoder, first_convolution="skip"))
    if layout == "LitePT-v1 with decoder blocks":
        decoder = replace(
            backbone.decoder, depths=(1, 2), heads=(2, 4), convolution=(True, False), attention=(False, True)
        )
        backbone = replace(backbone, decoder=decoder)
    return replace(config, backbone=backbone, injection=None, image_encoder=None)


LAYOUTS = ("PT-v3m1", "LitePT-v1", "LitePT-v1 with decoder blocks")


def layout_shapes(config):
    """Names and shapes as Pointcept's modules make them, in order of their definition."""
    backbone, shapes = config.backbone, {}
    encoder, decoder = backbone.encoder, backbone.decoder
    ptv3 = backbone.position_encoding == "convolution"

    def add(name, *shape, bias=True):
        shapes[f"{name}.weight"] = shape
        if bias:
            shapes[f"{name}.bias"] = shape[:1]

    def batch_norm(name, channels):
        add(name, channels)
        shapes[f"{name}.running_mean"] = shapes[f"{name}.running_var"] = (channels,)
        shapes[f"{name}.num_batches_tracked"] = ()

    def blocks(stage, part, i):
        channels = part.channels[i]
        for b in range(part.depths[i] if part.depths else 0):
            block = f"{stage}.block{b}"
            if part.convolution[i]:
                convolution = f"{block}.{'cpe' if ptv3 else 'conv'}"
                add(f"{convolution}.0", channels, 3, 3, 3, channels)
                add(f"{convolution}.1", channels, channels)
                add(f"{convolution}.2", channels)
            else:
                add(f"{block}.norm0.0", channels)
            if part.attention[i]:
                add(f"{block}.norm1.0", channels)
                add(f"{block}.attn.qkv", 3 * channels, channels)
                add(f"{block}.attn.proj", channels, channels)
                add(f"{block}.norm2.0", channels)
                add(f"{block}.mlp.0.fc1", 4 * channels, channels)
                add(f"{block}.mlp.0.fc2", channels, 4 * channels)

    add("seg_head", len(config.classes), decoder.channels[0])
    add("backbone.embedding.stem.conv", encoder.channels[0], 5, 5, 5, len(backbone.input_features), bias=False)
    batch_norm("backbone.embedding.stem.norm", encoder.channels[0])
    for s, channels in enumerate(encoder.channels):
        if s > 0:
            add(f"backbone.enc.enc{s}.down.proj", channels, encoder.channels[s - 1])
            batch_norm(f"backbone.enc.enc{s}.down.norm.0", channels)
        blocks(f"backbone.enc.enc{s}", encoder, s)
    coarse = encoder.channels[-1]
    for s in reversed(range(len(decoder.channels))):
        channels = decoder.channels[s]
        for name, inner in (("proj", coarse), ("proj_skip", encoder.channels[s])):
            add(f"backbone.dec.dec{s}.up.{name}.0", channels, inner)
            batch_norm(f"backbone.dec.dec{s}.up.{name}.1", channels)
        blocks(f"backbone.dec.dec{s}", decoder, s)
        coarse = channels
    return shapes


def random_checkpoint(config, seed=0):
    generator = torch.Generator().manual_seed(seed)
    tensors = {}
    for name, shape in layout_shapes(config).items():
        value = torch.randn(shape, generator=generator)
        if name.endswith("num_batches_tracked"):
            value = torch.tensor(1000)
        elif name.endswith("running_var"):
            value = 0.5 + value.abs()
        elif len(shape) > 1:
            value *= (3 if len(shape) == 5 else 1) * np.prod(shape[1:]) ** -0.5
        elif name.endswith(".weight"):
            value = 1 + 0.3 * value
        else:
            value *= 0.3
        tensors[name] = value
    return tensors


class PlainNetwork:
    """PTv3 and LitePT from their papers' descriptions with dense convolutions, by Pointcept's names, in float64."""

    def __init__(self, tensors, config):
        self.w = {name: value.double() for name, value in tensors.items()}
        self.backbone, self.ptv3 = config.backbone, config.backbone.position_encoding == "convolution"

    def linear(self, x, name):
        return x @ self.w[f"{name}.weight"].T + self.w[f"{name}.bias"]

    def layer_norm(self, x, name):
        return F.layer_norm(x, x.shape[1:], self.w[f"{name}.weight"], self.w[f"{name}.bias"])

    def batch_norm(self, x, name):
        mean, variance = self.w[f"{name}.running_mean"], self.w[f"{name}.running_var"]
        return (x - mean) / (variance + 1e-3).sqrt() * self.w[f"{name}.weight"] + self.w[f"{name}.bias"]

    def convolution(self, x, grid, name):
        kernel = self.w[f"{name}.weight"].permute(0, 4, 1, 2, 3)
        volume = x.new_zeros(1, x.shape[1], *(grid.max(0).values + 1))
        volume[0, :, grid[:, 0], grid[:, 1], grid[:, 2]] = x.T
        dense = F.conv3d(volume, kernel, self.w.get(f"{name}.bias"), padding=kernel.shape[-1] // 2)
        return dense[0, :, grid[:, 0], grid[:, 1], grid[:, 2]].T

    def turn(self, heads, grid):
        """Rotary encoding by complex numbers; heads [V, H, D], a third of D for each axis."""
        third = heads.shape[2] // 3
        parts = []
        for axis in range(3):
            real, imaginary = heads[:, :, axis * third : (axis + 1) * third].chunk(2, dim=2)
            frequency = self.backbone.rotary_base ** (-torch.arange(0, third, 2, dtype=torch.float64) / third)
            angle = grid[:, axis, None, None] * frequency
            turned = torch.complex(real, imaginary) * torch.polar(torch.ones_like(angle), angle)
            parts += [turned.real, turned.imag]
        return torch.cat(parts, dim=2)

    def attention(self, x, grid, heads, order, name):
        depth = max(1, int(grid.max()).bit_length())
        along = np.argsort(serialization_code(grid.numpy(), order, depth))
        size, count = self.backbone.patch_size, len(along)
        q, k, v = (part.reshape(count, heads, -1) for part in self.linear(x, f"{name}.qkv").chunk(3, dim=1))
        if not self.ptv3:
            q, k = self.turn(q, grid), self.turn(k, grid)
        result = torch.empty_like(x)
        for first in range(0, count, size):
            members = along[first : first + size]
            seen = members
            if len(members) < size < count:
                # The last patch is filled from the end of the one before, whose results are not used.
                seen = np.concatenate([members, along[first - size + len(members) : first]])
            scores = torch.einsum("ihd,jhd->hij", q[members], k[seen]) / q.shape[2] ** 0.5
            result[members] = torch.einsum("hij,jhd->ihd", scores.softmax(2), v[seen]).reshape(len(members), -1)
        return self.linear(result, f"{name}.proj")

    def blocks(self, x, grid, part, stage, name, convolved=None):
        for i in range(part.depths[stage] if part.depths else 0):
            block = f"{name}.block{i}"
            if part.convolution[stage]:
                convolution = f"{block}.{'cpe' if self.ptv3 else 'conv'}"
                y = self.convolution(x if convolved is None or i > 0 else convolved, grid, f"{convolution}.0")
                x = x + self.layer_norm(self.linear(y, f"{convolution}.1"), f"{convolution}.2")
            else:
                x = self.layer_norm(x, f"{block}.norm0.0")
            if part.attention[stage]:
                order = self.backbone.orders[i % len(self.backbone.orders)]
                normed = self.layer_norm(x, f"{block}.norm1.0")
                x = x + self.attention(normed, grid, part.heads[stage], order, f"{block}.attn")
                hidden = F.gelu(self.linear(self.layer_norm(x, f"{block}.norm2.0"), f"{block}.mlp.0.fc1"))
                x = x + self.linear(hidden, f"{block}.mlp.0.fc2")
        return x

    def logits(self, feat, grid):
        """feat [V, F], grid int64 [V, 3] -> [V, classes]"""
        encoder, decoder = self.backbone.encoder, self.backbone.decoder
        x = self.convolution(feat.double(), grid, "backbone.embedding.stem.conv")
        x = F.gelu(self.batch_norm(x, "backbone.embedding.stem.norm"))
        skips, grids, clusters = [], [], []
        for s in range(self.backbone.stage_count):
            name = f"backbone.enc.enc{s}"
            if s > 0:
                grid, cluster = torch.unique(grid // 2, dim=0, return_inverse=True)
                projected = self.linear(x, f"{name}.down.proj")
                pooled = torch.stack([projected[cluster == voxel].max(0).values for voxel in range(len(grid))])
                x = F.gelu(self.batch_norm(pooled, f"{name}.down.norm.0"))
                clusters.append(cluster)
            x = self.blocks(x, grid, encoder, s, name)
            skips.append(x)
            grids.append(grid)
        for s in reversed(range(self.backbone.stage_count - 1)):
            name = f"backbone.dec.dec{s}"
            up = [
                F.gelu(self.batch_norm(self.linear(value, f"{name}.up.{part}.0"), f"{name}.up.{part}.1"))
                for part, value in (("proj", x), ("proj_skip", skips[s]))
            ]
            x = up[1] + up[0][clusters[s]]
            # PT-v3m1 forgets to tell its sparse tensor of the sum.
            x = self.blocks(x, grids[s], decoder, s, name, convolved=up[1] if self.ptv3 else None)
        return self.linear(x, "seg_head")


def saved(tensors, path):
    """As Pointcept's CheckpointSaver writes it after distributed training."""
    document = {
        "epoch": 50,
        "state_dict": {f"module.{name}": value for name, value in tensors.items()},
        "optimizer": {"state": {0: {"step": torch.tensor(3.0)}}, "param_groups": [{"lr": 0.002}]},
        "best_metric_value": np.float64(0.8),
    }
    torch.save(document, path)
    return path


@pytest.mark.parametrize("layout", LAYOUTS)
def test_logits_are_those_of_a_plain_forward_pass(tmp_path, rng, layout):
    config = published_config(layout)
    tensors = random_checkpoint(config)
    model = load_pointcept(saved(tensors, tmp_path / "model_best.pth"), config)
    assert (model.layout, model.epoch, model.best_score) == (layout[: len(model.layout)], 50, 0.8)
    for points, extent in ((900, 20.0), (30, 4.0)):
        cloud = random_cloud(config.backbone, points, rng, extent=extent)
        scan = voxelize_scan(cloud, config.backbone)
        found = run_segmentor(model.segmentor, scan.inputs)["logits"]
        xyz = np.stack([cloud[axis] for axis in "xyz"], axis=1).astype(np.float64)
        grid = np.floor((xyz - xyz.min(0)) / config.backbone.grid_size)[scan.representative]
        expected = PlainNetwork(tensors, config).logits(
            torch.from_numpy(scan.inputs["feat"]), torch.from_numpy(grid.astype(np.int64))
        )
        assert expected.std() > 0.1
        np.testing.assert_allclose(found, expected, atol=1e-4)


@pytest.mark.parametrize("name", ["ptv3-nuscenes", "litept-s"])
def test_full_sizes_have_the_published_layout(name):
    config = load_config(CONFIGS / f"{name}.yaml")
    with torch.device("meta"):
        segmentor = Segmentor(config)
    assert published_shapes(segmentor, layout_of(config)) == layout_shapes(config)


def test_every_tensor_that_does_not_fit_is_named(tmp_path):
    config = published_config("PT-v3m1")
    tensors = random_checkpoint(config)
    del tensors["backbone.enc.enc1.block1.mlp.0.fc2.bias"]
    tensors["backbone.enc.enc1.block2.norm1.0.weight"] = torch.ones(24)
    tensors["seg_head.weight"] = torch.zeros(16, 12)
    # spconv 1 wrote kernels as x, y, z, in, out.
    tensors["backbone.embedding.stem.conv.weight"] = torch.zeros(5, 5, 5, 4, 12)
    with pytest.raises(DataError) as error:
        load_pointcept(saved(tensors, tmp_path / "model.pth"), config)
    problems = str(error.value).partition(" does not fit PT-v3m1 as test configures it: ")[2].split("; ")
    assert problems[:2] == [
        "missing backbone.enc.enc1.block1.mlp.0.fc2.bias",
        "unexpected backbone.enc.enc1.block2.norm1.0.weight",
    ]
    assert "seg_head.weight (16, 12) instead of (5, 12)" in problems[2]
    assert "backbone.embedding.stem.conv.weight (5, 5, 5, 4, 12) instead of (12, 5, 5, 5, 4)" in problems[2]
    assert problems[2].count("instead of") == 2 and len(problems) == 3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"stem_kernel_size": 3}, "stem_kernel_size: 3 is not 5"),
        ({"first_convolution": "sum"}, "decoder.first_convolution: sum is not skip, that of PT-v3m1"),
        ({"injection": True}, "no weights for it"),
    ],
)
def test_a_configuration_that_pointcept_has_not_is_refused(tmp_path, change, message):
    config = published_config("PT-v3m1")
    backbone = config.backbone
    if "stem_kernel_size" in change:
        config = replace(config, backbone=replace(backbone, **change))
    elif "first_convolution" in change:
        config = replace(config, backbone=replace(backbone, decoder=replace(backbone.decoder, **change)))
    else:
        config = replace(config, injection=make_config().injection)
    with pytest.raises(ConfigError, match=message):
        load_pointcept(tmp_path / "not-read.pth", config)


def test_import_writes_a_bundle_that_equals_the_network(tmp_path, rng, capsys):
    config = published_config("LitePT-v1")
    path = saved(random_checkpoint(config), tmp_path / "model_best.pth")
    (tmp_path / "config.yaml").write_text(json.dumps(config_to_document(config)))  # JSON is YAML
    arguments = ["import", "pointcept", str(path), "--config", str(tmp_path / "config.yaml"), "--threads", "1"]
    assert main([*arguments, "-o", str(tmp_path / "bundle")]) == 0
    assert "LitePT-v1" in capsys.readouterr().out
    document = json.loads((tmp_path / "bundle" / "bundle.json").read_text())
    assert set(document["graphs"]) == {"image_free"}
    assert document["training"]["layout"] == "LitePT-v1 of Pointcept" and document["training"]["epochs"] == 50
    graph = onnxruntime.InferenceSession(tmp_path / "bundle" / "image_free.onnx", providers=["CPUExecutionProvider"])
    scan = voxelize_scan(random_cloud(config.backbone, 1500, rng, extent=40), config.backbone)
    assert_equal_outputs(load_pointcept(path, config).segmentor, graph, scan.inputs)


def test_a_checkpoint_with_code_is_refused(tmp_path):
    torch.save({"state_dict": {}, "hook": print}, tmp_path / "model.pth")
    with pytest.raises(DataError, match="without running code"):
        load_pointcept(tmp_path / "model.pth", published_config("LitePT-v1"))
