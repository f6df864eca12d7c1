"""Coarse and soft labels through the commands: trained on, and scored in groups."""

import json
import shutil

import numpy as np
import pytest
import yaml
from conftest import make_config, make_segmentor, replace, shallow
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
    config = write_config(folder / "config.yaml", shallow(make_config()), steps=6)
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


def test_bundles_are_scored_in_one_table(workspace, tmp_path, capsys):
    folder, coarse = workspace
    config = replace(load_config(folder / "config.yaml"), injection=None, image_encoder=None)
    graphs = {"image_free": make_segmentor(config, seed=4), "fused": None, "image_encoder": None}
    write_bundle(tmp_path / "a", config, **graphs, training={}, scores={})
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    bags = ["--bags", coarse, str(folder / "bare"), str(folder / "labelled")]
    arguments = ["score-models", str(folder / "config.yaml"), *bags, "--groups", str(folder / "groups.yaml"), *THREADS]
    arguments += ["--soft-labels", str(folder / "soft"), "--models", str(tmp_path / "a"), str(tmp_path / "b")]
    files = ["--json", str(tmp_path / "scores.json"), "--markdown", str(tmp_path / "scores.md")]
    document = json.loads((tmp_path / "b" / "bundle.json").read_text())
    document["training"] = {"initialized_from": {"data": {"bags": ["scans:layout/0-1", "labelled"]}}}
    (tmp_path / "b" / "bundle.json").write_text(json.dumps(document))
    assert main([*arguments, *files, "--record"]) == 0
    card = (tmp_path / "b" / "MODEL_CARD.md").read_text()
    assert "| scans:layout | image-free | yes | 2 |" in card and "| bare | image-free | no | 2 |" in card
    assert main([*arguments, *files]) == 2
    assert "scores.json exists, and is replaced only with --force" in capsys.readouterr().err
    rows = json.loads((tmp_path / "scores.json").read_text())
    names = ["scans:layout", "bare", "labelled"]
    assert [(row["model"], row["scans_of"]) for row in rows] == [(model, name) for model in "ab" for name in names]
    assert all(row["mode"] == "image_free" and 0 <= row["group_miou"] <= 1 for row in rows)
    # The soft labels of `bare` are of no single class, and in no group.
    assert set(rows[0]["groups"]) == {"low", "high"}
    assert rows[1]["groups"] == {} and rows[1]["class_miou"] is None and rows[2]["class_miou"] is not None
    assert [row["trained_on"] for row in rows] == [False] * 3 + [True, False, True]
    assert rows[:3] == [row | {"model": "a", "trained_on": False} for row in rows[3:]]
    table = (tmp_path / "scores.md").read_text().splitlines()
    assert len(table) == 2 + 6 and len({line.count("|") for line in table}) == 1


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
