"""The table of the paper's experiment, on networks of a few steps."""

import csv
import json
import statistics

import numpy as np
import pytest
import torch
import yaml
from conftest import make_config, shallow
from small_training import write_config
from synthetic_samples import write_samples

from ditr_train.cli import main
from ditr_train.data.scans import LabeledScan
from ditr_train.methods.segmentation import Training
from ditr_train.studies.comparison import rare_classes
from ditr_train.studies.comparison_table import Result, markdown

FRONT = "/camera/front/image_raw/compressed"


def result(method, share, seed, miou, seen=None, rare=None):
    return Result(method, share, round(200 * share), seed, miou, 0.9, seen, rare)


def test_the_table_has_means_spreads_and_paired_differences():
    results = [result("scratch", 1.0, seed, m) for seed, m in enumerate((0.40, 0.44))]
    results += [result("fused", 1.0, seed, m, seen=0.6) for seed, m in enumerate((0.50, 0.56))]
    results += [result("scratch", 0.1, 0, 0.2, rare=0.05)]
    lines = markdown(results, planned=12, test_scans=60).splitlines()
    assert lines[1] == "5 of 12 networks are trained."
    assert lines[5:9] == [
        "| labels | from scratch | DITR, fused | DITR, fused - scratch |",
        "| --- | --- | --- | --- |",
        "| 100 % (200 scans) | 42.0 ± 2.8 (2) | 53.0 ± 4.2 (2) | +11.0 ± 1.4 (2) |",
        "| 10 % (20 scans) | 20.0 (1) | - | - |",
    ]
    rare = lines.index("Classes with less than 1% of the labelled points:")
    assert lines[rare - 3] == "| 100 % (200 scans) | - | 60.0 ± 0.0 (2) | - |"
    assert lines[rare + 4 :] == ["| 100 % (200 scans) | - | - | - |", "| 10 % (20 scans) | 5.0 (1) | - | - |"]


def test_classes_are_rare_by_their_share_of_the_labelled_points():
    labels = [np.repeat([0, 1, -1], [150, 1, 50]), np.repeat([0, 2, 3], [46, 2, 1])]
    scans = [LabeledScan(str(i), {}, label.astype(np.int32), None) for i, label in enumerate(labels)]
    # 200 labelled points: two of them are a share of 1 %, one is less; the last class does not occur.
    assert rare_classes(scans, make_config()) == ["class-2", "class-4"]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    folder = tmp_path_factory.mktemp("comparison")
    write_config(folder / "config.yaml", shallow(make_config()))
    write_samples(folder / "train", 4, seed=30)
    write_samples(folder / "test", 2, seed=31)
    config = str(folder / "config.yaml")
    document = (folder / "config.yaml").read_text()
    assert "encoder_training: null" in document
    encoder_training = "encoder_training: {steps: 10, images_per_step: 2, learning_rate: 0.005}"
    (folder / "config.yaml").write_text(document.replace("encoder_training: null", encoder_training))
    bags = ["--bags", str(folder / "train"), "--threads", "1"]
    assert main(["train-encoder", config, *bags, "-o", str(folder / "encoder")]) == 0
    return folder


def compare(folder, *further, config="config.yaml"):
    arguments = ["compare", folder / config, "--bags", folder / "train", "--test", folder / "test"]
    arguments += ["--encoder", folder / "encoder", "-o", folder / "out", "--threads", "1", *further]
    return main([str(argument) for argument in arguments])


def test_one_command_trains_scores_and_goes_on_after_a_kill(workspace, monkeypatch, capsys):
    small = ["--label-shares", "1", "0.5", "--seeds", "0", "1", "--steps", "3", "--distillation-steps", "3"]
    assert compare(workspace, *small, "--estimate") == 0
    printed = capsys.readouterr().out
    assert "distillation: 2 x (3 steps" in printed and "image-free training: 8 x (3 steps" in printed
    assert "fused training: 4 x (3 steps" in printed and "to do: 0.0" in printed
    assert not (workspace / "out").exists()

    original, taken = Training.take_step, []

    def interrupted(self, samples):
        if len(taken) == 20:
            raise KeyboardInterrupt
        taken.append(self.run.path.name)
        return original(self, samples)

    monkeypatch.setattr(Training, "take_step", interrupted)
    # The estimate takes some of the steps.
    with pytest.raises(KeyboardInterrupt):
        compare(workspace, *small)
    monkeypatch.setattr(Training, "take_step", original)
    done = (workspace / "out" / "table.csv").read_text().splitlines()[1:]
    assert 0 < len(done) < 12
    assert f"{len(done)} of 12 networks are trained" in (workspace / "out" / "table.md").read_text()
    kept = {path: path.stat().st_mtime_ns for path in (workspace / "out").glob("*/scores.json")}
    distilled = [json.loads(path.read_text()) for path in kept if path.parent.name.startswith("distilled-")]
    assert len(kept) == len(done) + len(distilled)
    assert all(scores["scans"] == 2 and 0 <= scores["place_cluster_miou"] <= 1 for scores in distilled)

    capsys.readouterr()
    assert compare(workspace, *small) == 0
    assert all(path.stat().st_mtime_ns == time for path, time in kept.items())
    with (workspace / "out" / "table.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert {(row["method"], row["label_share"], row["seed"]) for row in rows} == {
        (method, share, seed) for method in ("scratch", "d-ditr", "fused") for share in ("1.0", "0.5") for seed in "01"
    }
    assert {row["labelled_scans"] for row in rows if row["label_share"] == "0.5"} == {"2"}
    table = (workspace / "out" / "table.md").read_text()
    assert table in capsys.readouterr().out
    scratch = [100 * float(r["miou"]) for r in rows if r["method"] == "scratch" and r["label_share"] == "1.0"]
    mean = f"{statistics.mean(scratch):.1f} ± {statistics.stdev(scratch):.1f} (2)"
    assert f"| 100 % (4 scans) | {mean} |" in table

    # Each network stands on its own, as those of `train` do.
    assert main(["evaluate", str(workspace / "out" / "fused-50-seed1"), "--bags", str(workspace / "test")]) == 0
    # Other settings in the same folder would mix two experiments.
    assert compare(workspace, *small[:-3], "4", "--distillation-steps", "3") == 2
    assert "another configuration" in capsys.readouterr().err


def test_unlabelled_bags_are_distilled_and_not_trained_on(workspace):
    write_samples(workspace / "unlabelled", 3, seed=32, with_labels=False)
    more = ["--unlabelled", workspace / "unlabelled", "-o", workspace / "more"]
    small = ["--methods", "d-ditr", "--label-shares", "1", "--seeds", "0", "--steps", "2", "--distillation-steps", "2"]
    assert compare(workspace, *small, *more) == 0
    runs = [workspace / "more" / name for name in ("distilled-seed0", "d-ditr-100-seed0")]
    distilled, trained = (json.loads((run / "data.json").read_text()) for run in runs)
    assert (distilled["scans"], distilled["unlabelled_bags"]) == (7, ["unlabelled"])
    assert trained["scans"] == 4 and "unlabelled_bags" not in trained


def test_distillation_may_see_images_at_more_scales_than_fusion(workspace):
    document = yaml.safe_load((workspace / "config.yaml").read_text())
    document["distillation"]["scales"] = [1, 2]
    (workspace / "scales.yaml").write_text(yaml.safe_dump(document))
    small = ["--label-shares", "1", "--seeds", "0", "--steps", "2", "--distillation-steps", "2"]
    assert compare(workspace, *small, "-o", workspace / "scales", config="scales.yaml") == 0
    distilled = torch.load(workspace / "scales" / "distilled-seed0" / "checkpoint.pt", weights_only=True)["model"]
    fused = torch.load(workspace / "scales" / "fused-100-seed0" / "checkpoint.pt", weights_only=True)["model"]
    assert distilled["distillation_target.clusters.centers"].shape == (8, 32)
    projections = [w for name, w in fused.items() if name.startswith("backbone.injection.") and w.dim() == 2]
    assert projections and all(weight.shape[1] == 16 for weight in projections)


def test_masked_tokens_stand_in_the_same_table(workspace, capsys):
    """Stage 1 and stage 2 are trained once for a seed, and not again by a second call."""
    folder = workspace / "regional"
    folder.mkdir()
    write_samples(folder / "train", 4, seed=30, with_regions=True)
    write_samples(folder / "test", 2, seed=31, with_regions=True)
    document = yaml.safe_load((workspace / "config.yaml").read_text())
    loop = {"steps": 99, "scans_per_step": 1, "learning_rate": 0.01, "groups": 3}
    document["region_distillation"] = document["masked_token_prediction"] = loop
    (folder / "config.yaml").write_text(yaml.safe_dump(document))
    (folder / "encoder").symlink_to(workspace / "encoder")
    arms = ["stage-1", "stage-1-unweighted", "stage-1-knn", "stages-1-2"]
    small = ["--methods", "scratch", *arms, "--label-shares", "1", "0.5", "--seeds", "0", "--steps", "2"]
    small += ["--region-steps", "3", "4"]
    assert compare(folder, *small) == 0
    printed = capsys.readouterr().out
    assert printed.count("region distillation: 1 x (3 steps") == 1
    assert "masked token prediction: 1 x (4 steps" in printed
    assert "distillation of KNN tokens: 1 x (3 steps" in printed
    assert "region distillation without group weights: 1 x (3 steps" in printed
    assert "image-free training: 10 x (2 steps" in printed
    titles = "| labels | from scratch | regions, stage 1 | stage 1 without group weights | stage 1 with KNN tokens | "
    assert f"{titles}regions, stages 1 and 2 | regions, stage 1 - scratch | " in printed
    first, second = (folder / "out" / name for name in ("regions-seed0", "masked-seed0"))
    for run, steps in ((first, 3), (second, 4)):
        assert json.loads((run / "finished.json").read_text()) == {"steps": steps}
        assert json.loads((run / "scores.json").read_text())["scans"] == 2
        assert json.loads((run / "data.json").read_text())["regions"] == "topics"
    origins = ["regions-seed0", "regions-unweighted-seed0", "knn-seed0", "masked-seed0"]
    weights = set()
    for arm, origin in zip(arms, origins, strict=True):
        taken = json.loads((folder / "out" / f"{arm}-50-seed0" / "data.json").read_text())
        assert taken["initialized_from"] == origin
        state = torch.load(folder / "out" / origin / "checkpoint.pt", weights_only=True)["model"]
        weights.add(float(state["backbone.stem.convolution.weight"].sum()))
    assert len(weights) == 4
    unweighted, knn = (json.loads((folder / "out" / origin / "config.json").read_text()) for origin in origins[1:3])
    assert unweighted["region_distillation"]["group_weight_power"] == 0 and knn["tokens"]["kind"] == "knn"
    assert compare(folder, *small) == 0
    assert "to do: 0.00 h" in capsys.readouterr().out
    without = [argument for argument in small if argument != "--region-steps"][:-2]
    write_samples(folder / "test", 2, seed=31)
    assert compare(folder, *without) == 2
    assert "has no region image: give --regions FOLDER" in capsys.readouterr().err
