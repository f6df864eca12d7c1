"""Training, scoring and coverage on the data sets of rooms and of Waymo, each in its published layout."""

import json

import pytest
import torch
import yaml
from conftest import CONFIGS, make_config, replace
from indoor_layouts import write_s3dis, write_scannet200, write_sun_rgbd
from waymo_layout import write_waymo

from ditr_train.cli import main
from ditr_train.config.backbone_config import InputFeature
from ditr_train.config.model_config import SemanticClass, config_to_document, load_config
from ditr_train.data.loading import load_scans
from ditr_train.data.source import DatasetSplit
from ditr_train.encoders.image_encoder import ImageEncoder


def read_classes(name):
    document = yaml.safe_load((CONFIGS / f"{name}.classes.yaml").read_text())
    return tuple(SemanticClass(entry["id"], entry["name"], tuple(entry["color"])) for entry in document)


def s3dis(folder):
    write_s3dis(folder, {"Area_1": ["office_1"], "Area_5": ["office_1"]}, images=1)
    return "Area_1", "test"


def scannet200(folder):
    names = {entry.id: entry.name for entry in read_classes("scannet200")}
    write_scannet200(folder, ["scene0000_00"], names, images=1)
    write_scannet200(folder, ["scene0011_00"], names, images=1, split="val")
    return "train", "val"


def waymo(folder):
    write_waymo(folder, ["1002_9"])
    write_waymo(folder, ["1024_7"], split="validation")
    return "train", "val"


def sun_rgbd(folder):
    write_sun_rgbd(folder)
    return "train", "test"


@pytest.mark.parametrize(
    ("kind", "write", "last", "scans"),
    [
        ("s3dis", s3dis, "blue", 1),
        ("scannet200", scannet200, "normal_z", 1),
        ("waymo", waymo, "elongation", 2),
        ("sun-rgbd", sun_rgbd, "blue", 1),
    ],
)
def test_train_evaluate_and_coverage(tmp_path, kind, write, last, scans):
    train, held_out = write(tmp_path / "data")
    config = replace(make_config(), classes=read_classes(kind))
    config = replace(config, backbone=replace(config.backbone, input_features=(InputFeature("x"), InputFeature(last))))
    document = config_to_document(config)
    document["training"] |= {"steps": 2, "scans_per_step": 1, "evaluate_every": 2}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(json.loads(json.dumps(document))))
    torch.manual_seed(0)
    (tmp_path / "encoder").mkdir()
    torch.save(ImageEncoder(config.image_encoder).state_dict(), tmp_path / "encoder" / "encoder.pt")
    for name in ("scores", "data"):
        (tmp_path / "encoder" / f"{name}.json").write_text('{"miou": 0, "images": 0}')
    scored = ["--bags", f"{kind}:{tmp_path}/data:{held_out}"]
    command = ["train", str(tmp_path / "config.yaml"), "--encoder", str(tmp_path / "encoder"), "--threads", "1"]
    data = ["--bags", f"{kind}:{tmp_path}/data:{train}", "--validation", scored[1]]
    assert main([*command, *data, "--workers", "1", "-o", str(tmp_path / "run")]) == 0
    assert main(["evaluate", str(tmp_path / "run"), *scored, "--threads", "1", "--json", str(tmp_path / "s.json")]) == 0
    scores = json.loads((tmp_path / "s.json").read_text())
    assert scores["scans"] == scans and 0 < scores["share_of_points_seen"] <= 1
    assert main(["coverage", str(tmp_path / "run"), *scored, "--threads", "1"]) == 0


@pytest.mark.parametrize(
    ("kind", "write", "names"),
    [
        ("s3dis", s3dis, ("ptv3-s3dis", "ditr-ptv3-s3dis", "d-ditr-ptv3-s3dis")),
        ("scannet200", scannet200, ("ptv3-scannet200", "ditr-ptv3-scannet200", "d-ditr-ptv3-scannet200")),
        ("waymo", waymo, ("litept-s-waymo", "ptv3-waymo", "ditr-ptv3-waymo", "d-ditr-ptv3-waymo")),
    ],
)
def test_the_configurations_name_classes_and_fields_of_the_data_sets(tmp_path, kind, write, names):
    train, _ = write(tmp_path)
    for name in names:
        config = load_config(CONFIGS / f"{name}.yaml")
        (*_, scan) = load_scans([DatasetSplit(kind, tmp_path, train)], config, None, progress=False)
        assert {feature.name for feature in config.backbone.input_features} <= set(scan.fields)
        assert (scan.label >= 0).any()


def test_the_documented_configuration_of_sun_rgbd(tmp_path):
    write_sun_rgbd(tmp_path)
    base, classes = CONFIGS / "ptv3-s3dis.yaml", CONFIGS / "sun-rgbd.classes.yaml"
    (tmp_path / "config.yaml").write_text(f"base: {base}\nname: ptv3-sun-rgbd\nclasses: {classes}\n")
    config = load_config(tmp_path / "config.yaml")
    scans = load_scans([DatasetSplit("sun-rgbd", tmp_path, "train")], config, None, progress=False)
    assert len(config.classes) == 37 and scans[0].label.max() == 36
