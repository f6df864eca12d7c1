"""Networks that differ in one setting, and in how much of a scan is seen."""

import csv
import json

import numpy as np
import pytest
from conftest import CONFIGS, make_config, shallow
from small_training import write_config
from synthetic_samples import write_samples

from ditr_train.cli import main
from ditr_train.config.model_config import ConfigError, load_config
from ditr_train.data.scans import LabeledScan, PointImageFeatures
from ditr_train.methods.segmentation import Training
from ditr_train.studies.ablation import AblationResult, ablation_table, read_variants, with_settings
from ditr_train.studies.coverage import View, limit_view, narrow_views


def test_settings_are_replaced_by_their_path_and_wrong_ones_are_named():
    config = load_config(CONFIGS / "street-surround.yaml")
    changed = with_settings(config, {"injection.levels": [1], "image_encoder.sampling": "bilinear"})
    assert changed.injection is not None and changed.injection.levels == (1,)
    assert changed.image_encoder is not None and changed.image_encoder.sampling == "bilinear"
    assert with_settings(changed, {"injection.levels": [0, 1, 2], "image_encoder.sampling": "nearest"}) == config
    for name in ("injection.level", "injections.levels", "injection.levels.0", "x"):
        with pytest.raises(ConfigError, match=f"{name}: not a setting"):
            with_settings(config, {name: 1})
    with pytest.raises(ConfigError, match="sampling: 'cubic' is not one of"):
        with_settings(config, {"image_encoder.sampling": "cubic"})


def test_the_variants_that_are_shipped_fit_the_configurations(tmp_path):
    for name in ("street-surround", "street-tiny"):
        config = load_config(CONFIGS / f"{name}.yaml")
        for changes in read_variants(CONFIGS / "ablations.yaml").values():
            assert with_settings(config, changes) != config
    (tmp_path / "list.yaml").write_text("[1, 2]")
    with pytest.raises(ConfigError, match=r"list\.yaml: not a mapping of names to settings"):
        read_variants(tmp_path / "list.yaml")


def test_the_table_has_means_spreads_and_differences_of_the_same_seed():
    results = [AblationResult("as configured", seed, m, 0.5, 0.3) for seed, m in enumerate((0.40, 0.44))]
    results += [AblationResult("one", seed, m, 0.5, 0.3) for seed, m in enumerate((0.38, 0.44))]
    lines = ablation_table(results).splitlines()
    assert lines[2] == "| as configured | 42.0 ± 2.8 (2) | 50.0 ± 0.0 (2) | 30.0 ± 0.0 (2) |  |"
    assert lines[3] == "| one | 41.0 ± 4.2 (2) | 50.0 ± 0.0 (2) | 30.0 ± 0.0 (2) | -1.0 ± 1.4 (2) |"


def test_a_limited_view_keeps_the_first_cameras_and_the_middle_of_their_images():
    encoder = load_config(CONFIGS / "street-surround.yaml").image_encoder
    assert encoder is not None
    patches = encoder.rows * encoder.columns
    slot, column = np.divmod(np.arange(2 * encoder.columns), encoder.columns)
    patch = (slot * patches + column)[:, None].astype(np.int32)
    images = PointImageFeatures(np.zeros((2 * patches, 3), np.float32), patch, np.ones(patch.shape, np.float32))
    points = len(patch)
    scan = LabeledScan("a", {}, np.zeros(points, np.int8), images)

    def kept(view):
        limited = limit_view(scan, view, encoder)
        assert limited.images is not None
        return limited.images.weight[:, 0] > 0

    assert kept(View(2)).all()
    np.testing.assert_array_equal(kept(View(1)), slot == 0)
    half = (slot == 0) & (column >= encoder.columns // 4) & (column < encoder.columns - encoder.columns // 4)
    assert encoder.columns % 4 == 0
    np.testing.assert_array_equal(kept(View(1, 0.5)), half)
    assert [view.cameras for view in narrow_views(3)][-3:] == [1, 2, 3]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ablation")
    write_config(folder / "config.yaml", shallow(make_config()))
    document = (folder / "config.yaml").read_text()
    encoder_training = "encoder_training: {steps: 10, images_per_step: 2, learning_rate: 0.005}"
    (folder / "config.yaml").write_text(document.replace("encoder_training: null", encoder_training))
    (folder / "variants.yaml").write_text("no test: {image_encoder.occlusion: false}\n")
    write_samples(folder / "train", 3, seed=40)
    write_samples(folder / "test", 2, seed=41)
    bags = ["--bags", str(folder / "train"), "--threads", "1"]
    assert main(["train-encoder", str(folder / "config.yaml"), *bags, "-o", str(folder / "encoder")]) == 0
    return folder


def test_one_command_trains_every_variant_and_goes_on_after_a_kill(workspace, monkeypatch, capsys):
    command = ["ablate", workspace / "config.yaml", "--variants", workspace / "variants.yaml"]
    command += ["--bags", workspace / "train", "--test", workspace / "test", "--encoder"]
    command += [workspace / "encoder", "--seeds", "0", "1", "--steps", "2", "-o", workspace / "out", "--threads", "1"]
    command = [str(word) for word in command]
    original, taken = Training.take_step, []

    def interrupted(self, samples):
        if len(taken) == 5:
            raise KeyboardInterrupt
        taken.append(self.run.path.name)
        return original(self, samples)

    monkeypatch.setattr(Training, "take_step", interrupted)
    with pytest.raises(KeyboardInterrupt):
        main(command)
    monkeypatch.setattr(Training, "take_step", original)
    assert taken == ["as-configured-seed0"] * 2 + ["as-configured-seed1"] * 2 + ["no-test-seed0"]
    kept = {path: path.stat().st_mtime_ns for path in (workspace / "out").glob("*/scores.json")}
    assert len(kept) == 2
    assert main(command) == 0
    assert all(path.stat().st_mtime_ns == time for path, time in kept.items())
    with (workspace / "out" / "table.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [(row["variant"], row["seed"]) for row in rows] == [
        ("as configured", "0"),
        ("as configured", "1"),
        ("no test", "0"),
        ("no test", "1"),
    ]
    assert (workspace / "out" / "table.md").read_text() in capsys.readouterr().out


def test_the_widest_view_scores_as_evaluate_does(workspace, capsys):
    bags = ["--bags", str(workspace / "test"), "--threads", "1"]
    common = ["train", str(workspace / "config.yaml"), "--bags", str(workspace / "train"), "--steps", "5"]
    run = workspace / "run"
    assert main([*common, "--encoder", str(workspace / "encoder"), "-o", str(run), "--threads", "1"]) == 0
    assert main(["evaluate", str(run), *bags, "--json", str(workspace / "scores.json")]) == 0
    scores = json.loads((workspace / "scores.json").read_text())
    capsys.readouterr()
    assert main(["coverage", str(run), *bags]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == 1 + 2 + len(narrow_views(1))
    fused, image_free = (100 * scores[mode]["miou"] for mode in ("fused", "image_free"))
    seen = 100 * scores["share_of_points_seen"]
    row = f"| 1 | 100 % | {seen:.1f} % | {fused:.1f} | {image_free:.1f} | {fused - image_free:+.1f} |"
    assert printed[-1] == row
    shares = [float(line.split("|")[3].strip(" %")) for line in printed[3:]]
    assert shares == sorted(shares)

    assert main([*common, "--image-free", "-o", str(workspace / "blind"), "--threads", "1"]) == 0
    assert main(["coverage", str(workspace / "blind"), *bags]) == 2
    assert "a network without injection sees no images" in capsys.readouterr().err
    assert main(["coverage", str(run), *bags, "--image-free-run", str(workspace / "blind")]) == 0
