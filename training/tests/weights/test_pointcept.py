"""Checkpoints in the layout of Pointcept's PT-v3m1 and LitePT-v1, against a plain forward pass by their names."""

import json
from dataclasses import replace

import numpy as np
import onnxruntime
import pytest
import torch
import torch.nn.functional as F
from conftest import CONFIGS, make_config, shallow
from equal_outputs import assert_equal_outputs
from random_weights import random_weights

from ditr_train.cli import main
from ditr_train.config.model_config import ConfigError, InjectionConfig, config_to_document, load_config
from ditr_train.data.errors import DataError
from ditr_train.encoders.image_encoder import ImageEncoder
from ditr_train.engine.initialization import initialize
from ditr_train.engine.run_folder import RunFolder
from ditr_train.export.graphs import random_cloud, random_image_inputs, run_segmentor
from ditr_train.geometry.graph_inputs import voxelize_scan
from ditr_train.geometry.scan_geometry import serialization_code
from ditr_train.model.segmentor import Segmentor
from ditr_train.weights.pointcept import layout_of, load_distilled, load_pointcept, published_shapes


def published_config(layout):
    ptv3 = layout.startswith("PT-v3m1")
    config = make_config("convolution" if ptv3 else "rotary")
    backbone = replace(config.backbone, stem_kernel_size=5)
    if ptv3:
        backbone = replace(backbone, decoder=replace(backbone.decoder, first_convolution="skip"))
    if layout == "PT-v3m1 of v1.5.1":
        backbone = replace(backbone, later_convolutions="mlp")
    if layout == "LitePT-v1 with decoder blocks":
        decoder = replace(
            backbone.decoder, depths=(1, 2), heads=(2, 4), convolution=(True, False), attention=(False, True)
        )
        backbone = replace(backbone, decoder=decoder)
    if layout == "PT-v3m1-image":
        injection = InjectionConfig(feature_dimension=16, levels=(0, 1), place="unpooling", normalization="batch")
        return replace(config, backbone=backbone, injection=injection)
    return replace(config, backbone=backbone, injection=None, image_encoder=None)


LAYOUTS = ("PT-v3m1", "PT-v3m1 of v1.5.1", "PT-v3m1-image", "LitePT-v1", "LitePT-v1 with decoder blocks")


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
        parts = [("proj", 0, coarse), ("proj_skip", 0, encoder.channels[s])]
        if config.injection is not None:
            parts.append(("proj_image_feat", 1, config.injection.feature_dimension))
        for name, first, inner in parts:
            add(f"backbone.dec.dec{s}.up.{name}.{first}", channels, inner)
            batch_norm(f"backbone.dec.dec{s}.up.{name}.{first + 1}", channels)
        blocks(f"backbone.dec.dec{s}", decoder, s)
        coarse = channels
    return shapes


def random_checkpoint(config, seed=0):
    return random_weights(layout_shapes(config), seed, convolution_gain=3)


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
        sparse = x if convolved is None else convolved
        for i in range(part.depths[stage] if part.depths else 0):
            block = f"{name}.block{i}"
            if part.convolution[stage]:
                convolution = f"{block}.{'cpe' if self.ptv3 else 'conv'}"
                y = self.convolution(sparse, grid, f"{convolution}.0")
                x = x + self.layer_norm(self.linear(y, f"{convolution}.1"), f"{convolution}.2")
            else:
                x = self.layer_norm(x, f"{block}.norm0.0")
            if part.attention[stage]:
                order = self.backbone.orders[i % len(self.backbone.orders)]
                normed = self.layer_norm(x, f"{block}.norm1.0")
                x = x + self.attention(normed, grid, part.heads[stage], order, f"{block}.attn")
                hidden = F.gelu(self.linear(self.layer_norm(x, f"{block}.norm2.0"), f"{block}.mlp.0.fc1"))
                added = self.linear(hidden, f"{block}.mlp.0.fc2")
                x = x + added
            # Up to v1.5.1 the sum at the end of a block was not put into the sparse tensor: `replace_feature` gives
            # a new one, which was dropped.
            sparse = added if self.backbone.later_convolutions == "mlp" else x
        return x

    def logits(self, feat, grid, image_feat=None):
        """feat [V, F], grid int64 [V, 3], of DITR image_feat [V, C_2D], 0 where not seen -> [V, classes]"""
        encoder, decoder = self.backbone.encoder, self.backbone.decoder
        x = self.convolution(feat.double(), grid, "backbone.embedding.stem.conv")
        x = F.gelu(self.batch_norm(x, "backbone.embedding.stem.norm"))
        skips, grids, clusters, image_feats = [], [], [], []
        for s in range(self.backbone.stage_count):
            name = f"backbone.enc.enc{s}"
            if s > 0:
                grid, cluster = torch.unique(grid // 2, dim=0, return_inverse=True)
                projected = self.linear(x, f"{name}.down.proj")
                pooled = torch.stack([projected[cluster == voxel].max(0).values for voxel in range(len(grid))])
                x = F.gelu(self.batch_norm(pooled, f"{name}.down.norm.0"))
                clusters.append(cluster)
                if image_feat is not None:
                    image_feat = torch.stack([image_feat[cluster == voxel].max(0).values for voxel in range(len(grid))])
            image_feats.append(image_feat)
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
            if image_feat is not None:
                projected = self.linear(image_feats[s].double(), f"{name}.up.proj_image_feat.1")
                x = x + F.gelu(self.batch_norm(projected, f"{name}.up.proj_image_feat.2"))
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
        image_inputs, image_feat = {}, None
        if config.injection is not None:
            image_inputs = random_image_inputs(config, len(scan.representative), rng)
            seen = image_inputs["voxel_patch_weight"]
            assert 0 < seen.mean() < 1
            image_feat = torch.from_numpy(image_inputs["image_features"][image_inputs["voxel_patch"][:, 0]] * seen)
        found = run_segmentor(model.segmentor, scan.inputs | image_inputs)["logits"]
        xyz = np.stack([cloud[axis] for axis in "xyz"], axis=1).astype(np.float64)
        grid = np.floor((xyz - xyz.min(0)) / config.backbone.grid_size)[scan.representative]
        expected = PlainNetwork(tensors, config).logits(
            torch.from_numpy(scan.inputs["feat"]), torch.from_numpy(grid.astype(np.int64)), image_feat
        )
        assert expected.std() > 0.1
        np.testing.assert_allclose(found, expected, atol=1e-4)
        if image_feat is not None:
            # No image is an image that sees nothing.
            image_inputs["voxel_patch_weight"] = 0 * seen
            blind = run_segmentor(model.segmentor, scan.inputs | image_inputs)["logits"]
            assert np.abs(blind - found).max() > 0.1
            np.testing.assert_allclose(run_segmentor(model.segmentor, scan.inputs)["logits"], blind, atol=1e-4)


def test_only_blocks_with_mlps_can_convolve_what_these_add():
    backbone = published_config("LitePT-v1").backbone
    with pytest.raises(ConfigError, match="mlp needs attention and MLPs, which encoder stage 1 has not"):
        replace(backbone, later_convolutions="mlp", encoder=replace(backbone.encoder, attention=(False, False, True)))


@pytest.mark.parametrize("name", ["ptv3-nuscenes", "litept-s", "ditr-ptv3-nuscenes"])
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
        ({"injection": True}, "injection.place: skip is not unpooling, that of DITR's checkpoints"),
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
    config = shallow(published_config("LitePT-v1"))
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


def test_ditr_with_its_encoder_becomes_a_fused_bundle(tmp_path, rng, capsys):
    config = shallow(published_config("PT-v3m1-image"), stages=(0, 1, 2))
    image_free = shallow(published_config("PT-v3m1"), stages=(0, 1, 2))
    path = saved(random_checkpoint(config), tmp_path / "ditr.pth")
    other = saved(random_checkpoint(image_free, seed=1), tmp_path / "tuned.pth")
    encoder = RunFolder(tmp_path / "encoder")
    encoder.create(config, resume=False)
    torch.manual_seed(0)
    encoder.save("encoder.pt", ImageEncoder(config.image_encoder).state_dict())
    encoder.write_json("data.json", {"architecture": "vit"})
    (tmp_path / "config.yaml").write_text(json.dumps(config_to_document(config)))
    arguments = ["import", "pointcept", str(path), "--config", str(tmp_path / "config.yaml"), "--threads", "1"]
    arguments += ["-o", str(tmp_path / "bundle")]
    assert main(arguments) == 2
    assert "has injection, so --encoder is needed" in capsys.readouterr().err
    arguments += ["--encoder", str(encoder.path)]
    assert main([*arguments, "--image-free", str(other)]) == 0
    document = json.loads((tmp_path / "bundle" / "bundle.json").read_text())
    assert set(document["graphs"]) == {"image_free", "fused", "image_encoder"}
    assert document["training"]["layout"] == "PT-v3m1-image of DITR"
    assert document["training"]["image_free_network"]["layout"] == "PT-v3m1 of Pointcept"
    inputs = voxelize_scan(random_cloud(config.backbone, 1500, rng, extent=40), config.backbone).inputs
    images = random_image_inputs(config, len(inputs["feat"]), rng)
    for name, network, given in (
        ("fused", load_pointcept(path, config), inputs | images),
        ("image_free", load_pointcept(other, image_free), inputs),
    ):
        graph = onnxruntime.InferenceSession(tmp_path / "bundle" / f"{name}.onnx", providers=["CPUExecutionProvider"])
        assert_equal_outputs(network.segmentor, graph, given)
    # The encoder of that bundle, as a file, in another one without an image-free graph.
    arguments[arguments.index("--encoder") + 1] = str(tmp_path / "bundle")
    arguments[arguments.index("-o") + 1] = str(tmp_path / "again")
    assert main(arguments) == 0
    again = json.loads((tmp_path / "again" / "bundle.json").read_text())
    assert again["graphs"] == {name: document["graphs"][name] for name in ("fused", "image_encoder")}


def distilled(config, seed=0):
    tensors = random_checkpoint(config, seed)
    del tensors["seg_head.weight"], tensors["seg_head.bias"]
    return tensors | {"proj.weight": torch.zeros(16, 12), "proj.bias": torch.zeros(16)}


def test_what_d_ditr_distilled_is_a_start_without_its_head(tmp_path, capsys):
    config = published_config("PT-v3m1")
    tensors = distilled(config)
    path = saved(tensors, tmp_path / "distilled.pth")
    with pytest.raises(DataError, match=r"was distilled and knows no classes; fine-tune it first: ditr-train import"):
        load_pointcept(path, config)
    (tmp_path / "config.yaml").write_text(json.dumps(config_to_document(config)))
    arguments = ["import", "d-ditr", str(path), "--config", str(tmp_path / "config.yaml"), "-o", str(tmp_path / "run")]
    assert main(arguments) == 0
    assert "2 of its distillation dropped (proj.weight, proj.bias)" in capsys.readouterr().out
    tuned = Segmentor(config)
    weights = RunFolder(tmp_path / "run").load("checkpoint.pt")["model"]
    taken = initialize(tuned, weights, origin="distilled", keep_head=True)
    assert taken.fresh == ("head.weight", "head.bias") and taken.dropped == ()
    whole = load_pointcept(saved(random_checkpoint(config), tmp_path / "whole.pth"), config).segmentor
    assert all(torch.equal(tuned.state_dict()[name], whole.state_dict()[name]) for name in taken.taken)
    with pytest.raises(DataError, match=r"was not distilled: it has none of the tensors proj\.\*"):
        load_distilled(tmp_path / "whole.pth", config)
    del tensors["backbone.enc.enc0.block0.norm1.0.bias"]
    with pytest.raises(DataError, match=r"missing backbone\.enc\.enc0\.block0\.norm1\.0\.bias$"):
        load_distilled(saved(tensors, tmp_path / "less.pth"), config)
