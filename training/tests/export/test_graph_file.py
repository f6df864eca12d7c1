"""Graphs whose weights one ONNX file cannot hold; the limit is lowered, not the weights raised."""

import hashlib
import json

import numpy as np
import onnx
import onnxruntime
import pytest
from conftest import make_config, make_segmentor, shallow
from onnx import numpy_helper

from ditr_train.export import graph_file
from ditr_train.export.bundle import convert_bundle, write_bundle
from ditr_train.export.graph_file import copy_graph, read_graph, weight_count, weight_files, write_graph
from ditr_train.export.graphs import example_inputs
from ditr_train.export.half_precision import to_float16


@pytest.fixture
def small_files(monkeypatch):
    monkeypatch.setattr(graph_file, "LARGEST_FILE", graph_file._OPERATORS + 2000)


def graph():
    """x [N, 40] times 40 x 40 weights, 6400 bytes."""
    model = onnx.parser.parse_model(
        '<ir_version: 10, opset_import: ["": 20]> g (float[N, 40] x) => (float[N, 40] y) { y = MatMul(x, weights) }'
    )
    weights = np.random.default_rng(0).normal(size=(40, 40)).astype(np.float32)
    model.graph.initializer.append(numpy_helper.from_array(weights, "weights"))
    return model


def run(path, x):
    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]).run(None, {"x": x})[0]


def test_weights_too_large_for_one_file_lie_beside_it(tmp_path, rng, small_files):
    x = rng.normal(size=(3, 40)).astype(np.float32)
    expected = x @ numpy_helper.to_array(graph().graph.initializer[0])
    path, other = tmp_path / "a.onnx", tmp_path / "copy" / "a.onnx"
    for _ in range(2):  # the second time over the first
        write_graph(graph(), path)
        data = (tmp_path / "a.onnx.data").stat()
        assert path.stat().st_size < 1000 and (data.st_size, data.st_mode) == (6400, path.stat().st_mode)
    assert weight_files(path) == [tmp_path / "a.onnx.data"] and weight_count(path) == 1600
    np.testing.assert_allclose(run(path, x), expected, atol=1e-5)
    other.parent.mkdir()
    copy_graph(path, other)
    write_graph(to_float16(read_graph(path)), path)
    assert (tmp_path / "a.onnx.data").stat().st_size == 3200 and weight_count(path) == 1600
    np.testing.assert_allclose(run(path, x), expected, atol=0.05)
    np.testing.assert_allclose(run(other, x), expected, atol=1e-5)


def test_a_graph_that_fits_leaves_no_weights_beside_it(tmp_path, small_files, monkeypatch):
    write_graph(graph(), tmp_path / "a.onnx")
    monkeypatch.undo()
    write_graph(graph(), tmp_path / "a.onnx")
    assert [path.name for path in tmp_path.iterdir()] == ["a.onnx"] and weight_files(tmp_path / "a.onnx") == []


def test_a_bundle_lists_the_files_of_its_weights(tmp_path, small_files, monkeypatch):
    config = shallow(make_config())
    segmentor = make_segmentor(config)
    given = {"fused": None, "image_encoder": None, "training": {}, "scores": {}}
    write_bundle(tmp_path / "a", config, image_free=segmentor, **given)
    monkeypatch.undo()
    convert_bundle(tmp_path / "a", tmp_path / "b", "float16")
    logits = []
    for folder, others in ((tmp_path / "a", ["image_free.onnx.data"]), (tmp_path / "b", None)):
        described = json.loads((folder / "bundle.json").read_text())["graphs"]["image_free"]
        assert others == (described.get("external_data") and [other["file"] for other in described["external_data"]])
        for entry in (described, *described.get("external_data", [])):
            assert hashlib.sha256((folder / entry["file"]).read_bytes()).hexdigest() == entry["sha256"]
        session = onnxruntime.InferenceSession(folder / described["file"], providers=["CPUExecutionProvider"])
        inputs = example_inputs(config, fused=False, points=300)
        logits += session.run(["logits"], {entry.name: inputs[entry.name] for entry in session.get_inputs()})
    assert 0 < np.abs(logits[0] - logits[1]).max() < 0.1
    size = sum((tmp_path / "a" / name).stat().st_size for name in ("image_free.onnx", "image_free.onnx.data")) / 1e6
    assert f" M | {size:.1f} MB, float32 |" in (tmp_path / "a" / "MODEL_CARD.md").read_text()
