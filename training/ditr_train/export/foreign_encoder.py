"""Any ONNX graph from an image to patch features, brought to the contract of image encoders
(docs/graph-contract.md)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from ditr_train.config.model_config import ImageEncoderConfig
from ditr_train.data.errors import DataError
from ditr_train.export.bundle_weights import session
from ditr_train.export.graph_file import read_graph, write_graph


def adopt_encoder(source: Path, target: Path, config: ImageEncoderConfig) -> None:
    """Writes the graph with the names `image` and `features`, and without the tokens that belong to no patch.

    The source takes one float32 input [B, 3, H, W], normalized as the configuration says. Its first output that fits is
    taken: tokens [B, n + patches, C], of which the last are those of the patches, or a map [B, C, rows, columns].
    Raises DataError when there is none, or the graph does not run.
    """
    model = read_graph(source)
    given = {tensor.name for tensor in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in given]
    if len(inputs) != 1:
        raise DataError(f"{source}: it has the inputs {', '.join(v.name for v in inputs)}, not one image")
    image = np.zeros((1, 3, config.input_height, config.input_width), np.float32)
    graph = session(source)
    try:
        results = graph.run(None, {inputs[0].name: image})
    except Exception as error:  # onnxruntime's own exceptions have no common base but this
        raise DataError(
            f"{source}: it does not take an image float32 {list(image.shape)}: {str(error).splitlines()[0]}"
        ) from error
    shapes = {output.name: tuple(value.shape) for output, value in zip(graph.get_outputs(), results, strict=True)}
    name = next((name for name, shape in shapes.items() if _fits(shape, config)), None)
    if name is None:
        found = ", ".join(f"{name} {list(shape)}" for name, shape in shapes.items())
        raise DataError(
            f"{source}: none of its outputs ({found}) is [1, {config.rows * config.columns} or more, "
            f"{config.feature_dimension}] or [1, {config.feature_dimension}, {config.rows}, {config.columns}]"
        )
    _rename(model, inputs[0].name, "image")
    _append(model, name, is_map=len(shapes[name]) == 4, config=config)
    dimensions = ("B", 3, config.input_height, config.input_width)
    del model.graph.input[:]
    model.graph.input.append(helper.make_tensor_value_info("image", TensorProto.FLOAT, dimensions))
    del model.graph.value_info[:]
    write_graph(model, target)


def _fits(shape: tuple[int, ...], config: ImageEncoderConfig) -> bool:
    patches = config.rows * config.columns
    if len(shape) == 3:
        return shape[1] >= patches and shape[2] == config.feature_dimension
    return shape[1:] == (config.feature_dimension, config.rows, config.columns)


def _rename(model: onnx.ModelProto, old: str, new: str) -> None:
    for node in model.graph.node:
        for i, name in enumerate(node.input):
            if name == old:
                node.input[i] = new


def _append(model: onnx.ModelProto, output: str, *, is_map: bool, config: ImageEncoderConfig) -> None:
    """Operators from the output that was found to the features."""
    patches = config.rows * config.columns
    constants = {
        "patches_shape": np.array([0, config.feature_dimension, patches], np.int64),
        "patches_first": np.array([-patches], np.int64),
        "patches_end": np.array([np.iinfo(np.int64).max], np.int64),
        "patches_axis": np.array([1], np.int64),
    }
    if is_map:
        nodes = [
            helper.make_node("Reshape", [output, "patches_shape"], ["patches_map"]),
            helper.make_node("Transpose", ["patches_map"], ["features"], perm=[0, 2, 1]),
        ]
    else:
        ends = ["patches_first", "patches_end", "patches_axis"]
        nodes = [helper.make_node("Slice", [output, *ends], ["features"])]
    used = {name for node in nodes for name in node.input}
    model.graph.initializer.extend(
        numpy_helper.from_array(value, name) for name, value in constants.items() if name in used
    )
    model.graph.node.extend(nodes)
    del model.graph.output[:]
    shape = ("B", patches, config.feature_dimension)
    model.graph.output.append(helper.make_tensor_value_info("features", TensorProto.FLOAT, shape))
