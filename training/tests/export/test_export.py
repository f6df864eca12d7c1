"""Exported graphs against PyTorch, over all sizes of scan through one file."""

import hashlib
import json
from functools import cache

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from conftest import make_config, make_segmentor
from equal_outputs import TOLERANCE, assert_equal_outputs

from ditr_train.encoders.image_encoder import ImageEncoder
from ditr_train.export import pair_convolution
from ditr_train.export.bundle import write_bundle
from ditr_train.export.graphs import example_inputs, export_segmentor, random_cloud
from ditr_train.geometry.graph_inputs import voxelize_scan


def session(path):
    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])


def pairs_session(path):
    """Of the same graph with every convolution over pairs, however few channels it has."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pair_convolution, "LEAST_CHANNELS", 1)
        graph = pair_convolution.to_pairs(onnx.load(path))
    onnx.checker.check_model(graph, full_check=True)
    assert not [value.name for value in graph.graph.input if "neighbors" in value.name]
    return session(graph.SerializeToString())


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """Configuration, network and the sessions of a kind of graph, over tables and over pairs, each exported once."""
    folder = tmp_path_factory.mktemp("graphs")

    @cache
    def export(position_encoding, fused, sampling):
        config = make_config(position_encoding, sampling=sampling)
        segmentor = make_segmentor(config)
        path = folder / f"{position_encoding}-{fused}.onnx"
        export_segmentor(segmentor, config, path, fused=fused)
        return config, segmentor, (session(path), pairs_session(path))

    return export


@pytest.mark.parametrize(
    ("position_encoding", "fused", "sampling"),
    [("rotary", True, "nearest"), ("convolution", False, "nearest"), ("residual", True, "bilinear")],
)
def test_onnx_equals_pytorch_at_every_size(exported, position_encoding, fused, sampling):
    config, segmentor, forms = exported(position_encoding, fused, sampling)
    # Patches hold 32: fewer, just as many, one more, many; and up to 180 voxels along an axis.
    for points in (*range(1, 8), 20, 31, 32, 33, 50, 64, 65, 300, 4000):
        for graph in forms:
            assert_equal_outputs(segmentor, graph, example_inputs(config, fused=fused, points=points, seed=points))


def test_one_voxel_in_the_last_stage_and_scan_like_density(exported, rng):
    config, segmentor, forms = exported("convolution", False, "nearest")
    small = voxelize_scan(random_cloud(config.backbone, 200, rng, extent=3.5), config.backbone)
    assert len(small.inputs["parent_1"]) > 1 and small.inputs["children_1"].shape[0] == 1
    for graph in forms:
        assert_equal_outputs(segmentor, graph, small.inputs)
    # Rings on the ground and a wall: many neighbours, as in a real scan.
    turn, ring = np.meshgrid(np.linspace(0, 2 * np.pi, 900), np.linspace(3, 18, 24))
    cloud = {
        "x": (ring * np.cos(turn)).ravel(),
        "y": (ring * np.sin(turn)).ravel(),
        "z": np.where(ring * np.sin(turn) > 8, rng.uniform(-1.7, 3, turn.shape), -1.7).ravel(),
        "intensity": rng.uniform(size=turn.size),
    }
    scan = voxelize_scan({k: v.astype(np.float32) for k, v in cloud.items()}, config.backbone)
    for graph in forms:
        assert_equal_outputs(segmentor, graph, scan.inputs)


def test_bundle_describes_its_graphs(tmp_path):
    config = make_config(sampling="bilinear")
    segmentor = make_segmentor(config)
    assert config.image_encoder is not None
    encoder = ImageEncoder(config.image_encoder).eval()
    scores = {"fused": {"miou": 0.5, "accuracy": 0.75, "iou": {"class-1": 0.5}}, "scans": 3}
    write_bundle(
        tmp_path,
        config,
        image_free=None,
        fused=segmentor,
        image_encoder=encoder,
        training={"seed": 0},
        scores=scores,
    )
    document = json.loads((tmp_path / "bundle.json").read_text())
    assert document["format_version"] == 1 and document["unlabeled_id"] == 0
    assert [entry["id"] for entry in document["classes"]] == [1, 2, 3, 4, 5]
    assert set(document["graphs"]) == {"fused", "image_encoder"}
    types = {onnx.TensorProto.INT32: "int32", onnx.TensorProto.FLOAT: "float32"}
    for graph in document["graphs"].values():
        content = (tmp_path / graph["file"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == graph["sha256"]
        model = onnx.load_from_string(content)
        for described, values in (
            (graph["inputs"], model.graph.input),
            (graph["outputs"], model.graph.output),
        ):
            assert described == [
                {
                    "name": value.name,
                    "dtype": types[value.type.tensor_type.elem_type],
                    "shape": [d.dim_param or d.dim_value for d in value.type.tensor_type.shape.dim],
                }
                for value in values
            ]
    fused_inputs = example_inputs(config, fused=True, points=700, seed=3)
    assert fused_inputs["voxel_patch"].shape[1] == 4
    assert_equal_outputs(segmentor, session(tmp_path / "fused.onnx"), fused_inputs)
    image = torch.randn(3, 3, 32, 48)
    (features,) = session(tmp_path / "image_encoder.onnx").run(None, {"image": image.numpy()})
    with torch.no_grad():
        assert np.abs(features - encoder(image).numpy()).max() <= TOLERANCE
    card = (tmp_path / "MODEL_CARD.md").read_text()
    assert "| **mIoU** | 50.0 |" in card and "- scans: 3" in card


def test_a_fused_network_without_its_image_encoder_is_refused(tmp_path):
    config = make_config()
    with pytest.raises(ValueError, match="image encoder"):
        write_bundle(
            tmp_path,
            config,
            image_free=None,
            fused=make_segmentor(config),
            image_encoder=None,
            training={},
            scores={},
        )
