"""DINOv2 from checkpoints of the published layout, against a plain NumPy vision transformer."""

from dataclasses import replace

import numpy as np
import onnxruntime
import pytest
import torch
from conftest import make_config
from PIL import Image
from scipy.special import erf

from ditr_train.cli import main
from ditr_train.config.model_config import ImageEncoderConfig, config_to_document
from ditr_train.config.vit_architecture import VIT_ARCHITECTURES, VitArchitecture
from ditr_train.data.errors import DataError
from ditr_train.encoders.patch_encoder import build_patch_encoder
from ditr_train.encoders.vision_transformer import resize_positions
from ditr_train.engine.run_folder import RunFolder
from ditr_train.export.graphs import export_image_encoder
from ditr_train.weights.vision_transformer import load_vision_transformer, published_shapes

SMALL = VitArchitecture(channels=24, depth=2, heads=3, pretraining_grid=5)
VARIANTS = {
    "mlp": SMALL,
    "mlp-registers": replace(SMALL, registers=4, resizing="antialiased"),
    "swiglu": replace(SMALL, feed_forward="swiglu", hidden_channels=64),
    "swiglu-registers": replace(SMALL, feed_forward="swiglu", hidden_channels=64, registers=4, resizing="antialiased"),
}


def random_checkpoint(architecture, seed=0):
    """Weights with the names and shapes of a published checkpoint, far from their initial zeros and ones."""
    generator = torch.Generator().manual_seed(seed)
    tensors = {}
    shapes = published_shapes(architecture, "dinov2") | {"mask_token": (1, architecture.channels)}
    for name, shape in shapes.items():
        value = torch.randn(shape, generator=generator)
        if name.endswith(".weight") and len(shape) > 1:
            value *= np.prod(shape[1:]) ** -0.5
        elif name.endswith(("norm.weight", "norm1.weight", "norm2.weight", "gamma")):
            value = 1 + 0.3 * value
        else:
            value *= 0.3
        tensors[name] = value
    return tensors


def vision_transformer(checkpoint, architecture, image, positions):
    """Dosovitskiy et al. (2021) with LayerScale, registers and SwiGLU, in float64; image [3, H, W]."""
    w = {name: value.double().numpy() for name, value in checkpoint.items()}
    p, heads = architecture.patch_size, architecture.heads

    def linear(x, name):
        return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]

    def layer_norm(x, name):
        centered = x - x.mean(-1, keepdims=True)
        return (
            centered / np.sqrt((centered**2).mean(-1, keepdims=True) + 1e-6) * w[f"{name}.weight"] + w[f"{name}.bias"]
        )

    kernel = w["patch_embed.proj.weight"].reshape(architecture.channels, -1)
    patches = [
        kernel @ image[:, top : top + p, left : left + p].ravel() + w["patch_embed.proj.bias"]
        for top in range(0, image.shape[1], p)
        for left in range(0, image.shape[2], p)
    ]
    x = np.concatenate([w["cls_token"][0], np.stack(patches)]) + positions
    if architecture.registers:
        x = np.concatenate([x[:1], w["register_tokens"][0], x[1:]])
    for i in range(architecture.depth):
        qkv = linear(layer_norm(x, f"blocks.{i}.norm1"), f"blocks.{i}.attn.qkv")
        mixed = []
        for q, k, v in zip(*(np.split(part, heads, axis=1) for part in np.split(qkv, 3, axis=1)), strict=True):
            scores = np.exp(q @ k.T / np.sqrt(q.shape[1]))
            mixed.append(scores / scores.sum(1, keepdims=True) @ v)
        x = x + w[f"blocks.{i}.ls1.gamma"] * linear(np.concatenate(mixed, axis=1), f"blocks.{i}.attn.proj")
        hidden = layer_norm(x, f"blocks.{i}.norm2")
        if architecture.feed_forward == "mlp":
            hidden = linear(hidden, f"blocks.{i}.mlp.fc1")
            out = linear(hidden * (1 + erf(hidden / np.sqrt(2))) / 2, f"blocks.{i}.mlp.fc2")
        else:
            gate, value = np.split(linear(hidden, f"blocks.{i}.mlp.w12"), 2, axis=1)
            out = linear(gate / (1 + np.exp(-gate)) * value, f"blocks.{i}.mlp.w3")
        x = x + w[f"blocks.{i}.ls2.gamma"] * out
    return layer_norm(x, "norm")[1 + architecture.registers :]


def cubic_weights(target, source, scale):
    """[target, source] weights of Keys' cubic, a = -0.75, samples beyond the border taken from it."""
    weights = np.zeros((target, source))
    for i in range(target):
        x = (i + 0.5) / scale - 0.5
        for j in range(int(np.floor(x)) - 1, int(np.floor(x)) + 3):
            t, a = abs(x - j), -0.75
            near = (a + 2) * t**3 - (a + 3) * t**2 + 1
            far = a * (t**3 - 5 * t**2 + 8 * t - 4)
            weights[i, min(max(j, 0), source - 1)] += near if t <= 1 else far
    return weights


def resized_positions(checkpoint, architecture, rows, columns):
    """[1 + rows * columns, C] by the rule of the weights' authors."""
    positions, side = checkpoint["pos_embed"][0].numpy(), architecture.pretraining_grid
    if (rows, columns) == (side, side):
        return positions
    grid = positions[1:].reshape(side, side, -1)
    if architecture.registers:
        # Pillow's filter is antialiased too.
        planes = [
            np.asarray(Image.fromarray(plane).resize((columns, rows), Image.Resampling.BICUBIC))
            for plane in np.ascontiguousarray(grid.transpose(2, 0, 1))
        ]
        resized = np.stack(planes, axis=-1)
    else:
        vertical = cubic_weights(rows, side, (rows + 0.1) / side)
        horizontal = cubic_weights(columns, side, (columns + 0.1) / side)
        resized = np.einsum("rs,ct,stk->rck", vertical, horizontal, grid)
    return np.concatenate([positions[:1], resized.reshape(rows * columns, -1)])


@pytest.mark.parametrize("registers", [0, 4])
@pytest.mark.parametrize(("rows", "columns"), [(5, 5), (3, 7), (9, 2), (5, 4), (1, 1)])
def test_positions_are_resized_as_published(registers, rows, columns):
    architecture = replace(SMALL, registers=registers, resizing="antialiased" if registers else "offset")
    checkpoint = random_checkpoint(architecture)
    found = resize_positions(checkpoint["pos_embed"], rows, columns, architecture.resizing)
    expected = resized_positions(checkpoint, architecture, rows, columns)
    np.testing.assert_allclose(found[0], expected, atol=1e-5)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize(("rows", "columns"), [(5, 5), (4, 7)])
def test_features_are_those_of_a_plain_vision_transformer(tmp_path, variant, rows, columns):
    architecture = VARIANTS[variant]
    checkpoint = random_checkpoint(architecture)
    torch.save(checkpoint, tmp_path / "weights.pth")
    encoder = load_vision_transformer(tmp_path / "weights.pth", architecture, rows, columns, variant)
    images = torch.randn(2, 3, 14 * rows, 14 * columns)
    positions = resized_positions(checkpoint, architecture, rows, columns)
    with torch.no_grad():
        features = encoder(images)
    assert features.shape == (2, rows * columns, architecture.channels)
    for found, image in zip(features, images, strict=True):
        expected = vision_transformer(checkpoint, architecture, image.double().numpy(), positions)
        np.testing.assert_allclose(found, expected, atol=1e-4)


def encoder_config(architecture, rows=3, columns=5):
    return ImageEncoderConfig(
        architecture=architecture,
        input_height=14 * rows,
        input_width=14 * columns,
        mean=(0.485, 0.456, 0.406),
        std=(0.229, 0.224, 0.225),
    )


@pytest.mark.parametrize("name", ["dinov2_vits14", "dinov2_vits14_reg"])
def test_a_whole_vit_s_and_its_graph(tmp_path, name):
    architecture = VIT_ARCHITECTURES[name]
    checkpoint = random_checkpoint(architecture)
    torch.save(checkpoint, tmp_path / "weights.pth")
    config = encoder_config(name)
    encoder = load_vision_transformer(tmp_path / "weights.pth", architecture, config.rows, config.columns, name)
    images = torch.randn(2, 3, config.input_height, config.input_width)
    with torch.no_grad():
        features = encoder(images).numpy()
    positions = resized_positions(checkpoint, architecture, config.rows, config.columns)
    expected = vision_transformer(checkpoint, architecture, images[0].double().numpy(), positions)
    np.testing.assert_allclose(features[0], expected, atol=1e-4)
    export_image_encoder(encoder, config, tmp_path / "encoder.onnx")
    graph = onnxruntime.InferenceSession(tmp_path / "encoder.onnx", providers=["CPUExecutionProvider"])
    for batch in (1, 2):
        (found,) = graph.run(None, {"image": images[:batch].numpy()})
        np.testing.assert_allclose(found, features[:batch], atol=1e-4)


@pytest.mark.parametrize(
    ("name", "millions"),
    [
        ("dinov2_vits14", 22.06),
        ("dinov2_vitb14", 86.58),
        ("dinov2_vitl14", 304.37),
        ("dinov2_vitg14", 1136.48),
        ("dinov2_vits14_reg", 22.06),
        ("dinov2_vitg14_reg", 1136.49),
    ],
)
def test_parameter_counts_are_those_published(name, millions):
    with torch.device("meta"):
        encoder = build_patch_encoder(encoder_config(name, 37, 37))
    assert round(sum(p.numel() for p in encoder.parameters()) / 1e6, 2) == millions


def test_every_tensor_that_does_not_fit_is_named(tmp_path):
    checkpoint = random_checkpoint(SMALL)
    del checkpoint["blocks.1.ls2.gamma"]
    checkpoint["blocks.2.norm1.weight"] = torch.ones(24)
    checkpoint["cls_token"] = torch.zeros(1, 24)
    checkpoint["norm.bias"][3] = torch.nan
    torch.save(checkpoint, tmp_path / "weights.pth")
    with pytest.raises(DataError) as error:
        load_vision_transformer(tmp_path / "weights.pth", SMALL, 5, 5, "the test's network")
    assert str(error.value) == (
        f"{tmp_path / 'weights.pth'} does not fit the test's network: missing blocks.1.ls2.gamma; "
        "unexpected blocks.2.norm1.weight; wrong shape cls_token (1, 24) instead of (1, 1, 24); not finite norm.bias"
    )


def test_registers_are_not_silently_left_out(tmp_path):
    torch.save(random_checkpoint(VARIANTS["mlp-registers"]), tmp_path / "weights.pth")
    with pytest.raises(DataError, match=r"unexpected register_tokens$"):
        load_vision_transformer(tmp_path / "weights.pth", SMALL, 5, 5, "a network without registers")


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "no checkpoint"), (b"not a checkpoint", "no checkpoint"), (None, "No such file")],
)
def test_a_file_that_is_no_checkpoint_is_refused(tmp_path, content, message):
    path = tmp_path / "weights.pth"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match=message):
        load_vision_transformer(path, SMALL, 5, 5, "a network")


def test_import_writes_an_encoder_that_the_other_commands_load(tmp_path, capsys):
    config = replace(
        make_config(),
        injection=replace(make_config().injection, feature_dimension=384),
        image_encoder=encoder_config("dinov2_vits14_reg"),
    )
    RunFolder(tmp_path / "config").create(config, resume=False)
    checkpoint = random_checkpoint(VIT_ARCHITECTURES["dinov2_vits14_reg"])
    torch.save(checkpoint, tmp_path / "weights.pth")
    # JSON is YAML.
    arguments = ["import", "dinov2", str(tmp_path / "weights.pth"), "--config", str(tmp_path / "config/config.json")]
    assert main([*arguments, "-o", str(tmp_path / "run")]) == 0
    assert "3 x 5 patches of 384 features" in capsys.readouterr().out
    run = RunFolder(tmp_path / "run")
    assert config_to_document(run.config()) == config_to_document(config)
    encoder = build_patch_encoder(run.config().image_encoder)
    encoder.load_state_dict(run.load("encoder.pt"))
    assert torch.equal(encoder.blocks[11].mlp.fc2.weight, checkpoint["blocks.11.mlp.fc2.weight"])
    assert len(run.read_json("data.json")["checkpoint_sha256"]) == 64
    del checkpoint["register_tokens"]
    torch.save(checkpoint, tmp_path / "weights.pth")
    assert main([*arguments, "-o", str(tmp_path / "other")]) == 2
    assert "missing register_tokens" in capsys.readouterr().err
    assert not (tmp_path / "other").exists()
