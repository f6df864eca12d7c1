"""MinkUNet in the layout of Pointcept's SpUNet-v1m1, against dense convolutions by the checkpoint's names."""

from dataclasses import replace

import numpy as np
import onnxruntime
import pytest
import torch
import torch.nn.functional as F
from conftest import CONFIGS, make_config, make_residual_config
from equal_outputs import assert_equal_outputs
from random_weights import random_weights

from ditr_train.cli import main
from ditr_train.config.model_config import ConfigError, config_to_document, load_config
from ditr_train.data.errors import DataError
from ditr_train.engine.initialization import initialize
from ditr_train.engine.run_folder import RunFolder
from ditr_train.export.graphs import random_cloud, run_segmentor
from ditr_train.geometry.graph_inputs import voxelize_scan
from ditr_train.model.segmentor import Segmentor
from ditr_train.weights.pointcept import layout_of, load_distilled, load_pointcept, published_shapes


def published_config():
    config = make_residual_config()
    return replace(config, injection=None, image_encoder=None)


def layout_shapes(config):
    """Names and shapes as SpUNetBase makes them, in order of their definition."""
    encoder, decoder = config.backbone.encoder, config.backbone.decoder
    shapes = {}

    def convolution(name, out, inner, edge):
        shapes[f"{name}.weight"] = (out, edge, edge, edge, inner)

    def batch_norm(name, channels):
        for part in ("weight", "bias", "running_mean", "running_var"):
            shapes[f"{name}.{part}"] = (channels,)
        shapes[f"{name}.num_batches_tracked"] = ()

    def block(name, inner, out):
        if inner != out:
            convolution(f"{name}.proj.0", out, inner, 1)
            batch_norm(f"{name}.proj.1", out)
        convolution(f"{name}.conv1", out, inner, 3)
        batch_norm(f"{name}.bn1", out)
        convolution(f"{name}.conv2", out, out, 3)
        batch_norm(f"{name}.bn2", out)

    convolution("backbone.conv_input.0", encoder.channels[0], len(config.backbone.input_features), 5)
    batch_norm("backbone.conv_input.1", encoder.channels[0])
    above = (*decoder.channels[1:], encoder.channels[-1])
    for s, channels in enumerate(decoder.channels):
        skip, coarse = encoder.channels[s], encoder.channels[s + 1]
        convolution(f"backbone.down.{s}.0", coarse, skip, 2)
        batch_norm(f"backbone.down.{s}.1", coarse)
        for b in range(encoder.depths[s + 1]):
            block(f"backbone.enc.{s}.block{b}", coarse, coarse)
        convolution(f"backbone.up.{s}.0", channels, above[s], 2)
        batch_norm(f"backbone.up.{s}.1", channels)
        for b in range(decoder.depths[s]):
            block(f"backbone.dec.{s}.block{b}", channels + skip if b == 0 else channels, channels)
    convolution("backbone.final", len(config.classes), decoder.channels[0], 1)
    shapes["backbone.final.bias"] = (len(config.classes),)
    return shapes


def random_checkpoint(config, seed=0):
    return random_weights(layout_shapes(config), seed, convolution_gain=2)


class DenseNetwork:
    """SpUNet on volumes: after each layer what is not occupied is zero again."""

    def __init__(self, tensors, config):
        self.w = {name: value.double() for name, value in tensors.items()}
        self.depths = config.backbone.encoder.depths, config.backbone.decoder.depths

    def kernel(self, name):
        return self.w[f"{name}.weight"].permute(0, 4, 1, 2, 3)  # [out, in, x, y, z]

    def convolution(self, volume, occupied, name):
        kernel = self.kernel(name)
        return occupied * F.conv3d(volume, kernel, padding=kernel.shape[-1] // 2)

    def batch_norm(self, volume, occupied, name):
        mean, variance, weight, bias = (
            self.w[f"{name}.{part}"] for part in ("running_mean", "running_var", "weight", "bias")
        )
        return occupied * F.batch_norm(volume, mean, variance, weight, bias, eps=1e-3)

    def block(self, volume, occupied, name):
        y = self.batch_norm(self.convolution(volume, occupied, f"{name}.conv1"), occupied, f"{name}.bn1").relu()
        y = self.batch_norm(self.convolution(y, occupied, f"{name}.conv2"), occupied, f"{name}.bn2")
        if f"{name}.proj.0.weight" in self.w:
            volume = self.batch_norm(self.convolution(volume, occupied, f"{name}.proj.0"), occupied, f"{name}.proj.1")
        return (y + volume).relu()

    def logits(self, feat, grid):
        """feat [V, F], grid int64 [V, 3] -> [V, classes]"""
        encoder_depths, decoder_depths = self.depths
        edge = 2 ** (len(encoder_depths) - 1)
        size = [-(-(int(n) + 1) // edge) * edge for n in grid.max(0).values]
        at = (0, slice(None), *grid.T)
        x, occupied = torch.zeros(1, feat.shape[1], *size).double(), torch.zeros(1, 1, *size).double()
        x[at], occupied[at] = feat.T.double(), 1.0
        x = self.batch_norm(self.convolution(x, occupied, "backbone.conv_input.0"), occupied, "backbone.conv_input.1")
        x = x.relu()
        skips = []
        for s, depth in enumerate(encoder_depths[1:]):
            skips.append((x, occupied))
            occupied = F.max_pool3d(occupied, 2)
            x = occupied * F.conv3d(x, self.kernel(f"backbone.down.{s}.0"), stride=2)
            x = self.batch_norm(x, occupied, f"backbone.down.{s}.1").relu()
            for b in range(depth):
                x = self.block(x, occupied, f"backbone.enc.{s}.block{b}")
        for s in reversed(range(len(decoder_depths))):
            skip, occupied = skips[s]
            kernel = self.kernel(f"backbone.up.{s}.0").transpose(0, 1)
            x = occupied * F.conv_transpose3d(x, kernel, stride=2)
            x = self.batch_norm(x, occupied, f"backbone.up.{s}.1").relu()
            x = torch.cat([x, skip], dim=1)
            for b in range(decoder_depths[s]):
                x = self.block(x, occupied, f"backbone.dec.{s}.block{b}")
        x = F.conv3d(x, self.kernel("backbone.final"), self.w["backbone.final.bias"])
        return x[at].T


def saved(tensors, path):
    torch.save({"epoch": 40, "state_dict": {f"module.{name}": value for name, value in tensors.items()}}, path)
    return path


def grid_of(scan, cloud, config):
    xyz = np.stack([cloud[axis] for axis in "xyz"], axis=1).astype(np.float64)
    grid = np.floor((xyz - xyz.min(0)) / config.backbone.grid_size)[scan.representative]
    return torch.from_numpy(grid.astype(np.int64))


def test_logits_are_those_of_dense_convolutions(tmp_path, rng):
    config = published_config()
    tensors = random_checkpoint(config)
    model = load_pointcept(saved(tensors, tmp_path / "model_best.pth"), config)
    assert (model.layout, model.epoch) == ("SpUNet-v1m1", 40)
    for points, extent in ((900, 20.0), (30, 4.0)):
        cloud = random_cloud(config.backbone, points, rng, extent=extent)
        scan = voxelize_scan(cloud, config.backbone)
        expected = DenseNetwork(tensors, config).logits(
            torch.from_numpy(scan.inputs["feat"]), grid_of(scan, cloud, config)
        )
        assert expected.std() > 0.1
        found = run_segmentor(model.segmentor, scan.inputs)["logits"]
        np.testing.assert_allclose(found, expected, atol=1e-4)


@pytest.mark.parametrize("name", ["minkunet-nuscenes", "minkunet-scannet"])
def test_full_sizes_have_the_published_layout(name):
    config = load_config(CONFIGS / f"{name}.yaml")
    with torch.device("meta"):
        segmentor = Segmentor(config)
    shapes = layout_shapes(config)
    assert published_shapes(segmentor, layout_of(config)) == shapes
    # As the comment of the file says; buffers are no parameters.
    parameters = sum(p.numel() for p in segmentor.parameters())
    assert parameters == sum(
        int(np.prod(shape)) for tensor, shape in shapes.items() if tensor.endswith((".weight", ".bias"))
    )
    assert f"{parameters / 1e6:.2f} M parameters" in (CONFIGS / f"{name}.yaml").read_text()


def test_every_tensor_that_does_not_fit_is_named(tmp_path):
    config = published_config()
    tensors = random_checkpoint(config)
    del tensors["backbone.enc.1.block0.bn2.bias"]
    tensors["backbone.down.0.0.weight"] = torch.zeros(2, 2, 2, 8, 8)  # spconv 1
    with pytest.raises(DataError) as error:
        load_pointcept(saved(tensors, tmp_path / "model.pth"), config)
    assert str(error.value).endswith(
        "does not fit SpUNet-v1m1 as test configures it: missing backbone.enc.1.block0.bn2.bias; wrong shape "
        "backbone.down.0.0.weight (2, 2, 2, 8, 8) instead of (8, 2, 2, 2, 8)"
    )
    with pytest.raises(ConfigError, match="injection: there are no checkpoints of SpUNet-v1m1 with injection"):
        load_pointcept(tmp_path / "model.pth", make_residual_config())
    backbone = config.backbone
    deeper = replace(backbone, encoder=replace(backbone.encoder, depths=(1, 1, 2)))
    with pytest.raises(ConfigError, match="1 blocks at stage 0 are not 0"):
        layout_of(replace(config, backbone=deeper))
    with pytest.raises(ConfigError, match="stem_kernel_size: 3 is not 5"):
        layout_of(replace(config, backbone=replace(backbone, stem_kernel_size=3)))


def test_what_d_ditr_distilled_becomes_where_training_starts(tmp_path, capsys):
    config = published_config()
    tensors = {name: value for name, value in random_checkpoint(config).items() if "final" not in name}
    tensors |= {"proj.weight": torch.randn(1024, 12), "proj.bias": torch.randn(1024)}
    path = saved(tensors, tmp_path / "model_last.pth")
    with pytest.raises(DataError, match="was distilled and knows no classes"):
        load_pointcept(path, config)
    assert load_distilled(path, config).dropped == ("proj.weight", "proj.bias")
    RunFolder(tmp_path / "config").create(config, resume=False)
    arguments = ["import", "d-ditr", str(path), "--config", str(tmp_path / "config/config.json")]
    assert main([*arguments, "-o", str(tmp_path / "run")]) == 0
    assert "SpUNet-v1m1: " in capsys.readouterr().out
    segmentor = Segmentor(config)
    weights = RunFolder(tmp_path / "run").load("checkpoint.pt")["model"]
    start = initialize(segmentor, weights, origin="distilled", keep_head=True)
    assert start.fresh == ("head.weight", "head.bias") and start.dropped == ()
    taken = segmentor.state_dict()["backbone.unpooling.1.convolution.weight"]
    published = tensors["backbone.up.1.0.weight"]
    assert torch.equal(taken.reshape(16, 2, 2, 2, 12)[:, 1, 0, 1], published[:, 1, 0, 1].T)


def test_the_bundle_computes_what_the_network_does(tmp_path, rng):
    config = published_config()
    path = saved(random_checkpoint(config), tmp_path / "model_best.pth")
    RunFolder(tmp_path / "config").create(config, resume=False)
    arguments = ["import", "pointcept", str(path), "--config", str(tmp_path / "config/config.json")]
    assert main([*arguments, "-o", str(tmp_path / "bundle")]) == 0
    graph = onnxruntime.InferenceSession(tmp_path / "bundle/image_free.onnx", providers=["CPUExecutionProvider"])
    segmentor = load_pointcept(path, config).segmentor
    for points, extent in ((900, 20.0), (20, 1.0)):
        cloud = random_cloud(config.backbone, points, rng, extent=extent)
        assert_equal_outputs(segmentor, graph, voxelize_scan(cloud, config.backbone).inputs)


def test_a_configuration_of_residual_blocks_is_checked():
    document = config_to_document(make_residual_config())
    assert document["backbone"]["encoder"]["attention"] == (False, False, False)
    backbone = make_residual_config().backbone
    with pytest.raises(ConfigError, match=r"encoder.attention: \[True, True, True\] goes without saying"):
        replace(backbone, encoder=replace(backbone.encoder, attention=(True, True, True)))
    with pytest.raises(ConfigError, match=r"decoder.depths: \[1, 0\] are not all above 0"):
        replace(backbone, decoder=replace(backbone.decoder, depths=(1, 0)))
    injection = replace(make_config().injection, place="unpooling", normalization="batch", levels=(0, 1))
    with pytest.raises(ConfigError, match=r"injection.place: unpooling is not skip, which goes with residual blocks"):
        replace(make_residual_config(), injection=injection)
