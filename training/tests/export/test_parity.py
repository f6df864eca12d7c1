"""Two forms of one network compared on bags, and graphs in float16."""

import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from conftest import make_config, make_segmentor, shallow
from onnx import TensorProto
from synthetic_samples import write_samples

from ditr_train.cli import main
from ditr_train.config.model_config import config_to_document
from ditr_train.encoders.image_encoder import ImageEncoder
from ditr_train.engine.run_folder import RunFolder
from ditr_train.export.bundle import write_bundle
from ditr_train.export.float16_emulation import round_every_tensor
from ditr_train.export.half_precision import to_float16
from ditr_train.export.parity import Agreement, Bounds
from ditr_train.methods.frozen_encoder import load_exportable_encoder, load_run_encoder


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    """A run of random weights, its bundle, and a bag of two scans of which one has an image."""
    folder = tmp_path_factory.mktemp("parity")
    config = shallow(make_config())
    segmentor = make_segmentor(config)
    with torch.no_grad():
        # As far apart as the logits of trained networks.
        segmentor.head.weight *= 4
    torch.manual_seed(1)
    encoder = ImageEncoder(config.image_encoder).eval()
    run = RunFolder(folder / "run")
    run.create(config, resume=False)
    run.save("checkpoint.pt", {"model": segmentor.state_dict()})
    run.save("encoder.pt", encoder.state_dict())
    write_bundle(
        folder / "bundle",
        config,
        image_free=segmentor,
        fused=segmentor,
        image_encoder=encoder,
        training={},
        scores={},
    )
    write_samples(folder / "bag", 2, seed=50, image_every=2)
    # JSON is YAML.
    (folder / "config.yaml").write_text(json.dumps(config_to_document(config)))
    return folder


def run(*arguments):
    return main([str(argument) for argument in (*arguments, "--threads", "1")])


def parity(workspace, reference, bundle, *further):
    return run("parity", workspace / reference, bundle, "--bags", workspace / "bag", *further)


def test_a_bundle_equals_its_run_and_in_float16_nearly(workspace, tmp_path, capsys):
    assert parity(workspace, "run", workspace / "bundle", "--record") == 0
    out = capsys.readouterr().out
    assert "within the bounds" in out and "mIoU of PyTorch" in out
    document = json.loads((workspace / "bundle" / "bundle.json").read_text())
    recorded = document["scores"]["parity"]
    assert recorded["compared_with"] == "PyTorch" and recorded["bags"] == ["bag"]
    recorded = recorded["modes"]
    for name, scans in (("fused, float32", 1), ("image-free, float32", 2)):
        assert recorded[name]["scans"] == scans and recorded[name]["equal_labels_outside_ties"] == 1
        assert 0 < recorded[name]["largest_logit_difference"] < 1e-3
    card = (workspace / "bundle" / "MODEL_CARD.md").read_text()
    assert "## The graphs and PyTorch" in card and "On bag, by `ditr-train parity`." in card

    assert run("export", workspace / "bundle", "--precision", "float16", "-o", tmp_path / "half") == 0
    config = ("--config", workspace / "config.yaml")
    assert parity(workspace, "bundle", tmp_path / "half", *config, "--record") == 0
    recorded = json.loads((tmp_path / "half" / "bundle.json").read_text())["scores"]["parity"]
    assert recorded["compared_with"] == "float32 in ONNX Runtime"
    recorded = recorded["modes"]
    for mode in ("fused", "image-free"):
        plain = recorded[f"{mode}, float16"]["largest_logit_difference"]
        rounded = recorded[f"{mode}, float16, every tensor rounded"]["largest_logit_difference"]
        assert 0 < plain < rounded < 0.2


def test_a_network_that_differs_breaks_the_bounds(workspace, tmp_path, capsys):
    other = RunFolder(tmp_path / "other")
    config = RunFolder(workspace / "run").config()
    other.create(config, resume=False)
    weights = RunFolder(workspace / "run").load("checkpoint.pt")["model"]
    other.save("checkpoint.pt", {"model": weights | {"head.bias": weights["head.bias"] + 0.01 * torch.arange(5)}})
    other.save("encoder.pt", RunFolder(workspace / "run").load("encoder.pt"))
    assert parity(workspace, tmp_path / "other", workspace / "bundle") == 1
    out = capsys.readouterr().out
    assert "fused, float32: logits differ by 0.04, more than 0.001" in out and "within the bounds" not in out


@pytest.mark.parametrize(
    ("bounds", "sentence"),
    [
        (Bounds(logits=0.1), "logits differ by 0.6, more than 0.1"),
        (Bounds(clear_labels=1.0), "50.0000 % of the labels outside ties are equal, not 100 %"),
        (Bounds(labels=0.7), "66.667 % of the labels are equal, not 70 %"),
        (Bounds(miou=0.2), "the mIoU differs by 50.00 points, more than 20"),
        (Bounds(logits=0.61, clear_labels=0.5, labels=0.6, miou=0.51), None),
    ],
)
def test_each_bound_is_said_to_be_broken(bounds, sentence):
    agreement = Agreement("float32", "fused", ["a", "b"])
    reference = np.array([[1.0, 0.0], [0.5, 0.0], [0.0, 0.0005]], np.float32)
    candidate = np.array([[1.0, 0.0], [-0.1, 0.1], [0.0, 0.1]], np.float32)
    agreement.add(reference, candidate, np.array([0, 1, 2, -1], np.int32), np.array([0, 0, 1, -1]))
    assert list(agreement.broken(bounds)) == ([sentence] if sentence else [])


def test_float16_graphs_keep_their_contract(workspace, tmp_path):
    assert run("export", workspace / "bundle", "--precision", "float16", "-o", tmp_path / "half") == 0
    single, half = (
        json.loads((folder / "bundle.json").read_text())["graphs"]
        for folder in (workspace / "bundle", tmp_path / "half")
    )
    assert set(half) == {"image_free", "fused", "image_encoder"}
    for name, graph in half.items():
        assert graph["precision"] == "float16" and graph["sha256"] != single[name]["sha256"]
        assert (graph["inputs"], graph["outputs"]) == (single[name]["inputs"], single[name]["outputs"])
        model = onnx.load(tmp_path / "half" / graph["file"])
        original = onnx.load(workspace / "bundle" / graph["file"])
        assert list(model.graph.input) == list(original.graph.input)
        assert list(model.graph.output) == list(original.graph.output)
        kinds = {initializer.name: initializer.data_type for initializer in model.graph.initializer}
        large = [i.name for i in original.graph.initializer if i.data_type == 1 and np.prod(i.dims) > 1000]
        kept = [weights for weights in large if kinds[weights] == TensorProto.FLOAT]
        # The stem, which reads coordinates.
        assert len(large) > 3 and len(kept) == (name != "image_encoder")


SMALL = """
<ir_version: 10, opset_import: ["": 20]>
g (float[V, 2] feat, int32[V] place) => (float[V, 2] logits, float[V, 2] wave)
<float[2, 2] first = {1, 1, -1, 1}, float[2, 2] second = {1, 0, 0, 0.0001},
 float[2] base = {1, 0.1}, int64[1] one = {1}>
{
    difference = MatMul(feat, first)
    logits = MatMul(difference, second)
    number = Cast <to = 1> (place)
    column = Unsqueeze(number, one)
    angle = Mul(column, base)
    wave = Cos(angle)
}
"""


def test_coordinates_do_not_pass_through_float16():
    model = onnx.parser.parse_model(SMALL)
    half = to_float16(model)
    onnx.checker.check_model(half, full_check=True)
    # float16 knows 100 m to 6 cm, and no integer above 2048 for sure.
    inputs = {"feat": np.array([[100.01, 100.0]], np.float32), "place": np.array([4097], np.int32)}
    for graph in (half, round_every_tensor(half)):
        graph_session = onnxruntime.InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])
        logits, wave = graph_session.run(None, inputs)
        assert logits[0, 0] == pytest.approx(0.01, rel=2e-3)
        assert logits[0, 1] != pytest.approx(0.020001, rel=1e-6)  # what follows is float16
        np.testing.assert_allclose(wave[0], np.cos([4097, 409.7]), atol=1e-3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["export", "HALF", "--precision", "float16"], "its graphs are float16; only float32 ones can be converted"),
        (["export", "BUNDLE", "--data", "x"], "is a bundle: it is converted as it is, without other options"),
        (["parity", "BUNDLE", "HALF"], "is a bundle, which has no topics of bags; say them with --config"),
    ],
)
def test_mistakes_end_with_one_sentence(workspace, tmp_path, capsys, arguments, message):
    half = tmp_path / "half"
    assert run("export", workspace / "bundle", "--precision", "float16", "-o", half) == 0
    folders = {"HALF": half, "BUNDLE": workspace / "bundle"}
    given = [folders.get(argument, argument) for argument in arguments]
    given += ["-o", tmp_path / "out"] if arguments[0] == "export" else ["--bags", workspace / "bag"]
    capsys.readouterr()
    assert run(*given) == 2
    assert message in capsys.readouterr().err


def test_a_table_of_models_says_what_evaluate_says_of_the_run(workspace, tmp_path):
    names = [entry.name for entry in make_config().classes]
    (tmp_path / "groups.yaml").write_text(json.dumps({"first": names[:2], "rest": names[2:]}))
    bags, scores, table = ["--bags", workspace / "bag"], tmp_path / "run.json", tmp_path / "table.json"
    assert run("evaluate", workspace / "run", *bags, "--json", scores) == 0
    arguments = ["--models", workspace / "bundle", "--groups", tmp_path / "groups.yaml", "--json", table]
    assert run("score-models", workspace / "config.yaml", *bags, *arguments) == 0
    expected = json.loads(scores.read_text())
    rows = {row["mode"]: row for row in json.loads(table.read_text())}
    assert rows["image_free"]["scans"] == 2 and rows["fused"]["scans"] == 1
    assert rows["image_free"]["class_miou"] == pytest.approx(expected["image_free"]["miou"], abs=1e-3)
    assert rows["image_free"]["group_accuracy"] >= expected["image_free"]["accuracy"]


def test_a_training_takes_the_encoder_of_a_bundle(workspace, tmp_path):
    steps = ["--steps", 1, "--set", "training.scans_per_step=1"]
    arguments = ["--encoder", workspace / "bundle", "--bags", workspace / "bag", "-o", tmp_path / "run"]
    assert run("train", workspace / "config.yaml", *arguments, *steps) == 0
    config = RunFolder(tmp_path / "run").config()
    assert config.image_encoder is not None
    kept = load_exportable_encoder(tmp_path / "run", config)
    assert isinstance(kept, Path) and kept.read_bytes() == (workspace / "bundle" / "image_encoder.onnx").read_bytes()
    image = torch.randn(1, 3, config.image_encoder.input_height, config.image_encoder.input_width)
    features = [load_run_encoder(RunFolder(f), config)(image).detach() for f in (tmp_path / "run", workspace / "run")]
    torch.testing.assert_close(*features, atol=1e-4, rtol=1e-4)
    assert run("evaluate", tmp_path / "run", "--bags", workspace / "bag") == 0
