"""Coarse and soft labels through the commands: trained on, and scored in groups."""

import json

import numpy as np
import pytest
import yaml
from conftest import make_segmentor, replace
from published_layouts import street_points, write_floats
from small_training import write_config
from synthetic_samples import write_samples

from ditr_train.cli import main
from ditr_train.config.model_config import load_config
from ditr_train.data.loading import load_scans
from ditr_train.data.soft_labels import SoftLabelFolder
from ditr_train.export.bundle import write_bundle

THREADS = ["--threads", "1"]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    """A bag with labels and one without, scans with coarse labels, soft labels of the bag without, and a run."""
    folder = tmp_path_factory.mktemp("workspace")
    write_samples(folder / "labelled", 4, seed=1)
    write_samples(folder / "bare", 2, seed=2, with_labels=False)
    rng = np.random.default_rng(3)
    for number in range(2):
        points = street_points(rng, 400)
        write_floats(folder / "coarse" / "velodyne" / f"{number:06}.bin", points)
        (folder / "coarse" / "labels").mkdir(exist_ok=True)
        ids = np.where(points[:, 0] > 0, 1, 2).astype(np.uint32)
        ids.tofile(folder / "coarse" / "labels" / f"{number:06}.label")
    (folder / "layout.yaml").write_text(yaml.safe_dump({"classes": {1: ["class-1", "class-2"], 2: "class-4"}}))
    (folder / "groups.yaml").write_text(yaml.safe_dump({"low": ["class-1", "class-2"], "high": ["class-4"]}))
    config = write_config(folder / "config.yaml", steps=6)
    soft = SoftLabelFolder.create(folder / "soft", [["class-3", "class-5"]])
    for scan in load_scans([folder / "bare"], load_config(config), None, labels=False, progress=False):
        soft.write(scan.name, np.zeros((len(scan.label), 1)), np.full((len(scan.label), 1), 0.5))
    coarse = f"scans:{folder / 'coarse'}:{folder / 'layout.yaml'}"
    arguments = ["--bags", str(folder / "labelled"), "--source-share", "0.5", coarse, str(folder / "bare")]
    arguments += ["--image-free", "--soft-labels", str(folder / "soft"), "-o", str(folder / "run")]
    assert main(["train", str(config), *arguments, *THREADS]) == 0
    return folder, coarse


def test_a_training_takes_them_by_share(workspace):
    folder, _ = workspace
    described = json.loads((folder / "run" / "data.json").read_text())
    assert described["bags"] == ["labelled"] and described["soft_labels"] == "soft"
    assert described["source_shares"] == [{"share": 0.5, "bags": ["scans:layout", "bare"]}]
    losses = (folder / "run" / "log.csv").read_text()
    assert "nan" not in losses


def test_groups_are_scored_by_source(workspace, tmp_path, capsys):
    folder, coarse = workspace
    bags = ["--bags", coarse, str(folder / "labelled"), "--groups", str(folder / "groups.yaml")]
    assert main(["evaluate", str(folder / "run"), *bags, "--json", str(tmp_path / "a.json"), *THREADS]) == 0
    rows = json.loads((tmp_path / "a.json").read_text())["image_free"]
    assert list(rows) == ["scans:layout", "labelled"]
    assert rows["scans:layout"]["points"] == 800 and set(rows["scans:layout"]["iou"]) == {"low", "high"}
    printed = capsys.readouterr().out
    assert "scans:layout" in printed and "low" in printed


def test_a_bundle_is_scored_in_groups_as_its_run_is(workspace, tmp_path, capsys):
    folder, coarse = workspace
    config = replace(load_config(folder / "config.yaml"), injection=None, image_encoder=None)
    segmentor = make_segmentor(config, seed=4)
    graphs = {"image_free": segmentor, "fused": None, "image_encoder": None}
    write_bundle(tmp_path / "bundle", config, **graphs, training={}, scores={})
    arguments = ["--bags", coarse, "--groups", str(folder / "groups.yaml"), *THREADS]
    assert main(["evaluate", str(tmp_path / "bundle"), *arguments]) == 2
    assert "a bundle needs --config" in capsys.readouterr().err
    arguments += ["--config", str(folder / "config.yaml"), "--json", str(tmp_path / "scores.json")]
    assert main(["evaluate", str(tmp_path / "bundle"), *arguments]) == 0
    assert json.loads((tmp_path / "scores.json").read_text())["image_free"]["scans:layout"]["scans"] == 2


@pytest.mark.parametrize(
    ("shares", "message"),
    [
        ([["much", "a"]], "--source-share much: a share above 0"),
        ([["0.5"]], "--source-share 0.5: no scans follow"),
        ([["0.5", "a"], ["0.5", "b"]], "the shares add up to 1, and nothing is left for --bags"),
    ],
)
def test_shares_that_make_no_sense(workspace, tmp_path, capsys, shares, message):
    folder, _ = workspace
    arguments = [part for each in shares for part in ("--source-share", *each)]
    arguments += ["--bags", str(folder / "labelled"), "--image-free", "-o", str(tmp_path / "run"), *THREADS]
    assert main(["train", str(folder / "config.yaml"), *arguments]) != 0
    assert message in capsys.readouterr().err
