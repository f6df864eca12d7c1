"""The authors' configurations train on data sets of the published layout, scaled down by --set."""

import csv
import json
from dataclasses import replace

import pytest
import torch
from conftest import CONFIGS
from published_layouts import write_nuscenes, write_semantic_kitti

from ditr_train.cli import main
from ditr_train.config.model_config import load_config
from ditr_train.config.vit_architecture import VIT_ARCHITECTURES
from ditr_train.encoders.patch_encoder import build_patch_encoder

SMALL = [
    "backbone.encoder.depths=[1, 1]",
    "backbone.encoder.channels=[8, 16]",
    "backbone.encoder.heads=[1, 2]",
    "backbone.encoder.convolution=[true, true]",
    "backbone.encoder.attention=[true, true]",
    "backbone.decoder.depths=[1]",
    "backbone.decoder.channels=[8]",
    "backbone.decoder.heads=[2]",
    "backbone.decoder.convolution=[true]",
    "backbone.decoder.attention=[true]",
    "backbone.patch_size=32",
    "image_encoder.input_height=28",
    "image_encoder.input_width=42",
    "training.scans_per_step=2",
]
"""Two stages of few channels, two patches from top to bottom of an image; a step of two scans."""
SOURCES = {
    "nuscenes": ("nuscenes:{}:mini_train", "nuscenes:{}:mini_val"),
    "semantic-kitti": ("semantic-kitti:{}:00", "semantic-kitti:{}:val"),
}


@pytest.fixture(params=SOURCES)
def data_set(request, tmp_path, monkeypatch):
    """Its name, arguments for the scans, and a run of the image encoder."""
    large = VIT_ARCHITECTURES["dinov2_vitl14_reg"]
    small = replace(large, channels=12, depth=1, heads=1, hidden_channels=24, pretraining_grid=4)
    monkeypatch.setitem(VIT_ARCHITECTURES, "dinov2_vitl14_reg", small)
    name, folder = request.param, tmp_path / "data"
    if name == "nuscenes":
        write_nuscenes(folder, {"scene-0061": 3, "scene-0103": 1})
    else:
        write_semantic_kitti(folder, {"00": 3, "08": 1})
    bags, validation = (source.format(folder) for source in SOURCES[name])
    config = load_config(CONFIGS / f"ditr-ptv3-{name}.yaml", [*SMALL, *injected()])
    torch.manual_seed(0)
    (tmp_path / "encoder").mkdir()
    torch.save(build_patch_encoder(config.image_encoder).state_dict(), tmp_path / "encoder" / "encoder.pt")
    for file in ("data", "scores"):
        (tmp_path / "encoder" / f"{file}.json").write_text("{}")
    return name, ["--bags", bags, "--validation", validation, "--threads", "1"], tmp_path / "encoder"


def injected():
    return ["injection.feature_dimension=12", "injection.levels=[0]"]


def run(command, config, arguments, settings):
    sets = [part for setting in settings for part in ("--set", setting)]
    return main([command, str(CONFIGS / f"{config}.yaml"), *arguments, *sets])


def losses(folder):
    rows = list(csv.DictReader((folder / "log.csv").open()))
    return [float(row["loss"]) for row in rows]


def test_ditr_trains_and_is_scored_with_images_and_without(data_set, tmp_path):
    name, scans, encoder = data_set
    fused = tmp_path / "fused"
    arguments = [*scans, "--encoder", str(encoder), "--steps", "3", "-o", str(fused)]
    assert run("train", f"ditr-ptv3-{name}", arguments, [*SMALL, *injected(), "training.evaluate_every=1"]) == 0
    assert len(losses(fused)) == 3
    scores = json.loads((fused / "scores.json").read_text())
    assert scores["scans"] == 1 and 0 < scores["share_of_points_seen"] < 1
    assert {"fused", "image_free", "fused_seen_points"} <= set(scores)
    views = tmp_path / "views.json"
    command = ["evaluate", str(fused), "--bags", scans[3], "--threads", "1", "--json", str(views), "--test-time"]
    assert main(command) == 0
    assert json.loads(views.read_text())["views"] == 10


def test_d_ditr_distills_and_is_fine_tuned_without_images(data_set, tmp_path):
    name, scans, encoder = data_set
    distilled, tuned = tmp_path / "distilled", tmp_path / "tuned"
    arguments = [*scans, "--encoder", str(encoder), "--steps", "3", "-o", str(distilled)]
    once = ["distillation.evaluate_every=1", "distillation.scans_per_step=2"]
    assert run("distill", f"d-ditr-ptv3-{name}", arguments, [*SMALL, *once]) == 0
    assert len(losses(distilled)) == 3 and all(0 < loss < 2 for loss in losses(distilled))
    arguments = [*scans, "--image-free", "--initialize", str(distilled), "--steps", "2", "-o", str(tuned)]
    assert run("train", f"d-ditr-ptv3-{name}", arguments, [*SMALL, "training.evaluate_every=1"]) == 0
    data = json.loads((tuned / "data.json").read_text())
    assert data["initialized_from"]
    scores = json.loads((tuned / "scores.json").read_text())
    assert "image_free" in scores and "fused" not in scores
