"""ONNX files of graphs."""

from __future__ import annotations

import math
from pathlib import Path

import onnx

from ditr_train.data.errors import DataError

_FLOATS = (onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16)


def write_graph(model: onnx.ModelProto, path: Path) -> None:
    """Writes a graph after checking it; the same graph always gives the same bytes."""
    onnx.checker.check_model(model, full_check=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(model.SerializeToString(deterministic=True))


def read_graph(path: Path) -> onnx.ModelProto:
    """Raises DataError when there is no graph."""
    try:
        return onnx.load(path)
    except Exception as error:  # what protobuf raises has no types to check it by
        raise DataError(f"{path} is no ONNX graph that can be read: {error}") from error


def weight_count(path: Path) -> int:
    """Numbers that a graph holds as weights: parameters of the network, normalizations merged where the exporter
    did so."""
    graph = onnx.load(path, load_external_data=False).graph
    return sum(math.prod(tensor.dims) for tensor in graph.initializer if tensor.data_type in _FLOATS)
