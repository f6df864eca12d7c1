"""Training of a detector, its scores, and its graph."""

import json

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
import yaml
from conftest import make_config, make_segmentor, replace
from synthetic_samples import BOX_CLASSES, write_samples

from ditr_train.cli import main
from ditr_train.config.detection_config import DetectionClass, DetectionConfig, DetectionTrainingConfig
from ditr_train.config.model_config import ConfigError, config_to_document
from ditr_train.data.loading import load_scans
from ditr_train.data.scans import make_sample
from ditr_train.engine.run_folder import RunFolder
from ditr_train.engine.trained_network import load_detector, load_segmentor
from ditr_train.evaluation.detection import average_precisions, detect
from ditr_train.export.bundle import describe_detection
from ditr_train.export.graphs import (
    detection_example,
    example_inputs,
    export_detection_head,
    run_detection_head,
    run_segmentor,
)
from ditr_train.geometry.detections import Detections
from ditr_train.geometry.pair_tables import declared_inputs
from ditr_train.methods.detection import DetectionTraining
from ditr_train.model.detection_head import DetectionHead, best_rows
from ditr_train.model.detector import Detector

CLASSES = tuple(DetectionClass(name, (i, i, i)) for i, name in enumerate(BOX_CLASSES))
DETECTION = DetectionConfig(CLASSES, stage=1, queries=24, channels=32, layers=2, heads=2, dropout=0.0)
SETTINGS = DetectionTrainingConfig(steps=12, scans_per_step=1, learning_rate=3e-3, evaluate_every=6)


def detecting(**changes):
    config = make_config()
    return replace(
        config, injection=None, image_encoder=None, detection=replace(DETECTION, **changes), detection_training=SETTINGS
    )


def write_config(path, config=None, **training):
    document = config_to_document(config or detecting())
    document["detection_training"] |= training
    document["training"]["augmentation"] |= {"rotation": 0.2, "flip": 0.0}
    path.write_text(yaml.safe_dump(json.loads(json.dumps(document))))
    return str(path)


def weights(run):
    return torch.load(run / "checkpoint.pt")["model"]


def test_training_evaluation_and_export_from_the_command_line(tmp_path, capsys):
    write_samples(tmp_path / "a", 4, 0, box_every=1)
    write_samples(tmp_path / "b", 2, 1, box_every=1)
    config = write_config(tmp_path / "c.yaml", segmentation_weight=1.0)
    data = ["--bags", str(tmp_path / "a"), "--validation", str(tmp_path / "b"), "--threads", "1"]
    assert main(["train-detection", config, *data, "-o", str(tmp_path / "run"), "--label-share", "0.5"]) == 0
    described = json.loads((tmp_path / "run" / "data.json").read_text())
    assert described["scans"] == 2 and len(described["labelled_scans"]) == 2
    found = json.loads((tmp_path / "run" / "scores.json").read_text())["detection"]
    assert found["scans"] == 2 and found["modes"]["image_free"]["classes"]["red-box"]["boxes"] == 2
    out = tmp_path / "scores.json"
    evaluated = ["evaluate", str(tmp_path / "run"), "--bags", str(tmp_path / "b"), "--json", str(out), "--threads", "1"]
    assert main(evaluated) == 0
    scores = json.loads(out.read_text())
    assert scores["detection"] == found and scores["image_free"]["iou"]
    assert "image_free red-box" in capsys.readouterr().out
    bundle = tmp_path / "bundle"
    assert main(["export", str(tmp_path / "run"), "--scores", str(out), "-o", str(bundle), "--threads", "1"]) == 0
    _check_bundle(bundle, tmp_path, found)
    half = tmp_path / "half"
    assert main(["export", str(bundle), "--precision", "float16", "-o", str(half), "--threads", "1"]) == 0
    graphs = json.loads((half / "bundle.json").read_text())["graphs"]
    assert graphs["image_free"]["precision"] == "float16" and graphs["detection"]["precision"] == "float32"
    assert (half / "detection.onnx").read_bytes() == (bundle / "detection.onnx").read_bytes()


def test_a_bundle_says_what_true_boxes_of_a_class_are_called_and_which_need_not_be_found():
    config = DetectionConfig((DetectionClass("car", (1, 2, 3), of=("car", "Van")),), stage=1, smallest_points=5)
    described = describe_detection(config)
    assert described["classes"] == [{"name": "car", "color": [1, 2, 3], "of": ["car", "Van"]}]
    assert described["smallest_points"] == 5


def _check_bundle(bundle, tmp_path, found) -> None:
    """The bundle's graphs find the boxes that the evaluation found, and the manifest says what they need."""
    document = json.loads((bundle / "bundle.json").read_text())
    assert document["detection"] == {
        "stage": 1,
        "queries": 24,
        "classes": [{"name": name, "color": [i, i, i]} for i, name in enumerate(BOX_CLASSES)],
        "smallest_points": 1,
        "score_threshold": 0.3,
        "overlap_threshold": 0.25,
    }
    graph = document["graphs"]["detection"]
    assert [(each["name"], each["dtype"], each["shape"]) for each in graph["inputs"]] == [
        ("tokens", "float32", ["V1", 24]),
        ("token_positions", "float32", ["V1", 3]),
        ("queries", "int32", ["Q"]),
    ]
    assert [(each["name"], each["shape"]) for each in graph["outputs"]] == [
        ("boxes", ["Q", 7]),
        ("class_probabilities", ["Q", 3]),
    ]
    assert document["graphs"]["image_free"]["outputs"][-1] == {
        "name": "tokens",
        "dtype": "float32",
        "shape": ["V1", 24],
    }
    card = (bundle / "MODEL_CARD.md").read_text()
    assert "| red-box | image-free | 2 |" in card and "Boxes around: red-box, green-box, blue-box" in card
    domains = {node.domain for node in onnx.load(bundle / "detection.onnx").graph.node}
    assert domains <= {"", "ai.onnx"}
    run = RunFolder(tmp_path / "run")
    config = run.config()
    detector = load_detector(run, config)
    segmentation = onnxruntime.InferenceSession(bundle / "image_free.onnx")
    detection = onnxruntime.InferenceSession(bundle / "detection.onnx")
    (scan,) = list(load_scans([tmp_path / "b"], config, None, progress=False))[:1]
    sample = make_sample(scan, config, fused=False)
    names = [entry.name for entry in segmentation.get_inputs()]
    (tokens,) = segmentation.run(["tokens"], declared_inputs(sample.inputs, names))
    given = {"tokens": tokens} | {name: sample.inputs[name] for name in ("token_positions", "queries")}
    boxes, probabilities = detection.run(["boxes", "class_probabilities"], given)
    with torch.no_grad():
        last = detector({name: torch.from_numpy(value) for name, value in sample.inputs.items()}).layers[-1]
    np.testing.assert_allclose(boxes, last.boxes().numpy(), atol=1e-4)
    np.testing.assert_allclose(probabilities, last.class_probabilities().numpy(), atol=1e-4)


def test_an_interrupted_training_ends_as_another(tmp_path):
    write_samples(tmp_path / "a", 2, 0, box_every=1)
    config = write_config(tmp_path / "c.yaml")
    data = ["--bags", str(tmp_path / "a"), "--threads", "1", "-o"]
    assert main(["train-detection", config, *data, str(tmp_path / "whole")]) == 0
    interrupted = RunFolder(tmp_path / "parts")
    loaded = RunFolder(tmp_path / "whole").config()
    scans = load_scans([tmp_path / "a"], loaded, None, boxed=True, labels=False, progress=False)
    interrupted.create(loaded, resume=False)
    interrupted.describe_data(RunFolder(tmp_path / "whole").read_json("data.json"))
    first = DetectionTraining(loaded, scans, interrupted)
    while first.step < 5:
        first.take_step(first.samples_of(first.step))
    first.save()
    assert main(["train-detection", config, *data, str(tmp_path / "parts"), "--resume"]) == 0
    for name, value in weights(tmp_path / "whole").items():
        torch.testing.assert_close(weights(tmp_path / "parts")[name], value, rtol=0, atol=0)


def test_a_frozen_backbone_stays_the_segmentation_that_it_was(tmp_path):
    write_samples(tmp_path / "a", 2, 0, box_every=1)
    config = detecting()
    origin = RunFolder(tmp_path / "origin")
    plain = config.without_pretraining()
    assert plain.detection is None and plain.detection_training is None
    origin.create(plain, resume=False)
    segmentor = make_segmentor(plain)
    origin.save("checkpoint.pt", {"model": segmentor.state_dict()})
    origin.write_json("data.json", {})
    path = write_config(tmp_path / "c.yaml")
    data = ["--bags", str(tmp_path / "a"), "--threads", "1", "--initialize", str(tmp_path / "origin"), "-o"]
    assert main(["train-detection", path, *data, str(tmp_path / "run"), "--frozen"]) == 0
    run = RunFolder(tmp_path / "run")
    for name, value in load_segmentor(run, run.config()).state_dict().items():
        torch.testing.assert_close(value, segmentor.state_dict()[name], rtol=0, atol=0)
    fresh = Detector(config).detection_head.state_dict()
    moved = weights(tmp_path / "run")
    assert any((moved[f"detection_head.{name}"] - value).abs().max() > 1e-3 for name, value in fresh.items())
    # A detector is the start of another one, head of the segmentation included.
    again = ["--bags", str(tmp_path / "a"), "--threads", "1", "--initialize", str(tmp_path / "run"), "--steps", "1"]
    assert main(["train-detection", path, *again, "-o", str(tmp_path / "next")]) == 0


def test_what_does_not_go_together_is_refused(tmp_path, capsys):
    write_samples(tmp_path / "a", 1, 0)
    path = write_config(tmp_path / "c.yaml")
    output = ["--threads", "1", "-o", str(tmp_path / "run")]
    assert main(["train-detection", path, "--bags", str(tmp_path / "a"), *output]) == 2
    assert "no scan has boxes to learn from" in capsys.readouterr().err
    assert main(["train-detection", path, "--bags", str(tmp_path / "a"), "--frozen", *output]) == 2
    assert "--initialize RUN_OR_BUNDLE" in capsys.readouterr().err
    with pytest.raises(ConfigError, match=r"detection.stage: 3 is not a stage of 0..2"):
        detecting(stage=3)
    with pytest.raises(ConfigError, match="of two classes"):
        detecting(classes=(DetectionClass("a", (0, 0, 0), ("b", "c")), DetectionClass("c", (0, 0, 0))))


@pytest.mark.parametrize("choice", ["farthest", "scored"])
def test_a_detector_learns_boxes_that_it_is_shown(tmp_path, choice):
    """Two scans by heart: the boxes are found where they are, and their sizes and headings are right."""
    write_samples(tmp_path / "a", 2, 0, box_every=1)
    settings = replace(SETTINGS, steps=150, evaluate_every=1000, learning_rate=5e-3)
    config = replace(detecting(query_choice=choice), detection_training=settings)
    still = {"rotation": 0.0, "flip": 0.0, "scale": (1.0, 1.0), "jitter": 0.0, "drop": 0.0}
    augmentation = replace(config.training.augmentation, **still)
    config = replace(config, training=replace(config.training, augmentation=augmentation))
    scans = load_scans([tmp_path / "a"], config, None, boxed=True, progress=False)
    training = DetectionTraining(config, scans, RunFolder(tmp_path / "run"))
    (tmp_path / "run").mkdir()
    training.fit([], progress=False)
    results = []
    for scan in scans:
        sample = make_sample(scan, config, fused=False)
        results.append((detect(training.detector, sample, config.detection, 0.05), scan.boxes))
    found = average_precisions(results, config)
    # The colours tell the classes apart, and no image is shown: only where boxes are is asked for.
    merged = [(Detections(d.boxes, 0 * d.classes, d.scores), replace(t, classes=0 * t.classes)) for d, t in results]
    assert average_precisions(merged, config)["classes"]["red-box"]["ap25"] > 0.4
    assert found["classes"]["red-box"]["boxes"] == 2


@pytest.mark.parametrize("choice", ["farthest", "scored"])
@pytest.mark.parametrize("tokens", [500, 40, 5])
def test_the_detection_graph_says_what_pytorch_says(tmp_path, choice, tokens):
    config = detecting(query_choice=choice)
    torch.manual_seed(0)
    head = DetectionHead(24, config.detection).eval()
    export_detection_head(head, config, tmp_path / "detection.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "detection.onnx")
    assert [entry.name for entry in session.get_inputs()][2:] == (["queries"] if choice == "farthest" else [])
    inputs = detection_example(config, tokens, seed=1)
    found = dict(zip(("boxes", "class_probabilities"), session.run(None, inputs), strict=True))
    expected = run_detection_head(head, inputs)
    queries = min(24, tokens) if choice == "scored" else len(inputs["queries"])
    assert expected["boxes"].shape == (queries, 7)
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, atol=1e-4)


def test_tokens_are_what_the_encoder_gives(config):
    detected = replace(config, detection=replace(DETECTION, stage=2))
    segmentor = make_segmentor(detected)
    inputs = example_inputs(detected, fused=True)
    tensors = {name: torch.from_numpy(value) for name, value in inputs.items()}
    with torch.no_grad():
        logits, tokens = segmentor.with_tokens(tensors, 2)
        image_free = segmentor.tokens({k: v for k, v in tensors.items() if not k.startswith(("image", "voxel"))}, 2)
    np.testing.assert_array_equal(logits.numpy(), run_segmentor(segmentor, inputs)["logits"])
    assert tokens.shape == image_free.shape == (len(inputs["children_1"]), config.backbone.encoder.channels[2])
    # Of the fused network those after the injection of the stage.
    assert (tokens - image_free).abs().max() > 1e-3


def test_best_rows_are_at_most_as_many_as_there_are():
    scores = torch.tensor([0.1, 3.0, -1.0, 2.0])
    assert best_rows(scores, 2).tolist() == [1, 3] and best_rows(scores, 9).tolist() == [1, 3, 0, 2]


def test_average_precisions_of_known_boxes():
    config = detecting()
    box = [0.0, 0, 0, 4, 2, 2, 0]
    near = [0.0, 0.3, 0, 4, 2, 2, 0]  # overlap 1.7 / 2.3
    truth_rows = np.array([box, [10.0, 0, 0, 4, 2, 2, 0]])
    from ditr_train.data.boxes import Boxes

    truth = Boxes(truth_rows, np.array([0, 0]), np.array([50, 0]))
    found = Detections(np.array([near, truth_rows[1]], np.float32), np.array([0, 0]), np.array([0.9, 0.8], np.float32))
    scores = average_precisions([(found, truth)], config)["classes"]["red-box"]
    # The second box has no points: it is neither asked for nor wrong.
    assert scores["boxes"] == 1 and scores["ap25"] == scores["ap50"] == scores["kitti"] == pytest.approx(1)
    assert scores["nuscenes"] == pytest.approx(1)
    strict = replace(config, detection=replace(config.detection, classes=(replace(CLASSES[0], overlap=0.75),)))
    assert average_precisions([(found, truth)], strict)["classes"]["red-box"]["kitti"] == 0
