"""Distillation on bags without labels, what is done with its weights, and starting it from a bundle."""

import csv
import json

import numpy as np
import pytest
import torch
import yaml
from conftest import make_config, make_segmentor, replace, shallow
from interruption import killed_at
from small_training import distillable, write_config
from synthetic_samples import write_samples
from torch import nn

from ditr_train.cli import main
from ditr_train.config.model_config import ConfigError, load_config
from ditr_train.data.label_share import choose_labelled
from ditr_train.data.loading import load_scans
from ditr_train.data.scans import IGNORED, LabeledScan
from ditr_train.encoders.image_encoder import ImageEncoder
from ditr_train.engine.initialization import initialize
from ditr_train.engine.run_folder import RunFolder
from ditr_train.export.bundle import write_bundle
from ditr_train.export.bundle_weights import read_image_free, unfold
from ditr_train.export.graphs import random_cloud, run_segmentor
from ditr_train.geometry.graph_inputs import voxelize_scan
from ditr_train.methods.distillation import Distiller
from ditr_train.methods.pretraining import in_words
from ditr_train.methods.pretraining_description import describe_pretraining
from ditr_train.model.segmentor import Segmentor

NETWORK = shallow(make_config())


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    """Bags with and without labels, an encoder as a run and in a bundle."""
    folder = tmp_path_factory.mktemp("distillation")
    write_config(folder / "config.yaml", NETWORK)
    write_samples(folder / "unlabelled", 6, seed=20, with_labels=False)
    write_samples(folder / "labelled", 5, seed=21)
    write_samples(folder / "held-out", 2, seed=22)
    config = NETWORK
    assert config.image_encoder is not None
    config = replace(config, image_encoder=replace(config.image_encoder, input_height=64, input_width=96))
    torch.manual_seed(3)
    encoder = ImageEncoder(config.image_encoder).eval()
    with torch.no_grad():
        # An untrained encoder's features are all alike: let them say where in the image a patch is.
        row, column = torch.meshgrid(torch.linspace(-2, 2, 4), torch.linspace(-2, 2, 6), indexing="ij")
        encoder.position.copy_(torch.stack([row.ravel(), column.ravel()], 1) @ torch.randn(2, 16))
    (folder / "encoder").mkdir()
    torch.save(encoder.state_dict(), folder / "encoder" / "encoder.pt")
    for name in ("scores", "data"):
        (folder / "encoder" / f"{name}.json").write_text('{"miou": 0, "images": 0}')
    segmentor = make_segmentor(config, seed=4)
    write_bundle(
        folder / "bundle",
        config,
        image_free=segmentor,
        fused=segmentor,
        image_encoder=encoder,
        training={},
        scores={},
    )
    return folder, config, encoder, segmentor


def distill(folder, output, *further, encoder="encoder", config="config.yaml"):
    arguments = ["distill", folder / config, "--bags", folder / "unlabelled", "--encoder", folder / encoder]
    arguments += ["--validation", folder / "held-out", "-o", folder / output, "--threads", "1", *further]
    return main([str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def distilled(workspace):
    folder = workspace[0]
    assert distill(folder, "distilled") == 0
    return folder / "distilled"


def test_the_features_of_visible_points_are_learned_without_labels(workspace, distilled):
    scores = json.loads((distilled / "scores.json").read_text())
    assert 0 < scores["constant_cluster_miou"] < scores["cluster_miou"] - 0.1
    assert 0 < scores["place_cluster_miou"] <= 1 and scores["scans"] == 2
    with (distilled / "log.csv").open() as stream:
        log = list(csv.DictReader(stream))
    assert [row["step"] for row in log] == ["8", "16", "20"]
    assert float(log[-1]["cluster_miou"]) == pytest.approx(scores["cluster_miou"], abs=1e-4)
    assert float(log[-1]["cluster_miou"]) > float(log[0]["cluster_miou"])
    targets = {k for k in torch.load(distilled / "checkpoint.pt")["model"] if k.startswith("distillation_target.")}
    assert "distillation_target.clusters.centers" in targets


def test_the_cosine_of_the_paper_is_learned_too(workspace, capsys):
    folder = workspace[0]
    document = yaml.safe_load((folder / "config.yaml").read_text())
    document["distillation"]["target"] = "cosine"
    (folder / "cosine.yaml").write_text(yaml.safe_dump(document))
    assert distill(folder, "cosine", config="cosine.yaml") == 0
    scores = json.loads((folder / "cosine" / "scores.json").read_text())
    assert 0 < scores["constant_cosine"] < scores["cosine"] - 0.1
    assert scores["constant_cosine"] < scores["place_cosine"] <= 1.0001
    printed = capsys.readouterr().out
    assert f"one from range and height {scores['place_cosine']:.3f})" in printed
    worse = scores | {"cosine": scores["place_cosine"] - 0.1}
    assert "NOT BETTER than that guess" in in_words("cosine {}", "cosine", worse)


def test_features_of_several_scales_are_learned(workspace):
    folder = workspace[0]
    document = yaml.safe_load((folder / "config.yaml").read_text())
    document["distillation"] |= {"target": "cosine", "scales": [1, 2]}
    (folder / "scales.yaml").write_text(yaml.safe_dump(document))
    assert distill(folder, "scales", config="scales.yaml") == 0
    scores = json.loads((folder / "scales" / "scores.json").read_text())
    assert 0 < scores["constant_cosine"] < scores["cosine"] - 0.1
    weights = torch.load(folder / "scales" / "checkpoint.pt", weights_only=True)["model"]
    assert weights["distillation_head.weight"].shape[0] == 2 * 16
    run, config = RunFolder(folder / "scales"), load_config(folder / "scales.yaml")
    assert describe_pretraining(run, config.for_pretraining("distillation"))["target"] == (
        "image features at scales 1, 2 of an image, cosine similarity, "
        "voxels weighed by the share of their kind to the power of -0.25"
    )
    # Both halves are directions of their own.
    mean = weights["distillation_target.place_mean"].reshape(-1, 2, 16).norm(dim=-1)
    assert mean.max() <= 0.5**0.5 + 1e-5


def test_an_encoder_of_a_bundle_teaches_the_same(workspace):
    folder, config, encoder, _ = workspace
    bags = [folder / "unlabelled"]
    from_run = load_scans(bags, config, encoder, labels=False, progress=False)
    assert all((scan.label == IGNORED).all() and "ground_truth" not in scan.fields for scan in from_run)
    assert distill(folder, "from-bundle", "--steps", "1", encoder="bundle") == 0
    assert distill(folder, "from-run", "--steps", "1") == 0
    logs = [(folder / name / "log.csv").read_text().split(",") for name in ("from-bundle", "from-run")]
    assert float(logs[0][-1]) == pytest.approx(float(logs[1][-1]), abs=2e-4)


@pytest.mark.parametrize("step", [3, 8, 17])
def test_a_killed_distillation_ends_as_if_it_was_not(workspace, distilled, step):
    folder = workspace[0]
    name = f"killed-{step}"
    with killed_at(step):
        distill(folder, name)
    if step == 17:  # killed again, between the row of step 20 and its checkpoint
        with (folder / name / "log.csv").open("a") as stream:
            stream.write("20,0.5,0.5\n")
    assert distill(folder, name, "--resume") == 0
    whole, parts = (torch.load(run / "checkpoint.pt") for run in (distilled, folder / name))
    assert whole["step"] == parts["step"] == 20
    assert whole["model"].keys() == parts["model"].keys()
    for key, value in whole["model"].items():
        assert torch.equal(value, parts["model"][key]), key
    assert (folder / name / "log.csv").read_text() == (distilled / "log.csv").read_text()
    assert (folder / name / "scores.json").read_text() == (distilled / "scores.json").read_text()


def test_a_run_is_resumed_only_as_it_was_started(workspace, distilled, capsys):
    folder = workspace[0]
    assert distill(folder, "distilled", "--resume", "--seed", "5") == 2
    assert "another configuration" in capsys.readouterr().err
    assert distill(folder, "distilled", "--resume", "--init", str(folder / "bundle")) == 2
    assert "other data" in capsys.readouterr().err
    assert distill(folder, "distilled") == 2
    assert "holds a run already" in capsys.readouterr().err


def test_fine_tuning_takes_the_backbone_and_a_bundle_takes_the_result(workspace, distilled, capsys):
    folder = workspace[0]
    config = str(folder / "config.yaml")
    bags = ["--bags", str(folder / "labelled"), "--validation", str(folder / "held-out"), "--threads", "1"]
    tuned, fused = str(folder / "tuned"), str(folder / "fused")
    start = ["--initialize", str(distilled), "--label-share", "0.4", "--steps", "1"]
    capsys.readouterr()
    assert main(["train", config, "--image-free", *start, "--learning-rate", "1e-9", *bags, "-o", tuned]) == 0
    count = len(Segmentor(replace(NETWORK, injection=None)).backbone.state_dict())
    assert (
        f"{count} tensors taken; 2 fresh: head.weight, head.bias; "
        "8 dropped: distillation_target.edges, distillation_target.frequent, distillation_target.frequent_in_place, "
        "distillation_target.clusters.offset, distillation_target.clusters.centers, "
        "distillation_target.clusters.weights, distillation_head.weight, distillation_head.bias"
        in capsys.readouterr().out
    )
    before, after = (torch.load(f"{run}/checkpoint.pt")["model"] for run in (distilled, tuned))
    for name, value in after.items():
        if name.startswith("backbone.") and not name.endswith(("running_mean", "running_var", "num_batches_tracked")):
            torch.testing.assert_close(value, before[name], atol=1e-6, rtol=1e-5)
    data = json.loads((folder / "tuned" / "data.json").read_text())
    assert data["label_share"] == 0.4 and data["scans"] == len(data["labelled_scans"]) == 2
    assert data["initialized_from"]["data"]["bags"] == ["unlabelled"]

    # A fused network may start from it too; then the injection is what is fresh.
    assert main(["train", config, "--encoder", str(folder / "encoder"), *start, *bags, "-o", fused]) == 0
    assert "backbone.injection.proj.0.weight" in capsys.readouterr().out.split("dropped")[0]

    bundle = folder / "tuned-bundle"
    assert main(["export", fused, "--image-free-run", tuned, "-o", str(bundle)]) == 0
    described = json.loads((bundle / "bundle.json").read_text())["training"]["image_free_network"]
    assert described["data"]["initialized_from"]["kind"].startswith("distillation")
    assert described["data"]["initialized_from"]["target"] == "8 clusters of image features"
    assert described["data"]["label_share"] == 0.4
    assert main(["export", fused, "--image-free", "-o", str(folder / "blind-bundle")]) == 0
    blind = json.loads((folder / "blind-bundle" / "bundle.json").read_text())
    assert list(blind["graphs"]) == ["image_free"] and "image_encoder" not in blind and "modes" not in blind["training"]
    assert main(["export", fused, "--image-free-run", str(distilled), "-o", str(folder / "x")]) == 2
    assert "fine-tune it first" in capsys.readouterr().err


def test_a_network_of_another_shape_is_refused():
    config = distillable(make_config())
    weights = Distiller(config).state_dict()
    deeper = replace(config.backbone, encoder=replace(config.backbone.encoder, depths=(1, 2, 3)))
    with pytest.raises(ConfigError, match=r"here: .* backbone\.encoder\.2\.blocks\.2\.\S+ is missing"):
        initialize(Distiller(replace(config, backbone=deeper)), weights, origin="here", keep_head=False)
    with pytest.raises(ConfigError, match="is left over"):
        initialize(
            Distiller(config), Distiller(replace(config, backbone=deeper)).state_dict(), origin="", keep_head=False
        )
    wider = replace(config.backbone, encoder=replace(config.backbone.encoder, channels=(12, 24, 54)))
    with pytest.raises(ConfigError, match=r"has the shape \[36"):
        initialize(Distiller(replace(config, backbone=wider)), weights, origin="here", keep_head=False)


def test_a_bundle_gives_its_network_back(workspace, rng):
    folder, config, _, segmentor = workspace
    weights = read_image_free(folder / "bundle", config)
    cloud = random_cloud(config.backbone, 3000, rng)
    scan = LabeledScan("", cloud, np.full(3000, IGNORED, np.int8), None)
    inputs = voxelize_scan(cloud, config.backbone).inputs
    expected = run_segmentor(segmentor, inputs)["logits"]
    np.testing.assert_allclose(run_segmentor(weights.segmentor, inputs)["logits"], expected, atol=1e-3)
    # The exporter folds those after a linear layer.
    assert weights.folded and all(".proj" in name for name in weights.folded)
    unfold(weights, [scan], config)
    np.testing.assert_allclose(run_segmentor(weights.segmentor, inputs)["logits"], expected, atol=1e-3)
    for name in weights.folded:
        norm = weights.segmentor.get_submodule(name)
        assert isinstance(norm, nn.BatchNorm1d)
        norm.train()
    with torch.no_grad():
        logits = weights.segmentor({name: torch.from_numpy(value) for name, value in inputs.items()})
    np.testing.assert_allclose(logits.numpy(), expected, atol=1e-3)


def test_a_distillation_starts_from_a_bundle(workspace, capsys):
    folder, config, _, segmentor = workspace
    assert distill(folder, "init", "--init", str(folder / "bundle"), "--steps", "1", "--learning-rate", "1e-9") == 0
    assert "2 dropped: head.weight, head.bias" in capsys.readouterr().out
    stem = "backbone.stem.convolution.weight"
    weights = torch.load(folder / "init" / "checkpoint.pt")["model"]
    torch.testing.assert_close(weights[stem], segmentor.state_dict()[stem], atol=1e-6, rtol=1e-5)
    other = replace(config, backbone=replace(config.backbone, grid_size=0.3))
    with pytest.raises(ConfigError, match=r"backbone\.grid_size is 0\.2, the configuration's is 0\.3"):
        read_image_free(folder / "bundle", other)


def test_bags_without_usable_images_are_refused(workspace, tmp_path, capsys):
    folder = workspace[0]
    write_samples(tmp_path / "blind", 2, seed=1, cameras=())
    arguments = ["distill", folder / "config.yaml", "--bags", tmp_path / "blind", "--encoder", folder / "encoder"]
    assert main([str(argument) for argument in [*arguments, "-o", tmp_path / "run"]]) == 2
    assert "no image belongs to any of 2 scans" in capsys.readouterr().err


def test_label_shares_are_fixed_and_nested():
    scans = [LabeledScan(str(i), {}, np.zeros(0, np.int8), None) for i in range(100)]
    chosen = {share: [scan.name for scan in choose_labelled(scans, share, 7)] for share in (0.01, 0.07, 0.1, 1.0)}
    assert [len(names) for names in chosen.values()] == [1, 7, 10, 100]
    assert set(chosen[0.01]) < set(chosen[0.07]) < set(chosen[0.1])
    assert chosen[1.0] == [scan.name for scan in scans]
    assert chosen[0.1] == [scan.name for scan in choose_labelled(scans, 0.1, 7)]
    assert chosen[0.1] != [scan.name for scan in choose_labelled(scans, 0.1, 8)]
