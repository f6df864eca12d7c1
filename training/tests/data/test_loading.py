"""Data sets on the command line: they are read when they are needed, and every command works on them."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from conftest import CONFIGS, make_config, make_segmentor, replace, shallow
from published_layouts import KITTI_CLASS_IDS, write_nuscenes, write_scannet, write_semantic_kitti
from synthetic_samples import write_samples

from ditr_train.cli import main
from ditr_train.config.backbone_config import InputFeature
from ditr_train.config.model_config import SemanticClass, config_to_document
from ditr_train.config.training_config import AugmentationConfig
from ditr_train.data.augmentation import augment
from ditr_train.data.errors import DataError
from ditr_train.data.label_share import choose_labelled
from ditr_train.data.loading import load_scans
from ditr_train.data.nuscenes import NUSCENES
from ditr_train.data.s3dis import S3DIS_CLASSES
from ditr_train.data.scannet import SCANNET
from ditr_train.data.scans import LabeledScan
from ditr_train.data.semantic_kitti import SEMANTIC_KITTI
from ditr_train.data.source import DatasetSplit, scan_source
from ditr_train.data.stored_scans import StoredScan, StoredScans, joined, scan_names, surveyed, with_images
from ditr_train.data.sun_rgbd import SUN_RGBD
from ditr_train.data.waymo import WAYMO
from ditr_train.encoders.image_encoder import ImageEncoder
from ditr_train.export.bundle import write_bundle
from ditr_train.methods.losses import class_counts
from ditr_train.methods.segmentation import Training


def read_classes(name):
    document = yaml.safe_load((CONFIGS / f"{name}.classes.yaml").read_text())
    return tuple(SemanticClass(entry["id"], entry["name"], tuple(entry["color"])) for entry in document)


def config_for(name, **changes):
    return replace(make_config(), classes=read_classes(name), **changes)


@pytest.mark.parametrize(
    ("name", "learning_map"),
    [
        ("semantic-kitti", SEMANTIC_KITTI),
        ("nuscenes", NUSCENES),
        ("waymo", WAYMO),
        ("scannet", SCANNET),
        ("s3dis", S3DIS_CLASSES),
        ("sun-rgbd", SUN_RGBD),
    ],
)
def test_class_files_are_those_of_the_data_sets(name, learning_map):
    assert {entry.id: entry.name for entry in read_classes(name)} == dict(learning_map.classes)
    assert {*learning_map.raw.values(), 0} == {0, *learning_map.classes}


def test_sources_are_bags_or_splits():
    assert scan_source("drives/a.mcap") == Path("drives/a.mcap")
    assert scan_source("odd:name.mcap") == Path("odd:name.mcap")
    assert scan_source("s3dis:/data/s3:Area_1,Area_2") == DatasetSplit("s3dis", Path("/data/s3"), "Area_1,Area_2")
    assert scan_source("nuscenes:/data/nu:train") == DatasetSplit("nuscenes", Path("/data/nu"), "train")
    part = scan_source("semantic-kitti:data/a:b:00/0-15")
    assert part == DatasetSplit("semantic-kitti", Path("data/a:b"), "00/0-15") and part.name == "semantic-kitti:00/0-15"
    with pytest.raises(DataError, match="'kitti' is none of the data sets semantic-kitti, nuscenes, scannet"):
        scan_source("kitti:/data:train")
    with pytest.raises(DataError, match=r"no split is named; write scannet:/data:train"):
        scan_source("scannet:/data")


def test_scans_are_read_when_they_are_needed(tmp_path):
    truth = write_semantic_kitti(tmp_path, {"08": 4}, images=True)
    write_samples(tmp_path / "a", 1, seed=1)
    config = config_for("semantic-kitti")
    torch.manual_seed(0)
    sources = [DatasetSplit("semantic-kitti", tmp_path, "val"), tmp_path / "a"]
    scans = load_scans(sources, config, ImageEncoder(config.image_encoder), progress=False)
    assert len(scans) == 5 and isinstance(scans, StoredScans)
    assert scan_names(scans) == [scan.name for scan in scans]
    label = scans[2].label
    np.testing.assert_array_equal(label + 1, np.array(KITTI_CLASS_IDS)[truth["08", 1][1]])
    images = scans[2].images
    assert images is not None and images.features.shape == (6, 16) and 0 < images.weight.mean() < 1
    np.testing.assert_array_equal(images.patch, scans[2].images.patch)
    # Files that came later count: nothing is held.
    file = tmp_path / "sequences" / "08" / "velodyne" / "000001.bin"
    file.write_bytes(file.read_bytes()[16:])
    with pytest.raises(DataError, match="61 labels for the 60 points"):
        scans[2]
    some = choose_labelled(scans, 0.4, seed=0)
    assert isinstance(some, StoredScans) and len(some) == 2
    assert scan_names(some) == [scan_names(scans)[i] for i in sorted(np.random.default_rng([0, 3]).permutation(5)[:2])]
    assert scan_names(scans[1:4:2]) == scan_names(scans)[1:4:2]


def test_a_large_data_set_is_surveyed_without_images():
    read = []

    def scan(index, images):
        read.append((index, images))
        return LabeledScan(f"{index}", {}, np.zeros(1, np.int8), None)

    scans = StoredScans([StoredScan(f"{i}", i % 2 == 0, lambda images, i=i: scan(i, images)) for i in range(1000)])
    assert [s.name for s in surveyed(scans, images=False)] == [str(i) for i in range(0, 1000, 4)]
    assert read == [(i, False) for i in range(0, 1000, 4)]
    assert len(with_images(scans)) == 500 and len(read) == 250
    assert with_images(scans)[3].name == "6" and read[-1] == (6, True)
    bag = [LabeledScan("a", {}, np.zeros(1, np.int8), None)] * 1000
    assert surveyed(bag, images=False) is bag
    read.clear()
    for first, second, names in ((scans, bag[:2], [*"012", "3"]), (bag[:2], scans, ["a", "a", "0", "1"])):
        both = joined(first, second)
        assert len(both) == 1002 and scan_names(both)[:4] == names
    assert not read
    assert joined(bag[:2], bag[:1]) == bag[:3]


def test_other_classes_and_fields_are_refused(tmp_path):
    write_nuscenes(tmp_path, {"scene-0103": 1})
    source = DatasetSplit("nuscenes", tmp_path, "mini_val")
    with pytest.raises(
        DataError, match="nuscenes:mini_val: the configuration's class 1 is car, the data set's barrier"
    ):
        load_scans([source], config_for("semantic-kitti"), None, progress=False)
    # Without labels nothing of them is needed.
    assert len(load_scans([source], config_for("semantic-kitti"), None, labels=False, progress=False)[0].label) == 80
    config = config_for("nuscenes")
    features = (*config.backbone.input_features, InputFeature("red"))
    config = replace(config, backbone=replace(config.backbone, input_features=features))
    with pytest.raises(DataError, match="nuscenes:mini_val has no field red; it has x, y, z, intensity, ring"):
        load_scans([source], config, None, progress=False)[0]


def test_normals_turn_with_the_points(tmp_path, rng):
    write_scannet(tmp_path, ["scene0000_00"])
    names = ("red", "green", "blue", "normal_x", "normal_y", "normal_z")
    config = config_for("scannet")
    config = replace(config, backbone=replace(config.backbone, input_features=tuple(map(InputFeature, names))))
    (scan,) = load_scans([DatasetSplit("scannet", tmp_path, "train")], config, None, progress=False)
    for _ in range(8):
        moved = augment(scan, AugmentationConfig(drop=0, jitter=0), rng, fused=False)
        xyz, normals = (np.stack([moved.fields[f"{p}{axis}"] for axis in "xyz"], 1) for p in ("", "normal_"))
        before = np.stack([scan.fields[f"normal_{axis}"] for axis in "xyz"], 1)
        np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1, atol=1e-6)
        # Still outwards, and as far from the corner's diagonal as before.
        diagonals = xyz - xyz.mean(0)
        diagonals /= np.linalg.norm(diagonals, axis=1, keepdims=True)
        outwards = (np.array([[*np.ndindex(2, 2, 2)]])[0] - 0.5) / np.sqrt(0.75)
        np.testing.assert_allclose((normals * diagonals).sum(1), (before * outwards).sum(1), atol=1e-5)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    """The three data sets, a configuration for each, and an image encoder."""
    folder = tmp_path_factory.mktemp("workspace")
    write_semantic_kitti(folder / "kitti", {"00": 3, "08": 2})
    write_nuscenes(folder / "nuscenes", {"scene-0061": 2, "scene-0103": 1})
    write_scannet(folder / "scannet", ["scene0000_00", "scene0001_00"], images=2)
    write_scannet(folder / "scannet", ["scene0011_00"], split="val", images=2)
    torch.manual_seed(0)
    encoder = make_config().image_encoder
    assert encoder is not None
    (folder / "encoder").mkdir()
    torch.save(ImageEncoder(encoder).state_dict(), folder / "encoder" / "encoder.pt")
    for name in ("scores", "data"):
        (folder / "encoder" / f"{name}.json").write_text('{"miou": 0, "images": 0}')
    loop = {"steps": 3, "scans_per_step": 1, "learning_rate": 0.01, "evaluate_every": 2}
    for name in ("semantic-kitti", "nuscenes", "scannet"):
        document = config_to_document(config_for(name))
        document["training"] |= loop | {"class_weight_power": 0.25}
        document["distillation"] = loop | {"clusters": 4}
        if name == "scannet":
            fields = ("red", "green", "blue", "normal_x", "normal_y", "normal_z")
            document["backbone"]["input_features"] = [{"name": field} for field in fields]
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(json.loads(json.dumps(document))))
    return folder


TRAINING = {
    "semantic-kitti": ("semantic-kitti:{}/kitti:00", "semantic-kitti:{}/kitti:val", 3, 2),
    "nuscenes": ("nuscenes:{}/nuscenes:mini_train", "nuscenes:{}/nuscenes:mini_val", 2, 1),
    "scannet": ("scannet:{}/scannet:train", "scannet:{}/scannet:val", 2, 1),
}


@pytest.mark.parametrize("name", list(TRAINING))
def test_train_evaluate_and_distill(workspace, tmp_path, name):
    train, validation, scans, held_out = TRAINING[name]
    config, encoder = str(workspace / f"{name}.yaml"), ["--encoder", str(workspace / "encoder")]
    data = ["--bags", train.format(workspace), "--validation", validation.format(workspace)]
    threads = ["--threads", "1"]
    assert main(["distill", config, *encoder, *data, "-o", str(tmp_path / "distilled"), *threads]) == 0
    assert main(["train", config, *encoder, *data, "-o", str(tmp_path / "fused"), *threads]) == 0
    tuned = ["--image-free", "--initialize", str(tmp_path / "distilled")]
    assert main(["train", config, *tuned, *data, "-o", str(tmp_path / "tuned"), *threads]) == 0
    scores = ["--bags", validation.format(workspace), "--json", str(tmp_path / "scores.json")]
    assert main(["evaluate", str(tmp_path / "fused"), *scores, *threads]) == 0
    scores = json.loads((tmp_path / "scores.json").read_text())
    assert scores["scans"] == held_out and 0 < scores["share_of_points_seen"] <= 1
    assert scores == json.loads((tmp_path / "fused" / "scores.json").read_text()) | {"bags": scores["bags"]}
    described = json.loads((tmp_path / "fused" / "data.json").read_text())
    kind, _, split = train.split(":")
    assert described["scans"] == scans and described["bags"] == [f"{kind}:{split}"]


def test_a_training_starts_from_a_bundle(workspace, tmp_path, capsys):
    config = shallow(config_for("semantic-kitti"))
    document = yaml.safe_load((workspace / "semantic-kitti.yaml").read_text())
    network = json.loads(json.dumps(config_to_document(config)))
    document |= {part: network[part] for part in ("backbone", "injection")}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(document))
    image_free = replace(config, injection=None, image_encoder=None)
    segmentor = make_segmentor(image_free, seed=4)
    graphs = {"image_free": segmentor, "fused": None, "image_encoder": None}
    write_bundle(tmp_path / "bundle", image_free, **graphs, training={}, scores={})
    command = [
        "train",
        str(tmp_path / "config.yaml"),
        "--image-free",
        "--initialize",
        str(tmp_path / "bundle"),
    ]
    data = ["--bags", f"semantic-kitti:{workspace}/kitti:00", "--steps", "1", "--learning-rate", "0", "--threads", "1"]
    assert main([*command, *data, "-o", str(tmp_path / "run")]) == 0
    assert "tensors taken; 0 fresh; 0 dropped" in capsys.readouterr().out
    weights = torch.load(tmp_path / "run" / "checkpoint.pt", weights_only=True)["model"]
    torch.testing.assert_close(weights["head.weight"], segmentor.state_dict()["head.weight"])
    assert json.loads((tmp_path / "run" / "data.json").read_text())["initialized_from"] == "bundle"


def test_class_weights_are_those_of_all_scans(workspace, tmp_path):
    config = config_for("semantic-kitti")
    config = replace(config, injection=None, training=replace(config.training, class_weight_power=1.0))
    scans = load_scans([DatasetSplit("semantic-kitti", workspace / "kitti", "00")], config, None, progress=False)
    counts = sum(class_counts(scan.label, 19) for scan in scans)
    weights = Training(config, scans, None).class_weights
    occurring = counts > 0
    np.testing.assert_allclose((weights.numpy() * counts)[occurring], (weights[0].item() * counts[0]), rtol=1e-4)


def test_mistakes_end_a_command_with_one_sentence(workspace, tmp_path, capsys):
    command = ["train", str(workspace / "nuscenes.yaml"), "--image-free", "-o", str(tmp_path / "run"), "--bags"]
    assert main([*command, f"nuscenes:{workspace}/nuscenes:val"]) == 2
    assert "v1.0-trainval: there is no such folder of tables for nuscenes:val" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main([*command, "kitti:/data:train"])
    assert "'kitti' is none of the data sets semantic-kitti, nuscenes, scannet" in capsys.readouterr().err
    document = yaml.safe_load((workspace / "nuscenes.yaml").read_text())
    document["encoder_training"] = {"steps": 1, "images_per_step": 1, "learning_rate": 0.1}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(document))
    source = f"nuscenes:{workspace}/nuscenes:mini_train"
    assert main(["train-encoder", str(tmp_path / "config.yaml"), "--bags", source, "-o", str(tmp_path / "e")]) == 2
    assert "nuscenes:mini_train: its images have no class ids" in capsys.readouterr().err
