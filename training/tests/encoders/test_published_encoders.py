"""DINOv2, DINOv3, SigLIP 2, timm's and foreign graphs, against transformers and timm on random weights."""

import json
from dataclasses import replace

import numpy as np
import onnx
import pytest
import safetensors.torch
import torch
import torchvision_operators  # noqa: F401
from conftest import make_config

from ditr_train.cli import main
from ditr_train.config.model_config import ConfigError, ImageEncoderConfig
from ditr_train.config.vit_architecture import VitArchitecture, dinov3, siglip2
from ditr_train.data.errors import DataError
from ditr_train.encoders.patch_encoder import build_patch_encoder
from ditr_train.engine.run_folder import RunFolder
from ditr_train.methods.frozen_encoder import load_frozen_encoder
from ditr_train.weights.timm_checkpoint import load_timm_checkpoint
from ditr_train.weights.vision_transformer import load_vision_transformer, published_shapes

transformers = pytest.importorskip("transformers")
timm = pytest.importorskip("timm")

SIZES = {"hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 2}
DINOV2 = VitArchitecture(channels=24, depth=2, heads=2, pretraining_grid=4)


def randomized(model, seed=0):
    """Far from zeros and ones, so that nothing can be left out unseen."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            if parameter.ndim > 1:
                parameter.copy_(noise * np.prod(parameter.shape[1:]) ** -0.5)
            else:
                parameter.add_(0.3 * noise)
    return model.eval()


def dinov2_model(*, registers, gated):
    if registers:
        config = transformers.Dinov2WithRegistersConfig(
            **SIZES, image_size=56, patch_size=14, num_register_tokens=4, use_swiglu_ffn=gated
        )
        return transformers.Dinov2WithRegistersModel(config)
    return transformers.Dinov2Model(
        transformers.Dinov2Config(**SIZES, image_size=56, patch_size=14, use_swiglu_ffn=gated)
    )


def dinov3_model(*, gated):
    config = transformers.DINOv3ViTConfig(
        **SIZES,
        image_size=64,
        patch_size=16,
        intermediate_size=40,
        num_register_tokens=4,
        use_gated_mlp=gated,
        hidden_act="silu" if gated else "gelu",
        key_bias=False,
    )
    return transformers.DINOv3ViTModel(config)


def siglip_model():
    config = transformers.SiglipVisionConfig(**SIZES, image_size=64, patch_size=16, intermediate_size=40)
    return transformers.SiglipVisionModel(config)


GATED_64 = {"feed_forward": "swiglu", "hidden_channels": 64}
CASES = {
    "dinov2": (lambda: dinov2_model(registers=False, gated=False), DINOV2),
    "dinov2 gated": (lambda: dinov2_model(registers=False, gated=True), replace(DINOV2, **GATED_64)),
    "dinov2 registers": (
        lambda: dinov2_model(registers=True, gated=False),
        replace(DINOV2, registers=4, resizing="antialiased"),
    ),
    "dinov3": (lambda: dinov3_model(gated=False), replace(dinov3(24, 2, 2, 40))),
    "dinov3 gated": (lambda: dinov3_model(gated=True), dinov3(24, 2, 2, 40, gated=True)),
    "siglip2": (siglip_model, siglip2(24, 2, 2, 40)),
}


@pytest.mark.parametrize("name", CASES)
def test_features_are_those_of_transformers(tmp_path, name):
    make, architecture = CASES[name]
    model = randomized(make())
    model.save_pretrained(tmp_path)  # with the names of the published files
    rows, columns = (4, 4) if architecture.positions == "learned" else (3, 5)
    encoder = load_vision_transformer(tmp_path / "model.safetensors", architecture, rows, columns, name)
    patch = architecture.patch_size
    image = torch.randn(2, 3, rows * patch, columns * patch)
    with torch.no_grad():
        tokens = model(pixel_values=image).last_hidden_state
        found = encoder(image)
    expected = tokens[:, tokens.shape[1] - rows * columns :]
    assert expected.std() > 0.3
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)


def test_siglip_positions_are_resized_as_transformers_does(tmp_path):
    model = randomized(siglip_model())
    model.save_pretrained(tmp_path)
    # A published file has the text side beside it.
    sides = {f"vision_model.{k}": v for k, v in safetensors.torch.load_file(tmp_path / "model.safetensors").items()}
    sides |= {"text_model.head.weight": torch.ones(2, 2), "logit_scale": torch.ones(1)}
    safetensors.torch.save_file(sides, tmp_path / "both.safetensors")
    encoder = load_vision_transformer(tmp_path / "both.safetensors", siglip2(24, 2, 2, 40), 3, 6, "siglip2")
    image = torch.randn(1, 3, 48, 96)
    with torch.no_grad():
        expected = model(pixel_values=image, interpolate_pos_encoding=True).last_hidden_state
        torch.testing.assert_close(encoder(image), expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("gated", [False, True])
def test_dinov3_of_its_authors_has_the_weights_of_transformers_under_other_names(tmp_path, gated):
    model = randomized(dinov3_model(gated=gated))
    model.save_pretrained(tmp_path)
    architecture = dinov3(24, 2, 2, 40, gated=gated)
    encoder = load_vision_transformer(tmp_path / "model.safetensors", architecture, 3, 5, "dinov3")
    state = encoder.state_dict()
    shapes = published_shapes(architecture, "dinov3")
    assert "storage_tokens" in shapes and "blocks.1.attn.qkv.bias" in shapes
    published = {}
    for name in shapes:
        ours = name.replace("storage_tokens", "register_tokens")
        if ".mlp.w1." in name or ".mlp.w2." in name:
            half = 0 if ".mlp.w1." in name else 1
            published[name] = state[name.replace(".w1.", ".w12.").replace(".w2.", ".w12.")].chunk(2)[half].clone()
        else:
            published[name] = state[ours].clone()
        if name.endswith("qkv.bias"):
            # What stands where keys have none is masked.
            published[name][24:48] = 5.0
            published[f"{name}_mask"] = torch.cat([torch.ones(24), torch.zeros(24), torch.ones(24)])
    published |= {"mask_token": torch.zeros(1, 24), "rope_embed.periods": 100 ** (torch.arange(3) / 3).bfloat16()}
    torch.save(published, tmp_path / "dinov3.pth")
    again = load_vision_transformer(tmp_path / "dinov3.pth", architecture, 3, 5, "dinov3").state_dict()
    assert all(torch.equal(again[name], state[name]) for name in state)
    published["rope_embed.periods"] = 10 ** (torch.arange(3) / 3)
    torch.save(published, tmp_path / "dinov3.pth")
    with pytest.raises(DataError, match=r"its rope_embed\.periods are not those of a base of 100"):
        load_vision_transformer(tmp_path / "dinov3.pth", architecture, 3, 5, "dinov3")


def test_every_tensor_that_does_not_fit_is_named_as_in_the_file(tmp_path):
    model = randomized(dinov3_model(gated=False))
    model.save_pretrained(tmp_path)
    with pytest.raises(DataError) as error:
        load_vision_transformer(tmp_path / "model.safetensors", dinov3(24, 3, 2, 40), 3, 5, "another")
    assert "missing layer.2.norm1.weight, layer.2.norm1.bias, layer.2.attention.q_proj.weight" in str(error.value)
    (tmp_path / "bad.safetensors").write_bytes(b"no tensors")
    with pytest.raises(DataError, match="is no file of tensors in the safetensors format"):
        load_vision_transformer(tmp_path / "bad.safetensors", dinov3(24, 3, 2, 40), 3, 5, "another")


def view(architecture, patch_size, channels, rows=3, columns=5):
    return ImageEncoderConfig(
        input_height=rows * patch_size,
        input_width=columns * patch_size,
        mean=(0.5, 0.5, 0.5),
        std=(0.5, 0.5, 0.5),
        architecture=architecture,
        patch_size=patch_size,
        feature_dimension=channels,
    )


@pytest.mark.parametrize(
    ("name", "patch_size", "channels"), [("vit_tiny_patch16_224", 16, 192), ("vit_small_patch14_reg4_dinov2", 14, 384)]
)
def test_any_vision_transformer_of_timm(tmp_path, name, patch_size, channels):
    published = randomized(timm.create_model(name, pretrained=False, img_size=4 * patch_size))
    torch.save(published.state_dict(), tmp_path / "model.pth")
    config = view(f"timm:{name}", patch_size, channels)
    encoder = load_timm_checkpoint(tmp_path / "model.pth", build_patch_encoder(config), name)
    image = torch.randn(2, 3, config.input_height, config.input_width)
    # As DITR's authors make it.
    dynamic = timm.create_model(
        name, pretrained=False, num_classes=0, global_pool="", dynamic_img_size=True, img_size=4 * patch_size
    )
    dynamic.load_state_dict({k: v for k, v in published.state_dict().items() if not k.startswith("head.")})
    with torch.no_grad():
        expected = dynamic.eval()(image)[:, dynamic.num_prefix_tokens :]
        torch.testing.assert_close(encoder(image), expected, atol=1e-4, rtol=1e-4)
    with pytest.raises(ConfigError, match=f"feature_dimension: 7 is not {channels}, that of timm's {name}"):
        build_patch_encoder(view(f"timm:{name}", patch_size, 7))
    with pytest.raises(ConfigError, match="timm makes no encoder nothing"):
        build_patch_encoder(view("timm:nothing", patch_size, 7))


def foreign(kind):
    """A graph with other names, whose features are the mean colour of each patch of 16 x 16, and zeros."""
    lines = {
        "map": """(float[N, 3, H, W] pixels) => (float[N, 3, R, C] map) {
            map = AveragePool<kernel_shape=[16, 16], strides=[16, 16]>(pixels)
        }""",
        "tokens": """(float[N, 3, H, W] pixels) => (float[N, 3] pooled, float[N, T, 3] tokens)
            <int64[3] shape = {0, 3, -1}, float[1, 1, 3] first = {9, 9, 9}> {
                map = AveragePool<kernel_shape=[16, 16], strides=[16, 16]>(pixels)
                flat = Reshape(map, shape)
                patches = Transpose<perm=[0, 2, 1]>(flat)
                pooled = ReduceMean<keepdims=0>(patches, axis)
                tokens = Concat<axis=1>(first, patches)
            }""",
    }
    text = f'<ir_version: 10, opset_import: ["": 20]> g {lines[kind]}'
    if kind == "tokens":
        text = text.replace("first = {9, 9, 9}>", "first = {9, 9, 9}, int64[1] axis = {1}>")
    return onnx.parser.parse_model(text)


@pytest.mark.parametrize("kind", ["map", "tokens"])
def test_any_graph_from_an_image_to_patches(tmp_path, capsys, kind):
    onnx.save(foreign(kind), tmp_path / "foreign.onnx")
    config = make_config()
    config = replace(
        config, image_encoder=view("onnx", 16, 3), injection=replace(config.injection, feature_dimension=3)
    )
    RunFolder(tmp_path / "config").create(config, resume=False)
    arguments = ["import", "encoder", str(tmp_path / "foreign.onnx"), "--config", str(tmp_path / "config/config.json")]
    assert main([*arguments, "-o", str(tmp_path / "run")]) == 0
    assert "onnx for images of 80 x 48: 3 x 5 patches of 3 features" in capsys.readouterr().out
    encoder = load_frozen_encoder(tmp_path / "run", config)
    image = torch.randn(1, 3, 48, 80)
    expected = image.reshape(3, 3, 16, 5, 16).mean((2, 4)).permute(1, 2, 0).reshape(1, 15, 3)
    torch.testing.assert_close(encoder(image), expected, atol=1e-5, rtol=0)
    assert json.loads((tmp_path / "run/data.json").read_text())["architecture"] == "onnx"
    arguments += ["--set", "image_encoder.feature_dimension=4", "--set", "injection.feature_dimension=4"]
    assert main([*arguments, "-o", str(tmp_path / "other")]) == 2
    assert "none of its outputs (" in capsys.readouterr().err
