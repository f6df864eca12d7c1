"""Pair tables against their definition, and bundles whose graphs want them."""

import json

import numpy as np
import onnx
import pytest
from conftest import make_config, make_segmentor
from equal_outputs import assert_equal_outputs

from ditr_train.export.bundle import convert_bundle, write_bundle
from ditr_train.export.bundle_weights import read_image_free, session
from ditr_train.export.graphs import example_inputs
from ditr_train.export.pair_convolution import to_pairs
from ditr_train.geometry.pair_tables import PAIR_KINDS, pair_tables


@pytest.mark.parametrize("columns", [3, 27, 125])
@pytest.mark.parametrize("occupied", [0.0, 0.05, 0.3, 1.0])
def test_each_row_finds_its_neighbours_in_the_order_of_the_columns(rng, columns, occupied):
    for count in (1, 2, 7, 60):
        neighbors = np.where(rng.uniform(size=(count, columns)) < occupied, rng.integers(count, size=(1, 1)), count)
        neighbors[:, columns // 2] = np.arange(count)
        tables = pair_tables(neighbors)
        column = np.repeat(np.delete(np.arange(columns), columns // 2), tables.counts)
        assert len(tables.source) == len(column)
        assert all(
            getattr(tables, name).dtype == np.int32 for name in ("source", "counts", "slots", "rest", "rest_row")
        )
        read = []
        for row in range(count):
            slots = list(tables.slots[row])
            if tables.rest_row[row] < len(tables.rest):
                slots += list(tables.rest[tables.rest_row[row]])
            pairs = [slot for slot in slots if slot < len(column)]
            expected = [c for c in range(columns) if c != columns // 2 and neighbors[row, c] < count]
            assert list(column[pairs]) == expected
            assert list(tables.source[pairs]) == [neighbors[row, c] for c in expected]
            read += pairs
        assert sorted(read) == list(range(len(column)))  # each pair once
        assert len(tables.rest) >= 1 and tables.rest.shape[1] >= 1 and tables.slots.shape[1] >= 1


def test_a_bundle_of_pairs_says_the_same_trains_on_and_becomes_float16(tmp_path):
    config = make_config()
    segmentor = make_segmentor(config)
    given = {"fused": None, "image_encoder": None, "training": {}, "scores": {}}
    write_bundle(tmp_path / "table", config, image_free=segmentor, **given)
    convert_bundle(tmp_path / "table", tmp_path / "pairs", "float32", "pairs")
    described = json.loads((tmp_path / "pairs/bundle.json").read_text())["graphs"]["image_free"]
    model = onnx.load(tmp_path / "pairs/image_free.onnx")
    assert [entry["name"] for entry in described["inputs"]] == [value.name for value in model.graph.input]
    for entry, value in zip(described["inputs"], model.graph.input, strict=True):
        assert entry["shape"] == [d.dim_param or d.dim_value for d in value.type.tensor_type.shape.dim]
        assert (entry["dtype"] == "int32") == (value.type.tensor_type.elem_type == onnx.TensorProto.INT32)
    # The stage of 24 channels has pairs, those of 12 and the stem have tables.
    assert [f"{kind}_1" for kind in PAIR_KINDS] == [
        name for name in (e["name"] for e in described["inputs"]) if "pair" in name
    ]
    inputs = example_inputs(config, fused=False, points=900)
    assert_equal_outputs(segmentor, session(tmp_path / "pairs/image_free.onnx"), inputs)
    assert read_image_free(tmp_path / "pairs", config).segmentor is not None
    convert_bundle(tmp_path / "pairs", tmp_path / "half", "float16")
    half = json.loads((tmp_path / "half/bundle.json").read_text())["graphs"]["image_free"]
    assert half["precision"] == "float16" and half["inputs"] == described["inputs"]


def test_a_table_that_is_used_for_something_else_is_refused():
    table = onnx.helper.make_tensor_value_info("neighbors_0", onnx.TensorProto.INT32, ["V0", 27])
    x = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, ["V0", 4])
    y = onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, ["V0", 27, 4])
    node = onnx.helper.make_node("Gather", ["x", "neighbors_0"], ["y"], "gather")
    graph = onnx.helper.make_graph([node], "g", [x, table], [y])
    with pytest.raises(ValueError, match="neighbors_0 is read by Gather gather, which is no convolution"):
        to_pairs(onnx.helper.make_model(graph))
