"""SAM-guided masked token prediction: what the student may not see, and both stages on a tiny bag."""

import csv
import json

import numpy as np
import pytest
import torch
import torch.nn.functional as F
import yaml
from conftest import make_config, replace
from interruption import killed_at
from PIL import Image
from published_layouts import write_semantic_kitti
from small_training import write_config
from synthetic_samples import write_samples

from ditr_train.cli import main
from ditr_train.config.training_config import MaskedTokenConfig, RegionDistillationConfig
from ditr_train.data.loading import load_scans
from ditr_train.data.regions import RegionTopics
from ditr_train.data.scans import make_sample
from ditr_train.encoders.image_encoder import ImageEncoder
from ditr_train.engine.run_folder import RunFolder
from ditr_train.methods.masked_tokens import MaskedTokenPrediction
from ditr_train.methods.region_distillation import RegionDistillation, RegionDistiller
from ditr_train.methods.region_samples import choose_masked, hide_regions, make_region_sample
from ditr_train.model.device import CPU, tensors_on
from ditr_train.model.region_tokens import regions_of
from ditr_train.model.segmentor import Segmentor
from ditr_train.model.tables import scan_tables

FRONT = "/camera/front/image_raw/compressed"
LOOP = {"steps": 20, "scans_per_step": 1, "learning_rate": 0.01, "evaluate_every": 8}


CONFIG = replace(
    make_config(),
    region_distillation=RegionDistillationConfig(**LOOP, groups=3),
    masked_token_prediction=MaskedTokenConfig(**LOOP, groups=3),
)
SCAN = []


@pytest.fixture(scope="module", autouse=True)
def scans(tmp_path_factory):
    """Scans with the regions of the samples themselves, without image features."""
    bag = tmp_path_factory.mktemp("scans") / "a"
    write_samples(bag, 4, seed=3, with_labels=False, with_regions=True)
    loaded = load_scans([bag], CONFIG, None, labels=False, regions=RegionTopics(), progress=False)
    SCAN[:] = loaded
    return loaded


def test_regions_of_a_sample_are_those_of_its_voxels(scans):
    scan = scans[0]
    sample = make_region_sample(scan, CONFIG, 5)
    region = sample.inputs["voxel_region"]
    of_points = scan.regions.region[sample.representative]
    number = 0
    for original in range(of_points.max() + 1):
        voxels = np.flatnonzero(of_points == original)
        if len(voxels) < 5:
            assert (region[voxels] == -1).all()
            continue
        assert (region[voxels] == number).all()
        points = sample.representative[voxels]
        x, y, z = (scan.fields[axis][points] for axis in "xyz")
        expected = [np.hypot(x, y).mean(), z.mean()]
        np.testing.assert_allclose(sample.inputs["region_place"][number], expected, atol=1e-4)
        inside = (scan.regions.region == original) & (sample.point_to_voxel >= 0)
        center = [scan.fields[axis][inside].astype(float).mean() for axis in "xyz"]
        np.testing.assert_allclose(sample.inputs["region_center"][number], center, atol=1e-4)
        number += 1
    assert number == len(sample.inputs["region_place"]) >= 4
    assert (region[of_points == -1] == -1).all()


def test_the_teacher_stays_as_it_was(scans, tmp_path):
    config = CONFIG.for_pretraining("masked_token_prediction")
    torch.manual_seed(5)
    weights = RegionDistiller(CONFIG).state_dict()
    run = RunFolder(tmp_path)
    pretraining = MaskedTokenPrediction(config, scans, run, weights)
    before = {name: value.clone() for name, value in pretraining.teacher.state_dict().items()}
    assert all(torch.equal(value, weights[name]) for name, value in before.items())
    assert all(
        torch.equal(weights[name], value) for name, value in pretraining.student.state_dict().items() if name in before
    )
    for samples in (pretraining._samples(step, scans) for step in range(3)):
        pretraining.take_step(samples)
    assert all(torch.equal(value, before[name]) for name, value in pretraining.teacher.state_dict().items())
    assert not pretraining.teacher.training and pretraining.student.training
    student = pretraining.student.state_dict()
    for name in ("predictor.hidden", "predictor.scene_head.weight", "predictor.token_head.weight"):
        assert student[name].abs().sum() > 0
    assert all(not torch.equal(student[name], before[name]) for name in before if "running_mean" in name)
    fresh = replace(config, masked_token_prediction=replace(config.masked_token_prediction, student="fresh"))
    other = MaskedTokenPrediction(fresh, scans, run, weights).student.state_dict()
    assert not torch.equal(other["backbone.stem.convolution.weight"], weights["backbone.stem.convolution.weight"])


def test_a_scan_with_fewer_than_two_regions_teaches_nothing(scans, tmp_path):
    config = CONFIG.for_pretraining("masked_token_prediction")
    pretraining = MaskedTokenPrediction(config, scans, RunFolder(tmp_path), RegionDistiller(CONFIG).state_dict())
    scan = scans[0]
    for kept in (-1, 0):
        region = np.where(scan.regions.region == kept, scan.regions.region, -1)
        poor = replace(scan, regions=replace(scan.regions, region=region))
        loss = pretraining.loss_of(pretraining.prepare(poor, np.random.default_rng(0)))
        loss.backward()
        assert loss.item() == 0


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    """Bags, their regions in a folder, an image encoder that tells colours apart."""
    folder = tmp_path_factory.mktemp("pretraining")
    write_config(folder / "config.yaml")
    document = yaml.safe_load((folder / "config.yaml").read_text())
    document["region_distillation"] = LOOP | {"groups": 4}
    document["masked_token_prediction"] = LOOP | {"groups": 4, "steps": 48, "evaluate_every": 20}
    (folder / "config.yaml").write_text(yaml.safe_dump(document))
    write_samples(folder / "unlabelled", 6, seed=20, with_labels=False, with_regions=True)
    write_samples(folder / "labelled", 3, seed=21)
    write_samples(folder / "held-out", 3, seed=22, with_regions=True)
    config = make_config()
    torch.manual_seed(3)
    encoder = ImageEncoder(replace(config.image_encoder, input_height=64, input_width=96)).eval()
    with torch.no_grad():
        # An untrained encoder's features are all alike: let them say where in the image a patch is.
        row, column = torch.meshgrid(torch.linspace(-2, 2, 4), torch.linspace(-2, 2, 6), indexing="ij")
        encoder.position.copy_(torch.stack([row.ravel(), column.ravel()], 1) @ torch.randn(2, 16))
    (folder / "encoder").mkdir()
    torch.save(encoder.state_dict(), folder / "encoder" / "encoder.pt")
    for name in ("scores", "data"):
        (folder / "encoder" / f"{name}.json").write_text('{"miou": 0, "images": 0}')
    bags = [str(folder / name) for name in ("unlabelled", "held-out")]
    command = ["regions", str(folder / "config.yaml"), "--bags", *bags, "--smallest", "30"]
    assert main([*command, "-o", str(folder / "regions")]) == 0
    return folder


def pretrain(folder, stage, output, *further, config="config.yaml", regions="regions"):
    arguments = ["pretrain", folder / config, "--stage", stage, "--bags", folder / "unlabelled"]
    arguments += ["--validation", folder / "held-out", "-o", folder / output, "--threads", "1"]
    arguments += ["--regions", folder / regions] if regions else []
    arguments += ["--encoder", folder / "encoder"] if stage == 1 else ["--teacher", folder / "stage1"]
    return main([str(argument) for argument in [*arguments, *further]])


@pytest.fixture(scope="module")
def stages(workspace):
    """Runs of both stages."""
    assert pretrain(workspace, 1, "stage1") == 0
    assert pretrain(workspace, 2, "stage2") == 0
    return workspace / "stage1", workspace / "stage2"


def test_both_stages_learn_and_are_scored_beside_guesses(stages):
    for run, steps in zip(stages, (["8", "16", "20"], ["20", "40", "48"]), strict=True):
        scores = json.loads((run / "scores.json").read_text())
        assert scores["group_cosine"] > max(scores["constant_group_cosine"], scores["place_group_cosine"]) + 0.1
        assert abs(scores["constant_group_cosine"]) < 0.3 and scores["scans"] == 3
        with (run / "log.csv").open() as stream:
            log = list(csv.DictReader(stream))
        assert [row["step"] for row in log] == steps
        assert float(log[-1]["loss"]) < float(log[0]["loss"])
        assert float(log[-1]["group_cosine"]) == pytest.approx(scores["group_cosine"], abs=1e-4)
    data = json.loads((stages[1] / "data.json").read_text())
    assert data["regions"] == "regions" and data["teacher"]["kind"].startswith("stage 1 of SAM-guided")
    assert data["teacher"]["data"]["image_encoder"] == "encoder"


@pytest.mark.parametrize(("stage", "step"), [(1, 3), (1, 17), (2, 31)])
def test_a_killed_pretraining_ends_as_if_it_was_not(workspace, stages, stage, step):
    name = f"killed-{stage}-{step}"
    with killed_at(step):
        pretrain(workspace, stage, name)
    assert pretrain(workspace, stage, name, "--resume") == 0
    whole, parts = (torch.load(run / "checkpoint.pt") for run in (stages[stage - 1], workspace / name))
    assert whole["step"] == parts["step"] == (20 if stage == 1 else 48)
    assert whole["model"].keys() == parts["model"].keys()
    for key, value in whole["model"].items():
        assert torch.equal(value, parts["model"][key]), key
    for file in ("log.csv", "scores.json"):
        assert (workspace / name / file).read_text() == (stages[stage - 1] / file).read_text()


def test_training_goes_on_from_either_stage(workspace, stages, capsys):
    bags = ["--bags", str(workspace / "labelled"), "--validation", str(workspace / "labelled")]
    count = len(Segmentor(replace(make_config(), injection=None)).backbone.state_dict())
    capsys.readouterr()
    dropped = (["region_target.weights", "dense_head.bias"], ["predictor.hidden", "token_target.edges"])
    for run, names in zip(stages, dropped, strict=True):
        tuned = workspace / f"tuned-{run.name}"
        command = ["train", workspace / "config.yaml", "--image-free", "--initialize", run, "--steps", "1", *bags]
        command += ["--learning-rate", "1e-9", "--threads", "1", "-o", tuned]
        assert main([str(argument) for argument in command]) == 0
        printed = capsys.readouterr().out
        assert f"{count} tensors taken; 2 fresh: head.weight, head.bias; " in printed
        assert all(name in printed.split(" dropped: ")[1] for name in names)
        before, after = (torch.load(folder / "checkpoint.pt")["model"] for folder in (run, tuned))
        assert int(printed.split(" fresh: ")[1].split("; ")[1].split(" ")[0]) == len(before) - count
        for name, value in after.items():
            if name.startswith("backbone.") and not name.endswith(
                ("running_mean", "running_var", "num_batches_tracked")
            ):
                torch.testing.assert_close(value, before[name], atol=1e-6, rtol=1e-5)
    described = json.loads((workspace / "tuned-stage2" / "data.json").read_text())["initialized_from"]
    assert described["target"].startswith("tokens of 60% of the image regions, hidden")
    assert main(["evaluate", str(stages[1]), "--bags", str(workspace / "labelled")]) == 2
    assert "knows no classes; fine-tune it first" in capsys.readouterr().err


def test_stage_1_starts_from_another_network(workspace, stages, capsys):
    assert pretrain(workspace, 1, "again", "--init", str(stages[1]), "--steps", "1", "--learning-rate", "1e-9") == 0
    printed = capsys.readouterr().out
    assert "fresh: region_target.edges, " in printed and "dropped: token_target.edges, " in printed
    name = "backbone.stem.convolution.weight"
    before, after = (torch.load(run / "checkpoint.pt")["model"][name] for run in (stages[1], workspace / "again"))
    torch.testing.assert_close(before, after, atol=1e-6, rtol=1e-5)


def test_what_cannot_be_used_is_refused(workspace, stages, tmp_path, capsys):
    def refused(*arguments, **options):
        capsys.readouterr()
        assert pretrain(workspace, *arguments, **options) == 2
        return capsys.readouterr().err

    assert "--init has no place in --stage 2" in refused(2, "x", "--init", str(stages[0]))
    assert "is no run of `ditr-train pretrain --stage 1`" in refused(2, "x", "--teacher", str(stages[1]))
    assert "holds a run already" in refused(2, "stage2")
    assert "other data" in refused(1, "stage1", "--resume", "--init", str(stages[1]))
    main(["pretrain", str(workspace / "config.yaml"), "--stage", "2", "--bags", "a", "-o", "b"])
    assert "--stage 2 needs --teacher" in capsys.readouterr().err

    (some, *_) = sorted((workspace / "regions" / "unlabelled").rglob("*.png"))
    folder = tmp_path / "unlabelled" / FRONT[1:]
    folder.mkdir(parents=True)
    assert f"{some.name}: missing" in refused(1, "y", regions=tmp_path)
    Image.new("I;16", (10, 20)).save(folder / some.name)
    message = refused(1, "y", regions=tmp_path)
    assert (
        "region ids is 10 x 20, its camera's images are 96 x 64" in message and "unlabelled.mcap, cloud at" in message
    )
    for path in (workspace / "regions" / "unlabelled").rglob("*.png"):
        Image.new("I;16", (96, 64)).save(folder / path.name)
    assert "no point within point_range of any of 6 clouds lies in a region" in refused(1, "y", regions=tmp_path)

    document = yaml.safe_load((workspace / "config.yaml").read_text())
    document["masked_token_prediction"]["mask_ratio"] = 1.0
    (workspace / "all.yaml").write_text(yaml.safe_dump(document))
    assert "mask_ratio: 1.0 is not between 0 and 1" in refused(2, "y", config="all.yaml")


def test_regions_may_come_from_the_bag(workspace, capsys):
    assert pretrain(workspace, 1, "topics", "--steps", "1", regions=None) == 0
    assert json.loads((workspace / "topics" / "data.json").read_text())["regions"] == "topics"


def test_regions_of_features_are_what_stage_1_predicts(workspace, tmp_path):
    """The loss of stage 1 from its parts."""
    config = CONFIG.for_pretraining("region_distillation")
    config = replace(config, image_encoder=replace(config.image_encoder, input_height=64, input_width=96))
    encoder = ImageEncoder(config.image_encoder)
    encoder.load_state_dict(torch.load(workspace / "encoder" / "encoder.pt"))
    bag = workspace / "unlabelled"
    scans = load_scans([bag], config, encoder, labels=False, regions=RegionTopics(), progress=False)
    pretraining = RegionDistillation(config, scans, RunFolder(tmp_path))
    distiller = pretraining.distiller.eval()
    sample = make_region_sample(scans[0], config, config.region_distillation.smallest_region, images=True)
    inputs = tensors_on(CPU, sample.inputs)
    regions = regions_of(inputs)
    seen = inputs["voxel_patch_weight"][:, 0] > 0
    assert 2 <= len(regions.features) < len(regions) and 0.01 < seen.float().mean() < 0.9
    with torch.no_grad():
        predicted, dense = distiller(inputs, regions, seen)
        loss = pretraining.loss_of(sample)
    made = distiller.region_target

    def one(prediction, feature):
        feature = (feature - made.offset) / made.scale
        weight = made.weights[(F.normalize(feature, dim=0) @ made.centers.T).argmax()]
        return weight, weight * F.smooth_l1_loss(prediction, feature)

    of_regions = [one(predicted[token], regions.features[token])[1] for token in range(len(regions.features))]
    features = inputs["image_features"][inputs["voxel_patch"][seen, 0].long()]
    of_voxels = [one(dense[voxel], features[voxel]) for voxel in range(len(features))]
    expected = sum(of_regions) / len(of_regions) + sum(v for _, v in of_voxels) / sum(w for w, _ in of_voxels)
    assert loss.item() == pytest.approx(expected.item(), rel=1e-4)
    settings = replace(config.region_distillation, dense_weight=0.0)
    alone = RegionDistillation(replace(config, region_distillation=settings), scans, RunFolder(tmp_path))
    alone.distiller.load_state_dict(distiller.state_dict())
    alone.distiller.eval()
    with torch.no_grad():
        assert alone.loss_of(sample).item() == pytest.approx((sum(of_regions) / len(of_regions)).item(), rel=1e-4)


def test_the_loss_of_stage_2_is_that_of_hidden_tokens_and_of_the_scene(scans, tmp_path):
    config = CONFIG.for_pretraining("masked_token_prediction")
    torch.manual_seed(5)
    run = RunFolder(tmp_path)
    pretraining = MaskedTokenPrediction(config, scans, run, RegionDistiller(CONFIG).state_dict())
    pretraining.student.eval()
    sample = make_region_sample(scans[0], CONFIG, 4)
    masked = choose_masked(len(sample.inputs["region_place"]), 0.6, np.random.default_rng(1))
    sample = hide_regions(scans[0], sample, masked, lambda rest: make_sample(rest, CONFIG, fused=False))
    inputs = tensors_on(CPU, sample.inputs)
    regions = regions_of(inputs)
    with torch.no_grad():
        predicted, scene = pretraining.student(inputs, regions)
        features = pretraining.teacher.backbone(inputs["feat"], scan_tables(inputs, config.backbone.stage_count))
        loss = pretraining.loss_of(sample).item()
    target = pretraining.student.token_target
    tokens = torch.stack([features[regions.voxel_region == r].mean(0) for r in range(len(regions))])
    tokens = (tokens - target.offset) / target.scale
    of_tokens = [F.smooth_l1_loss(p, t) for p, t in zip(predicted, tokens[regions.masked], strict=True)]
    expected = sum(of_tokens) / len(of_tokens) + F.smooth_l1_loss(scene[0], tokens.mean(0))
    assert loss == pytest.approx(expected.item(), rel=1e-4)


def test_tokens_of_nearest_neighbors_need_no_regions(workspace):
    knn = ("--set", "tokens.kind=knn", "--set", "tokens.knn_centers=24", "--steps", "2")
    assert pretrain(workspace, 1, "knn", *knn, regions="nowhere") == 0
    assert pretrain(workspace, 2, "knn-2", *knn, "--teacher", str(workspace / "knn"), regions="nowhere") == 0
    for name in ("knn", "knn-2"):
        assert json.loads((workspace / name / "config.json").read_text())["tokens"]["kind"] == "knn"
        assert json.loads((workspace / name / "data.json").read_text())["regions"] == "none, nearest neighbours"


def test_both_stages_learn_from_a_data_set(workspace, tmp_path):
    """Its scans are read when they are needed, regions with them."""
    write_semantic_kitti(tmp_path / "kitti", {"08": 3})
    folder = tmp_path / "regions" / "semantic-kitti" / "sequences" / "08" / "image_2"
    folder.mkdir(parents=True)
    for number in range(3):
        ids = np.repeat(np.arange(1, 5, dtype=np.uint16)[None], 32, 0).repeat(12, 1)
        Image.fromarray(ids).save(folder / f"{number:06}.png")
    source = f"semantic-kitti:{tmp_path / 'kitti'}:08"
    common = ["--bags", source, "--validation", source, "--regions", str(tmp_path / "regions"), "--steps", "2"]
    common += ["--threads", "1", "--set", "tokens.cluster_block=8", "--set", "tokens.cluster_cell=2"]
    sizes = ["--set", "region_distillation.smallest_region=1", "--set", "masked_token_prediction.smallest_region=1"]
    runs = [tmp_path / "first", tmp_path / "second"]
    for stage, run, teacher in (
        ("1", runs[0], ["--encoder", str(workspace / "encoder")]),
        ("2", runs[1], ["--teacher", str(runs[0])]),
    ):
        command = ["pretrain", str(workspace / "config.yaml"), "--stage", stage, *teacher, *common, *sizes]
        assert main([*command, "-o", str(run)]) == 0
        assert json.loads((run / "scores.json").read_text())["scans"] == 3
        assert json.loads((run / "data.json").read_text())["bags"] == ["semantic-kitti:08"]
