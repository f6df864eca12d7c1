"""Losses and scores against plain definitions, and a whole training on a bag where colour matters."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest
import torch
import yaml
from conftest import make_config, shallow
from hypothesis import given, settings
from hypothesis import strategies as st
from interruption import killed_at
from synthetic_samples import write_samples

from ditr_train.cli import main
from ditr_train.config.model_config import config_to_document, load_config
from ditr_train.data.errors import DataError
from ditr_train.data.loading import load_scans
from ditr_train.engine.run_folder import RunFolder
from ditr_train.engine.schedule import one_cycle
from ditr_train.evaluation.metrics import ConfusionMatrix
from ditr_train.methods.encoder_training import EncoderTraining
from ditr_train.methods.losses import class_counts, class_weights, lovasz_softmax
from ditr_train.methods.segmentation import Training
from ditr_train.model.neighbor_table import NeighborTable


@given(st.integers(1, 40), st.integers(2, 5), st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_lovasz_of_hard_predictions_is_the_jaccard_loss(count, classes, seed):
    rng = np.random.default_rng(seed)
    truth, prediction = rng.integers(0, classes, (2, count))
    loss = lovasz_softmax(torch.eye(classes)[torch.from_numpy(prediction)], torch.from_numpy(truth))
    jaccard = [
        1 - ((truth == c) & (prediction == c)).sum() / ((truth == c) | (prediction == c)).sum() for c in set(truth)
    ]
    assert loss.item() == pytest.approx(np.mean(jaccard), abs=1e-5)


@given(st.integers(0, 200), st.integers(1, 6), st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_iou_is_intersection_over_union(count, classes, seed):
    rng = np.random.default_rng(seed)
    truth, prediction = rng.integers(-1, classes, (2, count))
    matrix = ConfusionMatrix([str(c) for c in range(classes)])
    for part in np.array_split(np.arange(count), 3):
        matrix.add(truth[part], prediction[part])
    known = truth >= 0
    expected = {
        str(c): ((truth == c) & (prediction == c)).sum() / (known & ((truth == c) | (prediction == c))).sum()
        for c in range(classes)
        if (truth == c).any()
    }
    assert matrix.iou() == pytest.approx(expected)


def test_rare_classes_weigh_more_and_the_mean_weight_is_one():
    counts = class_counts(np.array([0] * 64 + [1] * 4 + [-1] * 9), 3)
    weights = class_weights(counts, 0.5)
    assert weights[1] / weights[0] == pytest.approx(4.0) and weights[2] == 0
    assert (64 * weights[0] + 4 * weights[1]) / 68 == pytest.approx(1.0)
    np.testing.assert_allclose(class_weights(counts, 0.0), [1, 1, 0])


def test_learning_rate_rises_then_falls():
    rates = [one_cycle(100, 0.1)(step) for step in range(101)]
    assert rates[0] == pytest.approx(0.1) and rates[10] == pytest.approx(1.0) and rates[100] == pytest.approx(0.001)
    assert np.all(np.diff(rates[:11]) > 0) and np.all(np.diff(rates[10:]) < 0)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    """Bags, and a configuration small enough for seconds of training."""
    folder = tmp_path_factory.mktemp("workspace")
    write_samples(folder / "train", 10, seed=10)
    write_samples(folder / "held-out", 3, seed=11)
    document = config_to_document(make_config())
    document["image_encoder"] |= {"input_height": 64, "input_width": 96}
    document["encoder_training"] = {"steps": 60, "images_per_step": 4, "learning_rate": 0.005}
    document["training"] |= {"steps": 90, "learning_rate": 0.01, "evaluate_every": 45}
    document["training"]["augmentation"] |= {"image_drop": 0.3, "rotation": 0.2, "flip": 0.0}
    (folder / "config.yaml").write_text(yaml.safe_dump(json.loads(json.dumps(document))))
    document["training"] |= {"steps": 20, "evaluate_every": 10, "statistics_scans": 3}
    # For tests of what does not depend on how well it learns.
    document |= {part: config_to_document(shallow(make_config()))[part] for part in ("backbone", "injection")}
    (folder / "short.yaml").write_text(yaml.safe_dump(json.loads(json.dumps(document))))
    return folder


def test_fusion_wins_where_only_colour_tells_classes_apart(workspace, capsys):
    bags = ["--bags", str(workspace / "train"), "--validation", str(workspace / "held-out")]
    config, encoder, run = str(workspace / "config.yaml"), str(workspace / "encoder"), str(workspace / "run")
    common = ["--threads", "1"]
    assert main(["train-encoder", config, *bags, "-o", encoder, *common]) == 0
    assert json.loads((workspace / "encoder" / "scores.json").read_text())["miou"] > 0.8
    assert main(["train", config, *bags, "--encoder", encoder, "-o", run, *common]) == 0
    scores = json.loads((workspace / "run" / "scores.json").read_text())
    boxes = ["class-1", "class-2", "class-3"]
    fused = np.mean([scores["fused_seen_points"]["iou"][name] for name in boxes])
    image_free = np.mean([scores["image_free_seen_points"]["iou"][name] for name in boxes])
    # Without an image the three kinds of box can only be guessed.
    assert fused > 0.8 and image_free < 0.6
    assert scores["image_free"]["iou"]["class-4"] > 0.8
    with (workspace / "run" / "log.csv").open() as stream:
        log = list(csv.DictReader(stream))
    assert [row["step"] for row in log] == ["45", "90"] and float(log[1]["loss"]) < float(log[0]["loss"])

    # The folder stands on its own: it holds the image encoder too.
    assert main(["evaluate", run, "--bags", str(workspace / "held-out"), "--json", f"{run}/again.json"]) == 0
    again = json.loads((workspace / "run" / "again.json").read_text())
    assert again["fused"] == scores["fused"]
    capsys.readouterr()


def test_an_encoder_goes_on_from_another(workspace):
    bags = ["--bags", str(workspace / "train"), "--threads", "1"]
    command = ["train-encoder", str(workspace / "config.yaml"), *bags]
    assert main([*command, "--steps", "1", "-o", str(workspace / "first")]) == 0
    further = ["--initialize", str(workspace / "first"), "--steps", "1", "--learning-rate", "1e-9"]
    assert main([*command, *further, "-o", str(workspace / "second")]) == 0
    first, second = (RunFolder(workspace / name).load("encoder.pt") for name in ("first", "second"))
    for name, values in first.items():
        if "running" not in name and "num_batches" not in name:
            torch.testing.assert_close(second[name], values, atol=1e-6, rtol=0)
    data = json.loads((workspace / "second" / "data.json").read_text())
    assert data["initialized_from"] == json.loads((workspace / "first" / "data.json").read_text())


def test_an_interrupted_encoder_training_ends_with_the_same_bytes(workspace):
    first = ["train-encoder", str(workspace / "config.yaml"), "--bags", str(workspace / "train"), "--steps", "1"]
    assert main([*first, "--threads", "1", "-o", str(workspace / "origin")]) == 0
    bags = ["--bags", str(workspace / "train"), "--validation", str(workspace / "held-out"), "--threads", "1"]
    loop = ["--set", "encoder_training.evaluate_every=3", "--steps", "8", "--initialize", str(workspace / "origin")]
    command = ["train-encoder", str(workspace / "config.yaml"), *bags, *loop]
    assert main([*command, "-o", str(workspace / "encoder-whole")]) == 0
    batch = EncoderTraining._batch

    def killed(self, step):
        if step == 7:
            raise KeyboardInterrupt
        return batch(self, step)

    parts = ["-o", str(workspace / "encoder-parts")]
    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(EncoderTraining, "_batch", killed)
        main([*command, *parts])
    assert torch.load(workspace / "encoder-parts" / "checkpoint.pt")["step"] == 6
    assert main([*command, *parts]) == 2, "without --resume nothing is overwritten"
    assert main([*command, "--learning-rate", "1", *parts, "--resume"]) == 2, "another configuration"
    assert main([*command, *parts, "--resume"]) == 0
    whole, resumed = (RunFolder(workspace / f"encoder-{name}") for name in ("whole", "parts"))
    for name in ("encoder.pt", "checkpoint.pt"):
        torch.testing.assert_close(resumed.load(name), whole.load(name), atol=0, rtol=0, equal_nan=True)
    for name in ("log.csv", "scores.json", "data.json", "config.json"):
        assert (resumed.path / name).read_bytes() == (whole.path / name).read_bytes()


def test_an_interrupted_training_goes_on_as_if_it_was_not(workspace):
    held_out = ["--validation", str(workspace / "held-out")]
    bags = ["--bags", str(workspace / "train"), *held_out, "--image-free", "--threads", "1"]
    config = str(workspace / "short.yaml")
    assert main(["train", config, *bags, "-o", str(workspace / "whole")]) == 0
    with killed_at(16):
        main(["train", config, *bags, "-o", str(workspace / "parts")])
    assert main(["train", config, *bags, "-o", str(workspace / "parts"), "--resume"]) == 0
    whole, parts = (torch.load(workspace / name / "checkpoint.pt")["model"] for name in ("whole", "parts"))
    for name, value in whole.items():
        torch.testing.assert_close(parts[name], value, atol=1e-6, rtol=1e-5)

    further = ["--steps", "1", "--learning-rate", "1e-9", "--initialize", str(workspace / "whole")]
    assert main(["train", config, *bags, *further, "-o", str(workspace / "further")]) == 0
    for name, value in torch.load(workspace / "further" / "checkpoint.pt")["model"].items():
        if not name.endswith(("running_mean", "running_var", "num_batches_tracked")):
            torch.testing.assert_close(value, whole[name], atol=1e-6, rtol=1e-5)

    assert main(["export", str(workspace / "parts"), "-o", str(workspace / "bundle")]) == 0
    bundle = json.loads((workspace / "bundle" / "bundle.json").read_text())
    assert set(bundle["graphs"]) == {"image_free"} and "image_encoder" not in bundle
    assert bundle["training"]["data"]["bags"] == ["train"]
    miou = bundle["scores"]["image_free"]["miou"]
    assert f"| **mIoU** | {100 * miou:.1f} |" in (workspace / "bundle/MODEL_CARD.md").read_text()


def image_free_training(workspace, folder, resume=False, **settings):
    """A training on the first of the workspace's scans, with the statistics of all of them."""
    config = load_config(workspace / "short.yaml").without_pretraining()
    config = replace(config, injection=None, image_encoder=None, encoder_training=None)
    config = replace(config, training=replace(config.training, **settings))
    scans = load_scans([workspace / "train"], config, None, progress=False)
    run = RunFolder(folder)
    run.create(config, resume=resume)
    training = Training(config, scans[:1], run)
    training.statistics_source = scans
    return training


def test_statistics_are_taken_anew_from_several_scans(workspace, tmp_path):
    training = image_free_training(workspace, tmp_path / "run", steps=2, statistics_scans=5)
    training.fit([], progress=False)

    stem = training.segmentor.backbone.stem
    means, variances = [], []
    for step in range(2, 7):
        (sample,) = training._samples(step, training.statistics_source)
        inputs = {name: torch.from_numpy(value) for name, value in sample.inputs.items()}
        convolved = stem.convolution(inputs["feat"], NeighborTable(inputs["neighbors_0"]))
        means.append(convolved.mean(0))
        variances.append(convolved.var(0))
    torch.testing.assert_close(stem.norm.running_mean, torch.stack(means).mean(0))
    torch.testing.assert_close(stem.norm.running_var, torch.stack(variances).mean(0))
    assert stem.norm.momentum == training.config.backbone.batch_norm_momentum
    saved = training.run.load("checkpoint.pt")["model"]["backbone.stem.norm.running_mean"]
    torch.testing.assert_close(saved, stem.norm.running_mean)


def test_the_last_steps_can_have_fixed_statistics(workspace, tmp_path, monkeypatch):
    settings = {"steps": 8, "statistics_scans": 3, "evaluate_every": 3, "warm_up": 0.1}
    early = image_free_training(workspace, tmp_path / "early", **settings | {"steps": 5})
    monkeypatch.setattr(early, "factor", one_cycle(8, 0.1))
    whole = image_free_training(workspace, tmp_path / "whole", **settings, fixed_statistics=0.4)
    assert whole.statistics_step == 5
    # The same samples are taken for the statistics: those after the last step.
    monkeypatch.setattr(early, "_samples", lambda step, *rest: whole._samples(step if step < 5 else step + 3, *rest))
    early.fit([], progress=False)
    whole.fit([], progress=False)

    def statistics(training):
        return {name: value for name, value in training.network.state_dict().items() if "running" in name}

    torch.testing.assert_close(statistics(whole), statistics(early), atol=0, rtol=0)
    for (name, after), before in zip(whole.network.named_parameters(), early.network.parameters(), strict=True):
        assert not torch.equal(after, before), name

    for step in (4, 7):  # with the checkpoints of step 3 and, of fixed statistics, 6
        folder = tmp_path / f"killed-at-{step}"
        with killed_at(step):
            image_free_training(workspace, folder, **settings, fixed_statistics=0.4).fit([], progress=False)
        parts = image_free_training(workspace, folder, resume=True, **settings, fixed_statistics=0.4)
        parts.resume()
        parts.fit([], progress=False)
        torch.testing.assert_close(parts.network.state_dict(), whole.network.state_dict(), atol=1e-6, rtol=1e-5)


def test_processes_prepare_the_same_and_a_killed_training_goes_on_with_them(workspace, tmp_path):
    settings = {"steps": 7, "scans_per_step": 4, "scans_per_pass": 2, "statistics_scans": 2, "evaluate_every": 3}
    whole = image_free_training(workspace, tmp_path / "whole", **settings)
    whole.fit([], progress=False)
    folder = tmp_path / "parts"
    killed = image_free_training(workspace, folder, **settings)
    killed.workers = 2
    with killed_at(5):
        killed.fit([], progress=False)
    parts = image_free_training(workspace, folder, resume=True, **settings)
    parts.workers = 1
    parts.resume()
    assert parts.step == 3
    parts.fit([], progress=False)
    torch.testing.assert_close(parts.network.state_dict(), whole.network.state_dict(), atol=0, rtol=0)


def test_a_scan_that_cannot_be_read_in_a_process_ends_with_its_sentence(workspace, tmp_path):
    training = image_free_training(workspace, tmp_path / "run", steps=4)
    training.workers = 2

    class Damaged(list):
        def __getitem__(self, index):
            raise DataError("scan 000017.bin: 3 bytes")

    training.scans = Damaged(training.scans)
    with pytest.raises(DataError, match=r"^scan 000017.bin: 3 bytes$"):
        training.fit([], progress=False)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "missing.yaml", "--bags", "a", "-o", "x"], "missing.yaml"),
        (["train", "CONFIG", "--bags", "a", "-o", "new"], "needs --encoder"),
        (["train", "CONFIG", "--image-free", "--bags", "nowhere", "-o", "new"], "nowhere"),
        (["evaluate", "nowhere", "--bags", "a"], "nowhere has no config.json"),
    ],
)
def test_mistakes_end_with_one_sentence(workspace, capsys, monkeypatch, arguments, message):
    monkeypatch.chdir(workspace)
    assert main([a.replace("CONFIG", "config.yaml") for a in arguments]) == 2
    error = capsys.readouterr().err
    assert error.startswith("ditr-train: ") and message in error and error.count("\n") == 1
