"""ditr-train get against a hub on this machine, with random weights of the published layouts at a small width."""

import io
import json
from dataclasses import replace

import numpy as np
import onnxruntime
import pytest
import safetensors.torch
import torch
from local_hub import COMMIT, local_hub
from random_weights import random_weights

from ditr_train.cli import main
from ditr_train.commands.get import CONFIGS
from ditr_train.config.model_config import load_config
from ditr_train.config.vit_architecture import VIT_ARCHITECTURES
from ditr_train.engine.run_folder import RunFolder
from ditr_train.export.graphs import random_cloud, random_image_inputs
from ditr_train.geometry.graph_inputs import voxelize_scan
from ditr_train.methods.frozen_encoder import load_frozen_encoder
from ditr_train.model.segmentor import Segmentor
from ditr_train.weights import hub as hub_module
from ditr_train.weights import pointcept
from ditr_train.weights.published_models import PERMISSIVE, PUBLISHED_MODELS
from ditr_train.weights.vision_transformer import published_shapes

SMALL = {
    "litept": (
        "encoder.channels=[6, 12]",
        "encoder.heads=[1, 2]",
        "encoder.convolution=[true, false]",
        "encoder.attention=[false, true]",
        "decoder.channels=[8]",
    ),
    "ptv3": (
        "encoder.channels=[8, 16]",
        "encoder.heads=[1, 2]",
        "encoder.convolution=[true, true]",
        "encoder.attention=[true, true]",
        "decoder.channels=[8]",
        "decoder.heads=[2]",
        "decoder.depths=[1]",
        "decoder.convolution=[true]",
        "decoder.attention=[true]",
    ),
}
"""Two stages of few channels: what export takes grows with the operators of the graph."""
CHANNELS = 12
"""Of the small image encoders."""


def small(name):
    """What makes the network of a row small, of the same layout."""
    model = PUBLISHED_MODELS[name]
    settings = [
        "image_encoder.input_height=HEIGHT",
        "image_encoder.input_width=WIDTH",
        "injection.feature_dimension=12",
    ]
    if model.kind == "encoder" or model.encoder:
        patch = small_architecture(architecture_of(model)).patch_size
        settings = [s.replace("HEIGHT", str(2 * patch)).replace("WIDTH", str(3 * patch)) for s in settings]
    else:
        settings = []
    if model.kind != "encoder":
        kind = "litept" if "litept" in model.configuration else "ptv3"
        settings += [f"backbone.{each}" for each in (*SMALL[kind], "encoder.depths=[1, 1]", "patch_size=64")]
        if model.encoder:
            settings.append("injection.levels=[0]")
    return settings


def architecture_of(model):
    return next(s.partition("=")[2] for s in model.settings if s.startswith("image_encoder.architecture="))


def small_architecture(name):
    """The architecture with two blocks of few channels."""
    published = VIT_ARCHITECTURES[name]
    side = 4 if published.pretraining_grid else 0
    return replace(published, channels=CHANNELS, depth=2, heads=1, hidden_channels=24, pretraining_grid=side)


def checkpoint(name):
    """The bytes of the file of a row."""
    model = PUBLISHED_MODELS[name]
    if model.kind == "encoder":
        architecture = architecture_of(model)
        layout = "transformers " + ("siglip" if "siglip" in architecture else architecture.partition("_")[0])
        shapes = published_shapes(VIT_ARCHITECTURES[architecture], layout, 4)
        return safetensors.torch.save(random_weights(shapes, 0, convolution_gain=2))
    config = load_config(CONFIGS / model.configuration, [*model.settings, *small(name)])
    segmentor = Segmentor(config)
    tensors = random_weights(pointcept.published_shapes(segmentor, pointcept.layout_of(config)), 0, convolution_gain=2)
    if model.kind == "distilled":
        tensors = {key: value for key, value in tensors.items() if "seg_head" not in key}
        tensors |= {"proj.weight": torch.zeros(1024, 8), "proj.bias": torch.zeros(1024)}
    stream = io.BytesIO()
    torch.save({"epoch": 50, "state_dict": {f"module.{key}": value for key, value in tensors.items()}}, stream)
    return stream.getvalue()


@pytest.fixture
def small_encoders(monkeypatch):
    for name in VIT_ARCHITECTURES:
        monkeypatch.setitem(VIT_ARCHITECTURES, name, small_architecture(name))


def repositories(*names):
    result = {}
    for name in names:
        file = PUBLISHED_MODELS[name].file
        result.setdefault(file.repository, {})[file.path] = checkpoint(name)
    return result


def command(name, folder, *extra):
    sets = [argument for setting in small(name) for argument in ("--set", setting)]
    return ["get", name, "-o", str(folder / "out"), "--cache", str(folder / "cache"), "--threads", "1", *sets, *extra]


@pytest.mark.parametrize("name", PUBLISHED_MODELS)
def test_each_row_becomes_what_the_list_says(tmp_path, capsys, monkeypatch, rng, small_encoders, name):
    model = PUBLISHED_MODELS[name]
    rows = [each for each in (name, model.encoder, model.image_free) if each]
    strict = any(PUBLISHED_MODELS[row].file.licence not in PERMISSIVE for row in rows)
    with local_hub(repositories(*rows)) as (_, address):
        monkeypatch.setenv("HF_ENDPOINT", address)
        if strict:
            assert main(command(name, tmp_path)) == 2
            assert f"{model.file.repository} is under {model.file.licence}" in capsys.readouterr().err
            assert not (tmp_path / "out").exists()
        assert main(command(name, tmp_path, *(["--accept-license"] if strict else []))) == 0
    out = tmp_path / "out"
    config = load_config(CONFIGS / model.configuration, [*model.settings, *small(name)])
    if model.kind == "encoder":
        view = config.image_encoder
        encoder = load_frozen_encoder(out, config)
        with torch.no_grad():
            features = encoder(torch.randn(1, 3, view.input_height, view.input_width))
        assert features.shape == (1, 6, CHANNELS) and features.std() > 0.1
        origin = RunFolder(out).read_json("data.json")
    elif model.kind == "distilled":
        weights = RunFolder(out).load("checkpoint.pt")["model"]
        assert "backbone.stem.convolution.weight" in weights and "head.weight" not in weights
        origin = RunFolder(out).read_json("origin.json")
    else:
        document = json.loads((out / "bundle.json").read_text())
        assert ("licence" in document) == strict
        assert not strict or f"{model.file.licence}, of {model.file.repository}" in document["licence"]
        origin = document["training"]
        scan = voxelize_scan(random_cloud(config.backbone, 300, rng, extent=20.0), config.backbone)
        expected = {"fused", "image_encoder", "image_free"} if model.encoder else {"image_free"}
        assert set(document["graphs"]) == expected
        for graph in expected - {"image_encoder"}:
            session = onnxruntime.InferenceSession(out / f"{graph}.onnx", providers=["CPUExecutionProvider"])
            images = random_image_inputs(config, len(scan.representative), rng) if graph == "fused" else {}
            label, logits = session.run(["label", "logits"], scan.inputs | images)
            assert len(label) == len(scan.representative) and (label == logits.argmax(1)).all()
            assert np.isfinite(logits).all() and logits.std(axis=0).max() > 1e-3
    assert origin["source"] == f"huggingface.co/{model.file.repository} at {COMMIT}: {model.file.path}"
    assert origin["licence"] == model.file.licence and len(origin["sha256"]) == 64


def test_without_a_name_the_list_is_shown(capsys):
    assert main(["get"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1 + len(PUBLISHED_MODELS)
    assert any(line.startswith("ditr-nuscenes-l ") and " AGPL-3.0 + Apache-2.0 " in line for line in lines)
    assert main(["get", "nothing", "-o", "x"]) == 2
    assert "nothing: unknown; known are litept-nuscenes, " in capsys.readouterr().err


def test_what_the_cache_holds_is_taken_without_the_hub(tmp_path, capsys, monkeypatch, small_encoders):
    with local_hub(repositories("dinov2-s")) as (hub, address):
        monkeypatch.setenv("HF_ENDPOINT", address)
        assert main(command("dinov2-s", tmp_path)) == 0
        assert ("GET", "/facebook/dinov2-small/resolve/main/model.safetensors") in [
            (method, path.replace(COMMIT, "main")) for method, path in hub.requests
        ]
    # Now nobody listens there.
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert main(command("dinov2-s", tmp_path)) == 0
    assert main(command("dinov2-b", tmp_path)) == 2
    assert "HF_HUB_OFFLINE is set, and it is not in the cache" in capsys.readouterr().err


def test_a_file_in_another_folder_of_the_same_experiment_is_found(tmp_path, capsys, monkeypatch):
    file = PUBLISHED_MODELS["litept-nuscenes"].file
    data = checkpoint("litept-nuscenes")
    elsewhere = file.path.replace("/model/", "/weights/final/")
    with local_hub({file.repository: {elsewhere: data}}) as (hub, address):
        monkeypatch.setenv("HF_ENDPOINT", address)
        assert main(command("litept-nuscenes", tmp_path)) == 0
        hub.repositories[file.repository] = {"README.md": b"nothing"}
        assert main(command("litept-nuscenes", tmp_path, "--force")) == 2
    assert f"has no {file.path}, and below" in capsys.readouterr().err


def test_what_the_hub_refuses_is_said_with_what_mends_it(tmp_path, capsys, monkeypatch, small_encoders):
    with local_hub(repositories("dinov3-s16")) as (hub, address):
        monkeypatch.setenv("HF_ENDPOINT", address)
        arguments = command("dinov3-s16", tmp_path, "--accept-license")
        hub.gated.add("facebook/dinov3-vits16-pretrain-lvd1689m")
        assert main(arguments) == 2
        assert "log in with `hf auth login` or set HF_TOKEN" in capsys.readouterr().err
        hub.gated.clear()
        hub.damaged.add("model.safetensors")
        assert main(arguments) == 2
        assert "not the hub's" in capsys.readouterr().err
        assert main([*arguments, "--revision", "never"]) == 2
        assert "the hub says" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_what_the_table_knows_of_a_file_is_checked(tmp_path, monkeypatch, small_encoders):
    file = PUBLISHED_MODELS["dinov2-s"].file
    with local_hub(repositories("dinov2-s")) as (_, address):
        monkeypatch.setenv("HF_ENDPOINT", address)
        fetched = hub_module.fetch(file, cache=tmp_path)
        size = fetched.path.stat().st_size
        assert hub_module.fetch(replace(file, sha256=fetched.sha256, size=size), cache=tmp_path) == fetched
        with pytest.raises(hub_module.DataError, match=rf"has {size} bytes, not 5;"):
            hub_module.fetch(replace(file, size=5), cache=tmp_path)
        with pytest.raises(hub_module.DataError, match="not the table's 0000"):
            hub_module.fetch(replace(file, sha256="0" * 64), cache=tmp_path)
